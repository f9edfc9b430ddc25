/* SPDX-License-Identifier: Apache-2.0 */
/* What both ways of joining share: a table of the right side that all tasks probe (exec/join_table.c), and
 * both sides shuffled by their keys (exec/join_shuffled.c).
 *
 * candidate: a left and a right row whose keys agree; they match where the remaining conditions are TRUE.
 * What kind of join it is decides what comes out of that. */
#ifndef SPK_SQL_EXEC_JOIN_H
#define SPK_SQL_EXEC_JOIN_H

#include "exec/emit.h"
#include "sql/exec/move.h"
#include "sql/exec/query.h"

typedef struct spk_join {
    spk_query *query;
    spk_plan_join kind;
    const spk_form *left, *right; /* rows of the sides */
    const spk_form *keys, *out;
    spk_mover out_left, out_right; /* into out: what of the sides comes out */
    const spk_form *both;          /* the columns that the remaining conditions name, */
    const uint32_t *both_at;       /* which they are of all of both sides, and how they get there */
    spk_mover put_left, put_right;
    const spk_sql_program *left_keys, *right_keys, *residual; /* the keys for join_table.c */
    size_t n_keys, n_residual;
    const bool *null_safe; /* keys that are compared by <=> */
    bool null_aware;       /* a key that is NULL meets every row: NOT IN */
    bool blooms;           /* semi joins: the table is a filter of the keys, which lets a few others pass, */
    uint64_t most_keys;    /* and all, where there are more than these */
    bool marks;            /* nothing comes out: rows of the table that match are marked */
} spk_join;

/* spk_join_describe: of a plan whose keys are found; left and right: how the rows of its inputs lie. False:
 * the query's error. */
SPK_COLD bool spk_join_describe(spk_query *q, const spk_plan *plan, const spk_form *left,
    const spk_form *right, const spk_form *out, spk_join *join);

static inline bool spk_join_gives_pairs(const spk_join *j)
{
    return j->kind <= SPK_PLAN_FULL || j->kind == SPK_PLAN_SINGLE;
}
/* spk_join_keeps: whether rows of a side matter that match none. */
static inline bool spk_join_keeps(const spk_join *j, bool left)
{
    return left ? j->kind != SPK_PLAN_INNER && j->kind != SPK_PLAN_RIGHT && j->kind != SPK_PLAN_SEMI
                : j->kind == SPK_PLAN_RIGHT || j->kind == SPK_PLAN_FULL;
}

/* spk_pending: a candidate, or the end of the rows that a probing one may match (built NULL). mark: of the
 * row in the table: it has matched; or NULL. */
typedef struct spk_pending {
    const char *probe, *built;
    uint8_t *mark;
} spk_pending;

/* spk_pairs: the candidates of an attempt, one probing row after the other; what comes out is emitted in
 * their order, wherever batches end. What rows point to stays until spk_pairs_settle. */
typedef struct spk_pairs {
    const spk_join *j;
    spark_task *task;
    spk_out *out;
    bool probe_left; /* which side's rows probe, and are those of the table */
    bool any;        /* the probing row has matched, as far as is known; of an earlier one, where one waits */
    bool waits;      /* the end of a probing row does */
    bool more;       /* else: no more is wanted, or the task has failed */
    spk_sql_run *residual;
    spk_sql_input *inputs;
    spk_arena *scratch;
    char *rows; /* of candidates, as rows of both sides */
    uint32_t n_rows, n;
    spk_pending *pending; /* 2 * SPK_SQL_BATCH */
    uint16_t at[SPK_SQL_BATCH];
} spk_pairs;

/* spk_pairs_new: in `keep`; out: what is emitted to, once it is open. NULL: the task has failed. */
spk_pairs *spk_pairs_new(const spk_join *j, spark_task *task, spk_arena *keep, spk_out *out);

/* spk_pairs_add: a candidate. spk_pairs_end: the probing row has met all rows; matched: it counts as one
 * that has matched. spk_pairs_rest: a row of the table, when all have probed. */
void spk_pairs_add(spk_pairs *p, const char *probe, const char *built, uint8_t *mark);
void spk_pairs_end(spk_pairs *p, const char *probe, bool matched);
void spk_pairs_rest(spk_pairs *p, const char *built, bool matched);
void spk_pairs_settle(spk_pairs *p);

/* spk_pairs_done: whether nothing more is to be learnt about the probing row. */
static inline bool spk_pairs_done(const spk_pairs *p)
{
    return p->probe_left && p->any && !p->waits && !spk_join_gives_pairs(p->j);
}

#endif
