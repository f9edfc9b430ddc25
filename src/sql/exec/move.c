/* SPDX-License-Identifier: Apache-2.0 */
/* What lies side by side in both rows is one copy; of a batch, column after column, in loops of a fixed size. */
#include "sql/exec/move.h"

/* move_of: a column. */
static spk_move move_of(const spk_slot *from, const spk_slot *to)
{
    if (from->nullable && to->nullable)
        return (spk_move) { from->offset, to->offset, to->size, 0 };
    return (spk_move) { from->value, to->value, from->type->size, from->nullable ? from->offset + 1 : 0 };
}

/* goes_on: whether it stands behind the one before in both, with no more than padding between. */
static bool goes_on(const spk_move *before, const spk_move *next)
{
    const uint32_t end = before->to + before->size;
    return !before->if_present && !next->if_present && next->to >= end && next->to - end < 8 && before->to <= next->to
        && next->from >= before->from && next->from - before->from == next->to - before->to;
}

bool spk_mover_make(spk_query *q, const spk_slot *from, const spk_slot *to, size_t n, spk_mover *mover)
{
    spk_analyzer *a = &q->analyzer;
    *mover = (spk_mover) { NULL, 0 };
    for (size_t i = 0; i < n; i++) {
        spk_move *last = mover->n ? &mover->at[mover->n - 1] : NULL;
        const spk_move m = move_of(&from[i], &to[i]);
        if (to[i].nullable && !from[i].nullable)
            SPK_ADD(a, mover->at, mover->n, (spk_move) { 0, to[i].offset, 0, 0 });
        else if (last && last->size && m.size && goes_on(last, &m)) {
            last->size = m.to + m.size - last->to;
            continue;
        }
        if (m.size)
            SPK_ADD(a, mover->at, mover->n, m);
    }
    return !spk_sql_failed(&q->error);
}

/* MOVE_LOOP: size bytes of each chosen row. */
#define MOVE_LOOP(size_)                                                                                              \
    for (uint32_t k = 0; k < chosen.n; k++)                                                                           \
    memcpy(to + k * size, from + spk_sql_row(chosen, k) * step, size_)

static void copy_column(const char *from, size_t step, spk_sql_rows chosen, char *to, size_t size, size_t bytes)
{
    switch (bytes) {
    case 1:
        MOVE_LOOP(1);
        break;
    case 4:
        MOVE_LOOP(4);
        break;
    case 8:
        MOVE_LOOP(8);
        break;
    case 16:
        MOVE_LOOP(16);
        break;
    case 24:
        MOVE_LOOP(24);
        break;
    case 32:
        MOVE_LOOP(32);
        break;
    default:
        MOVE_LOOP(bytes);
    }
}

static void copy_present(const spk_move *m, const char *rows, size_t step, spk_sql_rows chosen, char *out, size_t size)
{
    for (uint32_t k = 0; k < chosen.n; k++) {
        const char *row = rows + spk_sql_row(chosen, k) * step;
        if (row[m->if_present - 1])
            memcpy(out + k * size + m->to, row + m->from, m->size);
        else
            memset(out + k * size + m->to, 0, m->size);
    }
}

void spk_move_columns(
    const spk_mover *mover, const char *rows, size_t step, spk_sql_rows chosen, char *out, size_t size)
{
    for (size_t i = 0; i < mover->n; i++) {
        const spk_move *m = &mover->at[i];
        if (m->if_present)
            copy_present(m, rows, step, chosen, out, size);
        else if (m->size)
            copy_column(rows + m->from, step, chosen, out + m->to, size, m->size);
        else
            for (uint32_t k = 0; k < chosen.n; k++)
                out[k * size + m->to] = 1;
    }
}

void spk_store_column(const spk_slot *slot, const spk_sql_vector *v, spk_sql_rows chosen, char *out, size_t size)
{
    if (slot->nullable)
        for (uint32_t k = 0; k < chosen.n; k++)
            out[k * size + slot->offset] = spk_sql_valid(v, spk_sql_row(chosen, k));
    if (slot->type->kind == SPK_SQL_VOID)
        return;
    if (!v->valid) {
        copy_column(v->ptr, v->stride, chosen, out + slot->value, size, slot->type->size);
        return;
    }
    for (uint32_t k = 0; k < chosen.n; k++) {
        const uint32_t i = spk_sql_row(chosen, k);
        if (v->valid[i])
            memcpy(out + k * size + slot->value, v->ptr + i * v->stride, slot->type->size);
    }
}
