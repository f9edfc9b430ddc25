/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of several columns become one number. */
#include "sql/exec/coded.h"

bool spk_coded_init(spk_coded *c, spk_arena *keep, const uint32_t *columns, size_t n)
{
    *c = (spk_coded) { .columns = columns };
    if (n == 0 || n > SPK_CODED_COLUMNS)
        return true;
    c->n_columns = n;
    c->groups = spk_arena_alloc(keep, SPK_CODES_MAX * sizeof *c->groups, 64);
    c->places = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *c->places, 64);
    return c->groups && c->places;
}

void spk_coded_clear(spk_coded *c)
{
    if (c->n_columns)
        memset(c->groups, 0xff, SPK_CODES_MAX * sizeof *c->groups);
}

/* begin: of another block: whether its codes are few enough. */
static void begin(spk_coded *c, const spk_vectors *scan)
{
    uint64_t all = 1;
    c->block = scan->block;
    for (size_t k = 0; k < c->n_columns && all; k++) {
        spk_scan_coded coded;
        c->sizes[k] = spk_scan_codes(scan, c->columns[k], &coded);
        if (c->sizes[k] && coded.valid)
            c->sizes[k]++;
        all *= c->sizes[k];
        if (all > SPK_CODES_MAX)
            all = 0;
    }
    c->fits = all > 0;
    if (c->fits)
        spk_coded_clear(c);
}

/* add_codes: of one column to the places of the batch's rows. */
static void add_codes(spk_coded *c, const spk_scan_coded *coded, uint32_t size, spk_sql_rows rows)
{
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        uint32_t code = 0;
        if (coded->width == 1)
            code = ((const uint8_t *)coded->codes)[i];
        else if (coded->width == 2)
            code = ((const uint16_t *)(const void *)coded->codes)[i];
        if (coded->valid && !coded->valid[i])
            code = size - 1;
        c->places[k] = c->places[k] * size + code;
    }
}

bool spk_coded_open(spk_coded *c, const spk_vectors *scan)
{
    if (!c->n_columns || !scan->block)
        return false;
    if (c->block != scan->block)
        begin(c, scan);
    if (!c->fits)
        return false;
    memset(c->places, 0, scan->rows.n * sizeof *c->places);
    for (size_t k = 0; k < c->n_columns; k++) {
        spk_scan_coded coded;
        (void)spk_scan_codes(scan, c->columns[k], &coded);
        add_codes(c, &coded, c->sizes[k], scan->rows);
    }
    return true;
}

uint32_t spk_coded_find(const spk_coded *c, uint32_t from, uint32_t n, uint32_t *groups, uint16_t *missed)
{
    uint32_t n_missed = 0;
    for (uint32_t k = from; k < n; k++) {
        groups[k] = c->groups[c->places[k]];
        missed[n_missed] = (uint16_t)k;
        n_missed += groups[k] == UINT32_MAX;
    }
    return n_missed;
}
