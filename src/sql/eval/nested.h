/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that kernels run on what is inside a value. */
#ifndef SPK_SQL_EVAL_NESTED_H
#define SPK_SQL_EVAL_NESTED_H

#include "sql/eval/program.h"

/* spk_sql_inner_run: a run that lasts as long as the batch's results; NULL: the frame's run has
 * failed. */
spk_sql_run *spk_sql_inner_run(spk_sql_frame *f, const spk_sql_program *program);

#endif
