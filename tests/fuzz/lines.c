/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a text: its lines are those that a loop over the bytes finds, however it is split, and
 * however small the buffer is that they are cut in; in another encoding: those of the text that it is as a whole. */
#include "io/charset.h"
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

static bool is_odd(const char *text, size_t n)
{
    spk_failure failure;
    return spk_form_check("input", text, n < SPK_FORM_BYTES ? n : SPK_FORM_BYTES, &failure) != SPARK_OK;
}

/* recoded: read piece by piece, and decoded at once; what that gives is UTF-8, and is the same when it has been there and
 * back. */
static void recoded(const char *text, size_t n, spk_charset charset, size_t buffer)
{
    spk_file file = file_of(text, n);
    spk_files files = { &file, 1 };
    spk_failure failure;
    spk_decoder decoder = { .charset = charset }, again = { .charset = charset };
    size_t used, back;
    bool refused = false, begun = false;
    char *whole = malloc(3 * n + 8), *coded = malloc(4 * n + 16), *third = malloc(3 * n + 8);
    insist(whole && coded && third && spk_files_recode(&files, charset, &failure) == SPARK_OK);
    const size_t made = spk_decode(&decoder, text, n, true, &used, whole, 3 * n + 8);
    insist(used == n);
    uint64_t digest = 1;
    const spk_split split = { &file, 0, SPK_TO_END, NULL };
    spk_lines lines;
    spark_str out[AT_ONCE];
    failure.code = SPARK_OK;
    refused = spk_lines_open_sized(&lines, the_heap(), &split, buffer, &failure) != SPARK_OK;
    insist(refused == is_odd(whole, made));
    if (!refused) {
        for (size_t k; (k = spk_lines_next(&lines, out, AT_ONCE, &failure)) > 0;)
            for (size_t i = 0; i < k; i++)
                digest = mix(digest, out[i].ptr, out[i].len);
        spk_lines_close(&lines);
        insist(digest == by_loop(whole, made));
    }
    const size_t size = spk_encode(charset, &begun, whole, made, &used, coded, 4 * n + 16);
    insist(used == made);
    again.begun = charset != SPK_UTF16;
    if (charset == SPK_UTF32)
        again.charset = SPK_UTF32BE;
    back = spk_decode(&again, coded, size, true, &used, third, 3 * n + 8);
    insist(back == made && memcmp(third, whole, back) == 0);
    file.source->release(file.data);
    free(whole);
    free(coded);
    free(third);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const char *text = (const char *)data + 2;
    const size_t n = size - 2;
    const spk_file file = file_of(text, n);
    const bool odd = is_odd(text, n);
    const unsigned charset = data[0] >> 4 & 7;
    if (data[0] & 0x80 && charset != SPK_UTF8) {
        recoded(text, n, (spk_charset)charset, 16 + data[1]);
        return 0;
    }
    const uint64_t wanted = by_loop(text, n), parts[] = { n, n / (data[0] % 7u + 1) + 1, n / 9 + 1 + data[0] % 3u };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        bool refused = false;
        const uint64_t found = by_splits(the_heap(), &file, parts[i], 16 + data[1], &refused);
        insist(refused == odd && (odd || found == wanted));
    }
    return 0;
}
