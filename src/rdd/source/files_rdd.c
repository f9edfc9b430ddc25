/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that read files find them when they are prepared, and keep what they have found: a file that
 * comes later is not seen any more by that RDD. Streams end up as unnamed files of the node. What a
 * descriptor gave before it failed is gone, so the failure stays. */
#include "rdd/source/files_rdd.h"

#include <stdlib.h>
#include <unistd.h>


void spk_files_rdd_check(spk_verb *v, const char *path, int partitions)
{
    if (!path || !*path)
        spk_verb_fail(v, SPARK_EINVAL, "the path is empty");
    if (partitions < 0)
        spk_verb_fail(v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", partitions);
}

spark_rdd *spk_files_rdd_make(spk_verb *v, const spk_class *class, size_t size,
    const spk_layout *layout, const char *path, int partitions, bool *made)
{
    spark_rdd *rdd = spk_verb_make(v, class, size, layout, made);
    if (!*made)
        return rdd;
    spk_files_rdd *f = SPK_NODE(spk_files_rdd, rdd);
    f->fd = -1;
    f->asked = partitions ? partitions : 2;
    if (path)
        rdd = spk_verb_path(v, rdd, &f->spec, path);
    *made = rdd->error == NULL;
    return rdd;
}

const char *spk_fd_name(int fd, char *text, size_t size)
{
    if (fd == 0)
        snprintf(text, size, "standard input");
    else
        snprintf(text, size, "file descriptor %d", fd);
    return text;
}

/* read_fd: takes the descriptor. */
static spark_status read_fd(spk_files_rdd *f, const char *directory, spk_failure *failure)
{
    char name[48];
    const int fd = f->fd;
    f->fd = -1;
    spark_status status = spk_files_of_fd(
        fd, spk_fd_name(f->given, name, sizeof name), &f->files, failure);
    if (status == SPARK_OK)
        status = spk_files_spool(&f->files, directory, failure);
    if (status != SPARK_OK)
        f->lost = *failure;
    return status;
}

const char *spk_writable_directory(const char *asked, char path[SPK_PATH])
{
    *path = '\0';
    for (unsigned i = 0; spk_local_directory(asked, i, path) && access(path, W_OK) != 0; i++)
        ;
    return path;
}

spark_status spk_files_rdd_list(spark_rdd *rdd, bool streams, spk_failure *failure)
{
    spk_files_rdd *f = SPK_NODE(spk_files_rdd, rdd);
    char path[SPK_PATH];
    const char *directory = streams ? spk_writable_directory(rdd->sc->local_dir, path) : NULL;
    spark_status status = SPARK_OK;
    if (f->lost.code != SPARK_OK) {
        *failure = f->lost;
        status = failure->code;
    } else if (f->fd >= 0) {
        status = read_fd(f, directory, failure);
    } else if (f->spec && !f->files.at) {
        status = spk_files_list(f->spec, rdd->sc->elsewhere, &f->files, failure);
        if (status == SPARK_OK)
            status = spk_files_spool(&f->files, directory, failure);
    }
    return status;
}

void spk_files_rdd_release(spark_rdd *rdd)
{
    spk_files_rdd *f = SPK_NODE(spk_files_rdd, rdd);
    spk_files_free(&f->files);
    if (f->fd >= 0)
        close(f->fd);
    free(f->spec);
}
