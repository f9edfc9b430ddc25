/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets share: with libFuzzer a target is its LLVMFuzzerTestOneInput; else a program that takes
 * files of a corpus, which ctest runs. */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* insist: what must be true, whatever the input is. */
#define insist(what) ((what) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), abort()))

/* file_of: the bytes as a file without a name. */
static inline int file_of(const void *bytes, size_t n)
{
    const int fd = memfd_create("input", MFD_CLOEXEC);
    insist(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    return fd;
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
