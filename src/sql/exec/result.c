/* SPDX-License-Identifier: Apache-2.0 */
/* The last node of a statement, and its values as texts. */
#include "base/small.h"

#include "sql/exec/result.h"

#include <spark/source.h>
#include <spark/sql.h>

#include "rdd/verb.h"

static void pass(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    (void)pipe;
    (void)op;
    (void)batch;
}

static void release_result(spark_rdd *rdd)
{
    if (SPK_NODE(spk_result, rdd)->query)
        spk_query_unref(SPK_NODE(spk_result, rdd)->query);
}

static const spk_class result_class
    = { .name = "MapPartitionsRDD", .run = pass, .release = release_result, .one_to_one = true };

const spk_result *spk_result_of(const spark_rdd *rdd)
{
    return rdd && rdd->class == &result_class ? SPK_NODE(spk_result, rdd) : NULL;
}

static bool taken(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* unique: names that members of a struct can have. */
static const char **unique(spk_query *q, const char *const *names, size_t n)
{
    spk_analyzer *a = &q->analyzer;
    const char **own = NULL;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const char *name = names[i][0] ? names[i] : "column";
        for (unsigned k = 2; taken(own, m, name) && !spk_sql_failed(&q->error); k++)
            name = spk_print(a, "%s_%u", names[i][0] ? names[i] : "column", k);
        SPK_ADD(a, own, m, name);
    }
    return own;
}

/* named: the form with these names for its members. */
static const spk_form *named(spk_query *q, const spk_form *form, const char *const *names)
{
    spk_column *columns = NULL;
    size_t n = 0;
    const char **own = unique(q, names, form->n);
    for (size_t i = 0; i < form->n; i++)
        SPK_ADD(&q->analyzer, columns, n, (spk_column) { form->slots[i].type, form->slots[i].nullable });
    return spk_sql_failed(&q->error) ? NULL : spk_form_of(q, columns, n, own);
}

spark_rdd *spk_result_new(
    spk_query *q, spark_site at, spark_rdd *rdd, const spk_form *form, const char *const *names)
{
    spk_analyzer *a = &q->analyzer;
    const char **types = NULL, **kept = NULL;
    size_t n = 0, m = 0;
    spk_verb v;
    bool made;
    const spk_form *out = named(q, form, names);
    for (size_t i = 0; i < form->n; i++) {
        const char *text = spk_sql_type_text(&q->arena, form->slots[i].type);
        if (!text)
            spk_sql_nomem(&q->error);
        SPK_ADD(a, types, n, text);
        SPK_ADD(a, kept, m, names[i]);
    }
    if (!out || spk_sql_failed(&q->error))
        return NULL;
    atomic_store(&q->sc->queries, &spk_query_telling);
    spk_verb_begin(&v, at, "sql", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &result_class, sizeof(spk_result), out->layout, &made);
    if (made) {
        spk_result *r = SPK_NODE(spk_result, rdd);
        r->form = out;
        r->names = kept;
        r->types = types;
        r->query = q;
        spk_query_ref(q);
    }
    return rdd;
}

spark_rdd *spk_rows_of_texts(spk_query *q, spark_site at, const char *const *names, size_t columns,
    const char *const *cells, size_t rows)
{
    spk_column *types = NULL;
    size_t n = 0;
    for (size_t i = 0; i < columns; i++)
        SPK_ADD(&q->analyzer, types, n, (spk_column) { spk_sql_type_of(SPK_SQL_STRING), true });
    const spk_form *form = spk_form_of(q, types, n, NULL);
    char *data = form ? spk_arena_alloc(&q->arena, rows * form->layout->size + 64, 64) : NULL;
    if (!data) {
        if (!spk_sql_failed(&q->error))
            spk_sql_nomem(&q->error);
        return NULL;
    }
    memset(data, 0, rows * form->layout->size);
    for (size_t i = 0; i < rows * columns; i++) {
        const spk_slot *slot = &form->slots[i % columns];
        char *row = data + i / columns * form->layout->size;
        if (!cells[i])
            continue;
        const spark_str text = { cells[i], strlen(cells[i]) };
        row[slot->offset] = 1;
        memcpy(row + slot->value, &text, sizeof text);
    }
    spark_rdd *rdd = (spark_parallelize)(at, q->sc, form->layout->type, rows, data, 1);
    return spk_result_new(q, at, rdd, form, names);
}

/* ---- texts */

size_t spark_sql_columns(const spark_rdd *rdd)
{
    const spk_result *r = spk_result_of(rdd);
    return r ? r->form->n : 0;
}

const char *spark_sql_name(const spark_rdd *rdd, size_t i)
{
    return i < spark_sql_columns(rdd) ? spk_result_of(rdd)->names[i] : NULL;
}

const char *spark_sql_type(const spark_rdd *rdd, size_t i)
{
    return i < spark_sql_columns(rdd) ? spk_result_of(rdd)->types[i] : NULL;
}

bool spark_sql_text(const spark_rdd *rdd, const void *row, size_t i, char *buffer, size_t size, size_t *length)
{
    const spk_result *r = spk_result_of(rdd);
    size_t unasked;
    length = length ? length : &unasked;
    *length = 0;
    if (!r || !row || i >= r->form->n || !spk_slot_present(&r->form->slots[i], row))
        return false;
    const spk_slot *slot = &r->form->slots[i];
    if (slot->type->kind == SPK_SQL_VOID)
        return false;
    *length = spk_sql_value_print(slot->type, (const char *)row + slot->value,
        r->query->session.zone, buffer, size);
    return true;
}
