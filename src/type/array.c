/* SPDX-License-Identifier: Apache-2.0 */
/* The typed door to the result of an action. A wrong type here is a bug of the program which no
 * status could report, since the next thing it does is to read the memory: so it stops. */
#include <stdlib.h>

#include "type/layout.h"

const void *spark_array_items(const spark_array *array, const spark_type *want)
{
    char difference[512];
    if (!array)
        return NULL;
    if (array->n == 0 || !array->type
        || spk_type_differ(want, array->type, difference, sizeof difference) == SPARK_OK)
        return array->items;
    fprintf(stderr, "SPARK_ITEMS: %s\n", difference);
    abort();
}
