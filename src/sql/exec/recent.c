/* SPDX-License-Identifier: Apache-2.0 */
/* A direct-mapped cache of keys. */
#include "sql/exec/recent.h"

#include "base/hash.h"
#include "sql/exec/awaited.h"

enum { INLINE = 15 }; /* bytes of a text that fit two words, with its length */

static uint32_t words_of(const spk_sql_type *t)
{
    switch (t->kind) {
    case SPK_SQL_FLOAT: /* equal where their bits are not */
    case SPK_SQL_DOUBLE:
    case SPK_SQL_ARRAY:
    case SPK_SQL_MAP:
    case SPK_SQL_STRUCT:
    case SPK_SQL_VOID:
        return 0;
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        return 2;
    default:
        return t->size > 8 ? 2 : 1;
    }
}

bool spk_recent_init(spk_recent *r, spk_arena *keep, const spk_slot *columns, size_t n)
{
    *r = (spk_recent) { .n_words = 1, .columns = columns };
    bool good = n > 0 && n <= SPK_RECENT_COLUMNS;
    for (size_t i = 0; i < n && good; i++) {
        const uint32_t words = words_of(columns[i].type);
        r->n_words += words;
        good = words > 0 && r->n_words <= SPK_RECENT_WORDS;
    }
    if (!good)
        return true;
    r->n_columns = (uint32_t)n;
    r->words = spk_arena_alloc(keep, SPK_SQL_BATCH * r->n_words * sizeof *r->words, 64);
    r->fits = spk_arena_alloc(keep, SPK_SQL_BATCH, 64);
    r->kept = spk_arena_alloc(keep, SPK_RECENT * r->n_words * sizeof *r->kept, 64);
    r->groups = spk_arena_alloc(keep, SPK_RECENT * sizeof *r->groups, 64);
    r->places = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *r->places, 64);
    if (!r->words || !r->fits || !r->kept || !r->groups || !r->places)
        return false;
    spk_recent_clear(r);
    return true;
}

void spk_recent_clear(spk_recent *r)
{
    spk_recent_forget(r);
    r->asked = r->found = 0;
}

void spk_recent_forget(spk_recent *r)
{
    if (r->n_columns)
        memset(r->groups, 0xff, SPK_RECENT * sizeof *r->groups);
}

static void put_text(const spark_str *s, uint64_t *to, bool *fits)
{
    to[0] = to[1] = 0;
    if (s->len > INLINE) {
        *fits = false;
        return;
    }
    if (s->len == 1)
        to[0] = (uint8_t)s->ptr[0];
    else if (s->len)
        memcpy(to, s->ptr, s->len);
    to[1] |= (uint64_t)s->len << 56;
}

/* put_column: of the rows at positions from..n. */
static void put_column(spk_recent *r, const spk_slot *slot, uint32_t column, const spk_sql_vector *v, uint32_t word,
    spk_sql_rows rows, uint32_t from, uint32_t n)
{
    const uint32_t size = slot->type->size, step = r->n_words;
    const bool text = slot->type->kind == SPK_SQL_STRING || slot->type->kind == SPK_SQL_BINARY;
    for (uint32_t k = from; k < n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        uint64_t *to = r->words + (size_t)k * step + word;
        if (v->valid && !v->valid[i]) {
            r->words[(size_t)k * step] |= (uint64_t)1 << column;
            to[0] = 0;
            if (words_of(slot->type) > 1)
                to[1] = 0;
        } else if (text) {
            put_text(&SPK_SQL_VALUE(spark_str, v, i), to, &r->fits[k]);
        } else if (size == 8) {
            memcpy(to, v->ptr + i * v->stride, 8);
        } else if (size == 4) {
            uint32_t x;
            memcpy(&x, v->ptr + i * v->stride, 4);
            to[0] = x;
        } else {
            to[0] = 0;
            memcpy(to, v->ptr + i * v->stride, size);
        }
    }
}

static inline uint32_t place_of(const uint64_t *words, uint32_t n)
{
    uint64_t h = 0;
    for (uint32_t i = 0; i < n; i++)
        h = (h ^ words[i]) * UINT64_C(0x9fb21c651e98df25);
    return (uint32_t)(h >> 40) % SPK_RECENT;
}

static inline bool same(const uint64_t *a, const uint64_t *b, uint32_t n)
{
    uint64_t differ = 0;
    for (uint32_t i = 0; i < n; i++)
        differ |= a[i] ^ b[i];
    return !differ;
}

bool spk_recent_pays(const spk_recent *r)
{
    enum { TRIED = 8192 };
    return r->n_columns && (r->asked < TRIED || r->found > r->asked / 2);
}

uint32_t spk_recent_find(spk_recent *r, const spk_sql_vector *keys, spk_sql_rows rows, uint32_t from, uint32_t n,
    uint32_t *groups, uint16_t *missed)
{
    uint32_t n_missed = 0, word = 1;
    if (!spk_recent_pays(r)) {
        for (uint32_t i = from; i < n; i++) {
            groups[i] = SPK_GROUP_AWAITED | n_missed;
            missed[n_missed++] = (uint16_t)i;
        }
        return n_missed;
    }
    for (uint32_t i = from; i < n; i++) {
        r->words[(size_t)i * r->n_words] = 0;
        r->fits[i] = true;
    }
    for (uint32_t c = 0; c < r->n_columns; c++) {
        put_column(r, &r->columns[c], c, &keys[c], word, rows, from, n);
        word += words_of(r->columns[c].type);
    }
    for (uint32_t i = from; i < n; i++) {
        const uint64_t *words = r->words + (size_t)i * r->n_words;
        const uint32_t place = place_of(words, r->n_words);
        uint64_t *kept = r->kept + (size_t)place * r->n_words;
        groups[i] = r->groups[place];
        if (groups[i] != UINT32_MAX && r->fits[i] && same(words, kept, r->n_words))
            continue;
        groups[i] = SPK_GROUP_AWAITED | n_missed;
        if (r->fits[i]) {
            r->groups[place] = groups[i];
            for (uint32_t w = 0; w < r->n_words; w++)
                kept[w] = words[w];
        }
        r->places[n_missed] = place;
        missed[n_missed++] = (uint16_t)i;
    }
    r->asked += n - from;
    r->found += n - from - n_missed;
    r->awaits = true;
    return n_missed;
}

uint32_t spk_recent_settle(
    spk_recent *r, const uint32_t *found, uint32_t done, uint32_t n_missed, uint32_t *groups, uint32_t from, uint32_t n)
{
    for (uint32_t m = 0; m < n_missed && r->awaits; m++) {
        uint32_t *group = &r->groups[r->places[m]];
        if (*group == (SPK_GROUP_AWAITED | m))
            *group = m < done ? found[m] : UINT32_MAX;
    }
    r->awaits = false;
    return spk_groups_settle(groups, found, from, n);
}

/* neighbours: groups of rows that follow each other and have the same number as their only key; 0: it is another key,
 * or most rows have one of their own. */
static uint32_t neighbours(const spk_recent *r, const spk_sql_vector *key, spk_sql_rows rows, uint32_t from, uint32_t n,
    uint32_t *groups, uint16_t *missed)
{
    const uint32_t size = r->columns[0].type->size;
    uint64_t last = 0;
    uint32_t found = 0;
    if (r->n_columns != 1 || r->n_words != 2 || key->valid || (size != 8 && size != 4))
        return 0;
    for (uint32_t k = from; k < n; k++) {
        const char *at = key->ptr + spk_sql_row(rows, k) * key->stride;
        const uint64_t x = size == 8 ? spk_load64(at) : spk_load32(at);
        missed[found] = (uint16_t)k;
        found += x != last || k == from;
        groups[k] = found - 1;
        last = x;
    }
    return found <= (n - from) / 2 ? found : 0;
}

uint32_t spk_recent_alike(spk_recent *r, const spk_sql_vector *keys, spk_sql_rows rows, uint32_t from, uint32_t n,
    uint32_t *groups, uint16_t *missed)
{
    uint32_t found = neighbours(r, keys, rows, from, n, groups, missed);
    if (found) {
        r->asked += n - from;
        r->found += n - from - found;
        return found;
    }
    spk_recent_forget(r);
    found = spk_recent_find(r, keys, rows, from, n, groups, missed);
    for (uint32_t k = from; k < n; k++)
        groups[k] &= ~SPK_GROUP_AWAITED;
    spk_recent_forget(r); /* these are groups of nothing that comes later */
    r->awaits = false;
    return found;
}
