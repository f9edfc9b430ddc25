/* SPDX-License-Identifier: Apache-2.0 */
/* A crash inside a function says where it was: which operation, written where, which job, stage,
 * partition, attempt and record. Then the signal goes to whatever handled it before, as a rule the
 * system, which ends the process and writes its core.
 *
 * A handler may do next to nothing: this one reads what the thread's attempt points to, puts a line
 * together on its own stack, and writes it with one call. What it reads may be half written or
 * gone, for a crash can be anywhere; so all but the numbers of the attempt itself is fetched by a
 * call of the system that says no where there is no memory. The handler runs on a stack of its own,
 * which each attempt brings along, so that the overflow of a thread's stack is told as well.
 * Functions get one element at a time, so that the record is known.
 *
 * Signals are of the process: the handlers that were there before are static. */
#include "exec/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "exec/pipe.h"
#include "io/files.h"

enum { STACK_BYTES = 64 * 1024, NEAR = 64 * 1024, SHOWN = 96, PATH_SHOWN = 512 };

static const struct {
    int signal;
    char name[8];
} caught[] = { { SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" }, { SIGFPE, "SIGFPE" },
    { SIGILL, "SIGILL" }, { SIGABRT, "SIGABRT" } };
enum { CAUGHT = sizeof caught / sizeof *caught };

static struct {
    pthread_mutex_t lock; /* guards users */
    int users;
    struct sigaction before[CAUGHT];
} spk_crash_state = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- the line: nothing here may allocate, lock, or print by stdio */

typedef struct line {
    size_t n;
    char at[640 + PATH_SHOWN];
} line;

static void put(line *l, const char *text)
{
    while (*text && l->n < sizeof l->at - 1)
        l->at[l->n++] = *text++;
}

static void put_number(line *l, const char *before, uint64_t number, unsigned base)
{
    char digits[24];
    size_t i = sizeof digits;
    digits[--i] = 0;
    do
        digits[--i] = "0123456789abcdef"[number % base];
    while ((number /= base) > 0);
    put(l, before);
    put(l, digits + i);
}

/* fetch: n bytes, if there is such memory; of the last of them as many as there are, if `some`. */
static bool fetch(void *to, const void *from, size_t n, bool some)
{
    struct iovec into = { to, n }, out;
    memcpy(&out.iov_base, &from, sizeof out.iov_base);
    out.iov_len = n;
    memset(to, 0, n);
    if (!from)
        return false;
    const ssize_t got = process_vm_readv(getpid(), &into, 1, &out, 1, 0);
    if (got >= 0 || errno == EFAULT)
        return some ? got > 0 : got == (ssize_t)n;
    for (size_t i = 0; i < n && (!some || ((const char *)from)[i]); i++)
        ((char *)to)[i] = ((const char *)from)[i]; /* the system does not allow the call */
    return true;
}

static void put_text(line *l, const char *before, const char *text, const char *after)
{
    char shown[SHOWN];
    if (!text || !fetch(shown, text, sizeof shown - 1, true))
        return;
    shown[sizeof shown - 1] = 0;
    put(l, before);
    put(l, shown);
    put(l, after);
}

/* line_of: which line of a file begins at a byte, by the line ends before it (\n, \r\n and \r); 0: that
 * cannot be told, or takes too long. */
static uint64_t line_of(const spk_file *file, const char *path, uint64_t byte)
{
    enum { MOST = 1 << 30 };
    char block[4096], last = 0;
    uint64_t at = 0, number = 1;
    if (file->source || byte > MOST)
        return 0;
    const int fd = file->fd >= 0 ? file->fd : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    for (long n; at < byte; at += (uint64_t)n) {
        const size_t most = byte - at < sizeof block ? (size_t)(byte - at) : sizeof block;
        n = syscall(SYS_pread64, fd, block, most, (off_t)at);
        if (n <= 0)
            break;
        for (long i = 0; i < n; last = block[i++])
            number += block[i] == '\r' || (block[i] == '\n' && last != '\r');
    }
    if (fd >= 0 && fd != file->fd)
        syscall(SYS_close, fd);
    return at == byte ? number : 0;
}

/* put_file: where the row on its way was read. */
static void put_file(line *l, const spark_task *task)
{
    spk_file file;
    char path[PATH_SHOWN];
    if (!fetch(&file, task->at.file, sizeof file, false) || !fetch(path, file.path, sizeof path - 1, true))
        return;
    path[sizeof path - 1] = 0;
    put(l, " of ");
    put(l, path);
    const uint64_t n = line_of(&file, path, task->at.byte);
    if (n > 0)
        put_number(l, ":", n, 10);
    else if (task->at.byte != SPK_UNKNOWN_BYTE)
        put_number(l, ", byte ", task->at.byte, 10);
}

/* put_record: where it is known: of functions that get one element a call, and those that read an
 * iterator. */
static void put_record(line *l, const spark_task *task, const spk_class *of)
{
    spk_class class;
    spark_emitter out;
    bool known = true;
    if (task->at.element >= 0 && task->at.op == task->op)
        put_number(l, ", record ", (uint64_t)task->at.element, 10);
    else if (of && fetch(&class, of, sizeof class, false) && class.run && class.finish
        && fetch(&out, task->push.outs, sizeof out, false) && out.rows > 0)
        put_number(l, ", record ", out.rows - 1, 10);
    else
        known = false;
    if (known)
        put_file(l, task);
}

static void put_operation(line *l, const spark_task *task)
{
    spk_op op = { .rdd = NULL };
    spark_rdd rdd;
    const char *operation = task->end.operation, *function = task->end.function;
    spark_site site = task->end.site;
    const spk_class *class = NULL;
    if (task->op) {
        operation = function = site = NULL;
        if (fetch(&op, task->op, sizeof op, false) && fetch(&rdd, op.rdd, sizeof rdd, false)) {
            operation = rdd.operation;
            function = rdd.function;
            site = rdd.site;
            class = rdd.class;
        }
    }
    put_text(l, " in ", operation, "");
    put_text(l, "(", function, ")");
    put_text(l, " at ", site, "");
    put_record(l, task, class);
}

/* put_place: the numbers of the attempt; -1: of merges on a calling thread. */
static void put_place(line *l, const spark_task *task)
{
    if (task->job < 0 || task->partition < 0) {
        put(l, "; on the driver");
        return;
    }
    put_number(l, "; job ", (uint64_t)task->job, 10);
    put_number(l, ", stage ", (uint64_t)task->stage, 10);
    put_number(l, ", partition ", (uint64_t)task->partition, 10);
    put_number(l, ", attempt ", (uint64_t)task->attempt, 10);
}

static bool is_overflow(const spark_task *task, uintptr_t address)
{
    const uintptr_t low = (uintptr_t)task->crash.low;
    return low > NEAR && address >= low - NEAR && address < low + NEAR;
}

static void report(const spark_task *task, const char *name, int signal, const siginfo_t *info)
{
    line l;
    l.n = 0;
    put(&l, "libspark: ");
    put(&l, name);
    if (info->si_code > 0 && signal != SIGABRT) {
        put_number(&l, " (address 0x", (uintptr_t)info->si_addr, 16);
        if (signal == SIGSEGV && is_overflow(task, (uintptr_t)info->si_addr))
            put(&l, ": the stack has overflowed");
        put(&l, ")");
    }
    put_operation(&l, task);
    put_place(&l, task);
    l.at[l.n++] = '\n';
    for (size_t from = 0; from < l.n;) {
        const long n = syscall(SYS_write, STDERR_FILENO, l.at + from, l.n - from);
        if (n <= 0 && errno != EINTR)
            return;
        from += n > 0 ? (size_t)n : 0;
    }
}

/* on_crash: with the handler of before in place again, a fault that is caused comes back by itself
 * when this returns; one that was sent has to be sent again. */
static void on_crash(int signal, siginfo_t *info, void *context)
{
    const int saved = errno;
    const spark_task *task = spk_task_current();
    (void)context;
    for (int i = 0; i < CAUGHT; i++)
        if (caught[i].signal == signal) {
            if (task && task->at.single)
                report(task, caught[i].name, signal, info);
            sigaction(signal, &spk_crash_state.before[i], NULL);
        }
    if (info->si_code <= 0 || signal == SIGABRT)
        raise(signal);
    errno = saved;
}

/* ---- who wants it */

void spk_crash_begin(void)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
    action.sa_sigaction = on_crash;
    pthread_mutex_lock(&spk_crash_state.lock);
    for (int i = 0; i < CAUGHT && spk_crash_state.users == 0; i++) {
        sigaction(caught[i].signal, NULL, &spk_crash_state.before[i]);
        sigaction(caught[i].signal, &action, NULL);
    }
    spk_crash_state.users++;
    pthread_mutex_unlock(&spk_crash_state.lock);
}

void spk_crash_end(void)
{
    struct sigaction now;
    pthread_mutex_lock(&spk_crash_state.lock);
    spk_crash_state.users--;
    for (int i = 0; i < CAUGHT && spk_crash_state.users == 0; i++)
        if (sigaction(caught[i].signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO)
            && now.sa_sigaction == on_crash) /* else somebody has put another one there */
            sigaction(caught[i].signal, &spk_crash_state.before[i], NULL);
    pthread_mutex_unlock(&spk_crash_state.lock);
}

/* ---- stacks */

/* stack_low: the end of this thread's stack; asked for once, for the system takes its time. */
static const char *stack_low(void)
{
    static _Thread_local const char *low;
    pthread_attr_t attributes;
    void *address = NULL;
    size_t size;
    if (low || pthread_getattr_np(pthread_self(), &attributes) != 0)
        return low;
    if (pthread_attr_getstack(&attributes, &address, &size) == 0)
        low = address;
    pthread_attr_destroy(&attributes);
    return low;
}

void spk_crash_enter(spark_task *task)
{
    stack_t before;
    if (!task->crash.stack)
        task->crash.stack = malloc(STACK_BYTES); /* without it, an overflow is not told */
    task->crash.low = stack_low();
    const stack_t own = { .ss_sp = task->crash.stack, .ss_size = STACK_BYTES };
    if (task->crash.stack && sigaltstack(NULL, &before) == 0 && (before.ss_flags & SS_DISABLE))
        sigaltstack(&own, NULL);
}

void spk_crash_leave(spark_task *task)
{
    stack_t now;
    const stack_t none = { .ss_flags = SS_DISABLE };
    if (task->crash.stack && sigaltstack(NULL, &now) == 0 && now.ss_sp == task->crash.stack)
        sigaltstack(&none, NULL);
}
