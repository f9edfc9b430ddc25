/* SPDX-License-Identifier: Apache-2.0 */
/* Views and tables of a context. Each belongs to the scope it was made in; the newest of a name
 * hides others. Names are compared without case. */
#ifndef SPK_SQL_PLAN_CATALOG_H
#define SPK_SQL_PLAN_CATALOG_H

#include "base/arena.h"
#include "plan/rdd.h"
#include "sql/eval/zone.h"

typedef struct spk_view_column {
    const char *name;
    const spk_sql_type *type;
    bool nullable;
    const char *value; /* DEFAULT: the text of an expression; NULL: it is NULL */
} spk_view_column;

enum { SPK_DATABASE_NAME = 128 };

/* spk_view: rows of an RDD, or the text of a query. */
typedef struct spk_view {
    spk_object object;
    struct spk_view *next;
    atomic_int refs;
    struct spk_catalog *catalog; /* NULL: it is no longer in it */
    spk_arena arena;
    const char *name;
    bool table, global, temporary; /* temporary: of no database */
    spark_rdd *rdd;
    spk_view_column *columns; /* of an RDD: members in order; of a query: names, or none */
    size_t n_columns;
    const char *text;
    spark_rdd *packed; /* while it is cached: its rows as blocks of columns; under the catalog's lock */
    spk_view_column *packed_columns;
    size_t n_packed;
    double packed_rows; /* 0: not counted */
    bool packed_plain;  /* these are rows as they are, for some column does not go into blocks */
} spk_view;

/* SPK_TABLE_BYTES: spark.sql.autoBroadcastJoinThreshold: up to how many bytes a side of a join becomes a table
 * in memory. Spark's default of 10 MB is made for tables that are sent to every executor. */
#define SPK_TABLE_BYTES (32.0 * 1024 * 1024)
/* spk_user: a function of the program under a name: of values, or an aggregate. */
typedef struct spk_user {
    spk_object object;
    struct spk_user *next;
    atomic_int refs;
    struct spk_catalog *catalog;    /* NULL: it is no longer in it */
    void (*free)(struct spk_user *user);
    const char *name;
    const struct spk_sql_function *function; /* or: */
    const struct spk_sql_agg_def *aggregate;
} spk_user;

typedef struct spk_catalog {
    spk_object object; /* of the context's own scope */
    pthread_mutex_t lock;
    spk_view *views; /* the newest first */
    spk_user *users; /* likewise */
    spark_context *sc;
    struct spk_setting *settings; /* SET: what was set, for SET to show */
    atomic_int partitions; /* spark.sql.shuffle.partitions; 0: as many as the input has */
    _Atomic(double) table_bytes; /* less than 0: none becomes one that need not */
    _Atomic(bool) blooms;        /* spark.sql.optimizer.runtime.bloomFilter.enabled */
    spk_zones zones;
    const spk_zone *zone; /* SET TIME ZONE; NULL: UTC */
    struct spk_database *databases; /* those beside default */
    char current[SPK_DATABASE_NAME]; /* USE; empty: default */
} spk_catalog;

/* spk_setting: a key and its value. spk_setting_set: value NULL: it is gone; key NULL: all are. False: no memory. */
typedef struct spk_setting {
    struct spk_setting *next;
    const char *value; /* behind the key */
    char key[];
} spk_setting;
bool spk_setting_set(spk_catalog *catalog, const char *key, const char *value);

/* Databases: a table of one that is not the default is called "database.table" here; temporary views
 * belong to none. */
typedef struct spk_database {
    struct spk_database *next;
    char name[SPK_DATABASE_NAME];
} spk_database;
bool spk_database_is(spk_catalog *catalog, const char *name);
/* spk_database_add: false: no memory. spk_database_drop: with its tables; false: there is none. _use: from
 * now on; false: there is none. */
bool spk_database_add(spk_catalog *catalog, const char *name);
bool spk_database_drop(spk_catalog *catalog, const char *name);
bool spk_database_use(spk_catalog *catalog, const char *name);
/* spk_database_current: into SPK_DATABASE_NAME bytes; "": the default. */
void spk_database_current(spk_catalog *catalog, char *name);

/* spk_catalog_of: of a context, made with the first use. NULL: no memory. */
spk_catalog *spk_catalog_of(spark_context *sc);
/* spk_catalog_zone_set: the zone of statements from now on; NULL: UTC. False: there is none of that
 * name. */
bool spk_catalog_zone_set(spk_catalog *catalog, const char *id);
const spk_zone *spk_catalog_zone(spk_catalog *catalog);
/* spk_view_new: not yet in the catalog; with an arena for what it holds. NULL: no memory. */
spk_view *spk_view_new(spark_context *sc, const char *name);
/* spk_view_add: into the catalog, and that scope. */
void spk_view_add(spk_catalog *catalog, spk_view *view, spark_scope *scope);
/* spk_view_find: with a reference; NULL: there is none. */
spk_view *spk_view_find(spk_catalog *catalog, const char *name);
void spk_view_unref(spk_view *view);
/* spk_view_drop: false: there is none of that name. */
bool spk_view_drop(spk_catalog *catalog, const char *name);
/* spk_view_rdd_set: other rows for a table; it is not cached any more. */
void spk_view_rdd_set(spk_view *view, spark_rdd *rdd);
/* spk_view_packed: what is cached of it, with a reference; NULL: it is not. _set: NULL: nothing any more. */
spark_rdd *spk_view_packed(spk_catalog *catalog, spk_view *view);
void spk_view_packed_set(spk_catalog *catalog, spk_view *view, spark_rdd *packed);

/* spk_user_find: with a reference; NULL: there is none. */
spk_user *spk_user_find(spk_catalog *catalog, const char *name);
void spk_user_unref(spk_user *user);
/* spk_user_drop: whether there was one. spk_user_unlink: the same, of one that is known, under the lock. */
bool spk_user_drop(spk_catalog *catalog, const char *name);
void spk_user_unlink(spk_catalog *catalog, spk_user *user);

#endif
