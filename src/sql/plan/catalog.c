/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog: a list under a lock, for a context has few views. */
#include "base/small.h"

#include "sql/plan/catalog.h"

#include <stdlib.h>
#include <strings.h>

static void release_catalog(spk_object *object)
{
    spk_catalog *catalog = (spk_catalog *)(void *)object;
    for (spk_view *v = catalog->views; v; v = v->next)
        v->catalog = NULL;
    for (spk_user *u = catalog->users; u; u = u->next)
        u->catalog = NULL;
    catalog->sc->catalog = NULL;
    for (spk_database *d = catalog->databases, *next; d; d = next) {
        next = d->next;
        free(d);
    }
    (void)spk_setting_set(catalog, NULL, NULL);
    spk_zones_fini(&catalog->zones);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog);
}

spk_catalog *spk_catalog_of(spark_context *sc)
{
    pthread_mutex_lock(&sc->plan_lock);
    spk_catalog *catalog = sc->catalog;
    if (!catalog && (catalog = calloc(1, sizeof *catalog)) != NULL) {
        catalog->sc = sc;
        atomic_init(&catalog->partitions, 0);
        atomic_init(&catalog->table_bytes, SPK_TABLE_BYTES);
        atomic_init(&catalog->blooms, true);
        pthread_mutex_init(&catalog->lock, NULL);
        spk_zones_init(&catalog->zones, &sc->heap);
        sc->catalog = catalog;
        spk_scope_add(sc, &catalog->object, release_catalog);
        spk_scope_move(&catalog->object, &sc->root);
    }
    pthread_mutex_unlock(&sc->plan_lock);
    return catalog;
}

bool spk_catalog_zone_set(spk_catalog *catalog, const char *id)
{
    const spk_zone *zone = id ? spk_zone_keep(&catalog->zones, id, strlen(id)) : NULL;
    if (id && !zone)
        return false;
    pthread_mutex_lock(&catalog->lock);
    catalog->zone = zone;
    pthread_mutex_unlock(&catalog->lock);
    return true;
}

const spk_zone *spk_catalog_zone(spk_catalog *catalog)
{
    pthread_mutex_lock(&catalog->lock);
    const spk_zone *zone = catalog->zone;
    pthread_mutex_unlock(&catalog->lock);
    return zone;
}

bool spk_setting_set(spk_catalog *catalog, const char *key, const char *value)
{
    const size_t n = key ? strlen(key) + 1 : 0, m = value ? strlen(value) + 1 : 0;
    spk_setting *made = value ? malloc(sizeof *made + n + m) : NULL;
    if (value && !made)
        return false;
    pthread_mutex_lock(&catalog->lock);
    for (spk_setting **at = &catalog->settings, *s; (s = *at) != NULL;)
        if (!key || strcmp(s->key, key) == 0) {
            *at = s->next;
            free(s);
        } else {
            at = &s->next;
        }
    if (made) {
        memcpy(made->key, key, n);
        made->value = memcpy(made->key + n, value, m);
        made->next = catalog->settings;
        catalog->settings = made;
    }
    pthread_mutex_unlock(&catalog->lock);
    return true;
}

/* ---- databases */

static bool is_default(const char *name)
{
    return strcasecmp(name, "default") == 0;
}

static spk_database **find_database(spk_catalog *catalog, const char *name)
{
    spk_database **at = &catalog->databases;
    while (*at && strcasecmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

bool spk_database_is(spk_catalog *catalog, const char *name)
{
    pthread_mutex_lock(&catalog->lock);
    const bool found = is_default(name) || *find_database(catalog, name);
    pthread_mutex_unlock(&catalog->lock);
    return found;
}

bool spk_database_add(spk_catalog *catalog, const char *name)
{
    spk_database *d = strlen(name) < SPK_DATABASE_NAME ? calloc(1, sizeof *d) : NULL;
    if (!d)
        return false;
    memcpy(d->name, name, strlen(name));
    pthread_mutex_lock(&catalog->lock);
    d->next = catalog->databases;
    catalog->databases = d;
    pthread_mutex_unlock(&catalog->lock);
    return true;
}

bool spk_database_drop(spk_catalog *catalog, const char *name)
{
    const size_t n = strlen(name);
    pthread_mutex_lock(&catalog->lock);
    spk_database **at = find_database(catalog, name), *d = *at;
    if (d)
        *at = d->next;
    if (d && strcasecmp(catalog->current, name) == 0)
        catalog->current[0] = '\0';
    pthread_mutex_unlock(&catalog->lock);
    free(d);
    for (bool more = d != NULL; more;) {
        char table[512] = "";
        pthread_mutex_lock(&catalog->lock);
        for (spk_view *v = catalog->views; v && !table[0]; v = v->next)
            if (strncasecmp(v->name, name, n) == 0 && v->name[n] == '.' && strlen(v->name) < sizeof table)
                memcpy(table, v->name, strlen(v->name) + 1);
        pthread_mutex_unlock(&catalog->lock);
        more = table[0] && spk_view_drop(catalog, table);
    }
    return d != NULL;
}

bool spk_database_use(spk_catalog *catalog, const char *name)
{
    if (!spk_database_is(catalog, name))
        return false;
    pthread_mutex_lock(&catalog->lock);
    const size_t n = is_default(name) ? 0 : strlen(name);
    memcpy(catalog->current, name, n);
    catalog->current[n] = '\0';
    pthread_mutex_unlock(&catalog->lock);
    return true;
}

void spk_database_current(spk_catalog *catalog, char *name)
{
    pthread_mutex_lock(&catalog->lock);
    memcpy(name, catalog->current, SPK_DATABASE_NAME);
    pthread_mutex_unlock(&catalog->lock);
}

/* ---- views */

spk_view *spk_view_new(spark_context *sc, const char *name)
{
    spk_view *view = calloc(1, sizeof *view);
    if (!view)
        return NULL;
    spk_arena_init_small(&view->arena, &sc->heap);
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

/* let_go: of what was cached of a view. */
static void let_go(spark_rdd *packed)
{
    if (!packed)
        return;
    spark_rdd_release(packed);
    spk_rdd_unref(packed);
}

void spk_view_unref(spk_view *view)
{
    if (!view || atomic_fetch_sub(&view->refs, 1) > 1)
        return;
    if (view->rdd)
        spk_rdd_unref(view->rdd);
    let_go(view->packed);
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

void spk_view_add(spk_catalog *catalog, spk_view *view, spark_scope *scope)
{
    view->object.release = release_view;
    spk_scope_move(&view->object, scope);
    pthread_mutex_lock(&catalog->lock);
    view->catalog = catalog;
    view->next = catalog->views;
    catalog->views = view;
    pthread_mutex_unlock(&catalog->lock);
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
    spark_rdd *old = view->rdd, *packed = view->packed;
    spk_rdd_ref(rdd);
    view->rdd = rdd;
    view->packed = NULL;
    if (old)
        spk_rdd_unref(old);
    let_go(packed);
}

spark_rdd *spk_view_packed(spk_catalog *catalog, spk_view *view)
{
    pthread_mutex_lock(&catalog->lock);
    spark_rdd *packed = view->packed;
    if (packed)
        spk_rdd_ref(packed);
    pthread_mutex_unlock(&catalog->lock);
    return packed;
}

void spk_view_packed_set(spk_catalog *catalog, spk_view *view, spark_rdd *packed)
{
    if (packed) { /* its blocks stay while a scope holds it */
        spk_rdd_ref(packed);
        spk_scope_move(&packed->object, &catalog->sc->root);
    }
    pthread_mutex_lock(&catalog->lock);
    spark_rdd *old = view->packed;
    view->packed = packed;
    pthread_mutex_unlock(&catalog->lock);
    let_go(old);
}

/* ---- functions of the program */

static spk_user *named(const spk_catalog *catalog, const char *name)
{
    spk_user *user = catalog->users;
    while (user && strcasecmp(user->name, name) != 0)
        user = user->next;
    return user;
}

void spk_user_unlink(spk_catalog *catalog, spk_user *user)
{
    for (spk_user **at = &catalog->users; *at; at = &(*at)->next)
        if (*at == user) {
            *at = user->next;
            break;
        }
    user->catalog = NULL;
}

bool spk_user_drop(spk_catalog *catalog, const char *name)
{
    pthread_mutex_lock(&catalog->lock);
    spk_user *user = named(catalog, name);
    if (user)
        spk_user_unlink(catalog, user);
    pthread_mutex_unlock(&catalog->lock);
    if (user && spk_scope_take(&user->object))
        spk_user_unref(user);
    return user != NULL;
}

spk_user *spk_user_find(spk_catalog *catalog, const char *name)
{
    pthread_mutex_lock(&catalog->lock);
    spk_user *user = named(catalog, name);
    if (user)
        atomic_fetch_add(&user->refs, 1);
    pthread_mutex_unlock(&catalog->lock);
    return user;
}

void spk_user_unref(spk_user *user)
{
    if (user && atomic_fetch_sub(&user->refs, 1) == 1)
        user->free(user);
}
