/* SPDX-License-Identifier: Apache-2.0 */
/* Output directories that are either complete or visibly not.
 *
 * Each attempt writes a file of its own below _temporary, where no reader looks. It is synced
 * before it is renamed to part-NNNNN there, so that such a name never stands for less than all of its
 * bytes, whatever breaks and when. The commit of the job moves the parts to where readers look (Hadoop's
 * algorithm 1), and syncs the directory before it creates _SUCCESS: who sees that sees all parts. Paths
 * are put together on the stack, so that failing needs no memory. */
#include "io/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/files.h"
#include "io/save_lock.h"

enum { PART_BUFFER = 256 * 1024 };

/* place: a path below the output directory. One that is too long is cut, and refused by the system
 * all the same: PATH_MAX counts the NUL, and there is room for one sign more. */
typedef struct place {
    char path[PATH_MAX + 1];
} place;

static place below(const spk_output *output, const char *name)
{
    place p;
    snprintf(p.path, sizeof p.path, "%s/%s", output->path, name);
    return p;
}

/* place_of: a part: in front of it "", or "_temporary/", where those of tasks are that have committed. */
static place place_of(const spk_output *output, const char *front, int partition)
{
    char name[48];
    snprintf(name, sizeof name, "%spart-%05d", front, partition);
    return below(output, name);
}

static place part_place(const spk_part *part)
{
    return place_of(part->output, "", part->partition);
}

static place attempt_place(const spk_part *part)
{
    char name[64];
    snprintf(name, sizeof name, "_temporary/part-%05d-attempt-%d", part->partition, part->attempt);
    return below(part->output, name);
}

static int open_for(const char *path, int flags)
{
    int fd;
    do
        fd = spk_open(path, flags | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* sync_fd: 0, or an errno. Some file systems cannot sync a directory and say so with EINVAL. */
static int sync_fd(int fd)
{
    while (spk_fsync(fd) != 0)
        if (errno != EINTR)
            return errno == EINVAL || errno == ENOTSUP ? 0 : errno;
    return 0;
}

static spark_status sync_directory(const char *path, spk_failure *failure)
{
    int fd = open_for(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return spk_io_failure(failure, "cannot open", path, errno);
    int error = sync_fd(fd);
    close(fd);
    return error == 0 ? SPARK_OK : spk_io_failure(failure, "cannot sync", path, error);
}

/* sync_parent: so that the directory itself survives a crash. One may be allowed to make a
 * directory in a place one may not open; then there is nothing to be done. */
static spark_status sync_parent(const char *path, spk_failure *failure)
{
    place p;
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(p.path, sizeof p.path, ".");
    else
        snprintf(p.path, sizeof p.path, "%.*s/", (int)(slash - path), path);
    if (access(p.path, R_OK) != 0 && errno == EACCES)
        return SPARK_OK;
    return sync_directory(p.path, failure);
}

/* ours: is `name` in the output directory one that this file makes? Others stay. */
static bool ours(const char *name)
{
    return strncmp(name, "part-", 5) == 0 || strcmp(name, "_SUCCESS") == 0;
}

/* take_part: removes a part, or moves that of a task that has committed `to` where it belongs; 0, 1
 * where it is another file, or -1 and errno. */
static int take_part(DIR *from, const char *name, const spk_output *to)
{
    char *end;
    if (to == NULL)
        return spk_unlinkat(dirfd(from), name, 0);
    const int partition = (int)strtol(name + strlen("part-"), &end, 10);
    return *end ? 1
                : spk_rename(place_of(to, "_temporary/", partition).path,
                      place_of(to, "", partition).path);
}

/* take_once: all parts in a directory; how many, or -1 and errno. */
static int take_once(const char *path, const spk_output *to)
{
    DIR *stream = spk_opendir(path);
    if (stream == NULL)
        return -1;
    int removed = 0, error = 0;
    const struct dirent *entry;
    while (error == 0 && (errno = 0, entry = spk_readdir(stream)) != NULL) {
        if (!ours(entry->d_name))
            continue;
        const int done = take_part(stream, entry->d_name, to);
        if (done == 0)
            removed++;
        else if (done < 0 && errno != ENOENT)
            error = errno;
    }
    if (error == 0)
        error = errno == ENOENT ? 0 : errno;
    closedir(stream);
    errno = error;
    return error == 0 ? removed : -1;
}

/* take_all: 0, or -1 and errno. Reading a directory while it is emptied may skip names: so again until
 * there is nothing left. */
static int take_all(const char *path, const spk_output *to)
{
    int removed;
    do
        removed = take_once(path, to);
    while (removed > 0);
    return removed;
}

/* empty_and_remove: 0, or -1 and errno. */
SPK_COLD static int empty_and_remove(const char *path)
{
    return take_all(path, NULL) < 0 ? -1 : spk_rmdir(path);
}

static void forget(spk_output *output)
{
    if (output->lock >= 0)
        close(output->lock);
    free(output->path);
    output->path = NULL;
    output->lock = -1;
}

/* copy_path: without a scheme and without slashes at its end. */
static char *copy_path(const char *path)
{
    path = spk_io_path(path);
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    char *copy = malloc(n + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, path, n);
    copy[n] = '\0';
    return copy;
}

/* make_parents: path and what leads to it; 0, or an errno. */
static int make_parents(char *path)
{
    for (char *at = path + 1;; at++) {
        const char sign = *at;
        if (sign != '/' && sign != '\0')
            continue;
        *at = '\0';
        const bool made = spk_mkdir(path, 0777) == 0 || errno == EEXIST;
        *at = sign;
        if (!made)
            return errno;
        if (sign == '\0')
            return 0;
    }
}

int spk_output_mkdir(const char *path)
{
    place parent;
    const char *slash = strrchr(path, '/');
    if (spk_mkdir(path, 0777) == 0)
        return 0;
    if (errno == ENOENT && slash && slash > path) {
        snprintf(parent.path, sizeof parent.path, "%.*s", (int)(slash - path), path);
        errno = make_parents(parent.path);
        if (errno == 0 && spk_mkdir(path, 0777) == 0)
            return 0;
    }
    return errno;
}

static spark_status make_directory(const char *path, spk_failure *failure)
{
    const int error = spk_output_mkdir(path);
    if (error == 0)
        return SPARK_OK;
    if (error == EEXIST)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL, "Output directory %s %s", path,
            spk_save_lock_tell(path));
    return spk_io_failure(failure, "cannot create output directory", path, error);
}

char *spk_output_path(const char *path, spk_failure *failure)
{
    char *copy = NULL;
    if (path == NULL || *spk_io_path(path) == '\0')
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "The output path is empty");
    else if ((copy = copy_path(path)) == NULL)
        spk_failure_nomem(failure, NULL, NULL);
    return copy;
}

char *spk_output_place(const char *path, spk_failure *failure)
{
    char *there = spk_output_path(path, failure);
    const size_t n = there ? strcspn(there, ":/") : 0;
    if (n == 0 || strncmp(there + n, "://", 3) != 0)
        return there;
    spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "cannot write %s: " SPK_NO_SCHEME, there);
    free(there);
    return NULL;
}

spark_status spk_output_begin(
    spk_output *output, const char *path, bool scratch, spk_failure *failure)
{
    *output = (spk_output) { NULL, scratch, -1, 0 };
    output->path = spk_output_place(path, failure);
    if (output->path == NULL)
        return failure->code;
    spark_status status = make_directory(output->path, failure);
    if (status == SPARK_OK) {
        place temporary = below(output, "_temporary");
        const bool made = spk_mkdir(temporary.path, 0777) == 0;
        const int error = !made ? errno
            : scratch           ? 0
                                : spk_save_lock_take(output->path, &output->lock);
        if (error != 0) {
            status = spk_io_failure(failure, "cannot create", temporary.path, error);
            spk_rmdir(temporary.path);
            spk_rmdir(output->path);
        }
    }
    if (status != SPARK_OK)
        forget(output);
    return status;
}

static spark_status create_marker(const spk_output *output, spk_failure *failure)
{
    place marker = below(output, "_SUCCESS");
    int fd = open_for(marker.path, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0)
        return spk_io_failure(failure, "cannot create", marker.path, errno);
    int error = output->scratch ? 0 : sync_fd(fd);
    if (spk_close(fd) != 0 && error == 0 && errno != EINTR)
        error = errno;
    spark_status status = SPARK_OK;
    if (error != 0)
        status = spk_io_failure(failure, "cannot write", marker.path, error);
    else if (!output->scratch)
        status = sync_directory(output->path, failure);
    if (status != SPARK_OK)
        spk_unlink(marker.path);
    return status;
}

spark_status spk_output_commit(spk_output *output, spk_failure *failure)
{
    spark_status status = SPARK_OK;
    place temporary = below(output, "_temporary");
    int error = take_all(temporary.path, output) < 0 ? errno : 0;
    if (error == 0)
        error = spk_save_lock_remove(output->path);
    if (error == 0 && empty_and_remove(temporary.path) != 0)
        error = errno;
    if (error != 0)
        status = spk_io_failure(failure, "cannot move the parts out of", temporary.path, error);
    if (status == SPARK_OK && !output->scratch)
        status = sync_directory(output->path, failure);
    if (status == SPARK_OK && !output->scratch)
        status = sync_parent(output->path, failure);
    if (status == SPARK_OK)
        status = create_marker(output, failure);
    if (status == SPARK_OK)
        forget(output);
    else
        spk_output_abort(output);
    return status;
}

/* remove_known: where the directory cannot be listed: it takes a descriptor, and there may be none. */
static void remove_known(const spk_output *output)
{
    for (int i = 0; i < output->parts; i++) {
        spk_unlink(place_of(output, "_temporary/", i).path);
        spk_unlink(place_of(output, "", i).path);
    }
    spk_rmdir(below(output, "_temporary").path);
    spk_rmdir(output->path);
}

void spk_output_abort(spk_output *output)
{
    if (output->path == NULL)
        return;
    place temporary = below(output, "_temporary");
    spk_save_lock_remove(output->path);
    const int first = empty_and_remove(temporary.path);
    if (empty_and_remove(output->path) != 0 || first != 0)
        remove_known(output);
    forget(output);
}

void spk_output_remove(const char *path)
{
    empty_and_remove(path);
}

spark_status spk_own_directory(
    const char *parent, const char *prefix, char **path, spk_failure *failure)
{
    char own[32];
    const size_t size = (size_t)snprintf(own, sizeof own, "/%sXXXXXX", prefix) + 1;
    char *plain = copy_path(parent);
    *path = plain ? realloc(plain, strlen(plain) + size) : NULL;
    if (*path == NULL) {
        free(plain);
        return spk_failure_nomem(failure, NULL, NULL);
    }
    int error = make_parents(*path);
    if (error == 0) {
        memcpy(*path + strlen(*path), own, size);
        if (spk_mkdtemp(*path) != NULL)
            return SPARK_OK;
        error = errno;
    }
    free(*path);
    *path = NULL;
    return spk_io_failure(failure, "cannot make a directory in", parent, error);
}

void spk_own_directory_end(char *path)
{
    if (path != NULL)
        spk_rmdir(path);
    free(path);
}

static void free_buffer(spk_part *part)
{
    if (part->buffer != NULL)
        spk_heap_free(part->heap, part->buffer, part->capacity);
    part->buffer = NULL;
    part->used = part->capacity = 0;
}

spark_status spk_part_open(spk_part *part, const spk_output *output, spk_heap *heap, int partition,
    int attempt, spk_failure *failure)
{
    *part = (spk_part) {
        .output = output, .heap = heap, .partition = partition, .attempt = attempt, .fd = -1 };
    part->buffer = spk_heap_alloc(heap, PART_BUFFER, &part->capacity);
    if (part->buffer == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    place p = attempt_place(part);
    part->fd = open_for(p.path, O_WRONLY | O_CREAT | O_TRUNC);
    if (part->fd >= 0)
        return SPARK_OK;
    spark_status status = spk_io_failure(failure, "cannot create", p.path, errno);
    free_buffer(part);
    return status;
}

/* flush: a full disk shows first as a short count, and only then as an error. */
spark_status spk_part_flush(spk_part *part, spk_failure *failure)
{
    if (part->sink)
        return part->sink->take(part, failure);
    for (size_t at = 0; at < part->used;) {
        ssize_t n = spk_write(part->fd, part->buffer + at, part->used - at);
        if (n < 0 && errno != EINTR)
            return spk_io_failure(failure, "cannot write", attempt_place(part).path, errno);
        if (n > 0)
            at += (size_t)n;
    }
    part->written += part->used;
    part->used = 0;
    return SPARK_OK;
}

char *spk_part_reserve(spk_part *part, size_t n, spk_failure *failure)
{
    if (n <= part->capacity - part->used)
        return part->buffer + part->used;
    if (spk_part_flush(part, failure) != SPARK_OK)
        return NULL;
    if (n > part->capacity) {
        size_t capacity;
        char *bigger = spk_heap_alloc(part->heap, n, &capacity);
        if (bigger == NULL) {
            spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL,
                "out of memory: a line of %zu bytes for %s", n,
                part->sink ? part->name : part_place(part).path);
            return NULL;
        }
        free_buffer(part);
        part->buffer = bigger;
        part->capacity = capacity;
    }
    return part->buffer;
}

spark_status spk_part_close(spk_part *part, spk_failure *failure)
{
    spark_status status = spk_part_flush(part, failure);
    int error = status == SPARK_OK && !part->output->scratch ? sync_fd(part->fd) : 0;
    if (spk_close(part->fd) != 0 && error == 0 && errno != EINTR)
        error = errno;
    part->fd = -1;
    if (status == SPARK_OK && error != 0)
        status = spk_io_failure(failure, "cannot write", attempt_place(part).path, error);
    free_buffer(part);
    return status;
}

spark_status spk_part_publish(spk_part *part, spk_failure *failure)
{
    place from = attempt_place(part), to = place_of(part->output, "_temporary/", part->partition);
    if (spk_rename(from.path, to.path) == 0)
        return SPARK_OK;
    spark_status status
        = spk_io_failure(failure, "cannot rename a finished part to", to.path, errno);
    spk_unlink(from.path);
    return status;
}

void spk_part_discard(spk_part *part)
{
    if (part->fd >= 0)
        close(part->fd);
    part->fd = -1;
    free_buffer(part);
    spk_unlink(attempt_place(part).path);
}
