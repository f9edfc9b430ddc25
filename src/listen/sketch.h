/* SPDX-License-Identifier: Apache-2.0 */
/* The most frequent keys of a stream, in bounded space: Misra and Gries, "Finding repeated elements" (1982), with the
 * purges of Anderson et al., "A high-performance algorithm for identifying frequent items in data streams" (2017):
 * when twice as many keys are counted as are to be, the median count is taken off all of them, and those at 0 go.
 * Sketches are merged by adding counts (Agarwal et al., "Mergeable summaries", 2012).
 *
 * A key that is counted has been there `rows` times at least, and rows + error at most; any other, error times at
 * most; error is at most the rows of the stream divided by `most` + 1, plus those whose keys were too long to be
 * kept, or were chosen so that their hashes collide. As long as there are no more than 2 * most keys it is 0. */
#ifndef SPK_LISTEN_SKETCH_H
#define SPK_LISTEN_SKETCH_H

#include "base/cold.h"
#include "type/layout.h"

/* spk_hot: a key, with what it points to, of malloc where it points to something, else in `room` of the sketch;
 * partition: where it was when it was met first. */
typedef struct spk_hot {
    uint64_t hash;
    int64_t rows;
    int partition;
    char *key;
} spk_hot;

typedef struct spk_sketch {
    const spk_layout *layout;
    uint32_t most, n, n_slots;
    spk_hot *at; /* in the order in which they came */
    uint32_t *slots;
    char *room; /* for the i-th key at i * step; NULL: keys are too large, or have views */
    size_t step;
    int64_t rows, error;
} spk_sketch;

/* spk_sketch_new: NULL: no memory. _add: so many rows of a key. _merge: `from` stays as it is. */
SPK_COLD spk_sketch *spk_sketch_new(const spk_layout *layout, uint32_t most);
void spk_sketch_add(spk_sketch *sketch, const void *key, uint64_t hash, int64_t rows, int partition);
SPK_COLD void spk_sketch_merge(spk_sketch *sketch, const spk_sketch *from);
SPK_COLD void spk_sketch_free(spk_sketch *sketch); /* NULL does nothing */

/* spk_sketch_sort: by rows, most first, then as their type orders them; nothing may be added any more. */
SPK_COLD void spk_sketch_sort(spk_sketch *sketch);

#endif
