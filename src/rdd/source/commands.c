/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that programs print: to the text RDD each is a file without size, whose stream is the program's
 * standard output. A repeated attempt runs it again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <spark/source.h>

#include "base/sys.h"
#include "io/program.h"
#include "rdd/source/text.h"

/* command: one that was given, copied. */
typedef struct command {
    char **argv, **env;
    char *directory; /* or NULL */
} command;

/* running: one that is read. */
typedef struct running {
    const spk_file *file;
    spk_program program;
} running;

static int start(spk_program *program, const command *c)
{
    char **env = spk_child_environment(c->env);
    const spk_child_how how
        = { .argv = c->argv, .env = env, .directory = c->directory, .in = spk_open("/dev/null", 0, 0),
              .listen = true };
    int error = !env ? ENOMEM : how.in < 0 ? errno : 0;
    if (!error)
        error = spk_program_start(program, &how);
    if (how.in >= 0)
        spk_close(how.in);
    free(env);
    return error;
}

static void *command_open(const spk_file *file, uint64_t from, uint64_t to, const spk_watch *watch,
    spk_failure *failure)
{
    const command *c = file->data;
    running *r = malloc(sizeof *r);
    (void)from, (void)to;
    if (!r) {
        spk_failure_nomem(failure, NULL, NULL);
        return NULL;
    }
    *r = (running) { .file = file };
    r->program.watch = watch;
    r->program.loud = true;
    const int error = start(&r->program, c);
    if (!error)
        return r;
    spk_io_failure(failure, "cannot run", c->argv[0], error);
    if (c->directory) {
        spk_failure_append(failure, ", in ");
        spk_failure_append(failure, c->directory);
    }
    free(r);
    return NULL;
}

static size_t command_read(void *stream, char *to, size_t n, spk_failure *failure)
{
    running *r = stream;
    enum { SHOWN = 200 };
    char why[SPK_SAID + 2 * SHOWN], name[SHOWN];
    size_t got;
    if (!spk_program_read(&r->program, to, n, &got, r->file->path, failure))
        return SIZE_MAX;
    if (!r->program.ended || r->program.status == 0)
        return got;
    snprintf(name, sizeof name, strlen(r->file->path) < SHOWN ? "%s" : "%.190s ...", r->file->path);
    spk_program_end(&r->program, name, why, sizeof why);
    spk_failure_set(failure, SPARK_ETASK, NULL, NULL, "%s", why);
    return SIZE_MAX;
}

static void command_close(void *stream)
{
    running *r = stream;
    spk_program_stop(&r->program);
    free(r);
}

static void free_list(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}

static void command_release(void *data)
{
    command *c = data;
    if (!c)
        return;
    free_list(c->argv);
    free_list(c->env);
    free(c->directory);
    free(c);
}

static char *copy_text(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* copy_list: NULL: no memory. */
static char **copy_list(const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++)
        if (!(copy[i] = copy_text(list[i]))) {
            free_list(copy);
            return NULL;
        }
    return copy;
}

/* shown: the words with blanks between. NULL: no memory. */
static char *shown(const char *const *argv)
{
    size_t n = 1;
    for (size_t i = 0; argv[i]; i++)
        n += strlen(argv[i]) + 1;
    char *text = malloc(n), *at = text;
    for (size_t i = 0; text && argv[i]; i++)
        at += sprintf(at, i ? " %s" : "%s", argv[i]);
    return text;
}

static bool fill(spk_file *file, const spark_command *given)
{
    static const spk_source source = {
        .open = command_open, .read = command_read, .close = command_close, .release = command_release
    };
    command *c = calloc(1, sizeof *c);
    *file = (spk_file) { .path = shown(given->argv), .size = SPK_TO_END, .fd = -1, .source = &source,
        .data = c };
    if (!c || !file->path)
        return false;
    c->argv = copy_list(given->argv);
    c->env = copy_list(given->env);
    c->directory = given->directory ? copy_text(given->directory) : NULL;
    return c->argv && c->env && (c->directory || !given->directory);
}

static void check(spk_verb *v, size_t i, const spark_command *c)
{
    if (!c->argv || !c->argv[0])
        spk_verb_fail(v, SPARK_EINVAL, "command %zu has no program: argv is empty", i);
    for (size_t k = 0; c->env && c->env[k]; k++)
        if (c->env[k][0] == '=' || !strchr(c->env[k], '='))
            spk_verb_fail(v, SPARK_EINVAL, "env of command %zu has \"%s\", which is not NAME=VALUE", i,
                c->env[k]);
}

spark_rdd *spark_text_commands(
    spark_site at, spark_context *sc, size_t n, const spark_command *commands)
{
    spk_verb v;
    spk_files files = { NULL, 0 };
    bool made, good = true;
    spk_verb_source(&v, at, "textCommands", sc);
    if (n > 0 && !commands)
        spk_verb_fail(&v, SPARK_EINVAL, "%zu commands, but they are NULL", n);
    if (n > INT32_MAX)
        spk_verb_fail(&v, SPARK_EINVAL, "%zu commands are too many", n);
    for (size_t i = 0; !v.bad && i < n; i++)
        check(&v, i, &commands[i]);
    if (!v.bad)
        files.at = calloc(n + 1, sizeof *files.at);
    good = v.bad || files.at;
    while (!v.bad && good && files.n < n)
        good = fill(&files.at[files.n], &commands[files.n]), files.n++;
    if (!good)
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    spark_rdd *rdd = spk_text_rdd(&v, NULL, 0, &made);
    if (made)
        SPK_NODE(spk_files_rdd, rdd)->files = files;
    else if (files.at)
        spk_files_free(&files);
    return made && n > 0 ? spark_rdd_set_name(rdd, SPK_NODE(spk_files_rdd, rdd)->files.at[0].path) : rdd;
}
