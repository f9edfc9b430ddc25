/* SPDX-License-Identifier: Apache-2.0 */
/* Figure 11 of the RDD paper: ten rounds of k-means over cached points on ten executors, one of which is
 * killed while round 6 runs. Prints what each round took, and how rounds 6 and 7 compare with the median of
 * rounds 2 to 5. Exits 1 unless the centres are those of an undisturbed run, to the bit, and exactly the
 * blocks of the lost executor were computed again.
 *   usage: bench_recovery [-n points] [-e executors] [-p partitions] */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kmeans.h"

enum { ROUNDS = 10, KILLED = 6, MOST = 256 };

typedef struct outcome {
    double ms[ROUNDS + 1]; /* from 1 on */
    int64_t held, again;   /* blocks of the lost executor; computed again, in all rounds */
    centres at;
} outcome;

static double now_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

/* blocks_of: how many an executor holds. */
static int64_t blocks_of(spark_context *sc, const char *id)
{
    spark_executor_info infos[MOST];
    const size_t n = spark_executors(sc, infos, MOST);
    for (size_t i = 0; i < n && i < MOST; i++)
        if (strcmp(infos[i].id, id) == 0)
            return infos[i].blocks;
    return 0;
}

/* plan: when a task comes to that partition, the executor it runs on is killed; context 0: in no round. */
SPARK_STRUCT(plan, (uint64_t, context), (uint64_t, held), (uint64_t, partition));

SPARK_FILTER(kills, point, plan)
{
    (void)in;
    if (env->context && spark_task_partition(task) == (int)env->partition
        && spark_task_attempt(task) == 0) {
        spark_context *sc = (spark_context *)(uintptr_t)env->context;
        int64_t *held = (int64_t *)(uintptr_t)env->held;
        if (*held == 0) {
            *held = blocks_of(sc, spark_task_executor(task));
            spark_kill_executor(sc, spark_task_executor(task), "killed in round 6");
        }
    }
    return true;
}

static void run(const char *master, int64_t n, int partitions, bool kill, outcome *o)
{
    spark_array found;
    spark_job_stats stats;
    spark_context *sc = spark_context_new(&(spark_conf) { .master = master });
    spark_rdd *points = bench_cached(sc, 0, n, partitions, make_point, NULL);
    *o = (outcome) { .held = 0 };
    start(&o->at);
    for (int round = 1; round <= ROUNDS; round++) {
        SPARK_SCOPED(sc);
        const plan p = { kill && round == KILLED ? (uint64_t)(uintptr_t)sc : 0,
            (uint64_t)(uintptr_t)&o->held, (uint64_t)partitions / 2 };
        const double from = now_ms();
        bench_ok(spark_aggregate(spark_filter(points, kills, SPARK_COPY(p)), SPARK_TYPE(clusters), NULL,
            add_point, add_clusters, SPARK_COPY(o->at), &found));
        o->ms[round] = now_ms() - from;
        bench_ok(spark_job_stats_get(sc, SPARK_ANY, &stats));
        o->again += stats.recomputed_partitions;
        move(&o->at, found.items);
        spark_array_free(&found);
    }
    spark_context_free(sc);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int64_t n = 4000000;
    int executors = 10, partitions = 40;
    char master[64];
    outcome calm, killed;
    for (int c; (c = getopt(argc, argv, "n:e:p:")) != -1;) {
        if (c == '?')
            return 2;
        *(c == 'e' ? &executors : &partitions) = c == 'n' ? partitions : atoi(optarg);
        n = c == 'n' ? atoll(optarg) : n;
    }
    snprintf(master, sizeof master, "local-cluster[%d,1,4096]", executors);
    run(master, n, partitions, false, &calm);
    run(master, n, partitions, true, &killed);
    for (int round = 1; round <= ROUNDS; round++)
        printf("round %2d: %8.1f ms undisturbed, %8.1f ms\n", round, calm.ms[round], killed.ms[round]);
    double normal[4];
    memcpy(normal, &killed.ms[2], sizeof normal);
    qsort(normal, 4, sizeof *normal, ascending);
    const double usual = (normal[1] + normal[2]) / 2;
    printf("round %d: %.2f x a normal one, round %d: %.2f x; %lld blocks lost, %lld computed again\n",
        KILLED, killed.ms[KILLED] / usual, KILLED + 1, killed.ms[KILLED + 1] / usual,
        (long long)killed.held, (long long)killed.again);
    const bool same = memcmp(&calm.at, &killed.at, sizeof calm.at) == 0;
    if (!same || killed.held == 0 || killed.again != killed.held)
        puts("WRONG: another answer, or not exactly the lost blocks were computed again");
    return !same || killed.held == 0 || killed.again != killed.held;
}
