/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/profile.h"

#include <stdlib.h>
#include <string.h>

#include <spark/metrics.h>

#include "base/error.h"
#include "listen/bus.h"
#include "plan/listening.h"
#include "shuffle/table.h"

enum { PIECE = 256, MOST_HOT = 1000, LEAST_KEYS = 64 };

static void free_profile(spk_profile *p)
{
    if (!p)
        return;
    for (int m = 0; m < p->maps && p->nodes; m++)
        spk_sketch_free(p->nodes[m]);
    spk_sketch_free(p->keys);
    free(p->rows);
    free(p->counted);
    free(p->nodes);
    free(p->levels);
    free(p);
}

/* new_profile: maps: of a stage; else 0. */
static spk_profile *new_profile(int partitions, int maps)
{
    spk_profile *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->partitions = partitions;
    p->maps = maps;
    p->rows = calloc((size_t)partitions * 2, sizeof *p->rows);
    p->counted = maps > 0 ? calloc((size_t)maps, 1) : NULL;
    p->nodes = maps > 0 ? calloc((size_t)maps, sizeof *p->nodes) : NULL;
    p->levels = maps > 0 ? calloc((size_t)maps, 1) : NULL;
    p->bytes = p->rows ? p->rows + partitions : NULL;
    if (p->rows && (maps == 0 || (p->counted && p->nodes && p->levels)))
        return p;
    free_profile(p);
    return NULL;
}

/* ---- an attempt */

/* keys_of: of a shuffle that has such; a sort orders by some members of its rows. */
static const spk_layout *keys_of(const spk_shuffle *shuffle)
{
    return shuffle->ranges                                   ? shuffle->ranges->keys.layout
        : shuffle->partitioner->kind == SPK_BY_POSITION ? NULL
                                                        : shuffle->key;
}

/* count_sorted: rows of a sort, whose keys are no first members of them. */
static void count_sorted(spk_profile *p, const spk_shuffle *shuffle, const char *rows, size_t n, int partition)
{
    const spk_layout *layout = p->keys->layout;
    const size_t size = shuffle->row->size;
    char *key = malloc(layout->size + 16);
    if (!key) {
        p->keys->rows += (int64_t)n;
        p->keys->error += (int64_t)n;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        spk_ordering_key(&shuffle->ranges->ordering, &shuffle->ranges->keys, rows + i * size, key);
        spk_sketch_add(p->keys, key, spk_value_hash(layout, key), 1, partition);
    }
    free(key);
}

static void count_keys(
    spk_profile *p, const spk_shuffle *shuffle, const spk_run *run, uint32_t from, uint32_t to, int partition)
{
    const size_t size = shuffle->row->size;
    uint64_t room[PIECE];
    if (shuffle->ranges) {
        count_sorted(p, shuffle, run->rows + from * size, to - from, partition);
        return;
    }
    for (uint32_t at = from, n; at < to; at += n) {
        const char *rows = run->rows + at * size;
        n = to - at < PIECE ? to - at : PIECE;
        const uint64_t *hashes = run->hashes ? run->hashes + at : room;
        if (!run->hashes)
            spk_hash_keys(shuffle->key, rows, size, n, room);
        for (uint32_t i = 0; i < n; i++)
            spk_sketch_add(p->keys, rows + i * size, hashes[i], 1, partition);
    }
}

static void count_rows(
    spk_profile *p, const spk_shuffle *shuffle, const spk_run *run, uint32_t from, uint32_t to, int partition)
{
    const spk_layout *row = shuffle->row;
    int64_t bytes = (int64_t)(to - from) * row->size;
    if (from == to || partition >= p->partitions)
        return;
    for (uint32_t i = from; row->views && i < to; i++)
        bytes += (int64_t)spk_value_bytes(row, run->rows + i * row->size);
    p->rows[partition] += to - from;
    p->bytes[partition] += bytes;
    if (p->keys)
        count_keys(p, shuffle, run, from, to, partition);
}

static void sealed(const spk_bus *bus, spk_profile **profile, const spk_shuffle *shuffle, const spk_run *run)
{
    const int partitions = (int)(run->slices / shuffle->slices);
    const spk_layout *keys = bus->hot_keys > 0 ? keys_of(shuffle) : NULL;
    if (!*profile && (*profile = new_profile(partitions, 0)) != NULL && keys)
        (*profile)->keys = spk_sketch_new(keys, (uint32_t)bus->counted_keys);
    if (!*profile)
        return;
    for (int i = 0; i < partitions && run->offsets; i++)
        count_rows(*profile, shuffle, run, run->offsets[(uint32_t)i * shuffle->slices],
            run->offsets[((uint32_t)i + 1) * shuffle->slices], i);
    for (uint32_t i = 0, from = 0; i < run->n_ends && !run->offsets; from = run->ends[i++].end)
        count_rows(*profile, shuffle, run, from, run->ends[i].end, (int)(run->ends[i].slice / shuffle->slices));
}

/* ---- a stage */

/* pair: node m of a level with its neighbour, as long as there is one. */
static void pair(spk_profile *p, int m)
{
    for (;;) {
        const int level = p->levels[m], step = 1 << level, other = m ^ step;
        if (level > 29 || other >= p->maps || !p->nodes[other] || p->levels[other] != level)
            return;
        const int low = m < other ? m : other, high = m < other ? other : m;
        spk_sketch_merge(p->nodes[low], p->nodes[high]);
        spk_sketch_free(p->nodes[high]);
        p->nodes[high] = NULL;
        p->levels[low]++;
        m = low;
    }
}

static void take(const spk_bus *bus, spk_profile **stage, spk_profile *profile, int m, int maps)
{
    (void)bus;
    if (!*stage)
        *stage = new_profile(profile->partitions, maps);
    spk_profile *p = *stage;
    if (!p || m < 0 || m >= p->maps || p->counted[m] || p->partitions != profile->partitions)
        return;
    p->counted[m] = 1;
    for (int i = 0; i < p->partitions; i++) {
        p->rows[i] += profile->rows[i];
        p->bytes[i] += profile->bytes[i];
    }
    if (!profile->keys)
        return;
    p->nodes[m] = profile->keys;
    profile->keys = NULL;
    pair(p, m);
}

/* ---- telling */

static int by_bytes(const void *a, const void *b)
{
    const spark_hot_partition *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

static int by_rows(const void *a, const void *b)
{
    const spark_hot_partition *x = a, *y = b;
    return (x->rows < y->rows) - (x->rows > y->rows);
}

static void tell_partitions(const spk_bus *bus, const spk_profile *p, spk_pad *pad, spark_shuffle_profile *told)
{
    const size_t n = (size_t)p->partitions;
    spark_hot_partition *all = malloc((n + 1) * sizeof *all);
    const size_t most = n < (size_t)bus->hot_partitions ? n : (size_t)bus->hot_partitions;
    spark_hot_partition *hot = spk_pad_alloc(pad, most * sizeof *hot + 1);
    for (size_t i = 0; all && i < n; i++) {
        all[i] = (spark_hot_partition) { (int)i, p->rows[i], p->bytes[i] };
        told->rows += p->rows[i];
        told->bytes += p->bytes[i];
    }
    if (all && hot) {
        qsort(all, n, sizeof *all, by_rows);
        told->median_rows = all[n / 2].rows;
        qsort(all, n, sizeof *all, by_bytes);
        told->median_bytes = all[n / 2].bytes;
        memcpy(hot, all, most * sizeof *hot);
        told->hot = hot;
        told->n_hot = most;
    }
    free(all);
}

/* print: cut between two characters. */
static void print(const spk_layout *layout, const void *key, char *text, size_t size)
{
    size_t n = spk_value_print(layout, key, text, size);
    if (n >= size)
        for (n = size - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
            n--;
    text[n] = '\0';
}

static void tell_keys(const spk_bus *bus, const spk_profile *p, spk_pad *pad, spark_shuffle_profile *told)
{
    spk_sketch *all = NULL;
    for (int m = 0; m < p->maps; m++) {
        if (p->nodes[m] && !all)
            all = spk_sketch_new(p->nodes[m]->layout, (uint32_t)bus->counted_keys);
        if (p->nodes[m] && all)
            spk_sketch_merge(all, p->nodes[m]);
    }
    if (!all)
        return;
    spk_sketch_sort(all);
    const size_t n = all->n < (uint32_t)bus->hot_keys ? all->n : (size_t)bus->hot_keys;
    spark_hot_key *keys = spk_pad_alloc(pad, n * sizeof *keys + 1);
    for (size_t i = 0; keys && i < n; i++) {
        keys[i].partition = all->at[i].partition;
        keys[i].rows = all->at[i].rows;
        print(all->layout, all->at[i].key, keys[i].key, sizeof keys[i].key);
    }
    told->counts_keys = keys != NULL;
    told->keys = keys;
    told->n_keys = keys ? n : 0;
    told->key_error = all->error;
    spk_sketch_free(all);
}

static const spark_shuffle_profile *tell(const spk_bus *bus, const spk_profile *p, spk_pad *pad)
{
    spark_shuffle_profile *told = p ? spk_pad_alloc(pad, sizeof *told) : NULL;
    if (!told)
        return NULL;
    told->partitions = p->partitions;
    tell_partitions(bus, p, pad, told);
    tell_keys(bus, p, pad, told);
    return told;
}

static const spk_profiling profiling = { sealed, take, tell, free_profile };

spark_status spark_profile_shuffles(spark_context *sc, int partitions, int keys)
{
    spk_bus *bus;
    if (partitions < 0 || keys < 0 || partitions > MOST_HOT || keys > MOST_HOT || partitions + keys == 0)
        return spk_raisef(SPARK_EINVAL, "profileShuffles", NULL,
            "profileShuffles: numbers of partitions and keys are from 0 to 1000, and one of them is not 0");
    const spark_status status = spk_bus_of(sc, "profileShuffles", &bus);
    if (status != SPARK_OK)
        return status;
    atomic_store(&bus->hot_partitions, partitions);
    atomic_store(&bus->hot_keys, keys);
    atomic_store(&bus->counted_keys, keys > LEAST_KEYS ? keys : LEAST_KEYS);
    atomic_store(&bus->profiling, &profiling);
    return SPARK_OK;
}
