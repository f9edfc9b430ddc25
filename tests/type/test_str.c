/* SPDX-License-Identifier: Apache-2.0 */
/* spark/str.h. */
#include "support/spark_test.h"

#include <stdlib.h>

#include "exec/task.h"

/* stand_in: a task with no more than memory, which may run out. */
typedef struct stand_in {
    spark_task task;
    spk_heap heap;
    spk_arena arena;
} stand_in;

static spark_task *task_of(stand_in *s)
{
    memset(s, 0, sizeof *s);
    spk_heap_init(&s->heap, 0);
    spk_arena_init(&s->arena, &s->heap);
    s->task.scratch = &s->arena;
    return &s->task;
}

static void free_task(stand_in *s)
{
    spk_arena_fini(&s->arena);
    spk_heap_fini(&s->heap);
}

/* exactly: a copy without a byte behind it, so that reading too far is found by the sanitizer. */
static spark_str exactly(const char *text)
{
    const size_t n = strlen(text);
    char *copy = malloc(n > 0 ? n : 1);
    assert_non_null(copy);
    memcpy(copy, text, n);
    return (spark_str) { copy, n };
}

static void drop(spark_str s)
{
    union {
        const char *from;
        void *to;
    } pointer = { s.ptr };
    free(pointer.to);
}

static void expect_str(spark_str s, const char *want)
{
    assert_int_equal(s.len, strlen(want));
    assert_memory_equal(s.ptr, want, s.len);
}

static void expect_split(const char *text, const char *const want[], size_t n)
{
    spark_str rest = exactly(text), all = rest, field;
    for (size_t i = 0; i < n; i++) {
        assert_true(spark_str_split(&rest, ',', &field));
        expect_str(field, want[i]);
    }
    assert_null(rest.ptr);
    assert_false(spark_str_split(&rest, ',', &field));
    drop(all);
}

static void test_split__gives_every_field(void **state)
{
    (void)state;
    expect_split("a,b,", (const char *const[]) { "a", "b", "" }, 3);
    expect_split("", (const char *const[]) { "" }, 1);
    expect_split(",", (const char *const[]) { "", "" }, 2);
    expect_split("one", (const char *const[]) { "one" }, 1);
    expect_split(",,x y,", (const char *const[]) { "", "", "x y", "" }, 4);
}

static void test_next_word__skips_all_white_space(void **state)
{
    spark_str line = exactly(" \t\n\v\f\rone  two\t"), all = line, word;
    (void)state;
    assert_true(spark_str_next_word(&line, &word));
    expect_str(word, "one");
    assert_true(spark_str_next_word(&line, &word));
    expect_str(word, "two");
    assert_false(spark_str_next_word(&line, &word));
    assert_int_equal(word.len, 0);
    drop(all);
}

static void test_to_numbers__take_the_whole_string_only(void **state)
{
    int64_t i = 7;
    double d = 7;
    (void)state;
    assert_true(spark_str_to_i64(SPARK_LIT("-12"), &i) && i == -12);
    assert_true(spark_str_to_f64(SPARK_LIT("-1.5e3"), &d) && d == -1500);
    assert_false(spark_str_to_i64(SPARK_LIT("12 "), &i));
    assert_false(spark_str_to_i64((spark_str) { NULL, 0 }, &i));
    assert_false(spark_str_to_f64((spark_str) { NULL, 0 }, &d));
    assert_false(spark_str_to_f64(SPARK_LIT("1.5x"), &d));
    assert_true(i == -12 && d == -1500);
}

static void test_next_numbers__leave_the_line_when_there_is_none(void **state)
{
    spark_str line = exactly(" 12 0.5 x"), all = line, before;
    int64_t i = 0;
    double d = 0;
    (void)state;
    assert_true(spark_str_next_i64(&line, &i) && i == 12);
    before = line;
    assert_false(spark_str_next_i64(&line, &i));
    assert_memory_equal(&line, &before, sizeof line);
    assert_true(spark_str_next_f64(&line, &d) && d == 0.5);
    before = line;
    assert_false(spark_str_next_f64(&line, &d));
    assert_memory_equal(&line, &before, sizeof line);
    line = (spark_str) { NULL, 0 };
    assert_false(spark_str_next_i64(&line, &i));
    assert_false(spark_str_next_f64(&line, &d));
    drop(all);
}

static void test_trim__takes_white_space_off_both_ends(void **state)
{
    (void)state;
    expect_str(spark_str_trim(SPARK_LIT(" \t a b\r\n")), "a b");
    expect_str(spark_str_trim(SPARK_LIT("ab")), "ab");
    expect_str(spark_str_trim(SPARK_LIT(" \v\f ")), "");
    assert_int_equal(spark_str_trim((spark_str) { NULL, 0 }).len, 0);
}

static void test_compare__is_by_unsigned_bytes(void **state)
{
    const spark_str null = { NULL, 0 };
    (void)state;
    assert_true(spark_str_compare(SPARK_LIT("a"), SPARK_LIT("\xff")) < 0);
    assert_true(spark_str_compare(SPARK_LIT("ab"), SPARK_LIT("a")) > 0);
    assert_true(spark_str_compare(SPARK_LIT("a\0b"), SPARK_LIT("a\0c")) < 0);
    assert_int_equal(spark_str_compare(null, SPARK_LIT("")), 0);
    assert_true(spark_str_equal(null, SPARK_LIT("")));
    assert_true(spark_str_equal(SPARK_LIT("a\0b"), SPARK_LIT("a\0b")));
    assert_false(spark_str_equal(SPARK_LIT("a\0b"), SPARK_LIT("a\0c")));
}

static void test_starts_ends__know_the_empty_string(void **state)
{
    const spark_str s = SPARK_STR("spark"), null = { NULL, 0 };
    (void)state;
    assert_true(spark_str_starts_with(s, SPARK_LIT("spa")));
    assert_false(spark_str_starts_with(s, SPARK_LIT("par")));
    assert_false(spark_str_starts_with(s, SPARK_LIT("sparks")));
    assert_true(spark_str_ends_with(s, SPARK_LIT("ark")));
    assert_false(spark_str_ends_with(s, SPARK_LIT("par")));
    assert_false(spark_str_ends_with(s, SPARK_LIT("a spark")));
    assert_true(spark_str_starts_with(s, null) && spark_str_ends_with(s, null));
    assert_true(spark_str_starts_with(null, null) && spark_str_ends_with(null, null));
}

static void test_find__gives_the_first_or_minus_one(void **state)
{
    const spark_str s = SPARK_STR("ababc"), null = { NULL, 0 };
    (void)state;
    assert_int_equal(spark_str_find(s, SPARK_LIT("ab")), 0);
    assert_int_equal(spark_str_find(s, SPARK_LIT("abc")), 2);
    assert_int_equal(spark_str_find(s, SPARK_LIT("c")), 4);
    assert_int_equal(spark_str_find(s, SPARK_LIT("abcd")), -1);
    assert_int_equal(spark_str_find(s, SPARK_LIT("longer than it")), -1);
    assert_int_equal(spark_str_find(s, null), 0);
    assert_int_equal(spark_str_find(null, null), 0);
    assert_int_equal(spark_str_find(null, s), -1);
}

static void test_upper_lower__change_ascii_letters_only(void **state)
{
    static stand_in s;
    spark_task *task = task_of(&s);
    (void)state;
    expect_str(spark_str_upper(task, SPARK_LIT("az{`\xc3\xa4 AZ09")), "AZ{`\xc3\xa4 AZ09");
    expect_str(spark_str_lower(task, SPARK_LIT("AZ[@\xc3\x84 az09")), "az[@\xc3\x84 az09");
    expect_str(spark_str_upper(task, (spark_str) { NULL, 0 }), "");
    free_task(&s);
}

static void test_copy_concat__are_in_the_tasks_memory(void **state)
{
    static stand_in s;
    spark_task *task = task_of(&s);
    const spark_str null = { NULL, 0 }, text = SPARK_STR("abc");
    (void)state;
    const spark_str copy = spark_str_copy(task, text);
    expect_str(copy, "abc");
    assert_true(spk_arena_owns(&s.arena, copy.ptr));
    expect_str(spark_str_concat(task, text, SPARK_LIT("de")), "abcde");
    expect_str(spark_str_concat(task, null, text), "abc");
    expect_str(spark_str_concat(task, text, null), "abc");
    expect_str(spark_str_concat(task, null, null), "");
    assert_int_equal(s.arena.bytes, 3 + 5 + 3 + 3);
    free_task(&s);
}

static void test_format__is_printf_of_any_length(void **state)
{
    static stand_in s;
    char want[1001];
    spark_task *task = task_of(&s);
    (void)state;
    expect_str(spark_str_format(task, "%d-%s", 42, "x"), "42-x");
    expect_str(spark_str_format(task, "%s", ""), "");
    for (int n = 250; n <= 260; n++) {
        snprintf(want, sizeof want, "%0*d", n, 7);
        expect_str(spark_str_format(task, "%0*d", n, 7), want);
    }
    free_task(&s);
}

static void test_all__give_the_empty_string_once_the_task_failed(void **state)
{
    static stand_in s;
    spark_task *task = task_of(&s);
    (void)state;
    s.heap.limit = 1;
    expect_str(spark_str_upper(task, SPARK_LIT("a")), "");
    expect_str(spark_str_lower(task, SPARK_LIT("a")), "");
    expect_str(spark_str_copy(task, SPARK_LIT("a")), "");
    expect_str(spark_str_concat(task, SPARK_LIT("a"), SPARK_LIT("b")), "");
    expect_str(spark_str_format(task, "%d", 1), "");
    assert_non_null(spark_str_copy(task, SPARK_LIT("a")).ptr);
    free_task(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split__gives_every_field),
        cmocka_unit_test(test_next_word__skips_all_white_space),
        cmocka_unit_test(test_to_numbers__take_the_whole_string_only),
        cmocka_unit_test(test_next_numbers__leave_the_line_when_there_is_none),
        cmocka_unit_test(test_trim__takes_white_space_off_both_ends),
        cmocka_unit_test(test_compare__is_by_unsigned_bytes),
        cmocka_unit_test(test_starts_ends__know_the_empty_string),
        cmocka_unit_test(test_find__gives_the_first_or_minus_one),
        cmocka_unit_test(test_upper_lower__change_ascii_letters_only),
        cmocka_unit_test(test_copy_concat__are_in_the_tasks_memory),
        cmocka_unit_test(test_format__is_printf_of_any_length),
        cmocka_unit_test(test_all__give_the_empty_string_once_the_task_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
