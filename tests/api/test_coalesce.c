/* SPDX-License-Identifier: Apache-2.0 */
/* Fewer or other partitions: coalesce, which puts neighbours together, and repartition, which deals
 * elements out. */
#include "file_test.h"
#include "layouts.h"

SPARK_PAIR(place, int32_t, int64_t);

enum { ROWS = 150 };

/* where_am_i: the partition a function sees, with its first element. */
SPARK_PARTITIONS(where_am_i, int64_t, place)
{
    const int64_t *item = spark_next(in);
    spark_emit(out, (place) { spark_task_partition(task), item ? *item : -1 });
}
SPARK_MAP(with_partition, int64_t, place)
{
    *out = (place) { spark_task_partition(task), *in };
}
SPARK_PARTITIONS(size_of, int64_t, int64_t)
{
    int64_t n = 0;
    while (spark_next(in) != NULL)
        n++;
    spark_emit(out, n);
}

/* ---- coalesce */

typedef struct asked {
    size_t n;
    int partitions;
} asked;

static spark_rdd *build_coalesce(spark_context *sc, int partitions, const void *arg)
{
    const asked *a = arg;
    return spark_coalesce(input(words(sc, 0, a->n, partitions)), a->partitions);
}
static void naive_coalesce(layout *want, int partitions, const void *arg)
{
    const asked *a = arg;
    const int groups = a->partitions < partitions ? a->partitions : partitions;
    char text[64];
    for (int g = 0; g < groups; g++) {
        layout_part(want);
        for (size_t p = slice((size_t)partitions, groups, g);
             p < slice((size_t)partitions, groups, g + 1); p++)
            for (size_t i = slice(a->n, partitions, (int)p);
                 i < slice(a->n, partitions, (int)p + 1); i++)
                LAYOUT_ROW(want, word, word_of((int64_t)i, text));
    }
}

static void test_coalesce__puts_neighbours_together(void **state)
{
    static const asked cases[] = { { ROWS, 1 }, { ROWS, 2 }, { ROWS, 3 }, { 5, 5 }, { ROWS, 7 },
        { 1, 16 }, { 0, 4 }, { ROWS, INT32_MAX } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        layout_compare(build_coalesce, naive_coalesce, &cases[i]);
}

static void test_coalesce__gives_the_cases_of_the_rdd_suite(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *ten = spark_range(sc, 1, 11, 1, 10);
        oracle_collects(spark_glom(spark_coalesce(ten, 3)), "[1,2,3] [4,5,6] [7,8,9,10]");
        oracle_collects(
            spark_glom(spark_coalesce(ten, 10)), "[1] [2] [3] [4] [5] [6] [7] [8] [9] [10]");
        oracle_collects(
            spark_glom(spark_coalesce(ten, 20)), "[1] [2] [3] [4] [5] [6] [7] [8] [9] [10]");
        assert_int_equal(spark_rdd_partitions(spark_coalesce(ten, 20)), 10);
        oracle_collects(spark_glom(spark_coalesce(ten, 4)), "[1,2] [3,4,5] [6,7] [8,9,10]");
        spark_rdd *none = spark_coalesce(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), 3);
        assert_int_equal(spark_rdd_partitions(none), 0);
        oracle_collects(none, "");
        oracle_has_layout(spark_coalesce(spark_range(sc, 0, 0, 1, 5), 2), " |");
        oracle_close(sc);
    }
}

/* ---- coalesce by a function */

SPARK_COALESCER(odd_and_even)
{
    for (int i = 0; i < n; i++)
        group_of[i] = i % 2;
    return n < 2 ? n : 2;
}
SPARK_COALESCER(all_in, int)
{
    for (int i = 0; i < n; i++)
        group_of[i] = *env;
    return n > 0 ? most : 0;
}
static int bad_group, n_bad_groups;
SPARK_COALESCER(wrong_groups)
{
    for (int i = 0; i < n; i++)
        group_of[i] = bad_group;
    return n_bad_groups;
}

static spark_rdd *build_odd_and_even(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_coalesce_by(spark_range(sc, 0, 40, 1, partitions), 2, odd_and_even, NULL);
}
static void naive_odd_and_even(layout *want, int partitions, const void *arg)
{
    (void)arg;
    for (int g = 0; g < 2 && g < partitions; g++) {
        layout_part(want);
        for (int p = g; p < partitions; p += 2)
            for (size_t i = slice(40, partitions, p); i < slice(40, partitions, p + 1); i++)
                LAYOUT_ROW(want, int64_t, (int64_t)i);
    }
}

static void test_coalesce_by__puts_together_what_a_function_says(void **state)
{
    (void)state;
    layout_compare(build_odd_and_even, naive_odd_and_even, NULL);
    spark_context *sc = oracle_open(2);
    const int last = 2;
    spark_rdd *n = spark_range(sc, 0, 6, 1, 3);
    oracle_has_layout(spark_coalesce_by(n, 3, all_in, SPARK_COPY(last)), " | | 0 1 2 3 4 5");
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
    assert_int_equal(spark_rdd_partitions(spark_coalesce_by(none, 3, odd_and_even, NULL)), 0);
    /* How many there will be is known to what follows. */
    spark_rdd *pairs = spark_map(spark_coalesce_by(n, 3, odd_and_even, NULL), with_partition, NULL);
    assert_int_equal(spark_rdd_partitions(spark_group_by_key(pairs, 0)), 2);
    assert_non_null(strstr(spark_to_debug_string(pairs), "CoalescedRDD"));
    oracle_close(sc);
}

/* ---- prune_partitions */

static spark_rdd *pruned(spark_rdd *rdd, size_t n, const int *kept)
{
    return spark_prune_partitions(rdd, n, kept);
}

static void test_prune_partitions__leaves_those_that_are_listed(void **state)
{
    static const int kept[] = { 3, 0, 3 }, beyond[] = { 0, 4 }, negative[] = { -1 };
    int64_t n;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd = spark_range(sc, 0, 8, 1, 4);
        oracle_has_layout(pruned(rdd, 3, kept), "6 7 | 0 1 | 6 7");
        oracle_has_layout(
            spark_union(pruned(rdd, 1, kept), pruned(rdd, 2, kept)), "6 7 | 6 7 | 0 1");
        assert_int_equal(spark_rdd_partitions(pruned(rdd, 0, NULL)), 0);
        oracle_collects(pruned(rdd, 0, NULL), "");
        /* Nothing is computed for the others. */
        oracle_count(pruned(spark_cache(rdd), 2, kept));
        assert_int_equal(spark_rdd_cached_partitions(rdd), 2);
        /* Functions before it see their own partition, those behind it the new one. */
        oracle_has_layout(
            pruned(spark_map(spark_range(sc, 0, 4, 1, 4), with_partition, NULL), 3, kept),
            "(3,3) | (0,0) | (3,3)");
        oracle_has_layout(
            spark_map(pruned(spark_range(sc, 0, 4, 1, 4), 3, kept), with_partition, NULL),
            "(0,3) | (1,0) | (2,3)");
        oracle_fails(spark_count(pruned(rdd, 2, beyond), &n), SPARK_EINVAL,
            "Attempting to access a non-existent partition: 4 of 4");
        oracle_fails(
            spark_count(pruned(rdd, 1, negative), &n), SPARK_EINVAL, "prunePartitions at ");
        oracle_fails(spark_count(pruned(rdd, 2, NULL), &n), SPARK_EINVAL, "no list");
        oracle_close(sc);
    }
}

static void test_coalesce__leaves_functions_before_it_their_partitions(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *n = spark_range(sc, 0, 12, 1, 6), *small = spark_coalesce(n, 2);
        oracle_has_layout(spark_coalesce(spark_map_partitions(n, where_am_i, NULL), 4),
            "(0,0) | (1,2) (2,4) | (3,6) | (4,8) (5,10)");
        oracle_has_layout(spark_map_partitions(small, where_am_i, NULL), "(0,0) | (1,6)");
        oracle_has_layout(spark_map(small, with_partition, NULL),
            "(0,0) (0,1) (0,2) (0,3) (0,4) (0,5) | (1,6) (1,7) (1,8) (1,9) (1,10) (1,11)");
        oracle_has_layout(spark_coalesce(spark_map(small, with_partition, NULL), 1),
            "(0,0) (0,1) (0,2) (0,3) (0,4) (0,5) (1,6) (1,7) (1,8) (1,9) (1,10) (1,11)");
        oracle_close(sc);
    }
}

static void test_coalesce__takes_what_other_operations_make(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *n = spark_range(sc, 0, 8, 1, 4), *even = spark_filter(n, is_even, NULL);
        oracle_has_layout(spark_coalesce(spark_union(even, n), 3), "0 2 | 4 6 0 1 | 2 3 4 5 6 7");
        oracle_has_layout(spark_coalesce(spark_zip(n, n), 2),
            "(0,0) (1,1) (2,2) (3,3) | (4,4) (5,5) (6,6) (7,7)");
        oracle_has_layout(spark_coalesce(spark_cartesian(even, even), 2),
            "(0,0) (0,2) (0,4) (0,6) (2,0) (2,2) (2,4) (2,6) | "
            "(4,0) (4,2) (4,4) (4,6) (6,0) (6,2) (6,4) (6,6)");
        spark_rdd *rdd = n;
        for (int i = 0; i < 20; i++)
            rdd = spark_coalesce(spark_union(rdd, spark_range(sc, 8 + i, 9 + i, 1, 1)), 2);
        oracle_collects(
            rdd, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27");
        assert_int_equal(spark_rdd_partitions(rdd), 2);
        /* After a shuffle, and before one. */
        spark_rdd *pairs = spark_key_by(n, same, NULL);
        spark_rdd *sums = spark_coalesce(spark_reduce_by_key(pairs, spark_op_sum, NULL, 5), 2);
        oracle_holds(sums, "(0,0) (1,1) (2,2) (3,3) (4,4) (5,5) (6,6) (7,7)");
        assert_int_equal(spark_rdd_partitions(sums), 2);
        rdd = spark_reduce_by_key(spark_coalesce(pairs, 2), spark_op_sum, NULL, 0);
        oracle_holds(rdd, "(0,0) (1,1) (2,2) (3,3) (4,4) (5,5) (6,6) (7,7)");
        assert_int_equal(spark_rdd_partitions(rdd), 2);
        oracle_close(sc);
    }
}

static void test_coalesce__runs_a_task_for_each_group(void **state)
{
    static const size_t sizes[] = { 0, 1, 9, 10, 11, 99, 500, 1000 };
    (void)state;
    spark_context *sc = oracle_open(2);
    counter calls = spark_counter(sc, "calls");
    spark_rdd *n = spark_map(spark_range(sc, 0, 1000, 1, 100), counted, SPARK_COPY(calls));
    assert_int_equal(oracle_count(spark_coalesce(n, 3)), 1000);
    assert_int_equal(oracle_last_job(sc).tasks, 3);
    assert_int_equal(spark_accumulator_value(calls), 1000);
    /* A take reads no more of a group than it needs: ten partitions of ten elements. */
    spark_array array;
    oracle_ok(spark_take(spark_coalesce(n, 1), 95, SPARK_TYPE(int64_t), &array));
    assert_int_equal(SPARK_ITEMS(int64_t, &array)[94], 94);
    spark_array_free(&array);
    assert_int_equal(spark_accumulator_value(calls), 1100);
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *other = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *rdd = spark_coalesce(words(other, 0, 1000, 100), 3);
        for (size_t i = 0; i < LENGTH(sizes); i++)
            takes_prefix(rdd, sizes[i]);
        oracle_close(other);
    }
    oracle_close(sc);
}

static void test_coalesce__reads_caches(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open_failing_once(threads);
        counter calls = spark_counter(sc, "calls");
        spark_rdd *cached
            = spark_cache(spark_map(spark_range(sc, 0, 100, 1, 10), counted, SPARK_COPY(calls)));
        spark_rdd *rdd = spark_coalesce(cached, 3);
        assert_int_equal(oracle_count(rdd), 100);
        assert_int_equal(spark_rdd_cached_partitions(cached), 10);
        assert_int_equal(oracle_count(rdd), 100);
        assert_int_equal(spark_accumulator_value(calls), 100);
        assert_true(spark_drop_block(cached, 4));
        assert_true(spark_drop_block(cached, 9));
        assert_int_equal(oracle_count(rdd), 100);
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, 2);
        assert_int_equal(spark_accumulator_value(calls), 100);
        /* Blocks above it hold a group each. */
        (void)spark_cache(rdd);
        assert_int_equal(oracle_count(rdd), 100);
        assert_int_equal(spark_rdd_cached_partitions(rdd), 3);
        assert_true(spark_drop_block(rdd, 2));
        assert_int_equal(oracle_count(rdd), 100);
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
        oracle_close(sc);
    }
}

typedef int64_t *i64_place;
SPARK_COALESCER(sees_bytes, i64_place)
{
    for (int i = 0; i < n; i++) {
        **env = bytes[i];
        group_of[i] = 0;
    }
    return n > 0;
}

/* What each partition reads is found out once, though unions take an RDD twice at every one of many levels. */
static void test_coalesce__counts_bytes_of_many_diamonds(void **state)
{
    (void)state;
    int64_t seen = 0;
    const i64_place at = &seen;
    scratch_write("a.txt", "1\n2\n", 4);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_text_file(sc, "a.txt", 1);
    for (int levels = 1; levels <= 200; levels++) {
        rdd = spark_cache(spark_coalesce(spark_union(rdd, rdd), 1));
        if (levels != 2 && levels != 50 && levels != 200)
            continue;
        assert_int_equal(spark_rdd_partitions(spark_coalesce_by(rdd, 1, sees_bytes, SPARK_COPY(at))), 1);
        assert_true(seen == (levels < 61 ? INT64_C(4) << levels : INT64_MAX));
    }
    oracle_close(sc);
}

/* Nodes above each other are no calls inside each other. */
static void test_coalesce__counts_bytes_of_a_long_lineage(void **state)
{
    (void)state;
    int64_t seen = 0;
    const i64_place at = &seen;
    scratch_write("a.txt", "1\n2\n", 4);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_text_file(sc, "a.txt", 1);
    for (int i = 0; i < 100000; i++)
        rdd = spark_coalesce(rdd, 1);
    assert_int_equal(spark_rdd_partitions(spark_coalesce_by(rdd, 1, sees_bytes, SPARK_COPY(at))), 1);
    assert_int_equal(seen, 4);
    oracle_close(sc);
}

static spark_rdd *build_large(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_coalesce(spark_range(sc, 0, 1300000, 1, 7), partitions);
}

static void test_coalesce__goes_on_without_room_in_the_cache(void **state)
{
    (void)state;
    goes_on_without_room(build_large, NULL);
}

/* ---- repartition */

/* first_turn: where partition m begins to deal among n: java.util.Random's nextInt(n), with
 * byteswap32(m) for a seed. */
static uint64_t next_state(uint64_t state)
{
    return (state * 0x5DEECE66Du + 0xB) & 0xFFFFFFFFFFFFu;
}
static int first_turn(int m, int n)
{
    uint32_t seed = (uint32_t)m * 0x9e3775cdu;
    seed = (seed >> 24 | (seed >> 8 & 0xff00) | (seed << 8 & 0xff0000) | seed << 24) * 0x9e3775cdu;
    uint64_t state = ((uint64_t)(int64_t)(int32_t)seed ^ 0x5DEECE66Du) & 0xFFFFFFFFFFFFu;
    for (;;) {
        state = next_state(state);
        const int64_t bits = (int64_t)(state >> 17); /* 31 of them */
        if ((n & -n) == n)
            return (int)(n * bits >> 31);
        if (bits - bits % n + (n - 1) < INT64_C(1) << 31)
            return (int)(bits % n);
    }
}

static void test_repartition__starts_where_spark_does(void **state)
{
    static const struct {
        int n, starts[10];
    } table[] = {
        { 2, { 1, 0, 1, 1, 0, 0, 1, 0, 1, 0 } },
        { 3, { 0, 1, 0, 1, 1, 0, 0, 0, 0, 1 } },
        { 4, { 2, 0, 3, 3, 1, 0, 3, 0, 3, 1 } },
        { 20, { 0, 12, 11, 1, 13, 18, 9, 11, 14, 10 } },
    };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < LENGTH(table); i++) {
        const int n = table[i].n;
        layout want = { .partitions = 0 };
        for (int p = 0; p < n; p++) {
            layout_part(&want);
            for (int64_t m = 0; m < 10; m++) {
                assert_int_equal(first_turn((int)m, n), table[i].starts[m]);
                /* The first element goes one further than the start. */
                if ((table[i].starts[m] + 1) % n == p)
                    LAYOUT_ROW(&want, int64_t, m);
            }
        }
        is_layout(spark_repartition(spark_range(sc, 0, 10, 1, 10), n), &want, "first elements");
        layout_free(&want);
    }
    oracle_close(sc);
}

static spark_rdd *build_repartition(spark_context *sc, int partitions, const void *arg)
{
    const asked *a = arg;
    return spark_repartition(input(words(sc, 0, a->n, partitions)), a->partitions);
}
static void naive_repartition(layout *want, int partitions, const void *arg)
{
    const asked *a = arg;
    char text[64];
    for (int g = 0; g < a->partitions; g++) {
        layout_part(want);
        for (int p = 0; p < partitions; p++) {
            int turn = first_turn(p, a->partitions);
            for (size_t i = slice(a->n, partitions, p); i < slice(a->n, partitions, p + 1); i++) {
                turn = (turn + 1) % a->partitions;
                if (turn == g)
                    LAYOUT_ROW(want, word, word_of((int64_t)i, text));
            }
        }
    }
}

static void test_repartition__deals_elements_out_in_turn(void **state)
{
    static const asked cases[]
        = { { ROWS, 1 }, { ROWS, 2 }, { ROWS, 3 }, { 5, 5 }, { 40, 64 }, { 0, 3 }, { 1, 7 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        layout_compare(build_repartition, naive_repartition, &cases[i]);
}

static void sizes_are(spark_rdd *rdd, int n, int64_t from, int64_t to)
{
    spark_array array;
    assert_int_equal(spark_rdd_partitions(rdd), n);
    oracle_ok(spark_collect(spark_map_partitions(rdd, size_of, NULL), SPARK_TYPE(int64_t), &array));
    assert_int_equal(array.n, n);
    for (int i = 0; i < n; i++)
        assert_in_range(SPARK_ITEMS(int64_t, &array)[i], from, to);
    spark_array_free(&array);
}

static void test_repartition__gives_the_cases_of_the_rdd_suite(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        int from, to;
    } cases[] = { { 100, 10, 20 }, { 10000, 20, 100 }, { 1000, 250, 128 }, { 1000, 10, 2 },
        { 1000, 10, 20 } };
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        for (size_t i = 0; i < LENGTH(cases); i++) {
            spark_rdd *rdd
                = spark_repartition(spark_range(sc, 0, cases[i].n, 1, cases[i].from), cases[i].to);
            sizes_are(rdd, cases[i].to, 1, cases[i].n / cases[i].to + cases[i].from);
            assert_int_equal(oracle_count(spark_distinct(rdd, 0)), cases[i].n);
        }
        sizes_are(spark_repartition(spark_range(sc, 0, 1000, 1, 10), 2), 2, 490, 510);
        oracle_holds(
            spark_repartition(spark_range(sc, 0, 10, 1, 1000), 2001), "0 1 2 3 4 5 6 7 8 9");
        /* Of nothing, all partitions are there. */
        spark_rdd *none = spark_repartition(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), 3);
        sizes_are(none, 3, 0, 0);
        sizes_are(spark_repartition(spark_range(sc, 0, 0, 1, 5), 4), 4, 0, 0);
        oracle_close(sc);
    }
}

static void test_repartition__of_many_elements_goes_on_dealing(void **state)
{
    enum { MANY = 300000, INTO = 7 };
    (void)state;
    /* More than a window of a map side; element i of partition p is the i-th that is dealt. */
    static const int64_t n[] = { MANY, 3 * MANY };
    for (int inputs_ = 1; inputs_ <= 3; inputs_ += 2) {
        spark_context *sc = oracle_open(2);
        spark_rdd *rdd
            = spark_glom(spark_repartition(spark_range(sc, 0, n[inputs_ / 2], 1, inputs_), INTO));
        spark_array array;
        oracle_ok(spark_collect(rdd, SPARK_TYPE(spark_i64_list), &array));
        const spark_i64_list *lists = SPARK_ITEMS(spark_i64_list, &array);
        size_t at[INTO] = { 0 };
        for (int p = 0; p < inputs_; p++) {
            int turn = first_turn(p, INTO);
            for (int64_t i = 0; i < MANY; i++) {
                turn = (turn + 1) % INTO;
                assert_true(at[turn] < lists[turn].n);
                assert_int_equal(lists[turn].at[at[turn]++], p * MANY + i);
            }
        }
        for (int g = 0; g < INTO; g++)
            assert_int_equal(at[g], lists[g].n);
        spark_array_free(&array);
        oracle_close(sc);
    }
}

SPARK_MAP(long_text, int64_t, word)
{
    char text[300];
    memset(text, 'a' + (int)(*in % 26), sizeof text);
    *out = (word) { (int32_t)*in, spark_str_copy(task, (spark_str) { text, sizeof text }) };
}

static void test_repartition__of_much_text_goes_on_dealing(void **state)
{
    enum { MANY = 40000, INTO = 3 };
    (void)state;
    /* Several times what a window may hold in bytes. */
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd
        = spark_repartition(spark_map(spark_range(sc, 0, MANY, 1, 1), long_text, NULL), INTO);
    spark_array array;
    oracle_ok(spark_collect(rdd, SPARK_TYPE(word), &array));
    assert_int_equal(array.n, MANY);
    const word *w = SPARK_ITEMS(word, &array);
    for (int g = 0; g < INTO; g++) {
        int turn = first_turn(0, INTO);
        for (int32_t i = 0; i < MANY; i++) {
            turn = (turn + 1) % INTO;
            if (turn != g)
                continue;
            assert_int_equal(w->key, i);
            assert_int_equal(w->value.len, 300);
            assert_int_equal(w->value.ptr[0], 'a' + i % 26);
            assert_int_equal(w->value.ptr[299], 'a' + i % 26);
            w++;
        }
    }
    spark_array_free(&array);
    oracle_close(sc);
}

static void test_repartition__is_a_shuffle(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open(threads);
        counter calls = spark_counter(sc, "calls");
        spark_rdd *n = spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(calls));
        spark_rdd *rdd = spark_repartition(n, 8);
        char *first = oracle_layout(rdd);
        assert_non_null(first);
        spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(stats.stages, 2);
        assert_int_equal(stats.skipped_stages, 0);
        assert_int_equal(stats.shuffle_rows, 100);
        assert_int_equal(stats.tasks, 12);
        oracle_has_layout(rdd, first);
        stats = oracle_last_job(sc);
        assert_int_equal(stats.skipped_stages, 1);
        assert_int_equal(stats.shuffle_rows, 0);
        /* What is lost is dealt out again, as it was. */
        assert_true(spark_drop_shuffle_output(rdd, 2));
        oracle_has_layout(rdd, first);
        stats = oracle_last_job(sc);
        assert_int_equal(stats.recomputed_partitions, 1);
        assert_int_equal(stats.shuffle_rows, 25);
        assert_int_equal(spark_accumulator_value(calls), 100);
        free(first);
        oracle_close(sc);
    }
}

static void test_repartition__gives_the_same_after_losses(void **state)
{
    /* Job 0 loses every first attempt; job 1 loses an output while it reads. */
    static const spark_fault plan[] = {
        { SPARK_FAULT_TASK, 0, SPARK_ANY, SPARK_ANY, .attempt = 0 },
        { SPARK_FAULT_SHUFFLE, 1, 1, 0, .attempt = 0, .output = 1 },
    };
    (void)state;
    spark_context *calm = oracle_open(2);
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .threads = 2, .faults = plan, .n_faults = LENGTH(plan) });
    char *want = oracle_layout(spark_repartition(spark_repartition(words(calm, 0, 99, 5), 3), 4));
    spark_rdd *rdd = spark_repartition(spark_repartition(words(sc, 0, 99, 5), 3), 4);
    assert_non_null(want);
    oracle_has_layout(rdd, want);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 5 + 3 + 4);
    rdd = spark_repartition(words(sc, 0, 99, 5), 3);
    free(want);
    want = oracle_layout(spark_repartition(words(calm, 0, 99, 5), 3));
    assert_non_null(want);
    oracle_has_layout(rdd, want);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
    free(want);
    oracle_close(sc);
    oracle_close(calm);
}

static void test_partitioner__is_dropped(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *placed = spark_partition_by(
        spark_key_by(spark_range(sc, 0, 20, 1, 3), same, NULL), spark_hash_partitioner(sc, 4));
    assert_non_null(spark_rdd_partitioner(placed));
    partitioned_as(spark_coalesce(placed, 2), NULL);
    partitioned_as(spark_coalesce(placed, 4), NULL);
    partitioned_as(spark_coalesce(placed, 9), NULL);
    partitioned_as(spark_repartition(placed, 4), NULL);
    partitioned_as(spark_repartition(placed, 9), NULL);
    /* Sums by key are right all the same, also where counts of partitions agree. */
    spark_rdd *dealt = spark_repartition(spark_union(placed, placed), 4);
    oracle_holds(spark_reduce_by_key(dealt, spark_op_sum, NULL, 4),
        "(0,0) (1,2) (10,20) (11,22) (12,24) (13,26) (14,28) (15,30) (16,32) (17,34) (18,36) "
        "(19,38) (2,4) (3,6) (4,8) (5,10) (6,12) (7,14) (8,16) (9,18)");
    assert_int_equal(oracle_count(spark_join(dealt, placed, 4)), 40);
    assert_int_equal(oracle_count(spark_join(spark_repartition(placed, 4), placed, 0)), 20);
    assert_int_equal(oracle_count(spark_distinct(dealt, 4)), 20);
    oracle_close(sc);
}

static void test_verbs__refuse_what_is_wrong(void **state)
{
    static const int wrong[] = { 0, -1, INT32_MIN };
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *n = spark_range(sc, 1, 11, 1, 10), *bad = broken(sc);
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        char words_[64];
        snprintf(words_, sizeof words_, "%d partitions; there must be at least one", wrong[i]);
        refused(spark_coalesce(n, wrong[i]), SPARK_EINVAL, "coalesce", words_);
        refused(spark_repartition(n, wrong[i]), SPARK_EINVAL, "repartition", words_);
    }
    passes_on(spark_coalesce(bad, 2));
    passes_on(spark_repartition(bad, 2));
    passes_on(spark_coalesce(bad, 0));
    passes_on(spark_coalesce_by(bad, 2, odd_and_even, NULL));
    refused(spark_coalesce_by(n, 0, odd_and_even, NULL), SPARK_EINVAL, "coalesce(odd_and_even)",
        "0 partitions");
    oracle_fails(
        spark_collect(spark_coalesce_by(n, 2, NULL, NULL), NULL, &array), SPARK_EINVAL, "coalesce");
    oracle_fails(spark_collect(spark_coalesce_by(n, 2, all_in, NULL), NULL, &array), SPARK_EINVAL,
        "wants an env of 4 bytes");
    const struct {
        int group, groups;
        const char *words;
    } bad_groups[] = { { 3, 3, "partition 0 is put into group 3 of 3" },
        { -1, 3, "partition 0 is put into group -1 of 3" },
        { 0, 0, "0 groups of 10 partitions; there must be 1 to 10" },
        { 0, -4, "-4 groups of 10 partitions" }, { 0, 11, "11 groups of 10 partitions" } };
    for (size_t i = 0; i < LENGTH(bad_groups); i++) {
        bad_group = bad_groups[i].group;
        n_bad_groups = bad_groups[i].groups;
        spark_rdd *rdd = spark_coalesce_by(n, 2, wrong_groups, NULL);
        oracle_fails(spark_collect(rdd, NULL, &array), SPARK_EINVAL, bad_groups[i].words);
        oracle_fails(spark_collect(rdd, NULL, &array), SPARK_EINVAL, "coalesce(wrong_groups) at ");
    }
    oracle_fails(spark_collect(spark_coalesce(NULL, 2), NULL, &array), SPARK_EINVAL, "NULL");
    oracle_fails(spark_collect(spark_repartition(NULL, 2), NULL, &array), SPARK_EINVAL, "NULL");
    oracle_fails(spark_collect(spark_coalesce(n, 2), SPARK_TYPE(double), &array), SPARK_ETYPE,
        "f64 wanted, i64 found");
    oracle_fails(spark_collect(spark_repartition(n, 2), SPARK_TYPE(double), &array), SPARK_ETYPE,
        "f64 wanted, i64 found");
    /* The input is as usable as before. */
    oracle_collects(n, "1 2 3 4 5 6 7 8 9 10");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_coalesce__puts_neighbours_together),
        oracle_test(test_coalesce__gives_the_cases_of_the_rdd_suite),
        oracle_test(test_prune_partitions__leaves_those_that_are_listed),
        oracle_test(test_coalesce_by__puts_together_what_a_function_says),
        oracle_test(test_coalesce__leaves_functions_before_it_their_partitions),
        oracle_test(test_coalesce__takes_what_other_operations_make),
        oracle_test(test_coalesce__runs_a_task_for_each_group),
        oracle_test(test_coalesce__reads_caches),
        file_test(test_coalesce__counts_bytes_of_many_diamonds),
        file_test(test_coalesce__counts_bytes_of_a_long_lineage),
        oracle_test(test_coalesce__goes_on_without_room_in_the_cache),
        oracle_test(test_repartition__starts_where_spark_does),
        oracle_test(test_repartition__deals_elements_out_in_turn),
        oracle_test(test_repartition__gives_the_cases_of_the_rdd_suite),
        oracle_test(test_repartition__of_many_elements_goes_on_dealing),
        oracle_test(test_repartition__of_much_text_goes_on_dealing),
        oracle_test(test_repartition__is_a_shuffle),
        oracle_test(test_repartition__gives_the_same_after_losses),
        oracle_test(test_partitioner__is_dropped),
        oracle_test(test_verbs__refuse_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
