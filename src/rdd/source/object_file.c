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

static void object_file_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    spk_object_read(pipe, rdd->layout, SPK_NODE(spk_files_rdd, rdd)->files.at[partition].path);
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
