/* SPDX-License-Identifier: Apache-2.0 */
/* A shell for SQL: statements from -e, from files or from standard input; tables on standard output, or
 * rows that other programs read.
 *
 *   sql [--csv|--json] [--view NAME=FILE.csv|.json]... [-e STATEMENTS]... [FILE]...
 *   sql --csv --view people=people.csv -e "SELECT city, count(*) n FROM people GROUP BY city"
 * Types of a view's columns are found in its file; CSV has nothing for NULL, JSON is as to_json writes it. From a
 * terminal each statement runs at its semicolon; elsewhere one that fails ends the shell, with 1. */
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "watch.h"

typedef enum form { TABLE, CSV, JSON, PLAIN } form;

typedef struct text { char *at; size_t n, room; } text;

/* grow: room for so many bytes more, and a NUL. */
static bool grow(text *t, size_t more)
{
    const size_t room = t->room - t->n > more ? t->room : 2 * t->room + more + 1;
    char *grown = realloc(t->at, room);
    if (grown)
        *t = (text) { grown, t->n, room };
    return grown;
}

/* read_all: the file and a NUL. */
static bool read_all(FILE *file, text *t)
{
    for (size_t n = 1; n > 0; t->n += n) {
        if (!grow(t, 4096))
            return false;
        n = fread(t->at + t->n, 1, t->room - t->n - 1, file);
    }
    t->at[t->n] = '\0';
    return !ferror(file);
}

/* csv_cell: a binary one as Spark has it, in hexadecimal: [1F 20]. */
static void csv_cell(const char *s, size_t n, bool binary)
{
    bool quote = n == 0;
    for (size_t i = 0; i < n; i++)
        quote |= strchr(",\"\n\r", s[i]) != NULL;
    (void)fputs(binary ? "[" : quote ? "\"" : "", stdout);
    for (size_t i = 0; i < n; i++)
        if (binary)
            (void)printf("%s%02X", i ? " " : "", (unsigned)(unsigned char)s[i]);
        else
            (void)(s[i] == '"' ? fputs("\"\"", stdout) : putchar(s[i]));
    (void)fputs(binary ? "]" : quote ? "\"" : "", stdout);
}

/* print_row: row NULL: the names. */
static void print_row(const spark_rdd *rdd, const void *row, form as, text *t)
{
    for (size_t i = 0, n; i < spark_sql_columns(rdd); i++) {
        (void)fputs(i ? "," : "", stdout);
        if (!row)
            csv_cell(spark_sql_name(rdd, i), strlen(spark_sql_name(rdd, i)), false);
        else if (!spark_sql_text(rdd, row, i, NULL, 0, &n) || !grow(t, n)
            || !spark_sql_text(rdd, row, i, t->at, n + 1, &n))
            continue; /* NULL */
        else if (as == PLAIN)
            (void)fwrite(t->at, 1, n, stdout);
        else
            csv_cell(t->at, n, strcmp(spark_sql_type(rdd, i), "binary") == 0);
    }
    (void)putchar('\n');
}

static spark_status print_rows(spark_rdd *rdd, form as)
{
    spark_array rows;
    text t = { NULL, 0, 0 };
    const spark_status status = spark_collect(rdd, NULL, &rows);
    for (size_t i = as != CSV; status == SPARK_OK && i <= rows.n; i++)
        print_row(rdd, i ? spark_row_of(&rows, i - 1) : NULL, as, &t);
    if (status == SPARK_OK)
        spark_array_free(&rows);
    free(t.at);
    return status;
}

static spark_status execute(spark_context *sc, const char *statement, form as)
{
    spark_rdd *rdd = spark_sql(sc, statement);
    if (spark_rdd_status(rdd) != SPARK_OK || spark_sql_columns(rdd) == 0)
        return spark_rdd_status(rdd);
    if (as == TABLE && strncasecmp(statement + strspn(statement, " \t\n\r"), "EXPLAIN", 7) != 0)
        return spark_sql_show(rdd, SIZE_MAX);
    if (as == JSON && spark_create_temp_view(sc, " rows", rdd) != SPARK_OK) /* a name that no other has */
        return spark_last_error()->code;
    rdd = as == JSON ? spark_sql(sc, "SELECT to_json(struct(*)) FROM ` rows`") : rdd;
    (void)spark_drop_temp_view(sc, " rows");
    return print_rows(rdd, as == CSV ? CSV : PLAIN);
}

/* run: what stood before a statement is written over with as many lines and blanks: so messages say where in the
 * whole text it is. */
static bool run(spark_context *sc, char *all, form as, const char *file)
{
    size_t lines = 0, column = 0;
    for (size_t n; (n = spark_sql_next(all)) > 0; all += n) {
        char *statement = (char *)memset(all - column, ' ', column) - lines;
        const char kept = all[n];
        memset(statement, '\n', lines);
        all[n] = '\0';
        if (execute(sc, statement, as) != SPARK_OK) {
            (void)fprintf(stderr, "%s%s", file, *file ? ": " : "");
            spark_sql_complain(stderr, statement);
            return false;
        }
        for (size_t i = 0; i < n; i++)
            column = all[i] == '\n' ? (void)lines++, (size_t)0 : column + 1;
        all[n] = kept;
    }
    return fflush(stdout) == 0;
}

/* converse: with a terminal: a statement runs when its semicolon has come. */
static bool converse(spark_context *sc, form as)
{
    text t = { NULL, 0, 0 };
    for (bool more = true; more;) {
        t.n = t.n && spark_sql_next(t.at) ? t.n : 0;
        (void)fputs(t.n ? "  -> " : "sql> ", stdout);
        more = fflush(stdout) == 0 && grow(&t, 4096) && fgets(t.at + t.n, 4096, stdin);
        t.n += more ? strlen(t.at + t.n) : 0;
        for (size_t n; t.n && (n = spark_sql_next(t.at)) > 0 && (t.at[n - 1] == ';' || !more);) {
            const char kept = t.at[n];
            t.at[n] = '\0';
            (void)run(sc, t.at, as, "");
            t.at[n] = kept;
            memmove(t.at, t.at + n, (t.n -= n) + 1);
        }
    }
    free(t.at);
    return puts("") >= 0;
}

static bool view(spark_context *sc, char *argument)
{
    char *path = strchr(argument, '=');
    if (!path)
        return fprintf(stderr, "sql: --view %s: NAME=FILE is wanted\n", argument) < 0;
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
    good = good && run(sc, t.at, as, path ? path : "");
    free(t.at);
    return good & (!file || !path || fclose(file) == 0);
}

int main(int argc, char **argv)
{
    const watch_options options = watch_arguments(&argc, argv);
    spark_context *sc = watched_context(&(spark_conf) { .app_name = "sql" }, &options);
    form as = TABLE;
    bool good = spark_cancel_on_signal(sc, SIGINT) == SPARK_OK; /* Ctrl-C ends a statement */
    int n = 1; /* what is to be run goes to the front */
    for (int i = 1; i < argc && good; i++)
        if (strcmp(argv[i], "--csv") == 0 || strcmp(argv[i], "--json") == 0)
            as = argv[i][2] == 'c' ? CSV : JSON;
        else if (strcmp(argv[i], "--view") == 0 && i + 1 < argc)
            good = view(sc, argv[++i]);
        else if (strcmp(argv[i], "-e") == 0 && i + 1 < argc) {
            argv[n++] = argv[i];
            argv[n++] = argv[++i];
        } else if (argv[i][0] != '-')
            argv[n++] = argv[i];
        else /* --help as well */
            good = fputs("usage: sql [--csv|--json] [--view NAME=FILE]... [--progress] [--report FILE] [--trace FILE]\n"
                         "           [--event-log DIR] [-e STATEMENTS]... [FILE]...\n", stderr) < 0;
    for (int i = 1; i < n && good; i++)
        good = strcmp(argv[i], "-e") == 0 ? run(sc, argv[++i], as, "") : run_file(sc, argv[i], as);
    if (good && n == 1)
        good = isatty(STDIN_FILENO) ? converse(sc, as) : run_file(sc, NULL, as);
    spark_context_free(sc);
    return good ? 0 : 1;
}
