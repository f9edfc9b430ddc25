/* SPDX-License-Identifier: Apache-2.0 */
/* Statements at the edges of what SQL allows: what Spark 4.3 answers, and what it refuses. */
#include "../support/sql_test.h"

static const sql_case lambdas[] = {
    { "SELECT id, transform(array(1), x -> x + id) FROM range(2)", "0|[1]\n1|[2]\n" },
    { "SELECT id, transform(array(1), x -> x + sum(id)) FROM range(2) GROUP BY id ORDER BY id", "0|[1]\n1|[2]\n" },
    { "SELECT transform(array(1, 2), x -> x + max(id) OVER ()) FROM range(2)", "[2, 3]\n[2, 3]\n" },
    { "SELECT filter(array(1, 2), x -> x < count(*)) FROM range(2)", "[1]\n" },
    { "SELECT transform(array(1), x -> transform(array(2), y -> x + y + id)) FROM range(2)", "[[3]]\n[[4]]\n" },
    { "SELECT transform(array(1), x -> transform(array(2), y -> x + y))", "[[3]]\n" },
    { "SELECT transform(array(3), id) FROM range(2)", "[0]\n[1]\n" },
    { "SELECT * FROM range(2) t, LATERAL (SELECT transform(array(1), x -> x + t.id))", "0|[1]\n1|[2]\n" },
};
static const sql_case no_lambdas[] = {
    { "SELECT exists(array(1), x -> x IN (SELECT 1))", "CATEGORY.HIGHER_ORDER_FUNCTION" },
    { "SELECT transform(array(1), x -> (SELECT 3))", "CATEGORY.HIGHER_ORDER_FUNCTION" },
    { "SELECT transform(array(1), x -> sum(x)) FROM range(2)", "UNRESOLVED_COLUMN" },
    { "SELECT transform(array(1), x -> max(x) OVER ()) FROM range(2)", "UNRESOLVED_COLUMN" },
    { "SELECT transform(array(1), x -> max(id) OVER (ORDER BY x)) FROM range(2)", "UNRESOLVED_COLUMN" },
};

#define CASES(list) sizeof(list) / sizeof(list)[0], list

static void test_answers(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "edges", .threads = 1 });
    sql_all_give(sc, 0, CASES(lambdas));
    spark_context_free(sc);
}

static void test_refused(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "edges", .threads = 1 });
    sql_all_fail(sc, CASES(no_lambdas));
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
