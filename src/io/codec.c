/* SPDX-License-Identifier: Apache-2.0 */
/* A compressed file is the standard input of the program that unpacks it; what that prints is the file. So
 * unpacking runs beside the task that reads. Several streams in one file are one text, as all these
 * programs have it; what they complain of is an error, even where they end with 0: bytes that follow the
 * last stream are no data, but nobody knows what they should have been. */
#include "io/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "io/form.h"
#include "io/program.h"

/* A stream of zlib by itself is what no program of every system unpacks. */
static const char inflate[]
    = "import sys,zlib\n"
      "i,o,d=sys.stdin.buffer,sys.stdout.buffer,None\n"
      "try:\n"
      " while b:=i.read(1<<16):\n"
      "  while b:\n"
      "   d=d or zlib.decompressobj()\n"
      "   o.write(d.decompress(b,1<<20))\n"
      "   b=d.unconsumed_tail or d.unused_data\n"
      "   if d.eof:d=None\n"
      " if d:\n"
      "  o.write(d.flush())\n"
      "  if not d.eof:sys.exit('zlib: unexpected end of file')\n"
      "except zlib.error as e:sys.exit('zlib: %s'%e)\n";

static const spk_codec codecs[] = {
    { "gzip", ".gz", ".gzip", "gzip", "-dc", "gzip" },
    { "bzip2", ".bz2", "", "bzip2", "-dc", "bzip2" },
    { "xz", ".xz", "", "xz", "-dc", "xz-utils" },
    { "zstd", ".zst", ".zstd", "zstd", "-dcq", "zstd" },
    { "lz4", ".lz4", "", "lz4", "-dc", "lz4" },
    { "deflate", ".deflate", "", "pigz", "-dcz", "pigz" },
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

/* spawn: the first program there is. An errno. */
static int spawn(spk_program *program, const spk_codec *codec, int in)
{
    static const char python[] = "python3", command[] = "-c";
    const char *const argv[][4] = { { codec->program, codec->unpack }, { python, command, inflate } };
    const size_t n = strcmp(codec->name, "deflate") == 0 ? 2 : 1;
    int error = ENOENT;
    for (size_t i = 0; i < n && error == ENOENT; i++) {
        spk_child_how how = { .in = in, .listen = true };
        memcpy(&how.argv, &(const char *const *) { argv[i] }, sizeof how.argv);
        error = spk_program_start(program, &how);
    }
    return error;
}

/* start: takes `in`. */
static spark_status start(
    spk_reading *reading, const spk_codec *codec, int in, spk_failure *failure)
{
    spk_program *program = malloc(sizeof *program);
    if (!program) {
        close(in);
        return spk_failure_nomem(failure, NULL, NULL);
    }
    *program = (spk_program) { .watch = reading->watch, .keep_first = true };
    const int error = spawn(program, codec, in);
    close(in);
    reading->state = program;
    if (!error)
        return SPARK_OK;
    free(program);
    reading->state = NULL;
    if (error == ENOENT)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "cannot unpack %s: there is no program %s; install the package %s", reading->file->path,
            codec->program, codec->package);
    spk_io_failure(failure, "cannot run", codec->program, error);
    spk_failure_append(failure, " to unpack ");
    spk_failure_append(failure, reading->file->path);
    return failure->code;
}

static spark_status codec_open(spk_reading *reading, spk_failure *failure)
{
    const int in = spk_file_descriptor(reading->file);
    if (in < 0)
        return spk_io_failure(failure, "cannot open", reading->file->path, errno);
    return start(reading, reading->file->given, in, failure);
}

static spark_status blame(const spk_reading *reading, spk_failure *failure)
{
    const spk_codec *codec = reading->file->given;
    char why[SPK_SAID + 100];
    spk_program_end(reading->state, codec->name, why, sizeof why);
    return spk_failure_set(
        failure, SPARK_EIO, NULL, NULL, "cannot unpack %s: %s", reading->file->path, why);
}

static spark_status codec_read(spk_reading *reading, char *to, size_t n, uint64_t offset, size_t *got,
    spk_failure *failure)
{
    spk_program *program = reading->state;
    const char *path = reading->file->path;
    if (!spk_program_read(program, to, n, got, path, failure))
        return failure->code;
    if (program->ended && (program->status != 0 || program->n_said > 0))
        return blame(reading, failure);
    return offset == 0 ? spk_form_check(path, to, *got, failure) : SPARK_OK;
}

static void codec_close(spk_reading *reading)
{
    if (reading->state)
        spk_program_stop(reading->state);
    free(reading->state);
    reading->state = NULL;
}

const spk_file_class spk_codec_file = { codec_open, codec_read, codec_close };
