/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of splits against a splitter that sees the whole file, with buffers so small that every
 * sequence of bytes meets the end of one. */
#include "scratch.h"

#include "io/files.h"
#include "io/lines.h"

enum { MOST_LINES = 4096, BATCH = 200 };

static const char MARK[] = "\357\273\277";

/* expected: the naive splitter: byte by byte over the whole file. */
typedef struct expected {
    spark_str lines[MOST_LINES];
    size_t starts[MOST_LINES];
    size_t n;
} expected;

static void split_naively(const char *bytes, size_t size, expected *e)
{
    size_t at = size >= 3 && memcmp(bytes, MARK, 3) == 0 ? 3 : 0;
    e->n = 0;
    while (at < size) {
        size_t end = at;
        while (end < size && bytes[end] != '\n' && bytes[end] != '\r')
            end++;
        e->starts[e->n] = e->n == 0 ? 0 : at;
        e->lines[e->n++] = (spark_str) { bytes + at, end - at };
        at = end + 1;
        if (end + 1 < size && bytes[end] == '\r' && bytes[end + 1] == '\n')
            at++;
        assert_true(e->n < MOST_LINES);
    }
}

/* how: of the many ways to read a file. buffer 0: as spk_lines_open chooses. */
typedef struct how {
    size_t buffer, batch;
} how;

/* open_split: of the file of that name, with a first buffer of its own unless it is 0. */
static spark_status open_split(spk_lines *lines, spk_heap *heap, const char *path, uint64_t start,
    uint64_t end, size_t buffer, spk_failure *failure)
{
    static char name[64];
    static const spk_file file = { .path = name, .fd = -1 };
    const spk_split split = { &file, start, end, NULL };
    snprintf(name, sizeof name, "%s", path);
    return buffer == 0 ? spk_lines_open(lines, heap, &split, failure)
                       : spk_lines_open_sized(lines, heap, &split, buffer, failure);
}

/* check_split: reads a split; its lines must be those from number `next` on that start in it.
 * Returns the number of the line after them. */
static size_t check_split(
    spk_heap *heap, how h, const expected *e, size_t next, uint64_t start, uint64_t end)
{
    spk_lines lines;
    spk_failure failure = { .code = SPARK_OK };
    spark_str got[BATCH];
    size_t n;
    open_split(&lines, heap, "f", start, end, h.buffer, &failure);
    assert_int_equal(failure.code, SPARK_OK);
    while ((n = spk_lines_next(&lines, got, h.batch, &failure)) > 0)
        for (size_t i = 0; i < n; i++, next++) {
            assert_true(n <= h.batch && next < e->n && e->starts[next] <= end);
            assert_int_equal(got[i].len, e->lines[next].len);
            assert_memory_equal(got[i].ptr, e->lines[next].ptr, got[i].len);
        }
    assert_string_equal(failure.message, "");
    assert_int_equal(spk_lines_next(&lines, got, h.batch, &failure), 0);
    spk_lines_close(&lines);
    assert_true(next == e->n || e->starts[next] > end);
    return next;
}

/* check_borders: splits at the n ascending offsets in `borders`, the last of which is the size. */
static void check_borders(
    spk_heap *heap, how h, const expected *e, const uint64_t *borders, size_t n)
{
    size_t next = 0;
    uint64_t start = 0;
    for (size_t i = 0; i < n; i++) {
        next = check_split(heap, h, e, next, start, borders[i]);
        start = borders[i];
    }
    assert_int_equal(next, e->n);
}

static void heap_begin(spk_heap *heap)
{
    spk_heap_init(heap, 0);
}

static void heap_end(spk_heap *heap)
{
    assert_true(heap->mapped == heap->cached);
    spk_heap_fini(heap);
}

/* Every text of up to 6 bytes of "a\n\r", cut into two at every place, a byte at a time. */
static void test_every_short_text(void **state)
{
    static const how ways[] = { { 1, 1 }, { 2, 3 }, { 0, BATCH } };
    static expected e;
    spk_heap heap;
    char bytes[6];
    (void)state;
    heap_begin(&heap);
    for (size_t size = 0, count = 1; size <= 6; size++, count *= 3)
        for (size_t text = 0; text < count; text++) {
            for (size_t i = 0, rest = text; i < size; i++, rest /= 3)
                bytes[i] = "a\n\r"[rest % 3];
            scratch_write("f", bytes, size);
            split_naively(bytes, size, &e);
            for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
                for (uint64_t cut = 1; cut <= size; cut++)
                    check_borders(
                        &heap, ways[w], &e, (uint64_t[]) { cut, size }, cut == size ? 1 : 2);
        }
    heap_end(&heap);
}

/* check_every_border: a text in two splits, cut at every place, with each of the first buffers. */
static void check_every_border(const char *bytes, size_t size, const size_t *buffers, size_t n)
{
    static expected e;
    spk_heap heap;
    heap_begin(&heap);
    scratch_write("f", bytes, size);
    split_naively(bytes, size, &e);
    for (size_t i = 0; i < n; i++)
        for (uint64_t cut = 1; cut < size; cut++)
            check_borders(&heap, (how) { buffers[i], BATCH }, &e, (uint64_t[]) { cut, size }, 2);
    heap_end(&heap);
}

static void test_mark(void **state)
{
    static const char *const texts[] = { "\357\273\277", "\357\273\277\n", "\357\273\277a\nb",
        "\357\273", "\357\273\n\n", "a\n\357\273\277b\n", "\357\273\277\357\273\277\r\n" };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_every_border(texts[i], strlen(texts[i]), (size_t[]) { 1, 2, 3, 4, 0 }, 5);
}

/* Nothing but line ends: as many lines as there can be in what is searched at once. */
static void test_empty_lines(void **state)
{
    char bytes[3 * 64 + 1];
    (void)state;
    memset(bytes, '\n', sizeof bytes);
    for (size_t size = sizeof bytes - 2; size <= sizeof bytes; size++)
        check_every_border(bytes, size, (size_t[]) { 63, 64, 65, 0 }, 4);
}

static size_t random_text(uint64_t *seed, char *bytes, size_t pieces)
{
    static const char *const kinds[] = { "\n", "\r\n", "\r", "x", "yz", "longer than most", "" };
    size_t size = 0;
    const uint32_t mixture = scratch_random(seed) % 7 + 1; /* the first so many kinds */
    if (scratch_random(seed) % 4 == 0) {
        memcpy(bytes, MARK, 3);
        size = scratch_random(seed) % 3 + 1; /* a whole mark, or the beginning of one */
    }
    for (size_t i = 0; i < pieces; i++) {
        const char *piece = kinds[scratch_random(seed) % mixture];
        memcpy(bytes + size, piece, strlen(piece));
        size += strlen(piece);
    }
    return size;
}

/* Random texts in every number of splits that spk_splits_make can be asked for. */
static void test_every_number_of_splits(void **state)
{
    static expected e;
    char bytes[512];
    uint64_t seed = 1;
    spk_heap heap;
    spk_failure failure = { .code = SPARK_OK };
    (void)state;
    heap_begin(&heap);
    for (int round = 0; round < 100; round++) {
        const size_t size = random_text(&seed, bytes, scratch_random(&seed) % 12);
        const how h = { scratch_random(&seed) % 20, 1 + scratch_random(&seed) % BATCH };
        scratch_write("f", bytes, size);
        split_naively(bytes, size, &e);
        for (int min = 1; min <= (int)size + 1; min++) {
            spk_files files = { &(spk_file) { .path = bytes, .size = size, .fd = -1 }, 1 };
            spk_splits splits;
            uint64_t borders[512];
            assert_int_equal(spk_splits_make(&files, min, &splits, &failure), SPARK_OK);
            for (size_t i = 0; i < splits.n; i++)
                borders[i] = splits.at[i].end;
            if (splits.n > 0)
                check_borders(&heap, h, &e, borders, splits.n);
            spk_splits_free(&splits);
        }
    }
    heap_end(&heap);
}

/* Longer texts, to reach the search by blocks, with borders anywhere. */
static void test_random_borders(void **state)
{
    static expected e;
    static char bytes[64 * 1024];
    uint64_t seed = 2, borders[5];
    spk_heap heap;
    (void)state;
    heap_begin(&heap);
    for (int round = 0; round < 300; round++) {
        const size_t size = random_text(&seed, bytes, 1 + scratch_random(&seed) % 2000);
        const size_t buffer = scratch_random(&seed) % 2 * (1 + scratch_random(&seed) % 300);
        const how h = { buffer, BATCH - scratch_random(&seed) % 80 };
        size_t n = 0;
        uint64_t at = 0;
        scratch_write("f", bytes, size);
        split_naively(bytes, size, &e);
        while (n < 4 && (at += 1 + scratch_random(&seed) % (size / 3 + 1)) < size)
            borders[n++] = at;
        borders[n++] = size;
        if (size > 0)
            check_borders(&heap, h, &e, borders, n);
    }
    heap_end(&heap);
}

/* count_lines: how many lines and bytes a split has, read as the engine reads it. */
static size_t count_lines(spk_heap *heap, uint64_t start, uint64_t end, size_t *bytes)
{
    spk_lines lines;
    spk_failure failure = { .code = SPARK_OK };
    spark_str got[1000];
    size_t n, count = 0;
    assert_int_equal(open_split(&lines, heap, "f", start, end, 0, &failure), SPARK_OK);
    while ((n = spk_lines_next(&lines, got, 1000, &failure)) > 0) {
        count += n;
        for (size_t i = 0; i < n; i++)
            *bytes += got[i].len;
    }
    assert_int_equal(failure.code, SPARK_OK);
    spk_lines_close(&lines);
    return count;
}

/* Files of many buffers, in the usual sizes: all \n, all \r\n, all \r. */
static void test_large(void **state)
{
    static const char *const ends[] = { "\n", "\r\n", "\r" };
    const size_t rows = 150000;
    spk_heap heap;
    char *text = malloc(rows * 44);
    (void)state;
    assert_non_null(text);
    heap_begin(&heap);
    for (size_t kind = 0; kind < 3; kind++) {
        size_t size = 0, bytes = 0, count = 0, wanted = 0;
        for (size_t i = 0; i < rows; i++) {
            memset(text + size, 'x', i % 41);
            wanted += i % 41;
            size += i % 41;
            memcpy(text + size, ends[kind], strlen(ends[kind]));
            size += strlen(ends[kind]);
        }
        scratch_write("f", text, size);
        for (size_t i = 0; i < 3; i++)
            count += count_lines(&heap, i * size / 3, (i + 1) * size / 3, &bytes);
        assert_int_equal(count, rows);
        assert_int_equal(bytes, wanted);
    }
    free(text);
    heap_end(&heap);
}

/* One line of 5 MiB: whole for the split it starts in, nothing for the others. */
static void test_one_long_line(void **state)
{
    const size_t size = 5 * 1024 * 1024;
    size_t bytes = 0;
    spk_heap heap;
    char *text = malloc(size);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    scratch_write("f", text, size);
    heap_begin(&heap);
    assert_int_equal(count_lines(&heap, 0, size / 2, &bytes), 1);
    assert_int_equal(bytes, size);
    const uint64_t peak = heap.peak;
    spk_heap_trim(&heap);
    heap.peak = heap.mapped;
    assert_int_equal(count_lines(&heap, size / 2, size, &bytes), 0);
    assert_true(heap.peak < peak / 4);
    free(text);
    heap_end(&heap);
}

/* expect_failure: what opening or reading the first lines of a split says. */
static void expect_failure(spk_heap *heap, const char *path, uint64_t start, uint64_t end,
    spark_status code, const char *message)
{
    spk_lines lines;
    spk_failure failure = { .code = SPARK_OK };
    spark_str got[BATCH];
    if (open_split(&lines, heap, path, start, end, 0, &failure) == SPARK_OK) {
        while (spk_lines_next(&lines, got, BATCH, &failure) > 0)
            continue;
        spk_lines_close(&lines);
    }
    assert_int_equal(failure.code, code);
    assert_string_equal(failure.message, message);
    assert_true(heap->mapped == heap->cached);
}

static void test_failures(void **state)
{
    spk_heap heap;
    (void)state;
    heap_begin(&heap);
    scratch_write("f", "one\ntwo\n", 8);
    expect_failure(&heap, "none", 0, 8, SPARK_EIO, "cannot open none: No such file or directory");
    expect_failure(&heap, ".", 0, 8, SPARK_EIO, "cannot read .: Is a directory");
    expect_failure(&heap, "f", 0, 9, SPARK_EIO,
        "f shrank while it was read: it ends at byte 8, not 9 or later");
    expect_failure(&heap, "f", 20, 30, SPARK_EIO,
        "f shrank while it was read: it ends at byte 20, not 30 or later");
    expect_failure(&heap, "f", 0, 8, SPARK_OK, "");
    heap_end(&heap);
}

/* What is not text has no lines, in whichever split; what only looks a little like it, has. */
static void test_forms(void **state)
{
    static const struct {
        const char *what;
        size_t n;
        const char *bytes;
    } forms[] = { { "compressed by gzip", 12, "\37\213\10\0\0\0\0\0\0\3ab" },
        { "compressed by zstd", 6, "\50\265\57\375ab" },
        { "compressed by xz", 8, "\3757zXZ\0ab" }, { "compressed by lz4", 6, "\4\42\115\30ab" },
        { "compressed by bzip2", 12, "BZh91AY&SYab" },
        { "compressed by bzip2", 14, "BZh1\27\162\105\070\120\220\0\0\0\0" },
        { "in UTF-16", 6, "\377\376a\0\n\0" }, { "in UTF-16", 6, "\376\377\0a\0\n" },
        { "in UTF-32", 8, "\377\376\0\0a\0\0\0" }, { "in UTF-32", 8, "\0\0\376\377\0\0\0a" } };
    static const char *const texts[] = { "BZh9 is text\nx", "\37\213 is too\n", "\3757z\n", "\377\n",
        "\4\42\n\n", "\50\265\n\n\n" };
    spk_heap heap;
    char message[256];
    (void)state;
    heap_begin(&heap);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        scratch_write("f", forms[i].bytes, forms[i].n);
        for (uint64_t start = 0; start < 4; start += 3) {
            spk_lines lines;
            spk_failure failure = { .code = SPARK_OK };
            assert_int_equal(
                open_split(&lines, &heap, "f", start, forms[i].n, 0, &failure), SPARK_EIO);
            snprintf(message, sizeof message, "f is not plain text: it is %s; ", forms[i].what);
            assert_memory_equal(failure.message, message, strlen(message));
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        scratch_write("f", texts[i], strlen(texts[i]));
        expect_failure(&heap, "f", 0, strlen(texts[i]), SPARK_OK, "");
    }
    heap_end(&heap);
}

/* The number of each line of each split is that of the naive splitter. */
static void test_numbers(void **state)
{
    static expected e;
    char bytes[512];
    uint64_t seed = 6;
    spk_heap heap;
    spk_failure failure = { .code = SPARK_OK };
    (void)state;
    heap_begin(&heap);
    for (int round = 0; round < 60; round++) {
        const size_t size = random_text(&seed, bytes, 1 + scratch_random(&seed) % 30);
        spk_files files = { &(spk_file) { .path = (char[]) { "f" }, .size = size, .fd = -1 }, 1 };
        spk_splits splits;
        size_t next = 0;
        spk_line_memo memo = { .lock = PTHREAD_MUTEX_INITIALIZER }, none = memo;
        scratch_write("f", bytes, size);
        split_naively(bytes, size, &e);
        assert_int_equal(
            spk_splits_make(&files, 1 + round % 9, &splits, &failure), SPARK_OK);
        for (size_t i = 0; i < splits.n; i++)
            for (uint64_t row = 0; next < e.n && e.starts[next] <= splits.at[i].end; row++, none.file = NULL)
                assert_int_equal(spk_lines_number(&heap, &splits.at[i], row, i % 2 ? &memo : &none), ++next);
        assert_int_equal(next, e.n);
        if (splits.n > 1) {
            assert_int_equal(spk_lines_number(&heap, &splits.at[1], 1000, &none), -1);
            assert_int_equal(unlink("f"), 0);
            assert_int_equal(spk_lines_number(&heap, &splits.at[1], 0, &none), -1);
        }
        spk_splits_free(&splits);
    }
    heap_end(&heap);
}

static void test_no_memory(void **state)
{
    const size_t size = 3 * 1024 * 1024;
    spk_heap heap;
    char *text = malloc(size);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, "ab\n", 3);
    scratch_write("f", text, size);
    free(text);
    spk_heap_init(&heap, 1000);
    expect_failure(&heap, "f", 0, size, SPARK_ENOMEM,
        "out of memory: the read buffer of f takes 1048576 bytes; spark_conf.memory_bytes is 1000, of "
        "which 0 are in use");
    spk_heap_fini(&heap);
    spk_heap_init(&heap, 2 * 1024 * 1024);
    expect_failure(&heap, "f", 0, size, SPARK_ENOMEM,
        "out of memory: the line at offset 3 of f is longer than 1048576 bytes; its buffer "
        "takes 2097152 bytes; spark_conf.memory_bytes is 2097152, of which 1048576 are in use");
    spk_heap_fini(&heap);
}

/* An oracle from outside: Python's bytes.splitlines knows the same three line ends. */
static void test_as_python(void **state)
{
    static const char script[] = "python3 -c \"d = open('f', 'rb').read()\n"
                                 "d = d[3:] if d[:3] == bytes([239, 187, 191]) else d\n"
                                 "open('o', 'wb').write(b''.join(b'%d:%s' % (len(x), x) "
                                 "for x in d.splitlines()))\"";
    static char bytes[64 * 1024], wanted[128 * 1024], made[128 * 1024];
    uint64_t seed = 3;
    spk_heap heap;
    (void)state;
    if (system("python3 -c 1 2>/dev/null") != 0)
        skip();
    heap_begin(&heap);
    for (int round = 0; round < 10; round++) {
        const size_t size = random_text(&seed, bytes, 1000);
        spk_lines lines;
        spk_failure failure = { .code = SPARK_OK };
        spark_str line;
        size_t n = 0;
        scratch_write("f", bytes, size);
        assert_int_equal(system(script), 0);
        assert_int_equal(open_split(&lines, &heap, "f", 0, size, 0, &failure), SPARK_OK);
        while (spk_lines_next(&lines, &line, 1, &failure) == 1) {
            n += (size_t)sprintf(made + n, "%zu:", line.len);
            memcpy(made + n, line.ptr, line.len);
            n += line.len;
        }
        spk_lines_close(&lines);
        assert_int_equal(n, scratch_read("o", wanted, sizeof wanted));
        assert_memory_equal(made, wanted, n);
    }
    heap_end(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_every_short_text),
        scratch_test(test_mark),
        scratch_test(test_empty_lines),
        scratch_test(test_every_number_of_splits),
        scratch_test(test_random_borders),
        scratch_test(test_large),
        scratch_test(test_one_long_line),
        scratch_test(test_failures),
        scratch_test(test_forms),
        scratch_test(test_numbers),
        scratch_test(test_no_memory),
        scratch_test(test_as_python),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
