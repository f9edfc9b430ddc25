/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: written to and read from by one thread, without a deadlock: what goes is written,
 * what is there is read. */
#ifndef SPK_IO_CHILD_H
#define SPK_IO_CHILD_H

#include <sys/types.h>

#include "base/error.h"

typedef struct spk_child {
    pid_t pid;        /* 0: none */
    int in, out, err; /* our ends of its stdin, stdout and stderr; -1: closed, or none */
    char *directory;  /* its own, or NULL */
    void (*leave)(struct spk_child *child); /* takes that away; or NULL */
} spk_child;

typedef struct spk_child_how {
    char *const *argv;
    char *const *env;      /* all of it; NULL: as ours */
    const char *directory; /* where it runs; NULL: here */
    int in, out;           /* descriptors that are its stdin and stdout; 0: a pipe each */
    bool listen;           /* its stderr is a pipe as well */
} spk_child_how;

/* spk_child_spawn: 0, or an errno: ENOENT where there is no such program. */
int spk_child_spawn(spk_child *child, const spk_child_how *how);
/* spk_child_environment: what is inherited and env, a list of "NAME=VALUE" or NULL; of several definitions
 * of a name the last. To be freed, but not what is in it. NULL: no memory. */
SPK_COLD char **spk_child_environment(char *const env[]);
/* spk_child_start: with pipes; env: to be added; separate: in a directory of its own below ./tasks. */
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
void spk_child_close_out(spk_child *child);

/* spk_child_ended: whether it has, now or (wait) at last; *status as the shell tells it (128 + signal),
 * -1 where that is not known. spk_child_kill: at once. Either way its directory goes, and in and out are closed;
 * err is the caller's. */
bool spk_child_ended(spk_child *child, bool wait, int *status);
void spk_child_kill(spk_child *child);

#endif
