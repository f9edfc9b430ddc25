/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of Spark's BlockManagerSuite, MemoryStoreSuite, UnifiedMemoryManagerSuite,
 * DistributedSuite, SparkContextInfoSuite and UnpersistSuite that are about blocks: theirs are of
 * 4000 bytes in a store of 12000; here they are of 3 MiB, of which three find room. */
#include "suite.h"

enum { MIB = 1024 * 1024, A_BLOCK = 3 * MIB / 8 };

static spark_context *open_store(void)
{
    return oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 16 * MIB });
}

/* a_block: an RDD of one. put: computes it, or reads it. */
static spark_rdd *a_block(spark_context *sc, spark_level level)
{
    return spark_persist(spark_range(sc, 0, A_BLOCK, 1, 1), level);
}
static void put(spark_rdd *rdd)
{
    assert_true(oracle_count(rdd) % A_BLOCK == 0);
}
static spark_storage_info info_of(spark_rdd *rdd)
{
    spark_storage_info info;
    oracle_ok(spark_rdd_storage_info(rdd, &info));
    return info;
}
static bool in_memory(spark_rdd *rdd)
{
    return info_of(rdd).memory_partitions > 0;
}
static bool on_disk(spark_rdd *rdd)
{
    return info_of(rdd).disk_partitions > 0;
}

/* three: a1, a2, a3 are put, and a fourth. */
typedef struct three {
    spark_rdd *a1, *a2, *a3, *a4;
} three;
static three put_four(spark_context *sc, spark_level level)
{
    const three t
        = { a_block(sc, level), a_block(sc, level), a_block(sc, level), a_block(sc, level) };
    put(t.a1);
    put(t.a2);
    put(t.a3);
    put(t.a4);
    return t;
}

static void memory_lru(spark_level level)
{
    spark_context *sc = open_store();
    const three t = put_four(sc, level);
    assert_true(in_memory(t.a2) && in_memory(t.a3) && in_memory(t.a4));
    assert_false(in_memory(t.a1));
    put(t.a2); /* which makes it the one that was read last */
    put(t.a1);
    assert_true(in_memory(t.a1) && in_memory(t.a2) && in_memory(t.a4));
    assert_false(in_memory(t.a3));
    oracle_close(sc);
}

static void block_manager_suite__in_memory_lru_storage(void **state)
{
    (void)state;
    memory_lru(SPARK_MEMORY_ONLY);
}

static void block_manager_suite__in_memory_lru_storage_with_serialization(void **state)
{
    (void)state;
    memory_lru(SPARK_MEMORY_ONLY_SER);
}

static void block_manager_suite__in_memory_lru_for_partitions_of_the_same_rdd(void **state)
{
    (void)state;
    spark_context *sc = open_store();
    spark_rdd *rdd = spark_cache(spark_range(sc, 0, 4 * A_BLOCK, 1, 4));
    put(rdd);
    put(rdd);
    assert_int_equal(info_of(rdd).memory_partitions, 3);
    assert_false(spark_drop_block(rdd, 3)); /* the last one has not taken the place of another */
    oracle_close(sc);
}

static void block_manager_suite__in_memory_lru_for_partitions_of_multiple_rdds(void **state)
{
    (void)state;
    spark_context *sc = open_store();
    spark_rdd *first = spark_cache(spark_range(sc, 0, 3 * A_BLOCK, 1, 3));
    spark_rdd *second = spark_cache(spark_range(sc, 0, 3 * A_BLOCK, 1, 3));
    put(first);
    spark_array some;
    oracle_ok(spark_take(second, 1, NULL, &some)); /* drains the first partition */
    spark_array_free(&some);
    assert_int_equal(info_of(first).memory_partitions, 2);
    assert_int_equal(info_of(second).memory_partitions, 1);
    put(second); /* which takes the other two */
    assert_int_equal(info_of(first).memory_partitions, 0);
    assert_int_equal(info_of(second).memory_partitions, 3);
    oracle_close(sc);
}

static void block_manager_suite__on_disk_storage(void **state)
{
    (void)state;
    spark_context *sc = open_store();
    const three t = put_four(sc, SPARK_DISK_ONLY);
    assert_true(on_disk(t.a1) && on_disk(t.a2) && on_disk(t.a3) && on_disk(t.a4));
    assert_false(in_memory(t.a1) || in_memory(t.a4));
    put(t.a1);
    assert_int_equal(oracle_last_job(sc).cached_reads, 1);
    assert_false(in_memory(t.a1));
    oracle_close(sc);
}

static void disk_and_memory(spark_level level)
{
    spark_context *sc = open_store();
    const three t = put_four(sc, level);
    assert_true(in_memory(t.a2) && in_memory(t.a3) && in_memory(t.a4));
    assert_true(on_disk(t.a1) && !in_memory(t.a1));
    put(t.a1);
    assert_int_equal(oracle_last_job(sc).cached_reads, 1);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 0);
    spark_unpersist(t.a2);
    put(t.a1); /* Spark would have pushed another out for it before */
    assert_true(in_memory(t.a1) && on_disk(t.a1));
    oracle_close(sc);
}

static void block_manager_suite__disk_and_memory_storage(void **state)
{
    (void)state;
    disk_and_memory(SPARK_MEMORY_AND_DISK);
}

static void block_manager_suite__disk_and_memory_storage_with_serialization(void **state)
{
    (void)state;
    disk_and_memory(SPARK_MEMORY_AND_DISK_SER);
}

static void block_manager_suite__lru_with_mixed_storage_levels(void **state)
{
    (void)state;
    spark_context *sc = open_store();
    spark_rdd *a1 = a_block(sc, SPARK_MEMORY_ONLY_SER), *a2 = a_block(sc, SPARK_MEMORY_ONLY_SER);
    spark_rdd *a3 = a_block(sc, SPARK_DISK_ONLY), *a4 = a_block(sc, SPARK_MEMORY_AND_DISK_SER);
    put(a1);
    put(a2);
    put(a3); /* takes nothing of the memory */
    assert_true(in_memory(a1) && in_memory(a2) && on_disk(a3));
    put(a4);
    assert_true(in_memory(a1) && in_memory(a2) && in_memory(a4));
    spark_rdd *a5 = a_block(sc, SPARK_MEMORY_ONLY), *a6 = a_block(sc, SPARK_MEMORY_ONLY);
    spark_rdd *a7 = a_block(sc, SPARK_MEMORY_ONLY);
    put(a5);
    put(a6);
    put(a7);
    assert_int_equal(info_of(a1).cached_partitions, 0);
    assert_int_equal(info_of(a2).cached_partitions, 0);
    assert_true(on_disk(a4) && !in_memory(a4));
    oracle_close(sc);
}

static void block_manager_suite__overly_large_block(void **state)
{
    (void)state;
    spark_context *sc = open_store();
    spark_rdd *a1 = spark_persist(spark_range(sc, 0, 8 * A_BLOCK, 1, 1), SPARK_MEMORY_ONLY);
    spark_rdd *a2 = spark_persist(spark_range(sc, 0, 8 * A_BLOCK, 1, 1), SPARK_MEMORY_AND_DISK);
    put(a1);
    put(a2);
    assert_int_equal(info_of(a1).cached_partitions, 0);
    assert_true(on_disk(a2) && !in_memory(a2));
    put(a2);
    assert_int_equal(oracle_last_job(sc).cached_reads, 1);
    oracle_close(sc);
}

static void block_manager_suite__removing_an_rdd_removes_its_blocks(void **state)
{
    (void)state;
    spark_context *sc = open_store();
    spark_rdd *kept = a_block(sc, SPARK_MEMORY_ONLY), *gone = a_block(sc, SPARK_MEMORY_AND_DISK);
    put(kept);
    put(gone);
    const uint64_t before = spark_memory_bytes(sc, NULL);
    spark_unpersist(gone);
    assert_true(spark_memory_bytes(sc, NULL) <= before - 3 * MIB);
    assert_true(in_memory(kept));
    assert_int_equal(info_of(gone).cached_partitions, 0);
    oracle_close(sc);
}

static void block_manager_suite__removing_a_block(void **state)
{
    (void)state;
    spark_context *sc = open_store();
    spark_rdd *a1 = a_block(sc, SPARK_MEMORY_AND_DISK);
    put(a1);
    assert_true(spark_drop_block(a1, 0));
    assert_false(spark_drop_block(a1, 0));
    assert_false(in_memory(a1) || on_disk(a1));
    put(a1);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
    oracle_close(sc);
}

static void memory_store_suite__unrolls_safely(void **state)
{
    (void)state;
    /* A block that does not fit evicts nobody, is passed on whole, and gives its memory back. */
    spark_context *sc = open_store();
    spark_rdd *small = a_block(sc, SPARK_MEMORY_ONLY);
    put(small);
    const uint64_t before = spark_memory_bytes(sc, NULL);
    spark_rdd *large = spark_cache(spark_range(sc, 0, 8 * A_BLOCK, 1, 1));
    put(large);
    assert_true(in_memory(small));
    assert_int_equal(oracle_last_job(sc).evicted_blocks, 0);
    assert_in_range(spark_memory_bytes(sc, NULL), 0, before + MIB);
    oracle_close(sc);
}

static void memory_store_suite__unrolls_several_at_once(void **state)
{
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 4, .memory_bytes = 64 * MIB });
    spark_rdd *rdd = spark_cache(spark_range(sc, 0, 8 * A_BLOCK, 1, 8));
    put(rdd);
    assert_int_equal(info_of(rdd).memory_partitions, 8);
    oracle_close(sc);
}

/* ---- memory of tasks and of blocks */

SPARK_PAIR(numbered, int64_t, int64_t);
SPARK_MAP(spread, int64_t, numbered)
{
    (void)task;
    *out = (numbered) { *in * 7919 % 1000003, *in };
}

static int64_t shuffle_much(spark_context *sc)
{
    return oracle_count(spark_reduce_by_key(
        spark_map(spark_range(sc, 0, 1000000, 1, 4), spread, NULL), spark_op_sum, NULL, 8));
}

static void unified_memory_manager_suite__execution_evicts_cached_blocks(void **state)
{
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 64 * MIB });
    spark_rdd *rdd = spark_cache(spark_range(sc, 0, 16 * A_BLOCK, 1, 16));
    put(rdd);
    const int before = info_of(rdd).memory_partitions;
    assert_in_range(before, 12, 16);
    assert_int_equal(shuffle_much(sc), 1000000);
    const int after = info_of(rdd).memory_partitions;
    assert_in_range(after, 8, before); /* a half of the memory is left to them */
    oracle_close(sc);
}

static void unified_memory_manager_suite__storage_does_not_evict_execution(void **state)
{
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 64 * MIB });
    spark_rdd *sums = spark_reduce_by_key(
        spark_map(spark_range(sc, 0, 1000000, 1, 4), spread, NULL), spark_op_sum, NULL, 8);
    spark_rdd *cached = spark_cache(spark_values(sums));
    assert_int_equal(oracle_count(cached), 1000000);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 0);
    oracle_close(sc);
}

static void unified_memory_manager_suite__the_fraction_is_one(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .memory_storage_fraction = 1.5 });
    int64_t n;
    oracle_fails(spark_count(spark_range(sc, 0, 1, 1, 1), &n), SPARK_EINVAL,
        "memory_storage_fraction is 1.5");
    spark_context_free(sc);
}

/* ---- DistributedSuite */

static void caching(spark_level level)
{
    spark_context *sc = oracle_open(4);
    spark_rdd *data = spark_persist(spark_range(sc, 1, 1001, 1, 10), level);
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(data), 1000);
    assert_int_equal(oracle_last_job(sc).cached_reads, 10);
    const spark_storage_info info = info_of(data);
    assert_int_equal(info.cached_partitions, 10);
    assert_int_equal(info.memory_bytes + info.disk_bytes, 8000);
    oracle_close(sc);
}

static void distributed_suite__caching(void **state)
{
    (void)state;
    for (int level = SPARK_DEFAULT_LEVEL; level <= SPARK_DISK_ONLY; level++)
        caching((spark_level)level);
}

static void distributed_suite__computes_without_caching_when_nothing_fits(void **state)
{
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 8 * MIB });
    spark_rdd *data = spark_persist(spark_range(sc, 0, 4 * MIB, 1, 2), SPARK_MEMORY_ONLY_SER);
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(data), 4 * MIB);
    assert_int_equal(info_of(data).cached_partitions, 0);
    oracle_close(sc);
}

static void distributed_suite__computes_when_only_some_partitions_fit(void **state)
{
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 16 * MIB });
    spark_rdd *data = spark_persist(spark_range(sc, 0, 4 * MIB, 1, 20), SPARK_MEMORY_ONLY_SER);
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(data), 4 * MIB);
    assert_in_range(info_of(data).cached_partitions, 1, 19);
    oracle_close(sc);
}

/* ---- SparkContextInfoSuite, UnpersistSuite */

static void spark_context_info_suite__persistent_rdds_are_those_marked(void **state)
{
    spark_context *sc = *state;
    spark_rdd *rdds[2];
    spark_rdd *rdd = spark_range(sc, 1, 11, 1, 2);
    assert_int_equal(spark_persistent_rdds(sc, rdds, 2), 0);
    spark_cache(rdd);
    assert_int_equal(spark_persistent_rdds(sc, rdds, 2), 1);
    assert_ptr_equal(rdds[0], rdd);
    spark_cache(spark_range(sc, 1, 11, 1, 2));
    assert_int_equal(spark_persistent_rdds(sc, rdds, 2), 2);
}

static void spark_context_info_suite__storage_infos_are_of_what_is_there(void **state)
{
    spark_context *sc = *state;
    spark_storage_info info;
    spark_rdd *rdd = spark_cache(spark_range(sc, 1, 11, 1, 2));
    assert_int_equal(spark_storage_infos(sc, &info, 1), 0);
    oracle_count(rdd);
    assert_int_equal(spark_storage_infos(sc, &info, 1), 1);
    assert_int_equal(info.rdd, spark_rdd_id(rdd));
    assert_int_equal(info.cached_partitions, 2);
    assert_int_equal(info.memory_bytes, 80);
    assert_int_equal(info.disk_bytes, 0);
}

static void unpersist_suite__forgets_the_rdd(void **state)
{
    spark_context *sc = *state;
    spark_rdd *rdds[1];
    spark_rdd *rdd = spark_persist(spark_range(sc, 1, 4, 1, 2), SPARK_MEMORY_AND_DISK);
    oracle_count(rdd);
    assert_int_equal(spark_persistent_rdds(sc, rdds, 1), 1);
    spark_unpersist(rdd);
    assert_int_equal(spark_persistent_rdds(sc, rdds, 1), 0);
    assert_int_equal(oracle_count(rdd), 3);
    assert_int_equal(oracle_last_job(sc).cached_reads, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(block_manager_suite__in_memory_lru_storage),
        oracle_test(block_manager_suite__in_memory_lru_storage_with_serialization),
        oracle_test(block_manager_suite__in_memory_lru_for_partitions_of_the_same_rdd),
        oracle_test(block_manager_suite__in_memory_lru_for_partitions_of_multiple_rdds),
        oracle_test(block_manager_suite__on_disk_storage),
        oracle_test(block_manager_suite__disk_and_memory_storage),
        oracle_test(block_manager_suite__disk_and_memory_storage_with_serialization),
        oracle_test(block_manager_suite__lru_with_mixed_storage_levels),
        oracle_test(block_manager_suite__overly_large_block),
        oracle_test(block_manager_suite__removing_an_rdd_removes_its_blocks),
        oracle_test(block_manager_suite__removing_a_block),
        oracle_test(memory_store_suite__unrolls_safely),
        oracle_test(memory_store_suite__unrolls_several_at_once),
        oracle_test(unified_memory_manager_suite__execution_evicts_cached_blocks),
        oracle_test(unified_memory_manager_suite__storage_does_not_evict_execution),
        oracle_test(unified_memory_manager_suite__the_fraction_is_one),
        oracle_test(distributed_suite__caching),
        oracle_test(distributed_suite__computes_without_caching_when_nothing_fits),
        oracle_test(distributed_suite__computes_when_only_some_partitions_fit),
        suite_case(spark_context_info_suite__persistent_rdds_are_those_marked),
        suite_case(spark_context_info_suite__storage_infos_are_of_what_is_there),
        suite_case(unpersist_suite__forgets_the_rdd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
