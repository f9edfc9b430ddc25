/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around each work: options, clock, peak memory, JSON, and the comparison of answers. */
#include "bench.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *program = "bench";
static bool limited; /* by -m */

void bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void bench_ok(spark_status status)
{
    if (status != SPARK_OK)
        exit(spark_complain(program));
}

spark_context *bench_context(const bench_options *options)
{
    return spark_context_new(&(spark_conf) { .app_name = program,
        .threads = options->threads,
        .memory_bytes = (uint64_t)options->memory << 20 });
}

void bench_close(void *state)
{
    spark_context_free(*(spark_context **)state);
    free(state);
}

spark_rdd *bench_cached(spark_context *sc, int64_t first, int64_t n, int partitions,
    const spark_map_def *make, const spark_env *env)
{
    spark_rdd *numbers = spark_range(sc, first, first + n, 1, partitions);
    spark_rdd *made = spark_map(numbers, make, env);
    int64_t counted;
    if (limited)
        return made;
    made = spark_cache(made);
    bench_ok(spark_count(made, &counted));
    if (counted != n)
        bench_die("%" PRId64 " of %" PRId64 " elements are there", counted, n);
    return made;
}

SPARK_MERGE(add_tally, bench_tally, bench_tally)
{
    acc->rows += in->rows;
    acc->checksum += in->checksum;
    acc->extra += in->extra;
}

bench_tally bench_tally_of(spark_rdd *rdd, const spark_merge_def *add)
{
    spark_array all;
    bench_ok(spark_aggregate(rdd, SPARK_ZERO(bench_tally), add, add_tally, NULL, &all));
    const bench_tally found = *SPARK_ITEMS(bench_tally, &all);
    spark_array_free(&all);
    return found;
}

static void *or_die(void *memory, size_t n, size_t size)
{
    if (!memory)
        bench_die("no memory for %zu elements of %zu bytes", n, size);
    return memory;
}

void *bench_alloc(size_t n, size_t size)
{
    return or_die(n <= SIZE_MAX / (size ? size : 1) ? malloc(n * size + 1) : NULL, n, size);
}

void *bench_zeroed(size_t n, size_t size)
{
    return or_die(calloc(n ? n : 1, size), n, size);
}

void *bench_room(void *old, size_t *room, size_t n, size_t size)
{
    if (n <= *room)
        return old;
    free(old);
    *room = n;
    return bench_alloc(n, size);
}

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Linux can start the high-water mark afresh, so that a run does not answer for the making of its
 * input. Where it cannot, the mark is that of the whole process. */
static void forget_peak(void)
{
    const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "5", 1) != 1)
        fprintf(stderr, "%s: peak memory is that of the whole process\n", program);
    close(fd);
}

/* status_bytes: a line of the process's status, such as "VmHWM:"; 0: it has none. */
static int64_t status_bytes(const char *name)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    int64_t kib = 0;
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoll(line + strlen(name), NULL, 10);
    if (f)
        fclose(f);
    return kib * 1024;
}

static uint64_t peak_bytes(void)
{
    const int64_t bytes = status_bytes("VmHWM:");
    struct rusage usage;
    if (bytes == 0 && getrusage(RUSAGE_SELF, &usage) == 0)
        return (uint64_t)usage.ru_maxrss * 1024;
    return (uint64_t)bytes;
}

int64_t bench_resident(void)
{
    const int64_t bytes = status_bytes("VmRSS:");
    if (bytes == 0)
        bench_die("/proc/self/status cannot be read");
    return bytes;
}

static int cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int64_t number(const char *text, int64_t least)
{
    char *end;
    const long long n = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || n < least)
        bench_die("not a number from %" PRId64 " on: '%s'", least, text);
    return n;
}

static void usage(const bench_work *work)
{
    bench_die("usage: [-r spark|plain] [-n SIZE] [-k KEYS] [-t THREADS] [-p PARTITIONS]"
              " [-i ITERATIONS] [-m MIB] [-s] [-u] [-w OUT]%s",
        work->needs_file ? " FILE" : "");
}

static bench_options parse(const bench_work *work, int argc, char **argv)
{
    bench_options o = { .size = work->size, .keys = work->keys, .iterations = 1, .spark = true };
    o.threads = cpus();
    o.way = work->way;
    optind = 1;
    for (int c; (c = getopt(argc, argv, "r:n:k:t:p:i:m:suw:")) != -1;) {
        switch (c) {
        case 'r':
            o.spark = strcmp(optarg, "spark") == 0;
            if (!o.spark && strcmp(optarg, "plain") != 0)
                usage(work);
            break;
        case 'n':
            o.size = number(optarg, 0);
            break;
        case 'k':
            o.keys = number(optarg, 1);
            break;
        case 't':
            o.threads = (int)number(optarg, 1);
            break;
        case 'p':
            o.partitions = (int)number(optarg, 0);
            break;
        case 'i':
            o.iterations = (int)number(optarg, 1);
            break;
        case 'm':
            o.memory = number(optarg, 0);
            limited = o.memory > 0;
            break;
        case 'u':
            o.distinct = true;
            break;
        case 's':
            o.skewed = true;
            break;
        case 'w':
            o.out = optarg;
            break;
        default:
            usage(work);
        }
    }
    if (argc - optind != (work->needs_file ? 1 : 0))
        usage(work);
    o.file = argv[optind];
    if (!o.spark)
        o.threads = 1;
    struct stat file;
    if (o.file && stat(o.file, &file) != 0)
        bench_die("cannot read %s", o.file);
    if (o.file && !o.out)
        o.size = file.st_size;
    return o;
}

static void print_run(const bench_work *work, const bench_options *o, int iteration,
    const bench_answer *a, uint64_t peak)
{
    printf("{\"name\": \"%s\", \"impl\": \"%s\", \"size\": %" PRId64 ", \"keys\": %" PRId64
           ", \"threads\": %d, \"partitions\": %d, \"iteration\": %d, \"seconds\": %.9f"
           ", \"rows\": %" PRIu64 ", \"checksum\": %" PRIu64 ", \"extra\": %" PRIu64
           ", \"peak_rss_bytes\": %" PRIu64 "}\n",
        work->name, o->spark ? "libspark" : "plain C", o->size, o->keys, o->threads, o->partitions,
        iteration, a->seconds, a->rows, a->checksum, a->extra, peak);
    fflush(stdout);
}

static void check(const bench_work *work, const bench_answer *got, const bench_answer *want)
{
    if (got->rows == want->rows && got->checksum == want->checksum && got->extra == want->extra)
        return;
    bench_die("%s: wrong answer: rows, checksum, extra are %" PRIu64 ", %" PRIu64 ", %" PRIu64
              "; expected %" PRIu64 ", %" PRIu64 ", %" PRIu64,
        work->name, got->rows, got->checksum, got->extra, want->rows, want->checksum, want->extra);
}

static int write_file(const bench_work *work, const bench_options *o)
{
    FILE *out = work->write ? fopen(o->out, "w") : NULL;
    if (!work->write)
        bench_die("%s has nothing to write", work->name);
    if (!out)
        bench_die("cannot write %s", o->out);
    work->write(o, out);
    const bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        bench_die("cannot write all of %s", o->out);
    return 0;
}

int bench_main(const bench_work *work, int argc, char **argv)
{
    program = argv[0];
    const bench_options o = parse(work, argc, argv);
    if (o.out)
        return write_file(work, &o);

    const bench_impl *impl = o.spark ? &work->spark : &work->plain;
    bench_answer *answers = (bench_answer *)bench_alloc((size_t)o.iterations, sizeof *answers);
    void *state = impl->open(&o);
    for (int i = 0; i < o.iterations; i++) {
        forget_peak();
        const double start = bench_now();
        impl->run(state);
        const double seconds = bench_now() - start;
        const uint64_t peak = peak_bytes();
        answers[i] = impl->answer(state);
        if (answers[i].seconds == 0)
            answers[i].seconds = seconds;
        print_run(work, &o, i, &answers[i], peak);
    }
    impl->close(state);

    const bench_answer expected = work->expect(&o);
    for (int i = 0; i < o.iterations; i++)
        check(work, &answers[i], &expected);
    free(answers);
    return 0;
}
