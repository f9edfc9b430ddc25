/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CSV file, under options that the first bytes choose: nothing crashes, and the rows are
 * the same however the file is split. With libFuzzer (clang, -DSPARK_FUZZ=ON) a target; else a program
 * that takes files of the corpus, which ctest runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <spark.h>

SPARK_OPTIONAL(opt_date, spark_date);
SPARK_STRUCT(row, (spark_opt_str, a), (spark_opt_i64, b), (spark_opt_f64, c), (opt_date, d),
    (spark_opt_str, _corrupt_record));

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* digest_of: of the rows and their order; 0: an error. */
static uint64_t digest_of(
    spark_context *sc, const char *path, const spark_type *type, const spark_csv_options *o)
{
    uint64_t digest = 1;
    spark_array all;
    spark_rdd *rdd = spark_read_csv(sc, path, type, o);
    if (spark_collect(rdd, NULL, &all) != SPARK_OK)
        return 0;
    for (size_t i = 0; i < all.n; i++)
        digest = (digest ^ spark_hash(all.type, spark_row_of(&all, i))) * 0x100000001b3u;
    spark_array_free(&all);
    return digest;
}

static spark_csv_options options_of(const uint8_t *bytes)
{
    static const char *const seps[] = { ",", ";", "||", "\t" };
    static const char *const nulls[] = { NULL, "NA", "\\N", "0" };
    return (spark_csv_options) { .sep = seps[bytes[0] & 3],
        .header = bytes[0] & 4,
        .multi_line = bytes[0] & 8,
        .infer_schema = true,
        .escape = bytes[0] & 16 ? "\"" : NULL,
        .comment = bytes[0] & 32 ? "#" : NULL,
        .encoding = bytes[0] & 64 ? "ISO-8859-1" : NULL,
        .ignore_leading_white_space = bytes[0] & 128 ? SPARK_ON : SPARK_OFF,
        .mode = (spark_read_mode)(bytes[1] % 3),
        .unescaped_quote_handling = (spark_unescaped_quotes)((bytes[1] >> 2) % 5),
        .null_value = nulls[(bytes[1] >> 5) & 3],
        .enforce_schema = SPARK_ON,
        .max_columns = 64,
        .line_sep = bytes[1] & 128 ? ";" : NULL };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32];
    if (size < 2)
        return 0;
    const int fd = memfd_create("csv", 0);
    if (fd < 0 || write(fd, data + 2, size - 2) != (ssize_t)(size - 2))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1, .task_max_failures = 1 });
    spark_csv_options o = options_of(data);
    o.min_partitions = 1;
    const uint64_t once = digest_of(sc, path, SPARK_TYPE(row), &o);
    o.min_partitions = 7;
    if (digest_of(sc, path, SPARK_TYPE(row), &o) != once)
        abort();
    digest_of(sc, path, NULL, &o);
    spark_context_free(sc);
    close(fd);
    return 0;
}

#ifndef SPARK_FUZZ
/* replay: one file of the corpus. */
static void replay(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *in = fopen(path, "rb");
    if (!in)
        abort();
    const size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    LLVMFuzzerTestOneInput(bytes, n);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%d inputs\n", argc - 1);
    return argc > 1 ? 0 : 1;
}
#endif
