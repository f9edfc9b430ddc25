/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/sketch.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1024, SMALL = 64, PROBES = 64 };

spk_sketch *spk_sketch_new(const spk_layout *layout, uint32_t most)
{
    spk_sketch *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->layout = layout;
    s->most = most;
    s->n_slots = 16;
    while (s->n_slots < 4 * most)
        s->n_slots *= 2;
    s->at = malloc(2 * (size_t)most * sizeof *s->at);
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    s->step = ((size_t)layout->size + 15) / 16 * 16;
    const bool small = !layout->views && s->step <= SMALL;
    s->room = small ? malloc(2 * (size_t)most * s->step) : NULL;
    if (s->at && s->slots && (s->room || !small))
        return s;
    spk_sketch_free(s);
    return NULL;
}

void spk_sketch_free(spk_sketch *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n && !s->room; i++)
        free(s->at[i].key);
    free(s->room);
    free(s->at);
    free(s->slots);
    free(s);
}

static uint32_t place(const spk_sketch *s, uint64_t hash)
{
    return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (s->n_slots - 1);
}

/* free_slot: for a key that has none; NULL: it is too far from its place. */
static uint32_t *free_slot(spk_sketch *s, uint64_t hash)
{
    uint32_t i = place(s, hash);
    for (int k = 0; k < PROBES; k++, i = (i + 1) & (s->n_slots - 1))
        if (!s->slots[i])
            return &s->slots[i];
    return NULL;
}

static int descending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* excess: the count behind the `most` largest ones; as a rule half of all are as small as can be. 0: no memory. */
static int64_t excess(const spk_sketch *s)
{
    int64_t least = INT64_MAX;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        n = s->at[i].rows < least ? 1 : n + (s->at[i].rows == least);
        least = s->at[i].rows < least ? s->at[i].rows : least;
    }
    if (n >= s->n - s->most)
        return least;
    int64_t *counts = malloc(s->n * sizeof *counts);
    if (!counts)
        return 0;
    for (uint32_t i = 0; i < s->n; i++)
        counts[i] = s->at[i].rows;
    qsort(counts, s->n, sizeof *counts, descending);
    const int64_t off = counts[s->most];
    free(counts);
    return off;
}

/* purge: takes the excess off all counts. False: no memory. */
static bool purge(spk_sketch *s)
{
    const int64_t off = excess(s);
    uint32_t n = 0;
    if (off == 0)
        return false;
    memset(s->slots, 0, s->n_slots * sizeof *s->slots);
    for (uint32_t i = 0; i < s->n; i++) {
        spk_hot hot = s->at[i];
        hot.rows -= off;
        uint32_t *slot = hot.rows > 0 ? free_slot(s, hot.hash) : NULL;
        if (slot) { /* each that is left finds one, for fewer keys than before lie in between */
            if (s->room)
                hot.key = memmove(s->room + n * s->step, hot.key, s->layout->size);
            s->at[n++] = hot;
            *slot = n;
        } else if (!s->room) {
            free(hot.key);
        }
    }
    s->n = n;
    s->error += off;
    return true;
}

/* copied: NULL: it is too long, or there is no memory. */
static char *copied(const spk_layout *layout, const void *key)
{
    const size_t behind = layout->views ? spk_value_bytes(layout, key) : 0;
    const size_t size = (layout->size + (size_t)15) / 16 * 16;
    char *copy = layout->size <= LONGEST && behind <= LONGEST ? malloc(size + behind) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, key, layout->size);
    if (layout->views)
        spk_value_pack(layout, copy, copy + size);
    return copy;
}

/* begin: to count a key; false: it is not counted. */
static bool begin(spk_sketch *s, const void *key, uint64_t hash, int64_t rows, int partition)
{
    char *copy = s->room ? s->room : copied(s->layout, key);
    uint32_t *slot = copy && (s->n < 2 * s->most || purge(s)) ? free_slot(s, hash) : NULL;
    if (!slot) {
        if (!s->room)
            free(copy);
        return false;
    }
    if (s->room)
        copy = memcpy(s->room + s->n * s->step, key, s->layout->size);
    s->at[s->n++] = (spk_hot) { hash, rows, partition, copy };
    *slot = s->n;
    return true;
}

void spk_sketch_add(spk_sketch *s, const void *key, uint64_t hash, int64_t rows, int partition)
{
    uint32_t i = place(s, hash);
    s->rows += rows;
    for (int k = 0; k < PROBES && s->slots[i]; k++, i = (i + 1) & (s->n_slots - 1)) {
        spk_hot *hot = &s->at[s->slots[i] - 1];
        if (hot->hash == hash && spk_value_equal(s->layout, hot->key, key)) {
            hot->rows += rows;
            return;
        }
    }
    if (!begin(s, key, hash, rows, partition))
        s->error += rows;
}

void spk_sketch_merge(spk_sketch *s, const spk_sketch *from)
{
    const int64_t rows = s->rows + from->rows;
    for (uint32_t i = 0; i < from->n; i++) {
        const spk_hot *hot = &from->at[i];
        spk_sketch_add(s, hot->key, hot->hash, hot->rows, hot->partition);
    }
    s->error += from->error;
    s->rows = rows;
}

void spk_sketch_sort(spk_sketch *s)
{
    for (uint32_t i = 1; i < s->n; i++) { /* there are few */
        const spk_hot hot = s->at[i];
        uint32_t k = i;
        for (; k > 0; k--) {
            const spk_hot *before = &s->at[k - 1];
            if (before->rows > hot.rows
                || (before->rows == hot.rows && spk_value_compare(s->layout, before->key, hot.key) <= 0))
                break;
            s->at[k] = *before;
        }
        s->at[k] = hot;
    }
    memset(s->slots, 0, s->n_slots * sizeof *s->slots);
}
