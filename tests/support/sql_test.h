/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of SQL share: contexts of several kinds, answers as text, and tables of statements
 * with what they give. Texts are the caller's to free. */
#ifndef SQL_TEST_H
#define SQL_TEST_H

#include <stdlib.h>
#include <string.h>

#include "slow.h"
#include "spark_test.h"

/* sql_rows: the rows as text, members with | and rows with a newline between. NULL: the job has
 * failed. */
static inline char *sql_rows(spark_rdd *rdd)
{
    spark_array rows;
    char *text = NULL, *cell = NULL;
    size_t size = 0, room = 0, n;
    if (spark_collect(rdd, NULL, &rows) != SPARK_OK)
        return NULL;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    for (size_t r = 0; r < rows.n; r++) {
        for (size_t i = 0; i < spark_sql_columns(rdd); i++) {
            const void *row = spark_row_of(&rows, r);
            const bool present = spark_sql_text(rdd, row, i, cell, room, &n);
            if (present && n >= room) {
                room = n + 256;
                cell = realloc(cell, room);
                assert_non_null(cell);
                assert_true(spark_sql_text(rdd, row, i, cell, room, &n));
            }
            fprintf(file, "%s%.*s", i ? "|" : "", present ? (int)n : 4, present ? cell : "NULL");
        }
        fputc('\n', file);
    }
    fclose(file);
    free(cell);
    spark_array_free(&rows);
    return text;
}

/* sql_gives: these rows. */
static inline void sql_gives(spark_rdd *rdd, const char *want)
{
    char *rows = sql_rows(rdd);
    if (!rows)
        fail_msg("%s, where %s is wanted", spark_last_error()->message, want);
    assert_string_equal(rows, want);
    free(rows);
}

/* sql_answer: the rows of a statement, which does not fail. */
static inline char *sql_answer(spark_context *sc, const char *sql)
{
    spark_scope *scope = spark_scope_begin(sc);
    char *rows = sql_rows(spark_sql(sc, sql));
    if (!rows)
        fail_msg("%s: %s", sql, spark_last_error()->message);
    spark_scope_end(scope);
    return rows;
}

/* sql_run: a statement that is done when it is given, and does not fail. */
static inline void sql_run(spark_context *sc, const char *sql)
{
    if (spark_rdd_status(spark_sql(sc, sql)) != SPARK_OK)
        fail_msg("%s: %s", sql, spark_last_error()->message);
}

/* sql_case: a statement, and its rows, or a part of its message. */
typedef struct sql_case {
    const char *sql, *want;
} sql_case;

static inline void sql_all_give(
    spark_context *sc, size_t variant, size_t n, const sql_case *cases)
{
    for (size_t i = 0; i < n; i++) {
        char *rows = sql_rows(spark_sql(sc, cases[i].sql));
        if (!rows)
            fail_msg("%s (variant %zu): %s", cases[i].sql, variant, spark_last_error()->message);
        if (strcmp(rows, cases[i].want) != 0)
            fail_msg("%s (variant %zu):\n%swanted:\n%s", cases[i].sql, variant, rows,
                cases[i].want);
        free(rows);
    }
}

static inline void sql_all_fail(spark_context *sc, size_t n, const sql_case *cases)
{
    for (size_t i = 0; i < n; i++) {
        spark_array rows;
        assert_int_not_equal(spark_collect(spark_sql(sc, cases[i].sql), NULL, &rows), SPARK_OK);
        if (!strstr(spark_last_error()->message, cases[i].want))
            fail_msg("%s: %s", cases[i].sql, spark_last_error()->message);
    }
}

/* sql_same: the text of the first variant is kept, in *first; those of others are freed and must be
 * the same. */
static inline void sql_same(size_t variant, const char *sql, char *text, char **first)
{
    if (variant == 0) {
        *first = text;
        return;
    }
    if (strcmp(text, *first) != 0)
        fail_msg("%s: other bytes in variant %zu", sql, variant);
    free(text);
}

/* sql_kind: of the contexts of a test. Variants: as it is, two threads, random faults under a master, batches of so
 * many rows, a budget of 64 MiB, with checks. Threads are watched in the first three only. */
typedef struct sql_kind {
    const char *name, *master;
    int batch_rows, max_failures;
    uint64_t seed;
} sql_kind;

enum { SQL_ONE, SQL_THREADS, SQL_FAULTS, SQL_BATCHES, SQL_BUDGET, SQL_CHECKED };
enum { SQL_VARIANTS = TESTS_WATCH_THREADS ? SQL_BATCHES : SQL_CHECKED };

static inline spark_context *sql_open(const sql_kind *kind, size_t variant)
{
    const spark_fault faults[]
        = { { .kind = SPARK_FAULT_RANDOM, .rate = 0.2, .seed = kind->seed } };
    spark_conf conf = { .app_name = kind->name,
        .threads = variant == SQL_THREADS ? 2 : 1,
        .check = variant == SQL_CHECKED };
    if (variant == SQL_BATCHES)
        conf.batch_rows = kind->batch_rows;
    if (variant == SQL_BUDGET)
        conf.memory_bytes = (uint64_t)64 << 20;
    if (variant == SQL_FAULTS) {
        conf.master = kind->master;
        conf.faults = faults;
        conf.n_faults = 1;
        conf.task_max_failures = kind->max_failures;
    }
    spark_context *sc = spark_context_new(&conf);
    assert_non_null(sc);
    return sc;
}

#endif
