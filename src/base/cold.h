/* SPDX-License-Identifier: Apache-2.0 */
/* What a program pays for code that seldom runs. */
#ifndef SPK_BASE_COLD_H
#define SPK_BASE_COLD_H

/* SPK_COLD: before a declaration: of a function that fails, or that runs once a call of the user, a
 * file or a partition, never once a row. The compiler makes it, and what only leads to it, small
 * instead of fast; so a verb, which begins with spk_verb_begin, needs no word of its own. Not before
 * one with a loop over rows in it, nor where such a loop stands in a static function that it alone
 * calls. */
#if defined __GNUC__
#define SPK_COLD __attribute__((cold))
#else
#define SPK_COLD
#endif

#endif
