/* SPDX-License-Identifier: Apache-2.0 */
/* SPARK_ITEMS: the elements, or the end of the program. */
#include "support/spark_test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_PAIR(page_rank, spark_str, double);
SPARK_PAIR(other_count, spark_str, int64_t);

static const word_count words[] = { { SPARK_STR("a"), 1 }, { SPARK_STR("b"), 2 } };

static void test_items__of_the_right_type_are_the_elements(void **state)
{
    const spark_array array = { SPARK_TYPE(word_count), words, 2, NULL };
    (void)state;
    assert_ptr_equal(SPARK_ITEMS(word_count, &array), words);
    assert_ptr_equal(SPARK_ITEMS(other_count, &array), words);
}

static void test_items__of_a_zeroed_array_are_null(void **state)
{
    const spark_array array = { 0 };
    (void)state;
    assert_null(SPARK_ITEMS(word_count, &array));
}

static void test_items__of_an_empty_array_have_no_type(void **state)
{
    const spark_array array = { SPARK_TYPE(word_count), words, 0, NULL };
    (void)state;
    assert_ptr_equal(SPARK_ITEMS(page_rank, &array), words);
}

static void test_items__of_the_wrong_type_abort_with_a_message(void **state)
{
    const spark_array array = { SPARK_TYPE(word_count), words, 2, NULL };
    char text[256] = { 0 };
    int ends[2], status;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        _exit(SPARK_ITEMS(page_rank, &array) ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "value: f64 at offset 16 wanted, i64 at offset 16 found"));
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items__of_the_right_type_are_the_elements),
        cmocka_unit_test(test_items__of_a_zeroed_array_are_null),
        cmocka_unit_test(test_items__of_an_empty_array_have_no_type),
        cmocka_unit_test(test_items__of_the_wrong_type_abort_with_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
