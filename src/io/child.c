/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn, so that no copy of the address space is needed; every descriptor closes on exec, for
 * an inherited write end would be an end of file that never comes. */
#include "io/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/sys.h"
#include "io/files.h"

extern char **environ;

/* ---- a directory of its own */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    remove(path);
    return 0;
}

static void remove_directory(spk_child *child)
{
    enum { DESCRIPTORS = 16 };
    if (child->directory)
        nftw(child->directory, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    free(child->directory);
    child->directory = NULL;
    spk_rmdir("tasks"); /* when it is empty */
}

/* link_all: what is in the current directory, into the child's. */
static bool link_all(const char *directory)
{
    DIR *here = spk_opendir(".");
    bool good = here != NULL;
    const struct dirent *entry;
    char *current = realpath(".", NULL);
    while (good && current && (entry = spk_readdir(here)) != NULL) {
        char *from = NULL, *to = NULL;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
            || strcmp(entry->d_name, "tasks") == 0)
            continue;
        good = asprintf(&from, "%s/%s", current, entry->d_name) >= 0
            && asprintf(&to, "%s/%s", directory, entry->d_name) >= 0 && symlink(from, to) == 0;
        free(from);
        free(to);
    }
    if (here)
        closedir(here);
    good = good && current;
    free(current);
    return good;
}

static bool make_directory(spk_child *child)
{
    char name[] = "tasks/XXXXXX";
    bool made = false;
    /* Another child that ends may take "tasks" away in between. */
    for (int tries = 0; !made && tries < 100; tries++) {
        if (spk_mkdir("tasks", 0777) != 0 && errno != EEXIST)
            return false;
        strcpy(name, "tasks/XXXXXX");
        made = spk_mkdtemp(name) != NULL;
        if (!made && errno != ENOENT)
            return false;
    }
    if (!made)
        return false;
    child->directory = strdup(name);
    return child->directory && link_all(name);
}

/* ---- starting */

/* replaced: whether one of n definitions has the name of this one. */
static bool replaced(const char *definition, char *const env[], size_t n)
{
    const size_t name = strcspn(definition, "=") + 1;
    for (size_t k = 0; k < n; k++)
        if (strncmp(definition, env[k], name) == 0)
            return true;
    return false;
}

/* environment: what is inherited and env; of several definitions of a name the last. NULL: no
 * memory. */
static char **environment(char *const env[])
{
    size_t inherited = 0, added = 0, n = 0;
    while (environ && environ[inherited])
        inherited++;
    while (env && env[added])
        added++;
    char **all = malloc((inherited + added + 1) * sizeof *all);
    for (size_t i = 0; all && i < inherited; i++)
        if (!replaced(environ[i], env, added))
            all[n++] = environ[i];
    for (size_t k = 0; all && k < added; k++)
        if (!replaced(env[k], env + k + 1, added - k - 1))
            all[n++] = env[k];
    if (all)
        all[n] = NULL;
    return all;
}

static int spawn(
    spk_child *child, char *const argv[], char *const env[], const int in[2], const int out[2])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipe;
    char **all = environment(env);
    if (!all)
        return ENOMEM;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe);
    int error = posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (!error && child->directory)
        error = posix_spawn_file_actions_addchdir_np(&actions, child->directory);
    if (!error)
        error = spk_struck(SPARK_FAULT_THREAD, NULL)
            ? errno
            : posix_spawnp(&child->pid, argv[0], &actions, &attributes, argv, all);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(all);
    return error;
}

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

spark_status spk_child_start(
    spk_child *child, char *const argv[], char *const env[], bool separate, spk_failure *failure)
{
    int in[2], out[2], error = 0;
    *child = (spk_child) { 0, -1, -1, NULL };
    if (separate && !make_directory(child)) {
        spk_io_failure(failure, "cannot make a directory below", "tasks", errno);
        remove_directory(child);
        return failure->code;
    }
    if (spk_pipe2(in, O_CLOEXEC) != 0)
        error = errno;
    else if (spk_pipe2(out, O_CLOEXEC) != 0) {
        error = errno;
        close_both(in);
    }
    if (!error && (error = spawn(child, argv, env, in, out)) != 0) {
        close_both(in);
        close_both(out);
    }
    if (error) {
        child->pid = 0;
        if (child->directory)
            remove_directory(child);
        return spk_io_failure(failure, "cannot run", argv[0], error);
    }
    close(in[0]);
    close(out[1]);
    child->in = in[1];
    child->out = out[0];
    fcntl(child->in, F_SETFL, O_NONBLOCK);
    fcntl(child->out, F_SETFL, O_NONBLOCK);
    return SPARK_OK;
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
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    const ssize_t done = spk_write(fd, data, n);
    const int error = errno;
    if (done < 0 && error == EPIPE && !was_pending) {
        const struct timespec now = { 0, 0 };
        sigtimedwait(&pipe, NULL, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
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

bool spk_child_ended(spk_child *child, bool wait, int *status)
{
    int how = 0;
    pid_t got;
    spk_child_close_in(child);
    if (child->out >= 0)
        close(child->out);
    child->out = -1;
    do
        got = child->pid > 0 ? waitpid(child->pid, &how, wait ? 0 : WNOHANG) : -1;
    while (got < 0 && errno == EINTR);
    if (got == 0) {
        const struct timespec moment = { 0, 2000000 };
        nanosleep(&moment, NULL);
        return false;
    }
    /* Where the program ignores SIGCHLD, nobody knows how it ended. */
    *status = got < 0 ? -1 : WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    child->pid = 0;
    if (child->directory)
        remove_directory(child);
    return true;
}

void spk_child_kill(spk_child *child)
{
    int status;
    if (child->pid > 0)
        kill(child->pid, SIGKILL);
    spk_child_ended(child, true, &status);
}
