/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of object files: written by an action or a checkpoint, read by a source or a checkpoint. */
#ifndef SPK_RDD_OBJECT_PART_H
#define SPK_RDD_OBJECT_PART_H

#include "io/files.h"
#include "rdd/save.h"

/* spk_object_saver: parts of an object file, for the action of that name. spk_object_read: pushes
 * what such a part holds; false: the task has failed, or wants no more; *parts (or NULL): how many of
 * them were saved, 0 where the file does not say. */
spk_saver spk_object_saver(const char *name);
bool spk_object_read(
    spk_pipe *pipe, const spk_layout *layout, const spk_file *file, uint32_t *parts);

#endif
