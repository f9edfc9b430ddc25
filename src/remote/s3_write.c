/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that are written: a multipart upload, whose parts are sent as they are full, and which is completed when
 * the file is published. Until then nothing is there to be seen; who discards it aborts the upload. An empty
 * file has no part to send, and is put when it is published. Each part is signed with its hash: what was garbled on
 * its way is refused. */
#include <stdlib.h>

#include "remote/s3.h"
#include "remote/xml.h"

enum { MOST_PARTS = 10000 };

typedef struct upload {
    const spk_s3 *s3;
    char *part;
    size_t used;
    uint64_t bytes;  /* in all */
    int parts;       /* that were sent */
    spk_text id;     /* of the upload; empty: none was begun */
    spk_text list;   /* of the parts, as XML */
    spk_text answer; /* the last one */
    char path[];
} upload;

static void free_upload(upload *u)
{
    spk_text_free(&u->id);
    spk_text_free(&u->list);
    spk_text_free(&u->answer);
    free(u->part);
    free(u);
}

void *spk_s3_create(void *env, const char *path, spark_fs_call *call)
{
    const spk_s3 *s3 = env;
    upload *u = calloc(1, sizeof *u + strlen(path) + 1);
    if (u && !(u->part = malloc(s3->part_bytes))) {
        free(u);
        u = NULL;
    }
    if (!u) {
        spk_fs_nomem(call);
        return NULL;
    }
    u->s3 = s3;
    memcpy(u->path, path, strlen(path) + 1);
    return u;
}

static bool ask(upload *u, const char *method, const char *query, const void *body, size_t n, bool has_body,
    const char *header, spk_text *value, spark_fs_call *call)
{
    const spk_s3_request request = { .method = method,
        .path = u->path,
        .query = query,
        .body = body,
        .bytes = n,
        .has_body = has_body };
    return spk_s3_ask(u->s3, &request, "cannot write", &u->answer, header, value, call);
}

/* begin: gets the id of an upload. */
static bool begin(upload *u, spark_fs_call *call)
{
    spark_str rest, name, inner;
    if (!ask(u, "POST", "uploads=", "", 0, true, NULL, NULL, call))
        return false;
    rest = (spark_str) { u->answer.at ? u->answer.at : "", u->answer.n };
    if (spk_xml_next(&rest, &name, &inner))
        spk_xml_text(&u->id, spk_xml_get(inner, "UploadId"));
    spk_text_print(&u->list, "<CompleteMultipartUpload>");
    if (u->id.nomem || u->list.nomem)
        return spk_fs_nomem(call);
    return u->id.n > 0 || spark_fs_fail(call, "cannot write %s: the server begins no upload", u->path);
}

/* query_of: of the upload, and of one of its parts (0: none). */
static void query_of(const upload *u, int part, spk_text *query)
{
    if (part > 0)
        spk_text_print(query, "partNumber=%d&", part);
    spk_text_print(query, "uploadId=");
    spk_text_encode(query, u->id.at, u->id.n, "");
}

/* add_part: with its ETag, whose quotes are a part of it. */
static void add_part(upload *u, int part, const spk_text *etag)
{
    spk_text_print(&u->list, "<Part><PartNumber>%d</PartNumber><ETag>", part);
    for (const char *p = etag->at; *p; p++)
        if (*p == '"')
            spk_text_print(&u->list, "&quot;");
        else
            spk_text_add(&u->list, p, 1);
    spk_text_print(&u->list, "</ETag></Part>");
}

/* send: what has gathered. */
static bool send(upload *u, spark_fs_call *call)
{
    spk_text query = { .at = NULL }, etag = { .at = NULL };
    if (u->id.n == 0 && !begin(u, call))
        return false;
    if (u->parts == MOST_PARTS)
        return spark_fs_fail(call, "cannot write %s: more than %d parts of %zu bytes; part_bytes must be larger",
            u->path, MOST_PARTS, u->s3->part_bytes);
    query_of(u, u->parts + 1, &query);
    bool good = !query.nomem || spk_fs_nomem(call);
    good = good && ask(u, "PUT", query.at, u->part, u->used, true, "ETag", &etag, call);
    if (good) {
        add_part(u, ++u->parts, &etag);
        u->used = 0;
        good = !u->list.nomem || spk_fs_nomem(call);
    }
    spk_text_free(&query);
    spk_text_free(&etag);
    return good;
}

bool spk_s3_write(void *file, const void *from, size_t n, spark_fs_call *call)
{
    upload *u = file;
    const char *p = from;
    while (n > 0) {
        const size_t room = u->s3->part_bytes - u->used, some = n < room ? n : room;
        memcpy(u->part + u->used, p, some);
        u->used += some;
        u->bytes += some;
        p += some;
        n -= some;
        if (u->used == u->s3->part_bytes && !send(u, call))
            return false;
    }
    return true;
}

bool spk_s3_prepare(void *file, spark_fs_call *call)
{
    upload *u = file;
    if (u->used > 0 && !send(u, call))
        return false;
    free(u->part);
    u->part = NULL;
    return true;
}

/* is_done: an upload that is not known any more: the answer to an earlier try may have been lost. */
static bool is_done(const upload *u, spark_fs_call *call)
{
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call look = { .failure = &failure };
    spark_fs_info info;
    return call->missing && spk_s3_look(u->s3, u->path, &info, &look) && info.bytes == u->bytes;
}

bool spk_s3_publish(void *file, spark_fs_call *call)
{
    upload *u = file;
    spk_text query = { .at = NULL };
    bool good;
    if (u->id.n == 0) {
        good = ask(u, "PUT", "", "", 0, true, NULL, NULL, call);
    } else {
        query_of(u, 0, &query);
        spk_text_print(&u->list, "</CompleteMultipartUpload>");
        good = (!query.nomem && !u->list.nomem) || spk_fs_nomem(call);
        good = good
            && (ask(u, "POST", query.at, u->list.at, u->list.n, true, NULL, NULL, call) || is_done(u, call));
        spk_text_free(&query);
    }
    if (good)
        free_upload(u);
    else
        spk_s3_discard(u);
    return good;
}

void spk_s3_discard(void *file)
{
    upload *u = file;
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call call = { .failure = &failure };
    spk_text query = { .at = NULL };
    if (u->id.n > 0) {
        query_of(u, 0, &query);
        if (!query.nomem)
            ask(u, "DELETE", query.at, NULL, 0, false, NULL, NULL, &call);
        spk_text_free(&query);
    }
    free_upload(u);
}
