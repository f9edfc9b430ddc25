/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions against Java's: java_regex.txt has, for each pattern and text, all matches
 * with their
 * groups, as java.util.regex found them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/eval/like.h"
#include "sql/eval/regex.h"
#include "sql/eval/utf8.h"

typedef struct field {
    char text[4096];
    size_t n;
} field;

/* read_field: 'text' with its escapes, or what stands there up to the tab. */
static const char *read_field(const char *p, field *f)
{
    f->n = 0;
    if (*p != '\'')
        return p;
    for (p++; *p && *p != '\''; p++) {
        if (*p == '\\') {
            p++;
            f->text[f->n++] = (char)(*p == 'n' ? '\n' : *p == 'r' ? '\r' : *p == 't' ? '\t' : *p);
        } else {
            f->text[f->n++] = *p;
        }
    }
    f->text[f->n] = '\0';
    p += *p == '\'';
    return p + (*p == '\t');
}

static size_t put_quoted(char *out, const char *p, size_t n)
{
    size_t at = 0;
    out[at++] = '\'';
    for (size_t i = 0; i < n; i++) {
        const char *special = strchr("\\\n\r\t", p[i]);
        if (special && p[i]) {
            out[at++] = '\\';
            out[at++] = "\\nrt"[special - "\\\n\r\t"];
            at -= p[i] == '\\';
            if (p[i] == '\\')
                out[at++] = '\\';
        } else {
            out[at++] = p[i];
        }
    }
    out[at++] = '\'';
    return at;
}

/* matches: all of them, in the form of the table. */
static void matches(const spk_regex *regex, spk_regex_work *work, const field *text, char *out)
{
    const int groups = spk_regex_groups(regex);
    size_t places[2 * SPK_REGEX_GROUPS], at = 0, n = 0;
    int found = 0;
    while (at <= text->n && found++ < 50
        && spk_regex_find(regex, work, text->text, text->n, at, places, groups)) {
        for (int g = 0; g <= groups; g++) {
            out[n++] = g == 0 ? '(' : ',';
            if (places[2 * g] == SIZE_MAX)
                out[n++] = '-';
            else
                n += put_quoted(
                    out + n, text->text + places[2 * g], places[2 * g + 1] - places[2 * g]);
        }
        out[n++] = ')';
        at = places[1] > places[0] ? places[1]
            : places[1] < text->n
            ? places[1] + spk_utf8_size(text->text + places[1], text->n - places[1])
            : text->n + 1;
    }
    out[n] = '\0';
}

static void as_java(void **state)
{
    static char line[65536], mine[65536];
    static field pattern, text;
    spk_heap heap;
    spk_arena arena;
    size_t lines = 0, bad = 0;
    FILE *file = fopen(JAVA_REGEX, "r");
    (void)state;
    assert_non_null(file);
    spk_heap_init(&heap, 0);
    spk_arena_init(&arena, &heap);
    while (fgets(line, sizeof line, file)) {
        const char *why;
        bool unsupported;
        line[strcspn(line, "\n")] = '\0';
        const char *p = read_field(line, &pattern);
        const spk_regex *regex
            = spk_regex_compile(&arena, pattern.text, pattern.n, &why, &unsupported);
        lines++;
        if (strcmp(p, "ERROR") == 0 || strcmp(p, "FINE") == 0) {
            if ((regex != NULL) != (*p == 'F')) {
                bad++;
                print_message("%s: %s\n", line, regex ? "compiles here" : why);
            }
        } else if (!regex) {
            bad++;
            print_message("%s: %s\n", line, why);
        } else {
            p = read_field(p, &text);
            matches(regex, spk_regex_work_new(regex, NULL, &arena), &text, mine);
            if (strcmp(p, mine) != 0) {
                bad++;
                print_message("%s\n    here: %s\n", line, mine);
            }
        }
        spk_arena_reset(&arena);
    }
    fclose(file);
    spk_arena_fini(&arena);
    spk_heap_fini(&heap);
    assert_true(lines > 1000);
    assert_int_equal(bad, 0);
}

/* What a backtracking matcher takes for ever for. */
static void linear(void **state)
{
    static const char *const patterns[]
        = { "(a+)+b", "(a|aa)+$", "(x+x+)+y", "(.*a){12}", "(a?){60}a{60}" };
    enum { N = 20000 };
    spk_heap heap;
    spk_arena arena;
    (void)state;
    spk_heap_init(&heap, 0);
    spk_arena_init(&arena, &heap);
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, 'a', N);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const char *why;
        bool unsupported;
        const spk_regex *regex
            = spk_regex_compile(&arena, patterns[i], strlen(patterns[i]), &why, &unsupported);
        assert_non_null(regex);
        spk_regex_work *work = spk_regex_work_new(regex, NULL, &arena);
        const bool found = spk_regex_find(regex, work, text, i == 2 ? 2000 : N, 0, NULL, 0);
        assert_int_equal(found, i != 0 && i != 2);
    }
    free(text);
    spk_arena_fini(&arena);
    spk_heap_fini(&heap);
}

/* Refused by name, and what is too large. */
static void refused(void **state)
{
    static const char *const patterns[] = { "(a)\\1", "a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b",
        "(?>a)b", "a++", "\\p{IsGreek}", "((a{100}){100}){100}", "\\k<n>" };
    spk_heap heap;
    spk_arena arena;
    (void)state;
    spk_heap_init(&heap, 0);
    spk_arena_init(&arena, &heap);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const char *why;
        bool unsupported;
        assert_null(
            spk_regex_compile(&arena, patterns[i], strlen(patterns[i]), &why, &unsupported));
        assert_true(unsupported);
        assert_true(strlen(why) > 0);
    }
    spk_arena_fini(&arena);
    spk_heap_fini(&heap);
}

/* like_slowly: the definition, by trying everything. */
static bool like_slowly(const char *p, const char *s)
{
    if (!*p)
        return !*s;
    if (*p == '%')
        return like_slowly(p + 1, s) || (*s && like_slowly(p, s + 1));
    if (!*s)
        return false;
    return (*p == '_' || *p == *s) && like_slowly(p + 1, s + 1);
}

static void like(void **state)
{
    spk_heap heap;
    spk_arena arena;
    uint64_t seed = 7;
    (void)state;
    spk_heap_init(&heap, 0);
    spk_arena_init(&arena, &heap);
    for (int round = 0; round < 20000; round++) {
        char pattern[8], text[10];
        size_t n = 0, m = 0;
        for (size_t k = (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33;
             k % 8 > 1 && n < 7; k /= 2)
            pattern[n] = "ab%_"[(seed >> (35 + 2 * n)) & 3], n++;
        for (size_t k = (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33;
             k % 16 > 1 && m < 9; k /= 2)
            text[m] = "ab"[(seed >> (35 + m)) & 1], m++;
        pattern[n] = text[m] = '\0';
        spk_like made;
        assert_int_equal(
            spk_like_compile(&made, &arena, (spark_str) { pattern, n }, (spark_str) { "\\", 1 }),
            SPK_LIKE_GOOD);
        if (spk_like_matches(&made, (spark_str) { text, m }) != like_slowly(pattern, text))
            fail_msg("'%s' LIKE '%s'", text, pattern);
        spk_arena_reset(&arena);
    }
    spk_arena_fini(&arena);
    spk_heap_fini(&heap);
}

/* like_finds: parts of all lengths in texts of all lengths around those of vectors, beside a search by hand: of few
 * letters, so that there is much that only looks like the part. Texts end where their memory does. */
static void like_finds(void **state)
{
    spk_heap heap;
    spk_arena arena;
    uint64_t seed = 11;
    int hits = 0;
    (void)state;
    spk_heap_init(&heap, 0);
    spk_arena_init(&arena, &heap);
    for (int round = 0; round < 40000; round++) {
        char pattern[48];
        const size_t n = 1 + (size_t)(round % 40 / (1 + round % 3)), m = (size_t)round / 7 % 150;
        char *text = malloc(m + 1), *exact = malloc(m ? m : 1);
        bool want = false, have;
        spk_like made;
        assert_true(text && exact);
        for (size_t k = 0; k < n + m; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const char c = seed >> 60 ? 'a' : 'b';
            *(k < n ? pattern + 1 + k : text + k - n) = c;
        }
        if (round % 5 == 0 && m >= n)
            memcpy(text + (size_t)(seed >> 40) % (m - n + 1), pattern + 1, n);
        pattern[0] = pattern[n + 1] = '%';
        memcpy(exact, text, m);
        for (size_t k = 0; k + n <= m && !want; k++)
            want = memcmp(exact + k, pattern + 1, n) == 0;
        assert_int_equal(
            spk_like_compile(&made, &arena, (spark_str) { pattern, n + 2 }, (spark_str) { "\\", 1 }), SPK_LIKE_GOOD);
        have = spk_like_matches(&made, (spark_str) { exact, m });
        if (have != want)
            fail_msg("'%.*s' LIKE '%.*s'", (int)m, exact, (int)n + 2, pattern);
        hits += have;
        free(text);
        free(exact);
        spk_arena_reset(&arena);
    }
    assert_in_range(hits, 8000, 39000);
    spk_arena_fini(&arena);
    spk_heap_fini(&heap);
}

/* ---- both ways */

static uint32_t draw(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % n;
}

/* put_pattern: a piece of a pattern at out; where it ends. */
static char *put_pattern(char *out, uint64_t *seed, int depth)
{
    static const char *const atoms[]
        = { "a", "b", "c", ".", "[ab]", "[^a]", "\\b", "^", "$", "\\w", "\xc3\xa9", "ab", "(?:)", "[^/]" };
    static const char *const times[] = { "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?" };
    const uint32_t n = 1 + draw(seed, 4);
    for (uint32_t i = 0; i < n; i++) {
        if (depth < 3 && draw(seed, 3) == 0) {
            out = stpcpy(out, draw(seed, 3) ? "(" : "(?:");
            out = put_pattern(out, seed, depth + 1);
            if (draw(seed, 2)) {
                *out++ = '|';
                out = put_pattern(out, seed, depth + 1);
            }
            *out++ = ')';
        } else {
            out = stpcpy(out, atoms[draw(seed, sizeof atoms / sizeof *atoms)]);
        }
        out = stpcpy(out, times[draw(seed, sizeof times / sizeof *times)]);
    }
    return out;
}

/* both_ways: one thread after the other finds what all at once do, groups too. */
static void both_ways(void **state)
{
    static const char *const signs[] = { "a", "b", "c", "/", "\n", "\xc3\xa9", "\xc3", " " };
    enum { PATTERNS = 20000, TEXTS = 4 };
    uint64_t seed = 5;
    size_t used = 0, hits = 0;
    (void)state;
    for (int i = 0; i < PATTERNS; i++) {
        char pattern[4096], text[64], *end;
        const char *why;
        bool unsupported;
        spk_heap heap;
        spk_arena arena;
        spk_heap_init(&heap, 0);
        spk_arena_init(&arena, &heap);
        end = put_pattern(pattern, &seed, 0);
        const spk_regex *regex = spk_regex_compile(&arena, pattern, (size_t)(end - pattern), &why, &unsupported);
        spk_regex_work *work = regex ? spk_regex_work_new(regex, NULL, &arena) : NULL;
        for (int k = 0; work && k < TEXTS; k++, used++) {
            size_t places[2][2 * SPK_REGEX_GROUPS + 2] = { { 0 } };
            const int groups = spk_regex_groups(regex);
            end = text;
            for (uint32_t n = draw(&seed, 20); n > 0; n--)
                end = stpcpy(end, signs[draw(&seed, draw(&seed, 2) ? 2 : sizeof signs / sizeof *signs)]);
            const size_t n = (size_t)(end - text), from = draw(&seed, 3) ? 0 : draw(&seed, (uint32_t)n + 1);
            const bool one = spk_regex_find(regex, work, text, n, from, places[0], groups);
            const bool all = spk_regex_find_at_once(regex, work, text, n, from, places[1], groups);
            const bool only = spk_regex_find(regex, work, text, n, from, NULL, 0);
            if (one != all || only != all
                || (all && memcmp(places[0], places[1], (2 * (size_t)groups + 2) * sizeof places[0][0]) != 0))
                fail_msg("%.*s over '%.*s' from %zu", (int)strlen(pattern), pattern, (int)n, text, from);
            hits += all;
        }
        spk_arena_fini(&arena);
        spk_heap_fini(&heap);
    }
    assert_true(used > PATTERNS && hits > used / 4 && hits < used);
}

/* counts: of code points, beside a loop over their first bytes. */
static void counts(void **state)
{
    uint64_t seed = 3;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[48];
        const size_t n = draw(&seed, sizeof text + 1);
        const uint32_t seldom = draw(&seed, 3) ? 20 : 2;
        size_t count = 0;
        for (size_t k = 0; k < n; k++)
            text[k] = (char)(draw(&seed, seldom) ? 'a' : (int)draw(&seed, 256));
        for (size_t k = 0; k < n; k += spk_utf8_size(text + k, n - k))
            count++;
        assert_int_equal(spk_utf8_count(text, n), count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_java),
        cmocka_unit_test(both_ways),
        cmocka_unit_test(counts),
        cmocka_unit_test(linear),
        cmocka_unit_test(refused),
        cmocka_unit_test(like),
        cmocka_unit_test(like_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
