/* SPDX-License-Identifier: Apache-2.0 */
/* JSON texts in functions: a value is a view of the text it stands in, so nothing is built and nothing
 * freed.
 *
 *   SPARK_MAP(amount_of, spark_str, double)
 *   {
 *       spark_json order;
 *       if (!spark_json_parse(*in, &order, NULL)
 *           || !spark_json_f64(spark_json_get(order, "amount"), out))
 *           spark_fail(task, "no order");
 *   }
 *
 * A text is checked once, as RFC 8259 says and nothing else: no comments, no NaN, no leading zeros, no bytes
 * that are no UTF-8, nothing behind the value; after that it is only walked along. */
#ifndef SPARK_JSON_H
#define SPARK_JSON_H

#include <spark/str.h>

SPARK_BEGIN_DECLS

typedef enum spark_json_kind {
    SPARK_JSON_NOTHING = 0, /* there is no value */
    SPARK_JSON_NULL,
    SPARK_JSON_BOOL,
    SPARK_JSON_NUMBER,
    SPARK_JSON_STRING,
    SPARK_JSON_ARRAY,
    SPARK_JSON_OBJECT
} spark_json_kind;

/* spark_json: a value: its bytes in the text that was parsed, which must stay as it is. All zero is
 * SPARK_JSON_NOTHING, which every function takes, and which has no members. */
typedef struct spark_json {
    spark_json_kind kind;
    spark_str text;
} spark_json;

/* spark_json_error: where a text is no JSON: the byte, from 0 on, and what is wrong there. */
typedef struct spark_json_error {
    size_t at;
    const char *why; /* "a comma or } is missing"; static */
} spark_json_error;

/* SPARK_JSON_DEPTH: how deep arrays and objects may stand in each other. */
enum { SPARK_JSON_DEPTH = 1000 };

/* spark_json_parse: the one value that the text is, blanks (space, tab, line ends) around it. false: it
 * is none, *value is nothing, and *error (may be NULL) says why. Takes time in proportion to the text, and
 * no memory. */
bool spark_json_parse(spark_str text, spark_json *value, spark_json_error *error);

/* spark_json_next: the elements of an array, or the members of an object, one after the other. *rest begins as
 * the array or object, and is used up; *key (may be NULL) is the member's name, between its quotes, as
 * it stands in the text (spark_json_unescape). false: there is none left. */
bool spark_json_next(spark_json *rest, spark_str *key, spark_json *value);

/* spark_json_get: the first member of that name, whose escapes are understood; spark_json_at: element i,
 * from 0. Nothing, where there is none, or where it is no object or array. Both walk along what is
 * before it. */
spark_json spark_json_get(spark_json object, const char *name);
spark_json spark_json_at(spark_json array, size_t i);

/* spark_json_bool, _i64, _f64: the value. false, and *out unchanged: it is another kind, or, of i64, has a
 * point or an exponent or does not fit; f64 is rounded correctly, and infinite beyond its range. */
bool spark_json_bool(spark_json value, bool *out);
bool spark_json_i64(spark_json value, int64_t *out);
bool spark_json_f64(spark_json value, double *out);

/* spark_json_str: the text of a string; without escapes a view, else memory of the task (spark_alloc).
 * A half of a pair of surrogates is U+FFFD. false: it is no string, or there is no memory, and the task
 * has failed. spark_json_unescape: the same of a key that spark_json_next gave. */
bool spark_json_str(spark_task *task, spark_json value, spark_str *out);
bool spark_json_unescape(spark_task *task, spark_str raw, spark_str *out);

SPARK_END_DECLS

#endif
