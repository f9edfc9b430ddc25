/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an input path: it is listed or refused, soon; as a pattern that names are compared with: the
 * literal form of a name matches that name and no other; a star or two match what they should. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"
#include "io/glob.h"
#include "replay.h"
#include <spark/source.h>

enum { MOST = 100, FEW = 3 }; /* alternatives of braces: that are made, that are listed */

static size_t count_of(const char *text, char c)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

static spark_status count(void *state, const char *text, spk_failure *failure)
{
    size_t *left = state;
    (void)text, (void)failure;
    return *left > 0 && (*left)-- ? SPARK_OK : SPARK_EINVAL;
}

/* literally: path without slashes, as a pattern. */
static void literally(const char *name)
{
    spk_failure failure;
    char *pattern = spark_path_literal(name), *plain = malloc(strlen(name) + 1);
    insist(pattern && plain);
    size_t n = strlen(pattern), parts = 2;
    insist(spk_glob_parts(pattern, count, &parts, &failure) == SPARK_OK && parts <= 1);
    insist(!spk_glob_special(pattern, n, "*?[{,"));
    if (strncmp(name, "file:", 5) != 0) {
        plain[spk_glob_literal(plain, pattern, n)] = '\0';
        insist(strcmp(plain, name) == 0);
    }
    free(pattern);
    free(plain);
}

/* stars: pattern*, *pattern and *pattern* of a plain text. */
static void stars(const char *text)
{
    const size_t n = strlen(text);
    char *pattern = malloc(2 * n + 3), *name = malloc(n + 5);
    insist(pattern && name);
    size_t k = 0;
    pattern[k++] = '*';
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x80)
            pattern[k++] = '\\';
        pattern[k++] = text[i];
    }
    pattern[k++] = '*';
    snprintf(name, n + 5, "ab%scd", text);
    insist(spk_glob_match(pattern, k, name));
    insist(spk_glob_match(pattern + 1, k - 2, text));
    insist(spk_glob_match(pattern, k - 1, text));
    insist(n == 0 || !spk_glob_match(pattern + 1, k - 2, name));
    free(pattern);
    free(name);
}

/* enter: a directory of our own, for nothing that is listed should be large. */
static char directory[64];

static void leave(void)
{
    insist(unlink("a/b.txt") == 0 && unlink("x.gz") == 0 && rmdir("a") == 0 && rmdir(directory) == 0);
}

static void enter(void)
{
    strcpy(directory, "/tmp/fuzz-paths-XXXXXX");
    insist(mkdtemp(directory) && chdir(directory) == 0 && mkdir("a", 0777) == 0);
    close(open("a/b.txt", O_CREAT | O_WRONLY, 0666));
    close(open("x.gz", O_CREAT | O_WRONLY, 0666));
    atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spk_files files;
    spk_failure failure;
    size_t most = MOST;
    if (size > 300)
        return 0;
    if (!*directory)
        enter();
    char *text = malloc(size + 1), *own = malloc(size + 1);
    insist(text && own);
    memcpy(text, data, size);
    text[size] = '\0';
    size_t n = 0;
    for (const char *p = text; *p; p++)
        if (*p != '/')
            own[n++] = *p;
    own[n] = '\0';
    if (n > 0)
        literally(own);
    stars(own);
    if (spk_glob_check(text, &failure) == SPARK_OK) {
        spk_glob_match(text, strlen(text), own);
        spk_glob_match(own, n, text);
    }
    spk_glob_braces(text, count, &most, &failure);
    /* In our directory: a root is large. A few alternatives at a time, of which each asks the system. */
    const bool here = !strchr(text, '/') || (strncmp(text, "a/", 2) == 0 && !strpbrk(text, "{,:."));
    if (most >= MOST - FEW && count_of(text, ',') <= FEW && here && spk_files_list(text, NULL, &files, &failure) == SPARK_OK)
        spk_files_free(&files);
    free(text);
    free(own);
    return 0;
}
