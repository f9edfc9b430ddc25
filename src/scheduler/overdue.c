/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that take too long. The thread that waits for a job knows when its time is up, and cancels
 * it; the attempts, which notice that sooner or later, say what they were at as they leave: so the
 * message is whole when the job returns, and nobody looks at what another thread is doing. */
#include "scheduler/stage.h"

enum { MOST_TOLD = 4 };

void spk_job_overdue(spk_job *job)
{
    const spk_action *action = job->action;
    spk_failure_set(&job->failure, SPARK_EDEADLINE, action->name, action->site,
        "%s at %s: Job %d took longer than its limit of %lld ms%s", action->name, action->site,
        job->id, (long long)job->properties.job_timeout_ms,
        job->n_others > 0 ? "; it waited for what other jobs compute" : "");
    job->failure.job = job->id;
    atomic_store(&job->overdue, true);
    atomic_store(&job->cancelled, true);
}

void spk_overdue_tell(spk_stage *stage, const spark_task *task)
{
    const spark_rdd *in = task->left.in;
    const char *operation = in ? in->operation : task->end.operation;
    const char *function = in ? in->function : task->end.function;
    const spark_site site = in ? in->site : task->end.site;
    char text[256];
    spk_job *job = stage->job;
    pthread_mutex_lock(&job->scheduler->lock);
    snprintf(text, sizeof text, "%s task %d.%d in stage %d.%d in %s%s%s%s at %s",
        job->n_told == 0 ? "; running:" : ",", task->partition, task->attempt, stage->id,
        stage->attempt, operation ? operation : "a task", function ? "(" : "",
        function ? function : "", function ? ")" : "", site ? site : "");
    if (job->n_told <= MOST_TOLD)
        spk_failure_append(&job->failure, job->n_told < MOST_TOLD ? text : ", ...");
    job->n_told++;
    pthread_mutex_unlock(&job->scheduler->lock);
}
