/* SPDX-License-Identifier: Apache-2.0 */
/* Macros every other header uses, the names of all objects, and call sites. */
#ifndef SPARK_BASE_H
#define SPARK_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
#define SPARK_BEGIN_DECLS extern "C" {
#define SPARK_END_DECLS }
#define SPARK_ALIGNOF_(T) alignof(T)
#define SPARK_ASSERT_(x, text) static_assert(x, text)
#define SPARK_SAME_(T, member, F) true
#define SPARK_CXX_(...) __VA_ARGS__
template <class T, class V> inline T spark_cast_(V *p) /* a cast in a template is never useless */
{
    return static_cast<T>(p);
}
#define SPARK_CAST_(T, p) spark_cast_<T>(p)
#else
#define SPARK_BEGIN_DECLS
#define SPARK_END_DECLS
#define SPARK_ALIGNOF_(T) _Alignof(T)
#define SPARK_ASSERT_(x, text) _Static_assert(x, text)
#define SPARK_SAME_(T, member, F) _Generic(&((T *)0)->member, F * : true, default : false)
#define SPARK_CXX_(...)
#define SPARK_CAST_(T, p) ((T)(p))
/* SPARK_CHECKED_: 0, where x is true; else the text is an error. */
#define SPARK_CHECKED_(x, text)                                                                    \
    (0                                                                                             \
        * sizeof(struct {                                                                          \
              int checked;                                                                         \
              _Static_assert(x, text);                                                             \
          }))
#endif

#define SPARK_UNUSED_ __attribute__((unused))
/* SPARK_AT_LINE_: a function that begins a cache line, so that a short loop in it lies in one. */
#define SPARK_AT_LINE_ __attribute__((aligned(64)))
#define SPARK_USE_RESULT_ __attribute__((warn_unused_result))
#define SPARK_FORMAT_(f, a) __attribute__((format(printf, f, a)))
#define SPARK_RESTRICT_ __restrict
#define SPARK_STRINGIFY_2_(x) #x
#define SPARK_STRINGIFY_(x) SPARK_STRINGIFY_2_(x)
#define SPARK_PASTE_2_(a, b) a##b
#define SPARK_PASTE_(a, b) SPARK_PASTE_2_(a, b)
#define SPARK_STRIP_(...) __VA_ARGS__
#define SPARK_PICK_2_(a, b, x, ...) x
#define SPARK_PICK_3_(a, b, c, x, ...) x
#define SPARK_PICK_4_(a, b, c, d, x, ...) x
#define SPARK_PICK_5_(a, b, c, d, e, x, ...) x
#define SPARK_PICK_6_(a, b, c, d, e, f, x, ...) x
#define SPARK_PICK_7_(a, b, c, d, e, f, g, x, ...) x

/* spark_site: "file.c:12": where an RDD was made or an action called. Every verb is a function
 * whose first parameter is the site, and a macro of the same name that fills it in. A helper that
 * wants its caller's site in error messages passes one on: (spark_map)(at, rdd, f, NULL). Where
 * SPARK_EXPLICIT_SITES is defined there are no such macros, and every call passes a site. */
typedef const char *spark_site;
#ifdef __FILE_NAME__
#define SPARK_HERE __FILE_NAME__ ":" SPARK_STRINGIFY_(__LINE__)
#else
#define SPARK_HERE spark_site_(__FILE__ ":" SPARK_STRINGIFY_(__LINE__))
#endif

/* spark_site_: without the folders in front, for compilers that know no __FILE_NAME__. */
static inline SPARK_UNUSED_ spark_site spark_site_(const char *here)
{
    const char *slash = strrchr(here, '/');
    return slash ? slash + 1 : here;
}

typedef struct spark_context spark_context;         /* the driver: threads, memory, lineage */
typedef struct spark_scope spark_scope;             /* owns what was made while it was open */
typedef struct spark_rdd spark_rdd;                 /* an immutable node of the lineage */
typedef struct spark_task spark_task;               /* one attempt to compute one partition */
typedef struct spark_partitioner spark_partitioner; /* assigns keys to partitions */
typedef struct spark_broadcast spark_broadcast;     /* a read-only value shared by tasks */
typedef struct spark_accumulator spark_accumulator; /* a value tasks add to */

#endif
