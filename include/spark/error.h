/* SPDX-License-Identifier: Apache-2.0 */
/* How libspark fails: transformations never, actions with a status, details in the thread's last
 * error. */
#ifndef SPARK_ERROR_H
#define SPARK_ERROR_H

#include <spark/base.h>

SPARK_BEGIN_DECLS

/* spark_status: where a task failed as often as it may, the status of the action is that of the
 * task's last failure: SPARK_EIO for a file, SPARK_ENOMEM for memory, SPARK_ETASK for
 * spark_fail. */
typedef enum spark_status {
    SPARK_OK = 0,
    SPARK_EINVAL,     /* an argument or a configuration that makes no sense */
    SPARK_ETYPE,      /* a function or a result whose types do not fit the RDD's */
    SPARK_ENOMEM,     /* no memory, from the system or from the context's budget */
    SPARK_EIO,        /* a file that cannot be found, read or written */
    SPARK_EEMPTY,     /* reduce or first of an empty collection */
    SPARK_ETASK,      /* a function has failed, or outputs were lost, as often as may be */
    SPARK_ECANCELLED, /* the job was cancelled */
    SPARK_ETIMEOUT,   /* of a wait: what is waited for still runs */
    SPARK_EDEADLINE   /* a task, as often as may be, or a job took longer than its limit */
} spark_status;

/* spark_error: what is known of a failure. Strings are never NULL; numbers are -1 where they do
 * not apply. The message begins with operation, site and cause; where a task failed, the file, line
 * and record follow, and what Spark says of it ("Job aborted due to stage failure: ..."). A line is
 * found by taking rows one by one in the attempt after a failure: where there is only one attempt
 * (spark_conf.task_max_failures), it is known of functions that take lines, or maps of lines, only.
 * Rows that are read from a cached block have none. */
typedef struct spark_error {
    spark_status code;
    const char *operation; /* "map(to_sale)", "textFile" */
    const char *message;   /* the whole story, in one line of at most 767 bytes */
    spark_site site;       /* where the operation was written: "orders.c:30" */
    int job, stage, partition, attempt; /* stages are numbered over the whole context; in a fault plan, over the job */
    int64_t record;   /* index of the element within its partition, from 0 */
    const char *file; /* which was being read when a function failed (cut in front to 511 bytes) */
    int64_t line;     /* the line of it, from 1, that the function's element came from */
} spark_error;

/* spark_last_error: the error of the last libspark call of this thread that failed. Never NULL:
 * before the first failure its code is SPARK_OK and its message "". Valid until the next failing
 * call of this thread; success does not clear it. An RDD keeps what is wrong with it for the
 * action; a transformation of NULL alone has no context to keep it in, so that it is the thread's
 * last error at once, and an action on what came of it tells it as long as it is. */
const spark_error *spark_last_error(void);

/* spark_complain: prints "program: message" of spark_last_error() to stderr. Returns 1, for main to
 * return. */
int spark_complain(const char *program);

/* spark_status_name: "SPARK_ETYPE" for SPARK_ETYPE; never NULL. */
const char *spark_status_name(spark_status status);

SPARK_END_DECLS

#endif
