/* SPDX-License-Identifier: Apache-2.0 */
/* s3:// and s3a://: objects as files. A file is looked at by asking for its first byte: the answer to a HEAD has no
 * body, so that S3 could not say what is wrong. Directories are what a listing with the delimiter / tells. */
#include <stdlib.h>

#include "plan/context.h"
#include "remote/s3.h"
#include "remote/xml.h"

typedef struct looking {
    const spk_s3 *s3;
    const char *path;
    spark_fs_info *info;
} looking;

static bool begin(const spk_s3 *s3, const char *path, const char *range, spk_dialog *x, spark_fs_call *call)
{
    return spk_s3_begin(
        s3, &(spk_s3_request) { .method = "GET", .path = path, .query = "", .range = range }, x, call);
}

/* is_empty: an empty object has no first byte; the answer says that it has none. */
static bool is_empty(spk_dialog *x, spark_fs_call *call)
{
    static const char says[] = "<ActualObjectSize>0<";
    spk_text body = { .at = NULL };
    uint64_t from, total;
    if (spk_range_total(x, &from, &total))
        return total == 0;
    const bool empty = spk_dialog_all(x, 64 * 1024, &body, call) && body.n
        && memmem(body.at, body.n, says, sizeof says - 1);
    spk_text_free(&body);
    return empty;
}

static bool look_once(void *state, spark_fs_call *call)
{
    looking *l = state;
    spk_dialog x;
    uint64_t from;
    bool good = true;
    if (!begin(l->s3, l->path, "Range: bytes=0-0\n", &x, call))
        return false;
    *l->info = (spark_fs_info) { .bytes = SPARK_FS_NO_SIZE };
    if (x.status == 206)
        spk_range_total(&x, &from, &l->info->bytes);
    else if (x.status == 200 && x.length >= 0)
        l->info->bytes = (uint64_t)x.length;
    else if (x.status == 416 && is_empty(&x, call))
        l->info->bytes = 0;
    else
        good = spk_s3_refuse(&x, "cannot look at", l->path, call);
    l->info->version = spk_range_version(&x, call->version, sizeof call->version);
    spk_dialog_end(&x);
    return good;
}

bool spk_s3_look(const spk_s3 *s3, const char *path, spark_fs_info *info, spark_fs_call *call)
{
    looking l = { s3, path, info };
    return spk_retry(&s3->curl, look_once, &l, call);
}

/* ---- listing ---- */

/* listing: the pages of a directory; prefix: its keys begin with it. */
typedef struct listing {
    const spk_s3 *s3;
    const char *path;
    spk_text prefix, token, query, answer;
    spk_text before; /* the token that led here */
    int at_most; /* entries that are wanted; 0: all */
    bool deep;   /* all that is below, not only what stands in the directory */
    bool any;
} listing;

static void free_listing(listing *l)
{
    spk_text_free(&l->prefix);
    spk_text_free(&l->token);
    spk_text_free(&l->before);
    spk_text_free(&l->query);
    spk_text_free(&l->answer);
}

/* found: an entry of the directory, by its key. */
static bool found(listing *l, spark_str key, const spark_fs_info *as, spark_fs_call *call)
{
    spk_text name = { .at = NULL };
    spark_fs_info info = *as;
    bool good = true;
    spk_xml_text(&name, key);
    if (!name.nomem && info.directory && name.n > 0 && name.at[name.n - 1] == '/')
        name.at[--name.n] = '\0';
    if (name.nomem) {
        good = spk_fs_nomem(call);
    } else {
        l->any = true;
        info.name = name.at + l->prefix.n;
        const bool inside = name.n > l->prefix.n && memcmp(name.at, l->prefix.at, l->prefix.n) == 0
            && (l->deep || !strchr(info.name, '/')) && strlen(name.at) == name.n;
        good = !inside || l->at_most || spark_fs_found(call, &info);
    }
    spk_text_free(&name);
    return good;
}

static bool found_object(listing *l, spark_str inner, spark_fs_call *call)
{
    char digits[24] = "", *end;
    spk_text etag = { .at = NULL };
    const spark_str size = spk_xml_get(inner, "Size");
    snprintf(digits, sizeof digits, "%.*s", (int)(size.len < 23 ? size.len : 23), size.ptr);
    spk_xml_text(&etag, spk_xml_get(inner, "ETag"));
    const spark_fs_info info = { .bytes = strtoull(digits, &end, 10), .version = etag.n ? etag.at : NULL };
    const bool good = etag.nomem ? spk_fs_nomem(call)
        : end == digits          ? spark_fs_fail(call, "%s: an entry of the listing has no size", l->path)
                                 : found(l, spk_xml_get(inner, "Key"), &info, call);
    spk_text_free(&etag);
    return good;
}

/* page: what one answer says. *more: there is another one. */
static bool page(listing *l, bool *more, spark_fs_call *call)
{
    spark_str rest = { l->answer.at, l->answer.n }, name, inner;
    const spark_fs_info directory = { .directory = true };
    *more = false;
    if (!l->answer.n || !spk_xml_next(&rest, &name, &inner) || !spk_xml_is(name, "ListBucketResult"))
        return spark_fs_fail(call, "cannot list %s: the answer is no listing", l->path);
    spk_text_free(&l->before);
    l->before = l->token;
    l->token = (spk_text) { .at = NULL };
    rest = inner;
    while (spk_xml_next(&rest, &name, &inner)) {
        if (spk_xml_is(name, "IsTruncated"))
            *more = spk_xml_is(inner, "true");
        else if (spk_xml_is(name, "NextContinuationToken"))
            spk_xml_text(&l->token, inner);
        else if (spk_xml_is(name, "Contents") && !found_object(l, inner, call))
            return false;
        else if (spk_xml_is(name, "CommonPrefixes")
            && !found(l, spk_xml_get(inner, "Prefix"), &directory, call))
            return false;
    }
    if (l->token.nomem)
        return spk_fs_nomem(call);
    const bool ahead = l->token.n > 0 && (!l->before.at || strcmp(l->token.at, l->before.at) != 0);
    return !*more || ahead
        || spark_fs_fail(call, "cannot list %s: the listing goes on nowhere", l->path);
}

/* ask_page: parameters sorted by name, as the signature wants them. */
static bool ask_page(listing *l, spark_fs_call *call)
{
    spk_text_free(&l->query);
    if (l->token.n > 0) {
        spk_text_print(&l->query, "continuation-token=");
        spk_text_encode(&l->query, l->token.at, l->token.n, "");
        spk_text_print(&l->query, "&");
    }
    spk_text_print(&l->query, "%slist-type=2", l->deep ? "" : "delimiter=%2F&");
    if (l->at_most)
        spk_text_print(&l->query, "&max-keys=%d", l->at_most);
    spk_text_print(&l->query, "&prefix=");
    spk_text_encode(&l->query, l->prefix.at, l->prefix.n, "");
    if (l->query.nomem)
        return spk_fs_nomem(call);
    return spk_s3_ask(l->s3,
        &(spk_s3_request) { .method = "GET", .path = l->path, .bucket = true, .query = l->query.at },
        "cannot list", &l->answer, NULL, NULL, call);
}

/* list: at_most: only whether there is anything, which *any tells. */
static bool list(
    const spk_s3 *s3, const char *path, int at_most, bool deep, bool *any, spark_fs_call *call)
{
    listing l = { .s3 = s3, .path = path, .at_most = at_most, .deep = deep };
    bool more = true, good = true;
    const char *key = spk_s3_key(path);
    spk_text_print(&l.prefix, "%s%s", key, *key && key[strlen(key) - 1] != '/' ? "/" : "");
    if (l.prefix.nomem)
        good = spk_fs_nomem(call);
    while (good && more) {
        good = ask_page(&l, call) && page(&l, &more, call);
        more = more && !at_most;
    }
    *any = l.any;
    free_listing(&l);
    return good;
}

static bool s3_list(void *env, const char *path, spark_fs_call *call)
{
    bool any;
    return list(env, path, 0, false, &any, call);
}

static bool s3_stat(void *env, const char *path, spark_fs_info *info, spark_fs_call *call)
{
    const spk_s3 *s3 = env;
    bool any = true;
    if (*spk_s3_key(path)) {
        if (spk_s3_look(s3, path, info, call))
            return true;
        if (!call->missing)
            return false;
    }
    call->missing = false;
    if (!list(s3, path, 1, false, &any, call))
        return false;
    *info = (spark_fs_info) { .directory = true };
    return any || !*spk_s3_key(path) || spark_fs_missing(call);
}

/* ---- reading ---- */

static bool s3_ask(
    void *env, const char *path, uint64_t from, uint64_t end, spk_dialog *x, spark_fs_call *call)
{
    char range[96];
    const int n = snprintf(range, sizeof range, "Range: bytes=%llu-", (unsigned long long)from);
    if (end != SPARK_FS_NO_SIZE)
        snprintf(range + n, sizeof range - (size_t)n, "%llu\n", (unsigned long long)end - 1);
    else
        snprintf(range + n, sizeof range - (size_t)n, "\n");
    if (!begin(env, path, range, x, call))
        return false;
    if (x->status == 200 || x->status == 206)
        return true;
    spk_s3_refuse(x, "cannot read", path, call);
    spk_dialog_end(x);
    return false;
}

static const spk_range_fs ranges = { s3_ask, false };

static void *s3_open(void *env, const char *path, uint64_t offset, uint64_t end,
    const spark_fs_info *info, spark_fs_call *call)
{
    spk_s3 *s3 = env;
    return spk_range_open(&s3->curl, &ranges, s3, path, offset, end, info, call);
}

/* ---- the rest ---- */

static bool s3_make_directory(void *env, const char *path, spark_fs_call *call)
{
    (void)env, (void)path, (void)call;
    return true; /* there are none */
}

static bool remove_one(const spk_s3 *s3, const char *path, spark_fs_call *call)
{
    const spk_s3_request request = { .method = "DELETE", .path = path, .query = "" };
    spk_text answer = { .at = NULL };
    const bool good = spk_s3_ask(s3, &request, "cannot remove", &answer, NULL, NULL, call);
    spk_text_free(&answer);
    return good || call->missing;
}

/* s3_remove: the object, and all whose keys go on behind a slash. */
static bool s3_remove(void *env, const char *path, spark_fs_call *call)
{
    spk_found all = { NULL, &all.first };
    bool any, good = !*spk_s3_key(path) || remove_one(env, path, call);
    call->found = &all;
    good = good && list(env, path, 0, true, &any, call);
    for (const spk_item *i = all.first; i && good; i = i->next) {
        spk_text key = { .at = NULL };
        spk_text_print(&key, "%s/%s", path, i->info.name);
        good = key.nomem ? spk_fs_nomem(call) : remove_one(env, key.at, call);
        spk_text_free(&key);
    }
    spk_fs_forget(&all);
    return good;
}

static spark_status use(spark_context *sc, const char *scheme, const spark_s3_options *options)
{
    static const spark_fs fs = { .stat = s3_stat,
        .list = s3_list,
        .open = s3_open,
        .read = spk_range_read,
        .close = spk_range_close,
        .create = spk_s3_create,
        .write = spk_s3_write,
        .prepare = spk_s3_prepare,
        .publish = spk_s3_publish,
        .discard = spk_s3_discard,
        .make_directory = s3_make_directory,
        .remove = s3_remove,
        .free = spk_s3_free };
    spk_failure failure;
    spk_s3 *s3 = calloc(1, sizeof *s3);
    if (!s3)
        return spk_raisef(SPARK_ENOMEM, "use_s3", NULL, "out of memory");
    if (spk_s3_configure(s3, options, &failure) == SPARK_OK)
        return spark_register_fs(sc, scheme, &fs, s3);
    spk_s3_free(s3);
    return spk_raisef(failure.code, "use_s3", NULL, "use_s3: %s", failure.message);
}

spark_status spark_use_s3(spark_context *sc, const spark_s3_options *options)
{
    const spark_status status = use(sc, "s3", options);
    return status == SPARK_OK ? use(sc, "s3a", options) : status;
}
