/* SPDX-License-Identifier: Apache-2.0 */
/* Failures as values, and the last error of a thread. */
#include "support/spark_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

static void test_set__fills_every_member(void **state)
{
    spk_failure f;
    (void)state;
    memset(&f, 0xee, sizeof f);
    assert_int_equal(
        spk_failure_set(&f, SPARK_EIO, "textFile", "a.c:1", "%s: %d", "x", 7), SPARK_EIO);
    assert_int_equal(f.code, SPARK_EIO);
    assert_string_equal(f.operation, "textFile");
    assert_string_equal(f.site, "a.c:1");
    assert_string_equal(f.message, "x: 7");
    assert_int_equal(f.job, -1);
    assert_int_equal(f.stage, -1);
    assert_int_equal(f.partition, -1);
    assert_int_equal(f.attempt, -1);
    assert_int_equal(f.record, -1);
}

static void test_set__takes_null_for_operation_and_site(void **state)
{
    spk_failure f;
    (void)state;
    spk_failure_set(&f, SPARK_EINVAL, NULL, NULL, "no");
    assert_string_equal(f.operation, "");
    assert_string_equal(f.site, "");
}

static void test_set__cuts_long_texts_and_says_so(void **state)
{
    spk_failure f;
    char text[2000];
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t n = sizeof f.message - 3; n <= sizeof f.message + 3; n++) {
        spk_failure_set(&f, SPARK_EINVAL, NULL, NULL, "%.*s", (int)n, text);
        const bool cut = n >= sizeof f.message;
        assert_int_equal(strlen(f.message), cut ? sizeof f.message - 1 : n);
        assert_int_equal(strcmp(f.message + strlen(f.message) - 3, "...") == 0, cut);
    }
    text[sizeof text - 1] = 0;
    spk_failure_set(&f, SPARK_EINVAL, text, NULL, "short");
    assert_int_equal(strlen(f.operation), sizeof f.operation - 1);
    assert_string_equal(f.message, "short");
}

static void test_append__goes_to_the_end_and_no_further(void **state)
{
    spk_failure f;
    char text[1000];
    (void)state;
    spk_failure_set(&f, SPARK_ETASK, NULL, NULL, "a");
    spk_failure_append(&f, "b");
    spk_failure_append(&f, "");
    assert_string_equal(f.message, "ab");
    memset(text, 'x', sizeof text);
    text[sizeof f.message - 3] = 0; /* fits with nothing left */
    spk_failure_append(&f, text);
    assert_int_equal(strlen(f.message), sizeof f.message - 1);
    spk_failure_append(&f, "y");
    assert_int_equal(strlen(f.message), sizeof f.message - 1);
    assert_int_equal(f.message[sizeof f.message - 2], 'x');
    assert_int_equal(f.code, SPARK_ETASK);
}

static void test_end__cuts_the_message_and_not_what_is_added(void **state)
{
    spk_failure f;
    char text[sizeof f.message + 10], tail[sizeof f.message];
    (void)state;
    spk_failure_set(&f, SPARK_EIO, NULL, NULL, "a");
    spk_failure_end(&f, " (b\nc)");
    assert_string_equal(f.message, "a (b c)");
    for (size_t n = sizeof f.message - 12; n < sizeof text; n++) {
        memset(text, 'x', n);
        text[n] = '\0';
        spk_failure_set(&f, SPARK_EIO, NULL, NULL, "%s", text);
        spk_failure_end(&f, "; the end");
        const size_t length = strlen(f.message);
        assert_true(length < sizeof f.message);
        assert_string_equal(f.message + length - 9, "; the end");
        if (n + 9 >= sizeof f.message)
            assert_string_equal(f.message + length - 12, "...; the end");
    }
    memset(tail, 'y', sizeof tail - 1);
    tail[sizeof tail - 1] = '\0';
    spk_failure_end(&f, tail); /* nothing is left to cut */
    assert_int_equal(strlen(f.message), sizeof f.message - 1);
}

static void test_in__keeps_the_end_of_a_long_path(void **state)
{
    spk_failure f;
    char path[sizeof f.file + 20];
    (void)state;
    spk_failure_set(&f, SPARK_ETASK, NULL, NULL, "a");
    assert_string_equal(f.file, "");
    assert_int_equal(f.line, -1);
    for (size_t n = sizeof f.file - 3; n < sizeof path; n++) {
        memset(path, 'd', n);
        memcpy(path + n - 5, "/file", 6);
        spk_failure_in(&f, path, 7);
        assert_int_equal(f.line, 7);
        if (n < sizeof f.file) {
            assert_string_equal(f.file, path);
        } else {
            assert_int_equal(strlen(f.file), sizeof f.file - 1);
            assert_memory_equal(f.file, "...d", 4);
            assert_string_equal(f.file + sizeof f.file - 6, "/file");
        }
    }
}

static void test_nomem__says_where(void **state)
{
    spk_failure f;
    (void)state;
    assert_int_equal(spk_failure_nomem(&f, "collect", "a.c:3"), SPARK_ENOMEM);
    assert_string_equal(f.message, "collect at a.c:3: out of memory");
    spk_failure_nomem(&f, "collect", "");
    assert_string_equal(f.message, "collect: out of memory");
    spk_failure_nomem(&f, "collect", NULL);
    assert_string_equal(f.message, "collect: out of memory");
    spk_failure_nomem(&f, "", "a.c:3");
    assert_string_equal(f.message, "out of memory");
    spk_failure_nomem(&f, NULL, NULL);
    assert_string_equal(f.message, "out of memory");
}

static void test_raise__shows_the_failure_as_it_was(void **state)
{
    spk_failure f;
    (void)state;
    spk_failure_set(&f, SPARK_ETASK, "map(f)", "b.c:9", "boom");
    f.job = 1;
    f.stage = 2;
    f.partition = 3;
    f.attempt = 4;
    f.record = INT64_C(5000000000);
    spk_failure_in(&f, "some/file", INT64_C(6000000000));
    assert_int_equal(spk_raise(&f), SPARK_ETASK);
    memset(&f, 0, sizeof f); /* it was copied */
    const spark_error *e = spark_last_error();
    assert_int_equal(e->code, SPARK_ETASK);
    assert_string_equal(e->operation, "map(f)");
    assert_string_equal(e->message, "boom");
    assert_string_equal(e->site, "b.c:9");
    assert_int_equal(e->job, 1);
    assert_int_equal(e->stage, 2);
    assert_int_equal(e->partition, 3);
    assert_int_equal(e->attempt, 4);
    assert_true(e->record == INT64_C(5000000000));
    assert_string_equal(e->file, "some/file");
    assert_true(e->line == INT64_C(6000000000));
}

static void test_raise__may_quote_the_error_before(void **state)
{
    (void)state;
    spk_raisef(SPARK_EIO, "save", "c.c:1", "first");
    assert_int_equal(spk_raisef(SPARK_EINVAL, spark_last_error()->operation,
                         spark_last_error()->site, "then: %s", spark_last_error()->message),
        SPARK_EINVAL);
    assert_string_equal(spark_last_error()->message, "then: first");
    assert_string_equal(spark_last_error()->operation, "save");
    assert_string_equal(spark_last_error()->site, "c.c:1");
}

static void *fails_alone(void *arg)
{
    bool *good = arg;
    const spark_error *e = spark_last_error();
    *good = e->code == SPARK_OK && !*e->message && !*e->operation && !*e->site && e->job == -1
        && e->stage == -1 && e->partition == -1 && e->attempt == -1 && e->record == -1 && !*e->file
        && e->line == -1;
    spk_raisef(SPARK_EIO, "there", NULL, "of the thread");
    *good = *good && spark_last_error()->code == SPARK_EIO;
    return NULL;
}

static void test_last_error__belongs_to_the_thread(void **state)
{
    pthread_t thread;
    bool good = false;
    (void)state;
    spk_raisef(SPARK_EINVAL, "here", NULL, "of the test");
    assert_int_equal(pthread_create(&thread, NULL, fails_alone, &good), 0);
    pthread_join(thread, NULL);
    assert_true(good);
    assert_string_equal(spark_last_error()->message, "of the test");
}

static void test_status_name__knows_every_status(void **state)
{
    (void)state;
    assert_string_equal(spark_status_name(SPARK_OK), "SPARK_OK");
    assert_string_equal(spark_status_name(SPARK_EINVAL), "SPARK_EINVAL");
    assert_string_equal(spark_status_name(SPARK_ETYPE), "SPARK_ETYPE");
    assert_string_equal(spark_status_name(SPARK_ENOMEM), "SPARK_ENOMEM");
    assert_string_equal(spark_status_name(SPARK_EIO), "SPARK_EIO");
    assert_string_equal(spark_status_name(SPARK_EEMPTY), "SPARK_EEMPTY");
    assert_string_equal(spark_status_name(SPARK_ETASK), "SPARK_ETASK");
    assert_string_equal(spark_status_name(SPARK_ECANCELLED), "SPARK_ECANCELLED");
    assert_string_equal(spark_status_name(SPARK_ETIMEOUT), "SPARK_ETIMEOUT");
    assert_string_equal(spark_status_name(SPARK_EDEADLINE), "SPARK_EDEADLINE");
    assert_string_equal(spark_status_name((spark_status)(SPARK_EDEADLINE + 1)), "unknown status");
    assert_string_equal(spark_status_name((spark_status)-1), "unknown status");
}

static void test_complain__prints_the_program_and_the_message(void **state)
{
    char text[100];
    FILE *file = tmpfile();
    (void)state;
    assert_non_null(file);
    spk_raisef(SPARK_EIO, "here", NULL, "100%% wr\033[mong\177 \xc2\x9b\xc2\xa0");
    fflush(stderr);
    const int kept = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    const int status = spark_complain("prog") + spark_complain(NULL);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    const size_t n = fread(text, 1, sizeof text - 1, file);
    text[n] = 0;
    fclose(file);
    assert_int_equal(status, 2);
    assert_string_equal(text,
        "prog: 100% wr\xef\xbf\xbd[mong\xef\xbf\xbd \xef\xbf\xbd\xc2\xa0\n"
        "libspark: 100% wr\xef\xbf\xbd[mong\xef\xbf\xbd \xef\xbf\xbd\xc2\xa0\n");
}

/* Other threads may write there too: so it is written at once. */
static void test_complain__writes_its_line_at_once(void **state)
{
    char text[4096];
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    spk_raisef(SPARK_EIO, "here", NULL, "%0700d", 7);
    fflush(stderr);
    const int kept = dup(STDERR_FILENO);
    dup2(ends[0], STDERR_FILENO);
    spark_complain("prog");
    spk_warn("the %s", "end");
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_int_equal(recv(ends[1], text, sizeof text, 0), 6 + 700 + 1);
    assert_memory_equal(text, "prog: 0000", 10);
    assert_int_equal(recv(ends[1], text, sizeof text, 0), 18);
    assert_memory_equal(text, "libspark: the end\n", 18);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set__fills_every_member),
        cmocka_unit_test(test_set__takes_null_for_operation_and_site),
        cmocka_unit_test(test_set__cuts_long_texts_and_says_so),
        cmocka_unit_test(test_append__goes_to_the_end_and_no_further),
        cmocka_unit_test(test_end__cuts_the_message_and_not_what_is_added),
        cmocka_unit_test(test_in__keeps_the_end_of_a_long_path),
        cmocka_unit_test(test_nomem__says_where),
        cmocka_unit_test(test_raise__shows_the_failure_as_it_was),
        cmocka_unit_test(test_raise__may_quote_the_error_before),
        cmocka_unit_test(test_last_error__belongs_to_the_thread),
        cmocka_unit_test(test_status_name__knows_every_status),
        cmocka_unit_test(test_complain__prints_the_program_and_the_message),
        cmocka_unit_test(test_complain__writes_its_line_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
