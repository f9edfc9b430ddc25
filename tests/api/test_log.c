/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log: what is said at which level, and that a line stays one line of plain text whatever
 * it tells of. */
#include "oracle.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

enum { MOST = 4000, LONG = 10 << 20 };

typedef struct said {
    char *lines[MOST]; /* "INFO DAGScheduler: ..." */
    size_t n;
    int64_t last;
    bool backwards; /* a line was older than the one before by more than a second */
} said;

static void hear(void *env, spark_log_level level, int64_t time, const char *source, const char *message)
{
    static const char *const names[] = { "?", "?", "ERROR", "WARN", "INFO", "DEBUG", "TRACE" };
    said *s = env;
    char *line = NULL;
    s->backwards = s->backwards || time < s->last - 1000000000;
    s->last = time;
    if (s->n < MOST && asprintf(&line, "%s %s: %s", names[level], source, message) > 0)
        s->lines[s->n++] = line;
}

static void forget(said *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->lines[i]);
    s->n = 0;
}

/* has: how many lines begin so. */
static int has(const said *s, const char *start)
{
    int n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += strncmp(s->lines[i], start, strlen(start)) == 0;
    return n;
}

SPARK_PAIR(pair, int64_t, int64_t);
SPARK_MAP(to_pair, int64_t, pair)
{
    *out = (pair) { *in % 7, *in };
}
typedef struct words {
    const char *at;
} words;
SPARK_MAP(refuses, int64_t, int64_t, words)
{
    if (*in == 55)
        spark_fail(task, "%s", env->at);
    *out = *in;
}

static spark_context *open_said(said *s, spark_log_level level, const spark_conf *conf)
{
    spark_context *sc = spark_context_new(conf);
    const spark_log_options options = { .level = level, .to = hear, .env = s };
    oracle_ok(spark_log(sc, &options));
    return sc;
}

static void works(spark_context *sc)
{
    int64_t n;
    spark_rdd *numbers = spark_cache(spark_range(sc, 0, 100, 1, 4));
    oracle_ok(spark_count(spark_reduce_by_key(spark_map(numbers, to_pair, NULL), spark_op_sum, NULL, 3), &n));
    assert_int_equal(n, 7);
    const words message = { "55 is \"wrong\"" };
    assert_int_equal(spark_count(spark_map(numbers, refuses, SPARK_COPY(message)), &n), SPARK_ETASK);
}

static void says_what_a_level_says(void **state)
{
    (void)state;
    const spark_conf conf = { .threads = 2, .app_name = "logged", .task_max_failures = 3 };
    int before = 0;
    for (int level = SPARK_LOG_ERROR; level <= SPARK_LOG_TRACE; level++) {
        said *s = calloc(1, sizeof *s);
        assert_non_null(s);
        spark_context *sc = open_said(s, (spark_log_level)level, &conf);
        works(sc);
        spark_context_free(sc);
        assert_true((int)s->n > before);
        before = (int)s->n;
        assert_false(s->backwards);
        assert_int_equal(has(s, "ERROR"), 1);
        assert_int_equal(has(s, "ERROR DAGScheduler: Job 1 failed: count at "), 1);
        assert_int_equal(has(s, "WARN"), level >= SPARK_LOG_WARN ? 3 : 0);
        assert_int_equal(has(s, "WARN TaskSetManager: Lost task 2."), level >= SPARK_LOG_WARN ? 3 : 0);
        const int info = level >= SPARK_LOG_INFO, debug = level >= SPARK_LOG_DEBUG;
        assert_int_equal(has(s, "INFO SparkContext: Submitted application: logged"), info);
        assert_int_equal(has(s, "INFO DAGScheduler: Got job 0 (count at "), info);
        assert_int_equal(has(s, "INFO DAGScheduler: Parents of final stage: List(ShuffleMapStage "), info);
        assert_int_equal(has(s, "INFO DAGScheduler: Submitting 4 missing tasks from ShuffleMapStage "), info);
        assert_int_equal(has(s, "INFO DAGScheduler: Job 0 finished: count at "), info);
        assert_int_equal(has(s, "INFO BlockManagerInfo: Added rdd_"), info * 4);
        const int started = has(s, "DEBUG TaskSetManager: Starting task ");
        assert_true(started >= debug * 10);
        assert_int_equal(has(s, "TRACE Executor: Task "), level == SPARK_LOG_TRACE ? started : 0);
        assert_true(has(s, "DEBUG TaskSetManager: Finished task ") >= debug * 7);
        assert_int_equal(has(s, "DEBUG SparkContext: spark.app.name=logged"), debug);
        assert_int_equal(has(s, "INFO SparkContext: Successfully stopped SparkContext"), info);
        forget(s);
        free(s);
    }
}

static void says_who_was_lost(void **state)
{
    (void)state;
    said *s = calloc(1, sizeof *s);
    assert_non_null(s);
    spark_context *sc = open_said(s, SPARK_LOG_INFO, &(spark_conf) { .master = "local-cluster[2,1,64]" });
    oracle_ok(spark_kill_executor(sc, "1", "line one\nINFO Evil: line two\x1b[2J\r\xc2\x9b"));
    spark_context_free(sc);
    assert_int_equal(has(s, "ERROR TaskSchedulerImpl: Lost executor 1 on "), 1);
    assert_int_equal(has(s, "INFO Evil"), 0);
    for (size_t i = 0; i < s->n; i++)
        if (strstr(s->lines[i], "Lost executor"))
            assert_non_null(strstr(s->lines[i],
                ": line one\\nINFO Evil: line two\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd"));
    forget(s);
    free(s);
}

/* plain: UTF-8 without anything that terminals obey. */
static void plain(const char *line)
{
    for (const unsigned char *c = (const unsigned char *)line; *c; c++) {
        assert_true(*c >= ' ' && *c != 0x7f);
        assert_false(*c == 0xc2 && c[1] < 0xa0);
        assert_false(*c == 0xe2 && c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae);
        assert_true(*c < 0x80 || (*c >= 0xc2 && *c < 0xf5) || (*c & 0xc0) == 0x80);
    }
}

static void no_text_does_harm(void **state)
{
    (void)state;
    said *s = calloc(1, sizeof *s);
    char *text = malloc(LONG + 1);
    int64_t n;
    assert_non_null(s);
    assert_non_null(text);
    for (int i = 0; i < LONG; i++)
        text[i] = (char)(i % 255 + 1);
    memcpy(text, "\x1b]0;owned\x07\xe2\x80\xae\xe2\x81\xa6 % %s %n <b>", 27);
    text[LONG] = '\0';
    spark_context *sc = open_said(s, SPARK_LOG_TRACE, &(spark_conf) { .threads = 2, .app_name = text });
    spark_set_job_group(sc, text, text);
    spark_rdd *rdd = (spark_range)(text, sc, 0, 100, 1, 2);
    spark_rdd_set_name(rdd, text);
    spark_cache(rdd);
    const words message = { text };
    assert_int_equal(spark_count(spark_map(rdd, refuses, SPARK_COPY(message)), &n), SPARK_ETASK);
    spark_context_free(sc);
    assert_true(s->n > 20);
    for (size_t i = 0; i < s->n; i++) {
        plain(s->lines[i]);
        assert_true(strlen(s->lines[i]) < 20000);
    }
    forget(s);
    free(s);
    free(text);
}

/* to_file: what the run writes to standard error. */
static char *to_file(const char *level, spark_log_level given, spark_status *status, const char *path)
{
    const int before = dup(STDERR_FILENO), file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *text = calloc(1, 1 << 20);
    assert_true(before >= 0 && file >= 0 && text);
    if (level)
        setenv("SPARK_LOG_LEVEL", level, 1);
    else
        unsetenv("SPARK_LOG_LEVEL");
    dup2(file, STDERR_FILENO);
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2, .app_name = "on stderr" });
    *status = spark_log(sc, given ? &(spark_log_options) { .level = given } : NULL);
    int64_t n;
    const spark_status counted = spark_count(spark_range(sc, 0, 10, 1, 2), &n);
    spark_context_free(sc);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_true(pread(file, text, (1 << 20) - 1, 0) >= 0);
    close(file);
    assert_int_equal(counted, SPARK_OK);
    return text;
}

static void looks_as_log4j_does(void **state)
{
    (void)state;
    char path[] = "/tmp/log-XXXXXX";
    spark_status status;
    close(mkstemp(path));
    char *text = to_file("info", SPARK_LOG_DEFAULT, &status, path);
    oracle_ok(status);
    assert_non_null(strstr(text, " INFO DAGScheduler: Job 0 finished: count at "));
    for (const char *line = text, *next; *line; line = next + 1) {
        const char pattern[] = "dd/dd/dd dd:dd:dd INFO ";
        next = strchr(line, '\n');
        assert_non_null(next);
        for (size_t i = 0; i < sizeof pattern - 1; i++)
            assert_true(pattern[i] == 'd' ? isdigit((unsigned char)line[i]) : line[i] == pattern[i]);
    }
    free(text);
    static const char *const silent[] = { NULL, "", "OFF", "Error" };
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        text = to_file(silent[i], SPARK_LOG_DEFAULT, &status, path);
        oracle_ok(status);
        assert_string_equal(text, "");
        free(text);
    }
    text = to_file("OFF", SPARK_LOG_WARN, &status, path);
    assert_string_equal(text, "");
    free(text);
    text = to_file("loud", SPARK_LOG_DEFAULT, &status, path);
    assert_int_equal(status, SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "log: the level loud is none of OFF, ERROR"));
    free(text);
    unlink(path);
    unsetenv("SPARK_LOG_LEVEL");
}

static void a_log_that_cannot_be_written_breaks_nothing(void **state)
{
    (void)state;
    spark_status status;
    char *text = to_file(NULL, SPARK_LOG_TRACE, &status, "/dev/full");
    oracle_ok(status);
    free(text);
    assert_int_equal(spark_log(NULL, &(spark_log_options) { .level = SPARK_LOG_INFO }), SPARK_EINVAL);
    assert_int_equal(spark_log(NULL, &(spark_log_options) { .level = (spark_log_level)99 }), SPARK_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_a_level_says),
        cmocka_unit_test(says_who_was_lost),
        cmocka_unit_test(no_text_does_harm),
        cmocka_unit_test(looks_as_log4j_does),
        cmocka_unit_test(a_log_that_cannot_be_written_breaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
