/* SPDX-License-Identifier: Apache-2.0 */
/* A shard is written again as a private output of this task, in slices by bits of the hash that nothing
 * else looks at (as the partitions of a Grace hash join: Kitsuregawa et al., 1983), and these are read as
 * shards are. By an order it is cut at a sample of its own rows (sample sort: Frazer and McKellar, 1970);
 * what equals a bound stands apart, so that equal rows, however many, need no sorting. Either way rows
 * keep their order within a slice, are written once for each level, and go to disk as all runs do. */
#include "shuffle/split.h"

#include "shuffle/ranges.h"
#include "shuffle/writer.h"

enum { FEWEST = 16, MOST = 256, SAMPLE = 1024, SEGMENTS = 256, BOUNDS = 63 };
enum { SAMPLE_BYTES = 4 * 1024 * 1024, LEAST_SAMPLE = 32 };

bool spk_leaves_open(spk_leaves *l, spark_task *task, size_t n, spk_input *const *inputs,
    spk_shard *const *shards)
{
    *l = (spk_leaves) { .task = task, .n = n };
    spk_split_level *level = spk_arena_alloc(spk_keep_of(task), sizeof *level, 16);
    if (!level) {
        spk_task_nomem(task);
        return false;
    }
    *level = (spk_split_level) { .slices = inputs[0]->slices, .bytes = UINT64_MAX };
    for (size_t i = 0; i < n; i++) {
        level->inputs[i] = inputs[i];
        l->shards[i] = shards[i];
        l->spilled = l->spilled || inputs[i]->spilled;
    }
    l->levels[0] = level;
    return true;
}

/* see_spilled: whether any input that is open has rows on disk. */
static void see_spilled(spk_leaves *l)
{
    l->spilled = false;
    for (size_t i = 0; i < l->n; i++)
        l->spilled = l->spilled || l->levels[l->depth]->inputs[i]->spilled;
}

static void leave_level(spk_leaves *l)
{
    spk_split_level *level = l->levels[l->depth--];
    for (size_t i = 0; i < l->n; i++) {
        spk_shard_fini(l->shards[i]);
        spk_input_close(&level->own[i]);
    }
    see_spilled(l);
}

bool spk_leaves_next(spk_leaves *l)
{
    while (l->depth > 0 && l->levels[l->depth]->next == l->levels[l->depth]->slices)
        leave_level(l);
    spk_split_level *level = l->levels[l->depth];
    if (level->next == level->slices || spk_task_unwanted(l->task))
        return false;
    l->equal = level->bounds && level->next % 2 == 1;
    for (size_t i = 0; i < l->n; i++)
        if (!spk_input_shard(level->inputs[i], level->next, l->shards[i]))
            return false;
    level->next++;
    return true;
}

void spk_leaves_close(spk_leaves *l)
{
    while (l->depth > 0)
        leave_level(l);
    for (size_t i = 0; i < l->n; i++)
        spk_shard_fini(l->shards[i]);
}

static uint64_t bytes_of(const spk_leaves *l)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < l->n; i++)
        bytes += l->shards[i]->bytes;
    return bytes;
}

/* may_split: splitting made it smaller the last time, if there was one. */
static bool may_split(const spk_leaves *l)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < l->n; i++)
        rows += l->shards[i]->n;
    return l->depth < SPK_SPLITS && rows > 1 && !l->equal
        && bytes_of(l) / 7 < l->levels[l->depth]->bytes / 8;
}

/* enter_level: an empty one, which may have been used before. */
static spk_split_level *enter_level(spk_leaves *l, uint32_t slices, bool bounds)
{
    spk_split_level *level = l->levels[l->depth + 1];
    if (!level)
        level = spk_arena_alloc(spk_keep_of(l->task), sizeof *level, 16);
    if (!level) {
        spk_task_nomem(l->task);
        return NULL;
    }
    *level = (spk_split_level) { .slices = slices, .bytes = bytes_of(l), .bounds = bounds };
    l->levels[l->depth + 1] = level;
    return level;
}

static bool write_shard(spk_shard *shard, spk_writer *writer)
{
    for (size_t i = 0; i < shard->n_segments; i++) {
        spk_segment *segment = &shard->segments[i];
        if (!spk_segment_load(shard, segment)
            || !spk_writer_put(writer, segment->rows, segment->n, segment->hashes))
            return false;
        spk_segment_unload(shard, segment);
    }
    return true;
}

/* split_side: the shard becomes an input. It is no shuffling that the job would count. */
static bool split_side(
    spk_leaves *l, spk_shard *shard, uint32_t slices, const spk_parting *parting, spk_input *to)
{
    spark_task *task = l->task;
    const int64_t rows = task->counts.shuffle_rows, bytes = task->counts.shuffle_bytes;
    spk_shuffle *shuffle = shard->input->shuffle;
    spk_map_output *output = NULL;
    spk_writer writer;
    if (!spk_writer_split(&writer, task, shuffle, slices, parting))
        return false;
    if (write_shard(shard, &writer))
        output = spk_writer_close(&writer);
    else
        spk_writer_discard(&writer);
    task->counts.shuffle_rows = rows;
    task->counts.shuffle_bytes = bytes;
    spk_shard_fini(shard);
    return spk_input_adopt(to, task, shuffle, output, slices);
}

static bool split(spk_leaves *l, uint32_t slices, const spk_parting *parting)
{
    spk_split_level *level = enter_level(l, slices, parting->ranges != NULL);
    bool good = level != NULL;
    for (size_t i = 0; i < l->n && good; i++) {
        good = split_side(l, l->shards[i], slices, parting, &level->own[i]);
        level->inputs[i] = &level->own[i];
    }
    if (good) {
        l->depth++;
        see_spilled(l);
        return true;
    }
    for (size_t i = 0; i < l->n && level; i++)
        if (level->own[i].task)
            spk_input_close(&level->own[i]);
    return false;
}

bool spk_leaves_split(spk_leaves *l)
{
    const spk_parting parting = { .level = l->depth };
    uint32_t slices = FEWEST;
    while (slices < MOST && bytes_of(l) / slices > SPK_LEAF_BYTES / 4)
        slices *= 2;
    return may_split(l) && split(l, slices, &parting);
}

/* ---- by an order */

/* sample_of: how many keys: fewer where rows are large. */
static size_t sample_of(const spk_shard *shard)
{
    const uint64_t fit = SAMPLE_BYTES / (shard->bytes / shard->n + 1);
    return fit < LEAST_SAMPLE ? LEAST_SAMPLE : fit < SAMPLE ? (size_t)fit : SAMPLE;
}

/* take_sample: keys of rows that stand apart in the shard. */
static bool take_sample(spk_shard *shard, const spk_ordering *o, const spk_ordering *keys,
    char *key, spk_rows *sample)
{
    const size_t wanted = sample_of(shard), most = wanted < SEGMENTS ? wanted : SEGMENTS;
    const size_t step = shard->n_segments / most + 1;
    const size_t taken = (shard->n_segments + step - 1) / step, each = wanted / taken + 1;
    for (size_t i = 0; i < shard->n_segments; i++) {
        spk_segment *segment = &shard->segments[i];
        const size_t some = segment->n < each ? segment->n : each;
        if (i % step == 0 && !spk_segment_load(shard, segment))
            return false;
        for (size_t k = 0; i % step == 0 && k < some; k++) {
            const size_t row = (2 * k + 1) * segment->n / (2 * some);
            spk_ordering_key(o, keys, segment->rows + row * o->layout->size, key);
            if (!spk_rows_append(sample, key, 1)) {
                spk_task_nomem(shard->input->task);
                return false;
            }
        }
        spk_segment_unload(shard, segment);
    }
    return true;
}

/* cut: ranges by the sample, whose rows it lines up. */
static bool cut(spark_task *task, const spk_rows *sample, spk_ranges *ranges)
{
    const size_t size = sample->layout->size;
    size_t capacity, at = 0;
    char *keys = spk_task_alloc(task, "a sample", sample->n * size + 1, &capacity);
    if (!keys)
        return false;
    for (const spk_run *run = sample->first; run; at += run->n, run = run->next)
        memcpy(keys + at * size, run->rows, run->n * size);
    const bool good = spk_ranges_make(ranges, task->heap, keys, sample->n, BOUNDS + 1, 1);
    spk_heap_free(task->heap, keys, capacity);
    if (!good)
        spk_task_nomem(task);
    return good;
}

bool spk_leaves_sort(spk_leaves *l, const spk_ordering *ordering, const spk_ordering *keys)
{
    spk_ranges ranges = { .ordering = *ordering, .keys = *keys };
    const spk_parting parting = { .ranges = &ranges };
    spk_shard *shard = l->shards[0];
    spk_rows sample;
    size_t capacity;
    if (!may_split(l))
        return false;
    char *key = spk_task_alloc(l->task, "a key", keys->layout->size, &capacity);
    spk_rows_init(&sample, l->task->heap, keys->layout);
    const bool good = key && take_sample(shard, ordering, keys, key, &sample)
        && cut(l->task, &sample, &ranges) && split(l, 2 * ranges.n_bounds + 1, &parting);
    spk_ranges_fini(&ranges);
    spk_rows_fini(&sample);
    spk_heap_free(l->task->heap, key, key ? capacity : 0);
    return good;
}
