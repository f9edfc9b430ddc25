/* SPDX-License-Identifier: Apache-2.0 */
/* Dense keys of partitions with more rows than a raw window of 4 MiB holds, which combine in an array of all
 * keys: types of several widths, against loops over the same rows; and sides of a join that are
 * read from cached blocks. */
#include "keys.h"

#include <math.h>

SPARK_PAIR(i64_f64, int64_t, double);
SPARK_PAIR(u32_f32, uint32_t, float);
SPARK_PAIR(i64_f32, int64_t, float);
SPARK_PAIR(i64_i8, int64_t, int8_t);
SPARK_PAIR(u64_u16, uint64_t, uint16_t);
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

/* Values narrower than their place in the row. */
SPARK_MAP(to_narrow_f32, int64_t, i64_f32)
{
    *out = (i64_f32) { key_of(*in), (float)(*in % 1000) * 0.1f };
}
SPARK_MAP(to_i8, int64_t, i64_i8)
{
    *out = (i64_i8) { key_of(*in), (int8_t)(*in % 7) };
}
SPARK_MAP(to_u16, int64_t, u64_u16)
{
    *out = (u64_u16) { (uint64_t)key_of(*in), (uint16_t)(*in % 60013) };
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
#define ADD_I8(acc, in) (*(acc) = (int8_t)(*(acc) + *(in)))
#define MOST_U16(acc, in) (*(acc) = *(acc) > *(in) ? *(acc) : *(in))
EXPECTED(i64_f32, float, to_narrow_f32, ADD)
EXPECTED(i64_i8, int8_t, to_i8, ADD_I8)
EXPECTED(u64_u16, uint16_t, to_u16, MOST_U16)
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
WINDOW_TEST(i64_f32, to_narrow_f32, spark_op_sum, same_f32)
WINDOW_TEST(i64_i8, to_i8, spark_op_sum, same_i64)
WINDOW_TEST(u64_u16, to_u16, spark_op_max, same_i64)

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

/* 1 M keys in 32 MiB: the window is sealed piece by piece, and the pieces go to disk. */
enum { WIDE = 4000000, WIDE_KEYS = 1 << 20 };
SPARK_MAP(to_wide, int64_t, i64_i64)
{
    *out = (i64_i64) { *in * 7919 % WIDE_KEYS, *in };
}

static void test_dense_window__fits_a_small_budget(void **state)
{
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = (size_t)32 << 20 });
    const spark_partitioner *p = spark_dense_partitioner(sc, WIDE_KEYS, 4);
    spark_rdd *rows = spark_cache(spark_map(spark_range(sc, 0, WIDE, 1, 4), to_wide, NULL));
    assert_int_equal(oracle_count(rows), WIDE);
    int64_t *want = calloc(WIDE_KEYS, sizeof *want), n = 0;
    assert_non_null(want);
    for (int64_t i = 0; i < WIDE; i++)
        want[i * 7919 % WIDE_KEYS] += i;
    for (int t = 0; t < 4; t++) { /* a quarter at a time: results count as well */
        spark_array part;
        oracle_ok(spark_collect_partitions(spark_reduce_by_key_dense(rows, spark_op_sum, NULL, p), 1,
            (const int[]) { t }, SPARK_TYPE(i64_i64), &part));
        for (size_t i = 0; i < part.n; i++, n++) {
            const i64_i64 *row = &SPARK_ITEMS(i64_i64, &part)[i];
            assert_int_equal(row->key, n);
            assert_int_equal(row->value, want[n]);
        }
        spark_array_free(&part);
    }
    assert_int_equal(n, WIDE_KEYS);
    free(want);
    oracle_close(sc);
}

/* ---- sides read from blocks */

/* Verbs by key of pairs that are placed and cached, whose rows in and out differ in size, more in a
 * partition than are written at once: the same from blocks as without. */
SPARK_STRUCT(wide, (int64_t, sum), (int64_t, n), (double, most));
SPARK_PAIR(i64_wide, int64_t, wide);
SPARK_MAP(to_own_key, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 3001, *in };
}
SPARK_MAP(widen, int64_t, wide)
{
    *out = (wide) { *in, 1, (double)*in };
}
SPARK_MERGE(add_number, wide, int64_t)
{
    *acc = (wide) { acc->sum + *in, acc->n + 1, acc->most > (double)*in ? acc->most : (double)*in };
}
SPARK_MERGE(add_wide, wide, wide)
{
    *acc = (wide) { acc->sum + in->sum, acc->n + in->n, acc->most > in->most ? acc->most : in->most };
}
SPARK_MERGE(narrow, int64_t, wide)
{
    *acc = *acc * 3 % 1000003 + in->sum;
}
SPARK_MERGE(add_narrow, int64_t, int64_t)
{
    *acc = *acc * 5 % 1000003 + *in;
}

static spark_rdd *by_key(spark_rdd *pairs, spark_rdd *wides, int verb, spark_partitioner *p)
{
    const spark_keyed_options placed = { .partitioner = p };
    switch (verb) {
    case 0:
        return spark_aggregate_by_key_with(
            pairs, SPARK_ZERO(wide), add_number, add_wide, NULL, &placed);
    case 1:
        return spark_aggregate_by_key_with(
            wides, SPARK_ZERO(int64_t), narrow, add_narrow, NULL, &placed);
    case 2:
        return spark_combine_by_key_with(pairs, widen, add_number, add_wide, NULL, &placed);
    case 3:
        return spark_fold_by_key_with(
            pairs, SPARK_ZERO(int64_t), add_narrow, NULL, &placed);
    case 4:
        return spark_subtract_by_key(pairs, wides, 0);
    case 5:
        return spark_distinct(pairs, 0);
    case 6:
        return spark_reduce_by_key_with(wides, add_wide, NULL, &placed);
    case 7:
        return spark_group_by_key_with(wides, &placed);
    default:
        return spark_subtract_by_key(wides, pairs, 0);
    }
}

static void test_by_key__of_placed_and_cached_pairs(void **state)
{
    (void)state;
    for (int verb = 0; verb <= 8; verb++) {
        char *want = NULL;
        for (int way = 0; way < 6; way++) {
            spark_context *sc = oracle_open_conf(&(spark_conf) {
                .threads = 1 + way % 2, .batch_rows = way == 5 ? 7 : 0, .check = way == 4 });
            spark_partitioner *p = spark_hash_partitioner(sc, 2);
            spark_rdd *pairs = spark_partition_by(
                spark_map(spark_range(sc, 0, 9000, 1, 3), to_own_key, NULL), p);
            spark_rdd *wides = spark_map_values(spark_partition_by(
                spark_map(spark_range(sc, 1500, 7500, 1, 3), to_own_key, NULL), p), widen, NULL);
            if (way > 0) { /* the second action reads blocks */
                spark_cache(pairs);
                spark_cache(wides);
                assert_int_equal(oracle_count(pairs) + oracle_count(wides), 15000);
            }
            char *have = oracle_layout(by_key(pairs, wides, verb, p));
            if (have == NULL)
                fail_msg("%s", spark_last_error()->message);
            if (want == NULL)
                want = have;
            else {
                assert_string_equal(have, want);
                free(have);
            }
            oracle_close(sc);
        }
        free(want);
    }
}

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
        = { { SPARK_FAULT_BLOCK, SPARK_ANY, SPARK_ANY, SPARK_ANY, .attempt = 0 } };
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
        oracle_test(test_dense_window__merges_i64_f32),
        oracle_test(test_dense_window__merges_i64_i8),
        oracle_test(test_dense_window__merges_u64_u16),
        oracle_test(test_dense_window__fits_a_small_budget),
        oracle_test(test_by_key__of_placed_and_cached_pairs),
        oracle_test(test_dense_window__names_a_stray_key),
        oracle_test(test_join__of_cached_sides_is_that_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
