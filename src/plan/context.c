/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts without anything. */
#include "plan/context.h"

#include <stddef.h>
#include <string.h>

_Static_assert(offsetof(spark_context, error) == 0, "what a bare context has");

/* bare: a context of which there is no more than what comes first: its error is looked at before
 * anything else is, and a kilobyte of zeros for each would be part of every program. */
typedef struct bare {
    const spk_failure *error;
} bare;
static const bare no_context = { &spk_of_nothing };
static const bare no_memory = { &spk_no_memory };

static spark_context *constant(const bare *context)
{
    spark_context *sc;
    memcpy(&sc, &context, sizeof sc); /* never written */
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
    return sc == constant(&no_context) || sc == constant(&no_memory);
}
