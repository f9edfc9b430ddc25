/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what servers answer: XML that is walked along to its depths, JSON as WebHDFS has it, addresses; what
 * is found lies in the text. With libFuzzer (clang, -DSPARK_FUZZ=ON) a target; else a program that takes files of
 * the corpus, which ctest runs. */
#include "remote/webhdfs.h"
#include "remote/xml.h"
#include "replay.h"

static void walk(spark_str inner, const char *begin, const char *end, int depth)
{
    spark_str name, within;
    for (const char *last = inner.ptr; spk_xml_next(&inner, &name, &within); last = inner.ptr) {
        spk_text text = { .at = NULL };
        if (within.ptr < begin || within.ptr + within.len > end || name.ptr < begin || inner.ptr <= last)
            abort();
        spk_xml_text(&text, within);
        spk_text_free(&text);
        if (depth < 8)
            walk(within, begin, end, depth + 1);
    }
}

static void json(spark_str text)
{
    spark_json value, status;
    spark_str key;
    if (!spark_json_parse(text, &value, NULL))
        return;
    spark_json rest = spark_json_get(spark_json_get(value, "FileStatuses"), "FileStatus");
    while (spark_json_next(&rest, &key, &status)) {
        spk_text name = { .at = NULL };
        int64_t length;
        spk_webhdfs_text(&name, spark_json_get(status, "pathSuffix"));
        spark_json_i64(spark_json_get(status, "length"), &length);
        spk_text_free(&name);
    }
}

/* address: what is encoded is decoded to the same bytes. */
static void address(const char *bytes, size_t n)
{
    spk_text there = { .at = NULL }, back = { .at = NULL };
    spk_text_encode(&there, bytes, n, "/");
    spk_text_decode(&back, there.at ? there.at : "", there.n);
    if (back.n != n || (n && memcmp(back.at, bytes, n) != 0))
        abort();
    spk_text_free(&there);
    spk_text_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1);
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    walk((spark_str) { bytes, size }, bytes, bytes + size, 0);
    json((spark_str) { bytes, size });
    address(bytes, size);
    free(bytes);
    return 0;
}
