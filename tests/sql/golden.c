/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's golden files: statements with the rows or the error condition that Spark gives. The files are
 * not the project's: SPARK_SQL_GOLDEN names the directory that holds results/ and test-data/; where it is
 * not set the test says so and is skipped.
 *
 *   golden [-v] [FILE...]        files named from results/; without, those of SPARK_SQL_GOLDEN/first.txt
 *
 * Rows are compared as sets of lines: nothing here tells ordered results from others. -v prints what
 * differs. Ends with 1 where fewer statements agree than SPARK_SQL_GOLDEN_LEAST (a percentage) says. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <spark.h>

#include "format/json_scan.h"
#include "sql/exec/result.h"

enum { SKIPPED = 77 };

typedef struct totals {
    size_t good, all;
    bool verbose;
} totals;

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL, block[8192];
    size_t size = 0;
    FILE *out = file ? open_memstream(&text, &size) : NULL;
    for (size_t n; out && (n = fread(block, 1, sizeof block, file)) > 0;)
        fwrite(block, 1, n, out);
    if (out)
        fclose(out);
    if (file)
        fclose(file);
    return text;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* sorted: the lines of a text in order, without blanks at their ends. */
static char *sorted(const char *text)
{
    size_t n = 0, size = 0;
    char *copy = strdup(text), *out = NULL;
    char **lines = calloc(strlen(text) + 2, sizeof *lines);
    for (char *at = copy; at;) {
        char *end = strchr(at, '\n');
        if (end)
            *end++ = '\0';
        for (char *last = at + strlen(at); last > at && isspace((unsigned char)last[-1]);)
            *--last = '\0';
        lines[n++] = at;
        at = end;
    }
    qsort(lines, n, sizeof *lines, compare_lines);
    FILE *file = open_memstream(&out, &size);
    for (size_t i = 0; i < n; i++)
        fprintf(file, "%s\n", lines[i]);
    fclose(file);
    free(lines);
    free(copy);
    return out;
}

/* put_utf8: bytes that are no UTF-8 are U+FFFD, as in the files. */
static void put_utf8(FILE *file, const char *text, size_t n)
{
    for (size_t i = 0, size; i < n; i += size) {
        size = (unsigned char)text[i] < 0x80 ? 1 : spk_json_sign(text + i, n - i);
        if (size)
            fwrite(text + i, 1, size, file);
        else
            fputs("\xef\xbf\xbd", file);
        size += size == 0;
    }
}

/* print_plain: as CAST(.. AS STRING) has it, but intervals as the files have them. */
static void print_plain(FILE *file, const spk_zone *zone, const spk_sql_type *type, const char *value)
{
    int64_t micros;
    int32_t months;
    const size_t n = spk_sql_value_print(type, value, zone, NULL, 0);
    char *text = malloc(n + 1);
    (void)spk_sql_value_print(type, value, zone, text, n + 1);
    if (type->kind == SPK_SQL_INTERVAL_SECONDS) {
        memcpy(&micros, value, sizeof micros);
        const uint64_t all = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros, seconds = all / 1000000;
        fprintf(file, "%s%llu %02u:%02u:%02u.%09u", micros < 0 ? "-" : "", (unsigned long long)(seconds / 86400),
            (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60),
            (unsigned)(all % 1000000 * 1000));
    } else if (type->kind == SPK_SQL_INTERVAL_MONTHS) {
        memcpy(&months, value, sizeof months);
        const unsigned all = months < 0 ? 0U - (unsigned)months : (unsigned)months;
        fprintf(file, "%s%u-%u", months < 0 ? "-" : "", all / 12, all % 12);
    } else {
        put_utf8(file, text, n);
    }
    free(text);
}

/* print_value: as Hive's shell: what is nested in the manner of JSON. */
static void print_value(FILE *file, const spk_zone *zone, const spk_sql_type *type, const char *value, bool nested)
{
    spk_sql_array array = { NULL, 0 };
    if (value && (type->kind == SPK_SQL_ARRAY || type->kind == SPK_SQL_MAP))
        memcpy(&array, value, sizeof array);
    if (!value) {
        fputs(nested ? "null" : "NULL", file);
    } else if (type->kind == SPK_SQL_ARRAY) {
        const size_t size = spk_sql_slot_size(type->of, type->contains_null);
        for (size_t i = 0; i < array.n; i++) {
            const char *slot = array.at + i * size;
            const bool present = !type->contains_null || *slot;
            fputc(i ? ',' : '[', file);
            slot += spk_sql_slot_value(type->of, type->contains_null);
            print_value(file, zone, type->of, present ? slot : NULL, true);
        }
        fputs(array.n ? "]" : "[]", file);
    } else if (type->kind == SPK_SQL_MAP) {
        for (size_t i = 0; i < array.n; i++) {
            const char *entry = array.at + i * spk_sql_entry_size(type), *slot = entry + spk_sql_entry_value(type);
            const bool present = !type->contains_null || *slot;
            fputc(i ? ',' : '{', file);
            print_value(file, zone, type->key, entry, true);
            fputc(':', file);
            slot += spk_sql_slot_value(type->of, type->contains_null);
            print_value(file, zone, type->of, present ? slot : NULL, true);
        }
        fputs(array.n ? "}" : "{}", file);
    } else if (type->kind == SPK_SQL_STRUCT) {
        for (uint32_t i = 0; i < type->n; i++) {
            const spk_sql_field *f = &type->fields[i];
            const char *slot = value + f->offset;
            fprintf(file, "%c\"%s\":", i ? ',' : '{', f->name);
            print_value(file, zone, f->type, !f->nullable || *slot ? slot + spk_sql_slot_value(f->type, f->nullable) : NULL,
                true);
        }
        fputc('}', file);
    } else {
        const bool quoted = nested && type->kind == SPK_SQL_STRING;
        fputs(quoted ? "\"" : "", file);
        print_plain(file, zone, type, value);
        fputs(quoted ? "\"" : "", file);
    }
}

static char *rows_text(spark_rdd *rdd, const spark_array *rows)
{
    const spk_result *result = spk_result_of(rdd);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    for (size_t r = 0; r < rows->n; r++) {
        for (size_t i = 0; i < spark_sql_columns(rdd); i++) {
            const char *row = spark_row_of(rows, r);
            const spk_slot *slot = &result->form->slots[i];
            const bool present = slot->type->kind != SPK_SQL_VOID && spk_slot_present(slot, row);
            fputs(i ? "\t" : "", file);
            print_value(file, result->query->session.zone, slot->type, present ? row + slot->value : NULL, false);
        }
        if (r + 1 < rows->n)
            fputc('\n', file);
    }
    fclose(file);
    return text;
}

/* condition: what stands in the first brackets of a message that is a condition's name. */
static void condition(const char *message, char *out, size_t size)
{
    out[0] = '\0';
    for (const char *at = strchr(message, '['); at; at = strchr(at + 1, '[')) {
        const size_t n = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.0123456789");
        if (n > 3 && n < size && at[1 + n] == ']') {
            memcpy(out, at + 1, n);
            out[n] = '\0';
            return;
        }
    }
}

/* wanted: the condition in an expected output, which begins with a class of exceptions; "": rows. */
static bool wanted(const char *output, char *out, size_t size)
{
    out[0] = '\0';
    if (strncmp(output, "org.apache", 10) != 0 && strncmp(output, "java.", 5) != 0)
        return false;
    const char *at = strstr(output, "\"condition\" : \""), *older = strstr(output, "\"errorClass\" : \"");
    if (older && (!at || older < at)) /* a parameter may be called condition as well */
        at = older;
    if (at && (at = strstr(at, " : \"")) != NULL) {
        const size_t n = strcspn(at + 4, "\"");
        if (n < size) {
            memcpy(out, at + 4, n);
            out[n] = '\0';
        }
    }
    return true;
}

static void statement(spark_context *sc, const char *file, const char *sql, const char *output, totals *t)
{
    char want[128], got[128] = "";
    char *text = NULL;
    spark_array rows;
    spark_rdd *rdd = spark_sql(sc, sql);
    const bool error = wanted(output, want, sizeof want);
    const bool failed = spark_rdd_status(rdd) != SPARK_OK || spark_collect(rdd, NULL, &rows) != SPARK_OK;
    bool good;
    if (failed) {
        condition(spark_last_error()->message, got, sizeof got);
        good = error && (!want[0] || strcmp(want, got) == 0);
    } else {
        text = rows_text(rdd, &rows);
        spark_array_free(&rows);
        for (size_t n = strlen(text); n && text[n - 1] == '\n';) /* as those of the file are */
            text[--n] = '\0';
        char *a = sorted(output), *b = sorted(text);
        good = !error && strcmp(a, b) == 0;
        free(a);
        free(b);
    }
    t->good += good;
    t->all++;
    if (!good && t->verbose)
        printf("## %s\n%s\nwanted: %.300s\nfound: %.300s\n", file, sql, error ? want : output,
            failed ? spark_last_error()->message : text);
    free(text);
}

/* trimmed: the text between two places, without line ends behind it. */
static char *trimmed(const char *from, const char *to)
{
    while (to > from && to[-1] == '\n')
        to--;
    return strndup(from, (size_t)(to - from));
}

static void run(spark_context *sc, const char *text)
{
    if (spark_rdd_status(spark_sql(sc, text)) != SPARK_OK)
        spark_complain("golden: a table every file may use");
}

/* tables: what every file may use. */
static void tables(spark_context *sc, const char *directory)
{
    static const char numbers[] = "unique1 INT, unique2 INT, two INT, four INT, ten INT, twenty INT, hundred INT, "
                                  "thousand INT, twothousand INT, fivethous INT, tenthous INT, odd INT, even INT, "
                                  "stringu1 STRING, stringu2 STRING, string4 STRING";
    static const struct {
        const char *name, *columns, *file;
    } files[] = { { "aggtest", "a INT, b FLOAT", "agg" }, { "onek", numbers, "onek" }, { "tenk1", numbers, "tenk" } };
    char text[2000];
    run(sc, "SET TIME ZONE 'America/Los_Angeles'");
    run(sc, "CREATE TEMP VIEW arraydata AS SELECT * FROM VALUES (array(1, 2, 3), array(array(1, 2, 3))), "
            "(array(2, 3, 4), array(array(2, 3, 4))) t(arraycol, nestedarraycol)");
    run(sc, "CREATE TEMP VIEW mapdata AS SELECT * FROM VALUES (map(1, 'a1', 2, 'b1', 3, 'c1', 4, 'd1', 5, 'e1')), "
            "(map(1, 'a2', 2, 'b2', 3, 'c2', 4, 'd2')), (map(1, 'a3', 2, 'b3', 3, 'c3')), (map(1, 'a4', 2, 'b4')), "
            "(map(1, 'a5')) t(mapcol)");
    run(sc, "CREATE TEMP VIEW testdata AS SELECT CAST(id AS INT) AS key, CAST(id AS STRING) AS value "
            "FROM range(1, 101)");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(text, sizeof text,
            "CREATE TEMP VIEW %s (%s) USING csv OPTIONS (path '%s/test-data/postgresql/%s.data', sep '\t')",
            files[i].name, files[i].columns, directory, files[i].file);
        run(sc, text);
    }
}

static void golden(const char *directory, const char *file, totals *all)
{
    static const char query[] = "-- !query\n", schema[] = "-- !query schema\n", output[] = "-- !query output\n";
    char path[1024];
    totals t = { 0, 0, all->verbose };
    snprintf(path, sizeof path, "%s/results/%s", directory, file);
    char *text = read_file(path);
    if (!text) {
        perror(path);
        exit(1);
    }
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "golden", .threads = 1 });
    tables(sc, directory);
    for (const char *at = strstr(text, query); at;) {
        const char *from = at + strlen(query), *middle = strstr(from, schema);
        const char *out = middle ? strstr(middle, output) : NULL;
        if (!out)
            break;
        out += strlen(output);
        const char *next = strstr(out, "\n-- !query\n");
        char *sql = trimmed(from, middle), *rows = trimmed(out, next ? next : out + strlen(out));
        statement(sc, file, sql, rows, &t);
        free(sql);
        free(rows);
        at = next ? next + 1 : NULL;
    }
    spark_context_free(sc);
    free(text);
    printf("%s: %zu of %zu\n", file, t.good, t.all);
    fflush(stdout);
    all->good += t.good;
    all->all += t.all;
}

int main(int argc, char **argv)
{
    const char *directory = getenv("SPARK_SQL_GOLDEN"), *least = getenv("SPARK_SQL_GOLDEN_LEAST");
    totals all = { 0, 0, argc > 1 && strcmp(argv[1], "-v") == 0 };
    char path[1024];
    if (!directory) {
        puts("skipped: SPARK_SQL_GOLDEN names no directory of golden files");
        return SKIPPED;
    }
    const int first = all.verbose ? 2 : 1;
    for (int i = first; i < argc; i++)
        golden(directory, argv[i], &all);
    snprintf(path, sizeof path, "%s/first.txt", directory);
    char *list = first < argc ? NULL : read_file(path);
    for (char *name = list ? strtok(list, "\n") : NULL; name; name = strtok(NULL, "\n"))
        golden(directory, name, &all);
    free(list);
    const double share = all.all ? 100.0 * (double)all.good / (double)all.all : 0;
    printf("all: %zu of %zu statements, %.1f %%\n", all.good, all.all, share);
    return least && share < strtod(least, NULL) ? 1 : 0;
}
