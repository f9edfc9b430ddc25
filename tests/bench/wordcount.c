/* SPDX-License-Identifier: Apache-2.0 */
/* Word count: the words of a text (runs of bytes between ASCII white space), how often each occurs,
 * and the 20 most frequent, ties by word. The checksum is the sum of crc32(word) * count over all
 * words, extra the crc32 of the 20 lines "count<TAB>word<LF>". -w writes all lines in that order.
 *
 * By hand: one open-addressing table for the file, filled from reads of 1 MiB. */
#include "bench.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

enum { TOP = 20, READ_BYTES = 1 << 20, CHUNK_BYTES = 1 << 20 };

SPARK_PAIR(word_count, spark_str, int64_t);

static uint32_t crc32(uint32_t crc, const char *data, size_t n)
{
    static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190,
        0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static void tally_word(bench_tally *t, const word_count *w)
{
    t->rows++;
    t->checksum += crc32(0, w->key.ptr, w->key.len) * (uint64_t)w->value;
}

static uint32_t tally_top(const word_count *top, size_t n)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < n; i++) {
        char count[32];
        const int length = snprintf(count, sizeof count, "%" PRId64 "\t", top[i].value);
        crc = crc32(crc, count, (size_t)length);
        crc = crc32(crc, top[i].key.ptr, top[i].key.len);
        crc = crc32(crc, "\n", 1);
    }
    return crc;
}

/* With libspark. */

SPARK_ORDER(most_frequent, word_count, (desc, value), (asc, key));

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}

SPARK_MERGE(add_word, bench_tally, word_count)
{
    tally_word(acc, in);
}

typedef struct with_spark {
    spark_context *sc;
    const bench_options *options;
    spark_scope *scope;
    spark_rdd *counts;
    spark_array top;
} with_spark;

static void *spark_open(const bench_options *options)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .options = options, .sc = bench_context(options) };
    return s;
}

static spark_rdd *count_words(with_spark *s)
{
    spark_rdd *lines = spark_text_file(s->sc, s->options->file, s->options->partitions);
    return spark_reduce_by_key(spark_flat_map(lines, split_words, NULL), spark_op_sum, NULL, 0);
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    s->scope = spark_scope_begin(s->sc);
    s->counts = count_words(s);
    bench_ok(spark_take_ordered(s->counts, TOP, most_frequent, SPARK_TYPE(word_count), &s->top));
}

static bench_answer spark_answer(void *state)
{
    with_spark *s = (with_spark *)state;
    const bench_tally t = bench_tally_of(s->counts, add_word);
    const word_count *top = SPARK_ITEMS(word_count, &s->top);
    const bench_answer answer = { t.rows, t.checksum, tally_top(top, s->top.n), 0 };
    spark_array_free(&s->top);
    spark_scope_end(s->scope);
    return answer;
}

/* By hand. */

typedef struct slot {
    uint64_t hash;
    word_count counted; /* value 0: the slot is free */
} slot;

typedef struct by_hand {
    const char *path;
    slot *slots;
    size_t capacity, used;
    char **chunks; /* the bytes of the words */
    size_t n_chunks, chunk_left;
    char *chunk_next;
    word_count top[TOP];
    size_t n_top;
} by_hand;

static void *plain_open(const bench_options *options)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .path = options->file };
    return h;
}

static const char *keep_word(by_hand *h, spark_str word)
{
    if (h->chunk_left < word.len) {
        h->chunk_left = word.len > CHUNK_BYTES ? word.len : CHUNK_BYTES;
        h->chunks = (char **)realloc(h->chunks, (h->n_chunks + 1) * sizeof *h->chunks);
        if (!h->chunks)
            bench_die("no memory for words");
        h->chunk_next = h->chunks[h->n_chunks++] = (char *)bench_alloc(h->chunk_left, 1);
    }
    char *copy = h->chunk_next;
    memcpy(copy, word.ptr, word.len);
    h->chunk_next += word.len;
    h->chunk_left -= word.len;
    return copy;
}

static void grow(by_hand *h)
{
    const size_t old = h->capacity;
    slot *from = h->slots;
    h->capacity = old ? old * 2 : 4096;
    h->slots = (slot *)bench_zeroed(h->capacity, sizeof *h->slots);
    for (size_t i = 0; i < old; i++) {
        if (!from[i].counted.value)
            continue;
        size_t at = from[i].hash & (h->capacity - 1);
        while (h->slots[at].counted.value)
            at = (at + 1) & (h->capacity - 1);
        h->slots[at] = from[i];
    }
    free(from);
}

static void count_word(by_hand *h, spark_str word)
{
    const uint64_t hash = spk_hash_bytes(word.ptr, word.len);
    size_t at = hash & (h->capacity - 1);
    for (;; at = (at + 1) & (h->capacity - 1)) {
        slot *s = &h->slots[at];
        if (!s->counted.value) {
            *s = (slot) { hash, { { keep_word(h, word), word.len }, 1 } };
            if (++h->used > h->capacity / 2)
                grow(h);
            return;
        }
        if (s->hash == hash && s->counted.key.len == word.len
            && memcmp(s->counted.key.ptr, word.ptr, word.len) == 0) {
            s->counted.value++;
            return;
        }
    }
}

/* Counts the words of the text and returns how many bytes of it were used up: all when it is the
 * last, else those before a word that may go on. */
static size_t count_text(by_hand *h, spark_str text, bool last)
{
    const char *start = text.ptr, *end = text.ptr + text.len;
    spark_str word;
    while (spark_str_next_word(&text, &word)) {
        if (word.ptr + word.len == end && !last)
            return (size_t)(word.ptr - start);
        count_word(h, word);
    }
    return (size_t)(end - start);
}

static void count_file(by_hand *h)
{
    const int fd = open(h->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        bench_die("cannot open %s", h->path);
    size_t size = 2 * READ_BYTES, have = 0;
    char *buffer = (char *)bench_alloc(size, 1);
    for (bool last = false; !last;) {
        if (size - have < READ_BYTES)
            buffer = (char *)realloc(buffer, size *= 2);
        if (!buffer)
            bench_die("no memory for a word of %zu bytes", have);
        const ssize_t n = read(fd, buffer + have, READ_BYTES);
        if (n < 0)
            bench_die("cannot read %s", h->path);
        last = n == 0;
        have += (size_t)n;
        const size_t used = count_text(h, (spark_str) { buffer, have }, last);
        have -= used;
        memmove(buffer, buffer + used, have);
    }
    free(buffer);
    close(fd);
}

static int compare_counts(const void *x, const void *y)
{
    const word_count *a = (const word_count *)x, *b = (const word_count *)y;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    const size_t shorter = a->key.len < b->key.len ? a->key.len : b->key.len;
    const int order = memcmp(a->key.ptr, b->key.ptr, shorter);
    return order ? order : (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

static void find_top(by_hand *h)
{
    for (size_t i = 0; i < h->capacity; i++) {
        const word_count *w = &h->slots[i].counted;
        if (!w->value || (h->n_top == TOP && w->value < h->top[TOP - 1].value))
            continue;
        if (h->n_top == TOP && compare_counts(w, &h->top[TOP - 1]) > 0)
            continue;
        size_t at = h->n_top < TOP ? h->n_top++ : TOP - 1;
        for (; at > 0 && compare_counts(w, &h->top[at - 1]) < 0; at--)
            h->top[at] = h->top[at - 1];
        h->top[at] = *w;
    }
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    grow(h);
    count_file(h);
    find_top(h);
}

static bench_answer plain_answer(void *state)
{
    by_hand *h = (by_hand *)state;
    bench_tally t = { 0, 0, 0 };
    for (size_t i = 0; i < h->capacity; i++)
        if (h->slots[i].counted.value)
            tally_word(&t, &h->slots[i].counted);
    const bench_answer answer = { t.rows, t.checksum, tally_top(h->top, h->n_top), 0 };
    for (size_t i = 0; i < h->n_chunks; i++)
        free(h->chunks[i]);
    free(h->chunks);
    free(h->slots);
    *h = (by_hand) { .path = h->path };
    return answer;
}

/* Each of the two is checked against the plain one; the comparison with other programs is the work
 * of tests/bench/compare. */
static bench_answer expect(const bench_options *options)
{
    void *h = plain_open(options);
    plain_run(h);
    const bench_answer answer = plain_answer(h);
    free(h);
    return answer;
}

static void write_lines(const word_count *words, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "%" PRId64 "\t", words[i].value);
        fwrite(words[i].key.ptr, 1, words[i].key.len, out);
        fputc('\n', out);
    }
}

static void write_spark(const bench_options *options, FILE *out)
{
    with_spark *s = (with_spark *)spark_open(options);
    spark_array all;
    spark_rdd *sorted = spark_sort_by(count_words(s), most_frequent, 0);
    bench_ok(spark_collect(sorted, SPARK_TYPE(word_count), &all));
    write_lines(SPARK_ITEMS(word_count, &all), all.n, out);
    spark_array_free(&all);
    bench_close(s);
}

static void write_plain(const bench_options *options, FILE *out)
{
    by_hand *h = (by_hand *)plain_open(options);
    plain_run(h);
    word_count *words = (word_count *)bench_alloc(h->used, sizeof *words);
    size_t n = 0;
    for (size_t i = 0; i < h->capacity; i++)
        if (h->slots[i].counted.value)
            words[n++] = h->slots[i].counted;
    qsort(words, n, sizeof *words, compare_counts);
    write_lines(words, n, out);
    free(words);
    plain_answer(h);
    free(h);
}

static void write_all(const bench_options *options, FILE *out)
{
    (options->spark ? write_spark : write_plain)(options, out);
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "wordcount",
        .needs_file = true,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, free },
        .expect = expect,
        .write = write_all };
    return bench_main(&work, argc, argv);
}
