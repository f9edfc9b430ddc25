/* SPDX-License-Identifier: Apache-2.0 */
/* No public function dies of an argument that is NULL or of a number that is 0 or negative: it says
 * what is wrong, or takes it for the default, and the context goes on. Each function of a table is
 * called in a process of its own, with one of its pointers NULL after the other, then with one of its
 * numbers 0 or -1. Left out are functions that are called within a task, and those of strings, whose
 * arguments cannot be NULL by contract. */
#include "oracle.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <spark/pipe.h>

SPARK_PAIR(pair, int64_t, int64_t);
SPARK_PAIR(rate, int64_t, double);
SPARK_ORDER(by_value, pair, (asc, value));
SPARK_MAP(twice, int64_t, int64_t)
{
    *out = *in * 2;
}
SPARK_MAP(to_pair, int64_t, pair)
{
    *out = (pair) { *in % 5, *in };
}
SPARK_FILTER(is_odd, int64_t)
{
    return *in % 2;
}
SPARK_FLAT_MAP(again, int64_t, int64_t)
{
    spark_emit(out, *in);
}
SPARK_PARTITIONS(pass, int64_t, int64_t)
{
    for (const int64_t *item; (item = spark_next(in)) != NULL;)
        spark_emit(out, *item);
}
SPARK_PARTITIONER(by_parity, int64_t)
{
    (void)task, (void)env;
    return (uint32_t)(*key & 1) % partitions;
}
SPARK_FOREACH(nothing, int64_t)
{
    (void)task, (void)in, (void)env;
}

/* ---- the arguments */

typedef struct fix {
    spark_context *sc;
    spark_rdd *numbers, *pairs;
    spark_partitioner *placed;
    spark_broadcast *broadcast;
    const spark_accumulator *counter;
    spark_array array, pairs_array;
    int64_t number;
    const void *any;
} fix;

/* The pointer that is NULL now, or the number that is another, by their place in the call; and how many
 * there have been. */
static int nulled, changed, pointers, numbers;
static int64_t instead;

static void *P(const void *pointer)
{
    void *same;
    memcpy(&same, &pointer, sizeof same);
    return pointers++ == nulled ? NULL : same;
}

static int I(int number)
{
    return numbers++ == changed ? (int)instead : number;
}

/* Z: of a size that goes with data: never more than there is. */
static size_t Z(size_t number)
{
    return numbers++ == changed ? 0 : number;
}

/* What is done with what comes back: an RDD is counted, whatever it carries. */
static void look(spark_rdd *rdd)
{
    int64_t n;
    if (spark_count(rdd, &n) != SPARK_OK)
        assert_true(spark_last_error()->message[0] != 0);
}

static void told(spark_status status)
{
    if (status != SPARK_OK)
        assert_true(spark_last_error()->code == status && spark_last_error()->message[0] != 0);
}

#define T_NUMBER P(SPARK_TYPE(int64_t))
#define T_PAIR P(SPARK_TYPE(pair))
#define ARRAY P(&e->array)
#define NUMBERS P(e->numbers)
#define PAIRS P(e->pairs)

/* ---- the table */

#define ACTIONS(S, R, V)                                                                           \
    S(collect, spark_collect(NUMBERS, T_NUMBER, ARRAY))                                            \
    S(collect_partitions, spark_collect_partitions(NUMBERS, Z(1), P(&first), T_NUMBER, ARRAY))     \
    S(count, spark_count(NUMBERS, P(&e->number)))                                                  \
    S(reduce, spark_reduce(NUMBERS, P(spark_op_sum), NULL, T_NUMBER, ARRAY))                       \
    S(fold, spark_fold(NUMBERS, T_NUMBER, P(&zero), P(spark_op_sum), NULL, ARRAY))                 \
    S(aggregate, spark_aggregate(NUMBERS, T_NUMBER, P(&zero), P(spark_op_sum), P(spark_op_sum),    \
                     NULL, ARRAY))                                                                 \
    S(take, spark_take(NUMBERS, (size_t)I(3), T_NUMBER, ARRAY))                                    \
    S(first, spark_first(NUMBERS, T_NUMBER, ARRAY))                                                \
    S(take_ordered, spark_take_ordered(PAIRS, (size_t)I(3), P(by_value), T_PAIR, ARRAY))           \
    S(top, spark_top(PAIRS, (size_t)I(3), P(by_value), T_PAIR, ARRAY))                             \
    S(max, spark_max(PAIRS, P(by_value), T_PAIR, ARRAY))                                           \
    S(min, spark_min(PAIRS, P(by_value), T_PAIR, ARRAY))                                           \
    S(is_empty, spark_is_empty(NUMBERS, P(&e->any)))                                               \
    S(take_sample, spark_take_sample(NUMBERS, false, (size_t)I(3), 1, T_NUMBER, ARRAY))            \
    S(tree_reduce, spark_tree_reduce(NUMBERS, P(spark_op_sum), NULL, I(2), T_NUMBER, ARRAY))       \
    S(tree_aggregate, spark_tree_aggregate(NUMBERS, T_NUMBER, P(&zero), P(spark_op_sum),           \
                          P(spark_op_sum), NULL, I(2), ARRAY))                                     \
    S(lookup, spark_lookup(PAIRS, T_NUMBER, P(&zero), T_NUMBER, ARRAY))                            \
    S(as_map, spark_collect_as_map(PAIRS, T_PAIR, ARRAY))                                          \
    S(locally, spark_reduce_by_key_locally(PAIRS, P(spark_op_sum), NULL, T_PAIR, ARRAY))           \
    V(iterator, e->any = spark_local_next_(spark_to_local_iterator(NUMBERS, T_NUMBER)))            \
    V(next, e->any = spark_local_next_(P(NULL)))                                                   \
    V(iterated, e->number = spark_local_iterator_status(P(NULL)))                                  \
    S(foreach, spark_foreach(NUMBERS, P(nothing), NULL))                                           \
    S(foreach_partition, spark_foreach_partition(NUMBERS, NULL, NULL))                             \
    S(count_by_key, spark_count_by_key(PAIRS, T_PAIR, ARRAY))                                      \
    S(count_by_value, spark_count_by_value(NUMBERS, T_PAIR, ARRAY))                                \
    S(save_text, spark_save_as_text_file(NUMBERS, P("")))                                          \
    S(save_objects, spark_save_as_object_file(NUMBERS, P("")))                                     \
    S(write_text, spark_write_text(NUMBERS, P(""), NULL))                                          \
    S(write_objects, spark_write_object_file(NUMBERS, P(""), NULL))                                \
    S(stats, spark_stats(NUMBERS, P(&stats)))                                                      \
    S(sum, spark_sum(NUMBERS, P(&real)))                                                           \
    S(mean, spark_mean(NUMBERS, P(&real)))                                                         \
    S(variance, spark_variance(NUMBERS, P(&real)))                                                 \
    S(stdev, spark_stdev(NUMBERS, P(&real)))                                                       \
    S(sample_variance, spark_sample_variance(NUMBERS, P(&real)))                                   \
    S(sample_stdev, spark_sample_stdev(NUMBERS, P(&real)))                                         \
    S(histogram, spark_histogram(NUMBERS, Z(2), P(edges), P(counts), P(&found)))                   \
    S(histogram_edges, spark_histogram_edges(NUMBERS, Z(3), P(edges), false, P(counts)))           \
    S(distinct, spark_count_approx_distinct(NUMBERS, 0.05, P(&e->number)))                         \
    S(distinct_with, spark_count_approx_distinct_with(NUMBERS, I(9), I(0), P(&e->number)))         \
    S(count_approx, spark_count_approx(NUMBERS, I(1000), 0.9, P(&bounded)))                        \
    S(sum_approx, spark_sum_approx(NUMBERS, I(1000), 0.9, P(&bounded)))                            \
    S(mean_approx, spark_mean_approx(NUMBERS, I(1000), 0.9, P(&bounded)))                          \
    S(count_by_key_approx, spark_count_by_key_approx(PAIRS, I(1000), 0.9, ARRAY))                  \
    S(count_by_value_approx, spark_count_by_value_approx(NUMBERS, I(1000), 0.9, ARRAY))

#define VERBS(S, R, V)                                                                             \
    R(map, spark_map(NUMBERS, P(twice), P(NULL)))                                                  \
    R(filter, spark_filter(NUMBERS, P(is_odd), NULL))                                              \
    R(flat_map, spark_flat_map(NUMBERS, P(again), NULL))                                           \
    R(map_partitions, spark_map_partitions(NUMBERS, P(pass), NULL))                                \
    R(map_partitions_with, spark_map_partitions_with(NUMBERS, P(pass), NULL, P(&kept)))            \
    R(map_stateful, spark_map_stateful(NUMBERS, NULL, NULL))                                       \
    R(key_by, spark_key_by(NUMBERS, P(twice), NULL))                                               \
    R(map_values, spark_map_values(PAIRS, P(twice), NULL))                                         \
    R(flat_map_values, spark_flat_map_values(PAIRS, P(again), NULL))                               \
    R(filter_map, spark_filter_map(NUMBERS, P(again), NULL))                                       \
    R(keys, spark_keys(PAIRS))                                                                     \
    R(values, spark_values(PAIRS))                                                                 \
    R(union_two, spark_union(NUMBERS, NUMBERS))                                                    \
    R(union_all, spark_union_all(P(e->sc), Z(2), P(both)))                                         \
    R(glom, spark_glom(NUMBERS))                                                                   \
    R(zip, spark_zip(NUMBERS, NUMBERS))                                                            \
    R(zip_partitions, spark_zip_partitions(NUMBERS, NUMBERS, NULL, NULL))                          \
    R(zip_partitions_n, spark_zip_partitions_n(Z(2), P(both), NULL, NULL, P(&kept)))               \
    R(zip_with_index, spark_zip_with_index(NUMBERS))                                               \
    R(zip_with_unique_id, spark_zip_with_unique_id(NUMBERS))                                       \
    R(cartesian, spark_cartesian(NUMBERS, NUMBERS))                                                \
    R(coalesce, spark_coalesce(NUMBERS, I(2)))                                                     \
    R(coalesce_by, spark_coalesce_by(NUMBERS, I(2), NULL, NULL))                                   \
    R(repartition, spark_repartition(NUMBERS, I(2)))                                               \
    R(prune, spark_prune_partitions(NUMBERS, Z(1), P(&first)))                                     \
    R(sample, spark_sample(NUMBERS, false, I(1), 1))                                               \
    R(sample_by_key, spark_sample_by_key(PAIRS, false, P(SPARK_TYPE(rate)), Z(5), P(rates), 1))    \
    R(sample_exact,                                                                                \
        spark_sample_by_key_exact(PAIRS, false, P(SPARK_TYPE(rate)), Z(5), P(rates), 1))           \
    V(random_split, spark_random_split(NUMBERS, Z(2), P(edges), 1, P(split)))                      \
    R(pipe, spark_pipe(NUMBERS, P("true")))                                                        \
    R(pipe_with, spark_pipe_with(NUMBERS, P("true"), P(&piped)))                                   \
    R(sort_by, spark_sort_by(PAIRS, P(by_value), I(2)))                                            \
    R(sort_by_key, spark_sort_by_key(PAIRS, P(spark_order_desc), I(2)))                            \
    R(sort_within, spark_repartition_and_sort_within_partitions(PAIRS, P(e->placed), NULL))        \
    R(filter_by_range, spark_filter_by_range(PAIRS, T_NUMBER, P(&zero), T_NUMBER, P(&zero)))       \
    R(reduce_by_key, spark_reduce_by_key(PAIRS, P(spark_op_sum), NULL, I(2)))                      \
    R(reduce_by_key_with, spark_reduce_by_key_with(PAIRS, P(spark_op_sum), NULL, P(&keyed)))       \
    R(reduce_dense, spark_reduce_by_key_dense(PAIRS, P(spark_op_sum), NULL, P(e->placed)))         \
    R(aggregate_by_key, spark_aggregate_by_key(PAIRS, T_NUMBER, P(&zero), P(spark_op_sum),         \
                            P(spark_op_sum), NULL, I(2)))                                          \
    R(fold_by_key, spark_fold_by_key(PAIRS, T_NUMBER, P(&zero), P(spark_op_sum), NULL, I(2)))      \
    R(combine_by_key, spark_combine_by_key(PAIRS, P(twice), P(spark_op_sum), P(spark_op_sum),      \
                          NULL, I(2)))                                                             \
    R(group_by_key, spark_group_by_key(PAIRS, I(2)))                                               \
    R(group_by_key_with, spark_group_by_key_with(PAIRS, P(&keyed)))                                \
    R(group_map, spark_group_map_by_key(PAIRS, NULL, NULL, I(2)))                                  \
    R(group_by, spark_group_by(NUMBERS, P(twice), NULL, I(2)))                                     \
    R(cogroup, spark_cogroup(Z(2), P(both_pairs), I(2)))                                           \
    R(cogroup_with, spark_cogroup_with(Z(2), P(both_pairs), P(&keyed)))                            \
    R(group_with, spark_group_with(Z(2), P(both_pairs)))                                           \
    R(subtract_by_key, spark_subtract_by_key(PAIRS, PAIRS, I(2)))                                  \
    R(subtract, spark_subtract(NUMBERS, NUMBERS, I(2)))                                            \
    R(intersection, spark_intersection(NUMBERS, NUMBERS, I(2)))                                    \
    R(subtract_with, spark_subtract_with(NUMBERS, NUMBERS, P(&keyed)))                             \
    R(intersection_with, spark_intersection_with(NUMBERS, NUMBERS, P(&keyed)))                     \
    R(partition_by, spark_partition_by(PAIRS, P(e->placed)))                                       \
    R(distinct_rdd, spark_distinct(NUMBERS, I(2)))                                                 \
    R(join, spark_join(PAIRS, PAIRS, I(2)))                                                        \
    R(left_join, spark_left_outer_join(PAIRS, PAIRS, I(2)))                                        \
    R(right_join, spark_right_outer_join(PAIRS, PAIRS, I(2)))                                      \
    R(full_join, spark_full_outer_join(PAIRS, PAIRS, I(2)))                                        \
    R(join_map, spark_join_map(PAIRS, PAIRS, SPARK_INNER, NULL, NULL, I(2)))                       \
    R(join_with, spark_join_with(PAIRS, PAIRS, SPARK_INNER, P(&keyed)))                            \
    R(distinct_by_key, spark_count_approx_distinct_by_key(PAIRS, 0.05, I(2)))                      \
    R(distinct_by_key_with, spark_count_approx_distinct_by_key_with(PAIRS, I(9), I(0), P(&keyed))) \
    R(as, spark_as(NUMBERS, T_NUMBER))

#define OBJECTS(S, R, V)                                                                           \
    R(parallelize, spark_parallelize(P(e->sc), T_NUMBER, Z(2), P(counts), I(2)))                   \
    R(parallelize_with, spark_parallelize_with(P(e->sc), T_NUMBER, Z(2), P(counts), P(&lent)))     \
    R(range, spark_range(P(e->sc), 0, 9, I(1), I(2)))                                              \
    R(empty, spark_empty_rdd(P(e->sc), T_NUMBER))                                                  \
    R(text, spark_text_file(P(e->sc), P("/nowhere"), I(2)))                                        \
    R(whole, spark_whole_text_files(P(e->sc), P("/nowhere"), I(2)))                                \
    R(commands, spark_text_commands(P(e->sc), Z(1), P(&one_command)))                                  \
    R(csv_lines, spark_read_csv_lines(NUMBERS, T_NUMBER, P(&no_options)))                          \
    R(binary, spark_binary_files(P(e->sc), P("/nowhere"), I(2)))                                   \
    R(records, spark_binary_records(P(e->sc), P("/nowhere"), I(2)))                                \
    R(objects, spark_object_file(P(e->sc), P("/nowhere"), T_NUMBER))                               \
    V(partitioner, told(spark_partitioner_status(                                                  \
                       spark_partitioner_new(P(e->sc), I(2), P(by_parity), NULL))))                \
    V(hash_partitioner, told(spark_partitioner_status(spark_hash_partitioner(P(e->sc), I(2)))))    \
    V(range_partitioner,                                                                           \
        told(spark_partitioner_status(spark_range_partitioner(PAIRS, NULL, I(2)))))                \
    V(dense_partitioner,                                                                           \
        told(spark_partitioner_status(spark_dense_partitioner(P(e->sc), Z(5), I(2)))))             \
    V(partitions_of, e->number = spark_partitioner_partitions(P(e->placed)))                       \
    V(partition, e->number = spark_partitioner_get(P(e->placed), T_NUMBER, P(&zero)))              \
    V(equal_partitioners, e->number = spark_partitioner_equal(P(e->placed), P(e->placed)))         \
    V(rdd_id, e->number = spark_rdd_id(NUMBERS))                                                   \
    V(rdd_name, e->any = spark_rdd_name(NUMBERS))                                                  \
    V(set_name, e->any = spark_rdd_set_name(NUMBERS, P("a")))                                      \
    V(rdd_type, e->any = spark_rdd_type(NUMBERS))                                                  \
    S(rdd_status, spark_rdd_status(NUMBERS))                                                       \
    V(rdd_context, e->any = spark_rdd_context(NUMBERS))                                            \
    V(rdd_partitions, e->number = spark_rdd_partitions(NUMBERS))                                   \
    V(rdd_partitioner, e->any = spark_rdd_partitioner(NUMBERS))                                    \
    V(n_dependencies, e->number = (int64_t)spark_rdd_n_dependencies(NUMBERS))                      \
    V(dependency, e->any = spark_rdd_dependency(NUMBERS, (size_t)I(0), P(&shuffles)))              \
    R(persist, spark_persist(NUMBERS, SPARK_MEMORY_ONLY))                                          \
    R(cache, spark_cache(NUMBERS))                                                                 \
    R(unpersist, spark_unpersist(NUMBERS))                                                         \
    V(is_persisted, e->number = spark_rdd_is_persisted(NUMBERS))                                   \
    V(level, e->number = (int64_t)spark_rdd_storage_level(NUMBERS))                                \
    V(cached, e->number = spark_rdd_cached_partitions(NUMBERS))                                    \
    V(cached_bytes, e->number = (int64_t)spark_rdd_cached_bytes(NUMBERS))                          \
    S(storage_info, spark_rdd_storage_info(NUMBERS, P(&info)))                                     \
    V(storage_infos, e->number = (int64_t)spark_storage_infos(P(e->sc), P(&info), 1))                    \
    V(persistent_rdds, e->number = (int64_t)spark_persistent_rdds(P(e->sc), P(&persistent), 1))          \
    V(drop_block, e->number = spark_drop_block(NUMBERS, I(0)))                                     \
    V(drop_output, e->number = spark_drop_shuffle_output(NUMBERS, I(0)))                           \
    S(clean, spark_clean_shuffle_dependencies(NUMBERS))                                            \
    R(checkpoint, spark_checkpoint(NUMBERS))                                                       \
    R(local_checkpoint, spark_local_checkpoint(NUMBERS))                                           \
    V(is_checkpointed, e->number = spark_rdd_is_checkpointed(NUMBERS))                             \
    V(checkpoint_file, e->any = spark_rdd_checkpoint_file(NUMBERS))                                \
    S(checkpoint_dir, spark_set_checkpoint_dir(P(e->sc), P("")))                                   \
    V(which_dir, e->any = spark_checkpoint_dir(P(e->sc)))                                          \
    V(debug_string, e->any = spark_to_debug_string(NUMBERS))                                       \
    V(replace, spark_rdd_replace(P(&e->numbers), P(e->numbers)))                                   \
    V(release, spark_rdd_release(P(NULL)))                                                         \
    V(threads, e->number = spark_context_threads(P(e->sc)))                                        \
    V(app_name, e->any = spark_context_app_name(P(e->sc)))                                         \
    V(parallelism, e->number = spark_context_default_parallelism(P(e->sc)))                        \
    V(scope, spark_scope_end(spark_scope_begin(P(e->sc))))                                         \
    V(scope_end, spark_scope_end(P(NULL)))                                                         \
    V(context_free, spark_context_free(P(NULL)))                                                   \
    S(job_stats, spark_job_stats_get(P(e->sc), I(0), P(&job)))                                     \
    V(memory, e->number = (int64_t)spark_memory_bytes(P(e->sc), P(&peak)))                         \
    V(broadcast, e->any = spark_broadcast_value(                                                   \
                     spark_broadcast_new(P(e->sc), T_NUMBER, P(&zero))))                           \
    V(broadcast_index, e->any = spark_broadcast_value(spark_broadcast_index(P(e->sc), P(NULL))))   \
    V(broadcast_value, e->any = spark_broadcast_value(P(e->broadcast)))                            \
    V(broadcast_destroy, spark_broadcast_destroy(P(e->broadcast)))                                 \
    V(counter, e->any = spark_counter(P(e->sc), P("n")))                                           \
    V(float_counter, e->any = spark_float_counter(P(e->sc), P("n")))                               \
    V(collection, e->any = spark_collection(P(e->sc), T_NUMBER, P("n")))                           \
    V(accumulator, e->any = spark_accumulator_new(P(e->sc), T_NUMBER, P(&zero), P(spark_op_sum),   \
                       P(spark_op_sum), P("n")))                                                   \
    V(accumulate, spark_accumulate(NULL, P(e->counter), 1))                                        \
    S(accumulated, spark_accumulator_get(P(e->counter), T_NUMBER, ARRAY))                          \
    V(accumulator_count, e->number = spark_accumulator_count(P(e->counter)))                       \
    V(accumulator_reset, spark_accumulator_reset(P(e->counter)))                                   \
    V(accumulator_value, e->number = spark_accumulator_value(P(e->counter)))                       \
    V(accumulator_f64, real = spark_accumulator_f64(P(e->counter)))                                \
    V(accumulator_name, e->any = spark_accumulator_name(P(e->counter)))                            \
    V(array_index, e->any = spark_array_index(P(&e->pairs_array)))                                 \
    V(find, e->any = spark_find_(P(spark_array_index(&e->pairs_array)), T_PAIR, P(&zero)))         \
    V(array_items, e->any = spark_array_items(P(&e->pairs_array), T_PAIR))                         \
    V(array_free, spark_array_free(P(&e->array)))                                                  \
    S(type_check, spark_type_check(T_NUMBER, T_NUMBER))                                            \
    V(type_pair, e->any = spark_type_pair(P(e->sc), T_NUMBER, T_NUMBER))                           \
    V(type_optional, e->any = spark_type_optional(P(e->sc), T_NUMBER))                             \
    V(type_list, e->any = spark_type_list(P(e->sc), T_NUMBER))

#define ASYNC(S, R, V)                                                                             \
    S(collect_async, spark_future_get(spark_collect_async(NUMBERS, T_NUMBER), ARRAY))              \
    S(count_async, spark_future_count(spark_count_async(NUMBERS), P(&e->number)))                  \
    S(take_async, spark_future_get(spark_take_async(NUMBERS, (size_t)I(2), T_NUMBER), ARRAY))      \
    S(foreach_async, spark_future_wait(spark_foreach_async(NUMBERS, P(nothing), NULL), I(-1)))     \
    S(wait, spark_future_wait(P(NULL), I(5)))                                                      \
    V(is_completed, e->number = spark_future_is_completed(P(NULL)))                                \
    V(cancel, spark_future_cancel(P(NULL)))                                                        \
    V(on_complete, e->number = spark_future_on_complete(P(NULL), NULL, NULL))                      \
    S(group, spark_set_job_group(P(e->sc), P("g"), P("d")))                                        \
    S(clear_group, spark_clear_job_group(P(e->sc)))                                                \
    S(description, spark_set_job_description(P(e->sc), P("d")))                                    \
    S(add_tag, spark_add_job_tag(P(e->sc), P("t")))                                                \
    S(remove_tag, spark_remove_job_tag(P(e->sc), P("t")))                                          \
    S(clear_tags, spark_clear_job_tags(P(e->sc)))                                                  \
    S(pool, spark_set_scheduler_pool(P(e->sc), P("p")))                                            \
    V(cancel_job, spark_cancel_job(P(e->sc), I(0), P("why")))                                      \
    V(cancel_stage, spark_cancel_stage(P(e->sc), I(0), P("why")))                                  \
    V(cancel_group, spark_cancel_job_group(P(e->sc), P("other"), P("why")))                        \
    V(cancel_all, spark_cancel_all_jobs(P(e->sc)))                                                 \
    V(cancel_tag, spark_cancel_jobs_with_tag(P(e->sc), P("other"), P("why")))                      \
    V(active_jobs, e->number = (int64_t)spark_active_jobs(P(e->sc), P("g"), P(ids), Z(4)))         \
    V(active_stages, e->number = (int64_t)spark_active_stages(P(e->sc), I(0), P(ids), Z(4)))       \
    V(job_group, e->any = spark_job_group(P(e->sc)))                                               \
    V(job_description, e->any = spark_job_description(P(e->sc)))                                   \
    V(job_tags, e->any = spark_job_tags(P(e->sc)))                                                 \
    V(scheduler_pool, e->any = spark_scheduler_pool(P(e->sc)))

static const int first = 0;
static const int64_t zero = 0;
static double real, edges[3] = { 1, 2, 3 };
static int64_t counts[3];
static size_t found;
static int ids[4];
static uint64_t peak;
static spark_storage_info info;
static spark_rdd *persistent;
static bool shuffles;
static spark_stat_counter stats;
static spark_bounded bounded;
static spark_job_stats job;
static spark_rdd *split[2], *both[2], *both_pairs[2];
static const rate rates[5] = { { 0, 0.5 }, { 1, 0.5 }, { 2, 0.5 }, { 3, 0.5 }, { 4, 0.5 } };
static const spark_map_partitions_options kept = { .preserves_partitioning = true };
static const spark_keyed_options keyed = { .partitions = 2 };
static const char *const true_argv[] = { "true", NULL };
static const spark_command one_command = { true_argv, NULL, NULL };
static const spark_csv_options no_options = { .header = false };
static const spark_parallelize_options lent = { .partitions = 2 };
static const spark_pipe_options piped = { .argv = NULL };

#define DEFINE_S(name, call)                                                                       \
    static void try_##name(fix *e)                                                                 \
    {                                                                                              \
        (void)e;                                                                                   \
        told(call);                                                                                \
    }
#define DEFINE_R(name, call)                                                                       \
    static void try_##name(fix *e)                                                                 \
    {                                                                                              \
        (void)e;                                                                                   \
        look(call);                                                                                \
    }
#define DEFINE_V(name, call)                                                                       \
    static void try_##name(fix *e)                                                                 \
    {                                                                                              \
        (void)e;                                                                                   \
        call;                                                                                      \
    }
#define ALL(S, R, V) ACTIONS(S, R, V) VERBS(S, R, V) OBJECTS(S, R, V) ASYNC(S, R, V)
ALL(DEFINE_S, DEFINE_R, DEFINE_V)

#define ENTRY(name, call) { #name, try_##name },
static const struct entry {
    const char *name;
    void (*call)(fix *e);
} entries[] = { ALL(ENTRY, ENTRY, ENTRY) };

/* ---- calling */

static void open_fix(fix *e)
{
    *e = (fix) { .sc = oracle_open(1) };
    e->numbers = spark_range(e->sc, 0, 20, 1, 2);
    e->pairs = spark_map(e->numbers, to_pair, NULL);
    e->placed = spark_hash_partitioner(e->sc, 2);
    e->broadcast = spark_broadcast_new(e->sc, SPARK_TYPE(int64_t), &zero);
    e->counter = spark_counter(e->sc, "counter");
    both[0] = both[1] = e->numbers;
    both_pairs[0] = both_pairs[1] = e->pairs;
    oracle_ok(spark_collect_as_map(e->pairs, NULL, &e->pairs_array));
}

/* call: with pointer i NULL, or number i changed to x; false: there is none such. */
static bool call(const struct entry *entry, int pointer, int number, int64_t x)
{
    fix e;
    int64_t n;
    open_fix(&e);
    nulled = pointer;
    changed = number;
    instead = x;
    pointers = numbers = 0;
    entry->call(&e);
    nulled = changed = -1;
    oracle_ok(spark_count(spark_range(e.sc, 0, 7, 1, 3), &n));
    spark_array_free(&e.array);
    spark_array_free(&e.pairs_array);
    oracle_close(e.sc);
    return pointer < pointers && number < numbers;
}

/* call_all: in a process of its own; *at says where it is. */
static void call_all(const struct entry *entry, volatile int *at)
{
    call(entry, -1, -1, 0);
    for (int i = 0; *at = i, call(entry, i, -1, 0); i++)
        ;
    for (int i = 0; *at = 100 + i, call(entry, -1, i, 0); i++)
        call(entry, -1, i, -1);
}

static void test_functions__say_what_is_wrong_with_arguments(void **state)
{
    volatile int *at = mmap(
        NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int died = 0;
    (void)state;
    assert_true(at != MAP_FAILED);
    for (size_t i = 0; i < LENGTH(entries); i++) {
        int status = -1;
        *at = -1;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(120);
            call_all(&entries[i], at);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (status == 0)
            continue;
        died++;
        print_error("%s ends with %s %d at %s %d\n", entries[i].name,
            WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
            *at < 100 ? "pointer" : "number", *at < 100 ? *at : *at - 100);
    }
    assert_int_equal(died, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_functions__say_what_is_wrong_with_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
