/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints beside other things: loops, failures, damaged files, other threads. (What Spark's suites
 * ask of them is in tests/conformance.) */
#include "file_test.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);

static atomic_long calls;
static atomic_bool broken, hold, held;

SPARK_MAP(counted, int64_t, int64_t)
{
    atomic_fetch_add(&calls, 1);
    *out = *in;
}
typedef const spark_accumulator *accumulator;
SPARK_FILTER(summed, int64_t, accumulator)
{
    spark_accumulate(task, *env, *in);
    return true;
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 10, 1 };
}
SPARK_MAP(plus_one, int64_t, int64_t)
{
    *out = *in + 1;
}
SPARK_MAP(may_break, int64_t, int64_t)
{
    if (atomic_load(&broken) && *in == 7)
        spark_fail(task, "seven is not wanted");
    *out = *in;
}
SPARK_MAP(waits, int64_t, int64_t)
{
    atomic_store(&held, true);
    while (atomic_load(&hold))
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    *out = *in;
}

/* Outputs that another thread has cleaned meanwhile are lost, however often. */
static spark_context *open_here(int threads)
{
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .threads = threads, .local_dir = ".", .stage_max_attempts = 1000 });
    oracle_ok(spark_set_checkpoint_dir(sc, "kept"));
    return sc;
}

static spark_rdd *hundred(spark_context *sc)
{
    return spark_map(spark_range(sc, 0, 100, 1, 4), counted, NULL);
}

/* A loop that checkpoints each step has neither a lineage nor shuffles that grow. */
static void test_checkpoint__a_loop_keeps_one_step(void **state)
{
    (void)state;
    spark_context *sc = open_here(2);
    spark_rdd *sums = spark_map(spark_range(sc, 0, 1000, 1, 4), to_pair, NULL);
    uint64_t after_ten = 0;
    for (int i = 0; i < 30; i++) {
        SPARK_SCOPED(sc);
        int64_t n;
        spark_rdd *next = spark_reduce_by_key(sums, spark_op_sum, NULL, 4);
        next = spark_local_checkpoint(spark_map_values(next, plus_one, NULL));
        oracle_ok(spark_count(next, &n));
        assert_int_equal(n, 10);
        spark_rdd_replace(&sums, next);
        const char *lineage = spark_to_debug_string(sums);
        int lines = 1;
        for (const char *at = lineage; *at; at++)
            lines += *at == '\n';
        assert_int_equal(lines, 2);
        assert_non_null(strstr(lineage, "LocalCheckpointRDD["));
        assert_non_null(strstr(lineage, " at count at "));
        if (i == 9)
            after_ten = spark_memory_bytes(sc, NULL);
        if (i > 9)
            assert_true(spark_memory_bytes(sc, NULL) <= after_ten + 64 * 1024);
    }
    oracle_holds(
        sums, "(0,130) (1,130) (2,130) (3,130) (4,130) (5,130) (6,130) (7,130) (8,130) (9,130)");
    oracle_close(sc);
}

/* A step of every operation on a checkpointed RDD is the same bytes as on one that is not. */
static void test_checkpoint__content_and_order_do_not_depend_on_it(void **state)
{
    (void)state;
    char *want = NULL;
    for (int threads = 1; threads <= 8; threads *= 2)
        for (int mark = 0; mark < 3; mark++) {
            spark_context *sc = open_here(threads);
            spark_rdd *pairs = spark_map(spark_sample(hundred(sc), true, 3.0, 5), to_pair, NULL);
            spark_rdd *sums = spark_reduce_by_key(pairs, spark_op_sum, NULL, 3);
            if (mark == 1)
                spark_checkpoint(pairs);
            if (mark == 2)
                spark_local_checkpoint(sums);
            spark_rdd *end = spark_sample(spark_join(pairs, sums, 0), false, 0.3, 11);
            char *have = oracle_layout(end);
            assert_non_null(have);
            if (want) {
                assert_string_equal(have, want);
                free(have);
            } else {
                want = have;
            }
            oracle_close(sc);
        }
    free(want);
}

static void test_checkpoint__accumulators_count_once(void **state)
{
    (void)state;
    spark_context *sc = open_here(2);
    const accumulator sum = spark_counter(sc, "sum");
    atomic_store(&calls, 0);
    spark_rdd *rdd = spark_checkpoint(spark_filter(hundred(sc), summed, SPARK_COPY(sum)));
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(rdd), 100);
    assert_int_equal(atomic_load(&calls), 100);
    assert_int_equal(spark_accumulator_value(sum), 4950);
    oracle_close(sc);
}

static void test_checkpoint__a_function_that_fails_leaves_the_mark(void **state)
{
    (void)state;
    spark_context *sc = open_here(2);
    int64_t n;
    spark_rdd *rdd = spark_checkpoint(spark_map(hundred(sc), may_break, NULL));
    atomic_store(&broken, true);
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "seven is not wanted");
    assert_non_null(strstr(spark_last_error()->operation, "may_break"));
    atomic_store(&broken, false);
    assert_false(spark_rdd_is_checkpointed(rdd));
    assert_int_equal(spark_rdd_n_dependencies(rdd), 1);
    assert_int_equal(oracle_count(rdd), 100);
    assert_true(spark_rdd_is_checkpointed(rdd));
    oracle_close(sc);
}

static void test_checkpoint__a_full_disk_is_an_error_of_the_action(void **state)
{
    (void)state;
    struct rlimit before, little;
    spark_context *sc = open_here(2);
    int64_t n;
    spark_rdd *rdd = spark_checkpoint(spark_range(sc, 0, 200000, 1, 2));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    const spark_status status = spark_count(rdd, &n);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, SPARK_EIO);
    assert_non_null(strstr(spark_last_error()->message, spark_checkpoint_dir(sc)));
    assert_int_equal(oracle_entries(spark_checkpoint_dir(sc)), 2); /* . and .. */
    assert_int_equal(oracle_count(rdd), 200000);
    assert_true(spark_rdd_is_checkpointed(rdd));
    oracle_close(sc);
}

static void test_checkpoint__directories_that_cannot_be_made(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .local_dir = "no/such" });
    int64_t n;
    scratch_write("file", "x", 1);
    oracle_fails(spark_set_checkpoint_dir(sc, "file/below"), SPARK_EIO, "file/below");
    oracle_fails(spark_set_checkpoint_dir(sc, ""), SPARK_EINVAL, "empty");
    oracle_fails(spark_set_checkpoint_dir(sc, NULL), SPARK_EINVAL, "empty");
    oracle_fails(spark_set_checkpoint_dir(NULL, "x"), SPARK_EINVAL, "context");
    assert_null(spark_checkpoint_dir(sc));
    assert_null(spark_checkpoint_dir(NULL));
    assert_int_equal(mkdir("no", 0500), 0);
    spark_rdd *rdd = spark_local_checkpoint(hundred(sc)); /* which makes no directory that stays */
    oracle_fails(spark_count(rdd, &n), SPARK_EIO, "cannot make a directory in no/such: No such file");
    assert_int_equal(access("no/such", F_OK), -1);
    spark_rdd *bad = spark_checkpoint(spark_text_file(sc, "", 1));
    oracle_fails(spark_count(bad, &n), SPARK_EINVAL, "path is empty");
    oracle_fails(spark_rdd_status(spark_local_checkpoint(NULL)), SPARK_EINVAL, "NULL");
    assert_false(spark_rdd_is_checkpointed(NULL));
    assert_false(spark_rdd_is_checkpointed(bad));
    assert_null(spark_rdd_checkpoint_file(NULL));
    /* What cannot be prepared. */
    spark_rdd *missing = spark_local_checkpoint(spark_text_file(sc, "not/there", 1));
    oracle_fails(spark_count(missing, &n), SPARK_EIO, "not/there");
    oracle_close(sc);
}

static void test_checkpoint__a_damaged_part(void **state)
{
    (void)state;
    spark_context *sc = open_here(2);
    char path[400];
    int64_t n;
    spark_rdd *rdd = spark_checkpoint(hundred(sc));
    assert_int_equal(oracle_count(rdd), 100);
    snprintf(path, sizeof path, "%s/part-00002", spark_rdd_checkpoint_file(rdd));
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "!", 1, 100), 1);
    assert_int_equal(close(fd), 0);
    oracle_fails(spark_count(rdd, &n), SPARK_EIO, "part-00002");
    oracle_close(sc);
}

/* Faults strike the job that writes as any other; what is written is right all the same. */
static void test_checkpoint__under_faults(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads += 3) {
        const spark_conf conf = { .threads = threads,
            .local_dir = ".",
            .stage_max_attempts = 1000,
            .faults = oracle_random_faults,
            .n_faults = 1 };
        spark_context *sc = oracle_open_conf(&conf);
        spark_rdd *pairs = spark_map(hundred(sc), to_pair, NULL);
        spark_rdd *sums = spark_cache(spark_reduce_by_key(pairs, spark_op_sum, NULL, 3));
        spark_local_checkpoint(sums);
        for (int i = 0; i < 5; i++) {
            oracle_holds(
                spark_map(spark_values(sums), plus_one, NULL), "11 11 11 11 11 11 11 11 11 11");
            assert_true(spark_rdd_is_checkpointed(sums));
        }
        oracle_close(sc);
    }
}

/* entries_of: names in the current directory that begin so. */
static int entries_of(const char *prefix)
{
    DIR *dir = opendir(".");
    int n = 0;
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    closedir(dir);
    return n;
}

/* die_checkpointed: in a child: killed while its local checkpoint is there. */
static void die_checkpointed(void)
{
    int64_t n;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1, .local_dir = "." });
    spark_rdd *rdd = spark_local_checkpoint(hundred(sc));
    if (spark_count(rdd, &n) == SPARK_OK && spark_rdd_is_checkpointed(rdd))
        raise(SIGKILL);
    _exit(1);
}

/* What a killed process left goes with the next one that checkpoints there; what a live one has, and
 * what is none of ours, stays. */
static void test_checkpoint__files_of_killed_processes_go(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        int status;
        const pid_t child = fork();
        if (child == 0)
            die_checkpointed();
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(entries_of("libspark-local-"), 1);
    }
    assert_int_equal(mkdir("libspark-other", 0700), 0);
    spark_context *first = open_here(1), *second = open_here(1);
    spark_rdd *a = spark_local_checkpoint(hundred(first));
    spark_rdd *b = spark_local_checkpoint(hundred(second));
    int64_t n;
    oracle_ok(spark_count(a, &n));
    assert_int_equal(entries_of("libspark-local-"), 1);
    oracle_ok(spark_count(b, &n));
    assert_int_equal(entries_of("libspark-local-"), 2);
    oracle_ok(spark_count(a, &n));
    assert_int_equal(n, 100);
    oracle_close(second);
    oracle_close(first);
    assert_int_equal(entries_of("libspark-local-"), 0);
    assert_int_equal(entries_of("libspark-other"), 1);
    assert_int_equal(rmdir("libspark-other"), 0);
}

/* While a job of another thread may be walking along the old edges, they stay; then they go. */
static void *count_it(void *arg)
{
    int64_t n = -1;
    const spark_status status = spark_count((spark_rdd *)arg, &n);
    return status == SPARK_OK && n == 4 ? arg : NULL;
}

static void test_checkpoint__edges_go_when_nobody_walks_along_them(void **state)
{
    (void)state;
    spark_context *sc = open_here(3);
    pthread_t other;
    void *good;
    spark_rdd *source = spark_range(sc, 0, 4, 1, 2), *marked = spark_map(source, plus_one, NULL);
    spark_rdd *slow = spark_map(marked, waits, NULL);
    atomic_store(&hold, true);
    atomic_store(&held, false);
    assert_int_equal(pthread_create(&other, NULL, count_it, slow), 0);
    while (!atomic_load(&held))
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    spark_local_checkpoint(marked);
    oracle_collects(marked, "1 2 3 4");
    assert_true(spark_rdd_is_checkpointed(marked));
    assert_ptr_equal(spark_rdd_dependency(marked, 0, NULL), source);
    atomic_store(&hold, false);
    assert_int_equal(pthread_join(other, &good), 0);
    assert_ptr_equal(good, slow);
    oracle_collects(marked, "1 2 3 4");
    assert_ptr_not_equal(spark_rdd_dependency(marked, 0, NULL), source);
    oracle_collects(slow, "1 2 3 4");
    oracle_close(sc);
}

/* Threads that mark, act, ask and clean, all on one lineage. */
typedef struct shared {
    spark_context *sc;
    spark_rdd *rdds[6];
    atomic_int failed;
} shared;

static void *use_all(void *arg)
{
    shared *s = arg;
    for (int i = 0; i < 40; i++) {
        spark_rdd *rdd = s->rdds[i % 6];
        int64_t n = 0;
        SPARK_SCOPED(s->sc);
        if (i % 7 == 3)
            (void)spark_checkpoint(rdd);
        if (i % 11 == 5)
            (void)spark_local_checkpoint(rdd);
        if (spark_count(rdd, &n) != SPARK_OK || n != 10) {
            print_error("count: %s\n", spark_last_error()->message);
            atomic_fetch_add(&s->failed, 1);
        }
        if (!*spark_to_debug_string(rdd) || spark_rdd_n_dependencies(rdd) != 1
            || spark_clean_shuffle_dependencies(rdd) != SPARK_OK)
            atomic_fetch_add(&s->failed, 1);
    }
    return NULL;
}

static void test_checkpoint__many_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    for (int round = 0; round < 5; round++) {
        shared s = { .sc = open_here(3) };
        pthread_t threads[THREADS];
        s.rdds[0]
            = spark_reduce_by_key(spark_map(hundred(s.sc), to_pair, NULL), spark_op_sum, NULL, 3);
        for (int i = 1; i < 6; i++)
            s.rdds[i] = i & 1 ? spark_map_values(s.rdds[i - 1], plus_one, NULL)
                              : spark_reduce_by_key(s.rdds[i - 1], spark_op_sum, NULL, 2);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, use_all, &s), 0);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&s.failed), 0);
        oracle_holds(
            s.rdds[5], "(0,13) (1,13) (2,13) (3,13) (4,13) (5,13) (6,13) (7,13) (8,13) (9,13)");
        oracle_close(s.sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_checkpoint__a_loop_keeps_one_step),
        file_test(test_checkpoint__content_and_order_do_not_depend_on_it),
        file_test(test_checkpoint__accumulators_count_once),
        file_test(test_checkpoint__a_function_that_fails_leaves_the_mark),
        file_test(test_checkpoint__a_full_disk_is_an_error_of_the_action),
        file_test(test_checkpoint__directories_that_cannot_be_made),
        file_test(test_checkpoint__a_damaged_part),
        file_test(test_checkpoint__under_faults),
        file_test(test_checkpoint__files_of_killed_processes_go),
        file_test(test_checkpoint__edges_go_when_nobody_walks_along_them),
        file_test(test_checkpoint__many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
