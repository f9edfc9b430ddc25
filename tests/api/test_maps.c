/* SPDX-License-Identifier: Apache-2.0 */
/* lookup, maps with an index, and broadcasts of them, against naive answers. */
#include "actions.h"

#include <math.h>

#define ROWS 300

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(i32_i64, int32_t, int64_t);
SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_PAIR(str_str, spark_str, spark_str);
SPARK_PAIR(byte_str, uint8_t, spark_str);

/* The data: words that are drawn from few, and numbers of a small range. */
static i32_i64 numbers[ROWS];
static str_str words[ROWS];
static char keys[ROWS][40], values[ROWS][40];

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < ROWS; i++) {
        const int key = (int)oracle_below(&seed, 40) - 20;
        numbers[i] = (i32_i64) { key, (int64_t)oracle_below(&seed, 1000) };
        const int k = snprintf(
            keys[i], sizeof keys[i], key % 3 ? "%d" : "a key of many bytes: %d", key * 7);
        const int v = snprintf(values[i], sizeof values[i], "value %d of %d", (int)i, key);
        words[i] = (str_str) { { keys[i], key ? (size_t)k : 0 }, { values[i], (size_t)v } };
    }
}

SPARK_FILTER(no_pair, i32_i64)
{
    return in->key > 1000;
}
SPARK_MERGE(add_up, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_MERGE(concat, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
}

/* ---- lookup */

/* finds: the values of key among n pairs, in their order. */
static void finds_number(spark_rdd *rdd, int32_t key)
{
    spark_array array;
    size_t n = 0;
    oracle_ok(spark_lookup(rdd, SPARK_VALUE(int32_t, &key), SPARK_TYPE(int64_t), &array));
    const int64_t *x = SPARK_ITEMS(int64_t, &array);
    for (size_t i = 0; i < ROWS; i++)
        if (numbers[i].key == key) {
            assert_true(n < array.n);
            assert_int_equal(x[n++], numbers[i].value);
        }
    assert_int_equal(array.n, n);
    spark_array_free(&array);
}

static void finds_word(spark_rdd *rdd, spark_str key)
{
    spark_array array;
    size_t n = 0;
    oracle_ok(spark_lookup(rdd, SPARK_VALUE(spark_str, &key), SPARK_TYPE(spark_str), &array));
    const spark_str *x = SPARK_ITEMS(spark_str, &array);
    for (size_t i = 0; i < ROWS; i++)
        if (spark_str_equal(words[i].key, key)) {
            assert_true(n < array.n);
            assert_true(spark_str_equal(x[n++], words[i].value));
        }
    assert_int_equal(array.n, n);
    spark_array_free(&array);
}

static void check_lookup(spark_context *sc, int partitions)
{
    spark_rdd *n = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), partitions);
    spark_rdd *w = spark_parallelize(sc, SPARK_DATA(str_str, ROWS, words), partitions);
    spark_rdd *placed_n = spark_partition_by(n, spark_hash_partitioner(sc, partitions));
    spark_rdd *placed_w = spark_partition_by(w, spark_hash_partitioner(sc, 5));
    for (int32_t key = -22; key < 22; key += 3) {
        finds_number(n, key);
        finds_number(placed_n, key);
    }
    for (size_t i = 0; i < ROWS; i += 31) {
        finds_word(w, words[i].key);
        finds_word(placed_w, words[i].key);
    }
    finds_word(w, SPARK_LIT("no key"));
    finds_word(placed_w, SPARK_LIT("no key"));
    finds_word(placed_w, SPARK_LIT(""));
}

static void test_lookup__gives_the_values_of_a_key_in_order(void **state)
{
    (void)state;
    fill(1);
    each(check_lookup);
}

static void test_lookup__looks_into_one_partition_where_keys_are_placed(void **state)
{
    (void)state;
    fill(2);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), 7);
    finds_number(rdd, 4);
    assert_int_equal(oracle_last_job(sc).tasks, 7);
    spark_rdd *placed = spark_partition_by(rdd, spark_hash_partitioner(sc, 16));
    oracle_count(placed);
    for (int32_t key = -20; key < 20; key++) {
        finds_number(placed, key);
        assert_int_equal(oracle_last_job(sc).tasks, 1);
        assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
    }
    /* The result of a reduce_by_key is placed as well. */
    spark_rdd *sums = spark_reduce_by_key(rdd, spark_op_sum, NULL, 3);
    spark_array array;
    int64_t sum = 0;
    for (size_t i = 0; i < ROWS; i++)
        sum += numbers[i].key == 4 ? numbers[i].value : 0;
    oracle_ok(spark_lookup(sums, SPARK_VALUE(int32_t, &(int32_t) { 4 }), NULL, &array));
    assert_int_equal(array.n, 1);
    assert_int_equal(*SPARK_ITEMS(int64_t, &array), sum);
    spark_array_free(&array);
    assert_int_equal(oracle_last_job(sc).tasks, 7 + 1);
    oracle_close(sc);
}

/* PairRDDFunctionsSuite, lookup with a bad partitioner: places negative keys nowhere. */
SPARK_PARTITIONER(by_parity, int64_t)
{
    return *key < 0 ? partitions : (uint32_t)(*key % partitions);
}
SPARK_PARTITIONER(picky, int64_t)
{
    if (*key == 13)
        spark_fail(task, "13 has no place");
    return (uint32_t)(*key % partitions);
}

static void test_lookup__asks_the_partitioner_of_the_user(void **state)
{
    const i64_i64 pairs[] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 5, 7 } };
    const int64_t key[] = { -1, 1, 5, 4, 13 };
    spark_array array;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_i64, 4, pairs), 3);
        spark_rdd *placed = spark_partition_by(rdd, spark_partitioner_new(sc, 2, by_parity, NULL));
        oracle_ok(spark_lookup(placed, SPARK_VALUE(int64_t, &key[1]), NULL, &array));
        oracle_lists(&array, "2");
        spark_array_free(&array);
        oracle_ok(spark_lookup(placed, SPARK_VALUE(int64_t, &key[2]), NULL, &array));
        oracle_lists(&array, "6 7");
        spark_array_free(&array);
        oracle_ok(spark_lookup(placed, SPARK_VALUE(int64_t, &key[3]), NULL, &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
        array = (spark_array)DIRTY_ARRAY;
        blames(spark_lookup(placed, SPARK_VALUE(int64_t, &key[0]), NULL, &array), SPARK_EINVAL,
            "lookup", "by_parity");
        zeroed(&array);
        placed = spark_partition_by(rdd, spark_partitioner_new(sc, 2, picky, NULL));
        blames(spark_lookup(placed, SPARK_VALUE(int64_t, &key[4]), NULL, &array), SPARK_EINVAL,
            "lookup", "13 has no place");
        oracle_close(sc);
    }
}

static void test_lookup__of_nothing_is_empty(void **state)
{
    const int32_t key = 1;
    spark_array array;
    (void)state;
    fill(3);
    spark_context *sc = oracle_open(2);
    spark_rdd *none[] = { spark_empty_rdd(sc, SPARK_TYPE(i32_i64)),
        spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 3),
        spark_filter(spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), 3), no_pair, NULL),
        spark_partition_by(
            spark_empty_rdd(sc, SPARK_TYPE(i32_i64)), spark_hash_partitioner(sc, 3)) };
    for (size_t i = 0; i < LENGTH(none); i++) {
        oracle_ok(spark_lookup(none[i], SPARK_VALUE(int32_t, &key), SPARK_TYPE(int64_t), &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
    }
    oracle_close(sc);
}

static void test_lookup__tells_what_is_wrong(void **state)
{
    const int32_t key = 1;
    const int64_t wide = 1;
    spark_array array = DIRTY_ARRAY;
    (void)state;
    fill(4);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), 3);
    blames(spark_lookup(NULL, SPARK_VALUE(int32_t, &key), NULL, &array), SPARK_EINVAL, "lookup",
        "the RDD is NULL");
    zeroed(&array);
    array = (spark_array)DIRTY_ARRAY;
    blames(spark_lookup(rdd, SPARK_VALUE(int64_t, &wide), NULL, &array), SPARK_ETYPE, "lookup",
        "key: i64 wanted, i32 found");
    zeroed(&array);
    array = (spark_array)DIRTY_ARRAY;
    blames(spark_lookup(rdd, SPARK_VALUE(int32_t, &key), SPARK_TYPE(double), &array), SPARK_ETYPE,
        "lookup", "f64 wanted, i64 found");
    zeroed(&array);
    blames(spark_lookup(rdd, SPARK_TYPE(int32_t), NULL, NULL, &array), SPARK_EINVAL, "lookup",
        "the key is NULL");
    blames(spark_lookup(spark_range(sc, 0, 3, 1, 1), SPARK_VALUE(int64_t, &wide), NULL, &array),
        SPARK_ETYPE, "lookup", "not one of pairs");
    blames(spark_lookup(rdd, SPARK_VALUE(int32_t, &key), NULL, NULL), SPARK_EINVAL, "lookup",
        "no place");
    oracle_fails(spark_lookup(broken(sc), SPARK_VALUE(int32_t, &key), NULL, &array), SPARK_EINVAL,
        "range at ");
    no_job(sc);
    oracle_close(sc);
}

/* ---- collect_as_map */

/* is_map_of_numbers: each key once, in the order they came first, with this value; and found. */
static void is_map_of_numbers(const spark_array *array, bool summed)
{
    i32_i64 want[ROWS];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = 0;
        while (at < n && want[at].key != numbers[i].key)
            at++;
        if (at == n)
            want[n++] = (i32_i64) { numbers[i].key, 0 };
        want[at].value = numbers[i].value + (summed ? want[at].value : 0);
    }
    const i32_i64 *have = SPARK_ITEMS(i32_i64, array);
    const spark_index *index = spark_array_index(array);
    assert_non_null(index);
    assert_int_equal(array->n, n);
    assert_int_equal(index->n, n);
    for (size_t i = 0; i < n; i++) {
        if (!summed) {
            assert_int_equal(have[i].key, want[i].key);
            assert_int_equal(have[i].value, want[i].value);
        }
        const int64_t *found = SPARK_FIND(i32_i64, index, &want[i].key);
        assert_non_null(found);
        assert_int_equal(*found, want[i].value);
        /* It is the pair's own. */
        const int64_t *same = SPARK_FIND(i32_i64, index, &have[i].key);
        assert_ptr_equal(same, &have[i].value);
    }
    for (int32_t key = 20; key < 60; key++)
        assert_null(SPARK_FIND(i32_i64, index, &key));
}

static void check_as_map(spark_context *sc, int partitions)
{
    spark_array array;
    oracle_ok(
        spark_collect_as_map(spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), partitions),
            SPARK_TYPE(i32_i64), &array));
    is_map_of_numbers(&array, false);
    spark_array_free(&array);
    oracle_ok(spark_collect_as_map(
        spark_parallelize(sc, SPARK_DATA(str_str, ROWS, words), partitions), NULL, &array));
    const spark_index *index = spark_array_index(&array);
    for (size_t i = 0; i < ROWS; i++) {
        size_t last = i;
        for (size_t k = i; k < ROWS; k++)
            last = spark_str_equal(words[k].key, words[i].key) ? k : last;
        const spark_str *found = SPARK_FIND(str_str, index, &words[i].key);
        assert_non_null(found);
        assert_true(spark_str_equal(*found, words[last].value));
    }
    assert_null(SPARK_FIND(str_str, index, &SPARK_LIT("no key")));
    assert_null(SPARK_FIND(str_str, index, &SPARK_LIT("value 1 of 1")));
    spark_array_free(&array);
    assert_null(spark_array_index(&array));
}

static void test_collect_as_map__has_the_last_value_of_each_key(void **state)
{
    (void)state;
    fill(5);
    each(check_as_map);
}

static void test_collect_as_map__of_nothing_is_an_empty_map(void **state)
{
    const int32_t key = 1;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *none[] = { spark_empty_rdd(sc, SPARK_TYPE(i32_i64)),
        spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 3) };
    for (size_t i = 0; i < 2; i++) {
        spark_array array;
        oracle_ok(spark_collect_as_map(none[i], SPARK_TYPE(i32_i64), &array));
        assert_int_equal(array.n, 0);
        assert_non_null(spark_array_index(&array));
        assert_null(SPARK_FIND(i32_i64, spark_array_index(&array), &key));
        spark_array_free(&array);
    }
    oracle_close(sc);
}

static void test_collect_as_map__of_many_keys_finds_them_all(void **state)
{
    enum { N = 50000 };
    (void)state;
    i64_i64 *pairs = calloc(N, sizeof *pairs);
    assert_non_null(pairs);
    spark_array array;
    for (int64_t i = 0; i < N; i++)
        pairs[i] = (i64_i64) { i * i * 1000003 + i, -i };
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_collect_as_map(
        spark_parallelize(sc, SPARK_DATA(i64_i64, N, pairs), 7), NULL, &array));
    const spark_index *index = spark_array_index(&array);
    assert_int_equal(index->n, N);
    for (int64_t i = 0; i < N; i++) {
        const int64_t absent = i * 2 + INT64_C(0x7000000000000000);
        const int64_t *found = SPARK_FIND(i64_i64, index, &pairs[i].key);
        if (found == NULL || *found != -i)
            fail_msg("key %lld", (long long)pairs[i].key);
        if (SPARK_FIND(i64_i64, index, &absent) != NULL)
            fail_msg("%lld is found", (long long)absent);
    }
    spark_array_free(&array);
    oracle_close(sc);
    free(pairs);
}

static void test_collect_as_map__compares_keys_as_the_engine_does(void **state)
{
    static const struct {
        double key;
        int64_t value;
    } raw[] = { { 0.0, 1 }, { -0.0, 2 }, { NAN, 3 }, { -NAN, 4 } };
    typedef struct f64_i64 {
        double key;
        int64_t value;
    } f64_i64;
    static const spark_field fields[] = { { "key", SPARK_TYPE(double), offsetof(f64_i64, key), 0 },
        { "value", SPARK_TYPE(int64_t), offsetof(f64_i64, value), 0 } };
    static const spark_type type = { "f64_i64", SPARK_KIND_PAIR, sizeof(f64_i64),
        (uint32_t) _Alignof(f64_i64), 2, 0, 0, fields, NULL, NULL };
    spark_array array;
    const double zero = -0.0, nan = NAN;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_collect_as_map(spark_parallelize(sc, &type, 4, raw, 2), NULL, &array));
    const spark_index *index = spark_array_index(&array);
    assert_int_equal(index->n, 2);
    const f64_i64 *pair = spark_find_(index, &type, &zero);
    assert_int_equal(pair->value, 2);
    pair = spark_find_(index, &type, &nan);
    assert_int_equal(pair->value, 4);
    spark_array_free(&array);
    oracle_close(sc);
}

static void test_array_index__is_only_there_for_maps(void **state)
{
    spark_array array, zero = { NULL, NULL, 0, NULL };
    const int32_t key = 1;
    (void)state;
    fill(6);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), 3);
    oracle_ok(spark_collect(rdd, NULL, &array));
    assert_null(spark_array_index(&array));
    spark_array_free(&array);
    oracle_ok(spark_count_by_key(rdd, NULL, &array));
    assert_null(spark_array_index(&array));
    spark_array_free(&array);
    assert_null(spark_array_index(NULL));
    assert_null(spark_array_index(&zero));
    assert_null(SPARK_FIND(i32_i64, (const spark_index *)NULL, &key));
    oracle_close(sc);
}

static void test_collect_as_map__tells_what_is_wrong(void **state)
{
    spark_array array = DIRTY_ARRAY;
    (void)state;
    fill(7);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), 3);
    oracle_fails(spark_collect_as_map(NULL, NULL, &array), SPARK_EINVAL, "is NULL");
    zeroed(&array);
    array = (spark_array)DIRTY_ARRAY;
    blames(spark_collect_as_map(rdd, SPARK_TYPE(i64_i64), &array), SPARK_ETYPE, "collectAsMap",
        "key: i64 at offset 0 wanted, i32 at offset 0 found");
    zeroed(&array);
    array = (spark_array)DIRTY_ARRAY;
    blames(spark_collect_as_map(spark_range(sc, 0, 3, 1, 1), NULL, &array), SPARK_ETYPE,
        "collectAsMap", "pairs");
    zeroed(&array);
    blames(spark_collect_as_map(rdd, NULL, NULL), SPARK_EINVAL, "collectAsMap", "no place");
    oracle_fails(spark_collect_as_map(broken(sc), NULL, &array), SPARK_EINVAL, "range at ");
    no_job(sc);
    oracle_close(sc);
}

/* ---- reduce_by_key_locally */

static void check_locally(spark_context *sc, int partitions)
{
    spark_array array;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), partitions);
    oracle_ok(spark_reduce_by_key_locally(rdd, add_up, NULL, SPARK_TYPE(i32_i64), &array));
    is_map_of_numbers(&array, true);
    spark_array_free(&array);
    oracle_ok(spark_reduce_by_key_locally(rdd, spark_op_sum, NULL, NULL, &array));
    is_map_of_numbers(&array, true);
    spark_array_free(&array);
    oracle_ok(spark_reduce_by_key_locally(
        spark_parallelize(sc, SPARK_DATA(str_str, ROWS, words), partitions), concat, NULL,
        SPARK_TYPE(str_str), &array));
    for (size_t i = 0; i < ROWS; i += 7) {
        oracle_text want = { NULL, 0, 0 };
        for (size_t k = 0; k < ROWS; k++)
            if (spark_str_equal(words[k].key, words[i].key))
                oracle_append(&want, words[k].value.ptr, words[k].value.len);
        const spark_str *found = SPARK_FIND(str_str, spark_array_index(&array), &words[i].key);
        assert_non_null(found);
        assert_true(spark_str_equal(*found, (spark_str) { want.bytes, want.length }));
        free(want.bytes);
    }
    spark_array_free(&array);
}

static void test_reduce_by_key_locally__merges_the_values_of_each_key(void **state)
{
    (void)state;
    fill(8);
    each(check_locally);
}

static void test_reduce_by_key_locally__gives_the_cases_of_spark(void **state)
{
    const i64_i64 pairs[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 1, 1 }, { 2, 1 } };
    spark_array array = DIRTY_ARRAY;
    const int64_t one = 1, two = 2;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_reduce_by_key_locally(
        spark_parallelize(sc, SPARK_DATA(i64_i64, 5, pairs), 2), spark_op_sum, NULL, NULL, &array));
    assert_int_equal(array.n, 2);
    const int64_t *a = SPARK_FIND(i64_i64, spark_array_index(&array), &one);
    const int64_t *b = SPARK_FIND(i64_i64, spark_array_index(&array), &two);
    assert_int_equal(*a, 7);
    assert_int_equal(*b, 1);
    spark_array_free(&array);
    array = (spark_array)DIRTY_ARRAY;
    blames(spark_reduce_by_key_locally(
               spark_empty_rdd(sc, SPARK_TYPE(i64_i64)), spark_op_sum, NULL, NULL, &array),
        SPARK_EEMPTY, "reduceByKeyLocally", "empty collection");
    zeroed(&array);
    oracle_ok(spark_reduce_by_key_locally(
        spark_parallelize(sc, SPARK_DATA(i64_i64, 0, NULL), 2), spark_op_sum, NULL, NULL, &array));
    assert_int_equal(array.n, 0);
    assert_non_null(spark_array_index(&array));
    spark_array_free(&array);
    oracle_close(sc);
}

static void test_reduce_by_key_locally__tells_what_is_wrong(void **state)
{
    spark_array array = DIRTY_ARRAY;
    (void)state;
    fill(9);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), 3);
    oracle_fails(
        spark_reduce_by_key_locally(NULL, add_up, NULL, NULL, &array), SPARK_EINVAL, "NULL");
    zeroed(&array);
    array = (spark_array)DIRTY_ARRAY;
    blames(spark_reduce_by_key_locally(rdd, add_up, NULL, SPARK_TYPE(i64_i64), &array), SPARK_ETYPE,
        "reduceByKeyLocally", "i64 at offset 0 wanted, i32 at offset 0 found");
    zeroed(&array);
    blames(spark_reduce_by_key_locally(rdd, add_up, NULL, NULL, NULL), SPARK_EINVAL,
        "reduceByKeyLocally", "no place");
    oracle_fails(
        spark_reduce_by_key_locally(rdd, concat, NULL, NULL, &array), SPARK_ETYPE, "concat");
    oracle_fails(
        spark_reduce_by_key_locally(rdd, NULL, NULL, NULL, &array), SPARK_EINVAL, "is NULL");
    oracle_fails(
        spark_reduce_by_key_locally(spark_range(sc, 0, 3, 1, 1), add_up, NULL, NULL, &array),
        SPARK_ETYPE, "pairs");
    oracle_fails(
        spark_reduce_by_key_locally(broken(sc), add_up, NULL, NULL, &array), SPARK_EINVAL, "range");
    no_job(sc);
    oracle_close(sc);
}

/* ---- broadcasts of maps */

SPARK_FLAT_MAP(with_number, int32_t, i32_i64, spark_index)
{
    const int64_t *value = SPARK_FIND(i32_i64, env, in);
    if (value)
        spark_emit(out, (i32_i64) { *in, *value });
}
SPARK_FLAT_MAP(with_word, spark_str, spark_str, spark_index)
{
    const spark_str *value = SPARK_FIND(str_str, env, in);
    if (value)
        spark_emit(out, *value);
}
SPARK_MAP(to_i32, int64_t, int32_t)
{
    *out = (int32_t)*in;
}

static void check_broadcast(spark_context *sc, int partitions)
{
    spark_array array;
    oracle_text want = { NULL, 0, 0 };
    oracle_append(&want, "", 0);
    /* The array is gone before the broadcast is used. */
    oracle_ok(spark_collect_as_map(
        spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, numbers), 3), NULL, &array));
    spark_broadcast *b = spark_broadcast_index(sc, spark_array_index(&array));
    for (int32_t key = -30; key < 30; key++) {
        const int64_t *value = SPARK_FIND(i32_i64, spark_array_index(&array), &key);
        if (value) {
            const i32_i64 pair = { key, *value };
            oracle_append(&want, " ", want.length > 0 ? 1 : 0);
            oracle_append_value(&want, SPARK_TYPE(i32_i64), &pair);
        }
    }
    spark_array_free(&array);
    assert_non_null(b);
    spark_rdd *rdd = spark_map(spark_range(sc, -30, 30, 1, partitions), to_i32, NULL);
    oracle_collects(spark_flat_map(rdd, with_number, SPARK_SHARED(b)), want.bytes);
    free(want.bytes);

    oracle_ok(spark_collect_as_map(
        spark_parallelize(sc, SPARK_DATA(str_str, ROWS, words), 3), NULL, &array));
    b = spark_broadcast_index(sc, spark_array_index(&array));
    spark_array_free(&array);
    rdd = spark_keys(spark_parallelize(sc, SPARK_DATA(str_str, ROWS, words), partitions));
    oracle_ok(spark_collect(
        spark_flat_map(rdd, with_word, SPARK_SHARED(b)), SPARK_TYPE(spark_str), &array));
    assert_int_equal(array.n, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        size_t last = i;
        for (size_t k = i; k < ROWS; k++)
            last = spark_str_equal(words[k].key, words[i].key) ? k : last;
        assert_true(spark_str_equal(SPARK_ITEMS(spark_str, &array)[i], words[last].value));
    }
    spark_array_free(&array);
    /* On the driver too. */
    const spark_index *index = spark_broadcast_value(b);
    assert_non_null(index);
    assert_non_null(SPARK_FIND(str_str, index, &words[0].key));
}

static void test_broadcast_index__is_a_deep_copy_for_all_tasks(void **state)
{
    (void)state;
    fill(10);
    each(check_broadcast);
}

static void test_broadcast_index__of_pairs_with_gaps(void **state)
{
    byte_str pairs[] = { { 1, SPARK_STR("one") }, { 200, SPARK_STR("two hundred") },
        { 1, SPARK_STR("one again") } };
    const uint8_t one = 1, big = 200, none = 2;
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_collect_as_map(
        spark_parallelize(sc, SPARK_DATA(byte_str, 3, pairs), 2), NULL, &array));
    spark_broadcast *b = spark_broadcast_index(sc, spark_array_index(&array));
    spark_array_free(&array);
    const spark_index *index = spark_broadcast_value(b);
    const spark_str *a = SPARK_FIND(byte_str, index, &one);
    const spark_str *c = SPARK_FIND(byte_str, index, &big);
    assert_true(spark_str_equal(*a, SPARK_LIT("one again")));
    assert_true(spark_str_equal(*c, SPARK_LIT("two hundred")));
    assert_null(SPARK_FIND(byte_str, index, &none));
    oracle_close(sc);
}

static void test_broadcast_index__of_an_empty_map_and_of_none(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_collect_as_map(spark_empty_rdd(sc, SPARK_TYPE(i32_i64)), NULL, &array));
    spark_broadcast *b = spark_broadcast_index(sc, spark_array_index(&array));
    spark_array_free(&array);
    assert_non_null(b);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 9, 1, 2), to_i32, NULL);
    assert_int_equal(oracle_count(spark_flat_map(rdd, with_number, SPARK_SHARED(b))), 0);
    assert_null(spark_broadcast_index(sc, NULL));
    blames(spark_last_error()->code, SPARK_EINVAL, "broadcast", "no value");
    assert_null(spark_broadcast_index(NULL, spark_broadcast_value(b)));
    /* A broadcast of another kind does not fit. */
    const int64_t seven = 7;
    spark_broadcast *wrong = spark_broadcast_new(sc, SPARK_VALUE(int64_t, &seven));
    int64_t n;
    oracle_fails(spark_count(spark_flat_map(rdd, with_number, SPARK_SHARED(wrong)), &n),
        SPARK_EINVAL, "flatMap(with_number) at ");
    oracle_close(sc);
}

/* ---- destroyed broadcasts */

SPARK_MAP(plus, int64_t, int64_t, int64_t)
{
    *out = *in + *env;
}
SPARK_FOREACH(same_as, int64_t, int64_t)
{
    if (*in >= *env)
        spark_fail(task, "%lld", (long long)*in);
}
SPARK_MERGE(add_env, int64_t, int64_t, int64_t)
{
    *acc += *in + *env;
}

static void test_broadcast_destroy__ends_the_use_of_it(void **state)
{
    const int64_t seven = 7, nine = 9;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        int64_t n = -1;
        spark_array array;
        spark_context *sc = oracle_open(threads);
        spark_broadcast *b = spark_broadcast_new(sc, SPARK_VALUE(int64_t, &seven));
        spark_broadcast *other = spark_broadcast_new(sc, SPARK_VALUE(int64_t, &nine));
        spark_rdd *range = spark_range(sc, 0, 4, 1, 2);
        spark_rdd *before = spark_map(range, plus, SPARK_SHARED(b));
        spark_rdd *below = spark_union(spark_map(before, plus, SPARK_SHARED(other)), range);
        oracle_collects(before, "7 8 9 10");
        oracle_collects(below, "16 17 18 19 0 1 2 3");
        assert_int_equal(*(const int64_t *)spark_broadcast_value(b), 7);
        spark_broadcast_destroy(b);
        assert_null(spark_broadcast_value(b));
        spark_broadcast_destroy(b);
        oracle_fails(spark_count(before, &n), SPARK_EINVAL, "destroyed");
        oracle_fails(spark_count(below, &n), SPARK_EINVAL, "destroyed");
        oracle_fails(spark_count(spark_map(range, plus, SPARK_SHARED(b)), &n), SPARK_EINVAL,
            "map(plus) at ");
        oracle_fails(
            spark_count(spark_map(range, plus, SPARK_SHARED(b)), &n), SPARK_EINVAL, "destroyed");
        oracle_fails(spark_foreach(range, same_as, SPARK_SHARED(b)), SPARK_EINVAL, "destroyed");
        oracle_fails(
            spark_reduce(range, add_env, SPARK_SHARED(b), NULL, &array), SPARK_EINVAL, "destroyed");
        /* What does not use it goes on. */
        oracle_collects(spark_map(range, plus, SPARK_SHARED(other)), "9 10 11 12");
        oracle_ok(spark_foreach(range, same_as, SPARK_SHARED(other)));
        oracle_close(sc);
    }
    spark_broadcast_destroy(NULL);
}

static void test_broadcast_destroy__gives_the_memory_back_with_the_last_rdd(void **state)
{
    enum { N = 1 << 20, BYTES = N * (int)sizeof(int64_t) };
    (void)state;
    int64_t *many = calloc(N, sizeof *many);
    assert_non_null(many);
    const spark_i64_list list = { many, N };
    spark_context *sc = oracle_open(1);
    for (int i = 0; i < 6; i++) {
        SPARK_SCOPED(sc);
        spark_broadcast *b = spark_broadcast_new(sc, SPARK_VALUE(spark_i64_list, &list));
        assert_non_null(b);
        spark_broadcast_destroy(b);
    }
    assert_true(spark_memory_bytes(sc, NULL) < 3 * (uint64_t)BYTES);
    oracle_close(sc);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_lookup__gives_the_values_of_a_key_in_order),
        oracle_test(test_lookup__looks_into_one_partition_where_keys_are_placed),
        oracle_test(test_lookup__asks_the_partitioner_of_the_user),
        oracle_test(test_lookup__of_nothing_is_empty),
        oracle_test(test_lookup__tells_what_is_wrong),
        oracle_test(test_collect_as_map__has_the_last_value_of_each_key),
        oracle_test(test_collect_as_map__of_nothing_is_an_empty_map),
        oracle_test(test_collect_as_map__of_many_keys_finds_them_all),
        oracle_test(test_collect_as_map__compares_keys_as_the_engine_does),
        oracle_test(test_array_index__is_only_there_for_maps),
        oracle_test(test_collect_as_map__tells_what_is_wrong),
        oracle_test(test_reduce_by_key_locally__merges_the_values_of_each_key),
        oracle_test(test_reduce_by_key_locally__gives_the_cases_of_spark),
        oracle_test(test_reduce_by_key_locally__tells_what_is_wrong),
        oracle_test(test_broadcast_index__is_a_deep_copy_for_all_tasks),
        oracle_test(test_broadcast_index__of_pairs_with_gaps),
        oracle_test(test_broadcast_index__of_an_empty_map_and_of_none),
        oracle_test(test_broadcast_destroy__ends_the_use_of_it),
        oracle_test(test_broadcast_destroy__gives_the_memory_back_with_the_last_rdd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
