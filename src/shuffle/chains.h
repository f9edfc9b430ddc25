/* SPDX-License-Identifier: Apache-2.0 */
/* Chains: rows that begin with a key, by bucket, for the rows of another side to look among. Those of a
 * bucket are in the order of the rows. Where looking takes too many steps past rows of other keys (chosen
 * ones, or a hot key in the bucket of another), they are chained anew by a hash with a secret. */
#ifndef SPK_SHUFFLE_CHAINS_H
#define SPK_SHUFFLE_CHAINS_H

#include "base/hash.h"
#include "shuffle/input.h"
#include "shuffle/table.h"

typedef struct spk_chains {
    spk_heap *heap;
    const spk_layout *key;
    size_t size; /* of a row */
    bool (*usable)(const void *arg, const char *row); /* whether a row can be found; NULL: all can */
    const void *arg;
    spk_shard_rows rows;
    uint32_t *heads, *next; /* row + 1; 0 ends */
    uint8_t *matched;       /* of each row: the caller's, 0 at first */
    size_t capacity;
    unsigned shift;
    bool guarded;
    spk_secret secret;
    uint64_t allowance; /* steps past rows of other keys, until it is guarded */
    uint64_t *hashes;   /* of a batch of probes: the caller's memory */
} spk_chains;

/* spk_chains_build: of chains->rows, which must stay; with the hashes that rows carried, or room for
 * them. False: no memory. */
bool spk_chains_build(spk_chains *chains);
/* spk_chains_guard: by a secret from now on. */
void spk_chains_guard(spk_chains *chains);
void spk_chains_fini(spk_chains *chains); /* but for the rows */

/* spk_chains_hashes: what chains go by, of n rows of the other side, at most a batch; carried: theirs, or
 * NULL. Prefetches the buckets. */
const uint64_t *spk_chains_hashes(
    spk_chains *chains, const char *rows, size_t size, size_t n, const uint64_t *carried);

static inline uint32_t spk_chains_bucket(const spk_chains *chains, uint64_t hash)
{
    return (uint32_t)((hash * UINT64_C(0x9fb21c651e98df25)) >> chains->shift);
}
static inline const char *spk_chains_row(const spk_chains *chains, uint32_t i)
{
    return chains->rows.rows + (size_t)i * chains->size;
}
static inline bool spk_chains_same(
    const spk_chains *chains, uint32_t i, uint64_t hash, const char *key)
{
    if (chains->rows.hashes[i] != hash)
        return false;
    if (chains->key->key_class == SPK_KEY_8)
        return spk_load64(spk_chains_row(chains, i)) == spk_load64(key);
    return spk_value_equal(chains->key, spk_chains_row(chains, i), key);
}

#endif
