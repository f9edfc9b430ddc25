/* SPDX-License-Identifier: Apache-2.0 */
/* MD5, SHA-1, SHA-2 and CRC-32 (RFC 1321, FIPS 180-4). */
#ifndef SPK_SQL_EVAL_DIGEST_H
#define SPK_SQL_EVAL_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPK_DIGEST_MOST = 64 };

void spk_md5(const char *p, size_t n, uint8_t out[16]);
void spk_sha1(const char *p, size_t n, uint8_t out[20]);
/* spk_sha2: bits 224, 256, 384 or 512. */
void spk_sha2(const char *p, size_t n, int bits, uint8_t *out);
uint32_t spk_crc32(const char *p, size_t n);

#endif
