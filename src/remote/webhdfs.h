/* SPDX-License-Identifier: Apache-2.0 */
/* WebHDFS: what reading and writing share. */
#ifndef SPK_REMOTE_WEBHDFS_H
#define SPK_REMOTE_WEBHDFS_H

#include <spark/json.h>

#include "remote/curl.h"

typedef struct spk_webhdfs {
    spk_curl curl;
    char *user, *token; /* may be NULL */
    char *namenode;     /* http://host:port, for hdfs://; NULL: of the path */
    char *directory;    /* where files lie until they are sent */
} spk_webhdfs;

/* spk_webhdfs_request: an operation: method, path, "OPEN", and more of the query, which begins with &, or "". */
typedef struct spk_webhdfs_request {
    const char *method, *path, *op, *more;
} spk_webhdfs_request;

/* spk_webhdfs_begin: as spk_dialog_begin. spk_webhdfs_refuse: fails the call, in the server's words. */
bool spk_webhdfs_begin(
    const spk_webhdfs *h, const spk_webhdfs_request *request, spk_dialog *x, spark_fs_call *call);
bool spk_webhdfs_refuse(spk_dialog *x, const char *what, const char *path, spark_fs_call *call);
/* spk_webhdfs_ask: all of an answer, as JSON in *answer; tried again where it may help. */
bool spk_webhdfs_ask(const spk_webhdfs *h, const spk_webhdfs_request *request, const char *what,
    spk_text *answer, spark_json *json, spark_fs_call *call);
/* spk_webhdfs_text: the text of a string; empty: it is none. */
void spk_webhdfs_text(spk_text *to, spark_json value);
/* spk_webhdfs_path: where the path within the file system begins. */
const char *spk_webhdfs_path(const char *path);

/* Of spark_fs. */
bool spk_webhdfs_stat(void *env, const char *path, spark_fs_info *info, spark_fs_call *call);
void *spk_webhdfs_create(void *env, const char *path, spark_fs_call *call);
bool spk_webhdfs_write(void *file, const void *from, size_t n, spark_fs_call *call);
bool spk_webhdfs_prepare(void *file, spark_fs_call *call);
bool spk_webhdfs_publish(void *file, spark_fs_call *call);
void spk_webhdfs_discard(void *file);
bool spk_webhdfs_make_directory(void *env, const char *path, spark_fs_call *call);
bool spk_webhdfs_rename(void *env, const char *from, const char *to, spark_fs_call *call);
bool spk_webhdfs_remove(void *env, const char *path, spark_fs_call *call);

#endif
