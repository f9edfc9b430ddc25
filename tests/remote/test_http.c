/* SPDX-License-Identifier: Apache-2.0 */
/* Files of web servers, as inputs: whole, in ranges, through servers that know none, and through connections
 * that break; commands as file systems, and one that the program brings. */
#include "remote_test.h"

static int start(void **state)
{
    (void)state;
    return remote_start("web", (const char *const[5]) { "cut", "reset", "delay", "head", "cut" });
}

static const char *url(const server *of, const char *path)
{
    char front[80];
    snprintf(front, sizeof front, "%s/", of->url);
    return remote_path(front, path);
}

static const spark_http_options quick = { .retries = 8, .retry_wait_ms = 5 };

static spark_context *with_http(const spark_conf *conf, const spark_http_options *options)
{
    spark_context *sc = spark_context_new(conf);
    assert_int_equal(spark_use_http(sc, options ? options : &quick), SPARK_OK);
    return sc;
}

static void test_ranges(void **state)
{
    (void)state;
    static const char *const kinds[] = { "plain", "noranges", "chunked", "moved", "flaky" };
    static const int splits[] = { 1, 3, 7 };
    for (size_t k = 0; k < LENGTH(kinds); k++)
        for (size_t i = 0; i < LENGTH(splits); i++) {
            spark_context *sc = with_http(
                &(spark_conf) { .threads = 2, .batch_rows = i == 1 ? 7 : 0 }, NULL);
            char path[64];
            snprintf(path, sizeof path, "%s/lines.txt", kinds[k]);
            spark_rdd *lines = spark_text_file(sc, url(&origin, path), splits[i]);
            check_many(lines);
            const bool split = k == 0 || k >= 3;
            assert_int_equal(spark_rdd_partitions(lines), split ? splits[i] : 1);
            spark_context_free(sc);
        }
    assert_int_equal(children(), 2);
}

static void test_budget_and_masters(void **state)
{
    (void)state;
    static const char *const masters[] = { "local[1]", "local-cluster[2,1,64]" };
    for (size_t i = 0; i < LENGTH(masters); i++) {
        spark_context *sc = with_http(
            &(spark_conf) { .master = masters[i], .memory_bytes = 64 << 20 }, NULL);
        check_many(spark_text_file(sc, url(&origin, "plain/lines.txt"), 5));
        spark_context_free(sc);
    }
}

static void test_compressed(void **state)
{
    (void)state;
    static const char *const kinds[] = { "plain", "noranges", "chunked", "flaky" };
    spark_context *sc = with_http(&(spark_conf) { .threads = 2, .memory_bytes = 64 << 20 }, NULL);
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        char path[64];
        snprintf(path, sizeof path, "%s/lines.txt.gz", kinds[k]);
        check_many(spark_text_file(sc, url(&origin, path), 3));
    }
    check_many(spark_text_file(sc, url(&harmed, "plain/lines.txt.gz"), 3));
    check_fails(spark_text_file(sc, url(&origin, "plain/cut.gz"), 0), "cannot unpack http://127.0.0.1");
    spark_array pairs;
    spark_rdd *raw = spark_values(spark_binary_files(sc, url(&origin, "plain/cut.gz"), 1));
    assert_int_equal(spark_collect(raw, SPARK_TYPE(spark_bytes), &pairs), SPARK_OK);
    assert_int_equal(SPARK_ITEMS(spark_bytes, &pairs)->len, 100000);
    spark_array_free(&pairs);
    spark_context_free(sc);
    assert_int_equal(children(), 2);
}

static void test_harmed(void **state)
{
    (void)state;
    for (int splits = 1; splits <= 9; splits += 4) {
        spark_context *sc = with_http(&(spark_conf) { .threads = 2 }, NULL);
        check_many(spark_text_file(sc, url(&harmed, "plain/lines.txt"), splits));
        check_many(spark_text_file(sc, url(&harmed, "noranges/lines.txt"), splits));
        spark_context_free(sc);
    }
}

SPARK_STRUCT(named, (int64_t, id), (spark_str, name));
SPARK_STRUCT(only_id, (int64_t, id));

static void test_formats(void **state)
{
    (void)state;
    spark_context *sc = with_http(NULL, NULL);
    int64_t n;
    spark_rdd *csv = spark_read_csv(sc, url(&origin, "plain/table.csv"), SPARK_TYPE(named),
        &(spark_csv_options) { .header = true, .min_partitions = 4 });
    assert_int_equal(spark_count(csv, &n), SPARK_OK);
    assert_int_equal(n, 1000);
    spark_rdd *inferred = spark_read_csv(sc, url(&origin, "flaky/table.csv"), NULL,
        &(spark_csv_options) { .header = true, .infer_schema = true });
    assert_int_equal(spark_count(inferred, &n), SPARK_OK);
    assert_int_equal(n, 1000);
    spark_rdd *json = spark_read_json(sc, url(&origin, "plain/one.json"), SPARK_TYPE(only_id), NULL);
    assert_int_equal(spark_count(json, &n), SPARK_OK);
    assert_int_equal(n, 2);
    spark_rdd *empty = spark_text_file(sc, url(&origin, "plain/empty"), 0);
    assert_int_equal(spark_count(empty, &n), SPARK_OK);
    assert_int_equal(n, 0);
    spark_rdd *braces = spark_text_file(sc, url(&origin, "plain/{one,a%20b.txt}"), 0);
    assert_int_equal(spark_count(braces, &n), SPARK_OK);
    assert_int_equal(n, 2);
    spark_array pairs;
    spark_rdd *whole = spark_whole_text_files(sc, url(&origin, "plain/{one,empty}"), 1);
    assert_int_equal(spark_count(whole, &n), SPARK_OK);
    assert_int_equal(n, 2);
    const char *names[] = { url(&origin, "plain/one"), url(&origin, "plain/one?x=*,{") };
    spark_rdd *first = spark_text_files(sc, 1, names, 0);
    assert_int_equal(spark_collect(first, SPARK_TYPE(spark_str), &pairs), SPARK_OK);
    assert_int_equal(pairs.n, 1);
    spark_array_free(&pairs);
    check_fails(spark_text_files(sc, 2, names, 0), "plain/one?x=*,{");
    spark_context_free(sc);
}

static void test_errors(void **state)
{
    (void)state;
    const spark_http_options few = { .retries = 2, .retry_wait_ms = 1, .stall_timeout_ms = 1000 };
    spark_context *sc = with_http(&(spark_conf) { .task_max_failures = 1 }, &few);
    check_fails(spark_text_file(sc, url(&origin, "plain/none"), 0), "Input path does not exist: http://127");
    check_fails(spark_text_file(sc, url(&origin, "status/403"), 0), "HTTP 403 Forbidden");
    check_fails(spark_text_file(sc, url(&origin, "status/503"), 0), "HTTP 503 Service Unavailable; tried 3 times");
    check_fails(spark_text_file(sc, url(&origin, "auth/one"), 0), "HTTP 401");
    check_fails(spark_text_file(sc, "http://127.0.0.1:1/x", 0), "connect to");
    check_fails(spark_text_file(sc, "http://127.0.0.1:1/a b", 0), "blanks");
    check_fails(spark_text_file(sc, url(&origin, "changing/lines.txt"), 0), "has changed since it was listed");
    check_fails(spark_text_file(sc, url(&origin, "short/lines.txt"), 3), "the answer ends at byte");
    check_fails(spark_text_file(sc, url(&origin, "stall/lines.txt"), 1), "127.0.0.1");
    check_fails(spark_text_file(sc, "ftp://a/b", 0), "no file system of its scheme");
    assert_int_equal(children(), 2);
    spark_context_free(sc);
}

static void test_options(void **state)
{
    (void)state;
    const char *const headers[] = { "X-Test: yes", NULL }, *const broken[] = { "X-Test: y\nHost: z", NULL };
    spark_context *sc = with_http(NULL, &(spark_http_options) { .user = "user:secret", .headers = headers });
    int64_t n;
    assert_int_equal(spark_count(spark_text_file(sc, url(&origin, "auth/one"), 0), &n), SPARK_OK);
    assert_int_equal(n, 1);
    assert_int_equal(spark_use_http(sc, &(spark_http_options) { .headers = broken }), SPARK_EINVAL);
    assert_int_equal(spark_use_http(sc, &(spark_http_options) { .curl = "no-such-curl" }), SPARK_OK);
    check_fails(spark_text_file(sc, url(&origin, "plain/one"), 0), "cannot run no-such-curl");
    assert_int_equal(spark_use_http(NULL, NULL), SPARK_EINVAL);
    spark_context_free(sc);
}

static void test_cancelling(void **state)
{
    (void)state;
    spark_context *sc = with_http(&(spark_conf) { .job_timeout_ms = 300 }, NULL);
    int64_t n;
    oracle_fails(spark_count(spark_text_file(sc, url(&origin, "stall/lines.txt"), 1), &n), SPARK_EDEADLINE, "limit");
    oracle_ok(spark_set_job_timeout(sc, 0)); /* what follows has all the time it needs */
    spark_future *f = spark_count_async(spark_text_file(sc, url(&origin, "stall/lines.txt"), 1));
    spark_future_wait(f, 50);
    spark_future_cancel(f);
    assert_int_not_equal(spark_future_wait(f, -1), SPARK_OK);
    spark_array some;
    spark_rdd *lines = spark_text_file(sc, url(&origin, "plain/lines.txt"), 1);
    oracle_ok(spark_take(lines, 3, SPARK_TYPE(spark_str), &some));
    assert_int_equal(some.n, 3);
    spark_array_free(&some);
    assert_int_equal(children(), 2);
    spark_context_free(sc);
}

static void test_faults(void **state)
{
    (void)state;
    const spark_fault plans[] = { { SPARK_FAULT_IO, SPARK_ANYWHERE, .rate = 0.02, .seed = 3 },
        { SPARK_FAULT_THREAD, SPARK_ANYWHERE, .rate = 0.2, .seed = 4 },
        { SPARK_FAULT_ALLOC, SPARK_ANYWHERE, .rate = 0.01, .seed = 5 },
        { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .rate = 0.3, .seed = 6 } };
    for (size_t i = 0; i < LENGTH(plans); i++)
        for (uint64_t seed = 0; seed < 10; seed++) {
            spark_fault plan = plans[i];
            plan.seed += 10 * seed;
            spark_context *sc = spark_context_new(&(spark_conf) { .faults = &plan, .n_faults = 1 });
            int64_t n;
            if (spark_use_http(sc, &quick) == SPARK_OK
                && spark_count(spark_text_file(sc, url(&origin, "plain/lines.txt"), 4), &n) == SPARK_OK)
                assert_int_equal(n, MANY);
            spark_context_free(sc);
            assert_int_equal(children(), 2);
        }
}

static spark_status count_table(spark_context *sc, int64_t *n)
{
    const spark_status status = spark_use_http(sc, &quick);
    return status == SPARK_OK ? spark_count(spark_text_file(sc, url(&origin, "plain/table.csv"), 2), n) : status;
}

static void test_nth_call(void **state)
{
    (void)state;
    static const spark_fault_kind kinds[] = { SPARK_FAULT_ALLOC, SPARK_FAULT_IO, SPARK_FAULT_THREAD };
    each_call_fails(LENGTH(kinds), kinds, 0, count_table, 1001);
}

static void test_commands(void **state)
{
    (void)state;
    const char *const numbers[] = { "seq", "{/}", NULL }, *const fails[] = { "sh", "-c", "echo {}; exit 3", NULL };
    spark_context *sc = spark_context_new(&(spark_conf) { .task_max_failures = 1 });
    int64_t n;
    assert_int_equal(spark_register_command(sc, "seq", numbers), SPARK_OK);
    assert_int_equal(spark_register_command(sc, "bad", fails), SPARK_OK);
    assert_int_equal(spark_count(spark_text_file(sc, "seq://200000,seq://{1,2,3}", 0), &n), SPARK_OK);
    assert_int_equal(n, 200006);
    check_fails(spark_text_file(sc, "bad://x", 0), "bad://x: its command ended with status 3");
    assert_int_equal(spark_register_command(sc, "file", numbers), SPARK_EINVAL);
    assert_int_equal(spark_register_command(sc, "a b", numbers), SPARK_EINVAL);
    assert_int_equal(spark_register_command(sc, "x", NULL), SPARK_EINVAL);
    assert_int_equal(children(), 2);
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = { file_test(test_ranges), file_test(test_budget_and_masters),
        file_test(test_compressed), file_test(test_harmed), file_test(test_formats), file_test(test_errors), file_test(test_options),
        file_test(test_cancelling), file_test(test_faults), file_test(test_nth_call),
        file_test(test_commands) };
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name(TEST_FILE, tests, start, remote_stop);
}
