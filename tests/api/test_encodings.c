/* SPDX-License-Identifier: Apache-2.0 */
/* CSV, JSON and text in other encodings than UTF-8: they are read as the same rows in UTF-8 are, and written as the C
 * library's iconv writes them; what is none in an encoding is what Java's decoders make of it. */
#include <iconv.h>

#include "file_test.h"

#define CSV(...) &(spark_csv_options) { __VA_ARGS__ }
#define JSON(...) &(spark_json_options) { __VA_ARGS__ }
#define SAVE(...) &(spark_save_options) { __VA_ARGS__ }

static const char *const encodings[]
    = { "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32", "utf-32be", "UTF-32LE", "iso-8859-1" };
enum { LATIN1 = 6, MOST = 1 << 20 };

/* recode: a text as iconv writes it; how many bytes. */
static size_t recode(const char *encoding, const char *text, size_t n, char *to)
{
    iconv_t how = iconv_open(encoding, "UTF-8");
    char *from = (char *)(uintptr_t)text, *out = to;
    size_t left = MOST;
    assert_true(how != (iconv_t)-1);
    assert_int_equal(iconv(how, &from, &n, &out, &left), 0);
    iconv_close(how);
    return (size_t)(out - to);
}

/* draw: a text of n signs, below `most`, none of which means anything in CSV or JSON; how many bytes. */
static size_t draw(uint64_t *seed, int n, uint32_t most, char *to)
{
    char *at = to;
    while (n-- > 0) {
        uint32_t c = (uint32_t)oracle_below(seed, oracle_below(seed, 3) ? 0x300 < most ? 0x300 : most : most);
        if (c < 0xa0 || (c >= 0xd800 && c <= 0xdfff))
            c = 'a' + c % 26;
        if (c < 0x80) {
            *at++ = (char)c;
            continue;
        }
        const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        *at++ = (char)((more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0) | c >> 6 * more);
        for (int i = more - 1; i >= 0; i--)
            *at++ = (char)(0x80 | (c >> 6 * i & 0x3f));
    }
    return (size_t)(at - to);
}

SPARK_STRUCT(row, (spark_str, name), (int64_t, n));

/* make: the rows of a CSV and of a JSON file. */
static void make(uint64_t seed, int rows, uint32_t most, char *csv, char *json)
{
    char name[500];
    for (int i = 0; i < rows; i++) {
        const size_t n = draw(&seed, 1 + (int)oracle_below(&seed, 100), most, name);
        csv += sprintf(csv, "%.*s,%d\n", (int)n, name, i);
        json += sprintf(json, "{\"name\":\"%.*s\",\"n\":%d}\n", (int)n, name, i);
    }
}

static spark_rdd *read_file(spark_context *sc, bool csv, const char *path, const char *encoding)
{
    return csv ? spark_read_csv(sc, path, SPARK_TYPE(row), CSV(.encoding = encoding))
               : spark_read_json(sc, path, SPARK_TYPE(row), JSON(.encoding = encoding));
}

static void test_encodings__rows_are_those_of_utf8(void **state)
{
    (void)state;
    static char texts[2][MOST], bytes[MOST];
    for (int rows = 1; rows <= 2000; rows = rows * 7 + 1)
        for (size_t e = 0; e < LENGTH(encodings); e++) {
            make((uint64_t)rows + e, rows, e == LATIN1 ? 0x100 : 0x11000, texts[0], texts[1]);
            spark_context *sc = oracle_open_conf(&oracle_confs[e % LENGTH(oracle_confs)]);
            for (int csv = 0; csv < 2; csv++) {
                const char *text = texts[!csv];
                scratch_write("plain", text, strlen(text));
                const size_t n = recode(encodings[e], text, strlen(text), bytes);
                scratch_write("other", bytes, n);
                char *want = oracle_layout(spark_coalesce(read_file(sc, csv, "plain", NULL), 1));
                char *have = oracle_layout(spark_coalesce(read_file(sc, csv, "other", encodings[e]), 1));
                assert_string_equal(want, have);
                free(want);
                free(have);
            }
            oracle_close(sc);
        }
}

static void test_encodings__files_are_those_of_iconv(void **state)
{
    (void)state;
    static char texts[2][MOST], bytes[MOST];
    for (size_t e = 0; e < LENGTH(encodings); e++) {
        make(e, 900, e == LATIN1 ? 0x100 : 0x11000, texts[0], texts[1]);
        scratch_write("plain", texts[0], strlen(texts[0]));
        spark_context *sc = oracle_open(2);
        spark_rdd *rows = spark_coalesce(read_file(sc, true, "plain", NULL), 1);
        spark_rdd *lines = spark_coalesce(spark_text_file(sc, "plain", 1), 1);
        oracle_ok(spark_write_csv(rows, "csv", CSV(.encoding = encodings[e], .ignore_leading_white_space = SPARK_OFF,
            .ignore_trailing_white_space = SPARK_OFF)));
        oracle_ok(spark_write_json(rows, "json", JSON(.encoding = encodings[e])));
        oracle_ok(spark_write_text(lines, "text", SAVE(.encoding = encodings[e])));
        /* Java's UTF-16 has a mark and is big endian; its UTF-32 has none. */
        const char *as = e == 0 ? "UTF-16BE" : e == 3 ? "UTF-32BE" : encodings[e];
        static const char *const outs[] = { "csv", "json", "text" };
        for (int i = 0; i < 3; i++) {
            char want[100], command[200];
            size_t n = recode(as, texts[i == 1], strlen(texts[i == 1]), bytes + 2);
            const char *at = bytes + 2;
            if (e == 0) {
                memcpy(bytes, "\xFE\xFF", 2);
                at = bytes;
                n += 2;
            }
            scratch_write("want", at, n);
            snprintf(want, sizeof want, "%s/part-00000-*", outs[i]);
            snprintf(command, sizeof command, "cmp %s want", want);
            assert_int_equal(system(command), 0); /* NOLINT */
        }
        oracle_close(sc);
        assert_int_equal(system("rm -r csv json text"), 0); /* NOLINT */
    }
}

/* What Java's decoders make of bytes that are none; by "new String(bytes, charset)". */
static void test_encodings__what_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *bytes;
        size_t n;
        const char *want;
    } cases[] = {
        { "UTF-16LE", "a\0\0\xd8" "b\0c\0", 8, "a\xef\xbf\xbd" "c" }, /* a high half takes what follows with it */
        { "UTF-16LE", "a\0\0\xdc" "b\0", 6, "a\xef\xbf\xbd" "b" },
        { "UTF-16LE", "a\0b", 3, "a\xef\xbf\xbd" },
        { "UTF-16LE", "a\0\x3d\xd8", 4, "a\xef\xbf\xbd" },
        { "UTF-16", "\0a", 2, "a" },
        { "UTF-16", "\xff\xfe" "a\0", 4, "a" },
        { "UTF-16", "\xfe\xff\0a", 4, "a" },
        { "UTF-16BE", "\xfe\xff\0a", 4, "a" },
        { "UTF-32LE", "a\0\0\0\0\0\x11\0" "b\0\0\0", 12, "a\xef\xbf\xbd" "b" },
        { "UTF-32", "\xff\xfe\0\0" "a\0\0\0", 8, "a" },
        { "UTF-32BE", "\0\0\0a\0\0", 6, "a\xef\xbf\xbd" },
        { "UTF-16LE", "\x3d\xd8\0\xde", 4, "\xf0\x9f\x98\x80" },
    };
    spark_context *sc = oracle_open(1);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        spark_array all;
        spark_str value;
        scratch_write("in", cases[i].bytes, cases[i].n);
        spark_rdd *rows = spark_read_csv(sc, "in", NULL, CSV(.encoding = cases[i].encoding));
        oracle_ok(spark_collect(rows, NULL, &all));
        assert_int_equal(all.n, 1);
        assert_true(spark_row_str(spark_row_of(&all, 0), &spark_rdd_type(rows)->fields[0], &value));
        assert_int_equal(value.len, strlen(cases[i].want));
        assert_memory_equal(value.ptr, cases[i].want, value.len);
        spark_array_free(&all);
    }
    oracle_close(sc);
}

static void test_encodings__marks_of_whole_files(void **state)
{
    (void)state;
    static const char text[] = "[{\"name\":\"\xe6\xbc\xa2\",\n\"n\":1},{\"name\":\"\xf0\x9f\x98\x80\",\"n\":2}]";
    static char bytes[MOST];
    spark_context *sc = oracle_open(1);
    for (size_t e = 0; e < LATIN1; e++) {
        const size_t n = recode(encodings[e], text, strlen(text), bytes);
        scratch_write("in.json", bytes, n);
        oracle_has_layout(spark_coalesce(spark_read_json(sc, "in.json", SPARK_TYPE(row), JSON(.multi_line = true)), 1),
            "(\xe6\xbc\xa2,1) (\xf0\x9f\x98\x80,2)");
        int64_t rows;
        oracle_fails(spark_count(spark_read_json(sc, "in.json", SPARK_TYPE(row), NULL), &rows), SPARK_EIO, "UTF-");
    }
    oracle_close(sc);
}

/* Each file in a directory for values has its own mark, packed or not, and is read back. */
static void test_encodings__directories_and_codecs(void **state)
{
    (void)state;
    static char texts[2][MOST];
    make(3, 12, 0x11000, texts[0], texts[1]);
    scratch_write("plain", texts[0], strlen(texts[0]));
    spark_context *sc = oracle_open(2);
    spark_rdd *rows = read_file(sc, true, "plain", NULL);
    char *want = oracle_layout(spark_sort_by(spark_coalesce(rows, 1), NULL, 1));
    for (int i = 0; i < 4; i++) {
        const spark_save_options save = { .partition_by = SPARK_COLUMNS("n"), .compression = i & 1 ? "gzip" : NULL,
            .encoding = "UTF-16", .mode = SPARK_SAVE_OVERWRITE };
        oracle_ok(i & 2 ? spark_write_csv(rows, "out", CSV(.save = save))
                        : spark_write_json(rows, "out", JSON(.save = save)));
        spark_rdd *back = i & 2 ? read_file(sc, true, "out", "UTF-16") : read_file(sc, false, "out", "UTF-16");
        char *have = oracle_layout(spark_sort_by(spark_coalesce(back, 1), NULL, 1));
        assert_string_equal(want, have);
        free(have);
    }
    free(want);
    oracle_close(sc);
}

/* Places of errors, and of bad records, are those of the text. */
static void test_encodings__errors_have_their_lines(void **state)
{
    static const char csv[] = "\xc3\xa4,1\n\xf0\x9f\x98\x80,2\n\"b\",x3\n",
                      json[] = "{\"name\":\"\xc3\xa4\",\"n\":1}\n\n{\"name\":\"b\",\"n\":\"x3\"}\n";
    static char bytes[MOST];
    (void)state;
    int64_t n;
    spark_array bad;
    spark_context *sc = oracle_open(1);
    for (size_t e = 0; e < LATIN1; e++)
        for (int i = 0; i < 2; i++) {
            const char *text = i ? json : csv;
            scratch_write("in", bytes, recode(encodings[e], text, strlen(text), bytes));
            spark_rdd *strict = i
                ? spark_read_json(sc, "in", SPARK_TYPE(row), JSON(.encoding = encodings[e], .mode = SPARK_FAILFAST))
                : spark_read_csv(sc, "in", SPARK_TYPE(row), CSV(.encoding = encodings[e], .mode = SPARK_FAILFAST));
            oracle_fails(spark_count(strict, &n), SPARK_EIO,
                i ? "cannot read \"x3\" as i64: in:3:17, member \"n\"" : "cannot read \"x3\" as i64: in:3:5");
            spark_rdd *rows = spark_on_bad_records(
                read_file(sc, i == 0, "in", encodings[e]), &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
            assert_int_equal(oracle_count(rows), 2 - i);
            oracle_ok(spark_collect(spark_bad_records(rows), SPARK_TYPE(spark_bad_row), &bad));
            assert_int_equal(bad.n, 1);
            assert_int_equal(SPARK_ITEMS(spark_bad_row, &bad)[0].position, 3);
            spark_array_free(&bad);
        }
    oracle_close(sc);
}

static void test_encodings__options_are_checked(void **state)
{
    (void)state;
    int64_t n;
    scratch_write("plain", "a,1\n", 4);
    spark_context *sc = oracle_open(1);
    oracle_fails(
        spark_count(read_file(sc, true, "plain", "EBCDIC"), &n), SPARK_EINVAL, "option encoding must be UTF-8");
    oracle_fails(spark_count(read_file(sc, false, "plain", ""), &n), SPARK_EINVAL, "option encoding must be UTF-8");
    spark_rdd *rows = read_file(sc, true, "plain", NULL);
    oracle_fails(spark_write_csv(rows, "out", CSV(.encoding = "x")), SPARK_EINVAL, "option encoding");
    oracle_fails(spark_write_json(rows, "out", JSON(.encoding = "x")), SPARK_EINVAL, "option encoding");
    oracle_fails(spark_write_text(rows, "out", SAVE(.encoding = "x")), SPARK_EINVAL, "option encoding");
    oracle_fails(
        spark_write_object_file(rows, "out", SAVE(.encoding = "UTF-16")), SPARK_EINVAL, "is not for object files");
    assert_int_equal(access("out", F_OK), -1);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_encodings__rows_are_those_of_utf8),
        file_test(test_encodings__files_are_those_of_iconv),
        file_test(test_encodings__what_is_none),
        file_test(test_encodings__marks_of_whole_files),
        file_test(test_encodings__directories_and_codecs),
        file_test(test_encodings__errors_have_their_lines),
        file_test(test_encodings__options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
