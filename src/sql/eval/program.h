/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: expressions compiled for batches. A program is const and shared by threads; a run
 * belongs to
 * one thread (an attempt) and holds a register, a vector of SPK_SQL_BATCH values, for each node.
 *
 *   program = spk_sql_compile(&build, exprs, n);                 once, on the calling thread
 *   run = spk_sql_run_new(program, keep);                        once an attempt
 *   for each batch:
 *       rows = spk_sql_run_filter(run, 0, inputs, n, NULL, at);  rows where expression 0 is TRUE
 *       spk_sql_run_eval(run, 1, ...)                            values of expression 1 on these
 * rows
 *
 * Evaluation is lazy as Spark's: the second argument of AND, OR, COALESCE, the branches of CASE and
 * IF
 * are computed for the rows that need them, so false AND 1/0 = 1 does not fail.
 *
 * Failures: a batch that fails is run again row by row, so that the error is that of the first row
 * that
 * fails, whatever the size of the batches: run->error has it, run->row says which row of the batch.
 * */
#ifndef SPK_SQL_EVAL_PROGRAM_H
#define SPK_SQL_EVAL_PROGRAM_H

#include "sql/eval/function.h"

typedef struct spk_sql_program spk_sql_program;

/* spk_sql_compile: of n expressions, which must stay; made in the build's arena. NULL: b->error. */
SPK_COLD const spk_sql_program *spk_sql_compile(spk_sql_build *b, spk_sql_expr *const exprs[], size_t n);

/* spk_sql_run_new: registers in `keep`, which must stay. NULL: no memory. */
SPK_COLD spk_sql_run *spk_sql_run_new(const spk_sql_program *program, spk_arena *keep);

/* spk_sql_run_begin: a new batch of n rows, at most SPK_SQL_BATCH: columns[i] is column i of the
 * rows (those that no
 * expression names are not looked at). first: the number of its first row in the partition, for
 * monotonically_increasing_id and rand. scratch: what results point to; the caller empties it when
 * he is done with the batch. */
void spk_sql_run_begin(spk_sql_run *run, const spk_sql_input columns[], uint32_t n, uint64_t first,
    spk_arena *scratch);

/* spk_sql_run_eval: expression `which` on these rows of the batch, a vector whose values at other
 * rows mean nothing; valid until the next begin. False: failed. */
bool spk_sql_run_eval(spk_sql_run *run, uint32_t which, spk_sql_rows rows, spk_sql_vector *out);

/* spk_sql_run_narrow: the same; *narrow: of a decimal of 128 bits, that the values have 64 bits each. What was
 * computed for chosen rows is not computed again, as long as they are the same: spk_sql_run_others: others may stand
 * where those did; a filter and a new batch say so by themselves. */
void spk_sql_run_others(spk_sql_run *run);
bool spk_sql_run_narrow(
    spk_sql_run *run, uint32_t which, spk_sql_rows rows, spk_sql_vector *out, bool *narrow);

/* spk_sql_run_filter: those of the rows where the BOOLEAN expression is TRUE, to `at`, which has
 * room for all of
 * `rows` (and may be rows.at itself). Returns how many; UINT32_MAX: failed. */
uint32_t spk_sql_run_filter(spk_sql_run *run, uint32_t which, spk_sql_rows rows, uint16_t *at);

const spk_sql_error *spk_sql_run_error(const spk_sql_run *run);
uint32_t spk_sql_run_row(const spk_sql_run *run);

/* spk_sql_store: value i of a vector of that type into a slot: the value itself, or an optional
 * where
 * nullable. Shallow: strings are views of where they were. */
void spk_sql_store(
    const spk_sql_type *type, const spk_sql_vector *v, uint32_t i, bool nullable, char *slot);

#endif
