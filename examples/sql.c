/* SPDX-License-Identifier: Apache-2.0 */
/* A shell for SQL: statements from -e, from files or from standard input; tables on standard output, or
 * rows that other programs read.
 *
 *   sql [--csv|--json] [--progress] [--view NAME=FILE.csv|.json]... [-e STATEMENTS] [FILE]...
 *
 *   sql --csv --view people=people.csv -e "SELECT city, count(*) n FROM people GROUP BY city"
 *
 * Types of a view's columns are found in its file; an empty field is NULL, and NULL is printed as
 * nothing. Ends with 1 when a statement has failed; those behind it are not read. */
#include <signal.h>
#include <string.h>

#include "watch.h"

typedef enum form { TABLE, CSV, JSON } form;

typedef struct text {
    char *at;
    size_t n, room;
} text;

/* read_all: the file and a NUL. */
static bool read_all(FILE *file, text *t)
{
    for (size_t n = 1; n > 0; t->n += n) {
        if (t->room - t->n < 4096) {
            char *grown = realloc(t->at, t->room * 2 + 8192);
            if (!grown)
                return false;
            t->at = grown;
            t->room = t->room * 2 + 8192;
        }
        n = fread(t->at + t->n, 1, t->room - t->n - 1, file);
    }
    t->at[t->n] = '\0';
    return !ferror(file);
}

/* cell: column i of a row; false: NULL, or no memory. */
static bool cell(const spark_rdd *rdd, const void *row, size_t i, text *t)
{
    if (!spark_sql_text(rdd, row, i, t->at, t->room, &t->n))
        return false;
    if (t->n < t->room)
        return true;
    free(t->at);
    *t = (text) { malloc(t->n + 1), 0, t->n + 1 };
    return t->at && spark_sql_text(rdd, row, i, t->at, t->room, &t->n);
}

static void csv_cell(const char *s, size_t n)
{
    bool quote = n == 0;
    for (size_t i = 0; i < n; i++)
        quote |= strchr(",\"\n\r", s[i]) != NULL;
    (void)fputs(quote ? "\"" : "", stdout);
    for (size_t i = 0; i < n; i++)
        (void)(s[i] == '"' ? fputs("\"\"", stdout) : putchar(s[i]));
    (void)fputs(quote ? "\"" : "", stdout);
}

static void json_text(const char *s, size_t n)
{
    (void)putchar('"');
    for (size_t i = 0; i < n; i++)
        if (strchr("\"\\", s[i]) && s[i])
            (void)printf("\\%c", s[i]);
        else if ((unsigned char)s[i] < 0x20)
            (void)printf("\\u%04x", (unsigned)s[i]);
        else
            (void)putchar(s[i]);
    (void)putchar('"');
}

/* bare: whether values of a type stand in JSON without quotes. */
static bool bare(const char *type, const char *value, size_t n)
{
    static const char numbers[] = "tinyint smallint int bigint float double boolean";
    if (strstr(numbers, type))
        return !memchr(value, 'N', n) && !memchr(value, 'I', n); /* NaN, Infinity */
    return strncmp(type, "decimal", 7) == 0;
}

static void print_row(const spark_rdd *rdd, const void *row, form as, text *t)
{
    const size_t n = spark_sql_columns(rdd);
    for (size_t i = 0; i < n; i++) {
        const bool present = cell(rdd, row, i, t);
        if (as == CSV) {
            (void)fputs(i ? "," : "", stdout);
            if (present)
                csv_cell(t->at, t->n);
            continue;
        }
        (void)fputs(i ? "," : "{", stdout);
        json_text(spark_sql_name(rdd, i), strlen(spark_sql_name(rdd, i)));
        (void)putchar(':');
        if (!present)
            (void)fputs("null", stdout);
        else if (bare(spark_sql_type(rdd, i), t->at, t->n))
            (void)fwrite(t->at, 1, t->n, stdout);
        else
            json_text(t->at, t->n);
    }
    (void)puts(as == JSON ? "}" : "");
}

static spark_status print_rows(spark_rdd *rdd, form as)
{
    spark_array rows;
    if (as == TABLE)
        return spark_sql_columns(rdd) ? spark_sql_show(rdd, SIZE_MAX) : spark_rdd_status(rdd);
    text t = { malloc(64), 0, 64 };
    const spark_status status = spark_collect(rdd, NULL, &rows);
    if (status == SPARK_OK) {
        for (size_t i = 0; as == CSV && i < spark_sql_columns(rdd); i++) {
            (void)fputs(i ? "," : "", stdout);
            csv_cell(spark_sql_name(rdd, i), strlen(spark_sql_name(rdd, i)));
        }
        (void)fputs(as == CSV && spark_sql_columns(rdd) ? "\n" : "", stdout);
        for (size_t i = 0; t.at && i < rows.n; i++)
            print_row(rdd, spark_row_of(&rows, i), as, &t);
        spark_array_free(&rows);
    }
    free(t.at);
    return status;
}

static bool run(spark_context *sc, char *statements, form as)
{
    for (size_t n; (n = spark_sql_next(statements)) > 0; statements += n) {
        const char kept = statements[n];
        statements[n] = '\0';
        if (print_rows(spark_sql(sc, statements), as) != SPARK_OK) {
            spark_sql_complain(stderr, statements);
            return false;
        }
        statements[n] = kept;
    }
    return fflush(stdout) == 0;
}

static bool view(spark_context *sc, char *argument)
{
    char *path = strchr(argument, '=');
    if (!path) {
        (void)fprintf(stderr, "sql: --view %s: NAME=FILE is wanted\n", argument);
        return false;
    }
    *path++ = '\0';
    const char *dot = strrchr(path, '.');
    spark_rdd *rdd = dot && strcmp(dot, ".json") == 0
        ? spark_read_json(sc, path, NULL, NULL)
        : spark_read_csv(sc, path, NULL, &(spark_csv_options) { .header = true, .infer_schema = true });
    if (spark_create_temp_view(sc, argument, rdd) == SPARK_OK)
        return true;
    spark_sql_complain(stderr, NULL);
    return false;
}

static bool run_file(spark_context *sc, const char *path, form as)
{
    text t = { NULL, 0, 0 };
    FILE *file = path ? fopen(path, "r") : stdin;
    bool good = file && read_all(file, &t);
    if (!good)
        perror(path ? path : "sql");
    good = good && run(sc, t.at, as);
    if (file && path)
        (void)fclose(file);
    free(t.at);
    return good;
}

int main(int argc, char **argv)
{
    const watch_options options = watch_arguments(&argc, argv);
    spark_context *sc = watched_context(&(spark_conf) { .app_name = "sql" }, &options);
    form as = TABLE;
    bool good = spark_cancel_on_signal(sc, SIGINT) == SPARK_OK, any = false; /* Ctrl-C ends a statement */
    for (int i = 1; i < argc && good; i++)
        if (strcmp(argv[i], "--csv") == 0 || strcmp(argv[i], "--json") == 0) {
            as = argv[i][2] == 'c' ? CSV : JSON;
        } else if (strcmp(argv[i], "--view") == 0 && i + 1 < argc) {
            good = view(sc, argv[++i]);
        } else if (strcmp(argv[i], "-e") == 0 && i + 1 < argc) {
            any = good = run(sc, argv[++i], as);
        } else if (argv[i][0] == '-') { /* --help as well */
            good = fputs("usage: sql [--csv|--json] [--view NAME=FILE]... [-e STATEMENTS] [FILE]...\n", stderr) < 0;
        } else {
            any = good = run_file(sc, argv[i], as);
        }
    if (good && !any)
        good = run_file(sc, NULL, as);
    spark_context_free(sc);
    return good ? 0 : 1;
}
