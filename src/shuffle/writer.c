/* SPDX-License-Identifier: Apache-2.0 */
/* Windows sealed into runs. A combining window is a table; when it has taken fewer than 1.25 rows
 * for each key, combining does not pay and the next 32 windows are raw: rows as they come. Sealing
 * is a stable counting sort by slice into one allocation, strings behind the rows in the same
 * order.
 *
 * Nothing here may depend on memory, threads or batches: what a window holds shapes the result. */
#include "shuffle/writer.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/prefetch.h"
#include "plan/listening.h"
#include "shuffle/ranges.h"
#include "shuffle/scatter.h"
#include "storage/parcel.h"

enum {
    WINDOW_KEYS = 65536,
    WINDOW_BYTES = 4 * 1024 * 1024,
    SPLIT_BYTES = 1024 * 1024, /* of the windows of a shard that is split */
    RAW_WINDOWS = 32,
    PIECE = 1024,
    PACK_AHEAD = 12 /* rows */
};

static bool reserve(spk_heap *heap, void *slot, size_t *capacity, size_t want)
{
    size_t got;
    void *old, *block;
    if (want <= *capacity)
        return true;
    if (!(block = spk_heap_alloc(heap, want, &got)))
        return false;
    memcpy(&old, slot, sizeof old);
    spk_heap_free(heap, old, *capacity);
    memcpy(slot, &block, sizeof block);
    *capacity = got;
    return true;
}

static const spk_layout *row_of(const spk_writer *w)
{
    return w->shuffle->row;
}

/* first_turn: where map partition m starts to deal: what java.util.Random, seeded with Spark's
 * byteswap32(m), gives as nextInt(n). */
static uint32_t first_turn(uint32_t m, uint32_t n)
{
    const uint64_t multiplier = UINT64_C(0x5deece66d), mask = (UINT64_C(1) << 48) - 1;
    const uint32_t mixed = m * UINT32_C(0x9e3775cd);
    const int32_t seed = (int32_t)(__builtin_bswap32(mixed) * UINT32_C(0x9e3775cd));
    uint64_t state = ((uint64_t)(int64_t)seed ^ multiplier) & mask;
    for (;;) {
        state = (state * multiplier + 0xb) & mask;
        const uint32_t bits = (uint32_t)(state >> 17);
        if ((n & (n - 1)) == 0)
            return (uint32_t)((uint64_t)n * bits >> 31);
        if (bits - bits % n <= (UINT32_C(1) << 31) - n)
            return bits % n;
    }
}

static bool open_output(spk_writer *w)
{
    spark_task *task = w->task;
    w->total = w->partitions * w->slices;
    spk_arena_init(&w->raw.strings, task->heap);
    w->output = spk_map_output_new(task->heap);
    if (!w->output
        || !reserve(task->heap, &w->places.counts, &w->places.counts_capacity, (w->total + (size_t)1) * 4)) {
        spk_writer_discard(w);
        spk_task_nomem(task);
        return false;
    }
    w->judged = !spk_table_is_dear(row_of(w));
    w->early = !w->carry && !w->may_be_dense;
    w->output->store = w->private ? NULL : task->store;
    w->tail = &w->output->runs;
    return true;
}

static bool costly_hash(const spk_shuffle *shuffle)
{
    return !spk_hash_is_cheap(shuffle->key);
}

bool spk_writer_open(spk_writer *w, spark_task *task, const spk_shuffle *shuffle, bool private)
{
    *w = (spk_writer) { .task = task,
        .shuffle = shuffle,
        .slices = shuffle->slices,
        .private = private,
        .window_bytes = WINDOW_BYTES };
    w->partitions = private ? 1
        : shuffle->ranges   ? shuffle->ranges->n / w->slices
                            : (uint32_t)shuffle->partitioner->partitions; /* known by now */
    w->combining = shuffle->aggregator && !shuffle->raw;
    const bool dealt
        = !shuffle->ranges && !private && shuffle->partitioner->kind == SPK_BY_POSITION;
    if (dealt)
        w->turn = (first_turn((uint32_t)task->partition, w->partitions) + 1) % w->partitions;
    w->carry = !shuffle->ranges && !dealt && costly_hash(shuffle);
    w->may_be_dense = shuffle->raw && !private && spk_dense_window_fits(shuffle);
    return open_output(w);
}

bool spk_writer_split(spk_writer *w, spark_task *task, const spk_shuffle *shuffle, uint32_t slices,
    const spk_parting *parting)
{
    *w = (spk_writer) { .task = task,
        .shuffle = shuffle,
        .parting = parting,
        .slices = slices,
        .partitions = 1,
        .private = true,
        .carry = !parting->ranges && costly_hash(shuffle),
        .window_bytes = SPLIT_BYTES };
    return open_output(w);
}

static void free_buffers(spk_writer *w)
{
    spk_heap *heap = w->task->heap;
    spk_task_peak(w->task, w->raw.capacity + w->raw.hashes_capacity + w->places.ids_capacity
            + w->places.counts_capacity + w->places.lines_capacity);
    if (w->has_combiner)
        spk_combiner_close(&w->combiner);
    w->has_combiner = false;
    if (w->has_dense)
        spk_dense_window_close(&w->dense);
    w->has_dense = false;
    spk_arena_fini(&w->raw.strings);
    spk_heap_free(heap, w->raw.rows, w->raw.capacity);
    spk_heap_free(heap, w->raw.hashes, w->raw.hashes_capacity);
    spk_heap_free(heap, w->places.ids, w->places.ids_capacity);
    spk_heap_free(heap, w->places.counts, w->places.counts_capacity);
    spk_heap_free(heap, w->places.lines, w->places.lines_capacity);
}

void spk_writer_discard(spk_writer *w)
{
    free_buffers(w);
    spk_map_output_free(w->output);
    w->output = NULL;
}

/* ---- sealing */

/* place_by_function: partitions by the user's partitioner, for a piece of rows. */
static bool place_by_function(spk_writer *w, const char *rows, size_t n, uint32_t *ids)
{
    const spark_partitioner *p = w->shuffle->partitioner;
    w->task->sums.role = SPK_PARTITIONER;
    p->def.run(w->task, n, rows, row_of(w)->size, w->partitions, ids, p->env.value);
    w->task->sums.role = SPK_MAIN;
    for (size_t i = 0; i < n; i++)
        if (ids[i] >= w->partitions) {
            spk_task_fail(w->task, SPARK_ETASK, "partitioner %s gave partition %u of %u",
                p->def.name, ids[i], w->partitions);
            return false;
        }
    return !spk_task_failed(w->task);
}

/* scaled: the upper half of the hash onto 0 .. n - 1. Partitions are runs of slices, so scaling
 * onto all slices at once gives both. */
static inline uint32_t scaled(uint64_t hash, uint64_t n)
{
    return (uint32_t)((hash >> 32) * n >> 32);
}

/* place_dense: keys 0 to k - 1 onto all slices in their order; see spk_dense_scale. */
static bool place_dense(spk_writer *w, const char *rows, size_t n, uint32_t *ids)
{
    const spark_partitioner *p = w->shuffle->partitioner;
    const size_t size = row_of(w)->size;
    const uint64_t scale = spk_dense_scale(p);
    const int fewer = __builtin_ctz(spk_slices_for(p->partitions) / w->slices);
    const int shift = spk_dense_shift(p) + fewer;
    const uint32_t mask = w->private ? w->slices - 1 : UINT32_MAX;
    const bool wide = w->shuffle->key->key_class == SPK_KEY_8;
    for (size_t i = 0; i < n; i++) {
        const char *row = rows + i * size;
        const uint64_t key = wide ? spk_load64(row) : spk_dense_key(w->shuffle->key, row);
        if (key >= p->keys) {
            spk_dense_stray(w->task, p, key);
            return false;
        }
        ids[i] = (uint32_t)(key * scale >> shift) & mask;
    }
    return true;
}

/* place_in_partition: a partition, then the slice in it by the hash. */
static bool place_in_partition(
    spk_writer *w, const char *rows, size_t n, const uint64_t *hashes, uint32_t *ids)
{
    const spark_partitioner *p = w->shuffle->partitioner;
    if (w->private) {
        memset(ids, 0, n * sizeof *ids);
    } else if (p->kind == SPK_BY_RANGE) {
        spk_ranges_find(p->ranges, rows, row_of(w)->size, n, ids);
        for (size_t i = 0; i < n; i++)
            ids[i] /= p->ranges->slices;
    } else if (!place_by_function(w, rows, n, ids)) {
        return false;
    }
    for (size_t i = 0; i < n; i++)
        ids[i] = ids[i] * w->slices + scaled(hashes[i], w->slices);
    return true;
}

/* place_parting: the slices of rows of a shard that is split. By the hash: by the next eight bits of
 * another product of it, which nothing else looks at. */
static void place_parting(
    spk_writer *w, const char *rows, size_t n, const uint64_t *hashes, uint32_t *ids)
{
    const spk_ranges *r = w->parting->ranges;
    const size_t size = row_of(w)->size;
    if (!r) {
        const unsigned shift = 56 - 8 * w->parting->level;
        for (size_t i = 0; i < n; i++)
            ids[i] = (uint32_t)((hashes[i] * UINT64_C(0xff51afd7ed558ccd)) >> shift & 0xff)
                & (w->slices - 1);
        return;
    }
    spk_ranges_find(r, rows, size, n, ids);
    for (size_t i = 0; i < n; i++) {
        const char *bound = r->bounds + ids[i] * (size_t)r->keys.layout->size;
        const bool equal = ids[i] < r->n_bounds
            && spk_ordering_compare_key(&r->keys, bound, &r->ordering, rows + i * size) == 0;
        ids[i] = 2 * ids[i] + equal;
    }
}

/* place_piece: the slices of a few rows. hashes: of them, or NULL where they are cheap. */
static bool place_piece(
    spk_writer *w, const char *rows, size_t n, const uint64_t *hashes, uint32_t *ids)
{
    const spark_partitioner *p = w->shuffle->partitioner;
    uint64_t room[PIECE];
    if (w->parting && w->parting->ranges) {
        place_parting(w, rows, n, NULL, ids);
        return true;
    }
    if (w->shuffle->ranges) {
        spk_ranges_find(w->shuffle->ranges, rows, row_of(w)->size, n, ids);
        return true;
    }
    if (!w->parting && p->kind == SPK_BY_POSITION) {
        for (size_t i = 0; i < n; i++) {
            ids[i] = w->turn;
            w->turn = w->turn + 1 < w->partitions ? w->turn + 1 : 0;
        }
        return true;
    }
    if (!w->parting && p->kind == SPK_BY_DENSE)
        return place_dense(w, rows, n, ids);
    if (!hashes) {
        spk_hash_keys(w->shuffle->key, rows, row_of(w)->size, n, room);
        hashes = room;
    }
    if (w->parting) {
        place_parting(w, rows, n, hashes, ids);
        return true;
    }
    if (p->kind == SPK_BY_HASH) {
        const uint64_t all = (uint64_t)p->partitions * w->slices;
        const uint32_t mask = w->private ? w->slices - 1 : UINT32_MAX;
        for (size_t i = 0; i < n; i++)
            ids[i] = scaled(hashes[i], all) & mask;
        return true;
    }
    return place_in_partition(w, rows, n, hashes, ids);
}

/* place: the slices of rows. */
static bool place(spk_writer *w, const char *rows, size_t n, const uint64_t *hashes, uint32_t *ids)
{
    const size_t size = row_of(w)->size;
    for (size_t at = 0; at < n; at += PIECE) {
        const size_t some = n - at < PIECE ? n - at : PIECE;
        if (!place_piece(w, rows + at * size, some, hashes ? hashes + at : NULL, ids + at))
            return false;
    }
    return true;
}

/* count: the rows of each slice. */
static void count(spk_writer *w, size_t n)
{
    memset(w->places.counts, 0, (w->total + (size_t)1) * 4);
    for (size_t i = 0; i < n; i++)
        w->places.counts[w->places.ids[i]]++;
}

/* index_densely: counts become the starts of slices, and the index. */
static void index_densely(spk_writer *w, spk_run *run)
{
    uint32_t *at = w->places.counts, sum = 0;
    for (uint32_t s = 0; s <= w->total; s++) {
        const uint32_t count = s < w->total ? at[s] : 0;
        run->offsets[s] = at[s] = sum;
        sum += count;
    }
}

static void index_sparsely(spk_writer *w, spk_run *run)
{
    uint32_t *at = w->places.counts, sum = 0;
    for (uint32_t s = 0; s < w->total; s++) {
        const uint32_t count = at[s];
        at[s] = sum;
        sum += count;
        if (count > 0)
            run->ends[run->n_ends++] = (spk_slice_end) { s, sum };
    }
}

/* place_all: n elements of so many bytes to their places; counts become the ends of slices. */
static void place_all(spk_writer *w, const spk_run *run, void *to, const void *from, size_t n, size_t size)
{
    const size_t lines = run->offsets ? spk_scatter_lines(n, size, w->total) : 0;
    const bool has = lines && reserve(w->task->heap, &w->places.lines, &w->places.lines_capacity, lines);
    const spk_scatter s = { w->places.ids, w->places.counts, run->offsets, w->total, has ? w->places.lines : NULL };
    spk_scatter_rows(&s, to, from, n, size);
}

/* begin_again: counts become the starts of slices once more. */
static void begin_again(spk_writer *w, const spk_run *run)
{
    uint32_t *at = w->places.counts;
    if (run->offsets)
        memcpy(at, run->offsets, w->total * sizeof *at);
    for (uint32_t k = 0; k < run->n_ends; k++)
        at[run->ends[k].slice] = k ? run->ends[k - 1].end : 0;
}

/* scatter: rows to their places, and their hashes. */
static void scatter(spk_writer *w, spk_run *run, const char *rows, size_t n, const uint64_t *hashes)
{
    if (run->offsets)
        index_densely(w, run);
    else
        index_sparsely(w, run);
    place_all(w, run, run->rows, rows, n, row_of(w)->size);
    if (!hashes)
        return;
    begin_again(w, run);
    place_all(w, run, run->hashes, hashes, n, sizeof *hashes);
}

/* kind_of: tells outputs of one shuffle apart that must not share a parcel: who reads them drops them
 * by map partition, and those split by an order carry no hashes. */
static unsigned kind_of(const spk_writer *w)
{
    return w->parting ? (w->parting->ranges ? 3 : 2) : w->private;
}

/* spill: the run goes into a parcel. False: that could not be written; the task has failed. */
static bool spill(spk_writer *w, spk_run **run)
{
    spk_failure failure;
    uint64_t written;
    const spk_parcel_place place = { .spill = &w->task->store->spill,
        .heap = w->task->heap,
        .layout = row_of(w),
        .key = (uint64_t)(uint32_t)w->shuffle->id << 3 | kind_of(w),
        .output = w->output,
        .map = w->private ? 0 : w->task->partition,
        .position = w->n_runs };
    if (spk_parcel_add(&place, run, &written, &failure) != SPARK_OK) {
        spk_task_fail_with(w->task, &failure);
        return false;
    }
    w->task->counts.spilled_bytes += (int64_t)written;
    return true;
}

/* publish: the run becomes the output's. */
static bool publish(spk_writer *w, spk_run *run)
{
    const uint64_t n = run->n, bytes = run->bytes;
    if (!w->private && w->task->heard.id >= 0)
        spk_heard_by(w->task->sc)->sealed(w->task, w->shuffle, run);
    if (!w->borrow && spk_spill_wanted(w->task->heap) && !spill(w, &run)) {
        spk_runs_free(w->task->heap, run);
        return false;
    }
    *w->tail = run;
    w->tail = &run->next;
    w->n_runs++;
    w->output->n += n;
    w->output->bytes += bytes;
    return true;
}

static bool refuse(spk_writer *w, const char *what, uint64_t bytes)
{
    char text[300];
    spk_task_fail(w->task, SPARK_ENOMEM, "%s",
        spk_heap_refusal(w->task->heap, what, bytes, text, sizeof text));
    return false;
}

/* pack: what rows point to, which lies all over the window and is fetched ahead, to `tail` and on. */
static void pack(const spk_layout *row, char *rows, size_t n, char *tail)
{
    const size_t text = spk_first_text(row), ahead = PACK_AHEAD * (size_t)row->size;
    for (size_t i = 0; i < n; i++, rows += row->size) {
        if (text < SIZE_MAX && i + PACK_AHEAD < n)
            spk_prefetch(((const spark_str *)(const void *)(rows + ahead + text))->ptr);
        tail = spk_value_pack(row, rows, tail);
    }
}

/* seal: n rows become a run of the output. placed: their slices are known. */
static bool seal(
    spk_writer *w, const char *rows, size_t n, const uint64_t *hashes, uint64_t strings, bool placed)
{
    const spk_layout *row = row_of(w);
    char *tail;
    if (n == 0)
        return true;
    if (!placed && !reserve(w->task->heap, &w->places.ids, &w->places.ids_capacity, n * 4)) {
        spk_task_nomem(w->task);
        return false;
    }
    if (!placed && !place(w, rows, n, hashes, w->places.ids))
        return false;
    count(w, n);
    const size_t behind = w->borrow ? 0 : (size_t)strings;
    spk_run *run = spk_run_alloc(w->task->heap, n, row->size, behind, w->total, w->carry, &tail);
    if (!run)
        return refuse(w, n == 1 ? "a row" : "a window of rows", n * row->size + behind);
    scatter(w, run, rows, n, w->carry ? hashes : NULL);
    if (row->views && !w->borrow)
        pack(row, run->rows, n, tail);
    run->bytes = n * row->size + strings;
    return publish(w, run);
}

static uint64_t string_bytes_of(const spk_layout *row, const char *rows, size_t n)
{
    uint64_t bytes = 0;
    for (size_t i = 0; row->views && i < n; i++)
        bytes += spk_value_bytes(row, rows + i * row->size);
    return bytes;
}

/* ---- combining windows */

/* combines: whether the window has at least 1.25 rows for each key. */
static bool combines(const spk_writer *w)
{
    return w->window_rows * 4 >= (uint64_t)w->combiner.table.n * 5;
}

static bool seal_window(spk_writer *w)
{
    spk_table *t = &w->combiner.table;
    const uint64_t strings = string_bytes_of(row_of(w), t->rows, t->n);
    if (!seal(w, t->rows, t->n, t->hashes, strings, false))
        return false;
    if (!combines(w)) {
        w->raw.left = RAW_WINDOWS;
        w->combining = false;
    }
    w->window_rows = 0;
    w->judged = !spk_table_is_dear(row_of(w));
    if (w->combining) {
        spk_table_clear(t);
    } else {
        spk_combiner_close(&w->combiner);
        w->has_combiner = false;
    }
    return true;
}

static bool combine(spk_writer *w, spk_batch *batch)
{
    const size_t size = w->shuffle->aggregator->in->size;
    if (!w->has_combiner) {
        if (!spk_combiner_open(&w->combiner, w->task, w->shuffle->aggregator, SPK_ADD, false))
            return false;
        w->has_combiner = true;
    }
    while (batch->n > 0 && w->combining) {
        const size_t some = batch->n < spk_task_batch(w->task) ? batch->n : spk_task_batch(w->task);
        const uint32_t keys = w->judged ? WINDOW_KEYS : SPK_TABLE_FIRST_KEYS;
        const size_t done = spk_combiner_add(&w->combiner, batch->rows, some, NULL, keys, WINDOW_BYTES);
        if (done == SIZE_MAX)
            return false;
        w->window_rows += done;
        batch->rows += done * size;
        batch->n -= done;
        if (done == some)
            continue;
        if (!w->judged && combines(w))
            w->judged = true;
        else if (!seal_window(w))
            return false;
    }
    return true;
}

/* ---- raw windows */

/* go_dense: the first raw window is full, so there are rows enough for a place for each key. */
static bool go_dense(spk_writer *w)
{
    w->has_dense = spk_dense_window_open(&w->dense, w->task, w->shuffle);
    const bool good = w->has_dense && spk_dense_window_add(&w->dense, w->raw.rows, w->raw.n);
    spk_heap_free(w->task->heap, w->raw.rows, w->raw.capacity);
    w->raw.rows = NULL;
    w->raw.n = w->raw.max = w->raw.capacity = 0;
    return good;
}

static bool seal_dense(spk_writer *w)
{
    uint32_t from = 0;
    for (spk_run *run; (run = spk_dense_window_seal(&w->dense, w->total, &from));)
        if (!publish(w, run))
            return false;
    return !spk_task_failed(w->task);
}

static bool seal_raw(spk_writer *w)
{
    if (!seal(w, w->raw.rows, w->raw.n, w->carry ? w->raw.hashes : NULL, w->raw.string_bytes, w->early))
        return false;
    w->raw.n = 0;
    w->raw.string_bytes = 0;
    spk_arena_reset(&w->raw.strings);
    if (w->raw.left > 0 && --w->raw.left == 0)
        w->combining = w->shuffle->aggregator && !w->shuffle->raw;
    return true;
}

/* widen: room for `want` elements of so many bytes, with the first n of them. */
static bool widen(spk_heap *heap, void *slot, size_t *capacity, size_t n, size_t want, size_t size)
{
    size_t got;
    void *old, *block = spk_heap_alloc(heap, want * size, &got);
    if (!block)
        return false;
    memcpy(&old, slot, sizeof old);
    if (n)
        memcpy(block, old, n * size);
    spk_heap_free(heap, old, *capacity);
    memcpy(slot, &block, sizeof block);
    *capacity = got;
    return true;
}

static bool grow_raw(spk_writer *w)
{
    const size_t size = row_of(w)->size, most = (w->window_bytes + size - 1) / size;
    size_t want = w->raw.max ? w->raw.max * 4 : PIECE;
    spk_heap *heap = w->task->heap;
    if (want > most)
        want = most;
    if (!widen(heap, &w->raw.rows, &w->raw.capacity, w->raw.n, want, size)
        || (w->carry && !widen(heap, &w->raw.hashes, &w->raw.hashes_capacity, w->raw.n, want, 8))
        || (w->early && !widen(heap, &w->places.ids, &w->places.ids_capacity, w->raw.n, want, 4)))
        return false;
    w->raw.max = want;
    return true;
}

/* own: copies what the raw rows from `first` on point to (borrowed, it is counted all the same);
 * stops after the row that fills the window. False: the task has failed. */
static bool own(spk_writer *w, size_t first, size_t *n)
{
    const spk_layout *row = row_of(w);
    for (size_t i = 0; i < *n; i++) {
        char *at = w->raw.rows + (first + i) * row->size;
        const size_t bytes = spk_value_bytes(row, at);
        char *room = w->borrow ? at : spk_arena_alloc(&w->raw.strings, bytes, 8);
        if (!room)
            return refuse(w, "a row", bytes);
        if (!w->borrow)
            spk_value_pack(row, at, room);
        w->raw.string_bytes += bytes;
        if (w->raw.string_bytes + (first + i + 1) * row->size >= w->window_bytes)
            *n = i + 1;
    }
    return true;
}

static bool take_raw(spk_writer *w, spk_batch *batch)
{
    const spk_aggregator *a = w->parting ? NULL : w->shuffle->aggregator;
    const spk_layout *row = row_of(w);
    const size_t in_size = a ? a->in->size : row->size;
    if (w->raw.n == w->raw.max && !grow_raw(w)) {
        spk_task_nomem(w->task);
        return false;
    }
    size_t n = w->raw.max - w->raw.n < batch->n ? w->raw.max - w->raw.n : batch->n;
    char *to = w->raw.rows + w->raw.n * row->size;
    if (a && a->zero && row->views)
        n = 1; /* functions of the user run once a row, wherever the window ends */
    if (a)
        spk_aggregator_create(a, w->task, batch->rows, n, to);
    else
        memcpy(to, batch->rows, n * row->size);
    if (row->views && !own(w, w->raw.n, &n))
        return false;
    if (w->carry && w->given) {
        memcpy(w->raw.hashes + w->raw.n, w->given, n * 8);
        w->given += n;
    } else if (w->carry) {
        spk_hash_keys(w->shuffle->key, to, row->size, n, w->raw.hashes + w->raw.n);
    }
    if (w->early && !place(w, to, n, NULL, w->places.ids + w->raw.n))
        return false;
    w->raw.n += n;
    batch->rows += n * in_size;
    batch->n -= n;
    if (w->raw.n * row->size + w->raw.string_bytes < w->window_bytes)
        return true;
    return w->may_be_dense ? go_dense(w) : seal_raw(w);
}

static bool writer_take(void *state, spk_batch batch)
{
    spk_writer *w = state;
    while (batch.n > 0 && !spk_task_failed(w->task)) {
        if (w->has_dense)
            return spk_dense_window_add(&w->dense, batch.rows, batch.n);
        if (!(w->combining ? combine(w, &batch) : take_raw(w, &batch)))
            return false;
    }
    return true;
}

bool spk_writer_put(spk_writer *w, char *rows, size_t n, const uint64_t *hashes)
{
    w->given = hashes;
    return writer_take(w, (spk_batch) { rows, n });
}

spk_sink spk_writer_sink(spk_writer *w)
{
    return (spk_sink) { writer_take, w };
}

spk_map_output *spk_writer_close(spk_writer *w)
{
    bool good = !spk_task_unwanted(w->task);
    if (good && w->has_combiner)
        good = seal_window(w);
    if (good && w->raw.n > 0)
        good = seal_raw(w);
    if (good && w->has_dense)
        good = seal_dense(w);
    if (!good) {
        spk_writer_discard(w);
        return NULL;
    }
    spk_map_output *output = w->output;
    w->task->counts.shuffle_rows += (int64_t)output->n;
    w->task->counts.shuffle_bytes += (int64_t)output->bytes;
    free_buffers(w);
    return output;
}

bool spk_partition_of(spark_task *task, const spark_partitioner *partitioner, const spk_layout *key,
    const void *value, int *partition)
{
    spk_shuffle shuffle = { .row = key, .key = key, .slices = 1 };
    memcpy(&shuffle.partitioner, &partitioner, sizeof shuffle.partitioner);
    spk_writer w = { .task = task,
        .shuffle = &shuffle,
        .partitions = (uint32_t)partitioner->partitions,
        .slices = 1 };
    uint32_t id = 0;
    if (!place_piece(&w, value, 1, NULL, &id))
        return false;
    *partition = (int)id;
    return true;
}
