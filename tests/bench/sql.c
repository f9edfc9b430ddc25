/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of SQL, timed: those of a first file once, which make tables, then each of a second file several times,
 * its rows collected. A line for each: seconds of the first run, of the fastest one, processor seconds of that, rows.
 * With -o its rows are written as well, members with tabs between, for comparing (compare_sql).
 *
 * usage: bench_sql [-t THREADS] [-i RUNS] [-o DIRECTORY] TABLES QUERIES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <spark.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double spent(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_sql: %s\n", what);
    exit(1);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t n = 0;
    if (!file || getdelim(&text, &n, '\0', file) < 0)
        die(path);
    fclose(file);
    return text;
}

static void write_rows(const char *directory, int number, spark_rdd *rdd, const spark_array *rows)
{
    char path[4096], cell[65536];
    snprintf(path, sizeof path, "%s/%d", directory, number);
    FILE *file = fopen(path, "w");
    size_t n;
    if (!file)
        die(path);
    for (size_t r = 0; r < rows->n; r++) {
        for (size_t i = 0; i < spark_sql_columns(rdd); i++) {
            const bool present = spark_sql_text(rdd, spark_row_of(rows, r), i, cell, sizeof cell, &n);
            fprintf(file, "%s%.*s", i ? "\t" : "", present ? (int)(n < sizeof cell ? n : sizeof cell - 1) : 4,
                present ? cell : "NULL");
        }
        fputc('\n', file);
    }
    fclose(file);
}

static void run_query(spark_context *sc, const char *sql, int number, int runs, const char *directory)
{
    double first = 0, best = 0, cpu = 0;
    size_t n = 0;
    for (int i = 0; i < runs; i++) {
        spark_array rows;
        spark_scope *scope = spark_scope_begin(sc);
        const double begun = now(), used = spent();
        spark_rdd *rdd = spark_sql(sc, sql);
        if (spark_collect(rdd, NULL, &rows) != SPARK_OK) {
            printf("%d failed: %s\n", number, spark_last_error()->message);
            spark_scope_end(scope);
            return;
        }
        const double took = now() - begun;
        first = i == 0 ? took : first;
        if (i == 0 || took < best) {
            best = took;
            cpu = spent() - used;
        }
        n = rows.n;
        if (i == 0 && directory)
            write_rows(directory, number, rdd, &rows);
        spark_array_free(&rows);
        spark_scope_end(scope);
    }
    printf("%d %.4f %.4f %.4f %zu\n", number, first, best, cpu, n);
}

int main(int argc, char **argv)
{
    int threads = 1, runs = 3;
    const char *directory = NULL;
    for (int c; (c = getopt(argc, argv, "t:i:o:")) != -1;) {
        if (c == 't')
            threads = atoi(optarg);
        else if (c == 'i')
            runs = atoi(optarg);
        else if (c == 'o')
            directory = optarg;
        else
            die("usage: bench_sql [-t THREADS] [-i RUNS] [-o DIRECTORY] TABLES QUERIES");
    }
    if (argc - optind != 2)
        die("usage: bench_sql [-t THREADS] [-i RUNS] [-o DIRECTORY] TABLES QUERIES");
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "bench_sql", .threads = threads });
    for (int f = 0; f < 2; f++) {
        char *text = read_file(argv[optind + f]);
        int number = 0;
        for (char *at = text, *sql; *at;) {
            const size_t n = spark_sql_next(at);
            if (n == 0)
                break;
            if (!(sql = strndup(at, n)))
                die("out of memory");
            at += n;
            if (f == 1)
                run_query(sc, sql, ++number, runs, directory);
            else if (spark_rdd_status(spark_sql(sc, sql)) != SPARK_OK)
                die(spark_last_error()->message);
            free(sql);
            fflush(stdout);
        }
        free(text);
    }
    spark_context_free(sc);
    return 0;
}
