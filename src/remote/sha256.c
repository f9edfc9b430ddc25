/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/sha256.h"

static const uint32_t constants[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
    0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
    0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3,
    0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354,
    0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3,
    0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
    0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

static uint32_t turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void fill(uint32_t w[64], const unsigned char *p)
{
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8
            | p[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7]
            + (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
}

static void compress(uint32_t state[8], const unsigned char *p)
{
    uint32_t w[64], v[8];
    fill(w, p);
    memcpy(v, state, sizeof v);
    for (int i = 0; i < 64; i++) {
        const uint32_t e = v[4], a = v[0];
        const uint32_t one = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & v[5]) ^ (~e & v[6]))
            + constants[i] + w[i];
        const uint32_t two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22))
            + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

void spk_sha256_begin(spk_sha256 *s)
{
    static const uint32_t initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
        0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(s->state, initial, sizeof initial);
    s->bytes = 0;
}

void spk_sha256_add(spk_sha256 *s, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    size_t have = (size_t)(s->bytes % 64);
    s->bytes += n;
    if (have > 0) {
        const size_t some = n < 64 - have ? n : 64 - have;
        memcpy(s->block + have, p, some);
        have += some;
        p += some;
        n -= some;
        if (have == 64)
            compress(s->state, s->block);
    }
    for (; n >= 64; n -= 64, p += 64)
        compress(s->state, p);
    if (n > 0)
        memcpy(s->block, p, n);
}

void spk_sha256_end(spk_sha256 *s, unsigned char digest[SPK_SHA256])
{
    unsigned char tail[72] = { 0x80 };
    const uint64_t bits = 8 * s->bytes;
    const size_t pad = 64 - (size_t)((s->bytes + 8) % 64);
    for (int i = 0; i < 8; i++)
        tail[pad + (size_t)i] = (unsigned char)(bits >> (56 - 8 * i));
    spk_sha256_add(s, tail, pad + 8);
    for (int i = 0; i < SPK_SHA256; i++)
        digest[i] = (unsigned char)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void spk_hmac_sha256(const void *key, size_t key_bytes, const void *bytes, size_t n,
    unsigned char digest[SPK_SHA256])
{
    unsigned char block[64] = { 0 };
    spk_sha256 s;
    if (key_bytes > sizeof block) {
        spk_sha256_begin(&s);
        spk_sha256_add(&s, key, key_bytes);
        spk_sha256_end(&s, block);
    } else if (key_bytes > 0) {
        memcpy(block, key, key_bytes);
    }
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36;
    spk_sha256_begin(&s);
    spk_sha256_add(&s, block, sizeof block);
    spk_sha256_add(&s, bytes, n);
    spk_sha256_end(&s, digest);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    spk_sha256_begin(&s);
    spk_sha256_add(&s, block, sizeof block);
    spk_sha256_add(&s, digest, SPK_SHA256);
    spk_sha256_end(&s, digest);
}

void spk_hex(const unsigned char digest[SPK_SHA256], char hex[SPK_SHA256_HEX])
{
    for (int i = 0; i < SPK_SHA256; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void spk_sha256_hex(const void *bytes, size_t n, char hex[SPK_SHA256_HEX])
{
    unsigned char digest[SPK_SHA256];
    spk_sha256 s;
    spk_sha256_begin(&s);
    spk_sha256_add(&s, bytes, n);
    spk_sha256_end(&s, digest);
    spk_hex(digest, hex);
}
