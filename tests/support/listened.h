/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of listeners run: sums of ROWS numbers by their KEYS keys, and a map that fails at a number. */
#ifndef LISTENED_H
#define LISTENED_H

enum { ROWS = 3000, KEYS = 40 };

#include "support/sums.h"

SPARK_MAP(fails_at, int64_t, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "not %d", (int)*in);
    *out = *in;
}

static spark_rdd *sums_of(spark_context *sc, int maps, int reduces)
{
    spark_rdd *numbers = spark_range(sc, 0, ROWS, 1, maps);
    return spark_reduce_by_key(spark_map(numbers, to_pair, NULL), spark_op_sum, NULL, reduces);
}

#endif
