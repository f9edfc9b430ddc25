/* SPDX-License-Identifier: Apache-2.0 */
/* Reads statements, one a line, and prints for each its types and rows, members with | and rows with
 * " / " between, or the condition of its error: for comparing with Spark
 * (sql/compare_queries.py).
 *
 * usage: sql_lines [MASTER [MEGABYTES [BATCH_ROWS]]] < FILE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spark.h>

static char *row_text(spark_rdd *rdd, const void *row)
{
    char *text = NULL, cell[4096];
    size_t size = 0, n;
    FILE *file = open_memstream(&text, &size);
    for (size_t i = 0; i < spark_sql_columns(rdd); i++) {
        const bool present = spark_sql_text(rdd, row, i, cell, sizeof cell, &n);
        fprintf(file, "%s%.*s", i ? "|" : "", present ? (int)(n < sizeof cell ? n : sizeof cell) : 4,
            present ? cell : "NULL");
    }
    fclose(file);
    return text;
}

static void print_error(void)
{
    const char *message = spark_last_error()->message;
    for (const char *at = strchr(message, '['); at; at = strchr(at + 1, '[')) {
        const size_t n = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.0123456789");
        if (n > 3 && at[1 + n] == ']') {
            printf("ERR %.*s", (int)n, at + 1);
            return;
        }
    }
    printf("ERR %.200s", message);
}

static void run_line(spark_context *sc, const char *sql)
{
    spark_array rows;
    spark_rdd *rdd = spark_sql(sc, sql);
    if (spark_rdd_status(rdd) != SPARK_OK || spark_collect(rdd, NULL, &rows) != SPARK_OK) {
        print_error();
        printf("\n");
        return;
    }
    printf("[");
    for (size_t i = 0; i < spark_sql_columns(rdd); i++)
        printf("%s%s", i ? "," : "", spark_sql_type(rdd, i));
    printf("] ");
    for (size_t i = 0; i < rows.n; i++) {
        char *line = row_text(rdd, spark_row_of(&rows, i));
        printf("%s%s", i ? " / " : "", line);
        free(line);
    }
    printf("\n");
    spark_array_free(&rows);
}

int main(int argc, char **argv)
{
    static char line[65536];
    const spark_conf conf = { .app_name = "sql_lines",
        .master = argc > 1 ? argv[1] : "local[1]",
        .memory_bytes = argc > 2 ? (uint64_t)atoi(argv[2]) << 20 : 0,
        .batch_rows = argc > 3 ? atoi(argv[3]) : 0 };
    spark_context *sc = spark_context_new(&conf);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!line[0])
            continue;
        const bool defines = strncmp(line, "CREATE", 6) == 0 || strncmp(line, "CACHE", 5) == 0;
        spark_scope *scope = defines ? NULL : spark_scope_begin(sc);
        run_line(sc, line);
        fflush(stdout);
        if (scope)
            spark_scope_end(scope);
    }
    spark_context_free(sc);
    return 0;
}
