/* SPDX-License-Identifier: Apache-2.0 */
/* Files of Hadoop's file system by WebHDFS, whose datanode is found by a redirection, and whose namenode refuses for a
 * while. */
#include "remote_test.h"

static server hdfs, harmed;

static int start(void **state)
{
    (void)state;
    char port[16];
    if (!SERVER_START(&hdfs, "hdfs"))
        return -1;
    snprintf(port, sizeof port, "%d", hdfs.port);
    return SERVER_START(&harmed, "proxy", "127.0.0.1", port, "cut", "reset", "delay", "head") ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    server_stop(&harmed);
    server_stop(&hdfs);
    return 0;
}

static const char *path_of(const server *of, const char *path)
{
    static char text[4][200];
    static int next;
    next = (next + 1) % 4;
    snprintf(text[next], sizeof text[next], "webhdfs://127.0.0.1:%d%s", of->port, path);
    return text[next];
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
    const spark_webhdfs_options o = options_of(&hdfs);
    assert_int_equal(spark_use_webhdfs(sc, &o), SPARK_OK);
    return sc;
}

static void check_count(spark_context *sc, const char *path, int64_t want)
{
    int64_t n = -1;
    if (spark_count(spark_text_file(sc, path, 0), &n) != SPARK_OK)
        fail_msg("%s: %s", path, spark_last_error()->message);
    assert_int_equal(n, want);
}

static void test_reading(void **state)
{
    (void)state;
    for (int splits = 1; splits <= 9; splits += 4) {
        spark_context *sc = with_hdfs(&(spark_conf) { .threads = 2, .memory_bytes = 64 << 20 });
        check_many(spark_text_file(sc, path_of(&hdfs, "/many/lines.txt"), splits));
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
    check_count(sc, path_of(&hdfs, "/logs/a b"), 20);
    check_count(sc, path_of(&hdfs, "/logs/*/part-*"), 40);
    check_count(sc, path_of(&hdfs, "/*/c/part-0001?"), 10);
    check_count(sc, path_of(&hdfs, "/many/a b.txt"), 1);
    check_fails(spark_text_file(sc, path_of(&hdfs, "/none"), 0), "Input path does not exist: webhdfs://");
    check_fails(spark_text_file(sc, path_of(&hdfs, "/logs"), 0), "is a directory within an input directory");
    spark_context_free(sc);
}

static void test_errors(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(NULL);
    spark_webhdfs_options o = options_of(&hdfs);
    o.user = "nobody";
    assert_int_equal(spark_use_webhdfs(sc, &o), SPARK_OK);
    check_fails(spark_text_file(sc, path_of(&hdfs, "/many"), 0),
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

static void test_nth_call(void **state)
{
    (void)state;
    static const spark_fault_kind kinds[] = { SPARK_FAULT_ALLOC, SPARK_FAULT_IO };
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        bool struck = true;
        for (uint64_t nth = 1; struck && nth < 1500; nth += 1 + nth / 20) {
            const spark_fault plan = { kinds[k], SPARK_ANYWHERE, .nth = nth };
            spark_context *sc = spark_context_new(
                &(spark_conf) { .faults = &plan, .n_faults = 1, .task_max_failures = 1, .threads = 1 });
            const spark_webhdfs_options o = options_of(&hdfs);
            int64_t n;
            if (spark_use_webhdfs(sc, &o) == SPARK_OK
                && spark_count(spark_text_file(sc, path_of(&hdfs, "/logs/c/part-0000[12]"), 2), &n) == SPARK_OK)
                assert_int_equal(n, 2);
            else
                assert_true(*spark_last_error()->message);
            struck = spark_faults_struck(sc) > 0;
            spark_context_free(sc);
        }
        assert_false(struck);
    }
    assert_int_equal(children(), 2);
}

static void test_writing(void **state)
{
    (void)state;
    spark_context *sc = with_hdfs(&(spark_conf) { .threads = 2 });
    check_round(sc, path_of(&hdfs, "/out/numbers"), 1000000, 2);
    check_round(sc, path_of(&harmed, "/out/harmed"), 300000, 3);
    check_round(sc, path_of(&hdfs, "/out/a few/"), 3, 5);
    check_count(sc, path_of(&hdfs, "/out/a few/_SUCCESS"), 0);
    check_fails(spark_text_file(sc, path_of(&hdfs, "/out/numbers/_temporary"), 0), "does not exist");
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = { file_test(test_reading), file_test(test_names), file_test(test_errors),
        file_test(test_nth_call), file_test(test_writing) };
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name(TEST_FILE, tests, start, stop);
}
