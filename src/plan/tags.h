/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of tags, in the order in which they came. */
#ifndef SPK_PLAN_TAGS_H
#define SPK_PLAN_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* spk_tags: begins as zero. at: those taken away are NULL. slots: a table of places in `at`, plus one;
 * NULL while there are few. */
typedef struct spk_tags {
    char **at;
    size_t n, max, live;
    uint32_t *slots;
    size_t n_slots;
} spk_tags;

/* spk_tags_add, spk_tags_add_all: false: no memory; the set is whole. A tag is there once. */
bool spk_tags_add(spk_tags *tags, const char *tag);
bool spk_tags_add_all(spk_tags *tags, const spk_tags *more);
void spk_tags_remove(spk_tags *tags, const char *tag);
bool spk_tags_has(const spk_tags *tags, const char *tag);
void spk_tags_fini(spk_tags *tags);

/* spk_tags_text: "a,b", allocated; NULL: no memory, or there is none. */
char *spk_tags_text(const spk_tags *tags);

#endif
