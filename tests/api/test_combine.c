/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a key combined, folded and read by iterator, against naive loops. */
#include "keys.h"

#define ROWS 240
#define KEYS 23

SPARK_PAIR(place_str, place, spark_str);
SPARK_PAIR(str_str, spark_str, spark_str);
SPARK_STRUCT(summary, (int64_t, n), (int64_t, sum), (spark_str, longest), (char, mark, 5));
SPARK_PAIR(str_summary, spark_str, summary);
SPARK_PAIR(i32_i64s, int32_t, spark_i64_list);
SPARK_LIST(pair_list, i32_i64);
SPARK_PAIR(i32_pairs, int32_t, pair_list);
SPARK_STRUCT(digest, (spark_str, key), (int64_t, n), (int64_t, first), (int64_t, last));

/* combine_by_key whose accumulators show each value and the order they came in. */
SPARK_MAP(begin_list, int64_t, spark_str)
{
    *out = spark_str_format(task, "%d", (int)*in);
}
SPARK_MERGE(append_number, spark_str, int64_t)
{
    *acc = spark_str_concat(task, *acc, spark_str_format(task, ",%d", (int)*in));
}
SPARK_MERGE(append_list, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, spark_str_concat(task, SPARK_LIT(","), *in));
}

typedef struct input {
    const void *data;
    int partitions;
} input;

static spark_rdd *combine_lists(spark_context *sc, int partitions, const void *arg)
{
    const input *in = arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, in->data), partitions);
    return spark_combine_by_key(rdd, begin_list, append_number, append_list, NULL, in->partitions);
}

static void test_combine_by_key__adds_in_the_order_of_the_input(void **state)
{
    static i32_i64 data[ROWS];
    static oracle_text texts[KEYS];
    static i32_str want[KEYS];
    uint64_t seed = 1;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        char text[32];
        const size_t k = i < KEYS ? i : (size_t)oracle_below(&seed, KEYS);
        data[i] = (i32_i64) { (int32_t)k * 1000003 - 7, (int64_t)i };
        snprintf(text, sizeof text, i < KEYS ? "%d" : ",%d", (int)i);
        oracle_append(&texts[k], text, strlen(text));
    }
    for (size_t k = 0; k < KEYS; k++)
        want[k] = (i32_str) { data[k].key, { texts[k].bytes, texts[k].length } };
    for (int p = 0; p < 9; p += 4) {
        const input in = { data, p };
        oracle_compare(combine_lists, &in, false, SPARK_TYPE(i32_str), KEYS, want);
    }
    for (size_t k = 0; k < KEYS; k++)
        free(texts[k].bytes);
}

/* Strings as keys, a struct with a view as the accumulator. */
SPARK_MAP(begin_summary, int64_t, summary, int64_t)
{
    *out = (summary) { 1, *in * *env, spark_str_format(task, "%d", (int)*in), { 'm' } };
}
SPARK_MERGE(add_summary, summary, int64_t, int64_t)
{
    const spark_str text = spark_str_format(task, "%d", (int)*in);
    acc->n++;
    acc->sum += *in * *env;
    if (text.len > acc->longest.len)
        acc->longest = text;
}
SPARK_MERGE(merge_summaries, summary, summary, int64_t)
{
    acc->n += in->n;
    acc->sum += in->sum + 0 * *env;
    if (in->longest.len > acc->longest.len)
        acc->longest = in->longest;
}

static spark_rdd *combine_summaries(spark_context *sc, int partitions, const void *arg)
{
    const input *in = arg;
    int64_t factor = 3;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(str_i64, ROWS, in->data), partitions);
    rdd = spark_combine_by_key(
        rdd, begin_summary, add_summary, merge_summaries, SPARK_COPY(factor), in->partitions);
    factor = 1000;
    return rdd;
}

static void test_combine_by_key__binds_env_to_all_three_functions(void **state)
{
    static str_i64 data[ROWS];
    static str_summary want[KEYS];
    static char longest[KEYS][24];
    size_t n = 0;
    uint64_t seed = 2;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        char text[24];
        size_t at = 0;
        data[i] = (str_i64) { word((size_t)oracle_below(&seed, KEYS)),
            (int64_t)(oracle_random(&seed) >> (36 + oracle_below(&seed, 20))) };
        while (at < n && !spark_str_equal(want[at].key, data[i].key))
            at++;
        if (at == n)
            want[n++] = (str_summary) { data[i].key, { 0, 0, { longest[at], 0 }, { 'm' } } };
        const int length = snprintf(text, sizeof text, "%d", (int)data[i].value);
        want[at].value.n++;
        want[at].value.sum += 3 * data[i].value;
        if ((size_t)length > want[at].value.longest.len) {
            memcpy(longest[at], text, (size_t)length);
            want[at].value.longest.len = (size_t)length;
        }
    }
    const input in = { data, 5 };
    oracle_compare(combine_summaries, &in, false, SPARK_TYPE(str_summary), n, want);
}

/* Structs with strings as keys, values that stay views of the input. */
SPARK_MAP(itself, spark_str, spark_str)
{
    *out = *in;
}
SPARK_MERGE(greater, spark_str, spark_str)
{
    if (spark_str_compare(*in, *acc) > 0)
        *acc = *in;
}

static spark_rdd *combine_places(spark_context *sc, int partitions, const void *arg)
{
    const input *in = arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(place_str, ROWS, in->data), partitions);
    return spark_combine_by_key(rdd, itself, greater, greater, NULL, in->partitions);
}

static spark_rdd *fold_places(spark_context *sc, int partitions, const void *arg)
{
    const input *in = arg;
    const spark_str zero = SPARK_LIT("");
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(place_str, ROWS, in->data), partitions);
    return spark_fold_by_key(rdd, SPARK_VALUE(spark_str, &zero), greater, NULL, in->partitions);
}

static void test_combine_by_key__takes_structs_and_views(void **state)
{
    static place_str data[ROWS], want[ROWS];
    static char pool[ROWS][40];
    size_t n = 0;
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = 0;
        const int length = snprintf(pool[i], sizeof pool[i], "%s%05d",
            i % 3 ? "v" : "a value that is a long one ", (int)oracle_below(&seed, 90000));
        data[i] = (place_str) { place_of((size_t)oracle_below(&seed, KEYS)),
            { pool[i], (size_t)length } };
        while (at < n && !spark_equal(SPARK_TYPE(place), &want[at].key, &data[i].key))
            at++;
        if (at == n)
            want[n++] = data[i];
        else if (spark_str_compare(data[i].value, want[at].value) > 0)
            want[at].value = data[i].value;
    }
    const input in = { data, 4 };
    oracle_compare(combine_places, &in, false, SPARK_TYPE(place_str), n, want);
    oracle_compare(fold_places, &in, false, SPARK_TYPE(place_str), n, want);
}

/* partition_in: of what oracle_layout shows, the partition that holds a text; -1: none does. */
static int partition_in(const char *layout, const char *text)
{
    const char *at = strstr(layout, text);
    int bars = 0;
    if (at == NULL)
        return -1;
    for (; layout < at; layout++)
        bars += *layout == '|';
    return bars;
}

/* PairRDDFunctionsSuite */
SPARK_MERGE(concat_lists, spark_i64_list, spark_i64_list)
{
    int64_t *all = spark_alloc(task, (acc->n + in->n) * sizeof *all + 1);
    if (all == NULL)
        return;
    if (acc->n > 0)
        memcpy(all, acc->at, acc->n * sizeof *all);
    if (in->n > 0)
        memcpy(all + acc->n, in->at, in->n * sizeof *all);
    *acc = (spark_i64_list) { all, acc->n + in->n };
}
SPARK_MERGE(add_to_set, spark_i64_list, int64_t)
{
    size_t at = 0;
    while (at < acc->n && acc->at[at] < *in)
        at++;
    if (at < acc->n && acc->at[at] == *in)
        return;
    int64_t *all = spark_alloc(task, (acc->n + 1) * sizeof *all);
    if (all == NULL)
        return;
    for (size_t i = 0; i <= acc->n; i++)
        all[i] = i < at ? acc->at[i] : i == at ? *in : acc->at[i - 1];
    *acc = (spark_i64_list) { all, acc->n + 1 };
}
SPARK_MERGE(unite_sets, spark_i64_list, spark_i64_list)
{
    for (size_t i = 0; i < in->n; i++)
        add_to_set_(task, acc, &in->at[i], NULL);
}

static void test_fold_by_key__gives_the_cases_of_pair_rdd_functions(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 1, 1 }, { 2, 1 } };
    int64_t values[] = { 1, 2, 3, 1, 1 };
    i32_i64s buffers[5];
    const int64_t zero = 0;
    (void)state;
    for (int i = 0; i < 5; i++)
        buffers[i] = (i32_i64s) { data[i].key, { &values[i], 1 } };
    for (int p = 1; p < 6; p++) {
        spark_context *sc = oracle_open(2);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 5, data), p);
        oracle_holds(spark_fold_by_key(rdd, SPARK_VALUE(int64_t, &zero), spark_op_sum, NULL, 0),
            "(1,7) (2,1)");
        oracle_holds(
            spark_fold_by_key(rdd, SPARK_ZERO(int64_t), spark_op_sum, NULL, 10), "(1,7) (2,1)");
        /* With a mutable buffer: what is cached stays as it is. */
        rdd = spark_cache(spark_parallelize(sc, SPARK_DATA(i32_i64s, 5, buffers), p));
        for (int round = 0; round < 2; round++) {
            oracle_holds(spark_fold_by_key(rdd, SPARK_ZERO(spark_i64_list), concat_lists, NULL, 3),
                "(1,[1,2,3,1]) (2,[1])");
            oracle_collects(rdd, "(1,[1]) (1,[2]) (1,[3]) (1,[1]) (2,[1])");
        }
        oracle_close(sc);
    }
}

SPARK_PARTITIONER(by_remainder, int32_t)
{
    return (uint32_t)*key % partitions;
}

static void test_aggregate_by_key_with__collects_sets(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 1, 1 }, { 3, 2 }, { 5, 1 }, { 5, 3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 5, data), 2);
    const spark_keyed_options by = { 0, spark_partitioner_new(sc, 4, by_remainder, NULL) };
    spark_rdd *sets = spark_aggregate_by_key_with(
        rdd, SPARK_ZERO(spark_i64_list), add_to_set, unite_sets, NULL, &by);
    oracle_holds(sets, "(1,[1]) (3,[2]) (5,[1,3])");
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(sets), by.partitioner));
    char *layout = oracle_layout(sets);
    assert_non_null(layout);
    assert_int_equal(partition_in(layout, "(1,["), 1);
    assert_int_equal(partition_in(layout, "(5,["), 1);
    assert_int_equal(partition_in(layout, "(3,["), 3);
    free(layout);
    sets = spark_aggregate_by_key_with(
        rdd, SPARK_ZERO(spark_i64_list), add_to_set, unite_sets, NULL, NULL);
    oracle_holds(sets, "(1,[1]) (3,[2]) (5,[1,3])");
    assert_int_equal(spark_rdd_partitions(sets), 2);
    oracle_close(sc);
}

/* Zeros are used once for each key of a map partition, so a zero of 10 shows how often: every key
 * of these sits in one map partition. */
static void test_fold_by_key__starts_each_key_with_the_zero(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 1, 2 }, { 2, 3 }, { 2, 4 } };
    const int64_t ten = 10;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 4, data), 2);
    oracle_holds(
        spark_fold_by_key(rdd, SPARK_VALUE(int64_t, &ten), spark_op_sum, NULL, 3), "(1,13) (2,17)");
    oracle_holds(spark_fold_by_key_with(rdd, SPARK_VALUE(int64_t, &ten), spark_op_max, NULL,
                     &(spark_keyed_options) { 3, NULL }),
        "(1,10) (2,10)");
    oracle_close(sc);
}

/* A value that is alone never passes through add or combine. */
SPARK_MERGE(fails_always, spark_str, int64_t)
{
    spark_fail(task, "add is called");
}
SPARK_MERGE(combine_fails_always, spark_str, spark_str)
{
    spark_fail(task, "combine is called");
}

static void test_combine_by_key__leaves_single_values_alone(void **state)
{
    i32_i64 data[] = { { 1, 11 }, { 2, 12 }, { 3, 13 } };
    i32_i64 twice[] = { { 1, 11 }, { 1, 12 } };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 2);
    oracle_holds(spark_combine_by_key(rdd, begin_list, fails_always, combine_fails_always, NULL, 0),
        "(1,11) (2,12) (3,13)");
    rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 2, twice), 1);
    oracle_fails(
        spark_count(
            spark_combine_by_key(rdd, begin_list, fails_always, combine_fails_always, NULL, 0), &n),
        SPARK_ETASK, "add is called");
    rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 2, twice), 2);
    oracle_fails(
        spark_count(
            spark_combine_by_key(rdd, begin_list, fails_always, combine_fails_always, NULL, 0), &n),
        SPARK_ETASK, "combine is called");
    assert_non_null(strstr(spark_last_error()->message, "combineByKey"));
    assert_non_null(strstr(spark_last_error()->message, "test_combine.c:"));
    oracle_close(sc);
}

static void test_combine_by_key__combines_on_the_map_side(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = hundred_keys(sc, for_hundred);
    int64_t factor = 1;
    assert_int_equal(oracle_count(spark_combine_by_key(
                         rdd, begin_summary, add_summary, merge_summaries, SPARK_COPY(factor), 3)),
        100);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 400);
    assert_int_equal(
        oracle_count(spark_fold_by_key(rdd, SPARK_ZERO(int64_t), spark_op_sum, NULL, 3)), 100);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 400);
    oracle_close(sc);
}

/* group_map_by_key */
SPARK_GROUP(to_digest, spark_str, int64_t, digest)
{
    const int64_t *x;
    digest d = { *key, 0, -1, -1 };
    while ((x = spark_next(in)) != NULL) {
        if (d.n++ == 0)
            d.first = *x;
        d.last = *x;
    }
    spark_emit(out, d);
}

static spark_rdd *digest_groups(spark_context *sc, int partitions, const void *arg)
{
    const input *in = arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(str_i64, ROWS, in->data), partitions);
    return spark_group_map_by_key(rdd, to_digest, NULL, in->partitions);
}

static void test_group_map_by_key__reads_values_in_the_order_of_the_input(void **state)
{
    static str_i64 data[ROWS];
    static digest want[KEYS];
    size_t n = 0;
    uint64_t seed = 4;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = 0;
        data[i] = (str_i64) { word((size_t)oracle_below(&seed, KEYS)), (int64_t)i };
        while (at < n && !spark_str_equal(want[at].key, data[i].key))
            at++;
        if (at == n)
            want[n++] = (digest) { data[i].key, 0, (int64_t)i, 0 };
        want[at].n++;
        want[at].last = (int64_t)i;
    }
    for (int p = 0; p < 6; p += 5) {
        const input in = { data, p };
        oracle_compare(digest_groups, &in, false, SPARK_TYPE(digest), n, want);
    }
}

/* Values that are views: what a group keeps, what it makes, and what it peeks at. Keys whose zone
 * is 2 emit nothing; the others are read up to *env values. */
SPARK_GROUP(join_some, place, spark_str, str_str, int64_t)
{
    spark_str text = SPARK_LIT("");
    const spark_str *x, *next, *kept = NULL;
    if (key->zone == 2)
        return;
    for (int64_t i = 0; i < *env && (x = spark_next(in)) != NULL; i++) {
        if (i == 0 && (kept = spark_keep(task, spark_str, x)) == NULL)
            return;
        text = *spark_keep(task, spark_str, x);
        next = spark_peek(in);
        text = spark_str_concat(task, text, next != NULL ? *next : SPARK_LIT("."));
        if (!spark_emit(out, (str_str) { *kept, text }))
            return;
    }
    spark_emit(out, (str_str) { key->name, spark_str_format(task, "%d", (int)key->zone) });
}

static spark_rdd *join_groups(spark_context *sc, int partitions, const void *arg)
{
    const input *in = arg;
    int64_t most = 4;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(place_str, ROWS, in->data), partitions);
    return spark_group_map_by_key(rdd, join_some, SPARK_COPY(most), in->partitions);
}

static void test_group_map_by_key__keeps_peeks_and_stops(void **state)
{
    static place_str data[ROWS];
    static str_str want[ROWS * 2];
    static char pool[ROWS][40], made[ROWS * 2][90];
    size_t n = 0;
    uint64_t seed = 5;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const int length = snprintf(
            pool[i], sizeof pool[i], "%s%zu", i % 3 ? "v" : "a value that is a long one ", i);
        data[i] = (place_str) { place_of((size_t)oracle_below(&seed, KEYS)),
            { pool[i], (size_t)length } };
    }
    for (size_t i = 0; i < ROWS; i++) {
        size_t seen = 0, first = i;
        for (size_t j = 0; j < i; j++)
            if (spark_equal(SPARK_TYPE(place), &data[i].key, &data[j].key) && seen++ == 0)
                first = j;
        if (data[i].key.zone == 2)
            continue;
        if (seen == 0)
            want[n++] = (str_str) { data[i].key.name,
                data[i].key.zone ? SPARK_LIT("1") : SPARK_LIT("0") };
        if (seen >= 4)
            continue;
        size_t next = i + 1;
        while (next < ROWS && !spark_equal(SPARK_TYPE(place), &data[i].key, &data[next].key))
            next++;
        const int length = snprintf(made[n], sizeof made[n], "%.*s%.*s",
            SPARK_STR_ARG(data[i].value), next < ROWS ? (int)data[next].value.len : 1,
            next < ROWS ? data[next].value.ptr : ".");
        want[n] = (str_str) { data[first].value, { made[n], (size_t)length } };
        n++;
    }
    assert_true(n > KEYS);
    const input in = { data, 3 };
    oracle_compare(join_groups, &in, false, SPARK_TYPE(str_str), n, want);
}

/* One key that is everywhere, each value of which is emitted three times: far more than a batch. */
SPARK_GROUP(thrice, int32_t, int64_t, i64_i64)
{
    const int64_t *x;
    int64_t at = 0;
    while ((x = spark_next(in)) != NULL)
        for (int i = 0; i < 3; i++)
            if (!spark_emit(out, (i64_i64) { *x * 10 + i, at++ }))
                return;
}

static spark_rdd *hot_key(spark_context *sc, int partitions, const void *arg)
{
    const input *in = arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, in->data), partitions);
    return spark_group_map_by_key(rdd, thrice, NULL, in->partitions);
}

static void test_group_map_by_key__takes_one_hot_key(void **state)
{
    static i32_i64 data[ROWS];
    static i64_i64 want[ROWS * 3];
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        data[i] = (i32_i64) { 7, (int64_t)i };
        for (size_t j = 0; j < 3; j++)
            want[3 * i + j] = (i64_i64) { (int64_t)(i * 10 + j), (int64_t)(3 * i + j) };
    }
    const input in = { data, 2 };
    oracle_compare(hot_key, &in, true, SPARK_TYPE(i64_i64), ROWS * 3, want);
}

static void test_group_map_by_key__ends_early_for_take(void **state)
{
    static i32_i64 data[ROWS];
    spark_array some;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_i64) { (int32_t)i % 5, (int64_t)i };
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, data), 3);
    rdd = spark_group_map_by_key(rdd, thrice, NULL, 1);
    spark_array all;
    oracle_ok(spark_collect(rdd, SPARK_TYPE(i64_i64), &all));
    oracle_ok(spark_take(rdd, 7, SPARK_TYPE(i64_i64), &some));
    assert_int_equal(all.n, 3 * ROWS);
    assert_int_equal(some.n, 7);
    assert_memory_equal(all.items, some.items, 7 * sizeof(i64_i64));
    spark_array_free(&some);
    spark_array_free(&all);
    oracle_close(sc);
}

SPARK_GROUP(fails_in_group, int32_t, int64_t, int64_t)
{
    if (*key == 3)
        spark_fail(task, "cannot take the group of %d", (int)*key);
    spark_emit(out, *key);
}

static void test_group_map_by_key__reports_a_group_that_fails(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 3, 2 }, { 2, 3 } };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 2);
    oracle_fails(spark_count(spark_group_map_by_key(rdd, fails_in_group, NULL, 2), &n), SPARK_ETASK,
        "cannot take the group of 3");
    assert_non_null(strstr(spark_last_error()->message, "groupByKey(fails_in_group) at "));
    assert_non_null(strstr(spark_last_error()->message, "test_combine.c:"));
    oracle_close(sc);
}

/* group_by_with */
SPARK_MAP(remainder_of, i32_i64, int32_t, int64_t)
{
    *out = (int32_t)(in->value % *env);
}

static spark_rdd *group_pairs(spark_context *sc, int partitions, const void *arg)
{
    int64_t by = 6;
    const spark_keyed_options options = { 1, spark_partitioner_new(sc, 4, by_remainder, NULL) };
    spark_rdd *rdd
        = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, ((const input *)arg)->data), partitions);
    return spark_group_by_with(rdd, remainder_of, SPARK_COPY(by), &options);
}

static void test_group_by_with__places_groups_by_the_partitioner(void **state)
{
    static i32_i64 data[ROWS], members[6][ROWS];
    i32_pairs want[6];
    (void)state;
    for (size_t k = 0; k < 6; k++)
        want[k] = (i32_pairs) { (int32_t)k, { members[k], 0 } };
    for (size_t i = 0; i < ROWS; i++) {
        data[i] = (i32_i64) { (int32_t)i, (int64_t)(i * i + i / 3) };
        i32_pairs *g = &want[data[i].value % 6];
        members[g->key][g->value.n++] = data[i];
    }
    for (size_t k = 0; k < 6; k++)
        assert_true(want[k].value.n > 0);
    const input in = { data, 0 };
    oracle_compare(group_pairs, &in, false, SPARK_TYPE(i32_pairs), 6, want);
    spark_context *sc = oracle_open(2);
    spark_rdd *groups = group_pairs(sc, 3, &in);
    assert_int_equal(spark_rdd_partitions(groups), 4);
    char *layout = oracle_layout(groups);
    assert_non_null(layout);
    for (int k = 0; k < 6; k++) {
        char key[8];
        snprintf(key, sizeof key, "(%d,[", k);
        assert_int_equal(partition_in(layout, key), k % 4);
    }
    free(layout);
    assert_int_equal(spark_rdd_partitions(spark_group_by_with(
                         spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, data), 3), remainder_of,
                         SPARK_COPY((int64_t) { 2 }), NULL)),
        3);
    oracle_close(sc);
}

/* Large inputs: windows of 65,536 keys and of 4 MiB end in the middle of them. */
SPARK_MAP(to_many, int64_t, str_i64)
{
    /* 110,000 keys of 50 bytes, and every third row of one key. */
    const int64_t k = *in % 3 == 2 ? -1 : *in % 110000;
    out->key = spark_str_format(task, "the key, which is a long one, has number %09d", (int)k);
    out->value = *in;
}
SPARK_MAP(begin_sum, int64_t, i64_i64)
{
    *out = (i64_i64) { 1, *in };
}
SPARK_MERGE(add_sum, i64_i64, int64_t)
{
    acc->key++;
    acc->value += *in;
}
SPARK_MERGE(merge_sums, i64_i64, i64_i64)
{
    acc->key += in->key;
    acc->value += in->value;
}
SPARK_PAIR(str_sum, spark_str, i64_i64);

static int64_t number_of(spark_str key)
{
    int64_t n = -2;
    const spark_str digits = { key.ptr + key.len - 9, 9 };
    assert_true(key.len == 50);
    assert_true(spark_str_to_i64(digits, &n));
    return n;
}

enum { MANY = 330000, MANY_KEYS = 110000 };

static void sum_of_many(int64_t *counts, int64_t *sums)
{
    for (int64_t i = 0; i < MANY; i++) {
        const int64_t k = i % 3 == 2 ? MANY_KEYS : i % MANY_KEYS;
        counts[k]++;
        sums[k] += i;
    }
}

static void test_combine_by_key__of_many_keys_crosses_windows(void **state)
{
    int64_t *counts = calloc(MANY_KEYS + 1, sizeof *counts);
    int64_t *sums = calloc(MANY_KEYS + 1, sizeof *sums);
    char *first = NULL;
    size_t bytes = 0;
    (void)state;
    assert_non_null(counts);
    assert_non_null(sums);
    sum_of_many(counts, sums);
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = threads, .batch_rows = threads - 1 });
        spark_rdd *rdd = spark_map(spark_range(sc, 0, MANY, 1, 2), to_many, NULL);
        spark_array array;
        oracle_ok(spark_collect(spark_combine_by_key(rdd, begin_sum, add_sum, merge_sums, NULL, 3),
            SPARK_TYPE(str_sum), &array));
        assert_true(oracle_last_job(sc).shuffle_rows > MANY_KEYS);
        const str_sum *item = SPARK_ITEMS(str_sum, &array);
        size_t want = 0;
        for (size_t k = 0; k <= MANY_KEYS; k++)
            want += counts[k] > 0;
        assert_int_equal(array.n, want);
        char *order = malloc(array.n * sizeof(int64_t));
        assert_non_null(order);
        for (size_t i = 0; i < array.n; i++) {
            int64_t k = number_of(item[i].key);
            k = k < 0 ? MANY_KEYS : k;
            if (item[i].value.key != counts[k] || item[i].value.value != sums[k])
                fail_msg("key %d: %d values, sum %lld", (int)k, (int)item[i].value.key,
                    (long long)item[i].value.value);
            memcpy(order + i * sizeof k, &k, sizeof k);
        }
        if (first == NULL) {
            first = order;
            bytes = array.n * sizeof(int64_t);
        } else {
            assert_int_equal(memcmp(first, order, bytes), 0);
            free(order);
        }
        spark_array_free(&array);
        oracle_close(sc);
    }
    free(first);
    free(counts);
    free(sums);
}

static void test_group_map_by_key__of_many_keys_and_a_hot_one(void **state)
{
    int64_t *counts = calloc(MANY_KEYS + 1, sizeof *counts);
    int64_t *sums = calloc(MANY_KEYS + 1, sizeof *sums);
    (void)state;
    assert_non_null(counts);
    assert_non_null(sums);
    sum_of_many(counts, sums);
    for (int faulty = 0; faulty < 2; faulty++) {
        spark_context *sc = oracle_open_failing(2, faulty);
        spark_rdd *rdd = spark_map(spark_range(sc, 0, MANY, 1, 3), to_many, NULL);
        spark_array array;
        oracle_ok(spark_collect(
            spark_group_map_by_key(rdd, to_digest, NULL, 5), SPARK_TYPE(digest), &array));
        const digest *item = SPARK_ITEMS(digest, &array);
        int64_t rows = 0;
        for (size_t i = 0; i < array.n; i++) {
            const int64_t k = number_of(item[i].key);
            assert_int_equal(item[i].n, counts[k < 0 ? MANY_KEYS : k]);
            assert_true(k < 0 ? item[i].first == 2 : item[i].first % MANY_KEYS == k);
            assert_true(item[i].first <= item[i].last);
            assert_true(item[i].last > MANY - 4 || k >= 0);
            rows += item[i].n;
        }
        assert_int_equal(rows, MANY);
        spark_array_free(&array);
        oracle_close(sc);
    }
    free(counts);
    free(sums);
}

/* placed alike */
static void test_combine__of_placed_rows_does_not_shuffle(void **state)
{
    i32_i64 data[] = { { 1, 1 }, { 2, 2 }, { 1, 3 }, { 3, 5 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 4, data), 2);
    const spark_keyed_options by = { 0, spark_partitioner_new(sc, 3, by_remainder, NULL) };
    rdd = spark_partition_by(rdd, by.partitioner);
    assert_int_equal(oracle_count(rdd), 4);
    spark_rdd *narrow[] = {
        spark_combine_by_key(rdd, begin_list, append_number, append_list, NULL, 0),
        spark_combine_by_key_with(rdd, begin_list, append_number, append_list, NULL, &by),
        spark_fold_by_key(rdd, SPARK_ZERO(int64_t), spark_op_sum, NULL, 0),
        spark_fold_by_key_with(rdd, SPARK_ZERO(int64_t), spark_op_sum, NULL, &by),
        spark_aggregate_by_key_with(
            rdd, SPARK_ZERO(int64_t), spark_op_sum, spark_op_sum, NULL, &by),
    };
    for (size_t i = 0; i < LENGTH(narrow); i++) {
        assert_int_equal(oracle_count(narrow[i]), 3);
        assert_int_equal(oracle_last_job(sc).stages, 2);
        assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
        assert_int_equal(spark_rdd_partitions(narrow[i]), 3);
        assert_int_equal(strncmp(spark_to_debug_string(narrow[i]), "(3) MapPartitionsRDD", 20), 0);
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(narrow[i]), by.partitioner));
    }
    oracle_holds(narrow[0], "(1,1,3) (2,2) (3,5)");
    oracle_holds(narrow[1], "(1,1,3) (2,2) (3,5)");
    oracle_holds(narrow[2], "(1,4) (2,2) (3,5)");
    oracle_holds(narrow[4], "(1,4) (2,2) (3,5)");
    /* Another count is a shuffle, whose result has a hash partitioner. */
    spark_rdd *wide = spark_combine_by_key(rdd, begin_list, append_number, append_list, NULL, 3);
    assert_int_equal(oracle_count(wide), 3);
    assert_int_equal(oracle_last_job(sc).stages, 3);
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(wide), spark_hash_partitioner(sc, 3)));
    assert_null(spark_rdd_partitioner(spark_group_map_by_key(rdd, thrice, NULL, 5)));
    oracle_close(sc);
}

static void test_combine__takes_empty_rdds(void **state)
{
    i32_i64 one[] = { { 1, 5 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *inputs[] = {
        spark_empty_rdd(sc, SPARK_TYPE(i32_i64)),
        spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 3),
        spark_parallelize(sc, SPARK_DATA(i32_i64, 1, one), 3),
    };
    for (size_t i = 0; i < LENGTH(inputs); i++)
        for (int p = 0; p < 4; p++) {
            const char *sum = i == 2 ? "(1,5)" : "";
            const int parts = p > 0 ? p : i > 0 ? 3 : 0;
            spark_rdd *all[] = {
                spark_combine_by_key(inputs[i], begin_list, append_number, append_list, NULL, p),
                spark_fold_by_key(inputs[i], SPARK_ZERO(int64_t), spark_op_sum, NULL, p),
                spark_group_map_by_key(inputs[i], thrice, NULL, p),
            };
            oracle_holds(all[0], sum);
            oracle_holds(all[1], sum);
            oracle_holds(all[2], i == 2 ? "(50,0) (51,1) (52,2)" : "");
            for (size_t j = 0; j < LENGTH(all); j++)
                assert_int_equal(spark_rdd_partitions(all[j]), parts);
        }
    oracle_close(sc);
}

/* faults on purpose */
static void test_combine__survives_lost_outputs(void **state)
{
    static i32_i64 data[ROWS];
    const spark_fault plan[] = {
        { SPARK_FAULT_TASK, 0, 0, SPARK_ANY, .attempt = 0 },
        { SPARK_FAULT_SHUFFLE, 0, 1, 1, .attempt = 0, .output = 2 },
        { SPARK_FAULT_SHUFFLE, 1, 1, 0, .attempt = 0, .output = 1 },
    };
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_i64) { (int32_t)i % 19, (int64_t)i };
    char *want = NULL;
    for (int faulty = 0; faulty < 2; faulty++) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = 2, .faults = plan, .n_faults = faulty ? LENGTH(plan) : 0 });
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, data), 4);
        spark_rdd *lists
            = spark_combine_by_key(rdd, begin_list, append_number, append_list, NULL, 3);
        char *layout = oracle_layout(lists);
        assert_non_null(layout);
        assert_int_equal(oracle_last_job(sc).failed_tasks >= 4, faulty);
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, faulty);
        spark_rdd *groups = spark_group_map_by_key(rdd, thrice, NULL, 2);
        char *more = oracle_layout(groups);
        assert_non_null(more);
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, faulty);
        oracle_text both = { NULL, 0, 0 };
        oracle_append(&both, layout, strlen(layout));
        oracle_append(&both, more, strlen(more));
        free(layout);
        free(more);
        if (want != NULL)
            assert_string_equal(both.bytes, want);
        free(want);
        want = both.bytes;
        oracle_close(sc);
    }
    free(want);
}

/* misuse */
static void test_combine__reports_what_does_not_fit(void **state)
{
    i32_i64 data[] = { { 1, 5 } };
    int64_t n, number = 1;
    int32_t other = 1;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_context *elsewhere = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, data), 2);
    spark_rdd *plain = spark_keys(rdd);
    const spark_keyed_options foreign = { 0, spark_hash_partitioner(elsewhere, 2) };
#define COMBINES(...) spark_count(spark_combine_by_key(__VA_ARGS__), &n)
    oracle_fails(
        COMBINES(rdd, NULL, append_number, append_list, NULL, 0), SPARK_EINVAL, "combineByKey at ");
    assert_non_null(strstr(spark_last_error()->message, "test_combine.c:"));
    assert_non_null(strstr(spark_last_error()->message, "the function is NULL"));
    oracle_fails(COMBINES(rdd, begin_list, NULL, append_list, NULL, 0), SPARK_EINVAL,
        "the function is NULL");
    oracle_fails(COMBINES(rdd, begin_list, append_number, NULL, NULL, 0), SPARK_EINVAL,
        "the function is NULL");
    oracle_fails(COMBINES(rdd, begin_list, append_number, append_list, NULL, -2), SPARK_EINVAL,
        "-2 partitions");
    oracle_fails(COMBINES(plain, begin_list, append_number, append_list, NULL, 0), SPARK_ETYPE,
        "pairs wanted, i32 found");
    /* The message names the function that does not fit, which may not be the first. */
    oracle_fails(COMBINES(rdd, itself, append_number, append_list, NULL, 0), SPARK_ETYPE,
        "combineByKey(itself) at ");
    assert_non_null(strstr(spark_last_error()->message, "str wanted, i64 found"));
    oracle_fails(COMBINES(rdd, begin_list, append_list, append_list, NULL, 0), SPARK_ETYPE,
        "combineByKey(append_list) at ");
    oracle_fails(COMBINES(rdd, begin_list, append_number, spark_op_sum, NULL, 0), SPARK_ETYPE,
        "combineByKey(sum) at ");
    oracle_fails(COMBINES(rdd, begin_summary, add_summary, merge_summaries, NULL, 0), SPARK_EINVAL,
        "combineByKey(");
    oracle_fails(COMBINES(rdd, begin_summary, add_summary, merge_summaries, SPARK_COPY(other), 0),
        SPARK_EINVAL, "combineByKey(");
    oracle_fails(
        COMBINES(NULL, begin_list, append_number, append_list, NULL, 0), SPARK_EINVAL, "NULL");
    oracle_fails(spark_count(spark_combine_by_key_with(
                                 rdd, begin_list, append_number, append_list, NULL, &foreign),
                     &n),
        SPARK_EINVAL, "another context");
    oracle_ok(COMBINES(rdd, begin_summary, add_summary, merge_summaries, SPARK_COPY(number), 0));
#define FOLDS(...) spark_count(spark_fold_by_key(__VA_ARGS__), &n)
    oracle_fails(FOLDS(rdd, SPARK_ZERO(int64_t), NULL, NULL, 0), SPARK_EINVAL, "foldByKey at ");
    assert_non_null(strstr(spark_last_error()->message, "test_combine.c:"));
    oracle_fails(
        FOLDS(rdd, SPARK_ZERO(double), spark_op_sum, NULL, 0), SPARK_ETYPE, "foldByKey(sum) at ");
    oracle_fails(FOLDS(rdd, NULL, NULL, spark_op_sum, NULL, 0), SPARK_EINVAL, "foldByKey");
    oracle_fails(FOLDS(rdd, SPARK_ZERO(int64_t), append_list, NULL, 0), SPARK_ETYPE,
        "foldByKey(append_list) at ");
    oracle_fails(
        FOLDS(plain, SPARK_ZERO(int64_t), spark_op_sum, NULL, 0), SPARK_ETYPE, "pairs wanted");
    oracle_fails(
        FOLDS(rdd, SPARK_ZERO(int64_t), spark_op_sum, NULL, -1), SPARK_EINVAL, "-1 partitions");
#define GROUPS(...) spark_count(spark_group_map_by_key(__VA_ARGS__), &n)
    spark_group_def bare = *thrice;
    bare.out = NULL;
    oracle_fails(GROUPS(rdd, NULL, NULL, 0), SPARK_EINVAL, "groupByKey at ");
    assert_non_null(strstr(spark_last_error()->message, "the function is NULL"));
    oracle_fails(GROUPS(rdd, &bare, NULL, 0), SPARK_EINVAL, "groupByKey(thrice) at ");
    oracle_fails(GROUPS(rdd, to_digest, NULL, 0), SPARK_ETYPE, "str wanted, i32 found");
    assert_non_null(strstr(spark_last_error()->message, "groupByKey(to_digest) at "));
    bare = *thrice;
    bare.value = SPARK_TYPE(double);
    oracle_fails(GROUPS(rdd, &bare, NULL, 0), SPARK_ETYPE, "f64 wanted, i64 found");
    oracle_fails(GROUPS(plain, thrice, NULL, 0), SPARK_ETYPE, "pairs wanted");
    oracle_fails(GROUPS(rdd, thrice, NULL, -7), SPARK_EINVAL, "-7 partitions");
    oracle_fails(
        spark_count(spark_group_by_with(rdd, NULL, NULL, NULL), &n), SPARK_EINVAL, "groupBy at ");
    oracle_close(elsewhere);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_combine_by_key__adds_in_the_order_of_the_input),
        oracle_test(test_combine_by_key__binds_env_to_all_three_functions),
        oracle_test(test_combine_by_key__takes_structs_and_views),
        oracle_test(test_combine_by_key__leaves_single_values_alone),
        oracle_test(test_combine_by_key__combines_on_the_map_side),
        oracle_test(test_combine_by_key__of_many_keys_crosses_windows),
        oracle_test(test_fold_by_key__gives_the_cases_of_pair_rdd_functions),
        oracle_test(test_fold_by_key__starts_each_key_with_the_zero),
        oracle_test(test_aggregate_by_key_with__collects_sets),
        oracle_test(test_group_map_by_key__reads_values_in_the_order_of_the_input),
        oracle_test(test_group_map_by_key__keeps_peeks_and_stops),
        oracle_test(test_group_map_by_key__takes_one_hot_key),
        oracle_test(test_group_map_by_key__ends_early_for_take),
        oracle_test(test_group_map_by_key__reports_a_group_that_fails),
        oracle_test(test_group_map_by_key__of_many_keys_and_a_hot_one),
        oracle_test(test_group_by_with__places_groups_by_the_partitioner),
        oracle_test(test_combine__of_placed_rows_does_not_shuffle),
        oracle_test(test_combine__takes_empty_rdds),
        oracle_test(test_combine__survives_lost_outputs),
        oracle_test(test_combine__reports_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
