/* SPDX-License-Identifier: Apache-2.0 */
/* CACHE TABLE: the rows of a view or table as blocks of columns, an RDD that is persisted and takes its place in
 * statements from then on. Where a column has arrays, maps or structs, the rows are persisted
 * as they are. */
#include "base/small.h"

#include <spark/action.h>
#include <spark/storage.h>
#include <stdlib.h>

#include "rdd/action.h"
#include "rdd/verb.h"
#include "sql/exec/columns.h"
#include "sql/exec/result.h"

/* ---- how many rows there are: counting makes the blocks */

typedef struct counting {
    spk_state head;
    uint64_t rows;
} counting;

static bool take(void *state, spk_batch batch)
{
    counting *c = state;
    for (size_t i = 0; i < batch.n; i++) {
        spk_sql_array words;
        memcpy(&words, batch.rows + i * sizeof words, sizeof words);
        c->rows += ((const spk_block_head *)(const void *)words.at)->rows;
    }
    return true;
}

static spark_status count_rows(spark_rdd *rdd, spark_site at, double *rows, spk_failure *failure)
{
    const spk_action action = { .name = "cacheTable", .site = at, .state_size = sizeof(counting), .take = take };
    if (spk_action_check(rdd, action.name, at, failure) != SPARK_OK)
        return failure->code;
    const int n = spk_rdd_partitions(rdd);
    counting *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action.name, at);
    const spark_status status = spk_job_run(rdd, &action, NULL, n, parts, failure);
    *rows = 1;
    for (int p = 0; status == SPARK_OK && p < n; p++)
        *rows += (double)parts[p].rows;
    free(parts);
    return status;
}

/* ---- */

/* count: makes the blocks, or rows, unless that is to happen later. */
static spark_status count(spark_site at, spk_view *view, spark_rdd *packed, bool lazy, spk_failure *failure)
{
    int64_t n;
    if (lazy)
        return SPARK_OK;
    if (!view->packed_plain)
        return count_rows(packed, at, &view->packed_rows, failure);
    const spark_status status = (spark_count)(at, packed, &n);
    if (status != SPARK_OK)
        *failure = *spk_last_failure();
    else
        view->packed_rows = (double)n + 1;
    return status;
}

/* pack: what is cached of a view; NULL: the query's error, or *failure (its code is not SPARK_OK then). */
static spark_rdd *pack(
    spk_query *q, spark_site at, spk_view *view, const spk_ast_statement *s, spk_failure *failure)
{
    spk_ast_relation relation = { .kind = SPK_REL_TABLE, .name = s->name, .span = s->span };
    spk_ast_term term = { .kind = SPK_TERM_RELATION, .relation = &relation };
    const spk_ast_query table = { .term = &term, .span = s->span };
    spark_rdd *rows = spk_query_rows(q, at, &table);
    const spk_result *result = spk_result_of(rows);
    if (!result) {
        if (rows && rows->error)
            *failure = *rows->error;
        return NULL;
    }
    view->packed_columns = NULL;
    view->n_packed = 0;
    view->packed_rows = 0;
    view->packed_plain = !spk_columns_fit(result->form);
    spk_view_result_columns(q, view, result, &view->packed_columns, &view->n_packed);
    if (spk_sql_failed(&q->error))
        return NULL;
    spark_rdd *packed = view->packed_plain ? rows : spk_columns_pack(q, rows, result->form);
    if (!packed || !packed->layout)
        return NULL;
    char name[200];
    (void)snprintf(name, sizeof name, "In-memory table %s", view->name); /* as Spark's storage page has it */
    spark_rdd_set_name(packed, name);
    (void)(spark_persist)(at, packed, SPARK_MEMORY_AND_DISK);
    if (count(at, view, packed, s->lazy, failure) == SPARK_OK)
        return packed;
    (void)(spark_unpersist)(at, packed);
    return NULL;
}

spark_rdd *spk_cache_table(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_failure failure = { .code = SPARK_OK };
    if (s->query) {
        spk_ast_statement made = *s;
        made.kind = SPK_ST_CREATE_VIEW;
        made.temporary = true;
        spark_rdd *rdd = spk_create_from_query(q, at, &made);
        if (!rdd || spark_rdd_status(rdd) != SPARK_OK)
            return rdd;
    }
    spk_view *view = spk_view_find(q->analyzer.catalog, spk_last_part(s->name));
    if (!view) {
        spk_view_not_found(q, s->name);
        return NULL;
    }
    spark_rdd *old = spk_view_packed(q->analyzer.catalog, view), *packed = old;
    if (!old && (packed = pack(q, at, view, s, &failure)) != NULL)
        spk_view_packed_set(q->analyzer.catalog, view, packed);
    if (old)
        spk_rdd_unref(old);
    spk_view_unref(view);
    if (spk_sql_failed(&q->error))
        return NULL;
    return failure.code == SPARK_OK ? q->done : spk_rdd_error(q->sc, &failure);
}

/* drop: whether it was cached. */
static bool drop(spk_query *q, spark_site at, spk_view *view)
{
    spark_rdd *packed = spk_view_packed(q->analyzer.catalog, view);
    if (packed) {
        (void)(spark_unpersist)(at, packed);
        spk_view_packed_set(q->analyzer.catalog, view, NULL);
        spk_rdd_unref(packed);
    }
    return packed != NULL;
}

spark_rdd *spk_uncache_table(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_view *view = spk_view_find(q->analyzer.catalog, spk_last_part(s->name));
    if (!view && !s->if_exists) {
        spk_view_not_found(q, s->name);
        return NULL;
    }
    if (view)
        (void)drop(q, at, view);
    spk_view_unref(view);
    return q->done;
}

spark_rdd *spk_clear_cache(spk_query *q, spark_site at)
{
    spk_catalog *catalog = q->analyzer.catalog;
    spk_view *view;
    do { /* one after the other, for dropping takes the lock */
        pthread_mutex_lock(&catalog->lock);
        for (view = catalog->views; view && !view->packed;)
            view = view->next;
        if (view)
            atomic_fetch_add(&view->refs, 1);
        pthread_mutex_unlock(&catalog->lock);
        if (view)
            (void)drop(q, at, view);
        spk_view_unref(view);
    } while (view);
    return q->done;
}

spark_rdd *spk_refresh_table(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_view *view = s->name ? spk_view_find(q->analyzer.catalog, spk_last_part(s->name)) : NULL;
    const bool cached = view && drop(q, at, view);
    spk_ast_statement again = *s;
    again.lazy = true;
    if (!view && s->name)
        spk_view_not_found(q, s->name);
    spk_view_unref(view);
    if (spk_sql_failed(&q->error))
        return NULL;
    return cached ? spk_cache_table(q, at, &again) : q->done;
}
