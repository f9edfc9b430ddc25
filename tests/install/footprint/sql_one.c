/* SPDX-License-Identifier: Apache-2.0 */
/* The least program with SQL: what that costs is all of it. */
#include <spark.h>

int main(int argc, char **argv)
{
    spark_context *sc = spark_context_new(NULL);
    const spark_status status = spark_sql_show(spark_sql(sc, argc > 1 ? argv[1] : "SELECT 1"), 20);
    spark_context_free(sc);
    return status == SPARK_OK ? 0 : 1;
}
