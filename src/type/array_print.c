/* SPDX-License-Identifier: Apache-2.0 */
/* Results as text, for people: an element a line, as save_as_text_file writes it. A file of its own,
 * so that a program that prints nothing does not link what prints. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/control.h"
#include "type/layout.h"

static spark_status broken(void)
{
    const int error = errno;
    return spk_raisef(
        SPARK_EIO, "spark_array_print", NULL, "spark_array_print: %s", strerror(error));
}

/* put: a line; shown: on a terminal, which would obey what controls it in a string. */
static bool put(FILE *file, bool shown, const char *text, size_t n)
{
    size_t from = 0;
    for (size_t i = 0, control; shown && i < n; i += control ? control : 1) {
        control = text[i] == '\n' || text[i] == '\t' ? 0 : spk_control(text + i, n - i);
        if (control == 0)
            continue;
        if (fwrite(text + from, 1, i - from, file) != i - from || fputs(SPK_REPLACEMENT, file) < 0)
            return false;
        from = i + control;
    }
    return fwrite(text + from, 1, n - from, file) == n - from;
}

/* print_long: of what did not fit the buffer of print_one. */
static spark_status print_long(FILE *file, bool shown, const spark_type *type, const void *value, size_t length)
{
    char *text = malloc(length + 1);
    if (!text)
        return spk_raisef(SPARK_ENOMEM, "spark_array_print", NULL, "%s",
            "spark_array_print: out of memory");
    const size_t n = spark_print(type, value, text, length);
    text[n < length ? n : length] = '\n';
    const bool written = put(file, shown, text, length + 1);
    const spark_status status = written ? SPARK_OK : broken();
    free(text);
    return status;
}

static spark_status print_one(FILE *file, bool shown, const spark_type *type, const void *value)
{
    char text[512];
    const size_t n = spark_print(type, value, text, sizeof text - 1);
    if (n >= sizeof text)
        return print_long(file, shown, type, value, n);
    text[n] = '\n';
    return put(file, shown, text, n + 1) ? SPARK_OK : broken();
}

spark_status spark_array_print(FILE *file, const spark_array *array)
{
    spark_status status = SPARK_OK;
    if (!file || !array)
        return spk_raisef(SPARK_EINVAL, "spark_array_print", NULL,
            "spark_array_print: the %s is NULL", file ? "array" : "file");
    const char *at = array->items;
    const int fd = fileno(file); /* memory has none */
    const bool shown = fd >= 0 && isatty(fd);
    for (size_t i = 0; status == SPARK_OK && i < array->n; i++)
        status = print_one(file, shown, array->type, at + i * array->type->size);
    return status == SPARK_OK && fflush(file) != 0 ? broken() : status;
}
