/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn, so that no copy of the address space is needed; every descriptor closes on exec, for
 * an inherited write end would be an end of file that never comes. */
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/signals.h"
#include "base/sys.h"
#include "io/files.h"

extern char **environ;

/* ---- starting */

/* spawn: fds: what becomes its stdin, stdout and stderr; -1: as ours. An errno. */
static int spawn(spk_child *child, const spk_child_how *how, const int fds[3])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipe;
    int error = 0;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe);
    for (int i = 0; i < 3 && !error; i++)
        if (fds[i] >= 0)
            error = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    if (!error && how->directory)
        error = posix_spawn_file_actions_addchdir_np(&actions, how->directory);
    if (!error)
        error = spk_struck(SPARK_FAULT_THREAD, NULL)
            ? errno
            : posix_spawnp(&child->pid, how->argv[0], &actions, &attributes, how->argv,
                how->env ? how->env : environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void close_all(int *fds, int n)
{
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* make_pipe: the child's end, and ours, which does not block; reads: it is the child who reads. */
static bool make_pipe(int *child, int *own, bool reads)
{
    int fds[2];
    if (spk_pipe2(fds, O_CLOEXEC) != 0)
        return false;
    *child = fds[!reads];
    *own = fds[reads];
    fcntl(*own, F_SETFL, O_NONBLOCK);
    return true;
}

int spk_child_spawn(spk_child *child, const spk_child_how *how)
{
    int ends[3] = { -1, -1, -1 }, error = 0;
    *child = (spk_child) { .in = -1, .out = -1, .err = -1 };
    if ((how->in <= 0 && !make_pipe(&ends[0], &child->in, true))
        || (how->out <= 0 && !make_pipe(&ends[1], &child->out, false))
        || (how->listen && !make_pipe(&ends[2], &child->err, false)))
        error = errno;
    const int fds[3]
        = { how->in > 0 ? how->in : ends[0], how->out > 0 ? how->out : ends[1], ends[2] };
    if (!error)
        error = spawn(child, how, fds);
    close_all(ends, 3);
    if (error) {
        close_all((int[]) { child->in, child->out, child->err }, 3);
        *child = (spk_child) { .in = -1, .out = -1, .err = -1 };
    }
    return error;
}

/* ---- talking */

bool spk_child_wait_io(const spk_child *child, bool read, bool write, bool *readable,
    bool *writable, spk_failure *failure)
{
    enum { LOOK_AGAIN_MS = 50 };
    struct pollfd fds[2]
        = { { read ? child->out : -1, POLLIN, 0 }, { write ? child->in : -1, POLLOUT, 0 } };
    *readable = *writable = false;
    if (poll(fds, 2, LOOK_AGAIN_MS) < 0 && errno != EINTR) {
        spk_io_failure(failure, "cannot wait for", "a child process", errno);
        return false;
    }
    *readable = fds[0].revents != 0;
    *writable = fds[1].revents != 0;
    return true;
}

/* write_quietly: without the signal of a closed pipe, whatever thread this is. */
static ssize_t write_quietly(int fd, const char *data, size_t n)
{
    spk_held_signal held;
    spk_signal_hold(&held, SIGPIPE);
    const ssize_t done = spk_write(fd, data, n);
    spk_signal_let(&held, done < 0 && errno == EPIPE);
    return done;
}

bool spk_child_write(
    spk_child *child, const char *data, size_t n, size_t *written, bool *gone, spk_failure *failure)
{
    const ssize_t done = write_quietly(child->in, data, n);
    *written = done > 0 ? (size_t)done : 0;
    *gone = done < 0 && errno == EPIPE;
    if (done >= 0 || *gone || errno == EAGAIN || errno == EINTR)
        return true;
    spk_io_failure(failure, "cannot write to", "a child process", errno);
    return false;
}

bool spk_child_read(spk_child *child, char *to, size_t room, size_t *n, spk_failure *failure)
{
    const ssize_t got = spk_read(child->out, to, room);
    *n = got >= 0 ? (size_t)got : SIZE_MAX;
    if (got >= 0 || errno == EAGAIN || errno == EINTR)
        return true;
    spk_io_failure(failure, "cannot read from", "a child process", errno);
    return false;
}

void spk_child_close_in(spk_child *child)
{
    if (child->in >= 0)
        close(child->in);
    child->in = -1;
}

void spk_child_close_out(spk_child *child)
{
    if (child->out >= 0)
        close(child->out);
    child->out = -1;
}

bool spk_child_ended(spk_child *child, bool wait, int *status)
{
    int how = 0;
    pid_t got;
    spk_child_close_in(child);
    spk_child_close_out(child);
    do
        got = child->pid > 0 ? waitpid(child->pid, &how, wait ? 0 : WNOHANG) : -1;
    while (got < 0 && errno == EINTR);
    if (got == 0) {
        const struct timespec moment = { 0, 200000 };
        nanosleep(&moment, NULL);
        return false;
    }
    /* Where the program ignores SIGCHLD, nobody knows how it ended. */
    *status = got < 0 ? -1 : WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    child->pid = 0;
    if (child->leave)
        child->leave(child);
    return true;
}

void spk_child_kill(spk_child *child)
{
    int status;
    if (child->pid > 0)
        kill(child->pid, SIGKILL);
    spk_child_ended(child, true, &status);
}
