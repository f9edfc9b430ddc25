/* SPDX-License-Identifier: Apache-2.0 */
/* A stream asks for what its reader has announced, and for a little more each time he reads on. What it hands
 * over is what stands in the file at that place: an answer must begin where it was asked to, come from the
 * same version of the file, and have as many bytes as were asked for; one that breaks off is taken up where it
 * ended. */
#include "remote/range.h"

#include <ctype.h>
#include <stdlib.h>

enum { READ_ON = 4 * 1024 * 1024 };

typedef struct range {
    const spk_curl *curl;
    const spk_range_fs *fs;
    void *env;
    const spark_fs_info *info; /* lives as long as the file is listed */
    uint64_t at, end;          /* the next byte; the end of what is, or will be, asked for */
    spk_dialog x;
    bool open;
    int tried; /* in vain, since bytes have come */
    char path[];
} range;

void *spk_range_open(const spk_curl *curl, const spk_range_fs *fs, void *env, const char *path,
    uint64_t offset, uint64_t end, const spark_fs_info *info, spark_fs_call *call)
{
    range *r = malloc(sizeof *r + strlen(path) + 1);
    if (!r) {
        spk_fs_nomem(call);
        return NULL;
    }
    *r = (range) { .curl = curl, .fs = fs, .env = env, .info = info, .at = offset, .end = end };
    if (info->bytes != SPARK_FS_NO_SIZE && end > info->bytes)
        r->end = info->bytes;
    memcpy(r->path, path, strlen(path) + 1);
    return r;
}

static void stop(range *r)
{
    if (r->open)
        spk_dialog_end(&r->x);
    r->open = false;
}

void spk_range_close(void *stream)
{
    range *r = stream;
    stop(r);
    free(r);
}

const char *spk_range_version(const spk_dialog *x, char *to, size_t size)
{
    return spk_dialog_header(x, "ETag", to, size) || spk_dialog_header(x, "Last-Modified", to, size)
        ? to
        : NULL;
}

bool spk_range_total(const spk_dialog *x, uint64_t *from, uint64_t *total)
{
    char text[128], *end;
    *from = 0;
    *total = SPARK_FS_NO_SIZE;
    if (!spk_dialog_header(x, "Content-Range", text, sizeof text))
        return false;
    const char *first = text + strcspn(text, "0123456789*"), *slash = strchr(text, '/');
    if (isdigit((unsigned char)*first))
        *from = strtoull(first, &end, 10);
    if (slash && isdigit((unsigned char)slash[1]))
        *total = strtoull(slash + 1, &end, 10);
    return *total != SPARK_FS_NO_SIZE;
}

static bool changed(const range *r, const char *how, spark_fs_call *call)
{
    return spark_fs_fail(call, "%s has changed since it was listed: %s", r->path, how);
}

/* check: whether an answer is of the same file, and where it begins. */
static bool check(const range *r, uint64_t *begins, spark_fs_call *call)
{
    char version[512];
    uint64_t total = SPARK_FS_NO_SIZE;
    *begins = r->fs->offset ? r->at : 0;
    if (r->x.status == 206 && !spk_range_total(&r->x, begins, &total))
        *begins = r->at;
    if (r->x.status == 200 && !r->fs->offset && r->x.length >= 0)
        total = (uint64_t)r->x.length;
    if (*begins > r->at)
        return spark_fs_fail(call, "%s: byte %llu was asked for, the answer begins at %llu", r->path,
            (unsigned long long)r->at, (unsigned long long)*begins);
    if (r->info->version && spk_range_version(&r->x, version, sizeof version)
        && strcmp(version, r->info->version) != 0)
        return changed(r, "its version is another one", call);
    if (r->info->bytes != SPARK_FS_NO_SIZE && total != SPARK_FS_NO_SIZE && total != r->info->bytes)
        return changed(r, "its size is another one", call);
    return true;
}

/* skip: bytes before those that are wanted, of a server that knows no ranges. */
static bool skip(range *r, uint64_t n, spark_fs_call *call)
{
    char piece[4096];
    while (n > 0) {
        const int64_t got
            = spk_dialog_read(&r->x, piece, n < sizeof piece ? (size_t)n : sizeof piece, call);
        if (got == 0)
            return changed(r, "it is shorter", call);
        if (got < 0)
            return false;
        n -= (uint64_t)got;
    }
    return true;
}

static bool ask(range *r, spark_fs_call *call)
{
    uint64_t begins;
    if (r->at >= r->end)
        r->end = r->at + READ_ON;
    if (r->info->bytes != SPARK_FS_NO_SIZE && r->end > r->info->bytes)
        r->end = r->info->bytes;
    if (!r->fs->ask(r->env, r->path, r->at, r->end, &r->x, call))
        return false;
    r->open = true;
    return check(r, &begins, call) && skip(r, r->at - begins, call);
}

/* next: as spk_range_read, once; 0: the end of what was asked for. */
static int64_t next(range *r, void *to, size_t n, spark_fs_call *call)
{
    if (!r->open && !ask(r, call))
        return -1;
    n = r->end - r->at < n ? (size_t)(r->end - r->at) : n;
    const int64_t got = spk_dialog_read(&r->x, to, n, call);
    if (got == 0 && n > 0 && r->end != SPARK_FS_NO_SIZE) {
        spark_fs_fail(call, "%s: the answer ends at byte %llu of %llu", r->path,
            (unsigned long long)r->at, (unsigned long long)r->end);
        call->again = true;
        return -1;
    }
    return got;
}

int64_t spk_range_read(void *stream, void *to, size_t n, spark_fs_call *call)
{
    range *r = stream;
    while (r->at < r->info->bytes) {
        call->again = false;
        const int64_t got = next(r, to, n, call);
        if (got > 0) {
            r->at += (uint64_t)got;
            r->tried = 0;
            return got;
        }
        stop(r);
        if (got == 0 && r->end == SPARK_FS_NO_SIZE)
            return 0;
        if (got < 0 && (!call->again || spark_fs_unwanted(call)))
            return -1;
        if (got < 0 && ++r->tried > r->curl->retries) {
            char note[64];
            snprintf(note, sizeof note, "; tried %d times", r->tried);
            spk_failure_end(call->failure, note);
            return -1;
        }
        if (got < 0 && !spk_pause_before(r->curl, r->tried, call))
            return -1;
    }
    return 0;
}
