/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing: one 64-bit hash per key, whose parts are used independently (partition, slice, bucket,
 * salt). Multiply-and-fold in the manner of wyhash (Wang Yi), with the inputs mixed back in, so
 * that no block of input can cancel the state. Results are part of the format: they decide order.
 */
#ifndef SPK_BASE_HASH_H
#define SPK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SPK_HASH_SEED UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t spk_hash_fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    const u128 product = (u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* spk_hash_u64: a bijection, so that distinct 8-byte keys never share a hash: fold, multiply,
 * fold. The upper half of the product depends on all bits of the key, and the last fold hands that
 * on to the lower half. */
static inline uint64_t spk_hash_u64(uint64_t x)
{
    x ^= x >> 29; /* not 32: two equal halves are a likely key */
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    return x;
}

static inline uint64_t spk_hash_combine(uint64_t h, uint64_t x)
{
    return spk_hash_fold(h ^ UINT64_C(0xa0761d6478bd642f), x ^ UINT64_C(0xe7037ed1a0b428db)) ^ h
        ^ (x * UINT64_C(0x8ebc6af09c88c6e3));
}

static inline uint64_t spk_load64(const void *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint64_t spk_load32(const void *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* spk_hash_bytes: of n bytes, also n = 0. */
static inline uint64_t spk_hash_bytes(const void *data, size_t n)
{
    const unsigned char *p = (const unsigned char *)data;
    uint64_t h = SPK_HASH_SEED ^ (uint64_t)n, a, b;
    size_t left = n;
    while (left > 16) {
        h = spk_hash_combine(h ^ spk_load64(p), spk_load64(p + 8));
        p += 16;
        left -= 16;
    }
    if (left >= 8) {
        a = spk_load64(p);
        b = spk_load64(p + left - 8);
    } else if (left >= 4) {
        a = spk_load32(p);
        b = spk_load32(p + left - 4);
    } else if (left > 0) {
        a = ((uint64_t)p[0] << 16) | ((uint64_t)p[left >> 1] << 8) | p[left - 1];
        b = 0;
    } else {
        a = b = 0;
    }
    /* Both halves of the first product enter the second, as in wyhash; the inputs once more, so
     * that a factor of 0 hides nothing. */
    __extension__ typedef unsigned __int128 u128;
    const u128 product
        = (u128)(a ^ h ^ UINT64_C(0xa0761d6478bd642f)) * (b ^ h ^ UINT64_C(0xe7037ed1a0b428db));
    const uint64_t mixed = spk_hash_fold((uint64_t)product ^ UINT64_C(0x8ebc6af09c88c6e3) ^ h,
        (uint64_t)(product >> 64) ^ UINT64_C(0x589965cc75374cc3));
    return mixed ^ a ^ (b << 32 | b >> 32);
}

#endif
