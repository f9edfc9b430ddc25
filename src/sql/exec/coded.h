/* SPDX-License-Identifier: Apache-2.0 */
/* Groups by the codes of their keys: where all keys are columns of a block with few codes, what they come to is a place
 * in an array, for as long as the block lasts. A key that is one column of numbers which do not lie far apart has the
 * same places in all blocks. */
#ifndef SPK_SQL_EXEC_CODED_H
#define SPK_SQL_EXEC_CODED_H

#include "sql/exec/columns_scan.h"

/* SPK_CODED_PLACES: for a block; SPK_CODED_SPAN: for all of them. */
enum { SPK_CODED_COLUMNS = 6, SPK_CODED_PLACES = 32768, SPK_CODED_SPAN = 1 << 18 };

typedef struct spk_coded {
    spk_arena *keep;
    const uint32_t *columns; /* of what the scan gives: the keys */
    size_t n_columns;        /* 0: it cannot be used */
    uint64_t block;          /* of the scan's, for which it is */
    uint64_t rows;           /* in batches before */
    bool fits;
    bool lasts;              /* for other blocks too: the place of a number is how much more than `origin` it is */
    int64_t origin;
    uint32_t sizes[SPK_CODED_COLUMNS]; /* how many codes there are, NULL being the last */
    uint32_t *groups;                  /* UINT32_MAX: not known */
    uint32_t n, room;                  /* places in use; of `groups` */
    uint32_t *places;                  /* of each row of a batch, by its position */
} spk_coded;

/* spk_coded_init: of these columns; n 0, or too many: none. False: no memory. */
SPK_COLD bool spk_coded_init(spk_coded *c, spk_arena *keep, const uint32_t *columns, size_t n);
/* spk_coded_open: a batch of the scan; false: its keys have too many codes. */
bool spk_coded_open(spk_coded *c, const spk_vectors *scan);
/* spk_coded_find: groups of the batch's rows at positions from..n, and the positions of those that are not known in
 * `missed`, the first one of each group; how many these are. spk_coded_settle, before anything else: the groups of the
 * first `done` of these, for them and for the rows at positions from..n that are of the same ones, of which none is of
 * one that was not done; returns how many of these rows had theirs from before. spk_coded_clear: groups mean others
 * now. */
uint32_t spk_coded_find(spk_coded *c, uint32_t from, uint32_t n, uint32_t *groups, uint16_t *missed);
uint32_t spk_coded_settle(spk_coded *c, const uint32_t *found, uint32_t done, const uint16_t *missed, uint32_t n_missed,
    uint32_t *groups, uint32_t from, uint32_t n);
void spk_coded_clear(spk_coded *c);

#endif
