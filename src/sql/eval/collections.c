/* SPDX-License-Identifier: Apache-2.0 */
/* Making arrays, maps and structs, and what takes one thing out of them. */
#include "base/small.h"

#include <stdio.h>

#include "sql/eval/resolve.h"
#include "sql/eval/slots.h"
#include "sql/eval/text.h"
#include "sql/eval/value_text.h"

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

static const spk_sql_type *type_of(const spk_sql_frame *f, uint32_t a)
{
    return f->expr->args[a]->type;
}

/* ---- making ---- */

static void array(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spk_slots s = spk_slots_of(f->expr->type);
        for (uint32_t a = 0; a < f->n_args; a++)
            if (!spk_slots_add(&s, f, spk_sql_value_at(&f->args[a], i)))
                return;
        SPK_SQL_OUT(spk_sql_array, f, i) = spk_slots_end(&s);
    }
}

static SPK_COLD bool resolve_array(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = spk_sql_coerce_all(b, call, 0, 1, true);
    bool nullable = false;
    if (!t)
        return !spk_sql_failed(b->error) && spk_sql_data_diff(b, call);
    for (uint32_t i = 0; i < call->n; i++)
        nullable |= call->args[i]->nullable;
    call->type = spk_sql_type_array(b->arena, t, nullable);
    return call->type != NULL;
}

static void struct_(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->type;
    const uint32_t step = strcmp(f->expr->function->name, "named_struct") == 0 ? 2 : 1;
    SPK_EACH_ROW(f, i)
    {
        char *row = f->out + i * t->size;
        memset(row, 0, t->size);
        for (uint32_t k = 0; k < t->n; k++)
            spk_slot_put(t->fields[k].type, t->fields[k].nullable,
                spk_sql_value_at(&f->args[k * step + step - 1], i), row + t->fields[k].offset);
    }
}

static SPK_COLD bool resolve_struct(spk_sql_build *b, spk_sql_expr *call)
{
    const bool named = strcmp(call->function->name, "named_struct") == 0;
    const uint32_t n = named ? call->n / 2 : call->n;
    spk_sql_field *fields
        = spk_arena_alloc(b->arena, (n + 1) * sizeof *fields, _Alignof(spk_sql_field));
    if (!fields)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const spk_sql_expr *value = call->args[named ? 2 * i + 1 : i];
        char name[24];
        snprintf(name, sizeof name, "col%u", i + 1);
        fields[i] = (spk_sql_field) { .type = value->type, .nullable = value->nullable };
        if (named) {
            spk_sql_fold(b, &call->args[2 * i]);
            const spk_sql_expr *key = call->args[2 * i];
            if (!key || key->kind != SPK_SQL_CONSTANT || key->null
                || key->type->kind != SPK_SQL_STRING) {
                spk_sql_unexpected(b, call, 2 * i, "\"STRING\"");
                return false;
            }
            const spark_str *s = key->value;
            fields[i].name = spk_sql_keep(b, s->ptr, s->len);
        } else if (value->kind == SPK_SQL_COLUMN || value->kind == SPK_SQL_VARIABLE) {
            fields[i].name = value->name;
        } else {
            fields[i].name = spk_sql_keep(b, name, strlen(name));
        }
    }
    call->type = spk_sql_type_struct(b->arena, fields, n);
    return call->type != NULL;
}

/* entries: of a map that is put together: keys must be there, once. */
typedef struct entries {
    spk_sql_frame *f;
    const spk_sql_type *map;
    spk_seen seen;
    char *at;
    size_t n, room;
} entries;

static entries entries_of(spk_sql_frame *f)
{
    return (entries) { .f = f, .map = f->expr->type, .seen = { .type = f->expr->type->key } };
}

static void map_from_arrays(spk_sql_frame *f);

static bool add_entry(entries *e, const void *key, const void *value)
{
    const size_t size = spk_sql_entry_size(e->map);
    bool fresh;
    if (!key) {
        spk_sql_raise(e->f, "NULL_MAP_KEY");
        return false;
    }
    if (!spk_seen_add(&e->seen, e->f, key, &fresh))
        return false;
    if (!fresh) {
        char text[200];
        const size_t n = spk_sql_value_print(e->map->key, key, 0, text, sizeof text);
        spk_sql_error *error = spk_sql_raise(e->f, "DUPLICATED_MAP_KEY");
        spk_sql_param(error, "key", "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), text);
        spk_sql_param(error, "mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\"");
        return false;
    }
    if (e->n == e->room) {
        const size_t room = e->room > 0 ? 2 * e->room : 8;
        char *at = spk_sql_alloc(e->f, room * size, 16);
        if (!at)
            return false;
        if (e->n > 0)
            memcpy(at, e->at, e->n * size);
        e->at = at;
        e->room = room;
    }
    char *entry = e->at + e->n++ * size;
    memset(entry, 0, size);
    memcpy(entry, key, e->map->key->size);
    if (e->f->expr->function->kernel != map_from_arrays) /* which keeps its keys, as Spark's does */
        spk_sql_one_zero(e->map->key, entry);
    spk_slot_put(e->map->of, e->map->contains_null, value, entry + spk_sql_entry_value(e->map));
    return true;
}

static void give(entries *e, uint32_t i)
{
    SPK_SQL_OUT(spk_sql_array, e->f, i) = (spk_sql_array) { e->at, e->n };
}

static void map(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        entries e = entries_of(f);
        for (uint32_t a = 0; a + 1 < f->n_args; a += 2)
            if (!add_entry(
                    &e, spk_sql_value_at(&f->args[a], i), spk_sql_value_at(&f->args[a + 1], i)))
                return;
        give(&e, i);
    }
}

static SPK_COLD bool resolve_map(spk_sql_build *b, spk_sql_expr *call)
{
    if (call->n % 2 == 1) {
        if (spk_sql_fail(b->error, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", call->span)) {
            spk_sql_param(b->error, "actualNum", "%u", call->n);
            spk_sql_param(b->error, "docroot", "https://spark.apache.org/docs/latest");
            spk_sql_param(b->error, "expectedNum", "2n (n > 0)");
            spk_sql_param(b->error, "functionName", "`map`");
        }
        return false;
    }
    const spk_sql_type *key = spk_sql_coerce_all(b, call, 0, 2, true);
    const spk_sql_type *value = key ? spk_sql_coerce_all(b, call, 1, 2, true) : NULL;
    bool nullable = false;
    if (!value)
        return !spk_sql_failed(b->error) && spk_sql_data_diff(b, call);
    for (uint32_t i = 1; i < call->n; i += 2)
        nullable |= call->args[i]->nullable;
    call->type = spk_sql_type_map(b->arena, key, value, nullable);
    return call->type != NULL;
}

static void map_from_arrays(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array k = SPK_SQL_ARG(spk_sql_array, f, 0, i),
                            v = SPK_SQL_ARG(spk_sql_array, f, 1, i);
        entries e = entries_of(f);
        if (k.n != v.n) {
            spk_sql_raise(f, "INVALID_MAP_FROM_ARRAYS_LENGTH");
            return;
        }
        for (size_t j = 0; j < k.n; j++)
            if (!add_entry(
                    &e, spk_sql_slot(type_of(f, 0), k, j), spk_sql_slot(type_of(f, 1), v, j)))
                return;
        give(&e, i);
    }
}

static SPK_COLD bool want_array(spk_sql_build *b, spk_sql_expr *call, uint32_t i)
{
    if (call->args[i]->type->kind == SPK_SQL_ARRAY)
        return true;
    spk_sql_unexpected(b, call, i, "\"ARRAY\"");
    return false;
}

static SPK_COLD bool want_map(spk_sql_build *b, spk_sql_expr *call, uint32_t i)
{
    if (call->args[i]->type->kind == SPK_SQL_MAP)
        return true;
    spk_sql_unexpected(b, call, i, "\"MAP\"");
    return false;
}

static SPK_COLD bool resolve_from_arrays(spk_sql_build *b, spk_sql_expr *call)
{
    if (!want_array(b, call, 0) || !want_array(b, call, 1))
        return false;
    const spk_sql_type *k = call->args[0]->type, *v = call->args[1]->type;
    call->type = spk_sql_type_map(b->arena, k->of, v->of, v->contains_null);
    return call->type != NULL;
}

static void map_from_entries(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0), *pair = t->of;
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        entries e = entries_of(f);
        for (size_t j = 0; j < a.n; j++) {
            const void *row = spk_sql_slot(t, a, j);
            if (!row) {
                f->out_valid[i] = 0;
                break;
            }
            if (!add_entry(&e, spk_sql_member(pair, row, 0), spk_sql_member(pair, row, 1)))
                return;
        }
        give(&e, i);
    }
}

static SPK_COLD bool resolve_from_entries(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = call->args[0]->type;
    if (t->kind != SPK_SQL_ARRAY || t->of->kind != SPK_SQL_STRUCT || t->of->n != 2) {
        spk_sql_unexpected(b, call, 0, "\"ARRAY<STRUCT>\" of pair");
        return false;
    }
    call->type = spk_sql_type_map(
        b->arena, t->of->fields[0].type, t->of->fields[1].type, t->of->fields[1].nullable);
    return call->type != NULL;
}

static void map_concat(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        entries e = entries_of(f);
        for (uint32_t a = 0; a < f->n_args; a++) {
            const spk_sql_array m = SPK_SQL_ARG(spk_sql_array, f, a, i);
            for (size_t j = 0; j < m.n; j++) {
                const void *value, *key = spk_sql_entry(type_of(f, a), m, j, &value);
                if (!add_entry(&e, key, value))
                    return;
            }
        }
        give(&e, i);
    }
}

static SPK_COLD bool resolve_map_concat(spk_sql_build *b, spk_sql_expr *call)
{
    for (uint32_t i = 0; i < call->n; i++)
        if (!want_map(b, call, i))
            return false;
    call->type = spk_sql_coerce_all(b, call, 0, 1, true);
    return call->type || (!spk_sql_failed(b->error) && spk_sql_data_diff(b, call));
}

static void str_to_map(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = SPK_SQL_ARG(spark_str, f, 0, i);
        const spark_str by
            = f->n_args > 1 ? SPK_SQL_ARG(spark_str, f, 1, i) : (spark_str) { ",", 1 };
        const spark_str is
            = f->n_args > 2 ? SPK_SQL_ARG(spark_str, f, 2, i) : (spark_str) { ":", 1 };
        entries e = entries_of(f);
        size_t from = 0;
        for (;;) {
            const char *end = by.len > 0 && from < s.len
                ? memmem(s.ptr + from, s.len - from, by.ptr, by.len)
                : NULL;
            const size_t to = end ? (size_t)(end - s.ptr) : s.len;
            const char *at
                = is.len > 0 && to > from ? memmem(s.ptr + from, to - from, is.ptr, is.len) : NULL;
            const spark_str key = { s.ptr + from, (at ? (size_t)(at - s.ptr) : to) - from };
            const spark_str value
                = { at ? at + is.len : NULL, at ? to - (size_t)(at - s.ptr) - is.len : 0 };
            spark_str *own = spk_sql_alloc(f, sizeof *own, 8);
            if (!own)
                return;
            *own = key;
            if (!add_entry(&e, own, at ? &value : NULL))
                return;
            if (!end)
                break;
            from = to + by.len;
        }
        give(&e, i);
    }
}

static SPK_COLD bool resolve_str_to_map(spk_sql_build *b, spk_sql_expr *call)
{
    for (uint32_t i = 0; i < call->n; i++)
        if (!spk_sql_want(b, call, i, 's'))
            return false;
    call->type = spk_sql_type_map(b->arena, of(SPK_SQL_STRING), of(SPK_SQL_STRING), true);
    return call->type != NULL;
}

/* ---- taking out ---- */

static void copy(spk_sql_frame *f, uint32_t i, const void *value)
{
    const size_t size = f->expr->type->size;
    f->out_valid[i] = value != NULL;
    if (value && f->expr->type->kind != SPK_SQL_VOID)
        memcpy(f->out + i * size, value, size);
}

static void bad_index(spk_sql_frame *f, const char *condition, int64_t index, size_t n)
{
    spk_sql_error *e = spk_sql_raise(f, condition);
    spk_sql_param(e, "arraySize", "%zu", n);
    spk_sql_param(e, "indexValue", "%lld", (long long)index);
}

static const void *lookup(const spk_sql_type *map, spk_sql_array m, const void *key)
{
    for (size_t j = 0; j < m.n; j++) {
        const void *value, *k = spk_sql_entry(map, m, j, &value);
        if (spk_sql_value_equal(map->key, k, key))
            return value;
    }
    return NULL;
}

/* item: x[i], get(x, i), element_at(x, i). */
static void item(spk_sql_frame *f)
{
    const char *name = f->expr->function->name;
    const bool from_one = strstr(name, "element_at") != NULL;
    const bool quiet = *name == 'g' || *name == 't';
    const spk_sql_type *t = type_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        if (t->kind == SPK_SQL_MAP) {
            copy(f, i, lookup(t, a, f->args[1].ptr + i * f->args[1].stride));
            continue;
        }
        const int64_t given = spk_sql_integer(type_of(f, 1), &f->args[1], i);
        int64_t at = given;
        if (from_one && at == 0) {
            spk_sql_raise(f, "INVALID_INDEX_OF_ZERO");
            return;
        }
        at = !from_one ? at : at > 0 ? at - 1 : at + (int64_t)a.n;
        if (at < 0 || (uint64_t)at >= a.n) {
            if (!quiet) {
                bad_index(f, from_one ? "INVALID_ARRAY_INDEX_IN_ELEMENT_AT" : "INVALID_ARRAY_INDEX",
                    given, a.n);
                return;
            }
            f->out_valid[i] = 0;
            continue;
        }
        copy(f, i, spk_sql_slot(t, a, (size_t)at));
    }
}

static SPK_COLD bool resolve_item(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = call->args[0]->type;
    const bool brackets = call->function->name[0] == '[';
    call->nullable = true;
    if (t->kind == SPK_SQL_MAP) {
        call->type = t->of;
        call->args[1] = spk_sql_coerce(b, call->args[1], t->key);
        return call->args[1] != NULL;
    }
    if (brackets && t->kind == SPK_SQL_STRUCT)
        return spk_sql_rewrite(b, call, spk_sql_call(b, ".", call->args, 2, call->span));
    if (t->kind != SPK_SQL_ARRAY) {
        if (brackets) {
            const char *child = spk_sql_expr_quoted(b, call->args[0]),
                       *name = spk_sql_type_quoted(b, t);
            spk_sql_fail2(b->error, "INVALID_EXTRACT_BASE_FIELD_TYPE", call->span, "base", child,
                "other", name);
        } else {
            spk_sql_unexpected(b, call, 0, "(\"ARRAY\" or \"MAP\")");
        }
        return false;
    }
    call->type = t->of;
    if (spk_sql_is_integral(call->args[1]->type))
        return true;
    return spk_sql_want(b, call, 1, 'i');
}

/* field: s.name, also of an array of structs: an array of the members. */
static void field(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0), *s = t->kind == SPK_SQL_ARRAY ? t->of : t;
    const uint32_t which = f->expr->column;
    SPK_EACH_ROW(f, i)
    {
        if (t->kind == SPK_SQL_STRUCT) {
            copy(f, i, spk_sql_member(t, f->args[0].ptr + i * f->args[0].stride, which));
            continue;
        }
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        spk_slots out = spk_slots_of(f->expr->type);
        for (size_t j = 0; j < a.n; j++) {
            const void *row = spk_sql_slot(t, a, j);
            if (!spk_slots_add(&out, f, row ? spk_sql_member(s, row, which) : NULL))
                return;
        }
        SPK_SQL_OUT(spk_sql_array, f, i) = spk_slots_end(&out);
    }
}

static bool same_name(const char *a, spark_str s)
{
    size_t i = 0;
    for (; i < s.len && a[i]; i++)
        if ((a[i] >= 'A' && a[i] <= 'Z' ? a[i] | 0x20 : a[i])
            != (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] | 0x20 : s.ptr[i]))
            return false;
    return i == s.len && !a[i];
}

static SPK_COLD bool no_field(
    spk_sql_build *b, const spk_sql_expr *call, const spk_sql_type *s, spark_str name)
{
    char fields[400];
    size_t n = 0;
    fields[0] = '\0';
    for (uint32_t i = 0; i < s->n && n + 80 < sizeof fields; i++)
        n += (size_t)snprintf(
            fields + n, sizeof fields - n, "%s`%.60s`", i > 0 ? ", " : "", s->fields[i].name);
    if (spk_sql_fail(b->error, "FIELD_NOT_FOUND", call->span)) {
        spk_sql_param(b->error, "fieldName", "`%.*s`", (int)name.len, name.ptr);
        spk_sql_param(b->error, "fields", "%s", fields);
    }
    return false;
}

static SPK_COLD bool resolve_field(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = call->args[0]->type, *s = t->kind == SPK_SQL_ARRAY ? t->of : t;
    const spk_sql_expr *key = call->args[1];
    if (t->kind == SPK_SQL_MAP)
        return spk_sql_rewrite(b, call, spk_sql_call(b, "[]", call->args, 2, call->span));
    if (s->kind != SPK_SQL_STRUCT || key->kind != SPK_SQL_CONSTANT || key->null
        || key->type->kind != SPK_SQL_STRING) {
        const char *child = spk_sql_expr_quoted(b, call->args[0]),
                   *name = spk_sql_type_quoted(b, t);
        spk_sql_fail2(
            b->error, "INVALID_EXTRACT_BASE_FIELD_TYPE", call->span, "base", child, "other", name);
        return false;
    }
    const spark_str name = *(const spark_str *)key->value;
    uint32_t which = 0;
    while (which < s->n && !same_name(s->fields[which].name, name))
        which++;
    if (which == s->n)
        return no_field(b, call, s, name);
    call->column = which;
    call->type = s->fields[which].type;
    if (t->kind == SPK_SQL_ARRAY)
        call->type = spk_sql_type_array(
            b->arena, call->type, s->fields[which].nullable || t->contains_null);
    call->nullable
        = call->args[0]->nullable || (t->kind == SPK_SQL_STRUCT && s->fields[which].nullable);
    return call->type != NULL;
}

static void size(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int32_t, f, i) = (int32_t)SPK_SQL_ARG(spk_sql_array, f, 0, i).n;
}

static SPK_COLD bool resolve_size(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_INT);
    if (call->args[0]->type->kind == SPK_SQL_VOID)
        return true;
    if (call->args[0]->type->kind != SPK_SQL_ARRAY && call->args[0]->type->kind != SPK_SQL_MAP) {
        spk_sql_unexpected(b, call, 0, "(\"ARRAY\" or \"MAP\")");
        return false;
    }
    return true;
}

/* ---- maps as arrays ---- */

static void map_list(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    const char kind = f->expr->function->name[4]; /* keys, values, entries */
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array m = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        spk_slots out = spk_slots_of(f->expr->type);
        const spk_sql_type *pair = f->expr->type->of;
        for (size_t j = 0; j < m.n; j++) {
            const void *value, *key = spk_sql_entry(t, m, j, &value);
            char *row = NULL;
            if (kind == 'e') {
                row = spk_sql_alloc(f, pair->size, 16);
                if (!row)
                    return;
                memset(row, 0, pair->size);
                spk_slot_put(t->key, false, key, row + pair->fields[0].offset);
                spk_slot_put(t->of, t->contains_null, value, row + pair->fields[1].offset);
            }
            if (!spk_slots_add(&out, f, kind == 'k' ? key : kind == 'v' ? value : row))
                return;
        }
        SPK_SQL_OUT(spk_sql_array, f, i) = spk_slots_end(&out);
    }
}

static SPK_COLD bool resolve_map_list(spk_sql_build *b, spk_sql_expr *call)
{
    if (!want_map(b, call, 0))
        return false;
    const spk_sql_type *t = call->args[0]->type;
    const char kind = call->function->name[4];
    const spk_sql_field pair[] = { { .name = "key", .type = t->key },
        { .name = "value", .type = t->of, .nullable = t->contains_null } };
    const spk_sql_type *each = kind == 'k' ? t->key
        : kind == 'v'                      ? t->of
                                           : spk_sql_type_struct(b->arena, pair, 2);
    call->type = each ? spk_sql_type_array(b->arena, each, kind == 'v' && t->contains_null) : NULL;
    return call->type != NULL;
}

static void map_contains_key(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array m = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        bool found = false;
        for (size_t j = 0; j < m.n && !found; j++) {
            const void *value;
            found = spk_sql_value_equal(
                t->key, spk_sql_entry(t, m, j, &value), f->args[1].ptr + i * f->args[1].stride);
        }
        SPK_SQL_OUT(bool, f, i) = found;
    }
}

static SPK_COLD bool resolve_map_contains(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_BOOLEAN);
    if (!want_map(b, call, 0))
        return false;
    call->args[1] = spk_sql_coerce(b, call->args[1], call->args[0]->type->key);
    return call->args[1] != NULL;
}

#define R(name_, least_, most_, kernel_, resolve_)                                                 \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_      \
    }
#define RA(name_, least_, most_, kernel_, resolve_)                                                \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_,     \
        .flags = SPK_SQL_NULL_AWARE | SPK_SQL_NEVER_NULL                                           \
    }
#define RN(name_, least_, most_, kernel_, resolve_)                                                \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_,     \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }

const spk_sql_function spk_sql_collections[] = { RA("array", 0, -1, array, resolve_array),
    RA("struct", 1, -1, struct_, resolve_struct),
    RA("named_struct", 2, -1, struct_, resolve_struct), RA("map", 0, -1, map, resolve_map),
    R("map_from_arrays", 2, 2, map_from_arrays, resolve_from_arrays),
    RN("map_from_entries", 1, 1, map_from_entries, resolve_from_entries),
    R("map_concat", 0, -1, map_concat, resolve_map_concat),
    R("str_to_map", 1, 3, str_to_map, resolve_str_to_map), RN("[]", 2, 2, item, resolve_item),
    RN("get", 2, 2, item, resolve_item), RN("element_at", 2, 2, item, resolve_item),
    RN("try_element_at", 2, 2, item, resolve_item), RN(".", 2, 2, field, resolve_field),
    R("size", 1, 1, size, resolve_size), R("cardinality", 1, 1, size, resolve_size),
    R("array_size", 1, 1, size, resolve_size), R("map_keys", 1, 1, map_list, resolve_map_list),
    R("map_values", 1, 1, map_list, resolve_map_list),
    R("map_entries", 1, 1, map_list, resolve_map_list),
    R("map_contains_key", 2, 2, map_contains_key, resolve_map_contains), { 0 } };
