/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that are put together slot by slot. */
#ifndef SPK_SQL_EVAL_SLOTS_H
#define SPK_SQL_EVAL_SLOTS_H

#include "sql/eval/compare.h"
#include "sql/eval/kernel.h"

typedef struct spk_slots {
    const spk_sql_type *of;
    bool nullable;
    char *at;
    size_t n, room, size;
} spk_slots;

/* spk_slots_of: for arrays of that type. spk_slots_add: a value, or NULL; false: the run has
 * failed. */
static inline spk_slots spk_slots_of(const spk_sql_type *array)
{
    return (spk_slots) { array->of, array->contains_null, NULL, 0, 0,
        spk_sql_slot_size(array->of, array->contains_null) };
}
bool spk_slots_add(spk_slots *s, spk_sql_frame *f, const void *value);
static inline spk_sql_array spk_slots_end(const spk_slots *s)
{
    return (spk_sql_array) { s->at, s->n };
}

/* spk_slot_put: a value, or NULL, into a slot. */
void spk_slot_put(const spk_sql_type *type, bool nullable, const void *value, char *slot);

/* spk_sql_one_zero: -0.0 becomes 0.0, and any NaN the same, where the value is FLOAT or DOUBLE. */
void spk_sql_one_zero(const spk_sql_type *type, void *value);

/* spk_sql_value_at: where value i of a vector lies, or NULL. */
static inline const void *spk_sql_value_at(const spk_sql_vector *v, uint32_t i)
{
    return spk_sql_valid(v, i) ? v->ptr + (size_t)i * v->stride : NULL;
}

/* spk_seen: values met so far, for functions that look for equals: a table of places in a list. */
typedef struct spk_seen {
    const spk_sql_type *type;
    const void **at;
    size_t n, size;
    bool null;
} spk_seen;
/* spk_seen_add: *fresh: it was not there (NULL is a value as well); false: no memory. */
bool spk_seen_add(spk_seen *s, spk_sql_frame *f, const void *value, bool *fresh);
bool spk_seen_has(const spk_seen *s, const void *value);

#endif
