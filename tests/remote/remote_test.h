/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of file systems share: the lines that tests/remote/server.py serves, and what is left behind. */
#ifndef REMOTE_TEST_H
#define REMOTE_TEST_H

#include "file_test.h"
#include "server.h"

enum { MANY = 60000 };

/* origin: a server that starts before the tests of a program; harmed: a proxy to it that breaks connections. */
static server origin, harmed;

/* remote_start: the server of this kind, and its proxy, which does harm in the ways that up to five words say. */
static inline int remote_start(const char *kind, const char *const harms[5])
{
    char port[16];
    const char *words[8] = { "proxy", "127.0.0.1", port };
    size_t n = 3;
    for (int i = 0; i < 5 && harms[i]; i++)
        words[n++] = harms[i];
    if (!SERVER_START(&origin, kind))
        return -1;
    snprintf(port, sizeof port, "%d", origin.port);
    return server_start(&harmed, words, n) ? 0 : -1;
}

static inline int remote_stop(void **state)
{
    (void)state;
    server_stop(&harmed);
    server_stop(&origin);
    return 0;
}

/* remote_path: with a scheme, a host and a port, or a URL, in front; of the last four calls. */
static inline const char *remote_path(const char *front, const char *path)
{
    static char text[4][200];
    static int next;
    next = (next + 1) % 4;
    snprintf(text[next], sizeof text[next], "%s%s", front, path);
    return text[next];
}

/* check_count: so many lines. */
static inline void check_count(spark_context *sc, const char *path, int64_t want)
{
    int64_t n = -1;
    if (spark_count(spark_text_file(sc, path, 0), &n) != SPARK_OK)
        fail_msg("%s: %s", path, spark_last_error()->message);
    assert_int_equal(n, want);
}

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

/* each_call_fails: the n-th call of each kind, until it is not reached; each time `count` gives what it should, or an
 * error that says something. more: the next n is so many per cent later. */
typedef spark_status remote_count(spark_context *sc, int64_t *n);
static inline void each_call_fails(
    size_t n_kinds, const spark_fault_kind *kinds, unsigned more, remote_count *count, int64_t want)
{
    for (size_t k = 0; k < n_kinds; k++) {
        bool struck = true;
        for (uint64_t nth = 1; struck && nth < 1500; nth += 1 + nth * more / 100) {
            const spark_fault plan = { kinds[k], SPARK_ANYWHERE, .nth = nth };
            spark_context *sc = spark_context_new(
                &(spark_conf) { .faults = &plan, .n_faults = 1, .task_max_failures = 1, .threads = 1 });
            int64_t n;
            if (count(sc, &n) == SPARK_OK)
                assert_int_equal(n, want);
            else
                assert_true(*spark_last_error()->message);
            struck = spark_faults_struck(sc) > 0;
            spark_context_free(sc);
        }
        assert_false(struck);
    }
    assert_int_equal(children(), 2);
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
