/* SPDX-License-Identifier: Apache-2.0 */
/* Generators: rows of arrays and maps beside those of the input: explode and its kin, inline, and what becomes
 * an inline() of an array of structs: stack and json_tuple. */
#include "base/small.h"

#include "sql/plan/analyze.h"

enum { STACK_MOST = 10000 };

bool spk_is_generator(const char *name)
{
    static const char *const names[] = { "explode", "explode_outer", "posexplode", "posexplode_outer", "inline",
        "inline_outer", "stack", "json_tuple" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (spk_names_same(names[i], name))
            return true;
    return false;
}

static bool generated(spk_analyzer *a, spk_plan *plan, const spk_sql_type *type, bool outer, spk_sql_span span)
{
    const bool is_inline = plan->inline_rows;
    if (type->kind == SPK_SQL_VOID && !is_inline) {
        spk_plan_out(a, plan, spk_attr_new(a, "col", type, true));
        return true;
    }
    if (type->kind != SPK_SQL_ARRAY && (type->kind != SPK_SQL_MAP || is_inline)) {
        spk_sql_fail3(a->error, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", span, "paramIndex", "first", "requiredType",
            "(\"ARRAY\" or \"MAP\")", "inputType", spk_sql_type_quoted(&a->build, type));
        if (plan->n_exprs)
            spk_sql_param(a->error, "inputSql", "%s", spk_sql_expr_quoted(&a->build, plan->exprs[plan->n_exprs - 1]));
        return false;
    }
    if (plan->position)
        spk_plan_out(a, plan, spk_attr_new(a, "pos", spk_sql_type_of(SPK_SQL_INT), outer));
    if (is_inline) {
        if (type->of->kind != SPK_SQL_STRUCT) {
            spk_sql_fail3(a->error, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", span, "paramIndex", "first",
                "requiredType", "\"ARRAY<STRUCT>\"", "inputType", spk_sql_type_quoted(&a->build, type));
            return false;
        }
        for (uint32_t i = 0; i < type->of->n; i++)
            spk_plan_out(a, plan, spk_attr_new(a, type->of->fields[i].name, type->of->fields[i].type, true));
    } else if (type->kind == SPK_SQL_MAP) {
        spk_plan_out(a, plan, spk_attr_new(a, "key", type->key, outer));
        spk_plan_out(a, plan, spk_attr_new(a, "value", type->of, outer || type->contains_null));
    } else {
        spk_plan_out(a, plan, spk_attr_new(a, "col", type->of, outer || type->contains_null));
    }
    return true;
}

static spk_sql_expr *text(spk_analyzer *a, const char *name, size_t i, spk_sql_span span)
{
    const char *all = spk_print(a, "%s%zu", name, i);
    return spk_sql_string(&a->build, all, strlen(all), span);
}

/* stack: n rows of the other arguments, in order; what is missing is NULL. */
static spk_sql_expr *stack(spk_bind *b, const spk_ast *call, spk_sql_expr **args, size_t n)
{
    spk_analyzer *a = b->a;
    spk_sql_build *build = &a->build;
    spk_sql_expr *count = spk_sql_coerce(build, args[0], spk_sql_type_of(SPK_SQL_INT)), **rows = NULL;
    spk_sql_fold(build, &count);
    const int32_t wanted = count && count->kind == SPK_SQL_CONSTANT && !count->null ? *(const int32_t *)count->value : 0;
    size_t n_rows = 0;
    if (count && count->kind != SPK_SQL_CONSTANT)
        spk_sql_fail2(a->error, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", call->span, "inputName", "`n`", "inputType",
            "\"INT\"");
    else if (count && (wanted < 1 || wanted > STACK_MOST))
        spk_sql_fail3(a->error, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", call->span, "exprName", "`n`", "valueRange",
            "(0, 2147483647]", "currentValue", spk_print(a, "%d", (int)wanted));
    const size_t columns = wanted > 0 ? (n - 1 + (size_t)wanted - 1) / (size_t)wanted : 0;
    for (size_t r = 0; r < (size_t)wanted && columns && !spk_sql_failed(a->error); r++) {
        spk_sql_expr **row = NULL;
        size_t m = 0;
        for (size_t k = 0; k < columns; k++) {
            const size_t i = 1 + r * columns + k;
            SPK_ADD(a, row, m, text(a, "col", k, call->span));
            SPK_ADD(a, row, m,
                i < n ? args[i] : spk_sql_constant(build, spk_sql_type_of(SPK_SQL_VOID), NULL, call->span));
        }
        SPK_ADD(a, rows, n_rows, spk_sql_call(build, "named_struct", row, m, call->span));
    }
    return spk_sql_failed(a->error) ? NULL : spk_sql_call(build, "array", rows, n_rows, call->span);
}

/* json_tuple: one row of members of a JSON object. */
static spk_sql_expr *json_tuple(spk_bind *b, const spk_ast *call, spk_sql_expr **args, size_t n)
{
    spk_analyzer *a = b->a;
    spk_sql_expr **row = NULL;
    size_t m = 0;
    for (size_t i = 1; i < n; i++) {
        spk_sql_expr *pair[] = { args[0], args[i] };
        SPK_ADD(a, row, m, text(a, "c", i - 1, call->span));
        SPK_ADD(a, row, m, spk_sql_call(&a->build, "json_member", pair, 2, call->span));
    }
    spk_sql_expr *one = spk_sql_failed(a->error) ? NULL : spk_sql_call(&a->build, "named_struct", row, m, call->span);
    return one ? spk_sql_call(&a->build, "array", &one, 1, call->span) : NULL;
}

/* generator_of: what is generated from: an array or map. */
static spk_sql_expr *generator_of(spk_bind *b, const spk_ast *call)
{
    const bool stacks = spk_names_same(call->name, "stack"), tuple = spk_names_same(call->name, "json_tuple");
    if (!stacks && !tuple)
        return spk_bind_expr(b, call->args.at[0]);
    spk_sql_expr **args = NULL;
    size_t n = 0;
    for (size_t i = 0; i < call->args.n; i++) {
        spk_sql_expr *e = spk_bind_expr(b, call->args.at[i]);
        if (!e)
            return NULL;
        SPK_ADD(b->a, args, n, e);
    }
    if (spk_sql_failed(b->a->error))
        return NULL;
    return stacks ? stack(b, call, args, n) : json_tuple(b, call, args, n);
}

spk_rel spk_generate(spk_analyzer *a, spk_rel in, const spk_ast *call, bool outer, const char *table,
    const char **names, size_t n_names, spk_scope *outer_scope)
{
    spk_scope scope = in.scope;
    scope.outer = outer_scope;
    spk_bind b = { .a = a, .scope = &scope, .clause = "LATERAL VIEW" };
    const bool is_call = call && call->kind == SPK_AST_CALL;
    const bool many = is_call && (spk_names_same(call->name, "stack") || spk_names_same(call->name, "json_tuple"));
    if (!in.plan || !is_call || (many ? call->args.n < 2 : call->args.n != 1) || !spk_is_generator(call->name)) {
        if (in.plan && call)
            spk_sql_fail3(a->error, call->kind == SPK_AST_CALL && spk_is_generator(call->name)
                    ? "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
                    : "UNSUPPORTED_GENERATOR.NOT_GENERATOR",
                call->span, "functionName", spk_print(a, "`%s`", call->name ? call->name : "?"), "expectedNum",
                many ? "> 1" : "1", "actualNum", spk_print(a, "%zu", call->args.n));
        in.plan = NULL;
        return in;
    }
    spk_sql_expr *arg = generator_of(&b, call);
    in.plan = spk_attach(a, in.plan, &b.before);
    spk_plan *plan = arg && in.plan ? spk_plan_new(a, SPK_PLAN_GENERATE, in.plan, NULL) : NULL;
    const size_t before = plan ? plan->n_out : 0, length = strlen(call->name);
    in.plan = NULL;
    if (!plan)
        return in;
    plan->outer = outer || (length > 6 && spk_names_same(call->name + length - 6, "_outer"));
    plan->position = (call->name[0] | 0x20) == 'p';
    plan->inline_rows = many || (call->name[0] | 0x20) == 'i';
    SPK_ADD(a, plan->exprs, plan->n_exprs, arg);
    if (!generated(a, plan, arg->type, plan->outer, call->span))
        return in;
    if (n_names && n_names != plan->n_out - before) {
        spk_sql_fail2(a->error, "UDTF_ALIAS_NUMBER_MISMATCH", call->span, "aliasesSize",
            spk_print(a, "%zu", plan->n_out - before), "aliasesNames", spk_print(a, "%zu", n_names));
        return in;
    }
    for (size_t i = before; i < plan->n_out; i++) {
        if (n_names)
            plan->out[i].name = names[i - before];
        SPK_ADD(a, in.scope.items, in.scope.n,
            (spk_scope_item) { .table = table, .name = plan->out[i].name, .attr = plan->out[i] });
    }
    in.plan = plan;
    return in;
}
