/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include "base/hash.h"

spk_random spk_random_of(uint64_t seed, uint64_t stream)
{
    return (spk_random) { spk_hash_combine(seed, stream) };
}

/* Lemire: Fast random integer generation in an interval. */
uint64_t spk_random_below(spk_random *r, uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    u128 product = (u128)spk_random_u64(r) * n;
    if ((uint64_t)product < n)
        for (const uint64_t least = (0 - n) % n; (uint64_t)product < least;)
            product = (u128)spk_random_u64(r) * n;
    return (uint64_t)(product >> 64);
}

uint64_t spk_random_gap(spk_random *r, double p)
{
    const double gap = floor(log(spk_random_unit(r)) / log1p(-p));
    return gap < 1e18 ? (uint64_t)gap : (uint64_t)1e18;
}

/* Knuth: the product of unit numbers against exp(-mean); large means are a sum of smaller ones,
 * since exp underflows. */
uint64_t spk_random_poisson(spk_random *r, double mean)
{
    enum { PART = 64 };
    uint64_t n = 0;
    for (; mean > PART; mean -= PART)
        n += spk_random_poisson(r, PART);
    const double least = exp(-mean);
    for (double product = spk_random_unit(r); product > least; product *= spk_random_unit(r))
        n++;
    return n;
}
