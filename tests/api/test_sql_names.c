/* SPDX-License-Identifier: Apache-2.0 */
/* What columns are called, and what errors say, against Spark 4.3: spark_names.txt has statements with the
 * names, or the text, that Spark gave. */
#include "../support/sql_test.h"

/* said: the names of the columns of a statement, a line each, or its error; run: one of its rows. */
static char *said(spark_context *sc, const char *sql, bool run)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    spark_scope *scope = spark_scope_begin(sc);
    spark_rdd *rdd = spark_sql(sc, sql);
    char *rows = NULL;
    const bool good = spark_rdd_status(rdd) == SPARK_OK && (!run || (rows = sql_rows(rdd)) != NULL);
    const char *message = strstr(spark_last_error()->message, "[");
    if (!good)
        fprintf(file, "  ERR %s\n", message ? message : spark_last_error()->message);
    for (size_t i = 0; good && i < spark_sql_columns(rdd); i++)
        fprintf(file, "  %s\n", spark_sql_name(rdd, i));
    free(rows);
    spark_scope_end(scope);
    fclose(file);
    return text;
}

/* compare: a message of Spark's ends where the place in the statement would follow. */
static size_t compare(spark_context *sc, const char *sql, const char *want)
{
    const bool fails = strncmp(want, "  ERR", 5) == 0;
    char *got = said(sc, sql, fails);
    const size_t n = fails ? strlen(want) - 1 : strlen(got) + 1;
    const bool same = strncmp(got, want, n) == 0;
    if (!same)
        print_error("%s\nis called\n%swhere Spark says\n%s", sql, got, want);
    free(got);
    return !same;
}

static void test_names(void **state)
{
    (void)state;
    static char line[8192], sql[8192], want[8192];
    size_t differ = 0, n = 0;
    FILE *file = fopen(SPARK_NAMES, "r");
    assert_non_null(file);
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "names", .threads = 1 });
    for (bool more = true; more;) {
        more = fgets(line, sizeof line, file) != NULL;
        if (more && (line[0] == '#' || line[0] == ' ')) {
            strcat(want, line[0] == ' ' ? line : "");
            continue;
        }
        if (sql[0]) {
            differ += compare(sc, sql, want);
            n++;
        }
        line[strcspn(line, "\n")] = '\0';
        strcpy(sql, line);
        want[0] = '\0';
    }
    fclose(file);
    spark_context_free(sc);
    assert_true(n > 0);
    assert_int_equal(differ, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
