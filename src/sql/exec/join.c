/* SPDX-License-Identifier: Apache-2.0 */
/* What a join is made of. */
#include "base/small.h"

#include "sql/exec/join.h"

static bool keys_of(spk_query *q, const spk_plan *plan, spk_join *j)
{
    spk_analyzer *a = &q->analyzer;
    spk_column *columns = NULL;
    spk_sql_expr **lefts = NULL, **rights = NULL;
    bool *null_safe = NULL;
    size_t n = 0, m = 0, k = 0, x = 0;
    const spk_plan *both[] = { plan->in[0], plan->in[1] };
    for (size_t i = 0; i < plan->n_keys; i++) {
        SPK_ADD(a, columns, n, (spk_column) { plan->keys[i].left->type, plan->keys[i].null_safe });
        SPK_ADD(a, lefts, m, plan->keys[i].left);
        SPK_ADD(a, rights, k, plan->keys[i].right);
        SPK_ADD(a, null_safe, x, plan->keys[i].null_safe);
    }
    j->null_safe = null_safe;
    j->n_keys = plan->n_keys;
    j->n_residual = plan->n_exprs;
    j->keys = spk_form_of(q, columns, n, NULL);
    if (plan->how != SPK_JOIN_SHUFFLED) {
        j->left_keys = spk_program_of(q, lefts, m, &both[0], 1);
        j->right_keys = spk_program_of(q, rights, k, &both[1], 1);
    }
    j->residual = spk_program_of(q, plan->exprs, plan->n_exprs, both, 2);
    return !spk_sql_failed(&q->error) && j->keys && j->residual;
}

/* choosing: the columns of both sides that are named. */
typedef struct choosing {
    const spk_plan *left, *right;
    bool *named;
} choosing;

static size_t place_of(const spk_plan *plan, uint32_t id)
{
    for (size_t i = 0; i < plan->n_out; i++)
        if (plan->out[i].id == id)
            return i;
    return SIZE_MAX;
}

static void name_column(void *arg, const spk_sql_expr *column)
{
    const choosing *c = arg;
    const size_t left = place_of(c->left, column->column), right = place_of(c->right, column->column);
    if (left != SIZE_MAX)
        c->named[left] = true;
    else if (right != SIZE_MAX)
        c->named[c->left->n_out + right] = true;
}

/* plan_both: rows of what the remaining conditions name. */
static bool plan_both(spk_query *q, const spk_plan *plan, spk_join *j)
{
    spk_analyzer *a = &q->analyzer;
    const size_t n_left = plan->in[0]->n_out, n = n_left + plan->in[1]->n_out;
    choosing c = { plan->in[0], plan->in[1], spk_arena_alloc(&q->arena, n + 1, 1) };
    spk_column *columns = NULL;
    spk_slot *from = NULL;
    uint32_t *at = NULL;
    size_t m = 0, k = 0, f = 0, lefts = 0;
    if (!c.named) {
        spk_sql_nomem(&q->error);
        return false;
    }
    memset(c.named, 0, n + 1);
    for (size_t i = 0; i < plan->n_exprs; i++)
        spk_expr_columns(plan->exprs[i], name_column, &c);
    for (size_t i = 0; i < n; i++) {
        if (!c.named[i])
            continue;
        const spk_slot *slot = i < n_left ? &j->left->slots[i] : &j->right->slots[i - n_left];
        SPK_ADD(a, columns, m, (spk_column) { slot->type, slot->nullable });
        SPK_ADD(a, from, f, *slot);
        SPK_ADD(a, at, k, (uint32_t)i);
        lefts += i < n_left;
    }
    j->both_at = at;
    j->both = spk_form_of(q, columns, m, NULL);
    return j->both && spk_mover_make(q, from, j->both->slots, lefts, &j->put_left)
        && spk_mover_make(q, from ? from + lefts : NULL, j->both->slots + lefts, m - lefts, &j->put_right);
}

/* plan_out: what of the sides comes out. */
static bool plan_out(spk_query *q, const spk_plan *plan, spk_join *j)
{
    for (size_t s = 0; s < 2; s++) {
        spk_slot *from = NULL, *to = NULL;
        size_t n = 0, m = 0;
        for (size_t i = 0; i < plan->n_out && i < j->out->n; i++) {
            const size_t at = place_of(plan->in[s], plan->out[i].id);
            if (at == SIZE_MAX)
                continue;
            SPK_ADD(&q->analyzer, from, n, (s ? j->right : j->left)->slots[at]);
            SPK_ADD(&q->analyzer, to, m, j->out->slots[i]);
        }
        if (spk_sql_failed(&q->error) || !spk_mover_make(q, from, to, n, s ? &j->out_right : &j->out_left))
            return false;
    }
    return true;
}

bool spk_join_describe(spk_query *q, const spk_plan *plan, const spk_form *left, const spk_form *right,
    const spk_form *out, spk_join *j)
{
    *j = (spk_join) { .query = q, .kind = plan->join, .null_aware = plan->null_aware,
        .blooms = plan->how == SPK_JOIN_BLOOM, .most_keys = (uint64_t)plan->limit, .left = left, .right = right, .out = out };
    return keys_of(q, plan, j) && plan_both(q, plan, j) && plan_out(q, plan, j);
}
