/* SPDX-License-Identifier: Apache-2.0 */
/* Files of sqllogictest: statements and queries with the values that SQLite and others give. The files are
 * not the project's: they are named.
 *
 *   slt [-v] FILE...     -v prints what differs
 *
 * Records for "mysql" are taken where the files tell systems apart, for their DIV is Spark's; SIGNED is read
 * as BIGINT, and what defines keys and indexes is left out. Values that are booleans count as 1 and 0,
 * doubles where integers are wanted without their fraction. A query that Spark refuses (an overflow of
 * INT, a division by zero, types that do not meet) is counted apart: "refused". Ends with 1 where a value
 * differs. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <spark.h>

#include "sql/eval/digest.h"
#include "sql/exec/result.h"

enum { SKIPPED = 77, MOST_LINE = 1 << 16 };

typedef struct totals {
    size_t good, wrong, refused, statements;
    bool verbose;
} totals;

typedef struct cells {
    char **at;
    size_t n, room, columns;
} cells;

static void add(cells *c, char *text)
{
    if (c->n == c->room) {
        c->room = c->room ? 2 * c->room : 64;
        c->at = realloc(c->at, c->room * sizeof *c->at);
    }
    c->at[c->n++] = text;
}

static void clear(cells *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->at[i]);
    c->n = 0;
}

static char *cell_text(const spk_slot *slot, const char *row, char letter)
{
    char text[512], *out = NULL;
    if (slot->type->kind == SPK_SQL_VOID || !spk_slot_present(slot, row))
        return strdup("NULL");
    const size_t n = spk_sql_value_print(slot->type, row + slot->value, NULL, text, sizeof text);
    text[n < sizeof text ? n : sizeof text - 1] = '\0';
    if (letter == 'T')
        return strdup(*text ? text : "(empty)");
    if (slot->type->kind == SPK_SQL_BOOLEAN)
        return strdup(*text == 't' ? "1" : "0");
    if (letter == 'I' && spk_sql_is_integral(slot->type))
        return strdup(text);
    if (asprintf(&out, letter == 'I' ? "%.0f" : "%.3f", letter == 'I' ? (double)(long long)atof(text) : atof(text)) < 0)
        return NULL;
    return out;
}

static bool values_of(spark_rdd *rdd, const char *letters, cells *c)
{
    spark_array rows;
    if (spark_rdd_status(rdd) != SPARK_OK || spark_collect(rdd, NULL, &rows) != SPARK_OK)
        return false;
    const spk_result *result = spk_result_of(rdd);
    c->columns = spark_sql_columns(rdd);
    for (size_t r = 0; r < rows.n; r++)
        for (size_t i = 0; i < c->columns; i++)
            add(c, cell_text(&result->form->slots[i], spark_row_of(&rows, r), i < strlen(letters) ? letters[i] : 'T'));
    spark_array_free(&rows);
    return true;
}

static size_t width;
static int compare_rows(const void *a, const void *b)
{
    for (size_t i = 0; i < width; i++) {
        const int c = strcmp(((char *const *)a)[i], ((char *const *)b)[i]);
        if (c)
            return c;
    }
    return 0;
}

static void sort(cells *c, const char *how)
{
    width = strcmp(how, "valuesort") == 0 ? 1 : c->columns;
    if (strcmp(how, "nosort") != 0 && width && c->n)
        qsort(c->at, c->n / width, width * sizeof *c->at, compare_rows);
}

/* hash_of: "30 values hashing to ..". */
static char *hash_of(const cells *c)
{
    char *text = NULL, hex[33], *out = NULL;
    size_t size = 0;
    uint8_t digest[16];
    FILE *file = open_memstream(&text, &size);
    for (size_t i = 0; i < c->n; i++)
        fprintf(file, "%s\n", c->at[i]);
    fclose(file);
    spk_md5(text, size, digest);
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    free(text);
    return asprintf(&out, "%zu values hashing to %s", c->n, hex) < 0 ? NULL : out;
}

/* without: the text with each `what`, in capitals, replaced. */
static void replace(char *text, const char *what, const char *by)
{
    const size_t n = strlen(what), m = strlen(by);
    for (char *at = text; (at = strcasestr(at, what)) != NULL; at += m) {
        memmove(at + m, at + n, strlen(at + n) + 1);
        memcpy(at, by, m);
    }
}

static void adapt(char *sql)
{
    replace(sql, "AS SIGNED", "AS BIGINT");
    replace(sql, " PRIMARY KEY", "");
    replace(sql, " UNIQUE", "");
}

/* record: lines of one record. */
typedef struct record {
    char *head, *sql;
    cells wanted;
    bool skip;
} record;

static void run_query(spark_context *sc, record *r, totals *t)
{
    char letters[256] = "", how[64] = "nosort";
    cells found = { NULL, 0, 0, 0 };
    (void)sscanf(r->head, "query %255s %63s", letters, how);
    spark_scope *scope = spark_scope_begin(sc);
    const bool there = values_of(spark_sql(sc, r->sql), letters, &found);
    spark_scope_end(scope);
    if (!there) {
        t->refused++;
        if (t->verbose)
            printf("## refused: %s\n%.300s\n", r->sql, spark_last_error()->message);
        return;
    }
    sort(&found, how);
    bool same;
    char *hash = NULL;
    if (r->wanted.n == 1 && strstr(r->wanted.at[0], " values hashing to ")) {
        hash = hash_of(&found);
        same = strcmp(hash, r->wanted.at[0]) == 0;
    } else {
        same = found.n == r->wanted.n;
        for (size_t i = 0; same && i < found.n; i++)
            same = strcmp(found.at[i], r->wanted.at[i]) == 0;
    }
    t->good += same;
    t->wrong += !same;
    if (!same && t->verbose) {
        printf("## %s\nwanted:", r->sql);
        for (size_t i = 0; i < r->wanted.n && i < 12; i++)
            printf(" %s", r->wanted.at[i]);
        printf("\nfound: ");
        for (size_t i = 0; i < found.n && i < 12; i++)
            printf(" %s", found.at[i]);
        printf("\n");
    }
    free(hash);
    clear(&found);
    free(found.at);
}

static void run_record(spark_context *sc, record *r, totals *t)
{
    if (!r->sql || r->skip)
        return;
    adapt(r->sql);
    if (strncmp(r->head, "query", 5) == 0) {
        run_query(sc, r, t);
    } else if (strcasestr(r->sql, " INDEX ") == NULL && strncasecmp(r->sql, "REINDEX", 7) != 0) {
        const bool failed = spark_rdd_status(spark_sql(sc, r->sql)) != SPARK_OK;
        if (t->verbose && failed && strstr(r->head, "ok"))
            printf("## statement: %s\n%.300s\n", r->sql, spark_last_error()->message);
        t->statements++;
    }
}

static void clear_record(record *r)
{
    free(r->head);
    free(r->sql);
    clear(&r->wanted);
    r->head = r->sql = NULL;
    r->skip = false;
}

static void append(char **text, const char *line)
{
    char *old = *text;
    if (asprintf(text, "%s%s%s", old ? old : "", old ? "\n" : "", line) < 0)
        *text = NULL;
    free(old);
}

static void run_file(const char *path, totals *all)
{
    static char line[MOST_LINE];
    FILE *file = fopen(path, "r");
    totals t = { .verbose = all->verbose };
    record r = { NULL, NULL, { NULL, 0, 0, 0 }, false };
    bool values = false;
    if (!file) {
        perror(path);
        exit(1);
    }
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "slt", .threads = 1 });
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (!line[0]) {
            run_record(sc, &r, &t);
            clear_record(&r);
            values = false;
        } else if (strncmp(line, "halt", 4) == 0) {
            break;
        } else if (line[0] == '#') {
            continue;
        } else if (!r.head && strncmp(line, "skipif", 6) == 0) {
            r.skip |= strncmp(line + 7, "mysql", 5) == 0;
        } else if (!r.head && strncmp(line, "onlyif", 6) == 0) {
            r.skip |= strncmp(line + 7, "mysql", 5) != 0;
        } else if (!r.head && (strncmp(line, "query", 5) == 0 || strncmp(line, "statement", 9) == 0)) {
            r.head = strdup(line);
        } else if (r.head && strcmp(line, "----") == 0) {
            values = true;
        } else if (values) {
            add(&r.wanted, strdup(line));
        } else if (r.head) {
            append(&r.sql, line);
        }
    }
    run_record(sc, &r, &t);
    clear_record(&r);
    free(r.wanted.at);
    spark_context_free(sc);
    fclose(file);
    printf("%s: %zu equal, %zu differ, %zu refused\n", path, t.good, t.wrong, t.refused);
    fflush(stdout);
    all->good += t.good;
    all->wrong += t.wrong;
    all->refused += t.refused;
}

int main(int argc, char **argv)
{
    totals all = { .verbose = argc > 1 && strcmp(argv[1], "-v") == 0 };
    if (argc < 2 + all.verbose) {
        puts("skipped: no files of sqllogictest are named");
        return SKIPPED;
    }
    for (int i = 1 + all.verbose; i < argc; i++)
        run_file(argv[i], &all);
    printf("all: %zu equal, %zu differ, %zu refused\n", all.good, all.wrong, all.refused);
    return all.wrong ? 1 : 0;
}
