/* SPDX-License-Identifier: Apache-2.0 */
/* Casting arrays, maps and structs: their members become a column of a small program of one cast.
 * */
#include "base/small.h"

#include "sql/eval/nested.h"

#include "sql/eval/cast.h"
#include "sql/eval/compare.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

/* parts: the casts of members: of an array one; of a map of key and value; of a struct one a field.
 * */
typedef struct parts {
    const spk_sql_program *program;
    uint32_t n;
} parts;

static SPK_COLD spk_sql_expr *part(spk_sql_build *b, uint32_t i, const spk_sql_type *from,
    const spk_sql_type *to, const spk_sql_expr *cast)
{
    spk_sql_expr *x = spk_sql_column(b, i, "x", from, true, cast->span);
    spk_sql_expr *y = x ? spk_sql_coerce(b, x, to) : NULL;
    if (y && y != x)
        y->attempt = cast->attempt;
    return y;
}

SPK_COLD const void *spk_sql_cast_prepare(spk_sql_build *b, const spk_sql_expr *cast)
{
    const spk_sql_type *from = cast->args[0]->type, *to = cast->type;
    const uint32_t n = to->kind == SPK_SQL_STRUCT ? to->n : to->kind == SPK_SQL_MAP ? 2 : 1;
    if (cast->kernel != spk_sql_cast_nested)
        return NULL;
    parts *p = spk_arena_alloc(b->arena, sizeof *p, _Alignof(parts));
    spk_sql_expr **casts = spk_arena_alloc(b->arena, (n + 1) * sizeof *casts, _Alignof(void *));
    if (!p || !casts) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++)
        casts[i] = to->kind == SPK_SQL_STRUCT
            ? part(b, i, from->fields[i].type, to->fields[i].type, cast)
            : to->kind == SPK_SQL_MAP && i == 0 ? part(b, i, from->key, to->key, cast)
                                                : part(b, i, from->of, to->of, cast);
    *p = (parts) { spk_sql_compile(b, casts, n), n };
    return p->program ? p : NULL;
}

spk_sql_run *spk_sql_inner_run(spk_sql_frame *f, const spk_sql_program *program)
{
    spk_sql_run *run = spk_sql_run_new(program, f->arena);
    if (!run)
        spk_sql_no_room(f);
    return run;
}

/* element_input: the slots of a list as a column. */
static spk_sql_input slots(const char *at, size_t stride, const spk_sql_type *of, bool nullable)
{
    return (spk_sql_input) { .ptr = at + spk_sql_slot_value(of, nullable),
        .stride = stride,
        .valid = nullable ? (const uint8_t *)at : NULL,
        .valid_stride = stride,
        .mask = 255 };
}

/* cast_list: n entries at `from`, in pieces of a batch. */
static bool cast_list(spk_sql_frame *f, spk_sql_run *run, const spk_sql_type *from,
    const spk_sql_type *to, const char *in, size_t n, char *out)
{
    const bool map = to->kind == SPK_SQL_MAP;
    const size_t stride
        = map ? spk_sql_entry_size(from) : spk_sql_slot_size(from->of, from->contains_null);
    const size_t size = map ? spk_sql_entry_size(to) : spk_sql_slot_size(to->of, to->contains_null);
    for (size_t at = 0; at < n; at += SPK_SQL_BATCH) {
        const uint32_t some = n - at < SPK_SQL_BATCH ? (uint32_t)(n - at) : SPK_SQL_BATCH;
        const char *piece = in + at * stride;
        const spk_sql_input columns[2] = { map
                ? slots(piece, stride, from->key, false)
                : slots(piece, stride, from->of, from->contains_null),
            map ? slots(piece + spk_sql_entry_value(from), stride, from->of, from->contains_null)
                : (spk_sql_input) { 0 } };
        spk_sql_vector v;
        spk_sql_run_begin(run, columns, some, 0, f->arena);
        for (uint32_t which = 0; which < 1u + map; which++) {
            if (!spk_sql_run_eval(run, which, (spk_sql_rows) { NULL, some }, &v)) {
                spk_sql_run_give(f, spk_sql_run_error(run));
                return false;
            }
            const bool key = map && which == 0;
            const size_t offset = map && which == 1 ? spk_sql_entry_value(to) : 0;
            for (uint32_t i = 0; i < some; i++)
                spk_sql_store(key ? to->key : to->of, &v, i, !key && to->contains_null,
                    out + (at + i) * size + offset);
        }
    }
    return true;
}

static bool cast_struct(spk_sql_frame *f, spk_sql_run *run, const spk_sql_type *from,
    const spk_sql_type *to, const char *in, char *out)
{
    spk_sql_input few[16];
    spk_sql_input *columns = from->n <= 16
        ? few
        : spk_sql_alloc(f, from->n * sizeof *columns, _Alignof(spk_sql_input));
    if (!columns)
        return false;
    for (uint32_t i = 0; i < from->n; i++)
        columns[i]
            = slots(in + from->fields[i].offset, 0, from->fields[i].type, from->fields[i].nullable);
    spk_sql_run_begin(run, columns, 1, 0, f->arena);
    for (uint32_t i = 0; i < to->n; i++) {
        spk_sql_vector v;
        if (!spk_sql_run_eval(run, i, (spk_sql_rows) { NULL, 1 }, &v)) {
            spk_sql_run_give(f, spk_sql_run_error(run));
            return false;
        }
        spk_sql_store(
            to->fields[i].type, &v, 0, to->fields[i].nullable, out + to->fields[i].offset);
    }
    return true;
}

void spk_sql_cast_nested(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type, *to = f->expr->type;
    const parts *p = f->prepared;
    spk_sql_run *run = spk_sql_inner_run(f, p->program);
    if (!run)
        return;
    SPK_EACH_ROW(f, i)
    {
        if (to->kind == SPK_SQL_STRUCT) {
            memset(f->out + i * to->size, 0, to->size);
            if (!cast_struct(f, run, from, to, f->args[0].ptr + i * f->args[0].stride,
                    f->out + i * to->size))
                return;
            continue;
        }
        const spk_sql_array a = SPK_SQL_ARG(spk_sql_array, f, 0, i);
        const size_t size = to->kind == SPK_SQL_MAP ? spk_sql_entry_size(to)
                                                    : spk_sql_slot_size(to->of, to->contains_null);
        char *at = spk_sql_alloc(f, a.n * size + 1, 16);
        if (!at || !cast_list(f, run, from, to, a.at, a.n, at))
            return;
        SPK_SQL_OUT(spk_sql_array, f, i) = (spk_sql_array) { at, a.n };
    }
}
