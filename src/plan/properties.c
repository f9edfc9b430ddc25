/* SPDX-License-Identifier: Apache-2.0 */
/* Properties live in scopes, so that they end with them and no thread needs state of its own. The
 * context's scope is shared by threads: its lock guards them all. */
#include "base/small.h"

#include "plan/properties.h"

#include <stdlib.h>

#include <spark/async.h>

void spk_properties_fini(spk_properties *p)
{
    free(p->group);
    free(p->description);
    free(p->pool);
    if (p->tags.at)
        spk_tags_fini(&p->tags);
    *p = (spk_properties) { .started = NULL };
}

void spk_properties_free(spk_properties *p)
{
    if (p)
        spk_properties_fini(p);
    free(p);
}

/* put: a copy of text (NULL: none) in place of *slot. */
static bool put(char **slot, const char *text)
{
    const size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? malloc(size) : NULL;
    if (text && !copy)
        return false;
    if (text)
        memcpy(copy, text, size);
    free(*slot);
    *slot = copy;
    return true;
}

bool spk_properties_tagged(const spk_properties *p, const char *tag)
{
    return spk_tags_has(&p->tags, tag);
}

/* inherit: what p does not have yet. */
static bool inherit(spk_properties *p, const spk_properties *from)
{
    bool good = true;
    if (!p->has_group && from->has_group) {
        p->has_group = true;
        good = put(&p->group, from->group);
    }
    if (good && !p->has_description && from->has_description) {
        p->has_description = true;
        good = put(&p->description, from->description);
    }
    if (good && !p->has_pool && from->has_pool) {
        p->has_pool = true;
        good = put(&p->pool, from->pool);
    }
    if (!p->has_task_timeout && from->has_task_timeout) {
        p->has_task_timeout = true;
        p->task_timeout_ms = from->task_timeout_ms;
    }
    if (!p->has_job_timeout && from->has_job_timeout) {
        p->has_job_timeout = true;
        p->job_timeout_ms = from->job_timeout_ms;
    }
    if (!p->started)
        p->started = from->started;
    if (!p->alone)
        p->alone = from->alone;
    return good && spk_tags_add_all(&p->tags, &from->tags);
}

bool spk_properties_now(spark_context *sc, spk_properties *p)
{
    bool good = true;
    *p = (spk_properties) { .task_timeout_ms = 0 };
    if (!atomic_load_explicit(&sc->has_properties, memory_order_acquire))
        return true;
    pthread_mutex_lock(&sc->scope_lock);
    for (spark_scope *scope = spk_scope_of(sc); good; scope = spk_scope_outside(scope)) {
        if (scope->properties)
            good = inherit(p, scope->properties);
        if (scope == &sc->root || (scope->properties && scope->properties->closed))
            break;
    }
    pthread_mutex_unlock(&sc->scope_lock);
    if (!good)
        spk_properties_fini(p);
    return good;
}

/* own: the properties of the thread's innermost scope; with the lock held. NULL: no memory. */
static spk_properties *own(spark_context *sc)
{
    spark_scope *scope = spk_scope_of(sc);
    if (!scope->properties)
        scope->properties = calloc(1, sizeof *scope->properties);
    atomic_store_explicit(&sc->has_properties, true, memory_order_release);
    return scope->properties;
}

bool spk_properties_set(spark_context *sc, const spk_properties *from, spk_started *started)
{
    pthread_mutex_lock(&sc->scope_lock);
    spk_properties *p = own(sc);
    const bool good = p && inherit(p, from);
    if (good) {
        p->started = started;
        p->closed = true;
    }
    pthread_mutex_unlock(&sc->scope_lock);
    return good;
}

/* ---- the public side */

typedef struct change {
    bool group, describe, pool, task_time, job_time; /* which are changed */
    int64_t ms;
    const char *text, *description; /* of group or pool */
    const char *add, *remove;       /* tags */
    bool clear;                     /* all tags */
} change;

static bool apply(spk_properties *p, const change *c)
{
    bool good = true;
    if (c->group) {
        good = put(&p->group, c->text);
        p->has_group = true;
    }
    if (c->pool) {
        good = put(&p->pool, c->text);
        p->has_pool = true;
    }
    if (c->describe) {
        good = good && put(&p->description, c->description);
        p->has_description = true;
    }
    if (c->task_time) {
        p->task_timeout_ms = c->ms;
        p->has_task_timeout = true;
    }
    if (c->job_time) {
        p->job_timeout_ms = c->ms;
        p->has_job_timeout = true;
    }
    if (c->add)
        good = good && spk_tags_add(&p->tags, c->add);
    if (c->remove)
        spk_tags_remove(&p->tags, c->remove);
    if (c->clear)
        spk_tags_fini(&p->tags);
    return good;
}

static spark_status set(spark_context *sc, const char *name, const change *c)
{
    spk_failure failure;
    if (!sc)
        sc = spk_context_none();
    if (sc->error)
        return spk_raise(sc->error);
    pthread_mutex_lock(&sc->scope_lock);
    spk_properties *p = own(sc);
    const bool good = p && apply(p, c);
    pthread_mutex_unlock(&sc->scope_lock);
    if (good)
        return SPARK_OK;
    spk_failure_nomem(&failure, name, NULL);
    return spk_raise(&failure);
}

spark_status spark_set_job_group(spark_context *sc, const char *group, const char *description)
{
    const change c = { .group = true, .describe = true, .text = group, .description = description };
    return set(sc, "setJobGroup", &c);
}

spark_status spark_clear_job_group(spark_context *sc)
{
    return spark_set_job_group(sc, NULL, NULL);
}

spark_status spark_set_job_description(spark_context *sc, const char *description)
{
    const change c = { .describe = true, .description = description };
    return set(sc, "setJobDescription", &c);
}

spark_status spark_add_job_tag(spark_context *sc, const char *tag)
{
    const change c = { .add = tag };
    if (!tag || !*tag || strchr(tag, ','))
        return spk_raisef(SPARK_EINVAL, "addJobTag", NULL,
            "addJobTag: a job tag must be a text without a comma that is not empty");
    return set(sc, "addJobTag", &c);
}

spark_status spark_remove_job_tag(spark_context *sc, const char *tag)
{
    const change c = { .remove = tag };
    if (!tag || !*tag || strchr(tag, ','))
        return spk_raisef(SPARK_EINVAL, "removeJobTag", NULL,
            "removeJobTag: a job tag must be a text without a comma that is not empty");
    return set(sc, "removeJobTag", &c);
}

spark_status spark_clear_job_tags(spark_context *sc)
{
    const change c = { .clear = true };
    return set(sc, "clearJobTags", &c);
}

spark_status spark_set_scheduler_pool(spark_context *sc, const char *pool)
{
    const change c = { .pool = true, .text = pool };
    return set(sc, "setLocalProperty", &c);
}

static spark_status set_time(spark_context *sc, const char *name, const change *c)
{
    if (c->ms < 0)
        return spk_raisef(SPARK_EINVAL, name, NULL, "%s: %lld ms; no limit is 0", name, (long long)c->ms);
    return set(sc, name, c);
}

spark_status spark_set_task_timeout(spark_context *sc, int64_t ms)
{
    return set_time(sc, "setTaskTimeout", &(change) { .task_time = true, .ms = ms });
}

spark_status spark_set_job_timeout(spark_context *sc, int64_t ms)
{
    return set_time(sc, "setJobTimeout", &(change) { .job_time = true, .ms = ms });
}

/* text_now: of a property, which is taken out of *p; the rest is freed. */
static const char *text_now(spark_context *sc, char **text, spk_properties *p)
{
    char *found = *text;
    *text = NULL;
    spk_properties_fini(p);
    return found ? spk_scope_text(sc, found) : NULL;
}

static bool properties_of(spark_context *sc, spk_properties *p)
{
    *p = (spk_properties) { .group = NULL };
    return sc && !sc->error && spk_properties_now(sc, p);
}

const char *spark_job_group(spark_context *sc)
{
    spk_properties p;
    return properties_of(sc, &p) ? text_now(sc, &p.group, &p) : NULL;
}

const char *spark_job_description(spark_context *sc)
{
    spk_properties p;
    return properties_of(sc, &p) ? text_now(sc, &p.description, &p) : NULL;
}

const char *spark_scheduler_pool(spark_context *sc)
{
    spk_properties p;
    return properties_of(sc, &p) ? text_now(sc, &p.pool, &p) : NULL;
}

const char *spark_job_tags(spark_context *sc)
{
    spk_properties p;
    if (!properties_of(sc, &p))
        return NULL;
    char *text = spk_tags_text(&p.tags);
    return text_now(sc, &text, &p);
}
