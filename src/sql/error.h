/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a statement, in Spark's terms: a condition ("PARSE_SYNTAX_ERROR"), its
 * SQLSTATE, named parameters, and the piece of the text it is about. The text of a condition
 * stands in one table (error.c) with <parameter> where a value goes.
 *
 * The first error stays: setting another one does nothing, so that callers may go on to the end. */
#ifndef SPK_SQL_ERROR_H
#define SPK_SQL_ERROR_H

#include "base/error.h"

/* spk_sql_span: a piece of the text of a statement: bytes `from` up to, not including, `to`.
 * SPK_SQL_NOWHERE: of no text. */
typedef struct spk_sql_span {
    uint32_t from, to;
} spk_sql_span;
#define SPK_SQL_NOWHERE ((spk_sql_span) { UINT32_MAX, UINT32_MAX })

enum { SPK_SQL_PARAMETERS = 8, SPK_SQL_ERROR_BYTES = 1024 };

typedef struct spk_sql_parameter {
    const char *name;  /* static: "objectName" */
    const char *value; /* in the error's bytes */
} spk_sql_parameter;

typedef struct spk_sql_error {
    const char *condition; /* static: "ARITHMETIC_OVERFLOW"; NULL: nothing is wrong */
    spk_sql_span span;
    bool nomem;
    bool closed; /* another one was begun: it takes no more parameters */
    size_t n;
    spk_sql_parameter parameters[SPK_SQL_PARAMETERS];
    size_t used;
    char bytes[SPK_SQL_ERROR_BYTES]; /* values; long ones are cut */
} spk_sql_error;

static inline bool spk_sql_failed(const spk_sql_error *error)
{
    return error->condition != NULL;
}

/* spk_sql_fail: begins an error, unless there is one. condition: static. Returns whether it is the
 * first; parameters that are added to one that is not are left out. */
SPK_COLD bool spk_sql_fail(spk_sql_error *error, const char *condition, spk_sql_span span);
/* spk_sql_param: a parameter of the error that the last spk_sql_fail has begun; name: static. */
SPK_COLD void spk_sql_param(spk_sql_error *error, const char *name, const char *format, ...)
    SPARK_FORMAT_(3, 4);
/* spk_sql_fail1, _fail2, _fail3: both in one go, with values as they are. */
SPK_COLD void spk_sql_fail1(spk_sql_error *error, const char *condition, spk_sql_span span,
    const char *name, const char *value);
SPK_COLD void spk_sql_fail2(spk_sql_error *error, const char *condition, spk_sql_span span,
    const char *name, const char *value, const char *name2, const char *value2);
SPK_COLD void spk_sql_fail3(spk_sql_error *error, const char *condition, spk_sql_span span,
    const char *name, const char *value, const char *name2, const char *value2, const char *name3,
    const char *value3);
/* spk_sql_nomem: no memory; reported as SPARK_ENOMEM. */
SPK_COLD void spk_sql_nomem(spk_sql_error *error);
/* spk_sql_unsupported: what libspark does not do (yet): UNSUPPORTED_FEATURE, with `what` in words.
 * */
SPK_COLD void spk_sql_unsupported(spk_sql_error *error, spk_sql_span span, const char *what);

/* spk_sql_state: the SQLSTATE of a condition; of one that is not in the table "XX000". */
SPK_COLD const char *spk_sql_state(const char *condition);

/* spk_sql_describe: "[CONDITION] text SQLSTATE: 42703 (line 1, position 8 to 10)", where lines and
 * positions count from 1 and the last position is included. text: of the statement, or NULL. */
SPK_COLD void spk_sql_describe(
    const spk_sql_error *error, const char *text, char *out, size_t size);

/* spk_sql_line: in which line of the text a byte is, and at which position of it, both from 1. */
SPK_COLD void spk_sql_line(const char *text, uint32_t at, uint32_t *line, uint32_t *position);

#endif
