/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever writes into a directory has a _temporary in it, which comes into being by a rename, with a
 * lock in it that is held: so there is one at most, and one whose lock is free belongs to a process
 * that has ended. A file in it, the mark, says how far that has come:
 *
 *   _save-ID     nothing was moved yet, or what was is to be taken back
 *   _commit-ID   all files are on disk; they are moved, and whoever finds this later moves the rest
 *   _done-ID     all files are at their places */
#ifndef SPK_IO_SAVE_MARK_H
#define SPK_IO_SAVE_MARK_H

#include "io/tree.h"

enum { SPK_SAVE_ID = 37 };

typedef enum spk_save_stage { SPK_SAVE_OPEN, SPK_SAVE_MOVES, SPK_SAVE_DONE } spk_save_stage;

/* spk_save_inside: a name in the _temporary of a directory. spk_save_exists: what cannot be looked at is
 * taken for there. */
SPK_COLD spk_tree_path spk_save_inside(const char *directory, const char *name);
SPK_COLD bool spk_save_exists(const char *path);

/* All but the void ones return 0, or an errno.
 *
 * spk_save_enter: a _temporary with a lock that is held, of a save of that id; EEXIST: there is one already.
 * Where the file system knows no locks, it has none. spk_save_take_over: the _temporary of a process that
 * has ended; EWOULDBLOCK: it lives; ENOENT: there is no lock. spk_save_leave: nobody writes there any more;
 * best effort: what stays is seen to be of the past. */
SPK_COLD int spk_save_enter(const char *directory, const char *id, int *lock);
SPK_COLD int spk_save_take_over(const char *directory, int *lock);
SPK_COLD void spk_save_leave(const char *directory, const char *id, int *lock);

/* spk_save_mark: how far it has come. spk_save_finish: from SPK_SAVE_MOVES on: files to their places, the
 * marker of success. spk_save_take_back: what has been moved. spk_save_recover: either, for a save of a process that
 * has ended and whose lock we hold; ENOENT: it has no mark, so that nobody knows which files are its own.
 * spk_save_sweep: what saves have left that ended while they began, or were over; under the lock of the
 * directory: who is just beginning finds its place gone, and begins again. */
SPK_COLD int spk_save_mark(
    const char *directory, const char *id, spk_save_stage from, spk_save_stage to);
SPK_COLD int spk_save_finish(const char *directory, bool deep);
SPK_COLD int spk_save_take_back(const char *directory, const char *id);
SPK_COLD int spk_save_recover(const char *directory);
SPK_COLD void spk_save_sweep(const char *directory, const char *own);

#endif
