/* SPDX-License-Identifier: Apache-2.0 */
/* The type of JSON records, found in them, as Spark's JsonInferSchema: a type for each name,
 * which only widens, so that the order of the records does not matter.
 *
 * found: a type so far; schema: that of the records of a partition, and what it is kept in. */
#ifndef SPK_FORMAT_JSON_INFER_H
#define SPK_FORMAT_JSON_INFER_H

#include "format/json_reader.h"
#include "type/layout.h"

/* Members in all, and levels of objects and arrays in each other: what is deeper is a string.
 * Types have 32 levels, of which an object or array takes two; the rest is for what is made of
 * the rows. */
enum { SPK_JSON_MEMBERS = 10000, SPK_JSON_NAMES = 16 << 20, SPK_JSON_LEVELS = 12 };

typedef enum spk_json_found_kind {
    SPK_FOUND_NOTHING = 0,
    SPK_FOUND_BOOL,
    SPK_FOUND_LONG,
    SPK_FOUND_DECIMAL,
    SPK_FOUND_DOUBLE,
    SPK_FOUND_TIME,
    SPK_FOUND_ARRAY,
    SPK_FOUND_OBJECT,
    SPK_FOUND_STR
} spk_json_found_kind;

typedef struct spk_json_found_member spk_json_found_member;
typedef struct spk_json_found {
    spk_json_found_kind kind;
    int precision, scale;         /* of a decimal, of up to 38 digits */
    struct spk_json_found *of;    /* of an array: its elements; NULL: there was none */
    spk_json_found_member **members; /* of an object, by name */
    size_t n, capacity;
    spk_json_found_member *first; /* of the last object */
} spk_json_found;

struct spk_json_found_member {
    spark_str name; /* ends with a NUL that is not counted */
    spk_json_found type;
    spk_json_found_member *next; /* which came behind it in the last object */
};

typedef struct spk_json_schema {
    spk_json_found root;
    bool corrupt; /* there were records that are none */
    size_t members, names;
    struct spk_json_chunk *chunks;
} spk_json_schema;

/* spk_json_infer: one record more. SPARK_EIO: it is no JSON, and the mode is FAILFAST; or there
 * are too many members. A zeroed schema is an empty one. */
spark_status spk_json_infer(
    spk_json_schema *schema, const spk_json *json, spark_str record, spk_failure *failure);
/* spk_json_schema_add: those of another partition, which is left as it is. */
spark_status spk_json_schema_add(
    spk_json_schema *schema, const spk_json_schema *other, spk_failure *failure);
/* spk_json_schema_type: a struct of optionals, members in the order of Java's strings. */
const spark_type *spk_json_schema_type(
    spk_json_schema *schema, const spk_json *json, spk_types *types, spk_failure *failure);
void spk_json_schema_free(spk_json_schema *schema);

/* How types widen. _decimal: one of these digits, or what holds more. _scalar: b is no array and
 * no object. _becomes: whether a is an array or object, as kind says, now that it has met one;
 * else it is a string. _element, _named: the type of the elements, the member of that name, new
 * ones where there are none; NULL: *failure is filled. */
void spk_json_found_decimal(spk_json_found *found, int precision, int scale);
void spk_json_found_scalar(spk_json_found *a, const spk_json_found *b);
bool spk_json_found_becomes(spk_json_found *a, spk_json_found_kind kind);
spk_json_found *spk_json_found_element(
    spk_json_schema *schema, spk_json_found *found, spk_failure *failure);
spk_json_found_member *spk_json_found_named(
    spk_json_schema *schema, spk_json_found *found, spark_str name, spk_failure *failure);

#endif
