/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/sigv4.h"

#include "remote/sha256.h"

/* names: of headers, with ; between them. */
static void names(spk_text *to, const char *lines)
{
    for (const char *line = lines; *line;) {
        if (line != lines)
            spk_text_add(to, ";", 1);
        spk_text_add(to, line, strcspn(line, ":"));
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

static void hmac(unsigned char key[SPK_SHA256], size_t n, const char *text)
{
    unsigned char digest[SPK_SHA256];
    spk_hmac_sha256(key, n, text, strlen(text), digest);
    memcpy(key, digest, sizeof digest);
}

/* signing_key: of the day, region and service. */
static void signing_key(const spk_sigv4 *r, const char *day, unsigned char key[SPK_SHA256], spk_text *text)
{
    spk_text_print(text, "AWS4%s", r->secret);
    if (text->nomem)
        return;
    spk_hmac_sha256(text->at, text->n, day, strlen(day), key);
    hmac(key, SPK_SHA256, r->region);
    hmac(key, SPK_SHA256, r->service);
    hmac(key, SPK_SHA256, "aws4_request");
}

void spk_sigv4_sign(const spk_sigv4 *r, spk_text *authorization)
{
    spk_text canonical = { .at = NULL }, to_sign = { .at = NULL }, secret = { .at = NULL };
    unsigned char key[SPK_SHA256], digest[SPK_SHA256];
    char day[9] = "", hex[SPK_SHA256_HEX];
    snprintf(day, sizeof day, "%.8s", r->time);
    spk_text_print(&canonical, "%s\n%s\n%s\n%s\n", r->method, r->path, r->query, r->headers);
    names(&canonical, r->headers);
    spk_text_print(&canonical, "\n%s", r->payload);
    if (!canonical.nomem) {
        spk_sha256_hex(canonical.at, canonical.n, hex);
        spk_text_print(&to_sign, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", r->time, day,
            r->region, r->service, hex);
        signing_key(r, day, key, &secret);
    }
    if (canonical.nomem || to_sign.nomem || secret.nomem) {
        authorization->nomem = true;
    } else {
        spk_hmac_sha256(key, sizeof key, to_sign.at, to_sign.n, digest);
        spk_hex(digest, hex);
        spk_text_print(authorization, "AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=",
            r->key, day, r->region, r->service);
        names(authorization, r->headers);
        spk_text_print(authorization, ", Signature=%s", hex);
    }
    spk_text_free(&canonical);
    spk_text_free(&to_sign);
    if (secret.at)
        memset(secret.at, 0, secret.capacity);
    spk_text_free(&secret);
}
