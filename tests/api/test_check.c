/* SPDX-License-Identifier: Apache-2.0 */
/* Check mode: finds views of dead memory, and leaves correct programs alone. */
#include "oracle.h"

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_STRUCT(texts, (int64_t, id), (spark_str_list, words));
SPARK_OPTIONAL(opt_words, spark_str_list);
SPARK_STRUCT(deep, (int64_t, id), (opt_words, words));

/* views of the stack */
SPARK_FLAT_MAP(numbered, int64_t, word_count)
{
    char buf[32];
    int n = snprintf(buf, sizeof buf, "%lld", (long long)*in);
    spark_emit(out, (word_count) { { buf, (size_t)n }, 1 });
}
SPARK_MAP(on_stack, int64_t, spark_str)
{
    char buf[32];
    int n = snprintf(buf, sizeof buf, "%lld", (long long)*in);
    *out = (spark_str) { buf, (size_t)n };
}
SPARK_FLAT_MAP(listed, int64_t, texts)
{
    spark_str words[2] = { SPARK_STR("a"), SPARK_STR("b") };
    spark_emit(out, (texts) { *in, { words, 2 } });
}
SPARK_FLAT_MAP(nested, int64_t, deep)
{
    spark_str *words = spark_alloc(task, sizeof *words);
    char buf[4] = "abc";
    if (words == NULL)
        return;
    words[0] = (spark_str) { buf, 3 };
    spark_emit(out, (deep) { *in, { true, { words, 1 } } });
}

/* views that were kept too long */
SPARK_PARTITIONS(longest, spark_str, spark_str)
{
    const spark_str *best = NULL, *next;
    while ((next = spark_next(in)) != NULL)
        if (best == NULL || next->len > best->len)
            best = next;
    if (best != NULL)
        spark_emit(out, *best);
}
SPARK_PARTITIONS(longest_kept, spark_str, spark_str)
{
    const spark_str *best = NULL, *next;
    while ((next = spark_next(in)) != NULL)
        if (best == NULL || next->len > best->len)
            best = spark_keep(task, spark_str, next);
    if (best != NULL)
        spark_emit(out, *best);
}
SPARK_STEP(late, spark_str, spark_str, spark_str)
{
    /* Emits the element before: its bytes are gone. */
    if (state->ptr != NULL)
        spark_emit(out, *state);
    *state = *in;
}
SPARK_FINISH(late, spark_str, spark_str, spark_str)
{
    if (state->ptr != NULL)
        spark_emit(out, *state);
}
SPARK_STEP(late_kept, spark_str, spark_str, spark_str)
{
    const spark_str *copy = spark_keep(task, spark_str, in);
    if (state->ptr != NULL)
        spark_emit(out, *state);
    if (copy != NULL)
        *state = *copy;
}
SPARK_FINISH(late_kept, spark_str, spark_str, spark_str)
{
    if (state->ptr != NULL)
        spark_emit(out, *state);
}

/* what is right */
SPARK_MAP(with_alloc, int64_t, spark_str)
{
    *out = spark_str_format(task, "%lld", (long long)*in);
}
SPARK_MAP(second_half, spark_str, spark_str)
{
    *out = (spark_str) { in->ptr + in->len / 2, in->len - in->len / 2 };
}
SPARK_MAP(literal, int64_t, spark_str)
{
    *out = *in % 2 ? SPARK_LIT("odd") : SPARK_LIT("even");
}
typedef struct names {
    spark_str name;
} names;
SPARK_MAP(from_env, int64_t, spark_str, names)
{
    *out = env->name;
}
SPARK_MERGE(longer, spark_str, spark_str)
{
    if (in->len > acc->len)
        *acc = *in;
}
SPARK_FLAT_MAP(split, spark_str, word_count)
{
    spark_str rest = *in, word;
    while (spark_str_next_word(&rest, &word))
        spark_emit(out, (word_count) { word, 1 });
}

static spark_context *checked(int threads, int batch)
{
    return oracle_open_conf(
        &(spark_conf) { .threads = threads, .batch_rows = batch, .check = true });
}

static void test_check__finds_views_of_the_stack(void **state)
{
    int64_t n;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
            spark_context *sc = checked(threads, batch);
            spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
            oracle_fails(spark_count(spark_flat_map(rdd, numbered, NULL), &n), SPARK_ETASK,
                "points into the stack");
            assert_non_null(strstr(spark_last_error()->message, "word_count.key"));
            assert_non_null(strstr(spark_last_error()->message, "numbered"));
            oracle_fails(spark_count(spark_map(rdd, on_stack, NULL), &n), SPARK_ETASK,
                "points into the stack");
            oracle_fails(spark_count(spark_flat_map(rdd, listed, NULL), &n), SPARK_ETASK,
                "points into the stack");
            oracle_fails(spark_count(spark_flat_map(rdd, nested, NULL), &n), SPARK_ETASK,
                "points into the stack");
            oracle_close(sc);
        }
    }
}

static void test_check__finds_views_kept_too_long(void **state)
{
    int64_t n;
    spark_str lines[]
        = { SPARK_STR("x"), SPARK_STR("the longest"), SPARK_STR("longer"), SPARK_STR("y") };
    (void)state;
    for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
        spark_context *sc = checked(2, batch);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, 4, lines), 1);
        spark_array array;
        oracle_fails(
            spark_count(spark_map_partitions(rdd, longest, NULL), &n), SPARK_ETASK, "longest");
        oracle_ok(spark_collect(spark_map_partitions(rdd, longest_kept, NULL), NULL, &array));
        oracle_lists(&array, "the longest");
        spark_array_free(&array);
        oracle_fails(spark_count(spark_map_stateful(
                                     spark_map(spark_range(sc, 0, 5000, 1, 1), with_alloc, NULL),
                                     late, NULL),
                         &n),
            SPARK_ETASK, "late");
        oracle_ok(spark_count(
            spark_map_stateful(
                spark_map(spark_range(sc, 0, 5000, 1, 1), with_alloc, NULL), late_kept, NULL),
            &n));
        assert_int_equal(n, 5000);
        oracle_close(sc);
    }
}

static void test_check__lets_correct_programs_pass(void **state)
{
    names who = { SPARK_STR("somebody") };
    spark_str lines[]
        = { SPARK_STR("a b a"), SPARK_STR(""), SPARK_STR("c a longer_than_all_the_others b") };
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
            spark_context *sc = checked(threads, batch);
            spark_rdd *rdd = spark_range(sc, 0, 12, 1, 3);
            spark_rdd *text = spark_map(rdd, with_alloc, NULL);
            oracle_collects(text, "0 1 2 3 4 5 6 7 8 9 10 11");
            oracle_collects(spark_map(spark_map(text, second_half, NULL), second_half, NULL),
                "0 1 2 3 4 5 6 7 8 9 0 1");
            oracle_holds(spark_distinct(spark_map(rdd, literal, NULL), 0), "even odd");
            oracle_holds(spark_distinct(spark_map(rdd, from_env, SPARK_COPY(who)), 0), "somebody");
            spark_rdd *words = spark_flat_map(
                spark_parallelize(sc, SPARK_DATA(spark_str, 3, lines), 2), split, NULL);
            oracle_holds(spark_reduce_by_key(words, spark_op_sum, NULL, 0),
                "(a,3) (b,2) (c,1) (longer_than_all_the_others,1)");
            oracle_holds(spark_cache(spark_keys(words)), "a a a b b c longer_than_all_the_others");
            spark_array array;
            oracle_ok(spark_reduce(spark_keys(words), longer, NULL, NULL, &array));
            oracle_lists(&array, "longer_than_all_the_others");
            spark_array_free(&array);
            oracle_collects(spark_keys(spark_sort_by(words, NULL, 2)),
                "a a a b b c longer_than_all_the_others");
            oracle_holds(spark_join(words, spark_reduce_by_key(words, spark_op_max, NULL, 0), 0),
                "(a,(1,1)) (a,(1,1)) (a,(1,1)) (b,(1,1)) (b,(1,1)) (c,(1,1)) "
                "(longer_than_all_the_others,(1,1))");
            oracle_close(sc);
        }
    }
}

/* What is meant may be what dead memory is filled with. */
SPARK_FLAT_MAP(like_dead, int64_t, spark_str)
{
    char *bytes = spark_alloc(task, 3);
    if (!bytes)
        return;
    memset(bytes, 0xdb, 3);
    spark_emit(out, (spark_str) { bytes, (size_t)(*in % 4) });
}

static void test_check__lets_a_few_bytes_look_as_they_like(void **state)
{
    spark_array rows;
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .check = true });
    spark_rdd *rdd = spark_flat_map(spark_range(sc, 0, 3000, 1, 2), like_dead, NULL);
    oracle_ok(spark_collect(rdd, SPARK_TYPE(spark_str), &rows));
    for (size_t i = 0; i < rows.n; i++)
        assert_int_equal(SPARK_ITEMS(spark_str, &rows)[i].len, i % 4);
    spark_array_free(&rows);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_check__finds_views_of_the_stack),
        oracle_test(test_check__finds_views_kept_too_long),
        oracle_test(test_check__lets_correct_programs_pass),
        oracle_test(test_check__lets_a_few_bytes_look_as_they_like),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
