/* SPDX-License-Identifier: Apache-2.0 */
/* The n smallest of a stream without a heap: rows are added to a buffer until it holds twice as many
 * (or twice the bytes) as are wanted, then it is sorted and cut. A cut costs no more than a constant
 * for each row added since the last one, and from the first on, most rows are passed over by one
 * comparison with a bound. (A heap of n moves rows about in memory on every change, and its rows need
 * a block each.) What is kept is copied to a new arena at each cut, so that dropped rows do not stay. */
#include "shuffle/smallest.h"

#include <string.h>

/* record: what stands in front of a row. */
typedef struct record {
    uint64_t position;
    int64_t partition;
} record;

enum { LEAST_ENTRIES = 64, SLACK_BYTES = 256 * 1024 };

void spk_smallest_init(spk_smallest *s, spk_heap *heap, const spk_smallest_by *by)
{
    *s = (spk_smallest) { .by = by, .heap = heap, .bound = UINT64_MAX };
    spk_arena_init(&s->rows, heap);
}

void spk_smallest_fini(spk_smallest *s)
{
    spk_heap_free(s->heap, s->entries, s->capacity);
    spk_arena_fini(&s->rows);
    spk_smallest_init(s, s->heap, s->by);
}

static const char *row_of(spk_sort_entry e)
{
    return (const char *)(uintptr_t)e.row;
}

const char *spk_smallest_row(const spk_smallest *s, size_t i)
{
    return row_of(s->entries[i]);
}

static record record_of(const char *row)
{
    record r;
    memcpy(&r, row - sizeof r, sizeof r);
    return r;
}

static uint64_t bytes_of(const spk_smallest *s, const char *row)
{
    const spk_layout *layout = s->by->layout;
    return sizeof(spk_sort_entry) + sizeof(record) + layout->size + spk_value_bytes(layout, row);
}

static int compare_places(record a, record b)
{
    if (a.partition != b.partition)
        return a.partition < b.partition ? -1 : 1;
    return (a.position > b.position) - (a.position < b.position);
}

/* smallest_compare: two rows of one prefix; `at` is the place of the first. */
static int smallest_compare(const spk_smallest_by *by, const char *a, record at, const char *b)
{
    const bool looks = by->ordering && !by->ordering->exact;
    const int order = looks ? spk_ordering_compare(by->ordering, a, b) : 0;
    return order ? order : compare_places(at, record_of(b));
}

/* ---- adding */

/* hold: other entries instead of those there are. */
static void hold(spk_smallest *s, spk_sort_entry *entries, size_t capacity)
{
    spk_heap_free(s->heap, s->entries, s->capacity);
    s->entries = entries;
    s->capacity = capacity;
    s->max = capacity / sizeof *entries;
}

static bool smallest_grow(spk_smallest *s)
{
    const size_t max = s->max ? s->max * 2 : LEAST_ENTRIES;
    size_t capacity;
    spk_sort_entry *entries = spk_heap_alloc(s->heap, max * sizeof *entries, &capacity);
    if (!entries)
        return false;
    if (s->n > 0)
        memcpy(entries, s->entries, s->n * sizeof *entries);
    hold(s, entries, capacity);
    return true;
}

/* smallest_copy: of a row with its place in front, deep. NULL: no memory. */
static char *smallest_copy(const spk_smallest *s, spk_arena *to, const char *row, record at)
{
    const spk_layout *layout = s->by->layout;
    const size_t size = sizeof at + layout->size;
    char *room = spk_arena_alloc(to, size + spk_value_bytes(layout, row), 16);
    if (!room)
        return NULL;
    memcpy(room, &at, sizeof at);
    memcpy(room + sizeof at, row, layout->size);
    if (layout->views)
        spk_value_pack(layout, room + sizeof at, room + size);
    return room + sizeof at;
}

/* smallest_full: whether half of what is held or more will go. */
static bool smallest_full(const spk_smallest *s)
{
    const uint64_t added = s->bytes - s->live;
    if (s->bytes / 2 >= s->by->bytes)
        return true;
    return s->n > s->by->n
        && (s->n / 2 >= s->by->n + LEAST_ENTRIES / 2 || (added > SLACK_BYTES && added > s->live));
}

bool spk_smallest_add(
    spk_smallest *s, uint64_t prefix, int partition, uint64_t position, const char *row)
{
    const record at = { position, partition };
    if (prefix > s->bound
        || (s->last && prefix == s->bound && smallest_compare(s->by, row, at, s->last) > 0))
        return true;
    if (s->n == s->max && !smallest_grow(s))
        return false;
    const char *kept = smallest_copy(s, &s->rows, row, at);
    if (!kept)
        return false;
    s->entries[s->n++] = (spk_sort_entry) { prefix, (uintptr_t)kept };
    s->bytes += bytes_of(s, kept);
    return !smallest_full(s) || spk_smallest_cut(s);
}

bool spk_smallest_merge(spk_smallest *to, const spk_smallest *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const char *row = row_of(from->entries[i]);
        const record at = record_of(row);
        if (!spk_smallest_add(
                to, from->entries[i].prefix, (int)at.partition, at.position, row))
            return false;
    }
    return true;
}

/* ---- cutting */

/* smallest_settle: entries of one prefix: a merge sort. */
static void smallest_settle(
    const spk_smallest_by *by, spk_sort_entry *at, spk_sort_entry *spare, size_t n)
{
    if (n < 2)
        return;
    const size_t half = n / 2;
    smallest_settle(by, at, spare, half);
    smallest_settle(by, at + half, spare, n - half);
    const char *a = row_of(at[half - 1]), *b = row_of(at[half]);
    if (smallest_compare(by, a, record_of(a), b) <= 0)
        return;
    memcpy(spare, at, half * sizeof *at);
    size_t i = 0, j = half, to = 0;
    while (i < half && j < n) {
        a = row_of(at[j]);
        const int order = smallest_compare(by, a, record_of(a), row_of(spare[i]));
        at[to++] = order < 0 ? at[j++] : spare[i++];
    }
    while (i < half)
        at[to++] = spare[i++];
}

static bool smallest_sort(spk_smallest *s)
{
    size_t capacity;
    spk_sort_entry *spare = spk_heap_alloc(s->heap, s->n * sizeof *spare, &capacity);
    if (!spare)
        return false;
    const bool swapped = spk_sort_entries(s->entries, spare, s->n) == spare;
    spk_sort_entry *sorted = swapped ? spare : s->entries, *other = swapped ? s->entries : spare;
    for (size_t from = 0, to; from < s->n; from = to) {
        for (to = from + 1; to < s->n && sorted[to].prefix == sorted[from].prefix;)
            to++;
        smallest_settle(s->by, sorted + from, other, to - from);
    }
    if (swapped)
        hold(s, spare, capacity);
    else
        spk_heap_free(s->heap, spare, capacity);
    return true;
}

/* twins: whether two entries are one row. */
static bool twins(spk_sort_entry a, spk_sort_entry b)
{
    return a.prefix == b.prefix && compare_places(record_of(row_of(a)), record_of(row_of(b))) == 0;
}

/* drop_twins: they stand side by side after sorting. */
static void drop_twins(spk_smallest *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++)
        if (kept == 0 || !twins(s->entries[kept - 1], s->entries[i]))
            s->entries[kept++] = s->entries[i];
    s->n = kept;
}

/* fitting: how many of the sorted ones are wanted; *bytes: what they hold. */
static size_t fitting(const spk_smallest *s, uint64_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < s->n; i++) {
        const uint64_t more = bytes_of(s, row_of(s->entries[i]));
        if (i == s->by->n || (i > 0 && more > s->by->bytes - *bytes))
            return i;
        *bytes += more;
        if (*bytes > s->by->bytes)
            return 1;
    }
    return s->n;
}

/* move_rows: to a new arena, so that nothing else is held. False: no memory; all stays where it is. */
static bool move_rows(spk_smallest *s)
{
    spk_arena rows;
    size_t capacity, i = 0;
    spk_sort_entry *moved = spk_heap_alloc(s->heap, s->n * sizeof *moved, &capacity);
    spk_arena_init(&rows, s->heap);
    for (; moved && i < s->n; i++) {
        const char *old = row_of(s->entries[i]);
        const char *kept = smallest_copy(s, &rows, old, record_of(old));
        if (!kept)
            break;
        moved[i] = (spk_sort_entry) { s->entries[i].prefix, (uintptr_t)kept };
    }
    if (i < s->n) {
        spk_heap_free(s->heap, moved, moved ? capacity : 0);
        spk_arena_fini(&rows);
        return false;
    }
    hold(s, moved, capacity);
    spk_arena_fini(&s->rows);
    s->rows = rows;
    return true;
}

bool spk_smallest_cut(spk_smallest *s)
{
    uint64_t bytes;
    if (s->n == 0)
        return true;
    if (!smallest_sort(s))
        return false;
    drop_twins(s);
    const size_t fits = fitting(s, &bytes);
    const bool drops = fits < s->n;
    if (drops) /* a row may come that stands in front of this one, and fits in its place */
        s->bound = s->entries[fits].prefix;
    s->n = fits;
    s->live = s->bytes = bytes;
    if (drops && !move_rows(s))
        return false;
    s->last = NULL;
    if (s->n == s->by->n) {
        s->bound = s->entries[s->n - 1].prefix;
        s->last = row_of(s->entries[s->n - 1]);
    }
    return true;
}

/* ---- of all tasks */

void spk_smallest_shared_init(
    spk_smallest_shared *shared, spk_heap *heap, const spk_smallest_by *by)
{
    pthread_mutex_init(&shared->lock, NULL);
    spk_smallest_init(&shared->all, heap, by);
    atomic_init(&shared->bound, UINT64_MAX);
}

void spk_smallest_shared_fini(spk_smallest_shared *shared)
{
    spk_smallest_fini(&shared->all);
    pthread_mutex_destroy(&shared->lock);
}

bool spk_smallest_publish(spk_smallest_shared *shared, spk_smallest *of_task)
{
    pthread_mutex_lock(&shared->lock);
    const bool good = spk_smallest_merge(&shared->all, of_task);
    spk_smallest_bound(&shared->all, of_task->bound);
    atomic_store_explicit(&shared->bound, shared->all.bound, memory_order_relaxed);
    pthread_mutex_unlock(&shared->lock);
    spk_smallest_fini(of_task);
    return good;
}
