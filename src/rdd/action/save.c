/* SPDX-License-Identifier: Apache-2.0 */
/* save_as_text_file: an element a line; save_as_object_file: any elements, as they lie in memory. */
#include <spark/action.h>

#include "rdd/object_part.h"

spark_status spark_save_as_text_file(spark_site at, spark_rdd *rdd, const char *path)
{
    static const spk_saver saver = { .name = "saveAsTextFile", .take = spk_save_lines };
    return spk_save_parts(at, rdd, path, &saver);
}

spark_status spark_save_as_object_file(spark_site at, spark_rdd *rdd, const char *path)
{
    const spk_saver saver = spk_object_saver("saveAsObjectFile");
    return spk_save_parts(at, rdd, path, &saver);
}
