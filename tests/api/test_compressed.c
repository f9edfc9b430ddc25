/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed files, as the system's own programs make them: what they hold is what is read, by every
 * reader, whatever threads, batches, memory and faults there are; what is wrong with them is an error
 * that names them; and nothing of the programs stays: no child, no descriptor. A program that is not
 * installed is not tested. */
#include "file_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

SPARK_STRUCT(sale, (spark_str, city), (int64_t, n));
SPARK_PAIR(file, spark_str, spark_str);
SPARK_PAIR(blob, spark_str, spark_bytes);

static const char *const python
    = "python3 -c 'import sys,zlib;sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))'";
static const struct codec {
    const char *suffix, *program, *pack, *package;
} codecs[] = { { ".gz", "gzip", "gzip -c", "gzip" }, { ".gzip", "gzip", "gzip -1c", "gzip" },
    { ".bz2", "bzip2", "bzip2 -c", "bzip2" }, { ".xz", "xz", "xz -1c", "xz-utils" },
    { ".zst", "zstd", "zstd -qc", "zstd" }, { ".zstd", "zstd", "zstd -qc", "zstd" },
    { ".lz4", "lz4", "lz4 -qc", "lz4" }, { ".deflate", "python3", NULL, "pigz" } };

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
#define compressed_test(f) cmocka_unit_test_setup_teardown(f, enter, leave)

static void shell(const char *format, ...) SPARK_FORMAT_(1, 2);
static void shell(const char *format, ...)
{
    char command[600];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    const int status = system(command); /* NOLINT */
    if (status != 0)
        fail_msg("%s: %d", command, status);
}

static bool installed(const struct codec *c)
{
    char command[100];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", c->program);
    return system(command) == 0; /* NOLINT */
}

/* pack: what is in `from` behind what is in `to`, packed. */
static void pack(const struct codec *c, const char *from, const char *to)
{
    shell("%s < %s >> %s", c->pack ? c->pack : python, from, to);
}

#define for_all_codecs(c)                                                                          \
    for (const struct codec *c = codecs; c < codecs + LENGTH(codecs); c++)                         \
        if (installed(c))

static void put(const char *path, const char *text)
{
    scratch_write(path, text, strlen(text));
}

/* make_lines: n lines, some of them long, empty, or ended by \r\n. */
static void make_lines(const char *path, size_t n, uint64_t seed)
{
    static char long_line[300000];
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    memset(long_line, 'x', sizeof long_line - 1);
    for (size_t i = 0; i < n; i++) {
        const uint64_t x = oracle_random(&seed);
        if (x % 5000 == 7)
            fputs(long_line, to);
        if (x % 9 != 0)
            fprintf(to, "line %llu of %zu", (unsigned long long)(x >> 40), i);
        fputs(x % 11 == 0 ? "\r\n" : i + 1 == n && x % 2 ? "" : "\n", to);
    }
    assert_int_equal(fclose(to), 0);
}

/* same_lines: as those of the plain file, in order. */
static void same_lines(spark_context *sc, const char *plain, const char *packed)
{
    spark_array a, b;
    oracle_ok(spark_collect(spark_text_file(sc, plain, 1), SPARK_TYPE(spark_str), &a));
    oracle_ok(spark_collect(spark_text_file(sc, packed, 5), SPARK_TYPE(spark_str), &b));
    assert_int_equal(a.n, b.n);
    const spark_str *x = SPARK_ITEMS(spark_str, &a), *y = SPARK_ITEMS(spark_str, &b);
    for (size_t i = 0; i < a.n; i++)
        if (x[i].len != y[i].len || memcmp(x[i].ptr, y[i].ptr, x[i].len) != 0)
            fail_msg("%s: line %zu", packed, i + 1);
    spark_array_free(&a);
    spark_array_free(&b);
}

static void test_compressed__files_hold_the_same_lines(void **state)
{
    static const size_t sizes[] = { 0, 1, 100, 20000 };
    (void)state;
    for (size_t s = 0; s < LENGTH(sizes); s++) {
        make_lines("plain", sizes[s], 17 + s);
        for_all_codecs(c)
        {
            char path[40];
            snprintf(path, sizeof path, "packed%s", c->suffix);
            pack(c, "plain", path);
            for (size_t i = c == codecs && s == 2 ? 0 : (s + (size_t)(c - codecs)) % LENGTH(oracle_confs);
                 i < LENGTH(oracle_confs); i += s == 2 && c == codecs ? 1 : LENGTH(oracle_confs)) {
                spark_context *sc = oracle_open_conf(&oracle_confs[i]);
                same_lines(sc, "plain", path);
                spark_rdd *rdd = spark_text_file(sc, path, 7);
                assert_int_equal(spark_rdd_partitions(rdd), 1);
                oracle_close(sc);
            }
            unlink(path);
        }
    }
}

static void test_compressed__streams_one_behind_the_other_are_one_text(void **state)
{
    (void)state;
    make_lines("plain", 3000, 5);
    shell("cat plain plain plain > thrice");
    spark_context *sc = oracle_open(2);
    for_all_codecs(c)
    {
        char path[40];
        snprintf(path, sizeof path, "packed%s", c->suffix);
        for (int i = 0; i < 3; i++)
            pack(c, "plain", path);
        same_lines(sc, "thrice", path);
    }
    oracle_close(sc);
}

/* damage: writes `to`: a part of `from`, or it with a byte changed, or with bytes behind it. */
static void damage(const char *from, const char *to, int how)
{
    static char bytes[1 << 20];
    FILE *in = fopen(from, "rb");
    assert_non_null(in);
    size_t n = fread(bytes, 1, sizeof bytes - 100, in);
    fclose(in);
    if (how == 0)
        n = n * 2 / 3;
    else if (how == 1)
        n = 9;
    else if (how == 2)
        bytes[n / 2] ^= 0x55;
    else
        memset(bytes + n, 'g', 50), n += 50;
    scratch_write(to, bytes, n);
}

static void test_compressed__damaged_files_are_errors_that_name_them(void **state)
{
    static const char *const hows[] = { "short", "shorter", "changed", "longer" };
    (void)state;
    make_lines("plain", 3000, 6);
    spark_context *sc = oracle_open(2);
    for_all_codecs(c)
    {
        char path[40], want[80];
        int64_t n;
        snprintf(path, sizeof path, "packed%s", c->suffix);
        pack(c, "plain", path);
        for (int how = 0; how < (int)LENGTH(hows); how++) {
            snprintf(path, sizeof path, "%s%s", hows[how], c->suffix);
            snprintf(want, sizeof want, "cannot unpack %s: ", path);
            char packed[40];
            snprintf(packed, sizeof packed, "packed%s", c->suffix);
            damage(packed, path, how);
            SPARK_SCOPED(sc);
            oracle_fails(spark_count(spark_text_file(sc, path, 2), &n), SPARK_EIO, want);
            oracle_fails(
                spark_count(spark_whole_text_files(sc, path, 2), &n), SPARK_EIO, want);
        }
        put(path, "this was never packed by any program, whatever it is called\n");
        oracle_fails(spark_count(spark_text_file(sc, path, 2), &n), SPARK_EIO, "cannot unpack");
    }
    oracle_close(sc);
}

static void test_compressed__errors_have_the_words_of_the_program(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    int64_t n;
    make_lines("plain", 3000, 6);
    shell("gzip -c plain > whole.gz; head -c 500 whole.gz > cut.gz");
    oracle_fails(spark_count(spark_text_file(sc, "cut.gz", 0), &n), SPARK_EIO,
        "cannot unpack cut.gz: gzip ended with status 1: gzip: stdin: unexpected end of file");
    shell("(cat whole.gz; echo more) > more.gz");
    oracle_fails(spark_count(spark_text_file(sc, "more.gz", 0), &n), SPARK_EIO,
        "gzip ended with status 2: gzip: stdin: decompression OK, trailing garbage ignored");
    assert_null(strchr(spark_last_error()->message, '\n'));
    oracle_close(sc);
}

static void test_compressed__a_program_that_is_missing_has_a_package(void **state)
{
    (void)state;
    char *path = strdup(getenv("PATH"));
    spark_context *sc = oracle_open(1);
    assert_non_null(path);
    setenv("PATH", "/nowhere", 1);
    for (size_t i = 0; i < LENGTH(codecs); i++) {
        char name[40], want[200];
        int64_t n;
        snprintf(name, sizeof name, "a%s", codecs[i].suffix);
        snprintf(want, sizeof want, "cannot unpack %s: there is no program %s; install the package %s",
            name, i + 1 < LENGTH(codecs) ? codecs[i].program : "python3 or pigz", codecs[i].package);
        put(name, "anything");
        oracle_fails(spark_count(spark_text_file(sc, name, 0), &n), SPARK_EIO, want);
    }
    setenv("PATH", path, 1);
    free(path);
    oracle_close(sc);
}

static void test_compressed__rows_of_csv_and_json(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_csv_options header = { .header = true };
    int64_t n;
    put("a.csv", "n,city\n7,Rome\n8,\"New\nYork\"\n");
    put("b.json", "{\"city\":\"Rome\",\"n\":7}\n\n{\"n\":8,\"city\":\"Oslo\"}\n");
    put("c.csv", "city,n\nRome,7\nOslo,8\nBerlin,x\n");
    shell("gzip -f a.csv c.csv; gzip -kf b.json");
    oracle_collects(spark_read_csv(sc, "a.csv.gz", SPARK_TYPE(sale),
                        &(spark_csv_options) { .header = true, .multi_line = true }),
        "(Rome,7) (New\nYork,8)");
    oracle_collects(spark_read_json(sc, "b.json.gz", SPARK_TYPE(sale), NULL), "(Rome,7) (Oslo,8)");
    oracle_fails(spark_count(spark_read_csv(sc, "c.csv.gz", SPARK_TYPE(sale), &header), &n),
        SPARK_EIO, "cannot read \"x\" as i64: c.csv.gz:4:8, column \"n\"");
    spark_rdd *found = spark_read_csv(
        sc, "c.csv.gz", NULL, &(spark_csv_options) { .header = true, .infer_schema = true });
    oracle_collects(found, "(Rome,7) (Oslo,8) (Berlin,x)");
    oracle_close(sc);
}

SPARK_MAP(no_oslo, sale, int64_t)
{
    if (in->n == 8)
        spark_fail(task, "not this one");
    *out = in->n;
}
SPARK_MAP(no_second, spark_str, int64_t)
{
    if (in->ptr[0] == 's')
        spark_fail(task, "not this one");
    *out = 1;
}

static void test_compressed__a_failure_finds_its_line(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    int64_t n;
    put("c.csv", "city,n\nRome,7\nOslo,8\nBerlin,9\n");
    put("t", "first\nsecond\n");
    shell("gzip -f c.csv; gzip -f t");
    spark_rdd *sales
        = spark_read_csv(sc, "c.csv.gz", SPARK_TYPE(sale), &(spark_csv_options) { .header = true });
    oracle_fails(spark_count(spark_map(sales, no_oslo, NULL), &n), SPARK_ETASK, "not this one");
    assert_string_equal(spark_last_error()->file, "c.csv.gz");
    assert_int_equal(spark_last_error()->line, 3);
    oracle_fails(spark_count(spark_map(spark_text_file(sc, "t.gz", 0), no_second, NULL), &n),
        SPARK_ETASK, "not this one");
    assert_int_equal(spark_last_error()->line, 2);
    oracle_close(sc);
}

static void test_compressed__binary_files_are_as_they_are(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_array all;
    int64_t n;
    put("t", "some text, some text, some text\n");
    shell("gzip -kf t");
    oracle_ok(spark_collect(spark_whole_text_files(sc, "t.gz", 0), SPARK_TYPE(file), &all));
    assert_int_equal(SPARK_ITEMS(file, &all)[0].value.len, 32);
    spark_array_free(&all);
    oracle_ok(spark_collect(spark_binary_files(sc, "t.gz", 0), SPARK_TYPE(blob), &all));
    assert_memory_equal(SPARK_ITEMS(blob, &all)[0].value.ptr, "\x1f\x8b\x08", 3);
    spark_array_free(&all);
    oracle_fails(spark_count(spark_binary_records(sc, "t.gz", 4), &n), SPARK_EIO,
        "t.gz is compressed; binary_records reads files as they are");
    shell("cp t.gz packed; printf '\\377\\376a\\0' | gzip > wide.gz");
    oracle_fails(spark_count(spark_text_file(sc, "packed", 0), &n), SPARK_EIO,
        "packed is not plain text: it is compressed by gzip; give it its suffix, or read");
    oracle_fails(spark_count(spark_text_file(sc, "wide.gz", 0), &n), SPARK_EIO,
        "wide.gz is not plain text: it is in UTF-16");
    oracle_close(sc);
}

static void test_compressed__who_has_seen_enough_ends_the_program(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_array some;
    shell("yes 'a line of a file that is long' | head -n 300000 | gzip -1 > long.gz");
    for (int i = 0; i < 10; i++) {
        SPARK_SCOPED(sc);
        oracle_ok(spark_take(spark_text_file(sc, "long.gz", 2), 3, NULL, &some));
        assert_int_equal(some.n, 3);
        spark_array_free(&some);
        assert_true(childless());
    }
    oracle_close(sc);
}

/* A program that prints a line and then waits for ever, in the place of gzip. */
static void test_compressed__a_program_that_hangs_is_cancelled_with_its_job(void **state)
{
    (void)state;
    char *path = strdup(getenv("PATH")), *mine;
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .master = "local-cluster[2,1,256]", .task_timeout_ms = 0 });
    assert_non_null(path);
    assert_int_equal(mkdir("bin", 0777), 0);
    put("bin/gzip", "#!/bin/sh\necho one\nexec sleep 1000\n");
    put("x.gz", "anything");
    assert_int_equal(chmod("bin/gzip", 0755), 0);
    char here[512];
    assert_non_null(getcwd(here, sizeof here));
    assert_true(asprintf(&mine, "%s/bin:%s", here, path) > 0);
    setenv("PATH", mine, 1);
    spark_future *f = spark_count_async(spark_text_file(sc, "x.gz", 0));
    while (spark_future_job(f) < 0)
        usleep(1000);
    usleep(50000);
    spark_future_cancel(f);
    int64_t n = 0;
    oracle_fails(spark_future_count(f, &n), SPARK_ECANCELLED, "cancel");
    assert_true(childless());
    f = spark_count_async(spark_text_file(sc, "x.gz", 0));
    while (spark_future_job(f) < 0)
        usleep(1000);
    usleep(50000);
    setenv("PATH", path, 1); /* the next attempt finds one that does not hang */
    shell("printf 'one\\ntwo\\n' | gzip > x.gz");
    spark_executor_info info[2];
    const size_t executors = spark_executors(sc, info, 2);
    for (size_t i = 0; i < executors; i++)
        oracle_ok(spark_kill_executor(sc, info[i].id, NULL));
    oracle_ok(spark_future_count(f, &n));
    assert_int_equal(n, 2);
    free(path);
    free(mine);
    oracle_close(sc);
}

static void test_compressed__many_files_need_few_descriptors(void **state)
{
    enum { FILES = 200 };
    (void)state;
    struct rlimit before, few;
    shell("mkdir many; for i in $(seq %d); do echo line $i | gzip > many/$i.gz; done", FILES);
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    spark_context *sc = oracle_open(4);
    assert_int_equal(oracle_count(spark_text_file(sc, "many", 2)), FILES);
    assert_int_equal(oracle_count(spark_whole_text_files(sc, "many", 2)), FILES);
    assert_int_equal(
        oracle_count(spark_coalesce(spark_text_file(sc, "many", 2), 2)), FILES);
    oracle_close(sc);
    setrlimit(RLIMIT_NOFILE, &before);
}

static void test_compressed__with_faults_and_little_memory(void **state)
{
    (void)state;
    make_lines("plain", 5000, 3);
    shell("gzip -c plain > a.gz; mkdir some; for i in 1 2 3 4 5; do cp a.gz some/$i.gz; done");
    spark_context *sc = oracle_open(1);
    const int64_t want = oracle_count(spark_text_file(sc, "some", 2));
    oracle_close(sc);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        const spark_fault faults[] = { { SPARK_FAULT_RANDOM, .rate = 0.3, .seed = seed } };
        sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 64 << 20,
            .faults = faults, .n_faults = LENGTH(faults) });
        assert_int_equal(oracle_count(spark_text_file(sc, "some", 2)), want);
        oracle_close(sc);
    }
}

static void test_compressed__how_a_program_ends_must_be_known(void **state)
{
    (void)state;
    int64_t n;
    put("t", "one\n");
    shell("gzip -f t");
    signal(SIGCHLD, SIG_IGN);
    spark_context *sc = oracle_open(1);
    oracle_fails(spark_count(spark_text_file(sc, "t.gz", 0), &n), SPARK_EIO,
        "cannot unpack t.gz: how gzip ended is not known, for this process ignores SIGCHLD");
    oracle_close(sc);
    signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        compressed_test(test_compressed__files_hold_the_same_lines),
        compressed_test(test_compressed__streams_one_behind_the_other_are_one_text),
        compressed_test(test_compressed__damaged_files_are_errors_that_name_them),
        compressed_test(test_compressed__errors_have_the_words_of_the_program),
        compressed_test(test_compressed__a_program_that_is_missing_has_a_package),
        compressed_test(test_compressed__rows_of_csv_and_json),
        compressed_test(test_compressed__a_failure_finds_its_line),
        compressed_test(test_compressed__binary_files_are_as_they_are),
        compressed_test(test_compressed__who_has_seen_enough_ends_the_program),
        compressed_test(test_compressed__a_program_that_hangs_is_cancelled_with_its_job),
        compressed_test(test_compressed__many_files_need_few_descriptors),
        compressed_test(test_compressed__with_faults_and_little_memory),
        compressed_test(test_compressed__how_a_program_ends_must_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
