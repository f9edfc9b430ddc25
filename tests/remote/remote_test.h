/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of file systems share: the lines that tests/remote/server.py serves, and what is left behind. */
#ifndef REMOTE_TEST_H
#define REMOTE_TEST_H

#include "file_test.h"
#include "server.h"

enum { MANY = 60000 };

/* many_line: line i of lines.txt. */
static inline size_t many_line(int i, char *to)
{
    size_t n = (size_t)sprintf(to, "%d of many lines, some of them ", i);
    for (int k = 0; k < i % 40; k++, n += 5)
        memcpy(to + n, "long ", 5);
    return n;
}

/* check_many: the RDD has these lines, in order. */
static inline void check_many(spark_rdd *lines)
{
    char want[300];
    spark_array got;
    if (spark_collect(lines, SPARK_TYPE(spark_str), &got) != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    const spark_str *line = SPARK_ITEMS(spark_str, &got);
    assert_int_equal(got.n, MANY);
    for (int i = 0; i < MANY; i++)
        if (line[i].len != many_line(i, want) || memcmp(line[i].ptr, want, line[i].len) != 0)
            fail_msg("line %d is \"%.*s\"", i, (int)line[i].len, line[i].ptr);
    spark_array_free(&got);
}

/* check_fails: with a message that has these words. */
static inline void check_fails(spark_rdd *rdd, const char *words)
{
    int64_t n;
    assert_int_not_equal(spark_count(rdd, &n), SPARK_OK);
    if (!strstr(spark_last_error()->message, words))
        fail_msg("\"%s\" does not say \"%s\"", spark_last_error()->message, words);
}

/* no_children: all processes that were started, but those of servers, have ended. */
static inline int children(void)
{
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *in = fopen(path, "r");
    int n = 0;
    if (in && fgets(line, sizeof line, in))
        for (const char *p = line; *p; p++)
            n += *p == ' ';
    if (in)
        fclose(in);
    return n;
}

/* check_round: what is saved to a path is read again, and nothing else is there. */
static inline void check_round(spark_context *sc, const char *path, int n, int partitions)
{
    spark_array got;
    spark_rdd *numbers = spark_range(sc, 0, n, 1, partitions);
    if (spark_save_as_text_file(numbers, path) != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    spark_rdd *again = spark_text_file(sc, path, 1);
    if (spark_collect(again, SPARK_TYPE(spark_str), &got) != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    assert_int_equal(got.n, n);
    for (int i = 0; i < n; i++) {
        const spark_str line = SPARK_ITEMS(spark_str, &got)[i];
        char want[16];
        assert_int_equal(line.len, sprintf(want, "%d", i));
        assert_memory_equal(line.ptr, want, line.len);
    }
    spark_array_free(&got);
    assert_int_equal(spark_save_as_text_file(numbers, path), SPARK_EIO);
    assert_non_null(strstr(spark_last_error()->message, "already exists"));
}

#endif
