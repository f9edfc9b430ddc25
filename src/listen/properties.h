/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of a job, as events have them. */
#ifndef SPK_LISTEN_PROPERTIES_H
#define SPK_LISTEN_PROPERTIES_H

#include <string.h>

#include <spark/listener.h>

/* spk_job_property: "": it has none of this name. */
static inline const char *spk_job_property(const spark_job_info *job, const char *name)
{
    for (size_t i = 0; i < job->n_properties; i++)
        if (strcmp(job->properties[i].name, name) == 0)
            return job->properties[i].value;
    return "";
}

#endif
