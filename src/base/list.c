/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include <stdlib.h>

bool spk_list_add(spk_list *list, void *item)
{
    if (list->n == list->max) {
        const size_t max = list->max ? list->max * 2 : 16;
        void **at = realloc(list->at, max * sizeof *at);
        if (!at)
            return false;
        list->at = at;
        list->max = max;
    }
    list->at[list->n++] = item;
    return true;
}
