/* SPDX-License-Identifier: Apache-2.0 */
/* A result for people to look at: take, then print. Apart from take, so that only a program that
 * shows something links what prints. */
#include <spark/action.h>

#include "rdd/action.h"

spark_status spark_show(spark_site at, spark_rdd *rdd, size_t n)
{
    spark_array first;
    spk_failure failure;
    spark_status status = spk_take_as("show", at, rdd, n, NULL, &first, &failure);
    if (status != SPARK_OK)
        return spk_action_end(status, &failure, "show", at);
    status = spark_array_print(stdout, &first);
    spark_array_free(&first);
    if (status != SPARK_OK)
        spk_failure_set(&failure, status, "show", at, "show at %s: standard output: %s", at,
            spark_last_error()->message);
    return spk_action_end(status, &failure, "show", at);
}
