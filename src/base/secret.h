/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing with a secret: SipHash-1-3 (Aumasson, Bernstein: SipHash, a fast short-input PRF), for
 * places in tables whose keys somebody may have chosen to collide. Of places only: what it gives is
 * another in every table of every process, and must shape no result. */
#ifndef SPK_BASE_SECRET_H
#define SPK_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

typedef struct spk_secret {
    uint64_t k[2];
} spk_secret;

/* spk_secret_draw: from the system's random numbers. */
spk_secret spk_secret_draw(void);

/* spk_sip: what has been hashed so far, in words; what is not of fixed length must be told by its
 * length before. */
typedef struct spk_sip {
    uint64_t v[4];
} spk_sip;

spk_sip spk_sip_begin(const spk_secret *secret);
void spk_sip_word(spk_sip *sip, uint64_t word);
/* spk_sip_bytes: n bytes as words, the last one filled up with zeros. */
void spk_sip_bytes(spk_sip *sip, const void *data, size_t n);
uint64_t spk_sip_end(spk_sip *sip);

#endif
