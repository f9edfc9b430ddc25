/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of a save that goes on, a file in the _temporary of its output directory: whoever finds
 * that directory can tell a save that another process writes from one that was interrupted. */
#ifndef SPK_IO_SAVE_LOCK_H
#define SPK_IO_SAVE_LOCK_H

/* spk_save_lock_take: *lock is a descriptor, or -1 where the file system knows no locks; closing it
 * lets go. spk_save_lock_remove: its file, if there is one. Both 0, or an errno. */
int spk_save_lock_take(const char *directory, int *lock);
int spk_save_lock_remove(const char *directory);

/* spk_save_lock_tell: what is to be said of an output directory that is there already, behind its
 * name: "already exists: ...". */
const char *spk_save_lock_tell(const char *directory);

#endif
