/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that take lambdas. A body is a program of its own: it runs on the elements of one array
 * at a
 * time, a batch of them, for which what lies outside (columns, variables of lambdas around it) is
 * constant. */
#include "base/small.h"

#include "sql/eval/agg.h"
#include "sql/eval/nested.h"
#include "sql/eval/resolve.h"
#include "sql/eval/slots.h"

typedef struct body {
    const spk_sql_program *program;
    const spk_sql_type *type;
    uint32_t own[3], n_own;
    uint32_t *columns, n_columns, most_column; /* those of outside that it reads */
    uint32_t *variables, n_variables, most_variable;
} body;

enum { MOST = 256 };

/* outside: the columns and variables of a tree; false: too many. */
static bool outside(const spk_sql_expr *e, body *x, int depth)
{
    if (depth > 1000)
        return false;
    if (e->kind == SPK_SQL_COLUMN || e->kind == SPK_SQL_VARIABLE) {
        const bool variable = e->kind == SPK_SQL_VARIABLE;
        uint32_t *list = variable ? x->variables : x->columns,
                 *n = variable ? &x->n_variables : &x->n_columns;
        uint32_t *most = variable ? &x->most_variable : &x->most_column;
        for (uint32_t i = 0; i < *n; i++)
            if (list[i] == e->column)
                return true;
        if (*n == MOST)
            return false;
        list[(*n)++] = e->column;
        *most = e->column > *most ? e->column : *most;
        return true;
    }
    for (uint32_t i = 0; i < e->n; i++)
        if (!outside(e->args[i], x, depth + 1))
            return false;
    return true;
}

static SPK_COLD body *compile(spk_sql_build *b, const spk_sql_expr *lambda)
{
    body *x = spk_arena_alloc(b->arena, sizeof *x, _Alignof(body));
    uint32_t *lists = spk_arena_alloc(b->arena, 2 * MOST * sizeof *lists, 4);
    if (!x || !lists) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    *x = (body) {
        .type = lambda->args[0]->type, .n_own = lambda->n_variables, .columns = lists, .variables = lists + MOST
    };
    for (uint32_t i = 0; i < x->n_own; i++) {
        x->own[i] = lambda->variables[i];
        if (x->own[i] > x->most_variable)
            x->most_variable = x->own[i];
    }
    if (!outside(lambda->args[0], x, 0)) {
        spk_sql_unsupported(b->error, lambda->span, "a lambda that reads more than 256 columns");
        return NULL;
    }
    x->program = spk_sql_compile(b, (spk_sql_expr *const[]) { lambda->args[0] }, 1);
    return x->program ? x : NULL;
}

/* bodies: of a call: its lambdas in order. */
typedef struct bodies {
    body *at[2];
    uint32_t n;
} bodies;

static SPK_COLD const void *prepare(spk_sql_build *b, const spk_sql_expr *call)
{
    bodies *all = spk_arena_alloc(b->arena, sizeof *all, _Alignof(bodies));
    if (!all) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    *all = (bodies) { .n = 0 };
    for (uint32_t i = 0; i < call->n; i++)
        if (call->args[i]->kind == SPK_SQL_LAMBDA && all->n < 2
            && !(all->at[all->n++] = compile(b, call->args[i])))
            return NULL;
    return all;
}

/* machine: a body while a kernel runs. scratch: what it computes for a piece of an array, which goes with the next one;
 * the other one is for a state that goes on. */
typedef struct machine {
    spk_sql_frame *f;
    const body *body;
    spk_sql_run *run;
    spk_sql_input *columns, *variables;
    spk_arena scratch[2], *at;
    char *value; /* of what it gives that points to memory: one that stays */
    bool keeps; /* what was computed goes on, until that is so much: */
    size_t most;
    unsigned evals;
    int32_t *indices;
} machine;

static bool start(machine *m, spk_sql_frame *f, uint32_t which)
{
    const bodies *all = f->prepared;
    *m = (machine) { .f = f, .body = all->at[which], .at = m->scratch };
    for (size_t i = 0; i < 2; i++)
        spk_arena_init_small(&m->scratch[i], f->arena->heap);
    m->columns = spk_sql_alloc(f, (m->body->most_column + 1) * sizeof *m->columns, 8);
    m->variables = spk_sql_alloc(f, (m->body->most_variable + 1) * sizeof *m->variables, 8);
    if (spk_sql_points(m->body->type) && !(m->value = spk_sql_alloc(f, m->body->type->size, 16)))
        return false;
    m->run = m->columns && m->variables ? spk_sql_inner_run(f, m->body->program) : NULL;
    if (!m->run)
        return false;
    memset(m->variables, 0, (m->body->most_variable + 1) * sizeof *m->variables);
    spk_sql_run_set_variables(m->run, m->variables);
    return true;
}

/* with: a kernel and its machines. */
static void with(spk_sql_frame *f, void (*kernel)(spk_sql_frame *f, machine *m))
{
    machine m[2];
    const bodies *all = f->prepared;
    uint32_t n = 0;
    bool good = true;
    while (good && n < all->n) {
        good = start(&m[n], f, n);
        n++;
    }
    if (good)
        kernel(f, m);
    while (n-- > 0)
        for (size_t i = 0; i < 2; i++)
            spk_arena_fini(&m[n].scratch[i]);
}

static spk_sql_input constant(const spk_sql_input *in, uint32_t i)
{
    spk_sql_input out = *in;
    out.ptr += (size_t)i * in->stride;
    out.stride = 0;
    if (in->valid)
        out.valid += (size_t)i * in->valid_stride;
    out.valid_stride = 0;
    return out;
}

static bool is_own(const body *b, uint32_t variable)
{
    for (uint32_t i = 0; i < b->n_own; i++)
        if (b->own[i] == variable)
            return true;
    return false;
}

/* at_row: what lies outside is that of row i. */
static void at_row(machine *m, uint32_t i)
{
    const spk_sql_input *columns = spk_sql_run_columns(m->f->run),
                        *variables = spk_sql_run_variables(m->f->run);
    for (uint32_t k = 0; k < m->body->n_columns; k++)
        m->columns[m->body->columns[k]] = constant(&columns[m->body->columns[k]], i);
    for (uint32_t k = 0; variables && k < m->body->n_variables; k++) /* else they are of lambdas within */
        if (!is_own(m->body, m->body->variables[k]))
            m->variables[m->body->variables[k]] = constant(&variables[m->body->variables[k]], i);
}

static void set(machine *m, uint32_t which, spk_sql_input in)
{
    if (which < m->body->n_own)
        m->variables[m->body->own[which]] = in;
}

/* eval: the body on n elements. What it gave before is gone. */
static bool eval(machine *m, uint32_t n, spk_sql_vector *out)
{
    enum { FREE = 65536, OFTEN = 64 };
    if (m->at->bytes > FREE && !m->keeps)
        spk_arena_reset(m->at);
    if (++m->evals % OFTEN == 0 && spk_sql_stops(m->f))
        return false;
    spk_sql_run_begin(m->run, m->columns, n, 0, m->at);
    if (spk_sql_run_eval(m->run, 0, (spk_sql_rows) { NULL, n }, out))
        return true;
    spk_sql_run_give(m->f, spk_sql_run_error(m->run));
    return false;
}

/* stays: value k of what was computed, where it stays with the results; NULL: it is one, or the run has failed. */
static const void *stays(machine *m, const spk_sql_vector *v, uint32_t k)
{
    const spk_sql_type *t = m->body->type;
    const void *x = spk_sql_value_at(v, k);
    if (!x || !m->value)
        return x;
    if (!spk_sql_copy_value(t, x, m->value, m->f->arena))
        spk_sql_no_room(m->f);
    return m->value;
}

static spk_sql_input slots(const char *at, size_t stride, const spk_sql_type *of, bool nullable)
{
    return (spk_sql_input) { .ptr = at + spk_sql_slot_value(of, nullable),
        .stride = stride,
        .valid = nullable ? (const uint8_t *)at : NULL,
        .valid_stride = stride,
        .mask = 255 };
}

static spk_sql_input elements(const spk_sql_type *array, spk_sql_array a, size_t from)
{
    const size_t size = spk_sql_slot_size(array->of, array->contains_null);
    return slots(a.at + from * size, size, array->of, array->contains_null);
}

/* piece: how many elements from `at` on are taken at once. */
static uint32_t piece(size_t n, size_t at)
{
    return n - at < SPK_SQL_BATCH ? (uint32_t)(n - at) : SPK_SQL_BATCH;
}

static bool indices(machine *m, size_t from, uint32_t n)
{
    if (m->body->n_own < 2)
        return true;
    if (!m->indices && !(m->indices = spk_sql_alloc(m->f, SPK_SQL_BATCH * sizeof *m->indices, 4)))
        return false;
    for (uint32_t k = 0; k < n; k++)
        m->indices[k] = (int32_t)(from + k);
    set(m, 1, (spk_sql_input) { .ptr = (const char *)m->indices, .stride = 4 });
    return true;
}

/* ---- transform, filter, exists, forall ---- */

static void each(spk_sql_frame *f, machine *m)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    const char kind = f->expr->function->name[0]; /* transform, filter */
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        spk_slots out = spk_slots_of(f->expr->type);
        at_row(m, i);
        for (size_t at = 0; at < a.n; at += SPK_SQL_BATCH) {
            const uint32_t n = piece(a.n, at);
            spk_sql_vector v;
            set(m, 0, elements(t, a, at));
            if (!indices(m, at, n) || !eval(m, n, &v))
                return;
            for (uint32_t k = 0; k < n; k++) {
                const void *x = stays(m, &v, k);
                if (kind == 'f' && !(x && *(const bool *)x))
                    continue;
                if (!spk_slots_add(&out, f, kind == 'f' ? spk_sql_slot(t, a, at + k) : x))
                    return;
            }
        }
        SPK_SQL_OUT(spk_sql_array, f, i) = spk_slots_end(&out);
    }
}

static void test(spk_sql_frame *f, machine *m)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    const bool all = f->expr->function->name[0] == 'f';
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        bool null = false, decided = false;
        at_row(m, i);
        for (size_t at = 0; at < a.n && !decided; at += SPK_SQL_BATCH) {
            const uint32_t n = piece(a.n, at);
            spk_sql_vector v;
            set(m, 0, elements(t, a, at));
            if (!eval(m, n, &v))
                return;
            for (uint32_t k = 0; k < n; k++) {
                const bool *x = spk_sql_value_at(&v, k);
                null |= !x;
                decided |= x && *x != all;
            }
        }
        SPK_SQL_OUT(bool, f, i) = decided != all;
        f->out_valid[i] = decided || !null;
    }
}

/* ---- aggregate ---- */

/* carry: a state goes on in the other arena, and what computing it took goes, where that is more than the state. */
static bool carry(machine *m, const spk_sql_type *s, char *state, bool valid)
{
    enum { FREE = 262144, TIMES = 3 };
    spk_arena *other = m->at == m->scratch ? &m->scratch[1] : m->scratch;
    if (m->at->bytes < m->most)
        return true;
    if (valid && !spk_sql_copy_value(s, state, state, other)) {
        spk_sql_no_room(m->f);
        return false;
    }
    spk_arena_reset(m->at);
    m->at = other;
    m->most = other->bytes * TIMES + FREE;
    return true;
}

static void aggregate(spk_sql_frame *f, machine *m)
{
    const spk_sql_type *t = f->expr->args[0]->type, *s = f->expr->args[1]->type;
    machine *last = f->n_args > 3 ? m + 1 : NULL;
    char *state = spk_sql_alloc(f, s->size + 1, 16);
    if (!state)
        return;
    m->keeps = true;
    SPK_EACH_ROW(f, i)
    {
        const void *first = spk_sql_value_at(&f->args[1], i);
        uint8_t valid = first != NULL;
        spk_sql_vector v = { state, 0, NULL };
        f->out_valid[i] = spk_sql_valid(&f->args[0], i);
        if (!f->out_valid[i])
            continue;
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        if (first)
            memcpy(state, first, s->size);
        at_row(m, i);
        for (size_t at = 0; at < a.n; at++) {
            set(m, 0, (spk_sql_input) { state, 0, &valid, 0, 255, false });
            set(m, 1, elements(t, a, at));
            if (!eval(m, 1, &v))
                return;
            const void *x = spk_sql_value_at(&v, 0);
            valid = x != NULL;
            if (x)
                memmove(state, x, s->size);
            if (!carry(m, s, state, valid))
                return;
        }
        v = (spk_sql_vector) { state, 0, valid ? NULL : spk_sql_nulls };
        if (last) {
            at_row(last, i);
            set(last, 0, (spk_sql_input) { state, 0, &valid, 0, 255, false });
            if (!eval(last, 1, &v))
                return;
        }
        const void *out = stays(last ? last : m, &v, 0);
        f->out_valid[i] = out != NULL;
        if (out)
            memcpy(f->out + i * f->expr->type->size, out, f->expr->type->size);
    }
}

/* ---- zip_with ---- */

static spk_sql_array padded(spk_sql_frame *f, const spk_sql_type *t, spk_sql_array a, size_t n,
    const spk_sql_type **as, spk_sql_type *own)
{
    spk_slots out;
    *own = *t;
    own->contains_null = true;
    *as = own;
    out = spk_slots_of(own);
    for (size_t k = 0; k < n; k++)
        if (!spk_slots_add(&out, f, k < a.n ? spk_sql_slot(t, a, k) : NULL))
            break;
    return spk_slots_end(&out);
}

static void zip_with(spk_sql_frame *f, machine *m)
{
    SPK_EACH_ROW(f, i)
    {
        spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i),
                      b = SPK_SQL_ARG(spk_sql_array, f, 1, i);
        const size_t all = a.n > b.n ? a.n : b.n;
        const spk_sql_type *x, *y;
        spk_sql_type own[2];
        spk_slots out = spk_slots_of(f->expr->type);
        a = padded(f, f->expr->args[0]->type, a, all, &x, &own[0]);
        b = padded(f, f->expr->args[1]->type, b, all, &y, &own[1]);
        if (spk_sql_run_failed(f->run))
            return;
        at_row(m, i);
        for (size_t at = 0; at < all; at += SPK_SQL_BATCH) {
            const uint32_t n = piece(all, at);
            spk_sql_vector v;
            set(m, 0, elements(x, a, at));
            set(m, 1, elements(y, b, at));
            if (!eval(m, n, &v))
                return;
            for (uint32_t k = 0; k < n; k++)
                if (!spk_slots_add(&out, f, stays(m, &v, k)))
                    return;
        }
        SPK_SQL_OUT(spk_sql_array, f, i) = spk_slots_end(&out);
    }
}

/* ---- maps ---- */

static void maps(spk_sql_frame *f, machine *m)
{
    const spk_sql_type *t = f->expr->args[0]->type, *to = f->expr->type;
    const char *name = f->expr->function->name;
    const char kind
        = *name == 'm' ? 'f' : name[10]; /* map_filter, transform_keys, transform_values */
    const size_t size = spk_sql_entry_size(t), out_size = spk_sql_entry_size(to);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        char *out = spk_sql_alloc(f, a.n * out_size + 1, 16);
        spk_seen seen = { .type = to->key };
        size_t kept = 0;
        if (!out)
            return;
        memset(out, 0, a.n * out_size);
        at_row(m, i);
        for (size_t at = 0; at < a.n; at += SPK_SQL_BATCH) {
            const uint32_t n = piece(a.n, at);
            spk_sql_vector v;
            set(m, 0, slots(a.at + at * size, size, t->key, false));
            set(m, 1,
                slots(a.at + at * size + spk_sql_entry_value(t), size, t->of, t->contains_null));
            if (!eval(m, n, &v))
                return;
            for (uint32_t k = 0; k < n; k++) {
                const void *value, *key = spk_sql_entry(t, a, at + k, &value),
                                   *x = stays(m, &v, k);
                char *entry = out + kept * out_size;
                bool fresh = true;
                if (kind == 'f' && !(x && *(const bool *)x))
                    continue;
                if (kind == 'k' && !x) {
                    spk_sql_raise(f, "NULL_MAP_KEY");
                    return;
                }
                memcpy(entry, kind == 'k' ? x : key, to->key->size);
                if (kind == 'k' && !spk_seen_add(&seen, f, entry, &fresh))
                    return;
                if (!fresh) {
                    spk_sql_error *e = spk_sql_raise(f, "DUPLICATED_MAP_KEY");
                    spk_sql_param(e, "mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\"");
                    return;
                }
                spk_slot_put(to->of, to->contains_null, kind == 'v' ? x : value,
                    entry + spk_sql_entry_value(to));
                kept++;
            }
        }
        SPK_SQL_OUT(spk_sql_array, f, i) = (spk_sql_array) { out, kept };
    }
}

/* find: the entry of a map that has a key: where it lies among n, or n. */
static size_t find(const spk_sql_type *t, spk_sql_array a, const void *key, const void **value)
{
    size_t k = 0;
    *value = NULL;
    while (k < a.n && !spk_sql_value_equal(t->key, spk_sql_entry(t, a, k, value), key))
        k++;
    if (k == a.n)
        *value = NULL;
    return k;
}

/* zip_maps: the body of each key of both maps, those of the first one first, and what each has for it. */
static void zip_maps(spk_sql_frame *f, machine *m)
{
    const spk_sql_type *to = f->expr->type, *types[] = { f->expr->args[0]->type, f->expr->args[1]->type };
    const size_t size = spk_sql_entry_size(to);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array maps[] = { SPK_SQL_ARG(spk_sql_array, f, 0, i), SPK_SQL_ARG(spk_sql_array, f, 1, i) };
        const size_t all = maps[0].n + maps[1].n;
        char *out = spk_sql_alloc(f, all * size + 1, 16);
        size_t n = 0;
        if (!out)
            return;
        memset(out, 0, all * size);
        at_row(m, i);
        for (size_t k = 0; k < all; k++) {
            const bool second = k >= maps[0].n;
            const void *values[2], *key
                = spk_sql_entry(types[second], maps[second], second ? k - maps[0].n : k, &values[second]);
            uint8_t valid[2];
            spk_sql_vector v;
            if (find(types[!second], maps[!second], key, &values[!second]) < maps[0].n && second)
                continue;
            set(m, 0, (spk_sql_input) { key, 0, NULL, 0, 255, false });
            for (uint32_t w = 0; w < 2; w++) {
                valid[w] = values[w] != NULL;
                set(m, w + 1, (spk_sql_input) { values[w], 0, &valid[w], 0, 255, false });
            }
            if (!eval(m, 1, &v))
                return;
            memcpy(out + n * size, key, to->key->size);
            spk_slot_put(to->of, to->contains_null, stays(m, &v, 0), out + n++ * size + spk_sql_entry_value(to));
        }
        SPK_SQL_OUT(spk_sql_array, f, i) = (spk_sql_array) { out, n };
    }
}

/* ---- array_sort by a comparator ---- */

static void put_element(spk_sql_error *e, const char *name, const spk_sql_type *t, const void *x)
{
    char text[200] = "null";
    if (x)
        (void)spk_sql_value_print(t->of, x, NULL, text, sizeof text);
    spk_sql_param(e, name, "%s", text);
}

/* compare: elements x and y; false: the run has failed. */
static bool compare(machine *m, spk_sql_array a, uint32_t x, uint32_t y, int32_t *order)
{
    const spk_sql_type *t = m->f->expr->args[0]->type;
    spk_sql_vector v;
    set(m, 0, elements(t, a, x));
    set(m, 1, elements(t, a, y));
    if (!eval(m, 1, &v))
        return false;
    const int32_t *said = spk_sql_value_at(&v, 0);
    if (said) {
        *order = *said;
        return true;
    }
    spk_sql_error *e = spk_sql_raise(m->f, "COMPARATOR_RETURNS_NULL");
    put_element(e, "firstValue", t, spk_sql_slot(t, a, x));
    put_element(e, "secondValue", t, spk_sql_slot(t, a, y));
    return false;
}

/* merge: the places from..middle and middle..end of `in`, each in order, into `out`. */
static bool merge(
    machine *m, spk_sql_array a, const uint32_t *in, uint32_t *out, size_t from, size_t middle, size_t end)
{
    size_t x = from, y = middle;
    for (size_t k = from; k < end; k++) {
        int32_t order = y == end ? 0 : 1;
        if (x < middle && y < end && !compare(m, a, in[x], in[y], &order))
            return false;
        out[k] = in[x < middle && order <= 0 ? x++ : y++];
    }
    return true;
}

static void sort_by_(spk_sql_frame *f, machine *m)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        spk_slots out = spk_slots_of(f->expr->type);
        uint32_t *in = spk_sql_alloc(f, 2 * a.n * sizeof *in + 1, 4), *to = in + a.n;
        if (!in)
            return;
        for (size_t k = 0; k < a.n; k++)
            in[k] = (uint32_t)k;
        at_row(m, i);
        for (size_t width = 1; width < a.n; width *= 2) {
            for (size_t from = 0; from < a.n; from += 2 * width) {
                const size_t middle = from + width < a.n ? from + width : a.n;
                if (!merge(m, a, in, to, from, middle, middle + width < a.n ? middle + width : a.n))
                    return;
            }
            uint32_t *other = in;
            in = to;
            to = other;
        }
        for (size_t k = 0; k < a.n; k++)
            if (!spk_slots_add(&out, f, spk_sql_slot(t, a, in[k])))
                return;
        SPK_SQL_OUT(spk_sql_array, f, i) = spk_slots_end(&out);
    }
}

#define KERNEL(name, machines)                                                                     \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        with(f, machines);                                                                         \
    }
KERNEL(run_each, each)
KERNEL(run_test, test)
KERNEL(run_aggregate, aggregate)
KERNEL(run_zip_with, zip_with)
KERNEL(run_maps, maps)
KERNEL(run_zip_maps, zip_maps)
KERNEL(sort_by, sort_by_)

/* ---- resolving ---- */

static SPK_COLD bool want_lambda(spk_sql_build *b, spk_sql_expr *call, uint32_t i)
{
    if (call->args[i]->kind == SPK_SQL_LAMBDA)
        return true;
    spk_sql_fail1(b->error, "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", call->span,
        "class", call->name);
    return false;
}

/* body_as: the lambda's body gets that type. */
static SPK_COLD bool body_as(spk_sql_build *b, spk_sql_expr *call, uint32_t i, const spk_sql_type *type)
{
    spk_sql_expr *lambda = call->args[i];
    if (lambda->args[0]->type->kind != type->kind && type->kind == SPK_SQL_BOOLEAN
        && lambda->args[0]->type->kind != SPK_SQL_VOID) {
        spk_sql_unexpected(b, call, i, "\"BOOLEAN\"");
        return false;
    }
    lambda->args[0] = spk_sql_coerce(b, lambda->args[0], type);
    lambda->type = type;
    return lambda->args[0] != NULL;
}

static SPK_COLD bool kind_of(spk_sql_build *b, spk_sql_expr *call, uint32_t i, spk_sql_kind kind)
{
    if (call->args[i]->type->kind == kind)
        return true;
    spk_sql_unexpected(b, call, i, kind == SPK_SQL_ARRAY ? "\"ARRAY\"" : "\"MAP\"");
    return false;
}

static SPK_COLD bool resolve(spk_sql_build *b, spk_sql_expr *call)
{
    const char *name = call->function->name;
    const bool map = strstr(name, "map_") || strstr(name, "_keys") || strstr(name, "_values");
    const uint32_t last = strcmp(name, "zip_with") == 0 ? 2 : 1;
    const spk_sql_type *t = call->args[0]->type, *truth = spk_sql_type_of(SPK_SQL_BOOLEAN);
    if (!kind_of(b, call, 0, map ? SPK_SQL_MAP : SPK_SQL_ARRAY) || !want_lambda(b, call, last))
        return false;
    const spk_sql_expr *out = call->args[last]->args[0];
    if (strcmp(name, "filter") == 0 || strcmp(name, "map_filter") == 0) {
        call->type = t;
        return body_as(b, call, 1, truth);
    }
    if (strcmp(name, "exists") == 0 || strcmp(name, "forall") == 0) {
        call->type = truth;
        call->nullable = true;
        return body_as(b, call, 1, truth);
    }
    if (map)
        call->type = strstr(name, "_keys")
            ? spk_sql_type_map(b->arena, out->type, t->of, t->contains_null)
            : spk_sql_type_map(b->arena, t->key, out->type, out->nullable);
    else
        call->type = spk_sql_type_array(b->arena, out->type, out->nullable);
    return call->type != NULL;
}

/* loose: that type, whatever is inside of which may be NULL, as it may be in what a body makes of it. */
static const spk_sql_type *loose(spk_arena *arena, const spk_sql_type *t)
{
    const bool row = t && t->kind == SPK_SQL_STRUCT;
    spk_sql_field *fields = row ? spk_arena_alloc(arena, (t->n + 1) * sizeof *fields, 8) : NULL;
    if (t && t->kind == SPK_SQL_ARRAY)
        return spk_sql_type_array(arena, loose(arena, t->of), true);
    if (t && t->kind == SPK_SQL_MAP)
        return spk_sql_type_map(arena, t->key, loose(arena, t->of), true);
    for (uint32_t i = 0; fields && i < t->n; i++) {
        fields[i] = t->fields[i];
        fields[i].type = loose(arena, fields[i].type);
        fields[i].nullable = true;
    }
    return fields ? spk_sql_type_struct(arena, fields, t->n) : t;
}

/* key_of: what keys of two maps are both; NULL: there is no such type. */
static SPK_COLD const spk_sql_type *key_of(spk_sql_build *b, spk_sql_expr *const args[])
{
    const bool maps = args[0]->type->kind == SPK_SQL_MAP && args[1]->type->kind == SPK_SQL_MAP;
    return maps ? spk_sql_common(b->arena, args[0]->type->key, args[1]->type->key, false) : NULL;
}

static SPK_COLD bool resolve_zip_maps(spk_sql_build *b, spk_sql_expr *call)
{
    for (uint32_t i = 0; i < 2; i++)
        if (!kind_of(b, call, i, SPK_SQL_MAP))
            return false;
    const spk_sql_type *key = key_of(b, call->args);
    if (!key) {
        spk_sql_fail3(b->error, "DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES", call->span, "functionName",
            "`map_zip_with`", "leftType", spk_sql_type_quoted(b, call->args[0]->type->key), "rightType",
            spk_sql_type_quoted(b, call->args[1]->type->key));
        return false;
    }
    if (!want_lambda(b, call, 2))
        return false;
    if (call->args[2]->n_variables != 3) {
        spk_sql_fail2(b->error, "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", call->args[2]->span,
            "expectedNumArgs", "2", "actualNumArgs", "3"); /* which way around Spark has them */
        return false;
    }
    for (uint32_t i = 0; i < 2; i++) {
        const spk_sql_type *t = call->args[i]->type;
        call->args[i] = spk_sql_coerce(b, call->args[i], spk_sql_type_map(b->arena, key, t->of, t->contains_null));
        if (!call->args[i])
            return false;
    }
    const spk_sql_expr *out = call->args[2]->args[0];
    return (call->type = spk_sql_type_map(b->arena, key, out->type, out->nullable)) != NULL;
}

static SPK_COLD bool resolve_aggregate(spk_sql_build *b, spk_sql_expr *call)
{
    if (!kind_of(b, call, 0, SPK_SQL_ARRAY) || !want_lambda(b, call, 2))
        return false;
    const spk_sql_type *s = loose(b->arena, call->args[1]->type);
    call->nullable = true;
    if (!s || !(call->args[1] = spk_sql_coerce(b, call->args[1], s)) || !body_as(b, call, 2, s))
        return false;
    call->type = call->n > 3 && want_lambda(b, call, 3) ? call->args[3]->type : s;
    return true;
}

static SPK_COLD bool resolve_array_sort(spk_sql_build *b, spk_sql_expr *call)
{
    if (!kind_of(b, call, 0, SPK_SQL_ARRAY) || (call->n > 1 && !want_lambda(b, call, 1)))
        return false;
    call->type = call->args[0]->type;
    if (call->n == 1)
        return true;
    const spk_sql_expr *lambda = call->args[1];
    call->kernel = sort_by;
    if (lambda->n_variables != 2)
        spk_sql_fail2(b->error, "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", lambda->span, "expectedNumArgs",
            "1", "actualNumArgs", "2");
    else if (lambda->type->kind != SPK_SQL_INT)
        spk_sql_fail3(b->error, "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE", call->span, "functionName",
            "`lambdafunction`", "expectedType", "\"INT\"", "actualType", spk_sql_type_quoted(b, lambda->type));
    return !spk_sql_failed(b->error);
}

SPK_COLD size_t spk_sql_lambda_types(spk_sql_build *b, const char *function, spk_sql_expr *const args[],
    size_t n_args, size_t which, const spk_sql_type *types[3], bool nullable[3])
{
    const spk_sql_function *f = spk_sql_function_find(function);
    const char *name = f ? f->name : "";
    if (!f || f->prepare != prepare || n_args < 1 || which < 1 || !args[0])
        return 0;
    const spk_sql_type *t = args[0]->type;
    nullable[0] = nullable[1] = nullable[2] = true;
    if (strcmp(name, "aggregate") == 0 || strcmp(name, "reduce") == 0) {
        if (which < 2 || n_args < 2 || t->kind != SPK_SQL_ARRAY)
            return 0;
        types[0] = loose(b->arena, args[1]->type);
        types[1] = t->of;
        nullable[1] = t->contains_null;
        return which == 2 ? 2 : 1;
    }
    if (strcmp(name, "zip_with") == 0) {
        if (which != 2 || n_args < 2 || t->kind != SPK_SQL_ARRAY
            || args[1]->type->kind != SPK_SQL_ARRAY)
            return 0;
        types[0] = t->of;
        types[1] = args[1]->type->of;
        return 2;
    }
    if (strcmp(name, "map_zip_with") == 0) {
        if (which != 2 || n_args < 2 || t->kind != SPK_SQL_MAP || args[1]->type->kind != SPK_SQL_MAP)
            return 0;
        types[0] = key_of(b, args);
        if (!types[0])
            types[0] = t->key;
        types[1] = t->of;
        types[2] = args[1]->type->of;
        nullable[0] = false;
        return 3;
    }
    if (which != 1)
        return 0;
    if (t->kind == SPK_SQL_MAP) {
        types[0] = t->key;
        types[1] = t->of;
        nullable[0] = false;
        nullable[1] = t->contains_null;
        return 2;
    }
    if (t->kind != SPK_SQL_ARRAY)
        return 0;
    types[0] = types[1] = t->of;
    nullable[0] = nullable[1] = t->contains_null;
    if (strcmp(name, "array_sort") == 0)
        return 2;
    types[1] = spk_sql_type_of(SPK_SQL_INT);
    nullable[1] = false;
    return strcmp(name, "exists") == 0 || strcmp(name, "forall") == 0 ? 1 : 2;
}

#define L(name_, n_, kernel_)                                                                      \
    {                                                                                              \
        .name = name_, .least = n_, .most = n_, .kernel = kernel_, .resolve = resolve,             \
        .prepare = prepare                                                                         \
    }
#define LN(name_, n_, kernel_)                                                                     \
    {                                                                                              \
        .name = name_, .least = n_, .most = n_, .kernel = kernel_, .resolve = resolve,             \
        .prepare = prepare, .flags = SPK_SQL_GIVES_NULL                                            \
    }
#define LA(name_)                                                                                  \
    {                                                                                              \
        .name = name_, .least = 3, .most = 4, .kernel = run_aggregate, .resolve = resolve_aggregate,   \
        .prepare = prepare, .flags = SPK_SQL_NULL_AWARE                                            \
    }

const spk_sql_function spk_sql_lambdas[]
    = { L("transform", 2, run_each), L("filter", 2, run_each), LN("exists", 2, run_test), LN("forall", 2, run_test),
          LA("aggregate"), LA("reduce"), L("zip_with", 3, run_zip_with), L("transform_keys", 2, run_maps),
          L("transform_values", 2, run_maps), L("map_filter", 2, run_maps),
          { .name = "map_zip_with", .least = 3, .most = 3, .kernel = run_zip_maps, .resolve = resolve_zip_maps,
              .prepare = prepare },
          { .name = "array_sort", .least = 1, .most = 2, .kernel = spk_sql_sort_arrays,
              .resolve = resolve_array_sort, .prepare = prepare },
          { 0 } };
