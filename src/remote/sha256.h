/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104). */
#ifndef SPK_REMOTE_SHA256_H
#define SPK_REMOTE_SHA256_H

#include <spark/base.h>

enum { SPK_SHA256 = 32, SPK_SHA256_HEX = 65 };

typedef struct spk_sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[64];
} spk_sha256;

void spk_sha256_begin(spk_sha256 *s);
void spk_sha256_add(spk_sha256 *s, const void *bytes, size_t n);
void spk_sha256_end(spk_sha256 *s, unsigned char digest[SPK_SHA256]);

void spk_hmac_sha256(const void *key, size_t key_bytes, const void *bytes, size_t n,
    unsigned char digest[SPK_SHA256]);

/* spk_hex: in small letters, and a NUL. spk_sha256_hex: of bytes. */
void spk_hex(const unsigned char digest[SPK_SHA256], char hex[SPK_SHA256_HEX]);
void spk_sha256_hex(const void *bytes, size_t n, char hex[SPK_SHA256_HEX]);

#endif
