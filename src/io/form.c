/* SPDX-License-Identifier: Apache-2.0 */
/* Input that would be taken for lines, and is none: compressed, or in an encoding whose line ends are
 * others. It is known by what such files begin with; where it could not be told from text, it is text.
 * Files whose names say that they are compressed (io/codec.h) come here unpacked. The first bytes are those
 * that the formats' specifications fix. */
#include "io/form.h"

#include <errno.h>

#include "base/sys.h"

typedef struct form {
    const char *name, *unpack;
    size_t n;
    const char *bytes;
} form;

/* UTF-32 comes first: its mark begins with that of UTF-16. */
static const form forms[] = {
    { "compressed by gzip", "gzip -dc", 3, "\x1f\x8b\x08" },
    { "compressed by zstd", "zstd -dc", 4, "\x28\xb5\x2f\xfd" },
    { "compressed by xz", "xz -dc", 6, "\xfd"
                                      "7zXZ\0" },
    { "compressed by lz4", "lz4 -dc", 4, "\x04\x22\x4d\x18" },
    { "in UTF-32", "iconv -f UTF-32 -t UTF-8", 4, "\xff\xfe\0\0" },
    { "in UTF-32", "iconv -f UTF-32 -t UTF-8", 4, "\0\0\xfe\xff" },
    { "in UTF-16", "iconv -f UTF-16 -t UTF-8", 2, "\xff\xfe" },
    { "in UTF-16", "iconv -f UTF-16 -t UTF-8", 2, "\xfe\xff" },
};
static const form bzip2 = { "compressed by bzip2", "bzip2 -dc", 0, NULL };

/* is_bzip2: "BZh", the size of blocks, and what a block or the end of the file begins with: three
 * letters and a digit may be text. */
static bool is_bzip2(const char *bytes, size_t n)
{
    return n >= 10 && memcmp(bytes, "BZh", 3) == 0 && bytes[3] >= '1' && bytes[3] <= '9'
        && (memcmp(bytes + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0
            || memcmp(bytes + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

static const form *form_of(const char *bytes, size_t n)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (n >= forms[i].n && memcmp(bytes, forms[i].bytes, forms[i].n) == 0)
            return &forms[i];
    return is_bzip2(bytes, n) ? &bzip2 : NULL;
}

spark_status spk_form_check(const char *path, const char *bytes, size_t n, spk_failure *failure)
{
    const form *f = form_of(bytes, n);
    if (f == NULL)
        return SPARK_OK;
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "%s is not plain text: it is %s; %sread what \"%s FILE\" makes of it: a file, a FIFO or "
        "standard input (spark_text_fd)",
        path, f->name, *f->name == 'c' ? "give it its suffix, or " : "of CSV or JSON set encoding, or else ", f->unpack);
}

spark_status spk_form_look(const spk_reader *reader, spk_failure *failure)
{
    char head[SPK_FORM_BYTES];
    ssize_t n;
    do
        n = reader->fd < 0 ? 0 : spk_pread(reader->fd, head, sizeof head, 0);
    while (n < 0 && errno == EINTR);
    return n <= 0 ? SPARK_OK : spk_form_check(reader->file->path, head, (size_t)n, failure);
}
