/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are written to Hadoop's file system: gathered in an unnamed file of this machine, so that they can be
 * sent again from their beginning; sent as one below _temporary, where no reader looks; renamed to their
 * place when they are published. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/files.h"
#include "remote/webhdfs.h"
#include "storage/spill.h"

typedef struct written {
    spk_webhdfs *h;
    int fd;
    bool sent;
    uint64_t bytes;
    char *path;
    char temporary[]; /* its path until then */
} written;

static void let_go(written *w)
{
    if (w->fd >= 0)
        close(w->fd);
    free(w->path);
    free(w);
}

/* temporary: dir/_temporary/name-NUMBER. */
static void temporary(spk_text *to, const char *path)
{
    struct timespec now;
    const char *slash = strrchr(path, '/');
    clock_gettime(CLOCK_REALTIME, &now);
    spk_text_print(to, "%.*s/_temporary/%s-%ld-%lld%09ld", (int)(slash - path), path, slash + 1, (long)getpid(),
        (long long)now.tv_sec, now.tv_nsec);
}

/* unnamed: a file in the first of the local directories that takes one. */
static int unnamed(const spk_webhdfs *h, spk_failure *failure)
{
    char directory[SPK_PATH];
    int fd = -1;
    for (unsigned i = 0; fd < 0 && spk_local_directory(h->directory, i, directory); i++)
        fd = spk_unnamed_file(directory, "cannot keep what is to be sent in", failure);
    return fd;
}

void *spk_webhdfs_create(void *env, const char *path, spark_fs_call *call)
{
    spk_text name = { .at = NULL };
    temporary(&name, path);
    written *w = name.nomem ? NULL : malloc(sizeof *w + name.n + 1);
    if (w)
        *w = (written) { .h = env, .fd = -1, .path = malloc(strlen(path) + 1) };
    if (!w || !w->path) {
        free(w);
        spk_text_free(&name);
        spk_fs_nomem(call);
        return NULL;
    }
    memcpy(w->path, path, strlen(path) + 1);
    memcpy(w->temporary, name.at, name.n + 1);
    spk_text_free(&name);
    w->fd = unnamed(w->h, call->failure);
    if (w->fd >= 0)
        return w;
    let_go(w);
    return NULL;
}

bool spk_webhdfs_write(void *file, const void *from, size_t n, spark_fs_call *call)
{
    written *w = file;
    for (size_t at = 0; at < n;) {
        const ssize_t some = spk_write(w->fd, (const char *)from + at, n - at);
        if (some < 0 && errno != EINTR) {
            spk_io_failure(call->failure, "cannot keep what is to be sent to", w->path, errno);
            return false;
        }
        at += some > 0 ? (size_t)some : 0;
    }
    w->bytes += n;
    return true;
}

/* send_once: asks where to, and sends it there. */
static bool send_once(void *state, spark_fs_call *call)
{
    const written *w = state;
    spk_text answer = { .at = NULL }, place = { .at = NULL };
    const spk_webhdfs_request request
        = { "PUT", w->temporary, "CREATE", "&overwrite=true&noredirect=true" };
    spark_json json;
    spk_dialog x;
    bool good = spk_webhdfs_ask(w->h, &request, "cannot write", &answer, &json, call);
    if (good)
        spk_webhdfs_text(&place, spark_json_get(json, "Location"));
    if (good && place.n == 0)
        good = place.nomem ? spk_fs_nomem(call)
                           : spark_fs_fail(call, "cannot write %s: the namenode names no place", w->path);
    good = good
        && spk_dialog_begin(&x, &w->h->curl,
            &(spk_request) { .method = "PUT", .url = place.at, .has_body = true, .file = w->fd + 1 }, call);
    if (good) {
        good = x.status >= 200 && x.status <= 299;
        if (!good)
            spk_webhdfs_refuse(&x, "cannot write", w->path, call);
        spk_text_free(&answer);
        good = good && spk_dialog_all(&x, 1 << 20, &answer, call);
        spk_dialog_end(&x);
    }
    spk_text_free(&answer);
    spk_text_free(&place);
    return good;
}

bool spk_webhdfs_prepare(void *file, spark_fs_call *call)
{
    written *w = file;
    if (w->sent)
        return true;
    w->sent = true; /* something may be there, from now on */
    if (!spk_retry(&w->h->curl, send_once, w, call))
        return false;
    close(w->fd);
    w->fd = -1;
    return true;
}

/* is_done: whether a file was renamed by an earlier try, whose answer was lost. */
static bool is_done(const written *w)
{
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call call = { .failure = &failure };
    spark_fs_info info;
    return !spk_webhdfs_stat(w->h, w->temporary, &info, &call) && call.missing
        && spk_webhdfs_stat(w->h, w->path, &info, &call) && !info.directory && info.bytes == w->bytes;
}

bool spk_webhdfs_publish(void *file, spark_fs_call *call)
{
    written *w = file;
    if ((w->sent || spk_webhdfs_prepare(w, call))
        && (spk_webhdfs_rename(w->h, w->temporary, w->path, call) || is_done(w))) {
        let_go(w);
        return true;
    }
    spk_webhdfs_discard(w);
    return false;
}

void spk_webhdfs_discard(void *file)
{
    written *w = file;
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call call = { .failure = &failure };
    if (w->sent)
        spk_webhdfs_remove(w->h, w->temporary, &call);
    let_go(w);
}

/* order: an operation whose answer is {"boolean": true}, or nothing. */
static bool order(const spk_webhdfs *h, const spk_webhdfs_request *request, const char *what, bool insist,
    spark_fs_call *call)
{
    spk_text answer = { .at = NULL };
    spark_json json;
    bool done = true;
    const bool good = spk_webhdfs_ask(h, request, what, &answer, &json, call);
    if (good)
        spark_json_bool(spark_json_get(json, "boolean"), &done);
    spk_text_free(&answer);
    if (good && insist && !done)
        return spark_fs_fail(call, "%s %s: the namenode says no", what, request->path);
    return good;
}

bool spk_webhdfs_make_directory(void *env, const char *path, spark_fs_call *call)
{
    return order(env, &(spk_webhdfs_request) { "PUT", path, "MKDIRS", "" }, "cannot make", true, call);
}

bool spk_webhdfs_rename(void *env, const char *from, const char *to, spark_fs_call *call)
{
    spk_text more = { .at = NULL };
    const char *path = spk_webhdfs_path(to);
    spk_text_print(&more, "&renameoptions=OVERWRITE&destination=");
    spk_text_encode(&more, path, strlen(path), "/");
    const bool good = more.nomem
        ? spk_fs_nomem(call)
        : order(env, &(spk_webhdfs_request) { "PUT", from, "RENAME", more.at }, "cannot rename", true, call);
    spk_text_free(&more);
    return good;
}

bool spk_webhdfs_remove(void *env, const char *path, spark_fs_call *call)
{
    return order(env, &(spk_webhdfs_request) { "DELETE", path, "DELETE", "&recursive=true" }, "cannot remove",
        false, call);
}
