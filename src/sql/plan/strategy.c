/* SPDX-License-Identifier: Apache-2.0 */
/* How joins are computed. Conditions that compare a side with the other become keys. A side that is not larger
 * than spark.sql.autoBroadcastJoinThreshold, as far as can be guessed, becomes a table that all tasks probe, so
 * that the other is neither shuffled nor sorted; where both are larger, both are shuffled. The table is made of
 * the right side: inner joins change sides for that, and right joins become left ones; where a small left side
 * must stream (semi joins), a large right one is reduced first to rows with its keys. Where both are shuffled and one
 * keeps few of its rows, the other is sifted first by a filter of its keys (as Spark's InjectRuntimeFilter does).
 * Without keys there is only the table. */
#include "base/small.h"

#include "sql/eval/function.h"
#include "sql/plan/analyze.h"

static bool is_call(const spk_sql_expr *e, const char *name, uint32_t n)
{
    return e->kind == SPK_SQL_CALL && e->function && e->n == n && strcmp(e->function->name, name) == 0;
}

/* either: of what NOT IN asks, a = b OR (a = b) IS NULL, which alone stands there: a = b. */
static spk_sql_expr *either(const spk_plan *join)
{
    spk_sql_expr *e = join->n_exprs == 1 ? join->exprs[0] : NULL;
    const bool only = join->join == SPK_PLAN_ANTI || join->join == SPK_PLAN_SEMI || join->join == SPK_PLAN_MARK;
    if (!e || !only || !is_call(e, "or", 2))
        return NULL;
    const bool asked = is_call(e->args[1], "isnull", 1) && spk_expr_same(e->args[0], e->args[1]->args[0]);
    return asked ? e->args[0] : NULL;
}

/* find_keys: conditions that compare a side with the other by = or <=>. */
static void find_keys(spk_analyzer *a, spk_plan *join)
{
    spk_sql_expr **rest = NULL;
    size_t n = 0;
    for (size_t i = 0; i < join->n_exprs; i++) {
        spk_sql_expr *alone = either(join), *e = alone ? alone : join->exprs[i];
        const bool safe = is_call(e, "<=>", 2);
        if ((safe || is_call(e, "=", 2)) && spk_sql_type_same(e->args[0]->type, e->args[1]->type)) {
            const bool straight = spk_expr_within(e->args[0], join->in[0]) && spk_expr_within(e->args[1], join->in[1]);
            const bool turned = spk_expr_within(e->args[1], join->in[0]) && spk_expr_within(e->args[0], join->in[1]);
            if (straight || turned) {
                SPK_ADD(a, join->keys, join->n_keys, (spk_plan_key) { e->args[!straight], e->args[straight], safe });
                join->null_aware = alone && !safe;
                continue;
            }
        }
        SPK_ADD(a, rest, n, join->exprs[i]);
    }
    join->exprs = rest;
    join->n_exprs = n;
}

/* swap: the sides; the columns of an inner join come out in the other order then, which is put right by a
 * projection that takes the join's place. */
static void swap(spk_analyzer *a, spk_plan *plan)
{
    spk_sql_expr **exprs = NULL;
    spk_attr *out = NULL;
    size_t n = 0, m = 0;
    spk_plan *join = spk_plan_new(a, SPK_PLAN_JOIN, plan->in[1], plan->in[0]);
    if (!join)
        return;
    spk_plan **const in = join->in;
    *join = *plan;
    join->in = in;
    join->join = plan->join == SPK_PLAN_RIGHT ? SPK_PLAN_LEFT : SPK_PLAN_INNER;
    const size_t left = plan->in[0]->n_out;
    for (size_t i = 0; i < plan->n_out; i++)
        SPK_ADD(a, out, m, plan->out[i < plan->n_out - left ? i + left : i - (plan->n_out - left)]);
    join->out = out;
    for (size_t i = 0; i < plan->n_keys; i++) {
        const spk_plan_key k = plan->keys[i];
        join->keys[i] = (spk_plan_key) { k.right, k.left, k.null_safe };
    }
    for (size_t i = 0; i < plan->n_out; i++)
        SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
    if (plan->needed) { /* no more than what is asked for is put in order */
        const spk_columns needed = { (uint64_t *)(uintptr_t)plan->needed, plan->needed_words };
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
            if (spk_columns_has(&needed, plan->out[i].id)) {
                exprs[kept] = exprs[i];
                plan->out[kept++] = plan->out[i];
            }
        n = kept;
    }
    spk_plan *project = spk_plan_project(a, join, exprs, plan->out, n);
    if (project && !spk_sql_failed(a->error))
        *plan = *project;
}

/* table_bytes: of a table of these rows: they, their keys, and where they are found. */
static double table_bytes(spk_plan_size size)
{
    enum { EACH = 24 };
    return size.bytes + size.rows * EACH;
}

static void check(void *arg, spk_sql_expr **place)
{
    *(bool *)arg &= (*place)->deterministic;
}

/* repeatable: whether a plan gives the same rows each time. */
static bool repeatable(spk_plan *plan, unsigned depth)
{
    bool good = depth < 32;
    spk_plan_each(plan, check, &good);
    for (size_t i = 0; good && i < plan->n_in; i++)
        good = repeatable(plan->in[i], depth + 1);
    return good;
}

/* joins_in: how many joins there are in a plan of scans, filters, columns and joins, which may be computed twice, but for
 * the tables of joins, which both times have (plan/common.c); -1: it has something else. */
static int joins_in(spk_plan *plan, unsigned depth)
{
    bool good = depth < 32 && (plan->kind == SPK_PLAN_SCAN || plan->kind == SPK_PLAN_RANGE
        || plan->kind == SPK_PLAN_FILTER || plan->kind == SPK_PLAN_PROJECT || plan->kind == SPK_PLAN_JOIN);
    int n = plan->kind == SPK_PLAN_JOIN;
    const bool table = n && plan->how == SPK_JOIN_TABLE && plan->n_keys;
    spk_plan_each(plan, check, &good);
    if (table && good && repeatable(plan->in[1], depth + 1)) {
        const int below = joins_in(plan->in[0], depth + 1);
        return below < 0 ? -1 : n + below;
    }
    for (size_t i = 0; good && i < plan->n_in; i++) {
        const int below = joins_in(plan->in[i], depth + 1);
        good = below >= 0;
        n += below;
    }
    return good ? n : -1;
}

/* by_marks: whether a semi or anti join has a table of its left side: rows of the right one, which are far more, then
 * only stream past. */
static bool by_marks(const spk_plan *plan, double most)
{
    enum { TIMES = 4 };
    const spk_plan_size l = spk_size_of(plan->in[0]), r = spk_size_of(plan->in[1]);
    return (plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI) && plan->n_keys && !plan->null_aware
        && r.rows >= TIMES * l.rows && table_bytes(l) <= most;
}

/* has_keys: whether a plan gives all that keys of the join name of a side. */
static bool has_keys(const spk_plan *join, const spk_plan *plan, bool left)
{
    bool good = true;
    for (size_t i = 0; i < join->n_keys && good; i++)
        good = spk_expr_within(left ? join->keys[i].left : join->keys[i].right, plan);
    return good;
}

/* is_selective: whether a plan leaves few of the rows it is made of. */
static bool is_selective(const spk_plan *plan)
{
    const spk_plan_size size = spk_size_of(plan);
    return size.rows * 2 <= size.base;
}

/* source_of: the least plan below a side whose rows have all keys that the side may have: one that leaves few of what
 * it is made of; NULL: there is none. */
static spk_plan *source_of(const spk_plan *join, bool is_left)
{
    spk_plan *at = join->in[!is_left], *found = NULL;
    while (at) {
        if (joins_in(at, 0) >= 0 && is_selective(at)) /* in this order: of a deep plan the first is known sooner */
            found = at;
        const bool inner = at->kind == SPK_PLAN_JOIN && at->join == SPK_PLAN_INNER;
        const bool left = at->kind == SPK_PLAN_JOIN && at->join != SPK_PLAN_RIGHT && at->join != SPK_PLAN_FULL;
        if ((left || at->kind == SPK_PLAN_PROJECT) && has_keys(join, at->in[0], is_left))
            at = at->in[0];
        else
            at = inner && has_keys(join, at->in[1], is_left) ? at->in[1] : NULL;
    }
    return found;
}

/* target_of: where below a side rows are left out by their keys: below groups and columns that keep these, and on the
 * side of a join that has them and streams; not within what others are given as well. */
static spk_plan **target_of(spk_plan *join, bool is_left)
{
    spk_plan **at = &join->in[!is_left];
    bool same = true;
    for (;;) {
        spk_plan *plan = *at;
        const bool plain
            = plan->kind == SPK_PLAN_PROJECT || plan->kind == SPK_PLAN_FILTER || plan->kind == SPK_PLAN_AGGREGATE;
        const bool streams = plan->kind == SPK_PLAN_JOIN && plan->join == SPK_PLAN_INNER && plan->how == SPK_JOIN_TABLE;
        if ((!plain && !streams) || plan->same || plan->shared)
            return at;
        spk_plan_each(plan, check, &same);
        if (!same || !has_keys(join, plan->in[0], is_left))
            return at;
        at = &plan->in[0];
    }
}

/* reduce: of a join whose left side must stream and has few rows, or few keys: no more of a large right side than what
 * has one of these, by a semi join whose table they are. */
static void reduce(spk_analyzer *a, spk_plan *plan, double most)
{
    enum { TIMES = 8, SHARE = 2 };
    if (plan->join == SPK_PLAN_INNER || plan->join == SPK_PLAN_RIGHT || plan->join == SPK_PLAN_FULL || plan->null_aware
        || !plan->n_keys)
        return;
    spk_plan *source = source_of(plan, true), **target = target_of(plan, false);
    if (!source)
        return;
    const spk_plan_size l = spk_size_of(source), r = spk_size_of(*target);
    const int joins = joins_in(source, 0); /* computing it twice must be less work than the table */
    if (r.rows < TIMES * l.rows || table_bytes(l) > most / SHARE || l.base * (1 + joins) > r.rows)
        return;
    spk_plan *semi = spk_plan_join_of(a, SPK_PLAN_SEMI, *target, spk_plan_copy(a, source), NULL, 0, NULL);
    for (size_t i = 0; semi && i < plan->n_keys; i++) {
        const spk_plan_key k = plan->keys[i];
        SPK_ADD(a, semi->keys, semi->n_keys, (spk_plan_key) { k.right, k.left, k.null_safe });
    }
    if (!semi || spk_sql_failed(a->error))
        return;
    semi->how = SPK_JOIN_TABLE;
    *target = semi;
}

/* may_drop: whether rows of a side do not matter that meet none of the other. */
static bool may_drop(const spk_plan *join, bool left)
{
    if (join->join == SPK_PLAN_INNER || join->join == SPK_PLAN_SEMI)
        return true;
    return left ? join->join == SPK_PLAN_RIGHT
                : join->join != SPK_PLAN_RIGHT && join->join != SPK_PLAN_FULL && !join->null_aware;
}

/* keys_of: the keys of a side alone, of a copy of what gives them, as columns; `semi` gets them on its right side. */
static spk_plan *keys_of(spk_analyzer *a, const spk_plan *join, const spk_plan *source, bool is_left, spk_plan *semi)
{
    spk_sql_expr **exprs = NULL;
    spk_attr *out = NULL;
    size_t n = 0, n_out = 0;
    for (size_t i = 0; i < join->n_keys; i++) {
        const spk_plan_key k = join->keys[i];
        spk_sql_expr *own = is_left ? k.left : k.right, *other = is_left ? k.right : k.left;
        const spk_attr attr = spk_attr_new(a, "key", own->type, own->nullable);
        SPK_ADD(a, exprs, n, own);
        SPK_ADD(a, out, n_out, attr);
        SPK_ADD(a, semi->keys, semi->n_keys,
            (spk_plan_key) { other, spk_attr_column(a, &attr, SPK_SQL_NOWHERE), k.null_safe });
    }
    spk_plan *copy = spk_plan_copy(a, source);
    return copy && !spk_sql_failed(a->error) ? spk_plan_project(a, copy, exprs, out, n) : NULL;
}

/* sift: of a join of two sides that are shuffled, the larger one, where the other keeps few of its rows: what has none
 * of its keys, as far as a filter of these can tell, is not shuffled. */
static void sift(spk_analyzer *a, spk_plan *plan)
{
    enum { TIMES = 2, LEAST_ROWS = 200000 };
    const bool left = spk_size_of(plan->in[0]).rows > spk_size_of(plan->in[1]).rows;
    spk_plan *source = atomic_load(&a->catalog->blooms) && may_drop(plan, left) ? source_of(plan, !left) : NULL;
    if (!source)
        return;
    spk_plan **target = target_of(plan, left);
    const spk_plan_size s = spk_size_of(source), t = spk_size_of(*target);
    const int joins = joins_in(source, 0); /* computing it twice must be less work than the shuffle */
    if (t.rows < LEAST_ROWS || t.rows < TIMES * s.rows || s.rows > SPK_BLOOM_KEYS || s.base * (1 + joins) > t.rows)
        return;
    spk_plan *semi = spk_plan_join_of(a, SPK_PLAN_SEMI, *target, source, NULL, 0, NULL);
    spk_plan *keys = semi ? keys_of(a, plan, source, !left, semi) : NULL;
    if (!keys || spk_sql_failed(a->error))
        return;
    semi->in[1] = keys;
    semi->how = SPK_JOIN_BLOOM;
    semi->limit = (int64_t)(s.base / 2 < 2.0 * SPK_BLOOM_KEYS ? s.base / 2 : 2.0 * SPK_BLOOM_KEYS); /* is_selective */
    *target = semi;
}

/* equal_to: of an inner join within a plan, by tables, the key that must be equal to column `id` of the plan, where the
 * table leaves few of its rows, which are in *source; NULL: there is none. */
static spk_sql_expr *equal_to(spk_plan *at, uint32_t id, spk_plan **source)
{
    while ((at->kind == SPK_PLAN_PROJECT || at->kind == SPK_PLAN_FILTER
               || (at->kind == SPK_PLAN_JOIN && at->join == SPK_PLAN_INNER && at->how == SPK_JOIN_TABLE))
        && spk_plan_has(at->in[0], id)) {
        for (size_t i = 0; at->kind == SPK_PLAN_JOIN && i < at->n_keys; i++) {
            const spk_plan_key *k = &at->keys[i];
            if (k->left->kind != SPK_SQL_COLUMN || k->left->column != id || k->null_safe || !is_selective(at->in[1])
                || joins_in(at->in[1], 0) < 0)
                continue;
            *source = at->in[1];
            return k->right;
        }
        at = at->in[0];
    }
    return NULL;
}

/* narrow: of an inner join whose right side is too large for a table, that side, where one of its keys must be equal to
 * what a table below the left side has, if it is none too large without the other rows. */
static void narrow(spk_analyzer *a, spk_plan *plan, double most)
{
    const spk_plan_size r = spk_size_of(plan->in[1]);
    if (plan->join != SPK_PLAN_INNER || table_bytes(r) <= most || table_bytes(spk_size_of(plan->in[0])) <= most)
        return;
    for (size_t i = 0; i < plan->n_keys; i++) {
        spk_plan *source = NULL;
        const spk_plan_key *k = &plan->keys[i];
        spk_sql_expr *other
            = k->left->kind == SPK_SQL_COLUMN && !k->null_safe ? equal_to(plan->in[0], k->left->column, &source) : NULL;
        if (!other)
            continue;
        const spk_plan_size s = spk_size_of(source);
        if (s.base * (1 + joins_in(source, 0)) > r.rows || table_bytes(r) * s.rows > most * s.base)
            continue;
        spk_plan *semi = spk_plan_join_of(a, SPK_PLAN_SEMI, plan->in[1], spk_plan_copy(a, source), NULL, 0, NULL);
        if (!semi)
            return;
        SPK_ADD(a, semi->keys, semi->n_keys, (spk_plan_key) { k->right, other, false });
        semi->how = SPK_JOIN_TABLE;
        plan->in[1] = semi;
        return;
    }
}

static void decide(spk_analyzer *a, spk_plan *plan)
{
    find_keys(a, plan);
    if (!spk_sql_failed(a->error))
        narrow(a, plan, atomic_load(&a->catalog->table_bytes));
    if (spk_sql_failed(a->error))
        return;
    if (by_marks(plan, atomic_load(&a->catalog->table_bytes))) {
        plan->how = SPK_JOIN_MARKED;
        return;
    }
    reduce(a, plan, atomic_load(&a->catalog->table_bytes));
    if (spk_sql_failed(a->error))
        return;
    const spk_plan_size l = spk_size_of(plan->in[0]), r = spk_size_of(plan->in[1]);
    const bool turns = plan->join == SPK_PLAN_INNER || plan->join == SPK_PLAN_RIGHT;
    const double most = atomic_load(&a->catalog->table_bytes);
    const spk_plan_hint left = spk_hint_of(plan->in[0]), right = spk_hint_of(plan->in[1]);
    const bool shuffled = left == SPK_HINT_SHUFFLE || right == SPK_HINT_SHUFFLE;
    const bool small_left = left == SPK_HINT_BROADCAST || (table_bytes(l) <= most && !shuffled);
    const bool small_right = right == SPK_HINT_BROADCAST || (table_bytes(r) <= most && !shuffled);
    const bool smaller_left = left == SPK_HINT_BROADCAST || (right != SPK_HINT_BROADCAST && l.bytes < r.bytes);
    plan->how = SPK_JOIN_TABLE;
    if (plan->join == SPK_PLAN_FULL)
        plan->how = plan->n_keys ? SPK_JOIN_SHUFFLED : SPK_JOIN_TABLE;
    else if (plan->join == SPK_PLAN_RIGHT ? !plan->n_keys || small_left : turns && smaller_left && small_left)
        swap(a, plan);
    else if (plan->n_keys && (plan->join == SPK_PLAN_RIGHT || !small_right))
        plan->how = SPK_JOIN_SHUFFLED;
    if (plan->kind == SPK_PLAN_JOIN && plan->how == SPK_JOIN_SHUFFLED) /* it may be a projection of one now */
        sift(a, plan);
}

/* leave_out: of a join, columns that nobody above asks for. */
static void leave_out(spk_plan *plan)
{
    const spk_columns needed = { (uint64_t *)(uintptr_t)plan->needed, plan->needed_words };
    const bool pairs = plan->join <= SPK_PLAN_FULL || plan->join == SPK_PLAN_SINGLE;
    size_t kept = 0;
    const bool united = plan->join == SPK_PLAN_FULL && plan->how != SPK_JOIN_SHUFFLED; /* of two joins, by place */
    if (plan->kind != SPK_PLAN_JOIN || !plan->needed || !pairs || united)
        return;
    for (size_t i = 0; i < plan->n_out; i++)
        if (spk_columns_has(&needed, plan->out[i].id))
            plan->out[kept++] = plan->out[i];
    plan->n_out = kept;
}

static bool is_inner(const spk_plan *plan)
{
    return plan->kind == SPK_PLAN_JOIN && plan->join == SPK_PLAN_INNER && plan->how == SPK_JOIN_UNDECIDED;
}

/* about: whether the conditions of a join are about these two plans alone, and about the first. */
static bool about(spk_analyzer *a, const spk_plan *join, const spk_plan *x, const spk_plan *y)
{
    spk_plan *both = spk_plan_join_of(a, SPK_PLAN_INNER, (spk_plan *)(uintptr_t)x, (spk_plan *)(uintptr_t)y, NULL, 0, NULL);
    bool good = both && join->n_exprs > 0, touches = false;
    for (size_t i = 0; good && i < join->n_exprs; i++) {
        good = spk_expr_within(join->exprs[i], both);
        touches = touches || spk_expr_touches(join->exprs[i], x);
    }
    return good && touches;
}

/* gather: (x JOIN y) JOIN z becomes x JOIN (y JOIN z) where z is joined to y alone and leaves few rows: fewer are put
 * into the table of y then, and fewer of x have a match. */
static void gather(spk_analyzer *a, spk_plan *plan)
{
    for (size_t i = 0; i < plan->n_in && !spk_sql_failed(a->error); i++)
        gather(a, plan->in[i]);
    while (is_inner(plan) && is_inner(plan->in[0]) && is_selective(plan->in[1]) && !spk_sql_failed(a->error)
        && about(a, plan, plan->in[0]->in[1], plan->in[1])) {
        spk_plan *below = plan->in[0];
        spk_plan *both = spk_plan_join_of(
            a, SPK_PLAN_INNER, below->in[1], plan->in[1], plan->exprs, plan->n_exprs, NULL);
        if (!both)
            return;
        both->needed = below->in[1]->needed;
        both->needed_words = below->in[1]->needed_words;
        plan->in[0] = below->in[0];
        plan->in[1] = both;
        plan->exprs = below->exprs;
        plan->n_exprs = below->n_exprs;
        gather(a, both);
        spk_plan_refresh(a, plan);
    }
}

static void need_column(void *arg, const spk_sql_expr *column)
{
    spk_columns *set = arg;
    if (column->column / 64 < set->words)
        set->bits[column->column / 64] |= (uint64_t)1 << column->column % 64;
}

/* sooner: whether (x JOIN y) JOIN z is better as (x JOIN z) JOIN y: z is joined to x alone, leaves no more of its rows
 * than y does, and is a far smaller table to look at. */
static bool sooner(spk_analyzer *a, const spk_plan *plan)
{
    enum { TIMES = 4 };
    if (!is_inner(plan) || !is_inner(plan->in[0]) || !plan->needed || !plan->in[0]->needed)
        return false;
    const spk_plan_size y = spk_size_of(plan->in[0]->in[1]), z = spk_size_of(plan->in[1]);
    return is_selective(plan->in[1]) && z.rows * y.base <= y.rows * z.base && z.rows * TIMES <= y.rows
        && about(a, plan, plan->in[0]->in[0], plan->in[1]);
}

/* hasten: of inner joins one after the other, those that leave few rows and are small come first. */
static void hasten(spk_analyzer *a, spk_plan *plan)
{
    for (size_t i = 0; i < plan->n_in && !spk_sql_failed(a->error); i++)
        hasten(a, plan->in[i]);
    if (spk_sql_failed(a->error) || !sooner(a, plan))
        return;
    spk_plan *below = plan->in[0];
    spk_columns needed = { spk_arena_alloc(a->arena, (below->needed_words + 1) * 8, 8), below->needed_words };
    spk_plan *first = spk_plan_join_of(a, SPK_PLAN_INNER, below->in[0], plan->in[1], plan->exprs, plan->n_exprs, NULL);
    if (!needed.bits)
        spk_sql_nomem(a->error);
    if (!needed.bits || !first)
        return;
    memcpy(needed.bits, below->needed, below->needed_words * sizeof *needed.bits);
    for (size_t i = 0; i < below->n_exprs; i++)
        spk_expr_columns(below->exprs[i], need_column, &needed);
    first->needed = needed.bits;
    first->needed_words = needed.words;
    plan->in[0] = first;
    plan->in[1] = below->in[1];
    plan->exprs = below->exprs;
    plan->n_exprs = below->n_exprs;
    hasten(a, first);
    spk_plan_refresh(a, plan);
}

/* trim: of a filter, columns that only it asks for. */
static void trim(spk_analyzer *a, spk_plan **place)
{
    spk_plan *filter = *place;
    spk_sql_expr **exprs = NULL;
    spk_attr *out = NULL;
    size_t n = 0, n_out = 0;
    if (filter->kind != SPK_PLAN_FILTER || !filter->needed)
        return;
    const spk_columns needed = { (uint64_t *)(uintptr_t)filter->needed, filter->needed_words };
    for (size_t i = 0; i < filter->n_out; i++)
        if (spk_columns_has(&needed, filter->out[i].id)) {
            SPK_ADD(a, exprs, n, spk_attr_column(a, &filter->out[i], SPK_SQL_NOWHERE));
            SPK_ADD(a, out, n_out, filter->out[i]);
        }
    if (n == 0 || n == filter->n_out || spk_sql_failed(a->error))
        return;
    spk_plan *project = spk_plan_project(a, filter, exprs, out, n);
    if (project)
        *place = project;
}

static void choose(spk_analyzer *a, spk_plan *plan)
{
    if (spk_sql_failed(a->error))
        return;
    if (plan->same) { /* which comes before it */
        spk_common_columns(a, plan);
        return;
    }
    for (size_t i = 0; i < plan->n_in; i++)
        choose(a, plan->in[i]);
    if (plan->kind == SPK_PLAN_JOIN && plan->how != SPK_JOIN_UNDECIDED)
        return;
    for (size_t i = 0; plan->kind == SPK_PLAN_JOIN && i < 2 && !spk_sql_failed(a->error); i++)
        trim(a, &plan->in[i]);
    if (spk_sql_failed(a->error))
        return;
    spk_plan_refresh(a, plan);
    if (plan->kind != SPK_PLAN_JOIN)
        return;
    decide(a, plan);
    leave_out(plan->kind == SPK_PLAN_JOIN ? plan : plan->in[0]); /* it may have changed its sides */
}

void spk_strategies(spk_analyzer *a, spk_plan *plan)
{
    if (!plan || spk_sql_failed(a->error))
        return;
    gather(a, plan);
    hasten(a, plan);
    choose(a, plan);
}
