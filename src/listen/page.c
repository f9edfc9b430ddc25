/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/page.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/control.h"

void spk_page_put(spk_json_out *out, const char *markup)
{
    spk_json_bytes(out, markup, strlen(markup));
}

/* character: of the size that spk_json_character found. */
static void put_character(spk_json_out *out, const char *s, int size)
{
    const char c = *s;
    const char *const escaped = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : NULL;
    if (escaped)
        spk_page_put(out, escaped);
    else if (size == 1 && (c == '\t' || c == '\n' || c == '\r'))
        SPK_JSON(out, " ");
    else if (size < 0 || spk_control(s, (size_t)size))
        SPK_JSON(out, SPK_REPLACEMENT);
    else
        spk_json_bytes(out, s, (size_t)size);
}

void spk_page_text(spk_json_out *out, const char *text, size_t most)
{
    const size_t length = strnlen(text, most + 4);
    size_t i = 0;
    while (i < length && i < most) {
        const int size = spk_json_character((const unsigned char *)text + i, length - i);
        put_character(out, text + i, size);
        i += (size_t)(size > 0 ? size : -size);
    }
    if (i < length)
        SPK_JSON(out, "\xe2\x80\xa6");
}

void spk_page_format(spk_json_out *out, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    spk_page_put(out, text);
}

void spk_page_number(spk_json_out *out, double number)
{
    const bool negative = number < 0;
    const int64_t tenths = (int64_t)((negative ? -number : number) * 10 + 0.5);
    if (negative && tenths > 0)
        SPK_JSON(out, "-");
    spk_json_int(out, tenths / 10);
    if (tenths % 10 != 0) {
        SPK_JSON(out, ".");
        spk_json_int(out, tenths % 10);
    }
}

void spk_page_count(spk_json_out *out, int64_t count)
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%lld", (long long)count);
    for (int i = 0; i < n; i++) {
        spk_json_bytes(out, digits + i, 1);
        if (digits[i] != '-' && i + 1 < n && (n - 1 - i) % 3 == 0)
            SPK_JSON(out, ",");
    }
}

/* short_number: three digits of it, or all before the point. */
static void short_number(spk_json_out *out, double number)
{
    if (number < 10)
        spk_page_number(out, number);
    else
        spk_json_int(out, (int64_t)(number + 0.5));
}

void spk_page_time(spk_json_out *out, int64_t ns)
{
    const int64_t s = ns / 1000000000;
    if (ns < 999500) {
        short_number(out, (double)(ns < 0 ? 0 : ns) / 1e3);
        SPK_JSON(out, "\xc2\xa0\xc2\xb5s");
    } else if (ns < 999500000) {
        short_number(out, (double)ns / 1e6);
        SPK_JSON(out, "\xc2\xa0ms");
    } else if (s < 60) {
        spk_page_number(out, (double)ns / 1e9);
        SPK_JSON(out, "\xc2\xa0s");
    } else if (s < 3600) {
        spk_page_format(out, "%d\xc2\xa0min\xc2\xa0%d\xc2\xa0s", (int)(s / 60), (int)(s % 60));
    } else {
        spk_json_int(out, s / 3600);
        spk_page_format(out, "\xc2\xa0h\xc2\xa0%d\xc2\xa0min", (int)(s / 60 % 60));
    }
}

void spk_page_size(spk_json_out *out, uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double size = (double)bytes;
    int unit = 0;
    for (; size >= 1023.5 && unit < 6; unit++)
        size /= 1024;
    short_number(out, size);
    SPK_JSON(out, "\xc2\xa0");
    spk_page_put(out, units[unit]);
}

void spk_page_times(spk_json_out *out, double factor)
{
    if (factor > 1000) {
        spk_page_put(out, "over 1,000\xc3\x97");
        return;
    }
    short_number(out, factor);
    SPK_JSON(out, "\xc3\x97");
}

void spk_page_counted(spk_json_out *out, int64_t count, const char *one, const char *more)
{
    spk_page_count(out, count);
    SPK_JSON(out, " ");
    spk_page_put(out, count == 1 ? one : more);
}
