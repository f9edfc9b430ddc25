/* SPDX-License-Identifier: Apache-2.0 */
/* Accumulators that several functions of one lineage add to: bits of sums and order of collections do
 * not depend on batches, threads, faults and memory; reading between jobs changes nothing; and
 * accumulators that count each partition once. */
#include "layouts.h"

SPARK_PAIR(i64_i64, int64_t, int64_t);

/* Functions of merges take no environment here, so all of them find these in the same place. */
static counter sum, list;

static void note(spark_task *task, int64_t who, int64_t x)
{
    const int64_t tag = x * 100 + who;
    spark_accumulate_f64(task, sum, (double)(x * x + 1) / (double)(3 * who + 1));
    spark_accumulate_value(task, list, SPARK_VALUE(int64_t, &tag));
}

/* With small batches the next step adds before this one. */
SPARK_MAP(first_step, int64_t, int64_t)
{
    if (*in >= 20)
        note(task, 1, *in);
    *out = *in;
}
SPARK_MAP(second_step, int64_t, int64_t)
{
    note(task, 2, *in);
    if (*in % 3 == 0)
        note(task, 3, *in);
    *out = *in;
}
SPARK_FILTER(some_step, int64_t)
{
    note(task, 4, *in);
    return *in % 5 != 0;
}
SPARK_FLAT_MAP(twice_step, int64_t, int64_t)
{
    note(task, 5, *in);
    for (int64_t i = 0; i < *in % 4; i++)
        spark_emit(out, *in + i);
}
SPARK_MAP(pair_step, int64_t, i64_i64)
{
    note(task, 6, *in);
    *out = (i64_i64) { *in % 13, *in };
}
SPARK_MAP(unzip_step, i64_i64, int64_t)
{
    note(task, 7, in->key);
    *out = in->key + in->value;
}
SPARK_MAP(create_step, int64_t, int64_t)
{
    note(task, 8, *in);
    *out = *in;
}
SPARK_MERGE(add_step, int64_t, int64_t)
{
    note(task, 9, *in);
    *acc += *in;
}
SPARK_MERGE(merge_step, int64_t, int64_t)
{
    note(task, 10, *in);
    *acc += *in;
}
SPARK_PARTITIONER(place_step, int64_t)
{
    note(task, 11, *key);
    return (uint32_t)(*key % (int64_t)partitions);
}
SPARK_FOREACH(last_step, int64_t)
{
    note(task, 12, *in);
}

typedef struct running {
    int64_t total;
} running;
SPARK_STEP(running_step, running, int64_t, int64_t)
{
    note(task, 13, *in);
    state->total += *in;
    spark_emit(out, state->total % 1000);
}
SPARK_FINISH(running_step, running, int64_t, int64_t)
{
    note(task, 14, state->total);
    spark_emit(out, state->total);
}

/* ---- lineages */

static spark_rdd *some_numbers(spark_context *sc, int p)
{
    return spark_range(sc, 0, 150, 1, p);
}
static spark_rdd *chain(spark_context *sc, int p)
{
    spark_rdd *rdd = spark_map(spark_map(some_numbers(sc, p), first_step, NULL), second_step, NULL);
    return spark_flat_map(spark_filter(rdd, some_step, NULL), twice_step, NULL);
}
static spark_rdd *of_chain(spark_context *sc, int p)
{
    return spark_map_stateful(chain(sc, p), running_step, NULL);
}
static spark_rdd *of_coalesce(spark_context *sc, int p)
{
    return spark_map(spark_coalesce(chain(sc, p), 2), second_step, NULL);
}
static spark_rdd *of_zip(spark_context *sc, int p)
{
    spark_rdd *one = chain(sc, p);
    return spark_map(spark_zip(one, spark_map(one, second_step, NULL)), unzip_step, NULL);
}
static spark_rdd *of_cartesian(spark_context *sc, int p)
{
    spark_rdd *few = spark_map(spark_range(sc, 0, 7, 1, 2), first_step, NULL);
    return spark_map(spark_cartesian(few, chain(sc, p)), unzip_step, NULL);
}
static spark_rdd *of_union(spark_context *sc, int p)
{
    spark_rdd *one = chain(sc, p);
    spark_rdd *other = spark_map(some_numbers(sc, 3), first_step, NULL);
    return spark_coalesce(spark_map(spark_union(one, spark_union(other, one)), second_step, NULL), 3);
}
static spark_rdd *of_combine(spark_context *sc, int p)
{
    spark_rdd *pairs = spark_map(chain(sc, p), pair_step, NULL);
    spark_rdd *sums = spark_combine_by_key(pairs, create_step, add_step, merge_step, NULL, 3);
    return spark_map(sums, unzip_step, NULL);
}
static spark_rdd *of_placed(spark_context *sc, int p)
{
    spark_rdd *pairs = spark_map(chain(sc, p), pair_step, NULL);
    const spark_keyed_options by
        = { .partitioner = spark_partitioner_new(sc, 4, place_step, NULL) };
    pairs = spark_combine_by_key_with(pairs, create_step, add_step, merge_step, NULL, &by);
    pairs = spark_combine_by_key_with(pairs, create_step, add_step, merge_step, NULL, &by);
    return spark_map(pairs, unzip_step, NULL);
}
static spark_rdd *of_zero(spark_context *sc, int p)
{
    spark_rdd *pairs = spark_map(chain(sc, p), pair_step, NULL);
    return spark_map(spark_aggregate_by_key(
                         pairs, SPARK_ZERO(int64_t), add_step, merge_step, NULL, 2),
        unzip_step, NULL);
}
static spark_rdd *of_cached(spark_context *sc, int p)
{
    spark_rdd *one = spark_cache(spark_map(some_numbers(sc, p), first_step, NULL));
    spark_rdd *two = spark_cache(spark_flat_map(one, twice_step, NULL));
    return spark_map(spark_union(two, spark_map(one, second_step, NULL)), second_step, NULL);
}

typedef spark_rdd *(*build)(spark_context *sc, int partitions);
static const build lineages[] = { of_chain, of_coalesce, of_zip, of_cartesian, of_union, of_combine,
    of_placed, of_zero, of_cached };

/* ---- the same bits */

static spark_context *open_with_both(const spark_conf *conf)
{
    spark_context *sc = oracle_open_conf(conf);
    sum = spark_float_counter(sc, "sum");
    list = spark_collection(sc, SPARK_TYPE(int64_t), "list");
    return sc;
}

/* shown: both values; the sum to its last bit. */
static char *shown(void)
{
    spark_array all;
    oracle_text text = { NULL, 0, 0 };
    char bits[64];
    oracle_ok(spark_accumulator_get(list, NULL, &all));
    char *elements = oracle_listing(&all, false);
    oracle_append(&text, bits,
        (size_t)snprintf(bits, sizeof bits, "%a of %d:", spark_accumulator_f64(sum),
            (int)spark_accumulator_count(sum)));
    oracle_append(&text, elements, strlen(elements));
    free(elements);
    spark_array_free(&all);
    return text.bytes;
}

/* use: three jobs; a program that reads in between sees the same in the end. */
static char *use(const spark_conf *conf, build lineage, int p, bool reads)
{
    spark_context *sc = open_with_both(conf);
    spark_rdd *rdd = lineage(sc, p);
    int64_t total = 0;
    spark_array array;
    if (reads)
        free(shown());
    oracle_ok(spark_foreach(rdd, last_step, NULL));
    if (reads)
        free(shown());
    spark_accumulate_f64(NULL, sum, 0.1);
    const int64_t minus = -1;
    spark_accumulate_value(NULL, list, SPARK_VALUE(int64_t, &minus));
    oracle_ok(spark_aggregate(
        rdd, SPARK_ZERO(int64_t), add_step, merge_step, NULL, &array));
    total = SPARK_ITEMS(int64_t, &array)[0];
    spark_array_free(&array);
    if (reads)
        free(shown());
    assert_true(total != 0);
    oracle_count(rdd);
    char *text = shown();
    oracle_close(sc);
    return text;
}

static void test_steps__give_the_same_bits(void **state)
{
    static const int partitions[] = { 1, 4 };
    (void)state;
    for (size_t l = 0; l < LENGTH(lineages); l++)
        for (size_t p = 0; p < LENGTH(partitions); p++) {
            char *first = NULL;
            for (size_t c = 0; c < LENGTH(oracle_confs); c++)
                oracle_same(&first, use(&oracle_confs[c], lineages[l], partitions[p], c % 2 == 1));
            free(first);
        }
}

/* Blocks of a million rows do not fit: what their steps add has the place of the block all the same. */
static char *use_large(uint64_t memory_bytes, int batch_rows)
{
    spark_context *sc = open_with_both(
        &(spark_conf) { .threads = 2, .memory_bytes = memory_bytes, .batch_rows = batch_rows });
    sum = spark_float_counter(sc, "sum");
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 2000000, 1, 2), first_step, NULL);
    list = NULL; /* it would be what does not fit */
    rdd = spark_map(spark_cache(rdd), second_step, NULL);
    assert_int_equal(oracle_count(rdd), 2000000);
    const int64_t cached = oracle_last_job(sc).cached_blocks;
    assert_int_equal(oracle_count(rdd), 2000000);
    assert_true(memory_bytes ? cached < 2 : cached == 2);
    char bits[64], *text = malloc(64);
    assert_non_null(text);
    memcpy(text, bits,
        (size_t)snprintf(bits, sizeof bits, "%a of %d", spark_accumulator_f64(sum),
            (int)spark_accumulator_count(sum))
            + 1);
    oracle_close(sc);
    return text;
}

static void test_blocks__without_room_count_in_their_place(void **state)
{
    char *first = NULL;
    (void)state;
    oracle_same(&first, use_large(0, 0));
    oracle_same(&first, use_large((uint64_t)20 << 20, 0));
    oracle_same(&first, use_large((uint64_t)20 << 20, 7));
    free(first);
}

/* ---- accumulators of the program's own are folded as they are read */

SPARK_STRUCT(mean, (double, sum), (int64_t, n));
SPARK_MERGE(add_to_mean, mean, double)
{
    acc->sum += *in;
    acc->n++;
}
SPARK_MERGE(merge_means, mean, mean)
{
    acc->sum += in->sum;
    acc->n += in->n;
}
SPARK_FOREACH(to_mean, int64_t, counter)
{
    const double x = 1.0 / (double)(*in + 1);
    spark_accumulate_value(task, *env, SPARK_VALUE(double, &x));
}

static mean mean_after(int jobs, bool reads)
{
    spark_context *sc = oracle_open(2);
    counter a = spark_accumulator_new(sc, SPARK_ZERO(mean), add_to_mean, merge_means, "mean");
    spark_array one;
    for (int i = 0; i < jobs; i++) {
        const double x = 0.3 / (i + 1);
        oracle_ok(spark_foreach(spark_range(sc, i, 50, 1, 7), to_mean, SPARK_COPY(a)));
        spark_accumulate_value(NULL, a, SPARK_VALUE(double, &x));
        if (!reads)
            continue;
        oracle_ok(spark_accumulator_get(a, SPARK_TYPE(mean), &one));
        spark_array_free(&one);
    }
    oracle_ok(spark_accumulator_get(a, SPARK_TYPE(mean), &one));
    const mean result = SPARK_ITEMS(mean, &one)[0];
    spark_array_free(&one);
    oracle_close(sc);
    return result;
}

static void test_reading__between_jobs_changes_nothing(void **state)
{
    (void)state;
    for (int jobs = 0; jobs < 30; jobs += 7) {
        const mean seldom = mean_after(jobs, false), often = mean_after(jobs, true);
        assert_int_equal(seldom.n, often.n);
        assert_memory_equal(&seldom.sum, &often.sum, sizeof seldom.sum);
    }
}

/* Jobs side by side: parts of the older one may come after those of the younger. */
SPARK_FOREACH(waits, int64_t)
{
    if (*in == 0)
        nanosleep(&(struct timespec) { 0, 50000000 }, NULL);
    spark_accumulate_f64(task, sum, 1.0 / (double)(*in + 3));
}

static void test_reading__while_jobs_run_folds_only_what_is_final(void **state)
{
    (void)state;
    double want = 0;
    for (int round = 0; round < 2; round++) {
        spark_context *sc = oracle_open(round ? 4 : 1);
        sum = spark_float_counter(sc, "sum");
        spark_future *slow = spark_foreach_async(spark_range(sc, 0, 40, 1, 8), waits, NULL);
        if (round == 0)
            oracle_ok(spark_future_wait(slow, -1));
        else
            while (spark_accumulator_count(sum) == 0)
                nanosleep(&(struct timespec) { 0, 100000 }, NULL);
        for (int i = 0; i < 10; i++) {
            oracle_ok(spark_foreach(spark_range(sc, i + 1, 50, 1, 3), waits, NULL));
            (void)spark_accumulator_f64(sum);
        }
        if (round == 1)
            oracle_ok(spark_future_wait(slow, -1));
        const double have = spark_accumulator_f64(sum);
        if (round == 0)
            want = have;
        assert_memory_equal(&have, &want, sizeof want);
        oracle_close(sc);
    }
}

/* ---- once a partition */

SPARK_FILTER(good, int64_t, counter)
{
    if (*in % 10 == 0)
        spark_accumulate(task, *env, 1);
    return *in % 10 != 0;
}

static const spark_conf once_confs[] = {
    { .threads = 1 },
    { .threads = 4, .batch_rows = 2 },
    { .threads = 1, .batch_rows = 7, .check = true },
    { .threads = 4,
        .batch_rows = 1,
        .stage_max_attempts = 1000,
        .faults = oracle_random_faults,
        .n_faults = 1 },
    { .threads = 2, .faults = oracle_every_task_fails_once, .n_faults = 1 },
};

static void test_once__however_many_jobs_read_it(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(once_confs); c++) {
        spark_context *sc = oracle_open_conf(&once_confs[c]);
        counter once = spark_accumulator_once(spark_counter(sc, "bad")), often = spark_counter(sc, "x");
        spark_rdd *rdd = spark_filter(spark_range(sc, 0, 200, 1, 8), good, SPARK_COPY(once));
        spark_rdd *plain = spark_filter(rdd, good, SPARK_COPY(often));
        spark_array some;
        assert_int_equal(spark_accumulator_value(once), 0);
        /* Partition 0 is read in part, which counts nothing. */
        oracle_ok(spark_take(plain, 5, NULL, &some));
        spark_array_free(&some);
        assert_int_equal(spark_accumulator_value(once), 0);
        /* Rounds of take: the partitions that were read to their end. */
        oracle_ok(spark_take(plain, 30, NULL, &some));
        spark_array_free(&some);
        assert_int_equal(spark_accumulator_value(once), 2 + 1);
        /* A sort samples in a job of its own. */
        assert_int_equal(oracle_count(spark_sort_by(plain, NULL, 3)), 180);
        assert_int_equal(spark_accumulator_value(once), 20);
        /* Twice in one job, by way of a shuffle and without. */
        assert_int_equal(oracle_count(spark_union(plain, spark_distinct(plain, 2))), 360);
        assert_int_equal(oracle_count(spark_zip(rdd, rdd)), 180);
        oracle_count(spark_cartesian(rdd, spark_cache(rdd)));
        spark_unpersist(rdd);
        assert_int_equal(oracle_count(rdd), 180);
        assert_int_equal(spark_accumulator_value(once), 20);
        assert_int_equal(spark_accumulator_count(once), 20);
        /* Another RDD counts for itself; a reset begins anew. */
        spark_rdd *other = spark_filter(spark_range(sc, 0, 50, 1, 3), good, SPARK_COPY(once));
        assert_int_equal(oracle_count(other), 45);
        assert_int_equal(spark_accumulator_value(once), 25);
        spark_accumulator_reset(once);
        assert_int_equal(oracle_count(spark_coalesce(other, 2)), 45);
        assert_int_equal(oracle_count(other), 45);
        assert_int_equal(spark_accumulator_value(once), 5);
        oracle_close(sc);
    }
    assert_null(spark_accumulator_once(NULL));
}

/* The order of a collection that counts once, and the bits of a sum, are those of the partitions. */
static char *use_once(const spark_conf *conf, build lineage)
{
    spark_context *sc = open_with_both(conf);
    assert_ptr_equal(spark_accumulator_once(sum), sum);
    spark_accumulator_once(list);
    spark_rdd *rdd = lineage(sc, 4);
    oracle_count(rdd);
    const int64_t n = spark_accumulator_count(list);
    oracle_count(spark_sort_by(rdd, NULL, 3));
    oracle_count(spark_coalesce(rdd, 1));
    if (lineage != of_combine && lineage != of_placed && lineage != of_zero)
        assert_int_equal(spark_accumulator_count(list), n);
    char *text = shown();
    oracle_close(sc);
    return text;
}

static void test_once__gives_the_same_bits(void **state)
{
    (void)state;
    for (size_t l = 0; l < LENGTH(lineages); l++) {
        char *first = NULL;
        for (size_t c = 0; c < LENGTH(oracle_confs); c++)
            oracle_same(&first, use_once(&oracle_confs[c], lineages[l]));
        free(first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_steps__give_the_same_bits),
        oracle_test(test_blocks__without_room_count_in_their_place),
        oracle_test(test_reading__between_jobs_changes_nothing),
        oracle_test(test_reading__while_jobs_run_folds_only_what_is_final),
        oracle_test(test_once__however_many_jobs_read_it),
        oracle_test(test_once__gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
