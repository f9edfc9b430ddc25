/* SPDX-License-Identifier: Apache-2.0 */
/* Order, equality and hash of values of any type: NaN is equal to itself and the largest, 0.0
 * equals
 * -0.0, strings by bytes, arrays and structs member by member, NULLs inside them equal and first.
 * */
#ifndef SPK_SQL_EVAL_COMPARE_H
#define SPK_SQL_EVAL_COMPARE_H

#include "sql/eval/type.h"

/* spk_sql_value_compare: < 0, 0, > 0, of two values that are not NULL. Maps: only equality means
 * something. */
int spk_sql_value_compare(const spk_sql_type *type, const void *a, const void *b);
bool spk_sql_value_equal(const spk_sql_type *type, const void *a, const void *b);

/* spk_sql_slot: where the value of slot i of an array lies; NULL: it is NULL. */
static inline const void *spk_sql_slot(const spk_sql_type *array, spk_sql_array a, size_t i)
{
    const char *at = a.at + i * spk_sql_slot_size(array->of, array->contains_null);
    if (array->contains_null && !*at)
        return NULL;
    return at + spk_sql_slot_value(array->of, array->contains_null);
}
/* spk_sql_member: of field i of a struct value. spk_sql_entry: entry i of a map; *value NULL: it is
 * NULL. */
static inline const void *spk_sql_member(const spk_sql_type *type, const char *row, uint32_t i)
{
    const spk_sql_field *f = &type->fields[i];
    const char *at = row + f->offset;
    if (f->nullable && !*at)
        return NULL;
    return at + spk_sql_slot_value(f->type, f->nullable);
}
static inline const void *spk_sql_entry(
    const spk_sql_type *map, spk_sql_array a, size_t i, const void **value)
{
    const char *at = a.at + i * spk_sql_entry_size(map), *slot = at + spk_sql_entry_value(map);
    *value = map->contains_null && !*slot ? NULL
                                          : slot + spk_sql_slot_value(map->of, map->contains_null);
    return at;
}

static inline int spk_sql_str_compare(spark_str a, spark_str b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}
static inline bool spk_sql_str_equal(spark_str a, spark_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline int spk_sql_f64_compare(double a, double b)
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return (a > b) - (a < b);
}

#endif
