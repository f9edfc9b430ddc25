/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a join: rows of the right side by their keys, those of a key in their order. */
#include "shuffle/table.h"
#include "sql/exec/join_table.h"

void spk_join_hash(const spk_join_rdd *j, const char *keys, size_t n, uint64_t *hashes)
{
    const spk_layout *key = j->join.keys->layout;
    if (j->guarded)
        spk_secret_hash_keys(key, keys, key->size, n, &j->secret, hashes);
    else
        spk_hash_keys(key, keys, key->size, n, hashes);
}

static const uint64_t *words_at(const spk_join_rdd *j, size_t i)
{
    return (const uint64_t *)(const void *)j->keys + i * j->n_words;
}

static const char *key_at(const spk_join_rdd *j, size_t i)
{
    return j->keys + i * j->join.keys->layout->size;
}

static void set_bit(spk_join_rdd *j, uint64_t at)
{
    j->bits[at / 64] |= (uint64_t)1 << at % 64;
}

static size_t heads_of(const spk_join_rdd *j)
{
    return (j->mask + 1) / SPK_PLACE_BITS;
}

/* chain: from the back, so that those of a place are in the order of the rows. */
static void chain(spk_join_rdd *j, const bool *usable)
{
    const size_t heads = heads_of(j);
    memset(j->heads, 0, heads * sizeof *j->heads);
    memset(j->bits, 0, heads);
    for (size_t i = j->n_rows; i-- > 0;) {
        j->next[i] = 0;
        if (!usable[i])
            continue;
        const uint32_t place
            = j->n_words ? spk_join_place_of_words(j, words_at(j, i)) : spk_join_place_of(j, j->hashes[i]);
        uint32_t *head = &j->heads[place / SPK_PLACE_BITS];
        set_bit(j, place);
        j->next[i] = *head;
        *head = (uint32_t)i + 1;
    }
}

static bool equal(const spk_join_rdd *j, size_t a, size_t b)
{
    if (!j->n_words)
        return spk_value_equal(j->join.keys->layout, key_at(j, a), key_at(j, b));
    const uint64_t *x = words_at(j, a), *y = words_at(j, b);
    return x[0] == y[0] && (j->n_words == 1 || x[1] == y[1]);
}

/* crowded: whether rows of different keys lie at one place far more often than chance has it. */
static bool crowded(const spk_join_rdd *j, size_t heads)
{
    uint64_t steps = 0;
    for (size_t b = 0; b < heads; b++) {
        uint64_t others = 0;
        for (uint32_t at = j->heads[b]; at && j->next[at - 1]; at = j->next[at - 1])
            others += !equal(j, at - 1, j->next[at - 1] - 1);
        steps += others * others;
    }
    return steps > SPK_STEPS_FREE + j->n_rows * SPK_STEPS_EACH;
}

/* is_single: whether no two rows have one key. */
static bool is_single(const spk_join_rdd *j)
{
    for (size_t i = 0; j->next && i < j->n_rows; i++)
        for (uint32_t at = j->next[i]; at; at = j->next[at - 1])
            if (equal(j, i, at - 1))
                return false;
    return true;
}

/* has_range: whether a word of the keys is of a range that is small enough for a bit for each number. */
static bool has_range(spk_join_rdd *j, const bool *usable, uint32_t word)
{
    enum { TIMES = 256, FREE = 262144 };
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t i = 0; i < j->n_rows; i++) {
        const int64_t x = (int64_t)words_at(j, i)[word];
        if (usable[i] && x < least)
            least = x;
        if (usable[i] && x > most)
            most = x;
    }
    j->word = word;
    j->base = (uint64_t)least;
    j->span = (uint64_t)most - (uint64_t)least;
    return least <= most && j->span < (uint64_t)j->n_rows * TIMES + FREE && j->span < UINT32_MAX - 64;
}

/* number_of: that of a row in the range. */
static uint64_t number_of(const spk_join_rdd *j, size_t i)
{
    return words_at(j, i)[j->word] - j->base;
}

/* set_bits: of the range; how many numbers there are; j->single: each is of one row, *in_order: number k of row k. */
static uint32_t set_bits(spk_join_rdd *j, const bool *usable, bool *in_order)
{
    const size_t n = (j->span + 1) / 64 + 1;
    uint64_t least = 0;
    uint32_t numbers = 0;
    memset(j->bits, 0, n * sizeof *j->bits);
    j->single = *in_order = true;
    for (size_t i = 0; i < j->n_rows; i++) {
        const uint64_t at = number_of(j, i);
        *in_order &= usable[i] && at >= least;
        if (!usable[i])
            continue;
        j->single &= !(j->bits[at / 64] >> at % 64 & 1);
        set_bit(j, at);
        least = at + 1;
    }
    for (size_t w = 0; w < n; w++) {
        j->ranks[w] = numbers;
        numbers += spk_join_ones(j->bits[w]);
    }
    return numbers;
}

/* chain_ranked: rows of one number, where there are several, in their order. */
static spark_status chain_ranked(spk_join_rdd *j, const bool *usable, size_t numbers, spk_failure *failure)
{
    if (!(j->heads = spk_join_table_block(j, SPK_HEADS, numbers * sizeof *j->heads, failure)))
        return SPARK_ENOMEM;
    if (!j->single && !(j->next = spk_join_table_block(j, SPK_NEXT, j->n_rows * sizeof *j->next, failure)))
        return SPARK_ENOMEM;
    memset(j->heads, 0, numbers * sizeof *j->heads);
    for (size_t i = j->n_rows; i-- > 0;) {
        uint32_t *head = usable[i] ? &j->heads[spk_join_rank(j, number_of(j, i))] : NULL;
        if (j->next)
            j->next[i] = head ? *head : 0;
        if (head)
            *head = (uint32_t)i + 1;
    }
    return SPARK_OK;
}

/* leave_range: keys are found in another way. */
static bool leave_range(spk_join_rdd *j)
{
    spk_join_table_drop(j, SPK_BITS);
    spk_join_table_drop(j, SPK_RANKS);
    spk_join_table_drop(j, SPK_HEADS);
    spk_join_table_drop(j, SPK_NEXT);
    j->bits = NULL;
    j->ranks = j->heads = j->next = NULL;
    j->ranked = false;
    return false;
}

/* by_range: the table of keys by a word that has a bit for each number; false: too many rows have the same. */
static bool by_range(spk_join_rdd *j, const bool *usable, spk_failure *failure, spark_status *status)
{
    enum { SAME = 8 };
    const size_t n = (j->span + 1) / 64 + 1;
    bool in_order;
    *status = SPARK_ENOMEM;
    if (!(j->bits = spk_join_table_block(j, SPK_BITS, n * sizeof *j->bits, failure))
        || !(j->ranks = spk_join_table_block(j, SPK_RANKS, n * sizeof *j->ranks, failure)))
        return true;
    const size_t numbers = set_bits(j, usable, &in_order);
    j->exact = j->n_words == 1;
    if (!j->exact && numbers * SAME < j->n_rows)
        return leave_range(j);
    j->ranked = true;
    *status = in_order ? SPARK_OK : chain_ranked(j, usable, numbers, failure);
    if (*status != SPARK_OK)
        return true;
    if (j->exact) {
        spk_join_table_drop(j, SPK_KEYS);
        j->keys = NULL;
    } else if (!j->single) {
        if (crowded(j, numbers))
            return leave_range(j);
        j->single = is_single(j);
    }
    return true;
}

/* read_keys: of all rows of the right side. */
static spark_status read_keys(spk_join_rdd *j, spk_sql_run *run, spk_sql_input *inputs, bool *usable, spk_arena *arena,
    spk_failure *failure)
{
    const size_t size = j->join.right->layout->size, each = j->n_words ? j->n_words * sizeof(uint64_t) : 0;
    const size_t key_size = each ? each : j->join.keys->layout->size;
    for (size_t i = 0; i < j->n_rows; i += SPK_SQL_BATCH) {
        const uint32_t n = (uint32_t)(j->n_rows - i < SPK_SQL_BATCH ? j->n_rows - i : SPK_SQL_BATCH);
        spk_form_inputs(j->join.right, j->rows + i * size, inputs);
        if (!spk_join_keys_make(&j->join, j->n_words, run, inputs, (spk_sql_rows) { NULL, n }, n, arena,
                j->keys + i * key_size, usable + i)) {
            j->join.query->error = *spk_sql_run_error(run);
            return spk_query_fails(j->join.query, failure);
        }
        if (!j->n_words)
            spk_join_hash(j, key_at(j, i), n, j->hashes + i);
    }
    return SPARK_OK;
}

/* make_places: for chains of all rows. */
static bool make_places(spk_join_rdd *j, size_t heads, spk_failure *failure)
{
    j->mask = heads * SPK_PLACE_BITS - 1;
    return (j->heads = spk_join_table_block(j, SPK_HEADS, heads * sizeof *j->heads, failure))
        && (j->bits = spk_join_table_block(j, SPK_BITS, heads, failure))
        && (j->next = spk_join_table_block(j, SPK_NEXT, (j->n_rows + 1) * sizeof *j->next, failure));
}

static size_t heads_for(size_t n)
{
    enum { LEAST = 64, MOST = 1 << 28 };
    size_t heads = LEAST;
    while (heads < n && heads < MOST)
        heads *= 2;
    return heads;
}

/* by_words: the table of keys of words; true: it is good. */
static bool by_words(spk_join_rdd *j, const bool *usable, spk_failure *failure, spark_status *status)
{
    for (uint32_t w = 0; w < j->n_words; w++)
        if (has_range(j, usable, w) && by_range(j, usable, failure, status))
            return true;
    if (!make_places(j, heads_for(2 * j->n_rows), failure)) {
        *status = SPARK_ENOMEM;
        return true;
    }
    chain(j, usable);
    if (crowded(j, heads_of(j)))
        return false;
    j->single = is_single(j);
    *status = SPARK_OK;
    return true;
}

/* by_rows: the same of keys that are rows. */
static spark_status by_rows(spk_join_rdd *j, const bool *usable, spk_failure *failure)
{
    if (!make_places(j, heads_for(j->n_rows), failure))
        return SPARK_ENOMEM;
    chain(j, usable);
    if (crowded(j, heads_of(j))) { /* by a hash with a secret: the keys may have been chosen */
        j->guarded = true;
        j->secret = spk_secret_draw();
        spk_join_hash(j, j->keys, j->n_rows, j->hashes);
        chain(j, usable);
    }
    return SPARK_OK;
}

spark_status spk_join_table_fill(spk_join_rdd *j, spk_arena *arena, spk_failure *failure)
{
    const size_t n = j->n_rows + 1;
    bool *usable = spk_arena_alloc(arena, n, 1);
    spk_sql_input *inputs = spk_arena_alloc(arena, (j->join.right->n + 1) * sizeof *inputs, 16);
    spark_status status = SPARK_OK;
    if (!usable || !inputs)
        return spk_failure_nomem(failure, NULL, NULL);
    for (j->n_words = spk_join_words(&j->join);; j->n_words = 0) {
        spk_sql_run *run = spk_sql_run_new(j->join.right_keys, arena);
        if (!run)
            return spk_failure_nomem(failure, NULL, NULL);
        if (!(j->keys = spk_join_table_block(j, SPK_KEYS,
                  n * (j->n_words ? j->n_words * sizeof(uint64_t) : j->join.keys->layout->size), failure)))
            return SPARK_ENOMEM;
        if (!j->n_words && !(j->hashes = spk_join_table_block(j, SPK_HASHES, n * sizeof *j->hashes, failure)))
            return SPARK_ENOMEM;
        status = read_keys(j, run, inputs, usable, arena, failure);
        for (size_t i = 0; i < j->n_rows; i++)
            j->has_null |= !usable[i];
        if (status != SPARK_OK || !j->n_words)
            return status == SPARK_OK ? by_rows(j, usable, failure) : status;
        if (by_words(j, usable, failure, &status))
            return status;
    }
}
