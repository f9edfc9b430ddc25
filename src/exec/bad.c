/* SPDX-License-Identifier: Apache-2.0 */
/* Counting bad records so that nothing can be seen of attempts. What is bad in a partition depends
 * on its records alone, so the first attempt that comes to the end of the partition says it for
 * all, like a cached block: whether the attempt is published, repeated, or made again after a loss
 * does not matter. Limits are of the sum over partitions: the attempt that would exceed one fails
 * and is not counted, and so do its repetitions, hence the job, in whatever order partitions
 * end. */
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

static void too_many(spark_task *task, uint64_t n, const char *of, const char *why)
{
    spk_task_fail(task, SPARK_ETASK,
        "%llu bad records%s: more than the policy of spark_on_bad_records allows%s%s",
        (unsigned long long)n, of, *why ? "; the last one: " : "", why);
}

bool spk_bad_put(
    spark_task *task, spk_bad_part *part, uint64_t index, spark_str record, const char *reason)
{
    const spark_bad_policy *policy = &part->of->policy;
    const spk_bad_kept row = { (int64_t)index, record, { reason, strlen(reason) } };
    part->n++;
    if (policy->max_count > 0 && part->n > (uint64_t)policy->max_count)
        too_many(task, part->n, " in this partition", reason);
    else if (part->of->kept && !spk_rows_append(&part->kept, (const char *)&row, 1))
        spk_task_nomem(task);
    if (spk_task_failed(task))
        spk_locate(task, (int64_t)index);
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

/* exceeds: whether the limits are kept with the part; with the lock held. */
static bool exceeds(const spk_bad *bad, const spk_bad_part *part)
{
    const spark_bad_policy *policy = &bad->policy;
    const uint64_t n = bad->n + part->n, records = bad->records + part->records;
    if (policy->max_count > 0 && n > (uint64_t)policy->max_count)
        return true;
    return policy->max_ratio > 0 && bad->n_ended + 1 == spk_rdd_partitions(bad->rdd) && n > 0
        && (double)n / (double)records > policy->max_ratio; /* rounded as who wrote it does */
}

void spk_bad_end(spark_task *task, spk_bad_part *part, uint64_t records)
{
    spk_bad *bad = part->of;
    char of[64];
    part->records = records;
    pthread_mutex_lock(&bad->lock);
    const bool first = !bad->parts || !bad->parts[part->partition];
    const bool too = first && exceeds(bad, part);
    const uint64_t n = bad->n + part->n;
    snprintf(of, sizeof of, " of %llu so far", (unsigned long long)(bad->records + records));
    const bool good = !first || too || adopt(bad, part);
    pthread_mutex_unlock(&bad->lock);
    if (too)
        too_many(task, n, of, "");
    else if (!good)
        spk_task_nomem(task);
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
    spk_bad_end(task, op->bad, op->seen);
    task->op = outer;
}

spk_bad *spk_bad_new(const spark_rdd *rdd, const spark_bad_policy *policy, const spk_layout *kept)
{
    spk_bad *bad = calloc(1, sizeof *bad);
    if (!bad)
        return NULL;
    bad->head = (spk_bad_head) { release, open_step, end_step };
    bad->policy = *policy;
    bad->rdd = rdd;
    bad->kept = kept;
    pthread_mutex_init(&bad->lock, NULL);
    return bad;
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
        memcpy(&text, task->at_row, sizeof text);
    } else {
        text.len = spark_print(type, task->at_row, NULL, 0);
        text.ptr = printed = malloc(text.len + 1);
        if (!printed) {
            spk_task_nomem(task);
            return;
        }
        spark_print(type, task->at_row, printed, text.len);
    }
    spk_bad_put(task, op->bad, (uint64_t)task->at, text, reason);
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
    if (!op || !op->bad || task->at_op != op)
        spark_fail(task, "bad record: %s", reason);
    else if (!task->at_is_bad && !spk_task_failed(task))
        put_element(task, op, reason);
    task->at_is_bad = true;
}
