/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a listener writes: begun when it is asked for, so that what cannot be written is known
 * then; what fails later is said once on standard error, and no job fails of it. */
#ifndef SPK_LISTEN_TEXT_FILE_H
#define SPK_LISTEN_TEXT_FILE_H

#include <spark/error.h>

#include "listen/json_out.h"

/* spk_text_file: what: "trace"; out: what is to be written next. */
typedef struct spk_text_file {
    const char *what;
    char *path;
    int fd;
    bool broken;
    int64_t size; /* of what has been written */
    spk_json_out out;
} spk_text_file;

/* spk_text_file_begin: NULL: the error is raised in the operation's name. _flush: writes what is in out; where
 * that fails the file is cut to what it was before. _free: closes it. */
SPK_COLD spk_text_file *spk_text_file_begin(const char *operation, const char *what, const char *path);
SPK_COLD void spk_text_file_flush(spk_text_file *file);
SPK_COLD void spk_text_file_warn(spk_text_file *file, int error);
SPK_COLD void spk_text_file_free(spk_text_file *file);

#endif
