/* SPDX-License-Identifier: Apache-2.0 */
/* Files of Hadoop's file system by WebHDFS, whose datanode is found by a redirection, and whose namenode refuses for a
 * while. */
#include "remote_test.h"

static int start(void **state)
{
    (void)state;
    return remote_start("hdfs", (const char *const[5]) { "cut", "reset", "delay", "head" });
}

static const char *path_of(const server *of, const char *path)
{
    char front[64];
    snprintf(front, sizeof front, "webhdfs://127.0.0.1:%d", of->port);
    return remote_path(front, path);
}

static spark_webhdfs_options options_of(const server *of)
{
    return (spark_webhdfs_options) { .user = "tester",
        .namenode = of->url,
        .http = { .retries = 8, .retry_wait_ms = 5 } };
}

static spark_context *with_hdfs(const spark_conf *conf)
{
    spark_context *sc = spark_context_new(conf);
    const spark_webhdfs_options o = options_of(&origin);
    assert_int_equal(spark_use_webhdfs(sc, &o), SPARK_OK);
    return sc;
}

static void test_reading(void **state)
{
    (void)state;
    for (int splits = 1; splits <= 9; splits += 4) {
        spark_context *sc = with_hdfs(&(spark_conf) { .threads = 2, .memory_bytes = 64 << 20 });
        check_many(spark_text_file(sc, path_of(&origin, "/many/lines.txt"), splits));
        check_many(spark_text_file(sc, path_of(&harmed, "/many/lines.txt"), splits));
        check_many(spark_text_file(sc, "hdfs://somewhere:8020/many/lines.txt", splits));
        spark_context_free(sc);
    }
    assert_int_equal(children(), 2);
}

static void test_names(void **state)
{
    (void)state;
    spark_context *sc = with_hdfs(NULL);
    check_count(sc, path_of(&origin, "/logs/a b"), 20);
    check_count(sc, path_of(&origin, "/logs/*/part-*"), 40);
    check_count(sc, path_of(&origin, "/*/c/part-0001?"), 10);
    check_count(sc, path_of(&origin, "/many/a b.txt"), 1);
    check_fails(spark_text_file(sc, path_of(&origin, "/none"), 0), "Input path does not exist: webhdfs://");
    check_fails(spark_text_file(sc, path_of(&origin, "/logs"), 0), "is a directory within an input directory");
    spark_context_free(sc);
}

static void test_errors(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(NULL);
    spark_webhdfs_options o = options_of(&origin);
    o.user = "nobody";
    assert_int_equal(spark_use_webhdfs(sc, &o), SPARK_OK);
    check_fails(spark_text_file(sc, path_of(&origin, "/many"), 0),
        "HTTP 401 Unauthorized: AccessControlException: no \xe2\x80\x9eluck\"");
    o.token = "a secret";
    o.namenode = "http://127.0.0.1:1";
    o.http.retries = -1;
    assert_int_equal(spark_use_webhdfs(sc, &o), SPARK_OK);
    check_fails(spark_text_file(sc, "hdfs://x/many", 0), "http://127.0.0.1:1/webhdfs/v1/many: curl");
    assert_null(strstr(spark_last_error()->message, "secret"));
    o.namenode = "x";
    assert_int_equal(spark_use_webhdfs(sc, &o), SPARK_EINVAL);
    spark_context_free(sc);
}

static spark_status count_two(spark_context *sc, int64_t *n)
{
    const spark_webhdfs_options o = options_of(&origin);
    const spark_status status = spark_use_webhdfs(sc, &o);
    return status == SPARK_OK
        ? spark_count(spark_text_file(sc, path_of(&origin, "/logs/c/part-0000[12]"), 2), n)
        : status;
}

static void test_nth_call(void **state)
{
    (void)state;
    static const spark_fault_kind kinds[] = { SPARK_FAULT_ALLOC, SPARK_FAULT_IO };
    each_call_fails(LENGTH(kinds), kinds, 5, count_two, 2);
}

static void test_writing(void **state)
{
    (void)state;
    spark_context *sc = with_hdfs(&(spark_conf) { .threads = 2 });
    check_round(sc, path_of(&origin, "/out/numbers"), 1000000, 2);
    check_round(sc, path_of(&harmed, "/out/harmed"), 300000, 3);
    check_round(sc, path_of(&origin, "/out/a few/"), 3, 5);
    check_count(sc, path_of(&origin, "/out/a few/_SUCCESS"), 0);
    check_fails(spark_text_file(sc, path_of(&origin, "/out/numbers/_temporary"), 0), "does not exist");
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = { file_test(test_reading), file_test(test_names), file_test(test_errors),
        file_test(test_nth_call), file_test(test_writing) };
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name(TEST_FILE, tests, start, remote_stop);
}
