/* SPDX-License-Identifier: Apache-2.0 */
/* How time grows: each case does its work with n, 2n and 4n of something and tells the ratios of the
 * times; about 2 is linear, about 4 quadratic. It judges nothing, for machines are noisy: it is read.
 * With -d the numbers are divided, so that ctest sees that every case still works.
 *
 * bench_growth [-d DIVISOR] [-r ROUNDS] [CASE...]: the best of ROUNDS (3), as one JSON object a case. */
#include "bench.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/collisions.h"

/* growth_case: run does the work with n of `what` and returns the seconds that it took, without
 * those of its preparation. */
typedef struct growth_case {
    const char *name, *what;
    int64_t n;
    double (*run)(int64_t n);
} growth_case;

static spark_context *context(void)
{
    return bench_context(&(bench_options) { .threads = 2 });
}

SPARK_MAP(mixed, int64_t, int64_t)
{
    *out = (int64_t)bench_mix((uint64_t)*in);
}

/* ---- take_ordered: how many are taken */

static double take_ordered(int64_t n)
{
    spark_context *sc = context();
    spark_rdd *rows = bench_cached(sc, 0, 4000000, 16, mixed, NULL);
    spark_array smallest;
    const double start = bench_now();
    bench_ok(spark_take_ordered(rows, (size_t)n, NULL, SPARK_TYPE(int64_t), &smallest));
    const double seconds = bench_now() - start;
    spark_array_free(&smallest);
    spark_context_free(sc);
    return seconds;
}

/* ---- lines of a child: bytes of one */

static double pipe_line(int64_t n)
{
    spark_context *sc = context();
    char script[100];
    int64_t lines;
    snprintf(script, sizeof script, "head -c %" PRId64 " /dev/zero | tr '\\0' a", n);
    const char *const argv[] = { "sh", "-c", script, NULL };
    const double start = bench_now();
    bench_ok(spark_count(spark_pipe_with(spark_range(sc, 0, 1, 1, 1), NULL,
                             &(spark_pipe_options) { .argv = argv }),
        &lines));
    const double seconds = bench_now() - start;
    if (lines != 1)
        bench_die("%" PRId64 " lines instead of one", lines);
    spark_context_free(sc);
    return seconds;
}

/* ---- sorts: partitions on both sides */

static double sort_partitions(int64_t n)
{
    spark_context *sc = context();
    int64_t counted;
    const double start = bench_now();
    spark_rdd *rows = spark_map(spark_range(sc, 0, 100000, 1, (int)n), mixed, NULL);
    bench_ok(spark_count(spark_sort_by(rows, NULL, (int)n), &counted));
    const double seconds = bench_now() - start;
    if (counted != 100000)
        bench_die("%" PRId64 " of 100000 rows were sorted", counted);
    spark_context_free(sc);
    return seconds;
}

/* ---- files: in a directory, and names a glob looks at of which one fits */

static void file_name(char *to, size_t size, const char *directory, int64_t i)
{
    snprintf(to, size, "%s/file-%08" PRId64, directory, i);
}

/* with_files: the seconds of counting the lines of pattern below a directory of n files of a line. */
static double with_files(int64_t n, const char *pattern, int64_t wanted)
{
    char directory[] = "/tmp/bench-growth-XXXXXX", path[120];
    if (!mkdtemp(directory))
        bench_die("cannot make a directory in /tmp");
    for (int64_t i = 0; i < n; i++) {
        file_name(path, sizeof path, directory, i);
        FILE *file = fopen(path, "w");
        if (!file || fputs("a line\n", file) < 0 || fclose(file) != 0)
            bench_die("cannot write %s", path);
    }
    spark_context *sc = context();
    int64_t lines;
    snprintf(path, sizeof path, "%s%s", directory, pattern);
    const double start = bench_now();
    bench_ok(spark_count(spark_text_file(sc, path, 1), &lines));
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    for (int64_t i = 0; i < n; i++) {
        file_name(path, sizeof path, directory, i);
        unlink(path);
    }
    rmdir(directory);
    if (lines != wanted)
        bench_die("%" PRId64 " of %" PRId64 " lines", lines, wanted);
    return seconds;
}

static double directory_files(int64_t n)
{
    return with_files(n, "", n);
}

static double glob_names(int64_t n)
{
    return with_files(n, "/*-*0*0*0*0*0*0*0*0", 1);
}

/* ---- the scheduler: partitions of a job, stages behind and beside each other */

static double job_of(spark_context *sc, spark_rdd *rdd)
{
    int64_t counted;
    const double start = bench_now();
    bench_ok(spark_count(rdd, &counted));
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    return seconds;
}

static double partitions(int64_t n)
{
    spark_context *sc = context();
    return job_of(sc, spark_map(spark_range(sc, 0, 100, 1, (int)n), mixed, NULL));
}

SPARK_PAIR(growth_pair, int64_t, int64_t);
SPARK_MAP(to_pair, int64_t, growth_pair)
{
    *out = (growth_pair) { *in, 1 };
}

static spark_rdd *shuffled(spark_rdd *rdd, int parts)
{
    return spark_values(
        spark_reduce_by_key(spark_map(rdd, to_pair, NULL), spark_op_sum, NULL, parts));
}

static double stages(int64_t n)
{
    spark_context *sc = context();
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    for (int64_t i = 0; i < n; i++)
        rdd = shuffled(rdd, 2 + (int)(i % 2));
    return job_of(sc, rdd);
}

static double parents(int64_t n)
{
    spark_context *sc = context();
    spark_rdd **all = (spark_rdd **)bench_alloc((size_t)n, sizeof *all);
    spark_rdd *rows = spark_range(sc, 0, 10, 1, 2);
    for (int64_t i = 0; i < n; i++)
        all[i] = shuffled(rows, 2);
    spark_rdd *rdd = spark_union_all(sc, (size_t)n, all);
    free(all);
    return job_of(sc, rdd);
}

/* loop_rounds: each job stands on the shuffles of all rounds before, which are complete. */
static double loop_rounds(int64_t n)
{
    spark_context *sc = context();
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    const double start = bench_now();
    for (int64_t i = 0; i < n; i++) {
        int64_t counted;
        rdd = shuffled(rdd, 2 + (int)(i % 2));
        bench_ok(spark_count(rdd, &counted));
    }
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    return seconds;
}

/* ---- many of what a program makes */

static double small_jobs(int64_t n)
{
    spark_context *sc = context();
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    const double start = bench_now();
    for (int64_t i = 0, counted; i < n; i++)
        bench_ok(spark_count(rdd, &counted));
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    return seconds;
}

/* ---- evicted: in memory for few of them, read twice, and asked what is kept */

static double evicted(int64_t rdds, int partitions)
{
    spark_context *sc
        = spark_context_new(&(spark_conf) { .threads = 1, .memory_bytes = 8 << 20 });
    spark_rdd **all = (spark_rdd **)bench_alloc((size_t)rdds, sizeof *all);
    spark_storage_info infos[4];
    const double start = bench_now();
    for (int round = 0; round < 2; round++)
        for (int64_t i = 0, counted; i < rdds; i++) {
            if (round == 0)
                all[i] = spark_persist(spark_range(sc, 0, 1000 * (int64_t)partitions, 1, partitions),
                    i % 2 ? SPARK_MEMORY_ONLY : SPARK_MEMORY_AND_DISK);
            bench_ok(spark_count(all[i], &counted));
        }
    spark_storage_infos(sc, infos, 4);
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    free(all);
    return seconds;
}
static double evicted_rdds(int64_t n)
{
    return evicted(n, 2);
}
static double evicted_partitions(int64_t n)
{
    return evicted(2, (int)n);
}

/* futures_at_once: all are started before the first is waited for. */
static double futures_at_once(int64_t n)
{
    spark_context *sc = context();
    spark_future **all = (spark_future **)bench_alloc((size_t)n, sizeof *all);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    const double start = bench_now();
    for (int64_t i = 0; i < n; i++)
        all[i] = spark_count_async(rdd);
    for (int64_t i = 0; i < n; i++)
        bench_ok(spark_future_wait(all[i], -1));
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    free(all);
    return seconds;
}

static double futures_one_by_one(int64_t n)
{
    spark_context *sc = context();
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    const double start = bench_now();
    for (int64_t i = 0; i < n; i++)
        bench_ok(spark_future_wait(spark_count_async(rdd), -1));
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    return seconds;
}

static double tags(int64_t n)
{
    spark_context *sc = context();
    char tag[32];
    const double start = bench_now();
    for (int64_t i = 0; i < n; i++) {
        snprintf(tag, sizeof tag, "tag %" PRId64, i);
        bench_ok(spark_add_job_tag(sc, tag));
    }
    for (int64_t i = 0; i < n; i++) {
        snprintf(tag, sizeof tag, "tag %" PRId64, i);
        bench_ok(spark_remove_job_tag(sc, tag));
    }
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    return seconds;
}

/* scopes: open inside each other, with an RDD in each, and a job in the innermost. */
static double scopes(int64_t n)
{
    spark_context *sc = context();
    spark_scope **open = (spark_scope **)bench_alloc((size_t)n, sizeof *open);
    int64_t counted;
    const double start = bench_now();
    for (int64_t i = 0; i < n; i++) {
        open[i] = spark_scope_begin(sc);
        bench_ok(spark_rdd_status(spark_range(sc, 0, 10, 1, 2)));
    }
    bench_ok(spark_count(spark_range(sc, 0, 10, 1, 2), &counted));
    for (int64_t i = n; i-- > 0;)
        spark_scope_end(open[i]);
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    free(open);
    return seconds;
}

static double cached_rdds(int64_t n)
{
    spark_context *sc = context();
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    const double start = bench_now();
    for (int64_t i = 0; i < n; i++) {
        int64_t counted;
        rdd = spark_cache(spark_map(rdd, mixed, NULL));
        bench_ok(spark_count(rdd, &counted));
    }
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    return seconds;
}

typedef const spark_accumulator *counter_ref;
typedef struct counters {
    const counter_ref *at;
    int64_t n;
} counters;
SPARK_FILTER(counts_all, int64_t, counters)
{
    for (int64_t i = 0; i < env->n; i++)
        spark_accumulate(task, env->at[i], *in);
    return true;
}

static double accumulators(int64_t n)
{
    spark_context *sc = context();
    counter_ref *at = (counter_ref *)bench_alloc((size_t)n, sizeof *at);
    int64_t counted;
    for (int64_t i = 0; i < n; i++)
        at[i] = spark_counter(sc, "counter");
    const counters all = { at, n };
    const double start = bench_now();
    bench_ok(spark_count(
        spark_filter(spark_range(sc, 0, 10, 1, 2), counts_all, SPARK_COPY(all)), &counted));
    const double seconds = bench_now() - start;
    spark_context_free(sc);
    free(at);
    return seconds;
}

/* ---- the table */

/* ---- sums by key: keys that were chosen to collide in all 64 bits of their hash */

SPARK_PAIR(str_count, spark_str, int64_t);

static double hash_flood(int64_t n)
{
    spark_context *sc = context();
    int64_t keys;
    str_count *rows = (str_count *)bench_alloc((size_t)n, sizeof *rows);
    char *texts = (char *)bench_alloc((size_t)n, 32);
    for (size_t i = 0; i < (size_t)n; i++) {
        collisions_text(i, 4711, texts + i * 32);
        rows[i] = (str_count) { { texts + i * 32, 32 }, 1 };
    }
    spark_rdd *pairs = spark_parallelize(sc, SPARK_DATA(str_count, (size_t)n, rows), 4);
    const double start = bench_now();
    bench_ok(spark_count(spark_reduce_by_key(pairs, spark_op_sum, NULL, 4), &keys));
    const double seconds = bench_now() - start;
    if (keys != n)
        bench_die("%" PRId64 " keys instead of %" PRId64, keys, n);
    free(rows);
    free(texts);
    spark_context_free(sc);
    return seconds;
}

static const growth_case cases[] = {
    { "hash_flood", "keys of one hash", 100000, hash_flood },
    { "take_ordered", "elements taken of 4 M", 100000, take_ordered },
    { "pipe_line", "bytes of a line", 32 << 20, pipe_line },
    { "sort_partitions", "partitions of 100,000 rows", 250, sort_partitions },
    { "directory_files", "files of a line", 2000, directory_files },
    { "glob_names", "names of which one fits", 10000, glob_names },
    { "partitions", "partitions of a job", 100000, partitions },
    { "stages", "shuffles behind each other in a job", 1000, stages },
    { "parents", "shuffles beside each other in a job", 1000, parents },
    { "loop_rounds", "rounds of a loop, a job and a shuffle each", 500, loop_rounds },
    { "small_jobs", "jobs, one after the other", 5000, small_jobs },
    { "futures_one_by_one", "futures, one after the other", 2000, futures_one_by_one },
    { "futures_at_once", "futures at once", 500, futures_at_once },
    { "tags", "tags added and removed", 10000, tags },
    { "scopes", "scopes inside each other", 10000, scopes },
    { "cached_rdds", "cached RDDs, each of the one before", 1000, cached_rdds },
    { "evicted_rdds", "cached RDDs, of which few find room", 2000, evicted_rdds },
    { "evicted_partitions", "cached partitions, of which few find room", 10000, evicted_partitions },
    { "accumulators", "accumulators a task adds to", 1000, accumulators },
};

static double best(const growth_case *c, int64_t n, int64_t rounds)
{
    double least = c->run(n);
    for (int64_t i = 1; i < rounds; i++) {
        const double seconds = c->run(n);
        least = seconds < least ? seconds : least;
    }
    return least;
}

static void report(const growth_case *c, int64_t divisor, int64_t rounds)
{
    const int64_t n = c->n / divisor > 0 ? c->n / divisor : 1;
    double t[3];
    for (int i = 0; i < 3; i++)
        t[i] = best(c, n << i, rounds);
    printf("{\"case\": \"%s\", \"what\": \"%s\", \"n\": %" PRId64
           ", \"seconds\": [%.4f, %.4f, %.4f], \"ratios\": [%.2f, %.2f]}\n",
        c->name, c->what, n, t[0], t[1], t[2], t[1] / t[0], t[2] / t[1]);
    fflush(stdout);
}

static bool wanted(const char *name, char *const *names)
{
    bool found = !*names;
    for (; *names && !found; names++)
        found = strcmp(*names, name) == 0;
    return found;
}

int main(int argc, char **argv)
{
    int64_t given[128] = { ['d'] = 1, ['r'] = 3 };
    for (int c; (c = getopt(argc, argv, "d:r:")) != -1;)
        if (c == '?' || (given[c] = atoll(optarg)) < 1) {
            fputs("usage: bench_growth [-d DIVISOR] [-r ROUNDS] [CASE...]\n", stderr);
            return 2;
        }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (wanted(cases[i].name, argv + optind))
            report(&cases[i], given['d'], given['r']);
    return 0;
}
