/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the text of a statement: tokens are pieces of it, in order, brackets belong to each other,
 * and statement after statement comes to the end. */
#include "sql.h"
#include "sql/parse/lex.h"
#include "sql/parse/parse.h"

static void tokens(const char *text, const spk_token *t, size_t n, size_t next)
{
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        insist(t[i].span.from >= at && t[i].span.to > t[i].span.from && t[i].span.to <= next);
        insist(t[i].kind != SPK_TOKEN_END && t[i].text && strlen(t[i].text) <= t[i].len);
        insist(t[i].match <= n);
        if (t[i].match)
            insist(t[t[i].match].match == i || t[t[i].match].match == 0 || i == 0);
        at = t[i].span.to;
    }
    insist(t[n].kind == SPK_TOKEN_END);
    (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size);
    const size_t length = strlen(text);
    spk_arena large = { .chunks = NULL };
    for (size_t from = 0, rounds = 0; from < length && rounds < 20; rounds++) {
        size_t n = 0, next = 0;
        spk_sql_error error = { .condition = NULL };
        spk_arena *arena = arena_of();
        spk_arena_fini(&large);
        spk_arena_init(&large, arena->heap);
        const spk_token *t = spk_sql_lex(arena, &large, text + from, &n, &next, &error);
        insist((t == NULL) == spk_sql_failed(&error));
        if (!t) {
            described(&error, text + from);
            break;
        }
        insist(next <= length - from);
        tokens(text + from, t, n, next);
        if (next == 0 || spk_sql_parse_blank(text + from + next))
            break;
        from += next;
    }
    spk_arena_fini(&large);
    free(text);
    return 0;
}
