/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets share: with libFuzzer a target is its LLVMFuzzerTestOneInput; else a program that takes
 * files of a corpus, which ctest runs. */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/files.h"
#include "type/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* insist: what must be true, whatever the input is. */
#define insist(what) ((what) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), abort()))

/* memory_stream: where one of the readers of such a file is. There are few of them, and they are used again: no
 * input costs a call of the system. */
typedef struct memory_stream {
    const spk_file *file; /* NULL: it is free */
    uint64_t at;
} memory_stream;

enum { MOST_STREAMS = 16 };

static memory_stream streams[MOST_STREAMS];

static inline void *open_stream(const spk_file *file, uint64_t from, uint64_t to, const spk_watch *watch,
    spk_failure *failure)
{
    int i = 0;
    (void)to, (void)watch, (void)failure;
    while (i < MOST_STREAMS && streams[i].file)
        i++;
    insist(i < MOST_STREAMS);
    streams[i] = (memory_stream) { file, from };
    return &streams[i];
}

static inline size_t read_stream(void *stream, char *to, size_t n, spk_failure *failure)
{
    memory_stream *m = stream;
    const uint64_t left = m->at < m->file->size ? m->file->size - m->at : 0;
    const size_t some = n < left ? n : (size_t)left;
    (void)failure;
    memcpy(to, (const char *)m->file->data + m->at, some);
    m->at += some;
    return some;
}

static inline void close_stream(void *stream)
{
    ((memory_stream *)stream)->file = NULL;
}

/* file_of: bytes, which must stay, as a file that is read as those of other machines are. */
static inline spk_file file_of(const void *bytes, size_t n)
{
    static const spk_source source = { .open = open_stream, .read = read_stream, .close = close_stream };
    static char name[] = "input";
    spk_file file = { .path = name, .size = n, .fd = -1, .source = &source };
    memcpy(&file.data, &bytes, sizeof bytes);
    return file;
}

/* the_heap: one for all inputs. */
static inline spk_heap *the_heap(void)
{
    static spk_heap heap;
    static bool made;
    if (!made)
        spk_heap_init(&heap, 64 << 20);
    made = true;
    return &heap;
}

/* layout_of: for hashes of values: spark_hash compiles the type each time, which costs more than a hash. */
static inline const spk_layout *layout_of(const spark_type *type)
{
    static spk_types *types;
    spk_failure failure;
    if (!types)
        types = spk_types_new();
    const spk_layout *layout = types ? spk_layout_of(types, type, &failure) : NULL;
    insist(layout != NULL);
    return layout;
}

#ifndef SPARK_FUZZ
static void replay(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *in = fopen(path, "rb");
    insist(in != NULL);
    const size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    uint8_t *copy = malloc(n + 1); /* so that a sanitizer sees where it ends */
    insist(copy != NULL);
    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%d inputs\n", argc - 1);
    return argc > 1 ? 0 : 1;
}
#endif

#endif
