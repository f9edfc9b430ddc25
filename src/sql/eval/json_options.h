/* SPDX-License-Identifier: Apache-2.0 */
/* Options of functions on JSON and CSV: a constant map of texts. */
#ifndef SPK_SQL_EVAL_JSON_OPTIONS_H
#define SPK_SQL_EVAL_JSON_OPTIONS_H

#include "sql/eval/date_pattern.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

typedef struct spk_text_options {
    spark_str date, timestamp, time; /* patterns; empty: as CAST reads, and Spark writes them */
    bool failfast, keep_nulls;
    spark_str sep, null_value;
} spk_text_options;

/* spk_text_options_resolve: argument i, if there is one, becomes a constant; false: it is no map of
 * texts, or no constant. spk_text_options_of: what it says. */
bool spk_text_options_resolve(spk_sql_build *b, spk_sql_expr *call, uint32_t i);
spk_text_options spk_text_options_of(const spk_sql_expr *call, uint32_t i);

/* spk_schema_of: the type that argument i says: a constant text, "a INT, b STRING" or a type. NULL:
 * b->error. */
const spk_sql_type *spk_schema_of(spk_sql_build *b, spk_sql_expr *call, uint32_t i);

/* spk_text_to_value: a text as a value of an atomic type, by the options' patterns; to: of the type's
 * size. False: it is none. spk_value_to_text: the other way round, as Spark's generators write it. */
bool spk_text_to_value(spk_sql_frame *f, const spk_text_options *options, const spk_sql_type *type,
    spark_str text, void *to);
void spk_value_to_text(
    spk_sql_frame *f, const spk_text_options *options, const spk_sql_type *type, const void *value, spk_text *out);

/* spk_text_malformed: fails the run, in FAILFAST: a text is no row of the type; `row`: what is one of it, NULL: nothing.
 * spk_text_refused: the same, where the text itself says why. */
SPK_COLD void spk_text_malformed(spk_sql_frame *f, const spk_sql_type *type, const void *row);
SPK_COLD void spk_text_refused(spk_sql_frame *f, const char *condition, spark_str text);

/* spk_json_compact: the text of a JSON value without blanks; numbers with a point as Java prints
 * doubles. */
void spk_json_compact(spk_text *out, spark_str text);

#endif
