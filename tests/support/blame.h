/* SPDX-License-Identifier: Apache-2.0 */
/* What the error of an action must say: its code, its operation, where it was called; and an RDD that
 * carries one. */
#ifndef BLAME_H
#define BLAME_H

#include "oracle.h"

/* blames: the action fails with `code`; the error has the operation and this line; its message
 * begins with both and contains `words`. */
#define blames(action, code, operation, words)                                                     \
    do {                                                                                           \
        oracle_fails(action, code, words);                                                         \
        blames_(operation, TEST_FILE, __LINE__);                                                    \
    } while (0)

static inline void blames_(const char *operation, const char *file, int line)
{
    const spark_error *error = spark_last_error();
    char begin[512];
    assert_string_equal(error->operation, operation);
    assert_int_equal(error->job, -1);
    assert_int_equal(error->partition, -1);
    if (strncmp(error->site, file, strlen(file)) != 0)
        fail_msg("%s is no place in %s: %s", error->site, file, error->message);
    /* A call of several lines has the number of its first or of its last one. */
    const long at = strtol(error->site + strlen(file) + 1, NULL, 10);
    if (at < line - 6 || at > line + 6)
        fail_msg("%s is not near line %d: %s", error->site, line, error->message);
    snprintf(begin, sizeof begin, "%s at %s: ", operation, error->site);
    if (strncmp(error->message, begin, strlen(begin)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", error->message, begin);
}

/* broken: a range without step. */
static inline spark_rdd *broken(spark_context *sc)
{
    return spark_range(sc, 0, 1, 0, 1);
}

/* zeroed: an array that a failed action has left. */
static inline void zeroed(const spark_array *array)
{
    assert_null(array->type);
    assert_null(array->items);
    assert_int_equal(array->n, 0);
    assert_null(array->owner);
}

#define DIRTY_ARRAY                                                                                \
    {                                                                                              \
        SPARK_TYPE(int64_t), "x", 77, NULL                                                         \
    }

#endif
