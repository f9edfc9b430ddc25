/* SPDX-License-Identifier: Apache-2.0 */
/* Joins of SQL, by a table and by shuffling both sides, beside loops over all pairs: every kind of join, keys of
 * several types and shapes with NULLs, with and without further conditions; the same bytes for any number of
 * threads, batch size, budget and plan of faults. */
#include "../support/sql_test.h"


/* side: row i has the key (i * times + plus) % values, NULL where i % nulls is 0, and the value i. */
typedef struct side {
    int64_t rows, times, plus, values, nulls;
} side;

typedef struct shape {
    side l, r;
} shape;

static const shape shapes[] = {
    { { 50, 7, 3, 20, 9 }, { 40, 5, 1, 25, 7 } },
    { { 0, 1, 0, 1, 1 }, { 30, 1, 0, 10, 5 } },
    { { 30, 1, 0, 10, 5 }, { 0, 1, 0, 1, 1 } },
    { { 60, 1, 0, 3, 1000 }, { 70, 1, 0, 4, 1000 } },  /* hot keys */
    { { 40, 1, 0, 100, 1 }, { 20, 1, 0, 100, 1 } },    /* nothing but NULLs */
    { { 1, 1, 0, 1, 1000 }, { 1500, 1, 0, 1, 1000 } }, /* one key */
    { { 2500, 13, 5, 4000, 11 }, { 1200, 17, 0, 4100, 13 } },
};

typedef struct row {
    bool present;
    int64_t k, v;
} row;

static row row_of(const side *s, int64_t i)
{
    return (row) { i % s->nulls != 0, (i * s->times + s->plus) % s->values, i };
}

typedef enum kind { INNER, LEFT, RIGHT, FULL, SEMI, ANTI, NOT_IN, MARK, SINGLE } kind;

/* extra: a condition beside the keys. */
static bool extra(bool has, row l, row r)
{
    return !has || (l.v + r.v) % 3 != 0;
}

/* lines: of an answer, which are put in order. */
typedef struct lines {
    char **at;
    size_t n, room;
} lines;

static void add_line(lines *out, const char *text)
{
    if (out->n == out->room) {
        out->room = out->room ? out->room * 2 : 64;
        out->at = realloc(out->at, out->room * sizeof *out->at);
        assert_non_null(out->at);
    }
    out->at[out->n++] = strdup(text);
}

static int by_text(const void *a, const void *b)
{
    char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static void free_lines(lines *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    free(l->at);
}

static void add_pair(lines *out, const row *l, const row *r)
{
    char text[100], left[30] = "NULL", right[30] = "NULL";
    if (l)
        snprintf(left, sizeof left, "%lld", (long long)l->v);
    if (r)
        snprintf(right, sizeof right, "%lld", (long long)r->v);
    snprintf(text, sizeof text, "%s|%s", left, right);
    add_line(out, text);
}

static void add_one(lines *out, row l)
{
    char text[40];
    snprintf(text, sizeof text, "%lld", (long long)l.v);
    add_line(out, text);
}

/* left_row: what a left row gives that has met all right ones. */
static void left_row(lines *out, kind k, const shape *s, row l, int64_t matches, bool null, int64_t first)
{
    char text[60];
    if ((k == LEFT || k == FULL) && !matches)
        add_pair(out, &l, NULL);
    if (k == SEMI ? matches > 0 : k == ANTI && !matches)
        add_one(out, l);
    const bool unknown = !matches && (null || (!l.present && s->r.rows > 0));
    if (k == NOT_IN && !matches && !unknown)
        add_one(out, l);
    if (k == MARK) {
        snprintf(text, sizeof text, "%lld|%s", (long long)l.v, matches ? "true" : "false");
        add_line(out, text);
    }
    if (k == SINGLE) {
        snprintf(text, sizeof text, matches ? "%lld|%lld" : "%lld|NULL", (long long)l.v, (long long)first);
        add_line(out, text);
    }
}

/* wanted: by loops. safe: NULL equals NULL. */
static lines wanted(const shape *s, kind k, bool with, bool safe)
{
    lines out = { NULL, 0, 0 };
    bool *met = calloc((size_t)s->r.rows + 1, 1), null = false;
    for (int64_t i = 0; i < s->r.rows; i++)
        null |= !row_of(&s->r, i).present;
    for (int64_t i = 0; i < s->l.rows; i++) {
        const row l = row_of(&s->l, i);
        int64_t matches = 0, first = -1;
        for (int64_t j = 0; j < s->r.rows; j++) {
            const row r = row_of(&s->r, j);
            const bool both = l.present && r.present && l.k == r.k;
            if (!(both || (safe && !l.present && !r.present)) || !extra(with, l, r))
                continue;
            matches++;
            first = j > first ? j : first;
            met[j] = true;
            if (k <= FULL)
                add_pair(&out, &l, &r);
        }
        left_row(&out, k, s, l, matches, null, first);
    }
    for (int64_t j = 0; (k == RIGHT || k == FULL) && j < s->r.rows; j++) {
        const row r = row_of(&s->r, j);
        if (!met[j])
            add_pair(&out, NULL, &r);
    }
    free(met);
    if (out.n)
        qsort(out.at, out.n, sizeof *out.at, by_text);
    return out;
}

static const char *const key_types[]
    = { "%s", "CAST(%s AS STRING)", "CAST(%s AS DECIMAL(30, 2))", "named_struct('a', %s)", "CAST(%s AS INT)" };

static void create(spark_context *sc, const char *name, const side *s, size_t type)
{
    char key[300], cast[400], text[1000];
    snprintf(key, sizeof key, "IF(id %% %lld = 0, NULL, (id * %lld + %lld) %% %lld)", (long long)s->nulls,
        (long long)s->times, (long long)s->plus, (long long)s->values);
    snprintf(cast, sizeof cast, key_types[type], key);
    if (type == 3) /* a struct that is NULL, not one of NULL */
        snprintf(cast, sizeof cast, "IF(id %% %lld = 0, NULL, named_struct('a', (id * %lld + %lld) %% %lld))",
            (long long)s->nulls, (long long)s->times, (long long)s->plus, (long long)s->values);
    snprintf(text, sizeof text, "CREATE OR REPLACE TEMP VIEW %s AS SELECT %s k, id v FROM range(0, %lld, 1, %d)", name,
        cast, (long long)s->rows, name[0] == 'l' ? 3 : 2);
    sql_run(sc, text);
}

static void statement(char *text, size_t size, kind k, bool with, bool safe)
{
    const char *equal = safe ? "<=>" : "=", *and = with ? " AND (l.v + r.v) % 3 <> 0" : "";
    static const char *const joins[]
        = { "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN" };
    if (k <= ANTI)
        snprintf(
            text, size, "SELECT l.v%s FROM l %s r ON l.k %s r.k%s", k <= FULL ? ", r.v" : "", joins[k], equal, and);
    else if (k == NOT_IN)
        snprintf(text, size, "SELECT v FROM l WHERE k NOT IN (SELECT k FROM r)");
    else if (k == MARK)
        snprintf(text, size, "SELECT v, k IN (SELECT k FROM r) FROM l");
    else
        snprintf(text, size, "SELECT v, (SELECT max(r.v) FROM r WHERE r.k %s l.k%s) FROM l", equal, and);
}

/* lines_of: the rows of a statement, as text, sorted. */
static lines lines_of(spark_context *sc, const char *sql)
{
    lines out = { NULL, 0, 0 };
    char *text = sql_answer(sc, sql);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        add_line(&out, line);
    }
    free(text);
    if (out.n)
        qsort(out.at, out.n, sizeof *out.at, by_text);
    return out;
}

/* open_context: variant SQL_VARIANTS: with batches of another size. */
static spark_context *open_context(size_t variant)
{
    const sql_kind with = { .name = "joins", .master = "local-cluster[2,1,256]",
        .batch_rows = variant == SQL_VARIANTS ? 7 : 1, .max_failures = 20, .seed = 11 };
    return sql_open(&with, variant == SQL_VARIANTS ? SQL_BATCHES : variant);
}

static void threshold(spark_context *sc, bool tables)
{
    const char *text = tables ? "SET spark.sql.autoBroadcastJoinThreshold = 10MB"
                              : "SET spark.sql.autoBroadcastJoinThreshold = -1";
    sql_run(sc, text);
}

static void compare(const char *sql, const lines *want, const lines *have)
{
    bool same = want->n == have->n;
    for (size_t i = 0; same && i < want->n; i++)
        same = strcmp(want->at[i], have->at[i]) == 0;
    if (same)
        return;
    for (size_t i = 0; i < want->n || i < have->n; i++)
        if (i >= want->n || i >= have->n || strcmp(want->at[i], have->at[i]) != 0)
            fail_msg("%s: %zu rows, wanted %zu; row %zu: %s, wanted %s", sql, have->n, want->n, i,
                i < have->n ? have->at[i] : "none", i < want->n ? want->at[i] : "none");
}

static void one(spark_context *sc, const shape *s, kind k, bool with, bool safe)
{
    char sql[500];
    statement(sql, sizeof sql, k, with, safe);
    lines want = wanted(s, k, with, safe);
    for (int tables = 0; tables < 2; tables++) {
        threshold(sc, tables);
        lines have = lines_of(sc, sql);
        compare(sql, &want, &have);
        free_lines(&have);
    }
    free_lines(&want);
}

static void test_kinds(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (size_t type = 0; type < sizeof key_types / sizeof key_types[0]; type++) {
            if (type > 0 && shapes[i].l.rows > 100)
                continue;
            create(sc, "l", &shapes[i].l, type);
            create(sc, "r", &shapes[i].r, type);
            for (kind k = INNER; k <= SINGLE; k++)
                for (int with = 0; with < (k == NOT_IN || k == MARK ? 1 : 2); with++) {
                    one(sc, &shapes[i], k, with, false);
                    if (k <= ANTI && type < 2)
                        one(sc, &shapes[i], k, with, true);
                }
        }
    spark_context_free(sc);
}

/* test_same: the same bytes, whatever the context is like. */
static void test_same(void **state)
{
    (void)state;
    enum { STATEMENTS = 18 };
    const shape *s = &shapes[sizeof shapes / sizeof shapes[0] - 1];
    char *first[2][STATEMENTS];
    for (size_t variant = 0; variant <= SQL_VARIANTS; variant++) {
        spark_context *sc = open_context(variant);
        create(sc, "l", &s->l, 1);
        create(sc, "r", &s->r, 1);
        for (size_t i = 0; i < 2 * STATEMENTS; i++) {
            char sql[500];
            statement(sql, sizeof sql, (kind)(i / 2 % 9), i % 2, false);
            threshold(sc, i >= STATEMENTS);
            sql_same(variant, sql, sql_answer(sc, sql), &first[i / STATEMENTS][i % STATEMENTS]);
        }
        spark_context_free(sc);
    }
    for (size_t i = 0; i < 2 * STATEMENTS; i++)
        free(first[i / STATEMENTS][i % STATEMENTS]);
}

/* test_large: sides that no budget of 64 MiB holds. */
static void test_large(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(
        &(spark_conf) { .app_name = "joins", .threads = 2, .memory_bytes = (uint64_t)64 << 20 });
    static const sql_case cases[] = {
        { "SELECT count(*), sum(a.id), sum(length(b.s)) FROM range(1500000) a JOIN (SELECT id * 2 i, 'row ' || "
        "id s FROM "
          "range(1500000)) b ON a.id = b.i",
            "750000|562499250000|7388890\n" },
        { "SELECT count(*), count(b.i) FROM range(1500000) a FULL JOIN (SELECT id * 2 i FROM range(1500000)) b "
        "ON a.id = "
          "b.i",
            "2250000|1500000\n" },
        { "SELECT count(*) FROM range(1500000) a WHERE id NOT IN (SELECT nullif(id * 3, -3) FROM range(1500000))",
            "1000000\n" },
        { "SELECT count(*) FROM range(1500000) a LEFT SEMI JOIN range(1000000) b ON a.id = b.id + 500000 AND "
        "a.id % 2 = "
          "b.id % 2",
            "1000000\n" },
    };
    threshold(sc, false);
    sql_all_give(sc, 0, sizeof cases / sizeof cases[0], cases);
    spark_context_free(sc);
}

/* test_guessed: a side that was taken for small, and does not fit: both are shuffled after all, of joins of each kind;
 * with a hint it is an error. */
static void test_guessed(void **state)
{
    (void)state;
#define WIDE "(SELECT id i, repeat(cast(id AS string), 40) s FROM range(300000)) b"
    static const char *const cases[] = {
        "SELECT a.id % 5, count(*), sum(length(s)), sum(i) FROM range(500000) a JOIN " WIDE " ON a.id = i + 2 JOIN "
        "range(300000) c ON c.id = i GROUP BY 1 ORDER BY 1",
        "SELECT count(*), sum(length(s)), sum(i) FROM range(500000) a LEFT JOIN " WIDE " ON a.id = i + 2 AND "
        "i % 7 < length(s) % 9",
        "SELECT count(*), sum(length(s)), sum(i) FROM " WIDE " RIGHT JOIN range(500000) a ON a.id = i + 2",
        "SELECT count(*), sum(id) FROM range(500000) WHERE EXISTS (SELECT 1 FROM " WIDE " WHERE i = id AND "
        "length(s) > id % 200)",
        "SELECT count(*), sum(id) FROM (SELECT id + 1 id FROM range(500000)) WHERE NOT EXISTS (SELECT 1 FROM " WIDE
        " WHERE i = id AND length(s) > id % 200)",
        "SELECT count(*), sum(id) FROM range(500000) WHERE CAST(id AS string) NOT IN (SELECT substr(s, 1, 3) FROM " WIDE
        ")",
        "SELECT count(*), sum(length(s)) FROM (SELECT (SELECT s FROM " WIDE " WHERE i = id) s FROM range(1000))",
        "SELECT count(*), sum(length(s)) FROM " WIDE " WHERE EXISTS (SELECT 1 FROM range(2000000) WHERE id * 2 = i AND "
        "length(s) > id % 100)",
        "SELECT count(*), sum(length(s)) FROM " WIDE " LEFT ANTI JOIN range(2000000) ON id * 2 = i",
    };
    spark_context *ample = spark_context_new(&(spark_conf) { .app_name = "joins", .threads = 2 });
    spark_context *tight = spark_context_new(
        &(spark_conf) { .app_name = "joins", .threads = 2, .memory_bytes = (uint64_t)48 << 20 });
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *want = sql_answer(ample, cases[i]), *have = sql_answer(tight, cases[i]);
        assert_string_equal(have, want);
        free(want);
        free(have);
    }
    assert_null(sql_rows(spark_sql(
        tight, "SELECT /*+ BROADCAST(b) */ sum(length(s)) FROM range(500000) a JOIN " WIDE " ON a.id = i")));
    assert_non_null(strstr(spark_last_error()->message, "the hint SHUFFLE_HASH"));
#undef WIDE
    spark_context_free(tight);
    spark_context_free(ample);
}

/* test_explain: which of the two it is, and the side that becomes the table. */
static void test_explain(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *shows;
    } cases[] = {
        { "EXPLAIN SELECT * FROM range(5000000) a JOIN range(5000000) b ON a.id = b.id", "ShuffledHashJoin (id "
        "= id)" },
        { "EXPLAIN SELECT * FROM range(10) a JOIN range(5000000) b ON a.id = b.id", "BroadcastHashJoin (id = id)" },
        { "EXPLAIN SELECT * FROM range(10) a LEFT JOIN range(5000000) b ON a.id = b.id", "ShuffledHashJoin (id "
        "= id)" },
        { "EXPLAIN SELECT * FROM range(10) a RIGHT JOIN range(5000000) b ON a.id = b.id", "LeftOuter" },
        { "EXPLAIN SELECT * FROM range(500000) a LEFT SEMI JOIN range(5000000) b ON a.id = b.id", "BuildLeft" },
        { "EXPLAIN SELECT * FROM range(10) a FULL JOIN range(10) b ON a.id = b.id", "ShuffledHashJoin (id = id)" },
        { "EXPLAIN SELECT * FROM range(10) a JOIN range(10) b ON a.id < b.id", "BroadcastNestedLoopJoin, Inner" },
        { "EXPLAIN SELECT * FROM range(10) WHERE id NOT IN (SELECT nullif(id, 3) FROM range(10))", "(null-aware)" },
    };
    spark_context *sc = open_context(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spark_array rows;
        char cell[4000];
        size_t n;
        spark_rdd *rdd = spark_sql(sc, cases[i].sql);
        assert_int_equal(spark_collect(rdd, NULL, &rows), SPARK_OK);
        assert_true(spark_sql_text(rdd, spark_row_of(&rows, 0), 0, cell, sizeof cell, &n));
        if (!strstr(cell, cases[i].shows))
            fail_msg("%s:\n%s", cases[i].sql, cell);
        spark_array_free(&rows);
    }
    assert_int_not_equal(
        spark_rdd_status(spark_sql(sc, "SET spark.sql.autoBroadcastJoinThreshold = much")), SPARK_OK);
    spark_context_free(sc);
}

/* test_order: a join that leaves few rows with a small table is done before one with a larger table. */
static void test_order(void **state)
{
    (void)state;
    static const char from[] = "FROM range(300000) a, (SELECT id FROM range(90000) WHERE id % 3 = 1) b, range(1000) c, "
                               "(SELECT id, id x FROM range(20) WHERE id = 7) d "
                               "WHERE a.id % 80021 = b.id AND a.id % 997 = c.id AND c.id % 20 = d.id";
    spark_context *sc = open_context(0);
    char text[600];
    (void)snprintf(text, sizeof text, "EXPLAIN SELECT count(*), sum(a.id + b.id * 2 + c.id * 3 + x) %s", from);
    char *plan = sql_answer(sc, text);
    const char *large = strstr(plan, "80021"), *small = strstr(plan, "997");
    if (!large || !small || large > small)
        fail_msg("%s", plan);
    free(plan);
    int64_t n = 0, sum = 0;
    for (int64_t a = 0; a < 300000; a++)
        if (a % 80021 % 3 == 1 && a % 997 % 20 == 7) {
            n++;
            sum += a + a % 80021 * 2 + a % 997 * 3 + 7;
        }
    for (int tables = 0; tables < 2; tables++) {
        char want[60];
        (void)snprintf(want, sizeof want, "%lld|%lld\n", (long long)n, (long long)sum);
        threshold(sc, tables);
        sql_gives(spark_sql(sc, text + strlen("EXPLAIN ")), want);
    }
    spark_context_free(sc);
}

/* test_shared: what two joins and an aggregate are given is not reduced to the keys of one of them; the right side of a
 * join is, also below a join of its own. */
static void test_shared(void **state)
{
    (void)state;
    static const char common[] = "WITH c AS (SELECT k, sum(v) s FROM big GROUP BY k) ";
    static const char join[] = "SELECT small.k, s FROM small LEFT JOIN c ON small.k = c.k WHERE j = 7 AND small.k < 9";
    static const char below[] = "SELECT small.k, s FROM small LEFT JOIN (SELECT k, sum(v + w) s FROM big JOIN other ON "
                                "v % 3 = o GROUP BY k) c ON small.k = c.k WHERE j = 7 AND small.k < 10";
    char text[1000];
    spark_context *sc = open_context(0);
    sql_run(sc, "CACHE TABLE big AS SELECT id % 10000 k, id v FROM range(300000)");
    sql_run(sc, "CACHE TABLE small AS SELECT id k, id % 50 j FROM range(1000)");
    sql_run(sc, "CACHE TABLE other AS SELECT id o, id * 10 w FROM range(3)");
    (void)snprintf(text, sizeof text, "%s SELECT * FROM (%s) UNION ALL SELECT count(*), sum(s) FROM c", common, join);
    sql_gives(spark_sql(sc, text), "7|4350210\n10000|44999850000\n");
    sql_gives(spark_sql(sc, below), "7|4350510\n");
    (void)snprintf(text, sizeof text, "EXPLAIN %s", below);
    char *plan = sql_answer(sc, text);
    const char *join_of_other = strstr(plan, "Inner"), *semi = strstr(plan, "LeftSemi");
    if (!join_of_other || !semi || semi < join_of_other)
        fail_msg("%s", plan);
    free(plan);
    spark_context_free(sc);
}

static void blooms(spark_context *sc, bool enabled)
{
    sql_run(sc, enabled ? "SET spark.sql.optimizer.runtime.bloomFilter.enabled = true"
                        : "SET spark.sql.optimizer.runtime.bloomFilter.enabled = false");
}

static void create_sides(spark_context *sc)
{
    threshold(sc, false);
    sql_run(sc, "CREATE TEMP VIEW big AS SELECT IF(id % 11 = 0, NULL, id * 7 % 50021) k, id v FROM range(0, 210000, 1, 3)");
    sql_run(sc, "CREATE TEMP VIEW mid AS SELECT IF(id % 13 = 0, NULL, id * 3 % 60000) k, id % 50 f, id w FROM range(60000)");
    sql_run(sc, "CREATE TEMP VIEW few AS SELECT * FROM mid WHERE f = 3");
}

static const char *const with_filters[] = {
    "SELECT v, w FROM big JOIN few ON big.k = few.k",                       /* a bit for each number */
    "SELECT v, w FROM big JOIN few ON big.k * 1000003 = few.k * 1000003",   /* a Bloom filter from here on */
    "SELECT v, w FROM big JOIN few ON big.k = few.k AND v % 50 = f",        /* of two words */
    "SELECT v, w FROM big JOIN few ON 'k' || big.k = 'k' || few.k",         /* of rows */
    "SELECT v, w FROM big JOIN few ON big.k <=> few.k AND (v + w) % 210 = 0",
    "SELECT v, w FROM big JOIN (SELECT * FROM mid WHERE f < 45) m ON big.k = m.k", /* more than was thought: all pass */
    "SELECT v, w FROM big JOIN (SELECT * FROM mid WHERE f = 77) m ON big.k = m.k", /* and none */
    "SELECT v FROM big LEFT SEMI JOIN few ON big.k = few.k",
    "SELECT v, w FROM big RIGHT JOIN few ON big.k = few.k",
    "SELECT w, v FROM few LEFT JOIN big ON few.k = big.k",
    "SELECT w FROM few LEFT SEMI JOIN big ON few.k = big.k",
    "SELECT w FROM few LEFT ANTI JOIN big ON few.k = big.k",
    "SELECT s, w FROM (SELECT k, sum(v) s FROM big GROUP BY k) g JOIN few ON g.k = few.k", /* below the groups */
};
enum { WITH_FILTERS = sizeof with_filters / sizeof with_filters[0] };

/* test_blooms: the same rows as without the filter. */
static void test_blooms(void **state)
{
    (void)state;
    spark_context *sc = open_context(1);
    create_sides(sc);
    for (size_t i = 0; i < WITH_FILTERS; i++) {
        char text[300];
        (void)snprintf(text, sizeof text, "EXPLAIN %s", with_filters[i]);
        lines rows[2];
        for (int enabled = 0; enabled < 2; enabled++) {
            blooms(sc, enabled);
            char *plan = sql_answer(sc, text);
            if ((strstr(plan, "BloomFilter") != NULL) != enabled || !strstr(plan, "ShuffledHashJoin"))
                fail_msg("%s:\n%s", with_filters[i], plan);
            free(plan);
            rows[enabled] = lines_of(sc, with_filters[i]);
        }
        compare(with_filters[i], &rows[0], &rows[1]);
        free_lines(&rows[0]);
        free_lines(&rows[1]);
    }
    spark_context_free(sc);
}

/* test_same_blooms: and the same bytes, whatever the context is like. */
static void test_same_blooms(void **state)
{
    (void)state;
    enum { SOME = 4 };
    char *first[SOME] = { NULL };
    for (size_t variant = 0; variant <= SQL_VARIANTS; variant++) {
        spark_context *sc = open_context(variant);
        create_sides(sc);
        for (size_t i = 0; i < SOME; i++) {
            char text[300];
            (void)snprintf(text, sizeof text, "%s WHERE w %% 1000 < 300", with_filters[i]);
            sql_same(variant, text, sql_answer(sc, text), &first[i]);
        }
        spark_context_free(sc);
    }
    for (size_t i = 0; i < SOME; i++)
        free(first[i]);
}

/* Statements that are planned in another way than they are written, and others that give the same; in: what of the plan
 * has `has`. */
static const struct {
    const char *sql, *other, *in, *has;
    bool is;
} rewritten[] = {
    { "SELECT x.g, x.k, count(y.v), count(y.k) FROM x LEFT JOIN y ON x.k = y.k GROUP BY x.g, x.k",
        "SELECT x.g, x.k, sum(IF(y.v IS NULL, 0, 1)), sum(IF(y.k IS NULL, 0, 1)) FROM x LEFT JOIN y ON x.k = y.k "
        "GROUP BY x.g, x.k",
        "LeftOuter", "Aggregate", true },
    { "SELECT x.g, count(y.v) FROM x LEFT JOIN y ON y.k = x.k AND y.v % 3 <> 1 GROUP BY x.g",
        "SELECT x.g, sum(IF(y.v IS NULL, 0, 1)) FROM x LEFT JOIN y ON y.k = x.k AND y.v % 3 <> 1 GROUP BY x.g",
        "LeftOuter", "Aggregate", true },
    { "SELECT count(y.v), 0 FROM x LEFT JOIN y ON x.k = y.k AND x.k + 1 = y.w",
        "SELECT sum(IF(y.v IS NULL, 0, 1)), 0 FROM x LEFT JOIN y ON x.k = y.k AND x.k + 1 = y.w",
        "LeftOuter", "Aggregate", true },
    { "SELECT x.g, count(y.v) FROM x LEFT JOIN y ON x.k = y.k AND x.g <> y.w GROUP BY x.g",
        "SELECT x.g, sum(IF(y.v IS NULL, 0, 1)) FROM x LEFT JOIN y ON x.k = y.k AND x.g <> y.w GROUP BY x.g",
        "LeftOuter", "Aggregate", false },
    { "SELECT x.g, count(1) FROM x LEFT JOIN y ON x.k = y.k GROUP BY x.g",
        "SELECT x.g, sum(1) FROM x LEFT JOIN y ON x.k = y.k GROUP BY x.g", "LeftOuter", "Aggregate", false },
    { "SELECT y.w, few.w, count(z.v) FROM y JOIN few ON y.k = few.k JOIN z ON z.k = y.k GROUP BY y.w, few.w",
        "SELECT y.w, few.w, count(z.v) FROM y JOIN few ON y.k + 0 = few.k JOIN z ON z.k = y.k GROUP BY y.w, few.w", "",
        "LeftSemi", true },
};

static void create_tables(spark_context *sc)
{
    sql_run(sc, "CREATE TEMP VIEW x AS SELECT IF(id % 101 = 0, NULL, id) k, id % 7 g FROM range(30000)");
    sql_run(sc, "CREATE TEMP VIEW y AS SELECT IF(id % 31 = 0, NULL, id * 7919 % 40000) k, IF(id % 5 = 0, NULL, id) v, "
                "id % 13 w FROM range(0, 250000, 1, 3)");
    sql_run(sc, "CREATE TEMP VIEW few AS SELECT id k, id % 3 w FROM range(20000) WHERE id % 10 < 3");
    sql_run(sc, "CREATE TEMP VIEW z AS SELECT id % 15000 k, IF(id % 3 = 0, NULL, id) v FROM range(50000)");
    sql_run(sc, "SET spark.sql.autoBroadcastJoinThreshold = 2000000");
}

static void test_rewritten(void **state)
{
    (void)state;
    for (size_t variant = 0; variant < 2; variant++) {
        spark_context *sc = open_context(variant);
        create_tables(sc);
        for (size_t i = 0; i < sizeof rewritten / sizeof rewritten[0]; i++) {
            char text[400];
            (void)snprintf(text, sizeof text, "EXPLAIN %s", rewritten[i].sql);
            char *plan = sql_answer(sc, text), *at = strstr(plan, rewritten[i].in);
            if (!at || (strstr(at, rewritten[i].has) != NULL) != rewritten[i].is)
                fail_msg("%s:\n%s", rewritten[i].sql, plan);
            free(plan);
            lines want = lines_of(sc, rewritten[i].other), have = lines_of(sc, rewritten[i].sql);
            assert_true(want.n > 0);
            compare(rewritten[i].sql, &want, &have);
            free_lines(&want);
            free_lines(&have);
        }
        spark_context_free(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_guessed),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_blooms),
        cmocka_unit_test(test_same_blooms),
        cmocka_unit_test(test_rewritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
