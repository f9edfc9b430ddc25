/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that read files of records, split by split, into rows of a type: what those of CSV and of
 * JSON share. Malformed records go where a policy for them says; what the names of directories say
 * becomes columns. */
#ifndef SPK_RDD_SOURCE_SCAN_H
#define SPK_RDD_SOURCE_SCAN_H

#include "rdd/source/partitioned.h"

typedef struct spk_scan {
    spk_files_rdd head;
    spk_splits splits;
    char *base; /* directories below it that are named key=value are columns; NULL: none are */
    spk_partitioned keys;
} spk_scan;

/* spk_scan_split: of prepare, once the files are known: a partition for each split, or for each
 * whole file. spk_scan_reads, _places, _release: of spk_class. */
SPK_COLD spark_status spk_scan_split(spark_rdd *rdd, bool whole, spk_failure *failure);
int64_t spk_scan_reads(const spark_rdd *rdd, int partition, const char **path);
SPK_COLD void spk_scan_places(spk_heap *heap, const spark_rdd *rdd, int partition, size_t n,
    const int64_t *offsets, int64_t *lines, const char **path);
SPK_COLD void spk_scan_release(spark_rdd *rdd);

static inline const spk_split *spk_scan_at(const spark_rdd *rdd, int partition)
{
    return &SPK_NODE(spk_scan, rdd)->splits.at[partition];
}

/* spk_scan_format: a reader of records, as spk_csv_next and spk_csv_put_aside have it. byte: where
 * in the file the row of the last call begins, which asked for one. */
typedef struct spk_scan_format {
    size_t (*next)(void *reader, char *rows, size_t max, spk_failure *failure);
    uint64_t (*byte)(const void *reader);
    void (*put_aside)(void *reader, const spk_csv_aside *aside);
} spk_scan_format;

/* spk_scan_reader: one that is open. */
typedef struct spk_scan_reader {
    const spk_scan_format *format;
    void *of;
    const spk_file *file;
    size_t size; /* of a row */
} spk_scan_reader;

/* spk_scan_push: all rows there are, without a policy, and without columns of directories.
 * spk_scan_read: with both, where rdd, which begins with spk_scan, has them. *failure (whose code
 * is SPARK_OK before) is filled where reading has failed; the task may have failed instead. */
void spk_scan_push(spk_pipe *pipe, const spk_scan_reader *reader, spk_failure *failure);
void spk_scan_read(spk_pipe *pipe, const spark_rdd *rdd, int partition,
    const spk_scan_reader *reader, spk_failure *failure);

/* spk_scan_samples: whether a record is in a share of them, by its partition and index alone. */
bool spk_scan_samples(double share, int partition, uint64_t index);

#endif
