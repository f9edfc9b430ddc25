/* SPDX-License-Identifier: Apache-2.0 */
/* A stack of pointers, for walks that must not recurse. */
#ifndef SPK_BASE_LIST_H
#define SPK_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* spk_list: begins as zero; `at` is the owner's to free. */
typedef struct spk_list {
    void **at;
    size_t n, max;
} spk_list;

/* spk_list_add: false: no memory, and the list is as it was. */
bool spk_list_add(spk_list *list, void *item);

#endif
