/* SPDX-License-Identifier: Apache-2.0 */
/* Included first, by files of which nothing runs once a row: what makes plans, reads options, prints. Released
 * builds make their functions small instead of fast. SPK_COLD (base/cold.h) says so of one function. */
#ifndef SPK_BASE_SMALL_H
#define SPK_BASE_SMALL_H

#if defined __GNUC__ && !defined __clang__ && defined NDEBUG
#pragma GCC optimize("Os")
#endif

#endif
