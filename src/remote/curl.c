/* SPDX-License-Identifier: Apache-2.0 */
/* One run of curl is one request. Its options, and with them all that is secret, are a file without a name
 * that is its standard input; what is sent is another one, as descriptor 3, so that its length is known; the
 * answer, head and body, comes through a pipe, and curl's complaints lie in a third file until somebody asks.
 * So there is one descriptor to wait for, and no process that waits for us while we wait for it.
 *
 * How long an answer is, three know: the server's Content-Length, curl, whose status says whether it has got
 * all, and whoever asked for a range. An answer is whole when none of them misses anything. */
#include "remote/curl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/sys.h"

extern char **environ;

enum { BUFFER = 64 * 1024, MOST_HEAD = 32 * 1024, ABOVE_STANDARD = 10, MOST_WAIT_MS = 10000 };

/* ---- options ---- */

static char *copy(const char *text)
{
    char *to = malloc(strlen(text) + 1);
    if (to)
        memcpy(to, text, strlen(text) + 1);
    return to;
}

/* is_header: "Name: value", without signs that would end it. */
static bool is_header(const char *line)
{
    const char *colon = strchr(line, ':');
    for (const char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            return false;
    return colon && colon > line;
}

static int or_else(int given, int otherwise)
{
    return given > 0 ? given : otherwise;
}

spark_status spk_curl_init(spk_curl *curl, const spark_http_options *options, spk_failure *failure)
{
    static const spark_http_options none = { .curl = NULL };
    const spark_http_options *o = options ? options : &none;
    *curl = (spk_curl) { .retries = o->retries < 0 ? 0 : or_else(o->retries, 5),
        .wait_ms = or_else(o->retry_wait_ms, 100),
        .connect_ms = or_else(o->connect_timeout_ms, 30000),
        .stall_ms = or_else(o->stall_timeout_ms, 60000) };
    for (const char *const *h = o->headers; h && *h; h++) {
        if (!is_header(*h)) {
            spk_curl_free(curl);
            return spk_failure_set(
                failure, SPARK_EINVAL, NULL, NULL, "a header is \"Name: value\", in one line");
        }
        spk_text_print(&curl->headers, "%s\n", *h);
    }
    curl->program = copy(o->curl ? o->curl : "curl");
    curl->user = o->user ? copy(o->user) : NULL;
    curl->ca_file = o->ca_file ? copy(o->ca_file) : NULL;
    if (curl->program && (curl->user || !o->user) && (curl->ca_file || !o->ca_file)
        && !curl->headers.nomem)
        return SPARK_OK;
    spk_curl_free(curl);
    return spk_failure_nomem(failure, NULL, NULL);
}

void spk_curl_free(spk_curl *curl)
{
    free(curl->program);
    free(curl->user);
    free(curl->ca_file);
    spk_text_free(&curl->headers);
    *curl = (spk_curl) { .program = NULL };
}

/* ---- trying again ---- */

bool spk_pause_before(const spk_curl *curl, int tried, spark_fs_call *call)
{
    struct timespec now;
    int64_t ms = curl->wait_ms;
    for (int i = 1; i < tried && ms < MOST_WAIT_MS; i++)
        ms *= 2;
    ms = ms < MOST_WAIT_MS ? ms : MOST_WAIT_MS;
    clock_gettime(CLOCK_MONOTONIC, &now); /* so that not all come back at once */
    return spk_fs_pause(call, (int)(ms / 2 + ms * (now.tv_nsec % 1000) / 2000));
}

bool spk_retry(const spk_curl *curl, bool (*once)(void *state, spark_fs_call *call), void *state,
    spark_fs_call *call)
{
    for (int tried = 1;; tried++) {
        char note[64];
        if (once(state, call))
            return true;
        if (!call->again || spark_fs_unwanted(call))
            return false;
        if (tried > curl->retries) {
            snprintf(note, sizeof note, "; tried %d times", tried);
            spk_failure_end(call->failure, note);
            return false;
        }
        if (!spk_pause_before(curl, tried, call))
            return false;
    }
}

/* ---- starting ---- */

/* option: a line of curl's configuration, quoted. */
static void option(spk_text *to, const char *name, const char *value, size_t n)
{
    spk_text_print(to, "%s = \"", name);
    for (size_t i = 0; i < n; i++) {
        if (value[i] == '"' || value[i] == '\\')
            spk_text_add(to, "\\", 1);
        spk_text_add(to, value + i, 1);
    }
    spk_text_print(to, "\"\n");
}

static void headers(spk_text *to, const char *lines)
{
    for (size_t n; lines && *lines; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        option(to, "header", lines, n);
    }
}

static void configure(spk_text *to, const spk_curl *curl, const spk_request *request)
{
    const bool head = strcmp(request->method, "HEAD") == 0;
    option(to, "url", request->url, strlen(request->url));
    spk_text_print(to,
        "silent\nshow-error\ngloboff\nhttp1.1\npath-as-is\nsuppress-connect-headers\n"
        "proto = \"=http,https\"\nproto-redir = \"=http,https\"\nmax-redirs = 10\n"
        "connect-timeout = %d.%03d\nspeed-limit = 1\nspeed-time = %d\n%s",
        curl->connect_ms / 1000, curl->connect_ms % 1000, (curl->stall_ms + 999) / 1000,
        head ? "head\n" : "include\n");
    if (!head && strcmp(request->method, "GET") != 0)
        option(to, "request", request->method, strlen(request->method));
    if (request->follow)
        spk_text_print(to, "location\n");
    if (request->has_body)
        spk_text_print(to, "upload-file = \"/dev/fd/3\"\nheader = \"Expect:\"\n");
    if (curl->user)
        option(to, "user", curl->user, strlen(curl->user));
    if (curl->negotiate)
        spk_text_print(to, "negotiate\nuser = \":\"\n");
    if (curl->ca_file)
        option(to, "cacert", curl->ca_file, strlen(curl->ca_file));
    headers(to, curl->headers.at);
    headers(to, request->headers);
}

/* unnamed: a file in memory with these bytes, to be read from its beginning; -1 and errno. */
static int unnamed(const void *bytes, size_t n)
{
    if (spk_struck(SPARK_FAULT_OPEN, NULL))
        return -1;
    const int low = memfd_create("curl", MFD_CLOEXEC);
    const int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, ABOVE_STANDARD);
    int error = fd < 0 ? errno : 0;
    if (low >= 0)
        close(low);
    for (size_t at = 0; at < n && error == 0;) {
        const ssize_t some = spk_pwrite(fd, (const char *)bytes + at, n - at, (off_t)at);
        if (some < 0 && errno != EINTR)
            error = errno;
        at += some > 0 ? (size_t)some : 0;
    }
    if (error != 0 && fd >= 0)
        close(fd);
    errno = error;
    return error == 0 ? fd : -1;
}

/* body_of: what is to be sent; -1 and errno. */
static int body_of(const spk_request *request)
{
    return request->file > 0 ? fcntl(request->file - 1, F_DUPFD_CLOEXEC, ABOVE_STANDARD)
                             : unnamed(request->body, request->bytes);
}

/* spawn: fds: standard input, output and error, and 3, or -1. 0, or an errno. */
static int spawn(pid_t *pid, const spk_curl *curl, const int fds[4])
{
    char q[] = "-q", k[] = "-K", dash[] = "-";
    char *const argv[] = { curl->program, q, k, dash, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe);
    int error = 0;
    for (int i = 0; i < 4 && !error; i++)
        if (fds[i] >= 0)
            error = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    if (!error)
        error = spk_struck(SPARK_FAULT_THREAD, NULL)
            ? errno
            : posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* start: 0, or an errno; what was opened is closed or the exchange's. */
static int start(spk_dialog *x, const spk_curl *curl, const spk_request *request, const spk_text *options)
{
    int fds[4] = { -1, -1, -1, -1 }, out[2] = { -1, -1 }, error = 0;
    if ((fds[0] = unnamed(options->at, options->n)) < 0 || (fds[2] = unnamed(NULL, 0)) < 0
        || (request->has_body && (fds[3] = body_of(request)) < 0)
        || spk_pipe2(out, O_CLOEXEC) != 0
        || (fds[1] = fcntl(out[1], F_DUPFD_CLOEXEC, ABOVE_STANDARD)) < 0)
        error = errno;
    else
        error = spawn(&x->child.pid, curl, fds);
    if (error)
        x->child.pid = 0;
    for (int i = 0; i < 4; i++)
        if (fds[i] >= 0 && (i != 2 || error))
            close(fds[i]);
    if (out[1] >= 0)
        close(out[1]);
    if (error && out[0] >= 0)
        close(out[0]);
    if (error)
        return error;
    x->child.out = out[0];
    x->errors = fds[2];
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static bool cannot_start(const spk_curl *curl, int error, spark_fs_call *call)
{
    char text[128];
    if (error == ENOMEM)
        return spk_fs_nomem(call);
    if (error == ENOENT)
        return spark_fs_fail(
            call, "cannot run %s: there is no such program (Debian: curl)", curl->program);
    return spark_fs_fail(
        call, "cannot run %s: %s", curl->program, strerror_r(error, text, sizeof text));
}

/* ---- the answer ---- */

/* is_passing: failures of curl that another try may not meet: not those of what it was told. */
static bool is_passing(int status)
{
    static const unsigned char lasting[] = { 2, 3, 4, 26, 27, 37, 43, 47, 48, 51, 53, 54, 58, 59, 60,
        66, 77, 82, 83, 90, 91, 126, 127 };
    return !memchr(lasting, status, sizeof lasting);
}

/* ended_badly: why curl has not done all: in its own words. */
static bool ended_badly(spk_dialog *x, int status, spark_fs_call *call)
{
    char text[400];
    ssize_t n = spk_pread(x->errors, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    spark_fs_fail(call, "%s: %s (curl ended with %d)", x->url,
        *text ? text : "the connection broke", status);
    call->again = is_passing(status);
    return false;
}

/* finish: the end of the pipe: whether all is there. */
static bool finish(spk_dialog *x, spark_fs_call *call)
{
    int status;
    while (!spk_child_ended(&x->child, false, &status))
        if (spark_fs_unwanted(call))
            return spark_fs_fail(call, "cancelled");
    const bool whole = x->length < 0 ? status >= 0 : x->body >= (uint64_t)x->length;
    if (status > 0)
        return ended_badly(x, status, call);
    x->ended = true;
    if (whole)
        return true;
    spark_fs_fail(call, "%s: the answer ends after %llu bytes%s", x->url, (unsigned long long)x->body,
        x->length < 0 ? ", and how curl ended is not known, for this process ignores SIGCHLD" : "");
    call->again = x->length >= 0;
    return false;
}

/* more: at most n bytes; 0: the end; -1. */
static int64_t more(spk_dialog *x, char *to, size_t n, spark_fs_call *call)
{
    bool readable, writable;
    size_t got;
    for (;;) {
        if (spark_fs_unwanted(call))
            return spark_fs_fail(call, "cancelled"), -1;
        if (!spk_child_read(&x->child, to, n, &got, call->failure)) {
            call->again = false;
            return -1;
        }
        if (got != SIZE_MAX)
            return (int64_t)got;
        if (!spk_child_wait_io(&x->child, true, false, &readable, &writable, call->failure))
            return -1;
    }
}

/* head_end: behind the blank line that ends a head; 0: it is not there yet. */
static size_t head_end(const spk_dialog *x)
{
    for (const char *p = x->buffer; (p = memchr(p, '\n', (size_t)(x->buffer + x->to - p))) != NULL; p++) {
        const size_t at = (size_t)(p - x->buffer) + 1;
        if (at < x->to && x->buffer[at] == '\n')
            return at + 1;
        if (at + 1 < x->to && x->buffer[at] == '\r' && x->buffer[at + 1] == '\n')
            return at + 2;
    }
    return 0;
}

bool spk_dialog_header(const spk_dialog *x, const char *name, char *to, size_t size)
{
    const size_t n = strlen(name);
    const char *end = x->buffer + x->head;
    bool found = false;
    for (const char *line = x->buffer; line < end && !found;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        const char *value = line + n + 1, *last = stop ? stop : end;
        found = (size_t)(last - line) > n && line[n] == ':' && strncasecmp(line, name, n) == 0;
        while (found && value < last && (*value == ' ' || *value == '\t'))
            value++;
        while (found && last > value && isspace((unsigned char)last[-1]))
            last--;
        if (found)
            snprintf(to, size, "%.*s", (int)(last - value), value);
        line = stop ? stop + 1 : end;
    }
    return found;
}

/* understand: a head: its status; false: it is none. */
static bool understand(spk_dialog *x, bool no_body)
{
    char text[64];
    char *end;
    const char *blank = memchr(x->buffer, ' ', x->head);
    if (x->head < 12 || strncmp(x->buffer, "HTTP/", 5) != 0 || !blank)
        return false;
    x->status = (int)strtol(blank, &end, 10);
    x->length = -1;
    if (no_body || x->status == 204 || x->status == 304)
        x->length = 0;
    else if (!spk_dialog_header(x, "Transfer-Encoding", text, sizeof text)
        && spk_dialog_header(x, "Content-Length", text, sizeof text) && isdigit((unsigned char)*text))
        x->length = strtoll(text, &end, 10);
    return x->status >= 100 && x->status <= 999;
}

/* is_last: not the head of an answer that curl goes on after. */
static bool is_last(const spk_dialog *x, bool follow)
{
    char place[8];
    if (x->status < 200)
        return false;
    return !follow || x->status < 300 || x->status > 399 || x->status == 304
        || !spk_dialog_header(x, "Location", place, sizeof place);
}

/* read_head: until the last one of the answer. */
static bool read_head(spk_dialog *x, const spk_request *request, spark_fs_call *call)
{
    for (;;) {
        while ((x->head = head_end(x)) == 0) {
            if (x->to >= MOST_HEAD)
                return spark_fs_fail(call, "%s: the head of the answer is too long", x->url);
            const int64_t got = more(x, x->buffer + x->to, BUFFER - x->to, call);
            if (got < 0)
                return false;
            x->to += (size_t)got;
            if (got > 0)
                continue;
            x->length = 0;
            if (finish(x, call)) {
                spark_fs_fail(call, "%s: there was no answer", x->url);
                call->again = true;
            }
            return false;
        }
        if (!understand(x, strcmp(request->method, "HEAD") == 0)) {
            spark_fs_fail(call, "%s: the answer is not one of HTTP", x->url);
            call->again = true;
            return false;
        }
        if (is_last(x, request->follow)) {
            x->from = x->head;
            return true;
        }
        memmove(x->buffer, x->buffer + x->head, x->to - x->head);
        x->to -= x->head;
    }
}

/* is_sound: an address or a header that is one line. */
static bool is_sound(const spk_request *request)
{
    for (const char *p = request->url; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 127)
            return false;
    for (const char *p = request->headers ? request->headers : ""; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\n') || *p == 127)
            return false;
    return true;
}

bool spk_dialog_begin(
    spk_dialog *x, const spk_curl *curl, const spk_request *request, spark_fs_call *call)
{
    spk_text options = { .at = NULL };
    *x = (spk_dialog) { .child = { .in = -1, .out = -1, .err = -1 }, .errors = -1, .url = request->url };
    if (!is_sound(request))
        return spark_fs_fail(call, "%s: blanks and control signs must be written with %%", x->url);
    configure(&options, curl, request);
    x->buffer = malloc(BUFFER + strlen(request->url) + 1);
    if (x->buffer) { /* without the query, which may have a token in it */
        x->url = memcpy(x->buffer + BUFFER, request->url, strlen(request->url) + 1);
        x->buffer[BUFFER + strcspn(request->url, "?")] = '\0';
    }
    if (!x->buffer || options.nomem) {
        spk_text_free(&options);
        spk_dialog_end(x);
        return spk_fs_nomem(call);
    }
    const int error = start(x, curl, request, &options);
    spk_text_free(&options);
    if (error ? cannot_start(curl, error, call) : read_head(x, request, call))
        return true;
    spk_dialog_end(x);
    return false;
}

int64_t spk_dialog_read(spk_dialog *x, void *to, size_t n, spark_fs_call *call)
{
    size_t some = x->to - x->from;
    if (x->ended || n == 0)
        return 0;
    if (some > 0) {
        some = some < n ? some : n;
        memcpy(to, x->buffer + x->from, some);
        x->from += some;
        x->body += some;
        return (int64_t)some;
    }
    const int64_t got = more(x, to, n, call);
    if (got > 0)
        x->body += (uint64_t)got;
    return got != 0 || finish(x, call) ? got : -1;
}

void spk_dialog_end(spk_dialog *x)
{
    if (x->child.pid > 0)
        spk_child_kill(&x->child);
    if (x->child.out >= 0)
        close(x->child.out);
    if (x->errors >= 0)
        close(x->errors);
    free(x->buffer);
    *x = (spk_dialog) { .child = { .in = -1, .out = -1, .err = -1 }, .errors = -1, .ended = true };
}

bool spk_dialog_all(spk_dialog *x, size_t most, spk_text *body, spark_fs_call *call)
{
    char piece[16 * 1024];
    for (;;) {
        const int64_t got = spk_dialog_read(x, piece, sizeof piece, call);
        if (got <= 0)
            return got == 0;
        if (body->n + (size_t)got > most)
            return spark_fs_fail(call, "%s: the answer has more than %zu bytes", x->url, most);
        spk_text_add(body, piece, (size_t)got);
        if (body->nomem)
            return spk_fs_nomem(call);
    }
}

bool spk_dialog_refuse(
    const spk_dialog *x, const char *what, const char *path, const char *says, size_t n, spark_fs_call *call)
{
    char reason[64] = "", text[400];
    const char *line = memchr(x->buffer, ' ', x->head);
    if (line && x->buffer + x->head - line > 5)
        snprintf(reason, sizeof reason, "%.*s", (int)strcspn(line + 4, "\r\n"), line + 4);
    snprintf(text, sizeof text, "%.*s", n > sizeof text ? (int)sizeof text : (int)n, says);
    for (char *p = text; *p; p++)
        *p = (unsigned char)*p < ' ' ? ' ' : *p;
    spark_fs_fail(call, "%s %s: HTTP %d%s%s%s", what, path, x->status, reason, *text ? ": " : "", text);
    call->missing = x->status == 404 || x->status == 410;
    call->again = x->status >= 500 ? x->status != 501 && x->status != 505
                                   : x->status == 408 || x->status == 429;
    return false;
}
