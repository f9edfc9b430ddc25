/* SPDX-License-Identifier: Apache-2.0 */
/* What the partitions and keys of shuffles hold: counted exactly, whatever fails and whoever runs it; keys within the
 * bounds that are told; and rows of RDDs, and accumulators, task by task. */
#include <inttypes.h>

#include "support/oracle.h"

enum { ROWS = 40000, KEYS = 3000, REDUCES = 6, MAPS = 9 };

SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_PAIR(text_pair, spark_str, int64_t);

/* key_of: half of all rows have key 42. */
static int64_t key_of(int64_t i)
{
    return i % 2 ? 42 : i * 7919 % KEYS;
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { key_of(*in), *in };
}
SPARK_MAP(to_text, int64_t, text_pair)
{
    *out = (text_pair) { spark_str_format(task, "key %" PRId64, key_of(*in)), *in };
}
SPARK_FILTER(even, int64_t)
{
    return *in % 2 == 0;
}

/* The truth, of all partitions, as a placed RDD has them. */
typedef struct counts {
    int64_t rows[REDUCES], keys[KEYS];
} counts;

static void find_truth(spark_rdd *placed, counts *t)
{
    *t = (counts) { .rows = { 0 } };
    spark_rdd *sizes = spark_glom(placed);
    spark_array lists;
    oracle_ok(spark_collect(sizes, NULL, &lists));
    assert_int_equal(lists.n, REDUCES);
    const spark_i64_list *list = lists.items; /* all lists look alike */
    for (size_t p = 0; p < lists.n; p++)
        t->rows[p] = (int64_t)list[p].n;
    spark_array_free(&lists);
    for (int64_t i = 0; i < ROWS; i++)
        t->keys[key_of(i)]++;
}

static int last_shuffle_stage(spark_context *sc, int job)
{
    spark_stage_attempt stages[64];
    int found = -1;
    const size_t n = spark_metrics_stages(sc, job, stages, LENGTH(stages));
    for (size_t i = 0; i < n; i++) {
        spark_shuffle_profile p;
        if (spark_metrics_of_shuffle(sc, stages[i].stage, &p) == SPARK_OK)
            found = stages[i].stage;
    }
    return found;
}

typedef struct told {
    spark_shuffle_profile p;
    spark_hot_partition hot[REDUCES];
    spark_hot_key keys[200];
    size_t n_hot, n_keys;
} told;

static void ask(spark_context *sc, int stage, told *t)
{
    memset(t, 0, sizeof *t);
    oracle_ok(spark_metrics_of_shuffle(sc, stage, &t->p));
    t->n_hot = spark_metrics_hot_partitions(sc, stage, t->hot, LENGTH(t->hot));
    t->n_keys = spark_metrics_hot_keys(sc, stage, t->keys, LENGTH(t->keys));
    assert_int_equal(t->n_hot, t->p.n_hot);
    assert_int_equal(t->n_keys, t->p.n_keys);
    assert_true(t->p.hot == NULL && t->p.keys == NULL);
}

/* is_true: what was told of rows that were not combined. */
static void is_true(const told *t, const counts *truth, int asked, bool text)
{
    int64_t bytes = 0;
    assert_int_equal(t->p.partitions, REDUCES);
    assert_int_equal(t->p.rows, ROWS);
    assert_int_equal(t->n_hot, REDUCES);
    for (size_t i = 0; i < t->n_hot; i++) {
        assert_int_equal(t->hot[i].rows, truth->rows[t->hot[i].partition]);
        assert_true(i == 0 || t->hot[i].bytes <= t->hot[i - 1].bytes);
        bytes += t->hot[i].bytes;
    }
    assert_int_equal(bytes, t->p.bytes);
    assert_true(t->p.counts_keys);
    assert_in_range(t->n_keys, 1, asked);
    assert_true(t->p.key_error <= ROWS / (asked + 1));
    for (size_t i = 0; i < t->n_keys; i++) {
        int64_t key;
        assert_int_equal(sscanf(t->keys[i].key, text ? "key %" SCNd64 : "%" SCNd64, &key), 1);
        assert_true(t->keys[i].rows <= truth->keys[key]);
        assert_true(truth->keys[key] <= t->keys[i].rows + t->p.key_error);
        assert_true(i == 0 || t->keys[i].rows <= t->keys[i - 1].rows);
    }
    assert_string_equal(t->keys[0].key, text ? "key 42" : "42");
    assert_int_equal(t->keys[0].partition, t->hot[0].partition);
}

static void are_equal(const told *a, const told *b)
{
    assert_int_equal(a->n_keys, b->n_keys);
    assert_int_equal(a->p.key_error, b->p.key_error);
    for (size_t i = 0; i < a->n_keys; i++) {
        assert_string_equal(a->keys[i].key, b->keys[i].key);
        assert_int_equal(a->keys[i].rows, b->keys[i].rows);
    }
    for (size_t i = 0; i < a->n_hot; i++) {
        assert_int_equal(a->hot[i].partition, b->hot[i].partition);
        assert_int_equal(a->hot[i].rows, b->hot[i].rows);
        assert_int_equal(a->hot[i].bytes, b->hot[i].bytes);
    }
}

/* says_the_same: for masters, batches, faults, and little memory; the same as the first one. */
static void says_the_same(bool text)
{
    static const char *const masters[] = { "local[1]", "local[3]", "local-cluster[3,2,64]" };
    told *all = calloc(10, sizeof *all);
    assert_non_null(all);
    for (uint64_t seed = 0; seed < 10; seed++) {
        const spark_fault plan[] = {
            { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .seed = seed, .rate = seed % 2 ? 0.1 : 0 },
            { SPARK_FAULT_SHUFFLE, .job = SPARK_ANY, .stage = SPARK_ANY, .partition = 1, .attempt = 0, .output = 2 },
            { SPARK_FAULT_EXECUTOR, .job = 0, .stage = 0, .partition = 4, .attempt = 0 },
        };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[seed % 3],
            .faults = plan,
            .n_faults = seed < 3 ? 0 : 3,
            .memory_bytes = seed % 4 == 3 ? 64 << 20 : 0,
            .task_max_failures = 20,
            .stage_max_attempts = 20,
            .batch_rows = seed % 2 ? 7 : 0 });
        counts truth;
        int64_t n;
        oracle_ok(spark_keep_metrics(sc, NULL));
        oracle_ok(spark_profile_shuffles(sc, 100, 20));
        spark_rdd *numbers = spark_range(sc, 0, ROWS, 1, MAPS);
        spark_rdd *pairs = text ? spark_map(numbers, to_text, NULL) : spark_map(numbers, to_pair, NULL);
        spark_rdd *placed = spark_partition_by(pairs, spark_hash_partitioner(sc, REDUCES));
        oracle_ok(spark_count(placed, &n));
        assert_int_equal(n, ROWS);
        ask(sc, last_shuffle_stage(sc, 0), &all[seed]);
        find_truth(placed, &truth);
        is_true(&all[seed], &truth, 20, text);
        are_equal(&all[seed], &all[0]);
        oracle_close(sc);
    }
    free(all);
}

static void partitions_and_keys_are_told(void **state)
{
    (void)state;
    says_the_same(false);
}

static void texts_are_told(void **state)
{
    (void)state;
    says_the_same(true);
}

static spark_context *open_profiled(int partitions, int keys)
{
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_profile_shuffles(sc, partitions, keys)); /* before anybody listens */
    oracle_ok(spark_keep_metrics(sc, NULL));
    return sc;
}

/* What is combined first is counted as it is written; a sort's keys are what it orders by; what is dealt out has
 * none. */
static void other_shuffles(void **state)
{
    (void)state;
    spark_context *sc = open_profiled(3, 10);
    told t;
    int64_t n;
    spark_rdd *pairs = spark_map(spark_range(sc, 0, ROWS, 1, MAPS), to_pair, NULL);
    oracle_ok(spark_count(spark_reduce_by_key(pairs, spark_op_sum, NULL, REDUCES), &n));
    ask(sc, last_shuffle_stage(sc, 0), &t);
    spark_stage_metrics s;
    oracle_ok(spark_metrics_of_stage(sc, last_shuffle_stage(sc, 0), SPARK_ANY, &s));
    assert_int_equal(t.p.rows, s.attempts.sum.shuffle_write_rows);
    assert_int_equal(t.p.bytes, s.attempts.sum.shuffle_write_bytes);
    assert_true(t.p.rows < ROWS && t.n_hot == 3);
    spark_job_metrics j;
    oracle_ok(spark_count(spark_sort_by_key(pairs, NULL, REDUCES), &n));
    oracle_ok(spark_metrics_of_job(sc, SPARK_ANY, &j));
    ask(sc, last_shuffle_stage(sc, j.id), &t);
    assert_int_equal(t.p.rows, ROWS);
    assert_string_equal(t.keys[0].key, "42");
    assert_true(t.keys[0].rows <= ROWS / 2 + ROWS / KEYS + 1 && t.keys[0].rows + t.p.key_error >= ROWS / 2);
    oracle_ok(spark_count(spark_repartition(pairs, REDUCES), &n));
    oracle_ok(spark_metrics_of_job(sc, SPARK_ANY, &j));
    ask(sc, last_shuffle_stage(sc, j.id), &t);
    assert_int_equal(t.p.rows, ROWS);
    assert_false(t.p.counts_keys);
    assert_true(t.p.median_rows > ROWS / REDUCES - MAPS && t.p.median_rows < ROWS / REDUCES + MAPS);
    oracle_close(sc);
}

/* city: prints itself; cities of one number are one. */
typedef struct city {
    int32_t number, spelling;
} city;
static size_t print_city(const void *value, char *buffer, size_t size)
{
    return (size_t)snprintf(buffer, size, "the city no. %d", (int)((const city *)value)->number);
}
static uint64_t hash_city(const void *value)
{
    return (uint64_t)((const city *)value)->number;
}
static bool equal_cities(const void *a, const void *b)
{
    return ((const city *)a)->number == ((const city *)b)->number;
}
static int compare_cities(const void *a, const void *b)
{
    return ((const city *)a)->number - ((const city *)b)->number;
}
static const spark_type_ops city_ops
    = { .hash = hash_city, .equal = equal_cities, .compare = compare_cities, .print = print_city };
SPARK_DESCRIBE_WITH(city, &city_ops, (int32_t, number), (int32_t, spelling));
SPARK_PAIR(city_pair, city, int64_t);
SPARK_MAP(to_city, int64_t, city_pair)
{
    *out = (city_pair) { { (int32_t)(*in % 4 ? *in % 1000 : 5000), (int32_t)*in }, *in };
}

/* A type's own functions decide what is one key, and how it is written; what was gathered densely is counted too. */
static void own_functions_and_dense_keys(void **state)
{
    (void)state;
    spark_context *sc = open_profiled(2, 8);
    spark_stage_metrics s;
    spark_job_metrics j;
    told t;
    int64_t n;
    spark_rdd *cities = spark_map(spark_range(sc, 0, ROWS, 1, MAPS), to_city, NULL);
    oracle_ok(spark_count(spark_partition_by(cities, spark_hash_partitioner(sc, REDUCES)), &n));
    ask(sc, last_shuffle_stage(sc, 0), &t);
    assert_string_equal(t.keys[0].key, "the city no. 5000");
    assert_true(t.keys[0].rows <= ROWS / 4 && t.keys[0].rows + t.p.key_error >= ROWS / 4);
    spark_rdd *many = spark_map(spark_range(sc, 0, 100 * ROWS, 1, 3), to_pair, NULL);
    spark_partitioner *dense = spark_dense_partitioner(sc, 100000, REDUCES);
    oracle_ok(spark_count(spark_reduce_by_key_dense(many, spark_op_sum, NULL, dense), &n));
    oracle_ok(spark_metrics_of_job(sc, SPARK_ANY, &j));
    const int stage = last_shuffle_stage(sc, j.id);
    ask(sc, stage, &t);
    oracle_ok(spark_metrics_of_stage(sc, stage, SPARK_ANY, &s));
    assert_int_equal(t.p.rows, s.attempts.sum.shuffle_write_rows);
    assert_int_equal(t.p.bytes, s.attempts.sum.shuffle_write_bytes);
    oracle_close(sc);
}

static void nothing_is_told_where_nobody_asks(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_shuffle_profile p;
    int64_t n;
    oracle_fails(spark_profile_shuffles(NULL, 1, 1), SPARK_EINVAL, "no context");
    oracle_fails(spark_profile_shuffles(sc, 0, 0), SPARK_EINVAL, "one of them is not 0");
    oracle_fails(spark_profile_shuffles(sc, 1001, 0), SPARK_EINVAL, "from 0 to 1000");
    oracle_fails(spark_profile_shuffles(sc, 0, -1), SPARK_EINVAL, "from 0 to 1000");
    oracle_ok(spark_keep_metrics(sc, NULL));
    oracle_ok(spark_count(spark_distinct(spark_range(sc, 0, 100, 1, 3), 3), &n));
    assert_int_equal(last_shuffle_stage(sc, 0), -1);
    assert_int_equal(spark_metrics_of_shuffle(sc, 0, &p), SPARK_EINVAL);
    assert_int_equal(spark_metrics_hot_keys(sc, 0, NULL, 0) + spark_metrics_hot_partitions(sc, 0, NULL, 0), 0);
    oracle_ok(spark_profile_shuffles(sc, 2, 0));
    oracle_ok(spark_count(spark_distinct(spark_range(sc, 0, 100, 1, 3), 3), &n));
    const int stage = last_shuffle_stage(sc, 1);
    oracle_ok(spark_metrics_of_shuffle(sc, stage, &p));
    assert_true(p.n_hot == 2 && p.n_keys == 0 && !p.counts_keys && p.rows == 100);
    oracle_close(sc);
}

/* ---- rows of RDDs and accumulators, in events */

typedef struct heard {
    spark_rdd_rows rows[64];
    size_t n_rows;
    int64_t updates, value; /* of the accumulator "evens" */
    char stage_value[40];
    int bad;
} heard;

static void hear_stage(void *env, const spark_stage_info *info)
{
    heard *h = env;
    for (size_t i = 0; i < info->n_rows && h->n_rows < LENGTH(h->rows); i++) {
        h->bad += i > 0 && info->rows[i].rdd <= info->rows[i - 1].rdd;
        h->rows[h->n_rows++] = info->rows[i];
    }
    for (size_t i = 0; i < info->n_accumulables; i++) {
        h->bad += strcmp(info->accumulables[i].name, "evens") != 0 || *info->accumulables[i].update;
        snprintf(h->stage_value, sizeof h->stage_value, "%s", info->accumulables[i].value);
    }
}

static void hear_task(void *env, const spark_task_info *info)
{
    heard *h = env;
    for (size_t i = 0; i < info->n_accumulables; i++) {
        h->bad += strcmp(info->accumulables[i].name, "evens") != 0;
        h->updates += atoll(info->accumulables[i].update);
        const int64_t value = atoll(info->accumulables[i].value);
        h->value = value > h->value ? value : h->value;
    }
}

typedef const spark_accumulator *counter_ref;
SPARK_MAP(count_evens, int64_t, int64_t, counter_ref)
{
    if (*in % 2 == 0)
        spark_accumulate(task, *env, 1);
    *out = *in;
}

static const spark_rdd_rows *rows_of(const heard *h, const spark_rdd *rdd, size_t nth)
{
    for (size_t i = 0; i < h->n_rows; i++)
        if (h->rows[i].rdd == spark_rdd_id(rdd) && nth-- == 0)
            return &h->rows[i];
    return NULL;
}

static void rows_and_accumulators_are_told(void **state)
{
    (void)state;
    for (int seed = 0; seed < 6; seed++) {
        const spark_fault plan[] = { { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .seed = (uint64_t)seed, .rate = 0.1 } };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1 + seed % 3, .faults = plan,
            .n_faults = seed > 1, .task_max_failures = 20, .batch_rows = seed % 2 ? 5 : 0 });
        heard h = { .n_rows = 0 };
        const spark_listener listener = { .env = &h, .whole = true, .stage_completed = hear_stage,
            .task_end = hear_task };
        int64_t n;
        oracle_ok(spark_add_listener(sc, &listener));
        oracle_ok(spark_keep_metrics(sc, NULL));
        counter_ref evens = spark_counter(sc, "evens");
        spark_rdd *numbers = spark_range(sc, 0, 1000, 1, 7);
        spark_rdd *counted = spark_map(numbers, count_evens, SPARK_COPY(evens));
        spark_rdd *cached = spark_cache(spark_filter(counted, even, NULL));
        spark_rdd *distinct = spark_distinct(cached, 3);
        oracle_ok(spark_count(distinct, &n));
        spark_listeners_wait(sc);
        assert_int_equal(h.bad, 0);
        if (seed < 2) { /* of an attempt that fails when its block is there, the rows are nowhere */
            assert_int_equal(rows_of(&h, numbers, 0)->made, 1000);
            assert_int_equal(rows_of(&h, counted, 0)->made, 1000);
            assert_int_equal(rows_of(&h, cached, 0)->made, 500);
        }
        assert_int_equal(rows_of(&h, cached, 0)->cached, 500); /* the block, which the rest was made from */
        assert_int_equal(rows_of(&h, distinct, 0)->made, 500);
        assert_int_equal(h.updates, 500);
        assert_int_equal(h.value, 500);
        assert_string_equal(h.stage_value, "500");
        h.n_rows = 0;
        oracle_ok(spark_count(cached, &n));
        spark_listeners_wait(sc);
        if (seed < 2) { /* no block is lost */
            assert_null(rows_of(&h, numbers, 0));
            assert_int_equal(rows_of(&h, cached, 0)->made, 0);
        }
        assert_int_equal(rows_of(&h, cached, 0)->cached, 500);
        oracle_close(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(partitions_and_keys_are_told),
        oracle_test(texts_are_told),
        oracle_test(other_shuffles),
        oracle_test(own_functions_and_dense_keys),
        oracle_test(nothing_is_told_where_nobody_asks),
        oracle_test(rows_and_accumulators_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
