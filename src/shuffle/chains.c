/* SPDX-License-Identifier: Apache-2.0 */
/* Chained tables over rows that stand side by side. */
#include "shuffle/chains.h"

#include "base/prefetch.h"

static bool make_index(spk_chains *c)
{
    const size_t n = c->rows.n;
    size_t heads = 256;
    unsigned bits = 8;
    for (; heads < n * 2; heads *= 2)
        bits++;
    const size_t want = heads * 4 + n * 4 + n + 64;
    if (want > c->capacity) {
        spk_heap_free(c->heap, c->heads, c->capacity);
        c->heads = spk_heap_alloc(c->heap, want, &c->capacity);
        if (!c->heads) {
            c->capacity = 0;
            return false;
        }
    }
    c->next = c->heads + heads;
    c->matched = (uint8_t *)(c->next + n);
    c->shift = 64 - bits;
    memset(c->matched, 0, n);
    return true;
}

/* chain: from the back, so that those of a bucket are in the order of the rows. */
static void chain(spk_chains *c)
{
    const spk_chains fixed = *c; /* in registers: what is written may be any of it, for all gcc knows */
    memset(c->heads, 0, (size_t)(c->next - c->heads) * sizeof *c->heads);
    for (size_t i = fixed.rows.n; i-- > 0;) {
        if (fixed.usable && !fixed.usable(fixed.arg, spk_chains_row(&fixed, (uint32_t)i)))
            continue;
        const uint32_t at = spk_chains_bucket(&fixed, fixed.rows.hashes[i]);
        fixed.next[i] = fixed.heads[at];
        fixed.heads[at] = (uint32_t)i + 1;
    }
}

bool spk_chains_build(spk_chains *c)
{
    if (!make_index(c))
        return false;
    if (spk_hash_is_cheap(c->key))
        spk_hash_keys(c->key, c->rows.rows, c->size, c->rows.n, c->rows.hashes);
    c->guarded = false;
    c->allowance = SPK_STEPS_FREE;
    chain(c);
    return true;
}

void spk_chains_guard(spk_chains *c)
{
    c->guarded = true;
    c->secret = spk_secret_draw();
    spk_secret_hash_keys(c->key, c->rows.rows, c->size, c->rows.n, &c->secret, c->rows.hashes);
    chain(c);
}

void spk_chains_fini(spk_chains *c)
{
    spk_heap_free(c->heap, c->heads, c->capacity);
    c->heads = NULL;
    c->capacity = 0;
}

/* prefetch: of what is larger than a core's own cache; of less it would cost a tenth of a join. */
static void prefetch(const spk_chains *c, size_t n, const uint64_t *hashes)
{
    enum { NEAR = 1 << 20 };
    if (c->capacity + c->rows.n * c->size <= NEAR)
        return;
    for (size_t i = 0; i < n; i++)
        spk_prefetch(&c->heads[spk_chains_bucket(c, hashes[i])]);
    for (size_t i = 0; i < n; i++) {
        const uint32_t head = c->heads[spk_chains_bucket(c, hashes[i])];
        if (head)
            spk_prefetch(spk_chains_row(c, head - 1));
    }
}

const uint64_t *spk_chains_hashes(
    spk_chains *c, const char *rows, size_t size, size_t n, const uint64_t *carried)
{
    const uint64_t *hashes = c->hashes;
    if (c->guarded)
        spk_secret_hash_keys(c->key, rows, size, n, &c->secret, c->hashes);
    else if (carried)
        hashes = carried;
    else
        spk_hash_keys(c->key, rows, size, n, c->hashes);
    prefetch(c, n, hashes);
    return hashes;
}
