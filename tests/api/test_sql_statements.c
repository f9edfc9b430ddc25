/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that are no queries: what they make, change and show, and what they refuse. */
#include "../support/sql_test.h"

static spark_context *open_context(void)
{
    return spark_context_new(&(spark_conf) { .app_name = "statements", .threads = 2 });
}

/* refuses: the message has these words. */
static void refuses(spark_context *sc, const char *sql, const char *want)
{
    sql_all_fail(sc, 1, &(sql_case) { sql, want });
}

/* gives: these rows; of what defines something, none. */
static void gives(spark_context *sc, const char *sql, const char *want)
{
    sql_all_give(sc, 0, 1, &(sql_case) { sql, want });
}

/* A view that would read itself is refused when it is defined, and the one of that name stays. */
static void test_recursive_views(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    sql_run(sc, "CREATE TEMP VIEW v AS SELECT 1 a");
    sql_run(sc, "CREATE TEMP VIEW w AS SELECT * FROM v");
    refuses(sc, "CREATE OR REPLACE TEMP VIEW v AS SELECT a + 1 a FROM V",
        "[RECURSIVE_VIEW] Recursive view `v` detected (cycle: `v` -> `v`). SQLSTATE: 42K0H");
    refuses(sc, "CREATE OR REPLACE TEMP VIEW v AS SELECT (SELECT max(a) FROM w) a", "(cycle: `v` -> `w` -> `v`)");
    gives(sc, "SELECT * FROM v JOIN w USING (a)", "1\n");
    sql_run(sc, "CREATE OR REPLACE TEMP VIEW v AS WITH v AS (SELECT 2 a) SELECT * FROM v");
    gives(sc, "SELECT * FROM w", "2\n");
    assert_int_equal(spark_create_temp_view(sc, "r", spark_range(sc, 0, 2, 1, 1)), SPARK_OK);
    refuses(sc, "CREATE OR REPLACE TEMP VIEW r AS SELECT * FROM w, r", "(cycle: `r` -> `r`)");
    gives(sc, "SELECT * FROM r", "0\n1\n");
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recursive_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
