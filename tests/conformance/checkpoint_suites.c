/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's CheckpointSuite and LocalCheckpointSuite. Where those tell that something was computed again,
 * the number of calls of a function says so here. */
#include "file_test.h"

#include <stdatomic.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);

static atomic_long calls;

SPARK_MAP(counted, int64_t, int64_t)
{
    atomic_fetch_add(&calls, 1);
    *out = *in;
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 5, *in };
}
SPARK_MAP(to_text, int64_t, spark_str)
{
    char *at = spark_alloc(task, 24);
    if (at)
        *out = (spark_str) { at, (size_t)snprintf(at, 24, "%lld", (long long)*in) };
}
SPARK_FLAT_MAP(up_to, int64_t, int64_t)
{
    (void)task;
    for (int64_t i = 1; i <= *in; i++)
        if (!spark_emit(out, i))
            return;
}
SPARK_FILTER(even, int64_t)
{
    return *in % 2 == 0;
}
SPARK_PARTITIONS(sum_of, int64_t, int64_t)
{
    const int64_t *item;
    int64_t sum = 0;
    (void)task;
    while ((item = spark_next(in)))
        sum += *item;
    spark_emit(out, sum);
}
SPARK_ZIP_PARTITIONS(both_counts, int64_t, int64_t, int64_t)
{
    int64_t n = 0;
    (void)task;
    while (spark_next(a))
        n++;
    while (spark_next(b))
        n += 100;
    spark_emit(out, n);
}

/* ---- each kind of RDD, and what it is made of */

static spark_rdd *numbers(spark_context *sc, int partitions)
{
    return spark_map(spark_range(sc, 1, 17, 1, partitions), counted, NULL);
}
static spark_rdd *pairs(spark_context *sc, int partitions)
{
    return spark_map(numbers(sc, partitions), to_pair, NULL);
}

typedef spark_rdd *(*make)(spark_rdd *parent);

static spark_rdd *do_map(spark_rdd *p)
{
    return spark_map(p, to_text, NULL);
}
static spark_rdd *do_flat_map(spark_rdd *p)
{
    return spark_flat_map(p, up_to, NULL);
}
static spark_rdd *do_filter(spark_rdd *p)
{
    return spark_filter(p, even, NULL);
}
static spark_rdd *do_sample(spark_rdd *p)
{
    return spark_sample(p, false, 0.5, 7);
}
static spark_rdd *do_glom(spark_rdd *p)
{
    return spark_glom(p);
}
static spark_rdd *do_map_partitions(spark_rdd *p)
{
    return spark_map_partitions(p, sum_of, NULL);
}
static spark_rdd *do_pipe(spark_rdd *p)
{
    return spark_pipe(spark_map(p, to_text, NULL), "cat");
}
static spark_rdd *do_reduce(spark_rdd *p)
{
    return spark_map_values(
        spark_reduce_by_key(spark_map(p, to_pair, NULL), spark_op_sum, NULL, 3), counted, NULL);
}
static spark_rdd *do_flat_map_values(spark_rdd *p)
{
    return spark_flat_map_values(spark_map(p, to_pair, NULL), up_to, NULL);
}
static spark_rdd *do_group(spark_rdd *p)
{
    return spark_group_by_key(spark_map(p, to_pair, NULL), 3);
}
static spark_rdd *do_partition_by(spark_rdd *p)
{
    return spark_partition_by(
        spark_map(p, to_pair, NULL), spark_hash_partitioner(spark_rdd_context(p), 5));
}
static spark_rdd *do_sort(spark_rdd *p)
{
    return spark_sort_by_key(spark_map(p, to_pair, NULL), NULL, 3);
}
static spark_rdd *do_union(spark_rdd *p)
{
    return spark_union(p, p);
}
static spark_rdd *do_nested_union(spark_rdd *p)
{
    return spark_union(spark_union(p, spark_range(spark_rdd_context(p), 5, 9, 1, 2)), p);
}
static spark_rdd *do_aware_union(spark_rdd *p)
{
    spark_rdd *placed = do_partition_by(p);
    return spark_union(placed, do_partition_by(p));
}
static spark_rdd *do_cartesian(spark_rdd *p)
{
    return spark_cartesian(p, spark_range(spark_rdd_context(p), 0, 3, 1, 2));
}
static spark_rdd *do_coalesce(spark_rdd *p)
{
    return spark_coalesce(p, 2);
}
static spark_rdd *do_repartition(spark_rdd *p)
{
    return spark_repartition(p, 6);
}
static spark_rdd *do_cogroup(spark_rdd *p)
{
    spark_rdd *a = spark_map(p, to_pair, NULL);
    spark_rdd *two[] = { a, do_partition_by(p) };
    return spark_cogroup(2, two, 0);
}
static spark_rdd *do_join(spark_rdd *p)
{
    return spark_join(spark_map(p, to_pair, NULL), do_reduce(p), 0);
}
static spark_rdd *do_zip(spark_rdd *p)
{
    return spark_zip(p, spark_map(p, to_text, NULL));
}
static spark_rdd *do_zip_partitions(spark_rdd *p)
{
    return spark_zip_partitions(p, p, both_counts, NULL);
}
static spark_rdd *do_zip_with_index(spark_rdd *p)
{
    return spark_zip_with_index(p);
}
static spark_rdd *do_distinct(spark_rdd *p)
{
    return spark_distinct(p, 0);
}
static spark_rdd *do_subtract(spark_rdd *p)
{
    return spark_subtract(p, spark_filter(p, even, NULL), 0);
}
static spark_rdd *do_persist(spark_rdd *p)
{
    return spark_cache(spark_map(p, to_text, NULL));
}
static spark_rdd *do_sampled(spark_rdd *p)
{
    return spark_sample(p, true, 1.5, 3);
}

static const struct kind {
    const char *name;
    make make;
} kinds[] = { { "map", do_map }, { "flatMap", do_flat_map }, { "filter", do_filter },
    { "sample", do_sample }, { "poisson sample", do_sampled }, { "glom", do_glom },
    { "mapPartitions", do_map_partitions }, { "pipe", do_pipe }, { "reduceByKey", do_reduce },
    { "flatMapValues", do_flat_map_values }, { "groupByKey", do_group },
    { "partitionBy", do_partition_by }, { "sortByKey", do_sort }, { "union", do_union },
    { "nested union", do_nested_union }, { "partitioner-aware union", do_aware_union },
    { "cartesian", do_cartesian }, { "coalesce", do_coalesce }, { "repartition", do_repartition },
    { "cogroup", do_cogroup }, { "join", do_join }, { "zip", do_zip },
    { "zipPartitions", do_zip_partitions }, { "zipWithIndex", do_zip_with_index },
    { "distinct", do_distinct }, { "subtract", do_subtract }, { "persist", do_persist } };

static void mark(spark_rdd *rdd, bool local)
{
    assert_ptr_equal(local ? spark_local_checkpoint(rdd) : spark_checkpoint(rdd), rdd);
    assert_false(spark_rdd_is_checkpointed(rdd));
    assert_null(spark_rdd_checkpoint_file(rdd));
}

/* is_cut: one edge, to something new. */
static void is_cut(const spark_rdd *rdd, bool local)
{
    bool shuffle = true;
    assert_true(spark_rdd_is_checkpointed(rdd));
    assert_int_equal(spark_rdd_n_dependencies(rdd), 1);
    const spark_rdd *reader = spark_rdd_dependency(rdd, 0, &shuffle);
    assert_false(shuffle);
    assert_int_equal(spark_rdd_n_dependencies(reader), 0);
    if (local)
        assert_null(spark_rdd_checkpoint_file(rdd));
    else
        assert_non_null(spark_rdd_checkpoint_file(rdd));
}

static spark_context *open_with_dir(int threads)
{
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = threads, .local_dir = "." });
    oracle_ok(spark_set_checkpoint_dir(sc, "checkpoints"));
    return sc;
}

/* each_kind: what an RDD holds, partition by partition, is the same before and after a checkpoint of
 * it, or of what it is made of. */
static void each_kind(bool local, bool parent, int threads)
{
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        spark_context *sc = open_with_dir(threads);
        spark_rdd *plain = kinds[k].make(numbers(sc, 4));
        char *want = oracle_layout(plain);
        const int partitions = spark_rdd_partitions(plain);
        spark_rdd *from = numbers(sc, 4), *rdd = kinds[k].make(from), *marked = parent ? from : rdd;
        const bool placed = spark_rdd_partitioner(rdd) != NULL;
        mark(marked, local);
        for (int round = 0; round < 3; round++) {
            char *have = oracle_layout(rdd);
            if (!want || !have || strcmp(have, want) != 0)
                fail_msg("%s, round %d: have %s, want %s (%s)", kinds[k].name, round,
                    have ? have : "nothing", want ? want : "nothing", spark_last_error()->message);
            free(have);
            is_cut(marked, local);
        }
        assert_int_equal(spark_rdd_partitions(rdd), partitions);
        assert_int_equal(spark_rdd_partitioner(rdd) != NULL, placed);
        /* Nothing above is needed any more. */
        atomic_store(&calls, 0);
        char *again = oracle_layout(marked);
        if (!parent && kinds[k].make != do_reduce && kinds[k].make != do_join)
            assert_int_equal(atomic_load(&calls), 0);
        free(again);
        free(want);
        oracle_close(sc);
    }
}

static void checkpoint_suite__each_kind_of_rdd(void **state)
{
    (void)state;
    each_kind(false, false, 1);
    each_kind(false, false, 4);
}
static void checkpoint_suite__the_parent_of_each_kind_of_rdd(void **state)
{
    (void)state;
    each_kind(false, true, 1);
    each_kind(false, true, 4);
}
static void local_checkpoint_suite__each_kind_of_rdd(void **state)
{
    (void)state;
    each_kind(true, false, 4);
}
static void local_checkpoint_suite__the_parent_of_each_kind_of_rdd(void **state)
{
    (void)state;
    each_kind(true, true, 4);
}

/* ---- CheckpointSuite */

static void basic(bool local)
{
    spark_context *sc = open_with_dir(4);
    static const int64_t four[] = { 1, 2, 3, 4 };
    spark_rdd *source = spark_parallelize(sc, SPARK_DATA(int64_t, 4, four), 0);
    spark_rdd *flat = spark_flat_map(source, up_to, NULL);
    mark(flat, local);
    assert_ptr_equal(spark_rdd_dependency(flat, 0, NULL), source);
    oracle_collects(flat, "1 1 2 1 2 3 1 2 3 4");
    assert_ptr_not_equal(spark_rdd_dependency(flat, 0, NULL), source);
    oracle_collects(flat, "1 1 2 1 2 3 1 2 3 4");
    is_cut(flat, local);
    oracle_close(sc);
}

static void checkpoint_suite__basic_checkpointing(void **state)
{
    (void)state;
    basic(false);
}

static void checkpoint_suite__a_root_is_read_from_its_files(void **state)
{
    (void)state;
    spark_context *sc = open_with_dir(2);
    static const int64_t four[] = { 1, 2, 3, 4 };
    spark_rdd *source = spark_parallelize(sc, SPARK_DATA(int64_t, 4, four), 3);
    assert_int_equal(spark_rdd_n_dependencies(source), 0);
    mark(source, false);
    oracle_collects(source, "1 2 3 4");
    is_cut(source, false);
    assert_int_equal(spark_rdd_partitions(source), 3);
    oracle_has_layout(source, "1 | 2 | 3 4");
    /* Another context reads the same files, and they outlive both. */
    const char *path = spark_rdd_checkpoint_file(source);
    spark_context *other = oracle_open(1);
    oracle_has_layout(spark_object_file(other, path, SPARK_TYPE(int64_t)), "1 | 2 | 3 4");
    char *kept = strdup(path);
    oracle_close(sc);
    oracle_collects(spark_object_file(other, kept, SPARK_TYPE(int64_t)), "1 2 3 4");
    free(kept);
    oracle_close(other);
}

static void checkpoint_suite__partitioners_stay(void **state)
{
    (void)state;
    spark_context *sc = open_with_dir(4);
    spark_rdd *sums = spark_reduce_by_key(pairs(sc, 4), spark_op_sum, NULL, 4);
    const spark_partitioner *before = spark_rdd_partitioner(sums);
    mark(sums, false);
    assert_int_equal(oracle_count(sums), 5);
    assert_ptr_equal(spark_rdd_partitioner(sums), before);
    /* What follows is placed by it, and needs no shuffle. */
    assert_int_equal(oracle_count(spark_join(sums, sums, 0)), 5);
    assert_int_equal(oracle_last_job(sc).stages, 1);
    oracle_close(sc);
}

static void no_partitions(bool local)
{
    spark_context *sc = open_with_dir(4);
    spark_rdd *empty = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
    mark(empty, local);
    assert_int_equal(oracle_count(empty), 0);
    assert_true(spark_rdd_is_checkpointed(empty));
    assert_int_equal(oracle_count(empty), 0);
    assert_int_equal(spark_rdd_partitions(empty), 0);
    oracle_close(sc);
}
static void checkpoint_suite__an_rdd_without_partitions(void **state)
{
    (void)state;
    no_partitions(false);
}

static void checkpoint_suite__of_marked_ancestors_the_last_is_written(void **state)
{
    (void)state;
    spark_context *sc = open_with_dir(2);
    spark_rdd *first = numbers(sc, 4), *second = spark_map(first, to_pair, NULL);
    mark(first, false);
    mark(second, false);
    assert_int_equal(oracle_count(second), 16);
    assert_true(spark_rdd_is_checkpointed(second));
    assert_false(spark_rdd_is_checkpointed(first));
    /* It still is, when an action needs it. */
    assert_int_equal(oracle_count(first), 16);
    assert_true(spark_rdd_is_checkpointed(first));
    oracle_close(sc);
}

static void checkpoint_suite__both_inputs_of_a_join(void **state)
{
    (void)state;
    spark_context *sc = open_with_dir(4);
    spark_rdd *a = pairs(sc, 3), *b = spark_reduce_by_key(pairs(sc, 2), spark_op_sum, NULL, 2);
    spark_rdd *joined = spark_join(a, b, 0);
    mark(a, false);
    mark(b, true);
    assert_int_equal(oracle_count(joined), 16);
    is_cut(a, false);
    is_cut(b, true);
    assert_int_equal(oracle_count(joined), 16);
    oracle_close(sc);
}

static void checkpoint_suite__without_a_directory(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    int64_t n;
    assert_null(spark_checkpoint_dir(sc));
    spark_rdd *rdd = spark_checkpoint(numbers(sc, 2));
    oracle_fails(spark_count(rdd, &n), SPARK_EINVAL,
        "Checkpoint directory has not been set in the SparkContext");
    assert_false(spark_rdd_is_checkpointed(rdd));
    oracle_ok(spark_set_checkpoint_dir(sc, "made/on/the/way"));
    assert_non_null(strstr(spark_checkpoint_dir(sc), "made/on/the/way/"));
    assert_int_equal(oracle_count(rdd), 16);
    assert_true(spark_rdd_is_checkpointed(rdd));
    oracle_close(sc);
}

/* Spark computes an RDD twice that is checkpointed without being persisted, and ignores a mark that
 * comes after an action. */
static void checkpoint_suite__computed_once_and_late_marks_count(void **state)
{
    (void)state;
    spark_context *sc = open_with_dir(4);
    spark_rdd *rdd = spark_checkpoint(numbers(sc, 4));
    atomic_store(&calls, 0);
    assert_int_equal(oracle_count(rdd), 16);
    assert_int_equal(oracle_count(rdd), 16);
    assert_int_equal(atomic_load(&calls), 16);
    spark_rdd *late = numbers(sc, 4);
    assert_int_equal(oracle_count(late), 16);
    mark(late, false);
    assert_int_equal(oracle_count(late), 16);
    assert_true(spark_rdd_is_checkpointed(late));
    assert_int_equal(atomic_load(&calls), 48);
    oracle_close(sc);
}

static void checkpoint_suite__only_part_of_it_is_taken(void **state)
{
    (void)state;
    spark_context *sc = open_with_dir(2);
    spark_rdd *rdd = spark_checkpoint(numbers(sc, 4));
    spark_array one;
    oracle_ok(spark_take(rdd, 1, SPARK_TYPE(int64_t), &one));
    oracle_lists(&one, "1");
    spark_array_free(&one);
    is_cut(rdd, false);
    oracle_collects(rdd, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
    oracle_close(sc);
}

/* ---- LocalCheckpointSuite */

static void local_checkpoint_suite__basic_lineage_truncation(void **state)
{
    (void)state;
    basic(true);
}
static void local_checkpoint_suite__an_rdd_without_partitions(void **state)
{
    (void)state;
    no_partitions(true);
}

static void local_checkpoint_suite__indirect_lineage_truncation(void **state)
{
    (void)state;
    spark_context *sc = open_with_dir(2);
    spark_rdd *source = numbers(sc, 4), *marked = spark_filter(source, even, NULL);
    spark_rdd *end = spark_map(spark_map(marked, counted, NULL), counted, NULL);
    spark_rdd *parent = spark_rdd_dependency(end, 0, NULL);
    mark(marked, true);
    oracle_collects(end, "2 4 6 8 10 12 14 16");
    is_cut(marked, true);
    assert_ptr_equal(spark_rdd_dependency(end, 0, NULL), parent);
    assert_ptr_equal(spark_rdd_dependency(parent, 0, NULL), marked);
    assert_ptr_not_equal(spark_rdd_dependency(marked, 0, NULL), source);
    oracle_collects(end, "2 4 6 8 10 12 14 16");
    oracle_close(sc);
}

static void local_checkpoint_suite__with_and_without_persisting(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        spark_context *sc = open_with_dir(2);
        spark_rdd *rdd = numbers(sc, 4);
        if (order == 1)
            spark_cache(rdd);
        mark(rdd, true);
        if (order == 2)
            spark_cache(rdd);
        assert_int_equal(spark_rdd_cached_partitions(rdd), 0);
        atomic_store(&calls, 0);
        assert_int_equal(oracle_count(rdd), 16);
        assert_int_equal(atomic_load(&calls), 16);
        assert_int_equal(spark_rdd_cached_partitions(rdd), order ? 4 : 0);
        /* Blocks may go: the files stay. */
        spark_unpersist(rdd);
        assert_int_equal(oracle_count(rdd), 16);
        assert_int_equal(atomic_load(&calls), 16);
        oracle_close(sc);
    }
}

static void local_checkpoint_suite__it_overrides_an_unwritten_checkpoint(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .local_dir = "." });
    spark_rdd *rdd = numbers(sc, 2);
    mark(rdd, false);
    mark(rdd, true);
    mark(rdd, false);
    assert_int_equal(oracle_count(rdd), 16); /* no directory is needed */
    is_cut(rdd, true);
    /* Once it is written, nothing changes it. */
    spark_checkpoint(rdd);
    spark_local_checkpoint(rdd);
    assert_int_equal(oracle_count(rdd), 16);
    is_cut(rdd, true);
    oracle_close(sc);
}

static int remove_parts(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind;
    return strcmp(path + at->base, "part-00001") == 0 ? unlink(path) : 0;
}

static void local_checkpoint_suite__a_lost_part(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .local_dir = "." });
    spark_rdd *rdd = numbers(sc, 2);
    int64_t n;
    mark(rdd, true);
    assert_int_equal(oracle_count(rdd), 16);
    assert_int_equal(nftw(".", remove_parts, 8, FTW_PHYS), 0);
    oracle_fails(spark_count(rdd, &n), SPARK_EIO, "part-00001");
    oracle_fails(spark_count(rdd, &n), SPARK_EIO, "spark_checkpoint");
    /* What does not need it works, and so does the context. */
    oracle_collects(spark_range(sc, 0, 3, 1, 2), "0 1 2");
    oracle_close(sc);
}

static int any_file(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind;
    if (at->level > 0)
        fail_msg("%s was left behind", path);
    return 0;
}

static void local_checkpoint_suite__files_go_with_the_rdd(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .local_dir = "." });
    spark_rdd *rdd = spark_local_checkpoint(numbers(sc, 2));
    assert_int_equal(oracle_count(rdd), 16);
    spark_rdd *more = spark_map(rdd, to_pair, NULL);
    spark_rdd_release(rdd);
    assert_int_equal(oracle_count(more), 16);
    oracle_close(sc);
    assert_int_equal(nftw(".", any_file, 8, FTW_PHYS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(checkpoint_suite__each_kind_of_rdd),
        file_test(checkpoint_suite__the_parent_of_each_kind_of_rdd),
        file_test(local_checkpoint_suite__each_kind_of_rdd),
        file_test(local_checkpoint_suite__the_parent_of_each_kind_of_rdd),
        file_test(checkpoint_suite__basic_checkpointing),
        file_test(checkpoint_suite__a_root_is_read_from_its_files),
        file_test(checkpoint_suite__partitioners_stay),
        file_test(checkpoint_suite__an_rdd_without_partitions),
        file_test(checkpoint_suite__of_marked_ancestors_the_last_is_written),
        file_test(checkpoint_suite__both_inputs_of_a_join),
        file_test(checkpoint_suite__without_a_directory),
        file_test(checkpoint_suite__computed_once_and_late_marks_count),
        file_test(checkpoint_suite__only_part_of_it_is_taken),
        file_test(local_checkpoint_suite__basic_lineage_truncation),
        file_test(local_checkpoint_suite__an_rdd_without_partitions),
        file_test(local_checkpoint_suite__indirect_lineage_truncation),
        file_test(local_checkpoint_suite__with_and_without_persisting),
        file_test(local_checkpoint_suite__it_overrides_an_unwritten_checkpoint),
        file_test(local_checkpoint_suite__a_lost_part),
        file_test(local_checkpoint_suite__files_go_with_the_rdd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
