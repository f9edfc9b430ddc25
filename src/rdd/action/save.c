/* SPDX-License-Identifier: Apache-2.0 */
/* save_as_text_file: an element a line; save_as_object_file: any elements, as they lie in memory. */
#include <spark/action.h>

#include "rdd/object_part.h"

/* write_row: the text of one element and a line end. */
static bool write_row(spk_save_state *s, const char *row)
{
    enum { GUESS = 256 };
    char *at = spk_save_room(s, GUESS);
    if (!at)
        return false;
    size_t length = spk_value_print(s->layout, row, at, GUESS - 1);
    if (length > GUESS - 1) {
        at = spk_save_room(s, length + 1);
        if (!at)
            return false;
        length = spk_value_print(s->layout, row, at, length);
    }
    at[length] = '\n';
    s->part.used += length + 1;
    return true;
}

static bool save_take(void *state, spk_batch batch)
{
    spk_save_state *s = state;
    for (size_t i = 0; i < batch.n; i++)
        if (!write_row(s, batch.rows + i * s->layout->size))
            return false;
    return true;
}

spark_status spark_save_as_text_file(spark_site at, spark_rdd *rdd, const char *path)
{
    static const spk_saver saver = { .name = "saveAsTextFile", .take = save_take };
    return spk_save_parts(at, rdd, path, &saver);
}

spark_status spark_save_as_object_file(spark_site at, spark_rdd *rdd, const char *path)
{
    const spk_saver saver = spk_object_saver("saveAsObjectFile");
    return spk_save_parts(at, rdd, path, &saver);
}
