/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: those of SplitMix64, streams that have nothing to do with each other, and draws
 * distributed as they should be. Seeds are fixed, and bounds are six standard deviations wide. */
#include "support/spark_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"

enum { MANY = 200000 };

static bool near(double have, double want, double deviation)
{
    return fabs(have - want) <= 6 * deviation;
}

/* ---- the numbers themselves */

static void test_u64__gives_the_numbers_of_splitmix64(void **state)
{
    static const uint64_t from_1234567[] = { UINT64_C(6457827717110365317),
        UINT64_C(3203168211198807973), UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821) };
    static const uint64_t from_0[] = { UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
        UINT64_C(0x06c45d188009454f), UINT64_C(0xf88bb8a8724c81ec) };
    spk_random r = { 1234567 };
    (void)state;
    for (size_t i = 0; i < sizeof from_1234567 / sizeof *from_1234567; i++)
        assert_true(spk_random_u64(&r) == from_1234567[i]);
    r.state = 0;
    for (size_t i = 0; i < sizeof from_0 / sizeof *from_0; i++)
        assert_true(spk_random_u64(&r) == from_0[i]);
}

static void test_of__gives_the_same_stream_again(void **state)
{
    spk_random a = spk_random_of(17, 4), b = spk_random_of(17, 4);
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(spk_random_u64(&a) == spk_random_u64(&b));
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void test_of__gives_streams_that_do_not_meet(void **state)
{
    /* Small seeds and streams are the likely ones. Streams meet where their states do, some draws
     * apart: then a number comes up in both. */
    enum { SEEDS = 60, STREAMS = 60, DRAWS = 40, ALL = SEEDS * STREAMS * DRAWS };
    static uint64_t drawn[ALL];
    size_t n = 0;
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint64_t stream = 0; stream < STREAMS; stream++) {
            spk_random r = spk_random_of(seed < 50 ? seed : seed << 40, stream);
            for (int i = 0; i < DRAWS; i++)
                drawn[n++] = spk_random_u64(&r);
        }
    qsort(drawn, n, sizeof *drawn, by_value);
    for (size_t i = 1; i < n; i++)
        assert_true(drawn[i] != drawn[i - 1]);
}

static void test_of__gives_first_draws_that_are_even(void **state)
{
    /* One draw a stream, as few elements a partition have: each bit is set in half of them, and
     * neighbours agree in half of their bits. */
    int set[64] = { 0 }, differ[64] = { 0 };
    uint64_t last = 0;
    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        spk_random r = spk_random_of(i / 1000, i % 1000);
        const uint64_t x = spk_random_u64(&r);
        for (int bit = 0; bit < 64; bit++) {
            set[bit] += (int)(x >> bit & 1);
            differ[bit] += (int)((x ^ last) >> bit & 1);
        }
        last = x;
    }
    for (int bit = 0; bit < 64; bit++) {
        assert_true(near(set[bit], MANY / 2.0, sqrt(MANY) / 2));
        assert_true(near(differ[bit], MANY / 2.0, sqrt(MANY) / 2));
    }
}

/* ---- unit */

static void test_unit__is_even_between_0_and_1(void **state)
{
    enum { CELLS = 100 };
    int cells[CELLS] = { 0 };
    int bits[51] = { 0 };
    double sum = 0, squares = 0, products = 0, last = 0.5;
    spk_random r = spk_random_of(1, 1);
    (void)state;
    for (int i = 0; i < MANY; i++) {
        const double u = spk_random_unit(&r);
        assert_true(u > 0 && u < 1);
        cells[(int)(u * CELLS)]++;
        for (int bit = 0; bit < 51; bit++)
            bits[bit] += (int)((uint64_t)(u * 0x1p51) >> bit & 1);
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
        products += (u - 0.5) * (last - 0.5);
        last = u;
    }
    assert_true(near(sum / MANY, 0.5, sqrt(1 / 12.0 / MANY)));
    assert_true(near(squares / MANY, 1 / 12.0, sqrt(1 / 180.0 / MANY)));
    assert_true(near(products / MANY, 0, sqrt(1 / 144.0 / MANY)));
    for (int i = 0; i < CELLS; i++)
        assert_true(near(cells[i], (double)MANY / CELLS, sqrt((double)MANY / CELLS)));
    for (int bit = 0; bit < 51; bit++)
        assert_true(near(bits[bit], MANY / 2.0, sqrt(MANY) / 2));
}

/* before: the state from which spk_random_u64 gives x: each of its steps backwards. */
static uint64_t unshift(uint64_t x, int by)
{
    uint64_t y = x;
    for (int i = 0; i < 64 / by + 1; i++)
        y = x ^ y >> by;
    return y;
}
static uint64_t inverse(uint64_t odd)
{
    uint64_t y = 1;
    for (int i = 0; i < 6; i++)
        y *= 2 - odd * y;
    return y;
}
static spk_random before(uint64_t x)
{
    x = unshift(x, 31) * inverse(UINT64_C(0x94d049bb133111eb));
    x = unshift(x, 27) * inverse(UINT64_C(0xbf58476d1ce4e5b9));
    return (spk_random) { unshift(x, 30) - UINT64_C(0x9e3779b97f4a7c15) };
}

static void test_unit__of_rare_numbers_is_between_0_and_1(void **state)
{
    static const uint64_t rare[]
        = { 0, 1, (UINT64_C(1) << 11) - 1, UINT64_C(1) << 63, UINT64_MAX << 12 };
    (void)state;
    for (size_t i = 0; i < sizeof rare / sizeof *rare; i++) {
        spk_random r = before(rare[i]), again = r;
        assert_true(spk_random_u64(&again) == rare[i]);
        const double u = spk_random_unit(&r);
        assert_true(u > 0);
        assert_true(u < 1);
    }
}

/* ---- below */

static void test_below__is_even(void **state)
{
    static const uint64_t limits[] = { 1, 2, 3, 7, 10, 64, 100 };
    (void)state;
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        const uint64_t n = limits[l];
        int cells[100] = { 0 };
        spk_random r = spk_random_of(2, n);
        for (int i = 0; i < MANY; i++) {
            const uint64_t x = spk_random_below(&r, n);
            assert_true(x < n);
            cells[x]++;
        }
        const double p = 1 / (double)n;
        for (uint64_t i = 0; i < n; i++)
            assert_true(near(cells[i], MANY * p, sqrt(MANY * p * (1 - p))));
    }
}

static void test_below__is_even_for_limits_that_do_not_divide(void **state)
{
    /* Of 3 * 2^62 numbers a third would come twice as often as the others, were none refused. */
    const uint64_t n = UINT64_C(3) << 62;
    int cells[3] = { 0 }, thirds[3] = { 0 };
    spk_random r = spk_random_of(3, 0);
    (void)state;
    for (int i = 0; i < MANY; i++) {
        const uint64_t x = spk_random_below(&r, n);
        assert_true(x < n);
        cells[x % 3]++;
        thirds[x >> 62]++;
    }
    for (int i = 0; i < 3; i++) {
        assert_true(near(cells[i], MANY / 3.0, sqrt(MANY * 2 / 9.0)));
        assert_true(near(thirds[i], MANY / 3.0, sqrt(MANY * 2 / 9.0)));
    }
    const uint64_t large[] = { UINT64_MAX, (UINT64_C(1) << 63) + 1, UINT64_C(1) << 63 };
    for (size_t l = 0; l < 3; l++) {
        int upper = 0;
        for (int i = 0; i < MANY; i++) {
            const uint64_t x = spk_random_below(&r, large[l]);
            assert_true(x < large[l]);
            upper += x >= large[l] / 2;
        }
        assert_true(near(upper, MANY / 2.0, sqrt(MANY) / 2));
    }
}

/* ---- gap */

static void test_gap__is_geometric(void **state)
{
    enum { CELLS = 30 };
    static const double chances[] = { 1e-4, 0.01, 0.1, 0.3, 0.4, 0.5, 0.9, 0.999999 };
    (void)state;
    for (size_t c = 0; c < sizeof chances / sizeof *chances; c++) {
        const double p = chances[c];
        double sum = 0, q = p;
        int cells[CELLS] = { 0 };
        spk_random r = spk_random_of(4, c);
        for (int i = 0; i < MANY; i++) {
            const uint64_t gap = spk_random_gap(&r, p);
            sum += (double)gap;
            if (gap < CELLS)
                cells[gap]++;
        }
        assert_true(near(sum / MANY, (1 - p) / p, sqrt((1 - p) / (p * p) / MANY)));
        for (int i = 0; i < CELLS; i++, q *= 1 - p)
            assert_true(near(cells[i], MANY * q, sqrt(MANY * q * (1 - q)) + 0.2));
    }
}

static void test_gap__of_tiny_chances_is_long(void **state)
{
    static const double chances[] = { 1e-30, 1e-300, 5e-324 };
    spk_random r = spk_random_of(5, 0);
    double sum = 0;
    (void)state;
    for (size_t c = 0; c < sizeof chances / sizeof *chances; c++)
        for (int i = 0; i < 1000; i++) {
            const uint64_t gap = spk_random_gap(&r, chances[c]);
            /* Two of them can be added. */
            assert_true(gap >= UINT64_C(100000000000000000) && gap < UINT64_C(1) << 62);
        }
    /* As long as it should be where 1 - p is 1. */
    for (int i = 0; i < MANY; i++)
        sum += (double)spk_random_gap(&r, 1e-17) / 1e17;
    assert_true(near(sum / MANY, 1, 1 / sqrt(MANY)));
}

/* ---- poisson */

static void test_poisson__has_its_distribution(void **state)
{
    enum { CELLS = 400 };
    static const double means[]
        = { 1e-3, 0.1, 0.4, 1, 3.5, 10, 63.9, 64, 64.1, 100, 128, 200, 300 };
    (void)state;
    for (size_t m = 0; m < sizeof means / sizeof *means; m++) {
        const double mean = means[m];
        const int n = mean < 50 ? MANY : MANY / 20;
        double sum = 0, squares = 0;
        int cells[CELLS + 1] = { 0 };
        spk_random r = spk_random_of(6, m);
        for (int i = 0; i < n; i++) {
            const uint64_t k = spk_random_poisson(&r, mean);
            const double off = (double)k - mean;
            sum += off;
            squares += off * off;
            cells[k < CELLS ? k : CELLS]++;
        }
        assert_int_equal(cells[CELLS], 0);
        assert_true(near(sum / n, 0, sqrt(mean / n)));
        assert_true(near(squares / n, mean, sqrt((mean + 2 * mean * mean) / n)));
        for (int k = 0; k < CELLS; k++) {
            const double p = exp(k * log(mean) - mean - lgamma(k + 1));
            assert_true(near(cells[k], n * p, sqrt(n * p * (1 - p)) + 0.2));
        }
    }
}

static void test_poisson__of_mean_0_is_0(void **state)
{
    spk_random r = spk_random_of(7, 0);
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(spk_random_poisson(&r, 0) == 0);
        assert_true(spk_random_poisson(&r, 1e-300) == 0);
    }
}

static void test_poisson__of_a_large_mean_is_near_it(void **state)
{
    spk_random r = spk_random_of(8, 0);
    (void)state;
    for (int i = 0; i < 20; i++) {
        const double mean = 1000.5 * (i + 1);
        assert_true(near((double)spk_random_poisson(&r, mean), mean, sqrt(mean)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u64__gives_the_numbers_of_splitmix64),
        cmocka_unit_test(test_of__gives_the_same_stream_again),
        cmocka_unit_test(test_of__gives_streams_that_do_not_meet),
        cmocka_unit_test(test_of__gives_first_draws_that_are_even),
        cmocka_unit_test(test_unit__is_even_between_0_and_1),
        cmocka_unit_test(test_unit__of_rare_numbers_is_between_0_and_1),
        cmocka_unit_test(test_below__is_even),
        cmocka_unit_test(test_below__is_even_for_limits_that_do_not_divide),
        cmocka_unit_test(test_gap__is_geometric),
        cmocka_unit_test(test_gap__of_tiny_chances_is_long),
        cmocka_unit_test(test_poisson__has_its_distribution),
        cmocka_unit_test(test_poisson__of_mean_0_is_0),
        cmocka_unit_test(test_poisson__of_a_large_mean_is_near_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
