/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a join by a table: of both sides, and looking those of the left side up. */
#include "base/prefetch.h"
#include "sql/exec/join_table.h"

/* ---- words */

static bool is_word(const spk_sql_type *t)
{
    switch (t->kind) {
    case SPK_SQL_FLOAT: /* equal where their bits are not */
    case SPK_SQL_DOUBLE:
    case SPK_SQL_VOID:
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
    case SPK_SQL_ARRAY:
    case SPK_SQL_MAP:
    case SPK_SQL_STRUCT:
        return false;
    default:
        return t->size <= 8;
    }
}

uint32_t spk_join_words(const spk_join *j)
{
    bool good = j->n_keys > 0 && j->n_keys <= SPK_KEY_WORDS;
    for (size_t i = 0; good && i < j->n_keys; i++)
        good = is_word(j->keys->slots[i].type) && !j->null_safe[i];
    return good ? (uint32_t)j->n_keys : 0;
}

#define PUT_WORDS(T)                                                                                                  \
    for (uint32_t k = 0; k < rows.n; k++)                                                                             \
    to[k * step] = (uint64_t)(int64_t)SPK_SQL_VALUE(T, v, spk_sql_row(rows, k))

static void put_words(const spk_sql_vector *v, uint32_t size, spk_sql_rows rows, uint32_t step, uint64_t *to)
{
    switch (size) {
    case 1:
        PUT_WORDS(int8_t);
        break;
    case 2:
        PUT_WORDS(int16_t);
        break;
    case 4:
        PUT_WORDS(int32_t);
        break;
    default:
        PUT_WORDS(int64_t);
    }
}

bool spk_join_keys_make(const spk_join *j, uint32_t n_words, spk_sql_run *run, const spk_sql_input *inputs,
    spk_sql_rows rows, uint32_t n, spk_arena *scratch, char *out, bool *usable)
{
    const size_t size = j->keys->layout->size;
    spk_sql_run_begin(run, inputs, n, 0, scratch);
    if (!n_words)
        memset(out, 0, rows.n * size);
    memset(usable, 1, rows.n);
    for (uint32_t k = 0; k < j->n_keys; k++) {
        const spk_slot *slot = &j->keys->slots[k];
        spk_sql_vector v;
        if (!spk_sql_run_eval(run, k, rows, &v))
            return false;
        for (uint32_t i = 0; v.valid && !j->null_safe[k] && i < rows.n; i++)
            usable[i] &= v.valid[spk_sql_row(rows, i)];
        if (n_words)
            put_words(&v, slot->type->size, rows, n_words, (uint64_t *)(void *)out + k);
        else
            for (uint32_t i = 0; i < rows.n; i++)
                spk_sql_store(slot->type, &v, spk_sql_row(rows, i), slot->nullable, out + i * size + slot->offset);
    }
    return true;
}

/* ---- looking for keys */

bool spk_join_keys_open(spk_join_keys *k, const spk_join_rdd *j, spk_arena *keep)
{
    const size_t words = SPK_KEY_WORDS * sizeof(uint64_t), size = j->join.keys->layout->size;
    k->inputs = spk_arena_alloc(keep, (j->join.left->n + 1) * sizeof *k->inputs, 16);
    k->keys = spk_arena_alloc(keep, SPK_SQL_BATCH * (size > words ? size : words), 64);
    k->run = spk_sql_run_new(j->join.left_keys, keep);
    return k->inputs && k->keys && k->run;
}

/* PLACE: of numbers of type T those that are in the range, and have a bit. */
#define PLACE(T)                                                                                                      \
    for (uint32_t k = 0; k < rows.n; k++) {                                                                           \
        const uint64_t x = (uint64_t)(int64_t)SPK_SQL_VALUE(T, v, spk_sql_row(rows, k)) - base;                       \
        const uint64_t at = x <= span ? x : span + 1; /* which has none */                                            \
        found[m] = (uint16_t)k;                                                                                       \
        places[m] = (uint32_t)at;                                                                                     \
        m += (uint32_t)(bits[at / 64] >> at % 64 & 1);                                                                \
    }

static uint32_t place(const spk_join_rdd *j, const spk_sql_vector *v, uint32_t size, spk_sql_rows rows,
    uint16_t *restrict found, uint32_t *restrict places)
{
    const uint64_t base = j->base, span = j->span, *restrict bits = j->bits;
    uint32_t m = 0;
    if (size == 8 && rows.at) /* and the same without: each loop is made for one of the two */
        PLACE(int64_t)
    else if (size == 8)
        PLACE(int64_t)
    else if (size == 4)
        PLACE(int32_t)
    else if (size == 2)
        PLACE(int16_t)
    else
        PLACE(int8_t)
    return m;
}

/* find_ranked: of keys a word of which is in a set of numbers. */
static bool find_ranked(spk_join_keys *k, const spk_join_rdd *j, spk_sql_rows rows, uint32_t n, spk_arena *scratch)
{
    spk_sql_vector v = { k->keys + j->word * sizeof(uint64_t), j->n_words * sizeof(uint64_t), NULL };
    uint32_t found, m = 0;
    if (j->exact) {
        spk_sql_run_begin(k->run, k->inputs, n, 0, scratch);
        if (!spk_sql_run_eval(k->run, 0, rows, &v))
            return false;
        found = place(j, &v, j->join.keys->slots[0].type->size, rows, k->found, k->places);
        for (uint32_t i = 0; (v.valid || j->join.null_aware) && i < rows.n; i++)
            k->usable[i] = spk_sql_valid(&v, spk_sql_row(rows, i));
    } else {
        if (!spk_join_keys_make(&j->join, j->n_words, k->run, k->inputs, rows, n, scratch, k->keys, k->usable))
            return false;
        found = place(j, &v, sizeof(uint64_t), (spk_sql_rows) { NULL, rows.n }, k->found, k->places);
    }
    if (!j->exact || v.valid) {
        for (uint32_t c = 0; c < found; c++) {
            const uint16_t position = k->found[c];
            k->found[m] = position;
            k->places[m] = k->places[c];
            m += k->usable[position];
        }
        found = m;
    }
    for (uint32_t c = 0; c < found; c++)
        k->heads[c] = j->ranks ? spk_join_rank(j, k->places[c]) : 0;
    for (uint32_t c = 0; j->heads && c < found; c++)
        k->heads[c] = j->heads[k->heads[c]];
    for (uint32_t c = 0; !j->heads && c < found; c++)
        k->heads[c]++;
    k->n_found = found;
    return true;
}

bool spk_join_keys_find(spk_join_keys *k, const spk_join_rdd *j, spk_sql_rows rows, uint32_t n, spk_arena *scratch)
{
    const uint64_t *words = (const uint64_t *)(const void *)k->keys;
    uint32_t m = 0;
    if (j->passes) {
        spk_join_bloom_find(k, j, rows.n);
        return true;
    }
    if (j->ranked)
        return find_ranked(k, j, rows, n, scratch);
    if (!spk_join_keys_make(&j->join, j->n_words, k->run, k->inputs, rows, n, scratch, k->keys, k->usable))
        return false;
    if (!j->n_words)
        spk_join_hash(j, k->keys, rows.n, k->hashes);
    if (j->filter_words) {
        spk_join_bloom_find(k, j, rows.n);
        return true;
    }
    for (uint32_t i = 0; i < rows.n; i++)
        k->places[i] = j->n_words ? spk_join_place_of_words(j, words + (size_t)i * j->n_words)
                                  : spk_join_place_of(j, k->hashes[i]);
    for (uint32_t i = 0; i < rows.n; i++) {
        const uint32_t at = k->places[i];
        k->found[m] = (uint16_t)i;
        k->places[m] = at;
        m += (uint32_t)(j->bits[at / 64] >> at % 64 & k->usable[i]);
    }
    for (uint32_t c = 0; c < m; c++)
        spk_prefetch(&j->heads[k->places[c] / SPK_PLACE_BITS]);
    for (uint32_t c = 0; c < m; c++)
        k->heads[c] = j->heads[k->places[c] / SPK_PLACE_BITS];
    k->n_found = m;
    return true;
}
