/* SPDX-License-Identifier: Apache-2.0 */
/* What the nodes of one statement share: its arena, in which types, expressions and programs live,
 * its text, for messages, and the RDDs it reads. It goes with the last node. */
#ifndef SPK_SQL_EXEC_QUERY_H
#define SPK_SQL_EXEC_QUERY_H

#include "exec/step.h"
#include "plan/rdd.h"
#include "sql/eval/program.h"
#include "sql/plan/analyze.h"

typedef struct spk_query {
    atomic_int refs;
    spk_arena arena;
    spark_context *sc;
    spark_scope *scope; /* what the statement gives and makes belongs to it */
    spk_sql_session session;
    spk_sql_error error; /* while it is prepared */
    bool has_failed;     /* a job that preparing it has run: */
    spk_failure failed;
    char *text;
    int partitions; /* of shuffles; 0: as many as the input has */
    spark_rdd **used;
    size_t n_used;
    spk_user **users; /* functions of the program that it calls */
    size_t n_users;
    FILE *before; /* where the plan is printed before the rules have changed it; or NULL */
    const spk_plan *top; /* while it is built: a sort, and how many of its rows are wanted */
    uint64_t top_rows;
    spark_rdd *done;          /* the result of a statement that gives no rows */
    const spk_plan *plan;     /* of its rows, for listeners; NULL: there is none */
    struct spk_built *built;  /* what its operators have become */
    size_t n_built;
    spk_analyzer analyzer;
} spk_query;

/* spk_query_said: its text as listeners are told it: a program may begin it with lines, for messages to have their
 * numbers. */
static inline const char *spk_query_said(const spk_query *q)
{
    return q->text + strspn(q->text, " \t\r\n");
}

struct spk_form;

/* spk_built: by its id, the RDD whose rows are those of an operator; while the plan is built, it and how they lie. */
typedef struct spk_built {
    const spk_plan *plan;
    int rdd;
    spark_rdd *rows;
    const struct spk_form *form;
} spk_built;

/* spk_query_new: NULL: no memory. */
spk_query *spk_query_new(spark_context *sc, const char *text);
void spk_query_ref(spk_query *query);
void spk_query_unref(spk_query *query);

/* spk_slot: where a column lies in a row. */
typedef struct spk_slot {
    const spk_sql_type *type;
    bool nullable;
    uint32_t offset; /* of the present byte, or of the value */
    uint32_t value;
    uint32_t size;   /* of the whole slot */
} spk_slot;

/* spk_form: how the rows of an operator lie in memory. */
typedef struct spk_form {
    const spk_layout *layout;
    spk_slot *slots;
    size_t n;
    bool own; /* a struct made for it: members in order; else those of an RDD of the program */
} spk_form;

/* spk_form_of: rows of these columns: a struct made at run time; names: of its members, or NULL.
 * NULL: the query's error. spk_form_field: one member of such a struct. */
typedef struct spk_column {
    const spk_sql_type *type;
    bool nullable;
} spk_column;
SPK_COLD const spk_form *spk_form_of(
    spk_query *q, const spk_column *columns, size_t n, const char *const *names);
SPK_COLD const spk_form *spk_form_of_plan(spk_query *q, const spk_plan *plan);
/* spk_form_pair: the layout of pairs of two forms; their slots in it, those of the key first. */
SPK_COLD const spk_form *spk_form_pair(spk_query *q, const spk_form *key, const spk_form *value);

/* spk_form_inputs: the columns of n rows as a program reads them. */
void spk_form_inputs(const spk_form *form, const char *rows, spk_sql_input *inputs);
/* spk_slot_copy: a slot of one form into one of another, which may be nullable where the first is
 * not. */
static inline void spk_slot_copy(
    const spk_slot *from, const char *row, const spk_slot *to, char *out)
{
    const bool present = !from->nullable || row[from->offset];
    if (to->nullable)
        out[to->offset] = present;
    if (present)
        memcpy(out + to->value, row + from->value, from->type->size);
}
static inline bool spk_slot_present(const spk_slot *slot, const char *row)
{
    return !slot->nullable || row[slot->offset];
}

/* spk_row_number: of the first row of a batch, with the partition of the step's own RDD above bit 33: a task may run
 * several partitions one after the other (LIMIT, UNION ALL). */
static inline uint64_t spk_row_number(const spk_op *op)
{
    return ((uint64_t)op->partition << 33) + op->seen;
}

/* spk_query_task_fails: the attempt fails with the error of a program. */
SPK_COLD void spk_query_task_fails(
    const spk_query *q, spark_task *task, const spk_sql_error *error);
/* spk_query_fails: *failure from the query's error. */
SPK_COLD spark_status spk_query_fails(const spk_query *q, spk_failure *failure);

/* The nodes. Each gives an RDD that may carry an error, as verbs do. */

/* spk_exec_eval: filters, then columns: exprs name attributes of `plan`, whose rows `in`
 * describes. NULL exprs: the rows as they are. */
SPK_COLD spark_rdd *spk_exec_eval(spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in,
    spk_sql_expr *const *filters, size_t n_filters, spk_sql_expr *const *exprs, size_t n,
    const spk_form *out);
/* spk_exec_join_table: by a table of the right side; of no RIGHT or FULL join. spk_exec_join_shuffled: both
 * sides shuffled by their keys; *out: how its rows lie. */
SPK_COLD spark_rdd *spk_exec_join_table(spk_query *q, spark_rdd *left, spark_rdd *right,
    const spk_plan *plan, const spk_form *in, const spk_form *in2, const spk_form *out);
/* spk_exec_join_marked: by a table of the left side: semi and anti joins with keys; rows lie as those of the left. */
SPK_COLD spark_rdd *spk_exec_join_marked(spk_query *q, spark_rdd *left, spark_rdd *right, const spk_plan *plan,
    const spk_form *in, const spk_form *in2);
SPK_COLD spark_rdd *spk_exec_join_shuffled(spk_query *q, spark_rdd *left, spark_rdd *right,
    const spk_plan *plan, const spk_form *in, const spk_form *in2, const spk_form **out);
/* spk_exec_aggregate: with what the plan aggregates. */
SPK_COLD spark_rdd *spk_exec_aggregate(spk_query *q, const spk_plan *plan, const spk_form *out);
SPK_COLD spark_rdd *spk_exec_window(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, const spk_form *out);
SPK_COLD spark_rdd *spk_exec_generate(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, const spk_form *out);
SPK_COLD spark_rdd *spk_exec_expand(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, const spk_form *out);
SPK_COLD spark_rdd *spk_exec_limit(spk_query *q, spark_rdd *rdd, const spk_plan *plan);
/* spk_exec_sort: most: how many of the first rows are wanted; UINT64_MAX: all. */
SPK_COLD spark_rdd *spk_exec_sort(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, uint64_t most);

/* spk_exec_build: the RDD of a plan; *form: how its rows lie. */
SPK_COLD spark_rdd *spk_exec_build(spk_query *q, const spk_plan *plan, const spk_form **form);

/* spk_positions: expressions whose columns are places in the rows of a plan, not attributes. NULL:
 * the query's error. */
SPK_COLD spk_sql_expr *spk_position(spk_query *q, spk_sql_expr *e, const spk_plan *const *plans, size_t n);
SPK_COLD const spk_sql_program *spk_program_of(spk_query *q, spk_sql_expr *const *exprs, size_t n,
    const spk_plan *const *plans, size_t n_plans);

#endif
