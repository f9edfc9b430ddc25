/* SPDX-License-Identifier: Apache-2.0 */
/* cartesian against two loops. */
#include "layouts.h"

SPARK_PAIR(two, int64_t, int64_t);
SPARK_PAIR(word_number, word, int64_t);
SPARK_PAIR(number_word, int64_t, word);
SPARK_PAIR(byte_wide, uint8_t, wide);
SPARK_PAIR(wide_byte, wide, uint8_t);

SPARK_FILTER(has_even_key, two)
{
    return in->key % 2 == 0;
}

/* sides: 0 partitions: as many as the comparison says. */
typedef struct sides {
    size_t n_left, n_right;
    int left, right;
    bool words_right;
} sides;

static spark_rdd *build(spark_context *sc, int partitions, const void *arg)
{
    const sides *s = arg;
    const int left = s->left ? s->left : partitions, right = s->right ? s->right : partitions;
    spark_rdd *w = input(
        words(sc, 0, s->words_right ? s->n_right : s->n_left, s->words_right ? right : left));
    spark_rdd *n
        = input(spark_range(sc, 100, 100 + (int64_t)(s->words_right ? s->n_left : s->n_right), 1,
            s->words_right ? left : right));
    return s->words_right ? spark_cartesian(n, w) : spark_cartesian(w, n);
}

static void naive(layout *want, int partitions, const void *arg)
{
    const sides *s = arg;
    const int left = s->left ? s->left : partitions, right = s->right ? s->right : partitions;
    char text[64];
    for (int p = 0; p < left * right; p++) {
        const int l = p / right, r = p % right;
        layout_part(want);
        for (size_t i = slice(s->n_left, left, l); i < slice(s->n_left, left, l + 1); i++)
            for (size_t j = slice(s->n_right, right, r); j < slice(s->n_right, right, r + 1); j++)
                if (s->words_right)
                    LAYOUT_ROW(want, number_word, { 100 + (int64_t)i, word_of((int64_t)j, text) });
                else
                    LAYOUT_ROW(want, word_number, { word_of((int64_t)i, text), 100 + (int64_t)j });
    }
}

static void test_cartesian__pairs_every_element_with_every_other(void **state)
{
    static const sides cases[] = {
        { 20, 17, 0, 3, false },
        { 17, 30, 2, 0, true },
        { 0, 20, 0, 2, false },
        { 20, 0, 2, 0, true },
        { 1, 1, 0, 2, true },
        { 3, 2, 1, 0, false },
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        layout_compare(build, naive, &cases[i]);
}

static void test_cartesian__gives_the_cases_of_the_rdd_suite(void **state)
{
    static const int64_t from_one[] = { 1, 2, 3 }, from_two[] = { 2, 3, 4 };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *a = numbers(sc, 3, from_one, 2), *b = numbers(sc, 3, from_two, 2);
        spark_rdd *one = numbers(sc, 1, from_one, 2);
        oracle_holds(
            spark_cartesian(a, b), "(1,2) (1,3) (1,4) (2,2) (2,3) (2,4) (3,2) (3,3) (3,4)");
        oracle_has_layout(
            spark_cartesian(a, b), "(1,2) | (1,3) (1,4) | (2,2) (3,2) | (2,3) (2,4) (3,3) (3,4)");
        oracle_collects(spark_cartesian(a, one), "(1,1) (2,1) (3,1)");
        oracle_collects(spark_cartesian(one, a), "(1,1) (1,2) (1,3)");
        oracle_close(sc);
    }
}

static void test_cartesian__takes_what_other_operations_make(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *n = spark_range(sc, 0, 4, 1, 2), *even = spark_filter(n, is_even, NULL);
        oracle_collects(spark_cartesian(even, even), "(0,0) (0,2) (2,0) (2,2)");
        oracle_has_layout(spark_cartesian(spark_coalesce(n, 1), even),
            "(0,0) (1,0) (2,0) (3,0) | (0,2) (1,2) (2,2) (3,2)");
        oracle_has_layout(spark_cartesian(even, spark_union(even, even)),
            "(0,0) | (0,2) | (0,0) | (0,2) | (2,0) | (2,2) | (2,0) | (2,2)");
        oracle_has_layout(spark_cartesian(spark_cartesian(even, even), spark_glom(even)),
            "((0,0),[0]) | ((0,0),[2]) | ((0,2),[0]) | ((0,2),[2]) | ((2,0),[0]) | ((2,0),[2]) | "
            "((2,2),[0]) | ((2,2),[2])");
        /* After a shuffle, and before one. */
        spark_rdd *sums = spark_reduce_by_key(spark_key_by(n, same, NULL), spark_op_sum, NULL, 3);
        spark_rdd *some = spark_values(spark_filter(sums, has_even_key, NULL));
        oracle_holds(spark_cartesian(spark_keys(sums), some),
            "(0,0) (0,2) (1,0) (1,2) (2,0) (2,2) (3,0) (3,2)");
        oracle_holds(spark_reduce_by_key(spark_cartesian(n, n), spark_op_sum, NULL, 2),
            "(0,6) (1,6) (2,6) (3,6)");
        oracle_close(sc);
    }
}

static void test_cartesian__makes_pairs_as_the_compiler_lays_them_out(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *n = spark_range(sc, 0, 40, 1, 1);
    spark_rdd *bytes = spark_map(n, to_byte, NULL), *wides = spark_map(n, to_wide, NULL);
    spark_array left, right;
    oracle_ok(spark_collect(spark_cartesian(bytes, wides), SPARK_TYPE(byte_wide), &left));
    oracle_ok(spark_collect(spark_cartesian(wides, bytes), SPARK_TYPE(wide_byte), &right));
    assert_int_equal(left.n, 1600);
    assert_int_equal(right.n, 1600);
    for (int64_t i = 0; i < 1600; i++) {
        const byte_wide *l = &SPARK_ITEMS(byte_wide, &left)[i];
        const wide_byte *r = &SPARK_ITEMS(wide_byte, &right)[i];
        int64_t number = -1;
        assert_true(l->key == i / 40 && l->value.id == i % 40);
        assert_true(r->key.id == i / 40 && r->value == i % 40);
        assert_true(spark_str_to_i64(l->value.text, &number) && number == i % 40);
        assert_true(spark_str_to_i64(r->key.text, &number) && number == i / 40);
    }
    spark_array_free(&left);
    spark_array_free(&right);
    /* What lies between the members does not matter to an element's identity. */
    assert_int_equal(
        oracle_count(spark_distinct(spark_cartesian(bytes, spark_union(n, n)), 0)), 1600);
    oracle_close(sc);
}

static void test_cartesian__has_a_partition_for_each_pair_of_them(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *some = spark_range(sc, 0, 3, 1, 3), *none = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
    spark_rdd *empty[]
        = { spark_cartesian(some, none), spark_cartesian(none, some), spark_cartesian(none, none) };
    for (size_t i = 0; i < LENGTH(empty); i++) {
        assert_int_equal(spark_rdd_partitions(empty[i]), 0);
        oracle_collects(empty[i], "");
    }
    /* Wide operations ask before any job runs. */
    spark_rdd *grouped = spark_group_by_key(spark_cartesian(some, spark_range(sc, 0, 5, 1, 5)), 0);
    assert_int_equal(spark_rdd_partitions(grouped), 15);
    /* More than an int counts are too many; nothing of them is computed. */
    spark_rdd *many = spark_range(sc, 0, 1, 1, 65536);
    spark_rdd *product = spark_cartesian(many, many);
    const int line = __LINE__ - 1;
    char want[300];
    snprintf(want, sizeof want, "cartesian at %s:%d: 4294967296 partitions", TEST_FILE, line);
    assert_int_equal(spark_rdd_status(product), SPARK_OK);
    oracle_fails(spark_count(product, &n), SPARK_EINVAL, want);
    assert_string_equal(spark_last_error()->operation, "cartesian");
    assert_int_equal(spark_rdd_partitions(product), -1);
    spark_rdd *root = spark_range(sc, 0, 1, 1, 46340), *next = spark_range(sc, 0, 1, 1, 46341);
    assert_int_equal(spark_rdd_partitions(spark_cartesian(root, root)), 46340 * 46340);
    assert_int_equal(spark_rdd_partitions(spark_cartesian(next, next)), -1);
    assert_int_equal(spark_rdd_partitions(spark_cartesian(
                         spark_range(sc, 0, 1, 1, 1), spark_range(sc, 0, 1, 1, INT32_MAX))),
        INT32_MAX);
    oracle_fails(spark_collect(spark_group_by_key(product, 0), NULL, &(spark_array) { 0 }),
        SPARK_EINVAL, want);
    oracle_close(sc);
}

static void test_cartesian__reads_caches(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open_failing_once(threads);
        counter left = spark_counter(sc, "left"), right = spark_counter(sc, "right");
        spark_rdd *a = spark_map(spark_range(sc, 0, 12, 1, 4), counted, SPARK_COPY(left));
        spark_rdd *b = spark_map(spark_range(sc, 0, 15, 1, 3), counted, SPARK_COPY(right));
        /* Each partition of a is computed for each of b, and the other way round. */
        assert_int_equal(oracle_count(spark_cartesian(a, b)), 180);
        assert_int_equal(spark_accumulator_value(left), 12 * 3);
        assert_int_equal(spark_accumulator_value(right), 15 * 4);
        /* Cached ones are computed once. */
        spark_rdd *rdd = spark_cartesian(spark_cache(a), spark_cache(b));
        assert_int_equal(oracle_count(rdd), 180);
        assert_int_equal(spark_accumulator_value(left), 12 * 4);
        assert_int_equal(spark_accumulator_value(right), 15 * 5);
        assert_int_equal(spark_rdd_cached_partitions(a), 4);
        assert_true(
            spark_rdd_cached_bytes(a) >= (uint64_t)oracle_count(a) * spark_rdd_type(a)->size);
        assert_int_equal(spark_rdd_cached_partitions(b), 3);
        assert_true(spark_drop_block(a, 1));
        assert_true(spark_drop_block(b, 2));
        assert_int_equal(oracle_count(rdd), 180);
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, 2);
        assert_int_equal(spark_accumulator_value(left), 12 * 4);
        oracle_close(sc);
    }
}

static void test_cartesian__of_many_elements_holds_one_side_only(void **state)
{
    static const size_t sizes[] = { 0, 1, 3, 4, 5, 1023, 1024, 1025, 5000 };
    uint64_t peak;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd
        = spark_cartesian(spark_range(sc, 0, 100000, 1, 1), spark_range(sc, 0, 40, 1, 2));
    assert_int_equal(oracle_count(rdd), 4000000);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 8u << 20);
    oracle_close(sc);
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        sc = oracle_open_conf(&oracle_confs[c]);
        rdd = spark_cartesian(spark_range(sc, 0, 100, 1, 2), words(sc, 0, 50, 2));
        for (size_t i = 0; i < LENGTH(sizes); i++)
            takes_prefix(rdd, sizes[i]);
        oracle_close(sc);
    }
}

static spark_rdd *build_large(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_cartesian(
        spark_range(sc, 0, 1300, 1, partitions), spark_range(sc, 0, 500, 1, partitions));
}

static void test_cartesian__goes_on_without_room_in_the_cache(void **state)
{
    (void)state;
    goes_on_without_room(build_large, NULL);
}

static void test_cartesian__drops_the_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *placed = spark_partition_by(
        spark_key_by(spark_range(sc, 0, 20, 1, 3), same, NULL), spark_hash_partitioner(sc, 1));
    assert_non_null(spark_rdd_partitioner(placed));
    partitioned_as(spark_cartesian(placed, placed), NULL);
    oracle_close(sc);
}

static void test_cartesian__refuses_what_is_wrong(void **state)
{
    (void)state;
    refuses_sides(spark_cartesian, "cartesian", SPARK_TYPE(word_number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_cartesian__pairs_every_element_with_every_other),
        oracle_test(test_cartesian__gives_the_cases_of_the_rdd_suite),
        oracle_test(test_cartesian__takes_what_other_operations_make),
        oracle_test(test_cartesian__makes_pairs_as_the_compiler_lays_them_out),
        oracle_test(test_cartesian__has_a_partition_for_each_pair_of_them),
        oracle_test(test_cartesian__reads_caches),
        oracle_test(test_cartesian__of_many_elements_holds_one_side_only),
        oracle_test(test_cartesian__goes_on_without_room_in_the_cache),
        oracle_test(test_cartesian__drops_the_partitioner),
        oracle_test(test_cartesian__refuses_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
