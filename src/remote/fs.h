/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of other machines.
 *
 * call: one call of a file system, and what went wrong; entry: a file system under a scheme. */
#ifndef SPK_REMOTE_FS_H
#define SPK_REMOTE_FS_H

#include <spark/fs.h>

#include "base/error.h"
#include "io/files.h"

typedef struct spk_found spk_found;

struct spark_fs_call {
    spk_failure *failure;
    bool missing; /* there is no such file */
    bool again;   /* it may go well next time */
    char version[512]; /* room for that of stat */
    spk_found *found; /* of list */
};

/* spk_fs_nomem: the call fails for want of memory. spk_fs_pause: waits; false: nobody wants the call any
 * more. */
bool spk_fs_nomem(spark_fs_call *call);
bool spk_fs_pause(spark_fs_call *call, int ms);

#endif
