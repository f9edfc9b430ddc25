/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of requests to Amazon's services, version 4. */
#ifndef SPK_REMOTE_SIGV4_H
#define SPK_REMOTE_SIGV4_H

#include "remote/text.h"

typedef struct spk_sigv4 {
    const char *key, *secret, *region, *service;
    const char *time;    /* 20130524T000000Z */
    const char *method;
    const char *path;    /* as in the address, encoded once */
    const char *query;   /* encoded, sorted by name: "a=1&b=" */
    const char *headers; /* lines "name:value\n", names in small letters, sorted */
    const char *payload; /* SHA-256 of the body, in hex, or UNSIGNED-PAYLOAD */
} spk_sigv4;

/* spk_sigv4_sign: adds the value of the header Authorization. */
void spk_sigv4_sign(const spk_sigv4 *request, spk_text *authorization);

#endif
