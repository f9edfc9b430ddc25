/* SPDX-License-Identifier: Apache-2.0 */
/* cogroup of two to four inputs, and joins with a partitioner, against nested loops. */
#include "oracle.h"

#define ROWS 90
#define KEYS 31

SPARK_PAIR(i32_i64, int32_t, int64_t);
SPARK_PAIR(i32_str, int32_t, spark_str);
SPARK_STRUCT(spot, (double, x), (spark_str, name));
SPARK_LIST(spots, spot);
SPARK_PAIR(i32_spot, int32_t, spot);
SPARK_STRUCT(two_lists, (spark_i64_list, numbers), (spark_str_list, texts));
SPARK_STRUCT(three_lists, (spark_i64_list, numbers), (spark_str_list, texts), (spots, places));
SPARK_STRUCT(four_lists, (spark_i64_list, numbers), (spark_str_list, texts), (spots, places),
    (spark_i64_list, others));
SPARK_PAIR(two_row, int32_t, two_lists);
SPARK_PAIR(three_row, int32_t, three_lists);
SPARK_PAIR(four_row, int32_t, four_lists);
SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_PAIR(str_str, spark_str, spark_str);
SPARK_PAIR(str_two, spark_str, two_lists);
SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(i64_pair, int64_t, i64_i64);
SPARK_PAIR(f64_i64, double, int64_t);

/* tables: what each input has, and how it is loaded. */
typedef struct tables {
    size_t n[4];       /* rows of each input */
    int partitions[4]; /* 0: as many as the test says */
    int placed;        /* bit i: input i by hash, in 4 */
    int result;        /* partitions of the result */
    bool with;         /* by a partitioner of options */
} tables;

static i32_i64 numbers[ROWS], others[ROWS];
static i32_str texts[ROWS];
static i32_spot places[ROWS];
static char pool[ROWS][48];

static tables fill(uint64_t seed, uint64_t keys, int32_t shift)
{
    const tables t = { { ROWS, ROWS - 20, ROWS - 50, ROWS - 70 }, { 0 }, 0, 0, false };
    for (size_t i = 0; i < ROWS; i++) {
        const int n = snprintf(
            pool[i], sizeof pool[i], i % 9 == 0 ? "the long text of the row %zu" : "t%zu", i);
        const spark_str text = { pool[i], (size_t)n };
        numbers[i] = (i32_i64) { (int32_t)oracle_below(&seed, keys), (int64_t)i };
        texts[i] = (i32_str) { (int32_t)oracle_below(&seed, keys) + shift, text };
        places[i] = (i32_spot) { (int32_t)oracle_below(&seed, keys) - shift,
            { (double)i / 4, i % 2 ? text : SPARK_LIT("") } };
        others[i] = (i32_i64) { (int32_t)oracle_below(&seed, keys) + 2 * shift, -(int64_t)i };
    }
    return t;
}

static void load(spark_context *sc, int partitions, const tables *t, size_t n, spark_rdd **rdds)
{
    const spark_type *types[]
        = { SPARK_TYPE(i32_i64), SPARK_TYPE(i32_str), SPARK_TYPE(i32_spot), SPARK_TYPE(i32_i64) };
    const void *data[] = { numbers, texts, places, others };
    for (size_t i = 0; i < n; i++) {
        const int parts = t->partitions[i] ? t->partitions[i] : partitions;
        rdds[i] = parts < 0 ? spark_empty_rdd(sc, types[i])
                            : spark_parallelize(sc, types[i], t->n[i], data[i], parts);
        if (t->placed >> i & 1)
            rdds[i] = spark_partition_by(rdds[i], spark_hash_partitioner(sc, 4));
    }
}

SPARK_PARTITIONER(by_remainder, int32_t)
{
    return (uint32_t)*key % partitions;
}

static spark_rdd *grouped(spark_context *sc, int partitions, const tables *t, size_t n)
{
    spark_rdd *rdds[4];
    load(sc, partitions, t, n, rdds);
    if (!t->with)
        return t->result == 0 ? spark_group_with(n, rdds) : spark_cogroup(n, rdds, t->result);
    const spark_keyed_options options
        = { 77, spark_partitioner_new(sc, t->result, by_remainder, NULL) };
    return spark_cogroup_with(n, rdds, &options);
}
static spark_rdd *group_two(spark_context *sc, int partitions, const void *arg)
{
    return spark_as(grouped(sc, partitions, arg, 2), SPARK_TYPE(two_row));
}
static spark_rdd *group_three(spark_context *sc, int partitions, const void *arg)
{
    return grouped(sc, partitions, arg, 3);
}
static spark_rdd *group_four(spark_context *sc, int partitions, const void *arg)
{
    return grouped(sc, partitions, arg, 4);
}

/* naive: the rows of n inputs, as four_lists; of fewer inputs the front is read. */
static size_t naive(const tables *t, size_t n, four_row *rows)
{
    enum { MOST_KEYS = 4 * ROWS };
    int32_t keys[MOST_KEYS];
    size_t found = 0, total = 0;
    int32_t all[MOST_KEYS];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < t->n[i]; j++)
            all[total++] = i == 0 ? numbers[j].key
                : i == 1          ? texts[j].key
                : i == 2          ? places[j].key
                                  : others[j].key;
    for (size_t i = 0; i < total; i++) {
        size_t at = 0;
        while (at < found && keys[at] != all[i])
            at++;
        if (at == found)
            keys[found++] = all[i];
    }
    for (size_t k = 0; k < found; k++) {
        int64_t *some = calloc(ROWS, sizeof *some), *more = calloc(ROWS, sizeof *more);
        spark_str *words = calloc(ROWS, sizeof *words);
        spot *where = calloc(ROWS, sizeof *where);
        four_lists *v = &rows[k].value;
        assert_true(some && more && words && where);
        rows[k] = (four_row) { keys[k], { { some, 0 }, { words, 0 }, { where, 0 }, { more, 0 } } };
        for (size_t j = 0; j < t->n[0]; j++)
            if (numbers[j].key == keys[k])
                some[v->numbers.n++] = numbers[j].value;
        for (size_t j = 0; j < t->n[1]; j++)
            if (texts[j].key == keys[k])
                words[v->texts.n++] = texts[j].value;
        for (size_t j = 0; n > 2 && j < t->n[2]; j++)
            if (places[j].key == keys[k])
                where[v->places.n++] = places[j].value;
        for (size_t j = 0; n > 3 && j < t->n[3]; j++)
            if (others[j].key == keys[k])
                more[v->others.n++] = others[j].value;
    }
    return found;
}

static void free_rows(four_row *rows, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        free((void *)(uintptr_t)rows[k].value.numbers.at);
        free((void *)(uintptr_t)rows[k].value.texts.at);
        free((void *)(uintptr_t)rows[k].value.places.at);
        free((void *)(uintptr_t)rows[k].value.others.at);
    }
}

static void compare_two(const tables *t)
{
    static four_row rows[4 * ROWS];
    static two_row front[4 * ROWS];
    const size_t n = naive(t, 2, rows);
    for (size_t i = 0; i < n; i++)
        front[i] = (two_row) { rows[i].key, { rows[i].value.numbers, rows[i].value.texts } };
    oracle_compare(group_two, t, false, SPARK_TYPE(two_row), n, front);
    free_rows(rows, n);
}

static void compare_all(const tables *t)
{
    static four_row rows[4 * ROWS];
    static three_row front[4 * ROWS];
    compare_two(t);
    size_t n = naive(t, 3, rows);
    for (size_t i = 0; i < n; i++)
        front[i] = (three_row) { rows[i].key,
            { rows[i].value.numbers, rows[i].value.texts, rows[i].value.places } };
    oracle_compare(group_three, t, false, SPARK_TYPE(three_row), n, front);
    free_rows(rows, n);
    n = naive(t, 4, rows);
    oracle_compare(group_four, t, false, SPARK_TYPE(four_row), n, rows);
    free_rows(rows, n);
}

static void test_cogroup__lists_the_values_of_each_input(void **state)
{
    tables t = fill(1, KEYS, 9);
    (void)state;
    t.result = 5;
    compare_all(&t);
}

static void test_group_with__takes_the_default_partitioner(void **state)
{
    tables t = fill(2, KEYS, 4);
    (void)state;
    t.partitions[1] = 2;
    compare_two(&t);
}

static void test_cogroup_with__places_keys_by_the_partitioner(void **state)
{
    tables t = fill(3, KEYS, 4);
    (void)state;
    t.with = true;
    t.result = 3;
    compare_two(&t);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = group_two(sc, 2, &t);
    assert_int_equal(spark_rdd_partitions(rdd), 3);
    spark_array parts;
    oracle_ok(spark_collect(spark_glom(spark_keys(rdd)), NULL, &parts));
    assert_int_equal(parts.n, 3);
    const spark_bytes *lists = parts.items;
    for (uint32_t p = 0; p < 3; p++) {
        const int32_t *key = lists[p].ptr;
        assert_true(lists[p].len > 5);
        for (size_t i = 0; i < lists[p].len; i++)
            assert_int_equal((uint32_t)key[i] % 3, p);
    }
    spark_array_free(&parts);
    oracle_close(sc);
}

static void test_cogroup__takes_one_key_that_is_everywhere(void **state)
{
    tables t = fill(4, 1, 0);
    (void)state;
    t.result = 3;
    compare_all(&t);
}

static void test_cogroup__takes_inputs_without_rows_and_without_partitions(void **state)
{
    tables t = fill(5, KEYS, 40);
    (void)state;
    t.result = 2;
    t.n[0] = 0;
    compare_two(&t);
    t.n[1] = 0;
    compare_two(&t);
    t.partitions[0] = t.partitions[1] = -1;
    compare_two(&t);
    t.n[1] = 25;
    t.partitions[1] = 6;
    compare_two(&t);
}

static void test_cogroup__of_placed_inputs(void **state)
{
    (void)state;
    for (int placed = 1; placed < 4; placed++) {
        tables t = fill(6, KEYS, 7);
        t.placed = placed;
        t.result = 4;
        compare_two(&t);
    }
    tables t = fill(7, KEYS, 7);
    t.placed = 13;
    t.result = 4;
    compare_all(&t);
    t.placed = 15;
    t.result = 0;
    t.n[1] = 0;
    compare_two(&t);
}

static void test_cogroup__of_placed_inputs_does_not_shuffle(void **state)
{
    (void)state;
    tables t = fill(8, KEYS, 3);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdds[4];
    t.placed = 7;
    load(sc, 3, &t, 4, rdds);
    for (int i = 0; i < 3; i++)
        oracle_count(rdds[i]);
    spark_rdd *narrow[] = { spark_cogroup(3, rdds, 4), spark_cogroup(3, rdds, 0),
        spark_group_with(3, rdds),
        spark_cogroup_with(3, rdds, &(spark_keyed_options) { 0, spark_rdd_partitioner(rdds[1]) }) };
    four_row *rows = calloc(4 * ROWS, sizeof *rows);
    assert_non_null(rows);
    const size_t n = naive(&t, 3, rows);
    free_rows(rows, n);
    free(rows);
    for (size_t i = 0; i < LENGTH(narrow); i++) {
        assert_int_equal(oracle_count(narrow[i]), n);
        assert_int_equal(oracle_last_job(sc).stages, 4);
        assert_int_equal(oracle_last_job(sc).skipped_stages, 3);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
        assert_int_equal(oracle_last_job(sc).tasks, 4);
        assert_true(spark_partitioner_equal(
            spark_rdd_partitioner(narrow[i]), spark_hash_partitioner(sc, 4)));
        /* Narrow parents stand under a bar, shuffled ones under a plus. */
        const char *text = spark_to_debug_string(narrow[i]);
        assert_int_equal(strncmp(text, "(4) CoGroupedRDD[", 17), 0);
        const char *placed = strstr(text, "\n |  ShuffledRDD[");
        assert_non_null(placed);
        assert_null(strstr(text, "\n +-(4)"));
    }
    /* Only the one that is not placed is shuffled. */
    spark_rdd *mixed = spark_cogroup(4, rdds, 0);
    oracle_count(mixed);
    assert_int_equal(oracle_last_job(sc).stages, 5);
    assert_int_equal(oracle_last_job(sc).skipped_stages, 3);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, t.n[3]);
    /* Another count: all are. */
    oracle_count(spark_cogroup(3, rdds, 5));
    assert_int_equal(oracle_last_job(sc).shuffle_rows, t.n[0] + t.n[1] + t.n[2]);
    /* What is grouped is placed: a join with it needs no shuffle, a reduce neither. */
    oracle_count(spark_join(narrow[0], rdds[0], 0));
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    oracle_count(spark_cogroup(2, (spark_rdd *[]) { narrow[0], narrow[1] }, 0));
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    oracle_close(sc);
}

/* One RDD on several sides. */
static void test_cogroup__takes_one_rdd_twice(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 2, 2 }, { 1, 3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 2);
    spark_rdd *twice[] = { rdd, rdd };
    oracle_holds(spark_cogroup(2, twice, 3), "(1,([1,3],[1,3])) (2,([2],[2]))");
    twice[0] = twice[1] = spark_partition_by(rdd, spark_hash_partitioner(sc, 3));
    oracle_holds(spark_cogroup(2, twice, 0), "(1,([1,3],[1,3])) (2,([2],[2]))");
    oracle_close(sc);
}

/* PairRDDFunctionsSuite */
static void test_cogroup__gives_the_cases_of_pair_rdd_functions(void **state)
{
    i32_i64 a[] = { { 1, 1 }, { 1, 2 }, { 2, 1 }, { 3, 1 } };
    i32_str b[] = { { 1, SPARK_STR("x") }, { 2, SPARK_STR("y") }, { 2, SPARK_STR("z") },
        { 4, SPARK_STR("w") } };
    i32_str c[] = { { 1, SPARK_STR("a") }, { 3, SPARK_STR("b") }, { 4, SPARK_STR("c") },
        { 4, SPARK_STR("d") } };
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *left = spark_parallelize(sc, SPARK_DATA(i32_i64, 4, a), 0);
        spark_rdd *middle = spark_parallelize(sc, SPARK_DATA(i32_str, 4, b), 0);
        spark_rdd *right = spark_parallelize(sc, SPARK_DATA(i32_str, 4, c), 0);
        spark_rdd *all[] = { left, middle, right, left };
        oracle_holds(
            spark_group_with(2, all), "(1,([1,2],[x])) (2,([1],[y,z])) (3,([1],[])) (4,([],[w]))");
        oracle_holds(spark_group_with(3, all),
            "(1,([1,2],[x],[a])) (2,([1],[y,z],[])) (3,([1],[],[b])) (4,([],[w],[c,d]))");
        oracle_holds(spark_group_with(4, all),
            "(1,([1,2],[x],[a],[1,2])) (2,([1],[y,z],[],[1])) (3,([1],[],[b],[1]))"
            " (4,([],[w],[c,d],[]))");
        /* cogroup with an empty RDD, and with one that was grouped. */
        spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(i32_str));
        oracle_holds(spark_cogroup(2, (spark_rdd *[]) { left, none }, 0),
            "(1,([1,2],[])) (2,([1],[])) (3,([1],[]))");
        oracle_holds(spark_cogroup(2, (spark_rdd *[]) { left, spark_group_by_key(none, 0) }, 0),
            "(1,([1,2],[])) (2,([1],[])) (3,([1],[]))");
        none = spark_parallelize(sc, SPARK_DATA(i32_str, 0, NULL), 3);
        oracle_holds(spark_cogroup(2, (spark_rdd *[]) { spark_group_by_key(none, 2), left }, 0),
            "(1,([],[1,2])) (2,([],[1])) (3,([],[1]))");
        oracle_close(sc);
    }
}

static void test_cogroup__follows_the_default_partitioner_rule(void **state)
{
    i32_i64 data[] = { { 1, 1 } };
    (void)state;
    for (int parallelism = 0; parallelism <= 4; parallelism += 4) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .default_parallelism = parallelism });
        spark_rdd *u[] = { spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 1000),
            spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 20),
            spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 2),
            spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 2000) };
        spark_rdd *h10 = spark_partition_by(u[2], spark_hash_partitioner(sc, 10));
        spark_rdd *h4 = spark_partition_by(u[2], spark_hash_partitioner(sc, 4));
        const struct {
            spark_rdd *rdds[3];
            size_t n;
            int plain, parallel;
        } cases[] = {
            { { u[0], h10 }, 2, 1000, 10 },
            { { u[1], h10 }, 2, 10, 10 },
            { { h10, u[1] }, 2, 10, 10 },
            { { u[2], u[3] }, 2, 2000, 4 },
            { { h4, h10 }, 2, 10, 10 },
            { { h10, h4, u[1] }, 3, 10, 10 },
            { { u[1], h4, u[2] }, 3, 4, 4 },
            { { u[0], h4 }, 2, 1000, 4 },
        };
        for (size_t i = 0; i < LENGTH(cases); i++) {
            spark_rdd *rdd = spark_cogroup(cases[i].n, cases[i].rdds, 0);
            const int want = parallelism ? cases[i].parallel : cases[i].plain;
            assert_int_equal(spark_rdd_partitions(rdd), want);
            assert_true(spark_partitioner_equal(
                spark_rdd_partitioner(rdd), spark_hash_partitioner(sc, want)));
            assert_int_equal(
                spark_rdd_partitions(spark_group_with(cases[i].n, cases[i].rdds)), want);
            assert_int_equal(oracle_count(rdd), 1);
        }
        oracle_close(sc);
    }
}

/* Keys that are equal though their bits are not. */
static void test_cogroup__takes_signed_zeros_and_nans_as_one_key_each(void **state)
{
    const double nan = strtod("nan", NULL);
    f64_i64 a[] = { { 0.0, 1 }, { nan, 2 }, { 1, 3 } }, b[] = { { -0.0, 4 }, { -nan, 5 } };
    (void)state;
    for (int p = 1; p < 5; p++) {
        spark_context *sc = oracle_open(2);
        spark_rdd *both[] = { spark_parallelize(sc, SPARK_DATA(f64_i64, 3, a), p),
            spark_parallelize(sc, SPARK_DATA(f64_i64, 2, b), p) };
        oracle_holds(spark_values(spark_cogroup(2, both, 3)), "([1],[4]) ([2],[5]) ([3],[])");
        oracle_close(sc);
    }
}

/* Strings as keys; many of them, and a hot one. */
enum { MANY = 200000, MANY_KEYS = 100000 };
SPARK_MAP(to_left, int64_t, str_i64)
{
    out->key = spark_str_format(task, "key %d", *in % 4 == 3 ? 0 : (int)(*in % MANY_KEYS));
    out->value = *in;
}
SPARK_MAP(to_right, int64_t, str_str)
{
    out->key = spark_str_format(task, "key %d", (int)(*in * 2));
    out->value = spark_str_format(task, "the value of the right side is %d", (int)*in);
}

static void test_cogroup__of_many_keys_and_a_hot_one(void **state)
{
    char *want = NULL;
    size_t bytes = 0;
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open_failing(threads, threads == 2);
        spark_rdd *both[] = { spark_map(spark_range(sc, 0, MANY, 1, 3), to_left, NULL),
            spark_map(spark_range(sc, 0, MANY_KEYS, 1, 2), to_right, NULL) };
        spark_array array;
        oracle_ok(spark_collect(spark_cogroup(2, both, 4), SPARK_TYPE(str_two), &array));
        const str_two *item = SPARK_ITEMS(str_two, &array);
        size_t lefts = 0, rights = 0;
        int64_t *order = calloc(array.n + 1, sizeof *order);
        assert_non_null(order);
        for (size_t i = 0; i < array.n; i++) {
            int64_t k = -1;
            const two_lists *v = &item[i].value;
            assert_true(
                spark_str_to_i64((spark_str) { item[i].key.ptr + 4, item[i].key.len - 4 }, &k));
            order[i] = k;
            for (size_t j = 0; j < v->numbers.n; j++) {
                const int64_t x = v->numbers.at[j];
                assert_int_equal(x % 4 == 3 ? 0 : x % MANY_KEYS, k);
                assert_true(j == 0 || v->numbers.at[j - 1] < x);
            }
            for (size_t j = 0; j < v->texts.n; j++) {
                int64_t x = -1;
                spark_str digits = v->texts.at[j];
                digits.ptr += strlen("the value of the right side is ");
                digits.len -= strlen("the value of the right side is ");
                assert_true(spark_str_to_i64(digits, &x));
                assert_int_equal(2 * x, k);
            }
            assert_true(k != 0 || v->numbers.n > MANY / 4);
            assert_true(v->texts.n <= 1 && v->numbers.n + v->texts.n > 0);
            lefts += v->numbers.n;
            rights += v->texts.n;
        }
        assert_int_equal(lefts, MANY);
        assert_int_equal(rights, MANY_KEYS);
        if (want == NULL) {
            want = (char *)order;
            bytes = array.n * sizeof *order;
        } else {
            assert_int_equal(bytes, array.n * sizeof *order);
            assert_int_equal(memcmp(want, order, bytes), 0);
            free(order);
        }
        spark_array_free(&array);
        oracle_close(sc);
    }
    free(want);
}

/* join_with */
SPARK_PAIR(i64_opt, int64_t, spark_opt_i64);
SPARK_PAIR(opt_i64, spark_opt_i64, int64_t);
SPARK_PAIR(opt_opt, spark_opt_i64, spark_opt_i64);
SPARK_PAIR(inner_row, int32_t, i64_i64);
SPARK_PAIR(left_row, int32_t, i64_opt);
SPARK_PAIR(right_row, int32_t, opt_i64);
SPARK_PAIR(full_row, int32_t, opt_opt);

typedef struct joining {
    spark_join_kind kind;
    int by; /* 0: no options, 1: a count, 2: a partitioner, 3: one that both sides have */
} joining;

static spark_rdd *join_with(spark_context *sc, int partitions, const void *arg)
{
    const joining *j = arg;
    spark_rdd *left = spark_parallelize(sc, SPARK_DATA(i32_i64, 60, numbers), partitions);
    spark_rdd *right = spark_parallelize(sc, SPARK_DATA(i32_i64, 50, others), partitions + 1);
    spark_partitioner *p = spark_partitioner_new(sc, 3, by_remainder, NULL);
    const spark_keyed_options options = { 5, j->by >= 2 ? p : NULL };
    if (j->by == 3) {
        left = spark_partition_by(left, p);
        right = spark_partition_by(right, p);
    }
    return spark_join_with(left, right, j->kind, j->by == 0 ? NULL : &options);
}

static void test_join_with__gives_every_kind(void **state)
{
    static inner_row inner[60 * 50];
    static left_row lefts[60 * 51];
    static right_row rights[60 * 51];
    static full_row fulls[60 * 51];
    size_t n[4] = { 0 };
    (void)state;
    fill(9, 25, 3);
    for (size_t i = 0; i < 60; i++) {
        bool found = false;
        for (size_t j = 0; j < 50; j++) {
            if (numbers[i].key != others[j].key)
                continue;
            const int64_t a = numbers[i].value, b = others[j].value;
            found = true;
            inner[n[0]++] = (inner_row) { numbers[i].key, { a, b } };
            lefts[n[1]++] = (left_row) { numbers[i].key, { a, { true, b } } };
            rights[n[2]++] = (right_row) { numbers[i].key, { { true, a }, b } };
            fulls[n[3]++] = (full_row) { numbers[i].key, { { true, a }, { true, b } } };
        }
        if (!found) {
            lefts[n[1]++] = (left_row) { numbers[i].key, { numbers[i].value, { false, 0 } } };
            fulls[n[3]++]
                = (full_row) { numbers[i].key, { { true, numbers[i].value }, { false, 0 } } };
        }
    }
    for (size_t j = 0; j < 50; j++) {
        bool found = false;
        for (size_t i = 0; i < 60; i++)
            found |= numbers[i].key == others[j].key;
        if (!found) {
            rights[n[2]++] = (right_row) { others[j].key, { { false, 0 }, others[j].value } };
            fulls[n[3]++]
                = (full_row) { others[j].key, { { false, 0 }, { true, others[j].value } } };
        }
    }
    const void *rows[] = { inner, lefts, rights, fulls };
    const spark_type *types[] = { SPARK_TYPE(inner_row), SPARK_TYPE(left_row),
        SPARK_TYPE(right_row), SPARK_TYPE(full_row) };
    assert_true(n[0] > 0 && n[1] > n[0] && n[2] > n[0]);
    for (int kind = 0; kind < 4; kind++)
        for (int by = kind % 2; by < 4; by += 2) {
            const joining j = { (spark_join_kind)kind, by };
            oracle_compare(join_with, &j, false, types[kind], n[kind], rows[kind]);
        }
}

static void test_join_with__is_placed_by_the_partitioner(void **state)
{
    (void)state;
    fill(10, 25, 3);
    spark_context *sc = oracle_open(2);
    for (int kind = 0; kind < 4; kind++) {
        joining j = { (spark_join_kind)kind, 3 };
        spark_rdd *joined = join_with(sc, 2, &j);
        const spark_partitioner *p = spark_partitioner_new(sc, 3, by_remainder, NULL);
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(joined), p));
        assert_int_equal(spark_rdd_partitions(joined), 3);
        oracle_count(joined);
        assert_int_equal(oracle_last_job(sc).stages, 3);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 110);
        j.by = 1;
        joined = join_with(sc, 2, &j);
        assert_true(
            spark_partitioner_equal(spark_rdd_partitioner(joined), spark_hash_partitioner(sc, 5)));
        j.by = 0;
        assert_int_equal(spark_rdd_partitions(join_with(sc, 4, &j)), 5);
    }
    oracle_close(sc);
}

/* PartitioningSuite: grouped2 with grouped4 uses the partitioner of four. */
static void test_partitioner_preservation__of_joins_and_cogroups(void **state)
{
    i32_i64 data[] = { { 1, 2 }, { 2, 3 }, { 3, 5 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 3);
    spark_rdd *grouped2 = spark_group_by_key(rdd, 2), *grouped4 = spark_group_by_key(rdd, 4);
    spark_rdd *reduced2 = spark_reduce_by_key(rdd, spark_op_sum, NULL, 2);
    spark_rdd *reduced4 = spark_reduce_by_key(rdd, spark_op_sum, NULL, 4);
    const spark_partitioner *two = spark_hash_partitioner(sc, 2);
    const spark_partitioner *four = spark_hash_partitioner(sc, 4);
    spark_rdd *sides[][2] = { { grouped2, grouped4 }, { grouped4, grouped2 },
        { grouped2, reduced4 }, { reduced2, reduced4 }, { reduced4, grouped4 } };
    for (size_t i = 0; i < LENGTH(sides); i++) {
        for (int kind = 0; kind < 4; kind++) {
            spark_rdd *joined
                = spark_join_with(sides[i][0], sides[i][1], (spark_join_kind)kind, NULL);
            assert_true(spark_partitioner_equal(spark_rdd_partitioner(joined), four));
            assert_int_equal(oracle_count(joined), 3);
        }
        spark_rdd *cogrouped = spark_cogroup(2, sides[i], 0);
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(cogrouped), four));
        assert_int_equal(oracle_count(cogrouped), 3);
    }
    spark_rdd *twos[] = { grouped2, reduced2 };
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(spark_group_with(2, twos)), two));
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(spark_group_by_key(reduced2, 0)), two));
    assert_false(
        spark_partitioner_equal(spark_rdd_partitioner(spark_group_by_key(grouped2, 3)), two));
    oracle_close(sc);
}

/* faults on purpose */
static void test_cogroup__survives_lost_outputs(void **state)
{
    const spark_fault plan[] = {
        { SPARK_FAULT_TASK, 0, 0, SPARK_ANY, .attempt = 0 },
        { SPARK_FAULT_TASK, 0, 1, 1, .attempt = 0 },
        { SPARK_FAULT_SHUFFLE, 0, 2, 1, .attempt = 0, .output = 2 },
    };
    tables t = fill(11, KEYS, 5);
    char *want = NULL;
    (void)state;
    t.result = 3;
    for (int faulty = 0; faulty < 2; faulty++) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = 2, .faults = plan, .n_faults = faulty ? LENGTH(plan) : 0 });
        oracle_same(&want, oracle_layout(group_two(sc, 4, &t)));
        assert_int_equal(oracle_last_job(sc).failed_tasks >= 5, faulty);
        /* Map partition 2 of either side is gone. */
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, faulty ? 2 : 0);
        oracle_close(sc);
    }
    free(want);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = grouped(sc, 4, &t, 2);
    char *before = oracle_layout(rdd);
    assert_true(spark_drop_shuffle_output(rdd, 3));
    char *after = oracle_layout(rdd);
    assert_non_null(before);
    assert_non_null(after);
    assert_string_equal(before, after);
    assert_true(oracle_last_job(sc).recomputed_partitions > 0);
    free(before);
    free(after);
    oracle_close(sc);
}

/* misuse */
static void test_cogroup__reports_what_does_not_fit(void **state)
{
    i32_i64 data[] = { { 1, 5 } };
    i64_i64 wide[] = { { 1, 5 } };
    str_i64 words[] = { { SPARK_STR("a"), 1 } };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_context *elsewhere = oracle_open(1);
    spark_rdd *a = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 2);
    spark_rdd *b = spark_parallelize(sc, SPARK_DATA(i64_i64, 1, wide), 2);
    spark_rdd *all[] = { a, a, a, a, a };
    const spark_keyed_options foreign = { 0, spark_hash_partitioner(elsewhere, 2) };
#define COGROUPS(...) spark_count(spark_cogroup(__VA_ARGS__), &n)
    oracle_fails(COGROUPS(1, all, 0), SPARK_EINVAL, "cogroup at ");
    assert_non_null(strstr(spark_last_error()->message, "test_cogroup.c:"));
    assert_non_null(strstr(spark_last_error()->message, "1 RDDs"));
    oracle_fails(COGROUPS(5, all, 0), SPARK_EINVAL, "5 RDDs");
    oracle_fails(COGROUPS(0, all, 0), SPARK_EINVAL, "no RDD is given");
    oracle_fails(COGROUPS(2, NULL, 0), SPARK_EINVAL, "no RDD is given");
    oracle_fails(COGROUPS(2, all, -4), SPARK_EINVAL, "-4 partitions");
    all[1] = NULL;
    oracle_fails(COGROUPS(2, all, 0), SPARK_EINVAL, "NULL");
    all[1] = b;
    oracle_fails(COGROUPS(2, all, 0), SPARK_ETYPE, "key: i32 wanted, i64 found");
    all[1] = a;
    all[2] = spark_parallelize(sc, SPARK_DATA(str_i64, 1, words), 1);
    oracle_fails(COGROUPS(3, all, 0), SPARK_ETYPE, "key: i32 wanted, str found");
    oracle_ok(COGROUPS(2, all, 0));
    all[1] = spark_keys(a);
    oracle_fails(COGROUPS(2, all, 0), SPARK_ETYPE, "pairs wanted, i32 found");
    all[1] = a;
    oracle_fails(
        spark_count(spark_cogroup_with(2, all, &foreign), &n), SPARK_EINVAL, "another context");
    oracle_fails(spark_count(spark_group_with(1, all), &n), SPARK_EINVAL, "groupWith at ");
    assert_non_null(strstr(spark_last_error()->message, "test_cogroup.c:"));
    /* An error that an input carries is passed on. */
    all[1] = spark_reduce_by_key(a, NULL, NULL, 0);
    oracle_fails(COGROUPS(2, all, 0), SPARK_EINVAL, "reduceByKey at ");
    /* The struct is read as one of lists that fit, and as no other. */
    all[1] = a;
    spark_array array;
    oracle_fails(spark_collect(spark_cogroup(2, all, 0), SPARK_TYPE(two_row), &array), SPARK_ETYPE,
        "collect");
    assert_null(array.items);
    /* join_with */
#define JOINS(...) spark_count(spark_join_with(__VA_ARGS__), &n)
    oracle_fails(JOINS(a, a, (spark_join_kind)4, NULL), SPARK_EINVAL, "4 is no kind of join");
    assert_non_null(strstr(spark_last_error()->message, "join at "));
    assert_non_null(strstr(spark_last_error()->message, "test_cogroup.c:"));
    oracle_fails(JOINS(a, b, SPARK_INNER, NULL), SPARK_ETYPE, "key: i32 wanted, i64 found");
    oracle_fails(JOINS(a, NULL, SPARK_INNER, NULL), SPARK_EINVAL, "NULL");
    oracle_fails(JOINS(a, a, SPARK_INNER, &(spark_keyed_options) { -1, NULL }), SPARK_EINVAL,
        "-1 partitions");
    oracle_fails(JOINS(a, a, SPARK_FULL_OUTER, &foreign), SPARK_EINVAL, "another context");
    oracle_fails(
        JOINS(b, b, SPARK_INNER,
            (&(spark_keyed_options) { 0, spark_partitioner_new(sc, 2, by_remainder, NULL) })),
        SPARK_ETYPE, "partitioner by_remainder");
    oracle_close(elsewhere);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_cogroup__lists_the_values_of_each_input),
        oracle_test(test_group_with__takes_the_default_partitioner),
        oracle_test(test_cogroup_with__places_keys_by_the_partitioner),
        oracle_test(test_cogroup__takes_one_key_that_is_everywhere),
        oracle_test(test_cogroup__takes_inputs_without_rows_and_without_partitions),
        oracle_test(test_cogroup__of_placed_inputs),
        oracle_test(test_cogroup__of_placed_inputs_does_not_shuffle),
        oracle_test(test_cogroup__takes_one_rdd_twice),
        oracle_test(test_cogroup__gives_the_cases_of_pair_rdd_functions),
        oracle_test(test_cogroup__follows_the_default_partitioner_rule),
        oracle_test(test_cogroup__takes_signed_zeros_and_nans_as_one_key_each),
        oracle_test(test_cogroup__of_many_keys_and_a_hot_one),
        oracle_test(test_cogroup__survives_lost_outputs),
        oracle_test(test_cogroup__reports_what_does_not_fit),
        oracle_test(test_join_with__gives_every_kind),
        oracle_test(test_join_with__is_placed_by_the_partitioner),
        oracle_test(test_partitioner_preservation__of_joins_and_cogroups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
