/* SPDX-License-Identifier: Apache-2.0 */
/* A process is in one control group of each hierarchy (/proc/self/cgroup), which may be seen at a mount
 * point (/proc/self/mountinfo); every group above it limits it as well. So: for each mounted hierarchy
 * that limits memory or CPUs, the directory of the own group and those above, up to the mount point,
 * and the smallest of what they say. Version 2 has one hierarchy for all, version 1 one for each
 * controller, a hybrid system both. In a container the path may be one of the host, which does not
 * begin with what is mounted; then the mount point is the own group. cgroups(7), proc(5).
 *
 * A system takes longer to say what is mounted than all the rest takes (20 mounts: 21 us of 40); so the own
 * group is looked for where it is nearly always, below /sys/fs/cgroup, before that is asked. */
#include "base/small.h"

#include "base/limits.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

enum { MEMORY = 1, CPU = 2, PATH = 1024 };

/* mounted: a hierarchy that can be read. */
typedef struct mounted {
    char *root, *point; /* the group that is at the mount point */
    bool unified;       /* version 2 */
    unsigned controllers;
} mounted;

/* open_file: a descriptor, or -1. */
static int open_file(const char *root, const char *directory, const char *name)
{
    char path[3 * PATH + 64];
    const int n = snprintf(path, sizeof path, "%s%s/%s", root, directory, name);
    return n > 0 && (size_t)n < sizeof path ? spk_open(path, O_RDONLY | O_CLOEXEC, 0) : -1;
}

/* controllers_in: of a list with commas, which ends with the line or a colon. */
static unsigned controllers_in(const char *list)
{
    unsigned found = 0;
    for (size_t n;; list += n + 1) {
        n = strcspn(list, ",:\n");
        found |= n == 6 && memcmp(list, "memory", n) == 0 ? MEMORY : 0;
        found |= n == 3 && memcmp(list, "cpu", n) == 0 ? CPU : 0;
        if (list[n] != ',')
            return found;
    }
}

/* unescape: blanks and the like are written as \040. */
static char *unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++)
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    *to = '\0';
    return text;
}

/* read_mount: "36 35 98:0 /root /point rw,noatime shared:1 - cgroup source rw,memory". */
static bool read_mount(char *line, mounted *m)
{
    char *fields[5];
    for (int i = 0; i < 5; i++)
        if (!(fields[i] = strsep(&line, " ")))
            return false;
    char *rest = line ? strstr(line, " - cgroup") : NULL;
    if (!rest)
        return false;
    rest += 3;
    const char *type = strsep(&rest, " ");
    if (!strsep(&rest, " ") || !rest)
        return false;
    m->root = unescape(fields[3]);
    m->point = unescape(fields[4]);
    m->unified = strcmp(type, "cgroup2") == 0;
    m->controllers = m->unified ? MEMORY | CPU : controllers_in(rest);
    return m->controllers != 0;
}

/* own_path: the path of the own group in a hierarchy, of lines like "4:cpu,cpuacct:/path"; false: it
 * is not known. */
static bool own_path(const char *groups, const mounted *m, char *path, size_t size)
{
    for (const char *line = groups; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *list = strchr(line, ':'), *at = list ? strchr(list + 1, ':') : NULL;
        if (!at || (m->unified ? at != list + 1 : !(controllers_in(list + 1) & m->controllers)))
            continue;
        const size_t n = strcspn(++at, "\n");
        if (n >= size)
            return false;
        memcpy(path, at, n);
        path[n] = '\0';
        return true;
    }
    return false;
}

/* below: what of a path lies below a mounted group; NULL: it is not one of those. */
static const char *below(const char *path, const char *group)
{
    const size_t n = strcmp(group, "/") == 0 ? 0 : strlen(group);
    if (strncmp(path, group, n) != 0 || (path[n] != '/' && path[n] != '\0')
        || strstr(path + n, "/.."))
        return NULL;
    return strcmp(path + n, "/") == 0 ? "" : path + n;
}

/* read_text: what fits of a file, which the system gives at once. */
static void read_text(const char *root, const char *directory, const char *name, char *to, size_t size)
{
    const int fd = open_file(root, directory, name);
    const ssize_t n = fd >= 0 ? spk_read(fd, to, size - 1) : 0;
    to[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

/* read_numbers: of "150000 100000" or "max 100000"; what is not there stays. */
static void read_numbers(const char *directory, const char *name, double *first, double *second)
{
    char text[80], *end;
    read_text("", directory, name, text, sizeof text);
    const double a = strtod(text, &end), b = strtod(end, NULL); /* "max": 0 */
    *first = a > 0 ? a : *first;
    *second = b > 0 ? b : *second;
}

static void limit_memory(spk_limits *limits, const char *directory, const char *name)
{
    double bytes = 0, none;
    read_numbers(directory, name, &bytes, &none);
    if (bytes >= 1 && bytes < 0x1p63
        && (limits->memory_bytes == 0 || bytes < (double)limits->memory_bytes))
        limits->memory_bytes = (uint64_t)bytes;
}

static void limit_cpus(spk_limits *limits, const char *directory, bool unified)
{
    double quota = 0, period = 100000, none;
    read_numbers(directory, unified ? "cpu.max" : "cpu.cfs_quota_us", &quota, &period);
    if (!unified && quota > 0)
        read_numbers(directory, "cpu.cfs_period_us", &period, &none);
    if (quota > 0 && (limits->cpus <= 0 || quota / period < limits->cpus))
        limits->cpus = quota / period;
}

/* limit_by: the group in `directory`, and those above it, up to the mount point, `top` bytes of it. */
static void limit_by(spk_limits *limits, const mounted *m, char *directory, size_t top)
{
    for (;;) {
        if (m->controllers & MEMORY) {
            limit_memory(limits, directory, m->unified ? "memory.max" : "memory.limit_in_bytes");
            if (m->unified) /* beyond memory.high a group is slowed down */
                limit_memory(limits, directory, "memory.high");
        }
        if (m->controllers & CPU)
            limit_cpus(limits, directory, m->unified);
        char *last = strrchr(directory, '/');
        if (!last || (size_t)(last - directory) < top)
            return;
        *last = '\0';
    }
}

/* limit_by_groups: of the mounts that show the own group; else of others, as far as they are known.
 * Returns the controllers it has found. */
static unsigned limit_by_groups(
    const char *root, const char *groups, spk_limits *limits, bool own, unsigned wanted)
{
    char line[4 * PATH], path[PATH], directory[3 * PATH]; /* of longer lines the end is no mount */
    snprintf(directory, sizeof directory, "%s/proc/self/mountinfo", root);
    FILE *file = fopen(directory, "re");
    unsigned found = 0;
    while (file && fgets(line, sizeof line, file)) {
        mounted m;
        if (!read_mount(line, &m) || !(m.controllers & wanted)
            || !own_path(groups, &m, path, sizeof path))
            continue;
        const char *rest = below(path, m.root);
        if (own != (rest != NULL))
            continue;
        const int top = snprintf(directory, sizeof directory, "%s%s", root, m.point);
        const int n = snprintf(directory, sizeof directory, "%s%s%s", root, m.point, rest ? rest : "");
        if (n <= 0 || (size_t)n >= sizeof directory)
            continue;
        found |= m.controllers;
        m.controllers &= wanted;
        limit_by(limits, &m, directory, (size_t)top);
    }
    if (file)
        fclose(file);
    return found;
}

/* limit_at: by the own group of a hierarchy that is mounted below /sys/fs/cgroup; false: it is not seen there. */
static bool limit_at(
    const char *root, const char *groups, const char *point, const mounted *m, spk_limits *limits)
{
    char path[PATH], directory[3 * PATH];
    if (!own_path(groups, m, path, sizeof path) || strstr(path, "/.."))
        return false;
    const int top = snprintf(directory, sizeof directory, "%s/sys/fs/cgroup%s", root, point);
    const int n = snprintf(directory, sizeof directory, "%s/sys/fs/cgroup%s%s", root, point,
        strcmp(path, "/") == 0 ? "" : path);
    const int fd = n > 0 && (size_t)n < sizeof directory ? open_file("", directory, "cgroup.procs") : -1;
    if (fd < 0)
        return false;
    close(fd);
    limit_by(limits, m, directory, (size_t)top);
    return true;
}

/* limit_at_usual_places: returns the controllers it has found. */
static unsigned limit_at_usual_places(const char *root, const char *groups, spk_limits *limits)
{
    static const mounted memory = { .controllers = MEMORY }, cpu = { .controllers = CPU },
                         all = { .unified = true, .controllers = MEMORY | CPU };
    if (limit_at(root, groups, "", &all, limits))
        return MEMORY | CPU;
    return (limit_at(root, groups, "/memory", &memory, limits) ? MEMORY : 0U)
        | (limit_at(root, groups, "/cpu", &cpu, limits) ? CPU : 0U);
}

spk_limits spk_limits_read(const char *root, uint64_t ram)
{
    char groups[4 * PATH];
    spk_limits limits = { ram, 0 };
    read_text(root, "/proc/self", "cgroup", groups, sizeof groups);
    unsigned found = limit_at_usual_places(root, groups, &limits);
    if (found != (MEMORY | CPU))
        found |= limit_by_groups(root, groups, &limits, true, (MEMORY | CPU) & ~found);
    if (found != (MEMORY | CPU))
        limit_by_groups(root, groups, &limits, false, (MEMORY | CPU) & ~found);
    return limits;
}

/* Three quarters: the rest is for the program itself, for stacks, and for pages of files that are read
 * and spilled, which count in a group as well. What a context takes beside its data is less than 64 MiB;
 * of small machines a quarter at least. */
uint64_t spk_limits_share(uint64_t memory_bytes)
{
    const uint64_t beside = 64 * 1024 * 1024, quarter = memory_bytes / 4;
    const uint64_t share = quarter * 3;
    const uint64_t most = memory_bytes > beside + quarter ? memory_bytes - beside : quarter;
    return share < most ? share : most;
}
