/* SPDX-License-Identifier: Apache-2.0 */
/* Dense keys of partitions with more rows than a raw window of 4 MiB holds, which combine in an array of all
 * keys: types of several widths, against loops over the same rows; and sides of a join that are
 * read from cached blocks. */
#include "keys.h"

#include <math.h>

SPARK_PAIR(i64_f64, int64_t, double);
SPARK_PAIR(u32_f32, uint32_t, float);
SPARK_STRUCT(span, (int16_t, low), (int64_t, sum), (bool, odd));
SPARK_PAIR(i32_span, int32_t, span);
SPARK_LIST(numbers, int32_t);
SPARK_PAIR(i64_numbers, int64_t, numbers);

enum { ROWS = 1100000, KEYS = 70001, PARTS = 2 };

/* One key in five never comes; one has half of the rows. */
static int64_t key_of(int64_t i)
{
    const int64_t k = i % 2 ? 12345 : i * 7919 % KEYS;
    return k % 5 == 4 && k != KEYS - 1 ? k - 1 : k;
}

/* Values whose sums depend on the order; negative zeros only, zeros of both signs, values that
 * cancel, and a NaN. */
static double value_of(int64_t i, int64_t key)
{
    return key == 20 ? -0.0
        : key == 21  ? (i % 3 ? -0.0 : 0.0)
        : key == 22  ? (i % 4 ? 1.5 : -1.5)
        : key == 25  ? (double)NAN
                     : (double)(i % 1000) * 0.1 + 1e9 / (double)(i + 1);
}

SPARK_MAP(to_f64, int64_t, i64_f64)
{
    const int64_t k = key_of(*in);
    *out = (i64_f64) { k, value_of(*in, k) };
}

SPARK_MAP(to_f32, int64_t, u32_f32)
{
    *out = (u32_f32) { (uint32_t)key_of(*in), (float)(*in % 1000) * 0.1f };
}

SPARK_MAP(to_i64, int64_t, i64_i64)
{
    *out = (i64_i64) { key_of(*in), *in % 3 - 1 };
}

SPARK_MAP(to_span, int64_t, i32_span)
{
    *out = (i32_span) { (int32_t)key_of(*in), { (int16_t)(*in % 30011), *in, *in & 1 } };
}

SPARK_MERGE(add_span, span, span)
{
    acc->low = acc->low < in->low ? acc->low : in->low;
    acc->sum = (int64_t)((uint64_t)acc->sum * 3 + (uint64_t)in->sum); /* the order shows */
    acc->odd = acc->odd || in->odd;
}

/* fold: what the rows of one partition come to, and then the partitions in their order. */
#define EXPECTED(P, V, make, merge)                                                                \
    static size_t expected_##P(P *want)                                                            \
    {                                                                                              \
        static V all[PARTS][KEYS];                                                                 \
        static bool there[PARTS][KEYS];                                                            \
        size_t n = 0;                                                                              \
        memset(there, 0, sizeof there);                                                            \
        for (int p = 0; p < PARTS; p++)                                                            \
            for (int64_t i = (int64_t)ROWS * p / PARTS; i < (int64_t)ROWS * (p + 1) / PARTS; i++) { \
                P row;                                                                             \
                memset(&row, 0, sizeof row);                                                       \
                make##_(NULL, &i, &row, NULL);                                                     \
                V *acc = &all[p][row.key];                                                         \
                if (there[p][row.key])                                                             \
                    merge(acc, &row.value);                                                        \
                else                                                                               \
                    *acc = row.value;                                                              \
                there[p][row.key] = true;                                                          \
            }                                                                                      \
        for (int k = 0; k < KEYS; k++) {                                                           \
            if (there[0][k] && there[1][k])                                                        \
                merge(&all[0][k], &all[1][k]);                                                     \
            if (there[0][k] || there[1][k]) {                                                      \
                want[n].key = (__typeof__(want->key))k;                                            \
                want[n++].value = there[0][k] ? all[0][k] : all[1][k];                             \
            }                                                                                      \
        }                                                                                          \
        return n;                                                                                  \
    }
#define ADD(acc, in) (*(acc) += *(in))
#define ADD_SPAN(acc, in) add_span_(NULL, acc, in, NULL)
EXPECTED(i64_f64, double, to_f64, ADD)
EXPECTED(u32_f32, float, to_f32, ADD)
EXPECTED(i64_i64, int64_t, to_i64, ADD)
EXPECTED(i32_span, span, to_span, ADD_SPAN)

static bool same_f64(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}
static bool same_f32(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}
static bool same_i64(int64_t a, int64_t b)
{
    return a == b;
}
static bool same_span(span a, span b)
{
    return a.low == b.low && a.sum == b.sum && a.odd == b.odd;
}

static const spark_conf shapes[] = { { .threads = 1, .batch_rows = 1024 },
    { .threads = 2, .batch_rows = 7 }, { .threads = 2, .faults = oracle_random_faults, .n_faults = 1 },
    { .threads = 2, .check = true }, { .threads = 1, .memory_bytes = 48 << 20 } };

#define WINDOW_TEST(P, make, merge, same)                                                          \
    static void test_dense_window__merges_##P(void **state)                                        \
    {                                                                                              \
        static P want[KEYS];                                                                       \
        const size_t n = expected_##P(want);                                                       \
        (void)state;                                                                               \
        assert_in_range(n, KEYS / 2, KEYS - 1);                                                    \
        for (size_t s = 0; s < LENGTH(shapes); s++) {                                              \
            spark_context *sc = oracle_open_conf(&shapes[s]);                                      \
            const spark_partitioner *p = spark_dense_partitioner(sc, KEYS, 3);                     \
            spark_rdd *rows = spark_map(spark_range(sc, 0, ROWS, 1, PARTS), make, NULL);           \
            spark_array array;                                                                     \
            oracle_ok(spark_collect(                                                               \
                spark_reduce_by_key_dense(rows, merge, NULL, p), SPARK_TYPE(P), &array));          \
            assert_int_equal(array.n, n);                                                          \
            for (size_t i = 0; i < n; i++) {                                                       \
                assert_int_equal(SPARK_ITEMS(P, &array)[i].key, want[i].key);                      \
                assert_true(same(SPARK_ITEMS(P, &array)[i].value, want[i].value));                 \
            }                                                                                      \
            spark_array_free(&array);                                                              \
            /* No more is written than there are keys. */                                          \
            assert_int_equal(oracle_last_job(sc).shuffle_rows <= PARTS * (int64_t)KEYS, 1);        \
            oracle_close(sc);                                                                      \
        }                                                                                          \
    }
WINDOW_TEST(i64_f64, to_f64, spark_op_sum, same_f64)
WINDOW_TEST(u32_f32, to_f32, spark_op_sum, same_f32)
WINDOW_TEST(i64_i64, to_i64, spark_op_sum, same_i64)
WINDOW_TEST(i32_span, to_span, add_span, same_span)

SPARK_FILTER(late_stray, i64_f64)
{
    (void)in;
    return true;
}

SPARK_MAP(astray, i64_f64, i64_f64, int64_t)
{
    *out = *in;
    if (in->key == 12345 && (in->value > 1e9 / 900000.0 + 99.89 || *env < 0))
        out->key = *env;
}

/* A key that is not one of them comes when all others stand in the array already. */
static void test_dense_window__names_a_stray_key(void **state)
{
    const int64_t keys[] = { KEYS, -1 };
    (void)state;
    for (size_t i = 0; i < LENGTH(keys); i++) {
        char words[60];
        spark_context *sc = oracle_open(2);
        const spark_partitioner *p = spark_dense_partitioner(sc, KEYS, 3);
        spark_rdd *rows = spark_map(spark_range(sc, 0, ROWS, 1, PARTS), to_f64, NULL);
        spark_rdd *all = spark_filter(rows, late_stray, NULL);
        spark_rdd *wrong = spark_map(all, astray, SPARK_COPY(keys[i]));
        spark_array array;
        snprintf(words, sizeof words, "key %lld is not one of 0 to %d", (long long)keys[i], KEYS - 1);
        oracle_fails(spark_collect(spark_reduce_by_key_dense(wrong, spark_op_sum, NULL, p),
                         SPARK_TYPE(i64_f64), &array),
            SPARK_ETASK, words);
        oracle_close(sc);
    }
}

/* ---- sides read from blocks */

SPARK_MAP(to_numbers, int64_t, i64_numbers)
{
    const size_t n = (size_t)(*in % 7);
    int32_t *at = spark_alloc(task, n * sizeof *at + 1);
    for (size_t i = 0; at && i < n; i++)
        at[i] = (int32_t)(*in + (int64_t)i);
    *out = (i64_numbers) { *in % 900, { at, at ? n : 0 } };
}

SPARK_MAP(to_weight, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 1000, *in };
}

SPARK_JOIN(weigh, int64_t, numbers, int64_t, i64_i64)
{
    int64_t sum = left ? (int64_t)left->n << 40 : 0;
    for (size_t i = 0; left && i < left->n; i++)
        sum += left->at[i];
    spark_emit(out, (i64_i64) { *key, sum * 31 + (right ? *right : 0) });
}

/* joined: the text of the join, with the left side cached or not; its blocks are read once before. */
static char *joined(const spark_conf *conf, bool cached, bool full, bool dense)
{
    spark_context *sc = oracle_open_conf(conf);
    spark_partitioner *p
        = dense ? spark_dense_partitioner(sc, 1000, 3) : spark_hash_partitioner(sc, 3);
    spark_rdd *left = spark_partition_by(
        spark_map(spark_range(sc, 0, 5000, 1, 4), to_numbers, NULL), p);
    spark_rdd *right
        = spark_partition_by(spark_map(spark_range(sc, 0, 9000, 1, 2), to_weight, NULL), p);
    if (cached) {
        spark_cache(left);
        spark_cache(right);
        assert_int_equal(oracle_count(left), 5000);
    }
    const spark_keyed_options placed = { .partitioner = p };
    char *text = oracle_layout(spark_join_map_with(
        left, right, full ? SPARK_FULL_OUTER : SPARK_INNER, weigh, NULL, &placed));
    if (text == NULL)
        fail_msg("%s", spark_last_error()->message);
    oracle_close(sc);
    return text;
}

static void test_join__of_cached_sides_is_that_of_others(void **state)
{
    static const spark_fault lost[]
        = { { SPARK_FAULT_BLOCK, SPARK_ANY, SPARK_ANY, SPARK_ANY, 0, SPARK_ANY, 0, 0 } };
    static const spark_conf confs[] = { { .threads = 1 }, { .threads = 2, .batch_rows = 7 },
        { .threads = 2, .faults = lost, .n_faults = 1 },
        { .threads = 2, .faults = oracle_random_faults, .n_faults = 1 }, { .check = true },
        { .threads = 1, .memory_bytes = 24 << 20 } };
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        char *want = joined(&confs[0], false, kind & 1, kind & 2);
        for (size_t i = 0; i < LENGTH(confs); i++) {
            char *have = joined(&confs[i], true, kind & 1, kind & 2);
            assert_string_equal(have, want);
            free(have);
        }
        free(want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_dense_window__merges_i64_f64),
        oracle_test(test_dense_window__merges_u32_f32),
        oracle_test(test_dense_window__merges_i64_i64),
        oracle_test(test_dense_window__merges_i32_span),
        oracle_test(test_dense_window__names_a_stray_key),
        oracle_test(test_join__of_cached_sides_is_that_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
