/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog: a list under a lock, for a context has few views. */
#include "sql/plan/catalog.h"

#include <stdlib.h>
#include <strings.h>

static void release_catalog(spk_object *object)
{
    spk_catalog *catalog = (spk_catalog *)(void *)object;
    for (spk_view *v = catalog->views; v; v = v->next)
        v->catalog = NULL;
    catalog->sc->catalog = NULL;
    pthread_mutex_destroy(&catalog->lock);
    free(catalog);
}

spk_catalog *spk_catalog_of(spark_context *sc)
{
    pthread_mutex_lock(&sc->plan_lock);
    spk_catalog *catalog = sc->catalog;
    if (!catalog && (catalog = calloc(1, sizeof *catalog)) != NULL) {
        catalog->sc = sc;
        pthread_mutex_init(&catalog->lock, NULL);
        sc->catalog = catalog;
        spk_scope_add(sc, &catalog->object, release_catalog);
        spk_scope_move(&catalog->object, &sc->root);
    }
    pthread_mutex_unlock(&sc->plan_lock);
    return catalog;
}

spk_view *spk_view_new(spark_context *sc, const char *name)
{
    spk_view *view = calloc(1, sizeof *view);
    if (!view)
        return NULL;
    spk_arena_init(&view->arena, &sc->heap);
    atomic_init(&view->refs, 1);
    const size_t n = strlen(name) + 1;
    char *copy = spk_arena_alloc(&view->arena, n, 1);
    if (!copy) {
        spk_view_unref(view);
        return NULL;
    }
    view->name = memcpy(copy, name, n);
    return view;
}

void spk_view_unref(spk_view *view)
{
    if (!view || atomic_fetch_sub(&view->refs, 1) > 1)
        return;
    if (view->rdd)
        spk_rdd_unref(view->rdd);
    spk_arena_fini(&view->arena);
    free(view);
}

/* unlink_view: under the lock. */
static bool unlink_view(spk_catalog *catalog, spk_view *view)
{
    for (spk_view **at = &catalog->views; *at; at = &(*at)->next)
        if (*at == view) {
            *at = view->next;
            view->catalog = NULL;
            return true;
        }
    return false;
}

static void release_view(spk_object *object)
{
    spk_view *view = (spk_view *)(void *)object;
    spk_catalog *catalog = view->catalog;
    if (catalog) {
        pthread_mutex_lock(&catalog->lock);
        unlink_view(catalog, view);
        pthread_mutex_unlock(&catalog->lock);
    }
    spk_view_unref(view);
}

void spk_view_add(spk_catalog *catalog, spk_view *view)
{
    pthread_mutex_lock(&catalog->lock);
    view->catalog = catalog;
    view->next = catalog->views;
    catalog->views = view;
    pthread_mutex_unlock(&catalog->lock);
    spk_scope_add(catalog->sc, &view->object, release_view);
}

static spk_view *find(spk_catalog *catalog, const char *name)
{
    spk_view *view = catalog->views;
    while (view && strcasecmp(view->name, name) != 0)
        view = view->next;
    return view;
}

spk_view *spk_view_find(spk_catalog *catalog, const char *name)
{
    pthread_mutex_lock(&catalog->lock);
    spk_view *view = find(catalog, name);
    if (view)
        atomic_fetch_add(&view->refs, 1);
    pthread_mutex_unlock(&catalog->lock);
    return view;
}

bool spk_view_drop(spk_catalog *catalog, const char *name)
{
    pthread_mutex_lock(&catalog->lock);
    spk_view *view = find(catalog, name);
    if (view)
        unlink_view(catalog, view);
    pthread_mutex_unlock(&catalog->lock);
    if (view && spk_scope_take(&view->object))
        spk_view_unref(view);
    return view != NULL;
}

void spk_view_rdd_set(spk_view *view, spark_rdd *rdd)
{
    spark_rdd *old = view->rdd;
    spk_rdd_ref(rdd);
    view->rdd = rdd;
    if (old)
        spk_rdd_unref(old);
}
