/* SPDX-License-Identifier: Apache-2.0 */
#include "rdd/growing.h"

#include "rdd/keyed/keyed.h"

void spk_combined_growing(spark_rdd *rdd, const struct spk_growing *growing)
{
    if (spark_rdd_status(rdd) == SPARK_OK)
        SPK_NODE(spk_keyed_rdd, rdd)->aggregator.growing = growing;
}
