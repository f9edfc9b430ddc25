/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that become several: a row for each element of an array or map (explode and its kin), and a row
 * for each grouping set. */
#include "rdd/verb.h"
#include "sql/exec/query.h"

typedef struct generate_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_plan *plan;
    const spk_form *in, *out;
    const spk_sql_program *program; /* generate: the array */
    size_t first_key;               /* expand: the column of the first key */
} generate_rdd;

typedef struct generate_state {
    spk_sql_run *run;
    spk_arena *arenas, *scratch;
    spk_sql_input *inputs;
    char *row;
} generate_state;

static SPK_COLD bool open_generate(spk_pipe *pipe, spk_op *op)
{
    const generate_rdd *g = SPK_NODE(generate_rdd, op->rdd);
    spk_arena *keep = spk_keep_of(pipe->task);
    generate_state *s = spk_arena_alloc(keep, sizeof *s, 16);
    if (s) {
        s->inputs = spk_arena_alloc(keep, (g->in->n + 1) * sizeof *s->inputs, 16);
        s->row = spk_arena_alloc(keep, g->out->layout->size + 1, 64);
        s->run = spk_sql_run_new(g->program, keep);
        s->arenas = spk_step_arenas(pipe->task);
        s->scratch = spk_step_arenas(pipe->task);
    }
    if (!s || !s->inputs || !s->row || !s->run || !s->arenas || !s->scratch) {
        spk_task_nomem(pipe->task);
        return false;
    }
    op->state = s;
    return true;
}

static void put_input(const generate_rdd *g, generate_state *s, const char *row)
{
    memset(s->row, 0, g->out->layout->size);
    for (size_t i = 0; i < g->in->n; i++)
        spk_slot_copy(&g->in->slots[i], row, &g->out->slots[i], s->row);
}

/* put_slot: what stands in an array's or struct's slot into a column; NULL: absent. */
static void put_slot(const spk_slot *to, char *row, const char *slot, bool nullable)
{
    const bool present = slot && (!nullable || *slot);
    if (to->nullable)
        row[to->offset] = present;
    if (present)
        memcpy(row + to->value, slot + spk_sql_slot_value(to->type, nullable), to->type->size);
}

static void put_fields(const generate_rdd *g, generate_state *s, size_t column, const spk_sql_type *type,
    const char *value)
{
    for (uint32_t i = 0; i < type->n; i++)
        put_slot(&g->out->slots[column + i], s->row, value ? value + type->fields[i].offset : NULL,
            type->fields[i].nullable);
}

/* element: of the array or map, at `at`; NULL: the row of OUTER. */
static void put_element(const generate_rdd *g, generate_state *s, const spk_sql_type *type, const char *at, size_t i)
{
    size_t column = g->in->n;
    if (g->plan->position) {
        const spk_slot *to = &g->out->slots[column++];
        const int32_t position = (int32_t)i;
        if (to->nullable)
            s->row[to->offset] = at != NULL;
        memcpy(s->row + to->value, &position, sizeof position);
    }
    if (g->plan->inline_rows) {
        const bool present = at && (!type->contains_null || *at);
        put_fields(g, s, column, type->of, present ? at + spk_sql_slot_value(type->of, type->contains_null) : NULL);
    } else if (type->kind == SPK_SQL_MAP) {
        put_slot(&g->out->slots[column], s->row, at, false);
        put_slot(&g->out->slots[column + 1], s->row, at ? at + spk_sql_entry_value(type) : NULL, type->contains_null);
    } else if (type->kind == SPK_SQL_ARRAY) {
        put_slot(&g->out->slots[column], s->row, at, type->contains_null);
    }
}

static bool generate_row(const generate_rdd *g, generate_state *s, spk_out *out, const char *row,
    const spk_sql_vector *v, uint32_t i)
{
    const spk_sql_type *type = g->plan->exprs[0]->type;
    spk_sql_array array = { NULL, 0 };
    put_input(g, s, row);
    if (spk_sql_valid(v, i) && type->kind != SPK_SQL_VOID)
        memcpy(&array, v->ptr + i * v->stride, sizeof array);
    const size_t size = type->kind == SPK_SQL_MAP ? spk_sql_entry_size(type)
        : type->kind == SPK_SQL_ARRAY            ? spk_sql_slot_size(type->of, type->contains_null)
                                                 : 0;
    if (array.n == 0 && g->plan->outer) {
        put_element(g, s, type, NULL, 0);
        return spark_emit_(&out->head, s->row, g->out->layout->size);
    }
    for (size_t k = 0; k < array.n; k++) {
        put_element(g, s, type, array.at + k * size, k);
        if (!spark_emit_(&out->head, s->row, g->out->layout->size))
            return false;
    }
    return true;
}

static void run_generate(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const generate_rdd *g = SPK_NODE(generate_rdd, op->rdd);
    generate_state *s = op->state;
    const spk_batch in = *batch;
    spk_out out;
    batch->n = 0;
    spk_recycle(pipe->task, &s->scratch[0]);
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, g->out->layout->size, s->arenas))
        return;
    bool more = true;
    for (size_t i = 0; i < in.n && more; i += SPK_SQL_BATCH) {
        const uint32_t n = (uint32_t)(in.n - i < SPK_SQL_BATCH ? in.n - i : SPK_SQL_BATCH);
        const char *rows = in.rows + i * g->in->layout->size;
        spk_sql_vector v;
        spk_form_inputs(g->in, rows, s->inputs);
        spk_sql_run_begin(s->run, s->inputs, n, spk_row_number(op) + i, &s->scratch[0]);
        if (!spk_sql_run_eval(s->run, 0, (spk_sql_rows) { NULL, n }, &v)) {
            spk_query_task_fails(g->query, pipe->task, spk_sql_run_error(s->run));
            break;
        }
        for (uint32_t k = 0; k < n && more; k++)
            more = generate_row(g, s, &out, rows + k * g->in->layout->size, &v, k);
    }
    spk_out_close(&out, batch);
}

/* ---- expand */

static void run_expand(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const generate_rdd *g = SPK_NODE(generate_rdd, op->rdd);
    generate_state *s = op->state;
    const spk_batch in = *batch;
    const spk_slot *id = &g->out->slots[g->in->n];
    spk_out out;
    batch->n = 0;
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, g->out->layout->size, s->arenas))
        return;
    bool more = true;
    for (size_t i = 0; i < in.n && more; i++)
        for (size_t set = 0; set < g->plan->n_sets && more; set++) {
            put_input(g, s, in.rows + i * g->in->layout->size);
            for (size_t k = 0; k < g->plan->n_exprs; k++) {
                const spk_slot *key = &g->out->slots[g->first_key + k];
                if (!g->plan->sets[set][k])
                    memset(s->row + key->offset, 0, key->size);
            }
            memcpy(s->row + id->value, &g->plan->set_ids[set], sizeof(int64_t));
            more = spark_emit_(&out.head, s->row, g->out->layout->size);
        }
    spk_out_close(&out, batch);
}

static void release_generate(spark_rdd *rdd)
{
    if (SPK_NODE(generate_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(generate_rdd, rdd)->query);
}

static SPK_COLD spark_rdd *make(spk_query *q, spark_rdd *rdd, const spk_class *class, const generate_rdd *plain)
{
    spk_verb v;
    bool made;
    spk_verb_begin(&v, q->analyzer.site, "flatMap", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, class, sizeof(generate_rdd), plain->out->layout, &made);
    if (made) {
        generate_rdd *g = SPK_NODE(generate_rdd, rdd);
        SPK_NODE_FILL(generate_rdd, g, plain);
        g->query = q;
        spk_query_ref(q);
    }
    return rdd;
}

spark_rdd *spk_exec_generate(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, const spk_form *out)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = open_generate,
        .run = run_generate,
        .release = release_generate };
    generate_rdd plain = { .plan = plan, .in = in, .out = out };
    const spk_plan *below = plan->in[0];
    plain.program = spk_program_of(q, plan->exprs, 1, &below, 1);
    return plain.program ? make(q, rdd, &class, &plain) : NULL;
}

spark_rdd *spk_exec_expand(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, const spk_form *out)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = open_generate,
        .run = run_expand,
        .release = release_generate };
    generate_rdd plain = { .plan = plan, .in = in, .out = out };
    plain.program = spk_program_of(q, NULL, 0, NULL, 0);
    for (size_t i = 0; plan->n_exprs && i < plan->in[0]->n_out; i++)
        if (plan->in[0]->out[i].id == plan->exprs[0]->column)
            plain.first_key = i;
    return plain.program ? make(q, rdd, &class, &plain) : NULL;
}
