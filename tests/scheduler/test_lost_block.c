/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks on disk that are not what was written: the job computes them again, exactly them, and
 * gives the right answer, also where a failed task would end it. */
#include "support/oracle.h"

#include <unistd.h>

#include "plan/context.h"
#include "plan/rdd.h"
#include "storage/block.h"

enum { ROWS = 1200000, PARTITIONS = 4 };

SPARK_MAP(plus_one, int64_t, int64_t)
{
    *out = *in + 1;
}
SPARK_MAP(text_of, int64_t, spark_str)
{
    *out = spark_str_format(task, "number %lld", (long long)*in);
}

/* damage: flips a bit of a piece of the block of a partition. */
static void damage(const spark_rdd *rdd, int partition, size_t piece, bool tail)
{
    spk_block *block = spk_blocks_get(rdd->blocks, partition);
    assert_non_null(block);
    assert_true(block->disk_rows.n > piece);
    const spk_disk_run *run = &block->disk_rows.at[piece];
    const off_t at = (off_t)(run->at + (tail ? run->row_bytes : 0));
    char byte;
    assert_int_equal(pread(block->tenant->store->spill.files[0].fd, &byte, 1, at), 1);
    byte = (char)(byte ^ 1);
    assert_int_equal(pwrite(block->tenant->store->spill.files[0].fd, &byte, 1, at), 1);
    spk_block_unpin(block);
}

static double sum_of(spark_rdd *rdd)
{
    double sum;
    oracle_ok(spark_sum(rdd, &sum));
    return sum;
}

static spark_context *open_once(int threads)
{
    char master[32];
    snprintf(master, sizeof master, "local[%d,1]", threads);
    return oracle_open_conf(&(spark_conf) { .master = master });
}

static void test_lost_block__is_computed_again_and_only_it(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 4)
        for (size_t piece = 0; piece < 3; piece++) {
            spark_context *sc = open_once(threads);
            spark_rdd *numbers = spark_range(sc, 0, ROWS, 1, PARTITIONS);
            spark_rdd *rdd = spark_persist(spark_map(numbers, plus_one, NULL), SPARK_DISK_ONLY);
            const double sum = sum_of(rdd);
            damage(rdd, 2, piece, false);
            assert_true(sum_of(rdd) == sum);
            const spark_job_stats stats = oracle_last_job(sc);
            assert_int_equal(stats.recomputed_partitions, 1);
            assert_int_equal(stats.lost_inputs, 1);
            assert_int_equal(stats.failed_tasks, 0);
            assert_int_equal(stats.cached_blocks, 1);
            assert_true(sum_of(rdd) == sum);
            assert_int_equal(oracle_last_job(sc).recomputed_partitions, 0);
            oracle_close(sc);
        }
}

static void test_lost_block__of_texts_before_a_shuffle(void **state)
{
    (void)state;
    spark_context *sc = open_once(2);
    spark_rdd *rdd = spark_persist(
        spark_map(spark_range(sc, 0, 60000, 1, PARTITIONS), text_of, NULL), SPARK_DISK_ONLY);
    int64_t n;
    oracle_ok(spark_count(spark_distinct(rdd, 3), &n));
    assert_int_equal(n, 60000);
    for (int p = 0; p < PARTITIONS; p++)
        damage(rdd, p, 0, p % 2);
    oracle_ok(spark_count(spark_distinct(rdd, 3), &n));
    assert_int_equal(n, 60000);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, PARTITIONS);
    assert_int_equal(oracle_last_job(sc).lost_inputs, PARTITIONS);
    oracle_close(sc);
}

static void test_lost_block__of_a_file_that_was_cut_off(void **state)
{
    (void)state;
    spark_context *sc = open_once(2);
    spark_rdd *rdd = spark_persist(
        spark_map(spark_range(sc, 0, ROWS, 1, PARTITIONS), plus_one, NULL), SPARK_DISK_ONLY);
    const double sum = sum_of(rdd);
    assert_int_equal(ftruncate(spk_blocks_store(rdd->blocks, 0)->spill.files[0].fd, 1000), 0);
    assert_true(sum_of(rdd) == sum);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, PARTITIONS);
    assert_true(sum_of(rdd) == sum);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 0);
    oracle_close(sc);
}

/* A shuffle above whose outputs have gone meanwhile is made again as well. */
static void test_lost_block__above_which_a_shuffle_was_cleaned(void **state)
{
    (void)state;
    spark_context *sc = open_once(2);
    spark_rdd *numbers = spark_distinct(spark_range(sc, 0, 10000, 1, PARTITIONS), 3);
    spark_rdd *rdd = spark_persist(numbers, SPARK_DISK_ONLY);
    const double sum = sum_of(rdd);
    oracle_ok(spark_clean_shuffle_dependencies(rdd));
    damage(rdd, 1, 0, false);
    assert_true(sum_of(rdd) == sum);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_lost_block__is_computed_again_and_only_it),
        oracle_test(test_lost_block__of_texts_before_a_shuffle),
        oracle_test(test_lost_block__of_a_file_that_was_cut_off),
        oracle_test(test_lost_block__above_which_a_shuffle_was_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
