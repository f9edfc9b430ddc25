/* SPDX-License-Identifier: Apache-2.0 */
/* A set of counters is a group, read by one call. What a worker does between two tasks is not worth a call: there the
 * last reading is the first of the next task. Sets are closed when the context ends, and not before: a thread may
 * read its own at any time. They read past fault plans: what a plan makes fail is not to depend on who counts. */
#include "listen/counters.h"

#include <linux/perf_event.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <spark/metrics.h>

#include "base/error.h"
#include "listen/bus.h"

enum { MOST_SETS = 1024 };

/* A set of one thread: fds: the leader first; of: which counter each is. */
typedef struct spk_counter_set {
    struct spk_counter_set *next;
    pid_t thread;
    int n, fds[SPK_COUNTERS], of[SPK_COUNTERS];
    uint64_t last[SPK_COUNTERS];
} counter_set;

struct spk_counters {
    pthread_mutex_t lock; /* guards the list */
    counter_set *sets, none;
    int n_sets;
    unsigned known;
};

static const struct {
    uint32_t type;
    uint64_t config;
    const char *name;
    size_t offset;
} kinds[SPK_COUNTERS] = {
    { PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, "cycles", offsetof(spark_task_metrics, cycles) },
    { PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, "instructions", offsetof(spark_task_metrics, instructions) },
    { PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, "cache misses", offsetof(spark_task_metrics, cache_misses) },
    { PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, "page faults", offsetof(spark_task_metrics, page_faults) },
};

/* What a group is read as. */
typedef struct reading {
    uint64_t n, enabled, running, values[SPK_COUNTERS];
} reading;

static int open_one(int kind, int leader)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = kinds[kind].type;
    attr.config = kinds[kind].config;
    attr.exclude_kernel = attr.exclude_hv = 1; /* what everybody may count */
    attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

/* open_set: of this thread: those of `wanted` that there are. */
static void open_set(counter_set *set, unsigned wanted)
{
    for (int kind = 0; kind < SPK_COUNTERS; kind++) {
        const int fd = wanted >> kind & 1 ? open_one(kind, set->n > 0 ? set->fds[0] : -1) : -1;
        if (fd < 0)
            continue;
        set->fds[set->n] = fd;
        set->of[set->n++] = kind;
    }
}

static void close_set(counter_set *set)
{
    while (set->n > 0)
        close(set->fds[--set->n]);
}

/* read_set: false: it cannot be read. Where the processor has counted only part of the time, as much as if it had
 * all the time. */
static bool read_set(const counter_set *set, uint64_t values[SPK_COUNTERS])
{
    reading got;
    const size_t size = offsetof(reading, values) + (size_t)set->n * sizeof *values;
    if (set->n == 0 || syscall(SYS_read, set->fds[0], &got, size) != (long)size || got.n != (uint64_t)set->n)
        return false;
    for (int i = 0; i < set->n; i++)
        values[i] = got.running == 0 || got.running >= got.enabled
            ? got.values[i]
            : (uint64_t)((double)got.values[i] * ((double)got.enabled / (double)got.running));
    return true;
}

/* set_of: the one of this thread, opened when there is none. */
static counter_set *set_of(spk_counters *c, spark_task *task)
{
    const pid_t thread = task->worker < 0 || !task->heard.counters ? (pid_t)syscall(SYS_gettid) : 0;
    counter_set *set = task->heard.counters;
    if (set && (thread == 0 || set->thread == thread))
        return set;
    pthread_mutex_lock(&c->lock);
    for (set = c->sets; set && set->thread != thread;)
        set = set->next;
    if (!set && c->n_sets < MOST_SETS && (set = calloc(1, sizeof *set)) != NULL) {
        set->thread = thread;
        open_set(set, c->known);
        set->next = c->sets;
        c->sets = set;
        c->n_sets++;
    }
    pthread_mutex_unlock(&c->lock);
    task->heard.counters = set ? set : &c->none;
    return task->heard.counters;
}

static void start(spk_counters *c, spark_task *task)
{
    const bool known = task->worker >= 0 && task->heard.counters;
    counter_set *set = set_of(c, task);
    if (!known)
        read_set(set, set->last);
}

static void stop(spk_counters *c, spark_task *task, spark_task_metrics *m)
{
    counter_set *set = task->heard.counters;
    uint64_t now[SPK_COUNTERS];
    (void)c;
    if (!set || !read_set(set, now))
        return;
    for (int i = 0; i < set->n; i++) {
        const int64_t counted = now[i] > set->last[i] ? (int64_t)(now[i] - set->last[i]) : 0;
        memcpy((char *)m + kinds[set->of[i]].offset, &counted, sizeof counted);
        set->last[i] = now[i];
    }
}

static const char *name(const spk_counters *c, int i)
{
    return c->known >> i & 1 ? kinds[i].name : NULL;
}

static int64_t figure(const spark_task_metrics *m, int i)
{
    int64_t value;
    memcpy(&value, (const char *)m + kinds[i].offset, sizeof value);
    return value;
}

static void free_counters(spk_counters *c)
{
    for (counter_set *set = c->sets, *next; set; set = next) {
        next = set->next;
        close_set(set);
        free(set);
    }
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ask: what this thread may count, any may. */
static spk_counters *ask(void)
{
    spk_counters *c = calloc(1, sizeof *c);
    counter_set here = { .n = 0 };
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    open_set(&here, (1u << SPK_COUNTERS) - 1);
    for (int i = 0; i < here.n; i++)
        c->known |= 1u << here.of[i];
    close_set(&here);
    return c;
}

static const spk_counting counting = { start, stop, name, figure, free_counters };

spark_status spark_count_hardware(spark_context *sc, unsigned *counted)
{
    if (counted)
        *counted = 0;
    spk_bus *bus;
    const spark_status status = spk_bus_of(sc, "countHardware", &bus);
    if (status != SPARK_OK)
        return status;
    spk_counters *c = ask(), *before = NULL;
    if (!c)
        return spk_raisef(SPARK_ENOMEM, "countHardware", NULL, "countHardware: out of memory");
    const unsigned known = c->known;
    if (known == 0 || !atomic_compare_exchange_strong(&bus->counters, &before, c))
        free_counters(c); /* nothing is allowed, or it was asked for before */
    else
        atomic_store_explicit(&bus->counting, &counting, memory_order_release);
    if (counted)
        *counted = known;
    return SPARK_OK;
}
