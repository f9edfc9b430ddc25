/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of Arrow as columns of SQL's types: what a format is, whether an array can be right, and its
 * values as slots of rows. */
#ifndef SPK_SQL_ARROW_READ_H
#define SPK_SQL_ARROW_READ_H

#include <spark/arrow.h>

#include "base/error.h"
#include "sql/eval/type.h"

/* How a value becomes one of SQL's. */
typedef enum spk_arrow_read {
    SPK_READ_NULL,
    SPK_READ_BIT,
    SPK_READ_COPY,   /* of the type's size */
    SPK_READ_U8,
    SPK_READ_U16,
    SPK_READ_U32,
    SPK_READ_U64,    /* to DECIMAL(20,0) */
    SPK_READ_HALF,
    SPK_READ_I128,
    SPK_READ_I64,    /* to a wide decimal, or as it is */
    SPK_READ_I32,    /* likewise, and to 64 bits */
    SPK_READ_SCALE,  /* times `factor`, or divided by -factor, rounded down */
    SPK_READ_SCALE32, /* likewise, of 32 bits */
    SPK_READ_DAYS,   /* milliseconds of 64 bits to days */
    SPK_READ_TEXT,   /* offsets of 32 bits */
    SPK_READ_LARGE,  /* of 64 */
    SPK_READ_VIEW,
    SPK_READ_BLOB,   /* of `width` bytes */
    SPK_READ_LIST,
    SPK_READ_LARGE_LIST,
    SPK_READ_ARRAY,  /* `width` elements */
    SPK_READ_STRUCT
} spk_arrow_read;

typedef struct spk_arrow_in spk_arrow_in;
struct spk_arrow_in {
    const char *name;
    spk_arrow_read how;
    const spk_sql_type *type;
    bool nullable;
    int64_t factor;
    int64_t width;
    spk_arrow_in *children; /* of a map: the two of its entries */
    uint32_t n;
    uint8_t index_size; /* of a dictionary; 0: it is none */
    bool index_signed;
};

/* spk_arrow_in_of: the columns of record batches of a schema; in the arena. NULL: *failure. */
const spk_arrow_in *spk_arrow_in_of(
    spk_arena *arena, const struct ArrowSchema *schema, spk_failure *failure);

/* spk_arrow_in_check: whether an array can be one of that column. */
bool spk_arrow_in_check(
    const spk_arrow_in *in, const struct ArrowArray *array, spk_failure *failure);

/* spk_arrow_in_fill: values `first` to first + n - 1 of an array to slots, a stride apart, zeroed. at:
 * of the slot's present byte; what they point to is the array's, or the arena's. False: *failure. */
bool spk_arrow_in_fill(const spk_arrow_in *in, const struct ArrowArray *array, int64_t first,
    size_t n, char *slots, size_t stride, spk_arena *arena, spk_failure *failure);

#endif
