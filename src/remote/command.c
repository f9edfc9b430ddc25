/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a command prints. */
#include <stdlib.h>

#include "io/child.h"
#include "plan/context.h"
#include "remote/fs.h"
#include "remote/text.h"

typedef struct command {
    char **argv; /* ends with NULL */
} command;

typedef struct output {
    spk_child child;
    const char *path;
    bool ended;
} output;

static void free_words(char **words)
{
    for (char **w = words; w && *w; w++)
        free(*w);
    free(words);
}

static void command_free(void *env)
{
    command *c = env;
    if (c)
        free_words(c->argv);
    free(c);
}

/* fill: a word with what it is to hold. NULL: no memory. */
static char *fill(const char *word, const char *path)
{
    const char *behind = strstr(path, "://");
    spk_text text = { .at = NULL };
    spk_text_add(&text, "", 0);
    while (*word) {
        const size_t plain = strcspn(word, "{");
        spk_text_add(&text, word, plain);
        word += plain;
        if (strncmp(word, "{}", 2) == 0) {
            spk_text_add(&text, path, strlen(path));
            word += 2;
        } else if (strncmp(word, "{/}", 3) == 0) {
            spk_text_add(&text, behind ? behind + 3 : path, strlen(behind ? behind + 3 : path));
            word += 3;
        } else if (*word) {
            spk_text_add(&text, word++, 1);
        }
    }
    if (text.nomem)
        spk_text_free(&text);
    return text.at;
}

static char *copy(const char *word)
{
    char *to = malloc(strlen(word) + 1);
    if (to)
        memcpy(to, word, strlen(word) + 1);
    return to;
}

/* words: filled with a path; NULL: a copy. NULL: no memory. */
static char **words(const char *const *argv, const char *path)
{
    size_t n = 0;
    while (argv[n])
        n++;
    char **all = calloc(n + 1, sizeof *all);
    for (size_t i = 0; all && i < n; i++)
        if (!(all[i] = path ? fill(argv[i], path) : copy(argv[i]))) {
            free_words(all);
            all = NULL;
        }
    return all;
}

static bool command_stat(void *env, const char *path, spark_fs_info *info, spark_fs_call *call)
{
    (void)env, (void)path, (void)call;
    *info = (spark_fs_info) { .bytes = SPARK_FS_NO_SIZE, .whole = true };
    return true;
}

static void *command_open(void *env, const char *path, uint64_t offset, uint64_t end,
    const spark_fs_info *info, spark_fs_call *call)
{
    const command *c = env;
    const char *const *patterns;
    output *o = calloc(1, sizeof *o);
    memcpy(&patterns, &c->argv, sizeof patterns);
    char **argv = o ? words(patterns, path) : NULL;
    (void)end, (void)info;
    if (!argv) {
        spk_fs_nomem(call);
    } else if (offset > 0) {
        spark_fs_fail(call, "%s can be read from its beginning only", path);
    } else if (spk_child_start(&o->child, argv, NULL, false, call->failure) == SPARK_OK) {
        o->path = path;
        spk_child_close_in(&o->child);
        free_words(argv);
        return o;
    }
    free_words(argv);
    free(o);
    return NULL;
}

static int64_t finish(output *o, spark_fs_call *call)
{
    int status;
    while (!spk_child_ended(&o->child, false, &status))
        if (spark_fs_unwanted(call))
            return spark_fs_fail(call, "cancelled"), -1;
    o->ended = true;
    if (status == 0)
        return 0;
    spark_fs_fail(call, status > 128 && status <= 192 ? "%s: its command was killed by signal %d"
                                                      : "%s: its command ended with status %d",
        o->path, status > 128 && status <= 192 ? status - 128 : status);
    return -1;
}

static int64_t command_read(void *stream, void *to, size_t n, spark_fs_call *call)
{
    output *o = stream;
    bool readable, writable;
    size_t got;
    while (!o->ended) {
        if (spark_fs_unwanted(call))
            return spark_fs_fail(call, "cancelled"), -1;
        if (!spk_child_read(&o->child, to, n, &got, call->failure))
            return -1;
        if (got == 0)
            return finish(o, call);
        if (got != SIZE_MAX)
            return (int64_t)got;
        if (!spk_child_wait_io(&o->child, true, false, &readable, &writable, call->failure))
            return -1;
    }
    return 0;
}

static void command_close(void *stream)
{
    output *o = stream;
    if (!o->ended)
        spk_child_kill(&o->child);
    free(o);
}

spark_status spark_register_command(spark_context *sc, const char *scheme, const char *const *argv)
{
    static const spark_fs fs = { .stat = command_stat,
        .open = command_open,
        .read = command_read,
        .close = command_close,
        .free = command_free };
    if (!argv || !*argv || !**argv)
        return spk_raisef(
            SPARK_EINVAL, "register_command", NULL, "register_command: there is no command");
    command *c = calloc(1, sizeof *c);
    if (c && !(c->argv = words(argv, NULL))) {
        free(c);
        c = NULL;
    }
    if (!c)
        return spk_raisef(SPARK_ENOMEM, "register_command", NULL, "out of memory");
    return spark_register_fs(sc, scheme, &fs, c);
}
