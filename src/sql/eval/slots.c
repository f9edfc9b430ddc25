/* SPDX-License-Identifier: Apache-2.0 */
#include "base/small.h"

#include "sql/eval/slots.h"

#include "sql/eval/hash.h"

void spk_slot_put(const spk_sql_type *type, bool nullable, const void *value, char *slot)
{
    if (nullable) {
        memset(slot, 0, spk_sql_slot_size(type, true));
        *slot = value != NULL;
        slot += spk_sql_slot_value(type, true);
    }
    if (value && type->kind != SPK_SQL_VOID)
        memcpy(slot, value, type->size);
}

bool spk_slots_add(spk_slots *s, spk_sql_frame *f, const void *value)
{
    if (s->n == s->room) {
        const size_t room = s->room > 0 ? 2 * s->room : 8;
        char *fresh = spk_sql_alloc(f, room * s->size, 16);
        if (!fresh)
            return false;
        if (s->n > 0)
            memcpy(fresh, s->at, s->n * s->size);
        s->at = fresh;
        s->room = room;
    }
    spk_slot_put(s->of, s->nullable, value, s->at + s->n++ * s->size);
    return true;
}

static size_t place(const spk_seen *s, const void *value)
{
    size_t i = spk_sql_value_hash(s->type, value) & (s->size - 1);
    while (s->at[i] && !spk_sql_value_equal(s->type, s->at[i], value))
        i = (i + 1) & (s->size - 1);
    return i;
}

bool spk_seen_has(const spk_seen *s, const void *value)
{
    if (!value)
        return s->null;
    return s->size > 0 && s->at[place(s, value)];
}

bool spk_seen_add(spk_seen *s, spk_sql_frame *f, const void *value, bool *fresh)
{
    if (!value) {
        *fresh = !s->null;
        s->null = true;
        return true;
    }
    if (2 * (s->n + 1) > s->size) {
        const spk_seen old = *s;
        s->size = old.size > 0 ? 2 * old.size : 16;
        s->at = spk_sql_alloc(f, s->size * sizeof *s->at, 8);
        if (!s->at)
            return false;
        memset((void *)s->at, 0, s->size * sizeof *s->at);
        for (size_t i = 0; i < old.size; i++)
            if (old.at[i])
                s->at[place(s, old.at[i])] = old.at[i];
    }
    const size_t i = place(s, value);
    *fresh = !s->at[i];
    if (*fresh) {
        s->at[i] = value;
        s->n++;
    }
    return true;
}
