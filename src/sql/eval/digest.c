/* SPDX-License-Identifier: Apache-2.0 */
/* Digests. SHA-256 works with the upper halves of SHA-512's constants, which are bits of the same
 * roots of
 * primes. */
#include "base/small.h"

#include "sql/eval/digest.h"

#include <string.h>

static const uint64_t k512[80] = { UINT64_C(0x428a2f98d728ae22), UINT64_C(0x7137449123ef65cd),
    UINT64_C(0xb5c0fbcfec4d3b2f), UINT64_C(0xe9b5dba58189dbbc), UINT64_C(0x3956c25bf348b538),
    UINT64_C(0x59f111f1b605d019), UINT64_C(0x923f82a4af194f9b), UINT64_C(0xab1c5ed5da6d8118),
    UINT64_C(0xd807aa98a3030242), UINT64_C(0x12835b0145706fbe), UINT64_C(0x243185be4ee4b28c),
    UINT64_C(0x550c7dc3d5ffb4e2), UINT64_C(0x72be5d74f27b896f), UINT64_C(0x80deb1fe3b1696b1),
    UINT64_C(0x9bdc06a725c71235), UINT64_C(0xc19bf174cf692694), UINT64_C(0xe49b69c19ef14ad2),
    UINT64_C(0xefbe4786384f25e3), UINT64_C(0x0fc19dc68b8cd5b5), UINT64_C(0x240ca1cc77ac9c65),
    UINT64_C(0x2de92c6f592b0275), UINT64_C(0x4a7484aa6ea6e483), UINT64_C(0x5cb0a9dcbd41fbd4),
    UINT64_C(0x76f988da831153b5), UINT64_C(0x983e5152ee66dfab), UINT64_C(0xa831c66d2db43210),
    UINT64_C(0xb00327c898fb213f), UINT64_C(0xbf597fc7beef0ee4), UINT64_C(0xc6e00bf33da88fc2),
    UINT64_C(0xd5a79147930aa725), UINT64_C(0x06ca6351e003826f), UINT64_C(0x142929670a0e6e70),
    UINT64_C(0x27b70a8546d22ffc), UINT64_C(0x2e1b21385c26c926), UINT64_C(0x4d2c6dfc5ac42aed),
    UINT64_C(0x53380d139d95b3df), UINT64_C(0x650a73548baf63de), UINT64_C(0x766a0abb3c77b2a8),
    UINT64_C(0x81c2c92e47edaee6), UINT64_C(0x92722c851482353b), UINT64_C(0xa2bfe8a14cf10364),
    UINT64_C(0xa81a664bbc423001), UINT64_C(0xc24b8b70d0f89791), UINT64_C(0xc76c51a30654be30),
    UINT64_C(0xd192e819d6ef5218), UINT64_C(0xd69906245565a910), UINT64_C(0xf40e35855771202a),
    UINT64_C(0x106aa07032bbd1b8), UINT64_C(0x19a4c116b8d2d0c8), UINT64_C(0x1e376c085141ab53),
    UINT64_C(0x2748774cdf8eeb99), UINT64_C(0x34b0bcb5e19b48a8), UINT64_C(0x391c0cb3c5c95a63),
    UINT64_C(0x4ed8aa4ae3418acb), UINT64_C(0x5b9cca4f7763e373), UINT64_C(0x682e6ff3d6b2b8a3),
    UINT64_C(0x748f82ee5defb2fc), UINT64_C(0x78a5636f43172f60), UINT64_C(0x84c87814a1f0ab72),
    UINT64_C(0x8cc702081a6439ec), UINT64_C(0x90befffa23631e28), UINT64_C(0xa4506cebde82bde9),
    UINT64_C(0xbef9a3f7b2c67915), UINT64_C(0xc67178f2e372532b), UINT64_C(0xca273eceea26619c),
    UINT64_C(0xd186b8c721c0c207), UINT64_C(0xeada7dd6cde0eb1e), UINT64_C(0xf57d4f7fee6ed178),
    UINT64_C(0x06f067aa72176fba), UINT64_C(0x0a637dc5a2c898a6), UINT64_C(0x113f9804bef90dae),
    UINT64_C(0x1b710b35131c471b), UINT64_C(0x28db77f523047d84), UINT64_C(0x32caab7b40c72493),
    UINT64_C(0x3c9ebe0a15c9bebc), UINT64_C(0x431d67c49c100d4c), UINT64_C(0x4cc5d4becb3e42b6),
    UINT64_C(0x597f299cfc657e2a), UINT64_C(0x5fcb6fab3ad6faec), UINT64_C(0x6c44198c4a475817) };
static const uint64_t h512[8] = { UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b),
    UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1),
    UINT64_C(0x9b05688c2b3e6c1f), UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179) };
static const uint64_t h384[8] = { UINT64_C(0xcbbb9d5dc1059ed8), UINT64_C(0x629a292a367cd507),
    UINT64_C(0x9159015a3070dd17), UINT64_C(0x152fecd8f70e5939), UINT64_C(0x67332667ffc00b31),
    UINT64_C(0x8eb44a8768581511), UINT64_C(0xdb0c2e0d64f98fa7), UINT64_C(0x47b5481dbefa4fa4) };
static const uint32_t k_md5[64] = { 0xd76aa478u, 0xe8c7b756u, 0x242070dbu, 0xc1bdceeeu, 0xf57c0fafu,
    0x4787c62au, 0xa8304613u, 0xfd469501u, 0x698098d8u, 0x8b44f7afu, 0xffff5bb1u, 0x895cd7beu,
    0x6b901122u, 0xfd987193u, 0xa679438eu, 0x49b40821u, 0xf61e2562u, 0xc040b340u, 0x265e5a51u,
    0xe9b6c7aau, 0xd62f105du, 0x02441453u, 0xd8a1e681u, 0xe7d3fbc8u, 0x21e1cde6u, 0xc33707d6u,
    0xf4d50d87u, 0x455a14edu, 0xa9e3e905u, 0xfcefa3f8u, 0x676f02d9u, 0x8d2a4c8au, 0xfffa3942u,
    0x8771f681u, 0x6d9d6122u, 0xfde5380cu, 0xa4beea44u, 0x4bdecfa9u, 0xf6bb4b60u, 0xbebfbc70u,
    0x289b7ec6u, 0xeaa127fau, 0xd4ef3085u, 0x04881d05u, 0xd9d4d039u, 0xe6db99e5u, 0x1fa27cf8u,
    0xc4ac5665u, 0xf4292244u, 0x432aff97u, 0xab9423a7u, 0xfc93a039u, 0x655b59c3u, 0x8f0ccc92u,
    0xffeff47du, 0x85845dd1u, 0x6fa87e4fu, 0xfe2ce6e0u, 0xa3014314u, 0x4e0811a1u, 0xf7537e82u,
    0xbd3af235u, 0x2ad7d2bbu, 0xeb86d391u };

static uint32_t left32(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

static uint32_t right32(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static uint64_t right64(uint64_t x, int by)
{
    return x >> by | x << (64 - by);
}

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

typedef void block_fn(void *state, const uint8_t *block);

/* feed: the text in blocks, then a 1 bit, zeros and the length: at the end of the last block, which
 * may
 * be one more. */
static void feed(const char *text, size_t n, size_t block, bool little, block_fn *take, void *state)
{
    const uint8_t *p = (const uint8_t *)text;
    const size_t tail = block == 128 ? 16 : 8;
    uint8_t last[256] = { 0 };
    size_t left = n;
    for (; left >= block; left -= block, p += block)
        take(state, p);
    if (left > 0)
        memcpy(last, p, left);
    last[left] = 0x80;
    const size_t end = left + 1 + tail <= block ? block : 2 * block;
    for (size_t i = 0; i < 8; i++)
        last[little ? end - 8 + i : end - 1 - i] = (uint8_t)((uint64_t)n * 8 >> (8 * i));
    take(state, last);
    if (end > block)
        take(state, last + block);
}

static void md5_block(void *state, const uint8_t *p)
{
    static const uint8_t shifts[4][4]
        = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };
    uint32_t *h = state, a = h[0], b = h[1], c = h[2], d = h[3];
    for (int i = 0; i < 64; i++) {
        const int round = i / 16;
        const uint32_t f = round == 0 ? (b & c) | (~b & d)
            : round == 1              ? (d & b) | (~d & c)
            : round == 2              ? b ^ c ^ d
                                      : c ^ (b | ~d);
        const int at = (round == 0          ? i
                               : round == 1 ? 5 * i + 1
                               : round == 2 ? 3 * i + 5
                                            : 7 * i)
            % 16;
        const uint8_t *w = p + 4 * at;
        const uint32_t word
            = w[0] | (uint32_t)w[1] << 8 | (uint32_t)w[2] << 16 | (uint32_t)w[3] << 24;
        const uint32_t next = b + left32(a + f + k_md5[i] + word, shifts[round][i % 4]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
}

void spk_md5(const char *p, size_t n, uint8_t out[16])
{
    uint32_t h[4] = { 0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u };
    feed(p, n, 64, true, md5_block, h);
    for (int i = 0; i < 16; i++)
        out[i] = (uint8_t)(h[i / 4] >> (8 * (i % 4)));
}

static void sha1_block(void *state, const uint8_t *p)
{
    uint32_t *h = state, w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++)
        w[i] = i < 16 ? big32(p + 4 * i) : left32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        const uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999u
            : i < 40              ? (b ^ c ^ d) + 0x6ed9eba1u
            : i < 60              ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu
                                  : (b ^ c ^ d) + 0xca62c1d6u;
        const uint32_t next = left32(a, 5) + f + e + w[i];
        e = d;
        d = c;
        c = left32(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void spk_sha1(const char *p, size_t n, uint8_t out[20])
{
    uint32_t h[5] = { 0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u };
    feed(p, n, 64, false, sha1_block, h);
    for (int i = 0; i < 20; i++)
        out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void sha256_block(void *state, const uint8_t *p)
{
    uint32_t *h = state, w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = big32(p + 4 * i);
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7]
            + (right32(w[i - 15], 7) ^ right32(w[i - 15], 18) ^ w[i - 15] >> 3)
            + (right32(w[i - 2], 17) ^ right32(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        const uint32_t t = s[7] + (right32(s[4], 6) ^ right32(s[4], 11) ^ right32(s[4], 25))
            + ((s[4] & s[5]) ^ (~s[4] & s[6])) + (uint32_t)(k512[i] >> 32) + w[i];
        const uint32_t u = (right32(s[0], 2) ^ right32(s[0], 13) ^ right32(s[0], 22))
            + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t;
        s[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

static void sha512_block(void *state, const uint8_t *p)
{
    uint64_t *h = state, w[80], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint64_t)big32(p + 8 * i) << 32 | big32(p + 8 * i + 4);
    for (int i = 16; i < 80; i++)
        w[i] = w[i - 16] + w[i - 7]
            + (right64(w[i - 15], 1) ^ right64(w[i - 15], 8) ^ w[i - 15] >> 7)
            + (right64(w[i - 2], 19) ^ right64(w[i - 2], 61) ^ w[i - 2] >> 6);
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 80; i++) {
        const uint64_t t = s[7] + (right64(s[4], 14) ^ right64(s[4], 18) ^ right64(s[4], 41))
            + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k512[i] + w[i];
        const uint64_t u = (right64(s[0], 28) ^ right64(s[0], 34) ^ right64(s[0], 39))
            + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t;
        s[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

void spk_sha2(const char *p, size_t n, int bits, uint8_t *out)
{
    uint64_t wide[8];
    uint32_t narrow[8];
    memcpy(wide, bits == 384 ? h384 : h512, sizeof wide);
    for (int i = 0; i < 8; i++) /* of 224: the lower halves of 384's */
        narrow[i] = bits == 224 ? (uint32_t)h384[i] : (uint32_t)(h512[i] >> 32);
    if (bits > 256)
        feed(p, n, 128, false, sha512_block, wide);
    else
        feed(p, n, 64, false, sha256_block, narrow);
    for (int i = 0; i < bits / 8; i++)
        out[i] = bits > 256 ? (uint8_t)(wide[i / 8] >> (56 - 8 * (i % 8)))
                            : (uint8_t)(narrow[i / 4] >> (24 - 8 * (i % 4)));
}

uint32_t spk_crc32(const char *p, size_t n)
{
    static const uint32_t table[16] = { 0, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u,
        0x6b6b51f4u, 0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
        0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu };
    uint32_t x = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        x ^= (unsigned char)p[i];
        x = x >> 4 ^ table[x & 15];
        x = x >> 4 ^ table[x & 15];
    }
    return ~x;
}
