/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a lineage into stages: from a node up its narrow edges, every wide edge is a parent
 * stage. An explicit stack stands for the recursion, over nodes and over stages; nodes seen are
 * marked, since a diamond would be walked exponentially often. */
#include "scheduler/stage.h"

#include <stdlib.h>

static bool all_cached(const spark_rdd *rdd)
{
    return atomic_load(&rdd->level) != 0 && rdd->partitions > 0
        && spk_blocks_present(rdd->blocks) == rdd->partitions;
}

/* find_parents: the shuffles that the stage of this node reads. */
static bool find_parents(struct spk_scheduler *scheduler, spark_rdd *rdd, spk_list *parents)
{
    const uint64_t mark = ++scheduler->mark;
    spk_list nodes = { NULL, 0, 0 };
    bool good = spk_list_add(&nodes, rdd);
    while (good && nodes.n > 0) {
        spark_rdd *node = nodes.at[--nodes.n];
        if (node->mark == mark)
            continue;
        node->mark = mark;
        if (all_cached(node) || spk_rdd_stored(node))
            continue;
        for (uint32_t i = 0; i < node->n_deps && good; i++)
            good = node->deps[i].shuffle ? spk_list_add(parents, node->deps[i].shuffle)
                                         : spk_list_add(&nodes, node->deps[i].rdd);
    }
    free(nodes.at);
    return good;
}

static spk_stage *find(const spk_job *job, const spk_shuffle *shuffle)
{
    for (size_t i = 0; i < job->n_stages; i++)
        if (job->stages[i]->shuffle == shuffle)
            return job->stages[i];
    return NULL;
}

static spk_stage *new_stage(spk_job *job, spk_shuffle *shuffle)
{
    spk_stage *stage = calloc(1, sizeof *stage);
    spk_list parents = { NULL, 0, 0 };
    if (!stage)
        return NULL;
    stage->job = job;
    stage->shuffle = shuffle;
    stage->rdd = shuffle ? shuffle->parent : job->rdd;
    stage->set.run = spk_attempt_run;
    stage->room = shuffle ? shuffle->maps : job->n;
    const size_t room = (size_t)(stage->room ? stage->room : 1);
    stage->failures = calloc(room, 2);
    stage->attempts = stage->failures ? stage->failures + room : NULL;
    stage->partitions = calloc(room, 3 * sizeof(int));
    stage->lost = stage->partitions ? stage->partitions + room : NULL;
    stage->set.retries = stage->partitions ? stage->lost + room : NULL;
    const bool found = find_parents(job->scheduler, stage->rdd, &parents);
    stage->parents = (spk_shuffle **)(void *)parents.at;
    stage->n_parents = parents.n;
    if (found && stage->failures && stage->partitions)
        return stage;
    spk_stage_free(stage);
    return NULL;
}

void spk_stage_free(spk_stage *stage)
{
    free(stage->failures);
    free(atomic_load(&stage->suspects));
    free(stage->partitions);
    free(stage->parents);
    free(stage);
}

/* adopt: the stage gets its number and belongs to the job. */
static bool adopt(spk_job *job, spk_stage *stage)
{
    if (job->n_stages == job->max_stages) {
        const size_t max = job->max_stages ? job->max_stages * 2 : 8;
        spk_stage **stages = realloc(job->stages, max * sizeof *stages);
        if (!stages)
            return false;
        job->stages = stages;
        job->max_stages = max;
    }
    stage->id = atomic_fetch_add(&job->scheduler->next_stage, 1);
    stage->position = (int)job->n_stages;
    stage->set.order = (uint64_t)job->id << 32 | (uint32_t)stage->id;
    job->stages[job->n_stages++] = stage;
    return true;
}

/* missing_parent: a parent that has no stage yet. */
static spk_shuffle *missing_parent(const spk_job *job, const spk_stage *stage)
{
    for (size_t i = 0; i < stage->n_parents; i++)
        if (!find(job, stage->parents[i]))
            return stage->parents[i];
    return NULL;
}

spk_stage *spk_stage_make(spk_job *job, spk_shuffle *shuffle)
{
    spk_list open = { NULL, 0, 0 };
    spk_stage *stage = find(job, shuffle);
    if (stage)
        return stage;
    stage = new_stage(job, shuffle);
    bool good = stage && spk_list_add(&open, stage);
    if (stage && !good)
        spk_stage_free(stage);
    while (good && open.n > 0) {
        spk_stage *top = open.at[open.n - 1];
        spk_shuffle *parent = missing_parent(job, top);
        if (parent) {
            spk_stage *next = new_stage(job, parent);
            good = next && spk_list_add(&open, next);
            if (next && !good)
                spk_stage_free(next);
        } else if ((good = adopt(job, top))) {
            stage = top;
            open.n--;
        }
    }
    while (open.n > 0)
        spk_stage_free(open.at[--open.n]);
    free(open.at);
    return good ? stage : NULL;
}
