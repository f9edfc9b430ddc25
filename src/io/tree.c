/* SPDX-License-Identifier: Apache-2.0 */
/* One buffer holds the path, however deep it goes. Removing needs one descriptor at a time and no
 * recursion, for what is there may be anybody's; the others go into directories that are named as
 * partitions of a table are, which are no deeper than a table has columns. */
#include "io/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

enum { DEPTH = 64 };

spk_tree_path spk_tree_below(const char *directory, const char *name)
{
    spk_tree_path p;
    snprintf(p.text, sizeof p.text, "%s/%s", directory, name);
    return p;
}

char *spk_tree_copy(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* push: a name behind the path of n bytes; its new length, or 0: it is too long. */
static size_t push(spk_tree_path *p, size_t n, const char *name)
{
    const size_t more = strlen(name);
    if (n + 1 + more > PATH_MAX)
        return 0;
    p->text[n] = '/';
    memcpy(p->text + n + 1, name, more + 1);
    return n + 1 + more;
}

static bool start(spk_tree_path *p, const char *path, size_t *n)
{
    *n = strlen(path);
    if (*n > PATH_MAX)
        return false;
    memcpy(p->text, path, *n + 1);
    return true;
}

/* empty: removes files of the directory until it comes to a directory, whose name is pushed: 1. 0: there is
 * nothing left; -1 and errno. */
static int empty(spk_tree_path *p, size_t *n)
{
    DIR *stream = spk_opendir(p->text);
    const struct dirent *entry;
    int found = 0, error = 0;
    if (!stream)
        return -1;
    while (!found && !error && (errno = 0, entry = spk_readdir(stream)) != NULL) {
        if (is_dots(entry->d_name) || spk_unlinkat(dirfd(stream), entry->d_name, 0) == 0)
            continue;
        if (errno == EISDIR || errno == EPERM) {
            const size_t longer = push(p, *n, entry->d_name);
            found = longer > 0;
            error = found ? 0 : ENAMETOOLONG;
            *n = found ? longer : *n;
        } else if (errno != ENOENT) {
            error = errno;
        }
    }
    if (!found && !error)
        error = errno == ENOENT ? 0 : errno;
    closedir(stream);
    errno = error;
    return error ? -1 : found;
}

int spk_tree_remove(const char *path)
{
    spk_tree_path p;
    size_t n;
    if (!start(&p, path, &n))
        return ENAMETOOLONG;
    const size_t base = n;
    int tries = 0;
    if (spk_unlink(path) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return errno;
    for (;;) {
        const int found = empty(&p, &n);
        if (found < 0)
            return errno;
        if (found)
            continue;
        if (spk_rmdir(p.text) != 0 && errno != ENOENT) {
            if ((errno == ENOTEMPTY || errno == EEXIST) && tries++ < DEPTH) /* reading skipped some */
                continue;
            return errno;
        }
        tries = 0;
        if (n == base)
            return 0;
        n = (size_t)(strrchr(p.text, '/') - p.text);
        p.text[n] = '\0';
    }
}

static bool is_directory(const struct dirent *entry, const char *path)
{
    struct stat info;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return spk_stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* ---- moving */

static int merge(spk_tree_path *from, size_t n, spk_tree_path *to, size_t m, int depth);

static int move_one(const struct dirent *entry, spk_tree_path *from, size_t n, spk_tree_path *to,
    size_t m, int depth)
{
    const size_t n2 = push(from, n, entry->d_name), m2 = push(to, m, entry->d_name);
    if (!n2 || !m2 || depth == DEPTH)
        return ENAMETOOLONG;
    if (!is_directory(entry, from->text))
        return spk_rename(from->text, to->text) == 0 ? 0 : errno;
    if (spk_mkdir(to->text, 0777) != 0 && errno != EEXIST)
        return errno;
    return merge(from, n2, to, m2, depth + 1);
}

static int merge(spk_tree_path *from, size_t n, spk_tree_path *to, size_t m, int depth)
{
    int moved, error = 0;
    do {
        DIR *stream = spk_opendir(from->text);
        const struct dirent *entry;
        if (!stream)
            return errno;
        moved = 0;
        while (!error && (errno = 0, entry = spk_readdir(stream)) != NULL) {
            if (is_dots(entry->d_name))
                continue;
            error = move_one(entry, from, n, to, m, depth);
            from->text[n] = to->text[m] = '\0';
            moved++;
        }
        if (!error)
            error = errno;
        closedir(stream);
    } while (!error && moved > 0);
    if (!error && spk_rmdir(from->text) != 0)
        error = errno;
    return error;
}

int spk_tree_merge(const char *from, const char *to)
{
    spk_tree_path a, b;
    size_t n, m;
    return start(&a, from, &n) && start(&b, to, &m) ? merge(&a, n, &b, m, 0) : ENAMETOOLONG;
}

/* ---- looking */

/* hidden: as Spark has it: a directory for values may begin with _, as that of the column _c0. */
static bool hidden(const char *name)
{
    return name[0] == '.' || (name[0] == '_' && !strchr(name, '='));
}

/* look: visit NULL: directories that are empty go. */
static int look(spk_tree_path *p, size_t n, spk_tree_visitor visit, void *env, int depth)
{
    DIR *stream = spk_opendir(p->text);
    const struct dirent *entry;
    int error = 0;
    if (!stream)
        return errno;
    while (!error && (errno = 0, entry = spk_readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        if (hidden(name))
            continue;
        const size_t longer = push(p, n, name);
        const bool directory = longer && is_directory(entry, p->text);
        if (directory && strchr(name, '=') && depth < DEPTH) {
            error = look(p, longer, visit, env, depth + 1);
            if (!visit)
                spk_rmdir(p->text);
            p->text[n] = '\0';
        } else {
            p->text[n] = '\0';
            error = !longer                               ? ENAMETOOLONG
                : visit && (directory || name[0] != '_') ? visit(env, p->text, name)
                                                         : 0;
        }
    }
    if (!error)
        error = errno;
    closedir(stream);
    return error;
}

int spk_tree_visit(const char *path, spk_tree_visitor visit, void *env)
{
    spk_tree_path p;
    size_t n;
    return start(&p, path, &n) ? look(&p, n, visit, env, 0) : ENAMETOOLONG;
}

void spk_tree_prune(const char *path)
{
    spk_tree_path p;
    size_t n;
    if (start(&p, path, &n))
        look(&p, n, NULL, NULL, 0);
}

int spk_tree_sync(const char *path)
{
    int fd;
    do
        fd = spk_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return errno;
    int error = 0;
    while (spk_fsync(fd) != 0) /* some file systems cannot sync a directory, and say so */
        if (errno != EINTR) {
            error = errno == EINVAL || errno == ENOTSUP ? 0 : errno;
            break;
        }
    close(fd);
    return error;
}

int spk_tree_sync_all(const char *directory)
{
    const int fd = spk_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    const int error = spk_syncfs(fd) == 0 ? 0 : errno;
    close(fd);
    return error;
}
