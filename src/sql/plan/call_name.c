/* SPDX-License-Identifier: Apache-2.0 */
/* What calls are named that are taken out of expressions: aggregates and window functions, with all that
 * Spark adds: sum(DISTINCT a) FILTER (WHERE (b > 1)) OVER (PARTITION BY c ROWS BETWEEN .. AND ..). */
#include "base/small.h"

#include "sql/eval/text.h"
#include "sql/plan/analyze.h"

/* called: the name; of first_value(x) IGNORE NULLS that of first. */
static const char *called(spk_bind *b, const spk_ast *ast)
{
    const bool value = spk_names_same(ast->name, "first_value") || spk_names_same(ast->name, "last_value");
    const char *name = !value || !ast->ignore_nulls ? ast->name : (ast->name[0] | 0x20) == 'f' ? "first" : "last";
    return spk_lower_name(b->a, name);
}

/* put_call: name(DISTINCT arguments). */
static void put_call(spk_bind *b, spk_text *out, const spk_ast *ast, spk_sql_expr *const *args, size_t n)
{
    const spk_sql_function function = { .name = called(b, ast) };
    const spk_sql_expr call = { .kind = SPK_SQL_CALL, .function = &function, .name = function.name, .n = (uint32_t)n,
        .args = (spk_sql_expr **)(uintptr_t)args };
    const size_t from = out->n;
    if (ast->star && n == 0) {
        spk_text_put(out, function.name);
        spk_text_put(out, "(1)");
        return;
    }
    spk_sql_expr_put(out, &call);
    if (!ast->distinct || !spk_text_end(out) || out->failed)
        return;
    const char *paren = strchr(out->at + from, '(');
    const char *rest = paren ? spk_print(b->a, "%s", paren + 1) : "";
    out->n = paren ? (size_t)(paren + 1 - out->at) : out->n;
    spk_text_put(out, "DISTINCT ");
    spk_text_put(out, rest);
}

static void put_order(spk_text *out, const spk_sql_expr *e, bool descending, bool nulls_last)
{
    spk_sql_expr_put(out, e);
    spk_text_put(out, descending ? " DESC" : " ASC");
    spk_text_put(out, nulls_last ? " NULLS LAST" : " NULLS FIRST");
}

/* put_within: of listagg as an order, of the others as Spark prints what they became: mode's is turned round. */
static void put_within(spk_text *out, const spk_ast *ast, const spk_sql_expr *e, bool list)
{
    const spk_ast_sort *s = &ast->order[0];
    spk_text_put(out, " WITHIN GROUP (ORDER BY ");
    if (list) {
        put_order(out, e, s->descending, s->nulls_last);
    } else {
        spk_sql_expr_put(out, e);
        spk_text_put(out, s->descending != spk_names_same(ast->name, "mode") ? " DESC" : "");
    }
    spk_text_char(out, ')');
}

/* put_aggregate: args: as they are computed: those of WITHIN GROUP stand in front, unless it is listagg's. */
static void put_aggregate(spk_bind *b, spk_text *out, const spk_ast *ast, spk_sql_expr *const *args, size_t n,
    const spk_sql_expr *filter)
{
    const bool list = spk_names_same(ast->name, "listagg") || spk_names_same(ast->name, "string_agg");
    const size_t before = list ? 0 : ast->n_order;
    put_call(b, out, ast, args + before, n - before);
    if (ast->n_order)
        put_within(out, ast, args[0], list);
    if (filter) {
        spk_text_put(out, " FILTER (WHERE ");
        spk_sql_expr_put(out, filter);
        spk_text_char(out, ')');
    }
}

static const char *ended(spk_bind *b, spk_text *out)
{
    spk_text_end(out);
    if (!out->failed)
        return out->at;
    spk_sql_nomem(b->a->error);
    return b->a->none;
}

const char *spk_aggregate_name(
    spk_bind *b, const spk_ast *ast, spk_sql_expr *const *args, size_t n, const spk_sql_expr *filter)
{
    spk_text out = spk_text_new(b->a->arena);
    put_aggregate(b, &out, ast, args, n, filter);
    return ended(b, &out);
}

static void put_bound(spk_text *out, spk_ast_bound_kind bound, const spk_sql_expr *offset)
{
    static const char *const names[] = { [SPK_BOUND_UNBOUNDED_PRECEDING] = "UNBOUNDED PRECEDING",
        [SPK_BOUND_PRECEDING] = " PRECEDING", [SPK_BOUND_CURRENT] = "CURRENT ROW", [SPK_BOUND_FOLLOWING] = " FOLLOWING",
        [SPK_BOUND_UNBOUNDED_FOLLOWING] = "UNBOUNDED FOLLOWING" };
    if (offset)
        spk_sql_expr_put(out, offset);
    spk_text_put(out, names[bound]);
}

/* put_frame: what Spark takes where none is written; of lag and lead the row itself: so many FOLLOWING. */
static void put_frame(spk_bind *b, spk_text *out, const spk_window_use *use)
{
    const spk_plan_function *f = &use->function;
    const char *name = f->name ? f->name : "";
    const bool lag = strcmp(name, "lag") == 0, moved = lag || strcmp(name, "lead") == 0;
    const bool ranks = f->name && strcmp(name, "cume_dist") != 0 && strcmp(name, "nth_value") != 0;
    const bool rows = f->framed ? f->rows : ranks || !use->n_sort;
    int64_t by = 1;
    spk_text_put(out, rows ? "ROWS BETWEEN " : "RANGE BETWEEN ");
    if (moved && f->n_args > 1)
        (void)spk_bind_whole(b, f->args[1], false, &by);
    for (int i = 0; moved && i < 2; i++) {
        spk_text_number(out, lag ? -by : by);
        spk_text_put(out, i ? " FOLLOWING" : " FOLLOWING AND ");
    }
    if (moved)
        return;
    put_bound(out, f->from, f->from_offset);
    spk_text_put(out, " AND ");
    put_bound(out, f->to, f->to_offset);
}

const char *spk_window_name(
    spk_bind *b, const spk_ast *ast, spk_sql_expr *const *args, size_t n, const spk_window_use *use)
{
    spk_text out = spk_text_new(b->a->arena);
    put_aggregate(b, &out, ast, args, n, use->function.filter);
    if (ast->ignore_nulls && spk_names_same(ast->name, "nth_value"))
        spk_text_put(&out, " ignore nulls");
    spk_text_put(&out, " OVER (");
    for (size_t i = 0; i < use->n_partition; i++) {
        spk_text_put(&out, i ? ", " : "PARTITION BY ");
        spk_sql_expr_put(&out, use->partition[i]);
    }
    spk_text_put(&out, use->n_partition ? " " : "");
    for (size_t i = 0; i < use->n_sort; i++) {
        spk_text_put(&out, i ? ", " : "ORDER BY ");
        put_order(&out, use->sort[i].expression, use->sort[i].descending, use->sort[i].nulls_last);
    }
    spk_text_put(&out, use->n_sort ? " " : "");
    put_frame(b, &out, use);
    spk_text_char(&out, ')');
    return ended(b, &out);
}

spk_sql_expr *spk_called(
    spk_analyzer *a, const spk_sql_function *function, spk_sql_expr **args, size_t n, const spk_sql_expr *made)
{
    spk_sql_expr *e = made ? spk_arena_alloc(a->arena, sizeof *e, 16) : NULL;
    spk_sql_expr **only = made ? spk_arena_alloc(a->arena, sizeof *only, 16) : NULL;
    if (!e || !only) {
        if (made)
            spk_sql_nomem(a->error);
        return NULL;
    }
    *only = (spk_sql_expr *)(uintptr_t)made;
    *e = *made;
    e->kind = SPK_SQL_CALL;
    e->function = function;
    e->name = function->name;
    e->kernel = NULL;
    e->args = only;
    e->n = 1;
    e->shown = args;
    e->n_shown = (uint32_t)n;
    return e;
}
