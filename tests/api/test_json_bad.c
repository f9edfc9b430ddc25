/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed records of JSON under a policy for bad records. */
#define BAD_FILE "in.json"
#define BAD_HEADER ""
#define BAD_HEADERS 0
#define BAD_FIRST ""
#include "bad_rows.h"

static void write_row(FILE *to, int i)
{
    if (i % 13 == 5)
        fprintf(to, "{\"city\":\"C%d\",\"n\":\"%dx\"}\n", i, i);
    else if (i % 50 == 1)
        fprintf(to, i % 100 == 1 ? "{\"city\":\"C%d\",\"n\":%d,\n" : "{\"city\":\"C%d\",:%d}\n", i, i);
    else if (i % 7)
        fprintf(to, "{\"city\":\"C%d\",\"n\":%d,\"price\":%d.5}\n", i, i, i);
    else
        fprintf(to, "{\"n\":%d, \"city\":\"C%d\"}\n", i, i);
}

static spark_rdd *read_sales(spark_context *sc, const char *path, int partitions, spark_read_mode mode)
{
    return spark_read_json(
        sc, path, SPARK_TYPE(sale), &(spark_json_options) { .mode = mode, .min_partitions = partitions });
}

static void wanted_of(int i, char reason[40], char record[40])
{
    if (i % 13 == 5)
        snprintf(reason, 40, "cannot read \"%dx\" as i64, member \"n\"", i);
    else
        reason[0] = '\0';
    snprintf(record, 40, "{\"city\":\"C%d\",", i);
}

/* Objects of an array in one text are records of their own. */
static void test_json_bad__elements_of_an_array(void **state)
{
    static const char text[] = "\xEF\xBB\xBF[{\"city\":\"a\",\"n\":1},\n {\"city\":\"b\",\"n\":\"2\"},\n"
                               " {\"city\":\"c\",\"n\":3}, {},\n{\"n\":4}]";
    (void)state;
    spark_array bad;
    int64_t records;
    scratch_write("in.json", text, sizeof text - 1);
    spark_context *sc = oracle_open(1);
    spark_rdd *sales = spark_on_bad_records(
        spark_read_json(sc, "in.json", SPARK_TYPE(sale), &(spark_json_options) { .multi_line = true }),
        &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
    assert_int_equal(oracle_count(sales), 2);
    assert_int_equal(spark_bad_count(sales, &records), 3);
    assert_int_equal(records, 5);
    oracle_ok(spark_collect(spark_bad_records(sales), SPARK_TYPE(spark_bad_row), &bad));
    const spark_bad_row *row = SPARK_ITEMS(spark_bad_row, &bad);
    static const struct {
        int line;
        const char *record;
    } want[] = { { 2, "{\"city\":\"b\",\"n\":\"2\"}" }, { 3, "{}" }, { 4, "{\"n\":4}" } };
    assert_int_equal(bad.n, LENGTH(want));
    for (size_t i = 0; i < LENGTH(want); i++) {
        assert_int_equal(row[i].position, want[i].line);
        assert_int_equal(row[i].record.len, strlen(want[i].record));
        assert_memory_equal(row[i].record.ptr, want[i].record, strlen(want[i].record));
    }
    spark_array_free(&bad);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = { BAD_ROWS, file_test(test_json_bad__elements_of_an_array) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
