/* SPDX-License-Identifier: Apache-2.0 */
/* What a program that crashes inside a function says, and that the signal goes on to whatever
 * handled it before. Each program is a child that crashes; what it writes to standard error is read
 * here. */
#include "file_test.h"
#include "slow.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* skip_with_sanitizers: theirs are the handlers of such signals; they report, and end the process. */
static void skip_with_sanitizers(void)
{
    if (TESTS_ARE_SLOW) {
        print_message("skipped: a sanitizer handles these signals\n");
        skip();
    }
}

/* ---- ways to crash, on the number 700 */

typedef int64_t way;
enum { SEGV, BUS, FPE, ILL, ABRT, OVERFLOW, RAISED, WAYS };
static const int signals[WAYS] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSEGV, SIGSEGV };

static int64_t overflow(int64_t depth, volatile char *outer)
{
    volatile char block[4096];
    block[0] = outer ? outer[0] : 1;
    return depth < 0 ? 0 : overflow(depth + 1, block) + block[0];
}

static void crash(way how)
{
    volatile int zero = 0, *volatile nowhere = NULL;
    char *page;
    FILE *file;
    switch ((int)how) {
    case SEGV:
        *nowhere = 1;
        break;
    case BUS: /* a page beyond the end of its file */
        file = tmpfile();
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
        *(volatile char *)page = 1;
        break;
    case FPE:
#if defined __x86_64__ || defined __i386__
        zero = 1 / zero;
#endif
        raise(SIGFPE); /* where division does not trap */
        break;
    case ILL:
        raise(SIGILL);
        break;
    case ABRT:
        abort();
    case OVERFLOW:
        overflow(0, NULL);
        break;
    case RAISED:
        raise(SIGSEGV);
        break;
    default:
        break;
    }
}
static void crash_on(int64_t x, way how)
{
    if (x == 700)
        crash(how);
}

/* ---- functions of all kinds that crash */

SPARK_PAIR(i64_i64, int64_t, int64_t);

SPARK_MAP(in_map, int64_t, int64_t, way)
{
    crash_on(*in, *env);
    *out = *in;
}
SPARK_FILTER(in_filter, int64_t, way)
{
    crash_on(*in, *env);
    return *in % 2 == 0;
}
SPARK_FLAT_MAP(in_flat_map, int64_t, int64_t, way)
{
    for (int i = 0; i < 300; i++)
        spark_emit(out, i);
    crash_on(*in, *env);
}
SPARK_STEP(in_a_step, int64_t, int64_t, int64_t, way)
{
    *state += *in;
    spark_emit(out, *state);
    crash_on(*in, *env);
}
SPARK_FINISH(in_a_step, int64_t, int64_t, int64_t, way)
{
    (void)state;
}
SPARK_PARTITIONS(in_partitions, int64_t, int64_t, way)
{
    const int64_t *x;
    while ((x = spark_next(in)) != NULL) {
        crash_on(*x, *env);
        spark_emit(out, *x);
    }
}
SPARK_FOREACH(in_foreach, int64_t, way)
{
    crash_on(*in, *env);
}
SPARK_MERGE(in_merge, int64_t, int64_t, way)
{
    crash_on(*in, *env);
    *acc += *in;
}
SPARK_MAP(by_two, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 2, *in };
}
SPARK_PARTITIONER(in_partitioner, int64_t, way)
{
    crash_on(*key, *env);
    return (uint32_t)*key % partitions;
}
SPARK_MAP(fails_first, int64_t, int64_t)
{
    if (spark_task_attempt(task) == 0 && *in == 600)
        spark_fail(task, "for the first time");
    *out = *in;
}
SPARK_MERGE(on_driver, int64_t, int64_t)
{
    crash(*in == 900 && spark_task_partition(task) < 0 ? SEGV : WAYS);
    *acc = 900;
}

/* The numbers 0 to 999 in two partitions: 700 is number 200 of partition 1. */
static spark_rdd *numbers(spark_context *sc)
{
    return spark_range(sc, 0, 1000, 1, 2);
}
static spark_status count(spark_rdd *rdd)
{
    int64_t n;
    return spark_count(rdd, &n);
}

typedef spark_status program(spark_context *sc, way how);
static spark_status mapping(spark_context *sc, way how)
{
    return count(spark_map(numbers(sc), in_map, SPARK_COPY(how)));
}
static spark_status one_task(spark_context *sc, way how) /* on the calling thread */
{
    return count(spark_map(spark_range(sc, 500, 1000, 1, 1), in_map, SPARK_COPY(how)));
}
static spark_status filtering(spark_context *sc, way how)
{
    return count(spark_filter(numbers(sc), in_filter, SPARK_COPY(how)));
}
static spark_status flat_mapping(spark_context *sc, way how)
{
    return count(spark_flat_map(numbers(sc), in_flat_map, SPARK_COPY(how)));
}
static spark_status stepping(spark_context *sc, way how)
{
    return count(spark_map_stateful(numbers(sc), in_a_step, SPARK_COPY(how)));
}
static spark_status whole(spark_context *sc, way how)
{
    return count(spark_map_partitions(numbers(sc), in_partitions, SPARK_COPY(how)));
}
static spark_status visiting(spark_context *sc, way how)
{
    return spark_foreach(numbers(sc), in_foreach, SPARK_COPY(how));
}
static spark_status merging(spark_context *sc, way how)
{
    return count(
        spark_reduce_by_key(spark_map(numbers(sc), by_two, NULL), in_merge, SPARK_COPY(how), 2));
}
static spark_status mapping_values(spark_context *sc, way how)
{
    return count(spark_map_values(spark_map(numbers(sc), by_two, NULL), in_map, SPARK_COPY(how)));
}
static spark_status flat_mapping_values(spark_context *sc, way how)
{
    return count(
        spark_flat_map_values(spark_map(numbers(sc), by_two, NULL), in_flat_map, SPARK_COPY(how)));
}
static spark_status placing(spark_context *sc, way how)
{
    const spark_partitioner *by = spark_partitioner_new(sc, 2, in_partitioner, SPARK_COPY(how));
    return count(spark_partition_by(spark_zip_with_index(numbers(sc)), by));
}
static spark_status inside_others(spark_context *sc, way how) /* partition 1 of 2, of 5 in all */
{
    spark_rdd *mapped = spark_map(numbers(sc), in_map, SPARK_COPY(how));
    return count(spark_coalesce(spark_union(spark_range(sc, 0, 9, 1, 3), mapped), 2));
}
static spark_status second_attempt(spark_context *sc, way how)
{
    return count(spark_map(spark_map(numbers(sc), fails_first, NULL), in_map, SPARK_COPY(how)));
}
static spark_status behind_a_cache(spark_context *sc, way how)
{
    spark_rdd *cached = spark_cache(spark_map(numbers(sc), fails_first, NULL));
    const spark_status status = count(cached);
    return status == SPARK_OK ? count(spark_map(cached, in_map, SPARK_COPY(how))) : status;
}
SPARK_STRUCT(numbered, (int64_t, number));
SPARK_MAP(parsed, spark_str, int64_t)
{
    spark_str_to_i64(*in, out);
}
SPARK_MAP(number_of, numbered, int64_t)
{
    *out = in->number;
}
SPARK_FILTER(is_even, int64_t)
{
    return *in % 2 == 0;
}
static spark_rdd *lines(spark_context *sc)
{
    return spark_map(spark_text_file(sc, "numbers", 3), parsed, NULL);
}
static spark_status of_text(spark_context *sc, way how)
{
    return count(spark_map(lines(sc), in_map, SPARK_COPY(how)));
}
static spark_status behind_a_filter(spark_context *sc, way how) /* is not the 700th any more */
{
    spark_rdd *even = spark_filter(spark_coalesce(lines(sc), 2), is_even, NULL);
    return count(spark_filter(even, in_filter, SPARK_COPY(how)));
}
static spark_status of_csv(spark_context *sc, way how)
{
    spark_rdd *rows = spark_read_csv(
        sc, "numbers", SPARK_TYPE(numbered), &(spark_csv_options) { .mode = SPARK_DROPMALFORMED });
    return count(spark_map(spark_map(rows, number_of, NULL), in_map, SPARK_COPY(how)));
}
static spark_status of_json(spark_context *sc, way how)
{
    spark_rdd *rows = spark_read_json(sc, "numbers.json", SPARK_TYPE(numbered), NULL);
    return count(spark_map(spark_map(rows, number_of, NULL), in_map, SPARK_COPY(how)));
}
static spark_status of_json_array(spark_context *sc, way how)
{
    const spark_json_options whole = { .multi_line = true };
    spark_rdd *rows = spark_read_json(sc, "array.json", SPARK_TYPE(numbered), &whole);
    return count(spark_map(spark_map(rows, number_of, NULL), in_map, SPARK_COPY(how)));
}
static spark_status of_packed(spark_context *sc, way how)
{
    spark_rdd *unpacked = spark_map(spark_text_file(sc, "numbers.gz", 1), parsed, NULL);
    return count(spark_map(unpacked, in_map, SPARK_COPY(how)));
}
static spark_status of_shuffled(spark_context *sc, way how) /* are of no file any more */
{
    return count(spark_map(spark_repartition(lines(sc), 1), in_map, SPARK_COPY(how)));
}

/* make_numbers: 0 to 999, in lines that end in one way or the other. */
static void make_numbers(void)
{
    FILE *text = fopen("numbers", "wb"), *json = fopen("numbers.json", "wb"), *array = fopen("array.json", "wb");
    assert_true(text && json && array);
    for (int i = 0; i < 1000; i++) {
        fprintf(text, i % 3 ? "%d\n" : "%d\r\n", i);
        fprintf(json, "%s{\"number\": %d}\n", i % 10 ? "" : "\n", i);
        fprintf(array, "%s{\"number\":\n%d}", i ? "," : "[", i);
    }
    fputs("]\n", array);
    assert_int_equal(fclose(text) | fclose(json) | fclose(array), 0);
    assert_int_equal(system("gzip -k numbers"), 0); /* NOLINT */
}

static spark_status folding(spark_context *sc, way how)
{
    spark_array result;
    const int64_t zero = 0;
    (void)how;
    return spark_fold(numbers(sc), SPARK_VALUE(int64_t, &zero), on_driver, NULL, &result);
}
static spark_status outside(spark_context *sc, way how)
{
    const spark_status status = count(numbers(sc));
    crash(how);
    return status;
}

/* ---- children */

typedef struct run {
    spark_conf conf;
    const char *env;         /* SPARK_CRASH_REPORTS; NULL: not set */
    void (*handler)(int);    /* installed before the context; NULL: none */
    bool later;              /* after it */
    program *program;
    way how;
} run;

static void my_handler(int signal)
{
    const char text[] = "mine\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) > 0)
        _exit(100 + signal);
}

static void child(const run *r)
{
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    if (r->env)
        setenv("SPARK_CRASH_REPORTS", r->env, 1);
    else
        unsetenv("SPARK_CRASH_REPORTS");
    for (int i = 0; i < WAYS; i++) /* what cmocka has installed goes */
        signal(signals[i], r->handler && !r->later ? r->handler : SIG_DFL);
    spark_context *sc = spark_context_new(&r->conf);
    for (int i = 0; i < WAYS && r->later; i++)
        signal(signals[i], r->handler);
    const spark_status status = r->program(sc, r->how);
    fprintf(stderr, "it did not crash: %s\n", status ? spark_last_error()->message : "");
    spark_context_free(sc);
    _exit(0);
}

/* run_child: how it ended; *said: the start of what it wrote to standard error. */
static int run_child(const run *r, char *said, size_t size)
{
    int ends[2], status;
    size_t n = 0;
    ssize_t got;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        child(r);
    }
    close(ends[1]);
    while (n < size - 1 && (got = read(ends[0], said + n, size - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* says: the child wrote one line, with these words, and died of the signal. */
static void says(const run *r, const char *const words[], size_t n)
{
    char said[2000];
    const int status = run_child(r, said, sizeof said);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != signals[r->how])
        fail_msg("ended with %x; it said \"%s\"", (unsigned)status, said);
    for (size_t i = 0; i < n; i++)
        if (strstr(said, words[i]) == NULL)
            fail_msg("\"%s\" not in \"%s\"", words[i], said);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void test_a_crash__says_where_it_was(void **state)
{
    static const struct {
        program *program;
        const char *operation, *place;
    } cases[] = {
        { mapping, " in map(in_map) at " TEST_FILE ":", ", record 200; job 0, stage 0, partition 1, attempt 0\n" },
        { one_task, " in map(in_map) at ", ", record 200; job 0, stage 0, partition 0, attempt 0\n" },
        { filtering, " in filter(in_filter) at ", ", record 200; job 0, stage 0, partition 1, " },
        { flat_mapping, " in flatMap(in_flat_map) at ", ", record 200; job 0, stage 0, partition 1, " },
        { stepping, " in mapPartitions(in_a_step) at ", ", record 200; job 0, " },
        { whole, " in mapPartitions(in_partitions) at ", ", record 200; job 0, " },
        { visiting, " in foreach(in_foreach) at ", ", record 200; job 0, " },
        { merging, " in reduceByKey(in_merge) at ", "; job 0, stage " },
        { mapping_values, " in mapValues(in_map) at ", ", record 200; job 0, " },
        { flat_mapping_values, " in flatMapValues(in_flat_map) at ", ", record 200; job 0, " },
        { placing, " in partitionBy", "; job 1, stage 1, partition 1, attempt 0\n" },
        { inside_others, " in map(in_map) at ", ", record 200; job 0, stage 0, partition 1, attempt 0\n" },
        { second_attempt, " in map(in_map) at ", ", record 200; job 0, stage 0, partition 1, attempt 1\n" },
        { behind_a_cache, " in map(in_map) at ", ", record 200; job 1, stage 1, partition 1, attempt 0\n" },
        { folding, " in fold(on_driver) at ", "; on the driver\n" },
    };
    (void)state;
    skip_with_sanitizers();
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (int check = 0; check < 2; check++) {
            const run r = { .conf = { .threads = 2, .crash_reports = true, .check = check,
                                .batch_rows = check ? 7 : 0 },
                .program = cases[i].program,
                .how = SEGV };
            const char *const words[]
                = { "libspark: SIGSEGV (address 0x0)", cases[i].operation, cases[i].place };
            says(&r, words, LENGTH(words));
        }
}

static void test_a_crash__names_the_line_that_was_read(void **state)
{
    static const struct {
        program *program;
        const char *place;
    } cases[] = {
        { of_text, " of numbers:701; job 0, stage 0, partition 2, attempt 0\n" },
        { behind_a_filter, " of numbers:701; job 0, stage 0, partition 1, attempt 0\n" },
        { of_csv, " of numbers:701; job 0, stage 0, partition 1, " },
        { of_json, " of numbers.json:772; job 0, stage 0, partition 1, " },
        { of_json_array, ", record 700 of array.json:701; job 0, " },
        { of_packed, ", record 700 of numbers.gz, byte " },
        { of_shuffled, "; job 0, stage 1, partition 0, attempt 0\n" },
    };
    (void)state;
    skip_with_sanitizers();
    make_numbers();
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (int batch = 1; batch < 1000; batch += 998) {
            const run r = { .conf = { .threads = 2, .crash_reports = true, .batch_rows = batch },
                .program = cases[i].program,
                .how = SEGV };
            const char *const words[] = { "libspark: SIGSEGV (address 0x0)", ", record ", cases[i].place };
            says(&r, words, LENGTH(words));
        }
}

static void test_a_crash__names_its_signal(void **state)
{
    static const char *const names[WAYS] = { "SIGSEGV (address 0x0) in map(", "SIGBUS (address 0x",
        "SIGFPE", "SIGILL in map(", "SIGABRT in map(", ": the stack has overflowed) in map(",
        "SIGSEGV in map(" };
    (void)state;
    skip_with_sanitizers();
    for (way how = 0; how < WAYS; how++)
        for (int i = 0; i < 2; i++) {
            const run r = { .conf = { .threads = 2, .crash_reports = true },
                .program = i ? one_task : mapping,
                .how = how };
            const char *const words[] = { names[how], "map(in_map) at " TEST_FILE, ", record 200; " };
            says(&r, words, LENGTH(words));
        }
}

/* ---- whom it goes to, and when nothing is said */

static void hands_on(const run *r, const char *want)
{
    char said[2000];
    for (way how = 0; how < WAYS; how++) {
        run with = *r;
        with.how = how;
        if (how == OVERFLOW)
            continue; /* a handler of the test's has no stack of its own */
        const int status = run_child(&with, said, sizeof said);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 100 + signals[how])
            fail_msg("way %d ended with %x; it said \"%s\"", (int)how, (unsigned)status, said);
        if (strstr(said, want) == NULL || strstr(said, "mine\n") != said + strlen(said) - 5)
            fail_msg("\"%s\", then \"mine\" not in \"%s\"", want, said);
    }
}

static void test_the_signal__goes_on_to_the_handler_of_before(void **state)
{
    (void)state;
    skip_with_sanitizers();
    const run r = { .conf = { .threads = 2, .crash_reports = true },
        .handler = my_handler,
        .program = mapping };
    hands_on(&r, "map(in_map) at " TEST_FILE);
}

static void test_handlers_of_the_program__are_called_in_worker_threads(void **state)
{
    (void)state;
    skip_with_sanitizers();
    run r = { .conf = { .threads = 2 }, .handler = my_handler, .program = mapping };
    hands_on(&r, "mine");
    r.conf.crash_reports = r.later = true; /* what is installed later goes before */
    hands_on(&r, "mine");
}

static void is_silent(const run *r)
{
    char said[2000];
    const int status = run_child(r, said, sizeof said);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    assert_string_equal(said, "");
}

static void test_nothing_is_said__unless_asked_for(void **state)
{
    (void)state;
    skip_with_sanitizers();
    run r = { .conf = { .threads = 2 }, .program = mapping, .how = SEGV };
    is_silent(&r);
    r.env = "0";
    is_silent(&r);
    r.env = "";
    is_silent(&r);
    r.env = "1";
    const char *const words[] = { "SIGSEGV", "map(in_map)", ", record 200; job 0" };
    says(&r, words, LENGTH(words));
    r.program = outside; /* no function of a task */
    is_silent(&r);
}

static struct sigaction now(int signal)
{
    struct sigaction action;
    assert_int_equal(sigaction(signal, NULL, &action), 0);
    return action;
}

static void test_handlers__are_there_as_long_as_a_context_wants_them(void **state)
{
    static const int caught[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    struct sigaction before[LENGTH(caught)], mine;
    (void)state;
    for (size_t i = 0; i < LENGTH(caught); i++)
        before[i] = now(caught[i]);
    spark_context *a = oracle_open_conf(&(spark_conf) { .threads = 1, .crash_reports = true });
    spark_context *b = oracle_open_conf(&(spark_conf) { .threads = 1, .crash_reports = true });
    assert_int_equal(count(numbers(a)), SPARK_OK);
    oracle_close(a);
    for (size_t i = 0; i < LENGTH(caught); i++)
        assert_true(now(caught[i]).sa_handler != before[i].sa_handler);
    memset(&mine, 0, sizeof mine);
    mine.sa_handler = my_handler;
    sigaction(SIGBUS, &mine, NULL);
    assert_int_equal(count(numbers(b)), SPARK_OK);
    oracle_close(b);
    assert_true(now(SIGBUS).sa_handler == my_handler);
    sigaction(SIGBUS, &before[1], NULL);
    for (size_t i = 0; i < LENGTH(caught); i++)
        assert_true(now(caught[i]).sa_handler == before[i].sa_handler);
    stack_t stack; /* nor has this thread the stack of a task that is gone */
    assert_int_equal(sigaltstack(NULL, &stack), 0);
    assert_true(TESTS_ARE_SLOW || (stack.ss_flags & SS_DISABLE));
}

static void test_results__are_the_same_with_reports(void **state)
{
    (void)state;
    char *layouts[2];
    for (int i = 0; i < 2; i++) {
        const way none = WAYS;
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .crash_reports = i });
        spark_rdd *rdd = spark_flat_map(spark_range(sc, 0, 50, 1, 2), in_flat_map, SPARK_COPY(none));
        rdd = spark_map_stateful(spark_filter(rdd, in_filter, SPARK_COPY(none)), in_a_step, SPARK_COPY(none));
        rdd = spark_filter(rdd, in_filter, SPARK_COPY(none));
        rdd = spark_flat_map_values(spark_map(spark_sample(rdd, false, 0.1, 7), by_two, NULL), in_flat_map, SPARK_COPY(none));
        layouts[i] = oracle_layout(spark_reduce_by_key(rdd, in_merge, SPARK_COPY(none), 3));
        oracle_close(sc);
    }
    assert_string_equal(layouts[0], layouts[1]);
    free(layouts[0]);
    free(layouts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_a_crash__says_where_it_was),
        file_test(test_a_crash__names_the_line_that_was_read),
        oracle_test(test_a_crash__names_its_signal),
        oracle_test(test_the_signal__goes_on_to_the_handler_of_before),
        oracle_test(test_handlers_of_the_program__are_called_in_worker_threads),
        oracle_test(test_nothing_is_said__unless_asked_for),
        oracle_test(test_handlers__are_there_as_long_as_a_context_wants_them),
        oracle_test(test_results__are_the_same_with_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
