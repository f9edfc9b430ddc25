/* SPDX-License-Identifier: Apache-2.0 */
/* Bound expressions: trees in which every node has its type. They are made from the leaves up;
 * making one
 * resolves the function, casts its arguments and says what is wrong in Spark's terms. Nothing here
 * knows
 * names of columns: a leaf is a column's index in the rows that the program will run on.
 *
 * Nodes live in the build's arena and may be shared by several trees. Who rewrites trees (an
 * optimiser)
 * may change `column` of leaves and put other nodes of the same type into `args`. */
#ifndef SPK_SQL_EVAL_EXPR_H
#define SPK_SQL_EVAL_EXPR_H

#include "sql/error.h"
#include "sql/eval/type.h"

/* spk_sql_session: what functions know beyond their arguments. */
typedef struct spk_sql_session {
    int64_t now;  /* microseconds since 1970: current_timestamp(), the same for a whole query */
    const struct spk_zone *zone; /* of the session; NULL: UTC */
    struct spk_zones *zones;     /* where those that have names are found, or NULL */
    const char *zone_id;         /* "UTC", "+02:00", "Europe/Paris" */
    const char *user, *catalog, *database;
} spk_sql_session;

/* spk_sql_build: where trees are made. After a failure everything gives NULL, and takes NULL. */
typedef struct spk_sql_build {
    spk_arena *arena;
    spk_sql_error *error;
    const spk_sql_session *session;
} spk_sql_build;

typedef enum spk_sql_expr_kind {
    SPK_SQL_CONSTANT,
    SPK_SQL_COLUMN,
    SPK_SQL_CALL, /* a function or an operator */
    SPK_SQL_CAST,
    SPK_SQL_LAMBDA,  /* args[0] is the body; variables are VARIABLE nodes */
    SPK_SQL_VARIABLE /* of a lambda */
} spk_sql_expr_kind;

typedef struct spk_sql_function spk_sql_function;
struct spk_sql_frame;

typedef struct spk_sql_expr spk_sql_expr;
struct spk_sql_expr {
    spk_sql_expr_kind kind;
    bool nullable;
    bool implicit;      /* a CAST that nobody wrote: not printed */
    bool attempt;       /* TRY_CAST */
    bool deterministic; /* it, and all below */
    bool foldable;      /* no column, no variable of a lambda around it, deterministic: a constant to be */
    bool null;          /* CONSTANT: it is NULL */
    const spk_sql_type *type;
    spk_sql_span span; /* where it stands in the statement */
    uint32_t column;   /* COLUMN: index in the row; VARIABLE: its number, unique in the statement */
    const char *name;  /* COLUMN, VARIABLE: as printed; CALL: as written; CAST: the column it is stored in, or NULL */
    const void *value; /* CONSTANT: as values of the type lie in memory */
    const char *text;  /* CONSTANT: as printed, or NULL: from the value */
    uint32_t n;
    spk_sql_expr **args;
    spk_sql_expr *
        *shown; /* CALL that is computed as its one argument: what is printed; else NULL */
    uint32_t n_shown;
    const spk_sql_function *function;       /* CALL */
    void (*kernel)(struct spk_sql_frame *); /* CALL, CAST: how it is computed */
    const spk_sql_session *session;
    uint32_t variables[3], n_variables; /* LAMBDA: the numbers of its variables */
};

/* spk_sql_constant: value is copied, and what it points to is not. value NULL: a NULL of the type.
 * */
spk_sql_expr *spk_sql_constant(
    spk_sql_build *b, const spk_sql_type *type, const void *value, spk_sql_span span);
/* spk_sql_number: a literal as written: 1, 1L, 1.5, 1e3, 2.5BD, -2147483648. */
spk_sql_expr *spk_sql_number(spk_sql_build *b, const char *text, size_t n, spk_sql_span span);
spk_sql_expr *spk_sql_string(spk_sql_build *b, const char *text, size_t n, spk_sql_span span);
spk_sql_expr *spk_sql_boolean(spk_sql_build *b, bool value, spk_sql_span span);
/* spk_sql_typed: DATE '..', TIMESTAMP, TIMESTAMP_NTZ, TIMESTAMP_LTZ, TIME, X, in any case. */
spk_sql_expr *spk_sql_typed(
    spk_sql_build *b, const char *kind, const char *text, size_t n, spk_sql_span span);
/* spk_sql_interval: INTERVAL '..' YEAR TO MONTH and its kin: one text and two units (the same,
 * where
 * there is one unit). spk_sql_interval_sum: 1 YEAR 2 MONTHS: values and units in turn; also
 * INTERVAL '1 day 2 hours', whose text it takes apart when n_parts is 0. Units: year, years,
 * quarter?,
 * month, week, day, hour, minute, second, millisecond, microsecond, with or without s, in any case.
 * */
spk_sql_expr *spk_sql_interval(spk_sql_build *b, const char *text, size_t n, const char *first,
    const char *last, spk_sql_span span);
spk_sql_expr *spk_sql_interval_sum(spk_sql_build *b, const char *const *parts, size_t n_parts,
    const char *text, size_t n, spk_sql_span span);

spk_sql_expr *spk_sql_column(spk_sql_build *b, uint32_t column, const char *name,
    const spk_sql_type *type, bool nullable, spk_sql_span span);

/* spk_sql_call: the function or operator of that name (any case) on these arguments, which are cast
 * as
 * Spark casts them. Operators by their signs; "and", "or", "not", "in" (x, members..), "between",
 * "like", "ilike", "rlike", "case" (when, then, .., [else]), "isnull", "isnotnull", "istrue",
 * "isfalse", "isunknown", "[]" (x[i]), "." (a struct and the field's name as a STRING constant),
 * "<=>",
 * "u-", "u+", "~". A function that is none: UNRESOLVED_ROUTINE. Aggregates and window functions are
 * not
 * here: sql/eval/aggregate.h, window.h. */
spk_sql_expr *spk_sql_call(
    spk_sql_build *b, const char *name, spk_sql_expr *const args[], size_t n, spk_sql_span span);

/* spk_sql_call_of: the same, of a function that is given. */
spk_sql_expr *spk_sql_call_of(spk_sql_build *b, const spk_sql_function *function, const char *name,
    spk_sql_expr *const args[], size_t n, spk_sql_span span);

/* spk_sql_cast: CAST, or TRY_CAST (attempt), as written; a pair of types that cannot be cast is an
 * error.
 * spk_sql_coerce: the same, not written: nothing where the types are the same. */
spk_sql_expr *spk_sql_cast(
    spk_sql_build *b, spk_sql_expr *arg, const spk_sql_type *type, bool attempt, spk_sql_span span);
spk_sql_expr *spk_sql_coerce(spk_sql_build *b, spk_sql_expr *arg, const spk_sql_type *type);

/* spk_sql_variable, spk_sql_lambda: x -> body. A variable's type is known when the function it
 * belongs
 * to is: spk_sql_lambda_types says which types the variables of argument `which` have, given those
 * arguments before it; 0: that function takes no lambda there. */
spk_sql_expr *spk_sql_variable(spk_sql_build *b, uint32_t number, const char *name,
    const spk_sql_type *type, bool nullable, spk_sql_span span);
spk_sql_expr *spk_sql_lambda(
    spk_sql_build *b, const uint32_t *variables, size_t n, spk_sql_expr *body, spk_sql_span span);
size_t spk_sql_lambda_types(spk_sql_build *b, const char *function, spk_sql_expr *const args[],
    size_t n_args, size_t which, const spk_sql_type *types[3], bool nullable[3]);

/* spk_sql_fold: *expr becomes a constant if it is foldable and does not fail; what is below it as
 * well. */
void spk_sql_fold(spk_sql_build *b, spk_sql_expr **expr);

/* spk_sql_coerce_folded: n of them, each coerced and folded; of what is a constant before and after nothing
 * else is left. False: b->error. */
bool spk_sql_coerce_folded(spk_sql_build *b, spk_sql_expr **exprs, size_t n, const spk_sql_type *type);

/* spk_sql_normal: the expression with one zero and one NaN of FLOAT and DOUBLE, which may be within its values: a key
 * by which rows are grouped. */
spk_sql_expr *spk_sql_normal(spk_sql_build *b, spk_sql_expr *expr);

/* spk_sql_expr_print: as Spark prints it in names of columns and in messages: "(a + 1)",
 * "CAST(x AS INT)", "sum(v)". At most size bytes with the NUL; the text's whole length. */
size_t spk_sql_expr_print(const spk_sql_expr *expr, char *text, size_t size);
/* spk_sql_expr_put: the same, behind what the text has. */
struct spk_text;
void spk_sql_expr_put(struct spk_text *out, const spk_sql_expr *expr);

/* spk_sql_expr_print_computed: as it is computed, for plans: constants by their
 * values, columns with their numbers. */
size_t spk_sql_expr_print_computed(const spk_sql_expr *expr, char *text, size_t size);

/* spk_sql_expr_quoted: that text between double quotes, in the arena: a parameter of messages. */
const char *spk_sql_expr_quoted(spk_sql_build *b, const spk_sql_expr *expr);
const char *spk_sql_type_quoted(spk_sql_build *b, const spk_sql_type *type);

/* spk_sql_value_print: a value (not NULL) as CAST(.. AS STRING) has it. */
size_t spk_sql_value_print(
    const spk_sql_type *type, const void *value, const struct spk_zone *zone, char *text, size_t size);

#endif
