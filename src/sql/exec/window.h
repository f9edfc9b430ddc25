/* SPDX-License-Identifier: Apache-2.0 */
/* Window functions: what the files of them tell each other. */
#ifndef SPK_SQL_EXEC_WINDOW_H
#define SPK_SQL_EXEC_WINDOW_H

#include "exec/emit.h"
#include "sql/exec/query.h"
#include "storage/pages.h"

/* spk_window_rdd: the node. spk_window_state: of an attempt. spk_window_group: a partition of the window, whose rows
 * are all there; a part of it after the other is computed, as many rows as `out` has room for at most.
 * spk_window_call: a function of it, from one part to the next. */
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
    size_t **args; /* of each function: the columns of its arguments, then of its filter, its edges */
} spk_window_rdd;

/* spk_window_memory: of the states of one function: where the current ones are, others, and borders. */
enum { SPK_WINDOW_NOW, SPK_WINDOW_OTHER, SPK_WINDOW_BORDERS, SPK_WINDOW_ARENAS };
typedef struct spk_window_memory {
    spk_arena arenas[SPK_WINDOW_ARENAS];
} spk_window_memory;

typedef struct spk_window_state {
    spk_arena *held;    /* two: rows of groups */
    spk_arena *arenas;  /* of the emitter */
    int now;            /* which of held the current group is in */
    char **rows;        /* pairs */
    size_t n, room;
    size_t looked;      /* bytes of held, when it was asked whether memory is short */
    spk_pages pages;    /* where the rows are, if `paged` */
    bool paged;
    char *first, *edge; /* rows: the first one, and the last one that is asked for, of a limit */
    char *blank;        /* a row in place of what cannot be read */
    spk_arena list[1];  /* of `rows` */
    spk_arena work;     /* what results point to, until they have passed on */
    spk_arena group;    /* what is there as long as the group is */
    spk_window_memory *memory; /* of each function */
    size_t n_memory;
} spk_window_state;

typedef struct spk_window_call {
    const spk_plan_function *f;
    size_t column;      /* of the result in w->out */
    const size_t *args; /* of w->args */
    size_t from, to;    /* the frame of the last row */
    size_t at, seen;    /* of functions of rows: how far they have looked, what they found */
    struct spk_window_running *running; /* of aggregates */
    spk_window_memory *memory;
} spk_window_call;

typedef struct spk_window_group {
    const spk_window_rdd *w;
    spark_task *task;
    spk_window_state *s;
    char **rows;       /* NULL: they are in pages */
    size_t n;
    size_t begin, end; /* of the part that is computed */
    size_t most;       /* rows of a part */
    size_t growing;    /* parts in a row of which results point to some more */
    bool renewed;      /* what results of the part before pointed to is gone */
    char *out;         /* results of the part */
    size_t *peers;     /* where the peers of each row of the part begin, and where they end */
    size_t peers_from, peers_to; /* of the last row */
    spk_window_call *calls;
} spk_window_group;

/* spk_window_paged: a row in the pages. Where it cannot be read the task fails, and it is a blank one. It stays until
 * some others were asked for, see spk_pages_row. */
const char *spk_window_paged(const spk_window_group *g, size_t i);

/* spk_window_pair: the keys, columns and arguments of a row. spk_window_row: without the keys. */
static inline const char *spk_window_pair(const spk_window_group *g, size_t i)
{
    return g->rows ? g->rows[i] : spk_window_paged(g, i);
}

static inline const char *spk_window_row(const spk_window_group *g, size_t i)
{
    return spk_window_pair(g, i) + g->w->value_offset;
}

/* spk_window_out: the result's row. */
static inline char *spk_window_out(const spk_window_group *g, size_t i)
{
    return g->out + (i - g->begin) * g->w->out->layout->size;
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

/* spk_window_put: the value of the function for row i. */
static inline void spk_window_put(
    const spk_window_group *g, const spk_window_call *c, size_t i, const void *value, bool valid)
{
    const spk_slot *to = &g->w->out->slots[c->column];
    char *row = spk_window_out(g, i);
    if (to->nullable)
        row[to->offset] = valid;
    if (valid)
        memcpy(row + to->value, value, to->type->size);
}

/* spk_window_own: what a column of row i points to becomes a copy. False: the task has failed. */
bool spk_window_copy(const spk_window_group *g, size_t column, size_t i);
static inline bool spk_window_own(const spk_window_group *g, size_t column, size_t i)
{
    return !g->w->out_layouts[column]->views || spk_window_copy(g, column, i);
}

/* spk_window_hold: a row becomes one of the group. spk_window_held: all are there. spk_window_let_go: of the group.
 * spk_window_fini: of all. */
bool spk_window_hold(
    const spk_window_rdd *w, spk_window_state *s, spark_task *task, spk_out *out, const char *row);
bool spk_window_held(spk_window_state *s, spark_task *task);
void spk_window_let_go(spk_window_state *s);

/* spk_window_peers: of the rows of the part. */
void spk_window_peers(spk_window_group *g);
static inline size_t spk_window_peers_from(const spk_window_group *g, size_t i)
{
    return g->peers[2 * (i - g->begin)];
}
static inline size_t spk_window_peers_to(const spk_window_group *g, size_t i)
{
    return g->peers[2 * (i - g->begin) + 1];
}
/* spk_window_frame: the call's frame becomes that of row i, where it was that of the row before. */
void spk_window_frame(const spk_window_group *g, spk_window_call *c, size_t i);
/* spk_window_constant: of an argument that is a whole number; 0: it is none. */
int64_t spk_window_constant(const spk_sql_expr *e);

/* spk_window_aggregate: an aggregate over the frame of each row of the part. spk_window_compute: any function. */
void spk_window_aggregate(const spk_window_group *g, spk_window_call *c);
void spk_window_compute(const spk_window_group *g, spk_window_call *c);

/* What aggregates over frames share: whether the filter takes a row; a fresh state; rows from..to taken into one; one
 * joined with another. False: the task has failed. */
bool spk_window_counts(const spk_window_group *g, const spk_window_call *c, const char *row);
char *spk_window_fresh(const spk_window_call *c, char *state);
bool spk_window_take(
    const spk_window_group *g, const spk_window_call *c, char *state, size_t from, size_t to, spk_arena *arena);
bool spk_window_join(
    const spk_window_group *g, const spk_window_call *c, char *into, const char *from, spk_arena *arena);

/* Wide frames. spk_window_slides: whether they may slide. spk_window_slide_open: from the call's frame on. _slide: the
 * state of the call's frame, which is not before the last one. NULL: the task has failed. */
typedef struct spk_window_sliding spk_window_sliding;
bool spk_window_slides(const spk_window_call *c);
spk_window_sliding *spk_window_slide_open(const spk_window_group *g, const spk_window_call *c);
const char *spk_window_slide(const spk_window_group *g, const spk_window_call *c, spk_window_sliding *s);

/* The same of aggregates that keep their values, see window_ranked.c. _open: NULL: there is no memory, and it goes
 * without. _put: the value of row i, of the call's frame; false: the task has failed. */
typedef struct spk_window_ranked spk_window_ranked;
bool spk_window_ranks(const spk_window_group *g, const spk_window_call *c);
spk_window_ranked *spk_window_ranked_open(const spk_window_group *g, const spk_window_call *c);
bool spk_window_ranked_put(const spk_window_group *g, const spk_window_call *c, spk_window_ranked *r, size_t i);

/* spk_window_keep_pair: a deep copy of a pair; `spare`: room for the pair itself, or NULL. NULL: no memory. */
char *spk_window_keep_pair(const spk_layout *pair, spk_arena *arena, char *spare, const char *row);

/* spk_exec_window_limit: of pairs the first plan->limit of each partition of the window, equals in their order; others
 * may be among them. */
spark_rdd *spk_exec_window_limit(
    spk_query *q, spark_rdd *pairs, const spk_plan *plan, const spk_form *pair, const spk_window_rdd *w);

#endif
