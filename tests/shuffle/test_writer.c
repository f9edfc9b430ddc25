/* SPDX-License-Identifier: Apache-2.0 */
/* The map side: what a window holds is decided by the data alone, rows are sorted stably by slice, and
 * combining that does not pay is left off for a while. */
#include "type/random_value.h"

#include "plan/partitioner.h"
#include "shuffle/merge.h"
#include "shuffle/ranges.h"
#include "shuffle/writer.h"

enum { WINDOW_KEYS = 65536, FIRST_KEYS = 16384, WINDOW_BYTES = 4 * 1024 * 1024, RAW_WINDOWS = 32 };

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(i32_i32, int32_t, int32_t);
SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_PAIR(i64_str, int64_t, spark_str);
SPARK_STRUCT(three, (int64_t, key), (int64_t, a), (int64_t, b));
SPARK_STRUCT(page, (char, bytes, 1000));
SPARK_PAIR(i64_page, int64_t, page);

SPARK_PARTITIONER(by_modulo, int64_t)
{
    return (uint32_t)((uint64_t)*key % partitions);
}
SPARK_PARTITIONER(by_modulo_str, spark_str)
{
    return (uint32_t)key->len % partitions;
}
SPARK_PARTITIONER(one_too_far, int64_t)
{
    return *key == 777 ? partitions : 0;
}
SPARK_MERGE(keep_first, page, page)
{
    (void)acc, (void)in;
}
SPARK_MERGE(add_one, int64_t, int64_t)
{
    (void)in;
    ++*acc;
}
SPARK_ORDER(by_number, i64_i64, (desc, key));

/* ---- a writer by itself */

typedef struct rig {
    spark_context *sc;
    spark_task *task;
    spk_shuffle shuffle;
    spk_aggregator aggregator;
    spark_rdd owner;
} rig;

static void open_rig(rig *r, int batch_rows)
{
    *r = (rig) { .sc
        = spark_context_new(&(spark_conf) { .threads = 1, .batch_rows = batch_rows }) };
    r->task = spk_task_new(r->sc);
    assert_non_null(r->task);
    spk_task_begin(r->task, 0, 0, 0, 0);
    r->owner = (spark_rdd) { .operation = "test", .site = "" };
}

/* close_rig: everything is given back. */
static void close_rig(rig *r)
{
    spk_task_end(r->task);
    spk_task_free(r->task);
    spk_partitioner_unref(r->shuffle.partitioner);
    assert_int_equal(r->sc->heap.mapped, r->sc->heap.cached);
    spark_context_free(r->sc);
}

typedef enum how { PLAIN, SUM, SMALLEST, COUNT, DISTINCT, FIRST_PAGE } how;

/* aim: a shuffle of rows of this type. */
static void aim(rig *r, const spark_type *type, how h, int partitions, const spark_partitioner *p)
{
    const spk_layout *row = layout_of(r->sc->types, type);
    spk_failure failure;
    spark_partitioner *own = NULL;
    if (p) {
        memcpy(&own, &p, sizeof own);
        spk_partitioner_ref(own);
    }
    r->shuffle = (spk_shuffle) { .owner = &r->owner,
        .partitioner = own ? own : spk_partitioner_hash(r->sc, partitions, ""),
        .row = row,
        .key = row->key ? row->key : row,
        .slices = spk_slices_for(partitions) };
    if (type == SPARK_TYPE(three))
        r->shuffle.key = layout_of(r->sc->types, SPARK_TYPE(int64_t));
    if (h == PLAIN)
        return;
    static const int64_t zero = 0;
    const bool valued = h != DISTINCT;
    r->aggregator = (spk_aggregator) { .start = h == COUNT ? SPK_START_ZERO
            : valued                                       ? SPK_START_VALUE
                                                           : SPK_START_NONE,
        .key = r->shuffle.key,
        .in = row,
        .out = row,
        .value = valued ? row->value : NULL,
        .acc = valued ? row->value : NULL,
        .zero = h == COUNT ? &zero : NULL };
    const spark_merge_def *def = h == SUM ? spark_op_sum
        : h == SMALLEST                   ? spark_op_min
        : h == FIRST_PAGE                 ? keep_first
        : h == COUNT                      ? add_one
                                          : NULL;
    if (def)
        assert_int_equal(
            spk_merging_bind(&r->aggregator.add, def, NULL, row->value, row->value, &failure),
            SPARK_OK);
    r->shuffle.aggregator = &r->aggregator;
}

/* feed: n rows in batches; false: the sink has had enough. */
static bool feed(spk_writer *w, const void *rows, size_t n, size_t batch)
{
    const spk_sink sink = spk_writer_sink(w);
    const size_t size = w->shuffle->row->size;
    char *copy = malloc(batch * size);
    bool more = true;
    assert_non_null(copy);
    for (size_t i = 0; i < n && more; i += batch) {
        const size_t some = n - i < batch ? n - i : batch;
        memcpy(copy, (const char *)rows + i * size, some * size);
        more = sink.take(sink.state, (spk_batch) { copy, some });
        memset(copy, 0xdb, batch * size); /* a batch does not outlive the call */
    }
    free(copy);
    return more;
}

static spk_map_output *write_all(rig *r, const void *rows, size_t n, size_t batch, bool private)
{
    spk_writer w;
    assert_true(spk_writer_open(&w, r->task, &r->shuffle, private));
    assert_true(feed(&w, rows, n, batch));
    spk_map_output *output = spk_writer_close(&w);
    assert_non_null(output);
    return output;
}

/* ---- the same runs for any batches */

/* rebase: where views of a row point, from the beginning of the run. */
static bool same_views(
    const spk_layout *row, const char *a, const spk_run *x, const char *b, const spk_run *y)
{
    for (uint32_t i = 0; i < row->n_views; i++) {
        spark_str s, t;
        memcpy(&s, a + row->view_leaves[i].offset, sizeof s);
        memcpy(&t, b + row->view_leaves[i].offset, sizeof t);
        if (s.len != t.len || s.ptr - (const char *)x != t.ptr - (const char *)y
            || (s.len > 0 && memcmp(s.ptr, t.ptr, s.len) != 0))
            return false;
    }
    return true;
}

static void expect_same_run(const spk_layout *row, const spk_run *x, const spk_run *y)
{
    assert_int_equal(x->n, y->n);
    assert_int_equal(x->bytes, y->bytes);
    assert_int_equal(x->slices, y->slices);
    assert_int_equal(x->hashes != NULL, y->hashes != NULL);
    assert_memory_equal(x->offsets, y->offsets, (x->slices + 1) * sizeof x->offsets[0]);
    if (x->hashes)
        assert_memory_equal(x->hashes, y->hashes, x->n * sizeof x->hashes[0]);
    if (!row->views) {
        assert_memory_equal(x->rows, y->rows, x->n * row->size);
        return;
    }
    for (size_t i = 0; i < x->n; i++) {
        const char *a = x->rows + i * row->size, *b = y->rows + i * row->size;
        assert_int_equal(naive_compare(row->type, a, b), 0);
        assert_true(same_views(row, a, x, b, y));
    }
}

static size_t expect_same_output(
    const spk_layout *row, const spk_map_output *a, const spk_map_output *b)
{
    const spk_run *x = a->runs, *y = b->runs;
    size_t runs = 0;
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->bytes, b->bytes);
    for (; x && y; x = x->next, y = y->next, runs++)
        expect_same_run(row, x, y);
    assert_true(!x && !y);
    return runs;
}

/* check_batches: the output for batches of 1024 and those for others; at least so many runs. */
static void check_batches(
    const spark_type *type, how h, int partitions, const void *rows, size_t n, size_t least_runs)
{
    static const int batches[] = { 1, 2, 7, 1000, 65536 };
    rig first;
    open_rig(&first, 1024);
    aim(&first, type, h, partitions, NULL);
    spk_map_output *want = write_all(&first, rows, n, 1024, false);
    for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
        rig other;
        open_rig(&other, batches[b]);
        aim(&other, type, h, partitions, NULL);
        spk_map_output *have = write_all(&other, rows, n, (size_t)batches[b], false);
        assert_true(expect_same_output(first.shuffle.row, want, have) >= least_runs);
        assert_int_equal(other.task->counts.shuffle_rows, want->n);
        assert_int_equal(other.task->counts.shuffle_bytes, want->bytes);
        spk_map_output_free(have);
        close_rig(&other);
    }
    spk_map_output_free(want);
    close_rig(&first);
}

static void test_window__of_sums_ends_at_65536_keys(void **state)
{
    enum { N = 600000 };
    i64_i64 *rows = malloc(N * sizeof *rows);
    (void)state;
    assert_non_null(rows);
    for (size_t i = 0; i < N; i++)
        rows[i] = (i64_i64) { (int64_t)random_below(90000) * 1000, (int64_t)i };
    check_batches(SPARK_TYPE(i64_i64), SUM, 4, rows, N, 2);
    check_batches(SPARK_TYPE(i64_i64), COUNT, 300, rows, N, 2);
    free(rows);
}

static void test_window__of_long_keys_ends_at_4_mib(void **state)
{
    enum { N = 60000, LENGTH = 300 };
    str_i64 *rows = malloc(N * sizeof *rows);
    char *texts = malloc((size_t)N * LENGTH);
    (void)state;
    assert_true(rows && texts);
    for (size_t i = 0; i < N; i++) {
        char *text = texts + i * LENGTH;
        const size_t key = random_below(25000);
        memset(text, 'x', LENGTH);
        (void)snprintf(text, LENGTH, "%zu", key);
        rows[i] = (str_i64) { { text, 100 + key % (LENGTH - 100) }, (int64_t)i };
    }
    check_batches(SPARK_TYPE(str_i64), SUM, 3, rows, N, 2);
    check_batches(SPARK_TYPE(str_i64), PLAIN, 3, rows, N, 3);
    free(rows);
    free(texts);
}

static void test_window__of_texts_that_shrink_ends_at_4_mib(void **state)
{
    enum { N = 40000, LENGTH = 2000 };
    i64_str *rows = malloc(N * sizeof *rows);
    char *text = malloc(LENGTH);
    (void)state;
    assert_true(rows && text);
    memset(text, 'y', LENGTH);
    for (size_t i = 0; i < N; i++)
        rows[i] = (i64_str) { (int64_t)random_below(8000), { text, random_below(LENGTH) } };
    check_batches(SPARK_TYPE(i64_str), SMALLEST, 3, rows, N, 2);
    free(rows);
    free(text);
}

static void test_window__of_values_alone_may_be_distinct(void **state)
{
    enum { N = 300000 };
    int64_t *rows = malloc(N * sizeof *rows);
    (void)state;
    assert_non_null(rows);
    for (size_t i = 0; i < N; i++)
        rows[i] = (int64_t)random_below(80000);
    check_batches(SPARK_TYPE(int64_t), DISTINCT, 16, rows, N, 2);
    free(rows);
}

static void test_window__of_raw_rows_ends_at_4_mib(void **state)
{
    enum { N = 700000 };
    three *rows = malloc(N * sizeof *rows);
    i64_i64 *pairs = malloc(N * sizeof *pairs);
    (void)state;
    assert_true(rows && pairs);
    for (size_t i = 0; i < N; i++) {
        rows[i] = (three) { (int64_t)random_below(100000), (int64_t)i, 7 };
        pairs[i] = (i64_i64) { rows[i].key, (int64_t)i };
    }
    check_batches(SPARK_TYPE(three), PLAIN, 5, rows, N, 4);
    check_batches(SPARK_TYPE(i64_i64), PLAIN, 5, pairs, N, 3);
    free(rows);
    free(pairs);
}

static void test_window__of_small_raw_rows_ends_at_4_mib(void **state)
{
    enum { N = 1200000 };
    i32_i32 *rows = malloc(N * sizeof *rows);
    (void)state;
    assert_non_null(rows);
    for (size_t i = 0; i < N; i++)
        rows[i] = (i32_i32) { (int32_t)random_below(100000), (int32_t)i };
    check_batches(SPARK_TYPE(i32_i32), PLAIN, 5, rows, N, 3);
    free(rows);
}

/* Rows of a raw window are made by the function of the user: once each, wherever the window ends. */
static int64_t calls;

SPARK_MERGE(counted, spark_str, spark_str)
{
    calls++;
    if (in->len > acc->len)
        *acc = *in;
}

static void test_window__of_raw_rows_calls_add_once_a_row(void **state)
{
    enum { N = 20000, LENGTH = 3000 };
    static const int batches[] = { 1, 7, 1024 };
    static const spark_str zero = { NULL, 0 };
    i64_str *rows = malloc(N * sizeof *rows);
    char *text = calloc(LENGTH, 1);
    (void)state;
    assert_true(rows && text);
    for (size_t i = 0; i < N; i++)
        rows[i] = (i64_str) { (int64_t)i, { text, LENGTH - i % 1000 } };
    for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
        rig r;
        spk_failure failure;
        open_rig(&r, batches[b]);
        aim(&r, SPARK_TYPE(i64_str), SMALLEST, 4, NULL);
        r.aggregator.start = SPK_START_ZERO;
        r.aggregator.zero = &zero;
        assert_int_equal(spk_merging_bind(&r.aggregator.add, counted, NULL, r.aggregator.acc,
                             r.aggregator.acc, &failure),
            SPARK_OK);
        calls = 0;
        spk_map_output_free(write_all(&r, rows, N, (size_t)batches[b], false));
        assert_int_equal(calls, N);
        close_rig(&r);
    }
    free(rows);
    free(text);
}

/* ---- combining that does not pay */

/* after_window: whether the writer still combines after a window of so many rows, whose WINDOW_KEYS keys repeat alike
 * all the way; it ends at `keys`. */
static bool after_window(size_t rows, size_t keys)
{
    rig r;
    spk_writer w;
    i64_i64 *in = malloc((rows + 1) * sizeof *in);
    assert_non_null(in);
    for (size_t i = 0; i < rows; i++)
        in[i] = (i64_i64) { (int64_t)(i * WINDOW_KEYS / rows), 1 };
    in[rows] = (i64_i64) { -1, 1 }; /* ends the window */
    open_rig(&r, 1024);
    aim(&r, SPARK_TYPE(i64_i64), SUM, 4, NULL);
    assert_true(spk_writer_open(&w, r.task, &r.shuffle, false));
    assert_true(feed(&w, in, rows + 1, 1024));
    assert_int_equal(w.output->n, keys);
    const bool combining = w.combining;
    assert_int_equal(w.raw.left, combining ? 0 : RAW_WINDOWS);
    spk_writer_discard(&w);
    close_rig(&r);
    free(in);
    return combining;
}

static void test_combining__goes_on_from_5_rows_for_4_keys(void **state)
{
    (void)state;
    assert_false(after_window(WINDOW_KEYS, FIRST_KEYS)); /* rows are small, and judged by their first keys */
    assert_false(after_window(WINDOW_KEYS / 4 * 5 - 8, FIRST_KEYS));
    assert_false(after_window(WINDOW_KEYS / 4 * 5 - 1, WINDOW_KEYS));
    assert_true(after_window(WINDOW_KEYS / 4 * 5, WINDOW_KEYS));
    assert_true(after_window(WINDOW_KEYS * 3, WINDOW_KEYS));
}

static void test_combining__comes_back_after_32_raw_windows(void **state)
{
    enum { PER_WINDOW = WINDOW_BYTES / sizeof(i64_page) + 1, N = 200, WINDOWS = 36 };
    static i64_page rows[N];
    rig r;
    spk_writer w;
    int64_t key = 0;
    size_t number = 0;
    (void)state;
    open_rig(&r, 1024);
    aim(&r, SPARK_TYPE(i64_page), FIRST_PAGE, 4, NULL);
    assert_true(spk_writer_open(&w, r.task, &r.shuffle, false));
    for (size_t i = 0; i < (WINDOWS + 3) * (size_t)PER_WINDOW; i += N) {
        for (size_t j = 0; j < N; j++) { /* pairs of equal keys, once the first window has passed */
            rows[j].key = i < PER_WINDOW ? key++ : key / 2;
            key += i >= PER_WINDOW;
        }
        assert_true(feed(&w, rows, N, N));
    }
    spk_map_output *output = spk_writer_close(&w);
    assert_non_null(output);
    for (const spk_run *run = output->runs; run; run = run->next, number++) {
        if (run->next)
            assert_int_equal(run->n, PER_WINDOW);
        int64_t doubles = 0;
        for (size_t i = 1; i < run->n; i++) { /* equal keys are of one slice; neighbours here */
            const i64_page *row = (const i64_page *)(const void *)run->rows + i;
            doubles += row[-1].key == row->key;
        }
        if (number == 0)
            assert_int_equal(doubles, 0);
        else if (number <= RAW_WINDOWS)
            assert_true(doubles * 3 > (int64_t)run->n);
        else
            assert_int_equal(doubles, 0);
    }
    assert_true(number > RAW_WINDOWS + 1);
    spk_map_output_free(output);
    close_rig(&r);
}

/* ---- sorted by slice */

/* slice_of: as it is documented: the upper half of the hash scaled onto all slices, or, behind a
 * function, onto those of a partition. */
static uint32_t slice_of(const rig *r, const char *row, bool private)
{
    const uint64_t upper = spk_value_hash(r->shuffle.key, row) >> 32;
    const spark_partitioner *p = r->shuffle.partitioner;
    const uint32_t slices = r->shuffle.slices, partitions = (uint32_t)p->partitions;
    uint32_t partition = 0;
    if (p->kind == SPK_BY_HASH) {
        const uint32_t slice = (uint32_t)(upper * ((uint64_t)partitions * slices) >> 32);
        return private ? slice % slices : slice;
    }
    p->def.run(r->task, 1, row, r->shuffle.row->size, partitions, &partition, NULL);
    return (private ? 0 : partition) * slices + (uint32_t)(upper * slices >> 32);
}

/* expect_sorted: one run that holds the n rows, slice after slice, in the order they came in. */
static void expect_sorted(
    const rig *r, const spk_map_output *output, const char *rows, size_t n, bool private)
{
    const spk_layout *row = r->shuffle.row;
    const spk_run *run = output->runs;
    const uint32_t total
        = r->shuffle.slices * (private ? 1 : (uint32_t)r->shuffle.partitioner->partitions);
    size_t at = 0;
    assert_true(run && !run->next && run->n == n);
    assert_int_equal(run->slices, total);
    for (uint32_t s = 0; s < total; s++) {
        uint32_t from, to;
        spk_run_slice(run, s, &from, &to);
        assert_int_equal(from, at);
        for (size_t i = 0; i < n; i++) {
            if (slice_of(r, rows + i * row->size, private) != s)
                continue;
            const char *have = run->rows + at * row->size;
            assert_int_equal(naive_compare(row->type, have, rows + i * row->size), 0);
            if (run->hashes)
                assert_true(run->hashes[at] == spk_value_hash(r->shuffle.key, have));
            at++;
        }
        assert_int_equal(to, at);
    }
    assert_int_equal(at, n);
    assert_int_equal(output->n, n);
    assert_int_equal(output->bytes, run->bytes);
}

static void check_slices(
    const spark_type *type, int partitions, const spark_partitioner *p, const void *rows, size_t n)
{
    for (int private = 0; private < 2; private ++) {
        rig r;
        open_rig(&r, 100);
        aim(&r, type, PLAIN, partitions, p);
        spk_map_output *output = write_all(&r, rows, n, 100, private);
        expect_sorted(&r, output, rows, n, private);
        spk_map_output_free(output);
        close_rig(&r);
    }
}

static void test_run__is_sorted_stably_by_slice(void **state)
{
    enum { N = 3000 };
    static i64_i64 numbers[N];
    static str_i64 words[N];
    static three threes[N];
    static char texts[N][16];
    static const int counts[] = { 1, 2, 3, 16, 300 };
    (void)state;
    for (size_t i = 0; i < N; i++) {
        const int key = (int)random_below(500);
        numbers[i] = (i64_i64) { key, (int64_t)i };
        threes[i] = (three) { key, (int64_t)i, 1 };
        words[i].key = (spark_str) { texts[i], (size_t)snprintf(texts[i], 16, "k%d", key) };
        words[i].value = (int64_t)i;
    }
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1 });
    for (size_t c = 0; c < 5; c++) {
        const int n = counts[c];
        check_slices(SPARK_TYPE(i64_i64), n, NULL, numbers, N);
        check_slices(SPARK_TYPE(str_i64), n, NULL, words, N);
        check_slices(SPARK_TYPE(three), n, NULL, threes, N);
        check_slices(
            SPARK_TYPE(i64_i64), n, spark_partitioner_new(sc, n, by_modulo, NULL), numbers, N);
        check_slices(
            SPARK_TYPE(str_i64), n, spark_partitioner_new(sc, n, by_modulo_str, NULL), words, N);
    }
    spark_context_free(sc);
}

static void test_run__of_a_sort_follows_its_ranges(void **state)
{
    enum { N = 2000, PARTITIONS = 4, SLICES = 8 };
    static i64_i64 rows[N];
    static int64_t keys[N];
    uint32_t slices[N];
    spk_failure failure;
    spk_ranges ranges = { .n = 0 };
    rig r;
    (void)state;
    open_rig(&r, 100);
    aim(&r, SPARK_TYPE(i64_i64), PLAIN, PARTITIONS, NULL);
    for (size_t i = 0; i < N; i++) {
        rows[i] = (i64_i64) { (int64_t)random_below(300), (int64_t)i };
        keys[i] = rows[i].key;
    }
    assert_int_equal(
        spk_ordering_make(&ranges.ordering, r.sc->types, r.shuffle.row, by_number, &failure),
        SPARK_OK);
    spk_ordering_keys(&ranges.ordering, r.sc->types, &ranges.keys);
    assert_int_equal(ranges.keys.layout->size, sizeof *keys);
    assert_true(spk_ranges_make(&ranges, &r.sc->heap, (char *)keys, N, PARTITIONS, SLICES));
    r.shuffle.ranges = &ranges;
    r.shuffle.slices = SLICES;
    spk_map_output *output = write_all(&r, rows, N, 7, false);
    const spk_run *run = output->runs;
    assert_int_equal(run->slices, ranges.n);
    assert_null(run->hashes);
    for (uint32_t s = 0; s < run->slices; s++)
        for (uint32_t i = run->offsets[s]; i < run->offsets[s + 1]; i++) {
            const i64_i64 *row = (const i64_i64 *)(const void *)run->rows + i;
            spk_ranges_find(&ranges, (const char *)row, ranges.ordering.layout->size, 1, slices);
            assert_int_equal(slices[0], s);
            if (i > run->offsets[s])
                assert_true(row[-1].value < row->value); /* as they came in */
        }
    assert_int_equal(run->offsets[run->slices], N);
    spk_map_output_free(output);
    spk_ranges_fini(&ranges);
    close_rig(&r);
}

/* ---- the ends */

static void test_writer__of_nothing_has_no_runs(void **state)
{
    (void)state;
    for (int h = PLAIN; h <= SUM; h++) {
        rig r;
        open_rig(&r, 0);
        aim(&r, SPARK_TYPE(i64_i64), (how)h, 4, NULL);
        spk_map_output *output = write_all(&r, NULL, 0, 1, false);
        assert_null(output->runs);
        assert_int_equal(output->n, 0);
        assert_int_equal(output->bytes, 0);
        spk_map_output_free(output);
        close_rig(&r);
    }
}

static void test_partitioner__out_of_range_fails_the_task(void **state)
{
    enum { N = 5000 };
    static i64_i64 rows[N];
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1 });
    for (size_t i = 0; i < N; i++)
        rows[i] = (i64_i64) { (int64_t)i, 1 };
    for (int partitions = 1; partitions < 5; partitions++)
        for (int h = PLAIN; h <= SUM; h++) {
            rig r;
            spk_writer w;
            char message[100];
            (void)snprintf(message, sizeof message,
                "partitioner one_too_far gave partition %d of %d", partitions, partitions);
            open_rig(&r, 0);
            aim(&r, SPARK_TYPE(i64_i64), (how)h, partitions,
                spark_partitioner_new(sc, partitions, one_too_far, NULL));
            assert_true(spk_writer_open(&w, r.task, &r.shuffle, false));
            feed(&w, rows, N, 1024);
            assert_null(spk_writer_close(&w));
            assert_int_equal(r.task->failure.code, SPARK_ETASK);
            assert_non_null(strstr(r.task->failure.message, message));
            close_rig(&r);
        }
    spark_context_free(sc);
}

static void test_writer__of_a_failed_task_leaves_nothing(void **state)
{
    enum { N = 5000 };
    static str_i64 rows[N];
    (void)state;
    for (size_t i = 0; i < N; i++)
        rows[i] = (str_i64) { SPARK_STR("some text"), 1 };
    for (int h = PLAIN; h <= SUM; h++)
        for (int way = 0; way < 2; way++) {
            rig r;
            spk_writer w;
            open_rig(&r, 0);
            aim(&r, SPARK_TYPE(str_i64), (how)h, 4, NULL);
            assert_true(spk_writer_open(&w, r.task, &r.shuffle, false));
            assert_true(feed(&w, rows, N, 1024));
            spk_task_fail(r.task, SPARK_ETASK, "no");
            if (way)
                spk_writer_discard(&w);
            else
                assert_null(spk_writer_close(&w));
            assert_int_equal(r.task->counts.shuffle_rows, 0);
            close_rig(&r);
        }
}

static void test_writer__without_memory_fails_the_task(void **state)
{
    enum { N = 30000 };
    static str_i64 rows[N];
    static char texts[N][32];
    (void)state;
    for (size_t i = 0; i < N; i++)
        rows[i] = (str_i64) { { texts[i], (size_t)snprintf(texts[i], 32, "%zu", i) }, 1 };
    for (int h = PLAIN; h <= SUM; h++) {
        bool done = false;
        for (uint64_t limit = 1000; !done; limit += limit / 3) {
            rig r;
            spk_writer w;
            open_rig(&r, 0);
            aim(&r, SPARK_TYPE(str_i64), (how)h, 4, NULL);
            r.sc->heap.limit = limit;
            if (spk_writer_open(&w, r.task, &r.shuffle, false)) {
                feed(&w, rows, N, 1024);
                spk_map_output *output = spk_writer_close(&w);
                done = output != NULL;
                if (done)
                    assert_int_equal(output->n, N);
                spk_map_output_free(output);
            }
            assert_int_equal(r.task->failure.code, done ? SPARK_OK : SPARK_ENOMEM);
            close_rig(&r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window__of_sums_ends_at_65536_keys),
        cmocka_unit_test(test_window__of_long_keys_ends_at_4_mib),
        cmocka_unit_test(test_window__of_texts_that_shrink_ends_at_4_mib),
        cmocka_unit_test(test_window__of_values_alone_may_be_distinct),
        cmocka_unit_test(test_window__of_raw_rows_ends_at_4_mib),
        cmocka_unit_test(test_window__of_small_raw_rows_ends_at_4_mib),
        cmocka_unit_test(test_window__of_raw_rows_calls_add_once_a_row),
        cmocka_unit_test(test_combining__goes_on_from_5_rows_for_4_keys),
        cmocka_unit_test(test_combining__comes_back_after_32_raw_windows),
        cmocka_unit_test(test_run__is_sorted_stably_by_slice),
        cmocka_unit_test(test_run__of_a_sort_follows_its_ranges),
        cmocka_unit_test(test_writer__of_nothing_has_no_runs),
        cmocka_unit_test(test_partitioner__out_of_range_fails_the_task),
        cmocka_unit_test(test_writer__of_a_failed_task_leaves_nothing),
        cmocka_unit_test(test_writer__without_memory_fails_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
