/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that use nothing they are given: no macro may leave a warning about that, in C and C++. */
#include <spark.h>

SPARK_PAIR(pair, int, long);
SPARK_STRUCT(deep, (pair, inner), (int, many, 3));
SPARK_KEY(inner_value, deep, long, inner.value);
SPARK_KEY(second, deep, int, many[1]);
SPARK_ORDER(by_members, deep, (desc, inner.value), (asc, many[2]));

SPARK_MAP(a_map, int, int, double) {}
SPARK_FILTER(a_filter, int, double)
{
    return true;
}
SPARK_FLAT_MAP(a_flat_map, int, int, unsigned long) {}
SPARK_FILTER_MAP(a_filter_map, int, int, int)
{
    return false;
}
SPARK_MERGE(a_merge, long, int, float) {}
SPARK_JOIN(a_join, int, int, long, pair, bool) {}
SPARK_PARTITIONS(a_partitions, int, int, int) {}
SPARK_ZIP_PARTITIONS(a_zip, int, int, int, int) {}
SPARK_ZIP_PARTITIONS_3(a_zip_3, int, int, int, int, int) {}
SPARK_ZIP_PARTITIONS_4(a_zip_4, int, int, int, int, int, int) {}
SPARK_GROUP(a_group, int, int, int, int) {}
SPARK_BEGIN(begun, long, int, int, int) {}
SPARK_STEP(begun, long, int, int, int) {}
SPARK_FINISH(begun, long, int, int, int) {}
SPARK_STEP(begun_late, long, int, int) {}
SPARK_BEGIN(begun_late, long, int, int) {}
SPARK_FINISH(begun_late, long, int, int) {}
SPARK_STEP(not_begun, long, int, int) {}
SPARK_FINISH(not_begun, long, int, int) {}
SPARK_FOREACH(a_foreach, int, int) {}
SPARK_FOREACH(plain_foreach, int) {}
SPARK_FOREACH_PARTITION(a_foreach_partition, int, int) {}
SPARK_PARTITIONER(a_partitioner, int, int)
{
    return 0;
}
SPARK_PARTITIONER(plain_partitioner, int)
{
    return 0;
}
SPARK_COALESCER(a_coalescer, int)
{
    return 0;
}

int main(void)
{
    return 0;
}
