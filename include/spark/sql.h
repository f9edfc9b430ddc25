/* SPDX-License-Identifier: Apache-2.0 */
/* SQL in Spark's dialect over RDDs and files. A statement is compiled into an ordinary lineage:
 * what comes back is an RDD like any other.
 *
 *   const spark_csv_options options = { .header = true, .infer_schema = true };
 *   spark_create_temp_view(sc, "trips", spark_read_csv(sc, "trips.csv", NULL, &options));
 *   spark_rdd *busy = spark_sql(sc, "SELECT zone, count(*) n FROM trips GROUP BY zone ORDER BY n
 * DESC");
 *   spark_sql_show(busy, 20);
 *
 * Rows are structs of a type made at run time (spark/row.h): a member a column, by name and order;
 * what may be NULL is an optional. TINYINT to BIGINT are i8 to i64, FLOAT and DOUBLE f32 and f64,
 * STRING str, BINARY bytes, DATE and TIMESTAMP date and time, TIME an i64 of the day's nanoseconds (CSV and JSON files
 * may hold such columns, which Spark refuses), intervals an i32 of months or an i64 of microseconds; DECIMAL(p, s) is
 * decimal of 18 digits up to that, beyond a struct of two halves. A sum of DECIMAL(p, s) is DECIMAL(p + 10, s): a program
 * reads, and writes to files, CAST(sum(x) AS DECIMAL(18, s)). ARRAY is a list, STRUCT a struct, MAP a list of pairs. Of
 * columns that are called the same, and of those without a name a struct could have, the later
 * ones get a number.
 *
 * ANSI mode is on. SET spark.sql.session.timeZone (UTC), spark.sql.autoBroadcastJoinThreshold (32MB) and
 * spark.sql.shuffle.partitions (as many as the input has) hold for statements from then on; keys that could change an
 * answer but cannot be otherwise here (spark.sql.ansi.enabled, ..) take no other value; all else is kept and shown.
 *
 * A statement that is wrong gives an RDD that carries an error, SPARK_EINVAL, which begins with Spark's condition and
 * ends with its SQLSTATE and the place: "[UNRESOLVED_COLUMN.WITH_SUGGESTION] .. SQLSTATE: 42703 (line 1, position 8 to
 * 10)". What goes wrong with a row is an error of the action, with the same text. */
#ifndef SPARK_SQL_H
#define SPARK_SQL_H

#include <spark/function.h>
#include <spark/rdd.h>
#include <spark/row.h>

SPARK_BEGIN_DECLS

/* spark_sql: the rows of a statement. What defines or drops something does so at the call, and
 * gives no rows. The text is copied. Spark: SparkSession.sql. */
spark_rdd *spark_sql(spark_site at, spark_context *sc, const char *text) SPARK_USE_RESULT_;

/* spark_sql_with: with values for its parameters: :name, or ? by position where name is NULL.
 * Values are bound, never pasted into the text: type is any that a column may have, also a list, a
 * struct, or an optional; numbers without a sign are the next wider type. value NULL is NULL. What
 * value points to is copied. Spark: sql(text, args). */
typedef struct spark_sql_parameter {
    const char *name;
    const spark_type *type;
    const void *value;
} spark_sql_parameter;
spark_rdd *spark_sql_with(spark_site at, spark_context *sc, const char *text, size_t n,
    const spark_sql_parameter *parameters) SPARK_USE_RESULT_;

/* spark_create_temp_view: the elements of rdd under a name, in place of what had it; members of a
 * struct or pair are columns, any other element is the column "value". Belongs to the innermost
 * scope, and keeps the RDD. Members that SQL has no type for are SPARK_ETYPE. Spark:
 * createOrReplaceTempView. spark_drop_temp_view: false: there is none. Spark: dropTempView. */
spark_status spark_create_temp_view(
    spark_site at, spark_context *sc, const char *name, spark_rdd *rdd);
bool spark_drop_temp_view(spark_context *sc, const char *name);

/* spark_register_function: a map as a function of SQL: the members of the struct (or pair) that it
 * takes are the arguments, in their order; anything else is the one argument.
 *
 *   SPARK_STRUCT(trip, (double, km), (spark_opt_f64, hours));
 *   SPARK_MAP(speed, trip, spark_opt_f64)
 *   {
 *       if (in->hours.present && in->hours.value > 0)
 *           *out = (spark_opt_f64) { true, in->km / in->hours.value };
 *   }
 *   spark_register_function(sc, "speed", speed, NULL);
 *   spark_sql(sc, "SELECT id, speed(km, hours) FROM trips WHERE speed(km, hours) > 100");
 *
 * Arguments are cast as those of SQL's own functions; what cannot be is DATATYPE_MISMATCH, with the
 * type that is wanted. Where one is NULL whose member is no optional, the result is NULL and the
 * function is not called; where the map makes an optional, so may be what it gives. It is taken to
 * give the same for the same arguments, and may be called for rows that a later condition leaves
 * out. spark_fail in it is FAILED_EXECUTE_UDF, an error of the action, with the name and the
 * arguments of the first row that fails. Its strings may be views of its arguments, or spark_alloc,
 * which is held for up to 1,024 rows together.
 *
 * Names are compared without case; a function of SQL keeps its name (SPARK_EINVAL). It takes the
 * place of one of the program so called, and belongs to the innermost scope; statements that were
 * made keep it. SPARK_ETYPE: a member that is laid out as no type of SQL: numbers without a sign,
 * arrays of a fixed length. Spark: udf.register.
 *
 * spark_register_aggregate: merges as an aggregate function: acc and zero as SPARK_ZERO or
 * SPARK_VALUE have them; `add` absorbs arguments (ACC, a struct of them), `merge` other
 * accumulators (ACC, ACC), and `finish` makes the result (ACC, OUT); NULL: the accumulator is it.
 * env is bound to all three. The accumulator is a row: any type of the arguments' kinds. Rows with
 * a NULL where the member is no optional are left out. Works with GROUP BY, FILTER, DISTINCT and
 * OVER.
 *
 *   spark_register_aggregate(sc, "geo_mean", SPARK_ZERO(logs), add_log, add_logs, to_mean, NULL);
 *
 * Spark: udf.register(name, udaf(Aggregator)). spark_drop_function: false: there is none. */
spark_status spark_register_function(spark_site at, spark_context *sc, const char *name,
    const spark_map_def *f, const spark_env *env);
spark_status spark_register_aggregate(spark_site at, spark_context *sc, const char *name,
    const spark_type *acc, const void *zero, const spark_merge_def *add,
    const spark_merge_def *merge, const spark_map_def *finish, const spark_env *env);
bool spark_drop_function(spark_context *sc, const char *name);

/* spark_sql_next: how many bytes of a text its first statement takes, with the semicolon behind
 * it, and with semicolons before it that end nothing; 0: there is none. For programs that read several. */
size_t spark_sql_next(const char *text);

/* spark_sql_show: the first n rows as a table on standard output, as Spark's show(n, false): what
 * there is more of is said below it. spark_sql_show_with: the other forms of show: truncate: cells
 * of more characters are cut, and stand to the right (Spark's default is 20; 0: whole ones, to the
 * left); vertical: a line a column. rows 0 means 20, where spark_sql_show(rdd, 0) shows none. file NULL: standard output. Lines in a cell
 * are written as \n, other control characters as U+FFFD. Spark: Dataset.show(n, truncate, vertical). */
spark_status spark_sql_show(spark_site at, spark_rdd *rdd, size_t n);
typedef struct spark_sql_show_options {
    size_t rows, truncate;
    bool vertical;
    FILE *file;
} spark_sql_show_options;
spark_status spark_sql_show_with(
    spark_site at, spark_rdd *rdd, const spark_sql_show_options *options);

/* spark_sql_text: column i of a row of what spark_sql gave, as CAST(.. AS STRING) has it: writes at
 * most `size` bytes with a NUL, *length (unless length is NULL) is that of the whole text. false:
 * it is NULL, or there is none. spark_sql_type: the name of the column's type ("decimal(10,2)"),
 * which belongs to the RDD; spark_sql_name: the column's name, as Spark has it. NULL: there is
 * none. */
bool spark_sql_text(const spark_rdd *rdd, const void *row, size_t i, char *buffer, size_t size,
    size_t *length);
const char *spark_sql_type(const spark_rdd *rdd, size_t i);
const char *spark_sql_name(const spark_rdd *rdd, size_t i);
size_t spark_sql_columns(const spark_rdd *rdd);

/* spark_sql_complain: prints the last error, the line of the statement's text it is about, and a
 * caret below the place. file NULL: standard error. */
void spark_sql_complain(FILE *file, const char *text);

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_sql(...) spark_sql(SPARK_HERE, __VA_ARGS__)
#define spark_sql_with(...) spark_sql_with(SPARK_HERE, __VA_ARGS__)
#define spark_create_temp_view(...) spark_create_temp_view(SPARK_HERE, __VA_ARGS__)
#define spark_register_function(...) spark_register_function(SPARK_HERE, __VA_ARGS__)
#define spark_register_aggregate(...) spark_register_aggregate(SPARK_HERE, __VA_ARGS__)
#define spark_sql_show_with(...) spark_sql_show_with(SPARK_HERE, __VA_ARGS__)
#define spark_sql_show(...) spark_sql_show(SPARK_HERE, __VA_ARGS__)
#endif

#endif
