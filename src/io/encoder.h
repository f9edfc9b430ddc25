/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are written, packed by a program of the system where a codec is given: the file is the
 * program's standard output, so that packing runs beside the task that writes. */
#ifndef SPK_IO_ENCODER_H
#define SPK_IO_ENCODER_H

#include "io/child.h"
#include "io/codec.h"

enum { SPK_ENCODER_SAID = 300 };

typedef struct spk_encoder {
    const char *path; /* the caller's, as long as it is open */
    const spk_codec *codec;
    const spk_watch *watch; /* may be NULL */
    int fd;
    spk_child child;
    size_t n_said;
    char said[SPK_ENCODER_SAID + 1];
} spk_encoder;

/* spk_encoder_open: a new file, or (append, without a codec) one that goes on. codec NULL: as it is.
 * spk_encoder_write: all n bytes. spk_encoder_close: the program must have ended well; synced: it is on
 * disk. After a failure spk_encoder_stop, which may be called again. */
SPK_COLD spark_status spk_encoder_open(spk_encoder *encoder, const char *path,
    const spk_codec *codec, bool append, const spk_watch *watch, spk_failure *failure);
spark_status spk_encoder_write(
    spk_encoder *encoder, const char *bytes, size_t n, spk_failure *failure);
SPK_COLD spark_status spk_encoder_close(spk_encoder *encoder, bool synced, spk_failure *failure);
SPK_COLD void spk_encoder_stop(spk_encoder *encoder);

#endif
