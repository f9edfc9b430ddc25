/* SPDX-License-Identifier: Apache-2.0 */
/* The headers serve C++17: a user's program in it, with the long list of warnings as errors. */
#include <spark.h>

#include <cstdio>

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_STRUCT(point, (double, x, 8), (bool, known));
SPARK_OPTIONAL(opt_point, point);
SPARK_LIST(point_list, point);
SPARK_DECIMAL(money, 18, 2);
SPARK_ORDER(most_frequent, word_count, (desc, value), (asc, key));
SPARK_KEY(count_of, word_count, int64_t, value);

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, { word, 1 });
}
SPARK_MAP(scale, int64_t, double, double)
{
    *out = static_cast<double>(*in) * *env;
}
SPARK_FILTER(known, point)
{
    return in->known;
}
SPARK_MERGE(add, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_JOIN(pick, spark_str, int64_t, int64_t, word_count)
{
    spark_emit(out, { *key, left ? *left : *right });
}
SPARK_PARTITIONS(pass, int64_t, int64_t)
{
    while (const int64_t *x = spark_next(in))
        spark_emit(out, *x);
}
SPARK_STEP(running, int64_t, int64_t, int64_t)
{
    *state += *in;
}
SPARK_FINISH(running, int64_t, int64_t, int64_t)
{
    spark_emit(out, *state);
}
SPARK_FOREACH(check, int64_t)
{
    if (*in < 0)
        spark_fail(task, "%lld is negative", static_cast<long long>(*in));
}
SPARK_FOREACH_PARTITION(check_all, int64_t)
{
    while (const int64_t *x = spark_next(in))
        if (*x < 0)
            spark_fail(task, "%lld is negative", static_cast<long long>(*x));
}
SPARK_FLAT_MAP(counted, spark_str, int64_t, spark_index)
{
    if (const int64_t *n = SPARK_FIND(word_count, env, in))
        spark_emit(out, *n);
}
SPARK_PARTITIONER(by_size, spark_str)
{
    return static_cast<uint32_t>(key->len % partitions);
}

int main(int, char **argv)
{
    spark_conf conf = {};
    conf.app_name = "c++";
    conf.threads = 2;
    spark_context *sc = spark_context_new(&conf);

    const spark_str lines[]
        = { SPARK_STR("to be or not to be"), SPARK_STR("that is the question") };
    const double factor = 2;
    const int64_t one = 1;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, 2, lines), 2);
    spark_rdd *counts = spark_reduce_by_key(spark_flat_map(rdd, split_words, NULL), add, NULL, 0);
    counts = spark_partition_by(counts, spark_partitioner_new(sc, 3, by_size, NULL));
    counts = spark_join_map(counts, counts, SPARK_INNER, pick, NULL, 0);
    spark_rdd *numbers = spark_map_partitions(spark_map(counts, count_of, NULL), pass, NULL);
    numbers = spark_map_stateful(numbers, running, NULL);
    spark_rdd *doubled = spark_map(numbers, scale, SPARK_COPY(factor));
    spark_rdd *none = spark_filter(spark_empty_rdd(sc, SPARK_TYPE(point)), known, SPARK_REF(&one));
    (void)none;

    char own[] = "user.cpp", *given[] = { own };
    const char *names[] = { own };
    spark_rdd *texts = spark_text_files(sc, 1, given, 0);
    (void)spark_rdd_status(spark_union(texts, spark_text_files(sc, 1, names, 0)));

    spark_array a, top;
    if (spark_foreach(numbers, check, NULL) != SPARK_OK
        || spark_collect(doubled, SPARK_TYPE(double), &a) != SPARK_OK
        || spark_take_ordered(counts, 1, most_frequent, SPARK_TYPE(word_count), &top) != SPARK_OK)
        return spark_complain(argv[0]);
    double sum = 0;
    for (size_t i = 0; i < a.n; i++)
        sum += SPARK_ITEMS(double, &a)[i];
    spark_array map;
    int64_t known_words = 0, answer = 0;
    if (spark_collect_as_map(counts, SPARK_TYPE(word_count), &map) != SPARK_OK)
        return spark_complain(argv[0]);
    const spark_str be = SPARK_LIT("be"), nobody = SPARK_LIT("nobody");
    const int64_t *twice = SPARK_FIND(word_count, spark_array_index(&map), &be);
    if (twice == nullptr || *twice != 2
        || SPARK_FIND(word_count, spark_array_index(&map), &nobody) != nullptr)
        return 1;
    spark_broadcast *shared = spark_broadcast_index(sc, spark_array_index(&map));
    spark_array_free(&map);
    spark_future *future
        = spark_count_async(spark_flat_map(spark_keys(counts), counted, SPARK_SHARED(shared)));
    spark_local_iterator *all = spark_to_local_iterator(numbers, SPARK_TYPE(int64_t));
    while (const int64_t *x = SPARK_LOCAL_NEXT(int64_t, all))
        answer += *x;
    if (spark_foreach_partition(numbers, check_all, NULL) != SPARK_OK
        || spark_future_count(future, &known_words) != SPARK_OK)
        return spark_complain(argv[0]);
    if (known_words != 8 || answer != 10)
        return 1;
    std::printf("%g " SPARK_STR_FMT "\n", sum, SPARK_STR_ARG(SPARK_ITEMS(word_count, &top)->key));
    spark_array_free(&a);
    spark_array_free(&top);
    spark_context_free(sc);
    return sum == 20 ? 0 : 1;
}
