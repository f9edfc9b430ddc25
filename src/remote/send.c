/* SPDX-License-Identifier: Apache-2.0 */
/* Saving to another machine. A job writes to a directory of this machine, as every job does, so that attempts,
 * codecs and directories for values need no second way. When all tasks have ended its files are sent, and lie
 * there unseen (uploads that are not completed, files below _temporary), a few of them at a time, each by a
 * thread; only when all of them are there does one
 * after the other appear, and _SUCCESS last. What fails before that leaves nothing; what fails after, takes
 * back those that have appeared. */
#include "remote/send.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/signals.h"
#include "base/sys.h"
#include "remote/text.h"

/* AT_ONCE: files that are sent. */
enum { PIECE = 256 * 1024, DEEPEST = 64, AT_ONCE = 4, STACK = 512 * 1024 };

/* sent: a file on its way. */
typedef struct sent {
    char *name; /* below the directory */
    void *file; /* of the file system; NULL: not sent yet, or published */
    bool seen;
} sent;

typedef struct sending {
    const spark_fs *fs;
    void *env;
    const char *local, *path;
    sent *at;
    size_t n, capacity;
    spark_fs_call *call;
} sending;

static bool nomem(const sending *s)
{
    return spk_fs_nomem(s->call);
}

static char *below(const char *directory, const char *name)
{
    char *path = malloc(strlen(directory) + strlen(name) + 2);
    if (path)
        sprintf(path, "%s/%s", directory, name);
    return path;
}

/* ---- what is to be sent ---- */

/* add: takes the name over. */
static bool add(sending *s, char *name)
{
    if (s->n == s->capacity) {
        const size_t capacity = s->capacity ? 2 * s->capacity : 16;
        sent *larger = realloc(s->at, capacity * sizeof *larger);
        if (!larger) {
            free(name);
            return nomem(s);
        }
        s->at = larger;
        s->capacity = capacity;
    }
    s->at[s->n++] = (sent) { name, NULL, false };
    return true;
}

static bool gather(sending *s, const char *inner, int depth);

static bool gather_one(sending *s, const char *inner, const char *name, int depth)
{
    struct stat info;
    char *within = *inner ? below(inner, name) : strdup(name);
    char *path = within ? below(s->local, within) : NULL;
    bool good = path != NULL || nomem(s);
    if (good && spk_stat(path, &info) != 0) {
        spk_io_failure(s->call->failure, "cannot look at", path, errno);
        good = false;
    }
    free(path);
    if (good && S_ISDIR(info.st_mode))
        good = depth < DEEPEST ? gather(s, within, depth + 1)
                               : spark_fs_fail(s->call, "%s: directories are too deep", within);
    else if (good)
        return add(s, within);
    free(within);
    return good;
}

/* gather: all files below the local directory, but those that a reader does not see. */
static bool gather(sending *s, const char *inner, int depth)
{
    char *path = *inner ? below(s->local, inner) : strdup(s->local);
    DIR *dir = path ? spk_opendir(path) : NULL;
    const struct dirent *entry;
    bool good = true;
    if (!path) {
        good = nomem(s);
    } else if (!dir) {
        spk_io_failure(s->call->failure, "cannot list", path, errno);
        good = false;
    }
    while (good && (errno = 0, entry = spk_readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && (entry->d_name[0] != '_' || strchr(entry->d_name, '=')))
            good = gather_one(s, inner, entry->d_name, depth);
    if (good && errno != 0) {
        spk_io_failure(s->call->failure, "cannot list", path, errno);
        good = false;
    }
    if (dir)
        closedir(dir);
    free(path);
    return good;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const sent *)a)->name, ((const sent *)b)->name);
}

/* ---- sending ---- */

static bool copy(sending *s, void *file, int fd, const char *path)
{
    char *piece = malloc(PIECE);
    bool good = piece != NULL || nomem(s);
    while (good) {
        const ssize_t n = spk_read(fd, piece, PIECE);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR) {
            spk_io_failure(s->call->failure, "cannot read", path, errno);
            good = false;
        }
        good = good && (n < 0 || s->fs->write(file, piece, (size_t)n, s->call));
    }
    free(piece);
    return good && s->fs->prepare(file, s->call);
}

static bool send_file(sending *s, sent *f)
{
    char *from = below(s->local, f->name), *to = below(s->path, f->name);
    const int fd = from && to ? spk_open(from, O_RDONLY | O_CLOEXEC, 0) : -1;
    bool good = true;
    if (!from || !to) {
        good = nomem(s);
    } else if (fd < 0) {
        spk_io_failure(s->call->failure, "cannot open", from, errno);
        good = false;
    }
    f->file = good ? s->fs->create(s->env, to, s->call) : NULL;
    good = f->file && copy(s, f->file, fd, from);
    if (fd >= 0)
        close(fd);
    free(from);
    free(to);
    return good;
}

/* sender: one of those who send files, and what went wrong. */
typedef struct sender {
    sending s;
    spk_place *place;
    pthread_t thread;
    atomic_size_t *next; /* of all: the next file; beyond the last: stop */
    size_t at;           /* the file that it failed at, if it did */
    bool good;
    spk_failure failure;
    spark_fs_call call;
} sender;

static void *send_some(void *state)
{
    sender *t = state;
    SPK_AT(t->place);
    t->s.call = &t->call;
    t->call.failure = &t->failure;
    while (t->good && (t->at = atomic_fetch_add(t->next, 1)) < t->s.n)
        t->good = send_file(&t->s, &t->s.at[t->at]);
    if (!t->good)
        atomic_store(t->next, t->s.n);
    return NULL;
}

static bool start(sender *t)
{
    pthread_attr_t attributes;
    sigset_t before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    spk_signals_block(&before);
    const bool started = pthread_attr_setstacksize(&attributes, STACK) == 0
        && spk_thread_start(t->place, &t->thread, &attributes, send_some, t) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

/* send_all: by as many threads as can be had. Of several failures the one at the first file is told. */
static bool send_all(sending *s)
{
    sender senders[AT_ONCE];
    atomic_size_t next = 0;
    spk_place *place = spk_place_enter(NULL);
    size_t n = s->n < AT_ONCE ? s->n : AT_ONCE, started = 1;
    const sender *failed = NULL;
    spk_place_enter(place);
    if (n == 0)
        return true;
    for (size_t i = 0; i < n; i++)
        senders[i] = (sender) { .s = *s, .place = place, .next = &next, .good = true };
    while (started < n && start(&senders[started]))
        started++;
    send_some(&senders[0]);
    for (size_t i = 0; i < started; i++) {
        if (i > 0)
            pthread_join(senders[i].thread, NULL);
        if (!senders[i].good && (!failed || senders[i].at < failed->at))
            failed = &senders[i];
    }
    if (!failed)
        return true;
    *s->call->failure = failed->failure;
    s->call->missing = failed->call.missing;
    return false;
}

/* publish: where it fails, it may have been done all the same, and the answer was lost. */
static bool publish(sending *s, sent *f)
{
    void *file = f->file;
    f->file = NULL;
    f->seen = true;
    return s->fs->publish(file, s->call);
}

static void remove_quietly(const sending *s, const char *name)
{
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call call = { .failure = &failure };
    char *path = s->fs->remove ? below(s->path, name) : NULL;
    if (path)
        s->fs->remove(s->env, path, &call);
    free(path);
}

/* take_back: all that is there, or on its way. */
static void take_back(sending *s, spk_send_mode mode)
{
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call call = { .failure = &failure };
    for (size_t i = 0; i < s->n; i++) {
        if (s->at[i].file)
            s->fs->discard(s->at[i].file);
        if (s->at[i].seen && mode != SPK_SEND_NEW)
            remove_quietly(s, s->at[i].name);
    }
    if (mode == SPK_SEND_NEW && s->fs->remove)
        s->fs->remove(s->env, s->path, &call);
}

/* mark: the empty file _SUCCESS. */
static bool mark(sending *s)
{
    char *path = below(s->path, "_SUCCESS");
    void *file = path ? s->fs->create(s->env, path, s->call) : NULL;
    bool good = path != NULL || nomem(s);
    good = good && file != NULL;
    if (good && !s->fs->prepare(file, s->call)) {
        s->fs->discard(file);
        good = false;
    }
    free(path);
    return good && s->fs->publish(file, s->call);
}

/* remove_others: what was there before, in a directory and those below. */
static bool remove_others(sending *s, const char *inner, int depth)
{
    spk_found found;
    char *path = *inner ? below(s->path, inner) : strdup(s->path);
    bool good = path ? spk_fs_list(s->fs, s->env, path, &found, s->call) : nomem(s);
    const bool listed = good;
    for (const spk_item *i = listed ? found.first : NULL; i && good; i = i->next) {
        char *name = *inner ? below(inner, i->info.name) : strdup(i->info.name);
        const sent key = { name, NULL, false };
        char *victim = name ? below(s->path, name) : NULL;
        if (!victim)
            good = nomem(s);
        else if (i->info.directory && depth < DEEPEST)
            good = remove_others(s, name, depth + 1);
        else if (!s->n || !bsearch(&key, s->at, s->n, sizeof *s->at, by_name))
            good = s->fs->remove(s->env, victim, s->call);
        free(victim);
        free(name);
    }
    if (listed)
        spk_fs_forget(&found);
    free(path);
    return good;
}

bool spk_send_directory(
    const spark_fs *fs, void *env, const char *local, const char *path, spk_send_mode mode,
    spark_fs_call *call)
{
    sending s = { .fs = fs, .env = env, .local = local, .path = path, .call = call };
    bool good = gather(&s, "", 0);
    if (good && s.n > 1)
        qsort(s.at, s.n, sizeof *s.at, by_name);
    if (good && fs->make_directory)
        good = fs->make_directory(env, path, call);
    good = good && send_all(&s);
    for (size_t i = 0; good && i < s.n; i++)
        good = publish(&s, &s.at[i]);
    if (!good)
        take_back(&s, mode);
    if (good && mode == SPK_SEND_INSTEAD) { /* the new data is complete: it stays, whatever fails */
        good = remove_others(&s, "", 0) && mark(&s);
    } else if (good && !mark(&s)) {
        take_back(&s, mode);
        good = false;
    }
    remove_quietly(&s, "_temporary"); /* which is there where files are renamed */
    for (size_t i = 0; i < s.n; i++)
        free(s.at[i].name);
    free(s.at);
    return good;
}
