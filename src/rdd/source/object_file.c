/* SPDX-License-Identifier: Apache-2.0 */
/* Object files: elements of any type that were written as they lie in memory, a partition each file. */
#include <stdlib.h>

#include <spark/source.h>

#include "io/files.h"
#include "rdd/object_part.h"
#include "rdd/verb.h"

typedef struct object_rdd {
    spark_rdd rdd;
    char *path;
    spk_files files;
} object_rdd;

static spark_status object_file_prepare(spark_rdd *rdd, spk_failure *failure)
{
    object_rdd *o = SPK_NODE(object_rdd, rdd);
    const spark_status status = spk_files_list(o->path, &o->files, failure);
    if (status == SPARK_OK)
        __atomic_store_n(&rdd->partitions, (int)o->files.n, __ATOMIC_RELEASE);
    else
        spk_failure_at(failure, rdd->operation, rdd->site);
    return status;
}

static void object_file_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const object_rdd *o = SPK_NODE(object_rdd, rdd);
    spk_object_read(pipe, rdd->layout, o->files.at[partition].path);
}

static int64_t object_file_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spk_file *file = &SPK_NODE(object_rdd, rdd)->files.at[partition];
    *path = file->path;
    return (int64_t)file->size;
}

static void object_file_release(spark_rdd *rdd)
{
    object_rdd *o = SPK_NODE(object_rdd, rdd);
    spk_files_free(&o->files);
    free(o->path);
}

spark_rdd *spark_object_file(
    spark_site at, spark_context *sc, const char *path, const spark_type *type)
{
    static const spk_class class = { .name = "HadoopRDD",
        .prepare = object_file_prepare,
        .produce = object_file_produce,
        .reads = object_file_reads,
        .release = object_file_release };
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "objectFile", sc);
    if (!path || !*path)
        spk_verb_fail(&v, SPARK_EINVAL, "the path is empty");
    spark_rdd *rdd
        = spk_verb_make(&v, &class, sizeof(object_rdd), spk_verb_layout(&v, type), &made);
    return made ? spk_verb_path(&v, rdd, &SPK_NODE(object_rdd, rdd)->path, path) : rdd;
}
