/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms: buckets closed on the left and open on the right, but for the last one, which is
 * closed on both sides. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include <spark/stats.h>

#include "rdd/action.h"
#include "rdd/numbers.h"

typedef struct bucketing {
    const spk_layout *layout;
    const double *edges;
    size_t buckets;
    bool even;
    int64_t *counts; /* of all tasks that are done */
    pthread_mutex_t *lock;
} bucketing;

typedef struct histogram {
    spk_state head;
    spk_heap *heap;
    int64_t *counts;
    size_t capacity;
} histogram;

static bool histogram_begin(spk_state *state)
{
    const bucketing *b = state->action->arg;
    histogram *h = (histogram *)state;
    const size_t bytes = b->buckets * sizeof *h->counts;
    h->heap = state->task->heap;
    h->counts = spk_task_alloc(state->task, "an array of buckets", bytes, &h->capacity);
    if (h->counts)
        memset(h->counts, 0, bytes);
    return h->counts != NULL;
}

/* place: total order of doubles, in which NaN is the largest and -0 below 0, as Spark's binary
 * search has it; SIZE_MAX: outside. */
static bool below(double a, double b)
{
    if (a < b || a > b)
        return a < b;
    if (isnan(a) || isnan(b))
        return !isnan(a);
    return signbit(a) && !signbit(b);
}

static size_t search(const bucketing *b, double x)
{
    size_t low = 0, high = b->buckets;
    if (below(x, b->edges[0]) || below(b->edges[b->buckets], x))
        return SIZE_MAX;
    while (low <= high) {
        const size_t middle = low + (high - low) / 2;
        if (below(b->edges[middle], x))
            low = middle + 1;
        else if (below(x, b->edges[middle]))
            high = middle - 1;
        else /* of equal edges whichever comes first here, as in Java's binary search */
            return middle < b->buckets ? middle : middle - 1;
    }
    return low - 1;
}

static size_t place_evenly(const bucketing *b, double x)
{
    const double min = b->edges[0], max = b->edges[b->buckets];
    if (isnan(x) || x < min || x > max)
        return SIZE_MAX;
    const double at = (x - min) / (max - min) * (double)b->buckets;
    return isnan(at) || at < 0 ? 0 : at < (double)b->buckets ? (size_t)at : b->buckets - 1;
}

static bool histogram_take(void *state, spk_batch batch)
{
    histogram *h = state;
    const bucketing *b = h->head.action->arg;
    double x[256];
    for (size_t i = 0, n; i < batch.n; i += n) {
        n = batch.n - i < 256 ? batch.n - i : 256;
        spk_numbers(b->layout, batch.rows + i * b->layout->size, n, x);
        for (size_t k = 0; k < n; k++) {
            const size_t at = b->even ? place_evenly(b, x[k]) : search(b, x[k]);
            if (at != SIZE_MAX)
                h->counts[at]++;
        }
    }
    return true;
}

static void histogram_discard(spk_state *state)
{
    histogram *h = (histogram *)state;
    if (h->counts)
        spk_heap_free(h->heap, h->counts, h->capacity);
    h->counts = NULL;
}

/* histogram_publish: adds them up at once, so that there are no more arrays than tasks that run. */
static bool histogram_publish(spk_state *state)
{
    const bucketing *b = state->action->arg;
    const int64_t *counts = ((histogram *)state)->counts;
    pthread_mutex_lock(b->lock);
    for (size_t i = 0; i < b->buckets; i++)
        b->counts[i] += counts[i];
    pthread_mutex_unlock(b->lock);
    histogram_discard(state);
    return true;
}

/* count: b is complete but for the counts. */
static spark_status count(
    spark_site at, spark_rdd *rdd, bucketing *b, int64_t *counts, spk_failure *failure)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const spk_action action = { .name = "histogram",
        .site = at,
        .state_size = sizeof(histogram),
        .arg = b,
        .begin = histogram_begin,
        .take = histogram_take,
        .publish = histogram_publish,
        .discard = histogram_discard };
    histogram *parts = calloc((size_t)spk_rdd_partitions(rdd) + 1, sizeof *parts);
    b->counts = counts;
    b->lock = &lock;
    memset(counts, 0, b->buckets * sizeof *counts);
    const spark_status status = parts
        ? spk_job_run(rdd, &action, NULL, spk_rdd_partitions(rdd), parts, failure)
        : spk_failure_nomem(failure, "histogram", at);
    if (status != SPARK_OK)
        memset(counts, 0, b->buckets * sizeof *counts);
    free(parts);
    return status;
}

spark_status spark_histogram_edges(
    spark_site at, spark_rdd *rdd, size_t n_edges, const double *edges, bool even, int64_t *counts)
{
    spk_failure failure;
    spark_status status = spk_numbers_check(rdd, "histogram", at, counts, &failure);
    if (status == SPARK_OK && (n_edges < 2 || !edges))
        status = spk_failure_set(&failure, SPARK_EINVAL, "histogram", at,
            "histogram at %s: %zu edges; there must be 2 or more", at, edges ? n_edges : 0);
    for (size_t i = 1; status == SPARK_OK && i < n_edges; i++)
        if (below(edges[i], edges[i - 1]))
            status = spk_failure_set(&failure, SPARK_EINVAL, "histogram", at,
                "histogram at %s: the edges do not ascend: %g after %g", at, edges[i],
                edges[i - 1]);
    if (status == SPARK_OK) {
        bucketing b = { rdd->layout, edges, n_edges - 1, even, NULL, NULL };
        status = count(at, rdd, &b, counts, &failure);
    }
    return spk_action_end(status, &failure, "histogram", at);
}

spark_status spark_histogram(
    spark_site at, spark_rdd *rdd, size_t buckets, double *edges, int64_t *counts, size_t *found)
{
    spk_failure failure;
    spark_stat_counter stats;
    spark_status status
        = spk_numbers_check(rdd, "histogram", at, edges && counts ? found : NULL, &failure);
    if (found)
        *found = 0;
    if (status == SPARK_OK && spk_rdd_partitions(rdd) == 0)
        status = spk_failure_set(&failure, SPARK_EEMPTY, "histogram", at,
            "histogram at %s: an empty RDD or one with NaN or infinities", at);
    if (status != SPARK_OK)
        return spk_action_end(status, &failure, "histogram", at);
    if ((status = spark_stats(at, rdd, &stats)) != SPARK_OK)
        return status;
    const bool one = stats.min == stats.max;
    if (!isfinite(stats.min) || !isfinite(stats.max))
        status = spk_failure_set(&failure, SPARK_EEMPTY, "histogram", at,
            "histogram at %s: an empty RDD or one with NaN or infinities", at);
    else if (buckets == 0 && !one)
        status = spk_failure_set(&failure, SPARK_EINVAL, "histogram", at,
            "histogram at %s: 0 buckets; there must be at least one", at);
    if (status == SPARK_OK) {
        const size_t n = one ? 1 : buckets;
        const double span = stats.max - stats.min;
        for (size_t i = 0; i < n; i++)
            edges[i] = stats.min + (double)i * span / (double)n;
        edges[n] = stats.max;
        bucketing b = { rdd->layout, edges, n, true, NULL, NULL };
        status = count(at, rdd, &b, counts, &failure);
        *found = status == SPARK_OK ? n : 0;
    }
    return spk_action_end(status, &failure, "histogram", at);
}
