/* SPDX-License-Identifier: Apache-2.0 */
/* Files of blocks: what was written is read, and everything else is an error that names the file
 * and the place. */
#include "scratch.h"

#include <string.h>

#include "io/blocks.h"

enum { ROW = 8, MARK = 4711, HEADER = 24, HEAD = 24 };

typedef struct fixture {
    spk_heap heap;
    char bytes[4096];
    size_t n, ends[8]; /* ends: where the header and each block end */
    size_t n_ends;
} fixture;

static int enter(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    if (!f || scratch_enter(state))
        return -1;
    spk_heap_init(&f->heap, 0);
    *state = f;
    return 0;
}

static int leave(void **state)
{
    fixture *f = *state;
    const bool given_back = f->heap.mapped == f->heap.cached;
    spk_heap_fini(&f->heap);
    free(f);
    return scratch_leave(state) || !given_back;
}
#define blocks_test(f) cmocka_unit_test_setup_teardown(f, enter, leave)

static void add(fixture *f, const void *bytes, size_t n)
{
    assert_true(f->n + n <= sizeof f->bytes);
    memcpy(f->bytes + f->n, bytes, n);
    f->n += n;
}

static void add_header(fixture *f)
{
    spk_blocks_header header;
    spk_blocks_header_make(&header, ROW, MARK);
    f->n = f->n_ends = 0;
    add(f, &header, sizeof header);
    f->ends[f->n_ends++] = f->n;
}

static void add_block(fixture *f, uint64_t rows, const char *block, uint64_t bytes)
{
    spk_block_head head;
    spk_block_head_make(&head, rows, block, bytes);
    add(f, &head, sizeof head);
    add(f, block, (size_t)bytes);
    f->ends[f->n_ends++] = f->n;
}

/* reads: how many blocks until the end or the first failure. */
static size_t reads(fixture *f, spark_status *status, spk_failure *failure)
{
    char name[] = "file";
    const spk_file of = { .path = name, .size = SPK_TO_END - 1, .fd = -1 };
    spk_blocks_file file;
    spk_block_head head;
    char *block;
    size_t n = 0, capacity;
    *failure = (spk_failure) { .code = SPARK_OK };
    *status = spk_blocks_open(&file, &of, ROW, MARK, failure);
    while (*status == SPARK_OK) {
        *status = spk_blocks_next(&file, &f->heap, &head, &block, &capacity, failure);
        if (*status != SPARK_OK)
            assert_null(block);
        if (!block)
            break;
        n++;
        assert_true(head.bytes <= capacity);
        assert_true(head.rows * ROW <= head.bytes);
        assert_true(f->ends[n] <= f->n);
        assert_memory_equal(block, f->bytes + f->ends[n] - head.bytes, head.bytes);
        spk_heap_free(&f->heap, block, capacity);
    }
    spk_blocks_close(&file);
    assert_int_equal(file.in.fd, -1);
    assert_int_equal(*status, failure->code);
    return n;
}

/* put: in place where the file is there, which no disk has to wait for. */
static void put(const fixture *f, size_t n)
{
    int fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, f->bytes, n, 0), n);
    assert_int_equal(ftruncate(fd, (off_t)n), 0);
    assert_int_equal(close(fd), 0);
}

static void make(fixture *f)
{
    static const char text[] = "0123456789abcdef0123456789abcdefghijk";
    add_header(f);
    add_block(f, 3, text, 37);
    add_block(f, 1, text, 8);
    add_block(f, 4, text, 32);
    add_block(f, 3 + 1 + 4, "", 0); /* the end mark */
}

static void test_crc32c__has_the_values_of_the_standard(void **state)
{
    /* RFC 3720, B.4, and the usual check of the digits. */
    char bytes[32];
    (void)state;
    assert_true(spk_crc32c(0, "123456789", 9) == 0xe3069283);
    assert_true(spk_crc32c(0, "", 0) == 0);
    memset(bytes, 0, sizeof bytes);
    assert_true(spk_crc32c(0, bytes, 32) == 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_true(spk_crc32c(0, bytes, 32) == 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)i;
    assert_true(spk_crc32c(0, bytes, 32) == 0x46dd794e);
    for (size_t i = 0; i <= 32; i++)
        assert_true(spk_crc32c(spk_crc32c(0, bytes, i), bytes + i, 32 - i) == 0x46dd794e);
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)(31 - i);
    assert_true(spk_crc32c(0, bytes, 32) == 0x113fdb5c);
}

static void test_blocks__come_back_as_written(void **state)
{
    fixture *f = *state;
    spark_status status;
    spk_failure failure;
    assert_int_equal(sizeof(spk_blocks_header), HEADER);
    assert_int_equal(sizeof(spk_block_head), HEAD);
    make(f);
    put(f, f->n);
    assert_int_equal(reads(f, &status, &failure), 3);
    assert_int_equal(status, SPARK_OK);
    /* Without the end mark, or with one of other blocks. */
    put(f, f->ends[3]);
    assert_int_equal(reads(f, &status, &failure), 3);
    assert_int_equal(status, SPARK_EIO);
    f->n = f->ends[3];
    f->n_ends--;
    add_block(f, 7, "", 0);
    put(f, f->n);
    assert_int_equal(reads(f, &status, &failure), 3);
    assert_non_null(strstr(failure.message, "blocks are missing"));
}

static void test_blocks__name_the_first_damaged_byte_of_a_block(void **state)
{
    fixture *f = *state;
    spark_status status;
    spk_failure failure;
    make(f);
    for (size_t i = 0; i < f->n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            char place[64];
            size_t whole = 0;
            f->bytes[i] ^= (char)(1 << bit);
            put(f, f->n);
            f->bytes[i] ^= (char)(1 << bit);
            while (f->ends[whole] <= i)
                whole++;
            assert_int_equal(reads(f, &status, &failure), whole > 0 ? whole - 1 : 0);
            /* Bytes 12 to 23 of the header are the shape of the type. */
            assert_int_equal(status, i >= 12 && i < HEADER ? SPARK_ETYPE : SPARK_EIO);
            assert_non_null(strstr(failure.message, "object file file"));
            snprintf(place, sizeof place, "byte %zu:", whole > 0 ? f->ends[whole - 1] : 0);
            if (status == SPARK_EIO)
                assert_non_null(strstr(failure.message, place));
        }
    }
}

static void test_blocks__that_are_cut_off(void **state)
{
    fixture *f = *state;
    spark_status status;
    spk_failure failure;
    make(f);
    for (size_t n = 0; n < f->n; n++) {
        size_t whole = 0;
        char place[64];
        put(f, n);
        while (f->ends[whole] <= n)
            whole++;
        assert_int_equal(reads(f, &status, &failure), whole > 0 ? whole - 1 : 0);
        assert_int_equal(status, SPARK_EIO);
        snprintf(place, sizeof place, "byte %zu:", whole > 0 ? f->ends[whole - 1] : 0);
        assert_non_null(strstr(failure.message, place));
    }
}

static void test_blocks__of_huge_counts(void **state)
{
    static const struct {
        uint64_t rows, bytes;
    } cases[] = { { 1, 7 }, { 2, 15 }, { UINT64_MAX, 8 }, { UINT64_C(1) << 61, 8 },
        { (UINT64_C(1) << 61) + 1, 8 }, { 1, UINT64_MAX }, { 0, UINT64_MAX },
        { 1, (uint64_t)SPK_LARGEST_BLOCK + 1 }, { UINT64_MAX, UINT64_MAX } };
    fixture *f = *state;
    spark_status status;
    spk_failure failure;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* The checksums are right all the same. */
        static const char zeros[64];
        const size_t bytes = cases[i].bytes < 64 ? (size_t)cases[i].bytes : 0;
        spk_block_head head;
        spk_block_head_make(&head, cases[i].rows, zeros, bytes);
        head.bytes = cases[i].bytes;
        head.own = spk_crc32c(0, &head, offsetof(spk_block_head, own));
        add_header(f);
        add(f, &head, sizeof head);
        add(f, zeros, bytes);
        put(f, f->n);
        assert_int_equal(reads(f, &status, &failure), 0);
        assert_int_equal(status, SPARK_EIO);
        assert_non_null(strstr(failure.message, "byte 24: the head of the block is damaged"));
    }
}

static void test_blocks__of_less_than_they_say(void **state)
{
    static const char zeros[64];
    fixture *f = *state;
    spark_status status;
    spk_failure failure;
    spk_block_head head;
    /* The largest block of all, of which nothing is there: memory may be short, too. */
    spk_block_head_make(&head, 1, zeros, 64);
    head.bytes = SPK_LARGEST_BLOCK;
    head.own = spk_crc32c(0, &head, offsetof(spk_block_head, own));
    add_header(f);
    add(f, &head, sizeof head);
    add(f, zeros, 64);
    put(f, f->n);
    assert_int_equal(reads(f, &status, &failure), 0);
    assert_int_equal(status, SPARK_EIO);
    assert_non_null(strstr(failure.message, "the file ends inside a block"));
    spk_heap_trim(&f->heap);
    f->heap.limit = 1 << 20;
    assert_int_equal(reads(f, &status, &failure), 0);
    assert_int_equal(status, SPARK_ENOMEM);
}

static void test_blocks__of_something_else(void **state)
{
    static const char *const texts[] = { "", "x", "hello, world\n", "SPKOBJ1", "SPKOBJ2 and so on ",
        "01234567890123456789012345678901234567890123456789" };
    fixture *f = *state;
    spark_status status;
    spk_failure failure;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        scratch_write("file", texts[i], strlen(texts[i]));
        assert_int_equal(reads(f, &status, &failure), 0);
        assert_int_equal(status, SPARK_EIO);
        assert_non_null(
            strstr(failure.message, "object file file: byte 0: this is no object file"));
    }
    assert_int_equal(unlink("file"), 0);
    assert_int_equal(reads(f, &status, &failure), 0);
    assert_int_equal(status, SPARK_EIO);
    assert_non_null(strstr(failure.message, "cannot open file"));
    assert_int_equal(mkdir("file", 0777), 0);
    assert_int_equal(reads(f, &status, &failure), 0);
    assert_int_equal(status, SPARK_EIO);
    assert_non_null(strstr(failure.message, "cannot read file"));
}

static void test_blocks__of_another_type_or_machine(void **state)
{
    fixture *f = *state;
    spark_status status;
    spk_failure failure;
    spk_blocks_header header;
    for (int i = 0; i < 3; i++) {
        f->n = 0;
        spk_blocks_header_make(&header, i == 0 ? ROW + 1 : ROW, i == 1 ? MARK + 1 : MARK);
        if (i == 2)
            header.order = 0x04030201;
        add(f, &header, sizeof header);
        put(f, f->n);
        assert_int_equal(reads(f, &status, &failure), 0);
        assert_int_equal(status, i < 2 ? SPARK_ETYPE : SPARK_EIO);
        assert_non_null(
            strstr(failure.message, i < 2 ? "elements of another type" : "another order of bytes"));
    }
}

static void test_end__of_older_files_has_no_number_of_parts(void **state)
{
    spk_block_head before, now;
    (void)state;
    spk_block_head_make(&before, 17, "", 0);
    spk_block_end_make(&now, 17, 0);
    assert_memory_equal(&before, &now, sizeof now);
    spk_block_end_make(&now, 17, 3);
    assert_int_equal(now.checksum, 3);
    assert_int_not_equal(now.own, before.own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c__has_the_values_of_the_standard),
        blocks_test(test_blocks__come_back_as_written),
        blocks_test(test_blocks__name_the_first_damaged_byte_of_a_block),
        blocks_test(test_blocks__that_are_cut_off),
        blocks_test(test_blocks__of_huge_counts),
        blocks_test(test_blocks__of_less_than_they_say),
        blocks_test(test_blocks__of_something_else),
        blocks_test(test_blocks__of_another_type_or_machine),
        cmocka_unit_test(test_end__of_older_files_has_no_number_of_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
