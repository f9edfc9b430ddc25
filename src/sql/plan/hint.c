/* SPDX-License-Identifier: Apache-2.0 */
/* Hints about joins. They are noted at the first operator of the relation that the rules neither make nor merge, and
 * looked for from the join down. Hints that are none of these say nothing, as in Spark: how many partitions there are
 * is not theirs to say here. */
#include "base/small.h"

#include "sql/plan/analyze.h"

static spk_plan_hint hint_named(const char *name)
{
    static const char *const tables[] = { "BROADCAST", "BROADCASTJOIN", "MAPJOIN" };
    static const char *const shuffled[] = { "SHUFFLE_MERGE", "SHUFFLE_HASH", "MERGE", "MERGEJOIN" };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (spk_names_same(name, tables[i]))
            return SPK_HINT_BROADCAST;
    for (size_t i = 0; i < sizeof shuffled / sizeof shuffled[0]; i++)
        if (spk_names_same(name, shuffled[i]))
            return SPK_HINT_SHUFFLE;
    return SPK_HINT_NONE;
}

static const spk_plan *under(const spk_plan *plan)
{
    while (plan->kind == SPK_PLAN_PROJECT || plan->kind == SPK_PLAN_FILTER)
        plan = plan->in[0];
    return plan;
}

void spk_hint(spk_analyzer *a, spk_plan *plan, const char *name)
{
    for (size_t h = 0; plan && name && a->hinted && h < a->hinted->n_hints; h++) {
        const spk_ast_hint *hint = &a->hinted->hints[h];
        for (size_t i = 0; i < hint->args.n; i++) {
            const spk_ast *arg = hint->args.at[i];
            if (arg->kind == SPK_AST_NAME && spk_names_same(arg->args.at[arg->args.n - 1]->text, name)) {
                ((spk_plan *)(uintptr_t)under(plan))->hint = hint_named(hint->name);
                break;
            }
        }
    }
}

spk_plan_hint spk_hint_of(const spk_plan *plan)
{
    return under(plan)->hint;
}
