/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: queries, and what defines, shows and explains. */
#include "base/small.h"

#include <strings.h>

#include "sql/parse/parser.h"

static void options(spk_parser *p, spk_ast_statement *s)
{
    spk_expect_sign(p, "(");
    do {
        spk_ast_option option = { "", "" };
        if (spk_peek(p, 0)->kind == SPK_TOKEN_STRING) {
            option.key = spk_string(p);
        } else {
            const uint32_t from = spk_from(p);
            (void)spk_qualified(p);
            option.key = spk_text(p, p->text + from, spk_to(p) - from);
        }
        spk_accept_sign(p, "=");
        const spk_token *t = spk_peek(p, 0);
        if (t->kind == SPK_TOKEN_STRING || t->kind == SPK_TOKEN_NUMBER || t->kind == SPK_TOKEN_WORD) {
            option.value = t->text;
            p->at++;
        } else {
            spk_syntax(p);
        }
        SPK_PUSH(p, s->options, s->n_options, option);
    } while (spk_accept_sign(p, ","));
    spk_expect_sign(p, ")");
}

/* columns: (a, b), (a INT, b STRING NOT NULL DEFAULT 'x' COMMENT '..'). */
static void columns(spk_parser *p, spk_ast_statement *s)
{
    size_t n = 0, m = 0;
    spk_expect_sign(p, "(");
    do {
        const char *name = spk_name(p), *type = NULL, *value = NULL;
        if (spk_is_name(p) && !spk_is(p, "COMMENT"))
            type = spk_type_text(p);
        else if (spk_accept_sign(p, ":"))
            type = spk_type_text(p);
        if (spk_is2(p, "NOT", "NULL"))
            p->at += 2;
        if (spk_accept(p, "DEFAULT")) {
            const uint32_t from = spk_from(p);
            (void)spk_expression(p);
            value = spk_text(p, p->text + from, spk_to(p) - from);
        }
        if (spk_accept(p, "COMMENT"))
            (void)spk_string(p);
        SPK_PUSH(p, s->columns, s->n_columns, name);
        SPK_PUSH(p, s->types, n, type);
        SPK_PUSH(p, s->defaults, m, value);
    } while (spk_accept_sign(p, ","));
    spk_expect_sign(p, ")");
}

static void if_not_exists(spk_parser *p, spk_ast_statement *s)
{
    if (spk_is2(p, "IF", "NOT")) {
        p->at += 2;
        spk_expect(p, "EXISTS");
        s->if_not_exists = true;
    }
}

/* properties: what may stand between a table's columns and AS; what means nothing here is read over. */
static void properties(spk_parser *p, spk_ast_statement *s)
{
    for (;;)
        if (spk_accept(p, "USING")) {
            s->format = spk_name(p);
        } else if (spk_is(p, "OPTIONS") || spk_is(p, "TBLPROPERTIES")) {
            p->at++;
            options(p, s);
        } else if (spk_accept(p, "LOCATION")) {
            s->path = spk_string(p);
        } else if (spk_accept(p, "COMMENT")) {
            (void)spk_string(p);
        } else if (spk_is2(p, "PARTITIONED", "BY") || spk_is2(p, "CLUSTERED", "BY")) {
            p->at += 2;
            if (spk_peek(p, 0)->match)
                p->at = (size_t)spk_peek(p, 0)->match + 1;
            if (spk_accept(p, "INTO")) {
                p->at++;
                spk_expect(p, "BUCKETS");
            }
        } else if (spk_is2(p, "STORED", "AS")) {
            p->at += 2;
            s->format = spk_name(p);
        } else {
            return;
        }
}

static bool database_ahead(const spk_parser *p)
{
    return spk_is(p, "DATABASE") || spk_is(p, "SCHEMA") || spk_is(p, "NAMESPACE");
}

static void create(spk_parser *p, spk_ast_statement *s)
{
    if (spk_is2(p, "OR", "REPLACE")) {
        p->at += 2;
        s->or_replace = true;
    }
    s->global = spk_accept(p, "GLOBAL");
    s->temporary = spk_accept(p, "TEMP") || spk_accept(p, "TEMPORARY");
    if (spk_accept(p, "VIEW")) {
        s->kind = SPK_ST_CREATE_VIEW;
    } else if (spk_accept(p, "TABLE")) {
        s->kind = SPK_ST_CREATE_TABLE;
        s->table = true;
    } else if (database_ahead(p)) {
        s->kind = SPK_ST_CREATE_DATABASE;
        p->at++;
        if_not_exists(p, s);
        s->name = spk_qualified(p);
        p->at = p->n; /* comments, places and properties mean nothing here */
        return;
    } else {
        s->kind = SPK_ST_OTHER;
        s->what = "CREATE";
        p->at = p->n;
        return;
    }
    if_not_exists(p, s);
    s->name = spk_qualified(p);
    if (spk_at(p, "(") && !spk_query_ahead(p, p->at))
        columns(p, s);
    properties(p, s);
    if (spk_accept(p, "AS") || spk_is(p, "SELECT") || spk_query_ahead(p, p->at))
        s->query = spk_query(p);
    else if (s->kind == SPK_ST_CREATE_VIEW && !s->format)
        spk_syntax(p);
}

static void drop(spk_parser *p, spk_ast_statement *s)
{
    s->kind = SPK_ST_DROP;
    s->temporary = spk_accept(p, "TEMPORARY") || spk_accept(p, "TEMP");
    s->table = spk_is(p, "TABLE");
    const bool database = database_ahead(p);
    if (database) {
        s->kind = SPK_ST_DROP_DATABASE;
        p->at++;
    }
    const bool function = spk_accept(p, "FUNCTION");
    if (function)
        s->kind = SPK_ST_DROP_FUNCTION;
    if (!database && !function && !spk_accept(p, "TABLE") && !spk_accept(p, "VIEW")) {
        s->kind = SPK_ST_OTHER;
        s->what = "DROP";
        p->at = p->n;
        return;
    }
    if (spk_is2(p, "IF", "EXISTS")) {
        p->at += 2;
        s->if_exists = true;
    }
    s->name = spk_qualified(p);
    if (database && !spk_accept(p, "CASCADE"))
        spk_accept(p, "RESTRICT");
    spk_accept(p, "PURGE");
}

/* defaults: DEFAULT, where it stands alone, is not a column's name. */
static void defaults(const spk_ast_list *row)
{
    for (size_t i = 0; i < row->n; i++) {
        spk_ast *cell = row->at[i];
        if (cell->kind == SPK_AST_NAME && cell->args.n == 1 && !cell->args.at[0]->quoted
            && strcasecmp(cell->args.at[0]->text, "DEFAULT") == 0)
            cell->kind = SPK_AST_DEFAULT;
    }
}

/* inserted: what INSERT inserts, where DEFAULT may stand in a row of VALUES or in the select list. */
static void inserted(const spk_ast_query *q)
{
    const spk_ast_term *term = q ? q->term : NULL;
    if (term && term->kind == SPK_TERM_SELECT)
        defaults(&term->select->items);
    for (size_t i = 0; term && term->kind == SPK_TERM_RELATION && i < term->relation->rows.n; i++) {
        spk_ast **row = &term->relation->rows.at[i];
        defaults((*row)->kind == SPK_AST_ROW ? &(*row)->args : &(spk_ast_list) { row, 1 });
    }
}

static void insert(spk_parser *p, spk_ast_statement *s)
{
    s->kind = SPK_ST_INSERT;
    s->overwrite = spk_is(p, "OVERWRITE");
    p->at++;
    s->local = spk_accept(p, "LOCAL");
    if (spk_accept(p, "DIRECTORY")) {
        s->kind = SPK_ST_INSERT_DIRECTORY;
        s->path = spk_peek(p, 0)->kind == SPK_TOKEN_STRING ? spk_string(p) : NULL;
        properties(p, s);
        s->query = spk_query(p);
        return;
    }
    spk_accept(p, "TABLE");
    s->name = spk_qualified(p);
    if (spk_at(p, "(") && !spk_query_ahead(p, p->at))
        columns(p, s);
    s->query = spk_query(p);
    inserted(s->query);
}

static void cache(spk_parser *p, spk_ast_statement *s)
{
    s->kind = SPK_ST_CACHE;
    s->lazy = spk_accept(p, "LAZY");
    spk_expect(p, "TABLE");
    s->name = spk_qualified(p);
    if (spk_is(p, "OPTIONS")) {
        p->at++;
        options(p, s);
    }
    if (spk_accept(p, "AS") || spk_is(p, "SELECT"))
        s->query = spk_query(p);
}

/* show: SHOW COLUMNS FROM t IN d is of d.t. */
static void show(spk_parser *p, spk_ast_statement *s)
{
    static const char *const others[] = { "CREATE", "CURRENT", "PARTITIONS", "TABLE", "TBLPROPERTIES" };
    s->kind = SPK_ST_SHOW;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (spk_is(p, others[i])) {
            s->what = others[i];
            p->at = p->n;
            return;
        }
    s->what = spk_name(p);
    if (spk_is(p, "FUNCTIONS")) /* USER, SYSTEM, ALL */
        p->at++;
    if (spk_accept(p, "IN") || spk_accept(p, "FROM"))
        s->name = spk_qualified(p);
    if (s->name && (spk_accept(p, "IN") || spk_accept(p, "FROM"))) {
        const spk_ast_list table = s->name->args;
        s->name = spk_qualified(p);
        for (size_t i = 0; s->name && i < table.n; i++)
            spk_push(p, &s->name->args, table.at[i]);
    }
    if (spk_accept(p, "LIKE") || spk_peek(p, 0)->kind == SPK_TOKEN_STRING)
        s->pattern = spk_string(p);
}

static void describe(spk_parser *p, spk_ast_statement *s)
{
    if (spk_accept(p, "FUNCTION")) {
        s->kind = SPK_ST_DESCRIBE_FUNCTION;
        spk_accept(p, "EXTENDED");
        s->name = spk_qualified(p);
        return;
    }
    const bool query = spk_accept(p, "QUERY");
    if (query || spk_is(p, "SELECT") || spk_is(p, "WITH") || spk_is(p, "VALUES")) {
        s->kind = SPK_ST_DESCRIBE_QUERY;
        s->query = spk_query(p);
        return;
    }
    s->kind = SPK_ST_DESCRIBE;
    spk_accept(p, "TABLE");
    if (spk_is(p, "EXTENDED") && spk_peek(p, 1)->kind == SPK_TOKEN_WORD)
        p->at++;
    s->name = spk_qualified(p);
}

/* set: SET, SET k, SET k=v, and RESET, RESET k: what stands there up to the end is the value. */
static void set(spk_parser *p, spk_ast_statement *s)
{
    s->kind = SPK_ST_SET;
    const uint32_t from = spk_from(p);
    while (p->at < p->n && !spk_at(p, "="))
        p->at++;
    if (spk_to(p) > from)
        s->key = spk_text(p, p->text + from, spk_to(p) - from);
    if (spk_accept_sign(p, "=")) {
        const uint32_t value = spk_from(p), end = p->tokens[p->n].span.from;
        s->value = spk_text(p, p->text + value, end > value ? end - value : 0);
        p->at = p->n;
    }
}

static void statement(spk_parser *p, spk_ast_statement *s);

static void explain(spk_parser *p, spk_ast_statement *s)
{
    static const char *const modes[] = { "EXTENDED", "FORMATTED", "COST", "CODEGEN", "LOGICAL" };
    s->kind = SPK_ST_EXPLAIN;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (spk_accept(p, modes[i])) {
            s->what = modes[i];
            break;
        }
    s->inner = spk_new(p, sizeof *s->inner);
    if (s->inner && spk_deeper(p))
        statement(p, s->inner);
}

static void other(spk_parser *p, spk_ast_statement *s, const char *what)
{
    s->kind = SPK_ST_OTHER;
    s->what = what;
    p->at = p->n;
}

static void statement(spk_parser *p, spk_ast_statement *s)
{
    static const char *const others[] = { "ALTER", "ANALYZE", "MERGE", "UPDATE", "DELETE",
        "LOAD", "DECLARE", "BEGIN", "EXECUTE", "CALL", "GRANT", "REVOKE", "COMMENT", "ADD",
        "LIST", "MSCK", "REPAIR", "REPLACE" };
    const spk_token *next = spk_peek(p, 1);
    s->span.from = spk_from(p);
    if (spk_at(p, "(") || spk_is(p, "SELECT") || spk_is(p, "WITH") || spk_is(p, "VALUES") || spk_is(p, "FROM")
        || spk_is(p, "TABLE")) {
        s->kind = SPK_ST_QUERY;
        s->query = spk_query(p);
    } else if (spk_accept(p, "CREATE")) {
        create(p, s);
    } else if (spk_accept(p, "DROP")) {
        drop(p, s);
    } else if (spk_is(p, "INSERT") && (spk_is_word(next, "INTO") || spk_is_word(next, "OVERWRITE"))) {
        p->at++;
        insert(p, s);
    } else if (spk_accept(p, "CACHE")) {
        cache(p, s);
    } else if (spk_accept(p, "UNCACHE")) {
        s->kind = SPK_ST_UNCACHE;
        spk_expect(p, "TABLE");
        if (spk_is2(p, "IF", "EXISTS")) {
            p->at += 2;
            s->if_exists = true;
        }
        s->name = spk_qualified(p);
    } else if (spk_is2(p, "CLEAR", "CACHE")) {
        p->at += 2;
        s->kind = SPK_ST_CLEAR_CACHE;
    } else if (spk_accept(p, "REFRESH")) {
        s->kind = SPK_ST_REFRESH;
        spk_accept(p, "TABLE");
        if (spk_peek(p, 0)->kind == SPK_TOKEN_STRING)
            (void)spk_string(p);
        else
            s->name = spk_qualified(p);
    } else if (spk_accept(p, "SHOW")) {
        show(p, s);
    } else if (spk_accept(p, "DESCRIBE") || spk_accept(p, "DESC")) {
        describe(p, s);
    } else if (spk_accept(p, "EXPLAIN")) {
        explain(p, s);
    } else if (spk_is2(p, "TRUNCATE", "TABLE")) {
        p->at += 2;
        s->kind = SPK_ST_TRUNCATE;
        s->name = spk_qualified(p);
    } else if (spk_accept(p, "RESET")) {
        set(p, s);
        s->kind = SPK_ST_RESET;
    } else if (spk_accept(p, "SET")) {
        set(p, s);
    } else if (spk_accept(p, "USE")) {
        s->kind = SPK_ST_USE;
        p->at += database_ahead(p) && spk_peek(p, 1)->kind != SPK_TOKEN_END;
        s->name = spk_qualified(p);
    } else {
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
            if (spk_is(p, others[i])) {
                other(p, s, others[i]);
                s->span.to = spk_to(p);
                return;
            }
        spk_syntax(p);
    }
    s->span.to = spk_to(p);
}

static spk_ast_statement *parse(spk_parser *p)
{
    spk_ast_statement *s = p->tokens ? spk_new(p, sizeof *s) : NULL;
    if (!s)
        return NULL;
    if (p->n == 0) {
        spk_sql_fail(p->error, "PARSE_EMPTY_STATEMENT", p->tokens[0].span);
        return NULL;
    }
    statement(p, s);
    if (!spk_sql_failed(p->error) && p->at < p->n)
        spk_syntax(p);
    return spk_sql_failed(p->error) ? NULL : s;
}

spk_ast_statement *spk_sql_parse(
    spk_arena *arena, const char *text, size_t *next, spk_sql_error *error)
{
    spk_arena large;
    spk_parser p = { .arena = arena, .text = text, .error = error };
    spk_arena_init(&large, arena->heap);
    p.tokens = spk_sql_lex(arena, &large, text, &p.n, next, error);
    spk_ast_statement *s = parse(&p);
    spk_arena_fini(&large);
    return s;
}

bool spk_sql_parse_blank(const char *text)
{
    for (; *text; text++)
        if (text[0] == '-' && text[1] == '-') {
            while (text[1] && text[1] != '\n')
                text++;
        } else if (text[0] == '/' && text[1] == '*') {
            const char *end = strstr(text + 2, "*/");
            if (!end)
                return false;
            text = end + 1;
        } else if (!strchr(" \t\n\v\f\r;", *text)) {
            return false;
        }
    return true;
}
