/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed rows of CSV under a policy for bad records. */
#define BAD_FILE "in.csv"
#define BAD_HEADER "city,n,price\n"
#define BAD_HEADERS 1
#define BAD_FIRST "a row of 2 columns"
#include "bad_rows.h"

static void write_row(FILE *to, int i)
{
    if (i % 13 == 5)
        fprintf(to, "\"C%d\",%dx,1.5\n", i, i);
    else if (i % 50 == 1)
        fprintf(to, i % 100 == 1 ? "C%d,%d\n" : "C%d,%d,1,2\n", i, i);
    else
        fprintf(to, i % 7 ? "C%d,%d,%d.5\n" : "\"C%d\",%d,\n", i, i, i);
}

static spark_rdd *read_sales(spark_context *sc, const char *path, int partitions, spark_read_mode mode)
{
    return spark_read_csv(sc, path, SPARK_TYPE(sale),
        &(spark_csv_options) { .header = true, .mode = mode, .min_partitions = partitions });
}

static void wanted_of(int i, char reason[40], char record[40])
{
    snprintf(reason, 40, i % 13 == 5 ? "cannot read \"%dx\" as i64, column \"n\"" : "a row of", i);
    snprintf(record, 40, i % 13 == 5 ? "\"C%d\"," : "C%d,", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { BAD_ROWS };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
