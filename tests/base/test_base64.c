/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as base64: the vectors of RFC 4648, section 10, all lengths there and back, and what Jackson, with which Spark
 * reads JSON, takes and refuses. */
#include "support/spark_test.h"

#include <string.h>

#include "base/base64.h"

static void test_base64__is_that_of_the_rfc(void **state)
{
    (void)state;
    static const char *const of[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    for (size_t n = 0; n < sizeof of / sizeof of[0]; n++) {
        char text[SPK_BASE64_BYTES(6)], back[6];
        assert_int_equal(spk_base64("foobar", n, text), strlen(of[n]));
        assert_memory_equal(text, of[n], strlen(of[n]));
        assert_int_equal(spk_base64_decode(of[n], strlen(of[n]), back), n);
        assert_memory_equal(back, "foobar", n);
    }
}

static void test_base64__comes_back(void **state)
{
    enum { MOST = 300 };
    char bytes[MOST], text[SPK_BASE64_BYTES(MOST)], back[MOST];
    (void)state;
    for (size_t i = 0; i < MOST; i++)
        bytes[i] = (char)(i * 151 % 256);
    for (size_t n = 0; n <= MOST; n++) {
        const size_t size = spk_base64(bytes, n, text);
        assert_int_equal(size, SPK_BASE64_BYTES(n));
        assert_int_equal(spk_base64_decode(text, size, back), n);
        assert_memory_equal(back, bytes, n);
    }
}

static void test_base64__has_blanks_between_groups_alone(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bytes; /* NULL: refused */
    } rows[] = { { "YWJj\t", "abc" }, { " \n YWJj \x01YWI=", "abcab" }, { "YQ==YWJj", "aabc" }, { " ", "" },
        { "YW Jj", NULL }, { "YWJ", NULL }, { "YQ=", NULL }, { "YQ", NULL }, { "YQ=a", NULL }, { "=abc", NULL },
        { "Y===", NULL }, { "YWJj=", NULL }, { "YWJ-", NULL }, { "YWJj.", NULL }, { "\xc3\xa4YW", NULL } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char back[40];
        const size_t n = spk_base64_decode(rows[i].text, strlen(rows[i].text), back);
        assert_int_equal(n, rows[i].bytes ? strlen(rows[i].bytes) : SIZE_MAX);
        if (rows[i].bytes)
            assert_memory_equal(back, rows[i].bytes, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64__is_that_of_the_rfc),
        cmocka_unit_test(test_base64__comes_back),
        cmocka_unit_test(test_base64__has_blanks_between_groups_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
