/* SPDX-License-Identifier: Apache-2.0 */
/* The thread's last error is a failure kept by value and the public view of it. */
#include "base/error.h"

#include <stdio.h>

#include "base/control.h"

const spk_failure spk_no_memory = SPK_FAILURE(SPARK_ENOMEM, "out of memory");
const spk_failure spk_of_nothing = SPK_FAILURE(SPARK_EINVAL, "the RDD or the context is NULL");

static _Thread_local spk_failure last;
static _Thread_local spark_error view = { .operation = "",
    .message = "",
    .site = "",
    .job = -1,
    .stage = -1,
    .partition = -1,
    .attempt = -1,
    .record = -1,
    .file = "",
    .line = -1 };

const spark_error *spark_last_error(void)
{
    return &view;
}

/* said: text for standard error, which is written at once, for other threads may write there as well. */
typedef struct said {
    char at[4096];
    size_t n;
} said;

static void say(said *s, const char *text)
{
    for (size_t control; *text; text += control ? control : 1) {
        control = spk_control(text, strlen(text));
        const size_t size = control ? sizeof SPK_REPLACEMENT - 1 : 1;
        if (s->n + size > sizeof s->at - 1) { /* there is always room for a line end */
            fwrite(s->at, 1, s->n, stderr);
            s->n = 0;
        }
        memcpy(s->at + s->n, control ? SPK_REPLACEMENT : text, size);
        s->n += size;
    }
}

static void say_line(const char *who, const char *what)
{
    said s;
    s.n = 0;
    say(&s, who);
    say(&s, ": ");
    say(&s, what);
    s.at[s.n++] = '\n';
    fwrite(s.at, 1, s.n, stderr);
}

int spark_complain(const char *program)
{
    say_line(program ? program : "libspark", view.message);
    return 1;
}

void spk_warn(const char *format, ...)
{
    char text[5000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say_line("libspark", text);
}

const char *spark_status_name(spark_status status)
{
    static const char *const names[] = { "SPARK_OK", "SPARK_EINVAL", "SPARK_ETYPE", "SPARK_ENOMEM",
        "SPARK_EIO", "SPARK_EEMPTY", "SPARK_ETASK", "SPARK_ECANCELLED", "SPARK_ETIMEOUT", "SPARK_EDEADLINE" };
    const size_t i = (size_t)status;
    return i < sizeof names / sizeof names[0] ? names[i] : "unknown status";
}

/* make_one_line: whatever a function says, and whatever a file is called. */
static void make_one_line(char *text)
{
    while (*(text += strcspn(text, "\r\n")))
        *text = ' ';
}

spark_status spk_failure_vset(spk_failure *failure, spark_status code, const char *operation,
    spark_site site, const char *format, va_list args)
{
    failure->code = code;
    failure->homeless = false;
    failure->job = failure->stage = failure->partition = failure->attempt = -1;
    failure->record = failure->line = -1;
    failure->file[0] = '\0';
    failure->site = site ? site : "";
    snprintf(failure->operation, sizeof failure->operation, "%s", operation ? operation : "");
    const int n = vsnprintf(failure->message, sizeof failure->message, format, args);
    make_one_line(failure->message);
    if (n >= (int)sizeof failure->message)
        memcpy(failure->message + sizeof failure->message - 4, "...", 4);
    return code;
}

spark_status spk_failure_set(spk_failure *failure, spark_status code, const char *operation,
    spark_site site, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    spk_failure_vset(failure, code, operation, site, format, args);
    va_end(args);
    return code;
}

void spk_failure_at(spk_failure *failure, const char *operation, spark_site site)
{
    const spk_failure plain = *failure;
    spk_failure_set(failure, plain.code, operation, site, "%s%s%s: ", operation,
        site && *site ? " at " : "", site ? site : "");
    spk_failure_append(failure, plain.message);
}

void spk_failure_append(spk_failure *failure, const char *text)
{
    const size_t have = strlen(failure->message), room = sizeof failure->message - have - 1;
    const size_t n = strlen(text) < room ? strlen(text) : room;
    memcpy(failure->message + have, text, n);
    failure->message[have + n] = 0;
}

void spk_failure_end(spk_failure *failure, const char *text)
{
    const size_t size = sizeof failure->message, n = strlen(text);
    if (n + 4 < size && strlen(failure->message) + n >= size)
        memcpy(failure->message + size - n - 4, "...", 4);
    spk_failure_append(failure, text);
    make_one_line(failure->message);
}

void spk_failure_in(spk_failure *failure, const char *file, int64_t line)
{
    const size_t most = sizeof failure->file - 1, n = strlen(file);
    snprintf(failure->file, sizeof failure->file, "%s%s", n > most ? "..." : "",
        n > most ? file + n - (most - 3) : file);
    failure->line = line;
}

spark_status spk_failure_nomem(spk_failure *failure, const char *operation, spark_site site)
{
    if (operation && *operation)
        return spk_failure_set(failure, SPARK_ENOMEM, operation, site, "%s%s%s: out of memory",
            operation, site && *site ? " at " : "", site ? site : "");
    return spk_failure_set(failure, SPARK_ENOMEM, operation, site, "out of memory");
}

const spk_failure *spk_last_failure(void)
{
    return &last;
}

spark_status spk_raise(const spk_failure *failure)
{
    if (failure != &last)
        last = *failure;
    view = (spark_error) { last.code, last.operation, last.message, last.site, last.job, last.stage,
        last.partition, last.attempt, last.record, last.file, last.line };
    return last.code;
}

spark_status spk_raisef(
    spark_status code, const char *operation, spark_site site, const char *format, ...)
{
    spk_failure failure;
    va_list args;
    va_start(args, format);
    spk_failure_vset(&failure, code, operation, site, format, args);
    va_end(args);
    return spk_raise(&failure);
}
