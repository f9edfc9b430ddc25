/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the machine: they count what tasks do where the system lets them, and are silently absent where it does
 * not: a filter of system calls refuses them. Which there are is the machine's. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/oracle.h"
#include "support/slow.h"

/* SHADOWS: pages that a sanitizer touches itself for each. */
#if TESTS_WATCH_THREADS
enum { SHADOWS = 4 };
#else
enum { SHADOWS = 0 };
#endif
enum { TASKS = 12, PAGES = 300, MOST = PAGES + SHADOWS * PAGES + 500 };

/* touch: pages that nobody has touched before. */
SPARK_MAP(touch, int64_t, int64_t)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = PAGES * page;
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        spark_fail(task, "no memory");
    madvise(at, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += page)
        at[i] = 1;
    munmap(at, size);
    *out = *in;
}

typedef struct heard {
    int64_t faults, told;
    char stage[40]; /* what the stage says of page faults */
} heard;

static void hear_task(void *env, const spark_task_info *t)
{
    heard *h = env;
    h->faults += t->metrics->page_faults;
    h->told += (int64_t)t->n_accumulables;
}

static void hear_stage(void *env, const spark_stage_info *s)
{
    heard *h = env;
    h->told += (int64_t)s->n_accumulables;
    for (size_t i = 0; i < s->n_accumulables; i++)
        if (strcmp(s->accumulables[i].name, "page faults") == 0)
            snprintf(h->stage, sizeof h->stage, "%s", s->accumulables[i].value);
}

/* run: a job of tasks that touch pages, after which nothing may be counted but what is allowed. */
static void run(spark_context *sc, unsigned allowed, heard *h, spark_task_metrics *sum)
{
    const spark_listener listener = { .env = h, .whole = true, .task_end = hear_task, .stage_completed = hear_stage };
    spark_stage_metrics s;
    int64_t n;
    *h = (heard) { .faults = 0 };
    oracle_ok(spark_add_listener(sc, &listener));
    oracle_ok(spark_keep_metrics(sc, NULL));
    oracle_ok(spark_count(spark_map(spark_range(sc, 0, TASKS, 1, TASKS), touch, NULL), &n));
    oracle_ok(spark_metrics_of_stage(sc, 0, SPARK_ANY, &s));
    spark_listeners_wait(sc);
    *sum = s.attempts.sum;
    assert_true((allowed & SPARK_COUNTS_CYCLES) ? sum->cycles > 0 : sum->cycles == 0);
    assert_true((allowed & SPARK_COUNTS_INSTRUCTIONS) ? sum->instructions > 0 : sum->instructions == 0);
    assert_true((allowed & SPARK_COUNTS_CACHE_MISSES) || sum->cache_misses == 0);
    assert_int_equal(sum->page_faults, h->faults);
    assert_int_equal(h->told, __builtin_popcount(allowed));
}

static void count_what_tasks_do(void **state)
{
    (void)state;
    static const char *const masters[] = { "local[1]", "local[3]", "local-cluster[2,2,64]" };
    for (size_t i = 0; i < LENGTH(masters); i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[i] });
        unsigned counted = 99, again = 99;
        spark_task_metrics sum;
        char text[40];
        heard h;
        oracle_ok(spark_count_hardware(sc, &counted));
        oracle_ok(spark_count_hardware(sc, &again));
        assert_int_equal(again, counted);
        if (i == 0)
            print_message("cycles %d, instructions %d, cache misses %d, page faults %d\n", counted & 1,
                counted >> 1 & 1, counted >> 2 & 1, counted >> 3 & 1);
        run(sc, counted, &h, &sum);
        if (counted & SPARK_COUNTS_PAGE_FAULTS) {
            assert_in_range(sum.page_faults, TASKS * PAGES, TASKS * MOST);
            snprintf(text, sizeof text, "%lld", (long long)sum.page_faults);
            assert_string_equal(h.stage, text);
        }
        oracle_close(sc);
    }
}

/* A single task runs on the thread of the program, whose own faults before are not its. */
static void count_on_the_thread_of_the_program(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_stage_metrics s;
    unsigned counted;
    int64_t n;
    oracle_ok(spark_count_hardware(sc, &counted));
    oracle_ok(spark_keep_metrics(sc, NULL));
    for (int round = 0; round < 3; round++) {
        const size_t size = 4000 * (size_t)sysconf(_SC_PAGESIZE);
        char *own = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(own != MAP_FAILED);
        madvise(own, size, MADV_NOHUGEPAGE);
        memset(own, 1, size);
        munmap(own, size);
        oracle_ok(spark_count(spark_map(spark_range(sc, 0, 1, 1, 1), touch, NULL), &n));
        oracle_ok(spark_metrics_of_stage(sc, round, SPARK_ANY, &s));
        if (counted & SPARK_COUNTS_PAGE_FAULTS)
            assert_in_range(s.attempts.sum.page_faults, PAGES, MOST);
    }
    oracle_close(sc);
}

/* refuse: false: the system has no such filters. */
static bool refuse(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 13),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { LENGTH(filter), filter };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void are_absent_where_refused(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        unsigned counted = 99;
        spark_task_metrics sum;
        heard h;
        alarm(60);
        if (!refuse())
            _exit(77);
        spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
        if (spark_count_hardware(sc, &counted) != SPARK_OK || counted != 0)
            _exit(1);
        run(sc, 0, &h, &sum);
        spark_context_free(sc);
        _exit(h.told == 0 ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        print_message("skipped: no filters of system calls\n");
    else
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* Workers that may open no file count nothing, and work. */
static void are_absent_where_no_file_may_be_opened(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    struct rlimit before, none;
    unsigned counted;
    spark_stage_metrics s;
    int64_t n;
    oracle_ok(spark_count_hardware(sc, &counted));
    oracle_ok(spark_keep_metrics(sc, NULL));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const spark_status status
        = spark_count(spark_map(spark_range(sc, 0, TASKS, 1, TASKS), touch, NULL), &n);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    oracle_ok(status);
    oracle_ok(spark_metrics_of_stage(sc, 0, SPARK_ANY, &s));
    assert_int_equal(s.attempts.succeeded, TASKS);
    assert_int_equal(s.attempts.sum.page_faults + s.attempts.sum.cycles, 0);
    oracle_fails(spark_count_hardware(NULL, NULL), SPARK_EINVAL, "no context");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(count_what_tasks_do),
        oracle_test(count_on_the_thread_of_the_program),
        oracle_test(are_absent_where_refused),
        oracle_test(are_absent_where_no_file_may_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
