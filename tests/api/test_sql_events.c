/* SPDX-License-Identifier: Apache-2.0 */
/* Executions of SQL as listeners hear of them: which jobs are whose, how they end, and what their plans say. */
#include "oracle.h"

#include <pthread.h>
#include <spark/sql.h>

enum { MOST = 200, JOBS = 2000 };

typedef struct heard {
    spark_sql_execution x;
    bool ended;
    int jobs, ended_jobs;
    char text[400], plan[4000], failure[400], description[100], action[40];
    int64_t rows[20]; /* of operators; -1: not known */
} heard;

typedef struct ears {
    heard executions[MOST];
    int n, jobs, free_jobs; /* free_jobs: of no execution */
    int64_t of_job[JOBS];
    bool wrong;
} ears;

static heard *find(ears *e, int64_t id)
{
    for (int i = 0; i < e->n; i++)
        if (e->executions[i].x.id == id)
            return &e->executions[i];
    return NULL;
}

static void sql_start(void *env, const spark_sql_execution *x)
{
    ears *e = env;
    if (e->n == MOST || find(e, x->id) || x->end_time != 0 || x->n_operators == 0) {
        e->wrong = true;
        return;
    }
    heard *h = &e->executions[e->n++];
    h->x = *x;
    snprintf(h->text, sizeof h->text, "%s", x->text);
    snprintf(h->plan, sizeof h->plan, "%s", x->plan);
    snprintf(h->description, sizeof h->description, "%s", x->description);
    snprintf(h->action, sizeof h->action, "%s", x->action);
    for (size_t i = 0; i < x->n_operators; i++)
        e->wrong |= x->operators[i].depth != 0 && (i == 0 || x->operators[i].depth > x->operators[i - 1].depth + 1);
}

static void sql_end(void *env, const spark_sql_execution *x)
{
    ears *e = env;
    heard *h = find(e, x->id);
    if (!h || h->ended || x->end_time < x->start_time || x->start_time == 0 || h->jobs != h->ended_jobs) {
        e->wrong = true;
        return;
    }
    h->ended = true;
    h->x.status = x->status;
    h->x.end_time = x->end_time;
    for (size_t i = 0; i < 20; i++)
        h->rows[i] = i < x->n_operators ? x->operators[i].rows : -2;
    snprintf(h->failure, sizeof h->failure, "%s", x->failure);
}

static void job_start(void *env, const spark_job_info *job)
{
    ears *e = env;
    heard *h = find(e, job->execution);
    const char *id = NULL;
    char text[32];
    for (size_t i = 0; i < job->n_properties; i++)
        if (strcmp(job->properties[i].name, "spark.sql.execution.id") == 0)
            id = job->properties[i].value;
    snprintf(text, sizeof text, "%lld", (long long)job->execution);
    e->wrong |= (h == NULL) != (id == NULL) || (id && strcmp(id, text) != 0) || (h && h->ended) || job->id >= JOBS;
    e->jobs++;
    if (job->id < JOBS)
        e->of_job[job->id] = job->execution;
    if (h)
        h->jobs++;
    else
        e->free_jobs++;
}

static void job_end(void *env, const spark_job_info *job)
{
    heard *h = find(env, job->execution);
    if (h)
        h->ended_jobs++;
}

static spark_context *open_heard(ears *e, const spark_conf *conf)
{
    spark_context *sc = spark_context_new(conf);
    const spark_listener listener = { .env = e,
        .sql_start = sql_start,
        .sql_end = sql_end,
        .job_start = job_start,
        .job_end = job_end };
    oracle_ok(spark_add_listener(sc, &listener));
    return sc;
}

static void rows_of(spark_context *sc, const char *text, spark_status status)
{
    spark_array rows;
    assert_int_equal(spark_collect(spark_sql(sc, text), NULL, &rows), status);
    if (status == SPARK_OK)
        spark_array_free(&rows);
}

static void finish(spark_context *sc, ears *e)
{
    spark_context_free(sc);
    assert_false(e->wrong);
    for (int i = 0; i < e->n; i++)
        assert_true(e->executions[i].ended);
}

static void a_query_is_told_of(void **state)
{
    (void)state;
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 1000, 1, 4)));
    spark_set_job_description(sc, "first of all");
    rows_of(sc, "SELECT value % 3 AS k, count(*) AS n FROM t WHERE value > 10 GROUP BY 1 ORDER BY k", SPARK_OK);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, 1);
    const heard *h = &e->executions[0];
    assert_true(h->ended);
    assert_int_equal(h->x.status, SPARK_OK);
    assert_int_equal(h->jobs, e->jobs);
    assert_true(h->jobs >= 2); /* the sort looks at its keys first */
    assert_string_equal(h->text, "SELECT value % 3 AS k, count(*) AS n FROM t WHERE value > 10 GROUP BY 1 ORDER BY k");
    assert_string_equal(h->description, "first of all");
    assert_string_equal(h->action, "collect");
    assert_int_equal(strncmp(h->plan, "== Physical Plan ==\nSort", 24), 0);
    assert_non_null(strstr(h->plan, "\n+- "));
    assert_non_null(strstr(h->plan, "Filter (value"));
    static const int64_t wanted[] = { 3, 3, 3, 989, 1000, -2 }; /* sort, project, aggregate, filter, scan */
    for (int i = 0; i < 6; i++)
        assert_int_equal(h->rows[i], wanted[i]);
    finish(sc, e);
    free(e);
}

/* Rows of a cached table lie in blocks of columns, and go on as columns. */
static void rows_of_columns_are_counted(void **state)
{
    (void)state;
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
    oracle_ok(spark_keep_metrics(sc, NULL));
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 1000, 1, 4)));
    rows_of(sc, "CACHE TABLE t", SPARK_OK);
    spark_listeners_wait(sc);
    const int before = e->n;
    spark_rdd *rdd = spark_sql(sc, "SELECT value % 3 AS k, count(*) AS n FROM t WHERE value > 10 GROUP BY 1");
    int64_t n;
    oracle_ok(spark_count(rdd, &n));
    assert_int_equal(n, 3);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, before + 1);
    static const int64_t wanted[] = { 3, 3, 989 }; /* project, aggregate, filter */
    for (int i = 0; i < 3; i++)
        assert_int_equal(e->executions[before].rows[i], wanted[i]);
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    oracle_ok(spark_explain_analyze(rdd, f));
    fclose(f);
    spark_storage_info cached;
    assert_int_equal(spark_storage_infos(sc, &cached, 1), 1);
    assert_string_equal(cached.name, "In-memory table t");
    assert_non_null(strstr(text, "989 rows made"));
    assert_non_null(strstr(text, "1,000 rows from the cache"));
    assert_non_null(strstr(text, "read 1,000 rows"));
    free(text);
    finish(sc, e);
    free(e);
}

/* both sides of a join in print: the first child has a brother. */
static void a_plan_in_print(void **state)
{
    (void)state;
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 100, 1, 2)));
    rows_of(sc, "SELECT a.value FROM t a JOIN (SELECT value + 1 AS v FROM t WHERE value > 3) b ON a.value = b.v",
        SPARK_OK);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, 1);
    assert_int_equal(e->executions[0].jobs, e->jobs);
    assert_int_equal(e->free_jobs, 0);
    const char *first = strstr(e->executions[0].plan, ":- "), *second = first ? strstr(first, "\n") : NULL;
    assert_non_null(second);
    assert_non_null(strstr(second, "+- "));
    assert_non_null(strstr(e->executions[0].plan, "HashJoin"));
    assert_int_equal(e->executions[0].rows[0], 95); /* 5 to 99, from both sides */
    finish(sc, e);
    free(e);
}

static void failures_end_executions(void **state)
{
    (void)state;
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2, .task_max_failures = 2 });
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 100, 1, 4)));
    rows_of(sc, "SELECT no_column FROM t", SPARK_EINVAL);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, 0); /* nothing was run */
    rows_of(sc, "SELECT 1 / (value - 50) FROM t", SPARK_ETASK);
    rows_of(sc, "SELECT t.value FROM t JOIN (SELECT 1 / (value - 50) AS q FROM t) u ON t.value = u.q", SPARK_ETASK);
    rows_of(sc, "SELECT value FROM t", SPARK_OK);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(e->executions[i].x.status, SPARK_ETASK);
        assert_non_null(strstr(e->executions[i].failure, "DIVIDE_BY_ZERO"));
    }
    assert_int_equal(e->executions[2].x.status, SPARK_OK);
    assert_string_equal(e->executions[2].failure, "");
    finish(sc, e);
    free(e);
}

static void rounds_are_one_execution(void **state)
{
    (void)state;
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
    spark_array rows;
    bool empty;
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 4000, 1, 40)));
    oracle_ok(spark_take(spark_sql(sc, "SELECT value FROM t WHERE value = 3999"), 3, NULL, &rows));
    assert_int_equal(rows.n, 1);
    spark_array_free(&rows);
    oracle_ok(spark_is_empty(spark_sql(sc, "SELECT value FROM t WHERE value < 0"), &empty));
    assert_true(empty);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, 2);
    assert_int_equal(e->free_jobs, 0);
    assert_true(e->executions[0].jobs >= 2 && e->executions[1].jobs >= 2);
    assert_string_equal(e->executions[1].action, "isEmpty");
    finish(sc, e);
    free(e);
}

SPARK_MAP(doubled, int64_t, int64_t)
{
    *out = *in * 2;
}

/* Operations on a result belong to it; other jobs, and what runs none, to nothing. */
static void what_is_made_of_a_result(void **state)
{
    (void)state;
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
    int64_t n;
    oracle_ok(spark_count(spark_range(sc, 0, 10, 1, 2), &n));
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 100, 1, 4)));
    spark_rdd *sorted = spark_sql(sc, "SELECT value FROM t ORDER BY value DESC");
    assert_true(spark_rdd_partitions(sorted) > 0); /* a sort must look at its keys for that */
    assert_non_null(spark_to_debug_string(sorted));
    spark_listeners_wait(sc);
    const int asked = e->n;
    assert_true(asked <= 1 && (asked == 0 || e->executions[0].ended));
    oracle_ok(spark_count(spark_distinct(sorted, 3), &n));
    assert_int_equal(n, 100);
    oracle_ok(spark_count(spark_map(spark_range(sc, 0, 10, 1, 2), doubled, NULL), &n));
    spark_listeners_wait(sc);
    assert_int_equal(e->n, asked + 1);
    assert_int_equal(e->free_jobs, 2);
    assert_string_equal(e->executions[asked].action, "count");
    spark_rdd *table = spark_sql(sc, "CREATE TABLE kept AS SELECT value FROM t WHERE value < 5");
    oracle_ok(spark_rdd_status(table));
    rows_of(sc, "SHOW TABLES", SPARK_OK);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, asked + 2);
    assert_int_equal(strncmp(e->executions[asked + 1].text, "CREATE TABLE kept", 17), 0);
    finish(sc, e);
    free(e);
}

/* Statements that run jobs themselves are executions of their own: what they are stands above the plan of their query. */
static void statements_that_run_jobs(void **state)
{
    static const struct {
        const char *text, *root;
    } all[] = {
        { "CREATE TABLE kept AS SELECT value AS v FROM t WHERE value < 50", "Execute CreateDataSourceTableAsSelectCommand" },
        { "INSERT INTO kept SELECT value FROM t WHERE value % 2 = 0", "AppendData" },
        { "INSERT OVERWRITE kept SELECT max(value) FROM t GROUP BY value % 3", "OverwriteByExpression" },
        { "INSERT OVERWRITE DIRECTORY '%s/out' USING csv SELECT value FROM t ORDER BY value",
            "Execute InsertIntoDataSourceDirCommand" },
        { "CACHE TABLE t", "CacheTable" },
        { "CACHE TABLE c AS SELECT value + 1 AS w FROM t", "CacheTableAsSelect" },
        { "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT n FROM r", "UnionLoop" },
    };
    enum { ALL = sizeof all / sizeof *all };
    (void)state;
    char dir[] = "/tmp/sql-events-XXXXXX", text[400];
    assert_non_null(mkdtemp(dir));
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 100, 1, 4)));
    for (int i = 0; i < ALL; i++) {
        snprintf(text, sizeof text, all[i].text, dir);
        spark_rdd *rdd = spark_sql(sc, text);
        oracle_ok(spark_rdd_status(rdd));
        spark_listeners_wait(sc);
        assert_int_equal(e->n, i + 1);
        const heard *h = &e->executions[i];
        assert_true(h->ended && h->jobs > 0 && h->x.status == SPARK_OK);
        assert_string_equal(h->text, text);
        assert_string_equal(h->action, "sql");
        assert_int_equal(strncmp(h->plan + 20, all[i].root, strlen(all[i].root)), 0);
        if (!strstr(h->plan, "\n+- "))
            fail_msg("%s: %s", text, h->plan);
    }
    assert_int_equal(e->free_jobs, 0);
    assert_int_equal(e->executions[3].rows[0], -1);
    assert_int_equal(e->executions[3].rows[1], 100);
    finish(sc, e);
    snprintf(text, sizeof text, "rm -r %s", dir);
    assert_int_equal(system(text), 0);
    free(e);
}

static void statements_that_fail(void **state)
{
    (void)state;
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2, .task_max_failures = 1 });
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 100, 1, 4)));
    assert_int_equal(spark_rdd_status(spark_sql(sc, "CREATE TABLE k AS SELECT 1 / (value - 7) AS v FROM t")), SPARK_ETASK);
    assert_int_equal(spark_rdd_status(spark_sql(sc, "CACHE TABLE nowhere")), SPARK_EINVAL);
    assert_int_equal(spark_rdd_status(spark_sql(sc, "no statement")), SPARK_EINVAL);
    rows_of(sc, "SELECT count(*) FROM t", SPARK_OK);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, 2);
    assert_int_equal(e->executions[0].x.status, SPARK_ETASK);
    assert_non_null(strstr(e->executions[0].failure, "DIVIDE_BY_ZERO"));
    assert_string_equal(e->executions[1].action, "collect");
    assert_int_equal(e->free_jobs, 0);
    finish(sc, e);
    free(e);
}

/* What runs jobs before its own: subqueries, sizes, ranges, NULLs that are counted. */
static void jobs_before_the_own(void **state)
{
    static const char *const texts[] = {
        "SELECT (SELECT max(value) FROM t) - value FROM t",
        "SELECT value FROM t WHERE value = (SELECT min(value) FROM t) OR value > (SELECT avg(value) FROM t)",
        "SELECT value FROM t WHERE value NOT IN (SELECT value + 50 FROM t)",
        "SELECT value, (SELECT count(*) FROM t b WHERE b.value < a.value) FROM t a ORDER BY 2 DESC",
        "SELECT value FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.value = t.value + 1) ORDER BY value",
        "SELECT a.value, sum(b.value) OVER (ORDER BY a.value) FROM t a JOIN t b ON a.value = b.value + 1",
    };
    (void)state;
    for (int shuffled = 0; shuffled < 2; shuffled++) {
        ears *e = calloc(1, sizeof *e);
        spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
        oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 100, 1, 4)));
        if (shuffled)
            oracle_ok(spark_rdd_status(spark_sql(sc, "SET spark.sql.autoBroadcastJoinThreshold=-1")));
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            rows_of(sc, texts[i], SPARK_OK);
        spark_listeners_wait(sc);
        assert_int_equal(e->n, sizeof texts / sizeof *texts);
        assert_int_equal(e->free_jobs, 0);
        finish(sc, e);
        free(e);
    }
}

typedef struct asker {
    spark_context *sc;
    int number;
    pthread_t thread;
    bool good;
} asker;

static void *ask(void *data)
{
    asker *a = data;
    char text[200];
    SPARK_SCOPED(a->sc);
    a->good = true;
    for (int i = 0; i < 8 && a->good; i++) {
        spark_array rows;
        snprintf(text, sizeof text, "SELECT value %% %d AS k, max(value) FROM t GROUP BY 1 ORDER BY 1", a->number + 2);
        a->good = spark_collect(spark_sql(a->sc, text), NULL, &rows) == SPARK_OK && rows.n == (size_t)a->number + 2;
        if (a->good)
            spark_array_free(&rows);
    }
    return NULL;
}

static void threads_have_their_own(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    ears *e = calloc(1, sizeof *e);
    asker askers[THREADS];
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 3 });
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 1000, 1, 4)));
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (asker) { .sc = sc, .number = i };
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_true(askers[i].good);
    }
    spark_listeners_wait(sc);
    assert_int_equal(e->n, THREADS * 8);
    assert_int_equal(e->free_jobs, 0);
    for (int i = 1; i < e->n; i++)
        assert_int_equal(e->executions[i].jobs, e->executions[0].jobs);
    finish(sc, e);
    free(e);
}

static void in_the_background(void **state)
{
    (void)state;
    ears *e = calloc(1, sizeof *e);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
    int64_t n;
    oracle_ok(spark_create_temp_view(sc, "t", spark_range(sc, 0, 1000, 1, 4)));
    spark_future *f = spark_count_async(spark_sql(sc, "SELECT value FROM t ORDER BY value"));
    oracle_ok(spark_future_count(f, &n));
    assert_int_equal(n, 1000);
    spark_listeners_wait(sc);
    assert_int_equal(e->n, 1);
    assert_int_equal(e->free_jobs, 0);
    finish(sc, e);
    free(e);
}

/* Statements that no viewer has seen the like of. */
static void no_text_is_too_much(void **state)
{
    (void)state;
    enum { LONG = 2 << 20 };
    ears *e = calloc(1, sizeof *e);
    char *text = malloc(LONG + 100);
    assert_non_null(text);
    spark_context *sc = open_heard(e, &(spark_conf) { .threads = 2 });
    memset(text, ' ', LONG);
    memcpy(text, "SELECT 1 AS `</script>\x1b[2J`", 27);
    memcpy(text + LONG, "-- \xff\xfe\x01", 7);
    rows_of(sc, text, SPARK_OK);
    size_t at = (size_t)snprintf(text, LONG, "SELECT 0 AS v");
    for (int i = 0; i < 150; i++)
        at += (size_t)snprintf(text + at, LONG - at, " UNION ALL SELECT %d", i);
    rows_of(sc, text, SPARK_OK);
    finish(sc, e);
    assert_int_equal(e->n, 2);
    free(text);
    free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_told_of),
        cmocka_unit_test(rows_of_columns_are_counted),
        cmocka_unit_test(a_plan_in_print),
        cmocka_unit_test(failures_end_executions),
        cmocka_unit_test(rounds_are_one_execution),
        cmocka_unit_test(what_is_made_of_a_result),
        cmocka_unit_test(statements_that_run_jobs),
        cmocka_unit_test(statements_that_fail),
        cmocka_unit_test(jobs_before_the_own),
        cmocka_unit_test(threads_have_their_own),
        cmocka_unit_test(in_the_background),
        cmocka_unit_test(no_text_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
