/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that fail on purpose: which ones, and that nothing else does. */
#include "spark_test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/heap.h"
#include "base/sys.h"

enum { CALLS = 40 };
static atomic_bool off;

/* under: a place outside tasks, with a plan of one line. */
static spk_place under(const spark_fault *line)
{
    spk_faults *plan;
    spk_place place;
    assert_true(spk_faults_new(line, 1, &off, &plan));
    assert_non_null(plan);
    spk_place_init(&place, plan);
    return place;
}

/* struck: a string with an x for each of n calls that failed. */
static const char *struck(spk_place *place, spark_fault_kind kind, int n, char text[CALLS + 1])
{
    spk_place *before = spk_place_enter(place);
    for (int i = 0; i < n; i++)
        text[i] = spk_struck(kind, NULL) ? 'x' : '.';
    text[n] = '\0';
    assert_ptr_equal(spk_place_enter(before), place);
    return text;
}

static void expect(spark_fault line, spark_fault_kind kind, const char *wanted)
{
    char text[CALLS + 1];
    spk_place place = under(&line);
    assert_string_equal(struck(&place, kind, (int)strlen(wanted), text), wanted);
    spk_faults_free(place.plan);
}

static void test_faults__the_nth_call_of_a_kind_fails_once_or_for_ever(void **state)
{
    (void)state;
    expect((spark_fault) { SPARK_FAULT_READ, SPARK_ANYWHERE }, SPARK_FAULT_READ, "x....");
    expect((spark_fault) { SPARK_FAULT_READ, SPARK_ANYWHERE, .nth = 1 }, SPARK_FAULT_READ, "x....");
    expect((spark_fault) { SPARK_FAULT_READ, SPARK_ANYWHERE, .nth = 3 }, SPARK_FAULT_READ, "..x..");
    expect((spark_fault) { SPARK_FAULT_READ, SPARK_ANYWHERE, .nth = 2, .times = 3 },
        SPARK_FAULT_READ, ".xxx..");
    expect((spark_fault) { SPARK_FAULT_READ, SPARK_ANYWHERE, .nth = 3, .times = SPARK_ANY },
        SPARK_FAULT_READ, "..xxxx");
    expect((spark_fault) { SPARK_FAULT_READ, SPARK_ANYWHERE, .nth = 9 }, SPARK_FAULT_READ, ".....");
    expect((spark_fault) { SPARK_FAULT_READ, SPARK_ANYWHERE }, SPARK_FAULT_WRITE, ".....");
}

static void test_faults__io_means_each_call_on_files_and_no_other(void **state)
{
    (void)state;
    const spark_fault line = { SPARK_FAULT_IO, SPARK_ANYWHERE, .nth = 2, .times = SPARK_ANY };
    for (int kind = SPARK_FAULT_ALLOC; kind <= SPARK_FAULT_CORRUPT; kind++)
        if (kind != SPARK_FAULT_IO)
            expect(line, (spark_fault_kind)kind,
                kind >= SPARK_FAULT_OPEN && kind <= SPARK_FAULT_REMOVE ? ".xxx" : "....");
}

static void test_faults__a_plan_of_other_kinds_strikes_no_call(void **state)
{
    (void)state;
    spk_faults *plan;
    const spark_fault lines[] = { { SPARK_FAULT_TASK, SPARK_ANYWHERE },
        { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .rate = 1 } };
    assert_true(spk_faults_new(lines, 2, &off, &plan));
    assert_null(plan);
}

static void test_faults__a_plan_that_is_off_neither_strikes_nor_counts(void **state)
{
    (void)state;
    char text[CALLS + 1];
    const spark_fault line = { SPARK_FAULT_READ, SPARK_ANYWHERE, .nth = 2 };
    spk_place place = under(&line);
    atomic_store(&off, true);
    assert_string_equal(struck(&place, SPARK_FAULT_READ, 4, text), "....");
    assert_int_equal(spk_faults_struck(place.plan), 0);
    atomic_store(&off, false);
    assert_string_equal(struck(&place, SPARK_FAULT_READ, 4, text), ".x..");
    assert_int_equal(spk_faults_struck(place.plan), 1);
    spk_faults_free(place.plan);
}

static void test_faults__lines_match_who_calls(void **state)
{
    (void)state;
    char text[CALLS + 1];
    const spark_fault line = { SPARK_FAULT_WRITE, .job = 2, .stage = SPARK_ANY, .partition = 3,
        .attempt = 0, .nth = 2 };
    spk_place place = under(&line);
    assert_string_equal(struck(&place, SPARK_FAULT_WRITE, 4, text), "...."); /* outside tasks */
    place.job = 2;
    place.stage = 1;
    place.partition = 3;
    place.attempt = 1;
    assert_string_equal(struck(&place, SPARK_FAULT_WRITE, 4, text), "....");
    place.attempt = 0;
    assert_string_equal(struck(&place, SPARK_FAULT_WRITE, 4, text), ".x..");
    spk_faults_free(place.plan);
}

static void test_faults__rates_strike_the_same_calls_of_an_attempt_again(void **state)
{
    (void)state;
    char first[CALLS + 1], again[CALLS + 1], other[CALLS + 1];
    const spark_fault line = { SPARK_FAULT_ALLOC, SPARK_ANYWHERE, .rate = 0.5, .seed = 7 };
    spk_place a = under(&line), b = under(&line), c = under(&line);
    c.partition = 1;
    struck(&a, SPARK_FAULT_ALLOC, CALLS, first);
    assert_string_equal(struck(&b, SPARK_FAULT_ALLOC, CALLS, again), first);
    assert_string_not_equal(struck(&c, SPARK_FAULT_ALLOC, CALLS, other), first);
    int hits = 0;
    for (int i = 0; i < CALLS; i++)
        hits += first[i] == 'x';
    assert_in_range(hits, CALLS / 4, CALLS * 3 / 4);
    spk_faults_free(a.plan);
    spk_faults_free(b.plan);
    spk_faults_free(c.plan);
}

static void test_faults__calls_fail_with_the_error_of_the_line(void **state)
{
    (void)state;
    const spark_fault line = { SPARK_FAULT_OPEN, SPARK_ANYWHERE, .error = EACCES };
    spk_place place = under(&line);
    spk_place_enter(&place);
    assert_int_equal(spk_open("/dev/null", O_RDONLY, 0), -1);
    assert_int_equal(errno, EACCES);
    const int fd = spk_open("/dev/null", O_RDONLY, 0);
    assert_true(fd >= 0);
    spk_place_enter(NULL);
    spk_faults_free(place.plan);

    const spark_fault closing = { SPARK_FAULT_CLOSE, SPARK_ANYWHERE };
    place = under(&closing);
    spk_place_enter(&place);
    assert_int_equal(spk_close(fd), -1);
    assert_int_equal(errno, EIO);
    spk_place_enter(NULL);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed all the same */
    spk_faults_free(place.plan);
}

static void test_faults__calls_are_shortened(void **state)
{
    (void)state;
    char bytes[100] = { 0 };
    const spark_fault line = { SPARK_FAULT_WRITE, SPARK_ANYWHERE, .nth = 2, .most = 7 };
    spk_place place = under(&line);
    const int fd = open("/dev/null", O_WRONLY);
    spk_place_enter(&place);
    assert_int_equal(spk_write(fd, bytes, 100), 100);
    assert_int_equal(spk_write(fd, bytes, 100), 7);
    assert_int_equal(spk_write(fd, bytes, 3), 3);
    spk_place_enter(NULL);
    close(fd);
    spk_faults_free(place.plan);
}

static void test_faults__a_heap_counts_for_threads_that_are_nowhere(void **state)
{
    (void)state;
    size_t capacity;
    spk_heap heap;
    const spark_fault line = { SPARK_FAULT_ALLOC, SPARK_ANYWHERE, .nth = 2 };
    spk_place place = under(&line);
    spk_heap_init(&heap, 0);
    heap.place = &place;
    void *block = spk_heap_alloc(&heap, 100, &capacity);
    assert_non_null(block);
    size_t none;
    assert_null(spk_heap_alloc(&heap, 100, &none));
    spk_heap_free(&heap, block, capacity);
    block = spk_heap_alloc(&heap, 100, &capacity);
    assert_non_null(block);
    spk_heap_free(&heap, block, capacity);
    spk_heap_fini(&heap);
    spk_faults_free(place.plan);
}

static void test_faults__what_was_read_back_is_changed_by_one_bit(void **state)
{
    (void)state;
    unsigned char bytes[64] = { 0 };
    const spark_fault line = { SPARK_FAULT_CORRUPT, SPARK_ANYWHERE, .nth = 2 };
    spk_place place = under(&line);
    spk_place_enter(&place);
    for (int i = 0; i < 3; i++) {
        int bits = 0;
        spk_corrupt(bytes, sizeof bytes);
        for (size_t at = 0; at < sizeof bytes; at++)
            bits += __builtin_popcount(bytes[at]);
        assert_int_equal(bits, i >= 1);
    }
    spk_place_enter(NULL);
    spk_faults_free(place.plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults__the_nth_call_of_a_kind_fails_once_or_for_ever),
        cmocka_unit_test(test_faults__io_means_each_call_on_files_and_no_other),
        cmocka_unit_test(test_faults__a_plan_of_other_kinds_strikes_no_call),
        cmocka_unit_test(test_faults__a_plan_that_is_off_neither_strikes_nor_counts),
        cmocka_unit_test(test_faults__lines_match_who_calls),
        cmocka_unit_test(test_faults__rates_strike_the_same_calls_of_an_attempt_again),
        cmocka_unit_test(test_faults__calls_fail_with_the_error_of_the_line),
        cmocka_unit_test(test_faults__calls_are_shortened),
        cmocka_unit_test(test_faults__a_heap_counts_for_threads_that_are_nowhere),
        cmocka_unit_test(test_faults__what_was_read_back_is_changed_by_one_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
