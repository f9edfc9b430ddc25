/* SPDX-License-Identifier: Apache-2.0 */
/* Files in directories that are named key=value, as spark_save_options.partition_by writes them: each key is
 * a column of all rows in them. */
#ifndef SPK_RDD_SOURCE_PARTITIONED_H
#define SPK_RDD_SOURCE_PARTITIONED_H

#include "format/csv.h"
#include "io/charset.h"
#include "rdd/source/files_rdd.h"

typedef struct spk_partitioned {
    uint32_t n;        /* columns; 0: there are none */
    spark_str *names;  /* NUL behind each */
    spark_str *values; /* n for each file; ptr NULL: null */
    char *texts;
    spk_csv csv;       /* how values are read: by the defaults */
    spark_type rest, keys; /* of the rows: without the columns, and these alone, where they lie in the row */
    spark_field *fields;
} spk_partitioned;

/* spk_partitioned_base: what the option base_path says, in *base; NULL: it says nothing. */
SPK_COLD spark_status spk_partitioned_base(const char *option, char **base, spk_failure *failure);

/* spk_partitioned_list: the files that a path names, read to their ends where they are streams, and as UTF-8
 * where they are in another encoding. Where it is one
 * directory with such directories in it, all files in them; *base (NULL before, or given) is the
 * directory then. */
SPK_COLD spark_status spk_partitioned_list(
    spark_context *sc, const char *path, spk_charset charset, char **base, spk_files *files,
    spk_failure *failure);
/* spk_partitioned_find: the columns that are named between base (NULL: none are) and each of the files; all
 * must have the same. _free: also of a zeroed one. */
SPK_COLD spark_status spk_partitioned_find(
    spk_partitioned *p, const spk_files *files, const char *base, spk_failure *failure);
void spk_partitioned_free(spk_partitioned *p);
/* spk_partitioned_prepare: both of a node, once, and sets rest and keys for its type. Columns that are no
 * members are left out. */
SPK_COLD spark_status spk_partitioned_prepare(
    spk_partitioned *p, spk_files_rdd *of, spk_charset charset, char **base, spk_failure *failure);

/* spk_partitioned_with: the struct with the columns behind its own, of the types that Spark finds: int32_t,
 * int64_t, double, spark_date, spark_time or spark_str. NULL: *failure is filled. */
SPK_COLD const spark_type *spk_partitioned_with(spark_context *sc, const spark_type *type,
    const spk_files *files, const char *base, spk_failure *failure);

/* spk_partitioned_row: a row of the task with the columns of a file, and the plan, to be freed, by which
 * spk_partitioned_fill copies them into others. NULL: *failure is filled. */
SPK_COLD char *spk_partitioned_row(spark_task *task, const spk_partitioned *p, spk_csv_plan *plan,
    const spk_files *files, const spk_file *file, size_t size, spk_failure *failure);
void spk_partitioned_fill(const spk_csv_plan *plan, const char *row, char *rows, size_t n);

#endif
