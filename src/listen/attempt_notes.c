/* SPDX-License-Identifier: Apache-2.0 */
/* What is noted of an attempt while it runs, told at its end. */
#include <stdlib.h>

#include "exec/accumulator.h"
#include "listen/bus.h"

/* notes_of: of an attempt, made when the worker first needs them; NULL: no memory. */
static spk_notes *notes_of(spk_bus *bus, spark_task *task)
{
    spk_notes *notes = task->heard.notes;
    if (notes || !(notes = calloc(1, sizeof *notes)))
        return notes;
    notes->next = atomic_load(&bus->notes);
    while (!atomic_compare_exchange_weak(&bus->notes, &notes->next, notes))
        continue;
    return task->heard.notes = notes;
}

void spk_attempt_counts(const spk_bus *bus, spark_task *task)
{
    const spk_counting *counting = atomic_load_explicit(&bus->counting, memory_order_acquire);
    if (counting)
        counting->start(atomic_load(&bus->counters), task);
}

void spk_attempt_watches(spk_bus *bus, spark_task *task)
{
    spk_notes *notes = atomic_load_explicit(&bus->times, memory_order_relaxed) ? notes_of(bus, task) : NULL;
    task->heard.watch = notes ? &notes->watch : NULL;
    if (notes)
        spk_stopwatch_begin(&notes->watch, task->heard.from);
}

/* What the processor has counted is told of the stage as sums of accumulators are, too. */
void spk_attempt_counted(spk_bus *bus, spark_task *task, spark_task_metrics *m)
{
    const spk_counting *counting = atomic_load_explicit(&bus->counting, memory_order_acquire);
    spk_counters *counters = atomic_load(&bus->counters);
    if (!counting)
        return;
    counting->stop(counters, task, m);
    spk_notes *notes = notes_of(bus, task);
    for (int i = 0; i < SPK_COUNTERS && notes; i++) {
        const spk_heard_sum sum = { .id = SPK_COUNTER_ID + i,
            .i64 = counting->figure(m, i),
            .is_whole = true,
            .name = counting->name(counters, i) };
        if (sum.name)
            spk_heard_sums_add(&notes->counted, &sum);
    }
}

/* share_out: an attempt's time: what no step has taken is its end's; steps, whose times are estimates, have taken no more
 * than all of it. */
static void share_out(spk_rows_table *rows, int64_t run)
{
    int64_t all = 0;
    for (size_t i = 0; i < rows->n; i++)
        all += rows->at[i].ns;
    rows->end_ns = all < run ? run - all : 0;
    for (size_t i = 0; i < rows->n && all > run; i++)
        rows->at[i].ns = (int64_t)((double)rows->at[i].ns * ((double)run / (double)all));
}

void spk_attempt_tells(
    const spk_bus *bus, const spk_stage *stage, const spark_task *task, bool well, spk_event *event)
{
    spk_notes *notes = task->heard.notes;
    if (task->heard.watch && notes)
        share_out(&notes->rows, event->u.task.metrics.run_ns);
    if (!notes || !stage->heard || (notes->sums.n + notes->counted.n + notes->rows.n == 0 && !notes->profile))
        return;
    if (!event->pads[0] && notes->sums.n > 0)
        event->pads[0] = spk_pad_new();
    spk_stage_takes(bus, stage, task, well, event->pads[0], &event->u.task.info);
}

void spk_attempt_forgets(const spk_bus *bus, spark_task *task)
{
    spk_notes *notes = task->heard.notes;
    task->heard.watch = NULL;
    if (!notes)
        return;
    if (notes->profile)
        atomic_load(&bus->profiling)->free(notes->profile);
    notes->profile = NULL;
    spk_notes_clear(notes);
}

void spk_attempt_accumulated(spark_task *task, const spark_accumulator *a, int64_t i64, double f64)
{
    const spk_heard_sum more = { (int64_t)a->id, i64, f64, a->kind == SPK_SUM_I64, a->name };
    if (task->heard.id < 0 || (a->kind != SPK_SUM_I64 && a->kind != SPK_SUM_F64))
        return;
    spk_notes *notes = notes_of(task->sc->bus, task);
    if (notes)
        spk_heard_sums_add(&notes->sums, &more);
}

/* rows_of: where rows of RDDs are noted; NULL: nowhere. */
static spk_notes *rows_of(spark_task *task)
{
    spk_bus *bus = spk_bus_here(task->sc);
    const bool counts = bus && atomic_load_explicit(&bus->counts_rows, memory_order_relaxed);
    return counts && !spk_task_unwanted(task) ? notes_of(bus, task) : NULL;
}

void spk_attempt_took(spark_task *task, const spark_rdd *rdd, uint64_t rows)
{
    const spark_rdd_rows taken = { .rdd = rdd->id, .cached = (int64_t)rows };
    spk_notes *notes = rows_of(task);
    if (notes)
        spk_rows_add(&notes->rows, &taken);
}

void spk_attempt_piped(const spk_pipe *pipe)
{
    spk_notes *notes = rows_of(pipe->task);
    if (notes)
        spk_notes_pipe(notes, pipe);
}

void spk_attempt_sealed(spark_task *task, const spk_shuffle *shuffle, const spk_run *run)
{
    spk_bus *bus = spk_bus_here(task->sc);
    const spk_profiling *profiling = bus ? atomic_load_explicit(&bus->profiling, memory_order_acquire) : NULL;
    spk_notes *notes = profiling ? notes_of(bus, task) : NULL;
    if (notes)
        profiling->sealed(bus, &notes->profile, shuffle, run);
}
