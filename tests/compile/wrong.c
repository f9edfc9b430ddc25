/* SPDX-License-Identifier: Apache-2.0 */
/* Programs the compiler must refuse. Without -D this file is a right program and compiles silently;
 * each -DWRONG_... turns on one mistake. refused.py reads the comment behind each #ifdef: what the
 * complaint must contain, as a regular expression, and flags needed beside those of the CMake target,
 * in brackets. */
#include <spark.h>

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_STRUCT(mean, (int64_t, n), (double, sum));
SPARK_STRUCT(point, (double, x, 8));
typedef struct reading {
    int32_t id;
    float celsius;
    double at;
    char code[3];
} reading;
SPARK_DESCRIBE(reading, (int32_t, id), (float, celsius), (double, at), (char, code, 3));

SPARK_MAP(count_of, word_count, int64_t)
{
    *out = in->value;
}
SPARK_FILTER(is_above, double, double)
{
    return *in > *env;
}
SPARK_MERGE(add_value, mean, double)
{
    acc->n++;
    acc->sum += *in;
}
SPARK_MERGE(add_mean, mean, mean)
{
    acc->n += in->n;
    acc->sum += in->sum;
}
SPARK_KEY(word_of, word_count, spark_str, key);
SPARK_ORDER(most_frequent, word_count, (desc, value), (asc, key));

spark_rdd *above(spark_rdd *rdd, double limit);
spark_status program(spark_context *sc, spark_rdd *rdd, spark_array *result);

/* A function that writes, emits or reads another type than it was defined with. */

#ifdef WRONG_map_writes_other_type /* T2: incompatible types when assigning|from incompatible type */
SPARK_MAP(to_point, spark_str, int64_t)
{
    *out = (point) { { 0 } };
}
#endif

#ifdef WRONG_map_reads_other_type /* no member named .value. */
SPARK_MAP(to_value, mean, int64_t)
{
    *out = in->value;
}
#endif

#ifdef WRONG_emits_other_type /* T3: type mismatch in conditional|incompatible operand types */
SPARK_FLAT_MAP(split, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, word);
}
#endif

#ifdef WRONG_emits_fraction_as_count /* T3B: float-conversion|literal-conversion [-Wconversion -Werror] */
SPARK_FLAT_MAP(half, spark_str, word_count)
{
    spark_emit(out, (word_count) { *in, 1.5 });
}
#endif

#ifdef WRONG_writes_env /* T10E: read-only|const-qualified */
SPARK_FILTER(racy, double, double)
{
    *env = *in;
    return true;
}
#endif

#ifdef WRONG_writes_input /* read-only|const-qualified */
SPARK_MAP(in_place, word_count, int64_t)
{
    *out = in->value++;
}
#endif

/* An environment whose lifetime nobody said. */

spark_rdd *above(spark_rdd *rdd, double limit)
{
#ifdef WRONG_bare_pointer_as_env /* T5: incompatible-pointer-types */
    return spark_filter(rdd, is_above, &limit);
#else
    return spark_filter(rdd, is_above, SPARK_COPY(limit));
#endif
}

/* Descriptions that differ from the struct, fields that do not exist. */

typedef struct sample {
    int32_t id;
    float celsius;
    double at;
} sample;

#ifdef WRONG_described_with_other_type /* T14: sample\.id is described with another type */
SPARK_DESCRIBE(sample, (int64_t, id), (float, celsius), (double, at));
#endif

#ifdef WRONG_described_without_member /* T15: sample: a member is missing */
SPARK_DESCRIBE(sample, (int32_t, id), (float, celsius));
#endif

#ifdef WRONG_described_with_other_length /* label\.code is described with another type or length */
typedef struct label {
    char code[8];
} label;
SPARK_DESCRIBE(label, (char, code, 7));
#endif

#ifdef WRONG_key_of_other_type /* TKEY: word_count\.value is not int32_t */
SPARK_KEY(value_of, word_count, int32_t, value);
#endif

#ifdef WRONG_order_by_unknown_field /* TORD: no member named .valeu. */
SPARK_ORDER(by_value, word_count, (desc, valeu));
#endif

/* Types that have no description: one complaint, which says what to do. */

#ifdef WRONG_map_of_char_pointers /* const char \*: no type of elements: strings are spark_str */
SPARK_MAP(length_of, const char *, int64_t)
{
    *out = (int64_t)strlen(*in);
}
#endif

#ifdef WRONG_struct_of_pointer /* double \*: no type of elements: .*pointers SPARK_HANDLE */
SPARK_STRUCT(matrix, (int, rows), (double *, cells));
#endif

#ifdef WRONG_pair_of_long_double /* long double: no type of elements */
SPARK_PAIR(precise, int, long double);
#endif

#ifdef WRONG_number_that_is_none /* loose is not a number */
typedef struct loose {
    int x;
} loose;
SPARK_NUMBER(loose);
#endif

/* Arguments of verbs. */

spark_status program(spark_context *sc, spark_rdd *rdd, spark_array *result)
{
    const mean none = { 0, 0 };
    const word_count words[] = { { SPARK_STR("a"), 1 }, { SPARK_STR("b"), 2 } };
    spark_rdd *means = spark_parallelize(sc, SPARK_DATA(word_count, 2, words), 1);
    means = spark_map(means, count_of, NULL);

#ifdef WRONG_scalar_as_result /* T7: incompatible-pointer-types */
    int32_t total;
    if (spark_reduce(means, spark_op_sum, NULL, SPARK_TYPE(int64_t), &total) != SPARK_OK)
        return SPARK_EINVAL;
#endif
#ifdef WRONG_zero_of_other_type /* T12: not compatible with any */
    means = spark_aggregate_by_key(means, SPARK_VALUE(point, &none), add_value, add_mean, NULL, 0);
#else
    means = spark_aggregate_by_key(means, SPARK_VALUE(mean, &none), add_value, add_mean, NULL, 0);
#endif
#ifdef WRONG_merge_as_map /* T13M: incompatible-pointer-types */
    means = spark_map(means, add_value, NULL);
#endif
#ifdef WRONG_data_of_other_type /* T16: not compatible with any */
    const double numbers[] = { 1, 2 };
    means = spark_parallelize(sc, SPARK_DATA(word_count, 2, numbers), 1);
#endif
#ifdef WRONG_data_counted_by_pointer /* SPARK_DATA_OF counts an array, not what a pointer points to */
    const word_count *first = words;
    means = spark_parallelize(sc, SPARK_DATA_OF(word_count, first), 1);
#endif
#ifdef WRONG_data_counted_of_other_type /* not compatible with any */
    means = spark_parallelize(sc, SPARK_DATA_OF(mean, words), 1);
#endif
#ifdef WRONG_status_ignored /* T17: unused-result [-Werror=unused-result] */
    spark_collect(means, SPARK_TYPE(mean), result);
#endif
#ifdef WRONG_rdd_ignored /* T18: unused-result [-Werror=unused-result] */
    spark_map(means, count_of, NULL);
#endif
#ifdef WRONG_number_as_order /* int-conversion */
    means = spark_sort_by(rdd, 1 > 0, 0);
#endif
    means = spark_union(means, above(rdd, 1));
    return spark_take_ordered(means, 3, most_frequent, SPARK_TYPE(word_count), result);
}
