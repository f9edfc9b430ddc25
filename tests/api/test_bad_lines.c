/* SPDX-License-Identifier: Apache-2.0 */
/* A function that fails on what came from a line of a text names the file and the line, whatever
 * stands between, however the file is split and whatever the batches. */
#include "file_test.h"

static bool is_bad(spark_str line)
{
    return line.len >= 3 && memcmp(line.ptr + line.len - 3, "bad", 3) == 0;
}

/* Functions that fail on the bad line, each in its own way. */
SPARK_MAP(parse, spark_str, int64_t)
{
    if (is_bad(*in))
        spark_fail(task, "not good");
    *out = (int64_t)in->len;
}
SPARK_FILTER(judge, spark_str)
{
    if (is_bad(*in))
        spark_fail(task, "not good");
    return true;
}
SPARK_FLAT_MAP(cut, spark_str, spark_str)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word)) {
        if (is_bad(word))
            spark_fail(task, "not good");
        spark_emit(out, word);
    }
}
SPARK_STEP(sum_up, int64_t, spark_str, int64_t)
{
    if (is_bad(*in))
        spark_fail(task, "not good");
    *state += (int64_t)in->len;
    spark_emit(out, *state);
}
SPARK_FINISH(sum_up, int64_t, spark_str, int64_t)
{
    (void)state;
}
SPARK_FOREACH(visit, spark_str)
{
    if (is_bad(*in))
        spark_fail(task, "not good");
}
/* Functions that do not, and change how many rows there are. */
SPARK_MAP(same, spark_str, spark_str)
{
    *out = *in;
}
SPARK_FILTER(odd_length, spark_str)
{
    return in->len % 2 == 1 || is_bad(*in);
}
SPARK_FLAT_MAP(words_of, spark_str, spark_str)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, word);
}

/* shapes: what may stand between the text and the function. */
typedef spark_rdd *shape(spark_rdd *text);
static spark_rdd *directly(spark_rdd *text)
{
    return spark_map(text, parse, NULL);
}
static spark_rdd *behind_maps(spark_rdd *text)
{
    return spark_map(spark_map(spark_map(text, same, NULL), same, NULL), parse, NULL);
}
static spark_rdd *in_a_filter(spark_rdd *text)
{
    return spark_map(spark_filter(text, judge, NULL), parse, NULL);
}
static spark_rdd *in_a_flat_map(spark_rdd *text)
{
    return spark_flat_map(spark_filter(text, odd_length, NULL), cut, NULL);
}
static spark_rdd *behind_a_filter(spark_rdd *text)
{
    return spark_map(spark_filter(text, odd_length, NULL), parse, NULL);
}
static spark_rdd *behind_a_flat_map(spark_rdd *text)
{
    return spark_map(spark_map(spark_flat_map(text, words_of, NULL), same, NULL), parse, NULL);
}
static spark_rdd *in_a_step(spark_rdd *text)
{
    return spark_map_stateful(spark_flat_map(text, words_of, NULL), sum_up, NULL);
}
static spark_rdd *behind_a_coalesce(spark_rdd *text)
{
    return spark_map(spark_coalesce(spark_map(text, same, NULL), 2), parse, NULL);
}
static spark_rdd *behind_a_union(spark_rdd *text)
{
    spark_rdd *other = spark_text_file(spark_rdd_context(text), "other", 3);
    return spark_map(spark_union(other, text), parse, NULL);
}
static spark_rdd *behind_a_cache(spark_rdd *text)
{
    int64_t n;
    oracle_ok(spark_count(spark_cache(text), &n));
    return spark_map(text, parse, NULL);
}
static spark_rdd *in_front_of_a_shuffle(spark_rdd *text)
{
    return spark_repartition(spark_map(text, parse, NULL), 3);
}
static shape *const shapes[] = { directly, behind_maps, in_a_filter, in_a_flat_map, behind_a_filter,
    behind_a_flat_map, in_a_step, behind_a_coalesce, behind_a_union, behind_a_cache,
    in_front_of_a_shuffle };

/* write_lines: n lines of a word or two, the one with number `bad` (from 1) a bad one. */
static void write_lines(const char *path, uint64_t seed, int n, int bad)
{
    static const char *const ends[] = { "\n", "\r\n", "\n", "\r" };
    oracle_text all = { NULL, 0, 0 };
    if (seed % 2)
        oracle_append(&all, "\357\273\277", 3);
    for (int i = 1; i <= n; i++) {
        char word[64];
        const size_t length = 1 + (size_t)oracle_below(&seed, sizeof word - 1);
        memset(word, (int)('a' + i % 26), length);
        if (length > 7)
            word[length / 2] = ' ';
        oracle_append(&all, word, length);
        if (i == bad)
            oracle_append(&all, "bad", 3);
        const char *end = ends[oracle_below(&seed, 4)];
        oracle_append(&all, end, strlen(end));
    }
    scratch_write(path, all.bytes, all.length);
    free(all.bytes);
}

static void is_located(int line)
{
    const spark_error *e = spark_last_error();
    char want[64];
    snprintf(want, sizeof want, "not good (lines:%d", line);
    assert_string_equal(e->file, "lines");
    if (e->line != line)
        fail_msg("line %lld instead of %d: %s", (long long)e->line, line, e->message);
    if (strstr(e->message, want) == NULL)
        fail_msg("\"%s\" not in \"%s\"", want, e->message);
}

static void test_bad_line__is_named_behind_whatever_stands_between(void **state)
{
    enum { LINES = 3000 };
    static const int batches[] = { 1, 7, 0 };
    uint64_t seed = 5;
    int64_t n;
    (void)state;
    write_lines("other", 9, 100, 0);
    for (size_t s = 0; s < LENGTH(shapes); s++)
        for (size_t b = 0; b < LENGTH(batches); b++)
            for (int partitions = 1; partitions <= 9; partitions += 4) {
                spark_context *sc = oracle_open_conf(
                    &(spark_conf) { .threads = 2, .batch_rows = batches[b] });
                const int bad = 1 + (int)oracle_below(&seed, LINES);
                write_lines("lines", seed, LINES, bad);
                spark_rdd *rdd = shapes[s](spark_text_file(sc, "lines", partitions));
                oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "not good");
                is_located(bad);
                oracle_close(sc);
            }
}

static void test_bad_line__is_named_at_the_edges(void **state)
{
    static const int lines[] = { 1, 2, 15, 16, 17, 18, 80, 81, 1000 };
    (void)state;
    for (size_t i = 0; i < LENGTH(lines); i++)
        for (int last = 0; last < 2; last++) {
            spark_context *sc = oracle_open(2);
            write_lines("lines", 4 + i, last ? lines[i] : lines[i] + 3, lines[i]);
            spark_rdd *text = spark_text_file(sc, "lines", 3);
            oracle_fails(spark_foreach(text, visit, NULL), SPARK_ETASK, "foreach(visit) at ");
            is_located(lines[i]);
            oracle_close(sc);
        }
}

/* With one attempt there is no second look: rows that are lines are known all the same. */
static void test_bad_line__is_named_by_a_single_attempt_where_rows_are_lines(void **state)
{
    int64_t n;
    (void)state;
    write_lines("lines", 2, 2000, 1234);
    for (size_t s = 0; s < 4; s++) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 1, .task_max_failures = 1 });
        oracle_fails(spark_count(shapes[s](spark_text_file(sc, "lines", 5)), &n), SPARK_ETASK,
            "not good (lines");
        if (shapes[s] == in_a_flat_map) {
            assert_string_equal(spark_last_error()->file, "lines");
            assert_int_equal(spark_last_error()->line, -1);
        } else {
            is_located(1234);
        }
        oracle_close(sc);
    }
}

/* A file that goes away, what went through a shuffle, and what is no text: no line. */
static void test_bad_line__is_not_made_up(void **state)
{
    int64_t n;
    (void)state;
    write_lines("lines", 2, 2000, 1234);
    spark_context *sc = oracle_open(2);
    spark_rdd *dealt = spark_repartition(spark_text_file(sc, "lines", 5), 3);
    oracle_fails(spark_count(spark_map(dealt, parse, NULL), &n), SPARK_ETASK, "not good (record ");
    assert_string_equal(spark_last_error()->file, "");
    assert_int_equal(spark_last_error()->line, -1);
    spark_rdd *cached = spark_cache(spark_text_file(sc, "lines", 5));
    assert_int_equal(oracle_count(cached), 2000);
    assert_int_equal(unlink("lines"), 0);
    oracle_fails(spark_count(spark_map(cached, parse, NULL), &n), SPARK_ETASK, "not good (lines, ");
    assert_string_equal(spark_last_error()->file, "lines");
    assert_int_equal(spark_last_error()->line, -1);
    oracle_close(sc);
}

/* The next attempt may go well: what the last one suspected changes no result. */
static _Atomic int failures_left;
SPARK_MAP(fail_twice, spark_str, int64_t)
{
    if (is_bad(*in) && failures_left-- > 0)
        spark_fail(task, "not yet");
    *out = (int64_t)in->len;
}
static void test_bad_line__that_is_taken_after_all_changes_nothing(void **state)
{
    double first, second;
    (void)state;
    write_lines("lines", 2, 2000, 1234);
    spark_context *sc = oracle_open(2);
    spark_rdd *lengths = spark_map(spark_text_file(sc, "lines", 3), fail_twice, NULL);
    failures_left = 0;
    oracle_ok(spark_sum(lengths, &first));
    failures_left = 3;
    oracle_ok(spark_sum(lengths, &second));
    assert_true(first == second);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 2); /* one call in three was a second look */
    oracle_close(sc);
}

static void test_message__begins_with_the_cause_and_ends_with_the_words_of_spark(void **state)
{
    int64_t n;
    char want[512];
    (void)state;
    write_lines("lines", 2, 20, 7);
    spark_context *sc = oracle_open(1);
    spark_rdd *numbers = spark_map(spark_text_file(sc, "lines", 1), parse, NULL);
    const int line = __LINE__ - 1;
    oracle_fails(spark_count(numbers, &n), SPARK_ETASK, "map");
    snprintf(want, sizeof want,
        "map(parse) at test_bad_lines.c:%d: not good (lines:7, record 6); Job aborted due to stage "
        "failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost task 0.3 in stage "
        "0.0",
        line);
    assert_string_equal(spark_last_error()->message, want);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_bad_line__is_named_behind_whatever_stands_between),
        file_test(test_bad_line__is_named_at_the_edges),
        file_test(test_bad_line__is_named_by_a_single_attempt_where_rows_are_lines),
        file_test(test_bad_line__is_not_made_up),
        file_test(test_bad_line__that_is_taken_after_all_changes_nothing),
        file_test(test_message__begins_with_the_cause_and_ends_with_the_words_of_spark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
