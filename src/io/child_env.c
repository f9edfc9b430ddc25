/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a child, and a directory of its own. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/child.h"
#include "io/files.h"

extern char **environ;

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    remove(path);
    return 0;
}

/* leave: takes the child's directory away. */
static void leave(spk_child *child)
{
    enum { DESCRIPTORS = 16 };
    if (child->directory)
        nftw(child->directory, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    free(child->directory);
    child->directory = NULL;
    spk_rmdir("tasks"); /* when it is empty */
}

/* link_all: what is in the current directory, into the child's. */
static bool link_all(const char *directory)
{
    DIR *here = spk_opendir(".");
    bool good = here != NULL;
    const struct dirent *entry;
    char *current = realpath(".", NULL);
    while (good && current && (entry = spk_readdir(here)) != NULL) {
        char *from = NULL, *to = NULL;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
            || strcmp(entry->d_name, "tasks") == 0)
            continue;
        good = asprintf(&from, "%s/%s", current, entry->d_name) >= 0
            && asprintf(&to, "%s/%s", directory, entry->d_name) >= 0 && symlink(from, to) == 0;
        free(from);
        free(to);
    }
    if (here)
        closedir(here);
    good = good && current;
    free(current);
    return good;
}

static bool make_directory(spk_child *child)
{
    char name[] = "tasks/XXXXXX";
    bool made = false;
    /* Another child that ends may take "tasks" away in between. */
    for (int tries = 0; !made && tries < 100; tries++) {
        if (spk_mkdir("tasks", 0777) != 0 && errno != EEXIST)
            return false;
        strcpy(name, "tasks/XXXXXX");
        made = spk_mkdtemp(name) != NULL;
        if (!made && errno != ENOENT)
            return false;
    }
    if (!made)
        return false;
    child->directory = strdup(name);
    return child->directory && link_all(name);
}

/* replaced: whether one of n definitions has the name of this one. */
static bool replaced(const char *definition, char *const env[], size_t n)
{
    const size_t name = strcspn(definition, "=") + 1;
    for (size_t k = 0; k < n; k++)
        if (strncmp(definition, env[k], name) == 0)
            return true;
    return false;
}

char **spk_child_environment(char *const env[])
{
    size_t inherited = 0, added = 0, n = 0;
    while (environ && environ[inherited])
        inherited++;
    while (env && env[added])
        added++;
    char **all = malloc((inherited + added + 1) * sizeof *all);
    for (size_t i = 0; all && i < inherited; i++)
        if (!replaced(environ[i], env, added))
            all[n++] = environ[i];
    for (size_t k = 0; all && k < added; k++)
        if (!replaced(env[k], env + k + 1, added - k - 1))
            all[n++] = env[k];
    if (all)
        all[n] = NULL;
    return all;
}

spark_status spk_child_start(
    spk_child *child, char *const argv[], char *const env[], bool separate, spk_failure *failure)
{
    spk_child own = { .directory = NULL };
    *child = (spk_child) { .in = -1, .out = -1, .err = -1 };
    if (separate && !make_directory(&own)) {
        spk_io_failure(failure, "cannot make a directory below", "tasks", errno);
        leave(&own);
        return failure->code;
    }
    char **all = spk_child_environment(env);
    const int error = all == NULL
        ? ENOMEM
        : spk_child_spawn(
            child, &(spk_child_how) { .argv = argv, .env = all, .directory = own.directory });
    free(all);
    if (error) {
        if (separate)
            leave(&own);
        return spk_io_failure(failure, "cannot run", argv[0], error);
    }
    child->directory = own.directory;
    child->leave = separate ? leave : NULL;
    return SPARK_OK;
}
