/* SPDX-License-Identifier: Apache-2.0 */
/* Object files: elements of any type that were written as they lie in memory, a partition each file. */
#include <spark/source.h>

#include "rdd/object_part.h"
#include "rdd/source/files_rdd.h"

static spark_status object_file_prepare(spark_rdd *rdd, spk_failure *failure)
{
    const spark_status status = spk_files_rdd_list(rdd, false, failure);
    if (status == SPARK_OK)
        spk_rdd_partitions_set(rdd, (int)SPK_NODE(spk_files_rdd, rdd)->files.n);
    return status;
}

/* directory_of: the length of the part of a path before its last name. */
static size_t directory_of(const spk_file *file)
{
    const char *slash = strrchr(file->path, '/');
    return slash ? (size_t)(slash - file->path) : 0;
}

static bool side_by_side(const spk_file *a, const spk_file *b)
{
    const size_t n = directory_of(a);
    return b->of_directory && n == directory_of(b) && memcmp(a->path, b->path, n) == 0;
}

/* missing: whether a directory that was named has fewer files than were saved in it; told by its first
 * one, so that they are counted once. */
static bool missing(const spk_files *files, size_t first, uint32_t parts)
{
    const spk_file *at = &files->at[first];
    size_t n = 1;
    if (!at->of_directory || (first > 0 && side_by_side(at, at - 1)))
        return false;
    while (first + n < files->n && side_by_side(at, at + n))
        n++;
    return n < parts;
}

static void object_file_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const spk_files *files = &SPK_NODE(spk_files_rdd, rdd)->files;
    const spk_file *file = &files->at[partition];
    uint32_t parts = 0;
    if (spk_object_read(pipe, rdd->layout, file, &parts)
        && missing(files, (size_t)partition, parts))
        spk_task_fail(pipe->task, SPARK_EIO,
            "object files %.*s: files are missing; %s is one of %u that were saved there",
            (int)directory_of(file), file->path, file->path, parts);
}

static int64_t object_file_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spk_file *file = &SPK_NODE(spk_files_rdd, rdd)->files.at[partition];
    *path = file->path;
    return (int64_t)file->size;
}

spark_rdd *spark_object_file(
    spark_site at, spark_context *sc, const char *path, const spark_type *type)
{
    static const spk_class class = { .name = "HadoopRDD",
        .prepare = object_file_prepare,
        .produce = object_file_produce,
        .reads = object_file_reads,
        .release = spk_files_rdd_release };
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "objectFile", sc);
    spk_files_rdd_check(&v, path, 0);
    return spk_files_rdd_make(
        &v, &class, sizeof(spk_files_rdd), spk_verb_layout(&v, type), path, 0, &made);
}
