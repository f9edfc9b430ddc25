/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that read files as a list of cases says share: texts in hexadecimal digits, types
 * by Spark's names, values as a script can compare them. */
#ifndef CASES_H
#define CASES_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spark.h>

enum { LINE = 1 << 16, MEMBERS = 64, TEXTS = 2048 };

/* case_texts: of a case, freed at its end. */
typedef struct case_texts {
    char *at[TEXTS];
    size_t n;
} case_texts;

static inline char *from_hex(case_texts *texts, const char *hex, size_t digits)
{
    const size_t n = digits / 2;
    char *text = malloc(n + 1);
    if (!text || texts->n == TEXTS)
        abort();
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            abort();
        text[i] = (char)byte;
    }
    text[n] = '\0';
    return texts->at[texts->n++] = text;
}

static inline void free_texts(case_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free(texts->at[i]);
    texts->n = 0;
}

static inline void print_hex(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%02x", (unsigned)(unsigned char)p[i]);
}

static inline spark_read_mode mode_of(const char *name)
{
    return strcmp(name, "FAILFAST") == 0 ? SPARK_FAILFAST
        : strcmp(name, "DROPMALFORMED") == 0 ? SPARK_DROPMALFORMED
                                             : SPARK_PERMISSIVE;
}

SPARK_DECIMAL(cents, 10, 2);

static const struct {
    const char *name;
    const spark_type *type;
} kinds[] = { { "int", SPARK_TYPE(int32_t) }, { "bigint", SPARK_TYPE(int64_t) },
    { "smallint", SPARK_TYPE(int16_t) }, { "tinyint", SPARK_TYPE(int8_t) },
    { "double", SPARK_TYPE(double) }, { "float", SPARK_TYPE(float) },
    { "boolean", SPARK_TYPE(bool) }, { "date", SPARK_TYPE(spark_date) },
    { "timestamp", SPARK_TYPE(spark_time) }, { "string", SPARK_TYPE(spark_str) },
    { "binary", SPARK_TYPE(spark_bytes) }, { "decimal(10,2)", SPARK_TYPE(cents) } };
enum { KINDS = sizeof kinds / sizeof *kinds };

/* print_member: of a row, where it is there; print_f64: how doubles are printed. */
static inline void print_member(
    const void *row, const spark_field *field, void (*print_f64)(double))
{
    double x;
    bool yes;
    int64_t i;
    spark_str s;
    spark_date date;
    spark_time time;
    if (spark_row_i64(row, field, &i))
        printf("i%" PRId64, i);
    else if (spark_row_f64(row, field, &x))
        print_f64(x);
    else if (spark_row_bool(row, field, &yes))
        printf("b%d", yes);
    else if (spark_row_date(row, field, &date))
        printf("d%" PRId32, date.days);
    else if (spark_row_time(row, field, &time))
        printf("t%" PRId64, time.micros);
    else if (spark_row_str(row, field, &s)) {
        printf("s");
        print_hex(s.ptr, s.len);
    }
}

/* print_rows: what a case gives: the type and the rows, or the error; then "end". */
static inline void print_rows(spark_rdd *rdd, spark_status written,
    void (*print_type)(const spark_type *), void (*print_row)(const spark_type *, const void *))
{
    spark_array all = { .n = 0 };
    const spark_type *type = spark_rdd_type(rdd);
    if (written != SPARK_OK || spark_collect(rdd, type, &all) != SPARK_OK) {
        printf("error %s\n", spark_last_error()->message);
    } else {
        printf("type");
        print_type(type);
        printf("\n");
        for (size_t r = 0; r < all.n; r++) {
            print_row(type, spark_row_of(&all, r));
            printf("\n");
        }
    }
    printf("end\n");
    spark_array_free(&all);
}

#endif
