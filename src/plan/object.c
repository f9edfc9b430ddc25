/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes are rings of objects; the open ones of a thread are a stack through `outer`. Lists change
 * under the context's scope_lock; objects are released outside it, since releasing one may release
 * others. */
#include "plan/object.h"

#include <stdlib.h>

#include "plan/context.h"

static _Thread_local spark_scope *open_scopes;

void spk_scope_init(spark_scope *scope, spark_context *sc)
{
    scope->list = (spk_object) { &scope->list, &scope->list, scope, NULL };
    scope->sc = sc;
    scope->outer = NULL;
    scope->properties = NULL;
}

static void link_object(spark_scope *scope, spk_object *object)
{
    object->scope = scope;
    object->prev = &scope->list;
    object->next = scope->list.next;
    object->next->prev = object;
    scope->list.next = object;
}

static void unlink_object(spk_object *object)
{
    object->prev->next = object->next;
    object->next->prev = object->prev;
    object->scope = NULL;
}

spark_scope *spk_scope_of(spark_context *sc)
{
    spark_scope *scope = open_scopes;
    while (scope && scope->sc != sc)
        scope = scope->outer;
    return scope ? scope : &sc->root;
}

spark_scope *spk_scope_outside(spark_scope *scope)
{
    spark_scope *outer = scope->outer;
    while (outer && outer->sc != scope->sc)
        outer = outer->outer;
    return outer ? outer : &scope->sc->root;
}

void spk_scope_add(spark_context *sc, spk_object *object, void (*release)(spk_object *))
{
    spark_scope *scope = spk_scope_of(sc);
    object->release = release;
    pthread_mutex_lock(&sc->scope_lock);
    link_object(scope, object);
    pthread_mutex_unlock(&sc->scope_lock);
}

typedef struct text_object {
    spk_object object;
    char *text;
} text_object;

static void release_text(spk_object *object)
{
    free(((text_object *)(void *)object)->text);
    free(object);
}

const char *spk_scope_text(spark_context *sc, char *text)
{
    text_object *t = calloc(1, sizeof *t);
    if (!t) {
        free(text);
        return NULL;
    }
    t->text = text;
    spk_scope_add(sc, &t->object, release_text);
    return text;
}

void spk_scope_move(spk_object *object, spark_scope *to)
{
    pthread_mutex_lock(&to->sc->scope_lock);
    if (object->scope)
        unlink_object(object);
    link_object(to, object);
    pthread_mutex_unlock(&to->sc->scope_lock);
}

static bool object_take(spark_context *sc, spk_object *object)
{
    pthread_mutex_lock(&sc->scope_lock);
    const bool taken = object->scope != NULL;
    if (taken)
        unlink_object(object);
    pthread_mutex_unlock(&sc->scope_lock);
    return taken;
}

bool spk_scope_take(spk_object *object)
{
    spark_scope *scope = object->scope;
    return scope && object_take(scope->sc, object);
}

void spk_scope_drain(spark_scope *scope)
{
    for (;;) {
        spk_object *object = scope->list.next;
        if (object == &scope->list)
            break;
        object_take(scope->sc, object);
        object->release(object);
    }
    spk_properties_free(scope->properties);
    scope->properties = NULL;
}

spark_scope *spark_scope_begin(spark_context *sc)
{
    spark_scope *scope = sc && !sc->error ? malloc(sizeof *scope) : NULL;
    if (!scope)
        return NULL;
    spk_scope_init(scope, sc);
    scope->outer = open_scopes;
    open_scopes = scope;
    return scope;
}

void spark_scope_end(spark_scope *scope)
{
    const spark_scope *open = open_scopes;
    while (open && open != scope)
        open = open->outer;
    if (!scope || !open)
        return;
    for (spark_scope **link = &open_scopes, *last = NULL; last != scope;) {
        spark_scope *inner = *link;
        if (inner->sc != scope->sc) {
            link = &inner->outer;
            continue;
        }
        last = inner;
        *link = inner->outer;
        spk_scope_drain(inner);
        if (inner != scope)
            free(inner);
    }
    free(scope);
}

void spk_scope_close_all(spark_context *sc)
{
    for (spark_scope **link = &open_scopes; *link;) {
        spark_scope *scope = *link;
        if (scope->sc != sc) {
            link = &scope->outer;
            continue;
        }
        *link = scope->outer;
        spk_scope_drain(scope);
        free(scope);
    }
}
