/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs by the range of their keys: a filter like any other, which looks at fewer partitions where
 * a sort has placed the pairs. */
#include "layouts.h"

#include <math.h>

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_PAIR(f64_i64, double, int64_t);
SPARK_PAIR(list_i64, spark_i64_list, int64_t);
SPARK_PAIR(opt_i64, spark_opt_str, int64_t);

enum { N = 90 };

/* ---- every type of key, sorted or not, against a loop */

typedef struct keyed {
    const spark_type *pair, *key;
    const void *pairs;
    size_t size, low, high; /* the bounds are the keys of these pairs */
    bool sorted, descending;
} keyed;

static const char *pair_at(const keyed *k, size_t i)
{
    return (const char *)k->pairs + i * k->size;
}

static spark_rdd *build_range(spark_context *sc, int partitions, const void *arg)
{
    const keyed *k = arg;
    spark_rdd *rdd = input(spark_parallelize(sc, k->pair, N, k->pairs, partitions));
    if (k->sorted)
        rdd = spark_sort_by_key(rdd, k->descending ? spark_order_desc : NULL, partitions);
    return spark_filter_by_range(rdd, k->key, pair_at(k, k->low), k->key, pair_at(k, k->high));
}

static const keyed *sorting;
static int by_key(const void *a, const void *b)
{
    const char *x = pair_at(sorting, *(const size_t *)a), *y = pair_at(sorting, *(const size_t *)b);
    const int order = spark_compare(sorting->key, x, y);
    const int place = *(const size_t *)a < *(const size_t *)b ? -1 : 1;
    return order == 0 ? place : sorting->descending ? -order : order;
}

static void compare(const keyed *k)
{
    size_t order[N], n = 0;
    char *want = malloc(N * k->size);
    assert_non_null(want);
    for (size_t i = 0; i < N; i++)
        order[i] = i;
    sorting = k;
    if (k->sorted)
        qsort(order, N, sizeof *order, by_key);
    for (size_t i = 0; i < N; i++)
        if (spark_compare(k->key, pair_at(k, order[i]), pair_at(k, k->low)) >= 0
            && spark_compare(k->key, pair_at(k, order[i]), pair_at(k, k->high)) <= 0)
            memcpy(want + n++ * k->size, pair_at(k, order[i]), k->size);
    oracle_compare(build_range, k, true, k->pair, n, want);
    free(want);
}

static i64_i64 ints[N];
static str_i64 strs[N];
static f64_i64 doubles[N];
static list_i64 lists[N];
static opt_i64 opts[N];

static void make_pairs(void)
{
    static char texts[N][16];
    static int64_t numbers_of[N][3];
    uint64_t seed = 5;
    memset(opts, 0, sizeof opts);
    for (int i = 0; i < N; i++) {
        const int64_t x = (int64_t)oracle_below(&seed, 40) - 20;
        const int n = snprintf(texts[i], sizeof texts[i], "%d", (int)x);
        for (int k = 0; k < 3; k++)
            numbers_of[i][k] = (x + k) % 4;
        ints[i] = (i64_i64) { x, i };
        strs[i] = (str_i64) { { texts[i], (size_t)n }, i };
        doubles[i] = (f64_i64) { x == -20 ? (double)NAN : (double)x / 4, i };
        lists[i] = (list_i64) { { numbers_of[i], (size_t)i % 4 }, i };
        opts[i].key = (spark_opt_str) { i % 5 != 0, { texts[i], (size_t)n } };
        opts[i].value = i;
    }
}

static void test_filter_by_range__has_the_keys_between(void **state)
{
    (void)state;
    make_pairs();
    keyed all[] = { { .pair = SPARK_TYPE(i64_i64),
                        .key = SPARK_TYPE(int64_t),
                        .pairs = ints,
                        .size = sizeof *ints },
        { .pair = SPARK_TYPE(str_i64),
            .key = SPARK_TYPE(spark_str),
            .pairs = strs,
            .size = sizeof *strs },
        { .pair = SPARK_TYPE(f64_i64),
            .key = SPARK_TYPE(double),
            .pairs = doubles,
            .size = sizeof *doubles },
        { .pair = SPARK_TYPE(list_i64),
            .key = SPARK_TYPE(spark_i64_list),
            .pairs = lists,
            .size = sizeof *lists },
        { .pair = SPARK_TYPE(opt_i64),
            .key = SPARK_TYPE(spark_opt_str),
            .pairs = opts,
            .size = sizeof *opts } };
    for (size_t i = 0; i < LENGTH(all); i++) {
        for (int sorted = 0; sorted < 3; sorted++) {
            size_t low = 3, high = 7;
            all[i].sorted = sorted > 0;
            all[i].descending = sorted == 2;
            if (spark_compare(all[i].key, pair_at(&all[i], low), pair_at(&all[i], high)) > 0) {
                low = 7;
                high = 3;
            }
            all[i].low = low;
            all[i].high = high;
            compare(&all[i]);
        }
    }
    /* The wrong way round there is nothing; from a key to itself, only its pairs. */
    for (int sorted = 0; sorted < 2; sorted++) {
        all[0].sorted = sorted;
        all[0].descending = false;
        for (size_t low = 0; low < 4; low++) {
            for (size_t high = 0; high < 4; high++) {
                all[0].low = low;
                all[0].high = high;
                if (low == high || (low + high) % 3 == 0)
                    compare(&all[0]);
            }
        }
    }
}

/* ---- pruning */

SPARK_MAP(to_pair, int64_t, i64_i64)
{
    *out = (i64_i64) { *in, -*in };
}

SPARK_MAP(negated, int64_t, int64_t)
{
    *out = -*in;
}

static spark_rdd *between(spark_rdd *rdd, int64_t low, int64_t high)
{
    return spark_filter_by_range(rdd, SPARK_VALUE(int64_t, &low), SPARK_VALUE(int64_t, &high));
}

static spark_rdd *pairs(spark_context *sc, int64_t n, int partitions)
{
    return spark_map(spark_range(sc, 0, n, 1, partitions), to_pair, NULL);
}

static void test_filter_by_range__looks_only_where_the_keys_can_be(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *sorted = spark_sort_by_key(pairs(sc, 1000, 4), NULL, 10);
        const int all = spark_rdd_partitions(sorted);
        assert_true(all > 5);
        spark_rdd *one = between(sorted, 500, 500);
        oracle_has_layout(one, "(500,-500)");
        assert_int_equal(spark_rdd_partitions(one), 1);
        oracle_count(sorted);
        oracle_count(one);
        assert_int_equal(oracle_last_job(sc).tasks, 1);
        /* Everything, and more than that. */
        assert_int_equal(spark_rdd_partitions(between(sorted, -5, 5000)), all);
        assert_int_equal(oracle_count(between(sorted, -5, 5000)), 1000);
        assert_int_equal(oracle_count(between(sorted, 0, 999)), 1000);
        /* Beyond either end. */
        assert_int_equal(spark_rdd_partitions(between(sorted, -9, -1)), 1);
        assert_int_equal(oracle_count(between(sorted, -9, -1)), 0);
        assert_int_equal(spark_rdd_partitions(between(sorted, 1000, INT64_MAX)), 1);
        assert_int_equal(oracle_count(between(sorted, 1000, INT64_MAX)), 0);
        /* The wrong way round: the partitions between, which have nothing. */
        assert_int_equal(spark_rdd_partitions(between(sorted, 5000, -5)), all);
        assert_int_equal(oracle_count(between(sorted, 5000, -5)), 0);
        /* Again of what was chosen: partitions count from 0. */
        spark_rdd *twice = between(between(sorted, 300, 700), 500, 502);
        oracle_collects(twice, "(500,-500) (501,-501) (502,-502)");
        assert_int_equal(oracle_count(between(sorted, 300, 700)), 401);
        assert_non_null(strstr(spark_to_debug_string(one), "PartitionPruningRDD"));
        /* In the other direction as well. */
        spark_rdd *down = spark_sort_by_key(pairs(sc, 1000, 4), spark_order_desc, 10);
        assert_true(spark_rdd_partitions(between(down, 5, 6)) <= 2);
        oracle_collects(between(down, 5, 6), "(6,-6) (5,-5)");
        assert_int_equal(oracle_count(between(down, 200, 800)), 601);
        assert_true(spark_rdd_partitions(between(down, 200, 800)) <= 8);
        assert_int_equal(oracle_count(between(down, -9, 2000)), 1000);
        /* Not where there is no order. */
        assert_int_equal(spark_rdd_partitions(between(pairs(sc, 1000, 4), 5, 6)), 4);
        oracle_close(sc);
    }
}

/* An RDD that a range partitioner has placed, and that no action has seen before. */
static void test_filter_by_range__of_what_a_range_partitioner_has_placed(void **state)
{
    (void)state;
    for (int how = 0; how < 6; how++) {
        spark_context *sc = oracle_open(2);
        spark_rdd *rdd = pairs(sc, 100, 4);
        const spark_partitioner *p = spark_range_partitioner(rdd, NULL, 8);
        const int all = spark_partitioner_partitions(p);
        assert_true(all > 4);
        rdd = how == 1 ? spark_repartition_and_sort_within_partitions(rdd, p, NULL)
                       : spark_partition_by(rdd, p);
        if (how == 2)
            rdd = spark_map_values(rdd, negated, NULL);
        if (how == 3)
            rdd = spark_union(rdd, spark_partition_by(pairs(sc, 10, 2), p));
        if (how == 4)
            rdd = spark_reduce_by_key(rdd, spark_op_sum, NULL, 0);
        if (how == 5)
            rdd = spark_sample(rdd, false, 1, 1);
        rdd = between(rdd, 20, 40);
        assert_int_equal(oracle_count(rdd), 21);
        assert_true(spark_rdd_partitions(rdd) < all);
        assert_null(spark_rdd_partitioner(rdd));
        oracle_close(sc);
    }
}

static void test_filter_by_range__prunes_every_range(void **state)
{
    (void)state;
    for (int p = 1; p <= 7; p += p < 3 ? 1 : 4) {
        spark_context *sc = oracle_open(2);
        spark_rdd *sorted = spark_cache(spark_sort_by_key(pairs(sc, 40, 3), NULL, p));
        const int all = spark_rdd_partitions(sorted);
        int64_t fewer = 0;
        for (int64_t low = -1; low <= 41; low += 3) {
            for (int64_t high = low; high <= 41; high += 5) {
                SPARK_SCOPED(sc);
                spark_rdd *rdd = between(sorted, low, high);
                const int64_t from = low < 0 ? 0 : low, to = high > 39 ? 39 : high;
                assert_int_equal(oracle_count(rdd), to >= from ? to - from + 1 : 0);
                assert_true(spark_rdd_partitions(rdd) <= all);
                fewer += spark_rdd_partitions(rdd) < all;
            }
        }
        assert_true(all == 1 ? fewer == 0 : fewer > 0);
        oracle_close(sc);
    }
}

static void test_filter_by_range__keeps_a_hash_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *placed = spark_partition_by(pairs(sc, 100, 4), spark_hash_partitioner(sc, 3));
    spark_rdd *rdd = between(placed, 10, 19);
    partitioned_as(rdd, placed);
    assert_int_equal(spark_rdd_partitions(rdd), 3);
    assert_int_equal(oracle_count(rdd), 10);
    /* So that nothing is shuffled after it. */
    assert_int_equal(oracle_count(spark_reduce_by_key(rdd, spark_op_sum, NULL, 3)), 10);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    /* Each key is where a lookup finds it. */
    for (int64_t i = 8; i < 22; i++) {
        spark_array array;
        oracle_ok(spark_lookup(rdd, SPARK_VALUE(int64_t, &i), SPARK_TYPE(int64_t), &array));
        assert_int_equal(array.n, i >= 10 && i < 20);
        spark_array_free(&array);
    }
    /* What a sort has placed and the filter has cut is placed no more, or right. */
    spark_rdd *cut = between(spark_sort_by_key(pairs(sc, 100, 4), NULL, 5), 40, 59);
    for (int64_t i = 38; i < 62; i++) {
        spark_array array;
        oracle_ok(spark_lookup(cut, SPARK_VALUE(int64_t, &i), SPARK_TYPE(int64_t), &array));
        assert_int_equal(array.n, i >= 40 && i < 60);
        spark_array_free(&array);
    }
    oracle_close(sc);
}

static void test_filter_by_range__of_nothing(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *none = between(spark_empty_rdd(sc, SPARK_TYPE(i64_i64)), 0, 9);
    assert_int_equal(spark_rdd_partitions(none), 0);
    oracle_collects(none, "");
    oracle_has_layout(between(pairs(sc, 0, 3), 0, 9), " | |");
    oracle_collects(between(spark_sort_by_key(pairs(sc, 0, 3), NULL, 4), 0, 9), "");
    oracle_collects(
        between(spark_sort_by_key(spark_empty_rdd(sc, SPARK_TYPE(i64_i64)), NULL, 4), 0, 9), "");
    oracle_close(sc);
}

static void test_filter_by_range__copies_its_bounds(void **state)
{
    char low_text[] = "b", high_text[] = "d";
    spark_str low = { low_text, 1 }, high = { high_text, 1 };
    static const str_i64 data[] = { { SPARK_STR("a"), 1 }, { SPARK_STR("b"), 2 },
        { SPARK_STR("c"), 3 }, { SPARK_STR("d"), 4 }, { SPARK_STR("da"), 5 } };
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .check = true });
    spark_rdd *rdd = spark_filter_by_range(spark_parallelize(sc, SPARK_DATA(str_i64, 5, data), 2),
        SPARK_VALUE(spark_str, &low), SPARK_VALUE(spark_str, &high));
    low_text[0] = high_text[0] = 'z';
    low.len = high.len = 0;
    oracle_collects(rdd, "(b,2) (c,3) (d,4)");
    oracle_close(sc);
}

static void test_filter_by_range__under_faults_gives_the_same_and_counts_once(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        spark_context *sc = oracle_open_failing_by(seed, 0.2);
        counter calls = spark_counter(sc, "calls");
        spark_rdd *source
            = spark_cache(spark_map(spark_range(sc, 0, 60, 1, 4), counted, SPARK_COPY(calls)));
        spark_rdd *sorted = spark_sort_by_key(spark_map(source, to_pair, NULL), NULL, 5);
        spark_rdd *rdd = spark_cache(between(sorted, 20, 29));
        for (int i = 0; i < 3; i++) {
            oracle_collects(spark_keys(rdd), "20 21 22 23 24 25 26 27 28 29");
            assert_int_equal(spark_accumulator_value(calls), 60);
            spark_drop_block(rdd, 0);
            spark_drop_block(source, i);
            spark_drop_shuffle_output(sorted, i);
        }
        oracle_close(sc);
    }
}

static void test_filter_by_range__refuses_what_makes_no_sense(void **state)
{
    const int64_t low = 1, high = 2;
    const double real = 1;
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = pairs(sc, 9, 2);
    oracle_fails(spark_count(between(NULL, 0, 1), &n), SPARK_EINVAL, "NULL");
    refused(spark_filter_by_range(spark_range(sc, 0, 9, 1, 2), SPARK_VALUE(int64_t, &low),
                SPARK_VALUE(int64_t, &high)),
        SPARK_ETYPE, "filterByRange", "pair");
    refused(spark_filter_by_range(rdd, SPARK_VALUE(double, &real), SPARK_VALUE(int64_t, &high)),
        SPARK_ETYPE, "filterByRange", "key");
    refused(spark_filter_by_range(rdd, SPARK_VALUE(int64_t, &low), SPARK_VALUE(double, &real)),
        SPARK_ETYPE, "filterByRange", "key");
    refused(spark_filter_by_range(rdd, SPARK_TYPE(int64_t), NULL, SPARK_VALUE(int64_t, &high)),
        SPARK_EINVAL, "filterByRange", "NULL");
    refused(spark_filter_by_range(rdd, SPARK_VALUE(int64_t, &low), SPARK_TYPE(int64_t), NULL),
        SPARK_EINVAL, "filterByRange", "NULL");
    passes_on(between(broken(sc), 0, 1));
    passes_on(between(spark_sort_by_key(spark_map(broken(sc), to_pair, NULL), NULL, 3), 0, 1));
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_filter_by_range__has_the_keys_between),
        oracle_test(test_filter_by_range__looks_only_where_the_keys_can_be),
        oracle_test(test_filter_by_range__of_what_a_range_partitioner_has_placed),
        oracle_test(test_filter_by_range__prunes_every_range),
        oracle_test(test_filter_by_range__keeps_a_hash_partitioner),
        oracle_test(test_filter_by_range__of_nothing),
        oracle_test(test_filter_by_range__copies_its_bounds),
        oracle_test(test_filter_by_range__under_faults_gives_the_same_and_counts_once),
        oracle_test(test_filter_by_range__refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
