/* SPDX-License-Identifier: Apache-2.0 */
/* No memory: a job of each kind runs again and again while its n-th allocation, mapping or thread
 * fails, for n = 1, 2, 3, ... until it passes untouched; once (the rest succeeds) and for ever. The
 * linker hands the library's calls to the wrappers here (--wrap), which also keep a list of what is
 * alive: a block that is not freed, or that nobody allocated, is found. */
#include "slow.h"
#include "spark_test.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the wrappers */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
int __real_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *block);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t size);
int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);

enum { MOST = 100000 }; /* points of a job */

static atomic_bool armed;
static atomic_long points; /* calls since it was armed */
static bool recording;
static uint64_t stacks[MOST]; /* of a run that is recorded: of each point, who called it */
static long fail_at;       /* the first that fails, from 1 on; 0: none */
static bool for_ever;

static void arm(long n, bool ever)
{
    fail_at = n;
    for_ever = ever;
    atomic_store(&points, 0);
    atomic_store(&armed, true);
}

static void disarm(void)
{
    atomic_store(&armed, false);
}

/* stack_here: a hash of the addresses that calls return to; all the same where there are no tables to find
 * them by, as in the code of a Release build. */
static uint64_t stack_here(void)
{
    void *frames[40];
    uint64_t hash = 0;
    for (int i = backtrace(frames, 40); i > 0; i--)
        hash = (hash ^ (uintptr_t)frames[i - 1]) * 0x9e3779b97f4a7c15u;
    return hash;
}

static bool refused(void)
{
    if (!atomic_load(&armed))
        return false;
    const long n = atomic_fetch_add(&points, 1) + 1;
    if (recording && n < MOST)
        stacks[n] = stack_here();
    return fail_at > 0 && (for_ever ? n >= fail_at : n == fail_at);
}

/* What is alive: an open table of addresses with their sizes (0: from malloc). */
enum { PLACES = 1 << 18 };
typedef struct alive {
    void *at;
    size_t size;
} alive;
static alive table[PLACES];
static size_t n_alive, strangers;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static char gone;

static size_t place_of(const void *at)
{
    return (size_t)((uintptr_t)at * 0x9e3779b97f4a7c15u >> 40) % PLACES;
}

static void *born(void *at, size_t size)
{
    if (!at)
        return NULL;
    pthread_mutex_lock(&table_lock);
    size_t i = place_of(at);
    while (table[i].at && table[i].at != &gone)
        i = (i + 1) % PLACES;
    table[i] = (alive) { at, size };
    n_alive++;
    if (n_alive > PLACES / 2) {
        fprintf(stderr, "more blocks alive than the test can count\n");
        abort();
    }
    pthread_mutex_unlock(&table_lock);
    return at;
}

static void died(void *at, size_t size)
{
    pthread_mutex_lock(&table_lock);
    size_t i = place_of(at);
    while (table[i].at && table[i].at != at)
        i = (i + 1) % PLACES;
    if (!table[i].at || table[i].size != size) {
        strangers++;
    } else {
        n_alive--;
        table[i].at = table[(i + 1) % PLACES].at ? (void *)&gone : NULL;
        for (size_t j = i; !table[i].at && table[j = (j + PLACES - 1) % PLACES].at == &gone;)
            table[j].at = NULL;
    }
    pthread_mutex_unlock(&table_lock);
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : born(__real_malloc(size), 0);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused() ? NULL : born(__real_calloc(n, size), 0);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return refused() ? NULL : born(__real_aligned_alloc(alignment, size), 0);
}

void *__wrap_realloc(void *block, size_t size)
{
    if (refused())
        return NULL;
    if (block)
        died(block, 0);
    void *larger = __real_realloc(block, size);
    return born(larger ? larger : block, 0) == larger ? larger : NULL;
}

void __wrap_free(void *block)
{
    if (block)
        died(block, 0);
    __real_free(block);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (refused()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *mapped = __real_mmap(at, size, protection, flags, fd, offset);
    if (mapped != MAP_FAILED)
        born(mapped, size);
    return mapped;
}

int __wrap_munmap(void *at, size_t size)
{
    died(at, size);
    return __real_munmap(at, size);
}

int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    return refused() ? EAGAIN : __real_pthread_create(thread, attributes, start, argument);
}

/* ---- a job that hangs */

static char running[200];

static void hangs(int signal)
{
    (void)signal;
    const ssize_t written = write(STDERR_FILENO, running, strlen(running));
    (void)written;
    abort();
}

/* ---- jobs
 *
 * job: builds a lineage, runs it and digests what comes back, after the fault was switched off. */

enum { FEW_ROWS = 48, MANY_ROWS = 6000, LINES = 100 };
static int64_t rows; /* that a job has */

SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_PAIR(str_pair, spark_str, int64_t);
SPARK_PAIR(pair_of_two, int64_t, i64_pair);
SPARK_LIST(i64_values, int64_t);
SPARK_PAIR(grouped, int64_t, i64_values);

SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in * 7919 % 997, *in };
}
SPARK_MAP(to_wide_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in * 7919, *in };
}
SPARK_MAP(to_text, int64_t, str_pair)
{
    out->key = spark_str_format(task, "key number %d", (int)(*in % 701));
    out->value = 1;
}
SPARK_MAP(twice, int64_t, int64_t)
{
    *out = *in * 2;
}
SPARK_FILTER(is_odd, int64_t)
{
    return *in & 1;
}
SPARK_FLAT_MAP(words, spark_str, str_pair)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        if (!spark_emit(out, (str_pair) { spark_str_upper(task, word), 1 }))
            return;
}
SPARK_FLAT_MAP(times_three, int64_t, int64_t)
{
    for (int i = 0; i < 3; i++)
        if (!spark_emit(out, *in * 3 + i))
            return;
}
SPARK_PARTITIONS(running_sum, int64_t, int64_t)
{
    int64_t sum = 0;
    for (const int64_t *x; (x = spark_next(in));)
        if (!spark_emit(out, sum += *x))
            return;
}
SPARK_STEP(pairs_of, i64_pair, int64_t, int64_t)
{
    if (state->key++ & 1)
        spark_emit(out, state->value * *in);
    state->value = *in;
}
SPARK_FINISH(pairs_of, i64_pair, int64_t, int64_t)
{
    spark_emit(out, state->value);
}
typedef struct last_one {
    int64_t *last;
} last_one;
SPARK_BEGIN(begun, last_one, int64_t, int64_t)
{
    state->last = spark_alloc(task, 4096);
    if (state->last)
        *state->last = 17;
}
SPARK_STEP(begun, last_one, int64_t, int64_t)
{
    spark_emit(out, *state->last);
    *state->last = *in;
}
SPARK_FINISH(begun, last_one, int64_t, int64_t)
{
    spark_emit(out, *state->last);
}
SPARK_MERGE(add_up, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_MERGE(longest, spark_str, spark_str)
{
    if (in->len > acc->len || (in->len == acc->len && spark_str_compare(*in, *acc) > 0))
        *acc = *in;
}
SPARK_MAP(with_broadcast, int64_t, int64_t, spark_str_list)
{
    *out = *in + (int64_t)env->at[(size_t)*in % env->n].len;
}
typedef const spark_accumulator *accumulator;
SPARK_FILTER(counting, int64_t, accumulator)
{
    spark_accumulate(task, *env, *in);
    return true;
}
SPARK_FILTER(float_counting, int64_t, accumulator)
{
    spark_accumulate_f64(task, *env, 0.5 * (double)*in);
    return true;
}
SPARK_FILTER(listing, int64_t, accumulator)
{
    spark_accumulate_value(task, *env, SPARK_VALUE(int64_t, in));
    return true;
}
SPARK_FOREACH(look_at, int64_t)
{
    if (*in < 0)
        spark_fail(task, "no such number");
}
SPARK_JOIN(merged, int64_t, int64_t, int64_t, int64_t)
{
    spark_emit(out, (left ? *left : 0) * 31 + (right ? *right : 0) + *key);
}
SPARK_PARTITIONER(by_rest, int64_t)
{
    return (uint32_t)(uint64_t)*key % partitions;
}
SPARK_MAP(to_remainder, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 41, *in };
}
SPARK_MAP(text_of_count, int64_t, spark_str)
{
    *out = spark_str_format(task, "%d", (int)*in);
}
SPARK_MERGE(append_count, spark_str, int64_t)
{
    *acc = spark_str_concat(task, *acc, spark_str_format(task, "+%d", (int)*in));
}
SPARK_MERGE(append_text, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
}
SPARK_KEY(key_of, i64_pair, int64_t, key);
SPARK_ORDER(by_value, i64_pair, (desc, value), (asc, key));
SPARK_ORDER(by_text, str_pair, (desc, key), (asc, value));

static char scratch[64];

static spark_rdd *numbers(spark_context *sc)
{
    return spark_range(sc, 0, rows, 1, 3);
}

static spark_rdd *text_pairs(spark_context *sc)
{
    return spark_map(numbers(sc), to_text, NULL);
}

/* digest_of: of the rows and their order; frees them. */
static spark_status digest_of(spark_status status, spark_array *array, uint64_t *digest)
{
    disarm();
    if (status != SPARK_OK) {
        assert_null(array->items);
        assert_int_equal(array->n, 0);
    }
    for (size_t i = 0; i < array->n; i++)
        *digest = (*digest
                      ^ spark_hash(array->type, (const char *)array->items + i * array->type->size))
            * 0x100000001b3u;
    spark_array_free(array);
    return status;
}

static spark_status collected(spark_rdd *rdd, uint64_t *digest)
{
    spark_array all;
    const spark_status status = spark_collect(rdd, NULL, &all);
    return digest_of(status, &all, digest);
}

static spark_status job_map(spark_context *sc, uint64_t *digest)
{
    int64_t data[500];
    for (int i = 0; i < 500; i++)
        data[i] = i * i;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int64_t, 500, data), 4);
    return collected(spark_filter(spark_map(rdd, twice, NULL), is_odd, NULL), digest)
        ? spark_last_error()->code
        : collected(spark_map(rdd, twice, NULL), digest);
}

static spark_status job_parallelize_text(spark_context *sc, uint64_t *digest)
{
    static const str_pair data[] = { { SPARK_STR("one"), 1 }, { SPARK_STR(""), 2 },
        { SPARK_STR("a longer text that is copied too"), 3 } };
    return collected(spark_parallelize(sc, SPARK_DATA(str_pair, 3, data), 2), digest);
}

static spark_status job_flat_map(spark_context *sc, uint64_t *digest)
{
    return collected(spark_flat_map(numbers(sc), times_three, NULL), digest);
}

static spark_status job_word_count(spark_context *sc, uint64_t *digest)
{
    char path[100];
    snprintf(path, sizeof path, "%s/in*/*.txt", scratch);
    spark_rdd *lines = spark_text_file(sc, path, 3);
    return collected(
        spark_reduce_by_key(spark_flat_map(lines, words, NULL), spark_op_sum, NULL, 2), digest);
}

/* Files by name, one that does not say its size, and a pipe. */
static spark_status job_streams(spark_context *sc, uint64_t *digest)
{
    char in[100];
    int ends[2];
    const char *names[] = { in, "/proc/version" };
    snprintf(in, sizeof in, "%s/in0/a.txt", scratch);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "one\ntwo\n", 8), 8);
    close(ends[1]);
    spark_rdd *piped = spark_text_fd(sc, ends[0], 2);
    close(ends[0]);
    return collected(spark_union(spark_text_files(sc, 2, names, 3), piped), digest);
}

SPARK_STRUCT(csv_row, (spark_opt_str, line), (spark_opt_str, word));
SPARK_MAP(line_of_row, csv_row, spark_str)
{
    *out = in->line.present ? in->line.value : (spark_str) { "", 0 };
}
SPARK_MAP(record_of, spark_bad_row, spark_str)
{
    *out = in->record;
}

static spark_status job_packed(spark_context *sc, uint64_t *digest)
{
    char path[100];
    snprintf(path, sizeof path, "%s/packed.gz", scratch);
    return collected(spark_text_file(sc, path, 2), digest);
}

/* Lines of programs, into rows; some are put aside. */
static spark_status job_commands(spark_context *sc, uint64_t *digest)
{
    static const char *const argv[] = { "printf", "1,2\\n3,4\\n5\\n", NULL }, *const env[] = { "X=y", NULL };
    const spark_command commands[] = { { argv, NULL, NULL }, { argv, env, "/" } };
    spark_rdd *parsed = spark_on_bad_records(
        spark_read_csv_lines(spark_text_commands(sc, 2, commands), SPARK_TYPE(csv_row),
            &(spark_csv_options) { .header = true, .enforce_schema = SPARK_ON }),
        &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
    return collected(spark_union(spark_map(parsed, line_of_row, NULL),
                         spark_map(spark_bad_records(parsed), record_of, NULL)),
        digest);
}

static spark_status job_whole_files(spark_context *sc, uint64_t *digest)
{
    char path[100];
    snprintf(path, sizeof path, "%s/in*/*.txt,/proc/version", scratch);
    return collected(spark_whole_text_files(sc, path, 2), digest);
}

static spark_status job_reduce_user(spark_context *sc, uint64_t *digest)
{
    return collected(
        spark_reduce_by_key(spark_map(numbers(sc), to_wide_pair, NULL), add_up, NULL, 2), digest);
}

static spark_status job_reduce_text(spark_context *sc, uint64_t *digest)
{
    spark_rdd *keys = spark_keys(text_pairs(sc));
    spark_array one;
    spark_status status = spark_reduce(keys, longest, NULL, SPARK_TYPE(spark_str), &one);
    return digest_of(status, &one, digest);
}

static spark_status job_sort_array(spark_context *sc, uint64_t *digest)
{
    spark_array array;
    spark_status status = spark_collect(text_pairs(sc), NULL, &array);
    if (status == SPARK_OK && (status = spark_array_sort(&array, by_text)) != SPARK_OK)
        spark_array_free(&array);
    return digest_of(status, &array, digest);
}

static spark_status job_sort_map(spark_context *sc, uint64_t *digest)
{
    spark_array array;
    spark_rdd *pairs = spark_map(numbers(sc), to_pair, NULL);
    spark_status status = spark_collect_as_map(pairs, NULL, &array);
    if (status == SPARK_OK && (status = spark_array_sort(&array, by_value)) != SPARK_OK)
        spark_array_free(&array);
    return digest_of(status, &array, digest);
}

SPARK_MAP(to_long_text, int64_t, spark_str)
{
    *out = spark_str_format(task, "%600d", (int)*in);
}
static spark_status job_print(spark_context *sc, uint64_t *digest)
{
    static FILE *file; /* its buffer is not the library's to lose */
    spark_array array;
    if (!file)
        file = fopen("/dev/null", "w");
    spark_status status = spark_take(spark_map(numbers(sc), to_long_text, NULL), 20, NULL, &array);
    if (status == SPARK_OK && (status = spark_array_print(file, &array)) != SPARK_OK)
        spark_array_free(&array);
    return digest_of(status, &array, digest);
}

static spark_status job_assume(spark_context *sc, uint64_t *digest)
{
    const spark_partitioner *p = spark_partitioner_new(sc, 3, by_rest, NULL);
    spark_rdd *placed = spark_partition_by(spark_map(numbers(sc), to_pair, NULL), p);
    spark_rdd *assumed = spark_assume_partitioner(spark_union(placed, placed), p);
    return collected(spark_reduce_by_key(assumed, spark_op_sum, NULL, 0), digest);
}

static spark_status job_begin(spark_context *sc, uint64_t *digest)
{
    return collected(spark_map_stateful(numbers(sc), begun, NULL), digest);
}

static spark_status job_sort(spark_context *sc, uint64_t *digest)
{
    return collected(spark_sort_by(spark_map(numbers(sc), to_pair, NULL), by_value, 3), digest);
}

static spark_status job_sort_text(spark_context *sc, uint64_t *digest)
{
    return collected(spark_sort_by(text_pairs(sc), by_text, 3), digest);
}

static spark_status job_sort_by_key(spark_context *sc, uint64_t *digest)
{
    return collected(
        spark_sort_by_key(spark_map(numbers(sc), to_pair, NULL), spark_order_desc, 2), digest);
}

static spark_status job_join(spark_context *sc, uint64_t *digest)
{
    spark_rdd *left = spark_map(spark_range(sc, 0, rows / 4, 1, 3), to_pair, NULL);
    spark_rdd *right = spark_map(spark_range(sc, rows / 8, rows / 2, 1, 2), to_pair, NULL);
    return collected(spark_full_outer_join(left, right, 2), digest);
}

static spark_status job_join_map(spark_context *sc, uint64_t *digest)
{
    spark_partitioner *p = spark_partitioner_new(sc, 3, by_rest, NULL);
    spark_rdd *left = spark_map(spark_range(sc, 0, rows / 4, 1, 3), to_pair, NULL);
    spark_rdd *right = spark_map(spark_range(sc, rows / 8, rows / 2, 1, 2), to_pair, NULL);
    left = spark_partition_by(left, p);
    right = spark_partition_by(right, p);
    return collected(spark_join_map(left, right, SPARK_LEFT_OUTER, merged, NULL, 0), digest);
}

static spark_status job_join_text(spark_context *sc, uint64_t *digest)
{
    spark_rdd *left = spark_reduce_by_key(text_pairs(sc), spark_op_sum, NULL, 2);
    spark_rdd *right = spark_distinct(text_pairs(sc), 3);
    return collected(spark_join(left, right, 0), digest);
}

static spark_status job_group(spark_context *sc, uint64_t *digest)
{
    return collected(spark_group_by_key(spark_map(numbers(sc), to_pair, NULL), 2), digest);
}

SPARK_GROUP(last_of_group, spark_str, int64_t, str_pair)
{
    int64_t sum = 0;
    for (const int64_t *x; (x = spark_next(in));)
        if ((x = spark_keep(task, int64_t, x)))
            sum += *x;
    spark_emit(out, (str_pair) { spark_str_concat(task, *key, SPARK_LIT("!")), sum });
}
static spark_status job_group_map(spark_context *sc, uint64_t *digest)
{
    return collected(spark_group_map_by_key(text_pairs(sc), last_of_group, NULL, 2), digest);
}

static spark_status job_group_text(spark_context *sc, uint64_t *digest)
{
    return collected(spark_group_by_key(text_pairs(sc), 2), digest);
}

static spark_status job_persist(spark_context *sc, uint64_t *digest)
{
    spark_rdd *kept = spark_cache(text_pairs(sc));
    int64_t n = 0;
    spark_status status = spark_count(kept, &n);
    if (status == SPARK_OK)
        status = collected(spark_reduce_by_key(kept, spark_op_sum, NULL, 2), digest);
    disarm();
    *digest += (uint64_t)n;
    (void)spark_unpersist(kept);
    return status;
}

/* An RDD at each level on top of the others, read twice; and what is known of them. */
static spark_status job_levels(spark_context *sc, uint64_t *digest)
{
    spark_storage_info infos[8];
    spark_rdd *rdds[8], *rdd = text_pairs(sc);
    for (int level = SPARK_MEMORY_ONLY; level <= SPARK_DISK_ONLY; level++)
        rdd = spark_persist(spark_map_values(rdd, twice, NULL), (spark_level)level);
    int64_t n = 0;
    spark_status status = spark_count(rdd, &n);
    if (status == SPARK_OK)
        status = collected(spark_reduce_by_key(rdd, spark_op_sum, NULL, 2), digest);
    spark_storage_infos(sc, infos, 8);
    spark_persistent_rdds(sc, rdds, 8);
    disarm();
    *digest += (uint64_t)n;
    return status;
}

/* Blocks that push each other out, in a context of little memory, which is made as well. */
static spark_status job_evict(spark_context *unused, uint64_t *digest)
{
    enum { EACH = 3 * 131072 / 4 };
    int64_t n;
    if (spark_context_threads(unused) == 0) /* it has found no memory, and says so */
        return spark_count(spark_range(unused, 0, 1, 1, 1), &n);
    spark_context *sc
        = spark_context_new(&(spark_conf) { .threads = 1, .memory_bytes = 3 * 1024 * 1024 });
    spark_rdd *rdds[2];
    double sum = 0;
    spark_status status = SPARK_OK;
    for (int i = 0; i < 2; i++)
        rdds[i] = spark_persist(spark_range(sc, i, i + EACH, 1, 4), SPARK_MEMORY_AND_DISK);
    for (int i = 0; i < 4 && status == SPARK_OK; i++) {
        status = spark_sum(rdds[i % 2], &sum);
        *digest = *digest * 31 + (uint64_t)sum;
    }
    disarm();
    spark_context_free(sc);
    return status;
}

static spark_status job_take_ordered(spark_context *sc, uint64_t *digest)
{
    spark_array some;
    spark_status status
        = spark_take_ordered(text_pairs(sc), 20, by_text, SPARK_TYPE(str_pair), &some);
    return digest_of(status, &some, digest);
}

static spark_status job_top_many(spark_context *sc, uint64_t *digest)
{
    spark_array all; /* so many are sorted */
    spark_status status = spark_top(text_pairs(sc), 300000, by_text, SPARK_TYPE(str_pair), &all);
    return digest_of(status, &all, digest);
}

static spark_status job_take(spark_context *sc, uint64_t *digest)
{
    spark_array some;
    spark_status status = spark_take(text_pairs(sc), (size_t)rows / 2, SPARK_TYPE(str_pair), &some);
    return digest_of(status, &some, digest);
}

static spark_status job_fold(spark_context *sc, uint64_t *digest)
{
    const int64_t zero = 5;
    spark_array one;
    spark_status status
        = spark_fold(numbers(sc), SPARK_VALUE(int64_t, &zero), spark_op_sum, NULL, &one);
    return digest_of(status, &one, digest);
}

static spark_status job_aggregate(spark_context *sc, uint64_t *digest)
{
    const spark_str zero = SPARK_LIT("");
    spark_array one;
    spark_status status = spark_aggregate(
        spark_keys(text_pairs(sc)), SPARK_VALUE(spark_str, &zero), longest, longest, NULL, &one);
    return digest_of(status, &one, digest);
}

static void remove_files(const char *path)
{
    char name[400];
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            if (unlink(name) != 0)
                remove_files(name);
        }
    if (directory)
        closedir(directory);
    rmdir(path);
}

static void digest_file(const char *path, uint64_t *digest)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return;
    for (int c; (c = getc(file)) != EOF;)
        *digest = (*digest ^ (uint64_t)c) * 0x100000001b3u;
    fclose(file);
}

static spark_status job_save(spark_context *sc, uint64_t *digest)
{
    char path[100], file[150];
    snprintf(path, sizeof path, "%s/out", scratch);
    const spark_status status
        = spark_save_as_text_file(spark_map(numbers(sc), to_pair, NULL), path);
    disarm();
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s/part-0000%d", path, i);
        if (status == SPARK_OK)
            digest_file(file, digest);
        else
            assert_int_not_equal(access(file, F_OK), 0);
    }
    snprintf(file, sizeof file, "%s/_SUCCESS", path);
    assert_int_equal(access(file, F_OK) == 0, status == SPARK_OK);
    remove_files(path);
    return status;
}

/* job_csv: a type that is found, rows that are cut by the rules for quotes, and a file of them. */
static spark_status job_csv(spark_context *sc, uint64_t *digest)
{
    char path[100], out[100];
    snprintf(path, sizeof path, "%s/in*/*.txt", scratch);
    snprintf(out, sizeof out, "%s/csv", scratch);
    const spark_csv_options o = { .infer_schema = true, .encoding = "ISO-8859-1", .quote = " ",
        .unescaped_quote_handling = SPARK_STOP_AT_CLOSING_QUOTE };
    spark_rdd *found = spark_read_csv(sc, path, NULL, &o);
    spark_status status = spark_write_csv(found, out, NULL);
    if (status == SPARK_OK)
        status = collected(spark_as(found, SPARK_TYPE(csv_row)), digest);
    disarm();
    remove_files(out);
    return status;
}

SPARK_STRUCT(json_row, (spark_opt_str, key), (spark_opt_str, line));

SPARK_MAP(to_json_row, spark_str, json_row)
{
    *out = (json_row) { { true, *in }, { true, spark_to_json(task, SPARK_VALUE(spark_str, in)) } };
}

/* job_json: a file of objects, whose type is found when it is read again. */
static spark_status job_json(spark_context *sc, uint64_t *digest)
{
    char path[100], out[100];
    snprintf(path, sizeof path, "%s/in*/*.txt", scratch);
    snprintf(out, sizeof out, "%s/json", scratch);
    spark_rdd *lines = spark_map(spark_text_file(sc, path, 2), to_json_row, NULL);
    spark_status status = spark_write_json(lines, out, NULL);
    if (status == SPARK_OK)
        status = collected(spark_as(spark_read_json(sc, out, NULL, NULL), SPARK_TYPE(json_row)), digest);
    disarm();
    remove_files(out);
    return status;
}

/* job_recoded: the same in UTF-16, in directories, with what is damaged put aside. */
static spark_status job_recoded(spark_context *sc, uint64_t *digest)
{
    char path[100], out[100];
    snprintf(path, sizeof path, "%s/in*/*.txt", scratch);
    snprintf(out, sizeof out, "%s/recoded", scratch);
    const spark_json_options in_utf16 = { .encoding = "UTF-16" };
    spark_rdd *lines = spark_map(spark_text_file(sc, path, 2), to_json_row, NULL);
    spark_status status = spark_write_json(lines, out, &in_utf16);
    if (status == SPARK_OK) {
        spark_rdd *read = spark_on_bad_records(spark_read_json(sc, out, SPARK_TYPE(json_row), &in_utf16),
            &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
        status = collected(read, digest);
    }
    disarm();
    remove_files(out);
    return status;
}

SPARK_STRUCT(of_third, (int64_t, third), (int64_t, number));
SPARK_MAP(to_third, int64_t, of_third)
{
    *out = (of_third) { *in % 3, *in };
}

/* job_directories: written twice to directories for values, packed; and read back from them. */
static spark_status job_directories(spark_context *sc, uint64_t *digest)
{
    char out[100];
    snprintf(out, sizeof out, "%s/directories", scratch);
    const spark_csv_options o = { .header = true, .save = { .mode = SPARK_SAVE_OVERWRITE,
        .compression = "gzip", .partition_by = SPARK_COLUMNS("third") } };
    const spark_csv_options plain = { .header = true, .save = { .partition_by = SPARK_COLUMNS("third") } };
    spark_rdd *rdd = spark_map(numbers(sc), to_third, NULL);
    spark_status status = spark_write_csv(rdd, out, &plain);
    if (status == SPARK_OK)
        status = spark_write_csv(rdd, out, &o);
    if (status == SPARK_OK)
        status = collected(spark_read_csv(sc, out, SPARK_TYPE(of_third), &o), digest);
    disarm();
    remove_files(out);
    return status;
}

/* over_numbers: what a statement over the view `numbers` gives. */
static spark_status over_numbers(spark_context *sc, const char *sql, uint64_t *digest)
{
    const spark_status status = spark_create_temp_view(sc, "numbers", numbers(sc));
    return status == SPARK_OK ? collected(spark_sql(sc, sql), digest) : status;
}

static spark_status job_sql(spark_context *sc, uint64_t *digest)
{
    return over_numbers(sc,
        "WITH t AS (SELECT value v, value % 7 k, CAST(value AS STRING) s FROM numbers) "
        "SELECT a.k, count(*) n, max(a.s) m, row_number() OVER (ORDER BY a.k) r FROM t a "
        "LEFT JOIN (SELECT DISTINCT k FROM t) b ON a.k = b.k "
        "WHERE a.v < 100 AND EXISTS (SELECT 1 FROM t c WHERE c.k = a.k) "
        "GROUP BY a.k ORDER BY a.k LIMIT 20",
        digest);
}

/* job_functions: a map and merges as functions of SQL; rows by name, a table and a file of them. */
SPARK_STRUCT(named_row, (spark_str, m), (spark_opt_i64, n));
static spark_status job_functions(spark_context *sc, uint64_t *digest)
{
    char text[200];
    const spark_str none = SPARK_STR("none");
    spark_status status = spark_register_function(sc, "doubled", twice, NULL);
    if (status == SPARK_OK)
        status = spark_register_aggregate(
            sc, "longest_of", SPARK_VALUE(spark_str, &none), longest, longest, NULL, NULL);
    if (status == SPARK_OK)
        status = spark_create_temp_view(sc, "numbers", numbers(sc));
    if (status != SPARK_OK)
        return status;
    spark_rdd *rdd = spark_sql(sc, "SELECT longest_of(CAST(value AS STRING)) m, max(doubled(value)) N FROM numbers "
                                   "GROUP BY value % 3");
    FILE *file = fopen("/dev/null", "w");
    if (!file)
        return disarm(), SPARK_ENOMEM;
    status = spark_sql_show_with(rdd, &(spark_sql_show_options) { .truncate = 3, .vertical = true, .file = file });
    fclose(file);
    if (status != SPARK_OK)
        return status;
    snprintf(text, sizeof text, "INSERT OVERWRITE DIRECTORY '%s/functions' USING csv OPTIONS (header true) "
                                "SELECT doubled(value) d FROM numbers WHERE value < 5", scratch);
    status = spark_rdd_status(spark_sql(sc, text));
    if (status == SPARK_OK)
        status = collected(spark_as_named(rdd, SPARK_TYPE(named_row)), digest);
    disarm();
    snprintf(text, sizeof text, "%s/functions", scratch);
    remove_files(text);
    return status;
}

/* job_arrow: rows to a stream of Arrow, and from it. */
static spark_status job_arrow(spark_context *sc, uint64_t *digest)
{
    struct ArrowArrayStream stream;
    spark_status status = spark_create_temp_view(sc, "numbers", numbers(sc));
    if (status == SPARK_OK)
        status = spark_to_arrow_stream(spark_sql(sc, "SELECT value, nullif(value % 3, 0) n, CAST(value AS STRING) s, "
                                                     "array(value, 1) a, struct(value AS v) t FROM numbers"),
            &(spark_arrow_options) { 50 }, &stream);
    return status == SPARK_OK ? collected(spark_from_arrow_stream(sc, &stream, 2), digest) : status;
}

/* job_sql_shuffled: a join of two sides that are shuffled, with a condition beside the keys. */
static spark_status job_sql_shuffled(spark_context *sc, uint64_t *digest)
{
    spark_status status = spark_create_temp_view(sc, "numbers", numbers(sc));
    if (status == SPARK_OK)
        status = spark_rdd_status(spark_sql(sc, "SET spark.sql.autoBroadcastJoinThreshold = -1"));
    if (status != SPARK_OK)
        return status;
    return collected(spark_sql(sc, "SELECT a.value, CAST(b.value AS STRING) FROM numbers a LEFT JOIN numbers b ON "
                                   "a.value = b.value + 1 AND a.value + b.value <> 7 WHERE a.value NOT IN (SELECT "
                                   "nullif(value, -1) * 2 FROM numbers)"),
        digest);
}

/* job_sql_sifted: the same with a filter of keys before the shuffle. */
static spark_status job_sql_sifted(spark_context *sc, uint64_t *digest)
{
    const spark_status status = spark_rdd_status(spark_sql(sc, "SET spark.sql.autoBroadcastJoinThreshold = -1"));
    if (status != SPARK_OK)
        return status;
    return collected(spark_sql(sc, "SELECT a.id, w FROM range(200001) a JOIN (SELECT id * 1000003 k, id w FROM "
        "range(1000)) b ON a.id * 1000003 = k AND w % 10 = 7"), digest);
}

/* job_sql_cached: a table as blocks of columns, scanned with conditions. */
static spark_status job_sql_cached(spark_context *sc, uint64_t *digest)
{
    spark_status status = spark_create_temp_view(sc, "numbers", numbers(sc));
    if (status == SPARK_OK)
        status = spark_rdd_status(spark_sql(sc,
            "CREATE OR REPLACE TEMP VIEW kept AS SELECT value v, 'k' || value % 5 s, nullif(value, 3) n FROM numbers"));
    if (status == SPARK_OK)
        status = spark_rdd_status(spark_sql(sc, "CACHE TABLE kept"));
    if (status != SPARK_OK)
        return status;
    status = collected(spark_sql(sc, "SELECT v, s FROM (SELECT v, s, row_number() OVER (PARTITION BY s ORDER BY n "
                                     "DESC, v) r FROM kept) WHERE r <= 3"), digest);
    if (status != SPARK_OK)
        return status;
    return collected(
        spark_sql(sc, "SELECT s, count(n), sum(v) FROM kept WHERE s <> 'k3' AND v < 5000 GROUP BY s"), digest);
}

/* job_sql_frames: aggregates that keep their values, over wide frames. */
static spark_status job_sql_frames(spark_context *sc, uint64_t *digest)
{
    return over_numbers(sc,
        "SELECT value, percentile(value, array(0.5, 1)) OVER w, collect_list(value) OVER w, collect_set(value % 3) OVER w, "
        "mode('k' || value % 5) OVER w FROM numbers WHERE value < 300 "
        "WINDOW w AS (ORDER BY value ROWS BETWEEN 70 PRECEDING AND CURRENT ROW)",
        digest);
}

static spark_status job_broadcast(spark_context *sc, uint64_t *digest)
{
    static const spark_str texts[] = { SPARK_STR("a"), SPARK_STR("bcd"), SPARK_STR("ef") };
    const spark_str_list list = { texts, 3 };
    spark_broadcast *b = spark_broadcast_new(sc, SPARK_VALUE(spark_str_list, &list));
    if (!b)
        return disarm(), spark_last_error()->code;
    return collected(spark_map(numbers(sc), with_broadcast, SPARK_SHARED(b)), digest);
}

static spark_status job_counter(spark_context *sc, uint64_t *digest)
{
    const spark_accumulator *count = spark_counter(sc, "count");
    const spark_accumulator *floats = spark_float_counter(sc, "floats");
    if (!count || !floats)
        return disarm(), spark_last_error()->code;
    spark_rdd *rdd = spark_filter(numbers(sc), counting, SPARK_COPY(count));
    spark_status status
        = spark_foreach(spark_filter(rdd, float_counting, SPARK_COPY(floats)), look_at, NULL);
    disarm();
    if (status == SPARK_OK) {
        assert_int_equal(spark_accumulator_value(count), rows * (rows - 1) / 2);
        assert_true(spark_accumulator_f64(floats) == 0.25 * (double)(rows * (rows - 1)));
        *digest = (uint64_t)spark_accumulator_value(count);
    }
    return status;
}

/* job_once: two jobs that read one RDD, and accumulators of values that are read after each. */
static spark_status job_once(spark_context *sc, uint64_t *digest)
{
    const spark_accumulator *list = spark_collection(sc, SPARK_TYPE(int64_t), "list");
    const spark_accumulator *sum
        = spark_accumulator_new(sc, SPARK_ZERO(int64_t), add_up, add_up, "sum");
    if (!list || !sum)
        return disarm(), spark_last_error()->code;
    spark_accumulator_once(list);
    spark_rdd *rdd = spark_filter(numbers(sc), listing, SPARK_COPY(sum));
    rdd = spark_filter(spark_cache(rdd), listing, SPARK_COPY(list));
    spark_status status = SPARK_OK;
    spark_array all = { 0 }, one = { 0 };
    for (int i = 0; i < 2 && status == SPARK_OK; i++) {
        spark_array_free(&one);
        status = spark_foreach(rdd, look_at, NULL);
        if (status == SPARK_OK)
            status = spark_accumulator_get(sum, NULL, &one);
    }
    if (status == SPARK_OK)
        status = spark_accumulator_get(list, NULL, &all);
    disarm();
    if (status == SPARK_OK) {
        assert_int_equal(SPARK_ITEMS(int64_t, &one)[0], rows * (rows - 1) / 2);
        assert_int_equal(all.n, rows);
    }
    spark_array_free(&one);
    return digest_of(status, &all, digest);
}

static spark_status job_union(spark_context *sc, uint64_t *digest)
{
    spark_rdd *rdds[5];
    for (int i = 0; i < 5; i++)
        rdds[i] = spark_range(sc, i, rows / 4 * i, 1, i + 1);
    rdds[2] = spark_union(rdds[1], rdds[3]);
    return collected(spark_union_all(sc, 5, rdds), digest);
}

static spark_status job_union_placed(spark_context *sc, uint64_t *digest)
{
    spark_partitioner *p = spark_hash_partitioner(sc, 3);
    spark_rdd *a = spark_partition_by(spark_map(numbers(sc), to_pair, NULL), p);
    spark_rdd *b = spark_map(spark_range(sc, 0, rows / 2, 1, 2), to_pair, NULL);
    b = spark_partition_by(b, p);
    return collected(spark_reduce_by_key(spark_union(a, b), spark_op_max, NULL, 0), digest);
}

static spark_status job_map_partitions(spark_context *sc, uint64_t *digest)
{
    return collected(spark_map_partitions(numbers(sc), running_sum, NULL), digest);
}

static spark_status job_stateful(spark_context *sc, uint64_t *digest)
{
    return collected(spark_map_stateful(numbers(sc), pairs_of, NULL), digest);
}

static spark_status job_distinct(spark_context *sc, uint64_t *digest)
{
    return collected(spark_distinct(spark_keys(text_pairs(sc)), 2), digest);
}

static spark_status job_count_by_key(spark_context *sc, uint64_t *digest)
{
    spark_array counts;
    const spark_status status = spark_count_by_key(text_pairs(sc), NULL, &counts);
    return digest_of(status, &counts, digest);
}

static spark_status job_count_by_value(spark_context *sc, uint64_t *digest)
{
    spark_array counts;
    const spark_status status
        = spark_count_by_value(spark_keys(spark_map(numbers(sc), to_pair, NULL)), NULL, &counts);
    return digest_of(status, &counts, digest);
}

static spark_status job_key_by(spark_context *sc, uint64_t *digest)
{
    spark_rdd *pairs = spark_map(spark_range(sc, 0, rows / 2, 1, 2), to_pair, NULL);
    return collected(spark_group_by(pairs, key_of, NULL, 2), digest);
}

static spark_status job_scoped(spark_context *sc, uint64_t *digest)
{
    spark_rdd *kept = spark_map(numbers(sc), to_pair, NULL);
    for (int i = 0; i < 3; i++) {
        SPARK_SCOPED(sc);
        spark_rdd_replace(&kept, spark_cache(spark_reduce_by_key(kept, spark_op_sum, NULL, 2)));
        if (i == 1)
            (void)spark_to_debug_string(kept);
    }
    const spark_status status = collected(kept, digest);
    spark_rdd_release(kept);
    return status;
}

/* Futures with tags, whose errors are those of their actions. */
static spark_status job_future(spark_context *sc, uint64_t *digest)
{
    SPARK_SCOPED(sc);
    char tag[8] = "tag 0";
    spark_status status = spark_set_job_group(sc, "group", "of futures");
    for (; tag[4] < 'a' && status == SPARK_OK; tag[4]++)
        status = spark_add_job_tag(sc, tag);
    if (status == SPARK_OK)
        status = spark_remove_job_tag(sc, "tag 7");
    spark_array array = { 0 };
    int64_t n = 0;
    if (status == SPARK_OK)
        status = spark_future_get(
            spark_collect_async(spark_sort_by(numbers(sc), NULL, 2), SPARK_TYPE(int64_t)), &array);
    if (status == SPARK_OK)
        status = spark_future_count(spark_count_async(numbers(sc)), &n);
    disarm();
    *digest = (uint64_t)n + array.n;
    spark_array_free(&array);
    return status;
}

static spark_status job_signal(spark_context *sc, uint64_t *digest)
{
    const spark_status status = spark_cancel_on_signal(sc, SIGUSR1);
    return status == SPARK_OK ? collected(numbers(sc), digest) : status;
}

/* More stages than are searched one by one. */
static spark_status job_stages(spark_context *sc, uint64_t *digest)
{
    spark_rdd *rdd = numbers(sc);
    for (int i = 0; i < 12; i++)
        rdd = spark_repartition(rdd, 2);
    return collected(rdd, digest);
}

static spark_status job_combine(spark_context *sc, uint64_t *digest)
{
    return collected(spark_combine_by_key(spark_map(numbers(sc), to_remainder, NULL), text_of_count,
                         append_count, append_text, NULL, 2),
        digest);
}

static spark_status job_fold_by_key(spark_context *sc, uint64_t *digest)
{
    const int64_t zero = 1;
    return collected(
        spark_fold_by_key(text_pairs(sc), SPARK_VALUE(int64_t, &zero), add_up, NULL, 2), digest);
}

static spark_status job_cogroup(spark_context *sc, uint64_t *digest)
{
    spark_rdd *sides[] = { text_pairs(sc), spark_distinct(text_pairs(sc), 3), text_pairs(sc) };
    return collected(spark_cogroup(3, sides, 2), digest);
}

static spark_status job_subtract(spark_context *sc, uint64_t *digest)
{
    return collected(spark_subtract(text_pairs(sc),
                         spark_map(spark_range(sc, 0, rows / 16, 1, 2), to_text, NULL), 2),
        digest);
}

static spark_status job_subtract_by_key(spark_context *sc, uint64_t *digest)
{
    spark_rdd *left = spark_map(numbers(sc), to_pair, NULL);
    return collected(spark_subtract_by_key(
                         left, spark_map(spark_range(sc, 0, rows / 16, 1, 2), to_pair, NULL), 2),
        digest);
}

static spark_status job_intersection(spark_context *sc, uint64_t *digest)
{
    return collected(spark_intersection(text_pairs(sc),
                         spark_map(spark_range(sc, 0, rows / 2, 1, 2), to_text, NULL), 2),
        digest);
}

static spark_status job_dense(spark_context *sc, uint64_t *digest)
{
    spark_partitioner *p = spark_dense_partitioner(sc, 41, 2);
    return collected(spark_reduce_by_key_dense(
                         spark_map(numbers(sc), to_remainder, NULL), spark_op_sum, NULL, p),
        digest);
}

static spark_status job_dense_text(spark_context *sc, uint64_t *digest)
{
    spark_partitioner *p = spark_dense_partitioner(sc, 70000, 2);
    spark_rdd *texts
        = spark_map_values(spark_map(numbers(sc), to_remainder, NULL), text_of_count, NULL);
    return collected(spark_reduce_by_key_dense(texts, append_text, NULL, p), digest);
}

static spark_status job_range_partitioner(spark_context *sc, uint64_t *digest)
{
    spark_rdd *pairs = text_pairs(sc);
    spark_partitioner *p = spark_range_partitioner(pairs, spark_order_desc, 3);
    return collected(spark_repartition_and_sort_within_partitions(pairs, p, NULL), digest);
}

static spark_status job_join_sorted(spark_context *sc, uint64_t *digest)
{
    spark_rdd *sorted
        = spark_sort_by_key(spark_map(spark_range(sc, 0, rows / 2, 1, 3), to_pair, NULL), NULL, 2);
    spark_rdd *right = spark_map(spark_range(sc, rows / 8, rows / 2, 1, 2), to_pair, NULL);
    const spark_partitioner *p = spark_rdd_partitioner(sorted);
    if (!p)
        return disarm(), spark_last_error()->code;
    const spark_keyed_options by = { 0, p };
    return collected(spark_join_with(sorted, right, SPARK_FULL_OUTER, &by), digest);
}

static spark_status job_checkpoint(spark_context *sc, uint64_t *digest)
{
    spark_rdd *kept
        = spark_local_checkpoint(spark_reduce_by_key(text_pairs(sc), spark_op_sum, NULL, 2));
    int64_t n = 0;
    spark_status status = spark_count(kept, &n);
    if (status == SPARK_OK)
        status = collected(spark_map_values(kept, twice, NULL), digest);
    disarm();
    *digest += (uint64_t)n;
    return status;
}

static spark_status job_replay(spark_context *sc, uint64_t *digest)
{
    spark_rdd *rdd = spark_sort_by_key(spark_repartition(text_pairs(sc), 2), NULL, 2);
    const int64_t n = spark_replay(rdd, 0);
    disarm();
    *digest = (uint64_t)n;
    return n < 0 ? spark_last_error()->code : SPARK_OK;
}

SPARK_MAP(not_sevens, int64_t, int64_t)
{
    *out = *in;
    if (*in % 7 == 0)
        spark_bad_record(task, "%lld", (long long)*in);
}

static spark_status job_bad(spark_context *sc, uint64_t *digest)
{
    spark_rdd *rdd = spark_on_bad_records(spark_map(numbers(sc), not_sevens, NULL),
        &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE, .max_ratio = 0.5 });
    int64_t n = 0;
    spark_status status = spark_count(rdd, &n);
    if (status == SPARK_OK)
        status = collected(spark_bad_records(rdd), digest);
    disarm();
    *digest += (uint64_t)(n + spark_bad_count(rdd, NULL));
    return status;
}

static void see_task(void *env, const spark_task_info *task)
{
    *(int64_t *)env += task->reason == SPARK_TASK_SUCCESS;
}

static void see_progress(void *env, const spark_progress *stages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *(int64_t *)env += stages[i].done;
}

static void see_line(void *env, spark_log_level level, int64_t time, const char *source, const char *message)
{
    *(int64_t *)env += (int64_t)level + (time > 0) + *source + *message;
}

/* job_listened: what listeners miss changes no result. */
static spark_status job_listened(spark_context *sc, uint64_t *digest)
{
    static int64_t seen[3]; /* contexts are freed after the job */
    static int calls;       /* of one context as well: each has a log of its own */
    char path[150];
    const spark_listener listener = { .env = &seen[0], .task_end = see_task };
    const spark_progress_options progress
        = { .interval_ms = 1, .delay_ms = -1, .to = see_progress, .env = &seen[1] };
    snprintf(path, sizeof path, "%s/logs%d", scratch, calls++);
    spark_status status = spark_add_listener(sc, &listener);
    if (status == SPARK_OK)
        status = spark_event_log(sc, path);
    if (status == SPARK_OK)
        status = spark_log(sc, &(spark_log_options) { SPARK_LOG_TRACE, see_line, &seen[2] });
    if (status == SPARK_OK)
        status = spark_show_progress(sc, &progress);
    snprintf(path, sizeof path, "%s/page%d", scratch, calls);
    if (status == SPARK_OK)
        status = spark_report(sc, path);
    snprintf(path, sizeof path, "%s/trace%d", scratch, calls);
    if (status == SPARK_OK)
        status = spark_trace(sc, path);
    if (status != SPARK_OK)
        return disarm(), status;
    spark_set_job_group(sc, "group", "a description");
    spark_rdd *sums = spark_reduce_by_key(spark_cache(text_pairs(sc)), spark_op_sum, NULL, 2);
    FILE *nowhere = fopen("/dev/null", "w");
    if (!nowhere)
        return disarm(), SPARK_ENOMEM;
    status = spark_explain(sums, nowhere);
    if (status == SPARK_OK)
        status = spark_explain_dot(sums, nowhere);
    fclose(nowhere);
    if (status == SPARK_OK)
        status = collected(sums, digest);
    return status == SPARK_OK ? collected(spark_sql(sc, "SELECT 1 AS one UNION ALL SELECT 2"), digest) : status;
}

/* job_measured: nor does what metrics miss; questions are answered, or there is no memory. */
static spark_status job_measured(spark_context *sc, uint64_t *digest)
{
    static const double half[] = { 0.5 };
    spark_status status = spark_keep_metrics(sc, &(spark_metrics_options) { .retained_stages = 2 });
    if (status == SPARK_OK || status == SPARK_EINVAL) /* of a context that keeps them already */
        status = spark_profile_shuffles(sc, 3, 4);
    if (status == SPARK_OK)
        status = spark_count_hardware(sc, NULL);
    if (status != SPARK_OK)
        return disarm(), status;
    spark_rdd *sums = spark_reduce_by_key(spark_cache(text_pairs(sc)), spark_op_sum, NULL, 2);
    status = collected(sums, digest);
    if (status != SPARK_OK)
        return status;
    spark_stage_attempt stage;
    spark_task_metrics median;
    spark_hot_key key;
    FILE *nowhere = fopen("/dev/null", "w");
    if (!nowhere)
        return disarm(), SPARK_ENOMEM;
    if (spark_metrics_stages(sc, SPARK_ANY, &stage, 1) > 0) {
        spark_metrics_hot_keys(sc, stage.stage, &key, 1);
        status = spark_metrics_quantiles(sc, stage.stage, stage.attempt, half, 1, &median);
        status = status == SPARK_ENOMEM ? SPARK_ENOMEM : SPARK_OK; /* of what was not kept: SPARK_EINVAL */
    }
    if (status == SPARK_OK)
        status = spark_explain_analyze(sums, nowhere);
    if (status == SPARK_OK)
        status = spark_explain_analyze_dot(sums, nowhere);
    fclose(nowhere);
    return status;
}

typedef spark_status job_function(spark_context *sc, uint64_t *digest);
static const struct {
    const char *name;
    job_function *run;
} jobs[] = {
    { "parallelize, map, filter, collect", job_map },
    { "parallelize of strings", job_parallelize_text },
    { "flat_map", job_flat_map },
    { "text_file, word count", job_word_count },
    { "text_files and text_fd", job_streams },
    { "text_file of .gz", job_packed },
    { "text_commands, read_csv_lines", job_commands },
    { "whole_text_files", job_whole_files },
    { "csv", job_csv },
    { "json", job_json },
    { "recoded", job_recoded },
    { "csv in directories", job_directories },
    { "sql", job_sql },
    { "functions in sql", job_functions },
    { "arrow", job_arrow },
    { "sql_shuffled", job_sql_shuffled },
    { "sql_cached", job_sql_cached },
    { "sql_frames", job_sql_frames },
    { "reduce_by_key with a function", job_reduce_user },
    { "reduce of strings", job_reduce_text },
    { "sort_by", job_sort },
    { "array_sort", job_sort_array },
    { "array_sort of a map", job_sort_map },
    { "array_print", job_print },
    { "assume_partitioner", job_assume },
    { "map_stateful with a begin", job_begin },
    { "sort_by of strings", job_sort_text },
    { "sort_by_key", job_sort_by_key },
    { "full_outer_join", job_join },
    { "join_map of placed sides", job_join_map },
    { "join of strings", job_join_text },
    { "group_by_key", job_group },
    { "group_by_key of strings", job_group_text },
    { "group_map_by_key", job_group_map },
    { "persist", job_persist },
    { "levels of storage", job_levels },
    { "eviction", job_evict },
    { "take_ordered", job_take_ordered },
    { "top of very many", job_top_many },
    { "take", job_take },
    { "fold", job_fold },
    { "aggregate", job_aggregate },
    { "save_as_text_file", job_save },
    { "broadcast", job_broadcast },
    { "counter", job_counter },
    { "once", job_once },
    { "union", job_union },
    { "union of placed RDDs", job_union_placed },
    { "map_partitions", job_map_partitions },
    { "map_stateful", job_stateful },
    { "distinct", job_distinct },
    { "count_by_key", job_count_by_key },
    { "count_by_value", job_count_by_value },
    { "group_by", job_key_by },
    { "combine_by_key", job_combine },
    { "fold_by_key", job_fold_by_key },
    { "cogroup of strings", job_cogroup },
    { "subtract", job_subtract },
    { "subtract_by_key", job_subtract_by_key },
    { "intersection", job_intersection },
    { "reduce_by_key_dense", job_dense },
    { "reduce_by_key_dense of strings", job_dense_text },
    { "range_partitioner, sorted within", job_range_partitioner },
    { "join with a sorted side", job_join_sorted },
    { "scopes", job_scoped },
    { "local_checkpoint", job_checkpoint },
    { "futures with tags", job_future },
    { "replay", job_replay },
    { "bad records", job_bad },
    { "cancel_on_signal", job_signal },
    { "listeners", job_listened },
    { "metrics", job_measured },
    { "twelve shuffles", job_stages },
    { "sql_sifted", job_sql_sifted },
};
enum { JOBS = sizeof jobs / sizeof jobs[0] };
static uint64_t expected[JOBS];

/* ---- one run under a fault */

static spark_context *context_of(int threads)
{
    return spark_context_new(&(spark_conf) { .threads = threads });
}

static spark_status run_job(size_t j, spark_context *sc, uint64_t *digest)
{
    *digest = 0;
    const spark_status status = jobs[j].run(sc, digest);
    disarm();
    return status;
}

static void check(bool fine, size_t j, long n, bool ever, const char *what)
{
    if (fine)
        return;
    const spark_error *error = spark_last_error();
    fail_msg("%s, allocation %ld fails%s: %s (last error: %s, \"%s\")", jobs[j].name, n,
        ever ? " and all after it" : "", what, spark_status_name(error->code), error->message);
}

/* one_run: true: the n-th allocation came. */
static bool one_run(size_t j, long n, bool ever, int threads, bool with_context)
{
    uint64_t digest;
    const size_t alive_before = n_alive, strangers_before = strangers;
    snprintf(running, sizeof running, "%s hangs: %s, allocation %ld%s, %d threads\n",
        with_context ? "context" : "job", jobs[j].name, n, ever ? " and after" : "", threads);
    alarm(60);
    if (with_context)
        arm(n, ever);
    spark_context *sc = context_of(threads);
    if (!with_context)
        arm(n, ever);
    spark_status status = run_job(j, sc, &digest);
    const bool came = atomic_load(&points) >= n;
    check(status == SPARK_OK || status == SPARK_ENOMEM, j, n, ever, "another error than no memory");
    if (status == SPARK_OK)
        check(digest == expected[j], j, n, ever, "a wrong result");
    else {
        check(came, j, n, ever, "fails without a fault");
        check(spark_last_error()->code == status && *spark_last_error()->message, j, n, ever,
            "no message");
    }
    if (spark_context_threads(sc) > 0) {
        status = run_job(j, sc, &digest);
        check(status == SPARK_OK, j, n, ever, "the context is not usable afterwards");
        check(digest == expected[j], j, n, ever, "a wrong result afterwards");
    } else {
        check(with_context && status == SPARK_ENOMEM, j, n, ever, "a context without threads");
    }
    spark_context_free(sc);
    alarm(0);
    check(n_alive == alive_before, j, n, ever, "something is not freed");
    check(strangers == strangers_before, j, n, ever, "something strange is freed");
    return came;
}

static void expect_of(size_t j, int64_t n)
{
    rows = n;
    for (int threads = 1; threads <= 2; threads++) {
        uint64_t digest;
        const size_t alive_before = n_alive;
        spark_context *sc = context_of(threads);
        check(run_job(j, sc, &digest) == SPARK_OK, j, 0, false, "fails without a fault");
        check(digest != 0, j, 0, false, "nothing came");
        if (threads == 1)
            expected[j] = digest;
        check(digest == expected[j], j, 0, false, "another result on two threads");
        spark_context_free(sc);
        check(n_alive == alive_before, j, 0, false, "something is not freed");
    }
}

/* count_points: of a run without a fault. */
static long count_points(size_t j)
{
    one_run(j, LONG_MAX, false, 1, false);
    return atomic_load(&points);
}

/* is_new: of the points that the same calls lead to: the first, second, fourth, eighth, ... */
static bool is_new(long n)
{
    unsigned before = 1;
    for (long i = 1; i < n; i++)
        before += stacks[i] == stacks[n];
    return (before & (before - 1)) == 0;
}

/* until_it_passes: how many points there are. Each is tried, but under a sanitizer only those that are new:
 * who finds no memory is no other than before; NOMEM_ALL in the environment: each. */
static long until_it_passes(size_t j, bool ever)
{
    enum { FEWEST = 10 };
    const bool some = TESTS_ARE_SLOW && !getenv("NOMEM_ALL");
    recording = some;
    const long known = some ? count_points(j) : 0;
    recording = false;
    long n = 1;
    while (n < MOST && ((n <= known && !is_new(n)) || one_run(j, n, ever, 1, false)))
        n++;
    if (n - 1 < FEWEST || n == MOST)
        fail_msg("%s: %ld allocation points", jobs[j].name, n - 1);
    return n - 1;
}

/* ---- tests */

static void test_nomem__every_single_allocation_of_a_small_job_may_fail(void **state)
{
    (void)state;
    for (size_t j = 0; j < JOBS; j++) {
        expect_of(j, FEW_ROWS);
        const long once = until_it_passes(j, false);
        const long ever = until_it_passes(j, true);
        print_message("    %-34s %5ld points once, %5ld for ever\n", jobs[j].name, once, ever);
    }
}

static void test_nomem__allocations_of_a_larger_job_may_fail(void **state)
{
    enum { SAMPLES = 20 };
    (void)state;
    for (size_t j = 0; j < JOBS; j++) {
        expect_of(j, MANY_ROWS);
        const long all = count_points(j);
        for (int i = 0; i < SAMPLES; i++)
            one_run(j, 1 + all * i / SAMPLES, i & 1, 1, false);
        print_message("    %-34s %5ld points\n", jobs[j].name, all);
    }
}

static void test_nomem__a_context_may_find_no_memory(void **state)
{
    (void)state;
    expect_of(0, FEW_ROWS);
    for (int threads = 1; threads <= 3; threads += 2)
        for (long n = 1; n <= 40; n++)
            for (int ever = 0; ever < 2; ever++)
                one_run(0, n, ever, threads, true);
}

/* Data memory is mapped from a size on; every size is given back to where it came from. */
static void test_nomem__sizes_around_the_smallest_mapping_are_given_back(void **state)
{
    (void)state;
    static char text[70000];
    const size_t alive_before = n_alive, strangers_before = strangers;
    spark_context *sc = context_of(1);
    for (size_t middle = 4096; middle <= 65536; middle *= 2)
        for (size_t n = middle - 300; n < middle + 300; n += 4) {
            SPARK_SCOPED(sc);
            const spark_str s = { text, n };
            assert_non_null(spark_broadcast_new(sc, SPARK_VALUE(spark_str, &s)));
        }
    spark_context_free(sc);
    assert_int_equal(strangers, strangers_before);
    assert_int_equal(n_alive, alive_before);
}

static void test_nomem__a_refused_thread_only_means_fewer(void **state)
{
    (void)state;
    bool fewer = false;
    for (long n = 1; n <= 40; n++) {
        arm(n, false);
        spark_context *sc = context_of(3);
        disarm();
        const int threads = spark_context_threads(sc);
        fewer |= threads > 0 && threads < 3;
        spark_context_free(sc);
    }
    assert_true(fewer);
}

static void test_nomem__random_failures_on_four_threads(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (size_t j = 0; j < JOBS; j++) {
        expect_of(j, MANY_ROWS);
        const uint64_t all = (uint64_t)count_points(j) + 10;
        for (int i = 0; i < 24; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            one_run(j, (long)(random % all) + 1, random >> 32 & 1, 4, random >> 33 & 1);
        }
    }
}

static int make_files(void **state)
{
    (void)state;
    char path[200];
    signal(SIGALRM, hangs);
    /* In memory, where there is some: files that are saved wait for the disk. */
    snprintf(scratch, sizeof scratch, "%s/spark-nomem-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(scratch))
        return -1;
    for (int d = 0; d < 2; d++) {
        snprintf(path, sizeof path, "%s/in%d", scratch, d);
        if (mkdir(path, 0700) != 0)
            return -1;
        snprintf(path, sizeof path, "%s/in%d/a.txt", scratch, d);
        FILE *file = fopen(path, "wb");
        if (!file)
            return -1;
        for (int i = 0; i < LINES; i++)
            fprintf(file, "line %d of the file %d, and word%d\n", i, d, i % 50);
        fclose(file);
    }
    snprintf(path, sizeof path, "gzip -c %s/in0/a.txt > %s/packed.gz", scratch, scratch);
    return system(path); /* NOLINT */
}

static int remove_all(void **state)
{
    (void)state;
    remove_files(scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nomem__a_context_may_find_no_memory),
        cmocka_unit_test(test_nomem__a_refused_thread_only_means_fewer),
        cmocka_unit_test(test_nomem__sizes_around_the_smallest_mapping_are_given_back),
        cmocka_unit_test(test_nomem__every_single_allocation_of_a_small_job_may_fail),
        cmocka_unit_test(test_nomem__allocations_of_a_larger_job_may_fail),
        cmocka_unit_test(test_nomem__random_failures_on_four_threads),
    };
    return cmocka_run_group_tests(tests, make_files, remove_all);
}
