/* SPDX-License-Identifier: Apache-2.0 */
/* Reading tokens, and making nodes. */
#include "base/small.h"

#include "sql/parse/parser.h"

static void show(const spk_parser *p, const spk_token *token, char *out, size_t size)
{
    if (token->kind == SPK_TOKEN_END) {
        (void)snprintf(out, size, "end of input");
        return;
    }
    const int n = (int)(token->span.to - token->span.from);
    (void)snprintf(out, size, "'%.*s'", n, p->text + token->span.from);
}

void spk_syntax(spk_parser *p)
{
    char text[200];
    const spk_token *token = spk_peek(p, 0);
    show(p, token, text, sizeof text);
    spk_sql_fail2(p->error, "PARSE_SYNTAX_ERROR", token->span, "error", text, "hint", "");
    p->at = p->n;
}

void spk_wrong(spk_parser *p, const char *condition, spk_sql_span span)
{
    spk_sql_fail(p->error, condition, span);
    p->at = p->n;
}

bool spk_deeper(spk_parser *p)
{
    if (++p->depth <= SPK_SQL_DEPTH)
        return true;
    spk_sql_fail(p->error, "FAILED_TO_PARSE_TOO_COMPLEX", spk_peek(p, 0)->span);
    p->at = p->n;
    return false;
}

bool spk_accept(spk_parser *p, const char *keyword)
{
    const bool found = spk_is(p, keyword);
    p->at += found;
    return found;
}

bool spk_accept_sign(spk_parser *p, const char *sign)
{
    const bool found = spk_at(p, sign);
    p->at += found;
    return found;
}

void spk_expect(spk_parser *p, const char *keyword)
{
    if (!spk_accept(p, keyword))
        spk_syntax(p);
}

void spk_expect_sign(spk_parser *p, const char *sign)
{
    if (!spk_accept_sign(p, sign))
        spk_syntax(p);
}

static void nomem(spk_parser *p)
{
    spk_sql_nomem(p->error);
    p->at = p->n;
}

void *spk_new(spk_parser *p, size_t size)
{
    void *made = spk_arena_alloc(p->arena, size, 16);
    if (!made) {
        nomem(p);
        return NULL;
    }
    return memset(made, 0, size);
}

spk_ast *spk_node(spk_parser *p, spk_ast_kind kind, uint32_t from)
{
    spk_ast *node = spk_new(p, sizeof *node);
    if (!node) {
        memset(&p->spare, 0, sizeof p->spare);
        node = &p->spare;
    }
    node->kind = kind;
    node->span.from = from;
    node->span.to = spk_to(p);
    node->text = "";
    node->name = "";
    return node;
}

uint32_t spk_from(const spk_parser *p)
{
    return spk_peek(p, 0)->span.from;
}

uint32_t spk_to(const spk_parser *p)
{
    return p->at ? p->tokens[p->at - 1].span.to : 0;
}

spk_ast *spk_end(spk_parser *p, spk_ast *node)
{
    node->span.to = spk_to(p);
    return node;
}

char *spk_text(spk_parser *p, const char *text, size_t n)
{
    char *made = spk_arena_alloc(p->arena, n + 1, 1);
    if (!made) {
        nomem(p);
        return p->none;
    }
    memcpy(made, text, n);
    made[n] = '\0';
    return made;
}

void *spk_grow(spk_parser *p, void *at, size_t n, size_t size)
{
    if (n & (n - 1))
        return at;
    void *grown = spk_arena_alloc(p->arena, (n ? n * 2 : 1) * size, 16);
    if (!grown) {
        nomem(p);
        return NULL;
    }
    if (n)
        memcpy(grown, at, n * size);
    return grown;
}

void spk_push(spk_parser *p, spk_ast_list *list, spk_ast *node)
{
    SPK_PUSH(p, list->at, list->n, node);
}

spk_ast *spk_call(spk_parser *p, const char *name, bool infix, uint32_t from, spk_ast *a, spk_ast *b)
{
    spk_ast *node = spk_node(p, SPK_AST_CALL, from);
    node->name = name;
    node->infix = infix;
    if (a)
        spk_push(p, &node->args, a);
    if (b)
        spk_push(p, &node->args, b);
    return node;
}
