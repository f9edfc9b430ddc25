/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that ask whether bytes are UTF-8, and quote(). */
#include <string.h>

#include "format/json_scan.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

/* sign: how many bytes the sign at p has; 0: it is none. */
static size_t sign(const char *p, size_t left)
{
    return (unsigned char)*p < 0x80 ? 1 : spk_json_sign(p, left);
}

static bool is_valid(spark_str s)
{
    for (size_t i = 0, n; i < s.len; i += n)
        if ((n = sign(s.ptr + i, s.len - i)) == 0)
            return false;
    return true;
}

/* broken: how many bytes, which are no sign, become one U+FFFD: as much as could begin one. */
static size_t broken(const char *p, size_t left)
{
    const unsigned char first = (unsigned char)*p;
    const size_t want = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3
        : first >= 0xf0 && first < 0xf5              ? 4
                                                     : 1;
    size_t n = 1;
    while (n < want && n < left) {
        const unsigned char c = (unsigned char)p[n];
        const bool bad = n == 1
            && ((first == 0xe0 && c < 0xa0) || (first == 0xed && c > 0x9f) || (first == 0xf0 && c < 0x90)
                || (first == 0xf4 && c > 0x8f));
        if ((c & 0xc0) != 0x80 || bad)
            break;
        n++;
    }
    return n;
}

static void is_valid_utf8(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(bool, f, i) = is_valid(SPK_SQL_ARG(spark_str, f, 0, i));
}

static void make_valid_utf8(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = SPK_SQL_ARG(spark_str, f, 0, i);
        SPK_SQL_OUT(spark_str, f, i) = s;
        if (is_valid(s))
            continue;
        char *out = spk_sql_alloc(f, s.len * 3, 1);
        size_t m = 0;
        if (!out)
            return;
        for (size_t at = 0, n; at < s.len; at += n) {
            n = sign(s.ptr + at, s.len - at);
            if (n) {
                memcpy(out + m, s.ptr + at, n);
                m += n;
            } else {
                memcpy(out + m, "\xef\xbf\xbd", 3);
                m += 3;
                n = broken(s.ptr + at, s.len - at);
            }
        }
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out, m };
    }
}

static void validate_utf8(spk_sql_frame *f)
{
    static const char hex[] = "0123456789ABCDEF";
    const bool attempt = f->expr->function->name[0] == 't';
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = SPK_SQL_ARG(spark_str, f, 0, i);
        SPK_SQL_OUT(spark_str, f, i) = s;
        f->out_valid[i] = is_valid(s);
        if (!f->out_valid[i] && !attempt) {
            char text[200];
            size_t n = 0;
            for (size_t k = 0; k < s.len && n + 5 < sizeof text; k++) {
                const unsigned char c = (unsigned char)s.ptr[k];
                memcpy(text + n, "\\x", 2);
                text[n + 2] = hex[c >> 4];
                text[n + 3] = hex[c & 15];
                n += 4;
            }
            spk_sql_param(spk_sql_raise(f, "INVALID_UTF8_STRING"), "str", "%.*s", (int)n, text);
            return;
        }
    }
}

static void quote(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = SPK_SQL_ARG(spark_str, f, 0, i);
        char *out = spk_sql_alloc(f, 2 * s.len + 2, 1);
        size_t n = 0;
        if (!out)
            return;
        out[n++] = '\'';
        for (size_t k = 0; k < s.len; k++) {
            if (s.ptr[k] == '\'')
                out[n++] = '\\';
            out[n++] = s.ptr[k];
        }
        out[n++] = '\'';
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out, n };
    }
}

#define F(name_, signature_, kernel_, flags_)                                                      \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = 1, .most = 1, .kernel = kernel_,          \
        .flags = flags_                                                                            \
    }
const spk_sql_function spk_sql_utf8[] = { F("is_valid_utf8", "t:b", is_valid_utf8, 0),
    F("make_valid_utf8", "t:s", make_valid_utf8, 0), F("validate_utf8", "t:s", validate_utf8, 0),
    F("try_validate_utf8", "t:s", validate_utf8, SPK_SQL_GIVES_NULL), F("quote", "s:s", quote, 0), { 0 } };
