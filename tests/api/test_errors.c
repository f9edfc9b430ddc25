/* SPDX-License-Identifier: Apache-2.0 */
/* Misuse and failure: every wrong call comes back from the action, with a message that helps. */
#include "oracle.h"

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_PAIR(word_score, spark_str, double);
SPARK_PAIR(two, int64_t, int64_t);
SPARK_PAIR(word_two, spark_str, two);
SPARK_STRUCT(avg, (int64_t, n), (double, mean));
SPARK_STRUCT(order, (int64_t, customer), (double, amount));
SPARK_STRUCT(customer, (int64_t, id), (double, balance));
SPARK_MERGE(merge_avg, avg, avg)
{
    acc->mean += in->mean;
    acc->n += in->n;
}
SPARK_MERGE(seq_avg, avg, double)
{
    acc->mean += *in;
    acc->n++;
}
SPARK_FILTER(is_above, double, double)
{
    return *in > *env;
}
SPARK_MAP(count_of, word_count, int64_t)
{
    *out = in->value;
}
SPARK_MAP(doubled, int64_t, int64_t)
{
    *out = *in * 2;
}
SPARK_MAP(both, word_two, int64_t)
{
    *out = in->value.key + in->value.value;
}
SPARK_MAP(amount_of, order, double)
{
    *out = in->amount;
}
SPARK_FLAT_MAP(twice, int64_t, int64_t)
{
    spark_emit(out, *in);
    spark_emit(out, *in);
}
SPARK_MAP(to_two, int64_t, two)
{
    *out = (two) { *in % 7, *in };
}
SPARK_MAP(fail_at, int64_t, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "cannot take %lld", (long long)*in);
    *out = *in;
}
SPARK_FILTER(fail_in_filter, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "cannot filter %lld", (long long)*in);
    return *in % 2 == 0;
}
SPARK_FLAT_MAP(fail_in_flat_map, int64_t, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "cannot spread %lld", (long long)*in);
    spark_emit(out, *in);
}
SPARK_MERGE(fail_in_merge, int64_t, int64_t)
{
    *acc += *in;
    spark_fail(task, "cannot merge");
}
SPARK_PARTITIONS(fail_in_partition, int64_t, int64_t)
{
    while (spark_next(in) != NULL) { }
    if (spark_task_partition(task) == 2)
        spark_fail(task, "cannot take the partition");
    spark_emit(out, 1);
}

typedef struct sources {
    spark_rdd *lines, *numbers, *reals, *pairs, *scores, *orders, *error;
} sources;

static sources load(spark_context *sc)
{
    static const spark_str lines[] = { SPARK_STR("a b"), SPARK_STR("c") };
    static const double reals[] = { 1, 2 };
    static const word_count pairs[] = { { SPARK_STR("a"), 1 } };
    static const word_score scores[] = { { SPARK_STR("a"), 1 } };
    static const order orders[] = { { 1, 2 } };
    sources s;
    s.lines = spark_parallelize(sc, SPARK_DATA(spark_str, 2, lines), 2);
    s.numbers = spark_range(sc, 0, 10, 1, 2);
    s.reals = spark_parallelize(sc, SPARK_DATA(double, 2, reals), 2);
    s.pairs = spark_parallelize(sc, SPARK_DATA(word_count, 1, pairs), 2);
    s.scores = spark_parallelize(sc, SPARK_DATA(word_score, 1, scores), 2);
    s.orders = spark_parallelize(sc, SPARK_DATA(order, 1, orders), 2);
    s.error = spark_map(s.lines, count_of, NULL);
    return s;
}

/* refused: building rdd gave an error, which the action returns without running a job. Compilers
 * take the first or the last line of a call for its line. */
#define refused(rdd, code, operation, words) refused_(rdd, code, operation, words, __LINE__)

static void refused_(
    spark_rdd *rdd, spark_status code, const char *operation, const char *words, int line)
{
    const spark_error *error = spark_last_error();
    spark_array array = { NULL, "x", 3, NULL };
    assert_non_null(rdd);
    assert_int_equal(spark_rdd_status(rdd), code);
    assert_null(spark_rdd_type(rdd));
    oracle_fails(spark_collect(rdd, NULL, &array), code, words);
    assert_null(array.items);
    assert_null(array.type);
    assert_null(array.owner);
    assert_int_equal(array.n, 0);
    error = spark_last_error();
    assert_non_null(strstr(error->message, operation));
    const char *site = strstr(error->site, "test_errors.c:");
    assert_non_null(site);
    assert_in_range(strtol(site + strlen("test_errors.c:"), NULL, 10), line - 4, line + 4);
    assert_non_null(strstr(error->message, error->site));
    assert_string_equal(error->operation, operation);
    assert_int_equal(error->job, -1);
    assert_int_equal(error->stage, -1);
    assert_int_equal(error->partition, -1);
    assert_int_equal(error->attempt, -1);
    assert_int_equal(error->record, -1);
    assert_int_equal(spark_rdd_partitions(rdd), -1);
}

static void test_types__of_functions_are_compared_at_the_call(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sources s = load(sc);
    refused(spark_map(s.lines, count_of, NULL), SPARK_ETYPE, "map(count_of)",
        "word_count wanted, str found");
    refused(spark_map(spark_left_outer_join(s.pairs, s.pairs, 0), both, NULL), SPARK_ETYPE,
        "map(both)", "value.value: i64 at offset 24 wanted, optional(i64) at offset 24 found");
    assert_int_equal(
        spark_rdd_status(spark_map(spark_join(s.pairs, s.pairs, 0), both, NULL)), SPARK_OK);
    refused(spark_aggregate_by_key(s.scores, SPARK_ZERO(avg), merge_avg, seq_avg, NULL, 0),
        SPARK_ETYPE, "aggregateByKey(merge_avg)", "avg wanted, f64 found");
    refused(spark_map(s.pairs, doubled, NULL), SPARK_ETYPE, "map(doubled)",
        "i64 wanted, word_count found");
    assert_int_equal(spark_rdd_status(spark_map_values(s.pairs, doubled, NULL)), SPARK_OK);
    refused(
        spark_map_values(s.numbers, doubled, NULL), SPARK_ETYPE, "mapValues(doubled)", "i64 found");
    refused(spark_filter(s.numbers, is_above, SPARK_COPY((double) { 1 })), SPARK_ETYPE,
        "filter(is_above)", "f64 wanted, i64 found");
    refused(spark_flat_map(s.reals, twice, NULL), SPARK_ETYPE, "flatMap(twice)",
        "i64 wanted, f64 found");
    refused(spark_map_partitions(s.reals, fail_in_partition, NULL), SPARK_ETYPE,
        "mapPartitions(fail_in_partition)", "i64 wanted, f64 found");
    refused(spark_key_by(s.reals, doubled, NULL), SPARK_ETYPE, "keyBy(doubled)",
        "i64 wanted, f64 found");
    refused(spark_group_by(s.reals, doubled, NULL, 0), SPARK_ETYPE, "groupBy(doubled)",
        "i64 wanted, f64 found");
    refused(spark_reduce_by_key(s.scores, fail_in_merge, NULL, 0), SPARK_ETYPE,
        "reduceByKey(fail_in_merge)", "i64 wanted, f64 found");
    refused(spark_reduce_by_key(s.scores, seq_avg, NULL, 0), SPARK_ETYPE, "reduceByKey(seq_avg)",
        "found");
    refused(spark_reduce_by_key(spark_as(s.pairs, spark_rdd_type(s.pairs)), merge_avg, NULL, 0),
        SPARK_ETYPE, "reduceByKey(merge_avg)", "found");
    oracle_close(sc);
}

static void test_types__of_structs_differ_by_name(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    sources s = load(sc);
    spark_array array;
    oracle_fails(spark_collect(s.orders, SPARK_TYPE(customer), &array), SPARK_ETYPE,
        "result: customer wanted, order found");
    assert_int_equal(array.n, 0);
    refused(spark_map(spark_as(s.orders, SPARK_TYPE(customer)), amount_of, NULL), SPARK_ETYPE,
        "map(amount_of)", "order wanted, customer found");
    oracle_close(sc);
}

static void test_types__of_pairs_are_wanted_by_keyed_operations(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sources s = load(sc);
    spark_array array;
    refused(spark_reduce_by_key(s.lines, spark_op_min, NULL, 0), SPARK_ETYPE, "reduceByKey(min)",
        "pair");
    refused(spark_group_by_key(s.numbers, 0), SPARK_ETYPE, "groupByKey", "pair");
    refused(spark_keys(s.numbers), SPARK_ETYPE, "keys", "pair");
    refused(spark_values(s.numbers), SPARK_ETYPE, "values", "pair");
    refused(spark_join(s.pairs, s.numbers, 0), SPARK_ETYPE, "join", "pair");
    refused(spark_left_outer_join(s.numbers, s.pairs, 0), SPARK_ETYPE, "leftOuterJoin", "pair");
    refused(spark_sort_by_key(s.numbers, NULL, 0), SPARK_ETYPE, "sortByKey", "pair");
    refused(spark_partition_by(s.numbers, spark_hash_partitioner(sc, 2)), SPARK_ETYPE,
        "partitionBy", "pair");
    oracle_fails(spark_count_by_key(s.numbers, NULL, &array), SPARK_ETYPE, "countByKey");
    /* Keys of two types do not join. */
    refused(spark_join(s.pairs, spark_map(s.numbers, to_two, NULL), 0), SPARK_ETYPE, "join",
        "str wanted, i64 found");
    /* A sum of what cannot be added. */
    refused(spark_reduce_by_key(spark_key_by(s.lines,
                                    spark_rdd_type(s.lines) ? &(spark_map_def) { "length", NULL,
                                        SPARK_TYPE(int64_t), 0, doubled->run, NULL }
                                                            : NULL,
                                    NULL),
                spark_op_sum, NULL, 0),
        SPARK_ETYPE, "reduceByKey(sum)", "str");
    oracle_close(sc);
}

static void test_types__of_results_are_compared_before_the_job(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sources s = load(sc);
    spark_array array;
    oracle_fails(spark_collect(s.numbers, SPARK_TYPE(double), &array), SPARK_ETYPE,
        "collect at " TEST_FILE ":");
    oracle_fails(spark_take(s.numbers, 3, SPARK_TYPE(double), &array), SPARK_ETYPE, "take");
    oracle_fails(spark_first(s.numbers, SPARK_TYPE(double), &array), SPARK_ETYPE, "first");
    oracle_fails(spark_top(s.numbers, 3, NULL, SPARK_TYPE(double), &array), SPARK_ETYPE, "top");
    oracle_fails(spark_take_ordered(s.numbers, 3, NULL, SPARK_TYPE(double), &array), SPARK_ETYPE,
        "takeOrdered");
    oracle_fails(spark_reduce(s.numbers, spark_op_sum, NULL, SPARK_TYPE(double), &array),
        SPARK_ETYPE, "reduce");
    oracle_fails(spark_count_by_value(s.numbers, SPARK_TYPE(word_count), &array), SPARK_ETYPE,
        "countByValue");
    oracle_fails(spark_count_by_key(s.pairs, SPARK_TYPE(two), &array), SPARK_ETYPE, "countByKey");
    oracle_fails(
        spark_fold(s.numbers, SPARK_ZERO(double), spark_op_sum, NULL, &array), SPARK_ETYPE, "fold");
    oracle_fails(spark_aggregate(s.numbers, SPARK_ZERO(avg), seq_avg, merge_avg, NULL, &array),
        SPARK_ETYPE, "aggregate");
    oracle_fails(spark_aggregate(s.reals, SPARK_ZERO(avg), merge_avg, seq_avg, NULL, &array),
        SPARK_ETYPE, "aggregate");
    oracle_fails(
        spark_reduce(s.lines, spark_op_sum, NULL, NULL, &array), SPARK_ETYPE, "reduce(sum)");
    oracle_fails(spark_top(s.numbers, 3,
                     (const spark_order[]) { { "by", SPARK_TYPE(double), 0, NULL } }, NULL, &array),
        SPARK_ETYPE, "top");
    assert_int_equal(array.n, 0);
    spark_job_stats stats;
    assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_EINVAL);
    assert_int_equal(spark_job_stats_get(sc, 0, &stats), SPARK_EINVAL);
    oracle_close(sc);
}

static void test_env__of_another_size_is_refused(void **state)
{
    int limit = 3;
    double right = 3;
    (void)state;
    spark_context *sc = oracle_open(2);
    sources s = load(sc);
    refused(spark_filter(s.reals, is_above, SPARK_COPY(limit)), SPARK_EINVAL, "filter(is_above)",
        "env has 4 bytes (int32_t), the function wants 8 (double)");
    refused(spark_filter(s.reals, is_above, NULL), SPARK_EINVAL, "filter(is_above)",
        "the function wants an env of 8 bytes");
    refused(spark_filter(s.reals, is_above, SPARK_REF((double *)NULL)), SPARK_EINVAL,
        "filter(is_above)", "NULL");
    oracle_collects(spark_filter(s.reals, is_above, SPARK_COPY(right)), "");
    oracle_close(sc);
}

/* every verb and action on an RDD that carries an error, or NULL */
static void is_error(spark_rdd *rdd, const char *words)
{
    spark_array array;
    assert_non_null(rdd);
    assert_int_not_equal(spark_rdd_status(rdd), SPARK_OK);
    if (spark_collect(rdd, NULL, &array) == SPARK_OK)
        fail_msg("collects");
    if (strstr(spark_last_error()->message, words) == NULL)
        fail_msg("\"%s\" not in \"%s\"", words, spark_last_error()->message);
}

static void test_partitions__less_than_none_are_refused(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sources s = load(sc);
    refused(spark_range(sc, 0, 1, 1, -1), SPARK_EINVAL, "range", "-1 partitions");
    refused(spark_reduce_by_key(s.pairs, spark_op_sum, NULL, -1), SPARK_EINVAL, "reduceByKey(sum)",
        "-1 partitions");
    refused(spark_group_by_key(s.pairs, -2), SPARK_EINVAL, "groupByKey", "-2 partitions");
    refused(spark_distinct(s.pairs, -1), SPARK_EINVAL, "distinct", "-1 partitions");
    refused(spark_join(s.pairs, s.pairs, -1), SPARK_EINVAL, "join", "-1 partitions");
    refused(spark_full_outer_join(s.pairs, s.pairs, INT32_MIN), SPARK_EINVAL, "fullOuterJoin",
        "-2147483648 partitions");
    refused(spark_sort_by(s.pairs, NULL, -1), SPARK_EINVAL, "sortBy", "-1 partitions");
    refused(spark_sort_by_key(s.pairs, NULL, -1), SPARK_EINVAL, "sortByKey", "-1 partitions");
    refused(spark_text_file(sc, "/dev/null", -1), SPARK_EINVAL, "textFile", "-1 partitions");
    assert_not_made(spark_hash_partitioner(sc, -1));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_not_made(spark_hash_partitioner(sc, 0));
    assert_not_made(spark_hash_partitioner(NULL, 1));
    assert_not_made(spark_partitioner_new(sc, 2, NULL, NULL));
    assert_int_equal(spark_partitioner_partitions(spark_hash_partitioner(sc, -1)), -1);
    /* A partitioner that could not be made is an error wherever it is given, never another one. */
    spark_partitioner *const broken[] = { spark_hash_partitioner(sc, -1),
        spark_partitioner_new(sc, 2, NULL, NULL), spark_hash_partitioner(NULL, 2),
        spark_range_partitioner(spark_map(s.pairs, NULL, NULL), NULL, 3) };
    const char *const words[]
        = { "-1 partitions", "no function", "the context is NULL", "map at " };
    for (size_t i = 0; i < LENGTH(broken); i++) {
        const spark_keyed_options by = { 3, broken[i] };
        assert_int_equal(spark_partitioner_status(broken[i]), SPARK_EINVAL);
        assert_false(spark_partitioner_equal(broken[i], spark_hash_partitioner(sc, 3)));
        is_error(spark_partition_by(s.pairs, broken[i]), words[i]);
        is_error(spark_reduce_by_key_with(s.pairs, spark_op_sum, NULL, &by), words[i]);
        is_error(spark_reduce_by_key_dense(s.pairs, spark_op_sum, NULL, broken[i]), words[i]);
        is_error(spark_join_with(s.pairs, s.pairs, SPARK_INNER, &by), words[i]);
        is_error(spark_group_by_key_with(s.pairs, &by), words[i]);
        is_error(spark_subtract_by_key_with(s.pairs, s.pairs, &by), words[i]);
        is_error(spark_subtract_with(s.pairs, s.pairs, &by), words[i]);
        is_error(spark_intersection_with(s.pairs, s.pairs, &by), words[i]);
        is_error(spark_repartition_and_sort_within_partitions(s.pairs, broken[i], NULL), words[i]);
        const int64_t key = 1;
        assert_int_equal(spark_partitioner_get(broken[i], SPARK_VALUE(int64_t, &key)), -1);
    }
    oracle_close(sc);
}

static void test_functions__that_are_null_are_refused(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sources s = load(sc);
    spark_array array;
    refused(spark_map(s.numbers, NULL, NULL), SPARK_EINVAL, "map", "NULL");
    refused(spark_filter(s.numbers, NULL, NULL), SPARK_EINVAL, "filter", "NULL");
    refused(spark_flat_map(s.numbers, NULL, NULL), SPARK_EINVAL, "flatMap", "NULL");
    refused(spark_map_partitions(s.numbers, NULL, NULL), SPARK_EINVAL, "mapPartitions", "NULL");
    refused(spark_map_stateful(s.numbers, NULL, NULL), SPARK_EINVAL, "mapPartitions", "NULL");
    refused(spark_key_by(s.numbers, NULL, NULL), SPARK_EINVAL, "keyBy", "NULL");
    refused(spark_map_values(s.pairs, NULL, NULL), SPARK_EINVAL, "mapValues", "NULL");
    refused(spark_reduce_by_key(s.pairs, NULL, NULL, 0), SPARK_EINVAL, "reduceByKey", "NULL");
    refused(spark_group_by(s.pairs, NULL, NULL, 0), SPARK_EINVAL, "groupBy", "NULL");
    refused(
        spark_join_map(s.pairs, s.pairs, SPARK_INNER, NULL, NULL, 0), SPARK_EINVAL, "join", "NULL");
    oracle_fails(spark_reduce(s.numbers, NULL, NULL, NULL, &array), SPARK_EINVAL, "reduce");
    oracle_fails(
        spark_fold(s.numbers, SPARK_ZERO(int64_t), NULL, NULL, &array), SPARK_EINVAL, "fold");
    oracle_fails(spark_aggregate(s.numbers, SPARK_ZERO(int64_t), spark_op_sum, NULL, NULL, &array),
        SPARK_EINVAL, "aggregate");
    oracle_fails(spark_foreach(s.numbers, NULL, NULL), SPARK_EINVAL, "foreach");
    oracle_fails(spark_save_as_text_file(s.numbers, NULL), SPARK_EINVAL, "saveAsTextFile");
    oracle_fails(
        spark_fold(s.numbers, NULL, NULL, spark_op_sum, NULL, &array), SPARK_EINVAL, "fold");
    oracle_fails(spark_collect(s.numbers, NULL, NULL), SPARK_EINVAL, "collect");
    oracle_fails(spark_count(s.numbers, NULL), SPARK_EINVAL, "count");
    oracle_fails(spark_take(s.numbers, 1, NULL, NULL), SPARK_EINVAL, "take");
    oracle_fails(spark_top(s.numbers, 1, NULL, NULL, NULL), SPARK_EINVAL, "top");
    oracle_fails(spark_reduce(s.numbers, spark_op_sum, NULL, NULL, NULL), SPARK_EINVAL, "reduce");
    oracle_close(sc);
}

static void all_verbs(
    spark_context *sc, sources s, spark_rdd *bad, spark_status code, const char *words)
{
    double limit = 1;
    spark_array array;
    int64_t n = 5;
    spark_rdd *list[] = { s.numbers, bad };
    spark_rdd *slot = NULL;
    is_error(spark_map(bad, doubled, NULL), words);
    is_error(spark_filter(bad, is_above, SPARK_COPY(limit)), words);
    is_error(spark_flat_map(bad, twice, NULL), words);
    is_error(spark_map_partitions(bad, fail_in_partition, NULL), words);
    is_error(spark_key_by(bad, doubled, NULL), words);
    is_error(spark_map_values(bad, doubled, NULL), words);
    is_error(spark_keys(bad), words);
    is_error(spark_values(bad), words);
    is_error(spark_union(bad, s.numbers), words);
    is_error(spark_union(s.numbers, bad), words);
    is_error(spark_union_all(sc, 2, list), words);
    is_error(spark_as(bad, SPARK_TYPE(int64_t)), words);
    is_error(spark_reduce_by_key(bad, spark_op_sum, NULL, 0), words);
    is_error(spark_reduce_by_key_with(bad, spark_op_sum, NULL, NULL), words);
    is_error(spark_aggregate_by_key(bad, SPARK_ZERO(avg), seq_avg, merge_avg, NULL, 0), words);
    is_error(spark_group_by_key(bad, 0), words);
    is_error(spark_group_by_key_with(bad, NULL), words);
    is_error(spark_group_by(bad, doubled, NULL, 0), words);
    is_error(spark_partition_by(bad, spark_hash_partitioner(sc, 2)), words);
    is_error(spark_distinct(bad, 0), words);
    is_error(spark_join(bad, s.pairs, 0), words);
    is_error(spark_join(s.pairs, bad, 0), words);
    is_error(spark_left_outer_join(bad, bad, 0), words);
    is_error(spark_right_outer_join(s.pairs, bad, 0), words);
    is_error(spark_full_outer_join(bad, s.pairs, 0), words);
    is_error(spark_sort_by(bad, NULL, 0), words);
    is_error(spark_sort_by_key(bad, NULL, 0), words);
    (void)spark_cache(bad);
    (void)spark_persist(bad, SPARK_MEMORY_ONLY);
    (void)spark_unpersist(bad);
    (void)spark_rdd_set_name(bad, "bad");
    assert_false(spark_rdd_is_persisted(bad));
    assert_int_equal(spark_rdd_cached_partitions(bad), 0);
    assert_false(spark_drop_block(bad, 0));
    assert_false(spark_drop_shuffle_output(bad, 0));
    assert_string_equal(spark_to_debug_string(bad), "");
    assert_null(spark_rdd_type(bad));
    assert_null(spark_rdd_partitioner(bad));
    assert_int_equal(spark_rdd_partitions(bad), -1);
    oracle_fails(spark_collect(bad, NULL, &array), code, words);
    oracle_fails(spark_count(bad, &n), code, words);
    oracle_fails(spark_reduce(bad, spark_op_sum, NULL, NULL, &array), code, words);
    oracle_fails(spark_fold(bad, SPARK_ZERO(int64_t), spark_op_sum, NULL, &array), code, words);
    oracle_fails(
        spark_aggregate(bad, SPARK_ZERO(avg), seq_avg, merge_avg, NULL, &array), code, words);
    oracle_fails(spark_take(bad, 0, NULL, &array), code, words);
    oracle_fails(spark_take(bad, 1, NULL, &array), code, words);
    oracle_fails(spark_first(bad, NULL, &array), code, words);
    oracle_fails(spark_top(bad, 1, NULL, NULL, &array), code, words);
    oracle_fails(spark_take_ordered(bad, 0, NULL, NULL, &array), code, words);
    oracle_fails(spark_count_by_key(bad, NULL, &array), code, words);
    oracle_fails(spark_count_by_value(bad, NULL, &array), code, words);
    oracle_fails(spark_save_as_text_file(bad, "/tmp/spark-never-written"), code, words);
    assert_int_equal(array.n, 0);
    spark_rdd_replace(&slot, bad == NULL ? NULL : spark_map(bad, doubled, NULL));
}

static void test_verbs__pass_errors_on(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sources s = load(sc);
    all_verbs(sc, s, s.error, SPARK_ETYPE, "map(count_of) at ");
    all_verbs(sc, s, NULL, SPARK_EINVAL, "NULL");
    assert_int_equal(spark_rdd_id(NULL), -1);
    assert_null(spark_rdd_name(NULL));
    assert_null(spark_rdd_context(NULL));
    oracle_collects(s.numbers, "0 1 2 3 4 5 6 7 8 9");
    oracle_close(sc);
}

static void test_sources__refuse_a_null_context(void **state)
{
    (void)state;
    is_error(spark_range(NULL, 0, 1, 1, 1), "NULL");
    is_error(spark_empty_rdd(NULL, SPARK_TYPE(int64_t)), "NULL");
    is_error(spark_text_file(NULL, "x", 1), "NULL");
    is_error(spark_union_all(NULL, 0, NULL), "NULL");
    spark_context *sc = oracle_open(1);
    is_error(spark_empty_rdd(sc, NULL), "emptyRDD");
    oracle_close(sc);
}

/* Nothing but the thread's last error can tell: there is no context that would keep it. */
static void test_verbs__that_are_given_null_are_named_by_the_action(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sources s = load(sc);
    spark_rdd *rdd = spark_map(NULL, doubled, NULL);
    assert_non_null(strstr(spark_last_error()->message, "the RDD is NULL"));
    refused(spark_map(NULL, doubled, NULL), SPARK_EINVAL, "map(doubled)", "the RDD is NULL");
    refused(spark_distinct(spark_map(spark_map(NULL, doubled, NULL), doubled, NULL), 3),
        SPARK_EINVAL, "map(doubled)", "the RDD is NULL");
    refused(spark_range(NULL, 0, 1, 1, 1), SPARK_EINVAL, "range", "the context is NULL");
    refused(spark_text_file(NULL, "x", 1), SPARK_EINVAL, "textFile", "the context is NULL");
    refused(spark_union(s.numbers, NULL), SPARK_EINVAL, "union", "the RDD is NULL");
    /* With a context beside it, it stays whatever fails meanwhile; without one the action can only
     * say that something was NULL. */
    spark_rdd *pairs = spark_join(NULL, s.pairs, 0);
    int64_t n;
    oracle_fails(spark_count(s.error, &n), SPARK_ETYPE, "map(count_of)");
    refused(pairs, SPARK_EINVAL, "join", "the RDD is NULL");
    oracle_fails(spark_count(s.error, &n), SPARK_ETYPE, "map(count_of)");
    oracle_fails(spark_count(rdd, &n), SPARK_EINVAL, "the RDD or the context is NULL");
    oracle_close(sc);
}

/* A context that could not be made has nothing that could be looked at. */
static void test_contexts__that_are_broken_answer_nothing(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = -2, .app_name = "mine" });
    spark_job_stats stats;
    uint64_t peak = 1;
    assert_int_equal(spark_context_threads(sc), 0);
    assert_int_equal(spark_context_default_parallelism(sc), 0);
    assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_EINVAL);
    assert_int_equal(spark_active_jobs(sc, NULL, NULL, 0), 0);
    assert_null(spark_scope_begin(sc));
    assert_null(spark_job_tags(sc));
    spark_memory_bytes(sc, &peak);
    spark_cancel_all_jobs(sc);
    is_error(spark_range(sc, 0, 1, 1, 1), "spark_conf.threads is -2");
    spark_context_free(sc);
}

static void test_contexts__do_not_mix(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2), *other = oracle_open(1);
    sources s = load(sc), t = load(other);
    is_error(spark_join(s.pairs, t.pairs, 0), "different contexts");
    is_error(spark_union(s.numbers, t.numbers), "different contexts");
    is_error(spark_partition_by(s.pairs, spark_hash_partitioner(other, 2)), "partitionBy at ");
    spark_keyed_options by = { 0, spark_hash_partitioner(other, 2) };
    is_error(spark_reduce_by_key_with(s.pairs, spark_op_sum, NULL, &by), "reduceByKey(sum) at ");
    is_error(spark_group_by_key_with(s.pairs, &by), "groupByKey at ");
    int64_t three = 3;
    spark_broadcast *far = spark_broadcast_new(other, SPARK_VALUE(int64_t, &three));
    is_error(spark_map(s.numbers, fail_at, SPARK_SHARED(far)), "map(fail_at) at ");
    oracle_close(other);
    oracle_collects(s.numbers, "0 1 2 3 4 5 6 7 8 9");
    oracle_close(sc);
}

static void test_contexts__name_the_number_its_value_and_the_limit(void **state)
{
    struct bad_conf {
        spark_conf conf;
        const char *words;
    };
    static const spark_fault late[] = { { SPARK_FAULT_TASK, SPARK_ANYWHERE },
        { SPARK_FAULT_DELAY, SPARK_ANYWHERE, .delay_ms = -5 } };
    static const spark_fault odd = { (spark_fault_kind)99, SPARK_ANYWHERE };
    static const spark_fault often = { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .rate = 1.5 };
    const struct bad_conf cases[] = { { { .threads = 4097 },
          "spark_conf.threads is 4097; it must be 0, for the default, to 4096" },
        { { .faults = late, .n_faults = 2 }, "line 1 of spark_conf.faults" },
        { { .faults = &odd, .n_faults = 1 }, "(kind 99): there is no such kind" },
        { { .faults = &often, .n_faults = 1 }, "rate must be 0 to 1" },
        { { .threads = -2 }, "spark_conf.threads is -2" },
        { { .batch_rows = 65537 }, "spark_conf.batch_rows is 65537; it must be 0, for the default, to 65536" },
        { { .stage_max_attempts = -3 }, "spark_conf.stage_max_attempts is -3" },
        { { .master = "local[4097]" }, "N and F up to 4096" },
        { { .scheduler_mode = (spark_scheduler_mode)7 },
            "spark_conf.scheduler_mode is 7; it must be SPARK_FIFO or SPARK_FAIR" },
        { { .local_dir = " , ," }, "spark_conf.local_dir names no directory" },
        { { .local_dir = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p, q" },
            "spark_conf.local_dir names more than 16 directories" } };
    int64_t n;
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        spark_context *sc = oracle_open_conf(&cases[i].conf);
        oracle_fails(
            spark_count(spark_range(sc, 0, 3, 1, 2), &n), SPARK_EINVAL, cases[i].words);
        oracle_close(sc);
    }
}

static void test_conf__of_stacks_that_cannot_be_had_names_the_field(void **state)
{
    const size_t sizes[] = { (size_t)1 << 50, 1 };
    int64_t n;
    (void)state;
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .thread_stack_bytes = sizes[i] });
        oracle_fails(spark_count(spark_range(sc, 0, 3, 1, 2), &n), SPARK_ENOMEM,
            "bytes of stack (spark_conf.thread_stack_bytes)");
        oracle_close(sc);
    }
}

/* Types may be nested so deep; what would be deeper is no lack of memory. */
static void test_types__that_would_be_too_deep_name_the_limit(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 1);
    const spark_type *type = SPARK_TYPE(int64_t), *deeper;
    int64_t n;
    int depth = 0;
    for (; depth < 130 && spark_count(rdd, &n) == SPARK_OK; depth++)
        rdd = spark_glom(rdd);
    assert_int_equal(depth, 121);
    oracle_fails(spark_count(rdd, &n), SPARK_EINVAL, "nested 119 deep and no deeper");
    for (depth = 0; depth < 130 && (deeper = spark_type_optional(sc, type)) != NULL; depth++)
        type = deeper;
    assert_int_equal(depth, 120);
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "nested 119 deep"));
    assert_null(spark_type_pair(sc, SPARK_TYPE(int64_t), type));
    assert_non_null(strstr(spark_last_error()->message, "nested 119 deep"));
    oracle_close(sc);
}

static void test_contexts__with_a_wrong_master_or_conf_fail_the_action(void **state)
{
    static const char *const masters[] = { "yarn", "local[0]", "local[-1]", "local[2", "local[2,0]",
        "local[x]", "", "local[2]x", "LOCAL", "local[99999999999]", "spark://host:7077" };
    const spark_conf confs[] = { { .threads = -1 }, { .default_parallelism = -1 },
        { .task_max_failures = -1 }, { .stage_max_attempts = -1 }, { .batch_rows = -1 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(masters) + LENGTH(confs); i++) {
        spark_conf conf = { .master = i < LENGTH(masters) ? masters[i] : NULL };
        spark_context *sc
            = oracle_open_conf(i < LENGTH(masters) ? &conf : &confs[i - LENGTH(masters)]);
        int64_t n;
        oracle_fails(spark_count(spark_range(sc, 0, 3, 1, 2), &n), SPARK_EINVAL,
            i < LENGTH(masters) ? masters[i] : "spark_conf");
        oracle_close(sc);
    }
    static const struct {
        const char *master;
        int threads;
    } good[] = { { "local", 1 }, { "local[3]", 3 }, { "local[2,7]", 2 } };
    for (size_t i = 0; i < LENGTH(good); i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = good[i].master });
        assert_int_equal(spark_context_threads(sc), good[i].threads);
        oracle_close(sc);
        sc = oracle_open_conf(&(spark_conf) { .master = good[i].master, .threads = 5 });
        assert_int_equal(spark_context_threads(sc), 5);
        oracle_close(sc);
    }
}

static void test_contexts__with_faults_that_are_null_fail_the_action(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .n_faults = 1 });
    oracle_fails(spark_count(spark_range(sc, 0, 3, 1, 2), &n), SPARK_EINVAL, "fault");
    oracle_close(sc);
}

static void test_persist__refuses_another_level(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 2);
    assert_ptr_equal(spark_persist(rdd, SPARK_MEMORY_ONLY), rdd);
    assert_ptr_equal(spark_persist(rdd, SPARK_DEFAULT_LEVEL), rdd);
    assert_ptr_equal(spark_cache(rdd), rdd);
    oracle_collects(rdd, "0 1 2");
    spark_array array;
    oracle_fails(
        spark_collect(spark_persist(rdd, (spark_level)77), NULL, &array), SPARK_EINVAL, "persist");
    oracle_close(sc);
}

/* failures of tasks */
static void test_task_failure__is_told_in_the_words_of_spark(void **state)
{
    int64_t at = 70;
    int64_t n;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        for (int batch = 1; batch < 2000; batch = batch * 5 + 2) {
            spark_context *sc
                = oracle_open_conf(&(spark_conf) { .threads = threads, .batch_rows = batch });
            spark_rdd *numbers = spark_range(sc, 0, 100, 1, 4);
            spark_rdd *failing = spark_map(numbers, fail_at, SPARK_COPY(at));
            const int line = __LINE__ - 1;
            char want[256];
            oracle_fails(spark_count(spark_map(failing, doubled, NULL), &n), SPARK_ETASK,
                "Task 2 in stage 0.0 failed 4 times, most recent failure: ");
            snprintf(want, sizeof want, "map(fail_at) at %s:%d: cannot take 70", TEST_FILE, line);
            const spark_error *error = spark_last_error();
            if (strstr(error->message, want) == NULL)
                fail_msg("\"%s\" not in \"%s\"", want, error->message);
            assert_non_null(strstr(error->message, "Job aborted due to stage failure: "));
            assert_non_null(strstr(error->message, "Lost task 2.3 in stage 0.0"));
            assert_string_equal(error->operation, "map(fail_at)");
            snprintf(want, sizeof want, "%s:%d", TEST_FILE, line);
            assert_string_equal(error->site, want);
            assert_int_equal(error->job, 0);
            assert_int_equal(error->stage, 0);
            assert_int_equal(error->partition, 2);
            assert_int_equal(error->attempt, 3);
            assert_int_equal(error->record, 20);
            assert_int_equal(oracle_last_job(sc).failed_tasks, 4);
            /* The context goes on. */
            assert_int_equal(oracle_count(numbers), 100);
            oracle_close(sc);
        }
    }
}

static void test_task_failure__names_the_element(void **state)
{
    int64_t at = 64;
    int64_t n;
    (void)state;
    for (int batch = 1; batch < 2000; batch = batch * 7 + 1) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch });
        spark_rdd *numbers = spark_range(sc, 0, 100, 1, 4);
        oracle_fails(spark_count(spark_filter(numbers, fail_in_filter, SPARK_COPY(at)), &n),
            SPARK_ETASK, "filter(fail_in_filter) at ");
        assert_int_equal(spark_last_error()->record, 14);
        oracle_fails(spark_count(spark_flat_map(numbers, fail_in_flat_map, SPARK_COPY(at)), &n),
            SPARK_ETASK, "flatMap(fail_in_flat_map) at ");
        assert_int_equal(spark_last_error()->record, 14);
        /* The index is that of the input of the function: 64 is the eighth even number from 50. */
        int64_t none = -1;
        spark_rdd *even = spark_filter(numbers, fail_in_filter, SPARK_COPY(none));
        oracle_fails(spark_count(spark_map(even, fail_at, SPARK_COPY(at)), &n), SPARK_ETASK,
            "cannot take 64");
        assert_int_equal(spark_last_error()->record, 7);
        oracle_close(sc);
    }
}

static _Atomic int visited;
SPARK_FOREACH(visit_until_three, int64_t)
{
    visited++;
    if (*in == 3)
        spark_fail(task, "three\nis\r\nnot wanted");
}
SPARK_MAP(talk_long, int64_t, int64_t)
{
    char text[4000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    spark_fail(task, "%s", text);
    *out = *in;
}

/* A foreach calls its function for nothing behind the element that failed. */
static void test_task_failure__ends_a_foreach(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .task_max_failures = 1 });
    oracle_fails(spark_foreach(spark_range(sc, 1, 100, 1, 1), visit_until_three, NULL), SPARK_ETASK,
        "three is  not wanted");
    assert_int_equal(visited, 3);
    oracle_close(sc);
}

static void test_task_failure__messages_are_one_line_and_no_longer_than_fits(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open(2);
    oracle_fails(spark_count(spark_map(spark_range(sc, 0, 9, 1, 2), talk_long, NULL), &n),
        SPARK_ETASK, "talk_long");
    assert_int_equal(strlen(spark_last_error()->message), 767);
    oracle_close(sc);
}

static void test_task_failure__names_the_stage(void **state)
{
    int64_t at = 3, n;
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *sums = spark_reduce_by_key(
        spark_map(spark_range(sc, 0, 100, 1, 4), to_two, NULL), spark_op_sum, NULL, 7);
    spark_rdd *after = spark_map(spark_keys(sums), fail_at, SPARK_COPY(at));
    oracle_fails(spark_count(after, &n), SPARK_ETASK, "in stage 1.0 failed 4 times");
    assert_int_equal(spark_last_error()->stage, 1);
    /* A second job: stage 2 is skipped, stage 3 fails. */
    oracle_fails(spark_count(after, &n), SPARK_ETASK, "in stage 3.0 failed 4 times");
    assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
    spark_rdd *numbers = spark_range(sc, 0, 100, 1, 4);
    oracle_fails(spark_count(spark_map_partitions(numbers, fail_in_partition, NULL), &n),
        SPARK_ETASK, "Task 2 in stage");
    assert_int_equal(spark_last_error()->record, -1);
    assert_non_null(strstr(spark_last_error()->message, "cannot take the partition"));
    oracle_fails(
        spark_reduce(numbers, fail_in_merge, NULL, NULL, &array), SPARK_ETASK, "cannot merge");
    assert_int_equal(array.n, 0);
    oracle_fails(
        spark_count(
            spark_reduce_by_key(spark_map(numbers, to_two, NULL), fail_in_merge, NULL, 2), &n),
        SPARK_ETASK, "reduceByKey(fail_in_merge) at ");
    oracle_close(sc);
}

static void test_task_failure__merging_on_the_driver_fails_the_action(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    /* One element a partition: only the driver merges. */
    spark_rdd *numbers = spark_range(sc, 0, 4, 1, 4);
    if (spark_reduce(numbers, fail_in_merge, NULL, NULL, &array) == SPARK_OK)
        fail_msg("reduces");
    assert_non_null(strstr(spark_last_error()->message, "cannot merge"));
    assert_int_equal(array.n, 0);
    oracle_collects(numbers, "0 1 2 3");
    oracle_close(sc);
}

static void test_task_failure__is_tried_as_often_as_configured(void **state)
{
    int64_t at = 3, n;
    (void)state;
    for (int times = 1; times < 7; times++) {
        char want[64];
        snprintf(want, sizeof want, "Task 0 in stage 0.0 failed %d times", times);
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .task_max_failures = times });
        oracle_fails(
            spark_count(spark_map(spark_range(sc, 0, 5, 1, 1), fail_at, SPARK_COPY(at)), &n),
            SPARK_ETASK, want);
        oracle_close(sc);
        snprintf(want, sizeof want, "local[2,%d]", times);
        sc = oracle_open_conf(&(spark_conf) { .master = want });
        assert_int_not_equal(
            spark_count(spark_map(spark_range(sc, 0, 5, 1, 1), fail_at, SPARK_COPY(at)), &n),
            SPARK_OK);
        assert_int_equal(oracle_last_job(sc).failed_tasks, times);
        oracle_close(sc);
    }
}

SPARK_MAP(fail_twice, int64_t, int64_t)
{
    if (spark_task_attempt(task) < 2 && *in % 5 == 0)
        spark_fail(task, "not yet");
    *out = *in;
}

static void test_task_failure__is_survived_by_the_next_attempt(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd = spark_map(spark_range(sc, 0, 10, 1, 4), fail_twice, NULL);
        oracle_collects(rdd, "0 1 2 3 4 5 6 7 8 9");
        assert_int_equal(oracle_last_job(sc).failed_tasks, 4);
        assert_int_equal(oracle_last_job(sc).tasks, 4);
        oracle_close(sc);
    }
}

static void test_faults__at_random_never_fail_a_job(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 150; seed++) {
        spark_fault fault = { SPARK_FAULT_RANDOM, SPARK_ANYWHERE,
            .rate = seed % 3 == 0 ? 1.0 : 0.1, .seed = seed };
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = seed % 2 ? 8 : 1, .faults = &fault, .n_faults = 1 });
        spark_rdd *rdd = spark_cache(spark_map(spark_range(sc, 0, 100, 1, 16), to_two, NULL));
        rdd = spark_reduce_by_key(rdd, spark_op_sum, NULL, 16);
        for (int i = 0; i < 3; i++)
            assert_int_equal(oracle_count(rdd), 7);
        oracle_collects(
            spark_sort_by(rdd, NULL, 3), "(0,735) (1,750) (2,665) (3,679) (4,693) (5,707) (6,721)");
        oracle_close(sc);
    }
}

/* actions inside functions */
typedef struct inside {
    spark_rdd *const *rdd;
    spark_context *sc;
} inside;
SPARK_MAP(count_inside, int64_t, int64_t, inside)
{
    int64_t n = 0;
    spark_status status = spark_count(*env->rdd, &n);
    if (status != SPARK_OK)
        spark_fail(task, "%s: %s", spark_status_name(status), spark_last_error()->message);
    *out = *in + n;
}
SPARK_MAP(make_inside, int64_t, int64_t, inside)
{
    spark_array array;
    spark_status status = spark_collect(spark_range(env->sc, 0, 2, 1, 1), NULL, &array);
    if (status != SPARK_OK)
        spark_fail(task, "%s: %s", spark_status_name(status), spark_last_error()->message);
    else
        spark_array_free(&array);
    *out = *in;
}

static void test_action__inside_a_function_is_an_error_and_no_deadlock(void **state)
{
    int64_t n;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd = spark_range(sc, 0, 10, 1, 4);
        inside env = { &rdd, sc };
        oracle_fails(spark_count(spark_map(rdd, count_inside, SPARK_COPY(env)), &n), SPARK_ETASK,
            "SPARK_EINVAL: ");
        assert_non_null(strstr(spark_last_error()->message, "inside a function"));
        oracle_fails(spark_count(spark_map(rdd, make_inside, SPARK_COPY(env)), &n), SPARK_ETASK,
            "SPARK_EINVAL: ");
        assert_int_equal(oracle_count(rdd), 10);
        oracle_close(sc);
    }
}

static void test_last_error__stays_until_the_next_failure(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(1);
    sources s = load(sc);
    assert_int_equal(spark_rdd_status(s.error), SPARK_ETYPE);
    oracle_count(s.numbers);
    assert_int_equal(spark_last_error()->code, SPARK_ETYPE);
    oracle_fails(spark_count(NULL, &n), SPARK_EINVAL, "count at ");
    assert_non_null(spark_last_error()->operation);
    assert_non_null(spark_last_error()->site);
    assert_string_equal(spark_status_name(SPARK_OK), "SPARK_OK");
    assert_string_equal(spark_status_name(SPARK_ECANCELLED), "SPARK_ECANCELLED");
    assert_non_null(spark_status_name((spark_status)99));
    oracle_close(sc);
    /* It outlives the context. */
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
}

static void test_memory__over_the_budget_is_an_error_and_the_context_goes_on(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = threads, .memory_bytes = 24 << 20 });
        spark_rdd *numbers = spark_range(sc, 0, 10000000, 1, 4);
        spark_array array;
        oracle_fails(spark_collect(numbers, NULL, &array), SPARK_ENOMEM, "memory");
        assert_int_equal(array.n, 0);
        assert_int_equal(oracle_count(numbers), 10000000);
        /* A cache without room is no error. */
        assert_int_equal(oracle_count(spark_cache(spark_range(sc, 0, 10000000, 1, 4))), 10000000);
        oracle_close(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_types__of_functions_are_compared_at_the_call),
        oracle_test(test_types__of_structs_differ_by_name),
        oracle_test(test_types__of_pairs_are_wanted_by_keyed_operations),
        oracle_test(test_types__of_results_are_compared_before_the_job),
        oracle_test(test_env__of_another_size_is_refused),
        oracle_test(test_partitions__less_than_none_are_refused),
        oracle_test(test_functions__that_are_null_are_refused),
        oracle_test(test_verbs__pass_errors_on),
        oracle_test(test_sources__refuse_a_null_context),
        oracle_test(test_verbs__that_are_given_null_are_named_by_the_action),
        oracle_test(test_contexts__that_are_broken_answer_nothing),
        oracle_test(test_contexts__do_not_mix),
        oracle_test(test_contexts__with_a_wrong_master_or_conf_fail_the_action),
        oracle_test(test_contexts__name_the_number_its_value_and_the_limit),
        oracle_test(test_conf__of_stacks_that_cannot_be_had_names_the_field),
        oracle_test(test_types__that_would_be_too_deep_name_the_limit),
        oracle_test(test_persist__refuses_another_level),
        oracle_test(test_task_failure__is_told_in_the_words_of_spark),
        oracle_test(test_task_failure__names_the_element),
        oracle_test(test_task_failure__ends_a_foreach),
        oracle_test(test_task_failure__messages_are_one_line_and_no_longer_than_fits),
        oracle_test(test_task_failure__names_the_stage),
        oracle_test(test_task_failure__merging_on_the_driver_fails_the_action),
        oracle_test(test_task_failure__is_tried_as_often_as_configured),
        oracle_test(test_task_failure__is_survived_by_the_next_attempt),
        oracle_test(test_faults__at_random_never_fail_a_job),
        oracle_test(test_action__inside_a_function_is_an_error_and_no_deadlock),
        oracle_test(test_last_error__stays_until_the_next_failure),
        oracle_test(test_memory__over_the_budget_is_an_error_and_the_context_goes_on),
        oracle_test(test_contexts__with_faults_that_are_null_fail_the_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
