/* SPDX-License-Identifier: Apache-2.0 */
/* Further cases of Spark's BlockManagerSuite, MemoryStoreSuite, FailureSuite and DistributedSuite about blocks: whom
 * a new one pushes out, what is told of them, and what becomes of them where a disk fails. As in storage_suites.c
 * three blocks of 3 MiB find room. */
#include "gate.h"

enum { MIB = 1024 * 1024, A_BLOCK = 3 * MIB / 8 };

static spark_context *open_store(const spark_fault *faults, size_t n_faults)
{
    return oracle_open_conf(&(spark_conf) {
        .threads = 1, .memory_bytes = 16 * MIB, .faults = faults, .n_faults = n_faults });
}

static spark_rdd *blocks_of(spark_context *sc, int n, spark_level level)
{
    return spark_persist(spark_range(sc, 0, (int64_t)n * A_BLOCK, 1, n), level);
}
static void put(spark_rdd *rdd)
{
    assert_int_equal(oracle_count(rdd) % A_BLOCK, 0);
}
static spark_storage_info info_of(spark_rdd *rdd)
{
    spark_storage_info info;
    oracle_ok(spark_rdd_storage_info(rdd, &info));
    return info;
}
/* kept: in memory and on disk, so many blocks each. */
static void kept(spark_rdd *rdd, int in_memory, int on_disk)
{
    const spark_storage_info info = info_of(rdd);
    assert_int_equal(info.memory_partitions, in_memory);
    assert_int_equal(info.disk_partitions, on_disk);
    assert_int_equal(info.memory_bytes, (uint64_t)in_memory * 3 * MIB);
    assert_true(info.disk_bytes >= (uint64_t)on_disk * 3 * MIB && (on_disk > 0 || info.disk_bytes == 0));
}

/* ---- whom a new block pushes out */

/* SPARK-1194: the blocks of the RDD that is written stay, though those of another one were read later. */
static void block_manager_suite__the_same_rdd_rule_for_cache_replacement(void **state)
{
    (void)state;
    spark_context *sc = open_store(NULL, 0);
    spark_rdd *rdd0 = blocks_of(sc, 3, SPARK_MEMORY_ONLY), *rdd1 = blocks_of(sc, 2, SPARK_MEMORY_ONLY);
    spark_array some;
    oracle_ok(spark_take(rdd0, 1, NULL, &some)); /* which computes its first partition */
    spark_array_free(&some);
    put(rdd1);
    put(rdd1);
    kept(rdd0, 1, 0);
    kept(rdd1, 2, 0);
    put(rdd0);
    kept(rdd0, 3, 0);
    kept(rdd1, 0, 0);
    assert_int_equal(oracle_last_job(sc).cached_reads, 1);
    assert_int_equal(oracle_last_job(sc).evicted_blocks, 2);
    oracle_close(sc);
}

/* stands: reads the first row of a block, then stands at the gate with the block in its hands. */
SPARK_PARTITIONS(stands, int64_t, int64_t, gate_ref)
{
    int64_t n = 0;
    for (; spark_next(in); n++)
        if (n == 0)
            gate_wait(*env, task);
    spark_emit(out, n);
}

/* Three blocks are read: whoever wants to put a fourth finds nothing to push out, and goes on without. */
static void block_manager_suite__read_locked_blocks_cannot_be_evicted(void **state)
{
    (void)state;
    gate g;
    int64_t n;
    gate_init(&g);
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 4, .memory_bytes = 256 * MIB });
    enum { LARGE = 60 * MIB / 8 }; /* three find room in three quarters of it */
    spark_rdd *blocks[4];
    for (int i = 0; i < 4; i++)
        blocks[i] = spark_cache(spark_range(sc, 0, LARGE, 1, 1));
    spark_rdd *three = spark_union(spark_union(blocks[0], blocks[1]), blocks[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(blocks[i]), LARGE);
    spark_future *reading = spark_count_async(spark_map_partitions(three, stands, SPARK_COPY(g.state)));
    assert_true(gate_await(&g, 3));
    assert_int_equal(oracle_count(blocks[3]), LARGE);
    for (int i = 0; i < 4; i++)
        assert_int_equal(info_of(blocks[i]).memory_partitions, i < 3);
    gate_open(&g);
    oracle_ok(spark_future_count(reading, &n));
    assert_int_equal(n, 3);
    assert_int_equal(oracle_count(blocks[3]), LARGE); /* which finds room now */
    assert_int_equal(info_of(blocks[3]).memory_partitions, 1);
    assert_int_equal(spark_storage_infos(sc, NULL, 0), 3);
    oracle_close(sc);
    gate_fini(&g);
}

/* A block too large for the memory goes to disk as it is made, or is passed on, and pushes nobody out. */
static void memory_store_suite__unrolls_safely_to_disk(void **state)
{
    (void)state;
    spark_context *sc = open_store(NULL, 0);
    spark_rdd *b1 = blocks_of(sc, 1, SPARK_MEMORY_AND_DISK), *b2 = blocks_of(sc, 1, SPARK_MEMORY_AND_DISK);
    spark_rdd *large = spark_persist(spark_range(sc, 0, 8 * A_BLOCK, 1, 1), SPARK_MEMORY_AND_DISK);
    put(b1);
    put(b2);
    put(large);
    kept(b1, 1, 0);
    kept(b2, 1, 0);
    assert_int_equal(info_of(large).memory_partitions, 0);
    assert_int_equal(info_of(large).disk_partitions, 1);
    assert_true(oracle_last_job(sc).cache_bytes_written >= 24 * MIB);
    put(large);
    assert_int_equal(oracle_last_job(sc).cached_reads, 1);
    assert_true(oracle_last_job(sc).cache_bytes_read >= 24 * MIB);
    oracle_close(sc);
}

/* ---- what is told of blocks */

static void block_manager_suite__query_block_statuses(void **state)
{
    (void)state;
    spark_context *sc = open_store(NULL, 0);
    spark_rdd *list1 = blocks_of(sc, 1, SPARK_MEMORY_ONLY), *list2 = blocks_of(sc, 1, SPARK_MEMORY_AND_DISK);
    spark_rdd *list3 = blocks_of(sc, 1, SPARK_DISK_ONLY);
    put(list1);
    put(list2);
    put(list3);
    kept(list1, 1, 0);
    kept(list2, 1, 0);
    kept(list3, 0, 1);
    spark_storage_info infos[4];
    assert_int_equal(spark_storage_infos(sc, infos, 4), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(infos[i].rdd, spark_rdd_id(i == 0 ? list1 : i == 1 ? list2 : list3));
    oracle_close(sc);
}

/* What a job has changed: put, pushed out with a disk and without, read back, dropped. */
static void block_manager_suite__updated_block_statuses(void **state)
{
    (void)state;
    spark_context *sc = open_store(NULL, 0);
    spark_rdd *list1 = blocks_of(sc, 1, SPARK_MEMORY_AND_DISK), *list2 = blocks_of(sc, 1, SPARK_MEMORY_ONLY);
    spark_rdd *list3 = blocks_of(sc, 1, SPARK_MEMORY_ONLY);
    put(list1);
    put(list2);
    put(list3);
    assert_int_equal(oracle_last_job(sc).cached_blocks, 1);
    assert_int_equal(oracle_last_job(sc).evicted_blocks, 0);
    spark_rdd *list4 = blocks_of(sc, 1, SPARK_MEMORY_ONLY), *list5 = blocks_of(sc, 1, SPARK_DISK_ONLY);
    put(list4); /* list1 goes to disk */
    assert_int_equal(oracle_last_job(sc).evicted_blocks, 1);
    assert_in_range(oracle_last_job(sc).cache_bytes_written, 3 * MIB, 4 * MIB);
    kept(list1, 0, 1);
    put(list5); /* which needs no memory */
    assert_int_equal(oracle_last_job(sc).evicted_blocks, 0);
    assert_in_range(oracle_last_job(sc).cache_bytes_written, 3 * MIB, 4 * MIB);
    put(list5);
    assert_in_range(oracle_last_job(sc).cache_bytes_read, 3 * MIB, 4 * MIB);
    assert_int_equal(oracle_last_job(sc).cached_blocks, 0);
    spark_rdd *list6 = blocks_of(sc, 1, SPARK_MEMORY_ONLY);
    put(list6); /* list2 is gone */
    assert_int_equal(oracle_last_job(sc).evicted_blocks, 1);
    assert_int_equal(oracle_last_job(sc).cache_bytes_written, 0);
    kept(list2, 0, 0);
    oracle_close(sc);
}

/* ---- where disks fail */

/* SPARK-17484: a put that fails leaves no block behind, nor half of one; the next attempt puts it. */
static void block_manager_suite__no_block_stays_of_a_put_that_failed(void **state)
{
    (void)state;
    const spark_fault once = { SPARK_FAULT_WRITE, SPARK_ANYWHERE }, ever = { SPARK_FAULT_WRITE, SPARK_ANYWHERE,
        .times = SPARK_ANY };
    spark_context *sc = open_store(&once, 1);
    spark_rdd *rdd = blocks_of(sc, 1, SPARK_DISK_ONLY);
    put(rdd);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 1);
    assert_int_equal(oracle_last_job(sc).cached_blocks, 1);
    kept(rdd, 0, 1);
    oracle_close(sc);
    int64_t n;
    sc = open_store(&ever, 1);
    rdd = blocks_of(sc, 1, SPARK_DISK_ONLY);
    assert_int_equal(spark_count(rdd, &n), SPARK_EIO);
    kept(rdd, 0, 0);
    assert_int_equal(spark_storage_infos(sc, NULL, 0), 0);
    spark_faults_enable(sc, false);
    put(rdd);
    kept(rdd, 0, 1);
    oracle_close(sc);
}

/* SPARK-22083: a block that cannot be written when it is pushed out goes, its job does not notice, and others can
 * be pushed out and read back as ever. */
static void memory_store_suite__an_eviction_that_fails_harms_nobody(void **state)
{
    (void)state;
    const spark_fault once = { SPARK_FAULT_WRITE, SPARK_ANYWHERE };
    spark_context *sc = open_store(&once, 1);
    spark_rdd *b[6];
    for (int i = 0; i < 6; i++)
        b[i] = blocks_of(sc, 1, SPARK_MEMORY_AND_DISK);
    for (int i = 0; i < 6; i++) {
        put(b[i]);
        assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
        assert_int_equal(oracle_last_job(sc).evicted_blocks, i >= 3);
    }
    kept(b[0], 0, 0);
    for (int i = 1; i < 6; i++) {
        put(b[i]);
        assert_int_equal(oracle_last_job(sc).cached_reads, 1);
    }
    put(b[0]);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
    oracle_close(sc);
}

/* SPARK-15736: blocks on disk that cannot be read any more: each task misses its own once, and it is made again. */
static void failure_suite__cached_partitions_missing_from_disk(void **state)
{
    (void)state;
    const spark_fault damage[] = { { SPARK_FAULT_CORRUPT, .job = 1, .partition = 0 },
        { SPARK_FAULT_CORRUPT, .job = 1, .partition = 1 } };
    spark_context *sc = open_store(damage, 2);
    spark_rdd *rdd = blocks_of(sc, 2, SPARK_DISK_ONLY);
    put(rdd);
    put(rdd);
    assert_int_equal(oracle_last_job(sc).lost_inputs, 2);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 2);
    put(rdd);
    assert_int_equal(oracle_last_job(sc).cached_reads, 2);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 0);
    oracle_close(sc);
}

/* ---- tasks that fail */

/* holds_much_and_fails: SPARK-9266: what an attempt holds when it fails neither hides why, nor stays. */
SPARK_PARTITIONS(holds_much_and_fails, int64_t, int64_t)
{
    (void)in;
    (void)out;
    if (spark_alloc(task, 2 * MIB))
        spark_fail(task, "intentional task failure");
}
static void failure_suite__memory_that_a_task_holds_masks_no_failure(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = open_store(NULL, 0);
    const uint64_t before = spark_memory_bytes(sc, NULL);
    spark_rdd *rdd = spark_map_partitions(spark_range(sc, 0, 1, 1, 1), holds_much_and_fails, NULL);
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "intentional task failure");
    assert_true(spark_memory_bytes(sc, NULL) < before + MIB);
    oracle_close(sc);
}

/* says_which: fails in words that tell the attempt. */
SPARK_PARTITIONS(says_which, int64_t, int64_t)
{
    const int64_t *x = spark_next(in);
    if (x && *x == 3)
        spark_fail(task, "oops, failed=%d", spark_task_attempt(task) + 1);
    else if (x)
        spark_emit(out, *x * *x);
}
static void failure_suite__the_last_cause_is_told(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local[1,2]" });
    oracle_fails(spark_count(spark_map_partitions(spark_range(sc, 1, 4, 1, 3), says_which, NULL), &n), SPARK_ETASK,
        "oops, failed=2");
    assert_int_equal(oracle_last_job(sc).failed_tasks, 2);
    assert_int_equal(oracle_last_job(sc).tasks, 2);
    oracle_close(sc);
}

/* ---- a cluster's broadcasts */

SPARK_LIST(i64_list, int64_t);
SPARK_MAP(sum_of_all, int64_t, int64_t, i64_list)
{
    (void)in;
    *out = 0;
    for (size_t i = 0; i < env->n; i++)
        *out += env->at[i];
}
static void distributed_suite__broadcast_variables(void **state)
{
    (void)state;
    int64_t numbers[100] = { 0 };
    const i64_list all = { numbers, 100 };
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,512]" });
    spark_broadcast *shared = spark_broadcast_new(sc, SPARK_VALUE(i64_list, &all));
    numbers[2] = 3; /* which no executor sees */
    spark_array sum;
    spark_rdd *sums = spark_map(spark_range(sc, 1, 11, 1, 10), sum_of_all, SPARK_SHARED(shared));
    oracle_ok(spark_reduce(sums, spark_op_sum, NULL, SPARK_TYPE(int64_t), &sum));
    assert_int_equal(sum.n, 1);
    assert_int_equal(SPARK_ITEMS(int64_t, &sum)[0], 0);
    spark_array_free(&sum);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(block_manager_suite__the_same_rdd_rule_for_cache_replacement),
        oracle_test(block_manager_suite__read_locked_blocks_cannot_be_evicted),
        oracle_test(memory_store_suite__unrolls_safely_to_disk),
        oracle_test(block_manager_suite__query_block_statuses),
        oracle_test(block_manager_suite__updated_block_statuses),
        oracle_test(block_manager_suite__no_block_stays_of_a_put_that_failed),
        oracle_test(memory_store_suite__an_eviction_that_fails_harms_nobody),
        oracle_test(failure_suite__cached_partitions_missing_from_disk),
        oracle_test(failure_suite__memory_that_a_task_holds_masks_no_failure),
        oracle_test(failure_suite__the_last_cause_is_told),
        oracle_test(distributed_suite__broadcast_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
