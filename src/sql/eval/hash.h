/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of values: one for tables of ours, and Spark's own: Murmur3 (hash) and XXH64 (xxhash64).
 * */
#ifndef SPK_SQL_EVAL_HASH_H
#define SPK_SQL_EVAL_HASH_H

#include "sql/eval/type.h"

/* spk_sql_value_hash: equal for values that are equal by spk_sql_value_compare. */
uint64_t spk_sql_value_hash(const spk_sql_type *type, const void *value);

/* spk_sql_murmur3, spk_sql_xxhash64: of a value that is not NULL, chained by the seed, as Spark has
 * them. */
uint32_t spk_sql_murmur3(const spk_sql_type *type, const void *value, uint32_t seed);
uint64_t spk_sql_xxhash64(const spk_sql_type *type, const void *value, uint64_t seed);

#endif
