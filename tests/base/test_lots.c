/* SPDX-License-Identifier: Apache-2.0 */
/* Lots: the same whatever bound they are drawn under, and the rows of the smallest ones a uniform
 * sample over streams of any lengths. Seeds are fixed, bounds six standard deviations wide. */
#include "support/spark_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/lots.h"

enum { ROWS = 20000 };

/* all_lots: of the first ROWS rows of a stream: each has one. */
static void all_lots(uint64_t seed, uint64_t stream, uint64_t *lots)
{
    spk_lots l;
    spk_lots_init(&l, seed, stream);
    for (uint64_t i = 0; i < ROWS; i++) {
        assert_true(l.soonest == i);
        lots[i] = spk_lots_draw(&l, UINT64_MAX);
    }
}

static void test_lots__up_to_a_bound_are_those_of_all(void **state)
{
    static uint64_t all[ROWS], some[ROWS];
    (void)state;
    for (unsigned shift = 0; shift < 20; shift++) {
        const uint64_t last = UINT64_MAX >> shift;
        spk_lots l;
        all_lots(5, shift, all);
        memset(some, 0xff, sizeof some);
        spk_lots_init(&l, 5, shift);
        for (uint64_t at; (at = l.soonest) < ROWS;) /* the bound falls on the way */
            some[at] = spk_lots_draw(&l, at < ROWS / 2 ? UINT64_MAX >> shift / 2 : last);
        for (size_t i = 0; i < ROWS; i++)
            assert_true(all[i] > last ? some[i] > last : some[i] == all[i]);
    }
}

static void test_lots__halve_as_the_bound_does(void **state)
{
    static uint64_t all[ROWS];
    (void)state;
    all_lots(1, 0, all);
    for (unsigned shift = 0; shift < 10; shift++) {
        double p = 1, n = 0; /* of a hit at some level whose lots are so small */
        for (int level = (int)shift; level < SPK_LOTS_LEVELS; level++)
            p *= 1 - ldexp(1, -level);
        p = 1 - p;
        for (size_t i = 0; i < ROWS; i++)
            n += all[i] <= UINT64_MAX >> shift;
        assert_true(fabs(n - ROWS * p) <= 6 * sqrt(ROWS * p * (1 - p)) + 1e-6);
    }
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void test_lots__choose_from_streams_of_any_length_alike(void **state)
{
    /* 10 streams of 100, 200, 400, ... rows: 2000 smallest lots of 102,300. */
    enum { STREAMS = 10, TAKEN = 2000 };
    static uint64_t lots[102300], sorted[102300];
    size_t n = 0, chosen[STREAMS] = { 0 }, early = 0;
    (void)state;
    for (uint64_t s = 0; s < STREAMS; s++) {
        spk_lots l;
        spk_lots_init(&l, 99, s);
        for (size_t i = 0; i < (size_t)100 << s; i++)
            lots[n++] = spk_lots_draw(&l, UINT64_MAX);
    }
    memcpy(sorted, lots, sizeof sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t s = 0, at = 0; s < STREAMS; s++) {
        const size_t rows = (size_t)100 << s;
        for (size_t i = 0; i < rows; i++, at++) {
            chosen[s] += lots[at] < sorted[TAKEN];
            early += lots[at] < sorted[TAKEN] && i < rows / 2;
        }
        const double p = (double)TAKEN / (double)n;
        assert_true(fabs((double)chosen[s] - (double)rows * p)
            <= 6 * sqrt((double)rows * p * (1 - p)));
    }
    assert_true(fabs((double)early - TAKEN / 2.0) <= 6 * sqrt(TAKEN / 4.0));
}

static void test_lots__of_few_are_found_at_once(void **state)
{
    spk_lots l;
    int visited = 0;
    (void)state;
    spk_lots_init(&l, 3, 0);
    spk_lots_draw(&l, UINT64_MAX >> 20);
    for (; l.soonest < UINT64_C(1) << 30; visited++)
        spk_lots_draw(&l, UINT64_MAX >> 20);
    assert_in_range(visited, 1024 - 6 * 32, 2048 + 6 * 64); /* of 2^30 rows, one in 2^20, or 2^19 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lots__up_to_a_bound_are_those_of_all),
        cmocka_unit_test(test_lots__halve_as_the_bound_does),
        cmocka_unit_test(test_lots__choose_from_streams_of_any_length_alike),
        cmocka_unit_test(test_lots__of_few_are_found_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
