/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes of runs, and parcels: what went in comes out, of every type, slice by slice, from memory and
 * from disk; what is spoilt on disk is noticed. */
#include "support/fixture.h"
#include "type/random_value.h"

#include <fcntl.h>
#include <unistd.h>

#include "storage/parcel.h"

enum { RUNS = 60, MOST_ROWS = 40, KIB = 1024 };

/* made: a run, and what must be found in it. */
typedef struct made {
    spk_run *head; /* what became of it */
    size_t n;
    uint32_t slices[MOST_ROWS];
    char *rows;
    spk_map_output *output;
} made;

typedef struct rig {
    fixture *f;
    spk_spill spill;
    const spk_layout *layout;
    uint32_t slices;
    bool hashes;
    value_pool pools[RUNS];
    made all[RUNS];
    size_t seen; /* rows */
} rig;

static int ascending(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void index_run(spk_run *run, const uint32_t *slices, size_t n)
{
    if (run->offsets) {
        for (uint32_t s = 0, at = 0; s <= run->slices; s++) {
            while (at < n && slices[at] < s)
                at++;
            run->offsets[s] = at;
        }
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (i + 1 == n || slices[i] != slices[i + 1])
            run->ends[run->n_ends++] = (spk_slice_end) { slices[i], i + 1 };
}

static spk_run *make_run(rig *r, made *m)
{
    value_pool *pool = &r->pools[m - r->all];
    const size_t size = r->layout->size;
    size_t bytes = 0;
    char *tail;
    m->n = 1 + random_below(MOST_ROWS);
    m->rows = pool_alloc(pool, m->n * size);
    for (size_t i = 0; i < m->n; i++) {
        m->slices[i] = (uint32_t)random_below(r->slices);
        random_row(r->layout->type, m->rows + i * size, pool);
        bytes += spk_value_bytes(r->layout, m->rows + i * size);
    }
    qsort(m->slices, m->n, sizeof *m->slices, ascending);
    spk_run *run
        = spk_run_alloc(&r->f->heap, m->n, size, bytes, r->slices, r->hashes, &tail);
    assert_non_null(run);
    index_run(run, m->slices, m->n);
    memcpy(run->rows, m->rows, m->n * size);
    for (size_t i = 0; i < m->n; i++) {
        tail = spk_value_pack(r->layout, run->rows + i * size, tail);
        if (r->hashes)
            run->hashes[i] = m->slices[i] * UINT64_C(1000) + i;
    }
    run->bytes = m->n * size + bytes;
    return run;
}

static void open_rig(rig *r, fixture *f, const spark_type *type, uint32_t slices, bool hashes)
{
    *r = (rig) { .f = f, .slices = slices, .hashes = hashes };
    r->layout = layout_of(f->types, type);
    spk_spill_init(&r->spill, NULL);
    f->heap.limit = 1024 * KIB; /* parcels of 64 KiB */
}

/* add_all: to two parcels in turn. */
static uint64_t add_all(rig *r)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < RUNS; i++) {
        made *m = &r->all[i];
        spk_failure failure;
        uint64_t written;
        m->output = calloc(1, sizeof *m->output);
        assert_non_null(m->output);
        m->head = make_run(r, m);
        const spk_parcel_place place = { .spill = &r->spill,
            .heap = &r->f->heap,
            .layout = r->layout,
            .key = 7 + i % 3 / 2,
            .output = m->output,
            .map = (int)i,
            .position = i };
        assert_int_equal(spk_parcel_add(&place, &m->head, &written, &failure), SPARK_OK);
        assert_non_null(m->head->parcel);
        all += written;
    }
    return all;
}

typedef struct found {
    const spk_member *member;
    spk_extent extent;
    const spk_run *run;
} found;

typedef struct finding {
    found at[RUNS];
    size_t n;
} finding;

static bool note_extent(
    void *arg, const spk_member *member, const spk_extent *extent, const spk_run *run)
{
    finding *f = arg;
    if (atomic_load(&member->output))
        f->at[f->n++] = (found) { member, *extent, run };
    return true;
}

static void expect_extent(rig *r, const found *p, uint32_t slice, const char *rows,
    const uint64_t *hashes)
{
    const made *m = &r->all[p->member->map];
    const size_t size = r->layout->size;
    size_t first = 0;
    assert_ptr_equal(atomic_load(&p->member->output), m->output);
    assert_int_equal(p->member->position, p->member->map);
    while (first < m->n && m->slices[first] < slice)
        first++;
    for (size_t i = 0; i < p->extent.n; i++, r->seen++) {
        assert_true(first + i < m->n && m->slices[first + i] == slice);
        assert_int_equal(naive_compare(r->layout->type, rows + i * size,
                             m->rows + (first + i) * size), 0);
        if (r->hashes)
            assert_true(hashes[i] == slice * UINT64_C(1000) + first + i);
    }
}

/* read_extent: SPARK_EIO: it is spoilt. */
static spark_status read_extent(rig *r, spk_parcel *parcel, const found *p, uint32_t slice)
{
    spk_failure failure;
    uint64_t *hashes = NULL;
    if (p->run) {
        expect_extent(r, p, slice, p->run->rows + p->extent.at * r->layout->size,
            p->run->hashes ? p->run->hashes + p->extent.at : NULL);
        return SPARK_OK;
    }
    char *block = aligned_alloc(64, (p->extent.bytes + (size_t)127) / 64 * 64);
    assert_non_null(block);
    spark_status status
        = spk_parcel_read(parcel, p->extent.at, p->extent.bytes, block, &failure);
    if (status == SPARK_OK)
        status = spk_extent_open(parcel, &p->extent, block, &hashes, &failure);
    if (status == SPARK_OK)
        expect_extent(r, p, slice, block, hashes);
    free(block);
    return status;
}

/* read_parcel: all its slices. Returns how many could not be read. */
static int read_parcel(rig *r, spk_parcel *parcel)
{
    spk_granule_seen *seen = NULL;
    int spoilt = 0;
    for (uint32_t s = 0; s < r->slices; s++) {
        finding f = { .n = 0 };
        spk_failure failure;
        bool pinned;
        const spark_status status
            = spk_parcel_slice(parcel, s, &seen, &pinned, note_extent, &f, &failure);
        spoilt += status == SPARK_EIO;
        assert_true(status == SPARK_OK || status == SPARK_EIO);
        for (size_t i = 0; status == SPARK_OK && i < f.n; i++)
            spoilt += read_extent(r, parcel, &f.at[i], s) != SPARK_OK;
        if (pinned)
            spk_parcel_unpin(parcel);
    }
    free(seen);
    return spoilt;
}

/* read_all: each parcel once. */
static int read_all(rig *r)
{
    int spoilt = 0;
    r->seen = 0;
    for (size_t i = 0; i < RUNS; i++) {
        bool first = r->all[i].head != NULL;
        for (size_t j = 0; j < i && first; j++)
            first = !r->all[j].head || r->all[j].head->parcel != r->all[i].head->parcel;
        if (first)
            spoilt += read_parcel(r, r->all[i].head->parcel);
    }
    return spoilt;
}

static size_t rows_left(const rig *r)
{
    size_t n = 0;
    for (size_t i = 0; i < RUNS; i++)
        n += r->all[i].head ? r->all[i].n : 0;
    return n;
}

static void drop_run(rig *r, size_t i)
{
    spk_runs_free(&r->f->heap, r->all[i].head);
    free(r->all[i].output);
    r->all[i].head = NULL;
}

static void close_rig(rig *r)
{
    for (size_t i = 0; i < RUNS; i++)
        if (r->all[i].head)
            drop_run(r, i);
    assert_null(r->spill.open);
    assert_int_equal(r->spill.open_bytes, 0);
    spk_spill_fini(&r->spill);
    for (size_t i = 0; i < RUNS; i++)
        pool_free(&r->pools[i]);
    r->f->heap.limit = 0;
}

static const uint32_t slice_counts[] = { 1, 7, 300, 5000 };

static void test_run__index_is_right_and_in_proportion(void **state)
{
    for (size_t c = 0; c < 4; c++)
        for (int i = 0; i < 50; i++) {
            static rig r;
            open_rig(&r, *state, SPARK_TYPE(int64_t), slice_counts[c], false);
            made *m = &r.all[0];
            spk_run *run = make_run(&r, m);
            for (uint32_t s = 0, at = 0; s < r.slices; s++) {
                uint32_t from, to, n = 0;
                spk_run_slice(run, s, &from, &to);
                for (size_t k = 0; k < m->n; k++)
                    n += m->slices[k] == s;
                assert_int_equal(to - from, n);
                assert_true(n == 0 || from == at);
                at += n;
            }
            assert_true(run->capacity < 1024 + m->n * 24);
            spk_runs_free(&r.f->heap, run);
            close_rig(&r);
        }
}

static void test_parcel__gives_back_what_it_was_given(void **state)
{
    for (size_t t = 0; t < N_TYPES; t++) {
        static rig r;
        open_rig(&r, *state, all_types[t], slice_counts[t % 4], t % 3 == 0);
        const uint64_t written = add_all(&r);
        assert_true(t % 4 == 3 || all_types[t]->size < 64 || written > 0);
        assert_int_equal(read_all(&r), 0);
        assert_int_equal(r.seen, rows_left(&r));
        for (size_t i = 0; i < RUNS; i++)
            if (random_below(3) == 0)
                drop_run(&r, i);
        assert_int_equal(read_all(&r), 0);
        assert_int_equal(r.seen, rows_left(&r));
        close_rig(&r);
    }
}

/* Its runs go while a reader holds them. */
static void test_parcel__pinned_stays(void **state)
{
    static rig r;
    spk_granule_seen *seen = NULL;
    spk_failure failure;
    bool pinned;
    finding f = { .n = 0 };
    open_rig(&r, *state, SPARK_TYPE(word_count), 1, false);
    r.f->heap.limit = 64 * 1024 * KIB; /* nothing is written */
    assert_int_equal(add_all(&r), 0);
    spk_parcel *parcel = r.all[0].head->parcel;
    assert_int_equal(
        spk_parcel_slice(parcel, 0, &seen, &pinned, note_extent, &f, &failure), SPARK_OK);
    assert_true(pinned && f.n > 1);
    const spk_run *run = f.at[0].run;
    const made *m = &r.all[f.at[0].member->map];
    for (size_t i = 0; i < RUNS; i++)
        drop_run(&r, i);
    assert_int_equal(naive_compare(r.layout->type, run->rows, m->rows), 0);
    spk_parcel_unpin(parcel);
    close_rig(&r);
}

static void test_parcel__notices_what_changed_on_disk(void **state)
{
    static rig r;
    open_rig(&r, *state, SPARK_TYPE(invoice), 7, true);
    assert_true(add_all(&r) > 0);
    for (uint64_t at = 100; at < r.spill.files[0].end; at += 997) {
        char byte;
        assert_int_equal(pread(r.spill.files[0].fd, &byte, 1, (off_t)at), 1);
        byte ^= 1;
        assert_int_equal(pwrite(r.spill.files[0].fd, &byte, 1, (off_t)at), 1);
    }
    assert_true(read_all(&r) > 0);
    assert_int_equal(ftruncate(r.spill.files[0].fd, 0), 0);
    assert_true(read_all(&r) > 0);
    close_rig(&r);
}

static void test_parcel__keeps_in_memory_what_cannot_be_written(void **state)
{
    static rig r;
    open_rig(&r, *state, SPARK_TYPE(invoice), 7, true);
    spk_failure failure;
    uint64_t written;
    int failed = 0;
    r.spill.directory = "/nowhere/at/all";
    for (uint32_t i = 0; i < RUNS; i++) {
        made *m = &r.all[i];
        m->output = calloc(1, sizeof *m->output);
        m->head = make_run(&r, m);
        const spk_parcel_place place = { .spill = &r.spill,
            .heap = &r.f->heap,
            .layout = r.layout,
            .output = m->output,
            .map = (int)i,
            .position = i };
        failed += spk_parcel_add(&place, &m->head, &written, &failure) == SPARK_EIO;
    }
    assert_true(failed > 0);
    assert_int_equal(read_all(&r), 0);
    assert_int_equal(r.seen, rows_left(&r));
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_run__index_is_right_and_in_proportion),
        fixture_test(test_parcel__gives_back_what_it_was_given),
        fixture_test(test_parcel__pinned_stays),
        fixture_test(test_parcel__notices_what_changed_on_disk),
        fixture_test(test_parcel__keeps_in_memory_what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
