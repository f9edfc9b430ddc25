/* SPDX-License-Identifier: Apache-2.0 */
/* A user's program that touches every macro of the public headers. Compiled with a long list of
 * warnings as errors by each compiler: what the macros expand to must be as clean as the user's own
 * lines. */
#include <spark.h>
#include <stdlib.h>

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_PAIR(by_size, int64_t, spark_str);
SPARK_STRUCT(moments, (int64_t, n), (double, sum), (char, unit, 4));
SPARK_OPTIONAL(opt_moments, moments);
SPARK_LIST(moments_list, moments);
SPARK_DECIMAL(money, 18, 2);

typedef struct rgb {
    uint8_t r, g, b;
} rgb;
SPARK_BLOB(rgb);

typedef struct foreign {
    int32_t id;
    double at;
} foreign;
static bool foreign_equal(const void *a, const void *b)
{
    return ((const foreign *)a)->id == ((const foreign *)b)->id;
}
static const spark_type_ops by_id = { NULL, foreign_equal, NULL, NULL };
SPARK_DESCRIBE_WITH(foreign, &by_id, (int32_t, id), (double, at));

SPARK_ORDER(most_frequent, word_count, (desc, value), (asc, key));
SPARK_KEY(word_of, word_count, spark_str, key);

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        if (!spark_emit(out, (word_count) { word, 1 }))
            return;
}
SPARK_MAP(size_of, word_count, by_size)
{
    out->key = (int64_t)in->key.len;
    out->value = spark_str_upper(task, in->key);
}
SPARK_MAP(weight, spark_str, double, double)
{
    *out = (double)in->len * *env;
}
SPARK_FILTER(is_long, word_count, size_t)
{
    return in->key.len >= *env;
}
SPARK_MAP(digits_of, long, unsigned long long, int)
{
    *out = (unsigned long long)(*in < 0 ? -*in : *in) % (unsigned)*env;
}
SPARK_MERGE(longest, spark_str, spark_str)
{
    if (in->len > acc->len)
        *acc = *in;
}
SPARK_MERGE(add_value, moments, double)
{
    acc->n++;
    acc->sum += *in;
}
SPARK_MERGE(add_moments, moments, moments)
{
    acc->n += in->n;
    acc->sum += in->sum;
}
SPARK_JOIN(both, int64_t, spark_str, moments, word_count)
{
    spark_emit(out, (word_count) { left ? *left : (spark_str) { "", 0 }, right ? right->n : *key });
}
SPARK_PARTITIONS(first_of, word_count, word_count)
{
    const word_count *first = spark_next(in);
    if (first != NULL)
        spark_emit(out, *first);
}
SPARK_STEP(runs, int64_t, word_count, int64_t)
{
    *state += in->value;
    if (*state > 1000)
        spark_emit(out, *state);
}
SPARK_FINISH(runs, int64_t, word_count, int64_t)
{
    spark_emit(out, *state);
}
typedef const spark_accumulator *counter;
SPARK_FOREACH(add_to, int64_t, counter)
{
    if (*in < 0)
        spark_fail(task, "%lld is negative", (long long)*in);
    spark_accumulate(task, *env, *in);
}
SPARK_COALESCER(all_together)
{
    for (int i = 0; i < n; i++)
        group_of[i] = 0;
    return n > 0;
}
SPARK_COALESCER(every, int)
{
    for (int i = 0; i < n; i++)
        group_of[i] = i % *env;
    return n < *env ? n : *env;
}
SPARK_PARTITIONER(by_first_byte, spark_str)
{
    return key->len == 0 ? 0 : (unsigned char)key->ptr[0] % partitions;
}

/* count_words: those of two lines, of two bytes and more, printing the most frequent. */
static spark_status count_words(spark_context *sc, int64_t *total, int64_t *sizes)
{
    const spark_str lines[]
        = { SPARK_STR("to be or not to be"), SPARK_STR("that is the question") };
    const size_t least = 2;
    const double factor = 0.5;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, 2, lines), 2);
    spark_rdd *words
        = spark_filter(spark_flat_map(rdd, split_words, NULL), is_long, SPARK_COPY(least));
    words = spark_partition_by(words, spark_partitioner_new(sc, 3, by_first_byte, NULL));
    spark_rdd *sums = spark_reduce_by_key(words, spark_op_sum, NULL, 0);

    spark_rdd *samples = spark_reduce_by_key(spark_map(sums, size_of, NULL), longest, NULL, 2);
    spark_rdd *weights = spark_map_values(samples, weight, SPARK_REF(&factor));
    weights = spark_aggregate_by_key(weights, SPARK_ZERO(moments), add_value, add_moments, NULL, 0);
    spark_rdd *joined = spark_join_map(samples, weights, SPARK_FULL_OUTER, both, NULL, 0);
    spark_rdd *firsts
        = spark_map_partitions(spark_values(spark_key_by(joined, word_of, NULL)), first_of, NULL);
    spark_status status = spark_count(spark_union(joined, firsts), sizes);
    if (status != SPARK_OK)
        return status;

    char own[] = "user.c", *given[] = { own };
    const char *names[] = { own }, *const fixed[] = { own };
    spark_rdd *texts = spark_text_files(sc, 1, given, 0);
    texts = spark_union(texts, spark_text_files(sc, 1, names, 0));
    texts = spark_union(texts, spark_text_files(sc, 0, fixed, 0));
    (void)spark_rdd_status(spark_union(texts, spark_text_fd(sc, 0, 0)));
    char *literal = spark_path_literal(own);
    free(literal);

    const long numbers[] = { 10, -21, 32 };
    spark_rdd *digits = spark_map(
        spark_parallelize(sc, SPARK_DATA_OF(long, numbers), 2), digits_of, SPARK_COPY((int) { 10 }));
    digits = spark_union(
        digits, spark_parallelize(sc, SPARK_LITERALS(unsigned long long, 4, 5), 1));
    int64_t n_digits = 0;
    status = spark_count(digits, &n_digits);
    if (status != SPARK_OK || n_digits != 5)
        return SPARK_EINVAL;

    const int two = 2;
    sums = spark_coalesce_by(sums, 1, all_together, NULL);
    sums = spark_coalesce_by(sums, 2, every, SPARK_COPY(two));
    spark_rdd *totals = spark_map_stateful(sums, runs, NULL);
    for (int i = 0; i < 3; i++) {
        SPARK_SCOPED(sc);
        spark_rdd_replace(&totals, spark_union(totals, spark_map_stateful(sums, runs, NULL)));
    }
    const spark_accumulator *sum = spark_counter(sc, "sum");
    status = spark_foreach(totals, add_to, SPARK_COPY(sum));
    *total = spark_accumulator_value(sum);
    if (status != SPARK_OK)
        return status;

    spark_array top;
    status = spark_take_ordered(sums, 1, most_frequent, SPARK_TYPE(word_count), &top);
    if (status != SPARK_OK)
        return status;
    const word_count *most = SPARK_ITEMS(word_count, &top);
    printf("%lld " SPARK_STR_FMT "\n", (long long)most[0].value, SPARK_STR_ARG(most[0].key));
    spark_array_free(&top);
    return SPARK_OK;
}

int main(int argc, char **argv)
{
    (void)argc;
    int64_t total = 0, sizes = 0;
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "user", .threads = 2 });
    const spark_status status = count_words(sc, &total, &sizes);
    const int result = status != SPARK_OK ? spark_complain(argv[0]) : total != 40 || sizes != 4 + 2;
    spark_context_free(sc);
    return result;
}

#if !SPARK_VERSION_AT_LEAST(0, 1, 0) || SPARK_VERSION_NUMBER < 0x000100
#error "the version macros do not work in #if"
#endif
