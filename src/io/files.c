/* SPDX-License-Identifier: Apache-2.0 */
/* Which files an input path names, and where they are split.
 *
 * A path is cut at its commas, its braces are multiplied out (both in glob.c), and each pattern is
 * walked component by component: plain components are only appended, the others list the directory
 * so far and go on for each name that matches. What the walk arrives at is a file, or a directory
 * that stands for its files. The files of one comma part are then sorted, and those found twice
 * dropped.
 *
 * Nothing is skipped in silence but hidden names and what vanished meanwhile: a directory within
 * a directory or a device is an error, since a result computed without it would look complete. */
#include "io/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/glob.h"

static const uint64_t LARGEST_SPLIT = 32u * 1024 * 1024;
static const double SPLIT_SLOP = 1.1; /* a rest of up to this many splits is not split again */

spark_status spk_io_failure(spk_failure *failure, const char *what, const char *path, int error)
{
    char text[128];
    if (error == ENOMEM)
        return spk_failure_nomem(failure, NULL, NULL);
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL, "%s %s: %s", what, path,
        strerror_r(error, text, sizeof text));
}

const char *spk_io_path(const char *path)
{
    if (strncmp(path, "file://", 7) == 0)
        return path + 7;
    return strncmp(path, "file:", 5) == 0 ? path + 5 : path;
}

/* listing: one comma part while it is walked. */
typedef struct listing {
    spk_files files;
    size_t capacity;
    size_t matches; /* files and directories that exist, empty ones included */
} listing;

/* vanished: there is no such thing, or not any more. */
static bool vanished(int error)
{
    return error == ENOENT || error == ENOTDIR;
}

static bool hidden(const char *name)
{
    return name[0] == '_' || name[0] == '.';
}

/* append: takes path over, on failure too. */
static spark_status append(listing *found, char *path, uint64_t size, spk_failure *failure)
{
    if (size == 0 && access(path, R_OK) != 0) { /* no task will open it, and notice */
        spk_io_failure(failure, "cannot read", path, errno);
        free(path);
        return failure->code;
    }
    if (found->files.n == found->capacity) {
        const size_t capacity = found->capacity == 0 ? 8 : 2 * found->capacity;
        spk_file *bigger = realloc(found->files.at, capacity * sizeof *bigger);
        if (bigger == NULL) {
            free(path);
            return spk_failure_nomem(failure, NULL, NULL);
        }
        found->files.at = bigger;
        found->capacity = capacity;
    }
    found->files.at[found->files.n++] = (spk_file) { path, size };
    return SPARK_OK;
}

/* join: directory/name, without doubling a slash; directory may be "". NULL: no memory. */
static char *join(const char *directory, const char *name, size_t length)
{
    const size_t head = strlen(directory);
    const bool slash = head > 0 && directory[head - 1] != '/';
    char *path = malloc(head + slash + length + 1);
    if (path == NULL)
        return NULL;
    memcpy(path, directory, head);
    path[head] = '/';
    memcpy(path + head + slash, name, length);
    path[head + slash + length] = '\0';
    return path;
}

/* each_name: calls f for the names in a directory that are not hidden. */
typedef spark_status each_name(void *state, const char *directory, const char *name, spk_failure *);

static spark_status for_each_name(
    const char *directory, each_name *f, void *state, spk_failure *failure)
{
    const char *listed = directory[0] == '\0' ? "." : directory;
    DIR *stream = opendir(listed);
    if (stream == NULL && vanished(errno))
        return SPARK_OK;
    if (stream == NULL)
        return spk_io_failure(failure, "cannot list", listed, errno);
    spark_status status = SPARK_OK;
    while (status == SPARK_OK) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL && errno != 0)
            status = spk_io_failure(failure, "cannot list", listed, errno);
        if (entry == NULL)
            break;
        if (!hidden(entry->d_name))
            status = f(state, directory, entry->d_name, failure);
    }
    closedir(stream);
    return status;
}

static spark_status not_regular(spk_failure *failure, const char *path)
{
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "Not a file: %s is a device, a pipe or a socket; copy it to a file first", path);
}

/* add_entry: a file of a directory that was named. */
static spark_status add_entry(
    void *state, const char *directory, const char *name, spk_failure *failure)
{
    struct stat info;
    spark_status status = SPARK_OK;
    char *path = join(directory, name, strlen(name));
    if (path == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    if (stat(path, &info) != 0)
        status
            = vanished(errno) ? SPARK_OK : spk_io_failure(failure, "cannot look at", path, errno);
    else if (S_ISREG(info.st_mode))
        return append(state, path, (uint64_t)info.st_size, failure);
    else if (S_ISDIR(info.st_mode))
        status = spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "Not a file: %s is a directory within an input directory; name it, or use a glob",
            path);
    else
        status = not_regular(failure, path);
    free(path);
    return status;
}

/* add: what a pattern has led to, if it exists. Takes path over. */
static spark_status add(listing *found, char *path, spk_failure *failure)
{
    struct stat info;
    spark_status status = SPARK_OK;
    if (stat(path, &info) != 0) {
        if (!vanished(errno))
            status = spk_io_failure(failure, "cannot look at", path, errno);
    } else {
        found->matches++;
        if (S_ISREG(info.st_mode))
            return append(found, path, (uint64_t)info.st_size, failure);
        status = S_ISDIR(info.st_mode) ? for_each_name(path, add_entry, found, failure)
                                       : not_regular(failure, path);
    }
    free(path);
    return status;
}

/* walk: where a pattern goes on from a directory. `component` is what names there must match. */
typedef struct walk {
    listing *found;
    const char *component;
    size_t length;
    const char *rest; /* behind the component and its slashes; "": nothing */
} walk;

static spark_status follow(listing *found, char *path, const char *rest, spk_failure *failure);

static spark_status follow_name(
    void *state, const char *directory, const char *name, spk_failure *failure)
{
    const walk *w = state;
    if (!spk_glob_match(w->component, w->length, name))
        return SPARK_OK;
    char *path = join(directory, name, strlen(name));
    if (path == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    return follow(w->found, path, w->rest, failure);
}

/* follow: the components of `rest` from path, which it takes over. */
static spark_status follow(listing *found, char *path, const char *rest, spk_failure *failure)
{
    while (*rest != '\0') {
        const size_t length = strcspn(rest, "/");
        const char *behind = rest + length + strspn(rest + length, "/");
        if (spk_glob_special(rest, length, "*?[")) {
            walk w = { found, rest, length, behind };
            spark_status status = for_each_name(path, follow_name, &w, failure);
            free(path);
            return status;
        }
        char *longer = join(path, rest, length);
        if (longer != NULL) {
            char *component = longer + strlen(longer) - length;
            component[spk_glob_literal(component, component, length)] = '\0';
        }
        free(path);
        if (longer == NULL)
            return spk_failure_nomem(failure, NULL, NULL);
        path = longer;
        rest = behind;
    }
    return add(found, path, failure);
}

static spark_status list_pattern(void *state, const char *pattern, spk_failure *failure)
{
    if (spk_glob_check(pattern, failure) != SPARK_OK)
        return failure->code;
    char *path = join("", pattern, pattern[0] == '/');
    if (path == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    return follow(state, path, pattern + strspn(pattern, "/"), failure);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const spk_file *)a)->path, ((const spk_file *)b)->path);
}

/* sort_from: the files from `first` on, each once. */
static void sort_from(spk_files *files, size_t first)
{
    if (files->n - first < 2)
        return;
    qsort(files->at + first, files->n - first, sizeof *files->at, by_path);
    size_t kept = first + 1;
    for (size_t i = first + 1; i < files->n; i++)
        if (by_path(&files->at[kept - 1], &files->at[i]) == 0)
            free(files->at[i].path);
        else
            files->at[kept++] = files->at[i];
    files->n = kept;
}

static spark_status list_part(void *state, const char *part, spk_failure *failure)
{
    listing *found = state;
    const size_t first = found->files.n;
    found->matches = 0;
    part = spk_io_path(part);
    spark_status status = spk_glob_braces(part, list_pattern, found, failure);
    if (status != SPARK_OK)
        return status;
    if (found->matches == 0 && spk_glob_special(part, strlen(part), "*?[{"))
        return spk_failure_set(
            failure, SPARK_EIO, NULL, NULL, "Input Pattern %s matches 0 files", part);
    if (found->matches == 0)
        return spk_failure_set(
            failure, SPARK_EIO, NULL, NULL, "Input path does not exist: %s", part);
    sort_from(&found->files, first);
    return SPARK_OK;
}

spark_status spk_files_list(const char *spec, spk_files *files, spk_failure *failure)
{
    listing found = { .capacity = 0 };
    *files = found.files;
    if (spec == NULL)
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "The input path is NULL");
    spark_status status = spk_glob_parts(spec, list_part, &found, failure);
    if (status == SPARK_OK)
        *files = found.files;
    else
        spk_files_free(&found.files);
    return status;
}

void spk_files_free(spk_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->at[i].path);
    free(files->at);
    *files = (spk_files) { NULL, 0 };
}

static uint64_t split_size(const spk_files *files, int min_splits)
{
    uint64_t total = 0;
    for (size_t i = 0; i < files->n; i++)
        total += files->at[i].size;
    const uint64_t goal = total / (uint64_t)(min_splits < 1 ? 1 : min_splits);
    return goal > LARGEST_SPLIT ? LARGEST_SPLIT : goal < 1 ? 1 : goal;
}

/* split_file: the splits of one file, written to `to` unless it is NULL; returns how many. */
static size_t split_file(const spk_file *file, uint64_t size, spk_split *to)
{
    size_t n = 0;
    for (uint64_t start = 0; start < file->size; n++) {
        const uint64_t left = file->size - start;
        const uint64_t end = (double)left / (double)size > SPLIT_SLOP ? start + size : file->size;
        if (to != NULL)
            to[n] = (spk_split) { file, start, end };
        start = end;
    }
    return n;
}

spark_status spk_splits_make(
    const spk_files *files, int min_splits, spk_splits *splits, spk_failure *failure)
{
    const uint64_t size = split_size(files, min_splits);
    size_t n = 0;
    for (size_t i = 0; i < files->n; i++)
        n += split_file(&files->at[i], size, NULL);
    *splits = (spk_splits) { NULL, 0 };
    if (n == 0)
        return SPARK_OK;
    splits->at = n <= SIZE_MAX / sizeof *splits->at ? malloc(n * sizeof *splits->at) : NULL;
    if (splits->at == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    for (size_t i = 0; i < files->n; i++)
        splits->n += split_file(&files->at[i], size, splits->at + splits->n);
    return SPARK_OK;
}

void spk_splits_free(spk_splits *splits)
{
    free(splits->at);
    *splits = (spk_splits) { NULL, 0 };
}
