/* SPDX-License-Identifier: Apache-2.0 */
/* What a statement gives: its RDD knows the names and types of its columns as SQL has them. */
#ifndef SPK_SQL_EXEC_RESULT_H
#define SPK_SQL_EXEC_RESULT_H

#include "sql/exec/query.h"

typedef struct spk_result {
    spark_rdd rdd;
    spk_query *query;
    const spk_form *form;
    const char **names;
    const char **types;
} spk_result;

/* spk_result_new: rdd's rows under the names of scope. spk_result_of: NULL: it is none. */
spark_rdd *spk_result_new(
    spk_query *q, spark_site at, spark_rdd *rdd, const spk_form *form, const char *const *names);
const spk_result *spk_result_of(const spark_rdd *rdd);

/* spk_query_telling: what listeners are told of results. */
extern const struct spk_queries spk_query_telling;

/* spk_statement_run: what a statement that is no query does, or the rows it gives. _heard: likewise; the jobs that it
 * runs are told of as one execution. */
spark_rdd *spk_statement_heard(spk_query *q, spark_site at, const spk_ast_statement *s);
spark_rdd *spk_statement_run(spk_query *q, spark_site at, const spk_ast_statement *s);
/* spk_query_rows: the rows of a query, whose plan is made ready. */
spark_rdd *spk_query_rows(spk_query *q, spark_site at, const spk_ast_query *ast);
/* spk_query_plan: its plan, names of its columns in *names. */
spk_plan *spk_query_plan(spk_query *q, const spk_ast_query *ast, const char ***names);
/* spk_rows_of_text: lines of texts as rows of STRING columns. */
spark_rdd *spk_rows_of_texts(spk_query *q, spark_site at, const char *const *names, size_t columns,
    const char *const *cells, size_t rows);

/* What statements share. spk_view_result_columns: of a view, as a result has them, in its arena.
 * spk_create_from_query: CREATE .. AS. spk_view_not_found: the query's error. spk_last_part: of a qualified name.
 * spk_collected: the rows of a result, as they are now, as an RDD of its own; NULL: *failed says why. */
void spk_view_result_columns(spk_query *q, spk_view *view, const spk_result *result,
    spk_view_column **columns, size_t *n);
spark_rdd *spk_create_from_query(spk_query *q, spark_site at, const spk_ast_statement *s);
void spk_view_not_found(spk_query *q, const spk_ast *name);
const char *spk_last_part(const spk_ast *name);
spark_rdd *spk_collected(spk_query *q, spark_site at, spark_rdd *rdd, spark_rdd **failed);

/* spk_cache_table, spk_uncache_table: CACHE TABLE, UNCACHE TABLE (cache.c). */
spark_rdd *spk_cache_table(spk_query *q, spark_site at, const spk_ast_statement *s);
spark_rdd *spk_uncache_table(spk_query *q, spark_site at, const spk_ast_statement *s);
/* spk_clear_cache: CLEAR CACHE: none is cached any more. spk_refresh_table: REFRESH TABLE: what is cached is made
 * again, when it is asked for. */
spark_rdd *spk_clear_cache(spk_query *q, spark_site at);
spark_rdd *spk_refresh_table(spk_query *q, spark_site at, const spk_ast_statement *s);

/* spk_show, spk_describe: SHOW, DESCRIBE (listing.c). */
spark_rdd *spk_show(spk_query *q, spark_site at, const spk_ast_statement *s);
spark_rdd *spk_describe(spk_query *q, spark_site at, const spk_ast_statement *s);
/* spk_set, spk_reset: SET, RESET (settings.c). */
spark_rdd *spk_set(spk_query *q, spark_site at, const spk_ast_statement *s);
spark_rdd *spk_reset(spk_query *q, const spk_ast_statement *s);
/* spk_insert, spk_truncate_table: INSERT INTO, INSERT OVERWRITE, TRUNCATE TABLE (insert.c). spk_defaults_fit: whether
 * the DEFAULTs of CREATE TABLE are constants of their columns' types; false: the query's error. */
spark_rdd *spk_insert(spk_query *q, spark_site at, const spk_ast_statement *s);
spark_rdd *spk_truncate_table(spk_query *q, spark_site at, const spk_ast_statement *s);
bool spk_defaults_fit(spk_query *q, const spk_ast_statement *s, const spk_view_column *columns);

#endif
