/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of an input that expressions name. */
#ifndef SPK_SQL_EXEC_NAMING_H
#define SPK_SQL_EXEC_NAMING_H

#include "sql/exec/query.h"

typedef struct spk_naming {
    spk_analyzer *a;
    const spk_plan *plan; /* the input */
    uint32_t *columns;    /* positions in what it gives, each once, in the order they are named */
    size_t n;
} spk_naming;

/* spk_names_of: adds what an expression names; what the input does not give is left out. No memory: the analyzer's
 * error. */
void spk_names_of(spk_naming *m, const spk_sql_expr *expr);

#endif
