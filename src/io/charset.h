/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in other encodings than UTF-8, as Java's charsets of these names have them. */
#ifndef SPK_IO_CHARSET_H
#define SPK_IO_CHARSET_H

#include "io/files.h"

/* spk_charset: UTF16 and UTF32 go by the mark in front, without one they are big endian; of the others a mark is
 * passed over as well. */
typedef enum spk_charset {
    SPK_UTF8 = 0,
    SPK_LATIN1,
    SPK_UTF16,
    SPK_UTF16BE,
    SPK_UTF16LE,
    SPK_UTF32,
    SPK_UTF32BE,
    SPK_UTF32LE
} spk_charset;

/* spk_charset_named: in any case; false: it is not known. SPK_CHARSETS: those that are. */
#define SPK_CHARSETS "UTF-8, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE, UTF-32, UTF-32BE or UTF-32LE"
SPK_COLD bool spk_charset_named(const char *name, spk_charset *charset);
/* spk_charset_marked: what the first bytes of a text of JSON are: a mark, or where its zero bytes stand. */
SPK_COLD spk_charset spk_charset_marked(const char *bytes, size_t n);

/* spk_decoder: where a text is; zeroed but for the charset. */
typedef struct spk_decoder {
    spk_charset charset;
    bool begun;
} spk_decoder;

/* spk_decode: up to n bytes as UTF-8 at `to`, which has `room` bytes, four at least; what is none in the encoding
 * is U+FFFD. last: nothing follows. *used: how many bytes were taken; the rest is to be given again, with
 * more. Returns how many were written. */
SPK_COLD size_t spk_decode(spk_decoder *decoder, const char *from, size_t n, bool last, size_t *used,
    char *to, size_t room);
/* spk_encode: whole characters of UTF-8 in an encoding that is not; *begun, false at first: the mark of UTF-16
 * has been written. What the encoding has no sign for is ?, what is no UTF-8 is U+FFFD. Room: eight bytes at
 * least. */
SPK_COLD size_t spk_encode(spk_charset charset, bool *begun, const char *from, size_t n, size_t *used,
    char *to, size_t room);

/* spk_files_recode: files are read as UTF-8 from then on, each in one piece, to its end. On failure they are to be
 * freed as before. */
SPK_COLD spark_status spk_files_recode(spk_files *files, spk_charset charset, spk_failure *failure);

#endif
