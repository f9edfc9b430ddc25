/* SPDX-License-Identifier: Apache-2.0 */
/* write_json: a file of objects, one a line, for each partition. */
#include <spark/json.h>

#include "format/json_print.h"
#include "rdd/action.h"
#include "rdd/write.h"

/* json_saver: what the parts are written with; the saver of rdd/save.h is its first member. */
typedef struct json_saver {
    spk_saver saver;
    spk_json json;
} json_saver;

static bool write_rows(void *state, spk_batch batch)
{
    spk_save_state *s = state;
    const spk_json *json = &((const json_saver *)(const void *)s->saver)->json;
    const spark_type *type = s->layout->type;
    const char *end = json->line_sep_n ? json->line_sep : "\n";
    const size_t end_n = json->line_sep_n ? json->line_sep_n : 1;
    for (size_t i = 0; i < batch.n; i++) {
        const char *row = batch.rows + i * s->layout->size;
        char *to = spk_save_room(s, spk_json_room(json, type, row) + end_n);
        if (!to)
            return false;
        const size_t n = spk_json_print(json, type, row, to);
        memcpy(to + n, end, end_n);
        s->part.used += n + end_n;
    }
    return true;
}

spark_status spark_write_json(
    spark_site at, spark_rdd *rdd, const char *path, const spark_json_options *options)
{
    json_saver saver = { .saver = { .name = "write_json", .extension = ".json", .take = write_rows } };
    spark_save_options save = options ? options->save : (spark_save_options) { .mode = SPARK_SAVE_ERROR };
    spk_failure failure;
    spark_status status = SPARK_OK;
    if (options && options->encoding)
        save.encoding = options->encoding;
    if (rdd && !rdd->error)
        status = spk_write_fits(rdd, true, &failure);
    if (status == SPARK_OK && rdd && !rdd->error)
        status = spk_json_fits(rdd->layout->type, &failure);
    if (status == SPARK_OK)
        status = spk_json_compile(&saver.json, options, &failure);
    if (status == SPARK_OK)
        status = spk_json_guard(&saver.json, &failure);
    status = status == SPARK_OK
        ? spk_write_parts(at, rdd, path, &saver.saver, &save)
        : spk_action_end(status, &failure, "write_json", at);
    spk_json_options_free(&saver.json);
    return status;
}
