/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that lie where a partitioner would put them: what is said of them is believed, saves the
 * shuffle, gives what a shuffle gives, and is checked in check mode. */
#include "oracle.h"

SPARK_PAIR(pair, int64_t, int64_t);

/* placed: pairs (k, x) for keys below 40, made where by_rest puts k. */
SPARK_PARTITIONER(by_rest, int64_t)
{
    return (uint32_t)(uint64_t)*key % partitions;
}
SPARK_PARTITIONS(make, int64_t, pair, int)
{
    while (spark_next(in))
        ;
    for (int64_t k = spark_task_partition(task); k < 40; k += *env)
        for (int64_t x = 0; x < 5; x++)
            spark_emit(out, (pair) { k, x * k });
}
SPARK_MERGE(add, int64_t, int64_t)
{
    *acc += *in;
}

static spark_rdd *placed(spark_context *sc, int partitions)
{
    return spark_map_partitions(
        spark_range(sc, 0, partitions, 1, partitions), make, SPARK_COPY(partitions));
}

static char *layout_of(spark_rdd *rdd)
{
    char *text = oracle_layout(rdd);
    if (!text)
        fail_msg("%s", spark_last_error()->message);
    return text;
}

static void test_assume__saves_the_shuffle_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++)
        for (int n = 1; n <= 7; n += 3) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            const spark_partitioner *p = spark_partitioner_new(sc, n, by_rest, NULL);
            const spark_keyed_options with = { 0, p };
            spark_rdd *rdd = placed(sc, n);
            spark_rdd *shuffled = spark_partition_by(rdd, p);
            spark_rdd *assumed = spark_assume_partitioner(rdd, p);
            assert_ptr_equal(spark_rdd_partitioner(assumed), p);
            assert_ptr_equal(spark_partition_by(assumed, p), assumed);
            assert_int_equal(spark_rdd_partitions(assumed), n);
            spark_rdd *made[][2] = {
                { spark_reduce_by_key_with(assumed, add, NULL, &with),
                    spark_reduce_by_key_with(shuffled, add, NULL, &with) },
                { spark_join(assumed, assumed, 0), spark_join(shuffled, shuffled, 0) },
                { spark_group_by_key(assumed, 0), spark_group_by_key(shuffled, 0) },
            };
            for (size_t i = 0; i < LENGTH(made); i++) {
                char *have = layout_of(made[i][0]);
                assert_int_equal(oracle_last_job(sc).stages, 1);
                char *want = layout_of(made[i][1]);
                assert_string_equal(have, want);
                free(have);
                free(want);
            }
            oracle_close(sc);
        }
}

static void test_assume__is_checked_in_check_mode(void **state)
{
    int64_t n;
    (void)state;
    for (int check = 0; check < 2; check++) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .check = check, .batch_rows = 7 });
        spark_rdd *rdd = placed(sc, 3);
        const spark_partitioner *right = spark_partitioner_new(sc, 3, by_rest, NULL);
        oracle_ok(spark_count(spark_assume_partitioner(rdd, right), &n));
        assert_int_equal(n, 200);
        spark_rdd *wrong = spark_assume_partitioner(rdd, spark_dense_partitioner(sc, 40, 3));
        if (!check) {
            oracle_ok(spark_count(wrong, &n));
        } else {
            /* Of partition 0 the first key that lies elsewhere is 15: row 25. */
            oracle_fails(spark_collect_partitions(wrong, 1, (int[]) { 0 }, NULL,
                             &(spark_array) { NULL, NULL, 0, NULL }),
                SPARK_ETASK, "the key 15 is in partition 0, and its place is 1");
            assert_int_equal(spark_last_error()->record, 25);
            assert_non_null(strstr(spark_last_error()->message, "assumePartitioner at "));
        }
        oracle_close(sc);
    }
}

static void test_assume__takes_partitioners_of_all_kinds(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .check = true });
    spark_rdd *rdd = placed(sc, 3);
    spark_rdd *sorted = spark_sort_by_key(rdd, NULL, 4);
    oracle_fails(
        spark_count(spark_assume_partitioner(rdd, spark_rdd_partitioner(sorted)), &n),
        SPARK_EINVAL, "there are 3 partitions, and the partitioner has 4");
    const int ranges = spark_rdd_partitions(sorted);
    assert_true(ranges > 1);
    spark_rdd *copy = spark_map_partitions(sorted, NULL, NULL); /* an error, to be passed on */
    oracle_fails(
        spark_count(spark_assume_partitioner(copy, spark_rdd_partitioner(sorted)), &n),
        SPARK_EINVAL, "the function is NULL");
    spark_rdd *as = spark_union_all(sc, 1, &sorted);
    oracle_ok(spark_count(spark_assume_partitioner(as, spark_rdd_partitioner(sorted)), &n));
    assert_int_equal(n, 200);
    spark_rdd *hashed = spark_partition_by(rdd, spark_hash_partitioner(sc, 5));
    oracle_ok(spark_count(spark_assume_partitioner(hashed, spark_hash_partitioner(sc, 5)), &n));
    /* The identity: keys that are numbers of partitions. */
    spark_rdd *numbers = spark_parallelize(
        sc, SPARK_LITERALS(pair, { 0, 7 }, { 1, 8 }, { 2, 9 }), 3);
    const spark_partitioner *identity = spark_dense_partitioner(sc, 3, 3);
    for (int64_t k = 0; k < 3; k++)
        assert_int_equal(spark_partitioner_get(identity, SPARK_VALUE(int64_t, &k)), k);
    spark_rdd *joined = spark_join(spark_assume_partitioner(numbers, identity),
        spark_assume_partitioner(numbers, identity), 0);
    oracle_has_layout(joined, "(0,(7,7)) | (1,(8,8)) | (2,(9,9))");
    assert_int_equal(oracle_last_job(sc).stages, 1);
    oracle_close(sc);
}

static void test_assume__tells_what_is_wrong(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2), *other = oracle_open(1);
    spark_rdd *rdd = placed(sc, 3);
    const spark_partitioner *p = spark_partitioner_new(sc, 4, by_rest, NULL);
    oracle_fails(spark_count(spark_assume_partitioner(rdd, p), &n), SPARK_EINVAL,
        "there are 3 partitions, and the partitioner has 4");
    oracle_fails(
        spark_count(spark_assume_partitioner(rdd, NULL), &n), SPARK_EINVAL, "partitioner is NULL");
    oracle_fails(
        spark_count(spark_assume_partitioner(NULL, p), &n), SPARK_EINVAL, "the RDD is NULL");
    oracle_fails(spark_count(spark_assume_partitioner(spark_range(sc, 0, 9, 1, 4), p), &n),
        SPARK_ETYPE, "pairs wanted, i64 found");
    oracle_fails(
        spark_count(spark_assume_partitioner(rdd, spark_hash_partitioner(other, 3)), &n),
        SPARK_EINVAL, "belongs to another context");
    oracle_close(other);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_assume__saves_the_shuffle_and_changes_nothing),
        oracle_test(test_assume__is_checked_in_check_mode),
        oracle_test(test_assume__takes_partitioners_of_all_kinds),
        oracle_test(test_assume__tells_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
