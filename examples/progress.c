/* SPDX-License-Identifier: Apache-2.0 */
/* Counts primes in the background and shows how far it is; Ctrl-C cancels, a second one ends the
 * program. -c cancels by itself when so many tasks are done.
 *   usage: progress [-n NUMBERS] [-p PARTITIONS] [-c TASKS] */
#include <inttypes.h>
#include <signal.h>
#include <spark.h>
#include <unistd.h>

SPARK_FILTER(is_prime, int64_t)
{
    bool prime = *in > 1;
    for (int64_t d = 2; prime && d * d <= *in; d++)
        prime = *in % d != 0;
    return prime;
}

/* watch: until the action has ended; true: it was cancelled here. */
static bool watch(spark_context *sc, spark_future *primes, int64_t cancel_at)
{
    bool cancelled = false;
    while (spark_future_wait(primes, 100) == SPARK_ETIMEOUT) {
        spark_job_stats stats;
        const int job = spark_future_job(primes);
        if (job < 0 || spark_job_stats_get(sc, job, &stats) != SPARK_OK)
            continue;
        fprintf(stderr, "\rjob %d: %" PRId64 " of %" PRId64 " tasks ", job, stats.tasks,
            stats.total_tasks);
        if (cancel_at > 0 && stats.tasks >= cancel_at && !cancelled) {
            spark_cancel_job(sc, job, "since enough tasks were done");
            cancelled = true;
        }
    }
    fputc('\n', stderr);
    return cancelled;
}

int main(int argc, char **argv)
{
    int64_t given[128] = { ['n'] = 1000000, ['p'] = 100 };
    for (int c; (c = getopt(argc, argv, "n:p:c:")) != -1;)
        if (c == '?' || !spark_str_to_i64((spark_str) { optarg, strlen(optarg) }, &given[c])
            || given[c] < 1 || given['p'] > INT32_MAX)
            return fputs("usage: progress [-n NUMBERS] [-p PARTITIONS] [-c TASKS]\n", stderr), 2;

    spark_context *sc = spark_context_new(NULL);
    spark_rdd *numbers = spark_range(sc, 0, given['n'], 1, (int)given['p']);
    spark_future *primes = spark_count_async(spark_filter(numbers, is_prime, NULL));
    spark_status status = spark_cancel_on_signal(sc, SIGINT);
    const bool cancelled = watch(sc, primes, given['c']);
    int64_t n = 0;
    if (status == SPARK_OK)
        status = spark_future_count(primes, &n);
    if (status == SPARK_OK)
        printf("%" PRId64 " primes below %" PRId64 "\n", n, given['n']);
    else if (status == SPARK_ECANCELLED && cancelled)
        puts("cancelled");
    else
        spark_complain("progress");
    spark_context_free(sc);
    return status != SPARK_OK && !cancelled;
}
