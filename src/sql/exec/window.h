/* SPDX-License-Identifier: Apache-2.0 */
/* Window functions: what the files of them tell each other. */
#ifndef SPK_SQL_EXEC_WINDOW_H
#define SPK_SQL_EXEC_WINDOW_H

#include "sql/exec/query.h"

/* spk_window_rdd: the node. spk_window_state: of an attempt. spk_window_group: a partition of the
 * window, whose rows are all there, and the function of it that is computed. */
typedef struct spk_window_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_plan *plan;
    const spk_form *keys;  /* partition, then order columns */
    const spk_form *rows;  /* input columns, then arguments */
    const spk_form *out;
    size_t n_partition, n_in;
    size_t order_key; /* the column of the first order key */
    bool *descending; /* of each key */
    uint32_t value_offset;
    const spk_layout **key_layouts, **out_layouts;
    size_t *first_arg; /* the column of each function's first argument; then its filter, edges */
} spk_window_rdd;

typedef struct spk_window_state {
    spk_arena *held;    /* two: what rows of groups point to */
    spk_arena *arenas;  /* of the emitter */
    int now;            /* which of held the current group is in */
    char **rows;        /* pairs */
    size_t n, room;
    spk_arena list[1];  /* of `rows` */
    spk_arena work;     /* results of a group */
    char *result;       /* values of one function */
} spk_window_state;

typedef struct spk_window_group {
    const spk_window_rdd *w;
    spark_task *task;
    spk_window_state *s;
    char **rows;
    size_t n;
    const spk_plan_function *f;
    size_t column; /* of its first argument in w->rows */
    size_t *peers; /* where the peers of each row end */
} spk_window_group;

/* spk_window_row: the columns and arguments of a row. */
static inline const char *spk_window_row(const spk_window_group *g, size_t i)
{
    return g->rows[i] + g->w->value_offset;
}

/* spk_window_compare_key, _same_keys: of two pairs; the keys `from` up to `to`. */
static inline int spk_window_compare_key(const spk_window_rdd *w, size_t k, const char *a, const char *b)
{
    const uint32_t offset = w->keys->slots[k].offset;
    return spk_value_compare(w->key_layouts[k], a + offset, b + offset);
}

static inline bool spk_window_same_keys(
    const spk_window_rdd *w, size_t from, size_t to, const char *a, const char *b)
{
    for (size_t k = from; k < to; k++)
        if (spk_window_compare_key(w, k, a, b) != 0)
            return false;
    return true;
}

/* spk_window_put: the value of the function, as a column of row i of `out`. */
static inline void spk_window_put(
    const spk_window_group *g, size_t column, size_t i, const char *value, bool valid, char *out)
{
    const spk_slot *to = &g->w->out->slots[column];
    char *row = out + i * g->w->out->layout->size;
    if (to->nullable)
        row[to->offset] = valid;
    if (valid)
        memcpy(row + to->value, value, to->type->size);
}

/* spk_window_peers: sets peers; false: no memory. */
bool spk_window_peers(spk_window_group *g);
/* spk_window_frame: rows *from up to *to, for row i; both are those of the row before, or 0. */
void spk_window_frame(const spk_window_group *g, size_t i, size_t *from, size_t *to);
/* spk_window_constant: of an argument that is a whole number; 0: it is none. */
int64_t spk_window_constant(const spk_sql_expr *e);

/* spk_window_aggregate: an aggregate over the frame of each row. spk_window_compute: any function.
 * Both write a column of the rows of `out`, or fail the task. */
void spk_window_aggregate(const spk_window_group *g, size_t column, char *out);
void spk_window_compute(const spk_window_group *g, size_t column, char *out);

/* spk_exec_window_limit: of pairs the first plan->limit of each partition of the window, equals in their order; others
 * may be among them. */
spark_rdd *spk_exec_window_limit(
    spk_query *q, spark_rdd *pairs, const spk_plan *plan, const spk_form *pair, const spk_window_rdd *w);

#endif
