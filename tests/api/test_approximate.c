/* SPDX-License-Identifier: Apache-2.0 */
/* Approximate actions. Where all partitions are in time, the result is the number itself; where
 * some are held up, it is what the others say, scaled up, whichever of them were in time: no test
 * depends on how fast anything is. */
#include "layouts.h"

#include <math.h>
#include <stdatomic.h>

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_STRUCT(
    note, (int32_t, id), (spark_str, text), (spark_i64_list, numbers), (spark_opt_str, maybe));
SPARK_PAIR(note_i64, note, int64_t);
SPARK_PAIR(key_count, int64_t, spark_bounded);
SPARK_DECIMAL(money, 18, 2);

enum { LONG = 600000, KEYS = 7, ROWS = 100 };

static void is_final(const spark_bounded *have, double want)
{
    assert_true(have->mean == want && have->low == want && have->high == want);
    assert_true(have->confidence == 1);
    assert_true(have->final);
}

SPARK_MAP(to_note, int64_t, note_i64)
{
    static const int64_t list[] = { 5, 6, 7 };
    const int64_t k = *in % KEYS;
    out->key.id = (int32_t)k;
    out->key.text = spark_str_format(task, "note %d", (int)k);
    out->key.numbers = (spark_i64_list) { list, (size_t)k % 4 };
    out->key.maybe = (spark_opt_str) { k % 2, out->key.text };
    out->value = *in;
}
SPARK_MAP(by_seven, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % KEYS, *in };
}
SPARK_MAP(to_money, int64_t, money)
{
    out->units = *in * 25;
}
SPARK_MAP(to_tenths, int64_t, double)
{
    *out = (double)*in * 0.1;
}

/* ---- in time */

static void test_approx__is_the_number_itself_when_all_are_in_time(void **state)
{
    (void)state;
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        spark_bounded first_sum = { 0, 0, 0, 0, false }, first_mean = first_sum;
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            spark_rdd *rdd = spark_range(sc, 0, ROWS, 1, oracle_partitions[p]);
            spark_bounded b;
            oracle_ok(spark_count_approx(rdd, LONG, 0.95, &b));
            is_final(&b, ROWS);
            oracle_ok(spark_sum_approx(spark_map(rdd, to_money, NULL), LONG, 0.95, &b));
            assert_true(b.final && b.confidence == 1 && b.low == b.mean && b.high == b.mean);
            assert_true(fabs(b.mean - 0.25 * (ROWS * (ROWS - 1) / 2)) < 1e-9);
            oracle_ok(spark_mean_approx(rdd, LONG, 0.95, &b));
            assert_true(fabs(b.mean - (ROWS - 1) / 2.0) < 1e-12);
            is_final(&b, b.mean);
            /* To the bit. */
            spark_rdd *tenths = spark_map(rdd, to_tenths, NULL);
            oracle_ok(spark_sum_approx(tenths, LONG, 0.95, &b));
            if (c == 0)
                first_sum = b;
            assert_memory_equal(&b.mean, &first_sum.mean, sizeof b.mean);
            oracle_ok(spark_mean_approx(tenths, LONG, 0.95, &b));
            if (c == 0)
                first_mean = b;
            assert_memory_equal(&b.mean, &first_mean.mean, sizeof b.mean);
            oracle_close(sc);
        }
    }
}

static void test_count_approx__of_keys_and_values_when_all_are_in_time(void **state)
{
    (void)state;
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        char *first[2] = { NULL, NULL };
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            spark_rdd *rdd
                = spark_map(spark_range(sc, 0, ROWS, 1, oracle_partitions[p]), to_note, NULL);
            for (int by_value = 0; by_value < 2; by_value++) {
                spark_array counts;
                int64_t seen = 0;
                oracle_ok(by_value
                        ? spark_count_by_value_approx(spark_keys(rdd), LONG, 0.95, &counts)
                        : spark_count_by_key_approx(rdd, LONG, 0.95, &counts));
                assert_int_equal(counts.n, KEYS);
                assert_int_equal(counts.type->kind, SPARK_KIND_PAIR);
                for (size_t i = 0; i < counts.n; i++) {
                    const char *row = (const char *)counts.items + i * counts.type->size;
                    const note *key = (const note *)(const void *)row;
                    spark_bounded b;
                    memcpy(&b, row + counts.type->fields[1].offset, sizeof b);
                    is_final(&b, (ROWS + KEYS - 1 - key->id) / KEYS);
                    seen |= INT64_C(1) << key->id;
                    assert_int_equal(key->numbers.n, key->id % 4);
                    assert_memory_equal(key->text.ptr, "note ", 5);
                    assert_int_equal(key->text.ptr[5], '0' + key->id);
                    assert_int_equal(key->maybe.present, key->id % 2);
                }
                assert_int_equal(seen, (1 << KEYS) - 1);
                char *have = oracle_listing(&counts, false);
                if (first[by_value] == NULL)
                    first[by_value] = strdup(have);
                assert_string_equal(have, first[by_value]);
                free(have);
                spark_array_free(&counts);
            }
            oracle_close(sc);
        }
        free(first[0]);
        free(first[1]);
    }
}

static void test_approx__of_nothing(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int p = 0; p < 4; p += 3) {
        spark_rdd *rdd = p ? spark_range(sc, 0, 0, 1, p) : spark_empty_rdd(sc, SPARK_TYPE(int64_t));
        spark_bounded b;
        spark_array array;
        oracle_ok(spark_count_approx(rdd, LONG, 0.95, &b));
        is_final(&b, 0);
        oracle_ok(spark_sum_approx(rdd, LONG, 0.95, &b));
        is_final(&b, 0);
        oracle_ok(spark_mean_approx(rdd, LONG, 0.95, &b));
        is_final(&b, 0);
        oracle_ok(spark_count_by_value_approx(rdd, LONG, 0.95, &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
        oracle_ok(spark_count_by_key_approx(spark_map(rdd, by_seven, NULL), LONG, 0.95, &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
    }
    oracle_close(sc);
}

/* ---- out of time */

/* Of PARTS partitions of EACH rows, those from `held` on wait until nobody wants them. */
enum { PARTS = 8, EACH = 50, SOON = 30 };
static atomic_int inside;

SPARK_FILTER(held_from, int64_t, int)
{
    if (*in < *env * EACH)
        return true;
    atomic_fetch_add(&inside, 1);
    for (int i = 0; i < 60000 && !spark_cancelled(task); i++)
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    atomic_fetch_sub(&inside, 1);
    return true;
}

static spark_rdd *held(spark_context *sc, int from)
{
    return spark_filter(spark_range(sc, 0, PARTS * EACH, 1, PARTS), held_from, SPARK_COPY(from));
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1 + fabs(b));
}

/* bounds: of a count that `done` partitions of EACH rows each give, at 95 %: quantiles 0.025 and
 * 0.975 of Poisson's distribution, summed naively. */
static spark_bounded bounds(int done)
{
    const double n = done * EACH, p = (double)done / PARTS, rest = n * (1 - p) / p;
    double term = exp(-rest), sum = term, low = -1;
    int k = 0;
    if (done == 0)
        return (spark_bounded) { 0, 0, 0, HUGE_VAL, false };
    for (; sum < 0.975; k++) {
        if (low < 0 && sum >= 0.025)
            low = k;
        term *= rest / (k + 1);
        sum += term;
    }
    return (spark_bounded) { n + rest, 0.95, n + low, n + k, false };
}

static void test_count_approx__scales_up_what_is_done(void **state)
{
    (void)state;
    for (int from = 0; from < PARTS; from += 3) {
        spark_context *sc = oracle_open(3);
        spark_bounded b;
        bool found = false;
        oracle_ok(spark_count_approx(held(sc, from), SOON, 0.95, &b));
        assert_int_equal(atomic_load(&inside), 0);
        assert_false(b.final);
        for (int done = 0; done <= from && !found; done++) {
            const spark_bounded want = bounds(done);
            found = is_near(b.mean, want.mean) && b.confidence == want.confidence
                && b.low == want.low && b.high == want.high;
        }
        if (!found)
            fail_msg("%g from %g to %g at %g", b.mean, b.low, b.high, b.confidence);
        /* The context goes on. */
        assert_int_equal(oracle_count(spark_range(sc, 0, 9, 1, 2)), 9);
        oracle_close(sc);
    }
}

SPARK_MAP(to_value, int64_t, int64_t)
{
    *out = *in % EACH;
}

static void test_mean_and_sum_approx__bound_what_is_done(void **state)
{
    /* Student's quantile 0.975 of 49 degrees: 2.0095752; of more than 100, the normal one. */
    static const double student = 2.00957523712924, normal = 1.95996398454005;
    const double mean = (EACH - 1) / 2.0, m2 = EACH * (EACH * EACH - 1) / 12.0;
    (void)state;
    for (int from = 0; from < PARTS; from += 3) {
        for (int sum = 0; sum < 2; sum++) {
            spark_context *sc = oracle_open(3);
            spark_rdd *rdd = spark_map(held(sc, from), to_value, NULL);
            spark_bounded b;
            bool found = false;
            oracle_ok(sum ? spark_sum_approx(rdd, SOON, 0.95, &b)
                          : spark_mean_approx(rdd, SOON, 0.95, &b));
            assert_int_equal(atomic_load(&inside), 0);
            assert_false(b.final);
            if (b.confidence == 0) { /* none was in time */
                assert_true(b.mean == 0 && b.low == -HUGE_VAL && b.high == HUGE_VAL);
                found = true;
            }
            for (int done = 1; done <= from && !found; done++) {
                const double n = done * EACH, p = (double)done / PARTS;
                const double variance = m2 * done / (n - 1) / n;
                const double count = n * (1 - p) / p, spread = n * (1 - p) / (p * p);
                const double all
                    = variance * count * count + spread * mean * mean + variance * spread;
                /* From 100 on tables of either agree to two digits, and no more is asked of it. */
                const double times = n > 100 ? normal : student;
                const double middle = sum ? mean * (n + count) : mean;
                const double width = times * sqrt(sum ? all : variance);
                found = is_near(b.mean, middle) && b.confidence == 0.95
                    && fabs(b.low - (middle - width)) <= 0.02 * width
                    && fabs(b.high - (middle + width)) <= 0.02 * width;
            }
            if (!found)
                fail_msg("%g from %g to %g at %g", b.mean, b.low, b.high, b.confidence);
            oracle_close(sc);
        }
    }
}

static void test_count_by_key_approx__scales_each_key(void **state)
{
    (void)state;
    for (int from = 0; from < PARTS; from += 3) {
        for (int by_value = 0; by_value < 2; by_value++) {
            spark_context *sc = oracle_open(3);
            spark_rdd *rdd = spark_map(spark_map(held(sc, from), to_value, NULL), by_seven, NULL);
            spark_array counts;
            bool found = false;
            oracle_ok(by_value ? spark_count_by_value_approx(spark_keys(rdd), SOON, 0.95, &counts)
                               : spark_count_by_key_approx(rdd, SOON, 0.95, &counts));
            assert_int_equal(atomic_load(&inside), 0);
            const key_count *count = SPARK_ITEMS(key_count, &counts);
            if (counts.n == 0) /* none was in time */
                found = true;
            else
                assert_int_equal(counts.n, KEYS);
            for (int done = 1; done <= from && !found; done++) {
                found = true;
                for (size_t i = 0; i < counts.n; i++) {
                    const double each = (double)((EACH + KEYS - 1 - count[i].key) / KEYS);
                    const spark_bounded *b = &count[i].value;
                    assert_false(b->final);
                    assert_true(b->confidence == 0.95);
                    assert_true(b->low <= b->mean && b->mean <= b->high);
                    found = found && is_near(b->mean, each * PARTS) && b->low >= each * done;
                }
            }
            assert_true(found);
            spark_array_free(&counts);
            oracle_close(sc);
        }
    }
}

static void test_approx__confidence_widens_the_bounds(void **state)
{
    static const double confidences[] = { 0, 0.5, 0.9, 0.99, 1 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < LENGTH(confidences); i++) {
        spark_bounded b;
        oracle_ok(spark_count_approx(held(sc, PARTS - 1), SOON, confidences[i], &b));
        assert_false(b.final);
        assert_true(b.confidence == confidences[i] || b.mean == 0);
        /* The median of a Poisson distribution is within 1 of its mean. */
        assert_true(b.low <= b.mean + 1 && b.mean - 1 <= b.high);
        if (confidences[i] == 1)
            assert_true(b.high == HUGE_VAL);
        oracle_ok(spark_mean_approx(held(sc, PARTS - 1), SOON, confidences[i], &b));
        assert_true(b.low <= b.mean + 1e-6 && b.mean - 1e-6 <= b.high);
        if (confidences[i] == 1)
            assert_true(b.low == -HUGE_VAL && b.high == HUGE_VAL);
        oracle_ok(spark_sum_approx(held(sc, PARTS - 1), SOON, confidences[i], &b));
        assert_true(b.low <= b.mean + 1e-6 && b.mean - 1e-6 <= b.high);
    }
    oracle_close(sc);
}

static void test_approx__may_have_no_time_at_all(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int i = 0; i < 20; i++) {
        spark_bounded b;
        spark_array array;
        oracle_ok(spark_count_approx(spark_range(sc, 0, 1000, 1, 4), 0, 0.95, &b));
        assert_true(b.low <= 1000 && b.high >= b.low);
        assert_true(!b.final || b.mean == 1000);
        oracle_ok(spark_count_by_value_approx(spark_range(sc, 0, 10, 1, 4), 0, 0.95, &array));
        assert_true(array.n <= 10);
        spark_array_free(&array);
    }
    oracle_close(sc);
}

/* ---- the rest */

static void test_approx__under_faults_is_final_and_counts_once(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 16; seed++) {
        spark_context *sc = oracle_open_failing_by(seed, 0.2);
        counter calls = spark_counter(sc, "calls");
        spark_rdd *in
            = spark_cache(spark_map(spark_range(sc, 0, ROWS, 1, 4), counted, SPARK_COPY(calls)));
        spark_rdd *mixed = spark_distinct(in, 3);
        spark_bounded b;
        spark_array array;
        for (int i = 0; i < 3; i++) {
            oracle_ok(spark_count_approx(mixed, LONG, 0.95, &b));
            is_final(&b, ROWS);
            oracle_ok(spark_mean_approx(mixed, LONG, 0.95, &b));
            assert_true(b.final && is_near(b.mean, (ROWS - 1) / 2.0));
            oracle_ok(spark_sum_approx(mixed, LONG, 0.95, &b));
            assert_true(b.final && is_near(b.mean, ROWS * (ROWS - 1) / 2));
            oracle_ok(
                spark_count_by_key_approx(spark_map(mixed, by_seven, NULL), LONG, 0.95, &array));
            assert_int_equal(array.n, KEYS);
            spark_array_free(&array);
            assert_int_equal(spark_accumulator_value(calls), ROWS);
            spark_drop_block(in, i);
            spark_drop_shuffle_output(mixed, i);
        }
        oracle_close(sc);
    }
}

SPARK_MAP(fails, int64_t, int64_t)
{
    *out = *in;
    if (*in == 7)
        spark_fail(task, "seven is not wanted");
}

static void test_approx__fails_as_its_tasks_do(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, ROWS, 1, 4), fails, NULL);
    spark_bounded b = { 1, 1, 1, 1, true };
    spark_array array = { SPARK_TYPE(int64_t), "x", 7, NULL };
    oracle_fails(spark_count_approx(rdd, LONG, 0.95, &b), SPARK_ETASK, "seven");
    assert_false(b.final);
    oracle_fails(spark_mean_approx(rdd, LONG, 0.95, &b), SPARK_ETASK, "seven");
    assert_false(b.final);
    oracle_fails(spark_sum_approx(rdd, LONG, 0.95, &b), SPARK_ETASK, "seven");
    assert_false(b.final);
    oracle_fails(spark_count_by_value_approx(rdd, LONG, 0.95, &array), SPARK_ETASK, "seven");
    assert_int_equal(array.n, 0);
    assert_null(array.items);
    oracle_fails(spark_count_by_key_approx(spark_map(rdd, by_seven, NULL), LONG, 0.95, &array),
        SPARK_ETASK, "seven");
    assert_int_equal(array.n, 0);
    oracle_close(sc);
}

/* blamed: the action fails so, with its name and its place. */
#define blamed(action, code, verb, words)                                                          \
    do {                                                                                           \
        oracle_fails(action, code, words);                                                         \
        assert_string_equal(spark_last_error()->operation, verb);                                  \
        assert_non_null(strstr(spark_last_error()->site, "test_approximate.c:"));                  \
        assert_non_null(strstr(spark_last_error()->message, verb " at "));                         \
    } while (0)

static void test_approx__refuses_what_makes_no_sense(void **state)
{
    static const double bad[] = { -0.001, 1.001, NAN, INFINITY, -INFINITY };
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 9, 1, 2), *two = spark_map(rdd, by_seven, NULL);
    spark_rdd *notes = spark_map(rdd, to_note, NULL);
    spark_bounded b;
    spark_array array;
    for (size_t i = 0; i < LENGTH(bad); i++) {
        blamed(spark_count_approx(rdd, LONG, bad[i], &b), SPARK_EINVAL, "countApprox",
            "between 0 and 1");
        blamed(
            spark_sum_approx(rdd, LONG, bad[i], &b), SPARK_EINVAL, "sumApprox", "between 0 and 1");
        blamed(spark_mean_approx(rdd, LONG, bad[i], &b), SPARK_EINVAL, "meanApprox",
            "between 0 and 1");
        blamed(spark_count_by_key_approx(two, LONG, bad[i], &array), SPARK_EINVAL,
            "countByKeyApprox", "between 0 and 1");
        blamed(spark_count_by_value_approx(rdd, LONG, bad[i], &array), SPARK_EINVAL,
            "countByValueApprox", "between 0 and 1");
        assert_int_equal(array.n, 0);
    }
    blamed(spark_count_approx(rdd, LONG, 0.9, NULL), SPARK_EINVAL, "countApprox", " at ");
    blamed(spark_sum_approx(rdd, LONG, 0.9, NULL), SPARK_EINVAL, "sumApprox", " at ");
    blamed(spark_mean_approx(rdd, LONG, 0.9, NULL), SPARK_EINVAL, "meanApprox", " at ");
    blamed(
        spark_count_by_key_approx(two, LONG, 0.9, NULL), SPARK_EINVAL, "countByKeyApprox", " at ");
    blamed(spark_count_by_value_approx(rdd, LONG, 0.9, NULL), SPARK_EINVAL, "countByValueApprox",
        " at ");
    blamed(spark_count_approx(NULL, LONG, 0.9, &b), SPARK_EINVAL, "countApprox", "NULL");
    blamed(spark_sum_approx(NULL, LONG, 0.9, &b), SPARK_EINVAL, "sumApprox", "NULL");
    blamed(spark_mean_approx(NULL, LONG, 0.9, &b), SPARK_EINVAL, "meanApprox", "NULL");
    blamed(spark_count_by_key_approx(NULL, LONG, 0.9, &array), SPARK_EINVAL, "countByKeyApprox",
        "NULL");
    blamed(spark_count_by_value_approx(NULL, LONG, 0.9, &array), SPARK_EINVAL, "countByValueApprox",
        "NULL");
    blamed(spark_sum_approx(notes, LONG, 0.9, &b), SPARK_ETYPE, "sumApprox", " at ");
    blamed(spark_mean_approx(notes, LONG, 0.9, &b), SPARK_ETYPE, "meanApprox", " at ");
    blamed(spark_count_by_key_approx(rdd, LONG, 0.9, &array), SPARK_ETYPE, "countByKeyApprox",
        "pairs");
    oracle_fails(spark_count_approx(broken(sc), LONG, 0.9, &b), SPARK_EINVAL, "range at ");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_approx__is_the_number_itself_when_all_are_in_time),
        oracle_test(test_count_approx__of_keys_and_values_when_all_are_in_time),
        oracle_test(test_approx__of_nothing),
        oracle_test(test_count_approx__scales_up_what_is_done),
        oracle_test(test_mean_and_sum_approx__bound_what_is_done),
        oracle_test(test_count_by_key_approx__scales_each_key),
        oracle_test(test_approx__confidence_widens_the_bounds),
        oracle_test(test_approx__may_have_no_time_at_all),
        oracle_test(test_approx__under_faults_is_final_and_counts_once),
        oracle_test(test_approx__fails_as_its_tasks_do),
        oracle_test(test_approx__refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
