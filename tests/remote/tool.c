/* SPDX-License-Identifier: Apache-2.0 */
/* What tests/remote/real_servers.py drives: reads and writes through file systems that the environment configures.
 *
 *   tool count PATH SPLITS      prints how many lines there are, and the sum of their numbers
 *   tool save PATH N PARTS      writes the numbers below N
 *
 * ENDPOINT, ACCESS_KEY and SECRET_KEY: of S3; USER_NAME: of WebHDFS. */
#include <inttypes.h>
#include <stdlib.h>

#include <spark.h>

SPARK_MAP(number_of, spark_str, int64_t)
{
    int64_t n = 0;
    for (size_t i = 0; i < in->len && in->ptr[i] >= '0' && in->ptr[i] <= '9'; i++)
        n = 10 * n + in->ptr[i] - '0';
    *out = n;
}

static int run(spark_context *sc, char **argv, int argc)
{
    if (argc == 4 && strcmp(argv[1], "count") == 0) {
        spark_rdd *numbers = spark_map(spark_text_file(sc, argv[2], atoi(argv[3])), number_of, NULL);
        int64_t n, zero = 0;
        spark_array sum;
        if (spark_count(numbers, &n) != SPARK_OK
            || spark_fold(numbers, SPARK_TYPE(int64_t), &zero, spark_op_sum, NULL, &sum) != SPARK_OK)
            return spark_complain("tool");
        printf("%" PRId64 " %" PRId64 " %d\n", n, *SPARK_ITEMS(int64_t, &sum), spark_rdd_partitions(numbers));
        spark_array_free(&sum);
        return 0;
    }
    if (argc == 5 && strcmp(argv[1], "save") == 0) {
        spark_rdd *numbers = spark_range(sc, 0, strtoll(argv[3], NULL, 10), 1, atoi(argv[4]));
        return spark_save_as_text_file(numbers, argv[2]) == SPARK_OK ? 0 : spark_complain("tool");
    }
    fprintf(stderr, "tool count PATH SPLITS | tool save PATH N PARTS\n");
    return 2;
}

static const char *or_else(const char *name, const char *otherwise)
{
    const char *given = getenv(name);
    return given ? given : otherwise;
}

int main(int argc, char **argv)
{
    const spark_http_options http = { .retries = 12, .retry_wait_ms = 50 };
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
    if (spark_use_s3(sc, &(spark_s3_options) { .endpoint = getenv("ENDPOINT"),
                             .access_key = or_else("ACCESS_KEY", "AKTEST"),
                             .secret_key = or_else("SECRET_KEY", "sk"),
                             .http = http })
            != SPARK_OK
        || spark_use_webhdfs(sc, &(spark_webhdfs_options) { .user = getenv("USER_NAME"), .http = http })
            != SPARK_OK)
        return spark_complain("tool");
    const int status = run(sc, argv, argc);
    spark_context_free(sc);
    return status;
}
