/* SPDX-License-Identifier: Apache-2.0 */
/* What listeners cost: a word count, and 100,000 empty tasks, without any, with each, and with all of them,
 * in alternation, until everything has been told: medians, and of the time of CPUs, which is what a listener costs, also
 * medians of the difference to the run without any beside it, and how much the least one is above the least of those:
 * where others use the caches that is the better figure. The time of the clock says who waited.
 *
 *   watched TEXT|- [REPEATS [TASKS [WAY]]]      -: no word count; WAY: none and this one alone */
#include <spark.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 101, TASKS = 100000 };

enum { LOG = 1, PROGRESS = 2, EVENTS = 4, REPORT = 8, TRACE = 16, METRICS = 32, OWN = 64, ALL = 63 };

static const struct {
    const char *name;
    unsigned set;
} ways[] = { { "none", 0 }, { "own, empty", OWN }, { "log", LOG }, { "progress", PROGRESS }, { "event log", EVENTS },
    { "report", REPORT }, { "trace", TRACE }, { "metrics", METRICS }, { "all", ALL } };
enum { WAYS = sizeof ways / sizeof *ways };

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    (void)task;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}
SPARK_MAP(next_number, int64_t, int64_t)
{
    *out = *in + 1;
}

static void must(spark_status status)
{
    if (status != SPARK_OK)
        exit(spark_complain("watched"));
}

static void see(void *env, const spark_progress *stages, size_t n)
{
    *(size_t *)env += n + (stages != NULL);
}
static void see_line(void *env, spark_log_level level, int64_t time, const char *source, const char *message)
{
    *(size_t *)env += (size_t)level + (time != 0) + (*source != 0) + (*message != 0);
}
static void see_task(void *env, const spark_task_info *task)
{
    *(size_t *)env += task->id >= 0;
}

static void watch(spark_context *sc, unsigned set, const char *dir)
{
    static size_t seen;
    char path[200];
    if (set & LOG)
        must(spark_log(sc, &(spark_log_options) { SPARK_LOG_INFO, see_line, &seen }));
    if (set & PROGRESS)
        must(spark_show_progress(sc, &(spark_progress_options) { .to = see, .env = &seen }));
    snprintf(path, sizeof path, "%s/logs", dir);
    if (set & EVENTS)
        must(spark_event_log(sc, path));
    snprintf(path, sizeof path, "%s/report.html", dir);
    if (set & REPORT)
        must(spark_report(sc, path));
    snprintf(path, sizeof path, "%s/trace.json", dir);
    if (set & TRACE)
        must(spark_trace(sc, path));
    if (set & METRICS)
        must(spark_keep_metrics(sc, NULL));
    if (set & OWN)
        must(spark_add_listener(sc, &(spark_listener) { .env = &seen, .task_end = see_task }));
}

static double clock_of(clockid_t id)
{
    struct timespec at;
    clock_gettime(id, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

typedef struct took {
    double wall, cpu;
} took;

static took run(unsigned set, const char *text, int tasks, const char *dir)
{
    char command[200];
    int64_t n;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
    watch(sc, set, dir);
    must(spark_count(spark_range(sc, 0, 100, 1, 4), &n));
    spark_listeners_wait(sc);
    const double wall = clock_of(CLOCK_MONOTONIC), cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    if (text) {
        spark_array rows;
        spark_rdd *words = spark_flat_map(spark_text_file(sc, text, 0), split_words, NULL);
        must(spark_collect(spark_reduce_by_key(words, spark_op_sum, NULL, 0), NULL, &rows));
        spark_array_free(&rows);
    } else {
        must(spark_count(spark_map(spark_range(sc, 0, 0, 1, tasks), next_number, NULL), &n));
    }
    spark_listeners_wait(sc);
    const took t = { clock_of(CLOCK_MONOTONIC) - wall, clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu };
    spark_context_free(sc);
    snprintf(command, sizeof command, "rm -rf %s/logs", dir);
    if ((set & EVENTS) && system(command) != 0)
        exit(1);
    return t;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *of, int n)
{
    qsort(of, (size_t)n, sizeof *of, by_size);
    return of[n / 2];
}

/* tell: of one way: what it takes, and what it takes more than none, in the same round. */
static void tell(const char *name, const took *none, const took *here, int n, double per, const char *unit)
{
    double wall[MOST], cpu[MOST], more[MOST], longer[MOST], share[MOST], least = 1e9, before = 1e9;
    for (int i = 0; i < n; i++) {
        wall[i] = here[i].wall;
        cpu[i] = here[i].cpu;
        longer[i] = here[i].wall - none[i].wall;
        more[i] = here[i].cpu - none[i].cpu;
        share[i] = here[i].cpu / none[i].cpu;
        least = here[i].cpu < least ? here[i].cpu : least;
        before = none[i].cpu < before ? none[i].cpu : before;
    }
    printf("%-10s  cpu %9.3f %s  %+8.3f  %+7.2f %%  least %+8.3f   clock %9.3f %s  %+8.3f\n", name,
        median(cpu, n) * per, unit, median(more, n) * per, (median(share, n) - 1) * 100, (least - before) * per,
        median(wall, n) * per, unit, median(longer, n) * per);
}

static void compare(const char *text, int repeats, int tasks, const char *only, const char *dir)
{
    static took all[WAYS][MOST];
    bool taken[WAYS];
    for (int w = 0; w < WAYS; w++)
        taken[w] = w == 0 || !only || strcmp(only, ways[w].name) == 0;
    for (int i = 0; i < repeats; i++)
        for (int w = 0; w < WAYS; w++)
            if (taken[w])
                all[w][i] = run(ways[w].set, text, tasks, dir);
    puts(text ? "word count:" : "a task:");
    for (int w = 0; w < WAYS; w++)
        if (taken[w])
            tell(ways[w].name, all[0], all[w], repeats, text ? 1e3 : 1e6 / tasks, text ? "ms" : "us");
}

int main(int argc, char **argv)
{
    const int repeats = argc > 2 ? atoi(argv[2]) : 9, tasks = argc > 3 ? atoi(argv[3]) : TASKS;
    const char *only = argc > 4 ? argv[4] : NULL;
    char dir[] = "/tmp/watched-XXXXXX", command[64];
    if (argc < 2 || repeats < 1 || repeats > MOST || tasks < 1 || !mkdtemp(dir))
        return fputs("usage: watched TEXT|- [REPEATS [TASKS [WAY]]]\n", stderr), 2;
    if (strcmp(argv[1], "-") != 0)
        compare(argv[1], repeats, tasks, only, dir);
    compare(NULL, repeats, tasks, only, dir);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) != 0;
}
