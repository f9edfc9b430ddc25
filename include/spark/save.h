/* SPDX-License-Identifier: Apache-2.0 */
/* Writing with a mode, a codec and directories for values: what all writers share.
 *
 *   const spark_save_options daily = {
 *       .mode = SPARK_SAVE_APPEND,
 *       .compression = "gzip",
 *       .partition_by = SPARK_COLUMNS("year", "month"),
 *   };
 *   status = spark_write_csv(sales, "sales", &(spark_csv_options) { .header = true, .save = daily });
 *
 * leaves sales/year=2024/month=5/part-00000-<uuid>.c000.csv.gz and its like, and sales/_SUCCESS. */
#ifndef SPARK_SAVE_H
#define SPARK_SAVE_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_save_mode: what is done where the directory exists. Spark: SaveMode.
 *
 * error: SPARK_EIO before any task runs.
 * append: files are added; they are numbered from where those that are there end, so that a reader
 *   gets rows in the order in which they were added. Without a directory: as error.
 * overwrite: the new directory is written beside the old one, and takes its place by one rename when it
 *   is complete: whoever looks sees all of the old data or all of the new; after a failure the old data
 *   is as it was. All that was in the old directory goes. It may be read by the job itself.
 * ignore: nothing is done, and no job run. An empty directory is none.
 *
 * While a save into a directory goes on, another one is refused, also of another process (SPARK_EIO).
 * One that was interrupted, as by a crash, is seen by its lock, which nobody holds: append and overwrite
 * take back what it had done, or, where it had begun to move finished files to their places, move the
 * rest; error and ignore change nothing and say so. */
typedef enum spark_save_mode {
    SPARK_SAVE_ERROR = 0,
    SPARK_SAVE_APPEND,
    SPARK_SAVE_OVERWRITE,
    SPARK_SAVE_IGNORE
} spark_save_mode;

/* spark_save_options: all zero is Spark's defaults. Texts need live only as long as the call. */
typedef struct spark_save_options {
    spark_save_mode mode;
    const char *compression; /* "none" (the default; also "uncompressed"), "gzip", "bzip2", "xz", "zstd",
        * "lz4", "deflate", in any case: by the program of that name (deflate: pigz, zlib-flate or
        * python3), which must be installed (SPARK_EIO names its package); files have .gz, .bz2, .xz,
        * .zst, .lz4, .deflate behind their names. Spark without Hadoop's native library reads gzip,
        * bzip2 and deflate */
    const char *const *partition_by; /* names of members, NULL at the end (SPARK_COLUMNS): a directory
        * name=value for each, which the rows in it lack; as Hive has them: control characters and
        * "#%'*\/:=?\\{[]^ are %XX, null and the empty text __HIVE_DEFAULT_PARTITION__. Not all members, and
        * none whose name begins with a point, which would hide the directory */
    int64_t max_records_per_file; /* more are several files of a partition, -c000 to -c999, and from there
        * -c999_0001000 (Spark: -c1000), so that names sort, and rows are read, in the order of the
        * rows; 0: any number */
    const char *encoding; /* of text: "UTF-8" (the default, bytes as they are), "ISO-8859-1",
        * "UTF-16" (big endian with a mark), "UTF-16BE", "UTF-16LE", "UTF-32" or "UTF-32BE",
        * "UTF-32LE"; a character that it has not is ?. That of CSV and JSON goes before it */
} spark_save_options;

/* SPARK_COLUMNS: a list of names for partition_by, in the block it stands in. */
#define SPARK_COLUMNS(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* spark_write_text: each element as a line, as spark_save_as_text_file, with options (NULL: the
 * defaults); with partition_by the one member that is left, which must be text or bytes. Files:
 * part-00000-<uuid>-c000.txt. Spark: DataFrameWriter.text, and saveAsTextFile with a codec. */
spark_status spark_write_text(spark_site at, spark_rdd *rdd, const char *path,
    const spark_save_options *options) SPARK_USE_RESULT_;

/* spark_write_object_file: as spark_save_as_object_file, with a mode. compression and partition_by are
 * SPARK_EINVAL. Spark: saveAsObjectFile, which knows no modes. */
spark_status spark_write_object_file(spark_site at, spark_rdd *rdd, const char *path,
    const spark_save_options *options) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_write_text(...) spark_write_text(SPARK_HERE, __VA_ARGS__)
#define spark_write_object_file(...) spark_write_object_file(SPARK_HERE, __VA_ARGS__)
#endif

#endif
