/* SPDX-License-Identifier: Apache-2.0 */
/* Keys 0 to k - 1: reduce_by_key_dense and the dense partitioner, against naive loops. */
#include "keys.h"

#define ROWS 240

SPARK_STRUCT(stock, (int32_t, n), (spark_str, name), (double, weight));
SPARK_PAIR(u64_i64, uint64_t, int64_t);
SPARK_PAIR(u32_i64, uint32_t, int64_t);
SPARK_PAIR(i64_f64, int64_t, double);
SPARK_PAIR(i64_i8, int64_t, int8_t);
SPARK_PAIR(date_i64, spark_date, int64_t);
SPARK_PAIR(i64_stock, int64_t, stock);
SPARK_PAIR(f64_i64, double, int64_t);

typedef struct dense {
    const spark_type *type;
    const void *data;
    const spark_merge_def *f;
    uint64_t keys;
    int partitions;
    bool placed;
} dense;

static spark_rdd *reduce_dense(spark_context *sc, int partitions, const void *arg)
{
    const dense *d = arg;
    spark_rdd *rdd = spark_parallelize(sc, d->type, ROWS, d->data, partitions);
    const spark_partitioner *p = spark_dense_partitioner(sc, d->keys, d->partitions);
    if (d->placed)
        rdd = spark_partition_by(rdd, p);
    return spark_reduce_by_key_dense(rdd, d->f, NULL, p);
}

/* One test a type: the data, whose key i is `key`, and the naive loop over an array of all keys;
 * rows come in the order of the keys. */
enum { SUM, MIN, MAX, FIRST, LAST, MERGES };
#define NAIVE(V)                                                                                   \
    static V naive_##V(int merge, V a, V b)                                                        \
    {                                                                                              \
        return merge == SUM ? (V)(a + b)                                                           \
            : merge == MIN  ? (a < b ? a : b)                                                      \
            : merge == MAX  ? (a > b ? a : b)                                                      \
            : merge == LAST ? b                                                                    \
                            : a;                                                                   \
    }
NAIVE(int64_t)
NAIVE(double)
NAIVE(int8_t)

#define DENSE_TEST(P, V, KEYS, MERGES_, KEY)                                                       \
    static void test_reduce_by_key_dense__merges_##P(void **state)                                 \
    {                                                                                              \
        static const spark_merge_def *const merges[MERGES]                                         \
            = { spark_op_sum, spark_op_min, spark_op_max, spark_op_first, keep_last };             \
        static const int counts[MERGES] = { 4, 1, 7, 300, 3 };                                     \
        static P data[ROWS], want[KEYS];                                                           \
        static bool there[KEYS];                                                                   \
        uint64_t seed = 1;                                                                         \
        (void)state;                                                                               \
        for (int m = 0; m < (MERGES_); m++) {                                                      \
            size_t n = 0;                                                                          \
            memset(there, 0, sizeof there);                                                        \
            for (size_t i = 0; i < ROWS; i++) {                                                    \
                size_t k = (size_t)oracle_below(&seed, KEYS);                                      \
                if (i == 7 || i == 9) /* the last and the first */                                 \
                    k = i == 7 ? (KEYS)-1 : 0;                                                     \
                const V value = (V)((int64_t)oracle_below(&seed, 200) - 100);                      \
                data[i] = (P) { KEY(k), value };                                                   \
                want[k] = (P) { KEY(k), there[k] ? naive_##V(m, want[k].value, value) : value };   \
                there[k] = true;                                                                   \
            }                                                                                      \
            for (size_t k = 0; k < (KEYS); k++)                                                    \
                if (there[k])                                                                      \
                    want[n++] = want[k];                                                           \
            const dense d = { SPARK_TYPE(P), data, merges[m], KEYS, counts[m], m == MAX };         \
            oracle_compare(reduce_dense, &d, true, SPARK_TYPE(P), n, want);                        \
        }                                                                                          \
    }
#define SIGNED(k) (int64_t)(k)
#define SMALL(k) (int32_t)(k)
#define UNSIGNED(k) (uint32_t)(k)
#define DAY(k)                                                                                     \
    {                                                                                              \
        (int32_t)(k)                                                                               \
    }
DENSE_TEST(i64_i64, int64_t, 90, MERGES, SIGNED)
DENSE_TEST(u64_i64, int64_t, 1000, 2, (uint64_t)SIGNED)
DENSE_TEST(i32_i64, int64_t, 300, MERGES, SMALL)
DENSE_TEST(u32_i64, int64_t, 17, 1, UNSIGNED)
DENSE_TEST(i64_f64, double, 40, 4, SIGNED)
DENSE_TEST(i64_i8, int8_t, 1, 3, SIGNED)
DENSE_TEST(date_i64, int64_t, 365, 1, DAY)

/* Values that point to memory. */
SPARK_MERGE(concat, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
}
SPARK_MERGE(add_stock, stock, stock)
{
    acc->n += in->n;
    if (in->weight > acc->weight) {
        acc->weight = in->weight;
        acc->name = in->name;
    }
}

static void test_reduce_by_key_dense__merges_strings_and_structs(void **state)
{
    enum { KEYS = 50 };
    static i32_str texts[ROWS], want_texts[KEYS];
    static i64_stock stocks[ROWS], want_stocks[KEYS];
    static oracle_text all[KEYS];
    static char pool[ROWS][40];
    size_t n = 0;
    uint64_t seed = 2;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const size_t k = i % 7 == 0 ? 13 : (size_t)oracle_below(&seed, KEYS);
        const int length
            = snprintf(pool[i], sizeof pool[i], i % 4 ? "<%zu>" : "<the long text of row %zu>", i);
        const spark_str text = { pool[i], (size_t)length };
        texts[i] = (i32_str) { (int32_t)k, text };
        stocks[i] = (i64_stock) { (int64_t)k, { 1, text, (double)oracle_below(&seed, 1 << 20) } };
        stock *s = &want_stocks[k].value;
        if (all[k].length == 0)
            want_stocks[k] = (i64_stock) { (int64_t)k, { 0, text, -1 } };
        oracle_append(&all[k], text.ptr, text.len);
        s->n++;
        if (stocks[i].value.weight > s->weight) {
            s->weight = stocks[i].value.weight;
            s->name = text;
        }
    }
    for (size_t k = 0; k < KEYS; k++) {
        if (all[k].length == 0)
            continue;
        want_texts[n] = (i32_str) { (int32_t)k, { all[k].bytes, all[k].length } };
        want_stocks[n++] = want_stocks[k];
    }
    dense d = { SPARK_TYPE(i32_str), texts, concat, KEYS, 3, false };
    oracle_compare(reduce_dense, &d, true, SPARK_TYPE(i32_str), n, want_texts);
    d.placed = true;
    oracle_compare(reduce_dense, &d, true, SPARK_TYPE(i32_str), n, want_texts);
    d = (dense) { SPARK_TYPE(i64_stock), stocks, add_stock, KEYS, 5, false };
    oracle_compare(reduce_dense, &d, true, SPARK_TYPE(i64_stock), n, want_stocks);
    for (size_t k = 0; k < KEYS; k++)
        free(all[k].bytes);
}

/* Many keys, more than a window holds, so that they are not combined before the shuffle; strings
 * of more than 4 MiB; and one hot key. */
enum { MANY = 400000, MANY_KEYS = 150000 };
SPARK_MAP(to_many, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 4 == 3 ? 77 : *in * 7919 % MANY_KEYS, *in };
}
SPARK_MAP(to_texts, i64_i64, i32_str)
{
    *out = (i32_str) { (int32_t)in->key,
        spark_str_format(task, "a text that is long, of row %09d", (int)in->value) };
}
SPARK_MERGE(greatest, spark_str, spark_str)
{
    if (spark_str_compare(*in, *acc) > 0)
        *acc = *in;
}

static void test_reduce_by_key_dense__of_many_keys_and_a_hot_one(void **state)
{
    int64_t *sums = calloc(MANY_KEYS, sizeof *sums), *most = calloc(MANY_KEYS, sizeof *most);
    int64_t keys = 0;
    (void)state;
    assert_true(sums != NULL && most != NULL);
    for (int64_t k = 0; k < MANY_KEYS; k++)
        most[k] = -1;
    for (int64_t i = 0; i < MANY; i++) {
        const int64_t k = i % 4 == 3 ? 77 : i * 7919 % MANY_KEYS;
        keys += most[k] < 0;
        sums[k] += i;
        most[k] = i;
    }
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open_failing(threads, threads == 2);
        const spark_partitioner *p = spark_dense_partitioner(sc, MANY_KEYS, 3);
        spark_rdd *rdd = spark_map(spark_range(sc, 0, MANY, 1, 2), to_many, NULL);
        spark_array array;
        oracle_ok(spark_collect(
            spark_reduce_by_key_dense(rdd, spark_op_sum, NULL, p), SPARK_TYPE(i64_i64), &array));
        const i64_i64 *item = SPARK_ITEMS(i64_i64, &array);
        assert_int_equal(array.n, keys);
        for (size_t i = 0; i < array.n; i++) {
            assert_true(i == 0 || item[i - 1].key < item[i].key);
            assert_int_equal(item[i].value, sums[item[i].key]);
        }
        spark_array_free(&array);
        oracle_ok(spark_collect(
            spark_reduce_by_key_dense(spark_map(rdd, to_texts, NULL), greatest, NULL, p),
            SPARK_TYPE(i32_str), &array));
        const i32_str *text = SPARK_ITEMS(i32_str, &array);
        assert_int_equal(array.n, keys);
        for (size_t i = 0; i < array.n; i++) {
            int64_t row = -1;
            assert_true(i == 0 || text[i - 1].key < text[i].key);
            assert_true(spark_str_to_i64(
                (spark_str) { text[i].value.ptr + text[i].value.len - 9, 9 }, &row));
            assert_int_equal(row, most[text[i].key]);
        }
        spark_array_free(&array);
        oracle_close(sc);
    }
    free(sums);
    free(most);
}

static void test_reduce_by_key_dense__sums_doubles_the_same_for_any_threads(void **state)
{
    static i64_f64 data[ROWS];
    uint64_t seed = 4;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i64_f64) { (int64_t)oracle_below(&seed, 3),
            (double)(int64_t)oracle_random(&seed) / 3e7 };
    const dense d = { SPARK_TYPE(i64_f64), data, spark_op_sum, 3, 2, false };
    oracle_same_layout(reduce_dense, &d);
}

static void test_reduce_by_key_dense__combines_on_the_map_side(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = hundred_keys(sc, for_hundred_wide);
    const spark_partitioner *p = spark_dense_partitioner(sc, 100, 3);
    assert_int_equal(oracle_count(spark_reduce_by_key_dense(rdd, spark_op_sum, NULL, p)), 100);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 400);
    oracle_close(sc);
}

/* the partitioner */
static void test_dense_partitioner__cuts_ranges_of_equal_width(void **state)
{
    enum { N = 1000 };
    static i64_i64 data[N];
    static const int counts[] = { 1, 2, 3, 7, 10, 64, 300, 999, 1000, 1500 };
    (void)state;
    for (int i = 0; i < N; i++)
        data[i] = (i64_i64) { i * 7 % N, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_i64, N, data), 3);
    for (size_t c = 0; c < LENGTH(counts); c++) {
        const spark_partitioner *p = spark_dense_partitioner(sc, N, counts[c]);
        spark_array parts;
        size_t least = N, most = 0, rows = 0;
        int64_t below = -1;
        assert_int_equal(spark_partitioner_partitions(p), counts[c]);
        oracle_ok(spark_collect(spark_glom(spark_keys(spark_partition_by(rdd, p))), NULL, &parts));
        assert_int_equal(parts.n, counts[c]);
        for (size_t i = 0; i < parts.n; i++) {
            const spark_bytes *list = (const spark_bytes *)parts.items + i;
            const int64_t *key = list->ptr;
            int64_t top = below;
            for (size_t j = 0; j < list->len; j++) {
                assert_true(key[j] > below);
                top = key[j] > top ? key[j] : top;
            }
            below = top;
            least = list->len < least ? list->len : least;
            most = list->len > most ? list->len : most;
            rows += list->len;
        }
        assert_int_equal(rows, N);
        assert_true(most - least <= 2);
        spark_array_free(&parts);
    }
    oracle_close(sc);
}

static void test_dense_partitioner__is_equal_to_one_of_as_many_keys(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    const spark_partitioner *p = spark_dense_partitioner(sc, 100, 3);
    assert_true(spark_partitioner_equal(p, spark_dense_partitioner(sc, 100, 3)));
    assert_false(spark_partitioner_equal(p, spark_dense_partitioner(sc, 101, 3)));
    assert_false(spark_partitioner_equal(p, spark_dense_partitioner(sc, 100, 4)));
    assert_false(spark_partitioner_equal(p, spark_hash_partitioner(sc, 3)));
    assert_int_equal(
        spark_partitioner_partitions(spark_dense_partitioner(sc, (uint64_t)1 << 40, 3)), 3);
    oracle_close(sc);
}

static void test_dense_partitioner__that_fits_saves_the_shuffle(void **state)
{
    static i64_i64 data[ROWS];
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i64_i64) { (int64_t)i % 40, (int64_t)i };
    spark_context *sc = oracle_open(2);
    const spark_partitioner *p = spark_dense_partitioner(sc, 50, 4);
    const spark_partitioner *same = spark_dense_partitioner(sc, 50, 4);
    spark_rdd *plain = spark_parallelize(sc, SPARK_DATA(i64_i64, ROWS, data), 3);
    spark_rdd *rdd = spark_partition_by(plain, p);
    assert_int_equal(oracle_count(rdd), ROWS);
    spark_rdd *sums = spark_reduce_by_key_dense(rdd, spark_op_sum, NULL, same);
    assert_int_equal(oracle_count(sums), 40);
    assert_int_equal(oracle_last_job(sc).stages, 2);
    assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(sums), p));
    assert_int_equal(spark_rdd_partitions(sums), 4);
    /* What is reduced so is placed for joins and cogroups with what is placed so. */
    spark_rdd *both[] = { sums, rdd };
    oracle_count(spark_join(sums, rdd, 0));
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    assert_int_equal(oracle_count(spark_cogroup(2, both, 0)), 40);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    /* All wide operations take it. */
    const spark_keyed_options by = { 0, p };
    spark_array want, have;
    oracle_ok(spark_collect(
        spark_reduce_by_key_dense(plain, spark_op_sum, NULL, p), SPARK_TYPE(i64_i64), &want));
    oracle_ok(spark_collect(
        spark_sort_by_key(spark_reduce_by_key_with(plain, spark_op_sum, NULL, &by), NULL, 1),
        SPARK_TYPE(i64_i64), &have));
    assert_int_equal(want.n, 40);
    assert_int_equal(have.n, 40);
    assert_memory_equal(want.items, have.items, 40 * sizeof(i64_i64));
    spark_array_free(&want);
    spark_array_free(&have);
    assert_int_equal(oracle_count(spark_group_by_key_with(plain, &by)), 40);
    assert_int_equal(oracle_count(spark_join_with(plain, sums, SPARK_INNER, &by)), ROWS);
    assert_int_equal(oracle_count(spark_subtract_by_key_with(plain, sums, &by)), 0);
    assert_int_equal(oracle_count(spark_distinct(rdd, 0)), ROWS);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    oracle_close(sc);
}

static void test_dense_partitioner__fails_the_task_for_other_keys(void **state)
{
    static const int64_t bad[] = { -1, 10, INT64_MAX, INT64_MIN };
    int64_t n;
    (void)state;
    for (size_t i = 0; i < LENGTH(bad); i++) {
        i64_i64 data[] = { { 3, 1 }, { bad[i], 2 }, { 0, 3 } };
        char text[64];
        snprintf(text, sizeof text, "key %lld is not one of 0 to 9", (long long)bad[i]);
        spark_context *sc = oracle_open(2);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_i64, 3, data), 2);
        const spark_partitioner *p = spark_dense_partitioner(sc, 10, 3);
        const spark_keyed_options by = { 0, p };
        oracle_fails(spark_count(spark_reduce_by_key_dense(rdd, spark_op_sum, NULL, p), &n),
            SPARK_ETASK, text);
        assert_non_null(strstr(spark_last_error()->message, "reduceByKeyDense(sum) at "));
        assert_non_null(strstr(spark_last_error()->message, "test_dense.c:"));
        oracle_fails(spark_count(spark_partition_by(rdd, p), &n), SPARK_ETASK, text);
        assert_non_null(strstr(spark_last_error()->message, "partitionBy at "));
        oracle_fails(spark_count(spark_group_by_key_with(rdd, &by), &n), SPARK_ETASK, text);
        /* The context is usable afterwards. */
        assert_int_equal(oracle_count(rdd), 3);
        oracle_close(sc);
    }
    /* Of unsigned and of four bytes. */
    spark_context *sc = oracle_open(1);
    const spark_partitioner *p = spark_dense_partitioner(sc, 10, 3);
    u64_i64 large[] = { { UINT64_MAX, 1 } };
    u32_i64 small[] = { { UINT32_MAX, 1 } };
    i32_i64 below[] = { { -1, 1 } };
    spark_rdd *rdds[] = { spark_parallelize(sc, SPARK_DATA(u64_i64, 1, large), 1),
        spark_parallelize(sc, SPARK_DATA(u32_i64, 1, small), 1),
        spark_parallelize(sc, SPARK_DATA(i32_i64, 1, below), 1) };
    for (size_t i = 0; i < LENGTH(rdds); i++)
        oracle_fails(spark_count(spark_reduce_by_key_dense(rdds[i], spark_op_sum, NULL, p), &n),
            SPARK_ETASK, "is not one of 0 to 9");
    p = spark_dense_partitioner(sc, (uint64_t)UINT32_MAX + 1, 3);
    oracle_holds(spark_partition_by(rdds[1], p), "(4294967295,1)");
    oracle_close(sc);
}

static void test_reduce_by_key_dense__takes_empty_rdds(void **state)
{
    i64_i64 one[] = { { 1, 5 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_partitioner *p = spark_dense_partitioner(sc, 100000, 3);
    spark_rdd *inputs[] = {
        spark_empty_rdd(sc, SPARK_TYPE(i64_i64)),
        spark_parallelize(sc, SPARK_DATA(i64_i64, 0, NULL), 3),
        spark_parallelize(sc, SPARK_DATA(i64_i64, 1, one), 3),
    };
    for (size_t i = 0; i < LENGTH(inputs); i++) {
        spark_rdd *rdd = spark_reduce_by_key_dense(inputs[i], spark_op_sum, NULL, p);
        oracle_has_layout(rdd, i == 2 ? "(1,5) | |" : " | |");
        assert_int_equal(spark_rdd_partitions(rdd), 3);
    }
    oracle_close(sc);
}

static void test_reduce_by_key_dense__survives_lost_outputs(void **state)
{
    static i64_i64 data[ROWS];
    const spark_fault plan[] = {
        { SPARK_FAULT_TASK, 0, 0, SPARK_ANY, .attempt = 0 },
        { SPARK_FAULT_SHUFFLE, 0, 1, 1, .attempt = 0, .output = 2 },
    };
    char *want = NULL;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i64_i64) { (int64_t)i % 19, (int64_t)i };
    const dense d = { SPARK_TYPE(i64_i64), data, spark_op_sum, 20, 3, false };
    for (int faulty = 0; faulty < 2; faulty++) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = 2, .faults = plan, .n_faults = faulty ? LENGTH(plan) : 0 });
        oracle_same(&want, oracle_layout(reduce_dense(sc, 4, &d)));
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, faulty);
        oracle_close(sc);
    }
    free(want);
}

static void test_dense__reports_what_does_not_fit(void **state)
{
    i64_i64 data[] = { { 1, 5 } };
    f64_i64 reals[] = { { 1, 5 } };
    str_i64 words[] = { { SPARK_STR("a"), 1 } };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_context *elsewhere = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_i64, 1, data), 2);
    const spark_partitioner *p = spark_dense_partitioner(sc, 10, 2);
#define REDUCES(...) spark_count(spark_reduce_by_key_dense(__VA_ARGS__), &n)
    oracle_fails(REDUCES(rdd, spark_op_sum, NULL, NULL), SPARK_EINVAL, "not a dense one");
    assert_non_null(strstr(spark_last_error()->message, "reduceByKeyDense(sum) at "));
    assert_non_null(strstr(spark_last_error()->message, "test_dense.c:"));
    oracle_fails(REDUCES(rdd, spark_op_sum, NULL, spark_hash_partitioner(sc, 2)), SPARK_EINVAL,
        "not a dense one");
    oracle_fails(REDUCES(rdd, NULL, NULL, p), SPARK_EINVAL, "the function is NULL");
    oracle_fails(REDUCES(NULL, spark_op_sum, NULL, p), SPARK_EINVAL, "NULL");
    oracle_fails(REDUCES(rdd, concat, NULL, p), SPARK_ETYPE, "reduceByKeyDense(concat) at ");
    oracle_fails(REDUCES(spark_keys(rdd), spark_op_sum, NULL, p), SPARK_ETYPE, "pairs wanted");
    oracle_fails(REDUCES(rdd, spark_op_sum, NULL, spark_dense_partitioner(elsewhere, 10, 2)),
        SPARK_EINVAL, "another context");
    oracle_fails(
        REDUCES(spark_parallelize(sc, SPARK_DATA(f64_i64, 1, reals), 1), spark_op_sum, NULL, p),
        SPARK_ETYPE, "integer keys wanted, f64 found");
    oracle_fails(
        REDUCES(spark_parallelize(sc, SPARK_DATA(str_i64, 1, words), 1), spark_op_sum, NULL, p),
        SPARK_ETYPE, "integer keys wanted, str found");
    /* The partitioner itself. */
    assert_not_made(spark_dense_partitioner(sc, 0, 2));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "partitioner at "));
    assert_non_null(strstr(spark_last_error()->message, "test_dense.c:"));
    assert_non_null(strstr(spark_last_error()->message, "0 keys"));
    assert_not_made(spark_dense_partitioner(sc, ((uint64_t)1 << 40) + 1, 2));
    assert_non_null(strstr(spark_last_error()->message, "1099511627777 keys"));
    assert_not_made(spark_dense_partitioner(sc, 10, 0));
    assert_non_null(strstr(spark_last_error()->message, "0 partitions"));
    assert_not_made(spark_dense_partitioner(sc, 10, -1));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_not_made(spark_dense_partitioner(NULL, 10, 1));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    oracle_close(elsewhere);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_reduce_by_key_dense__merges_i64_i64),
        oracle_test(test_reduce_by_key_dense__merges_u64_i64),
        oracle_test(test_reduce_by_key_dense__merges_i32_i64),
        oracle_test(test_reduce_by_key_dense__merges_u32_i64),
        oracle_test(test_reduce_by_key_dense__merges_i64_f64),
        oracle_test(test_reduce_by_key_dense__merges_i64_i8),
        oracle_test(test_reduce_by_key_dense__merges_date_i64),
        oracle_test(test_reduce_by_key_dense__merges_strings_and_structs),
        oracle_test(test_reduce_by_key_dense__of_many_keys_and_a_hot_one),
        oracle_test(test_reduce_by_key_dense__sums_doubles_the_same_for_any_threads),
        oracle_test(test_reduce_by_key_dense__combines_on_the_map_side),
        oracle_test(test_reduce_by_key_dense__takes_empty_rdds),
        oracle_test(test_reduce_by_key_dense__survives_lost_outputs),
        oracle_test(test_dense_partitioner__cuts_ranges_of_equal_width),
        oracle_test(test_dense_partitioner__is_equal_to_one_of_as_many_keys),
        oracle_test(test_dense_partitioner__that_fits_saves_the_shuffle),
        oracle_test(test_dense_partitioner__fails_the_task_for_other_keys),
        oracle_test(test_dense__reports_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
