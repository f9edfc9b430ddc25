/* SPDX-License-Identifier: Apache-2.0 */
/* What listeners are told of a query: its text, and its plan by the names that Spark has for operators. */
#include "base/small.h"

#include <stdio.h>
#include <string.h>

#include "plan/listening.h"
#include "sql/exec/result.h"

enum { LINE = 2000, NAME = 64 };

/* name_of: by its line, where that begins with a name of Spark's. */
static const char *name_of(const spk_plan *plan, const char *line, char *room)
{
    switch (plan->packed ? SPK_PLAN_JOIN : plan->kind) {
    case SPK_PLAN_ROWS:
        return "LocalTableScan";
    case SPK_PLAN_RANGE:
        return "Range";
    case SPK_PLAN_SCAN:
        return "Scan ExistingRDD";
    case SPK_PLAN_AGGREGATE:
    case SPK_PLAN_DISTINCT:
        return "HashAggregate";
    case SPK_PLAN_LIMIT:
        return "GlobalLimit";
    case SPK_PLAN_JOIN:
        (void)snprintf(room, NAME, "%.*s", (int)strcspn(line, " ,"), line);
        return *room ? room : "Join";
    default:
        return spk_plan_name(plan);
    }
}

static int rows_of(const spk_query *q, const spk_plan *plan)
{
    for (size_t i = 0; i < q->n_built; i++)
        if (q->built[i].plan == plan)
            return q->built[i].rdd;
    return -1;
}

typedef struct telling {
    const spk_query *query;
    void *to;
    spk_tell_operator *tell;
} telling;

/* tell: recursion is as deep as the plan, which the parser bounds. */
static void tell(const telling *t, const spk_plan *plan, int depth)
{
    char text[LINE + 1] = "", name[NAME];
    FILE *file = fmemopen(text, LINE, "w");
    if (file) {
        spk_plan_print_line(plan, file);
        (void)fclose(file); /* what is longer is cut */
    }
    text[LINE] = '\0';
    t->tell(t->to, depth, name_of(plan, text, name), *text ? text : spk_plan_name(plan), rows_of(t->query, plan));
    for (size_t i = 0; i < plan->n_in && !plan->same; i++)
        tell(t, plan->in[i], depth + 1);
}

static bool is_query(const spark_rdd *rdd)
{
    const spk_result *r = spk_result_of(rdd);
    return r && r->query->plan;
}

static const char *text_of(const spark_rdd *rdd)
{
    return spk_query_said(spk_result_of(rdd)->query);
}

static void operators(const spark_rdd *rdd, void *to, spk_tell_operator *tell_one)
{
    const telling t = { spk_result_of(rdd)->query, to, tell_one };
    tell(&t, t.query->plan, 0);
}

static void planned(const void *statement, void *to, spk_tell_operator *tell_one)
{
    const telling t = { statement, to, tell_one };
    if (t.query->plan)
        tell(&t, t.query->plan, 0);
}

/* ---- files */

/* foreign: whether rows have such a value as something else. */
static const spk_sql_type *foreign(const spk_sql_type *type)
{
    const spk_sql_type *found = type->kind == SPK_SQL_ARRAY ? foreign(type->of) : NULL;
    if (type->kind == SPK_SQL_STRUCT)
        for (uint32_t i = 0; i < type->n && !found; i++)
            found = foreign(type->fields[i].type);
    if (type->kind == SPK_SQL_MAP || type->kind == SPK_SQL_TIME || spk_sql_is_interval(type)
        || (type->kind == SPK_SQL_DECIMAL && type->size == sizeof(spk_sql_wide)))
        return type;
    return found;
}

static spark_status unwritten(const spark_rdd *rdd, bool json, spk_failure *failure)
{
    const spk_result *r = spk_result_of(rdd);
    for (size_t i = 0; r && i < r->form->n; i++) {
        const spk_sql_type *type = r->form->slots[i].type, *odd = foreign(type);
        char of[340] = "", cast[150] = "", text[200];
        if (!odd)
            continue;
        (void)spk_sql_type_print(odd, true, text, sizeof text);
        if (odd->kind == SPK_SQL_DECIMAL)
            (void)snprintf(cast, sizeof cast, "CAST(%.100s AS DECIMAL(18,%d)) or ", r->names[i],
                odd->scale < 18 ? odd->scale : 18);
        if (odd == type)
            (void)snprintf(of, sizeof of, "%sCAST(%.100s AS STRING)%s", cast, r->names[i],
                json                             ? ", or INSERT OVERWRITE DIRECTORY .. USING json"
                    : odd->kind == SPK_SQL_MAP ? ""
                                               : ", or INSERT OVERWRITE DIRECTORY .. USING csv");
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
            "column \"%s\" is%s %s, which %s files are not written with: in the statement, %s", r->names[i],
            odd == type ? "" : " made of", text, json ? "JSON" : "CSV",
            odd == type ? of
                : json  ? "to_json(..), or INSERT OVERWRITE DIRECTORY .. USING json"
                        : "to_json(..) or CAST(.. AS STRING)");
    }
    return SPARK_OK;
}

const spk_queries spk_query_telling
    = { .is = is_query, .text = text_of, .operators = operators, .planned = planned, .unwritten = unwritten };
