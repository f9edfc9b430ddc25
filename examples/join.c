/* SPDX-License-Identifier: Apache-2.0 */
/* What the customers of each country have ordered: a left outer join of two files of lines
 * "ID,NAME,COUNTRY" and "ID,CUSTOMER,AMOUNT", by the customer's number. Prints country, orders,
 * total and the customers who never ordered anything.
 *   usage: join [--event-log DIR] [--progress] [CUSTOMERS ORDERS] */
#include <inttypes.h>
#include <math.h>
#include <spark.h>

#include "watch.h"

enum { PARTITIONS = 4 };

SPARK_STRUCT(customer, (spark_str, name), (spark_str, country));
SPARK_PAIR(customer_by_id, int64_t, customer);
SPARK_PAIR(cents_by_customer, int64_t, int64_t);
SPARK_STRUCT(sales, (int64_t, orders), (int64_t, cents), (int64_t, idle));
SPARK_PAIR(country_sales, spark_str, sales);
SPARK_PAIR(numbered, spark_str, int64_t); /* a line and its number, from 0 */

/* field: the next field of a line, which must be there and not be empty. */
static bool field(spark_str *rest, spark_str *text)
{
    return spark_str_split(rest, ',', text) && text->len > 0;
}

static void complain(spark_task *task, spark_str file, const numbered *line, const char *what)
{
    spark_fail(task, SPARK_STR_FMT ":%" PRId64 ": not %s: " SPARK_STR_FMT, SPARK_STR_ARG(file),
        line->value + 1, what, SPARK_STR_ARG(line->key));
}

SPARK_MAP(parse_customer, numbered, customer_by_id, spark_str)
{
    spark_str rest = in->key, id;
    if (!field(&rest, &id) || !spark_str_to_i64(id, &out->key) || !field(&rest, &out->value.name)
        || !field(&rest, &out->value.country) || rest.ptr)
        complain(task, *env, in, "a customer");
}

SPARK_MAP(parse_order, numbered, cents_by_customer, spark_str)
{
    spark_str rest = in->key, id, by, amount;
    int64_t number;
    double value;
    if (!field(&rest, &id) || !spark_str_to_i64(id, &number) || !field(&rest, &by)
        || !spark_str_to_i64(by, &out->key) || !field(&rest, &amount)
        || !spark_str_to_f64(amount, &value) || !(fabs(value) < 1e12) || rest.ptr)
        complain(task, *env, in, "an order");
    else
        out->value = llround(value * 100);
}

/* `right` is NULL for a customer without orders. */
SPARK_JOIN(sale, int64_t, customer, int64_t, country_sales)
{
    const sales s = { right != NULL, right ? *right : 0, right == NULL };
    spark_emit(out, (country_sales) { left->country, s });
}

SPARK_MERGE(add, sales, sales)
{
    acc->orders += in->orders;
    acc->cents += in->cents;
    acc->idle += in->idle;
}

/* lines: those of a file with their numbers, so that complaints can tell them. */
static spark_rdd *lines(spark_context *sc, const char *file)
{
    return spark_as(
        spark_zip_with_index(spark_text_file(sc, file, PARTITIONS)), SPARK_TYPE(numbered));
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    if (argc != 1 && argc != 3)
        return fputs("usage: join [--event-log DIR] [--progress] [CUSTOMERS ORDERS]\n", stderr), 2;
    const char *files[]
        = { SPARK_EXAMPLES_DATA "/customers.csv", SPARK_EXAMPLES_DATA "/orders.csv" };
    for (int i = 1; i < argc; i++)
        files[i - 1] = argv[i];
    const spark_str names[] = { { files[0], strlen(files[0]) }, { files[1], strlen(files[1]) } };

    spark_context *sc = watched_context(&(spark_conf) { .app_name = "join" }, &watch);
    spark_rdd *customers = spark_map(lines(sc, files[0]), parse_customer, SPARK_COPY(names[0]));
    spark_rdd *orders = spark_map(lines(sc, files[1]), parse_order, SPARK_COPY(names[1]));
    spark_rdd *rows = spark_join_map(customers, orders, SPARK_LEFT_OUTER, sale, NULL, PARTITIONS);
    spark_rdd *totals = spark_reduce_by_key(rows, add, NULL, PARTITIONS);

    spark_array all;
    const spark_status status
        = spark_collect(spark_sort_by_key(totals, NULL, 0), SPARK_TYPE(country_sales), &all);
    const country_sales *c = SPARK_ITEMS(country_sales, &all);
    for (size_t i = 0; i < all.n; i++)
        printf(SPARK_STR_FMT "\t%" PRId64 "\t%.2f\t%" PRId64 "\n", SPARK_STR_ARG(c[i].key),
            c[i].value.orders, (double)c[i].value.cents / 100, c[i].value.idle);
    const int failed = status == SPARK_OK ? 0 : spark_complain("join");
    spark_array_free(&all);
    spark_context_free(sc);
    return failed;
}
