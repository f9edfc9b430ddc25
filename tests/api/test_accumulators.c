/* SPDX-License-Identifier: Apache-2.0 */
/* Accumulators of values: collections and those of the user's. They count once what is published,
 * and their order is that of jobs, stages and partitions, whatever the threads do. */
#include "layouts.h"

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_STRUCT(
    note, (int32_t, id), (spark_str, text), (spark_i64_list, numbers), (spark_opt_str, maybe));

/* ---- what is accumulated */

static const int64_t note_numbers[] = { 3, 1, 4, 1, 5 };

static note note_of(int64_t i, char text[32])
{
    const int n = snprintf(text, 32, "note %d", (int)i);
    return (note) { (int32_t)i, { text, (size_t)n }, { note_numbers, (size_t)(i % 5) },
        { i % 3 != 0, { text, (size_t)(i % 5) } } };
}

SPARK_MAP(seen, int64_t, int64_t, counter)
{
    spark_accumulate_value(task, *env, SPARK_VALUE(int64_t, in));
    *out = *in;
}
SPARK_MAP(seen_notes, int64_t, i64_i64, counter)
{
    char text[32]; /* views of memory that is gone when the function has returned */
    const note value = note_of(*in, text);
    spark_accumulate_value(task, *env, SPARK_VALUE(note, &value));
    memset(text, '?', sizeof text);
    *out = (i64_i64) { *in % 7, *in };
}

/* int_set: a sorted set, whose memory is that of the function that adds to it. */
SPARK_LIST(int_set, int64_t);
static size_t place_of(const int_set *set, int64_t x)
{
    size_t i = 0;
    while (i < set->n && set->at[i] < x)
        i++;
    return i;
}
static void put_in(spark_task *task, int_set *set, int64_t x)
{
    const size_t i = place_of(set, x);
    if (i < set->n && set->at[i] == x)
        return;
    int64_t *at = spark_alloc(task, (set->n + 1) * sizeof *at);
    if (at == NULL)
        return;
    if (i > 0)
        memcpy(at, set->at, i * sizeof *at);
    at[i] = x;
    if (i < set->n)
        memcpy(at + i + 1, set->at + i, (set->n - i) * sizeof *at);
    *set = (int_set) { at, set->n + 1 };
}
SPARK_MERGE(add_number, int_set, int64_t)
{
    put_in(task, acc, *in);
}
SPARK_MERGE(merge_sets, int_set, int_set)
{
    for (size_t i = 0; i < in->n; i++)
        put_in(task, acc, in->at[i]);
}

/* trail: a text that shows every addition and every merge. */
SPARK_STRUCT(trail, (spark_str, text));
SPARK_MERGE(add_step, trail, int64_t)
{
    acc->text = spark_str_format(task, SPARK_STR_FMT "%d,", SPARK_STR_ARG(acc->text), (int)*in);
}
SPARK_MERGE(merge_trails, trail, trail)
{
    acc->text = spark_str_format(task, SPARK_STR_FMT "[" SPARK_STR_FMT "]",
        SPARK_STR_ARG(acc->text), SPARK_STR_ARG(in->text));
}

static counter new_set(spark_context *sc)
{
    counter set = spark_accumulator_new(sc, SPARK_ZERO(int_set), add_number, merge_sets, "set");
    assert_non_null(set);
    return set;
}
static counter new_list(spark_context *sc)
{
    counter list = spark_collection(sc, SPARK_TYPE(int64_t), "list");
    assert_non_null(list);
    return list;
}

static void holds(counter accumulator, const char *want)
{
    spark_array array;
    oracle_ok(spark_accumulator_get(accumulator, NULL, &array));
    oracle_lists(&array, want);
    spark_array_free(&array);
}

/* texts of 0 .. n - 1. */
static char *up_to(int n)
{
    oracle_text all = { NULL, 0, 0 };
    char text[24];
    oracle_append(&all, "", 0);
    for (int i = 0; i < n; i++)
        oracle_append(&all, text, (size_t)snprintf(text, sizeof text, i > 0 ? " %d" : "%d", i));
    return all.bytes;
}

/* ---- each partition once, in order */

static void test_collection__has_all_elements_in_order(void **state)
{
    enum { N = 100 };
    char *want = up_to(N);
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            counter list = new_list(sc);
            assert_string_equal(spark_accumulator_name(list), "list");
            holds(list, "");
            spark_rdd *rdd
                = spark_map(spark_range(sc, 0, N, 1, oracle_partitions[p]), seen, SPARK_COPY(list));
            /* Nothing happens before an action, and each action counts. */
            holds(list, "");
            assert_int_equal(oracle_count(rdd), N);
            holds(list, want);
            assert_int_equal(oracle_count(rdd), N);
            spark_array array;
            oracle_ok(spark_accumulator_get(list, SPARK_TYPE(int64_t), &array));
            assert_int_equal(array.n, 2 * N);
            for (size_t i = 0; i < array.n; i++)
                assert_int_equal(SPARK_ITEMS(int64_t, &array)[i], i % N);
            spark_array_free(&array);
            oracle_close(sc);
        }
    }
    free(want);
}

static void test_collection__copies_elements_deep(void **state)
{
    enum { N = 60 };
    static note notes[N];
    static char texts[N][32];
    (void)state;
    for (int i = 0; i < N; i++)
        notes[i] = note_of(i, texts[i]);
    const spark_array naive = oracle_array(SPARK_TYPE(note), N, notes);
    char *want = oracle_listing(&naive, false);
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            counter all = spark_collection(sc, SPARK_TYPE(note), NULL);
            assert_string_equal(spark_accumulator_name(all), "");
            spark_rdd *rdd = spark_map(
                spark_range(sc, 0, N, 1, oracle_partitions[p]), seen_notes, SPARK_COPY(all));
            /* Through a shuffle: counted once, and not again by the job that skips the stage. */
            spark_rdd *sums = spark_reduce_by_key(rdd, spark_op_sum, NULL, 3);
            for (int i = 0; i < 2; i++) {
                assert_int_equal(oracle_count(sums), 7);
                holds(all, want);
            }
            oracle_close(sc);
        }
    }
    free(want);
}

static void test_accumulator__set_list_and_map_of_two_thousand_items(void **state)
{
    enum { N = 1000 };
    (void)state;
    char *want = up_to(N);
    for (int threads = 1; threads <= 10; threads += 9) {
        spark_context *sc = oracle_open(threads);
        counter set = new_set(sc), list = new_list(sc);
        spark_rdd *once = spark_range(sc, 0, N, 1, 10);
        spark_rdd *twice = spark_union(once, once);
        assert_int_equal(oracle_count(spark_map(
                             spark_map(twice, seen, SPARK_COPY(set)), seen, SPARK_COPY(list))),
            2 * N);
        spark_array array;
        oracle_ok(spark_accumulator_get(list, SPARK_TYPE(int64_t), &array));
        assert_int_equal(array.n, 2 * N);
        for (size_t i = 0; i < array.n; i++)
            assert_int_equal(SPARK_ITEMS(int64_t, &array)[i], i % N);
        spark_array_free(&array);
        oracle_ok(spark_accumulator_get(set, SPARK_TYPE(int_set), &array));
        assert_int_equal(array.n, 1);
        const int_set *found = SPARK_ITEMS(int_set, &array);
        const spark_array members = oracle_array(SPARK_TYPE(int64_t), found->n, found->at);
        oracle_lists(&members, want);
        spark_array_free(&array);
        oracle_close(sc);
    }
    free(want);
}

static void test_accumulator__merges_partitions_in_order_from_its_zero(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        for (int p = 1; p <= 7; p += p < 3 ? 1 : 4) {
            char begin[] = "<";
            trail zero = { { begin, 1 } };
            oracle_text want = { NULL, 0, 0 };
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            counter all = spark_accumulator_new(
                sc, SPARK_VALUE(trail, &zero), add_step, merge_trails, "trail");
            assert_non_null(all);
            /* The zero was copied, deep. */
            memset(begin, '?', sizeof begin);
            zero.text.len = 77;
            holds(all, "(<)");
            oracle_append(&want, "(<", 2);
            for (int i = 0; i < p; i++) {
                const size_t from = slice(5, p, i), to = slice(5, p, i + 1);
                char text[24];
                oracle_append(&want, from < to ? "[<" : "", from < to ? 2 : 0);
                for (size_t k = from; k < to; k++)
                    oracle_append(&want, text, (size_t)snprintf(text, sizeof text, "%zu,", k));
                oracle_append(&want, "]", from < to ? 1 : 0);
            }
            oracle_append(&want, ")", 1);
            spark_rdd *rdd = spark_map(spark_range(sc, 0, 5, 1, p), seen, SPARK_COPY(all));
            assert_int_equal(oracle_count(rdd), 5);
            holds(all, want.bytes);
            holds(all, want.bytes); /* reading does not change it */
            free(want.bytes);
            oracle_close(sc);
        }
    }
}

static void test_accumulator__of_three_stages(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        counter one = new_list(sc), ten = new_list(sc), hundred = new_list(sc);
        spark_rdd *first = spark_map(spark_range(sc, 0, 100, 1, 10), seen, SPARK_COPY(one));
        spark_rdd *second = spark_map(spark_distinct(first, 10), seen, SPARK_COPY(ten));
        spark_rdd *third = spark_map(spark_distinct(second, 20), seen, SPARK_COPY(hundred));
        assert_int_equal(oracle_count(third), 100);
        spark_array array;
        char *texts[2];
        counter all[] = { one, ten, hundred };
        for (size_t i = 0; i < 3; i++) {
            oracle_ok(spark_accumulator_get(all[i], NULL, &array));
            assert_int_equal(array.n, 100);
            spark_array_free(&array);
        }
        /* In the order of the partitions of their stage: as collect sees them. */
        oracle_ok(spark_accumulator_get(hundred, NULL, &array));
        texts[0] = oracle_listing(&array, false);
        spark_array_free(&array);
        oracle_ok(spark_collect(spark_distinct(second, 20), NULL, &array));
        texts[1] = oracle_listing(&array, false);
        spark_array_free(&array);
        assert_string_equal(texts[0], texts[1]);
        free(texts[0]);
        free(texts[1]);
        oracle_close(sc);
    }
}

/* ---- failures */

static void test_accumulator__does_not_count_failed_attempts(void **state)
{
    static const spark_fault faults[]
        = { { SPARK_FAULT_TASK, SPARK_ANY, SPARK_ANY, SPARK_ANY, .attempt = 0 },
              { SPARK_FAULT_TASK, SPARK_ANY, SPARK_ANY, 1, .attempt = 1 } };
    (void)state;
    char *want = up_to(100);
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = threads, .faults = faults, .n_faults = 2 });
        counter list = new_list(sc), set = new_set(sc);
        assert_int_equal(
            oracle_count(spark_map(spark_map(spark_range(sc, 0, 100, 1, 4), seen, SPARK_COPY(list)),
                seen, SPARK_COPY(set))),
            100);
        assert_int_equal(oracle_last_job(sc).failed_tasks, 5);
        holds(list, want);
        oracle_text whole = { NULL, 0, 0 };
        oracle_append(&whole, "[", 1);
        for (const char *at = want; *at; at++)
            oracle_append(&whole, *at == ' ' ? "," : at, 1);
        oracle_append(&whole, "]", 1);
        holds(set, whole.bytes);
        free(whole.bytes);
        oracle_close(sc);
    }
    free(want);
}

SPARK_MAP(seen_then_broken, int64_t, int64_t, counter)
{
    spark_accumulate_value(task, *env, SPARK_VALUE(int64_t, in));
    if (*in == 50)
        spark_fail(task, "broken for ever");
    *out = *in;
}

static void test_accumulator__of_a_failed_job_has_what_was_published(void **state)
{
    (void)state;
    for (int p = 1; p <= 7; p += 3) {
        spark_context *sc = oracle_open(1);
        counter list = new_list(sc);
        int64_t n;
        oracle_fails(
            spark_count(
                spark_map(spark_range(sc, 0, 100, 1, p), seen_then_broken, SPARK_COPY(list)), &n),
            SPARK_ETASK, "broken for ever");
        spark_array array;
        oracle_ok(spark_accumulator_get(list, SPARK_TYPE(int64_t), &array));
        const int bad = p == 1 ? 0 : p == 4 ? 2 : 3;
        bool there[100] = { false };
        for (size_t i = 0; i < array.n; i++) {
            const int64_t x = SPARK_ITEMS(int64_t, &array)[i];
            assert_false(there[x]);
            there[x] = true;
        }
        for (size_t i = slice(100, p, bad); i < slice(100, p, bad + 1); i++)
            assert_false(there[i]);
        /* With one thread partitions come one after another. */
        for (size_t i = 0; i < slice(100, p, bad); i++)
            assert_true(there[i]);
        spark_array_free(&array);
        oracle_close(sc);
    }
}

static void test_accumulator__counts_blocks_and_map_outputs_once(void **state)
{
    (void)state;
    char *want = up_to(100);
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        counter list = new_list(sc), outputs = new_list(sc);
        spark_rdd *cached
            = spark_cache(spark_map(spark_range(sc, 0, 100, 1, 4), seen, SPARK_COPY(list)));
        spark_rdd *other = spark_distinct(spark_map(cached, seen, SPARK_COPY(outputs)), 3);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(oracle_count(cached), 100);
            holds(list, want);
            assert_true(spark_drop_block(cached, i));
            assert_int_equal(oracle_count(other), 100);
            holds(outputs, want);
            assert_true(spark_drop_shuffle_output(other, i));
        }
        assert_int_equal(oracle_count(other), 100);
        holds(list, want);
        holds(outputs, want);
        spark_unpersist(cached);
        assert_int_equal(oracle_count(cached), 100);
        spark_array array;
        oracle_ok(spark_accumulator_get(list, NULL, &array));
        assert_int_equal(array.n, 200);
        spark_array_free(&array);
        oracle_close(sc);
    }
    free(want);
}

static void test_accumulator__is_exact_under_random_faults(void **state)
{
    (void)state;
    char *want = up_to(100);
    for (uint64_t seed = 0; seed < 40; seed++) {
        const spark_fault faults[] = { { SPARK_FAULT_RANDOM, SPARK_ANYWHERE,
            .rate = 0.2, .seed = seed } };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = seed % 2 ? 8 : 1,
            .check = seed % 3 == 0,
            .faults = faults,
            .n_faults = 1,
            .stage_max_attempts = 1000 });
        counter list = new_list(sc), set = new_set(sc), again = new_list(sc);
        spark_rdd *cached
            = spark_cache(spark_map(spark_range(sc, 0, 100, 1, 4), seen, SPARK_COPY(list)));
        spark_rdd *other = spark_distinct(spark_map(cached, seen, SPARK_COPY(set)), 3);
        assert_int_equal(oracle_count(other), 100);
        assert_int_equal(oracle_count(other), 100);
        assert_int_equal(oracle_count(cached), 100);
        holds(list, want);
        spark_array array;
        oracle_ok(spark_accumulator_get(set, SPARK_TYPE(int_set), &array));
        assert_int_equal(SPARK_ITEMS(int_set, &array)->n, 100);
        spark_array_free(&array);
        assert_int_equal(oracle_count(spark_map(other, seen, SPARK_COPY(again))), 100);
        oracle_ok(spark_accumulator_get(again, NULL, &array));
        assert_int_equal(array.n, 100);
        spark_array_free(&array);
        oracle_close(sc);
    }
    free(want);
}

/* ---- functions that fail, values that do not fit */

SPARK_MERGE(add_but_nines, trail, int64_t)
{
    if (*in == 9)
        spark_fail(task, "nine is too many");
    acc->text = spark_str_format(task, "%d", (int)*in);
}
SPARK_MERGE(merge_badly, trail, trail)
{
    if (in->text.len == 1 && in->text.ptr[0] == '8')
        spark_fail(task, "eight cannot be merged");
    acc->text = in->text;
}

static void test_accumulator__function_that_fails(void **state)
{
    int64_t n;
    spark_array array = { SPARK_TYPE(int64_t), "x", 77, NULL };
    (void)state;
    spark_context *sc = oracle_open(2);
    counter all
        = spark_accumulator_new(sc, SPARK_ZERO(trail), add_but_nines, merge_badly, "digits");
    oracle_fails(spark_count(spark_map(spark_range(sc, 0, 20, 1, 4), seen, SPARK_COPY(all)), &n),
        SPARK_ETASK, "nine is too many");
    assert_non_null(strstr(spark_last_error()->site, "test_accumulators.c:"));
    assert_string_equal(spark_last_error()->operation, "map(seen)");
    assert_int_equal(
        oracle_count(spark_map(spark_range(sc, 8, 9, 1, 1), seen, SPARK_COPY(all))), 1);
    oracle_fails(spark_accumulator_get(all, NULL, &array), SPARK_ETASK, "eight cannot be merged");
    assert_non_null(strstr(spark_last_error()->message, "digits"));
    zeroed(&array);
    oracle_close(sc);
}

SPARK_MAP(adds_a_double, int64_t, int64_t, counter)
{
    const double x = (double)*in;
    spark_accumulate_value(task, *env, SPARK_VALUE(double, &x));
    *out = *in;
}
SPARK_MAP(adds_numbers, int64_t, int64_t, counter)
{
    spark_accumulate(task, *env, *in);
    spark_accumulate_f64(task, *env, 0.5);
    *out = *in;
}

static void test_accumulator__of_another_type_fails_the_task(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 9, 1, 2);
    oracle_fails(
        spark_count(spark_map(rdd, adds_a_double, SPARK_COPY((counter) { new_list(sc) })), &n),
        SPARK_ETYPE, "list");
    assert_string_equal(spark_last_error()->operation, "map(adds_a_double)");
    oracle_fails(
        spark_count(spark_map(rdd, adds_a_double, SPARK_COPY((counter) { new_set(sc) })), &n),
        SPARK_ETYPE, "set");
    counter sum = spark_counter(sc, "sum");
    oracle_fails(spark_count(spark_map(rdd, seen, SPARK_COPY(sum)), &n), SPARK_ETYPE, "sum");
    assert_int_equal(spark_accumulator_value(sum), 0);
    /* NULL is ignored, and so are numbers added to what is no sum. */
    counter none = NULL, list = new_list(sc), set = new_set(sc);
    assert_int_equal(oracle_count(spark_map(rdd, seen, SPARK_COPY(none))), 9);
    assert_int_equal(oracle_count(spark_map(rdd, adds_numbers, SPARK_COPY(list))), 9);
    assert_int_equal(oracle_count(spark_map(rdd, adds_numbers, SPARK_COPY(set))), 9);
    holds(list, "");
    holds(set, "[]");
    oracle_close(sc);
}

SPARK_MERGE(add_scaled, int_set, int64_t, int64_t)
{
    put_in(task, acc, *in * *env);
}

static void test_accumulator__refuses_what_makes_no_sense(void **state)
{
    spark_array array = { SPARK_TYPE(int64_t), "x", 77, NULL };
    (void)state;
    spark_context *sc = oracle_open(1);
    assert_null(spark_collection(NULL, SPARK_TYPE(int64_t), "x"));
    assert_null(spark_collection(sc, NULL, "x"));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "accumulator at "));
    assert_non_null(strstr(spark_last_error()->site, "test_accumulators.c:"));
    assert_null(spark_accumulator_new(NULL, SPARK_ZERO(int_set), add_number, merge_sets, "x"));
    assert_null(spark_accumulator_new(sc, NULL, NULL, add_number, merge_sets, "x"));
    assert_null(spark_accumulator_new(sc, SPARK_ZERO(int_set), NULL, merge_sets, "x"));
    assert_null(spark_accumulator_new(sc, SPARK_ZERO(int_set), add_number, NULL, "x"));
    assert_null(spark_accumulator_new(sc, SPARK_ZERO(int_set), add_scaled, merge_sets, "x"));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_null(spark_accumulator_new(sc, SPARK_ZERO(trail), add_number, merge_trails, "x"));
    assert_null(spark_accumulator_new(sc, SPARK_ZERO(int_set), add_number, merge_trails, "x"));
    assert_null(spark_accumulator_new(sc, SPARK_ZERO(int_set), add_number, add_number, "x"));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    oracle_fails(spark_accumulator_get(NULL, NULL, &array), SPARK_EINVAL, "accumulator");
    oracle_fails(spark_accumulator_get(new_list(sc), NULL, NULL), SPARK_EINVAL, "place");
    oracle_fails(spark_accumulator_get(spark_counter(sc, "sum"), NULL, &array), SPARK_ETYPE,
        "accumulator \"sum\" is a sum");
    zeroed(&array);
    oracle_fails(
        spark_accumulator_get(new_list(sc), SPARK_TYPE(double), &array), SPARK_ETYPE, "list");
    oracle_fails(spark_accumulator_get(new_set(sc), SPARK_TYPE(trail), &array), SPARK_ETYPE, "set");
    oracle_close(sc);
}

/* ---- on the driver */

static void sums_up(const spark_accumulator *a, const char *want)
{
    spark_array array;
    oracle_ok(spark_accumulator_get(a, NULL, &array));
    oracle_lists(&array, want);
    spark_array_free(&array);
}

static void test_accumulator__may_be_added_to_on_the_driver(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open(threads);
        counter sum = spark_counter(sc, "sum"), real = spark_float_counter(sc, NULL);
        counter list = new_list(sc), set = new_set(sc);
        const int64_t values[] = { 7, 3, 900 };
        for (size_t i = 0; i < LENGTH(values); i++) {
            spark_accumulate(NULL, sum, values[i]);
            spark_accumulate_f64(NULL, real, 0.5);
            spark_accumulate_value(NULL, list, SPARK_VALUE(int64_t, &values[i]));
            spark_accumulate_value(NULL, set, SPARK_VALUE(int64_t, &values[i]));
        }
        assert_int_equal(spark_accumulator_value(sum), 910);
        assert_true(spark_accumulator_f64(real) == 1.5);
        sums_up(list, "7 3 900");
        sums_up(set, "[3,7,900]");
        /* What tasks add comes behind it, though it may have come before. */
        assert_int_equal(
            oracle_count(spark_map(spark_range(sc, 1, 4, 1, 3), seen, SPARK_COPY(list))), 3);
        spark_accumulate_value(NULL, list, SPARK_VALUE(int64_t, &values[0]));
        sums_up(list, "7 3 900 7 1 2 3");
        assert_int_equal(spark_accumulator_count(list), 7);
        assert_int_equal(spark_accumulator_count(sum), 3);
        assert_int_equal(spark_accumulator_count(real), 3);
        assert_int_equal(spark_accumulator_count(NULL), 0);
        /* A wrong type is an error of the thread, and adds nothing. */
        const double half = 0.5;
        spark_accumulate_value(NULL, list, SPARK_VALUE(double, &half));
        assert_int_equal(spark_last_error()->code, SPARK_ETYPE);
        spark_accumulate_value(NULL, sum, SPARK_VALUE(int64_t, &values[0]));
        assert_int_equal(spark_last_error()->code, SPARK_ETYPE);
        assert_int_equal(spark_accumulator_count(list), 7);
        spark_accumulate(NULL, NULL, 1);
        spark_accumulate_f64(NULL, NULL, 1);
        spark_accumulate_value(NULL, NULL, SPARK_VALUE(int64_t, &values[0]));
        oracle_close(sc);
    }
}

static void test_accumulator__is_empty_after_a_reset(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(3);
    counter all[]
        = { spark_counter(sc, "a"), spark_float_counter(sc, "b"), new_list(sc), new_set(sc) };
    for (int round = 0; round < 3; round++) {
        for (int i = 2; i < 4; i++)
            assert_int_equal(
                oracle_count(spark_map(spark_range(sc, 1, 6, 1, 3), seen, SPARK_COPY(all[i]))), 5);
        spark_accumulate(NULL, all[0], 5);
        spark_accumulate(NULL, all[1], 5);
        sums_up(all[2], "1 2 3 4 5");
        sums_up(all[3], "[1,2,3,4,5]");
        assert_int_equal(spark_accumulator_value(all[0]), 5);
        assert_true(spark_accumulator_f64(all[1]) == 5);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(spark_accumulator_count(all[i]), i < 2 ? 1 : 5);
            spark_accumulator_reset(all[i]);
            assert_int_equal(spark_accumulator_count(all[i]), 0);
        }
        sums_up(all[2], "");
        sums_up(all[3], "[]");
        assert_int_equal(spark_accumulator_value(all[0]), 0);
        assert_true(spark_accumulator_f64(all[1]) == 0);
    }
    spark_accumulator_reset(NULL);
    oracle_close(sc);
}

static void test_accumulator__ends_with_its_scope(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    uint64_t before = 0;
    for (int i = 0; i < 20; i++) {
        SPARK_SCOPED(sc);
        counter list = new_list(sc);
        assert_int_equal(
            oracle_count(spark_map(spark_range(sc, 0, 100000, 1, 2), seen, SPARK_COPY(list))),
            100000);
        const uint64_t now = spark_memory_bytes(sc, NULL);
        assert_true(now >= 800000);
        if (i == 0)
            before = now;
        assert_int_equal(now, before);
    }
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_collection__has_all_elements_in_order),
        oracle_test(test_collection__copies_elements_deep),
        oracle_test(test_accumulator__set_list_and_map_of_two_thousand_items),
        oracle_test(test_accumulator__merges_partitions_in_order_from_its_zero),
        oracle_test(test_accumulator__of_three_stages),
        oracle_test(test_accumulator__does_not_count_failed_attempts),
        oracle_test(test_accumulator__of_a_failed_job_has_what_was_published),
        oracle_test(test_accumulator__counts_blocks_and_map_outputs_once),
        oracle_test(test_accumulator__is_exact_under_random_faults),
        oracle_test(test_accumulator__function_that_fails),
        oracle_test(test_accumulator__of_another_type_fails_the_task),
        oracle_test(test_accumulator__refuses_what_makes_no_sense),
        oracle_test(test_accumulator__may_be_added_to_on_the_driver),
        oracle_test(test_accumulator__is_empty_after_a_reset),
        oracle_test(test_accumulator__ends_with_its_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
