/* SPDX-License-Identifier: Apache-2.0 */
/* What a context says of itself: who, where, and how it is configured, by Spark's names. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <spark/version.h>

#include "listen/bus.h"

enum { MOST_PROPERTIES = 40 };

typedef struct listing {
    spk_pad *pad;
    spark_property *at;
    size_t n;
} listing;

static void begin(listing *list, spk_pad *pad)
{
    *list = (listing) { pad, spk_pad_alloc(pad, MOST_PROPERTIES * sizeof *list->at), 0 };
}

static void put(listing *list, const char *name, const char *value)
{
    if (list->at && list->n < MOST_PROPERTIES)
        list->at[list->n++] = (spark_property) { name, spk_pad_text(list->pad, value) };
}

static void put_number(listing *list, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    put(list, name, text);
}

static void put_bool(listing *list, const char *name, bool value)
{
    put(list, name, value ? "true" : "false");
}

/* mix: bits of what tells contexts apart that begin in the same millisecond. */
static uint32_t mix(const spk_bus *bus)
{
    uint64_t x = (uint64_t)(uintptr_t)bus->sc ^ (uint64_t)getpid() << 40 ^ (uint64_t)spk_bus_now(bus);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(x >> 32);
}

static const char *user_of(char *text, size_t size)
{
    struct passwd entry, *found = NULL;
    const char *named = getenv("SPARK_USER");
    if (named && *named)
        return named;
    if (getpwuid_r(getuid(), &entry, text, size, &found) == 0 && found)
        return found->pw_name;
    named = getenv("USER");
    return named && *named ? named : "unknown";
}

static const char *master_of(const spark_context *sc, char *text, size_t size)
{
    if (sc->executors > 0)
        snprintf(text, size, "local-cluster[%d,%d,%llu]", sc->executors, sc->threads,
            (unsigned long long)(sc->executor_bytes >> 20));
    else
        snprintf(text, size, "local[%d]", sc->threads);
    return text;
}

/* host_of: no colon may be in it. */
static const char *host_of(char *text, size_t size)
{
    if (gethostname(text, size) != 0 || !*text)
        snprintf(text, size, "localhost");
    text[size - 1] = '\0';
    for (char *at = text; *at; at++)
        if (*at == ':' || (unsigned char)*at <= ' ' || (unsigned char)*at >= 127)
            *at = '-';
    return text;
}

static void describe_application(spk_bus *bus)
{
    spark_application *a = &bus->application;
    char text[1024], id[64];
    a->start_time = spk_bus_now(bus);
    snprintf(id, sizeof id, "local-%lld-%08x", (long long)(a->start_time / 1000000), (unsigned)mix(bus));
    a->id = spk_pad_text(bus->pad, id);
    a->name = spk_pad_text(bus->pad, bus->sc->app_name);
    a->user = spk_pad_text(bus->pad, user_of(text, sizeof text));
    a->host = spk_pad_text(bus->pad, host_of(text, 256));
    a->master = spk_pad_text(bus->pad, master_of(bus->sc, text, sizeof text));
}

static void put_speculation(listing *list, const spark_context *sc)
{
    const spark_speculation *s = &sc->speculation;
    char text[64];
    put_bool(list, "spark.speculation", s->on);
    if (s->on) {
        snprintf(text, sizeof text, "%g", s->quantile);
        put(list, "spark.speculation.quantile", text);
        snprintf(text, sizeof text, "%g", s->multiplier);
        put(list, "spark.speculation.multiplier", text);
        snprintf(text, sizeof text, "%dms", s->interval_ms);
        put(list, "spark.speculation.interval", text);
    }
    put_bool(list, "spark.excludeOnFailure.enabled", sc->exclusion.on);
}

static void describe_properties(spk_bus *bus)
{
    const spark_context *sc = bus->sc;
    listing list;
    begin(&list, bus->pad);
    put(&list, "spark.app.id", bus->application.id);
    put(&list, "spark.app.name", bus->application.name);
    put(&list, "spark.master", bus->application.master);
    put_number(&list, "spark.app.startTime", bus->application.start_time / 1000000);
    put(&list, "spark.driver.host", bus->application.host);
    put(&list, "spark.scheduler.mode", sc->fair ? "FAIR" : "FIFO");
    put_number(&list, "spark.driver.memory", (int64_t)sc->heap.limit);
    if (sc->executors > 0) {
        put_number(&list, "spark.executor.instances", sc->executors);
        put_number(&list, "spark.executor.cores", sc->threads);
        put_number(&list, "spark.executor.memory", (int64_t)sc->executor_bytes);
    }
    put_number(&list, "spark.default.parallelism",
        sc->default_parallelism ? sc->default_parallelism : SPK_DEFAULT_PARTITIONS);
    put_number(&list, "spark.task.maxFailures", sc->task_max_failures);
    put_number(&list, "spark.stage.maxConsecutiveAttempts", sc->stage_max_attempts);
    put_number(&list, "spark.locality.wait", sc->locality_wait_ms);
    put_speculation(&list, sc);
    put(&list, "spark.local.dir", sc->local_dir ? sc->local_dir : "");
    put_number(&list, "libspark.batch.rows", sc->batch_rows);
    put_number(&list, "libspark.max.result.bytes", (int64_t)sc->max_result_bytes);
    put_number(&list, "libspark.task.timeout.ms", sc->task_timeout_ms);
    put_number(&list, "libspark.job.timeout.ms", sc->job_timeout_ms);
    put_number(&list, "libspark.faults", (int64_t)sc->n_faults);
    put_bool(&list, "libspark.check", sc->check);
    bus->environment.properties = list.at;
    bus->environment.n_properties = list.n;
}

static void describe_runtime(spk_bus *bus)
{
    listing list;
    begin(&list, bus->pad);
    put(&list, "libspark", SPARK_VERSION_STRING);
#if defined __clang__
    put(&list, "Compiler", "clang " __clang_version__);
#elif defined __GNUC__
    put(&list, "Compiler", "gcc " __VERSION__);
#endif
    bus->environment.runtime = list.at;
    bus->environment.n_runtime = list.n;
}

static void describe_system(spk_bus *bus)
{
    struct utsname names;
    char text[4096];
    listing list;
    begin(&list, bus->pad);
    if (uname(&names) == 0) {
        put(&list, "os.name", names.sysname);
        put(&list, "os.version", names.release);
        put(&list, "os.arch", names.machine);
    }
    put(&list, "user.name", bus->application.user);
    put(&list, "user.dir", getcwd(text, sizeof text) ? text : "");
    put_number(&list, "process.id", getpid());
    put_number(&list, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
    put_number(&list, "memory", (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
    bus->environment.system = list.at;
    bus->environment.n_system = list.n;
}

void spk_bus_describe(spk_bus *bus)
{
    describe_application(bus);
    describe_properties(bus);
    describe_runtime(bus);
    describe_system(bus);
}

spark_executor_event spk_executor_event_of(const spk_bus *bus, const spk_executor *executor)
{
    return (spark_executor_event) { .id = executor->name,
        .host = bus->application.host,
        .reason = "",
        .threads = executor->threads,
        .memory = executor->store.heap->limit,
        .time = spk_bus_now(bus) };
}
