/* SPDX-License-Identifier: Apache-2.0 */
/* A bare pointer as environment: a warning before gcc 14, an error with the flags of the target. */
#include <spark.h>

SPARK_FILTER(is_above, double, double)
{
    return *in > *env;
}

int main(void)
{
    double limit = 1;
    return spark_rdd_id(spark_filter(NULL, is_above, &limit)) >= 0;
}
