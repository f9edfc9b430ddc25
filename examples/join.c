/* SPDX-License-Identifier: Apache-2.0 */
/* What the customers of each country have ordered: a left outer join of two CSV files without headers, of
 * ID,NAME,COUNTRY and ID,CUSTOMER,AMOUNT, by the customer's number. Prints country, orders, total and
 * the customers who never ordered anything.
 *   usage: join [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [CUSTOMERS ORDERS] */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { PARTITIONS = 4 };

SPARK_DECIMAL(money, 14, 2);
SPARK_STRUCT(customer, (int64_t, id), (spark_str, name), (spark_str, country));
SPARK_STRUCT(order, (int64_t, id), (int64_t, customer), (money, amount));
SPARK_PAIR(country_of, int64_t, spark_str);
SPARK_PAIR(cents_of, int64_t, int64_t);
SPARK_STRUCT(sales, (int64_t, orders), (int64_t, cents), (int64_t, idle));
SPARK_PAIR(country_sales, spark_str, sales);

SPARK_MAP(by_id, customer, country_of)
{
    *out = (country_of) { in->id, in->country };
}

SPARK_MAP(by_customer, order, cents_of)
{
    *out = (cents_of) { in->customer, in->amount.units };
}

/* `right` is NULL for a customer without orders. */
SPARK_JOIN(sale, int64_t, spark_str, int64_t, country_sales)
{
    const sales s = { right != NULL, right ? *right : 0, right == NULL };
    spark_emit(out, (country_sales) { *left, s });
}

SPARK_MERGE(add, sales, sales)
{
    acc->orders += in->orders;
    acc->cents += in->cents;
    acc->idle += in->idle;
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    if (argc != 1 && argc != 3)
        return fputs("usage: join [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [CUSTOMERS ORDERS]\n",
            stderr), 2;
    const char *customers_csv = argc == 3 ? argv[1] : SPARK_EXAMPLES_DATA "/customers.csv";
    const char *orders_csv = argc == 3 ? argv[2] : SPARK_EXAMPLES_DATA "/orders.csv";
    /* what is no such row ends the program, and its error tells file, line and column */
    const spark_csv_options strict = { .mode = SPARK_FAILFAST, .min_partitions = PARTITIONS };

    spark_context *sc = watched_context(&(spark_conf) { .app_name = "join" }, &watch);
    spark_rdd *customers = spark_read_csv(sc, customers_csv, SPARK_TYPE(customer), &strict);
    spark_rdd *orders = spark_read_csv(sc, orders_csv, SPARK_TYPE(order), &strict);
    spark_rdd *rows = spark_join_map(spark_map(customers, by_id, NULL),
        spark_map(orders, by_customer, NULL), SPARK_LEFT_OUTER, sale, NULL, PARTITIONS);
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
