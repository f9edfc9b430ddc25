/* SPDX-License-Identifier: Apache-2.0 */
/* write_csv: a file of rows for each partition. */
#include <spark/csv.h>

#include "format/csv.h"
#include "rdd/action.h"
#include "rdd/write.h"

/* csv_saver: what the parts are written with; the saver of rdd/save.h is its first member. */
typedef struct csv_saver {
    spk_saver saver;
    spk_csv csv;
} csv_saver;

static const spk_csv *csv_of(const spk_save_state *s)
{
    return &((const csv_saver *)(const void *)s->saver)->csv;
}

static bool write_header(spk_save_state *s)
{
    const spk_csv *csv = csv_of(s);
    const spark_type *type = s->layout->type;
    if (!csv->header)
        return true;
    char *to = spk_save_room(s, spk_csv_header_room(csv, type));
    if (!to)
        return false;
    s->part.used += spk_csv_print_header(csv, type, to);
    return true;
}

static bool write_rows(void *state, spk_batch batch)
{
    spk_save_state *s = state;
    const spk_csv *csv = csv_of(s);
    const spark_type *type = s->layout->type;
    for (size_t i = 0; i < batch.n; i++) {
        const char *row = batch.rows + i * s->layout->size;
        char *to = spk_save_room(s, spk_csv_row_room(csv, type, row));
        if (!to)
            return false;
        s->part.used += spk_csv_print(csv, type, row, to);
    }
    return true;
}

spark_status spark_write_csv(
    spark_site at, spark_rdd *rdd, const char *path, const spark_csv_options *options)
{
    csv_saver saver = { .saver = {
        .name = "write_csv", .extension = ".csv", .start = write_header, .take = write_rows } };
    spark_save_options save = options ? options->save : (spark_save_options) { .mode = SPARK_SAVE_ERROR };
    spk_failure failure;
    spark_status status = SPARK_OK;
    if (options && options->encoding)
        save.encoding = options->encoding;
    if (rdd && !rdd->error)
        status = spk_write_fits(rdd, false, &failure);
    if (status == SPARK_OK && rdd && !rdd->error)
        status = spk_csv_fits(rdd->layout->type, &failure);
    if (status == SPARK_OK)
        status = spk_csv_compile(&saver.csv, options, true, &failure);
    status = status == SPARK_OK
        ? spk_write_parts(at, rdd, path, &saver.saver, &save)
        : spk_action_end(status, &failure, "write_csv", at);
    spk_csv_free(&saver.csv);
    return status;
}
