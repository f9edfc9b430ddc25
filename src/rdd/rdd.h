/* SPDX-License-Identifier: Apache-2.0 */
/* How a verb is written: begin, say what it wants, make the node. The first thing that is wrong
 * stays, makes all later steps do nothing, and comes back as an RDD that carries the error. */
#ifndef SPK_RDD_RDD_H
#define SPK_RDD_RDD_H

#include <spark/index.h>

#include "io/output.h"
#include "scheduler/job.h"
#include "shuffle/input.h"

typedef struct spk_verb {
    spark_site at;
    const char *operation, *function;
    spark_context *sc;
    size_t n;
    spark_rdd *const *parents;
    spk_env env;
    spark_rdd *bad;
    const spk_layout *in; /* of the first parent */
} spk_verb;

/* spk_verb_begin: env is taken over in any case; has_function: whether the definition is usable. */
void spk_verb_begin(spk_verb *v, spark_site at, const char *operation, const char *function,
    size_t n, spark_rdd *const *parents, bool has_function, const spark_env *env, size_t env_size);
/* spk_verb_source: without parents. */
void spk_verb_source(spk_verb *v, spark_site at, const char *operation, spark_context *sc);

void spk_verb_fail(spk_verb *v, spark_status code, const char *format, ...) SPARK_FORMAT_(3, 4);
void spk_verb_fail_with(spk_verb *v, const spk_failure *failure);
/* spk_verb_want: have must read as want; NULL: anything. */
void spk_verb_want(spk_verb *v, const spark_type *want, const spk_layout *have);
/* spk_verb_pairs: the parent's elements must be pairs. */
void spk_verb_pairs(spk_verb *v, const spk_layout *have);
/* spk_verb_layout: NULL when the verb has failed, or for no type. */
const spk_layout *spk_verb_layout(spk_verb *v, const spark_type *type);
/* spk_verb_values: of a function of values from `in` to `out`: the parent's pairs with other values. */
const spk_layout *spk_verb_values(spk_verb *v, const spark_type *in, const spark_type *out);
const spk_layout *spk_verb_pair(spk_verb *v, const spk_layout *key, const spk_layout *value);

/* spk_verb_make: the node, or what is wrong; *made tells. The environment goes to the node. */
spark_rdd *spk_verb_make(
    spk_verb *v, const spk_class *class, size_t size, const spk_layout *layout, bool *made);

/* spk_verb_path: a copy of path in *slot of a node that was made, which is named by it. */
spark_rdd *spk_verb_path(spk_verb *v, spark_rdd *node, char **slot, const char *path);

/* spk_verb_undo: a made node that could not be completed: an error RDD instead. */
spark_rdd *spk_verb_undo(spk_verb *v, spark_rdd *node, const spk_failure *failure);

/* spk_drained: the state of a step that works on the whole partition: its rows, all of them when
 * `finish` is called. open and run are those of such a class. */
typedef struct spk_drained {
    spk_rows rows;
    spk_arena *arenas; /* for spk_out_open */
} spk_drained;
bool spk_drained_open(spk_pipe *pipe, spk_op *op);
void spk_drained_run(spk_pipe *pipe, spk_op *op, spk_batch *batch);
/* spk_rows_defer: the list is freed when the attempt ends. False: it has failed. */
bool spk_rows_defer(spark_task *task, spk_rows *rows);

/* spk_locate: the record at which a step failed, when it is known. */
void spk_locate(spark_task *task, int64_t record);

/* spk_value_keep: a deep copy of *value (NULL: all bytes zero) that belongs to the node, which
 * frees it with spk_heap_free. NULL: no memory. */
char *spk_value_keep(spark_rdd *rdd, const spk_layout *layout, const void *value, size_t *capacity);

/* spk_result_rows: a result array of rows lists (taken over), one after the other. */
spark_status spk_result_rows(spark_context *sc, const spk_layout *layout, spk_rows *lists, size_t n,
    spark_array *result, spk_failure *failure);
/* spk_result_one: of a copy of one value. */
spark_status spk_result_one(spark_context *sc, const spk_layout *layout, const void *value,
    spark_array *result, spk_failure *failure);

/* spk_key_by: key_by, under the name of the operation it is for. */
spark_rdd *spk_key_by(const char *operation, spark_site at, spark_rdd *rdd, const spark_map_def *f,
    const spark_env *env);

/* spk_prune: n partitions of rdd, from `first` on, under the name of the operation it is for. */
spark_rdd *spk_prune(const char *operation, spark_site at, spark_rdd *rdd, int first, int n);

/* spk_collect_as: collect, under the name of the action it is for. */
spark_status spk_collect_as(
    const char *name, spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result);

/* spk_collect_partition: the rows of one partition, which become the caller's. */
spark_status spk_collect_partition(const char *name, spark_site at, spark_rdd *rdd, int partition,
    spk_rows *rows, spk_failure *failure);

/* spk_index_make: a map of n pairs, which it moves together: of equal keys the last value stays, at
 * the place of the first. slots: room for spk_index_slots(n). spk_index_find: the number of the pair,
 * -1: none. */
size_t spk_index_slots(size_t n);
void spk_index_make(
    spark_index *index, const spk_layout *pair, char *items, size_t n, uint32_t *slots);
int64_t spk_index_find(const spark_index *index, const void *key);

/* spk_result_index: makes pairs a map: of equal keys the last value stays, at the place of the
 * first; SPARK_FIND works on it. On failure the array is freed. */
spark_status spk_result_index(
    spark_context *sc, const spk_layout *pair, spark_array *pairs, spk_failure *failure);

/* Saving: a directory of part files, one a partition, each written by the attempt that wins. saver:
 * what goes into a part; start and end (either may be NULL) and take as those of actions. */
typedef struct spk_saver spk_saver;
typedef struct spk_save_state {
    spk_state head;
    const spk_layout *layout;
    spk_part part;
    spk_rows rows; /* the saver's, as is what follows */
    uint64_t written;
    bool open;
} spk_save_state;
struct spk_saver {
    const char *name; /* of the action */
    bool (*start)(spk_save_state *state);
    bool (*take)(void *state, spk_batch batch);
    bool (*end)(spk_save_state *state);
};
spark_status spk_save_parts(
    spark_site at, spark_rdd *rdd, const char *path, const spk_saver *saver);
/* spk_save_run: the same for a prepared RDD, without the checks; scratch: files that need not
 * outlive the process. */
spark_status spk_save_run(spark_site at, spark_rdd *rdd, const char *path, bool scratch,
    const spk_saver *saver, spk_failure *failure);
/* spk_object_saver: parts of an object file, for the action of that name. spk_object_read: pushes
 * what such a part holds; false: the task has failed, or wants no more. */
spk_saver spk_object_saver(const char *name);
bool spk_object_read(spk_pipe *pipe, const spk_layout *layout, const char *path);
/* spk_save_room: room for n bytes in the part, to be added to part.used. NULL: the task has failed. */
char *spk_save_room(spk_save_state *state, size_t n);

/* spk_numbers_check: what every action on numbers asks first; place: where the result goes.
 * spk_numbers: n elements of such an RDD as doubles. */
spark_status spk_numbers_check(
    spark_rdd *rdd, const char *name, spark_site at, const void *place, spk_failure *failure);
void spk_numbers(const spk_layout *layout, const char *rows, size_t n, double *out);

/* spk_env_check: that the broadcast in env, if there is one, is of the RDD's context. */
spark_status spk_env_check(const spk_env *env, const spark_rdd *rdd, const char *name,
    spark_site at, spk_failure *failure);

/* spk_verb_target: the partitioner that was asked for must be of this context, and take such keys.
 */
void spk_verb_target(spk_verb *v, const spark_partitioner *asked, const spk_layout *key);

/* spk_verb_placed: the partitioner of parent i, known, or NULL. */
const spark_partitioner *spk_verb_placed(spk_verb *v, size_t i);

/* A wide operation on one RDD of pairs: one shuffle whose rows the reading task combines, groups,
 * sorts or passes on. */
typedef enum spk_keyed_kind {
    SPK_KEYED_COMBINE,
    SPK_KEYED_COMBINE_DENSE,
    SPK_KEYED_GROUP,
    SPK_KEYED_GROUP_MAP,
    SPK_KEYED_PASS,
    SPK_KEYED_SORT
} spk_keyed_kind;
typedef struct spk_keyed {
    spk_keyed_kind kind;
    const spk_layout *key, *out;
    const spk_aggregator *aggregator; /* complete but for the functions' environments */
    const void *zero;                 /* of SPK_KEYED_COMBINE: an ACC, which the node copies */
    const spk_ordering *ordering;     /* of SPK_KEYED_SORT */
    const spark_group_def *group;     /* of SPK_KEYED_GROUP_MAP */
    const spark_keyed_options *options;
    bool drop; /* the result has no partitioner, once it is shuffled */
    bool lose; /* it has none in any case: its keys are others */
    bool stay; /* rows are placed by something else than the key; no shuffle */
} spk_keyed;
spark_rdd *spk_keyed_new(spk_verb *v, const spk_keyed *k);

/* Sides: inputs that one task reads side by side, each placed by `target`: by a shuffle, or as it
 * is. Part of a node. */
enum { SPK_MOST_SIDES = 4 };
typedef struct spk_sides {
    spark_partitioner *target;
    spk_shuffle *own[SPK_MOST_SIDES]; /* of narrow sides: how they are written */
} spk_sides;
/* spk_sides_target: the partitioner for all parents, or NULL when the verb has failed; a reference
 * of the caller's. */
spark_partitioner *spk_sides_target(
    spk_verb *v, const spark_keyed_options *options, const spk_layout *key);
/* spk_sides_set: the target (a reference is taken) and planned partitions of a node that was made.
 * spk_sides_attach: side i as rows (row: what is written), combined by aggregator where that is not
 * NULL; elements: the key is the whole element, which partitioners of RDDs know nothing of. False: no
 * memory. */
void spk_sides_set(spark_rdd *rdd, spk_sides *sides, spark_partitioner *target);
bool spk_sides_attach(spark_rdd *rdd, spk_sides *sides, size_t i, const spk_layout *row,
    const spk_layout *key, const spk_aggregator *aggregator, bool elements);
void spk_sides_release(spk_sides *sides);
spark_status spk_sides_prepare(spark_rdd *rdd, const spk_sides *sides);
/* spk_sides_open: an input for each side. False: the task has failed, none is open. */
bool spk_sides_open(
    spk_pipe *pipe, spark_rdd *rdd, const spk_sides *sides, int partition, spk_input *inputs);
void spk_sides_close(const spark_rdd *rdd, spk_input *inputs);

/* spk_action_check: spk_job_check for an action, which writes the checkpoints first that wait above
 * rdd. */
spark_status spk_action_check(
    spark_rdd *rdd, const char *name, spark_site at, spk_failure *failure);

/* spk_action_begin: the checks of every action; want may be NULL; result is zeroed, NULL refused.
 */
spark_status spk_action_begin(spark_rdd *rdd, const char *name, spark_site at,
    const spark_type *want, spark_array *result, spk_failure *failure);
/* spk_action_end: raises *failure, if there is one; one without an operation is the action's. */
spark_status spk_action_end(
    spark_status status, spk_failure *failure, const char *name, spark_site at);

#endif
