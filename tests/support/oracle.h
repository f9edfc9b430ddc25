/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the public interface share: contexts of all shapes, the text of an RDD, and the
 * comparison with a naive answer over partitions, threads, batch sizes, check mode and faults. */
#ifndef ORACLE_H
#define ORACLE_H

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <spark_test.h>

#include "slow.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* Random numbers that are the same everywhere. */
static inline uint64_t oracle_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline uint64_t oracle_below(uint64_t *state, uint64_t n)
{
    return oracle_random(state) % n;
}

/* The fixture: contexts a failed test left open are freed; no thread and no descriptor may stay. */
static spark_context *oracle_contexts[16];

static inline int oracle_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;
    if (dir == NULL)
        return -1;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static int oracle_threads_before, oracle_files_before;

static inline void *oracle_no_work(void *arg)
{
    return arg;
}

static inline int oracle_setup(void **state)
{
    /* Thread sanitizer starts a thread of its own with the first one: it is not ours to miss. */
    pthread_t first;
    (void)state;
    if (pthread_create(&first, NULL, oracle_no_work, NULL) != 0 || pthread_join(first, NULL) != 0)
        return -1;
    oracle_threads_before = oracle_entries("/proc/self/task");
    oracle_files_before = oracle_entries("/proc/self/fd");
    return 0;
}

static inline int oracle_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(oracle_contexts); i++) {
        if (oracle_contexts[i] != NULL) {
            print_error("context %zu was left open\n", i);
            spark_context_free(oracle_contexts[i]);
            oracle_contexts[i] = NULL;
        }
    }
    /* A joined thread leaves /proc a moment later. */
    for (int i = 0; oracle_entries("/proc/self/task") > oracle_threads_before; i++) {
        if (i == 1000) {
            print_error("a thread outlives its context\n");
            return -1;
        }
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    }
    if (oracle_entries("/proc/self/fd") != oracle_files_before) {
        print_error("a file descriptor was left open\n");
        return -1;
    }
    return 0;
}

#define oracle_test(f) cmocka_unit_test_setup_teardown(f, oracle_setup, oracle_teardown)

/* oracle_open: a context that the fixture knows. oracle_close ends it. */
static inline spark_context *oracle_open_conf(const spark_conf *conf)
{
    spark_context *sc = spark_context_new(conf);
    assert_non_null(sc);
    for (size_t i = 0; i < LENGTH(oracle_contexts); i++) {
        if (oracle_contexts[i] == NULL) {
            oracle_contexts[i] = sc;
            return sc;
        }
    }
    fail_msg("too many contexts");
    return NULL;
}

static inline spark_context *oracle_open(int threads)
{
    return oracle_open_conf(&(spark_conf) { .threads = threads });
}

static inline void oracle_close(spark_context *sc)
{
    for (size_t i = 0; i < LENGTH(oracle_contexts); i++)
        if (oracle_contexts[i] == sc)
            oracle_contexts[i] = NULL;
    spark_context_free(sc);
}

/* oracle_ok: an action that must succeed. */
#define oracle_ok(action)                                                                          \
    do {                                                                                           \
        if ((action) != SPARK_OK)                                                                  \
            fail_msg("%s: %s", #action, spark_last_error()->message);                              \
    } while (0)

/* oracle_fails: an action that must fail with `code` and a message that contains `words`. */
#define oracle_fails(action, want_code, words)                                                     \
    do {                                                                                           \
        spark_status oracle_status_ = (action);                                                    \
        if (oracle_status_ == SPARK_OK)                                                            \
            fail_msg("%s succeeds", #action);                                                      \
        oracle_blames(oracle_status_, want_code, words, #action);                                  \
    } while (0)

static inline void oracle_blames(
    spark_status status, spark_status want, const char *words, const char *action)
{
    const spark_error *error = spark_last_error();
    if (status != want || error->code != want)
        fail_msg("%s: %s wanted, %s and %s found: %s", action, spark_status_name(want),
            spark_status_name(status), spark_status_name(error->code), error->message);
    if (strstr(error->message, words) == NULL)
        fail_msg("%s: \"%s\" not in \"%s\"", action, words, error->message);
    assert_null(strchr(error->message, '\n'));
}

/* A text that grows. */
typedef struct oracle_text {
    char *bytes;
    size_t length, room;
} oracle_text;

static inline void oracle_append(oracle_text *text, const char *bytes, size_t n)
{
    if (text->length + n + 1 > text->room) {
        text->room = 2 * (text->length + n + 1);
        text->bytes = realloc(text->bytes, text->room);
        if (text->bytes == NULL)
            abort();
    }
    if (n > 0)
        memcpy(text->bytes + text->length, bytes, n);
    text->length += n;
    text->bytes[text->length] = 0;
}

static inline void oracle_append_value(oracle_text *text, const spark_type *type, const void *value)
{
    size_t n = spark_print(type, value, NULL, 0);
    oracle_append(text, "", 0);
    if (text->length + n + 1 > text->room) {
        text->room = 2 * (text->length + n + 1);
        text->bytes = realloc(text->bytes, text->room);
        if (text->bytes == NULL)
            abort();
    }
    spark_print(type, value, text->bytes + text->length, n);
    text->length += n;
    text->bytes[text->length] = 0;
}

/* oracle_layout: the text of every partition in order: "1 2 | 3 4". Free it. NULL: it failed. */
typedef struct oracle_shape {
    const spark_type *type;
} oracle_shape;

static inline void oracle_show_run(
    spark_task *task, spark_iterator *in, spark_emitter *out, const void *env)
{
    const spark_type *type = ((const oracle_shape *)env)->type;
    oracle_text text = { NULL, 0, 0 };
    const void *item;
    oracle_append(&text, "", 0);
    while ((item = spark_next_(in)) != NULL) {
        if (text.length > 0)
            oracle_append(&text, " ", 1);
        oracle_append_value(&text, type, item);
    }
    char *copy = spark_alloc(task, text.length + 1);
    if (copy != NULL) {
        memcpy(copy, text.bytes, text.length + 1);
        spark_emit_(out, &(spark_str) { copy, text.length }, sizeof(spark_str));
    }
    free(text.bytes);
}

static inline char *oracle_layout(spark_rdd *rdd)
{
    spark_partitions_def show
        = { "oracle_show", NULL, SPARK_TYPE(spark_str), sizeof(oracle_shape), oracle_show_run };
    oracle_shape shape = { spark_rdd_type(rdd) };
    oracle_text text = { NULL, 0, 0 };
    spark_array parts;
    if (spark_collect(
            spark_map_partitions(rdd, &show, SPARK_COPY(shape)), SPARK_TYPE(spark_str), &parts)
        != SPARK_OK)
        return NULL;
    const spark_str *part = SPARK_ITEMS(spark_str, &parts);
    oracle_append(&text, "", 0);
    for (size_t i = 0; i < parts.n; i++) {
        if (i > 0)
            oracle_append(&text, part[i].len > 0 ? " | " : " |", part[i].len > 0 ? 3 : 2);
        oracle_append(&text, part[i].ptr, part[i].len);
    }
    spark_array_free(&parts);
    return text.bytes;
}

/* oracle_has_layout: "1 2 | 3 4"; an empty partition is nothing between the bars: "1 | | 2". */
static inline void oracle_has_layout(spark_rdd *rdd, const char *want)
{
    char *have = oracle_layout(rdd);
    if (have == NULL)
        fail_msg("%s", spark_last_error()->message);
    assert_string_equal(have, want);
    free(have);
}

static inline int oracle_by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* oracle_listing: the elements of an array as text, sorted as text if so wanted. Free it. */
static inline char *oracle_listing(const spark_array *array, bool sorted)
{
    oracle_text all = { NULL, 0, 0 };
    char **texts = calloc(array->n + 1, sizeof *texts);
    if (texts == NULL)
        abort();
    for (size_t i = 0; i < array->n; i++) {
        oracle_text text = { NULL, 0, 0 };
        oracle_append_value(&text, array->type, (const char *)array->items + i * array->type->size);
        texts[i] = text.bytes;
    }
    if (sorted && array->n > 0)
        qsort(texts, array->n, sizeof *texts, oracle_by_text);
    oracle_append(&all, "", 0);
    for (size_t i = 0; i < array->n; i++) {
        if (i > 0)
            oracle_append(&all, " ", 1);
        oracle_append(&all, texts[i], strlen(texts[i]));
        free(texts[i]);
    }
    free(texts);
    return all.bytes;
}

static inline void oracle_lists(const spark_array *array, const char *want)
{
    char *have = oracle_listing(array, false);
    assert_string_equal(have, want);
    free(have);
}

static inline void oracle_collects_(spark_rdd *rdd, const char *want, bool sorted)
{
    spark_array array;
    oracle_ok(spark_collect(rdd, NULL, &array));
    char *have = oracle_listing(&array, sorted);
    spark_array_free(&array);
    assert_string_equal(have, want);
    free(have);
}

/* oracle_collects: these elements in this order; oracle_holds: these elements, sorted as text. */
static inline void oracle_collects(spark_rdd *rdd, const char *want)
{
    oracle_collects_(rdd, want, false);
}

static inline void oracle_holds(spark_rdd *rdd, const char *want)
{
    oracle_collects_(rdd, want, true);
}

static inline int64_t oracle_count(spark_rdd *rdd)
{
    int64_t n = -1;
    oracle_ok(spark_count(rdd, &n));
    return n;
}

static inline spark_job_stats oracle_last_job(spark_context *sc)
{
    spark_job_stats stats;
    oracle_ok(spark_job_stats_get(sc, SPARK_ANY, &stats));
    return stats;
}

/* The comparison with a naive answer. */
typedef spark_rdd *(*oracle_build)(spark_context *sc, int partitions, const void *arg);

static const int oracle_partitions[] = { 1, 2, 3, 7, 16 };
static const spark_fault oracle_random_faults[]
    = { { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .rate = 0.1, .seed = 4711 } };

#define ORACLE_SHAPE(threads_, batch_rows_)                                                        \
    {                                                                                              \
        .threads = threads_, .batch_rows = batch_rows_                                             \
    }
/* Where some are enough (slow.h): of one thread each size of batches, or none where threads are watched. */
static const spark_conf oracle_confs[] = {
#if !TESTS_WATCH_THREADS
    ORACLE_SHAPE(1, 1024),
    ORACLE_SHAPE(1, 1),
    ORACLE_SHAPE(1, 2),
    ORACLE_SHAPE(1, 7),
#endif
#if !TESTS_ARE_QUICK
    ORACLE_SHAPE(2, 1024),
    ORACLE_SHAPE(2, 1),
    ORACLE_SHAPE(2, 2),
    ORACLE_SHAPE(8, 1024),
    ORACLE_SHAPE(8, 1),
#endif
    ORACLE_SHAPE(2, 7),
    ORACLE_SHAPE(8, 2),
    ORACLE_SHAPE(8, 7),
    { .threads = 2, .batch_rows = 7, .check = true },
    { .master = "local-cluster[3,1,4096]", .batch_rows = 7 },
    { .master = "local-cluster[2,2,4096]",
        .stage_max_attempts = 1000,
        .faults = oracle_random_faults,
        .n_faults = 1 },
#if !TESTS_WATCH_THREADS
    { .threads = 1,
        .batch_rows = 1024,
        .stage_max_attempts = 1000,
        .faults = oracle_random_faults,
        .n_faults = 1 },
#endif
    { .threads = 8,
        .batch_rows = 2,
        .stage_max_attempts = 1000,
        .faults = oracle_random_faults,
        .n_faults = 1 },
};

/* oracle_open_failing_once: a context whose jobs do all their work twice, as every task fails once.
 * oracle_open_failing: one where, if `failing`, whatever can fail does so at random.
 * oracle_open_failing_by: one of the former for seeds 0 and 1, of the latter for all others. */
static const spark_fault oracle_every_task_fails_once[]
    = { { SPARK_FAULT_TASK, SPARK_ANY, SPARK_ANY, SPARK_ANY, .attempt = 0 } };

static inline spark_context *oracle_open_failing_once(int threads)
{
    return oracle_open_conf(&(spark_conf) {
        .threads = threads, .faults = oracle_every_task_fails_once, .n_faults = 1 });
}

static inline spark_context *oracle_open_failing(int threads, bool failing)
{
    return oracle_open_conf(&(spark_conf) { .threads = threads,
        .stage_max_attempts = 1000,
        .faults = oracle_random_faults,
        .n_faults = failing });
}

static inline spark_context *oracle_open_failing_by(uint64_t seed, double rate)
{
    const spark_fault faults[] = { oracle_every_task_fails_once[0],
        { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .rate = rate, .seed = seed } };
    return oracle_open_conf(&(spark_conf) { .threads = seed % 2 ? 8 : 1,
        .faults = faults + (seed > 1),
        .n_faults = 1,
        .stage_max_attempts = 1000 });
}

/* slice: where slice i of p begins among n elements. */
static inline size_t slice(size_t n, int p, int i)
{
    return (size_t)((uint64_t)n * (uint64_t)i / (uint64_t)p);
}

/* oracle_same: all layouts it is given are the same; *first, NULL at first, is to be freed. */
static inline void oracle_same(char **first, char *layout)
{
    if (layout == NULL)
        fail_msg("%s", spark_last_error()->message);
    if (*first == NULL) {
        *first = layout;
        return;
    }
    assert_string_equal(layout, *first);
    free(layout);
}

/* oracle_array: a naive answer as an array, for oracle_listing. */
static inline spark_array oracle_array(const spark_type *type, size_t n, const void *items)
{
    spark_array array = { type, items, n, NULL };
    return array;
}

/* oracle_compare: build's RDD over all partitions, threads, batch sizes, in check mode and under
 * faults: its elements are those of the naive answer (in this order, if `ordered`), and content and
 * order of every partition do not depend on threads, batches and faults. */
static inline void oracle_compare(oracle_build build, const void *arg, bool ordered,
    const spark_type *type, size_t n, const void *items)
{
    spark_array naive = oracle_array(type, n, items);
    char *want = oracle_listing(&naive, !ordered);
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        char *first = NULL;
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            spark_rdd *rdd = build(sc, oracle_partitions[p], arg);
            spark_array array;
            int64_t rows = -1;
            if (spark_collect(rdd, type, &array) != SPARK_OK)
                fail_msg("%d partitions, shape %zu: %s", oracle_partitions[p], c,
                    spark_last_error()->message);
            char *have = oracle_listing(&array, !ordered);
            spark_array_free(&array);
            if (strcmp(have, want) != 0)
                fail_msg("%d partitions, shape %zu:\n have %.2000s\n want %.2000s",
                    oracle_partitions[p], c, have, want);
            free(have);
            oracle_ok(spark_count(rdd, &rows));
            assert_int_equal(rows, n);
            char *layout = oracle_layout(rdd);
            if (layout == NULL)
                fail_msg("%d partitions, shape %zu: %s", oracle_partitions[p], c,
                    spark_last_error()->message);
            if (first != NULL && strcmp(first, layout) != 0)
                fail_msg("%d partitions, shape %zu:\n have %.2000s\n once %.2000s",
                    oracle_partitions[p], c, layout, first);
            if (first == NULL)
                first = layout;
            else
                free(layout);
            oracle_close(sc);
        }
        free(first);
    }
    free(want);
}

/* oracle_same_layout: content and order of every partition of build's RDD do not depend on threads,
 * batches and faults. */
static inline void oracle_same_layout(oracle_build build, const void *arg)
{
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        char *first = NULL;
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            oracle_same(&first, oracle_layout(build(sc, oracle_partitions[p], arg)));
            oracle_close(sc);
        }
        free(first);
    }
}

#endif
