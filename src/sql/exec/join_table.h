/* SPDX-License-Identifier: Apache-2.0 */
/* A join by a table, for the files it is made of: the table (join_table.c), its keys (join_keys.c), and probing it by
 * columns (join_columns.c).
 *
 * words: keys of at most two numbers that are no floating point ones are so many words of 64 bits, equal where the
 * keys are. Other keys are rows with a hash. A bit says whether a key may be there, before anything else is looked at.
 * ranked: a word is of a range that is not too much larger than there are rows, and few rows have the same: a bit for
 * each number of the range, and what leads to the rows of one is how many of the others are less. Else a byte of bits
 * for each place that hashes lead to. */
#ifndef SPK_SQL_EXEC_JOIN_TABLE_H
#define SPK_SQL_EXEC_JOIN_TABLE_H

#include "base/hash.h"
#include "storage/tape.h"
#include "sql/exec/join.h"
#include "sql/exec/taker.h"

enum { SPK_ROWS, SPK_KEYS, SPK_HASHES, SPK_BITS, SPK_RANKS, SPK_HEADS, SPK_NEXT, SPK_MARKS, SPK_JOIN_BLOCKS };
enum { SPK_KEY_WORDS = 2, SPK_PLACE_BITS = 8 };

typedef struct spk_join_rdd {
    spark_rdd rdd;
    spk_join join;
    spark_rdd *right; /* a reference; no parent, for no task computes it */
    const spk_plan *guess; /* the side of the table was taken for small: of what the join is made; or NULL */
    bool has_null;    /* the right side has a key that is NULL */
    bool collected;
    const char *rows; /* of the right side, in block[SPK_ROWS] */
    size_t n_rows;
    uint32_t n_words; /* 0: keys are rows */
    bool ranked, exact, single; /* exact: by all of a key; single: no two rows have one, as far as keys are words */
    uint32_t word;       /* which of a ranked key it is, */
    uint64_t base, span; /* the least, and how far the others go beyond it */
    char *keys;          /* words, or rows; NULL of exact ones */
    uint64_t *hashes;
    uint64_t *bits;
    uint32_t *ranks; /* of ranked keys: how many are less than the first of each word of bits */
    uint32_t *heads; /* by rank or place, the number of a row + 1; NULL: key k is that of row k */
    uint32_t *next;  /* the same of rows; 0: none; NULL: none has one */
    uint64_t mask;   /* of places of bits */
    uint64_t filter_words; /* of bits of a filter (exec/join_bloom.c); 0: it is none, or one by range */
    bool passes;           /* a filter which all pass */
    uint8_t *marks; /* of a join that marks the rows of the table: see join_marked.c */
    bool guarded; /* hashes are those with the secret */
    spk_secret secret;
    void *blocks[SPK_JOIN_BLOCKS]; /* of the context's heap */
    size_t capacities[SPK_JOIN_BLOCKS];
    const struct spk_join_columns *by; /* how columns are probed; NULL: rows are wanted */
} spk_join_rdd;

/* spk_join_keys: the keys of a batch of one side, by position in its rows. */
typedef struct spk_join_keys {
    spk_sql_run *run;
    spk_sql_input *inputs; /* of the side's columns */
    char *keys;            /* words, or rows */
    uint64_t hashes[SPK_SQL_BATCH];
    bool usable[SPK_SQL_BATCH]; /* no NULL in a key that is compared by =; of exact ones only for NOT IN */
    uint32_t n_found;
    uint16_t found[SPK_SQL_BATCH];  /* positions of keys that may have a match, ascending */
    uint32_t places[SPK_SQL_BATCH]; /* of these, */
    uint32_t heads[SPK_SQL_BATCH];  /* and the row + 1 where to begin looking */
} spk_join_keys;

/* spk_join_table_fill: the table of the rows that were collected. */
spark_status spk_join_table_fill(spk_join_rdd *j, spk_arena *arena, spk_failure *failure);
/* spk_join_bloom_fill: a filter of the keys that were collected. spk_join_bloom_find: keys of n rows that may be in it. */
spark_status spk_join_bloom_fill(spk_join_rdd *j, const spk_tape *tapes, int n_tapes, spk_failure *failure);
void spk_join_bloom_find(spk_join_keys *k, const spk_join_rdd *j, uint32_t n);
/* spk_join_table_block: memory of the table; NULL: *failure. */
void *spk_join_table_block(spk_join_rdd *j, int which, size_t bytes, spk_failure *failure);
void spk_join_table_drop(spk_join_rdd *j, int which);
/* spk_join_shuffle_both: of what was guessed wrong: the join with both sides shuffled stands for a node from here on,
 * which has its number of partitions; its rows in a form. False: it cannot be. */
SPK_COLD bool spk_join_shuffle_both(spk_join_rdd *j, spark_rdd *node, const spk_form *form);
/* spk_join_words: how many words keys of that form are; 0: they are rows. */
uint32_t spk_join_words(const spk_join *j);

/* spk_join_keys_make: of some rows of a batch of n, whose columns are the inputs; false: the run has failed.
 * spk_join_hash: of keys that are rows. */
bool spk_join_keys_make(const spk_join *j, uint32_t n_words, spk_sql_run *run, const spk_sql_input *inputs,
    spk_sql_rows rows, uint32_t n, spk_arena *scratch, char *out, bool *usable);
void spk_join_hash(const spk_join_rdd *j, const char *keys, size_t n, uint64_t *hashes);

/* spk_join_keys_open: of the left side. False: no memory. spk_join_keys_find: of rows of a batch of n, whose columns
 * are the inputs: those that may have a match, and where to begin. False: the run has failed. */
bool spk_join_keys_open(spk_join_keys *k, const spk_join_rdd *j, spk_arena *keep);
bool spk_join_keys_find(spk_join_keys *k, const spk_join_rdd *j, spk_sql_rows rows, uint32_t n, spk_arena *scratch);

/* spk_exec_join_probe: as spk_exec_join_table, of an inner join that only marks rows of the table. */
spark_rdd *spk_exec_join_probe(spk_query *q, spark_rdd *left, spark_rdd *right, const spk_plan *plan,
    const spk_form *in, const spk_form *in2, const spk_form *out);

/* spk_join_same: whether row `at` - 1 of the table has the key at a position. */
static inline bool spk_join_same(const spk_join_rdd *j, const spk_join_keys *k, uint32_t position, uint32_t at)
{
    if (j->exact)
        return true;
    if (j->n_words) {
        const uint64_t *a = (const uint64_t *)(const void *)k->keys + (size_t)position * j->n_words;
        const uint64_t *b = (const uint64_t *)(const void *)j->keys + (size_t)(at - 1) * j->n_words;
        return a[0] == b[0] && (j->n_words == 1 || a[1] == b[1]);
    }
    const spk_layout *layout = j->join.keys->layout;
    return j->hashes[at - 1] == k->hashes[position]
        && spk_value_equal(layout, k->keys + position * (size_t)layout->size, j->keys + (at - 1) * (size_t)layout->size);
}

static inline uint32_t spk_join_place_of(const spk_join_rdd *j, uint64_t hash)
{
    return (uint32_t)((hash * UINT64_C(0x9fb21c651e98df25) >> 20) & j->mask);
}

static inline uint32_t spk_join_place_of_words(const spk_join_rdd *j, const uint64_t *words)
{
    uint64_t h = words[0] * UINT64_C(0x9fb21c651e98df25);
    if (j->n_words > 1)
        h = (h ^ h >> 32 ^ words[1]) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)((h ^ h >> 29) >> 7 & j->mask);
}

static inline uint32_t spk_join_ones(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    return (uint32_t)(((x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f)) * UINT64_C(0x0101010101010101) >> 56);
}

/* spk_join_rank: how many keys are less than that of a bit. */
static inline uint32_t spk_join_rank(const spk_join_rdd *j, uint64_t at)
{
    return j->ranks[at / 64] + spk_join_ones(j->bits[at / 64] & (((uint64_t)1 << at % 64) - 1));
}

/* spk_join_next: the row + 1 behind row `at` - 1. */
static inline uint32_t spk_join_next(const spk_join_rdd *j, uint32_t at)
{
    return j->next ? j->next[at - 1] : 0;
}

static inline bool spk_join_is_marked(const spk_join_rdd *j, uint32_t at)
{
    return __atomic_load_n(&j->marks[at - 1], __ATOMIC_RELAXED);
}

/* spk_join_columns_plan: how columns are probed; NULL: they are not, or the query has failed. */
SPK_COLD const struct spk_join_columns *spk_join_columns_plan(spk_query *q, const spk_plan *plan, const spk_join *j);
/* spk_join_columns_open: the state of that; NULL: the task has failed. */
SPK_COLD struct spk_join_prober *spk_join_columns_open(const spk_join_rdd *r, spark_task *task, spk_join_keys *keys);
/* spk_join_prober_of: of a step's state. */
struct spk_join_prober *spk_join_prober_of(const spk_op *op);
extern const spk_taker spk_join_by_columns;

#endif
