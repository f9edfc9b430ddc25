/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that went to disk, of which any bytes change there, as the input says: each extent is read as it was
 * written, or refused. The input: which slice is read (more than there are: all), then places of four bytes and
 * the byte that comes there. The file is read into memory once, where it is changed and read (the linker's --wrap):
 * no input costs a call of the system. */
#include <unistd.h>

#include "replay.h"
#include "storage/parcel.h"

SPARK_PAIR(word, spark_str, int64_t);

enum { RUNS = 14, ROWS = 40, SLICES = 20, MOST_EXTENTS = RUNS, LONGEST = 1 << 16 };

/* image: the bytes of the file, once they are there. */
static struct {
    char *at;
    size_t n;
    int fd;
} image;

ssize_t __real_spk_pread(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_spk_pread(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_spk_pread(int fd, void *to, size_t n, off_t at)
{
    if (!image.at || fd != image.fd)
        return __real_spk_pread(fd, to, n, at);
    const size_t left = at >= 0 && (size_t)at < image.n ? image.n - (size_t)at : 0, some = n < left ? n : left;
    memcpy(to, image.at + at, some);
    return (ssize_t)some;
}

typedef struct rig {
    spk_heap heap;
    spk_types *types;
    const spk_layout *layout;
    spk_spill spill;
    spk_run *heads[RUNS];
    spk_map_output outputs[RUNS];
    uint64_t digests[RUNS][SLICES]; /* of what was written */
} rig;

static uint64_t digest_of(const spk_layout *layout, const char *rows, uint64_t n)
{
    uint64_t digest = n + 1;
    for (uint64_t i = 0; i < n; i++)
        digest = (digest ^ spk_value_hash(layout, rows + i * sizeof(word))) * 0x100000001b3u;
    return digest;
}

static spk_run *make_run(rig *r, int number)
{
    char text[200], *tail;
    memset(text, 'a' + number % 26, sizeof text);
    spk_run *run = spk_run_alloc(&r->heap, ROWS, sizeof(word), ROWS * sizeof text, SLICES, false, &tail);
    insist(run != NULL);
    for (int i = 0; i < ROWS; i++) {
        const word w = { { text, (size_t)(number * 7 + i * 31) % sizeof text }, number * 1000 + i };
        memcpy(run->rows + (size_t)i * sizeof w, &w, sizeof w);
        tail = spk_value_pack(r->layout, run->rows + (size_t)i * sizeof w, tail);
    }
    run->bytes = ROWS * (sizeof(word) + sizeof text);
    for (uint32_t s = 0, at = 0; s < SLICES; s++) {
        const uint32_t from = at;
        at = (s + 1) * ROWS / SLICES;
        r->digests[number][s] = digest_of(r->layout, run->rows + from * sizeof(word), at - from);
        if (run->offsets)
            run->offsets[s] = from, run->offsets[s + 1] = at;
        else if (at > from)
            run->ends[run->n_ends++] = (spk_slice_end) { s, at };
    }
    return run;
}

static void make(rig *r)
{
    spk_failure failure;
    spk_heap_init(&r->heap, 1 << 20); /* parcels of 64 KiB */
    r->types = spk_types_new();
    r->layout = r->types ? spk_layout_of(r->types, SPARK_TYPE(word), &failure) : NULL;
    insist(r->layout != NULL);
    spk_spill_init(&r->spill, NULL);
    for (int i = 0; i < RUNS; i++) {
        uint64_t written;
        r->heads[i] = make_run(r, i);
        const spk_parcel_place place = { .spill = &r->spill, .heap = &r->heap, .layout = r->layout,
            .key = 1, .output = &r->outputs[i], .map = i, .position = (uint32_t)i };
        insist(spk_parcel_add(&place, &r->heads[i], &written, &failure) == SPARK_OK);
    }
    image.fd = r->spill.files[0].fd;
    image.n = (size_t)r->spill.files[0].end;
    insist(image.fd >= 0 && image.n > 0);
    char *at = malloc(image.n);
    insist(at && pread(image.fd, at, image.n, 0) == (ssize_t)image.n);
    image.at = at;
}

typedef struct found {
    const spk_member *member;
    spk_extent extent;
} found;

typedef struct finding {
    found at[MOST_EXTENTS];
    size_t n;
} finding;

static bool note(void *arg, const spk_member *member, const spk_extent *extent, const spk_run *run)
{
    finding *f = arg;
    if (!run && atomic_load(&member->output)) {
        insist(f->n < MOST_EXTENTS && extent->bytes <= LONGEST);
        f->at[f->n++] = (found) { member, *extent };
    }
    return true;
}

static void read_extent(const rig *r, const spk_parcel *parcel, const found *p, uint32_t slice)
{
    static _Alignas(64) char rows[LONGEST + 64];
    spk_failure failure;
    uint64_t *hashes;
    if (spk_parcel_read(parcel, p->extent.at, p->extent.bytes, rows, &failure) == SPARK_OK
        && spk_extent_open(parcel, &p->extent, rows, &hashes, &failure) == SPARK_OK)
        insist(digest_of(r->layout, rows, p->extent.n) == r->digests[p->member->map][slice]);
}

static void read_slices(rig *r, uint32_t first, uint32_t end)
{
    for (int i = 0; i < RUNS; i++) {
        spk_parcel *parcel = r->heads[i]->parcel;
        spk_granule_seen *seen = NULL;
        for (uint32_t s = first; s < end && (i == 0 || parcel != r->heads[i - 1]->parcel); s++) {
            finding f = { .n = 0 };
            spk_failure failure;
            bool pinned;
            if (spk_parcel_slice(parcel, s, &seen, &pinned, note, &f, &failure) == SPARK_OK)
                for (size_t k = 0; k < f.n; k++)
                    read_extent(r, parcel, &f.at[k], s);
            if (pinned)
                spk_parcel_unpin(parcel);
        }
        free(seen);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { CHANGES = 16, EACH = 5 };
    static rig r;
    char before[CHANGES];
    size_t places[CHANGES];
    if (!r.layout)
        make(&r);
    if (size == 0)
        return 0;
    const uint32_t slice = *data++ % (SLICES + 1u);
    size_t n = 0;
    size--;
    for (; n < CHANGES && (n + 1) * EACH <= size; n++) {
        uint32_t at;
        memcpy(&at, data + n * EACH, sizeof at);
        places[n] = at % image.n;
        before[n] = image.at[places[n]];
        image.at[places[n]] = (char)data[n * EACH + 4];
    }
    read_slices(&r, slice % SLICES, slice < SLICES ? slice + 1 : SLICES);
    while (n-- > 0)
        image.at[places[n]] = before[n];
    return 0;
}
