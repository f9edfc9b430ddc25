/* SPDX-License-Identifier: Apache-2.0 */
/* http:// and https://: files of web servers. What a file is, is found out by asking for its first byte: the
 * answer tells the size, and whether the server takes ranges, which a HEAD only claims, where it is
 * allowed at all. */
#include <stdlib.h>

#include "plan/context.h"
#include "remote/range.h"

typedef struct http {
    spk_curl curl;
} http;

/* looking: what spk_retry is told. */
typedef struct looking {
    const http *of;
    const char *path;
    spark_fs_info *info;
} looking;

static bool begin(const http *h, const char *path, const char *range, spk_dialog *x, spark_fs_call *call)
{
    const spk_request request = { .method = "GET", .url = path, .headers = range, .follow = true };
    return spk_dialog_begin(x, &h->curl, &request, call);
}

/* refuse: what the server says, as text, is often a page; the status says more. */
static bool refuse(const spk_dialog *x, const char *path, spark_fs_call *call)
{
    return spk_dialog_refuse(x, "cannot read", path, "", 0, call);
}

static bool look_once(void *state, spark_fs_call *call)
{
    looking *l = state;
    spk_dialog x;
    uint64_t from;
    bool good = true;
    if (!begin(l->of, l->path, "Range: bytes=0-0\n", &x, call))
        return false;
    *l->info = (spark_fs_info) { .bytes = SPARK_FS_NO_SIZE };
    if (x.status == 206) {
        l->info->whole = !spk_range_total(&x, &from, &l->info->bytes);
    } else if (x.status == 416 && spk_range_total(&x, &from, &l->info->bytes) && l->info->bytes == 0) {
        l->info->whole = false; /* an empty file has no first byte */
    } else if (x.status == 200) {
        l->info->whole = x.length != 0;
        l->info->bytes = x.length >= 0 ? (uint64_t)x.length : SPARK_FS_NO_SIZE;
    } else {
        good = refuse(&x, l->path, call);
    }
    l->info->version = spk_range_version(&x, call->version, sizeof call->version);
    spk_dialog_end(&x);
    return good;
}

static bool http_stat(void *env, const char *path, spark_fs_info *info, spark_fs_call *call)
{
    http *h = env;
    looking l = { h, path, info };
    return spk_retry(&h->curl, look_once, &l, call);
}

static bool http_ask(
    void *env, const char *path, uint64_t from, uint64_t end, spk_dialog *x, spark_fs_call *call)
{
    char range[96] = "";
    if (from > 0 || end != SPARK_FS_NO_SIZE)
        snprintf(range, sizeof range, "Range: bytes=%llu-", (unsigned long long)from);
    if (end != SPARK_FS_NO_SIZE)
        snprintf(range + strlen(range), 32, "%llu", (unsigned long long)end - 1);
    if (*range)
        strcat(range, "\n");
    if (!begin(env, path, range, x, call))
        return false;
    if (x->status == 200 || x->status == 206)
        return true;
    refuse(x, path, call);
    spk_dialog_end(x);
    return false;
}

static const spk_range_fs ranges = { http_ask, false };

static void *http_open(void *env, const char *path, uint64_t offset, uint64_t end,
    const spark_fs_info *info, spark_fs_call *call)
{
    http *h = env;
    return spk_range_open(&h->curl, &ranges, h, path, offset, end, info, call);
}

static void http_free(void *env)
{
    http *h = env;
    if (h)
        spk_curl_free(&h->curl);
    free(h);
}

/* use: under one scheme. */
static spark_status use(spark_context *sc, const char *scheme, const spark_http_options *options)
{
    static const spark_fs fs = { .stat = http_stat,
        .open = http_open,
        .read = spk_range_read,
        .close = spk_range_close,
        .free = http_free };
    spk_failure failure;
    http *h = calloc(1, sizeof *h);
    if (!h)
        return spk_raisef(SPARK_ENOMEM, "use_http", NULL, "out of memory");
    if (spk_curl_init(&h->curl, options, &failure) == SPARK_OK)
        return spark_register_fs(sc, scheme, &fs, h);
    free(h);
    return spk_raisef(failure.code, "use_http", NULL, "use_http: %s", failure.message);
}

spark_status spark_use_http(spark_context *sc, const spark_http_options *options)
{
    const spark_status status = use(sc, "http", options);
    return status == SPARK_OK ? use(sc, "https", options) : status;
}
