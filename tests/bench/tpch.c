/* SPDX-License-Identifier: Apache-2.0 */
/* The queries derived from TPC-H over one directory of .tbl files: each some times over, on one context; the CPU
 * time of the process and the wall time of the first run and the median of the others, and what came out. One
 * JSON object a query; compare_tpch.py sets them beside DuckDB's.
 *
 *   bench_tpch [-t THREADS] [-i RUNS] [-q NUMBER] [-m MIB] [-f] [-w] DATA QUERIES
 *
 * DATA holds nation.tbl .. lineitem.tbl as `tpcgen-cli tpch tbl` makes them, QUERIES q1.sql .. q22.sql. -f: from
 * the files each time; otherwise all tables are cached before. -w: waits for a line of standard input before each
 * query, so that what asks can take turns with another program. Not comparable to published TPC results. */
#include <spark.h>
#include <spark/sql.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1000, LAST = 22 };

static const struct {
    const char *name, *columns;
} tables[] = {
    { "nation", "n_nationkey INT, n_name STRING, n_regionkey INT, n_comment STRING" },
    { "region", "r_regionkey INT, r_name STRING, r_comment STRING" },
    { "part",
        "p_partkey BIGINT, p_name STRING, p_mfgr STRING, p_brand STRING, p_type STRING, p_size INT, p_container STRING, "
        "p_retailprice DECIMAL(15,2), p_comment STRING" },
    { "supplier",
        "s_suppkey BIGINT, s_name STRING, s_address STRING, s_nationkey INT, s_phone STRING, s_acctbal DECIMAL(15,2), "
        "s_comment STRING" },
    { "partsupp",
        "ps_partkey BIGINT, ps_suppkey BIGINT, ps_availqty INT, ps_supplycost DECIMAL(15,2), ps_comment STRING" },
    { "customer",
        "c_custkey BIGINT, c_name STRING, c_address STRING, c_nationkey INT, c_phone STRING, c_acctbal DECIMAL(15,2), "
        "c_mktsegment STRING, c_comment STRING" },
    { "orders",
        "o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus STRING, o_totalprice DECIMAL(15,2), o_orderdate DATE, "
        "o_orderpriority STRING, o_clerk STRING, o_shippriority INT, o_comment STRING" },
    { "lineitem",
        "l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INT, l_quantity DECIMAL(15,2), "
        "l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag STRING, "
        "l_linestatus STRING, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, l_shipinstruct STRING, "
        "l_shipmode STRING, l_comment STRING" },
};

typedef struct options {
    int threads, runs, only;
    int64_t memory;
    bool files, waits;
    const char *data, *queries;
} options;

/* answer: rows, and a sum over their cells as texts; not their order, which ties leave open. */
typedef struct answer {
    uint64_t rows, checksum;
} answer;

static double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(spark_status status)
{
    if (status != SPARK_OK)
        exit(spark_complain("bench_tpch"));
}

static void define(spark_context *sc, const options *o)
{
    char text[2048];
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        (void)snprintf(text, sizeof text,
            "CREATE TEMP VIEW %s (%s) USING csv OPTIONS (path '%s/%s.tbl', sep '|')", tables[i].name, tables[i].columns,
            o->data, tables[i].name);
        must(spark_rdd_status(spark_sql(sc, text)));
        (void)snprintf(text, sizeof text, "CACHE TABLE %s", tables[i].name);
        if (!o->files)
            must(spark_rdd_status(spark_sql(sc, text)));
    }
}

static char *read_query(const options *o, int number)
{
    enum { ROOM = 65536 };
    char path[4096], *text = malloc(ROOM);
    (void)snprintf(path, sizeof path, "%s/q%d.sql", o->queries, number);
    FILE *in = fopen(path, "r");
    const size_t n = in && text ? fread(text, 1, ROOM - 1, in) : 0;
    if (n == 0) {
        (void)fprintf(stderr, "bench_tpch: %s cannot be read\n", path);
        exit(1);
    }
    (void)fclose(in);
    text[n] = '\0';
    return text;
}

static answer look_at(const spark_rdd *rdd, const spark_array *all)
{
    answer found = { all->n, 0 };
    for (size_t r = 0; r < all->n; r++) {
        uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a of the row */
        for (size_t i = 0; i < spark_sql_columns(rdd); i++) {
            char cell[1024] = "\x01";
            size_t n = 1;
            (void)spark_sql_text(rdd, spark_row_of(all, r), i, cell, sizeof cell, &n);
            for (size_t k = 0; k <= n && k < sizeof cell; k++)
                hash = (hash ^ (unsigned char)cell[k]) * UINT64_C(1099511628211);
        }
        found.checksum += hash;
    }
    return found;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void measure(spark_context *sc, const options *o, int number)
{
    static double cpu[MOST], wall[MOST];
    char *text = read_query(o, number);
    answer found = { 0, 0 };
    for (int i = 0; i < o->runs; i++) {
        spark_scope *scope = spark_scope_begin(sc);
        spark_array all;
        const double from = seconds(CLOCK_PROCESS_CPUTIME_ID), start = seconds(CLOCK_MONOTONIC);
        spark_rdd *rdd = spark_sql(sc, text);
        must(spark_collect(rdd, NULL, &all));
        cpu[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - from;
        wall[i] = seconds(CLOCK_MONOTONIC) - start;
        const answer now = look_at(rdd, &all);
        if (i > 0 && (now.rows != found.rows || now.checksum != found.checksum)) {
            (void)fprintf(stderr, "bench_tpch: q%d: another answer than before\n", number);
            exit(1);
        }
        found = now;
        spark_array_free(&all);
        spark_scope_end(scope);
    }
    const double first = cpu[0], first_wall = wall[0];
    const int warm = o->runs > 1;
    printf("{\"query\":%d,\"rows\":%" PRIu64 ",\"checksum\":\"%016" PRIx64 "\",\"first_cpu\":%.6f,\"first_wall\":%.6f,"
           "\"cpu\":%.6f,\"wall\":%.6f}\n",
        number, found.rows, found.checksum, first, first_wall, median(cpu + warm, o->runs - warm),
        median(wall + warm, o->runs - warm));
    (void)fflush(stdout);
    free(text);
}

int main(int argc, char **argv)
{
    options o = { .threads = 1, .runs = 6 };
    for (int c; (c = getopt(argc, argv, "t:i:q:m:fw")) != -1;) {
        if (c == 't')
            o.threads = atoi(optarg);
        else if (c == 'i')
            o.runs = atoi(optarg);
        else if (c == 'q')
            o.only = atoi(optarg);
        else if (c == 'm')
            o.memory = atoi(optarg);
        else if (c == 'f')
            o.files = true;
        else if (c == 'w')
            o.waits = true;
        else
            return 2;
    }
    if (argc - optind != 2 || o.runs < 1 || o.runs > MOST) {
        (void)fputs("usage: bench_tpch [-t THREADS] [-i RUNS] [-q NUMBER] [-m MIB] [-f] [-w] DATA QUERIES\n", stderr);
        return 2;
    }
    o.data = argv[optind];
    o.queries = argv[optind + 1];
    spark_context *sc = spark_context_new(
        &(spark_conf) { .app_name = "tpch", .threads = o.threads, .memory_bytes = (uint64_t)o.memory << 20 });
    define(sc, &o);
    for (int number = 1; number <= LAST; number++)
        if ((!o.only || o.only == number) && (!o.waits || getchar() != EOF))
            measure(sc, &o, number);
    spark_context_free(sc);
    return 0;
}
