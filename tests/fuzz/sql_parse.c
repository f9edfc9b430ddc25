/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a statement: it is read, or there is an error with its place; both again the same, also when
 * blanks stand behind it. */
#include "sql.h"
#include "sql/parse/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size), *longer = malloc(size + 4);
    spk_sql_error error = { .condition = NULL }, again = { .condition = NULL };
    size_t next = 0, next2 = 0;
    insist(longer != NULL);
    snprintf(longer, size + 4, "%s \n", text);
    const spk_ast_statement *s = spk_sql_parse(arena_of(), text, &next, &error);
    insist((s == NULL) == spk_sql_failed(&error));
    const bool known = s != NULL;
    const spk_ast_statement_kind kind = s ? s->kind : SPK_ST_OTHER;
    if (s)
        insist(next <= strlen(text));
    else
        described(&error, text);
    const bool ends = strlen(text) == 0 || text[strlen(text) - 1] != '\\'; /* of a comment that goes on */
    s = spk_sql_parse(arena_of(), longer, &next2, &again);
    if (ends && strcmp(error.condition ? error.condition : "", "UNCLOSED_BRACKETED_COMMENT") != 0) {
        insist((s != NULL) == known);
        if (s)
            insist(s->kind == kind);
        else
            insist(strcmp(error.condition, again.condition) == 0);
    }
    free(longer);
    free(text);
    return 0;
}
