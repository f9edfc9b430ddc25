/* SPDX-License-Identifier: Apache-2.0 */
/* What a program says is read as it comes, so that it does not wait for somebody to listen while we wait
 * for it to read. */
#include "io/encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

/* A stream of zlib by itself is what no program of every system makes. */
static const char deflate[] = "import sys,zlib\n"
                              "i,o,c=sys.stdin.buffer,sys.stdout.buffer,zlib.compressobj()\n"
                              "while b:=i.read(1<<16):\n"
                              " o.write(c.compress(b))\n"
                              "o.write(c.flush())\n";

/* pack: starts the first program there is; 0, or an errno. */
static int pack(spk_encoder *encoder)
{
    const spk_codec *codec = encoder->codec;
    const bool zlib = strcmp(codec->name, "deflate") == 0;
    const char *flags = zlib                     ? "-cqz"
        : strcmp(codec->name, "gzip") == 0 ? "-cqn"
                                           : "-cq";
    const char *const argv[][4] = { { codec->program, flags }, { "zlib-flate", "-compress" },
        { "python3", "-c", deflate } };
    int error = ENOENT;
    for (int i = 0; i < (zlib ? 3 : 1) && error == ENOENT; i++) {
        spk_child_how how = { .out = encoder->fd, .listen = true };
        memcpy(&how.argv, &(const char *const *) { argv[i] }, sizeof how.argv);
        error = spk_child_spawn(&encoder->child, &how);
    }
    return error;
}

static spark_status no_program(const spk_encoder *encoder, int error, spk_failure *failure)
{
    const spk_codec *codec = encoder->codec;
    if (error == ENOENT)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "cannot pack %s: there is no program %s; install the package %s", encoder->path,
            codec->program, codec->package);
    spk_io_failure(failure, "cannot run", codec->program, error);
    spk_failure_append(failure, " to pack ");
    spk_failure_append(failure, encoder->path);
    return failure->code;
}

spark_status spk_encoder_open(spk_encoder *encoder, const char *path, const spk_codec *codec,
    bool append, const spk_watch *watch, spk_failure *failure)
{
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC);
    *encoder = (spk_encoder) { .path = path, .codec = codec, .watch = watch };
    encoder->child = (spk_child) { .in = -1, .out = -1, .err = -1 };
    do
        encoder->fd = spk_open(path, flags, 0666);
    while (encoder->fd < 0 && errno == EINTR);
    if (encoder->fd < 0)
        return spk_io_failure(failure, "cannot create", path, errno);
    const int error = codec ? pack(encoder) : 0;
    if (error == 0)
        return SPARK_OK;
    no_program(encoder, error, failure);
    spk_encoder_stop(encoder);
    return failure->code;
}

/* listen: to what the program has said by now. */
static void listen(spk_encoder *encoder)
{
    char text[1024];
    ssize_t n;
    while (encoder->child.err >= 0
        && (n = spk_read(encoder->child.err, text, sizeof text)) > 0)
        for (ssize_t i = 0; i < n && encoder->n_said < SPK_ENCODER_SAID; i++)
            encoder->said[encoder->n_said++]
                = (char)((unsigned char)text[i] < ' ' ? ' ' : text[i]);
}

static spark_status unwanted(const spk_encoder *encoder, spk_failure *failure)
{
    return spk_failure_set(
        failure, SPARK_ECANCELLED, NULL, NULL, "%s is not wanted any more", encoder->path);
}

static bool is_over(const spk_encoder *encoder)
{
    return encoder->watch && encoder->watch->over(encoder->watch->state);
}

/* end: waits for the program. */
static spark_status end(spk_encoder *encoder, spk_failure *failure)
{
    const char *program = encoder->codec->program;
    int status;
    spk_child_close_in(&encoder->child);
    while (!spk_child_ended(&encoder->child, false, &status)) {
        listen(encoder);
        if (is_over(encoder))
            return unwanted(encoder, failure);
    }
    listen(encoder);
    while (encoder->n_said > 0 && encoder->said[encoder->n_said - 1] == ' ')
        encoder->n_said--;
    encoder->said[encoder->n_said] = '\0';
    if (status < 0)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "cannot write %s: how %s ended is not known, for this process ignores SIGCHLD",
            encoder->path, program);
    if (status > 0)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "cannot write %s: %s ended with status %d%s%s", encoder->path, program, status,
            *encoder->said ? ": " : "", encoder->said);
    return SPARK_OK;
}

/* feed: the program, as fast as it reads. */
static spark_status feed(
    spk_encoder *encoder, const char *bytes, size_t n, spk_failure *failure)
{
    enum { LOOK_AGAIN_MS = 50 };
    for (size_t at = 0, some; at < n; at += some) {
        bool gone;
        if (!spk_child_write(&encoder->child, bytes + at, n - at, &some, &gone, failure))
            return failure->code;
        if (gone)
            return end(encoder, failure) != SPARK_OK
                ? failure->code
                : spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                    "cannot write %s: %s stopped reading", encoder->path, encoder->codec->program);
        struct pollfd fds[2]
            = { { encoder->child.in, POLLOUT, 0 }, { encoder->child.err, POLLIN, 0 } };
        if (some == 0 && poll(fds, 2, LOOK_AGAIN_MS) > 0 && fds[1].revents)
            listen(encoder);
        if (is_over(encoder))
            return unwanted(encoder, failure);
    }
    return SPARK_OK;
}

spark_status spk_encoder_write(
    spk_encoder *encoder, const char *bytes, size_t n, spk_failure *failure)
{
    if (encoder->codec)
        return feed(encoder, bytes, n, failure);
    for (size_t at = 0; at < n;) { /* a full disk shows as a short count first */
        const ssize_t some = spk_write(encoder->fd, bytes + at, n - at);
        if (some < 0 && errno != EINTR)
            return spk_io_failure(failure, "cannot write", encoder->path, errno);
        at += some > 0 ? (size_t)some : 0;
    }
    return SPARK_OK;
}

spark_status spk_encoder_close(spk_encoder *encoder, bool synced, spk_failure *failure)
{
    struct stat info;
    int error = 0;
    if (encoder->codec && end(encoder, failure) != SPARK_OK)
        return failure->code;
    if (encoder->codec && spk_fstat(encoder->fd, &info) == 0 && info.st_size == 0) /* never that of a codec */
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL, "cannot write %s: %s wrote nothing%s%s",
            encoder->path, encoder->codec->program, *encoder->said ? ": " : "", encoder->said);
    while (synced && error == 0 && spk_fsync(encoder->fd) != 0) {
        if (errno == EINTR)
            continue;
        error = errno;
    }
    if (spk_close(encoder->fd) != 0 && error == 0 && errno != EINTR)
        error = errno;
    encoder->fd = -1;
    spk_encoder_stop(encoder);
    return error == 0 ? SPARK_OK : spk_io_failure(failure, "cannot write", encoder->path, error);
}

void spk_encoder_stop(spk_encoder *encoder)
{
    if (encoder->codec && encoder->child.pid > 0)
        spk_child_kill(&encoder->child);
    if (encoder->codec && encoder->child.err >= 0)
        close(encoder->child.err);
    encoder->child.err = -1;
    if (encoder->fd >= 0)
        close(encoder->fd);
    encoder->fd = -1;
}
