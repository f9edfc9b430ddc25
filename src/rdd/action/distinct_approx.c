/* SPDX-License-Identifier: Apache-2.0 */
/* Counting distinct values approximately: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier) with 64-bit
 * hashes and linear counting for small counts (Heule, Nunkesser, Hall: HyperLogLog in practice).
 * Registers are bytes; merging takes the larger, so neither order nor partitions matter. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include <spark/keyed.h>
#include <spark/stats.h>
#include <spark/transform.h>

#include "base/hash.h"
#include "rdd/action.h"
#include "rdd/verb.h"
#include "type/leaf.h"

enum { LEAST_P = 4, MOST_P = 24, MOST_P_BY_KEY = 20 };

/* mixed: bits of a hash are used from both ends here, so both must depend on all of the value. */
static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static inline void add(uint8_t *registers, int p, uint64_t hash)
{
    const uint64_t h = mixed(hash), rest = h << p;
    const int rank = rest ? __builtin_clzll(rest) + 1 : 64 - p + 1;
    uint8_t *at = &registers[h >> (64 - p)];
    if (*at < rank)
        *at = (uint8_t)rank;
}

/* estimate: Ertl's improved raw estimator (New cardinality estimation algorithms for HyperLogLog
 * sketches, algorithm 6), which serves from the smallest counts to the largest. Its constant is that of
 * infinitely many registers; with m it is too high by the bias of a mean's reciprocal: by 1.079 / m
 * where all are in use (the alpha_m of Flajolet et al.), and half of that where few are (as of linear
 * counting: Whang et al.). */
static double sigma(double x)
{
    double y = 1, z = x, last;
    if (x == 1)
        return HUGE_VAL;
    do {
        x *= x;
        last = z;
        z += x * y;
        y += y;
    } while (z != last);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, last;
    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        last = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != last);
    return z / 3;
}

static double estimate(const uint8_t *registers, int p)
{
    const double m = (double)(1u << p);
    const int q = 64 - p;
    uint32_t counts[66] = { 0 };
    for (uint32_t i = 0; i < 1u << p; i++)
        counts[registers[i]]++;
    double z = m * tau(1 - (double)counts[q + 1] / m);
    for (int k = q; k >= 1; k--)
        z = 0.5 * (z + (double)counts[k]);
    z += m * sigma((double)counts[0] / m);
    const double raw = m * m / (2 * 0.69314718055994530942) / z, each = raw / m;
    return raw / (1 + (0.54 + 0.54 * each / (each + 1.5)) / m);
}

/* bits_for: registers for a relative standard deviation, by Spark's formula. 0: none. */
static int bits_for(double relative_sd)
{
    if (!(relative_sd > 0.000017))
        return 0;
    const int p = (int)ceil(2 * log(1.054 / relative_sd) / log(2));
    return p < LEAST_P ? LEAST_P : p;
}

/* why_not: p registers' bits asked for by a relative standard deviation (NULL: by number, as sp is);
 * what is wrong, in text, or NULL. */
static const char *why_not(
    const double *relative_sd, int p, int sp, int most, char *text, size_t size)
{
    if (relative_sd && (p == 0 || p > most))
        snprintf(text, size, "a relative standard deviation of %g; it must be at least %.5f",
            *relative_sd, 1.054 / sqrt((double)(1u << most)));
    else if (p < LEAST_P || p > most)
        snprintf(text, size, "a precision of %d; it must be %d to %d", p, LEAST_P, most);
    else if (sp < 0 || sp > 32 || (sp > 0 && p > sp))
        snprintf(text, size, "a sparse precision of %d; it must be 0, or %d, the precision, to 32",
            sp, p);
    else
        return NULL;
    return text;
}

/* ---- the action */

typedef struct sketching {
    const spk_layout *layout;
    int p;
    uint8_t *all; /* registers of all tasks that are done */
    pthread_mutex_t *lock;
} sketching;

typedef struct sketch {
    spk_state head;
    spk_heap *heap;
    uint8_t *registers;
    size_t capacity;
} sketch;

static bool distinct_approx_begin(spk_state *state)
{
    const sketching *how = state->action->arg;
    sketch *s = (sketch *)state;
    const size_t m = (size_t)1 << how->p;
    s->heap = state->task->heap;
    s->registers = spk_task_alloc(state->task, "an array of registers", m, &s->capacity);
    if (s->registers)
        memset(s->registers, 0, m);
    return s->registers != NULL;
}

static bool distinct_approx_take(void *state, spk_batch batch)
{
    sketch *s = state;
    const sketching *how = s->head.action->arg;
    const size_t size = how->layout->size;
    uint8_t *registers = s->registers;
    const int p = how->p;
    if (how->layout->key_class == SPK_KEY_8) { /* as spk_value_hash, without a call */
        for (size_t i = 0; i < batch.n; i++)
            add(registers, p, spk_hash_u64(spk_load64(batch.rows + i * 8)));
        return true;
    }
    for (size_t i = 0; i < batch.n; i++)
        add(registers, p, spk_value_hash(how->layout, batch.rows + i * size));
    return true;
}

static void distinct_approx_discard(spk_state *state)
{
    sketch *s = (sketch *)state;
    if (s->registers)
        spk_heap_free(s->heap, s->registers, s->capacity);
    s->registers = NULL;
}

static void merge(uint8_t *to, const uint8_t *from, int p)
{
    for (size_t k = 0; k < (size_t)1 << p; k++)
        to[k] = to[k] > from[k] ? to[k] : from[k];
}

/* distinct_approx_publish: merges at once, so that there are no more sketches than tasks that run. */
static bool distinct_approx_publish(spk_state *state)
{
    const sketching *how = state->action->arg;
    pthread_mutex_lock(how->lock);
    merge(how->all, ((sketch *)state)->registers, how->p);
    pthread_mutex_unlock(how->lock);
    distinct_approx_discard(state);
    return true;
}

/* count: how is complete but for the registers. */
static spark_status count(
    spark_site at, spark_rdd *rdd, sketching *how, int64_t *n, spk_failure *failure)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const spk_action action = { .name = "countApproxDistinct",
        .site = at,
        .state_size = sizeof(sketch),
        .arg = how,
        .begin = distinct_approx_begin,
        .take = distinct_approx_take,
        .publish = distinct_approx_publish,
        .discard = distinct_approx_discard };
    const size_t m = (size_t)1 << how->p;
    spk_heap *heap = &rdd->sc->heap;
    char text[300];
    size_t capacity;
    sketch *parts = calloc((size_t)spk_rdd_partitions(rdd) + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action.name, at);
    spark_status status;
    how->lock = &lock;
    how->all = spk_heap_alloc(heap, m, &capacity);
    if (!how->all) {
        free(parts);
        return spk_failure_set(failure, SPARK_ENOMEM, action.name, at, "%s at %s: %s", action.name,
            at, spk_heap_refusal(heap, "an array of registers", m, text, sizeof text));
    }
    memset(how->all, 0, m);
    status = spk_job_run(rdd, &action, NULL, spk_rdd_partitions(rdd), parts, failure);
    if (status == SPARK_OK)
        *n = llround(estimate(how->all, how->p));
    spk_heap_free(heap, how->all, capacity);
    free(parts);
    return status;
}

static spark_status count_distinct(
    spark_site at, spark_rdd *rdd, const double *relative_sd, int p, int sp, int64_t *n)
{
    static const char *const name = "countApproxDistinct";
    char text[160];
    spk_failure failure;
    spark_status status = spk_action_check(rdd, name, at, &failure);
    if (status == SPARK_OK && !n)
        status = spk_failure_set(&failure, SPARK_EINVAL, name, at,
            "%s at %s: there is no place for the result", name, at);
    else if (status == SPARK_OK && why_not(relative_sd, p, sp, MOST_P, text, sizeof text))
        status = spk_failure_set(&failure, SPARK_EINVAL, name, at, "%s at %s: %s", name, at, text);
    if (n)
        *n = 0;
    if (status == SPARK_OK) {
        sketching how = { rdd->layout, p, NULL, NULL };
        status = count(at, rdd, &how, n, &failure);
    }
    return spk_action_end(status, &failure, name, at);
}

spark_status spark_count_approx_distinct(
    spark_site at, spark_rdd *rdd, double relative_sd, int64_t *n)
{
    return count_distinct(at, rdd, &relative_sd, bits_for(relative_sd), 0, n);
}

spark_status spark_count_approx_distinct_with(
    spark_site at, spark_rdd *rdd, int p, int sp, int64_t *n)
{
    return count_distinct(at, rdd, NULL, p, sp, n);
}

/* ---- by key */

typedef struct keyed_env {
    const spk_layout *value;
    int p;
} keyed_env;

static void add_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    const keyed_env *e = env;
    (void)task;
    for (size_t i = 0; i < n; i++)
        add(acc[i], e->p, spk_value_hash(e->value, (const char *)in + i * step));
}

static void add_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    for (size_t i = 0; i < n; i++)
        add_run(task, 1, &acc, (const char *)in + i * step, step, env);
}

static void merge_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    const keyed_env *e = env;
    (void)task;
    for (size_t i = 0; i < n; i++)
        merge(acc[i], (const uint8_t *)in + i * step, e->p);
}

static void merge_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    for (size_t i = 0; i < n; i++)
        merge_run(task, 1, &acc, (const char *)in + i * step, step, env);
}

static void estimate_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const keyed_env *e = env;
    (void)task;
    for (size_t i = 0; i < n; i++) {
        const int64_t count = llround(estimate((const uint8_t *)in + i * in_step, e->p));
        memcpy((char *)out + i * out_step, &count, sizeof count);
    }
}

static spark_rdd *distinct_by_key(spark_site at, spark_rdd *rdd, const double *relative_sd, int p,
    int sp, const spark_keyed_options *options)
{
    static const char *const name = "countApproxDistinctByKey";
    char text[160];
    spk_verb v;
    spk_verb_begin(&v, at, name, NULL, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    if (why_not(relative_sd, p, sp, MOST_P_BY_KEY, text, sizeof text))
        spk_verb_fail(&v, SPARK_EINVAL, "%s", text);
    if (v.bad)
        return v.bad;
    const keyed_env e = { v.in->value, p };
    const spark_type *registers = spk_types_array(v.sc->types, SPARK_TYPE(uint8_t), 1u << p);
    if (!registers)
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    if (v.bad)
        return v.bad;
    const spark_merge_def add_def = { .name = name,
        .acc = registers,
        .env_size = sizeof e,
        .run = add_run,
        .fold = add_fold,
        .op = SPARK_OP_USER };
    spark_merge_def merge_def = add_def;
    merge_def.in = registers;
    merge_def.run = merge_run;
    merge_def.fold = merge_fold;
    const spark_map_def estimate_def
        = { name, NULL, SPARK_TYPE(int64_t), sizeof e, estimate_run, NULL };
    const spark_env env = { .data = &e, .size = sizeof e };
    spark_rdd *sketches = spark_aggregate_by_key_with(
        at, rdd, registers, NULL, &add_def, &merge_def, &env, options);
    return spark_map_values(at, sketches, &estimate_def, &env);
}

spark_rdd *spark_count_approx_distinct_by_key(
    spark_site at, spark_rdd *rdd, double relative_sd, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return distinct_by_key(at, rdd, &relative_sd, bits_for(relative_sd), 0, &options);
}

spark_rdd *spark_count_approx_distinct_by_key_with(
    spark_site at, spark_rdd *rdd, int p, int sp, const spark_keyed_options *options)
{
    return distinct_by_key(at, rdd, NULL, p, sp, options);
}
