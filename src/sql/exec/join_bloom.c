/* SPDX-License-Identifier: Apache-2.0 */
/* A filter of the keys of a join's right side, which stands before the shuffle of the other side: what has none of
 * them is not shuffled. Keys that are one number have a bit for each number of their range, where that is small; all
 * others are in a split-block Bloom filter (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters,
 * 2007; Parquet's is one) whose block is a word of 64 bits: a key has one bit in each of four parts of one word, so
 * that looking it up is one load. Of 16 bits a key, one in a hundred of the others passes.
 *
 * Keys are collected on tapes, which go to disk where memory is short; so the filter is as large as they are many, and
 * where they turn out to be too many for it to leave out much, all pass. */
#include <stdlib.h>

#include "sql/exec/join_table.h"

enum { KEY_BITS = 16, RANGE_BITS = 24, LEAST_WORDS = 1024, MOST_WORDS = SPK_BLOOM_KEYS / 64 * KEY_BITS };

typedef struct filling {
    spk_join_rdd *j;
    spk_arena keep, scratch;
    spk_sql_run *run;
    spk_sql_input *inputs;
    char *keys; /* of a batch: words, or rows */
    bool usable[SPK_SQL_BATCH];
    uint64_t hashes[SPK_SQL_BATCH];
    int64_t least, most;
} filling;

/* block_of: the word of a hash; bits_of: its bits there. */
static inline uint64_t block_of(uint64_t hash, uint64_t words)
{
    return (hash >> 32) * words >> 32;
}

static inline uint64_t bits_of(uint64_t hash)
{
    return (uint64_t)1 << (hash & 15) | (uint64_t)1 << (16 + (hash >> 4 & 15)) | (uint64_t)1 << (32 + (hash >> 8 & 15))
        | (uint64_t)1 << (48 + (hash >> 12 & 15));
}

/* hash_keys: of n keys side by side. */
static void hash_keys(const spk_join_rdd *j, const char *keys, uint32_t n, uint64_t *hashes)
{
    const uint64_t *words = (const uint64_t *)(const void *)keys;
    if (!j->n_words)
        spk_join_hash(j, keys, n, hashes);
    for (uint32_t i = 0; j->n_words == 1 && i < n; i++)
        hashes[i] = spk_hash_u64(words[i]);
    for (uint32_t i = 0; j->n_words == 2 && i < n; i++)
        hashes[i] = spk_hash_u64(spk_hash_u64(words[2 * (size_t)i]) ^ words[2 * (size_t)i + 1]);
}

void spk_join_bloom_find(spk_join_keys *k, const spk_join_rdd *j, uint32_t n)
{
    const uint64_t *bits = j->bits, words = j->filter_words;
    uint32_t m = 0;
    k->n_found = n;
    for (uint32_t i = 0; j->passes && i < n; i++) {
        k->found[i] = (uint16_t)i;
        k->heads[i] = 1;
    }
    if (j->passes)
        return;
    hash_keys(j, k->keys, n, k->hashes);
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t hash = k->hashes[i], wanted = bits_of(hash);
        k->found[m] = (uint16_t)i;
        k->heads[m] = 1;
        m += (bits[block_of(hash, words)] & wanted) == wanted && k->usable[i];
    }
    k->n_found = m;
}

/* ---- filling it */

static void widen(filling *f, uint32_t n)
{
    const int64_t *words = (const int64_t *)(const void *)f->keys;
    for (uint32_t i = 0; i < n; i++) {
        f->least = f->usable[i] && words[i] < f->least ? words[i] : f->least;
        f->most = f->usable[i] && words[i] > f->most ? words[i] : f->most;
    }
}

static void set_bits(filling *f, uint32_t n)
{
    const spk_join_rdd *j = f->j;
    const uint64_t *words = (const uint64_t *)(const void *)f->keys;
    if (j->filter_words)
        hash_keys(j, f->keys, n, f->hashes);
    for (uint32_t i = 0; i < n; i++)
        if (f->usable[i] && j->filter_words)
            j->bits[block_of(f->hashes[i], j->filter_words)] |= bits_of(f->hashes[i]);
        else if (f->usable[i])
            j->bits[(words[i] - j->base) / 64] |= (uint64_t)1 << (words[i] - j->base) % 64;
}

/* each: of all keys that were collected, a batch after the other. */
static spark_status each(filling *f, const spk_tape *tape, void (*take)(filling *f, uint32_t n), spk_failure *failure)
{
    const spk_join *join = &f->j->join;
    spk_tape_reader reader = spk_tape_read(tape);
    const char *rows;
    size_t some = 0;
    spark_status status;
    while ((status = spk_tape_next(&reader, &rows, &some, failure)) == SPARK_OK && some)
        for (size_t i = 0; i < some && status == SPARK_OK; i += SPK_SQL_BATCH) {
            const uint32_t n = (uint32_t)(some - i < SPK_SQL_BATCH ? some - i : SPK_SQL_BATCH);
            spk_arena_reset(&f->scratch);
            spk_form_inputs(join->right, rows + i * join->right->layout->size, f->inputs);
            if (!spk_join_keys_make(join, f->j->n_words, f->run, f->inputs, (spk_sql_rows) { NULL, n }, n, &f->scratch,
                    f->keys, f->usable)) {
                join->query->error = *spk_sql_run_error(f->run);
                status = spk_query_fails(join->query, failure);
            } else {
                take(f, n);
            }
        }
    spk_tape_reader_fini(&reader);
    return status;
}

static spark_status each_of(
    filling *f, const spk_tape *tapes, int n_tapes, void (*take)(filling *f, uint32_t n), spk_failure *failure)
{
    spark_status status = SPARK_OK;
    for (int i = 0; i < n_tapes && status == SPARK_OK; i++)
        status = each(f, &tapes[i], take, failure);
    return status;
}

/* make_bits: how many there are, and what for. False: no memory. */
static bool make_bits(filling *f, uint64_t n, spk_failure *failure)
{
    spk_join_rdd *j = f->j;
    const uint64_t span = (uint64_t)f->most - (uint64_t)f->least;
    uint64_t words = n < SPK_BLOOM_KEYS ? n * KEY_BITS / 64 : MOST_WORDS;
    words = words > LEAST_WORDS ? words : LEAST_WORDS;
    j->ranked = f->least <= f->most && span / 64 < words * RANGE_BITS / KEY_BITS;
    if (j->ranked) {
        j->base = (uint64_t)f->least;
        j->span = span;
        words = (span + 1) / 64 + 1;
    }
    j->filter_words = j->ranked ? 0 : words;
    j->bits = spk_join_table_block(j, SPK_BITS, words * sizeof *j->bits, failure);
    if (j->bits)
        memset(j->bits, 0, words * sizeof *j->bits);
    return j->bits != NULL;
}

static spark_status fill(filling *f, const spk_tape *tapes, int n_tapes, spk_failure *failure)
{
    spk_join_rdd *j = f->j;
    const size_t size = j->join.keys->layout->size, words = SPK_KEY_WORDS * sizeof(uint64_t);
    spark_status status = SPARK_OK;
    uint64_t n = 0;
    for (int i = 0; i < n_tapes; i++)
        n += tapes[i].n;
    j->exact = true; /* nothing else is compared */
    j->passes = n > j->join.most_keys;
    if (j->passes)
        return SPARK_OK;
    f->keys = spk_arena_alloc(&f->keep, SPK_SQL_BATCH * (size > words ? size : words), 64);
    f->inputs = spk_arena_alloc(&f->keep, (j->join.right->n + 1) * sizeof *f->inputs, 16);
    f->run = spk_sql_run_new(j->join.right_keys, &f->keep);
    if (!f->keys || !f->inputs || !f->run)
        return spk_failure_nomem(failure, NULL, NULL);
    if (j->n_words == 1)
        status = each_of(f, tapes, n_tapes, widen, failure);
    if (status == SPARK_OK && !make_bits(f, n, failure))
        status = SPARK_ENOMEM;
    return status == SPARK_OK ? each_of(f, tapes, n_tapes, set_bits, failure) : status;
}

spark_status spk_join_bloom_fill(spk_join_rdd *j, const spk_tape *tapes, int n_tapes, spk_failure *failure)
{
    filling *f = malloc(sizeof *f);
    if (!f)
        return spk_failure_nomem(failure, NULL, NULL);
    *f = (filling) { .j = j, .least = INT64_MAX, .most = INT64_MIN };
    spk_arena_init(&f->keep, &j->rdd.sc->heap);
    spk_arena_init(&f->scratch, &j->rdd.sc->heap);
    j->n_words = spk_join_words(&j->join);
    const spark_status status = fill(f, tapes, n_tapes, failure);
    spk_arena_fini(&f->keep);
    spk_arena_fini(&f->scratch);
    free(f);
    j->rows = ""; /* of none is anything asked but whether it is there */
    j->collected = true;
    return status;
}
