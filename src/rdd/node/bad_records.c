/* SPDX-License-Identifier: Apache-2.0 */
/* Policies for bad records, and what was put aside as an RDD. A part is kept with the index of its
 * records; where they came from is found out when somebody reads it, by going up through what
 * neither adds nor drops elements. */
#include <stdlib.h>

#include "exec/bad.h"
#include "rdd/verb.h"

static spark_rdd *refuse(spark_rdd *rdd, spark_site at, const char *why)
{
    return spk_rdd_errorf(rdd->sc, SPARK_EINVAL, "onBadRecords", NULL, at, "%s", why);
}

static const char *complaint(const spark_rdd *rdd, const spark_bad_policy *policy)
{
    if (!policy)
        return "there is no policy";
    if ((unsigned)policy->mode > SPARK_BAD_ASIDE)
        return "there is no such mode";
    if (policy->max_count < 0 || !(policy->max_ratio >= 0 && policy->max_ratio <= 1))
        return "max_count must be 0, for no limit, or more; max_ratio 0 to 1";
    if (policy->mode == SPARK_BAD_FAIL && (policy->max_count > 0 || policy->max_ratio > 0))
        return "a limit needs a mode: SPARK_BAD_SKIP or SPARK_BAD_ASIDE";
    if (!rdd->class->by_element && !rdd->class->places)
        return "only what reads records, or calls a function for single elements, has bad ones";
    return NULL;
}

/* attach: false: there is one already, which somebody has asked for, or which has counted. */
static bool attach(spark_rdd *rdd, spk_bad *bad)
{
    pthread_mutex_lock(&rdd->sc->plan_lock);
    spk_bad *before = rdd->bad ? spk_bad_of(rdd) : NULL;
    const bool free = !before || (before->implied && before->n_ended == 0);
    if (free)
        rdd->bad = &bad->head;
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    if (free && before)
        before->head.release(&before->head);
    return free;
}

spark_rdd *spark_on_bad_records(spark_site at, spark_rdd *rdd, const spark_bad_policy *policy)
{
    spk_failure failure;
    spark_rdd *broken = spk_rdd_broken(rdd, "onBadRecords", at);
    if (broken)
        return broken;
    const char *why = complaint(rdd, policy);
    if (why)
        return refuse(rdd, at, why);
    if (policy->mode == SPARK_BAD_FAIL && !rdd->bad)
        return rdd;
    const spk_layout *kept = NULL;
    if (policy->mode == SPARK_BAD_ASIDE
        && !(kept = spk_layout_for(rdd->sc, SPARK_TYPE(spk_bad_kept), &failure)))
        return spk_rdd_error(rdd->sc, &failure);
    spk_bad *bad = spk_bad_new(rdd, policy, kept);
    if (!bad)
        return spk_rdd_errorf(rdd->sc, SPARK_ENOMEM, "onBadRecords", NULL, at, "out of memory");
    if (attach(rdd, bad))
        return rdd;
    bad->head.release(&bad->head);
    return refuse(rdd, at, "the RDD has a policy already");
}

int64_t spark_bad_count(const spark_rdd *rdd, int64_t *records)
{
    spk_bad *bad = rdd ? spk_bad_of(rdd) : NULL;
    if (records)
        *records = 0;
    if (!bad)
        return 0;
    pthread_mutex_lock(&bad->lock);
    const uint64_t n = bad->n;
    if (records)
        *records = (int64_t)bad->records;
    pthread_mutex_unlock(&bad->lock);
    return (int64_t)n;
}

/* ---- where records came from */

typedef struct origin {
    const spark_rdd *rdd; /* NULL: no source that knows */
    int partition;
    int64_t first, line; /* the record whose line is known; 0: none */
    char name[512];      /* of the source */
} origin;

/* find_origin: the source whose rows are the elements that the RDD's function gets, one for one; none where
 * the RDD is a source itself. */
static void find_origin(origin *o, spark_rdd *rdd, int partition)
{
    *o = (origin) { .rdd = NULL };
    if (rdd->class->places)
        return;
    spark_rdd *parent = rdd->deps[0].rdd;
    const int given = partition;
    for (rdd = parent;;) {
        int from = partition;
        if (spk_rdd_stored(rdd))
            break;
        if (rdd->class->choose)
            rdd = rdd->class->choose(rdd, partition, &from);
        else if (rdd->class->one_to_one && !rdd->bad)
            rdd = rdd->deps[0].rdd;
        else {
            o->rdd = rdd->class->where ? rdd : NULL;
            break;
        }
        partition = from;
    }
    o->partition = partition;
    const size_t n = sizeof o->name - 32;
    spk_rdd_describe(parent, o->name, n);
    snprintf(o->name + strlen(o->name), 32, ", partition %d", given);
}

/* locate: the source and the position of a record. Where one line is known, so are all. */
static void locate(spark_task *task, origin *o, int64_t index, spark_bad_row *row)
{
    spk_failure at = { .line = -1 };
    row->position = index;
    if (o->rdd && o->line == 0) {
        o->rdd->class->where(task->heap, o->rdd, o->partition, index, &at);
        snprintf(o->name, sizeof o->name, "%s", at.file);
        o->first = index;
        o->line = at.line > 0 ? at.line : 0;
    }
    if (o->rdd)
        row->position = o->line > 0 ? o->line + index - o->first : 0;
    const size_t length = strlen(o->name);
    char *name = spark_alloc(task, length + 1);
    if (name)
        row->source = (spark_str) { memcpy(name, o->name, length), length };
}

/* ---- the RDD of what was put aside */

static bool ignore(void *state, spk_batch batch)
{
    (void)state, (void)batch;
    return true;
}

/* part_of: the partition's, which is computed to its end where that has not happened yet. */
static const spk_bad_part *part_of(spark_task *task, spark_rdd *rdd, int partition)
{
    const spk_bad_part *part = spk_bad_part_of(spk_bad_of(rdd), partition);
    if (part || !spk_chain_run(task, rdd, partition, (spk_sink) { ignore, NULL }))
        return part;
    part = spk_bad_part_of(spk_bad_of(rdd), partition);
    if (!part)
        spk_task_fail(task, SPARK_EINVAL,
            "the partition was in memory before spark_on_bad_records was called");
    return part;
}

/* locate_all: of the records of a run that a source has put aside: their lines, in memory of the task. */
static const int64_t *locate_all(spark_task *task, const spark_rdd *rdd, int partition,
    const spk_run *run, const char **path)
{
    size_t capacity;
    const size_t n = (size_t)run->n;
    int64_t *lines = spk_arena_alloc(spk_keep_of(task), n * sizeof *lines, 16);
    int64_t *indexes = spk_heap_alloc(task->heap, n * sizeof *indexes, &capacity);
    if (!lines || !indexes) {
        spk_task_nomem(task);
        if (indexes)
            spk_heap_free(task->heap, indexes, capacity);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        spk_bad_kept kept;
        memcpy(&kept, run->rows + i * sizeof kept, sizeof kept);
        indexes[i] = kept.index;
        lines[i] = 0;
    }
    rdd->class->places(task->heap, rdd, partition, n, indexes, lines, path);
    spk_heap_free(task->heap, indexes, capacity);
    return lines;
}

static void bad_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    spark_task *task = pipe->task;
    spk_out out;
    origin o;
    const spk_bad_part *part = part_of(task, rdd->deps[0].rdd, partition);
    spk_arena *arenas = part ? spk_step_arenas(task) : NULL;
    if (!arenas || !spk_source_open(&out, pipe, sizeof(spark_bad_row), arenas))
        return;
    find_origin(&o, rdd->deps[0].rdd, partition);
    const spark_rdd *of = rdd->deps[0].rdd;
    for (const spk_run *run = part->kept.first; run && !out.head.closed; run = run->next) {
        const char *path = "";
        const int64_t *lines
            = of->class->places ? locate_all(task, of, partition, run, &path) : NULL;
        for (uint64_t i = 0; i < run->n && !out.head.closed && !spk_task_failed(task); i++) {
            spk_bad_kept kept;
            memcpy(&kept, run->rows + i * sizeof kept, sizeof kept);
            spark_bad_row row = { .record = kept.record, .reason = kept.reason };
            out.head.rows++;
            if (lines) {
                row.source = (spark_str) { path, strlen(path) }; /* of the node, which stays */
                row.position = lines[i];
            } else {
                locate(task, &o, kept.index, &row);
            }
            spark_emit_(&out.head, &row, sizeof row);
        }
    }
    spk_source_close(&out);
}

spark_rdd *spark_bad_records(spark_site at, spark_rdd *rdd)
{
    static const spk_class class = { .name = "BadRecordsRDD", .produce = bad_produce };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "badRecords", NULL, 1, &rdd, NULL);
    if (!v.bad && (!rdd->bad || !spk_bad_of(rdd)->kept))
        spk_verb_fail(&v, SPARK_EINVAL, "the RDD has no policy that puts bad records aside");
    return spk_verb_make(
        &v, &class, sizeof(spark_rdd), spk_verb_layout(&v, SPARK_TYPE(spark_bad_row)), &made);
}
