/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the program under names: what functions of values and aggregates share. Programs that
 * register none do not link these files: the catalog and the binder know no more than spk_user. */
#ifndef SPK_SQL_PLAN_USER_H
#define SPK_SQL_PLAN_USER_H

#include <spark/function.h>

#include "exec/task.h"
#include "sql/eval/agg.h"
#include "sql/plan/catalog.h"

/* spk_user_arg: a member of the struct of arguments. */
typedef struct spk_user_arg {
    const spk_sql_type *type;
    bool nullable;
    uint32_t offset, value; /* of the present byte, or of the value */
} spk_user_arg;

/* spk_user_args: how rows become elements of `type`. */
typedef struct spk_user_args {
    const spark_type *type;
    spk_user_arg *at;
    uint32_t n;
    const char *signature; /* "int, string" */
} spk_user_args;

/* spk_user_base: what both kinds begin with. */
typedef struct spk_user_base {
    spk_user user;
    spark_context *sc;
    spk_arena arena;
    spk_env env;
    spk_user_args args;
    const spk_sql_type *type; /* of the result */
    bool nullable;
    const char *result;       /* its name */
} spk_user_base;

/* spk_user_new: size bytes that begin with a base, zeroed; not yet in the catalog. operation: that of
 * messages. NULL: *failure. spk_user_give: into the catalog and the innermost scope, in place of what
 * has the name, if *failure is empty; else it goes, and *failure is raised. */
void *spk_user_new(size_t size, spark_context *sc, const char *name, spk_failure *failure);
spark_status spk_user_give(
    spk_user_base *base, const char *operation, spark_site at, spk_failure *failure);

/* spk_user_takes: base->args from a type: the members of a struct or pair, or one argument.
 * spk_user_gives: the result from a type. spk_user_binds: the environment. Each does nothing after a
 * failure. */
void spk_user_takes(spk_user_base *base, const spark_type *type, spk_failure *failure);
void spk_user_gives(spk_user_base *base, const spark_type *type, spk_failure *failure);
void spk_user_binds(spk_user_base *base, const spark_env *env, size_t wanted, spk_failure *failure);
/* spk_user_type: the SQL type whose values lie in memory as those of the type; NULL: *failure. */
const spk_sql_type *spk_user_type(
    spk_user_base *base, const spark_type *type, bool *nullable, spk_failure *failure);

/* spk_user_want: casts the arguments of a call to what the function takes. */
bool spk_user_want(spk_sql_build *b, spk_sql_expr *call, const spk_user_args *args);
/* spk_user_rows: of the rows those that the function is called for, whose arguments are there where
 * they must be, to `called`; how many. Their elements to `in`, zeroed, side by side. */
uint32_t spk_user_rows(const spk_user_args *args, const spk_sql_vector *vectors, spk_sql_rows rows,
    uint16_t *called, char *in);

/* spk_user_call: around calls of the function: begin gives the task, NULL: no memory. What the function
 * allocates goes to the arena. end: false: the function has failed, and *error says so; row: of whose
 * element, for the message, or NULL. A failure that is not the function's (a limit of time, no memory)
 * stays the task's, and is *error as well. */
typedef struct spk_user_call {
    spark_task *task;
    spk_arena *scratch;
    bool own;
} spk_user_call;
spark_task *spk_user_begin(spk_user_call *call, const spk_user_base *base, spk_arena *arena);
bool spk_user_end(spk_user_call *call, const spk_user_base *base, const char *row, spk_sql_span span,
    spk_sql_error *error);

#endif
