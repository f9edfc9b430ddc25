/* SPDX-License-Identifier: Apache-2.0 */
/* What listeners are told of a stage: its RDDs, found by a walk up the narrow edges that stops at cached
 * RDDs which are all there, and the stages above it. Made once a stage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "listen/bus.h"

static bool is_cached(const spark_rdd *rdd)
{
    return atomic_load(&rdd->level) != 0 && spk_rdd_partitions(rdd) > 0
        && spk_blocks_present(rdd->blocks) == spk_rdd_partitions(rdd);
}

/* find: the RDDs of the stage, each once, the last one first. */
static bool find(struct spk_scheduler *scheduler, spark_rdd *rdd, spk_list *found)
{
    const uint64_t mark = ++scheduler->mark;
    bool good = spk_list_add(found, rdd);
    rdd->mark = mark;
    for (size_t at = 0; good && at < found->n; at++) {
        spark_rdd *node = found->at[at], *stored = spk_rdd_stored(node);
        if (is_cached(node) && at > 0)
            continue;
        for (uint32_t i = 0; i < (stored ? 1 : node->n_deps) && good; i++) {
            spark_rdd *parent = stored ? stored : node->deps[i].rdd;
            if ((!stored && node->deps[i].shuffle) || parent->mark == mark)
                continue;
            parent->mark = mark;
            good = spk_list_add(found, parent);
        }
    }
    return good;
}

/* scope_of: of nodes that one call has made: they follow each other, by one name at one place. */
static int scope_of(const spark_rdd *rdd)
{
    int scope = rdd->id;
    while (rdd->n_deps > 0 && !spk_rdd_stored(rdd)) {
        const spark_rdd *parent = rdd->deps[0].rdd;
        if (parent->id != rdd->id - 1 || parent->site != rdd->site || parent->class == rdd->class
            || strcmp(parent->operation, rdd->operation) != 0 || scope - parent->id > 8)
            break;
        scope = parent->id;
        rdd = parent;
    }
    return scope;
}

static void fill_rdd(spk_pad *pad, spark_rdd_info *info, const spark_rdd *rdd)
{
    const spark_rdd *stored = spk_rdd_stored(rdd);
    const uint32_t n = stored ? 1 : rdd->n_deps;
    int *parents = n > 0 ? spk_pad_alloc(pad, n * sizeof *parents) : NULL;
    for (uint32_t i = 0; i < n && parents; i++)
        parents[i] = stored ? stored->id : rdd->deps[i].rdd->id;
    const int partitions = spk_rdd_partitions(rdd);
    *info = (spark_rdd_info) { .id = rdd->id,
        .scope = scope_of(rdd),
        .name = spk_pad_text(pad, rdd->name),
        .class_name = rdd->class->name,
        .operation = rdd->operation,
        .site = spk_pad_text(pad, rdd->site),
        .level = (spark_level)atomic_load(&rdd->level),
        .partitions = partitions < 0 ? 0 : partitions,
        .parents = parents,
        .n_parents = parents ? n : 0 };
}

static void fill_rdds(spk_pad *pad, spark_stage_info *info, const spk_list *found)
{
    spark_rdd_info *rdds = spk_pad_alloc(pad, found->n * sizeof *rdds);
    for (size_t i = 0; i < found->n && rdds; i++)
        fill_rdd(pad, &rdds[i], found->at[i]);
    info->rdds = rdds;
    info->n_rdds = rdds ? found->n : 0;
}

static void fill_parents(spk_pad *pad, spark_stage_info *info, const spk_stage *stage)
{
    int *parents = stage->graph.n_inputs > 0 ? spk_pad_alloc(pad, stage->graph.n_inputs * sizeof *parents) : NULL;
    for (size_t i = 0; i < stage->graph.n_inputs && parents; i++) {
        const spk_stage *parent = spk_stage_of(stage->job, stage->graph.inputs[i].shuffle);
        if (parent)
            parents[info->n_parents++] = parent->id;
    }
    info->parents = parents;
}

/* fill_name: "map at wc.c:14"; of the result stage that of the action. */
static void fill_name(spk_pad *pad, spark_stage_info *info, const spk_stage *stage)
{
    const spk_action *action = stage->job->action;
    const char *operation = stage->shuffle ? stage->rdd->operation : action->name;
    const spark_site site = stage->shuffle ? stage->rdd->site : action->site;
    const size_t size = strlen(operation) + (site ? strlen(site) : 0) + 8;
    char *name = spk_pad_alloc(pad, size);
    if (name)
        snprintf(name, size, "%s at %s", operation, site ? site : "?");
    info->name = name ? name : "";
}

/* tasks_of: how many it will have, or, where its outputs are all there, would have had. */
static int tasks_of(const spk_stage *stage)
{
    const int missing = stage->shuffle ? atomic_load(&stage->shuffle->missing) : stage->job->n;
    return missing > 0 || !stage->shuffle ? missing : stage->shuffle->maps;
}

spk_heard_stage *spk_stage_hear(spk_stage *stage)
{
    spk_list found = { NULL, 0, 0 };
    if (stage->heard)
        return stage->heard;
    spk_heard_stage *heard = calloc(1, sizeof *heard);
    spk_pad *pad = heard ? spk_pad_new() : NULL;
    if (pad && find(stage->job->scheduler, stage->rdd, &found)) {
        spark_stage_info *info = &heard->info;
        heard->pad = pad;
        atomic_init(&heard->open, -1);
        pthread_mutex_init(&heard->lock, NULL);
        heard->sums.owns = true;
        info->id = stage->id;
        info->job = stage->job->id;
        info->is_result = !stage->shuffle;
        info->shuffle = stage->shuffle ? stage->shuffle->id : -1;
        info->tasks = tasks_of(stage);
        info->failure = "";
        fill_name(pad, info, stage);
        fill_rdds(pad, info, &found);
        fill_parents(pad, info, stage);
        if (spk_pad_whole(pad))
            stage->heard = heard;
    }
    free(found.at);
    if (stage->heard)
        return heard;
    spk_pad_unref(pad);
    free(heard);
    return NULL;
}

void spk_heard_stage_free(void *data)
{
    spk_heard_stage *heard = data;
    spk_pad_unref(heard->pad);
    spk_heard_sums_fini(&heard->sums);
    spk_rows_table_fini(&heard->rows);
    if (heard->profile)
        heard->profiling->free(heard->profile);
    pthread_mutex_destroy(&heard->lock);
    free(heard);
}

/* ---- what its attempts add up to */

/* take_profile: with the lock held. */
static void take_profile(const spk_bus *bus, const spk_stage *stage, const spark_task *task)
{
    spk_heard_stage *heard = stage->heard;
    const spk_profiling *profiling = atomic_load(&bus->profiling);
    spk_profile *profile = task->heard.notes->profile;
    if (!profile || !profiling || !stage->shuffle)
        return;
    heard->profiling = profiling;
    profiling->take(bus, &heard->profile, profile, task->partition, atomic_load(&stage->shuffle->maps));
}

void spk_stage_takes(
    const spk_bus *bus, const spk_stage *stage, const spark_task *task, bool well, spk_pad *pad, spark_task_info *info)
{
    spk_heard_stage *heard = stage->heard;
    const spk_notes *notes = task->heard.notes;
    pthread_mutex_lock(&heard->lock);
    spark_accumulable *list = notes->sums.n > 0 ? spk_heard_sums_tell(&notes->sums, &heard->sums, pad) : NULL;
    for (size_t i = 0; i < notes->counted.n; i++)
        spk_heard_sums_add(&heard->sums, &notes->counted.at[i]);
    for (size_t i = 0; i < notes->rows.n && well; i++)
        spk_rows_add(&heard->rows, &notes->rows.at[i]);
    if (well) {
        heard->rows.end_ns += notes->rows.end_ns;
        take_profile(bus, stage, task);
    }
    pthread_mutex_unlock(&heard->lock);
    info->accumulables = list;
    info->n_accumulables = list ? notes->sums.n : 0;
}

void spk_stage_tells(const spk_bus *bus, spk_heard_stage *heard, spk_pad *pad, spark_stage_info *info)
{
    pthread_mutex_lock(&heard->lock);
    info->accumulables = spk_heard_sums_tell(&heard->sums, NULL, pad);
    info->n_accumulables = info->accumulables ? heard->sums.n : 0;
    info->rows = spk_rows_tell(&heard->rows, pad);
    info->n_rows = info->rows ? heard->rows.n : 0;
    info->end_ns = heard->rows.end_ns;
    if (heard->profile)
        info->written = heard->profiling->tell(bus, heard->profile, pad);
    pthread_mutex_unlock(&heard->lock);
}
