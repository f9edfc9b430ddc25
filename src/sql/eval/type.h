/* SPDX-License-Identifier: Apache-2.0 */
/* The types of SQL: what a column or an expression is, and how its values lie in memory.
 *
 * A type is a const description. Those without parameters are static; others are made in an arena
 * and
 * compared by structure (spk_sql_type_same). Whether a column may be NULL is not of its type, but
 * stands
 * beside it; what may be NULL inside an array, map or struct is part of the type.
 *
 * A value that is not NULL lies in memory as follows, which is what libspark's own kinds are:
 *
 *   BOOLEAN               bool                       FLOAT, DOUBLE          float, double
 *   TINYINT to BIGINT     int8_t to int64_t          STRING, BINARY         spark_str
 *   DATE                  int32_t days               DECIMAL, p <= 18       int64_t units of 10^-s
 *   TIMESTAMP, _NTZ       int64_t microseconds       DECIMAL, p > 18        spk_sql_wide
 *   TIME                  int64_t nanoseconds of the day
 *   INTERVAL, months      int32_t                    INTERVAL, days to seconds  int64_t
 * microseconds
 *   ARRAY                 { const void *at; size_t n; }: n slots of the element, side by side
 *   MAP                   the same of entries { key; slot of the value }, in order of insertion
 *   STRUCT                slots of its fields, as C lays out a struct
 *   VOID                  nothing: always NULL
 *
 * slot: where something may be NULL, an optional (a present byte, then the value at its alignment);
 * where
 * it may not, the value. */
#ifndef SPK_SQL_EVAL_TYPE_H
#define SPK_SQL_EVAL_TYPE_H

#include <spark/type.h>

#include "base/arena.h"
#include "type/layout.h"

/* In the order in which numbers are promoted. */
typedef enum spk_sql_kind {
    SPK_SQL_VOID,
    SPK_SQL_BOOLEAN,
    SPK_SQL_TINYINT,
    SPK_SQL_SMALLINT,
    SPK_SQL_INT,
    SPK_SQL_BIGINT,
    SPK_SQL_DECIMAL,
    SPK_SQL_FLOAT,
    SPK_SQL_DOUBLE,
    SPK_SQL_STRING,
    SPK_SQL_BINARY,
    SPK_SQL_DATE,
    SPK_SQL_TIMESTAMP,
    SPK_SQL_TIMESTAMP_NTZ,
    SPK_SQL_TIME,
    SPK_SQL_INTERVAL_MONTHS,  /* YEAR, MONTH */
    SPK_SQL_INTERVAL_SECONDS, /* DAY, HOUR, MINUTE, SECOND */
    SPK_SQL_ARRAY,
    SPK_SQL_MAP,
    SPK_SQL_STRUCT
} spk_sql_kind;
enum { SPK_SQL_KINDS = SPK_SQL_STRUCT + 1 };

/* The fields of intervals, from the largest. */
typedef enum spk_sql_unit {
    SPK_SQL_YEAR,
    SPK_SQL_MONTH,
    SPK_SQL_DAY,
    SPK_SQL_HOUR,
    SPK_SQL_MINUTE,
    SPK_SQL_SECOND
} spk_sql_unit;

typedef struct spk_sql_type spk_sql_type;

typedef struct spk_sql_field {
    const char *name;
    const spk_sql_type *type;
    bool nullable;
    uint32_t offset; /* of the slot; set by spk_sql_type_struct */
} spk_sql_field;

struct spk_sql_type {
    spk_sql_kind kind;
    uint8_t precision, scale; /* of a decimal; TIME: precision; intervals: first and last unit */
    bool contains_null;       /* elements of an array, values of a map */
    uint32_t size, align;     /* of a value */
    const spk_sql_type *key;  /* of a map */
    const spk_sql_type *of;   /* elements of an array, values of a map */
    uint32_t n;               /* fields of a struct */
    const spk_sql_field *fields;
};

enum { SPK_SQL_DECIMAL_MAX = 38, SPK_SQL_DECIMAL_LONG = 18, SPK_SQL_TYPE_DEPTH = 400 };

__extension__ typedef __int128 spk_i128;
__extension__ typedef unsigned __int128 spk_u128;

/* spk_sql_wide: 128 bits, so that a struct of these two members compares, hashes and sorts as the
 * number. */
typedef struct spk_sql_wide {
    int64_t high;
    uint64_t low;
} spk_sql_wide;

static inline spk_i128 spk_sql_widen(spk_sql_wide x)
{
    return (spk_i128)((spk_u128)(uint64_t)x.high << 64 | x.low);
}
static inline spk_sql_wide spk_sql_wide_of(spk_i128 x)
{
    return (spk_sql_wide) { (int64_t)(x >> 64), (uint64_t)x };
}

typedef struct spk_sql_array {
    const char *at;
    size_t n;
} spk_sql_array;

/* The types without parameters; of intervals YEAR TO MONTH and DAY TO SECOND; TIME is TIME(6). */
extern const spk_sql_type spk_sql_types[SPK_SQL_KINDS];
static inline const spk_sql_type *spk_sql_type_of(spk_sql_kind kind)
{
    return &spk_sql_types[kind];
}

/* spk_sql_type_...: made in the arena; NULL: no memory. */
const spk_sql_type *spk_sql_type_decimal(spk_arena *arena, int precision, int scale);
const spk_sql_type *spk_sql_type_interval(spk_arena *arena, spk_sql_unit first, spk_sql_unit last);
const spk_sql_type *spk_sql_type_time(spk_arena *arena, int precision);
const spk_sql_type *spk_sql_type_array(
    spk_arena *arena, const spk_sql_type *of, bool contains_null);
const spk_sql_type *spk_sql_type_map(
    spk_arena *arena, const spk_sql_type *key, const spk_sql_type *of, bool contains_null);
/* The fields are copied, their names are not. */
const spk_sql_type *spk_sql_type_struct(spk_arena *arena, const spk_sql_field *fields, size_t n);

/* spk_sql_type_copy: with all it consists of, names too. */
const spk_sql_type *spk_sql_type_copy(spk_arena *arena, const spk_sql_type *type);

/* spk_sql_type_same: the same type, whatever its fields are called and what in it may be NULL.
 * spk_sql_type_equal: in these as well. */
bool spk_sql_type_same(const spk_sql_type *a, const spk_sql_type *b);
bool spk_sql_type_equal(const spk_sql_type *a, const spk_sql_type *b);

static inline bool spk_sql_is_integral(const spk_sql_type *t)
{
    return t->kind >= SPK_SQL_TINYINT && t->kind <= SPK_SQL_BIGINT;
}
static inline bool spk_sql_is_numeric(const spk_sql_type *t)
{
    return t->kind >= SPK_SQL_TINYINT && t->kind <= SPK_SQL_DOUBLE;
}
/* spk_sql_points: whether values point to memory, or may. */
static inline bool spk_sql_points(const spk_sql_type *t)
{
    return t->kind == SPK_SQL_STRING || t->kind == SPK_SQL_BINARY || t->kind >= SPK_SQL_ARRAY;
}
static inline bool spk_sql_is_interval(const spk_sql_type *t)
{
    return t->kind == SPK_SQL_INTERVAL_MONTHS || t->kind == SPK_SQL_INTERVAL_SECONDS;
}
static inline bool spk_sql_is_atomic(const spk_sql_type *t)
{
    return t->kind > SPK_SQL_VOID && t->kind < SPK_SQL_ARRAY;
}
/* spk_sql_is_ordered: may be compared with < and sorted: no map in it. */
bool spk_sql_is_ordered(const spk_sql_type *t);
static inline bool spk_sql_is_wide(const spk_sql_type *t)
{
    return t->kind == SPK_SQL_DECIMAL && t->precision > SPK_SQL_DECIMAL_LONG;
}

/* spk_sql_type_print: "DECIMAL(10,2)", "ARRAY<INT>", as Spark's type.sql; lower: as simpleString
 * and
 * schemas have it: "decimal(10,2)", "struct<a:int>". At most size bytes with the NUL; the text's
 * whole length. */
size_t spk_sql_type_print(const spk_sql_type *type, bool lower, char *text, size_t size);

/* spk_sql_type_text: as simpleString has it, in the arena; NULL: no memory. */
const char *spk_sql_type_text(spk_arena *arena, const spk_sql_type *type);

/* spk_sql_type_parse: "decimal(10, 2)", "array<struct<a: int, b string>>", "timestamp without time
 * zone",
 * ...: the type's name as a statement or a schema has it, in any case. NULL: none, or no memory. */
const spk_sql_type *spk_sql_type_parse(spk_arena *arena, const char *text, size_t n);

/* spk_sql_slot_size, _align, _value: of a slot of such values; where its value lies in it. */
static inline uint32_t spk_sql_slot_value(const spk_sql_type *t, bool nullable)
{
    return nullable ? t->align : 0;
}
static inline uint32_t spk_sql_slot_size(const spk_sql_type *t, bool nullable)
{
    return nullable ? (t->align + t->size + t->align - 1) & ~(t->align - 1) : t->size;
}
/* spk_sql_entry_...: of a map: where the slot of the value lies in an entry, and an entry's size.
 * */
uint32_t spk_sql_entry_value(const spk_sql_type *map);
uint32_t spk_sql_entry_size(const spk_sql_type *map);

/* spk_sql_type_from: the SQL type of values of a libspark type: an optional's value (*nullable is
 * then
 * set), U8 as SMALLINT, U16 as INT, U32 as BIGINT, U64 as DECIMAL(20,0), CHAR arrays as STRING. The
 * last
 * four and fixed arrays are laid out differently there: spk_sql_type_fits says whether memory of
 * the
 * libspark type reads as the SQL type without conversion. NULL: no memory, or no such type: *why.
 * */
const spk_sql_type *spk_sql_type_from(
    spk_arena *arena, const spark_type *type, bool *nullable, const char **why);
bool spk_sql_type_fits(const spk_sql_type *sql, const spark_type *type);

/* spk_sql_type_to: the libspark type whose values lie in memory as those of the SQL type: made in
 * the
 * table of types of a context. Wide decimals are structs (high, low), intervals I32 and I64, VOID
 * is BOOL.
 * nullable: an optional of it. NULL: no memory, or nested too deep. */
const spark_type *spk_sql_type_to(spk_types *types, const spk_sql_type *type, bool nullable);

#endif
