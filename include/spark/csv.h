/* SPDX-License-Identifier: Apache-2.0 */
/* CSV files as rows, by the rules of Spark's DataFrameReader and DataFrameWriter:
 *
 *   SPARK_STRUCT(trip, (spark_str, city), (spark_date, day), (spark_opt_f64, fare));
 *   spark_rdd *trips = spark_read_csv(
 *       sc, "trips/", SPARK_TYPE(trip), &(spark_csv_options) { .header = true });
 *   spark_status status = spark_write_csv(trips, "out", &(spark_csv_options) { .header = true });
 *
 * An empty cell is null, and null is an error in a member that is no optional, but for those that are
 * empty texts in quotes. Written, values lose the blanks at their ends, and quotes are \". What is to
 * be read back as it was, and by other programs, is written and read with
 *
 *   { .header = true, .escape = "\"", .multi_line = true, .ignore_leading_white_space = SPARK_OFF,
 *     .ignore_trailing_white_space = SPARK_OFF } */
#ifndef SPARK_CSV_H
#define SPARK_CSV_H

#include <spark/rdd.h>
#include <spark/row.h>
#include <spark/save.h>

SPARK_BEGIN_DECLS

/* spark_flag: an option that is not off where nothing is said: SPARK_DEFAULT, SPARK_OFF, SPARK_ON. */
typedef enum spark_flag { SPARK_DEFAULT = 0, SPARK_ON = 1, SPARK_OFF = -1 } spark_flag;

/* spark_read_mode: what becomes of a malformed row: one that has a value which is none of its member's
 * type, or another number of columns than the header (without one: than the type has members). */
typedef enum spark_read_mode {
    SPARK_PERMISSIVE = 0, /* what cannot be read is null; missing columns are null, extra ones dropped */
    SPARK_DROPMALFORMED,  /* the row is dropped */
    SPARK_FAILFAST        /* the action fails */
} spark_read_mode;

/* spark_unescaped_quotes: what a quoted value is that goes on behind its closing quote: "a"b,c */
typedef enum spark_unescaped_quotes {
    SPARK_STOP_AT_DELIMITER = 0, /* all up to the next separator, quotes included: "a"b */
    SPARK_STOP_AT_CLOSING_QUOTE, /* all up to a quote before a separator, which may not come */
    SPARK_BACK_TO_DELIMITER,     /* read again as one that is not quoted */
    SPARK_SKIP_VALUE,            /* null */
    SPARK_RAISE_ERROR            /* the action fails, in any mode */
} spark_unescaped_quotes;

/* spark_csv_options: all zero is Spark's defaults. Names are Spark's. Texts are copied at the call; NULL
 * is the default, "" is the empty text. r: for reading, w: for writing. */
typedef struct spark_csv_options {
    bool header;         /* r w: the first line of each file has the names of the columns */
    const char *sep;     /* r w: between columns: "," ; up to 8 bytes */
    const char *quote;   /* r w: one ASCII character: "\""; "": there are no quotes */
    const char *escape;  /* r w: what stands before a quote within quotes: "\\"; "": nothing does, and
                          * quotes are written twice. A doubled quote is a quote as well, whatever
                          * this is (RFC 4180): Spark reads such values raw, quotes included, unless
                          * escape is "\"" */
    const char *char_to_escape_quote_escaping; /* r w: before an escape: as escape */
    const char *comment; /* r w: lines that begin with this character are skipped; "": none are */
    const char *null_value;  /* r w: the text of null: "". An empty column without quotes is null
                              * whatever this is */
    const char *empty_value; /* r: what "" is read as: the empty text; w: what that is written as: two quotes.
                              * As in Spark it is null where it equals null_value, which it does by
                              * default; a member that cannot be null takes it as it is */
    const char *nan_value, *positive_inf, *negative_inf; /* r: "NaN", "Inf", "-Inf" */
    bool infer_schema;     /* r: without a type: look at the values; else all are strings */
    double sampling_ratio; /* r: the share of rows that is looked at: 1 (0 means 1) */
    spark_flag prefer_date; /* r: columns of dates are dates, not times: on */
    spark_flag enforce_schema; /* r: of a type and a header. Default: columns are found by their names.
                                * on (Spark's default): the header is skipped, columns are taken by
                                * position. off: by position, and a header with other names than the
                                * members is SPARK_EIO */
    bool multi_line;       /* r: quoted values may hold line ends; a file is one partition then */
    spark_read_mode mode;  /* r */
    const char *column_name_of_corrupt_record; /* r: the member of strings that takes the text of
                                                * malformed rows, where the type has it:
                                                * "_corrupt_record" */
    const char *date_format, *timestamp_format; /* r w: as Java's DateTimeFormatter has them, of the
        * letters y M d H h m s S a X x Z, 'text' and [optional]. Default: r: what Spark casts to dates
        * ("2024-5-7", "2024-05") and times, without a zone in UTC; w: "yyyy-MM-dd" and
        * "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", with microseconds where there are any */
    const char *encoding;  /* r w: "UTF-8" (bytes are taken as they are), "ISO-8859-1", "UTF-16" (by
                            * the mark, else big endian), "UTF-16BE", "UTF-16LE", "UTF-32",
                            * "UTF-32BE", "UTF-32LE"; "UTF-32" goes by the mark as UTF-16 does.
                            * r: a file in one of the last six is one
                            * partition, and what is no character in it U+FFFD */
    int max_columns;          /* r: 20480, at most 1,048,576; more in a row is SPARK_EIO */
    int64_t max_chars_per_column; /* r: bytes of a value; 0 or -1: any; more is SPARK_EIO */
    spark_unescaped_quotes unescaped_quote_handling; /* r */
    spark_flag ignore_leading_white_space;  /* r: off, w: on: values lose the blanks at their ends, but */
    spark_flag ignore_trailing_white_space; /* for those within quotes when they are read */
    bool quote_all;           /* w: every value is quoted */
    spark_flag escape_quotes; /* w: values that hold a quote are quoted: on */
    const char *line_sep;     /* r: "\n", "\r\n" or "\r"; one or two characters; w: "\n" */
    int min_partitions;       /* r: as for spark_text_file; no option of Spark */
    const char *base_path;    /* r: directories below this one that are named key=value are columns; default: the
                               * path that is read, where that is one directory. Globs and lists of
                               * directories with such directories in them need it ("o/year=*" with
                               * "o"). A file that is not below it is SPARK_EIO */
    spark_save_options save;  /* w: mode, compression, partition_by, max_records_per_file */
} spark_csv_options;

/* spark_read_csv: the rows of files as structs. path: as for spark_text_file, as is when files are
 * listed and read; options: NULL: the defaults. Empty lines are no rows, nor are lines of blanks (with multi_line,
 * as in Spark, these are).
 *
 * type: a struct or pair of the program's. Members are columns: found by name in the header of each
 * file (first exactly, then without regard to case), or, without a header, by position. A member is a
 * bool, a number, a decimal, spark_date, spark_time, spark_str, spark_bytes, a char, an array of char
 * (shorter text is padded with NUL), or an optional of one of these; any other is SPARK_ETYPE. A null
 * makes an optional absent; in any other member it is SPARK_EIO that names file, line and column (in
 * SPARK_DROPMALFORMED, the row is dropped). A header that lacks the column of an optional makes it
 * absent; of another member: SPARK_EIO. Columns that no member names are not looked at.
 *
 * type NULL: a struct of optionals, named after the columns (without a header, or where a name is
 * empty: _c0, _c1, ...; a name that occurs twice has its position behind it; if it still occurs
 * twice: SPARK_EIO), as the first file has them; later files are read by position, and their
 * headers skipped. All are
 * strings, or, with infer_schema, int32_t, int64_t, double, spark_date, spark_time, bool or
 * spark_str; integers that 64 bits do not hold are doubles (Spark: decimals). The files are read at the call, as Spark does; what goes wrong is carried by the RDD.
 *
 * Bad records: with a policy (spark_on_bad_records, spark/bad.h) every malformed row, and every null where
 * none may be, is a bad record, whatever the mode says: not a row, but counted, and put aside where the
 * policy wants that, with its text, file and line. SPARK_DROPMALFORMED without a policy counts what it drops
 * (spark_bad_count).
 *
 * A directory that has directories named key=value in it is read with them ("Directories" in spark/source.h),
 * and each key is a column of the rows in them: a member of that name, or (type NULL) one behind the others, of
 * the type that Spark finds: int32_t, int64_t, double, spark_date, spark_time, or spark_str. All files must have
 * the same keys (SPARK_EIO).
 *
 * Errors say file, line and byte: cannot read "12x" as f64: trips.csv:17:5, column "fare". That of a
 * record that ends within quotes, for the line does, says so: multi_line reads it.
 *
 * Numbers: as Java reads them: a sign, digits; for doubles point and exponent, a d or f behind, NaN and
 * Infinity; no hexadecimal ones; blanks around doubles only. bool: true and false in any case.
 * Decimals are rounded half up to their scale. Spark: DataFrameReader.csv. */
spark_rdd *spark_read_csv(spark_site at, spark_context *sc, const char *path, const spark_type *type,
    const spark_csv_options *options) SPARK_USE_RESULT_;

/* spark_read_csv_lines (narrow): the same of the elements of an RDD of spark_str, each of them a record:
 * lines that a program prints, or that were filtered before. The type must be given; options are those of
 * spark_read_csv, without multi_line: an element may hold line ends within quotes. With a header the first
 * element that is neither empty nor a comment has the names, and every element that equals it is no row, as
 * in Spark; it is found by a job that takes the first ones, when an action needs the RDD. Errors name the
 * record. Spark: DataFrameReader.csv of a Dataset of strings. */
spark_rdd *spark_read_csv_lines(spark_site at, spark_rdd *lines, const spark_type *type,
    const spark_csv_options *options) SPARK_USE_RESULT_;

/* spark_write_csv: directory `path` with a file of rows for each partition, by the options in `save`
 * (spark/save.h): part-00000-<uuid>-c000.csv; with a header in each file where asked. Elements
 * are structs or pairs of members as above (SPARK_ETYPE; so are columns of a result of SQL that CSV has
 * not: decimals of more than 18 digits and intervals are CAST there first). An absent optional is written as null_value.
 * Values are quoted where they must be: they hold the separator, a line end or a quote, or begin with
 * the comment character. As in Spark quotes are escaped by a backslash unless escape is "\"", which
 * other programs expect. Spark: DataFrameWriter.csv. */
spark_status spark_write_csv(spark_site at, spark_rdd *rdd, const char *path,
    const spark_csv_options *options) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_read_csv(...) spark_read_csv(SPARK_HERE, __VA_ARGS__)
#define spark_read_csv_lines(...) spark_read_csv_lines(SPARK_HERE, __VA_ARGS__)
#define spark_write_csv(...) spark_write_csv(SPARK_HERE, __VA_ARGS__)
#endif

#endif
