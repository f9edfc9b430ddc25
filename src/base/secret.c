/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

spk_secret spk_secret_draw(void)
{
    spk_secret secret;
    struct timespec now;
    if (getentropy(&secret, sizeof secret) == 0)
        return secret;
    clock_gettime(CLOCK_MONOTONIC, &now); /* a system without: harder to guess than nothing */
    return (spk_secret) { { (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15),
        (uint64_t)(uintptr_t)&secret ^ (uint64_t)now.tv_sec << 32 } };
}

static inline uint64_t turn(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void round_of(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = turn(v[1], 13) ^ v[0];
    v[0] = turn(v[0], 32);
    v[2] += v[3];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = turn(v[1], 17) ^ v[2];
    v[2] = turn(v[2], 32);
}

spk_sip spk_sip_begin(const spk_secret *secret)
{
    const uint64_t *k = secret->k;
    return (spk_sip) { { k[0] ^ UINT64_C(0x736f6d6570736575), k[1] ^ UINT64_C(0x646f72616e646f6d),
        k[0] ^ UINT64_C(0x6c7967656e657261), k[1] ^ UINT64_C(0x7465646279746573) } };
}

void spk_sip_word(spk_sip *sip, uint64_t word)
{
    sip->v[3] ^= word;
    round_of(sip->v);
    sip->v[0] ^= word;
}

void spk_sip_bytes(spk_sip *sip, const void *data, size_t n)
{
    const char *p = data;
    uint64_t word = 0;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        spk_sip_word(sip, word);
    }
    if (n == 0)
        return;
    word = 0;
    memcpy(&word, p, n);
    spk_sip_word(sip, word);
}

uint64_t spk_sip_end(spk_sip *sip)
{
    uint64_t *v = sip->v;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        round_of(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
