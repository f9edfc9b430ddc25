/* SPDX-License-Identifier: Apache-2.0 */
/* What an RDD is made of, and how it is kept. */
#include "layouts.h"

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_MAP(keyed, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 7, *in };
}

/* is_made_of: the i-th of n dependencies. */
static void is_made_of(const spark_rdd *rdd, size_t n, size_t i, const spark_rdd *of, bool shuffled)
{
    bool shuffle = !shuffled;
    assert_int_equal(spark_rdd_n_dependencies(rdd), n);
    assert_ptr_equal(spark_rdd_dependency(rdd, i, &shuffle), of);
    assert_int_equal(shuffle, shuffled);
    assert_ptr_equal(spark_rdd_dependency(rdd, i, NULL), of);
}

static void test_dependencies__are_the_rdds_it_was_made_of(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *source = spark_range(sc, 0, 10, 1, 3), *other = spark_range(sc, 10, 15, 1, 2);
    assert_int_equal(spark_rdd_n_dependencies(source), 0);
    is_made_of(source, 0, 0, NULL, false);
    spark_rdd *pairs = spark_map(source, keyed, NULL);
    is_made_of(pairs, 1, 0, source, false);
    is_made_of(pairs, 1, 1, NULL, false);
    is_made_of(pairs, 1, SIZE_MAX, NULL, false);
    spark_rdd *both = spark_union(source, other);
    is_made_of(both, 2, 0, source, false);
    is_made_of(both, 2, 1, other, false);
    is_made_of(both, 2, 2, NULL, false);
    is_made_of(spark_zip(source, source), 2, 1, source, false);
    spark_rdd *sums = spark_reduce_by_key(pairs, spark_op_sum, NULL, 3);
    is_made_of(sums, 1, 0, pairs, true);
    /* A join of what is placed and what is not: only one side is shuffled. */
    spark_rdd *joined = spark_join(sums, pairs, 3);
    bool shuffle;
    int found[2] = { 0, 0 };
    for (const spark_rdd *at = joined; spark_rdd_n_dependencies(at) > 0;
         at = spark_rdd_dependency(at, 0, NULL)) {
        for (size_t i = 0; i < spark_rdd_n_dependencies(at); i++) {
            const spark_rdd *of = spark_rdd_dependency(at, i, &shuffle);
            assert_non_null(of);
            found[0] += of == sums && !shuffle;
            found[1] += of == pairs && shuffle && at != sums;
        }
        if (found[0] + found[1] > 0)
            break;
    }
    assert_int_equal(found[0], 1);
    assert_int_equal(found[1], 1);
    /* They are the same after an action. */
    assert_int_equal(oracle_count(sums), 7);
    is_made_of(sums, 1, 0, pairs, true);
    is_made_of(pairs, 1, 0, source, false);
    oracle_close(sc);
}

static void test_dependencies__of_a_long_chain(void **state)
{
    enum { LENGTH_OF_CHAIN = 1000 };
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *first = spark_range(sc, 0, 3, 1, 1), *rdd = first;
    for (int i = 0; i < LENGTH_OF_CHAIN; i++)
        rdd = spark_values(spark_coalesce(spark_map(rdd, keyed, NULL), 1));
    int steps = 0;
    while (spark_rdd_n_dependencies(rdd) > 0) {
        assert_int_equal(spark_rdd_n_dependencies(rdd), 1);
        rdd = spark_rdd_dependency(rdd, 0, NULL);
        steps++;
    }
    assert_ptr_equal(rdd, first);
    assert_int_equal(steps, 3 * LENGTH_OF_CHAIN);
    oracle_close(sc);
}

static void test_dependencies__live_as_long_as_the_rdd(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *kept = spark_range(sc, 0, 1, 1, 1);
    {
        SPARK_SCOPED(sc);
        spark_rdd_replace(&kept, spark_map(spark_range(sc, 0, 5, 1, 2), keyed, NULL));
    }
    spark_rdd *of = spark_rdd_dependency(kept, 0, NULL);
    assert_non_null(of);
    assert_int_equal(spark_rdd_partitions(of), 2);
    assert_ptr_equal(spark_rdd_type(of), SPARK_TYPE(int64_t));
    oracle_close(sc);
}

static void test_dependencies__of_what_is_none(void **state)
{
    bool shuffle = true;
    (void)state;
    spark_context *sc = oracle_open(1);
    assert_int_equal(spark_rdd_n_dependencies(NULL), 0);
    assert_null(spark_rdd_dependency(NULL, 0, &shuffle));
    assert_false(shuffle);
    spark_rdd *bad = spark_map(broken(sc), keyed, NULL);
    assert_int_equal(spark_rdd_n_dependencies(bad), 0);
    assert_null(spark_rdd_dependency(bad, 0, NULL));
    assert_int_equal(spark_rdd_storage_level(bad), SPARK_DEFAULT_LEVEL);
    assert_int_equal(spark_rdd_storage_level(NULL), SPARK_DEFAULT_LEVEL);
    oracle_close(sc);
}

static void test_storage_level__is_what_persist_was_told(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 1);
    assert_int_equal(spark_rdd_storage_level(rdd), SPARK_DEFAULT_LEVEL);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(i == 0 ? spark_cache(rdd)
                : i == 1        ? spark_persist(rdd, SPARK_MEMORY_ONLY)
                                : spark_persist(rdd, SPARK_DEFAULT_LEVEL),
            rdd);
        assert_int_equal(spark_rdd_storage_level(rdd), SPARK_MEMORY_ONLY);
        assert_true(spark_rdd_is_persisted(rdd));
        assert_int_equal(oracle_count(rdd), 3);
        assert_int_equal(spark_rdd_storage_level(rdd), SPARK_MEMORY_ONLY);
        /* What is made of it is not kept by that. */
        assert_int_equal(spark_rdd_storage_level(spark_map(rdd, keyed, NULL)), SPARK_DEFAULT_LEVEL);
        spark_unpersist(rdd);
        assert_int_equal(spark_rdd_storage_level(rdd), SPARK_DEFAULT_LEVEL);
    }
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_dependencies__are_the_rdds_it_was_made_of),
        oracle_test(test_dependencies__of_a_long_chain),
        oracle_test(test_dependencies__live_as_long_as_the_rdd),
        oracle_test(test_dependencies__of_what_is_none),
        oracle_test(test_storage_level__is_what_persist_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
