/* SPDX-License-Identifier: Apache-2.0 */
/* The first few of very many rows, kept while they stream by: by a prefix, then by an order, then by
 * where they stand. What is held does not depend on how many rows there were.
 *
 * place: the partition of a row and its position there; no two rows share one. cut: all but the first
 * are let go of. */
#ifndef SPK_SHUFFLE_SMALLEST_H
#define SPK_SHUFFLE_SMALLEST_H

#include <stdatomic.h>

#include "base/arena.h"
#include "shuffle/ranges.h"

/* spk_smallest_by: which ones: the first n, and of these as many as hold no more than `bytes` together
 * (rows, what they point to, and what it takes to keep them), but always one. */
typedef struct spk_smallest_by {
    const spk_layout *layout;
    const spk_ordering *ordering; /* NULL: prefix and place decide */
    uint64_t n, bytes;
} spk_smallest_by;

typedef struct spk_smallest {
    const spk_smallest_by *by;
    spk_heap *heap;
    spk_sort_entry *entries; /* a prefix, and where the row lies */
    size_t n, max, capacity;
    spk_arena rows;
    uint64_t bytes, live; /* now, and after the last cut */
    uint64_t bound;       /* no row of a greater prefix is among the first */
    const char *last;     /* the row that n are not behind, or NULL */
} spk_smallest;

/* spk_smallest_add: a deep copy of the row. spk_smallest_merge: all of another one. False: no memory. */
void spk_smallest_init(spk_smallest *s, spk_heap *heap, const spk_smallest_by *by);
void spk_smallest_fini(spk_smallest *s);
bool spk_smallest_add(
    spk_smallest *s, uint64_t prefix, int partition, uint64_t position, const char *row);
bool spk_smallest_merge(spk_smallest *to, const spk_smallest *from);

/* spk_smallest_bound: it is known that as many rows as are wanted are not behind this prefix. */
static inline void spk_smallest_bound(spk_smallest *s, uint64_t bound)
{
    if (bound >= s->bound)
        return;
    s->bound = bound;
    s->last = NULL;
}

/* spk_smallest_cut: the first ones alone, in order; a row that was added twice is there once. False: no
 * memory. spk_smallest_row: the i-th of them. */
bool spk_smallest_cut(spk_smallest *s);
const char *spk_smallest_row(const spk_smallest *s, size_t i);

/* spk_smallest_shared: the first of all tasks' rows. bound: of it, to be read without the lock. */
typedef struct spk_smallest_shared {
    pthread_mutex_t lock;
    spk_smallest all;
    _Atomic uint64_t bound;
} spk_smallest_shared;

void spk_smallest_shared_init(
    spk_smallest_shared *shared, spk_heap *heap, const spk_smallest_by *by);
void spk_smallest_shared_fini(spk_smallest_shared *shared);
/* spk_smallest_publish: merges a task's into it and frees that. False: no memory. */
bool spk_smallest_publish(spk_smallest_shared *shared, spk_smallest *of_task);

#endif
