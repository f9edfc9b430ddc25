/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of the optimiser: the plan before and after it, as EXPLAIN EXTENDED prints them (operators and
 * what they are made of, without columns and their numbers). */
#include "../support/spark_test.h"

#include <stdlib.h>
#include <string.h>

/* RANK: as it is called. */
#define RANK "RANK() OVER (PARTITION BY b ORDER BY a ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"

SPARK_STRUCT(row, (int32_t, a), (spark_opt_str, b), (int64_t, c));
static const row rows[] = { { 1, { true, { "x", 1 } }, 2 }, { 2, { true, { "y", 1 } }, 3 },
    { 3, { false, { "", 0 } }, 3 }, { 2, { true, { "x", 1 } }, 5 } };

static spark_context *open_context(void)
{
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "rules", .threads = 1 });
    for (int i = 0; i < 2; i++) {
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA_OF(row, rows), 2);
        assert_int_equal(spark_create_temp_view(sc, i ? "u" : "t", rdd), SPARK_OK);
    }
    return sc;
}

/* explained: both plans, without what stands in brackets at the ends of lines. */
static char *explained(spark_context *sc, const char *query)
{
    char text[1000];
    spark_array array;
    snprintf(text, sizeof text, "EXPLAIN EXTENDED %s", query);
    spark_rdd *rdd = spark_sql(sc, text);
    if (spark_collect(rdd, NULL, &array) != SPARK_OK)
        fail_msg("%s: %s", query, spark_last_error()->message);
    size_t n;
    assert_true(spark_sql_text(rdd, spark_row_of(&array, 0), 0, NULL, 0, &n));
    char *all = malloc(n + 1), *to = all;
    assert_non_null(all);
    assert_true(spark_sql_text(rdd, spark_row_of(&array, 0), 0, all, n + 1, &n));
    spark_array_free(&array);
    for (const char *line = all, *end; *line; line = end) {
        end = strchr(line, '\n') + 1;
        const char *columns = line;
        for (const char *at = line; at < end; at++)
            if (at[0] == ' ' && at[1] == '[')
                columns = at;
        const size_t length = (size_t)((columns > line ? columns : end - 1) - line);
        for (size_t i = 0; i < length; i++)
            if (line[i] == '#') /* a column's number */
                i += strspn(line + i + 1, "0123456789");
            else
                *to++ = line[i];
        *to++ = '\n';
    }
    *to = '\0';
    return all;
}

/* A rule, a query, and its plans: lines of operators, two blanks a level. */
static const struct {
    const char *rule, *query, *before, *after;
} cases[] = {
    { "folding",
        "SELECT a + 1 * 2 FROM t WHERE a > 1 + 1 AND 'x' || 'y' <> b",
        "Project (a + (1 * 2))\n"
        "  Filter (a > (1 + 1)), (NOT (concat(x, y) = b))\n"
        "    Scan t\n",
        "Project (a + 2)\n"
        "  Filter (a > 2), (NOT (xy = b))\n"
        "    Scan t\n" },
    { "folding: what fails is left",
        "SELECT CASE WHEN a > 9 THEN 1 / 0 ELSE 2 * 3 END FROM t",
        "Project CASE WHEN (a > 9) THEN (1 / 0) ELSE (2 * 3) END\n"
        "  Scan t\n",
        "Project CASE WHEN (a > 9) THEN (1 / 0) ELSE 6.0 END\n"
        "  Scan t\n" },
    { "emptiness: never",
        "SELECT a FROM t WHERE a > 1 AND 1 > 2",
        "Project a\n"
        "  Filter (a > 1), (1 > 2)\n"
        "    Scan t\n",
        "Rows\n" },
    { "emptiness: always",
        "SELECT a FROM t WHERE 1 < 2",
        "Project a\n"
        "  Filter (1 < 2)\n"
        "    Scan t\n",
        "Project a\n"
        "  Scan t\n" },
    { "pushdown through a projection",
        "SELECT x FROM (SELECT a + 1 x, b FROM t) WHERE x > 2 AND b = 'y'",
        "Project x\n"
        "  Filter (x > 2), (b = y)\n"
        "    Project (a + 1), b\n"
        "      Scan t\n",
        "Project (a + 1)\n"
        "  Filter ((a + 1) > 2), (b = y)\n"
        "    Scan t\n" },
    { "pushdown stops at what is drawn",
        "SELECT a FROM (SELECT rand(1) r, a FROM t) WHERE r < 2",
        "Project a\n"
        "  Filter (r < 2)\n"
        "    Project rand(1), a\n"
        "      Scan t\n",
        "Project a\n"
        "  Filter (r < 2.0)\n"
        "    Project rand(1), a\n"
        "      Scan t\n" },
    { "pushdown into a union",
        "SELECT * FROM (SELECT a FROM t UNION ALL SELECT c FROM u) WHERE a = 3",
        "Project a\n"
        "  Filter (a = 3)\n"
        "    Union\n"
        "      Project a\n"
        "        Project a\n"
        "          Scan t\n"
        "      Project c\n"
        "        Project c\n"
        "          Scan u\n",
        "Project a\n"
        "  Union\n"
        "    Project a\n"
        "      Filter (a = 3)\n"
        "        Scan t\n"
        "    Project c\n"
        "      Filter (c = 3)\n"
        "        Scan u\n" },
    { "pushdown below a grouping",
        "SELECT b, n FROM (SELECT b, count(*) n FROM t GROUP BY b) WHERE b = 'x' AND n > 1",
        "Project b, n\n"
        "  Filter (b = x), (n > 1)\n"
        "    Project b, count(1)\n"
        "      Aggregate b, count(1)\n"
        "        Scan t\n",
        "Project b, count(1)\n"
        "  Filter (count(1) > 1)\n"
        "    Aggregate b, count(1)\n"
        "      Filter (b = x)\n"
        "        Scan t\n" },
    { "pushdown into an inner join",
        "SELECT t.a FROM t JOIN u ON t.a = u.a WHERE t.b = 'x' AND u.c > 1 AND t.c < u.c",
        "Project a\n"
        "  Filter (b = x), (c > 1), (c < c)\n"
        "    Join, Inner, (a = a)\n"
        "      Scan t\n"
        "      Scan u\n",
        "Project a\n"
        "  BroadcastHashJoin (a = a), Inner, (c < c)\n"
        "    Filter (c > 1)\n"
        "      Scan u\n"
        "    Project a, c\n"
        "      Filter (b = x)\n"
        "        Scan t\n" },
    { "pushdown into an outer join",
        "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a AND u.c > 1 AND t.b = 'x' WHERE t.c = 2 AND u.b IS NULL",
        "Project a\n"
        "  Filter (c = 2), (b IS NULL)\n"
        "    Join, LeftOuter, (a = a), (c > 1), (b = x)\n"
        "      Scan t\n"
        "      Scan u\n",
        "Project a\n"
        "  Filter (b IS NULL)\n"
        "    BroadcastHashJoin (a = a), (b = x), LeftOuter\n"
        "      Project a, b\n"
        "        Filter (c = 2)\n"
        "          Scan t\n"
        "      Project a, b\n"
        "        Filter (c > 1)\n"
        "          Scan u\n" },
    { "factors of OR",
        "SELECT t.a FROM t, u WHERE (t.a = u.a AND t.b = 'x') OR (t.a = u.a AND u.c = 3)",
        "Project a\n"
        "  Filter (((a = a) AND (b = x)) OR ((a = a) AND (c = 3)))\n"
        "    Join, Inner\n"
        "      Scan t\n"
        "      Scan u\n",
        "Project a\n"
        "  BroadcastHashJoin (a = a), Inner, ((b = x) OR (c = 3))\n"
        "    Scan t\n"
        "    Scan u\n" },
    { "decorrelation of EXISTS",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b = 'y')",
        "Project a\n"
        "  Filter exists()\n"
        "    Join, ExistenceJoin, (a = a)\n"
        "      Scan t\n"
        "      Project 1, a\n"
        "        Filter (b = y)\n"
        "          Scan u\n",
        "Project a\n"
        "  BroadcastHashJoin (a = a), LeftSemi\n"
        "    Scan t\n"
        "    Project a\n"
        "      Filter (b = y)\n"
        "        Scan u\n" },
    { "decorrelation of NOT EXISTS",
        "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b = 'y')",
        "Project a\n"
        "  Filter (NOT exists())\n"
        "    Join, ExistenceJoin, (a = a)\n"
        "      Scan t\n"
        "      Project 1, a\n"
        "        Filter (b = y)\n"
        "          Scan u\n",
        "Project a\n"
        "  BroadcastHashJoin (a = a), LeftAnti\n"
        "    Scan t\n"
        "    Project a\n"
        "      Filter (b = y)\n"
        "        Scan u\n" },
    { "decorrelation of a scalar",
        "SELECT a, (SELECT max(c) FROM u WHERE u.a = t.a) FROM t",
        "Project a, scalarsubquery()\n"
        "  Join, LeftSingle, (a = a)\n"
        "    Scan t\n"
        "    Project max(c), a\n"
        "      Project max(c), a\n"
        "        Aggregate a, max(c)\n"
        "          Scan u\n",
        "Project a, scalarsubquery()\n"
        "  BroadcastHashJoin (a = a), LeftSingle\n"
        "    Scan t\n"
        "    Project max(c), a\n"
        "      Aggregate a, max(c)\n"
        "        Scan u\n" },
    { "decorrelation of IN",
        "SELECT a FROM t WHERE b IN (SELECT b FROM u WHERE u.c = t.c)",
        "Project a\n"
        "  Filter (b IN (listquery()))\n"
        "    Join, ExistenceJoin, (c = c), (b = b)\n"
        "      Scan t\n"
        "      Project b, c\n"
        "        Scan u\n",
        "Project a\n"
        "  BroadcastHashJoin (c = c), (b = b), LeftSemi\n"
        "    Scan t\n"
        "    Project b, c\n"
        "      Scan u\n" },
    { "join order",
        "SELECT t.a FROM t, u, range(1000000) WHERE t.a = id AND u.b = t.b AND id < 5",
        "Project a\n"
        "  Filter (a = id), (b = b), (id < 5)\n"
        "    Join, Inner\n"
        "      Join, Inner\n"
        "        Scan t\n"
        "        Scan u\n"
        "      Range\n",
        "Project a\n"
        "  BroadcastHashJoin (b = b), Inner\n"
        "    BroadcastHashJoin (id = a), Inner\n"
        "      Filter (id < 5)\n"
        "        Range\n"
        "      Scan t\n"
        "    Scan u\n" },
    { "join order: no cross product",
        "SELECT t.a FROM t, u, range(1000000) WHERE t.a = id AND u.c = id",
        "Project a\n"
        "  Filter (a = id), (c = id)\n"
        "    Join, Inner\n"
        "      Join, Inner\n"
        "        Scan t\n"
        "        Scan u\n"
        "      Range\n",
        "Project a\n"
        "  BroadcastHashJoin (id = c), Inner\n"
        "    BroadcastHashJoin (id = a), Inner\n"
        "      Range\n"
        "      Scan t\n"
        "    Scan u\n" },
    { "join order: a column that is compared with itself is no key",
        "SELECT x.a FROM t x, t y, range(1000000) WHERE x.a = id AND y.b = x.b AND id < 5",
        "Project a\n"
        "  Filter (a = id), (b = b), (id < 5)\n"
        "    Join, Inner\n"
        "      Join, Inner\n"
        "        Scan t\n"
        "        Scan t\n"
        "      Range\n",
        "Project a\n"
        "  BroadcastHashJoin (id = a), Inner\n"
        "    Filter (id < 5)\n"
        "      Range\n"
        "    BroadcastHashJoin (b = b), Inner\n"
        "      Scan t\n"
        "      Scan t\n" },
    { "pruning",
        "SELECT b FROM (SELECT b, sum(a), max(c) FROM t GROUP BY b)",
        "Project b\n"
        "  Project b, sum(a), max(c)\n"
        "    Aggregate b, sum(a), max(c)\n"
        "      Scan t\n",
        "Project b\n"
        "  Aggregate b\n"
        "    Scan t\n" },
    { "collapsing",
        "SELECT y + 1 FROM (SELECT x * 2 y, x FROM (SELECT a + 1 x FROM t))",
        "Project (y + 1)\n"
        "  Project (x * 2), x\n"
        "    Project (a + 1)\n"
        "      Scan t\n",
        "Project (((a + 1) * 2) + 1)\n"
        "  Scan t\n" },
    { "collapsing: nothing twice",
        "SELECT y + y FROM (SELECT a * 2 y FROM t)",
        "Project (y + y)\n"
        "  Project (a * 2)\n"
        "    Scan t\n",
        "Project (y + y)\n"
        "  Project (a * 2)\n"
        "    Scan t\n" },
    { "collapsing: nothing drawn",
        "SELECT r + 1 > 0 FROM (SELECT rand(3) r FROM t)",
        "Project ((r + 1) > 0)\n"
        "  Project rand(3)\n"
        "    Scan t\n",
        "Project ((r + 1.0) > 0.0)\n"
        "  Project rand(3)\n"
        "    Scan t\n" },
    { "emptiness of a union's side",
        "SELECT a FROM (SELECT a, 's' k FROM t UNION ALL SELECT c, 'c' FROM u) WHERE k = 'c'",
        "Project a\n"
        "  Filter (k = c)\n"
        "    Union\n"
        "      Project a, k\n"
        "        Project a, s\n"
        "          Scan t\n"
        "      Project c, c\n"
        "        Project c, c\n"
        "          Scan u\n",
        "Project c\n"
        "  Scan u\n" },
    { "emptiness of a join's side",
        "SELECT t.a, u.a FROM t LEFT JOIN u ON t.a = u.a AND 1 > 2 WHERE NOT EXISTS (SELECT 1 FROM u WHERE 1 > 2 AND u.a = t.a)",
        "Project a, a\n"
        "  Filter (NOT exists())\n"
        "    Join, ExistenceJoin, (a = a)\n"
        "      Join, LeftOuter, (a = a), (1 > 2)\n"
        "        Scan t\n"
        "        Scan u\n"
        "      Project 1, a\n"
        "        Filter (1 > 2)\n"
        "          Scan u\n",
        "Project a, NULL\n"
        "  Scan t\n" },
    { "outer join that is none",
        "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a WHERE u.c + 1 > 3",
        "Project a\n"
        "  Filter ((c + 1) > 3)\n"
        "    Join, LeftOuter, (a = a)\n"
        "      Scan t\n"
        "      Scan u\n",
        "Project a\n"
        "  BroadcastHashJoin (a = a), Inner\n"
        "    Scan t\n"
        "    Project a\n"
        "      Filter ((c + 1) > 3)\n"
        "        Scan u\n" },
    { "outer join that stays",
        "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a WHERE coalesce(u.c, 5) > 3",
        "Project a\n"
        "  Filter (coalesce(c, 5) > 3)\n"
        "    Join, LeftOuter, (a = a)\n"
        "      Scan t\n"
        "      Scan u\n",
        "Project a\n"
        "  Filter (coalesce(c, 5) > 3)\n"
        "    BroadcastHashJoin (a = a), LeftOuter\n"
        "      Scan t\n"
        "      Scan u\n" },
    { "full join that keeps one side",
        "SELECT t.a FROM t FULL JOIN u ON t.a = u.a WHERE t.c = 3",
        "Project a\n"
        "  Filter (c = 3)\n"
        "    Join, FullOuter, (a = a)\n"
        "      Scan t\n"
        "      Scan u\n",
        "Project a\n"
        "  BroadcastHashJoin (a = a), LeftOuter\n"
        "    Project a\n"
        "      Filter (c = 3)\n"
        "        Scan t\n"
        "    Scan u\n" },
    { "common subplans",
        "WITH q AS (SELECT b, count(*) n FROM t GROUP BY b) SELECT x.n FROM q x JOIN q y ON x.b = y.b",
        "Project n\n"
        "  Join, Inner, (b = b)\n"
        "    Project b, count(1)\n"
        "      Aggregate b, count(1)\n"
        "        Scan t\n"
        "    Project b, count(1)\n"
        "      Aggregate b, count(1)\n"
        "        Scan t\n",
        "Project n\n"
        "  BroadcastHashJoin (b = b), Inner\n"
        "    Project b, count(1)\n"
        "      Aggregate b, count(1)\n"
        "        Scan t\n"
        "    Project b\n"
        "      ReusedAggregate\n" },
    { "common subplans: not with other conditions",
        "WITH q AS (SELECT b, count(*) n FROM t GROUP BY b) SELECT 1 FROM q x, q y WHERE x.b = 'x' AND y.b = 'y'",
        "Project 1\n"
        "  Filter (b = x), (b = y)\n"
        "    Join, Inner\n"
        "      Project b, count(1)\n"
        "        Aggregate b, count(1)\n"
        "          Scan t\n"
        "      Project b, count(1)\n"
        "        Aggregate b, count(1)\n"
        "          Scan t\n",
        "Project 1\n"
        "  BroadcastNestedLoopJoin, Inner\n"
        "    Project\n"
        "      Aggregate b\n"
        "        Filter (b = x)\n"
        "          Scan t\n"
        "    Project\n"
        "      Aggregate b\n"
        "        Filter (b = y)\n"
        "          Scan t\n" },
    { "a table of the smaller side, whose rows are marked",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM range(1000000) WHERE id = t.a)",
        "Project a\n"
        "  Filter exists()\n"
        "    Join, ExistenceJoin, (id = a)\n"
        "      Scan t\n"
        "      Project 1, id\n"
        "        Range\n",
        "Project a\n"
        "  BroadcastHashJoin (a = id), LeftSemi, BuildLeft\n"
        "    Scan t\n"
        "    Project id\n"
        "      Range\n" },
    { "keys of a small side leave out rows below groups",
        "SELECT t.a, n FROM t LEFT JOIN (SELECT id, count(*) n FROM range(1000000) GROUP BY id) q ON q.id = t.c WHERE t.b = 'x'",
        "Project a, n\n"
        "  Filter (b = x)\n"
        "    Join, LeftOuter, (id = c)\n"
        "      Scan t\n"
        "      Project id, count(1)\n"
        "        Aggregate id, count(1)\n"
        "          Range\n",
        "Project a, n\n"
        "  BroadcastHashJoin (c = id), LeftOuter\n"
        "    Project a, c\n"
        "      Filter (b = x)\n"
        "        Scan t\n"
        "    Project id, count(1)\n"
        "      Aggregate id, count(1)\n"
        "        BroadcastHashJoin (id = c), LeftSemi\n"
        "          Range\n"
        "          Filter (b = x)\n"
        "            Scan t\n" },
    { "joins regrouped around what leaves few rows",
        "SELECT t.a FROM range(1000000) x, t, u WHERE x.id = t.c AND t.b = u.b AND u.a = 2",
        "Project a\n"
        "  Filter (id = c), (b = b), (a = 2)\n"
        "    Join, Inner\n"
        "      Join, Inner\n"
        "        Range\n"
        "        Scan t\n"
        "      Scan u\n",
        "Project a\n"
        "  BroadcastHashJoin (id = c), Inner\n"
        "    Range\n"
        "    BroadcastHashJoin (b = b), Inner\n"
        "      Scan t\n"
        "      Project b\n"
        "        Filter (a = 2)\n"
        "          Scan u\n" },
    { "dependants",
        "SELECT a - 1, c, a, count(*), 2 FROM t GROUP BY a - 1, c, a, a + c, a, 2",
        "Project (a - 1), c, a, count(1), 2\n"
        "  Aggregate (a - 1), c, a, (a + c), count(1)\n"
        "    Scan t\n",
        "Project (a - 1), c, a, count(1), 2\n"
        "  Aggregate c, a, count(1)\n"
        "    Scan t\n" },
    { "dependants: not of what is equal, but not the same",
        "SELECT d, 1 / d, count(*) FROM (SELECT CAST(a AS DOUBLE) d FROM t) GROUP BY d, 1 / d",
        "Project d, (1 / d), count(1)\n"
        "  Aggregate d, (1 / d), count(1)\n"
        "    Project CAST(a AS DOUBLE)\n"
        "      Scan t\n",
        "Project d, (1 / d), count(1)\n"
        "  Aggregate d, (1.0 / d), count(1)\n"
        "    Project CAST(a AS DOUBLE)\n"
        "      Scan t\n" },
    { "sums of x and constants",
        "SELECT sum(x + 1), sum(x + 2), sum(3 + x) FROM (SELECT CAST(a AS SMALLINT) x FROM t)",
        "Project sum((x + 1)), sum((x + 2)), sum((3 + x))\n"
        "  Aggregate, sum((x + 1)), sum((x + 2)), sum((3 + x))\n"
        "    Project CAST(a AS SMALLINT)\n"
        "      Scan t\n",
        "Project (sum + (count * 1)), (sum + (count * 2)), (sum + (count * 3))\n"
        "  Aggregate, sum, count\n"
        "    Project CAST(a AS SMALLINT)\n"
        "      Scan t\n" },
    { "of unions only the last has distinct rows",
        "SELECT a FROM t UNION SELECT c FROM t UNION SELECT DISTINCT c FROM u",
        "Distinct\n"
        "  Union\n"
        "    Project a\n"
        "      Union\n"
        "        Project a\n"
        "          Project a\n"
        "            Scan t\n"
        "        Project c\n"
        "          Project c\n"
        "            Scan t\n"
        "    Project c\n"
        "      Project c\n"
        "        Scan u\n",
        "Distinct\n"
        "  Union\n"
        "    Project a\n"
        "      Union\n"
        "        Project a\n"
        "          Scan t\n"
        "        Project c\n"
        "          Scan t\n"
        "    Project c\n"
        "      Scan u\n" },
    { "hint: a table",
        "SELECT /*+ BROADCAST(t) */ t.a FROM t, range(1000000000) WHERE t.a = id",
        "Project a\n"
        "  Filter (a = id)\n"
        "    Join, Inner\n"
        "      Scan t\n"
        "      Range\n",
        "Project a\n"
        "  BroadcastHashJoin (id = a), Inner\n"
        "    Range\n"
        "    Scan t\n" },
    { "hint: both shuffled",
        "SELECT /*+ MERGE(t), NO_SUCH_HINT(1) */ t.a FROM t, u WHERE t.a = u.a",
        "Project a\n"
        "  Filter (a = a)\n"
        "    Join, Inner\n"
        "      Scan t\n"
        "      Scan u\n",
        "Project a\n"
        "  ShuffledHashJoin (a = a), Inner\n"
        "    Scan t\n"
        "    Scan u\n" },
    { "a filter of keys: the larger side",
        "SELECT a.id, v FROM range(9000000) a JOIN (SELECT id, id v FROM range(4000000)) b ON a.id = b.id + 1 WHERE v % 3 < 1",
        "Project id, v\n"
        "  Filter ((v % 3) < 1)\n"
        "    Join, Inner, (id = (id + 1))\n"
        "      Range\n"
        "      Project id, id\n"
        "        Range\n",
        "Project id, v\n"
        "  ShuffledHashJoin (id = (id + 1)), Inner\n"
        "    BloomFilter (id = key), LeftSemi\n"
        "      Range\n"
        "      Project (id + 1)\n"
        "        Filter ((id % 3) < 1)\n"
        "          Range\n"
        "    Project id, id\n"
        "      Filter ((id % 3) < 1)\n"
        "        Range\n" },
    { "a filter of keys: not of a side that has all rows",
        "SELECT a.id, v FROM range(9000000) a LEFT JOIN (SELECT id, id v FROM range(4000000) WHERE id % 3 < 1) b "
        "ON a.id = b.id",
        "Project id, v\n"
        "  Join, LeftOuter, (id = id)\n"
        "    Range\n"
        "    Project id, id\n"
        "      Filter ((id % 3) < 1)\n"
        "        Range\n",
        "Project id, v\n"
        "  ShuffledHashJoin (id = id), LeftOuter\n"
        "    Range\n"
        "    Project id, id\n"
        "      Filter ((id % 3) < 1)\n"
        "        Range\n" },
    { "a filter of keys: not where most are left",
        "SELECT a.id, v FROM range(9000000) a JOIN (SELECT id, id v FROM range(4000000) WHERE id % 3 <> 1) b "
        "ON a.id = b.id",
        "Project id, v\n"
        "  Join, Inner, (id = id)\n"
        "    Range\n"
        "    Project id, id\n"
        "      Filter (NOT ((id % 3) = 1))\n"
        "        Range\n",
        "Project id, v\n"
        "  ShuffledHashJoin (id = id), Inner\n"
        "    Range\n"
        "    Project id, id\n"
        "      Filter (NOT ((id % 3) = 1))\n"
        "        Range\n" },
    { "limits of the rows of partitions",
        "SELECT a, r FROM (SELECT a, rank() OVER (PARTITION BY b ORDER BY a) r FROM t) WHERE 3 > r",
        "Project a, r\n"
        "  Filter (3 > r)\n"
        "    Project a, " RANK "\n"
        "      Window by a\n"
        "        Scan t\n",
        "Project a, " RANK "\n"
        "  Filter (3 > " RANK ")\n"
        "    Window by a, first 2 with ties\n"
        "      Scan t\n" },
};

static void test_rules(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = explained(sc, cases[i].query), want[2000];
        snprintf(want, sizeof want, "== Analyzed Logical Plan ==\n%s\n== Optimized Logical Plan ==\n%s",
            cases[i].before, cases[i].after);
        if (strcmp(text, want) != 0)
            fail_msg("%s:\n%swanted:\n%s", cases[i].rule, text, want);
        free(text);
    }
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rules) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
