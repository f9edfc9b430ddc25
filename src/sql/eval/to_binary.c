/* SPDX-License-Identifier: Apache-2.0 */
/* to_binary(text[, format]) and try_to_binary: bytes from hexadecimal digits, base 64 or UTF-8. */
#include "base/small.h"

#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

typedef enum form { HEX, UTF8, BASE64, NONE } form;

static bool same_name(spark_str s, const char *lower)
{
    size_t i = 0;
    for (; i < s.len && lower[i]; i++)
        if ((s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] | 0x20 : s.ptr[i]) != lower[i])
            return false;
    return i == s.len && !lower[i];
}

static form form_of(spark_str s)
{
    return same_name(s, "hex")                               ? HEX
        : same_name(s, "utf8") || same_name(s, "utf-8") ? UTF8
        : same_name(s, "base64")                             ? BASE64
                                                             : NONE;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                  ? c - '0'
        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                 : -1;
}

/* read_hex: a first digit alone is a byte of its own. */
static bool read_hex(spark_str s, char *out, size_t *n)
{
    size_t k = 0;
    *n = 0;
    if (s.len % 2 == 1) {
        const int x = hex_digit(s.ptr[k++]);
        out[(*n)++] = (char)x;
        if (x < 0)
            return false;
    }
    for (; k < s.len; k += 2) {
        const int high = hex_digit(s.ptr[k]), low = hex_digit(s.ptr[k + 1]);
        if (high < 0 || low < 0)
            return false;
        out[(*n)++] = (char)(high << 4 | low);
    }
    return true;
}

static int digit64(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A'
        : c >= 'a' && c <= 'z'  ? c - 'a' + 26
        : c >= '0' && c <= '9'  ? c - '0' + 52
        : c == '+'              ? 62
        : c == '/'              ? 63
                                : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* read_base64: blanks are passed over, but not among the '=' at the end, which may be left out. */
static bool read_base64(spark_str s, char *out, size_t *n)
{
    size_t count = 0, pad = 0;
    uint32_t x = 0;
    bool ended = false; /* a blank behind '=' */
    *n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (is_blank(s.ptr[i])) {
            ended = pad > 0;
            continue;
        }
        if (ended)
            return false;
        if (s.ptr[i] == '=') {
            pad++;
            continue;
        }
        const int digit = digit64(s.ptr[i]);
        if (digit < 0 || pad > 0)
            return false;
        x = x << 6 | (uint32_t)digit;
        if (count++ % 4 != 0)
            out[(*n)++] = (char)(x >> (6 - 2 * ((count - 1) % 4)));
    }
    return pad == 0 ? count % 4 != 1 : pad <= 2 && (count + pad) % 4 == 0;
}

static bool attempt(const spk_sql_frame *f)
{
    return f->expr->function->name[0] == 't' && f->expr->function->name[1] == 'r';
}

static void bad_text(spk_sql_frame *f, spark_str s, const char *format)
{
    spk_sql_error *e = spk_sql_raise(f, "CONVERSION_INVALID_INPUT");
    spk_sql_param_text(e, "str", s.ptr, s.len < 200 ? s.len : 200);
    spk_sql_param(e, "fmt", "'%s'", format);
    spk_sql_param(e, "targetType", "\"BINARY\"");
    spk_sql_param(e, "suggestion", "`try_to_binary`");
}

static void bad_format(spk_sql_frame *f, spark_str s)
{
    spk_sql_error *e = spk_sql_raise(f, "DATATYPE_MISMATCH.INVALID_ARG_VALUE");
    spk_sql_param(e, "inputName", "fmt");
    spk_sql_param(e, "requireType", "case-insensitive \"STRING\"");
    spk_sql_param(e, "validValues", "'hex', 'utf-8', 'utf8', or 'base64'");
    spk_sql_param_text(e, "inputValue", s.ptr, s.len < 200 ? s.len : 200);
}

static void to_binary(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = SPK_SQL_ARG(spark_str, f, 0, i);
        const form which = f->n_args > 1 ? form_of(SPK_SQL_ARG(spark_str, f, 1, i)) : HEX;
        char *out = which == UTF8 ? NULL : spk_sql_alloc(f, s.len + 1, 1);
        size_t n = s.len;
        bool good = which != NONE;
        if (!out && which != UTF8)
            return;
        if (which == HEX)
            good = read_hex(s, out, &n);
        else if (which == BASE64)
            good = read_base64(s, out, &n);
        SPK_SQL_OUT(spark_str, f, i) = which == UTF8 ? s : (spark_str) { out, n };
        f->out_valid[i] = good;
        if (good || attempt(f))
            continue;
        if (which == NONE)
            bad_format(f, SPK_SQL_ARG(spark_str, f, 1, i));
        else
            bad_text(f, s, which == HEX ? "HEX" : "BASE64");
        return;
    }
}

#define BINARY(name_)                                                                              \
    {                                                                                              \
        .name = name_, .signature = "ss:x", .least = 1, .most = 2, .kernel = to_binary,            \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }

const spk_sql_function spk_sql_binaries[] = { BINARY("to_binary"), BINARY("try_to_binary"), { 0 } };
