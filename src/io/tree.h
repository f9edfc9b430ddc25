/* SPDX-License-Identifier: Apache-2.0 */
/* Directories with directories in them: removed, moved and looked through. All return 0, or an errno; a
 * path that is too long is ENAMETOOLONG. */
#ifndef SPK_IO_TREE_H
#define SPK_IO_TREE_H

#include <limits.h>
#include <stdbool.h>

#include "base/cold.h"

/* spk_tree_path: a path that is put together; one that is too long is cut, and refused by the system all
 * the same. */
typedef struct spk_tree_path {
    char text[PATH_MAX + 1];
} spk_tree_path;
SPK_COLD spk_tree_path spk_tree_below(const char *directory, const char *name);

/* spk_tree_copy: of a text, to be freed; NULL: no memory. */
SPK_COLD char *spk_tree_copy(const char *text);

/* spk_tree_remove: a directory and all in it, or a file; links are not followed. What is not there is
 * removed. */
SPK_COLD int spk_tree_remove(const char *path);
/* spk_tree_merge: what is in `from` into the directory `to`; directories there are joined, files are
 * replaced. `from` goes. */
SPK_COLD int spk_tree_merge(const char *from, const char *to);

/* spk_tree_visit: each file in a directory, and in those in it that are named key=value; a directory
 * with another name is visited as a file is; hidden names (. in front, or _, but for _key=value) are
 * passed over. visit may remove the file; it returns 0, or an errno that ends all. */
typedef int (*spk_tree_visitor)(void *env, const char *directory, const char *name);
SPK_COLD int spk_tree_visit(const char *path, spk_tree_visitor visit, void *env);

/* spk_tree_prune: of such directories those that are empty are removed. Best effort. */
SPK_COLD void spk_tree_prune(const char *path);

/* spk_tree_sync: a directory: its names are on disk. spk_tree_sync_all: the file system it is in. */
SPK_COLD int spk_tree_sync(const char *path);
SPK_COLD int spk_tree_sync_all(const char *path);

#endif
