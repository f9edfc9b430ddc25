/* SPDX-License-Identifier: Apache-2.0 */
/* Rows become a block: column after column, in two passes over the rows: how wide, then what. */
#include "base/hash.h"
#include "sql/exec/columns.h"

static bool is_text(const spk_sql_type *t)
{
    return t->kind == SPK_SQL_STRING || t->kind == SPK_SQL_BINARY;
}

bool spk_column_is_whole(const spk_sql_type *t)
{
    switch (t->kind) {
    case SPK_SQL_BOOLEAN:
    case SPK_SQL_FLOAT:
    case SPK_SQL_DOUBLE:
    case SPK_SQL_VOID:
        return false;
    default:
        return !is_text(t);
    }
}

bool spk_columns_fit(const spk_form *form)
{
    for (size_t i = 0; i < form->n; i++)
        if (form->slots[i].type->kind >= SPK_SQL_ARRAY)
            return false;
    return true;
}

typedef struct encoder {
    const spk_form *form;
    const char *rows;
    size_t n, size;
    char *block;
    size_t at; /* where the next part of the block goes */
} encoder;

/* part: room for so many bytes, in words. */
static uint32_t part(encoder *e, size_t bytes)
{
    const size_t at = e->at;
    e->at += (bytes + 7) / 8 * 8;
    return (uint32_t)at;
}

static const char *value_of(const encoder *e, const spk_slot *slot, size_t i)
{
    const char *row = e->rows + i * e->size;
    return spk_slot_present(slot, row) ? row + slot->value : NULL;
}

static void put_nulls(encoder *e, const spk_slot *slot, spk_block_column *c)
{
    bool any = false;
    for (size_t i = 0; slot->nullable && i < e->n && !any; i++)
        any = !e->rows[i * e->size + slot->offset];
    if (!any)
        return;
    c->nulls = part(e, e->n);
    for (size_t i = 0; i < e->n; i++)
        e->block[c->nulls + i] = e->rows[i * e->size + slot->offset] != 0;
}

bool spk_column_whole(const spk_sql_type *t, const char *at, int64_t *x)
{
    switch (t->size) {
    case 1:
        *x = *(const int8_t *)at;
        return true;
    case 2: {
        int16_t v;
        memcpy(&v, at, sizeof v);
        *x = v;
        return true;
    }
    case 4: {
        int32_t v;
        memcpy(&v, at, sizeof v);
        *x = v;
        return true;
    }
    case 8:
        memcpy(x, at, sizeof *x);
        return true;
    default: {
        spk_sql_wide v;
        memcpy(&v, at, sizeof v);
        *x = (int64_t)v.low;
        return v.high == (*x < 0 ? -1 : 0);
    }
    }
}

/* range: of the values; false: they do not fit 64 bits. */
static bool range(const encoder *e, const spk_slot *slot, int64_t *least, int64_t *most)
{
    int64_t x;
    bool any = false;
    *least = *most = 0;
    for (size_t i = 0; i < e->n; i++) {
        const char *at = value_of(e, slot, i);
        if (!at)
            continue;
        if (!spk_column_whole(slot->type, at, &x))
            return false;
        *least = !any || x < *least ? x : *least;
        *most = !any || x > *most ? x : *most;
        any = true;
    }
    return true;
}

static void put_numbers(encoder *e, const spk_slot *slot, spk_block_column *c)
{
    const uint64_t span = (uint64_t)c->most - (uint64_t)c->least;
    c->coding = SPK_CODING_NARROW;
    c->width = span == 0 ? 0 : span <= UINT8_MAX ? 1 : span <= UINT16_MAX ? 2 : span <= UINT32_MAX ? 4 : 8;
    c->base = c->width < 8 ? c->least : 0;
    c->data = part(e, e->n * c->width);
    char *to = e->block + c->data;
    for (size_t i = 0; c->width && i < e->n; i++, to += c->width) {
        const char *at = value_of(e, slot, i);
        int64_t x = c->base;
        if (at)
            (void)spk_column_whole(slot->type, at, &x);
        const uint64_t code = (uint64_t)x - (uint64_t)c->base;
        memcpy(to, &code, c->width); /* the low bytes */
    }
}

static void put_plain(encoder *e, const spk_slot *slot, spk_block_column *c)
{
    const size_t width = slot->type->kind == SPK_SQL_VOID ? 0 : slot->type->size;
    c->coding = SPK_CODING_PLAIN;
    c->width = (uint8_t)width;
    c->data = part(e, e->n * width);
    for (size_t i = 0; i < e->n; i++) {
        const char *at = value_of(e, slot, i);
        char *to = e->block + c->data + i * width;
        if (at)
            memcpy(to, at, width);
        else
            memset(to, 0, width);
    }
}

/* ---- texts */

/* words: the texts of a column that occur, as far as they are few. */
typedef struct words {
    spark_str at[SPK_DICTIONARY];
    uint16_t places[1024]; /* + 1 */
    uint32_t n;
} words;

/* word_of: its number; SPK_DICTIONARY: there are too many. */
static uint32_t word_of(words *w, spark_str s)
{
    for (uint64_t i = spk_hash_bytes(s.ptr, s.len) >> 20;; i++) {
        uint16_t *place = &w->places[i % 1024];
        if (!*place) {
            if (w->n == SPK_DICTIONARY)
                return SPK_DICTIONARY;
            w->at[w->n++] = s;
            *place = (uint16_t)w->n;
            return w->n - 1;
        }
        const spark_str *have = &w->at[*place - 1];
        if (have->len == s.len && (s.len == 0 || memcmp(have->ptr, s.ptr, s.len) == 0))
            return *place - 1u;
    }
}

static spark_str text_of(const encoder *e, const spk_slot *slot, size_t i)
{
    spark_str s = { "", 0 };
    const char *at = value_of(e, slot, i);
    if (at)
        memcpy(&s, at, sizeof s);
    return s;
}

/* put_codes: false: too many words. */
static bool put_codes(encoder *e, const spk_slot *slot, spk_block_column *c)
{
    words w;
    size_t bytes = 0;
    const size_t start = e->at;
    memset(w.places, 0, sizeof w.places);
    w.n = 0;
    c->data = part(e, e->n);
    for (size_t i = 0; i < e->n; i++) {
        const uint32_t k = word_of(&w, text_of(e, slot, i));
        if (k == SPK_DICTIONARY) {
            e->at = start;
            return false;
        }
        e->block[c->data + i] = (char)(uint8_t)k;
    }
    c->coding = SPK_CODING_CODES;
    c->width = 1;
    c->entries = (uint16_t)w.n;
    c->ends = part(e, w.n * sizeof(uint32_t));
    for (uint32_t k = 0; k < w.n; k++)
        bytes += w.at[k].len;
    c->bytes = part(e, bytes);
    uint32_t end = 0;
    for (uint32_t k = 0; k < w.n; k++) {
        if (w.at[k].len)
            memcpy(e->block + c->bytes + end, w.at[k].ptr, w.at[k].len);
        end += (uint32_t)w.at[k].len;
        memcpy(e->block + c->ends + k * sizeof end, &end, sizeof end);
    }
    return true;
}

static void put_texts(encoder *e, const spk_slot *slot, spk_block_column *c)
{
    size_t bytes = 0;
    if (put_codes(e, slot, c))
        return;
    c->coding = SPK_CODING_TEXTS;
    c->data = part(e, e->n * sizeof(uint32_t));
    for (size_t i = 0; i < e->n; i++)
        bytes += text_of(e, slot, i).len;
    c->bytes = part(e, bytes);
    uint32_t end = 0;
    for (size_t i = 0; i < e->n; i++) {
        const spark_str s = text_of(e, slot, i);
        if (s.len)
            memcpy(e->block + c->bytes + end, s.ptr, s.len);
        end += (uint32_t)s.len;
        memcpy(e->block + c->data + i * sizeof end, &end, sizeof end);
    }
}

/* ---- */

size_t spk_block_room(const spk_form *form, const char *rows, size_t n)
{
    size_t bytes = sizeof(spk_block_head) + form->n * (sizeof(spk_block_column) + 64);
    for (size_t i = 0; i < form->n; i++) {
        const spk_slot *slot = &form->slots[i];
        bytes += n * (1 + (slot->type->size > 8 ? slot->type->size : 8)) + 64;
        if (!is_text(slot->type))
            continue;
        bytes += SPK_DICTIONARY * sizeof(uint32_t);
        for (size_t r = 0; r < n; r++) {
            const char *row = rows + r * form->layout->size;
            spark_str s = { NULL, 0 };
            if (spk_slot_present(slot, row))
                memcpy(&s, row + slot->value, sizeof s);
            bytes += s.len;
        }
    }
    return bytes;
}

size_t spk_block_encode(const spk_form *form, const char *rows, size_t n, uint64_t *block)
{
    encoder e = { .form = form, .rows = rows, .n = n, .size = form->layout->size, .block = (char *)block };
    spk_block_head *head = (spk_block_head *)(void *)block;
    (void)part(&e, sizeof *head + form->n * sizeof head->at[0]);
    memset(block, 0, e.at);
    head->rows = (uint32_t)n;
    head->columns = (uint32_t)form->n;
    for (size_t i = 0; i < form->n; i++) {
        const spk_slot *slot = &form->slots[i];
        spk_block_column *c = &head->at[i];
        put_nulls(&e, slot, c);
        if (is_text(slot->type))
            put_texts(&e, slot, c);
        else if (spk_column_is_whole(slot->type) && range(&e, slot, &c->least, &c->most))
            put_numbers(&e, slot, c);
        else
            put_plain(&e, slot, c);
    }
    return (e.at + 7) / 8;
}
