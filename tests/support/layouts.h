/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison of operations whose result depends on the partitions: a naive loop writes the
 * layout it wants, partition by partition, and every configuration must give it; with inputs and
 * results cached as well. And what the tests of such operations share. */
#ifndef LAYOUTS_H
#define LAYOUTS_H

#include "blame.h"

/* layout: what oracle_layout should give, as it is written, and the same without the bars. */
typedef struct layout {
    oracle_text parts, flat;
    int partitions;
    size_t rows;
    bool fresh; /* nothing stands in the partition yet */
} layout;

/* layout_part: a new partition begins. layout_row: its next element, whose text must not be "". */
static inline void layout_part(layout *l)
{
    oracle_append(&l->parts, " |", l->partitions > 0 ? 2 : 0);
    l->partitions++;
    l->fresh = true;
}

static inline void layout_row(layout *l, const spark_type *type, const void *value)
{
    oracle_append(&l->parts, " ", l->fresh && l->partitions == 1 ? 0 : 1);
    oracle_append_value(&l->parts, type, value);
    oracle_append(&l->flat, " ", l->rows > 0 ? 1 : 0);
    oracle_append_value(&l->flat, type, value);
    l->fresh = false;
    l->rows++;
}

#define LAYOUT_ROW(l, T, ...) layout_row(l, SPARK_TYPE(T), (const T[]) { __VA_ARGS__ })

static inline void layout_free(layout *l)
{
    free(l->parts.bytes);
    free(l->flat.bytes);
    *l = (layout) { .partitions = 0 };
}

/* Elements: words, made in the memory of the task, some of them long; bytes, which leave gaps in a
 * pair; and structs that hold both. */
SPARK_PAIR(word, int32_t, spark_str);
SPARK_STRUCT(wide, (int64_t, id), (char, code, 9), (spark_str, text));

static inline word word_of(int64_t i, char text[64])
{
    const int n
        = snprintf(text, 64, i % 11 ? "w%d" : "a word that is longer than the others: %d", (int)i);
    return (word) { (int32_t)(i % 50), { text, (size_t)n } };
}
SPARK_MAP(to_word, int64_t, word)
{
    char text[64];
    const word w = word_of(*in, text);
    *out = (word) { w.key, spark_str_copy(task, w.value) };
}
SPARK_MAP(to_byte, int64_t, uint8_t)
{
    *out = (uint8_t)*in;
}
SPARK_MAP(to_wide, int64_t, wide)
{
    out->id = *in;
    out->code[0] = (char)('a' + *in % 26);
    out->text = spark_str_format(task, "%lld", (long long)*in);
}

static inline spark_rdd *words(spark_context *sc, int64_t from, size_t n, int partitions)
{
    return spark_map(spark_range(sc, from, from + (int64_t)n, 1, partitions), to_word, NULL);
}

static inline spark_rdd *numbers(spark_context *sc, size_t n, const int64_t *values, int partitions)
{
    return spark_parallelize(sc, SPARK_DATA(int64_t, n, values), partitions);
}

/* Functions of numbers. counted: how often they are computed. */
SPARK_MAP(same, int64_t, int64_t)
{
    *out = *in;
}
SPARK_FILTER(is_even, int64_t)
{
    return *in % 2 == 0;
}
SPARK_FILTER(is_below, int64_t, int64_t)
{
    return *in < *env;
}
typedef const spark_accumulator *counter;
SPARK_MAP(counted, int64_t, int64_t, counter)
{
    spark_accumulate(task, *env, 1);
    *out = *in;
}

/* takes_prefix: take gives what collect begins with. */
static inline void takes_prefix(spark_rdd *rdd, size_t n)
{
    spark_array array;
    oracle_ok(spark_collect(rdd, NULL, &array));
    char *all = oracle_listing(&array, false);
    assert_true(n <= array.n);
    spark_array_free(&array);
    oracle_ok(spark_take(rdd, n, NULL, &array));
    assert_int_equal(array.n, n);
    char *some = oracle_listing(&array, false);
    spark_array_free(&array);
    assert_memory_equal(all, some, strlen(some));
    assert_true(n == 0 || all[strlen(some)] == ' ' || all[strlen(some)] == 0);
    free(all);
    free(some);
}

/* input: what a build function says of each RDD it reads: cached in every other comparison. */
static spark_rdd *inputs[8];
static size_t n_inputs;
static bool inputs_cached;

static inline spark_rdd *input(spark_rdd *rdd)
{
    if (!inputs_cached)
        return rdd;
    assert_true(n_inputs < LENGTH(inputs));
    return inputs[n_inputs++] = spark_cache(rdd);
}

static inline void is_layout(spark_rdd *rdd, const layout *want, const char *where)
{
    spark_array array;
    int64_t rows = -1;
    char *have = oracle_layout(rdd);
    if (have == NULL)
        fail_msg("%s: %s", where, spark_last_error()->message);
    const char *parts = want->parts.bytes ? want->parts.bytes : "";
    if (strcmp(have, parts) != 0)
        fail_msg("%s:\n have %.2000s\n want %.2000s", where, have, parts);
    free(have);
    assert_int_equal(spark_rdd_partitions(rdd), want->partitions);
    if (spark_count(rdd, &rows) != SPARK_OK || spark_collect(rdd, NULL, &array) != SPARK_OK)
        fail_msg("%s: %s", where, spark_last_error()->message);
    assert_int_equal(rows, want->rows);
    have = oracle_listing(&array, false);
    spark_array_free(&array);
    const char *flat = want->flat.bytes ? want->flat.bytes : "";
    if (strcmp(have, flat) != 0)
        fail_msg("%s:\n have %.2000s\n want %.2000s", where, have, flat);
    free(have);
}

typedef void (*layout_naive)(layout *want, int partitions, const void *arg);

/* layout_compare: build's RDD has the layout `naive` writes, over all partitions, threads and batch
 * sizes, in check mode and under faults; again, when it is asked a second time; and so too when
 * inputs and result are cached, and when a block of each has been lost. */
static inline void layout_compare(oracle_build build, layout_naive naive, const void *arg)
{
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        layout want = { .partitions = 0 };
        naive(&want, oracle_partitions[p], arg);
        for (size_t c = 0; c < 2 * LENGTH(oracle_confs); c++) {
            char where[80];
            inputs_cached = c % 2;
            n_inputs = 0;
            snprintf(where, sizeof where, "%d partitions, shape %zu%s", oracle_partitions[p], c / 2,
                inputs_cached ? ", cached" : "");
            spark_context *sc = oracle_open_conf(&oracle_confs[c / 2]);
            spark_rdd *rdd = build(sc, oracle_partitions[p], arg);
            if (inputs_cached)
                rdd = spark_cache(rdd);
            is_layout(rdd, &want, where);
            for (size_t i = 0; i < n_inputs; i++)
                spark_drop_block(inputs[i], i % 2 ? 0 : spark_rdd_partitions(inputs[i]) - 1);
            if (inputs_cached)
                spark_drop_block(rdd, want.partitions / 2);
            is_layout(rdd, &want, where);
            oracle_close(sc);
        }
        layout_free(&want);
    }
    inputs_cached = false;
}

/* digest: of a partition, its elements in order, whatever their type. */
static inline void digest_each(spark_task *task, void *state, size_t n, const void *in, size_t step,
    spark_emitter *out, const void *env)
{
    uint64_t *digest = state;
    (void)task;
    for (size_t i = 0; i < n; i++)
        *digest = *digest * 31
            + spark_hash(((const oracle_shape *)env)->type, (const char *)in + i * step);
    out->rows += n;
}
static inline void digest_close(spark_task *task, void *state, spark_emitter *out, const void *env)
{
    (void)task;
    (void)env;
    spark_emit_(out, state, sizeof(uint64_t));
}
static inline char *digests(spark_rdd *rdd)
{
    const spark_stateful_def digest = { "digest", NULL, SPARK_TYPE(uint64_t), sizeof(oracle_shape),
        sizeof(uint64_t), NULL, digest_each, digest_close };
    const oracle_shape shape = { spark_rdd_type(rdd) };
    return oracle_layout(spark_map_stateful(rdd, &digest, SPARK_COPY(shape)));
}

/* goes_on_without_room: build's RDD of one partition, of 10 MB and more, is computed right though
 * the cache it is for has no room. */
static inline void goes_on_without_room(oracle_build build, const void *arg)
{
    if (TESTS_WATCH_THREADS) /* there is one */
        return;
    spark_context *sc = oracle_open(1);
    char *want = digests(build(sc, 1, arg));
    if (want == NULL)
        fail_msg("%s", spark_last_error()->message);
    oracle_close(sc);
    sc = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 8 << 20 });
    spark_rdd *rdd = spark_cache(build(sc, 1, arg));
    for (int i = 0; i < 2; i++) {
        char *have = digests(rdd);
        if (have == NULL)
            fail_msg("%s", spark_last_error()->message);
        assert_string_equal(have, want);
        free(have);
        assert_int_equal(spark_rdd_cached_partitions(rdd), 0);
    }
    oracle_close(sc);
    free(want);
}

/* refused: the verb gave an RDD that carries this error, with its operation and this line. */
#define refused(rdd, code, operation, words)                                                       \
    refused_(rdd, code, operation, words, TEST_FILE, __LINE__)

static inline void refused_(spark_rdd *rdd, spark_status code, const char *operation,
    const char *words, const char *file, int line)
{
    spark_array array = { NULL, "x", 3, NULL };
    assert_non_null(rdd);
    assert_int_equal(spark_rdd_status(rdd), code);
    assert_null(spark_rdd_type(rdd));
    assert_null(spark_rdd_partitioner(rdd));
    assert_int_equal(spark_rdd_partitions(rdd), -1);
    oracle_fails(spark_collect(rdd, NULL, &array), code, words);
    assert_null(array.items);
    assert_int_equal(array.n, 0);
    const spark_error *error = spark_last_error();
    assert_string_equal(error->operation, operation);
    assert_int_equal(error->job, -1);
    assert_int_equal(error->partition, -1);
    /* A call of several lines has the number of its first or of its last one. */
    assert_memory_equal(error->site, file, strlen(file));
    assert_in_range(strtol(error->site + strlen(file) + 1, NULL, 10), line - 5, line + 5);
    oracle_text begin = { NULL, 0, 0 };
    oracle_append(&begin, operation, strlen(operation));
    oracle_append(&begin, " at ", 4);
    oracle_append(&begin, error->site, strlen(error->site));
    oracle_append(&begin, ": ", 2);
    assert_memory_equal(error->message, begin.bytes, begin.length);
    free(begin.bytes);
}

/* passes_on: what a verb made of an RDD carries the error of that one, which is `broken`. */
static inline void passes_on(spark_rdd *rdd)
{
    spark_array array;
    assert_non_null(rdd);
    oracle_fails(spark_collect(rdd, NULL, &array), SPARK_EINVAL, "range at ");
}

/* refuses_sides: a verb of two RDDs refuses those of two contexts, passes on the error of either side
 * and does not collect pairs of numbers as pairs of another type. */
#define refuses_sides(verb, operation, other_pair)                                                 \
    do {                                                                                           \
        spark_array sides_;                                                                        \
        spark_context *sc_ = oracle_open(1), *other_ = oracle_open(1);                             \
        spark_rdd *n_ = spark_range(sc_, 0, 4, 1, 2), *bad_ = broken(sc_);                         \
        refused(verb(n_, spark_range(other_, 0, 4, 1, 2)), SPARK_EINVAL, operation,                \
            "the RDDs belong to different contexts");                                              \
        passes_on(verb(n_, bad_));                                                                 \
        passes_on(verb(bad_, n_));                                                                 \
        oracle_fails(spark_collect(verb(n_, NULL), NULL, &sides_), SPARK_EINVAL, "NULL");          \
        oracle_fails(spark_collect(verb(NULL, n_), NULL, &sides_), SPARK_EINVAL, "NULL");          \
        oracle_fails(spark_collect(verb(n_, n_), other_pair, &sides_), SPARK_ETYPE, "key: ");      \
        oracle_close(other_);                                                                      \
        oracle_close(sc_);                                                                         \
    } while (0)

/* partitioned_as: the partitioner of rdd is that of `as`; NULL: it has none. */
static inline void partitioned_as(spark_rdd *rdd, const spark_rdd *as)
{
    if (spark_rdd_status(rdd) != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    if (as == NULL)
        assert_null(spark_rdd_partitioner(rdd));
    else
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(rdd), spark_rdd_partitioner(as)));
}

static inline int last_job(spark_context *sc)
{
    return oracle_last_job(sc).job;
}

#endif
