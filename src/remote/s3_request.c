/* SPDX-License-Identifier: Apache-2.0 */
/* A request to S3: its address, its signature, and what an answer that is none says. */
#include <time.h>

#include "remote/s3.h"
#include "remote/sha256.h"
#include "remote/sigv4.h"
#include "remote/xml.h"

enum { MOST_ANSWER = 64 << 20, MOST_WORDS = 16 * 1024 };

static const char *bucket_of(const char *path)
{
    const char *scheme = strstr(path, "://");
    return scheme ? scheme + 3 : path;
}

const char *spk_s3_key(const char *path)
{
    const char *bucket = bucket_of(path);
    const char *slash = strchr(bucket, '/');
    return slash ? slash + 1 : "";
}

/* address: a request's parts as text. */
typedef struct address {
    spk_text host, path, url, headers, authorization, canonical;
} address;

static void free_address(address *a)
{
    spk_text_free(&a->host);
    spk_text_free(&a->path);
    spk_text_free(&a->url);
    spk_text_free(&a->headers);
    spk_text_free(&a->authorization);
    spk_text_free(&a->canonical);
}

static bool is_whole(const address *a)
{
    return !a->host.nomem && !a->path.nomem && !a->url.nomem && !a->headers.nomem
        && !a->authorization.nomem && !a->canonical.nomem;
}

static void locate(address *a, const spk_s3 *s3, const spk_s3_request *r)
{
    const char *bucket = bucket_of(r->path), *key = spk_s3_key(r->path);
    const size_t n = strcspn(bucket, "/");
    /* A certificate for *.host is not one for names with dots. */
    const bool host = s3->virtual_host && (s3->root[4] != 's' || !memchr(bucket, '.', n));
    if (host)
        spk_text_print(&a->host, "%.*s.", (int)n, bucket);
    spk_text_print(&a->host, "%s", s3->host);
    spk_text_print(&a->path, "%s/", s3->base);
    if (!host)
        spk_text_encode(&a->path, bucket, n, "");
    if (!r->bucket) {
        spk_text_add(&a->path, "/", host ? 0 : 1);
        spk_text_encode(&a->path, key, strlen(key), "/");
    }
    if (!a->host.nomem && !a->path.nomem)
        spk_text_print(&a->url, "%s%s%s%s%s", s3->root, a->host.at, a->path.at, *r->query ? "?" : "",
            r->query);
}

static void sign(address *a, const spk_s3 *s3, const spk_s3_request *r)
{
    char when[24], hash[SPK_SHA256_HEX];
    struct tm utc;
    const time_t now = time(NULL);
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc);
    spk_sha256_hex(r->body ? r->body : "", r->bytes, hash);
    spk_text_print(&a->canonical, "host:%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n", a->host.at, hash, when);
    if (s3->token)
        spk_text_print(&a->canonical, "x-amz-security-token:%s\n", s3->token);
    if (a->canonical.nomem)
        return;
    spk_sigv4_sign(
        &(spk_sigv4) { .key = s3->key,
            .secret = s3->secret,
            .region = s3->region,
            .service = "s3",
            .time = when,
            .method = r->method,
            .path = a->path.at,
            .query = r->query,
            .headers = a->canonical.at,
            .payload = hash },
        &a->authorization);
    if (a->authorization.nomem)
        return;
    spk_text_print(&a->headers, "x-amz-content-sha256: %s\nx-amz-date: %s\nAuthorization: %s\n", hash, when,
        a->authorization.at);
    if (s3->token)
        spk_text_print(&a->headers, "x-amz-security-token: %s\n", s3->token);
}

bool spk_s3_begin(const spk_s3 *s3, const spk_s3_request *r, spk_dialog *x, spark_fs_call *call)
{
    address a = { .host = { .at = NULL } };
    bool good = false;
    locate(&a, s3, r);
    spk_text_print(&a.headers, "%s", r->range ? r->range : "");
    if (s3->key && is_whole(&a))
        sign(&a, s3, r);
    if (*bucket_of(r->path) == '/' || *bucket_of(r->path) == '\0')
        spark_fs_fail(call, "%s names no bucket: s3://bucket/key", r->path);
    else if (!is_whole(&a))
        spk_fs_nomem(call);
    else
        good = spk_dialog_begin(x, &s3->curl,
            &(spk_request) { .method = r->method,
                .url = a.url.at,
                .headers = a.headers.at,
                .body = r->body ? r->body : "",
                .bytes = r->bytes,
                .has_body = r->has_body },
            call);
    free_address(&a);
    return good;
}

/* words_of: code and message of an error. */
static void words_of(const spk_text *body, spk_text *words)
{
    spark_str rest = { body->at ? body->at : "", body->n }, name, inner;
    if (!spk_xml_next(&rest, &name, &inner) || !spk_xml_is(name, "Error"))
        return;
    spk_xml_text(words, spk_xml_get(inner, "Code"));
    spk_text_add(words, ": ", 2);
    spk_xml_text(words, spk_xml_get(inner, "Message"));
}

static bool has(const spk_text *words, const char *code)
{
    return words->at && strncmp(words->at, code, strlen(code)) == 0;
}

bool spk_s3_refuse(spk_dialog *x, const char *what, const char *path, spark_fs_call *call)
{
    spk_text body = { .at = NULL }, words = { .at = NULL };
    char region[64];
    if (x->status != 304)
        spk_dialog_all(x, MOST_WORDS, &body, call);
    words_of(&body, &words);
    if (spk_dialog_header(x, "x-amz-bucket-region", region, sizeof region)
        && (x->status == 301 || x->status == 307 || x->status == 400))
        spk_text_print(&words, " (the bucket is in the region %s)", region);
    spk_dialog_refuse(x, what, path, words.at ? words.at : "", words.n, call);
    if (has(&words, "RequestTimeout:") || has(&words, "SlowDown") || has(&words, "InternalError"))
        call->again = true;
    call->missing = call->missing && !has(&words, "NoSuchBucket");
    spk_text_free(&body);
    spk_text_free(&words);
    return false;
}

/* asking: what spk_retry is told. */
typedef struct asking {
    const spk_s3 *s3;
    const spk_s3_request *request;
    const char *what, *header;
    spk_text *answer, *value;
} asking;

/* is_error: an answer of status 200 that turned out to be none. */
static bool is_error(const asking *a, spk_dialog *x, spark_fs_call *call)
{
    spk_text words = { .at = NULL };
    words_of(a->answer, &words);
    const bool error = words.n > 0;
    if (error) {
        spk_dialog_refuse(x, a->what, a->request->path, words.at, words.n, call);
        call->again = has(&words, "InternalError") || has(&words, "SlowDown");
        call->missing = false;
    }
    spk_text_free(&words);
    return error;
}

static bool ask_once(void *state, spark_fs_call *call)
{
    const asking *a = state;
    spk_dialog x;
    char value[1024];
    if (a->request->tries)
        ++*a->request->tries;
    if (!spk_s3_begin(a->s3, a->request, &x, call))
        return false;
    bool good = x.status >= 200 && x.status <= 299;
    if (!good)
        spk_s3_refuse(&x, a->what, a->request->path, call);
    spk_text_free(a->answer);
    good = good && spk_dialog_all(&x, MOST_ANSWER, a->answer, call) && !is_error(a, &x, call);
    if (good && a->header) {
        spk_text_free(a->value);
        spk_text_print(a->value, "%s", spk_dialog_header(&x, a->header, value, sizeof value) ? value : "");
        good = !a->value->nomem || spk_fs_nomem(call);
    }
    spk_dialog_end(&x);
    return good;
}

bool spk_s3_ask(const spk_s3 *s3, const spk_s3_request *request, const char *what, spk_text *answer,
    const char *header, spk_text *value, spark_fs_call *call)
{
    asking a = { s3, request, what, header, answer, value };
    return spk_retry(&s3->curl, ask_once, &a, call);
}
