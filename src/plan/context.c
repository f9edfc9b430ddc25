/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts without anything. */
#include "plan/context.h"

#include <string.h>

static const spark_context no_context = { .error = &spk_of_nothing };
static const spark_context no_memory = { .error = &spk_no_memory };

static spark_context *constant(const spark_context *context)
{
    spark_context *sc;
    memcpy(&sc, &context, sizeof sc); /* never written: its error is looked at first */
    return sc;
}

spark_context *spk_context_none(void)
{
    return constant(&no_context);
}

spark_context *spk_context_no_memory(void)
{
    return constant(&no_memory);
}

bool spk_context_is_constant(const spark_context *sc)
{
    return sc == &no_context || sc == &no_memory;
}
