/* SPDX-License-Identifier: Apache-2.0 */
/* Empty tasks: a map and a count over 100,000 partitions (-p) without elements; what a task costs
 * from end to end is seconds x threads / partitions. -n gives them elements. rows is the count,
 * the checksum how many tasks ran.
 *
 * By hand: the same number of tasks, each a function and its argument, pushed into a queue under a
 * mutex and drained by one thread. */
#include "bench.h"

#include <pthread.h>

enum { TASKS = 100000 };

static int tasks_of(const bench_options *o)
{
    return o->partitions ? o->partitions : TASKS;
}

/* With libspark. */

SPARK_MAP(next_number, int64_t, int64_t)
{
    *out = *in + 1;
}

typedef struct with_spark {
    spark_context *sc;
    const bench_options *options;
    int64_t found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .options = o, .sc = bench_context(o) };
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    SPARK_SCOPED(s->sc);
    spark_rdd *numbers = spark_range(s->sc, 0, s->options->size, 1, tasks_of(s->options));
    bench_ok(spark_count(spark_map(numbers, next_number, NULL), &s->found));
}

static bench_answer spark_answer(void *state)
{
    const with_spark *s = (const with_spark *)state;
    spark_job_stats stats;
    bench_ok(spark_job_stats_get(s->sc, SPARK_ANY, &stats));
    return (bench_answer) { (uint64_t)s->found, (uint64_t)stats.tasks, 0, 0 };
}

/* By hand. */

typedef struct range {
    int64_t from, to, counted;
} range;

typedef struct task {
    struct task *next;
    void (*run)(void *argument);
    void *argument;
    range range;
} task;

typedef struct by_hand {
    pthread_mutex_t mutex;
    task *first, **last;
    int64_t size, tasks, ran, counted;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .size = o->size, .tasks = tasks_of(o) };
    pthread_mutex_init(&h->mutex, NULL);
    return h;
}

static void count_range(void *argument)
{
    range *r = (range *)argument;
    for (int64_t i = r->from; i < r->to; i++)
        r->counted++;
}

static void push(by_hand *h, int64_t i)
{
    task *t = (task *)bench_alloc(1, sizeof *t);
    t->next = NULL;
    t->run = count_range;
    t->range = (range) { i * h->size / h->tasks, (i + 1) * h->size / h->tasks, 0 };
    t->argument = &t->range;
    pthread_mutex_lock(&h->mutex);
    *h->last = t;
    h->last = &t->next;
    pthread_mutex_unlock(&h->mutex);
}

static task *pop(by_hand *h)
{
    pthread_mutex_lock(&h->mutex);
    task *t = h->first;
    if (t)
        h->first = t->next;
    pthread_mutex_unlock(&h->mutex);
    return t;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    h->first = NULL;
    h->last = &h->first;
    h->ran = h->counted = 0;
    for (int64_t i = 0; i < h->tasks; i++)
        push(h, i);
    for (task *t; (t = pop(h)) != NULL; free(t)) {
        t->run(t->argument);
        h->counted += t->range.counted;
        h->ran++;
    }
}

static bench_answer plain_answer(void *state)
{
    const by_hand *h = (const by_hand *)state;
    return (bench_answer) { (uint64_t)h->counted, (uint64_t)h->ran, 0, 0 };
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

static bench_answer expect(const bench_options *o)
{
    return (bench_answer) { (uint64_t)o->size, (uint64_t)tasks_of(o), 0, 0 };
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "empty_tasks",
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect };
    return bench_main(&work, argc, argv);
}
