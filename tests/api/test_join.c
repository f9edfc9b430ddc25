/* SPDX-License-Identifier: Apache-2.0 */
/* Joins of all kinds, nested and by SPARK_JOIN, against nested loops. */
#include "oracle.h"

#define ROWS 120

SPARK_PAIR(left_row, int32_t, int64_t);
SPARK_PAIR(right_row, int32_t, spark_str);
SPARK_PAIR(both, int64_t, spark_str);
SPARK_PAIR(inner_row, int32_t, both);
SPARK_PAIR(maybe_right, int64_t, spark_opt_str);
SPARK_PAIR(left_outer_row, int32_t, maybe_right);
SPARK_PAIR(maybe_left, spark_opt_i64, spark_str);
SPARK_PAIR(right_outer_row, int32_t, maybe_left);
SPARK_PAIR(maybe_both, spark_opt_i64, spark_opt_str);
SPARK_PAIR(full_outer_row, int32_t, maybe_both);
SPARK_PAIR(word_row, spark_str, int32_t);
SPARK_PAIR(two, int32_t, int32_t);
SPARK_PAIR(word_two, spark_str, two);
SPARK_STRUCT(
    flat, (int32_t, key), (int64_t, left), (bool, has_left), (spark_str, right), (bool, has_right));
SPARK_PAIR(i64_row, int64_t, int64_t);

SPARK_JOIN(flatten, int32_t, int64_t, spark_str, flat)
{
    spark_emit(out,
        (flat) { *key, left ? *left : -1, left != NULL, right ? *right : SPARK_LIT("none"),
            right != NULL });
}

/* sides: two tables and how to join them */
typedef struct sides {
    const left_row *left;
    const right_row *right;
    size_t n_left, n_right;
    int left_partitions, right_partitions; /* 0: as many as the other side */
    int partitions;
    int placed; /* 1: the left one, 2: the right one, 3: both by hash */
} sides;

static void load(
    spark_context *sc, int partitions, const sides *s, spark_rdd **left, spark_rdd **right)
{
    int n = s->left_partitions ? s->left_partitions : partitions;
    *left = spark_parallelize(sc, SPARK_DATA(left_row, s->n_left, s->left), n);
    n = s->right_partitions ? s->right_partitions : partitions;
    *right = spark_parallelize(sc, SPARK_DATA(right_row, s->n_right, s->right), n);
    if (s->placed & 1)
        *left = spark_partition_by(*left, spark_hash_partitioner(sc, 4));
    if (s->placed & 2)
        *right = spark_partition_by(*right, spark_hash_partitioner(sc, 4));
}

static spark_rdd *join_inner(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *left, *right;
    load(sc, partitions, arg, &left, &right);
    return spark_join(left, right, ((const sides *)arg)->partitions);
}
static spark_rdd *join_left(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *left, *right;
    load(sc, partitions, arg, &left, &right);
    return spark_left_outer_join(left, right, ((const sides *)arg)->partitions);
}
static spark_rdd *join_right(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *left, *right;
    load(sc, partitions, arg, &left, &right);
    return spark_right_outer_join(left, right, ((const sides *)arg)->partitions);
}
static spark_rdd *join_full(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *left, *right;
    load(sc, partitions, arg, &left, &right);
    return spark_full_outer_join(left, right, ((const sides *)arg)->partitions);
}
static spark_rdd *map_inner(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *left, *right;
    load(sc, partitions, arg, &left, &right);
    return spark_join_map(
        left, right, SPARK_INNER, flatten, NULL, ((const sides *)arg)->partitions);
}
static spark_rdd *map_left(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *left, *right;
    load(sc, partitions, arg, &left, &right);
    return spark_join_map(
        left, right, SPARK_LEFT_OUTER, flatten, NULL, ((const sides *)arg)->partitions);
}
static spark_rdd *map_right(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *left, *right;
    load(sc, partitions, arg, &left, &right);
    return spark_join_map(
        left, right, SPARK_RIGHT_OUTER, flatten, NULL, ((const sides *)arg)->partitions);
}
static spark_rdd *map_full(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *left, *right;
    load(sc, partitions, arg, &left, &right);
    return spark_join_map(
        left, right, SPARK_FULL_OUTER, flatten, NULL, ((const sides *)arg)->partitions);
}

/* match: calls row for each row of a full outer join: at a NULL side, -1. */
typedef struct matches {
    flat *rows;
    size_t n, room;
} matches;

static void match(matches *m, const left_row *left, const right_row *right)
{
    if (m->n == m->room) {
        m->room = m->room * 2 + 64;
        m->rows = realloc(m->rows, m->room * sizeof *m->rows);
        if (m->rows == NULL)
            abort();
    }
    m->rows[m->n++] = (flat) { left ? left->key : right->key, left ? left->value : -1, left != NULL,
        right ? right->value : SPARK_LIT("none"), right != NULL };
}

static matches nested_loop(const sides *s, bool keep_left, bool keep_right)
{
    matches m = { NULL, 0, 0 };
    bool *met = calloc(s->n_right + 1, sizeof *met);
    if (met == NULL)
        abort();
    for (size_t i = 0; i < s->n_left; i++) {
        bool found = false;
        for (size_t j = 0; j < s->n_right; j++) {
            if (s->left[i].key == s->right[j].key) {
                match(&m, &s->left[i], &s->right[j]);
                met[j] = found = true;
            }
        }
        if (!found && keep_left)
            match(&m, &s->left[i], NULL);
    }
    for (size_t j = 0; j < s->n_right; j++)
        if (!met[j] && keep_right)
            match(&m, NULL, &s->right[j]);
    free(met);
    return m;
}

static void compare_all_kinds(const sides *s)
{
    static const oracle_build maps[4] = { map_inner, map_left, map_right, map_full };
    for (int kind = 0; kind < 4; kind++) {
        matches m = nested_loop(s, kind & 1, kind & 2);
        oracle_compare(maps[kind], s, false, SPARK_TYPE(flat), m.n, m.rows);
        if (kind == 0) {
            inner_row *rows = calloc(m.n + 1, sizeof *rows);
            for (size_t i = 0; i < m.n; i++)
                rows[i] = (inner_row) { m.rows[i].key, { m.rows[i].left, m.rows[i].right } };
            oracle_compare(join_inner, s, false, SPARK_TYPE(inner_row), m.n, rows);
            free(rows);
        } else if (kind == 1) {
            left_outer_row *rows = calloc(m.n + 1, sizeof *rows);
            for (size_t i = 0; i < m.n; i++)
                rows[i] = (left_outer_row) { m.rows[i].key,
                    { m.rows[i].left, { m.rows[i].has_right, m.rows[i].right } } };
            oracle_compare(join_left, s, false, SPARK_TYPE(left_outer_row), m.n, rows);
            free(rows);
        } else if (kind == 2) {
            right_outer_row *rows = calloc(m.n + 1, sizeof *rows);
            for (size_t i = 0; i < m.n; i++)
                rows[i] = (right_outer_row) { m.rows[i].key,
                    { { m.rows[i].has_left, m.rows[i].left }, m.rows[i].right } };
            oracle_compare(join_right, s, false, SPARK_TYPE(right_outer_row), m.n, rows);
            free(rows);
        } else {
            full_outer_row *rows = calloc(m.n + 1, sizeof *rows);
            for (size_t i = 0; i < m.n; i++)
                rows[i] = (full_outer_row) { m.rows[i].key,
                    { { m.rows[i].has_left, m.rows[i].left },
                        { m.rows[i].has_right, m.rows[i].right } } };
            oracle_compare(join_full, s, false, SPARK_TYPE(full_outer_row), m.n, rows);
            free(rows);
        }
        free(m.rows);
    }
}

static left_row lefts[ROWS];
static right_row rights[ROWS];
static char pool[ROWS][48];

static sides random_sides(uint64_t seed, uint64_t left_keys, uint64_t right_keys, int64_t offset)
{
    sides s = { lefts, rights, ROWS, ROWS - 30, 0, 0, 0, 0 };
    for (size_t i = 0; i < ROWS; i++) {
        lefts[i] = (left_row) { (int32_t)oracle_below(&seed, left_keys), (int64_t)i };
        int n = snprintf(
            pool[i], sizeof pool[i], i % 9 == 0 ? "the long right side of row %zu" : "r%zu", i);
        rights[i] = (right_row) { (int32_t)((int64_t)oracle_below(&seed, right_keys) + offset),
            { pool[i], (size_t)n } };
    }
    return s;
}

static void test_join__of_all_kinds_matches_nested_loops(void **state)
{
    sides s = random_sides(1, 60, 60, 10);
    (void)state;
    compare_all_kinds(&s);
}

static void test_join__multiplies_duplicates(void **state)
{
    sides s = random_sides(2, 5, 6, 2);
    (void)state;
    s.n_left = 60;
    s.n_right = 40;
    s.right_partitions = 2;
    s.partitions = 5;
    compare_all_kinds(&s);
}

static void test_join__takes_one_key_that_is_everywhere(void **state)
{
    sides s = random_sides(3, 1, 1, 0);
    (void)state;
    s.n_left = 50;
    s.n_right = 9;
    s.partitions = 3;
    compare_all_kinds(&s);
}

static void test_join__without_common_keys(void **state)
{
    sides s = random_sides(4, 20, 20, 1000);
    (void)state;
    s.partitions = 1;
    s.left_partitions = 4;
    compare_all_kinds(&s);
}

static void test_join__with_an_empty_side(void **state)
{
    sides s = random_sides(5, 20, 20, 0);
    (void)state;
    s.n_left = 10;
    s.n_right = 0;
    compare_all_kinds(&s);
    s.n_left = 0;
    s.n_right = 10;
    compare_all_kinds(&s);
    s.n_right = 0;
    compare_all_kinds(&s);
}

static void test_join__of_placed_sides(void **state)
{
    (void)state;
    for (int placed = 1; placed <= 3; placed++) {
        sides s = random_sides(6, 30, 30, 7);
        s.placed = placed;
        s.partitions = placed == 3 ? 0 : 4;
        s.n_left = 50;
        s.n_right = 40;
        compare_all_kinds(&s);
    }
}

static void test_join__of_sides_placed_alike_does_not_shuffle(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sides s = random_sides(7, 30, 30, 0);
    spark_rdd *left, *right;
    load(sc, 3, &s, &left, &right);
    left = spark_partition_by(left, spark_hash_partitioner(sc, 4));
    right = spark_partition_by(right, spark_hash_partitioner(sc, 4));
    oracle_count(left);
    oracle_count(right);
    matches m = nested_loop(&s, false, false);
    spark_rdd *joined[] = { spark_join(left, right, 4), spark_join(left, right, 0),
        spark_join_map(left, right, SPARK_INNER, flatten, NULL, 4) };
    for (size_t i = 0; i < LENGTH(joined); i++) {
        assert_int_equal(oracle_count(joined[i]), m.n);
        assert_int_equal(oracle_last_job(sc).stages, 3);
        assert_int_equal(oracle_last_job(sc).skipped_stages, 2);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
        assert_int_equal(oracle_last_job(sc).tasks, 4);
    }
    /* One side placed: only the other is shuffled. */
    spark_rdd *plain, *unused;
    load(sc, 3, &s, &unused, &plain);
    assert_int_equal(oracle_count(spark_join(left, plain, 0)), m.n);
    assert_int_equal(oracle_last_job(sc).stages, 3);
    assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, s.n_right);
    /* Another count: both are. */
    assert_int_equal(oracle_count(spark_join(left, right, 5)), m.n);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, s.n_left + s.n_right);
    free(m.rows);
    oracle_close(sc);
}

static void test_join__with_itself(void **state)
{
    left_row data[] = { { 1, 1 }, { 2, 2 }, { 1, 3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(left_row, 3, data), 2);
    oracle_holds(spark_join(rdd, rdd, 0), "(1,(1,1)) (1,(1,3)) (1,(3,1)) (1,(3,3)) (2,(2,2))");
    spark_rdd *placed = spark_partition_by(rdd, spark_hash_partitioner(sc, 2));
    oracle_holds(
        spark_join(placed, placed, 0), "(1,(1,1)) (1,(1,3)) (1,(3,1)) (1,(3,3)) (2,(2,2))");
    oracle_holds(spark_full_outer_join(placed, placed, 0),
        "(1,(1,1)) (1,(1,3)) (1,(3,1)) (1,(3,3)) (2,(2,2))");
    oracle_close(sc);
}

static void test_join__gives_the_cases_of_spark(void **state)
{
    left_row a[] = { { 1, 1 }, { 1, 2 }, { 2, 1 }, { 3, 1 } };
    right_row b[] = { { 1, SPARK_STR("x") }, { 2, SPARK_STR("y") }, { 2, SPARK_STR("z") },
        { 4, SPARK_STR("w") } };
    left_row ones[] = { { 1, 1 }, { 1, 2 }, { 1, 3 } };
    right_row xy[] = { { 1, SPARK_STR("x") }, { 1, SPARK_STR("y") } };
    left_row far[] = { { 4, 1 }, { 5, 1 }, { 6, 1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *ra = spark_parallelize(sc, SPARK_DATA(left_row, 4, a), 0);
    spark_rdd *rb = spark_parallelize(sc, SPARK_DATA(right_row, 4, b), 0);
    const char *inner = "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z))";
    oracle_holds(spark_join(ra, rb, 0), inner);
    oracle_holds(spark_join(ra, rb, 10), inner);
    oracle_holds(
        spark_left_outer_join(ra, rb, 0), "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z)) (3,(1,))");
    oracle_holds(
        spark_right_outer_join(ra, rb, 0), "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z)) (4,(,w))");
    oracle_holds(spark_full_outer_join(ra, rb, 0),
        "(1,(1,x)) (1,(2,x)) (2,(1,y)) (2,(1,z)) (3,(1,)) (4,(,w))");
    oracle_holds(spark_join(spark_parallelize(sc, SPARK_DATA(left_row, 3, ones), 2),
                     spark_parallelize(sc, SPARK_DATA(right_row, 2, xy), 2), 0),
        "(1,(1,x)) (1,(1,y)) (1,(2,x)) (1,(2,y)) (1,(3,x)) (1,(3,y))");
    oracle_holds(spark_join(ra, spark_parallelize(sc, SPARK_DATA(left_row, 3, far), 2), 0), "");
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(right_row));
    spark_rdd *pairs = spark_parallelize(sc, SPARK_DATA(left_row, 2, a), 2);
    assert_int_equal(oracle_count(spark_join(pairs, none, 0)), 0);
    assert_int_equal(oracle_count(spark_right_outer_join(pairs, none, 0)), 0);
    assert_int_equal(oracle_count(spark_left_outer_join(pairs, none, 0)), 2);
    assert_int_equal(oracle_count(spark_full_outer_join(pairs, none, 0)), 2);
    assert_int_equal(oracle_count(spark_right_outer_join(none, pairs, 0)), 2);
    assert_int_equal(oracle_count(spark_left_outer_join(none, pairs, 0)), 0);
    assert_int_equal(oracle_count(spark_full_outer_join(none, none, 0)), 0);
    assert_int_equal(oracle_count(spark_full_outer_join(none, none, 3)), 0);
    oracle_close(sc);
}

/* string keys, empty strings among them */
static const word_row word_lefts[]
    = { { SPARK_STR(""), 1 }, { SPARK_STR("a"), 2 }, { SPARK_STR("b"), 3 }, { SPARK_STR("a"), 4 },
          { SPARK_STR("a rather long key to be joined"), 5 },
          { SPARK_STR("a rather long key to be joinee"), 6 } };
static const word_row word_rights[] = { { SPARK_STR("a rather long key to be joined"), 10 },
    { SPARK_STR("c"), 20 }, { SPARK_STR("a"), 30 }, { SPARK_STR(""), 40 } };

static spark_rdd *join_words(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_join(
        spark_parallelize(sc, SPARK_DATA(word_row, LENGTH(word_lefts), word_lefts), partitions),
        spark_parallelize(sc, SPARK_DATA(word_row, LENGTH(word_rights), word_rights), 3), 4);
}

static void test_join__takes_string_keys(void **state)
{
    word_two want[] = { { SPARK_STR(""), { 1, 40 } }, { SPARK_STR("a"), { 2, 30 } },
        { SPARK_STR("a"), { 4, 30 } }, { SPARK_STR("a rather long key to be joined"), { 5, 10 } } };
    (void)state;
    oracle_compare(join_words, NULL, false, SPARK_TYPE(word_two), LENGTH(want), want);
}

/* any number of rows a match, with an environment */
typedef struct limits {
    int64_t copies;
} limits;
SPARK_JOIN(repeat, int32_t, int64_t, spark_str, spark_str, limits)
{
    for (int64_t i = 0; i < env->copies * (left ? *left : 0); i++) {
        spark_str text = spark_str_format(
            task, "%d:" SPARK_STR_FMT, (int)*key, SPARK_STR_ARG(right ? *right : SPARK_LIT("-")));
        if (!spark_emit(out, text))
            return;
    }
}

static void test_join_map__emits_any_number_of_rows(void **state)
{
    left_row a[] = { { 1, 0 }, { 1, 1 }, { 2, 3 }, { 3, 1 } };
    right_row b[] = { { 1, SPARK_STR("x") }, { 2, SPARK_STR("y") } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *ra = spark_parallelize(sc, SPARK_DATA(left_row, 4, a), 2);
    spark_rdd *rb = spark_parallelize(sc, SPARK_DATA(right_row, 2, b), 2);
    limits two_each = { 2 };
    oracle_holds(spark_join_map(ra, rb, SPARK_LEFT_OUTER, repeat, SPARK_COPY(two_each), 0),
        "1:x 1:x 2:y 2:y 2:y 2:y 2:y 2:y 3:- 3:-");
    spark_keyed_options by = { 0, spark_hash_partitioner(sc, 5) };
    spark_rdd *with = spark_join_map_with(ra, rb, SPARK_INNER, repeat, SPARK_COPY(two_each), &by);
    assert_int_equal(spark_rdd_partitions(with), 5);
    oracle_holds(with, "1:x 1:x 2:y 2:y 2:y 2:y 2:y 2:y");
    oracle_close(sc);
}

/* a hot key: 3000 x 3000 rows stream and are never held */
SPARK_JOIN(product, int64_t, int64_t, int64_t, int64_t)
{
    spark_emit(out, *left * *right);
}

static void test_join__streams_a_hot_key(void **state)
{
    enum { N = 3000 };
    (void)state;
    i64_row *rows = malloc(N * sizeof *rows);
    assert_non_null(rows);
    for (int i = 0; i < N; i++)
        rows[i] = (i64_row) { 42, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_row, N, rows), 3);
    spark_rdd *products = spark_join_map(rdd, rdd, SPARK_INNER, product, NULL, 4);
    spark_array sum;
    uint64_t peak = 0;
    oracle_ok(spark_reduce(products, spark_op_sum, NULL, SPARK_TYPE(int64_t), &sum));
    int64_t half = (int64_t)N * (N - 1) / 2;
    assert_int_equal(*SPARK_ITEMS(int64_t, &sum), half * half);
    spark_array_free(&sum);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 32u << 20);
    /* Nobody wants more than five. */
    oracle_ok(spark_take(spark_join(rdd, rdd, 1), 5, NULL, &sum));
    assert_int_equal(sum.n, 5);
    spark_array_free(&sum);
    oracle_close(sc);
    free(rows);
}

static void test_join__of_many_rows_adds_up(void **state)
{
    enum { N = 60000 };
    (void)state;
    i64_row *rows = malloc(N * sizeof *rows);
    assert_non_null(rows);
    for (int64_t i = 0; i < N; i++)
        rows[i] = (i64_row) { i * 7919 % 40000, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *a = spark_parallelize(sc, SPARK_DATA(i64_row, N, rows), 3);
    spark_rdd *b = spark_parallelize(sc, SPARK_DATA(i64_row, N / 2, rows), 5);
    static int64_t count[40000];
    int64_t want = 0;
    memset(count, 0, sizeof count);
    for (int i = 0; i < N / 2; i++)
        count[rows[i].key]++;
    for (int i = 0; i < N; i++)
        want += count[rows[i].key];
    assert_int_equal(oracle_count(spark_join(a, b, 4)), want);
    assert_int_equal(oracle_count(spark_join(b, a, 1)), want);
    oracle_close(sc);
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_join__of_all_kinds_matches_nested_loops),
        oracle_test(test_join__multiplies_duplicates),
        oracle_test(test_join__takes_one_key_that_is_everywhere),
        oracle_test(test_join__without_common_keys),
        oracle_test(test_join__with_an_empty_side),
        oracle_test(test_join__of_placed_sides),
        oracle_test(test_join__of_sides_placed_alike_does_not_shuffle),
        oracle_test(test_join__with_itself),
        oracle_test(test_join__gives_the_cases_of_spark),
        oracle_test(test_join__takes_string_keys),
        oracle_test(test_join_map__emits_any_number_of_rows),
        oracle_test(test_join__streams_a_hot_key),
        oracle_test(test_join__of_many_rows_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
