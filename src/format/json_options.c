/* SPDX-License-Identifier: Apache-2.0 */
/* Options of JSON, compiled. */
#include "format/json_reader.h"

static spark_status refuse(spk_failure *failure, const char *option, const char *why)
{
    return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "option %s %s", option, why);
}

static bool choose(spark_flag flag, bool otherwise)
{
    return flag == SPARK_DEFAULT ? otherwise : flag > 0;
}

static unsigned rules_of(const spark_json_options *o)
{
    const struct {
        bool on;
        unsigned rule;
    } all[] = { { o->allow_comments, SPK_JSON_COMMENTS },
        { o->allow_unquoted_field_names, SPK_JSON_BARE_NAMES },
        { choose(o->allow_single_quotes, true), SPK_JSON_SINGLE_QUOTES },
        { o->allow_numeric_leading_zeros, SPK_JSON_ZEROS },
        { choose(o->allow_non_numeric_numbers, true), SPK_JSON_NAN },
        { o->allow_backslash_escaping_any_character, SPK_JSON_ESCAPES },
        { o->allow_unquoted_control_chars, SPK_JSON_CONTROLS },
        { o->prefers_decimal, SPK_JSON_QUOTED_NUMBERS } };
    unsigned rules = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        rules |= all[i].on ? all[i].rule : 0;
    return rules;
}

static spark_status check_flags(const spark_json_options *o, spk_failure *failure)
{
    const struct {
        const char *name;
        spark_flag flag;
    } flags[] = { { "allow_single_quotes", o->allow_single_quotes },
        { "allow_non_numeric_numbers", o->allow_non_numeric_numbers },
        { "ignore_null_fields", o->ignore_null_fields } };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].flag < SPARK_OFF || flags[i].flag > SPARK_ON)
            return refuse(failure, flags[i].name, "must be SPARK_DEFAULT, SPARK_ON or SPARK_OFF");
    return SPARK_OK;
}

static spark_status set_encoding(spk_json *json, const char *name, spk_failure *failure)
{
    json->encoded = name != NULL;
    return !name || spk_charset_named(name, &json->charset)
        ? SPARK_OK
        : refuse(failure, "encoding", "must be " SPK_CHARSETS);
}

static bool is_line_end(const spk_json *json)
{
    return (json->line_sep_n == 1 && strchr("\n\r", json->line_sep[0]))
        || (json->line_sep_n == 2 && memcmp(json->line_sep, "\r\n", 2) == 0);
}

static spark_status set_line_sep(spk_json *json, const char *text, spk_failure *failure)
{
    if (!text)
        return SPARK_OK;
    json->line_sep_n = strlen(text);
    if (json->line_sep_n < 1 || json->line_sep_n > sizeof json->line_sep)
        return refuse(failure, "line_sep", "must be one to sixteen bytes");
    memcpy(json->line_sep, text, json->line_sep_n);
    json->whole |= !is_line_end(json);
    return SPARK_OK;
}

spark_status spk_json_guard(spk_json *json, spk_failure *failure)
{
    /* Neither outside of strings, nor in escapes, base 64, dates and times by default. */
    static const char guards[] = " !#$%&'()*;<>?@^_`|~\x7f";
    const unsigned char *p = (const unsigned char *)json->line_sep, *end = p + json->line_sep_n;
    bool safe = json->line_sep_n == 0;
    for (const unsigned char *q = p; q < end && !safe; q++)
        safe = *q < ' '; /* is always escaped */
    if (safe)
        return SPARK_OK;
    for (; p < end; p++)
        if (*p >= 0x80 || strchr(guards, *p)) {
            json->guard = *p >= 0x80 ? 0x80 : *p;
            return SPARK_OK;
        }
    return refuse(failure, "line_sep", "may be a part of an object; it must have a sign that JSON does not use");
}

spark_status spk_json_compile(spk_json *json, const spark_json_options *options, spk_failure *failure)
{
    static const spark_json_options defaults = { .min_partitions = 0 };
    const spark_json_options *o = options ? options : &defaults;
    const spark_csv_options formats = { .mode = o->mode,
        .column_name_of_corrupt_record = o->column_name_of_corrupt_record,
        .date_format = o->date_format,
        .timestamp_format = o->timestamp_format,
        .sampling_ratio = o->sampling_ratio,
        .min_partitions = o->min_partitions };
    *json = (spk_json) { .rules = rules_of(o),
        .multi_line = o->multi_line,
        .whole = o->multi_line,
        .primitives_as_string = o->primitives_as_string,
        .prefers_decimal = o->prefers_decimal,
        .infer_timestamp = o->infer_timestamp,
        .drop_all_null = o->drop_field_if_all_null,
        .ignore_null = choose(o->ignore_null_fields, true),
        .sampling = o->sampling_ratio > 0 ? o->sampling_ratio : 1,
        .min_partitions = o->min_partitions };
    if (check_flags(o, failure) != SPARK_OK || set_encoding(json, o->encoding, failure) != SPARK_OK
        || set_line_sep(json, o->line_sep, failure) != SPARK_OK)
        return failure->code;
    return spk_csv_compile(&json->formats, &formats, false, failure);
}

void spk_json_options_free(spk_json *json)
{
    spk_csv_free(&json->formats);
}
