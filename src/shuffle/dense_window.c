/* SPDX-License-Identifier: Apache-2.0 */
/* The accumulators of all keys as an array, to which rows are added as they come: no hash, no
 * sorting by slice, and no more rows are written than there are keys. It pays where a map
 * partition has more rows than a raw window holds, which the data decide.
 *
 * A sum of doubles needs no mark of the keys that are there: it begins at -0.0, to which adding
 * changes no value, and which no sum comes to but one of negative zeros; those are marked. */
#include "shuffle/dense_window.h"

#include "base/hash.h"
#include "shuffle/merge.h"

enum { MOST_BYTES = 8 * 1024 * 1024, RUN_BYTES = 1024 * 1024 };
#define NEGATIVE_ZERO (UINT64_C(1) << 63)

static bool is_plain(const spk_aggregator *a)
{
    return a->key->size == 8 && a->acc->size == 8 && a->out->size == 16
        && a->out->value_offset == 8;
}

static bool is_sum_f64(const spk_aggregator *a)
{
    return is_plain(a) && a->combine.def.op == SPARK_OP_SUM
        && a->acc->type->kind == SPARK_KIND_F64;
}

bool spk_dense_window_fits(const spk_shuffle *shuffle)
{
    const spk_aggregator *a = shuffle->aggregator;
    return a && a->start == SPK_START_VALUE && !a->acc->views
        && shuffle->partitioner->kind == SPK_BY_DENSE
        && shuffle->slices == spk_slices_for(shuffle->partitioner->partitions)
        && shuffle->partitioner->keys <= MOST_BYTES / (a->acc->size ? a->acc->size : 1);
}

bool spk_dense_window_open(spk_dense_window *w, spark_task *task, const spk_shuffle *shuffle)
{
    const spk_aggregator *a = shuffle->aggregator;
    const size_t keys = (size_t)shuffle->partitioner->keys, batch = spk_task_batch(task);
    *w = (spk_dense_window) { .task = task,
        .aggregator = a,
        .partitioner = shuffle->partitioner,
        .acc_size = a->acc->size };
    const size_t acc_bytes = (keys * w->acc_size + 63) / 64 * 64;
    const size_t target_bytes = batch * sizeof *w->targets;
    char *at = spk_heap_alloc(task->heap,
        acc_bytes + target_bytes + batch * w->acc_size + keys + 64, &w->capacity);
    if (!at) {
        spk_task_nomem(task);
        return false;
    }
    w->accs = at;
    w->targets = (void **)(void *)(at + acc_bytes);
    w->gathered = at + acc_bytes + target_bytes;
    w->present = (uint8_t *)w->gathered + batch * w->acc_size;
    memset(w->present, 0, keys);
    if (is_sum_f64(a))
        for (size_t k = 0; k < keys; k++)
            ((double *)(void *)w->accs)[k] = -0.0;
    return true;
}

void spk_dense_window_close(spk_dense_window *w)
{
    spk_heap_free(w->task->heap, w->accs, w->capacity);
    w->accs = NULL;
}

void spk_dense_stray(spark_task *task, const spark_partitioner *partitioner, uint64_t key)
{
    spk_task_fail(task, SPARK_ETASK, "key %lld is not one of 0 to %llu", (long long)key,
        (unsigned long long)partitioner->keys - 1);
}

static bool stray(spk_dense_window *w, uint64_t key)
{
    spk_dense_stray(w->task, w->partitioner, key);
    return false;
}

static bool add_f64(spk_dense_window *w, const char *rows, size_t n)
{
    double *sums = (double *)(void *)w->accs;
    const uint64_t keys = w->partitioner->keys;
    for (size_t i = 0; i < n; i++, rows += 16) {
        const uint64_t key = spk_load64(rows);
        double value;
        memcpy(&value, rows + 8, sizeof value);
        if (key >= keys)
            return stray(w, key);
        sums[key] += value;
        if (spk_load64(rows + 8) == NEGATIVE_ZERO)
            w->present[key] = 1;
    }
    return true;
}

/* add_any: the first value of a key becomes its accumulator, the others are merged. */
static bool add_any(spk_dense_window *w, const char *rows, size_t n)
{
    const spk_aggregator *a = w->aggregator;
    const size_t size = w->acc_size, step = a->out->size;
    size_t hits = 0;
    for (size_t i = 0; i < n; i++, rows += step) {
        const uint64_t key = spk_dense_key(a->key, rows);
        if (key >= w->partitioner->keys)
            return stray(w, key);
        char *acc = w->accs + key * size;
        if (!w->present[key]) {
            w->present[key] = 1;
            memcpy(acc, rows + a->out->value_offset, size);
            continue;
        }
        w->targets[hits] = acc;
        memcpy(w->gathered + hits++ * size, rows + a->out->value_offset, size);
    }
    if (hits)
        a->combine.def.run(w->task, hits, w->targets, w->gathered, size, a->combine.env);
    return !spk_task_failed(w->task);
}

bool spk_dense_window_add(spk_dense_window *w, const char *rows, size_t n)
{
    const size_t size = w->aggregator->out->size, batch = spk_task_batch(w->task);
    const bool sum = is_sum_f64(w->aggregator);
    for (size_t i = 0; i < n; i += batch) {
        const size_t some = n - i < batch ? n - i : batch;
        if (!(sum ? add_f64 : add_any)(w, rows + i * size, some))
            return false;
    }
    return true;
}

/* mark_f64: the keys whose sum says that they are there. */
static void mark_f64(spk_dense_window *w)
{
    const uint64_t *sums = (const uint64_t *)(const void *)w->accs;
    for (size_t k = 0; k < w->partitioner->keys; k++)
        w->present[k] |= sums[k] != NEGATIVE_ZERO;
}

static size_t count_present(const spk_dense_window *w, uint64_t first, uint64_t end)
{
    size_t n = 0;
    for (uint64_t k = first; k < end; k++)
        n += w->present[k];
    return n;
}

/* write_keys: the rows of the keys from `first` on, before `end`, that are there; returns the end
 * of the rows. */
static char *write_keys(const spk_dense_window *w, uint64_t first, uint64_t end, char *row)
{
    const spk_aggregator *a = w->aggregator;
    if (is_plain(a)) {
        for (uint64_t k = first; k < end; k++) {
            memcpy(row, &k, 8);
            memcpy(row + 8, w->accs + k * 8, 8);
            row += w->present[k] * 16;
        }
        return row;
    }
    for (uint64_t k = first; k < end; k++)
        if (w->present[k]) {
            memset(row, 0, a->out->size);
            spk_dense_key_put(a->key, row, k);
            memcpy(row + a->out->value_offset, w->accs + k * w->acc_size, w->acc_size);
            row += a->out->size;
        }
    return row;
}

/* write_slice: rows of the keys of slice s, from `row` on, and its end in the index. */
static char *write_slice(const spk_dense_window *w, spk_run *run, uint32_t s, char *row)
{
    const size_t size = w->aggregator->out->size;
    const char *start = row;
    if (run->offsets)
        run->offsets[s] = (uint32_t)((size_t)(row - run->rows) / size);
    row = write_keys(
        w, spk_dense_first(w->partitioner, s), spk_dense_first(w->partitioner, s + 1), row);
    if (!run->offsets && row > start)
        run->ends[run->n_ends++]
            = (spk_slice_end) { s, (uint32_t)((size_t)(row - run->rows) / size) };
    return row;
}

spk_run *spk_dense_window_seal(spk_dense_window *w, uint32_t slices, uint32_t *from)
{
    const size_t size = w->aggregator->out->size;
    const uint32_t first = *from;
    size_t n = 0;
    char *tail;
    if (first == 0 && is_sum_f64(w->aggregator))
        mark_f64(w);
    for (; *from < slices && n * size < RUN_BYTES; ++*from)
        n += count_present(w, spk_dense_first(w->partitioner, *from),
            spk_dense_first(w->partitioner, *from + 1));
    if (n == 0)
        return NULL;
    /* One row more: where the last key is not there, it is written all the same. */
    spk_run *run = spk_run_alloc(w->task->heap, n + 1, size, 0, slices, false, &tail);
    if (!run) {
        spk_task_nomem(w->task);
        return NULL;
    }
    for (uint32_t s = 0; run->offsets && s < first; s++)
        run->offsets[s] = 0;
    char *row = run->rows;
    for (uint32_t s = first; s < *from; s++)
        row = write_slice(w, run, s, row);
    for (uint32_t s = *from; run->offsets && s <= slices; s++)
        run->offsets[s] = (uint32_t)n;
    run->n = n;
    run->bytes = n * size;
    return run;
}
