/* SPDX-License-Identifier: Apache-2.0 */
/* Views and tables of a context. Each belongs to the scope it was made in; the newest of a name
 * hides others. Names are compared without case. */
#ifndef SPK_SQL_PLAN_CATALOG_H
#define SPK_SQL_PLAN_CATALOG_H

#include "base/arena.h"
#include "plan/rdd.h"
#include "sql/eval/type.h"

typedef struct spk_view_column {
    const char *name;
    const spk_sql_type *type;
    bool nullable;
} spk_view_column;

/* spk_view: rows of an RDD, or the text of a query. */
typedef struct spk_view {
    spk_object object;
    struct spk_view *next;
    atomic_int refs;
    struct spk_catalog *catalog; /* NULL: it is no longer in it */
    spk_arena arena;
    const char *name;
    bool table, global;
    spark_rdd *rdd;
    spk_view_column *columns; /* of an RDD: members in order; of a query: names, or none */
    size_t n_columns;
    const char *text;
} spk_view;

typedef struct spk_catalog {
    spk_object object; /* of the context's own scope */
    pthread_mutex_t lock;
    spk_view *views; /* the newest first */
    spark_context *sc;
} spk_catalog;

/* spk_catalog_of: of a context, made with the first use. NULL: no memory. */
spk_catalog *spk_catalog_of(spark_context *sc);
/* spk_view_new: not yet in the catalog; with an arena for what it holds. NULL: no memory. */
spk_view *spk_view_new(spark_context *sc, const char *name);
/* spk_view_add: into the catalog, and the innermost scope. */
void spk_view_add(spk_catalog *catalog, spk_view *view);
/* spk_view_find: with a reference; NULL: there is none. */
spk_view *spk_view_find(spk_catalog *catalog, const char *name);
void spk_view_unref(spk_view *view);
/* spk_view_drop: false: there is none of that name. */
bool spk_view_drop(spk_catalog *catalog, const char *name);
/* spk_view_rdd_set: other rows for a table. */
void spk_view_rdd_set(spk_view *view, spark_rdd *rdd);

#endif
