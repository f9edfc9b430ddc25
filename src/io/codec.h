/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed files, by the suffix of their names, as Hadoop tells them: a program of the system packs and
 * unpacks them. */
#ifndef SPK_IO_CODEC_H
#define SPK_IO_CODEC_H

#include "io/files.h"

typedef struct spk_codec {
    char name[8];     /* as Spark has it in options, but for lower case: gzip */
    char suffix[9];   /* .gz */
    char also[6];     /* another one that is read; "": none */
    char program[7];  /* which packs with -c, and unpacks with: */
    char unpack[5];
    char package[10]; /* Debian's, that has it */
} spk_codec;

/* spk_codec_of: by the suffix of a path; NULL: it is not compressed. */
SPK_COLD const spk_codec *spk_codec_of(const char *path);

/* spk_codec_named: by its name, in any case; NULL: there is none. */
SPK_COLD const spk_codec *spk_codec_named(const char *name);

/* spk_codec_open_fd: what a descriptor gives, which stays the caller's, unpacked as the file's name says: a
 * stream of spk_codec_source. */
SPK_COLD void *spk_codec_open_fd(
    const spk_file *file, int in, const spk_watch *watch, spk_failure *failure);

/* spk_codec_source: of files that are unpacked as they are read, from their beginning. */
extern const spk_source spk_codec_source;

#endif
