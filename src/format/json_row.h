/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects as rows of a described type. */
#ifndef SPK_FORMAT_JSON_ROW_H
#define SPK_FORMAT_JSON_ROW_H

#include "format/csv.h"
#include "format/json.h"

/* spk_json_row: what became of a text. bad: it is malformed; lost: there is no row, because a value has no
 * place; at, why, type and field: the first thing that was wrong: the byte, text that says so, or NULL: a
 * value that is none of that type (null: that is null), and the innermost member. */
typedef struct spk_json_outcome {
    bool bad, lost, null, nomem;
    size_t at;
    const char *why;
    spark_str value;
    const spark_type *type;
    const spark_field *field;
} spk_json_outcome;

/* spk_json_fits: whether such rows can be read; SPARK_ETYPE names the member. */
spark_status spk_json_fits(const spark_type *type, spk_failure *failure);
/* spk_json_read: the text into a zeroed row; what strings need beyond the text, and lists, is in `texts`. csv
 * has the formats of dates and times, and the name of the member for malformed texts. */
void spk_json_read(const spk_csv *csv, const spark_type *type, spark_str text, char *row,
    spk_arena *texts, spk_json_outcome *outcome);

#endif
