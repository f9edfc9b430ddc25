/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes choose two types, the rest is a text: it is cast to the one, that to the other, and both
 * to texts. TRY_CAST is NULL where CAST fails and what it gives elsewhere; what a value prints is cast back
 * to that value. Each cast is compiled once, of a column, and run for every input that wants it. */
#include "sql.h"
#include "sql/eval/compare.h"
#include "sql/eval/program.h"

static const char *const types[] = { "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string",
    "binary", "date", "timestamp", "timestamp_ntz", "time(6)", "decimal(9,2)", "decimal(18,6)", "decimal(38,10)",
    "decimal(38,0)", "interval year to month", "interval day to second" };
enum { TYPES = sizeof types / sizeof types[0], TEXT = 7 };

typedef struct value {
    bool can, good, valid; /* can: there is such a cast */
    const spk_sql_type *type;
    const char *at;
} value;

/* made: a cast of a column, and what runs it; program NULL: there is none. */
typedef struct made {
    bool tried;
    const spk_sql_type *type;
    const spk_sql_program *program;
    spk_sql_run *run; /* NULL: another one is needed, for none is used again once it has failed */
    spk_arena registers;
} made;

static const spk_sql_session session = { .now = 0, .zone_id = "UTC", .user = "u", .catalog = "c", .database = "d" };

/* kept: what stays between inputs. */
static spk_arena *kept(void)
{
    static spk_arena arena;
    if (!arena.heap)
        spk_arena_init(&arena, the_heap());
    return &arena;
}

static const spk_sql_type *type_of(int which)
{
    static const spk_sql_type *parsed[TYPES];
    if (!parsed[which])
        parsed[which] = spk_sql_type_parse(kept(), types[which], strlen(types[which]));
    insist(parsed[which] != NULL);
    return parsed[which];
}

static made *cast(int from, int to, bool attempt)
{
    static made all[TYPES][TYPES][2];
    made *m = &all[from][to][attempt];
    spk_sql_error error = { .condition = NULL };
    spk_sql_build b = { kept(), &error, &session };
    if (m->tried)
        return m;
    m->tried = true;
    spk_sql_expr *column = spk_sql_column(&b, 0, "x", type_of(from), true, (spk_sql_span) { 0, 0 });
    spk_sql_expr *e = column ? spk_sql_cast(&b, column, type_of(to), attempt, (spk_sql_span) { 0, 0 }) : NULL;
    insist((e == NULL) == spk_sql_failed(&error));
    if (e) {
        m->program = spk_sql_compile(&b, &e, 1);
        m->type = e->type;
        spk_arena_init(&m->registers, the_heap());
        insist(m->program != NULL);
    }
    return m;
}

static value computed(spk_arena *arena, made *m, const char *at)
{
    static const uint8_t there = 1;
    const spk_sql_input input = { at, 0, &there, 0, 1, false };
    value v = { .can = m->program != NULL, .type = m->type };
    spk_sql_vector out;
    if (!v.can)
        return v;
    if (!m->run)
        m->run = spk_sql_run_new(m->program, &m->registers);
    insist(m->run != NULL);
    spk_sql_run_begin(m->run, &input, 1, 0, arena);
    v.good = spk_sql_run_eval(m->run, 0, (spk_sql_rows) { NULL, 1 }, &out);
    if (v.good) {
        v.valid = spk_sql_valid(&out, 0);
        v.at = out.ptr;
    } else {
        described(spk_sql_run_error(m->run), "");
        spk_arena_reset(&m->registers);
        m->run = NULL;
    }
    return v;
}

/* both: CAST and TRY_CAST agree. */
static value both(spk_arena *arena, int from, int to, const char *at)
{
    const value plain = computed(arena, cast(from, to, false), at);
    const value attempt = computed(arena, cast(from, to, true), at);
    if (!plain.can || !attempt.can) /* what cannot be cast at all */
        return plain;
    if (!attempt.good && strcmp(types[from], "date") == 0 && strncmp(types[to], "timestamp", 9) == 0)
        return plain; /* a day too far for microseconds is an overflow in either */
    insist(attempt.good);
    insist(plain.good ? plain.valid == attempt.valid : !attempt.valid);
    if (plain.good && plain.valid)
        insist(spk_sql_value_compare(plain.type, plain.at, attempt.at) == 0);
    return plain;
}

/* back: what the value prints is that value. */
static void back(spk_arena *arena, const value *v, int type)
{
    if (strcmp(types[type], "binary") == 0 || strncmp(types[type], "interval", 8) == 0)
        return;
    const size_t n = spk_sql_value_print(v->type, v->at, 0, NULL, 0);
    char *text = spk_arena_alloc(arena, n + 1, 1);
    _Alignas(16) char held[64];
    insist(text && spk_sql_value_print(v->type, v->at, 0, text, n + 1) == n);
    const spark_str str = { text, n };
    insist(v->type->size <= sizeof held);
    memcpy(held, v->at, v->type->size); /* where v is may be the register of the same cast */
    const value again = computed(arena, cast(TEXT, type, false), (const char *)&str);
    insist(again.good && again.valid && spk_sql_value_compare(v->type, held, again.at) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spk_arena *arena = arena_of();
    _Alignas(16) char held[64];
    if (size < 2)
        return 0;
    const int first = data[0] % TYPES, second = data[1] % TYPES;
    const spark_str text = { (const char *)data + 2, size - 2 };
    value v = both(arena, TEXT, first, (const char *)&text);
    if (!v.good || !v.valid)
        return 0;
    insist(v.type->size <= sizeof held);
    memcpy(held, v.at, v.type->size);
    v.at = held;
    back(arena, &v, first);
    const value w = both(arena, first, second, held);
    if (w.good && w.valid)
        back(arena, &w, second);
    return 0;
}
