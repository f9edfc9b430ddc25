/* SPDX-License-Identifier: Apache-2.0 */
/* Both pipes are emptied as they fill, so that a program that complains much does not wait for ever for
 * somebody to listen. An end of its output is no end yet: it may fail behind it.
 *
 * Whoever sleeps until there is something to read is woken by the write that brings it, which a program that
 * prints much pays for each time: several microseconds of 100 that gzip takes for 32 KiB. So it is looked at
 * again after a while instead, in which it fills a part of its pipe. */
#include "io/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"

/* MUCH: what has printed that much is no short text, for which a while would be long; MORE: and goes on to. */
enum { PIPE = 1024 * 1024, LOOK_AGAIN_MS = 50, WHILE_NS = 300000, MUCH = 256 * 1024, MORE = 16 * 1024 };

int spk_program_start(spk_program *program, const spk_child_how *how)
{
    const int error = spk_child_spawn(&program->child, how);
    if (!error) /* so that it gets ahead; a limit of the user is no failure */
        program->roomy = fcntl(program->child.out, F_SETPIPE_SZ, PIPE) >= PIPE;
    return error;
}

/* keep_said: the last bytes, or the first. */
static void keep_said(spk_program *program, const char *text, size_t n)
{
    if (program->keep_first && n > SPK_SAID - program->n_said)
        n = SPK_SAID - program->n_said;
    const size_t skip = n > SPK_SAID ? n - SPK_SAID : 0, more = n - skip;
    const size_t kept = program->n_said + more > SPK_SAID ? SPK_SAID - more : program->n_said;
    memmove(program->said, program->said + program->n_said - kept, kept);
    memcpy(program->said + kept, text + skip, more);
    program->n_said = kept + more;
}

/* listen: to what it has said by now. */
static void listen(spk_program *program)
{
    char text[1024];
    ssize_t n;
    while (program->child.err >= 0 && (n = spk_read(program->child.err, text, sizeof text)) > 0) {
        keep_said(program, text, (size_t)n);
        if (program->loud && spk_write(STDERR_FILENO, text, (size_t)n) < 0)
            program->loud = false;
    }
}

static bool is_over(const spk_program *program)
{
    return program->watch && program->watch->over(program->watch->state);
}

static void close_err(spk_program *program)
{
    if (program->child.err >= 0)
        close(program->child.err);
    program->child.err = -1;
}

/* wait_for: until one of its pipes has something, or for a moment. False: nobody wants it any more. */
static bool wait_for(spk_program *program)
{
    const bool much = program->roomy && program->printed >= MUCH && program->since >= MORE;
    program->since = 0;
    if (much) {
        nanosleep(&(struct timespec) { .tv_nsec = WHILE_NS }, NULL);
        return !is_over(program);
    }
    struct pollfd fds[2] = { { program->child.out, POLLIN, 0 }, { program->child.err, POLLIN, 0 } };
    if (poll(fds, 2, LOOK_AGAIN_MS) > 0 && fds[1].revents) {
        listen(program);
        if ((fds[1].revents & (POLLIN | POLLHUP)) == POLLHUP) /* nobody has its other end any more */
            close_err(program);
    }
    return !is_over(program);
}

static bool nobody_waits(const char *name, spk_failure *failure)
{
    spk_failure_set(failure, SPARK_ECANCELLED, NULL, NULL, "%s is not read any more", name);
    return false;
}

/* end: its output has ended, so it will. */
static bool end(spk_program *program, const char *name, spk_failure *failure)
{
    while (!spk_child_ended(&program->child, false, &program->status)) {
        listen(program);
        if (is_over(program))
            return nobody_waits(name, failure);
    }
    listen(program);
    close_err(program);
    program->ended = true;
    return true;
}

static void take_note(spk_program *program, size_t n, size_t *got)
{
    *got += n;
    program->since += n;
    program->printed += program->printed < MUCH ? n : 0;
}

bool spk_program_read(
    spk_program *program, char *to, size_t n, size_t *got, const char *name, spk_failure *failure)
{
    *got = 0;
    while (*got < n && !program->ended) {
        const ssize_t some = spk_read(program->child.out, to + *got, n - *got);
        if (some > 0)
            take_note(program, (size_t)some, got);
        else if (some == 0 && !end(program, name, failure))
            return false;
        else if (some < 0 && errno == EAGAIN && !wait_for(program))
            return nobody_waits(name, failure);
        else if (some < 0 && errno != EAGAIN && errno != EINTR)
            return spk_io_failure(failure, "cannot read", name, errno) == SPARK_OK;
    }
    return true;
}

/* said_in: what it said, on one line. */
static void said_in(const spk_program *program, char *text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < program->n_said && n + 1 < size; i++) {
        const char c = program->said[i];
        const bool blank = (unsigned char)c <= ' ';
        if (program->keep_first && n > 0 && (c == '\n' || c == '\r'))
            break;
        if (!blank || (n > 0 && text[n - 1] != ' '))
            text[n++] = blank ? ' ' : c;
    }
    n -= n > 0 && text[n - 1] == ' ';
    text[n] = '\0';
}

void spk_program_end(
    const spk_program *program, const char *command, char *text, size_t size)
{
    char said[SPK_SAID + 1];
    said_in(program, said, sizeof said);
    if (program->status < 0)
        snprintf(text, size, "how %s ended is not known, for this process ignores SIGCHLD", command);
    else if (program->status > 128 && program->status <= 192)
        snprintf(text, size, "%s was killed by signal %d%s%s", command, program->status - 128, *said ? ": " : "", said);
    else
        snprintf(text, size, "%s ended with status %d%s%s", command, program->status,
            *said ? ": " : "", said);
}

void spk_program_stop(spk_program *program)
{
    if (program->child.pid > 0)
        spk_child_kill(&program->child);
    close_err(program);
}
