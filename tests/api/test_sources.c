/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: memory, ranges, files. */
#include "file_test.h"

#include <limits.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

SPARK_FILTER(any_line, spark_str)
{
    return in->len < 1000;
}

/* text_files */
static void test_text_files__takes_names_as_they_are_in_their_order(void **state)
{
    static const char *const odd[]
        = { "b", "a,b", "*", "[ab]", "{a,b}", "a\\", "a\nb", "\xff", "file:b", "_b", "-" };
    const char *names[LENGTH(odd) + 2];
    char want[256] = "";
    (void)state;
    put("a", "no\n");
    for (size_t i = 0; i < LENGTH(odd); i++) {
        char line[16];
        snprintf(line, sizeof line, "%zu\n", i);
        put(odd[i], line);
        names[i] = odd[LENGTH(odd) - 1 - i];
        snprintf(want + strlen(want), sizeof want - strlen(want), "%s%zu", i == 0 ? "" : " ",
            LENGTH(odd) - 1 - i);
    }
    spark_context *sc = oracle_open(2);
    oracle_collects(spark_text_files(sc, LENGTH(odd), names, 3), want);
    names[LENGTH(odd)] = "b"; /* twice */
    names[LENGTH(odd) + 1] = "d"; /* a directory: its files */
    assert_int_equal(mkdir("d", 0777), 0);
    put("d/2", "y\n");
    put("d/1", "x\n");
    strcat(want, " 0 x y");
    oracle_collects(spark_text_files(sc, LENGTH(odd) + 2, names, 0), want);
    char *given[] = { strcpy((char[16]) { 0 }, "b") };
    oracle_collects(spark_text_files(sc, 1, given, 1), "0");
    /* None, and what is none. */
    spark_rdd *none = spark_text_files(sc, 0, names, 5);
    oracle_collects(none, "");
    assert_int_equal(spark_rdd_partitions(none), 0);
    oracle_collects(spark_text_files(sc, 0, NULL, 5), "");
    int64_t n;
    /* A name that is not meant so: what is looked for instead is not there, but the name is. */
    static const char *const meant[] = { "a,b", "c,a", "{x,y}", "[z" };
    put("c,a", "no\n");
    put("{x,y}", "no\n");
    put("[z", "no\n");
    unlink("b");
    for (size_t i = 0; i < LENGTH(meant); i++)
        oracle_fails(spark_count(spark_text_file(sc, meant[i], 2), &n),
            i == 3 ? SPARK_EINVAL : SPARK_EIO,
            "; there is a file of this name: spark_path_literal names it");
    oracle_fails(spark_count(spark_text_file(sc, "a,c", 2), &n), SPARK_EIO, "not exist: c");
    assert_null(strstr(spark_last_error()->message, "spark_path_literal"));
    names[1] = "a,missing";
    oracle_fails(spark_count(spark_text_files(sc, 2, names, 5), &n), SPARK_EIO,
        ": Input path does not exist: a,missing");
    names[1] = "";
    oracle_fails(spark_count(spark_text_files(sc, 2, names, 5), &n), SPARK_EINVAL,
        "path 1 is empty");
    names[0] = NULL;
    oracle_fails(spark_count(spark_text_files(sc, 1, names, 5), &n), SPARK_EINVAL,
        "path 0 is empty");
    oracle_fails(spark_count(spark_text_files(sc, 1, names, -1), &n), SPARK_EINVAL, "empty");
    oracle_close(sc);
}

/* Splits of many files do not depend on how they were named. */
static void test_text_files__are_split_as_a_list_is(void **state)
{
    const char *names[] = { "c", "a", "b" };
    (void)state;
    put("a", "1\n2\n3\n4\n5\n");
    put("b", "6\n");
    put("c", "7\n8\n9\n");
    spark_context *sc = oracle_open(1);
    for (int p = 0; p < 12; p++) {
        char *want = oracle_layout(spark_text_file(sc, "c,a,b", p));
        oracle_has_layout(spark_text_files(sc, 3, names, p), want);
        free(want);
    }
    oracle_close(sc);
}

/* feed: a child that writes n times `text` and ends. */
static pid_t feed(int fd, const char *text, int n)
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < n; i++)
            if (write(fd, text, strlen(text)) < 0)
                _exit(1);
        _exit(0);
    }
    return child;
}

/* text_fd: a pipe that is larger than its buffer, read by several tasks, each twice, in two jobs. */
static void test_text_fd__reads_a_pipe_once_for_all_who_need_it(void **state)
{
    enum { LINES = 100000 };
    int ends[2];
    (void)state;
    spark_context *sc = oracle_open_failing_once(2);
    assert_int_equal(pipe(ends), 0);
    spark_rdd *lines = spark_text_fd(sc, ends[0], 5);
    assert_int_equal(close(ends[0]), 0);
    const pid_t child = feed(ends[1], "a line of the pipe\n", LINES);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(oracle_count(lines), LINES);
    assert_int_equal(oracle_count(lines), LINES);
    assert_true(spark_rdd_partitions(lines) >= 5);
    assert_int_equal(waitpid(child, NULL, 0), child);
    oracle_close(sc);
}

static void test_text_fd__takes_what_is_left_of_a_file(void **state)
{
    char byte[2];
    int64_t n;
    (void)state;
    put("text", "1\n2\n3\n4\n");
    spark_context *sc = oracle_open(2);
    int fd = open("text", O_RDONLY | O_CLOEXEC);
    oracle_has_layout(spark_text_fd(sc, fd, 2), "1 2 3 | 4");
    assert_int_equal(read(fd, byte, 2), 2);
    oracle_collects(spark_text_fd(sc, fd, 2), "2 3 4");
    oracle_collects(spark_text_fd(sc, fd, 2), ""); /* it was read to its end */
    close(fd);
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    oracle_collects(spark_text_fd(sc, fd, 0), "");
    close(fd);
    oracle_fails(spark_count(spark_text_fd(sc, fd, 2), &n), SPARK_EIO, "cannot use file descriptor");
    oracle_fails(spark_count(spark_text_fd(sc, -1, 2), &n), SPARK_EIO, "cannot use file descriptor");
    oracle_fails(spark_count(spark_text_fd(sc, 0, -2), &n), SPARK_EINVAL, "-2 partitions");
    /* A descriptor that cannot be read: the error stays. */
    fd = open("written", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    spark_rdd *written = spark_text_fd(sc, fd, 2);
    for (int i = 0; i < 2; i++)
        oracle_fails(spark_count(written, &n), SPARK_EIO, ": Bad file descriptor");
    close(fd);
    oracle_close(sc);
}

/* A stream that was never read is closed with its RDD. */
static void test_text_fd__closes_what_it_holds(void **state)
{
    int ends[2];
    char byte;
    (void)state;
    spark_context *sc = oracle_open(1);
    assert_int_equal(pipe(ends), 0);
    {
        SPARK_SCOPED(sc);
        (void)!spark_text_fd(sc, ends[1], 2);
        close(ends[1]);
    }
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    const int before = oracle_entries("/proc/self/fd");
    {
        SPARK_SCOPED(sc);
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "a\nb\n", 4), 4);
        close(ends[1]);
        spark_rdd *lines = spark_text_fd(sc, ends[0], 2);
        close(ends[0]);
        oracle_collects(lines, "a b");
    }
    assert_int_equal(oracle_entries("/proc/self/fd"), before);
    oracle_close(sc);
}

static void test_text_file__reads_a_fifo_to_its_end(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("fifo", 0666), 0);
    put("before", "0\n");
    spark_context *sc = oracle_open(2);
    for (int i = 0; i < 3; i++) {
        fflush(NULL);
        const pid_t child = fork();
        if (child == 0) {
            const int fd = open("fifo", O_WRONLY | O_CLOEXEC);
            _exit(fd < 0 || write(fd, "1\n2\n", 4) != 4);
        }
        const char *names[] = { "before", "fifo" };
        spark_rdd *lines = i == 0 ? spark_text_file(sc, "before,fifo", 2)
            : i == 1              ? spark_text_file(sc, "{before,fif?}", 2)
                                  : spark_text_files(sc, 2, names, 2);
        oracle_collects(lines, "0 1 2");
        oracle_collects(lines, "0 1 2");
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    oracle_close(sc);
}

/* Files that claim to be empty, or a page: by lines, whole, and as records. */
static void test_files__that_do_not_say_their_size_are_read_to_their_end(void **state)
{
    char bytes[4096];
    spark_array array;
    (void)state;
    if (access("/proc/version", R_OK) != 0)
        skip();
    const size_t n = scratch_read("/proc/version", bytes, sizeof bytes);
    put("other", "x\n");
    spark_context *sc = oracle_open(2);
    spark_rdd *lines = spark_text_file(sc, "/proc/version,other", 4);
    assert_int_equal(spark_rdd_partitions(lines), 3);
    oracle_ok(spark_collect(lines, SPARK_TYPE(spark_str), &array));
    assert_int_equal(array.n, 2);
    assert_int_equal(SPARK_ITEMS(spark_str, &array)[0].len, n - 1);
    assert_memory_equal(SPARK_ITEMS(spark_str, &array)[0].ptr, bytes, n - 1);
    spark_array_free(&array);
    oracle_ok(spark_collect(
        spark_values(spark_whole_text_files(sc, "/proc/version", 2)), NULL, &array));
    assert_int_equal(SPARK_ITEMS(spark_str, &array)[0].len, n);
    assert_memory_equal(SPARK_ITEMS(spark_str, &array)[0].ptr, bytes, n);
    spark_array_free(&array);
    assert_int_equal(oracle_count(spark_binary_records(sc, "/proc/version", (int64_t)n)), 1);
    int64_t none;
    oracle_fails(spark_count(spark_binary_records(sc, "/proc/version", (int64_t)n + 1), &none),
        SPARK_EIO, "which is no multiple of");
    oracle_close(sc);
}

/* What is no text: refused by lines and as whole texts, in whichever partition; bytes are bytes. */
static void test_files__that_are_compressed_are_no_text(void **state)
{
    static const char packed[64] = "\x1f\x8b\x08";
    int64_t n;
    (void)state;
    scratch_write("packed", packed, sizeof packed);
    spark_context *sc = oracle_open(2);
    static const char want[] = "packed is not plain text: it is compressed by gzip";
    spark_rdd *lines = spark_text_file(sc, "packed", 4);
    oracle_fails(spark_count(lines, &n), SPARK_EIO, want);
    spark_array array;
    for (int p = 0; p < 4; p++)
        oracle_fails(spark_collect_partitions(lines, 1, &p, NULL, &array), SPARK_EIO, want);
    oracle_fails(spark_count(spark_whole_text_files(sc, "packed", 1), &n), SPARK_EIO, want);
    assert_int_equal(oracle_count(spark_binary_files(sc, "packed", 1)), 1);
    assert_int_equal(oracle_count(spark_binary_records(sc, "packed", 32)), 2);
    oracle_close(sc);
}

static void test_text_file__of_odd_kinds(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *null = spark_text_file(sc, "/dev/null", 2);
    oracle_collects(null, "");
    assert_int_equal(spark_rdd_partitions(null), 0);
    oracle_fails(spark_count(spark_text_file(sc, "/dev/zero", 2), &n), SPARK_EIO,
        "Not a file: /dev/zero is a device");
    assert_int_equal(mkfifo("fifo", 0666), 0);
    oracle_fails(spark_count(spark_object_file(sc, "fifo", SPARK_TYPE(int64_t)), &n), SPARK_EIO,
        "Not a file: fifo is a stream");
    oracle_close(sc);
}

/* No descriptor is left: each task that opens the file fails, and says so. */
static void test_text_file__without_descriptors_fails_the_action(void **state)
{
    struct rlimit before, none;
    int64_t n;
    (void)state;
    put("text", "1\n2\n");
    spark_context *sc = oracle_open(2);
    spark_rdd *lines = spark_text_file(sc, "text", 2);
    oracle_ok(spark_count(spark_filter(lines, any_line, NULL), &n));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const spark_status status = spark_count(lines, &n);
    const spark_status listed = spark_count(spark_text_file(sc, "text", 2), &n);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, SPARK_EIO);
    assert_int_equal(listed, SPARK_EIO);
    assert_non_null(strstr(spark_last_error()->message, "cannot open text: Too many open files"));
    oracle_collects(lines, "1 2");
    oracle_close(sc);
}

/* A file that became shorter after it was listed. */
static void test_text_file__that_shrinks_fails_the_action(void **state)
{
    int64_t n;
    (void)state;
    put("text", "1\n2\n3\n4\n");
    spark_context *sc = oracle_open(2);
    spark_rdd *lines = spark_text_file(sc, "text", 2);
    spark_rdd *files = spark_whole_text_files(sc, "text", 2);
    oracle_collects(lines, "1 2 3 4");
    assert_int_equal(oracle_count(files), 1);
    assert_int_equal(truncate("text", 5), 0);
    oracle_fails(spark_count(lines, &n), SPARK_EIO, "text shrank while it was read");
    oracle_fails(spark_count(files, &n), SPARK_EIO, "text shrank while it was read");
    oracle_collects(spark_text_file(sc, "text", 1), "1 2 3");
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
        file_test(test_text_files__takes_names_as_they_are_in_their_order),
        file_test(test_text_files__are_split_as_a_list_is),
        file_test(test_text_fd__reads_a_pipe_once_for_all_who_need_it),
        file_test(test_text_fd__takes_what_is_left_of_a_file),
        file_test(test_text_fd__closes_what_it_holds),
        file_test(test_text_file__reads_a_fifo_to_its_end),
        file_test(test_files__that_do_not_say_their_size_are_read_to_their_end),
        file_test(test_files__that_are_compressed_are_no_text),
        file_test(test_text_file__of_odd_kinds),
        file_test(test_text_file__without_descriptors_fails_the_action),
        file_test(test_text_file__that_shrinks_fails_the_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
