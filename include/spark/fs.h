/* SPDX-License-Identifier: Apache-2.0 */
/* File systems: what paths with a scheme stand for, as in s3://bucket/logs. A program asks for those
 * it uses; from then on every input of the context takes such paths, with globs and commas as for
 * spark_text_file:
 *
 *     spark_use_s3(sc, NULL);
 *     spark_rdd *lines = spark_text_file(sc, "s3://bucket/logs/2026-*", 0);
 *
 * Files are split and read in parallel as those of this machine, each split by a request of its own
 * that is read as it comes. What is asked of a server is asked again after failures that may pass
 * (no connection, one that breaks or stalls, an answer that is too short, 408, 429, 5xx), with pauses;
 * reading goes on where it stood. A file that has become another one since it was listed is an error.
 * Errors name the path, the status and what the server says.
 *
 * The file systems that are here run the program curl, without a shell; secrets are neither in its
 * arguments nor in its environment. Those of Spark come from Hadoop, with other options. */
#ifndef SPARK_FS_H
#define SPARK_FS_H

#include <spark/context.h>

SPARK_BEGIN_DECLS

/* spark_fs_call: one call of a file system, as it is told about it. spark_fs_fail: it fails, with
 * these words, which should name the path; returns false, to be returned. spark_fs_missing: there is
 * no such file. spark_fs_unwanted: whether nobody waits for it any more, as when a job was cancelled:
 * then it may fail with any words. */
typedef struct spark_fs_call spark_fs_call;
bool spark_fs_fail(spark_fs_call *call, const char *format, ...) SPARK_FORMAT_(2, 3);
bool spark_fs_missing(spark_fs_call *call);
bool spark_fs_unwanted(const spark_fs_call *call);

/* spark_fs_info: a file or a directory. */
#define SPARK_FS_NO_SIZE UINT64_MAX
typedef struct spark_fs_info {
    const char *name;    /* in its directory; of stat: not looked at */
    bool directory;
    bool whole;          /* it can be read from its beginning only: one partition */
    uint64_t bytes;      /* SPARK_FS_NO_SIZE: not known, it is read to its end in one partition */
    const char *version; /* changes with the content, as an ETag; NULL: not known; is copied */
} spark_fs_info;

/* spark_fs_found: hands over what is in a directory, in any order; false: list is to fail. */
bool spark_fs_found(spark_fs_call *call, const spark_fs_info *info);

/* spark_fs: a file system of the program's own. Paths are as they were given, scheme and all, without
 * the backslashes of patterns. Functions are called from several threads at once. Those that fail have
 * called spark_fs_fail or spark_fs_missing, and return false, NULL or -1. Those that are NULL are not
 * there: without list, signs of patterns other than commas and braces mean nothing in paths, and there are no
 * directories; without create nothing can be written.
 *
 * A file that is written appears when it is published and not before: create begins it, write adds to
 * it, prepare says that it is complete and should outlive the process; publish or discard end it,
 * also in place of prepare: in any thread, but one at a time. What has been published replaces what was
 * there. */
typedef struct spark_fs {
    bool (*stat)(void *env, const char *path, spark_fs_info *info, spark_fs_call *call);
    bool (*list)(void *env, const char *path, spark_fs_call *call); /* of a directory, by spark_fs_found */
    /* open: the bytes from `offset` on; `end`: where the reader stops, as far as it knows, or
     * SPARK_FS_NO_SIZE; version: what stat or list said, or NULL. read: at most n bytes; 0: the end. */
    void *(*open)(void *env, const char *path, uint64_t offset, uint64_t end, const spark_fs_info *info,
        spark_fs_call *call);
    int64_t (*read)(void *stream, void *to, size_t n, spark_fs_call *call);
    void (*close)(void *stream);

    void *(*create)(void *env, const char *path, spark_fs_call *call);
    bool (*write)(void *file, const void *from, size_t n, spark_fs_call *call);
    bool (*prepare)(void *file, spark_fs_call *call);
    bool (*publish)(void *file, spark_fs_call *call);
    void (*discard)(void *file);
    bool (*make_directory)(void *env, const char *path, spark_fs_call *call); /* and what leads to it */
    bool (*rename)(void *env, const char *from, const char *to, spark_fs_call *call);
    bool (*remove)(void *env, const char *path, spark_fs_call *call); /* with all that is in it; or
                                                                         there is none */
    void (*free)(void *env);
} spark_fs;

/* spark_register_fs: paths that begin with scheme:// (letters, digits, + - .) are this file system's, for
 * RDDs whose files are listed from now on; one that was registered under that name is not asked any more. The
 * struct is copied; env is freed by its free, with the context, or at once where this fails. */
spark_status spark_register_fs(spark_context *sc, const char *scheme, const spark_fs *fs, void *env);

/* spark_register_command: files of that scheme are what a command prints: argv, which ends with NULL, where
 * {} stands for the path and {/} for what is behind scheme://, in any word: { "gsutil", "cat", "{}" }. Without a
 * shell, its words are what they are. One partition a file; a status other than 0 fails the task, and each attempt
 * runs it again. */
spark_status spark_register_command(spark_context *sc, const char *scheme, const char *const *argv);

/* spark_http_options: of the program curl, and of spark_use_http. Zero is what stands beside it; texts are
 * copied. */
typedef struct spark_http_options {
    const char *curl;          /* "curl" */
    int retries;               /* 5 more attempts; negative: none */
    int retry_wait_ms;         /* 100: before the first one, then twice as long each, at most 10 s */
    int connect_timeout_ms;    /* 30,000 */
    int stall_timeout_ms;      /* 60,000 without a byte */
    const char *user;          /* "name:password", of HTTP basic authentication */
    const char *ca_file;       /* certificates to trust instead of the system's */
    const char *const *headers; /* "Name: value", ends with NULL */
} spark_http_options;

/* spark_use_http: http:// and https://, to be read. A server that takes ranges gives files that are split;
 * of others a file is one partition. There are no directories; * ? [ mean nothing in such paths, which
 * spark_path_literal or spark_text_files take as they are, commas and braces too. options: may be
 * NULL. */
spark_status spark_use_http(spark_context *sc, const spark_http_options *options);

/* spark_s3_options: zero is what stands beside it. Keys come from here, else from AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else from the profile in ~/.aws/credentials and ~/.aws/config (or
 * AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE); roles of machines and single sign-on are not asked. Where there
 * are none, requests are not signed. All of it is read at the call. */
typedef struct spark_s3_options {
    const char *access_key, *secret_key, *session_token;
    const char *profile;  /* AWS_PROFILE, "default" */
    const char *region;   /* AWS_REGION, AWS_DEFAULT_REGION, the profile's, "us-east-1" */
    const char *endpoint; /* AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, "https://s3.REGION.amazonaws.com" */
    bool virtual_host;    /* buckets are hosts below the endpoint; so they are without an endpoint; else a part of
                             the path */
    bool anonymous;       /* requests are not signed */
    size_t part_bytes;    /* 8 MiB, 5 MiB at least: written at once; a file has 10,000 parts at most */
    spark_http_options http;
} spark_s3_options;

/* spark_use_s3: s3://bucket/key and s3a://, of Amazon and whoever speaks as S3 does. Requests are signed
 * (version 4). What / cuts keys into are directories; a key that ends with / is none of the files.
 * A file that is written is a multipart upload, completed when it is published: no reader sees a
 * part of it, and a job that fails leaves none. Up to four files are sent at once, and up to two parts
 * of each while a third one is read: twelve times part_bytes of memory at most. Where the server's
 * answer to the beginning of an upload is lost, all uploads of that key but ours are aborted; one
 * that the server does not list then stays, without a part, until the bucket's own rules remove it.
 * options: may be NULL. */
spark_status spark_use_s3(spark_context *sc, const spark_s3_options *options);

/* spark_webhdfs_options: zero is what stands beside it; texts are copied. */
typedef struct spark_webhdfs_options {
    const char *user;     /* HADOOP_USER_NAME, USER */
    const char *token;    /* a delegation token, in place of the user; it is a part of addresses */
    const char *namenode; /* "http://host:port": who serves hdfs:// over HTTP; the host of the path, port 9870 */
    bool kerberos;        /* by the ticket that curl finds (--negotiate) */
    spark_http_options http;
} spark_webhdfs_options;

/* spark_use_webhdfs: webhdfs://host:port/path, swebhdfs:// over TLS, and hdfs://, whose port is that of another
 * protocol and is not used. Hadoop's file system by WebHDFS or HttpFS, with curl alone. options: may be
 * NULL. */
spark_status spark_use_webhdfs(spark_context *sc, const spark_webhdfs_options *options);

SPARK_END_DECLS

#endif
