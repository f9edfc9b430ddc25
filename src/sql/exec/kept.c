/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/exec/kept.h"

#include "sql/eval/agg.h"

static SPK_COLD bool is_text(const spk_sql_type *t)
{
    return t->kind == SPK_SQL_STRING || t->kind == SPK_SQL_BINARY;
}

/* points: whether a state does, to other memory. */
static SPK_COLD bool points(const spk_sql_aggregate *a)
{
    bool any = false;
    for (uint32_t i = 0; i < a->state->n; i++)
        any = any || is_text(a->state->fields[i].type) || a->state->fields[i].type->kind >= SPK_SQL_ARRAY;
    return any;
}

SPK_COLD bool spk_kept_known(const spk_sql_aggregate *a)
{
    bool plain = a->def->keeps != SPK_AGG_KEEPS_OTHER;
    for (uint32_t i = 0; i < a->n; i++)
        plain = plain && a->args[i]->type->kind < SPK_SQL_ARRAY;
    return plain || !points(a);
}

SPK_COLD bool spk_kept_of(spk_query *q, const spk_partial *p, spk_kept *kept)
{
    size_t *texts = NULL;
    *kept = (spk_kept) { 0 };
    for (size_t w = 0; w < p->plan->n_aggs; w++) {
        const spk_sql_aggregate *a = p->plan->aggs[w].aggregate;
        if (!points(a))
            continue;
        kept->any = true;
        if (a->def->keeps == SPK_AGG_KEEPS_ALL)
            kept->each += 2 * a->args[0]->type->size; /* the list may have room for as many */
        else
            kept->drops = true;
        for (uint32_t i = 0; i < a->n; i++)
            if (is_text(a->args[i]->type))
                SPK_ADD(&q->analyzer, texts, kept->n_texts, p->first[w] + i);
    }
    kept->texts = texts;
    return !spk_sql_failed(&q->error);
}

uint32_t spk_kept_reach(const spk_kept *kept, const spk_sql_vector *args, spk_sql_rows rows, uint32_t from, uint32_t to,
    uint64_t *left)
{
    for (uint32_t k = from; k < to && kept->any; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        uint64_t bytes = kept->each;
        for (size_t t = 0; t < kept->n_texts; t++) {
            const spk_sql_vector *v = &args[kept->texts[t]];
            bytes += spk_sql_valid(v, i) ? SPK_SQL_VALUE(spark_str, v, i).len : 0;
        }
        *left -= bytes < *left ? bytes : *left;
        if (*left == 0)
            return k + 1;
    }
    return to;
}
