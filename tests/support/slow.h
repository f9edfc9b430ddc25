/* SPDX-License-Identifier: Apache-2.0 */
/* What programs that a sanitizer watches can do in the same time: TESTS_ARE_SLOW, TESTS_WATCH_THREADS. And whether
 * some of many shapes are enough: TESTS_ARE_QUICK; so they are under a sanitizer, and in the programs of another
 * compiler, which is told so by -DTESTS_ARE_QUICK=1. */
#ifndef SLOW_H
#define SLOW_H

#if defined __SANITIZE_ADDRESS__
#define TESTS_ARE_SLOW 1
#elif defined __SANITIZE_THREAD__
#define TESTS_ARE_SLOW 1
#define TESTS_WATCH_THREADS 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define TESTS_ARE_SLOW 1
#elif __has_feature(thread_sanitizer)
#define TESTS_ARE_SLOW 1
#define TESTS_WATCH_THREADS 1
#endif
#endif
#ifndef TESTS_ARE_SLOW
#define TESTS_ARE_SLOW 0
#endif
#ifndef TESTS_WATCH_THREADS
#define TESTS_WATCH_THREADS 0
#endif
#ifndef TESTS_ARE_QUICK
#define TESTS_ARE_QUICK TESTS_ARE_SLOW
#endif

#endif
