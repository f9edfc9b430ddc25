/* SPDX-License-Identifier: Apache-2.0 */
/* Chains within chains: what lasts how long, how deep they may nest, which partition a function is
 * told, and whom a failure names. */
#include "layouts.h"

#include <sys/wait.h>
#include <unistd.h>

/* in_child: the body runs in a process of its own, for a minute at most. */
static void in_child(void (*body)(void))
{
    int status = -1;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

SPARK_PAIR(two, int64_t, int64_t);

/* What functions behind a zip got of spark_keep, and what spark_defer remembers, lasts beyond the
 * zip's own batches. */
SPARK_PAIR(word_word, word, word);
SPARK_STEP(one_late, spark_str, word_word, spark_str)
{
    const spark_str *copy = spark_keep(task, spark_str, &in->key.value);
    if (state->ptr != NULL)
        spark_emit(out, *state);
    if (copy != NULL)
        *state = *copy;
}
SPARK_FINISH(one_late, spark_str, word_word, spark_str)
{
    if (state->ptr != NULL)
        spark_emit(out, *state);
}
static void test_keep__lasts_behind_a_zip(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .batch_rows = 2 });
    spark_rdd *w = words(sc, 1, 6, 1);
    oracle_collects(spark_map_stateful(spark_zip(w, w), one_late, NULL), "w1 w2 w3 w4 w5 w6");
    oracle_close(sc);
}

static int cleaned;
static void clean(void *at)
{
    if (++*(int *)at > 100)
        _exit(3); /* the list of what was deferred goes round */
}
SPARK_MAP(deferring, two, int64_t)
{
    spark_defer(task, clean, &cleaned);
    *out = in->key;
}
static void defer_behind_a_zip(void)
{
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1, .batch_rows = 2 });
    spark_rdd *n = spark_range(sc, 0, 6, 1, 1);
    int64_t count = -1;
    cleaned = 0;
    if (spark_count(spark_map(spark_zip(n, n), deferring, NULL), &count) != SPARK_OK || count != 6
        || cleaned != 6)
        _exit(4);
    spark_context_free(sc);
}
static void test_defer__lasts_behind_a_zip(void **state)
{
    (void)state;
    in_child(defer_behind_a_zip);
}

SPARK_FILTER(unevenly, int64_t)
{
    return (uint64_t)*in * 0x9e3779b97f4a7c15u >> 60 > (uint64_t)(*in / 1000) % 16;
}
static spark_rdd *build_zip(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    spark_rdd *n = spark_filter(spark_range(sc, 0, 2000000, 1, partitions), unevenly, NULL);
    return spark_zip(n, n);
}
/* The pipe of what follows is made in the middle of the partition, when the cache is full. */
static void zip_without_room(void)
{
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1 });
    char *want = digests(build_zip(sc, 1, NULL));
    spark_context_free(sc);
    for (int mb = 12; mb < 24; mb++) {
        sc = spark_context_new(&(spark_conf) { .threads = 1, .memory_bytes = (uint64_t)mb << 20 });
        char *have = digests(spark_cache(build_zip(sc, 1, NULL)));
        if (have != NULL && strcmp(have, want) != 0)
            _exit(4);
        free(have);
        spark_context_free(sc);
    }
    free(want);
}
static void test_zip__goes_on_without_room_in_the_cache(void **state)
{
    (void)state;
    in_child(zip_without_room);
}

/* spark_task_partition inside a zip_partitions function is the zip's own. */
SPARK_ZIP_PARTITIONS(where, int64_t, int64_t, int64_t)
{
    (void)a;
    (void)b;
    spark_emit(out, spark_task_partition(task));
}
static void test_zip_partitions__sees_its_own_partition(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *n = spark_range(sc, 0, 6, 1, 2), *both = spark_union(n, n);
    spark_rdd *small = spark_coalesce(spark_range(sc, 0, 6, 1, 6), 4);
    oracle_collects(spark_zip_partitions(both, both, where, NULL), "0 1 2 3");
    oracle_collects(spark_zip_partitions(small, small, where, NULL), "0 1 2 3");
    oracle_close(sc);
}

/* In foreach, as in any function of an action, it is the RDD's, behind union and coalesce too. */
typedef int *ints;
SPARK_FOREACH(note, int64_t, ints)
{
    (*env)[*in] = spark_task_partition(task);
}
static void test_foreach__sees_the_partition_of_its_rdd(void **state)
{
    int at[6] = { -1, -1, -1, -1, -1, -1 }, *p = at;
    (void)state;
    spark_context *sc = oracle_open(1);
    oracle_ok(spark_foreach(spark_coalesce(spark_range(sc, 0, 6, 1, 6), 2), note, SPARK_COPY(p)));
    for (int i = 0; i < 6; i++)
        assert_int_equal(at[i], i / 3);
    oracle_ok(spark_foreach(spark_union(spark_range(sc, 0, 3, 1, 1), spark_range(sc, 3, 6, 1, 1)),
        note, SPARK_COPY(p)));
    for (int i = 0; i < 6; i++)
        assert_int_equal(at[i], i / 3);
    oracle_close(sc);
}

/* Check mode looks at all batches that a zip_partitions function emits. */
SPARK_ZIP_PARTITIONS(on_stack, int64_t, int64_t, spark_str)
{
    char text[16] = "gone";
    (void)a;
    (void)b;
    spark_emit(out, (spark_str) { text, 4 });
}
static void test_check__finds_views_that_zip_partitions_emits(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .check = true });
    spark_rdd *nums = spark_range(sc, 0, 4, 1, 1);
    oracle_fails(spark_count(spark_zip_partitions(nums, nums, on_stack, NULL), &n), SPARK_ETASK,
        "by on_stack, points into the stack of its function");
    oracle_close(sc);
}

/* A zip whose right side is shorter says so itself. */
static void test_zip__blames_itself_for_a_short_right_side(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_zip(spark_range(sc, 0, 10, 1, 2), spark_range(sc, 0, 9, 1, 2));
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "zip at " TEST_FILE);
    assert_string_equal(spark_last_error()->operation, "zip");
    oracle_close(sc);
}

/* SPARK_FAULT_BLOCK, and the random kind, drop blocks below a coalesce, zip, zip_partitions or
 * cartesian as well. */
static void test_fault_block__drops_what_a_coalesce_would_read(void **state)
{
    const spark_fault plan[] = { { SPARK_FAULT_BLOCK, 1, 0, SPARK_ANY, .attempt = 0 } };
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .faults = plan, .n_faults = 1 });
    spark_rdd *cached = spark_cache(spark_range(sc, 0, 100, 1, 4));
    assert_int_equal(oracle_count(cached), 100);
    assert_int_equal(oracle_count(spark_coalesce(cached, 2)), 100);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 4);
    oracle_close(sc);
}
static void test_fault_block__drops_what_a_zip_would_read(void **state)
{
    const spark_fault plan[] = { { SPARK_FAULT_BLOCK, 1, 0, SPARK_ANY, .attempt = 0 } };
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .faults = plan, .n_faults = 1 });
    spark_rdd *cached = spark_cache(spark_range(sc, 0, 100, 1, 4));
    assert_int_equal(oracle_count(cached), 100);
    assert_int_equal(oracle_count(spark_zip(cached, cached)), 100);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 4);
    oracle_close(sc);
}

/* Coalesces, zips and cartesians may stand inside each other, thousands deep, also behind flat_maps
 * that fill all levels. */
static void test_coalesce__of_coalesces_of_unions(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 1, 1, 1);
    for (int i = 1; i < 100; i++)
        rdd = spark_coalesce(spark_union(rdd, spark_range(sc, i, i + 1, 1, 1)), 1);
    assert_int_equal(oracle_count(rdd), 100);
    oracle_close(sc);
}
SPARK_FLAT_MAP(grow, int64_t, int64_t)
{
    spark_emit(out, *in);
    if (*in == 0)
        spark_emit(out, 1);
}
/* Each of DEPTH inside the next one, on a small stack as well: the chains go on on another one. */
SPARK_PAIR(pair_of_numbers, int64_t, int64_t);
SPARK_MAP(in_pair, int64_t, pair_of_numbers)
{
    char text[2048]; /* functions need stack too */
    memset(text, (int)*in, sizeof text);
    *out = (pair_of_numbers) { *in, 1 + (text[*in] != (char)*in) };
}
static spark_rdd *nested(spark_context *sc, int depth, bool persisted)
{
    const spark_keyed_options placed = { 0, spark_hash_partitioner(sc, 2) };
    spark_rdd *one = spark_map(spark_range(sc, 0, 5, 1, 1), in_pair, NULL);
    spark_rdd *state = spark_partition_by(one, placed.partitioner);
    for (int i = 1; i < depth; i++) {
        state = spark_union(state, spark_partition_by(one, placed.partitioner));
        state = spark_reduce_by_key_with(state, spark_op_sum, NULL, &placed);
        if (persisted)
            state = spark_cache(state);
    }
    return state;
}
/* Threads that wait for each other cost the sanitizer what it has of memory. */
enum { DEPTH = TESTS_WATCH_THREADS ? 300 : 1500 };
static void test_chains__nest_thousands_deep(void **state)
{
    static const spark_conf confs[] = { { .threads = 1 },
        { .threads = 2, .batch_rows = 1, .thread_stack_bytes = 256 * 1024 },
        { .threads = 1, .check = true } };
    (void)state;
    for (size_t c = 0; c < LENGTH(confs); c++)
        for (int persisted = 0; persisted < 2; persisted++) {
            spark_context *sc = oracle_open_conf(&confs[c]);
            spark_array sums;
            oracle_ok(spark_collect(nested(sc, DEPTH, persisted), NULL, &sums));
            assert_int_equal(sums.n, 5);
            for (size_t i = 0; i < sums.n; i++)
                assert_int_equal(SPARK_ITEMS(pair_of_numbers, &sums)[i].value, DEPTH);
            spark_array_free(&sums);
            oracle_close(sc);
        }
}

/* Coalesces, unions and zips inside each other, whose batches go out through all of them. */
SPARK_FILTER(any_pair, pair_of_numbers)
{
    return in->value > 0;
}
static spark_rdd *inside(spark_context *sc, int depth, int kind)
{
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 20, 1, 2), in_pair, NULL);
    spark_rdd *others = spark_parallelize(sc, SPARK_TYPE(pair_of_numbers), 0, NULL, 1);
    spark_rdd *numbers = spark_range(sc, 0, 20, 1, 2);
    for (int i = 0; i < depth; i++)
        rdd = kind == 0 ? spark_coalesce(spark_filter(rdd, any_pair, NULL), 1)
            : kind == 1 ? spark_coalesce(spark_union(rdd, others), 1)
                        : spark_keys(spark_zip(rdd, numbers));
    return rdd;
}
static void test_chains__push_through_thousands(void **state)
{
    static const spark_conf confs[] = { { .threads = 1 },
        { .threads = 2, .batch_rows = 1, .thread_stack_bytes = 64 * 1024 },
        { .threads = 1, .check = true } };
    (void)state;
    for (size_t c = 0; c < LENGTH(confs); c++)
        for (int kind = 0; kind < 3; kind++) {
            spark_context *sc = oracle_open_conf(&confs[c]);
            assert_int_equal(oracle_count(inside(sc, c == 1 ? DEPTH / 5 : 2 * DEPTH, kind)), 20);
            oracle_close(sc);
        }
}

static void test_coalesce__behind_a_chain_of_flat_maps(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .batch_rows = 1 });
    spark_rdd *rdd = spark_range(sc, 0, 1, 1, 1);
    for (int i = 0; i < 70; i++)
        rdd = spark_flat_map(rdd, grow, NULL);
    assert_int_equal(oracle_count(rdd), 71);
    assert_int_equal(oracle_count(spark_coalesce(rdd, 1)), 71);
    oracle_close(sc);
}

/* What the steps of a parent partition allocate goes when it is through: a coalesce holds one
 * partition of its group at a time. */
SPARK_FLAT_MAP(texts, int64_t, spark_str)
{
    spark_emit(out, spark_str_format(task, "%0100lld", (long long)*in));
}
static void test_coalesce__holds_one_partition_at_a_time(void **state)
{
    uint64_t peak;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_flat_map(spark_range(sc, 0, 500000, 1, 500), texts, NULL);
    assert_int_equal(oracle_count(rdd), 500000);
    spark_memory_bytes(sc, &peak);
    print_message("peak without coalesce: %.1f MB\n", (double)peak / 1e6);
    assert_true(peak < 8 << 20);
    assert_int_equal(oracle_count(spark_coalesce(rdd, 1)), 500000);
    spark_memory_bytes(sc, &peak);
    print_message("peak with coalesce: %.1f MB\n", (double)peak / 1e6);
    assert_true(peak < 8 << 20);
    oracle_close(sc);
}

/* The reason for a fraction that is too large. */
static void test_sample__says_what_is_wrong_with_a_large_fraction(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_sample(spark_range(sc, 0, 1, 1, 1), true, 2e9, 1);
    if (spark_rdd_status(rdd) != SPARK_OK) {
        (void)!spark_collect(rdd, NULL, &array);
        assert_null(strstr(spark_last_error()->message, "it must be 0 or more"));
    }
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_keep__lasts_behind_a_zip),
        oracle_test(test_defer__lasts_behind_a_zip),
        oracle_test(test_zip__goes_on_without_room_in_the_cache),
        oracle_test(test_zip_partitions__sees_its_own_partition),
        oracle_test(test_foreach__sees_the_partition_of_its_rdd),
        oracle_test(test_check__finds_views_that_zip_partitions_emits),
        oracle_test(test_zip__blames_itself_for_a_short_right_side),
        oracle_test(test_fault_block__drops_what_a_coalesce_would_read),
        oracle_test(test_fault_block__drops_what_a_zip_would_read),
        oracle_test(test_coalesce__of_coalesces_of_unions),
        oracle_test(test_chains__nest_thousands_deep),
        oracle_test(test_chains__push_through_thousands),
        oracle_test(test_coalesce__behind_a_chain_of_flat_maps),
        oracle_test(test_coalesce__holds_one_partition_at_a_time),
        oracle_test(test_sample__says_what_is_wrong_with_a_large_fraction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
