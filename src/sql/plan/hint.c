/* SPDX-License-Identifier: Apache-2.0 */
/* Hints about joins. They are noted at the first operator of the relation that the rules neither make nor merge, and
 * looked for from the join down. Spark's other hints say nothing here: how many partitions there are is not theirs to
 * say. Names that Spark does not know either are warned of, as there. */
#include "base/error.h"
#include "base/small.h"

#include "sql/plan/analyze.h"

/* hint_named: NULL: Spark has none of that name. */
static const spk_plan_hint *hint_named(const char *name)
{
    static const struct {
        const char *name;
        spk_plan_hint hint;
    } hints[] = { { "BROADCAST", SPK_HINT_BROADCAST }, { "BROADCASTJOIN", SPK_HINT_BROADCAST },
        { "MAPJOIN", SPK_HINT_BROADCAST }, { "SHUFFLE_MERGE", SPK_HINT_SHUFFLE }, { "SHUFFLE_HASH", SPK_HINT_SHUFFLE },
        { "MERGE", SPK_HINT_SHUFFLE }, { "MERGEJOIN", SPK_HINT_SHUFFLE }, { "SHUFFLE_REPLICATE_NL", SPK_HINT_NONE },
        { "COALESCE", SPK_HINT_NONE }, { "REPARTITION", SPK_HINT_NONE }, { "REPARTITION_BY_RANGE", SPK_HINT_NONE },
        { "REBALANCE", SPK_HINT_NONE } };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (spk_names_same(name, hints[i].name))
            return &hints[i].hint;
    return NULL;
}

void spk_hints_warn(const spk_ast_select *select)
{
    for (size_t h = 0; h < select->n_hints; h++)
        if (!hint_named(select->hints[h].name))
            spk_warn("unrecognized hint in SQL: %s", select->hints[h].name);
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
        const spk_plan_hint *means = hint_named(hint->name);
        for (size_t i = 0; means && i < hint->args.n; i++) {
            const spk_ast *arg = hint->args.at[i];
            if (arg->kind == SPK_AST_NAME && spk_names_same(arg->args.at[arg->args.n - 1]->text, name)) {
                ((spk_plan *)(uintptr_t)under(plan))->hint = *means;
                break;
            }
        }
    }
}

spk_plan_hint spk_hint_of(const spk_plan *plan)
{
    return under(plan)->hint;
}
