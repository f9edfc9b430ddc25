/* SPDX-License-Identifier: Apache-2.0 */
/* The RDD itself: properties, caching, and what its lineage looks like. */
#ifndef SPARK_RDD_H
#define SPARK_RDD_H

#include <spark/context.h>
#include <spark/function.h>

SPARK_BEGIN_DECLS

/* spark_rdd_id: counts from 0 in each context. -1 for NULL. Spark: id. */
int spark_rdd_id(const spark_rdd *rdd);
/* spark_rdd_name: as set, the path of an RDD that reads files, else NULL. spark_rdd_set_name:
 * copies it, NULL takes it away; returns rdd, for chaining. Spark: name, setName. */
const char *spark_rdd_name(const spark_rdd *rdd);
spark_rdd *spark_rdd_set_name(spark_rdd *rdd, const char *name);
/* spark_rdd_type: of its elements; NULL for an RDD that carries an error. */
const spark_type *spark_rdd_type(const spark_rdd *rdd);
/* spark_rdd_status: SPARK_OK, or the error the RDD carries, copied to spark_last_error. */
spark_status spark_rdd_status(const spark_rdd *rdd);
spark_context *spark_rdd_context(const spark_rdd *rdd);

/* spark_rdd_partitions: the number of partitions, finding it out if need be (lists files, samples
 * for a sort). -1 on failure. Spark: getNumPartitions. */
int spark_rdd_partitions(spark_site at, spark_rdd *rdd);

/* spark_rdd_partitioner: NULL where keys are not known to be placed. Belongs to the RDD. */
const spark_partitioner *spark_rdd_partitioner(const spark_rdd *rdd);

/* spark_rdd_n_dependencies: how many RDDs this one is made of; spark_rdd_dependency: the i-th,
 * which belongs to the RDD; NULL: there is none. *shuffle (may be NULL): whether it is read through
 * a shuffle. Spark: dependencies. */
size_t spark_rdd_n_dependencies(const spark_rdd *rdd);
spark_rdd *spark_rdd_dependency(const spark_rdd *rdd, size_t i, bool *shuffle);

/* spark_drop_block: forgets the cached block of a partition, as a failure would; the next job that
 * needs it computes it again, and only it. spark_drop_shuffle_output: the same for what map
 * partition `output` wrote for the shuffle rdd reads. false: there was none. For tests. */
bool spark_drop_block(spark_rdd *rdd, int partition);
bool spark_drop_shuffle_output(spark_rdd *rdd, int output);

/* spark_clean_shuffle_dependencies: frees what the shuffles above the RDD keep for reuse, as far as
 * persisted RDDs; a job that needs it again computes it again. For steps that are done with while
 * their RDDs are still held; what only released RDDs reach goes by itself: see spark_rdd_replace.
 * Spark: cleanShuffleDependencies. */
spark_status spark_clean_shuffle_dependencies(spark_site at, spark_rdd *rdd);

/* Checkpoints: an RDD that is written to files and read from them from then on, as saved by
 * spark_save_as_object_file; what it was computed from is forgotten and freed. Both verbs mark the
 * RDD and return it; the next action that needs it writes the whole RDD first, in a job of its own,
 * and what goes wrong then (no directory, a full disk) is that action's error; the mark stays, so
 * that the next one tries again. Spark: the same after the action, which computes it twice, and
 * never for an RDD that some action has touched before. Of marked RDDs in one lineage the last is
 * written; its ancestors are not needed any more.
 *
 * spark_checkpoint: below the directory that spark_set_checkpoint_dir names, for good. Spark:
 * checkpoint. spark_local_checkpoint: below spark_conf.local_dir, which must exist, until the RDD
 * goes (what a killed process leaves there goes with the next context that writes one); without
 * waiting for the disk. Below a tmpfs it takes memory that memory_bytes does not count. It takes the place of an unwritten spark_checkpoint. Spark:
 * localCheckpoint, which persists the RDD; here persisting is another matter, and useful with
 * either.
 *
 * An RDD taken from spark_rdd_dependency before belongs to the RDD only until then. */
spark_rdd *spark_checkpoint(spark_site at, spark_rdd *rdd);
spark_rdd *spark_local_checkpoint(spark_site at, spark_rdd *rdd);
/* spark_rdd_is_checkpointed: it has been written. Spark: isCheckpointed. spark_rdd_checkpoint_file:
 * the directory, once it is written for good, to be read by spark_object_file in another run; else
 * NULL. Belongs to the RDD. Spark: getCheckpointFile. */
bool spark_rdd_is_checkpointed(const spark_rdd *rdd);
const char *spark_rdd_checkpoint_file(const spark_rdd *rdd);

/* spark_set_checkpoint_dir: makes a directory of the context's own below `directory`, which is made
 * where need be. Nothing in it is removed when the context ends. spark_checkpoint_dir: that
 * directory, or NULL. Belongs to the context, until it is set again. Spark: setCheckpointDir,
 * getCheckpointDir. */
spark_status spark_set_checkpoint_dir(
    spark_site at, spark_context *sc, const char *directory) SPARK_USE_RESULT_;
const char *spark_checkpoint_dir(spark_context *sc);

/* spark_to_debug_string: the lineage in Spark's layout, one line an RDD, no line end behind the
 * last; the level in brackets is, as there, on each line that of the RDD that was asked about.
 * Names and sites are cut after 200 bytes, and their control characters and what is no UTF-8 are U+FFFD.
 * Belongs to the scope. "" on failure. Spark: toDebugString, which writes names as they are. */
const char *spark_to_debug_string(spark_site at, spark_rdd *rdd);

/* spark_as: the same elements under another description of the same layout (names may differ,
 * kinds, sizes and offsets not). */
spark_rdd *spark_as(spark_site at, spark_rdd *rdd, const spark_type *type) SPARK_USE_RESULT_;

/* spark_as_named (narrow): rows, as of spark_sql or spark_read_csv, as structs of the program's,
 * whose members are found by name (exactly, then without regard to case), in any order, and so are
 * those of structs within them; structs in lists and arrays must have their members in the same
 * order. Each has the type of the column or one that holds all of its values: wider integers, double
 * for float and integers up to 32 bits. A decimal of the same scale may have fewer digits (rows of SQL
 * say 18 for all up to that): a value that has more is an error of the action. An optional takes a
 * column that cannot be null; a column that can be may go into a member that is none: a null there is an
 * error of the action. But what lists hold is optional where, and only where, it may be null: array(1)
 * gives SPARK_LIST(ints, int32_t), array(x) of a column that may be null a list of spark_opt_i32, and
 * collect_list, which leaves nulls out, a list of int32_t. Columns that no member names are left out.
 * SPARK_ETYPE: a member without a column, or of another type. Spark: Dataset.as. */
spark_rdd *spark_as_named(
    spark_site at, spark_rdd *rdd, const spark_type *type) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_rdd_partitions(...) spark_rdd_partitions(SPARK_HERE, __VA_ARGS__)
#define spark_clean_shuffle_dependencies(...)                                                      \
    spark_clean_shuffle_dependencies(SPARK_HERE, __VA_ARGS__)
#define spark_checkpoint(...) spark_checkpoint(SPARK_HERE, __VA_ARGS__)
#define spark_local_checkpoint(...) spark_local_checkpoint(SPARK_HERE, __VA_ARGS__)
#define spark_set_checkpoint_dir(...) spark_set_checkpoint_dir(SPARK_HERE, __VA_ARGS__)
#define spark_to_debug_string(...) spark_to_debug_string(SPARK_HERE, __VA_ARGS__)
#define spark_as(...) spark_as(SPARK_HERE, __VA_ARGS__)
#define spark_as_named(...) spark_as_named(SPARK_HERE, __VA_ARGS__)
#endif

#endif
