/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges as partitioners know them: freed and compared. */
#include "plan/ranges.h"

#include <stdlib.h>

void spk_ranges_fini(spk_ranges *r)
{
    if (r->bounds)
        spk_heap_free(r->heap, r->bounds, r->capacity);
    r->bounds = NULL;
}

void spk_ranges_free(spk_ranges *r)
{
    if (r)
        spk_ranges_fini(r);
    free(r);
}

bool spk_ranges_same_order(const spk_ranges *x, const spk_ranges *y)
{
    const spk_ordering *a = &x->ordering, *b = &y->ordering;
    char text[8];
    bool same = a->n == b->n;
    for (uint32_t i = 0; i < a->n && same; i++)
        same
            = spk_type_differ(a->parts[i].layout->type, b->parts[i].layout->type, text, sizeof text)
                == SPARK_OK
            && a->parts[i].offset == b->parts[i].offset
            && a->parts[i].descending == b->parts[i].descending;
    return same;
}

bool spk_ranges_equal(const spk_ranges *a, const spk_ranges *b)
{
    const uint32_t n = a->n / a->slices;
    const size_t a_size = a->keys.layout->size, b_size = b->keys.layout->size;
    if (n != b->n / b->slices || !spk_ranges_same_order(a, b))
        return false;
    for (uint32_t i = 1; i < n; i++)
        if (spk_ordering_compare_key(&a->keys, a->bounds + (i * a->slices - 1) * a_size, &b->keys,
                b->bounds + (i * b->slices - 1) * b_size)
            != 0)
            return false;
    return true;
}
