/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the user.
 *
 * A definition macro is followed by the body; it names and types the parameters:
 *
 *   SPARK_MAP(to_celsius, double, double) { *out = (*in - 32) / 1.8; }
 *   SPARK_FILTER(above, double, double)   { return *in > *env; }      last: the type of env
 *
 *   spark_filter(spark_map(rdd, to_celsius, NULL), above, SPARK_COPY(limit));
 *
 * The name becomes a const definition that verbs take. It carries the types, so that the compiler
 * checks the body and the verb checks the lineage. `run` is what the engine calls, once a batch:
 * the body (f_ in a debugger), inlined into a loop (f_run_). A program that generates code or
 * binds another language fills in a definition by hand; a NULL type accepts any, env_size 0 is not
 * checked. Definitions are copied by the verbs; their names and types must outlive the context.
 *
 * A function runs again for the same elements: where an attempt failed, where an RDD that is not
 * cached is used by several jobs, where a cached block or a shuffle output was lost; and it runs in
 * several threads at once. So it changes nothing but what it is given to write, least of all *in.
 *
 * The macros name their parameters in, out, env, task, acc, key, left, right, state, partitions,
 * n, most, bytes, group_of, a to d, and in the code around the body raw, raw_out, step, in_step,
 * out_step, dense_in, dense_out, keep, kept, local, made, i: types by these names cannot be used in
 * them. SPARK_MAP(f, ...) also defines f_, f_run_ and, as the others do, names that begin with f_
 * and end with _: f_fold_, f_each_, f_step_, f_begin_, f_start_, f_open_, f_open_at_, f_close_,
 * f_finish_, f_keys_. All names that begin with spark_, SPARK_ or spk_ are the library's.
 *
 * C++: an exception that leaves a function fails the attempt as spark_fail does, with what() as the
 * message; it never passes through the library, which is C. One that leaves a SPARK_COALESCER makes
 * no groups, which is an error; from a cleanup, a destroy or a member of spark_type_ops none may
 * leave. Elements, states and envs are copied as bytes, whatever their constructors say. */
#ifndef SPARK_FUNCTION_H
#define SPARK_FUNCTION_H

#include <spark/task.h>

SPARK_BEGIN_DECLS

/* spark_env: what is bound to a function, always const inside it, and how long it lives. NULL:
 * nothing. No function of a job runs any more after its action has returned. */
typedef enum spark_env_kind {
    SPARK_ENV_COPY,
    SPARK_ENV_REF,
    SPARK_ENV_OWN,
    SPARK_ENV_BROADCAST
} spark_env_kind;

typedef struct spark_env {
    spark_env_kind kind;
    const void *data;
    size_t size;
    void (*destroy)(void *data);
    spark_kind of; /* a kind of number; SPARK_KIND_STRUCT: no number; 0: not known */
} spark_env;

/* SPARK_COPY(x): copied at the call; x is a variable, or a literal: SPARK_COPY((double){ 2.5 }), in
 * C++ SPARK_COPY(double{ 2.5 }); any plain struct will do, for an env needs no description.
 * SPARK_REF(p): *p outlives the RDD, you promise. SPARK_OWN(p, destroy): the library's from the
 * call on, also when the call fails. SPARK_SHARED(b): env is the value of the broadcast, which the
 * RDD keeps alive.
 *
 * The verb compares what is given with what the function wants: the size, and the kind where either
 * is a number: an int64_t where a double is wanted is SPARK_EINVAL, though both have 8 bytes.
 * Integers of one size may stand for each other, as C converts them. Of two structs of one size it
 * sees no difference. */
#ifndef __cplusplus
#define SPARK_COPY(...)                                                                            \
    (&(const spark_env) { SPARK_ENV_COPY, &(__VA_ARGS__), sizeof(__VA_ARGS__), NULL,               \
        SPARK_KIND_OF_VALUE_(__VA_ARGS__) })
#define SPARK_REF(...)                                                                             \
    (&(const spark_env) { SPARK_ENV_REF, (__VA_ARGS__), sizeof *(__VA_ARGS__), NULL,               \
        SPARK_KIND_OF_VALUE_(*(__VA_ARGS__)) })
#define SPARK_OWN(p, destroy)                                                                      \
    (&(const spark_env) { SPARK_ENV_OWN, (p), sizeof *(p), destroy, SPARK_KIND_OF_VALUE_(*(p)) })
#define SPARK_SHARED(b) (&(const spark_env) { SPARK_ENV_BROADCAST, (b), 0, NULL, (spark_kind)0 })
#define SPARK_KIND_OF_VALUE_(...)                                                                  \
    SPARK_PER_NUMBER_((__VA_ARGS__), SPARK_NUMBER_KIND_X_, SPARK_KIND_STRUCT)
#endif

/* SPARK_ENV_SIZE: env_size of a definition: the size of its env and, in the upper byte, its kind
 * (as spark_env.of). sizeof alone checks the size alone, 0 checks nothing. SPARK_ENV_NONE: the
 * function has no env: to give it one is an error. */
#define SPARK_ENV_SIZE(T) (sizeof(T) | (size_t)SPARK_KIND_OF_(T) << 56)
#define SPARK_ENV_NONE ((size_t)1 << 55)

typedef struct spark_map_def {
    const char *name;
    const spark_type *in, *out;
    size_t env_size;
    void (*run)(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
        size_t out_step, const void *env);
    const char *path; /* of a projection: the member it reads */
} spark_map_def;

typedef struct spark_filter_def {
    const char *name;
    const spark_type *in;
    size_t env_size;
    /* run: writes the indexes of the elements to keep, ascending; returns how many. */
    size_t (*run)(
        spark_task *task, size_t n, const void *in, size_t step, uint32_t *keep, const void *env);
} spark_filter_def;

typedef struct spark_flat_map_def {
    const char *name;
    const spark_type *in, *out;
    size_t env_size;
    void (*run)(spark_task *task, size_t n, const void *in, size_t step, spark_emitter *out,
        const void *env);
} spark_flat_map_def;

/* spark_op: the built-in merges, which the engine runs as tight typed loops. */
typedef enum spark_op {
    SPARK_OP_USER = 0,
    SPARK_OP_SUM,
    SPARK_OP_MIN,
    SPARK_OP_MAX,
    SPARK_OP_FIRST
} spark_op;

typedef struct spark_merge_def {
    const char *name;
    const spark_type *acc, *in;
    size_t env_size;
    /* run: acc[i] absorbs element i, in order. fold: one accumulator absorbs n elements. */
    void (*run)(
        spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env);
    void (*fold)(
        spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env);
    spark_op op;
} spark_merge_def;

typedef struct spark_join_def {
    const char *name;
    const spark_type *key, *left, *right, *out;
    size_t env_size;
    /* run: n matches: left[i] or right[i] may be NULL in an outer join. */
    void (*run)(spark_task *task, size_t n, const void *const *key, const void *const *left,
        const void *const *right, spark_emitter *out, const void *env);
} spark_join_def;

typedef struct spark_partitions_def {
    const char *name;
    const spark_type *in, *out;
    size_t env_size;
    void (*run)(spark_task *task, spark_iterator *in, spark_emitter *out, const void *env);
} spark_partitions_def;

typedef struct spark_zip_def {
    const char *name;
    size_t n; /* inputs: 2 to 4 */
    const spark_type *in[4], *out;
    size_t env_size;
    void (*run)(spark_task *task, spark_iterator *const *in, spark_emitter *out, const void *env);
} spark_zip_def;

typedef struct spark_group_def {
    const char *name;
    const spark_type *key, *value, *out;
    size_t env_size;
    void (*run)(
        spark_task *task, const void *key, spark_iterator *in, spark_emitter *out, const void *env);
} spark_group_def;

typedef struct spark_stateful_def {
    const char *name;
    const spark_type *in, *out;
    size_t env_size, state_size;
    void (*open)(spark_task *task, void *state, const void *env); /* may be NULL */
    void (*each)(spark_task *task, void *state, size_t n, const void *in, size_t step,
        spark_emitter *out, const void *env);
    void (*close)(spark_task *task, void *state, spark_emitter *out, const void *env);
} spark_stateful_def;

typedef struct spark_foreach_def {
    const char *name;
    const spark_type *in;
    size_t env_size;
    void (*run)(spark_task *task, size_t n, const void *in, size_t step, const void *env);
} spark_foreach_def;

typedef struct spark_foreach_partition_def {
    const char *name;
    const spark_type *in;
    size_t env_size;
    void (*run)(spark_task *task, spark_iterator *in, const void *env);
} spark_foreach_partition_def;

typedef struct spark_partitioner_def {
    const char *name;
    const spark_type *key;
    size_t env_size;
    /* run: out[i] = the partition of key i, less than `partitions`. */
    void (*run)(spark_task *task, size_t n, const void *key, size_t step, uint32_t partitions,
        uint32_t *out, const void *env);
} spark_partitioner_def;

typedef struct spark_coalescer_def {
    const char *name;
    size_t env_size;
    int (*run)(int n, int most, const int64_t *bytes, int *group_of, const void *env);
} spark_coalescer_def;

/* spark_order_key: a member by name and offset; name NULL: the element itself. */
typedef struct spark_order_key {
    const char *name;
    size_t offset;
    bool descending;
} spark_order_key;

typedef struct spark_order {
    const char *name;
    const spark_type *in;
    size_t n;
    const spark_order_key *keys;
} spark_order;

#define SPARK_T_ spark_task *task SPARK_UNUSED_
#define SPARK_ENV_(ENV) SPARK_CAST_(const ENV *, env)
#define SPARK_AT_(T, base, step, i) ((const T *)(const void *)((const char *)(base) + (step) * (i)))

/* SPARK_MAP(f, IN, OUT[, ENV]): writes *out, which is zeroed. */
#define SPARK_MAP(...) SPARK_PICK_4_(__VA_ARGS__, SPARK_MAP4_, SPARK_MAP3_, 0, 0)(__VA_ARGS__)
#define SPARK_MAP3_(f, IN, OUT) SPARK_MAP_(f, IN, OUT, void, SPARK_ENV_NONE, NULL)
#define SPARK_MAP4_(f, IN, OUT, ENV) SPARK_MAP_(f, IN, OUT, ENV, SPARK_ENV_SIZE(ENV), NULL)
#define SPARK_MAP_(f, IN, OUT, ENV, size, path)                                                    \
    static inline void f##_(spark_task *task, const IN *in, OUT *out, const ENV *env);             \
    SPARK_AT_LINE_ static void f##_run_(spark_task *task, size_t n, const void *in,                \
        size_t in_step, void *out, size_t out_step, const void *env)                               \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        if (in_step == sizeof(IN) && out_step == sizeof(OUT)) {                                    \
            const IN *SPARK_RESTRICT_ dense_in = (const IN *)in;                                   \
            OUT *SPARK_RESTRICT_ dense_out = (OUT *)out;                                           \
            for (size_t i = 0; i < n; i++)                                                         \
                f##_(task, &dense_in[i], &dense_out[i], SPARK_ENV_(ENV));                          \
        } else {                                                                                   \
            for (size_t i = 0; i < n; i++)                                                         \
                f##_(task, SPARK_AT_(IN, in, in_step, i),                                          \
                    (OUT *)(void *)((char *)out + out_step * i), SPARK_ENV_(ENV));                 \
        }                                                                                          \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_map_def f[1] SPARK_UNUSED_                                                  \
        = { { #f, SPARK_TYPE(IN), SPARK_TYPE(OUT), size, f##_run_, path } };                       \
    static inline void f##_(                                                                       \
        SPARK_T_, const IN *in SPARK_UNUSED_, OUT *out SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_KEY(f, T, K, member): a projection, usable wherever a map is; of a member of a member, too:
 * SPARK_KEY(city_of, order, spark_str, customer.city). */
#define SPARK_KEY(f, T, K, member)                                                                 \
    SPARK_ASSERT_(SPARK_SAME_(T, member, K), #T "." #member " is not " #K);                        \
    SPARK_MAP_(f, T, K, void, SPARK_ENV_NONE, #member)                                             \
    {                                                                                              \
        *out = in->member;                                                                         \
    }                                                                                              \
    SPARK_ASSERT_(1, "")

/* SPARK_FILTER(f, IN[, ENV]): returns whether to keep *in. */
#define SPARK_FILTER(...) SPARK_PICK_3_(__VA_ARGS__, SPARK_FILTER3_, SPARK_FILTER2_, 0)(__VA_ARGS__)
#define SPARK_FILTER2_(f, IN) SPARK_FILTER_(f, IN, void, SPARK_ENV_NONE)
#define SPARK_FILTER3_(f, IN, ENV) SPARK_FILTER_(f, IN, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_FILTER_(f, IN, ENV, size)                                                            \
    static inline bool f##_(spark_task *task, const IN *in, const ENV *env);                       \
    SPARK_AT_LINE_ static size_t f##_run_(                                                         \
        spark_task *task, size_t n, const void *in, size_t step, uint32_t *keep, const void *env)  \
    {                                                                                              \
        size_t kept = 0, i = 0;                                                                    \
        SPARK_TRY_                                                                                 \
        if (step == sizeof(IN)) { /* eight at once: the loop costs as much as a small function */  \
            const IN *dense = (const IN *)in;                                                      \
            for (; i + 8 <= n; i += 8)                                                             \
                for (size_t j = i; j < i + 8; j++) {                                               \
                    keep[kept] = (uint32_t)j;                                                      \
                    kept += f##_(task, &dense[j], SPARK_ENV_(ENV));                                \
                }                                                                                  \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            keep[kept] = (uint32_t)i;                                                              \
            kept += f##_(task, SPARK_AT_(IN, in, step, i), SPARK_ENV_(ENV));                       \
        }                                                                                          \
        SPARK_CATCH_(task)                                                                         \
        return kept;                                                                               \
    }                                                                                              \
    static const spark_filter_def f[1] SPARK_UNUSED_ = { { #f, SPARK_TYPE(IN), size, f##_run_ } }; \
    static inline bool f##_(SPARK_T_, const IN *in SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_FLAT_MAP(f, IN, OUT[, ENV]): emits any number of elements with spark_emit(out, ...). */
#define SPARK_FLAT_MAP(...)                                                                        \
    SPARK_PICK_4_(__VA_ARGS__, SPARK_FLAT_MAP4_, SPARK_FLAT_MAP3_, 0, 0)(__VA_ARGS__)
#define SPARK_FLAT_MAP3_(f, IN, OUT) SPARK_FLAT_MAP_(f, IN, OUT, void, SPARK_ENV_NONE)
#define SPARK_FLAT_MAP4_(f, IN, OUT, ENV) SPARK_FLAT_MAP_(f, IN, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_FLAT_MAP_(f, IN, OUT, ENV, size)                                                     \
    static inline void f##_(spark_task *task, const IN *in, SPARK_OUT(OUT) *out, const ENV *env);  \
    static void f##_run_(spark_task *task, size_t n, const void *in, size_t step,                  \
        spark_emitter *raw, const void *env)                                                       \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_OUT(OUT) out = { raw, NULL };                                                        \
        for (size_t i = 0; i < n && !raw->closed; i++) {                                           \
            raw->rows++;                                                                           \
            f##_(task, SPARK_AT_(IN, in, step, i), &out, SPARK_ENV_(ENV));                         \
        }                                                                                          \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_flat_map_def f[1] SPARK_UNUSED_                                             \
        = { { #f, SPARK_TYPE(IN), SPARK_TYPE(OUT), size, f##_run_ } };                             \
    static inline void f##_(SPARK_T_, const IN *in SPARK_UNUSED_,                                  \
        SPARK_OUT(OUT) *out SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_FILTER_MAP(f, IN, OUT[, ENV]): returns whether there is a result, which it writes to *out
 * (zeroed). Spark's partial function.
 *
 *   SPARK_FILTER_MAP(parsed, spark_str, int64_t) { return spark_str_to_i64(*in, out); } */
#define SPARK_FILTER_MAP(...)                                                                      \
    SPARK_PICK_4_(__VA_ARGS__, SPARK_FILTER_MAP4_, SPARK_FILTER_MAP3_, 0, 0)(__VA_ARGS__)
#define SPARK_FILTER_MAP3_(f, IN, OUT) SPARK_FILTER_MAP_(f, IN, OUT, void, SPARK_ENV_NONE)
#define SPARK_FILTER_MAP4_(f, IN, OUT, ENV) SPARK_FILTER_MAP_(f, IN, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_FILTER_MAP_(f, IN, OUT, ENV, size)                                                   \
    static inline bool f##_(spark_task *task, const IN *in, OUT *out, const ENV *env);             \
    static void f##_run_(spark_task *task, size_t n, const void *in, size_t step,                  \
        spark_emitter *raw, const void *env)                                                       \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        for (size_t i = 0; i < n && !raw->closed; i++) {                                           \
            OUT made;                                                                              \
            memset(&made, 0, sizeof made);                                                         \
            raw->rows++;                                                                           \
            if (f##_(task, SPARK_AT_(IN, in, step, i), &made, SPARK_ENV_(ENV)))                    \
                spark_emit_(raw, &made, sizeof made);                                              \
        }                                                                                          \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_flat_map_def f[1] SPARK_UNUSED_                                             \
        = { { #f, SPARK_TYPE(IN), SPARK_TYPE(OUT), size, f##_run_ } };                             \
    static inline bool f##_(                                                                       \
        SPARK_T_, const IN *in SPARK_UNUSED_, OUT *out SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_MERGE(f, ACC, IN[, ENV]): *acc absorbs *in, in place; they never overlap. For reduce and
 * fold ACC and IN are one type. Strings and lists of *in may be stored in *acc: the engine copies
 * what acc points to. What acc points to may be the zero's, a cached row's or another
 * accumulator's: put new memory there (spark_alloc), never write through it. Such memory lasts
 * until the engine has copied what acc points to, which is soon after the function returns:
 *
 *   SPARK_MERGE(append, spark_i64_list, int64_t)
 *   {
 *       int64_t *at = spark_alloc(task, (acc->n + 1) * sizeof *at);
 *       if (!at)
 *           return;
 *       if (acc->n)
 *           memcpy(at, acc->at, acc->n * sizeof *at);
 *       at[acc->n] = *in;
 *       *acc = (spark_i64_list) { at, acc->n + 1 };
 *   }                              a copy each time: spark_collection, group_by_key gather
 * faster */
#define SPARK_MERGE(...) SPARK_PICK_4_(__VA_ARGS__, SPARK_MERGE4_, SPARK_MERGE3_, 0, 0)(__VA_ARGS__)
#define SPARK_MERGE3_(f, ACC, IN) SPARK_MERGE_(f, ACC, IN, void, SPARK_ENV_NONE)
#define SPARK_MERGE4_(f, ACC, IN, ENV) SPARK_MERGE_(f, ACC, IN, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_MERGE_(f, ACC, IN, ENV, size)                                                        \
    static inline void f##_(spark_task *task, ACC *acc, const IN *in, const ENV *env);             \
    static void f##_run_(spark_task *task, size_t n, void *const *acc, const void *in,             \
        size_t step, const void *env)                                                              \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        for (size_t i = 0; i < n; i++)                                                             \
            f##_(task, (ACC *)acc[i], SPARK_AT_(IN, in, step, i), SPARK_ENV_(ENV));                \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static void f##_fold_(                                                                         \
        spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)       \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        ACC local = *(ACC *)acc;                                                                   \
        if (step == sizeof(IN)) {                                                                  \
            for (size_t i = 0; i < n; i++)                                                         \
                f##_(task, &local, (const IN *)in + i, SPARK_ENV_(ENV));                           \
        } else {                                                                                   \
            for (size_t i = 0; i < n; i++)                                                         \
                f##_(task, &local, SPARK_AT_(IN, in, step, i), SPARK_ENV_(ENV));                   \
        }                                                                                          \
        *(ACC *)acc = local;                                                                       \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_merge_def f[1] SPARK_UNUSED_                                                \
        = { { #f, SPARK_TYPE(ACC), SPARK_TYPE(IN), size, f##_run_, f##_fold_, SPARK_OP_USER } };   \
    static inline void f##_(SPARK_T_, ACC *acc SPARK_UNUSED_, const IN *in SPARK_UNUSED_,          \
        const ENV *env SPARK_UNUSED_)

/* SPARK_JOIN(f, K, V, W, OUT[, ENV]): called for each match with key, left, right, out; left or
 * right is NULL where an outer join has none. */
#define SPARK_JOIN(...)                                                                            \
    SPARK_PICK_6_(__VA_ARGS__, SPARK_JOIN6_, SPARK_JOIN5_, 0, 0, 0, 0)(__VA_ARGS__)
#define SPARK_JOIN5_(f, K, V, W, OUT) SPARK_JOIN_(f, K, V, W, OUT, void, SPARK_ENV_NONE)
#define SPARK_JOIN6_(f, K, V, W, OUT, ENV) SPARK_JOIN_(f, K, V, W, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_JOIN_(f, K, V, W, OUT, ENV, size)                                                    \
    static inline void f##_(spark_task *task, const K *key, const V *left, const W *right,         \
        SPARK_OUT(OUT) *out, const ENV *env);                                                      \
    static void f##_run_(spark_task *task, size_t n, const void *const *key,                       \
        const void *const *left, const void *const *right, spark_emitter *raw, const void *env)    \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_OUT(OUT) out = { raw, NULL };                                                        \
        for (size_t i = 0; i < n && !raw->closed; i++) {                                           \
            raw->rows++;                                                                           \
            f##_(task, (const K *)key[i], (const V *)left[i], (const W *)right[i], &out,           \
                SPARK_ENV_(ENV));                                                                  \
        }                                                                                          \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_join_def f[1] SPARK_UNUSED_ = { { #f, SPARK_TYPE(K), SPARK_TYPE(V),         \
        SPARK_TYPE(W), SPARK_TYPE(OUT), size, f##_run_ } };                                        \
    static inline void f##_(SPARK_T_, const K *key SPARK_UNUSED_, const V *left SPARK_UNUSED_,     \
        const W *right SPARK_UNUSED_, SPARK_OUT(OUT) *out SPARK_UNUSED_,                           \
        const ENV *env SPARK_UNUSED_)

/* SPARK_PARTITIONS(f, IN, OUT[, ENV]): called once a partition, also for empty ones; reads with
 * spark_next(in), writes with spark_emit(out, ...). The partition is computed first, and
 * held, on disk what does not fit in memory; SPARK_STEP and SPARK_FINISH do not need that. */
#define SPARK_PARTITIONS(...)                                                                      \
    SPARK_PICK_4_(__VA_ARGS__, SPARK_PARTITIONS4_, SPARK_PARTITIONS3_, 0, 0)(__VA_ARGS__)
#define SPARK_PARTITIONS3_(f, IN, OUT) SPARK_PARTITIONS_(f, IN, OUT, void, SPARK_ENV_NONE)
#define SPARK_PARTITIONS4_(f, IN, OUT, ENV) SPARK_PARTITIONS_(f, IN, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_PARTITIONS_(f, IN, OUT, ENV, size)                                                   \
    static inline void f##_(                                                                       \
        spark_task *task, SPARK_IN(IN) *in, SPARK_OUT(OUT) *out, const ENV *env);                  \
    static void f##_run_(                                                                          \
        spark_task *task, spark_iterator *raw, spark_emitter *raw_out, const void *env)            \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_IN(IN) in = { raw, NULL };                                                           \
        SPARK_OUT(OUT) out = { raw_out, NULL };                                                    \
        f##_(task, &in, &out, SPARK_ENV_(ENV));                                                    \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_partitions_def f[1] SPARK_UNUSED_                                           \
        = { { #f, SPARK_TYPE(IN), SPARK_TYPE(OUT), size, f##_run_ } };                             \
    static inline void f##_(SPARK_T_, SPARK_IN(IN) *in SPARK_UNUSED_,                              \
        SPARK_OUT(OUT) *out SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_ZIP_PARTITIONS(f, A, B, OUT[, ENV]): called once a pair of partitions; reads with
 * spark_next(a) and spark_next(b). SPARK_ZIP_PARTITIONS_3(f, A, B, C, OUT[, ENV]) and
 * SPARK_ZIP_PARTITIONS_4(f, A, B, C, D, OUT[, ENV]) have c and d as well. */
#define SPARK_ZIP_PARTITIONS(...)                                                                  \
    SPARK_PICK_5_(__VA_ARGS__, SPARK_ZIP_2_5_, SPARK_ZIP_2_4_, 0, 0, 0)(__VA_ARGS__)
#define SPARK_ZIP_2_4_(f, A, B, OUT) SPARK_ZIP_2_(f, A, B, OUT, void, SPARK_ENV_NONE)
#define SPARK_ZIP_2_5_(f, A, B, OUT, ENV) SPARK_ZIP_2_(f, A, B, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_ZIP_PARTITIONS_3(...)                                                                \
    SPARK_PICK_6_(__VA_ARGS__, SPARK_ZIP_3_6_, SPARK_ZIP_3_5_, 0, 0, 0, 0)(__VA_ARGS__)
#define SPARK_ZIP_3_5_(f, A, B, C, OUT) SPARK_ZIP_3_(f, A, B, C, OUT, void, SPARK_ENV_NONE)
#define SPARK_ZIP_3_6_(f, A, B, C, OUT, ENV) SPARK_ZIP_3_(f, A, B, C, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_ZIP_PARTITIONS_4(...)                                                                \
    SPARK_PICK_7_(__VA_ARGS__, SPARK_ZIP_4_7_, SPARK_ZIP_4_6_, 0, 0, 0, 0, 0)(__VA_ARGS__)
#define SPARK_ZIP_4_6_(f, A, B, C, D, OUT) SPARK_ZIP_4_(f, A, B, C, D, OUT, void, SPARK_ENV_NONE)
#define SPARK_ZIP_4_7_(f, A, B, C, D, OUT, ENV)                                                    \
    SPARK_ZIP_4_(f, A, B, C, D, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_ZIP_DEF_(f, n, OUT, size, ...)                                                       \
    static const spark_zip_def f[1] SPARK_UNUSED_                                                  \
        = { { #f, n, { __VA_ARGS__ }, SPARK_TYPE(OUT), size, f##_run_ } }
#define SPARK_ZIP_2_(f, A, B, OUT, ENV, size)                                                      \
    static inline void f##_(                                                                       \
        spark_task *task, SPARK_IN(A) *a, SPARK_IN(B) *b, SPARK_OUT(OUT) *out, const ENV *env);    \
    static void f##_run_(                                                                          \
        spark_task *task, spark_iterator *const *in, spark_emitter *raw_out, const void *env)      \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_IN(A) a = { in[0], NULL };                                                           \
        SPARK_IN(B) b = { in[1], NULL };                                                           \
        SPARK_OUT(OUT) out = { raw_out, NULL };                                                    \
        f##_(task, &a, &b, &out, SPARK_ENV_(ENV));                                                 \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    SPARK_ZIP_DEF_(f, 2, OUT, size, SPARK_TYPE(A), SPARK_TYPE(B), NULL, NULL);                     \
    static inline void f##_(SPARK_T_, SPARK_IN(A) *a SPARK_UNUSED_,                                \
        SPARK_IN(B) *b SPARK_UNUSED_, SPARK_OUT(OUT) *out SPARK_UNUSED_,                           \
        const ENV *env SPARK_UNUSED_)
#define SPARK_ZIP_3_(f, A, B, C, OUT, ENV, size)                                                   \
    static inline void f##_(spark_task *task, SPARK_IN(A) *a, SPARK_IN(B) *b, SPARK_IN(C) *c,      \
        SPARK_OUT(OUT) *out, const ENV *env);                                                      \
    static void f##_run_(                                                                          \
        spark_task *task, spark_iterator *const *in, spark_emitter *raw_out, const void *env)      \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_IN(A) a = { in[0], NULL };                                                           \
        SPARK_IN(B) b = { in[1], NULL };                                                           \
        SPARK_IN(C) c = { in[2], NULL };                                                           \
        SPARK_OUT(OUT) out = { raw_out, NULL };                                                    \
        f##_(task, &a, &b, &c, &out, SPARK_ENV_(ENV));                                             \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    SPARK_ZIP_DEF_(f, 3, OUT, size, SPARK_TYPE(A), SPARK_TYPE(B), SPARK_TYPE(C), NULL);            \
    static inline void f##_(SPARK_T_, SPARK_IN(A) *a SPARK_UNUSED_, SPARK_IN(B) *b SPARK_UNUSED_,  \
        SPARK_IN(C) *c SPARK_UNUSED_, SPARK_OUT(OUT) *out SPARK_UNUSED_,                           \
        const ENV *env SPARK_UNUSED_)
#define SPARK_ZIP_4_(f, A, B, C, D, OUT, ENV, size)                                                \
    static inline void f##_(spark_task *task, SPARK_IN(A) *a, SPARK_IN(B) *b, SPARK_IN(C) *c,      \
        SPARK_IN(D) *d, SPARK_OUT(OUT) *out, const ENV *env);                                      \
    static void f##_run_(                                                                          \
        spark_task *task, spark_iterator *const *in, spark_emitter *raw_out, const void *env)      \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_IN(A) a = { in[0], NULL };                                                           \
        SPARK_IN(B) b = { in[1], NULL };                                                           \
        SPARK_IN(C) c = { in[2], NULL };                                                           \
        SPARK_IN(D) d = { in[3], NULL };                                                           \
        SPARK_OUT(OUT) out = { raw_out, NULL };                                                    \
        f##_(task, &a, &b, &c, &d, &out, SPARK_ENV_(ENV));                                         \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    SPARK_ZIP_DEF_(f, 4, OUT, size, SPARK_TYPE(A), SPARK_TYPE(B), SPARK_TYPE(C), SPARK_TYPE(D));   \
    static inline void f##_(SPARK_T_, SPARK_IN(A) *a SPARK_UNUSED_, SPARK_IN(B) *b SPARK_UNUSED_,  \
        SPARK_IN(C) *c SPARK_UNUSED_, SPARK_IN(D) *d SPARK_UNUSED_,                                \
        SPARK_OUT(OUT) *out SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_GROUP(f, K, V, OUT[, ENV]): called once for each key, with the values in the order of the
 * input: const V *v = spark_next(in). They are read where they lie, so that a group may be larger
 * than memory. */
#define SPARK_GROUP(...)                                                                           \
    SPARK_PICK_5_(__VA_ARGS__, SPARK_GROUP5_, SPARK_GROUP4_, 0, 0, 0)(__VA_ARGS__)
#define SPARK_GROUP4_(f, K, V, OUT) SPARK_GROUP_(f, K, V, OUT, void, SPARK_ENV_NONE)
#define SPARK_GROUP5_(f, K, V, OUT, ENV) SPARK_GROUP_(f, K, V, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_GROUP_(f, K, V, OUT, ENV, size)                                                      \
    static inline void f##_(                                                                       \
        spark_task *task, const K *key, SPARK_IN(V) *in, SPARK_OUT(OUT) *out, const ENV *env);     \
    static void f##_run_(spark_task *task, const void *key, spark_iterator *raw,                   \
        spark_emitter *raw_out, const void *env)                                                   \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_IN(V) in = { raw, NULL };                                                            \
        SPARK_OUT(OUT) out = { raw_out, NULL };                                                    \
        f##_(task, (const K *)key, &in, &out, SPARK_ENV_(ENV));                                    \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_group_def f[1] SPARK_UNUSED_                                                \
        = { { #f, SPARK_TYPE(K), SPARK_TYPE(V), SPARK_TYPE(OUT), size, f##_run_ } };               \
    static inline void f##_(SPARK_T_, const K *key SPARK_UNUSED_, SPARK_IN(V) *in SPARK_UNUSED_,   \
        SPARK_OUT(OUT) *out SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_STEP(f, STATE, IN, OUT[, ENV]) body for each element, then SPARK_FINISH with the same
 * arguments and a body for the end of the partition: that defines f. *state is zeroed memory of the
 * engine's, one for each attempt; what it points to must be spark_keep's. Outside resources:
 * spark_defer.
 *
 * SPARK_BEGIN, with the same arguments, before SPARK_FINISH, where there is something to do before
 * the first element, also of an empty partition: it has task, state and env, and emits nothing;
 * what it gets from spark_alloc lasts as long as *state.
 *
 *   SPARK_BEGIN(lowest, int64_t, int64_t, int64_t)  { *state = INT64_MAX; }
 *   SPARK_STEP(lowest, int64_t, int64_t, int64_t)   { *state = *in < *state ? *in : *state; }
 *   SPARK_FINISH(lowest, int64_t, int64_t, int64_t) { spark_emit(out, *state); } */
#define SPARK_BEGIN(...)                                                                           \
    SPARK_PICK_5_(__VA_ARGS__, SPARK_BEGIN5_, SPARK_BEGIN4_, 0, 0, 0)(__VA_ARGS__)
#define SPARK_BEGIN4_(f, STATE, IN, OUT) SPARK_BEGIN5_(f, STATE, IN, OUT, void)
#define SPARK_BEGIN5_(f, STATE, IN, OUT, ENV)                                                      \
    static inline void f##_begin_(spark_task *task, STATE *state, const ENV *env);                 \
    SPARK_BEGINS_(f)                                                                               \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        f##_begin_(task, (STATE *)state, SPARK_ENV_(ENV));                                         \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static inline void f##_begin_(                                                                 \
        SPARK_T_, STATE *state SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)
/* SPARK_BEGINS_: what SPARK_BEGIN defines; SPARK_MAY_BEGIN_: what stands for it where there is
 * none: in C a pointer whose definition is tentative, in C++ a template that a function is
 * preferred to.
 */
#ifdef __cplusplus
#define SPARK_BEGINS_(f)                                                                           \
    static inline void f##_open_at_(int, spark_task *task, void *state, const void *env)
#define SPARK_MAY_BEGIN_(f)                                                                        \
    template <class T> static inline void f##_open_at_(T, spark_task *, void *, const void *) {}
#define SPARK_OPEN_(f) f##_open_at_(0, task, state, env)
#else
#define SPARK_BEGINS_(f)                                                                           \
    static void f##_start_(spark_task *task, void *state, const void *env);                        \
    static void (*const f##_open_at_)(spark_task *, void *, const void *) = f##_start_;            \
    static void f##_start_(SPARK_T_, void *state, const void *env SPARK_UNUSED_)
#define SPARK_MAY_BEGIN_(f)                                                                        \
    static void (*const f##_open_at_)(spark_task *, void *, const void *);
#define SPARK_OPEN_(f)                                                                             \
    if (f##_open_at_)                                                                              \
    f##_open_at_(task, state, env)
#endif
#define SPARK_STEP(...) SPARK_PICK_5_(__VA_ARGS__, SPARK_STEP5_, SPARK_STEP4_, 0, 0, 0)(__VA_ARGS__)
#define SPARK_STEP4_(f, STATE, IN, OUT) SPARK_STEP5_(f, STATE, IN, OUT, void)
#define SPARK_STEP5_(f, STATE, IN, OUT, ENV)                                                       \
    SPARK_MAY_BEGIN_(f)                                                                            \
    static inline void f##_step_(                                                                  \
        spark_task *task, STATE *state, const IN *in, SPARK_OUT(OUT) *out, const ENV *env);        \
    static void f##_each_(spark_task *task, void *state, size_t n, const void *in, size_t step,    \
        spark_emitter *raw, const void *env)                                                       \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_OUT(OUT) out = { raw, NULL };                                                        \
        for (size_t i = 0; i < n && !raw->closed; i++) {                                           \
            raw->rows++;                                                                           \
            f##_step_(task, (STATE *)state, SPARK_AT_(IN, in, step, i), &out, SPARK_ENV_(ENV));    \
        }                                                                                          \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static inline void f##_step_(SPARK_T_, STATE *state SPARK_UNUSED_, const IN *in SPARK_UNUSED_, \
        SPARK_OUT(OUT) *out SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)
#define SPARK_FINISH(...)                                                                          \
    SPARK_PICK_5_(__VA_ARGS__, SPARK_FINISH5_, SPARK_FINISH4_, 0, 0, 0)(__VA_ARGS__)
#define SPARK_FINISH4_(f, STATE, IN, OUT) SPARK_FINISH_(f, STATE, IN, OUT, void, SPARK_ENV_NONE)
#define SPARK_FINISH5_(f, STATE, IN, OUT, ENV)                                                     \
    SPARK_FINISH_(f, STATE, IN, OUT, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_FINISH_(f, STATE, IN, OUT, ENV, size)                                                \
    static inline void f##_finish_(                                                                \
        spark_task *task, STATE *state, SPARK_OUT(OUT) *out, const ENV *env);                      \
    static void f##_open_(SPARK_T_, void *state SPARK_UNUSED_, const void *env SPARK_UNUSED_)      \
    {                                                                                              \
        SPARK_OPEN_(f);                                                                            \
    }                                                                                              \
    static void f##_close_(spark_task *task, void *state, spark_emitter *raw, const void *env)     \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_OUT(OUT) out = { raw, NULL };                                                        \
        f##_finish_(task, (STATE *)state, &out, SPARK_ENV_(ENV));                                  \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_stateful_def f[1] SPARK_UNUSED_ = { { #f, SPARK_TYPE(IN), SPARK_TYPE(OUT),  \
        size, sizeof(STATE), f##_open_, f##_each_, f##_close_ } };                                 \
    static inline void f##_finish_(SPARK_T_, STATE *state SPARK_UNUSED_,                           \
        SPARK_OUT(OUT) *out SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_FOREACH(f, IN[, ENV]): called for the side effect, for each element, until it fails. */
#define SPARK_FOREACH(...)                                                                         \
    SPARK_PICK_3_(__VA_ARGS__, SPARK_FOREACH3_, SPARK_FOREACH2_, 0)(__VA_ARGS__)
#define SPARK_FOREACH2_(f, IN) SPARK_FOREACH_(f, IN, void, SPARK_ENV_NONE)
#define SPARK_FOREACH3_(f, IN, ENV) SPARK_FOREACH_(f, IN, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_FOREACH_(f, IN, ENV, size)                                                           \
    static inline void f##_(spark_task *task, const IN *in, const ENV *env);                       \
    static void f##_run_(spark_task *task, size_t n, const void *in, size_t step, const void *env) \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        for (size_t i = 0; i < n && !spark_cancelled(task); i++)                                   \
            f##_(task, SPARK_AT_(IN, in, step, i), SPARK_ENV_(ENV));                               \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_foreach_def f[1] SPARK_UNUSED_                                              \
        = { { #f, SPARK_TYPE(IN), size, f##_run_ } };                                              \
    static inline void f##_(SPARK_T_, const IN *in SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_FOREACH_PARTITION(f, IN[, ENV]): called once a partition, also for empty ones, for the side
 * effect; reads with spark_next(in). */
#define SPARK_FOREACH_PARTITION(...)                                                               \
    SPARK_PICK_3_(__VA_ARGS__, SPARK_FOREACH_PARTITION3_, SPARK_FOREACH_PARTITION2_, 0)(__VA_ARGS__)
#define SPARK_FOREACH_PARTITION2_(f, IN) SPARK_FOREACH_PARTITION_(f, IN, void, SPARK_ENV_NONE)
#define SPARK_FOREACH_PARTITION3_(f, IN, ENV)                                                      \
    SPARK_FOREACH_PARTITION_(f, IN, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_FOREACH_PARTITION_(f, IN, ENV, size)                                                 \
    static inline void f##_(spark_task *task, SPARK_IN(IN) *in, const ENV *env);                   \
    static void f##_run_(spark_task *task, spark_iterator *raw, const void *env)                   \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        SPARK_IN(IN) in = { raw, NULL };                                                           \
        f##_(task, &in, SPARK_ENV_(ENV));                                                          \
        SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    static const spark_foreach_partition_def f[1] SPARK_UNUSED_                                    \
        = { { #f, SPARK_TYPE(IN), size, f##_run_ } };                                              \
    static inline void f##_(SPARK_T_, SPARK_IN(IN) *in SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_PARTITIONER(f, K[, ENV]): returns the partition of *key, less than `partitions`. Must
 * depend on nothing else; a larger number fails the task. */
#define SPARK_PARTITIONER(...)                                                                     \
    SPARK_PICK_3_(__VA_ARGS__, SPARK_PARTITIONER3_, SPARK_PARTITIONER2_, 0)(__VA_ARGS__)
#define SPARK_PARTITIONER2_(f, K) SPARK_PARTITIONER_(f, K, void, SPARK_ENV_NONE)
#define SPARK_PARTITIONER3_(f, K, ENV) SPARK_PARTITIONER_(f, K, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_PARTITIONER_(f, K, ENV, size)                                                        \
    static inline uint32_t f##_(                                                                   \
        spark_task *task, const K *key, uint32_t partitions, const ENV *env);                      \
    static void f##_run_(spark_task *task, size_t n, const void *key, size_t step,                 \
        uint32_t partitions, uint32_t *out, const void *env)                                       \
    {                                                                                              \
        size_t i = 0;                                                                              \
        SPARK_TRY_                                                                                 \
        for (; i < n; i++)                                                                         \
            out[i] = f##_(task, SPARK_AT_(K, key, step, i), partitions, SPARK_ENV_(ENV));          \
        SPARK_CATCH_(task)                                                                         \
        while (i < n)                                                                              \
            out[i++] = 0;                                                                          \
    }                                                                                              \
    static const spark_partitioner_def f[1] SPARK_UNUSED_                                          \
        = { { #f, SPARK_TYPE(K), size, f##_run_ } };                                               \
    static inline uint32_t f##_(SPARK_T_, const K *key SPARK_UNUSED_,                              \
        uint32_t partitions SPARK_UNUSED_, const ENV *env SPARK_UNUSED_)

/* SPARK_COALESCER(f[, ENV]): puts each of n partitions into a group: group_of[i] is that of
 * partition i; groups count from 0, and the function returns how many there are. most: how many are
 * asked for; bytes: how much of its files each partition reads, -1 where it reads none. Runs once,
 * on the thread of an action, and must use no RDD. */
#define SPARK_COALESCER(...)                                                                       \
    SPARK_PICK_2_(__VA_ARGS__, SPARK_COALESCER2_, SPARK_COALESCER1_, 0)(__VA_ARGS__)
#define SPARK_COALESCER1_(f) SPARK_COALESCER_(f, void, SPARK_ENV_NONE)
#define SPARK_COALESCER2_(f, ENV) SPARK_COALESCER_(f, ENV, SPARK_ENV_SIZE(ENV))
#define SPARK_COALESCER_(f, ENV, size)                                                             \
    static inline int f##_(int n, int most, const int64_t *bytes, int *group_of, const ENV *env);  \
    static int f##_run_(int n, int most, const int64_t *bytes, int *group_of, const void *env)     \
    {                                                                                              \
        SPARK_TRY_                                                                                 \
        return f##_(n, most, bytes, group_of, SPARK_ENV_(ENV));                                    \
        SPARK_CATCH_(NULL)                                                                         \
        return -1;                                                                                 \
    }                                                                                              \
    static const spark_coalescer_def f[1] SPARK_UNUSED_ = { { #f, size, f##_run_ } };              \
    static inline int f##_(int n SPARK_UNUSED_, int most SPARK_UNUSED_,                            \
        const int64_t *bytes SPARK_UNUSED_, int *group_of SPARK_UNUSED_,                           \
        const ENV *env SPARK_UNUSED_)

/* SPARK_ORDER(f, T, (asc|desc, member), ...): an order of T by members, the first most significant:
 * SPARK_ORDER(most_frequent, word_count, (desc, value), (asc, key)); a member may be one of a
 * member or of a fixed array: (desc, value.amount), (asc, code[2]). Up to 24 of them. */
#define SPARK_DIRECTION_asc false
#define SPARK_DIRECTION_desc true
#define SPARK_ORDER_KEY_Y_(T, direction, member)                                                   \
    { #member, offsetof(T, member), SPARK_DIRECTION_##direction },
#define SPARK_ORDER_KEY_X_(...) SPARK_ORDER_KEY_Y_(__VA_ARGS__)
#define SPARK_ORDER_KEY_(T, k) SPARK_ORDER_KEY_X_(T, SPARK_STRIP_ k)
#define SPARK_ORDER(f, T, ...)                                                                     \
    static const spark_order_key f##_keys_[]                                                       \
        = { SPARK_EACH_FIELD_(SPARK_ORDER_KEY_, T, __VA_ARGS__) };                                 \
    static const spark_order f[1] SPARK_UNUSED_                                                    \
        = { { #f, SPARK_TYPE(T), sizeof f##_keys_ / sizeof f##_keys_[0], f##_keys_ } }

/* spark_order_desc: the reverse of the natural order, of any type. A NULL order is the natural
 * one. */
extern const spark_order spark_order_desc[1];

/* Built-in merges, for any type they make sense for. sum: numbers and decimals, keeping the type;
 * integers wrap as Spark's do. min, max: the natural order. first: keeps what came first.  */
extern const spark_merge_def spark_op_sum[1], spark_op_min[1], spark_op_max[1], spark_op_first[1];

SPARK_END_DECLS

#ifdef __cplusplus
/* In C++ the macros make a value, for a literal of a struct has no address there; it becomes a
 * pointer where a verb wants one. */
struct spark_env_cxx_ : spark_env {
    operator const spark_env *() const
    {
        return this;
    }
};
inline spark_env_cxx_ spark_env_make_(
    spark_env_kind kind, const void *data, size_t size, void (*destroy)(void *), spark_kind of)
{
    spark_env_cxx_ env;
    env.kind = kind;
    env.data = data;
    env.size = size;
    env.destroy = destroy;
    env.of = of;
    return env;
}
template <class T> inline spark_env_cxx_ spark_env_copy_(const T &x)
{
    static_assert(__is_trivially_copyable(T), "SPARK_COPY copies bytes, not objects: SPARK_REF");
    return spark_env_make_(SPARK_ENV_COPY, &x, sizeof(T), nullptr, spark_kind_of_<T>());
}
template <class T> inline spark_env_cxx_ spark_env_ref_(const T *p)
{
    return spark_env_make_(SPARK_ENV_REF, p, sizeof(T), nullptr, spark_kind_of_<T>());
}
template <class T> inline spark_env_cxx_ spark_env_own_(const T *p, void (*destroy)(void *))
{
    return spark_env_make_(SPARK_ENV_OWN, p, sizeof(T), destroy, spark_kind_of_<T>());
}
#define SPARK_COPY(...) spark_env_copy_(__VA_ARGS__)
#define SPARK_REF(...) spark_env_ref_(__VA_ARGS__)
#define SPARK_OWN(p, destroy) spark_env_own_((p), destroy)
#define SPARK_SHARED(b) spark_env_make_(SPARK_ENV_BROADCAST, (b), 0, nullptr, spark_kind(0))
#endif

#endif
