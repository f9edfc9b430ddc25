/* SPDX-License-Identifier: Apache-2.0 */
/* One probing loop, written once and compiled for each kind of key, with and without the addition
 * fused in: the constant arguments of an always-inlined function take the place of templates. Rows
 * stand in insertion order, so growing the directory never changes a result.
 *
 * Chosen keys (Crosby, Wallach: Denial of service via algorithmic complexity attacks): every step past
 * another key is taken off an allowance that grows with the elements looked for; where it ends, the
 * table is guarded: its directory goes by a hash with a secret of its own. */
#include "shuffle/table.h"

#include "base/hash.h"
#include "base/prefetch.h"
#include "type/leaf.h"

enum {
    DENSE_RANGE = 65536,
    DENSE_AT_LEAST = 256,
    FIRST_ROWS = 64,
    FIRST_BYTES = 64 * 1024,
    IN_CACHE = 16384,
    NEAR = 192 * 1024 /* bytes of rows */
};
#define BUCKET_MIX UINT64_C(0x9fb21c651e98df25)

typedef enum key_kind { KEY4, KEY8, KEY_STR, KEY_OPTIONAL_4, KEY_OPTIONAL_8, KEY_OPTIONAL_STR, KEY_ANY } key_kind;

static key_kind kind_of(const spk_layout *key)
{
    switch (key->key_class) {
    case SPK_KEY_4:
        return KEY4;
    case SPK_KEY_8:
        return KEY8;
    case SPK_KEY_STR:
        return KEY_STR;
    case SPK_KEY_OPTIONAL_4:
        return KEY_OPTIONAL_4;
    case SPK_KEY_OPTIONAL_8:
        return KEY_OPTIONAL_8;
    case SPK_KEY_OPTIONAL_STR:
        return KEY_OPTIONAL_STR;
    default:
        return KEY_ANY;
    }
}

/* text_at: where the text of such a key lies in it. */
static inline size_t text_at(const key_kind kind)
{
    return kind == KEY_STR ? 0 : spk_optional_offset(_Alignof(spark_str));
}

size_t spk_first_text(const spk_layout *key)
{
    for (uint32_t i = 0; i < key->n_views; i++) {
        const spk_leaf *leaf = &key->view_leaves[i];
        if (leaf->kind == SPARK_KIND_STR || leaf->kind == SPARK_KIND_BYTES)
            return leaf->offset;
        if (leaf->kind == SPARK_KIND_OPTIONAL && leaf->of->key_class == SPK_KEY_STR)
            return leaf->offset + text_at(KEY_OPTIONAL_STR);
    }
    return SIZE_MAX;
}

/* ---- memory */

static bool regrow(spk_heap *heap, void *slot, size_t *capacity, size_t used, size_t want)
{
    size_t got;
    void *old, *block = spk_heap_alloc(heap, want, &got);
    if (!block)
        return false;
    memcpy(&old, slot, sizeof old);
    if (used)
        memcpy(block, old, used);
    spk_heap_free(heap, old, *capacity);
    memcpy(slot, &block, sizeof block);
    *capacity = got;
    return true;
}

static bool grow_rows(spk_table *t, uint32_t want)
{
    if (!regrow(t->heap, &t->rows, &t->rows_capacity, t->n * t->row_size, want * t->row_size))
        return false;
    if (!spk_hash_is_cheap(t->key)
        && !regrow(t->heap, &t->hashes, &t->hashes_capacity, t->n * 8, (size_t)want * 8))
        return false;
    t->max_rows = want;
    return true;
}

static inline uint32_t bucket_of(uint64_t hash, unsigned shift)
{
    return (uint32_t)((hash * BUCKET_MIX) >> shift);
}

static inline uint32_t entry_of(uint64_t hash, uint32_t row, unsigned row_bits)
{
    return ((uint32_t)(hash >> 32) << row_bits) | (row + 1);
}

static void set_directory_size(spk_table *t, uint32_t size)
{
    unsigned bits = 0;
    while ((1u << bits) < size)
        bits++;
    t->directory_size = size;
    t->shift = 64 - bits;
    t->row_bits = bits; /* at most half of the entries are used, so row + 1 fits */
    t->dense = false;
}

/* settle: row `row` into the directory by `place`. False: that took more steps than are allowed. */
static inline bool settle(spk_table *t, uint64_t place, uint32_t row, uint64_t *allowance)
{
    uint32_t b = bucket_of(place, t->shift);
    for (; t->directory[b]; b = (b + 1) & (t->directory_size - 1))
        if ((*allowance)-- == 0)
            return false;
    t->directory[b] = entry_of(place, row, t->row_bits);
    return true;
}

static bool guard(spk_table *t);

/* settle_all: a piece at a time, whose places are computed side by side. False: as settle. */
static bool settle_all(spk_table *t)
{
    enum { SOME = 256 };
    uint64_t places[SOME], allowance = t->guarded ? UINT64_MAX : (uint64_t)t->n * SPK_STEPS_EACH + SPK_STEPS_FREE;
    for (uint32_t row = 0, n; row < t->n; row += n) {
        const char *rows = spk_table_row(t, row);
        const uint64_t *hashes = places;
        n = t->n - row < SOME ? t->n - row : SOME;
        if (t->guarded)
            spk_secret_hash_keys(t->key, rows, t->row_size, n, &t->secret, places);
        else if (t->hashes)
            hashes = t->hashes + row;
        else
            spk_hash_keys(t->key, rows, t->row_size, n, places);
        for (uint32_t i = 0; i < n; i++)
            spk_prefetch(&t->directory[bucket_of(hashes[i], t->shift)]);
        for (uint32_t i = 0; i < n; i++)
            if (!settle(t, hashes[i], row + i, &allowance))
                return false;
    }
    return true;
}

/* rehash: a directory of `size` entries with all rows in it. */
static bool rehash(spk_table *t, uint32_t size)
{
    if ((size_t)size * 4 > t->directory_capacity
        && !regrow(t->heap, &t->directory, &t->directory_capacity, 0, (size_t)size * 4))
        return false;
    memset(t->directory, 0, (size_t)size * 4);
    set_directory_size(t, size);
    return settle_all(t) || guard(t);
}

/* guard: places by a secret from here on. */
static bool guard(spk_table *t)
{
    t->guarded = true;
    t->secret = spk_secret_draw();
    return rehash(t, t->directory_size);
}

bool spk_table_init(spk_table *t, spk_heap *heap, const spk_layout *key, size_t row_size,
    size_t expected, bool borrow)
{
    uint32_t size = 256;
    *t = (spk_table) { .heap = heap, .key = key, .row_size = row_size, .borrow = borrow };
    t->may_be_dense = key->key_class == SPK_KEY_4 || key->key_class == SPK_KEY_8;
    t->allowance = SPK_STEPS_FREE;
    t->text = spk_first_text(key);
    spk_arena_init(&t->strings, heap);
    while (size < expected && size < (1u << 30))
        size *= 2;
    const size_t fit = FIRST_BYTES / row_size;
    if (rehash(t, size) && grow_rows(t, fit < 1 ? 1 : fit < FIRST_ROWS ? (uint32_t)fit : FIRST_ROWS))
        return true;
    spk_table_fini(t);
    return false;
}

void spk_table_fini(spk_table *t)
{
    spk_heap_free(t->heap, t->rows, t->rows_capacity);
    spk_heap_free(t->heap, t->hashes, t->hashes_capacity);
    spk_heap_free(t->heap, t->directory, t->directory_capacity);
    spk_arena_fini(&t->strings);
    t->rows = NULL;
    t->hashes = NULL;
    t->directory = NULL;
    t->rows_capacity = t->hashes_capacity = t->directory_capacity = 0;
}

/* Dense keys often take a small part of their directory, which is large: only that is cleared. */
void spk_table_clear(spk_table *t)
{
    if (!t->dense)
        memset(t->directory, 0, (size_t)t->directory_size * 4);
    else if (t->n > 0)
        memset(t->directory + t->first, 0, (size_t)(t->last - t->first + 1) * 4);
    t->first = UINT32_MAX;
    t->last = 0;
    t->n = 0;
    t->guarded = false; /* keys were seen anew, and so is the attack */
    t->allowance = SPK_STEPS_FREE;
    t->string_bytes = 0;
    spk_arena_reset(&t->strings);
}

/* pack: what a part of a row points to, into the table's memory; false: there is none. */
static bool pack(spk_table *t, const spk_layout *part, char *at)
{
    const size_t bytes = part ? spk_value_bytes(part, at) : 0;
    char *room = bytes ? spk_arena_alloc(&t->strings, bytes, 8) : NULL;
    if (room)
        spk_value_pack(part, at, room);
    return room || !bytes;
}

bool spk_table_compact(spk_table *t, uint32_t to, const spk_layout *views)
{
    spk_arena old = t->strings;
    bool done = true;
    spk_arena_init(&t->strings, t->heap);
    for (uint32_t row = 0; row < t->n && done; row++)
        done = pack(t, t->borrow ? NULL : t->key, spk_table_row(t, row)) && pack(t, views, spk_table_row(t, row) + to);
    spk_arena_fini(&old);
    t->n = done ? t->n : 0;
    return done;
}

/* ---- hashing */

void spk_hash_keys(const spk_layout *key, const char *keys, size_t step, size_t n, uint64_t *hashes)
{
    spk_values_hash(key, keys, step, n, hashes);
}

void spk_secret_hash_keys(const spk_layout *key, const char *keys, size_t step, size_t n,
    const spk_secret *secret, uint64_t *hashes)
{
    for (size_t i = 0; i < n; i++)
        hashes[i] = spk_value_secret_hash(key, keys + i * step, secret);
}

/* ---- finding */

static inline bool same_key(const spk_table *t, const key_kind kind, const char *row, const char *key)
{
    if (kind == KEY8)
        return spk_load64(row) == spk_load64(key);
    if (kind == KEY4)
        return spk_load32(row) == spk_load32(key);
    if (kind == KEY_STR || kind == KEY_OPTIONAL_STR) {
        const spark_str *a = (const spark_str *)(const void *)(row + text_at(kind));
        const spark_str *b = (const spark_str *)(const void *)(key + text_at(kind));
        if (kind == KEY_OPTIONAL_STR && !(*row && *key))
            return !*row && !*key;
        return a->len == b->len && spk_text_same(a->ptr, b->ptr, b->len);
    }
    if (kind == KEY_OPTIONAL_4 || kind == KEY_OPTIONAL_8)
        return spk_optional_same(row, key, kind == KEY_OPTIONAL_8);
    return spk_value_equal(t->key, row, key); /* the salt was the same: hashes seldom differ */
}

/* copy_views: what the new row points to, into the table's own memory. */
static bool copy_views(spk_table *t, const spk_layout *layout, char *value)
{
    const size_t bytes = spk_value_bytes(layout, value);
    if (bytes == 0)
        return true;
    char *room = spk_arena_alloc(&t->strings, bytes, 8);
    if (!room)
        return false;
    spk_value_pack(layout, value, room);
    t->string_bytes += bytes;
    return true;
}

static inline bool copy_key(spk_table *t, const key_kind kind, char *row, const char *key)
{
    if (kind == KEY8) {
        memcpy(row, key, 8);
        return true;
    }
    if (kind == KEY4) {
        memcpy(row, key, 4);
        return true;
    }
    if (kind == KEY_OPTIONAL_8) {
        memcpy(row, key, 16);
        return true;
    }
    memcpy(row, key, t->key->size);
    if (kind == KEY_OPTIONAL_STR && !*row)
        return true;
    if ((kind == KEY_STR || kind == KEY_OPTIONAL_STR) && !t->borrow) {
        spark_str *s = (spark_str *)(void *)(row + text_at(kind));
        char *room = spk_arena_alloc(&t->strings, s->len, 1);
        if (!room)
            return false;
        if (s->len)
            memcpy(room, s->ptr, s->len);
        s->ptr = room;
        t->string_bytes += s->len;
        return true;
    }
    return t->borrow || !t->key->views || copy_views(t, t->key, row);
}

/* add_row: a new row for the element. */
static inline bool add_row(spk_table *t, const key_kind kind, const char *element, uint64_t hash,
    const spk_value_move *move)
{
    char *row = spk_table_row(t, t->n);
    if (!copy_key(t, kind, row, element))
        return false;
    if (move->zero) {
        memcpy(row + move->to, move->zero, move->size);
    } else if (move->size == 8) {
        memcpy(row + move->to, element + move->from, 8);
    } else {
        memcpy(row + move->to, element + move->from, move->size);
    }
    if (move->views && !copy_views(t, move->views, row + move->to))
        return false;
    if (t->hashes)
        t->hashes[t->n] = hash;
    t->n++;
    return true;
}

/* make_room: for one more row. A small directory is kept three quarters empty, so that a collision,
 * which the processor cannot foresee, is rare; a large one half, to stay in the cache. */
static bool make_room(spk_table *t)
{
    if (t->n == t->max_rows && !grow_rows(t, t->max_rows * 2))
        return false;
    const uint32_t spread = t->n < IN_CACHE ? 4 : 2;
    return t->dense || (t->n + 1) * spread <= t->directory_size || rehash(t, t->directory_size * 2);
}

typedef struct request {
    const char *elements;
    size_t step, n;
    const uint64_t *hashes;
    const spk_value_move *move;
    uint32_t limit;
    uint64_t bytes_limit;
    spk_found *found;
} request;

/* insert: the element's row into the empty entry its probing came to; `place`: the hash it went by.
 * FULL: the limit says no. GUARDED: the table has become so, and there is another place to look. */
typedef enum insertion { INSERTED, FULL, GUARDED, NO_MEMORY } insertion;

static insertion insert(spk_table *t, const request *r, const char *element, uint64_t hash,
    uint64_t place, uint32_t b)
{
    if (t->n >= r->limit || t->string_bytes + (uint64_t)t->n * t->row_size >= r->bytes_limit)
        return FULL;
    const uint32_t size = t->directory_size;
    const bool guarded = t->guarded;
    if (!make_room(t))
        return NO_MEMORY;
    if (size != t->directory_size) {
        if (guarded != t->guarded)
            return GUARDED;
        b = bucket_of(place, t->shift);
        while (t->directory[b])
            b = (b + 1) & (t->directory_size - 1);
    }
    if (t->dense) {
        t->directory[b] = t->n + 1;
        t->first = b < t->first ? b : t->first;
        t->last = b > t->last ? b : t->last;
    } else {
        t->directory[b] = entry_of(place, t->n, t->row_bits);
    }
    const bool added = t->key->key_class == SPK_KEY_8 /* by far the most common */
        ? add_row(t, KEY8, element, hash, r->move)
        : add_row(t, kind_of(t->key), element, hash, r->move);
    return added ? INSERTED : NO_MEMORY;
}

/* sight: what probing looks at, in registers: inserting changes it. */
typedef struct sight {
    const uint32_t *directory;
    char *rows;
    size_t row_size;
    uint64_t base;
    uint32_t mask, row_mask;
    unsigned shift, row_bits;
} sight;

static inline sight look(const spk_table *t)
{
    const uint32_t row_mask = t->dense ? UINT32_MAX : (1u << t->row_bits) - 1;
    return (sight) { t->directory, t->rows, t->row_size, t->base, t->directory_size - 1, row_mask,
        t->shift, t->row_bits };
}

/* added: two values of 8 bytes. */
static inline uint64_t added(uint64_t sum, uint64_t value, const spk_summing summing)
{
    double a, b;
    if (summing == SPK_SUM_I64)
        return sum + value;
    memcpy(&a, &sum, sizeof a);
    memcpy(&b, &value, sizeof b);
    a += b;
    memcpy(&sum, &a, sizeof sum);
    return sum;
}

/* probe: the one loop, from element `i` on. Returns where it stopped: at the end, before a row
 * that has no room, before a key that is not dense, or before one that made the table guarded.
 * SIZE_MAX: no memory. */
static inline __attribute__((always_inline)) size_t probe(
    spk_table *t, const request *r, size_t i, const key_kind kind, const bool dense,
    const spk_summing sum)
{
    const size_t step = r->step, n = r->n;
    const uint32_t from = r->move->from, to = r->move->to;
    const uint64_t *const hashes = r->hashes;
    const char *element = r->elements + i * step;
    spk_found *const found = r->found;
    size_t n_hits = found->n_hits;
    uint64_t allowance = t->allowance;
    sight s = look(t);
    for (; i < n; i++, element += step) {
        const uint64_t hash = dense ? 0 : hashes[i];
        const uint64_t slot = (kind == KEY8          ? spk_load64(element)
                                      : kind == KEY4 ? spk_load32(element)
                                                     : 0)
            - s.base;
        if (dense && slot >= DENSE_RANGE)
            break;
        uint32_t b = dense ? (uint32_t)slot : bucket_of(hash, s.shift), entry, number;
        const uint32_t salt = dense ? 0 : (uint32_t)(hash >> 32) << s.row_bits;
        char *row = NULL;
        for (;; b = (b + 1) & s.mask) {
            entry = s.directory[b];
            if (entry == 0)
                break;
            number = (entry & s.row_mask) - 1;
            row = s.rows + number * s.row_size;
            if (dense
                || ((entry & ~s.row_mask) == salt && same_key(t, kind, row, element)))
                break;
            if (allowance-- == 0) {
                found->n_hits = n_hits;
                return guard(t) ? i : SIZE_MAX;
            }
        }
        if (entry == 0) {
            const insertion done = insert(t, r, element, hash, hash, b);
            if (done != INSERTED) {
                found->n_hits = n_hits;
                return done == NO_MEMORY ? SIZE_MAX : i;
            }
            s = look(t);
            if (!sum)
                found->rows[i] = t->n - 1;
        } else if (sum) {
            const uint64_t total = added(spk_load64(row + to), spk_load64(element + from), sum);
            memcpy(row + to, &total, 8);
        } else {
            found->rows[i] = number;
            found->hits[n_hits++] = (uint32_t)i;
        }
    }
    found->n_hits = n_hits;
    t->allowance = allowance;
    return i;
}

/* find_guarded: the same for one element of a guarded table, whatever its key: what is rare is
 * written once. */
static insertion find_guarded(spk_table *t, const request *r, size_t i, uint64_t place,
    const spk_summing sum)
{
    const char *element = r->elements + i * r->step;
    const key_kind kind = kind_of(t->key);
    const uint64_t hash = t->hashes ? r->hashes[i] : 0;
    const sight s = look(t);
    const uint32_t salt = (uint32_t)(place >> 32) << s.row_bits;
    for (uint32_t b = bucket_of(place, s.shift), entry;; b = (b + 1) & s.mask) {
        entry = s.directory[b];
        if (entry == 0) {
            const insertion done = insert(t, r, element, hash, place, b);
            if (done == INSERTED && !sum)
                r->found->rows[i] = t->n - 1;
            return done;
        }
        const uint32_t number = (entry & s.row_mask) - 1;
        char *row = s.rows + number * s.row_size;
        if ((entry & ~s.row_mask) != salt || !same_key(t, kind, row, element))
            continue;
        if (sum) {
            const uint64_t total = added(
                spk_load64(row + r->move->to), spk_load64(element + r->move->from), sum);
            memcpy(row + r->move->to, &total, 8);
        } else {
            r->found->rows[i] = number;
            r->found->hits[r->found->n_hits++] = (uint32_t)i;
        }
        return INSERTED;
    }
}

static size_t probe_guarded(spk_table *t, const request *r, size_t i, spk_summing sum)
{
    enum { SOME = 256 };
    uint64_t places[SOME];
    for (size_t from = i; i < r->n; from = i) {
        const size_t some = r->n - from < SOME ? r->n - from : SOME;
        spk_secret_hash_keys(
            t->key, r->elements + from * r->step, r->step, some, &t->secret, places);
        for (; i < from + some; i++) {
            const insertion done = find_guarded(t, r, i, places[i - from], sum);
            if (done != INSERTED)
                return done == FULL ? i : SIZE_MAX;
        }
    }
    return i;
}

/* ---- what probing will touch, for tables beyond the nearest caches: places, then rows, then texts, each a few
 * elements ahead of what needs it, so that it is there in time and not gone before it is used */

enum { FEW = 16 };

typedef enum fetching { PLACES, ROWS, TEXTS } fetching;

/* fetch: from element *at on, up to element `to` of n, *at becomes which. */
static __attribute__((noinline)) void fetch(
    const spk_table *t, const uint64_t *hashes, size_t *at, size_t to, size_t n, fetching what)
{
    const uint32_t mask = (1u << t->row_bits) - 1;
    for (to = to < n ? to : n; *at < to; ++*at) {
        const uint32_t *place = &t->directory[bucket_of(hashes[*at], t->shift)];
        if (what == PLACES) {
            spk_prefetch(place);
            continue;
        }
        const char *row = t->rows + (size_t)((*place & mask) - (*place != 0)) * t->row_size;
        if (what == TEXTS) {
            spk_prefetch(((const spark_str *)(const void *)(row + t->text))->ptr);
            continue;
        }
        spk_prefetch(row);
        spk_prefetch(row + t->row_size - 1);
    }
}

/* ---- dense keys */

static inline uint64_t key_at(const spk_table *t, const char *element)
{
    return t->key->key_class == SPK_KEY_8 ? spk_load64(element) : spk_load32(element);
}

/* try_dense: whether the first keys, those in the table and those to come, lie close together. Only
 * speed depends on the answer. */
static bool try_dense(spk_table *t, const request *r)
{
    uint64_t low = UINT64_MAX, high = 0;
    t->seen += (uint32_t)r->n;
    if (t->seen < DENSE_AT_LEAST)
        return true;
    t->may_be_dense = false;
    for (size_t i = 0; i < r->n + t->n; i++) {
        const uint64_t key = key_at(
            t, i < r->n ? r->elements + i * r->step : spk_table_row(t, (uint32_t)(i - r->n)));
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    if (high - low >= DENSE_RANGE)
        return true;
    const size_t bytes = (size_t)DENSE_RANGE * 4;
    if (bytes > t->directory_capacity
        && !regrow(t->heap, &t->directory, &t->directory_capacity, 0, bytes))
        return false;
    memset(t->directory, 0, bytes);
    t->directory_size = DENSE_RANGE;
    t->base = high < DENSE_RANGE ? 0 : low;
    t->dense = true;
    t->first = (uint32_t)(low - t->base);
    t->last = (uint32_t)(high - t->base);
    for (uint32_t row = 0; row < t->n; row++)
        t->directory[key_at(t, spk_table_row(t, row)) - t->base] = row + 1;
    return true;
}

/* undense: a directory by hash instead. */
static bool undense(spk_table *t)
{
    uint32_t size = 256;
    while (size < t->n * 2 + 2)
        size *= 2;
    t->base = 0;
    return rehash(t, size);
}

enum { PAIR = 16 };

static bool are_pairs(const spk_table *t, const request *r)
{
    return t->key->key_class == SPK_KEY_8 && t->row_size == PAIR && r->step == PAIR
        && r->move->from == 8 && r->move->to == 8;
}

/* add_dense_pairs: adds the pairs up to the first whose key has no row; returns its number. */
static size_t add_dense_pairs(const spk_table *t, const request *r)
{
    const uint32_t *const directory = t->directory;
    char *const rows = t->rows;
    const uint64_t base = t->base;
    const char *element = r->elements;
    size_t i = 0;
    for (; i < r->n; i++, element += PAIR) {
        const uint64_t slot = spk_load64(element) - base;
        const uint32_t entry = slot < DENSE_RANGE ? directory[slot] : 0;
        if (entry == 0)
            break;
        char *row = rows + (size_t)(entry - 1) * PAIR;
        const uint64_t total = spk_load64(row + 8) + spk_load64(element + 8);
        memcpy(row + 8, &total, 8);
    }
    return i;
}

static size_t run_dense(spk_table *t, const request *r, spk_summing sum)
{
    if (sum == SPK_SUM_I64 && are_pairs(t, r))
        return probe(t, r, add_dense_pairs(t, r), KEY8, true, SPK_SUM_I64);
    if (t->key->key_class == SPK_KEY_4)
        return sum ? probe(t, r, 0, KEY4, true, SPK_SUM_I64) : probe(t, r, 0, KEY4, true, SPK_NO_SUM);
    return sum == SPK_SUM_I64 ? probe(t, r, 0, KEY8, true, SPK_SUM_I64)
        : sum == SPK_SUM_F64  ? probe(t, r, 0, KEY8, true, SPK_SUM_F64)
                              : probe(t, r, 0, KEY8, true, SPK_NO_SUM);
}

static size_t probe_8(spk_table *t, const request *r, size_t i, spk_summing sum)
{
    return sum == SPK_SUM_I64 ? probe(t, r, i, KEY8, false, SPK_SUM_I64)
        : sum == SPK_SUM_F64  ? probe(t, r, i, KEY8, false, SPK_SUM_F64)
                              : probe(t, r, i, KEY8, false, SPK_NO_SUM);
}

static size_t probe_hashed(spk_table *t, const request *r, size_t i, spk_summing sum)
{
    switch (kind_of(t->key)) {
    case KEY8:
        return probe_8(t, r, i, sum);
    case KEY4:
        return sum ? probe(t, r, i, KEY4, false, SPK_SUM_I64) : probe(t, r, i, KEY4, false, SPK_NO_SUM);
    case KEY_STR:
        return sum ? probe(t, r, i, KEY_STR, false, SPK_SUM_I64)
                   : probe(t, r, i, KEY_STR, false, SPK_NO_SUM);
    case KEY_OPTIONAL_4:
        return sum ? probe(t, r, i, KEY_OPTIONAL_4, false, SPK_SUM_I64)
                   : probe(t, r, i, KEY_OPTIONAL_4, false, SPK_NO_SUM);
    case KEY_OPTIONAL_8:
        return sum ? probe(t, r, i, KEY_OPTIONAL_8, false, SPK_SUM_I64)
                   : probe(t, r, i, KEY_OPTIONAL_8, false, SPK_NO_SUM);
    case KEY_OPTIONAL_STR:
        return sum ? probe(t, r, i, KEY_OPTIONAL_STR, false, SPK_SUM_I64)
                   : probe(t, r, i, KEY_OPTIONAL_STR, false, SPK_NO_SUM);
    default:
        return sum ? probe(t, r, i, KEY_ANY, false, SPK_SUM_I64)
                   : probe(t, r, i, KEY_ANY, false, SPK_NO_SUM);
    }
}

/* ---- sums of pairs of 8-byte keys and numbers, by far the most common: by hash */

enum { PIECE = 256, PATIENCE = 32 };

/* foresee: the same as fetch, for a piece of pairs. */
static void foresee(const spk_table *t, const char *elements, size_t n)
{
    const uint32_t mask = (1u << t->row_bits) - 1;
    uint32_t at[PIECE];
    for (size_t i = 0; i < n; i++) {
        at[i] = bucket_of(spk_hash_u64(spk_load64(elements + i * PAIR)), t->shift);
        spk_prefetch(&t->directory[at[i]]);
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t entry = t->directory[at[i]];
        spk_prefetch(t->rows + (size_t)((entry & mask) - (entry != 0)) * PAIR);
    }
}

/* add_at_once: adds each pair whose key is in the row that the first place looked at names (the first
 * row, where it names none), without a branch that depends on it, since the processor cannot foresee
 * it. `late`: the others, in their order; returns how many they are. */
static inline __attribute__((always_inline)) size_t add_at_once(
    spk_table *t, const char *elements, size_t n, uint32_t *late, const spk_summing sum)
{
    const sight s = look(t);
    size_t n_late = 0;
    for (size_t i = 0; i < n; i++, elements += PAIR) {
        const uint64_t key = spk_load64(elements), value = spk_load64(elements + 8);
        const uint32_t entry = s.directory[bucket_of(spk_hash_u64(key), s.shift)];
        char *row = s.rows + (size_t)((entry & s.row_mask) - (entry != 0)) * PAIR;
        const bool here = spk_load64(row) == key;
        const uint64_t old = spk_load64(row + 8), mask = 0 - (uint64_t)here;
        const uint64_t total = (added(old, value, sum) & mask) | (old & ~mask);
        memcpy(row + 8, &total, 8);
        late[n_late] = (uint32_t)i;
        n_late += !here;
    }
    return n_late;
}

/* sum_pairs: piece by piece; those that are late are probed for afterwards, and rows that are new come in
 * their order. All elements of one key in a piece are added at once, or all are late, so that those of a
 * key are added in theirs. Returns where it stopped: where there is no
 * row yet, the limits might be met, or so many are late that this does not pay; SIZE_MAX: no memory. */
static size_t sum_pairs(spk_table *t, const request *r, spk_summing sum)
{
    char pairs[PIECE * PAIR];
    uint64_t hashes[PIECE];
    uint32_t late[PIECE];
    size_t i = 0, n;
    for (; i < r->n && t->n > 0 && !t->guarded && t->patient == 0; i += n) {
        const char *elements = r->elements + i * PAIR;
        n = r->n - i < PIECE ? r->n - i : PIECE;
        if (t->n + n > r->limit || t->string_bytes + (t->n + n) * PAIR > r->bytes_limit)
            break;
        if (t->n > IN_CACHE)
            foresee(t, elements, n);
        request rest = *r;
        rest.n = sum == SPK_SUM_I64 ? add_at_once(t, elements, n, late, SPK_SUM_I64)
                                    : add_at_once(t, elements, n, late, SPK_SUM_F64);
        for (size_t j = 0; j < rest.n; j++)
            memcpy(pairs + j * PAIR, elements + (size_t)late[j] * PAIR, PAIR);
        spk_hash_keys(t->key, pairs, PAIR, rest.n, hashes);
        rest.elements = pairs;
        rest.hashes = hashes;
        t->allowance += n * SPK_STEPS_EACH;
        t->patient = rest.n * 4 > n ? PATIENCE : 0;
        size_t done = probe_8(t, &rest, 0, sum);
        if (t->guarded && done < rest.n)
            done = probe_guarded(t, &rest, done, sum);
        if (done == SIZE_MAX)
            return SIZE_MAX;
    }
    return i;
}

/* probe_far: a few elements at a time; there are rows already. */
static size_t probe_far(spk_table *t, const request *r, size_t i, spk_summing sum)
{
    request some = *r;
    size_t place = i, row = i, text = t->text < SIZE_MAX ? i : r->n, done = i;
    for (some.n = i; done == some.n && done < r->n && !t->guarded;) {
        const size_t next = some.n + FEW < r->n ? some.n + FEW : r->n;
        fetch(t, r->hashes, &place, next + 3 * FEW, r->n, PLACES);
        fetch(t, r->hashes, &row, next + 2 * FEW, r->n, ROWS);
        fetch(t, r->hashes, &text, next + FEW, r->n, TEXTS);
        some.n = next;
        done = probe_hashed(t, &some, done, sum);
    }
    return done;
}

static size_t run_hashed(spk_table *t, request *r, size_t i, spk_summing sum)
{
    if (sum && i == 0 && are_pairs(t, r)) {
        t->patient -= t->patient > 0;
        i = sum_pairs(t, r, sum);
        if (i >= r->n) /* SIZE_MAX too */
            return i;
    }
    if (!r->hashes) {
        spk_hash_keys(t->key, r->elements, r->step, r->n, r->found->hashes);
        r->hashes = r->found->hashes;
    }
    if (!t->guarded) {
        t->allowance += (r->n - i) * SPK_STEPS_EACH;
        i = t->n * t->row_size > NEAR ? probe_far(t, r, i, sum) : probe_hashed(t, r, i, sum);
    }
    return t->guarded && i < r->n ? probe_guarded(t, r, i, sum) : i;
}

/* is_stray: whether dense probing stopped at this element because of its key. */
static bool is_stray(const spk_table *t, const request *r, size_t i)
{
    return i < r->n && key_at(t, r->elements + i * r->step) - t->base >= DENSE_RANGE;
}

static size_t table_run(spk_table *t, request *r, spk_summing sum)
{
    r->found->n_hits = 0;
    if (t->may_be_dense && !try_dense(t, r))
        return SIZE_MAX;
    size_t done = 0;
    if (t->dense) {
        done = run_dense(t, r, sum);
        if (done == SIZE_MAX || !is_stray(t, r, done))
            return done;
        if (!undense(t))
            return SIZE_MAX;
    }
    return run_hashed(t, r, done, sum);
}

size_t spk_table_find(spk_table *t, const char *elements, size_t step, size_t n,
    const uint64_t *hashes, const spk_value_move *move, uint32_t limit, uint64_t bytes_limit,
    spk_found *found)
{
    request r = { elements, step, n, hashes, move, limit, bytes_limit, found };
    return table_run(t, &r, SPK_NO_SUM);
}

size_t spk_table_sum(spk_table *t, spk_summing summing, const char *elements, size_t step, size_t n,
    const uint64_t *hashes, const spk_value_move *move, uint32_t limit, uint64_t bytes_limit,
    spk_found *found)
{
    request r = { elements, step, n, hashes, move, limit, bytes_limit, found };
    return table_run(t, &r, summing);
}

bool spk_found_open(spark_task *task, spk_found *found)
{
    const size_t n = spk_task_batch(task);
    char *at = spk_arena_alloc(spk_keep_of(task), n * 16, 16);
    if (!at) {
        spk_task_nomem(task);
        return false;
    }
    *found = (spk_found) { .hashes = (uint64_t *)(void *)at };
    found->rows = (uint32_t *)(void *)(at + n * 8);
    found->hits = found->rows + n;
    return true;
}
