/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of Spark's RDDSuite. */
#include "io/scratch.h"
#include "suite.h"

#include <math.h>

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_STRUCT(letters, (int64_t, sum, 26));
SPARK_STRUCT(row, (int64_t, first), (int64_t, second), (spark_str, third));
SPARK_STRUCT(person, (spark_str, name), (int32_t, age));
SPARK_STRUCT(full_name, (spark_str, first), (spark_str, last));
SPARK_PAIR(joined, int64_t, i64_i64);
typedef const spark_accumulator *counter;
typedef spark_rdd *rdd_ref;
SPARK_BLOB(rdd_ref);

SPARK_MERGE(plus, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_MERGE(plus_letter, letters, str_i64)
{
    acc->sum[in->key.ptr[0] - 'a'] += in->value;
}
SPARK_MERGE(plus_letters, letters, letters)
{
    for (int i = 0; i < 26; i++)
        acc->sum[i] += in->sum[i];
}
SPARK_MAP(to_text, int64_t, spark_str)
{
    *out = spark_str_format(task, "%lld", (long long)*in);
}
SPARK_FILTER_MAP(text_from_three, int64_t, spark_str)
{
    if (*in < 3)
        return false;
    to_text_(task, in, out, NULL);
    return true;
}
SPARK_FILTER(above, int64_t, int64_t)
{
    return *in > *env;
}
SPARK_MAP(negative, int64_t, int64_t)
{
    *out = -*in;
}
SPARK_FILTER(even, int64_t)
{
    return *in % 2 == 0;
}
SPARK_PARTITIONS(sum_up, int64_t, int64_t)
{
    int64_t sum = 0;
    const int64_t *x;
    while ((x = spark_next(in)) != NULL)
        sum += *x;
    spark_emit(out, sum);
}
SPARK_PARTITIONS(sum_up_with_index, int64_t, i64_i64)
{
    int64_t sum = 0;
    const int64_t *x;
    while ((x = spark_next(in)) != NULL)
        sum += *x;
    spark_emit(out, (i64_i64) { spark_task_partition(task), sum });
}
SPARK_MAP(twice_modulo, int64_t, i64_i64, int64_t)
{
    *out = (i64_i64) { *in % *env, *in % *env };
}
SPARK_MAP(modulo, int64_t, int64_t, int64_t)
{
    *out = *in % *env;
}
SPARK_MAP(by_modulo, int64_t, i64_i64, int64_t)
{
    *out = (i64_i64) { *in % *env, *in };
}
SPARK_MAP(increment, int64_t, int64_t)
{
    *out = *in + 1;
}
SPARK_MAP(one, int64_t, int64_t)
{
    *out = 1;
}
SPARK_MAP(fail_with, int64_t, int64_t)
{
    *out = *in;
    spark_fail(task, "injected failure");
}
SPARK_MAP(count_nested, rdd_ref, int64_t)
{
    if (spark_count(*in, out) != SPARK_OK)
        spark_fail(task, "nested: %s", spark_last_error()->message);
}
SPARK_MAP(count_inside, int64_t, int64_t, rdd_ref)
{
    if (spark_count(*env, out) != SPARK_OK)
        spark_fail(task, "inside: %s", spark_last_error()->message);
}
SPARK_PARTITIONS(keys_alone, i64_i64, int64_t)
{
    const i64_i64 *x;
    while ((x = spark_next(in)) != NULL)
        spark_emit(out, x->key);
}
SPARK_FLAT_MAP(hundred_from_600_times, int64_t, int64_t)
{
    for (int64_t p = 0; p < 100; p++)
        if (!spark_emit(out, *in * 600 + p))
            return;
}
SPARK_MAP(column, spark_str, spark_str, int)
{
    spark_str rest = *in;
    for (int i = 0; i <= *env; i++)
        if (!spark_str_split(&rest, '|', out))
            spark_fail(task, "no column %d", i);
}
SPARK_PARTITIONER(by_parity, int64_t)
{
    return (uint32_t)*key % partitions;
}

static spark_rdd *four(spark_context *sc)
{
    return spark_range(sc, 1, 5, 1, 2);
}
static spark_rdd *thousands(spark_context *sc)
{
    return spark_range(sc, -1000, 1000, 1, 10);
}
static spark_rdd *pairs(spark_context *sc, int64_t from, int64_t to, int partitions)
{
    const int64_t all = INT64_MAX;
    return spark_map(spark_range(sc, from, to, 1, partitions), by_modulo, SPARK_COPY(all));
}
static spark_rdd *numbers(spark_context *sc, size_t n, const int64_t *x, int partitions)
{
    return spark_parallelize(sc, SPARK_DATA(int64_t, n, x), partitions);
}
static spark_rdd *nothing(spark_context *sc)
{
    return spark_empty_rdd(sc, SPARK_TYPE(int64_t));
}
static spark_rdd *no_pairs(spark_context *sc)
{
    return spark_empty_rdd(sc, SPARK_TYPE(i64_i64));
}

/* ---- basic operations */

static void rdd_suite__collect_gives_1_to_4_from_2_partitions(void **state)
{
    static const int64_t x[] = { 1, 2, 3, 4 };
    spark_rdd *rdd = numbers(*state, 4, x, 2);
    oracle_collects(rdd, "1 2 3 4");
    assert_int_equal(spark_rdd_partitions(rdd), 2);
}
static void rdd_suite__to_local_iterator_gives_1_to_4(void **state)
{
    spark_local_iterator *it = spark_to_local_iterator(four(*state), SPARK_TYPE(int64_t));
    for (int64_t i = 1; i <= 4; i++) {
        const int64_t *x = SPARK_LOCAL_NEXT(int64_t, it);
        assert_non_null(x);
        assert_int_equal(*x, i);
    }
    assert_null(SPARK_LOCAL_NEXT(int64_t, it));
    oracle_ok(spark_local_iterator_status(it));
}
static const int64_t doubled[] = { 1, 1, 2, 2, 3, 3, 4, 4 };
static void rdd_suite__distinct_of_4_numbers_twice_counts_4(void **state)
{
    assert_int_equal(oracle_count(spark_distinct(numbers(*state, 8, doubled, 2), 0)), 4);
}
static void rdd_suite__distinct_twice_gives_the_same_and_so_does_distinct_into_2(void **state)
{
    spark_rdd *rdd = numbers(*state, 8, doubled, 2);
    spark_rdd *distinct[]
        = { spark_distinct(rdd, 0), spark_distinct(rdd, 0), spark_distinct(rdd, 2) };
    char *first = oracle_layout(distinct[0]);
    assert_non_null(first);
    for (int i = 0; i < 3; i++) {
        oracle_holds(distinct[i], "1 2 3 4");
        oracle_has_layout(distinct[i], first);
    }
    free(first);
}
static void rdd_suite__reduce_of_1_to_4_is_10(void **state)
{
    spark_array a;
    oracle_ok(spark_reduce(four(*state), plus, NULL, SPARK_TYPE(int64_t), &a));
    assert_int_equal(suite_only(&a), 10);
}
static void rdd_suite__fold_of_1_to_4_from_0_is_10(void **state)
{
    spark_array a;
    oracle_ok(spark_fold(four(*state), SPARK_ZERO(int64_t), plus, NULL, &a));
    assert_int_equal(suite_only(&a), 10);
}
static void rdd_suite__union_with_itself_has_all_twice(void **state)
{
    spark_rdd *rdd = four(*state);
    oracle_collects(spark_union(rdd, rdd), "1 2 3 4 1 2 3 4");
}
static void rdd_suite__glom_gives_a_list_a_partition(void **state)
{
    oracle_collects(spark_glom(four(*state)), "[1,2] [3,4]");
}
static void rdd_suite__collect_by_a_partial_function_is_filter_map(void **state)
{
    spark_rdd *rdd = spark_filter_map(four(*state), text_from_three, NULL);
    assert_ptr_equal(spark_rdd_type(rdd), SPARK_TYPE(spark_str));
    oracle_collects(rdd, "3 4");
}
static void rdd_suite__key_by_text_pairs_each_with_its_text(void **state)
{
    spark_array a;
    oracle_ok(spark_collect(spark_key_by(four(*state), to_text, NULL), SPARK_TYPE(str_i64), &a));
    oracle_lists(&a, "(1,1) (2,2) (3,3) (4,4)");
    spark_array_free(&a);
}
static void rdd_suite__map_partitions_sums_to_3_and_7(void **state)
{
    oracle_collects(spark_map_partitions(four(*state), sum_up, NULL), "3 7");
}
/* The index comes from spark_task_partition. */
static void rdd_suite__map_partitions_with_index_sums_to_0_3_and_1_7(void **state)
{
    oracle_collects(spark_map_partitions(four(*state), sum_up_with_index, NULL), "(0,3) (1,7)");
}
static void rdd_suite__reduce_of_nothing_that_passed_a_filter_fails(void **state)
{
    const int64_t five = 5;
    spark_array a;
    spark_rdd *rdd = spark_filter(four(*state), above, SPARK_COPY(five));
    oracle_fails(
        spark_reduce(rdd, plus, NULL, SPARK_TYPE(int64_t), &a), SPARK_EEMPTY, "empty collection");
}
static void rdd_suite__distinct_of_sorted_pairs_keeps_the_partitioner(void **state)
{
    const int64_t ten = 10;
    spark_rdd *sorted = spark_sort_by_key(
        spark_map(spark_range(*state, 1, 101, 1, 10), twice_modulo, SPARK_COPY(ten)), NULL, 10);
    assert_true(spark_rdd_partitions(sorted) > 1);
    spark_rdd *distinct = spark_distinct(sorted, 0);
    assert_non_null(spark_rdd_partitioner(sorted));
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(sorted), spark_rdd_partitioner(distinct)));
    assert_int_equal(oracle_count(distinct), 10);
}
static void rdd_suite__distinct_into_5_places_anew(void **state)
{
    static const char *const all = "(0,0) (1,1) (2,2) (3,3) (4,4) (5,5) (6,6) (7,7) (8,8) (9,9)";
    const int64_t ten = 10;
    spark_rdd *sorted = spark_sort_by_key(
        spark_map(spark_range(*state, 1, 101, 1, 10), twice_modulo, SPARK_COPY(ten)), NULL, 0);
    assert_int_equal(oracle_count(sorted), 100);
    spark_rdd *kept = spark_distinct(sorted, 0), *five = spark_distinct(sorted, 5);
    oracle_collects(kept, all);
    assert_int_equal(oracle_last_job(*state).shuffle_rows, 0);
    oracle_holds(five, all);
    assert_true(oracle_last_job(*state).shuffle_rows > 0);
    assert_int_equal(spark_rdd_partitions(five), 5);
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(kept), spark_rdd_partitioner(sorted)));
    assert_false(
        spark_partitioner_equal(spark_rdd_partitioner(five), spark_rdd_partitioner(sorted)));
    spark_rdd *again = spark_distinct(kept, 0);
    oracle_collects(again, all);
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(again), spark_rdd_partitioner(sorted)));
}
/* An error of 1.054 / 2^(p/2) stands for p bits. */
static void rdd_suite__count_approx_distinct_of_1000_is_near(void **state)
{
    static const struct {
        int p; /* 0: by sd */
        double sd, error;
    } cases[] = { { 8, 0, 0.2 }, { 12, 0, 0.1 }, { 0, 0.02, 0.1 }, { 0, 0.5, 0.22 } };
    const int64_t size = 1000;
    spark_rdd *rdd = spark_map(spark_range(*state, 1, 5001, 1, 10), modulo, SPARK_COPY(size));
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t n = -1;
        if (cases[i].p)
            oracle_ok(spark_count_approx_distinct_with(rdd, cases[i].p, 0, &n));
        else
            oracle_ok(spark_count_approx_distinct(rdd, cases[i].sd, &n));
        if (fabs((double)(n - size)) / (double)size >= cases[i].error)
            fail_msg("case %zu: %lld", i, (long long)n);
    }
}

/* ---- union */

static void rdd_suite__union_all_of_one_is_it_and_of_two_is_both(void **state)
{
    spark_rdd *rdds[] = { four(*state), spark_range(*state, 5, 8, 1, 1) };
    oracle_has_layout(spark_union_all(*state, 1, rdds), "1 2 | 3 4");
    oracle_has_layout(spark_union_all(*state, 2, rdds), "1 2 | 3 4 | 5 6 7");
}
static spark_rdd *placed(spark_context *sc, int64_t from, int64_t to, int partitions)
{
    return spark_partition_by(pairs(sc, from, to, 3), spark_hash_partitioner(sc, partitions));
}
static void rdd_suite__union_with_an_unplaced_rdd_appends_partitions(void **state)
{
    spark_rdd *rdd = spark_union(placed(*state, 1, 5, 1), pairs(*state, 5, 9, 1));
    assert_int_equal(spark_rdd_partitions(rdd), 2);
    assert_null(spark_rdd_partitioner(rdd));
    oracle_collects(spark_keys(rdd), "1 2 3 4 5 6 7 8");
}
static void rdd_suite__union_of_two_placed_into_1_keeps_the_partitioner(void **state)
{
    spark_rdd *a = placed(*state, 1, 5, 1), *rdd = spark_union(a, placed(*state, 5, 9, 1));
    assert_int_equal(spark_rdd_partitions(rdd), 1);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(rdd), spark_rdd_partitioner(a)));
    oracle_collects(spark_keys(rdd), "1 2 3 4 5 6 7 8");
}
static void rdd_suite__union_of_an_empty_and_a_placed_rdd_keeps_the_partitioner(void **state)
{
    spark_rdd *a = placed(*state, 1, 5, 2), *rdd = spark_union(no_pairs(*state), a);
    assert_int_equal(spark_rdd_partitions(rdd), 2);
    assert_non_null(spark_rdd_partitioner(rdd));
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(rdd), spark_rdd_partitioner(a)));
    oracle_holds(spark_keys(rdd), "1 2 3 4");
}
static void rdd_suite__union_of_two_empty_rdds_is_empty(void **state)
{
    spark_rdd *rdd = spark_union(nothing(*state), nothing(*state));
    assert_null(spark_rdd_partitioner(rdd));
    assert_int_equal(spark_rdd_partitions(rdd), 0);
    oracle_collects(rdd, "");
}
static void rdd_suite__union_of_two_placed_alike_joins_their_partitions(void **state)
{
    spark_rdd *a = placed(*state, 1, 5, 2), *b = placed(*state, 5, 9, 2), *rdd = spark_union(a, b);
    assert_int_equal(spark_rdd_partitions(rdd), 2);
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(rdd), spark_rdd_partitioner(a)));
    for (int i = 0; i < 2; i++) {
        oracle_text want = { NULL, 0, 0 };
        spark_array part[3];
        char *texts[3];
        oracle_ok(spark_collect_partitions(a, 1, &i, SPARK_TYPE(i64_i64), &part[0]));
        oracle_ok(spark_collect_partitions(b, 1, &i, SPARK_TYPE(i64_i64), &part[1]));
        oracle_ok(spark_collect_partitions(rdd, 1, &i, SPARK_TYPE(i64_i64), &part[2]));
        assert_int_equal(part[2].n, part[0].n + part[1].n);
        for (int k = 0; k < 3; k++)
            texts[k] = oracle_listing(&part[k], false);
        oracle_append(&want, texts[0], strlen(texts[0]));
        oracle_append(&want, " ", part[0].n > 0 && part[1].n > 0);
        oracle_append(&want, texts[1], strlen(texts[1]));
        assert_string_equal(texts[2], want.bytes);
        free(want.bytes);
        for (int k = 0; k < 3; k++) {
            free(texts[k]);
            spark_array_free(&part[k]);
        }
    }
    oracle_holds(spark_keys(rdd), "1 2 3 4 5 6 7 8");
}
/* The keys alone stay where the pairs were. */
static spark_rdd *placed_keys(spark_context *sc, int64_t from, int64_t to)
{
    return spark_map_partitions_with(placed(sc, from, to, 2), keys_alone, NULL,
        &(spark_map_partitions_options) { .preserves_partitioning = true });
}
static void rdd_suite__union_of_keys_placed_alike_joins_their_partitions(void **state)
{
    spark_rdd *a = placed_keys(*state, 1, 5), *b = placed_keys(*state, 5, 9);
    spark_rdd *rdd = spark_union(a, b), *all[] = { a, b, rdd };
    spark_array lists[3];
    assert_non_null(spark_rdd_partitioner(a));
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(rdd), spark_rdd_partitioner(a)));
    for (int k = 0; k < 3; k++) {
        oracle_ok(spark_collect(spark_glom(all[k]), SPARK_TYPE(spark_i64_list), &lists[k]));
        assert_int_equal(lists[k].n, 2);
    }
    for (int i = 0; i < 2; i++) {
        const spark_i64_list *x = &SPARK_ITEMS(spark_i64_list, &lists[0])[i],
                             *y = &SPARK_ITEMS(spark_i64_list, &lists[1])[i],
                             *both = &SPARK_ITEMS(spark_i64_list, &lists[2])[i];
        assert_int_equal(both->n, x->n + y->n);
        for (size_t k = 0; k < both->n; k++)
            assert_int_equal(both->at[k], k < x->n ? x->at[k] : y->at[k - x->n]);
    }
    for (int k = 0; k < 3; k++)
        spark_array_free(&lists[k]);
    suite_all(rdd, 1, 8);
}

/* ---- aggregation */

static void rdd_suite__fold_of_2000_numbers_is_their_sum(void **state)
{
    spark_array a;
    oracle_ok(spark_fold(thousands(*state), SPARK_ZERO(int64_t), plus, NULL, &a));
    assert_int_equal(suite_only(&a), -1000);
}
/* The map is a sum for each letter. */
static void rdd_suite__aggregate_adds_values_up_by_key(void **state)
{
    static const str_i64 x[] = { { SPARK_STR("a"), 1 }, { SPARK_STR("b"), 2 },
        { SPARK_STR("a"), 2 }, { SPARK_STR("c"), 5 }, { SPARK_STR("a"), 3 } };
    spark_array a;
    oracle_ok(spark_aggregate(spark_parallelize(*state, SPARK_DATA(str_i64, 5, x), 3),
        SPARK_ZERO(letters), plus_letter, plus_letters, NULL, &a));
    assert_int_equal(a.n, 1);
    const letters *sums = SPARK_ITEMS(letters, &a);
    for (int i = 0; i < 26; i++)
        assert_int_equal(sums->sum[i], i == 0 ? 6 : i == 1 ? 2 : i == 2 ? 5 : 0);
    spark_array_free(&a);
}
static void rdd_suite__tree_aggregate_of_any_depth_is_the_sum(void **state)
{
    for (int depth = 1; depth < 10; depth++) {
        spark_array a;
        oracle_ok(spark_tree_aggregate(
            thousands(*state), SPARK_ZERO(int64_t), plus, plus, NULL, depth, &a));
        assert_int_equal(suite_only(&a), -1000);
    }
}
/* The elements add nothing: the sum is how often a zero of 1 was used: for each partition, for each
 * sum that a level merges, for each that is left then, and once more. */
static void rdd_suite__tree_aggregate_uses_its_zero_at_every_level(void **state)
{
    static const struct {
        int partitions, depth;
        int64_t uses;
    } cases[] = { { 8, 1, 17 }, { 8, 2, 19 }, { 8, 3, 21 }, { 8, 4, 21 }, { 100, 1, 201 },
        { 100, 2, 211 }, { 100, 3, 225 }, { 100, 4, 232 } };
    const int64_t zero = 1;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        spark_array a;
        oracle_ok(spark_tree_aggregate(spark_range(*state, 0, 1, 1, cases[i].partitions),
            SPARK_VALUE(int64_t, &zero), plus, plus, NULL, cases[i].depth, &a));
        assert_int_equal(suite_only(&a), cases[i].uses);
    }
}
static void rdd_suite__tree_reduce_of_any_depth_is_the_sum(void **state)
{
    for (int depth = 1; depth < 10; depth++) {
        spark_array a;
        oracle_ok(spark_tree_reduce(thousands(*state), plus, NULL, depth, SPARK_TYPE(int64_t), &a));
        assert_int_equal(suite_only(&a), -1000);
    }
}

/* ---- failures and emptiness */

static void rdd_suite__failure_while_a_cached_rdd_is_computed_comes_back(void **state)
{
    spark_array a;
    spark_rdd *rdd = spark_cache(spark_map(four(*state), fail_with, NULL));
    oracle_fails(spark_collect(rdd, SPARK_TYPE(int64_t), &a), SPARK_ETASK, "injected failure");
    assert_int_equal(oracle_count(four(*state)), 4);
}
static void rdd_suite__empty_rdd_counts_0_and_cannot_be_reduced(void **state)
{
    spark_array a;
    spark_rdd *rdd = nothing(*state);
    assert_int_equal(oracle_count(rdd), 0);
    oracle_ok(spark_collect(rdd, SPARK_TYPE(int64_t), &a));
    assert_int_equal(a.n, 0);
    spark_array_free(&a);
    oracle_fails(spark_reduce(rdd, plus, NULL, SPARK_TYPE(int64_t), &a), SPARK_EEMPTY, "empty");
}
static void rdd_suite__two_pairs_meet_an_empty_rdd(void **state)
{
    spark_rdd *two = pairs(*state, 1, 3, 2), *none = no_pairs(*state);
    assert_int_equal(oracle_count(spark_join(two, none, 0)), 0);
    assert_int_equal(oracle_count(spark_right_outer_join(two, none, 0)), 0);
    assert_int_equal(oracle_count(spark_left_outer_join(two, none, 0)), 2);
    assert_int_equal(oracle_count(spark_full_outer_join(two, none, 0)), 2);
    assert_int_equal(oracle_count(spark_cogroup(2, (spark_rdd *[]) { two, none }, 0)), 2);
    assert_int_equal(oracle_count(spark_union(two, none)), 2);
}
static void rdd_suite__is_empty_of_rdds_with_and_without_elements(void **state)
{
    static const int64_t one_number[] = { 1 };
    const int64_t minus_one = -1, most = 1;
    spark_rdd *three = spark_range(*state, 1, 4, 1, 3);
    const struct {
        spark_rdd *rdd;
        bool empty;
    } cases[] = { { nothing(*state), true }, { numbers(*state, 0, NULL, 0), true },
        { numbers(*state, 1, one_number, 0), false },
        { spark_filter(spark_map(three, negative, NULL), above, SPARK_COPY(minus_one)), true },
        { spark_filter(three, above, SPARK_COPY(most)), false } };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        bool empty = !cases[i].empty;
        oracle_ok(spark_is_empty(cases[i].rdd, &empty));
        assert_int_equal(empty, cases[i].empty);
    }
}

/* ---- repartition, coalesce, zip */

static void rdd_suite__repartition_into_0_is_refused(void **state)
{
    int64_t n;
    oracle_fails(spark_count(spark_repartition(spark_range(*state, 1, 1001, 1, 10), 0), &n),
        SPARK_EINVAL, "0 partitions");
}
static void rdd_suite__repartition_into_20_reaches_the_first_and_the_last(void **state)
{
    size_t sizes[20];
    spark_rdd *rdd = spark_repartition(spark_range(*state, 1, 1001, 1, 10), 20);
    assert_int_equal(suite_sizes(rdd, 20, sizes), 20);
    assert_true(sizes[0] > 0 && sizes[19] > 0);
    suite_all(rdd, 1, 1000);
}
static void rdd_suite__repartition_of_equal_elements_is_even(void **state)
{
    size_t sizes[2];
    spark_rdd *ones = spark_map(spark_range(*state, 0, 1000, 1, 10), one, NULL);
    assert_int_equal(suite_sizes(spark_repartition(ones, 2), 2, sizes), 2);
    assert_in_range(sizes[0], 490, 510);
    assert_in_range(sizes[1], 490, 510);
}
static void rdd_suite__repartition_leaves_no_partition_empty_or_large(void **state)
{
    static const struct {
        int64_t n;
        int from, to;
    } cases[] = { { 100, 10, 20 }, { 20000, 20, 100 }, { 1000, 250, 128 } };
    for (size_t c = 0; c < LENGTH(cases); c++) {
        size_t sizes[128];
        spark_rdd *rdd
            = spark_repartition(spark_range(*state, 0, cases[c].n, 1, cases[c].from), cases[c].to);
        assert_int_equal(suite_sizes(rdd, 128, sizes), cases[c].to);
        for (int i = 0; i < cases[c].to; i++)
            assert_in_range(sizes[i], 1, cases[c].n / cases[c].to + cases[c].from);
        suite_all(rdd, 0, (size_t)cases[c].n);
    }
}
static spark_rdd *ten(spark_context *sc)
{
    return spark_range(sc, 1, 11, 1, 10);
}
static void rdd_suite__coalesce_into_0_is_refused(void **state)
{
    int64_t n;
    oracle_fails(spark_count(spark_coalesce(ten(*state), 0), &n), SPARK_EINVAL, "0 partitions");
}
static void rdd_suite__coalesce_into_2_makes_halves(void **state)
{
    oracle_has_layout(spark_coalesce(ten(*state), 2), "1 2 3 4 5 | 6 7 8 9 10");
}
static void rdd_suite__coalesce_into_3_joins_neighbours(void **state)
{
    oracle_collects(spark_glom(spark_coalesce(ten(*state), 3)), "[1,2,3] [4,5,6] [7,8,9,10]");
}
static void rdd_suite__coalesce_into_as_many_gives_single_elements(void **state)
{
    oracle_has_layout(spark_coalesce(ten(*state), 10), "1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10");
}
static void rdd_suite__coalesce_into_more_changes_nothing(void **state)
{
    oracle_has_layout(spark_coalesce(ten(*state), 20), "1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10");
}
/* coalesce with a shuffle is repartition. */
static void rdd_suite__coalesce_with_shuffle_has_a_shuffle_near_its_top(void **state)
{
    bool shuffled = false;
    spark_rdd *rdd = spark_repartition(ten(*state), 1);
    suite_all(rdd, 1, 10);
    for (int level = 0; level < 3 && rdd != NULL && !shuffled; level++)
        rdd = spark_rdd_dependency(rdd, 0, &shuffled);
    assert_non_null(rdd);
    assert_true(shuffled);
}
/* Partitions have no hosts here. */
static void rdd_suite__coalesce_of_9_loses_nothing(void **state)
{
    size_t sizes[9];
    spark_rdd *nine = spark_range(*state, 1, 10, 1, 9), *rdd = spark_coalesce(nine, 3);
    assert_int_equal(suite_sizes(rdd, 9, sizes), 3);
    for (int i = 0; i < 3; i++)
        assert_true(sizes[i] > 0);
    suite_all(rdd, 1, 9);
    assert_int_equal(spark_rdd_partitions(spark_coalesce(nine, 20)), 9);
}
/* Partitions have no hosts here. */
static void rdd_suite__coalesce_of_1000_partitions_into_50_gives_50(void **state)
{
    spark_rdd *rdd = spark_coalesce(spark_range(*state, 0, 1000, 1, 1000), 50);
    size_t sizes[50];
    assert_int_equal(suite_sizes(rdd, 50, sizes), 50);
    suite_all(rdd, 0, 1000);
}
static void rdd_suite__zip_of_1_and_2_partitions_is_refused(void **state)
{
    spark_array a;
    oracle_fails(spark_collect(spark_zip(spark_range(*state, 1, 5, 1, 1), four(*state)), NULL, &a),
        SPARK_EINVAL, "partitions");
}
static void rdd_suite__zip_of_4_and_5_elements_fails(void **state)
{
    spark_array a;
    oracle_fails(spark_collect(spark_zip(four(*state), spark_range(*state, 1, 6, 1, 2)), NULL, &a),
        SPARK_ETASK, "elements");
}
/* Pruning is an action on the partitions that are left. */
static void rdd_suite__pruned_to_the_last_of_10_partitions_is_10(void **state)
{
    static const int last[] = { 9 };
    spark_array a;
    oracle_ok(spark_collect_partitions(ten(*state), 1, last, SPARK_TYPE(int64_t), &a));
    assert_int_equal(suite_only(&a), 10);
}
static void rdd_suite__pruned_partitions_can_be_joined_by_union(void **state)
{
    static const int fifth[] = { 4 };
    spark_rdd *pruned = spark_prune_partitions(ten(*state), 1, fifth);
    spark_rdd *twice = spark_union(pruned, spark_prune_partitions(ten(*state), 1, fifth));
    assert_int_equal(spark_rdd_partitions(pruned), 1);
    oracle_has_layout(spark_union(pruned, pruned), "5 | 5");
    oracle_has_layout(twice, "5 | 5");
    oracle_collects(spark_map_partitions(twice, sum_up_with_index, NULL), "(0,5) (1,5)");
}
static void rdd_suite__repartition_of_10_into_2001_loses_nothing(void **state)
{
    spark_rdd *rdd = spark_repartition(spark_range(*state, 0, 10, 1, 1000), 2001);
    assert_int_equal(spark_rdd_partitions(rdd), 2001);
    suite_all(rdd, 0, 10);
}

/* ---- take, top, samples */

static void rdd_suite__take_of_a_huge_number_gives_all(void **state)
{
    spark_array a;
    spark_rdd *two = spark_range(*state, 1, 3, 1, 2);
    oracle_ok(spark_take(two, 2147483638, SPARK_TYPE(int64_t), &a));
    oracle_lists(&a, "1 2");
    spark_array_free(&a);
    oracle_ok(spark_future_get(spark_take_async(two, 2147483638, SPARK_TYPE(int64_t)), &a));
    oracle_lists(&a, "1 2");
    spark_array_free(&a);
}
static void rdd_suite__take_of_any_number_gives_the_first(void **state)
{
    static const int partitions[] = { 1, 2, 100, 1000 };
    static const size_t counts[] = { 0, 1, 3, 500, 501, 999, 1000 };
    for (size_t p = 0; p < LENGTH(partitions); p++) {
        spark_rdd *rdd = spark_range(*state, 1, 1000, 1, partitions[p]);
        assert_int_equal(spark_rdd_partitions(rdd), partitions[p]);
        for (size_t c = 0; c < LENGTH(counts); c++) {
            spark_array a;
            oracle_ok(spark_take(rdd, counts[c], SPARK_TYPE(int64_t), &a));
            assert_int_equal(a.n, counts[c] < 999 ? counts[c] : 999);
            for (size_t i = 0; i < a.n; i++)
                assert_int_equal(SPARK_ITEMS(int64_t, &a)[i], i + 1);
            spark_array_free(&a);
        }
    }
}
static void rdd_suite__top_5_of_shuffled_numbers(void **state)
{
    static int64_t x[99999];
    uint64_t seed = 1;
    spark_array a;
    for (size_t i = 0; i < LENGTH(x); i++)
        x[i] = (int64_t)i + 1;
    for (size_t i = LENGTH(x) - 1; i > 0; i--) {
        const size_t j = oracle_below(&seed, i + 1);
        const int64_t y = x[i];
        x[i] = x[j];
        x[j] = y;
    }
    oracle_ok(spark_top(numbers(*state, LENGTH(x), x, 2), 5, NULL, SPARK_TYPE(int64_t), &a));
    oracle_lists(&a, "99999 99998 99997 99996 99995");
    spark_array_free(&a);
}
static void rdd_suite__top_2_of_words_in_reverse_order(void **state)
{
    static const spark_str x[] = { SPARK_STR("a"), SPARK_STR("b"), SPARK_STR("c"), SPARK_STR("d") };
    spark_array a;
    oracle_ok(spark_top(spark_parallelize(*state, SPARK_DATA(spark_str, 4, x), 2), 2,
        spark_order_desc, SPARK_TYPE(spark_str), &a));
    oracle_lists(&a, "a b");
    spark_array_free(&a);
}
static void rdd_suite__take_ordered_of_5_and_of_0(void **state)
{
    spark_array a;
    spark_rdd *rdd = spark_range(*state, 10, 0, -1, 2);
    oracle_ok(spark_take_ordered(rdd, 5, NULL, SPARK_TYPE(int64_t), &a));
    oracle_lists(&a, "1 2 3 4 5");
    spark_array_free(&a);
    oracle_ok(spark_take_ordered(rdd, 0, NULL, SPARK_TYPE(int64_t), &a));
    assert_int_equal(a.n, 0);
    spark_array_free(&a);
}
static void rdd_suite__take_ordered_by_the_reverse_order(void **state)
{
    spark_array a;
    oracle_ok(spark_take_ordered(
        spark_range(*state, 1, 11, 1, 2), 5, spark_order_desc, SPARK_TYPE(int64_t), &a));
    oracle_lists(&a, "10 9 8 7 6");
    spark_array_free(&a);
}
static void rdd_suite__sample_keeps_the_partitioner(void **state)
{
    spark_rdd *rdd = placed(*state, 1, 5, 2);
    for (int replace = 0; replace < 2; replace++) {
        spark_rdd *sample = spark_sample(rdd, replace, 1.0, 7);
        assert_non_null(spark_rdd_partitioner(sample));
        assert_true(
            spark_partitioner_equal(spark_rdd_partitioner(rdd), spark_rdd_partitioner(sample)));
    }
}
static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}
static void rdd_suite__take_sample_draws_exactly_n_different_ones(void **state)
{
    static const size_t counts[] = { 5, 20, 100 };
    spark_rdd *rdd = spark_range(*state, 1, 1000001, 1, 2);
    for (size_t c = 0; c < LENGTH(counts); c++) {
        spark_array a;
        int64_t x[100];
        oracle_ok(spark_take_sample(rdd, false, counts[c], c, SPARK_TYPE(int64_t), &a));
        assert_int_equal(a.n, counts[c]);
        memcpy(x, a.items, a.n * sizeof *x);
        spark_array_free(&a);
        qsort(x, counts[c], sizeof *x, by_number);
        assert_true(x[0] >= 1 && x[counts[c] - 1] <= 1000000);
        for (size_t i = 1; i < counts[c]; i++)
            assert_true(x[i] > x[i - 1]);
    }
}
/* Of n elements, n e^-k are missing on average from a sample of kn; the deviation is about 300. */
static void rdd_suite__take_sample_with_replacement_draws_exactly_n(void **state)
{
    enum { ALL = 1000000 };
    spark_rdd *rdd = spark_range(*state, 1, ALL + 1, 1, 2);
    bool *seen = calloc(ALL, sizeof *seen);
    assert_non_null(seen);
    for (size_t times = 1; times <= 2; times++) {
        spark_array a;
        int64_t different = 0;
        oracle_ok(spark_take_sample(rdd, true, times * ALL, times, SPARK_TYPE(int64_t), &a));
        assert_int_equal(a.n, times * ALL);
        memset(seen, 0, ALL * sizeof *seen);
        for (size_t i = 0; i < a.n; i++) {
            const int64_t x = SPARK_ITEMS(int64_t, &a)[i];
            if (x < 1 || x > ALL)
                fail_msg("%lld is no element", (long long)x);
            different += !seen[x - 1];
            seen[x - 1] = true;
        }
        spark_array_free(&a);
        const int64_t likely = lround(ALL * (1 - exp(-(double)times)));
        assert_in_range(different, likely - 2000, likely + 2000);
    }
    free(seen);
}
/* Zipping fails where the two draw different numbers of elements. */
static void rdd_suite__zip_of_a_sample_and_the_same_sample(void **state)
{
    spark_rdd *rdd = spark_range(*state, 0, 111, 1, 10);
    for (int replace = 0; replace < 2; replace++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            spark_array a;
            spark_rdd *sample = spark_sample(rdd, replace, 0.5, seed);
            spark_rdd *zips[] = { spark_zip(sample, sample),
                spark_zip(sample, spark_sample(rdd, replace, 0.5, seed)) };
            for (size_t k = 0; k < LENGTH(zips); k++) {
                oracle_ok(spark_collect(zips[k], SPARK_TYPE(i64_i64), &a));
                assert_int_equal(a.n, oracle_count(sample));
                assert_in_range(a.n, 15, 96);
                for (size_t i = 0; i < a.n; i++) {
                    const i64_i64 *x = &SPARK_ITEMS(i64_i64, &a)[i];
                    assert_in_range(x->key, 0, 110);
                    assert_int_equal(x->key, x->value);
                }
                spark_array_free(&a);
            }
        }
}
static void rdd_suite__take_sample_of_an_empty_rdd_is_empty(void **state)
{
    spark_array a;
    oracle_ok(
        spark_take_sample(spark_range(*state, 0, 0, 1, 2), false, 20, 1, SPARK_TYPE(int64_t), &a));
    assert_int_equal(a.n, 0);
    spark_array_free(&a);
}
static void rdd_suite__random_split_divides_by_weight(void **state)
{
    static const double weights[] = { 1, 2, 3 };
    spark_rdd *rdd = spark_range(*state, 1, 601, 1, 2);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        spark_rdd *parts[3];
        spark_random_split(rdd, 3, weights, seed, parts);
        for (int i = 0; i < 3; i++)
            assert_in_range(oracle_count(parts[i]), 100 * (i + 1) - 50, 100 * (i + 1) + 50);
        suite_all(spark_union_all(*state, 3, parts), 1, 600);
    }
}
static void rdd_suite__job_on_a_partition_that_is_not_there_is_refused(void **state)
{
    static const int partitions[] = { 0, 1, 2 };
    spark_array a;
    oracle_fails(
        spark_collect_partitions(four(*state), 3, partitions, NULL, &a), SPARK_EINVAL, "partition");
}
/* Where a take begins cannot be set: always with one partition. */
static void rdd_suite__take_of_50_from_100_partitions_needs_several_jobs(void **state)
{
    spark_array a;
    spark_rdd *rdd = spark_range(*state, 0, 101, 1, 100);
    for (int async = 0; async < 2; async++) {
        const int before = suite_jobs(*state);
        if (async)
            oracle_ok(spark_future_get(spark_take_async(rdd, 50, SPARK_TYPE(int64_t)), &a));
        else
            oracle_ok(spark_take(rdd, 50, SPARK_TYPE(int64_t), &a));
        assert_int_equal(a.n, 50);
        for (int i = 0; i < 50; i++)
            assert_int_equal(SPARK_ITEMS(int64_t, &a)[i], i);
        spark_array_free(&a);
        assert_true(suite_jobs(*state) - before > 1);
    }
}

/* The same, with room for all of them in the first job; and with a factor that takes two. */
static void rdd_suite__take_of_50_from_100_partitions_in_one_job_with_a_setting(void **state)
{
    (void)state;
    const spark_conf confs[] = { { .threads = 2, .limit_initial_partitions = 1000 },
        { .threads = 2, .limit_scale_up_factor = 1000 },
        { .threads = 2, .limit_scale_up_factor = 1 } };
    const int jobs[] = { 1, 2, 5 }; /* the last: 1, 2, 6, 18, 35 partitions */
    for (size_t c = 0; c < LENGTH(confs); c++)
        for (int async = 0; async < 2; async++) {
            spark_array a;
            spark_context *sc = oracle_open_conf(&confs[c]);
            spark_rdd *rdd = spark_range(sc, 0, 101, 1, 100);
            if (async)
                oracle_ok(spark_future_get(spark_take_async(rdd, 50, SPARK_TYPE(int64_t)), &a));
            else
                oracle_ok(spark_take(rdd, 50, SPARK_TYPE(int64_t), &a));
            assert_int_equal(a.n, 50);
            assert_int_equal(SPARK_ITEMS(int64_t, &a)[49], 49);
            spark_array_free(&a);
            assert_int_equal(suite_jobs(sc), jobs[c]);
            oracle_close(sc);
        }
}

/* ---- sorting */

static void rdd_suite__sort_of_an_empty_rdd_is_empty(void **state)
{
    oracle_collects(spark_sort_by(nothing(*state), NULL, 0), "");
}
SPARK_ORDER(by_first_descending, row, (desc, first));
/* The key is a member that an order names. */
static void rdd_suite__sort_by_the_first_field_descending(void **state)
{
    static const row x[]
        = { { 5, 50, SPARK_STR("A") }, { 4, 60, SPARK_STR("C") }, { 6, 40, SPARK_STR("B") } };
    oracle_collects(
        spark_sort_by(spark_parallelize(*state, SPARK_DATA(row, 3, x), 0), by_first_descending, 0),
        "(6,40,B) (5,50,A) (4,60,C)");
}
SPARK_ORDER(by_age, person, (asc, age));
SPARK_ORDER(by_name, person, (asc, name));
static void rdd_suite__sort_by_an_order_of_ones_own(void **state)
{
    static const person x[] = { { SPARK_STR("Bob"), 50 }, { SPARK_STR("Carol"), 20 },
        { SPARK_STR("Dan"), 40 }, { SPARK_STR("Alice"), 30 } };
    spark_rdd *rdd = spark_parallelize(*state, SPARK_DATA(person, 4, x), 2);
    spark_rdd *aged = spark_sort_by(rdd, by_age, 2), *named = spark_sort_by(rdd, by_name, 2);
    oracle_collects(aged, "(Carol,20) (Alice,30) (Dan,40) (Bob,50)");
    oracle_collects(named, "(Alice,30) (Bob,50) (Carol,20) (Dan,40)");
    assert_int_equal(spark_rdd_partitions(aged), 2);
    assert_int_equal(spark_rdd_partitions(named), 2);
}
/* A computed key: key_by, sort_by_key, values. */
static void rdd_suite__sort_by_a_column_of_text(void **state)
{
    static const spark_str x[] = { SPARK_STR("5|50|A"), SPARK_STR("4|60|C"), SPARK_STR("6|40|B") };
    static const char *const want[]
        = { "4|60|C 5|50|A 6|40|B", "6|40|B 5|50|A 4|60|C", "5|50|A 6|40|B 4|60|C" };
    spark_rdd *rdd = spark_parallelize(*state, SPARK_DATA(spark_str, 3, x), 0);
    for (int i = 0; i < 3; i++)
        oracle_collects(
            spark_values(spark_sort_by_key(spark_key_by(rdd, column, SPARK_COPY(i)), NULL, 0)),
            want[i]);
}
SPARK_ORDER(by_last_and_first, full_name, (asc, last), (asc, first));
static void rdd_suite__sort_by_the_last_and_then_the_first_name(void **state)
{
    static const full_name x[] = { { SPARK_STR("Thomas"), SPARK_STR("Williams") },
        { SPARK_STR("Zoe"), SPARK_STR("Adams") }, { SPARK_STR("Jane"), SPARK_STR("Smith") },
        { SPARK_STR("Karen"), SPARK_STR("Williams") }, { SPARK_STR("Bob"), SPARK_STR("Smith") } };
    oracle_collects(spark_sort_by(spark_parallelize(*state, SPARK_DATA(full_name, 5, x), 3),
                        by_last_and_first, 0),
        "(Zoe,Adams) (Bob,Smith) (Jane,Smith) (Karen,Williams) (Thomas,Williams)");
}
static void rdd_suite__repartition_and_sort_within_partitions_by_parity(void **state)
{
    static const i64_i64 x[] = { { 0, 5 }, { 3, 8 }, { 2, 6 }, { 0, 8 }, { 3, 8 }, { 1, 3 } };
    spark_rdd *rdd = spark_repartition_and_sort_within_partitions(
        spark_parallelize(*state, SPARK_DATA(i64_i64, 6, x), 2),
        spark_partitioner_new(*state, 2, by_parity, NULL), NULL);
    oracle_has_layout(spark_keys(rdd), "0 0 2 | 1 3 3");
    oracle_holds(rdd, "(0,5) (0,8) (1,3) (2,6) (3,8) (3,8)");
}
static void rdd_suite__repartition_and_sort_of_what_is_placed_does_not_shuffle(void **state)
{
    spark_rdd *reduced = spark_reduce_by_key(pairs(*state, 0, 20, 3), plus, NULL, 2);
    spark_rdd *rdd = spark_repartition_and_sort_within_partitions(
        reduced, spark_hash_partitioner(*state, 2), NULL);
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(reduced), spark_rdd_partitioner(rdd)));
    assert_int_equal(oracle_count(rdd), 20);
    for (spark_rdd *at = rdd; at != reduced;) {
        bool shuffle = true;
        assert_int_equal(spark_rdd_n_dependencies(at), 1);
        at = spark_rdd_dependency(at, 0, &shuffle);
        assert_false(shuffle);
        assert_int_equal(spark_rdd_partitions(at), 2);
    }
}

/* ---- sets and products */

static void rdd_suite__cartesian_pairs_all_with_all(void **state)
{
    spark_rdd *a = spark_range(*state, 1, 4, 1, 0), *b = spark_range(*state, 2, 5, 1, 0);
    spark_rdd *single = spark_range(*state, 1, 2, 1, 0);
    oracle_holds(spark_cartesian(a, b), "(1,2) (1,3) (1,4) (2,2) (2,3) (2,4) (3,2) (3,3) (3,4)");
    oracle_holds(spark_cartesian(a, single), "(1,1) (2,1) (3,1)");
    oracle_holds(spark_cartesian(single, a), "(1,1) (1,2) (1,3)");
}
static void rdd_suite__cartesian_with_nothing_is_nothing(void **state)
{
    spark_rdd *none = nothing(*state), *some = spark_range(*state, 1, 4, 1, 2);
    spark_rdd *products[]
        = { spark_cartesian(none, none), spark_cartesian(none, some), spark_cartesian(some, none) };
    for (size_t i = 0; i < LENGTH(products); i++) {
        assert_int_equal(spark_rdd_partitions(products[i]), 0);
        oracle_collects(products[i], "");
    }
    /* Empty partitions are partitions. */
    spark_rdd *empty = spark_range(*state, 0, 0, 1, 3);
    oracle_has_layout(spark_cartesian(some, empty), " | | | | |");
    oracle_has_layout(spark_cartesian(empty, some), " | | | | |");
}
static void rdd_suite__cartesian_of_too_many_partitions_is_refused(void **state)
{
    int64_t n;
    spark_rdd *rdd = spark_range(*state, 0, 65536, 1, 65536);
    spark_rdd *product = spark_cartesian(rdd, rdd);
    assert_int_equal(spark_rdd_partitions(product), -1);
    oracle_fails(spark_count(product, &n), SPARK_EINVAL, "4294967296");
}
static void rdd_suite__intersection_with_even_numbers_from_both_sides(void **state)
{
    spark_rdd *all = spark_range(*state, 1, 11, 1, 0), *evens = spark_filter(all, even, NULL);
    oracle_holds(spark_intersection(all, evens, 0), "10 2 4 6 8");
    oracle_holds(spark_intersection(evens, all, 0), "10 2 4 6 8");
}
static void rdd_suite__intersection_has_duplicates_once(void **state)
{
    static const int64_t a[] = { 1, 2, 3, 3 }, b[] = { 1, 1, 2, 3 };
    spark_rdd *x = numbers(*state, 4, a, 0), *y = numbers(*state, 4, b, 0);
    oracle_holds(spark_intersection(x, y, 0), "1 2 3");
    oracle_holds(spark_intersection(y, x, 0), "1 2 3");
}
static void rdd_suite__zip_with_index_counts_through_3_partitions_and_1(void **state)
{
    oracle_has_layout(spark_zip_with_index(spark_range(*state, 0, 10, 1, 3)),
        "(0,0) (1,1) (2,2) | (3,3) (4,4) (5,5) | (6,6) (7,7) (8,8) (9,9)");
    oracle_has_layout(spark_zip_with_index(spark_range(*state, 0, 10, 1, 1)),
        "(0,0) (1,1) (2,2) (3,3) (4,4) (5,5) (6,6) (7,7) (8,8) (9,9)");
}
/* An element has the same index wherever it is computed: in both sides of a join, and in another
 * RDD that is made alike. */
static void rdd_suite__zip_with_index_of_distinct_numbers_joins_with_itself(void **state)
{
    enum { N = 189 * 100 };
    spark_rdd *indexed[2];
    for (int i = 0; i < 2; i++)
        indexed[i] = spark_zip_with_index(spark_distinct(
            spark_flat_map(spark_range(*state, 0, 189, 1, 0), hundred_from_600_times, NULL), 0));
    suite_all(spark_values(indexed[0]), 0, N);
    for (int i = 0; i < 2; i++) {
        spark_array a;
        oracle_ok(spark_collect(spark_join(indexed[0], indexed[i], 0), SPARK_TYPE(joined), &a));
        assert_int_equal(a.n, N);
        for (size_t k = 0; k < a.n; k++) {
            const i64_i64 index = SPARK_ITEMS(joined, &a)[k].value;
            assert_int_equal(index.key, index.value);
        }
        spark_array_free(&a);
    }
}
static void rdd_suite__zip_with_index_can_be_repartitioned(void **state)
{
    spark_rdd *rdd = spark_repartition(spark_zip_with_index(spark_range(*state, 0, 10, 1, 2)), 4);
    assert_int_equal(oracle_count(rdd), 10);
}
static void rdd_suite__zip_with_unique_id_numbers_differ(void **state)
{
    spark_rdd *rdd = spark_zip_with_unique_id(spark_range(*state, 0, 10, 1, 3));
    assert_int_equal(oracle_count(spark_distinct(spark_values(rdd), 0)), 10);
    suite_all(spark_keys(rdd), 0, 10);
}

/* ---- lineage */

static void rdd_suite__parents_of_a_union_stand_in_order(void **state)
{
    spark_rdd *rdds[] = { four(*state), four(*state), four(*state) };
    spark_rdd *all = spark_union_all(*state, 3, rdds);
    assert_int_equal(spark_rdd_n_dependencies(all), 3);
    assert_ptr_equal(spark_rdd_dependency(all, 1, NULL), rdds[1]);
    assert_ptr_equal(spark_rdd_dependency(all, 2, NULL), rdds[2]);
}
/* The ancestors are walked with spark_rdd_dependency; each of these RDDs has at most one. */
static int narrow_ancestors(spark_rdd *rdd)
{
    int n = 0;
    bool shuffle = false;
    for (; (rdd = spark_rdd_dependency(rdd, 0, &shuffle)) != NULL && !shuffle; n++)
        assert_true(spark_rdd_n_dependencies(rdd) <= 1);
    return n;
}
static void rdd_suite__narrow_ancestors_end_at_a_shuffle(void **state)
{
    spark_rdd *root = spark_range(*state, 0, 100, 1, 10);
    spark_rdd *mapped = spark_map(spark_map(root, increment, NULL), increment, NULL);
    const int64_t ten_keys = 10;
    spark_rdd *reduced
        = spark_reduce_by_key(spark_map(mapped, by_modulo, SPARK_COPY(ten_keys)), plus, NULL, 0);
    spark_rdd *rdd = reduced;
    for (int i = 0; i < 3; i++)
        rdd = spark_map_values(rdd, increment, NULL);
    assert_int_equal(narrow_ancestors(root), 0);
    assert_int_equal(narrow_ancestors(mapped), 2);
    assert_int_equal(narrow_ancestors(reduced), 0);
    assert_int_equal(narrow_ancestors(rdd), 3);
}
/* An element that is an RDD is a pointer. */
static void rdd_suite__nested_rdd_cannot_be_counted(void **state)
{
    rdd_ref inner[] = { four(*state), four(*state) };
    int64_t n;
    spark_rdd *rdd = spark_map(
        spark_parallelize(*state, SPARK_DATA(rdd_ref, 2, inner), 2), count_nested, NULL);
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "nested: count");
    assert_int_equal(oracle_count(inner[0]), 4);
}
static void rdd_suite__action_inside_a_map_fails(void **state)
{
    rdd_ref other = four(*state);
    int64_t n;
    spark_rdd *rdd = spark_map(four(*state), count_inside, SPARK_COPY(other));
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "inside: count");
}

/* by_size: one group after the other, of neighbours that have at most so many bytes together. */
SPARK_COALESCER(by_size, int64_t)
{
    int groups = 0;
    int64_t sum = 0;
    for (int i = 0; i < n; i++) {
        if (groups == 0 || sum + bytes[i] > *env) {
            groups++;
            sum = 0;
        }
        sum += bytes[i];
        group_of[i] = groups - 1;
    }
    return groups;
}
static int64_t sizes_seen[64];
SPARK_COALESCER(look_at_sizes)
{
    for (int i = 0; i < n; i++) {
        sizes_seen[i] = bytes[i];
        group_of[i] = 0;
    }
    return 1;
}
SPARK_MAP(as_text, int64_t, spark_str)
{
    *out = spark_str_format(task, "%d", (int)*in);
}

static void rdd_suite__custom_coalescer_groups_by_size(void **state)
{
    spark_context *sc = *state;
    const int64_t most = 512;
    assert_int_equal(scratch_enter(NULL), 0);
    oracle_ok(
        spark_save_as_text_file(spark_map(spark_range(sc, 1, 1001, 1, 10), as_text, NULL), "out"));
    spark_rdd *read = spark_text_file(sc, "out", 10);
    const int partitions = spark_rdd_partitions(read);
    assert_true(partitions >= 10);
    assert_int_equal(oracle_count(spark_coalesce_by(read, 2, look_at_sizes, NULL)), 1000);
    int64_t all = 0;
    for (int i = 0; i < partitions; i++)
        all += sizes_seen[i];
    assert_int_equal(all, 3893); /* 9 * 2 + 90 * 3 + 900 * 4 + 5 */
    spark_rdd *grouped = spark_coalesce_by(read, 2, by_size, SPARK_COPY(most));
    const int groups = spark_rdd_partitions(grouped);
    assert_in_range(groups, all / most, partitions);
    /* Every number is there, in order, and no group has more bytes. */
    spark_array lists;
    oracle_ok(spark_collect(spark_glom(grouped), SPARK_TYPE(spark_str_list), &lists));
    assert_int_equal(lists.n, groups);
    int next = 1;
    for (int g = 0; g < groups; g++) {
        const spark_str_list *list = &SPARK_ITEMS(spark_str_list, &lists)[g];
        size_t bytes = 0;
        assert_true(list->n > 0);
        for (size_t i = 0; i < list->n; i++) {
            char number[16];
            snprintf(number, sizeof number, "%d", next++);
            assert_int_equal(list->at[i].len, strlen(number));
            assert_memory_equal(list->at[i].ptr, number, list->at[i].len);
            bytes += list->at[i].len + 1;
        }
        assert_true(bytes <= (size_t)most + 5); /* a line that a split begins is read before it */
    }
    assert_int_equal(next, 1001);
    spark_array_free(&lists);
    /* What reads no file has no size; a step does not hide it. */
    oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 10, 1, 2), "objects"));
    spark_rdd *objects
        = spark_map(spark_object_file(sc, "objects", SPARK_TYPE(int64_t)), as_text, NULL);
    assert_int_equal(spark_rdd_partitions(spark_coalesce_by(objects, 2, look_at_sizes, NULL)), 1);
    assert_true(sizes_seen[0] > 40 && sizes_seen[1] > 40);
    assert_int_equal(
        oracle_count(spark_coalesce_by(spark_range(sc, 0, 9, 1, 3), 2, look_at_sizes, NULL)), 9);
    assert_int_equal(sizes_seen[0], -1);
    assert_int_equal(oracle_count(spark_coalesce_by(
                         spark_whole_text_files(sc, "out", 2), 2, look_at_sizes, NULL)),
        10);
    assert_int_equal(sizes_seen[0] + sizes_seen[1], all);
    /* Nor do unions and other coalesces. */
    spark_rdd *both = spark_coalesce(
        spark_union(read, spark_map(spark_range(sc, 0, 2, 1, 1), as_text, NULL)), 2);
    assert_int_equal(spark_rdd_partitions(spark_coalesce_by(both, 2, look_at_sizes, NULL)), 1);
    assert_int_equal(sizes_seen[0] + sizes_seen[1], all);
    assert_int_equal(scratch_leave(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        suite_case(rdd_suite__collect_gives_1_to_4_from_2_partitions),
        suite_case(rdd_suite__to_local_iterator_gives_1_to_4),
        suite_case(rdd_suite__distinct_of_4_numbers_twice_counts_4),
        suite_case(rdd_suite__distinct_twice_gives_the_same_and_so_does_distinct_into_2),
        suite_case(rdd_suite__reduce_of_1_to_4_is_10),
        suite_case(rdd_suite__fold_of_1_to_4_from_0_is_10),
        suite_case(rdd_suite__union_with_itself_has_all_twice),
        suite_case(rdd_suite__glom_gives_a_list_a_partition),
        suite_case(rdd_suite__collect_by_a_partial_function_is_filter_map),
        suite_case(rdd_suite__key_by_text_pairs_each_with_its_text),
        suite_case(rdd_suite__map_partitions_sums_to_3_and_7),
        suite_case(rdd_suite__map_partitions_with_index_sums_to_0_3_and_1_7),
        suite_case(rdd_suite__reduce_of_nothing_that_passed_a_filter_fails),
        suite_case(rdd_suite__distinct_of_sorted_pairs_keeps_the_partitioner),
        suite_case(rdd_suite__distinct_into_5_places_anew),
        suite_case(rdd_suite__count_approx_distinct_of_1000_is_near),
        suite_case(rdd_suite__union_all_of_one_is_it_and_of_two_is_both),
        suite_case(rdd_suite__union_with_an_unplaced_rdd_appends_partitions),
        suite_case(rdd_suite__union_of_two_placed_into_1_keeps_the_partitioner),
        suite_case(rdd_suite__union_of_an_empty_and_a_placed_rdd_keeps_the_partitioner),
        suite_case(rdd_suite__union_of_two_empty_rdds_is_empty),
        suite_case(rdd_suite__union_of_two_placed_alike_joins_their_partitions),
        suite_case(rdd_suite__union_of_keys_placed_alike_joins_their_partitions),
        suite_case(rdd_suite__fold_of_2000_numbers_is_their_sum),
        suite_case(rdd_suite__aggregate_adds_values_up_by_key),
        suite_case(rdd_suite__tree_aggregate_of_any_depth_is_the_sum),
        suite_case(rdd_suite__tree_aggregate_uses_its_zero_at_every_level),
        suite_case(rdd_suite__tree_reduce_of_any_depth_is_the_sum),
        suite_case(rdd_suite__failure_while_a_cached_rdd_is_computed_comes_back),
        suite_case(rdd_suite__empty_rdd_counts_0_and_cannot_be_reduced),
        suite_case(rdd_suite__two_pairs_meet_an_empty_rdd),
        suite_case(rdd_suite__is_empty_of_rdds_with_and_without_elements),
        suite_case(rdd_suite__repartition_into_0_is_refused),
        suite_case(rdd_suite__repartition_into_20_reaches_the_first_and_the_last),
        suite_case(rdd_suite__repartition_of_equal_elements_is_even),
        suite_case(rdd_suite__repartition_leaves_no_partition_empty_or_large),
        suite_case(rdd_suite__coalesce_into_0_is_refused),
        suite_case(rdd_suite__coalesce_into_2_makes_halves),
        suite_case(rdd_suite__coalesce_into_3_joins_neighbours),
        suite_case(rdd_suite__coalesce_into_as_many_gives_single_elements),
        suite_case(rdd_suite__coalesce_into_more_changes_nothing),
        suite_case(rdd_suite__coalesce_with_shuffle_has_a_shuffle_near_its_top),
        suite_case(rdd_suite__coalesce_of_9_loses_nothing),
        suite_case(rdd_suite__coalesce_of_1000_partitions_into_50_gives_50),
        suite_case(rdd_suite__zip_of_1_and_2_partitions_is_refused),
        suite_case(rdd_suite__zip_of_4_and_5_elements_fails),
        suite_case(rdd_suite__pruned_to_the_last_of_10_partitions_is_10),
        suite_case(rdd_suite__pruned_partitions_can_be_joined_by_union),
        suite_case(rdd_suite__repartition_of_10_into_2001_loses_nothing),
        suite_case(rdd_suite__take_of_a_huge_number_gives_all),
        suite_case(rdd_suite__take_of_any_number_gives_the_first),
        suite_case(rdd_suite__top_5_of_shuffled_numbers),
        suite_case(rdd_suite__top_2_of_words_in_reverse_order),
        suite_case(rdd_suite__take_ordered_of_5_and_of_0),
        suite_case(rdd_suite__take_ordered_by_the_reverse_order),
        suite_case(rdd_suite__sample_keeps_the_partitioner),
        suite_case(rdd_suite__take_sample_draws_exactly_n_different_ones),
        suite_case(rdd_suite__take_sample_with_replacement_draws_exactly_n),
        suite_case(rdd_suite__zip_of_a_sample_and_the_same_sample),
        suite_case(rdd_suite__take_sample_of_an_empty_rdd_is_empty),
        suite_case(rdd_suite__random_split_divides_by_weight),
        suite_case(rdd_suite__job_on_a_partition_that_is_not_there_is_refused),
        suite_case(rdd_suite__take_of_50_from_100_partitions_needs_several_jobs),
        suite_case(rdd_suite__take_of_50_from_100_partitions_in_one_job_with_a_setting),
        suite_case(rdd_suite__sort_of_an_empty_rdd_is_empty),
        suite_case(rdd_suite__sort_by_the_first_field_descending),
        suite_case(rdd_suite__sort_by_an_order_of_ones_own),
        suite_case(rdd_suite__sort_by_a_column_of_text),
        suite_case(rdd_suite__sort_by_the_last_and_then_the_first_name),
        suite_case(rdd_suite__repartition_and_sort_within_partitions_by_parity),
        suite_case(rdd_suite__repartition_and_sort_of_what_is_placed_does_not_shuffle),
        suite_case(rdd_suite__cartesian_pairs_all_with_all),
        suite_case(rdd_suite__cartesian_with_nothing_is_nothing),
        suite_case(rdd_suite__cartesian_of_too_many_partitions_is_refused),
        suite_case(rdd_suite__intersection_with_even_numbers_from_both_sides),
        suite_case(rdd_suite__intersection_has_duplicates_once),
        suite_case(rdd_suite__zip_with_index_counts_through_3_partitions_and_1),
        suite_case(rdd_suite__zip_with_index_of_distinct_numbers_joins_with_itself),
        suite_case(rdd_suite__zip_with_index_can_be_repartitioned),
        suite_case(rdd_suite__zip_with_unique_id_numbers_differ),
        suite_case(rdd_suite__parents_of_a_union_stand_in_order),
        suite_case(rdd_suite__narrow_ancestors_end_at_a_shuffle),
        suite_case(rdd_suite__nested_rdd_cannot_be_counted),
        suite_case(rdd_suite__action_inside_a_map_fails),
        suite_case(rdd_suite__custom_coalescer_groups_by_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
