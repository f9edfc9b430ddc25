/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of several columns become one number. */
#include "sql/exec/coded.h"

#include "sql/exec/awaited.h"

bool spk_coded_init(spk_coded *c, spk_arena *keep, const uint32_t *columns, size_t n)
{
    *c = (spk_coded) { .keep = keep, .columns = columns };
    if (n == 0 || n > SPK_CODED_COLUMNS)
        return true;
    c->n_columns = n;
    c->places = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *c->places, 64);
    return c->places;
}

void spk_coded_clear(spk_coded *c)
{
    if (c->n)
        memset(c->groups, 0xff, c->n * sizeof *c->groups);
}

/* make_room: n places, none of which is known. False: there is no memory, and it goes without. */
static bool make_room(spk_coded *c, uint32_t n)
{
    if (n > c->room) {
        c->room = n <= SPK_CODES_MAX ? SPK_CODES_MAX : n <= SPK_CODED_PLACES ? SPK_CODED_PLACES : SPK_CODED_SPAN;
        c->groups = spk_arena_alloc(c->keep, c->room * sizeof *c->groups, 64);
    }
    c->n = c->groups ? n : 0;
    c->room = c->groups ? c->room : 0;
    spk_coded_clear(c);
    return c->groups;
}

/* span: of the numbers that are the only key: whether they have, or get, places for all blocks. Not before there were
 * rows for a quarter of these. */
static bool span(spk_coded *c, const spk_vectors *scan)
{
    enum { ALIGNED = 4096 };
    spk_scan_coded coded;
    const uint32_t n = spk_scan_codes(scan, c->columns[0], SPK_CODED_SPAN - ALIGNED - 1, &coded);
    if (!n || !coded.ordered)
        return false;
    const uint64_t above = (uint64_t)coded.least - (uint64_t)c->origin;
    if (c->lasts && coded.least >= c->origin && above < c->n && n < c->n - above)
        return true;
    const int64_t origin = coded.least - (coded.least & (ALIGNED - 1));
    const uint64_t up = (uint64_t)coded.least - (uint64_t)origin, all = up + n + ALIGNED;
    if (n <= SPK_CODES_MAX || c->rows < all / 4)
        return false;
    c->origin = origin;
    return make_room(c, all < SPK_CODED_SPAN ? (uint32_t)all : SPK_CODED_SPAN);
}

/* begin: of another block: whether its codes are few enough. */
static void begin(spk_coded *c, const spk_vectors *scan)
{
    uint64_t all = 1;
    c->block = scan->block;
    if (c->n_columns == 1 && span(c, scan)) {
        c->fits = c->lasts = true;
        c->sizes[0] = c->n;
        return;
    }
    c->lasts = false;
    for (size_t k = 0; k < c->n_columns && all; k++) {
        spk_scan_coded coded;
        c->sizes[k] = spk_scan_codes(scan, c->columns[k], SPK_CODED_PLACES, &coded);
        if (c->sizes[k] && coded.valid)
            c->sizes[k]++;
        all *= c->sizes[k];
        if (all > SPK_CODED_PLACES)
            all = 0;
    }
    c->fits = all > 0 && make_room(c, (uint32_t)all);
}

/* ADD_CODES: of one column to the places of the batch's rows. */
#define ADD_CODES(T)                                                                                                  \
    for (uint32_t k = 0; k < rows.n; k++) {                                                                           \
        const uint32_t i = spk_sql_row(rows, k);                                                                      \
        const uint32_t code = coded->codes ? ((const T *)(const void *)coded->codes)[i] + above : above;              \
        c->places[k] = c->places[k] * size + (coded->valid && !coded->valid[i] ? size - 1 : code);                    \
    }

static void add_codes(spk_coded *c, const spk_scan_coded *coded, uint32_t size, spk_sql_rows rows)
{
    const uint32_t above = c->lasts ? (uint32_t)((uint64_t)coded->least - (uint64_t)c->origin) : 0;
    if (coded->width <= 1)
        ADD_CODES(uint8_t)
    else if (coded->width == 2)
        ADD_CODES(uint16_t)
    else
        ADD_CODES(uint32_t)
}

bool spk_coded_open(spk_coded *c, const spk_vectors *scan)
{
    if (!c->n_columns || !scan->block)
        return false;
    if (c->block != scan->block)
        begin(c, scan);
    c->rows += scan->rows.n;
    if (!c->fits)
        return false;
    memset(c->places, 0, scan->rows.n * sizeof *c->places);
    for (size_t k = 0; k < c->n_columns; k++) {
        spk_scan_coded coded;
        (void)spk_scan_codes(scan, c->columns[k], SPK_CODED_SPAN, &coded);
        add_codes(c, &coded, c->sizes[k], scan->rows);
    }
    return true;
}

uint32_t spk_coded_find(spk_coded *c, uint32_t from, uint32_t n, uint32_t *groups, uint16_t *missed)
{
    uint32_t n_missed = 0;
    for (uint32_t k = from; k < n; k++) {
        uint32_t *group = &c->groups[c->places[k]];
        if (*group == UINT32_MAX) {
            *group = SPK_GROUP_AWAITED | n_missed;
            missed[n_missed++] = (uint16_t)k;
        }
        groups[k] = *group;
    }
    return n_missed;
}

uint32_t spk_coded_settle(spk_coded *c, const uint32_t *found, uint32_t done, const uint16_t *missed, uint32_t n_missed,
    uint32_t *groups, uint32_t from, uint32_t n)
{
    for (uint32_t m = 0; m < n_missed; m++)
        c->groups[c->places[missed[m]]] = m < done ? found[m] : UINT32_MAX;
    return spk_groups_settle(groups, found, from, n);
}
