/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of executors run: numbers as pairs with KEYS keys (which whoever includes this says before), their
 * sums, and a filter that counts what it sees. */
#ifndef SUMS_H
#define SUMS_H

#include <spark.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);
typedef const spark_accumulator *accumulator;

SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % KEYS, *in };
}
SPARK_MERGE(add_up, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_FILTER(counts, int64_t, accumulator)
{
    (void)in;
    spark_accumulate(task, *env, 1);
    return true;
}

#endif
