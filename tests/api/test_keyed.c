/* SPDX-License-Identifier: Apache-2.0 */
/* Operations by key against naive loops, for keys of all shapes; partitioners. */
#include "keys.h"

#define ROWS 240
#define KEYS 37

SPARK_PAIR(point, int32_t, int64_t);
SPARK_PAIR(u8_i64, uint8_t, int64_t);
SPARK_PAIR(f64_i64, double, int64_t);
SPARK_PAIR(place_i64, place, int64_t);
SPARK_PAIR(point_i64, point, int64_t);
SPARK_PAIR(i32_f64, int32_t, double);
SPARK_PAIR(i32_i8, int32_t, int8_t);
SPARK_PAIR(i32_u32, int32_t, uint32_t);
SPARK_PAIR(i32_place, int32_t, place);
SPARK_STRUCT(moments, (int64_t, n), (int64_t, sum), (spark_str, longest));
SPARK_PAIR(i32_moments, int32_t, moments);
SPARK_PAIR(i32_i64s, int32_t, spark_i64_list);
SPARK_PAIR(i32_strs, int32_t, spark_str_list);
SPARK_PAIR(bool_i64, bool, int64_t);
SPARK_LIST(i32_i64_list, i32_i64);
SPARK_PAIR(i32_group, int32_t, i32_i64_list);

static double number(size_t i)
{
    static const double numbers[] = { 0.0, 1.5, -1.5, 1e300, 5e-324, 2.0, 3.0 };
    return i < LENGTH(numbers) ? numbers[i] : (double)i / 3;
}

/* merges */

static int64_t wrapping_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

typedef struct merging {
    const spark_merge_def *f;
    int partitions;
    int64_t (*naive)(int64_t acc, int64_t in);
} merging;

static int64_t naive_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static int64_t naive_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
static int64_t naive_first(int64_t a, int64_t b)
{
    (void)b;
    return a;
}
static int64_t naive_last(int64_t a, int64_t b)
{
    (void)a;
    return b;
}

static int64_t value_of(uint64_t *seed)
{
    return oracle_below(seed, 10) == 0 ? (int64_t)oracle_random(seed)
                                       : (int64_t)oracle_below(seed, 1000) - 500;
}

/* One test a key type: data whose keys are MAKE(i), every merge, and the naive loop. */
#define REDUCE_TEST(P, K, MAKE)                                                                    \
    static spark_rdd *reduce_##P(spark_context *sc, int partitions, const void *arg)               \
    {                                                                                              \
        const P *data = ((const P *const *)((const void *const *)arg + 1))[0];                     \
        const merging *m = *(const merging *const *)arg;                                           \
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(P, ROWS, data), partitions);             \
        return spark_reduce_by_key(rdd, m->f, NULL, m->partitions);                                \
    }                                                                                              \
    static void test_reduce_by_key__merges_##P(void **state)                                       \
    {                                                                                              \
        static P data[ROWS], want[ROWS];                                                           \
        uint64_t seed = 1;                                                                         \
        (void)state;                                                                               \
        for (size_t i = 0; i < ROWS; i++) {                                                        \
            size_t k = (size_t)oracle_below(&seed, KEYS);                                          \
            data[i].key = MAKE(k);                                                                 \
            data[i].value = value_of(&seed);                                                       \
        }                                                                                          \
        for (size_t m = 0; m < LENGTH(mergings); m++) {                                            \
            size_t n = 0;                                                                          \
            for (size_t i = 0; i < ROWS; i++) {                                                    \
                size_t at = 0;                                                                     \
                while (at < n && !spark_equal(SPARK_TYPE(K), &want[at].key, &data[i].key))         \
                    at++;                                                                          \
                if (at == n)                                                                       \
                    want[n++] = data[i];                                                           \
                else                                                                               \
                    want[at].value = mergings[m].naive(want[at].value, data[i].value);             \
            }                                                                                      \
            const void *arg[2] = { &mergings[m], data };                                           \
            oracle_compare(reduce_##P, arg, false, SPARK_TYPE(P), n, want);                        \
        }                                                                                          \
    }

static const merging mergings[] = {
    { spark_op_sum, 0, wrapping_sum },
    { spark_op_min, 5, naive_min },
    { spark_op_max, 1, naive_max },
    { spark_op_first, 0, naive_first },
    { keep_last, 3, naive_last },
};

#define MAKE_I32(k) (int32_t)(k) * 1000003 - 17
#define MAKE_I64(k) ((int64_t)(k) << 40) - 3
#define MAKE_U8(k) (uint8_t)((k)*7)
#define MAKE_F64(k) number(k)
#define MAKE_STR(k) word(k)
#define MAKE_POINT(k)                                                                              \
    (point)                                                                                        \
    {                                                                                              \
        (int32_t)((k) % 4) - 2, (int64_t)(k) << 33                                                 \
    }
#define MAKE_BOOL(k) ((k) % 2 == 0)

REDUCE_TEST(i32_i64, int32_t, MAKE_I32)
REDUCE_TEST(i64_i64, int64_t, MAKE_I64)
REDUCE_TEST(u8_i64, uint8_t, MAKE_U8)
REDUCE_TEST(f64_i64, double, MAKE_F64)
REDUCE_TEST(str_i64, spark_str, MAKE_STR)
REDUCE_TEST(place_i64, place, place_of)
REDUCE_TEST(point_i64, point, MAKE_POINT)
REDUCE_TEST(bool_i64, bool, MAKE_BOOL)

static void test_reduce_by_key__takes_signed_zeros_and_nans_as_one_key_each(void **state)
{
    double nan = strtod("nan", NULL);
    f64_i64 data[] = { { 0.0, 1 }, { nan, 2 }, { -0.0, 4 }, { -nan, 8 }, { 1, 16 }, { nan, 32 } };
    (void)state;
    for (int p = 1; p < 8; p++) {
        spark_context *sc = oracle_open(2);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(f64_i64, LENGTH(data), data), p);
        spark_rdd *sums = spark_reduce_by_key(rdd, spark_op_sum, NULL, 3);
        spark_array array;
        int64_t zero = 0, none = 0;
        oracle_ok(spark_collect(sums, SPARK_TYPE(f64_i64), &array));
        const f64_i64 *item = SPARK_ITEMS(f64_i64, &array);
        assert_int_equal(array.n, 3);
        for (size_t i = 0; i < array.n; i++) {
            if (item[i].key != item[i].key)
                none = item[i].value;
            else if (!(item[i].key < 0 || item[i].key > 0))
                zero = item[i].value;
        }
        assert_int_equal(zero, 5);
        assert_int_equal(none, 42);
        spark_array_free(&array);
        oracle_close(sc);
    }
}

/* strings as values */
typedef struct words_arg {
    const i32_str *data;
    const spark_merge_def *f;
} words_arg;

static spark_rdd *reduce_words(spark_context *sc, int partitions, const void *arg)
{
    const words_arg *a = arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_str, ROWS, a->data), partitions);
    return spark_reduce_by_key(rdd, a->f, NULL, 0);
}

SPARK_MERGE(concat, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
}

static void test_reduce_by_key__merges_strings(void **state)
{
    static i32_str data[ROWS], want[KEYS];
    static char pool[ROWS][12];
    static oracle_text texts[KEYS];
    static const spark_merge_def *const fs[]
        = { spark_op_min, spark_op_max, spark_op_first, concat };
    (void)state;
    /* Descending, so that min replaces its value each time. */
    for (size_t i = 0; i < ROWS; i++) {
        int n = snprintf(pool[i], sizeof pool[i], "w%06d.%d", (int)(999999 - i), (int)(i % 7));
        data[i] = (i32_str) { (int32_t)(i % 11), { pool[i], (size_t)n } };
    }
    for (size_t f = 0; f < LENGTH(fs); f++) {
        for (size_t k = 0; k < 11; k++) {
            want[k] = data[k];
            texts[k].length = 0;
            oracle_append(&texts[k], data[k].value.ptr, data[k].value.len);
        }
        for (size_t i = 11; i < ROWS; i++) {
            size_t k = i % 11;
            int order = spark_str_compare(data[i].value, want[k].value);
            if (f == 0 ? order < 0 : f == 1 && order > 0)
                want[k].value = data[i].value;
            oracle_append(&texts[k], data[i].value.ptr, data[i].value.len);
        }
        for (size_t k = 0; f == 3 && k < 11; k++)
            want[k].value = (spark_str) { texts[k].bytes, texts[k].length };
        words_arg arg = { data, fs[f] };
        oracle_compare(reduce_words, &arg, false, SPARK_TYPE(i32_str), 11, want);
    }
    for (size_t k = 0; k < KEYS; k++)
        free(texts[k].bytes);
}

static void test_reduce_by_key__does_not_keep_the_strings_it_replaced(void **state)
{
    /* 200,000 replaced strings of 100 bytes are 20 MB; one key holds 100 bytes. */
    enum { N = 200000, SIZE = 100 };
    char *pool = malloc((size_t)N * SIZE);
    i32_str *data = malloc(N * sizeof *data);
    spark_context *sc = oracle_open(1);
    uint64_t peak = 0, before;
    spark_array array;
    (void)state;
    assert_non_null(pool);
    assert_non_null(data);
    memset(pool, 'x', (size_t)N * SIZE);
    for (int i = 0; i < N; i++) {
        char head[16];
        snprintf(head, sizeof head, "%08d", N - i);
        memcpy(pool + (size_t)i * SIZE, head, 8);
        data[i] = (i32_str) { i % 3, { pool + (size_t)i * SIZE, SIZE } };
    }
    spark_rdd *rdd = spark_parallelize_with(sc, SPARK_DATA(i32_str, N, data),
        &(spark_parallelize_options) { .partitions = 1, .borrow = true });
    before = spark_memory_bytes(sc, NULL);
    oracle_ok(spark_collect(
        spark_reduce_by_key(rdd, spark_op_min, NULL, 1), SPARK_TYPE(i32_str), &array));
    assert_int_equal(array.n, 3);
    spark_array_free(&array);
    spark_memory_bytes(sc, &peak);
    assert_true(peak - before < 10000000);
    oracle_close(sc);
    free(pool);
    free(data);
}

/* sums keep their type and wrap */
static void test_reduce_by_key__sums_wrap_in_their_own_type(void **state)
{
    i32_i8 small[] = { { 1, 100 }, { 1, 100 }, { 2, -100 }, { 2, -100 } };
    i32_u32 unsign[] = { { 1, 4000000000u }, { 1, 4000000000u } };
    i32_f64 real[] = { { 1, 0.1 }, { 1, 0.2 }, { 1, 0.3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_reduce_by_key(
                     spark_parallelize(sc, SPARK_DATA(i32_i8, 4, small), 3), spark_op_sum, NULL, 0),
        "(1,-56) (2,56)");
    oracle_holds(spark_reduce_by_key(spark_parallelize(sc, SPARK_DATA(i32_u32, 2, unsign), 2),
                     spark_op_sum, NULL, 0),
        "(1,3705032704)");
    oracle_holds(spark_reduce_by_key(
                     spark_parallelize(sc, SPARK_DATA(i32_f64, 3, real), 1), spark_op_sum, NULL, 0),
        "(1,0.6000000000000001)");
    oracle_close(sc);
}

static spark_rdd *sum_doubles(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_f64, ROWS, arg), partitions);
    return spark_reduce_by_key(rdd, spark_op_sum, NULL, 4);
}

static void test_reduce_by_key__sums_of_doubles_do_not_depend_on_threads(void **state)
{
    static i32_f64 data[ROWS];
    uint64_t seed = 9;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_f64) { (int32_t)oracle_below(&seed, 5),
            (double)(int64_t)oracle_random(&seed) / 3e7 };
    oracle_same_layout(sum_doubles, data);
}

static void test_reduce_by_key__gives_the_cases_of_spark(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 1, 1 }, { 2, 1 } };
    i32_i64 negative[] = { { -1, 1 }, { -1, 2 }, { -1, 3 }, { 2, 1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 5, data), 0);
    oracle_holds(spark_reduce_by_key(rdd, spark_op_sum, NULL, 0), "(1,7) (2,1)");
    oracle_holds(spark_reduce_by_key(rdd, spark_op_sum, NULL, 10), "(1,7) (2,1)");
    assert_int_equal(spark_rdd_partitions(spark_reduce_by_key(rdd, spark_op_sum, NULL, 10)), 10);
    assert_int_equal(spark_rdd_partitions(spark_reduce_by_key(rdd, spark_op_sum, NULL, 0)), 16);
    rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 4, negative), 2);
    oracle_holds(spark_group_by_key(rdd, 0), "(-1,[1,2,3]) (2,[1])");
    /* Four keys over 201 partitions. */
    rdd = spark_reduce_by_key(rdd, spark_op_sum, NULL, 201);
    assert_int_equal(oracle_count(rdd), 2);
    assert_int_equal(spark_rdd_partitions(rdd), 201);
    oracle_close(sc);
}

static void test_reduce_by_key__combines_on_the_map_side(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = hundred_keys(sc, for_hundred);
    assert_int_equal(oracle_count(spark_reduce_by_key(rdd, spark_op_sum, NULL, 3)), 100);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 400);
    assert_int_equal(oracle_count(spark_group_by_key(rdd, 3)), 100);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 10000);
    oracle_close(sc);
}

/* aggregate_by_key: an accumulator of another type, with strings. */
SPARK_MERGE(add_word, moments, spark_str)
{
    acc->n++;
    acc->sum += (int64_t)in->len;
    if (in->len > acc->longest.len)
        acc->longest = *in;
}

SPARK_MERGE(add_moments, moments, moments)
{
    acc->n += in->n;
    acc->sum += in->sum;
    if (in->longest.len > acc->longest.len)
        acc->longest = in->longest;
}

static spark_rdd *aggregate_words(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_str, ROWS, arg), partitions);
    return spark_aggregate_by_key(rdd, SPARK_ZERO(moments), add_word, add_moments, NULL, 6);
}

static spark_rdd *aggregate_words_from(spark_context *sc, int partitions, const void *arg)
{
    moments zero = { 0, 0, SPARK_STR("the zero") };
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_str, ROWS, arg), partitions);
    rdd = spark_aggregate_by_key(rdd, SPARK_VALUE(moments, &zero), add_word, add_moments, NULL, 0);
    memset(&zero, 'x', sizeof zero);
    return rdd;
}

static void test_aggregate_by_key__adds_and_combines(void **state)
{
    static i32_str data[ROWS];
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_str) { (int32_t)oracle_below(&seed, 13), word(oracle_random(&seed) % 14) };
    for (int from = 0; from < 2; from++) {
        i32_moments want[13];
        size_t n = 0;
        for (size_t i = 0; i < ROWS; i++) {
            size_t at = 0;
            while (at < n && want[at].key != data[i].key)
                at++;
            if (at == n) {
                want[n] = (i32_moments) { data[i].key, { 0, 0, { "", 0 } } };
                if (from)
                    want[n].value.longest = SPARK_LIT("the zero");
                n++;
            }
            want[at].value.n++;
            want[at].value.sum += (int64_t)data[i].value.len;
            if (data[i].value.len > want[at].value.longest.len)
                want[at].value.longest = data[i].value;
        }
        oracle_compare(from ? aggregate_words_from : aggregate_words, data, false,
            SPARK_TYPE(i32_moments), n, want);
    }
}

/* The zero is a fresh copy for each key: what one key adds must not show in another's. */
static void test_aggregate_by_key__gives_each_key_a_fresh_zero(void **state)
{
    i32_str data[] = { { 1, SPARK_STR("abc") }, { 2, SPARK_STR("d") }, { 3, SPARK_STR("") } };
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_str, 3, data), 1);
    oracle_holds(spark_aggregate_by_key(rdd, SPARK_ZERO(moments), add_word, add_moments, NULL, 0),
        "(1,(1,3,abc)) (2,(1,1,d)) (3,(1,0,))");
    oracle_close(sc);
}

typedef struct weight {
    int64_t factor;
} weight;
SPARK_MERGE(add_weighted, int64_t, int64_t, weight)
{
    *acc += *in * env->factor;
}
SPARK_MERGE(add_plain, int64_t, int64_t, weight)
{
    *acc += *in + 0 * env->factor;
}

static void test_aggregate_by_key__binds_env_to_both_functions(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 2, 2 }, { 1, 3 }, { 2, 4 } };
    weight w = { 10 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 4, data), 2);
    rdd = spark_aggregate_by_key(
        rdd, SPARK_ZERO(int64_t), add_weighted, add_plain, SPARK_COPY(w), 0);
    w.factor = 77;
    oracle_holds(rdd, "(1,40) (2,60)");
    oracle_close(sc);
}

/* groups */
static spark_rdd *group_numbers(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, arg), partitions);
    return spark_group_by_key(rdd, partitions == 3 ? 8 : 0);
}

static void test_group_by_key__holds_values_in_the_order_of_the_input(void **state)
{
    static i32_i64 data[ROWS];
    static int64_t values[KEYS][ROWS];
    static i32_i64s want[KEYS];
    uint64_t seed = 5;
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = 0;
        data[i] = (i32_i64) { (int32_t)oracle_below(&seed, KEYS), value_of(&seed) };
        while (at < n && want[at].key != data[i].key)
            at++;
        if (at == n)
            want[n++] = (i32_i64s) { data[i].key, { values[at], 0 } };
        values[at][want[at].value.n++] = data[i].value;
    }
    oracle_compare(group_numbers, data, false, SPARK_TYPE(i32_i64s), n, want);
}

static spark_rdd *group_words(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_str, ROWS, arg), partitions);
    return spark_group_by_key(rdd, 2);
}

static void test_group_by_key__holds_strings(void **state)
{
    static i32_str data[ROWS];
    static spark_str values[3][ROWS];
    i32_strs want[3]
        = { { 0, { values[0], 0 } }, { 1, { values[1], 0 } }, { 2, { values[2], 0 } } };
    uint64_t seed = 6;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t k = i < 3 ? i : (size_t)oracle_below(&seed, 3);
        data[i] = (i32_str) { (int32_t)k, word(oracle_random(&seed) % 14) };
        values[k][want[k].value.n++] = data[i].value;
    }
    oracle_compare(group_words, data, false, SPARK_TYPE(i32_strs), 3, want);
}

SPARK_MAP(remainder_of, i32_i64, int32_t, weight)
{
    *out = (int32_t)(in->value % env->factor);
}

static spark_rdd *group_pairs(spark_context *sc, int partitions, const void *arg)
{
    weight by = { 6 };
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, arg), partitions);
    return spark_group_by(rdd, remainder_of, SPARK_COPY(by), 5);
}

static void test_group_by__groups_whole_elements(void **state)
{
    static i32_i64 data[ROWS];
    static i32_i64 members[6][ROWS];
    i32_group want[6];
    (void)state;
    for (size_t k = 0; k < 6; k++)
        want[k] = (i32_group) { (int32_t)k, { members[k], 0 } };
    for (size_t i = 0; i < ROWS; i++) {
        data[i] = (i32_i64) { (int32_t)i, (int64_t)(i * i) };
        i32_group *g = &want[i * i % 6];
        members[g->key][g->value.n++] = data[i];
    }
    size_t n = 0;
    for (size_t k = 0; k < 6; k++)
        if (want[k].value.n > 0)
            want[n++] = want[k];
    oracle_compare(group_pairs, data, false, SPARK_TYPE(i32_group), n, want);
}

/* partition_by */
SPARK_PARTITIONER(by_remainder, int32_t)
{
    return (uint32_t)*key % partitions;
}

SPARK_PARTITIONER(shifted, int32_t, weight)
{
    return ((uint32_t)*key + (uint32_t)env->factor) % partitions;
}

SPARK_PARTITIONER(out_of_range, int32_t)
{
    return *key == 3 ? partitions : 0;
}

static spark_rdd *place_pairs(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, arg), partitions);
    return spark_partition_by(rdd, spark_partitioner_new(sc, 4, by_remainder, NULL));
}

static spark_rdd *hash_pairs(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, arg), partitions);
    return spark_partition_by(rdd, spark_hash_partitioner(sc, 4));
}

static void test_partition_by__keeps_the_order_of_the_input_in_each_partition(void **state)
{
    static i32_i64 data[ROWS], want[ROWS];
    size_t n = 0;
    uint64_t seed = 8;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_i64) { (int32_t)oracle_below(&seed, 100), value_of(&seed) };
    for (int32_t p = 0; p < 4; p++)
        for (size_t i = 0; i < ROWS; i++)
            if (data[i].key % 4 == p)
                want[n++] = data[i];
    oracle_compare(place_pairs, data, true, SPARK_TYPE(i32_i64), ROWS, want);
    oracle_compare(hash_pairs, data, false, SPARK_TYPE(i32_i64), ROWS, data);
}

static void test_partition_by__returns_an_rdd_that_is_placed_already(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 2, 2 } };
    weight one = { 1 }, also_one = { 1 }, two = { 2 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 2, data), 2);
    spark_partitioner *p = spark_partitioner_new(sc, 3, shifted, SPARK_COPY(one));
    spark_partitioner *same = spark_partitioner_new(sc, 3, shifted, SPARK_COPY(also_one));
    spark_partitioner *other = spark_partitioner_new(sc, 3, shifted, SPARK_COPY(two));
    spark_partitioner *more = spark_partitioner_new(sc, 4, shifted, SPARK_COPY(one));
    spark_partitioner *hash = spark_hash_partitioner(sc, 3);
    assert_true(spark_partitioner_equal(p, same));
    assert_false(spark_partitioner_equal(p, other));
    assert_false(spark_partitioner_equal(p, more));
    assert_false(spark_partitioner_equal(p, hash));
    assert_true(spark_partitioner_equal(hash, spark_hash_partitioner(sc, 3)));
    assert_false(spark_partitioner_equal(hash, spark_hash_partitioner(sc, 4)));
    assert_int_equal(spark_partitioner_partitions(more), 4);
    spark_rdd *placed = spark_partition_by(rdd, p);
    assert_ptr_not_equal(placed, rdd);
    assert_ptr_equal(spark_partition_by(placed, same), placed);
    assert_ptr_not_equal(spark_partition_by(placed, other), placed);
    assert_ptr_not_equal(spark_partition_by(placed, more), placed);
    assert_ptr_not_equal(spark_partition_by(placed, hash), placed);
    assert_int_equal(spark_rdd_partitions(placed), 3);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(placed), p));
    oracle_has_layout(placed, "(2,2) | | (1,1)");
    oracle_close(sc);
}

static void test_partition_by__fails_the_task_for_a_number_out_of_range(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 3, 2 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 2, data), 2);
    int64_t n = 0;
    rdd = spark_partition_by(rdd, spark_partitioner_new(sc, 3, out_of_range, NULL));
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "out_of_range");
    oracle_close(sc);
}

/* what keeps and what drops the partitioner */
SPARK_MAP(same_pair, i32_i64, i32_i64)
{
    *out = *in;
}
SPARK_FILTER(any_pair, i32_i64)
{
    return in != NULL;
}
SPARK_FLAT_MAP(emit_pair, i32_i64, i32_i64)
{
    spark_emit(out, *in);
}
SPARK_MAP(doubled, int64_t, int64_t)
{
    *out = *in * 2;
}
SPARK_PARTITIONS(pass_on, i32_i64, i32_i64)
{
    const i32_i64 *item;
    while ((item = spark_next(in)) != NULL)
        spark_emit(out, *item);
}

SPARK_PARTITIONS(to_texts, i32_i64, str_i64)
{
    while (spark_next(in) != NULL)
        spark_emit(out, (str_i64) { SPARK_STR("key"), 1 });
}
SPARK_STEP(stream_on, int64_t, i32_i64, i32_i64)
{
    ++*state;
    spark_emit(out, *in);
}
SPARK_FINISH(stream_on, int64_t, i32_i64, i32_i64)
{
    (void)state;
    (void)out;
}

static bool hashed(spark_context *sc, spark_rdd *rdd, int partitions)
{
    return spark_rdd_status(rdd) == SPARK_OK && spark_rdd_partitioner(rdd) != NULL
        && spark_partitioner_equal(
            spark_rdd_partitioner(rdd), spark_hash_partitioner(sc, partitions));
}

static void test_partitioner__is_kept_where_keys_stay(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 2, 2 }, { 1, 3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *plain = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 2);
    spark_rdd *rdd = spark_partition_by(plain, spark_hash_partitioner(sc, 3));
    spark_map_partitions_options keep = { true }, drop = { false };
    assert_null(spark_rdd_partitioner(plain));
    assert_true(hashed(sc, rdd, 3));
    assert_true(hashed(sc, spark_filter(rdd, any_pair, NULL), 3));
    assert_true(hashed(sc, spark_map_values(rdd, doubled, NULL), 3));
    assert_true(hashed(sc, spark_map_partitions_with(rdd, pass_on, NULL, &keep), 3));
    assert_true(hashed(sc, spark_reduce_by_key(rdd, spark_op_sum, NULL, 0), 3));
    assert_true(hashed(sc, spark_reduce_by_key(plain, spark_op_sum, NULL, 5), 5));
    assert_true(hashed(sc, spark_group_by_key(plain, 0), 2));
    assert_true(hashed(sc, spark_group_by(plain, same_pair, NULL, 4), 4));
    assert_true(hashed(sc,
        spark_aggregate_by_key(plain, SPARK_ZERO(int64_t), spark_op_sum, spark_op_sum, NULL, 0),
        2));
    assert_true(hashed(sc, spark_join(plain, plain, 4), 4));
    assert_true(hashed(sc, spark_left_outer_join(rdd, plain, 0), 3));
    assert_true(hashed(sc, spark_distinct(rdd, 3), 3));
    assert_true(hashed(sc, spark_distinct(rdd, 0), 3));
    assert_null(spark_rdd_partitioner(spark_distinct(rdd, 4)));
    assert_null(spark_rdd_partitioner(spark_distinct(plain, 2)));
    assert_null(spark_rdd_partitioner(spark_map(rdd, same_pair, NULL)));
    assert_null(spark_rdd_partitioner(spark_flat_map(rdd, emit_pair, NULL)));
    assert_null(spark_rdd_partitioner(spark_map_partitions(rdd, pass_on, NULL)));
    assert_null(spark_rdd_partitioner(spark_map_partitions_with(rdd, pass_on, NULL, &drop)));
    assert_null(spark_rdd_partitioner(spark_map_partitions_with(rdd, pass_on, NULL, NULL)));
    assert_null(spark_rdd_partitioner(spark_map_stateful(rdd, stream_on, NULL)));
    assert_null(spark_rdd_partitioner(spark_map_stateful_with(rdd, stream_on, NULL, &drop)));
    assert_ptr_equal(spark_rdd_partitioner(spark_map_stateful_with(rdd, stream_on, NULL, &keep)),
        spark_rdd_partitioner(rdd));
    int64_t n;
    oracle_fails(spark_count(spark_map_partitions_with(rdd, to_texts, NULL, &keep), &n),
        SPARK_ETYPE, "preserves_partitioning, but the keys are others");
    assert_null(spark_rdd_partitioner(spark_map_partitions_with(rdd, to_texts, NULL, &drop)));
    assert_null(spark_rdd_partitioner(spark_key_by(rdd, same_pair, NULL)));
    assert_null(spark_rdd_partitioner(spark_keys(rdd)));
    assert_null(spark_rdd_partitioner(spark_values(rdd)));
    assert_null(spark_rdd_partitioner(spark_union(rdd, plain)));
    assert_null(spark_rdd_partitioner(NULL));
    oracle_close(sc);
}

static void test_partitioner__that_fits_saves_the_shuffle(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 2, 2 }, { 1, 3 }, { 3, 5 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 4, data), 2);
    rdd = spark_partition_by(rdd, spark_hash_partitioner(sc, 3));
    assert_int_equal(oracle_count(rdd), 4);
    spark_rdd *narrow[] = {
        spark_reduce_by_key(rdd, spark_op_sum, NULL, 0),
        spark_reduce_by_key(rdd, spark_op_sum, NULL, 3),
        spark_group_by_key(rdd, 0),
        spark_aggregate_by_key(rdd, SPARK_ZERO(int64_t), spark_op_sum, spark_op_sum, NULL, 3),
    };
    for (size_t i = 0; i < LENGTH(narrow); i++) {
        assert_int_equal(oracle_count(narrow[i]), 3);
        assert_int_equal(oracle_last_job(sc).stages, 2);
        assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    }
    oracle_holds(narrow[0], "(1,4) (2,2) (3,5)");
    oracle_holds(narrow[2], "(1,[1,3]) (2,[2]) (3,[5])");
    oracle_holds(narrow[3], "(1,4) (2,2) (3,5)");
    /* Another count is another partitioner. */
    assert_int_equal(oracle_count(spark_reduce_by_key(rdd, spark_op_sum, NULL, 4)), 3);
    assert_int_equal(oracle_last_job(sc).stages, 3);
    /* A distinct of placed elements. */
    assert_int_equal(oracle_count(spark_distinct(rdd, 3)), 4);
    assert_int_equal(oracle_last_job(sc).stages, 2);
    assert_int_equal(oracle_count(spark_distinct(rdd, 5)), 4);
    assert_int_equal(oracle_last_job(sc).stages, 3);
    oracle_close(sc);
}

static void test_partitioner__of_the_with_forms_is_used(void **state)
{
    i32_i64 data[] = { { 4, 1 }, { 1, 2 }, { 4, 3 }, { 3, 5 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 4, data), 2);
    spark_keyed_options by = { 9, spark_partitioner_new(sc, 3, by_remainder, NULL) };
    spark_rdd *sums = spark_reduce_by_key_with(rdd, spark_op_sum, NULL, &by);
    spark_rdd *groups = spark_group_by_key_with(rdd, &by);
    assert_int_equal(spark_rdd_partitions(sums), 3);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(sums), by.partitioner));
    oracle_holds(sums, "(1,2) (3,5) (4,4)");
    oracle_holds(groups, "(1,[2]) (3,[5]) (4,[1,3])");
    char *layout = oracle_layout(groups);
    assert_non_null(layout);
    assert_int_equal(strncmp(layout, "(3,[5]) | (", 11), 0);
    free(layout);
    assert_ptr_equal(spark_partition_by(sums, by.partitioner), sums);
    assert_int_equal(spark_rdd_partitions(spark_group_by_key_with(rdd, NULL)), 2);
    assert_int_equal(
        spark_rdd_partitions(spark_group_by_key_with(rdd, &(spark_keyed_options) { 5, NULL })), 5);
    oracle_close(sc);
}

static void test_default_partitioner__follows_the_rule_of_spark(void **state)
{
    i32_i64 data[] = { { 1, 1 } };
    (void)state;
    for (int parallelism = 0; parallelism <= 4; parallelism += 4) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .default_parallelism = parallelism });
        spark_rdd *p10 = spark_partition_by(
            spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 1), spark_hash_partitioner(sc, 10));
        spark_rdd *p2 = spark_partition_by(p10, spark_hash_partitioner(sc, 2));
        spark_rdd *u7 = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 7);
        spark_rdd *u20 = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 20);
        spark_rdd *u1000 = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 1000);
        spark_rdd *u0 = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 0);
        assert_int_equal(spark_rdd_partitions(u0), parallelism ? 4 : 16);
        assert_int_equal(spark_rdd_partitions(spark_range(sc, 0, 5, 1, 0)), parallelism ? 4 : 16);
        assert_int_equal(spark_rdd_partitions(spark_reduce_by_key(u7, spark_op_sum, NULL, 0)),
            parallelism ? 4 : 7);
        assert_int_equal(spark_rdd_partitions(spark_reduce_by_key(p10, spark_op_sum, NULL, 0)), 10);
        assert_int_equal(spark_rdd_partitions(spark_join(p10, u20, 0)), 10);
        assert_int_equal(spark_rdd_partitions(spark_join(u20, p10, 0)), 10);
        assert_int_equal(spark_rdd_partitions(spark_join(p10, u1000, 0)), parallelism ? 10 : 1000);
        assert_int_equal(spark_rdd_partitions(spark_full_outer_join(p10, p2, 0)), 10);
        assert_int_equal(spark_rdd_partitions(spark_left_outer_join(p2, p10, 0)), 10);
        assert_int_equal(spark_rdd_partitions(spark_join(u7, u20, 0)), parallelism ? 4 : 20);
        assert_int_equal(spark_rdd_partitions(spark_join(p2, u20, 0)), parallelism ? 4 : 20);
        assert_int_equal(spark_rdd_partitions(spark_join(p2, u7, 0)), 2);
        oracle_close(sc);
    }
}

/* distinct */
static spark_rdd *distinct_words(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, arg), partitions);
    return spark_distinct(rdd, partitions == 2 ? 9 : 0);
}

static spark_rdd *distinct_places(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(place, ROWS, arg), partitions);
    return spark_distinct(rdd, 0);
}

static void test_distinct__gives_each_value_once(void **state)
{
    static spark_str words[ROWS], want[ROWS];
    static place places[ROWS], want_places[ROWS];
    size_t n = 0, m = 0;
    uint64_t seed = 12;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t k = (size_t)oracle_below(&seed, KEYS), at = 0;
        words[i] = word(k);
        places[i] = place_of(k);
        while (at < n && !spark_str_equal(want[at], words[i]))
            at++;
        if (at == n)
            want[n++] = words[i];
        at = 0;
        while (at < m && !spark_equal(SPARK_TYPE(place), &want_places[at], &places[i]))
            at++;
        if (at == m)
            want_places[m++] = places[i];
    }
    oracle_compare(distinct_words, words, false, SPARK_TYPE(spark_str), n, want);
    oracle_compare(distinct_places, places, false, SPARK_TYPE(place), m, want_places);
}

static void test_distinct__twice_gives_the_same_array(void **state)
{
    int32_t data[] = { 1, 1, 2, 2, 3, 3, 4, 4 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int32_t, 8, data), 2);
    spark_array a, b, c;
    assert_int_equal(oracle_count(spark_distinct(rdd, 0)), 4);
    oracle_ok(spark_collect(spark_distinct(rdd, 0), SPARK_TYPE(int32_t), &a));
    oracle_ok(spark_collect(spark_distinct(rdd, 0), SPARK_TYPE(int32_t), &b));
    oracle_ok(spark_collect(spark_distinct(rdd, 2), SPARK_TYPE(int32_t), &c));
    assert_int_equal(a.n, 4);
    assert_memory_equal(a.items, b.items, sizeof(int32_t) * 4);
    assert_memory_equal(a.items, c.items, sizeof(int32_t) * 4);
    spark_array_free(&a);
    spark_array_free(&b);
    spark_array_free(&c);
    oracle_close(sc);
}

/* nothing to do */
static void test_keyed__operations_take_empty_rdds(void **state)
{
    i32_i64 one[] = { { 1, 5 } };
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *inputs[] = {
            spark_empty_rdd(sc, SPARK_TYPE(i32_i64)),
            spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 3),
            spark_parallelize(sc, SPARK_DATA(i32_i64, 1, one), 3),
        };
        static const char *const sums[] = { "", "", "(1,5)" };
        static const char *const lists[] = { "", "", "(1,[5])" };
        static const char *const groups[] = { "", "", "((1,5),[(1,5)])" };
        for (size_t i = 0; i < LENGTH(inputs); i++) {
            spark_rdd *rdd = inputs[i];
            for (int p = 0; p < 4; p++) {
                oracle_holds(spark_reduce_by_key(rdd, spark_op_sum, NULL, p), sums[i]);
                oracle_holds(spark_reduce_by_key(rdd, keep_last, NULL, p), sums[i]);
                oracle_holds(spark_aggregate_by_key(
                                 rdd, SPARK_ZERO(int64_t), spark_op_sum, spark_op_sum, NULL, p),
                    sums[i]);
                oracle_holds(spark_group_by_key(rdd, p), lists[i]);
                oracle_holds(spark_group_by(rdd, same_pair, NULL, p), groups[i]);
                oracle_holds(spark_distinct(rdd, p), sums[i]);
                if (p > 0) {
                    spark_partitioner *hash = spark_hash_partitioner(sc, p);
                    oracle_holds(spark_partition_by(rdd, hash), sums[i]);
                    assert_int_equal(spark_rdd_partitions(spark_partition_by(rdd, hash)), p);
                    assert_int_equal(spark_rdd_partitions(spark_group_by_key(rdd, p)), p);
                }
            }
            assert_int_equal(spark_rdd_partitions(spark_distinct(rdd, 0)), i == 0 ? 0 : 3);
            assert_int_equal(spark_rdd_partitions(spark_group_by_key(rdd, 0)), i == 0 ? 0 : 3);
        }
        oracle_close(sc);
    }
}

static void test_keyed__many_keys_survive_growth(void **state)
{
    enum { N = 150000 };
    (void)state;
    i64_i64 *data = malloc(N * sizeof *data);
    assert_non_null(data);
    for (int64_t i = 0; i < N; i++)
        data[i] = (i64_i64) { i % 50000 * 7919, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_i64, N, data), 3);
    spark_array array;
    oracle_ok(spark_collect(
        spark_reduce_by_key(rdd, spark_op_sum, NULL, 2), SPARK_TYPE(i64_i64), &array));
    assert_int_equal(array.n, 50000);
    const i64_i64 *item = SPARK_ITEMS(i64_i64, &array);
    for (size_t i = 0; i < array.n; i++)
        assert_int_equal(item[i].value, 3 * (item[i].key / 7919) + 150000);
    spark_array_free(&array);
    oracle_close(sc);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_reduce_by_key__merges_i32_i64),
        oracle_test(test_reduce_by_key__merges_i64_i64),
        oracle_test(test_reduce_by_key__merges_u8_i64),
        oracle_test(test_reduce_by_key__merges_f64_i64),
        oracle_test(test_reduce_by_key__merges_str_i64),
        oracle_test(test_reduce_by_key__merges_place_i64),
        oracle_test(test_reduce_by_key__merges_point_i64),
        oracle_test(test_reduce_by_key__merges_bool_i64),
        oracle_test(test_reduce_by_key__takes_signed_zeros_and_nans_as_one_key_each),
        oracle_test(test_reduce_by_key__merges_strings),
        oracle_test(test_reduce_by_key__does_not_keep_the_strings_it_replaced),
        oracle_test(test_reduce_by_key__sums_wrap_in_their_own_type),
        oracle_test(test_reduce_by_key__sums_of_doubles_do_not_depend_on_threads),
        oracle_test(test_reduce_by_key__gives_the_cases_of_spark),
        oracle_test(test_reduce_by_key__combines_on_the_map_side),
        oracle_test(test_aggregate_by_key__adds_and_combines),
        oracle_test(test_aggregate_by_key__gives_each_key_a_fresh_zero),
        oracle_test(test_aggregate_by_key__binds_env_to_both_functions),
        oracle_test(test_group_by_key__holds_values_in_the_order_of_the_input),
        oracle_test(test_group_by_key__holds_strings),
        oracle_test(test_group_by__groups_whole_elements),
        oracle_test(test_partition_by__keeps_the_order_of_the_input_in_each_partition),
        oracle_test(test_partition_by__returns_an_rdd_that_is_placed_already),
        oracle_test(test_partition_by__fails_the_task_for_a_number_out_of_range),
        oracle_test(test_partitioner__is_kept_where_keys_stay),
        oracle_test(test_partitioner__that_fits_saves_the_shuffle),
        oracle_test(test_partitioner__of_the_with_forms_is_used),
        oracle_test(test_default_partitioner__follows_the_rule_of_spark),
        oracle_test(test_distinct__gives_each_value_once),
        oracle_test(test_distinct__twice_gives_the_same_array),
        oracle_test(test_keyed__operations_take_empty_rdds),
        oracle_test(test_keyed__many_keys_survive_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
