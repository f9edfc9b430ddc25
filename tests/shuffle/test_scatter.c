/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to their places, beside a stable sort written down in the plainest way: any size, number and skew of rows, with
 * lines and without; and nothing is written beside the places. */
#include "support/fixture.h"

#include "shuffle/scatter.h"

static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x >> 11;
}

enum { BESIDE = 64 };

/* check: n rows of so many bytes, most of them in few slices where it is skewed. True: lines were used. */
static bool check(size_t n, size_t size, uint32_t slices, bool skewed, uint64_t seed)
{
    uint32_t *ids = malloc(n * sizeof *ids + 1), *at = calloc(slices + 1, sizeof *at), *starts = calloc(slices + 1, 4);
    char *rows = malloc(n * size + 1), *want = malloc(n * size + 1), *room = aligned_alloc(64, (n * size / 64 + 3) * 64);
    const size_t bytes = spk_scatter_lines(n, size, slices);
    char *lines = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL, *to = room + BESIDE;
    for (size_t i = 0; i < n; i++)
        ids[i] = (uint32_t)(next(&seed) % (skewed && next(&seed) % 8 ? 1 + slices / 100 : slices));
    for (size_t i = 0; i < n * size; i++)
        rows[i] = (char)next(&seed);
    for (size_t i = 0; i < n; i++)
        starts[ids[i] + 1]++;
    for (uint32_t k = 0; k < slices; k++)
        starts[k + 1] += starts[k];
    memcpy(at, starts, slices * sizeof *at);
    for (size_t i = 0; i < n; i++)
        memcpy(want + at[ids[i]]++ * size, rows + i * size, size);

    memcpy(at, starts, slices * sizeof *at);
    memset(room, 0x55, n * size + 2 * BESIDE);
    const spk_scatter s = { ids, at, starts, slices, lines };
    spk_scatter_rows(&s, to, rows, n, size);
    if (memcmp(to, want, n * size) != 0 || memcmp(at, starts + 1, slices * sizeof *at) != 0)
        fail_msg("%zu rows of %zu bytes in %u slices%s", n, size, slices, skewed ? ", skewed" : "");
    for (size_t i = 0; i < BESIDE; i++)
        assert_true(room[i] == 0x55 && to[n * size + i] == 0x55);
    free(ids), free(at), free(starts), free(rows), free(want), free(room), free(lines);
    return bytes > 0;
}

static void test_scatter__is_a_stable_sort_by_slices(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 4, 8, 12, 16, 24, 32, 40, 48, 56, 64, 72, 104, 200, 256, 264, 1000 };
    static const uint32_t slices[] = { 1, 2, 256, 257, 1000 };
    uint64_t seed = 20261201;
    size_t with = 0, without = 0;
    for (size_t z = 0; z < sizeof sizes / sizeof sizes[0]; z++)
        for (size_t k = 0; k < sizeof slices / sizeof slices[0]; k++)
            for (int i = 0; i < 4; i++) {
                const size_t most = 700000 / sizes[z], n = i == 0 ? most : next(&seed) % most;
                *(check(n, sizes[z], slices[k], i % 2, next(&seed) | 1) ? &with : &without) += 1;
            }
    assert_true(with > 40 && without > 40);
    assert_false(check(0, 16, 256, false, 1));
}

static void test_scatter__asks_for_lines_that_stay_in_a_cache(void **state)
{
    (void)state;
    assert_int_equal(spk_scatter_lines(100000, 24, 256), 256 * 8 * 24);
    assert_int_equal(spk_scatter_lines(1000, 24, 256), 0);     /* rows that are in one themselves */
    assert_int_equal(spk_scatter_lines(100000, 20, 256), 0);   /* eight rows are no whole lines */
    assert_int_equal(spk_scatter_lines(100000, 24, 100000), 0); /* a line would never be full */
    assert_int_equal(spk_scatter_lines(100000, 512, 256), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scatter__is_a_stable_sort_by_slices),
        cmocka_unit_test(test_scatter__asks_for_lines_that_stay_in_a_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
