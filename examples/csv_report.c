/* SPDX-License-Identifier: Apache-2.0 */
/* A summary, as JSON, of a CSV file that is not clean: sales by region, and the rows that could not be read,
 * which are put aside with their lines and reasons.
 *   usage: csv_report [FILE] */
#include <inttypes.h>
#include <spark.h>

enum { SHOWN = 3 };

SPARK_STRUCT(sale, (spark_str, region), (spark_date, day), (int32_t, units), (double, price));
SPARK_STRUCT(sum, (int64_t, sales), (int64_t, units), (double, revenue));
SPARK_PAIR(region_sum, spark_str, sum);

SPARK_MAP(to_sum, sale, region_sum)
{
    *out = (region_sum) { in->region, { 1, in->units, in->units * in->price } };
}

SPARK_MERGE(add, sum, sum)
{
    acc->sales += in->sales;
    acc->units += in->units;
    acc->revenue += in->revenue;
}

/* print_text: as a string of JSON. */
static void print_text(spark_str text)
{
    putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c < ' ')
            printf("\\u%04x", c);
        else
            printf(c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    putchar('"');
}

static void print_regions(const spark_array *regions)
{
    const region_sum *r = SPARK_ITEMS(region_sum, regions);
    puts("  \"regions\": [");
    for (size_t i = 0; i < regions->n; i++) {
        printf("    {\"region\": ");
        print_text(r[i].key);
        printf(", \"sales\": %" PRId64 ", \"units\": %" PRId64 ", \"revenue\": %.2f}%s\n",
            r[i].value.sales, r[i].value.units, r[i].value.revenue, i + 1 < regions->n ? "," : "");
    }
    puts("  ],");
}

static void print_quarantine(const spark_array *first, int64_t n, int64_t records)
{
    const spark_bad_row *row = SPARK_ITEMS(spark_bad_row, first);
    printf("  \"records\": %" PRId64 ",\n  \"quarantined\": %" PRId64 ",\n  \"first\": [\n", records, n);
    for (size_t i = 0; i < first->n; i++) {
        printf("    {\"line\": %" PRId64 ", \"reason\": ", row[i].position);
        print_text(row[i].reason);
        printf(", \"record\": ");
        print_text(row[i].record);
        puts(i + 1 < first->n ? "}," : "}");
    }
    puts("  ]");
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return fputs("usage: csv_report [FILE]\n", stderr), 2;
    spark_context *sc = spark_context_new(NULL);
    spark_rdd *sales = spark_on_bad_records(
        spark_read_csv(sc, argc == 2 ? argv[1] : SPARK_EXAMPLES_DATA "/sales.csv", SPARK_TYPE(sale),
            &(spark_csv_options) { .header = true, .comment = "#" }),
        &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE, .max_ratio = 0.5 });
    spark_rdd *sums = spark_reduce_by_key(spark_map(sales, to_sum, NULL), add, NULL, 0);

    spark_array regions, first;
    int64_t records;
    if (spark_collect(spark_sort_by_key(sums, NULL, 0), SPARK_TYPE(region_sum), &regions) != SPARK_OK
        || spark_take(spark_bad_records(sales), SHOWN, SPARK_TYPE(spark_bad_row), &first) != SPARK_OK)
        return spark_complain("csv_report");
    const int64_t bad = spark_bad_count(sales, &records);
    puts("{");
    print_regions(&regions);
    print_quarantine(&first, bad, records);
    puts("}");
    spark_array_free(&regions);
    spark_array_free(&first);
    spark_context_free(sc);
    return 0;
}
