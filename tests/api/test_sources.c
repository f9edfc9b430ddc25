/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: memory, ranges, files. */
#include "file_test.h"

#include <limits.h>

SPARK_STRUCT(
    note, (int32_t, id), (spark_str, text), (spark_i64_list, numbers), (spark_opt_str, maybe));

/* parallelize */
static void test_parallelize__slices_by_the_rule_of_spark(void **state)
{
    static int64_t data[300];
    (void)state;
    for (int64_t i = 0; i < 300; i++)
        data[i] = i;
    spark_context *sc = oracle_open(2);
    oracle_has_layout(
        spark_parallelize(sc, SPARK_DATA(int64_t, 9, data), 3), "0 1 2 | 3 4 5 | 6 7 8");
    oracle_has_layout(
        spark_parallelize(sc, SPARK_DATA(int64_t, 10, data), 3), "0 1 2 | 3 4 5 | 6 7 8 9");
    oracle_has_layout(spark_parallelize(sc, SPARK_DATA(int64_t, 5, data), 2), "0 1 | 2 3 4");
    oracle_has_layout(
        spark_parallelize(sc, SPARK_DATA(int64_t, 7, data), 4), "0 | 1 2 | 3 4 | 5 6");
    oracle_has_layout(spark_parallelize(sc, SPARK_DATA(int64_t, 2, data), 4), " | 0 | | 1");
    oracle_has_layout(spark_parallelize(sc, SPARK_DATA(int64_t, 0, NULL), 3), " | |");
    for (size_t n = 0; n < 300; n += 23) {
        for (int p = 1; p < 40; p += 3) {
            oracle_text want = { NULL, 0, 0 };
            oracle_append(&want, "", 0);
            for (int i = 0; i < p; i++) {
                size_t from = (size_t)i * n / (size_t)p, to = (size_t)(i + 1) * n / (size_t)p;
                if (i > 0)
                    oracle_append(&want, from < to ? " | " : " |", from < to ? 3 : 2);
                for (size_t j = from; j < to; j++) {
                    if (j > from)
                        oracle_append(&want, " ", 1);
                    oracle_append_value(&want, SPARK_TYPE(int64_t), &data[j]);
                }
            }
            spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int64_t, n, data), p);
            assert_int_equal(spark_rdd_partitions(rdd), p);
            oracle_has_layout(rdd, want.bytes);
            oracle_has_layout(spark_range(sc, 0, (int64_t)n, 1, p), want.bytes);
            free(want.bytes);
        }
    }
    assert_int_equal(
        spark_rdd_partitions(spark_parallelize(sc, SPARK_DATA(int64_t, 9, data), 0)), 16);
    oracle_close(sc);
}

enum { NOTES = 50 };

static void make_notes(note notes[], char text[][20], int64_t numbers[][3])
{
    for (int i = 0; i < NOTES; i++) {
        int n = snprintf(text[i], sizeof text[i], "note %d", i * 7);
        numbers[i][0] = i;
        numbers[i][1] = -i;
        numbers[i][2] = i * i;
        notes[i] = (note) { i, { text[i], (size_t)n }, { numbers[i], (size_t)(i % 4) },
            { i % 3 != 0, { text[i], 4 } } };
    }
}

static spark_rdd *build_notes(spark_context *sc, int partitions, const void *arg)
{
    /* The originals are gone before the job runs. */
    static note notes[NOTES];
    static char text[NOTES][20];
    static int64_t numbers[NOTES][3];
    (void)arg;
    make_notes(notes, text, numbers);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(note, NOTES, notes), partitions);
    memset(text, 'z', sizeof text);
    memset(numbers, 'z', sizeof numbers);
    memset(notes, 'z', sizeof notes);
    return rdd;
}

static void test_parallelize__copies_deep(void **state)
{
    static note notes[NOTES];
    static char text[NOTES][20];
    static int64_t numbers[NOTES][3];
    (void)state;
    make_notes(notes, text, numbers);
    oracle_compare(build_notes, NULL, true, SPARK_TYPE(note), NOTES, notes);
}

static void test_parallelize_with__borrows(void **state)
{
    static int64_t data[] = { 1, 2, 3 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_parallelize_options borrow = { 2, true }, copy = { 2, false };
    spark_rdd *borrowed = spark_parallelize_with(sc, SPARK_DATA(int64_t, 3, data), &borrow);
    spark_rdd *copied = spark_parallelize_with(sc, SPARK_DATA(int64_t, 3, data), &copy);
    spark_rdd *plain = spark_parallelize_with(sc, SPARK_DATA(int64_t, 3, data), NULL);
    data[1] = 20;
    oracle_has_layout(borrowed, "1 | 20 3");
    oracle_has_layout(copied, "1 | 2 3");
    assert_int_equal(spark_rdd_partitions(plain), 16);
    oracle_collects(plain, "1 2 3");
    oracle_close(sc);
}

static void test_parallelize__refuses_what_makes_no_sense(void **state)
{
    int64_t data[] = { 1 }, n = 0;
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    oracle_fails(spark_count(spark_parallelize(sc, SPARK_DATA(int64_t, 1, data), -5), &n),
        SPARK_EINVAL, "parallelize at ");
    oracle_fails(
        spark_count(spark_parallelize(sc, NULL, 1, data, 1), &n), SPARK_EINVAL, "parallelize");
    oracle_fails(spark_count(spark_parallelize(sc, SPARK_DATA(int64_t, 1, NULL), 1), &n),
        SPARK_EINVAL, "parallelize");
    oracle_fails(
        spark_collect(spark_parallelize(NULL, SPARK_DATA(int64_t, 1, data), 1), NULL, &array),
        SPARK_EINVAL, "NULL");
    assert_int_equal(array.n, 0);
    oracle_close(sc);
}

/* range */
static void test_range__steps_up_and_down(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_has_layout(spark_range(sc, 0, 10, 3, 2), "0 3 | 6 9");
    oracle_has_layout(spark_range(sc, 0, 9, 3, 2), "0 | 3 6");
    oracle_has_layout(spark_range(sc, 10, 0, -3, 3), "10 | 7 | 4 1");
    oracle_has_layout(spark_range(sc, 5, 5, 1, 2), " |");
    oracle_has_layout(spark_range(sc, 5, 4, 1, 2), " |");
    oracle_has_layout(spark_range(sc, 4, 5, -1, 2), " |");
    oracle_has_layout(spark_range(sc, -3, 3, 2, 1), "-3 -1 1");
    assert_ptr_equal(spark_rdd_type(spark_range(sc, 0, 1, 1, 1)), SPARK_TYPE(int64_t));
    assert_int_equal(oracle_count(spark_range(sc, 0, 100000, 7, 0)), 14286);
    oracle_close(sc);
}

static void test_range__does_not_overflow_at_the_edges(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_collects(
        spark_range(sc, INT64_MAX - 3, INT64_MAX, 2, 2), "9223372036854775804 9223372036854775806");
    oracle_collects(spark_range(sc, INT64_MIN, INT64_MIN + 3, 1, 2),
        "-9223372036854775808 -9223372036854775807 -9223372036854775806");
    oracle_collects(spark_range(sc, INT64_MIN + 1, INT64_MIN, -5, 2), "-9223372036854775807");
    oracle_collects(spark_range(sc, INT64_MIN, INT64_MAX, INT64_MAX, 3),
        "-9223372036854775808 -1 9223372036854775806");
    oracle_collects(spark_range(sc, INT64_MAX, INT64_MIN, INT64_MIN, 2), "9223372036854775807 -1");
    oracle_collects(spark_range(sc, INT64_MAX, INT64_MIN, -INT64_MAX, 2),
        "9223372036854775807 0 -9223372036854775807");
    oracle_has_layout(spark_range(sc, INT64_MAX, INT64_MAX, 1, 5), " | | | |");
    spark_array array;
    spark_rdd *all = spark_range(sc, INT64_MIN, INT64_MAX, 1, 16);
    oracle_ok(spark_take(all, 3, SPARK_TYPE(int64_t), &array));
    oracle_lists(&array, "-9223372036854775808 -9223372036854775807 -9223372036854775806");
    spark_array_free(&array);
    assert_int_equal(spark_rdd_partitions(all), 16);
    oracle_close(sc);
}

SPARK_STEP(first_of, int64_t, int64_t, int64_t)
{
    if ((*state)++ == 0)
        spark_emit(out, *in);
}
SPARK_FINISH(first_of, int64_t, int64_t, int64_t)
{
    (void)state;
}

static void test_range__of_100_million_starts_each_slice_at_its_place(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_array array;
    oracle_ok(spark_collect(
        spark_map_stateful(spark_range(sc, 0, 10000000, 1, 40), first_of, NULL), NULL, &array));
    assert_int_equal(array.n, 40);
    for (int64_t i = 0; i < 40; i++)
        assert_int_equal(SPARK_ITEMS(int64_t, &array)[i], i * 250000);
    spark_array_free(&array);
    oracle_close(sc);
}

static void test_range__refuses_a_step_of_zero(void **state)
{
    int64_t n = 7;
    (void)state;
    spark_context *sc = oracle_open(1);
    oracle_fails(spark_count(spark_range(sc, 0, 5, 0, 1), &n), SPARK_EINVAL, "step");
    oracle_fails(spark_count(spark_range(sc, 0, 5, 1, -1), &n), SPARK_EINVAL, "range at ");
    oracle_close(sc);
}

static void test_empty_rdd__has_no_partitions(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_empty_rdd(sc, SPARK_TYPE(note));
    assert_int_equal(spark_rdd_partitions(rdd), 0);
    assert_ptr_equal(spark_rdd_type(rdd), SPARK_TYPE(note));
    oracle_collects(rdd, "");
    assert_int_equal(oracle_count(rdd), 0);
    /* A job of no partition counts as a job. */
    assert_int_equal(oracle_last_job(sc).job, 1);
    oracle_close(sc);
}

/* text_file */
static void put(const char *path, const char *text)
{
    scratch_write(path, text, strlen(text));
}

static void test_text_file__takes_all_line_ends(void **state)
{
    (void)state;
    put("ends", "a\nb\r\nc\rd\n\ne\r\rf\n\r\ng");
    put("bom", "\xef\xbb\xbfx\n\xef\xbb\xbfy\n");
    put("no_end", "one");
    put("one_end", "one\n");
    put("only_ends", "\n\n\n");
    put("empty", "");
    for (int batch = 1; batch < 10; batch += 2) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch, .check = true });
        for (int p = 1; p < 30; p++) {
            oracle_collects(spark_text_file(sc, "ends", p), "a b c d  e  f  g");
            oracle_collects(spark_text_file(sc, "bom", p), "x \xef\xbb\xbfy");
            oracle_collects(spark_text_file(sc, "no_end", p), "one");
            oracle_collects(spark_text_file(sc, "one_end", p), "one");
            assert_int_equal(oracle_count(spark_text_file(sc, "only_ends", p)), 3);
            oracle_collects(spark_text_file(sc, "empty", p), "");
        }
        oracle_close(sc);
    }
}

static void test_text_file__splits_by_the_rule_of_spark(void **state)
{
    static const struct {
        int bytes, min, partitions;
    } cases[] = { { 10, 3, 4 }, { 11, 2, 3 }, { 100, 3, 3 }, { 1, 2, 1 }, { 10, 1, 1 }, { 0, 2, 0 },
        { 1000, 0, 2 }, { 3, 10, 3 } };
    char text[1001];
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        memset(text, 'x', sizeof text);
        for (int j = 3; j < cases[i].bytes; j += 4)
            text[j] = '\n';
        text[cases[i].bytes] = 0;
        put("text", text);
        assert_int_equal(
            spark_rdd_partitions(spark_text_file(sc, "text", cases[i].min)), cases[i].partitions);
    }
    /* A line that begins exactly at a border belongs to the split before it. */
    put("text", "aaaa\nbbbb\ncccc\n");
    oracle_has_layout(spark_text_file(sc, "text", 3), "aaaa bbbb | cccc |");
    oracle_close(sc);
}

typedef struct text_arg {
    const char *path;
    int factor;
} text_arg;

static spark_rdd *build_text(spark_context *sc, int partitions, const void *arg)
{
    return spark_text_file(
        sc, ((const text_arg *)arg)->path, partitions * ((const text_arg *)arg)->factor);
}

static void test_text_file__reads_each_line_once_however_it_is_split(void **state)
{
    enum { LINES = 200 };
    static spark_str lines[LINES];
    static char text[LINES][80];
    static const char *const ends[] = { "\n", "\r\n", "\n", "\r" };
    oracle_text all = { NULL, 0, 0 };
    uint64_t seed = 1;
    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        size_t n = (size_t)oracle_below(&seed, 70);
        memset(text[i], (int)('a' + i % 26), n);
        lines[i] = (spark_str) { text[i], n };
        oracle_append(&all, text[i], n);
        const char *end = ends[oracle_below(&seed, n > 0 ? 4 : 1)];
        oracle_append(&all, end, strlen(end));
    }
    scratch_write("text", all.bytes, all.length);
    free(all.bytes);
    oracle_compare(
        build_text, &(text_arg) { "text", 1 }, true, SPARK_TYPE(spark_str), LINES, lines);
    oracle_compare(
        build_text, &(text_arg) { "text", 50 }, true, SPARK_TYPE(spark_str), LINES, lines);
}

static void test_text_file__reads_lines_longer_than_any_buffer(void **state)
{
    enum { SIZE = 5 << 20 };
    (void)state;
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    memset(bytes, 'x', SIZE);
    bytes[0] = '\n';
    bytes[SIZE - 3] = '\n';
    scratch_write("long", bytes, SIZE);
    spark_context *sc = oracle_open(2);
    for (int p = 1; p < 6; p++) {
        spark_array array;
        oracle_ok(spark_collect(spark_text_file(sc, "long", p), SPARK_TYPE(spark_str), &array));
        const spark_str *line = SPARK_ITEMS(spark_str, &array);
        assert_int_equal(array.n, 3);
        assert_int_equal(line[0].len, 0);
        assert_int_equal(line[1].len, SIZE - 4);
        assert_memory_equal(line[1].ptr, bytes + 1, SIZE - 4);
        assert_int_equal(line[2].len, 2);
        spark_array_free(&array);
    }
    oracle_close(sc);
    free(bytes);
}

static void test_text_file__takes_directories_globs_and_lists(void **state)
{
    (void)state;
    assert_int_equal(mkdir("dir", 0777), 0);
    assert_int_equal(mkdir("dir/below", 0777), 0);
    assert_int_equal(mkdir("none", 0777), 0);
    put("dir/b", "2\n");
    put("dir/a", "1\n");
    put("dir/C", "0\n");
    put("dir/_hidden", "x\n");
    put("dir/.hidden", "x\n");
    put("dir/below/d", "9\n");
    put("part-1.txt", "p1\n");
    put("part-2.txt", "p2\n");
    put("part-10.txt", "p10\n");
    put("with,comma", "c\n");
    put("with*star", "s\n");
    put("_named", "n\n");
    spark_context *sc = oracle_open(2);
    int64_t n = 0;
    /* As Hadoop does: a directory inside is an error, unless its name hides it. */
    oracle_fails(spark_count(spark_text_file(sc, "dir", 1), &n), SPARK_EIO, "dir/below");
    assert_int_equal(rename("dir/below", "dir/_below"), 0);
    oracle_collects(spark_text_file(sc, "dir", 1), "0 1 2");
    oracle_collects(spark_text_file(sc, "dir/", 4), "0 1 2");
    oracle_collects(spark_text_file(sc, "dir/[ab]", 1), "1 2");
    oracle_collects(spark_text_file(sc, "part-*.txt", 1), "p1 p10 p2");
    oracle_collects(spark_text_file(sc, "part-?.txt", 1), "p1 p2");
    oracle_collects(spark_text_file(sc, "part-{2,10}.txt", 1), "p10 p2");
    oracle_collects(spark_text_file(sc, "dir/b,part-1.txt", 1), "2 p1");
    oracle_collects(spark_text_file(sc, "part-1.txt,part-1.txt", 1), "p1 p1");
    oracle_collects(spark_text_file(sc, "with\\,comma", 1), "c");
    oracle_collects(spark_text_file(sc, "with\\*star", 1), "s");
    oracle_collects(spark_text_file(sc, "_named", 1), "n");
    /* An empty directory. */
    spark_rdd *none = spark_text_file(sc, "none", 2);
    assert_int_equal(spark_rdd_partitions(none), 0);
    oracle_collects(none, "");
    oracle_collects(spark_distinct(none, 0), "");
    oracle_close(sc);
}

static void test_text_file__that_is_missing_fails_the_action(void **state)
{
    int64_t n = 0;
    (void)state;
    put("there", "x\n");
    spark_context *sc = oracle_open(2);
    static const char *const paths[] = { "missing", "missing/file", "missing*", "there,missing" };
    for (size_t i = 0; i < LENGTH(paths); i++) {
        spark_rdd *rdd = spark_text_file(sc, paths[i], 2);
        assert_int_equal(spark_rdd_status(rdd), SPARK_OK);
        oracle_fails(spark_count(rdd, &n), SPARK_EIO, "missing");
        assert_string_equal(spark_last_error()->operation, "textFile");
        assert_non_null(strstr(spark_last_error()->site, "test_sources.c:"));
        assert_int_equal(spark_rdd_partitions(rdd), -1);
    }
    oracle_fails(spark_count(spark_text_file(sc, NULL, 2), &n), SPARK_EINVAL, "textFile");
    oracle_fails(spark_count(spark_text_file(sc, "", 2), &n), SPARK_EINVAL, "textFile");
    /* What appears later is found by the next action. */
    spark_rdd *later = spark_text_file(sc, "later", 2);
    oracle_fails(spark_count(later, &n), SPARK_EIO, "later");
    put("later", "1\n2\n");
    oracle_collects(later, "1 2");
    oracle_close(sc);
}

static void test_text_file__that_cannot_be_read_fails_the_action(void **state)
{
    int64_t n = 0;
    (void)state;
    put("closed", "x\n");
    assert_int_equal(chmod("closed", 0), 0);
    if (access("closed", R_OK) == 0)
        skip(); /* for root everything is open */
    spark_context *sc = oracle_open(2);
    oracle_fails(spark_count(spark_text_file(sc, "closed", 2), &n), SPARK_EIO, "closed");
    oracle_close(sc);
}

static void test_text_file__three_lines_cached_are_counted_thrice(void **state)
{
    (void)state;
    put("three", "a\nb\nc\n");
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_cache(spark_text_file(sc, "three", 2));
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(rdd), 3);
    assert_int_equal(oracle_last_job(sc).cached_reads, spark_rdd_partitions(rdd));
    assert_int_equal(unlink("three"), 0);
    oracle_collects(rdd, "a b c");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_parallelize__slices_by_the_rule_of_spark),
        oracle_test(test_parallelize__copies_deep),
        oracle_test(test_parallelize_with__borrows),
        oracle_test(test_parallelize__refuses_what_makes_no_sense),
        oracle_test(test_range__steps_up_and_down),
        oracle_test(test_range__does_not_overflow_at_the_edges),
        oracle_test(test_range__of_100_million_starts_each_slice_at_its_place),
        oracle_test(test_range__refuses_a_step_of_zero),
        oracle_test(test_empty_rdd__has_no_partitions),
        file_test(test_text_file__takes_all_line_ends),
        file_test(test_text_file__splits_by_the_rule_of_spark),
        file_test(test_text_file__reads_each_line_once_however_it_is_split),
        file_test(test_text_file__reads_lines_longer_than_any_buffer),
        file_test(test_text_file__takes_directories_globs_and_lists),
        file_test(test_text_file__that_is_missing_fails_the_action),
        file_test(test_text_file__that_cannot_be_read_fails_the_action),
        file_test(test_text_file__three_lines_cached_are_counted_thrice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
