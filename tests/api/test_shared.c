/* SPDX-License-Identifier: Apache-2.0 */
/* Broadcasts and accumulators. */
#include "oracle.h"

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_STRUCT(book, (int64_t, factor), (spark_str, title), (spark_i64_list, pages));
SPARK_MAP(look_up, int64_t, spark_str, book)
{
    int64_t page = env->pages.at[(size_t)*in % env->pages.n];
    *out = spark_str_format(
        task, SPARK_STR_FMT "%d", SPARK_STR_ARG(env->title), (int)(page * env->factor));
}

/* broadcasts */
static spark_broadcast *make_book(spark_context *sc)
{
    /* The original is overwritten after the copy. */
    int64_t pages[] = { 1, 2, 3 };
    char title[] = "p";
    book b = { 10, { title, 1 }, { pages, 3 } };
    spark_broadcast *broadcast = spark_broadcast_new(sc, SPARK_VALUE(book, &b));
    memset(pages, 'z', sizeof pages);
    memset(title, 'z', sizeof title);
    memset(&b, 'z', sizeof b);
    return broadcast;
}

static void test_broadcast__is_a_deep_copy_for_all_tasks(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_broadcast *b = make_book(sc);
        assert_non_null(b);
        const book *value = spark_broadcast_value(b);
        assert_int_equal(value->pages.n, 3);
        assert_int_equal(value->pages.at[2], 3);
        oracle_collects(spark_map(spark_range(sc, 0, 7, 1, 3), look_up, SPARK_SHARED(b)),
            "p10 p20 p30 p10 p20 p30 p10");
        oracle_close(sc);
    }
}

static void test_broadcast__lives_as_long_as_an_rdd_that_uses_it(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *kept = spark_range(sc, 0, 1, 1, 1);
    for (int i = 0; i < 3; i++) {
        SPARK_SCOPED(sc);
        spark_rdd *rdd
            = spark_map(spark_range(sc, 0, 4, 1, 2), look_up, SPARK_SHARED(make_book(sc)));
        spark_rdd_replace(&kept, rdd);
    }
    oracle_collects(kept, "p10 p20 p30 p10");
    oracle_close(sc);
}

static void test_broadcast__is_given_back_with_its_scope(void **state)
{
    enum { N = 2 << 20, BYTES = N * 8, KEPT = 40 << 20 };
    (void)state;
    int64_t *pages = calloc(N, sizeof *pages);
    assert_non_null(pages);
    book b = { 1, SPARK_STR("p"), { pages, N } };
    spark_context *sc = oracle_open(1);
    for (int i = 0; i < 8; i++) {
        SPARK_SCOPED(sc);
        spark_broadcast *broadcast = spark_broadcast_new(sc, SPARK_VALUE(book, &b));
        assert_non_null(broadcast);
        assert_true(spark_memory_bytes(sc, NULL) >= BYTES);
        oracle_collects(
            spark_map(spark_range(sc, 5, 6, 1, 1), look_up, SPARK_SHARED(broadcast)), "p0");
    }
    assert_true(spark_memory_bytes(sc, NULL) < KEPT);
    oracle_close(sc);
    free(pages);
}

static void test_broadcast__that_is_null_or_of_another_type_is_an_error(void **state)
{
    int64_t seven = 7, n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 1);
    oracle_fails(spark_count(spark_map(rdd, look_up, SPARK_SHARED((spark_broadcast *)NULL)), &n),
        SPARK_EINVAL, "map(look_up) at ");
    spark_broadcast *wrong = spark_broadcast_new(sc, SPARK_VALUE(int64_t, &seven));
    assert_non_null(wrong);
    oracle_fails(spark_count(spark_map(rdd, look_up, SPARK_SHARED(wrong)), &n), SPARK_EINVAL,
        "map(look_up) at ");
    assert_null(spark_broadcast_new(sc, NULL, &seven));
    assert_null(spark_broadcast_new(NULL, SPARK_VALUE(int64_t, &seven)));
    oracle_close(sc);
}

/* accumulators */
typedef struct counting {
    const spark_accumulator *calls, *odd, *real;
} counting;
SPARK_MAP(counted, int64_t, i64_i64, counting)
{
    spark_accumulate(task, env->calls, 1);
    if (*in % 2)
        spark_accumulate(task, env->odd, *in);
    spark_accumulate_f64(task, env->real, 0.1 * (double)*in);
    *out = (i64_i64) { *in % 7, *in };
}
SPARK_FOREACH(add_up, int64_t, counting)
{
    spark_accumulate(task, env->calls, *in);
    spark_accumulate_f64(task, env->real, 1.0 / (double)*in);
}

static counting new_counting(spark_context *sc)
{
    return (counting) { spark_counter(sc, "calls"), spark_counter(sc, NULL),
        spark_float_counter(sc, "real") };
}

static void test_counter__counts_each_partition_of_a_result_once(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            counting a = new_counting(sc);
            assert_string_equal(spark_accumulator_name(a.calls), "calls");
            assert_int_equal(spark_accumulator_value(a.calls), 0);
            oracle_ok(spark_foreach(
                spark_range(sc, 1, 11, 1, oracle_partitions[p]), add_up, SPARK_COPY(a)));
            assert_int_equal(spark_accumulator_value(a.calls), 55);
            oracle_close(sc);
        }
    }
}

static void test_float_counter__is_bit_identical_over_threads(void **state)
{
    (void)state;
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        double first = 0;
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            counting a = new_counting(sc);
            oracle_ok(spark_foreach(
                spark_range(sc, 1, 1001, 1, oracle_partitions[p]), add_up, SPARK_COPY(a)));
            double sum = spark_accumulator_f64(a.real);
            if (c == 0)
                first = sum;
            assert_memory_equal(&sum, &first, sizeof sum);
            /* Through a shuffle too. */
            oracle_count(spark_reduce_by_key(
                spark_map(spark_range(sc, 1, 501, 1, oracle_partitions[p]), counted, SPARK_COPY(a)),
                spark_op_sum, NULL, 3));
            assert_true(spark_accumulator_f64(a.real) > 12525.0);
            assert_int_equal(spark_accumulator_value(a.odd), 62500);
            oracle_close(sc);
        }
        assert_true(first > 7.48 && first < 7.49);
    }
}

static void test_counter__counts_a_lazy_function_once_an_action(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    counting a = new_counting(sc);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(a));
    assert_int_equal(spark_accumulator_value(a.calls), 0);
    oracle_count(rdd);
    assert_int_equal(spark_accumulator_value(a.calls), 100);
    oracle_count(rdd);
    assert_int_equal(spark_accumulator_value(a.calls), 200);
    oracle_close(sc);
}

static void test_counter__does_not_count_failed_attempts(void **state)
{
    spark_fault faults[] = { { SPARK_FAULT_TASK, SPARK_ANY, SPARK_ANY, SPARK_ANY, .attempt = 0 },
        { SPARK_FAULT_TASK, SPARK_ANY, SPARK_ANY, 1, .attempt = 1 } };
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 2, .faults = faults, .n_faults = 2 });
    counting a = new_counting(sc);
    oracle_count(spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(a)));
    assert_int_equal(spark_accumulator_value(a.calls), 100);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 5);
    assert_int_equal(oracle_last_job(sc).tasks, 4);
    oracle_close(sc);
}

static void test_counter__counts_a_map_output_once_however_often_it_is_made(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        counting a = new_counting(sc);
        spark_rdd *rdd
            = spark_reduce_by_key(spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(a)),
                spark_op_sum, NULL, 3);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(oracle_count(rdd), 7);
            assert_int_equal(spark_accumulator_value(a.calls), 100);
        }
        assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
        assert_true(spark_drop_shuffle_output(rdd, 2));
        assert_false(spark_drop_shuffle_output(rdd, 2));
        assert_false(spark_drop_shuffle_output(rdd, 17));
        assert_int_equal(oracle_count(rdd), 7);
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
        assert_int_equal(spark_accumulator_value(a.calls), 100);
        oracle_close(sc);
    }
}

static void test_counter__counts_a_cached_block_once_however_often_it_is_made(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        counting a = new_counting(sc);
        spark_rdd *rdd
            = spark_cache(spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(a)));
        assert_true(spark_rdd_is_persisted(rdd));
        assert_int_equal(spark_rdd_cached_partitions(rdd), 0);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(oracle_count(rdd), 100);
            assert_int_equal(spark_accumulator_value(a.calls), 100);
        }
        assert_int_equal(oracle_last_job(sc).cached_reads, 4);
        assert_int_equal(spark_rdd_cached_partitions(rdd), 4);
        assert_true(spark_drop_block(rdd, 3));
        assert_false(spark_drop_block(rdd, 3));
        assert_false(spark_drop_block(rdd, 4));
        assert_int_equal(spark_rdd_cached_partitions(rdd), 3);
        assert_int_equal(oracle_count(rdd), 100);
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
        assert_int_equal(oracle_last_job(sc).cached_reads, 3);
        assert_int_equal(oracle_last_job(sc).cached_blocks, 1);
        assert_int_equal(spark_accumulator_value(a.calls), 100);
        /* Once unpersisted it is computed, and counted, by every action. */
        spark_unpersist(rdd);
        assert_false(spark_rdd_is_persisted(rdd));
        assert_int_equal(spark_rdd_cached_partitions(rdd), 0);
        assert_int_equal(oracle_count(rdd), 100);
        assert_int_equal(spark_accumulator_value(a.calls), 200);
        oracle_close(sc);
    }
}

static void test_counter__is_exact_under_random_faults(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        spark_fault faults[] = { { SPARK_FAULT_RANDOM, SPARK_ANYWHERE,
            .rate = 0.2, .seed = seed } };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = seed % 2 ? 8 : 1,
            .faults = faults,
            .n_faults = 1,
            .stage_max_attempts = 1000 });
        counting a = new_counting(sc), b = new_counting(sc);
        spark_rdd *cached
            = spark_cache(spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(a)));
        spark_rdd *sums = spark_reduce_by_key(cached, spark_op_sum, NULL, 3);
        assert_int_equal(oracle_count(sums), 7);
        assert_int_equal(spark_accumulator_value(a.calls), 100);
        assert_int_equal(oracle_count(cached), 100);
        assert_int_equal(spark_accumulator_value(a.calls), 100);
        assert_int_equal(spark_accumulator_value(a.odd), 2500);
        spark_rdd *again = spark_map(spark_values(sums), counted, SPARK_COPY(b));
        assert_int_equal(oracle_count(again), 7);
        assert_int_equal(spark_accumulator_value(b.calls), 7);
        assert_int_equal(oracle_count(spark_group_by_key(again, 4)), 2);
        assert_int_equal(spark_accumulator_value(b.calls), 14);
        oracle_close(sc);
    }
}

static void test_counter__that_is_null_or_used_wrongly_is_ignored(void **state)
{
    counting none = { NULL, NULL, NULL };
    (void)state;
    spark_context *sc = oracle_open(2);
    assert_int_equal(
        oracle_count(spark_map(spark_range(sc, 0, 9, 1, 2), counted, SPARK_COPY(none))), 9);
    assert_int_equal(spark_accumulator_value(NULL), 0);
    assert_null(spark_counter(NULL, "x"));
    assert_null(spark_float_counter(NULL, NULL));
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_broadcast__is_a_deep_copy_for_all_tasks),
        oracle_test(test_broadcast__lives_as_long_as_an_rdd_that_uses_it),
        oracle_test(test_broadcast__is_given_back_with_its_scope),
        oracle_test(test_broadcast__that_is_null_or_of_another_type_is_an_error),
        oracle_test(test_counter__counts_each_partition_of_a_result_once),
        oracle_test(test_float_counter__is_bit_identical_over_threads),
        oracle_test(test_counter__counts_a_lazy_function_once_an_action),
        oracle_test(test_counter__does_not_count_failed_attempts),
        oracle_test(test_counter__counts_a_map_output_once_however_often_it_is_made),
        oracle_test(test_counter__counts_a_cached_block_once_however_often_it_is_made),
        oracle_test(test_counter__is_exact_under_random_faults),
        oracle_test(test_counter__that_is_null_or_used_wrongly_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
