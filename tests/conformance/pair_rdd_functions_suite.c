/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's PairRDDFunctionsSuite. */
#include "io/scratch.h"
#include "oracle.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_PAIR(letter, int64_t, char);
SPARK_PAIR(buffer, int64_t, spark_i64_list);
SPARK_PAIR(rate, int64_t, double);

SPARK_MERGE(add_to_set, uint64_t, int64_t)
{
    *acc |= 1u << *in;
}
SPARK_MERGE(unite, uint64_t, uint64_t)
{
    *acc |= *in;
}
SPARK_MAP(key_of, i64_pair, int64_t)
{
    *out = in->key;
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in, *in };
}
SPARK_MAP(to_word_pair, spark_str, i64_pair)
{
    *out = (i64_pair) { (int64_t)in->len, 1 };
}
SPARK_MAP(to_buffer, int64_t, spark_i64_list)
{
    int64_t *at = spark_alloc(task, sizeof *at);
    if (at)
        *at = *in, *out = (spark_i64_list) { at, 1 };
}
SPARK_MERGE(append, spark_i64_list, spark_i64_list)
{
    int64_t *at = spark_alloc(task, (acc->n + in->n + 1) * sizeof *at);
    if (!at)
        return;
    for (size_t i = 0; i < acc->n; i++)
        at[i] = acc->at[i];
    for (size_t i = 0; i < in->n; i++)
        at[acc->n + i] = in->at[i];
    *acc = (spark_i64_list) { at, acc->n + in->n };
}
SPARK_PARTITIONER(by_parity, int64_t)
{
    return (*key & 1) != 0 && partitions > 1;
}
SPARK_PARTITIONER(by_signed_remainder, int64_t)
{
    return (uint32_t)(*key % (int64_t)partitions);
}

static const i64_pair repeated[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 1, 1 }, { 2, 1 } };
static const i64_pair left_rows[] = { { 1, 1 }, { 1, 2 }, { 2, 1 }, { 3, 1 } };
static const letter right_rows[] = { { 1, 'x' }, { 2, 'y' }, { 2, 'z' }, { 4, 'w' } };
static const letter third_rows[] = { { 1, 'a' }, { 3, 'b' }, { 4, 'c' }, { 4, 'd' } };

#define ROWS(sc, T, rows, partitions)                                                              \
    spark_parallelize(sc, SPARK_DATA(T, LENGTH(rows), rows), partitions)

static void pair_rdd_functions_suite__aggregate_by_key_into_sets(void **state)
{
    /* A set of small numbers is the bits of a number. */
    static const i64_pair rows[] = { { 1, 1 }, { 1, 1 }, { 3, 2 }, { 5, 1 }, { 5, 3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_aggregate_by_key(
                     ROWS(sc, i64_pair, rows, 2), SPARK_ZERO(uint64_t), add_to_set, unite, NULL, 0),
        "(1,2) (3,4) (5,10)");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__group_by_key(void **state)
{
    static const i64_pair rows[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_group_by_key(ROWS(sc, i64_pair, rows, 0), 0), "(1,[1,2,3]) (2,[1])");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__group_by_key_of_negative_keys(void **state)
{
    static const i64_pair rows[] = { { -1, 1 }, { -1, 2 }, { -1, 3 }, { 2, 1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_group_by_key(ROWS(sc, i64_pair, rows, 0), 0), "(-1,[1,2,3]) (2,[1])");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__group_by_key_into_10_partitions(void **state)
{
    static const i64_pair rows[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *groups = spark_group_by_key(ROWS(sc, i64_pair, rows, 0), 10);
    assert_int_equal(spark_rdd_partitions(groups), 10);
    oracle_holds(groups, "(1,[1,2,3]) (2,[1])");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__reduce_by_key(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rows = ROWS(sc, i64_pair, repeated, 0);
    oracle_holds(spark_reduce_by_key(rows, spark_op_sum, NULL, 0), "(1,7) (2,1)");
    spark_rdd *ten = spark_reduce_by_key(rows, spark_op_sum, NULL, 10);
    assert_int_equal(spark_rdd_partitions(ten), 10);
    oracle_holds(ten, "(1,7) (2,1)");
    spark_array map;
    const int64_t one = 1, two = 2, three = 3;
    oracle_ok(spark_collect_as_map(ten, SPARK_TYPE(i64_pair), &map));
    assert_int_equal(map.n, 2);
    const spark_index *index = spark_array_index(&map);
    assert_int_equal(*SPARK_FIND(i64_pair, index, &one), 7);
    assert_int_equal(*SPARK_FIND(i64_pair, index, &two), 1);
    assert_null(SPARK_FIND(i64_pair, index, &three));
    spark_array_free(&map);
    oracle_close(sc);
}

static void pair_rdd_functions_suite__reduce_by_key_of_placed_pairs(void **state)
{
    static const i64_pair rows[] = { { 1, 1 }, { 1, 2 }, { 1, 1 }, { 0, 1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_partitioner *p = spark_partitioner_new(sc, 2, by_parity, NULL);
    spark_rdd *sums = spark_reduce_by_key(
        spark_partition_by(ROWS(sc, i64_pair, rows, 0), p), spark_op_sum, NULL, 0);
    oracle_has_layout(sums, "(0,1) | (1,4)");
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(sums), p));
    int ancestors = 0, shuffles = 0;
    for (spark_rdd *at = sums; spark_rdd_n_dependencies(at) > 0; ancestors++) {
        bool shuffle = false;
        assert_int_equal(spark_rdd_n_dependencies(at), 1);
        at = spark_rdd_dependency(at, 0, &shuffle);
        shuffles += shuffle;
    }
    assert_int_equal(ancestors, 2);
    assert_int_equal(shuffles, 1);
    oracle_close(sc);
}

static void pair_rdd_functions_suite__join(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_join(ROWS(sc, i64_pair, left_rows, 0), ROWS(sc, letter, right_rows, 0), 0),
        "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z))");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__join_of_all_with_all(void **state)
{
    static const i64_pair a[] = { { 1, 1 }, { 1, 2 }, { 1, 3 } };
    static const letter b[] = { { 1, 'x' }, { 1, 'y' } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_join(ROWS(sc, i64_pair, a, 0), ROWS(sc, letter, b, 0), 0),
        "(1,(1,x)) (1,(1,y)) (1,(2,x)) (1,(2,y)) (1,(3,x)) (1,(3,y))");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__left_outer_join(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(
        spark_left_outer_join(ROWS(sc, i64_pair, left_rows, 0), ROWS(sc, letter, right_rows, 0), 0),
        "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z)) (3,(1,))");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__right_outer_join(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_right_outer_join(
                     ROWS(sc, i64_pair, left_rows, 0), ROWS(sc, letter, right_rows, 0), 0),
        "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z)) (4,(,w))");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__join_without_matches_and_into_10_partitions(void **state)
{
    static const letter others[] = { { 4, 'x' }, { 5, 'y' }, { 6, 'z' } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *a = ROWS(sc, i64_pair, left_rows, 0);
    oracle_holds(spark_join(a, ROWS(sc, letter, others, 0), 0), "");
    spark_rdd *ten = spark_join(a, ROWS(sc, letter, right_rows, 0), 10);
    assert_int_equal(spark_rdd_partitions(ten), 10);
    oracle_holds(ten, "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z))");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__cogroup_with_an_empty_rdd(void **state)
{
    static const char *const want = "(1,([1,2],[])) (2,([1],[])) (3,([1],[]))";
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *a = ROWS(sc, i64_pair, left_rows, 0);
    spark_rdd *empty = spark_empty_rdd(sc, SPARK_TYPE(i64_pair));
    oracle_holds(spark_cogroup(2, (spark_rdd *[]) { a, empty }, 0), want);
    spark_rdd *groups = spark_group_by(spark_empty_rdd(sc, SPARK_TYPE(i64_pair)), key_of, NULL, 0);
    oracle_holds(spark_cogroup(2, (spark_rdd *[]) { a, groups }, 0), want);
    oracle_close(sc);
}

/* How many partitions the cogroup of `partitions` unplaced ones with 10 placed ones has. */
static int cogroup_partitions(int parallelism, int partitions)
{
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 2, .default_parallelism = parallelism });
    spark_rdd *unplaced = spark_map(spark_range(sc, 0, partitions, 1, partitions), to_pair, NULL);
    spark_rdd *placed
        = spark_partition_by(ROWS(sc, letter, right_rows, 0), spark_hash_partitioner(sc, 10));
    spark_rdd *both = spark_cogroup(2, (spark_rdd *[]) { unplaced, placed }, 0);
    const int n = spark_rdd_partitions(both);
    assert_int_equal(oracle_count(both), partitions);
    oracle_close(sc);
    return n;
}

static void pair_rdd_functions_suite__cogroup_of_1000_with_10_placed_partitions(void **state)
{
    (void)state;
    assert_int_equal(cogroup_partitions(0, 1000), 1000);
}

static void pair_rdd_functions_suite__cogroup_of_20_with_10_placed_partitions(void **state)
{
    (void)state;
    assert_int_equal(cogroup_partitions(0, 20), 10);
}

static void pair_rdd_functions_suite__cogroup_of_20_with_10_and_a_parallelism_of_4(void **state)
{
    (void)state;
    assert_int_equal(cogroup_partitions(4, 20), 10);
}

static void pair_rdd_functions_suite__cogroup_of_1000_with_10_and_a_parallelism_of_4(void **state)
{
    (void)state;
    assert_int_equal(cogroup_partitions(4, 1000), 10);
}

static void pair_rdd_functions_suite__group_with(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *both[] = { ROWS(sc, i64_pair, left_rows, 0), ROWS(sc, letter, right_rows, 0) };
    oracle_holds(
        spark_group_with(2, both), "(1,([1,2],[x])) (2,([1],[y,z])) (3,([1],[])) (4,([],[w]))");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__group_with_of_three(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *all[] = { ROWS(sc, i64_pair, left_rows, 0), ROWS(sc, letter, right_rows, 0),
        ROWS(sc, letter, third_rows, 0) };
    oracle_holds(spark_group_with(3, all),
        "(1,([1,2],[x],[a])) (2,([1],[y,z],[])) (3,([1],[],[b])) (4,([],[w],[c,d]))");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__of_a_directory_without_files(void **state)
{
    (void)state;
    assert_int_equal(mkdir("empty", 0777), 0);
    spark_context *sc = oracle_open(2);
    spark_rdd *lines = spark_text_file(sc, "empty", 0);
    assert_int_equal(spark_rdd_partitions(lines), 0);
    oracle_collects(lines, "");
    oracle_collects(
        spark_reduce_by_key(spark_map(lines, to_word_pair, NULL), spark_op_sum, NULL, 0), "");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__keys_and_values(void **state)
{
    static const letter rows[] = { { 1, 'a' }, { 2, 'b' } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_collects(spark_keys(ROWS(sc, letter, rows, 0)), "1 2");
    oracle_collects(spark_values(ROWS(sc, letter, rows, 0)), "a b");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__default_partitions_are_those_of_the_largest(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *many = spark_map(spark_range(sc, 0, 100, 1, 2000), to_pair, NULL);
    spark_rdd *few = spark_map(spark_range(sc, 0, 10, 1, 2), to_pair, NULL);
    assert_int_equal(spark_rdd_partitions(spark_group_by_key(many, 0)), 2000);
    assert_int_equal(spark_rdd_partitions(spark_join(few, many, 0)), 2000);
    assert_int_equal(spark_rdd_partitions(spark_join(many, few, 0)), 2000);
    assert_int_equal(oracle_count(spark_join(few, many, 0)), 10);
    oracle_close(sc);
}

static void pair_rdd_functions_suite__subtract(void **state)
{
    static const int64_t a[] = { 1, 2, 3 }, b[] = { 2, 3, 4 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *left = spark_subtract(ROWS(sc, int64_t, a, 2), ROWS(sc, int64_t, b, 4), 0);
    oracle_collects(left, "1");
    assert_int_equal(spark_rdd_partitions(left), 2);
    oracle_close(sc);
}

static const letter with_duplicates[] = { { 1, 'a' }, { 1, 'a' }, { 2, 'b' }, { 3, 'c' } };
static const i64_pair keys_234[] = { { 2, 20 }, { 3, 30 }, { 4, 40 } };

static void pair_rdd_functions_suite__subtract_by_key_keeps_duplicates(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *left = spark_subtract_by_key(
        ROWS(sc, letter, with_duplicates, 2), ROWS(sc, i64_pair, keys_234, 4), 0);
    oracle_collects(left, "(1,a) (1,a)");
    assert_int_equal(spark_rdd_partitions(left), 2);
    oracle_close(sc);
}

static void pair_rdd_functions_suite__subtract_by_key_keeps_the_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_partitioner *p = spark_partitioner_new(sc, 2, by_parity, NULL);
    spark_rdd *left
        = spark_subtract_by_key(spark_partition_by(ROWS(sc, letter, with_duplicates, 2), p),
            ROWS(sc, i64_pair, keys_234, 4), 0);
    oracle_collects(left, "(1,a) (1,a)");
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(left), p));
    oracle_close(sc);
}

static void pair_rdd_functions_suite__fold_by_key(void **state)
{
    const int64_t zero = 0;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_fold_by_key(ROWS(sc, i64_pair, repeated, 0), SPARK_VALUE(int64_t, &zero),
                     spark_op_sum, NULL, 0),
        "(1,7) (2,1)");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__fold_by_key_leaves_cached_buffers_alone(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *buffers
        = spark_cache(spark_map_values(ROWS(sc, i64_pair, repeated, 0), to_buffer, NULL));
    for (int i = 0; i < 2; i++) {
        oracle_holds(spark_fold_by_key(buffers, SPARK_ZERO(spark_i64_list), append, NULL, i),
            "(1,[1,2,3,1]) (2,[1])");
        assert_int_equal(spark_rdd_cached_partitions(buffers), 16);
        oracle_collects(buffers, "(1,[1]) (1,[2]) (1,[3]) (1,[1]) (2,[1])");
    }
    oracle_close(sc);
}

static void pair_rdd_functions_suite__lookup_with_a_partitioner_that_goes_astray(void **state)
{
    /* A partition is unsigned here, so that -1 is too large instead of negative. */
    static const i64_pair rows[] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 5, 7 } };
    const int64_t one = 1, five = 5, minus = -1;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *placed = spark_partition_by(
        ROWS(sc, i64_pair, rows, 0), spark_partitioner_new(sc, 2, by_signed_remainder, NULL));
    spark_array found;
    oracle_ok(spark_lookup(placed, SPARK_VALUE(int64_t, &one), SPARK_TYPE(int64_t), &found));
    oracle_lists(&found, "2");
    spark_array_free(&found);
    oracle_ok(spark_lookup(placed, SPARK_VALUE(int64_t, &five), SPARK_TYPE(int64_t), &found));
    oracle_lists(&found, "6 7");
    spark_array_free(&found);
    oracle_fails(spark_lookup(placed, SPARK_VALUE(int64_t, &minus), SPARK_TYPE(int64_t), &found),
        SPARK_EINVAL, "by_signed_remainder");
    oracle_close(sc);
}

SPARK_MAP(to_stratum, int64_t, i64_pair, int64_t)
{
    *out = (i64_pair) { *in < *env ? 0 : 1, *in };
}

static void pair_rdd_functions_suite__sample_by_key_exact(void **state)
{
    static const double fractions[] = { 0.01, 0.05, 0.1, 0.5 };
    static char seen[100000];
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int64_t n = 100; n <= 100000; n *= 10)
        for (size_t f = 0; f < LENGTH(fractions); f++)
            for (int again = 0; again < 2; again++) {
                SPARK_SCOPED(sc);
                const int64_t border = n * 3 / 4;
                const rate rates[] = { { 0, fractions[f] }, { 1, fractions[f] } };
                spark_array drawn;
                oracle_ok(spark_collect(
                    spark_sample_by_key_exact(
                        spark_map(spark_range(sc, 0, n, 1, 4), to_stratum, SPARK_COPY(border)),
                        again, SPARK_DATA(rate, 2, rates), 7 + f),
                    SPARK_TYPE(i64_pair), &drawn));
                const i64_pair *row = SPARK_ITEMS(i64_pair, &drawn);
                int64_t of[2] = { 0, 0 };
                memset(seen, 0, sizeof seen);
                for (size_t i = 0; i < drawn.n; i++) {
                    assert_in_range(row[i].value, 0, n - 1);
                    assert_int_equal(row[i].key, row[i].value < border ? 0 : 1);
                    of[row[i].key]++;
                    if (!again)
                        assert_int_equal(seen[row[i].value]++, 0);
                }
                assert_int_equal(of[0], (int64_t)ceil(fractions[f] * (double)border));
                assert_int_equal(of[1], (int64_t)ceil(fractions[f] * (double)(n - border)));
                spark_array_free(&drawn);
            }
    oracle_close(sc);
}

static void pair_rdd_functions_suite__a_writer_that_fails_leaves_nothing(void **state)
{
    /* The writer is the library's own: a limit on the size of files makes its write fail. */
    struct rlimit before;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rows = spark_range(sc, 0, 100000, 1, 1);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = { 1000, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const spark_status status = spark_save_as_text_file(rows, "out");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    oracle_blames(status, SPARK_EIO, "cannot write", "save_as_text_file");
    assert_int_not_equal(access("out/part-00000", F_OK), 0);
    assert_int_not_equal(access("out/_SUCCESS", F_OK), 0);
    oracle_ok(spark_save_as_text_file(rows, "again"));
    oracle_close(sc);
}

static int enter(void **state)
{
    return oracle_setup(state) || scratch_enter(state);
}
static int leave(void **state)
{
    const int status = scratch_leave(state);
    return oracle_teardown(state) || status;
}
#define file_test(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(pair_rdd_functions_suite__aggregate_by_key_into_sets),
        oracle_test(pair_rdd_functions_suite__group_by_key),
        oracle_test(pair_rdd_functions_suite__group_by_key_of_negative_keys),
        oracle_test(pair_rdd_functions_suite__group_by_key_into_10_partitions),
        oracle_test(pair_rdd_functions_suite__reduce_by_key),
        oracle_test(pair_rdd_functions_suite__reduce_by_key_of_placed_pairs),
        oracle_test(pair_rdd_functions_suite__join),
        oracle_test(pair_rdd_functions_suite__join_of_all_with_all),
        oracle_test(pair_rdd_functions_suite__left_outer_join),
        oracle_test(pair_rdd_functions_suite__right_outer_join),
        oracle_test(pair_rdd_functions_suite__join_without_matches_and_into_10_partitions),
        oracle_test(pair_rdd_functions_suite__cogroup_with_an_empty_rdd),
        oracle_test(pair_rdd_functions_suite__cogroup_of_1000_with_10_placed_partitions),
        oracle_test(pair_rdd_functions_suite__cogroup_of_20_with_10_placed_partitions),
        oracle_test(pair_rdd_functions_suite__cogroup_of_20_with_10_and_a_parallelism_of_4),
        oracle_test(pair_rdd_functions_suite__cogroup_of_1000_with_10_and_a_parallelism_of_4),
        oracle_test(pair_rdd_functions_suite__group_with),
        oracle_test(pair_rdd_functions_suite__group_with_of_three),
        file_test(pair_rdd_functions_suite__of_a_directory_without_files),
        oracle_test(pair_rdd_functions_suite__keys_and_values),
        oracle_test(pair_rdd_functions_suite__default_partitions_are_those_of_the_largest),
        oracle_test(pair_rdd_functions_suite__subtract),
        oracle_test(pair_rdd_functions_suite__subtract_by_key_keeps_duplicates),
        oracle_test(pair_rdd_functions_suite__subtract_by_key_keeps_the_partitioner),
        oracle_test(pair_rdd_functions_suite__fold_by_key),
        oracle_test(pair_rdd_functions_suite__fold_by_key_leaves_cached_buffers_alone),
        oracle_test(pair_rdd_functions_suite__lookup_with_a_partitioner_that_goes_astray),
        oracle_test(pair_rdd_functions_suite__sample_by_key_exact),
        file_test(pair_rdd_functions_suite__a_writer_that_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
