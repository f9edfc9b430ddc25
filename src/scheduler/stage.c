/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a lineage into stages: from a node up its narrow edges, every wide edge is a parent
 * stage. An explicit stack stands for the recursion, over nodes and over stages; nodes seen are
 * marked, since a diamond would be walked exponentially often, and stages are found in a table. A
 * shuffle that is complete ends the walk, as in Spark's getMissingParentStages: its stage is made,
 * for it may be needed again, but not cut. */
#include "base/small.h"

#include "scheduler/stage.h"

#include <assert.h>
#include <stdlib.h>

#include "plan/listening.h"

static bool all_cached(const spark_rdd *rdd)
{
    return atomic_load(&rdd->level) != 0 && spk_rdd_partitions(rdd) > 0
        && spk_blocks_present(rdd->blocks) == spk_rdd_partitions(rdd);
}

/* find_inputs: the shuffles that the stage of this node reads; anew: also if all its blocks are there. */
static bool find_inputs(
    struct spk_scheduler *scheduler, spark_rdd *rdd, bool anew, spk_list *inputs)
{
    const uint64_t mark = ++scheduler->mark;
    spk_list nodes = { NULL, 0, 0 };
    bool good = spk_list_add(&nodes, rdd);
    while (good && nodes.n > 0) {
        spark_rdd *node = nodes.at[--nodes.n];
        if (node->mark == mark)
            continue;
        node->mark = mark;
        if ((all_cached(node) && !(anew && node == rdd)) || spk_rdd_stored(node))
            continue;
        for (uint32_t i = 0; i < node->n_deps && good; i++)
            good = node->deps[i].shuffle ? spk_list_add(inputs, node->deps[i].shuffle)
                                         : spk_list_add(&nodes, node->deps[i].rdd);
    }
    free(nodes.at);
    return good;
}

bool spk_stage_cut(spk_stage *stage)
{
    spk_list inputs = { NULL, 0, 0 };
    if (stage->cut)
        return true;
    const size_t room = (size_t)(stage->room ? stage->room : 1);
    const size_t attempts = stage->job->scheduler->sc->speculation.on ? 2 : 1; /* of a task at once */
    if (!stage->partitions)
        stage->partitions = calloc(room, (1 + 2 * attempts) * sizeof(int) + 4);
    bool good = stage->partitions && find_inputs(stage->job->scheduler, stage->rdd,
                                        !stage->shuffle && stage->job->properties.alone, &inputs);
    if (good && inputs.n > 0)
        good = (stage->graph.inputs = calloc(inputs.n, sizeof *stage->graph.inputs)) != NULL;
    if (good) {
        stage->loss.tasks = stage->partitions + room;
        stage->set.retries = stage->loss.tasks + attempts * room;
        stage->failures = (uint8_t *)(stage->set.retries + attempts * room);
        stage->killed = stage->failures + room;
        stage->attempts = (_Atomic uint8_t *)(stage->killed + room);
        stage->done = stage->attempts + room;
        stage->graph.n_inputs = inputs.n;
        for (size_t i = 0; i < inputs.n; i++)
            stage->graph.inputs[i] = (spk_stage_input) { .shuffle = inputs.at[i], .reader = stage };
        stage->cut = true;
    } else {
        free(stage->graph.inputs);
        stage->graph.inputs = NULL;
    }
    free(inputs.at);
    return stage->cut;
}

static spk_stage *new_stage(spk_job *job, spk_shuffle *shuffle)
{
    spk_stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return NULL;
    assert(!shuffle || atomic_load(&shuffle->maps) >= 0);
    stage->job = job;
    stage->shuffle = shuffle;
    stage->rdd = shuffle ? shuffle->parent : job->rdd;
    stage->set.run = spk_attempt_run;
    stage->room = shuffle ? shuffle->maps : job->n;
    if (spk_stage_complete(stage) || spk_stage_cut(stage))
        return stage;
    spk_stage_free(stage);
    return NULL;
}

void spk_stage_free(spk_stage *stage)
{
    free(atomic_load(&stage->suspects));
    free(stage->partitions);
    free(stage->graph.inputs);
    spk_exclude_forget(stage);
    if (stage->heard)
        spk_heard_by(stage->job->scheduler->sc)->stage_freed(stage->heard);
    free(stage->places);
    free(stage->pace.times);
    free(stage);
}

/* ---- the table: open addressing, at most half full, by the numbers of shuffles */

enum { FEW_STAGES = 8 };

static size_t slot_of(const spk_job *job, const spk_shuffle *shuffle)
{
    const uint32_t number = shuffle ? (uint32_t)shuffle->id + 1 : 0;
    size_t i = (number * UINT32_C(2654435769) >> 7) & (job->n_table - 1);
    while (job->table[i] && job->table[i]->shuffle != shuffle)
        i = (i + 1) & (job->n_table - 1);
    return i;
}

spk_stage *spk_stage_of(const spk_job *job, const spk_shuffle *shuffle)
{
    if (job->table)
        return job->table[slot_of(job, shuffle)];
    for (size_t i = 0; i < job->n_stages; i++)
        if (job->stages[i]->shuffle == shuffle)
            return job->stages[i];
    return NULL;
}

/* widen: room for one more stage, in the list and in the table. */
static bool widen(spk_job *job)
{
    if (job->n_stages < job->max_stages)
        return true;
    const size_t max = job->max_stages ? job->max_stages * 2 : FEW_STAGES;
    spk_stage **stages = realloc(job->stages, max * sizeof *stages);
    if (!stages)
        return false;
    job->stages = stages;
    if (max > FEW_STAGES) {
        spk_stage **table = calloc(2 * max, sizeof *table);
        if (!table)
            return false;
        free(job->table);
        job->table = table;
        job->n_table = 2 * max;
        for (size_t i = 0; i < job->n_stages; i++)
            table[slot_of(job, stages[i]->shuffle)] = stages[i];
    }
    job->max_stages = max;
    return true;
}

/* adopt: the stage gets its number and belongs to the job. */
static bool adopt(spk_job *job, spk_stage *stage)
{
    if (!widen(job))
        return false;
    stage->id = atomic_fetch_add(&job->scheduler->next_stage, 1);
    stage->position = (int)job->n_stages;
    stage->set.order = (uint64_t)job->id << 32 | (uint32_t)stage->id;
    job->stages[job->n_stages++] = stage;
    if (job->table)
        job->table[slot_of(job, stage->shuffle)] = stage;
    return true;
}

/* next_input: one that has no stage yet; NULL: all have. */
static spk_shuffle *next_input(const spk_job *job, spk_stage *stage)
{
    for (; stage->graph.n_seen < stage->graph.n_inputs; stage->graph.n_seen++)
        if (!spk_stage_of(job, stage->graph.inputs[stage->graph.n_seen].shuffle))
            return stage->graph.inputs[stage->graph.n_seen].shuffle;
    return NULL;
}

spk_stage *spk_stage_make(spk_job *job, spk_shuffle *shuffle)
{
    spk_list open = { NULL, 0, 0 };
    spk_stage *stage = spk_stage_of(job, shuffle);
    if (stage)
        return stage;
    stage = new_stage(job, shuffle);
    bool good = stage && spk_list_add(&open, stage);
    if (stage && !good)
        spk_stage_free(stage);
    while (good && open.n > 0) {
        spk_stage *top = open.at[open.n - 1];
        spk_shuffle *input = next_input(job, top);
        if (input) {
            spk_stage *next = new_stage(job, input);
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

void spk_stage_note(spk_stage *stage)
{
    spk_job *job = stage->job;
    if (stage->noted)
        return;
    stage->noted = true;
    stage->next_noted = NULL;
    if (job->first_noted)
        job->last_noted->next_noted = stage;
    else
        job->first_noted = stage;
    job->last_noted = stage;
    spk_job_changed(job);
}
