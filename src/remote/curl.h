/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over HTTP, each by one run of the program curl.
 *
 * dialog: a request and its answer while it comes; again: what may go well when it is tried again. */
#ifndef SPK_REMOTE_CURL_H
#define SPK_REMOTE_CURL_H

#include "io/child.h"
#include "remote/fs.h"
#include "remote/text.h"

/* spk_curl: how it is run: spark_http_options, with the defaults. */
typedef struct spk_curl {
    char *program, *user, *ca_file; /* the latter two may be NULL */
    spk_text headers;               /* lines */
    int retries, wait_ms, connect_ms, stall_ms;
    bool negotiate; /* by Kerberos */
} spk_curl;

/* spk_curl_init: SPARK_EINVAL: a header that is none. spk_curl_free: of a zeroed one, too. */
spark_status spk_curl_init(
    spk_curl *curl, const spark_http_options *options, spk_failure *failure);
void spk_curl_free(spk_curl *curl);

typedef struct spk_request {
    const char *method, *url;
    const char *headers; /* lines: "Name: value\n"; may be NULL */
    const void *body;
    size_t bytes; /* of the body */
    bool has_body;
    int file;    /* the body is in this descriptor - 1; 0: in `body` */
    bool follow; /* to where the server sends it */
} spk_request;

typedef struct spk_dialog {
    spk_child child;
    int errors;       /* what curl complained of */
    int status;       /* of HTTP */
    int64_t length;   /* of the body, as the server says; -1: it does not */
    uint64_t body;    /* bytes of it so far */
    bool ended;       /* all has come */
    char *buffer;     /* the head, and what came with it: */
    size_t head, from, to;
    const char *url;
} spk_dialog;

/* spk_dialog_begin: until the head of the answer is there, whatever its status. On failure nothing is
 * left. */
bool spk_dialog_begin(
    spk_dialog *x, const spk_curl *curl, const spk_request *request, spark_fs_call *call);
/* spk_dialog_read: at most n bytes of the body; 0: the end, and nothing is missing; -1. */
int64_t spk_dialog_read(spk_dialog *x, void *to, size_t n, spark_fs_call *call);
void spk_dialog_end(spk_dialog *x); /* at any time, and more than once */
/* spk_dialog_header: the value of a header, in `to`; false: there is none. */
bool spk_dialog_header(const spk_dialog *x, const char *name, char *to, size_t size);

/* spk_dialog_all: the rest of the body, at most `most` bytes, behind what *body holds. */
bool spk_dialog_all(spk_dialog *x, size_t most, spk_text *body, spark_fs_call *call);

/* spk_dialog_refuse: fails the call for the answer's status; `says`: what the server says, n bytes. A 404 is
 * missing; those that may pass are `again`. */
bool spk_dialog_refuse(
    const spk_dialog *x, const char *what, const char *path, const char *says, size_t n, spark_fs_call *call);

/* spk_retry: calls `once` until it is true, or there is no sense in going on. spk_pause_before: the pause before try
 * number `tried`, from 1; false: nobody wants it any more. */
bool spk_retry(const spk_curl *curl, bool (*once)(void *state, spark_fs_call *call), void *state,
    spark_fs_call *call);
bool spk_pause_before(const spk_curl *curl, int tried, spark_fs_call *call);

#endif
