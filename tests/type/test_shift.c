/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that leave memory and come back: pointers become offsets and pointers again, wherever the
 * block comes to lie; and what points out of its block is found before. */
#include "random_value.h"

enum { ROUNDS = 120, MOST_ROWS = 5, MOST_BYTES = 1 << 17 };

/* Rows of one type, packed into a block as files have it. */
typedef struct block {
    _Alignas(64) char bytes[MOST_BYTES];
} block;
static block here, there;

/* pack: n random rows into `here`, copies of them to rows (whose views are the pool's); how many
 * bytes. */
static size_t pack(
    const spark_type *type, const spk_layout *layout, size_t n, char *rows, value_pool *pool)
{
    char *tail = here.bytes + n * type->size;
    memset(&here, 0, sizeof here);
    for (size_t i = 0; i < n; i++) {
        random_row(type, rows + i * type->size, pool);
        memcpy(here.bytes + i * type->size, rows + i * type->size, type->size);
    }
    for (size_t i = 0; i < n; i++)
        tail = spk_value_pack(layout, here.bytes + i * type->size, tail);
    assert_true(tail <= here.bytes + sizeof here.bytes);
    return (size_t)(tail - here.bytes);
}

static void leave_memory(const spk_layout *layout, block *b, size_t n)
{
    spk_rows_shift(layout, b->bytes, n, (ptrdiff_t)(0 - (uintptr_t)b->bytes), true);
}
static void come_back(const spk_layout *layout, block *b, size_t n)
{
    spk_rows_shift(layout, b->bytes, n, (ptrdiff_t)(uintptr_t)b->bytes, false);
}

static bool lies_there(void *arg, const spk_leaf *leaf, const void *ptr, size_t bytes)
{
    const char *at = ptr;
    (void)leaf;
    return at >= there.bytes && at + bytes <= there.bytes + *(const size_t *)arg;
}

static void test_shift__moves_values_of_all_types(void **state)
{
    for (size_t t = 0; t < N_TYPES; t++) {
        const spark_type *type = all_types[t];
        const spk_layout *layout = layout_of(*state, type);
        for (int i = 0; i < ROUNDS; i++) {
            _Alignas(16) char rows[MOST_ROWS * MAX_SIZE];
            value_pool pool = { .n = 0 };
            const size_t n = 1 + random_below(MOST_ROWS);
            const size_t bytes = pack(type, layout, n, rows, &pool);
            leave_memory(layout, &here, n);
            assert_true(spk_rows_contained(layout, here.bytes, n, bytes));
            memcpy(there.bytes, here.bytes, bytes);
            /* The old place is gone: nothing may point there any more. */
            memset(&here, 0xa5, sizeof here);
            come_back(layout, &there, n);
            for (size_t k = 0; k < n; k++) {
                const char *have = there.bytes + k * type->size, *want = rows + k * type->size;
                size_t size = bytes;
                assert_true(spk_value_each_view(layout, have, lies_there, &size));
                assert_int_equal(naive_compare(type, have, want), 0);
                assert_true(spk_value_equal(layout, have, want));
            }
            pool_free(&pool);
        }
    }
}

static void test_shift__there_and_back_changes_nothing(void **state)
{
    for (size_t t = 0; t < N_TYPES; t++) {
        const spark_type *type = all_types[t];
        const spk_layout *layout = layout_of(*state, type);
        for (int i = 0; i < ROUNDS / 4; i++) {
            _Alignas(16) char rows[MOST_ROWS * MAX_SIZE];
            value_pool pool = { .n = 0 };
            const size_t n = 1 + random_below(MOST_ROWS);
            const size_t bytes = pack(type, layout, n, rows, &pool);
            memcpy(there.bytes, here.bytes, bytes);
            leave_memory(layout, &here, n);
            come_back(layout, &here, n);
            assert_memory_equal(here.bytes, there.bytes, bytes);
            pool_free(&pool);
        }
    }
}

static void test_shift__leaves_null_and_absent_alone(void **state)
{
    const spk_layout *str = layout_of(*state, SPARK_TYPE(spark_str));
    const spk_layout *opt = layout_of(*state, SPARK_TYPE(spark_opt_str));
    (void)state;
    spark_str none = { NULL, 0 };
    spk_rows_shift(str, (char *)&none, 1, 1000, true);
    assert_null(none.ptr);
    spark_opt_str absent = { false, { "x", 1 } }, before = absent;
    spk_rows_shift(opt, (char *)&absent, 1, 1000, true);
    assert_ptr_equal(absent.value.ptr, before.value.ptr);
    spark_str there_is[2] = { { "abc", 3 }, { "", 0 } };
    const char *const first = there_is[0].ptr, *const second = there_is[1].ptr;
    spk_rows_shift(str, (char *)there_is, 2, 16, true);
    assert_true((uintptr_t)there_is[0].ptr == (uintptr_t)first + 16);
    assert_true((uintptr_t)there_is[1].ptr == (uintptr_t)second + 16);
    spk_rows_shift(str, (char *)there_is, 0, 16, true);
    assert_true((uintptr_t)there_is[0].ptr == (uintptr_t)first + 16);
}

/* ---- what is refused */

static const char *offset(uintptr_t n)
{
    const char *p;
    memcpy(&p, &n, sizeof p);
    return p;
}

static bool contained(spk_types *types, const spark_type *type, size_t size)
{
    return spk_rows_contained(layout_of(types, type), here.bytes, 1, size);
}

static void test_contained__refuses_strings_that_leave_the_block(void **state)
{
    static const struct {
        uintptr_t at;
        size_t len;
        bool good;
    } cases[] = { { 16, 0, true }, { 16, 1, true }, { 16, 48, true }, { 16, 49, false },
        { 64, 0, true }, { 64, 1, false }, { 65, 0, false }, { 63, 1, true }, { 63, 2, false },
        { 0, 0, true }, { 0, 65, false }, { 16, SIZE_MAX, false }, { 16, SIZE_MAX - 15, false },
        { UINTPTR_MAX, 0, false }, { UINTPTR_MAX, 1, false }, { UINTPTR_MAX - 15, 16, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const spark_str str = { offset(cases[i].at), cases[i].len };
        memset(&here, 0, sizeof here);
        memcpy(here.bytes, &str, sizeof str);
        if (contained(*state, SPARK_TYPE(spark_str), 64) != cases[i].good
            || contained(*state, SPARK_TYPE(spark_bytes), 64) != cases[i].good)
            fail_msg("case %zu: %zu bytes at %zu", i, cases[i].len, (size_t)cases[i].at);
    }
}

static void test_contained__refuses_lists_that_leave_the_block(void **state)
{
    static const struct {
        uintptr_t at;
        size_t n;
        bool good;
    } cases[] = { { 16, 0, true }, { 16, 6, true }, { 16, 7, false }, { 64, 0, true },
        { 64, 1, false }, { 56, 1, true }, { 57, 1, false }, { 17, 1, false }, { 20, 1, false },
        { 16, SIZE_MAX, false }, { 16, SIZE_MAX / 8 + 1, false }, { 16, SIZE_MAX / 8 + 2, false },
        { UINTPTR_MAX - 7, 1, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const spark_i64_list list = { (const void *)offset(cases[i].at), cases[i].n };
        memset(&here, 0, sizeof here);
        memcpy(here.bytes, &list, sizeof list);
        if (contained(*state, SPARK_TYPE(spark_i64_list), 64) != cases[i].good)
            fail_msg("case %zu: %zu elements at %zu", i, cases[i].n, (size_t)cases[i].at);
    }
}

static void test_contained__looks_inside(void **state)
{
    static const struct {
        uintptr_t at;
        size_t len;
        bool good;
    } cases[] = { { 51, 13, true }, { 51, 14, false }, { 50, 1, false }, { 65, 0, false },
        { 63, 2, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* A list of two strings, the second of which may be bad. */
        const spark_str_list list = { (const void *)offset(16), 2 };
        const spark_str strs[2] = { { offset(48), 3 }, { offset(cases[i].at), cases[i].len } };
        memset(&here, 0, sizeof here);
        memcpy(here.bytes, &list, sizeof list);
        memcpy(here.bytes + 16, strs, sizeof strs);
        assert_int_equal(contained(*state, SPARK_TYPE(spark_str_list), 64), cases[i].good);
        /* An optional one: looked at only where it is present. */
        for (int present = 0; present < 2; present++) {
            const spark_opt_str opt = { present, { offset(cases[i].at), cases[i].len } };
            memset(&here, 0, sizeof here);
            memcpy(here.bytes, &opt, sizeof opt);
            assert_int_equal(contained(*state, SPARK_TYPE(spark_opt_str), 64),
                !present || cases[i].at + cases[i].len <= 64);
        }
        /* The second of a struct's strings, and the second row. */
        word_count pairs[2] = { { strs[0], 5 }, { strs[1], 6 } };
        memcpy(here.bytes, pairs, sizeof pairs);
        assert_int_equal(
            spk_rows_contained(layout_of(*state, SPARK_TYPE(word_count)), here.bytes, 2, 64),
            cases[i].good);
        assert_true(
            spk_rows_contained(layout_of(*state, SPARK_TYPE(word_count)), here.bytes, 1, 64));
    }
}

static void test_contained__refuses_what_is_no_truth_value(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        memset(&here, 0, sizeof here);
        here.bytes[0] = (char)byte;
        assert_int_equal(contained(*state, &spark_type_of_bool, 64), byte < 2);
        assert_int_equal(contained(*state, SPARK_TYPE(spark_opt_f64), 64), byte < 2);
        assert_int_equal(contained(*state, SPARK_TYPE(scalars), 64), byte < 2);
        assert_true(contained(*state, SPARK_TYPE(uint8_t), 64));
        /* In an optional inside an optional, and in a list. */
        memset(&here, 0, sizeof here);
        here.bytes[0] = 1;
        here.bytes[SPARK_TYPE(spark_opt_f64)->align] = (char)byte;
        assert_int_equal(contained(*state, SPARK_TYPE(opt_opt), 64), byte < 2);
        const opt_list list = { (const void *)offset(16), 2 };
        memset(&here, 0, sizeof here);
        memcpy(here.bytes, &list, sizeof list);
        here.bytes[16 + sizeof(spark_opt_str)] = (char)byte;
        if (byte != 1)
            assert_int_equal(contained(*state, SPARK_TYPE(opt_list), 64), byte < 2);
    }
}

/* Any bytes at all: what is let through can be read, deep, within the block (sanitizers look). */
static void test_contained__of_any_bytes(void **state)
{
    size_t passed = 0;
    for (size_t t = 0; t < N_TYPES; t++) {
        const spark_type *type = all_types[t];
        const spk_layout *layout = layout_of(*state, type);
        for (int i = 0; i < ROUNDS * 4; i++) {
            _Alignas(16) char rows[MOST_ROWS * MAX_SIZE];
            value_pool pool = { .n = 0 };
            const size_t bytes = pack(type, layout, 1, rows, &pool);
            leave_memory(layout, &here, 1);
            for (size_t k = 0; k <= random_below(3); k++)
                here.bytes[random_below(bytes)] = (char)random_below(256);
            char *const exact = malloc(bytes);
            assert_non_null(exact);
            memcpy(exact, here.bytes, bytes);
            passed += spk_rows_contained(layout, exact, 1, bytes);
            free(exact);
            pool_free(&pool);
        }
    }
    assert_true(passed > 0 && passed < (size_t)N_TYPES * ROUNDS * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shift__moves_values_of_all_types),
        cmocka_unit_test(test_shift__there_and_back_changes_nothing),
        cmocka_unit_test(test_shift__leaves_null_and_absent_alone),
        cmocka_unit_test(test_contained__refuses_strings_that_leave_the_block),
        cmocka_unit_test(test_contained__refuses_lists_that_leave_the_block),
        cmocka_unit_test(test_contained__looks_inside),
        cmocka_unit_test(test_contained__refuses_what_is_no_truth_value),
        cmocka_unit_test(test_contained__of_any_bytes),
    };
    return cmocka_run_group_tests(tests, make_types, free_types);
}
