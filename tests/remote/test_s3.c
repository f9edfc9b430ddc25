/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in buckets as inputs: listings in pages, globs, odd keys, keys and regions from everywhere, and a server
 * that checks each signature. */
#include "remote_test.h"

static int start(void **state)
{
    (void)state;
    return remote_start("s3", (const char *const[5]) { "cut", "reset", "delay", "head" });
}

static spark_s3_options options_of(const server *of)
{
    return (spark_s3_options) { .access_key = "AKTEST",
        .secret_key = "sk/test+secret",
        .endpoint = of->url,
        .http = { .retries = 8, .retry_wait_ms = 5 } };
}

static spark_context *with_s3(const spark_conf *conf, const server *of)
{
    spark_context *sc = spark_context_new(conf);
    const spark_s3_options o = options_of(of);
    assert_int_equal(spark_use_s3(sc, &o), SPARK_OK);
    return sc;
}

static void test_reading(void **state)
{
    (void)state;
    static const int splits[] = { 1, 4, 9 };
    for (size_t i = 0; i < LENGTH(splits); i++) {
        spark_context *sc = with_s3(&(spark_conf) { .threads = 2, .memory_bytes = 64 << 20 }, &origin);
        check_many(spark_text_file(sc, "s3://b/many/lines.txt", splits[i]));
        check_many(spark_text_file(sc, "s3a://b/many/li*.txt", splits[i]));
        spark_context_free(sc);
    }
    spark_context *sc = with_s3(NULL, &harmed);
    check_many(spark_text_file(sc, "s3://b/many/lines.txt", 3));
    spark_context_free(sc);
    assert_int_equal(children(), 2);
}

static void test_names(void **state)
{
    (void)state;
    spark_context *sc = with_s3(NULL, &origin);
    check_count(sc, "s3://b/logs/2026-01", 30);
    check_count(sc, "s3://b/logs/2026-0{1,3}/", 60);
    check_count(sc, "s3://b/logs/*/part-*", 90);
    check_count(sc, "s3://b/*/2026-0[12]/part-0001?", 20);
    check_count(sc, "s3://b/odd", 2);
    check_count(sc, "s3://b/odd/a b+c&d=e.txt,s3://b/odd/\xc3\xa4%41.txt", 2);
    check_count(sc, "s3://b/many/empty", 0);
    check_fails(spark_text_file(sc, "s3://b/none", 0), "Input path does not exist: s3://b/none");
    check_fails(spark_text_file(sc, "s3://b/none/*", 0), "Input Pattern s3://b/none/* matches 0 files");
    check_fails(spark_text_file(sc, "s3://b/logs", 0), "Not a file: s3://b/logs/2026-01 is a directory within");
    check_fails(spark_text_file(sc, "s3://b/loop/*", 0), "cannot list s3://b/loop: the listing goes on nowhere");
    check_fails(spark_text_file(sc, "s3://other/x", 0), "HTTP 404 Not Found: NoSuchBucket: no <luck>");
    check_fails(spark_text_file(sc, "s3://", 0), "names no bucket");
    spark_context_free(sc);
}

static void test_keys(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(NULL);
    spark_s3_options o = options_of(&origin);
    o.secret_key = "wrong";
    assert_int_equal(spark_use_s3(sc, &o), SPARK_OK);
    check_fails(spark_text_file(sc, "s3://b/many/one", 0), "HTTP 403 Forbidden: SignatureDoesNotMatch");
    o.anonymous = true;
    assert_int_equal(spark_use_s3(sc, &o), SPARK_OK);
    check_fails(spark_text_file(sc, "s3://b/many/one", 0), "HTTP 403 Forbidden: AccessDenied");
    o.secret_key = NULL;
    assert_int_equal(spark_use_s3(sc, &o), SPARK_EINVAL);
    o = (spark_s3_options) { .endpoint = "no" };
    assert_int_equal(spark_use_s3(sc, &o), SPARK_EINVAL);
    static const char credentials[] = "[other]\naws_access_key_id = X\n[mine]\n# a comment\naws_access_key_id=AKTEST\n"
        "aws_secret_access_key = sk/test+secret\n", config[] = "[profile mine]\nregion = eu-test-1\n";
    scratch_write("credentials", credentials, sizeof credentials - 1);
    scratch_write("config", config, sizeof config - 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "credentials", 1);
    setenv("AWS_CONFIG_FILE", "config", 1);
    setenv("AWS_ENDPOINT_URL_S3", origin.url, 1);
    assert_int_equal(spark_use_s3(sc, &(spark_s3_options) { .profile = "mine" }), SPARK_OK);
    check_count(sc, "s3://b/many/one", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKTEST", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "sk/test+secret", 1);
    setenv("AWS_SESSION_TOKEN", "a token", 1);
    assert_int_equal(spark_use_s3(sc, NULL), SPARK_OK);
    check_count(sc, "s3://b/many/one", 1);
    static const char *const names[] = { "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL_S3",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" };
    for (size_t i = 0; i < LENGTH(names); i++)
        unsetenv(names[i]);
    spark_context_free(sc);
}

static spark_status count_two(spark_context *sc, int64_t *n)
{
    const spark_s3_options o = options_of(&origin);
    const spark_status status = spark_use_s3(sc, &o);
    return status == SPARK_OK ? spark_count(spark_text_file(sc, "s3://b/logs/2026-01/part-0000[12]", 2), n)
                              : status;
}

static void test_nth_call(void **state)
{
    (void)state;
    static const spark_fault_kind kinds[] = { SPARK_FAULT_ALLOC, SPARK_FAULT_IO };
    each_call_fails(LENGTH(kinds), kinds, 5, count_two, 2);
}

typedef enum counted { OPEN, HELD, REFUSED } counted;

/* uploads: how many the server has open; those alone that hold something; parts that it refused by their names. */
static int uploads(counted what)
{
    char command[200], line[64] = "", *end = line;
    snprintf(command, sizeof command, "curl -s %s/uploads", origin.url);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    pclose(in);
    long n = 0;
    for (int i = 0; i <= (int)what; i++)
        n = strtol(end, &end, 10);
    return (int)n;
}

SPARK_MAP(fail_late, int64_t, int64_t)
{
    if (*in == 90000)
        spark_fail(task, "enough");
    *out = *in;
}

static void test_writing(void **state)
{
    (void)state;
    spark_context *sc = with_s3(&(spark_conf) { .threads = 2 }, &origin);
    check_round(sc, "s3://b/out/numbers", 2000000, 2);
    check_round(sc, "s3://b/out/few/", 3, 5);
    check_count(sc, "s3://b/out/few/_SUCCESS", 0);
    spark_rdd *object = spark_range(sc, 0, 1000, 1, 3);
    assert_int_equal(spark_save_as_object_file(object, "s3a://b/out/objects"), SPARK_OK);
    int64_t n;
    assert_int_equal(spark_count(spark_object_file(sc, "s3://b/out/objects", SPARK_TYPE(int64_t)), &n), SPARK_OK);
    assert_int_equal(n, 1000);
    spark_rdd *fails = spark_map(spark_range(sc, 0, 100000, 1, 4), fail_late, NULL);
    assert_int_equal(spark_save_as_text_file(fails, "s3://b/out/none"), SPARK_ETASK);
    check_fails(spark_text_file(sc, "s3://b/out/none", 0), "does not exist");
    assert_int_equal(spark_save_as_text_file(object, "s3://other/x"), SPARK_EIO);
    assert_int_equal(uploads(OPEN), 0);
    check_round(sc, "s3://b/out/lost", 3000, 5); /* no beginning of an upload is answered at first */
    assert_int_equal(uploads(OPEN), 0);
    check_round(sc, "s3://b/out/large", 9000000, 1); /* of many parts */
    assert_int_equal(uploads(OPEN), 0);
    spark_context_free(sc);
    sc = with_s3(NULL, &harmed);
    check_round(sc, "s3://b/out/harmed", 2000000, 3);
    /* an upload whose beginning was not answered, and which the listing that was asked for did not tell, is empty */
    assert_int_equal(uploads(HELD), 0);
    spark_context_free(sc);
}

SPARK_STRUCT(unnamed, (int64_t, _c0), (int64_t, _c1));
SPARK_MAP(to_unnamed, int64_t, unnamed)
{
    *out = (unnamed) { *in % 2, *in };
}

/* refused: a save of which a part of the second file is refused: an error that names the object, no upload left, and
 * what was at the path before is as it was. */
static void refused(spark_context *sc, const char *path, const char *object, const char *words)
{
    const int before = uploads(REFUSED), open = uploads(OPEN);
    int64_t n;
    const spark_status status = spark_save_as_text_file(spark_range(sc, 0, 6000000, 1, 3), path);
    assert_int_equal(status, SPARK_EIO);
    if (!strstr(spark_last_error()->message, object) || !strstr(spark_last_error()->message, words))
        fail_msg("\"%s\" does not say \"%s\" and \"%s\"", spark_last_error()->message, object, words);
    assert_true(uploads(REFUSED) > before);
    assert_int_equal(uploads(OPEN), open);
    check_fails(spark_text_file(sc, path, 0), "does not exist");
    const spark_csv_options o = { .save = { .mode = SPARK_SAVE_OVERWRITE } };
    assert_int_equal(spark_write_csv(spark_map(spark_range(sc, 0, 4, 1, 2), to_unnamed, NULL), path, &o), SPARK_OK);
    assert_int_equal(spark_write_csv(spark_map(spark_range(sc, 0, 6000000, 1, 3), to_unnamed, NULL), path, &o),
        SPARK_EIO);
    assert_non_null(strstr(spark_last_error()->message, object));
    assert_int_equal(uploads(OPEN), open);
    assert_int_equal(spark_count(spark_text_file(sc, path, 0), &n), SPARK_OK);
    assert_int_equal(n, 4);
}

/* A part in the middle of an upload is refused for good, or for a while. */
static void test_parts(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
    spark_s3_options o = options_of(&origin);
    o.part_bytes = 5 << 20;
    assert_int_equal(spark_use_s3(sc, &o), SPARK_OK);
    refused(sc, "s3://b/in/denied", "s3://b/in/denied/part-00001", "HTTP 403 Forbidden: AccessDenied");
    const int before = uploads(REFUSED), open = uploads(OPEN); /* that of a lost answer, of the test before */
    check_round(sc, "s3://b/in/shaky", 4000000, 2); /* of three parts each */
    assert_true(uploads(REFUSED) >= before + 12);
    assert_int_equal(uploads(OPEN), open);
    o.http.retries = 2;
    assert_int_equal(spark_use_s3(sc, &o), SPARK_OK);
    refused(sc, "s3://b/in/broken", "s3://b/in/broken/part-00001", "HTTP 500 Internal Server Error: InternalError");
    spark_context_free(sc);
}

SPARK_STRUCT(dated, (int64_t, id), (int64_t, day));

SPARK_MAP(to_dated, int64_t, dated)
{
    *out = (dated) { *in, *in % 3 };
}

/* check_dated: rows whose days are named by directories. */
static void check_dated(spark_rdd *rows)
{
    spark_array all;
    int64_t ids = 0;
    if (spark_collect(rows, SPARK_TYPE(dated), &all) != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    assert_int_equal(all.n, 300);
    for (size_t i = 0; i < all.n; i++) {
        const dated row = SPARK_ITEMS(dated, &all)[i];
        assert_int_equal(row.day, row.id % 3);
        ids += row.id;
    }
    assert_int_equal(ids, 300 * 299 / 2);
    spark_array_free(&all);
}

static void test_modes(void **state)
{
    (void)state;
    spark_context *sc = with_s3(NULL, &origin);
    spark_rdd *rows = spark_map(spark_range(sc, 0, 300, 1, 2), to_dated, NULL);
    spark_csv_options o = { .header = true, .save = { .partition_by = SPARK_COLUMNS("day") } };
    if (spark_write_csv(rows, "s3://b/modes", &o) != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    check_count(sc, "s3://b/modes/day=1", 102);
    check_dated(spark_read_csv(sc, "s3://b/modes/", SPARK_TYPE(dated), &(spark_csv_options) { .header = true }));
    check_dated(spark_read_csv(sc, "s3://b/modes/day=*", SPARK_TYPE(dated),
        &(spark_csv_options) { .header = true, .base_path = "s3://b/modes" }));
    const spark_json_options json = { .save = o.save };
    assert_int_equal(spark_write_json(rows, "s3://b/objects", &json), SPARK_OK);
    check_dated(spark_read_json(sc, "s3://b/objects", SPARK_TYPE(dated), NULL));
    assert_int_equal(spark_write_csv(rows, "s3://b/modes", &o), SPARK_EIO);
    o.save.mode = SPARK_SAVE_IGNORE;
    assert_int_equal(spark_write_csv(rows, "s3://b/modes", &o), SPARK_OK);
    check_count(sc, "s3://b/modes/day=*", 306);
    o.save.mode = SPARK_SAVE_APPEND;
    assert_int_equal(spark_write_csv(rows, "s3://b/modes", &o), SPARK_OK);
    check_count(sc, "s3://b/modes/day=*", 612);
    o.save.mode = SPARK_SAVE_OVERWRITE;
    assert_int_equal(spark_write_csv(rows, "s3://b/modes", &o), SPARK_OK);
    check_count(sc, "s3://b/modes/day=*", 306);
    o.save.partition_by = NULL;
    assert_int_equal(spark_write_csv(rows, "s3://b/modes", &o), SPARK_OK);
    check_count(sc, "s3://b/modes", 302);
    check_count(sc, "s3://b/modes/_SUCCESS", 0);
    o = (spark_csv_options) { .save = { .partition_by = SPARK_COLUMNS("_c0") } };
    rows = spark_map(spark_range(sc, 0, 5, 1, 2), to_unnamed, NULL);
    assert_int_equal(spark_write_csv(rows, "s3://b/unnamed", &o), SPARK_OK);
    check_count(sc, "s3://b/unnamed/_c0=0", 3);
    spark_context_free(sc);
}

/* Whatever call fails: all of it is there, or nothing. */
static void test_writing_fails(void **state)
{
    (void)state;
    static const spark_fault_kind kinds[] = { SPARK_FAULT_ALLOC, SPARK_FAULT_IO, SPARK_FAULT_THREAD };
    const spark_s3_options o = options_of(&origin);
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        bool struck = true;
        for (uint64_t nth = 1; struck && nth < 3000; nth += 1 + nth / 6) {
            const spark_fault plan = { kinds[k], SPARK_ANYWHERE, .nth = nth };
            char path[64];
            int64_t n = -1;
            snprintf(path, sizeof path, "s3://b/fails/%zu-%d", k, (int)nth);
            spark_context *sc = spark_context_new(
                &(spark_conf) { .faults = &plan, .n_faults = 1, .task_max_failures = 1, .threads = 1 });
            bool saved = spark_use_s3(sc, &o) == SPARK_OK
                && spark_save_as_text_file(spark_range(sc, 0, 100, 1, 3), path) == SPARK_OK;
            struck = spark_faults_struck(sc) > 0;
            spark_faults_enable(sc, false);
            const bool there = spark_use_s3(sc, &o) == SPARK_OK
                && spark_count(spark_text_file(sc, path, 0), &n) == SPARK_OK;
            if (saved ? !there || n != 100 : there && n != 100)
                fail_msg("kind %d call %d: saved %d there %d rows %d", (int)kinds[k], (int)nth, saved, there, (int)n);
            spark_context_free(sc);
        }
        assert_false(struck);
    }
    assert_int_equal(children(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { file_test(test_reading), file_test(test_names), file_test(test_keys),
        file_test(test_nth_call), file_test(test_writing), file_test(test_parts),
        file_test(test_modes), file_test(test_writing_fails) };
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name(TEST_FILE, tests, start, remote_stop);
}
