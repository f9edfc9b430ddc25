/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: written to and read from by one thread, without a deadlock: what goes is written,
 * what is there is read. */
#ifndef SPK_IO_CHILD_H
#define SPK_IO_CHILD_H

#include <sys/types.h>

#include "base/error.h"

typedef struct spk_child {
    pid_t pid;       /* 0: none */
    int in, out;     /* its stdin and stdout; -1: closed */
    char *directory; /* its own, or NULL */
} spk_child;

/* spk_child_start: env: NULL or a list of "NAME=VALUE" to be added; separate: in a directory of its
 * own below ./tasks. */
spark_status spk_child_start(
    spk_child *child, char *const argv[], char *const env[], bool separate, spk_failure *failure);

/* spk_child_wait_io: until something that is wanted can be read or written, at most 50 ms.
 * Sets what is possible; false: *failure is filled. */
bool spk_child_wait_io(const spk_child *child, bool read, bool write, bool *readable,
    bool *writable, spk_failure *failure);
/* spk_child_write: as much as goes now; *gone: it reads no more. spk_child_read: SIZE_MAX: nothing
 * now; 0: the end. Both: false: *failure is filled. */
bool spk_child_write(spk_child *child, const char *data, size_t n, size_t *written, bool *gone,
    spk_failure *failure);
bool spk_child_read(spk_child *child, char *to, size_t room, size_t *n, spk_failure *failure);
void spk_child_close_in(spk_child *child);

/* spk_child_ended: whether it has, now or (wait) at last; *status as the shell tells it (128 + signal),
 * -1 where that is not known. spk_child_kill: at once. Either way its directory goes. */
bool spk_child_ended(spk_child *child, bool wait, int *status);
void spk_child_kill(spk_child *child);

#endif
