/* SPDX-License-Identifier: Apache-2.0 */
#include "base/small.h"

#include "sql/eval/text.h"

#include <string.h>

#include "type/number.h"

/* grow: room for n more bytes in the arena. */
static bool grow(spk_text *t, size_t n)
{
    size_t size = t->size > 0 ? 2 * t->size : 64;
    while (size - t->n < n)
        size *= 2;
    char *fresh = t->failed ? NULL : spk_arena_alloc(t->arena, size, 1);
    if (!fresh) {
        t->failed = true;
        return false;
    }
    if (t->n > 0)
        memcpy(fresh, t->at, t->n);
    t->at = fresh;
    t->size = size;
    return true;
}

void spk_text_bytes(spk_text *t, const char *p, size_t n)
{
    const size_t room = t->n < t->size ? t->size - t->n : 0;
    if (n == 0)
        return;
    if (n > room && t->arena && !grow(t, n))
        return;
    const size_t fits = t->arena || n <= room ? n : room;
    if (fits > 0)
        memcpy(t->at + t->n, p, fits);
    t->n += n;
}

void spk_text_put(spk_text *t, const char *p)
{
    spk_text_bytes(t, p, strlen(p));
}

void spk_text_number(spk_text *t, int64_t x)
{
    char digits[SPK_NUMBER_TEXT];
    spk_text_bytes(t, digits, spk_print_i64(x, digits));
}

void spk_text_digits_of(spk_text *t, uint64_t x, int width)
{
    char digits[SPK_NUMBER_TEXT];
    const int n = (int)spk_print_u64(x, digits);
    for (int i = n; i < width; i++)
        spk_text_char(t, '0');
    spk_text_bytes(t, digits, (size_t)n);
}

size_t spk_text_end(spk_text *t)
{
    const size_t n = t->n;
    if (t->arena) {
        spk_text_char(t, '\0');
        t->n = n;
    } else if (t->size > 0) {
        t->at[n < t->size ? n : t->size - 1] = '\0';
    }
    return n;
}
