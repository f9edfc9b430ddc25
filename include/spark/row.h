/* SPDX-License-Identifier: Apache-2.0 */
/* Rows with a schema: struct types that are made at run time, and their fields by name.
 *
 * A file of rows (spark_read_csv) gives structs. Where the program has described its own, it
 * uses the members as in any struct. Where it has not, the type is found in the file, and a row is read
 * through its fields:
 *
 *   spark_rdd *trips = spark_read_csv(sc, "trips.csv", NULL, &(spark_csv_options) { .header = true });
 *   spark_print_schema(stdout, spark_rdd_type(trips));
 *   const spark_field *fare = spark_field_find(spark_rdd_type(trips), "fare");
 *   spark_array all;
 *   ... spark_collect(trips, NULL, &all) ...
 *   for (size_t i = 0; i < all.n; i++)
 *       if (spark_row_f64(spark_row_of(&all, i), fare, &x))
 *           sum += x;
 *
 * A function (SPARK_MAP) is given structs of the program's own: spark_as says that rows of a run-time
 * type are laid out as one of those, and checks kinds and offsets; so does every verb that is given
 * such a function. Members are taken by position there, and names are not compared: of two columns of
 * one kind in the other order nobody says a word. Where order may differ, give the reader the struct
 * (spark_read_csv with a type), which goes by name; Spark's as[T] does as well. */
#ifndef SPARK_ROW_H
#define SPARK_ROW_H

#include <spark/type.h>

SPARK_BEGIN_DECLS

/* spark_type_struct: a struct type made at run time of n members: their names and types (offsets
 * are ignored, a count must be 0), laid out as the C compiler lays out that struct. Names are copied; they must not be
 * empty or occur twice. Owned by the context, without a name, so that it equals any struct of its
 * shape; the same arguments give the same pointer. NULL, with an error: no member, a type that is
 * missing, too deep or too large, or no memory. Spark: StructType. */
const spark_type *spark_type_struct(spark_context *sc, const spark_field *fields, size_t n);

/* spark_field_find: the member of that name of a struct or pair, or NULL. The name is compared as it
 * is, then, as in Spark, without regard to ASCII case, where just one member has it so. NULL for
 * NULL, and for types without members. */
const spark_field *spark_field_find(const spark_type *type, const char *name);

/* spark_field_nullable: whether the member may be absent: it is an optional. spark_field_value_type:
 * its type, of an optional that of the value. */
bool spark_field_nullable(const spark_field *field);
const spark_type *spark_field_value_type(const spark_field *field);

/* spark_row_of: element i of an array, whatever its type; NULL where there is none. */
const void *spark_row_of(const spark_array *array, size_t i);

/* spark_row_at: where the value of a field lies in a row, past the optional; NULL: it is absent, or
 * row or field is NULL. The value of a struct is a row again. */
const void *spark_row_at(const void *row, const spark_field *field);

/* spark_row_bool, _i64, _f64, _str, _date, _time: the value of a field. false, and *out unchanged: it is
 * absent, or no such value: i64 takes every integer that fits, f64 every number and decimal, date
 * only dates, time only times, str only strings, bytes and arrays of char (up to the first NUL).
 * Strings belong to the row. */
bool spark_row_bool(const void *row, const spark_field *field, bool *out);
bool spark_row_i64(const void *row, const spark_field *field, int64_t *out);
bool spark_row_f64(const void *row, const spark_field *field, double *out);
bool spark_row_str(const void *row, const spark_field *field, spark_str *out);
bool spark_row_date(const void *row, const spark_field *field, spark_date *out);
bool spark_row_time(const void *row, const spark_field *field, spark_time *out);

/* spark_print_schema: the type in the form of Spark's printSchema, with Spark's names of types (those
 * that Spark does not have: "unsigned long", "char"), flushed:
 *   root
 *    |-- id: long (nullable = true)
 *    |-- tags: array (nullable = false)
 *    |    |-- element: string (containsNull = false)
 * A type without members is one named "value". SPARK_EIO: it cannot be written; SPARK_EINVAL: no
 * type. */
spark_status spark_print_schema(FILE *file, const spark_type *type);

SPARK_END_DECLS

#endif
