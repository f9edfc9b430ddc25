/* SPDX-License-Identifier: Apache-2.0 */
/* Narrow operations against naive loops. */
#include "oracle.h"

#define ROWS 300

SPARK_PAIR(i32_str, int32_t, spark_str);
SPARK_PAIR(i32_i64, int32_t, int64_t);
SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(str_i32, spark_str, int32_t);
SPARK_PAIR(len_pair, int64_t, i32_str);
SPARK_STRUCT(person, (int32_t, id), (spark_str, name));
SPARK_STRUCT(human, (int32_t, number), (spark_str, called));
SPARK_STRUCT(wide, (double, x, 8), (char, code, 3));
SPARK_STRUCT(running, (int64_t, sum), (int64_t, n));

static i32_str data[ROWS];
static char pool[ROWS][48];

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < ROWS; i++) {
        int n = snprintf(pool[i], sizeof pool[i], "%.*s;%d;", (int)oracle_below(&seed, 20),
            "some;words;of;some;text", (int)i);
        data[i] = (i32_str) { (int32_t)oracle_below(&seed, 50),
            { pool[i], oracle_below(&seed, 9) == 0 ? 0 : (size_t)n } };
    }
}

static spark_rdd *load(spark_context *sc, int partitions)
{
    return spark_parallelize(sc, SPARK_DATA(i32_str, ROWS, data), partitions);
}

/* map: types that grow, shrink and point */
SPARK_MAP(to_wide, i32_str, wide)
{
    *out = (wide) { { 0 }, { 0 } };
    for (int i = 0; i < 8; i++)
        out->x[i] = in->key * i;
    out->code[0] = (char)('a' + in->key % 26);
}
SPARK_MAP(to_byte, wide, uint8_t)
{
    *out = (uint8_t)(in->x[1] + in->code[0]);
}
SPARK_MAP(shout, i32_str, spark_str)
{
    *out = spark_str_concat(task, spark_str_upper(task, in->value), SPARK_LIT("!"));
}
typedef struct offset {
    int32_t by;
} offset;
SPARK_MAP(shift, i32_str, i32_str, offset)
{
    *out = (i32_str) { in->key + env->by, in->value };
}

static spark_rdd *build_bytes(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_map(spark_map(load(sc, partitions), to_wide, NULL), to_byte, NULL);
}
static spark_rdd *build_shout(spark_context *sc, int partitions, const void *arg)
{
    offset by = { 1000 };
    (void)arg;
    spark_rdd *rdd = spark_map(load(sc, partitions), shift, SPARK_COPY(by));
    by.by = 77;
    return spark_map(rdd, shout, NULL);
}

static void test_map__applies_the_function_to_each_element(void **state)
{
    static uint8_t bytes[ROWS];
    static spark_str texts[ROWS];
    static char shouts[ROWS][50];
    (void)state;
    fill(1);
    for (size_t i = 0; i < ROWS; i++) {
        bytes[i] = (uint8_t)(data[i].key + 'a' + data[i].key % 26);
        texts[i] = (spark_str) { shouts[i], data[i].value.len + 1 };
        for (size_t j = 0; j < data[i].value.len; j++) {
            char c = data[i].value.ptr[j];
            shouts[i][j] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
        }
        shouts[i][data[i].value.len] = '!';
    }
    oracle_compare(build_bytes, NULL, true, SPARK_TYPE(uint8_t), ROWS, bytes);
    oracle_compare(build_shout, NULL, true, SPARK_TYPE(spark_str), ROWS, texts);
}

SPARK_MAP(increment, int64_t, int64_t)
{
    *out = *in + 1;
}

static void test_map__chains_of_any_length_work(void **state)
{
    enum { LONG = 100000 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 5, 1, 2);
    for (int i = 0; i < LONG; i++)
        rdd = spark_map(rdd, increment, NULL);
    oracle_collects(rdd, "100000 100001 100002 100003 100004");
    oracle_close(sc);
}

SPARK_KEY(text_of, i32_str, spark_str, value);

static spark_rdd *build_projection(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_map(load(sc, partitions), text_of, NULL);
}

static void test_map__by_a_projection(void **state)
{
    static spark_str want[ROWS];
    (void)state;
    fill(2);
    for (size_t i = 0; i < ROWS; i++)
        want[i] = data[i].value;
    oracle_compare(build_projection, NULL, true, SPARK_TYPE(spark_str), ROWS, want);
}

/* filter */
SPARK_FILTER(key_below, i32_str, offset)
{
    return in->key < env->by;
}
SPARK_FILTER(has_text, i32_str)
{
    return in->value.len > 0;
}
static spark_rdd *build_filter(spark_context *sc, int partitions, const void *arg)
{
    return spark_filter(
        spark_filter(load(sc, partitions), key_below, SPARK_COPY(*(const offset *)arg)), has_text,
        NULL);
}

static void test_filter__keeps_matches_in_order(void **state)
{
    static i32_str want[ROWS];
    (void)state;
    fill(3);
    static const offset limits[] = { { 0 }, { 1 }, { 25 }, { 100 } };
    for (size_t l = 0; l < LENGTH(limits); l++) {
        size_t n = 0;
        for (size_t i = 0; i < ROWS; i++)
            if (data[i].key < limits[l].by && data[i].value.len > 0)
                want[n++] = data[i];
        oracle_compare(build_filter, &limits[l], true, SPARK_TYPE(i32_str), n, want);
    }
    spark_context *sc = oracle_open(2);
    assert_int_equal(spark_rdd_partitions(build_filter(sc, 7, &limits[0])), 7);
    oracle_close(sc);
}

/* flat_map: none, one and many */
SPARK_FLAT_MAP(fields, i32_str, str_i32)
{
    spark_str rest = in->value, field;
    for (int32_t i = 0; in->value.len > 0 && spark_str_split(&rest, ';', &field); i++)
        if (!spark_emit(out, (str_i32) { field, i }))
            return;
}
SPARK_FLAT_MAP(spell, str_i32, spark_str)
{
    for (size_t i = 0; i < in->key.len; i++)
        spark_emit(out, spark_str_format(task, "%c%d", in->key.ptr[i], (int)in->value));
}
static spark_rdd *build_spell(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_flat_map(spark_flat_map(load(sc, partitions), fields, NULL), spell, NULL);
}

static void test_flat_map__emits_any_number_of_elements(void **state)
{
    static spark_str want[ROWS * 40];
    static char texts[ROWS * 40][8];
    size_t n = 0;
    (void)state;
    fill(4);
    for (size_t i = 0; i < ROWS; i++) {
        int field = 0;
        for (size_t j = 0; j < data[i].value.len; j++) {
            char c = data[i].value.ptr[j];
            if (c == ';') {
                field++;
                continue;
            }
            int length = snprintf(texts[n], sizeof texts[n], "%c%d", c, field);
            want[n] = (spark_str) { texts[n], (size_t)length };
            n++;
        }
    }
    oracle_compare(build_spell, NULL, true, SPARK_TYPE(spark_str), n, want);
}

SPARK_FLAT_MAP(explode, int64_t, i64_i64)
{
    for (int64_t i = 0; i < 3000000; i++)
        if (!spark_emit(out, (i64_i64) { *in, i }))
            return;
}

static void test_flat_map__passes_millions_on_in_bounded_memory(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_flat_map(spark_range(sc, 0, 2, 1, 2), explode, NULL);
    uint64_t peak = 0;
    assert_int_equal(oracle_count(rdd), 6000000);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 8u << 20);
    oracle_close(sc);
}

/* pairs */
SPARK_MAP(text_length, i32_str, int64_t)
{
    *out = (int64_t)in->value.len;
}
SPARK_MAP(length_of, spark_str, int64_t)
{
    *out = (int64_t)in->len;
}
static spark_rdd *build_key_by(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_key_by(load(sc, partitions), text_length, NULL);
}
static spark_rdd *build_map_values(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_map_values(load(sc, partitions), length_of, NULL);
}
static spark_rdd *build_keys(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_keys(load(sc, partitions));
}
static spark_rdd *build_values(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_values(spark_values(spark_key_by(load(sc, partitions), text_length, NULL)));
}

static void test_pairs__are_made_changed_and_taken_apart(void **state)
{
    static len_pair keyed[ROWS];
    static i32_i64 lengths[ROWS];
    static int32_t keys[ROWS];
    static spark_str values[ROWS];
    (void)state;
    fill(5);
    for (size_t i = 0; i < ROWS; i++) {
        keyed[i] = (len_pair) { (int64_t)data[i].value.len, data[i] };
        lengths[i] = (i32_i64) { data[i].key, (int64_t)data[i].value.len };
        keys[i] = data[i].key;
        values[i] = data[i].value;
    }
    oracle_compare(build_key_by, NULL, true, SPARK_TYPE(len_pair), ROWS, keyed);
    oracle_compare(build_map_values, NULL, true, SPARK_TYPE(i32_i64), ROWS, lengths);
    oracle_compare(build_keys, NULL, true, SPARK_TYPE(int32_t), ROWS, keys);
    oracle_compare(build_values, NULL, true, SPARK_TYPE(spark_str), ROWS, values);
}

/* union */
static spark_rdd *build_union(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    spark_rdd *a = load(sc, partitions);
    spark_rdd *b = spark_parallelize(sc, SPARK_DATA(i32_str, 20, data), 3);
    return spark_union(spark_union(a, spark_empty_rdd(sc, SPARK_TYPE(i32_str))), spark_union(b, a));
}

static void test_union__appends_partitions(void **state)
{
    static i32_str want[2 * ROWS + 20];
    (void)state;
    fill(6);
    memcpy(want, data, sizeof data);
    memcpy(want + ROWS, data, 20 * sizeof *data);
    memcpy(want + ROWS + 20, data, sizeof data);
    oracle_compare(build_union, NULL, true, SPARK_TYPE(i32_str), LENGTH(want), want);
}

static void test_union__gives_the_cases_of_spark(void **state)
{
    int64_t four[] = { 1, 2, 3, 4 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int64_t, 4, four), 2);
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
    spark_rdd *all[] = { rdd, none, rdd, rdd };
    oracle_has_layout(spark_union(rdd, rdd), "1 2 | 3 4 | 1 2 | 3 4");
    oracle_has_layout(spark_union(none, rdd), "1 2 | 3 4");
    oracle_has_layout(spark_union(rdd, none), "1 2 | 3 4");
    oracle_has_layout(spark_union_all(sc, 4, all), "1 2 | 3 4 | 1 2 | 3 4 | 1 2 | 3 4");
    oracle_has_layout(spark_union_all(sc, 1, all), "1 2 | 3 4");
    assert_int_equal(spark_rdd_partitions(spark_union(none, none)), 0);
    oracle_collects(spark_union(none, none), "");
    spark_rdd *empties = spark_union(spark_parallelize(sc, SPARK_DATA(int64_t, 0, NULL), 2), none);
    assert_int_equal(spark_rdd_partitions(empties), 2);
    oracle_collects(empties, "");
    spark_array array;
    oracle_fails(spark_collect(spark_union_all(sc, 0, NULL), NULL, &array), SPARK_EINVAL, "union");
    oracle_fails(spark_collect(spark_union(rdd, spark_key_by(rdd, increment, NULL)), NULL, &array),
        SPARK_ETYPE, "union");
    spark_context *other = oracle_open(1);
    oracle_fails(spark_collect(spark_union(rdd, spark_range(other, 0, 1, 1, 1)), NULL, &array),
        SPARK_EINVAL, "context");
    oracle_close(other);
    oracle_close(sc);
}

SPARK_PARTITIONER(by_remainder, int64_t)
{
    return (uint32_t)((uint64_t)*key % partitions);
}
SPARK_MAP(same_number, int64_t, int64_t)
{
    *out = *in;
}

static void test_union__of_rdds_placed_alike_keeps_the_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_partitioner *p = spark_partitioner_new(sc, 2, by_remainder, NULL);
    spark_partitioner *alike = spark_partitioner_new(sc, 2, by_remainder, NULL);
    spark_rdd *a
        = spark_partition_by(spark_key_by(spark_range(sc, 1, 5, 1, 3), same_number, NULL), p);
    spark_rdd *b
        = spark_partition_by(spark_key_by(spark_range(sc, 5, 9, 1, 2), same_number, NULL), alike);
    spark_rdd *plain = spark_key_by(spark_range(sc, 9, 10, 1, 1), same_number, NULL);
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(i64_i64));
    spark_rdd *both = spark_union(a, b);
    assert_int_equal(spark_rdd_partitions(both), 2);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(both), p));
    oracle_has_layout(both, "(2,2) (4,4) (6,6) (8,8) | (1,1) (3,3) (5,5) (7,7)");
    both = spark_union(a, none);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(both), p));
    oracle_has_layout(both, "(2,2) (4,4) | (1,1) (3,3)");
    spark_rdd *all[] = { none, a, none, b, a };
    both = spark_union_all(sc, 5, all);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(both), p));
    oracle_has_layout(
        both, "(2,2) (4,4) (6,6) (8,8) (2,2) (4,4) | (1,1) (3,3) (5,5) (7,7) (1,1) (3,3)");
    both = spark_union(a, plain);
    assert_null(spark_rdd_partitioner(both));
    assert_int_equal(spark_rdd_partitions(both), 3);
    both = spark_union(a, spark_partition_by(b, spark_hash_partitioner(sc, 2)));
    assert_null(spark_rdd_partitioner(both));
    assert_int_equal(spark_rdd_partitions(both), 4);
    /* One partition. */
    spark_rdd *one = spark_partition_by(a, spark_hash_partitioner(sc, 1));
    both = spark_union(one, one);
    assert_int_equal(spark_rdd_partitions(both), 1);
    assert_int_equal(oracle_count(both), 8);
    oracle_close(sc);
}

/* whole partitions */
SPARK_PARTITIONS(sum_up, int64_t, i64_i64)
{
    const int64_t *item;
    int64_t sum = 0;
    while ((item = spark_next(in)) != NULL)
        sum += *item;
    spark_emit(out, (i64_i64) { spark_task_partition(task), sum });
}
SPARK_PARTITIONS(pairwise, i32_str, str_i32, offset)
{
    /* Joins each element with its successor, which spark_peek shows. */
    const i32_str *item, *next;
    while ((item = spark_next(in)) != NULL) {
        spark_str text = spark_str_copy(task, item->value);
        int32_t key = item->key;
        next = spark_peek(in);
        spark_emit(out, (str_i32) { text, key + (next ? next->key : env->by) });
    }
}
static spark_rdd *build_pairwise(spark_context *sc, int partitions, const void *arg)
{
    offset end = { 5000 };
    (void)arg;
    /* One partition: what follows must not depend on the slicing. */
    spark_rdd *rdd
        = spark_union(load(sc, 1), spark_parallelize(sc, SPARK_DATA(i32_str, 0, NULL), partitions));
    return spark_map_partitions(rdd, pairwise, SPARK_COPY(end));
}

static void test_map_partitions__runs_once_a_partition(void **state)
{
    int64_t four[] = { 1, 2, 3, 4 };
    static str_i32 want[ROWS];
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int64_t, 4, four), 2);
        oracle_has_layout(spark_map_partitions(rdd, sum_up, NULL), "(0,3) | (1,7)");
        rdd = spark_parallelize(sc, SPARK_DATA(int64_t, 1, four), 3);
        oracle_has_layout(spark_map_partitions(rdd, sum_up, NULL), "(0,0) | (1,0) | (2,1)");
        rdd = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
        oracle_collects(spark_map_partitions(rdd, sum_up, NULL), "");
        oracle_close(sc);
    }
    fill(7);
    for (size_t i = 0; i < ROWS; i++)
        want[i]
            = (str_i32) { data[i].value, data[i].key + (i + 1 < ROWS ? data[i + 1].key : 5000) };
    oracle_compare(build_pairwise, NULL, true, SPARK_TYPE(str_i32), ROWS, want);
}

static void test_map_partitions__sees_the_number_of_the_rdd_it_was_given_to(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *a = spark_map_partitions(spark_range(sc, 0, 2, 1, 2), sum_up, NULL);
    spark_rdd *both = spark_union(a, a);
    oracle_has_layout(both, "(0,0) | (1,1) | (0,0) | (1,1)");
    oracle_close(sc);
}

SPARK_PARTITIONS(first_two, int64_t, int64_t)
{
    const int64_t *item;
    for (int i = 0; i < 2 && (item = spark_next(in)) != NULL; i++)
        if (!spark_emit(out, *item))
            return;
}

static void test_map_partitions__need_not_read_all(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_has_layout(spark_map_partitions(spark_range(sc, 0, 30000, 1, 3), first_two, NULL),
        "0 1 | 10000 10001 | 20000 20001");
    oracle_close(sc);
}

SPARK_STEP(sums_so_far, running, int64_t, i64_i64, offset)
{
    state->sum += *in;
    state->n++;
    if (*in % 3 == 0)
        spark_emit(out, (i64_i64) { state->sum + env->by, *in });
}
SPARK_FINISH(sums_so_far, running, int64_t, i64_i64, offset)
{
    spark_emit(out, (i64_i64) { state->sum + env->by, -state->n });
}
static spark_rdd *build_stateful(spark_context *sc, int partitions, const void *arg)
{
    offset by = { 10 };
    (void)arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int64_t, 0, NULL), partitions);
    rdd = spark_union(spark_range(sc, 1, 5001, 1, 1), rdd);
    return spark_map_stateful(rdd, sums_so_far, SPARK_COPY(by));
}

static void test_map_stateful__keeps_state_between_elements(void **state)
{
    static i64_i64 want[5000];
    (void)state;
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        /* The empty partitions call finish as well. */
        size_t n = 0;
        int64_t sum = 0;
        for (int64_t i = 1; i <= 5000; i++) {
            sum += i;
            if (i % 3 == 0)
                want[n++] = (i64_i64) { sum + 10, i };
        }
        want[n++] = (i64_i64) { sum + 10, -5000 };
        for (int i = 0; i < oracle_partitions[p]; i++)
            want[n++] = (i64_i64) { 10, 0 };
        spark_array naive = oracle_array(SPARK_TYPE(i64_i64), n, want), array;
        char *text = oracle_listing(&naive, false);
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            oracle_ok(spark_collect(
                build_stateful(sc, oracle_partitions[p], NULL), SPARK_TYPE(i64_i64), &array));
            char *have = oracle_listing(&array, false);
            spark_array_free(&array);
            assert_string_equal(have, text);
            free(have);
            oracle_close(sc);
        }
        free(text);
    }
}

/* spark_keep: the longest string of a partition */
SPARK_PARTITIONS(longest, i32_str, spark_str)
{
    const i32_str *best = NULL, *item;
    while ((item = spark_next(in)) != NULL)
        if (best == NULL || item->value.len > best->value.len)
            best = spark_keep(task, i32_str, item);
    if (best != NULL)
        spark_emit(out, best->value);
}
static spark_rdd *build_longest(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    (void)partitions;
    return spark_map_partitions(load(sc, 1), longest, NULL);
}

static void test_map_partitions__keeps_what_it_needs_longer(void **state)
{
    spark_str want = { "", 0 };
    (void)state;
    fill(8);
    for (size_t i = 0; i < ROWS; i++)
        if (data[i].value.len > want.len)
            want = data[i].value;
    oracle_compare(build_longest, NULL, true, SPARK_TYPE(spark_str), 1, &want);
}

static int64_t cleaned;
static void clean(void *at)
{
    __atomic_add_fetch((int64_t *)at, 1, __ATOMIC_RELAXED);
}
SPARK_PARTITIONS(deferring, int64_t, int64_t, bool)
{
    const int64_t *item;
    spark_defer(task, clean, &cleaned);
    while ((item = spark_next(in)) != NULL)
        spark_emit(out, *item);
    if (*env && spark_task_attempt(task) < 3)
        spark_fail(task, "not yet");
}

static void test_defer__cleans_up_after_each_attempt(void **state)
{
    bool fail = false;
    (void)state;
    spark_context *sc = oracle_open(2);
    cleaned = 0;
    oracle_collects(spark_map_partitions(spark_range(sc, 0, 6, 1, 3), deferring, SPARK_COPY(fail)),
        "0 1 2 3 4 5");
    assert_int_equal(cleaned, 3);
    fail = true;
    oracle_collects(spark_map_partitions(spark_range(sc, 0, 6, 1, 3), deferring, SPARK_COPY(fail)),
        "0 1 2 3 4 5");
    assert_int_equal(cleaned, 15);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 9);
    oracle_close(sc);
}

/* as */
static void test_as__gives_other_names_to_the_same_layout(void **state)
{
    person people[] = { { 1, SPARK_STR("a") }, { 2, SPARK_STR("b") } };
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(person, 2, people), 2);
    oracle_fails(spark_collect(rdd, SPARK_TYPE(human), &array), SPARK_ETYPE, "human");
    oracle_ok(spark_collect(spark_as(rdd, SPARK_TYPE(human)), SPARK_TYPE(human), &array));
    assert_int_equal(SPARK_ITEMS(human, &array)[1].number, 2);
    spark_array_free(&array);
    oracle_fails(
        spark_collect(spark_as(rdd, SPARK_TYPE(i64_i64)), NULL, &array), SPARK_ETYPE, "as at ");
    oracle_fails(spark_collect(spark_as(rdd, NULL), NULL, &array), SPARK_EINVAL, "as at ");
    /* A pair is of another kind than a struct. */
    oracle_fails(
        spark_collect(spark_as(rdd, SPARK_TYPE(i32_str)), NULL, &array), SPARK_ETYPE, "as at ");
    oracle_close(sc);
}

/* environments */
static int destroyed;
static void destroy(void *data_)
{
    destroyed++;
    free(data_);
}
SPARK_FILTER(below, int64_t, int64_t)
{
    return *in < *env;
}

static void test_env__is_copied_referred_to_or_owned(void **state)
{
    static int64_t limit = 3;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    spark_rdd *copied = spark_filter(rdd, below, SPARK_COPY(limit));
    spark_rdd *referred = spark_filter(rdd, below, SPARK_REF(&limit));
    int64_t *owned = malloc(sizeof *owned);
    assert_non_null(owned);
    *owned = 2;
    destroyed = 0;
    spark_scope *scope = spark_scope_begin(sc);
    spark_rdd *owning = spark_filter(rdd, below, SPARK_OWN(owned, destroy));
    limit = 5;
    oracle_collects(copied, "0 1 2");
    oracle_collects(referred, "0 1 2 3 4");
    oracle_collects(owning, "0 1");
    assert_int_equal(destroyed, 0);
    spark_scope_end(scope);
    assert_int_equal(destroyed, 1);
    /* Also when the call fails. */
    owned = malloc(sizeof *owned);
    *owned = 2;
    spark_rdd *wrong = spark_filter(NULL, below, SPARK_OWN(owned, destroy));
    assert_int_not_equal(spark_rdd_status(wrong), SPARK_OK);
    oracle_close(sc);
    assert_int_equal(destroyed, 2);
    limit = 3;
}

/* nothing to do */
SPARK_FLAT_MAP(none_of, int64_t, int64_t)
{
    if (*in < INT64_MIN + 1)
        spark_emit(out, *in);
}

static void test_narrow__operations_take_empty_rdds(void **state)
{
    offset by = { 0 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *inputs[] = { spark_empty_rdd(sc, SPARK_TYPE(int64_t)),
        spark_parallelize(sc, SPARK_DATA(int64_t, 0, NULL), 1), spark_range(sc, 0, 0, 1, 5),
        spark_flat_map(spark_range(sc, 0, 5000, 1, 3), none_of, NULL) };
    static const int partitions[] = { 0, 1, 5, 3 };
    for (size_t i = 0; i < LENGTH(inputs); i++) {
        spark_rdd *rdd = inputs[i], *pairs = spark_key_by(rdd, increment, NULL);
        spark_rdd *outputs[]
            = { rdd, pairs, spark_map(rdd, increment, NULL), spark_flat_map(rdd, none_of, NULL),
                  spark_filter(rdd, below, SPARK_COPY((int64_t) { 1 })),
                  spark_map_values(pairs, increment, NULL), spark_keys(pairs), spark_values(pairs),
                  spark_as(rdd, SPARK_TYPE(int64_t)), spark_map_partitions(rdd, first_two, NULL) };
        for (size_t j = 0; j < LENGTH(outputs); j++) {
            oracle_collects(outputs[j], "");
            assert_int_equal(oracle_count(outputs[j]), 0);
            assert_int_equal(spark_rdd_partitions(outputs[j]), partitions[i]);
        }
        assert_int_equal(
            oracle_count(spark_map_stateful(rdd, sums_so_far, SPARK_COPY(by))), partitions[i]);
        assert_int_equal(spark_rdd_partitions(spark_union(rdd, rdd)), 2 * partitions[i]);
        oracle_collects(spark_union(rdd, rdd), "");
    }
    oracle_close(sc);
}

/* a filled-in definition, as a binding would make it: any type in */
static void count_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    (void)task, (void)in, (void)in_step, (void)env;
    for (size_t i = 0; i < n; i++)
        memcpy((char *)out + i * out_step, &(int64_t) { 1 }, sizeof(int64_t));
}

static void test_map__takes_a_definition_filled_in_by_hand(void **state)
{
    (void)state;
    fill(9);
    spark_map_def one = { "one", NULL, SPARK_TYPE(int64_t), 0, count_run, NULL };
    spark_context *sc = oracle_open(2);
    spark_array array;
    spark_rdd *rdd = spark_map(load(sc, 4), &one, NULL);
    spark_rdd *values = spark_map_values(load(sc, 4), &one, NULL);
    memset(&one, 0, sizeof one);
    oracle_ok(spark_reduce(rdd, spark_op_sum, NULL, SPARK_TYPE(int64_t), &array));
    oracle_lists(&array, "300");
    spark_array_free(&array);
    oracle_ok(spark_reduce(spark_values(values), spark_op_sum, NULL, SPARK_TYPE(int64_t), &array));
    oracle_lists(&array, "300");
    spark_array_free(&array);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_map__applies_the_function_to_each_element),
        oracle_test(test_map__chains_of_any_length_work),
        oracle_test(test_map__by_a_projection),
        oracle_test(test_map__takes_a_definition_filled_in_by_hand),
        oracle_test(test_filter__keeps_matches_in_order),
        oracle_test(test_flat_map__emits_any_number_of_elements),
        oracle_test(test_flat_map__passes_millions_on_in_bounded_memory),
        oracle_test(test_pairs__are_made_changed_and_taken_apart),
        oracle_test(test_union__appends_partitions),
        oracle_test(test_union__gives_the_cases_of_spark),
        oracle_test(test_union__of_rdds_placed_alike_keeps_the_partitioner),
        oracle_test(test_map_partitions__runs_once_a_partition),
        oracle_test(test_map_partitions__sees_the_number_of_the_rdd_it_was_given_to),
        oracle_test(test_map_partitions__need_not_read_all),
        oracle_test(test_map_partitions__keeps_what_it_needs_longer),
        oracle_test(test_map_stateful__keeps_state_between_elements),
        oracle_test(test_defer__cleans_up_after_each_attempt),
        oracle_test(test_as__gives_other_names_to_the_same_layout),
        oracle_test(test_env__is_copied_referred_to_or_owned),
        oracle_test(test_narrow__operations_take_empty_rdds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
