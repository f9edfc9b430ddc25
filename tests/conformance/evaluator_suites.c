/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's SumEvaluatorSuite, CountEvaluatorSuite and RandomSamplerSuite, through the actions that
 * estimate and through samples. */
#include "gate.h"
#include "suite.h"

#include <math.h>

/* ---- estimates of sums and counts */

/* shares: what is in each of ten partitions. The first `done` of them finish, the others wait until
 * nobody wants them any more: the gate is never opened. */
enum { SHARES = 10 };
typedef struct shares {
    int done;
    int n[SHARES];
    double x[SHARES][3];
    gate_ref closed;
} shares;
SPARK_PARTITIONS(share_of, int64_t, double, shares)
{
    const int p = spark_task_partition(task);
    if (p >= env->done)
        gate_wait(env->closed, task);
    for (int i = 0; i < env->n[p]; i++)
        spark_emit(out, env->x[p][i]);
}

typedef spark_status (*approximation)(
    spark_site at, spark_rdd *rdd, int64_t timeout_ms, double confidence, spark_bounded *result);

/* estimate: with more and more time, until all partitions that finish are in it: the job tells how
 * many tasks have succeeded. Its time ends before the patience of a gate does. */
static spark_bounded estimate(approximation action, const shares *from, int threads)
{
    enum { SHORT = 20, LONG = 20000 };
    spark_bounded found = { 0, 0, 0, 0, false };
    int64_t tasks = -1;
    gate g;
    gate_init(&g);
    shares all = *from;
    all.closed = g.state;
    spark_context *sc = oracle_open(threads);
    spark_rdd *rdd
        = spark_map_partitions(spark_range(sc, 0, SHARES, 1, SHARES), share_of, SPARK_COPY(all));
    for (int64_t ms = SHORT; tasks < all.done && ms < LONG; ms *= 2) {
        oracle_ok(action(SPARK_HERE, rdd, ms, 0.95, &found));
        tasks = oracle_last_job(sc).tasks;
    }
    oracle_close(sc);
    gate_fini(&g);
    assert_int_equal(tasks, all.done);
    return found;
}

static bool same(double have, double want)
{
    return have == want || (isnan(have) && isnan(want))
        || (isfinite(want) && fabs(have - want) <= 1e-6 * fabs(want));
}

/* estimates: the same on one thread, on which partitions come one after the other, and where those
 * that wait have threads of their own. */
static void estimates(approximation action, shares from, spark_bounded want)
{
    for (int i = 0; i < 2; i++) {
        const spark_bounded have = estimate(action, &from, i == 0 ? 1 : from.done + 2);
        if (!same(have.mean, want.mean) || !same(have.low, want.low) || !same(have.high, want.high))
            fail_msg("%.17g from %.17g to %.17g", have.mean, have.low, have.high);
        assert_true(have.confidence == want.confidence);
        assert_int_equal(have.final, want.final);
    }
}

static const spark_bounded no_sum = { 0, 0, -HUGE_VAL, HUGE_VAL, false };
static const spark_bounded no_count = { 0, 0, 0, HUGE_VAL, false };

static void sum_evaluator_suite__one_number_has_no_bounds(void **state)
{
    (void)state;
    estimates(spark_sum_approx, (shares) { .done = 1, .n = { 1 }, .x = { { 2 } } },
        (spark_bounded) { 20, 0.95, -HUGE_VAL, HUGE_VAL, false });
}

static void sum_evaluator_suite__three_numbers_in_one_partition(void **state)
{
    (void)state;
    estimates(spark_sum_approx, (shares) { .done = 1, .n = { 3 }, .x = { { 1, 3, 2 } } },
        (spark_bounded) { 60, 0.95, -101.7362525347778, 221.7362525347778, false });
}

static void sum_evaluator_suite__no_number_makes_the_sum_none(void **state)
{
    (void)state;
    estimates(spark_sum_approx, (shares) { .done = 1, .n = { 3 }, .x = { { 1, NAN, 2 } } },
        (spark_bounded) { NAN, 0.95, -HUGE_VAL, HUGE_VAL, false });
}

static void sum_evaluator_suite__more_partitions_narrow_the_bounds(void **state)
{
    (void)state;
    shares from = { .done = 2, .n = { 1, 1, 1 }, .x = { { 1 }, { 3 }, { 8 } } };
    estimates(spark_sum_approx, from,
        (spark_bounded) { 20, 0.95, -186.4513905077019, 226.4513905077019, false });
    from.done = 3;
    estimates(spark_sum_approx, from,
        (spark_bounded) { 40, 0.95, -72.75723361226733, 152.75723361226733, false });
}

static void sum_evaluator_suite__all_partitions_give_the_sum_itself(void **state)
{
    (void)state;
    shares from = { .done = SHARES, .x = { { 1 }, { 3 }, { 8 } } };
    for (int i = 0; i < SHARES; i++) {
        from.n[i] = 1;
        if (i >= 3)
            from.x[i][0] = 9;
    }
    estimates(spark_sum_approx, from, (spark_bounded) { 75, 1, 75, 75, true });
}

static void sum_evaluator_suite__of_nothing(void **state)
{
    /* No partition is done, or one in which there is nothing. */
    (void)state;
    for (int done = 0; done < 2; done++)
        estimates(spark_sum_approx, (shares) { .done = done }, no_sum);
}

static void count_evaluator_suite__of_nothing(void **state)
{
    (void)state;
    for (int done = 0; done < 2; done++)
        estimates(spark_count_approx, (shares) { .done = done }, no_count);
}

static void count_evaluator_suite__bounds_are_those_of_a_poisson_distribution(void **state)
{
    (void)state;
    shares from = { .done = 1, .n = { 1, 3, 3 } };
    estimates(spark_count_approx, from, (spark_bounded) { 10, 0.95, 5, 16, false });
    from.done = 2;
    estimates(spark_count_approx, from, (spark_bounded) { 20, 0.95, 13, 28, false });
}

/* ---- samples */

/* How often each gap between neighbours of a sample occurs; of an element that is drawn twice it is
 * 0. */
enum { GAPS = 1000, LONGEST = 8192, SEEDS = 9 };
static const double fractions[] = { 0.01, 0.1, 0.3, 0.5, 0.7, 0.9 };
/* What the distance of two samples of 1000 of one distribution exceeds in one case of ten. */
static const double far = 0.0544;

static spark_array take_sample(spark_context *sc, bool replace, double fraction, uint64_t seed)
{
    spark_array sample;
    const int64_t rows = (int64_t)(1.25 * GAPS / fraction);
    oracle_ok(spark_take(spark_sample(spark_range(sc, 0, rows, 1, 3), replace, fraction, seed),
        GAPS + 1, SPARK_TYPE(int64_t), &sample));
    assert_int_equal(sample.n, GAPS + 1);
    return sample;
}

static void sampled_gaps(
    spark_context *sc, bool replace, double fraction, uint64_t seed, int times[LONGEST])
{
    spark_array sample = take_sample(sc, replace, fraction, seed);
    const int64_t *x = SPARK_ITEMS(int64_t, &sample);
    memset(times, 0, LONGEST * sizeof *times);
    for (int i = 0; i < GAPS; i++) {
        assert_in_range(x[i + 1] - x[i], replace ? 0 : 1, LONGEST - 1);
        times[x[i + 1] - x[i]]++;
    }
    spark_array_free(&sample);
}

/* unit: 0 to 1, without 1. */
static double unit(uint64_t *random)
{
    return (double)(oracle_random(random) >> 11) * 0x1p-53;
}

/* draws: how often an element is chosen, by definition: whether a number is below the fraction; or
 * how many numbers can be multiplied until the product is not above e^-fraction. */
static int draws(bool replace, double fraction, uint64_t *random)
{
    int n = 0;
    double product = 1 - unit(random);
    if (!replace)
        return product > 1 - fraction;
    for (; product > exp(-fraction); n++)
        product *= 1 - unit(random);
    return n;
}

static void drawn_gaps(bool replace, double fraction, uint64_t seed, int times[LONGEST])
{
    int64_t last = -1;
    int n = 0;
    memset(times, 0, LONGEST * sizeof *times);
    for (int64_t at = 0; n < GAPS; at++)
        for (int k = draws(replace, fraction, &seed); k > 0 && n < GAPS; k--) {
            if (last >= 0) {
                assert_in_range(at - last, 0, LONGEST - 1);
                times[at - last]++;
                n++;
            }
            last = at;
        }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* distance: Kolmogorov's and Smirnov's, of what is sampled and what is drawn; the median of some
 * seeds. */
static double distance(spark_context *sc, bool replace, double sampled, double drawn)
{
    static int times[2][LONGEST];
    double most[SEEDS] = { 0 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        int ahead = 0;
        sampled_gaps(sc, replace, sampled, 11 + seed, times[0]);
        drawn_gaps(replace, drawn, 37 + seed, times[1]);
        for (int i = 0; i < LONGEST; i++) {
            ahead += times[0][i] - times[1][i];
            most[seed] = fmax(most[seed], abs(ahead) / (double)GAPS);
        }
    }
    qsort(most, SEEDS, sizeof *most, by_size);
    return most[SEEDS / 2];
}

static void gaps_are_as_drawn(spark_context *sc, bool replace)
{
    for (size_t i = 0; i < LENGTH(fractions); i++) {
        const double d = distance(sc, replace, fractions[i], fractions[i]);
        if (d >= far)
            fail_msg("fraction %g: distance %g", fractions[i], d);
    }
    /* The measure tells fractions apart. */
    assert_true(distance(sc, replace, 0.5, 0.6) > far);
    assert_true(distance(sc, replace, 0.6, 0.5) > far);
}

static void random_sampler_suite__without_replacement_is_bernoulli(void **state)
{
    gaps_are_as_drawn(*state, false);
}

static void random_sampler_suite__with_replacement_is_poisson(void **state)
{
    gaps_are_as_drawn(*state, true);
}

static void random_sampler_suite__a_seed_is_one_sample(void **state)
{
    for (int replace = 0; replace < 2; replace++)
        for (size_t i = 0; i < LENGTH(fractions); i++) {
            spark_array one = take_sample(*state, replace, fractions[i], 7),
                        again = take_sample(*state, replace, fractions[i], 7),
                        other = take_sample(*state, replace, fractions[i], 8);
            assert_memory_equal(one.items, again.items, one.n * sizeof(int64_t));
            assert_memory_not_equal(one.items, other.items, one.n * sizeof(int64_t));
            spark_array_free(&one);
            spark_array_free(&again);
            spark_array_free(&other);
        }
}

static void random_sampler_suite__a_rounded_fraction_of_1_is_all(void **state)
{
    int64_t n;
    suite_all(spark_sample(spark_range(*state, 0, 1000, 1, 3), false, 1 + 5e-7, 1), 0, 1000);
    oracle_fails(spark_count(spark_sample(spark_range(*state, 0, 1, 1, 1), false, 1.001, 1), &n),
        SPARK_EINVAL, "1.001");
}

static void random_sampler_suite__a_split_with_weight_0_is_empty(void **state)
{
    static const double weights[] = { 0, 1, 0 };
    spark_rdd *parts[3];
    for (uint64_t seed = 0; seed < 5; seed++) {
        spark_random_split(spark_range(*state, 0, 1000, 1, 3), 3, weights, seed, parts);
        assert_int_equal(oracle_count(parts[0]), 0);
        suite_all(parts[1], 0, 1000);
        assert_int_equal(oracle_count(parts[2]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(sum_evaluator_suite__one_number_has_no_bounds),
        oracle_test(sum_evaluator_suite__three_numbers_in_one_partition),
        oracle_test(sum_evaluator_suite__no_number_makes_the_sum_none),
        oracle_test(sum_evaluator_suite__more_partitions_narrow_the_bounds),
        oracle_test(sum_evaluator_suite__all_partitions_give_the_sum_itself),
        oracle_test(sum_evaluator_suite__of_nothing),
        oracle_test(count_evaluator_suite__of_nothing),
        oracle_test(count_evaluator_suite__bounds_are_those_of_a_poisson_distribution),
        suite_case(random_sampler_suite__without_replacement_is_bernoulli),
        suite_case(random_sampler_suite__with_replacement_is_poisson),
        suite_case(random_sampler_suite__a_seed_is_one_sample),
        suite_case(random_sampler_suite__a_rounded_fraction_of_1_is_all),
        suite_case(random_sampler_suite__a_split_with_weight_0_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
