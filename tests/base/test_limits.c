/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the process, read from directories that are made as the system shows its own. */
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/spark_test.h"

enum { MIB = 1024 * 1024 };

static char root[] = "/tmp/spark_limits_XXXXXX";

/* put: a file below the root, with the directories that lead to it. */
static void put(const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *at = path + sizeof root; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        mkdir(path, 0777);
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
    (void)state;
    strcpy(root + sizeof root - 7, "XXXXXX");
    if (!mkdtemp(root))
        return 1;
    return 0;
}

static int end(void **state)
{
    char command[1100];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

#define V2 "30 24 0:26 / /cg rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1(controller, group)                                                                      \
    "31 24 0:27 " group " /cg/" controller " rw shared:9 master:1 - cgroup cgroup rw," controller "\n"

static void assert_limits(uint64_t memory_bytes, double cpus)
{
    const spk_limits limits = spk_limits_read(root, (uint64_t)4096 * MIB);
    assert_int_equal(limits.memory_bytes, memory_bytes);
    assert_float_equal(limits.cpus, cpus, 1e-9);
}

static void test_limits__are_the_ram_where_there_are_no_groups(void **state)
{
    (void)state;
    assert_limits((uint64_t)4096 * MIB, 0);
    put("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\nbroken\n\n23 22\n");
    put("/proc/self/cgroup", "");
    assert_limits((uint64_t)4096 * MIB, 0);
    put("/proc/self/mountinfo", V2);
    put("/proc/self/cgroup", "0::/gone (deleted)\n");
    assert_limits((uint64_t)4096 * MIB, 0);
}

static void test_limits__are_the_smallest_of_the_group_and_those_above(void **state)
{
    static const char *const files[] = { "/cg/a/b/c/memory.max", "/cg/a/b/memory.max",
        "/cg/a/memory.max", "/cg/a/b/c/memory.high", "/cg/a/memory.high" };
    (void)state;
    put("/proc/self/mountinfo", V2);
    put("/proc/self/cgroup", "0::/a/b/c\n");
    put("/cg/memory.max", "max\n");
    put("/cg/a/b/c/d/memory.max", "4096\n"); /* of others */
    put("/cg/a/x/memory.max", "4096\n");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (size_t k = 0; k < sizeof files / sizeof *files; k++)
            put(files[k], k == i ? "104857600\n" : k % 2 ? "max\n" : "9223372036854771712\n");
        assert_limits(100 * MIB, 0);
    }
    put("/cg/a/b/memory.max", "52428800\n");
    assert_limits(50 * MIB, 0);
}

static void test_limits__of_cpus_are_quotas_by_periods(void **state)
{
    (void)state;
    put("/proc/self/mountinfo", V2);
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/cg/a/b/cpu.max", "max 100000\n");
    assert_limits((uint64_t)4096 * MIB, 0);
    put("/cg/a/cpu.max", "150000 50000\n");
    assert_limits((uint64_t)4096 * MIB, 3);
    put("/cg/a/b/cpu.max", "25000 100000\n");
    assert_limits((uint64_t)4096 * MIB, 0.25);
    put("/cg/a/b/cpu.max", "nonsense\n");
    assert_limits((uint64_t)4096 * MIB, 3);
}

static void test_limits__of_version_1_are_of_each_controller(void **state)
{
    (void)state;
    put("/proc/self/mountinfo", V1("memory", "/") V1("cpu,cpuacct", "/") V1("pids", "/"));
    put("/proc/self/cgroup", "9:pids:/p\n5:memory:/m/n\n4:cpu,cpuacct:/c\n1:name=systemd:/s\n");
    put("/cg/memory/m/n/memory.limit_in_bytes", "9223372036854771712\n");
    put("/cg/memory/m/memory.limit_in_bytes", "73400320\n");
    put("/cg/memory/c/memory.limit_in_bytes", "4096\n");
    put("/cg/cpu,cpuacct/c/cpu.cfs_quota_us", "120000\n");
    put("/cg/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
    put("/cg/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    assert_limits(70 * MIB, 1.2);
}

static void test_limits__of_both_versions_at_once_are_all_read(void **state)
{
    (void)state;
    put("/proc/self/mountinfo",
        V1("memory", "/") "40 24 0:30 / /cg/unified rw - cgroup2 cgroup2 rw\n");
    put("/proc/self/cgroup", "5:memory:/m\n0::/u\n");
    put("/cg/memory/m/memory.limit_in_bytes", "73400320\n");
    put("/cg/unified/u/cpu.max", "200000 100000\n");
    assert_limits(70 * MIB, 2);
    put("/cg/unified/u/memory.max", "52428800\n");
    assert_limits(50 * MIB, 2);
}

static void test_limits__in_a_container_are_those_of_the_mount(void **state)
{
    (void)state;
    put("/cg/memory/memory.limit_in_bytes", "73400320\n");
    /* the path is the host's, and the group is mounted: */
    put("/proc/self/mountinfo", V1("memory", "/docker/abc"));
    put("/proc/self/cgroup", "5:memory:/docker/abc\n");
    assert_limits(70 * MIB, 0);
    put("/proc/self/cgroup", "5:memory:/docker/abc/sub\n");
    put("/cg/memory/sub/memory.limit_in_bytes", "52428800\n");
    assert_limits(50 * MIB, 0);
    put("/proc/self/cgroup", "5:memory:/docker/abcde\n");
    assert_limits(70 * MIB, 0);
    /* a namespace: the mount, or the process, is outside of it */
    put("/proc/self/mountinfo", V1("memory", "/../.."));
    put("/proc/self/cgroup", "5:memory:/\n");
    assert_limits(70 * MIB, 0);
    put("/proc/self/mountinfo", V1("memory", "/"));
    put("/proc/self/cgroup", "5:memory:/../other\n");
    assert_limits(70 * MIB, 0);
    /* a mount that shows the own group goes before one that does not */
    put("/proc/self/mountinfo",
        V1("memory", "/host") "33 24 0:28 /own /own rw - cgroup cgroup rw,memory\n");
    put("/proc/self/cgroup", "5:memory:/own\n");
    put("/own/memory.limit_in_bytes", "94371840\n");
    assert_limits(90 * MIB, 0);
}

static void test_limits__at_the_usual_places_need_no_list_of_mounts(void **state)
{
    (void)state;
    put("/proc/self/mountinfo", V2);
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/cg/a/memory.max", "41943040\n"); /* not where it is looked for first, as long as that is not there */
    put("/sys/fs/cgroup/a/memory.max", "73400320\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "200000 100000\n");
    put("/sys/fs/cgroup/memory.max", "52428800\n");
    assert_limits(40 * MIB, 0);
    put("/sys/fs/cgroup/a/b/cgroup.procs", "");
    assert_limits(50 * MIB, 2);
    put("/sys/fs/cgroup/memory.max", "max\n");
    assert_limits(70 * MIB, 2);
    put("/proc/self/cgroup", "0::/../a/b\n");
    put("/proc/self/mountinfo", "");
    assert_limits((uint64_t)4096 * MIB, 0);
    put("/proc/self/cgroup", "4:cpu,cpuacct:/c\n5:memory:/m\n0::/\n");
    put("/sys/fs/cgroup/memory/m/cgroup.procs", "");
    put("/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "31457280\n");
    assert_limits(30 * MIB, 0);
    put("/sys/fs/cgroup/cpu/c/cgroup.procs", "");
    put("/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "50000\n");
    assert_limits(30 * MIB, 0.5);
}

static void test_limits__names_with_blanks_are_written_in_octal(void **state)
{
    (void)state;
    put("/proc/self/mountinfo", "30 24 0:26 / /c\\040g rw - cgroup2 cgroup2 rw\n");
    put("/proc/self/cgroup", "0::/a:b c\n");
    put("/c g/a:b c/memory.max", "73400320\n");
    assert_limits(70 * MIB, 0);
}

static void test_limits__a_share_leaves_room_for_the_program(void **state)
{
    (void)state;
    assert_int_equal(spk_limits_share(0), 0);
    assert_int_equal(spk_limits_share((uint64_t)16384 * MIB), (uint64_t)12288 * MIB);
    assert_int_equal(spk_limits_share(128 * MIB), 64 * MIB);
    assert_int_equal(spk_limits_share(64 * MIB), 16 * MIB);
    for (uint64_t mib = 1; mib < 4096; mib++) {
        const uint64_t share = spk_limits_share(mib * MIB);
        assert_true(share >= mib * MIB / 4 && share <= mib * MIB / 4 * 3);
        assert_true(share >= spk_limits_share((mib - 1) * MIB));
    }
}

static void test_limits__of_this_process_are_no_more_than_its_ram(void **state)
{
    (void)state;
    const uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    const spk_limits limits = spk_limits_read("", ram);
    assert_true(limits.memory_bytes > 0 && limits.memory_bytes <= ram);
    assert_true(limits.cpus >= 0);
}

int main(void)
{
#define MADE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        MADE(test_limits__are_the_ram_where_there_are_no_groups),
        MADE(test_limits__are_the_smallest_of_the_group_and_those_above),
        MADE(test_limits__of_cpus_are_quotas_by_periods),
        MADE(test_limits__of_version_1_are_of_each_controller),
        MADE(test_limits__of_both_versions_at_once_are_all_read),
        MADE(test_limits__in_a_container_are_those_of_the_mount),
        MADE(test_limits__at_the_usual_places_need_no_list_of_mounts),
        MADE(test_limits__names_with_blanks_are_written_in_octal),
        cmocka_unit_test(test_limits__a_share_leaves_room_for_the_program),
        cmocka_unit_test(test_limits__of_this_process_are_no_more_than_its_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
