/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's PairRDDFunctionsSuite. */
#include "file_test.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_PAIR(letter, int64_t, char);
SPARK_PAIR(buffer, int64_t, spark_i64_list);
SPARK_PAIR(rate, int64_t, double);
SPARK_STRUCT(tally, (int64_t, n), (int64_t, sum));

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
SPARK_MAP(first_of_tally, int64_t, tally)
{
    *out = (tally) { 1, *in };
}
SPARK_MERGE(add_to_tally, tally, int64_t)
{
    acc->n++;
    acc->sum += *in;
}
SPARK_MERGE(add_tallies, tally, tally)
{
    acc->n += in->n;
    acc->sum += in->sum;
}
SPARK_FLAT_MAP(as_many_as_the_key, int64_t, i64_pair)
{
    for (int64_t i = 0; i < *in; i++)
        if (!spark_emit(out, (i64_pair) { *in, i }))
            return;
}
SPARK_PARTITIONER(by_parity, int64_t)
{
    return (*key & 1) != 0 && partitions > 1;
}
SPARK_PARTITIONER(by_first_number, i64_pair)
{
    return (uint32_t)key->key % partitions;
}
SPARK_PARTITIONER(by_signed_remainder, int64_t)
{
    return (uint32_t)(*key % (int64_t)partitions);
}

static const i64_pair repeated[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 1, 1 }, { 2, 1 } };
static const i64_pair left_rows[] = { { 1, 1 }, { 1, 2 }, { 2, 1 }, { 3, 1 } };
static const letter right_rows[] = { { 1, 'x' }, { 2, 'y' }, { 2, 'z' }, { 4, 'w' } };
static const letter third_rows[] = { { 1, 'a' }, { 3, 'b' }, { 4, 'c' }, { 4, 'd' } };
static const i64_pair fourth_rows[] = { { 2, 7 }, { 5, 8 }, { 2, 9 } };

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

/* An aggregation by key: with options if there are some. */
typedef spark_rdd *(*aggregation)(
    spark_rdd *rdd, int partitions, const spark_keyed_options *options);

/* aggregates_in_three_ways: into a number of partitions, by a partitioner, and, where the pairs lie
 * as wanted, without a shuffle. */
static void aggregates_in_three_ways(aggregation f, const char *even, const char *odd)
{
    char want[128];
    spark_context *sc = oracle_open(2);
    spark_rdd *rows = ROWS(sc, i64_pair, repeated, 4);
    const spark_partitioner *parity = spark_partitioner_new(sc, 2, by_parity, NULL);
    const spark_keyed_options by_partitioner = { .partitions = 7, .partitioner = parity };
    const spark_keyed_options by_count = { .partitions = 5 };

    snprintf(want, sizeof want, "%s %s", odd, even);
    spark_rdd *counted[] = { f(rows, 5, NULL), f(rows, 0, &by_count) };
    for (size_t i = 0; i < LENGTH(counted); i++) {
        assert_int_equal(spark_rdd_partitions(counted[i]), 5);
        assert_true(spark_partitioner_equal(
            spark_rdd_partitioner(counted[i]), spark_hash_partitioner(sc, 5)));
        oracle_holds(counted[i], want);
    }
    assert_int_equal(spark_rdd_partitions(f(rows, 0, NULL)), 4);

    /* Each partition writes a row for each of its keys: the last has both, and no key twice. */
    snprintf(want, sizeof want, "%s | %s", even, odd);
    spark_rdd *placed = spark_partition_by(rows, parity);
    spark_rdd *by_p = f(rows, 0, &by_partitioner);
    oracle_has_layout(by_p, want);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 5);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(by_p), parity));

    /* Placed by parity; two partitions by hash are elsewhere. */
    assert_int_equal(oracle_count(placed), 5);
    spark_rdd *there[] = { f(placed, 0, NULL), f(placed, 0, &by_partitioner) };
    for (size_t i = 0; i < LENGTH(there); i++) {
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(there[i]), parity));
        assert_int_equal(oracle_count(there[i]), 2);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
        oracle_has_layout(there[i], want);
    }
    spark_rdd *elsewhere = f(placed, 2, NULL);
    assert_int_equal(oracle_count(elsewhere), 2);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 2);
    oracle_close(sc);
}

static spark_rdd *combine(spark_rdd *rdd, int partitions, const spark_keyed_options *options)
{
    return options
        ? spark_combine_by_key_with(rdd, first_of_tally, add_to_tally, add_tallies, NULL, options)
        : spark_combine_by_key(rdd, first_of_tally, add_to_tally, add_tallies, NULL, partitions);
}

static void pair_rdd_functions_suite__combine_by_key(void **state)
{
    (void)state;
    aggregates_in_three_ways(combine, "(2,(1,1))", "(1,(4,7))");
}

static spark_rdd *aggregate(spark_rdd *rdd, int partitions, const spark_keyed_options *options)
{
    return options ? spark_aggregate_by_key_with(
               rdd, SPARK_ZERO(tally), add_to_tally, add_tallies, NULL, options)
                   : spark_aggregate_by_key(
                       rdd, SPARK_ZERO(tally), add_to_tally, add_tallies, NULL, partitions);
}

static void pair_rdd_functions_suite__aggregate_by_key(void **state)
{
    (void)state;
    aggregates_in_three_ways(aggregate, "(2,(1,1))", "(1,(4,7))");
}

static spark_rdd *fold(spark_rdd *rdd, int partitions, const spark_keyed_options *options)
{
    return options ? spark_fold_by_key_with(rdd, SPARK_ZERO(int64_t), spark_op_sum, NULL, options)
                   : spark_fold_by_key(rdd, SPARK_ZERO(int64_t), spark_op_sum, NULL, partitions);
}

static void pair_rdd_functions_suite__fold_by_key_with_partitioners(void **state)
{
    (void)state;
    aggregates_in_three_ways(fold, "(2,1)", "(1,7)");
}

static void pair_rdd_functions_suite__group_by_key(void **state)
{
    static const i64_pair rows[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_group_by_key(ROWS(sc, i64_pair, rows, 0), 0), "(1,[1,2,3]) (2,[1])");
    oracle_close(sc);
}

static void pair_rdd_functions_suite__group_by_key_keeps_duplicates(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_group_by_key(ROWS(sc, i64_pair, repeated, 0), 0), "(1,[1,2,3,1]) (2,[1])");
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

static void pair_rdd_functions_suite__full_outer_join(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(
        spark_full_outer_join(ROWS(sc, i64_pair, left_rows, 0), ROWS(sc, letter, right_rows, 0), 0),
        "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z)) (3,(1,)) (4,(,w))");
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

static void pair_rdd_functions_suite__group_with_of_four(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *all[] = { ROWS(sc, i64_pair, left_rows, 0), ROWS(sc, letter, right_rows, 0),
        ROWS(sc, letter, third_rows, 0), ROWS(sc, i64_pair, fourth_rows, 0) };
    oracle_holds(spark_group_with(4, all),
        "(1,([1,2],[x],[a],[])) (2,([1],[y,z],[],[7,9])) (3,([1],[],[b],[])) "
        "(4,([],[w],[c,d],[])) (5,([],[],[],[8]))");
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

static void pair_rdd_functions_suite__subtract_from_placed_pairs(void **state)
{
    /* The key of a subtraction is the pair, which no partitioner of keys places. */
    static const i64_pair a[] = { { 1, 10 }, { 2, 20 }, { 3, 30 } };
    static const i64_pair b[] = { { 2, 20 }, { 3, 33 }, { 4, 40 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_partitioner *p = spark_partitioner_new(sc, 5, by_signed_remainder, NULL);
    spark_rdd *placed = spark_partition_by(ROWS(sc, i64_pair, a, 0), p);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(placed), p));
    spark_rdd *left = spark_subtract(placed, ROWS(sc, i64_pair, b, 4), 0);
    oracle_holds(left, "(1,10) (3,30)");
    assert_null(spark_rdd_partitioner(left));
    assert_int_equal(spark_rdd_partitions(left), 5);
    /* One of pairs can be given. */
    const spark_keyed_options given
        = { .partitioner = spark_partitioner_new(sc, 3, by_first_number, NULL) };
    oracle_has_layout(
        spark_subtract_with(placed, ROWS(sc, i64_pair, b, 4), &given), "(3,30) | (1,10) |");
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

static void finds(spark_rdd *rdd, int64_t key, const char *want)
{
    spark_array found;
    oracle_ok(spark_lookup(rdd, SPARK_VALUE(int64_t, &key), SPARK_TYPE(int64_t), &found));
    oracle_lists(&found, want);
    spark_array_free(&found);
}

static void pair_rdd_functions_suite__lookup_unplaced_and_placed(void **state)
{
    static const i64_pair rows[] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 5, 7 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *unplaced = ROWS(sc, i64_pair, rows, 4);
    spark_rdd *both[] = { unplaced, spark_partition_by(unplaced, spark_hash_partitioner(sc, 3)) };
    for (int placed = 0; placed < 2; placed++) {
        assert_int_equal(spark_rdd_partitioner(both[placed]) != NULL, placed);
        assert_int_equal(oracle_count(both[placed]), 4);
        finds(both[placed], 1, "2");
        finds(both[placed], 5, "6 7");
        finds(both[placed], -1, "");
        assert_int_equal(oracle_last_job(sc).tasks, placed ? 1 : 4);
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

/* Of many draws those of a key: within five deviations of their mean. */
static void pair_rdd_functions_suite__sample_by_key(void **state)
{
    enum { N = 10000, BORDER = N * 3 / 4 };
    static const double fractions[] = { 0.01, 0.1, 0.5, 0.9 };
    static char seen[N];
    const int64_t border = BORDER, size[] = { BORDER, N - BORDER };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rows = spark_map(spark_range(sc, 0, N, 1, 4), to_stratum, SPARK_COPY(border));
    for (size_t f = 0; f < LENGTH(fractions); f++)
        for (uint64_t seed = 0; seed < 8; seed++)
            for (int again = 0; again < 2; again++) {
                SPARK_SCOPED(sc);
                /* The second key is drawn from twice as often, which may be all of it. */
                const rate rates[] = { { 0, fractions[f] }, { 1, 2 * fractions[f] } };
                spark_array drawn;
                oracle_ok(spark_collect(
                    spark_sample_by_key(rows, again, SPARK_DATA(rate, 2, rates), seed),
                    SPARK_TYPE(i64_pair), &drawn));
                const i64_pair *row = SPARK_ITEMS(i64_pair, &drawn);
                int64_t of[2] = { 0, 0 };
                memset(seen, 0, sizeof seen);
                for (size_t i = 0; i < drawn.n; i++) {
                    assert_in_range(row[i].value, 0, N - 1);
                    assert_int_equal(row[i].key, row[i].value < BORDER ? 0 : 1);
                    of[row[i].key]++;
                    if (!again)
                        assert_int_equal(seen[row[i].value]++, 0);
                }
                spark_array_free(&drawn);
                for (int k = 0; k < 2; k++) {
                    const double p = again || rates[k].value < 1 ? rates[k].value : 1;
                    const double mean = p * (double)size[k];
                    const double deviation = sqrt(again ? mean : mean * (1 - p));
                    if (fabs((double)of[k] - mean) > 5 * deviation)
                        fail_msg("%lld of key %d, %g likely", (long long)of[k], k, mean);
                }
            }
    oracle_close(sc);
}

/* Key i has i values, up to 100. The error is a matter of chance: three deviations of 0.01; with
 * 2^20 registers it is about 0.001. */
static void pair_rdd_functions_suite__count_approx_distinct_by_key(void **state)
{
    static const spark_keyed_options three = { .partitions = 3 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rows = spark_flat_map(spark_range(sc, 1, 101, 1, 4), as_many_as_the_key, NULL);
    const double most[] = { 0.03, 0.03, 0.01 };
    spark_rdd *counts[] = { spark_count_approx_distinct_by_key(rows, 0.01, 3),
        spark_count_approx_distinct_by_key(spark_union(rows, rows), 0.01, 3),
        spark_count_approx_distinct_by_key_with(rows, 20, 0, &three) };
    assert_int_equal(oracle_count(rows), 5050);
    for (size_t i = 0; i < LENGTH(counts); i++) {
        spark_array array;
        double worst = 0;
        bool seen[101] = { false };
        assert_int_equal(spark_rdd_partitions(counts[i]), 3);
        oracle_ok(spark_collect(counts[i], SPARK_TYPE(i64_pair), &array));
        assert_int_equal(array.n, 100);
        for (size_t k = 0; k < array.n; k++) {
            const i64_pair *count = &SPARK_ITEMS(i64_pair, &array)[k];
            assert_in_range(count->key, 1, 100);
            assert_false(seen[count->key]);
            seen[count->key] = true;
            const double error = fabs((double)(count->value - count->key)) / (double)count->key;
            worst = error > worst ? error : worst;
        }
        spark_array_free(&array);
        if (worst >= most[i])
            fail_msg("case %zu is off by %g", i, worst);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(pair_rdd_functions_suite__aggregate_by_key_into_sets),
        oracle_test(pair_rdd_functions_suite__combine_by_key),
        oracle_test(pair_rdd_functions_suite__aggregate_by_key),
        oracle_test(pair_rdd_functions_suite__fold_by_key_with_partitioners),
        oracle_test(pair_rdd_functions_suite__group_by_key),
        oracle_test(pair_rdd_functions_suite__group_by_key_keeps_duplicates),
        oracle_test(pair_rdd_functions_suite__group_by_key_of_negative_keys),
        oracle_test(pair_rdd_functions_suite__group_by_key_into_10_partitions),
        oracle_test(pair_rdd_functions_suite__reduce_by_key),
        oracle_test(pair_rdd_functions_suite__reduce_by_key_of_placed_pairs),
        oracle_test(pair_rdd_functions_suite__join),
        oracle_test(pair_rdd_functions_suite__join_of_all_with_all),
        oracle_test(pair_rdd_functions_suite__left_outer_join),
        oracle_test(pair_rdd_functions_suite__right_outer_join),
        oracle_test(pair_rdd_functions_suite__full_outer_join),
        oracle_test(pair_rdd_functions_suite__join_without_matches_and_into_10_partitions),
        oracle_test(pair_rdd_functions_suite__cogroup_with_an_empty_rdd),
        oracle_test(pair_rdd_functions_suite__cogroup_of_1000_with_10_placed_partitions),
        oracle_test(pair_rdd_functions_suite__cogroup_of_20_with_10_placed_partitions),
        oracle_test(pair_rdd_functions_suite__cogroup_of_20_with_10_and_a_parallelism_of_4),
        oracle_test(pair_rdd_functions_suite__cogroup_of_1000_with_10_and_a_parallelism_of_4),
        oracle_test(pair_rdd_functions_suite__group_with),
        oracle_test(pair_rdd_functions_suite__group_with_of_three),
        oracle_test(pair_rdd_functions_suite__group_with_of_four),
        file_test(pair_rdd_functions_suite__of_a_directory_without_files),
        oracle_test(pair_rdd_functions_suite__keys_and_values),
        oracle_test(pair_rdd_functions_suite__default_partitions_are_those_of_the_largest),
        oracle_test(pair_rdd_functions_suite__subtract),
        oracle_test(pair_rdd_functions_suite__subtract_from_placed_pairs),
        oracle_test(pair_rdd_functions_suite__subtract_by_key_keeps_duplicates),
        oracle_test(pair_rdd_functions_suite__subtract_by_key_keeps_the_partitioner),
        oracle_test(pair_rdd_functions_suite__fold_by_key),
        oracle_test(pair_rdd_functions_suite__fold_by_key_leaves_cached_buffers_alone),
        oracle_test(pair_rdd_functions_suite__lookup_unplaced_and_placed),
        oracle_test(pair_rdd_functions_suite__lookup_with_a_partitioner_that_goes_astray),
        oracle_test(pair_rdd_functions_suite__sample_by_key_exact),
        oracle_test(pair_rdd_functions_suite__sample_by_key),
        oracle_test(pair_rdd_functions_suite__count_approx_distinct_by_key),
        file_test(pair_rdd_functions_suite__a_writer_that_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
