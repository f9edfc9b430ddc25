/* SPDX-License-Identifier: Apache-2.0 */
/* Functions: a table from names to how arguments are cast, what comes out, and how it is computed.
 *
 * kernel: computes the selected rows of a batch. Unless a function is NULL_AWARE its kernel sees no
 * NULL:
 * rows with a NULL among the arguments are NULL already and not selected. What is lazy (AND, CASE,
 * ..) is
 * a kernel too: its arguments are not evaluated yet, and it asks for them, each for the rows it
 * needs. */
#ifndef SPK_SQL_EVAL_FUNCTION_H
#define SPK_SQL_EVAL_FUNCTION_H

#include "sql/eval/expr.h"
#include "sql/eval/vector.h"

typedef struct spk_sql_run spk_sql_run;
typedef struct spk_sql_frame spk_sql_frame;
typedef void spk_sql_kernel(spk_sql_frame *f);

enum {
    SPK_SQL_NULL_AWARE = 1, /* the kernel looks at the arguments' validity */
    SPK_SQL_GIVES_NULL = 2, /* the result may be NULL though no argument is */
    SPK_SQL_LAZY = 4,       /* the kernel evaluates its arguments */
    SPK_SQL_RANDOM = 8,     /* not deterministic */
    SPK_SQL_INFIX = 16,     /* printed (a op b) */
    SPK_SQL_PREFIX = 32,    /* printed (op a) */
    SPK_SQL_UPPER = 64,     /* printed by its name in capitals */
    SPK_SQL_NEVER_NULL = 128
};

/* spk_sql_function: signature: a letter for what each argument is cast to, ':', one for the result;
 * the
 * last argument letter repeats where `most` is larger, and arguments beyond `least` may be left
 * out.
 *   b BOOLEAN  y TINYINT  h SMALLINT  i INT  l BIGINT  f FLOAT  d DOUBLE  s STRING  x BINARY
 *   D DATE  T TIMESTAMP  M months  S seconds (intervals)  a anything (result: the first argument's)
 *   t STRING or BINARY  n a number  I an integral type
 * resolve: where letters do not say it: casts call->args and sets type, nullable, perhaps kernel;
 * returns false where it has failed. */
struct spk_sql_function {
    const char *name;      /* lower case */
    const char *signature; /* NULL: resolve says all */
    int16_t least, most;   /* numbers of arguments; most -1: any */
    uint16_t flags;
    spk_sql_kernel *kernel;
    bool (*resolve)(spk_sql_build *b, spk_sql_expr *call);
    /* prepare: at compile time, once: what the kernel keeps for constant arguments (a compiled
     * pattern);
     * NULL, without an error: nothing. In the arena. Of a lazy function: it stands for all arguments but the
     * first. */
    const void *(*prepare)(spk_sql_build *b, const spk_sql_expr *call);
    const char *printed; /* another name in prints, or NULL */
};

/* spk_sql_function_find: by name in any case; NULL: there is none. */
const spk_sql_function *spk_sql_function_find(const char *name);
/* spk_sql_function_at: the i-th in alphabetical order; NULL beyond the last: SHOW FUNCTIONS,
 * which lists none that only others are computed by. */
const spk_sql_function *spk_sql_function_at(size_t i);

/* spk_sql_frame: what a kernel gets. out has room for a whole batch at stride size; out_valid, a
 * byte a
 * row, is 1 for the selected rows on entry (0 where an argument is NULL). */
struct spk_sql_frame {
    const spk_sql_expr *expr;
    const spk_sql_vector *args; /* n_args of them; not yet there where the function is lazy */
    uint32_t n_args;
    spk_sql_rows rows;
    char *out;
    uint8_t *out_valid;
    const void *prepared;
    spk_arena *arena; /* for what results point to: lives as long as the batch's results */
    spk_sql_run *run;
    struct spk_sql_node *node;
};

#define SPK_SQL_ARG(T, f, a, i) SPK_SQL_VALUE(T, &(f)->args[a], i)
#define SPK_SQL_OUT(T, f, i) (((T *)(void *)(f)->out)[i])

/* spk_sql_alloc: bytes for a result; NULL: the run has failed. */
void *spk_sql_alloc(spk_sql_frame *f, size_t size, size_t align);
/* spk_sql_no_room: fails the run, for there is no memory. spk_sql_stops: whether nobody wants what the kernel's task
 * computes any more, or it has taken too long: what takes long asks now and then; the run has failed then. */
SPK_COLD void spk_sql_no_room(spk_sql_frame *f);
bool spk_sql_stops(spk_sql_frame *f);
/* spk_sql_raise: fails the run in the name of the expression: parameters are added to what it
 * returns by
 * spk_sql_param. A kernel returns when it has failed. */
SPK_COLD spk_sql_error *spk_sql_raise(spk_sql_frame *f, const char *condition);
/* spk_sql_param_text: a parameter that is a text, quoted as in statements: 'it\\'s'. */
SPK_COLD void spk_sql_param_text(
    spk_sql_error *error, const char *name, const char *text, size_t n);
/* spk_sql_arg: of a lazy function: argument a for these rows. */
spk_sql_vector spk_sql_arg(spk_sql_frame *f, uint32_t a, spk_sql_rows rows);
bool spk_sql_run_failed(const spk_sql_run *run);
/* Of the run a kernel runs in: the number of the batch's first row, its columns, memory that lasts
 * as long
 * as the run. spk_sql_run_give: fails the run with an error of another run. */
uint64_t spk_sql_run_first(const spk_sql_run *run);
const spk_sql_input *spk_sql_run_columns(const spk_sql_run *run);
spk_arena *spk_sql_run_keep(spk_sql_run *run);
/* The variables of lambdas, by their numbers; set before a batch begins. */
const spk_sql_input *spk_sql_run_variables(const spk_sql_run *run);
void spk_sql_run_set_variables(spk_sql_run *run, const spk_sql_input *variables);
SPK_COLD void spk_sql_run_give(spk_sql_frame *f, const spk_sql_error *error);

#endif
