/* SPDX-License-Identifier: Apache-2.0 */
/* What a statement says, before any name in it means anything: trees in an arena of the statement.
 * Nothing is freed alone. Names are slices of the text, without back quotes and escapes. */
#ifndef SPK_SQL_PARSE_AST_H
#define SPK_SQL_PARSE_AST_H

#include "base/arena.h"
#include "sql/error.h"

typedef struct spk_ast spk_ast;
typedef struct spk_ast_query spk_ast_query;
typedef struct spk_ast_relation spk_ast_relation;

/* spk_ast_list: nodes in order. */
typedef struct spk_ast_list {
    spk_ast **at;
    size_t n;
} spk_ast_list;

/* Kinds of expressions. What is no more than a function with arguments is a CALL, operators too:
 * "+", "=", "and", "like", "isnull", "[]". */
typedef enum spk_ast_kind {
    SPK_AST_NULL,
    SPK_AST_TRUE,
    SPK_AST_FALSE,
    SPK_AST_NUMBER,   /* text: as written, with its suffix, and its minus */
    SPK_AST_STRING,   /* text: the value */
    SPK_AST_TYPED,    /* name: DATE, TIMESTAMP, .., X; text: the value */
    SPK_AST_INTERVAL, /* parts: values and units in turn; name2: the unit behind TO, or NULL */
    SPK_AST_NAME,     /* args: parts, each a NAME without parts; text: of one part */
    SPK_AST_STAR,     /* args[0]: its qualifier, a NAME, or none; names: EXCEPT (..) */
    SPK_AST_PARAMETER,/* text: its name; empty: a question mark, number: which, from 0 */
    SPK_AST_CALL,     /* name: the function, in lower case where it is an operator */
    SPK_AST_CAST,     /* args[0]; text: the type, as written; attempt */
    SPK_AST_CASE,     /* operand or NULL; args: WHEN, THEN in turn, then ELSE if odd */
    SPK_AST_IN,       /* args[0] in the others, and the literals */
    SPK_AST_IN_QUERY, /* args in query */
    SPK_AST_EXISTS,   /* query */
    SPK_AST_SUBQUERY, /* query, one value */
    SPK_AST_LAMBDA,   /* names -> args[0] */
    SPK_AST_ALIAS,    /* args[0] AS names */
    SPK_AST_NAMED,    /* text => args[0]: an argument by its name */
    SPK_AST_ROW,      /* (a, b): a tuple */
    SPK_AST_DEFAULT   /* DEFAULT as a value of INSERT */
} spk_ast_kind;

/* spk_ast_sort: an item of ORDER BY. */
typedef struct spk_ast_sort {
    spk_ast *expression;
    bool descending, nulls_last;
    bool said; /* NULLS FIRST or LAST is written */
} spk_ast_sort;

typedef enum spk_ast_bound_kind {
    SPK_BOUND_UNBOUNDED_PRECEDING,
    SPK_BOUND_PRECEDING,
    SPK_BOUND_CURRENT,
    SPK_BOUND_FOLLOWING,
    SPK_BOUND_UNBOUNDED_FOLLOWING
} spk_ast_bound_kind;

/* spk_ast_window: OVER (..), or a named one. */
typedef struct spk_ast_window {
    const char *name; /* OVER name, or (name ..); NULL */
    spk_ast_list partition;
    spk_ast_sort *order;
    size_t n_order;
    bool framed, rows; /* rows: ROWS, else RANGE */
    spk_ast_bound_kind from, to;
    spk_ast *from_offset, *to_offset;
    spk_sql_span span;
} spk_ast_window;

/* spk_ast_literal: of a long list that has nothing but numbers and strings: a node would take six times as much. */
typedef struct spk_ast_literal {
    const char *text; /* as of a NUMBER or a STRING, but that of a number ends with its length */
    uint32_t len;
    bool number;
    spk_sql_span span;
} spk_ast_literal;

struct spk_ast {
    spk_ast_kind kind;
    spk_sql_span span;
    const char *text, *name, *name2; /* NUL-terminated */
    size_t text_len;
    spk_ast_list args;
    const char **names;
    size_t n_names;
    spk_ast *operand;
    spk_ast *filter;        /* FILTER (WHERE ..) of an aggregate */
    spk_ast_sort *order;    /* WITHIN GROUP (ORDER BY ..) */
    size_t n_order;
    spk_ast_window *window; /* OVER */
    spk_ast_query *query;
    const spk_ast_literal *literals;
    size_t n_literals;
    int64_t number;
    bool distinct, star;    /* of the arguments: f(DISTINCT ..), f(*) */
    bool negated;           /* NOT in front of an infix suffix: printed so */
    bool attempt;           /* TRY_CAST */
    bool ignore_nulls, respect_nulls;
    bool infix;             /* written as an operator */
    bool quoted;            /* a name in back quotes */
};

typedef enum spk_ast_join {
    SPK_AST_INNER,
    SPK_AST_CROSS,
    SPK_AST_LEFT,
    SPK_AST_RIGHT,
    SPK_AST_FULL,
    SPK_AST_SEMI,
    SPK_AST_ANTI
} spk_ast_join;

typedef enum spk_ast_relation_kind {
    SPK_REL_TABLE,    /* name; path: format.`path` */
    SPK_REL_QUERY,
    SPK_REL_VALUES,   /* rows: each a ROW or one expression */
    SPK_REL_FUNCTION, /* range(..), explode(..): call */
    SPK_REL_JOIN,
    SPK_REL_VIEW,     /* left LATERAL VIEW call */
    SPK_REL_PIVOT     /* left PIVOT (..), UNPIVOT (..): pivot */
} spk_ast_relation_kind;

/* spk_ast_pivot: PIVOT (aggregates FOR names IN (values)), or, back, UNPIVOT (names FOR name IN
 * (values)), where values are columns. */
typedef struct spk_ast_pivot {
    bool back, nulls; /* nulls: INCLUDE NULLS */
    spk_ast_list aggregates, values; /* each may be an ALIAS */
    const char **names;
    size_t n_names;
    const char *name;
} spk_ast_pivot;

struct spk_ast_relation {
    spk_ast_relation_kind kind;
    spk_sql_span span;
    spk_ast *name; /* of a table: a NAME */
    spk_ast_query *query;
    spk_ast_list rows;
    spk_ast *call;
    spk_ast_pivot *pivot;
    spk_ast_relation *left, *right;
    spk_ast_join join;
    bool natural, lateral, outer; /* outer: LATERAL VIEW OUTER */
    bool explicit_join;
    spk_ast *on;
    const char **using_names;
    size_t n_using;
    const char *alias;
    const char **columns; /* of the alias */
    size_t n_columns;
    /* TABLESAMPLE */
    spk_ast *sample;
    bool sample_rows;
    int64_t seed;
    bool seeded;
};

/* spk_ast_group: an item of GROUP BY. */
typedef enum spk_ast_group_kind {
    SPK_GROUP_PLAIN,
    SPK_GROUP_ROLLUP,
    SPK_GROUP_CUBE,
    SPK_GROUP_SETS
} spk_ast_group_kind;

typedef struct spk_ast_group {
    spk_ast_group_kind kind;
    spk_ast *expression;        /* PLAIN */
    spk_ast_list *sets;         /* of ROLLUP, CUBE: elements; of SETS: sets */
    size_t n_sets;
    spk_ast_list listed;          /* GROUP BY a, b GROUPING SETS (..): a and b */
    struct spk_ast_group *nested; /* of SETS: items, each one that makes sets */
    size_t n_nested;
    spk_sql_span span;
} spk_ast_group;

/* spk_ast_hint: BROADCAST(t, u), in a comment behind SELECT that begins with a plus. */
typedef struct spk_ast_hint {
    const char *name;
    spk_ast_list args;
} spk_ast_hint;

typedef struct spk_ast_select {
    spk_sql_span span;
    spk_ast_hint *hints;
    size_t n_hints;
    bool distinct;
    spk_ast_list items;
    spk_ast_relation *from; /* NULL: one row of nothing */
    spk_ast *where, *having, *qualify;
    spk_ast_group *groups;
    size_t n_groups;
    bool grouped, group_all;
    bool keep_names;    /* what a star gives keeps the table it is of */
    const char *pipe;   /* the operator behind |> that it is, or NULL */
    spk_ast *replaced;  /* |> SET: an ALIAS: the column of that name is this */
    spk_ast_window *windows; /* WINDOW name AS (..) */
    size_t n_windows;
} spk_ast_select;

typedef enum spk_ast_term_kind {
    SPK_TERM_SELECT,
    SPK_TERM_RELATION, /* VALUES, TABLE t */
    SPK_TERM_QUERY,    /* (query) */
    SPK_TERM_UNION,
    SPK_TERM_EXCEPT,
    SPK_TERM_INTERSECT
} spk_ast_term_kind;

typedef struct spk_ast_term {
    spk_ast_term_kind kind;
    spk_sql_span span;
    spk_ast_select *select;
    spk_ast_relation *relation;
    spk_ast_query *query;
    struct spk_ast_term *left, *right;
    bool all;
} spk_ast_term;

typedef struct spk_ast_cte {
    const char *name;
    const char **columns;
    size_t n_columns;
    spk_ast_query *query;
    spk_ast *levels; /* MAX RECURSION LEVEL, or NULL */
    spk_sql_span span;
} spk_ast_cte;

struct spk_ast_query {
    spk_sql_span span;
    bool recursive;
    spk_ast_cte *ctes;
    size_t n_ctes;
    spk_ast_term *term;
    spk_ast_sort *order;
    size_t n_order;
    bool order_all, order_all_descending, order_all_nulls_last;
    bool sort_only; /* SORT BY: within partitions */
    spk_ast_list distribute;
    spk_ast *limit, *offset;
};

typedef enum spk_ast_statement_kind {
    SPK_ST_QUERY,
    SPK_ST_CREATE_VIEW,  /* AS query, or USING with options */
    SPK_ST_CREATE_TABLE,
    SPK_ST_DROP,
    SPK_ST_INSERT,
    SPK_ST_INSERT_DIRECTORY,
    SPK_ST_CACHE,
    SPK_ST_UNCACHE,
    SPK_ST_CLEAR_CACHE,
    SPK_ST_REFRESH,      /* name, or NULL: of files */
    SPK_ST_SHOW,         /* what: TABLES, VIEWS, COLUMNS, FUNCTIONS */
    SPK_ST_DESCRIBE,
    SPK_ST_DESCRIBE_QUERY,
    SPK_ST_DESCRIBE_FUNCTION,
    SPK_ST_EXPLAIN,      /* inner */
    SPK_ST_TRUNCATE,
    SPK_ST_SET,          /* key, value, each or NULL */
    SPK_ST_RESET,        /* key, or NULL: all */
    SPK_ST_USE,
    SPK_ST_CREATE_DATABASE,
    SPK_ST_DROP_DATABASE,
    SPK_ST_DROP_FUNCTION,
    SPK_ST_OTHER         /* read and known, not done: what names it */
} spk_ast_statement_kind;

typedef struct spk_ast_option {
    const char *key, *value;
} spk_ast_option;

typedef struct spk_ast_statement {
    spk_ast_statement_kind kind;
    spk_sql_span span;
    const char *what; /* "TABLES"; of EXPLAIN its mode, or NULL */
    spk_ast *name;    /* of a view or table */
    bool or_replace, if_exists, if_not_exists, temporary, global, overwrite, lazy, local, table;
    spk_ast_query *query;
    const char *format; /* USING csv */
    spk_ast_option *options;
    size_t n_options;
    const char **columns; /* names of a view's or table's columns, or INSERT INTO t (..) */
    const char **types;   /* NULL, or the type of each column, as written */
    const char **defaults; /* NULL, or the text of each column's DEFAULT, or NULL */
    size_t n_columns;
    const char *path;     /* LOCATION, DIRECTORY */
    const char *pattern;  /* LIKE */
    const char *key, *value; /* SET */
    struct spk_ast_statement *inner;
} spk_ast_statement;

#endif
