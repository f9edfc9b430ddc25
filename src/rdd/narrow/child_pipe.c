/* SPDX-License-Identifier: Apache-2.0 */
/* pipe: a step that writes its rows to a child process and passes on the lines that come back. Lines
 * are read while rows wait to be written, so neither side waits for the other for ever. */
#include <stdlib.h>

#include <spark/pipe.h>

#include "io/child.h"
#include "rdd/verb.h"

typedef struct pipe_rdd {
    spark_rdd rdd;
    char **argv, **env, **context;
    char *command; /* for messages */
    bool separate;
} pipe_rdd;

typedef struct talk {
    spark_task *task;
    const pipe_rdd *p;
    spk_child child;
    spk_arena *arenas;
    char *to; /* text to be written */
    size_t used, written, to_capacity;
    bool gone;  /* the child reads no more */
    char *from; /* text read that is no whole line yet */
    size_t have, from_capacity;
    size_t feed, carriage; /* how far \n and \r have been looked for; see seek */
    bool ended; /* nothing more to read */
} talk;

enum { CHUNK = 64 * 1024 };

static void fail(talk *t, const spk_failure *failure)
{
    spk_task_fail_with(t->task, failure);
}

static bool grow(talk *t, char **buffer, size_t *capacity, size_t used, size_t want)
{
    size_t got;
    if (want <= *capacity)
        return true;
    char *larger = spk_heap_alloc(t->task->heap, want < *capacity * 2 ? *capacity * 2 : want, &got);
    if (!larger) {
        spk_task_nomem(t->task);
        return false;
    }
    if (used)
        memcpy(larger, *buffer, used);
    spk_heap_free(t->task->heap, *buffer, *capacity);
    *buffer = larger;
    *capacity = got;
    return true;
}

/* stop: deferred. */
static void stop(void *data)
{
    talk *t = data;
    if (t->child.pid > 0)
        spk_child_kill(&t->child);
    spk_heap_free(t->task->heap, t->to, t->to_capacity);
    spk_heap_free(t->task->heap, t->from, t->from_capacity);
}

static bool add_text(talk *t, const char *text, size_t n)
{
    if (!grow(t, &t->to, &t->to_capacity, t->used, t->used + n + 1))
        return false;
    memcpy(t->to + t->used, text, n);
    t->to[t->used + n] = '\n';
    t->used += n + 1;
    return true;
}

static bool add_row(talk *t, const spk_layout *layout, const char *row)
{
    enum { GUESS = 256 };
    if (!grow(t, &t->to, &t->to_capacity, t->used, t->used + GUESS))
        return false;
    size_t n = spk_value_print(layout, row, t->to + t->used, GUESS - 1);
    if (n > GUESS - 1) {
        if (!grow(t, &t->to, &t->to_capacity, t->used, t->used + n + 1))
            return false;
        n = spk_value_print(layout, row, t->to + t->used, n);
    }
    t->to[t->used + n] = '\n';
    t->used += n + 1;
    return true;
}

/* emit_line: a copy, for the buffer is used again. */
static bool emit_line(talk *t, spk_out *out, const char *line, size_t n)
{
    char *copy = n ? spark_alloc(t->task, n) : NULL;
    if (n && !copy)
        return false;
    if (n)
        memcpy(copy, line, n);
    const spark_str row = { copy ? copy : "", n };
    out->head.rows++;
    return spark_emit_(&out->head, &row, sizeof row);
}

/* seek: where `sign` comes next, from `at` on and before `stop`, or stop. *known: there is none between
 * the `at` of this call or an earlier one and it, so that what has been looked at once is not again. */
static size_t seek(const talk *t, char sign, size_t *known, size_t at, size_t stop)
{
    const size_t from = *known > at ? *known : at;
    const char *found = from < stop ? memchr(t->from + from, sign, stop - from) : NULL;
    return *known = found ? (size_t)(found - t->from) : from > stop ? from : stop;
}

/* line_end: of the line that begins at `at`: \n, \r\n or \r; *next is where the next one begins. False:
 * not read yet, as after a \r that a \n may follow. */
static bool line_end(talk *t, size_t at, size_t *end, size_t *next)
{
    const size_t feed = seek(t, '\n', &t->feed, at, t->have);
    const size_t carriage = seek(t, '\r', &t->carriage, at, feed);
    *end = carriage < feed ? carriage : feed;
    *next = *end + 1;
    if (*end == t->have || (carriage < feed && *next == t->have && !t->ended))
        return false;
    if (carriage < feed && *next == feed && feed < t->have)
        *next = feed + 1;
    return true;
}

/* drop: the first n bytes, of lines that have been emitted. */
static void drop(talk *t, size_t n)
{
    if (n == 0) /* a long line is not moved at every read */
        return;
    memmove(t->from, t->from + n, t->have - n);
    t->have -= n;
    t->feed = t->feed > n ? t->feed - n : 0;
    t->carriage = t->carriage > n ? t->carriage - n : 0;
}

/* emit_lines: the whole lines that were read; at the end also the rest. */
static bool emit_lines(talk *t, spk_out *out)
{
    size_t at = 0;
    for (size_t end, next; line_end(t, at, &end, &next); at = next)
        if (!emit_line(t, out, t->from + at, end - at))
            return false;
    if (t->ended && at < t->have) {
        if (!emit_line(t, out, t->from + at, t->have - at))
            return false;
        at = t->have;
    }
    drop(t, at);
    return true;
}

static bool read_some(talk *t, spk_out *out)
{
    spk_failure failure;
    size_t n;
    if (!grow(t, &t->from, &t->from_capacity, t->have, t->have + CHUNK))
        return false;
    if (!spk_child_read(&t->child, t->from + t->have, CHUNK, &n, &failure)) {
        fail(t, &failure);
        return false;
    }
    t->ended = n == 0;
    if (n != SIZE_MAX)
        t->have += n;
    return n == SIZE_MAX || emit_lines(t, out);
}

static bool write_some(talk *t)
{
    spk_failure failure;
    size_t n;
    if (!spk_child_write(
            &t->child, t->to + t->written, t->used - t->written, &n, &t->gone, &failure)) {
        fail(t, &failure);
        return false;
    }
    t->written += n;
    if (t->gone || t->written == t->used)
        t->used = t->written = 0;
    return true;
}

/* exchange: until all text has gone; at_end: until the child has nothing more to say. */
static bool exchange(talk *t, spk_out *out, bool at_end)
{
    spk_failure failure;
    bool readable, writable;
    if (t->gone)
        t->used = t->written = 0;
    while (t->used > 0 || (at_end && !t->ended)) {
        if (at_end && t->used == 0)
            spk_child_close_in(&t->child);
        if (spk_task_over(t->task) || out->head.closed)
            return false;
        if (!spk_child_wait_io(&t->child, !t->ended, t->used > 0, &readable, &writable, &failure)) {
            fail(t, &failure);
            return false;
        }
        if ((readable && !read_some(t, out)) || (writable && t->used > 0 && !write_some(t)))
            return false;
    }
    return true;
}

/* environment: what is added to the child's: where rows come from a file, its path as well, under
 * Hadoop's names; before the user's own, which may set them. NULL: the task has failed. */
static char **environment(spark_task *task, const pipe_rdd *p, int partition)
{
    static const char *const names[] = { "map_input_file", "mapreduce_map_input_file" };
    const char *path;
    size_t n = 0, k = 0;
    const int64_t reads = spk_rdd_reads(p->rdd.deps[0].rdd, partition, &path);
    if (reads == SPK_READS_NOMEM) {
        spk_task_nomem(task);
        return NULL;
    }
    if (!path)
        return p->env;
    while (p->env[n])
        n++;
    char **all = spk_arena_alloc(spk_keep_of(task), (n + 3) * sizeof *all, 16);
    for (; all && k < 2; k++) {
        const size_t size = strlen(names[k]) + strlen(path) + 2;
        if (!(all[k] = spk_arena_alloc(spk_keep_of(task), size, 1)))
            all = NULL;
        else
            snprintf(all[k], size, "%s=%s", names[k], path);
    }
    if (all)
        memcpy(all + 2, p->env, (n + 1) * sizeof *all);
    else
        spk_task_nomem(task);
    return all;
}

static bool open(spk_pipe *pipe, spk_op *op)
{
    const pipe_rdd *p = SPK_NODE(pipe_rdd, op->rdd);
    spark_task *task = pipe->task;
    spk_failure failure;
    talk *t = spk_arena_alloc(spk_keep_of(task), sizeof *t, 16);
    if (!t) {
        spk_task_nomem(task);
        return false;
    }
    *t = (talk) { .task = task, .p = p };
    op->state = t;
    spark_defer(task, stop, t);
    if (spk_task_failed(task) || !(t->arenas = spk_step_arenas(task)))
        return false;
    for (char **line = p->context; line && *line; line++)
        if (!add_text(t, *line, strlen(*line)))
            return false;
    task->op = op;
    char **env = environment(task, p, op->partition);
    if (!env)
        return false;
    if (spk_child_start(&t->child, p->argv, env, p->separate, &failure) == SPARK_OK)
        return true;
    fail(t, &failure);
    return false;
}

static bool open_out(spk_out *out, spk_pipe *pipe, const spk_op *op)
{
    const talk *t = op->state;
    return spk_out_open(out, pipe, (size_t)(op - pipe->ops) + 1, op->rdd->layout->size, t->arenas);
}

static void child_pipe_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    talk *t = op->state;
    const spk_layout *layout = op->rdd->deps[0].rdd->layout;
    const spk_batch in = *batch;
    spk_out out;
    batch->n = 0;
    if (!open_out(&out, pipe, op))
        return;
    for (size_t i = 0; i < in.n && !t->gone; i++)
        if (!add_row(t, layout, in.rows + i * layout->size)
            || (t->used >= CHUNK && !exchange(t, &out, false)))
            break;
    spk_out_close(&out, batch);
}

static void child_pipe_finish(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    talk *t = op->state;
    spk_out out;
    int status;
    if (!open_out(&out, pipe, op))
        return;
    if (exchange(t, &out, true)) {
        while (!spk_child_ended(&t->child, false, &status))
            if (spk_task_over(t->task)) {
                spk_out_close(&out, batch);
                return;
            }
        if (status < 0)
            spk_task_fail(t->task, SPARK_ETASK,
                "How the subprocess ended is not known, for this process ignores SIGCHLD. Command "
                "ran: %s",
                t->p->command);
        else if (status != 0)
            spk_task_fail(t->task, SPARK_ETASK, "Subprocess exited with status %d. Command ran: %s",
                status, t->p->command);
    }
    spk_out_close(&out, batch);
}

/* ---- making */

static void free_list(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}

static void child_pipe_release(spark_rdd *rdd)
{
    pipe_rdd *p = SPK_NODE(pipe_rdd, rdd);
    free_list(p->argv);
    free_list(p->env);
    free_list(p->context);
    free(p->command);
}

/* copy_list: NULL: no memory. */
static char **copy_list(const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++)
        if (!(copy[i] = strdup(list[i]))) {
            free_list(copy);
            return NULL;
        }
    return copy;
}

/* split_words: of the command. */
static char **split_words(const char *command)
{
    static const char white[] = " \t\n\v\f\r";
    char **words = calloc(strlen(command) / 2 + 2, sizeof *words);
    size_t n = 0;
    for (const char *at = command + strspn(command, white); words && *at; at += strspn(at, white)) {
        const size_t length = strcspn(at, white);
        if (!(words[n++] = strndup(at, length))) {
            free_list(words);
            return NULL;
        }
        at += length;
    }
    return words;
}

/* joined: the words with blanks between. NULL: no memory. */
static char *joined(char *const *words)
{
    size_t n = 1;
    for (size_t i = 0; words[i]; i++)
        n += strlen(words[i]) + 1;
    char *text = malloc(n), *at = text;
    for (size_t i = 0; text && words[i]; i++)
        at += sprintf(at, i ? " %s" : "%s", words[i]);
    return text;
}

static bool fill(pipe_rdd *p, const char *command, const spark_pipe_options *o)
{
    p->argv = o->argv ? copy_list(o->argv) : split_words(command);
    p->env = copy_list(o->env);
    p->context = copy_list(o->context);
    p->command = p->argv ? joined(p->argv) : NULL;
    p->separate = o->separate_dir;
    return p->argv && p->env && p->context && p->command;
}

spark_rdd *spark_pipe_with(
    spark_site at, spark_rdd *rdd, const char *command, const spark_pipe_options *options)
{
    static const spk_class class = { .name = "PipedRDD",
        .open = open,
        .run = child_pipe_run,
        .finish = child_pipe_finish,
        .release = child_pipe_release };
    static const spark_pipe_options none = { .argv = NULL };
    const spark_pipe_options *o = options ? options : &none;
    spk_verb v;
    spk_failure failure;
    bool made;
    spk_verb_begin(&v, at, "pipe", NULL, 1, &rdd, NULL);
    const bool empty = o->argv ? !o->argv[0] : !command || !command[strspn(command, " \t\n\v\f\r")];
    if (empty)
        spk_verb_fail(&v, SPARK_EINVAL, "there is no command");
    for (size_t i = 0; o->env && o->env[i]; i++)
        if (o->env[i][0] == '=' || !strchr(o->env[i], '='))
            spk_verb_fail(&v, SPARK_EINVAL, "env has \"%s\", which is not NAME=VALUE", o->env[i]);
    rdd = spk_verb_make(
        &v, &class, sizeof(pipe_rdd), spk_verb_layout(&v, SPARK_TYPE(spark_str)), &made);
    if (made && !fill(SPK_NODE(pipe_rdd, rdd), command, o)) {
        spk_failure_nomem(&failure, NULL, NULL);
        rdd = spk_verb_undo(&v, rdd, &failure);
    }
    return rdd;
}

spark_rdd *spark_pipe(spark_site at, spark_rdd *rdd, const char *command)
{
    return spark_pipe_with(at, rdd, command, NULL);
}
