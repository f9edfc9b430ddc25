/* SPDX-License-Identifier: Apache-2.0 */
/* Executions of SQL as Spark writes them: these events are Spark's own classes in JSON, by the names of their
 * members. */
#include "listen/spark_json.h"

#define CLASS(name) "{\"Event\":\"org.apache.spark.sql.execution.ui." name "\",\"executionId\":"

enum { NANOS = 1000000, SHORT = 1000 };

static void member_text(spk_json_out *out, const char *name, const char *text)
{
    SPK_JSON(out, ",\"");
    spk_json_bytes(out, name, strlen(name));
    SPK_JSON(out, "\":");
    spk_json_text(out, text);
}

/* put_operator: but for its end, for what is below it comes first. */
static void put_operator(spk_json_out *out, const spark_sql_operator *o)
{
    SPK_JSON(out, "{\"nodeName\":");
    spk_json_text(out, o->name);
    member_text(out, "simpleString", o->text);
    SPK_JSON(out, ",\"metadata\":{},\"metrics\":[{\"name\":\"number of output rows\",\"accumulatorId\":");
    spk_json_int(out, o->metric);
    SPK_JSON(out, ",\"metricType\":\"sum\"}],\"children\":[");
}

static void put_plan(spk_json_out *out, const spark_sql_execution *x)
{
    int depth = -1;
    for (size_t i = 0; i < x->n_operators; i++) {
        const spark_sql_operator *o = &x->operators[i];
        const bool brother = depth >= o->depth;
        for (; depth >= o->depth; depth--)
            SPK_JSON(out, "]}");
        if (brother)
            SPK_JSON(out, ",");
        put_operator(out, o);
        depth = o->depth;
    }
    for (; depth >= 0; depth--)
        SPK_JSON(out, "]}");
    if (x->n_operators == 0)
        SPK_JSON(out, "{\"nodeName\":\"?\",\"simpleString\":\"\",\"metadata\":{},\"metrics\":[],\"children\":[]}");
}

/* put_description: that of the jobs, or how the statement begins. */
static void put_description(spk_json_out *out, const spark_sql_execution *x)
{
    const char *text = *x->description ? x->description : x->text;
    size_t n = strnlen(text, SHORT);
    while (n > 0 && n == SHORT && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    char start[SHORT + 1];
    memcpy(start, text, n);
    start[n] = '\0';
    SPK_JSON(out, ",\"description\":\"");
    spk_json_inner(out, start);
    if (text[n])
        SPK_JSON(out, "\xe2\x80\xa6");
    SPK_JSON(out, "\"");
}

void spk_spark_sql_start(spk_json_out *out, const spark_sql_execution *x)
{
    SPK_JSON(out, CLASS("SparkListenerSQLExecutionStart"));
    spk_json_int(out, x->id);
    SPK_JSON(out, ",\"rootExecutionId\":");
    spk_json_int(out, x->id);
    put_description(out, x);
    SPK_JSON(out, ",\"details\":\"");
    spk_json_inner(out, x->action);
    SPK_JSON(out, " at ");
    spk_json_inner(out, x->site);
    SPK_JSON(out, "\\n");
    spk_json_inner(out, x->text);
    SPK_JSON(out, "\"");
    member_text(out, "physicalPlanDescription", x->plan);
    SPK_JSON(out, ",\"sparkPlanInfo\":");
    put_plan(out, x);
    SPK_JSON(out, ",\"time\":");
    spk_json_int(out, x->start_time / NANOS);
    SPK_JSON(out, ",\"modifiedConfigs\":{},\"jobTags\":[]}\n");
}

static void put_rows(spk_json_out *out, const spark_sql_execution *x)
{
    bool any = false;
    for (size_t i = 0; i < x->n_operators; i++) {
        const spark_sql_operator *o = &x->operators[i];
        if (o->rows < 0)
            continue;
        if (any) {
            SPK_JSON(out, ",[");
        } else {
            SPK_JSON(out, CLASS("SparkListenerDriverAccumUpdates"));
            spk_json_int(out, x->id);
            SPK_JSON(out, ",\"accumUpdates\":[[");
        }
        any = true;
        spk_json_int(out, o->metric);
        SPK_JSON(out, ",");
        spk_json_int(out, o->rows);
        SPK_JSON(out, "]");
    }
    if (any)
        SPK_JSON(out, "]}\n");
}

/* spk_spark_sql_end: "errorMessage": "": it has gone well; without it the pages look at the jobs. */
void spk_spark_sql_end(spk_json_out *out, const spark_sql_execution *x)
{
    put_rows(out, x);
    SPK_JSON(out, CLASS("SparkListenerSQLExecutionEnd"));
    spk_json_int(out, x->id);
    SPK_JSON(out, ",\"time\":");
    spk_json_int(out, (x->end_time + NANOS - 1) / NANOS);
    member_text(out, "errorMessage", x->status == SPARK_OK ? "" : x->failure);
    SPK_JSON(out, "}\n");
}
