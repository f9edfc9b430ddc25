/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of any types, for types drawn at random: their env says which types, and they compute with
 * the codes that values carry (shapes.h), so that a plain loop over codes is their oracle. */
#ifndef SHAPE_FUNCTIONS_H
#define SHAPE_FUNCTIONS_H

#include "shapes.h"

typedef struct binding {
    const spark_type *in, *out, *key, *right;
    uint64_t most; /* codes of what a map makes are less; 0: as its type says */
} binding;

static inline uint64_t mapped(uint64_t code, const spark_type *out)
{
    return (code * 5 + 3) % shape_codes(out);
}
static inline uint64_t added(uint64_t acc, uint64_t code, const spark_type *out)
{
    return (acc + code * 3 + 1) % shape_codes(out);
}
static inline uint64_t combined(uint64_t a, uint64_t b, const spark_type *out)
{
    return (a + b) % shape_codes(out);
}
static inline bool kept(uint64_t code)
{
    return code % 3 != 1;
}
static inline uint64_t joined(uint64_t key, uint64_t left, uint64_t right, const spark_type *out)
{
    return (key * 7 + left * 3 + right) % shape_codes(out);
}

static inline void map_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const binding *b = env;
    for (size_t i = 0; i < n; i++) {
        const uint64_t code = mapped(shape_get(b->in, (const char *)in + i * in_step), b->out);
        shape_put(task, b->out, b->most ? code % b->most : code, (char *)out + i * out_step);
    }
}

static inline size_t filter_run(
    spark_task *task, size_t n, const void *in, size_t step, uint32_t *keep, const void *env)
{
    const binding *b = env;
    size_t found = 0;
    (void)task;
    for (size_t i = 0; i < n; i++)
        if (kept(shape_get(b->in, (const char *)in + i * step)))
            keep[found++] = (uint32_t)i;
    return found;
}

/* emit: one value of the type. */
static inline void emit(spark_task *task, spark_emitter *out, const spark_type *type, uint64_t code)
{
    char *p = aligned_alloc(64, shape_up(type->size, 64));
    if (!p)
        abort();
    memset(p, 0, type->size);
    if (shape_put(task, type, code, p))
        spark_emit_(out, p, type->size);
    free(p);
}

static inline void flat_map_run(
    spark_task *task, size_t n, const void *in, size_t step, spark_emitter *out, const void *env)
{
    const binding *b = env;
    for (size_t i = 0; i < n && !out->closed; i++) {
        const uint64_t code = shape_get(b->in, (const char *)in + i * step);
        out->rows++;
        for (uint64_t j = 0; j < code % 4; j++)
            emit(task, out, b->out, mapped(code + j, b->out));
    }
}

static inline void sum_partition(
    spark_task *task, spark_iterator *in, spark_emitter *out, const void *env)
{
    const binding *b = env;
    uint64_t sum = 0;
    for (const void *p; (p = spark_next_(in));) {
        sum = added(sum, shape_get(b->in, p), b->out);
        emit(task, out, b->out, sum);
    }
}

static inline void each_run(spark_task *task, void *state, size_t n, const void *in, size_t step,
    spark_emitter *out, const void *env)
{
    const binding *b = env;
    uint64_t *sum = state;
    for (size_t i = 0; i < n && !out->closed; i++) {
        out->rows++;
        *sum = added(*sum, shape_get(b->in, (const char *)in + i * step), b->out);
        emit(task, out, b->out, *sum);
    }
}

static inline void close_run(spark_task *task, void *state, spark_emitter *out, const void *env)
{
    const binding *b = env;
    emit(task, out, b->out, *(const uint64_t *)state);
}

/* Merges end when the task has no memory: the accumulator must not be looked at any more. */
static inline bool add_one(spark_task *task, void *acc, const void *in, const binding *b)
{
    const uint64_t sum = added(shape_get(b->out, acc), shape_get(b->in, in), b->out);
    return shape_put(task, b->out, sum, acc);
}
static inline bool combine_one(spark_task *task, void *acc, const void *in, const binding *b)
{
    const uint64_t sum = combined(shape_get(b->out, acc), shape_get(b->out, in), b->out);
    return shape_put(task, b->out, sum, acc);
}
static inline void add_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    for (size_t i = 0; i < n && add_one(task, acc[i], (const char *)in + i * step, env); i++)
        ;
}
static inline void add_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    for (size_t i = 0; i < n && add_one(task, acc, (const char *)in + i * step, env); i++)
        ;
}
static inline void combine_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    for (size_t i = 0; i < n && combine_one(task, acc[i], (const char *)in + i * step, env); i++)
        ;
}
static inline void combine_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    for (size_t i = 0; i < n && combine_one(task, acc, (const char *)in + i * step, env); i++)
        ;
}
static inline void create_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const binding *b = env;
    for (size_t i = 0; i < n; i++)
        shape_put(task, b->out, added(0, shape_get(b->in, (const char *)in + i * in_step), b->out),
            (char *)out + i * out_step);
}

/* group_run: of each group one value: a sum that depends on the order. */
static inline uint64_t in_order(uint64_t sum, uint64_t code, const spark_type *out)
{
    return (sum * 5 + code + 1) % shape_codes(out);
}
static inline void group_run(spark_task *task, const void *key, spark_iterator *in, spark_emitter *out,
    const void *env)
{
    const binding *b = env;
    uint64_t sum = shape_get(b->key, key);
    for (const void *p; (p = spark_next_(in));)
        sum = in_order(sum, shape_get(b->in, p), b->out);
    emit(task, out, b->out, sum % shape_codes(b->out));
}

static inline void join_run(spark_task *task, size_t n, const void *const *key, const void *const *left,
    const void *const *right, spark_emitter *out, const void *env)
{
    const binding *b = env;
    for (size_t i = 0; i < n && !out->closed; i++) {
        out->rows++;
        emit(task, out, b->out,
            joined(shape_get(b->key, key[i]), left[i] ? shape_get(b->in, left[i]) + 1 : 0,
                right[i] ? shape_get(b->right, right[i]) + 1 : 0, b->out));
    }
}

static inline void zip_run(
    spark_task *task, spark_iterator *const *in, spark_emitter *out, const void *env)
{
    const binding *b = env;
    for (;;) {
        const void *l = spark_next_(in[0]), *r = spark_next_(in[1]);
        if (!l && !r)
            return;
        emit(task, out, b->out,
            joined(0, l ? shape_get(b->in, l) + 1 : 0, r ? shape_get(b->right, r) + 1 : 0, b->out));
    }
}

static inline void place_run(spark_task *task, size_t n, const void *key, size_t step,
    uint32_t partitions, uint32_t *out, const void *env)
{
    const binding *b = env;
    (void)task;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint32_t)(shape_get(b->key, (const char *)key + i * step) % partitions);
}

#define BIND(...) (&(const spark_env) { .kind = SPARK_ENV_COPY, .data = &(binding) { __VA_ARGS__ }, \
    .size = sizeof(binding) })

/* untyped: definitions take whatever there is, as those of generated code may. */
static bool untyped;

static inline const spark_type *known(const spark_type *type)
{
    return untyped ? NULL : type;
}
static inline spark_map_def map_of(const spark_type *in, const spark_type *out)
{
    return (spark_map_def) { "mapped", known(in), out, 0, map_run, NULL };
}
static inline spark_merge_def add_of(const spark_type *acc, const spark_type *in)
{
    return (spark_merge_def) { "added", known(acc), known(in), 0, add_run, add_fold, SPARK_OP_USER };
}
static inline spark_merge_def combine_of(const spark_type *acc)
{
    return (spark_merge_def) { "combined", known(acc), known(acc), 0, combine_run, combine_fold, SPARK_OP_USER };
}

#endif
