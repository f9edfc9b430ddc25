/* SPDX-License-Identifier: Apache-2.0 */
/* Counting bad records so that nothing can be seen of attempts. What is bad in a partition depends
 * on its records alone, so the first attempt that comes to the end of the partition says it for
 * all, like a cached block: whether the attempt is published, repeated, or made again after a loss
 * does not matter. Limits are of the sum over partitions: once it exceeds one, every partition that ends
 * fails, for good, and so the job, in whatever order they end; what was found is counted and kept. */
#include "exec/bad.h"

#include <stdarg.h>
#include <stdlib.h>

/* ---- parts */

static void fini_part(void *data)
{
    spk_rows_fini(&((spk_bad_part *)data)->kept);
}

spk_bad_part *spk_bad_open(spark_task *task, spk_bad *bad, int partition)
{
    spk_bad_part *part = spk_arena_alloc(spk_keep_of(task), sizeof *part, 16);
    if (!part) {
        spk_task_nomem(task);
        return NULL;
    }
    *part = (spk_bad_part) { .of = bad, .partition = partition };
    if (!bad->kept)
        return part;
    spk_rows_init(&part->kept, &task->sc->heap, bad->kept); /* it outlives all executors */
    spark_defer(task, fini_part, part);
    return spk_task_failed(task) ? NULL : part;
}

bool spk_bad_put(
    spark_task *task, spk_bad_part *part, uint64_t index, spark_str record, const char *reason)
{
    const spk_bad_kept row = { (int64_t)index, record, { reason, strlen(reason) } };
    if (part->n++ == 0) {
        part->first = index;
        snprintf(part->why, sizeof part->why, "%s", reason);
    }
    if (part->of->kept && !spk_rows_append(&part->kept, (const char *)&row, 1)) {
        spk_task_nomem(task);
        spk_locate(task, (int64_t)index);
    }
    return !spk_task_failed(task);
}

/* adopt: with the lock held: the part becomes the node's. False: no memory. */
static bool adopt(spk_bad *bad, spk_bad_part *part)
{
    spk_bad_part *own = malloc(sizeof *own);
    if (own && !bad->parts) {
        bad->n_parts = spk_rdd_partitions(bad->rdd);
        bad->parts = calloc((size_t)bad->n_parts, sizeof(spk_bad_part *));
    }
    if (!own || !bad->parts) {
        free(own);
        return false;
    }
    *own = *part;
    if (bad->kept)
        spk_rows_init(&part->kept, own->kept.heap, own->kept.layout);
    bad->parts[part->partition] = own;
    bad->n_ended++;
    bad->records += part->records;
    bad->n += part->n;
    return true;
}

/* totals: of all parts so far. */
typedef struct totals {
    uint64_t n, records;
    bool all; /* partitions */
} totals;

/* exceed: whether they are more than the limits. */
static bool exceed(const spark_bad_policy *policy, const totals *t)
{
    if (policy->max_count > 0 && t->n > (uint64_t)policy->max_count)
        return true;
    return policy->max_ratio > 0 && t->all && t->n > 0
        && (double)t->n / (double)t->records > policy->max_ratio; /* rounded as who wrote it does */
}

static void too_many(spark_task *task, const spk_bad_part *part, const totals *t)
{
    const spark_bad_policy *policy = &part->of->policy;
    char limit[60];
    if (policy->max_count > 0 && t->n > (uint64_t)policy->max_count)
        snprintf(limit, sizeof limit, "max_count is %lld", (long long)policy->max_count);
    else
        snprintf(limit, sizeof limit, "max_ratio is %g", policy->max_ratio);
    spk_task_fail(task, SPARK_ETASK,
        "%llu of %llu records%s are bad (%.3g), and %s (spark_on_bad_records)%s%s",
        (unsigned long long)t->n, (unsigned long long)t->records, t->all ? "" : " so far",
        (double)t->n / (double)t->records, limit, part->n > 0 ? "; the first one of this partition: " : "",
        part->why);
    task->fate.hopeless = true;
}

bool spk_bad_end(spark_task *task, spk_bad_part *part, uint64_t records)
{
    spk_bad *bad = part->of;
    part->records = records;
    pthread_mutex_lock(&bad->lock);
    const bool first = !bad->parts || !bad->parts[part->partition];
    const bool good = !first || adopt(bad, part);
    const totals t
        = { bad->n, bad->records, good && bad->n_ended == spk_rdd_partitions(bad->rdd) };
    pthread_mutex_unlock(&bad->lock);
    if (!good)
        spk_task_nomem(task);
    else if (exceed(&bad->policy, &t)) {
        too_many(task, part, &t);
        return false;
    }
    return true;
}

const spk_bad_part *spk_bad_part_of(spk_bad *bad, int partition)
{
    pthread_mutex_lock(&bad->lock);
    const spk_bad_part *part = bad->parts ? bad->parts[partition] : NULL;
    pthread_mutex_unlock(&bad->lock);
    return part;
}

/* ---- of a node */

static void release(spk_bad_head *head)
{
    spk_bad *bad = (spk_bad *)(void *)head;
    for (int p = 0; bad->parts && p < bad->n_parts; p++) {
        if (bad->parts[p] && bad->kept)
            spk_rows_fini(&bad->parts[p]->kept);
        free(bad->parts[p]);
    }
    free(bad->parts);
    pthread_mutex_destroy(&bad->lock);
    free(bad);
}

static bool open_step(spark_task *task, spk_op *op)
{
    op->bad = spk_bad_open(task, spk_bad_of(op->rdd), op->partition);
    return op->bad != NULL;
}

static void end_step(spark_task *task, const spk_op *op)
{
    const spk_op *outer = task->op;
    task->op = op;
    if (!spk_bad_end(task, op->bad, op->seen) && op->bad->n > 0)
        spk_locate(task, (int64_t)op->bad->first);
    task->op = outer;
}

/* ---- of a source, which has no step: the place is said here */

static spk_bad_part *begin_source(spark_task *task, spk_bad_head *head, int partition)
{
    return spk_bad_open(task, (spk_bad *)(void *)head, partition);
}

static void finish_source(spark_task *task, spk_bad_part *part, uint64_t good)
{
    const spark_rdd *rdd = part->of->rdd;
    const int64_t index = (int64_t)part->first;
    const char *path = NULL;
    int64_t line = 0;
    if (spk_bad_end(task, part, good + part->n) || part->n == 0 || !rdd->class->places)
        return;
    rdd->class->places(task->heap, rdd, part->partition, 1, &index, &line, &path);
    if (path)
        spk_failure_in(&task->failure, path, line > 0 ? line : -1);
}

spk_bad *spk_bad_new(const spark_rdd *rdd, const spark_bad_policy *policy, const spk_layout *kept)
{
    spk_bad *bad = calloc(1, sizeof *bad);
    if (!bad)
        return NULL;
    bad->head = (spk_bad_head) { release, open_step, end_step, begin_source, spk_bad_put, finish_source };
    bad->policy = *policy;
    bad->rdd = rdd;
    bad->kept = kept;
    pthread_mutex_init(&bad->lock, NULL);
    return bad;
}

bool spk_bad_imply(spark_rdd *rdd)
{
    spk_bad *bad = spk_bad_new(rdd, &(spark_bad_policy) { .mode = SPARK_BAD_SKIP }, NULL);
    if (!bad)
        return false;
    bad->implied = true;
    rdd->bad = &bad->head;
    return true;
}

/* ---- what functions call */

/* put_element: the one that the function was given, which is printed unless it is a text. */
static void put_element(spark_task *task, const spk_op *op, const char *reason)
{
    const spk_layout *layout = op->rdd->deps[0].rdd->layout;
    const spark_type *type = layout->type;
    spark_str text = { NULL, 0 };
    char *printed = NULL;
    if (!op->bad->of->kept) {
        ;
    } else if (type->kind == SPARK_KIND_STR || type->kind == SPARK_KIND_BYTES) {
        memcpy(&text, task->at.row, sizeof text);
    } else {
        text.len = spark_print(type, task->at.row, NULL, 0);
        text.ptr = printed = malloc(text.len + 1);
        if (!printed) {
            spk_task_nomem(task);
            return;
        }
        spark_print(type, task->at.row, printed, text.len);
    }
    spk_bad_put(task, op->bad, (uint64_t)task->at.element, text, reason);
    free(printed);
}

void spark_bad_record(spark_task *task, const char *format, ...)
{
    char reason[512];
    const spk_op *op = task->op;
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (!op || !op->bad || task->at.op != op)
        spark_fail(task, "bad record: %s", reason);
    else if (!task->at.is_bad && !spk_task_failed(task))
        put_element(task, op, reason);
    task->at.is_bad = true;
}
