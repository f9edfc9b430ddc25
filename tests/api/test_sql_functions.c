/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the program in SQL: of values and aggregates, in every place a function may stand, with
 * several masters, batch sizes, budgets and a plan of faults; what is refused, and how they fail. */
#include "../support/sql_test.h"

#include <math.h>
#include <stdatomic.h>
#include <unistd.h>

SPARK_OPTIONAL(opt_f64, double);
SPARK_DECIMAL(money, 18, 2);

SPARK_STRUCT(trip, (double, km), (opt_f64, hours));
SPARK_MAP(speed, trip, opt_f64)
{
    if (in->hours.present && in->hours.value > 0)
        *out = (opt_f64) { true, in->km / in->hours.value };
}

SPARK_MAP(half, int32_t, double)
{
    *out = *in / 2.0;
}

SPARK_STRUCT(greeting, (spark_str, word), (spark_str, name));
SPARK_MAP(greet, greeting, spark_str)
{
    *out = spark_str_format(
        task, SPARK_STR_FMT ", " SPARK_STR_FMT "!", SPARK_STR_ARG(in->word), SPARK_STR_ARG(in->name));
}

SPARK_MAP(twice, money, money)
{
    out->units = 2 * in->units;
}

SPARK_STRUCT(both, (spark_i64_list, list), (spark_date, day));
SPARK_STRUCT(shape, (int64_t, sum), (spark_opt_str, name));
SPARK_MAP(shape_of, both, shape)
{
    for (size_t i = 0; i < in->list.n; i++)
        out->sum += in->list.at[i];
    if (in->day.days > 0)
        out->name = (spark_opt_str) { true, SPARK_STR("later") };
}

SPARK_MAP(above, int64_t, bool, int64_t)
{
    *out = *in > *env;
}

SPARK_STRUCT(word_of, (spark_str, word), (int32_t, n));
SPARK_MAP(picky, word_of, int32_t)
{
    if (in->word.len && *in->word.ptr == 'x')
        spark_fail(task, "no word: " SPARK_STR_FMT, SPARK_STR_ARG(in->word));
    if (in->word.len && *in->word.ptr == '?')
        spark_fail(task, "%s", "");
    *out = in->n;
}

/* Aggregates: a geometric mean, and the longest word, whose accumulator is a string. */
SPARK_STRUCT(logs, (double, sum), (int64_t, n));
SPARK_MERGE(add_log, logs, double)
{
    if (*in <= 0)
        spark_fail(task, "no logarithm of %g", *in);
    acc->sum += log(*in);
    acc->n++;
}
SPARK_MERGE(add_logs, logs, logs)
{
    acc->sum += in->sum;
    acc->n += in->n;
}
SPARK_MAP(to_mean, logs, opt_f64)
{
    if (in->n)
        *out = (opt_f64) { true, floor(exp(in->sum / (double)in->n) * 1e6 + 0.5) / 1e6 };
}

SPARK_MERGE(longer, spark_str, spark_str)
{
    if (in->len > acc->len || (in->len == acc->len && in->len && memcmp(in->ptr, acc->ptr, in->len) > 0))
        *acc = *in;
}

SPARK_STRUCT(weighted, (int64_t, x), (spark_opt_i64, w));
SPARK_MERGE(add_weighted, int64_t, weighted)
{
    *acc += in->x * (in->w.present ? in->w.value : 1);
}
SPARK_MERGE(add_sums, int64_t, int64_t)
{
    *acc += *in;
}

static spark_context *open_context(size_t variant)
{
    static const sql_kind kind = { .name = "functions", .batch_rows = 1, .max_failures = 30, .seed = 11 };
    spark_context *sc = sql_open(&kind, variant);
    const spark_str none = SPARK_STR("");
    assert_int_equal(spark_register_function(sc, "speed", speed, NULL), SPARK_OK);
    assert_int_equal(spark_register_function(sc, "half", half, NULL), SPARK_OK);
    assert_int_equal(spark_register_function(sc, "Greet", greet, NULL), SPARK_OK);
    assert_int_equal(spark_register_function(sc, "twice", twice, NULL), SPARK_OK);
    assert_int_equal(spark_register_function(sc, "shape_of", shape_of, NULL), SPARK_OK);
    assert_int_equal(spark_register_function(sc, "above", above, SPARK_COPY((int64_t) { 2 })), SPARK_OK);
    assert_int_equal(spark_register_function(sc, "picky", picky, NULL), SPARK_OK);
    assert_int_equal(
        spark_register_aggregate(sc, "geo", SPARK_ZERO(logs), add_log, add_logs, to_mean, NULL), SPARK_OK);
    assert_int_equal(
        spark_register_aggregate(sc, "longest", SPARK_VALUE(spark_str, &none), longer, longer, NULL, NULL), SPARK_OK);
    assert_int_equal(
        spark_register_aggregate(sc, "weigh", SPARK_ZERO(int64_t), add_weighted, add_sums, NULL, NULL), SPARK_OK);
    return sc;
}

static const sql_case cases[] = {
    { "SELECT speed(100, 2), speed(100, NULL), speed(NULL, 2), speed(10.5, '2')", "50.0|NULL|NULL|5.25\n" },
    { "SELECT half(3), HALF(3L), half(NULL), half('7')", "1.5|1.5|NULL|3.5\n" },
    { "SELECT half(id) + 1 FROM range(5) ORDER BY 1", "1.0\n1.5\n2.0\n2.5\n3.0\n" },
    { "SELECT greet('Hi', concat('x', id)) FROM range(3) WHERE half(id) < 1 ORDER BY id", "Hi, x0!\nHi, x1!\n" },
    { "SELECT greet(greet('a', 'b'), 3)", "a, b!, 3!\n" },
    { "SELECT twice(1.25), twice(7), twice(CAST(NULL AS INT))", "2.50|14.00|NULL\n" },
    { "SELECT shape_of(array(1L, 2L, id), DATE'1970-01-02'), shape_of(slice(array(1L), 1, 0), "
      "DATE'1970-01-01').sum FROM range(1)",
        "{3, later}|0\n" },
    { "SELECT shape_of(array(1L), DATE'1970-01-02').name n, count(*) FROM range(7) GROUP BY 1", "later|7\n" },
    { "SELECT id FROM range(5) WHERE above(id) ORDER BY id", "3\n4\n" },
    { "SELECT CASE WHEN id < 2 THEN picky('a', 1) ELSE picky('b', 2) END FROM range(3) ORDER BY id", "1\n1\n2\n" },
    { "SELECT picky('x', id) FROM range(3) WHERE id > 5", "" },
    { "SELECT a.id, b.id FROM range(4) a JOIN range(4) b ON half(a.id) = half(b.id + 1) ORDER BY 1",
        "1|0\n2|1\n3|2\n" },
    { "SELECT id FROM range(3) ORDER BY half(0 - id)", "2\n1\n0\n" },
    { "SELECT half(id div 2 * 2) h, count(*) FROM range(5) GROUP BY half(id div 2 * 2) ORDER BY h",
        "0.0|2\n1.0|2\n2.0|1\n" },
    { "SELECT transform(array(1, 2, 3), x -> half(x))", "[0.5, 1.0, 1.5]\n" },
    { "SELECT * FROM VALUES (half(9)), (half(NULL)) t(v)", "4.5\nNULL\n" },
    { "SELECT half(a) FROM VALUES (1), (NULL), (3) t(a)", "0.5\nNULL\n1.5\n" },
    { "SELECT (SELECT max(half(id)) FROM range(9)), EXISTS (SELECT 1 FROM range(3) WHERE above(id))", "4.0|false\n" },
    { "SELECT geo(id + 1) FROM range(4)", "2.213364\n" },
    { "SELECT geo(a), geo(a) FILTER (WHERE a > 1), geo(DISTINCT a) FROM VALUES (1), (4), (4), (NULL) t(a)",
        "2.519842|4.0|2.0\n" },
    { "SELECT geo(id) FROM range(0)", "NULL\n" },
    { "SELECT id % 2 k, geo(id + 1), longest('w' || id), count(*) FROM range(0, 5000, 1, 4) GROUP BY id % 2 ORDER BY k",
        "0|1839.652206|w4998|2500\n1|1842.95509|w4999|2500\n" },
    { "SELECT longest(v) FROM VALUES ('a'), ('ccc'), (NULL), ('bb') t(v)", "ccc\n" },
    { "SELECT longest(v) FROM VALUES ('a') t(v) WHERE v > 'b'", "\n" },
    { "SELECT weigh(a, b) FROM VALUES (1, 10), (2, NULL), (NULL, 5) t(a, b)", "12\n" },
    { "SELECT k, sum(weigh(v, 1)) OVER (ORDER BY k) FROM (SELECT id % 3 k, id v FROM range(9)) GROUP BY k ORDER BY k",
        "0|9\n1|21\n2|36\n" },
    { "SELECT id, weigh(id, 1) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) w, longest('v' || id) OVER "
      "(PARTITION BY id % 2) FROM range(4) ORDER BY id",
        "0|0|v2\n1|1|v3\n2|3|v2\n3|5|v3\n" },
    { "SELECT id % 2, weigh(id, 2) FROM range(5) GROUP BY ROLLUP (id % 2) HAVING weigh(id, 1) > 4 ORDER BY 2",
        "0|12\nNULL|20\n" },
};

static void test_calls(void **state)
{
    (void)state;
    for (size_t variant = SQL_ONE; variant <= SQL_VARIANTS; variant++) {
        spark_context *sc = open_context(variant);
        sql_all_give(sc, variant, sizeof cases / sizeof cases[0], cases);
        spark_context_free(sc);
    }
}

static const sql_case wrong[] = {
    { "SELECT half(true)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]" },
    { "SELECT half(true)", "\"INT\"" },
    { "SELECT half(true)", "\"BOOLEAN\"" },
    { "SELECT speed(1, DATE'2024-01-01')", "second parameter requires the \"DOUBLE\" type" },
    { "SELECT geo(array(1)) FROM range(1)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]" },
    { "SELECT half(1, 2)", "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]" },
    { "SELECT weigh(1) FROM range(1)", "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]" },
    { "SELECT shape_of(array(1L, NULL), DATE'2024-01-01')", "[DATATYPE_MISMATCH" },
    { "SELECT id FROM range(3) WHERE geo(id) > 1", "[INVALID_WHERE_CONDITION]" },
    { "SELECT nobody(1)", "[UNRESOLVED_ROUTINE]" },
    { "SELECT picky(CASE WHEN id = 1500 THEN 'xyz' ELSE 'a' END, id) FROM range(0, 3000, 1, 1)",
        "[FAILED_EXECUTE_UDF] User defined function (`picky`: (string, int) => int) failed due to: "
        "no word: xyz, in picky('xyz', 1500). SQLSTATE: 39000 (line 1, position 8 to 61)" },
    { "SELECT geo(5 - id) FROM range(0, 3000, 1, 1)", "no logarithm of 0, in geo(0.0). SQLSTATE: 39000" },
    { "SELECT picky('?', 1)", "it gave no reason, in picky('?', 1)" },
    { "SELECT * FROM VALUES (picky('x', 1))", "no word: x, in picky('x', 1)" },
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t variant = 0; variant < 3; variant++) {
        spark_context *sc = open_context(variant);
        sql_all_fail(sc, sizeof wrong / sizeof wrong[0], wrong);
        sql_gives(spark_sql(sc, "SELECT half(2)"), "1.0\n");
        spark_context_free(sc);
    }
}

/* test_place: a row of a file that fails is named by file and line. */
static void test_place(void **state)
{
    (void)state;
    char path[] = "/tmp/spark_functions_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "word,n\na,1\nb,2\nxen,3\nc,4\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    spark_context *sc = open_context(0);
    const spark_csv_options header = { .header = true, .infer_schema = true };
    assert_int_equal(spark_create_temp_view(sc, "words", spark_read_csv(sc, path, NULL, &header)), SPARK_OK);
    spark_array rows;
    assert_int_not_equal(spark_collect(spark_sql(sc, "SELECT picky(word, n) FROM words"), NULL, &rows), SPARK_OK);
    const char *message = spark_last_error()->message;
    assert_non_null(strstr(message, "no word: xen, in picky('xen', 3)"));
    assert_string_equal(spark_last_error()->file, path);
    assert_int_equal(spark_last_error()->line, 4);
    spark_context_free(sc);
    unlink(path);
}

/* test_scopes: names end with their scope, and come back; what was made stays. */
static void test_scopes(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    spark_rdd *kept;
    {
        SPARK_SCOPED(sc);
        assert_int_equal(spark_register_function(sc, "mine", half, NULL), SPARK_OK);
        sql_gives(spark_sql(sc, "SELECT mine(5)"), "2.5\n");
        kept = spark_sql(sc, "SELECT mine(id) FROM range(2)");
        assert_int_equal(spark_register_function(sc, "MINE", above, SPARK_COPY((int64_t) { 4 })), SPARK_OK);
        sql_gives(spark_sql(sc, "SELECT mine(5)"), "true\n");
        sql_gives(kept, "0.0\n0.5\n");
    }
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "SELECT mine(5)")), SPARK_OK);
    assert_non_null(strstr(spark_last_error()->message, "UNRESOLVED_ROUTINE"));
    char *rows = sql_rows(spark_sql(sc, "SHOW FUNCTIONS LIKE 'gr*t'"));
    assert_non_null(strstr(rows, "Greet"));
    free(rows);
    assert_true(spark_drop_function(sc, "half"));
    assert_false(spark_drop_function(sc, "half"));
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "SELECT half(5)")), SPARK_OK);
    assert_int_equal(spark_register_function(sc, "half", half, NULL), SPARK_OK);
    sql_gives(spark_sql(sc, "SELECT half(5)"), "2.5\n");
    sql_run(sc, "DROP TEMPORARY FUNCTION half");
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "SELECT half(5)")), SPARK_OK);
    sql_run(sc, "DROP FUNCTION IF EXISTS half");
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "DROP FUNCTION half")), SPARK_OK);
    assert_non_null(strstr(spark_last_error()->message, "ROUTINE_NOT_FOUND"));
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "DROP FUNCTION upper")), SPARK_OK);
    assert_non_null(strstr(spark_last_error()->message, "FORBIDDEN_OPERATION"));
    spark_context_free(sc);
}

SPARK_STRUCT(unsigned_arg, (uint32_t, n));
SPARK_MAP(of_unsigned, unsigned_arg, int32_t)
{
    *out = (int32_t)in->n;
}
SPARK_STRUCT(fixed_arg, (char, name, 8));
SPARK_MAP(of_fixed, fixed_arg, int32_t)
{
    *out = in->name[0];
}
SPARK_MAP(to_unsigned, int32_t, uint64_t)
{
    *out = (uint64_t)*in;
}

static void freed(void *data)
{
    ++*(int *)data;
}

static void test_refused(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    int destroyed = 0;
    assert_int_equal(spark_register_function(sc, "u", of_unsigned, NULL), SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "registerFunction at "));
    assert_int_equal(spark_register_function(sc, "c", of_fixed, NULL), SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "name"));
    assert_int_equal(spark_register_function(sc, "r", to_unsigned, NULL), SPARK_ETYPE);
    assert_int_equal(spark_register_function(sc, "sum", half, NULL), SPARK_EINVAL);
    assert_int_equal(spark_register_function(sc, "upper", half, NULL), SPARK_EINVAL);
    assert_int_equal(spark_register_function(sc, "", half, NULL), SPARK_EINVAL);
    assert_int_equal(spark_register_function(sc, NULL, half, NULL), SPARK_EINVAL);
    assert_int_equal(spark_register_function(NULL, "f", half, NULL), SPARK_EINVAL);
    assert_int_equal(spark_register_function(sc, "f", NULL, NULL), SPARK_EINVAL);
    assert_int_equal(spark_register_function(sc, "f", above, NULL), SPARK_EINVAL);
    assert_int_equal(spark_register_function(sc, "f", half, SPARK_OWN(&destroyed, freed)), SPARK_EINVAL);
    assert_int_equal(destroyed, 1);
    assert_int_equal(spark_register_function(sc, "sum", half, SPARK_OWN(&destroyed, freed)), SPARK_EINVAL);
    assert_int_equal(destroyed, 2);
    assert_int_equal(
        spark_register_aggregate(sc, "a", SPARK_ZERO(int64_t), add_log, add_logs, NULL, NULL), SPARK_ETYPE);
    assert_int_equal(
        spark_register_aggregate(sc, "a", SPARK_ZERO(logs), add_log, add_sums, NULL, NULL), SPARK_ETYPE);
    assert_int_equal(
        spark_register_aggregate(sc, "a", SPARK_ZERO(logs), add_log, NULL, NULL, NULL), SPARK_EINVAL);
    assert_int_equal(
        spark_register_aggregate(sc, "a", SPARK_ZERO(logs), add_log, add_logs, half, NULL), SPARK_ETYPE);
    assert_int_equal(spark_register_aggregate(sc, "count", SPARK_ZERO(logs), add_log, add_logs, NULL, NULL),
        SPARK_EINVAL);
    spark_context_free(sc);
}

static atomic_long calls;

SPARK_MAP(counted, int64_t, int64_t)
{
    atomic_fetch_add(&calls, 1);
    *out = *in;
}

/* sorted: n rows, the largest first, each with a text of `width` bytes; how often they are computed. */
static long sorted(spark_context *sc, int64_t n, int width)
{
    char sql[200];
    spark_array rows;
    calls = 0;
    (void)snprintf(sql, sizeof sql,
        "SELECT counted(id * 7919 %% %lld) v, repeat('x', %d) t FROM range(0, %lld, 1, 5) ORDER BY v DESC", (long long)n,
        width, (long long)n);
    spark_scope *scope = spark_scope_begin(sc);
    spark_rdd *rdd = spark_sql(sc, sql);
    assert_int_equal(spark_collect(rdd, NULL, &rows), SPARK_OK);
    assert_int_equal(rows.n, n);
    for (int64_t i = 0; i < n; i++) {
        spark_opt_i64 v;
        memcpy(&v, spark_row_of(&rows, (size_t)i), sizeof v);
        assert_int_equal(v.value, n - 1 - i);
    }
    assert_false(spark_rdd_is_checkpointed(rdd));
    assert_null(spark_rdd_checkpoint_file(rdd));
    spark_array_free(&rows);
    spark_scope_end(scope);
    return calls / (long)n;
}

/* test_sorted: what is sorted is computed once while it is little: 4 MiB; else a second time, for a sample. */
static void test_sorted(void **state)
{
    (void)state;
    for (size_t variant = SQL_ONE; variant <= SQL_BUDGET; variant++) {
        if (variant == SQL_FAULTS) /* by which tasks run again */
            continue;
        spark_context *sc = open_context(variant);
        assert_int_equal(spark_register_function(sc, "counted", counted, NULL), SPARK_OK);
        assert_int_equal(sorted(sc, 20, 3), 1);
        assert_int_equal(sorted(sc, 20000, 100), 1);
        assert_int_equal(sorted(sc, 60000, 100), 2);  /* which is known when all are there */
        assert_int_equal(sorted(sc, 20000, 2000), 2); /* and while they are kept */
        spark_context_free(sc);
    }
}

/* test_sorted_checkpoint: few rows that are to be written to files are. */
static void test_sorted_checkpoint(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    spark_rdd *rdd = spark_local_checkpoint(spark_sql(sc, "SELECT id FROM range(0, 5, 1, 3) ORDER BY id DESC"));
    for (int i = 0; i < 2; i++)
        sql_gives(rdd, "4\n3\n2\n1\n0\n");
    assert_true(spark_rdd_is_checkpointed(rdd));
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_sorted_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
