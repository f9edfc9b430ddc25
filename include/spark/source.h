/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: RDDs from memory and from files. Like every verb that makes an RDD they never fail and
 * never return NULL: what is wrong comes back from the action. Mirrors SparkContext. */
#ifndef SPARK_SOURCE_H
#define SPARK_SOURCE_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_parallelize: n elements of memory as an RDD of `partitions` partitions (0: the default,
 * 16; a number computed as 0 asks for it too, in silence). The elements are copied, deep, at the
 * call: spark_parallelize(sc, SPARK_DATA(order, n, orders), 8). Partition i holds elements
 * i*n/partitions up to (i+1)*n/partitions. Spark: parallelize, which reads the collection when the
 * job runs and defaults to the number of cores. */
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
 * UTF-8 byte order mark at the start is dropped). Spark: textFile. For this and all that follow:
 *
 * Names. `path` may be a file, a directory, a FIFO, a glob (* ? [..] {a,b}) or several of these
 * with commas between; "file:" in front is dropped. A backslash takes a sign's meaning away:
 * spark_path_literal writes them. Where a glob ends, names that begin with _ or . are hidden.
 *
 * Directories. One that is given, or that a glob has led to, stands for the files in it; names in it
 * that begin with _ or . are hidden, and passed over, whatever they are. Any other directory in it is
 * SPARK_EIO that names it, also an empty one, for a result without it would look complete. Only
 * the readers of CSV and JSON go into those that are named key=value (_key=value too; spark/csv.h),
 * by the same rule, however deep: a directory in one of these that is named otherwise is SPARK_EIO as
 * well. The rule is one for all sources and for the files of other machines (spark/fs.h). Spark: the
 * same for textFile and objectFile; its other readers leave such directories, and files beside those
 * named key=value, out in silence, or read what is in them.
 *
 * When. Files are listed, and streams read, once: by the first action that needs the RDD, or by a
 * wide verb that asks how many partitions there are. What comes later is not seen by that RDD.
 * Content is read by tasks, again with every job unless the RDD is cached: a file must stay as it
 * was listed. One that became shorter is SPARK_EIO; what was appended is not read; what was
 * overwritten is read as it is then.
 *
 * What. Files are read in bytewise order of their paths (of each part between commas), split into
 * at least min_partitions (0: 2) pieces of at most 32 MiB. Files that do not say their size, as
 * those of /proc and /sys, are one piece, read to the end. A FIFO or a terminal is read to its end
 * into an unnamed file in spark_conf.local_dir, then split as any other; /dev/null is empty;
 * sockets and other devices are errors. Text in UTF-16 or UTF-32 is SPARK_EIO that says so. A file that
 * is missing or unreadable is SPARK_EIO from the action.
 *
 * Compressed files are known by their suffixes, as in Hadoop: .gz (.gzip), .bz2, .xz, .zst (.zstd), .lz4
 * (lz4's own frames, not Hadoop's blocks) and .deflate (a stream of zlib). Each is one partition, unpacked
 * while it is read by the system's gzip, bzip2, xz, zstd, lz4 or, for .deflate, python3 or pigz; where
 * that is not installed, the error names the package. Streams one behind the other are one text, and a
 * file without a byte is an empty one, as in Spark. A file that is cut off or damaged, or has bytes
 * behind its end, is SPARK_EIO in the words of that program, which comes when they are reached: rows
 * before it may have passed. A file without such a suffix that begins as
 * compressed ones do is SPARK_EIO that says so; so is a FIFO of any name, for it is not unpacked. */
spark_rdd *spark_text_file(
    spark_site at, spark_context *sc, const char *path, int min_partitions) SPARK_USE_RESULT_;

/* spark_text_files: the lines of n files, directories or FIFOs in the order given, named literally,
 * as in argv: no sign of a name means anything. n is 0: no partition, and paths may be
 * NULL. Spark: textFile with commas. */
spark_rdd *spark_text_files(spark_site at, spark_context *sc, size_t n, const char *const *paths,
    int min_partitions) SPARK_USE_RESULT_;

/* spark_path_literal: a path as the pattern that names just it. The caller's, to be freed with
 * free. NULL: no memory, or path is NULL. */
char *spark_path_literal(const char *path) SPARK_USE_RESULT_;

/* spark_text_fd: the lines of what is still to come from a descriptor: standard input (0), a pipe,
 * a socket, a file. The descriptor is duplicated at the call, so that the caller may close his. It
 * is read to its end when the RDD is first needed, by the thread that calls the action (which
 * cannot be cancelled meanwhile), into an unnamed file in spark_conf.local_dir, with little memory;
 * a regular file of which nothing was read yet is read in place. Of two RDDs of one pipe the second
 * finds it empty. When reading fails, what was read is lost, and every action has that error. Spark
 * has no such thing. */
spark_rdd *spark_text_fd(
    spark_site at, spark_context *sc, int fd, int min_partitions) SPARK_USE_RESULT_;

/* spark_text_commands: the lines that programs print on their standard output, one partition a program:
 * what zstdcat, pg_dump, duckdb or a script of yours makes of anything. Each is run by a task, without a
 * shell, and again when the task is tried again or another job reads the lines, so it must print the same
 * every time; it reads nothing on its standard input. One that cannot be run, or ends with another status
 * than 0, fails the task with the end of what it wrote to its standard error, which goes to ours as well;
 * lines before may have passed. It is killed when nobody wants its lines any more. Everything is copied at
 * the call. n is 0: no partition. Spark has no such thing; to rows of CSV: spark_read_csv_lines. */
typedef struct spark_command {
    const char *const *argv; /* the program, sought in PATH, and its arguments; ends with NULL */
    const char *const *env;  /* "NAME=VALUE" beside what is inherited, the last of a name counts; or NULL */
    const char *directory;   /* where it runs; NULL: in ours */
} spark_command;
spark_rdd *spark_text_commands(spark_site at, spark_context *sc, size_t n,
    const spark_command *commands) SPARK_USE_RESULT_;

/* spark_whole_text_files: pairs (path, content) of spark_str, one a file, each held in memory while
 * it passes; path as for spark_text_file, and as given, not absolute, in the pairs. As many
 * partitions as min_partitions (0: 2) says, but never more than files. Spark:
 * wholeTextFiles. spark_binary_files: the same with spark_bytes, of compressed files as they lie on the
 * disk. Spark: binaryFiles. spark_binary_records: files cut into spark_bytes of record_bytes each; a file
 * whose size is no multiple of that is SPARK_EIO, and so is a compressed one. Spark: binaryRecords. */
spark_rdd *spark_whole_text_files(
    spark_site at, spark_context *sc, const char *path, int min_partitions) SPARK_USE_RESULT_;
spark_rdd *spark_binary_files(
    spark_site at, spark_context *sc, const char *path, int min_partitions) SPARK_USE_RESULT_;
spark_rdd *spark_binary_records(
    spark_site at, spark_context *sc, const char *path, int64_t record_bytes) SPARK_USE_RESULT_;

/* spark_object_file: what spark_save_as_object_file wrote, a partition a file; path as for
 * spark_text_file. The type must have the shape of the one that was saved (SPARK_ETYPE from the
 * task); a damaged file is SPARK_EIO that names it and the byte, and so is a directory with fewer
 * files than were saved in it. Spark: objectFile. */
spark_rdd *spark_object_file(
    spark_site at, spark_context *sc, const char *path, const spark_type *type) SPARK_USE_RESULT_;

SPARK_END_DECLS

/* SPARK_PATHS_: C does not take a char ** for const char *const * by itself; C++ does. void *: NULL. */
#ifdef __cplusplus
#define SPARK_PATHS_(paths) (paths)
#else
#define SPARK_PATHS_(paths)                                                                        \
    _Generic((paths), char **                                                                      \
             : (const char *const *)(paths), const char **                                         \
             : (const char *const *)(paths), char *const *                                         \
             : (const char *const *)(paths), const char *const *                                   \
             : (const char *const *)(paths), void *                                                \
             : (const char *const *)(paths))
#endif

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
#define spark_text_files(sc, n, paths, min_partitions)                                             \
    spark_text_files(SPARK_HERE, sc, n, SPARK_PATHS_(paths), min_partitions)
#define spark_text_fd(...) spark_text_fd(SPARK_HERE, __VA_ARGS__)
#define spark_text_commands(...) spark_text_commands(SPARK_HERE, __VA_ARGS__)
#endif

#endif
