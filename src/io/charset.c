/* SPDX-License-Identifier: Apache-2.0 */
/* Each encoding is a way to get a number from bytes and back; what is no number of a character is U+FFFD, for as
 * many bytes as Java's decoders take. */
#include "io/charset.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { INVALID = 0xfffd, MARK = 0xfeff };

bool spk_charset_named(const char *name, spk_charset *charset)
{
    static const struct {
        const char *name;
        spk_charset charset;
    } names[] = { { "UTF-8", SPK_UTF8 }, { "UTF8", SPK_UTF8 }, { "US-ASCII", SPK_UTF8 },
        { "ISO-8859-1", SPK_LATIN1 }, { "ISO8859_1", SPK_LATIN1 }, { "ISO8859-1", SPK_LATIN1 },
        { "latin1", SPK_LATIN1 }, { "UTF-16", SPK_UTF16 }, { "UTF16", SPK_UTF16 },
        { "UTF-16BE", SPK_UTF16BE }, { "UTF-16LE", SPK_UTF16LE }, { "UTF-32", SPK_UTF32 },
        { "UTF32", SPK_UTF32 }, { "UTF-32BE", SPK_UTF32BE }, { "UTF-32LE", SPK_UTF32LE } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i].name) == 0) {
            *charset = names[i].charset;
            return true;
        }
    return false;
}

static uint32_t unit16(const unsigned char *p, bool little)
{
    return little ? p[0] | (uint32_t)p[1] << 8 : p[1] | (uint32_t)p[0] << 8;
}

static uint32_t unit32(const unsigned char *p, bool little)
{
    return little ? unit16(p, true) | unit16(p + 2, true) << 16
                  : unit16(p + 2, false) | unit16(p, false) << 16;
}

spk_charset spk_charset_marked(const char *bytes, size_t n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    if (n >= 4 && unit32(p, true) == MARK)
        return SPK_UTF32LE;
    if (n >= 4 && unit32(p, false) == MARK)
        return SPK_UTF32BE;
    if (n >= 2 && (unit16(p, false) == MARK || unit16(p, true) == MARK))
        return unit16(p, true) == MARK ? SPK_UTF16LE : SPK_UTF16BE;
    if (n >= 4 && !p[0] && !p[1])
        return SPK_UTF32BE;
    if (n >= 4 && !p[1] && !p[2] && !p[3])
        return SPK_UTF32LE;
    if (n >= 2 && (!p[0] || !p[1]))
        return p[0] ? SPK_UTF16LE : SPK_UTF16BE;
    return SPK_UTF8;
}

/* ---- decoding ---- */

/* take16: a character of UTF-16; *n: its bytes, 0: more are needed. */
static uint32_t take16(const unsigned char *p, size_t left, bool last, bool little, size_t *n)
{
    *n = left < 2 ? (last ? left : 0) : 2;
    if (left < 2)
        return INVALID;
    const uint32_t high = unit16(p, little);
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff)
        return INVALID;
    *n = left < 4 ? (last ? left : 0) : 4;
    if (left < 4)
        return INVALID;
    const uint32_t low = unit16(p + 2, little);
    return low < 0xdc00 || low > 0xdfff ? INVALID : 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static uint32_t take32(const unsigned char *p, size_t left, bool last, bool little, size_t *n)
{
    *n = left < 4 ? (last ? left : 0) : 4;
    const uint32_t c = left < 4 ? INVALID : unit32(p, little);
    return c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? INVALID : c;
}

static uint32_t take(spk_charset set, const unsigned char *p, size_t left, bool last, size_t *n)
{
    *n = 1;
    if (set == SPK_LATIN1)
        return *p;
    return set == SPK_UTF16BE || set == SPK_UTF16LE ? take16(p, left, last, set == SPK_UTF16LE, n)
                                                    : take32(p, left, last, set == SPK_UTF32LE, n);
}

static size_t put_utf8(uint32_t c, char *to)
{
    const size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(first[n] | c);
    return n;
}

/* begin: which order the bytes have, by the mark, which is passed over; false: more bytes are needed. */
static bool begin(spk_decoder *d, const unsigned char *p, size_t n, bool last, size_t *at)
{
    const bool two = d->charset >= SPK_UTF16 && d->charset <= SPK_UTF16LE;
    const size_t size = two ? 2 : d->charset >= SPK_UTF32 ? 4 : 1;
    if (n < size && !last)
        return false;
    const bool open = d->charset == SPK_UTF16 || d->charset == SPK_UTF32;
    const bool whole = n >= size && size > 1;
    const bool little = whole && (two ? unit16(p, true) : unit32(p, true)) == MARK
        && (open || d->charset == SPK_UTF16LE || d->charset == SPK_UTF32LE);
    const bool big = whole && (two ? unit16(p, false) : unit32(p, false)) == MARK
        && (open || d->charset == SPK_UTF16BE || d->charset == SPK_UTF32BE);
    if (open && two)
        d->charset = little ? SPK_UTF16LE : SPK_UTF16BE;
    else if (open)
        d->charset = little ? SPK_UTF32LE : SPK_UTF32BE;
    *at = little || big ? size : 0;
    return d->begun = true;
}

size_t spk_decode(spk_decoder *d, const char *from, size_t n, bool last, size_t *used, char *to, size_t room)
{
    const unsigned char *p = (const unsigned char *)from;
    size_t at = 0, made = 0, some = 1;
    *used = 0;
    if (!d->begun && !begin(d, p, n, last, &at))
        return 0;
    while (at < n && room - made >= 4) {
        const uint32_t c = take(d->charset, p + at, n - at, last, &some);
        if (some == 0)
            break;
        made += put_utf8(c, to + made);
        at += some;
    }
    *used = at;
    return made;
}

/* ---- encoding ---- */

/* next_of: the character of UTF-8 at p < end; *n: its bytes. */
static uint32_t next_of(const unsigned char *p, size_t left, size_t *n)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    *n = 1;
    if (*p < 0x80)
        return *p;
    const size_t size = *p >= 0xf0 && *p < 0xf8 ? 4 : *p >= 0xe0 ? 3 : 2;
    if (*p < 0xc2 || *p >= 0xf8 || size > left)
        return INVALID;
    uint32_t c = *p & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return INVALID;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return INVALID;
    *n = size;
    return c;
}

static size_t put16(uint32_t c, bool little, char *to)
{
    to[little ? 0 : 1] = (char)c;
    to[little ? 1 : 0] = (char)(c >> 8);
    return 2;
}

static size_t put(spk_charset set, uint32_t c, char *to)
{
    const bool little = set == SPK_UTF16LE || set == SPK_UTF32LE;
    if (set == SPK_LATIN1) {
        *to = (char)(c < 0x100 ? c : '?');
        return 1;
    }
    if (set >= SPK_UTF32) {
        put16(little ? c & 0xffff : c >> 16, little, to);
        put16(little ? c >> 16 : c & 0xffff, little, to + 2);
        return 4;
    }
    if (c < 0x10000)
        return put16(c, little, to);
    put16(0xd800 + ((c - 0x10000) >> 10), little, to);
    return 2 + put16(0xdc00 + (c & 0x3ff), little, to + 2);
}

size_t spk_encode(
    spk_charset set, bool *begun, const char *from, size_t n, size_t *used, char *to, size_t room)
{
    const unsigned char *p = (const unsigned char *)from;
    size_t at = 0, made = 0, some;
    if (!*begun && n > 0 && set == SPK_UTF16)
        made += put16(MARK, false, to);
    *begun = *begun || n > 0;
    for (; at < n && room - made >= 4; at += some)
        made += put(set, next_of(p + at, n - at, &some), to + made);
    *used = at;
    return made;
}

/* ---- files ---- */

/* recoded: the data of such a file: the file as it is, whose path is that of the other. */
typedef struct recoded {
    spk_file file;
    spk_charset charset;
} recoded;

enum { PIECE = 32 * 1024 };

typedef struct stream {
    spk_reader in;
    spk_decoder decoder;
    uint64_t offset; /* of the file, behind what is in the buffer */
    size_t from, to; /* of it */
    bool ended;
    char few[4];     /* a character that a reader had no room for */
    size_t few_at, few_n;
    char buffer[PIECE];
} stream;

static void *recoded_open(const spk_file *file, uint64_t from, uint64_t to, const spk_watch *watch,
    spk_failure *failure)
{
    const recoded *r = file->data;
    stream *s = malloc(sizeof *s);
    (void)from, (void)to;
    if (!s) {
        spk_failure_nomem(failure, NULL, NULL);
        return NULL;
    }
    if (spk_reader_open(&s->in, &r->file, r->file.size, failure) != SPARK_OK) {
        free(s);
        return NULL;
    }
    s->in.watch = watch;
    s->decoder = (spk_decoder) { .charset = r->charset };
    s->offset = 0;
    s->from = s->to = s->few_at = s->few_n = 0;
    s->ended = false;
    return s;
}

/* fill: the buffer again. */
static bool fill(stream *s, spk_failure *failure)
{
    size_t got;
    memmove(s->buffer, s->buffer + s->from, s->to - s->from);
    s->to -= s->from;
    s->from = 0;
    if (spk_reader_read(&s->in, s->buffer + s->to, PIECE - s->to, s->offset, &got, failure) != SPARK_OK)
        return false;
    s->ended = got < PIECE - s->to;
    s->to += got;
    s->offset += got;
    return true;
}

/* decode: one character at least, to a place with room for four bytes; 0: the end; SIZE_MAX. */
static size_t decode(stream *s, char *to, size_t room, spk_failure *failure)
{
    for (;;) {
        size_t used;
        if (s->to - s->from < 4 && !s->ended && !fill(s, failure))
            return SIZE_MAX;
        if (s->from == s->to && s->ended)
            return 0;
        const size_t made
            = spk_decode(&s->decoder, s->buffer + s->from, s->to - s->from, s->ended, &used, to, room);
        s->from += used;
        if (made > 0)
            return made;
    }
}

static size_t recoded_read(void *state, char *to, size_t n, spk_failure *failure)
{
    stream *s = state;
    if (s->few_at == s->few_n && n >= sizeof s->few)
        return decode(s, to, n, failure);
    if (s->few_at == s->few_n) {
        s->few_at = 0;
        s->few_n = decode(s, s->few, sizeof s->few, failure);
        if (s->few_n == SIZE_MAX || s->few_n == 0) {
            n = s->few_n;
            s->few_n = 0;
            return n;
        }
    }
    n = n < s->few_n - s->few_at ? n : s->few_n - s->few_at;
    memcpy(to, s->few + s->few_at, n);
    s->few_at += n;
    return n;
}

static void recoded_close(void *state)
{
    stream *s = state;
    spk_reader_close(&s->in);
    free(s);
}

static void recoded_release(void *data)
{
    recoded *r = data;
    if (r->file.fd >= 0)
        close(r->file.fd);
    if (r->file.source && r->file.source->release)
        r->file.source->release(r->file.data);
    free(r);
}

spark_status spk_files_recode(spk_files *files, spk_charset charset, spk_failure *failure)
{
    static const spk_source source
        = { recoded_open, recoded_read, recoded_close, recoded_release, NULL };
    for (size_t i = 0; i < files->n; i++) {
        spk_file *file = &files->at[i];
        recoded *r = malloc(sizeof *r);
        if (!r)
            return spk_failure_nomem(failure, NULL, NULL);
        *r = (recoded) { *file, charset };
        file->packed = file->size == SPK_TO_END ? file->packed : file->size;
        file->size = SPK_TO_END;
        file->fd = -1;
        file->source = &source;
        file->data = r;
    }
    return SPARK_OK;
}
