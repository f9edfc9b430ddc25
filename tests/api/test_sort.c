/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting against a stable insertion sort. */
#include "oracle.h"

#define ROWS 260

SPARK_STRUCT(record, (spark_str, name), (int32_t, rank), (double, weight), (char, code, 4),
    (int64_t, place));
SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_PAIR(i64_str, int64_t, spark_str);
SPARK_PAIR(f64_i64, double, int64_t);
SPARK_PAIR(i32_i64, int32_t, int64_t);
SPARK_PAIR(point, int8_t, uint16_t);
SPARK_PAIR(point_i64, point, int64_t);
SPARK_ORDER(by_rank, record, (asc, rank));
SPARK_ORDER(by_rank_down, record, (desc, rank));
SPARK_ORDER(by_name_then_rank, record, (asc, name), (desc, rank));
SPARK_ORDER(by_code, record, (asc, code), (asc, name));
SPARK_ORDER(by_code_down, record, (desc, code));
SPARK_ORDER(by_weight, record, (desc, weight), (asc, name), (asc, rank));
SPARK_ORDER(by_place_down, i64_i64, (desc, value));

static spark_str word(size_t i)
{
    /* Most share their first eight bytes, some contain others. */
    static const char *const words[] = { "prefix__a", "prefix__", "prefix__b", "prefix__ab",
        "prefix_", "prefix__aa and far more than anyone would keep beside a row",
        "prefix__aa and far more than anyone would keep beside a rov", "", "p", "prefix__\xff",
        "prefix__\x01", "zebra", "Prefix__" };
    const char *text = words[i % LENGTH(words)];
    return (spark_str) { text, strlen(text) };
}

static double number(size_t i)
{
    static const char *const texts[]
        = { "nan", "-nan", "0.0", "-0.0", "inf", "-inf", "1e-320", "-1e-320", "1.5", "-1.5" };
    return i < LENGTH(texts) ? strtod(texts[i], NULL) : ((double)i - 20) / 7;
}

/* naive orders */
static int order_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}
static int order_f64(double a, double b)
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return (a > b) - (a < b);
}
static int order_str(spark_str a, spark_str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order ? order : order_i64((int64_t)a.len, (int64_t)b.len);
}

typedef int (*comparison)(const void *a, const void *b);

/* stable: an insertion sort. */
static void stable(void *items, size_t n, size_t size, comparison compare)
{
    char *at = items;
    char hold[128];
    for (size_t i = 1; i < n; i++) {
        size_t j = i;
        memcpy(hold, at + i * size, size);
        for (; j > 0 && compare(at + (j - 1) * size, hold) > 0; j--)
            memcpy(at + j * size, at + (j - 1) * size, size);
        memcpy(at + j * size, hold, size);
    }
}

typedef struct sorting {
    const spark_order *order;
    const void *data;
    size_t n;
    int partitions;
    bool by_key;
    const spark_type *type;
} sorting;

static spark_rdd *build_sort(spark_context *sc, int partitions, const void *arg)
{
    const sorting *s = arg;
    spark_rdd *rdd = spark_parallelize(sc, s->type, s->n, s->data, partitions);
    return s->by_key ? spark_sort_by_key(rdd, s->order, s->partitions)
                     : spark_sort_by(rdd, s->order, s->partitions);
}

static void compare_sort(const sorting *s, comparison compare)
{
    size_t bytes = s->n * s->type->size;
    void *want = malloc(bytes + 1);
    assert_non_null(want);
    if (s->n > 0)
        memcpy(want, s->data, bytes);
    stable(want, s->n, s->type->size, compare);
    oracle_compare(build_sort, s, true, s->type, s->n, want);
    free(want);
}

/* records */
static int naive_by_rank(const void *a, const void *b)
{
    return order_i64(((const record *)a)->rank, ((const record *)b)->rank);
}
static int naive_by_rank_down(const void *a, const void *b)
{
    return naive_by_rank(b, a);
}
static int naive_by_name_then_rank(const void *a, const void *b)
{
    int order = order_str(((const record *)a)->name, ((const record *)b)->name);
    return order ? order : naive_by_rank(b, a);
}
static int naive_by_code_down(const void *a, const void *b)
{
    return memcmp(((const record *)b)->code, ((const record *)a)->code, 4);
}
static int naive_by_code(const void *a, const void *b)
{
    int order = naive_by_code_down(b, a);
    return order ? order : order_str(((const record *)a)->name, ((const record *)b)->name);
}
static int naive_by_weight(const void *a, const void *b)
{
    int order = order_f64(((const record *)b)->weight, ((const record *)a)->weight);
    if (order == 0)
        order = order_str(((const record *)a)->name, ((const record *)b)->name);
    return order ? order : naive_by_rank(a, b);
}
static int naive_natural(const void *a, const void *b)
{
    const record *x = a, *y = b;
    int order = order_str(x->name, y->name);
    if (order == 0)
        order = order_i64(x->rank, y->rank);
    if (order == 0)
        order = order_f64(x->weight, y->weight);
    if (order == 0)
        order = memcmp(x->code, y->code, 4);
    return order ? order : order_i64(x->place, y->place);
}
static int naive_natural_down(const void *a, const void *b)
{
    return naive_natural(b, a);
}

static void test_sort_by__follows_the_order_and_keeps_equal_ones_in_place(void **state)
{
    static record data[ROWS];
    static const struct {
        const spark_order *order;
        comparison naive;
        int partitions;
    } cases[] = {
        { by_rank, naive_by_rank, 0 },
        { by_rank_down, naive_by_rank_down, 4 },
        { by_name_then_rank, naive_by_name_then_rank, 0 },
        { by_code, naive_by_code, 3 },
        { by_code_down, naive_by_code_down, 0 },
        { by_weight, naive_by_weight, 5 },
        { NULL, naive_natural, 0 },
        { spark_order_desc, naive_natural_down, 2 },
    };
    uint64_t seed = 1;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t r = oracle_random(&seed);
        data[i] = (record) { word(r % 13), (int32_t)(r >> 8) % 20 - 10, number((r >> 16) % 40),
            { (char)('a' + (r >> 24) % 3), (char)('a' + (r >> 32) % 3),
                (char)((r >> 40) % 2 ? 'z' : 0), 0 },
            (int64_t)i };
    }
    for (size_t c = 0; c < LENGTH(cases); c++) {
        sorting s = { cases[c].order, data, ROWS, cases[c].partitions, false, SPARK_TYPE(record) };
        compare_sort(&s, cases[c].naive);
    }
}

/* scalars */
static int naive_i64(const void *a, const void *b)
{
    return order_i64(*(const int64_t *)a, *(const int64_t *)b);
}
static int naive_i64_down(const void *a, const void *b)
{
    return naive_i64(b, a);
}
static int naive_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}
static int naive_i8(const void *a, const void *b)
{
    return *(const int8_t *)a - *(const int8_t *)b;
}
static int naive_u8_down(const void *a, const void *b)
{
    return *(const uint8_t *)b - *(const uint8_t *)a;
}
static int naive_f64(const void *a, const void *b)
{
    return order_f64(*(const double *)a, *(const double *)b);
}
static int naive_f64_down(const void *a, const void *b)
{
    return naive_f64(b, a);
}
static int naive_f32(const void *a, const void *b)
{
    return order_f64((double)*(const float *)a, (double)*(const float *)b);
}
static int naive_str(const void *a, const void *b)
{
    return order_str(*(const spark_str *)a, *(const spark_str *)b);
}
static int naive_str_down(const void *a, const void *b)
{
    return naive_str(b, a);
}

static void test_sort_by__sorts_numbers_naturally(void **state)
{
    static int64_t i64s[ROWS];
    static int8_t i8s[ROWS];
    static uint8_t u8s[ROWS];
    static double f64s[ROWS];
    static float f32s[ROWS];
    uint64_t seed = 2;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        i64s[i] = (int64_t)oracle_random(&seed) >> oracle_below(&seed, 64);
        i8s[i] = (int8_t)oracle_random(&seed);
        u8s[i] = (uint8_t)oracle_random(&seed);
        f64s[i] = number((size_t)oracle_below(&seed, 60));
        f32s[i] = (float)f64s[i];
    }
    i64s[0] = INT64_MAX;
    i64s[1] = INT64_MIN;
    compare_sort(&(sorting) { NULL, i64s, ROWS, 0, false, SPARK_TYPE(int64_t) }, naive_i64);
    compare_sort(
        &(sorting) { spark_order_desc, i64s, ROWS, 3, false, SPARK_TYPE(int64_t) }, naive_i64_down);
    compare_sort(&(sorting) { NULL, i64s, ROWS, 2, false, SPARK_TYPE(uint64_t) }, naive_u64);
    compare_sort(&(sorting) { NULL, i8s, ROWS, 0, false, SPARK_TYPE(int8_t) }, naive_i8);
    compare_sort(
        &(sorting) { spark_order_desc, u8s, ROWS, 0, false, SPARK_TYPE(uint8_t) }, naive_u8_down);
    compare_sort(&(sorting) { NULL, f64s, ROWS, 0, false, SPARK_TYPE(double) }, naive_f64);
    compare_sort(
        &(sorting) { spark_order_desc, f64s, ROWS, 0, false, SPARK_TYPE(double) }, naive_f64_down);
    compare_sort(&(sorting) { NULL, f32s, ROWS, 5, false, SPARK_TYPE(float) }, naive_f32);
}

static void test_sort_by__sorts_strings_with_equal_prefixes(void **state)
{
    static spark_str data[ROWS];
    static char pool[ROWS][40];
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = word((size_t)oracle_below(&seed, 13));
    compare_sort(&(sorting) { NULL, data, ROWS, 0, false, SPARK_TYPE(spark_str) }, naive_str);
    compare_sort(&(sorting) { spark_order_desc, data, ROWS, 0, false, SPARK_TYPE(spark_str) },
        naive_str_down);
    for (size_t i = 0; i < ROWS; i++) {
        int n = snprintf(pool[i], sizeof pool[i], "the same sixteen%.*s%d",
            (int)oracle_below(&seed, 9), "the next nine", (int)oracle_below(&seed, 100));
        data[i] = (spark_str) { pool[i], (size_t)n };
    }
    compare_sort(&(sorting) { NULL, data, ROWS, 4, false, SPARK_TYPE(spark_str) }, naive_str);
}

/* pairs by key */
static int naive_key_i64(const void *a, const void *b)
{
    return order_i64(((const i64_i64 *)a)->key, ((const i64_i64 *)b)->key);
}
static int naive_key_i64_down(const void *a, const void *b)
{
    return naive_key_i64(b, a);
}
static int naive_key_str(const void *a, const void *b)
{
    return order_str(((const str_i64 *)a)->key, ((const str_i64 *)b)->key);
}
static int naive_key_f64_down(const void *a, const void *b)
{
    return order_f64(((const f64_i64 *)b)->key, ((const f64_i64 *)a)->key);
}
static int naive_key_point(const void *a, const void *b)
{
    const point *x = &((const point_i64 *)a)->key, *y = &((const point_i64 *)b)->key;
    return x->key != y->key ? order_i64(x->key, y->key) : order_i64(x->value, y->value);
}
static int naive_value_down(const void *a, const void *b)
{
    return order_i64(((const i64_i64 *)b)->value, ((const i64_i64 *)a)->value);
}

static void test_sort_by_key__keeps_the_order_of_equal_keys(void **state)
{
    static i64_i64 i64s[ROWS];
    static str_i64 strs[ROWS];
    static f64_i64 f64s[ROWS];
    static point_i64 points[ROWS];
    uint64_t seed = 4;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t r = oracle_random(&seed);
        i64s[i] = (i64_i64) { (int64_t)(r % 40) - 20, (int64_t)i };
        strs[i] = (str_i64) { word((r >> 8) % 13), (int64_t)i };
        f64s[i] = (f64_i64) { number((r >> 16) % 12), (int64_t)i };
        points[i] = (point_i64) { { (int8_t)((r >> 24) % 5 - 2), (uint16_t)((r >> 32) % 5 * 300) },
            (int64_t)i };
    }
    compare_sort(&(sorting) { NULL, i64s, ROWS, 0, true, SPARK_TYPE(i64_i64) }, naive_key_i64);
    compare_sort(&(sorting) { spark_order_desc, i64s, ROWS, 4, true, SPARK_TYPE(i64_i64) },
        naive_key_i64_down);
    compare_sort(&(sorting) { NULL, strs, ROWS, 0, true, SPARK_TYPE(str_i64) }, naive_key_str);
    compare_sort(&(sorting) { spark_order_desc, f64s, ROWS, 3, true, SPARK_TYPE(f64_i64) },
        naive_key_f64_down);
    compare_sort(
        &(sorting) { NULL, points, ROWS, 0, true, SPARK_TYPE(point_i64) }, naive_key_point);
    compare_sort(
        &(sorting) { by_place_down, i64s, ROWS, 0, false, SPARK_TYPE(i64_i64) }, naive_value_down);
}

static void test_sort__of_equal_keys_changes_nothing(void **state)
{
    static i64_i64 data[ROWS];
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i64_i64) { 7, (int64_t)i };
    compare_sort(&(sorting) { NULL, data, ROWS, 0, true, SPARK_TYPE(i64_i64) }, naive_key_i64);
    compare_sort(&(sorting) { spark_order_desc, data, ROWS, 5, true, SPARK_TYPE(i64_i64) },
        naive_key_i64_down);
}

static void test_sort__takes_few_elements(void **state)
{
    i64_i64 data[] = { { 3, 1 }, { 1, 2 }, { 2, 3 } };
    (void)state;
    for (size_t n = 0; n <= 3; n++) {
        compare_sort(&(sorting) { NULL, data, n, 0, true, SPARK_TYPE(i64_i64) }, naive_key_i64);
        compare_sort(&(sorting) { NULL, data, n, 30, false, SPARK_TYPE(i64_i64) }, naive_key_i64);
        compare_sort(
            &(sorting) { by_place_down, data, n, 1, false, SPARK_TYPE(i64_i64) }, naive_value_down);
    }
}

/* partitions */
static void test_sort__has_as_many_partitions_as_the_keys_allow(void **state)
{
    enum { N = 1000 };
    static i32_i64 data[N];
    (void)state;
    for (int i = 0; i < N; i++)
        data[i] = (i32_i64) { i * 7919 % N, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, N, data), 2);
    assert_int_equal(spark_rdd_partitions(spark_sort_by_key(rdd, NULL, 0)), 2);
    assert_int_equal(spark_rdd_partitions(spark_sort_by_key(rdd, NULL, 1)), 1);
    assert_int_equal(spark_rdd_partitions(spark_sort_by_key(rdd, NULL, 20)), 20);
    assert_int_equal(spark_rdd_partitions(spark_sort_by(rdd, NULL, 20)), 20);
    spark_rdd *none = spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 2);
    assert_int_equal(spark_rdd_partitions(spark_sort_by_key(none, NULL, 5)), 1);
    oracle_holds(spark_sort_by_key(none, NULL, 5), "");
    none = spark_empty_rdd(sc, SPARK_TYPE(i32_i64));
    oracle_holds(spark_sort_by_key(none, NULL, 5), "");
    oracle_holds(spark_sort_by_key(none, NULL, 0), "");
    oracle_holds(spark_sort_by(none, by_place_down->in == NULL ? NULL : spark_order_desc, 0), "");
    for (int i = 0; i < N; i++)
        data[i].key = i % 3;
    rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, N, data), 4);
    int n = spark_rdd_partitions(spark_sort_by_key(rdd, NULL, 10));
    assert_true(n >= 3 && n <= 4); /* the bounds 0, 1 and 2 at most */
    oracle_close(sc);
}

SPARK_MAP(value_of_pair, i32_i64, int64_t)
{
    *out = in->value;
}
SPARK_PARTITIONS(extent, int32_t, i64_i64)
{
    const int32_t *item;
    int64_t n = 0, first = 0;
    while ((item = spark_next(in)) != NULL) {
        if (n++ == 0)
            first = *item;
    }
    spark_emit(out, (i64_i64) { n, first });
}

static void test_sort__balances_its_partitions(void **state)
{
    enum { N = 1000 };
    static int32_t data[N];
    (void)state;
    for (int i = 0; i < N; i++)
        data[i] = i + 1;
    spark_context *sc = oracle_open(2);
    for (int down = 0; down < 2; down++) {
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int32_t, N, data), 2);
        spark_array array;
        rdd = spark_sort_by(rdd, down ? spark_order_desc : NULL, 4);
        oracle_ok(
            spark_collect(spark_map_partitions(rdd, extent, NULL), SPARK_TYPE(i64_i64), &array));
        assert_int_equal(array.n, 4);
        const i64_i64 *part = SPARK_ITEMS(i64_i64, &array);
        for (size_t i = 0; i < 4; i++) {
            assert_true(part[i].key > 180);
            assert_true(i == 0 || (part[i].value > part[i - 1].value) == !down);
        }
        spark_array_free(&array);
    }
    oracle_close(sc);
}

static void test_sort__knows_its_ranges_afterwards(void **state)
{
    i32_i64 data[] = { { 1, 0 }, { 3, 1 }, { 2, 2 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *sorted
        = spark_sort_by_key(spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 2), NULL, 2);
    oracle_collects(sorted, "(1,0) (2,2) (3,1)");
    oracle_collects(spark_map(sorted, value_of_pair, NULL), "0 2 1");
    oracle_collects(spark_sort_by(spark_values(sorted), NULL, 3), "0 1 2");
    oracle_collects(spark_sort_by_key(sorted, spark_order_desc, 3), "(3,1) (2,2) (1,0)");
    oracle_holds(spark_reduce_by_key(sorted, spark_op_sum, NULL, 0), "(1,0) (2,2) (3,1)");
    oracle_holds(spark_join(sorted, sorted, 0), "(1,(0,0)) (2,(2,2)) (3,(1,1))");
    oracle_close(sc);
}

/* Ranges of more rows than a sample holds. */
SPARK_FILTER(in_one_partition, int64_t, int64_t)
{
    return *in < *env;
}
SPARK_MAP(scattered, int64_t, int64_t)
{
    *out = (int64_t)((uint64_t)*in * 0x9E3779B97F4A7C15u);
}
SPARK_PARTITIONS(rows_of, int64_t, int64_t)
{
    int64_t n = 0;
    while (spark_next(in) != NULL)
        n++;
    spark_emit(out, n);
}

/* uneven: rows 0 to n - 1, scattered, all in the first of 1000 partitions. */
static spark_rdd *uneven(spark_context *sc, int64_t n)
{
    spark_rdd *first
        = spark_filter(spark_range(sc, 0, n * 1000, 1, 1000), in_one_partition, SPARK_COPY(n));
    return spark_map(first, scattered, NULL);
}

static void test_sort__is_even_where_rows_lie_in_one_partition(void **state)
{
    static const int asked[] = { 8, 100, 1000 };
    enum { N = 100000 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < LENGTH(asked); i++) {
        spark_rdd *sorted = spark_sort_by(uneven(sc, N), NULL, asked[i]);
        spark_array array;
        oracle_ok(spark_collect(
            spark_map_partitions(sorted, rows_of, NULL), SPARK_TYPE(int64_t), &array));
        const int64_t *rows = SPARK_ITEMS(int64_t, &array);
        assert_int_equal(array.n, asked[i]);
        for (size_t p = 0; p < array.n; p++)
            assert_true(rows[p] * asked[i] <= (int64_t)N * 18 / 10);
        spark_array_free(&array);
    }
    oracle_close(sc);
}

static void test_sort__draws_the_same_sample_always(void **state)
{
    /* 60 keys for each of 8 * 32 slices are fewer than there are rows. */
    enum { N = 60000 };
    static const spark_conf more[] = { { .threads = 3, .memory_bytes = 64 << 20 } };
    char *first = NULL;
    (void)state;
    for (size_t c = 0; c <= LENGTH(oracle_confs); c++) {
        const spark_conf *conf = c < LENGTH(oracle_confs) ? &oracle_confs[c] : &more[0];
        if (conf->batch_rows > 0 && conf->batch_rows < 7)
            continue;
        spark_context *sc = oracle_open_conf(conf);
        spark_rdd *sorted = spark_sort_by(
            spark_map(spark_range(sc, 0, N, 1, 9), scattered, NULL), NULL, 8);
        oracle_same(&first, oracle_layout(spark_map_partitions(sorted, rows_of, NULL)));
        oracle_close(sc);
    }
    free(first);
}

SPARK_MAP(with_text, int64_t, i64_str, size_t)
{
    char *text = spark_alloc(task, *env);
    if (text == NULL)
        return;
    memset(text, 'a' + (int)(*in % 26), *env);
    *out = (i64_str) { (int64_t)((uint64_t)*in * 0x9E3779B97F4A7C15u), { text, *env } };
}

static void test_sort__samples_keys_and_not_rows(void **state)
{
    const size_t length = 10000;
    uint64_t peak;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rows
        = spark_map(spark_range(sc, 0, 20000, 1, 64), with_text, SPARK_COPY(length));
    assert_int_equal(spark_rdd_partitions(spark_sort_by_key(rows, NULL, 256)), 256);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 16 << 20); /* 200 MB have passed */
    oracle_close(sc);
}

static void test_sort__bounds_what_long_keys_take(void **state)
{
    const size_t length = 10000;
    uint64_t peak;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *keys = spark_values(
        spark_map(spark_range(sc, 0, 20000, 1, 64), with_text, SPARK_COPY(length)));
    assert_true(spark_rdd_partitions(spark_sort_by(keys, NULL, 20)) > 10);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 64 << 20);
    oracle_close(sc);
}

/* numbered: a text of *env bytes that tells early or late (odd numbers) what it has of its own. */
SPARK_MAP(numbered, int64_t, spark_str, size_t)
{
    char number[24], *text = spark_alloc(task, *env);
    if (text == NULL)
        return;
    const size_t n = (size_t)snprintf(number, sizeof number, "%08d", (int)((*in * 7919) % 1000003));
    memset(text, 'x', *env);
    memcpy(text + (*in % 2 ? (*env < 15000 ? *env : 15000) - n : 0), number, n);
    *out = (spark_str) { text, *env };
}

/* What 32 MiB a thread are enough for: keys of any length, whether they differ soon or late. */
static void test_sort__of_long_keys_in_little_memory(void **state)
{
    static const struct {
        int64_t rows;
        size_t length;
    } cases[] = { { 60000, 700 }, { 3000, 20000 }, { 100, 1000000 } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t n;
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 32 << 20 });
        spark_rdd *keys = spark_map(spark_range(sc, 0, cases[i].rows, 1, 8), numbered, SPARK_COPY(cases[i].length));
        spark_rdd *sorted = spark_sort_by(keys, NULL, 8);
        if (spark_count(sorted, &n) != SPARK_OK)
            fail_msg("of %zu bytes: %s", cases[i].length, spark_last_error()->message);
        assert_int_equal(n, cases[i].rows);
        assert_true(spark_rdd_partitions(sorted) > 4);
        oracle_close(sc);
    }
}

static void test_sort__of_many_rows(void **state)
{
    enum { N = 200000 };
    (void)state;
    int64_t *data = malloc(N * sizeof *data);
    uint64_t seed = 5;
    assert_non_null(data);
    for (int i = 0; i < N; i++)
        data[i] = (int64_t)oracle_random(&seed) >> (i % 3 * 20);
    spark_context *sc = oracle_open(2);
    spark_array array;
    oracle_ok(spark_collect(
        spark_sort_by(spark_parallelize(sc, SPARK_DATA(int64_t, N, data), 5), NULL, 7),
        SPARK_TYPE(int64_t), &array));
    const int64_t *item = SPARK_ITEMS(int64_t, &array);
    uint64_t sum = 0, want = 0;
    assert_int_equal(array.n, N);
    for (int i = 0; i < N; i++) {
        assert_true(i == 0 || item[i - 1] <= item[i]);
        sum += (uint64_t)item[i] * (uint64_t)item[i];
        want += (uint64_t)data[i] * (uint64_t)data[i];
    }
    assert_int_equal(sum, want);
    spark_array_free(&array);
    oracle_close(sc);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_sort_by__follows_the_order_and_keeps_equal_ones_in_place),
        oracle_test(test_sort_by__sorts_numbers_naturally),
        oracle_test(test_sort_by__sorts_strings_with_equal_prefixes),
        oracle_test(test_sort_by_key__keeps_the_order_of_equal_keys),
        oracle_test(test_sort__of_equal_keys_changes_nothing),
        oracle_test(test_sort__takes_few_elements),
        oracle_test(test_sort__has_as_many_partitions_as_the_keys_allow),
        oracle_test(test_sort__balances_its_partitions),
        oracle_test(test_sort__knows_its_ranges_afterwards),
        oracle_test(test_sort__of_many_rows),
        oracle_test(test_sort__is_even_where_rows_lie_in_one_partition),
        oracle_test(test_sort__draws_the_same_sample_always),
        oracle_test(test_sort__samples_keys_and_not_rows),
        oracle_test(test_sort__bounds_what_long_keys_take),
        oracle_test(test_sort__of_long_keys_in_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
