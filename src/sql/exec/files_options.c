/* SPDX-License-Identifier: Apache-2.0 */
/* Options are names of members of the readers' and writers' structs; those that are not known are
 * ignored, as in Spark. */
#include "base/small.h"

#include "sql/exec/files.h"

#include <stdlib.h>

#include "sql/exec/result.h"

typedef enum kind { BOOL, FLAG, TEXT, REAL, WHOLE, LONG, MODE, QUOTES } kind;

typedef struct known {
    const char *name;
    uint8_t kind;
    uint16_t at;
} known;

#define CSV(name, kind, member) { name, kind, offsetof(spark_csv_options, member) }
static const known csv_options[] = {
    CSV("header", BOOL, header),
    CSV("sep", TEXT, sep),
    CSV("delimiter", TEXT, sep),
    CSV("quote", TEXT, quote),
    CSV("escape", TEXT, escape),
    CSV("charToEscapeQuoteEscaping", TEXT, char_to_escape_quote_escaping),
    CSV("comment", TEXT, comment),
    CSV("nullValue", TEXT, null_value),
    CSV("emptyValue", TEXT, empty_value),
    CSV("nanValue", TEXT, nan_value),
    CSV("positiveInf", TEXT, positive_inf),
    CSV("negativeInf", TEXT, negative_inf),
    CSV("inferSchema", BOOL, infer_schema),
    CSV("samplingRatio", REAL, sampling_ratio),
    CSV("preferDate", FLAG, prefer_date),
    CSV("enforceSchema", FLAG, enforce_schema),
    CSV("multiLine", BOOL, multi_line),
    CSV("mode", MODE, mode),
    CSV("columnNameOfCorruptRecord", TEXT, column_name_of_corrupt_record),
    CSV("dateFormat", TEXT, date_format),
    CSV("timestampFormat", TEXT, timestamp_format),
    CSV("encoding", TEXT, encoding),
    CSV("charset", TEXT, encoding),
    CSV("maxColumns", WHOLE, max_columns),
    CSV("maxCharsPerColumn", LONG, max_chars_per_column),
    CSV("unescapedQuoteHandling", QUOTES, unescaped_quote_handling),
    CSV("ignoreLeadingWhiteSpace", FLAG, ignore_leading_white_space),
    CSV("ignoreTrailingWhiteSpace", FLAG, ignore_trailing_white_space),
    CSV("quoteAll", BOOL, quote_all),
    CSV("escapeQuotes", FLAG, escape_quotes),
    CSV("lineSep", TEXT, line_sep),
    CSV("basePath", TEXT, base_path),
    CSV("compression", TEXT, save.compression),
    CSV("codec", TEXT, save.compression),
    CSV("maxRecordsPerFile", LONG, save.max_records_per_file),
    { NULL, 0, 0 },
};

#define JSON(name, kind, member) { name, kind, offsetof(spark_json_options, member) }
static const known json_options[] = {
    JSON("mode", MODE, mode),
    JSON("columnNameOfCorruptRecord", TEXT, column_name_of_corrupt_record),
    JSON("dateFormat", TEXT, date_format),
    JSON("timestampFormat", TEXT, timestamp_format),
    JSON("multiLine", BOOL, multi_line),
    JSON("lineSep", TEXT, line_sep),
    JSON("encoding", TEXT, encoding),
    JSON("charset", TEXT, encoding),
    JSON("allowSingleQuotes", FLAG, allow_single_quotes),
    JSON("allowNonNumericNumbers", FLAG, allow_non_numeric_numbers),
    JSON("allowComments", BOOL, allow_comments),
    JSON("allowUnquotedFieldNames", BOOL, allow_unquoted_field_names),
    JSON("allowNumericLeadingZeros", BOOL, allow_numeric_leading_zeros),
    JSON("allowBackslashEscapingAnyCharacter", BOOL, allow_backslash_escaping_any_character),
    JSON("allowUnquotedControlChars", BOOL, allow_unquoted_control_chars),
    JSON("samplingRatio", REAL, sampling_ratio),
    JSON("primitivesAsString", BOOL, primitives_as_string),
    JSON("prefersDecimal", BOOL, prefers_decimal),
    JSON("inferTimestamp", BOOL, infer_timestamp),
    JSON("dropFieldIfAllNull", BOOL, drop_field_if_all_null),
    JSON("ignoreNullFields", FLAG, ignore_null_fields),
    JSON("compression", TEXT, save.compression),
    JSON("codec", TEXT, save.compression),
    JSON("maxRecordsPerFile", LONG, save.max_records_per_file),
    { NULL, 0, 0 },
};

static const known text_options[] = {
    { "compression", TEXT, offsetof(spark_save_options, compression) },
    { "codec", TEXT, offsetof(spark_save_options, compression) },
    { "maxRecordsPerFile", LONG, offsetof(spark_save_options, max_records_per_file) },
    { NULL, 0, 0 },
};

/* ---- values */

static int one_of(const char *value, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (spk_names_same(value, names[i]))
            return i;
    return -1;
}

/* number: all of the text. */
static bool number(const char *value, bool whole, double *out)
{
    char *end;
    *out = whole ? (double)strtoll(value, &end, 10) : strtod(value, &end);
    return *value && !*end;
}

/* put: a value into its member; false: it is none that the option can have. */
static bool put(const known *k, const char *value, char *options)
{
    static const char *const flags[] = { "false", "true" };
    static const char *const modes[] = { "PERMISSIVE", "DROPMALFORMED", "FAILFAST" };
    static const char *const quotes[]
        = { "STOP_AT_DELIMITER", "STOP_AT_CLOSING_QUOTE", "BACK_TO_DELIMITER", "SKIP_VALUE", "RAISE_ERROR" };
    void *to = options + k->at;
    double x = 0;
    int which = 0;
    switch ((kind)k->kind) {
    case BOOL:
    case FLAG:
        which = one_of(value, flags, 2);
        if (k->kind == BOOL)
            *(bool *)to = which == 1;
        else
            *(spark_flag *)to = which == 1 ? SPARK_ON : SPARK_OFF;
        return which >= 0;
    case TEXT:
        *(const char **)to = value;
        return true;
    case MODE:
        which = one_of(value, modes, 3);
        *(spark_read_mode *)to = (spark_read_mode)which;
        return which >= 0;
    case QUOTES:
        which = one_of(value, quotes, 5);
        *(spark_unescaped_quotes *)to = (spark_unescaped_quotes)which;
        return which >= 0;
    default:
        if (!number(value, k->kind != REAL, &x))
            return false;
        if (k->kind == REAL)
            *(double *)to = x;
        else if (k->kind == LONG)
            *(int64_t *)to = (int64_t)x;
        else
            *(int *)to = (int)x;
        return true;
    }
}

static bool apply(spk_query *q, const spk_ast_statement *s, const known *table, void *options)
{
    for (size_t i = 0; i < s->n_options; i++) {
        const known *k = table;
        while (k->name && !spk_names_same(k->name, s->options[i].key))
            k++;
        if (k->name && !put(k, s->options[i].value, options)) {
            spk_sql_fail2(
                &q->error, "INVALID_OPTION_VALUE", s->span, "option", k->name, "value", s->options[i].value);
            return false;
        }
    }
    return true;
}

const char *spk_files_option(const spk_ast_statement *s, const char *key)
{
    const char *value = NULL;
    for (size_t i = 0; i < s->n_options; i++)
        if (spk_names_same(s->options[i].key, key))
            value = s->options[i].value;
    return value;
}

bool spk_files_csv(spk_query *q, const spk_ast_statement *s, spark_csv_options *options)
{
    return apply(q, s, csv_options, options);
}

bool spk_files_json(spk_query *q, const spk_ast_statement *s, spark_json_options *options)
{
    return apply(q, s, json_options, options);
}

bool spk_files_text(spk_query *q, const spk_ast_statement *s, spark_save_options *options)
{
    return apply(q, s, text_options, options);
}
