/* SPDX-License-Identifier: Apache-2.0 */
/* Sort of records of 100 bytes in memory by a key of 10 bytes. The sorted records are read once in
 * order, which is timed: that they are sorted (extra is 1) and the sum of the 8-byte words of each
 * record, each multiplied with an odd number, modulo 2^64 (the checksum). Keys and payload are
 * drawn from 64 letters.
 *
 * By hand: a radix sort of (8 bytes of the key, index), ties mended by the rest of the key, and
 * one pass that fetches the records in that order. */
#include "bench.h"

#include <string.h>

enum { KEY_BYTES = 10, PAYLOAD_BYTES = 90 };

SPARK_STRUCT(record, (char, key, KEY_BYTES), (char, payload, PAYLOAD_BYTES));

static void letters(char *out, size_t n, uint64_t seed)
{
    static const char alphabet[]
        = "+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < n; i++) {
        if (i % 10 == 0)
            seed = bench_mix(seed);
        out[i] = alphabet[seed >> (6 * (i % 10)) & 63];
    }
}

static void record_at(int64_t i, record *r)
{
    letters(r->key, sizeof r->key, (uint64_t)i);
    letters(r->payload, sizeof r->payload, ~(uint64_t)i);
}

static inline uint64_t term(const record *r)
{
    const char *bytes = (const char *)r;
    uint64_t sum = 0, word, factor = 1;
    for (size_t at = 0; at < sizeof *r; at += sizeof word) {
        const size_t from = at + sizeof word <= sizeof *r ? at : sizeof *r - sizeof word;
        memcpy(&word, bytes + from, sizeof word);
        sum += word * factor;
        factor += 2;
    }
    return sum;
}

/* stretch: what was seen of a part of the result. */
SPARK_STRUCT(stretch, (int64_t, n), (char, first, KEY_BYTES), (char, last, KEY_BYTES),
    (uint64_t, disorder), (uint64_t, checksum));

static inline void stretch_add(stretch *s, const record *r)
{
    if (s->n++ == 0) {
        memcpy(s->first, r->key, KEY_BYTES);
        memcpy(s->last, r->key, KEY_BYTES);
    }
    s->disorder += memcmp(s->last, r->key, KEY_BYTES) > 0;
    memcpy(s->last, r->key, KEY_BYTES);
    s->checksum += term(r);
}

/* With libspark. */

SPARK_ORDER(by_key, record, (asc, key));

SPARK_MAP(make_record, int64_t, record)
{
    record_at(*in, out);
}

SPARK_STEP(inspect, stretch, record, stretch)
{
    stretch_add(state, in);
}
SPARK_FINISH(inspect, stretch, record, stretch)
{
    if (state->n)
        spark_emit(out, *state);
}

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *records;
    int partitions;
    stretch found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o), .partitions = o->partitions };
    s->records = bench_cached(s->sc, 0, o->size, o->partitions, make_record, NULL);
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    SPARK_SCOPED(s->sc);
    spark_rdd *sorted = spark_sort_by(s->records, by_key, s->partitions);
    spark_array parts;
    bench_ok(spark_collect(spark_map_stateful(sorted, inspect, NULL), SPARK_TYPE(stretch), &parts));
    memset(&s->found, 0, sizeof s->found);
    const stretch *part = SPARK_ITEMS(stretch, &parts);
    for (size_t i = 0; i < parts.n; i++) {
        s->found.n += part[i].n;
        s->found.disorder
            += part[i].disorder + (memcmp(s->found.last, part[i].first, KEY_BYTES) > 0);
        memcpy(s->found.last, part[i].last, KEY_BYTES);
        s->found.checksum += part[i].checksum;
    }
    spark_array_free(&parts);
}

static bench_answer answer_of(const stretch *found)
{
    return (bench_answer) { (uint64_t)found->n, found->checksum, found->disorder == 0, 0 };
}

static bench_answer spark_answer(void *state)
{
    return answer_of(&((const with_spark *)state)->found);
}

/* By hand. */

enum { PASSES = 8, RADIX = 256, AHEAD = 16 };

typedef struct entry {
    uint64_t prefix; /* the first 8 bytes of the key as a big-endian number */
    uint64_t index;
} entry;

typedef struct by_hand {
    size_t n;
    record *records, *sorted;
    entry *ping, *pong;
    stretch found;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .n = (size_t)o->size };
    h->records = (record *)bench_alloc(h->n, sizeof *h->records);
    h->sorted = (record *)bench_alloc(h->n, sizeof *h->sorted);
    h->ping = (entry *)bench_alloc(h->n, sizeof *h->ping);
    h->pong = (entry *)bench_alloc(h->n, sizeof *h->pong);
    for (int64_t i = 0; i < o->size; i++)
        record_at(i, &h->records[i]);
    return h;
}

static inline uint64_t prefix_of(const record *r)
{
    uint64_t prefix;
    memcpy(&prefix, r->key, sizeof prefix);
    return __builtin_bswap64(prefix);
}

static inline size_t digit(const entry *e, int pass)
{
    return e->prefix >> (8 * pass) & (RADIX - 1);
}

static void radix_sort(by_hand *h)
{
    size_t count[PASSES][RADIX];
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < h->n; i++) {
        h->ping[i] = (entry) { prefix_of(&h->records[i]), i };
        for (int pass = 0; pass < PASSES; pass++)
            count[pass][digit(&h->ping[i], pass)]++;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        const entry *from = pass % 2 ? h->pong : h->ping;
        entry *to = pass % 2 ? h->ping : h->pong;
        size_t next[RADIX], total = 0;
        for (size_t d = 0; d < RADIX; d++) {
            next[d] = total;
            total += count[pass][d];
        }
        for (size_t i = 0; i < h->n; i++)
            to[next[digit(&from[i], pass)]++] = from[i];
    }
}

/* Entries with equal prefixes are few: insertion by the rest of the key, stable. */
static void mend_ties(by_hand *h)
{
    entry *e = h->ping;
    for (size_t i = 1; i < h->n; i++) {
        const entry moving = e[i];
        const char *key = h->records[moving.index].key;
        size_t at = i;
        for (; at > 0 && e[at - 1].prefix == moving.prefix; at--) {
            if (memcmp(h->records[e[at - 1].index].key, key, KEY_BYTES) <= 0)
                break;
            e[at] = e[at - 1];
        }
        e[at] = moving;
    }
}

static void fetch(by_hand *h)
{
    for (size_t i = 0; i < h->n; i++) {
        if (i + AHEAD < h->n) {
            const char *ahead = (const char *)&h->records[h->ping[i + AHEAD].index];
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + sizeof(record) - 1);
        }
        h->sorted[i] = h->records[h->ping[i].index];
    }
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    radix_sort(h);
    mend_ties(h);
    fetch(h);
    memset(&h->found, 0, sizeof h->found);
    for (size_t i = 0; i < h->n; i++)
        stretch_add(&h->found, &h->sorted[i]);
}

static bench_answer plain_answer(void *state)
{
    return answer_of(&((const by_hand *)state)->found);
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->records);
    free(h->sorted);
    free(h->ping);
    free(h->pong);
    free(h);
}

static bench_answer expect(const bench_options *o)
{
    bench_answer answer = { (uint64_t)o->size, 0, 1, 0 };
    for (int64_t i = 0; i < o->size; i++) {
        record r;
        record_at(i, &r);
        answer.checksum += term(&r);
    }
    return answer;
}

static void write_input(const bench_options *o, FILE *out)
{
    for (int64_t i = 0; i < o->size; i++) {
        record r;
        record_at(i, &r);
        fprintf(out, "%.*s,%.*s\n", KEY_BYTES, r.key, PAYLOAD_BYTES, r.payload);
    }
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "sort_records",
        .size = 10000000,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect,
        .write = write_input };
    return bench_main(&work, argc, argv);
}
