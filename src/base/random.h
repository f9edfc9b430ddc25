/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators),
 * and what samples need of them. The same seed gives the same numbers everywhere. */
#ifndef SPK_BASE_RANDOM_H
#define SPK_BASE_RANDOM_H

#include <math.h>
#include <stdint.h>

typedef struct spk_random {
    uint64_t state;
} spk_random;

/* spk_random_of: a stream for each seed and each number below it. */
spk_random spk_random_of(uint64_t seed, uint64_t stream);

static inline uint64_t spk_random_u64(spk_random *r)
{
    uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* spk_random_unit: in (0, 1), never one of them. */
static inline double spk_random_unit(spk_random *r)
{
    return ((double)(spk_random_u64(r) >> 12) + 0.5) * 0x1p-52;
}

/* spk_random_below: 0 to n - 1, evenly; n > 0. */
uint64_t spk_random_below(spk_random *r, uint64_t n);

/* spk_random_gap: how many are passed over before the next hit, when each is one with probability
 * 0 < p < 1. */
uint64_t spk_random_gap(spk_random *r, double p);

/* spk_random_poisson: of mean >= 0. */
uint64_t spk_random_poisson(spk_random *r, double mean);

#endif
