/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of C under their own names, and inputs that the compiler counts: each name goes through
 * functions, keys, orders and results, and is what the built-in type of its size is. */
#include "oracle.h"

#include <limits.h>
#include <sys/types.h>

typedef uint32_t user_id;
SPARK_NUMBER(user_id);
typedef enum colour { RED, GREEN, BLUE } colour;
SPARK_NUMBER(colour);
typedef unsigned char tiny;
SPARK_NUMBER(tiny);

/* way(name, T): x -> (x mod 5, x) -> sums by key -> sums, ascending. */
#define WAY(name, T)                                                                               \
    SPARK_PAIR(name##_pair, T, T);                                                                 \
    SPARK_LIST(name##_list, T);                                                                    \
    SPARK_OPTIONAL(name##_opt, T);                                                                 \
    SPARK_STRUCT(name##_row, (T, one), (T, more, 3), (name##_opt, maybe), (bool, last));           \
    SPARK_MAP(name##_split, int64_t, name##_pair, T)                                               \
    {                                                                                              \
        *out = (name##_pair) { (T)(*in % 5), (T)(*in % 5 + (int64_t)*env) };                       \
    }                                                                                              \
    SPARK_KEY(name##_key, name##_pair, T, key);                                                    \
    SPARK_ORDER(name##_down, name##_row, (desc, one), (asc, more[1]));                             \
    SPARK_FLAT_MAP(name##_twice, T, T)                                                             \
    {                                                                                              \
        if (spark_emit(out, *in))                                                                  \
            spark_emit(out, *in);                                                                  \
    }                                                                                              \
    SPARK_PARTITIONS(name##_pass, T, T)                                                            \
    {                                                                                              \
        for (const T *x; (x = spark_next(in));)                                                    \
            spark_emit(out, *x);                                                                   \
    }                                                                                              \
    SPARK_MAP(name##_wrap, T, name##_row)                                                          \
    {                                                                                              \
        *out = (name##_row) { *in, { 0, *in, 0 }, { true, *in }, true };                           \
    }                                                                                              \
    SPARK_BEGIN(name##_count, T, T, T)                                                             \
    {                                                                                              \
        *state = (T)1;                                                                             \
    }                                                                                              \
    SPARK_STEP(name##_count, T, T, T)                                                              \
    {                                                                                              \
        *state = (T)(*state + 1);                                                                  \
    }                                                                                              \
    SPARK_FINISH(name##_count, T, T, T)                                                            \
    {                                                                                              \
        spark_emit(out, *state);                                                                   \
    }                                                                                              \
    static void name##_goes(spark_context *sc, int partitions)                                     \
    {                                                                                              \
        const T one = (T)1;                                                                        \
        spark_array a;                                                                             \
        spark_rdd *pairs                                                                           \
            = spark_map(spark_range(sc, 0, 5, 1, partitions), name##_split, SPARK_COPY(one));      \
        spark_rdd *sums = spark_reduce_by_key(pairs, spark_op_sum, NULL, 0);                       \
        sums = spark_flat_map(spark_values(sums), name##_twice, NULL);                             \
        sums = spark_map_partitions(sums, name##_pass, NULL);                                      \
        spark_rdd *rows = spark_sort_by(spark_map(sums, name##_wrap, NULL), name##_down, 2);       \
        oracle_ok(spark_collect(rows, SPARK_TYPE(name##_row), &a));                                \
        const name##_row *row = SPARK_ITEMS(name##_row, &a);                                       \
        assert_int_equal(a.n, 10);                                                                 \
        for (int i = 0; i < 10; i++)                                                               \
            assert_true(row[i].one == (T)(5 - i / 2) && row[i].more[1] == (T)(5 - i / 2)           \
                && row[i].maybe.value == (T)(5 - i / 2) && row[i].last);                           \
        spark_array_free(&a);                                                                      \
        spark_rdd *keys = spark_key_by(pairs, name##_key, NULL);                                   \
        assert_int_equal(oracle_count(keys), 5);                                                   \
        spark_rdd *all = spark_coalesce(sums, 1);                                                  \
        oracle_ok(                                                                                 \
            spark_collect(spark_map_stateful(all, name##_count, NULL), SPARK_TYPE(T), &a));        \
        assert_true(a.n == 1 && *SPARK_ITEMS(T, &a) == (T)11);                                     \
        spark_array_free(&a);                                                                      \
        spark_rdd *literals = spark_parallelize(sc, SPARK_LITERALS(T, 3, 1, 2), partitions);       \
        oracle_ok(spark_collect(literals, SPARK_TYPE(T), &a));                                     \
        assert_true(a.n == 3 && SPARK_ITEMS(T, &a)[0] == (T)3 && SPARK_ITEMS(T, &a)[2] == (T)2);   \
        spark_array_free(&a);                                                                      \
    }
WAY(schar, signed char)
WAY(uchar, unsigned char)
WAY(shorts, short)
WAY(ushort_, unsigned short)
WAY(ints, int)
WAY(uint_, unsigned)
WAY(unsigned_int, unsigned int)
WAY(longs, long)
WAY(long_int, long int)
WAY(ulong_, unsigned long)
WAY(llong, long long)
WAY(ullong, unsigned long long)
WAY(sizes, size_t)
WAY(ssizes, ssize_t)
WAY(diffs, ptrdiff_t)
WAY(maxs, intmax_t)
WAY(times, time_t)
WAY(user_ids, user_id)
WAY(tinies, tiny)
WAY(floats, float)
WAY(doubles, double)
WAY(i16, int16_t)

static void test_numbers__go_through_everything(void **state)
{
    static void (*const ways[])(spark_context *, int)
        = { schar_goes, uchar_goes, shorts_goes, ushort__goes, ints_goes, uint__goes,
              unsigned_int_goes, longs_goes, long_int_goes, ulong__goes, llong_goes, ullong_goes,
              sizes_goes, ssizes_goes, diffs_goes, maxs_goes, times_goes, user_ids_goes,
              tinies_goes, floats_goes, doubles_goes, i16_goes };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        for (size_t i = 0; i < LENGTH(ways); i++)
            ways[i](sc, (int)(c % 3) + 1);
        oracle_close(sc);
    }
}

#define SAME(T, fixed)                                                                             \
    assert_int_equal(spark_type_check(SPARK_TYPE(T), SPARK_TYPE(fixed)), SPARK_OK);                \
    assert_int_equal(SPARK_TYPE(T)->size, sizeof(T));                                              \
    assert_int_equal(SPARK_TYPE(T)->align, _Alignof(T))
static void test_numbers__are_those_of_their_size(void **state)
{
    (void)state;
    SAME(bool, bool);
    SAME(_Bool, bool);
    SAME(char, char);
    SAME(signed char, int8_t);
    SAME(unsigned char, uint8_t);
    SAME(short, int16_t);
    SAME(short int, int16_t);
    SAME(unsigned short, uint16_t);
    SAME(int, int32_t);
    SAME(signed, int32_t);
    SAME(unsigned, uint32_t);
    SAME(unsigned int, uint32_t);
    SAME(long, int64_t);
    SAME(long unsigned int, uint64_t);
    SAME(long long, int64_t);
    SAME(unsigned long long, uint64_t);
    SAME(size_t, uint64_t);
    SAME(ssize_t, int64_t);
    SAME(ptrdiff_t, int64_t);
    SAME(intptr_t, int64_t);
    SAME(uintptr_t, uint64_t);
    SAME(uintmax_t, uint64_t);
    SAME(time_t, int64_t);
    SAME(enum colour, uint32_t);
    SAME(colour, uint32_t);
    SAME(user_id, uint32_t);
    SAME(tiny, uint8_t);
    assert_int_not_equal(spark_type_check(SPARK_TYPE(long), SPARK_TYPE(double)), SPARK_OK);
    assert_int_not_equal(spark_type_check(SPARK_TYPE(int), SPARK_TYPE(unsigned)), SPARK_OK);
}

SPARK_PAIR(word_count, spark_str, int);
static void test_literals__are_counted_by_the_compiler(void **state)
{
    const word_count words[]
        = { { SPARK_STR("be"), 2 }, { SPARK_STR("not"), 1 }, { SPARK_STR("or"), 1 } };
    const int edges[][2] = { { 1, 2 }, { 3, 4 } };
    spark_context *sc = oracle_open(2);
    (void)state;
    oracle_has_layout(
        spark_parallelize(sc, SPARK_DATA_OF(word_count, words), 2), "(be,2) | (not,1) (or,1)");
    oracle_has_layout(spark_parallelize(sc, SPARK_DATA_OF(int, edges[1]), 1), "3 4");
    oracle_has_layout(
        spark_parallelize(sc,
            SPARK_LITERALS(word_count, { SPARK_STR("x"), 1 }, { .value = 4 }), 1),
        "(x,1) (,4)");
    oracle_has_layout(
        spark_parallelize(sc, SPARK_LITERALS(spark_str, SPARK_LIT("a"), SPARK_LIT("b")), 1), "a b");
    oracle_has_layout(spark_parallelize(sc, SPARK_LITERALS(bool, true, false), 1), "true false");
    oracle_has_layout(
        spark_parallelize(sc, SPARK_DATA_OF(long, (long[]) { LONG_MIN, 7 }), 1),
        "-9223372036854775808 7");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_numbers__go_through_everything),
        oracle_test(test_numbers__are_those_of_their_size),
        oracle_test(test_literals__are_counted_by_the_compiler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
