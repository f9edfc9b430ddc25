/* SPDX-License-Identifier: Apache-2.0 */
/* Stratified samples: what must hold for any draw, that draws repeat, that the exact form is exact,
 * and that the other one is distributed as it should be. Seeds are fixed, and bounds are six
 * standard deviations wide. */
#include "layouts.h"

#include <math.h>

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(rate, int64_t, double);
SPARK_PAIR(str_word, spark_str, word);
SPARK_PAIR(str_rate, spark_str, double);
SPARK_STRUCT(where, (spark_opt_str, maybe), (spark_i64_list, list));
SPARK_PAIR(where_i64, where, int64_t);
SPARK_PAIR(where_rate, where, double);

enum { KEYS = 5, ROWS = 120 };

/* keyed: (i % KEYS, i). */
SPARK_MAP(keyed, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % KEYS, *in };
}
static spark_rdd *pairs(spark_context *sc, int64_t n, int partitions)
{
    return spark_map(spark_range(sc, 0, n, 1, partitions), keyed, NULL);
}

static const rate none[] = { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 } };
static const rate all[] = { { 3, 1 }, { 1, 1 }, { 4, 1 }, { 0, 1 }, { 2, 1 } };
static const rate some[]
    = { { 0, 0 }, { 1, 0.01 }, { 2, 0.25 }, { 3, 0.5 }, { 4, 0.9 }, { 77, 0.3 } };

typedef struct draw {
    bool exact, replace;
    const rate *rates;
    size_t n_rates;
    uint64_t seed;
} draw;

static spark_rdd *drawn(spark_rdd *rdd, const draw *d)
{
    return d->exact
        ? spark_sample_by_key_exact(
            rdd, d->replace, SPARK_DATA(rate, d->n_rates, d->rates), d->seed)
        : spark_sample_by_key(rdd, d->replace, SPARK_DATA(rate, d->n_rates, d->rates), d->seed);
}

/* ---- any draw */

static spark_rdd *build(spark_context *sc, int partitions, const void *arg)
{
    return drawn(input(pairs(sc, ROWS, partitions)), arg);
}

/* draw_once: what one configuration gives, the others must give as well; it is part of the input,
 * in order, partition by partition. */
static void draw_once(layout *want, int partitions, const void *arg)
{
    const draw *d = arg;
    const bool cached = inputs_cached;
    int64_t per_key[KEYS] = { 0 };
    inputs_cached = false;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_values(drawn(pairs(sc, ROWS, partitions), d));
    spark_array array;
    oracle_ok(spark_collect(spark_glom(rdd), SPARK_TYPE(spark_i64_list), &array));
    assert_int_equal(array.n, partitions);
    for (int p = 0; p < partitions; p++) {
        const spark_i64_list *list = &SPARK_ITEMS(spark_i64_list, &array)[p];
        int64_t last = (int64_t)slice(ROWS, partitions, p) - !d->replace;
        layout_part(want);
        for (size_t i = 0; i < list->n; i++) {
            assert_true(d->replace ? list->at[i] >= last : list->at[i] > last);
            last = list->at[i];
            per_key[last % KEYS]++;
            LAYOUT_ROW(want, i64_i64, { last % KEYS, last });
        }
        assert_true(list->n == 0 || last < (int64_t)slice(ROWS, partitions, p + 1));
    }
    spark_array_free(&array);
    oracle_close(sc);
    for (size_t i = 0; i < d->n_rates; i++) {
        const rate *r = &d->rates[i];
        if (r->key >= KEYS)
            continue;
        if (d->exact)
            assert_int_equal(per_key[r->key], (int64_t)ceil(r->value * (ROWS / KEYS)));
        else if (r->value <= 0 || (r->value >= 1 && !d->replace))
            assert_int_equal(per_key[r->key], r->value <= 0 ? 0 : ROWS / KEYS);
    }
    inputs_cached = cached;
}

static void test_sample_by_key__chooses_the_same_pairs_each_time(void **state)
{
    static const draw cases[]
        = { { false, false, some, LENGTH(some), 1 }, { false, true, some, LENGTH(some), 2 },
              { true, false, some, LENGTH(some), 3 }, { true, true, some, LENGTH(some), 4 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        layout_compare(build, draw_once, &cases[i]);
}

static void naive_all(layout *want, int partitions, const void *arg)
{
    const draw *d = arg;
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(ROWS, partitions, p);
             d->rates == all && i < slice(ROWS, partitions, p + 1); i++)
            LAYOUT_ROW(want, i64_i64, { (int64_t)i % KEYS, (int64_t)i });
    }
}

static void test_sample_by_key__of_none_or_all(void **state)
{
    static const draw cases[] = { { false, false, none, KEYS, 1 }, { false, true, none, KEYS, 2 },
        { true, false, none, KEYS, 3 }, { true, true, none, KEYS, 4 },
        { false, false, all, KEYS, 5 }, { true, false, all, KEYS, 6 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        layout_compare(build, naive_all, &cases[i]);
    for (int exact = 0; exact < 2; exact++) {
        for (int replace = 0; replace < 2; replace++) {
            const draw d = { exact, replace, all, KEYS, 7 };
            spark_context *sc = oracle_open(2);
            spark_rdd *empty = drawn(spark_empty_rdd(sc, SPARK_TYPE(i64_i64)), &d);
            assert_int_equal(spark_rdd_partitions(empty), 0);
            oracle_collects(empty, "");
            oracle_has_layout(drawn(pairs(sc, 0, 3), &d), " | |");
            /* Of nothing no rate is needed. */
            const draw bare = { exact, replace, NULL, 0, 7 };
            oracle_has_layout(drawn(pairs(sc, 0, 2), &bare), " |");
            oracle_close(sc);
        }
    }
}

SPARK_MAP(to_words, int64_t, str_word)
{
    char text[64];
    const word w = word_of(*in, text);
    out->key = spark_str_format(task, "key %d", (int)(*in % KEYS));
    out->value = (word) { w.key, spark_str_copy(task, w.value) };
}

static void test_sample_by_key__of_texts(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            char *first = NULL;
            for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
                char texts[KEYS][8];
                str_rate rates[KEYS];
                int64_t n;
                for (int i = 0; i < KEYS; i++) {
                    snprintf(texts[i], sizeof texts[i], "key %d", i);
                    rates[i] = (str_rate) { { texts[i], 5 }, 0.3 };
                }
                spark_context *sc = oracle_open_conf(&oracle_confs[c]);
                spark_rdd *in
                    = spark_map(spark_range(sc, 0, ROWS, 1, oracle_partitions[p]), to_words, NULL);
                spark_rdd *rdd = exact
                    ? spark_sample_by_key_exact(in, false, SPARK_DATA(str_rate, KEYS, rates), 8)
                    : spark_sample_by_key(in, false, SPARK_DATA(str_rate, KEYS, rates), 8);
                /* The rates were copied, deep. */
                memset(texts, '?', sizeof texts);
                memset(rates, '?', sizeof rates);
                char *have = oracle_layout(rdd);
                if (have == NULL)
                    fail_msg("%s", spark_last_error()->message);
                oracle_ok(spark_count(rdd, &n));
                if (exact)
                    assert_int_equal(n, KEYS * 8); /* ceil(0.3 * 24) */
                if (first == NULL)
                    first = have;
                assert_string_equal(have, first);
                if (first != have)
                    free(have);
                oracle_close(sc);
            }
            assert_true(strlen(first) > 100);
            free(first);
        }
    }
}

static void test_sample_by_key__of_keys_with_lists_and_optionals(void **state)
{
    static const int64_t list[] = { 1, 2, 3 };
    static where keys[6];
    static where_i64 data[60];
    static where_rate rates[6];
    (void)state;
    memset(keys, 0, sizeof keys);
    memset(data, 0, sizeof data);
    memset(rates, 0, sizeof rates);
    for (int i = 0; i < 6; i++) {
        keys[i].maybe.present = i % 2;
        keys[i].maybe.value = (spark_str) { i % 2 ? "there" : "none", i % 2 ? 5 : 4 };
        keys[i].list = (spark_i64_list) { list, (size_t)i / 2 };
        rates[i].key = keys[i];
        rates[i].value = i / 5.0;
    }
    for (int i = 0; i < 60; i++) {
        data[i].key = keys[i % 6];
        data[i].value = i % 6;
    }
    for (int replace = 0; replace < 2; replace++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .check = true });
        spark_rdd *rdd
            = spark_sample_by_key_exact(spark_parallelize(sc, SPARK_DATA(where_i64, 60, data), 4),
                replace, SPARK_DATA(where_rate, 6, rates), 9);
        spark_array array;
        int have[6] = { 0 };
        oracle_ok(spark_collect(spark_values(rdd), SPARK_TYPE(int64_t), &array));
        for (size_t i = 0; i < array.n; i++)
            have[SPARK_ITEMS(int64_t, &array)[i]]++;
        for (int i = 0; i < 6; i++)
            assert_int_equal(have[i], 2 * i);
        spark_array_free(&array);
        oracle_close(sc);
    }
}

/* ---- how many */

SPARK_MAP(three_to_one, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 4 == 0, *in };
}

static void test_sample_by_key_exact__has_the_ceiling_of_each_key(void **state)
{
    static const double fractions[] = { 0.01, 0.05, 0.1, 0.3, 0.5 };
    (void)state;
    for (int64_t n = 100; n <= 100000; n *= 10) {
        for (size_t f = 0; f < LENGTH(fractions); f++) {
            for (int replace = 0; replace < 2; replace++) {
                const rate rates[] = { { 1, fractions[f] }, { 0, fractions[f] / 2 } };
                spark_context *sc = oracle_open(2);
                spark_rdd *rdd = spark_map(spark_range(sc, 0, n, 1, 7), three_to_one, NULL);
                spark_array array;
                int64_t have[2] = { 0, 0 }, last = -1;
                oracle_ok(spark_collect(spark_sample_by_key_exact(rdd, replace,
                                            SPARK_DATA(rate, 2, rates), (uint64_t)n + f),
                    SPARK_TYPE(i64_i64), &array));
                for (size_t i = 0; i < array.n; i++) {
                    const i64_i64 pair = SPARK_ITEMS(i64_i64, &array)[i];
                    assert_true(pair.value >= 0 && pair.value < n);
                    assert_int_equal(pair.key, pair.value % 4 == 0);
                    assert_true(replace ? pair.value >= last : pair.value > last);
                    last = pair.value;
                    have[pair.key]++;
                }
                spark_array_free(&array);
                assert_int_equal(have[1], (int64_t)ceil(fractions[f] * (double)(n / 4)));
                assert_int_equal(have[0], (int64_t)ceil(fractions[f] / 2 * (double)(n / 4 * 3)));
                oracle_close(sc);
            }
        }
    }
}

static void test_sample_by_key_exact__of_rates_above_one(void **state)
{
    static const rate rates[] = { { 0, 2 }, { 1, 3.7 }, { 2, 100 }, { 3, 0 }, { 4, 1e-9 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_array array;
    int64_t have[KEYS] = { 0 };
    oracle_ok(spark_collect(spark_keys(spark_sample_by_key_exact(pairs(sc, ROWS, 3), true,
                                SPARK_DATA(rate, LENGTH(rates), rates), 5)),
        SPARK_TYPE(int64_t), &array));
    for (size_t i = 0; i < array.n; i++)
        have[SPARK_ITEMS(int64_t, &array)[i]]++;
    spark_array_free(&array);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(have[i], (int64_t)ceil(rates[i].value * (ROWS / KEYS)));
    oracle_close(sc);
}

/* near: n draws of a mean and a variance each. */
static void near(double have, double n, double mean, double variance)
{
    if (fabs(have - n * mean) > 6 * sqrt(n * variance) + 1)
        fail_msg("%g of %g with a mean of %g", have, n, mean);
}

static void test_sample_by_key__is_distributed_as_it_should_be(void **state)
{
    enum { MANY = 100000 };
    static const rate rates[] = { { 0, 0.01 }, { 1, 0.1 }, { 2, 0.5 }, { 3, 0.77 }, { 4, 0.99 } };
    static const rate often[] = { { 0, 0.01 }, { 1, 0.3 }, { 2, 1 }, { 3, 4 }, { 4, 40 } };
    (void)state;
    for (int replace = 0; replace < 2; replace++) {
        for (uint64_t seed = 0; seed < 3; seed++) {
            spark_context *sc = oracle_open(2);
            spark_array array;
            double have[KEYS] = { 0 }, halves[KEYS] = { 0 }, several = 0;
            int64_t last = -1;
            oracle_ok(spark_collect(spark_sample_by_key(pairs(sc, MANY, 4), replace,
                                        SPARK_DATA(rate, KEYS, replace ? often : rates), seed),
                SPARK_TYPE(i64_i64), &array));
            for (size_t i = 0; i < array.n; i++) {
                const i64_i64 pair = SPARK_ITEMS(i64_i64, &array)[i];
                have[pair.key]++;
                halves[pair.key] += pair.value < MANY / 2;
                several += pair.key == 2 && pair.value == last;
                last = pair.value;
            }
            spark_array_free(&array);
            for (int k = 0; k < KEYS; k++) {
                const double p = replace ? often[k].value : rates[k].value;
                near(have[k], MANY / KEYS, p, replace ? p : p * (1 - p));
                near(halves[k], MANY / KEYS / 2, p, replace ? p : p * (1 - p));
            }
            /* Poisson's draws of a mean of 1 that come after a first: 1 / e of all. */
            if (replace)
                near(several, MANY / KEYS, exp(-1), 1);
            else
                assert_true(several == 0);
            oracle_close(sc);
        }
    }
}

static void test_sample_by_key_exact__chooses_every_pair_alike(void **state)
{
    enum { SMALL = 50, TIMES = 400 };
    static const rate rates[] = { { 0, 0.3 }, { 1, 0.7 }, { 2, 0.5 }, { 3, 0.1 }, { 4, 0.9 } };
    (void)state;
    for (int replace = 0; replace < 2; replace++) {
        double hits[SMALL] = { 0 };
        spark_context *sc = oracle_open(1);
        for (uint64_t seed = 0; seed < TIMES; seed++) {
            SPARK_SCOPED(sc);
            spark_array array;
            oracle_ok(spark_collect(spark_values(spark_sample_by_key_exact(pairs(sc, SMALL, 3),
                                        replace, SPARK_DATA(rate, KEYS, rates), seed)),
                SPARK_TYPE(int64_t), &array));
            for (size_t i = 0; i < array.n; i++)
                hits[SPARK_ITEMS(int64_t, &array)[i]]++;
            spark_array_free(&array);
        }
        for (int i = 0; i < SMALL; i++) {
            const double p = rates[i % KEYS].value;
            near(hits[i], TIMES, p, replace ? p * 0.9 : p * (1 - p));
        }
        oracle_close(sc);
    }
}

static void test_sample_by_key__other_seeds_choose_others(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int exact = 0; exact < 2; exact++) {
        for (int replace = 0; replace < 2; replace++) {
            const draw a = { exact, replace, some, LENGTH(some), 1 };
            const draw b = { exact, replace, some, LENGTH(some), 2 };
            char *first = digests(drawn(pairs(sc, ROWS, 3), &a));
            char *again = digests(drawn(pairs(sc, ROWS, 3), &a));
            char *other = digests(drawn(pairs(sc, ROWS, 3), &b));
            assert_string_equal(first, again);
            assert_string_not_equal(first, other);
            free(first);
            free(again);
            free(other);
        }
    }
    oracle_close(sc);
}

/* ---- the rest of the RDD */

static void test_sample_by_key__keeps_the_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int exact = 0; exact < 2; exact++) {
        const draw d = { exact, false, some, LENGTH(some), 1 };
        spark_rdd *placed = spark_partition_by(pairs(sc, ROWS, 4), spark_hash_partitioner(sc, 3));
        spark_rdd *rdd = drawn(placed, &d);
        assert_int_equal(spark_rdd_partitions(rdd), 3);
        partitioned_as(rdd, placed);
        partitioned_as(drawn(pairs(sc, ROWS, 4), &d), NULL);
        /* The shuffle below has run; none comes after it. */
        oracle_count(rdd);
        oracle_count(spark_reduce_by_key(rdd, spark_op_sum, NULL, 3));
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
        takes_prefix(rdd, 3);
    }
    oracle_close(sc);
}

static void test_sample_by_key_exact__counts_once(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    counter calls = spark_counter(sc, "calls");
    const draw d = { true, false, some, LENGTH(some), 1 };
    spark_rdd *in = spark_map(spark_range(sc, 0, ROWS, 1, 3), counted, SPARK_COPY(calls));
    spark_rdd *rdd = drawn(spark_map(in, keyed, NULL), &d);
    /* Nothing runs at the call. */
    assert_int_equal(spark_accumulator_value(calls), 0);
    for (int i = 2; i < 5; i++) {
        oracle_count(rdd);
        assert_int_equal(spark_accumulator_value(calls), i * ROWS);
    }
    /* The plain form never counts. */
    const draw plain = { false, false, some, LENGTH(some), 1 };
    oracle_count(drawn(spark_map(in, keyed, NULL), &plain));
    assert_int_equal(spark_accumulator_value(calls), 5 * ROWS);
    oracle_close(sc);
}

static void test_sample_by_key__under_faults_gives_the_same_and_counts_once(void **state)
{
    char *want[4] = { NULL };
    (void)state;
    for (uint64_t seed = 0; seed < 16; seed++) {
        spark_context *sc = oracle_open_failing_by(seed, 0.2);
        counter calls = spark_counter(sc, "calls");
        spark_rdd *in = spark_cache(spark_map(
            spark_map(spark_range(sc, 0, ROWS, 1, 4), counted, SPARK_COPY(calls)), keyed, NULL));
        spark_rdd *mixed = spark_partition_by(in, spark_hash_partitioner(sc, 3));
        for (int k = 0; k < 4; k++) {
            const draw d = { k % 2, k / 2, some, LENGTH(some), 11 };
            spark_rdd *rdd = spark_cache(drawn(mixed, &d));
            for (int i = 0; i < 2; i++) {
                char *have = digests(rdd);
                if (have == NULL)
                    fail_msg("%s", spark_last_error()->message);
                if (want[k] == NULL)
                    want[k] = strdup(have);
                assert_string_equal(have, want[k]);
                free(have);
                spark_drop_block(rdd, i);
                spark_drop_block(in, k);
                spark_drop_shuffle_output(mixed, k);
            }
        }
        assert_int_equal(spark_accumulator_value(calls), ROWS);
        oracle_close(sc);
    }
    for (int k = 0; k < 4; k++)
        free(want[k]);
}

static void test_sample_by_key__of_a_key_without_a_rate_fails(void **state)
{
    int64_t n;
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        for (int replace = 0; replace < 2; replace++) {
            const draw d = { exact, replace, some, 4, 1 };
            spark_context *sc = oracle_open(2);
            oracle_fails(
                spark_count(drawn(pairs(sc, ROWS, 3), &d), &n), SPARK_ETASK, "key 4 has no rate");
            assert_string_equal(
                spark_last_error()->operation, exact ? "sampleByKeyExact" : "sampleByKey");
            assert_non_null(strstr(spark_last_error()->site, "test_sample_by_key.c:"));
            oracle_close(sc);
        }
    }
}

#define refused_both(sc, rdd, replace, code, words, ...)                                           \
    do {                                                                                           \
        refused(spark_sample_by_key(rdd, replace, __VA_ARGS__, 1), code, "sampleByKey", words);    \
        refused(spark_sample_by_key_exact(rdd, replace, __VA_ARGS__, 1), code, "sampleByKeyExact", \
            words);                                                                                \
    } while (0)

static void test_sample_by_key__refuses_what_makes_no_sense(void **state)
{
    static const double bad[] = { -0.1, -1e300, NAN, INFINITY, -INFINITY, 1e300 };
    static const str_rate wrong[] = { { SPARK_STR("x"), 0.5 } };
    static const i64_i64 no_rates[] = { { 1, 2 } };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = pairs(sc, 9, 2);
    oracle_fails(spark_count(spark_sample_by_key(NULL, false, SPARK_DATA(rate, 5, all), 1), &n),
        SPARK_EINVAL, "NULL");
    oracle_fails(
        spark_count(spark_sample_by_key_exact(NULL, false, SPARK_DATA(rate, 5, all), 1), &n),
        SPARK_EINVAL, "NULL");
    for (size_t i = 0; i < LENGTH(bad); i++) {
        const rate rates[] = { { 0, 0.5 }, { 1, bad[i] } };
        refused_both(sc, rdd, false, SPARK_EINVAL, "rate", SPARK_DATA(rate, 2, rates));
        refused_both(sc, rdd, true, SPARK_EINVAL, "rate", SPARK_DATA(rate, 2, rates));
    }
    refused_both(sc, rdd, false, SPARK_ETYPE, "pairs of a key", SPARK_DATA(str_rate, 1, wrong));
    refused_both(sc, rdd, false, SPARK_ETYPE, "pairs of a key", SPARK_DATA(i64_i64, 1, no_rates));
    refused_both(sc, rdd, false, SPARK_ETYPE, "pairs of a key", SPARK_DATA(double, 1, bad));
    refused_both(sc, rdd, false, SPARK_EINVAL, "no data", SPARK_TYPE(rate), 3, NULL);
    refused_both(
        sc, spark_range(sc, 0, 9, 1, 2), false, SPARK_ETYPE, "pair", SPARK_DATA(rate, 5, all));
    passes_on(spark_sample_by_key(broken(sc), false, SPARK_DATA(rate, 5, all), 1));
    passes_on(spark_sample_by_key_exact(broken(sc), false, SPARK_DATA(rate, 5, all), 1));
    /* More than all is all, and of two rates the last counts. */
    const rate most[] = { { 0, 1.0000009 }, { 1, 1.5 }, { 2, 1e9 }, { 3, 1 }, { 4, 0 }, { 4, 1 } };
    assert_int_equal(
        oracle_count(spark_sample_by_key(rdd, false, SPARK_DATA(rate, 6, most), 1)), 9);
    assert_int_equal(
        oracle_count(spark_sample_by_key_exact(rdd, false, SPARK_DATA(rate, 6, most), 1)), 9);
    oracle_close(sc);
}

/* Many keys and many partitions: what is held goes by the pairs, and is counted. */
SPARK_MAP(many_keys, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 20000, *in };
}

static void test_sample_by_key_exact__holds_what_the_pairs_need(void **state)
{
    enum { MANY = 20000 };
    static rate rates[MANY];
    uint64_t peak;
    int64_t n;
    (void)state;
    for (int i = 0; i < MANY; i++)
        rates[i] = (rate) { i, 0.5 };
    for (int tight = 0; tight < 2; tight++) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = 2, .memory_bytes = tight ? 1 << 20 : 24 << 20 });
        spark_rdd *rdd = spark_map(spark_range(sc, 0, 10 * MANY, 1, 400), many_keys, NULL);
        spark_rdd *half = spark_sample_by_key_exact(rdd, false, SPARK_DATA(rate, MANY, rates), 1);
        if (tight)
            oracle_fails(spark_count(half, &n), SPARK_ENOMEM, "memory_bytes");
        else
            assert_int_equal(oracle_count(half), 5 * MANY);
        spark_memory_bytes(sc, &peak);
        assert_true(peak < 12 << 20); /* 64 MB would be a number for every key and partition */
        oracle_close(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_sample_by_key__chooses_the_same_pairs_each_time),
        oracle_test(test_sample_by_key__of_none_or_all),
        oracle_test(test_sample_by_key__of_texts),
        oracle_test(test_sample_by_key__of_keys_with_lists_and_optionals),
        oracle_test(test_sample_by_key_exact__has_the_ceiling_of_each_key),
        oracle_test(test_sample_by_key_exact__of_rates_above_one),
        oracle_test(test_sample_by_key__is_distributed_as_it_should_be),
        oracle_test(test_sample_by_key_exact__chooses_every_pair_alike),
        oracle_test(test_sample_by_key__other_seeds_choose_others),
        oracle_test(test_sample_by_key__keeps_the_partitioner),
        oracle_test(test_sample_by_key_exact__counts_once),
        oracle_test(test_sample_by_key__under_faults_gives_the_same_and_counts_once),
        oracle_test(test_sample_by_key__of_a_key_without_a_rate_fails),
        oracle_test(test_sample_by_key__refuses_what_makes_no_sense),
        oracle_test(test_sample_by_key_exact__holds_what_the_pairs_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
