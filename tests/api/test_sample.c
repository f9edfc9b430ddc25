/* SPDX-License-Identifier: Apache-2.0 */
/* Samples and splits: what must hold for any draw, that draws repeat, and that they are distributed
 * as they should be. Seeds are fixed, and bounds are six standard deviations wide. */
#include "layouts.h"

#include <math.h>

SPARK_PAIR(two, int64_t, int64_t);

enum { ROWS = 150, MANY = 100000, MOST_PARTS = 12 };

SPARK_FILTER(below_hundred, int64_t)
{
    return *in < 100;
}

typedef struct draw {
    size_t n;
    bool replace;
    double fraction;
    uint64_t seed;
} draw;

/* near: within six standard deviations of what n trials of probability p give. */
static bool near_binomial(double have, double n, double p)
{
    return fabs(have - n * p) <= 6 * sqrt(n * p * (1 - p)) + 1;
}

/* ---- any draw */

static spark_rdd *build_sample(spark_context *sc, int partitions, const void *arg)
{
    const draw *d = arg;
    return spark_sample(input(words(sc, 0, d->n, partitions)), d->replace, d->fraction, d->seed);
}
/* draw_once: what one configuration gives, the others must give as well; it is part of the input,
 * in order, partition by partition. */
static void draw_once(layout *want, int partitions, const void *arg)
{
    const draw *d = arg;
    const bool cached = inputs_cached;
    char text[64];
    inputs_cached = false;
    spark_context *sc = oracle_open(1);
    spark_array array;
    spark_rdd *n = spark_range(sc, 0, (int64_t)d->n, 1, partitions);
    oracle_ok(spark_collect(spark_glom(spark_sample(n, d->replace, d->fraction, d->seed)),
        SPARK_TYPE(spark_i64_list), &array));
    assert_int_equal(array.n, partitions);
    for (int p = 0; p < partitions; p++) {
        const spark_i64_list *list = &SPARK_ITEMS(spark_i64_list, &array)[p];
        int64_t last = (int64_t)slice(d->n, partitions, p) - !d->replace;
        layout_part(want);
        for (size_t i = 0; i < list->n; i++) {
            assert_true(d->replace ? list->at[i] >= last : list->at[i] > last);
            last = list->at[i];
            LAYOUT_ROW(want, word, word_of(last, text));
        }
        assert_true(list->n == 0 || last < (int64_t)slice(d->n, partitions, p + 1));
    }
    spark_array_free(&array);
    oracle_close(sc);
    inputs_cached = cached;
}

static void test_sample__chooses_the_same_elements_each_time(void **state)
{
    static const draw cases[] = { { ROWS, false, 0.2, 1 }, { ROWS, false, 0.6, 2 },
        { ROWS, true, 0.3, 3 }, { 60, true, 5, 4 }, { 5, false, 0.4, 6 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        layout_compare(build_sample, draw_once, &cases[i]);
}

static void naive_all(layout *want, int partitions, const void *arg)
{
    const draw *d = arg;
    char text[64];
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(d->n, partitions, p);
             d->fraction > 0 && i < slice(d->n, partitions, p + 1); i++)
            LAYOUT_ROW(want, word, word_of((int64_t)i, text));
    }
}

static void test_sample__of_none_or_all(void **state)
{
    /* Within the tolerance for a sum of rounded numbers, too. */
    static const draw cases[]
        = { { ROWS, true, 0, 2 }, { ROWS, false, -0.0, 3 }, { ROWS, false, 1.0000009, 4 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        layout_compare(build_sample, naive_all, &cases[i]);
    spark_context *sc = oracle_open(1);
    spark_rdd *none = spark_sample(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), true, 1, 1);
    assert_int_equal(spark_rdd_partitions(none), 0);
    oracle_collects(none, "");
    oracle_collects(spark_sample(spark_range(sc, 0, 3, 1, 2), false, 1, 1), "0 1 2");
    oracle_collects(spark_sample(spark_range(sc, 0, 0, 1, 2), true, 1, 1), "");
    /* As good as never, and as good as always. */
    oracle_collects(spark_sample(spark_range(sc, 0, 10000, 1, 2), false, 1e-300, 1), "");
    oracle_collects(spark_sample(spark_range(sc, 0, 10000, 1, 2), true, 1e-300, 1), "");
    assert_int_equal(
        oracle_count(spark_sample(spark_range(sc, 0, 10000, 1, 2), false, 1 - 1e-12, 1)), 10000);
    oracle_close(sc);
}

static void test_sample__stops_when_enough_is_taken(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 10, 50 };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *n = words(sc, 0, 1000, 3);
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            takes_prefix(spark_sample(n, false, 0.1, 1), sizes[i]);
            takes_prefix(spark_sample(n, false, 0.7, 1), sizes[i]);
            takes_prefix(spark_sample(n, true, 5, 1), sizes[i]);
        }
        oracle_close(sc);
    }
}

/* ---- distributions */

/* draw_hits: how often each of 0 .. n - 1 was drawn. */
static void draw_hits(spark_context *sc, int n, int partitions, bool replace, double fraction,
    uint64_t seed, int *hits)
{
    spark_array array;
    spark_rdd *rdd = spark_sample(spark_range(sc, 0, n, 1, partitions), replace, fraction, seed);
    memset(hits, 0, (size_t)n * sizeof *hits);
    oracle_ok(spark_collect(rdd, SPARK_TYPE(int64_t), &array));
    for (size_t i = 0; i < array.n; i++)
        hits[SPARK_ITEMS(int64_t, &array)[i]]++;
    spark_array_free(&array);
}

static void test_sample__without_replacement_is_even_and_independent(void **state)
{
    static int hits[MANY];
    /* Both sides of where gaps are drawn instead of elements. */
    static const double fractions[] = { 0.001, 0.05, 0.39, 0.4, 0.41, 0.5, 0.9, 0.999 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t f = 0; f < LENGTH(fractions); f++) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            const double p = fractions[f];
            draw_hits(sc, MANY, seed % 2 ? 1 : 4, false, p, seed, hits);
            int tenths[10] = { 0 }, all = 0, neighbours = 0, two_apart = 0, stretches = 0;
            for (int i = 0; i < MANY; i++) {
                assert_in_range(hits[i], 0, 1);
                all += hits[i];
                tenths[i / (MANY / 10)] += hits[i];
                neighbours += i > 0 && hits[i] && hits[i - 1];
                two_apart += i > 1 && hits[i] && hits[i - 2];
                stretches += i > 1 && hits[i] && !hits[i - 1] && hits[i - 2];
            }
            assert_true(near_binomial(all, MANY, p));
            for (int i = 0; i < 10; i++)
                assert_true(near_binomial(tenths[i], MANY / 10, p));
            /* Neighbouring pairs depend on each other: wider bounds. */
            assert_true(fabs(neighbours - MANY * p * p) <= 9 * sqrt(MANY * p * p) + 1);
            assert_true(fabs(two_apart - MANY * p * p) <= 9 * sqrt(MANY * p * p) + 1);
            assert_true(fabs(stretches - MANY * p * p * (1 - p)) <= 9 * sqrt(MANY * p * p) + 1);
        }
    }
    oracle_close(sc);
}

static void test_sample__with_replacement_is_poisson(void **state)
{
    enum { MOST = 200 };
    static int hits[MANY];
    static const double means[] = { 0.01, 0.3, 0.4, 0.5, 1, 3.5, 20, 64, 65, 130 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t m = 0; m < LENGTH(means); m++) {
        const int n = means[m] < 10 ? MANY : MANY / 10;
        const double mean = means[m];
        double sum = 0, squares = 0, p = exp(-mean);
        int with[MOST] = { 0 };
        draw_hits(sc, n, 3, true, mean, m, hits);
        for (int i = 0; i < n; i++) {
            assert_in_range(hits[i], 0, MOST - 1);
            with[hits[i]]++;
            sum += hits[i];
            squares += (hits[i] - mean) * (hits[i] - mean);
        }
        assert_true(fabs(sum - n * mean) <= 6 * sqrt(n * mean));
        /* The fourth moment about the mean is mean + 3 mean^2. */
        assert_true(fabs(squares - n * mean) <= 6 * sqrt(n * (mean + 2 * mean * mean)));
        for (int k = 0; k < MOST; k++) {
            assert_true(near_binomial(with[k], n, p));
            p *= mean / (k + 1);
        }
    }
    oracle_close(sc);
}

/* common: how many elements two draws of fraction 0.1 share. */
static int common(const int *a, const int *b, int n)
{
    int both = 0;
    for (int i = 0; i < n; i++)
        both += a[i] && b[i];
    return both;
}

static void test_sample__differs_with_seed_and_partition(void **state)
{
    enum { SEEDS = 6, QUARTER = MANY / 4 };
    static int hits[SEEDS][MANY];
    static const uint64_t seeds[SEEDS] = { 0, 1, 2, 3, UINT64_C(1) << 32, UINT64_MAX };
    static const double fractions[] = { 0.3, 0.6 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int way = 0; way < 4; way++) {
        const bool replace = way >= 2;
        const double f = fractions[way % 2], p = replace ? 1 - exp(-f) : f;
        for (int s = 0; s < SEEDS; s++)
            draw_hits(sc, MANY, 4, replace, f, seeds[s], hits[s]);
        for (int s = 0; s < SEEDS; s++)
            for (int t = 0; t < SEEDS; t++)
                for (int i = 0; i < 4; i++)
                    for (int j = 0; j < 4; j++) {
                        if (s == t && i == j)
                            continue;
                        const int both
                            = common(hits[s] + i * QUARTER, hits[t] + j * QUARTER, QUARTER);
                        assert_true(near_binomial(both, QUARTER, p * p));
                    }
    }
    /* One seed is one draw. */
    static int again[MANY];
    draw_hits(sc, MANY, 4, true, fractions[1], seeds[3], again);
    assert_memory_equal(again, hits[3], sizeof again);
    oracle_close(sc);
}

static void test_sample__depends_on_the_place_in_the_partition_alone(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    /* More partitions behind it, other elements, a filter before: the draw stays. */
    spark_rdd *one = spark_range(sc, 0, 100, 1, 1);
    char *want = oracle_layout(spark_sample(one, false, 0.3, 5));
    assert_non_null(want);
    assert_true(strlen(want) > 20);
    oracle_has_layout(
        spark_sample(
            spark_filter(spark_range(sc, 0, 5000, 1, 1), below_hundred, NULL), false, 0.3, 5),
        want);
    spark_rdd *more = spark_sample(spark_union(one, spark_range(sc, 0, 9, 1, 3)), false, 0.3, 5);
    spark_array array;
    oracle_ok(spark_collect(spark_glom(more), SPARK_TYPE(spark_i64_list), &array));
    oracle_text first = { NULL, 0, 0 };
    for (size_t i = 0; i < SPARK_ITEMS(spark_i64_list, &array)[0].n; i++) {
        oracle_append(&first, " ", i > 0);
        oracle_append_value(
            &first, SPARK_TYPE(int64_t), &SPARK_ITEMS(spark_i64_list, &array)->at[i]);
    }
    assert_string_equal(first.bytes, want);
    spark_array_free(&array);
    free(first.bytes);
    free(want);
    oracle_close(sc);
}

static spark_rdd *build_large(spark_context *sc, int partitions, const void *arg)
{
    const draw *d = arg;
    return spark_sample(
        spark_range(sc, 0, (int64_t)d->n, 1, partitions), d->replace, d->fraction, d->seed);
}

static void test_sample__goes_on_without_room_in_the_cache(void **state)
{
    static const draw cases[]
        = { { 3250000, false, 0.4, 1 }, { 1450000, false, 0.9, 2 }, { 520000, true, 2.5, 3 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        goes_on_without_room(build_large, &cases[i]);
}

/* ---- random_split */

typedef struct split {
    size_t n;
    uint64_t seed;
    size_t n_parts;
    double weights[MOST_PARTS];
} split;

static const split splits[] = {
    { ROWS, 1, 3, { 1, 2, 3 } },
    { ROWS, 2, 1, { 0.001 } },
    { ROWS, 3, 2, { 0, 5 } },
    { ROWS, 4, 2, { 5, 0 } },
    { ROWS, 5, 5, { 0, 1, 0, 1, 0 } },
    { ROWS, 6, 10, { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 } },
    { ROWS, 7, 3, { 1e-300, 1e300, 1e-300 } },
    { 1, 8, 4, { 1, 1, 1, 1 } },
    { 0, 9, 2, { 1, 1 } },
};

static void test_random_split__parts_are_disjoint_and_all_there_is(void **state)
{
    (void)state;
    for (size_t s = 0; s < LENGTH(splits); s++) {
        const split *w = &splits[s];
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            char *first[MOST_PARTS] = { NULL };
            for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
                bool seen[ROWS] = { false };
                spark_context *sc = oracle_open_conf(&oracle_confs[c]);
                spark_rdd *rdd = spark_range(sc, 0, (int64_t)w->n, 1, oracle_partitions[p]);
                spark_rdd *parts[MOST_PARTS + 1] = { NULL };
                size_t all = 0;
                if (c % 3 == 1)
                    (void)spark_cache(rdd);
                spark_random_split(rdd, w->n_parts, w->weights, w->seed, parts);
                assert_null(parts[w->n_parts]);
                for (size_t i = 0; i < w->n_parts; i++) {
                    spark_array array;
                    int64_t last = -1;
                    assert_int_equal(spark_rdd_partitions(parts[i]), oracle_partitions[p]);
                    oracle_ok(spark_collect(parts[i], SPARK_TYPE(int64_t), &array));
                    for (size_t j = 0; j < array.n; j++) {
                        const int64_t x = SPARK_ITEMS(int64_t, &array)[j];
                        assert_true(x > last && x < (int64_t)w->n && !seen[x]);
                        seen[x] = true;
                        last = x;
                    }
                    all += array.n;
                    if (w->weights[i] < 1e-200)
                        assert_int_equal(array.n, 0);
                    spark_array_free(&array);
                    char *have = oracle_layout(parts[i]);
                    assert_non_null(have);
                    if (first[i] == NULL)
                        first[i] = have;
                    else {
                        assert_string_equal(have, first[i]);
                        free(have);
                    }
                }
                assert_int_equal(all, w->n);
                oracle_close(sc);
            }
            for (size_t i = 0; i < w->n_parts; i++)
                free(first[i]);
        }
    }
}

static void test_random_split__gives_the_case_of_the_rdd_suite(void **state)
{
    static const double weights[] = { 1, 2, 3 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 1, 601, 1, 2);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        spark_rdd *parts[3];
        bool seen[601] = { false };
        spark_array array;
        spark_random_split(rdd, 3, weights, seed, parts);
        for (int i = 0; i < 3; i++)
            assert_in_range(oracle_count(parts[i]), 100 * (i + 1) - 50, 100 * (i + 1) + 50);
        oracle_ok(spark_collect(spark_union_all(sc, 3, parts), SPARK_TYPE(int64_t), &array));
        assert_int_equal(array.n, 600);
        for (size_t i = 0; i < array.n; i++) {
            const int64_t x = SPARK_ITEMS(int64_t, &array)[i];
            assert_false(seen[x]);
            seen[x] = true;
        }
        spark_array_free(&array);
    }
    oracle_close(sc);
}

static void test_random_split__follows_the_weights(void **state)
{
    static const struct {
        size_t n;
        double weights[MOST_PARTS];
    } cases[] = { { 3, { 0.2, 0.3, 0.5 } }, { 2, { 99, 1 } }, { 4, { 1e-3, 1e-3, 2e-3, 1e-3 } },
        { 12, { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } }, { 2, { 8e307, 8e307 } },
        { 2, { 5e-324, 5e-324 } } };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t c = 0; c < LENGTH(cases); c++) {
        double sum = 0;
        spark_rdd *parts[MOST_PARTS];
        for (size_t i = 0; i < cases[c].n; i++)
            sum += cases[c].weights[i];
        spark_random_split(spark_range(sc, 0, MANY, 1, 3), cases[c].n, cases[c].weights, c, parts);
        int64_t all = 0;
        for (size_t i = 0; i < cases[c].n; i++) {
            const int64_t n = oracle_count(parts[i]);
            assert_true(near_binomial((double)n, MANY, cases[c].weights[i] / sum));
            all += n;
        }
        assert_int_equal(all, MANY);
    }
    oracle_close(sc);
}

static void test_random_split__reads_a_cache(void **state)
{
    static const double weights[] = { 1, 2 };
    (void)state;
    spark_context *sc = oracle_open_failing_once(2);
    counter calls = spark_counter(sc, "calls");
    spark_rdd *cached
        = spark_cache(spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(calls)));
    spark_rdd *parts[2];
    spark_random_split(cached, 2, weights, 1, parts);
    assert_int_equal(oracle_count(parts[0]) + oracle_count(parts[1]), 100);
    assert_int_equal(oracle_count(spark_sample(cached, false, 1, 1)), 100);
    assert_int_equal(spark_accumulator_value(calls), 100);
    assert_true(spark_drop_block(cached, 1));
    assert_int_equal(oracle_count(parts[0]) + oracle_count(parts[1]), 100);
    assert_int_equal(spark_accumulator_value(calls), 100);
    oracle_close(sc);
}

/* ---- the rest */

static void test_partitioner__is_kept(void **state)
{
    static const double weights[] = { 1, 2 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_key_by(spark_range(sc, 0, 40, 1, 3), same, NULL);
    spark_rdd *placed = spark_partition_by(pairs, spark_hash_partitioner(sc, 2)), *parts[2];
    partitioned_as(spark_sample(placed, true, 1.0, 1), placed);
    partitioned_as(spark_sample(placed, false, 1.0, 1), placed);
    partitioned_as(spark_sample(placed, false, 0.2, 1), placed);
    partitioned_as(spark_sample(pairs, false, 0.2, 1), NULL);
    spark_random_split(placed, 2, weights, 1, parts);
    partitioned_as(parts[0], placed);
    partitioned_as(parts[1], placed);
    /* So they join without another shuffle. */
    spark_rdd *joined = spark_join(spark_union(parts[0], parts[1]), placed, 0);
    assert_int_equal(oracle_count(joined), 40);
    assert_int_equal(oracle_last_job(sc).stages, 2);
    oracle_close(sc);
}

static void test_verbs__refuse_what_is_wrong(void **state)
{
    static const double negative[] = { 1, -1e-9, 2 }, zeros[] = { 0, 0 }, nan[] = { 1, NAN },
                        infinite[] = { 1, INFINITY }, right[] = { 1, 1 };
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *n = spark_range(sc, 0, 10, 1, 2), *bad = broken(sc), *parts[3];
    refused(spark_sample(n, false, -0.1, 1), SPARK_EINVAL, "sample",
        "a fraction of -0.1; it must be between 0 and 1");
    refused(spark_sample(n, true, -0.1, 1), SPARK_EINVAL, "sample",
        "a fraction of -0.1; it must be between 0 and 1e9");
    refused(spark_sample(n, false, 1.01, 1), SPARK_EINVAL, "sample",
        "a fraction of 1.01; it must be between 0 and 1");
    refused(spark_sample(n, false, NAN, 1), SPARK_EINVAL, "sample", "a fraction of ");
    refused(spark_sample(n, true, NAN, 1), SPARK_EINVAL, "sample", "a fraction of ");
    refused(spark_sample(n, true, INFINITY, 1), SPARK_EINVAL, "sample", "a fraction of inf");
    passes_on(spark_sample(bad, true, 1, 1));
    passes_on(spark_sample(bad, true, -1, 1));
    oracle_fails(spark_collect(spark_sample(NULL, true, 1, 1), NULL, &array), SPARK_EINVAL, "NULL");
    oracle_fails(spark_collect(spark_sample(n, true, 1, 1), SPARK_TYPE(double), &array),
        SPARK_ETYPE, "f64 wanted, i64 found");
    spark_random_split(n, 3, NULL, 1, parts);
    for (size_t i = 0; i < 3; i++)
        refused(parts[i], SPARK_EINVAL, "randomSplit", "the weights are NULL");
    spark_random_split(n, 3, negative, 1, parts);
    for (int i = 0; i < 3; i++)
        refused(parts[i], SPARK_EINVAL, "randomSplit", "a weight is negative");
    spark_random_split(n, 2, zeros, 1, parts);
    refused(parts[0], SPARK_EINVAL, "randomSplit", "the weights sum to 0");
    refused(parts[1], SPARK_EINVAL, "randomSplit", "the weights sum to 0");
    spark_random_split(n, 2, nan, 1, parts);
    refused(parts[0], SPARK_EINVAL, "randomSplit", "weight");
    refused(parts[1], SPARK_EINVAL, "randomSplit", "weight");
    spark_random_split(n, 2, infinite, 1, parts);
    refused(parts[0], SPARK_EINVAL, "randomSplit", "the weights sum to inf");
    spark_random_split(bad, 2, right, 1, parts);
    passes_on(parts[0]);
    passes_on(parts[1]);
    spark_random_split(NULL, 2, right, 1, parts);
    oracle_fails(spark_collect(parts[0], NULL, &array), SPARK_EINVAL, "NULL");
    oracle_fails(spark_collect(parts[1], NULL, &array), SPARK_EINVAL, "NULL");
    /* No part at all. */
    parts[0] = n;
    spark_random_split(n, 0, NULL, 1, parts);
    assert_ptr_equal(parts[0], n);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_sample__chooses_the_same_elements_each_time),
        oracle_test(test_sample__of_none_or_all),
        oracle_test(test_sample__stops_when_enough_is_taken),
        oracle_test(test_sample__without_replacement_is_even_and_independent),
        oracle_test(test_sample__with_replacement_is_poisson),
        oracle_test(test_sample__differs_with_seed_and_partition),
        oracle_test(test_sample__depends_on_the_place_in_the_partition_alone),
        oracle_test(test_sample__goes_on_without_room_in_the_cache),
        oracle_test(test_random_split__parts_are_disjoint_and_all_there_is),
        oracle_test(test_random_split__gives_the_case_of_the_rdd_suite),
        oracle_test(test_random_split__follows_the_weights),
        oracle_test(test_random_split__reads_a_cache),
        oracle_test(test_partitioner__is_kept),
        oracle_test(test_verbs__refuse_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
