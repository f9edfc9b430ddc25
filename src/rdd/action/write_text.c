/* SPDX-License-Identifier: Apache-2.0 */
/* write_text, write_object_file: as save_as_text_file and save_as_object_file, with options. */
#include <spark/row.h>
#include <spark/save.h>

#include "rdd/object_part.h"
#include "rdd/write.h"

/* put_line: the text of the one member that is left; of an absent one the empty line. */
static bool put_line(spk_save_state *s, const char *row)
{
    const char *value = spark_row_at(row, s->only);
    spark_str text = { NULL, 0 };
    if (value && s->only->count > 0)
        text = (spark_str) { value, strnlen(value, s->only->count) };
    else if (value)
        memcpy(&text, value, sizeof text);
    char *to = spk_save_room(s, text.len + 1);
    if (!to)
        return false;
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    to[text.len] = '\n';
    s->part.used += text.len + 1;
    return true;
}

static bool take_lines(void *state, spk_batch batch)
{
    spk_save_state *s = state;
    if (!s->only)
        return spk_save_lines(state, batch);
    for (size_t i = 0; i < batch.n; i++)
        if (!put_line(s, batch.rows + i * s->layout->size))
            return false;
    return true;
}

spark_status spk_write_lines(
    spark_site at, spark_rdd *rdd, const char *path, const char *extension, const spark_save_options *options)
{
    const spk_saver saver
        = { .name = "write_text", .extension = extension, .lines = true, .take = take_lines };
    return spk_write_parts(at, rdd, path, &saver, options);
}

spark_status spark_write_text(
    spark_site at, spark_rdd *rdd, const char *path, const spark_save_options *options)
{
    return spk_write_lines(at, rdd, path, ".txt", options);
}

spark_status spark_write_object_file(
    spark_site at, spark_rdd *rdd, const char *path, const spark_save_options *options)
{
    const spk_saver saver = spk_object_saver("write_object_file");
    return spk_write_parts(at, rdd, path, &saver, options);
}
