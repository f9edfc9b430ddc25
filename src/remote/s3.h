/* SPDX-License-Identifier: Apache-2.0 */
/* S3: what reading, listing and writing share.
 *
 * place: a bucket and a key in it; request: one of the operations of the API. */
#ifndef SPK_REMOTE_S3_H
#define SPK_REMOTE_S3_H

#include "remote/curl.h"
#include "remote/range.h"

typedef struct spk_s3 {
    spk_curl curl;
    char *key, *secret, *token; /* NULL: not signed, no token */
    char *region;
    char *root; /* http://host[:port] */
    char *host; /* the host in it, and its port */
    char *base; /* the path below it, or "" */
    bool virtual_host;
    size_t part_bytes;
} spk_s3;

/* spk_s3_configure: from options, environment and files. spk_s3_free: also of one that could not be made. */
spark_status spk_s3_configure(spk_s3 *s3, const spark_s3_options *options, spk_failure *failure);
void spk_s3_free(void *s3);

typedef struct spk_s3_request {
    const char *method;
    const char *path;  /* s3://bucket/key */
    bool bucket;       /* it is the bucket that is asked */
    const char *query; /* encoded and sorted; "": none */
    const char *range; /* a header line, or NULL */
    const void *body;
    size_t bytes;
    bool has_body;
    int *tries; /* how often it was asked; or NULL */
} spk_s3_request;

/* spk_s3_begin: as spk_dialog_begin. spk_s3_refuse: fails the call, in the server's words. */
bool spk_s3_begin(const spk_s3 *s3, const spk_s3_request *request, spk_dialog *x, spark_fs_call *call);
bool spk_s3_refuse(spk_dialog *x, const char *what, const char *path, spark_fs_call *call);
/* spk_s3_ask: all of an answer, and whether its status is 2xx; tried again where it may help. header: which
 * one to keep in *value; both may be NULL. */
bool spk_s3_ask(const spk_s3 *s3, const spk_s3_request *request, const char *what, spk_text *answer,
    const char *header, spk_text *value, spark_fs_call *call);
/* spk_s3_key: where the key of a path begins; "": there is none. */
const char *spk_s3_key(const char *path);

/* spk_s3_look: at one object. */
bool spk_s3_look(const spk_s3 *s3, const char *path, spark_fs_info *info, spark_fs_call *call);

/* Of spark_fs. */
void *spk_s3_create(void *env, const char *path, spark_fs_call *call);
bool spk_s3_write(void *file, const void *from, size_t n, spark_fs_call *call);
bool spk_s3_prepare(void *file, spark_fs_call *call);
bool spk_s3_publish(void *file, spark_fs_call *call);
void spk_s3_discard(void *file);

#endif
