/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over lineages for others than stages: what waits for a checkpoint, what shuffles can be
 * cleaned; and cutting a lineage above a checkpoint. */
#include "scheduler/lineage.h"

#include "scheduler/stage.h"

#include <stdlib.h>

/* find_all: all shuffles of the lineage above a node, down to persisted ones. */
static bool find_all(struct spk_scheduler *scheduler, spark_rdd *rdd, spk_list *shuffles)
{
    const uint64_t mark = ++scheduler->mark;
    spk_list nodes = { NULL, 0, 0 };
    bool good = spk_list_add(&nodes, rdd);
    while (good && nodes.n > 0) {
        spark_rdd *node = nodes.at[--nodes.n];
        if (node->mark == mark || (node != rdd && atomic_load(&node->level) != 0))
            continue;
        node->mark = mark;
        for (uint32_t i = 0; i < node->n_deps && good; i++)
            good = spk_list_add(&nodes, node->deps[i].rdd)
                && (!node->deps[i].shuffle || spk_list_add(shuffles, node->deps[i].shuffle));
    }
    free(nodes.at);
    return good;
}

bool spk_shuffles_clean(spark_rdd *rdd)
{
    struct spk_scheduler *scheduler = rdd->sc->scheduler;
    spk_list shuffles = { NULL, 0, 0 };
    pthread_mutex_lock(&scheduler->lock);
    const bool good = find_all(scheduler, rdd, &shuffles);
    pthread_mutex_unlock(&scheduler->lock);
    for (size_t i = 0; i < shuffles.n; i++) {
        spk_shuffle *shuffle = shuffles.at[i];
        for (int m = 0; m < shuffle->maps; m++)
            spk_shuffle_drop(shuffle, m);
    }
    free(shuffles.at);
    return good;
}

bool spk_find_marked(spark_rdd *rdd, spark_rdd **found)
{
    struct spk_scheduler *scheduler = rdd->sc->scheduler;
    spk_list nodes = { NULL, 0, 0 };
    *found = NULL;
    pthread_mutex_lock(&scheduler->lock);
    const uint64_t mark = ++scheduler->mark;
    bool good = spk_list_add(&nodes, rdd);
    while (good && nodes.n > 0 && !*found) {
        spark_rdd *node = nodes.at[--nodes.n];
        if (node->mark == mark)
            continue;
        node->mark = mark;
        if (spk_checkpoint_waits(node))
            *found = node;
        else if (atomic_load(&node->checkpoint) == SPK_NO_CHECKPOINT)
            for (uint32_t i = 0; i < node->n_deps && good; i++)
                good = spk_list_add(&nodes, node->deps[i].rdd);
    }
    if (*found)
        spk_rdd_ref(*found);
    pthread_mutex_unlock(&scheduler->lock);
    free(nodes.at);
    return good;
}

static void free_old_edges(spk_cut *cut)
{
    for (uint32_t i = 0; i < cut->n_old; i++) {
        spk_shuffle_free(cut->old[i].shuffle);
        spk_rdd_unref(cut->old[i].rdd);
    }
    free(cut->old);
    spk_rdd_unref(cut->node); /* which frees the cut, if it goes */
}

void spk_cut_lineages(spark_context *sc)
{
    spk_cut *cuts = NULL;
    pthread_mutex_lock(&sc->plan_lock);
    pthread_mutex_lock(&sc->scheduler->lock);
    if (sc->scheduler->walking == 0 && sc->preparing == 0) {
        cuts = sc->cuts;
        sc->cuts = NULL;
        atomic_store(&sc->has_cuts, false);
    }
    for (spk_cut *cut = cuts; cut; cut = cut->next) {
        cut->old = cut->node->deps;
        cut->n_old = cut->node->n_deps;
        cut->node->deps = &cut->dep;
        cut->node->n_deps = 1;
    }
    pthread_mutex_unlock(&sc->scheduler->lock);
    pthread_mutex_unlock(&sc->plan_lock);
    while (cuts) {
        spk_cut *next = cuts->next;
        free_old_edges(cuts);
        cuts = next;
    }
}
