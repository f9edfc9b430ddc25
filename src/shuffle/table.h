/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tables that keep rows in the order of their first occurrence.
 *
 * directory: open addressing, 4 bytes an entry: the number of the row + 1, and above it as many
 * bits of the hash (the salt) as fit, so that a collision seldom touches a row; dense: keys are
 * small integers and the directory is indexed by key - base; guarded: looking for keys took more steps
 * past others than chance makes, and the directory goes by a hash with a secret instead. Rows, their
 * order and their hashes are the same either way. */
#ifndef SPK_SHUFFLE_TABLE_H
#define SPK_SHUFFLE_TABLE_H

#include "base/arena.h"
#include "exec/step.h"
#include "plan/shuffle.h"

typedef struct spk_table {
    spk_heap *heap;
    const spk_layout *key;
    size_t row_size, text; /* text: where the key's first one lies in a row; SIZE_MAX: it has none */
    bool borrow; /* key strings are not copied: what they point to outlives the table */
    bool dense, may_be_dense, guarded;
    uint32_t patient; /* batches for which sums are probed for one by one */
    uint32_t seen; /* elements, until it is known whether keys are dense */
    uint64_t base; /* of dense keys */
    uint32_t first, last; /* entries of a dense directory that may be in use, where there are rows */
    uint64_t allowance; /* steps past other keys, until the table is guarded */
    spk_secret secret;
    char *rows;
    uint64_t *hashes; /* NULL where they are cheap */
    uint32_t *directory;
    uint32_t n, max_rows, directory_size;
    unsigned shift, row_bits;
    size_t rows_capacity, hashes_capacity, directory_capacity;
    uint64_t string_bytes; /* of keys and accumulators */
    spk_arena strings;
} spk_table;

/* spk_table_init: expected: a guess at the number of rows. False: no memory. */
bool spk_table_init(spk_table *table, spk_heap *heap, const spk_layout *key, size_t row_size,
    size_t expected, bool borrow);
void spk_table_fini(spk_table *table);
/* spk_table_room: size, rounded up to the alignment of what comes next in a row, or of the next row's
 * key. */
static inline uint32_t spk_table_room(size_t size, size_t align)
{
    return (uint32_t)((size + align - 1) / align * align);
}
/* spk_table_clear: no rows, the memory stays. */
void spk_table_clear(spk_table *table);

/* spk_table_compact: what rows point to, their values at `to` with it, lies side by side again, and what they have left
 * behind is freed. views: of the values, or NULL. False: no memory; there are no rows any more. */
bool spk_table_compact(spk_table *table, uint32_t to, const spk_layout *views);

/* spk_first_text: where the first text in a value lies, or would, were it there; SIZE_MAX: nowhere. */
size_t spk_first_text(const spk_layout *layout);

/* spk_hash_keys: of n keys, `step` apart. */
void spk_hash_keys(
    const spk_layout *key, const char *keys, size_t step, size_t n, uint64_t *hashes);

/* spk_secret_hash_keys: the same with a secret. */
void spk_secret_hash_keys(const spk_layout *key, const char *keys, size_t step, size_t n,
    const spk_secret *secret, uint64_t *hashes);

/* SPK_STEPS_EACH: steps past other keys that are allowed for each element on average, ten times what
 * chance makes of them at half full; SPK_STEPS_FREE: and before. */
enum { SPK_STEPS_EACH = 16, SPK_STEPS_FREE = 4096 };

/* spk_found: what spk_table_find did: hits are elements whose key was there before. Arrays as long
 * as a batch. */
typedef struct spk_found {
    uint64_t *hashes; /* of each element, where they were not given */
    uint32_t *rows;   /* of each element: its row */
    uint32_t *hits;   /* elements that are hits, ascending */
    size_t n_hits;
} spk_found;

/* spk_found_open: arrays for a batch, which last as long as the attempt. False: it has failed. */
bool spk_found_open(spark_task *task, spk_found *found);

/* spk_table_find: finds or makes the rows of n elements; a new row gets its key, and its value
 * from the element at value_from (value_size bytes to value_to). Stops before the element that
 * would need row `limit`, or once string_bytes + rows reach `bytes_limit`; returns how many it
 * did. SIZE_MAX: no memory. hashes NULL: they are computed, where they are needed. */
typedef struct spk_value_move {
    uint32_t from, to, size;
    const void *zero;        /* instead of the element's value */
    const spk_layout *views; /* of the value, when it has views */
} spk_value_move;
size_t spk_table_find(spk_table *table, const char *elements, size_t step, size_t n,
    const uint64_t *hashes, const spk_value_move *move, uint32_t limit, uint64_t bytes_limit,
    spk_found *found);

/* spk_summing: what hits are added to; of doubles: only where keys have 8 bytes. */
typedef enum spk_summing { SPK_NO_SUM, SPK_SUM_I64, SPK_SUM_F64 } spk_summing;

/* spk_table_sum: the same where the value is an int64_t or a double that hits are added to, for each
 * key in the order of its elements. */
size_t spk_table_sum(spk_table *table, spk_summing summing, const char *elements, size_t step, size_t n,
    const uint64_t *hashes, const spk_value_move *move, uint32_t limit, uint64_t bytes_limit,
    spk_found *found);

/* spk_table_is_dear: whether such rows cost less as they come than in a table before a shuffle, unless their keys repeat:
 * small ones, which a window's first keys tell of. */
enum { SPK_TABLE_FIRST_KEYS = 16384 };
static inline bool spk_table_is_dear(const spk_layout *row)
{
    return row->size <= 32 && !row->views;
}

static inline char *spk_table_row(const spk_table *table, uint32_t row)
{
    return table->rows + (size_t)row * table->row_size;
}

#endif
