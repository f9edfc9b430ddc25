/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: a marked RDD is written before the first action that needs it, so that it is computed
 * once, and not by the action again. What reads it takes the place of its edges at once for whoever
 * walks up from then on; the old edges go when no job can be walking along them any more. */
#include <stdlib.h>

#include "base/faults.h"
#include "io/local_dir.h"
#include "rdd/action.h"
#include "rdd/object_part.h"
#include "rdd/replace.h"
#include "scheduler/lineage.h"
#include "storage/spill.h"

typedef struct checkpoint_rdd {
    spark_rdd rdd;
    char *path;
    bool local;
} checkpoint_rdd;

static spark_status write_all(
    spark_rdd *rdd, const char *action, spark_site at, spk_failure *failure);

/* ---- marking */

static spark_rdd *mark(spark_site at, spark_rdd *rdd, const char *name, spk_checkpoint wanted)
{
    spark_rdd *bad = spk_rdd_broken(rdd, name, at);
    if (bad)
        return bad;
    pthread_mutex_lock(&rdd->sc->plan_lock);
    int none = SPK_NO_CHECKPOINT, reliable = SPK_MARKED;
    const bool first = atomic_compare_exchange_strong(&rdd->checkpoint, &none, (int)wanted);
    if (first) {
        if (!rdd->sc->write_marked)
            rdd->sc->write_marked = write_all;
        atomic_fetch_add(&rdd->sc->marked, 1);
    }
    if (first
        || (wanted == SPK_MARKED_LOCALLY
            && atomic_compare_exchange_strong(&rdd->checkpoint, &reliable, (int)wanted)))
        rdd->checkpoint_at = at;
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    return rdd;
}

spark_rdd *spark_checkpoint(spark_site at, spark_rdd *rdd)
{
    return mark(at, rdd, "checkpoint", SPK_MARKED);
}

spark_rdd *spark_local_checkpoint(spark_site at, spark_rdd *rdd)
{
    return mark(at, rdd, "localCheckpoint", SPK_MARKED_LOCALLY);
}

static void checkpoint_release(spark_rdd *rdd);

/* reader_of: what reads the checkpoint of an RDD; NULL: it has none. */
static const checkpoint_rdd *reader_of(const spark_rdd *rdd)
{
    const spark_rdd *stored = rdd ? spk_rdd_stored(rdd) : NULL;
    return stored && stored->class->release == checkpoint_release ? SPK_NODE(checkpoint_rdd, stored) : NULL;
}

bool spark_rdd_is_checkpointed(const spark_rdd *rdd)
{
    return reader_of(rdd) != NULL;
}

const char *spark_rdd_checkpoint_file(const spark_rdd *rdd)
{
    const checkpoint_rdd *c = reader_of(rdd);
    return c && !c->local ? c->path : NULL;
}

/* ---- directories */

spark_status spark_set_checkpoint_dir(spark_site at, spark_context *sc, const char *directory)
{
    static const char *const name = "setCheckpointDir";
    spk_failure failure;
    char *path = NULL;
    if (!sc || sc->error)
        return sc ? spk_raise(sc->error) : spk_raisef(SPARK_EINVAL, name, at, "no context");
    if (!directory || !*directory)
        return spk_raisef(SPARK_EINVAL, name, at, "%s at %s: the path is empty", name, at);
    SPK_AT(sc->place);
    if (spk_own_directory(directory, "libspark-", &path, &failure) != SPARK_OK) {
        spk_failure_at(&failure, name, at);
        return spk_raise(&failure);
    }
    pthread_mutex_lock(&sc->plan_lock);
    char *old = sc->checkpoint_dir;
    sc->checkpoint_dir = path;
    pthread_mutex_unlock(&sc->plan_lock);
    spk_own_directory_end(old);
    return SPARK_OK;
}

const char *spark_checkpoint_dir(spark_context *sc)
{
    if (!sc || sc->error)
        return NULL;
    pthread_mutex_lock(&sc->plan_lock);
    const char *path = sc->checkpoint_dir;
    pthread_mutex_unlock(&sc->plan_lock);
    return path;
}

/* path_for: where the checkpoint of an RDD goes; NULL: *failure is filled. */
static char *path_for(const spark_rdd *rdd, bool local, spk_failure *failure)
{
    spark_context *sc = rdd->sc;
    char *path = NULL;
    spark_status status = SPARK_OK;
    pthread_mutex_lock(&sc->plan_lock);
    char parent[SPK_PATH];
    for (unsigned i = 0; local && !sc->local_checkpoints
         && spk_local_directory(sc->local_dir, i, parent);
         i++)
        status = spk_local_dir_make(parent, &sc->local_checkpoints, &sc->local_lock, failure);
    const char *directory = local ? sc->local_checkpoints : sc->checkpoint_dir;
    if (status == SPARK_OK && !directory) {
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "Checkpoint directory has not been set in the SparkContext; spark_set_checkpoint_dir "
            "does that");
    } else if (status == SPARK_OK) {
        const size_t size = strlen(directory) + 32;
        path = malloc(size);
        if (path)
            snprintf(path, size, "%s/rdd-%d", directory, rdd->id);
        else
            spk_failure_nomem(failure, NULL, NULL);
    }
    pthread_mutex_unlock(&sc->plan_lock);
    return path;
}

/* ---- reading */

static void checkpoint_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const checkpoint_rdd *c = SPK_NODE(checkpoint_rdd, rdd);
    const size_t size = strlen(c->path) + 32;
    spark_task *task = pipe->task;
    char *path = spk_arena_alloc(spk_keep_of(task), size, 1);
    if (!path) {
        spk_task_nomem(task);
        return;
    }
    snprintf(path, size, "%s/part-%05d", c->path, partition);
    const spk_file file = { .path = path, .size = SPK_TO_END - 1, .fd = -1 };
    if (spk_object_read(pipe, rdd->layout, &file, NULL) || task->failure.code != SPARK_EIO)
        return;
    spk_failure_append(&task->failure,
        c->local ? ": a part of a local checkpoint is lost, and what it was computed from is "
                   "forgotten; spark_checkpoint writes to a directory of your choice"
                 : ": a part of a checkpoint is lost, and what it was computed from is forgotten");
}

static void checkpoint_release(spark_rdd *rdd)
{
    checkpoint_rdd *c = SPK_NODE(checkpoint_rdd, rdd);
    if (c->path && c->local)
        spk_output_remove(c->path);
    free(c->path);
}

/* new_reader: the RDD that reads what is written to `path`, which it takes; it is in no scope. NULL:
 * no memory. */
static spark_rdd *new_reader(
    spark_rdd *rdd, char *path, bool local, const char *action, spark_site at)
{
    static const spk_class reliable = { .name = "ReliableCheckpointRDD",
        .produce = checkpoint_produce,
        .release = checkpoint_release };
    static const spk_class scratch = {
        .name = "LocalCheckpointRDD", .produce = checkpoint_produce, .release = checkpoint_release
    };
    spark_rdd *reader = spk_rdd_reader_of(rdd, local ? &scratch : &reliable, sizeof(checkpoint_rdd), action, at);
    if (!reader) {
        free(path);
        return NULL;
    }
    checkpoint_rdd *c = SPK_NODE(checkpoint_rdd, reader);
    c->path = path;
    c->local = local;
    reader->planned = spk_rdd_partitions(rdd);
    spk_rdd_partitions_set(reader, reader->planned);
    return reader;
}

/* ---- writing */

/* write: an RDD that was marked; takes the reference. */
static spark_status write(
    spark_rdd *rdd, bool local, const char *action, spark_site at, spk_failure *failure)
{
    const char *name = local ? "localCheckpoint" : "checkpoint";
    const spk_saver saver = spk_object_saver(name);
    SPK_AT(rdd->sc->place);
    pthread_mutex_lock(&rdd->sc->plan_lock);
    const spark_site marked_at = rdd->checkpoint_at;
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    spk_cut *cut = malloc(sizeof *cut);
    spark_rdd *reader = NULL;
    spark_status status = spk_rdd_prepare(rdd, failure);
    char *path = status == SPARK_OK ? path_for(rdd, local, failure) : NULL;
    if (status == SPARK_OK && !path) {
        spk_failure_at(failure, name, marked_at);
        status = failure->code;
    } else if (path) {
        reader = new_reader(rdd, path, local, action, at);
        status = cut && reader ? spk_save_run(marked_at, rdd, path, local, &saver, failure)
                               : spk_failure_nomem(failure, name, marked_at);
    }
    if (status == SPARK_OK) {
        (void)spk_rdd_replace(rdd, SPK_WRITING, cut, reader);
        atomic_fetch_sub(&rdd->sc->marked, 1);
        return SPARK_OK;
    }
    free(cut);
    spk_rdd_unref(reader);
    atomic_store(&rdd->checkpoint, local ? SPK_MARKED_LOCALLY : SPK_MARKED);
    spk_rdd_unref(rdd);
    return status;
}

/* write_all: the checkpoints that wait above rdd. Another thread that is writing one is not waited
 * for: this one computes what it needs. */
static spark_status write_all(
    spark_rdd *rdd, const char *action, spark_site at, spk_failure *failure)
{
    spark_rdd *next;
    for (;;) {
        if (!spk_find_marked(rdd, &next))
            return spk_failure_nomem(failure, action, at);
        if (!next)
            return SPARK_OK;
        int state = atomic_load(&next->checkpoint);
        if ((state == SPK_MARKED || state == SPK_MARKED_LOCALLY)
            && atomic_compare_exchange_strong(&next->checkpoint, &state, SPK_WRITING)) {
            const spark_status status
                = write(next, state == SPK_MARKED_LOCALLY, action, at, failure);
            if (status != SPARK_OK)
                return status;
        } else {
            spk_rdd_unref(next);
        }
    }
}
