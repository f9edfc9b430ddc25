/* SPDX-License-Identifier: Apache-2.0 */
/* A parcel is open, is being written, then is on disk. Why gather: a map task of a hundred rows makes
 * a run of a hundred slices; written alone, each slice would be a read of one row, and its place in
 * the file as large as the row. Gathered, a slice of a parcel is one read, as in the merged files of
 * Magnet (Shen et al., "Magnet: push-based shuffle service", VLDB 2020), within one process.
 *
 * A extent is written as rows, hashes, and what the rows point to, with pointers as offsets. The
 * members of a slice are found by chains: each member stands in the chain of its next slice. */
#include "storage/parcel.h"

#include <stdlib.h>

#include "base/faults.h"
#include "base/hash.h"

enum { BUFFER = 1024 * 1024, LEAST = 4 * 1024 * 1024, A_SLICE = 2048 };

typedef struct granule {
    uint64_t checksum;
    uint32_t first; /* slice */
} granule;

struct spk_parcel {
    spk_parcel *next; /* among the open ones */
    spk_spill *spill;
    spk_heap *heap;
    const spk_layout *layout;
    uint64_t key;
    uint32_t slices;
    bool carries; /* hashes */
    enum { OPEN, WRITING, WRITTEN } state;
    int pins;
    uint32_t n, max, live;
    spk_member *members;
    uint64_t bytes; /* of runs in memory */

    uint64_t at, disk_bytes, directory; /* in the file */
    uint64_t n_extents;
    granule *granules;
    size_t granules_capacity;
};

static size_t up(size_t n)
{
    return (n + 15) / 16 * 16;
}

/* ---- members */

static void unlink_open(spk_parcel *parcel)
{
    spk_parcel **link = &parcel->spill->open;
    while (*link && *link != parcel)
        link = &(*link)->next;
    if (*link) {
        *link = parcel->next;
        parcel->spill->open_bytes -= parcel->bytes;
    }
}

/* take_runs: what is in memory of a parcel that nobody reads there; with the lock held. */
static spk_run *take_runs(spk_parcel *parcel)
{
    spk_run *runs = NULL;
    for (uint32_t i = 0; i < parcel->n; i++)
        if (parcel->members[i].run) {
            parcel->members[i].run->next = runs;
            runs = parcel->members[i].run;
            parcel->members[i].run = NULL;
        }
    return runs;
}

static void destroy(spk_parcel *parcel)
{
    if (parcel->state == WRITTEN)
        spk_spill_forget(parcel->spill, parcel->at, parcel->disk_bytes);
    spk_heap_free(parcel->heap, parcel->granules, parcel->granules_capacity);
    free(parcel->members);
    free(parcel);
}

/* settle: after a change: takes out what is not needed any more, and gives the lock up. */
static void settle(spk_parcel *parcel)
{
    spk_run *runs = NULL;
    spk_heap *heap = parcel->heap;
    spk_spill *spill = parcel->spill;
    const bool idle = parcel->pins == 0 && parcel->state != WRITING;
    const bool last = idle && parcel->live == 0;
    if (last && parcel->state == OPEN)
        unlink_open(parcel);
    if (idle && (last || parcel->state == WRITTEN))
        runs = take_runs(parcel);
    pthread_mutex_unlock(&spill->lock);
    spk_runs_free(heap, runs);
    if (last)
        destroy(parcel);
}

void spk_parcel_leave(spk_run *run)
{
    spk_parcel *parcel = run->parcel;
    spk_run *rows = NULL;
    pthread_mutex_lock(&parcel->spill->lock);
    spk_member *member = &parcel->members[run->member];
    atomic_store(&member->output, NULL);
    parcel->live--;
    if (parcel->state == OPEN && parcel->pins == 0 && member->run) {
        rows = member->run;
        member->run = NULL;
        parcel->bytes -= rows->capacity;
        parcel->spill->open_bytes -= rows->capacity;
    }
    spk_heap *heap = parcel->heap;
    settle(parcel);
    if (rows)
        rows->next = NULL;
    spk_runs_free(heap, rows);
}

void spk_parcel_unpin(spk_parcel *parcel)
{
    pthread_mutex_lock(&parcel->spill->lock);
    parcel->pins--;
    settle(parcel);
}

/* find_open: the parcel that takes runs of this place, or a new one; with the lock held. */
static spk_parcel *find_open(const spk_parcel_place *place, const spk_run *run)
{
    spk_spill *spill = place->spill;
    for (spk_parcel *p = spill->open; p; p = p->next)
        if (p->key == place->key && p->layout == place->layout && p->slices == run->slices)
            return p;
    spk_parcel *parcel = calloc(1, sizeof *parcel);
    if (!parcel)
        return NULL;
    *parcel = (spk_parcel) { .next = spill->open,
        .spill = spill,
        .heap = place->heap,
        .layout = place->layout,
        .key = place->key,
        .slices = run->slices,
        .carries = run->hashes != NULL };
    spill->open = parcel;
    return parcel;
}

/* enter: with the lock held. False: no memory. */
static bool enter(spk_parcel *parcel, const spk_parcel_place *place, spk_run *run, spk_run *head)
{
    if (parcel->n == parcel->max) {
        const uint32_t max = parcel->max ? parcel->max * 2 : 4;
        spk_member *members = realloc(parcel->members, max * sizeof *members);
        if (!members)
            return false;
        parcel->members = members;
        parcel->max = max;
    }
    spk_member *member = &parcel->members[parcel->n];
    *member = (spk_member) { .run = run,
        .map = place->map,
        .position = place->position,
        .row_bytes = (double)run->bytes / (double)run->n };
    atomic_init(&member->output, place->output);
    head->rows = NULL;
    head->n = run->n;
    head->bytes = run->bytes;
    head->slices = run->slices;
    head->parcel = parcel;
    head->member = parcel->n++;
    parcel->live++;
    parcel->bytes += run->capacity;
    parcel->spill->open_bytes += run->capacity;
    return true;
}

/* ---- writing */

typedef struct chain {
    uint32_t next; /* member + 1 */
    uint32_t at;   /* in its index: the entry, or the slice */
} chain;

typedef struct writing {
    spk_parcel *parcel;
    uint32_t *heads; /* of slices: member + 1 */
    chain *chains;   /* of members */
    char *buffer;
    size_t used, room;
    uint64_t at;
    spk_extent extents[SPK_GRANULE];
    uint64_t n_extents;
    spk_failure *failure;
} writing;

/* rows_at: the slice at a place of a run's index, and its rows; false: there are no more. */
static bool rows_at(
    const spk_run *run, uint32_t *at, uint32_t *slice, uint32_t *from, uint32_t *to)
{
    if (run->offsets) {
        while (*at < run->slices && run->offsets[*at] == run->offsets[*at + 1])
            ++*at;
        if (*at == run->slices)
            return false;
        *slice = *at;
        *from = run->offsets[*at];
        *to = run->offsets[*at + 1];
        return true;
    }
    if (*at >= run->n_ends)
        return false;
    *slice = run->ends[*at].slice;
    *from = *at > 0 ? run->ends[*at - 1].end : 0;
    *to = run->ends[*at].end;
    return true;
}

/* enchain: a member waits for its next slice. */
static void enchain(writing *w, uint32_t member)
{
    uint32_t slice, from, to;
    chain *c = &w->chains[member];
    if (!rows_at(w->parcel->members[member].run, &c->at, &slice, &from, &to))
        return;
    c->next = w->heads[slice];
    w->heads[slice] = member + 1;
}

/* measure: bytes of rows on disk, at most. */
static size_t measure(
    const spk_run *run, const spk_layout *layout, uint32_t from, uint32_t to, size_t *tail)
{
    const size_t n = to - from, size = layout->size;
    const char *rows = run->rows + from * size;
    size_t bytes = *tail = up(n * size) + (run->hashes ? n * 8 : 0);
    for (size_t i = 0; layout->views && i < n; i++)
        bytes += spk_value_bytes(layout, rows + i * size);
    return up(bytes);
}

/* fill: rows as they are on disk. Returns their bytes. */
static size_t fill(const spk_run *run, const spk_layout *layout, uint32_t from, uint32_t to,
    char *block, size_t tail, size_t most)
{
    const size_t n = to - from, size = layout->size;
    char *end = block + tail;
    memset(block, 0, most);
    memcpy(block, run->rows + from * size, n * size);
    if (run->hashes)
        memcpy(block + up(n * size), run->hashes + from, n * 8);
    for (size_t i = 0; layout->views && i < n; i++)
        end = spk_value_pack(layout, block + i * size, end);
    if (layout->views)
        spk_rows_shift(layout, block, n, (ptrdiff_t)(0 - (uintptr_t)block), true);
    return (size_t)(end - block);
}

static spark_status flush_buffer(writing *w)
{
    const size_t used = w->used;
    const uint64_t at = w->at;
    w->used = 0;
    w->at += used;
    return spk_spill_write(w->parcel->spill, w->buffer, used, at, w->failure);
}

/* flush_extents: a granule of the directory. */
static spark_status flush_extents(writing *w)
{
    const uint64_t n = (w->n_extents - 1) % SPK_GRANULE + 1, which = (w->n_extents - 1) / SPK_GRANULE;
    spk_parcel *parcel = w->parcel;
    parcel->granules[which] = (granule) {
        .checksum = spk_hash_bytes(w->extents, n * sizeof *w->extents), .first = w->extents[0].slice
    };
    return spk_spill_write(parcel->spill, w->extents, n * sizeof *w->extents,
        parcel->directory + which * sizeof w->extents, w->failure);
}

static spark_status write_extent(
    writing *w, uint32_t member, uint32_t slice, uint32_t from, uint32_t to)
{
    const spk_run *run = w->parcel->members[member].run;
    spark_status status = SPARK_OK;
    size_t tail;
    const size_t most = measure(run, w->parcel->layout, from, to, &tail);
    if (w->used + most > w->room)
        status = flush_buffer(w);
    if (status != SPARK_OK)
        return status;
    char *block = w->buffer + w->used;
    const size_t bytes = fill(run, w->parcel->layout, from, to, block, tail, most);
    w->extents[w->n_extents++ % SPK_GRANULE] = (spk_extent) { .slice = slice,
        .member = member,
        .n = to - from,
        .bytes = (uint32_t)bytes,
        .at = w->at + w->used,
        .checksum = spk_hash_bytes(block, bytes) };
    w->used += most;
    return w->n_extents % SPK_GRANULE == 0 ? flush_extents(w) : SPARK_OK;
}

static spark_status write_slices(writing *w)
{
    spark_status status = SPARK_OK;
    for (uint32_t m = 0; m < w->parcel->n; m++)
        if (w->parcel->members[m].run)
            enchain(w, m);
    for (uint32_t s = 0; s < w->parcel->slices; s++)
        for (uint32_t m, next = w->heads[s]; (m = next) > 0 && status == SPARK_OK;) {
            uint32_t slice, from, to;
            chain *c = &w->chains[m - 1];
            next = c->next;
            rows_at(w->parcel->members[m - 1].run, &c->at, &slice, &from, &to);
            status = write_extent(w, m - 1, slice, from, to);
            c->at++;
            enchain(w, m - 1);
        }
    if (status == SPARK_OK && w->n_extents % SPK_GRANULE != 0)
        status = flush_extents(w);
    return status == SPARK_OK ? flush_buffer(w) : status;
}

/* measure_all: how many extents there are, their bytes on disk, and the largest one's. */
static uint64_t measure_all(const spk_parcel *parcel, uint64_t *bytes, size_t *largest)
{
    uint64_t extents = 0;
    *bytes = 0;
    *largest = 16;
    for (uint32_t m = 0; m < parcel->n; m++) {
        const spk_run *run = parcel->members[m].run;
        uint32_t slice, from, to;
        size_t tail;
        for (uint32_t at = 0; run && rows_at(run, &at, &slice, &from, &to); at++, extents++) {
            const size_t some = measure(run, parcel->layout, from, to, &tail);
            *largest = some > *largest ? some : *largest;
            *bytes += some;
        }
    }
    return extents;
}

/* write_with: with room for a buffer. */
static spark_status write_with(spk_parcel *parcel, char *scratch, size_t room, uint64_t bytes,
    uint64_t extents, spk_failure *failure)
{
    writing w = { .parcel = parcel, .buffer = scratch, .room = room, .failure = failure };
    w.heads = (uint32_t *)(void *)(scratch + room);
    memset(w.heads, 0, parcel->slices * sizeof *w.heads);
    w.chains = (chain *)(void *)(scratch + room + up(parcel->slices * sizeof *w.heads));
    memset(w.chains, 0, parcel->n * sizeof *w.chains);
    const uint64_t all = bytes + extents * sizeof(spk_extent);
    spark_status status = spk_spill_reserve(parcel->spill, all, &parcel->at, failure);
    if (status != SPARK_OK)
        return status;
    w.at = parcel->at;
    parcel->directory = parcel->at + bytes;
    parcel->n_extents = extents;
    parcel->disk_bytes = all;
    status = write_slices(&w);
    if (status != SPARK_OK)
        spk_spill_forget(parcel->spill, parcel->at, all);
    return status;
}

/* write_parcel: *done: it is on disk. Without memory for the writing it stays in memory; what needs
 * more will say so. */
static spark_status write_parcel(spk_parcel *parcel, bool *done, spk_failure *failure)
{
    uint64_t bytes;
    size_t largest, capacity = 0;
    const uint64_t extents = measure_all(parcel, &bytes, &largest);
    size_t room = bytes < BUFFER ? up(bytes + 16) : BUFFER;
    room = largest > room ? largest : room;
    *done = false;
    char *scratch = spk_heap_alloc(parcel->heap,
        room + up(parcel->slices * sizeof(uint32_t)) + parcel->n * sizeof(chain), &capacity);
    granule *granules = spk_heap_alloc(parcel->heap,
        (extents + SPK_GRANULE) / SPK_GRANULE * sizeof *granules, &parcel->granules_capacity);
    spark_status status = SPARK_OK;
    parcel->granules = granules;
    if (scratch && granules) {
        status = write_with(parcel, scratch, room, bytes, extents, failure);
        *done = status == SPARK_OK;
    }
    spk_heap_free(parcel->heap, scratch, capacity);
    if (!*done) {
        spk_heap_free(parcel->heap, granules, parcel->granules_capacity);
        parcel->granules = NULL;
    }
    return status;
}

/* full: the parcel to be written now, or NULL: the given one, when it holds enough for each of its
 * slices, or the largest, when they hold too much together. With the lock held. */
static spk_parcel *full(spk_parcel *parcel)
{
    const uint64_t limit = parcel->heap->limit, wanted = (uint64_t)parcel->slices * A_SLICE;
    const uint64_t most = limit / 16, enough = wanted > LEAST ? wanted : LEAST;
    if (parcel->bytes >= (enough < most ? enough : most))
        return parcel;
    if (parcel->spill->open_bytes < limit / 8)
        return NULL;
    for (spk_parcel *p = parcel->spill->open; p; p = p->next)
        parcel = p->bytes > parcel->bytes ? p : parcel;
    return parcel;
}

/* write_out: with the lock held, which is given up. A parcel that could not be written is open again. */
static spark_status write_out(spk_parcel *parcel, uint64_t *written, spk_failure *failure)
{
    spk_spill *spill = parcel->spill;
    bool done;
    unlink_open(parcel);
    parcel->state = WRITING;
    pthread_mutex_unlock(&spill->lock);
    const spark_status status = write_parcel(parcel, &done, failure);
    pthread_mutex_lock(&spill->lock);
    if (done) {
        *written = parcel->directory - parcel->at;
        parcel->state = WRITTEN;
    } else {
        parcel->state = OPEN;
        parcel->next = spill->open;
        spill->open = parcel;
        spill->open_bytes += parcel->bytes;
    }
    settle(parcel);
    return status;
}

spark_status spk_parcel_add(
    const spk_parcel_place *place, spk_run **run, uint64_t *written, spk_failure *failure)
{
    spk_spill *spill = place->spill;
    char *tail;
    *written = 0;
    if ((*run)->capacity > UINT32_MAX / 2)
        return SPARK_OK; /* one huge row stays where it is */
    spk_run *head = spk_run_alloc(place->heap, 0, 1, 0, 0, false, &tail);
    if (!head)
        return SPARK_OK; /* it stays in memory; what needs more will say so */
    pthread_mutex_lock(&spill->lock);
    spk_parcel *parcel = find_open(place, *run);
    if (!parcel || !enter(parcel, place, *run, head)) {
        if (parcel && parcel->n == 0) {
            unlink_open(parcel);
            free(parcel);
        }
        pthread_mutex_unlock(&spill->lock);
        spk_runs_free(place->heap, head);
        return SPARK_OK;
    }
    *run = head;
    spk_parcel *next = full(parcel);
    if (next)
        return write_out(next, written, failure);
    pthread_mutex_unlock(&spill->lock);
    return SPARK_OK;
}

/* ---- reading */

static bool visit_memory(
    const spk_parcel *parcel, uint32_t slice, spk_parcel_visit *visit, void *arg)
{
    for (uint32_t m = 0; m < parcel->n; m++) {
        const spk_member *member = &parcel->members[m];
        uint32_t from, to;
        if (!member->run)
            continue;
        spk_run_slice(member->run, slice, &from, &to);
        const spk_extent extent = { .slice = slice, .member = m, .n = to - from, .at = from };
        if (extent.n > 0 && !visit(arg, member, &extent, member->run))
            return false;
    }
    return true;
}

static uint64_t granules_of(const spk_parcel *parcel)
{
    return (parcel->n_extents + SPK_GRANULE - 1) / SPK_GRANULE;
}

/* first_granule: the first one that may have extents of the slice. */
static uint64_t first_granule(const spk_parcel *parcel, uint32_t slice)
{
    uint64_t low = 0, high = granules_of(parcel);
    while (low < high) { /* the first that begins with the slice or behind it */
        const uint64_t middle = low + (high - low) / 2;
        if (parcel->granules[middle].first < slice)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : 0;
}

static uint32_t granule_size(const spk_parcel *parcel, uint64_t which)
{
    const uint64_t left = parcel->n_extents - which * SPK_GRANULE;
    return left < SPK_GRANULE ? (uint32_t)left : SPK_GRANULE;
}

static spark_status see_granule(
    const spk_parcel *parcel, uint64_t which, spk_granule_seen *seen, spk_failure *failure)
{
    const size_t bytes = granule_size(parcel, which) * sizeof(spk_extent);
    if (seen->which == which + 1)
        return SPARK_OK;
    seen->which = 0;
    const spark_status status = spk_spill_read(parcel->spill, seen->extents, bytes,
        parcel->directory + which * sizeof seen->extents, failure);
    if (status != SPARK_OK)
        return status;
    spk_corrupt(seen->extents, bytes);
    if (spk_hash_bytes(seen->extents, bytes) != parcel->granules[which].checksum)
        return spk_spill_changed(parcel->spill, parcel->at, failure);
    seen->which = which + 1;
    return SPARK_OK;
}

static spark_status visit_disk(const spk_parcel *parcel, uint32_t slice, spk_granule_seen *seen,
    spk_parcel_visit *visit, void *arg, spk_failure *failure)
{
    const uint64_t n = granules_of(parcel);
    for (uint64_t g = first_granule(parcel, slice); g < n && parcel->granules[g].first <= slice;
         g++) {
        const spark_status status = see_granule(parcel, g, seen, failure);
        if (status != SPARK_OK)
            return status;
        for (uint32_t i = 0; i < granule_size(parcel, g); i++) {
            const spk_extent *extent = &seen->extents[i];
            if (extent->slice == slice
                && !visit(arg, &parcel->members[extent->member], extent, NULL))
                return SPARK_OK;
        }
    }
    return SPARK_OK;
}

spark_status spk_parcel_slice(spk_parcel *parcel, uint32_t slice, spk_granule_seen **seen,
    bool *pinned, spk_parcel_visit *visit, void *arg, spk_failure *failure)
{
    pthread_mutex_lock(&parcel->spill->lock);
    *pinned = parcel->state != WRITTEN;
    if (*pinned) {
        parcel->pins++;
        visit_memory(parcel, slice, visit, arg);
    }
    pthread_mutex_unlock(&parcel->spill->lock);
    if (*pinned)
        return SPARK_OK;
    if (!*seen && !(*seen = calloc(1, sizeof **seen)))
        return spk_failure_nomem(failure, NULL, NULL);
    return visit_disk(parcel, slice, *seen, visit, arg, failure);
}

spark_status spk_parcel_read(
    const spk_parcel *parcel, uint64_t at, size_t n, void *to, spk_failure *failure)
{
    return spk_spill_read(parcel->spill, to, n, at, failure);
}

spark_status spk_extent_open(const spk_parcel *parcel, const spk_extent *extent, char *rows,
    uint64_t **hashes, spk_failure *failure)
{
    const spk_layout *layout = parcel->layout;
    spk_corrupt(rows, extent->bytes);
    if (spk_hash_bytes(rows, extent->bytes) != extent->checksum)
        return spk_spill_changed(parcel->spill, parcel->at, failure);
    *hashes = parcel->carries
        ? (uint64_t *)(void *)(rows + up((size_t)extent->n * layout->size))
        : NULL;
    if (layout->views)
        spk_rows_shift(layout, rows, extent->n, (ptrdiff_t)(uintptr_t)rows, false);
    return SPARK_OK;
}

const spk_member *spk_parcel_member(const spk_parcel *parcel, uint32_t i)
{
    return i < parcel->n ? &parcel->members[i] : NULL;
}
