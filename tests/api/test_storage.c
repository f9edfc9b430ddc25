/* SPDX-License-Identifier: Apache-2.0 */
/* Levels of storage: whatever is kept, evicted, written, read back or lost, results are the bytes
 * that they are without a cache; and what is known of it all. */
#include "layouts.h"
#include "seeds.h"
#include "shapes.h"

#include <pthread.h>

#include <spark/storage.h>

enum { MIB = 1024 * 1024 };

static const spark_level levels[] = { SPARK_MEMORY_ONLY, SPARK_MEMORY_AND_DISK,
    SPARK_MEMORY_ONLY_SER, SPARK_MEMORY_AND_DISK_SER, SPARK_DISK_ONLY };

static bool has_disk(spark_level level)
{
    return level != SPARK_MEMORY_ONLY && level != SPARK_MEMORY_ONLY_SER;
}

/* ---- functions */

/* code_of: of number i; all of a value follows from it. */
typedef struct binding {
    const spark_type *type;
} binding;

static uint64_t code_of(int64_t i, const spark_type *type)
{
    return (uint64_t)(i * 7 + i / 11) % shape_codes(type);
}

static void make_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const spark_type *type = ((const binding *)env)->type;
    for (size_t i = 0; i < n; i++) {
        int64_t number;
        memcpy(&number, (const char *)in + i * in_step, sizeof number);
        shape_put(task, type, code_of(number, type), (char *)out + i * out_step);
    }
}

static spark_rdd *values_of(
    spark_context *sc, const spark_type *type, int64_t from, int64_t to, int partitions)
{
    const spark_map_def make
        = { "make", SPARK_TYPE(int64_t), type, sizeof(binding), make_run, NULL };
    const binding b = { type };
    return spark_map(spark_range(sc, from, to, 1, partitions), &make, SPARK_COPY(b));
}

SPARK_MAP(text_of, int64_t, spark_str)
{
    const int length = (int)(*in % 37);
    *out = spark_str_format(task, "%lld %.*s", (long long)*in, length,
        "the quick brown fox jumps over the lazy dog");
}
typedef const spark_accumulator *tally;
SPARK_MAP(seen, int64_t, int64_t, tally)
{
    spark_accumulate(task, *env, 1);
    *out = *in * 3;
}

/* same_digests: an action on the RDD gives what it should. */
static void same_digests(spark_rdd *rdd, const char *want)
{
    char *have = digests(rdd);
    if (!have)
        fail_msg("%s", spark_last_error()->message);
    assert_string_equal(have, want);
    free(have);
}

static char *plain_digests(spark_rdd *rdd)
{
    char *have = digests(rdd);
    if (!have)
        fail_msg("%s", spark_last_error()->message);
    return have;
}

static spark_storage_info info_of(const spark_rdd *rdd)
{
    spark_storage_info info;
    oracle_ok(spark_rdd_storage_info(rdd, &info));
    return info;
}

/* ---- any type, any level, any budget */

static const spark_fault some_faults[]
    = { { .kind = SPARK_FAULT_RANDOM,
        .job = SPARK_ANY,
        .stage = SPARK_ANY,
        .partition = SPARK_ANY,
        .attempt = SPARK_ANY,
        .rate = .2,
        .seed = 77 } };
static const spark_fault lost_blocks[]
    = { { .kind = SPARK_FAULT_BLOCK,
        .job = SPARK_ANY,
        .stage = SPARK_ANY,
        .partition = SPARK_ANY } };

static spark_conf draw_conf(uint64_t *dice)
{
    static const uint64_t budgets[] = { 0, 8 * MIB, 16 * MIB, 64 * MIB };
    static const int batches[] = { 0, 1, 7, 65536 };
    const uint64_t fault = oracle_below(dice, 3);
    return (spark_conf) { .threads = 1 + (int)oracle_below(dice, 2),
        .memory_bytes = budgets[oracle_below(dice, LENGTH(budgets))],
        .memory_storage_fraction = oracle_below(dice, 2) ? 0 : .1,
        .batch_rows = batches[oracle_below(dice, LENGTH(batches))],
        .stage_max_attempts = 1000,
        .faults = fault == 1 ? some_faults : lost_blocks,
        .n_faults = fault ? 1 : 0 };
}

/* one_draw: two persisted RDDs of one type on top of each other, read in turns. */
static void one_draw(uint64_t seed)
{
    uint64_t dice = seed;
    const spark_type *type = shape_draw(&dice, 0);
    const int64_t most = 3000 + (int64_t)oracle_below(&dice, 40000);
    const int64_t rows = type->size > 900 ? 400 : TESTS_WATCH_THREADS ? most / 8 : most;
    const int partitions = 1 + (int)oracle_below(&dice, 6);
    const spark_conf conf = draw_conf(&dice);
    const spark_level level = levels[oracle_below(&dice, LENGTH(levels))];
    const spark_level other = levels[oracle_below(&dice, LENGTH(levels))];
    spark_context *sc = oracle_open(1);
    char *want = plain_digests(values_of(sc, type, 0, rows, partitions));
    char *half = plain_digests(values_of(sc, type, rows, 2 * rows, partitions));
    oracle_close(sc);
    sc = oracle_open_conf(&conf);
    spark_rdd *first = spark_persist(values_of(sc, type, 0, rows, partitions), level);
    spark_rdd *second = spark_persist(values_of(sc, type, rows, 2 * rows, partitions), other);
    for (int round = 0; round < 3; round++) {
        same_digests(first, want);
        same_digests(second, half);
    }
    oracle_close(sc);
    free(want);
    free(half);
    shape_free_all();
}

static void test_storage__never_changes_a_byte(void **state)
{
    const seeds drawn = seeds_of("STORAGE", 30, TESTS_WATCH_THREADS ? 6 : 15);
    (void)state;
    for (uint64_t seed = drawn.first; seed < drawn.first + drawn.n; seed++)
        one_draw(seed);
}

/* ---- a partition larger than the budget */

static void test_storage__streams_a_partition_larger_than_memory(void **state)
{
    enum { ROWS = 600000 };
    (void)state;
    spark_context *sc = oracle_open(1);
    char *want = plain_digests(spark_map(spark_range(sc, 0, ROWS, 1, 2), text_of, NULL));
    oracle_close(sc);
    for (size_t i = 0; i < LENGTH(levels); i++) {
        sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 8 * MIB });
        spark_rdd *texts
            = spark_persist(spark_map(spark_range(sc, 0, ROWS, 1, 2), text_of, NULL), levels[i]);
        uint64_t peak;
        for (int round = 0; round < 2; round++)
            same_digests(texts, want);
        const spark_storage_info info = info_of(texts);
        assert_int_equal(info.cached_partitions, has_disk(levels[i]) ? 2 : 0);
        assert_int_equal(info.disk_partitions, has_disk(levels[i]) ? 2 : 0);
        assert_int_equal(info.memory_partitions, 0);
        assert_true(has_disk(levels[i]) ? info.disk_bytes > 2 * 8 * MIB : info.disk_bytes == 0);
        spark_memory_bytes(sc, &peak);
        assert_true(peak <= 8 * MIB);
        const spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(stats.cache_bytes_read, info.disk_bytes);
        assert_int_equal(stats.cached_reads, has_disk(levels[i]) ? 2 : 0);
        spark_unpersist(texts);
        assert_int_equal(info_of(texts).disk_bytes, 0);
        oracle_close(sc);
    }
    free(want);
}

/* ---- eviction */

static spark_rdd *mebibytes(spark_context *sc, int64_t first, int partitions, spark_level level)
{
    const int64_t a_partition = MIB / 8; /* numbers */
    return spark_persist(spark_range(sc, first, first + partitions * a_partition, 1, partitions),
        level);
}

static int64_t sum_of(spark_rdd *rdd)
{
    double sum;
    oracle_ok(spark_sum(rdd, &sum));
    return (int64_t)sum;
}

static void test_storage__evicts_what_was_read_longest_ago(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(levels) - 1; i++) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 16 * MIB });
        spark_rdd *old = mebibytes(sc, 5, 4, levels[i]), *older = mebibytes(sc, 1, 4, levels[i]);
        const int64_t old_sum = sum_of(old), older_sum = sum_of(older);
        assert_int_equal(sum_of(old), old_sum); /* read later than the other */
        assert_int_equal(info_of(old).memory_partitions, 4);
        assert_int_equal(info_of(older).memory_partitions, 4);
        spark_rdd *young = mebibytes(sc, 9, 6, levels[i]);
        sum_of(young);
        const spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(info_of(young).memory_partitions, 6);
        assert_int_equal(info_of(old).memory_partitions, 4);
        const int gone = 4 - info_of(older).memory_partitions;
        assert_in_range(gone, 1, 4);
        assert_int_equal(stats.evicted_blocks, gone);
        assert_int_equal(stats.cache_bytes_written, has_disk(levels[i]) ? gone * MIB : 0);
        assert_int_equal(info_of(older).disk_partitions, has_disk(levels[i]) ? gone : 0);
        assert_int_equal(info_of(older).cached_partitions, has_disk(levels[i]) ? 4 : 4 - gone);
        assert_int_equal(sum_of(older), older_sum);
        const spark_job_stats again = oracle_last_job(sc);
        assert_int_equal(again.cached_reads, has_disk(levels[i]) ? 4 : 4 - gone);
        assert_int_equal(again.cache_bytes_read, has_disk(levels[i]) ? gone * MIB : 0);
        assert_int_equal(again.recomputed_partitions, has_disk(levels[i]) ? 0 : gone);
        oracle_close(sc);
    }
}

static void test_storage__never_evicts_the_rdd_that_is_written(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 16 * MIB });
    spark_rdd *rdd = mebibytes(sc, 0, 24, SPARK_MEMORY_ONLY);
    const int64_t sum = sum_of(rdd);
    const int kept = info_of(rdd).cached_partitions;
    assert_in_range(kept, 8, 12); /* three quarters of the memory, and not half */
    assert_int_equal(oracle_last_job(sc).evicted_blocks, 0);
    assert_int_equal(sum_of(rdd), sum);
    assert_int_equal(oracle_last_job(sc).cached_reads, kept);
    assert_int_equal(info_of(rdd).cached_partitions, kept);
    oracle_close(sc);
}

static void test_storage__evicts_nothing_where_that_would_not_do(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 16 * MIB });
    spark_rdd *small = mebibytes(sc, 0, 2, SPARK_MEMORY_ONLY);
    sum_of(small);
    spark_rdd *large = spark_cache(spark_range(sc, 0, 2 * MIB, 1, 1)); /* 16 MiB in one block */
    sum_of(large);
    assert_int_equal(info_of(large).cached_partitions, 0);
    assert_int_equal(info_of(small).cached_partitions, 2);
    oracle_close(sc);
}

/* A block that was evicted comes back where there is room, and is not written again. */
static void test_storage__promotes_where_there_is_room(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 16 * MIB });
    spark_rdd *first = mebibytes(sc, 0, 8, SPARK_MEMORY_AND_DISK);
    const int64_t sum = sum_of(first);
    spark_rdd *second = mebibytes(sc, 0, 10, SPARK_MEMORY_AND_DISK);
    sum_of(second);
    const spark_storage_info evicted = info_of(first);
    assert_true(evicted.memory_partitions < 8);
    assert_int_equal(sum_of(first), sum);
    assert_int_equal(oracle_last_job(sc).evicted_blocks, 0);
    assert_true(info_of(first).memory_partitions < 8);
    spark_unpersist(second);
    assert_int_equal(sum_of(first), sum);
    spark_storage_info info = info_of(first);
    assert_int_equal(info.memory_partitions, 8);
    assert_int_equal(info.memory_bytes, 8 * MIB);
    assert_int_equal(info.disk_partitions, evicted.disk_partitions); /* both */
    assert_int_equal(info.cached_partitions, 8);
    spark_rdd *third = mebibytes(sc, 0, 10, SPARK_MEMORY_ONLY);
    sum_of(third);
    assert_true(oracle_last_job(sc).evicted_blocks > 0);
    assert_int_equal(sum_of(first), sum);
    oracle_close(sc);
}

SPARK_MAP(to_pair, int64_t, word)
{
    *out = (word) { (int32_t)(*in * 7919 % 200003), { NULL, 0 } };
}

/* Tasks take memory back from what is cached, and their results are right. */
static void test_storage__gives_memory_back_to_tasks(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(levels); i++) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 64 * MIB });
        spark_rdd *cached = mebibytes(sc, 0, 50, levels[i]);
        const int64_t sum = sum_of(cached);
        const uint64_t before = info_of(cached).memory_bytes;
        int64_t n;
        spark_rdd *pairs = spark_map(spark_range(sc, 0, 2000000, 1, 4), to_pair, NULL);
        oracle_ok(spark_count(spark_distinct(pairs, 8), &n));
        assert_int_equal(n, 200003);
        assert_true(levels[i] == SPARK_DISK_ONLY ? before == 0 : before > 32 * MIB);
        assert_true(info_of(cached).memory_bytes <= before);
        assert_int_equal(sum_of(cached), sum);
        oracle_close(sc);
    }
}

/* ---- what is known of it */

static void test_persist__has_one_level_at_a_time(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    assert_int_equal(spark_rdd_storage_level(rdd), SPARK_DEFAULT_LEVEL);
    assert_ptr_equal(spark_persist(rdd, SPARK_DISK_ONLY), rdd);
    assert_ptr_equal(spark_persist(rdd, SPARK_DISK_ONLY), rdd);
    assert_int_equal(spark_rdd_storage_level(rdd), SPARK_DISK_ONLY);
    for (size_t i = 0; i + 1 < LENGTH(levels); i++)
        oracle_fails(spark_rdd_status(spark_persist(rdd, levels[i])), SPARK_EINVAL,
            "Cannot change storage level");
    oracle_fails(spark_rdd_status(spark_cache(rdd)), SPARK_EINVAL, "it has DISK_ONLY");
    oracle_fails(spark_rdd_status(spark_persist(rdd, (spark_level)6)), SPARK_EINVAL,
        "there is no storage level 6");
    sum_of(rdd);
    assert_int_equal(info_of(rdd).disk_partitions, 2);
    spark_unpersist(rdd);
    assert_int_equal(spark_rdd_storage_level(rdd), SPARK_DEFAULT_LEVEL);
    assert_int_equal(info_of(rdd).cached_partitions, 0);
    assert_ptr_equal(spark_persist(rdd, SPARK_MEMORY_AND_DISK), rdd);
    sum_of(rdd);
    assert_int_equal(info_of(rdd).memory_partitions, 2);
    assert_int_equal(info_of(rdd).disk_partitions, 0);
    assert_string_equal(spark_level_name(SPARK_MEMORY_AND_DISK_SER), "MEMORY_AND_DISK_SER");
    assert_string_equal(spark_level_name(SPARK_DEFAULT_LEVEL), "NONE");
    assert_string_equal(spark_level_name((spark_level)-1), "NONE");
    oracle_close(sc);
}

static void test_infos__tell_what_is_kept_of_each(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_storage_info infos[4];
    spark_rdd *rdds[4];
    assert_int_equal(spark_storage_infos(sc, infos, 4), 0);
    assert_int_equal(spark_persistent_rdds(sc, rdds, 4), 0);
    spark_rdd *a = spark_cache(spark_range(sc, 0, 1000, 1, 4));
    spark_rdd *b = spark_persist(spark_range(sc, 0, 500, 1, 2), SPARK_DISK_ONLY);
    spark_rdd *c = spark_persist(spark_range(sc, 0, 100, 1, 2), SPARK_MEMORY_AND_DISK);
    spark_rdd_set_name(b, "on disk");
    assert_int_equal(spark_persistent_rdds(sc, rdds, 2), 3);
    assert_ptr_equal(rdds[0], a);
    assert_ptr_equal(rdds[1], b);
    assert_int_equal(spark_storage_infos(sc, infos, 4), 0); /* nothing has been computed */
    spark_array some;
    oracle_ok(spark_take(a, 3, NULL, &some));
    spark_array_free(&some);
    sum_of(b);
    assert_int_equal(spark_storage_infos(sc, infos, 4), 2);
    assert_int_equal(infos[0].rdd, spark_rdd_id(a));
    assert_null(infos[0].name);
    assert_int_equal(infos[0].level, SPARK_MEMORY_ONLY);
    assert_int_equal(infos[0].partitions, 4);
    assert_int_equal(infos[0].cached_partitions, 1);
    assert_int_equal(infos[0].memory_bytes, 250 * 8);
    assert_int_equal(infos[0].disk_bytes, 0);
    assert_string_equal(infos[1].name, "on disk");
    assert_int_equal(infos[1].level, SPARK_DISK_ONLY);
    assert_int_equal(infos[1].disk_bytes, 500 * 8);
    assert_int_equal(infos[1].memory_partitions, 0);
    assert_int_equal(infos[1].disk_partitions, 2);
    assert_int_equal(spark_storage_infos(sc, infos, 1), 2);
    spark_unpersist(a);
    spark_rdd_release(c);
    assert_int_equal(spark_persistent_rdds(sc, rdds, 4), 1);
    assert_ptr_equal(rdds[0], b);
    oracle_fails(spark_rdd_storage_info(NULL, infos), SPARK_EINVAL, "NULL");
    assert_int_equal(spark_storage_infos(NULL, infos, 1), 0);
    assert_int_equal(spark_persistent_rdds(NULL, rdds, 1), 0);
    oracle_close(sc);
}

static void test_debug_string__shows_memory_and_disk(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_persist(spark_range(sc, 0, 100, 1, 2), SPARK_DISK_ONLY);
    sum_of(rdd);
    const char *text = spark_to_debug_string(rdd);
    assert_non_null(strstr(text, "[Disk Serialized 1x Replicated]"));
    assert_non_null(strstr(text, "CachedPartitions: 2; MemorySize: 0 B; DiskSize: 800 B"));
    oracle_close(sc);
}

/* ---- accumulators, counters, errors */

/* Updates on the way to a block count once, however often it is evicted and made again. */
static void test_accumulators__count_blocks_once_whatever_becomes_of_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(levels); i++) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 8 * MIB });
        const spark_accumulator *count = spark_counter(sc, "seen");
        spark_rdd *rdd = spark_persist(
            spark_map(spark_range(sc, 0, MIB, 1, 16), seen, SPARK_COPY(count)), levels[i]);
        spark_rdd *other = mebibytes(sc, 0, 12, levels[i]);
        for (int round = 0; round < 3; round++) {
            sum_of(rdd);
            sum_of(other);
            spark_drop_block(rdd, round);
        }
        if (has_disk(levels[i])) /* else what was not kept is computed, and counted, again */
            assert_int_equal(spark_accumulator_value(count), MIB);
        else
            assert_true(spark_accumulator_value(count) >= MIB);
        oracle_close(sc);
    }
}

static void test_disk__that_cannot_be_written_is_an_error_that_says_so(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) {
        .threads = 1, .memory_bytes = 8 * MIB, .local_dir = "/nowhere/at/all" });
    spark_rdd *rdd = mebibytes(sc, 0, 3, SPARK_DISK_ONLY);
    int64_t n;
    oracle_fails(spark_count(rdd, &n), SPARK_EIO, "/nowhere/at/all");
    assert_int_equal(info_of(rdd).cached_partitions, 0);
    spark_rdd *fits = mebibytes(sc, 0, 4, SPARK_MEMORY_AND_DISK); /* evicted blocks are only lost */
    const int64_t sum = sum_of(fits);
    spark_rdd *others = mebibytes(sc, 0, 3, SPARK_MEMORY_ONLY);
    sum_of(others);
    assert_true(info_of(fits).cached_partitions < 4);
    assert_int_equal(info_of(fits).disk_partitions, 0);
    spark_unpersist(others);
    assert_int_equal(sum_of(fits), sum);
    oracle_close(sc);
}

/* ---- computed once */

static atomic_llong computed;

SPARK_MAP(slow, int64_t, int64_t)
{
    (void)task;
    if (*in % 64 == 0)
        nanosleep(&(struct timespec) { 0, 500000 }, NULL);
    atomic_fetch_add(&computed, 1);
    *out = *in;
}
SPARK_FILTER(is_none, int64_t)
{
    return *in < 0;
}
SPARK_MAP(slow_and_fails, int64_t, int64_t)
{
    slow_(task, in, out, NULL);
    if (*in % 100 == 99 && spark_task_attempt(task) == 0)
        spark_fail(task, "at its end");
}

enum { JOBS = 6, SHARED = 1600 };

static void *count_shared(void *rdd)
{
    int64_t n = -1;
    if (spark_count(rdd, &n) != SPARK_OK)
        n = -1;
    return (void *)(intptr_t)n;
}

/* jobs_at_once: JOBS threads count the RDD. */
static void jobs_at_once(spark_rdd *rdd)
{
    pthread_t threads[JOBS];
    void *n;
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_shared, rdd), 0);
    for (int i = 0; i < JOBS; i++) {
        pthread_join(threads[i], &n);
        assert_int_equal((intptr_t)n, SHARED);
    }
}

static void test_blocks__that_many_jobs_need_are_computed_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2)
        for (size_t i = 0; i < LENGTH(levels); i++) {
            spark_context *sc = oracle_open(threads);
            const spark_accumulator *count = spark_counter(sc, "seen");
            spark_rdd *once = spark_map(spark_range(sc, 0, SHARED, 1, 16), slow, NULL);
            spark_rdd *rdd = spark_persist(spark_map(once, seen, SPARK_COPY(count)), levels[i]);
            atomic_store(&computed, 0);
            jobs_at_once(spark_map(rdd, same, NULL));
            assert_int_equal(computed, SHARED);
            assert_int_equal(spark_accumulator_value(count), SHARED);
            oracle_close(sc);
        }
}

/* The only task of a job may run on the thread that waits for it. */
static void test_blocks__of_one_partition_are_computed_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        for (int round = 0; round < 5; round++) {
            spark_rdd *rdd = spark_cache(spark_map(spark_range(sc, 0, SHARED, 1, 1), slow, NULL));
            atomic_store(&computed, 0);
            jobs_at_once(rdd);
            assert_int_equal(computed, SHARED);
        }
        oracle_close(sc);
    }
}

/* Two persisted RDDs in one chain, and two stages of one job that share the first. */
static void test_blocks__of_a_chain_are_claimed_together(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(4);
    spark_rdd *first
        = spark_cache(spark_map(spark_range(sc, 0, SHARED, 1, 16), slow, NULL));
    spark_rdd *second = spark_cache(spark_map(first, same, NULL));
    spark_rdd *both = spark_union(spark_map(second, same, NULL), spark_map(first, same, NULL));
    atomic_store(&computed, 0);
    int64_t n;
    oracle_ok(spark_count(spark_distinct(both, 4), &n));
    assert_int_equal(n, SHARED);
    assert_int_equal(computed, SHARED);
    spark_unpersist(first);
    spark_persist(first, SPARK_DISK_ONLY);
    spark_unpersist(second);
    spark_cache(second);
    atomic_store(&computed, 0);
    jobs_at_once(second);
    assert_int_equal(computed, SHARED);
    oracle_close(sc);
}

/* Chains inside others: many tasks need one block of the right side, and of the left one. */
static void test_blocks__that_many_tasks_of_one_job_need_are_computed_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *left = spark_cache(spark_map(spark_range(sc, 0, 640, 1, 4), slow, NULL));
        spark_rdd *right = spark_persist(
            spark_map(spark_range(sc, 0, 640, 1, 5), slow, NULL), SPARK_DISK_ONLY);
        int64_t n;
        atomic_store(&computed, 0);
        oracle_ok(spark_count(spark_cartesian(left, right), &n));
        assert_int_equal(n, 640 * 640);
        assert_int_equal(computed, 2 * 640);
        spark_rdd *third = spark_cache(spark_map(spark_range(sc, 0, SHARED, 1, 8), slow, NULL));
        spark_rdd *zipped = spark_zip(spark_coalesce(third, 3), spark_coalesce(third, 3));
        spark_rdd *again = spark_keys(spark_zip(third, spark_map(third, same, NULL)));
        atomic_store(&computed, 0);
        jobs_at_once(spark_union(spark_keys(zipped), spark_filter(again, is_none, NULL)));
        assert_int_equal(computed, SHARED);
        oracle_close(sc);
    }
}

static void test_blocks__whose_attempt_fails_are_computed_by_who_waited(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 4) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = threads, .task_max_failures = 8 });
        spark_rdd *rdd
            = spark_cache(spark_map(spark_range(sc, 0, SHARED, 1, 16), slow_and_fails, NULL));
        jobs_at_once(rdd);
        assert_int_equal(info_of(rdd).cached_partitions, 16);
        oracle_close(sc);
    }
}

static void test_blocks__whose_job_is_cancelled_are_computed_by_who_waited(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(4);
    spark_rdd *rdd = spark_cache(spark_map(spark_range(sc, 0, SHARED, 1, 4), slow, NULL));
    for (int round = 0; round < 4; round++) {
        spark_future *future = spark_count_async(rdd);
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
        pthread_t threads[JOBS];
        void *n;
        for (int i = 0; i < JOBS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, count_shared, rdd), 0);
        spark_future_cancel(future);
        for (int i = 0; i < JOBS; i++) {
            pthread_join(threads[i], &n);
            assert_int_equal((intptr_t)n, SHARED);
        }
        spark_unpersist(rdd);
        spark_cache(rdd);
    }
    oracle_close(sc);
}

/* ---- many */

static void test_storage__of_thousands_of_rdds_and_blocks(void **state)
{
    enum { RDDS = TESTS_WATCH_THREADS ? 300 : 2000, PARTITIONS = TESTS_WATCH_THREADS ? 1000 : 20000 };
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 8 * MIB });
    static spark_storage_info infos[RDDS + 1];
    int64_t n;
    for (int i = 0; i < RDDS; i++) {
        oracle_ok(spark_count(spark_cache(spark_range(sc, 0, 4000, 1, 2)), &n));
        assert_int_equal(n, 4000);
    }
    const size_t kept = spark_storage_infos(sc, infos, RDDS + 1);
    assert_in_range(kept, 50, RDDS - 1);
    for (size_t i = 1; i < kept; i++)
        assert_true(infos[i - 1].rdd < infos[i].rdd);
    assert_int_equal(infos[kept - 1].rdd, RDDS - 1);
    spark_rdd *many = spark_cache(spark_range(sc, 0, PARTITIONS * 10, 1, PARTITIONS));
    for (int round = 0; round < 2; round++) {
        oracle_ok(spark_count(many, &n));
        assert_int_equal(n, PARTITIONS * 10);
    }
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_storage__never_changes_a_byte),
        oracle_test(test_storage__streams_a_partition_larger_than_memory),
        oracle_test(test_storage__evicts_what_was_read_longest_ago),
        oracle_test(test_storage__never_evicts_the_rdd_that_is_written),
        oracle_test(test_storage__evicts_nothing_where_that_would_not_do),
        oracle_test(test_storage__promotes_where_there_is_room),
        oracle_test(test_storage__gives_memory_back_to_tasks),
        oracle_test(test_persist__has_one_level_at_a_time),
        oracle_test(test_infos__tell_what_is_kept_of_each),
        oracle_test(test_debug_string__shows_memory_and_disk),
        oracle_test(test_accumulators__count_blocks_once_whatever_becomes_of_them),
        oracle_test(test_disk__that_cannot_be_written_is_an_error_that_says_so),
        oracle_test(test_blocks__that_many_jobs_need_are_computed_once),
        oracle_test(test_blocks__of_one_partition_are_computed_once),
        oracle_test(test_blocks__of_a_chain_are_claimed_together),
        oracle_test(test_blocks__that_many_tasks_of_one_job_need_are_computed_once),
        oracle_test(test_blocks__whose_attempt_fails_are_computed_by_who_waited),
        oracle_test(test_blocks__whose_job_is_cancelled_are_computed_by_who_waited),
        oracle_test(test_storage__of_thousands_of_rdds_and_blocks),
    };
    const char *only = getenv("STORAGE_TEST");
    if (only)
        cmocka_set_test_filter(only);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
