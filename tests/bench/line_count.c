/* SPDX-License-Identifier: Apache-2.0 */
/* Line count: how many lines a file has, which may be compressed by gzip: what `wc -l` says. By hand: read
 * and memchr; of a compressed file: not. */
#include "bench.h"

#include <string.h>

enum { BUFFER = 1 << 20 };

typedef struct counting {
    spark_context *sc;
    const bench_options *options;
    int64_t lines;
} counting;

static void *open_counting(const bench_options *o)
{
    counting *c = (counting *)bench_alloc(1, sizeof *c);
    *c = (counting) { .sc = bench_context(o), .options = o };
    return c;
}

static void *open_plain(const bench_options *o)
{
    counting *c = (counting *)bench_alloc(1, sizeof *c);
    *c = (counting) { .options = o };
    return c;
}

static void spark_run(void *state)
{
    counting *c = (counting *)state;
    SPARK_SCOPED(c->sc);
    bench_ok(spark_count(spark_text_file(c->sc, c->options->file, c->options->partitions), &c->lines));
}

static bench_answer answer(void *state)
{
    const counting *c = (const counting *)state;
    return (bench_answer) { (uint64_t)c->lines, 0, 0, 0 };
}

static void plain_run(void *state)
{
    counting *c = (counting *)state;
    FILE *in = fopen(c->options->file, "r");
    char *buffer = (char *)bench_alloc(BUFFER, 1), last = '\n';
    size_t got;
    if (!in)
        bench_die("cannot open %s", c->options->file);
    setvbuf(in, NULL, _IONBF, 0);
    for (c->lines = 0; (got = fread(buffer, 1, BUFFER, in)) > 0; last = buffer[got - 1])
        for (const char *p = buffer; (p = (const char *)memchr(p, '\n', got - (size_t)(p - buffer))); p++)
            c->lines++;
    c->lines += last != '\n';
    free(buffer);
    fclose(in);
}

static bench_answer expect(const bench_options *o)
{
    char command[600];
    long long n = -1;
    snprintf(command, sizeof command, "gzip -dcf '%s' | awk 'END { print NR }'", o->file);
    FILE *in = popen(command, "r"); /* NOLINT */
    if (!in || fscanf(in, "%lld", &n) != 1 || pclose(in) != 0)
        bench_die("cannot count the lines of %s", o->file);
    return (bench_answer) { (uint64_t)n, 0, 0, 0 };
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "line_count",
        .needs_file = true,
        .spark = { open_counting, spark_run, answer, bench_close },
        .plain = { open_plain, plain_run, answer, free },
        .expect = expect };
    return bench_main(&work, argc, argv);
}
