/* SPDX-License-Identifier: Apache-2.0 */
/* webhdfs://, swebhdfs:// and hdfs://: files of Hadoop's file system, by its interface of HTTP. A namenode sends
 * who reads on to a datanode, where curl follows. */
#include "remote/webhdfs.h"

#include <stdlib.h>

#include "format/json.h"
#include "plan/context.h"
#include "remote/range.h"

enum { MOST_ANSWER = 256 << 20, MOST_WORDS = 64 * 1024 };

static const char *host_of(const char *path)
{
    const char *scheme = strstr(path, "://");
    return scheme ? scheme + 3 : path;
}

const char *spk_webhdfs_path(const char *path)
{
    const char *host = host_of(path);
    return *(host + strcspn(host, "/")) ? host + strcspn(host, "/") : "/";
}

/* server: the address of the namenode. hdfs:// names the port of another protocol. */
static void server(spk_text *url, const spk_webhdfs *h, const char *path)
{
    const char *host = host_of(path);
    const size_t n = strcspn(host, "/");
    if (strncmp(path, "hdfs:", 5) != 0)
        spk_text_print(url, "http%s://%.*s", *path == 's' ? "s" : "", (int)n, host);
    else if (h->namenode)
        spk_text_print(url, "%s", h->namenode);
    else
        spk_text_print(url, "http://%.*s:9870", (int)strcspn(host, "/:"), host);
}

bool spk_webhdfs_begin(
    const spk_webhdfs *h, const spk_webhdfs_request *r, spk_dialog *x, spark_fs_call *call)
{
    spk_text url = { .at = NULL };
    const char *path = spk_webhdfs_path(r->path);
    server(&url, h, r->path);
    spk_text_print(&url, "/webhdfs/v1");
    spk_text_encode(&url, path, strlen(path), "/");
    spk_text_print(&url, "?op=%s%s", r->op, r->more);
    if (h->token) {
        spk_text_print(&url, "&delegation=");
        spk_text_encode(&url, h->token, strlen(h->token), "");
    } else if (h->user) {
        spk_text_print(&url, "&user.name=");
        spk_text_encode(&url, h->user, strlen(h->user), "");
    }
    const bool gets = strcmp(r->method, "GET") == 0;
    const bool good = url.nomem ? spk_fs_nomem(call)
                                : spk_dialog_begin(x, &h->curl,
                                    &(spk_request) { .method = r->method,
                                        .url = url.at,
                                        .headers = gets ? NULL : "X-XSRF-HEADER: \"\"\n",
                                        .body = "",
                                        .has_body = !gets && strcmp(r->method, "DELETE") != 0,
                                        .follow = gets },
                                    call);
    spk_text_free(&url);
    return good;
}

void spk_webhdfs_text(spk_text *to, spark_json value)
{
    if (value.kind != SPARK_JSON_STRING)
        return;
    char *bytes = malloc(value.text.len);
    if (!bytes) {
        to->nomem = true;
        return;
    }
    const spark_str raw = { value.text.ptr + 1, value.text.len - 2 };
    spk_text_add(to, bytes, spk_json_unescape(raw, bytes));
    free(bytes);
}

static bool has(const spk_text *words, const char *name)
{
    return words->at && strncmp(words->at, name, strlen(name)) == 0;
}

bool spk_webhdfs_refuse(spk_dialog *x, const char *what, const char *path, spark_fs_call *call)
{
    spk_text body = { .at = NULL }, words = { .at = NULL };
    spark_json json;
    spk_dialog_all(x, MOST_WORDS, &body, call);
    if (body.n && spark_json_parse((spark_str) { body.at, body.n }, &json, NULL)) {
        const spark_json e = spark_json_get(json, "RemoteException");
        spk_webhdfs_text(&words, spark_json_get(e, "exception"));
        spk_text_add(&words, ": ", 2);
        spk_webhdfs_text(&words, spark_json_get(e, "message"));
    }
    spk_dialog_refuse(x, what, path, words.at ? words.at : "", words.n, call);
    if (has(&words, "RetriableException") || has(&words, "StandbyException") || has(&words, "SafeModeException")
        || has(&words, "IOException: Failed to find datanode"))
        call->again = true;
    if (has(&words, "IllegalArgumentException") || has(&words, "UnsupportedOperationException"))
        call->again = false;
    call->missing = has(&words, "FileNotFoundException");
    spk_text_free(&body);
    spk_text_free(&words);
    return false;
}

typedef struct asking {
    const spk_webhdfs *h;
    const spk_webhdfs_request *request;
    const char *what;
    spk_text *answer;
    spark_json *json;
} asking;

static bool ask_once(void *state, spark_fs_call *call)
{
    const asking *a = state;
    spk_dialog x;
    spark_json_error error;
    if (!spk_webhdfs_begin(a->h, a->request, &x, call))
        return false;
    spk_text_free(a->answer);
    bool good = x.status >= 200 && x.status <= 299;
    if (!good)
        spk_webhdfs_refuse(&x, a->what, a->request->path, call);
    good = good && spk_dialog_all(&x, MOST_ANSWER, a->answer, call);
    spk_dialog_end(&x);
    if (!good)
        return false;
    const spark_str text = { a->answer->at ? a->answer->at : "", a->answer->n };
    *a->json = (spark_json) { SPARK_JSON_NOTHING, { NULL, 0 } };
    if (text.len == 0 || spark_json_parse(text, a->json, &error))
        return true;
    return spark_fs_fail(call, "%s %s: the answer is no JSON: %s at byte %zu", a->what, a->request->path,
        error.why, error.at);
}

bool spk_webhdfs_ask(const spk_webhdfs *h, const spk_webhdfs_request *request, const char *what,
    spk_text *answer, spark_json *json, spark_fs_call *call)
{
    asking a = { h, request, what, answer, json };
    return spk_retry(&h->curl, ask_once, &a, call);
}

/* ---- looking ---- */

/* understand: a FileStatus. */
static bool understand(spark_json status, const char *path, spark_fs_info *info, spark_fs_call *call)
{
    int64_t bytes = -1;
    const spark_json type = spark_json_get(status, "type");
    *info = (spark_fs_info) { .bytes = 0 };
    info->directory = type.kind == SPARK_JSON_STRING && type.text.len == 11
        && memcmp(type.text.ptr, "\"DIRECTORY\"", 11) == 0;
    if (!info->directory && (!spark_json_i64(spark_json_get(status, "length"), &bytes) || bytes < 0))
        return spark_fs_fail(call, "%s: the answer tells no length", path);
    info->bytes = info->directory ? 0 : (uint64_t)bytes;
    return true;
}

bool spk_webhdfs_stat(void *env, const char *path, spark_fs_info *info, spark_fs_call *call)
{
    const spk_webhdfs_request request = { "GET", path, "GETFILESTATUS", "" };
    spk_text answer = { .at = NULL };
    spark_json json;
    bool good = spk_webhdfs_ask(env, &request, "cannot look at", &answer, &json, call);
    good = good && understand(spark_json_get(json, "FileStatus"), path, info, call);
    spk_text_free(&answer);
    return good;
}

static bool found(spark_json status, const char *path, spark_fs_call *call)
{
    spk_text name = { .at = NULL };
    spark_fs_info info;
    if (!understand(status, path, &info, call))
        return false;
    spk_webhdfs_text(&name, spark_json_get(status, "pathSuffix"));
    info.name = name.at;
    const bool sound = name.n > 0 && !strchr(name.at, '/') && strlen(name.at) == name.n;
    const bool good = name.nomem ? spk_fs_nomem(call) : !sound || spark_fs_found(call, &info);
    spk_text_free(&name);
    return good;
}

static bool webhdfs_list(void *env, const char *path, spark_fs_call *call)
{
    const spk_webhdfs_request request = { "GET", path, "LISTSTATUS", "" };
    spk_text answer = { .at = NULL };
    spark_json json, status;
    bool good = spk_webhdfs_ask(env, &request, "cannot list", &answer, &json, call);
    spark_json rest
        = good ? spark_json_get(spark_json_get(json, "FileStatuses"), "FileStatus") : (spark_json) { 0 };
    if (good && rest.kind != SPARK_JSON_ARRAY)
        good = spark_fs_fail(call, "cannot list %s: the answer is no listing", path);
    while (good && spark_json_next(&rest, NULL, &status))
        good = found(status, path, call);
    spk_text_free(&answer);
    return good;
}

/* ---- reading ---- */

static bool webhdfs_ask_range(
    void *env, const char *path, uint64_t from, uint64_t end, spk_dialog *x, spark_fs_call *call)
{
    char more[96];
    int n = snprintf(more, sizeof more, "&offset=%llu", (unsigned long long)from);
    if (end != SPARK_FS_NO_SIZE)
        snprintf(more + n, sizeof more - (size_t)n, "&length=%llu", (unsigned long long)(end - from));
    if (!spk_webhdfs_begin(env, &(spk_webhdfs_request) { "GET", path, "OPEN", more }, x, call))
        return false;
    if (x->status == 200)
        return true;
    spk_webhdfs_refuse(x, "cannot read", path, call);
    spk_dialog_end(x);
    return false;
}

static const spk_range_fs ranges = { webhdfs_ask_range, true };

static void *webhdfs_open(void *env, const char *path, uint64_t offset, uint64_t end,
    const spark_fs_info *info, spark_fs_call *call)
{
    spk_webhdfs *h = env;
    return spk_range_open(&h->curl, &ranges, h, path, offset, end, info, call);
}

/* ---- options ---- */

static void webhdfs_free(void *env)
{
    spk_webhdfs *h = env;
    if (!h)
        return;
    spk_curl_free(&h->curl);
    free(h->user);
    free(h->token);
    free(h->namenode);
    free(h->directory);
    free(h);
}

static char *copy(const char *text, bool *good)
{
    char *to = text ? malloc(strlen(text) + 1) : NULL;
    if (to)
        memcpy(to, text, strlen(text) + 1);
    *good = *good && (to || !text);
    return to;
}

static spark_status configure(
    spk_webhdfs *h, spark_context *sc, const spark_webhdfs_options *o, spk_failure *failure)
{
    const char *user = o->user ? o->user : getenv("HADOOP_USER_NAME");
    bool good = true;
    if (o->namenode && strncmp(o->namenode, "http://", 7) != 0 && strncmp(o->namenode, "https://", 8) != 0)
        return spk_failure_set(
            failure, SPARK_EINVAL, NULL, NULL, "the namenode must begin with http:// or https://");
    if (spk_curl_init(&h->curl, &o->http, failure) != SPARK_OK)
        return failure->code;
    h->curl.negotiate = o->kerberos;
    h->user = o->kerberos ? NULL : copy(user ? user : getenv("USER"), &good);
    h->token = copy(o->token, &good);
    h->namenode = copy(o->namenode, &good);
    h->directory = copy(sc && !sc->error ? sc->local_dir : NULL, &good);
    return good ? SPARK_OK : spk_failure_nomem(failure, NULL, NULL);
}

static spark_status use(spark_context *sc, const char *scheme, const spark_webhdfs_options *options)
{
    static const spark_fs fs = { .stat = spk_webhdfs_stat,
        .list = webhdfs_list,
        .open = webhdfs_open,
        .read = spk_range_read,
        .close = spk_range_close,
        .create = spk_webhdfs_create,
        .write = spk_webhdfs_write,
        .prepare = spk_webhdfs_prepare,
        .publish = spk_webhdfs_publish,
        .discard = spk_webhdfs_discard,
        .make_directory = spk_webhdfs_make_directory,
        .rename = spk_webhdfs_rename,
        .remove = spk_webhdfs_remove,
        .free = webhdfs_free };
    static const spark_webhdfs_options none = { .user = NULL };
    spk_failure failure;
    spk_webhdfs *h = calloc(1, sizeof *h);
    if (!h)
        return spk_raisef(SPARK_ENOMEM, "use_webhdfs", NULL, "out of memory");
    if (configure(h, sc, options ? options : &none, &failure) == SPARK_OK)
        return spark_register_fs(sc, scheme, &fs, h);
    webhdfs_free(h);
    return spk_raisef(failure.code, "use_webhdfs", NULL, "use_webhdfs: %s", failure.message);
}

spark_status spark_use_webhdfs(spark_context *sc, const spark_webhdfs_options *options)
{
    static const char *const schemes[] = { "webhdfs", "swebhdfs", "hdfs" };
    spark_status status = SPARK_OK;
    for (int i = 0; i < 3 && status == SPARK_OK; i++)
        status = use(sc, schemes[i], options);
    return status;
}
