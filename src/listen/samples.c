/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/samples.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 16, MOST_EACH = 1 << 30 };

_Static_assert(sizeof(spark_task_metrics) == SPK_FIGURES * sizeof(int64_t), "figures are int64_t, all of them");

_Static_assert(SPK_FIGURES <= 32, "a bit for each");

/* A plain loop of pairs is what the compiler makes vectors of; so what is no sum is added like the rest, and put right
 * behind it. */
void spk_metrics_add(spark_task_metrics *restrict sum, const spark_task_metrics *restrict more)
{
    const int64_t peak
        = more->peak_memory_bytes > sum->peak_memory_bytes ? more->peak_memory_bytes : sum->peak_memory_bytes;
    uint64_t *restrict to = (uint64_t *)(void *)sum;
    const uint64_t *restrict from = (const uint64_t *)(const void *)more;
    for (size_t i = 0; i < SPK_FIGURES / 2 * 2; i++)
        to[i] += from[i];
    if (SPK_FIGURES % 2)
        to[SPK_FIGURES - 1] += from[SPK_FIGURES - 1];
    sum->peak_memory_bytes = peak;
}

SPK_COLD static bool grow(spk_samples *s)
{
    const size_t max = s->max ? s->max * 2 : FIRST;
    for (size_t i = 0; i < SPK_FIGURES; i++) {
        int64_t *column = s->columns[i] ? realloc(s->columns[i], max * sizeof *column) : NULL;
        if (column)
            s->columns[i] = column;
        else if (s->columns[i])
            return false; /* those that are larger now do no harm */
    }
    s->max = max;
    return true;
}

/* begin: columns of figures that were 0 in all tasks before. */
SPK_COLD static bool begin(spk_samples *s, uint32_t which)
{
    for (; which; which &= which - 1) {
        const int i = __builtin_ctz(which);
        if (!(s->columns[i] = calloc(s->max, sizeof **s->columns)))
            return false;
        s->has |= UINT32_C(1) << i;
    }
    return true;
}

bool spk_samples_add(spk_samples *s, const spark_task_metrics *metrics)
{
    const int64_t *from = (const int64_t *)(const void *)metrics;
    uint32_t which = 0;
    for (size_t i = 0; i < SPK_FIGURES; i++)
        which |= (uint32_t)(from[i] != 0) << i;
    if ((s->n == s->max && !grow(s)) || ((which & ~s->has) && !begin(s, which & ~s->has)))
        return false;
    for (which = s->has; which; which &= which - 1) {
        const int i = __builtin_ctz(which);
        s->columns[i][s->n] = from[i];
    }
    s->n++;
    return true;
}

void spk_samples_halve(spk_samples *s)
{
    const size_t half = (s->n + 1) / 2;
    for (size_t c = 0; c < SPK_FIGURES; c++)
        for (size_t i = 0; s->columns[c] && i < half; i++)
            s->columns[c][i] = s->columns[c][2 * i];
    s->n = half;
    s->each *= s->each < MOST_EACH ? 2 : 1;
}

void spk_samples_fini(spk_samples *s)
{
    for (size_t i = 0; i < SPK_FIGURES; i++)
        free(s->columns[i]);
    *s = (spk_samples) { .seen = s->seen, .each = s->each };
}

bool spk_samples_copy(spk_samples *to, const spk_samples *from)
{
    *to = (spk_samples) { .each = from->each, .seen = from->seen, .n = from->n, .max = from->n, .has = from->has };
    for (size_t i = 0; i < SPK_FIGURES; i++) {
        if (!from->columns[i])
            continue;
        if (!(to->columns[i] = malloc(from->n * sizeof **to->columns))) {
            spk_samples_fini(to);
            return false;
        }
        memcpy(to->columns[i], from->columns[i], from->n * sizeof **to->columns);
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void spk_samples_quantiles(spk_samples *s, const double *at, size_t n, spark_task_metrics *values)
{
    int64_t figures[SPK_FIGURES];
    assert(s->n > 0);
    for (size_t c = 0; c < SPK_FIGURES; c++)
        if (s->columns[c])
            qsort(s->columns[c], s->n, sizeof **s->columns, compare);
    for (size_t i = 0; i < n; i++) {
        const double index = at[i] * (double)s->n;
        const size_t here = index < (double)(s->n - 1) ? (size_t)index : s->n - 1;
        for (size_t c = 0; c < SPK_FIGURES; c++)
            figures[c] = s->columns[c] ? s->columns[c][here] : 0;
        memcpy(&values[i], figures, sizeof figures);
    }
}

void spk_totals_add(spark_attempt_totals *to, const spark_attempt_totals *more)
{
    to->running += more->running;
    to->succeeded += more->succeeded;
    to->failed += more->failed;
    to->fetch_failed += more->fetch_failed;
    to->executor_lost += more->executor_lost;
    to->killed += more->killed;
    to->retries += more->retries;
    to->speculative += more->speculative;
    to->process_local += more->process_local;
    to->node_local += more->node_local;
    to->no_pref += more->no_pref;
    to->any += more->any;
    spk_metrics_add(&to->sum, &more->sum);
}
