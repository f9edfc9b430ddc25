/* SPDX-License-Identifier: Apache-2.0 */
/* Range partitioners, alone and as what a sort by key leaves, and partitions sorted by key. */
#include "keys.h"

#define ROWS 220

SPARK_ORDER(by_zone_down, place, (desc, zone), (asc, name));
SPARK_PAIR(str_str, spark_str, spark_str);
SPARK_PAIR(place_i64, place, int64_t);

SPARK_PARTITIONER(by_remainder, int32_t)
{
    return (uint32_t)*key % partitions;
}
SPARK_MAP(same_value, int64_t, int64_t)
{
    *out = *in;
}
SPARK_FILTER(any_pair, i32_i64)
{
    return in != NULL;
}
SPARK_MAP(same_pair, i32_i64, i32_i64)
{
    *out = *in;
}

/* ---- PartitioningSuite */

static void test_range_partitioner__is_equal_where_the_bounds_are(void **state)
{
    static i32_i64 same[1000], data[1000];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        same[i] = (i32_i64) { 7, i };
        data[i] = (i32_i64) { i, i };
    }
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 1000, same), 3);
    const spark_partitioner *p2 = spark_range_partitioner(rdd, NULL, 2);
    const spark_partitioner *p4 = spark_range_partitioner(rdd, NULL, 4);
    const spark_partitioner *down = spark_range_partitioner(rdd, spark_order_desc, 4);
    assert_true(spark_partitioner_equal(p2, p4));
    assert_int_equal(spark_partitioner_partitions(p2), spark_partitioner_partitions(p4));
    assert_false(spark_partitioner_equal(p4, down));
    assert_true(spark_partitioner_equal(down, spark_range_partitioner(rdd, spark_order_desc, 2)));
    rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 1000, data), 3);
    p2 = spark_range_partitioner(rdd, NULL, 2);
    p4 = spark_range_partitioner(rdd, NULL, 4);
    assert_int_equal(spark_partitioner_partitions(p2), 2);
    assert_int_equal(spark_partitioner_partitions(p4), 4);
    assert_false(spark_partitioner_equal(p2, p4));
    assert_true(spark_partitioner_equal(p4, spark_range_partitioner(rdd, NULL, 4)));
    assert_false(spark_partitioner_equal(p4, spark_range_partitioner(rdd, spark_order_desc, 4)));
    assert_false(spark_partitioner_equal(p2, spark_hash_partitioner(sc, 2)));
    assert_false(spark_partitioner_equal(spark_hash_partitioner(sc, 2), p2));
    assert_false(spark_partitioner_equal(p4, NULL));
    oracle_close(sc);
}

/* ranges: the keys of each partition lie between those of its neighbours. Returns how many rows
 * the smallest and the largest partition have. */
static void ranges(spark_rdd *placed, bool down, size_t want_rows, size_t *least, size_t *most)
{
    spark_array parts;
    size_t rows = 0;
    int64_t border = down ? INT64_MAX : INT64_MIN;
    oracle_ok(spark_collect(spark_glom(spark_keys(placed)), NULL, &parts));
    *least = SIZE_MAX;
    *most = 0;
    for (size_t i = 0; i < parts.n; i++) {
        const spark_bytes *list = (const spark_bytes *)parts.items + i;
        const int64_t *key = list->ptr;
        int64_t last = border;
        for (size_t j = 0; j < list->len; j++) {
            assert_true(down ? key[j] < border : key[j] > border);
            if (down ? key[j] < last : key[j] > last)
                last = key[j];
        }
        border = last;
        rows += list->len;
        *least = list->len < *least ? list->len : *least;
        *most = list->len > *most ? list->len : *most;
    }
    assert_int_equal(rows, want_rows);
    spark_array_free(&parts);
}

static void test_range_partitioner__places_each_key_between_its_bounds(void **state)
{
    static const int counts[] = { 1, 2, 10, 100, 500, 1000, 1500 };
    enum { N = 2000 };
    static i64_i64 data[N];
    (void)state;
    for (int i = 0; i < N; i++)
        data[i] = (i64_i64) { 1 + (int64_t)i * 7 % N, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_i64, N, data), 4);
    for (size_t c = 0; c < LENGTH(counts); c++)
        for (int down = 0; down < 2; down++) {
            size_t least, most;
            const spark_partitioner *p
                = spark_range_partitioner(rdd, down ? spark_order_desc : NULL, counts[c]);
            assert_int_equal(spark_partitioner_partitions(p), counts[c]);
            spark_rdd *placed = spark_partition_by(rdd, p);
            assert_int_equal(spark_rdd_partitions(placed), counts[c]);
            ranges(placed, down, N, &least, &most);
            assert_true(counts[c] > 100 || least > 0);
        }
    oracle_close(sc);
}

static void test_range_partitioner__balances_even_and_skewed_keys(void **state)
{
    static const int counts[2][3] = { { 10, 20, 40 }, { 2, 4, 8 } };
    enum { N = 20000 };
    i64_i64 *data = malloc(N * sizeof *data);
    (void)state;
    assert_non_null(data);
    spark_context *sc = oracle_open(2);
    for (int skewed = 0; skewed < 2; skewed++) {
        uint64_t seed = 3;
        size_t n = 0;
        /* Skewed: few keys are small, and the partitions of the input are of all sizes. */
        for (int64_t i = 0; i < N; i++) {
            const int64_t x = skewed ? (int64_t)oracle_below(&seed, 1000) : i;
            data[n++] = (i64_i64) { skewed ? x * x * x * 32 + i % 32 : x * 7919 % N, i };
        }
        spark_rdd *rdd = spark_union(spark_parallelize(sc, SPARK_DATA(i64_i64, n / 10, data), 7),
            spark_parallelize(sc, SPARK_DATA(i64_i64, n - n / 10, data + n / 10), 2));
        for (int c = 0; c < 3; c++) {
            size_t least, most;
            spark_rdd *placed
                = spark_partition_by(rdd, spark_range_partitioner(rdd, NULL, counts[skewed][c]));
            assert_int_equal(spark_rdd_partitions(placed), counts[skewed][c]);
            ranges(placed, false, n, &least, &most);
            assert_true(most < 3 * least);
        }
    }
    oracle_close(sc);
    free(data);
}

static void test_range_partitioner__of_an_empty_rdd_has_one_partition(void **state)
{
    i32_i64 one[] = { { 5, 5 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *inputs[] = { spark_empty_rdd(sc, SPARK_TYPE(i32_i64)),
        spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 2),
        spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 1) };
    spark_rdd *other = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, one), 2);
    for (size_t i = 0; i < LENGTH(inputs); i++)
        for (int n = 1; n < 4; n++) {
            const spark_partitioner *p = spark_range_partitioner(inputs[i], NULL, n);
            assert_int_equal(spark_partitioner_partitions(p), 1);
            oracle_has_layout(spark_partition_by(other, p), "(5,5)");
            oracle_has_layout(spark_partition_by(inputs[i], p), "");
        }
    oracle_close(sc);
}

static void test_range_partitioner__samples_with_one_job(void **state)
{
    i32_i64 data[] = { { 3, 1 }, { 1, 2 }, { 2, 3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 2);
    assert_int_equal(oracle_count(rdd), 3);
    assert_int_equal(oracle_last_job(sc).job, 0);
    assert_non_null(spark_range_partitioner(rdd, NULL, 2));
    assert_int_equal(oracle_last_job(sc).job, 1);
    assert_int_equal(oracle_last_job(sc).tasks, 2);
    /* One partition needs no bounds, hence no job. */
    assert_non_null(spark_range_partitioner(rdd, NULL, 1));
    assert_int_equal(oracle_last_job(sc).job, 1);
    oracle_close(sc);
}

/* ---- against naive loops: what range partitioners place keeps its content */

typedef struct placing {
    const void *data;
    int operation;
} placing;

static spark_rdd *range_places(spark_context *sc, int partitions, const void *arg)
{
    const placing *w = arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(place_i64, ROWS, w->data), partitions);
    const spark_keyed_options by = { 9, spark_range_partitioner(rdd, by_zone_down, 5) };
    if (w->operation == 0)
        return spark_partition_by(rdd, by.partitioner);
    return spark_reduce_by_key_with(rdd, spark_op_sum, NULL, &by);
}

static void test_range_partitioner__places_structs_with_strings(void **state)
{
    static place_i64 data[ROWS], want[ROWS];
    size_t n = 0;
    uint64_t seed = 4;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = 0;
        data[i] = (place_i64) { place_of((size_t)oracle_below(&seed, 42)), (int64_t)i };
        while (at < n && !spark_equal(SPARK_TYPE(place), &want[at].key, &data[i].key))
            at++;
        if (at == n)
            want[n++] = data[i];
        else
            want[at].value += data[i].value;
    }
    placing w = { data, 0 };
    oracle_compare(range_places, &w, false, SPARK_TYPE(place_i64), ROWS, data);
    w.operation = 1;
    oracle_compare(range_places, &w, false, SPARK_TYPE(place_i64), n, want);
}

/* ---- what a sort by key leaves */

/* chain: an operation on a sorted RDD, which needs no shuffle of it. */
enum { REDUCE, GROUP, JOIN, COGROUP, DISTINCT, UNION, SUBTRACT, OPERATIONS };

typedef struct sorting {
    const str_i64 *data;
    const str_str *other;
    bool sorted, down;
    int operation;
} sorting;

static spark_rdd *after_sort(spark_context *sc, int partitions, const void *arg)
{
    const sorting *s = arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(str_i64, ROWS, s->data), partitions);
    spark_rdd *other = spark_parallelize(sc, SPARK_DATA(str_str, 30, s->other), 3);
    if (s->sorted)
        rdd = spark_sort_by_key(rdd, s->down ? spark_order_desc : NULL, 4);
    spark_rdd *both[] = { rdd, other };
    switch (s->operation) {
    case REDUCE:
        return spark_reduce_by_key(rdd, spark_op_sum, NULL, 0);
    case GROUP:
        return spark_group_by_key(rdd, 0);
    case JOIN:
        return spark_join(rdd, other, 0);
    case COGROUP:
        return spark_cogroup(2, both, 0);
    case DISTINCT:
        return spark_distinct(spark_map_values(rdd, same_value, NULL), 0);
    case UNION:
        return spark_union(rdd, spark_map_values(rdd, same_value, NULL));
    default:
        return spark_subtract_by_key(rdd, other, 0);
    }
}

static void test_sort_by_key__can_be_followed_by_any_wide_operation(void **state)
{
    static str_i64 data[ROWS];
    static str_str other[30];
    uint64_t seed = 5;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (str_i64) { word((size_t)oracle_below(&seed, 11)), (int64_t)i / 2 };
    for (size_t i = 0; i < 30; i++)
        other[i] = (str_str) { word((size_t)oracle_below(&seed, 3) * 5), word(i) };
    for (int op = 0; op < OPERATIONS; op++) {
        /* Without the sort, into one partition, which keeps the order in groups. */
        const sorting plain = { data, other, false, false, op };
        spark_context *sc = oracle_open(1);
        spark_array want;
        oracle_ok(spark_collect(after_sort(sc, 1, &plain), NULL, &want));
        assert_true(want.n > 0);
        const sorting s = { data, other, true, op % 2, op };
        oracle_compare(after_sort, &s, false, want.type, want.n, want.items);
        spark_array_free(&want);
        oracle_close(sc);
    }
}

static void test_sort_by_key__saves_the_shuffle_after_it(void **state)
{
    static i32_i64 data[ROWS];
    i32_str other[] = { { 1, SPARK_STR("x") }, { 30, SPARK_STR("y") }, { 99, SPARK_STR("z") } };
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_i64) { (int32_t)(i * 7 % 40), (int64_t)i };
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, data), 3);
    spark_rdd *sorted = spark_sort_by_key(rdd, NULL, 4);
    assert_int_equal(oracle_count(sorted), ROWS);
    const spark_partitioner *p = spark_rdd_partitioner(sorted);
    assert_non_null(p);
    assert_int_equal(spark_partitioner_partitions(p), 4);
    assert_int_equal(spark_rdd_partitions(sorted), 4);
    assert_true(spark_partitioner_equal(
        p, spark_rdd_partitioner(spark_map_values(sorted, same_value, NULL))));
    assert_true(
        spark_partitioner_equal(p, spark_rdd_partitioner(spark_filter(sorted, any_pair, NULL))));
    assert_null(spark_rdd_partitioner(spark_map(sorted, same_pair, NULL)));
    assert_null(spark_rdd_partitioner(spark_sort_by(rdd, NULL, 4)));
    assert_true(spark_partitioner_equal(p, spark_rdd_partitioner(spark_sort_by_key(rdd, NULL, 4))));
    assert_false(spark_partitioner_equal(
        p, spark_rdd_partitioner(spark_sort_by_key(rdd, spark_order_desc, 4))));
    assert_ptr_equal(spark_partition_by(sorted, p), sorted);
    spark_rdd *right
        = spark_partition_by(spark_parallelize(sc, SPARK_DATA(i32_str, 3, other), 2), p);
    assert_int_equal(oracle_count(right), 3);
    spark_rdd *both[] = { sorted, right };
    const struct {
        spark_rdd *rdd;
        int64_t n;
        int stages;
        bool placed;
    } narrow[] = {
        { spark_reduce_by_key(sorted, spark_op_sum, NULL, 0), 40, 2, true },
        { spark_group_by_key(sorted, 0), 40, 2, true },
        { spark_distinct(sorted, 0), ROWS, 2, true },
        { spark_distinct(sorted, 4), ROWS, 2, true },
        { spark_join(sorted, sorted, 0), 20 * 36 + 20 * 25, 2, true },
        { spark_join(sorted, right, 0), 6 + 5, 3, true },
        { spark_cogroup(2, both, 0), 41, 3, true },
        { spark_subtract_by_key(sorted, right, 0), ROWS - 11, 3, true },
        { spark_union(sorted, spark_map_values(sorted, same_value, NULL)), 2 * ROWS, 2, true },
    };
    for (size_t i = 0; i < LENGTH(narrow); i++) {
        assert_int_equal(oracle_count(narrow[i].rdd), narrow[i].n);
        assert_int_equal(oracle_last_job(sc).stages, narrow[i].stages);
        assert_int_equal(oracle_last_job(sc).skipped_stages, narrow[i].stages - 1);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
        assert_int_equal(oracle_last_job(sc).tasks, 4);
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(narrow[i].rdd), p));
        const char *text = spark_to_debug_string(narrow[i].rdd);
        assert_int_equal(strncmp(text, "(4) ", 4), 0);
        assert_null(strstr(text, "+-(4)"));
    }
    /* The union is sorted within nothing, but placed: it can be reduced where it is. */
    assert_int_equal(oracle_count(spark_reduce_by_key(narrow[8].rdd, spark_op_sum, NULL, 0)), 40);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    /* Another count: a shuffle, by hash. */
    spark_rdd *wide = spark_reduce_by_key(sorted, spark_op_sum, NULL, 4);
    assert_int_equal(oracle_count(wide), 40);
    assert_int_equal(oracle_last_job(sc).stages, 3);
    assert_true(
        spark_partitioner_equal(spark_rdd_partitioner(wide), spark_hash_partitioner(sc, 4)));
    assert_int_equal(oracle_count(spark_distinct(sorted, 5)), ROWS);
    assert_true(oracle_last_job(sc).shuffle_rows > 0);
    assert_null(spark_rdd_partitioner(spark_union(sorted, rdd)));
    oracle_close(sc);
}

static void test_sort_by_key__has_a_partitioner_of_its_real_partitions(void **state)
{
    static i32_i64 data[ROWS];
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_i64) { (int32_t)i % 3, (int64_t)i };
    for (int parallelism = 0; parallelism <= 4; parallelism += 4) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .default_parallelism = parallelism });
        spark_rdd *few = spark_sort_by_key(
            spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, data), 3), NULL, 30);
        const spark_partitioner *p = spark_rdd_partitioner(few);
        const int n = spark_partitioner_partitions(p);
        assert_true(n >= 3 && n <= 4);
        assert_int_equal(spark_rdd_partitions(few), n);
        spark_rdd *u20 = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 20);
        spark_rdd *u1000 = spark_parallelize(sc, SPARK_DATA(i32_i64, 3, data), 1000);
        spark_rdd *sums = spark_reduce_by_key(few, spark_op_sum, NULL, 0);
        assert_int_equal(spark_rdd_partitions(sums), n);
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(sums), p));
        assert_int_equal(oracle_count(sums), 3);
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(spark_join(few, u20, 0)), p));
        spark_rdd *joined = spark_join(few, u1000, 0);
        assert_int_equal(spark_rdd_partitions(joined), parallelism == 0 ? 1000 : 4);
        assert_int_equal(oracle_count(joined), ROWS);
        /* Of an empty input: one partition. */
        spark_rdd *none
            = spark_sort_by_key(spark_parallelize(sc, SPARK_DATA(i32_i64, 0, NULL), 2), NULL, 5);
        assert_int_equal(spark_partitioner_partitions(spark_rdd_partitioner(none)), 1);
        assert_int_equal(spark_rdd_partitions(spark_reduce_by_key(none, spark_op_sum, NULL, 0)), 1);
        oracle_holds(spark_join(none, few, 0), "");
        assert_int_equal(oracle_count(spark_full_outer_join(none, few, 0)), ROWS);
        oracle_close(sc);
    }
}

/* Two sorts with other bounds: only where the bounds are equal is there no shuffle. */
static void test_sort_by_key__of_other_keys_is_placed_otherwise(void **state)
{
    static i32_i64 data[ROWS], shifted[ROWS];
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        data[i] = (i32_i64) { (int32_t)i, 1 };
        shifted[i] = (i32_i64) { (int32_t)i + 100, 2 };
    }
    spark_context *sc = oracle_open(2);
    spark_rdd *a
        = spark_sort_by_key(spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, data), 2), NULL, 3);
    spark_rdd *b
        = spark_sort_by_key(spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, shifted), 2), NULL, 3);
    assert_false(spark_partitioner_equal(spark_rdd_partitioner(a), spark_rdd_partitioner(b)));
    assert_int_equal(oracle_count(spark_join(a, b, 0)), ROWS - 100);
    spark_rdd *both[] = { a, b };
    assert_int_equal(oracle_count(spark_cogroup(2, both, 0)), ROWS + 100);
    assert_int_equal(spark_rdd_partitions(spark_union(a, b)), 6);
    assert_null(spark_rdd_partitioner(spark_union(a, b)));
    assert_int_equal(oracle_count(spark_subtract_by_key(a, b, 0)), 100);
    assert_int_equal(oracle_count(spark_intersection(a, b, 0)), 0);
    /* Elements of sorted RDDs. */
    spark_rdd *same = spark_map_values(a, same_value, NULL);
    assert_int_equal(oracle_count(spark_intersection(a, same, 0)), ROWS);
    assert_int_equal(oracle_count(spark_subtract(a, same, 3)), 0);
    assert_int_equal(oracle_count(spark_distinct(spark_union(a, same), 0)), ROWS);
    oracle_close(sc);
}

/* ---- repartition_and_sort_within_partitions */

typedef enum placed_by { BY_REMAINDER, BY_HASH, BY_RANGE } placed_by;

typedef struct within {
    const void *data;
    const spark_order *order;
    placed_by by;
    bool placed;
} within;

static spark_rdd *sort_within(spark_context *sc, int partitions, const void *arg)
{
    const within *w = arg;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, w->data), partitions);
    const spark_partitioner *p = w->by == BY_REMAINDER
        ? spark_partitioner_new(sc, 3, by_remainder, NULL)
        : w->by == BY_HASH ? spark_hash_partitioner(sc, 1)
                           : spark_range_partitioner(rdd, w->order, 4);
    if (w->placed)
        rdd = spark_partition_by(rdd, p);
    return spark_repartition_and_sort_within_partitions(rdd, p, w->order);
}

static void test_repartition_and_sort__sorts_each_partition_and_keeps_ties_in_order(void **state)
{
    static i32_i64 data[ROWS], want[ROWS];
    uint64_t seed = 6;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_i64) { (int32_t)oracle_below(&seed, 50), (int64_t)i };
    for (int by = BY_REMAINDER; by <= BY_RANGE; by++)
        for (int down = 0; down < 2; down++) {
            size_t n = 0;
            const int parts = by == BY_REMAINDER ? 3 : 1;
            for (int p = 0; p < parts; p++)
                for (int k = 0; k < 50; k++)
                    for (size_t i = 0; i < ROWS; i++)
                        if (data[i].key % parts == p && data[i].key == (down ? 49 - k : k))
                            want[n++] = data[i];
            assert_int_equal(n, ROWS);
            const within w = { data, down ? spark_order_desc : NULL, (placed_by)by, by == down };
            oracle_compare(sort_within, &w, true, SPARK_TYPE(i32_i64), ROWS, want);
        }
}

static spark_rdd *sort_texts_within(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(str_str, ROWS, arg), partitions);
    return spark_repartition_and_sort_within_partitions(rdd, spark_hash_partitioner(sc, 1), NULL);
}

static void test_repartition_and_sort__takes_strings(void **state)
{
    static str_str data[ROWS], want[ROWS];
    static char pool[ROWS][32];
    uint64_t seed = 7;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const int n = snprintf(pool[i], sizeof pool[i], "the value of row %zu", i);
        data[i] = (str_str) { word((size_t)oracle_below(&seed, 14)), { pool[i], (size_t)n } };
        size_t at = i;
        while (at > 0 && spark_str_compare(want[at - 1].key, data[i].key) > 0) {
            want[at] = want[at - 1];
            at--;
        }
        want[at] = data[i];
    }
    oracle_compare(sort_texts_within, data, true, SPARK_TYPE(str_str), ROWS, want);
}

/* OrderedRDDFunctions: already placed, it is sorted where it is. */
static void test_repartition_and_sort__of_placed_rows_does_not_shuffle(void **state)
{
    i32_i64 data[] = { { 0, 5 }, { 3, 8 }, { 2, 6 }, { 0, 8 }, { 3, 8 }, { 1, 3 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 6, data), 2);
    const spark_partitioner *p = spark_partitioner_new(sc, 2, by_remainder, NULL);
    spark_rdd *sorted = spark_repartition_and_sort_within_partitions(rdd, p, NULL);
    oracle_has_layout(sorted, "(0,5) (0,8) (2,6) | (1,3) (3,8) (3,8)");
    assert_true(spark_partitioner_equal(spark_rdd_partitioner(sorted), p));
    assert_int_equal(strncmp(spark_to_debug_string(sorted), "(2) ShuffledRDD[", 16), 0);
    spark_rdd *placed = spark_partition_by(rdd, p);
    assert_int_equal(oracle_count(placed), 6);
    for (int down = 0; down < 2; down++) {
        sorted = spark_repartition_and_sort_within_partitions(
            placed, p, down ? spark_order_desc : NULL);
        assert_int_equal(oracle_count(sorted), 6);
        assert_int_equal(oracle_last_job(sc).stages, 2);
        assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
        assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
        assert_true(spark_partitioner_equal(spark_rdd_partitioner(sorted), p));
        assert_int_equal(strncmp(spark_to_debug_string(sorted), "(2) MapPartitionsRDD[", 21), 0);
        oracle_has_layout(sorted,
            down ? "(2,6) (0,5) (0,8) | (3,8) (3,8) (1,3)"
                 : "(0,5) (0,8) (2,6) | (1,3) (3,8) (3,8)");
    }
    oracle_count(spark_join(sorted, placed, 0));
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(i32_i64));
    oracle_has_layout(spark_repartition_and_sort_within_partitions(none, p, NULL), " |");
    oracle_close(sc);
}

/* ---- many rows, faults, misuse */

enum { MANY = 200000 };
SPARK_MAP(to_text, int64_t, str_i64)
{
    out->key = spark_str_format(task, "a text that is long, of row %06d", (int)(*in * 7919 % MANY));
    out->value = *in;
}

static void test_partitioners__of_many_rows(void **state)
{
    (void)state;
    char *first = NULL;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open_failing(threads, threads == 2);
        spark_rdd *rdd = spark_map(spark_range(sc, 0, MANY, 1, 3), to_text, NULL);
        const spark_partitioner *p = spark_range_partitioner(rdd, NULL, 5);
        assert_int_equal(spark_partitioner_partitions(p), 5);
        spark_rdd *sorted = spark_repartition_and_sort_within_partitions(rdd, p, NULL);
        spark_array array;
        oracle_ok(spark_collect(sorted, SPARK_TYPE(str_i64), &array));
        const str_i64 *item = SPARK_ITEMS(str_i64, &array);
        assert_int_equal(array.n, MANY);
        for (int64_t i = 0; i < MANY; i++) {
            int64_t k = -1;
            assert_true(
                spark_str_to_i64((spark_str) { item[i].key.ptr + item[i].key.len - 6, 6 }, &k));
            assert_int_equal(k, i);
            assert_int_equal(item[i].value * 7919 % MANY, i);
        }
        spark_array_free(&array);
        spark_rdd *by_key = spark_sort_by_key(rdd, NULL, 5);
        assert_int_equal(oracle_count(spark_join(sorted, by_key, 0)), MANY);
        /* The order of what is placed by it, the same for any number of threads. */
        uint64_t digest = 0;
        oracle_ok(spark_collect(spark_partition_by(rdd, p), SPARK_TYPE(str_i64), &array));
        for (size_t i = 0; i < array.n; i++)
            digest = digest * 31 + (uint64_t)SPARK_ITEMS(str_i64, &array)[i].value;
        spark_array_free(&array);
        char text[32];
        snprintf(text, sizeof text, "%llx", (unsigned long long)digest);
        if (first == NULL)
            first = strdup(text);
        assert_string_equal(first, text);
        oracle_close(sc);
    }
    free(first);
}

static void test_sort_by_key__survives_lost_outputs(void **state)
{
    static i32_i64 data[ROWS];
    /* Jobs 0 and 1 are samples. */
    const spark_fault plan[] = {
        { SPARK_FAULT_TASK, 0, 0, SPARK_ANY, .attempt = 0 },
        { SPARK_FAULT_TASK, 1, 0, 1, .attempt = 0 },
        { SPARK_FAULT_SHUFFLE, 2, SPARK_ANY, 1, .attempt = 0, .output = 2 },
    };
    char *want = NULL;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (i32_i64) { (int32_t)(i * 7 % 31), (int64_t)i };
    for (int faulty = 0; faulty < 2; faulty++) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = 2, .faults = plan, .n_faults = faulty ? LENGTH(plan) : 0 });
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, ROWS, data), 4);
        const spark_partitioner *p = spark_range_partitioner(rdd, NULL, 3);
        assert_non_null(p);
        assert_int_equal(oracle_last_job(sc).failed_tasks, faulty ? 4 : 0);
        spark_rdd *sorted = spark_sort_by_key(rdd, NULL, 3);
        spark_rdd *joined
            = spark_join(sorted, spark_repartition_and_sort_within_partitions(rdd, p, NULL), 0);
        assert_int_equal(oracle_last_job(sc).job, 1);
        assert_int_equal(oracle_last_job(sc).failed_tasks, faulty);
        oracle_same(&want, oracle_layout(joined));
        assert_int_equal(oracle_last_job(sc).job, 2);
        assert_true((oracle_last_job(sc).recomputed_partitions > 0) == faulty);
        oracle_close(sc);
    }
    free(want);
}

SPARK_MAP(fails_always, i32_i64, i32_i64)
{
    *out = *in;
    spark_fail(task, "cannot take %d", (int)in->key);
}

static void test_partitioners__report_what_does_not_fit(void **state)
{
    i32_i64 data[] = { { 1, 5 }, { 2, 6 } };
    i64_i64 wide[] = { { 1, 5 } };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_context *elsewhere = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 2, data), 2);
    spark_rdd *other = spark_parallelize(sc, SPARK_DATA(i64_i64, 1, wide), 2);
    const spark_partitioner *of_nothing = spark_range_partitioner(NULL, NULL, 2);
    assert_non_null(strstr(spark_last_error()->message, "rangePartitioner at "));
    assert_non_null(strstr(spark_last_error()->message, "test_partitioners.c:"));
    assert_not_made(of_nothing);
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "NULL"));
    assert_not_made(spark_range_partitioner(spark_keys(rdd), NULL, 2));
    assert_int_equal(spark_last_error()->code, SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "rangePartitioner at "));
    assert_not_made(spark_range_partitioner(rdd, NULL, -1));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "-1 partitions"));
    assert_int_equal(spark_partitioner_partitions(spark_range_partitioner(rdd, NULL, 0)), 1);
    assert_not_made(spark_range_partitioner(rdd, by_zone_down, 2));
    assert_int_equal(spark_last_error()->code, SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "by_zone_down"));
    assert_not_made(spark_range_partitioner(spark_map(rdd, fails_always, NULL), NULL, 2));
    assert_int_equal(spark_last_error()->code, SPARK_ETASK);
    assert_non_null(strstr(spark_last_error()->message, "cannot take"));
    assert_not_made(spark_range_partitioner(spark_map(rdd, NULL, NULL), NULL, 2));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "map at "));
    /* A range partitioner of other keys, of another context. */
    const spark_partitioner *p = spark_range_partitioner(rdd, NULL, 2);
    assert_int_equal(spark_partitioner_partitions(p), 2);
    oracle_fails(spark_count(spark_partition_by(other, p), &n), SPARK_ETYPE, "partitionBy at ");
    assert_non_null(strstr(spark_last_error()->message, "a range partitioner: key: "));
    spark_rdd *far = spark_parallelize(elsewhere, SPARK_DATA(i32_i64, 2, data), 2);
    oracle_fails(spark_count(spark_partition_by(far, p), &n), SPARK_EINVAL, "another context");
    /* partitions sorted by key */
#define SORTS(...) spark_count(spark_repartition_and_sort_within_partitions(__VA_ARGS__), &n)
    oracle_fails(SORTS(rdd, NULL, NULL), SPARK_EINVAL, "repartitionAndSortWithinPartitions at ");
    assert_non_null(strstr(spark_last_error()->message, "the partitioner is NULL"));
    assert_non_null(strstr(spark_last_error()->message, "test_partitioners.c:"));
    oracle_fails(SORTS(rdd, p, by_zone_down), SPARK_ETYPE, "order by_zone_down");
    assert_non_null(strstr(spark_last_error()->message, "repartitionAndSortWithinPartitions at "));
    oracle_fails(SORTS(other, p, NULL), SPARK_ETYPE, "a range partitioner: key: ");
    oracle_fails(SORTS(spark_keys(rdd), p, NULL), SPARK_ETYPE, "pairs wanted, i32 found");
    oracle_fails(SORTS(NULL, p, NULL), SPARK_EINVAL, "NULL");
    oracle_fails(SORTS(far, p, NULL), SPARK_EINVAL, "another context");
    oracle_fails(SORTS(other, spark_partitioner_new(sc, 2, by_remainder, NULL), NULL), SPARK_ETYPE,
        "partitioner by_remainder");
    /* A sort whose sample fails: whatever needs its partitioner fails in the same way. */
    spark_rdd *bad = spark_sort_by_key(spark_map(rdd, fails_always, NULL), NULL, 2);
    assert_null(spark_rdd_partitioner(bad));
    assert_int_equal(spark_last_error()->code, SPARK_ETASK);
    oracle_fails(spark_count(spark_reduce_by_key(bad, spark_op_sum, NULL, 0), &n), SPARK_ETASK,
        "cannot take");
    oracle_fails(spark_count(spark_union(bad, bad), &n), SPARK_ETASK, "cannot take");
    oracle_fails(spark_count(spark_distinct(bad, 0), &n), SPARK_ETASK, "cannot take");
    assert_int_equal(oracle_count(rdd), 2);
    oracle_close(elsewhere);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_range_partitioner__is_equal_where_the_bounds_are),
        oracle_test(test_range_partitioner__places_each_key_between_its_bounds),
        oracle_test(test_range_partitioner__balances_even_and_skewed_keys),
        oracle_test(test_range_partitioner__of_an_empty_rdd_has_one_partition),
        oracle_test(test_range_partitioner__samples_with_one_job),
        oracle_test(test_range_partitioner__places_structs_with_strings),
        oracle_test(test_sort_by_key__can_be_followed_by_any_wide_operation),
        oracle_test(test_sort_by_key__saves_the_shuffle_after_it),
        oracle_test(test_sort_by_key__has_a_partitioner_of_its_real_partitions),
        oracle_test(test_sort_by_key__of_other_keys_is_placed_otherwise),
        oracle_test(test_sort_by_key__survives_lost_outputs),
        oracle_test(test_repartition_and_sort__sorts_each_partition_and_keeps_ties_in_order),
        oracle_test(test_repartition_and_sort__takes_strings),
        oracle_test(test_repartition_and_sort__of_placed_rows_does_not_shuffle),
        oracle_test(test_partitioners__of_many_rows),
        oracle_test(test_partitioners__report_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
