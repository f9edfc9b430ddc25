/* SPDX-License-Identifier: Apache-2.0 */
/* Writes rows with options, and prints rows that were written (save_against_spark.py).
 *
 * usage: save_cases write FORMAT CODEC KEYED PATH ENCODING  csv, json or text; KEYED: directories for city, year and
 *                                                           day
 *        save_cases read FORMAT PATH ENCODING               CSV with a header, types found: a row a line, cells in
 *                                                           the order of their names */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spark.h>

SPARK_OPTIONAL(opt_str, spark_str);
SPARK_STRUCT(trip, (int64_t, id), (opt_str, city), (int32_t, year), (spark_opt_f64, fare), (spark_date, day),
    (bool, paid));

SPARK_MAP(to_trip, int64_t, trip)
{
    static const char *const cities[] = { "Rome", "a/b=c", "50%", "x y", "", "q\"q", "tab\tx", "é" };
    const char *city = cities[*in % 8];
    *out = (trip) { *in, { *in % 9 != 0, { city, strlen(city) } }, (int32_t)(2020 + *in % 3),
        { *in % 5 != 0, (double)*in / 4 }, { (int32_t)(19000 + *in % 2) }, *in % 2 == 0 };
}

static int write_rows(spark_context *sc, char **arg)
{
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 120, 1, 3), to_trip, NULL);
    const spark_save_options save = { .compression = arg[1],
        .partition_by = strcmp(arg[2], "1") == 0 ? SPARK_COLUMNS("city", "year", "day") : NULL };
    const spark_csv_options csv = { .header = true, .escape = "\"", .encoding = arg[4], .save = save };
    const spark_json_options json = { .encoding = arg[4], .save = save };
    const spark_status status = strcmp(arg[0], "csv") == 0 ? spark_write_csv(rdd, arg[3], &csv)
        : strcmp(arg[0], "json") == 0                      ? spark_write_json(rdd, arg[3], &json)
                                      : spark_write_text(spark_range(sc, 0, 5000, 1, 3), arg[3], &save);
    return status == SPARK_OK ? 0 : spark_complain("write");
}

static void print_cell(const void *row, const spark_field *field)
{
    char text[4096];
    const size_t n = spark_row_at(row, field)
        ? spark_print(spark_field_value_type(field), spark_row_at(row, field), text, sizeof text)
        : 0;
    printf("%s=", field->name);
    for (size_t i = 0; i < n; i++)
        printf("%02x", (unsigned)(unsigned char)text[i]);
    putchar(' ');
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const spark_field *const *)a)->name, (*(const spark_field *const *)b)->name);
}

static int read_rows(spark_context *sc, char **arg)
{
    const spark_csv_options csv
        = { .header = true, .infer_schema = true, .escape = "\"", .encoding = arg[2] };
    const spark_json_options json = { .encoding = arg[2] };
    const spark_field *fields[16];
    spark_array all;
    spark_rdd *rdd = strcmp(arg[0], "csv") == 0 ? spark_read_csv(sc, arg[1], NULL, &csv)
                                                : spark_read_json(sc, arg[1], NULL, &json);
    const spark_type *type = spark_rdd_type(rdd);
    if (spark_collect(rdd, NULL, &all) != SPARK_OK)
        return spark_complain("read");
    for (uint32_t i = 0; i < type->count && i < 16; i++)
        fields[i] = &type->fields[i];
    qsort(fields, type->count, sizeof *fields, by_name);
    for (size_t r = 0; r < all.n; r++) {
        for (uint32_t i = 0; i < type->count; i++)
            print_cell(spark_row_of(&all, r), fields[i]);
        putchar('\n');
    }
    spark_array_free(&all);
    return 0;
}

int main(int argc, char **argv)
{
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
    const int status = argc == 7 && strcmp(argv[1], "write") == 0 ? write_rows(sc, argv + 2)
        : argc == 5 && strcmp(argv[1], "read") == 0           ? read_rows(sc, argv + 2)
                                                              : 2;
    spark_context_free(sc);
    return status;
}
