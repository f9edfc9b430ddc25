/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes: 8-byte keys never collide, bytes hash by what they are and not where, and keys as programs
 * have them spread evenly over partitions, slices and salts. */
#include "support/spark_test.h"

#include <stdlib.h>

#include "base/hash.h"

static uint64_t random_state = 42;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

/* ---- 8-byte keys */

/* unhash: the inverse, step by step; an odd factor has one modulo 2^64. */
static uint64_t unhash(uint64_t h)
{
    uint64_t inverse = 1;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - UINT64_C(0xd6e8feb86659fd93) * inverse;
    h ^= h >> 32;
    h *= inverse;
    return h ^ h >> 29 ^ h >> 58;
}

static void test_u64__has_an_inverse(void **state)
{
    (void)state;
    for (uint64_t x = 0; x < 100000; x++) {
        const uint64_t tries[] = { x, ~x, x << 20, x << 44, x << 32 | x, random_u64() };
        for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
            assert_true(unhash(spk_hash_u64(tries[i])) == tries[i]);
    }
    for (int bit = 0; bit < 64; bit++)
        assert_true(unhash(spk_hash_u64(UINT64_C(1) << bit)) == UINT64_C(1) << bit);
}

/* ---- bytes */

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void expect_distinct(uint64_t *hashes, size_t n)
{
    qsort(hashes, n, sizeof *hashes, by_value);
    for (size_t i = 1; i < n; i++)
        assert_true(hashes[i] != hashes[i - 1]);
}

static void test_bytes__hash_equal_at_any_alignment(void **state)
{
    enum { MOST = 200 };
    unsigned char bytes[MOST], room[MOST + 32];
    (void)state;
    for (size_t n = 0; n <= MOST; n++) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = (unsigned char)random_u64();
        const uint64_t h = spk_hash_bytes(bytes, n);
        for (size_t at = 0; at < 32; at++) {
            for (size_t i = 0; i < sizeof room; i++)
                room[i] = (unsigned char)random_u64();
            memcpy(room + at, bytes, n);
            assert_true(spk_hash_bytes(room + at, n) == h);
        }
    }
}

static void test_bytes__of_none_need_no_address(void **state)
{
    (void)state;
    assert_true(spk_hash_bytes(NULL, 0) == spk_hash_bytes("x", 0));
}

static void test_bytes__read_no_further_than_their_end(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 100; n++) {
        char *exact = malloc(n ? n : 1); /* a sanitizer sees what lies behind */
        assert_non_null(exact);
        memset(exact, 'a', n ? n : 1);
        const uint64_t h = spk_hash_bytes(exact, n);
        char longer[128];
        memset(longer, 'b', sizeof longer);
        memset(longer, 'a', n);
        assert_true(spk_hash_bytes(longer, n) == h);
        free(exact);
    }
}

static void test_bytes__of_up_to_two_never_collide(void **state)
{
    static uint64_t hashes[1 + 256 + 65536];
    size_t n = 0;
    (void)state;
    hashes[n++] = spk_hash_bytes("", 0);
    for (int a = 0; a < 256; a++) {
        const unsigned char one = (unsigned char)a;
        hashes[n++] = spk_hash_bytes(&one, 1);
        for (int b = 0; b < 256; b++)
            hashes[n++] = spk_hash_bytes((unsigned char[]) { one, (unsigned char)b }, 2);
    }
    expect_distinct(hashes, n);
}

static void test_bytes__alike_never_collide(void **state)
{
    enum { N = 200000 };
    static uint64_t hashes[5 * N];
    static char zeros[N / 100];
    size_t n = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        char text[64];
        hashes[n++] = spk_hash_bytes(text, (size_t)snprintf(text, sizeof text, "%d", i));
        hashes[n++] = spk_hash_bytes(text, (size_t)snprintf(text, sizeof text, "user-%08d", i));
        hashes[n++] = spk_hash_bytes(text,
            (size_t)snprintf(text, sizeof text, "https://example.org/%d/index.html?page=1", i));
        const uint64_t blocks[] = { (uint64_t)i, 0, (uint64_t)(i + 1), (uint64_t)i };
        hashes[n++] = spk_hash_bytes(blocks, sizeof blocks);
    }
    for (size_t i = 1; i < sizeof zeros; i++)
        hashes[n++] = spk_hash_bytes(zeros, i);
    expect_distinct(hashes, n);
}

static void test_bytes__depend_on_every_bit(void **state)
{
    static uint64_t hashes[100 * 8 + 1];
    (void)state;
    for (size_t size = 1; size <= 100; size++) {
        unsigned char bytes[100] = { 0 };
        size_t n = 0;
        hashes[n++] = spk_hash_bytes(bytes, size);
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
            hashes[n++] = spk_hash_bytes(bytes, size);
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        expect_distinct(hashes, n);
    }
}

static void test_bytes__depend_on_the_order_of_blocks(void **state)
{
    static uint64_t hashes[5 * 5 * 5 * 5];
    size_t n = 0;
    (void)state;
    for (uint64_t i = 0; i < 625; i++) {
        const uint64_t blocks[] = { i % 5, 0, i / 5 % 5, 0, i / 25 % 5, 0, i / 125, 0 };
        hashes[n++] = spk_hash_bytes(blocks, sizeof blocks);
    }
    expect_distinct(hashes, n);
}

static void test_bytes__flip_half_of_the_hash(void **state)
{
    enum { ROUNDS = 400 };
    (void)state;
    for (size_t size = 1; size <= 40; size += 3) {
        uint64_t flips = 0;
        for (int i = 0; i < ROUNDS; i++) {
            unsigned char bytes[40];
            for (size_t j = 0; j < size; j++)
                bytes[j] = (unsigned char)random_u64();
            const uint64_t h = spk_hash_bytes(bytes, size);
            bytes[random_u64() % size] ^= (unsigned char)(1u << random_u64() % 8);
            flips += (uint64_t)__builtin_popcountll(h ^ spk_hash_bytes(bytes, size));
        }
        assert_true(flips > ROUNDS * 30 && flips < ROUNDS * 34);
    }
}

static void test_combine__depends_on_order_and_number(void **state)
{
    static uint64_t hashes[3 * 40 * 40];
    size_t n = 0;
    (void)state;
    for (uint64_t a = 0; a < 40; a++)
        for (uint64_t b = 0; b < 40; b++) {
            const uint64_t h = spk_hash_combine(spk_hash_combine(SPK_HASH_SEED, a), b);
            hashes[n++] = h;
            hashes[n++] = spk_hash_combine(h, 0);
            hashes[n++] = spk_hash_combine(h, UINT64_C(0xe7037ed1a0b428db)); /* a factor is 0 */
        }
    expect_distinct(hashes, n);
}

/* ---- distribution */

enum { KEYS = 100000 };

static uint64_t from_double(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* hash_of: the hash of key i of a family, as the engine computes it for such keys. */
static uint64_t hash_of(int family, uint64_t i)
{
    char text[64];
    switch (family) {
    case 0:
        return spk_hash_u64(i);
    case 1:
        return spk_hash_u64(0 - i);
    case 2:
        return spk_hash_u64(i * 1000);
    case 3:
        return spk_hash_u64(i * 1024);
    case 4:
        return spk_hash_u64(i << 32);
    case 5:
        return spk_hash_u64(i << 44);
    case 6:
        return spk_hash_u64(i << 32 | i);
    case 7:
        return spk_hash_u64((i % 300) << 32 | i / 300);
    case 8:
        return spk_hash_u64((i % 300) << 48 | (i / 300) << 16);
    case 9:
        return spk_hash_u64(UINT64_C(1700000000000000) + i * 1000000);
    case 10:
        return spk_hash_u64(from_double((double)i));
    case 11:
        return spk_hash_u64(from_double((double)i / 100));
    case 12:
        return spk_hash_u64((uint32_t)(0 - i));
    case 13:
        return spk_hash_bytes(text, (size_t)snprintf(text, sizeof text, "%d", (int)i));
    case 14:
        return spk_hash_bytes(text, (size_t)snprintf(text, sizeof text, "k%010d", (int)i));
    case 15:
        return spk_hash_bytes(text, (size_t)snprintf(text, sizeof text, "%025d", (int)i));
    case 16:
        return spk_hash_bytes((uint64_t[]) { i % 300, i / 300 }, 16);
    case 17:
        return spk_hash_bytes((uint64_t[]) { i, i, i }, 24);
    case 18:
        return spk_hash_combine(spk_hash_combine(SPK_HASH_SEED, i % 300), i / 300);
    default:
        return spk_hash_u64(i * UINT64_C(0x9e3779b97f4a7c15));
    }
}
enum { FAMILIES = 20 };

/* expect_even: no cell holds more than `most` times its share, and some for chance. */
static void expect_even(
    const uint32_t *cells, size_t n, double keys, double most, const char *what, int family)
{
    const double mean = keys / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double off = (double)cells[i] - most * mean;
        if (off > 0 && off * off > 36 * mean)
            fail_msg("family %d: %s %zu of %zu holds %u, %.0f is even", family, what, i, n,
                cells[i], mean);
    }
}

static void test_partitions__are_even_for_structured_keys(void **state)
{
    static const uint32_t counts[] = { 2, 3, 7, 8, 10, 16, 64, 100, 200, 256, 1000 };
    (void)state;
    for (int family = 0; family < FAMILIES; family++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            static uint32_t cells[1000];
            memset(cells, 0, sizeof cells);
            for (uint64_t i = 0; i < KEYS; i++)
                cells[(hash_of(family, i) >> 32) * counts[c] >> 32]++;
            expect_even(cells, counts[c], KEYS, 1, "partition", family);
        }
}

static void test_slices__are_even_within_partitions(void **state)
{
    enum { SLICES = 256 };
    (void)state;
    for (int family = 0; family < FAMILIES; family++) {
        static uint32_t cells[SLICES];
        memset(cells, 0, sizeof cells);
        for (uint64_t i = 0; i < KEYS; i++)
            cells[(hash_of(family, i) >> 32) * SLICES >> 32]++;
        expect_even(cells, SLICES, KEYS, 1, "slice", family);
    }
}

static void test_salts__are_even_within_a_shard(void **state)
{
    enum { SALTS = 64 };
    (void)state;
    for (int family = 0; family < FAMILIES; family++) {
        static uint32_t cells[SALTS];
        double keys = 0;
        memset(cells, 0, sizeof cells);
        for (uint64_t i = 0; i < (uint64_t)KEYS * 4; i++) {
            const uint64_t h = hash_of(family, i);
            if (h >> 60 != 5)
                continue;
            cells[h >> 32 & (SALTS - 1)]++;
            keys++;
        }
        expect_even(cells, SALTS, keys, 1, "salt", family);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u64__has_an_inverse),
        cmocka_unit_test(test_bytes__hash_equal_at_any_alignment),
        cmocka_unit_test(test_bytes__of_none_need_no_address),
        cmocka_unit_test(test_bytes__read_no_further_than_their_end),
        cmocka_unit_test(test_bytes__of_up_to_two_never_collide),
        cmocka_unit_test(test_bytes__alike_never_collide),
        cmocka_unit_test(test_bytes__depend_on_every_bit),
        cmocka_unit_test(test_bytes__depend_on_the_order_of_blocks),
        cmocka_unit_test(test_bytes__flip_half_of_the_hash),
        cmocka_unit_test(test_combine__depends_on_order_and_number),
        cmocka_unit_test(test_partitions__are_even_for_structured_keys),
        cmocka_unit_test(test_slices__are_even_within_partitions),
        cmocka_unit_test(test_salts__are_even_within_a_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
