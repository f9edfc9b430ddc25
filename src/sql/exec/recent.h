/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that were looked up a short while ago, as a few words that are equal where the keys are: short texts are
 * in them. What is found here need not be made a row, hashed and compared. */
#ifndef SPK_SQL_EXEC_RECENT_H
#define SPK_SQL_EXEC_RECENT_H

#include "sql/exec/query.h"

enum { SPK_RECENT = 512, SPK_RECENT_WORDS = 8, SPK_RECENT_COLUMNS = 6 };

typedef struct spk_recent {
    uint32_t n_columns, n_words; /* n_columns 0: keys of which none can be here */
    const spk_slot *columns;
    uint64_t *words;  /* n_words for each row of a batch; the first one is of NULLs */
    bool *fits;       /* of each row */
    uint64_t *kept;   /* n_words for each place */
    uint32_t *groups; /* of each place; UINT32_MAX: none */
    uint32_t *places; /* of each one that was missed */
    bool awaits;      /* groups of those */
    uint64_t asked, found; /* since the last clear; few are found: it is left off */
} spk_recent;

/* spk_recent_init: for keys of these columns. False: no memory. */
SPK_COLD bool spk_recent_init(spk_recent *r, spk_arena *keep, const spk_slot *columns, size_t n);
/* spk_recent_clear: of all that it knows; spk_recent_forget: of groups, but not of how many are found. */
void spk_recent_clear(spk_recent *r);
void spk_recent_forget(spk_recent *r);
/* spk_recent_pays: whether enough of the keys were found so far. */
bool spk_recent_pays(const spk_recent *r);
/* spk_recent_find: of the rows at positions from..n of some rows of a batch, whose keys are in vectors: groups of those
 * that are here, and the positions of others in `missed`, the first one of each key; returns how many these are.
 * spk_recent_settle, before anything else: the groups of the first `done` of these, for them and for the rows at
 * positions from..n that have their keys, of which none has one that was not done; returns how many of these rows were
 * found from before. */
uint32_t spk_recent_find(spk_recent *r, const spk_sql_vector *keys, spk_sql_rows rows, uint32_t from, uint32_t n,
    uint32_t *groups, uint16_t *missed);
uint32_t spk_recent_settle(
    spk_recent *r, const uint32_t *found, uint32_t done, uint32_t n_missed, uint32_t *groups, uint32_t from, uint32_t n);

/* spk_recent_alike: the same rows become groups 0, 1, ... of their own, those of the same key the same one where that is
 * found here; the first row of each goes to `missed`; returns how many groups there are. No key is known afterwards. */
uint32_t spk_recent_alike(spk_recent *r, const spk_sql_vector *keys, spk_sql_rows rows, uint32_t from, uint32_t n,
    uint32_t *groups, uint16_t *missed);

#endif
