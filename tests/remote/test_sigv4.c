/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by the examples of FIPS 180 and RFC 4231, signatures by those in Amazon's documentation of S3, and the
 * reader of XML. */
#include <stdlib.h>
#include <string.h>

#include "remote/sha256.h"
#include "remote/sigv4.h"
#include "remote/xml.h"
#include "spark_test.h"

static void check_hash(const void *bytes, size_t n, const char *want)
{
    char hex[SPK_SHA256_HEX];
    spk_sha256_hex(bytes, n, hex);
    assert_string_equal(hex, want);
}

static void test_sha256(void **state)
{
    (void)state;
    static char million[1000000];
    check_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    memset(million, 'a', sizeof million);
    check_hash(million, sizeof million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* In pieces of all sizes it is the same. */
static void test_pieces(void **state)
{
    (void)state;
    static char bytes[1000];
    char whole[SPK_SHA256_HEX], hex[SPK_SHA256_HEX];
    unsigned char digest[SPK_SHA256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    for (size_t n = 0; n <= sizeof bytes; n += 61)
        for (size_t piece = 1; piece < 140; piece++) {
            spk_sha256 s;
            spk_sha256_begin(&s);
            for (size_t at = 0; at < n; at += piece)
                spk_sha256_add(&s, bytes + at, n - at < piece ? n - at : piece);
            spk_sha256_end(&s, digest);
            spk_hex(digest, hex);
            spk_sha256_hex(bytes, n, whole);
            assert_string_equal(hex, whole);
        }
}

static void check_hmac(const void *key, size_t k, const char *text, const char *want)
{
    unsigned char digest[SPK_SHA256];
    char hex[SPK_SHA256_HEX];
    spk_hmac_sha256(key, k, text, strlen(text), digest);
    spk_hex(digest, hex);
    assert_string_equal(hex, want);
}

static void test_hmac(void **state)
{
    (void)state;
    unsigned char key[131];
    memset(key, 0x0b, 20);
    check_hmac(key, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_hmac("Jefe", 4, "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    check_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void check_signature(const char *method, const char *path, const char *query, const char *headers,
    const char *payload, const char *want)
{
    spk_text got = { .at = NULL };
    spk_sigv4_sign(
        &(spk_sigv4) { .key = "AKIAIOSFODNN7EXAMPLE",
            .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            .region = "us-east-1",
            .service = "s3",
            .time = "20130524T000000Z",
            .method = method,
            .path = path,
            .query = query,
            .headers = headers,
            .payload = payload },
        &got);
    const char *signature = strstr(got.at, "Signature=");
    assert_non_null(signature);
    assert_string_equal(signature + 10, want);
    assert_non_null(strstr(got.at, "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, Signed"));
    spk_text_free(&got);
}

static void test_signatures(void **state)
{
    (void)state;
    check_signature("GET", "/test.txt", "",
        "host:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\nx-amz-content-sha256:" EMPTY
        "\nx-amz-date:20130524T000000Z\n",
        EMPTY, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    check_signature("PUT", "/test%24file.text", "",
        "date:Fri, 24 May 2013 00:00:00 GMT\nhost:examplebucket.s3.amazonaws.com\n"
        "x-amz-content-sha256:44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n"
        "x-amz-date:20130524T000000Z\nx-amz-storage-class:REDUCED_REDUNDANCY\n",
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    check_signature("GET", "/", "lifecycle=",
        "host:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:" EMPTY "\nx-amz-date:20130524T000000Z\n",
        EMPTY, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    check_signature("GET", "/", "max-keys=2&prefix=J",
        "host:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:" EMPTY "\nx-amz-date:20130524T000000Z\n",
        EMPTY, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void test_xml(void **state)
{
    (void)state;
    static const char text[] = "<?xml version='1.0'?><!-- <a> --><r:all x='>'><a>1</a><b/><c><a>&lt;&#228;&amp;&x;&#x20AC;"
                               "</a></c><a>2</a></r:all>";
    spark_str rest = { text, sizeof text - 1 }, name, inner;
    spk_text got = { .at = NULL };
    assert_true(spk_xml_next(&rest, &name, &inner));
    assert_true(spk_xml_is(name, "all"));
    assert_int_equal(spk_xml_get(inner, "b").len, 0);
    assert_int_equal(spk_xml_get(inner, "d").len, 0);
    spk_xml_text(&got, spk_xml_get(spk_xml_get(inner, "c"), "a"));
    assert_string_equal(got.at, "<\xc3\xa4&&x;\xe2\x82\xac");
    spk_text_free(&got);
    assert_false(spk_xml_next(&rest, &name, &inner));
    static const char *const broken[] = { "", "<", "<a", "<a>", "<a><b></a>", "</a>", "<!--", "<a x='>", "text" };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        rest = (spark_str) { broken[i], strlen(broken[i]) };
        assert_false(spk_xml_next(&rest, &name, &inner));
    }
}

static void test_encoding(void **state)
{
    (void)state;
    spk_text a = { .at = NULL }, b = { .at = NULL };
    spk_text_encode(&a, "a b/c+d=\xc3\xa4~%", 12, "/");
    assert_string_equal(a.at, "a%20b/c%2Bd%3D%C3%A4~%25");
    spk_text_decode(&b, a.at, a.n);
    assert_string_equal(b.at, "a b/c+d=\xc3\xa4~%");
    spk_text_free(&a);
    spk_text_free(&b);
    spk_text_decode(&b, "%4", 2);
    spk_text_decode(&b, "%zz%", 4);
    assert_string_equal(b.at, "%4%zz%");
    spk_text_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sha256), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_hmac), cmocka_unit_test(test_signatures), cmocka_unit_test(test_xml),
        cmocka_unit_test(test_encoding) };
    return cmocka_run_group_tests_name(TEST_FILE, tests, NULL, NULL);
}
