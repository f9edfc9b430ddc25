/* SPDX-License-Identifier: Apache-2.0 */
/* What a program prints, read in order: while it runs, and to its end, which must be a good one. */
#ifndef SPK_IO_PROGRAM_H
#define SPK_IO_PROGRAM_H

#include "io/child.h"
#include "io/files.h"

enum { SPK_SAID = 400 };

typedef struct spk_program {
    spk_child child;
    const spk_watch *watch; /* may be NULL */
    bool keep_first;
    bool loud;              /* what it says on its stderr goes to ours as well */
    bool roomy;             /* its pipe holds what it prints in a moment */
    size_t printed;         /* bytes that were read; since: since it was waited for */
    size_t since;
    bool ended;
    int status;             /* then, as spk_child_ended tells it */
    size_t n_said;
    char said[SPK_SAID]; /* the last of it; keep_first: the first */
} spk_program;

/* spk_program_start: how->listen is set. An errno, as spk_child_spawn; the rest of *program is filled by
 * the caller before. */
int spk_program_start(spk_program *program, const spk_child_how *how);
/* spk_program_read: n bytes, or what there is before it ends: *got < n: program->ended. False: *failure is
 * filled: it cannot be read, or nobody waits for it any more. */
bool spk_program_read(
    spk_program *program, char *to, size_t n, size_t *got, const char *name, spk_failure *failure);
/* spk_program_end: how it has ended, in words, with what it said (keep_first: its first line):
 * "gzip -dc ended with status 1: ...". */
SPK_COLD void spk_program_end(
    const spk_program *program, const char *command, char *text, size_t size);
/* spk_program_stop: it is killed where it has not ended. */
void spk_program_stop(spk_program *program);

#endif
