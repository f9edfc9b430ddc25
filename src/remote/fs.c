/* SPDX-License-Identifier: Apache-2.0 */
/* Which file system a path belongs to, and which of its files a pattern names.
 *
 * File systems stand in a list, the newest first, to which is only added: tasks read it without a lock.
 * The walk is that of io/files.c, but that a directory tells all of its entries, with their sizes, at
 * once: asking for each would be a request a file. */
#include "remote/fs.h"

#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/sys.h"
#include "exec/task.h"
#include "io/codec.h"
#include "io/glob.h"
#include "io/local_dir.h"
#include "plan/context.h"
#include "remote/send.h"
#include "storage/spill.h"

typedef struct entry entry;
struct entry {
    const entry *next;
    spark_fs fs;
    void *env;
    const spark_context *sc;
    char scheme[32];
};

typedef struct schemes {
    spk_elsewhere head;
    const spark_context *sc;
    _Atomic(const entry *) first;
} schemes;

/* ---- calls ---- */

bool spark_fs_fail(spark_fs_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    spk_failure_vset(call->failure, SPARK_EIO, NULL, NULL, format, args);
    va_end(args);
    call->missing = call->again = false;
    return false;
}

bool spark_fs_missing(spark_fs_call *call)
{
    spk_failure_set(call->failure, SPARK_EIO, NULL, NULL, "no such file");
    call->missing = true;
    call->again = false;
    return false;
}

bool spk_fs_nomem(spark_fs_call *call)
{
    spk_failure_nomem(call->failure, NULL, NULL);
    call->missing = call->again = false;
    return false;
}

bool spark_fs_unwanted(const spark_fs_call *call)
{
    spark_task *task = spk_task_current();
    (void)call;
    return task && spk_task_over(task);
}

bool spk_fs_pause(spark_fs_call *call, int ms)
{
    enum { LOOK_EVERY = 20 };
    for (; ms > 0 && !spark_fs_unwanted(call); ms -= LOOK_EVERY) {
        const struct timespec moment = { 0, (ms < LOOK_EVERY ? ms : LOOK_EVERY) * 1000000L };
        nanosleep(&moment, NULL);
    }
    return !spark_fs_unwanted(call);
}

/* ---- files that are read ---- */

/* remote_file: the data of a spk_file. */
typedef struct remote_file {
    const entry *of;
    spark_fs_info info;
    char version[]; /* or "" */
} remote_file;

typedef struct remote_stream {
    const spark_fs *fs;
    void *stream;
    const char *path;
} remote_stream;

/* explain: a file that was there when it was listed. */
static void explain(const char *path, const spark_fs_call *call)
{
    if (call->missing)
        spk_failure_set(call->failure, SPARK_EIO, NULL, NULL,
            "%s is not there any more; it was when files were listed", path);
}

static void *remote_open(const spk_file *file, uint64_t from, uint64_t to, const spk_watch *watch,
    spk_failure *failure)
{
    (void)watch; /* calls know their task */
    const remote_file *f = file->data;
    spark_fs_call call = { .failure = failure };
    remote_stream *s = malloc(sizeof *s);
    if (!s) {
        spk_failure_nomem(failure, NULL, NULL);
        return NULL;
    }
    const uint64_t end = to < file->size ? to : file->size;
    *s = (remote_stream) { &f->of->fs, f->of->fs.open(f->of->env, file->path, from, end, &f->info, &call),
        file->path };
    if (s->stream) {
        failure->code = SPARK_OK;
        return s;
    }
    explain(file->path, &call);
    free(s);
    return NULL;
}

static size_t remote_read(void *stream, char *to, size_t n, spk_failure *failure)
{
    remote_stream *s = stream;
    spark_fs_call call = { .failure = failure };
    const int64_t got = s->fs->read(s->stream, to, n, &call);
    if (got >= 0) {
        failure->code = SPARK_OK; /* it may have failed, and gone well then */
        return (size_t)got;
    }
    explain(s->path, &call);
    return SIZE_MAX;
}

static void remote_close(void *stream)
{
    remote_stream *s = stream;
    s->fs->close(s->stream);
    free(s);
}

static const spk_source source = { remote_open, remote_read, remote_close, free, NULL };

/* ---- compressed files: all of one is kept in an unnamed file of this machine, which is whole when it is there, then
 * unpacked as those of this machine are ---- */

/* fetch: into a descriptor. */
static bool fetch(const spk_file *file, int fd, spk_failure *failure)
{
    enum { PIECE = 64 * 1024 };
    spk_file raw = *file;
    size_t n = 1;
    raw.size = file->packed;
    char *piece = malloc(PIECE);
    void *stream = piece ? remote_open(&raw, 0, raw.size, NULL, failure) : NULL;
    bool good = stream != NULL;
    if (!piece)
        spk_failure_nomem(failure, NULL, NULL);
    while (good && (n = remote_read(stream, piece, PIECE, failure)) > 0 && n != SIZE_MAX)
        for (size_t at = 0; good && at < n;) {
            const ssize_t some = spk_write(fd, piece + at, n - at);
            if (some < 0 && errno != EINTR)
                good = spk_io_failure(failure, "cannot keep what comes of", file->path, errno) == SPARK_OK;
            at += some > 0 ? (size_t)some : 0;
        }
    if (stream)
        remote_close(stream);
    free(piece);
    return good && n == 0;
}

static void *packed_open(const spk_file *file, uint64_t from, uint64_t to, const spk_watch *watch,
    spk_failure *failure)
{
    const remote_file *f = file->data;
    char directory[SPK_PATH];
    void *stream = NULL;
    int fd = -1;
    (void)from, (void)to;
    for (unsigned i = 0; fd < 0 && spk_local_directory(f->of->sc->local_dir, i, directory); i++)
        fd = spk_unnamed_file(directory, "cannot keep a file in", failure);
    if (fd < 0)
        return NULL;
    if (fetch(file, fd, failure)) {
        lseek(fd, 0, SEEK_SET);
        failure->code = SPARK_OK;
        stream = spk_codec_open_fd(file, fd, watch, failure);
    }
    close(fd);
    return stream;
}

static size_t packed_read(void *stream, char *to, size_t n, spk_failure *failure)
{
    return spk_codec_source.read(stream, to, n, failure);
}

static void packed_close(void *stream)
{
    spk_codec_source.close(stream);
}

static const spk_source packed = { packed_open, packed_read, packed_close, free, &source };

/* ---- listing ---- */

typedef struct walk {
    const entry *of;
    struct spk_listing *to;
    size_t matches;
} walk;

bool spark_fs_found(spark_fs_call *call, const spark_fs_info *info)
{
    const size_t name = strlen(info->name) + 1, version = info->version ? strlen(info->version) + 1 : 0;
    spk_item *i = malloc(sizeof *i + name + version);
    if (!i)
        return spk_fs_nomem(call);
    i->next = NULL;
    i->info = *info;
    i->info.name = i->text;
    i->info.version = version ? i->text + name : NULL;
    memcpy(i->text, info->name, name);
    if (version)
        memcpy(i->text + name, info->version, version);
    *call->found->last = i;
    call->found->last = &i->next;
    return true;
}

void spk_fs_forget(spk_found *found)
{
    for (spk_item *i = found->first, *next; i; i = next) {
        next = i->next;
        free(i);
    }
    found->first = NULL;
}

/* add_file: takes path over. */
static spark_status add_file(
    const walk *w, char *path, const spark_fs_info *info, bool of_directory, spk_failure *failure)
{
    const size_t version = info->version ? strlen(info->version) + 1 : 1;
    remote_file *f = malloc(sizeof *f + version);
    if (!f) {
        free(path);
        return spk_failure_nomem(failure, NULL, NULL);
    }
    f->of = w->of;
    f->info = *info;
    f->info.name = NULL;
    memcpy(f->version, info->version ? info->version : "", version);
    f->info.version = info->version ? f->version : NULL;
    spk_file file = { .path = path,
        .size = info->whole ? SPK_TO_END : info->bytes,
        .fd = -1,
        .of_directory = of_directory,
        .source = &source,
        .data = f };
    if (file.size > 0 && spk_codec_of(path)) {
        file.source = &packed;
        file.packed = file.size;
        file.size = SPK_TO_END;
    }
    return spk_listing_add(w->to, &file, failure);
}

/* join: directory/name. NULL: no memory. */
static char *join(const char *directory, const char *name, size_t n)
{
    const size_t head = strlen(directory);
    const bool slash = head > 0 && directory[head - 1] != '/';
    char *path = malloc(head + slash + n + 1);
    if (!path)
        return NULL;
    memcpy(path, directory, head);
    path[head] = '/';
    memcpy(path + head + slash, name, n);
    path[head + slash + n] = '\0';
    return path;
}

static bool hidden(const char *name)
{
    return name[0] == '_' || name[0] == '.';
}

bool spk_fs_list(
    const spark_fs *fs, void *env, const char *path, spk_found *found, spark_fs_call *call)
{
    call->found = found;
    *found = (spk_found) { NULL, &found->first };
    if (fs->list(env, path, call) || call->missing)
        return true;
    spk_fs_forget(found);
    return false;
}

/* list: the entries of a directory; one that is not there has none. */
static spark_status list(const walk *w, const char *path, spk_found *found, spk_failure *failure)
{
    spark_fs_call call = { .failure = failure };
    return spk_fs_list(&w->of->fs, w->of->env, path, found, &call) ? SPARK_OK : failure->code;
}

static spark_status add_directory(const walk *w, const char *path, spk_failure *failure);

/* add_below: what is in a directory that is read. */
static spark_status add_below(
    const walk *w, const char *directory, const spark_fs_info *info, spk_failure *failure)
{
    const spk_entry kind = spk_listing_entry(w->to, info->name, info->directory);
    spark_status status;
    if (kind == SPK_ENTRY_HIDDEN)
        return SPARK_OK;
    char *path = join(directory, info->name, strlen(info->name));
    if (!path)
        return spk_failure_nomem(failure, NULL, NULL);
    if (kind == SPK_ENTRY_FILE)
        return add_file(w, path, info, true, failure);
    if (kind == SPK_ENTRY_KEY) {
        status = spk_listing_enter(w->to, path, failure);
        if (status == SPARK_OK)
            status = add_directory(w, path, failure);
        spk_listing_leave(w->to);
    } else {
        status = spk_listing_refuse(path, failure);
    }
    free(path);
    return status;
}

static spark_status add_directory(const walk *w, const char *path, spk_failure *failure)
{
    spk_found found;
    spark_status status = list(w, path, &found, failure);
    for (const spk_item *i = found.first; i && status == SPARK_OK; i = i->next)
        status = add_below(w, path, &i->info, failure);
    spk_fs_forget(&found);
    return status;
}

/* add: what a pattern has led to; info NULL: not looked at yet. Takes path over. */
static spark_status add(walk *w, char *path, const spark_fs_info *info, spk_failure *failure)
{
    spark_fs_call call = { .failure = failure };
    spark_fs_info asked = { .bytes = SPARK_FS_NO_SIZE };
    spark_status status = SPARK_OK;
    if (!info && !w->of->fs.stat(w->of->env, path, &asked, &call)) {
        free(path);
        return call.missing ? SPARK_OK : failure->code;
    }
    info = info ? info : &asked;
    w->matches++;
    if (!info->directory)
        return add_file(w, path, info, false, failure);
    status = add_directory(w, path, failure);
    free(path);
    return status;
}

static spark_status follow(
    walk *w, char *path, const spark_fs_info *info, const char *rest, spk_failure *failure);

/* follow_names: those of a directory that match a component. Takes path over. */
static spark_status follow_names(
    walk *w, char *path, const char *component, size_t n, const char *rest, spk_failure *failure)
{
    spk_found found;
    spark_status status = list(w, path, &found, failure);
    for (const spk_item *i = found.first; i && status == SPARK_OK; i = i->next) {
        if ((*rest ? !i->info.directory : hidden(i->info.name))
            || !spk_glob_match(component, n, i->info.name))
            continue;
        char *inner = join(path, i->info.name, strlen(i->info.name));
        status = inner ? follow(w, inner, &i->info, rest, failure)
                       : spk_failure_nomem(failure, NULL, NULL);
    }
    spk_fs_forget(&found);
    free(path);
    return status;
}

/* follow: the components of `rest` from path, which it takes over. */
static spark_status follow(
    walk *w, char *path, const spark_fs_info *info, const char *rest, spk_failure *failure)
{
    while (*rest) {
        const size_t n = strcspn(rest, "/");
        const char *behind = rest + n + strspn(rest + n, "/");
        if (spk_glob_special(rest, n, "*?["))
            return follow_names(w, path, rest, n, behind, failure);
        char *longer = join(path, rest, n);
        if (longer) {
            char *component = longer + strlen(longer) - n;
            component[spk_glob_literal(component, component, n)] = '\0';
        }
        free(path);
        if (!longer)
            return spk_failure_nomem(failure, NULL, NULL);
        path = longer;
        rest = behind;
        info = NULL;
    }
    return add(w, path, info, failure);
}

/* list_pattern: scheme and host are what they are; the rest is walked along, where there are directories. */
static spark_status list_pattern(void *state, const char *pattern, spk_failure *failure)
{
    walk *w = state;
    const size_t scheme = strlen(w->of->scheme) + 3;
    const size_t root
        = w->of->fs.list ? scheme + strcspn(pattern + scheme, "/") : strlen(pattern);
    if (w->of->fs.list && spk_glob_check(pattern, failure) != SPARK_OK)
        return failure->code;
    char *path = join("", pattern, root);
    if (!path)
        return spk_failure_nomem(failure, NULL, NULL);
    path[spk_glob_literal(path, path, root)] = '\0';
    const char *rest = pattern + root;
    return follow(w, path, NULL, rest + strspn(rest, "/"), failure);
}

/* missing: a plain path, shown without its backslashes. */
static spark_status missing(const char *part, spk_failure *failure)
{
    char *path = malloc(strlen(part) + 1);
    if (!path)
        return spk_failure_nomem(failure, NULL, NULL);
    path[spk_glob_literal(path, part, strlen(part))] = '\0';
    spk_failure_set(failure, SPARK_EIO, NULL, NULL, "Input path does not exist: %s", path);
    free(path);
    return failure->code;
}

/* entry_of: whose a path is; NULL: nobody's. */
static const entry *entry_of(const schemes *all, const char *path)
{
    const char *colon = strstr(path, "://");
    for (const entry *e = atomic_load(&all->first); e && colon; e = e->next)
        if (strlen(e->scheme) == (size_t)(colon - path)
            && strncasecmp(e->scheme, path, (size_t)(colon - path)) == 0)
            return e;
    return NULL;
}

static spark_status schemes_list(spk_elsewhere *elsewhere, const char *part,
    struct spk_listing *found, bool *known, spk_failure *failure)
{
    walk w = { .of = entry_of((schemes *)elsewhere, part), .to = found };
    *known = w.of != NULL;
    if (!w.of)
        return SPARK_OK;
    const spark_status status = spk_glob_braces(part, list_pattern, &w, failure);
    if (status != SPARK_OK || w.matches > 0)
        return status;
    if (w.of->fs.list && spk_glob_special(part, strlen(part), "*?[{"))
        return spk_failure_set(
            failure, SPARK_EIO, NULL, NULL, "Input Pattern %s matches 0 files", part);
    return missing(part, failure);
}

/* ---- saving ---- */

enum { ON_ERROR = 0, APPEND, OVERWRITE, IGNORE };

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind;
    if (at->level > 0)
        remove(path);
    return 0;
}

/* allowed: whether a mode lets one save there; *skip: there is nothing to be done. */
static bool allowed(const entry *e, const char *path, int mode, bool *skip, spark_fs_call *call)
{
    spark_fs_info info;
    *skip = false;
    if (!e->fs.create)
        return spark_fs_fail(call, "%s: files of %s:// can only be read", path, e->scheme);
    if (mode == OVERWRITE && !e->fs.remove)
        return spark_fs_fail(call, "%s: files of %s:// cannot be overwritten", path, e->scheme);
    if (mode == APPEND)
        return true;
    const bool there = e->fs.stat(e->env, path, &info, call);
    if (!there && !call->missing)
        return false;
    *skip = there && mode == IGNORE;
    return !there || mode != ON_ERROR
        || spark_fs_fail(call, "Output directory %s already exists", path);
}

/* save: through a directory of this machine. */
static bool save(const schemes *all, const entry *e, const char *path, int mode, spk_save_local *run,
    void *state, spark_fs_call *call)
{
    enum { DESCRIPTORS = 16 };
    char parent[SPK_PATH] = "", *own, *out = NULL;
    int lock;
    for (unsigned i = 0; spk_local_directory(all->sc->local_dir, i, parent) && access(parent, W_OK) != 0; i++)
        ;
    if (spk_local_dir_make(parent, &own, &lock, call->failure) != SPARK_OK)
        return false;
    if (asprintf(&out, "%s/out", own) < 0)
        out = NULL;
    const bool good = out ? run(state, out, call->failure) == SPARK_OK
            && spk_send_directory(&e->fs, e->env, out, path,
                mode == OVERWRITE    ? SPK_SEND_INSTEAD
                    : mode == APPEND ? SPK_SEND_BESIDE
                                     : SPK_SEND_NEW,
                call)
                          : spk_fs_nomem(call);
    free(out);
    nftw(own, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    spk_local_dir_end(own, lock);
    return good;
}

static spark_status schemes_save(spk_elsewhere *elsewhere, const char *path, int mode,
    spk_save_local *run, void *state, bool *known, spk_failure *failure)
{
    const schemes *all = (schemes *)elsewhere;
    const entry *e = entry_of(all, path);
    spark_fs_call call = { .failure = failure };
    char *plain = strdup(path);
    bool skip = true, good = true;
    *known = e != NULL;
    if (!plain)
        good = spk_fs_nomem(&call);
    for (size_t n = plain ? strlen(plain) : 0; n > 0 && plain[n - 1] == '/'; n--)
        plain[n - 1] = '\0';
    if (e && good)
        good = allowed(e, plain, mode, &skip, &call);
    if (good && !skip)
        good = save(all, e, plain, mode, run, state, &call);
    free(plain);
    return good || !e ? SPARK_OK : failure->code;
}

/* ---- registering ---- */

static void schemes_end(spk_elsewhere *elsewhere)
{
    schemes *all = (schemes *)elsewhere;
    const entry *e = atomic_load(&all->first);
    while (e) {
        const entry *next = e->next;
        void *memory;
        if (e->fs.free)
            e->fs.free(e->env);
        memcpy(&memory, &e, sizeof memory);
        free(memory);
        e = next;
    }
    free(all);
}

static bool is_scheme(const char *scheme)
{
    size_t n = 0;
    for (; scheme[n]; n++)
        if (!isalnum((unsigned char)scheme[n]) && !strchr("+-.", scheme[n]))
            return false;
    return n > 0 && n < sizeof((entry *)NULL)->scheme && isalpha((unsigned char)*scheme)
        && strcasecmp(scheme, "file") != 0;
}

static const char *complaint(spark_context *sc, const char *scheme, const spark_fs *fs)
{
    if (!sc)
        return "the context is NULL";
    if (!scheme || !is_scheme(scheme))
        return "a scheme is a letter, then letters, digits, + - or . , 31 at most, and not \"file\"";
    if (!fs || !fs->stat || !fs->open || !fs->read || !fs->close)
        return "stat, open, read and close must be there";
    return fs->create && (!fs->write || !fs->prepare || !fs->publish || !fs->discard)
        ? "with create, write, prepare, publish and discard must be there"
        : NULL;
}

/* add_entry: false: no memory. */
static bool add_entry(spark_context *sc, const char *scheme, const spark_fs *fs, void *env)
{
    entry *e = calloc(1, sizeof *e);
    schemes *all = (schemes *)sc->elsewhere;
    if (!e)
        return false;
    if (!all && (all = calloc(1, sizeof *all)) != NULL) {
        all->head = (spk_elsewhere) { schemes_list, schemes_end, schemes_save };
        all->sc = sc;
        sc->elsewhere = &all->head;
    }
    if (!all) {
        free(e);
        return false;
    }
    e->fs = *fs;
    e->env = env;
    e->sc = sc;
    snprintf(e->scheme, sizeof e->scheme, "%s", scheme);
    e->next = atomic_load(&all->first);
    atomic_store(&all->first, e);
    return true;
}

spark_status spark_register_fs(spark_context *sc, const char *scheme, const spark_fs *fs, void *env)
{
    const char *wrong = complaint(sc, scheme, fs);
    spark_status status = SPARK_OK;
    if (wrong) {
        status = spk_raisef(SPARK_EINVAL, "register_fs", NULL, "register_fs: %s", wrong);
    } else if (sc->error) {
        status = spk_raise(sc->error);
    } else {
        SPK_AT(sc->place);
        pthread_mutex_lock(&sc->scope_lock);
        const bool added = add_entry(sc, scheme, fs, env);
        pthread_mutex_unlock(&sc->scope_lock);
        if (!added)
            status = spk_raisef(SPARK_ENOMEM, "register_fs", NULL, "out of memory");
    }
    if (status != SPARK_OK && fs && fs->free)
        fs->free(env);
    return status;
}
