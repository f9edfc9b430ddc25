/* SPDX-License-Identifier: Apache-2.0 */
/* Reads lines "select e, e, .." and prints each with types and values, or the error, in the form of
 * a
 * script that asks Spark: for comparing the two.
 *
 * usage: eval_lines < FILE */
#include "expr_text.h"

#include "base/heap.h"

static void print_quoted(const char *text)
{
    printf("'");
    for (; *text; text++)
        printf(*text == '\'' || *text == '\\' ? "\\%c" : *text == '\n' ? "\\n" : "%c", *text);
    printf("'");
}

static void print_error(const spk_sql_error *e)
{
    printf("ERR %s %s {", e->condition, spk_sql_state(e->condition));
    for (size_t i = 0; i < e->n; i++) {
        printf("%s'%s': ", i ? ", " : "", e->parameters[i].name);
        print_quoted(e->parameters[i].value);
    }
    printf("}\n");
}

static void run_line(spk_arena *arena, const char *line, const spk_sql_session *session)
{
    spk_sql_error error = { 0 };
    spk_sql_build b = { arena, &error, session };
    text_front t = { .b = &b, .p = line + strlen("select ") };
    spk_sql_expr *exprs[32];
    size_t n = 0;
    do
        exprs[n] = text_expr(&t, 0);
    while (exprs[n] && ++n < 32 && text_sign(&t, ","));
    text_blanks(&t);
    if (spk_sql_failed(&error)) {
        print_error(&error);
        return;
    }
    if (t.failed || *t.p) {
        printf("NOT READ at %.20s\n", t.p);
        return;
    }
    const spk_sql_program *p = spk_sql_compile(&b, exprs, n);
    spk_sql_run *run = p ? spk_sql_run_new(p, arena) : NULL;
    char types[4096] = "", text[8192];
    if (!run) {
        print_error(&error);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        spk_sql_type_print(exprs[i]->type, true, text, sizeof text);
        const size_t at = strlen(types);
        snprintf(types + at, sizeof types - at, "%s%.900s%s", i ? "," : "", text,
            exprs[i]->nullable ? "" : "!");
    }
    spk_sql_run_begin(run, NULL, 1, 0, arena);
    spk_sql_vector v[32];
    for (size_t i = 0; i < n; i++)
        if (!spk_sql_run_eval(run, (uint32_t)i, (spk_sql_rows) { NULL, 1 }, &v[i])) {
            print_error(spk_sql_run_error(run));
            return;
        }
    printf("[%s] ", types);
    for (size_t i = 0; i < n; i++) {
        if (spk_sql_valid(&v[i], 0)) {
            const size_t len
                = spk_sql_value_print(exprs[i]->type, v[i].ptr, session->zone, text, sizeof text);
            printf("%s%.*s", i ? "|" : "", (int)(len < sizeof text ? len : sizeof text), text);
        } else {
            printf("%sNULL", i ? "|" : "");
        }
    }
    printf("\n");
}

int main(void)
{
    static char line[65536];
    const spk_sql_session session = { .now = INT64_C(1700000000000000), .zone_id = "UTC" };
    spk_heap heap;
    spk_heap_init(&heap, 0);
    while (fgets(line, sizeof line, stdin)) {
        spk_arena arena;
        line[strcspn(line, "\n")] = '\0';
        if (strncasecmp(line, "select ", 7) != 0)
            continue;
        spk_arena_init(&arena, &heap);
        printf("%s => ", line);
        run_line(&arena, line, &session);
        spk_arena_fini(&arena);
    }
    spk_heap_fini(&heap);
    return 0;
}
