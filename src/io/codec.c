/* SPDX-License-Identifier: Apache-2.0 */
/* A compressed file is the standard input of the program that unpacks it; what that prints is the file. So
 * unpacking runs beside the task that reads. Several streams in one file are one text, as all these
 * programs have it; what they complain of is an error, even where they end with 0: bytes that follow the
 * last stream are no data, but nobody knows what they should have been. */
#include "io/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/program.h"

/* A stream of zlib by itself is what no program of every system unpacks; pigz does, but not a second one
 * behind it. */
static const char inflate[]
    = "import sys,zlib\n"
      "d=0\n"
      "try:\n"
      " while b:=sys.stdin.buffer.read(1<<16):\n"
      "  while b:\n"
      "   d=d or zlib.decompressobj()\n"
      "   sys.stdout.buffer.write(d.decompress(b))\n"
      "   b=d.unused_data\n"
      "   if d.eof:d=0\n"
      " if d:sys.exit('unexpected end of file')\n"
      "except zlib.error as e:sys.exit(str(e))\n";

static const spk_codec codecs[] = {
    { "gzip", ".gz", ".gzip", "gzip", "-dc", "gzip" },
    { "bzip2", ".bz2", "", "bzip2", "-dc", "bzip2" },
    { "xz", ".xz", "", "xz", "-dc", "xz-utils" },
    { "zstd", ".zst", ".zstd", "zstd", "-dcq", "zstd" },
    { "lz4", ".lz4", "", "lz4", "-dc", "lz4" },
    { "deflate", ".deflate", "", "pigz", "-dcz", "pigz" }, /* or python3, which is asked first: spawn */
};

static bool ends_in(const char *path, size_t n, const char *suffix)
{
    const size_t length = strlen(suffix);
    return length > 0 && n > length && memcmp(path + n - length, suffix, length) == 0;
}

const spk_codec *spk_codec_of(const char *path)
{
    const size_t n = strlen(path);
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (ends_in(path, n, codecs[i].suffix) || ends_in(path, n, codecs[i].also))
            return &codecs[i];
    return NULL;
}

const spk_codec *spk_codec_named(const char *name)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (strcasecmp(codecs[i].name, name) == 0)
            return &codecs[i];
    return NULL;
}

/* spawn: the first program there is; python is for deflate alone. An errno. */
static int spawn(spk_program *program, const spk_codec *codec, int in)
{
    static const char python[] = "python3", command[] = "-c";
    const char *const argv[][4] = { { python, command, inflate }, { codec->program, codec->unpack } };
    int error = ENOENT;
    for (size_t i = codec->name[0] != 'd'; i < 2 && error == ENOENT; i++) {
        spk_child_how how = { .in = in, .listen = true };
        memcpy(&how.argv, &(const char *const *) { argv[i] }, sizeof how.argv);
        error = spk_program_start(program, &how);
    }
    return error;
}

static const char *or_python(const spk_codec *codec)
{
    return codec->name[0] == 'd' ? "python3 or " : "";
}

/* packed: a file while it is unpacked. */
typedef struct packed {
    const spk_file *file;
    const spk_codec *codec;
    spk_program program;
} packed;

void *spk_codec_open_fd(
    const spk_file *file, int in, const spk_watch *watch, spk_failure *failure)
{
    packed *p = malloc(sizeof *p);
    if (!p) {
        spk_failure_nomem(failure, NULL, NULL);
        return NULL;
    }
    *p = (packed) { .file = file, .codec = spk_codec_of(file->path) };
    p->program.watch = watch;
    p->program.keep_first = true;
    const int error = spawn(&p->program, p->codec, in);
    if (error == 0)
        return p;
    if (error == ENOENT)
        spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "cannot unpack %s: there is no program %s%s; install the package %s", file->path, or_python(p->codec),
            p->codec->program, p->codec->package);
    else
        spk_io_failure(failure, "cannot run a program to unpack", file->path, error);
    free(p);
    return NULL;
}

static void *codec_open(const spk_file *file, uint64_t from, uint64_t to, const spk_watch *watch,
    spk_failure *failure)
{
    int in;
    (void)from, (void)to;
    do
        in = spk_open(file->path, O_RDONLY | O_CLOEXEC, 0);
    while (in < 0 && errno == EINTR);
    if (in < 0) {
        spk_io_failure(failure, "cannot open", file->path, errno);
        return NULL;
    }
    void *stream = spk_codec_open_fd(file, in, watch, failure);
    close(in);
    return stream;
}

static size_t codec_read(void *stream, char *to, size_t n, spk_failure *failure)
{
    packed *p = stream;
    char why[SPK_SAID + 100];
    size_t got;
    if (!spk_program_read(&p->program, to, n, &got, p->file->path, failure))
        return SIZE_MAX;
    if (!p->program.ended || (p->program.status == 0 && p->program.n_said == 0))
        return got;
    spk_program_end(&p->program, p->codec->name, why, sizeof why);
    spk_failure_set(failure, SPARK_EIO, NULL, NULL, "cannot unpack %s: %s", p->file->path, why);
    return SIZE_MAX;
}

static void codec_close(void *stream)
{
    packed *p = stream;
    spk_program_stop(&p->program);
    free(p);
}

const spk_source spk_codec_source = { codec_open, codec_read, codec_close, NULL, NULL };
