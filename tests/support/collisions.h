/* SPDX-License-Identifier: Apache-2.0 */
/* Keys chosen by somebody who knows the hash: 8-byte integers that share their slice and their bucket,
 * and strings of 32 bytes that share all 64 bits. Both are base/hash.h turned around. */
#ifndef COLLISIONS_H
#define COLLISIONS_H

#include <stdint.h>
#include <string.h>

/* collisions_inverse: of an odd number, by Newton's iteration. */
static inline uint64_t collisions_inverse(uint64_t a)
{
    uint64_t x = a;
    for (int i = 0; i < 6; i++)
        x *= 2 - a * x;
    return x;
}

/* collisions_key: the integer of a hash. */
static inline int64_t collisions_key(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= collisions_inverse(UINT64_C(0xd6e8feb86659fd93));
    return (int64_t)(hash ^ hash >> 29 ^ hash >> 58);
}

/* collisions_next: the next integer whose hash has these upper 32 bits and falls into the first of
 * 2^16 buckets; *state is 0 at first. */
static inline int64_t collisions_next(uint64_t *state, uint32_t upper)
{
    for (;;) {
        const uint64_t hash = (uint64_t)upper << 32 | (uint32_t)(*state)++;
        if ((hash * UINT64_C(0x9fb21c651e98df25)) >> 48 == 0)
            return collisions_key(hash);
    }
}

/* collisions_text: string i of those that hash to `hash`: its second word takes the first one out of
 * the state's reach, the third cancels the state, the fourth is what is missing. */
static inline void collisions_text(uint64_t i, uint64_t hash, char text[32])
{
    __extension__ typedef unsigned __int128 u128;
    const uint64_t c1 = UINT64_C(0xa0761d6478bd642f), c2 = UINT64_C(0xe7037ed1a0b428db),
                   c3 = UINT64_C(0x8ebc6af09c88c6e3), c4 = UINT64_C(0x589965cc75374cc3);
    const uint64_t h = (UINT64_C(0x9e3779b97f4a7c15) ^ 32 ^ i) ^ (c2 * c3), a = h ^ c1;
    const u128 product = (u128)(c3 ^ h) * c4;
    const uint64_t rest = ((uint64_t)product ^ (uint64_t)(product >> 64)) ^ a ^ hash;
    const uint64_t words[4] = { i, c2, a, rest << 32 | rest >> 32 };
    memcpy(text, words, sizeof words);
}

#endif
