/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs are looked up once, when the attempt starts: all must be there, or the attempt ends and
 * the scheduler makes the missing ones. While readers are counted, a dropped output is only set
 * aside. */
#include "shuffle/input.h"

#include <assert.h>
#include <stdlib.h>

#include "base/list.h"
#include "shuffle/writer.h"

/* Of a parcel's slice, TOGETHER bytes are read at once. Of more, each segment is read when it is wanted,
 * unless it is TINY: in the order of the rows, the segments of one parcel may lie far apart. */
enum { WRITTEN_AT_ONCE = 1024, TOGETHER = 64 * 1024, TINY = 4096, TINY_TOGETHER = 16 * TOGETHER };

/* is_far: in another executor. */
static bool is_far(const spk_input *in, const spk_map_output *output)
{
    return output->store && output->store != in->task->store;
}

static bool look_up(spk_input *in)
{
    spk_shuffle *shuffle = in->shuffle;
    in->n_outputs = shuffle->maps;
    in->outputs = spk_arena_alloc(
        spk_keep_of(in->task), ((size_t)shuffle->maps + 1) * sizeof *in->outputs, 16);
    if (!in->outputs) {
        spk_task_nomem(in->task);
        return false;
    }
    spk_shuffle_enter(shuffle);
    in->reading = true;
    for (int m = 0; m < shuffle->maps; m++) {
        in->outputs[m] = atomic_load(&shuffle->outputs[m]);
        if (!in->outputs[m]) {
            in->task->fate.lost = shuffle;
            spk_task_fail(in->task, SPARK_ETASK, "shuffle %d lacks the output of map partition %d",
                shuffle->id, m);
            return false;
        }
        *(is_far(in, in->outputs[m]) ? &in->task->counts.read_far : &in->task->counts.read_near) += 1;
    }
    return true;
}

static int by_address(const void *a, const void *b)
{
    const spk_parcel *const *x = a, *const *y = b;
    return ((uintptr_t)*x > (uintptr_t)*y) - ((uintptr_t)*x < (uintptr_t)*y);
}

/* note_parcel: neighbours are often in one; the rest is sorted out at the end. */
static bool note_parcel(spk_list *parcels, spk_parcel *parcel)
{
    const size_t n = parcels->n;
    if ((n > 0 && parcels->at[n - 1] == parcel) || (n > 1 && parcels->at[n - 2] == parcel))
        return true;
    return spk_list_add(parcels, parcel);
}

/* find_parcels: each that a run of any output is in, once. */
static bool find_parcels(spk_input *in)
{
    spk_list parcels = { NULL, 0, 0 };
    bool good = true;
    for (int m = 0; m < in->n_outputs && good; m++)
        for (const spk_run *run = in->outputs[m]->runs; run && good; run = run->next)
            good = !run->parcel || note_parcel(&parcels, run->parcel);
    if (parcels.n > 0)
        qsort(parcels.at, parcels.n, sizeof *parcels.at, by_address);
    size_t n = 0;
    for (size_t i = 0; i < parcels.n; i++)
        if (n == 0 || parcels.at[n - 1] != parcels.at[i])
            parcels.at[n++] = parcels.at[i];
    in->parcels = (spk_parcel **)(void *)parcels.at;
    in->n_parcels = (uint32_t)n;
    in->spilled = n > 0;
    if (good && n > 0)
        good = (in->seen = calloc(n, sizeof *in->seen)) != NULL;
    if (!good)
        spk_task_nomem(in->task);
    return good;
}

static void free_parcels(spk_input *in)
{
    for (uint32_t i = 0; i < in->n_parcels && in->seen; i++)
        free(in->seen[i]);
    free(in->seen);
    free(in->parcels);
    in->seen = NULL;
    in->parcels = NULL;
    in->n_parcels = 0;
}

/* write_block: rows of a block go to the writer as they are; no function of the user is called. */
static void write_block(spk_input *in, spk_writer *writer)
{
    const spk_sink sink = spk_writer_sink(writer);
    const size_t size = in->block->rows.layout->size;
    assert(!in->shuffle->aggregator && size == in->shuffle->row->size);
    writer->borrow = true;
    for (const spk_run *run = in->block->rows.first; run; run = run->next)
        for (uint64_t i = 0, n; i < run->n && !spk_task_unwanted(in->task); i += n) {
            n = run->n - i < WRITTEN_AT_ONCE ? run->n - i : WRITTEN_AT_ONCE;
            if (!sink.take(sink.state, (spk_batch) { run->rows + i * size, (size_t)n }))
                return;
        }
}

/* write_private: the partition, for this task alone. Of a block that is in memory only the rows are
 * copied, where they are not combined: it stays until the input is closed. */
static bool write_private(spk_input *in, spark_rdd *rdd, int partition)
{
    spk_writer writer;
    const int64_t rows = in->task->counts.shuffle_rows, bytes = in->task->counts.shuffle_bytes;
    spark_task *task = in->task;
    const spark_rdd *owner = in->shuffle->owner;
    const char *operation = task->end.operation, *function = task->end.function;
    const spark_site site = task->end.site;
    if (!spk_writer_open(&writer, task, in->shuffle, true))
        return false;
    spk_task_end_is(task, owner->operation, owner->function, owner->site);
    if (in->shuffle->aggregator) {
        spk_chain_run(task, rdd, partition, spk_writer_sink(&writer));
    } else if (spk_chain_block(task, rdd, partition, &in->block)) {
        if (in->block)
            write_block(in, &writer);
        else
            spk_chain_run(task, rdd, partition, spk_writer_sink(&writer));
    }
    in->private = spk_writer_close(&writer);
    spk_task_end_is(task, operation, function, site);
    in->outputs = &in->private;
    in->n_outputs = 1;
    in->task->counts.shuffle_rows = rows;
    in->task->counts.shuffle_bytes = bytes;
    return in->private != NULL;
}

bool spk_input_open(
    spk_input *in, spark_task *task, const spk_dep *dep, spk_shuffle *as, int partition)
{
    *in = (spk_input) { .task = task, .shuffle = dep->shuffle ? dep->shuffle : as };
    in->slices = in->shuffle->slices;
    in->first = dep->shuffle ? (uint32_t)partition * in->slices : 0;
    if ((dep->shuffle ? look_up(in) : write_private(in, dep->rdd, partition))
        && (task->heap->limit == 0 || find_parcels(in)))
        return true;
    spk_input_close(in);
    return false;
}

bool spk_input_adopt(spk_input *in, spark_task *task, spk_shuffle *shuffle, spk_map_output *output,
    uint32_t slices)
{
    *in = (spk_input) {
        .task = task, .shuffle = shuffle, .private = output, .slices = slices, .n_outputs = 1
    };
    in->outputs = &in->private;
    return output && (task->heap->limit == 0 || find_parcels(in));
}

void spk_input_close(spk_input *in)
{
    free_parcels(in);
    spk_map_output_free(in->private);
    in->private = NULL;
    spk_block_unpin(in->block);
    in->block = NULL;
    if (in->reading)
        spk_shuffle_leave(in->shuffle);
    in->reading = false;
}

/* share_of: bytes of some rows of a run, which is known of all of them: exact where they have one size. */
static uint64_t share_of(double row_bytes, size_t n)
{
    return (uint64_t)(row_bytes * (double)n + 0.5);
}

static spk_segment *add_segment(spk_shard *shard, uint64_t order, size_t n, double row_bytes)
{
    if (shard->n_segments == shard->max_segments) {
        const size_t most = shard->max_segments ? shard->max_segments * 2 : 32;
        spk_segment *segments = realloc(shard->segments, most * sizeof *segments);
        if (!segments)
            return NULL;
        shard->segments = segments;
        shard->max_segments = most;
    }
    spk_segment *segment = &shard->segments[shard->n_segments++];
    *segment = (spk_segment) { .n = n, .order = order };
    shard->n += n;
    shard->bytes += share_of(row_bytes, n);
    return segment;
}

static uint64_t order_of(int map, uint32_t position)
{
    return (uint64_t)(uint32_t)map << 32 | position;
}

/* see_runs: those of a list that are no heads. */
static bool see_runs(spk_shard *shard, const spk_run *run, uint32_t slice, int map, size_t size)
{
    for (uint32_t position = 0, from, to; run; run = run->next, position++) {
        if (run->parcel)
            continue;
        spk_run_slice(run, slice, &from, &to);
        if (from == to)
            continue;
        spk_segment *segment
            = add_segment(shard, order_of(map, position), to - from, (double)run->bytes / (double)run->n);
        if (!segment)
            return false;
        segment->rows = run->rows + from * size;
        segment->hashes = run->hashes ? run->hashes + from : NULL;
    }
    return true;
}

typedef struct seeing {
    const spk_input *in;
    spk_shard *shard;
    uint32_t slot;
    bool good;
} seeing;

/* see_extent: of a parcel, which may hold runs of others and of attempts that came too late. */
static bool see_extent(
    void *arg, const spk_member *member, const spk_extent *extent, const spk_run *run)
{
    seeing *see = arg;
    const spk_input *in = see->in;
    spk_stored_slice *slot = &see->shard->slots[see->slot];
    const int map = in->private ? 0 : member->map;
    if (atomic_load(&member->output) != in->outputs[map])
        return true;
    spk_segment *segment = add_segment(
        see->shard, order_of(map, member->position), extent->n, member->row_bytes);
    if (!segment)
        return see->good = false;
    if (is_far(in, in->outputs[map]))
        in->task->counts.remote_bytes += (int64_t)share_of(member->row_bytes, extent->n);
    if (run) {
        segment->rows = run->rows + extent->at * in->shuffle->row->size;
        segment->hashes = run->hashes ? run->hashes + extent->at : NULL;
        return true;
    }
    segment->slot = see->slot + 1;
    segment->extent = *extent;
    slot->from = slot->to == 0 || extent->at < slot->from ? extent->at : slot->from;
    slot->to = extent->at + extent->bytes > slot->to ? extent->at + extent->bytes : slot->to;
    return true;
}

/* lose: outputs that a parcel had some of are made again from lineage. */
static void lose(const spk_input *in, const spk_parcel *parcel)
{
    const spk_member *member;
    in->task->fate.lost = in->shuffle;
    for (uint32_t i = 0; (member = spk_parcel_member(parcel, i)); i++)
        if (atomic_load(&member->output) == in->outputs[member->map])
            spk_shuffle_drop(in->shuffle, member->map);
}

static void fail_reading(const spk_input *in, const spk_parcel *parcel, const spk_failure *failure)
{
    if (failure->code == SPARK_EIO && in->reading)
        lose(in, parcel);
    spk_task_fail_with(in->task, failure);
}

/* free_alone: a segment that was loaded apart. */
static void free_alone(spk_heap *heap, spk_segment *segment)
{
    spk_heap_free(heap, segment->alone, segment->capacity);
    segment->alone = NULL;
    segment->rows = NULL;
}

static void free_block(spk_heap *heap, spk_stored_slice *slot)
{
    spk_heap_free(heap, slot->block, slot->capacity);
    slot->block = NULL;
}

/* leave: the shard holds nothing any more. */
static void leave(spk_shard *shard)
{
    for (size_t i = 0; i < shard->n_segments; i++)
        if (shard->segments[i].alone)
            free_alone(shard->input->task->heap, &shard->segments[i]);
    for (uint32_t i = 0; i < shard->n_slots; i++) {
        spk_stored_slice *slot = &shard->slots[i];
        free_block(shard->input->task->heap, slot);
        if (slot->pinned)
            spk_parcel_unpin(slot->parcel);
    }
    shard->n_segments = 0;
    shard->n_slots = 0;
    free(shard->slots);
    shard->slots = NULL;
}

static int by_order(const void *a, const void *b)
{
    const spk_segment *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

/* see_parcels: their segments, and then all in order. */
static bool see_parcels(const spk_input *in, uint32_t slice, spk_shard *shard)
{
    spk_failure failure;
    seeing see = { .in = in, .shard = shard, .good = true };
    shard->slots = calloc(in->n_parcels, sizeof *shard->slots);
    for (see.slot = 0; shard->slots && see.slot < in->n_parcels && see.good; see.slot++) {
        spk_stored_slice *slot = &shard->slots[shard->n_slots++];
        slot->parcel = in->parcels[see.slot];
        if (spk_parcel_slice(slot->parcel, slice, &in->seen[see.slot], &slot->pinned, see_extent,
                &see, &failure)
            != SPARK_OK) {
            fail_reading(in, slot->parcel, &failure);
            return false;
        }
    }
    if (!shard->slots || !see.good) {
        spk_task_nomem(in->task);
        return false;
    }
    if (shard->n_segments > 1)
        qsort(shard->segments, shard->n_segments, sizeof *shard->segments, by_order);
    for (size_t i = 0; i < shard->n_segments; i++)
        if (shard->segments[i].slot > 0)
            shard->slots[shard->segments[i].slot - 1].last = i;
    return true;
}

bool spk_input_shard(const spk_input *in, uint32_t slice, spk_shard *shard)
{
    const size_t size = in->shuffle->row->size;
    const uint32_t s = in->first + slice;
    leave(shard);
    shard->input = in;
    shard->n = shard->bytes = 0;
    for (int m = 0; m < in->n_outputs; m++) {
        const uint64_t before = shard->bytes;
        if (!see_runs(shard, in->outputs[m]->runs, s, m, size)) {
            spk_task_nomem(in->task);
            return false;
        }
        if (is_far(in, in->outputs[m]))
            in->task->counts.remote_bytes += (int64_t)(shard->bytes - before);
    }
    if (in->n_parcels > 0 && !see_parcels(in, s, shard))
        return false;
    if (in->reading) {
        in->task->counts.read_bytes += (int64_t)shard->bytes;
        in->task->counts.read_rows += (int64_t)shard->n;
    }
    return true;
}

/* load: n bytes of a parcel; NULL: the task has failed. */
static char *load(
    const spk_input *in, const spk_parcel *parcel, uint64_t at, size_t n, size_t *capacity)
{
    spk_failure failure;
    char *block = spk_task_alloc(in->task, "a piece of a shard", n + 16, capacity);
    if (!block || spk_parcel_read(parcel, at, n, block, &failure) == SPARK_OK)
        return block;
    spk_heap_free(in->task->heap, block, *capacity);
    fail_reading(in, parcel, &failure);
    return NULL;
}

/* load_rows: where the rows of a segment are, now in memory; NULL: the task has failed. */
static char *load_rows(const spk_input *in, spk_stored_slice *slot, spk_segment *segment)
{
    const size_t n = (size_t)(slot->to - slot->from);
    const bool tiny = segment->extent.bytes < TINY;
    if (!slot->block && n > (tiny ? TINY_TOGETHER : TOGETHER))
        return segment->alone = load(in, slot->parcel, segment->extent.at, segment->extent.bytes,
                   &segment->capacity);
    if (!slot->block) {
        slot->block = load(in, slot->parcel, slot->from, n, &slot->capacity);
        slot->loads++;
    }
    return slot->block ? slot->block + (segment->extent.at - slot->from) : NULL;
}

bool spk_segment_load(spk_shard *shard, spk_segment *segment)
{
    const spk_input *in = shard->input;
    spk_failure failure;
    uint64_t *hashes;
    if (segment->slot == 0 || segment->alone)
        return true;
    spk_stored_slice *slot = &shard->slots[segment->slot - 1];
    if (slot->block && segment->load == slot->loads)
        return true;
    char *rows = load_rows(in, slot, segment);
    if (!rows)
        return false;
    if (spk_extent_open(slot->parcel, &segment->extent, rows, &hashes, &failure) != SPARK_OK) {
        fail_reading(in, slot->parcel, &failure);
        return false;
    }
    segment->rows = rows;
    segment->hashes = hashes;
    segment->load = slot->loads;
    return true;
}

void spk_segment_unload(spk_shard *shard, spk_segment *segment)
{
    spk_heap *heap = shard->input->task->heap;
    if (segment->alone)
        free_alone(heap, segment);
    if (spk_segment_goes(shard, segment))
        free_block(heap, &shard->slots[segment->slot - 1]);
}

bool spk_shard_load(spk_shard *shard)
{
    for (size_t i = 0; i < shard->n_segments; i++)
        if (!spk_segment_load(shard, &shard->segments[i]))
            return false;
    return true;
}

void spk_shard_fini(spk_shard *shard)
{
    leave(shard);
    free(shard->segments);
    *shard = (spk_shard) { .segments = NULL };
}

bool spk_shard_copy(spk_shard *shard, bool hashes, spk_shard_rows *rows)
{
    spark_task *task = shard->input->task;
    const spk_layout *row = shard->input->shuffle->row;
    const size_t row_bytes = (shard->n * row->size + 63) / 64 * 64;
    const size_t bytes = row_bytes + (hashes ? shard->n * 8 : 0) + 64;
    *rows = (spk_shard_rows) { .n = shard->n };
    if (!(rows->rows = spk_task_alloc(task, "a shard", bytes, &rows->capacity)))
        return false;
    if (hashes)
        rows->hashes = (uint64_t *)(void *)(rows->rows + row_bytes);
    size_t at = 0;
    for (size_t i = 0; i < shard->n_segments; i++) {
        spk_segment *segment = &shard->segments[i];
        if (!spk_segment_load(shard, segment)) {
            spk_heap_free(task->heap, rows->rows, rows->capacity);
            rows->rows = NULL;
            return false;
        }
        memcpy(rows->rows + at * row->size, segment->rows, segment->n * row->size);
        if (hashes && segment->hashes)
            memcpy(rows->hashes + at, segment->hashes, segment->n * 8);
        at += segment->n;
        if (!row->views)
            spk_segment_unload(shard, segment);
    }
    return true;
}
