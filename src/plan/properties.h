/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs carry with them: set on scopes, resolved when a job starts. */
#ifndef SPK_PLAN_PROPERTIES_H
#define SPK_PLAN_PROPERTIES_H

#include "plan/context.h"
#include "plan/tags.h"

/* spk_started: the scheduler's: an action in the background. */
typedef struct spk_started spk_started;
/* spk_alone: the scheduler's: jobs that their caller does alone. */
typedef struct spk_alone spk_alone;

/* spk_properties: of a scope, or of a job, which has its own copies. Texts may be NULL. */
typedef struct spk_properties {
    bool has_group, has_description, has_pool; /* also when it is NULL: none */
    bool has_task_timeout, has_job_timeout;    /* also when it is 0: none */
    bool closed;                               /* scopes outside are not asked */
    char *group, *description, *pool;
    int64_t task_timeout_ms, job_timeout_ms; /* of a job: with what the context says */
    spk_tags tags;
    spk_started *started; /* what starts the jobs in the background; may be NULL */
    spk_alone *alone;     /* who does them; NULL: the workers */
} spk_properties;

/* spk_properties_now: what a job that this thread starts carries. Nothing is allocated where nothing
 * is set. False: no memory. */
bool spk_properties_now(spark_context *sc, spk_properties *properties);
/* spk_properties_set: of the innermost scope that the thread has open, which must be one: all of
 * another thread's, and what starts the jobs. False: no memory. */
bool spk_properties_set(spark_context *sc, const spk_properties *from, spk_started *started);
void spk_properties_fini(spk_properties *properties);
/* spk_properties_tagged: whether the tag is among them. */
bool spk_properties_tagged(const spk_properties *properties, const char *tag);

#endif
