/* SPDX-License-Identifier: Apache-2.0 */
/* Paths are put together on the stack, so that putting in order needs no memory. */
#include "io/save_mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/sys.h"

static const char *const states[] = { "_save-", "_commit-", "_done-" };

spk_tree_path spk_save_inside(const char *directory, const char *name)
{
    return spk_tree_below(spk_tree_below(directory, "_temporary").text, name);
}

static spk_tree_path mark_of(const char *directory, spk_save_stage state, const char *id)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", states[state], id);
    return spk_save_inside(directory, name);
}

bool spk_save_exists(const char *path)
{
    struct stat info;
    return spk_stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static int open_new(const char *path)
{
    int fd;
    do
        fd = spk_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* make_file: an empty one; 0, or an errno. */
static int make_file(const char *path, bool synced)
{
    const int fd = open_new(path);
    if (fd < 0)
        return errno;
    int error = 0;
    while (synced && spk_fsync(fd) != 0)
        if (errno != EINTR) {
            error = errno;
            break;
        }
    if (spk_close(fd) != 0 && error == 0 && errno != EINTR)
        error = errno;
    return error;
}

/* ---- the lock */

int spk_save_enter(const char *directory, const char *id, int *lock)
{
    char name[64];
    snprintf(name, sizeof name, "_starting-%s", id);
    const spk_tree_path early = spk_tree_below(directory, name);
    const spk_tree_path late = spk_tree_below(directory, "_temporary");
    int error = spk_mkdir(early.text, 0777) == 0 ? 0 : errno;
    *lock = -1;
    if (error != 0)
        return error == EEXIST ? EIO : error;
    *lock = open_new(spk_tree_below(early.text, "_lock").text);
    if (*lock < 0) {
        error = errno;
    } else if (spk_flock(*lock, LOCK_EX | LOCK_NB) != 0) { /* there are none here */
        close(*lock);
        *lock = -1;
        error = spk_unlink(spk_tree_below(early.text, "_lock").text) == 0 ? 0 : errno;
    }
    snprintf(name, sizeof name, "%s%s", states[SPK_SAVE_OPEN], id);
    if (error == 0)
        error = make_file(spk_tree_below(early.text, name).text, false);
    if (error == 0 && spk_rename(early.text, late.text) != 0)
        error = errno == ENOTEMPTY ? EEXIST : errno;
    if (error == 0)
        return 0;
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
    spk_tree_remove(early.text);
    return error;
}

int spk_save_take_over(const char *directory, int *lock)
{
    const spk_tree_path path = spk_save_inside(directory, "_lock");
    struct stat have, is;
    *lock = spk_open(path.text, O_RDWR | O_CLOEXEC, 0);
    if (*lock < 0)
        return errno;
    int error = 0;
    if (spk_flock(*lock, LOCK_EX | LOCK_NB) != 0 || spk_fstat(*lock, &have) != 0
        || spk_stat(path.text, &is) != 0)
        error = errno;
    else if (have.st_ino != is.st_ino || have.st_dev != is.st_dev)
        error = EWOULDBLOCK;
    if (error == 0)
        return 0;
    close(*lock);
    *lock = -1;
    return error;
}

void spk_save_leave(const char *directory, const char *id, int *lock)
{
    char name[64];
    snprintf(name, sizeof name, "_starting-%s", id);
    const spk_tree_path late = spk_tree_below(directory, name);
    const spk_tree_path early = spk_tree_below(directory, "_temporary");
    const bool moved = spk_rename(early.text, late.text) == 0;
    spk_tree_remove(moved ? late.text : early.text);
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
}

/* ---- committing */

static int remove_own(void *env, const char *directory, const char *name)
{
    const char *id = env;
    if (!strstr(name, id))
        return 0;
    if (spk_unlink(spk_tree_below(directory, name).text) != 0 && errno != ENOENT)
        return errno;
    return 0;
}

static bool is_task(const char *name)
{
    return strncmp(name, "task-", 5) == 0;
}

/* move_tasks: the files of all tasks that have committed. */
static int move_tasks(const char *directory)
{
    const spk_tree_path temporary = spk_tree_below(directory, "_temporary");
    int moved, error = 0;
    do {
        DIR *stream = spk_opendir(temporary.text);
        const struct dirent *entry;
        if (!stream)
            return errno;
        moved = 0;
        while (!error && (errno = 0, entry = spk_readdir(stream)) != NULL)
            if (is_task(entry->d_name)) {
                error = spk_tree_merge(spk_save_inside(directory, entry->d_name).text, directory);
                moved++;
            }
        if (!error)
            error = errno;
        closedir(stream);
    } while (!error && moved > 0);
    return error;
}

/* move_marker: a marker of success from the directory into _temporary, or back. */
static int move_marker(const char *directory, bool back)
{
    const spk_tree_path out = spk_tree_below(directory, "_SUCCESS");
    const spk_tree_path in = spk_save_inside(directory, "_SUCCESS");
    const char *from = back ? in.text : out.text;
    if (!spk_save_exists(from) || spk_rename(from, back ? out.text : in.text) == 0)
        return 0;
    return errno == ENOENT ? 0 : errno;
}

int spk_save_finish(const char *directory, bool deep)
{
    int error = move_marker(directory, false);
    if (error == 0)
        error = move_tasks(directory);
    if (error == 0)
        error = deep ? spk_tree_sync_all(directory) : spk_tree_sync(directory);
    if (error == 0)
        error = make_file(spk_tree_below(directory, "_SUCCESS").text, true);
    return error == 0 ? spk_tree_sync(directory) : error;
}

int spk_save_take_back(const char *directory, const char *id)
{
    char own[SPK_SAVE_ID];
    snprintf(own, sizeof own, "%s", id);
    const int error = spk_tree_visit(directory, remove_own, own);
    spk_tree_prune(directory);
    return error == 0 ? move_marker(directory, true) : error;
}

/* ---- what was interrupted */

/* find_mark: how far a save had come, and its id; false: there is no mark. */
static bool find_mark(const char *directory, spk_save_stage *state, char id[SPK_SAVE_ID])
{
    DIR *stream = spk_opendir(spk_tree_below(directory, "_temporary").text);
    const struct dirent *entry;
    bool found = false;
    while (stream && !found && (entry = spk_readdir(stream)) != NULL)
        for (int i = SPK_SAVE_OPEN; i <= SPK_SAVE_DONE && !found; i++) {
            const size_t n = strlen(states[i]);
            found = strncmp(entry->d_name, states[i], n) == 0
                && strlen(entry->d_name + n) == SPK_SAVE_ID - 1;
            if (found) {
                *state = (spk_save_stage)i;
                memcpy(id, entry->d_name + n, SPK_SAVE_ID);
            }
        }
    if (stream)
        closedir(stream);
    return found;
}

int spk_save_recover(const char *directory)
{
    spk_save_stage state;
    char id[SPK_SAVE_ID];
    if (!find_mark(directory, &state, id))
        return ENOENT;
    return state == SPK_SAVE_DONE         ? 0
        : state == SPK_SAVE_MOVES ? spk_save_finish(directory, true)
                              : spk_save_take_back(directory, id);
}

void spk_save_sweep(const char *directory, const char *own)
{
    DIR *stream = spk_opendir(directory);
    const struct dirent *entry;
    while (stream && (entry = spk_readdir(stream)) != NULL)
        if (strncmp(entry->d_name, "_starting-", 10) == 0 && strcmp(entry->d_name + 10, own) != 0)
            spk_tree_remove(spk_tree_below(directory, entry->d_name).text);
    if (stream)
        closedir(stream);
}

/* ---- the mark */

int spk_save_mark(
    const char *directory, const char *id, spk_save_stage from, spk_save_stage to)
{
    const spk_tree_path old = mark_of(directory, from, id), now = mark_of(directory, to, id);
    return spk_rename(old.text, now.text) == 0 ? 0 : errno;
}
