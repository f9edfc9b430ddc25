/* SPDX-License-Identifier: Apache-2.0 */
/* Saving with options: what is where under each mode, with each codec, with directories for values; what
 * is left when the process is killed; against find, the codecs' own programs, and what is read back. A
 * program that is not installed is not tested. */
#define SCRATCH_IN_MEMORY 1
#include "file_test.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

SPARK_STRUCT(sale, (spark_str, city), (int32_t, year), (spark_opt_f64, fare));
SPARK_STRUCT(line_of, (int64_t, key), (spark_str, text));
SPARK_STRUCT(typed, (bool, b), (int8_t, i), (double, f), (spark_date, d), (spark_time, t),
    (spark_opt_i64, o), (spark_str, s), (int64_t, id));

SPARK_MAP(to_sale, int64_t, sale)
{
    static const char *const cities[] = { "Rome", "Oslo", "Bern" };
    *out = (sale) { { cities[*in % 3], 4 }, (int32_t)(2020 + *in % 2),
        { *in % 4 != 0, (double)*in / 2 } };
}
SPARK_MAP(to_line, int64_t, line_of)
{
    *out = (line_of) { *in % 1000, spark_str_format(task, "%" PRId64, *in) };
}

SPARK_MAP(to_one_key, int64_t, line_of)
{
    *out = (line_of) { 7, spark_str_format(task, "%" PRId64, *in) };
}
SPARK_MAP(to_number, spark_str, int64_t)
{
    *out = 0;
    for (size_t i = 0; i < in->len; i++)
        *out = *out * 10 + (in->ptr[i] - '0');
}

/* shell: what a command prints, with one blank for each line end. */
static const char *shell(const char *command)
{
    static char text[8192];
    FILE *from = popen(command, "r");
    assert_non_null(from);
    const size_t n = fread(text, 1, sizeof text - 1, from);
    assert_int_equal(pclose(from), 0);
    text[n] = '\0';
    for (char *p = text; *p; p++)
        *p = *p == '\n' ? (p[1] ? ' ' : '\0') : *p;
    return text;
}

/* files: all below a directory, hidden ones as well; the id of a save is ID. */
static const char *files(const char *directory)
{
    char command[400];
    snprintf(command, sizeof command,
        "cd %s && find . -type f -o -type d -empty | sed -E 's/^..//;s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/ID/'"
        " | LC_ALL=C sort", directory);
    return shell(command);
}

static spark_rdd *numbers(spark_context *sc, int64_t from, int64_t to, int n)
{
    return spark_range(sc, from, to, 1, n);
}

static void has_numbers(spark_context *sc, const char *path, const char *want)
{
    oracle_has_layout(spark_coalesce(spark_text_file(sc, path, 1), 1), want);
}

static int last_job(spark_context *sc)
{
    spark_job_stats stats;
    oracle_ok(spark_job_stats_get(sc, SPARK_ANY, &stats));
    return stats.job;
}

#define SAVE(...) (&(spark_save_options) { __VA_ARGS__ })
#define JSON(...) &(spark_json_options) { __VA_ARGS__ }
#define CSV(...) (&(spark_csv_options) { __VA_ARGS__ })

static void test_save__modes_of_text(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_write_text(numbers(sc, 0, 3, 2), "out", NULL));
    assert_string_equal(files("out"), "_SUCCESS part-00000-ID-c000.txt part-00001-ID-c000.txt");
    oracle_fails(spark_write_text(numbers(sc, 0, 3, 2), "out", SAVE(0)), SPARK_EIO,
        "write_text at ");
    oracle_fails(spark_write_text(numbers(sc, 0, 3, 2), "out", SAVE(.mode = SPARK_SAVE_ERROR)),
        SPARK_EIO, "Output directory out already exists: choose another one or remove it");
    oracle_ok(spark_write_text(numbers(sc, 3, 5, 2), "out", SAVE(.mode = SPARK_SAVE_APPEND)));
    assert_string_equal(files("out"), "_SUCCESS part-00000-ID-c000.txt part-00001-ID-c000.txt "
                                      "part-00002-ID-c000.txt part-00003-ID-c000.txt");
    has_numbers(sc, "out", "0 1 2 3 4");
    const int jobs = last_job(sc);
    oracle_ok(spark_write_text(numbers(sc, 7, 9, 2), "out", SAVE(.mode = SPARK_SAVE_IGNORE)));
    assert_int_equal(last_job(sc), jobs);
    has_numbers(sc, "out", "0 1 2 3 4");
    oracle_ok(spark_write_text(numbers(sc, 7, 9, 1), "out", SAVE(.mode = SPARK_SAVE_OVERWRITE)));
    assert_string_equal(files("."), "out/_SUCCESS out/part-00000-ID-c000.txt");
    has_numbers(sc, "out", "7 8");
    /* Each of them where there is nothing yet. */
    for (int mode = SPARK_SAVE_ERROR; mode <= SPARK_SAVE_IGNORE; mode++) {
        char path[32];
        snprintf(path, sizeof path, "deep/new%d", mode);
        oracle_ok(spark_write_text(numbers(sc, 0, 2, 1), path, SAVE(.mode = (spark_save_mode)mode)));
        has_numbers(sc, path, "0 1");
    }
    oracle_fails(spark_write_text(numbers(sc, 0, 1, 1), "x", SAVE(.mode = (spark_save_mode)9)),
        SPARK_EINVAL, "option mode is none");
    oracle_close(sc);
}

static void test_save__an_overwrite_may_read_what_it_replaces(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_write_text(numbers(sc, 0, 1000, 3), "out", NULL));
    assert_int_equal(mkdir("out/other", 0777), 0);
    scratch_write("out/other/_hidden", "x", 1);
    assert_int_equal(rmdir("out/other/../other") == 0, 0);
    assert_int_equal(unlink("out/other/_hidden"), 0);
    assert_int_equal(rmdir("out/other"), 0);
    assert_int_equal(symlink("out", "link"), 0);
    spark_rdd *old = spark_text_file(sc, "out", 4);
    oracle_ok(spark_write_text(old, "link", SAVE(.mode = SPARK_SAVE_OVERWRITE)));
    int64_t n;
    oracle_ok(spark_count(spark_text_file(sc, "out", 4), &n));
    assert_int_equal(n, 1000);
    assert_string_equal(shell("ls -A; readlink link"), "link out out");
    scratch_write("file", "x", 1);
    oracle_fails(spark_write_text(numbers(sc, 0, 1, 1), "file", SAVE(.mode = SPARK_SAVE_OVERWRITE)),
        SPARK_EIO, "file is a file: remove it");
    oracle_fails(spark_write_text(numbers(sc, 0, 1, 1), ".", SAVE(.mode = SPARK_SAVE_OVERWRITE)),
        SPARK_EINVAL, "holds the working directory");
    oracle_close(sc);
}

SPARK_MAP(fails_on_70, int64_t, int64_t)
{
    if (*in == 70)
        spark_fail(task, "seventy");
    *out = *in;
}

static void test_save__a_job_that_fails_leaves_what_was_there(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *bad = spark_map(numbers(sc, 0, 100, 4), fails_on_70, NULL);
    for (int mode = SPARK_SAVE_ERROR; mode <= SPARK_SAVE_IGNORE; mode++) {
        oracle_fails(spark_write_text(bad, "new", SAVE(.mode = (spark_save_mode)mode)), SPARK_ETASK,
            "seventy");
        assert_int_equal(access("new", F_OK), -1);
    }
    oracle_ok(spark_write_text(numbers(sc, 0, 5, 1), "out", NULL));
    for (int mode = SPARK_SAVE_APPEND; mode <= SPARK_SAVE_OVERWRITE; mode++) {
        oracle_fails(spark_write_text(bad, "out", SAVE(.mode = (spark_save_mode)mode)), SPARK_ETASK,
            "seventy");
        assert_string_equal(files("."), "out/_SUCCESS out/part-00000-ID-c000.txt");
        has_numbers(sc, "out", "0 1 2 3 4");
    }
    oracle_close(sc);
}

static void test_save__object_files_and_csv_have_modes(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_write_object_file(numbers(sc, 0, 4, 2), "o", NULL));
    oracle_ok(spark_write_object_file(numbers(sc, 4, 6, 1), "o", SAVE(.mode = SPARK_SAVE_APPEND)));
    oracle_has_layout(spark_object_file(sc, "o", SPARK_TYPE(int64_t)), "0 1 | 2 3 | 4 5");
    oracle_ok(spark_write_object_file(numbers(sc, 9, 10, 1), "o", SAVE(.mode = SPARK_SAVE_OVERWRITE)));
    oracle_has_layout(spark_object_file(sc, "o", SPARK_TYPE(int64_t)), "9");
    oracle_fails(spark_write_object_file(numbers(sc, 0, 4, 2), "p", SAVE(.compression = "gzip")),
        SPARK_EINVAL, "compression is not for object files");
    spark_rdd *sales = spark_map(numbers(sc, 0, 6, 2), to_sale, NULL);
    oracle_ok(spark_write_csv(sales, "c", CSV(.header = true)));
    oracle_ok(spark_write_csv(sales, "c", CSV(.header = true, .save = { .mode = SPARK_SAVE_APPEND })));
    int64_t n;
    oracle_ok(spark_count(spark_read_csv(sc, "c", SPARK_TYPE(sale), CSV(.header = true)), &n));
    assert_int_equal(n, 12);
    oracle_ok(spark_write_json(sales, "j", &(spark_json_options) { .save = { .compression = "gzip",
        .partition_by = SPARK_COLUMNS("city") } }));
    assert_string_equal(shell("gzip -dc j/city=Oslo/*.json.gz"),
        "{\"year\":2021,\"fare\":0.5} {\"year\":2020}");
    oracle_ok(spark_write_csv(sales, "c", CSV(.save = { .mode = SPARK_SAVE_OVERWRITE })));
    assert_string_equal(shell("cat c/*.csv"), "Rome,2020, Oslo,2021,0.5 Bern,2020,1.0 "
                                              "Rome,2021,1.5 Oslo,2020, Bern,2021,2.5");
    oracle_close(sc);
}

static const struct {
    const char *name, *program, *suffix, *unpack;
} codecs[] = { { "gzip", "gzip", ".gz", "gzip -dc" }, { "BZIP2", "bzip2", ".bz2", "bzip2 -dc" },
    { "xz", "xz", ".xz", "xz -dc" }, { "zstd", "zstd", ".zst", "zstd -dcq" },
    { "lz4", "lz4", ".lz4", "lz4 -dc" },
    { "deflate", "python3", ".deflate",
        "python3 -c 'import sys,zlib;sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))'" } };

static bool is_installed(const char *program)
{
    char command[100];
    snprintf(command, sizeof command, "command -v %s > /dev/null", program);
    return system(command) == 0;
}

static void test_save__codecs(void **state)
{
    enum { N = 100000 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < LENGTH(codecs); i++) {
        char command[500], path[40], want[60];
        if (!is_installed(codecs[i].program)) {
            print_message("    %s is not installed\n", codecs[i].program);
            continue;
        }
        for (int keyed = 0; keyed < 2; keyed++) {
            static const char *const by[] = { "key", NULL };
            int64_t n;
            snprintf(path, sizeof path, "%s%d", codecs[i].name, keyed);
            spark_rdd *lines = spark_map(numbers(sc, 0, keyed ? 40 : N, 2), to_line, NULL);
            oracle_ok(spark_write_csv(lines, path,
                CSV(.save = { .compression = codecs[i].name, .partition_by = keyed ? by : NULL })));
            snprintf(command, sizeof command,
                "find %s -name '*.csv%s' | while read f; do %s < $f; done | cut -d, -f%d | sort -n | "
                "awk '$1 != NR - 1 { exit 1 } END { print NR }'",
                path, codecs[i].suffix, codecs[i].unpack, keyed ? 1 : 2);
            snprintf(want, sizeof want, "%d", keyed ? 40 : N);
            assert_string_equal(shell(command), want);
            snprintf(command, sizeof command, "find %s -type f ! -name '*.csv%s'", path, codecs[i].suffix);
            snprintf(want, sizeof want, "%s/_SUCCESS", path);
            assert_string_equal(shell(command), want);
            if (!keyed) {
                oracle_ok(spark_count(spark_text_file(sc, path, 1), &n));
                assert_int_equal(n, N);
            }
        }
    }
    oracle_fails(spark_write_text(numbers(sc, 0, 3, 1), "s", SAVE(.compression = "snappy")),
        SPARK_EINVAL, "compression: snappy is not known: none, gzip");
    oracle_ok(spark_write_text(numbers(sc, 0, 3, 1), "s", SAVE(.compression = "None")));
    oracle_close(sc);
}

/* A program that is not there, that fails, that says why, that stops reading. */
static void test_save__programs_that_pack_badly(void **state)
{
    static const struct {
        const char *script, *message;
    } bad[] = {
        { NULL, "there is no program xz; install the package xz-utils" },
        { "#!/bin/sh\nexec cat\n", NULL },
        { "#!/bin/sh\nexec cat > /dev/null\n", "xz wrote nothing" },
        { "#!/bin/sh\ncat > /dev/null; echo no luck >&2; exit 3\n",
            "xz ended with status 3: no luck" },
        { "#!/bin/sh\nexit 0\n", "xz stopped reading" },
        { "#!/bin/sh\nkill -9 $$\n", "xz ended with status 137" },
        { "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2; cat > /dev/null; exit 1\n",
            "xz ended with status 1: xxx" },
    };
    (void)state;
    char path[200];
    const char *before = getenv("PATH");
    char *kept = strdup(before ? before : "");
    spark_context *sc = oracle_open(2);
    assert_int_equal(mkdir("bin", 0777), 0);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        snprintf(path, sizeof path, "%s/bin", scratch_path);
        if (bad[i].script) {
            scratch_write("bin/xz", bad[i].script, strlen(bad[i].script));
            assert_int_equal(chmod("bin/xz", 0777), 0);
            snprintf(path, sizeof path, "%s/bin:/usr/bin:/bin", scratch_path);
        }
        setenv("PATH", path, 1);
        const spark_status status
            = spark_write_text(numbers(sc, 0, 200000, 2), "out", SAVE(.compression = "xz"));
        setenv("PATH", kept, 1);
        if (bad[i].message) {
            oracle_fails(status, SPARK_EIO, bad[i].message);
            assert_int_equal(access("out", F_OK), -1);
        } else {
            oracle_ok(status);
            assert_int_equal(system("rm -r out"), 0);
        }
    }
    free(kept);
    oracle_close(sc);
}

static void test_save__directories_for_values(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *sales = spark_map(numbers(sc, 0, 12, 2), to_sale, NULL);
    oracle_ok(spark_write_csv(sales, "out",
        CSV(.header = true, .save = { .partition_by = SPARK_COLUMNS("year", "city") })));
    assert_string_equal(files("out"),
        "_SUCCESS "
        "year=2020/city=Bern/part-00000-ID.c000.csv year=2020/city=Bern/part-00001-ID.c000.csv "
        "year=2020/city=Oslo/part-00000-ID.c000.csv year=2020/city=Oslo/part-00001-ID.c000.csv "
        "year=2020/city=Rome/part-00000-ID.c000.csv year=2020/city=Rome/part-00001-ID.c000.csv "
        "year=2021/city=Bern/part-00000-ID.c000.csv year=2021/city=Bern/part-00001-ID.c000.csv "
        "year=2021/city=Oslo/part-00000-ID.c000.csv year=2021/city=Oslo/part-00001-ID.c000.csv "
        "year=2021/city=Rome/part-00000-ID.c000.csv year=2021/city=Rome/part-00001-ID.c000.csv");
    assert_string_equal(shell("cat out/year=2020/city=Oslo/*"), "fare \"\" fare 5.0");
    oracle_ok(spark_write_csv(sales, "out", CSV(.save = { .mode = SPARK_SAVE_APPEND,
        .partition_by = SPARK_COLUMNS("year"), .max_records_per_file = 2 })));
    assert_string_equal(files("out/year=2020"),
        "city=Bern/part-00000-ID.c000.csv city=Bern/part-00001-ID.c000.csv "
        "city=Oslo/part-00000-ID.c000.csv city=Oslo/part-00001-ID.c000.csv "
        "city=Rome/part-00000-ID.c000.csv city=Rome/part-00001-ID.c000.csv "
        "part-00002-ID.c000.csv part-00002-ID.c001.csv part-00003-ID.c000.csv part-00003-ID.c001.csv");
    assert_string_equal(shell("cat out/year=2020/*.csv"),
        "Rome, Bern,1.0 Oslo, Rome,3.0 Bern, Oslo,5.0");
    /* Values of all kinds, as Spark casts them to strings, and escapes them. */
    static const typed rows[] = {
        { true, -5, 1.5, { 19782 }, { 1709201472500000 }, { true, 7 }, { "a/b=c%d:\x01 e'", 12 }, 1 },
        { false, 0, 1e10, { 0 }, { 0 }, { false, 0 }, { "", 0 }, 2 },
        { false, 0, 1e10, { 0 }, { 0 }, { false, 0 }, { "..", 2 }, 3 },
    };
    spark_rdd *of_kinds = spark_parallelize(sc, SPARK_DATA_OF(typed, rows), 1);
    oracle_ok(spark_write_csv(of_kinds, "kinds",
        CSV(.save = { .partition_by = SPARK_COLUMNS("b", "i", "f", "d", "t", "o", "s") })));
    assert_string_equal(shell("cd kinds && find . -type f -name '*.csv' | sed 's|/part.*||' | sort"),
        "./b=false/i=0/f=1.0E10/d=1970-01-01/t=1970-01-01 00%3A00%3A00/"
        "o=__HIVE_DEFAULT_PARTITION__/s=.. "
        "./b=false/i=0/f=1.0E10/d=1970-01-01/t=1970-01-01 00%3A00%3A00/"
        "o=__HIVE_DEFAULT_PARTITION__/s=__HIVE_DEFAULT_PARTITION__ "
        "./b=true/i=-5/f=1.5/d=2024-02-29/t=2024-02-29 10%3A11%3A12.5/o=7/"
        "s=a%2Fb%3Dc%25d%3A%01 e%27");
    /* Lines. */
    spark_rdd *lines = spark_map(numbers(sc, 0, 3000, 1), to_line, NULL);
    oracle_ok(spark_write_text(lines, "text", SAVE(.partition_by = SPARK_COLUMNS("key"))));
    assert_string_equal(shell("cat text/key=7/*.txt"), "7 1007 2007");
    oracle_fails(spark_write_text(sales, "t", SAVE(.partition_by = SPARK_COLUMNS("city"))),
        SPARK_EINVAL, "must leave one member of text");
    oracle_fails(spark_write_csv(sales, "t", CSV(.save = { .partition_by = SPARK_COLUMNS("town") })),
        SPARK_ETYPE, "partition_by: \"town\" is no member of the rows");
    oracle_fails(spark_write_csv(sales, "t", CSV(.save = { .partition_by = SPARK_COLUMNS("city", "city") })),
        SPARK_EINVAL, "\"city\" is named twice");
    scratch_write("hidden.csv", ".x,y\n1,2\n", 9);
    oracle_fails(spark_write_csv(spark_read_csv(sc, "hidden.csv", NULL, CSV(.header = true)), "t",
                     CSV(.save = { .partition_by = SPARK_COLUMNS(".x") })),
        SPARK_EINVAL, "\".x\" begins with a point");
    oracle_fails(spark_write_csv(sales, "t",
                     CSV(.save = { .partition_by = SPARK_COLUMNS("city", "year", "fare") })),
        SPARK_EINVAL, "names all members");
    oracle_fails(spark_write_text(numbers(sc, 0, 1, 1), "t", SAVE(.partition_by = SPARK_COLUMNS("x"))),
        SPARK_ETYPE, "the rows have no members");
    assert_int_equal(access("t", F_OK), -1);
    oracle_close(sc);
}

SPARK_STRUCT(found, (spark_str, city), (spark_opt_f64, fare), (int64_t, year));

/* What is written is read back, by name and with types that are found. */
static void test_save__directories_are_columns(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *sales = spark_map(numbers(sc, 0, 12, 2), to_sale, NULL);
    oracle_ok(spark_write_csv(sales, "out",
        CSV(.header = true, .save = { .partition_by = SPARK_COLUMNS("year", "city") })));
    spark_rdd *typed_ones = spark_read_csv(sc, "out", SPARK_TYPE(found), CSV(.header = true));
    oracle_has_layout(spark_coalesce(spark_read_csv(sc, "out", SPARK_TYPE(found),
                          CSV(.header = true, .min_partitions = 1)), 1),
        "(Bern,1,2020) (Bern,,2020) (Oslo,,2020) (Oslo,5,2020) (Rome,,2020) (Rome,3,2020) "
        "(Bern,2.5,2021) (Bern,5.5,2021) (Oslo,0.5,2021) (Oslo,3.5,2021) (Rome,1.5,2021) (Rome,4.5,2021)");
    int64_t n;
    oracle_ok(spark_count(typed_ones, &n));
    assert_int_equal(n, 12);
    spark_rdd *untyped = spark_read_csv(sc, "out", NULL, CSV(.header = true, .infer_schema = true));
    const spark_type *type = spark_rdd_type(untyped);
    assert_non_null(type);
    assert_int_equal(type->count, 3);
    assert_string_equal(type->fields[0].name, "fare");
    assert_string_equal(type->fields[1].name, "year");
    assert_int_equal(spark_field_value_type(&type->fields[1])->kind, SPARK_KIND_I32);
    assert_int_equal(spark_field_value_type(&type->fields[2])->kind, SPARK_KIND_STR);
    spark_array all;
    oracle_ok(spark_collect(untyped, NULL, &all));
    assert_int_equal(all.n, 12);
    spark_str city;
    int64_t year;
    assert_true(spark_row_i64(spark_row_of(&all, 11), &type->fields[1], &year));
    assert_int_equal(year, 2021);
    assert_true(spark_row_str(spark_row_of(&all, 11), &type->fields[2], &city));
    assert_int_equal(memcmp(city.ptr, "Rome", 4), 0);
    spark_array_free(&all);
    oracle_fails(spark_count(spark_read_csv(sc, "out/year=2020/city=Rome", SPARK_TYPE(found),
                                 CSV(.header = true)), &n),
        SPARK_EIO, "no column \"city\"");
    oracle_ok(spark_count(spark_read_csv(sc, "out/year=2020/city=Rome", SPARK_TYPE(found),
                              CSV(.header = true, .base_path = "out/")), &n));
    assert_int_equal(n, 2);
    oracle_ok(spark_write_csv(sales, "out", CSV(.header = true, .save = { .mode = SPARK_SAVE_APPEND,
        .partition_by = SPARK_COLUMNS("city") })));
    oracle_fails(spark_count(spark_read_csv(sc, "out", SPARK_TYPE(found), CSV(.header = true)), &n),
        SPARK_EIO, "directories for values are not the same below out");
    /* Values of all kinds. */
    static const typed rows[] = {
        { true, -5, 1.5, { 19782 }, { 1709201472500000 }, { true, 7 }, { "a/b=c%d:\x01 e'", 12 }, 1 },
        { false, 0, 1e10, { 0 }, { 0 }, { false, 0 }, { "..", 2 }, 3 },
    };
    oracle_ok(spark_write_csv(spark_parallelize(sc, SPARK_DATA_OF(typed, rows), 1), "kinds",
        CSV(.save = { .partition_by = SPARK_COLUMNS("b", "i", "f", "d", "t", "o", "s") })));
    oracle_ok(spark_collect(spark_read_csv(sc, "kinds", SPARK_TYPE(typed), CSV(.min_partitions = 1)), NULL, &all));
    const typed *back = SPARK_ITEMS(typed, &all);
    assert_int_equal(all.n, 2);
    for (int i = 0; i < 2; i++) { /* false comes before true */
        const typed *was = &rows[1 - i];
        assert_true(back[i].b == was->b && back[i].i == was->i && back[i].f == was->f
            && back[i].d.days == was->d.days && back[i].t.micros == was->t.micros
            && back[i].o.present == was->o.present && back[i].id == was->id
            && back[i].s.len == was->s.len && memcmp(back[i].s.ptr, was->s.ptr, was->s.len) == 0);
    }
    spark_array_free(&all);
    oracle_close(sc);
}

SPARK_STRUCT(more_found, (spark_str, city), (spark_opt_f64, fare), (int64_t, year), (spark_opt_str, _corrupt_record));

/* The same of objects, which may have been damaged: bad records of such files have policies as well. */
static void test_save__directories_are_columns_of_json(void **state)
{
    (void)state;
    int64_t n, records;
    spark_context *sc = oracle_open(2);
    spark_rdd *sales = spark_map(numbers(sc, 0, 12, 2), to_sale, NULL);
    oracle_ok(spark_write_json(sales, "out", JSON(.save = { .partition_by = SPARK_COLUMNS("year", "city") })));
    static const char want[]
        = "(Bern,1,2020) (Bern,,2020) (Oslo,,2020) (Oslo,5,2020) (Rome,,2020) (Rome,3,2020) "
          "(Bern,2.5,2021) (Bern,5.5,2021) (Oslo,0.5,2021) (Oslo,3.5,2021) (Rome,1.5,2021) (Rome,4.5,2021)";
    for (int i = 0; i < 3; i++)
        oracle_has_layout(spark_coalesce(spark_read_json(sc, "out", SPARK_TYPE(found),
                              JSON(.min_partitions = 1, .multi_line = i == 1, .mode = (spark_read_mode)i)), 1),
            want);
    spark_rdd *untyped = spark_read_json(sc, "out", NULL, NULL);
    const spark_type *type = spark_rdd_type(untyped);
    assert_non_null(type);
    assert_int_equal(type->count, 3);
    assert_string_equal(type->fields[0].name, "fare");
    assert_string_equal(type->fields[1].name, "year");
    assert_int_equal(spark_field_value_type(&type->fields[1])->kind, SPARK_KIND_I32);
    assert_int_equal(spark_field_value_type(&type->fields[2])->kind, SPARK_KIND_STR);
    assert_int_equal(oracle_count(untyped), 12);
    assert_int_equal(oracle_count(spark_read_json(sc, "out/year=2020/city=Rome", SPARK_TYPE(found),
                         JSON(.base_path = "out/"))), 2);
    oracle_fails(spark_count(spark_read_json(sc, "out/year=2020/city=Rome", SPARK_TYPE(found), NULL), &n),
        SPARK_EIO, "member \"city\"");
    /* What is in the objects under the name of a key is not looked at; what is no JSON is a row of the directory. */
    static const char text[] = "{\"fare\":7,\"city\":\"Bonn\"}\n{\"fare\":\n";
    scratch_write("out/year=2020/city=Rome/part-x.json", text, sizeof text - 1);
    spark_rdd *damaged = spark_read_json(sc, "out/year=2020/city=Rome", SPARK_TYPE(more_found),
        JSON(.base_path = "out", .min_partitions = 1));
    oracle_has_layout(spark_coalesce(damaged, 1),
        "(Rome,,2020,) (Rome,3,2020,) (Rome,7,2020,) (Rome,,2020,{\"fare\":)");
    spark_rdd *bad = spark_on_bad_records(
        spark_read_json(sc, "out", SPARK_TYPE(found), NULL), &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
    assert_int_equal(oracle_count(bad), 13);
    assert_int_equal(spark_bad_count(bad, &records), 1);
    assert_int_equal(records, 14);
    oracle_has_layout(spark_coalesce(spark_bad_records(bad), 1),
        "(out/year=2020/city=Rome/part-x.json,2,{\"fare\":,the text ends too early)");
    oracle_close(sc);
}

/* A base path that is not above a file is an error, and so is one that is written in another way. */
static void test_save__base_path_is_above_the_files(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open(1);
    spark_rdd *sales = spark_map(numbers(sc, 0, 12, 1), to_sale, NULL);
    oracle_ok(spark_write_csv(sales, "out", CSV(.header = true, .save = { .partition_by = SPARK_COLUMNS("year") })));
    oracle_ok(spark_write_json(sales, "more", JSON(.save = { .partition_by = SPARK_COLUMNS("year") })));
    static const char *const bases[] = { "other", "ou", "out/year=2020/x", "./out", "/" };
    for (size_t i = 0; i < LENGTH(bases); i++) {
        oracle_fails(spark_count(spark_read_csv(sc, "out/year=2020", SPARK_TYPE(found),
                                     CSV(.header = true, .base_path = bases[i])), &n),
            SPARK_EIO, "option base_path: out/year=2020/part-");
        oracle_fails(spark_count(spark_read_json(sc, "more/year=*", NULL, JSON(.base_path = bases[i])), &n),
            SPARK_EIO, "option base_path: more/year=2020/part-");
    }
    oracle_fails(spark_count(spark_read_json(sc, "more", NULL, JSON(.base_path = "")), &n), SPARK_EINVAL,
        "option base_path");
    oracle_close(sc);
}

SPARK_STRUCT(figure, (int64_t, id), (double, f));

static void test_save__directories_of_what_is_no_number(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    static const figure rows[] = { { 1, (double)NAN }, { 2, (double)INFINITY }, { 3, -(double)INFINITY }, { 4, 1e10 } };
    spark_rdd *all = spark_parallelize(sc, SPARK_DATA_OF(figure, rows), 1);
    oracle_ok(spark_write_csv(all, "out", CSV(.header = true, .save = { .partition_by = SPARK_COLUMNS("f") })));
    assert_string_equal(shell("cd out && ls -d f=* | LC_ALL=C sort"), "f=-Infinity f=1.0E10 f=Infinity f=NaN");
    spark_array back;
    spark_rdd *typed_back = spark_read_csv(sc, "out", SPARK_TYPE(figure), CSV(.header = true, .min_partitions = 1));
    oracle_ok(spark_collect(typed_back, SPARK_TYPE(figure), &back));
    assert_int_equal(back.n, 4);
    for (size_t i = 0; i < 4; i++) {
        const figure *f = &SPARK_ITEMS(figure, &back)[i], *was = &rows[f->id - 1];
        assert_true(f->f == was->f || (f->f != f->f && was->f != was->f));
    }
    spark_array_free(&back);
    spark_rdd *found_back = spark_read_csv(sc, "out", NULL, CSV(.header = true));
    assert_int_equal(spark_field_find(spark_rdd_type(found_back), "f")->type->of->kind, SPARK_KIND_F64);
    oracle_close(sc);
}

static void test_save__directories_below_globs_and_lists(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open(2);
    spark_rdd *sales = spark_map(numbers(sc, 0, 12, 1), to_sale, NULL);
    oracle_ok(spark_write_csv(
        sales, "out", CSV(.header = true, .save = { .partition_by = SPARK_COLUMNS("year", "city") })));
    static const char *const paths[] = { "out/year=*", "out/year=2020/,out/year=2021", "out/year={2020,2021}" };
    for (size_t i = 0; i < LENGTH(paths); i++) {
        spark_rdd *back = spark_read_csv(sc, paths[i], SPARK_TYPE(found), CSV(.header = true, .base_path = "out"));
        oracle_ok(spark_count(back, &n));
        assert_int_equal(n, 12);
        back = spark_read_csv(sc, paths[i], NULL, CSV(.header = true, .base_path = "out"));
        assert_int_equal(spark_rdd_type(back)->count, 3);
        oracle_fails(spark_count(spark_read_csv(sc, paths[i], NULL, CSV(.header = true)), &n), SPARK_EIO,
            "of directories key=value, base_path names the one above them");
    }
    oracle_close(sc);
}

SPARK_STRUCT(unnamed, (int64_t, _c0), (int64_t, _c1));
SPARK_MAP(to_unnamed, int64_t, unnamed)
{
    *out = (unnamed) { *in % 2, *in };
}

/* A column without a name of its own is _c0: its directories are no hidden ones. */
static void test_save__directories_of_unnamed_columns(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    int64_t n;
    spark_rdd *rows = spark_map(numbers(sc, 0, 4, 1), to_unnamed, NULL);
    const spark_csv_options o = { .header = true, .min_partitions = 1,
        .save = { .mode = SPARK_SAVE_APPEND, .partition_by = SPARK_COLUMNS("_c0") } };
    oracle_ok(spark_write_csv(rows, "out", &o));
    oracle_has_layout(
        spark_coalesce(spark_read_csv(sc, "out", SPARK_TYPE(unnamed), &o), 1), "(0,0) (0,2) (1,1) (1,3)");
    oracle_ok(spark_write_csv(rows, "out", &o));
    assert_string_equal(files("out"), "_SUCCESS _c0=0/part-00000-ID.c000.csv _c0=0/part-00001-ID.c000.csv "
                                      "_c0=1/part-00000-ID.c000.csv _c0=1/part-00001-ID.c000.csv");
    oracle_ok(spark_count(spark_read_csv(sc, "out", NULL, &o), &n));
    assert_int_equal(n, 8);
    oracle_close(sc);
}

/* What does not fit between directories for values is no reason to leave rows out. */
static void test_save__directories_that_do_not_fit(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    int64_t n;
    shell("mkdir -p out/k=1 out/old twice/k=1/k=2 && echo 1 > out/k=1/a && echo 2 > out/old/b && "
          "echo 3 > twice/k=1/k=2/c");
    oracle_fails(spark_count(spark_read_csv(sc, "out", NULL, NULL), &n), SPARK_EIO,
        "Not a file: out/old is a directory within an input directory");
    shell("mv out/old/b out");
    oracle_fails(spark_count(spark_read_csv(sc, "out", NULL, NULL), &n), SPARK_EIO,
        "Not a file: out/old is a directory within an input directory");
    shell("rmdir out/old");
    oracle_fails(spark_count(spark_read_csv(sc, "out", NULL, NULL), &n), SPARK_EIO,
        "directories for values are not the same below out");
    oracle_fails(spark_count(spark_read_csv(sc, "twice", NULL, NULL), &n), SPARK_EIO,
        "two directories for values of \"k\" in one path: twice/k=1/k=2/c");
    oracle_close(sc);
}

SPARK_MAP(to_many, int64_t, line_of)
{
    const size_t n = *in % 97 == 0 ? 70000 : (size_t)(*in % 40 * 100); /* less and more than a page */
    char *text = spark_alloc(task, n + 1);
    if (!text)
        return;
    memset(text, 'a' + (int)(*in % 26), n);
    *out = (line_of) { *in * 7919 % 499, { text, n } };
}

/* More directories, and more text, than memory is taken for: each file has its rows, in order. */
static void test_save__many_directories(void **state)
{
    enum { N = 6000 };
    (void)state;
    char digest[4][100];
    for (int i = 0; i < 4; i++) {
        char command[300];
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1 + i % 2,
            .memory_bytes = i < 2 ? 64 << 20 : 0,
            .batch_rows = i == 1 ? 7 : 0,
            .faults = &(spark_fault) { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .rate = 0.2, .seed = 3 },
            .n_faults = i == 3 });
        spark_rdd *many = spark_map(numbers(sc, 0, N, 2), to_many, NULL);
        oracle_ok(spark_write_text(many, "out", SAVE(.mode = SPARK_SAVE_OVERWRITE,
            .partition_by = SPARK_COLUMNS("key"), .max_records_per_file = 5)));
        snprintf(command, sizeof command,
            "cd out && find . -name '*.txt' | sort | xargs cat | cat - <(find . | sed -E "
            "'s/[0-9a-f]{8}-[-0-9a-f]{27}//' | sort) | md5sum");
        char quoted[400];
        snprintf(quoted, sizeof quoted, "bash -c \"%s\"", command);
        snprintf(digest[i], sizeof *digest, "%s", shell(quoted));
        oracle_close(sc);
    }
    assert_string_equal(shell("ls out | grep -c key="), "499");
    for (int i = 1; i < 4; i++)
        assert_string_equal(digest[0], digest[i]);
    assert_string_equal(shell("ls -A"), "out");
}

static void test_save__more_than_a_thousand_files(void **state)
{
    (void)state;
    enum { MANY = 1203 };
    spark_context *sc = oracle_open(1);
    const spark_csv_options keyed = { .save = { .max_records_per_file = 1, .partition_by = SPARK_COLUMNS("key") } };
    oracle_ok(spark_write_text(numbers(sc, 0, MANY, 1), "out", SAVE(.max_records_per_file = 1)));
    assert_string_equal(shell("cd out && ls | LC_ALL=C sort | tail -n +1000 | head -4 | sed 's/.*-//'"),
        "c998.txt c999.txt c999_0001000.txt c999_0001001.txt");
    spark_rdd *one = spark_map(numbers(sc, 0, MANY, 1), to_one_key, NULL);
    oracle_ok(spark_write_csv(one, "keyed", &keyed));
    spark_rdd *read[] = { spark_map(spark_text_file(sc, "out", 1), to_number, NULL),
        spark_map(spark_text_file(sc, "keyed/key=7", 1), to_number, NULL) };
    for (size_t i = 0; i < LENGTH(read); i++) {
        spark_array all;
        oracle_ok(spark_collect(read[i], SPARK_TYPE(int64_t), &all));
        assert_int_equal(all.n, MANY);
        for (size_t k = 0; k < MANY; k++)
            assert_int_equal(SPARK_ITEMS(int64_t, &all)[k], k);
        spark_array_free(&all);
    }
    oracle_close(sc);
}

static void test_save__files_of_so_many_rows(void **state)
{
    (void)state;
    for (int batch = 1; batch <= 16; batch *= 4) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .batch_rows = batch });
        oracle_ok(spark_write_text(numbers(sc, 0, 10, 2), "out",
            SAVE(.max_records_per_file = 2, .mode = SPARK_SAVE_OVERWRITE)));
        assert_string_equal(files("out"),
            "_SUCCESS part-00000-ID-c000.txt part-00000-ID-c001.txt part-00000-ID-c002.txt "
            "part-00001-ID-c000.txt part-00001-ID-c001.txt part-00001-ID-c002.txt");
        has_numbers(sc, "out", "0 1 2 3 4 5 6 7 8 9");
        oracle_ok(spark_write_object_file(numbers(sc, 0, 4, 1), "o",
            SAVE(.max_records_per_file = 3, .mode = SPARK_SAVE_OVERWRITE)));
        oracle_has_layout(spark_object_file(sc, "o", SPARK_TYPE(int64_t)), "0 1 2 | 3");
        oracle_fails(spark_write_text(numbers(sc, 0, 1, 1), "n", SAVE(.max_records_per_file = -1)),
            SPARK_EINVAL, "max_records_per_file is negative");
        oracle_close(sc);
    }
}

/* ---- killed */

enum { ROWS = 2000, PARTS = 5, KILLS = TESTS_ARE_SLOW ? 8 : 20 }; /* SPARK_TEST_KILLS: another number of them */

SPARK_MAP(of_version, int64_t, line_of, int64_t)
{
    *out = (line_of) { *in % 3, spark_str_format(task, "%" PRId64, *env) };
}

static spark_status save_version(
    spark_context *sc, int64_t version, spark_save_mode mode, bool keyed)
{
    static const char *const by[] = { "key", NULL };
    SPARK_SCOPED(sc);
    spark_rdd *rdd = spark_map(numbers(sc, 0, ROWS, PARTS), of_version, SPARK_COPY(version));
    return spark_write_csv(rdd, "out",
        CSV(.save = { .mode = mode, .partition_by = keyed ? by : NULL }));
}

/* run_until_killed: saves version after version; never returns. */
static void run_until_killed(int64_t version, spark_save_mode mode, bool keyed, int ready)
{
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
    if (write(ready, "x", 1) != 1)
        _exit(3);
    for (;; version++)
        if (save_version(sc, version, mode, keyed) != SPARK_OK)
            _exit(2);
}

/* whole: each version that is there is there as a whole; how many. all: all that is found, else what
 * readers see. */
static int whole(void)
{
    const char *text = shell("find out -name '_*' -prune -o -name 'part*' -print | xargs -r cat | "
                             "sed 's/.*,//' | sort | uniq -c | awk '{ print $1 }' | sort -u; "
                             "find out -name '_*' -prune -o -name 'part*' -print | xargs -r cat | wc -l");
    int each, all;
    if (sscanf(text, "%d %d", &each, &all) != 2)
        return sscanf(text, "%d", &all) == 1 && all == 0 ? 0 : -1;
    return each == ROWS && all % ROWS == 0 ? all / ROWS : -1;
}

static void killed(spark_save_mode mode, bool keyed)
{
    const char *asked = getenv("SPARK_TEST_KILLS");
    const int kills = asked ? atoi(asked) : KILLS;
    uint64_t random = 5 + (uint64_t)mode * 2 + keyed;
    spark_context *sc = oracle_open(2);
    oracle_ok(save_version(sc, 0, SPARK_SAVE_ERROR, keyed));
    oracle_close(sc);
    int in_the_middle = 0;
    for (int i = 1; i <= kills; i++) {
        int fds[2], status;
        char byte;
        assert_int_equal(pipe(fds), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            run_until_killed(i * 10000, mode, keyed, fds[1]);
        close(fds[1]);
        assert_int_equal(read(fds[0], &byte, 1), 1);
        close(fds[0]);
        usleep((useconds_t)oracle_below(&random, 20000));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        in_the_middle += access("out/_temporary", F_OK) == 0;
        const int seen = whole();
        if (mode == SPARK_SAVE_OVERWRITE)
            assert_int_equal(seen, 1); /* the old one or the new one, at any moment */
        sc = oracle_open(2);
        oracle_ok(save_version(sc, i * 10000 + 9999, mode, keyed));
        oracle_close(sc);
        const int now = whole();
        assert_true(mode == SPARK_SAVE_OVERWRITE ? now == 1 : now > i && (seen < 0 || now > seen));
        assert_string_equal(shell("ls -A; find . -name '_*'"), "out ./out/_SUCCESS");
        if (mode == SPARK_SAVE_APPEND && i % 20 == 0) { /* or there would be very many files */
            sc = oracle_open(2);
            oracle_ok(save_version(sc, i * 10000 + 9998, SPARK_SAVE_OVERWRITE, keyed));
            for (int k = 0; k < i; k++)
                oracle_ok(save_version(sc, i * 10000 + 9000 + k, SPARK_SAVE_APPEND, false));
            oracle_close(sc);
        }
    }
    print_message("    %d of %d were killed in the middle of a save\n", in_the_middle, kills);
    assert_true(in_the_middle > 0);
}

static void test_save__killed_while_it_overwrites(void **state)
{
    (void)state;
    killed(SPARK_SAVE_OVERWRITE, false);
}
static void test_save__killed_while_it_overwrites_directories(void **state)
{
    (void)state;
    killed(SPARK_SAVE_OVERWRITE, true);
}
static void test_save__killed_while_it_appends(void **state)
{
    (void)state;
    killed(SPARK_SAVE_APPEND, false);
}
static void test_save__killed_while_it_appends_to_directories(void **state)
{
    (void)state;
    killed(SPARK_SAVE_APPEND, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_save__modes_of_text),
        file_test(test_save__an_overwrite_may_read_what_it_replaces),
        file_test(test_save__a_job_that_fails_leaves_what_was_there),
        file_test(test_save__object_files_and_csv_have_modes),
        file_test(test_save__codecs),
        file_test(test_save__programs_that_pack_badly),
        file_test(test_save__directories_for_values),
        file_test(test_save__directories_are_columns),
        file_test(test_save__directories_are_columns_of_json),
        file_test(test_save__base_path_is_above_the_files),
        file_test(test_save__directories_of_what_is_no_number),
        file_test(test_save__directories_below_globs_and_lists),
        file_test(test_save__directories_of_unnamed_columns),
        file_test(test_save__directories_that_do_not_fit),
        file_test(test_save__many_directories),
        file_test(test_save__more_than_a_thousand_files),
        file_test(test_save__files_of_so_many_rows),
        file_test(test_save__killed_while_it_overwrites),
        file_test(test_save__killed_while_it_overwrites_directories),
        file_test(test_save__killed_while_it_appends),
        file_test(test_save__killed_while_it_appends_to_directories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
