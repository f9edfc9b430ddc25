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

#include <spark/csv.h>
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

/* spark_json_options: all zero is Spark's defaults; texts are copied at the call. */
typedef struct spark_json_options {
    spark_read_mode mode; /* malformed: no JSON, no object, or a value that is none of its member's type */
    const char *column_name_of_corrupt_record; /* "_corrupt_record", as in spark_csv_options */
    const char *date_format, *timestamp_format; /* as there */
    int min_partitions; /* as for spark_text_file */
} spark_json_options;

/* spark_read_json: JSON lines as rows: an object a line; empty lines are none. path: as for
 * spark_text_file. type: a struct or pair of the program's; members are found by name, exactly, in any
 * order; those that no member names are not looked at; of one that occurs twice the last counts. Objects
 * go into structs and pairs, arrays into lists (SPARK_LIST), also of these; null, and what is missing,
 * makes an optional absent. A string member takes any other value as the text it stands as; numbers take
 * numbers, doubles also "NaN", "Infinity" and "-Infinity"; dates and times strings, bools true and
 * false. Integers are exact, and must fit.
 *
 * A value that does not fit makes the nearest optional around it absent, and the row malformed; where
 * there is none, and where a null has no place: SPARK_EIO that names file, line and byte (in
 * SPARK_DROPMALFORMED the row is dropped): cannot read "x" as i64: orders.json:17:9, member "id". Texts are
 * strict (see above), where Spark takes single quotes and NaN. A type of NULL is SPARK_EINVAL: types are
 * not found in the file yet. Spark: DataFrameReader.json. */
spark_rdd *spark_read_json(spark_site at, spark_context *sc, const char *path,
    const spark_type *type, const spark_json_options *options) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verb fills in its call site. */
#define spark_read_json(...) spark_read_json(SPARK_HERE, __VA_ARGS__)
#endif

#endif
