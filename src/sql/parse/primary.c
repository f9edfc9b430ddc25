/* SPDX-License-Identifier: Apache-2.0 */
/* The tightest level: literals, names, calls with their own syntax, and what may stand behind them. */
#include "base/small.h"

#include "sql/parse/parser.h"

static bool is_unit(const spk_token *t)
{
    static const char *const units[] = { "YEAR", "YEARS", "QUARTER", "QUARTERS", "MONTH", "MONTHS", "WEEK",
        "WEEKS", "DAY", "DAYS", "HOUR", "HOURS", "MINUTE", "MINUTES", "SECOND", "SECONDS", "MILLISECOND",
        "MILLISECONDS", "MICROSECOND", "MICROSECONDS", "NANOSECOND", "NANOSECONDS" };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (spk_is_word(t, units[i]))
            return true;
    return false;
}

/* string: neighbours are one. */
static spk_ast *string(spk_parser *p)
{
    spk_ast *node = spk_node(p, SPK_AST_STRING, spk_from(p));
    const spk_token *first = spk_peek(p, 0);
    size_t n = 0, count = 0;
    while (spk_peek(p, count)->kind == SPK_TOKEN_STRING)
        n += spk_peek(p, count++)->len;
    if (count == 1) {
        node->text = first->text;
    } else {
        char *text = spk_new(p, n + 1), *at = text;
        for (size_t i = 0; text && i < count; i++) {
            memcpy(at, spk_peek(p, i)->text, spk_peek(p, i)->len);
            at += spk_peek(p, i)->len;
        }
        node->text = text ? text : "";
    }
    node->text_len = n;
    p->at += count;
    return spk_end(p, node);
}

/* interval_value: [-] '..' or a number, as the text with its sign; false: there is none, or no unit behind
 * it. */
static bool interval_value(spk_parser *p, spk_ast *node)
{
    const uint32_t from = spk_from(p);
    const size_t sign = spk_at(p, "-") || spk_at(p, "+");
    const bool minus = spk_at(p, "-");
    const spk_token *t = spk_peek(p, sign);
    if ((t->kind != SPK_TOKEN_STRING && t->kind != SPK_TOKEN_NUMBER) || !is_unit(spk_peek(p, sign + 1)))
        return false;
    spk_ast *value = spk_node(p, t->kind == SPK_TOKEN_STRING ? SPK_AST_STRING : SPK_AST_NUMBER, from);
    char *text = spk_text(p, t->text, t->len + 1U);
    if (minus && t->len) {
        const bool twice = t->text[0] == '-'; /* - '-1' */
        memmove(text + !twice, t->text + twice, t->len - twice);
        if (!twice)
            text[0] = '-';
        text[t->len + 1U - 2U * twice] = '\0';
    }
    value->text = text;
    value->text_len = strlen(text);
    p->at += sign + 1;
    spk_push(p, &node->args, spk_end(p, value));
    return true;
}

static spk_ast *interval(spk_parser *p)
{
    spk_ast *node = spk_node(p, SPK_AST_INTERVAL, spk_from(p));
    p->at++;
    node->name2 = NULL;
    const spk_token *t = spk_peek(p, 0);
    if (t->kind == SPK_TOKEN_STRING && !is_unit(spk_peek(p, 1))) { /* INTERVAL '1 day' */
        spk_ast *text = string(p);
        node->text = text->text;
        node->text_len = text->text_len;
        return spk_end(p, node);
    }
    while (interval_value(p, node)) {
        spk_ast *unit = spk_node(p, SPK_AST_NAME, spk_from(p));
        unit->text = spk_name(p);
        spk_push(p, &node->args, spk_end(p, unit));
        if (spk_is(p, "TO") && is_unit(spk_peek(p, 1))) {
            p->at++;
            node->name2 = spk_name(p);
            break;
        }
    }
    const spk_token_kind next = spk_peek(p, 0)->kind;
    if (node->name2 && (node->args.n > 2 || next == SPK_TOKEN_STRING || next == SPK_TOKEN_NUMBER))
        spk_sql_fail(p->error, "_LEGACY_ERROR_TEMP_0024", (spk_sql_span) { node->span.from, spk_to(p) });
    return spk_end(p, node);
}

static spk_ast *cast(spk_parser *p)
{
    spk_ast *node = spk_node(p, SPK_AST_CAST, spk_from(p));
    node->attempt = spk_is(p, "TRY_CAST");
    p->at++;
    spk_expect_sign(p, "(");
    spk_push(p, &node->args, spk_expression(p));
    spk_expect(p, "AS");
    node->text = spk_type_text(p);
    spk_expect_sign(p, ")");
    return spk_end(p, node);
}

static spk_ast *case_of(spk_parser *p)
{
    spk_ast *node = spk_node(p, SPK_AST_CASE, spk_from(p));
    p->at++;
    if (!spk_is(p, "WHEN"))
        node->operand = spk_expression(p);
    if (!spk_is(p, "WHEN"))
        spk_syntax(p);
    while (spk_accept(p, "WHEN")) {
        spk_push(p, &node->args, spk_expression(p));
        spk_expect(p, "THEN");
        spk_push(p, &node->args, spk_expression(p));
    }
    if (spk_accept(p, "ELSE"))
        spk_push(p, &node->args, spk_expression(p));
    spk_expect(p, "END");
    return spk_end(p, node);
}

/* ---- calls with words between their arguments */

static spk_ast *word_argument(spk_parser *p)
{
    spk_ast *node = spk_node(p, SPK_AST_STRING, spk_from(p));
    const spk_token *t = spk_peek(p, 0);
    if (t->kind == SPK_TOKEN_STRING)
        node->text = spk_string(p);
    else
        node->text = spk_name(p);
    node->text_len = strlen(node->text);
    return spk_end(p, node);
}

/* extract(field FROM x) */
static void extract(spk_parser *p, spk_ast *node)
{
    node->name = "extract";
    spk_push(p, &node->args, word_argument(p));
    if (!spk_accept_sign(p, ","))
        spk_expect(p, "FROM");
    spk_push(p, &node->args, spk_value(p));
}

/* trim([BOTH|LEADING|TRAILING] [x] FROM s), or with commas, where the name stays */
static void trim(spk_parser *p, spk_ast *node)
{
    const bool said = (spk_is(p, "BOTH") || spk_is(p, "LEADING") || spk_is(p, "TRAILING"))
        && !spk_is_sign(spk_peek(p, 1), ",") && !spk_is_sign(spk_peek(p, 1), ")");
    const char *name = !said || spk_is(p, "BOTH") ? "trim" : spk_is(p, "LEADING") ? "ltrim" : "rtrim";
    p->at += said;
    spk_ast *first = NULL;
    if (!spk_is(p, "FROM") || spk_is_sign(spk_peek(p, 1), ")"))
        first = spk_expression(p);
    if (spk_accept(p, "FROM")) {
        node->name = name;
        if (first)
            spk_push(p, &node->args, first);
        spk_push(p, &node->args, spk_expression(p));
        return;
    }
    spk_push(p, &node->args, first);
    if (said) {
        spk_syntax(p);
        return;
    }
    node->name = "btrim"; /* trim(s), and trim(s, x) as Spark's functions are */
    if (node->args.n == 1 && !spk_at(p, ","))
        node->name = "trim";
    while (spk_accept_sign(p, ","))
        spk_push(p, &node->args, spk_expression(p));
}

/* overlay(s PLACING x FROM a [FOR b]) and substring(s FROM a [FOR b]) */
static void pieces(spk_parser *p, spk_ast *node, const char *first, const char *second, const char *third)
{
    spk_push(p, &node->args, spk_value(p));
    if (spk_at(p, ",")) {
        while (spk_accept_sign(p, ","))
            spk_push(p, &node->args, spk_expression(p));
        return;
    }
    const char *const words[] = { first, second, third };
    if (!third)
        node->name = "substring";
    for (size_t i = 0; i < 3; i++)
        if (words[i] && spk_accept(p, words[i]))
            spk_push(p, &node->args, spk_value(p));
}

/* position(x IN s) */
static void position(spk_parser *p, spk_ast *node)
{
    spk_push(p, &node->args, spk_value(p));
    if (spk_accept(p, "IN")) {
        node->name = "locate";
        spk_push(p, &node->args, spk_value(p));
    }
    while (spk_accept_sign(p, ","))
        spk_push(p, &node->args, spk_expression(p));
}

/* special: a call whose arguments have a syntax of their own; false: it is none. */
static bool special(spk_parser *p, spk_ast *node, const spk_token *name)
{
    if (spk_is_word(name, "EXTRACT"))
        extract(p, node);
    else if (spk_is_word(name, "TRIM"))
        trim(p, node);
    else if (spk_is_word(name, "SUBSTRING") || spk_is_word(name, "SUBSTR"))
        pieces(p, node, "FROM", "FOR", NULL);
    else if (spk_is_word(name, "OVERLAY"))
        pieces(p, node, "PLACING", "FROM", "FOR");
    else if (spk_is_word(name, "POSITION"))
        position(p, node);
    else
        return false;
    return true;
}

/* has_unit: functions whose first of three arguments is a unit. */
static bool has_unit(const spk_token *name)
{
    static const char *const names[] = { "TIMESTAMPADD", "TIMESTAMPDIFF", "DATEADD", "DATE_ADD", "DATEDIFF",
        "DATE_DIFF", "TIMEDIFF" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (spk_is_word(name, names[i]))
            return true;
    return false;
}

/* takes_unit: timestampadd(DAY, ..): a unit that is a word, not a column. */
static bool takes_unit(const spk_parser *p, const spk_token *name)
{
    return has_unit(name) && (is_unit(spk_peek(p, 0)) || spk_is(p, "DAYOFYEAR")) && spk_is_sign(spk_peek(p, 1), ",");
}

/* unit_is_no_text: timestampadd('DAY', ..) is refused. */
static void unit_is_no_text(spk_parser *p, const spk_token *name, const spk_ast *call)
{
    const spk_ast *first = call->args.n == 3 ? call->args.at[0] : NULL;
    if (first && first->kind == SPK_AST_STRING && has_unit(name)
        && spk_sql_fail(p->error, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", call->span)) {
        spk_sql_param(p->error, "functionName", "`%s`", call->name);
        spk_sql_param(p->error, "invalidValue", "'%.*s'", first->text_len < 100 ? (int)first->text_len : 100,
            first->text);
        spk_sql_param(p->error, "parameter", "`unit`");
    }
}

static spk_ast *argument(spk_parser *p)
{
    const uint32_t from = spk_from(p);
    if (spk_is_name(p) && spk_is_sign(spk_peek(p, 1), "=>")) {
        spk_ast *node = spk_node(p, SPK_AST_NAMED, from);
        node->text = spk_name(p);
        p->at++;
        spk_push(p, &node->args, spk_expression(p));
        return spk_end(p, node);
    }
    if (spk_at(p, "*") && (spk_is_sign(spk_peek(p, 1), ",") || spk_is_sign(spk_peek(p, 1), ")"))) {
        p->at++;
        return spk_end(p, spk_node(p, SPK_AST_STAR, from));
    }
    if (spk_at(p, "*"))
        return spk_item(p);
    return spk_expression(p);
}

static void arguments(spk_parser *p, spk_ast *node, bool with_names)
{
    if (spk_at(p, ")"))
        return;
    do
        spk_push(p, &node->args, with_names ? spk_item(p) : argument(p));
    while (spk_accept_sign(p, ","));
}

/* behind_call: FILTER, WITHIN GROUP, IGNORE NULLS, OVER. */
static void behind_call(spk_parser *p, spk_ast *node)
{
    if (spk_is2(p, "WITHIN", "GROUP")) {
        p->at += 2;
        spk_expect_sign(p, "(");
        spk_expect(p, "ORDER");
        spk_expect(p, "BY");
        spk_sort_items(p, &node->order, &node->n_order);
        spk_expect_sign(p, ")");
    }
    if (spk_is(p, "FILTER") && spk_is_sign(spk_peek(p, 1), "(")) {
        p->at += 2;
        spk_expect(p, "WHERE");
        node->filter = spk_expression(p);
        spk_expect_sign(p, ")");
    }
    if (spk_is2(p, "IGNORE", "NULLS") || spk_is2(p, "RESPECT", "NULLS")) {
        node->ignore_nulls = spk_is(p, "IGNORE");
        node->respect_nulls = !node->ignore_nulls;
        p->at += 2;
    }
    if (spk_is(p, "OVER") && (spk_is_sign(spk_peek(p, 1), "(") || spk_peek(p, 1)->kind == SPK_TOKEN_WORD)) {
        p->at++;
        node->window = spk_new(p, sizeof *node->window);
        if (node->window)
            spk_window(p, node->window);
    }
}

static spk_ast *call(spk_parser *p, spk_ast *name, const spk_token *word)
{
    spk_ast *node = spk_node(p, SPK_AST_CALL, name->span.from);
    node->name = name->args.at ? name->args.at[name->args.n - 1]->text : "";
    if (name->args.n > 1)
        node->name2 = name->args.at[0]->text;
    spk_expect_sign(p, "(");
    if (!special(p, node, word)) {
        node->distinct = spk_is(p, "DISTINCT") && !spk_is_sign(spk_peek(p, 1), ",")
            && !spk_is_sign(spk_peek(p, 1), ")");
        p->at += node->distinct;
        if (!node->distinct && spk_is(p, "ALL") && !spk_is_sign(spk_peek(p, 1), ")"))
            p->at++;
        if (spk_at(p, "*") && spk_is_sign(spk_peek(p, 1), ")")) {
            p->at++;
            node->star = true;
        } else if (takes_unit(p, word)) {
            spk_push(p, &node->args, word_argument(p));
            spk_accept_sign(p, ",");
            arguments(p, node, false);
        } else {
            arguments(p, node, spk_is_word(word, "STRUCT"));
            unit_is_no_text(p, word, node);
        }
        if (spk_is2(p, "IGNORE", "NULLS") || spk_is2(p, "RESPECT", "NULLS")) { /* first(x IGNORE NULLS) */
            node->ignore_nulls = spk_is(p, "IGNORE");
            p->at += 2;
        }
    }
    spk_expect_sign(p, ")");
    behind_call(p, node);
    return spk_end(p, node);
}

/* ---- */

static spk_ast *lambda(spk_parser *p, bool many)
{
    spk_ast *node = spk_node(p, SPK_AST_LAMBDA, spk_from(p));
    if (many) {
        spk_names(p, &node->names, &node->n_names);
    } else {
        const char *name = spk_name(p);
        SPK_PUSH(p, node->names, node->n_names, name);
    }
    spk_expect_sign(p, "->");
    spk_push(p, &node->args, spk_expression(p));
    return spk_end(p, node);
}

static spk_ast *parenthesis(spk_parser *p)
{
    const uint32_t from = spk_from(p);
    const size_t close = spk_peek(p, 0)->match;
    if (spk_query_ahead(p, p->at)) {
        spk_ast *node = spk_node(p, SPK_AST_SUBQUERY, from);
        node->query = spk_query_in(p);
        return spk_end(p, node);
    }
    if (close && close < p->n && spk_is_sign(&p->tokens[close + 1], "->"))
        return lambda(p, true);
    p->at++;
    spk_ast *node = spk_node(p, SPK_AST_ROW, from);
    do
        spk_push(p, &node->args, spk_item(p));
    while (spk_accept_sign(p, ","));
    spk_expect_sign(p, ")");
    if (node->args.n == 1 && node->args.at[0]->kind != SPK_AST_ALIAS)
        return node->args.at[0];
    return spk_end(p, node);
}

static bool is_typed(const spk_token *t)
{
    return spk_is_word(t, "DATE") || spk_is_word(t, "TIMESTAMP") || spk_is_word(t, "TIMESTAMP_NTZ")
        || spk_is_word(t, "TIMESTAMP_LTZ") || spk_is_word(t, "TIME") || spk_is_word(t, "X");
}

static bool begins_interval(const spk_parser *p)
{
    const spk_token *next = spk_peek(p, 1);
    const size_t sign = spk_is_sign(next, "-") || spk_is_sign(next, "+");
    const spk_token *value = spk_peek(p, 1 + sign);
    if (!spk_is(p, "INTERVAL"))
        return false;
    if (value->kind == SPK_TOKEN_STRING)
        return sign == 0 || is_unit(spk_peek(p, 2 + sign));
    return value->kind == SPK_TOKEN_NUMBER && is_unit(spk_peek(p, 2 + sign));
}

static spk_ast *constant(spk_parser *p, spk_ast_kind kind)
{
    spk_ast *node = spk_node(p, kind, spk_from(p));
    p->at++;
    return spk_end(p, node);
}

/* word: what begins with a word. */
static spk_ast *word(spk_parser *p)
{
    const spk_token *t = spk_peek(p, 0), *next = spk_peek(p, 1);
    const uint32_t from = spk_from(p);
    if (spk_is(p, "NULL"))
        return constant(p, SPK_AST_NULL);
    if (spk_is(p, "TRUE"))
        return constant(p, SPK_AST_TRUE);
    if (spk_is(p, "FALSE"))
        return constant(p, SPK_AST_FALSE);
    if (next->kind == SPK_TOKEN_STRING && !spk_is(p, "INTERVAL") && !spk_is(p, "CASE")) {
        if (!is_typed(t)) {
            char name[100];
            (void)snprintf(name, sizeof name, "\"%s\"", t->text);
            spk_sql_fail2(p->error, "UNSUPPORTED_TYPED_LITERAL", t->span, "unsupportedType", name, "supportedTypes",
                "\"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", \"X\", \"TIME\"");
            p->at = p->n;
            return spk_node(p, SPK_AST_NULL, from);
        }
        spk_ast *node = spk_node(p, SPK_AST_TYPED, from);
        node->name = t->text;
        p->at++;
        spk_ast *text = string(p);
        node->text = text->text;
        node->text_len = text->text_len;
        return spk_end(p, node);
    }
    if (begins_interval(p))
        return interval(p);
    if (spk_is(p, "CASE") && !spk_is_sign(next, ".") && !spk_is_sign(next, ",")
        && next->kind != SPK_TOKEN_END)
        return case_of(p);
    if ((spk_is(p, "CAST") || spk_is(p, "TRY_CAST")) && spk_is_sign(next, "("))
        return cast(p);
    if (spk_is_sign(next, "->"))
        return lambda(p, false);
    return NULL;
}

static spk_ast *name_or_call(spk_parser *p)
{
    const spk_token *t = spk_peek(p, 0);
    spk_ast *name = spk_qualified(p);
    if (spk_at(p, "("))
        return call(p, name, t);
    if (spk_at(p, ".") && spk_is_sign(spk_peek(p, 1), "*")) {
        spk_ast *star = spk_node(p, SPK_AST_STAR, name->span.from);
        p->at += 2;
        spk_push(p, &star->args, name);
        return spk_end(p, star);
    }
    return name;
}

static spk_ast *parameter(spk_parser *p)
{
    spk_ast *node = spk_node(p, SPK_AST_PARAMETER, spk_from(p));
    if (spk_accept_sign(p, "?")) {
        node->number = p->parameters++;
    } else {
        p->at++;
        node->text = spk_name(p);
    }
    return spk_end(p, node);
}

/* first: without what may stand behind it. */
static spk_ast *first(spk_parser *p)
{
    const spk_token *t = spk_peek(p, 0);
    spk_ast *node;
    switch (t->kind) {
    case SPK_TOKEN_STRING:
        return string(p);
    case SPK_TOKEN_NUMBER:
        node = spk_node(p, SPK_AST_NUMBER, spk_from(p));
        node->text = t->text;
        node->text_len = t->len;
        p->at++;
        return spk_end(p, node);
    case SPK_TOKEN_WORD:
        node = word(p);
        return node ? node : name_or_call(p);
    case SPK_TOKEN_QUOTED:
        return name_or_call(p);
    case SPK_TOKEN_SIGN:
        if (spk_at(p, "("))
            return parenthesis(p);
        if (spk_at(p, "?") || (spk_at(p, ":") && spk_peek(p, 1)->kind == SPK_TOKEN_WORD))
            return parameter(p);
        if (spk_at(p, "*")) { /* SELECT *, which spk_item looks at */
            node = spk_node(p, SPK_AST_STAR, spk_from(p));
            p->at++;
            return spk_end(p, node);
        }
        break;
    default:
        break;
    }
    spk_syntax(p);
    return spk_node(p, SPK_AST_NULL, spk_from(p));
}

spk_ast *spk_primary(spk_parser *p)
{
    const uint32_t from = spk_from(p);
    spk_ast *node = first(p);
    for (int links = 0; links < SPK_SQL_DEPTH; links++)
        if (spk_at(p, ".") && (spk_peek(p, 1)->kind == SPK_TOKEN_WORD || spk_peek(p, 1)->kind == SPK_TOKEN_QUOTED)) {
            p->at++;
            spk_ast *field = word_argument(p);
            node = spk_end(p, spk_call(p, ".", true, from, node, field));
        } else if (spk_at(p, "[")) {
            p->at++;
            spk_ast *index = spk_value(p);
            spk_expect_sign(p, "]");
            node = spk_end(p, spk_call(p, "[]", true, from, node, index));
        } else if (spk_at(p, "::")) {
            spk_ast *cast_to = spk_node(p, SPK_AST_CAST, from);
            p->at++;
            spk_push(p, &cast_to->args, node);
            cast_to->text = spk_type_text(p);
            node = spk_end(p, cast_to);
        } else if (spk_is(p, "COLLATE") && spk_peek(p, 1)->kind == SPK_TOKEN_WORD) {
            p->at++;
            (void)spk_qualified(p);
            spk_sql_unsupported(p->error, (spk_sql_span) { from, spk_to(p) }, "COLLATE");
            p->at = p->n;
        } else {
            return node;
        }
    spk_syntax(p);
    return node;
}
