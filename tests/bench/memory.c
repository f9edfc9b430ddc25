/* SPDX-License-Identifier: Apache-2.0 */
/* A cache that is smaller than the data (Zaharia et al., "Resilient Distributed Datasets", NSDI
 * 2012, figure 12): rounds of logistic regression over samples that a map makes, persisted with
 * room for 0, 25, 50, 75 and 100 % of them, at a level without a disk and one with it, beside
 * rounds that persist nothing. Time is to fall evenly with the room, with no cliff; without room,
 * it is to be that of rounds that persist nothing. Exits 1 when a model is not the same to the bit.
 *
 *   usage: bench_memory [-n samples] [-t threads] [-p partitions] [-i rounds] */
#include "bench.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { FEATURES = 10, MOST_ROUNDS = 64, MIB = 1024 * 1024 };

SPARK_STRUCT(sample, (double, label), (double, x, FEATURES));
SPARK_STRUCT(model, (double, weight, FEATURES));

/* A text of a sample, as it would stand in a file, is what making it again costs. */
SPARK_MAP(make_sample, int64_t, sample)
{
    uint64_t x = bench_mix((uint64_t)*in);
    (void)task;
    double z = (double)(x >> 40) / (1 << 24) - 0.5;
    for (int f = 0; f < FEATURES; f++) {
        char text[32], *end = text + sizeof text;
        x = bench_mix(x);
        *--end = '\0';
        for (uint64_t n = x >> 44; n > 0 || end == text + sizeof text - 1; n /= 10)
            *--end = (char)('0' + n % 10);
        out->x[f] = strtod(end, NULL) / (1 << 19) - 1;
        z += f % 2 ? out->x[f] : -out->x[f];
    }
    out->label = z > 0;
}
SPARK_MERGE(add_sample, model, sample, model)
{
    double z = 0;
    (void)task;
    for (int f = 0; f < FEATURES; f++)
        z += env->weight[f] * in->x[f];
    const double error = 1 / (1 + exp(-z)) - in->label;
    for (int f = 0; f < FEATURES; f++)
        acc->weight[f] += error * in->x[f];
}
SPARK_MERGE(add_models, model, model, model)
{
    (void)task;
    (void)env;
    for (int f = 0; f < FEATURES; f++)
        acc->weight[f] += in->weight[f];
}

typedef struct trial {
    const bench_options *options;
    spark_level level; /* SPARK_DEFAULT_LEVEL: nothing is persisted */
    int room;          /* percent */
    double first, median;
    model found;
} trial;

static int by_time(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void round_of(trial *t, spark_rdd *samples)
{
    spark_array sum;
    const model now = t->found;
    bench_ok(spark_aggregate(samples, SPARK_TYPE(model), NULL, add_sample, add_models,
        SPARK_COPY(now), &sum));
    for (int f = 0; f < FEATURES; f++)
        t->found.weight[f]
            -= 4 * ((const model *)sum.items)->weight[f] / (double)t->options->size;
    spark_array_free(&sum);
}

/* run: three quarters of the memory are for blocks; 8 MiB are what tasks need. */
static void run(trial *t)
{
    const bench_options *o = t->options;
    const double data = (double)o->size * (double)sizeof(sample);
    const double memory = 8 * MIB + data * 4 / 3 * 1.1 * t->room / 100;
    double seconds[MOST_ROUNDS];
    spark_context *sc = spark_context_new(
        &(spark_conf) { .threads = o->threads, .memory_bytes = (uint64_t)memory });
    spark_rdd *samples
        = spark_map(spark_range(sc, 0, o->size, 1, o->partitions), make_sample, NULL);
    if (t->level != SPARK_DEFAULT_LEVEL)
        samples = spark_persist(samples, t->level);
    for (int i = 0; i < o->iterations; i++) {
        const double begun = bench_now();
        round_of(t, samples);
        seconds[i] = bench_now() - begun;
    }
    spark_storage_info info;
    bench_ok(spark_rdd_storage_info(samples, &info));
    t->first = seconds[0];
    qsort(seconds + 1, (size_t)o->iterations - 1, sizeof *seconds, by_time);
    t->median = seconds[1 + (o->iterations - 1) / 2];
    printf("%-16s %4d %%  %6.0f MiB  first %6.3f s  then %6.3f s  in memory %3d, on disk %3d of "
           "%d\n",
        spark_level_name(t->level), t->room, memory / MIB, t->first, t->median,
        info.memory_partitions, info.disk_partitions, info.partitions);
    spark_context_free(sc);
}

static void read_options(bench_options *o, int argc, char **argv)
{
    for (int c; (c = getopt(argc, argv, "n:t:p:i:")) != -1;) {
        const long long value = optarg ? atoll(optarg) : 0;
        if (c == 'n')
            o->size = value;
        else if (c == 't')
            o->threads = (int)value;
        else if (c == 'p')
            o->partitions = (int)value;
        else if (c == 'i')
            o->iterations = (int)value;
        else
            bench_die("usage: %s [-n samples] [-t threads] [-p partitions] [-i rounds]", argv[0]);
    }
    if (o->iterations < 3 || o->iterations > MOST_ROUNDS || o->size < 1)
        bench_die("3 to %d rounds, and a sample at least", MOST_ROUNDS);
}

int main(int argc, char **argv)
{
    static const spark_level levels[] = { SPARK_MEMORY_ONLY, SPARK_MEMORY_AND_DISK };
    bench_options options = { .size = 1000000, .partitions = 64, .iterations = 6 };
    read_options(&options, argc, argv);
    trial plain = { .options = &options, .room = 0 };
    run(&plain);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        for (int room = 0; room <= 100; room += 25) {
            trial t = { .options = &options, .level = levels[i], .room = room };
            run(&t);
            if (memcmp(&t.found, &plain.found, sizeof t.found) != 0)
                bench_die("another model");
        }
    return 0;
}
