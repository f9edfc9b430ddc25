/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a text: its lines are those that a loop over the bytes finds, however it is split, and
 * however small the buffer is that they are cut in. */
#include "io/form.h"
#include "io/lines.h"
#include "replay.h"

enum { AT_ONCE = 7 };

static uint64_t mix(uint64_t digest, const char *line, size_t n)
{
    digest = (digest ^ (n + 1)) * 0x100000001b3u;
    for (size_t i = 0; i < n; i++)
        digest = (digest ^ (unsigned char)line[i]) * 0x100000001b3u;
    return digest;
}

/* by_loop: \n, \r\n and \r end a line; a mark of UTF-8 in front is none of it. */
static uint64_t by_loop(const char *p, size_t n)
{
    uint64_t digest = 1;
    size_t begin = n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    for (size_t i = begin; i < n; i++)
        if (p[i] == '\n' || p[i] == '\r') {
            digest = mix(digest, p + begin, i - begin);
            i += p[i] == '\r' && i + 1 < n && p[i + 1] == '\n';
            begin = i + 1;
        }
    return begin < n ? mix(digest, p + begin, n - begin) : digest;
}

static uint64_t by_splits(spk_heap *heap, const spk_file *file, uint64_t size, size_t buffer, bool *refused)
{
    uint64_t digest = 1;
    for (uint64_t at = 0; at < file->size && !*refused; at += size) {
        const spk_split split = { file, at, at + size < file->size ? at + size : file->size, NULL };
        spk_failure failure = { .code = SPARK_OK };
        spk_lines lines;
        spark_str out[AT_ONCE];
        *refused = spk_lines_open_sized(&lines, heap, &split, buffer, &failure) != SPARK_OK;
        if (*refused)
            break;
        for (size_t n; (n = spk_lines_next(&lines, out, 1 + at % AT_ONCE, &failure)) > 0;)
            for (size_t i = 0; i < n; i++)
                digest = mix(digest, out[i].ptr, out[i].len);
        spk_lines_close(&lines);
        insist(failure.code == SPARK_OK);
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static spk_heap heap;
    static bool made;
    char name[] = "input";
    spk_failure failure;
    if (size < 3)
        return 0;
    if (!made)
        spk_heap_init(&heap, 0);
    made = true;
    const char *text = (const char *)data + 2;
    const size_t n = size - 2;
    const spk_file file = { .path = name, .size = n, .fd = file_of(text, n) };
    const bool odd = spk_form_check(name, text, n < SPK_FORM_BYTES ? n : SPK_FORM_BYTES, &failure) != SPARK_OK;
    const uint64_t wanted = by_loop(text, n), parts[] = { n, n / (data[0] % 7u + 1) + 1, n / 16 + 1 + data[0] % 3u };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        bool refused = false;
        const uint64_t found = by_splits(&heap, &file, parts[i], 16 + data[1], &refused);
        insist(refused == odd && (odd || found == wanted));
    }
    close(file.fd);
    return 0;
}
