/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions against Spark 4.3: spark_says.txt has statements with the types, values and error
 * conditions that
 * Spark gave (types without nullability). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expr_text.h"

#include "sql/eval/utf8.h"
#include "sql/eval/zone.h"

static spk_zones zones;
static spk_sql_session session = { .now = INT64_C(1700000000000000), .zones = &zones, .zone_id = "UTC" };

/* set_zone: of a line "@zone Europe/Paris"; false: the system has no files of zones. */
static bool set_zone(const char *id)
{
    session.zone = spk_zone_keep(&zones, id, strlen(id));
    session.zone_id = session.zone ? session.zone->id : "UTC";
    if (!session.zone)
        assert_true(*spk_zones_missing());
    return session.zone != NULL;
}

/* put_error: condition, SQLSTATE and parameters in the order of their names. */
static void put_error(const spk_sql_error *e, char *out, size_t size)
{
    bool done[SPK_SQL_PARAMETERS] = { false };
    size_t n = (size_t)snprintf(out, size, "ERR %s %s", e->condition, spk_sql_state(e->condition));
    for (size_t k = 0; k < e->n; k++) {
        size_t best = SPK_SQL_PARAMETERS;
        for (size_t i = 0; i < e->n; i++)
            if (!done[i]
                && (best == SPK_SQL_PARAMETERS
                    || strcmp(e->parameters[i].name, e->parameters[best].name) < 0))
                best = i;
        done[best] = true;
        n += (size_t)snprintf(out + n, n < size ? size - n : 0, "|%s=%s", e->parameters[best].name,
            e->parameters[best].value);
        if (n >= size)
            return;
    }
}

static void answer(spk_arena *arena, const char *line, char *out, size_t size)
{
    spk_sql_error error = { 0 };
    spk_sql_build b = { arena, &error, &session };
    text_front t = { .b = &b, .p = line + strlen("select ") };
    spk_sql_expr *e = text_expr(&t, 0);
    spk_sql_vector v;
    char text[4096];
    text_blanks(&t);
    if (spk_sql_failed(&error)) {
        put_error(&error, out, size);
        return;
    }
    if (!e || *t.p) {
        snprintf(out, size, "not read: %.40s", t.p);
        return;
    }
    const spk_sql_program *p = spk_sql_compile(&b, &e, 1);
    assert_non_null(p);
    spk_sql_run *run = spk_sql_run_new(p, arena);
    assert_non_null(run);
    spk_sql_run_begin(run, NULL, 1, 0, arena);
    if (!spk_sql_run_eval(run, 0, (spk_sql_rows) { NULL, 1 }, &v)) {
        put_error(spk_sql_run_error(run), out, size);
        return;
    }
    spk_sql_type_print(e->type, true, text, sizeof text);
    size_t n = (size_t)snprintf(out, size, "[%s] ", text);
    if (!spk_sql_valid(&v, 0)) {
        snprintf(out + n, size - n, "NULL");
        return;
    }
    const size_t len = spk_sql_value_print(e->type, v.ptr, session.zone, text, sizeof text);
    snprintf(out + n, size - n, "%.*s", (int)(len < sizeof text ? len : sizeof text), text);
}

static void as_spark(void **state)
{
    static char line[65536], mine[65536];
    spk_heap heap;
    size_t lines = 0, bad = 0;
    bool zoned = true;
    FILE *file = fopen(SPARK_SAYS, "r");
    (void)state;
    assert_non_null(file);
    spk_heap_init(&heap, 0);
    spk_zones_init(&zones, &heap);
    while (fgets(line, sizeof line, file)) {
        spk_arena arena;
        line[strcspn(line, "\n")] = '\0';
        char *arrow = strstr(line, " => ");
        if (strncmp(line, "@zone ", 6) == 0)
            zoned = set_zone(line + 6);
        if (!arrow || line[0] == '#' || !zoned)
            continue;
        *arrow = '\0';
        spk_arena_init(&arena, &heap);
        answer(&arena, line, mine, sizeof mine);
        spk_arena_fini(&arena);
        lines++;
        if (strcmp(mine, arrow + 4) != 0) {
            bad++;
            print_message("%s\n    Spark: %s\n    here:  %s\n", line, arrow + 4, mine);
        }
    }
    fclose(file);
    spk_zones_fini(&zones);
    spk_heap_fini(&heap);
    assert_true(lines > 300);
    assert_int_equal(bad, 0);
}

/* cases: digests (FNV-1a) of what Spark makes of each code point below 0x20000 by itself, lines of lower, upper
 * and initcap. */
static void cases(void **state)
{
    static const uint64_t spark[]
        = { UINT64_C(0xa6d42fbed6c965e), UINT64_C(0x1431ee7c9bd4d308), UINT64_C(0x5e3861933510b5bd) };
    (void)state;
    for (int to = SPK_LOWER; to <= SPK_TITLE; to++) {
        uint64_t digest = UINT64_C(0xcbf29ce484222325);
        for (uint32_t c = 1; c < 0x20000; c++) {
            char letter[4], out[13];
            if (c >= 0xd800 && c < 0xe000)
                continue;
            size_t n = spk_utf8_case((spark_str) { letter, spk_utf8_write(c, letter) }, (spk_case)to, out);
            out[n++] = '\n';
            for (size_t i = 0; i < n; i++)
                digest = (digest ^ (unsigned char)out[i]) * UINT64_C(0x100000001b3);
        }
        assert_int_equal(digest, spark[to]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(as_spark), cmocka_unit_test(cases) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
