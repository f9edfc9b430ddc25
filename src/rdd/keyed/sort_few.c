/* SPDX-License-Identifier: Apache-2.0 */
#include "rdd/keyed/sort_few.h"

#include <stdlib.h>

#include "exec/drained.h"
#include "rdd/replace.h"
#include "rdd/verb.h"
#include "shuffle/ranges.h"
#include "shuffle/reduce.h"

/* few_rdd: rows side by side, and behind them what they point to. */
typedef struct few_rdd {
    spark_rdd rdd;
    const spark_rdd *sorted; /* whose rows they are, and which holds this one */
    char *rows;
    size_t n, bytes, capacity;
    char *to, *tail; /* while it is filled: where the next ones go */
} few_rdd;

void spk_kept_open(spk_kept *kept, spk_few *few, spk_store *store, const spk_layout *layout)
{
    *kept = (spk_kept) { .few = few };
    spk_tape_init(&kept->tape, store, layout);
}

void spk_kept_close(spk_kept *kept)
{
    if (!kept->few)
        return;
    atomic_fetch_sub_explicit(&kept->few->bytes, kept->bytes, memory_order_relaxed);
    spk_tape_fini(&kept->tape);
    *kept = (spk_kept) { .few = NULL };
}

bool spk_kept_take(spk_kept *kept, spark_task *task, spk_batch batch)
{
    const spk_layout *layout = kept->tape.rows.layout;
    uint64_t bytes = batch.n * layout->size;
    for (size_t i = 0; layout->views && i < batch.n; i++)
        bytes += spk_value_bytes(layout, batch.rows + i * layout->size);
    kept->bytes += bytes;
    const uint64_t all = atomic_fetch_add_explicit(&kept->few->bytes, bytes, memory_order_relaxed) + bytes;
    return all <= SPK_FEW_BYTES * SPK_FEW_TIMES && spk_drain(task, &kept->tape, batch.rows, batch.n);
}

spark_status spk_kept_read(
    const spk_kept *kept, bool (*take)(void *arg, spk_batch batch), void *arg, spk_failure *failure)
{
    spk_tape_reader reader = spk_tape_read(&kept->tape);
    const char *rows;
    size_t n = 0;
    spark_status status;
    while ((status = spk_tape_next(&reader, &rows, &n, failure)) == SPARK_OK && n) {
        char *at;
        memcpy(&at, &rows, sizeof at); /* which nobody writes to */
        if (!take(arg, (spk_batch) { at, n })) {
            status = spk_failure_nomem(failure, NULL, NULL);
            break;
        }
    }
    spk_tape_reader_fini(&reader);
    return status;
}

static void produce_few(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const few_rdd *f = SPK_NODE(few_rdd, rdd);
    (void)partition;
    pipe->at.rdd = f->sorted; /* which listeners know */
    (void)spk_push_rows(pipe, f->rows, f->n, rdd->layout->size);
}

static void release_few(spark_rdd *rdd)
{
    few_rdd *f = SPK_NODE(few_rdd, rdd);
    if (f->rows)
        spk_heap_free(&rdd->sc->heap, f->rows, f->capacity);
}

static bool add_rows(void *arg, spk_batch batch)
{
    few_rdd *f = arg;
    const spk_layout *layout = f->rdd.layout;
    memcpy(f->to, batch.rows, batch.n * layout->size);
    for (size_t i = 0; layout->views && i < batch.n; i++)
        f->tail = spk_value_pack(layout, f->to + i * layout->size, f->tail);
    f->to += batch.n * layout->size;
    return true;
}

/* gather: all rows, in their order, then sorted. False: not enough memory, or a disk has failed. */
static bool gather(few_rdd *f, const spk_kept *kept, size_t step, int n, const spk_ordering *ordering)
{
    enum { ALIGN = 64 };
    spk_heap *heap = &f->rdd.sc->heap;
    const char *at = (const char *)kept;
    bool good = true;
    for (int i = 0; i < n; i++) {
        const spk_kept *k = (const spk_kept *)(const void *)(at + (size_t)i * step);
        f->n += k->tape.n;
        f->bytes += k->bytes;
    }
    f->to = f->rows = spk_heap_alloc(heap, f->bytes + ALIGN, &f->capacity);
    if (!f->rows)
        return false;
    f->tail = f->rows + (f->n * f->rdd.layout->size + ALIGN - 1) / ALIGN * ALIGN;
    for (int i = 0; i < n && good; i++) {
        spk_failure failure;
        good = spk_kept_read((const spk_kept *)(const void *)(at + (size_t)i * step), add_rows, f, &failure) == SPARK_OK;
    }
    return good && spk_sort_rows(heap, ordering, f->rows, f->n);
}

void spk_few_sort(const spk_kept *kept, size_t step, int n, spark_rdd *sorted, const spk_ordering *ordering)
{
    static const spk_class class = { .name = "SortedRDD", .produce = produce_few, .release = release_few };
    spk_cut *cut = malloc(sizeof *cut);
    spark_rdd *reader = cut ? spk_rdd_reader_of(sorted, &class, sizeof(few_rdd), sorted->operation, sorted->site) : NULL;
    if (reader && gather(SPK_NODE(few_rdd, reader), kept, step, n, ordering)) {
        SPK_NODE(few_rdd, reader)->sorted = sorted;
        reader->planned = 1;
        spk_rdd_partitions_set(reader, 1);
        spk_rdd_ref(sorted);
        if (spk_rdd_replace(sorted, SPK_NO_CHECKPOINT, cut, reader))
            return;
        spk_rdd_unref(sorted); /* it is to be written to files */
    }
    free(cut);
    if (reader)
        spk_rdd_unref(reader);
}
