/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping metrics: the listener, and how what it keeps is found. */
#include <stdlib.h>

#include "base/error.h"
#include "listen/bus.h"
#include "listen/metrics.h"
#include "plan/listening.h"

static void finish(void *env)
{
    spk_metrics *k = env;
    spk_metrics_unlock(k);
    spk_metrics_fini(k);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static spk_listener_queue *queue_of(spark_context *sc)
{
    const spk_bus *bus = sc && !sc->error && spk_heard_by(sc) ? sc->bus : NULL;
    spk_listener_queue *q = bus && *bus->here ? atomic_load(&bus->queues) : NULL;
    while (q && q->listener.close != finish)
        q = q->next;
    return q;
}

spk_metrics *spk_metrics_enter(spark_context *sc)
{
    spk_listener_queue *q = queue_of(sc);
    if (!q)
        return NULL;
    spk_queue_await_told(q);
    spk_metrics *k = q->listener.env;
    pthread_mutex_lock(&k->lock);
    spk_metrics_settle(k, NULL);
    return k;
}

void spk_metrics_leave(spk_metrics *k)
{
    pthread_mutex_unlock(&k->lock);
}

static spark_status refuse(spark_status status, const char *complaint)
{
    return spk_raisef(status, "keepMetrics", NULL, "keepMetrics: %s", complaint);
}

static int or_else(int asked, int usual)
{
    return asked ? asked : usual;
}

spark_status spark_keep_metrics(spark_context *sc, const spark_metrics_options *options)
{
    const spark_metrics_options o = options ? *options : (spark_metrics_options) { .retained_jobs = 0 };
    if (o.retained_jobs < 0 || o.retained_stages < 0 || o.retained_tasks < 0 || o.retained_executors < 0)
        return refuse(SPARK_EINVAL, "a negative number of things to be retained");
    if (queue_of(sc))
        return refuse(SPARK_EINVAL, "they are kept already");
    spk_metrics *k = calloc(1, sizeof *k);
    if (!k)
        return refuse(SPARK_ENOMEM, "out of memory");
    pthread_mutex_init(&k->lock, NULL);
    k->newest_job = -1;
    k->other.more.stage = -1;
    k->most.retained_jobs = or_else(o.retained_jobs, 1000);
    k->most.retained_stages = or_else(o.retained_stages, 1000);
    k->most.retained_tasks = or_else(o.retained_tasks, 100000);
    k->most.retained_executors = or_else(o.retained_executors, 100);
    spark_listener listener = spk_metrics_listener(k);
    listener.close = finish;
    const spark_status status = spark_add_listener(sc, &listener);
    if (status == SPARK_OK) {
        atomic_store(&sc->bus->counts_rows, true);
        atomic_store(&sc->bus->times, true);
    }
    return status;
}
