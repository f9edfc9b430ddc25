/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/eval/resolve.h"

const spk_sql_function spk_sql_collections[] = { { 0 } };

size_t spk_sql_lambda_types(spk_sql_build *b, const char *function, spk_sql_expr *const args[],
    size_t n_args, size_t which, const spk_sql_type *types[3], bool nullable[3])
{
    (void)b, (void)function, (void)args, (void)n_args, (void)which, (void)types, (void)nullable;
    return 0;
}

bool spk_sql_resolve_concat_arrays(spk_sql_build *b, spk_sql_expr *call)
{
    return spk_sql_data_diff(b, call);
}
