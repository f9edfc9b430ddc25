/* SPDX-License-Identifier: Apache-2.0 */
/* Where files are split, by the arithmetic of Hadoop's FileInputFormat. */
#include <stdlib.h>

#include "io/files.h"

static const uint64_t LARGEST_SPLIT = 32u * 1024 * 1024;
static const double SPLIT_SLOP = 1.1; /* a rest of up to this many splits is not split again */

static uint64_t split_size(const spk_files *files, int min_splits)
{
    uint64_t total = 0;
    for (size_t i = 0; i < files->n; i++)
        total += files->at[i].size == SPK_TO_END ? 0 : files->at[i].size;
    const uint64_t goal = total / (uint64_t)(min_splits < 1 ? 1 : min_splits);
    return goal > LARGEST_SPLIT ? LARGEST_SPLIT : goal < 1 ? 1 : goal;
}

/* split_file: the splits of one file, written to `to` unless it is NULL; returns how many. */
static size_t split_file(const spk_file *file, uint64_t size, spk_split *to)
{
    size_t n = 0;
    if (file->size == SPK_TO_END) {
        if (to != NULL)
            *to = (spk_split) { file, 0, SPK_TO_END, NULL };
        return 1;
    }
    for (uint64_t start = 0; start < file->size; n++) {
        const uint64_t left = file->size - start;
        const uint64_t end = (double)left / (double)size > SPLIT_SLOP ? start + size : file->size;
        if (to != NULL)
            to[n] = (spk_split) { file, start, end, NULL };
        start = end;
    }
    return n;
}

spark_status spk_splits_make(
    const spk_files *files, int min_splits, spk_splits *splits, spk_failure *failure)
{
    const uint64_t size = split_size(files, min_splits);
    size_t n = 0;
    for (size_t i = 0; i < files->n; i++)
        n += split_file(&files->at[i], size, NULL);
    *splits = (spk_splits) { NULL, 0 };
    if (n == 0)
        return SPARK_OK;
    splits->at = n <= SIZE_MAX / sizeof *splits->at ? malloc(n * sizeof *splits->at) : NULL;
    if (splits->at == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    for (size_t i = 0; i < files->n; i++)
        splits->n += split_file(&files->at[i], size, splits->at + splits->n);
    return SPARK_OK;
}

void spk_splits_free(spk_splits *splits)
{
    free(splits->at);
    *splits = (spk_splits) { NULL, 0 };
}
