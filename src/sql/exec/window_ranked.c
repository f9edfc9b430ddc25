/* SPDX-License-Identifier: Apache-2.0 */
/* Wide frames that slide, of aggregates that keep their values: lists, sets, percentiles, modes. The values of all rows
 * of the group stand side by side, so that a frame's are a stretch of them, and a list is that stretch. Of the others
 * each value has a rank among the distinct ones, and a tree over the ranks says how often values are in the frame:
 * sums of counts, for what stands at a place, or the largest of them, for the mode. A row that comes or goes, and a
 * result, is a way through the tree. A set is made of the places where its values stand first in the frame, in order.
 *
 * Only where the rows of the group are in memory: their values' bytes are not copied. */
#include "sql/eval/agg_list.h"
#include "sql/eval/sorting.h"
#include "sql/exec/window.h"

struct spk_window_ranked {
    const spk_sql_type *type, *key; /* of values; of what is ranked in their place */
    spk_agg_slide how;
    char *values;
    uint32_t *before;   /* of each row, and of the end: how many values stand before it */
    char *kinds;        /* distinct keys in their order */
    size_t n_kinds;
    uint32_t *ranks;    /* of each value */
    uint32_t *tree;     /* the children of i are 2 i and 2 i + 1; the counts of ranks are from `leaves` on */
    size_t leaves;
    uint32_t *next;     /* SET: where each value stands the next time, or 0; */
    uint32_t *firsts;   /* where values stand first in the frame, in order */
    size_t n_firsts;
    size_t from, to;    /* values that are in the tree */
};
typedef struct spk_window_ranked ranked;

/* spk_window_ranks: whether frames of that function may slide so. */
bool spk_window_ranks(const spk_window_group *g, const spk_window_call *c)
{
    return g->rows && g->n < UINT32_MAX / 4 && spk_agg_list_slides(c->f->aggregate) != SPK_AGG_SLIDES_NOT;
}

/* gather: false: there is no memory. Values stay as long as rows that point to them. */
static bool gather(const spk_window_group *g, const spk_window_call *c, ranked *r)
{
    const spk_slot *slot = &g->w->rows->slots[c->args[0]];
    const size_t size = r->type->size;
    uint32_t n = 0;
    r->values = spk_arena_alloc(&g->s->held[g->s->now], g->n * size + 1, 64);
    r->before = spk_arena_alloc(&g->s->group, (g->n + 1) * sizeof *r->before, 4);
    if (!r->values || !r->before)
        return false;
    for (size_t i = 0; i < g->n; i++) {
        const char *row = spk_window_row(g, i);
        r->before[i] = n;
        if (spk_window_counts(g, c, row) && spk_slot_present(slot, row))
            memcpy(r->values + n++ * size, row + slot->value, size);
    }
    r->before[g->n] = n;
    return true;
}

static size_t rank_of(const ranked *r, const char *key)
{
    const size_t size = r->key->size;
    size_t low = 0, high = r->n_kinds - 1;
    while (low < high) {
        const size_t at = (low + high) / 2;
        if (spk_sql_value_compare(r->key, r->kinds + at * size, key) < 0)
            low = at + 1;
        else
            high = at;
    }
    return low;
}

/* rank: numbers of 8 bytes at places are ranked as what sorts them elsewhere does, which tells zeros apart. */
static bool rank(const spk_window_group *g, ranked *r)
{
    spk_arena *arena = &g->s->group;
    const size_t n = r->before[g->n], size = r->type->size;
    char *keys = spk_arena_alloc(arena, n * size + 1, 64);
    r->kinds = spk_arena_alloc(arena, n * size + 1, 64);
    r->ranks = spk_arena_alloc(arena, (n + 1) * sizeof *r->ranks, 4);
    if (!keys || !r->kinds || !r->ranks)
        return false;
    memcpy(keys, r->values, n * size);
    if (r->how == SPK_AGG_SLIDES_PLACES && spk_sql_keys(r->type, keys, n))
        r->key = spk_sql_type_of(SPK_SQL_BIGINT);
    memcpy(r->kinds, keys, n * size);
    spk_sql_sort(r->key, r->kinds, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || spk_sql_value_compare(r->key, r->kinds + (i - 1) * size, r->kinds + i * size) != 0)
            r->n_kinds++;
    for (size_t i = 1, kept = 1; i < n && kept < r->n_kinds; i++)
        if (spk_sql_value_compare(r->key, r->kinds + (kept - 1) * size, r->kinds + i * size) != 0)
            memcpy(r->kinds + kept++ * size, r->kinds + i * size, size);
    for (size_t i = 0; i < n; i++)
        r->ranks[i] = (uint32_t)rank_of(r, keys + i * size);
    if (r->how >= SPK_AGG_SLIDES_MOST)
        spk_agg_list_plain(r->key, r->kinds, r->n_kinds);
    for (r->leaves = 1; r->leaves < r->n_kinds;)
        r->leaves *= 2;
    r->tree = spk_arena_alloc(arena, 2 * r->leaves * sizeof *r->tree, 4);
    return r->tree != NULL;
}

/* link: of sets: where each value stands the next time. */
static bool link(const spk_window_group *g, ranked *r)
{
    const size_t n = r->before[g->n];
    r->next = spk_arena_alloc(&g->s->group, (n + 1) * sizeof *r->next, 4);
    r->firsts = spk_arena_alloc(&g->s->group, (r->n_kinds + 1) * sizeof *r->firsts, 4);
    if (!r->next || !r->firsts)
        return false;
    for (size_t i = n; i-- > 0;) {
        uint32_t *seen = &r->tree[r->leaves + r->ranks[i]];
        r->next[i] = *seen;
        *seen = (uint32_t)i;
    }
    return true;
}

spk_window_ranked *spk_window_ranked_open(const spk_window_group *g, const spk_window_call *c)
{
    spk_arena *arenas[] = { &g->s->group, &g->s->held[g->s->now] };
    const spk_arena_mark marks[] = { spk_arena_note(arenas[0]), spk_arena_note(arenas[1]) };
    ranked *r = spk_arena_alloc(&g->s->group, sizeof *r, 16);
    if (r) {
        const spk_sql_type *type = c->f->aggregate->args[0]->type;
        *r = (ranked) { .type = type, .key = type, .how = spk_agg_list_slides(c->f->aggregate) };
    }
    bool made = r && gather(g, c, r) && (r->how == SPK_AGG_SLIDES_LIST || rank(g, r));
    if (made && r->tree) {
        memset(r->tree, 0, 2 * r->leaves * sizeof *r->tree);
        made = r->how != SPK_AGG_SLIDES_SET || link(g, r);
        memset(r->tree, 0, 2 * r->leaves * sizeof *r->tree);
    }
    for (int i = 0; i < 2 && !made; i++)
        spk_arena_rewind(arenas[i], marks[i]);
    return made ? r : NULL;
}

/* first_comes, first_goes: the value at i becomes part of the frame, or the frame's first one is left out. */
static void first_comes(ranked *r, size_t i)
{
    if (r->tree[r->leaves + r->ranks[i]]++ == 0)
        r->firsts[r->n_firsts++] = (uint32_t)i;
}

static void first_goes(ranked *r, size_t i)
{
    size_t k = 1;
    const uint32_t again = r->next[i];
    if (--r->tree[r->leaves + r->ranks[i]] > 0)
        for (; k < r->n_firsts && r->firsts[k] < again; k++)
            r->firsts[k - 1] = r->firsts[k];
    else
        memmove(r->firsts, r->firsts + 1, (r->n_firsts-- - 1) * sizeof *r->firsts);
    if (r->tree[r->leaves + r->ranks[i]] > 0)
        r->firsts[k - 1] = again;
}

static void count(ranked *r, size_t i, bool comes)
{
    const bool largest = r->how != SPK_AGG_SLIDES_PLACES;
    size_t at = r->leaves + r->ranks[i];
    r->tree[at] += comes ? 1u : UINT32_MAX;
    while ((at /= 2) > 0) {
        const uint32_t x = r->tree[2 * at], y = r->tree[2 * at + 1];
        r->tree[at] = !largest ? x + y : x > y ? x : y;
    }
}

static void move_to(ranked *r, size_t from, size_t to)
{
    const bool set = r->how == SPK_AGG_SLIDES_SET;
    for (; r->to < to; r->to++)
        if (set)
            first_comes(r, r->to);
        else
            count(r, r->to, true);
    for (; r->from < from; r->from++)
        if (set)
            first_goes(r, r->from);
        else
            count(r, r->from, false);
}

/* nth: the key at a place of the frame's values in their order. */
static const void *nth(const void *arg, size_t i)
{
    const ranked *r = arg;
    size_t at = 1;
    while (at < r->leaves) {
        at *= 2;
        if (i >= r->tree[at])
            i -= r->tree[at++];
    }
    return r->kinds + (at - r->leaves) * r->key->size;
}

/* most: of values that are there most often the first one, or the last one. */
static const char *most(const ranked *r)
{
    size_t at = 1;
    while (at < r->leaves) {
        const bool right = r->tree[2 * at + 1] == r->tree[1], left = r->tree[2 * at] == r->tree[1];
        at = 2 * at + (r->how == SPK_AGG_SLIDES_MOST ? !left : right);
    }
    return r->kinds + (at - r->leaves) * r->type->size;
}

/* spk_window_ranked_put: the value of row i, of the call's frame. */
bool spk_window_ranked_put(const spk_window_group *g, const spk_window_call *c, spk_window_ranked *r, size_t i)
{
    const size_t from = r->before[c->from], to = r->before[c->to > c->from ? c->to : c->from], size = r->type->size;
    _Alignas(16) char value[16];
    char *list;
    bool made = true;
    if (r->how == SPK_AGG_SLIDES_LIST) {
        const spk_sql_array stretch = { r->values + from * size, to - from };
        spk_window_put(g, c, i, &stretch, true);
        return true;
    }
    move_to(r, from, to);
    switch (r->how) {
    case SPK_AGG_SLIDES_SET:
        list = spk_arena_alloc(&g->s->work, r->n_firsts * size + 1, 16);
        for (size_t k = 0; list && k < r->n_firsts; k++)
            memcpy(list + k * size, r->values + r->firsts[k] * size, size);
        spk_window_put(g, c, i, &(spk_sql_array) { list, r->n_firsts }, true);
        made = list != NULL;
        break;
    case SPK_AGG_SLIDES_PLACES:
        made = from == to || spk_agg_list_places(c->f->aggregate, nth, r, to - from, value, &g->s->work);
        spk_window_put(g, c, i, value, from < to);
        break;
    default:
        spk_window_put(g, c, i, most(r), from < to);
    }
    if (!made)
        spk_task_nomem(g->task);
    return made;
}
