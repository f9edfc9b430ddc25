/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a directory of this machine, sent to another one. */
#ifndef SPK_REMOTE_SEND_H
#define SPK_REMOTE_SEND_H

#include "remote/fs.h"

/* SPK_SEND_NEW: nothing was there before; BESIDE what is there; INSTEAD of it. */
typedef enum spk_send_mode { SPK_SEND_NEW = 0, SPK_SEND_BESIDE, SPK_SEND_INSTEAD } spk_send_mode;

/* spk_send_directory: all that is in the directory `local`, but what begins with . or _, to the directory `path`; nothing of it is
 * seen there until all of it is there, and _SUCCESS comes last. On failure nothing is left, as far as the other
 * side can be reached. SPK_SEND_INSTEAD: what else is there goes once all is seen. */
bool spk_send_directory(
    const spark_fs *fs, void *env, const char *local, const char *path, spk_send_mode mode,
    spark_fs_call *call);

#endif
