/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's PartitioningSuite. */
#include "oracle.h"

#include <math.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_PAIR(f64_pair, double, int64_t);
SPARK_STRUCT(item, (int64_t, up), (int64_t, down));
SPARK_PAIR(item_pair, item, int64_t);
SPARK_PAIR(list_pair, spark_i64_list, int64_t);
SPARK_ORDER(by_down, item, (asc, down));

SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in, *in };
}
SPARK_MAP(to_item, int64_t, item_pair)
{
    *out = (item_pair) { { *in, -*in }, *in };
}
SPARK_MAP(item_down, item_pair, int64_t)
{
    *out = in->key.down;
}
SPARK_MAP(to_list, int64_t, list_pair)
{
    int64_t *at = spark_alloc(task, 2 * sizeof *at);
    if (at) {
        at[0] = *in % 3, at[1] = 7;
        *out = (list_pair) { { at, 2 }, 1 };
    }
}
SPARK_MAP(pair_key, i64_pair, int64_t)
{
    *out = in->key;
}
SPARK_MAP(add_one, int64_t, int64_t)
{
    *out = *in + 1;
}
SPARK_FLAT_MAP(two_times, int64_t, int64_t)
{
    if (spark_emit(out, *in))
        spark_emit(out, *in);
}
SPARK_FILTER(even_key, i64_pair)
{
    return in->key % 2 == 0;
}
SPARK_MAP(same_pair, i64_pair, i64_pair)
{
    *out = *in;
}
SPARK_PARTITIONER(by_remainder, int64_t)
{
    return (uint32_t)*key % partitions;
}
SPARK_PARTITIONER(by_shifted_remainder, int64_t, int64_t)
{
    return (uint32_t)(*key + *env) % partitions;
}
SPARK_PARTITIONER(by_quotient, int64_t, int64_t)
{
    return (uint32_t)(*key / (*env + 1)) % partitions;
}
SPARK_MAP(to_double, int64_t, double)
{
    *out = (double)*in;
}
SPARK_FILTER(two_or_four, int64_t)
{
    return *in == 2 || *in == 4;
}

static bool alike(const spark_partitioner *a, const spark_partitioner *b)
{
    assert_non_null(a);
    assert_non_null(b);
    return spark_partitioner_equal(a, b);
}

static void partitioning_suite__range_partitioners_are_equal_where_their_ranges_are(void **state)
{
    (void)state;
    i64_pair rows[10];
    for (int i = 0; i < 10; i++)
        rows[i] = (i64_pair) { 1, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *same = spark_parallelize(sc, SPARK_DATA(i64_pair, 10, rows), 4);
    assert_true(
        alike(spark_range_partitioner(same, NULL, 2), spark_range_partitioner(same, NULL, 4)));
    assert_false(alike(spark_range_partitioner(same, NULL, 2),
        spark_range_partitioner(same, spark_order_desc, 2)));
    assert_false(alike(spark_range_partitioner(same, NULL, 4),
        spark_range_partitioner(same, spark_order_desc, 4)));
    oracle_close(sc);
}

/* Keys of each partition, in the order of `key`, are above those of the one before. */
static void follow_one_another(spark_rdd *keys, int64_t total)
{
    spark_array lists;
    int64_t below = INT64_MIN, n = 0;
    oracle_ok(spark_collect(spark_glom(keys), SPARK_TYPE(spark_i64_list), &lists));
    const spark_i64_list *part = SPARK_ITEMS(spark_i64_list, &lists);
    for (size_t p = 0; p < lists.n; p++) {
        int64_t most = below;
        for (size_t i = 0; i < part[p].n; i++, n++) {
            assert_true(part[p].at[i] > below);
            if (part[p].at[i] > most)
                most = part[p].at[i];
        }
        below = most;
    }
    assert_int_equal(n, total);
    spark_array_free(&lists);
}

static void partitioning_suite__range_partitioner_places_keys_between_its_bounds(void **state)
{
    static const int partitions[] = { 1, 2, 10, 100, 500, 1000, 1500 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_map(spark_range(sc, 1, 2001, 1, 0), to_pair, NULL);
    for (size_t i = 0; i < LENGTH(partitions); i++) {
        SPARK_SCOPED(sc);
        const spark_partitioner *p = spark_range_partitioner(pairs, NULL, partitions[i]);
        assert_non_null(p);
        assert_in_range(spark_partitioner_partitions(p), partitions[i] / 2 + 1, partitions[i]);
        follow_one_another(spark_keys(spark_partition_by(pairs, p)), 2000);
    }
    oracle_close(sc);
}

static void partitioning_suite__range_partitioner_of_keys_ordered_from_outside(void **state)
{
    /* The natural order of the key is the reverse of the one that is given. */
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_map(spark_range(sc, 1, 2001, 1, 0), to_item, NULL);
    const spark_partitioner *p = spark_range_partitioner(pairs, by_down, 1500);
    assert_non_null(p);
    assert_in_range(spark_partitioner_partitions(p), 751, 1500);
    follow_one_another(spark_map(spark_partition_by(pairs, p), item_down, NULL), 2000);
    oracle_close(sc);
}

/* For i from 0 to 19, `times` * i^power keys between i and i + 1. */
typedef struct amount {
    int power, times;
} amount;
SPARK_FLAT_MAP(many, int64_t, f64_pair, amount)
{
    uint64_t seed = (uint64_t)*in;
    (void)task;
    const int64_t n = env->times * (int64_t)lround(pow((double)*in, env->power));
    for (int64_t i = 0; i < n; i++) {
        const double random = (double)(oracle_random(&seed) >> 11) * 0x1p-53;
        if (!spark_emit(out, (f64_pair) { random + (double)*in, *in }))
            return;
    }
}

static void is_balanced(amount how_many, int partitions)
{
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd
        = spark_cache(spark_flat_map(spark_range(sc, 0, 20, 1, 20), many, SPARK_COPY(how_many)));
    const spark_partitioner *p = spark_range_partitioner(rdd, NULL, partitions);
    assert_non_null(p);
    assert_int_equal(spark_partitioner_partitions(p), partitions);
    spark_rdd *placed = spark_partition_by(rdd, p);
    int64_t least = INT64_MAX, most = 0;
    spark_array part;
    for (int i = 0; i < partitions; i++) {
        oracle_ok(spark_collect_partitions(placed, 1, &i, NULL, &part));
        least = (int64_t)part.n < least ? (int64_t)part.n : least;
        most = (int64_t)part.n > most ? (int64_t)part.n : most;
        spark_array_free(&part);
    }
    if (most >= 3 * least)
        fail_msg("%d partitions hold %lld to %lld", partitions, (long long)least, (long long)most);
    oracle_close(sc);
}

static void partitioning_suite__range_partitioner_balances(void **state)
{
    (void)state;
    for (int partitions = 10; partitions <= 40; partitions *= 2)
        is_balanced((amount) { 1, 500 }, partitions);
    for (int partitions = 2; partitions <= 8; partitions *= 2)
        is_balanced((amount) { 3, 1 }, partitions);
}

static void partitioning_suite__range_partitioner_of_an_empty_rdd(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *empty = spark_empty_rdd(sc, SPARK_TYPE(i64_pair));
    for (int asked = 0; asked <= 2; asked++) {
        const spark_partitioner *p = spark_range_partitioner(empty, NULL, asked);
        assert_int_equal(spark_partitioner_status(p), SPARK_OK);
        assert_int_equal(spark_partitioner_partitions(p), 1);
    }
    oracle_close(sc);
}

/* Where a partitioner says a key goes is where the pair is. */
static void partitioning_suite__keys_are_where_the_partitioner_says(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, -500, 500, 1, 4), to_pair, NULL);
    const spark_partitioner *all[] = { spark_hash_partitioner(sc, 7),
        spark_range_partitioner(rdd, NULL, 5), spark_range_partitioner(rdd, spark_order_desc, 5) };
    for (size_t k = 0; k < LENGTH(all); k++) {
        spark_array parts;
        oracle_ok(spark_collect(spark_glom(spark_keys(spark_partition_by(rdd, all[k]))),
            SPARK_TYPE(spark_i64_list), &parts));
        assert_int_equal(parts.n, spark_partitioner_partitions(all[k]));
        size_t seen = 0;
        for (size_t p = 0; p < parts.n; p++) {
            const spark_i64_list *keys = &SPARK_ITEMS(spark_i64_list, &parts)[p];
            for (size_t i = 0; i < keys->n; i++, seen++)
                assert_int_equal(
                    spark_partitioner_get(all[k], SPARK_VALUE(int64_t, &keys->at[i])), p);
        }
        assert_int_equal(seen, 1000);
        spark_array_free(&parts);
        const spark_str text = SPARK_STR("x");
        if (k > 0) { /* ranges of numbers */
            assert_int_equal(spark_partitioner_get(all[k], SPARK_VALUE(spark_str, &text)), -1);
            assert_int_equal(spark_last_error()->code, SPARK_ETYPE);
        }
        assert_int_equal(spark_partitioner_get(all[k], SPARK_TYPE(int64_t), NULL), -1);
        assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    }
    assert_int_equal(spark_partitioner_get(NULL, SPARK_TYPE(int64_t), &(int64_t) { 1 }), -1);
    oracle_close(sc);
}

/* Ten times as many partitions are too many. (In Spark, as the logarithms of the two are rounded.) */
static void partitioning_suite__default_partitioner_at_ten_times(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int h = 1; h < 50; h += 3)
        for (int far = 0; far < 2; far++) {
            const int n = h * 10 - !far;
            spark_rdd *wide = spark_map(spark_range(sc, 0, 100, 1, n), to_pair, NULL);
            spark_rdd *small = spark_map(spark_range(sc, 0, 9, 1, 2), to_pair, NULL);
            spark_rdd *placed = spark_partition_by(small, spark_hash_partitioner(sc, h));
            assert_int_equal(spark_rdd_partitions(spark_join(placed, wide, 0)), far ? n : h);
        }
    oracle_close(sc);
}

static void partitioning_suite__hash_and_range_partitioners_differ(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_map(spark_range(sc, 1, 11, 1, 2), to_pair, NULL);
    const spark_partitioner *hash = spark_hash_partitioner(sc, 2),
                            *range = spark_range_partitioner(pairs, NULL, 2);
    assert_true(alike(hash, spark_hash_partitioner(sc, 2)));
    assert_true(alike(range, spark_range_partitioner(pairs, NULL, 2)));
    assert_false(alike(hash, range));
    assert_false(alike(range, hash));
    oracle_close(sc);
}

static void partitioning_suite__hash_partitioners_are_equal_where_their_counts_are(void **state)
{
    static const int counts[] = { 1, 2, 3, 10 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_map(spark_range(sc, 1, 101, 1, 4), to_pair, NULL);
    for (size_t i = 0; i < LENGTH(counts); i++) {
        const spark_partitioner *p = spark_hash_partitioner(sc, counts[i]);
        const spark_partitioner *range = spark_range_partitioner(pairs, NULL, counts[i]);
        assert_int_equal(spark_partitioner_partitions(p), counts[i]);
        assert_int_equal(spark_partitioner_partitions(range), counts[i]);
        for (size_t k = 0; k < LENGTH(counts); k++)
            assert_int_equal(alike(p, spark_hash_partitioner(sc, counts[k])), i == k);
        assert_false(alike(p, range));
        assert_false(alike(range, p));
        assert_false(spark_partitioner_equal(p, NULL));
        assert_false(spark_partitioner_equal(NULL, p));
    }
    oracle_close(sc);
}

static void partitioning_suite__partitioners_of_ones_own_are_equal_by_function_and_env(void **state)
{
    /* Both are 7, in two places. */
    const int64_t seven = 7, again = 7, eight = 8;
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_partitioner *p
        = spark_partitioner_new(sc, 4, by_shifted_remainder, SPARK_COPY(seven));
    const spark_partitioner *plain = spark_partitioner_new(sc, 4, by_remainder, NULL);
    const struct {
        const spark_partitioner *other;
        bool equal;
    } cases[] = {
        { p, true },
        { spark_partitioner_new(sc, 4, by_shifted_remainder, SPARK_COPY(again)), true },
        { spark_partitioner_new(sc, 4, by_shifted_remainder, SPARK_REF(&again)), true },
        { spark_partitioner_new(sc, 4, by_shifted_remainder, SPARK_COPY(eight)), false },
        { spark_partitioner_new(sc, 5, by_shifted_remainder, SPARK_COPY(seven)), false },
        { spark_partitioner_new(sc, 4, by_quotient, SPARK_COPY(seven)), false },
        { plain, false },
        { spark_hash_partitioner(sc, 4), false },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_int_equal(spark_partitioner_status(cases[i].other), SPARK_OK);
        assert_int_equal(alike(p, cases[i].other), cases[i].equal);
        assert_int_equal(alike(cases[i].other, p), cases[i].equal);
    }
    assert_true(alike(plain, spark_partitioner_new(sc, 4, by_remainder, NULL)));
    assert_false(alike(plain, spark_partitioner_new(sc, 3, by_remainder, NULL)));
    /* Equal ones make a join without a shuffle. */
    spark_rdd *pairs = spark_map(spark_range(sc, 0, 100, 1, 3), to_pair, NULL);
    for (size_t i = 0; i < 5; i++) {
        spark_rdd *a = spark_partition_by(pairs, p);
        spark_rdd *b = spark_partition_by(pairs, cases[i].other);
        assert_int_equal(oracle_count(a) + oracle_count(b), 200);
        assert_int_equal(oracle_count(spark_join(a, b, 0)), 100);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, cases[i].equal ? 0 : 100);
    }
    oracle_close(sc);
}

static bool placed_as(spark_rdd *a, spark_rdd *b)
{
    return alike(spark_rdd_partitioner(a), spark_rdd_partitioner(b));
}

static void partitioning_suite__partitioners_are_kept_where_they_fit(void **state)
{
    static const i64_pair rows[] = { { 1, 2 }, { 2, 3 }, { 2, 4 }, { 3, 4 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_pair, 4, rows), 0);
    assert_null(spark_rdd_partitioner(rdd));
    spark_rdd *two = spark_group_by_key(rdd, 2), *four = spark_group_by_key(rdd, 4);
    spark_rdd *reduced = spark_reduce_by_key(rdd, spark_op_sum, NULL, 2);
    assert_true(alike(spark_rdd_partitioner(two), spark_hash_partitioner(sc, 2)));
    assert_true(placed_as(two, reduced));
    assert_false(placed_as(two, four));
    assert_true(placed_as(two, spark_group_by_key(two, 0)));
    assert_false(placed_as(two, spark_group_by_key(two, 3)));
    assert_true(placed_as(reduced, spark_group_by_key(reduced, 0)));
    assert_false(placed_as(reduced, spark_group_by_key(reduced, 3)));
    assert_true(placed_as(four, spark_join(two, four, 0)));
    assert_true(placed_as(four, spark_left_outer_join(two, four, 0)));
    assert_true(placed_as(four, spark_right_outer_join(two, four, 0)));
    assert_true(placed_as(four, spark_full_outer_join(two, four, 0)));
    assert_true(placed_as(four, spark_cogroup(2, (spark_rdd *[]) { two, four }, 0)));
    assert_true(placed_as(two, spark_join(two, reduced, 0)));
    assert_true(placed_as(two, spark_left_outer_join(two, reduced, 0)));
    assert_true(placed_as(two, spark_right_outer_join(two, reduced, 0)));
    assert_true(placed_as(two, spark_full_outer_join(two, reduced, 0)));
    assert_true(placed_as(two, spark_cogroup(2, (spark_rdd *[]) { two, reduced }, 0)));
    assert_null(spark_rdd_partitioner(spark_map(reduced, pair_key, NULL)));
    oracle_close(sc);
}

static void partitioning_suite__narrow_steps_keep_or_drop_the_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_map(spark_range(sc, 0, 100, 1, 4), to_pair, NULL);
    const spark_partitioner *all[] = { spark_hash_partitioner(sc, 3),
        spark_range_partitioner(pairs, NULL, 3), spark_partitioner_new(sc, 3, by_remainder, NULL) };
    for (size_t i = 0; i < LENGTH(all); i++) {
        spark_rdd *placed = spark_partition_by(pairs, all[i]);
        assert_true(alike(spark_rdd_partitioner(placed), all[i]));
        spark_rdd *kept[] = { spark_map_values(placed, add_one, NULL),
            spark_flat_map_values(placed, two_times, NULL), spark_filter(placed, even_key, NULL),
            spark_sample(placed, false, 0.5, 1), spark_sample(placed, true, 0.5, 1) };
        for (size_t k = 0; k < LENGTH(kept); k++)
            assert_true(placed_as(kept[k], placed));
        /* The keys do lie as the partitioner says. */
        assert_int_equal(oracle_count(spark_join(kept[0], kept[1], 0)), 200);
        assert_int_equal(oracle_count(spark_join(kept[1], kept[2], 0)), 100);
        /* A map that returns its pairs could have changed them. */
        assert_null(spark_rdd_partitioner(spark_map(placed, same_pair, NULL)));
        assert_null(spark_rdd_partitioner(spark_key_by(placed, pair_key, NULL)));
    }
    oracle_close(sc);
}

static void partitioning_suite__arrays_are_keys_by_content(void **state)
{
    /* Spark refuses arrays as keys, since equal ones have different hashes there; here they do not. */
    static const char *const one_each = "([0,7],4) ([1,7],4) ([2,7],4)";
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_map(spark_range(sc, 0, 12, 1, 4), to_list, NULL);
    spark_array counts;
    oracle_holds(spark_distinct(pairs, 0), "([0,7],1) ([1,7],1) ([2,7],1)");
    oracle_holds(
        spark_group_by_key(pairs, 0), "([0,7],[1,1,1,1]) ([1,7],[1,1,1,1]) ([2,7],[1,1,1,1])");
    oracle_holds(spark_reduce_by_key(spark_partition_by(pairs, spark_hash_partitioner(sc, 2)),
                     spark_op_sum, NULL, 0),
        one_each);
    assert_int_equal(oracle_count(spark_join(pairs, pairs, 0)), 3 * 16);
    assert_int_equal(oracle_count(spark_left_outer_join(pairs, pairs, 0)), 3 * 16);
    assert_int_equal(oracle_count(spark_right_outer_join(pairs, pairs, 0)), 3 * 16);
    assert_int_equal(oracle_count(spark_full_outer_join(pairs, pairs, 0)), 3 * 16);
    assert_int_equal(oracle_count(spark_cogroup(2, (spark_rdd *[]) { pairs, pairs }, 0)), 3);
    oracle_ok(spark_count_by_key(pairs, NULL, &counts));
    char *have = oracle_listing(&counts, true);
    assert_string_equal(have, one_each);
    free(have);
    spark_array_free(&counts);
    oracle_ok(spark_reduce_by_key_locally(pairs, spark_op_sum, NULL, NULL, &counts));
    have = oracle_listing(&counts, true);
    assert_string_equal(have, one_each);
    free(have);
    spark_array_free(&counts);
    oracle_close(sc);
}

static void partitioning_suite__stats_over_empty_partitions(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd
        = spark_map(spark_filter(spark_range(sc, 1, 9, 1, 8), two_or_four, NULL), to_double, NULL);
    oracle_has_layout(rdd, " | 2 | | 4 | | | |");
    spark_stat_counter stats;
    oracle_ok(spark_stats(rdd, &stats));
    assert_int_equal(stats.count, 2);
    assert_true(stats.sum == 6 && stats.mean == 3 && stats.variance == 1 && stats.stdev == 1);
    assert_true(stats.max == 4 && stats.min == 2);
    double one = 0;
    oracle_ok(spark_sum(rdd, &one));
    assert_true(one == 6);
    oracle_ok(spark_mean(rdd, &one));
    assert_true(one == 3);
    oracle_ok(spark_variance(rdd, &one));
    assert_true(one == 1);
    oracle_ok(spark_stdev(rdd, &one));
    assert_true(one == 1);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(partitioning_suite__range_partitioners_are_equal_where_their_ranges_are),
        oracle_test(partitioning_suite__range_partitioner_places_keys_between_its_bounds),
        oracle_test(partitioning_suite__range_partitioner_of_keys_ordered_from_outside),
        oracle_test(partitioning_suite__range_partitioner_balances),
        oracle_test(partitioning_suite__range_partitioner_of_an_empty_rdd),
        oracle_test(partitioning_suite__keys_are_where_the_partitioner_says),
        oracle_test(partitioning_suite__default_partitioner_at_ten_times),
        oracle_test(partitioning_suite__hash_and_range_partitioners_differ),
        oracle_test(partitioning_suite__hash_partitioners_are_equal_where_their_counts_are),
        oracle_test(partitioning_suite__partitioners_of_ones_own_are_equal_by_function_and_env),
        oracle_test(partitioning_suite__partitioners_are_kept_where_they_fit),
        oracle_test(partitioning_suite__narrow_steps_keep_or_drop_the_partitioner),
        oracle_test(partitioning_suite__arrays_are_keys_by_content),
        oracle_test(partitioning_suite__stats_over_empty_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
