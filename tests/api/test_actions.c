/* SPDX-License-Identifier: Apache-2.0 */
/* Actions against naive answers, over partitions, threads and batch sizes. */
#include "file_test.h"
#include "samples.h"

SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_PAIR(pair_count, i32_i64, int64_t);
SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_STRUCT(moments, (int64_t, n), (int64_t, sum), (int64_t, fingerprint), (spark_str, last));

SPARK_FILTER(same, int64_t, int64_t)
{
    return *in == *env;
}

/* collect and count */
static void check_collect(spark_context *sc, int partitions)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    spark_array array;
    oracle_ok(spark_collect(rdd, SPARK_TYPE(spark_str), &array));
    const spark_str *item = SPARK_ITEMS(spark_str, &array);
    assert_int_equal(array.n, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        assert_true(spark_str_equal(item[i], words[i]));
    spark_array_free(&array);
    assert_null(array.items);
    assert_int_equal(array.n, 0);
    spark_array_free(&array);
    assert_int_equal(oracle_count(rdd), ROWS);
    rdd = spark_filter(rdd, no_word, NULL);
    oracle_ok(spark_collect(rdd, NULL, &array));
    assert_int_equal(array.n, 0);
    assert_non_null(array.type);
    spark_array_free(&array);
    assert_int_equal(oracle_count(rdd), 0);
    rdd = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
    oracle_ok(spark_collect(rdd, SPARK_TYPE(int64_t), &array));
    assert_int_equal(array.n, 0);
    spark_array_free(&array);
    assert_int_equal(oracle_count(rdd), 0);
}

static void test_collect__gives_all_in_order(void **state)
{
    (void)state;
    fill(1);
    each(check_collect);
}

/* reduce */
SPARK_MERGE(concat, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
}
SPARK_MERGE(keep_last, int64_t, int64_t)
{
    *acc = *in;
}

static void check_reduce(spark_context *sc, int partitions)
{
    spark_rdd *n = spark_parallelize(sc, SPARK_DATA(int64_t, ROWS, numbers), partitions);
    spark_rdd *w = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    int64_t sum = 0, least = INT64_MAX, most = INT64_MIN;
    oracle_text all = { NULL, 0, 0 };
    size_t first = 0, last = 0;
    for (size_t i = 0; i < ROWS; i++) {
        sum += numbers[i];
        least = numbers[i] < least ? numbers[i] : least;
        most = numbers[i] > most ? numbers[i] : most;
        oracle_append(&all, words[i].ptr, words[i].len);
        if (spark_str_compare(words[i], words[first]) < 0)
            first = i;
        if (spark_str_compare(words[i], words[last]) > 0)
            last = i;
    }
    const struct {
        const spark_merge_def *f;
        int64_t want;
    } cases[] = { { spark_op_sum, sum }, { spark_op_min, least }, { spark_op_max, most },
        { spark_op_first, numbers[0] }, { keep_last, numbers[ROWS - 1] } };
    spark_array result;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        oracle_ok(spark_reduce(n, cases[i].f, NULL, SPARK_TYPE(int64_t), &result));
        assert_int_equal(result.n, 1);
        assert_int_equal(*SPARK_ITEMS(int64_t, &result), cases[i].want);
        spark_array_free(&result);
    }
    const struct {
        const spark_merge_def *f;
        spark_str want;
    } texts[] = { { concat, { all.bytes, all.length } }, { spark_op_min, words[first] },
        { spark_op_max, words[last] }, { spark_op_first, words[0] } };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        oracle_ok(spark_reduce(w, texts[i].f, NULL, SPARK_TYPE(spark_str), &result));
        assert_true(spark_str_equal(*SPARK_ITEMS(spark_str, &result), texts[i].want));
        spark_array_free(&result);
    }
    free(all.bytes);
    /* One element among empty partitions. */
    n = spark_parallelize(sc, SPARK_DATA(int64_t, 1, numbers), partitions);
    oracle_ok(spark_reduce(n, keep_last, NULL, NULL, &result));
    assert_int_equal(*SPARK_ITEMS(int64_t, &result), numbers[0]);
    spark_array_free(&result);
    result.n = 77;
    oracle_fails(spark_reduce(spark_filter(n, nothing, NULL), spark_op_sum, NULL, NULL, &result),
        SPARK_EEMPTY, "empty collection");
    assert_int_equal(result.n, 0);
    assert_null(result.items);
    assert_null(result.owner);
    oracle_fails(
        spark_reduce(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), keep_last, NULL, NULL, &result),
        SPARK_EEMPTY, "empty collection");
}

static void test_reduce__merges_in_the_order_of_the_input(void **state)
{
    (void)state;
    fill(2);
    each(check_reduce);
}

static void test_reduce__of_doubles_is_bit_identical(void **state)
{
    static double data[ROWS];
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (double)(int64_t)oracle_random(&seed) / 1e5;
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        double first = 0;
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            spark_rdd *rdd
                = spark_parallelize(sc, SPARK_DATA(double, ROWS, data), oracle_partitions[p]);
            spark_array result;
            oracle_ok(spark_reduce(rdd, spark_op_sum, NULL, SPARK_TYPE(double), &result));
            double sum = *SPARK_ITEMS(double, &result);
            if (c == 0)
                first = sum;
            assert_memory_equal(&sum, &first, sizeof sum);
            spark_array_free(&result);
            oracle_close(sc);
        }
    }
}

/* fold and aggregate */
static void check_fold(spark_context *sc, int partitions)
{
    spark_rdd *n = spark_parallelize(sc, SPARK_DATA(int64_t, ROWS, numbers), partitions);
    spark_rdd *w = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    int64_t ten = 10, want = 10;
    oracle_text all = { NULL, 0, 0 };
    spark_array result;
    spark_str zero = SPARK_LIT("<zero>");
    oracle_append(&all, zero.ptr, zero.len);
    for (int p = 0; p < partitions; p++) {
        oracle_append(&all, zero.ptr, zero.len);
        want += 10;
        for (size_t i = slice(ROWS, partitions, p); i < slice(ROWS, partitions, p + 1); i++) {
            want += numbers[i];
            oracle_append(&all, words[i].ptr, words[i].len);
        }
    }
    oracle_ok(spark_fold(n, SPARK_VALUE(int64_t, &ten), spark_op_sum, NULL, &result));
    assert_int_equal(*SPARK_ITEMS(int64_t, &result), want);
    spark_array_free(&result);
    oracle_ok(spark_fold(w, SPARK_VALUE(spark_str, &zero), concat, NULL, &result));
    assert_true(
        spark_str_equal(*SPARK_ITEMS(spark_str, &result), (spark_str) { all.bytes, all.length }));
    spark_array_free(&result);
    free(all.bytes);
    /* Nothing: the zeros remain. */
    oracle_ok(spark_fold(
        spark_filter(n, nothing, NULL), SPARK_VALUE(int64_t, &ten), spark_op_sum, NULL, &result));
    assert_int_equal(*SPARK_ITEMS(int64_t, &result), 10 * (partitions + 1));
    spark_array_free(&result);
    oracle_ok(spark_fold(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), SPARK_VALUE(int64_t, &ten),
        spark_op_sum, NULL, &result));
    assert_int_equal(*SPARK_ITEMS(int64_t, &result), 10);
    spark_array_free(&result);
    oracle_ok(spark_fold(n, SPARK_ZERO(int64_t), spark_op_max, NULL, &result));
    assert_true(*SPARK_ITEMS(int64_t, &result) >= 0);
    spark_array_free(&result);
}

static void test_fold__uses_the_zero_once_a_partition_and_once_more(void **state)
{
    int64_t data[] = { 1, 2, 3, 4 }, ten = 10;
    (void)state;
    fill(4);
    each(check_fold);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int64_t, 4, data), 2);
    spark_array result;
    oracle_ok(spark_fold(rdd, SPARK_VALUE(int64_t, &ten), spark_op_sum, NULL, &result));
    oracle_lists(&result, "40");
    spark_array_free(&result);
    oracle_ok(spark_fold(
        spark_range(sc, -1000, 1000, 1, 10), SPARK_ZERO(int64_t), spark_op_sum, NULL, &result));
    oracle_lists(&result, "-1000");
    spark_array_free(&result);
    oracle_close(sc);
}

SPARK_MERGE(add_word, moments, spark_str, int64_t)
{
    acc->n++;
    acc->sum += (int64_t)in->len * *env;
    acc->fingerprint = (int64_t)((uint64_t)acc->fingerprint * 31 + in->len);
    acc->last = *in;
}
SPARK_MERGE(add_moments, moments, moments, int64_t)
{
    acc->n += in->n;
    acc->sum += in->sum + 0 * *env;
    acc->fingerprint = (int64_t)((uint64_t)acc->fingerprint * 33 + (uint64_t)in->fingerprint);
    if (in->n > 0)
        acc->last = in->last;
}

static void check_aggregate(spark_context *sc, int partitions)
{
    spark_rdd *w = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    moments want = { 0, 0, 5, SPARK_LIT("zero") }, zero = want;
    int64_t factor = 3;
    spark_array result;
    for (int p = 0; p < partitions; p++) {
        uint64_t print = 5;
        for (size_t i = slice(ROWS, partitions, p); i < slice(ROWS, partitions, p + 1); i++) {
            want.n++;
            want.sum += 3 * (int64_t)words[i].len;
            print = print * 31 + words[i].len;
            want.last = words[i];
        }
        want.fingerprint = (int64_t)((uint64_t)want.fingerprint * 33 + print);
    }
    oracle_ok(spark_aggregate(
        w, SPARK_VALUE(moments, &zero), add_word, add_moments, SPARK_COPY(factor), &result));
    const moments *have = SPARK_ITEMS(moments, &result);
    assert_true(spark_equal(SPARK_TYPE(moments), have, &want));
    spark_array_free(&result);
    oracle_ok(spark_aggregate(spark_empty_rdd(sc, SPARK_TYPE(spark_str)),
        SPARK_VALUE(moments, &zero), add_word, add_moments, SPARK_COPY(factor), &result));
    assert_true(spark_equal(SPARK_TYPE(moments), SPARK_ITEMS(moments, &result), &zero));
    spark_array_free(&result);
}

static void test_aggregate__adds_within_and_combines_between_partitions(void **state)
{
    (void)state;
    fill(5);
    each(check_aggregate);
}

static void test_aggregate__into_counts_by_word(void **state)
{
    str_i64 data[] = { { SPARK_STR("a"), 1 }, { SPARK_STR("b"), 2 }, { SPARK_STR("a"), 2 },
        { SPARK_STR("c"), 5 }, { SPARK_STR("a"), 3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_holds(spark_reduce_by_key(
                     spark_parallelize(sc, SPARK_DATA(str_i64, 5, data), 3), spark_op_sum, NULL, 0),
        "(a,6) (b,2) (c,5)");
    oracle_close(sc);
}

/* take and first */
static void check_take(spark_context *sc, int partitions)
{
    static const size_t counts[] = { 0, 1, 2, 3, 29, ROWS - 1, ROWS, ROWS + 1, SIZE_MAX };
    spark_rdd *w = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    spark_array array;
    for (size_t i = 0; i < LENGTH(counts); i++) {
        size_t n = counts[i] < ROWS ? counts[i] : ROWS;
        oracle_ok(spark_take(w, counts[i], SPARK_TYPE(spark_str), &array));
        assert_int_equal(array.n, n);
        const spark_str *item = SPARK_ITEMS(spark_str, &array);
        for (size_t j = 0; j < n; j++)
            assert_true(spark_str_equal(item[j], words[j]));
        spark_array_free(&array);
    }
    oracle_ok(spark_first(w, SPARK_TYPE(spark_str), &array));
    assert_int_equal(array.n, 1);
    assert_true(spark_str_equal(*SPARK_ITEMS(spark_str, &array), words[0]));
    spark_array_free(&array);
    /* Only in the last partition. */
    spark_rdd *r = spark_range(sc, 0, 100, 1, partitions);
    int64_t limit = 98;
    r = spark_filter(r, more_than, SPARK_COPY(limit));
    oracle_ok(spark_first(r, SPARK_TYPE(int64_t), &array));
    oracle_lists(&array, "99");
    spark_array_free(&array);
    oracle_ok(spark_take(r, 5, SPARK_TYPE(int64_t), &array));
    oracle_lists(&array, "99");
    spark_array_free(&array);
    spark_rdd *none[]
        = { spark_filter(r, nothing, NULL), spark_empty_rdd(sc, SPARK_TYPE(int64_t)) };
    for (size_t i = 0; i < LENGTH(none); i++) {
        oracle_ok(spark_take(none[i], 3, NULL, &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
        oracle_fails(spark_first(none[i], NULL, &array), SPARK_EEMPTY, "empty collection");
        assert_int_equal(array.n, 0);
        assert_null(array.owner);
    }
}

static void test_take__gives_the_first_elements(void **state)
{
    (void)state;
    fill(6);
    each(check_take);
}

static int jobs(spark_context *sc)
{
    spark_job_stats stats;
    return spark_job_stats_get(sc, SPARK_ANY, &stats) == SPARK_OK ? stats.job + 1 : 0;
}

static void takes_in_rounds(
    spark_context *sc, spark_rdd *rdd, size_t n, size_t found, const int *rounds)
{
    int before = jobs(sc), job = before;
    spark_array array;
    oracle_ok(spark_take(rdd, n, NULL, &array));
    assert_int_equal(array.n, found);
    spark_array_free(&array);
    for (; *rounds > 0; rounds++, job++) {
        spark_job_stats stats;
        oracle_ok(spark_job_stats_get(sc, job, &stats));
        assert_int_equal(stats.tasks, *rounds);
    }
    assert_int_equal(jobs(sc), job);
}

static void test_take__scans_partitions_in_growing_rounds(void **state)
{
    int64_t last = 99;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *r101 = spark_range(sc, 0, 101, 1, 100);
        spark_rdd *empty = spark_filter(spark_range(sc, 0, 100, 1, 100), nothing, NULL);
        spark_rdd *late = spark_filter(spark_range(sc, 0, 100, 1, 4), same, SPARK_COPY(last));
        takes_in_rounds(sc, r101, 0, 0, (int[]) { 0 });
        takes_in_rounds(sc, r101, 1, 1, (int[]) { 1, 0 });
        takes_in_rounds(sc, r101, 50, 50, (int[]) { 1, 4, 20, 38, 0 });
        takes_in_rounds(sc, empty, 10, 0, (int[]) { 1, 4, 20, 75, 0 });
        takes_in_rounds(sc, late, 1, 1, (int[]) { 1, 3, 0 });
        takes_in_rounds(sc, spark_range(sc, 0, 2, 1, 2), 2147483638, 2, (int[]) { 1, 1, 0 });
        oracle_close(sc);
    }
}

static int64_t visited;
SPARK_MAP(visit, int64_t, int64_t)
{
    __atomic_add_fetch(&visited, 1, __ATOMIC_RELAXED);
    *out = *in;
}

static void test_take__stops_early(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 10000000, 1, 2), visit, NULL);
    spark_array array;
    visited = 0;
    oracle_ok(spark_take(rdd, 5, SPARK_TYPE(int64_t), &array));
    oracle_lists(&array, "0 1 2 3 4");
    spark_array_free(&array);
    assert_true(visited <= 1024);
    oracle_close(sc);
}

static void test_take__does_not_meet_failures_behind_what_it_needs(void **state)
{
    int64_t at = 60;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 100, 1, 4), fail_at, SPARK_COPY(at));
    spark_array array;
    oracle_ok(spark_take(rdd, 20, NULL, &array));
    assert_int_equal(array.n, 20);
    spark_array_free(&array);
    oracle_fails(spark_take(rdd, 70, NULL, &array), SPARK_ETASK, "met 60");
    assert_int_equal(array.n, 0);
    oracle_close(sc);
}

/* top and take_ordered */
static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void check_top(spark_context *sc, int partitions)
{
    static const size_t counts[] = { 0, 1, 5, 100, ROWS, ROWS + 50, SIZE_MAX };
    int64_t sorted[ROWS];
    spark_array array;
    memcpy(sorted, numbers, sizeof sorted);
    qsort(sorted, ROWS, sizeof *sorted, by_number);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int64_t, ROWS, numbers), partitions);
    for (size_t i = 0; i < LENGTH(counts); i++) {
        size_t n = counts[i] < ROWS ? counts[i] : ROWS;
        for (int down = 0; down < 4; down++) {
            const spark_order *order = down < 2 ? NULL : spark_order_desc;
            if (down % 2)
                oracle_ok(spark_top(rdd, counts[i], order, SPARK_TYPE(int64_t), &array));
            else
                oracle_ok(spark_take_ordered(rdd, counts[i], order, SPARK_TYPE(int64_t), &array));
            const int64_t *item = SPARK_ITEMS(int64_t, &array);
            assert_int_equal(array.n, n);
            for (size_t j = 0; j < n; j++)
                assert_int_equal(item[j], sorted[down == 0 || down == 3 ? j : ROWS - 1 - j]);
            spark_array_free(&array);
        }
    }
    spark_rdd *none[]
        = { spark_filter(rdd, nothing, NULL), spark_empty_rdd(sc, SPARK_TYPE(int64_t)) };
    for (size_t i = 0; i < LENGTH(none); i++) {
        oracle_ok(spark_top(none[i], 3, NULL, NULL, &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
        oracle_ok(spark_take_ordered(none[i], 3, NULL, NULL, &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
    }
}

static void test_top__gives_the_largest_and_take_ordered_the_smallest(void **state)
{
    (void)state;
    fill(7);
    each(check_top);
}

static void check_ties(spark_context *sc, int partitions)
{
    static person people[ROWS];
    spark_array array;
    for (size_t i = 0; i < ROWS; i++)
        people[i] = (person) { { pool[i], 1 + i % 12 }, (int32_t)(i % 7) };
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(person, ROWS, people), partitions);
    for (int top = 0; top < 4; top++) {
        const spark_order *order = top < 2 ? by_age : by_age_down;
        bool descending = (top % 2 == 1) != (top >= 2);
        size_t at = 0;
        if (top % 2)
            oracle_ok(spark_top(rdd, 60, order, SPARK_TYPE(person), &array));
        else
            oracle_ok(spark_take_ordered(rdd, 60, order, SPARK_TYPE(person), &array));
        const person *item = SPARK_ITEMS(person, &array);
        assert_int_equal(array.n, 60);
        for (int32_t age = 0; age < 7; age++)
            for (size_t i = 0; i < ROWS && at < 60; i++)
                if (people[i].age == (descending ? 6 - age : age))
                    assert_true(spark_equal(SPARK_TYPE(person), &item[at++], &people[i]));
        spark_array_free(&array);
    }
}

static void test_top__prefers_the_first_of_equal_ones(void **state)
{
    (void)state;
    fill(8);
    each(check_ties);
}

/* Many: more than a sorted buffer is worth, and few of very many. */
SPARK_MAP(in_seven, int64_t, i64_pair)
{
    *out = (i64_pair) { *in * 7919 % 1000, *in };
}
SPARK_ORDER(by_first, i64_pair, (asc, key));
SPARK_ORDER(by_first_down, i64_pair, (desc, key));

static void check_many(spark_context *sc, size_t n)
{
    enum { ALL = 400000, KEYS = 1000 };
    spark_rdd *rdd = spark_map(spark_range(sc, 0, ALL, 1, 13), in_seven, NULL);
    for (int way = 0; way < 4; way++) {
        const spark_order *order = way < 2 ? by_first : by_first_down;
        spark_array array;
        oracle_ok(way % 2 ? spark_top(rdd, n, order, SPARK_TYPE(i64_pair), &array)
                          : spark_take_ordered(rdd, n, order, SPARK_TYPE(i64_pair), &array));
        const i64_pair *item = SPARK_ITEMS(i64_pair, &array);
        const bool down = (way % 2 == 1) != (way >= 2);
        assert_int_equal(array.n, n);
        for (size_t i = 0; i < n; i++) { /* each key has ALL / KEYS rows, which keep their order */
            const int64_t at = (int64_t)(i / (ALL / KEYS));
            assert_int_equal(item[i].key, down ? KEYS - 1 - at : at);
            assert_int_equal(item[i].value * 7919 % KEYS, item[i].key);
            assert_true(i % (ALL / KEYS) == 0 || item[i - 1].value < item[i].value);
        }
        spark_array_free(&array);
    }
}

static void test_top__of_very_many_is_the_same(void **state)
{
    (void)state;
    for (int shape = 0; shape < 4; shape++) {
        spark_context *sc = shape < 2 ? oracle_open_failing(1 + shape * 7, shape)
                                      : oracle_open_conf(&(spark_conf) { .threads = 2,
                                          .batch_rows = shape == 2 ? 7 : 1024,
                                          .memory_bytes = 96 << 20 });
        check_many(sc, 20000);
        check_many(sc, 300000);
        oracle_close(sc);
    }
}

static void test_top__holds_little_of_many_partitions(void **state)
{
    spark_array array;
    uint64_t peak;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 2000000, 1, 500), in_seven, NULL);
    oracle_ok(spark_take_ordered(rdd, 3000, by_first_down, NULL, &array));
    spark_array_free(&array);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 8 << 20); /* 500 times 3000 pairs would be 24 MB */
    oracle_close(sc);
}

static void test_top__gives_the_cases_of_spark(void **state)
{
    spark_str letters[] = { SPARK_STR("a"), SPARK_STR("b"), SPARK_STR("c"), SPARK_STR("d") };
    i32_i64 pairs[10000];
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, 4, letters), 2);
    oracle_ok(spark_top(rdd, 2, spark_order_desc, SPARK_TYPE(spark_str), &array));
    oracle_lists(&array, "a b");
    spark_array_free(&array);
    for (int32_t i = 0; i < 10000; i++)
        pairs[i] = (i32_i64) { i * 7919 % 10000, i };
    rdd = spark_reduce_by_key(
        spark_parallelize(sc, SPARK_DATA(i32_i64, 10000, pairs), 2), spark_op_sum, NULL, 0);
    oracle_ok(spark_top(spark_keys(rdd), 5, NULL, SPARK_TYPE(int32_t), &array));
    oracle_lists(&array, "9999 9998 9997 9996 9995");
    spark_array_free(&array);
    oracle_ok(spark_take_ordered(spark_range(sc, 1, 11, 1, 2), 5, spark_order_desc, NULL, &array));
    oracle_lists(&array, "10 9 8 7 6");
    spark_array_free(&array);
    oracle_close(sc);
}

/* foreach */
static int64_t seen[ROWS];
SPARK_FOREACH(see, int64_t, int64_t)
{
    __atomic_add_fetch(&seen[*in], *env, __ATOMIC_RELAXED);
}

static void test_foreach__meets_each_element_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            spark_context *sc = oracle_open(threads);
            int64_t by = 3;
            memset(seen, 0, sizeof seen);
            oracle_ok(spark_foreach(
                spark_range(sc, 0, ROWS, 1, oracle_partitions[p]), see, SPARK_COPY(by)));
            for (size_t i = 0; i < ROWS; i++)
                assert_int_equal(seen[i], 3);
            oracle_ok(
                spark_foreach(spark_range(sc, 0, 0, 1, oracle_partitions[p]), see, SPARK_COPY(by)));
            oracle_ok(spark_foreach(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), see, SPARK_COPY(by)));
            oracle_close(sc);
        }
    }
}

/* counts */
static void check_counts(spark_context *sc, int partitions)
{
    static i32_i64 pairs[ROWS];
    static i32_i64 want[ROWS];
    static str_i64 want_words[ROWS];
    size_t n = 0, m = 0;
    spark_array array;
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = 0;
        pairs[i] = (i32_i64) { (int32_t)(numbers[i] % 10), numbers[i] };
        while (at < n && want[at].key != pairs[i].key)
            at++;
        if (at == n)
            want[n++] = (i32_i64) { pairs[i].key, 0 };
        want[at].value++;
        at = 0;
        while (at < m && !spark_str_equal(want_words[at].key, words[i]))
            at++;
        if (at == m)
            want_words[m++] = (str_i64) { words[i], 0 };
        want_words[at].value++;
    }
    spark_array a = oracle_array(SPARK_TYPE(i32_i64), n, want);
    spark_array b = oracle_array(SPARK_TYPE(str_i64), m, want_words);
    char *want_text = oracle_listing(&a, true);
    oracle_ok(
        spark_count_by_key(spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, pairs), partitions),
            SPARK_TYPE(i32_i64), &array));
    char *text = oracle_listing(&array, true);
    assert_string_equal(text, want_text);
    free(text);
    free(want_text);
    spark_array_free(&array);
    want_text = oracle_listing(&b, true);
    oracle_ok(
        spark_count_by_value(spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions),
            SPARK_TYPE(str_i64), &array));
    text = oracle_listing(&array, true);
    assert_string_equal(text, want_text);
    free(text);
    free(want_text);
    spark_array_free(&array);
}

static void test_count_by__counts_keys_and_values(void **state)
{
    (void)state;
    fill(9);
    each(check_counts);
}

static void test_count_by__of_nothing_is_empty(void **state)
{
    i32_i64 twice[] = { { 1, 1 }, { 1, 1 }, { 1, 2 } };
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *none[] = { spark_empty_rdd(sc, SPARK_TYPE(i32_i64)),
        spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 3) };
    for (size_t i = 0; i < 2; i++) {
        oracle_ok(spark_count_by_key(none[i], SPARK_TYPE(i32_i64), &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
        oracle_ok(spark_count_by_value(none[i], SPARK_TYPE(pair_count), &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
    }
    oracle_ok(spark_count_by_value(
        spark_parallelize(sc, SPARK_DATA(i32_i64, 3, twice), 1), SPARK_TYPE(pair_count), &array));
    char *text = oracle_listing(&array, true);
    assert_string_equal(text, "((1,1),2) ((1,2),1)");
    free(text);
    spark_array_free(&array);
    oracle_close(sc);
}

/* save_as_text_file */
static void has_file(const char *path, const char *want)
{
    char bytes[4096];
    size_t n = scratch_read(path, bytes, sizeof bytes - 1);
    bytes[n] = 0;
    assert_string_equal(bytes, want);
}

static void test_save_as_text_file__writes_a_part_for_each_partition(void **state)
{
    int64_t data[] = { 1, 2, 3, 4 };
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        char path[32];
        snprintf(path, sizeof path, "one%d", threads);
        oracle_ok(
            spark_save_as_text_file(spark_parallelize(sc, SPARK_DATA(int64_t, 4, data), 1), path));
        assert_int_equal(chdir(path), 0);
        has_file("part-00000", "1\n2\n3\n4\n");
        has_file("_SUCCESS", "");
        assert_int_equal(oracle_entries("."), 4);
        assert_int_equal(chdir(".."), 0);
        oracle_holds(spark_text_file(sc, path, 1), "1 2 3 4");
        snprintf(path, sizeof path, "seven%d", threads);
        oracle_ok(
            spark_save_as_text_file(spark_parallelize(sc, SPARK_DATA(int64_t, 4, data), 7), path));
        assert_int_equal(chdir(path), 0);
        has_file("part-00000", "");
        has_file("part-00001", "1\n");
        has_file("part-00002", "");
        has_file("part-00003", "2\n");
        has_file("part-00005", "3\n");
        has_file("part-00006", "4\n");
        assert_int_equal(oracle_entries("."), 10);
        assert_int_equal(chdir(".."), 0);
        snprintf(path, sizeof path, "zero%d", threads);
        oracle_ok(spark_save_as_text_file(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), path));
        assert_int_equal(oracle_entries(path), 3);
        assert_int_equal(chdir(path), 0);
        has_file("_SUCCESS", "");
        assert_int_equal(chdir(".."), 0);
        oracle_close(sc);
    }
}

static void test_save_as_text_file__writes_the_form_of_print(void **state)
{
    person people[] = { { SPARK_STR("Ada, Countess"), 36 }, { SPARK_STR(""), -1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(
        spark_save_as_text_file(spark_parallelize(sc, SPARK_DATA(person, 2, people), 1), "people"));
    has_file("people/part-00000", "(Ada, Countess,36)\n(,-1)\n");
    oracle_close(sc);
}

static void test_save_as_text_file__writes_long_lines(void **state)
{
    enum { N = 300000 };
    (void)state;
    char *bytes = malloc(N), *read = malloc(2 * N);
    assert_non_null(bytes);
    assert_non_null(read);
    memset(bytes, 'x', N);
    spark_str lines[]
        = { { bytes, N }, { bytes, 255 }, { bytes, 256 }, { bytes, 257 }, { bytes, 5000 } };
    spark_context *sc = oracle_open(2);
    oracle_ok(
        spark_save_as_text_file(spark_parallelize(sc, SPARK_DATA(spark_str, 5, lines), 1), "long"));
    size_t n = scratch_read("long/part-00000", read, 2 * N);
    assert_int_equal(n, N + 255 + 256 + 257 + 5000 + 5);
    assert_memory_equal(read, bytes, N);
    assert_true(read[N] == '\n' && read[n - 1] == '\n');
    oracle_close(sc);
    free(bytes);
    free(read);
}

static int64_t ran;
SPARK_MAP(note, int64_t, int64_t)
{
    __atomic_add_fetch(&ran, 1, __ATOMIC_RELAXED);
    *out = *in;
}

static void test_save_as_text_file__refuses_a_path_that_exists(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 10, 1, 2), note, NULL);
    ran = 0;
    assert_int_equal(mkdir("empty", 0777), 0);
    oracle_fails(spark_save_as_text_file(rdd, "empty"), SPARK_EIO, "empty");
    assert_int_equal(oracle_entries("empty"), 2);
    scratch_write("file", "x", 1);
    oracle_fails(spark_save_as_text_file(rdd, "file"), SPARK_EIO, "file");
    has_file("file", "x");
    oracle_ok(spark_save_as_text_file(rdd, "full"));
    assert_int_equal(ran, 10);
    oracle_fails(spark_save_as_text_file(rdd, "full"), SPARK_EIO, "full");
    oracle_fails(spark_save_as_text_file(rdd, "file/below"), SPARK_EIO, "file/below");
    oracle_fails(spark_save_as_text_file(rdd, ""), SPARK_EINVAL, "path is empty");
    assert_int_equal(ran, 10);
    oracle_close(sc);
}

static void test_save_as_text_file__of_a_failing_job_leaves_nothing(void **state)
{
    int64_t at = 70;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd = spark_map(spark_range(sc, 0, 100, 1, 4), fail_at, SPARK_COPY(at));
        oracle_fails(spark_save_as_text_file(rdd, "out"), SPARK_ETASK, "met 70");
        assert_int_equal(access("out", F_OK), -1);
        assert_int_equal(oracle_entries("."), 2);
        oracle_close(sc);
    }
}

static void test_save_as_text_file__survives_faults(void **state)
{
    spark_fault faults[] = { { SPARK_FAULT_TASK, SPARK_ANY, SPARK_ANY, SPARK_ANY, .attempt = 0 },
        { SPARK_FAULT_TASK, SPARK_ANY, SPARK_ANY, 2, .attempt = 1 } };
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 2, .faults = faults, .n_faults = 2 });
    oracle_ok(spark_save_as_text_file(spark_range(sc, 0, 8, 1, 4), "out"));
    assert_int_equal(oracle_last_job(sc).failed_tasks, 5);
    has_file("out/part-00000", "0\n1\n");
    has_file("out/part-00001", "2\n3\n");
    has_file("out/part-00002", "4\n5\n");
    has_file("out/part-00003", "6\n7\n");
    assert_int_equal(oracle_entries("out"), 7);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_collect__gives_all_in_order),
        oracle_test(test_reduce__merges_in_the_order_of_the_input),
        oracle_test(test_reduce__of_doubles_is_bit_identical),
        oracle_test(test_fold__uses_the_zero_once_a_partition_and_once_more),
        oracle_test(test_aggregate__adds_within_and_combines_between_partitions),
        oracle_test(test_aggregate__into_counts_by_word),
        oracle_test(test_take__gives_the_first_elements),
        oracle_test(test_take__scans_partitions_in_growing_rounds),
        oracle_test(test_take__stops_early),
        oracle_test(test_take__does_not_meet_failures_behind_what_it_needs),
        oracle_test(test_top__gives_the_largest_and_take_ordered_the_smallest),
        oracle_test(test_top__of_very_many_is_the_same),
        oracle_test(test_top__holds_little_of_many_partitions),
        oracle_test(test_top__prefers_the_first_of_equal_ones),
        oracle_test(test_top__gives_the_cases_of_spark),
        oracle_test(test_foreach__meets_each_element_once),
        oracle_test(test_count_by__counts_keys_and_values),
        oracle_test(test_count_by__of_nothing_is_empty),
        file_test(test_save_as_text_file__writes_a_part_for_each_partition),
        file_test(test_save_as_text_file__writes_the_form_of_print),
        file_test(test_save_as_text_file__writes_long_lines),
        file_test(test_save_as_text_file__refuses_a_path_that_exists),
        file_test(test_save_as_text_file__of_a_failing_job_leaves_nothing),
        file_test(test_save_as_text_file__survives_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
