/* SPDX-License-Identifier: Apache-2.0 */
/* JSON texts in functions: a value is a view of the text it stands in, so nothing is built and
 * nothing freed.
 *
 *   SPARK_MAP(amount_of, spark_str, double)
 *   {
 *       spark_json order;
 *       if (!spark_json_parse(*in, &order, NULL)
 *           || !spark_json_f64(spark_json_get(order, "amount"), out))
 *           spark_fail(task, "no order");
 *   }
 *
 * A text is checked once, as RFC 8259 says and nothing else: no comments, no NaN, no leading
 * zeros, no bytes that are no UTF-8, nothing behind the value; after that it is only walked
 * along. */
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

/* spark_json_parse: the one value that the text is, blanks (space, tab, line ends) around it.
 * false: it is none, *value is nothing, and *error (each may be NULL) says why. Takes time in
 * proportion to the text, and no memory. */
bool spark_json_parse(spark_str text, spark_json *value, spark_json_error *error);

/* spark_json_next: the elements of an array, or the members of an object, one after the other.
 * *rest begins as the array or object, and is used up; *key is the member's name, between its
 * quotes, as it stands in the text (spark_json_unescape); key and value may be NULL. false: there
 * is none left. */
bool spark_json_next(spark_json *rest, spark_str *key, spark_json *value);

/* spark_json_get: the first member of that name, whose escapes are understood; spark_json_at:
 * element i, from 0. Nothing, where there is none, or where it is no object or array. Both walk
 * along what is before it. */
spark_json spark_json_get(spark_json object, const char *name);
spark_json spark_json_at(spark_json array, size_t i);

/* spark_json_bool, _i64, _f64: the value. false, and *out unchanged: it is another kind, or, of
 * i64, has a point or an exponent or does not fit; f64 is rounded correctly, and infinite beyond
 * its range. */
bool spark_json_bool(spark_json value, bool *out);
bool spark_json_i64(spark_json value, int64_t *out);
bool spark_json_f64(spark_json value, double *out);

/* spark_json_str: the text of a string; without escapes a view, else memory of the task
 * (spark_alloc). A half of a pair of surrogates is U+FFFD. false: it is no string, or there is
 * no memory, and the task has failed. spark_json_unescape: the same of a key that
 * spark_json_next gave. */
bool spark_json_str(spark_task *task, spark_json value, spark_str *out);
bool spark_json_unescape(spark_task *task, spark_str raw, spark_str *out);

/* spark_to_json: a value as JSON, in memory of the task ("" once it has failed), as
 * spark_write_json writes it: spark_to_json(task, SPARK_VALUE(order, in)). It sees the type alone: of
 * rows of SQL a wide decimal is its two halves, a map a list of pairs. Spark: to_json. */
spark_str spark_to_json(spark_task *task, const spark_type *type, const void *value);

/* ---- files ---- */

/* spark_json_options: all zero is Spark's defaults; names are Spark's. Texts are copied at the
 * call; NULL is the default. r: for reading, i: for finding the type, w: for writing. */
typedef struct spark_json_options {
    spark_read_mode mode; /* r i: malformed: no JSON, no object, or a value that is none of its
                           * member's type */
    const char *column_name_of_corrupt_record; /* r i: "_corrupt_record", as in spark_csv_options */
    const char *date_format, *timestamp_format; /* r w: as there */
    int min_partitions;   /* r: as for spark_text_file; no option of Spark */
    const char *base_path; /* r: as in spark_csv_options */
    bool multi_line;      /* r i: a file is one text, an object or an array of them, which may have
                           * line ends. It is held in memory, and is one partition */
    const char *line_sep; /* r: between records: any of "\n", "\r\n" and "\r"; files with something
                           * else there are held in memory, each a partition. w: behind each
                           * object: "\n". Up to 16 bytes */
    const char *encoding; /* r w: as in spark_csv_options. r: files in another encoding than UTF-8
                           * are a partition each; without it those in UTF-16 or UTF-32 are known
                           * by their first bytes with multi_line, else SPARK_EIO */
    /* Leniency, r i. The first two are on in Spark, and here; with both SPARK_OFF, RFC 8259 is all
     * that is read. */
    spark_flag allow_single_quotes;       /* 'a' is a string, \' an escape: on */
    spark_flag allow_non_numeric_numbers; /* NaN, Infinity, +Infinity, -Infinity, +INF, -INF, also
                                           * in quotes where a double is wanted: on */
    bool allow_comments; /* as in C, long and short ones */
    bool allow_unquoted_field_names;
    bool allow_numeric_leading_zeros; /* 007 is 7 */
    bool allow_backslash_escaping_any_character;
    bool allow_unquoted_control_chars; /* in strings */
    /* Of the type that is found, i. */
    double sampling_ratio;     /* the share of records that is looked at: 1 (0 means 1) */
    bool primitives_as_string; /* numbers and bools are strings */
    bool prefers_decimal;      /* numbers with a point, and strings that are numbers, are decimals,
                                * where 18 digits hold them */
    bool infer_timestamp;        /* strings that are times are times */
    bool drop_field_if_all_null; /* members of nulls and empty arrays are left out */
    spark_flag ignore_null_fields; /* w: what is absent is left out, and not written as null: on */
    spark_save_options save; /* w: mode, compression, partition_by, max_records_per_file */
} spark_json_options;

/* spark_read_json: JSON lines as rows: an object a line; a line that is an array of objects is
 * as many rows; empty lines are none. path: as for spark_text_file. Only what is wanted becomes
 * values; all of a text is checked.
 *
 * type: a struct or pair of the program's; members are found by name, exactly, in any order;
 * those that no member names are not looked at; of one that occurs twice the last counts,
 * but each must be what the member takes.
 * Objects go into structs and pairs, arrays into lists (SPARK_LIST), also of these; null, and
 * what is missing, makes an optional absent. A string member takes any other value as the text
 * it stands as; numbers take numbers, decimals also strings, times also seconds since 1970;
 * dates and times strings, bools true and false, bytes strings of base 64. Integers are exact,
 * and must fit.
 *
 * A value that does not fit makes the nearest member around it that is optional absent (of an
 * array: all of it), and the row malformed; where there is none, and where a null has no place:
 * SPARK_EIO that names file, line and byte (in SPARK_DROPMALFORMED the row is dropped): cannot
 * read "x" as i64: orders.json:17:9, member "id". In an array of rows only the object is
 * malformed that has such a value; a text that is no JSON, or is or holds null, a number or
 * anything else where an object must be, is one malformed row, whatever objects are in it.
 *
 * Bad records, and directories named key=value: as for spark_read_csv; such a key is no member of
 * the objects, whatever they have under its name (without a type SPARK_EIO).
 *
 * type NULL: a struct of optionals, found in the files at the call as Spark does: members in the
 * order of their names, bool, int64_t, double, spark_str, structs, and lists of optionals.
 * Integers that 64 bits do not hold are doubles. What is of several types is a string, what is
 * always null as well; empty objects are left out. Objects and arrays deeper than 12 in each
 * other are strings; names that are empty or hold a NUL are no members. A line that is no JSON, or holds
 * something else than objects (but for null and ""), gives the type a member "_corrupt_record" and
 * no other; in SPARK_FAILFAST it is SPARK_EIO. More than 10,000 different members are SPARK_EIO: then
 * names are data. Spark: DataFrameReader.json. */
spark_rdd *spark_read_json(spark_site at, spark_context *sc, const char *path,
    const spark_type *type, const spark_json_options *options) SPARK_USE_RESULT_;

/* spark_write_json: directory `path` with a file of lines for each partition, by the options in
 * `save` (spark/save.h): part-00000-<uuid>-c000.json. Elements are structs or pairs of what
 * spark_read_json reads (else SPARK_ETYPE; so are maps, intervals, and decimals of more than 18 digits
 * of a result of SQL, which are CAST in the statement). Doubles are as Java prints them, those that are no
 * number in quotes; bytes in base 64; what is no UTF-8 in a string is U+FFFD. What it writes is
 * read as it was, with the same type. Spark: DataFrameWriter.json. */
spark_status spark_write_json(spark_site at, spark_rdd *rdd, const char *path,
    const spark_json_options *options) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_read_json(...) spark_read_json(SPARK_HERE, __VA_ARGS__)
#define spark_write_json(...) spark_write_json(SPARK_HERE, __VA_ARGS__)
#endif

#endif
