/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts: a type description compiled for the engine: what to hash, compare, copy and print, as a
 * flat list of leaves. Interned by structure, one table a context.
 *
 * leaf: a member that is no struct, pair or fixed array; view: a leaf that points to other memory
 * (str, bytes, list), or an optional that holds one. */
#ifndef SPK_TYPE_LAYOUT_H
#define SPK_TYPE_LAYOUT_H

#include <spark/type.h>

#include "base/error.h"
#include "base/secret.h"

typedef enum spk_key_class {
    SPK_KEY_GENERIC,
    SPK_KEY_4,  /* 4-byte integer kinds (i32, u32, date) at offset 0, nothing else */
    SPK_KEY_8,  /* 8-byte integer kinds (i64, u64, decimal, time) at offset 0, nothing else */
    SPK_KEY_STR, /* one str or bytes */
    SPK_KEY_OPTIONAL_4, /* an optional of what would be SPK_KEY_4, SPK_KEY_8, SPK_KEY_STR: never of a brief */
    SPK_KEY_OPTIONAL_8,
    SPK_KEY_OPTIONAL_STR
} spk_key_class;

typedef struct spk_layout spk_layout;
typedef struct spk_leaf {
    spark_kind kind; /* STRUCT: a member with overrides, to be left to its own layout */
    uint32_t offset;
    uint32_t size;        /* bytes; of fused neighbours of one scalar kind: all of them */
    const spk_layout *of; /* of a list's elements, an optional's value, or of a STRUCT itself */
} spk_leaf;

struct spk_layout {
    const spark_type *type;
    uint32_t size, align;
    bool views;              /* points to other memory anywhere */
    bool flat;               /* equal means equal bytes: integers only, no padding, no override */
    spk_key_class key_class; /* GENERIC where ops override hash or equal */
    uint32_t n_leaves;
    const spk_leaf *leaves; /* in order of the description, nested members in place */
    uint32_t n_views;
    const spk_leaf *view_leaves;
    const spk_layout *key, *value; /* of a pair */
    uint32_t value_offset;         /* of a pair's value */
};

/* spk_types: the table of a context. Thread-safe. */
typedef struct spk_types spk_types;
SPK_COLD spk_types *spk_types_new(void); /* NULL: no memory */
SPK_COLD void spk_types_free(spk_types *types);

/* spk_layout_of: NULL with *failure filled: no memory, or a description that makes no sense
 * (unknown kind, no `of`, members outside the struct, nested deeper than 32). */
SPK_COLD const spk_layout *spk_layout_of(spk_types *types, const spark_type *type,
    spk_failure *failure);

/* spk_types_pair, ...: run-time types, interned: same arguments, same pointer. NULL: no memory. */
const spark_type *spk_types_pair(spk_types *types, const spark_type *key, const spark_type *value);
const spark_type *spk_types_optional(spk_types *types, const spark_type *of);
const spark_type *spk_types_list(spk_types *types, const spark_type *of);
/* of up to 18 digits */
SPK_COLD const spark_type *spk_types_decimal(spk_types *types, int precision, int scale);
SPK_COLD const spark_type *spk_types_struct(
    spk_types *types, size_t n, const spark_type *const members[], const char *const names[]);

/* spk_types_refused: fills *failure with why there is no such type of these members: SPARK_EINVAL when
 * one of them is nested as deep as can be, or they are too large; else there is no memory. */
SPK_COLD spark_status spk_types_refused(
    size_t n, const spark_type *const members[], spk_failure *failure);

/* spk_type_differ: as spark_type_check, without touching the last error: the difference is written
 * to text. */
SPK_COLD spark_status spk_type_differ(
    const spark_type *want, const spark_type *have, char *text, size_t text_size);

/* spk_type_name: "word_count", "i64", "pair(str,i64)", "list(order)": for messages. Returns text.
 */
SPK_COLD const char *spk_type_name(const spark_type *type, char *text, size_t text_size);

uint64_t spk_value_hash(const spk_layout *layout, const void *value);
/* spk_values_hash: the same of n values, `step` apart. spk_hash_is_cheap: whether it is worth no keeping. */
void spk_values_hash(const spk_layout *layout, const char *values, size_t step, size_t n, uint64_t *hashes);
static inline bool spk_hash_is_cheap(const spk_layout *layout)
{
    return layout->key_class != SPK_KEY_GENERIC && layout->key_class != SPK_KEY_STR
        && layout->key_class != SPK_KEY_OPTIONAL_STR;
}
bool spk_value_equal(const spk_layout *layout, const void *a, const void *b);
/* spk_value_secret_hash: another hash, for places in a table alone; see base/secret.h. */
uint64_t spk_value_secret_hash(
    const spk_layout *layout, const void *value, const spk_secret *secret);
int spk_value_compare(const spk_layout *layout, const void *a, const void *b);

/* spk_value_bytes: the memory that a deep copy of what *value points to takes at most; 0 without
 * views. Depends on the value alone, not on addresses. */
size_t spk_value_bytes(const spk_layout *layout, const void *value);

/* spk_value_pack: *row is a shallow copy; copies what it points to, deep, to `at` and on (room for
 * spk_value_bytes) and makes it point there. Returns the end of what was written. Empty strings and
 * lists point to `at` too, or are NULL when they were. */
char *spk_value_pack(const spk_layout *layout, void *row, char *at);

/* spk_rows_shift: n rows, and all they point to, stand in a block of which the rows are at `rows`;
 * adds `by` to every pointer in them, deep. inward: the pointers are right before that (a block that
 * is about to leave memory); else after it (one that has come back). */
void spk_rows_shift(const spk_layout *layout, char *rows, size_t n, ptrdiff_t by, bool inward);
/* spk_rows_contained: whether all that the n rows at the start of a block of `size` bytes point to,
 * deep, as offsets from its start, lies behind them in the order in which spk_value_pack puts it, each
 * apart: for blocks from files, before their pointers are shifted. */
bool spk_rows_contained(const spk_layout *layout, const char *block, size_t n, size_t size);

/* spk_rows_tidy: zeroes what is not of any member: padding, and the values of absent optionals, also
 * in elements of lists. */
void spk_rows_tidy(const spk_layout *layout, char *rows, size_t n);

/* spk_value_each_view: calls visit(arg, path leaf, ptr, bytes) for each non-empty view of *value,
 * deep; stops and returns false when visit does. For check mode. */
typedef bool spk_view_visit(void *arg, const spk_leaf *leaf, const void *ptr, size_t bytes);
bool spk_value_each_view(
    const spk_layout *layout, const void *value, spk_view_visit *visit, void *arg);

/* spk_value_print: spark_print, on a layout. */
size_t spk_value_print(const spk_layout *layout, const void *value, char *buffer, size_t size);

#endif
