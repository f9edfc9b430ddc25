/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting rows that fit in memory: by a 64-bit prefix first, in least-significant-digit radix
 * passes; among equal prefixes by comparison of the member that they do not decide, and by the prefix of what
 * stands behind it.
 *
 * Not all digits are sorted: passes cover as many of the topmost varying bits as tell n rows
 * apart, and an insertion pass mends the rest. Where the data make that pass expensive (many rows
 * alike in those bits), all digits are sorted after all. */
#include "base/prefetch.h"
#include "shuffle/ranges.h"
#include "shuffle/reduce.h"
#include "shuffle/split.h"

enum { DIGIT = 11, BUCKETS = 1 << DIGIT };

/* A radix pass and an insertion pass for one type of item; KEY reads its 64-bit key. */
#define SORTER(name, T, KEY)                                                                       \
    static void name##_pass(const T *from, T *to, size_t n, unsigned shift)                        \
    {                                                                                              \
        uint32_t at[BUCKETS] = { 0 };                                                              \
        for (size_t i = 0; i < n; i++)                                                             \
            at[(KEY(from[i]) >> shift) & (BUCKETS - 1)]++;                                         \
        uint32_t sum = 0;                                                                          \
        for (size_t b = 0; b < BUCKETS; b++) {                                                     \
            const uint32_t count = at[b];                                                          \
            at[b] = sum;                                                                           \
            sum += count;                                                                          \
        }                                                                                          \
        for (size_t i = 0; i < n; i++)                                                             \
            to[at[(KEY(from[i]) >> shift) & (BUCKETS - 1)]++] = from[i];                           \
    }                                                                                              \
    /* insert: false: too many moves; the items are permuted, none is lost. */                     \
    static bool name##_insert(T *items, size_t n)                                                  \
    {                                                                                              \
        size_t left = 8 * n + 64;                                                                  \
        for (size_t i = 1; i < n; i++) {                                                           \
            const T item = items[i];                                                               \
            size_t j = i;                                                                          \
            for (; j > 0 && KEY(items[j - 1]) > KEY(item) && left > 0; j--, left--)                \
                items[j] = items[j - 1];                                                           \
            items[j] = item;                                                                       \
            if (left == 0)                                                                         \
                return false;                                                                      \
        }                                                                                          \
        return true;                                                                               \
    }                                                                                              \
    /* sort: the result is in the returned one of the two arrays. */                               \
    static T *name##_sort(T *items, T *spare, size_t n)                                            \
    {                                                                                              \
        uint64_t low = UINT64_MAX, high = 0;                                                       \
        unsigned bits = 0, enough = 0;                                                             \
        for (size_t i = 0; i < n; i++) {                                                           \
            low = KEY(items[i]) < low ? KEY(items[i]) : low;                                       \
            high = KEY(items[i]) > high ? KEY(items[i]) : high;                                    \
        }                                                                                          \
        while (bits < 64 && (low ^ high) >> bits)                                                  \
            bits++;                                                                                \
        while ((size_t)1 << enough < n * 2)                                                        \
            enough++;                                                                              \
        const unsigned passes = (enough + DIGIT - 1) / DIGIT;                                      \
        const bool partly = n > 64 && passes * DIGIT < bits;                                       \
        unsigned shift = partly ? bits - passes * DIGIT : 0;                                       \
        for (; shift < bits && n > 64; shift += DIGIT) {                                           \
            name##_pass(items, spare, n, shift);                                                   \
            T *other = items;                                                                      \
            items = spare;                                                                         \
            spare = other;                                                                         \
        }                                                                                          \
        if ((n > 64 && !partly) || name##_insert(items, n))                                        \
            return items;                                                                          \
        for (shift = 0; shift < bits; shift += DIGIT) {                                            \
            name##_pass(items, spare, n, shift);                                                   \
            T *other = items;                                                                      \
            items = spare;                                                                         \
            spare = other;                                                                         \
        }                                                                                          \
        return items;                                                                              \
    }

#define ITSELF(x) (x)
#define PREFIX(x) ((x).prefix)
SORTER(words, uint64_t, ITSELF)
SORTER(entries, spk_sort_entry, PREFIX)

spk_sort_entry *spk_sort_entries(spk_sort_entry *entries, spk_sort_entry *spare, size_t n)
{
    return entries_sort(entries, spare, n);
}

/* sort_words: rows that are one 8-byte integer, sorted as what they are. */
static bool sort_words(spk_heap *heap, const spk_ordering *o, char *rows, size_t n)
{
    const bool is_signed = o->layout->type->kind != SPARK_KIND_U64;
    const uint64_t flip
        = (is_signed ? UINT64_C(1) << 63 : 0) ^ (o->parts[0].descending ? UINT64_MAX : 0);
    uint64_t *words = (uint64_t *)(void *)rows;
    size_t capacity;
    uint64_t *spare = spk_heap_alloc(heap, n * 8, &capacity);
    if (!spare)
        return false;
    for (size_t i = 0; i < n; i++)
        words[i] ^= flip;
    const uint64_t *sorted = words_sort(words, spare, n);
    for (size_t i = 0; i < n; i++)
        words[i] = sorted[i] ^ flip;
    spk_heap_free(heap, spare, capacity);
    return true;
}

static int compare_first(const spk_ordering *o, const char *rows, const spk_sort_entry *a, const spk_sort_entry *b)
{
    return spk_ordering_compare_first(o, rows + a->row * o->layout->size, rows + b->row * o->layout->size);
}

/* sort_first: entries of one prefix by the first part of the order: a stable merge sort. */
static void sort_first(
    const spk_ordering *o, const char *rows, spk_sort_entry *at, spk_sort_entry *spare, size_t n)
{
    if (n < 2)
        return;
    const size_t half = n / 2;
    sort_first(o, rows, at, spare, half);
    sort_first(o, rows, at + half, spare, n - half);
    if (compare_first(o, rows, &at[half - 1], &at[half]) <= 0)
        return;
    memcpy(spare, at, half * sizeof *at);
    size_t i = 0, j = half, to = 0;
    while (i < half && j < n)
        at[to++] = compare_first(o, rows, &at[j], &spare[i]) < 0 ? at[j++] : spare[i++];
    while (i < half)
        at[to++] = spare[i++];
}

static void settle_equals(
    const spk_ordering *o, const char *rows, spk_sort_entry *at, spk_sort_entry *spare, size_t n);

/* sort_by_rest: a group of equal prefixes by the prefixes of what is left of the order, and so on.
 */
static void sort_by_rest(
    const spk_ordering *rest, const char *rows, spk_sort_entry *at, spk_sort_entry *spare, size_t n)
{
    if (n < 2)
        return;
    for (size_t i = 0; i < n; i++)
        at[i].prefix = spk_ordering_prefix(rest, rows + at[i].row * rest->layout->size);
    if (entries_sort(at, spare, n) == spare)
        memcpy(at, spare, n * sizeof *at);
    if (!rest->exact)
        settle_equals(rest, rows, at, spare, n);
}

/* settle_run: a group of equal prefixes, which do not decide the first part. rest: behind that; NULL: there is none. */
static void settle_run(const spk_ordering *o, const spk_ordering *rest, const char *rows, spk_sort_entry *at,
    spk_sort_entry *spare, size_t n)
{
    sort_first(o, rows, at, spare, n);
    for (size_t from = 0, to; rest && from < n; from = to) {
        to = from + 1;
        while (to < n && compare_first(o, rows, &at[from], &at[to]) == 0)
            to++;
        sort_by_rest(rest, rows, at + from, spare + from, to - from);
    }
}

/* settle_equals: n sorted entries: each group of equal prefixes by what these do not decide. */
static void settle_equals(
    const spk_ordering *o, const char *rows, spk_sort_entry *at, spk_sort_entry *spare, size_t n)
{
    spk_ordering rest;
    const uint32_t known = o->n_decided ? o->n_decided : 1;
    const bool more = known < o->n;
    if (more)
        spk_ordering_after(o, known, &rest);
    for (size_t from = 0, to; from < n; from = to) {
        to = from + 1;
        while (to < n && at[to].prefix == at[from].prefix)
            to++;
        if (to - from < 2)
            continue;
        if (o->n_decided)
            sort_by_rest(&rest, rows, at + from, spare + from, to - from);
        else
            settle_run(o, more ? &rest : NULL, rows, at + from, spare + from, to - from);
    }
}

bool spk_sort_rows(spk_heap *heap, const spk_ordering *o, char *rows, size_t n)
{
    const size_t size = o->layout->size;
    size_t capacity, row_capacity;
    if (n < 2)
        return true;
    if (o->layout->key_class == SPK_KEY_8 && size == 8 && o->exact)
        return sort_words(heap, o, rows, n);
    spk_sort_entry *entries = spk_heap_alloc(heap, n * 2 * sizeof *entries, &capacity);
    char *copy = entries ? spk_heap_alloc(heap, n * size, &row_capacity) : NULL;
    if (!copy) {
        spk_heap_free(heap, entries, entries ? capacity : 0);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        entries[i] = (spk_sort_entry) { spk_ordering_prefix(o, rows + i * size), i };
    spk_sort_entry *sorted = entries_sort(entries, entries + n, n);
    if (!o->exact)
        settle_equals(o, rows, sorted, sorted == entries ? entries + n : entries, n);
    for (size_t i = 0; i < n; i++) {
        if (i + 16 < n)
            spk_prefetch(rows + sorted[i + 16].row * size);
        memcpy(copy + i * size, rows + sorted[i].row * size, size);
    }
    memcpy(rows, copy, n * size);
    spk_heap_free(heap, copy, row_capacity);
    spk_heap_free(heap, entries, capacity);
    return true;
}

/* sort_leaf: rows that fit. */
static bool sort_leaf(spk_pipe *pipe, spk_shard *shard, const spk_ordering *ordering)
{
    spk_heap *heap = pipe->task->heap;
    spk_shard_rows rows;
    if (!spk_shard_copy(shard, false, &rows))
        return false;
    const bool sorted = spk_sort_rows(heap, ordering, rows.rows, rows.n);
    if (!sorted)
        spk_task_nomem(pipe->task);
    const bool more = sorted && spk_push_rows(pipe, rows.rows, rows.n, ordering->layout->size);
    spk_heap_free(heap, rows.rows, rows.capacity);
    return more;
}

/* sort_shards: a shard is split where a sixteenth of the memory is less: sorting holds it three times,
 * and the result is the same however it is cut. */
static void sort_shards(
    spk_pipe *pipe, spk_input *in, const spk_ordering *ordering, const spk_ordering *keys)
{
    spark_task *task = pipe->task;
    const uint64_t most = task->heap->limit ? task->heap->limit / 16 : UINT64_MAX;
    spk_shard shard = { .segments = NULL }, *shards = &shard;
    spk_leaves leaves;
    bool more = spk_leaves_open(&leaves, task, 1, &in, &shards);
    if (!more)
        return;
    while (more && spk_leaves_next(&leaves)) {
        if (shard.bytes > most && !leaves.equal && spk_leaves_sort(&leaves, ordering, keys))
            continue;
        if (spk_task_failed(task))
            break;
        more = shard.n == 0
            || (leaves.equal ? spk_push_shard(pipe, &shard) : sort_leaf(pipe, &shard, ordering));
    }
    spk_leaves_close(&leaves);
}

void spk_reduce_sort(spk_pipe *pipe, spk_input *in)
{
    const spk_ranges *ranges = in->shuffle->ranges;
    sort_shards(pipe, in, &ranges->ordering, &ranges->keys);
}

void spk_reduce_sort_by(spk_pipe *pipe, spk_input *in, const spk_ordering *ordering)
{
    sort_shards(pipe, in, ordering, ordering);
}
