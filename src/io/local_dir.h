/* SPDX-License-Identifier: Apache-2.0 */
/* Local directories: files of a context that nobody needs once its process is gone. */
#ifndef SPK_IO_LOCAL_DIR_H
#define SPK_IO_LOCAL_DIR_H

#include "base/error.h"

/* spk_local_dir_make: a new directory in `parent`, which must be there; before that, those of
 * processes that were killed are removed from there, never those of live ones. *lock is held as long as
 * the process lives. */
spark_status spk_local_dir_make(const char *parent, char **path, int *lock, spk_failure *failure);
/* spk_local_dir_end: removes it where it is empty. path NULL: there is none. */
void spk_local_dir_end(char *path, int lock);

#endif
