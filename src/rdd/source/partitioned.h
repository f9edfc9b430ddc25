/* SPDX-License-Identifier: Apache-2.0 */
/* Files in directories that are named key=value, as spark_save_options.partition_by writes them: each key is
 * a column of all rows in them. */
#ifndef SPK_RDD_SOURCE_PARTITIONED_H
#define SPK_RDD_SOURCE_PARTITIONED_H

#include "format/csv.h"
#include "io/files.h"

typedef struct spk_partitioned {
    uint32_t n;        /* columns; 0: there are none */
    spark_str *names;  /* NUL behind each */
    spark_str *values; /* n for each file; ptr NULL: null */
    char *texts;
    spk_csv csv;       /* how values are read: by the defaults */
    spark_type rest, keys; /* of the rows: without the columns, and these alone, where they lie in the row */
    spark_field *fields;
} spk_partitioned;

/* spk_partitioned_expand: where *spec is one directory of this machine with such directories in it, *spec
 * becomes a list of all files in them, and *base (NULL before, or given) the directory. */
SPK_COLD spark_status spk_partitioned_expand(char **spec, char **base, spk_failure *failure);
/* spk_partitioned_find: the columns that are named between base (NULL: none are) and each of the files; all
 * must have the same. _free: also of a zeroed one. */
SPK_COLD spark_status spk_partitioned_find(
    spk_partitioned *p, const spk_files *files, const char *base, spk_failure *failure);
void spk_partitioned_free(spk_partitioned *p);

/* spk_partitioned_type: the type of a column, as Spark finds it: int32_t, int64_t, double, spark_date,
 * spark_time or spark_str. */
SPK_COLD const spark_type *spk_partitioned_type(
    const spk_partitioned *p, size_t n_files, uint32_t column);
/* spk_partitioned_split: sets rest and keys. Columns that are no members are left out. */
SPK_COLD spark_status spk_partitioned_split(
    spk_partitioned *p, const spark_type *type, spk_failure *failure);

/* spk_partitioned_fill: the columns of n rows of a file; of a plan that spk_partitioned_plan has made, which
 * is to be freed. */
SPK_COLD spark_status spk_partitioned_plan(const spk_partitioned *p, spk_csv_plan *plan,
    const spk_files *files, size_t file, char *row, spk_failure *failure);
void spk_partitioned_fill(const spk_csv_plan *plan, const char *row, char *rows, size_t n);

#endif
