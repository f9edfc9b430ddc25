/* SPDX-License-Identifier: Apache-2.0 */
/* Keys chosen to collide: every operation by key gives what it gives of others, the same for any
 * threads, batches and faults. How long it takes is tests/bench/growth's to say. */
#include "keys.h"

#include "collisions.h"

enum { N = 4000, KEYS = 1500, OTHERS = 1000 };
static const uint64_t hash = UINT64_C(0x0123456789abcdef);

SPARK_PAIR(i64_pair, int64_t, int64_t);

/* Texts of one hash, and integers of one slice and bucket; key k of row i. */
static char texts[KEYS][32];
static int64_t numbers[KEYS];
static size_t key_of(size_t i)
{
    return i * 7 % KEYS;
}

static void make_keys(void)
{
    uint64_t state = 0;
    for (size_t k = 0; k < KEYS; k++) {
        collisions_text(k, hash, texts[k]);
        numbers[k] = collisions_next(&state, 0x12345678);
    }
}

static spark_str text_of(size_t k)
{
    return (spark_str) { texts[k], 32 };
}

static spark_rdd *by_text(spark_context *sc, size_t n, int partitions)
{
    static str_i64 rows[N];
    for (size_t i = 0; i < n; i++)
        rows[i] = (str_i64) { text_of(key_of(i)), (int64_t)i };
    return spark_parallelize(sc, SPARK_DATA(str_i64, n, rows), partitions);
}

static spark_rdd *by_number(spark_context *sc, size_t n, int partitions)
{
    static i64_pair rows[N];
    for (size_t i = 0; i < n; i++)
        rows[i] = (i64_pair) { numbers[key_of(i)], (int64_t)i };
    return spark_parallelize(sc, SPARK_DATA(i64_pair, n, rows), partitions);
}

static spark_rdd *sums_by_text(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_reduce_by_key(by_text(sc, N, partitions), spark_op_sum, NULL, 3);
}
static spark_rdd *sums_by_number(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_reduce_by_key(by_number(sc, N, partitions), spark_op_sum, NULL, 3);
}

static int64_t sum_of(size_t k)
{
    int64_t sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += key_of(i) == k ? (int64_t)i : 0;
    return sum;
}

static void test_flood__sums_are_what_they_are(void **state)
{
    static str_i64 want_texts[KEYS];
    static i64_pair want_numbers[KEYS];
    (void)state;
    make_keys();
    for (size_t k = 0; k < KEYS; k++) {
        assert_int_equal(spark_hash(SPARK_TYPE(spark_str), &(spark_str) { texts[k], 32 }), hash);
        want_texts[k] = (str_i64) { text_of(k), sum_of(k) };
        want_numbers[k] = (i64_pair) { numbers[k], sum_of(k) };
    }
    oracle_compare(sums_by_text, NULL, false, SPARK_TYPE(str_i64), KEYS, want_texts);
    oracle_compare(sums_by_number, NULL, false, SPARK_TYPE(i64_pair), KEYS, want_numbers);
}

/* Joins: (k, (v, w)) as v * N + w. */
SPARK_JOIN(both, spark_str, int64_t, int64_t, int64_t)
{
    (void)key;
    spark_emit(out, (left ? *left : -1) * N + (right ? *right : -1));
}
static spark_rdd *joined(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_join_map(by_text(sc, OTHERS, partitions), by_text(sc, KEYS, 2), SPARK_FULL_OUTER,
        both, NULL, 3);
}
static void test_flood__joins_are_what_they_are(void **state)
{
    static int64_t want[KEYS];
    (void)state;
    make_keys();
    for (size_t i = 0; i < KEYS; i++) /* row i alone has its key, on either side */
        want[i] = (i < OTHERS ? (int64_t)i : -1) * N + (int64_t)i;
    oracle_compare(joined, NULL, false, SPARK_TYPE(int64_t), KEYS, want);
}

static void test_flood__keys_are_told_apart(void **state)
{
    (void)state;
    make_keys();
    for (int threads = 1; threads < 3; threads++) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *all = by_text(sc, N, 4), *some = by_text(sc, OTHERS, 3);
        spark_rdd *const sides[] = { all, some };
        assert_int_equal(oracle_count(spark_distinct(spark_keys(all), 2)), KEYS);
        assert_int_equal(oracle_count(spark_group_by_key(all, 2)), KEYS);
        assert_int_equal(oracle_count(spark_cogroup(2, sides, 2)), KEYS);
        assert_int_equal(
            oracle_count(spark_intersection(spark_keys(all), spark_keys(some), 2)), OTHERS);
        assert_int_equal(
            oracle_count(spark_distinct(spark_subtract(spark_keys(all), spark_keys(some), 2), 2)),
            KEYS - OTHERS);
        oracle_close(sc);
    }
}

static void test_flood__maps_are_looked_into(void **state)
{
    spark_array map;
    char absent[32];
    (void)state;
    make_keys();
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_collect_as_map(by_text(sc, N, 4), SPARK_TYPE(str_i64), &map));
    const spark_index *const indexes[] = { spark_array_index(&map),
        spark_broadcast_value(spark_broadcast_index(sc, spark_array_index(&map))) };
    for (size_t which = 0; which < LENGTH(indexes); which++) {
        for (size_t k = 0; k < KEYS; k++) {
            const spark_str key = text_of(k);
            const int64_t *last = SPARK_FIND(str_i64, indexes[which], &key);
            assert_non_null(last);
            assert_int_equal(key_of((size_t)*last), k);
            assert_true(*last + KEYS >= N);
        }
        for (size_t k = KEYS; k < 2 * KEYS; k++) {
            collisions_text(k, hash, absent);
            const spark_str key = { absent, 32 };
            assert_null(SPARK_FIND(str_i64, indexes[which], &key));
        }
    }
    spark_array_free(&map);
    oracle_close(sc);
}

/* A type's own hash is a number of its own, in whatever bits: partitions are even all the same. */
typedef struct user {
    int32_t id, kind;
} user;
static uint64_t low_bits(const void *value)
{
    return (uint32_t)((const user *)value)->id;
}
static uint64_t high_bits(const void *value)
{
    return (uint64_t)(uint32_t)((const user *)value)->id << 44;
}
static const spark_type_ops low_ops = { .hash = low_bits }, high_ops = { .hash = high_bits };
SPARK_DESCRIBE_WITH(user, &low_ops, (int32_t, id), (int32_t, kind));
typedef user other;
SPARK_DESCRIBE_WITH(other, &high_ops, (int32_t, id), (int32_t, kind));
SPARK_PAIR(visit, user, int64_t);
SPARK_PAIR(other_visit, other, int64_t);

SPARK_MAP(to_visit, int64_t, visit)
{
    *out = (visit) { { (int32_t)*in, 0 }, 1 };
}
SPARK_MAP(to_other, int64_t, other_visit)
{
    *out = (other_visit) { { (int32_t)*in, 0 }, 1 };
}

static void is_even(spark_rdd *rdd, size_t n, int partitions)
{
    const size_t even = n / (size_t)partitions;
    for (int p = 0; p < partitions; p++) {
        spark_array rows;
        oracle_ok(spark_collect_partitions(rdd, 1, &p, NULL, &rows));
        assert_in_range(rows.n, even - even / 5, even + even / 5);
        spark_array_free(&rows);
    }
}

static void test_weak_hash__spreads_over_partitions(void **state)
{
    enum { MANY = 40000, PARTITIONS = 8 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *ids = spark_range(sc, 0, MANY, 1, 4);
    is_even(spark_reduce_by_key(spark_map(ids, to_visit, NULL), spark_op_sum, NULL, PARTITIONS),
        MANY, PARTITIONS);
    is_even(spark_reduce_by_key(spark_map(ids, to_other, NULL), spark_op_sum, NULL, PARTITIONS),
        MANY, PARTITIONS);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_flood__sums_are_what_they_are),
        oracle_test(test_flood__joins_are_what_they_are),
        oracle_test(test_flood__keys_are_told_apart),
        oracle_test(test_flood__maps_are_looked_into),
        oracle_test(test_weak_hash__spreads_over_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
