/* SPDX-License-Identifier: Apache-2.0 */
/* More narrow operations against naive loops: flat_map_values, filter_map, glom. */
#include "layouts.h"

SPARK_PAIR(two, int64_t, int64_t);
SPARK_PAIR(word_text, word, spark_str);
SPARK_PAIR(number_text, int64_t, spark_str);
SPARK_PAIR(byte_real, uint8_t, double);
SPARK_PAIR(byte_byte, uint8_t, uint8_t);
SPARK_STRUCT(sparse, (int8_t, a), (double, b), (spark_str, c), (int16_t, d), (int64_t, e, 3));
SPARK_LIST(word_list, word);
SPARK_LIST(wide_list, wide);
SPARK_LIST(byte_list, uint8_t);
SPARK_LIST(i64_list_list, spark_i64_list);

enum { ROWS = 150 };

SPARK_FLAT_MAP(twice, int64_t, int64_t)
{
    spark_emit(out, *in);
    spark_emit(out, *in);
}

/* ---- flat_map_values */

/* copies: none, some, and now and then more than any buffer holds. */
static size_t copies(int64_t i)
{
    return i == 77 ? 700 : (size_t)(i * 7 % 4);
}
typedef struct suffix {
    char sign;
} suffix;

/* Keys are words made by the task, values numbers; what comes out are words. */
SPARK_FLAT_MAP(spread, int64_t, spark_str, suffix)
{
    for (size_t i = 0; i < copies(*in); i++) {
        const spark_str text = spark_str_format(task, "%d/%d%c", (int)*in, (int)i, env->sign);
        if (!spark_emit(out, text))
            return;
    }
}
static spark_rdd *build_spread(spark_context *sc, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    suffix s = { '!' };
    spark_rdd *numbers = spark_range(sc, 0, (int64_t)n, 1, partitions);
    spark_rdd *rdd
        = spark_flat_map_values(input(spark_key_by(numbers, to_word, NULL)), spread, SPARK_COPY(s));
    s.sign = '?';
    return rdd;
}
static void naive_spread(layout *want, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    char key[64], text[64];
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(n, partitions, p); i < slice(n, partitions, p + 1); i++)
            for (size_t k = 0; k < copies((int64_t)i); k++) {
                const int length = snprintf(text, sizeof text, "%d/%d!", (int)i, (int)k);
                LAYOUT_ROW(want, word_text, { word_of((int64_t)i, key), { text, (size_t)length } });
            }
    }
}

/* The value of a word, which is text of the input, cut into its pieces. */
SPARK_FLAT_MAP(cut, word, spark_str)
{
    spark_str rest = in->value, piece;
    while (spark_str_next_word(&rest, &piece))
        spark_emit(out, piece);
}
SPARK_MAP(number_of, word, int64_t)
{
    *out = in->key;
}
static spark_rdd *build_cut(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_flat_map_values(
        spark_key_by(input(words(sc, 0, ROWS, partitions)), number_of, NULL), cut, NULL);
}
static void naive_cut(layout *want, int partitions, const void *arg)
{
    (void)arg;
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(ROWS, partitions, p); i < slice(ROWS, partitions, p + 1); i++) {
            char text[64];
            const word w = word_of((int64_t)i, text);
            size_t from = 0;
            for (size_t at = 0; at <= w.value.len; at++)
                if (at == w.value.len || text[at] == ' ') {
                    LAYOUT_ROW(want, number_text, { w.key, { text + from, at - from } });
                    from = at + 1;
                }
        }
    }
}

static void test_flat_map_values__gives_each_value_the_key(void **state)
{
    static const size_t sizes[] = { 0, 1, 5, ROWS };
    (void)state;
    for (size_t i = 0; i < LENGTH(sizes); i++)
        layout_compare(build_spread, naive_spread, &sizes[i]);
    layout_compare(build_cut, naive_cut, NULL);
}

SPARK_FLAT_MAP(halves, int64_t, double)
{
    spark_emit(out, (double)*in / 2);
    spark_emit(out, -(double)*in);
}
SPARK_FLAT_MAP(sign_of, double, uint8_t)
{
    spark_emit(out, (uint8_t)(*in < 0));
}

static void test_flat_map_values__makes_pairs_as_the_compiler_lays_them_out(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_key_by(spark_range(sc, 1, 2001, 1, 2), to_byte, NULL);
    spark_rdd *wider = spark_flat_map_values(pairs, halves, NULL);
    spark_rdd *narrower = spark_flat_map_values(wider, sign_of, NULL);
    spark_array array;
    oracle_ok(spark_collect(wider, SPARK_TYPE(byte_real), &array));
    assert_int_equal(array.n, 4000);
    for (int64_t i = 0; i < 2000; i++) {
        const byte_real *row = &SPARK_ITEMS(byte_real, &array)[2 * i];
        assert_true(row[0].key == (uint8_t)(i + 1) && row[0].value == (double)(i + 1) / 2);
        assert_true(row[1].key == (uint8_t)(i + 1) && row[1].value == -(double)(i + 1));
    }
    spark_array_free(&array);
    oracle_ok(spark_collect(narrower, SPARK_TYPE(byte_byte), &array));
    assert_int_equal(array.n, 4000);
    for (int64_t i = 0; i < 4000; i++) {
        const byte_byte *row = &SPARK_ITEMS(byte_byte, &array)[i];
        assert_true(row->key == (uint8_t)(i / 2 + 1) && row->value == i % 2);
    }
    spark_array_free(&array);
    /* What lies between the members does not matter to an element's identity. */
    assert_int_equal(oracle_count(spark_distinct(narrower, 0)), 512);
    oracle_close(sc);
}

SPARK_FLAT_MAP(endless, int64_t, int64_t)
{
    for (int64_t i = 0; i < 3000000; i++)
        if (!spark_emit(out, i))
            return;
}

static void test_flat_map_values__stops_when_enough_is_taken(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 255, 256, 257, 800 };
    spark_array array;
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        const size_t n = ROWS;
        spark_rdd *rdd = build_spread(sc, 2, &n);
        for (size_t i = 0; i < LENGTH(sizes); i++)
            takes_prefix(rdd, sizes[i]);
        rdd = spark_flat_map_values(
            spark_key_by(spark_range(sc, 5, 7, 1, 1), same, NULL), endless, NULL);
        oracle_ok(spark_take(rdd, 3, SPARK_TYPE(two), &array));
        oracle_lists(&array, "(5,0) (5,1) (5,2)");
        spark_array_free(&array);
        oracle_close(sc);
    }
}

typedef int64_t *tally;
SPARK_FLAT_MAP(tallied, int64_t, int64_t, tally)
{
    for (int64_t i = 0; i < 3000000; i++) {
        ++**env;
        if (!spark_emit(out, *in + i))
            return;
    }
}

static void test_flat_map_values__tells_the_function_that_enough_is_taken(void **state)
{
    int64_t emitted = 0;
    tally at = &emitted;
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *pairs = spark_key_by(spark_range(sc, 0, 2, 1, 1), same, NULL);
    oracle_ok(spark_take(spark_flat_map_values(pairs, tallied, SPARK_COPY(at)), 3, NULL, &array));
    oracle_lists(&array, "(0,0) (0,1) (0,2)");
    spark_array_free(&array);
    assert_in_range(emitted, 3, 10000);
    oracle_close(sc);
}

static void test_flat_map_values__passes_millions_on_in_bounded_memory(void **state)
{
    uint64_t peak = 0;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_key_by(spark_range(sc, 0, 2, 1, 2), same, NULL);
    assert_int_equal(oracle_count(spark_flat_map_values(pairs, endless, NULL)), 6000000);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 8u << 20);
    oracle_close(sc);
}

static void test_flat_map_values__keeps_the_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_key_by(spark_range(sc, 0, 20, 1, 3), same, NULL);
    spark_rdd *placed = spark_partition_by(pairs, spark_hash_partitioner(sc, 4));
    spark_rdd *doubled = spark_flat_map_values(placed, twice, NULL);
    partitioned_as(doubled, placed);
    partitioned_as(spark_flat_map_values(pairs, twice, NULL), NULL);
    /* So a sum by key needs no second shuffle. */
    spark_rdd *sums = spark_reduce_by_key(doubled, spark_op_sum, NULL, 0);
    oracle_holds(sums,
        "(0,0) (1,2) (10,20) (11,22) (12,24) (13,26) (14,28) (15,30) (16,32) (17,34) (18,36) "
        "(19,38) (2,4) (3,6) (4,8) (5,10) (6,12) (7,14) (8,16) (9,18)");
    assert_int_equal(oracle_last_job(sc).stages, 2);
    assert_int_equal(spark_rdd_partitions(sums), 4);
    oracle_close(sc);
}

SPARK_FLAT_MAP(fail_at, int64_t, int64_t, int64_t)
{
    spark_emit(out, *in);
    if (*in == *env) {
        spark_fail(task, "cannot spread %lld", (long long)*in);
        spark_emit(out, -1);
        return;
    }
    spark_emit(out, *in);
}
SPARK_FLAT_MAP(fail_at_first, int64_t, int64_t, int64_t)
{
    if (*in >= *env && spark_task_attempt(task) < 2)
        spark_fail(task, "not yet");
    for (int64_t i = 0; i < 3; i++)
        spark_emit(out, *in * 10 + i);
}

static void test_flat_map_values__that_fail_name_the_element(void **state)
{
    int64_t at = 64, n;
    (void)state;
    for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch });
        spark_rdd *pairs = spark_key_by(spark_range(sc, 0, 100, 1, 4), same, NULL);
        spark_rdd *rdd = spark_flat_map_values(pairs, fail_at, SPARK_COPY(at));
        const int line = __LINE__ - 1;
        char want[300];
        snprintf(want, sizeof want, "flatMapValues(fail_at) at %s:%d: cannot spread 64 (record 14)",
            TEST_FILE, line);
        oracle_fails(spark_count(rdd, &n), SPARK_ETASK, want);
        const spark_error *error = spark_last_error();
        assert_string_equal(error->operation, "flatMapValues(fail_at)");
        assert_int_equal(error->partition, 2);
        assert_int_equal(error->attempt, 3);
        assert_int_equal(error->record, 14);
        rdd = spark_flat_map_values(spark_key_by(spark_range(sc, 0, 4, 1, 2), same, NULL),
            fail_at_first, SPARK_COPY((int64_t) { 2 }));
        oracle_has_layout(rdd,
            "(0,0) (0,1) (0,2) (1,10) (1,11) (1,12) | (2,20) (2,21) (2,22) (3,30) (3,31) (3,32)");
        assert_int_equal(oracle_last_job(sc).failed_tasks, 2);
        oracle_close(sc);
    }
}

/* ---- filter_map */

/* Writes some members, others never: *out is zeroed each time. */
SPARK_FILTER_MAP(pick, word, sparse, int64_t)
{
    if (in->key % 3 == 0)
        out->b = (double)in->key / 4;
    if (in->key % 2 == 0)
        out->c = spark_str_upper(task, in->value);
    else
        out->d = (int16_t)-in->key;
    out->a = 1;
    out->e[in->key % 3] = *env;
    return in->key % 5 != 0;
}
static spark_rdd *build_pick(spark_context *sc, int partitions, const void *arg)
{
    int64_t by = 12345678901;
    const size_t n = *(const size_t *)arg;
    spark_rdd *rdd = spark_filter_map(input(words(sc, 0, n, partitions)), pick, SPARK_COPY(by));
    by = 0;
    return rdd;
}
static void naive_pick(layout *want, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(n, partitions, p); i < slice(n, partitions, p + 1); i++) {
            char text[64];
            const word w = word_of((int64_t)i, text);
            sparse made = { .a = 1 };
            if (w.key % 5 == 0)
                continue;
            if (w.key % 3 == 0)
                made.b = (double)w.key / 4;
            if (w.key % 2 == 0) {
                for (size_t j = 0; j < w.value.len; j++)
                    text[j] = (char)(text[j] >= 'a' && text[j] <= 'z' ? text[j] - 32 : text[j]);
                made.c = w.value;
            } else {
                made.d = (int16_t)-w.key;
            }
            made.e[w.key % 3] = 12345678901;
            LAYOUT_ROW(want, sparse, made);
        }
    }
}

static void test_filter_map__keeps_the_results_there_are(void **state)
{
    static const size_t sizes[] = { 0, 1, 5, ROWS };
    (void)state;
    for (size_t i = 0; i < LENGTH(sizes); i++)
        layout_compare(build_pick, naive_pick, &sizes[i]);
}

SPARK_FILTER_MAP(text_from_three, int64_t, spark_str)
{
    *out = spark_str_format(task, "%lld", (long long)*in);
    return *in >= 3;
}
SPARK_FILTER_MAP(nothing, int64_t, int64_t)
{
    *out = *in;
    return false;
}
SPARK_FILTER_MAP(square_even, int64_t, two)
{
    if (*in % 2)
        return false;
    *out = (two) { *in, *in * *in };
    return true;
}

SPARK_FILTER_MAP(same_pair, two, two)
{
    *out = *in;
    return true;
}

static void test_filter_map__gives_the_case_of_the_rdd_suite(void **state)
{
    static const int64_t one_to_four[] = { 1, 2, 3, 4 };
    static const size_t sizes[] = { 0, 1, 2, 499, 500 };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *nums = numbers(sc, 4, one_to_four, 2);
        spark_rdd *texts = spark_filter_map(nums, text_from_three, NULL);
        oracle_collects(texts, "3 4");
        assert_int_equal(spark_rdd_partitions(texts), 2);
        assert_int_equal(spark_rdd_type(texts)->kind, SPARK_KIND_STR);
        oracle_collects(spark_filter_map(nums, nothing, NULL), "");
        for (size_t i = 0; i < LENGTH(sizes); i++)
            takes_prefix(
                spark_filter_map(spark_range(sc, 0, 1000, 1, 3), square_even, NULL), sizes[i]);
        spark_rdd *placed
            = spark_partition_by(spark_key_by(nums, same, NULL), spark_hash_partitioner(sc, 2));
        partitioned_as(spark_filter_map(placed, same_pair, NULL), NULL);
        oracle_close(sc);
    }
}

SPARK_FILTER_MAP(pick_failing, int64_t, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "cannot pick %lld", (long long)*in);
    *out = *in;
    return *in % 2 == 0;
}

static void test_filter_map__that_fails_names_the_element(void **state)
{
    int64_t at = 64, n;
    (void)state;
    for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch });
        spark_rdd *rdd
            = spark_filter_map(spark_range(sc, 0, 100, 1, 4), pick_failing, SPARK_COPY(at));
        oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "collect(pick_failing) at " TEST_FILE ":");
        assert_non_null(strstr(spark_last_error()->message, "cannot pick 64 (record 14)"));
        assert_string_equal(spark_last_error()->operation, "collect(pick_failing)");
        assert_int_equal(spark_last_error()->record, 14);
        oracle_close(sc);
    }
}

/* ---- glom */

static spark_rdd *build_glom(spark_context *sc, int partitions, const void *arg)
{
    return spark_glom(input(words(sc, 0, *(const size_t *)arg, partitions)));
}
static void naive_glom(layout *want, int partitions, const void *arg)
{
    static char texts[ROWS][64];
    static word items[ROWS];
    const size_t n = *(const size_t *)arg;
    for (size_t i = 0; i < n; i++)
        items[i] = word_of((int64_t)i, texts[i]);
    for (int p = 0; p < partitions; p++) {
        const size_t from = slice(n, partitions, p), to = slice(n, partitions, p + 1);
        layout_part(want);
        LAYOUT_ROW(want, word_list, { items + from, to - from });
    }
}

static void test_glom__makes_a_list_of_each_partition(void **state)
{
    static const size_t sizes[] = { 0, 1, 5, ROWS };
    (void)state;
    for (size_t i = 0; i < LENGTH(sizes); i++)
        layout_compare(build_glom, naive_glom, &sizes[i]);
}

SPARK_MAP(length_of, spark_i64_list, int64_t)
{
    *out = (int64_t)in->n;
}
SPARK_FLAT_MAP(items_of, spark_i64_list, int64_t)
{
    for (size_t i = 0; i < in->n; i++)
        spark_emit(out, in->at[i]);
}

static void test_glom__gives_the_cases_of_spark(void **state)
{
    static const int64_t one_to_four[] = { 1, 2, 3, 4 };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *nums = numbers(sc, 4, one_to_four, 2), *lists = spark_glom(nums);
        oracle_has_layout(lists, "[1,2] | [3,4]");
        oracle_has_layout(spark_glom(lists), "[[1,2]] | [[3,4]]");
        oracle_has_layout(spark_glom(spark_coalesce(lists, 1)), "[[1,2],[3,4]]");
        oracle_collects(spark_flat_map(lists, items_of, NULL), "1 2 3 4");
        /* Empty partitions are empty lists; no partition, no list. */
        assert_int_equal(oracle_count(spark_glom(spark_range(sc, 0, 0, 1, 5))), 5);
        oracle_has_layout(spark_glom(spark_range(sc, 0, 2, 1, 4)), "[] | [0] | [] | [1]");
        spark_rdd *none = spark_glom(spark_empty_rdd(sc, SPARK_TYPE(int64_t)));
        assert_int_equal(spark_rdd_partitions(none), 0);
        oracle_collects(none, "");
        spark_array array;
        oracle_ok(spark_collect(spark_glom(lists), SPARK_TYPE(i64_list_list), &array));
        assert_int_equal(SPARK_ITEMS(i64_list_list, &array)[1].at[0].at[1], 4);
        spark_array_free(&array);
        oracle_ok(spark_first(
            spark_glom(spark_filter_map(nums, nothing, NULL)), SPARK_TYPE(spark_i64_list), &array));
        oracle_lists(&array, "[]");
        spark_array_free(&array);
        spark_rdd *placed
            = spark_partition_by(spark_key_by(nums, same, NULL), spark_hash_partitioner(sc, 2));
        partitioned_as(spark_glom(placed), NULL);
        oracle_close(sc);
    }
}

static void test_glom__of_more_than_a_batch_is_one_list(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_array array;
    spark_rdd *nums = spark_range(sc, 0, 300000, 1, 3);
    oracle_has_layout(spark_map(spark_glom(nums), length_of, NULL), "100000 | 100000 | 100000");
    oracle_ok(spark_collect(spark_glom(nums), SPARK_TYPE(spark_i64_list), &array));
    for (int64_t i = 0; i < 300000; i++)
        assert_int_equal(SPARK_ITEMS(spark_i64_list, &array)[i / 100000].at[i % 100000], i);
    spark_array_free(&array);
    /* Elements with gaps, and with strings. */
    nums = spark_range(sc, 0, 3000, 1, 1);
    oracle_ok(
        spark_collect(spark_glom(spark_map(nums, to_byte, NULL)), SPARK_TYPE(byte_list), &array));
    for (size_t i = 0; i < 3000; i++)
        assert_int_equal(SPARK_ITEMS(byte_list, &array)->at[i], (uint8_t)i);
    spark_array_free(&array);
    oracle_ok(
        spark_collect(spark_glom(spark_map(nums, to_wide, NULL)), SPARK_TYPE(wide_list), &array));
    assert_int_equal(array.n, 1);
    for (size_t i = 0; i < 3000; i++) {
        const wide *w = &SPARK_ITEMS(wide_list, &array)->at[i];
        int64_t number = -1;
        assert_true(spark_str_to_i64(w->text, &number));
        assert_true(w->id == (int64_t)i && number == (int64_t)i && w->code[0] == 'a' + (int)i % 26);
    }
    spark_array_free(&array);
    oracle_close(sc);
}

/* ---- all of them */

static void test_caches__below_are_read(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_failing_once(2);
    counter calls = spark_counter(sc, "calls");
    spark_rdd *nums = spark_map(spark_range(sc, 0, 40, 1, 4), counted, SPARK_COPY(calls));
    spark_rdd *cached = spark_cache(nums);
    spark_rdd *pairs = spark_key_by(cached, same, NULL);
    assert_int_equal(oracle_count(spark_flat_map_values(pairs, twice, NULL)), 80);
    assert_int_equal(oracle_count(spark_filter_map(cached, square_even, NULL)), 20);
    assert_int_equal(oracle_count(spark_glom(cached)), 4);
    assert_int_equal(spark_accumulator_value(calls), 40);
    assert_true(spark_drop_block(cached, 3));
    assert_int_equal(oracle_count(spark_glom(cached)), 4);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 4);
    oracle_close(sc);
}

SPARK_FILTER_MAP(any, int64_t, int64_t)
{
    *out = *in;
    return true;
}
static spark_rdd *build_large(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *n = spark_range(sc, 0, arg ? 325000 : 1300000, 1, partitions);
    return arg ? spark_flat_map_values(spark_key_by(n, same, NULL), twice, NULL)
               : spark_filter_map(n, any, NULL);
}

static void test_caches__without_room_are_done_without(void **state)
{
    (void)state;
    goes_on_without_room(build_large, "values");
    goes_on_without_room(build_large, NULL);
}

static void test_verbs__refuse_what_is_wrong(void **state)
{
    spark_array array;
    int64_t by = 1;
    int32_t small = 1;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *n = spark_range(sc, 0, 4, 1, 2), *w = words(sc, 0, 4, 2), *bad = broken(sc);
    spark_rdd *pairs = spark_key_by(n, same, NULL);
    const spark_flat_map_def empty = { .name = "empty" };
    const spark_flat_map_def typeless = { "typeless", NULL, NULL, 0, twice->run };
    /* flat_map_values */
    refused(spark_flat_map_values(pairs, NULL, NULL), SPARK_EINVAL, "flatMapValues",
        "the function is NULL");
    refused(spark_flat_map_values(pairs, &empty, NULL), SPARK_EINVAL, "flatMapValues",
        "the function is NULL");
    refused(spark_flat_map_values(pairs, &typeless, NULL), SPARK_EINVAL, "flatMapValues(typeless)",
        "does not say what type it makes");
    refused(spark_flat_map_values(n, twice, NULL), SPARK_ETYPE, "flatMapValues(twice)",
        "pairs wanted, i64 found");
    refused(spark_flat_map_values(w, twice, NULL), SPARK_ETYPE, "flatMapValues(twice)",
        "i64 wanted, str found");
    refused(spark_flat_map_values(pairs, fail_at, NULL), SPARK_EINVAL, "flatMapValues(fail_at)",
        "the function wants an env of 8 bytes");
    refused(spark_flat_map_values(pairs, fail_at, SPARK_COPY(small)), SPARK_EINVAL,
        "flatMapValues(fail_at)", "env has 4 bytes (int32_t), the function wants 8 (int64_t)");
    passes_on(spark_flat_map_values(bad, fail_at, SPARK_COPY(by)));
    oracle_fails(spark_collect(spark_flat_map_values(NULL, twice, NULL), NULL, &array),
        SPARK_EINVAL, "NULL");
    /* filter_map */
    refused(spark_filter_map(n, NULL, NULL), SPARK_EINVAL, "collect", "the function is NULL");
    refused(spark_filter_map(n, &empty, NULL), SPARK_EINVAL, "collect", "the function is NULL");
    refused(spark_filter_map(n, &typeless, NULL), SPARK_EINVAL, "collect(typeless)",
        "does not say what type it makes");
    refused(spark_filter_map(w, nothing, NULL), SPARK_ETYPE, "collect(nothing)",
        "i64 wanted, word found");
    refused(spark_filter_map(w, pick, NULL), SPARK_EINVAL, "collect(pick)",
        "the function wants an env of 8 bytes");
    refused(spark_filter_map(w, pick, SPARK_COPY(small)), SPARK_EINVAL, "collect(pick)",
        "env has 4 bytes (int32_t), the function wants 8 (int64_t)");
    passes_on(spark_filter_map(bad, pick, SPARK_COPY(by)));
    oracle_fails(
        spark_collect(spark_filter_map(NULL, nothing, NULL), NULL, &array), SPARK_EINVAL, "NULL");
    /* glom */
    passes_on(spark_glom(bad));
    oracle_fails(spark_collect(spark_glom(NULL), NULL, &array), SPARK_EINVAL, "NULL");
    oracle_fails(spark_collect(spark_glom(n), SPARK_TYPE(word_list), &array), SPARK_ETYPE,
        "word at offset 0 wanted, i64 at offset 0 found");
    oracle_close(sc);
}

/* Views that a function must not emit are found in these as in others. */
SPARK_FLAT_MAP(on_stack, int64_t, spark_str)
{
    char text[16] = "gone";
    spark_emit(out, (spark_str) { text, *in > 2 ? 4 : 0 });
}
SPARK_FILTER_MAP(picked_on_stack, int64_t, spark_str)
{
    char text[16] = "gone";
    *out = (spark_str) { text, 4 };
    return *in > 2;
}

static void test_check__finds_views_of_the_stack(void **state)
{
    int64_t n;
    (void)state;
    for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch, .check = true });
        spark_rdd *nums = spark_range(sc, 0, 4, 1, 1);
        oracle_fails(
            spark_count(spark_flat_map_values(spark_key_by(nums, same, NULL), on_stack, NULL), &n),
            SPARK_ETASK, "by on_stack, points into the stack of its function");
        oracle_fails(spark_count(spark_filter_map(nums, picked_on_stack, NULL), &n), SPARK_ETASK,
            "by picked_on_stack, points into the stack of its function");
        oracle_close(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_flat_map_values__gives_each_value_the_key),
        oracle_test(test_flat_map_values__makes_pairs_as_the_compiler_lays_them_out),
        oracle_test(test_flat_map_values__stops_when_enough_is_taken),
        oracle_test(test_flat_map_values__tells_the_function_that_enough_is_taken),
        oracle_test(test_flat_map_values__passes_millions_on_in_bounded_memory),
        oracle_test(test_flat_map_values__keeps_the_partitioner),
        oracle_test(test_flat_map_values__that_fail_name_the_element),
        oracle_test(test_filter_map__keeps_the_results_there_are),
        oracle_test(test_filter_map__gives_the_case_of_the_rdd_suite),
        oracle_test(test_filter_map__that_fails_names_the_element),
        oracle_test(test_glom__makes_a_list_of_each_partition),
        oracle_test(test_glom__gives_the_cases_of_spark),
        oracle_test(test_glom__of_more_than_a_batch_is_one_list),
        oracle_test(test_caches__below_are_read),
        oracle_test(test_caches__without_room_are_done_without),
        oracle_test(test_verbs__refuse_what_is_wrong),
        oracle_test(test_check__finds_views_of_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
