/* SPDX-License-Identifier: Apache-2.0 */
/* The composition root: reads the configuration, starts what the rooms offer, and takes it down
 * again in the reverse order. */
#include "base/small.h"

#include <ctype.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/limits.h"
#include "exec/crash.h"
#include "io/files.h"
#include "io/local_dir.h"
#include "io/output.h"
#include "plan/listening.h"
#include "scheduler/job.h"
#include "scheduler/lineage.h"
#include "scheduler/stage.h"
#include "storage/store.h"

enum {
    DEFAULT_FAILURES = 4,
    DEFAULT_STAGE_ATTEMPTS = 4,
    DEFAULT_BATCH = 1024,
    MOST_THREADS = 4096,
    MOST_NUMBER = 16 * 1024 * 1024,
    MOST_BATCH = 65536
};

/* ---- how much of the machine */

static int usable_cpus(const spk_limits *limits)
{
    cpu_set_t set;
    const int quota = limits->cpus < MOST_THREADS ? (int)limits->cpus + (limits->cpus > (int)limits->cpus) : 0;
    int cpus = 0;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        cpus = CPU_COUNT(&set);
    if (cpus < 1)
        cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (quota > 0 && quota < cpus)
        cpus = quota;
    return cpus < 1 ? 1 : cpus > MOST_THREADS ? MOST_THREADS : cpus;
}

/* read_number: "*" is 0. */
static bool read_number(const char **at, int *number)
{
    if (**at == '*') {
        *number = 0;
        ++*at;
        return true;
    }
    long value = 0;
    const char *start = *at;
    while (isdigit((unsigned char)**at) && value <= MOST_NUMBER)
        value = value * 10 + (*(*at)++ - '0');
    *number = (int)value;
    return *at > start && value >= 1 && value <= MOST_NUMBER;
}

/* master: what one says; 0: it does not. */
typedef struct master {
    int threads, failures, executors, mib;
} master;

/* read_list: "[a,b,c]", up to `most` numbers, of which the first may be "*"; how many there are, or -1.
 */
static int read_list(const char *at, int most, int *numbers)
{
    int n = 0;
    do {
        at += 1 + strspn(at + 1, " ");
        if (n == most || (*at == '*' && n > 0) || !read_number(&at, &numbers[n++]))
            return -1;
        at += strspn(at, " ");
    } while (*at == ',');
    return at[0] == ']' && at[1] == '\0' ? n : -1;
}

/* read_master: local, local[N], local[*], local[N,F], local-cluster[E,C,M]. */
static bool read_master(const char *text, master *m)
{
    int numbers[3] = { 0, 0, 0 };
    *m = (master) { .threads = 1 };
    if (strcmp(text, "local") == 0)
        return true;
    if (strncmp(text, "local[", 6) == 0) {
        const int n = read_list(text + 5, 2, numbers);
        *m = (master) { .threads = numbers[0], .failures = numbers[1] };
        return n > 0 && numbers[0] <= MOST_THREADS && numbers[1] <= MOST_THREADS;
    }
    if (strncmp(text, "local-cluster[", 14) != 0 || read_list(text + 13, 3, numbers) != 3
        || numbers[0] == 0 || (int64_t)numbers[0] * numbers[1] > MOST_THREADS)
        return false;
    *m = (master) { .executors = numbers[0], .threads = numbers[1], .mib = numbers[2] };
    return true;
}

/* ---- configuration */

static bool copy_text(char **to, const char *from)
{
    const size_t size = strlen(from) + 1;
    *to = malloc(size);
    if (*to)
        memcpy(*to, from, size);
    return *to != NULL;
}

/* place_program: calls of the program's threads may fail, too. */
__attribute__((cold, noinline)) static bool place_program(spark_context *sc)
{
    sc->place = malloc(sizeof *sc->place);
    if (sc->place)
        spk_place_init(sc->place, sc->plan);
    return sc->place != NULL;
}

/* fault_complaint: what is wrong with a line of the plan; NULL: nothing. */
static const char *fault_complaint(const spark_fault *f)
{
    const bool known = (f->kind >= SPARK_FAULT_TASK && f->kind <= SPARK_FAULT_HANG)
        || (f->kind >= SPARK_FAULT_ALLOC && f->kind <= SPARK_FAULT_CORRUPT);
    if (!known)
        return "there is no such kind";
    if (!(f->rate >= 0 && f->rate <= 1))
        return "rate must be 0 to 1";
    return f->delay_ms < 0 ? "delay_ms must not be negative" : NULL;
}

static spark_status check_faults(const spark_conf *conf, spk_failure *failure)
{
    for (size_t i = 0; i < conf->n_faults; i++) {
        const char *complaint = fault_complaint(&conf->faults[i]);
        if (complaint)
            return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
                "line %zu of spark_conf.faults (kind %d): %s", i, (int)conf->faults[i].kind,
                complaint);
    }
    return SPARK_OK;
}

static bool copy_faults(spark_context *sc, const spark_conf *conf)
{
    if (conf->n_faults == 0)
        return true;
    sc->faults = malloc(conf->n_faults * sizeof *sc->faults);
    if (!sc->faults)
        return false;
    memcpy(sc->faults, conf->faults, conf->n_faults * sizeof *sc->faults);
    sc->n_faults = conf->n_faults;
    return spk_faults_new(sc->faults, sc->n_faults, &sc->faults_off, &sc->plan)
        && (!sc->plan || place_program(sc));
}

static spark_status make_pools(spark_context *sc, const spark_conf *conf, spk_failure *failure)
{
    sc->fair = conf->scheduler_mode == SPARK_FAIR;
    if (sc->fair && !spk_share_add(sc, "default", 1, 0))
        return spk_failure_nomem(failure, "SparkContext", NULL);
    for (size_t i = 0; i < conf->n_pools; i++) {
        const spark_pool *p = &conf->pools[i];
        if (!p->name || p->weight < 0 || p->min_share < 0)
            return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
                "pool %zu of spark_conf has no name or a negative number", i);
        if (!spk_share_add(sc, p->name, p->weight ? p->weight : 1, p->min_share))
            return spk_failure_nomem(failure, "SparkContext", NULL);
    }
    return SPARK_OK;
}

/* check_numbers: says which one is out of its bounds. */
static spark_status check_numbers(const spark_conf *conf, spk_failure *failure)
{
    const struct {
        const char *name;
        int value, most;
    } numbers[] = { { "threads", conf->threads, MOST_THREADS },
        { "batch_rows", conf->batch_rows, MOST_BATCH },
        { "default_parallelism", conf->default_parallelism, INT32_MAX },
        { "task_max_failures", conf->task_max_failures, INT32_MAX },
        { "stage_max_attempts", conf->stage_max_attempts, INT32_MAX },
        { "limit_initial_partitions", conf->limit_initial_partitions, INT32_MAX },
        { "limit_scale_up_factor", conf->limit_scale_up_factor, INT32_MAX } };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value < 0 || numbers[i].value > numbers[i].most)
            return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
                "spark_conf.%s is %d; it must be 0, for the default, to %d", numbers[i].name,
                numbers[i].value, numbers[i].most);
    if (conf->scheduler_mode != SPARK_FIFO && conf->scheduler_mode != SPARK_FAIR)
        return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
            "spark_conf.scheduler_mode is %d; it must be SPARK_FIFO or SPARK_FAIR",
            (int)conf->scheduler_mode);
    if (spk_local_dir_check(conf->local_dir, failure) != SPARK_OK)
        return failure->code;
    if (conf->task_timeout_ms < 0 || conf->job_timeout_ms < 0)
        return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
            "spark_conf.%s_timeout_ms is negative; no limit is 0",
            conf->task_timeout_ms < 0 ? "task" : "job");
    return SPARK_OK;
}

/* measure: what was not told is taken from what the process may have. */
static void measure(spark_context *sc, uint64_t *memory_bytes)
{
    if (sc->threads && *memory_bytes)
        return;
    const uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    const spk_limits limits = spk_limits_read("", ram);
    if (!sc->threads)
        sc->threads = usable_cpus(&limits);
    if (!*memory_bytes)
        *memory_bytes = spk_limits_share(limits.memory_bytes);
}

static bool wants_crash_reports(void)
{
    const char *set = getenv("SPARK_CRASH_REPORTS");
    return set && *set && strcmp(set, "0") != 0;
}

static spark_status configure_speculation(
    spark_context *sc, const spark_conf *conf, spk_failure *failure)
{
    spark_speculation s = conf->speculation;
    sc->locality_wait_ms = conf->locality_wait_ms ? conf->locality_wait_ms : 3000;
    if (!(s.quantile >= 0 && s.quantile <= 1) || !(s.multiplier >= 0) || s.interval_ms < 0
        || s.min_runtime_ms < 0 || s.task_threshold_ms < 0)
        return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
            "spark_conf.speculation has a quantile of %g, which must be 0 to 1, a multiplier of %g, "
            "interval_ms of %d, min_runtime_ms of %d or task_threshold_ms of %d, which must not be negative",
            s.quantile, s.multiplier, s.interval_ms, s.min_runtime_ms, s.task_threshold_ms);
    if (!s.on)
        s.task_threshold_ms = 0;
    s.quantile = s.quantile > 0 ? s.quantile : 0.9;
    s.multiplier = s.multiplier > 0 ? s.multiplier : 3;
    s.interval_ms = s.interval_ms ? s.interval_ms : 100;
    s.min_runtime_ms = s.min_runtime_ms ? s.min_runtime_ms : 100;
    sc->speculation = s;
    return SPARK_OK;
}

static spark_status configure_exclusion(
    spark_context *sc, const spark_conf *conf, spk_failure *failure)
{
    spark_exclusion e = conf->exclusion;
    if (e.task_attempts < 0 || e.stage_tasks < 0 || e.tasks < 0 || e.timeout_ms < 0)
        return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
            "spark_conf.exclusion has task_attempts %d, stage_tasks %d, tasks %d and timeout_ms %d, of "
            "which none may be negative",
            e.task_attempts, e.stage_tasks, e.tasks, e.timeout_ms);
    e.task_attempts = e.task_attempts ? e.task_attempts : 1;
    e.stage_tasks = e.stage_tasks ? e.stage_tasks : 2;
    e.tasks = e.tasks ? e.tasks : 2;
    e.timeout_ms = e.timeout_ms ? e.timeout_ms : 3600 * 1000;
    sc->exclusion = e;
    return SPARK_OK;
}

static spark_status configure(spark_context *sc, const spark_conf *conf, spk_failure *failure)
{
    master m = { .threads = 0 };
    if (conf->master && !read_master(conf->master, &m))
        return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
            "Could not parse Master URL: '%s'; local, local[N], local[*], local[N,F] and "
            "local-cluster[E,C,M] are known, N and F up to 4096, E times C as well",
            conf->master);
    if (check_numbers(conf, failure) != SPARK_OK
        || configure_speculation(sc, conf, failure) != SPARK_OK
        || configure_exclusion(sc, conf, failure) != SPARK_OK)
        return failure->code;
    if (!(conf->memory_storage_fraction >= 0 && conf->memory_storage_fraction <= 1))
        return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
            "spark_conf.memory_storage_fraction is %g; it must be 0, for the default, to 1",
            conf->memory_storage_fraction);
    sc->storage_fraction = conf->memory_storage_fraction > 0 ? conf->memory_storage_fraction : 0.5;
    if (conf->n_faults > 0 && !conf->faults)
        return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
            "n_faults is %zu, but faults is NULL", conf->n_faults);
    if (check_faults(conf, failure) != SPARK_OK)
        return failure->code;
    if (conf->n_pools > 0 && !conf->pools)
        return spk_failure_set(failure, SPARK_EINVAL, "SparkContext", NULL,
            "n_pools is %zu, but pools is NULL", conf->n_pools);
    sc->executors = m.executors;
    sc->executor_bytes = (uint64_t)m.mib << 20;
    sc->threads = conf->threads ? conf->threads : m.threads;
    sc->default_parallelism = conf->default_parallelism;
    sc->task_max_failures = conf->task_max_failures ? conf->task_max_failures
        : m.failures                                ? m.failures
                                                    : DEFAULT_FAILURES;
    if (sc->task_max_failures > 100)
        sc->task_max_failures = 100;
    sc->stage_max_attempts
        = conf->stage_max_attempts ? conf->stage_max_attempts : DEFAULT_STAGE_ATTEMPTS;
    sc->batch_rows = conf->batch_rows ? conf->batch_rows : DEFAULT_BATCH;
    sc->limit_initial = conf->limit_initial_partitions ? conf->limit_initial_partitions : 1;
    sc->limit_scale_up = conf->limit_scale_up_factor ? conf->limit_scale_up_factor : 4;
    if (sc->limit_scale_up < 2)
        sc->limit_scale_up = 2;
    sc->task_timeout_ms = conf->task_timeout_ms;
    sc->job_timeout_ms = conf->job_timeout_ms;
    sc->check = conf->check;
    sc->crash_reports = conf->crash_reports || wants_crash_reports();
    sc->stack_bytes = conf->thread_stack_bytes ? conf->thread_stack_bytes : 1024 * 1024;
    if (!copy_text(&sc->app_name, conf->app_name ? conf->app_name : "libspark")
        || !copy_faults(sc, conf))
        return spk_failure_nomem(failure, "SparkContext", NULL);
    if (conf->local_dir && !copy_text(&sc->local_dir, conf->local_dir))
        return spk_failure_nomem(failure, "SparkContext", NULL);
    sc->store = malloc(sizeof *sc->store);
    if (!sc->store)
        return spk_failure_nomem(failure, "SparkContext", NULL);
    spk_store_init(sc->store, &sc->heap, sc->local_dir);
    return make_pools(sc, conf, failure);
}

static void init(spark_context *sc)
{
    pthread_mutex_init(&sc->scope_lock, NULL);
    pthread_mutex_init(&sc->plan_lock, NULL);
    pthread_cond_init(&sc->prepared, NULL);
    sc->process = getpid();
    spk_scope_init(&sc->root, sc);
}

static void take_down(spark_context *sc)
{
    SPK_AT(sc->place);
    const spk_listening *heard = spk_heard_by(sc);
    if (heard)
        heard->quiet(sc);
    if (sc->leave_signals)
        sc->leave_signals(sc);
    spk_scope_close_all(sc);
    spk_scope_drain(&sc->root);
    if (heard)
        heard->end(sc);
    if (sc->scheduler)
        spk_cut_lineages(sc);
    spk_rdd_bury(sc);
    spk_scheduler_free(sc->scheduler);
    spk_shares_free(sc);
    spk_types_free(sc->types);
    if (sc->store)
        spk_store_fini(sc->store);
    free(sc->store);
    spk_own_directory_end(sc->checkpoint_dir);
    spk_local_dir_end(sc->local_checkpoints, sc->local_lock);
    if (sc->elsewhere)
        sc->elsewhere->end(sc->elsewhere);
    free(sc->local_dir);
    sc->store = NULL;
    sc->local_dir = NULL;
    spk_heap_fini(&sc->heap);
    if (sc->crash_reports)
        spk_crash_end();
    pthread_mutex_destroy(&sc->scope_lock);
    pthread_mutex_destroy(&sc->plan_lock);
    pthread_cond_destroy(&sc->prepared);
    free(sc->faults);
    free(sc->place);
    spk_faults_free(sc->plan);
    free(sc->app_name);
    sc->types = NULL;
    sc->scheduler = NULL;
    sc->faults = NULL;
    sc->place = NULL;
    sc->plan = NULL;
    sc->app_name = NULL;
}

/* ---- contexts */

static const spk_failure *keep(const spk_failure *failure)
{
    spk_failure *copy = malloc(sizeof *copy);
    if (copy)
        *copy = *failure;
    return copy ? copy : &spk_no_memory;
}

SPK_COLD spark_context *spark_context_new(const spark_conf *conf)
{
    const spark_conf none = { 0 };
    spk_failure failure;
    spark_context *sc = calloc(1, sizeof *sc);
    if (!sc)
        return spk_context_no_memory();
    spark_status status = configure(sc, conf ? conf : &none, &failure);
    uint64_t memory_bytes = conf ? conf->memory_bytes : 0;
    measure(sc, &memory_bytes);
    spk_heap_init(&sc->heap, memory_bytes);
    sc->heap.place = sc->place;
    sc->max_result_bytes = conf && conf->max_result_bytes ? conf->max_result_bytes : memory_bytes;
    init(sc);
    if (status == SPARK_OK && !(sc->types = spk_types_new()))
        status = spk_failure_nomem(&failure, "SparkContext", NULL);
    if (sc->crash_reports)
        spk_crash_begin();
    if (status == SPARK_OK && !(sc->scheduler = spk_scheduler_new(sc)))
        status = spk_failure_set(&failure, SPARK_ENOMEM, "SparkContext", NULL,
            "no thread could be started with %zu bytes of stack (spark_conf.thread_stack_bytes)",
            sc->stack_bytes);
    if (status != SPARK_OK)
        sc->error = keep(&failure);
    return sc;
}

SPK_COLD void spark_context_free(spark_context *sc)
{
    if (!sc || spk_context_is_constant(sc) || spk_task_current() || spk_told_here(sc))
        return;
    if (getpid() != sc->process)
        return; /* a fork of who has made it: threads and files are not its own */
    take_down(sc);
    if (sc->error != &spk_no_memory) {
        void *error;
        memcpy(&error, &sc->error, sizeof error);
        free(error);
    }
    free(sc);
}

int spark_context_threads(const spark_context *sc)
{
    return sc && !sc->error ? spk_scheduler_threads(sc->scheduler) : 0;
}

const char *spark_context_app_name(const spark_context *sc)
{
    return sc && !spk_context_is_constant(sc) && sc->app_name ? sc->app_name : "";
}

int spark_context_default_parallelism(const spark_context *sc)
{
    if (!sc || sc->error)
        return 0;
    return sc->default_parallelism ? sc->default_parallelism : SPK_DEFAULT_PARTITIONS;
}

uint64_t spark_memory_limit(const spark_context *sc)
{
    return sc && !spk_context_is_constant(sc) && !sc->error ? sc->heap.limit : 0;
}

uint64_t spark_faults_struck(const spark_context *sc)
{
    return sc && sc->plan ? spk_faults_struck(sc->plan) : 0;
}

void spark_faults_enable(spark_context *sc, bool enable)
{
    if (sc && !spk_context_is_constant(sc))
        atomic_store(&sc->faults_off, !enable);
}

uint64_t spark_memory_bytes(const spark_context *sc, uint64_t *peak)
{
    uint64_t most = 0, used = 0;
    if (sc && !spk_context_is_constant(sc)) {
        spark_context *writable;
        memcpy(&writable, &sc, sizeof writable);
        used = spk_heap_used(&writable->heap, &most);
        if (sc->executors > 0 && sc->scheduler)
            used += spk_executors_used(sc->scheduler, &most);
    }
    if (peak)
        *peak = most;
    return used;
}
