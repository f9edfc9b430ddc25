/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is that does not hold plain text, by its first bytes. */
#ifndef SPK_IO_FORM_H
#define SPK_IO_FORM_H

#include "io/files.h"

enum { SPK_FORM_BYTES = 10 };

/* spk_form_check: SPARK_EIO, with what it is and what can be done, where the n first bytes of the
 * file (SPK_FORM_BYTES are enough) are those of compressed text, or of UTF-16 or UTF-32. */
spark_status spk_form_check(const char *path, const char *bytes, size_t n, spk_failure *failure);

/* spk_form_look: the same of a file that is open. Where its first bytes cannot be read again (ESPIPE), or
 * only by asking somebody else for them, it is taken for what it says. */
spark_status spk_form_look(const spk_reader *reader, spk_failure *failure);

#endif
