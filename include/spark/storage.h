/* SPDX-License-Identifier: Apache-2.0 */
/* Persisted RDDs: keeping what has been computed, in memory or on disk. Mirrors RDD.persist,
 * StorageLevel and RDDInfo.
 *
 * A persisted RDD keeps each of its partitions, as a block, when a job first computes it; later
 * jobs read that. A block that is lost, evicted, or found damaged on disk is computed again by the
 * next job that needs it, and only it. No result depends on what is kept, or where. */
#ifndef SPARK_STORAGE_H
#define SPARK_STORAGE_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_level: where blocks are kept. With a limit (spark_conf.memory_bytes), blocks share memory
 * with tasks: they take what is free, and as much of other RDDs' blocks as is needed, those read
 * longest ago first; tasks take it back (spark_conf.memory_storage_fraction). What leaves memory
 * goes to disk (spark_conf.local_dir), where the level has one, once; else it is dropped. A block
 * for which no memory is found goes to disk while it is computed, or, without one, is not kept: its
 * elements are passed on as they come. From disk a block is read in pieces of 1 MiB or one element,
 * and back into memory where there is room without evicting.
 *
 * SER: elements are plain bytes here and need no other form to be written, so that reading costs
 * the same; it means that a block is closed into as much memory as it needs, with no room left
 * over, by one more copy (of at most 1 MiB). Spark: its levels of the same names; replicated ones
 * and OFF_HEAP have no meaning in one process. */
typedef enum spark_level {
    SPARK_DEFAULT_LEVEL = 0, /* to spark_persist: SPARK_MEMORY_ONLY; of an RDD: not persisted */
    SPARK_MEMORY_ONLY,
    SPARK_MEMORY_AND_DISK,
    SPARK_MEMORY_ONLY_SER,
    SPARK_MEMORY_AND_DISK_SER,
    SPARK_DISK_ONLY
} spark_level;

/* spark_persist: marks the RDD; nothing is computed. Returns rdd; an RDD that carries SPARK_EINVAL
 * for a level that is none, or other than the one it has: unpersist it first. A disk that cannot be
 * written fails the attempt that computes a block (SPARK_EIO, with directory and cause), never one
 * that evicts. Spark: persist. spark_cache: the default level. Spark: cache. spark_unpersist: drops
 * the blocks and the mark; tasks that read a block still have it. Spark: unpersist. */
spark_rdd *spark_persist(spark_site at, spark_rdd *rdd, spark_level level);
spark_rdd *spark_cache(spark_site at, spark_rdd *rdd);
spark_rdd *spark_unpersist(spark_site at, spark_rdd *rdd);
bool spark_rdd_is_persisted(const spark_rdd *rdd);
/* spark_rdd_storage_level: SPARK_DEFAULT_LEVEL: it is not persisted. Spark: getStorageLevel.
 * spark_level_name: "MEMORY_AND_DISK"; "NONE". Static. */
spark_level spark_rdd_storage_level(const spark_rdd *rdd);
const char *spark_level_name(spark_level level);

/* spark_storage_info: what is kept of an RDD now. Bytes are those of elements and what they point
 * to; on disk, as written. Spark: RDDInfo. */
typedef struct spark_storage_info {
    int rdd;          /* spark_rdd_id */
    const char *name; /* as spark_rdd_name; belongs to the RDD */
    spark_level level;
    int partitions;        /* -1: not known yet */
    int cached_partitions; /* that are there, in memory, on disk, or both */
    int memory_partitions;
    int disk_partitions;
    uint64_t memory_bytes, disk_bytes;
} spark_storage_info;

/* spark_rdd_storage_info: of one RDD, all zero but for rdd, name and partitions where it is not
 * persisted. SPARK_EINVAL for NULL or an RDD that carries an error. spark_rdd_cached_partitions,
 * spark_rdd_cached_bytes: two numbers of it: how many blocks there are, bytes in memory. Spark:
 * RDDInfo.numCachedPartitions, memSize. */
spark_status spark_rdd_storage_info(const spark_rdd *rdd, spark_storage_info *info);
int spark_rdd_cached_partitions(spark_rdd *rdd);
uint64_t spark_rdd_cached_bytes(const spark_rdd *rdd);

/* spark_storage_infos: of all RDDs of the context of which something is kept, in the order of their
 * ids, also of those that are released and live on in a descendant; the first `max` of them in
 * infos. Returns how many there are. Spark: getRDDStorageInfo. spark_persistent_rdds: the RDDs that
 * are persisted and not released, whether something is kept of them or not, in the order of their
 * ids. They belong to their scopes. Spark: getPersistentRDDs. No memory: 0, and SPARK_ENOMEM in
 * spark_last_error. */
size_t spark_storage_infos(spark_context *sc, spark_storage_info *infos, size_t max);
size_t spark_persistent_rdds(spark_context *sc, spark_rdd **rdds, size_t max);

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_persist(...) spark_persist(SPARK_HERE, __VA_ARGS__)
#define spark_cache(...) spark_cache(SPARK_HERE, __VA_ARGS__)
#define spark_unpersist(...) spark_unpersist(SPARK_HERE, __VA_ARGS__)
#endif

#endif
