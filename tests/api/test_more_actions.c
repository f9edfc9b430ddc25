/* SPDX-License-Identifier: Apache-2.0 */
/* max, min, is_empty, take_sample, trees, partitions for their side effect and local iterators,
 * against naive answers. */
#include "samples.h"

#include <math.h>

SPARK_STRUCT(moments, (int64_t, n), (double, sum), (spark_str, longest));

SPARK_FILTER(less_than, int64_t, int64_t)
{
    return *in < *env;
}
SPARK_MAP(to_word, int64_t, spark_str)
{
    *out = spark_str_format(task, "word %lld of many", (long long)*in);
}
typedef const spark_accumulator *counter;
SPARK_MAP(counted, int64_t, int64_t, counter)
{
    spark_accumulate(task, *env, 1);
    *out = *in;
}

/* ---- max and min */

static void is_number(spark_status status, spark_array *array, int64_t want)
{
    oracle_ok(status);
    assert_int_equal(array->n, 1);
    assert_int_equal(*SPARK_ITEMS(int64_t, array), want);
    spark_array_free(array);
}

static void is_word(spark_status status, spark_array *array, spark_str want)
{
    oracle_ok(status);
    assert_int_equal(array->n, 1);
    assert_true(spark_str_equal(*SPARK_ITEMS(spark_str, array), want));
    spark_array_free(array);
}

static void check_extremes(spark_context *sc, int partitions)
{
    spark_rdd *n = spark_parallelize(sc, SPARK_DATA(int64_t, ROWS, numbers), partitions);
    spark_rdd *w = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    int64_t least = numbers[0], most = numbers[0];
    spark_str first = words[0], last = words[0];
    spark_array array;
    for (size_t i = 1; i < ROWS; i++) {
        least = numbers[i] < least ? numbers[i] : least;
        most = numbers[i] > most ? numbers[i] : most;
        first = spark_str_compare(words[i], first) < 0 ? words[i] : first;
        last = spark_str_compare(words[i], last) > 0 ? words[i] : last;
    }
    is_number(spark_max(n, NULL, SPARK_TYPE(int64_t), &array), &array, most);
    is_number(spark_min(n, NULL, SPARK_TYPE(int64_t), &array), &array, least);
    is_number(spark_max(n, spark_order_desc, NULL, &array), &array, least);
    is_number(spark_min(n, spark_order_desc, NULL, &array), &array, most);
    is_word(spark_max(w, NULL, SPARK_TYPE(spark_str), &array), &array, last);
    is_word(spark_min(w, NULL, SPARK_TYPE(spark_str), &array), &array, first);
    /* One element among empty partitions. */
    spark_rdd *one = spark_filter(
        spark_range(sc, 0, 100, 1, partitions), more_than, SPARK_COPY((int64_t) { 98 }));
    is_number(spark_max(one, NULL, NULL, &array), &array, 99);
    is_number(spark_min(one, NULL, NULL, &array), &array, 99);
}

static void test_max__and_min_are_the_ends_of_the_order(void **state)
{
    (void)state;
    fill(11);
    each(check_extremes);
}

static void check_extreme_ties(spark_context *sc, int partitions)
{
    static person people[ROWS];
    spark_array array;
    for (size_t i = 0; i < ROWS; i++)
        people[i] = (person) { { pool[i], 1 + i % 12 }, (int32_t)((i * 7 + 3) % 20) };
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(person, ROWS, people), partitions);
    for (int k = 0; k < 4; k++) {
        const bool largest = k % 2, down = k >= 2;
        const spark_order *order = down ? by_age_down : by_age;
        const int32_t wanted = largest != down ? 19 : 0;
        size_t first = 0;
        while (people[first].age != wanted)
            first++;
        if (largest)
            oracle_ok(spark_max(rdd, order, SPARK_TYPE(person), &array));
        else
            oracle_ok(spark_min(rdd, order, SPARK_TYPE(person), &array));
        assert_int_equal(array.n, 1);
        assert_true(spark_equal(SPARK_TYPE(person), SPARK_ITEMS(person, &array), &people[first]));
        spark_array_free(&array);
    }
}

static void test_max__and_min_take_the_first_of_equal_ones(void **state)
{
    (void)state;
    fill(12);
    each(check_extreme_ties);
}

static void check_no_extremes(spark_context *sc, int partitions)
{
    spark_rdd *none[] = { spark_filter(spark_range(sc, 0, 9, 1, partitions), nothing, NULL),
        spark_range(sc, 0, 0, 1, partitions), spark_empty_rdd(sc, SPARK_TYPE(int64_t)) };
    for (size_t i = 0; i < LENGTH(none); i++) {
        spark_array array = DIRTY_ARRAY;
        blames(spark_max(none[i], NULL, NULL, &array), SPARK_EEMPTY, "max", "empty collection");
        zeroed(&array);
        array.n = 7;
        blames(spark_min(none[i], NULL, NULL, &array), SPARK_EEMPTY, "min", "empty collection");
        zeroed(&array);
    }
}

static void test_max__and_min_of_nothing_are_an_error(void **state)
{
    (void)state;
    each(check_no_extremes);
}

static void test_max__and_min_follow_the_order_of_doubles(void **state)
{
    const double data[] = { 3, -0.0, 0.0, 5, NAN, -2, -INFINITY };
    const double zeros[] = { 0.0, -0.0 };
    spark_array array;
    (void)state;
    for (int p = 1; p <= 7; p += 3) {
        spark_context *sc = oracle_open(2);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(double, 7, data), p);
        oracle_ok(spark_max(rdd, NULL, SPARK_TYPE(double), &array)); /* NaN sorts last */
        assert_true(isnan(*SPARK_ITEMS(double, &array)));
        spark_array_free(&array);
        oracle_ok(spark_min(rdd, NULL, SPARK_TYPE(double), &array));
        assert_true(*SPARK_ITEMS(double, &array) == -INFINITY);
        spark_array_free(&array);
        /* 0 and -0 are equal: the first. */
        rdd = spark_parallelize(sc, SPARK_DATA(double, 2, zeros), p);
        oracle_ok(spark_max(rdd, NULL, SPARK_TYPE(double), &array));
        assert_false(signbit(*SPARK_ITEMS(double, &array)));
        spark_array_free(&array);
        oracle_ok(spark_min(rdd, NULL, SPARK_TYPE(double), &array));
        assert_false(signbit(*SPARK_ITEMS(double, &array)));
        spark_array_free(&array);
        oracle_close(sc);
    }
}

static void test_max__and_min_tell_what_is_wrong(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    for (int largest = 0; largest < 2; largest++) {
        const char *name = largest ? "max" : "min";
        array = (spark_array)DIRTY_ARRAY;
        blames(largest ? spark_max(NULL, NULL, NULL, &array) : spark_min(NULL, NULL, NULL, &array),
            SPARK_EINVAL, name, "the RDD is NULL");
        zeroed(&array);
        array = (spark_array)DIRTY_ARRAY;
        blames(largest ? spark_max(rdd, NULL, SPARK_TYPE(double), &array)
                       : spark_min(rdd, NULL, SPARK_TYPE(double), &array),
            SPARK_ETYPE, name, "f64 wanted, i64 found");
        zeroed(&array);
        blames(
            largest ? spark_max(rdd, by_age, NULL, &array) : spark_min(rdd, by_age, NULL, &array),
            SPARK_ETYPE, name, "by_age");
        zeroed(&array);
        blames(largest ? spark_max(rdd, NULL, NULL, NULL) : spark_min(rdd, NULL, NULL, NULL),
            SPARK_EINVAL, name, "no place");
        oracle_fails(largest ? spark_max(broken(sc), NULL, NULL, &array)
                             : spark_min(broken(sc), NULL, NULL, &array),
            SPARK_EINVAL, "range at ");
    }
    no_job(sc);
    rdd = spark_map(rdd, fail_at, SPARK_COPY((int64_t) { 7 }));
    oracle_fails(spark_max(rdd, NULL, NULL, &array), SPARK_ETASK, "met 7");
    zeroed(&array);
    oracle_close(sc);
}

/* ---- is_empty */

static void check_is_empty(spark_context *sc, int partitions)
{
    bool empty = false;
    spark_rdd *three = spark_range(sc, 1, 4, 1, partitions);
    oracle_ok(spark_is_empty(spark_range(sc, 0, 0, 1, partitions), &empty));
    assert_true(empty);
    oracle_ok(spark_is_empty(three, &empty));
    assert_false(empty);
    oracle_ok(spark_is_empty(spark_filter(three, less_than, SPARK_COPY((int64_t) { 0 })), &empty));
    assert_true(empty);
    /* Only the last partition has something. */
    for (int64_t above = 1; above < 3; above++) {
        oracle_ok(spark_is_empty(spark_filter(three, more_than, SPARK_COPY(above)), &empty));
        assert_false(empty);
    }
    spark_rdd *w = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    oracle_ok(spark_is_empty(w, &empty));
    assert_false(empty);
    oracle_ok(spark_is_empty(spark_filter(w, no_word, NULL), &empty));
    assert_true(empty);
}

static void test_is_empty__tells_whether_there_is_an_element(void **state)
{
    (void)state;
    fill(13);
    each(check_is_empty);
}

static void test_is_empty__looks_at_as_few_partitions_as_it_needs(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        bool empty = true;
        spark_context *sc = oracle_open(threads);
        oracle_ok(spark_is_empty(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), &empty));
        assert_true(empty);
        no_job(sc);
        /* What fails stands behind the first element. */
        empty = true;
        spark_rdd *rdd
            = spark_map(spark_range(sc, 0, 64, 1, 16), fail_at, SPARK_COPY((int64_t) { 4 }));
        oracle_ok(spark_is_empty(rdd, &empty));
        assert_false(empty);
        assert_int_equal(oracle_last_job(sc).tasks, 1);
        assert_int_equal(oracle_last_job(sc).job, 0);
        /* All partitions are empty: 1, 4, 20 and the rest, as take scans. */
        rdd = spark_filter(spark_range(sc, 0, 200, 1, 100), nothing, NULL);
        oracle_ok(spark_is_empty(rdd, &empty));
        assert_true(empty);
        assert_int_equal(oracle_last_job(sc).job, 4);
        assert_int_equal(oracle_last_job(sc).tasks, 75);
        oracle_close(sc);
    }
}

static void test_is_empty__tells_what_is_wrong(void **state)
{
    bool empty = false;
    (void)state;
    spark_context *sc = oracle_open(2);
    blames(spark_is_empty(NULL, &empty), SPARK_EINVAL, "isEmpty", "the RDD is NULL");
    blames(spark_is_empty(spark_range(sc, 0, 3, 1, 1), NULL), SPARK_EINVAL, "isEmpty", "no place");
    oracle_fails(spark_is_empty(broken(sc), &empty), SPARK_EINVAL, "range at ");
    oracle_fails(
        spark_is_empty(
            spark_map(spark_range(sc, 0, 3, 1, 1), fail_at, SPARK_COPY((int64_t) { 0 })), &empty),
        SPARK_ETASK, "met 0");
    oracle_close(sc);
}

/* ---- take_sample */

/* sampled: checks a sample of the numbers 0 to ROWS - 1 (as words, if so wanted); its text. */
static char *sampled(spark_context *sc, int partitions, bool as_words, bool with_replacement,
    size_t n, uint64_t seed)
{
    bool seen[ROWS] = { false };
    spark_array array;
    spark_rdd *rdd = spark_range(sc, 0, ROWS, 1, partitions);
    if (as_words)
        rdd = spark_map(rdd, to_word, NULL);
    oracle_ok(spark_take_sample(rdd, with_replacement, n, seed,
        as_words ? SPARK_TYPE(spark_str) : SPARK_TYPE(int64_t), &array));
    assert_int_equal(array.n, with_replacement || n < ROWS ? n : ROWS);
    for (size_t i = 0; i < array.n; i++) {
        int64_t x = -1;
        if (as_words) {
            spark_str rest = SPARK_ITEMS(spark_str, &array)[i], word;
            assert_true(spark_str_next_word(&rest, &word) && spark_str_next_i64(&rest, &x));
        } else {
            x = SPARK_ITEMS(int64_t, &array)[i];
        }
        assert_true(x >= 0 && x < ROWS);
        assert_true(with_replacement || !seen[x]);
        seen[x] = true;
    }
    char *text = oracle_listing(&array, false);
    spark_array_free(&array);
    return text;
}

static void test_take_sample__draws_exactly_as_many_as_asked_for(void **state)
{
    static const size_t counts[] = { 0, 1, 5, 20, ROWS - 1, ROWS, ROWS + 100 };
    (void)state;
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        for (size_t k = 0; k < 4 * LENGTH(counts); k++) {
            const size_t n = counts[k / 4];
            char *first = NULL;
            for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
                spark_context *sc = oracle_open_conf(&oracle_confs[c]);
                char *text = sampled(sc, oracle_partitions[p], k & 1, k & 2, n, 5);
                /* Nothing but the seed decides. */
                if (first == NULL)
                    first = text;
                assert_string_equal(text, first);
                if (text != first)
                    free(text);
                oracle_close(sc);
            }
            free(first);
        }
    }
}

static void test_take_sample__of_another_seed_is_another_one(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int replaced = 0; replaced < 2; replaced++) {
        for (size_t n = 20; n <= ROWS; n += ROWS - 20) {
            char *a = sampled(sc, 3, false, replaced, n, 1);
            char *b = sampled(sc, 3, false, replaced, n, 2);
            char *again = sampled(sc, 3, false, replaced, n, 1);
            assert_string_not_equal(a, b);
            assert_string_equal(a, again);
            free(a);
            free(b);
            free(again);
        }
    }
    oracle_close(sc);
}

static void test_take_sample__of_all_is_shuffled(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_take_sample(spark_range(sc, 0, ROWS, 1, 4), false, ROWS, 3, NULL, &array));
    const int64_t *x = SPARK_ITEMS(int64_t, &array);
    int64_t moved = 0, sum = 0;
    for (int64_t i = 0; i < ROWS; i++) {
        moved += x[i] != i;
        sum += x[i];
    }
    assert_true(moved > ROWS * 9 / 10);
    assert_int_equal(sum, ROWS * (ROWS - 1) / 2);
    spark_array_free(&array);
    oracle_close(sc);
}

/* Every element comes as often as any other, in each place. */
static void test_take_sample__is_even(void **state)
{
    enum { SEEDS = 1000, N = 8 };
    (void)state;
    for (int replaced = 0; replaced < 2; replaced++) {
        int hits[2][N] = { { 0 } };
        spark_context *sc = oracle_open(1);
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            SPARK_SCOPED(sc);
            spark_array array;
            oracle_ok(
                spark_take_sample(spark_range(sc, 0, N, 1, 3), replaced, 2, seed, NULL, &array));
            hits[0][SPARK_ITEMS(int64_t, &array)[0]]++;
            hits[1][SPARK_ITEMS(int64_t, &array)[1]]++;
            spark_array_free(&array);
        }
        /* 125 expected, a standard deviation of 10.5; the seeds are fixed. */
        for (size_t i = 0; i < N; i++) {
            assert_in_range(hits[0][i], 80, 170);
            assert_in_range(hits[1][i], 80, 170);
        }
        oracle_close(sc);
    }
}

static void test_take_sample__gives_the_cases_of_spark(void **state)
{
    static const size_t counts[] = { 5, 20, 100 };
    enum { N = 100000 };
    spark_array array;
    static bool seen[N + 1];
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 1, N + 1, 1, 2);
    for (size_t k = 0; k < LENGTH(counts); k++)
        for (uint64_t seed = 1; seed <= 5; seed++)
            for (int replaced = 0; replaced < 2; replaced++) {
                oracle_ok(spark_take_sample(rdd, replaced, counts[k], seed, NULL, &array));
                assert_int_equal(array.n, counts[k]);
                const int64_t *x = SPARK_ITEMS(int64_t, &array);
                for (size_t i = 0; i < array.n; i++) {
                    assert_true(x[i] >= 1 && x[i] <= N);
                    assert_true(replaced || !seen[x[i]]);
                    seen[x[i]] = true;
                }
                for (size_t i = 0; i < array.n; i++)
                    seen[x[i]] = false;
                spark_array_free(&array);
            }
    /* More than there are, with replacement: some come twice. */
    oracle_ok(spark_take_sample(spark_range(sc, 0, 10, 1, 2), true, 50, 1, NULL, &array));
    assert_int_equal(array.n, 50);
    spark_array_free(&array);
    /* As many as may be asked for. */
    oracle_ok(spark_take_sample(
        spark_range(sc, 0, 10, 1, 2), false, (size_t)INT32_MAX - 463410, 1, NULL, &array));
    assert_int_equal(array.n, 10);
    spark_array_free(&array);
    oracle_close(sc);
}

static void test_take_sample__of_nothing_is_empty(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_take_sample(spark_range(sc, 0, 10, 1, 2), true, 0, 1, NULL, &array));
    assert_int_equal(array.n, 0);
    assert_ptr_equal(array.type, SPARK_TYPE(int64_t));
    spark_array_free(&array);
    no_job(sc);
    spark_rdd *none[] = { spark_range(sc, 0, 0, 1, 2), spark_empty_rdd(sc, SPARK_TYPE(int64_t)),
        spark_filter(spark_range(sc, 0, 10, 1, 2), nothing, NULL) };
    for (size_t i = 0; i < 2 * LENGTH(none); i++) {
        oracle_ok(spark_take_sample(none[i / 2], i % 2, 20, 1, NULL, &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
    }
    oracle_close(sc);
}

static void test_take_sample__tells_what_is_wrong(void **state)
{
    spark_array array = DIRTY_ARRAY;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    blames(spark_take_sample(NULL, false, 5, 1, NULL, &array), SPARK_EINVAL, "takeSample",
        "the RDD is NULL");
    zeroed(&array);
    array = (spark_array)DIRTY_ARRAY;
    blames(spark_take_sample(rdd, false, 5, 1, SPARK_TYPE(spark_str), &array), SPARK_ETYPE,
        "takeSample", "str wanted, i64 found");
    zeroed(&array);
    blames(spark_take_sample(rdd, false, 5, 1, NULL, NULL), SPARK_EINVAL, "takeSample", "no place");
    for (int replaced = 0; replaced < 2; replaced++) {
        array = (spark_array)DIRTY_ARRAY;
        blames(spark_take_sample(rdd, replaced, (size_t)INT32_MAX - 463410 + 1, 1, NULL, &array),
            SPARK_EINVAL, "takeSample", "too many");
        zeroed(&array);
    }
    no_job(sc);
    oracle_fails(
        spark_take_sample(broken(sc), false, 5, 1, NULL, &array), SPARK_EINVAL, "range at ");
    rdd = spark_map(rdd, fail_at, SPARK_COPY((int64_t) { 7 }));
    oracle_fails(spark_take_sample(rdd, false, 5, 1, NULL, &array), SPARK_ETASK, "met 7");
    zeroed(&array);
    oracle_close(sc);
}

/* ---- trees */

SPARK_MERGE(concat, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
}
SPARK_MERGE(add_f64, double, double)
{
    *acc += *in;
}
SPARK_MERGE(add_scaled, int64_t, int64_t, int64_t)
{
    *acc += *in * *env;
}
SPARK_MERGE(add_i64, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_MERGE(gather, moments, spark_str)
{
    acc->n++;
    acc->sum += 1.0 / (double)(in->len + 1);
    if (in->len > acc->longest.len)
        acc->longest = *in;
}
SPARK_MERGE(gather_parts, moments, moments)
{
    acc->n += in->n;
    acc->sum += in->sum;
    if (in->longest.len > acc->longest.len)
        acc->longest = in->longest;
}

/* append: behind *to, which has the zero first if it is new. */
static void append(oracle_text *to, const char *zero, const oracle_text *from)
{
    oracle_append(to, zero, strlen(zero));
    oracle_append(to, from->bytes, from->length);
}

/* naive_tree: Spark's rule: the levels below `partitions`, merged by index modulo their number,
 * each accumulator into a zero first. Free the text. *levels: how many there were. */
static char *naive_tree(int partitions, int depth, const char *zero, int *levels)
{
    int n = partitions, scale = 1;
    oracle_text *parts = calloc((size_t)n, sizeof *parts), total = { NULL, 0, 0 };
    assert_non_null(parts);
    for (int p = 0; p < n; p++) {
        oracle_append(&parts[p], zero, strlen(zero));
        for (size_t i = slice(ROWS, n, p); i < slice(ROWS, n, p + 1); i++)
            oracle_append(&parts[p], words[i].ptr, words[i].len);
    }
    for (int power = 0; power < n && scale <= n; scale++) {
        power = 1;
        for (int i = 0; i < depth && power < n; i++)
            power *= scale;
        if (power >= n)
            break;
    }
    scale = scale < 2 ? 2 : scale;
    *levels = 0;
    while (n > scale + (n + scale - 1) / scale) {
        const int fewer = n / scale;
        oracle_text *merged = calloc((size_t)fewer, sizeof *merged);
        assert_non_null(merged);
        for (int p = 0; p < n; p++) {
            append(&merged[p % fewer], zero, &parts[p]);
            free(parts[p].bytes);
        }
        free(parts);
        parts = merged;
        n = fewer;
        ++*levels;
    }
    oracle_append(&total, zero, strlen(zero));
    for (int p = 0; p < n; p++) {
        append(&total, zero, &parts[p]);
        free(parts[p].bytes);
    }
    free(parts);
    return total.bytes;
}

static void check_trees(spark_context *sc, int partitions)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    spark_array array;
    for (int depth = 1; depth <= 4; depth++) {
        int levels, before;
        char *want = naive_tree(partitions, depth, "", &levels);
        oracle_count(rdd);
        before = oracle_last_job(sc).job;
        oracle_ok(spark_tree_reduce(rdd, concat, NULL, depth, SPARK_TYPE(spark_str), &array));
        assert_int_equal(oracle_last_job(sc).job - before, 1 + levels);
        char *have = oracle_listing(&array, false);
        assert_string_equal(have, want);
        free(have);
        free(want);
        spark_array_free(&array);
        const spark_str zero = SPARK_STR("<0>");
        want = naive_tree(partitions, depth, "<0>", &levels);
        before = oracle_last_job(sc).job;
        oracle_ok(spark_tree_aggregate(
            rdd, SPARK_VALUE(spark_str, &zero), concat, concat, NULL, depth, &array));
        assert_int_equal(oracle_last_job(sc).job - before, 1 + levels);
        have = oracle_listing(&array, false);
        assert_string_equal(have, want);
        free(have);
        free(want);
        spark_array_free(&array);
    }
}

static void test_trees__merge_as_many_levels_as_spark_does(void **state)
{
    (void)state;
    fill(14);
    each(check_trees);
}

static void test_trees__of_many_partitions_have_the_levels_of_spark(void **state)
{
    static const struct {
        int partitions, depth, jobs;
    } cases[] = { { 4, 2, 1 }, { 10, 1, 1 }, { 10, 2, 2 }, { 10, 3, 2 }, { 100, 1, 1 },
        { 100, 2, 2 }, { 1000, 3, 3 }, { 1000, 1, 1 } };
    static const int tasks_of_last[] = { 4, 10, 2, 3, 100, 10, 10, 1000 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        spark_array array;
        spark_rdd *rdd = spark_range(sc, 0, 5000, 1, cases[i].partitions);
        oracle_count(rdd);
        const int before = oracle_last_job(sc).job;
        is_number(spark_tree_reduce(rdd, add_i64, NULL, cases[i].depth, NULL, &array), &array,
            2500 * 4999);
        assert_int_equal(oracle_last_job(sc).job - before, cases[i].jobs);
        assert_int_equal(oracle_last_job(sc).tasks, tasks_of_last[i]);
    }
    oracle_close(sc);
}

static void check_tree_of_moments(spark_context *sc, int partitions)
{
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions);
    moments want = { 0, 0, { NULL, 0 } };
    for (size_t i = 0; i < ROWS; i++) {
        want.n++;
        want.sum += 1.0 / (double)(words[i].len + 1);
        want.longest.len = words[i].len > want.longest.len ? words[i].len : want.longest.len;
    }
    for (int depth = 1; depth <= 3; depth++) {
        spark_array array;
        oracle_ok(spark_tree_aggregate(
            rdd, SPARK_ZERO(moments), gather, gather_parts, NULL, depth, &array));
        const moments *m = SPARK_ITEMS(moments, &array);
        assert_int_equal(m->n, want.n);
        assert_true(fabs(m->sum - want.sum) < 1e-9);
        assert_int_equal(m->longest.len, want.longest.len);
        bool found = false;
        for (size_t i = 0; i < ROWS; i++)
            found = found || spark_str_equal(words[i], m->longest);
        assert_true(found);
        spark_array_free(&array);
    }
}

static void test_tree_aggregate__has_an_accumulator_of_another_type(void **state)
{
    (void)state;
    fill(15);
    each(check_tree_of_moments);
}

static void test_trees__of_doubles_are_bit_identical(void **state)
{
    static double data[ROWS];
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        data[i] = (double)(int64_t)oracle_random(&seed) / 1e5;
    for (int depth = 1; depth <= 3; depth++) {
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            double first[2] = { 0, 0 };
            for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
                const double zero = 0.1;
                double sums[2];
                spark_context *sc = oracle_open_conf(&oracle_confs[c]);
                spark_rdd *rdd
                    = spark_parallelize(sc, SPARK_DATA(double, ROWS, data), oracle_partitions[p]);
                spark_array array;
                oracle_ok(spark_tree_reduce(rdd, add_f64, NULL, depth, NULL, &array));
                sums[0] = *SPARK_ITEMS(double, &array);
                spark_array_free(&array);
                oracle_ok(spark_tree_aggregate(
                    rdd, SPARK_VALUE(double, &zero), add_f64, spark_op_sum, NULL, depth, &array));
                sums[1] = *SPARK_ITEMS(double, &array);
                spark_array_free(&array);
                if (c == 0)
                    memcpy(first, sums, sizeof sums);
                assert_memory_equal(first, sums, sizeof sums);
                oracle_close(sc);
            }
        }
    }
}

static void test_trees__give_the_cases_of_spark(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd = spark_range(sc, -1000, 1000, 1, 10);
        spark_array array;
        for (int depth = 1; depth < 10; depth++) {
            is_number(spark_tree_aggregate(rdd, SPARK_ZERO(int64_t), spark_op_sum, spark_op_sum,
                          NULL, depth, &array),
                &array, -1000);
            is_number(
                spark_tree_reduce(rdd, spark_op_sum, NULL, depth, SPARK_TYPE(int64_t), &array),
                &array, -1000);
            is_number(
                spark_tree_reduce(rdd, spark_op_min, NULL, depth, NULL, &array), &array, -1000);
        }
        /* The env is there at every level. */
        is_number(spark_tree_reduce(spark_range(sc, 1, 11, 1, 10), add_scaled,
                      SPARK_COPY((int64_t) { 1 }), 2, NULL, &array),
            &array, 55);
        oracle_close(sc);
    }
}

static void check_trees_of_nothing(spark_context *sc, int partitions)
{
    const int64_t one = 1;
    spark_rdd *none[] = { spark_filter(spark_range(sc, 0, 30, 1, partitions), nothing, NULL),
        spark_empty_rdd(sc, SPARK_TYPE(int64_t)) };
    for (int depth = 1; depth <= 3; depth++) {
        spark_array array;
        for (size_t i = 0; i < 2; i++) {
            array = (spark_array)DIRTY_ARRAY;
            blames(spark_tree_reduce(none[i], add_i64, NULL, depth, NULL, &array), SPARK_EEMPTY,
                "treeReduce", "empty collection");
            zeroed(&array);
            is_number(spark_tree_aggregate(
                          none[i], SPARK_ZERO(int64_t), add_i64, add_i64, NULL, depth, &array),
                &array, 0);
        }
        is_number(spark_tree_aggregate(
                      none[1], SPARK_VALUE(int64_t, &one), add_i64, add_i64, NULL, depth, &array),
            &array, 1);
        /* One element; the other partitions are empty. */
        spark_rdd *single = spark_filter(
            spark_range(sc, 0, 30, 1, partitions), more_than, SPARK_COPY((int64_t) { 28 }));
        is_number(spark_tree_reduce(single, add_i64, NULL, depth, NULL, &array), &array, 29);
    }
}

static void test_trees__of_nothing(void **state)
{
    (void)state;
    each(check_trees_of_nothing);
}

SPARK_MERGE(picky, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
    if (acc->len > 40)
        spark_fail(task, "%zu is too long", acc->len);
}

static void test_trees__fail_where_a_merge_fails(void **state)
{
    const spark_str x = SPARK_STR("0123456789");
    spark_str many[100];
    (void)state;
    for (size_t i = 0; i < LENGTH(many); i++)
        many[i] = x;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_array array = DIRTY_ARRAY;
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(spark_str, 100, many), 100);
        /* In a task of the second level; on the calling thread, twice; in a task of the first. */
        oracle_fails(
            spark_tree_reduce(rdd, picky, NULL, 2, NULL, &array), SPARK_ETASK, "50 is too long");
        zeroed(&array);
        assert_memory_equal(spark_last_error()->operation, "treeReduce", 10);
        assert_true(oracle_last_job(sc).failed_tasks >= 4);
        oracle_fails(
            spark_tree_reduce(rdd, picky, NULL, 1, NULL, &array), SPARK_ETASK, "50 is too long");
        zeroed(&array);
        assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
        oracle_fails(spark_tree_reduce(spark_parallelize(sc, SPARK_DATA(spark_str, 16, many), 16),
                         picky, NULL, 2, NULL, &array),
            SPARK_ETASK, "80 is too long");
        zeroed(&array);
        oracle_fails(spark_tree_reduce(spark_parallelize(sc, SPARK_DATA(spark_str, 16, many), 3),
                         picky, NULL, 2, NULL, &array),
            SPARK_ETASK, "50 is too long");
        zeroed(&array);
        oracle_ok(spark_count(rdd, &(int64_t) { 0 }));
        oracle_close(sc);
    }
}

static void test_trees__repeat_what_failed(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_failing_once(2);
    spark_array array;
    is_number(spark_tree_reduce(spark_range(sc, 0, 1000, 1, 100), add_i64, NULL, 2, NULL, &array),
        &array, 499500);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 10);
    assert_int_equal(oracle_last_job(sc).tasks, 10);
    oracle_close(sc);
}

static int destroyed;
static void destroy(void *data)
{
    destroyed++;
    free(data);
}
static int64_t *owned(void)
{
    int64_t *one = malloc(sizeof *one);
    assert_non_null(one);
    *one = 1;
    return one;
}

static void test_trees__tell_what_is_wrong(void **state)
{
    const int64_t one = 1;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    for (int depth = 0; depth > -3; depth--) {
        spark_array array = DIRTY_ARRAY;
        blames(spark_tree_reduce(rdd, add_i64, NULL, depth, NULL, &array), SPARK_EINVAL,
            "treeReduce", "depth");
        zeroed(&array);
        array = (spark_array)DIRTY_ARRAY;
        blames(
            spark_tree_aggregate(rdd, SPARK_ZERO(int64_t), add_i64, add_i64, NULL, depth, &array),
            SPARK_EINVAL, "treeAggregate", "depth");
        zeroed(&array);
    }
    spark_array array = DIRTY_ARRAY;
    blames(spark_tree_reduce(NULL, add_i64, NULL, 2, NULL, &array), SPARK_EINVAL, "treeReduce",
        "the RDD is NULL");
    zeroed(&array);
    blames(spark_tree_reduce(rdd, NULL, NULL, 2, NULL, &array), SPARK_EINVAL, "treeReduce",
        "the function is NULL");
    blames(spark_tree_reduce(rdd, add_i64, NULL, 2, NULL, NULL), SPARK_EINVAL, "treeReduce",
        "no place");
    blames(spark_tree_reduce(rdd, add_i64, NULL, 2, SPARK_TYPE(double), &array), SPARK_ETYPE,
        "treeReduce", "f64 wanted, i64 found");
    oracle_fails(
        spark_tree_reduce(rdd, concat, NULL, 2, NULL, &array), SPARK_ETYPE, "treeReduce(concat)");
    oracle_fails(
        spark_tree_reduce(broken(sc), add_i64, NULL, 2, NULL, &array), SPARK_EINVAL, "range at ");
    blames(spark_tree_aggregate(NULL, SPARK_ZERO(int64_t), add_i64, add_i64, NULL, 2, &array),
        SPARK_EINVAL, "treeAggregate", "the RDD is NULL");
    blames(spark_tree_aggregate(rdd, SPARK_VALUE(int64_t, &one), add_i64, NULL, NULL, 2, &array),
        SPARK_EINVAL, "treeAggregate", "the function is NULL");
    blames(spark_tree_aggregate(rdd, NULL, NULL, add_i64, add_i64, NULL, 2, &array), SPARK_EINVAL,
        "treeAggregate", "type of zero");
    oracle_fails(spark_tree_aggregate(rdd, SPARK_ZERO(double), add_i64, add_i64, NULL, 2, &array),
        SPARK_ETYPE, "treeAggregate(add_i64)");
    zeroed(&array);
    no_job(sc);
    destroyed = 0;
    is_number(spark_tree_reduce(rdd, add_scaled, SPARK_OWN(owned(), destroy), 2, NULL, &array),
        &array, 45);
    assert_int_equal(destroyed, 1);
    oracle_fails(spark_tree_reduce(NULL, add_scaled, SPARK_OWN(owned(), destroy), 2, NULL, &array),
        SPARK_EINVAL, "NULL");
    assert_int_equal(destroyed, 2);
    oracle_close(sc);
}

/* ---- foreach_partition */

typedef struct visit {
    counter calls, rows, peeked;
    int64_t (*sums)[16];
} visit;
SPARK_FOREACH_PARTITION(see, int64_t, visit)
{
    int64_t sum = 0, n = 0, last = INT64_MIN;
    spark_accumulate(task, env->calls, 1);
    for (;;) {
        const int64_t *ahead = spark_peek(in), peeked = ahead ? *ahead : -1;
        const int64_t *x = spark_next(in);
        if (x == NULL) {
            spark_accumulate(task, env->peeked, ahead == NULL);
            break;
        }
        if (*x != peeked || *x <= last)
            spark_fail(task, "%lld after %lld", (long long)*x, (long long)last);
        last = *x;
        sum += *x;
        n++;
    }
    if (spark_next(in) != NULL)
        spark_fail(task, "there is more behind the end");
    spark_accumulate(task, env->rows, n);
    __atomic_store_n(&(*env->sums)[spark_task_partition(task)], sum, __ATOMIC_RELAXED);
}

static void check_foreach_partition(spark_context *sc, int partitions)
{
    static int64_t sums[16];
    const visit v = { spark_counter(sc, "calls"), spark_counter(sc, "rows"),
        spark_counter(sc, "peeked"), &sums };
    for (size_t i = 0; i < 16; i++)
        sums[i] = -1;
    spark_rdd *rdd = spark_range(sc, 0, 100, 1, partitions);
    oracle_ok(spark_foreach_partition(rdd, see, SPARK_COPY(v)));
    assert_int_equal(spark_accumulator_value(v.calls), partitions);
    assert_int_equal(spark_accumulator_value(v.peeked), partitions);
    assert_int_equal(spark_accumulator_value(v.rows), 100);
    for (int p = 0; p < partitions; p++) {
        int64_t sum = 0;
        for (size_t i = slice(100, partitions, p); i < slice(100, partitions, p + 1); i++)
            sum += (int64_t)i;
        assert_int_equal(sums[p], sum);
    }
    /* Empty partitions are visited too; no partition is not. */
    oracle_ok(spark_foreach_partition(spark_filter(rdd, nothing, NULL), see, SPARK_COPY(v)));
    assert_int_equal(spark_accumulator_value(v.calls), 2 * partitions);
    for (int p = 0; p < partitions; p++)
        assert_int_equal(sums[p], 0);
    oracle_ok(
        spark_foreach_partition(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), see, SPARK_COPY(v)));
    assert_int_equal(spark_accumulator_value(v.calls), 2 * partitions);
    assert_int_equal(spark_accumulator_value(v.rows), 100);
}

static void test_foreach_partition__visits_each_partition_once(void **state)
{
    (void)state;
    each(check_foreach_partition);
}

SPARK_FOREACH_PARTITION(keep_words, spark_str, int64_t)
{
    /* An element is valid until the next one is asked for. */
    uint64_t hash = 0;
    const spark_str *w;
    while ((w = spark_next(in)) != NULL)
        hash = hash * 31 + spark_hash(SPARK_TYPE(spark_str), w);
    if ((int64_t)hash != *env)
        spark_fail(task, "other words");
}

static void check_foreach_words(spark_context *sc, int partitions)
{
    for (int p = 0; p < partitions; p++) {
        uint64_t hash = 0;
        for (size_t i = slice(ROWS, partitions, p); i < slice(ROWS, partitions, p + 1); i++)
            hash = hash * 31 + spark_hash(SPARK_TYPE(spark_str), &words[i]);
        const int64_t want = (int64_t)hash;
        const size_t from = slice(ROWS, partitions, p), to = slice(ROWS, partitions, p + 1);
        oracle_ok(spark_foreach_partition(
            spark_parallelize(sc, SPARK_DATA(spark_str, to - from, words + from), 1), keep_words,
            SPARK_COPY(want)));
    }
}

static void test_foreach_partition__reads_strings(void **state)
{
    (void)state;
    fill(16);
    each(check_foreach_words);
}

SPARK_FOREACH_PARTITION(fails_in_second, int64_t)
{
    if (spark_task_partition(task) == 1)
        spark_fail(task, "partition 1 is not liked");
}
SPARK_FOREACH_PARTITION(stops_early, int64_t, counter)
{
    if (spark_next(in) != NULL)
        spark_accumulate(task, *env, 1);
}

static void test_foreach_partition__need_not_read_all(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_failing_once(2);
    counter c = spark_counter(sc, NULL);
    oracle_ok(spark_foreach_partition(spark_range(sc, 0, 100, 1, 7), stops_early, SPARK_COPY(c)));
    assert_int_equal(spark_accumulator_value(c), 7);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 7);
    oracle_close(sc);
}

SPARK_FOREACH_PARTITION(owns, int64_t, int64_t)
{
    while (spark_next(in))
        spark_fail(task, "%lld: an empty partition was wanted", (long long)*env);
}

static void test_foreach_partition__tells_what_is_wrong(void **state)
{
    const visit v = { NULL, NULL, NULL, NULL };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 3);
    blames(spark_foreach_partition(NULL, fails_in_second, NULL), SPARK_EINVAL, "foreachPartition",
        "the RDD is NULL");
    blames(spark_foreach_partition(rdd, NULL, NULL), SPARK_EINVAL, "foreachPartition",
        "the function is NULL");
    oracle_fails(spark_foreach_partition(spark_map(rdd, to_word, NULL), fails_in_second, NULL),
        SPARK_ETYPE, "foreachPartition(fails_in_second) at ");
    oracle_fails(spark_foreach_partition(rdd, see, NULL), SPARK_EINVAL, "env");
    oracle_fails(spark_foreach_partition(rdd, stops_early, SPARK_COPY(v)), SPARK_EINVAL, "env");
    oracle_fails(
        spark_foreach_partition(broken(sc), fails_in_second, NULL), SPARK_EINVAL, "range at ");
    no_job(sc);
    oracle_fails(spark_foreach_partition(rdd, fails_in_second, NULL), SPARK_ETASK,
        "partition 1 is not liked");
    assert_string_equal(spark_last_error()->operation, "foreachPartition(fails_in_second)");
    assert_int_equal(spark_last_error()->partition, 1);
    assert_int_equal(spark_last_error()->attempt, 3);
    destroyed = 0;
    oracle_fails(spark_foreach_partition(NULL, owns, SPARK_OWN(owned(), destroy)),
        SPARK_EINVAL, "NULL");
    oracle_ok(spark_foreach_partition(
        spark_range(sc, 0, 0, 1, 1), owns, SPARK_OWN(owned(), destroy)));
    assert_int_equal(destroyed, 2);
    oracle_close(sc);
}

/* ---- to_local_iterator */

static void check_local_iterator(spark_context *sc, int partitions)
{
    spark_local_iterator *it = spark_to_local_iterator(
        spark_parallelize(sc, SPARK_DATA(int64_t, ROWS, numbers), partitions), NULL);
    const int64_t *x;
    const spark_str *w;
    size_t n = 0;
    for (; (x = SPARK_LOCAL_NEXT(int64_t, it)) != NULL; n++) {
        assert_true(n < ROWS);
        assert_int_equal(*x, numbers[n]);
    }
    assert_int_equal(n, ROWS);
    assert_null(SPARK_LOCAL_NEXT(int64_t, it));
    assert_int_equal(spark_local_iterator_status(it), SPARK_OK);
    it = spark_to_local_iterator(
        spark_parallelize(sc, SPARK_DATA(spark_str, ROWS, words), partitions),
        SPARK_TYPE(spark_str));
    for (n = 0; (w = SPARK_LOCAL_NEXT(spark_str, it)) != NULL; n++) {
        assert_true(n < ROWS);
        assert_true(spark_str_equal(*w, words[n]));
    }
    assert_int_equal(n, ROWS);
    /* Empty partitions before, between and behind: only 20 and 21 are left. */
    it = spark_to_local_iterator(spark_filter(spark_filter(spark_range(sc, 0, 40, 1, partitions),
                                                  more_than, SPARK_COPY((int64_t) { 19 })),
                                     less_than, SPARK_COPY((int64_t) { 22 })),
        NULL);
    for (int64_t i = 20; i < 22; i++) {
        x = SPARK_LOCAL_NEXT(int64_t, it);
        assert_non_null(x);
        assert_int_equal(*x, i);
    }
    assert_null(SPARK_LOCAL_NEXT(int64_t, it));
    spark_rdd *none[]
        = { spark_range(sc, 0, 0, 1, partitions), spark_empty_rdd(sc, SPARK_TYPE(int64_t)) };
    for (size_t i = 0; i < 2; i++) {
        it = spark_to_local_iterator(none[i], NULL);
        assert_non_null(it);
        assert_null(SPARK_LOCAL_NEXT(int64_t, it));
        assert_null(SPARK_LOCAL_NEXT(int64_t, it));
        assert_int_equal(spark_local_iterator_status(it), SPARK_OK);
    }
}

static void test_local_iterator__gives_all_in_order(void **state)
{
    (void)state;
    fill(17);
    each(check_local_iterator);
}

static void test_local_iterator__computes_a_partition_when_it_is_reached(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        counter c = spark_counter(sc, NULL);
        spark_local_iterator *it = spark_to_local_iterator(
            spark_map(spark_range(sc, 0, 40, 1, 4), counted, SPARK_COPY(c)), NULL);
        assert_int_equal(spark_accumulator_value(c), 0);
        no_job(sc);
        for (int64_t i = 0; i < 40; i++) {
            assert_int_equal(*SPARK_LOCAL_NEXT(int64_t, it), i);
            assert_int_equal(spark_accumulator_value(c), 10 * (i / 10 + 1));
            assert_int_equal(oracle_last_job(sc).job, i / 10);
            assert_int_equal(oracle_last_job(sc).tasks, 1);
        }
        assert_null(SPARK_LOCAL_NEXT(int64_t, it));
        assert_int_equal(oracle_last_job(sc).job, 3);
        oracle_close(sc);
    }
}

static void test_local_iterator__holds_one_partition_in_memory(void **state)
{
    enum { N = 1 << 20, PARTITIONS = 16, BYTES = N / PARTITIONS * (int)sizeof(int64_t) };
    (void)state;
    spark_context *sc = oracle_open(2);
    uint64_t most = 0;
    int64_t n = 0;
    spark_local_iterator *it = spark_to_local_iterator(spark_range(sc, 0, N, 1, PARTITIONS), NULL);
    for (const int64_t *x; (x = SPARK_LOCAL_NEXT(int64_t, it)) != NULL; n++) {
        assert_int_equal(*x, n);
        if (n % 10000 == 0) {
            const uint64_t now = spark_memory_bytes(sc, NULL);
            most = now > most ? now : most;
        }
    }
    assert_int_equal(n, N);
    assert_true(most >= BYTES); /* what is measured holds the partition */
    assert_true(most < 6 * BYTES);
    oracle_close(sc);
}

/* At its end, and where a partition fails, it holds nothing, though it lives until its scope ends. */
static void test_local_iterator__holds_nothing_at_its_end(void **state)
{
    enum { N = 1 << 18, BYTES = N / 2 * (int)sizeof(int64_t) };
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rows = spark_range(sc, 0, N, 1, 2);
    for (int i = 0; i < 20; i++) {
        int64_t n = 0;
        spark_local_iterator *it = spark_to_local_iterator(rows, NULL);
        while (SPARK_LOCAL_NEXT(int64_t, it) != NULL)
            n++;
        assert_int_equal(n, N);
        assert_null(SPARK_LOCAL_NEXT(int64_t, it));
        oracle_ok(spark_local_iterator_status(it));
        assert_true(spark_memory_bytes(sc, NULL) < BYTES);
    }
    oracle_close(sc);
}

static void test_local_iterator__may_stand_beside_another(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 30, 1, 4), to_word, NULL);
    spark_local_iterator *a = spark_to_local_iterator(rdd, NULL);
    spark_scope *scope = spark_scope_begin(sc);
    spark_local_iterator *b = spark_to_local_iterator(rdd, SPARK_TYPE(spark_str));
    for (int i = 0; i < 30; i++) {
        char want[64];
        snprintf(want, sizeof want, "word %d of many", i);
        const spark_str *w = SPARK_LOCAL_NEXT(spark_str, a);
        assert_true(spark_str_equal(*w, (spark_str) { want, strlen(want) }));
        if (i < 20) { /* b ends with its scope, in the middle */
            w = SPARK_LOCAL_NEXT(spark_str, b);
            assert_true(spark_str_equal(*w, (spark_str) { want, strlen(want) }));
        } else if (scope) {
            spark_scope_end(scope);
            scope = NULL;
        }
    }
    assert_null(SPARK_LOCAL_NEXT(spark_str, a));
    oracle_close(sc);
}

static void test_local_iterator__ends_where_a_partition_fails(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        spark_local_iterator *it = spark_to_local_iterator(
            spark_map(spark_range(sc, 0, 40, 1, 4), fail_at, SPARK_COPY((int64_t) { 25 })), NULL);
        for (int64_t i = 0; i < 20; i++)
            assert_int_equal(*SPARK_LOCAL_NEXT(int64_t, it), i);
        assert_int_equal(spark_local_iterator_status(it), SPARK_OK);
        for (int i = 0; i < 3; i++) {
            assert_null(SPARK_LOCAL_NEXT(int64_t, it));
            oracle_fails(spark_local_iterator_status(it), SPARK_ETASK, "met 25");
            assert_int_equal(spark_last_error()->partition, 2);
            assert_int_equal(oracle_last_job(sc).job, 2);
        }
        oracle_close(sc);
    }
}

static void test_local_iterator__tells_what_is_wrong(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 3);
    assert_null(spark_to_local_iterator(NULL, NULL));
    blames(spark_last_error()->code, SPARK_EINVAL, "toLocalIterator", "the RDD is NULL");
    assert_null(spark_to_local_iterator(rdd, SPARK_TYPE(double)));
    blames(spark_last_error()->code, SPARK_ETYPE, "toLocalIterator", "f64 wanted, i64 found");
    assert_null(spark_to_local_iterator(broken(sc), NULL));
    oracle_fails(spark_last_error()->code, SPARK_EINVAL, "range at ");
    assert_null(SPARK_LOCAL_NEXT(int64_t, NULL));
    assert_int_not_equal(spark_local_iterator_status(NULL), SPARK_OK);
    assert_null(spark_to_local_iterator(spark_text_file(sc, "no/such/file", 1), NULL));
    oracle_fails(spark_local_iterator_status(NULL), SPARK_EIO, "no/such/file");
    oracle_close(sc);
}

/* What merges allocate is given back while they run: a list that grows by one element a merge needs
 * little more than itself, whatever the source, and so do texts. */
SPARK_STRUCT(bag, (spark_i64_list, items));
SPARK_PAIR(keyed_text, int64_t, spark_str);
SPARK_MERGE(put_in, bag, int64_t)
{
    int64_t *at = spark_alloc(task, (acc->items.n + 1) * sizeof *at);
    if (at == NULL)
        return;
    if (acc->items.n > 0)
        memcpy(at, acc->items.at, acc->items.n * sizeof *at);
    at[acc->items.n] = *in;
    acc->items = (spark_i64_list) { at, acc->items.n + 1 };
}
SPARK_MERGE(pour, bag, bag)
{
    int64_t *at = spark_alloc(task, (acc->items.n + in->items.n) * sizeof *at + 1);
    if (at == NULL)
        return;
    if (acc->items.n > 0)
        memcpy(at, acc->items.at, acc->items.n * sizeof *at);
    if (in->items.n > 0)
        memcpy(at + acc->items.n, in->items.at, in->items.n * sizeof *at);
    acc->items = (spark_i64_list) { at, acc->items.n + in->items.n };
}
SPARK_MERGE(join_texts, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
}
SPARK_MAP(one_key, int64_t, keyed_text)
{
    *out = (keyed_text) { 1, spark_str_format(task, "%d,", (int)*in) };
}

static void has_all(spark_array *array, size_t n)
{
    const bag *b = SPARK_ITEMS(bag, array);
    assert_int_equal(array->n, 1);
    assert_int_equal(b->items.n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(b->items.at[i], i);
    spark_array_free(array);
}

static void test_merges__give_back_what_they_allocate(void **state)
{
    enum { N = 6000, LIMIT = 32 << 20 }; /* all merges together allocate four times that and more */
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = LIMIT });
    spark_rdd *rows = spark_range(sc, 0, N, 1, 2);
    spark_array array;
    oracle_ok(spark_aggregate(rows, SPARK_ZERO(bag), put_in, pour, NULL, &array));
    has_all(&array, N);
    oracle_ok(spark_tree_aggregate(rows, SPARK_ZERO(bag), put_in, pour, NULL, 2, &array));
    has_all(&array, N);
    spark_rdd *texts = spark_values(spark_map(rows, one_key, NULL));
    oracle_ok(spark_reduce(texts, join_texts, NULL, SPARK_TYPE(spark_str), &array));
    assert_int_equal(array.n, 1);
    const size_t bytes = SPARK_ITEMS(spark_str, &array)->len;
    spark_array_free(&array);
    spark_rdd *joined = spark_reduce_by_key(spark_map(rows, one_key, NULL), join_texts, NULL, 2);
    oracle_ok(spark_collect(spark_values(joined), SPARK_TYPE(spark_str), &array));
    assert_int_equal(array.n, 1);
    assert_int_equal(SPARK_ITEMS(spark_str, &array)->len, bytes);
    spark_array_free(&array);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_merges__give_back_what_they_allocate),
        oracle_test(test_max__and_min_are_the_ends_of_the_order),
        oracle_test(test_max__and_min_take_the_first_of_equal_ones),
        oracle_test(test_max__and_min_of_nothing_are_an_error),
        oracle_test(test_max__and_min_follow_the_order_of_doubles),
        oracle_test(test_max__and_min_tell_what_is_wrong),
        oracle_test(test_is_empty__tells_whether_there_is_an_element),
        oracle_test(test_is_empty__looks_at_as_few_partitions_as_it_needs),
        oracle_test(test_is_empty__tells_what_is_wrong),
        oracle_test(test_take_sample__draws_exactly_as_many_as_asked_for),
        oracle_test(test_take_sample__of_another_seed_is_another_one),
        oracle_test(test_take_sample__of_all_is_shuffled),
        oracle_test(test_take_sample__is_even),
        oracle_test(test_take_sample__gives_the_cases_of_spark),
        oracle_test(test_take_sample__of_nothing_is_empty),
        oracle_test(test_take_sample__tells_what_is_wrong),
        oracle_test(test_trees__merge_as_many_levels_as_spark_does),
        oracle_test(test_trees__of_many_partitions_have_the_levels_of_spark),
        oracle_test(test_tree_aggregate__has_an_accumulator_of_another_type),
        oracle_test(test_trees__of_doubles_are_bit_identical),
        oracle_test(test_trees__give_the_cases_of_spark),
        oracle_test(test_trees__of_nothing),
        oracle_test(test_trees__fail_where_a_merge_fails),
        oracle_test(test_trees__repeat_what_failed),
        oracle_test(test_trees__tell_what_is_wrong),
        oracle_test(test_foreach_partition__visits_each_partition_once),
        oracle_test(test_foreach_partition__reads_strings),
        oracle_test(test_foreach_partition__need_not_read_all),
        oracle_test(test_foreach_partition__tells_what_is_wrong),
        oracle_test(test_local_iterator__gives_all_in_order),
        oracle_test(test_local_iterator__computes_a_partition_when_it_is_reached),
        oracle_test(test_local_iterator__holds_one_partition_in_memory),
        oracle_test(test_local_iterator__holds_nothing_at_its_end),
        oracle_test(test_local_iterator__may_stand_beside_another),
        oracle_test(test_local_iterator__ends_where_a_partition_fails),
        oracle_test(test_local_iterator__tells_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
