/* SPDX-License-Identifier: Apache-2.0 */
/* Reports, traces and plans where they cannot be written, and plans of lineages that are large. What stands
 * in them, tests/listen/views.py reads. */
#include "oracle.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

SPARK_PAIR(pair, int64_t, int64_t);
SPARK_MAP(to_pair, int64_t, pair)
{
    *out = (pair) { *in % 7, *in };
}

static void fails(spark_status status, spark_status want, const char *words)
{
    assert_int_equal(status, want);
    assert_non_null(strstr(spark_last_error()->message, words));
}

static void says_why_it_cannot_begin(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    fails(spark_report(sc, NULL), SPARK_EINVAL, "report: there is no path");
    fails(spark_trace(sc, ""), SPARK_EINVAL, "trace: there is no path");
    fails(spark_report(sc, "/nowhere/at/all.html"), SPARK_EIO, "/nowhere/at/all.html: No such file");
    fails(spark_trace(sc, "/"), SPARK_EIO, "cannot write a trace to /: Is a directory");
    fails(spark_report(NULL, "/dev/null"), SPARK_EINVAL, "");
    oracle_close(sc);
}

static void a_full_disk_ends_no_job(void **state)
{
    int64_t n = 0;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_report(sc, "/dev/full"));
    oracle_ok(spark_trace(sc, "/dev/full"));
    oracle_ok(spark_count(spark_range(sc, 0, 1000, 1, 50), &n));
    assert_int_equal(n, 1000);
    oracle_close(sc);
}

/* A directory that is removed meanwhile takes the files with it, which nobody would miss; what it is called does nothing
 * to the terminal. */
static void a_file_that_is_gone_is_told_of_in_one_line(void **state)
{
    char dir[] = "/tmp/re\n\033[31mport-XXXXXX", path[2][80], text[1000];
    FILE *heard = tmpfile();
    int64_t n = 0;
    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_non_null(heard);
    spark_context *sc = oracle_open(2);
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d", dir, i);
        oracle_ok((i ? spark_report : spark_trace)(sc, path[i]));
    }
    oracle_ok(spark_count(spark_range(sc, 0, 10, 1, 2), &n));
    assert_int_equal(unlink(path[0]) + unlink(path[1]) + rmdir(dir), 0);
    fflush(stderr);
    const int kept = dup(STDERR_FILENO);
    dup2(fileno(heard), STDERR_FILENO);
    spark_context_free(sc);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(heard);
    const size_t length = fread(text, 1, sizeof text - 1, heard);
    text[length] = '\0';
    fclose(heard);
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "libspark: the report /tmp/re\xef\xbf\xbd\xef\xbf\xbd[31mport-"));
    const char *end = strchr(text, '\n');
    assert_non_null(end);
    end = strchr(end + 1, '\n');
    assert_true(end && end[1] == '\0'); /* one for each of the files */
    assert_non_null(strstr(text, "is not complete: No such file or directory; the application goes on without it\n"));
}

static void explain_says_what_is_wrong(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    fails(spark_explain(NULL, full), SPARK_EINVAL, "NULL");
    fails(spark_explain(rdd, NULL), SPARK_EINVAL, "there is no stream");
    fails(spark_explain(rdd, full), SPARK_EIO, "cannot write the plan: No space left");
    fails(spark_explain_dot(rdd, full), SPARK_EIO, "cannot write the plan: No space left");
    fails(spark_explain_dot(spark_text_file(sc, "/nowhere", 1), full), SPARK_EIO, "/nowhere");
    fclose(full);
    oracle_close(sc);
}

/* written_by: what one of the two has written. */
typedef spark_status explains(spark_site at, spark_rdd *rdd, FILE *to);
static char *written_by(explains *explain, spark_rdd *rdd)
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);
    assert_non_null(to);
    oracle_ok(explain(SPARK_HERE, rdd, to));
    fclose(to);
    return text;
}

/* count_of: how often the words stand in what explain, or explain_dot, writes. */
static int count_of(spark_rdd *rdd, bool dot, const char *words, size_t *length)
{
    char *text = NULL;
    int n = 0;
    FILE *to = open_memstream(&text, length);
    assert_non_null(to);
    oracle_ok(dot ? spark_explain_dot(rdd, to) : spark_explain(rdd, to));
    fclose(to);
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        n++;
    free(text);
    return n;
}

/* An RDD that is reached on 2^60 ways is written once on each edge. */
static void explain_of_many_diamonds_is_short(void **state)
{
    enum { LEVELS = 60 };
    size_t length;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 1);
    for (int i = 0; i < LEVELS; i++)
        rdd = spark_coalesce(spark_union(rdd, rdd), 1);
    assert_int_equal(count_of(rdd, false, "UnionRDD[", &length), LEVELS);
    assert_int_equal(count_of(rdd, false, "see above", &length), LEVELS - 1);
    assert_int_equal(count_of(rdd, true, " -> ", &length), 3 * LEVELS);
    oracle_close(sc);
}

/* A shuffle that two join is one stage; what a cached RDD makes needless is not needed. */
static void explain_knows_what_will_run(void **state)
{
    size_t length;
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *sums = spark_reduce_by_key(spark_map(spark_range(sc, 0, 100, 1, 4), to_pair, NULL), spark_op_sum, NULL,
        3);
    spark_rdd *both = spark_reduce_by_key(spark_union(sums, sums), spark_op_sum, NULL, 5);
    assert_int_equal(count_of(both, false, "; runs", &length), 3);
    assert_int_equal(count_of(both, true, "subgraph", &length), 3);
    oracle_ok(spark_count(sums, &n));
    assert_int_equal(count_of(both, false, "; runs", &length), 2);
    assert_int_equal(count_of(both, false, "; skipped", &length), 1);
    oracle_ok(spark_count(spark_cache(both), &n));
    assert_int_equal(count_of(both, false, "; runs", &length), 1);
    assert_int_equal(count_of(both, false, "; not needed", &length), 2);
    assert_int_equal(count_of(both, false, "5 of 5 cached", &length), 1);
    oracle_close(sc);
}

static void has(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in:\n%s", words, text);
}

/* ---- the time of steps */

enum { STEPS = 16 };

typedef struct timed {
    int64_t ns[STEPS], end, run; /* by RDD; beside that; of all tasks */
} timed;

static void time_stage(void *env, const spark_stage_info *stage)
{
    timed *t = env;
    for (size_t i = 0; i < stage->n_rows; i++)
        if (stage->rows[i].rdd < STEPS)
            t->ns[stage->rows[i].rdd] += stage->rows[i].ns;
    t->end += stage->end_ns;
}
static void time_task(void *env, const spark_task_info *task)
{
    ((timed *)env)->run += task->metrics->run_ns;
}

static int64_t spin(int64_t n)
{
    volatile uint64_t x = (uint64_t)n;
    for (int i = 0; i < 400; i++)
        x = x * 3 + 1;
    return (int64_t)(x >> 1);
}
SPARK_MAP(next, int64_t, int64_t)
{
    *out = *in + 1;
}
SPARK_MAP(spins, int64_t, int64_t)
{
    *out = spin(*in);
}
SPARK_FLAT_MAP(spins_and_emits, int64_t, int64_t)
{
    (void)task;
    spark_emit(out, spin(*in));
    spark_emit(out, spin(*in + 1));
}
SPARK_FILTER(spins_and_keeps_some, int64_t)
{
    return spin(*in) % 5 == 0;
}

/* chain: the id of the RDD that spins, of which cheap ones stand on both sides; below: in a chain inside a chain. */
static int chain(spark_context *sc, int kind, bool below, spark_rdd **end)
{
    spark_rdd *in = spark_map(spark_range(sc, 0, 60000, 1, 6), next, NULL);
    spark_rdd *slow = kind == 0 ? spark_map(in, spins, NULL)
        : kind == 1             ? spark_flat_map(in, spins_and_emits, NULL)
                                : spark_filter(in, spins_and_keeps_some, NULL);
    spark_rdd *out = spark_map(slow, next, NULL);
    *end = spark_map(below ? spark_coalesce(out, 2) : out, to_pair, NULL);
    return spark_rdd_id(slow);
}

/* share_of_slow: a job on a chain: how much of the time of all its steps the one that spins has taken. */
static double share_of_slow(int i)
{
    timed t = { .end = 0 };
    int64_t n, all = 0;
    spark_rdd *end;
    spark_context *sc = spark_context_new(
        &(spark_conf) { .threads = i % 2 ? 1 : 3, .batch_rows = i % 4 < 2 ? 0 : 100 });
    oracle_ok(spark_keep_metrics(sc, NULL));
    oracle_ok(spark_add_listener(
        sc, &(spark_listener) { .env = &t, .stage_completed = time_stage, .task_end = time_task }));
    const int slow = chain(sc, i / 4 % 3, i >= 12, &end);
    oracle_ok(spark_count(spark_reduce_by_key(end, spark_op_sum, NULL, 2), &n));
    oracle_close(sc);
    assert_in_range(slow, 0, STEPS - 1);
    for (int k = 0; k < STEPS; k++) {
        assert_true(t.ns[k] >= 0);
        all += t.ns[k];
    }
    assert_in_range(t.run - all - t.end, 0, 1000); /* all of it is somebody's, but for what was rounded */
    return (double)t.ns[slow] / (double)all;
}

/* Who else is on the machine may take the CPU from any step for long, and that step may be one that stands for 16: so
 * the chain gets a few tries. */
static void the_step_that_spins_takes_the_time(void **state)
{
    (void)state;
    for (int i = 0; i < 24; i++) {
        double share = 0;
        for (int k = 0; k < 8 && share < 0.5; k++)
            share = share_of_slow(i);
        assert_true(share > 0.5); /* 0.9 and more, where nobody is */
    }
}

/* ---- steps that pay once for many batches */

/* napped: a nap, and how long it has taken. */
static int64_t napped(void)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    nanosleep(&(struct timespec) { 0, 30000 }, NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (int64_t)(to.tv_sec - from.tv_sec) * 1000000000 + (to.tv_nsec - from.tv_nsec);
}

typedef struct naps {
    _Atomic int64_t merging, mapping, merges;
} naps;
typedef naps *naps_ref;

SPARK_MAP(halved, int64_t, pair)
{
    *out = (pair) { *in % 200000, 1 };
}
SPARK_MAP(shuffled, int64_t, pair)
{
    *out = (pair) { (int64_t)((uint64_t)*in * 0x9e3779b97f4a7c15u >> 20), 1 };
}
SPARK_MERGE(adds, int64_t, int64_t, naps_ref)
{
    (void)task;
    (void)env;
    *acc += *in;
}
/* merges: as a reducer does, for all keys of a piece, before it hands on the first of these. */
SPARK_MERGE(merges_and_naps, int64_t, int64_t, naps_ref)
{
    (void)task;
    *acc += *in;
    if (atomic_fetch_add(&(*env)->merges, 1) % 100 == 0)
        atomic_fetch_add(&(*env)->merging, napped());
}
SPARK_MAP(maps_and_naps, pair, int64_t, naps_ref)
{
    *out = in->value;
    if (in->key % 100 == 0)
        atomic_fetch_add(&(*env)->mapping, napped());
}

/* nearly: within a half of what is known, which somebody else on the machine may have stretched. */
static bool nearly(int64_t told, int64_t known)
{
    return told > known * 2 / 3 && told < known * 3 / 2;
}

/* merged: by a source that merges thousands of rows at a time, and then hands them on in batches. sorted: by one that has all
 * rows to sort before it hands on the first ones. */
static spark_rdd *merged(spark_context *sc, naps_ref to)
{
    static const int64_t zero = 0;
    return spark_aggregate_by_key(spark_map(spark_range(sc, 0, 400000, 1, 2), halved, NULL),
        SPARK_VALUE(int64_t, &zero), adds, merges_and_naps, SPARK_COPY(to), 1);
}
static spark_rdd *sorted(spark_context *sc, naps_ref to)
{
    (void)to;
    return spark_sort_by(spark_map(spark_range(sc, 0, 600000, 1, 1), shuffled, NULL), NULL, 1);
}

/* told_of_naps: whether what is told of a source and the map behind it is what these know: a source does more than nap, but
 * what is too much for it is missing from the map. */
static bool told_of_naps(spark_rdd *(*make)(spark_context *sc, naps_ref to))
{
    timed t = { .end = 0 };
    naps known = { 0 };
    int64_t n;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1 });
    oracle_ok(spark_keep_metrics(sc, NULL));
    oracle_ok(spark_add_listener(sc, &(spark_listener) { .env = &t, .stage_completed = time_stage }));
    spark_rdd *source = make(sc, &known);
    spark_rdd *mapped = spark_map(source, maps_and_naps, SPARK_COPY((naps_ref) { &known }));
    oracle_ok(spark_count(mapped, &n));
    const int first = spark_rdd_id(source), last = spark_rdd_id(mapped);
    oracle_close(sc);
    const bool good = nearly(t.ns[last], known.mapping) && t.ns[first] >= known.merging * 2 / 3;
    if (!good)
        print_message("source: %lld, of which naps: %lld; map: %lld of %lld\n", (long long)t.ns[first],
            (long long)known.merging, (long long)t.ns[last], (long long)known.mapping);
    return good;
}

/* What a source does before its first batch, and between some of them, is its own, and counts once. */
static void what_many_batches_share_is_counted_once(void **state)
{
    spark_rdd *(*const made[])(spark_context *sc, naps_ref to) = { merged, sorted };
    (void)state;
    for (int i = 0; i < 2; i++) {
        bool good = false;
        for (int k = 0; k < 8 && !good; k++)
            good = told_of_naps(made[i]);
        assert_true(good);
    }
}

/* Nobody is told of times who did not ask. */
static void no_times_without_metrics(void **state)
{
    (void)state;
    timed t = { .end = 0 };
    int64_t n;
    spark_rdd *end;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_add_listener(sc, &(spark_listener) { .env = &t, .stage_completed = time_stage }));
    chain(sc, 0, false, &end);
    oracle_ok(spark_count(end, &n));
    spark_listeners_wait(sc);
    assert_int_equal(t.end, 0);
    for (int k = 0; k < STEPS; k++)
        assert_int_equal(t.ns[k], 0);
    oracle_close(sc);
}

/* With figures, after a run: of stages that ran, or that it has skipped. */
static void analyze_says_what_was_measured(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *numbers = spark_range(sc, 0, 100, 1, 4);
    spark_rdd *sums = spark_reduce_by_key(spark_map(numbers, to_pair, NULL), spark_op_sum, NULL, 3);
    spark_rdd *cached = spark_cache(sums);
    fails(spark_explain_analyze(cached, stdout), SPARK_EINVAL, "explainAnalyze at test_report.c");
    fails(spark_explain_analyze_dot(cached, stdout), SPARK_EINVAL, "spark_keep_metrics keeps them");
    oracle_ok(spark_keep_metrics(sc, NULL));
    oracle_ok(spark_profile_shuffles(sc, 1, 1));
    char *text = written_by(spark_explain_analyze, cached);
    has(text, "stage 1: 3 tasks, the result; has not run");
    free(text);
    oracle_ok(spark_count(cached, &n));
    text = written_by(spark_explain_analyze, cached);
    has(text, "stage 1: 3 tasks, the result; ran in job 0 as stage ");
    has(text, "; 3 of 3 tasks: median ");
    has(text, "read 28 rows, 448 B of shuffles");
    has(text, "3 blocks cached");
    has(text, "7 rows made; 7 rows from the cache");
    has(text, "combined first; ran in job 0 as stage ");
    has(text, "; 4 of 4 tasks: median ");
    has(text, "wrote 28 rows, 448 B to a shuffle");
    has(text, "most frequent key 0: 4 rows (14%)");
    has(text, "RDD[1] at map at test_report.c:");
    has(text, " -- 100 rows made; takes ");
    has(text, "; writing the shuffle takes ");
    has(text, "; the action takes ");
    free(text);
    oracle_ok(spark_count(spark_unpersist(cached), &n));
    oracle_ok(spark_count(cached, &n));
    text = written_by(spark_explain_analyze, cached);
    has(text, "the result; ran in job 2 as stage ");
    has(text, "combined first; skipped in job 2; ran in job 0 as stage ");
    has(text, "100 rows made in job 0");
    free(text);
    text = written_by(spark_explain_analyze_dot, cached);
    has(text, "\\nskipped in job 2; ran in job 0 as stage ");
    has(text, "\\n7 rows made\\ntakes ");
    free(text);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    fails(spark_explain_analyze(cached, full), SPARK_EIO, "cannot write the plan: No space left");
    fails(spark_explain_analyze(NULL, full), SPARK_EINVAL, "NULL");
    fclose(full);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_why_it_cannot_begin),
        cmocka_unit_test(a_full_disk_ends_no_job),
        cmocka_unit_test(a_file_that_is_gone_is_told_of_in_one_line),
        cmocka_unit_test(explain_says_what_is_wrong),
        cmocka_unit_test(explain_of_many_diamonds_is_short),
        cmocka_unit_test(explain_knows_what_will_run),
        cmocka_unit_test(analyze_says_what_was_measured),
        cmocka_unit_test(the_step_that_spins_takes_the_time),
        cmocka_unit_test(what_many_batches_share_is_counted_once),
        cmocka_unit_test(no_times_without_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
