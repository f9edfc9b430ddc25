/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that programs print, as an RDD, and rows of CSV made of lines: what is printed is what is read, as
 * often as it is wanted; how a program ends decides; nothing of it stays. */
#include "file_test.h"

#include <signal.h>
#include <sys/wait.h>

SPARK_STRUCT(sale, (spark_str, city), (int64_t, n));
SPARK_STRUCT(judged, (spark_opt_i32, a), (spark_opt_i32, b), (spark_opt_str, _corrupt_record));

static bool childless(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

static int files_before;

static int enter(void **state)
{
    const int status = file_enter(state);
    files_before = oracle_entries("/proc/self/fd");
    return status;
}

static int leave(void **state)
{
    int status = 0;
    if (!childless()) {
        print_error("a child is left\n");
        status = -1;
    }
    if (oracle_entries("/proc/self/fd") != files_before) {
        print_error("a file stays open\n");
        status = -1;
    }
    return file_leave(state) || status;
}
#define command_test(f) cmocka_unit_test_setup_teardown(f, enter, leave)

enum { MOST = 8 };

/* shells: `sh -c script` for each of n scripts. */
static spark_rdd *shells(spark_context *sc, size_t n, const char *const *scripts)
{
    static const char *argv[MOST][4];
    spark_command commands[MOST];
    for (size_t i = 0; i < n; i++) {
        const char *const words[] = { "sh", "-c", scripts[i], NULL };
        memcpy(argv[i], words, sizeof words);
        commands[i] = (spark_command) { .argv = argv[i] };
    }
    return spark_text_commands(sc, n, commands);
}

static spark_rdd *shell(spark_context *sc, const char *script)
{
    return shells(sc, 1, &script);
}

static void put(const char *path, const char *text)
{
    scratch_write(path, text, strlen(text));
}

static void test_commands__print_the_lines_of_partitions(void **state)
{
    static const char *const scripts[]
        = { "printf 'a\\nb\\r\\nc'", "true", "echo; echo d", "exec 2>&1; echo e >&2; cat" };
    (void)state;
    for (size_t i = 0; i < LENGTH(oracle_confs); i++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[i]);
        spark_rdd *rdd = shells(sc, LENGTH(scripts), scripts);
        oracle_has_layout(rdd, "a b c | | d | e");
        assert_int_equal(oracle_count(rdd), 6);
        assert_int_equal(oracle_count(shells(sc, 0, NULL)), 0);
        assert_int_equal(spark_rdd_partitions(shells(sc, 0, NULL)), 0);
        oracle_close(sc);
    }
}

static void test_commands__have_an_environment_and_a_directory(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    assert_int_equal(mkdir("sub", 0777), 0);
    put("sub/here", "x\n");
    setenv("INHERITED", "yes", 1);
    const char *const argv[] = { "sh", "-c", "cat here; echo $INHERITED $MINE", NULL };
    const char *const env[] = { "MINE=first", "MINE=second", NULL };
    const spark_command c = { argv, env, "sub" };
    oracle_collects(spark_text_commands(sc, 1, &c), "x yes second");
    const char *const no_shell[] = { "echo", "*", "$HOME", "a b", NULL };
    oracle_collects(spark_text_commands(sc, 1, &(spark_command) { .argv = no_shell }), "* $HOME a b");
    oracle_close(sc);
}

static void test_commands__that_fail_fail_the_task(void **state)
{
    static const struct {
        const char *script, *words;
    } cases[] = { { "echo a; exit 3", "sh -c echo a; exit 3 ended with status 3" },
        { "echo one >&2; echo two >&2; exit 1", "ended with status 1: one two" },
        { "kill -9 $$", "was killed by signal 9" },
        { "exec >&-; sleep 0.05; echo late >&2; exit 5", "ended with status 5: late" } };
    (void)state;
    int64_t n;
    const int keep = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < LENGTH(cases); i++)
        oracle_fails(spark_count(shell(sc, cases[i].script), &n), SPARK_ETASK, cases[i].words);
    oracle_fails(spark_count(shell(sc, "yes x | head -c 100000 >&2; echo end >&2; exit 9"), &n),
        SPARK_ETASK, "x x end");
    static char script[2000];
    memset(script, ' ', sizeof script - 1);
    memcpy(script, "echo why >&2; exit 4", 20);
    oracle_fails(spark_count(shell(sc, script), &n), SPARK_ETASK, "... ended with status 4: why");
    dup2(keep, STDERR_FILENO);
    close(keep);
    close(null);
    const char *const missing[] = { "no-such-program-anywhere", NULL };
    oracle_fails(spark_count(spark_text_commands(sc, 1, &(spark_command) { .argv = missing }), &n),
        SPARK_EIO, "cannot run no-such-program-anywhere: No such file");
    const char *const echo[] = { "echo", NULL };
    oracle_fails(
        spark_count(spark_text_commands(sc, 1, &(spark_command) { echo, NULL, "nowhere" }), &n),
        SPARK_EIO, "cannot run echo: No such file or directory, in nowhere");
    oracle_close(sc);
}

static void test_commands__are_run_again(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open(1);
    put("count", "");
    spark_rdd *rdd = shell(sc, "echo x >> count; cat count; test $(wc -l < count) -ge 3");
    oracle_ok(spark_count(rdd, &n)); /* the third attempt ends well */
    assert_int_equal(n, 3);
    oracle_ok(spark_count(rdd, &n));
    assert_int_equal(n, 4);
    oracle_close(sc);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        const spark_fault faults[] = { { SPARK_FAULT_RANDOM, .rate = 0.3, .seed = seed } };
        static const char *const scripts[] = { "seq 1000", "seq 5 2000", "seq 3", "true" };
        sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 64 << 20,
            .faults = faults, .n_faults = 1 });
        assert_int_equal(oracle_count(spark_distinct(shells(sc, 4, scripts), 3)), 2000);
        oracle_close(sc);
    }
}

static void test_commands__end_when_nobody_reads_them(void **state)
{
    (void)state;
    spark_array some;
    int64_t n = 0;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2 });
    oracle_ok(spark_take(shell(sc, "yes"), 5, NULL, &some));
    assert_int_equal(some.n, 5);
    spark_array_free(&some);
    assert_true(childless());
    spark_future *f = spark_count_async(shell(sc, "exec sleep 1000"));
    while (spark_future_job(f) < 0)
        usleep(1000);
    usleep(50000);
    spark_future_cancel(f);
    oracle_fails(spark_future_count(f, &n), SPARK_ECANCELLED, "cancel");
    assert_true(childless());
    spark_set_job_timeout(sc, 100);
    oracle_fails(spark_count(shell(sc, "exec sleep 1000"), &n), SPARK_EDEADLINE, "100 ms");
    oracle_close(sc);
}

/* 200 MB, of which none is kept. */
static void test_commands__of_much_text_need_little_memory(void **state)
{
    (void)state;
    enum { MIB = 1 << 20, LINES = 4000000 };
    const spark_conf conf = { .threads = 2, .memory_bytes = 24 * MIB };
    spark_context *sc = oracle_open_conf(&conf);
    static const char *const scripts[] = { "yes 'a line of some fifty bytes, again and again, on' | head -n 2000000",
        "yes 'a line of some fifty bytes, again and again, on' | head -n 2000000" };
    assert_int_equal(oracle_count(shells(sc, 2, scripts)), LINES);
    oracle_close(sc);
}

static void test_commands__that_make_no_sense_are_refused(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open(1);
    const char *const none[] = { NULL }, *const echo[] = { "echo", NULL }, *const bad[] = { "=x", NULL };
    oracle_fails(spark_count(spark_text_commands(sc, 1, NULL), &n), SPARK_EINVAL, "they are NULL");
    oracle_fails(spark_count(spark_text_commands(sc, 1, &(spark_command) { none, NULL, NULL }), &n),
        SPARK_EINVAL, "command 0 has no program");
    oracle_fails(spark_count(spark_text_commands(sc, 1, &(spark_command) { echo, bad, NULL }), &n),
        SPARK_EINVAL, "env of command 0 has \"=x\"");
    oracle_close(sc);
}

/* ---- rows of lines ---- */

static void test_csv_lines__are_read_as_files_are(void **state)
{
    static const char *const scripts[]
        = { "printf 'n,city\\n7,Rome\\n\\n8,\"New, York\"\\n'", "printf 'n,city\\n9,Oslo\\n'" };
    (void)state;
    const spark_csv_options header = { .header = true };
    for (size_t i = 0; i < LENGTH(oracle_confs); i++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[i]);
        spark_rdd *rdd = spark_read_csv_lines(shells(sc, 2, scripts), SPARK_TYPE(sale), &header);
        oracle_has_layout(rdd, "(Rome,7) (New, York,8) | (Oslo,9)");
        oracle_close(sc);
    }
    spark_context *sc = oracle_open(1);
    static const spark_str records[] = { SPARK_STR("#no"), SPARK_STR("\"two\nlines\",1"), SPARK_STR(" ") };
    oracle_collects(spark_read_csv_lines(spark_parallelize(sc, SPARK_DATA(spark_str, 3, records), 1),
                        SPARK_TYPE(sale), &(spark_csv_options) { .comment = "#" }),
        "(two\nlines,1)");
    int64_t n;
    oracle_fails(spark_count(spark_read_csv_lines(shell(sc, "printf 'n,town\\n1,x\\n'"),
                                 SPARK_TYPE(sale), &header), &n),
        SPARK_EIO, "no column \"city\" in the lines, which has n, town");
    put("in.txt", "Rome,7\nOslo,x\n");
    oracle_fails(
        spark_count(spark_read_csv_lines(spark_text_file(sc, "in.txt", 1), SPARK_TYPE(sale), NULL), &n),
        SPARK_ETASK, "cannot read \"x\" as i64, column \"n\"");
    assert_string_equal(spark_last_error()->file, "in.txt");
    assert_int_equal(spark_last_error()->line, 2);
    assert_int_equal(oracle_count(spark_read_csv_lines(shell(sc, "true"), SPARK_TYPE(sale), &header)), 0);
    oracle_fails(spark_count(spark_read_csv_lines(shell(sc, "true"), NULL, NULL), &n), SPARK_EINVAL,
        "the type of the rows is NULL");
    oracle_fails(spark_count(spark_read_csv_lines(spark_range(sc, 0, 3, 1, 1), SPARK_TYPE(sale), NULL), &n),
        SPARK_ETYPE, "csvLines");
    oracle_close(sc);
}

/* random_csv: fields that are odd, line ends among them only within quotes. */
static void random_csv(const char *path, uint64_t seed)
{
    static const char *const cells[] = { "1", "22", "x", "", "\"3\"", "\"a,b\"", "\"q\"\"q\"", "-7", "2147483648",
        "\"\"", " 5", "\"open", "a\"b\"" };
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    for (int i = 0; i < 400; i++) {
        const int columns = oracle_below(&seed, 6) ? 2 : 1 + (int)oracle_below(&seed, 3);
        for (int c = 0; c < columns; c++)
            fprintf(to, "%s%s", c ? "," : "", cells[oracle_below(&seed, LENGTH(cells))]);
        fputs(oracle_below(&seed, 9) ? "\n" : "\r\n", to);
    }
    assert_int_equal(fclose(to), 0);
}

static void test_csv_lines__give_the_rows_of_the_same_file(void **state)
{
    static const spark_read_mode modes[] = { SPARK_PERMISSIVE, SPARK_DROPMALFORMED };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (size_t m = 0; m < LENGTH(modes); m++) {
            SPARK_SCOPED(sc);
            random_csv("in.csv", seed);
            const spark_csv_options o = { .mode = modes[m] };
            spark_rdd *of_file = spark_read_csv(sc, "in.csv", SPARK_TYPE(judged), &o);
            spark_rdd *of_lines
                = spark_read_csv_lines(spark_text_file(sc, "in.csv", 3), SPARK_TYPE(judged), &o);
            spark_array rows;
            oracle_ok(spark_collect(of_file, NULL, &rows));
            char *want = oracle_listing(&rows, false);
            spark_array_free(&rows);
            oracle_collects(of_lines, want);
            free(want);
            int64_t a, b;
            assert_int_equal(spark_bad_count(of_file, &a), spark_bad_count(of_lines, &b));
            assert_true(m == 0 ? a == 0 : a > 0);
        }
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        command_test(test_commands__print_the_lines_of_partitions),
        command_test(test_commands__have_an_environment_and_a_directory),
        command_test(test_commands__that_fail_fail_the_task),
        command_test(test_commands__are_run_again),
        command_test(test_commands__end_when_nobody_reads_them),
        command_test(test_commands__of_much_text_need_little_memory),
        command_test(test_commands__that_make_no_sense_are_refused),
        command_test(test_csv_lines__are_read_as_files_are),
        command_test(test_csv_lines__give_the_rows_of_the_same_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
