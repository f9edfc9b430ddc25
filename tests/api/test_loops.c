/* SPDX-License-Identifier: Apache-2.0 */
/* Loops hold the memory of a few rounds, however many there are; what they let go of comes back from
 * its lineage when it is missed, and what somebody can still name stays. */
#include "oracle.h"

enum { N = 40000, PARTITIONS = 5, EARLY = 5, LATE = 50 };

SPARK_PAIR(kv, int64_t, int64_t);

/* Each round: the value wanders to the next key, and grows. */
SPARK_MAP(wander, kv, kv)
{
    *out = (kv) { (in->key * 7 + 1) % N, in->value + in->key % 3 };
}
SPARK_MAP(first, int64_t, kv)
{
    *out = (kv) { *in, *in };
}
SPARK_MERGE(add_value, int64_t, kv)
{
    *acc = (int64_t)((uint64_t)*acc * 1 + (uint64_t)in->value * (uint64_t)(in->key + 1));
}
SPARK_MERGE(add_up, int64_t, int64_t)
{
    *acc += *in;
}

static int64_t digest(spark_rdd *rdd)
{
    spark_array all;
    assert_int_equal(
        spark_aggregate(rdd, SPARK_ZERO(int64_t), add_value, add_up, NULL, &all), SPARK_OK);
    const int64_t sum = *SPARK_ITEMS(int64_t, &all);
    spark_array_free(&all);
    return sum;
}

/* by_hand: the digest after so many rounds. */
static int64_t by_hand(int rounds)
{
    static kv rows[N];
    int64_t sum = 0;
    for (int64_t i = 0; i < N; i++)
        rows[i] = (kv) { i, i };
    for (int r = 0; r < rounds; r++)
        for (int64_t i = 0; i < N; i++)
            rows[i] = (kv) { (rows[i].key * 7 + 1) % N, rows[i].value + rows[i].key % 3 };
    for (int64_t i = 0; i < N; i++)
        sum = (int64_t)((uint64_t)sum + (uint64_t)rows[i].value * (uint64_t)(rows[i].key + 1));
    return sum;
}

static spark_rdd *begin(spark_context *sc)
{
    return spark_map(spark_range(sc, 0, N, 1, PARTITIONS), first, NULL);
}

/* step: two shuffles. */
static spark_rdd *step(spark_rdd *rows)
{
    spark_rdd *dealt = spark_repartition(spark_map(rows, wander, NULL), PARTITIONS);
    return spark_reduce_by_key(dealt, spark_op_sum, NULL, PARTITIONS);
}

/* one_round: *rows goes on by a round: with a job, in memory. */
static void one_round(spark_context *sc, spark_rdd **rows, bool run, bool cached)
{
    SPARK_SCOPED(sc);
    spark_rdd *next = cached ? spark_cache(step(*rows)) : step(*rows);
    if (run)
        digest(next);
    if (cached)
        spark_unpersist(*rows);
    spark_rdd_replace(rows, next);
}

static spark_context *open_with(int threads, const spark_fault *faults, size_t n)
{
    return oracle_open_conf(&(spark_conf) { .threads = threads, .faults = faults, .n_faults = n });
}

static spark_job_stats last_job(spark_context *sc)
{
    spark_job_stats stats;
    assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_OK);
    return stats;
}

static void stays_flat(bool cached)
{
    spark_context *sc = open_with(2, NULL, 0);
    spark_rdd *rows = begin(sc);
    uint64_t early = 0, late = 0;
    for (int i = 1; i <= LATE; i++) {
        one_round(sc, &rows, true, cached);
        const uint64_t now = spark_memory_bytes(sc, NULL);
        if (i <= EARLY)
            early = now > early ? now : early;
        else
            late = now > late ? now : late;
    }
    if (late > early + early / 8)
        fail_msg("%llu bytes in use by round %d, %llu later on", (unsigned long long)early, EARLY,
            (unsigned long long)late);
    assert_true(digest(rows) == by_hand(LATE));
    oracle_close(sc);
}

static void a_loop_that_caches_is_flat(void **state)
{
    (void)state;
    stays_flat(true);
}

static void a_loop_that_does_not_cache_is_flat(void **state)
{
    (void)state;
    stays_flat(false);
}

static uint64_t peak_of(int rounds)
{
    uint64_t peak;
    spark_context *sc = open_with(2, NULL, 0);
    spark_rdd *rows = begin(sc);
    for (int i = 0; i < rounds; i++)
        one_round(sc, &rows, false, false);
    assert_true(digest(rows) == by_hand(rounds));
    assert_int_equal(last_job(sc).recomputed_partitions, 0);
    spark_memory_bytes(sc, &peak);
    oracle_close(sc);
    return peak;
}

/* How many outputs of shuffles are there at once is a matter of when who looks: up to four more than in
 * the few rounds, where all of the many would be 72 more. */
static void rounds_of_one_job_are_flat(void **state)
{
    const uint64_t output = N * sizeof(kv), few = peak_of(4), many = peak_of(40);
    (void)state;
    if (many > few + 4 * output)
        fail_msg("4 rounds in one job take %llu bytes, 40 take %llu", (unsigned long long)few,
            (unsigned long long)many);
}

/* What somebody can name is read again, not made again. */
static void what_is_held_stays(void **state)
{
    (void)state;
    spark_context *sc = open_with(2, NULL, 0);
    spark_rdd *all[6] = { begin(sc) };
    for (int i = 1; i < 6; i++)
        all[i] = step(all[i - 1]);
    digest(all[5]);
    for (int i = 1; i < 6; i++) {
        assert_true(digest(all[i]) == by_hand(i));
        assert_int_equal(last_job(sc).recomputed_partitions, 0);
        assert_int_equal(last_job(sc).stage_attempts, 1);
    }
    oracle_close(sc);
}

/* One block of the last round is lost: what it was made from is kept. */
static void a_lost_block_costs_one_partition(void **state)
{
    enum { ROUNDS = 20 };
    const spark_fault fault = { SPARK_FAULT_BLOCK,
        .job = ROUNDS,
        .stage = SPARK_ANY,
        .partition = 2,
        .attempt = 0 };
    (void)state;
    spark_context *sc = open_with(2, &fault, 1);
    spark_rdd *rows = begin(sc);
    for (int i = 0; i < ROUNDS; i++)
        one_round(sc, &rows, true, true);
    assert_true(digest(rows) == by_hand(ROUNDS));
    assert_int_equal(last_job(sc).recomputed_partitions, 1);
    oracle_close(sc);
}

/* Everything of the last round is lost: all rounds are made again, and right. */
static void all_rounds_come_back(void **state)
{
    enum { ROUNDS = 12 };
    (void)state;
    spark_context *sc = open_with(2, NULL, 0);
    spark_rdd *rows = begin(sc);
    for (int i = 0; i < ROUNDS; i++)
        one_round(sc, &rows, true, true);
    assert_int_equal(spark_clean_shuffle_dependencies(rows), SPARK_OK);
    spark_unpersist(rows);
    assert_true(digest(rows) == by_hand(ROUNDS));
    /* Both shuffles of each round but, where it still was there, one. */
    assert_in_range(last_job(sc).recomputed_partitions, PARTITIONS * 2,
        PARTITIONS * 2 * ROUNDS);
    oracle_close(sc);
}

static void faults_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const spark_fault fault
            = { SPARK_FAULT_RANDOM, .seed = seed, .rate = seed % 2 ? 0.02 : 0.1 };
        const bool run = seed % 3 != 0, cached = seed % 4 < 2;
        spark_context *sc = open_with(1 + (int)(seed % 3), &fault, 1);
        spark_rdd *rows = begin(sc);
        for (int i = 0; i < 8; i++)
            one_round(sc, &rows, run, cached);
        assert_true(digest(rows) == by_hand(8));
        oracle_close(sc);
    }
}

/* Jobs at once: none loses what another reads. */
typedef struct looper {
    spark_context *sc;
    spark_rdd *base; /* shuffled, shared by all */
    int64_t found[6];
} looper;

static void *loop_beside(void *arg)
{
    looper *l = arg;
    SPARK_SCOPED(l->sc);
    spark_rdd *rows = spark_map(l->base, wander, NULL);
    for (int i = 0; i < 6; i++) {
        SPARK_SCOPED(l->sc);
        spark_rdd *next = spark_cache(step(rows));
        l->found[i] = digest(next);
        spark_unpersist(rows);
        spark_rdd_replace(&rows, next);
    }
    return NULL;
}

static void loops_at_once(void **state)
{
    enum { THREADS = 4 };
    (void)state;
    looper loopers[THREADS];
    pthread_t threads[THREADS];
    spark_context *sc = open_with(3, NULL, 0);
    spark_rdd *base = step(begin(sc));
    for (int i = 0; i < THREADS; i++) {
        loopers[i] = (looper) { .sc = sc, .base = base };
        assert_int_equal(pthread_create(&threads[i], NULL, loop_beside, &loopers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        for (int r = 0; r < 6; r++)
            assert_true(loopers[i].found[r] == by_hand(r + 3));
    oracle_close(sc);
}

/* cached_rounds: each round is persisted, and none is unpersisted. */
static void cached_rounds(spark_level level, bool shuffles)
{
    spark_context *sc = open_with(2, NULL, 0);
    spark_rdd *rows = spark_persist(begin(sc), level);
    spark_storage_info infos[LATE + 1];
    size_t most = 0;
    for (int i = 1; i <= LATE; i++) {
        SPARK_SCOPED(sc);
        spark_rdd *next = shuffles ? step(rows) : spark_map(rows, wander, NULL);
        spark_persist(next, level);
        digest(next);
        spark_rdd_replace(&rows, next);
        const size_t kept = spark_storage_infos(sc, infos, LATE + 1);
        most = i > EARLY && kept > most ? kept : most;
    }
    if (most > EARLY)
        fail_msg("%zu rounds are kept", most);
    assert_int_equal(spark_rdd_cached_partitions(rows), PARTITIONS);
    assert_true(spark_drop_block(rows, 1));
    assert_true(digest(rows) == by_hand(LATE));
    assert_in_range(last_job(sc).recomputed_partitions, 1, PARTITIONS + 1);
    for (int p = 0; p < PARTITIONS; p++)
        spark_drop_block(rows, p);
    assert_true(digest(rows) == by_hand(LATE));
    oracle_close(sc);
}

static void a_loop_that_never_unpersists_is_flat(void **state)
{
    (void)state;
    for (int shuffles = 0; shuffles < 2; shuffles++) {
        cached_rounds(SPARK_MEMORY_ONLY, shuffles);
        cached_rounds(SPARK_DISK_ONLY, shuffles);
    }
}

/* What a scope holds, and what it is read through, stays however many jobs run. */
static void what_is_cached_and_held_stays(void **state)
{
    (void)state;
    spark_context *sc = open_with(2, NULL, 0);
    spark_rdd *held = spark_cache(begin(sc));
    spark_rdd *over = spark_cache(spark_map(held, wander, NULL));
    spark_rdd *released = spark_cache(begin(sc));
    spark_rdd *through = spark_map(released, wander, NULL);
    digest(over);
    digest(through);
    spark_rdd_release(released);
    for (int i = 0; i < 3 * LATE; i++)
        digest(spark_map(over, wander, NULL));
    assert_int_equal(spark_rdd_cached_partitions(held), PARTITIONS);
    assert_int_equal(spark_rdd_cached_partitions(over), PARTITIONS);
    digest(through);
    assert_int_equal(last_job(sc).cached_reads, PARTITIONS);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(a_loop_that_caches_is_flat),
        oracle_test(a_loop_that_does_not_cache_is_flat),
        oracle_test(rounds_of_one_job_are_flat),
        oracle_test(what_is_held_stays),
        oracle_test(a_lost_block_costs_one_partition),
        oracle_test(all_rounds_come_back),
        oracle_test(faults_change_nothing),
        oracle_test(loops_at_once),
        oracle_test(a_loop_that_never_unpersists_is_flat),
        oracle_test(what_is_cached_and_held_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
