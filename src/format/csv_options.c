/* SPDX-License-Identifier: Apache-2.0 */
/* Options of CSV, compiled: texts copied, characters as bytes, patterns as items. */
#include <stdlib.h>

#include "format/csv.h"

/* keep: the bytes of a text in the block of all texts. */
static spark_str keep(spk_csv *csv, size_t *used, const char *text, const char *otherwise)
{
    const char *from = text ? text : otherwise;
    char *to = csv->texts + *used;
    const size_t n = strlen(from);
    memcpy(to, from, n + 1);
    *used += n + SPK_CSV_SLACK; /* values are read eight bytes at a time */
    return (spark_str) { to, n };
}

static bool keep_texts(spk_csv *csv, const spark_csv_options *o, bool writing)
{
    const char *const all[] = { o->null_value, o->empty_value, o->nan_value, o->positive_inf,
        o->negative_inf, o->column_name_of_corrupt_record };
    size_t room = 0, used = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        room += (all[i] ? strlen(all[i]) : 16) + SPK_CSV_SLACK;
    csv->texts = calloc(1, room);
    if (!csv->texts)
        return false;
    csv->null_value = keep(csv, &used, o->null_value, "");
    const char quotes[] = { (char)csv->quote, (char)csv->quote, '\0' };
    csv->empty_value
        = keep(csv, &used, o->empty_value, !writing ? "" : csv->quote < 0 ? "\"\"" : quotes);
    csv->nan_value = keep(csv, &used, o->nan_value, "NaN");
    csv->positive_inf = keep(csv, &used, o->positive_inf, "Inf");
    csv->negative_inf = keep(csv, &used, o->negative_inf, "-Inf");
    csv->corrupt = keep(csv, &used, o->column_name_of_corrupt_record, "_corrupt_record");
    return true;
}

static spark_status refuse(spk_failure *failure, const char *option, const char *why)
{
    return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "option %s %s", option, why);
}

/* one_byte: an option that is one character, or none. */
static spark_status one_byte(
    int *byte, const char *option, const char *text, int otherwise, spk_failure *failure)
{
    *byte = otherwise;
    if (!text)
        return SPARK_OK;
    *byte = *text ? (unsigned char)*text : SPK_NO_BYTE;
    if (*text && (text[1] || (unsigned char)*text >= 0x80 || *text == '\n' || *text == '\r'))
        return refuse(failure, option, "must be one ASCII character, no line end, or \"\"");
    return SPARK_OK;
}

static spark_status set_bytes(spk_csv *csv, const spark_csv_options *o, spk_failure *failure)
{
    if (one_byte(&csv->quote, "quote", o->quote, '"', failure) != SPARK_OK
        || one_byte(&csv->escape, "escape", o->escape, '\\', failure) != SPARK_OK
        || one_byte(&csv->comment, "comment", o->comment, SPK_NO_BYTE, failure) != SPARK_OK
        || one_byte(&csv->escape_escape, "char_to_escape_quote_escaping",
               o->char_to_escape_quote_escaping,
               csv->escape == csv->quote ? SPK_NO_BYTE : csv->escape, failure)
            != SPARK_OK)
        return failure->code;
    const char *sep = o->sep ? o->sep : ",";
    csv->sep_n = strlen(sep);
    if (csv->sep_n < 1 || csv->sep_n > SPK_CSV_SEP || strpbrk(sep, "\r\n"))
        return refuse(failure, "sep", "must be one to eight bytes without a line end");
    memcpy(csv->sep, sep, csv->sep_n);
    if (csv->quote == (unsigned char)*sep || csv->comment == (unsigned char)*sep)
        return refuse(failure, "sep", "begins as quote or comment do");
    if (csv->comment != SPK_NO_BYTE && csv->comment == csv->quote)
        return refuse(failure, "comment", "is the quote");
    if (csv->escape == (unsigned char)*sep)
        return refuse(failure, "escape", "is what sep begins with");
    return SPARK_OK;
}

static spark_status set_line_sep(spk_csv *csv, const spark_csv_options *o, spk_failure *failure)
{
    if (!o->line_sep)
        return SPARK_OK;
    csv->line_sep_n = strlen(o->line_sep);
    if (csv->line_sep_n < 1 || csv->line_sep_n > 2)
        return refuse(failure, "line_sep", "must be one or two bytes");
    if (*o->line_sep == csv->sep[0] || csv->quote == (unsigned char)*o->line_sep)
        return refuse(failure, "line_sep", "begins as sep or quote do");
    memcpy(csv->line_sep, o->line_sep, csv->line_sep_n);
    return SPARK_OK;
}

static spark_status set_patterns(spk_csv *csv, const spark_csv_options *o, spk_failure *failure)
{
    csv->has_date = o->date_format != NULL;
    csv->has_time = o->timestamp_format != NULL;
    csv->plain_date = !o->date_format || strcmp(o->date_format, "yyyy-MM-dd") == 0;
    if (csv->has_date && spk_pattern_compile(&csv->date, o->date_format, failure) != SPARK_OK)
        return failure->code;
    if (csv->has_time && spk_pattern_compile(&csv->time, o->timestamp_format, failure) != SPARK_OK)
        return failure->code;
    return SPARK_OK;
}

/* set_encoding: ISO-8859-1 is converted cell by cell, so that files can be split. */
static spark_status set_encoding(spk_csv *csv, const char *name, spk_failure *failure)
{
    if (!name)
        return SPARK_OK;
    if (!spk_charset_named(name, &csv->charset))
        return refuse(failure, "encoding", "must be " SPK_CHARSETS);
    csv->latin1 = csv->charset == SPK_LATIN1;
    if (csv->latin1)
        csv->charset = SPK_UTF8;
    return SPARK_OK;
}

/* to_latin1: a text of the program as it stands in a file; one that cannot stand there stays. Its length. */
static size_t to_latin1(char *text, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] >= 0x80 && (((unsigned char)text[i] & 0xfe) != 0xc2 || ++i == n))
            return n;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];
        text[used++] = c < 0x80 ? (char)c : (char)(((c & 3) << 6) | ((unsigned char)text[++i] & 0x3f));
    }
    memset(text + used, 0, n - used);
    return used;
}

/* set_latin1: what is looked for in a file, or stands for something there, in its own bytes. */
static void set_latin1(spk_csv *csv)
{
    spark_str *const texts[]
        = { &csv->null_value, &csv->empty_value, &csv->nan_value, &csv->positive_inf, &csv->negative_inf };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        texts[i]->len = to_latin1(csv->texts + (texts[i]->ptr - csv->texts), texts[i]->len);
    csv->sep_n = to_latin1(csv->sep, csv->sep_n);
    csv->line_sep_n = to_latin1(csv->line_sep, csv->line_sep_n);
}

static bool choose(spark_flag flag, bool otherwise)
{
    return flag == SPARK_DEFAULT ? otherwise : flag > 0;
}

static spark_status set_numbers(spk_csv *csv, const spark_csv_options *o, spk_failure *failure)
{
    const struct {
        const char *name;
        spark_flag flag;
    } flags[] = { { "prefer_date", o->prefer_date }, { "enforce_schema", o->enforce_schema },
        { "ignore_leading_white_space", o->ignore_leading_white_space },
        { "ignore_trailing_white_space", o->ignore_trailing_white_space },
        { "escape_quotes", o->escape_quotes } };
    if (o->max_columns < 0)
        return refuse(failure, "max_columns", "is negative");
    if (o->min_partitions < 0)
        return refuse(failure, "min_partitions", "is negative");
    if (o->max_chars_per_column < -1)
        return refuse(failure, "max_chars_per_column", "is negative; -1: any");
    if (!(o->sampling_ratio >= 0 && o->sampling_ratio <= 1))
        return refuse(failure, "sampling_ratio", "must be more than 0 and at most 1");
    if ((unsigned)o->mode > SPARK_FAILFAST)
        return refuse(failure, "mode", "is none of those there are");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].flag < SPARK_OFF || flags[i].flag > SPARK_ON)
            return refuse(failure, flags[i].name, "must be SPARK_DEFAULT, SPARK_ON or SPARK_OFF");
    if ((unsigned)o->unescaped_quote_handling > SPARK_RAISE_ERROR)
        return refuse(failure, "unescaped_quote_handling", "is none of those there are");
    csv->max_columns = o->max_columns ? (size_t)o->max_columns : 20480;
    if (csv->max_columns > SPK_CSV_MOST_COLUMNS)
        csv->max_columns = SPK_CSV_MOST_COLUMNS;
    csv->max_chars = o->max_chars_per_column > 0 ? (size_t)o->max_chars_per_column : SIZE_MAX;
    csv->sampling = o->sampling_ratio > 0 ? o->sampling_ratio : 1;
    csv->min_partitions = o->min_partitions;
    return SPARK_OK;
}

static void set_flags(spk_csv *csv, const spark_csv_options *o, bool writing)
{
    csv->header = o->header;
    csv->infer = o->infer_schema;
    csv->prefer_date = choose(o->prefer_date, true);
    csv->multi_line = o->multi_line;
    csv->mode = o->mode;
    csv->unescaped = o->unescaped_quote_handling;
    csv->enforce = o->enforce_schema;
    csv->quote_all = o->quote_all;
    csv->escape_quotes = choose(o->escape_quotes, true);
    csv->trim_front = choose(o->ignore_leading_white_space, writing);
    csv->trim_back = choose(o->ignore_trailing_white_space, writing);
}

spark_status spk_csv_compile(
    spk_csv *csv, const spark_csv_options *options, bool writing, spk_failure *failure)
{
    static const spark_csv_options defaults = { .header = false };
    const spark_csv_options *o = options ? options : &defaults;
    *csv = (spk_csv) { .sep_n = 0 };
    if (set_bytes(csv, o, failure) != SPARK_OK || set_line_sep(csv, o, failure) != SPARK_OK
        || set_patterns(csv, o, failure) != SPARK_OK
        || set_encoding(csv, o->encoding, failure) != SPARK_OK
        || set_numbers(csv, o, failure) != SPARK_OK)
        return failure->code;
    set_flags(csv, o, writing);
    if (!keep_texts(csv, o, writing))
        return spk_failure_nomem(failure, NULL, NULL);
    if (csv->latin1 && !writing)
        set_latin1(csv);
    return SPARK_OK;
}

void spk_csv_free(spk_csv *csv)
{
    free(csv->texts);
    csv->texts = NULL;
}
