/* SPDX-License-Identifier: Apache-2.0 */
/* Counts a range, and needs nothing else of libspark. */
#include <spark.h>

int main(void)
{
    spark_context *sc = spark_context_new(NULL);
    int64_t n = 0;
    const spark_status status = spark_count(spark_range(sc, 0, 1000, 1, 4), &n);
    spark_context_free(sc);
    return status != SPARK_OK || n != 1000;
}
