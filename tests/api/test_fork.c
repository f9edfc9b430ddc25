/* SPDX-License-Identifier: Apache-2.0 */
/* A child of fork has none of its parent's threads: what needs them is an error there, freeing the
 * context does nothing, and the parent notices nothing. */
#include <sys/wait.h>
#include <unistd.h>

#include "oracle.h"

SPARK_MAP(twice, int64_t, int64_t)
{
    *out = *in * 2;
}

/* in_child: what the function says of the child's view of the context; 0: it is right. */
static void in_child(spark_context *sc, int (*look)(spark_context *sc))
{
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(look(sc));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_msg("the child was ended by signal %d", WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int refuses_actions(spark_context *sc)
{
    int64_t n;
    for (int i = 0; i < 3; i++) {
        spark_rdd *rdd = spark_map(spark_range(sc, 0, 100, 1, 8), twice, NULL);
        if (spark_count(rdd, &n) != SPARK_EINVAL)
            return 1;
        if (!strstr(spark_last_error()->message, "fork"))
            return 2;
    }
    if (spark_kill_executor(sc, "driver", NULL) != SPARK_EINVAL
        || !strstr(spark_last_error()->message, "fork"))
        return 3;
    return 0;
}

static int frees(spark_context *sc)
{
    spark_context_free(sc);
    return 0;
}

static int refuses_and_frees(spark_context *sc)
{
    const int wrong = refuses_actions(sc);
    spark_context_free(sc);
    return wrong;
}

static void test_child__of_fork_cannot_use_the_context(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        in_child(sc, refuses_actions);
        assert_int_equal(oracle_count(spark_range(sc, 0, 1000, 1, 8)), 1000);
        nanosleep(&(struct timespec) { 0, 10000000 }, NULL); /* the workers let go of their locks */
        in_child(sc, frees);
        in_child(sc, refuses_and_frees);
        assert_int_equal(oracle_count(spark_range(sc, 0, 1000, 1, 8)), 1000);
        oracle_close(sc);
    }
}

static void test_child__leaves_the_files_of_its_parent(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_local_checkpoint(spark_map(spark_range(sc, 0, 1000, 1, 4), twice, NULL));
    assert_int_equal(oracle_count(rdd), 1000);
    nanosleep(&(struct timespec) { 0, 10000000 }, NULL);
    in_child(sc, frees);
    assert_int_equal(oracle_count(rdd), 1000); /* reads its checkpoint */
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_child__of_fork_cannot_use_the_context),
        oracle_test(test_child__leaves_the_files_of_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
