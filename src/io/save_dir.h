/* SPDX-License-Identifier: Apache-2.0 */
/* Output directories that may be there already (spark/save.h). Tasks write in directories of their own
 * below _temporary; the commit of a task renames its directory, that of the job moves all files.
 *
 * work: the directory that is written: the one that was asked for, or, where that is to be replaced,
 * one beside it; id: part of the name of each file, so that a save can be taken back; mark: a file in
 * _temporary whose name says how far the save has come. */
#ifndef SPK_IO_SAVE_DIR_H
#define SPK_IO_SAVE_DIR_H

#include <spark/save.h>

#include "base/error.h"
#include "io/save_mark.h"

typedef struct spk_save_dir {
    char *path, *work;
    char id[SPK_SAVE_ID];
    bool fresh; /* the save has made the directory */
    bool moves; /* files are being moved to their places */
    bool deep;  /* files may stand in directories: all is synced at once */
    int lock, work_lock; /* descriptors; -1: none */
    int first;           /* the number of the first part */
} spk_save_dir;

/* spk_save_begin: *skip: there is nothing to be done, and nothing to be ended. */
SPK_COLD spark_status spk_save_begin(spk_save_dir *dir, const char *path, spark_save_mode mode,
    bool deep, bool *skip, spk_failure *failure);
/* spk_save_commit: on failure it aborts. spk_save_abort: takes back all that was done. Best effort. Both
 * end the save. */
SPK_COLD spark_status spk_save_commit(spk_save_dir *dir, spk_failure *failure);
SPK_COLD void spk_save_abort(spk_save_dir *dir);

/* spk_save_attempt: the directory of an attempt; _begin makes it, _commit makes it the task's, _abort
 * removes it. */
SPK_COLD spk_tree_path spk_save_attempt(const spk_save_dir *dir, int partition, int attempt);
SPK_COLD spark_status spk_save_attempt_begin(
    const spk_save_dir *dir, int partition, int attempt, spk_failure *failure);
SPK_COLD spark_status spk_save_attempt_commit(
    const spk_save_dir *dir, int partition, int attempt, spk_failure *failure);
SPK_COLD void spk_save_attempt_abort(const spk_save_dir *dir, int partition, int attempt);

#endif
