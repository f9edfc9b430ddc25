/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds from a uniform sample of keys: sort them, and take one each time an even share more of
 * them has passed, skipping equals (Spark's RangePartitioner, whose sample has weights). The slices
 * of a partition are cut the same way within its range; they only
 * decide what is sorted at once, so bounds that repeat do no harm there. */
#include "shuffle/ranges.h"

#include <stdlib.h>

#include "plan/partitioner.h"

/* cut: at most parts - 1 bounds of the sorted keys from `from` to `to`, as their indexes; equals are
 * skipped where `distinct`. */
static size_t cut(const spk_ordering *o, const char *keys, size_t from, size_t to, size_t parts,
    bool distinct, size_t *bounds)
{
    const size_t size = o->layout->size;
    const double step = (double)(to - from) / (double)parts;
    double target = step;
    size_t found = 0;
    for (size_t i = from; i < to && found + 1 < parts; i++) {
        if ((double)(i - from + 1) < target)
            continue;
        if (distinct && found
            && spk_ordering_compare(o, keys + i * size, keys + bounds[found - 1] * size) <= 0)
            continue;
        bounds[found++] = i;
        target += step;
    }
    return found;
}

/* cut_slices: bounds of the slices of all partitions; the last of each partition is the
 * partition's. */
static size_t cut_slices(const spk_ordering *o, const char *keys, size_t n,
    const size_t *partition_bounds, size_t partitions, uint32_t slices, size_t *bounds)
{
    size_t from = 0, found = 0;
    for (size_t p = 0; p < partitions; p++) {
        const bool last = p + 1 == partitions;
        const size_t to = last ? n : partition_bounds[p] + 1;
        size_t *part = bounds + found;
        size_t some = cut(o, keys, from, to, slices, false, part);
        while (some + 1 < slices) /* slices that stay empty */
            part[some++] = to > from ? to - 1 : (from > 0 ? from - 1 : 0);
        if (!last)
            part[some++] = partition_bounds[p];
        found += some;
        from = to;
    }
    return found;
}

/* below: how many of n ascending numbers are less than x; without branches. */
static inline uint32_t below(const uint64_t *at, uint32_t n, uint64_t x)
{
    const uint64_t *base = at;
    while (n > 1) {
        const uint32_t half = n / 2;
        base += (base[half - 1] < x) * half;
        n -= half;
    }
    return (uint32_t)(base - at) + (n == 1 && base[0] < x);
}

enum { CELL_BYTES = (SPK_RANGE_CELLS + 1) * 4 + 4 };

/* make_cells: so that a search looks at the few bounds of one cell. */
static void make_cells(spk_ranges *r)
{
    const uint64_t low = r->n_bounds ? r->prefixes[0] : 0;
    const uint64_t width = r->n_bounds ? r->prefixes[r->n_bounds - 1] - low : 0;
    r->shift = 0;
    while (width >> r->shift >= SPK_RANGE_CELLS)
        r->shift++;
    for (uint64_t cell = 0; cell < SPK_RANGE_CELLS; cell++)
        r->starts[cell] = cell <= width >> r->shift
            ? below(r->prefixes, r->n_bounds, low + (cell << r->shift))
            : r->n_bounds;
    r->starts[SPK_RANGE_CELLS] = r->n_bounds;
}

static bool keep_bounds(spk_ranges *r, const char *keys, const size_t *bounds)
{
    const spk_layout *layout = r->keys.layout;
    const size_t size = layout->size, key_bytes = (r->n_bounds * size + 63) / 64 * 64;
    size_t bytes = 0;
    for (uint32_t i = 0; i < r->n_bounds; i++)
        if (i == 0 || bounds[i] != bounds[i - 1])
            bytes += spk_value_bytes(layout, keys + bounds[i] * size);
    r->bounds = spk_heap_alloc(
        r->heap, key_bytes + (size_t)r->n_bounds * 8 + CELL_BYTES + bytes + 64, &r->capacity);
    if (!r->bounds)
        return false;
    r->prefixes = (uint64_t *)(void *)(r->bounds + key_bytes);
    r->starts = (uint32_t *)(void *)(r->prefixes + r->n_bounds);
    char *tail = (char *)r->starts + CELL_BYTES;
    for (uint32_t i = 0; i < r->n_bounds; i++) {
        char *key = r->bounds + i * size;
        if (i > 0 && bounds[i] == bounds[i - 1]) { /* slices that stay empty share theirs */
            memcpy(key, key - size, size);
        } else {
            memcpy(key, keys + bounds[i] * size, size);
            tail = spk_value_pack(layout, key, tail);
        }
        r->prefixes[i] = spk_ordering_prefix(&r->keys, key);
    }
    make_cells(r);
    return true;
}

bool spk_ranges_make(
    spk_ranges *r, spk_heap *heap, char *sample, size_t n, int partitions, uint32_t slices)
{
    const size_t most = (size_t)(partitions > 0 ? partitions : 1);
    size_t *partition_bounds = malloc(most * sizeof *partition_bounds);
    size_t *bounds = malloc(most * slices * sizeof *bounds);
    bool good = partition_bounds && bounds;
    r->heap = heap;
    r->n = r->slices = slices;
    if (good && n > 0 && (good = spk_sort_rows(heap, &r->keys, sample, n))) {
        const size_t cuts = cut(&r->keys, sample, 0, n, most, true, partition_bounds);
        r->n = (uint32_t)(cuts + 1) * slices;
        r->n_bounds = (uint32_t)cut_slices(
            &r->keys, sample, n, partition_bounds, cuts + 1, slices, bounds);
        good = keep_bounds(r, sample, bounds);
    }
    free(partition_bounds);
    free(bounds);
    return good;
}

/* place_prefix: how many bounds have a smaller prefix. */
static inline uint32_t place_prefix(const spk_ranges *r, uint64_t prefix)
{
    if (r->n_bounds == 0 || prefix <= r->prefixes[0])
        return 0;
    const uint64_t cell = (prefix - r->prefixes[0]) >> r->shift;
    if (cell >= SPK_RANGE_CELLS)
        return r->n_bounds;
    const uint32_t from = r->starts[cell];
    return from + below(r->prefixes + from, r->starts[cell + 1] - from, prefix);
}

/* below_row: among the bounds of the row's prefix, [from, to), how many stand before it, plus
 * from. */
static uint32_t below_row(const spk_ranges *r, uint32_t from, uint32_t to, const char *row)
{
    const size_t size = r->keys.layout->size;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (spk_ordering_compare_key(&r->keys, r->bounds + middle * size, &r->ordering, row) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static uint32_t place(const spk_ranges *r, const char *row, uint64_t prefix)
{
    const uint32_t at = place_prefix(r, prefix);
    if (r->ordering.exact || at == r->n_bounds || r->prefixes[at] != prefix)
        return at;
    return below_row(r, at, prefix == UINT64_MAX ? r->n_bounds : place_prefix(r, prefix + 1), row);
}

void spk_ranges_find(const spk_ranges *r, const char *rows, size_t step, size_t n, uint32_t *slices)
{
    enum { PIECE = 512 };
    uint64_t prefixes[PIECE];
    for (size_t from = 0; from < n; from += PIECE) {
        const size_t some = n - from < PIECE ? n - from : PIECE;
        spk_ordering_prefixes(&r->ordering, rows + from * step, step, some, prefixes);
        for (size_t i = 0; i < some; i++)
            slices[from + i] = place(r, rows + (from + i) * step, prefixes[i]);
    }
}
