/* SPDX-License-Identifier: Apache-2.0 */
/* Columns on their way out: where a value lies in a row, and what it is in Arrow. */
#ifndef SPK_SQL_ARROW_COLUMN_H
#define SPK_SQL_ARROW_COLUMN_H

#include <spark/arrow.h>

#include "sql/eval/type.h"

typedef enum spk_arrow_kind {
    SPK_ARROW_NULL,
    SPK_ARROW_BOOL,   /* a byte to a bit */
    SPK_ARROW_FIXED,  /* `size` bytes, as they are */
    SPK_ARROW_LONG,   /* 64 bits to 128, with the sign */
    SPK_ARROW_WIDE,   /* spk_sql_wide, the halves in the other order */
    SPK_ARROW_BYTES,  /* spark_str */
    SPK_ARROW_CHARS,  /* a char array of `size`, up to the first NUL */
    SPK_ARROW_LIST,   /* also of a map: one child */
    SPK_ARROW_ARRAY,  /* of a fixed length */
    SPK_ARROW_STRUCT
} spk_arrow_kind;

typedef struct spk_arrow_column spk_arrow_column;
struct spk_arrow_column {
    spk_arrow_kind kind;
    const char *name;
    char format[32];
    bool nullable;
    uint32_t offset; /* in the row of the present byte, */
    uint32_t value;  /* and of the value */
    uint32_t size;   /* of a value; of elements: how far they are apart */
    uint32_t count;  /* of a fixed array */
    spk_arrow_column *children;
    uint32_t n;
};

/* spk_arrow_of_type, _of_sql: the columns of rows of a type: a STRUCT without name. names: of SQL's
 * columns, whose slots lie in a struct of the fields' order. In the arena; NULL: no memory. */
const spk_arrow_column *spk_arrow_of_type(spk_arena *arena, const spark_type *type);
typedef struct spk_arrow_slot {
    const char *name;
    const spk_sql_type *type;
    bool nullable;
    uint32_t offset, value;
} spk_arrow_slot;
const spk_arrow_column *spk_arrow_of_sql(spk_arena *arena, const spk_arrow_slot *slots, size_t n);

/* spk_arrow_schema: of a column and all below; its strings are its own. False: no memory. */
bool spk_arrow_schema(const spk_arrow_column *column, struct ArrowSchema *out);

/* spk_arrow_builder: arrays that grow. new: NULL: no memory. add: n rows, a stride apart. finish: the
 * array is *out's, and the builder is empty again. Each false: no memory, or the offsets of a column
 * do not fit in 31 bits. */
typedef struct spk_arrow_builder spk_arrow_builder;
spk_arrow_builder *spk_arrow_builder_new(const spk_arrow_column *column);
bool spk_arrow_add(spk_arrow_builder *builder, const char *rows, size_t stride, size_t n);
int64_t spk_arrow_count(const spk_arrow_builder *builder);
bool spk_arrow_finish(spk_arrow_builder *builder, struct ArrowArray *out);
void spk_arrow_builder_free(spk_arrow_builder *builder);

#endif
