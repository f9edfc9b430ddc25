/* SPDX-License-Identifier: Apache-2.0 */
/* subtract, subtract_by_key and intersection against nested loops. */
#include "keys.h"

#define ROWS 200

SPARK_PAIR(place_str, place, spark_str);
SPARK_PAIR(place_i64, place, int64_t);

/* sides: two arrays, how they are loaded, and into how many partitions they go. */
typedef enum operation { SUBTRACT, INTERSECTION, SUBTRACT_BY_KEY, SUBTRACT_BY_KEY_WITH } operation;

typedef struct sides {
    const spark_type *type, *other_type;
    const void *data, *other;
    size_t n, n_other;
    int other_partitions; /* 0: as many as the other has */
    int partitions;
    int placed; /* 1: the left one, 2: the right one, 3: both; by hash, in 4 */
    operation what;
} sides;

SPARK_PARTITIONER(by_remainder, int32_t)
{
    return (uint32_t)*key % partitions;
}

static void load(
    spark_context *sc, int partitions, const sides *s, spark_rdd **left, spark_rdd **right)
{
    *left = spark_parallelize(sc, s->type, s->n, s->data, partitions);
    *right = s->other_partitions < 0 ? spark_empty_rdd(sc, s->other_type)
                                     : spark_parallelize(sc, s->other_type, s->n_other, s->other,
                                         s->other_partitions ? s->other_partitions : partitions);
    if (s->placed & 1)
        *left = spark_partition_by(*left, spark_hash_partitioner(sc, 4));
    if (s->placed & 2)
        *right = spark_partition_by(*right, spark_hash_partitioner(sc, 4));
}

static spark_rdd *build(spark_context *sc, int partitions, const void *arg)
{
    const sides *s = arg;
    spark_rdd *left, *right;
    load(sc, partitions, s, &left, &right);
    switch (s->what) {
    case SUBTRACT:
        return spark_subtract(left, right, s->partitions);
    case INTERSECTION:
        return spark_intersection(left, right, s->partitions);
    case SUBTRACT_BY_KEY:
        return spark_subtract_by_key(left, right, s->partitions);
    default:
        break;
    }
    const spark_keyed_options options
        = { 77, spark_partitioner_new(sc, s->partitions, by_remainder, NULL) };
    return spark_subtract_by_key_with(left, right, &options);
}

/* compare: with the loops. `key` is compared, at the front of both sides. */
static void compare(const sides *s, const spark_type *key)
{
    const size_t size = s->type->size, other_size = s->other_type->size;
    char *want = calloc(s->n + 1, size);
    size_t n = 0;
    assert_non_null(want);
    for (size_t i = 0; i < s->n; i++) {
        const char *row = (const char *)s->data + i * size;
        bool there = false, twice = false;
        for (size_t j = 0; j < s->n_other && !there; j++)
            there = spark_equal(key, row, (const char *)s->other + j * other_size);
        for (size_t j = 0; j < n && !twice; j++)
            twice = spark_equal(key, row, want + j * size);
        if (s->what == INTERSECTION ? there && !twice : !there)
            memcpy(want + n++ * size, row, size);
    }
    oracle_compare(build, s, false, s->type, n, want);
    free(want);
}

static void test_subtract__leaves_what_the_other_has_not(void **state)
{
    static int64_t left[ROWS], right[ROWS / 2];
    static spark_str words[ROWS], gone[ROWS];
    static place places[ROWS], left_out[20];
    uint64_t seed = 1;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        left[i] = (int64_t)oracle_below(&seed, 60) - 5;
        right[i / 2] = (int64_t)oracle_below(&seed, 90) - 40;
        words[i] = word((size_t)oracle_below(&seed, 14));
        gone[i] = word((size_t)oracle_below(&seed, 7) * 2);
        places[i] = place_of((size_t)oracle_below(&seed, 14));
        left_out[i % 20] = place_of((size_t)oracle_below(&seed, 60));
    }
    for (int op = SUBTRACT; op <= INTERSECTION; op++) {
        sides s = { SPARK_TYPE(int64_t), SPARK_TYPE(int64_t), left, right, ROWS, ROWS / 2, 0, 0, 0,
            (operation)op };
        compare(&s, SPARK_TYPE(int64_t));
        s = (sides) { SPARK_TYPE(spark_str), SPARK_TYPE(spark_str), words, gone, ROWS, ROWS, 3, 5,
            0, s.what };
        compare(&s, SPARK_TYPE(spark_str));
        s = (sides) { SPARK_TYPE(place), SPARK_TYPE(place), places, left_out, ROWS, 20, 2, 1, 0,
            s.what };
        compare(&s, SPARK_TYPE(place));
    }
}

static void test_subtract_by_key__looks_at_keys_alone(void **state)
{
    static i32_i64 left[ROWS];
    static i32_str right[ROWS];
    static place_str places[ROWS];
    static place_i64 gone[30];
    static char pool[ROWS][40];
    uint64_t seed = 2;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const int n = snprintf(pool[i], sizeof pool[i], "the value number %zu", i);
        left[i] = (i32_i64) { (int32_t)oracle_below(&seed, 60) * 77 - 5, (int64_t)i };
        right[i] = (i32_str) { (int32_t)oracle_below(&seed, 90) * 77 - 5, word(i) };
        places[i]
            = (place_str) { place_of((size_t)oracle_below(&seed, 42)), { pool[i], (size_t)n } };
        gone[i % 30] = (place_i64) { place_of((size_t)oracle_below(&seed, 42)), (int64_t)i };
    }
    sides s = { SPARK_TYPE(i32_i64), SPARK_TYPE(i32_str), left, right, ROWS, 50, 0, 0, 0,
        SUBTRACT_BY_KEY };
    compare(&s, SPARK_TYPE(int32_t));
    s.what = SUBTRACT_BY_KEY_WITH;
    s.partitions = 3;
    s.other_partitions = 5;
    compare(&s, SPARK_TYPE(int32_t));
    s = (sides) { SPARK_TYPE(place_str), SPARK_TYPE(place_i64), places, gone, ROWS, 30, 4, 6, 0,
        SUBTRACT_BY_KEY };
    compare(&s, SPARK_TYPE(place));
}

static void test_subtract__takes_one_key_that_is_everywhere(void **state)
{
    static i32_i64 left[ROWS], right[ROWS];
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        left[i] = (i32_i64) { 7, (int64_t)i % 5 };
        right[i] = (i32_i64) { 7, (int64_t)i % 3 };
    }
    sides s
        = { SPARK_TYPE(i32_i64), SPARK_TYPE(i32_i64), left, right, ROWS, ROWS, 0, 2, 0, SUBTRACT };
    compare(&s, SPARK_TYPE(i32_i64));
    s.what = INTERSECTION;
    compare(&s, SPARK_TYPE(i32_i64));
    s.what = SUBTRACT_BY_KEY;
    compare(&s, SPARK_TYPE(int32_t));
    s.n_other = 0;
    compare(&s, SPARK_TYPE(int32_t));
}

static void test_subtract__takes_sides_without_rows_and_without_partitions(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 2, 2 }, { 1, 1 }, { 3, 1 } };
    (void)state;
    for (int op = SUBTRACT; op <= SUBTRACT_BY_KEY; op++) {
        const spark_type *key = op == SUBTRACT_BY_KEY ? SPARK_TYPE(int32_t) : SPARK_TYPE(i32_i64);
        sides s = { SPARK_TYPE(i32_i64), SPARK_TYPE(i32_i64), data, data, 4, 0, 0, 0, 0,
            (operation)op };
        compare(&s, key);
        s.other_partitions = -1;
        compare(&s, key);
        s.n = 0;
        s.other_partitions = 3;
        s.n_other = 4;
        compare(&s, key);
        s.n_other = 0;
        compare(&s, key);
    }
    spark_context *sc = oracle_open(2);
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(i32_i64));
    spark_rdd *some = spark_parallelize(sc, SPARK_DATA(i32_i64, 4, data), 3);
    oracle_holds(spark_subtract(none, some, 0), "");
    oracle_holds(spark_subtract(none, none, 0), "");
    oracle_holds(spark_subtract_by_key(none, some, 0), "");
    oracle_holds(spark_subtract_by_key(none, none, 2), "");
    oracle_holds(spark_intersection(none, some, 0), "");
    oracle_holds(spark_intersection(none, none, 0), "");
    oracle_close(sc);
}

/* RDDs that are placed by key: a subtraction by key uses that, one of elements must not. */
static void test_subtract__of_placed_sides(void **state)
{
    static i32_i64 left[ROWS], right[ROWS];
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        left[i] = (i32_i64) { (int32_t)oracle_below(&seed, 20), (int64_t)oracle_below(&seed, 3) };
        right[i] = (i32_i64) { (int32_t)oracle_below(&seed, 30), (int64_t)oracle_below(&seed, 3) };
    }
    for (int placed = 1; placed < 4; placed++)
        for (int op = SUBTRACT; op <= SUBTRACT_BY_KEY; op++) {
            const spark_type *key
                = op == SUBTRACT_BY_KEY ? SPARK_TYPE(int32_t) : SPARK_TYPE(i32_i64);
            const sides s = { SPARK_TYPE(i32_i64), SPARK_TYPE(i32_i64), left, right, ROWS, 30, 0,
                placed == 1 ? 0 : 4, placed, (operation)op };
            compare(&s, key);
        }
}

static void test_subtract_by_key__of_placed_sides_does_not_shuffle(void **state)
{
    static i32_i64 left[ROWS], right[ROWS];
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        left[i] = (i32_i64) { (int32_t)i % 40, (int64_t)i };
        right[i] = (i32_i64) { (int32_t)i % 10, 0 };
    }
    spark_context *sc = oracle_open(2);
    const sides s = { SPARK_TYPE(i32_i64), SPARK_TYPE(i32_i64), left, right, ROWS, ROWS, 0, 0, 3,
        SUBTRACT_BY_KEY };
    spark_rdd *a, *b;
    load(sc, 3, &s, &a, &b);
    oracle_count(a);
    oracle_count(b);
    spark_rdd *narrow[] = { spark_subtract_by_key(a, b, 0), spark_subtract_by_key(a, b, 4),
        spark_subtract_by_key_with(a, b, &(spark_keyed_options) { 0, spark_rdd_partitioner(a) }) };
    for (size_t i = 0; i < LENGTH(narrow); i++) {
        assert_int_equal(oracle_count(narrow[i]), ROWS / 4 * 3);
        assert_int_equal(oracle_last_job(sc).stages, 3);
        assert_int_equal(oracle_last_job(sc).skipped_stages, 2);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
        assert_int_equal(oracle_last_job(sc).tasks, 4);
        assert_true(spark_partitioner_equal(
            spark_rdd_partitioner(narrow[i]), spark_hash_partitioner(sc, 4)));
        assert_int_equal(strncmp(spark_to_debug_string(narrow[i]), "(4) SubtractedRDD[", 18), 0);
        assert_non_null(strstr(spark_to_debug_string(narrow[i]), "\n |  ShuffledRDD["));
        assert_null(strstr(spark_to_debug_string(narrow[i]), "\n +-(4)"));
    }
    /* What is left is still placed. */
    oracle_count(spark_join(narrow[0], a, 0));
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    /* Of a right side that is not placed only the keys are shuffled, each once a map partition. */
    spark_rdd *plain = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, right), 2);
    assert_int_equal(oracle_count(spark_subtract_by_key(a, plain, 0)), ROWS / 4 * 3);
    assert_int_equal(oracle_last_job(sc).stages, 3);
    assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 20);
    /* The left side decides, never the right one. */
    plain = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, left), 2);
    spark_rdd *rest = spark_subtract_by_key(plain, b, 0);
    assert_int_equal(oracle_count(rest), ROWS / 4 * 3);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, ROWS + 10);
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(rest), spark_hash_partitioner(sc, 2)));
    /* An element is placed otherwise than its key. */
    assert_int_equal(oracle_count(spark_subtract(a, b, 4)), ROWS - 1);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, ROWS + 10);
    oracle_close(sc);
}

static void test_subtract__has_the_partitions_of_the_left_side(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 2, 2 } };
    (void)state;
    for (int parallelism = 0; parallelism <= 4; parallelism += 4) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .default_parallelism = parallelism });
        spark_rdd *u7 = spark_parallelize(sc, SPARK_DATA(i32_i64, 2, data), 7);
        spark_rdd *u20 = spark_parallelize(sc, SPARK_DATA(i32_i64, 2, data), 20);
        spark_rdd *h5 = spark_partition_by(u7, spark_hash_partitioner(sc, 5));
        assert_int_equal(spark_rdd_partitions(spark_subtract(u7, u20, 0)), 7);
        assert_int_equal(spark_rdd_partitions(spark_subtract(u20, u7, 0)), 20);
        assert_int_equal(spark_rdd_partitions(spark_subtract(h5, u20, 0)), 5);
        assert_int_equal(spark_rdd_partitions(spark_subtract(u20, h5, 0)), 20);
        assert_int_equal(spark_rdd_partitions(spark_subtract(u20, h5, 3)), 3);
        assert_int_equal(spark_rdd_partitions(spark_subtract_by_key(u7, u20, 0)), 7);
        assert_int_equal(spark_rdd_partitions(spark_subtract_by_key(u20, h5, 0)), 20);
        assert_int_equal(spark_rdd_partitions(spark_subtract_by_key(h5, u20, 0)), 5);
        assert_int_equal(spark_rdd_partitions(spark_subtract_by_key(h5, u20, 6)), 6);
        /* An intersection takes the larger count, or that of the configuration. */
        assert_int_equal(
            spark_rdd_partitions(spark_intersection(u7, u20, 0)), parallelism ? 4 : 20);
        assert_int_equal(spark_rdd_partitions(spark_intersection(h5, u7, 0)), parallelism ? 4 : 7);
        assert_int_equal(spark_rdd_partitions(spark_intersection(u7, u20, 9)), 9);
        assert_null(spark_rdd_partitioner(spark_subtract(h5, h5, 0)));
        assert_null(spark_rdd_partitioner(spark_intersection(h5, h5, 5)));
        assert_int_equal(oracle_count(spark_intersection(h5, u20, 5)), 2);
        oracle_close(sc);
    }
}

/* PairRDDFunctionsSuite */
static void test_subtract__gives_the_cases_of_pair_rdd_functions(void **state)
{
    int32_t a[] = { 1, 2, 3 }, b[] = { 2, 3, 4 };
    i32_str left[] = { { 1, SPARK_STR("a") }, { 1, SPARK_STR("a") }, { 2, SPARK_STR("b") },
        { 3, SPARK_STR("c") } };
    i32_i64 right[] = { { 2, 20 }, { 3, 30 }, { 4, 40 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *numbers = spark_parallelize(sc, SPARK_DATA(int32_t, 3, a), 2);
    spark_rdd *others = spark_parallelize(sc, SPARK_DATA(int32_t, 3, b), 4);
    oracle_holds(spark_subtract(numbers, others, 0), "1");
    assert_int_equal(spark_rdd_partitions(spark_subtract(numbers, others, 0)), 2);
    oracle_holds(spark_subtract(numbers, numbers, 0), "");
    oracle_holds(spark_intersection(numbers, others, 0), "2 3");
    spark_rdd *pairs = spark_parallelize(sc, SPARK_DATA(i32_str, 4, left), 2);
    spark_rdd *keys = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, right), 4);
    spark_rdd *rest = spark_subtract_by_key(pairs, keys, 0);
    oracle_holds(rest, "(1,a) (1,a)");
    assert_int_equal(spark_rdd_partitions(rest), 2);
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(rest), spark_hash_partitioner(sc, 2)));
    /* With the left side placed by another partitioner, the result has it. */
    const spark_partitioner *p = spark_partitioner_new(sc, 2, by_remainder, NULL);
    rest = spark_subtract_by_key(spark_partition_by(pairs, p), keys, 0);
    oracle_has_layout(rest, " | (1,a) (1,a)");
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(rest), p));
    oracle_close(sc);
}

/* RDDSuite: intersection strips duplicates of the input. */
static void test_intersection__strips_duplicates(void **state)
{
    int32_t all[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
    int32_t evens[] = { 2, 4, 6, 8, 10, 2, 4, 2 }, odds[] = { 1, 3, 5, 7, 9, 1 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *a = spark_parallelize(sc, SPARK_DATA(int32_t, 10, all), 2);
    spark_rdd *b = spark_parallelize(sc, SPARK_DATA(int32_t, 8, evens), 3);
    spark_rdd *c = spark_parallelize(sc, SPARK_DATA(int32_t, 6, odds), 1);
    oracle_holds(spark_intersection(a, b, 0), "10 2 4 6 8");
    oracle_holds(spark_intersection(b, a, 0), "10 2 4 6 8");
    oracle_holds(spark_intersection(b, b, 5), "10 2 4 6 8");
    oracle_holds(spark_intersection(b, c, 0), "");
    oracle_close(sc);
}

/* Many keys: windows of 65,536 keys and of 4 MiB end in the middle. */
enum { MANY = 150000 };
SPARK_MAP(to_text, int64_t, spark_str)
{
    *out = spark_str_format(task, "a text which is long and has number %08d", (int)*in);
}
SPARK_MAP(to_pair, int64_t, str_i64)
{
    to_text_(task, in, &out->key, NULL);
    out->value = *in;
}

static void test_subtract__of_many_keys(void **state)
{
    char *first[3] = { NULL, NULL, NULL };
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open_failing(threads, threads == 2);
        spark_rdd *left = spark_range(sc, 0, MANY, 1, 2);
        spark_rdd *right = spark_union(
            spark_range(sc, MANY / 3, 2 * MANY, 1, 2), spark_range(sc, MANY / 2, MANY, 1, 1));
        spark_rdd *results[3] = {
            spark_subtract(spark_map(left, to_text, NULL), spark_map(right, to_text, NULL), 3),
            spark_intersection(spark_map(right, to_text, NULL), spark_map(left, to_text, NULL), 3),
            spark_subtract_by_key(spark_map(spark_union(left, left), to_pair, NULL),
                spark_map(right, to_pair, NULL), 3),
        };
        const size_t counts[] = { MANY / 3, MANY - MANY / 3, 2 * (MANY / 3) };
        for (int r = 0; r < 3; r++) {
            spark_array array;
            uint8_t *seen = calloc(2 * MANY, 1);
            oracle_ok(spark_collect(results[r], NULL, &array));
            assert_int_equal(array.n, counts[r]);
            int32_t *order = calloc(array.n, sizeof *order);
            assert_true(seen != NULL && order != NULL);
            for (size_t i = 0; i < array.n; i++) {
                const char *row = (const char *)array.items + i * array.type->size;
                spark_str text;
                int64_t k = -1;
                memcpy(&text, row, sizeof text);
                assert_int_equal(text.len, 44);
                assert_true(spark_str_to_i64((spark_str) { text.ptr + 36, 8 }, &k));
                assert_true(r == 1 ? k >= MANY / 3 && k < MANY : k >= 0 && k < MANY / 3);
                assert_true(seen[k]++ < (r == 2 ? 2 : 1));
                order[i] = (int32_t)k;
            }
            free(seen);
            if (first[r] == NULL) {
                first[r] = (char *)order;
            } else {
                assert_int_equal(memcmp(first[r], order, counts[r] * sizeof *order), 0);
                free(order);
            }
            spark_array_free(&array);
        }
        oracle_close(sc);
    }
    for (int r = 0; r < 3; r++)
        free(first[r]);
}

/* faults on purpose */
static void test_subtract__survives_lost_outputs(void **state)
{
    static i32_i64 left[ROWS], right[ROWS];
    const spark_fault plan[] = {
        { SPARK_FAULT_SHUFFLE, 0, 2, 1, .attempt = 0, .output = 2 },
        { SPARK_FAULT_SHUFFLE, 1, 2, 0, .attempt = 0, .output = 1 },
        { SPARK_FAULT_TASK, 2, 2, SPARK_ANY, .attempt = 0 },
        { SPARK_FAULT_SHUFFLE, 2, 2, 2, .attempt = 0 },
    };
    oracle_text want = { NULL, 0, 0 };
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        left[i] = (i32_i64) { (int32_t)i % 50, (int64_t)i % 2 };
        right[i] = (i32_i64) { (int32_t)i % 30 - 10, (int64_t)i % 2 };
    }
    for (int faulty = 0; faulty < 2; faulty++) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = 2, .faults = plan, .n_faults = faulty ? LENGTH(plan) : 0 });
        oracle_text have = { NULL, 0, 0 };
        for (int op = SUBTRACT; op <= SUBTRACT_BY_KEY; op++) {
            const sides s = { SPARK_TYPE(i32_i64), SPARK_TYPE(i32_i64), left, right, ROWS, ROWS, 0,
                3, 0, (operation)op };
            char *layout = oracle_layout(build(sc, 3, &s));
            assert_non_null(layout);
            assert_int_equal(oracle_last_job(sc).recomputed_partitions, faulty ? 2 : 0);
            oracle_append(&have, layout, strlen(layout));
            free(layout);
        }
        assert_true(have.length > 100);
        if (want.bytes != NULL)
            assert_string_equal(have.bytes, want.bytes);
        free(want.bytes);
        want = have;
        oracle_close(sc);
    }
    free(want.bytes);
}

/* misuse */
static void test_subtract__reports_what_does_not_fit(void **state)
{
    i32_i64 data[] = { { 1, 5 } };
    i32_str text[] = { { 1, SPARK_STR("") } };
    str_i64 words[] = { { SPARK_STR("a"), 1 } };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_context *elsewhere = oracle_open(1);
    spark_rdd *a = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 2);
    spark_rdd *b = spark_parallelize(sc, SPARK_DATA(i32_str, 1, text), 2);
    spark_rdd *c = spark_parallelize(sc, SPARK_DATA(str_i64, 1, words), 2);
    const spark_keyed_options foreign = { 0, spark_hash_partitioner(elsewhere, 2) };
    oracle_fails(spark_count(spark_subtract(a, b, 0), &n), SPARK_ETYPE, "subtract at ");
    assert_non_null(strstr(spark_last_error()->message, "test_subtract.c:"));
    oracle_fails(spark_count(spark_subtract(a, NULL, 0), &n), SPARK_EINVAL, "NULL");
    oracle_fails(spark_count(spark_subtract(NULL, a, 0), &n), SPARK_EINVAL, "NULL");
    oracle_fails(spark_count(spark_subtract(a, a, -3), &n), SPARK_EINVAL, "-3 partitions");
    oracle_fails(spark_count(spark_intersection(a, b, 0), &n), SPARK_ETYPE, "intersection at ");
    assert_non_null(strstr(spark_last_error()->message, "test_subtract.c:"));
    oracle_fails(spark_count(spark_intersection(a, a, -3), &n), SPARK_EINVAL, "-3 partitions");
    oracle_fails(spark_count(spark_intersection(a, NULL, 0), &n), SPARK_EINVAL, "NULL");
    oracle_fails(
        spark_count(spark_subtract_by_key(a, c, 0), &n), SPARK_ETYPE, "key: i32 wanted, str found");
    assert_non_null(strstr(spark_last_error()->message, "subtractByKey at "));
    assert_non_null(strstr(spark_last_error()->message, "test_subtract.c:"));
    oracle_fails(spark_count(spark_subtract_by_key(a, spark_keys(a), 0), &n), SPARK_ETYPE,
        "pairs wanted, i32 found");
    oracle_fails(spark_count(spark_subtract_by_key(spark_keys(a), a, 0), &n), SPARK_ETYPE,
        "pairs wanted, i32 found");
    oracle_fails(spark_count(spark_subtract_by_key(a, b, -1), &n), SPARK_EINVAL, "-1 partitions");
    oracle_fails(spark_count(spark_subtract_by_key_with(a, b, &foreign), &n), SPARK_EINVAL,
        "another context");
    oracle_fails(spark_count(spark_subtract_by_key_with(c, c,
                                 &(spark_keyed_options) {
                                     0, spark_partitioner_new(sc, 2, by_remainder, NULL) }),
                     &n),
        SPARK_ETYPE, "partitioner by_remainder");
    oracle_holds(spark_subtract_by_key_with(a, b, NULL), "");
    oracle_close(elsewhere);
    oracle_close(sc);
}

/* sorted_inside: each partition sorted. */
SPARK_PARTITIONS(sort_all, int64_t, int64_t)
{
    int64_t all[32];
    size_t n = 0;
    for (const int64_t *x; n < LENGTH(all) && (x = spark_next(in)) != NULL; n++) {
        size_t at = n;
        for (; at > 0 && all[at - 1] > *x; at--)
            all[at] = all[at - 1];
        all[at] = *x;
    }
    for (size_t i = 0; i < n; i++)
        spark_emit(out, all[i]);
}
static spark_rdd *sorted_inside(spark_rdd *rdd)
{
    return spark_map_partitions(rdd, sort_all, NULL);
}
SPARK_PARTITIONER(by_parity, int64_t)
{
    return (uint32_t)(*key & 1) % partitions;
}

static void test_subtract__places_elements_by_a_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_keyed_options by = { 0, spark_partitioner_new(sc, 2, by_parity, NULL) };
    const spark_keyed_options three = { 3, NULL };
    spark_rdd *a = spark_range(sc, 0, 10, 1, 3), *b = spark_range(sc, 5, 20, 1, 2);
    spark_rdd *less = spark_subtract_with(a, b, &by), *both = spark_intersection_with(a, b, &by);
    oracle_has_layout(sorted_inside(less), "0 2 4 | 1 3");
    oracle_has_layout(sorted_inside(both), "6 8 | 5 7 9");
    assert_null(spark_rdd_partitioner(less));
    assert_null(spark_rdd_partitioner(both));
    assert_int_equal(spark_rdd_partitions(spark_subtract_with(a, b, &three)), 3);
    assert_int_equal(spark_rdd_partitions(spark_intersection_with(a, b, NULL)), 3);
    /* It must take such elements. */
    const spark_keyed_options other = { 0, spark_dense_partitioner(sc, 10, 2) };
    static const spark_str words[] = { SPARK_STR("a") };
    spark_rdd *texts = spark_parallelize(sc, SPARK_DATA(spark_str, 1, words), 1);
    int64_t n;
    oracle_fails(spark_count(spark_subtract_with(texts, texts, &by), &n), SPARK_ETYPE, "by_parity");
    oracle_fails(
        spark_count(spark_intersection_with(texts, texts, &other), &n), SPARK_ETYPE, "dense");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_subtract__places_elements_by_a_partitioner),
        oracle_test(test_subtract__leaves_what_the_other_has_not),
        oracle_test(test_subtract_by_key__looks_at_keys_alone),
        oracle_test(test_subtract__takes_one_key_that_is_everywhere),
        oracle_test(test_subtract__takes_sides_without_rows_and_without_partitions),
        oracle_test(test_subtract__of_placed_sides),
        oracle_test(test_subtract_by_key__of_placed_sides_does_not_shuffle),
        oracle_test(test_subtract__has_the_partitions_of_the_left_side),
        oracle_test(test_subtract__gives_the_cases_of_pair_rdd_functions),
        oracle_test(test_intersection__strips_duplicates),
        oracle_test(test_subtract__of_many_keys),
        oracle_test(test_subtract__survives_lost_outputs),
        oracle_test(test_subtract__reports_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
