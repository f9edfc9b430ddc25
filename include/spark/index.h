/* SPDX-License-Identifier: Apache-2.0 */
/* Maps to look things up in: the results of spark_collect_as_map, and broadcasts of them. */
#ifndef SPARK_INDEX_H
#define SPARK_INDEX_H

#include <spark/type.h>

SPARK_BEGIN_DECLS

/* spark_index: pairs, each key once, in the order in which keys came first. */
typedef struct spark_index {
    const spark_type *type; /* of the pairs */
    const void *items;
    size_t n;
    const uint32_t *slots; /* number of the item + 1, by hash; 0: free */
    size_t n_slots;
    const void *key;    /* the engine's description of the key */
    uint64_t secret[2]; /* the engine's too: not 0 where keys were chosen to collide */
} spark_index;

/* spark_array_index: of an array that spark_collect_as_map or spark_reduce_by_key_locally gave,
 * valid as long as it; NULL of any other. */
const spark_index *spark_array_index(const spark_array *array);

/* SPARK_FIND(T, index, key): a pointer to the value of *key in a map of pairs T, or NULL. In a
 * function the index is what it gets as env:
 *
 *   SPARK_PAIR(customer_entry, int64_t, customer);
 *   SPARK_FLAT_MAP(with_customer, order, sale, spark_index)
 *   {
 *       const customer *c = SPARK_FIND(customer_entry, env, &in->customer);
 *       if (c)
 *           spark_emit(out, (sale){ c->country, in->amount });
 *   }
 *   spark_flat_map(orders, with_customer, SPARK_SHARED(spark_broadcast_index(sc, index))); */
const void *spark_find_(const spark_index *index, const spark_type *want, const void *key);
#ifdef __cplusplus
#define SPARK_FIND(T, index, k)                                                                    \
    spark_find_value_((const T *)spark_find_(index, SPARK_TYPE(T), (true ? (k) : &((T *)0)->key)))
#else
#define SPARK_FIND(T, index, k)                                                                    \
    ((__typeof__(&((const T *)0)->value))spark_find_value_(                                        \
        spark_find_(index, SPARK_TYPE(T), SPARK_POINTER_(__typeof__(((T *)0)->key), k)),           \
        offsetof(T, value)))
static inline const void *spark_find_value_(const void *pair, size_t offset)
{
    return pair ? (const char *)pair + offset : NULL;
}
#endif

SPARK_END_DECLS

#ifdef __cplusplus
template <class T> inline auto spark_find_value_(const T *pair) -> decltype(&pair->value)
{
    return pair ? &pair->value : nullptr;
}
#endif

#endif
