/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: what a query computes, as a tree of relational operators. Every column that an operator
 * makes is an attribute with a number of its own, unique in the statement; expressions name
 * columns by these numbers (spk_sql_expr.column), so that operators move about without renaming.
 * Only when a plan becomes RDDs (exec/) do numbers become places in rows.
 *
 * An expression in a subquery may name an attribute of an outer query; decorrelation (subquery.c)
 * leaves none. Everything lives in the arena of the statement. */
#ifndef SPK_SQL_PLAN_PLAN_H
#define SPK_SQL_PLAN_PLAN_H

#include "sql/eval/aggregate.h"
#include "sql/eval/expr.h"
#include "sql/parse/ast.h"

typedef struct spk_attr {
    uint32_t id;
    const char *name;
    const spk_sql_type *type;
    bool nullable;
} spk_attr;

typedef enum spk_plan_kind {
    SPK_PLAN_ROWS,      /* constants: rows[i] has one for each attribute */
    SPK_PLAN_RANGE,     /* first, last, step */
    SPK_PLAN_SCAN,      /* members of the elements of an RDD */
    SPK_PLAN_PROJECT,   /* an expression for each attribute */
    SPK_PLAN_FILTER,    /* expressions, all of which must be TRUE */
    SPK_PLAN_JOIN,
    SPK_PLAN_AGGREGATE, /* keys, then aggregates */
    SPK_PLAN_EXPAND,    /* each row once for each set: GROUPING SETS */
    SPK_PLAN_SORT,
    SPK_PLAN_LIMIT,
    SPK_PLAN_DISTINCT,
    SPK_PLAN_UNION,     /* of inputs with the same types, by position */
    SPK_PLAN_WINDOW,
    SPK_PLAN_GENERATE,  /* a row for each element of an array or map */
    SPK_PLAN_SAMPLE
} spk_plan_kind;

typedef enum spk_plan_join {
    SPK_PLAN_INNER,
    SPK_PLAN_LEFT,
    SPK_PLAN_RIGHT,
    SPK_PLAN_FULL,
    SPK_PLAN_SEMI,
    SPK_PLAN_ANTI,
    SPK_PLAN_MARK,  /* the left row and whether there is a match: the last attribute */
    SPK_PLAN_SINGLE /* LEFT, and more than one match is an error: a scalar subquery */
} spk_plan_join;

/* spk_plan_how: how the rows of a join find each other (plan/strategy.c). */
typedef enum spk_plan_how {
    SPK_JOIN_UNDECIDED,
    SPK_JOIN_TABLE,   /* a table of the right side, which all tasks probe */
    SPK_JOIN_SHUFFLED, /* both sides are shuffled by their keys */
    SPK_JOIN_MARKED,  /* semi and anti joins: a table of the left side, of which the right side marks rows */
    SPK_JOIN_BLOOM    /* a semi join that may leave a few rows too many: a filter of the keys of the right side */
} spk_plan_how;

/* SPK_BLOOM_KEYS: more keys have no filter. */
enum { SPK_BLOOM_KEYS = 4 * 1024 * 1024 };

/* spk_plan_hint: what a statement wants of the joins of a relation. */
typedef enum spk_plan_hint {
    SPK_HINT_NONE,
    SPK_HINT_BROADCAST, /* that it is the table, however large it seems */
    SPK_HINT_SHUFFLE    /* that it is shuffled, where there are keys */
} spk_plan_hint;

typedef struct spk_plan_sort {
    spk_sql_expr *expression;
    bool descending, nulls_last;
} spk_plan_sort;

/* spk_plan_agg: an aggregate; its result is the attribute behind those of the keys. */
typedef struct spk_plan_agg {
    const spk_sql_aggregate *aggregate;
    spk_sql_expr *filter; /* NULL: all rows */
    bool distinct;
} spk_plan_agg;

/* spk_plan_function: a window function; its result is an attribute behind those of the input. */
typedef struct spk_plan_function {
    const char *name;                   /* of a ranking or value function, lower case; else NULL: */
    const spk_sql_aggregate *aggregate; /* an aggregate over the frame */
    spk_sql_expr **args;
    size_t n_args;
    spk_sql_expr *filter;
    bool ignore_nulls;
    bool framed, rows;
    spk_ast_bound_kind from, to;
    spk_sql_expr *from_offset, *to_offset; /* constants */
    spk_sql_expr *low, *high; /* RANGE with offsets: what the order key is compared with */
} spk_plan_function;

/* spk_plan_key: left = right, or left <=> right. */
typedef struct spk_plan_key {
    spk_sql_expr *left, *right;
    bool null_safe;
} spk_plan_key;

/* spk_twin: an attribute, and the number of the one that is the same elsewhere. */
typedef struct spk_twin {
    spk_attr attr;
    uint32_t id;
} spk_twin;

typedef struct spk_plan spk_plan;
struct spk_plan {
    spk_plan_kind kind;
    spk_attr *out;
    size_t n_out;
    spk_plan **in;
    size_t n_in;
    spk_sql_expr **exprs; /* PROJECT, FILTER; keys of AGGREGATE; JOIN: conjuncts; GENERATE: [0] */
    size_t n_exprs;

    spk_sql_expr ***rows; /* ROWS */
    size_t n_rows;
    int64_t first, last, step; /* RANGE */
    int parts;
    spark_rdd *rdd;    /* SCAN; the catalog or the statement keeps it alive */
    uint32_t *members; /* which member of the element each attribute is */
    const char *table; /* as EXPLAIN names it */
    bool packed;       /* SCAN: of blocks of columns */
    double scanned;    /* SCAN: how many rows there are, as far as is known; 0: not looked up yet */

    spk_plan_hint hint; /* of the first operator of a relation that is no projection or filter (plan/hint.c) */
    spk_plan_join join;
    bool keeps_left, keeps_right; /* INNER, while it is analyzed: each row of that side has one of the other */
    spk_plan_how how;
    spk_plan_key *keys; /* found among the conjuncts, when it is decided how */
    size_t n_keys;
    const uint64_t *needed; /* attributes that are asked for from above, a bit each; NULL: all */
    size_t needed_words;
    bool null_aware; /* a key that is NULL meets every row: NOT IN, with one key and nothing else */

    spk_plan_agg *aggs;
    size_t n_aggs;
    bool **sets; /* EXPAND: sets[s][k]: whether key k is kept in set s */
    int64_t *set_ids;
    size_t n_sets;

    spk_plan_sort *sort; /* SORT; WINDOW: order within a partition */
    size_t n_sort;
    bool local;             /* SORT BY */
    int64_t limit, offset;  /* limit -1: none; WINDOW: of the rows of each partition (plan/group_limit.c); JOIN, of a
                             * filter: of keys, for more are not worth it */
    bool with_ties;         /* and those that are equal to the last one */
    spk_plan_function *functions; /* WINDOW */
    size_t n_functions;
    spk_sql_expr **partition;
    size_t n_partition;
    bool outer, position; /* GENERATE: LATERAL VIEW OUTER; with a position */
    bool inline_rows; /* GENERATE: inline() */
    double fraction;
    int64_t seed;
    spk_plan *same; /* an operator elsewhere that gives these rows, or NULL (plan/common.c), and its columns' numbers */
    spk_twin *twins;
    size_t n_twins;
    uint64_t *shared; /* while columns are pruned: of such an operator, those that anybody asks for */
    spk_sql_span span;
};

/* spk_scope: names that are visible, innermost query first. */
typedef struct spk_scope_item {
    const char *table; /* alias or name of the relation; NULL: it has none */
    const char *table2; /* what stands in front of it: the format or database; NULL */
    const char *name;
    spk_attr attr;
    bool hidden; /* the other one of USING: only by its full name, not by a star */
    const spk_sql_expr *window; /* of a column that window() adds: what it is, or NULL; not by a star */
} spk_scope_item;

typedef struct spk_scope {
    spk_scope_item *items;
    size_t n;
    struct spk_scope *outer;
    struct spk_bind *binder; /* of the query's own aggregation, for subqueries that name its aggregates */
} spk_scope;

/* spk_relation_of: what an analysed relation is. */
typedef struct spk_rel {
    spk_plan *plan;
    spk_scope scope;
} spk_rel;

/* spk_plan_grow: room for one more behind n, where arrays grow by SPK_ADD alone. */
void *spk_plan_grow(spk_arena *arena, spk_sql_error *error, void *at, size_t n, size_t size);
#define SPK_ADD(a, array, n, ...)                                                                  \
    do {                                                                                           \
        void *grown_ = spk_plan_grow((a)->arena, (a)->error, array, n, sizeof *(array));           \
        if (grown_) {                                                                              \
            (array) = grown_;                                                                      \
            (array)[(n)++] = (__VA_ARGS__);                                                        \
        }                                                                                          \
    } while (0)

/* spk_columns: a set of attribute numbers. */
typedef struct spk_columns {
    uint64_t *bits;
    size_t words;
} spk_columns;
static inline bool spk_columns_has(const spk_columns *set, uint32_t id)
{
    return id / 64 < set->words && (set->bits[id / 64] >> id % 64 & 1);
}

#endif
