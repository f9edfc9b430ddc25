/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions through child processes: what they read and print, how they end, and that nothing of
 * them stays: no child, no descriptor, no directory, no signal. */
#include "file_test.h"
#include "layouts.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include <spark/pipe.h>

SPARK_STRUCT(note, (int32_t, id), (spark_str, text), (spark_i64_list, numbers),
    (spark_opt_str, maybe), (spark_opt_i64, count));

/* childless: neither a running child nor one that nobody has waited for. */
static bool childless(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

static int leave(void **state)
{
    int status = 0;
    if (!childless()) {
        print_error("a child is left\n");
        status = -1;
    }
    return file_leave(state) || status;
}
#define pipe_test(f) cmocka_unit_test_setup_teardown(f, file_enter, leave)

SPARK_MAP(length_of, spark_str, int64_t)
{
    *out = (int64_t)in->len;
}
SPARK_FILTER(any, spark_str)
{
    return in->ptr != NULL;
}

/* shell: the command `sh -c script`. */
static spark_rdd *shell(spark_rdd *rdd, const char *script)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    return spark_pipe_with(rdd, NULL, &(spark_pipe_options) { .argv = argv });
}

#define for_all_shapes(sc, p)                                                                      \
    for (size_t shape_ = 0; shape_ < LENGTH(oracle_confs); shape_++)                               \
        for (spark_context *sc = oracle_open_conf(&oracle_confs[shape_]); sc != NULL;              \
             sc = (oracle_close(sc), NULL))                                                        \
            for (int p = 1; p <= 7; p += p < 3 ? 1 : 4)

/* ---- what goes in and comes out */

enum { NOTES = 40 };
static note notes[NOTES];
static char note_text[NOTES][24];
static int64_t note_numbers[NOTES][3];

static void make_notes(void)
{
    for (int i = 0; i < NOTES; i++) {
        const int n = snprintf(note_text[i], sizeof note_text[i], "note %d", i * 7);
        for (int k = 0; k < 3; k++)
            note_numbers[i][k] = i * k;
        notes[i] = (note) { i, { note_text[i], (size_t)n }, { note_numbers[i], (size_t)(i % 4) },
            { i % 3 != 0, { note_text[i], 4 } }, { i % 2 != 0, i } };
    }
}

static spark_rdd *build_cat(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_pipe(
        spark_parallelize(sc, SPARK_DATA(note, NOTES, notes), partitions), " \t cat\n");
}

static void test_pipe__gives_the_text_of_each_element(void **state)
{
    static char text[NOTES][128];
    static spark_str want[NOTES];
    (void)state;
    make_notes();
    for (int i = 0; i < NOTES; i++)
        want[i] = (spark_str) { text[i],
            spark_print(SPARK_TYPE(note), &notes[i], text[i], sizeof text[i]) };
    oracle_compare(build_cat, NULL, true, SPARK_TYPE(spark_str), NOTES, want);
}

static void test_pipe__of_one_to_four_through_cat(void **state)
{
    static const int64_t four[] = { 1, 2, 3, 4 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_pipe(numbers(sc, 4, four, 2), "cat");
    assert_ptr_equal(spark_rdd_type(rdd), SPARK_TYPE(spark_str));
    assert_int_equal(spark_rdd_partitions(rdd), 2);
    oracle_has_layout(rdd, "1 2 | 3 4");
    oracle_close(sc);
}

static void test_pipe__runs_for_empty_partitions_too(void **state)
{
    static const spark_str two[] = { SPARK_STR("foo"), SPARK_STR("bing") };
    (void)state;
    for_all_shapes(sc, p)
    {
        oracle_text want = { NULL, 0, 0 };
        if (p == 1)
            oracle_has_layout(
                spark_pipe(spark_parallelize(sc, SPARK_DATA(spark_str, 2, two), 8), "wc -c"),
                "0 | 0 | 0 | 4 | 0 | 0 | 0 | 5");
        for (int i = 0; i < p; i++) {
            const long bytes = (long)(slice(5, p, i + 1) - slice(5, p, i));
            char text[32];
            oracle_append(&want, text,
                (size_t)snprintf(text, sizeof text, "%s%ld", i > 0 ? " | " : "", bytes));
        }
        oracle_has_layout(spark_pipe(spark_range(sc, 0, 5, 1, p), "wc -l"), want.bytes);
        free(want.bytes);
    }
}

static void test_pipe__of_no_partition_runs_nothing(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_pipe(spark_empty_rdd(sc, SPARK_TYPE(note)), "false");
    assert_int_equal(spark_rdd_partitions(rdd), 0);
    oracle_collects(rdd, "");
    oracle_has_layout(spark_pipe(spark_range(sc, 0, 0, 1, 3), "cat"), " | |");
    oracle_close(sc);
}

static void test_pipe__takes_lines_as_they_are_printed(void **state)
{
    static const struct {
        const char *printed, *lines;
    } cases[] = { { "", "" }, { "a", "a" }, { "a\\n", "a" }, { "a\\nb", "a b" }, { "\\n", "" },
        { "a\\n\\nb\\n", "a  b" }, { " a \\n", " a " }, { "\\n\\nx", "  x" } };
    static const int64_t rows[] = { 0, 1, 1, 2, 1, 3, 1, 3 };
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .check = true });
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *const argv[] = { "printf", cases[i].printed, NULL };
        spark_rdd *rdd = spark_pipe_with(
            spark_range(sc, 0, 1, 1, 1), NULL, &(spark_pipe_options) { .argv = argv });
        oracle_collects(rdd, cases[i].lines);
        assert_int_equal(oracle_count(rdd), rows[i]);
    }
    oracle_close(sc);
}

static void test_pipe__reads_the_context_first(void **state)
{
    static const int64_t four[] = { 1, 2, 3, 4 };
    static const char *const lines[] = { "0", "\x01", NULL };
    (void)state;
    for_all_shapes(sc, p)
    {
        spark_rdd *rdd = spark_pipe_with(
            numbers(sc, 4, four, 2), "cat", &(spark_pipe_options) { .context = lines });
        oracle_has_layout(rdd, "0 \x01 1 2 | 0 \x01 3 4");
        rdd = spark_pipe_with(
            spark_range(sc, 0, 0, 1, p), "wc -l", &(spark_pipe_options) { .context = lines });
        oracle_collects(rdd, p == 1 ? "2" : p == 2 ? "2 2" : p == 3 ? "2 2 2" : "2 2 2 2 2 2 2");
    }
}

static void test_pipe__adds_to_the_environment(void **state)
{
    const char *argv[] = { "sh", "-c", "echo $MY_TEST_ENV $MY_TEST_INHERITED $MY_TEST_TOO", NULL };
    char given[] = "MY_TEST_ENV=LALALA";
    const char *env[] = { given, "MY_TEST_TOO=", NULL };
    (void)state;
    spark_context *sc = oracle_open(2);
    assert_int_equal(setenv("MY_TEST_ENV", "old", 1), 0);
    assert_int_equal(setenv("MY_TEST_INHERITED", "is there", 1), 0);
    assert_int_equal(setenv("MY_TEST_TOO", "replaced", 1), 0);
    spark_rdd *rdd = spark_pipe_with(
        spark_range(sc, 0, 4, 1, 2), NULL, &(spark_pipe_options) { .argv = argv, .env = env });
    /* Lists are copied. */
    memset(given, 'x', sizeof given - 1);
    argv[0] = argv[1] = env[0] = NULL;
    oracle_has_layout(rdd, "LALALA is there | LALALA is there");
    assert_string_equal(getenv("MY_TEST_ENV"), "old");
    unsetenv("MY_TEST_ENV");
    unsetenv("MY_TEST_INHERITED");
    unsetenv("MY_TEST_TOO");
    oracle_close(sc);
}

static void test_pipe__splits_the_command_without_a_shell(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 1, 1, 1);
    oracle_collects(spark_pipe(rdd, "  echo\t'a  b'\n $HOME * >x "), "'a b' $HOME * >x");
    assert_int_equal(access("x", F_OK), -1);
    /* Words of their own stay whole. */
    const char *const argv[] = { "printf", "<%s>", "a  b", "", "'c'", NULL };
    oracle_collects(
        spark_pipe_with(rdd, NULL, &(spark_pipe_options) { .argv = argv }), "<a  b><><'c'>");
    /* argv counts, not command. */
    oracle_collects(
        spark_pipe_with(rdd, "false", &(spark_pipe_options) { .argv = argv }), "<a  b><><'c'>");
    oracle_collects(spark_pipe_with(rdd, "cat", NULL), "0");
    oracle_close(sc);
}

static void test_pipe__of_a_directory_of_its_own(void **state)
{
    const char *const argv[] = { "sh", "-c",
        "case $PWD in */tasks/*) ;; *) exit 1 ;; esac; touch made; ls; cat data; exec cat", NULL };
    const spark_pipe_options own = { .argv = argv, .separate_dir = true };
    (void)state;
    scratch_write("data", "hello\n", 6);
    assert_int_equal(mkdir("folder", 0777), 0);
    scratch_write("folder/below", "x", 1);
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 4, 1, 2);
    oracle_has_layout(spark_pipe_with(rdd, NULL, &own),
        "data folder made hello 0 1 | data folder made hello 2 3");
    assert_int_equal(access("tasks", F_OK), -1);
    assert_int_equal(access("made", F_OK), -1);
    assert_int_equal(access("folder/below", F_OK), 0);
    /* A child that fails leaves no directory either. */
    int64_t n;
    const char *const fails[] = { "sh", "-c", "touch made; exit 4", NULL };
    oracle_fails(spark_count(spark_pipe_with(rdd, NULL,
                                 &(spark_pipe_options) { .argv = fails, .separate_dir = true }),
                     &n),
        SPARK_ETASK, "status 4");
    assert_int_equal(access("tasks", F_OK), -1);
    oracle_fails(spark_count(spark_pipe_with(rdd, "no-such-program-at-all",
                                 &(spark_pipe_options) { .separate_dir = true }),
                     &n),
        SPARK_EIO, "no-such-program-at-all");
    assert_int_equal(access("tasks", F_OK), -1);
    /* What else is in tasks stays. */
    assert_int_equal(mkdir("tasks", 0777), 0);
    scratch_write("tasks/other", "x", 1);
    assert_int_equal(
        oracle_count(spark_pipe_with(rdd, "cat", &(spark_pipe_options) { .separate_dir = true })),
        4);
    assert_int_equal(access("tasks/other", F_OK), 0);
    assert_int_equal(oracle_entries("tasks"), 3);
    oracle_close(sc);
}

/* ---- children of all kinds */

enum { MANY = 100000 };

static void test_pipe__need_not_be_read_by_the_child(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        for (int p = 1; p <= 7; p += p < 3 ? 1 : 4) {
            spark_rdd *many = spark_range(sc, 0, MANY, 1, p);
            oracle_collects(spark_pipe(many, "true"), "");
            assert_int_equal(oracle_count(spark_pipe(many, "seq 10000")), 10000 * p);
            assert_int_equal(oracle_count(spark_pipe(many, "head -n 3")), 3 * p);
            assert_int_equal(oracle_count(shell(many, "exec <&-; exec seq 10000")), 10000 * p);
        }
        oracle_collects(spark_pipe(spark_range(sc, 0, MANY, 1, 1), "head -n 3"), "0 1 2");
        oracle_close(sc);
    }
}

static void test_pipe__goes_on_whoever_talks_first(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open(threads);
        for (int p = 1; p <= 2; p++) {
            spark_rdd *many = spark_range(sc, 0, MANY, 1, p);
            /* Prints more than a pipe holds before it reads. */
            assert_int_equal(oracle_count(shell(many, "seq 100000; exec cat")), 100000 * p + MANY);
            /* Reads all before it prints. */
            assert_int_equal(oracle_count(spark_pipe(many, "sort -n")), MANY);
            /* Prints no more, but reads on. */
            oracle_collects(shell(many, "exec >&-; exec wc -c >/dev/null"), "");
        }
        oracle_close(sc);
    }
}

static void test_pipe__moves_much_both_ways(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open(threads);
        spark_array array;
        oracle_ok(spark_collect(
            spark_pipe(spark_range(sc, 0, 5 * MANY, 1, 3), "cat"), SPARK_TYPE(spark_str), &array));
        assert_int_equal(array.n, 5 * MANY);
        for (size_t i = 0; i < array.n; i++) {
            int64_t have = -1;
            assert_true(spark_str_to_i64(SPARK_ITEMS(spark_str, &array)[i], &have));
            assert_int_equal(have, i);
        }
        spark_array_free(&array);
        oracle_close(sc);
    }
}

/* As those of a text file, lines end at \n, \r\n and \r, wherever the reads are cut. */
static void test_pipe__ends_lines_as_texts_do(void **state)
{
    (void)state;
    for_all_shapes(sc, p)
    {
        spark_rdd *one = spark_range(sc, 0, 1, 1, 1);
        oracle_collects(shell(one, "printf 'a\\rb\\r\\nc\\n'"), "a b c");
        oracle_has_layout(
            spark_map(shell(one, "printf 'a\\r\\r\\n\\n\\rb'"), length_of, NULL), "1 0 0 0 1");
        oracle_collects(
            shell(one, "printf 'a\\r'; sleep 0.01; printf '\\nb\\r'; sleep 0.01; printf c"),
            "a b c");
        oracle_collects(shell(one, "printf '\\r'"), "");
        assert_int_equal(oracle_count(shell(one, "printf '\\r'")), 1);
        (void)p;
    }
}

/* hash_of: of a line, so that long ones may be compared. */
SPARK_MAP(hash_of, spark_str, int64_t)
{
    uint64_t h = in->len;
    for (size_t i = 0; i < in->len; i++)
        h = h * 31 + (unsigned char)in->ptr[i];
    *out = (int64_t)h;
}

/* same_lines: the n bytes of text come out of a child as the lines of a text file. */
static void same_lines(spark_context *sc, const char *text, size_t n)
{
    scratch_write("lines.txt", text, n);
    char *want = oracle_layout(spark_map(spark_text_file(sc, "lines.txt", 1), hash_of, NULL));
    char *have = oracle_layout(spark_map(
        shell(spark_range(sc, 0, 1, 1, 1), "cat lines.txt"), hash_of, NULL));
    assert_non_null(want);
    assert_non_null(have);
    assert_string_equal(have, want);
    free(want);
    free(have);
}

/* Lines of any lengths and ends, longer than many reads as well as many in one. */
static void test_pipe__cuts_any_text_as_a_text_file_does(void **state)
{
    enum { MOST = 3000000 };
    static const size_t lengths[] = { 1, 3, 200, 70000, 1000000 };
    static const char ends[] = "\n\r\n\r";
    char *text = malloc(MOST);
    uint64_t seed = 1;
    (void)state;
    assert_non_null(text);
    spark_context *sc = oracle_open(1);
    for (size_t way = 0; way < LENGTH(lengths) * 4; way++) {
        const size_t most = way < LENGTH(lengths) * 3 ? lengths[way % LENGTH(lengths)] : 1;
        size_t n = 0;
        for (size_t line = 0; line < 20000 && n + most + 2 < MOST; line++) {
            const size_t length = most * oracle_below(&seed, 3) / 2;
            memset(text + n, 'a' + (int)(line % 26), length);
            n += length;
            const uint64_t end = way % 2 ? oracle_below(&seed, 4) : 3; /* some end with \r alone */
            if (end < 3)
                text[n++] = ends[end];
            else
                text[n++] = '\r';
            if (end == 1)
                text[n++] = '\n';
        }
        same_lines(sc, text, n);
    }
    oracle_close(sc);
    free(text);
}

/* Where rows come from a file, its name is in the environment, under the names Hadoop gives it. */
static void test_pipe__of_a_text_file_knows_its_path(void **state)
{
    (void)state;
    scratch_write("one.txt", "a\nb\n", 4);
    scratch_write("two.txt", "c\n", 2);
    static const char *const env[] = { "map_input_file=mine", NULL };
    static const char *const argv[] = { "sh", "-c", "cat >&-; echo $map_input_file", NULL };
    for (int threads = 1; threads <= 4; threads += 3) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *lines = spark_text_file(sc, "*.txt", 1);
        oracle_collects(shell(lines, "cat > /dev/null; echo $map_input_file"), "one.txt two.txt");
        oracle_collects(shell(spark_filter(lines, any, NULL),
                            "cat > /dev/null; echo $mapreduce_map_input_file"),
            "one.txt two.txt");
        oracle_collects(
            shell(spark_coalesce(lines, 1), "cat > /dev/null; echo .$map_input_file."), "..");
        oracle_collects(
            shell(spark_range(sc, 0, 1, 1, 1), "cat > /dev/null; echo .$map_input_file."), "..");
        oracle_collects(
            spark_pipe_with(lines, NULL, &(spark_pipe_options) { .argv = argv, .env = env }),
            "mine mine");
        oracle_close(sc);
    }
}

static void test_pipe__last_definition_of_a_name_counts(void **state)
{
    static const char *const env[] = { "X_OF_PIPE=1", "HOME=elsewhere", "X_OF_PIPE=2", NULL };
    static const char *const argv[]
        = { "sh", "-c", "env | grep -c ^X_OF_PIPE; echo $X_OF_PIPE $HOME", NULL };
    static const char *const wrong[][2] = { { "NOVALUE", NULL }, { "=x", NULL } };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *one = spark_range(sc, 0, 1, 1, 1);
    oracle_collects(spark_pipe_with(one, NULL, &(spark_pipe_options) { .argv = argv, .env = env }),
        "1 2 elsewhere");
    for (int i = 0; i < 2; i++)
        oracle_fails(
            spark_count(spark_pipe_with(one, "cat", &(spark_pipe_options) { .env = wrong[i] }), &n),
            SPARK_EINVAL, "which is not NAME=VALUE");
    oracle_close(sc);
}

static void test_pipe__under_a_process_that_ignores_its_children(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    signal(SIGCHLD, SIG_IGN);
    oracle_fails(spark_count(spark_pipe(spark_range(sc, 0, 9, 1, 1), "cat"), &n), SPARK_ETASK,
        "ignores SIGCHLD");
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(oracle_count(spark_pipe(spark_range(sc, 0, 9, 1, 1), "cat")), 9);
    oracle_close(sc);
}

static void test_pipe__of_lines_longer_than_any_buffer(void **state)
{
    enum { SIZE = 3 << 20 };
    (void)state;
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)('a' + i % 23);
    const spark_str lines[] = { { "", 0 }, { bytes, SIZE }, { "x", 1 }, { bytes, 255 },
        { bytes, 256 }, { bytes, 257 }, { bytes, 65536 }, { bytes, 0 } };
    for (int check = 0; check < 2; check++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .check = check });
        for (int p = 1; p <= 3; p++) {
            spark_array array;
            oracle_ok(spark_collect(
                spark_pipe(
                    spark_parallelize(sc, SPARK_DATA(spark_str, LENGTH(lines), lines), p), "cat"),
                SPARK_TYPE(spark_str), &array));
            assert_int_equal(array.n, LENGTH(lines));
            for (size_t i = 0; i < array.n; i++) {
                const spark_str *line = &SPARK_ITEMS(spark_str, &array)[i];
                assert_int_equal(line->len, lines[i].len);
                assert_memory_equal(line->ptr, lines[i].ptr, line->len);
            }
            spark_array_free(&array);
        }
        oracle_close(sc);
    }
    free(bytes);
}

static void test_pipe__fails_with_its_command(void **state)
{
    static const struct {
        const char *script, *words;
    } cases[] = { { "exit 3", "Subprocess exited with status 3. Command ran: sh" },
        { "cat; exit 1", "Subprocess exited with status 1. Command ran: sh" },
        { "cat >/dev/null; kill -9 $$", "Subprocess exited with status 137. Command ran: sh" },
        { "kill -TERM $$", "Subprocess exited with status 143. Command ran: sh" },
        { "exec >&-; cat >/dev/null; exit 5", "Subprocess exited with status 5" },
        { "exec <&- >&-; exit 6", "Subprocess exited with status 6" } };
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open(threads);
        for (size_t i = 0; i < LENGTH(cases); i++) {
            spark_array array;
            for (int p = 1; p <= 3; p += 2) {
                for (int n = 0; n <= MANY; n += MANY) {
                    oracle_fails(spark_collect(shell(spark_range(sc, 0, n, 1, p), cases[i].script),
                                     NULL, &array),
                        SPARK_ETASK, cases[i].words);
                    assert_string_equal(spark_last_error()->operation, "pipe");
                    assert_non_null(strstr(spark_last_error()->site, "test_pipe.c:"));
                    assert_non_null(strstr(spark_last_error()->message, "pipe at "));
                    assert_int_equal(array.n, 0);
                    assert_true(childless());
                }
            }
        }
        /* The words of the command are all there. */
        int64_t n;
        oracle_fails(spark_count(spark_pipe(spark_range(sc, 0, 9, 1, 1), " ls  --no-such "), &n),
            SPARK_ETASK, "Command ran: ls --no-such");
        assert_int_equal(oracle_last_job(sc).failed_tasks, 4);
        oracle_fails(spark_count(shell(spark_range(sc, 0, 9, 1, 1), "exit 3"), &n), SPARK_ETASK,
            "Subprocess exited with status 3. Command ran: sh -c exit 3");
        oracle_close(sc);
    }
}

static void test_pipe__of_what_cannot_be_run(void **state)
{
    int64_t n;
    (void)state;
    scratch_write("data", "x", 1);
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open(threads);
        for (int p = 1; p <= 3; p += 2) {
            spark_rdd *rdd = spark_range(sc, 0, 9, 1, p);
            oracle_fails(spark_count(spark_pipe(rdd, "no-such-program-at-all x"), &n), SPARK_EIO,
                "cannot run no-such-program-at-all: No such file");
            assert_string_equal(spark_last_error()->operation, "pipe");
            oracle_fails(spark_count(spark_pipe(rdd, "./data"), &n), SPARK_EIO,
                "cannot run ./data: Permission denied");
            oracle_fails(spark_count(spark_pipe(rdd, "./none/at/all"), &n), SPARK_EIO,
                "cannot run ./none/at/all: No such file");
            assert_true(childless());
        }
        oracle_close(sc);
    }
}

SPARK_MAP(fails_late, int64_t, int64_t)
{
    *out = *in;
    if (*in == MANY / 2)
        spark_fail(task, "upstream is broken");
}

static void test_pipe__passes_the_failure_of_its_input_on(void **state)
{
    spark_array array;
    (void)state;
    for_all_shapes(sc, p)
    {
        if (shape_ % 5 != 0)
            continue;
        spark_rdd *rdd = spark_map(spark_range(sc, 0, MANY, 1, p), fails_late, NULL);
        oracle_fails(
            spark_collect(spark_pipe(rdd, "cat"), NULL, &array), SPARK_ETASK, "upstream is broken");
        assert_string_equal(spark_last_error()->operation, "map(fails_late)");
        assert_true(childless());
    }
}

/* ---- what stays */

static void test_pipe__ends_when_enough_is_taken(void **state)
{
    (void)state;
    for_all_shapes(sc, p)
    {
        spark_array array;
        oracle_ok(spark_take(spark_pipe(spark_range(sc, 0, MANY, 1, p), "yes"), 5, NULL, &array));
        oracle_lists(&array, "y y y y y");
        spark_array_free(&array);
        assert_true(childless());
        oracle_ok(spark_take(spark_pipe(spark_range(sc, 7, MANY, 1, p), "cat"), 3, NULL, &array));
        oracle_lists(&array, "7 8 9");
        spark_array_free(&array);
        assert_true(childless());
        /* Nor is its status asked for then. */
        oracle_ok(
            spark_take(shell(spark_range(sc, 0, 9, 1, p), "echo x; exec yes z"), 1, NULL, &array));
        oracle_lists(&array, "x");
        spark_array_free(&array);
        assert_true(childless());
    }
}

static void test_pipe__into_another_pipe(void **state)
{
    (void)state;
    for_all_shapes(sc, p)
    {
        if (shape_ % 7 != 0)
            continue;
        spark_rdd *rdd = spark_range(sc, 0, 2000, 1, p);
        for (int i = 0; i < 4; i++)
            rdd = spark_pipe(rdd, i % 2 ? "tail -n +2" : "cat");
        assert_int_equal(oracle_count(rdd), 2000 - 2 * p);
        spark_array array;
        oracle_ok(spark_take(rdd, 2, NULL, &array));
        oracle_lists(&array, "2 3");
        spark_array_free(&array);
        assert_true(childless());
    }
}

typedef struct waiting {
    spark_rdd *rdd;
    spark_status status;
} waiting;

static void *count_it(void *arg)
{
    waiting *w = arg;
    int64_t n;
    w->status = spark_count(w->rdd, &n);
    return NULL;
}

static void test_pipe__child_is_killed_by_cancellation(void **state)
{
    /* A child that waits for ever, one that reads nothing, one that prints for ever. */
    static const char *const scripts[] = { "echo >started.$$; exec sleep 1000",
        "echo >started.$$; trap '' TERM INT HUP; exec sleep 1000",
        "echo >started.$$; exec yes >/dev/null", "echo >started.$$; exec yes" };
    (void)state;
    for (size_t i = 0; i < LENGTH(scripts); i++) {
        for (int p = 1; p <= 2; p++) {
            pthread_t thread;
            spark_context *sc = oracle_open(2);
            waiting w = { shell(spark_range(sc, 0, MANY, 1, p), scripts[i]), SPARK_OK };
            const int before = oracle_entries(".");
            assert_int_equal(pthread_create(&thread, NULL, count_it, &w), 0);
            for (int k = 0; k < 30000 && oracle_entries(".") < before + p; k++)
                nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
            const int started = oracle_entries(".") - before;
            spark_cancel_all_jobs(sc);
            pthread_join(thread, NULL);
            assert_int_equal(started, p);
            assert_int_equal(w.status, SPARK_ECANCELLED);
            assert_true(childless());
            oracle_close(sc);
        }
    }
}

static atomic_int signals;
static void on_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

static void test_pipe__never_raises_sigpipe(void **state)
{
    struct sigaction before, counting = { .sa_handler = on_signal };
    sigset_t mask, after, only, pending;
    (void)state;
    sigemptyset(&counting.sa_mask);
    assert_int_equal(sigaction(SIGPIPE, &counting, &before), 0);
    atomic_store(&signals, 0);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        for (int p = 1; p <= 7; p += 3) { /* the task of a job of one runs on this thread */
            oracle_collects(spark_pipe(spark_range(sc, 0, MANY, 1, p), "true"), "");
            oracle_collects(shell(spark_range(sc, 0, MANY, 1, p), "exec <&-; exit 0"), "");
        }
        oracle_close(sc);
    }
    assert_int_equal(atomic_load(&signals), 0);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int s = 1; s < 32; s++)
        assert_int_equal(sigismember(&after, s), sigismember(&mask, s));
    /* One that was pending already stays so. */
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &only, &mask);
    for (int raised = 0; raised < 2; raised++) {
        if (raised)
            pthread_kill(pthread_self(), SIGPIPE);
        spark_context *sc = oracle_open(1);
        oracle_collects(spark_pipe(spark_range(sc, 0, MANY, 1, 1), "true"), "");
        oracle_close(sc);
        sigpending(&pending);
        assert_int_equal(sigismember(&pending, SIGPIPE), raised);
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    assert_int_equal(atomic_load(&signals), 1);
    sigaction(SIGPIPE, &before, NULL);
}

static void test_pipe__child_has_signals_as_they_were_born(void **state)
{
    struct sigaction before, ignored = { .sa_handler = SIG_IGN };
    sigset_t all, mask;
    int64_t n;
    (void)state;
    sigemptyset(&ignored.sa_mask);
    sigaction(SIGPIPE, &ignored, &before);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &mask);
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 1);
    oracle_fails(spark_count(shell(rdd, "kill -PIPE $$; exit 0"), &n), SPARK_ETASK, "status 141");
    oracle_fails(spark_count(shell(rdd, "kill -TERM $$; exit 0"), &n), SPARK_ETASK, "status 143");
    oracle_collects(shell(rdd, "yes | head -n 1"), "y");
    oracle_close(sc);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGPIPE, &before, NULL);
}

static void test_pipe__without_standard_streams(void **state)
{
    enum { STREAMS = 2 };
    int kept[STREAMS];
    (void)state;
    for (int closed = 1; closed < 4; closed++) {
        spark_context *sc = oracle_open(2);
        fflush(stdout);
        for (int i = 0; i < STREAMS; i++) {
            kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
            if (closed & 1 << i)
                close(i);
        }
        spark_array array = { NULL, NULL, 0, NULL };
        const spark_status status
            = spark_collect(spark_pipe(spark_range(sc, 0, 4, 1, 2), "cat"), NULL, &array);
        for (int i = 0; i < STREAMS; i++) {
            if (kept[i] >= 0) {
                dup2(kept[i], i);
                close(kept[i]);
            }
        }
        oracle_ok(status);
        oracle_lists(&array, "0 1 2 3");
        spark_array_free(&array);
        oracle_close(sc);
    }
}

static void test_pipe__inherits_no_descriptor(void **state)
{
    (void)state;
    /* 0 to 2 and the directory that ls reads; those this process was started with come on top. */
    spark_context *sc = oracle_open(8);
    spark_array array;
    int plain = 0;
    FILE *list = popen("exec ls /proc/self/fd", "re");
    assert_non_null(list);
    for (int c; (c = getc(list)) != EOF;)
        plain += c == '\n';
    pclose(list);
    const char *const argv[] = { "ls", "/proc/self/fd", NULL };
    spark_rdd *rdd = spark_pipe_with(
        spark_range(sc, 0, 64, 1, 32), NULL, &(spark_pipe_options) { .argv = argv });
    oracle_ok(spark_collect(rdd, NULL, &array));
    assert_int_equal(array.n, 32 * plain);
    spark_array_free(&array);
    oracle_close(sc);
}

/* ---- faults and errors */

static void test_pipe__under_faults_gives_the_same_and_counts_once(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        const spark_fault faults[] = { oracle_every_task_fails_once[0],
            { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .rate = 0.3, .seed = seed } };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = seed % 2 ? 8 : 1,
            .faults = faults + seed % 2,
            .n_faults = 1,
            .stage_max_attempts = 1000 });
        counter calls = spark_counter(sc, "calls");
        spark_rdd *piped = spark_cache(
            spark_pipe(spark_map(spark_range(sc, 0, 20, 1, 4), counted, SPARK_COPY(calls)), "cat"));
        for (int i = 0; i < 3; i++) {
            oracle_has_layout(piped, "0 1 2 3 4 | 5 6 7 8 9 | 10 11 12 13 14 | 15 16 17 18 19");
            assert_int_equal(spark_accumulator_value(calls), 20);
            spark_drop_block(piped, i);
        }
        assert_int_equal(oracle_count(spark_distinct(piped, 3)), 20);
        assert_int_equal(spark_accumulator_value(calls), 20);
        assert_true(childless());
        oracle_close(sc);
    }
}

static void test_pipe__refuses_what_makes_no_sense(void **state)
{
    static const char *const none[] = { NULL };
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 1);
    int64_t n;
    oracle_fails(spark_count(spark_pipe(NULL, "cat"), &n), SPARK_EINVAL, "NULL");
    refused(spark_pipe(rdd, NULL), SPARK_EINVAL, "pipe", "no command");
    refused(spark_pipe(rdd, ""), SPARK_EINVAL, "pipe", "no command");
    refused(spark_pipe(rdd, " \t\n"), SPARK_EINVAL, "pipe", "no command");
    refused(spark_pipe_with(rdd, NULL, NULL), SPARK_EINVAL, "pipe", "no command");
    refused(spark_pipe_with(rdd, "cat", &(spark_pipe_options) { .argv = none }), SPARK_EINVAL,
        "pipe", "no command");
    passes_on(spark_pipe(broken(sc), "cat"));
    assert_non_null(strstr(spark_to_debug_string(spark_pipe(rdd, "cat")), "PipedRDD"));
    oracle_close(sc);
}

static void test_pipe__drops_the_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *placed = spark_partition_by(words(sc, 0, 10, 2), spark_hash_partitioner(sc, 3));
    assert_non_null(spark_rdd_partitioner(placed));
    spark_rdd *rdd = spark_pipe(placed, "cat");
    assert_null(spark_rdd_partitioner(rdd));
    assert_int_equal(spark_rdd_partitions(rdd), 3);
    assert_int_equal(oracle_count(rdd), 10);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipe_test(test_pipe__gives_the_text_of_each_element),
        pipe_test(test_pipe__of_one_to_four_through_cat),
        pipe_test(test_pipe__runs_for_empty_partitions_too),
        pipe_test(test_pipe__of_no_partition_runs_nothing),
        pipe_test(test_pipe__takes_lines_as_they_are_printed),
        pipe_test(test_pipe__reads_the_context_first),
        pipe_test(test_pipe__adds_to_the_environment),
        pipe_test(test_pipe__splits_the_command_without_a_shell),
        pipe_test(test_pipe__of_a_directory_of_its_own),
        pipe_test(test_pipe__need_not_be_read_by_the_child),
        pipe_test(test_pipe__goes_on_whoever_talks_first),
        pipe_test(test_pipe__moves_much_both_ways),
        pipe_test(test_pipe__ends_lines_as_texts_do),
        pipe_test(test_pipe__cuts_any_text_as_a_text_file_does),
        pipe_test(test_pipe__of_a_text_file_knows_its_path),
        pipe_test(test_pipe__last_definition_of_a_name_counts),
        pipe_test(test_pipe__under_a_process_that_ignores_its_children),
        pipe_test(test_pipe__of_lines_longer_than_any_buffer),
        pipe_test(test_pipe__fails_with_its_command),
        pipe_test(test_pipe__of_what_cannot_be_run),
        pipe_test(test_pipe__passes_the_failure_of_its_input_on),
        pipe_test(test_pipe__ends_when_enough_is_taken),
        pipe_test(test_pipe__into_another_pipe),
        pipe_test(test_pipe__child_is_killed_by_cancellation),
        pipe_test(test_pipe__never_raises_sigpipe),
        pipe_test(test_pipe__child_has_signals_as_they_were_born),
        pipe_test(test_pipe__without_standard_streams),
        pipe_test(test_pipe__inherits_no_descriptor),
        pipe_test(test_pipe__under_faults_gives_the_same_and_counts_once),
        pipe_test(test_pipe__refuses_what_makes_no_sense),
        pipe_test(test_pipe__drops_the_partitioner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
