/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of other machines.
 *
 * call: one call of a file system, and what went wrong; entry: a file system under a scheme. */
#ifndef SPK_REMOTE_FS_H
#define SPK_REMOTE_FS_H

#include <spark/fs.h>

#include "base/error.h"
#include "io/files.h"

/* item: what a directory has told of an entry; its name, and behind it its version. */
typedef struct spk_item {
    struct spk_item *next;
    spark_fs_info info;
    char text[];
} spk_item;

typedef struct spk_found {
    spk_item *first, **last;
} spk_found;

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

/* spk_fs_list: the entries of a directory; one that is not there has none. spk_fs_forget: gives them
 * back. */
bool spk_fs_list(
    const spark_fs *fs, void *env, const char *path, spk_found *found, spark_fs_call *call);
void spk_fs_forget(spk_found *found);

#endif
