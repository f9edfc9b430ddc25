/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of an RDD of numbers. Moments are gathered one by one in each partition (Welford) and
 * merged in the order of the partitions (Chan, Golub, LeVeque), as Spark's StatCounter does. */
#include <math.h>
#include <stdlib.h>

#include <spark/stats.h>

#include "rdd/action.h"
#include "rdd/numbers.h"

typedef struct moments {
    spk_state head;
    int64_t n;
    double mean, m2, sum, min, max;
} moments;

static double least(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : a < b ? a : b;
}

static double most(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
}

static void add(moments *m, double x)
{
    const double delta = x - m->mean;
    m->n++;
    m->mean += delta / (double)m->n;
    m->m2 += delta * (x - m->mean);
    m->sum += x;
    m->min = least(m->min, x);
    m->max = most(m->max, x);
}

static void merge(moments *a, const moments *b)
{
    const double n = (double)a->n, k = (double)b->n, delta = b->mean - a->mean;
    if (b->n == 0)
        return;
    a->sum += b->sum;
    a->min = least(a->min, b->min);
    a->max = most(a->max, b->max);
    a->m2 = a->n == 0 ? b->m2 : a->m2 + b->m2 + delta * delta * n * k / (n + k);
    if (a->n == 0)
        a->mean = b->mean;
    else if (b->n * 10 < a->n)
        a->mean += delta * k / (n + k);
    else if (a->n * 10 < b->n)
        a->mean = b->mean - delta * n / (n + k);
    else
        a->mean = (a->mean * n + b->mean * k) / (n + k);
    a->n += b->n;
}

static bool stats_begin(spk_state *state)
{
    moments *m = (moments *)state;
    m->min = HUGE_VAL;
    m->max = -HUGE_VAL;
    return true;
}

static bool stats_take(void *state, spk_batch batch)
{
    moments *m = state;
    const spk_layout *layout = m->head.action->arg;
    double x[256];
    for (size_t i = 0, n; i < batch.n; i += n) {
        n = batch.n - i < 256 ? batch.n - i : 256;
        spk_numbers(layout, batch.rows + i * layout->size, n, x);
        for (size_t k = 0; k < n; k++)
            add(m, x[k]);
    }
    return true;
}

/* gather: the moments of all partitions. */
static spark_status gather(
    spark_site at, const char *name, spark_rdd *rdd, moments *total, const void *place)
{
    spk_failure failure;
    spark_status status = spk_numbers_check(rdd, name, at, place, &failure);
    moments *parts = NULL;
    *total = (moments) { .min = HUGE_VAL, .max = -HUGE_VAL };
    if (status == SPARK_OK && !(parts = calloc((size_t)spk_rdd_partitions(rdd) + 1, sizeof *parts)))
        status = spk_failure_nomem(&failure, name, at);
    if (status == SPARK_OK) {
        const spk_action action = { .name = name,
            .site = at,
            .state_size = sizeof(moments),
            .arg = rdd->layout,
            .begin = stats_begin,
            .take = stats_take };
        status = spk_job_run(rdd, &action, NULL, spk_rdd_partitions(rdd), parts, &failure);
    }
    for (int i = 0; status == SPARK_OK && i < spk_rdd_partitions(rdd); i++)
        merge(total, &parts[i]);
    free(parts);
    return spk_action_end(status, &failure, name, at);
}

static spark_stat_counter counter_of(const moments *m)
{
    const double n = (double)m->n;
    const double variance = m->n ? m->m2 / n : NAN;
    const double sample = m->n > 1 ? m->m2 / (n - 1) : NAN;
    return (spark_stat_counter) { m->n, m->mean, m->sum, variance, sqrt(variance), sample,
        sqrt(sample), m->min, m->max };
}

spark_status spark_stats(spark_site at, spark_rdd *rdd, spark_stat_counter *stats)
{
    moments m;
    spk_failure failure;
    spark_status status = gather(at, "stats", rdd, &m, stats);
    if (stats)
        *stats = counter_of(&m);
    if (status == SPARK_OK && spk_rdd_partitions(rdd) == 0) {
        spk_failure_set(&failure, SPARK_EEMPTY, "stats", at, "stats at %s: empty collection", at);
        status = spk_raise(&failure);
    }
    return status;
}

/* one: one number of the moments; whatever is made of no element, no partition is an error, as
 * there is no counter to ask then. */
static spark_status one(
    spark_site at, const char *name, spark_rdd *rdd, double *result, size_t offset)
{
    moments m;
    spk_failure failure;
    spark_status status = gather(at, name, rdd, &m, result);
    if (!result)
        return status;
    const spark_stat_counter stats = counter_of(&m);
    memcpy(result, (const char *)&stats + offset, sizeof *result);
    if (status == SPARK_OK && spk_rdd_partitions(rdd) == 0) {
        spk_failure_set(&failure, SPARK_EEMPTY, name, at, "%s at %s: empty collection", name, at);
        status = spk_raise(&failure);
    }
    return status;
}

spark_status spark_sum(spark_site at, spark_rdd *rdd, double *sum)
{
    moments m;
    const spark_status status = gather(at, "sum", rdd, &m, sum);
    if (sum)
        *sum = m.sum;
    return status;
}

spark_status spark_mean(spark_site at, spark_rdd *rdd, double *mean)
{
    return one(at, "mean", rdd, mean, offsetof(spark_stat_counter, mean));
}

spark_status spark_variance(spark_site at, spark_rdd *rdd, double *variance)
{
    return one(at, "variance", rdd, variance, offsetof(spark_stat_counter, variance));
}

spark_status spark_stdev(spark_site at, spark_rdd *rdd, double *stdev)
{
    return one(at, "stdev", rdd, stdev, offsetof(spark_stat_counter, stdev));
}

spark_status spark_sample_variance(spark_site at, spark_rdd *rdd, double *variance)
{
    return one(at, "sampleVariance", rdd, variance, offsetof(spark_stat_counter, sample_variance));
}

spark_status spark_sample_stdev(spark_site at, spark_rdd *rdd, double *stdev)
{
    return one(at, "sampleStdev", rdd, stdev, offsetof(spark_stat_counter, sample_stdev));
}
