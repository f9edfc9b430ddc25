/* SPDX-License-Identifier: Apache-2.0 */
/* Failures as values: fixed size, so that failing allocates nothing; and the thread's last error.
 */
#ifndef SPK_BASE_ERROR_H
#define SPK_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include <spark/error.h>

#include "base/cold.h"

typedef struct spk_failure {
    spark_status code;
    bool homeless; /* of what has no context to belong to, which has raised it */
    int job, stage, partition, attempt;
    int64_t record, line;
    spark_site site; /* static, or "" */
    char operation[96];
    char message[768];
    char file[512]; /* which was read, or "" */
} spk_failure;

/* SPK_FAILURE: a constant one, which belongs to no job. */
#define SPK_FAILURE(code_, message_)                                                               \
    {                                                                                              \
        .code = (code_), .job = -1, .stage = -1, .partition = -1, .attempt = -1, .record = -1,     \
        .line = -1, .site = "", .message = message_                                                \
    }

/* spk_no_memory, spk_of_nothing: what stands for a failure where nothing can be allocated or nothing
 * was given: "the RDD or the context is NULL". */
extern const spk_failure spk_no_memory, spk_of_nothing;

/* spk_failure_set: fills *failure and returns code. operation and site may be NULL. Long messages
 * are cut. spk_failure_nomem: "out of memory". */
SPK_COLD spark_status spk_failure_set(spk_failure *failure, spark_status code,
    const char *operation, spark_site site, const char *format, ...) SPARK_FORMAT_(5, 6);
SPK_COLD spark_status spk_failure_vset(spk_failure *failure, spark_status code,
    const char *operation, spark_site site, const char *format, va_list args) SPARK_FORMAT_(5, 0);
SPK_COLD spark_status spk_failure_nomem(spk_failure *failure, const char *operation,
    spark_site site);

/* spk_failure_at: names the operation, in front of the message too: "saveAsTextFile at x.c:3:
 * ...". */
SPK_COLD void spk_failure_at(spk_failure *failure, const char *operation, spark_site site);

/* spk_failure_append: text behind the message, cut where there is no room. */
SPK_COLD void spk_failure_append(spk_failure *failure, const char *text);

/* spk_failure_end: the same; it is the message that is cut. */
SPK_COLD void spk_failure_end(spk_failure *failure, const char *text);

/* spk_failure_in: which file was read, and which line of it; -1: not known. */
SPK_COLD void spk_failure_in(spk_failure *failure, const char *file, int64_t line);

/* spk_last_failure: the thread's last error. spk_raise: makes *failure the thread's last error;
 * returns its code. spk_raisef: in one go. */
const spk_failure *spk_last_failure(void);
spark_status spk_raise(const spk_failure *failure);
SPK_COLD spark_status spk_raisef(spark_status code, const char *operation, spark_site site,
    const char *format, ...) SPARK_FORMAT_(4, 5);

/* spk_warn: a line on standard error, of plain text: what no call of the program's can fail of. */
SPK_COLD void spk_warn(const char *format, ...) SPARK_FORMAT_(1, 2);

#endif
