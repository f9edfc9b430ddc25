/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a block as vectors. What lies in a block as it lies in memory is read in place. */
#include "sql/exec/columns.h"

void spk_column_decode_open(spk_column_decoder *d, const spk_block_head *head, uint32_t column)
{
    d->block = (const char *)head;
    d->column = &head->at[column];
    if (d->column->coding != SPK_CODING_CODES)
        return;
    const uint32_t *ends = (const uint32_t *)(const void *)(d->block + d->column->ends);
    uint32_t from = 0;
    for (uint32_t i = 0; i < d->column->entries; i++) {
        d->dictionary[i] = (spark_str) { d->block + d->column->bytes + from, ends[i] - from };
        from = ends[i];
    }
}

/* WIDEN: codes of type C as values of type T, of all rows or those that are chosen. */
#define WIDEN(C, T)                                                                                                   \
    do {                                                                                                              \
        const C *restrict const in_ = (const C *)(const void *)codes;                                                 \
        T *restrict const out_ = (T *)(void *)d->values;                                                              \
        const T base_ = (T)base;                                                                                      \
        if (rows.at)                                                                                                  \
            for (uint32_t k_ = 0; k_ < rows.n; k_++)                                                                  \
                out_[rows.at[k_]] = (T)(base_ + (T)in_[rows.at[k_]]);                                                 \
        else                                                                                                          \
            for (uint32_t k_ = 0; k_ < rows.n; k_++)                                                                  \
                out_[k_] = (T)(base_ + (T)in_[k_]);                                                                   \
    } while (0)

#define WIDEN_TO(T)                                                                                                   \
    do {                                                                                                              \
        if (width == 1)                                                                                               \
            WIDEN(uint8_t, T);                                                                                        \
        else if (width == 2)                                                                                          \
            WIDEN(uint16_t, T);                                                                                       \
        else if (width == 4)                                                                                          \
            WIDEN(uint32_t, T);                                                                                       \
        else                                                                                                          \
            WIDEN(uint64_t, T);                                                                                       \
    } while (0)

static void widen_wide(spk_column_decoder *d, const char *codes, uint8_t width, spk_sql_rows rows)
{
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        uint64_t code = 0;
        memcpy(&code, codes + (size_t)i * width, width);
        const int64_t x = (int64_t)(code + (uint64_t)d->column->base);
        const spk_sql_wide wide = { x < 0 ? -1 : 0, (uint64_t)x };
        memcpy(d->values + i * sizeof wide, &wide, sizeof wide);
    }
}

static void widen(spk_column_decoder *d, const char *codes, uint8_t width, uint64_t base, spk_sql_rows rows)
{
    switch (d->type->size) {
    case 1:
        WIDEN_TO(uint8_t);
        break;
    case 2:
        WIDEN_TO(uint16_t);
        break;
    case 4:
        WIDEN_TO(uint32_t);
        break;
    case 8:
        WIDEN_TO(uint64_t);
        break;
    default:
        widen_wide(d, codes, width, rows);
    }
}

/* numbers: of those rows; where codes take no room, one for all. */
static void numbers(spk_column_decoder *d, uint32_t from, spk_sql_rows rows, spk_sql_input *input)
{
    static const char none[8];
    const spk_block_column *c = d->column;
    const char *codes = c->width ? d->block + c->data + (size_t)from * c->width : none;
    const uint8_t width = c->width ? c->width : 1;
    input->ptr = codes;
    if (c->width == 0) {
        rows = (spk_sql_rows) { NULL, 1 };
        input->stride = 0;
    }
    if (width != d->type->size || c->base || c->width == 0) {
        widen(d, codes, width, (uint64_t)c->base, rows);
        input->ptr = d->values;
    }
}

static void words(spk_column_decoder *d, uint32_t from, spk_sql_rows rows)
{
    const uint8_t *codes = (const uint8_t *)d->block + d->column->data + from;
    spark_str *out = (spark_str *)(void *)d->values;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        out[i] = d->dictionary[codes[i]];
    }
}

static void texts(spk_column_decoder *d, uint32_t from, spk_sql_rows rows)
{
    const uint32_t *ends = (const uint32_t *)(const void *)(d->block + d->column->data);
    const char *bytes = d->block + d->column->bytes;
    spark_str *out = (spark_str *)(void *)d->values;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        const uint32_t start = from + i ? ends[from + i - 1] : 0;
        out[i] = (spark_str) { bytes + start, ends[from + i] - start };
    }
}

void spk_column_decode(spk_column_decoder *d, uint32_t from, uint32_t n, spk_sql_rows chosen, spk_sql_input *input)
{
    const spk_block_column *c = d->column;
    const spk_sql_rows rows = chosen.at && chosen.n * 2 < n ? chosen : (spk_sql_rows) { NULL, n };
    *input = (spk_sql_input) { .ptr = d->values, .stride = d->type->size, .valid_stride = 1, .mask = 255 };
    if (c->nulls)
        input->valid = (const uint8_t *)d->block + c->nulls + from;
    switch ((spk_coding)c->coding) {
    case SPK_CODING_NARROW:
        numbers(d, from, rows, input);
        break;
    case SPK_CODING_PLAIN:
        input->ptr = d->block + c->data + (size_t)from * c->width;
        input->stride = c->width;
        break;
    case SPK_CODING_CODES:
        words(d, from, rows);
        break;
    default:
        texts(d, from, rows);
    }
}

uint32_t spk_column_decode_codes(const spk_column_decoder *d, uint32_t most)
{
    const spk_block_column *c = d->column;
    if (c->coding == SPK_CODING_CODES)
        return c->entries;
    const uint64_t span = (uint64_t)c->most - (uint64_t)c->least;
    return c->coding == SPK_CODING_NARROW && c->width < 8 && span < most ? (uint32_t)span + 1 : 0;
}

void spk_column_decode_values(spk_column_decoder *d, uint32_t from, uint32_t n, spk_sql_input *input)
{
    uint16_t codes[SPK_SQL_BATCH];
    *input = (spk_sql_input) { .ptr = d->values, .stride = d->type->size, .valid_stride = 1, .mask = 255 };
    if (d->column->coding == SPK_CODING_CODES) {
        input->ptr = (const char *)(d->dictionary + from);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        codes[i] = (uint16_t)(from + i);
    const spk_block_column all = { .coding = SPK_CODING_NARROW, .width = 2, .base = d->column->base };
    spk_column_decoder other = { .type = d->type, .block = (const char *)codes, .column = &all, .values = d->values };
    spk_column_decode(&other, 0, n, (spk_sql_rows) { NULL, n }, input);
    if (input->ptr != d->values) /* codes that are the values: they do not stay */
        memcpy(d->values, codes, n * sizeof *codes);
    input->ptr = d->values;
}
