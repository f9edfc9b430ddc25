/* SPDX-License-Identifier: Apache-2.0 */
/* A directory that is to be replaced is locked as one that is written (io/save_mark), while the new one is
 * written beside it, in .NAME.new, with a _temporary of its own; then the two exchange their names, and the
 * old one goes. Where the file system cannot do that at once, the old one is called .NAME.old for a
 * moment. */
#include "io/save_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/sys.h"
#include "io/files.h"
#include "io/output.h"
#include "io/save_lock.h"

static void draw_id(char id[SPK_SAVE_ID])
{
    const spk_secret r = spk_secret_draw();
    const uint64_t a = r.k[0], b = r.k[1];
    snprintf(id, SPK_SAVE_ID, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
        (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(0x8000 | (b >> 50)),
        (unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

/* beside: .NAME.new or .NAME.old in the directory that NAME is in. */
static spk_tree_path beside(const char *path, const char *suffix)
{
    spk_tree_path p;
    const char *slash = strrchr(path, '/');
    const int front = slash ? (int)(slash - path) + 1 : 0;
    snprintf(p.text, sizeof p.text, "%.*s.%s.%s", front, path, path + front, suffix);
    return p;
}

/* find_last: the highest number of a part. */
static int find_last(void *env, const char *directory, const char *name)
{
    int *last = env;
    char *end;
    (void)directory;
    if (strncmp(name, "part-", 5) != 0 || name[5] < '0' || name[5] > '9')
        return 0;
    const long n = strtol(name + 5, &end, 10);
    if (n > *last && n < INT_MAX / 2)
        *last = (int)n;
    return 0;
}

/* ---- beginning */

static spark_status refuse(const char *path, spk_failure *failure)
{
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL, "Output directory %s %s", path,
        spk_save_lock_tell(path));
}

/* take_past: a _temporary was there: of a process that has ended it is removed, and what it has left put in
 * order. overwrites: that need not be in order. */
static spark_status take_past(spk_save_dir *dir, bool overwrites, spk_failure *failure)
{
    int lock, error = spk_save_take_over(dir->path, &lock);
    if (error == EWOULDBLOCK
        || (error == ENOENT && spk_save_exists(spk_tree_below(dir->path, "_temporary").text)))
        return refuse(dir->path, failure);
    if (error == ENOENT) /* it has just gone */
        return SPARK_OK;
    if (error == 0)
        error = spk_save_recover(dir->path);
    if (error == ENOENT && overwrites)
        error = 0;
    if (error == 0) {
        spk_save_leave(dir->path, dir->id, &lock);
        return SPARK_OK;
    }
    if (lock >= 0)
        close(lock);
    return error == ENOENT ? refuse(dir->path, failure)
                           : spk_io_failure(failure,
                               "cannot put in order what an interrupted save has left in",
                               dir->path, error);
}

/* lock_it: the directory is ours to write into, and nothing of the past is in it. */
static spark_status lock_it(spk_save_dir *dir, bool overwrites, spk_failure *failure)
{
    enum { TRIES = 20 };
    int error = EEXIST;
    for (int i = 0; i < TRIES && (error == EEXIST || error == ENOENT); i++) {
        error = spk_save_enter(dir->path, dir->id, &dir->lock);
        if (error == EEXIST && take_past(dir, overwrites, failure) != SPARK_OK)
            return failure->code;
    }
    if (error != 0)
        return spk_io_failure(failure, "cannot write into", dir->path, error);
    spk_save_sweep(dir->path, dir->id);
    return SPARK_OK;
}

/* is_empty: nothing but what saves leave that were ended as they began. */
static bool is_empty(const char *directory)
{
    DIR *stream = spk_opendir(directory);
    const struct dirent *entry;
    bool empty = stream != NULL;
    while (empty && (errno = 0, entry = spk_readdir(stream)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
            || strncmp(entry->d_name, "_starting-", 10) == 0;
    empty = empty && errno == 0;
    if (stream)
        closedir(stream);
    return empty;
}

/* put_back: an exchange by two renames that was interrupted between them. */
static void put_back(const char *path)
{
    const spk_tree_path fresh = beside(path, "new"), old = beside(path, "old");
    if (!spk_save_exists(path) && spk_save_exists(old.text)) {
        if (spk_save_exists(spk_tree_below(fresh.text, "_SUCCESS").text))
            spk_rename(fresh.text, path);
        else
            spk_rename(old.text, path);
    }
}

/* begin_beside: a directory that is to replace the one that is there. */
static spark_status begin_beside(spk_save_dir *dir, spk_failure *failure)
{
    char here[PATH_MAX + 1];
    const size_t n = strlen(dir->path);
    if (getcwd(here, sizeof here) && strncmp(here, dir->path, n) == 0
        && (here[n] == '/' || here[n] == '\0' || n == 1))
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "Output directory %s holds the working directory: it is not overwritten", dir->path);
    const spk_tree_path fresh = beside(dir->path, "new");
    int error = spk_tree_remove(beside(dir->path, "old").text);
    if (error == 0)
        error = spk_tree_remove(fresh.text);
    if (error == 0 && spk_mkdir(fresh.text, 0777) != 0)
        error = errno;
    if (error == 0 && (dir->work = spk_tree_copy(fresh.text)) == NULL)
        error = ENOMEM;
    if (error == 0)
        error = spk_save_enter(dir->work, dir->id, &dir->work_lock);
    if (error == 0)
        return SPARK_OK;
    spk_tree_remove(fresh.text);
    return spk_io_failure(failure, "cannot write beside", dir->path, error);
}

static void forget(spk_save_dir *dir)
{
    if (dir->lock >= 0)
        close(dir->lock);
    if (dir->work_lock >= 0)
        close(dir->work_lock);
    if (dir->work != dir->path)
        free(dir->work);
    free(dir->path);
    dir->path = dir->work = NULL;
    dir->lock = dir->work_lock = -1;
}

/* begin_there: in a directory that exists. */
static spark_status begin_there(
    spk_save_dir *dir, spark_save_mode mode, bool *skip, spk_failure *failure)
{
    struct stat info;
    if (mode == SPARK_SAVE_ERROR)
        return refuse(dir->path, failure);
    if (spk_stat(dir->path, &info) != 0)
        return spk_io_failure(failure, "cannot look at", dir->path, errno);
    if (!S_ISDIR(info.st_mode))
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "Output directory %s is a file: remove it or choose another one", dir->path);
    if (mode == SPARK_SAVE_IGNORE && !is_empty(dir->path)) {
        *skip = !spk_save_exists(spk_tree_below(dir->path, "_temporary").text)
            || spk_save_exists(spk_tree_below(dir->path, "_SUCCESS").text);
        return *skip ? SPARK_OK : refuse(dir->path, failure);
    }
    if (mode == SPARK_SAVE_OVERWRITE) { /* what a link points to is replaced, not the link */
        spk_tree_path whole;
        if (realpath(dir->path, whole.text) == NULL)
            return spk_io_failure(failure, "cannot look at", dir->path, errno);
        char *real = spk_tree_copy(whole.text);
        if (real == NULL)
            return spk_failure_nomem(failure, NULL, NULL);
        free(dir->path);
        dir->path = dir->work = real;
    }
    if (lock_it(dir, mode == SPARK_SAVE_OVERWRITE, failure) != SPARK_OK)
        return failure->code;
    spark_status status = SPARK_OK;
    int last = -1;
    if (mode == SPARK_SAVE_OVERWRITE) {
        status = begin_beside(dir, failure);
    } else {
        const int error = spk_tree_visit(dir->path, find_last, &last);
        dir->first = last + 1;
        if (error != 0)
            status = spk_io_failure(failure, "cannot look through", dir->path, error);
    }
    if (status != SPARK_OK)
        spk_save_leave(dir->path, dir->id, &dir->lock);
    return status;
}

/* begin_new: in a directory that was just made. */
static spark_status begin_new(spk_save_dir *dir, spk_failure *failure)
{
    dir->fresh = true;
    if (lock_it(dir, true, failure) == SPARK_OK)
        return SPARK_OK;
    spk_rmdir(dir->path);
    return failure->code;
}

spark_status spk_save_begin(spk_save_dir *dir, const char *path, spark_save_mode mode, bool deep,
    bool *skip, spk_failure *failure)
{
    *skip = false;
    *dir = (spk_save_dir) { .deep = deep, .lock = -1, .work_lock = -1 };
    if ((unsigned)mode > SPARK_SAVE_IGNORE)
        return spk_failure_set(
            failure, SPARK_EINVAL, NULL, NULL, "option mode is none of those there are");
    draw_id(dir->id);
    dir->path = dir->work = spk_output_place(path, failure);
    if (dir->path == NULL)
        return failure->code;
    put_back(dir->path);
    const int error = spk_output_mkdir(dir->path);
    const spark_status status = error == 0 ? begin_new(dir, failure)
        : error == EEXIST
        ? begin_there(dir, mode, skip, failure)
        : spk_io_failure(failure, "cannot create output directory", dir->path, error);
    if (status != SPARK_OK || *skip)
        forget(dir);
    return status;
}

/* ---- the job */

static bool is_beside(const spk_save_dir *dir)
{
    return dir->work != dir->path;
}

/* exchange: the new directory gets the name of the old one, which gets the other name. */
static int exchange(const spk_save_dir *dir)
{
    if (spk_rename_exchange(dir->work, dir->path) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return errno;
    const spk_tree_path old = beside(dir->path, "old");
    if (spk_rename(dir->path, old.text) != 0)
        return errno;
    if (spk_rename(dir->work, dir->path) != 0) {
        const int error = errno;
        spk_rename(old.text, dir->path);
        return error;
    }
    return spk_rename(old.text, dir->work) == 0 ? 0 : errno;
}

static int sync_parent(const char *path)
{
    const spk_tree_path up = spk_tree_below(path, "..");
    const int error = spk_tree_sync(up.text);
    return error == EACCES ? 0 : error; /* one may make a directory where one may not look */
}

/* take_place: of the old directory; as long as it is not known to be on disk it is undone. */
static int take_place(const spk_save_dir *dir)
{
    int error = spk_save_mark(dir->work, dir->id, SPK_SAVE_MOVES, SPK_SAVE_DONE);
    if (error == 0)
        error = exchange(dir);
    if (error != 0)
        return error;
    error = sync_parent(dir->path);
    if (error != 0)
        exchange(dir);
    return error;
}

spark_status spk_save_commit(spk_save_dir *dir, spk_failure *failure)
{
    const spk_tree_path temporary = spk_tree_below(dir->work, "_temporary");
    int error = dir->deep ? spk_tree_sync_all(dir->work) : spk_tree_sync(temporary.text);
    if (error == 0 && dir->fresh)
        error = sync_parent(dir->path);
    if (error == 0)
        error = spk_save_mark(dir->work, dir->id, SPK_SAVE_OPEN, SPK_SAVE_MOVES);
    dir->moves = error == 0;
    if (error == 0)
        error = spk_tree_sync(temporary.text);
    if (error == 0)
        error = spk_save_finish(dir->work, dir->deep);
    if (error == 0 && is_beside(dir))
        error = take_place(dir);
    if (error != 0) {
        spk_io_failure(failure, "cannot bring the files to their place in", dir->path, error);
        spk_save_abort(dir);
        return failure->code;
    }
    if (is_beside(dir))
        spk_tree_remove(dir->work);
    spk_save_leave(dir->path, dir->id, is_beside(dir) ? &dir->work_lock : &dir->lock);
    forget(dir);
    return SPARK_OK;
}

/* undo: what a commit has done that has failed; 0, or an errno. */
static int undo(const spk_save_dir *dir)
{
    spk_save_mark(dir->work, dir->id, SPK_SAVE_MOVES, SPK_SAVE_OPEN);
    if (!spk_save_exists(spk_save_inside(dir->path, "_SUCCESS").text))
        spk_unlink(spk_tree_below(dir->path, "_SUCCESS").text);
    return spk_save_take_back(dir->path, dir->id);
}

void spk_save_abort(spk_save_dir *dir)
{
    if (dir->path == NULL)
        return;
    bool undone = true;
    if (is_beside(dir))
        spk_tree_remove(dir->work);
    else if (dir->moves)
        undone = undo(dir) == 0;
    if (undone) /* else the next save finds the mark, and undoes it */
        spk_save_leave(dir->path, dir->id, &dir->lock);
    if (dir->fresh)
        spk_rmdir(dir->path);
    forget(dir);
}

/* ---- tasks */

spk_tree_path spk_save_attempt(const spk_save_dir *dir, int partition, int attempt)
{
    char name[64];
    snprintf(name, sizeof name, "attempt-%05d-%d", partition, attempt);
    return spk_save_inside(dir->work, name);
}

spark_status spk_save_attempt_begin(
    const spk_save_dir *dir, int partition, int attempt, spk_failure *failure)
{
    const spk_tree_path p = spk_save_attempt(dir, partition, attempt);
    return spk_mkdir(p.text, 0777) == 0 ? SPARK_OK
                                        : spk_io_failure(failure, "cannot create", p.text, errno);
}

spark_status spk_save_attempt_commit(
    const spk_save_dir *dir, int partition, int attempt, spk_failure *failure)
{
    char name[64];
    snprintf(name, sizeof name, "task-%05d", partition);
    const spk_tree_path from = spk_save_attempt(dir, partition, attempt);
    const spk_tree_path to = spk_save_inside(dir->work, name);
    const int error = dir->deep ? 0 : spk_tree_sync(from.text);
    if (error != 0)
        return spk_io_failure(failure, "cannot sync", from.text, error);
    return spk_rename(from.text, to.text) == 0
        ? SPARK_OK
        : spk_io_failure(failure, "cannot rename a finished part to", to.text, errno);
}

void spk_save_attempt_abort(const spk_save_dir *dir, int partition, int attempt)
{
    spk_tree_remove(spk_save_attempt(dir, partition, attempt).text);
}
