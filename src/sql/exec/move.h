/* SPDX-License-Identifier: Apache-2.0 */
/* Movers: how columns of rows of one form become columns of rows of another, as few copies: what lies side
 * by side in both is one. */
#ifndef SPK_SQL_EXEC_MOVE_H
#define SPK_SQL_EXEC_MOVE_H

#include "sql/exec/query.h"

/* spk_move: size bytes; 0: the byte at `to` becomes 1; if_present: only where the byte before it (its
 * offset + 1; 0: always) is not 0, else zeros. */
typedef struct spk_move {
    uint32_t from, to, size, if_present;
} spk_move;

typedef struct spk_mover {
    spk_move *at;
    size_t n;
} spk_mover;

/* spk_mover_make: of n columns, the i-th of `from` into the i-th of `to`, which lie in the order of their
 * offsets and have nothing between them but padding. False: the query's error. */
SPK_COLD bool spk_mover_make(
    spk_query *q, const spk_slot *from, const spk_slot *to, size_t n, spk_mover *mover);

/* spk_move_row: a column that is absent leaves what lies under it undefined. */
static inline void spk_move_row(const spk_mover *mover, const char *row, char *out)
{
    for (size_t i = 0; i < mover->n; i++) {
        const spk_move m = mover->at[i];
        switch (m.if_present ? UINT32_MAX : m.size) {
        case 0:
            out[m.to] = 1;
            break;
        case 4:
            memcpy(out + m.to, row + m.from, 4);
            break;
        case 8:
            memcpy(out + m.to, row + m.from, 8);
            break;
        case 16:
            memcpy(out + m.to, row + m.from, 16);
            break;
        case 24:
            memcpy(out + m.to, row + m.from, 24);
            break;
        default:
            if (m.if_present && !row[m.if_present - 1])
                memset(out + m.to, 0, m.size);
            else
                memcpy(out + m.to, row + m.from, m.size);
        }
    }
}

/* spk_move_columns: of the chosen rows, `step` bytes apart, into rows that stand side by side, `size` bytes
 * each. spk_store_column: a vector's values likewise. */
void spk_move_columns(const spk_mover *mover, const char *rows, size_t step, spk_sql_rows chosen,
    char *out, size_t size);
void spk_store_column(const spk_slot *slot, const spk_sql_vector *v, spk_sql_rows chosen, char *out,
    size_t size);

#endif
