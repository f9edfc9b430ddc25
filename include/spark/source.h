/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: RDDs from memory and from files. Like every verb that makes an RDD they never fail and
 * never return NULL: what is wrong comes back from the action. Mirrors SparkContext. */
#ifndef SPARK_SOURCE_H
#define SPARK_SOURCE_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_parallelize: n elements of memory as an RDD of `partitions` partitions (0: the default,
 * 16). The elements are copied, deep, at the call: spark_parallelize(sc, SPARK_DATA(order, n,
 * orders), 8). Partition i holds elements i*n/partitions up to (i+1)*n/partitions. Spark:
 * parallelize, which reads the collection when the job runs and defaults to the number of cores. */
spark_rdd *spark_parallelize(spark_site at, spark_context *sc, const spark_type *type, size_t n,
    const void *data, int partitions) SPARK_USE_RESULT_;

/* spark_parallelize_with: borrow: the elements are not copied; they and what they point to must
 * stay unchanged until the RDD is released. */
typedef struct spark_parallelize_options {
    int partitions; /* 0: the default, 16 */
    bool borrow;    /* false */
} spark_parallelize_options;
spark_rdd *spark_parallelize_with(spark_site at, spark_context *sc, const spark_type *type,
    size_t n, const void *data, const spark_parallelize_options *options) SPARK_USE_RESULT_;

/* spark_range: start, start + step, ... up to and without `end`, as int64_t. A step of 0 is
 * SPARK_EINVAL. Spark: range. */
spark_rdd *spark_range(spark_site at, spark_context *sc, int64_t start, int64_t end, int64_t step,
    int partitions) SPARK_USE_RESULT_;

/* spark_empty_rdd: no element, no partition. Spark: emptyRDD. */
spark_rdd *spark_empty_rdd(
    spark_site at, spark_context *sc, const spark_type *type) SPARK_USE_RESULT_;

/* spark_text_file: the lines of files, as spark_str without their line ends (\n, \r\n or \r; a
 * UTF-8 byte order mark at the start is dropped). `path` may be a file, a directory (its files;
 * one that holds directories is an error), a glob (* ? [..] {a,b}) or several of these with commas
 * between; a backslash takes a sign's meaning away. Names that begin with _ or . inside a
 * directory or glob are skipped. Files are read in bytewise order of their paths, split into at
 * least min_partitions (0: 2) pieces of at most 32 MiB; a file that is missing or unreadable is
 * SPARK_EIO from the action. Spark: textFile. */
spark_rdd *spark_text_file(
    spark_site at, spark_context *sc, const char *path, int min_partitions) SPARK_USE_RESULT_;

/* spark_whole_text_files: pairs (path, content) of spark_str, one a file, each held in memory while it
 * passes; path as for spark_text_file, and as given, not absolute, in the pairs. As many partitions
 * as min_partitions (0: 2) says, but never more than files. Spark:
 * wholeTextFiles. spark_binary_files: the same with spark_bytes. Spark: binaryFiles.
 * spark_binary_records: files cut into spark_bytes of record_bytes each; a file whose size is no
 * multiple of that is SPARK_EIO. Spark: binaryRecords. */
spark_rdd *spark_whole_text_files(
    spark_site at, spark_context *sc, const char *path, int min_partitions) SPARK_USE_RESULT_;
spark_rdd *spark_binary_files(
    spark_site at, spark_context *sc, const char *path, int min_partitions) SPARK_USE_RESULT_;
spark_rdd *spark_binary_records(
    spark_site at, spark_context *sc, const char *path, int64_t record_bytes) SPARK_USE_RESULT_;

/* spark_object_file: what spark_save_as_object_file wrote, a partition a file; path as for
 * spark_text_file. The type must have the shape of the one that was saved (SPARK_ETYPE from the
 * task); a damaged file is SPARK_EIO that names it and the byte. Spark: objectFile. */
spark_rdd *spark_object_file(
    spark_site at, spark_context *sc, const char *path, const spark_type *type) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_parallelize(...) spark_parallelize(SPARK_HERE, __VA_ARGS__)
#define spark_parallelize_with(...) spark_parallelize_with(SPARK_HERE, __VA_ARGS__)
#define spark_range(...) spark_range(SPARK_HERE, __VA_ARGS__)
#define spark_empty_rdd(...) spark_empty_rdd(SPARK_HERE, __VA_ARGS__)
#define spark_object_file(...) spark_object_file(SPARK_HERE, __VA_ARGS__)
#define spark_whole_text_files(...) spark_whole_text_files(SPARK_HERE, __VA_ARGS__)
#define spark_binary_files(...) spark_binary_files(SPARK_HERE, __VA_ARGS__)
#define spark_binary_records(...) spark_binary_records(SPARK_HERE, __VA_ARGS__)
#define spark_text_file(...) spark_text_file(SPARK_HERE, __VA_ARGS__)
#endif

#endif
