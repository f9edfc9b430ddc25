/* SPDX-License-Identifier: Apache-2.0 */
/* Properties live in scopes, so that they end with them and no thread needs state of its own. The
 * context's scope is shared by threads: its lock guards them all. */
#include "plan/properties.h"

#include <stdlib.h>

#include <spark/async.h>

void spk_properties_fini(spk_properties *p)
{
    free(p->group);
    free(p->description);
    free(p->pool);
    free(p->tags);
    *p = (spk_properties) { .cancelled = NULL };
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
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return false;
    free(*slot);
    *slot = copy;
    return true;
}

/* add_tags: those of `more` (",a,b,") behind those of *tags. */
static bool add_tags(char **tags, const char *more)
{
    const size_t have = *tags ? strlen(*tags) : 0, n = more ? strlen(more) : 0;
    if (n == 0)
        return true;
    char *all = realloc(*tags, have + n + 1);
    if (!all)
        return false;
    *tags = all;
    memcpy(all + (have ? have - 1 : 0), more, n + 1);
    return true;
}

static const char *find_tag(const char *tags, const char *tag)
{
    const size_t n = strlen(tag);
    for (const char *at = tags; at && *at && at[1]; at = strchr(at + 1, ','))
        if (strncmp(at + 1, tag, n) == 0 && at[1 + n] == ',')
            return at;
    return NULL;
}

bool spk_properties_tagged(const spk_properties *p, const char *tag)
{
    return p->tags && !strchr(tag, ',') && find_tag(p->tags, tag);
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
    if (!p->cancelled)
        p->cancelled = from->cancelled;
    return good && add_tags(&p->tags, from->tags);
}

bool spk_properties_now(spark_context *sc, spk_properties *p)
{
    bool good = true;
    *p = (spk_properties) { .cancelled = NULL };
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

bool spk_properties_set(spark_context *sc, const spk_properties *from, const atomic_bool *cancelled)
{
    pthread_mutex_lock(&sc->scope_lock);
    spk_properties *p = own(sc);
    const bool good = p && inherit(p, from);
    if (good) {
        p->cancelled = cancelled;
        p->closed = true;
    }
    pthread_mutex_unlock(&sc->scope_lock);
    return good;
}

/* ---- the public side */

typedef struct change {
    bool group, describe, pool;     /* which are changed */
    const char *text, *description; /* of group or pool */
    const char *add, *remove;       /* tags */
    bool clear;                     /* all tags */
} change;

/* remove_tag: from ",a,b,". */
static void remove_tag(char *tags, const char *tag)
{
    const char *at = tags ? find_tag(tags, tag) : NULL;
    if (!at)
        return;
    char *to = tags + (at - tags);
    const char *rest = at + 1 + strlen(tag);
    memmove(to, rest, strlen(rest) + 1);
    if (tags[1] == '\0')
        tags[0] = '\0';
}

static bool add_tag(spk_properties *p, const char *tag)
{
    const size_t n = strlen(tag);
    if (spk_properties_tagged(p, tag))
        return true;
    char *more = malloc(n + 3);
    if (!more)
        return false;
    more[0] = more[n + 1] = ',';
    memcpy(more + 1, tag, n);
    more[n + 2] = '\0';
    const bool good = add_tags(&p->tags, more);
    free(more);
    return good;
}

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
    if (c->add)
        good = good && add_tag(p, c->add);
    if (c->remove)
        remove_tag(p->tags, c->remove);
    if (c->clear)
        put(&p->tags, NULL);
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
    const size_t n = p.tags ? strlen(p.tags) : 0; /* ",a,b," */
    if (n > 2) {
        memmove(p.tags, p.tags + 1, n - 2);
        p.tags[n - 2] = '\0';
    }
    return text_now(sc, &p.tags, &p);
}
