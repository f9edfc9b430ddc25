/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a query over two tables of one context: names are looked up, types found, rules applied;
 * there is a plan or an error with its place, and the plan can be printed. Nothing is run. */
#include <spark.h>

#include "sql.h"
#include "sql/exec/result.h"
#include "sql/parse/parse.h"

SPARK_STRUCT(left_row, (int64_t, a), (spark_opt_str, b), (spark_date, c), (spark_opt_f64, d));
SPARK_LIST(strings, spark_str);
SPARK_STRUCT(right_row, (int64_t, a), (spark_opt_i32, e), (spark_i64_list, l), (strings, s));

static spark_context *context(void)
{
    static spark_context *sc;
    if (sc)
        return sc;
    sc = spark_context_new(&(spark_conf) { .app_name = "fuzz", .threads = 1, .memory_bytes = (uint64_t)64 << 20 });
    insist(spark_create_temp_view(sc, "t", spark_parallelize(sc, SPARK_TYPE(left_row), 0, NULL, 1)) == SPARK_OK);
    insist(spark_create_temp_view(sc, "u", spark_parallelize(sc, SPARK_TYPE(right_row), 0, NULL, 1)) == SPARK_OK);
    return sc;
}

/* refused: texts that would read files, or run a recursion, while names are looked up. */
static bool refused(const char *text)
{
    static const char *const words[] = { "recursive", "csv", "json", "text" };
    for (; *text; text++)
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if ((*text | 32) == *words[i] && strncasecmp(text, words[i], strlen(words[i])) == 0)
                return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size);
    spark_context *sc = context();
    if (size > 4000 || refused(text)) {
        free(text);
        return 0;
    }
    SPARK_SCOPED(sc);
    spk_query *q = spk_query_new(sc, text);
    size_t next;
    insist(q != NULL);
    const spk_ast_statement *s = spk_sql_parse(&q->arena, q->text, &next, &q->error);
    if (s && s->kind == SPK_ST_QUERY) {
        const char **names = NULL;
        const spk_plan *plan = spk_query_plan(q, s->query, &names);
        insist((plan == NULL) == spk_sql_failed(&q->error));
        static FILE *nowhere;
        if (!nowhere)
            nowhere = fopen("/dev/null", "w");
        if (plan && nowhere)
            spk_plan_print(plan, nowhere);
    }
    if (spk_sql_failed(&q->error))
        described(&q->error, text);
    spk_query_unref(q);
    free(text);
    return 0;
}
