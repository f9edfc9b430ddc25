/* SPDX-License-Identifier: Apache-2.0 */
/* Which files an input path names.
 *
 * A path is cut at its commas, its braces are multiplied out (both in glob.c), and each pattern is
 * walked component by component: plain components are only appended, the others list the directory
 * so far and go on for each name that matches. What the walk arrives at is a file, or a directory
 * that stands for its files. The files of one comma part are then sorted, and those found twice
 * dropped.
 *
 * Nothing is skipped in silence but hidden names and what vanished meanwhile: a directory within
 * a directory (but for those named key=value, where the reader knows them) or a device is an error,
 * since a result computed without it would look complete.
 *
 * Files of /proc and /sys say 0 bytes, or a page, whatever they hold. What says that it is empty, or
 * takes no space on disk, is asked for its last byte. */
#include "base/small.h"

#include "io/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/codec.h"
#include "io/glob.h"

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

/* spk_listing: one comma part while it is walked. */
struct spk_listing {
    spk_files files;
    size_t capacity;
    size_t matches; /* files and directories that exist, empty ones included */
    spk_elsewhere *elsewhere;
    bool keyed;     /* directories named key=value are looked through */
    unsigned depth; /* of those that are */
};
typedef struct spk_listing spk_listing;

enum { DEEPEST = 64 };

/* vanished: there is no such thing, or not any more. */
static bool vanished(int error)
{
    return error == ENOENT || error == ENOTDIR;
}

static bool hidden(const char *name)
{
    return name[0] == '_' || name[0] == '.';
}

spk_entry spk_listing_entry(const spk_listing *found, const char *name, bool directory)
{
    const bool key = directory && found->keyed && name[0] != '=' && strchr(name, '=');
    if (name[0] == '.' || (name[0] == '_' && !key)) /* the column _c0 has directories that are not hidden */
        return SPK_ENTRY_HIDDEN;
    if (!directory)
        return SPK_ENTRY_FILE;
    return key ? SPK_ENTRY_KEY : SPK_ENTRY_REFUSED;
}

spark_status spk_listing_enter(spk_listing *found, const char *path, spk_failure *failure)
{
    if (found->depth++ < DEEPEST)
        return SPARK_OK;
    return spk_failure_set(
        failure, SPARK_EIO, NULL, NULL, "directories named key=value are in each other without end: %s", path);
}

void spk_listing_leave(spk_listing *found)
{
    found->depth--;
}

spark_status spk_listing_refuse(const char *path, spk_failure *failure)
{
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "Not a file: %s " SPK_IN_INPUT "; name it, or use a glob", path);
}

/* is_dots: the directory itself, or the one above. */
static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* true_size: SPK_TO_END where a size is claimed only. A file that says it is empty, no task will
 * open, and notice that it may not. */
static spark_status true_size(
    const char *path, const struct stat *info, uint64_t *size, spk_failure *failure)
{
    enum { MOST_CLAIMED = 64 * 1024 };
    char byte;
    *size = (uint64_t)info->st_size;
    if (*size > MOST_CLAIMED || (*size > 0 && info->st_blocks > 0))
        return SPARK_OK;
    const int fd = spk_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    ssize_t n = -1;
    if (fd >= 0)
        n = spk_pread(fd, &byte, 1, *size > 0 ? (off_t)*size - 1 : 0);
    if (fd >= 0 && n < 0 && errno == ESPIPE)
        n = spk_read(fd, &byte, 1);
    const int error = n < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (error != 0 && error != EAGAIN)
        return spk_io_failure(failure, "cannot read", path, error);
    if (*size > 0 ? n == 0 : n != 0)
        *size = SPK_TO_END;
    return SPARK_OK;
}

/* drop: what a file holds. */
static void drop(const spk_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->source && file->source->release)
        file->source->release(file->data);
    free(file->path);
}

spark_status spk_listing_add(spk_listing *found, const spk_file *file, spk_failure *failure)
{
    if (found->files.n == found->capacity) {
        const size_t capacity = found->capacity == 0 ? 8 : 2 * found->capacity;
        spk_file *bigger = realloc(found->files.at, capacity * sizeof *bigger);
        if (bigger == NULL) {
            drop(file);
            return spk_failure_nomem(failure, NULL, NULL);
        }
        found->files.at = bigger;
        found->capacity = capacity;
    }
    found->files.at[found->files.n++] = *file;
    return SPARK_OK;
}

/* append: takes path over, on failure too. */
static spark_status append(spk_listing *found, char *path, uint64_t size, spk_failure *failure)
{
    return spk_listing_add(found, &(spk_file) { .path = path, .size = size, .fd = -1 }, failure);
}

/* append_file: a regular one; takes path over. */
SPK_COLD static spark_status append_file(
    spk_listing *found, char *path, const struct stat *info, spk_failure *failure)
{
    spk_file file = { .path = path, .fd = -1 };
    if (true_size(path, info, &file.size, failure) != SPARK_OK) {
        free(path);
        return failure->code;
    }
    if (file.size > 0 && spk_codec_of(path)) {
        file.source = &spk_codec_source;
        file.packed = file.size;
        file.size = SPK_TO_END;
    }
    return spk_listing_add(found, &file, failure);
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

/* each_name: calls f for the names in a directory; all: also for hidden ones, as in the middle of a path, where
 * Hadoop's filter looks at the last name alone. */
typedef spark_status each_name(void *state, const char *directory, const char *name, spk_failure *);

static spark_status for_each_name(
    const char *directory, bool all, each_name *f, void *state, spk_failure *failure)
{
    const char *listed = directory[0] == '\0' ? "." : directory;
    DIR *stream = spk_opendir(listed);
    if (stream == NULL && vanished(errno))
        return SPARK_OK;
    if (stream == NULL)
        return spk_io_failure(failure, "cannot list", listed, errno);
    spark_status status = SPARK_OK;
    while (status == SPARK_OK) {
        errno = 0;
        const struct dirent *entry = spk_readdir(stream);
        if (entry == NULL && errno != 0)
            status = spk_io_failure(failure, "cannot list", listed, errno);
        if (entry == NULL)
            break;
        if (all ? !is_dots(entry->d_name) : !hidden(entry->d_name))
            status = f(state, directory, entry->d_name, failure);
    }
    closedir(stream);
    return status;
}

static spark_status not_regular(spk_failure *failure, const char *path, mode_t mode)
{
    const char *what = S_ISSOCK(mode) ? "a socket"
        : S_ISFIFO(mode)              ? "a pipe"
                                      : "a device";
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "Not a file: %s is %s; copy what it gives to a file first", path, what);
}

static bool is_null_device(const struct stat *info)
{
    struct stat null;
    return S_ISCHR(info->st_mode) && spk_stat("/dev/null", &null) == 0 && S_ISCHR(null.st_mode)
        && null.st_rdev == info->st_rdev;
}

static bool is_terminal(const char *path)
{
    const int fd = spk_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
    const bool terminal = fd >= 0 && isatty(fd);
    if (fd >= 0)
        close(fd);
    return terminal;
}

/* append_other: neither a file nor a directory, and named itself: what has an end can be read. Takes
 * path over. */
static spark_status append_other(
    spk_listing *found, char *path, const struct stat *info, spk_failure *failure)
{
    if (is_null_device(info))
        return append(found, path, 0, failure);
    if (!S_ISFIFO(info->st_mode) && !(S_ISCHR(info->st_mode) && is_terminal(path))) {
        not_regular(failure, path, info->st_mode);
        free(path);
        return failure->code;
    }
    const spark_status status = append(found, path, 0, failure);
    if (status == SPARK_OK)
        found->files.at[found->files.n - 1].stream = true;
    return status;
}

static spark_status append_of_directory(
    spk_listing *found, char *path, const struct stat *info, spk_failure *failure)
{
    const spark_status status = append_file(found, path, info, failure);
    if (status == SPARK_OK)
        found->files.at[found->files.n - 1].of_directory = true;
    return status;
}

static spark_status add_directory(spk_listing *found, const char *path, spk_failure *failure);

/* add_entry: what is in a directory that is read. */
SPK_COLD static spark_status add_entry(
    void *state, const char *directory, const char *name, spk_failure *failure)
{
    struct stat info;
    spk_listing *found = state;
    spark_status status = SPARK_OK;
    if (spk_listing_entry(found, name, true) == SPK_ENTRY_HIDDEN)
        return SPARK_OK;
    char *path = join(directory, name, strlen(name));
    if (path == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    if (spk_stat(path, &info) != 0)
        status
            = vanished(errno) ? SPARK_OK : spk_io_failure(failure, "cannot look at", path, errno);
    else
        switch (spk_listing_entry(found, name, S_ISDIR(info.st_mode))) {
        case SPK_ENTRY_HIDDEN:
            break;
        case SPK_ENTRY_FILE:
            if (S_ISREG(info.st_mode))
                return append_of_directory(found, path, &info, failure);
            status = not_regular(failure, path, info.st_mode);
            break;
        case SPK_ENTRY_KEY:
            status = spk_listing_enter(found, path, failure);
            if (status == SPARK_OK)
                status = add_directory(found, path, failure);
            spk_listing_leave(found);
            break;
        default:
            status = spk_listing_refuse(path, failure);
        }
    free(path);
    return status;
}

static spark_status add_directory(spk_listing *found, const char *path, spk_failure *failure)
{
    return for_each_name(path, true, add_entry, found, failure);
}

/* add: what a pattern has led to, if it exists. Takes path over. */
static spark_status add(spk_listing *found, char *path, spk_failure *failure)
{
    struct stat info;
    spark_status status = SPARK_OK;
    if (spk_stat(path, &info) != 0) {
        if (!vanished(errno))
            status = spk_io_failure(failure, "cannot look at", path, errno);
    } else {
        found->matches++;
        if (S_ISREG(info.st_mode))
            return append_file(found, path, &info, failure);
        if (!S_ISDIR(info.st_mode))
            return append_other(found, path, &info, failure);
        status = add_directory(found, path, failure);
    }
    free(path);
    return status;
}

/* walk: where a pattern goes on from a directory. `component` is what names there must match. */
typedef struct walk {
    spk_listing *found;
    const char *component;
    size_t length;
    const char *rest; /* behind the component and its slashes; "": nothing */
} walk;

static spark_status follow(spk_listing *found, char *path, const char *rest, spk_failure *failure);

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
static spark_status follow(spk_listing *found, char *path, const char *rest, spk_failure *failure)
{
    while (*rest != '\0') {
        const size_t length = strcspn(rest, "/");
        const char *behind = rest + length + strspn(rest + length, "/");
        if (spk_glob_special(rest, length, "*?[")) {
            walk w = { found, rest, length, behind };
            spark_status status = for_each_name(path, *behind != '\0', follow_name, &w, failure);
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
            drop(&files->at[i]);
        else
            files->at[kept++] = files->at[i];
    files->n = kept;
}

/* missing: a plain path, shown without its backslashes. */
static spark_status missing(const char *part, spk_failure *failure)
{
    char *path = malloc(strlen(part) + 1);
    if (path == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    path[spk_glob_literal(path, part, strlen(part))] = '\0';
    spk_failure_set(failure, SPARK_EIO, NULL, NULL, "Input path does not exist: %s%s", path,
        !strstr(path, "://")
            ? ""
            : "; " SPK_NO_SCHEME);
    free(path);
    return failure->code;
}

static spark_status list_part(void *state, const char *part, spk_failure *failure)
{
    spk_listing *found = state;
    const size_t first = found->files.n;
    bool known = false;
    found->matches = 0;
    if (found->elsewhere) {
        spark_status there = found->elsewhere->list(found->elsewhere, part, found, &known, failure);
        if (there == SPARK_OK && known)
            sort_from(&found->files, first);
        if (there != SPARK_OK || known)
            return there;
    }
    part = spk_io_path(part);
    spark_status status = spk_glob_braces(part, list_pattern, found, failure);
    if (status != SPARK_OK)
        return status;
    if (found->matches == 0 && spk_glob_special(part, strlen(part), "*?[{"))
        return spk_failure_set(
            failure, SPARK_EIO, NULL, NULL, "Input Pattern %s matches 0 files", part);
    if (found->matches == 0)
        return missing(part, failure);
    sort_from(&found->files, first);
    return SPARK_OK;
}

/* hint: the whole path may be a file's name, with signs in it that mean something else here. Who
 * writes a backslash knows that. */
static void hint(const char *spec, spk_failure *failure)
{
    const char sign = spec[strcspn(spec, ",*?[{")];
    if (failure->code != SPARK_ENOMEM && sign && !strchr(spec, '\\') && access(spec, F_OK) == 0)
        spk_failure_end(failure, "; there is a file of this name: spark_path_literal names it");
}

static spark_status list_spec(
    const char *spec, spk_listing *found, spk_files *files, spk_failure *failure)
{
    *files = found->files;
    if (spec == NULL)
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "The input path is NULL");
    spark_status status = spk_glob_parts(spec, list_part, found, failure);
    if (status == SPARK_OK)
        *files = found->files;
    else {
        hint(spec, failure);
        spk_files_free(&found->files);
    }
    return status;
}

spark_status spk_files_list(
    const char *spec, spk_elsewhere *elsewhere, spk_files *files, spk_failure *failure)
{
    return list_spec(spec, &(spk_listing) { .elsewhere = elsewhere }, files, failure);
}

spark_status spk_files_list_keyed(
    const char *spec, spk_elsewhere *elsewhere, spk_files *files, spk_failure *failure)
{
    return list_spec(
        spec, &(spk_listing) { .elsewhere = elsewhere, .keyed = true }, files, failure);
}

void spk_files_raw(spk_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        if (files->at[i].source == &spk_codec_source
            || (files->at[i].source && files->at[i].source->raw)) {
            files->at[i].source = files->at[i].source->raw;
            files->at[i].size = files->at[i].packed;
            files->at[i].packed = 0;
        }
}

void spk_files_free(spk_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        drop(&files->at[i]);
    free(files->at);
    *files = (spk_files) { NULL, 0 };
}
