/* SPDX-License-Identifier: Apache-2.0 */
/* zip_partitions: a function on the partitions of two, three or four RDDs. */
#include "layouts.h"

SPARK_PAIR(two, int64_t, int64_t);

SPARK_ZIP_PARTITIONS(merge_sizes, int64_t, int64_t, int64_t)
{
    int64_t n = 0;
    while (spark_next(a) != NULL)
        n++;
    spark_emit(out, n);
    for (n = 0; spark_next(b) != NULL; n++) { }
    spark_emit(out, n);
}
SPARK_ZIP_PARTITIONS_3(sizes, int64_t, spark_str, double, int64_t)
{
    int64_t n[3] = { 0, 0, 0 };
    while (spark_next(a) != NULL)
        n[0]++;
    while (spark_next(b) != NULL)
        n[1]++;
    while (spark_next(c) != NULL)
        n[2]++;
    for (int i = 0; i < 3; i++)
        spark_emit(out, n[i]);
}

static void test_zip_partitions__gives_the_case_of_the_zipped_partitions_suite(void **state)
{
    static const int64_t whole[] = { 1, 2, 3, 4 };
    static const spark_str texts[] = { SPARK_STR("1"), SPARK_STR("2"), SPARK_STR("3"),
        SPARK_STR("4"), SPARK_STR("5"), SPARK_STR("6") };
    static const double reals[] = { 1, 2 };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *three[]
            = { numbers(sc, 4, whole, 2), spark_parallelize(sc, SPARK_DATA(spark_str, 6, texts), 2),
                  spark_parallelize(sc, SPARK_DATA(double, 2, reals), 2) };
        oracle_has_layout(spark_zip_partitions_n(3, three, sizes, NULL, NULL), "2 3 1 | 2 3 1");
        oracle_has_layout(
            spark_zip_partitions(three[0], spark_range(sc, 0, 3, 1, 2), merge_sizes, NULL),
            "2 1 | 2 2");
        oracle_close(sc);
    }
}

/* Two sorted partitions become one, with strings made on the way, and the sizes at the end. */
typedef struct limits {
    int64_t stop; /* reads no further than to this number */
    spark_str name;
} limits;
SPARK_ZIP_PARTITIONS(merge, int64_t, word, word, limits)
{
    const int64_t *x;
    const word *w;
    int64_t n = 0;
    while (spark_peek(a) != NULL || spark_peek(b) != NULL) {
        x = spark_peek(a);
        w = spark_peek(b);
        if ((x && *x >= env->stop) || spark_cancelled(task))
            return;
        if (w == NULL || (x != NULL && *x <= w->key)) {
            x = spark_next(a);
            spark_emit(out,
                (word) { (int32_t)*x,
                    spark_str_format(
                        task, "%.*s%lld", (int)env->name.len, env->name.ptr, (long long)n++) });
        } else {
            w = spark_next(b);
            if (!spark_emit(out, *w))
                return;
        }
    }
    spark_emit(out, (word) { -1, SPARK_LIT("end") });
}

typedef struct merging {
    size_t n_left, n_right;
    limits limits;
} merging;

static spark_rdd *build_merge(spark_context *sc, int partitions, const void *arg)
{
    const merging *m = arg;
    /* Keys of words are numbers modulo 50, so at most 50 words are sorted. */
    return spark_zip_partitions(input(spark_range(sc, 0, (int64_t)m->n_left, 1, partitions)),
        input(words(sc, 0, m->n_right, partitions)), merge, SPARK_COPY(m->limits));
}
static void naive_merge(layout *want, int partitions, const void *arg)
{
    const merging *m = arg;
    for (int p = 0; p < partitions; p++) {
        size_t i = slice(m->n_left, partitions, p), i_end = slice(m->n_left, partitions, p + 1);
        size_t j = slice(m->n_right, partitions, p), j_end = slice(m->n_right, partitions, p + 1);
        int64_t n = 0;
        char text[64];
        layout_part(want);
        while (i < i_end || j < j_end) {
            if (i < i_end && (int64_t)i >= m->limits.stop)
                break;
            if (j == j_end || (i < i_end && i <= j)) {
                const int length = snprintf(text, sizeof text, "%.*s%d", (int)m->limits.name.len,
                    m->limits.name.ptr, (int)n++);
                LAYOUT_ROW(want, word, (const word) { (int32_t)i++, { text, (size_t)length } });
            } else {
                LAYOUT_ROW(want, word, word_of((int64_t)j, text));
                j++;
            }
        }
        if (i == i_end && j == j_end)
            LAYOUT_ROW(want, word, (const word) { -1, SPARK_LIT("end") });
    }
}

static void test_zip_partitions__reads_both_sides_as_it_likes(void **state)
{
    static const merging cases[] = {
        { 0, 0, { 1000, SPARK_STR("n") } },
        { 40, 50, { 1000, SPARK_STR("a longer name than others: ") } },
        { 120, 5, { 70, SPARK_STR("x") } },
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        layout_compare(build_merge, naive_merge, &cases[i]);
}

/* Four inputs of four types, and many elements for one. */
SPARK_ZIP_PARTITIONS_4(all_four, int64_t, word, double, two, word)
{
    const int64_t *number;
    const word *text;
    const double *real;
    const two *pair;
    while ((number = spark_next(a)) != NULL)
        for (int64_t i = 0; i < *number % 40; i++)
            spark_emit(
                out, (word) { (int32_t)i, spark_str_format(task, "a%lld", (long long)*number) });
    while ((text = spark_next(b)) != NULL)
        spark_emit(out, *text);
    while ((real = spark_next(c)) != NULL)
        spark_emit(out, (word) { (int32_t)(*real * 2), SPARK_LIT("c") });
    while ((pair = spark_next(d)) != NULL)
        spark_emit(out, (word) { (int32_t)pair->value, SPARK_LIT("d") });
}
SPARK_ZIP_PARTITIONS_3(weigh, int64_t, int64_t, int64_t, int64_t, int64_t)
{
    const int64_t *item;
    int64_t sum = 0;
    while ((item = spark_next(a)) != NULL)
        sum += *item;
    while ((item = spark_next(c)) != NULL)
        sum += *item * *env;
    while ((item = spark_next(b)) != NULL)
        sum -= *item;
    spark_emit(out, sum);
}
SPARK_ZIP_PARTITIONS_4(weigh_four, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t)
{
    const int64_t *item;
    int64_t sum = 0;
    while ((item = spark_next(d)) != NULL)
        sum = sum * *env + *item;
    while ((item = spark_next(c)) != NULL)
        sum = sum * *env + *item;
    while ((item = spark_next(b)) != NULL)
        sum = sum * *env + *item;
    while ((item = spark_next(a)) != NULL)
        sum = sum * *env + *item;
    spark_emit(out, sum);
}
SPARK_MAP(half, int64_t, double)
{
    *out = (double)*in / 2;
}
SPARK_MAP(with_square, int64_t, two)
{
    *out = (two) { *in, *in * *in };
}

static spark_rdd *build_four(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    spark_rdd *four[]
        = { input(spark_range(sc, 0, 60, 1, partitions)), input(words(sc, 0, 33, partitions)),
              input(spark_map(spark_range(sc, 0, 8, 1, partitions), half, NULL)),
              input(spark_map(spark_range(sc, 0, 3, 1, partitions), with_square, NULL)) };
    return spark_zip_partitions_n(4, four, all_four, NULL, NULL);
}
static void naive_four(layout *want, int partitions, const void *arg)
{
    char text[64];
    (void)arg;
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(60, partitions, p); i < slice(60, partitions, p + 1); i++)
            for (size_t j = 0; j < i % 40; j++) {
                const int n = snprintf(text, sizeof text, "a%d", (int)i);
                LAYOUT_ROW(want, word, (const word) { (int32_t)j, { text, (size_t)n } });
            }
        for (size_t i = slice(33, partitions, p); i < slice(33, partitions, p + 1); i++)
            LAYOUT_ROW(want, word, word_of((int64_t)i, text));
        for (size_t i = slice(8, partitions, p); i < slice(8, partitions, p + 1); i++)
            LAYOUT_ROW(want, word, (const word) { (int32_t)i, SPARK_LIT("c") });
        for (size_t i = slice(3, partitions, p); i < slice(3, partitions, p + 1); i++)
            LAYOUT_ROW(want, word, (const word) { (int32_t)(i * i), SPARK_LIT("d") });
    }
}

static void test_zip_partitions__takes_up_to_four_inputs(void **state)
{
    (void)state;
    layout_compare(build_four, naive_four, NULL);
    spark_context *sc = oracle_open(2);
    int64_t by = 10;
    spark_rdd *four[] = { spark_range(sc, 1, 3, 1, 1), spark_range(sc, 3, 4, 1, 1),
        spark_range(sc, 4, 6, 1, 1), spark_range(sc, 6, 7, 1, 1) };
    oracle_has_layout(spark_zip_partitions_n(3, four, weigh, SPARK_COPY(by), NULL), "90");
    oracle_has_layout(spark_zip_partitions_n(4, four, weigh_four, SPARK_COPY(by), NULL), "645312");
    spark_rdd *same_one[] = { four[0], four[0], four[0], four[0] };
    oracle_has_layout(
        spark_zip_partitions_n(4, same_one, weigh_four, SPARK_COPY(by), NULL), "12121212");
    oracle_close(sc);
}

/* What it is called for, and how often. */
SPARK_ZIP_PARTITIONS(place, int64_t, int64_t, two, counter)
{
    const int64_t *last = NULL, *item;
    spark_accumulate(task, *env, 1);
    while ((item = spark_next(a)) != NULL)
        last = spark_keep(task, int64_t, item);
    spark_emit(out, (two) { spark_task_partition(task), last ? *last : -1 });
    (void)b;
}

static void test_zip_partitions__runs_once_a_partition_also_for_empty_ones(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        counter calls = spark_counter(sc, "calls");
        spark_rdd *rdd = spark_zip_partitions(
            spark_range(sc, 0, 3, 1, 5), spark_range(sc, 0, 2, 1, 5), place, SPARK_COPY(calls));
        oracle_collects(rdd, "(0,-1) (1,0) (2,-1) (3,1) (4,2)");
        assert_int_equal(spark_accumulator_value(calls), 5);
        spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
        rdd = spark_zip_partitions(none, none, place, SPARK_COPY(calls));
        oracle_collects(rdd, "");
        assert_int_equal(spark_rdd_partitions(rdd), 0);
        assert_int_equal(spark_accumulator_value(calls), 5);
        oracle_close(sc);
    }
}

SPARK_ZIP_PARTITIONS(multiply, int64_t, int64_t, two)
{
    const int64_t *x = spark_next(a), *y = spark_next(b);
    for (int64_t i = 0; x && y && i < 3000000; i++)
        if (!spark_emit(out, (two) { *x, i }))
            return;
}

static void test_zip_partitions__passes_millions_on_in_bounded_memory(void **state)
{
    uint64_t peak;
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *n = spark_range(sc, 0, 2, 1, 2), *rdd = spark_zip_partitions(n, n, multiply, NULL);
    assert_int_equal(oracle_count(rdd), 6000000);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 8u << 20);
    oracle_ok(spark_take(rdd, 3, SPARK_TYPE(two), &array));
    oracle_lists(&array, "(0,0) (0,1) (0,2)");
    spark_array_free(&array);
    oracle_close(sc);
}

static spark_rdd *build_large(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    spark_rdd *n = spark_range(sc, 0, 2, 1, partitions);
    return spark_zip_partitions(n, n, multiply, NULL);
}

static void test_zip_partitions__goes_on_without_room_in_the_cache(void **state)
{
    (void)state;
    goes_on_without_room(build_large, NULL);
}

SPARK_ZIP_PARTITIONS(fail_late, int64_t, int64_t, int64_t, int64_t)
{
    const int64_t *item;
    while ((item = spark_next(a)) != NULL) {
        spark_emit(out, *item);
        if (*item == 7 && spark_task_attempt(task) < *env) {
            spark_fail(task, "seven again");
            return;
        }
    }
    while ((item = spark_next(b)) != NULL)
        spark_emit(out, *item);
}

static void test_zip_partitions__that_fail_are_tried_again(void **state)
{
    int64_t times = 3, n;
    (void)state;
    for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch });
        spark_rdd *a = spark_range(sc, 0, 10, 1, 2), *b = spark_range(sc, 20, 24, 1, 2);
        oracle_has_layout(spark_zip_partitions(a, b, fail_late, SPARK_COPY(times)),
            "0 1 2 3 4 20 21 | 5 6 7 8 9 22 23");
        assert_int_equal(oracle_last_job(sc).failed_tasks, 3);
        times = 4;
        spark_rdd *rdd = spark_zip_partitions(a, b, fail_late, SPARK_COPY(times));
        const int line = __LINE__ - 1;
        times = 3;
        char site[300];
        snprintf(
            site, sizeof site, "zipPartitions(fail_late) at %s:%d: seven again", TEST_FILE, line);
        oracle_fails(spark_count(rdd, &n), SPARK_ETASK, site);
        assert_string_equal(spark_last_error()->operation, "zipPartitions(fail_late)");
        assert_int_equal(spark_last_error()->partition, 1);
        assert_int_equal(spark_last_error()->record, -1);
        oracle_close(sc);
    }
}

SPARK_ZIP_PARTITIONS(second_of_each, word, word, word)
{
    /* What spark_next gave before must be kept. */
    const word *first = spark_next(a), *kept = first ? spark_keep(task, word, first) : NULL, *w;
    while ((w = spark_next(b)) != NULL)
        if (spark_next(a) != NULL && kept != NULL)
            spark_emit(out, (word) { w->key, kept->value });
}
SPARK_ZIP_PARTITIONS(first_after_second, word, word, word)
{
    const word *first = spark_next(a);
    while (spark_next(a) != NULL) { }
    while (spark_next(b) != NULL)
        if (first != NULL)
            spark_emit(out, *first);
}

static void test_zip_partitions__in_check_mode(void **state)
{
    int64_t n;
    (void)state;
    for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch, .check = true });
        spark_rdd *w = words(sc, 0, 3000, 1);
        spark_rdd *kept = spark_zip_partitions(w, w, second_of_each, NULL);
        assert_int_equal(oracle_count(kept), 2999);
        assert_int_equal(oracle_count(spark_distinct(spark_values(kept), 0)), 1);
        oracle_fails(spark_count(spark_zip_partitions(w, w, first_after_second, NULL), &n),
            SPARK_ETASK, "emitted by first_after_second");
        oracle_close(sc);
    }
}

SPARK_ZIP_PARTITIONS(keys_of_both, two, two, two)
{
    const two *pair;
    while ((pair = spark_next(a)) != NULL)
        spark_emit(out, *pair);
    while ((pair = spark_next(b)) != NULL)
        spark_emit(out, *pair);
}

static void test_zip_partitions__keeps_the_partitioner_of_the_first_if_told_so(void **state)
{
    const spark_map_partitions_options keep = { true }, drop = { false };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_key_by(spark_range(sc, 0, 20, 1, 3), same, NULL);
    spark_rdd *placed = spark_partition_by(pairs, spark_hash_partitioner(sc, 3));
    spark_rdd *both[] = { placed, pairs }, *other[] = { pairs, placed };
    partitioned_as(spark_zip_partitions(placed, placed, keys_of_both, NULL), NULL);
    partitioned_as(spark_zip_partitions_n(2, both, keys_of_both, NULL, NULL), NULL);
    partitioned_as(spark_zip_partitions_n(2, both, keys_of_both, NULL, &drop), NULL);
    partitioned_as(spark_zip_partitions_n(2, both, keys_of_both, NULL, &keep), placed);
    partitioned_as(spark_zip_partitions_n(2, other, keys_of_both, NULL, &keep), NULL);
    /* What is placed alike needs no shuffle. */
    spark_rdd *same_side[] = { placed, placed };
    spark_rdd *sums = spark_reduce_by_key(
        spark_zip_partitions_n(2, same_side, keys_of_both, NULL, &keep), spark_op_sum, NULL, 0);
    assert_int_equal(oracle_count(sums), 20);
    spark_array array;
    oracle_ok(spark_reduce(spark_values(sums), spark_op_sum, NULL, SPARK_TYPE(int64_t), &array));
    oracle_lists(&array, "380");
    spark_array_free(&array);
    assert_int_equal(oracle_last_job(sc).stages, 2);
    oracle_close(sc);
}

/* A definition filled in by hand: any type in. */
static void count_all(
    spark_task *task, spark_iterator *const *in, spark_emitter *out, const void *env)
{
    int64_t n = 0;
    (void)task;
    (void)env;
    while (spark_next_(in[0]) != NULL)
        n++;
    while (spark_next_(in[1]) != NULL)
        n += 100;
    spark_emit_(out, &n, sizeof n);
}

static void test_zip_partitions__takes_a_definition_filled_in_by_hand(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_zip_def def
        = { "count_all", 2, { NULL, NULL, NULL, NULL }, SPARK_TYPE(int64_t), 0, count_all };
    spark_rdd *rdd
        = spark_zip_partitions(words(sc, 0, 5, 2), spark_range(sc, 0, 4, 1, 2), &def, NULL);
    memset(&def, 0, sizeof def);
    oracle_has_layout(rdd, "202 | 203");
    oracle_close(sc);
}

static void test_zip_partitions__refuses_what_is_wrong(void **state)
{
    spark_array array;
    int64_t by = 1;
    int32_t small = 1;
    (void)state;
    spark_context *sc = oracle_open(1), *other = oracle_open(1);
    spark_rdd *n = spark_range(sc, 0, 4, 1, 2), *w = words(sc, 0, 4, 2), *bad = broken(sc);
    spark_rdd *list[] = { n, n, n, n, n };
    /* The function. */
    refused(spark_zip_partitions(n, n, NULL, NULL), SPARK_EINVAL, "zipPartitions",
        "the function is NULL");
    refused(spark_zip_partitions(n, n, &(spark_zip_def) { .name = "empty", .n = 2 }, NULL),
        SPARK_EINVAL, "zipPartitions", "the function is NULL");
    refused(spark_zip_partitions(n, n,
                &(spark_zip_def) { "typeless", 2, { NULL, NULL, NULL, NULL }, NULL, 0, count_all },
                NULL),
        SPARK_EINVAL, "zipPartitions(typeless)", "does not say what type it makes");
    /* The types, of each input. */
    refused(spark_zip_partitions(w, n, merge_sizes, NULL), SPARK_ETYPE,
        "zipPartitions(merge_sizes)", "i64 wanted, word found");
    refused(spark_zip_partitions(n, w, merge_sizes, NULL), SPARK_ETYPE,
        "zipPartitions(merge_sizes)", "i64 wanted, word found");
    for (size_t i = 0; i < 4; i++) {
        list[i] = w;
        refused(spark_zip_partitions_n(4, list, weigh_four, SPARK_COPY(by), NULL), SPARK_ETYPE,
            "zipPartitions(weigh_four)", "i64 wanted, word found");
        list[i] = n;
    }
    /* The numbers of RDDs. */
    refused(spark_zip_partitions(n, n, weigh, SPARK_COPY(by)), SPARK_EINVAL, "zipPartitions(weigh)",
        "2 RDDs for a function of 3");
    refused(spark_zip_partitions_n(1, list, merge_sizes, NULL, NULL), SPARK_EINVAL,
        "zipPartitions(merge_sizes)", "1 RDDs for a function of 2");
    refused(spark_zip_partitions_n(3, list, merge_sizes, NULL, NULL), SPARK_EINVAL,
        "zipPartitions(merge_sizes)", "3 RDDs for a function of 2");
    refused(spark_zip_partitions_n(5, list, weigh_four, SPARK_COPY(by), NULL), SPARK_EINVAL,
        "zipPartitions(weigh_four)", "5 RDDs for a function of 4");
    refused(spark_zip_partitions_n(1, list,
                &(spark_zip_def) {
                    "of_one", 1, { NULL, NULL, NULL, NULL }, SPARK_TYPE(int64_t), 0, count_all },
                NULL, NULL),
        SPARK_EINVAL, "zipPartitions(of_one)", "1 RDDs");
    oracle_fails(
        spark_collect(spark_zip_partitions_n(0, list, merge_sizes, NULL, NULL), NULL, &array),
        SPARK_EINVAL, "NULL");
    oracle_fails(
        spark_collect(spark_zip_partitions_n(2, NULL, merge_sizes, NULL, NULL), NULL, &array),
        SPARK_EINVAL, "NULL");
    /* The environment. */
    refused(spark_zip_partitions_n(3, list, weigh, NULL, NULL), SPARK_EINVAL,
        "zipPartitions(weigh)", "the function wants an env of 8 bytes");
    refused(spark_zip_partitions_n(3, list, weigh, SPARK_COPY(small), NULL), SPARK_EINVAL,
        "zipPartitions(weigh)", "env has 4 bytes (int32_t), the function wants 8 (int64_t)");
    /* The RDDs. */
    for (size_t i = 0; i < 3; i++) {
        list[i] = bad;
        passes_on(spark_zip_partitions_n(3, list, weigh, SPARK_COPY(by), NULL));
        list[i] = NULL;
        oracle_fails(spark_collect(spark_zip_partitions_n(3, list, weigh, SPARK_COPY(by), NULL),
                         NULL, &array),
            SPARK_EINVAL, "NULL");
        list[i] = spark_range(sc, 0, 4, 1, 3);
        oracle_fails(spark_collect(spark_zip_partitions_n(3, list, weigh, SPARK_COPY(by), NULL),
                         NULL, &array),
            SPARK_EINVAL, "Can't zip RDDs with unequal numbers of partitions");
        assert_string_equal(spark_last_error()->operation, "zipPartitions");
        list[i] = spark_range(other, 0, 4, 1, 2);
        refused(spark_zip_partitions_n(3, list, weigh, SPARK_COPY(by), NULL), SPARK_EINVAL,
            "zipPartitions(weigh)", "the RDDs belong to different contexts");
        list[i] = n;
    }
    oracle_close(other);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_zip_partitions__gives_the_case_of_the_zipped_partitions_suite),
        oracle_test(test_zip_partitions__reads_both_sides_as_it_likes),
        oracle_test(test_zip_partitions__takes_up_to_four_inputs),
        oracle_test(test_zip_partitions__runs_once_a_partition_also_for_empty_ones),
        oracle_test(test_zip_partitions__passes_millions_on_in_bounded_memory),
        oracle_test(test_zip_partitions__goes_on_without_room_in_the_cache),
        oracle_test(test_zip_partitions__that_fail_are_tried_again),
        oracle_test(test_zip_partitions__in_check_mode),
        oracle_test(test_zip_partitions__keeps_the_partitioner_of_the_first_if_told_so),
        oracle_test(test_zip_partitions__takes_a_definition_filled_in_by_hand),
        oracle_test(test_zip_partitions__refuses_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
