/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that are written: a multipart upload, whose parts are sent as they are full, a few at a time, each by a
 * thread, and which is completed when the file is published. Until then nothing is there to be seen; who discards it
 * aborts the upload. An empty file has no part to send, and is put when it is published. Each part is signed with
 * its hash: what was garbled on its way is refused.
 *
 * Where the beginning of an upload was tried more than once, or failed, an upload may have begun that nobody knows:
 * the answer was lost. So the bucket is asked for all uploads of the file's name, and those that are not ours are
 * aborted. */
#include <pthread.h>
#include <stdlib.h>

#include "base/faults.h"
#include "base/signals.h"
#include "base/sys.h"
#include "remote/s3.h"
#include "remote/xml.h"

/* LANES: parts of a file that are on their way at once. */
enum { MOST_PARTS = 10000, LANES = 2, STACK = 512 * 1024 };

typedef struct upload upload;

/* lane: a part on its way. */
typedef struct lane {
    const upload *of;
    spk_place *place;
    pthread_t thread;
    bool threaded, busy, good;
    char *part; /* of the lane, while it is busy or free again */
    size_t bytes;
    int number;
    spk_text etag, answer;
    spk_failure failure;
    spark_fs_call call;
} lane;

struct upload {
    const spk_s3 *s3;
    char *part;      /* that is filled */
    size_t used;
    uint64_t bytes;  /* in all */
    int parts;       /* that were sent, or are being sent */
    lane lanes[LANES]; /* part n goes by lane (n - 1) % LANES */
    spk_text id;     /* of the upload; empty: none was begun */
    spk_text list;   /* of the parts, as XML */
    spk_text answer; /* the last one */
    char path[];
};

/* wait_for: the thread of a lane. */
static void wait_for(lane *l)
{
    if (l->threaded)
        pthread_join(l->thread, NULL);
    l->threaded = false;
}

static void free_upload(upload *u)
{
    for (int i = 0; i < LANES; i++) {
        wait_for(&u->lanes[i]);
        spk_text_free(&u->lanes[i].etag);
        spk_text_free(&u->lanes[i].answer);
        free(u->lanes[i].part);
    }
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

/* query_of: of an upload, and of one of its parts (0: none). */
static void query_of(const spk_text *id, int part, spk_text *query)
{
    if (part > 0)
        spk_text_print(query, "partNumber=%d&", part);
    spk_text_print(query, "uploadId=");
    spk_text_encode(query, id->at, id->n, "");
}

static bool ask(upload *u, const char *method, const char *query, const void *body, size_t n, bool has_body,
    spark_fs_call *call)
{
    const spk_s3_request request = { .method = method,
        .path = u->path,
        .query = query,
        .body = body,
        .bytes = n,
        .has_body = has_body };
    return spk_s3_ask(u->s3, &request, "cannot write", &u->answer, NULL, NULL, call);
}

/* abort_upload: quietly. */
static void abort_upload(const spk_s3 *s3, const char *path, const spk_text *id)
{
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call call = { .failure = &failure };
    spk_text query = { .at = NULL }, answer = { .at = NULL };
    query_of(id, 0, &query);
    if (!query.nomem)
        spk_s3_ask(s3, &(spk_s3_request) { .method = "DELETE", .path = path, .query = query.at },
            "cannot abort the upload of", &answer, NULL, NULL, &call);
    spk_text_free(&query);
    spk_text_free(&answer);
}

/* abort_other: an upload that a listing tells of, unless it is ours, or of a file with a longer name. */
static void abort_other(const upload *u, spark_str inner)
{
    spk_text key = { .at = NULL }, id = { .at = NULL };
    const char *own = spk_s3_key(u->path);
    spk_xml_text(&key, spk_xml_get(inner, "Key"));
    spk_xml_text(&id, spk_xml_get(inner, "UploadId"));
    if (key.n == strlen(own) && id.n > 0 && !key.nomem && !id.nomem && memcmp(key.at, own, key.n) == 0
        && (u->id.n != id.n || memcmp(u->id.at, id.at, id.n) != 0))
        abort_upload(u->s3, u->path, &id);
    spk_text_free(&key);
    spk_text_free(&id);
}

/* abort_others: uploads of the same name: what nobody knows of. Asked for once; best effort. */
static void abort_others(const upload *u)
{
    spk_s3 once = *u->s3;
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call call = { .failure = &failure };
    spk_text query = { .at = NULL }, answer = { .at = NULL };
    const char *key = spk_s3_key(u->path);
    spark_str rest, name, inner;
    once.curl.retries = once.curl.retries ? 1 : 0;
    spk_text_print(&query, "prefix=");
    spk_text_encode(&query, key, strlen(key), "");
    spk_text_print(&query, "&uploads=");
    if (!query.nomem
        && spk_s3_ask(&once,
            &(spk_s3_request) { .method = "GET", .path = u->path, .bucket = true, .query = query.at },
            "cannot list the uploads of", &answer, NULL, NULL, &call)) {
        rest = (spark_str) { answer.at ? answer.at : "", answer.n };
        if (spk_xml_next(&rest, &name, &inner))
            for (rest = inner; spk_xml_next(&rest, &name, &inner);)
                if (spk_xml_is(name, "Upload"))
                    abort_other(u, inner);
    }
    spk_text_free(&query);
    spk_text_free(&answer);
}

/* begin: gets the id of an upload. */
static bool begin(upload *u, spark_fs_call *call)
{
    spark_str rest, name, inner;
    int tries = 0;
    const spk_s3_request request = { .method = "POST",
        .path = u->path,
        .query = "uploads=",
        .body = "",
        .has_body = true,
        .tries = &tries };
    const bool answered = spk_s3_ask(u->s3, &request, "cannot write", &u->answer, NULL, NULL, call);
    if (answered) {
        rest = (spark_str) { u->answer.at ? u->answer.at : "", u->answer.n };
        if (spk_xml_next(&rest, &name, &inner))
            spk_xml_text(&u->id, spk_xml_get(inner, "UploadId"));
        spk_text_print(&u->list, "<CompleteMultipartUpload>");
    }
    if ((tries > 1 || u->id.n == 0) && !u->id.nomem)
        abort_others(u);
    if (!answered)
        return false;
    if (u->id.nomem || u->list.nomem)
        return spk_fs_nomem(call);
    return u->id.n > 0 || spark_fs_fail(call, "cannot write %s: the server begins no upload", u->path);
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

/* send_part: in the thread of the lane, or another one. */
static void *send_part(void *state)
{
    lane *l = state;
    SPK_AT(l->place);
    spk_text query = { .at = NULL };
    query_of(&l->of->id, l->number, &query);
    const spk_s3_request request = { .method = "PUT",
        .path = l->of->path,
        .query = query.at,
        .body = l->part,
        .bytes = l->bytes,
        .has_body = true };
    l->call = (spark_fs_call) { .failure = &l->failure };
    l->good = query.nomem
        ? spk_fs_nomem(&l->call)
        : spk_s3_ask(l->of->s3, &request, "cannot write", &l->answer, "ETag", &l->etag, &l->call);
    spk_text_free(&query);
    return NULL;
}

/* collect: what has become of the part of a lane. */
static bool collect(upload *u, lane *l, spark_fs_call *call)
{
    if (!l->busy)
        return true;
    wait_for(l);
    l->busy = false;
    if (!l->good) {
        *call->failure = l->failure;
        call->missing = l->call.missing;
        call->again = false;
        return false;
    }
    add_part(u, l->number, &l->etag);
    return !u->list.nomem || spk_fs_nomem(call);
}

/* start: a thread for a part; false: there is none. */
static bool start(lane *l)
{
    pthread_attr_t attributes;
    sigset_t before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    spk_signals_block(&before);
    l->threaded = pthread_attr_setstacksize(&attributes, STACK) == 0
        && spk_thread_start(l->place, &l->thread, &attributes, send_part, l) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return l->threaded;
}

/* send: what has gathered; more: and it goes on behind that, so that nobody need wait for it. */
static bool send(upload *u, bool more, spark_fs_call *call)
{
    if (u->id.n == 0 && !begin(u, call))
        return false;
    if (u->parts == MOST_PARTS)
        return spark_fs_fail(call, "cannot write %s: more than %d parts of %zu bytes; part_bytes must be larger",
            u->path, MOST_PARTS, u->s3->part_bytes);
    lane *l = &u->lanes[u->parts % LANES];
    if (!collect(u, l, call))
        return false;
    char *free_one = l->part;
    l->of = u;
    l->place = spk_place_enter(NULL);
    spk_place_enter(l->place);
    l->part = u->part;
    l->bytes = u->used;
    l->number = ++u->parts;
    l->busy = true;
    u->part = more && !free_one ? malloc(u->s3->part_bytes) : free_one;
    u->used = 0;
    if (!more || !u->part || !start(l))
        send_part(l);
    if (more && !u->part) { /* no memory for another one: that of the part that has gone */
        u->part = l->part;
        l->part = NULL;
    }
    return true;
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
        if (u->used == u->s3->part_bytes && !send(u, true, call))
            return false;
    }
    return true;
}

bool spk_s3_prepare(void *file, spark_fs_call *call)
{
    upload *u = file;
    bool good = u->used == 0 || send(u, false, call);
    for (int i = 0; i < LANES && good; i++)
        good = collect(u, &u->lanes[(u->parts + i) % LANES], call);
    for (int i = 0; i < LANES && good; i++) {
        free(u->lanes[i].part);
        u->lanes[i].part = NULL;
    }
    free(u->part);
    u->part = NULL;
    return good;
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
        good = ask(u, "PUT", "", "", 0, true, call);
    } else {
        query_of(&u->id, 0, &query);
        spk_text_print(&u->list, "</CompleteMultipartUpload>");
        good = (!query.nomem && !u->list.nomem) || spk_fs_nomem(call);
        good = good
            && (ask(u, "POST", query.at, u->list.at, u->list.n, true, call) || is_done(u, call));
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
    for (int i = 0; i < LANES; i++)
        wait_for(&u->lanes[i]);
    if (u->id.n > 0)
        abort_upload(u->s3, u->path, &u->id);
    free_upload(u);
}
