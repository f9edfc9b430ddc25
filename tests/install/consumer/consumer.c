/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a small job, then prints the version of the headers and that of the archive. */
#include <inttypes.h>
#include <spark.h>

SPARK_MAP(squared, int64_t, int64_t)
{
    *out = *in * *in;
}

int main(int argc, char **argv)
{
    (void)argc;
    spark_context *sc = spark_context_new(NULL);
    spark_rdd *squares = spark_map(spark_range(sc, 0, 1000, 1, 7), squared, NULL);
    spark_array sum;
    if (spark_reduce(squares, spark_op_sum, NULL, SPARK_TYPE(int64_t), &sum) != SPARK_OK)
        return spark_complain(argv[0]);
    const int64_t total = *SPARK_ITEMS(int64_t, &sum);
    spark_array_free(&sum);
    spark_context_free(sc);
    printf("%s %s\n", SPARK_VERSION_STRING, spark_version_string());
    return total == 332833500 && SPARK_VERSION_NUMBER == spark_version_number() ? 0 : 1;
}
