/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a directory that is given: one rule for all sources, here and on other machines. */
#include <dirent.h>
#include <sys/stat.h>

#include <spark/fs.h>

#include "file_test.h"

/* ---- a file system that is this one */

static const char *here(const char *path)
{
    return strstr(path, "://") + 3;
}

static bool look(const char *path, const char *name, spark_fs_info *info)
{
    struct stat is;
    if (stat(path, &is) != 0)
        return false;
    *info = (spark_fs_info) { .name = name, .directory = S_ISDIR(is.st_mode), .bytes = (uint64_t)is.st_size };
    return true;
}

static bool disk_stat(void *env, const char *path, spark_fs_info *info, spark_fs_call *call)
{
    (void)env;
    return look(here(path), NULL, info) || spark_fs_missing(call);
}

static bool disk_list(void *env, const char *path, spark_fs_call *call)
{
    (void)env;
    bool good = true;
    DIR *dir = opendir(here(path));
    if (!dir)
        return spark_fs_missing(call);
    for (const struct dirent *e; good && (e = readdir(dir)) != NULL;) {
        char inner[500];
        spark_fs_info info;
        snprintf(inner, sizeof inner, "%s/%s", here(path), e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && look(inner, e->d_name, &info))
            good = spark_fs_found(call, &info);
    }
    closedir(dir);
    return good;
}

static void *disk_open(void *env, const char *path, uint64_t offset, uint64_t end, const spark_fs_info *info,
    spark_fs_call *call)
{
    (void)env, (void)end, (void)info;
    FILE *in = fopen(here(path), "r");
    if (!in || fseek(in, (long)offset, SEEK_SET) != 0)
        spark_fs_fail(call, "cannot open %s", path);
    return in;
}

static int64_t disk_read(void *stream, void *to, size_t n, spark_fs_call *call)
{
    (void)call;
    return (int64_t)fread(to, 1, n, stream);
}

static void disk_close(void *stream)
{
    fclose(stream);
}

static const spark_fs disk
    = { .stat = disk_stat, .list = disk_list, .open = disk_open, .read = disk_read, .close = disk_close };

/* endless: a directory that is in itself. */
static bool endless_stat(void *env, const char *path, spark_fs_info *info, spark_fs_call *call)
{
    (void)env, (void)path, (void)call;
    *info = (spark_fs_info) { .directory = true };
    return true;
}

static bool endless_list(void *env, const char *path, spark_fs_call *call)
{
    (void)env, (void)path;
    return spark_fs_found(call, &(spark_fs_info) { .name = "k=1", .directory = true });
}

static const spark_fs endless
    = { .stat = endless_stat, .list = endless_list, .open = disk_open, .read = disk_read, .close = disk_close };

/* ---- the table */

SPARK_STRUCT(lettered, (spark_str, v), (spark_opt_i64, k), (spark_opt_i64, l));

/* What is in "in": files, of which the first holds the letter a, and so on, and, with a slash behind, directories.
 * lines: what sources without columns read of it; rows: readers of CSV and JSON; with ! in front: what they say. */
static const struct {
    const char *names, *lines, *rows;
} shapes[] = {
    { "in/", "", "" },
    { "in/y in/x in/k=1", "c b a", "(c,,) (b,,) (a,,)" },
    { "in/x in/_h in/.h in/_t/y in/.t/y in/_SUCCESS in/_f=1", "a", "(a,,)" },
    { "in/x in/sub/", "!in/sub is a directory within", "!in/sub is a directory within" },
    { "in/sub/x", "!in/sub is a directory within", "!in/sub is a directory within" },
    { "in/x.csv/part-0", "!in/x.csv is a directory within", "!in/x.csv is a directory within" },
    { "in/sub/k=1/x", "!in/sub is a directory within", "!in/sub is a directory within" },
    { "in/=1/x", "!in/=1 is a directory within", "!in/=1 is a directory within" },
    { "in/k=2/y in/k=1/x", "! is a directory within", "(b,1,) (a,2,)" },
    { "in/k=1/l=4/x in/k=2/l=3/x in/k=2/l=3/y", "! is a directory within", "(a,1,4) (b,2,3) (c,2,3)" },
    { "in/k=1/x in/k=2/ in/k=3/l=1/", "! is a directory within", "(a,1,)" },
    { "in/_k=1/x", "", "(a,,)" },
    { "in/.k=1/x in/k=2/y", "!in/k=2 is a directory within", "(b,2,)" },
    { "in/k=1/_t/x in/k=1/_f in/k=1/.f in/k=1/x", "!in/k=1 is a directory within", "(d,1,)" },
    { "in/x in/k=2/y", "!in/k=2 is a directory within", "!directories for values are not the same below" },
    { "in/k=1/x in/k=2/l=1/y", "! is a directory within", "!directories for values are not the same below" },
    { "in/sub/x in/k=2/y", "! is a directory within", "!in/sub is a directory within" },
    { "in/k=1/sub/x in/k=2/y", "! is a directory within", "!in/k=1/sub is a directory within" },
    { "in/k=1/sub/ in/k=1/x", "!in/k=1 is a directory within", "!in/k=1/sub is a directory within" },
};

/* make: a shape; each file has the letter between two texts. */
static void make(const char *names, const char *before, const char *behind)
{
    char copy[200], command[300], letter = 'a';
    assert_int_equal(system("rm -rf in"), 0);
    snprintf(copy, sizeof copy, "%s", names);
    for (char *rest, *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        snprintf(command, sizeof command, "mkdir -p '%.*s'", (int)(strrchr(name, '/') - name), name);
        assert_int_equal(system(command), 0);
        if (name[strlen(name) - 1] == '/')
            continue;
        snprintf(command, sizeof command, "%s%c%s", before, letter++, behind);
        scratch_write(name, command, strlen(command));
    }
}

static spark_context *open_with_disk(void)
{
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_register_fs(sc, "disk", &disk, NULL));
    return sc;
}

static void check(spark_rdd *rdd, const char *want)
{
    int64_t n;
    if (*want == '!')
        oracle_fails(spark_count(rdd, &n), SPARK_EIO, want + 1);
    else
        oracle_collects(rdd, want);
}

static const char *const paths[] = { "in", "in//", "disk://in", "./in/", "i[n]" };

static void test_directories__are_their_files(void **state)
{
    (void)state;
    spark_context *sc = open_with_disk();
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        make(shapes[i].names, "", "");
        for (size_t p = 0; p < LENGTH(paths); p++) {
            check(spark_text_file(sc, paths[p], 1), shapes[i].lines);
            check(spark_values(spark_whole_text_files(sc, paths[p], 1)), shapes[i].lines);
            check(spark_binary_records(sc, paths[p], 1), shapes[i].lines);
        }
    }
    oracle_close(sc);
}

static void test_directories__named_key_value_are_columns(void **state)
{
    (void)state;
    spark_context *sc = open_with_disk();
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (size_t p = 0; p < LENGTH(paths); p++) {
            const bool pattern = strchr(paths[p], '[') != NULL;
            make(shapes[i].names, "", "\n");
            check(spark_read_csv(sc, paths[p], SPARK_TYPE(lettered),
                      &(spark_csv_options) { .base_path = pattern ? "in" : NULL, .min_partitions = 1 }),
                shapes[i].rows);
            make(shapes[i].names, "{\"v\":\"", "\"}\n");
            check(spark_read_json(sc, paths[p], SPARK_TYPE(lettered),
                      &(spark_json_options) { .base_path = pattern ? "in" : NULL, .min_partitions = 1 }),
                shapes[i].rows);
        }
    make("in/k=1/x in/k=2/y", "", "\n");
    check(spark_read_csv(sc, "i[n]", SPARK_TYPE(lettered), NULL), "!base_path names the one above them");
    assert_int_equal(symlink("../k=1", "in/k=1/k=1"), 0);
    check(spark_read_csv(sc, "in", SPARK_TYPE(lettered), NULL), "!Too many levels of symbolic links");
    oracle_ok(spark_register_fs(sc, "endless", &endless, NULL));
    check(spark_read_csv(sc, "endless://in", SPARK_TYPE(lettered), NULL), "!without end: endless://in/k=1/k=1/");
    check(spark_text_file(sc, "endless://in", 0), "!endless://in/k=1 is a directory within");
    oracle_close(sc);
}

static void test_directories__of_objects(void **state)
{
    (void)state;
    spark_context *sc = open_with_disk();
    oracle_ok(spark_save_as_object_file(spark_range(sc, 1, 4, 1, 2), "in"));
    assert_int_equal(system("mkdir in/_old in/.old && cp in/part-* in/_old"), 0);
    for (size_t p = 0; p < LENGTH(paths); p++)
        check(spark_object_file(sc, paths[p], SPARK_TYPE(int64_t)), "1 2 3");
    assert_int_equal(mkdir("in/k=1", 0777), 0);
    for (size_t p = 0; p < LENGTH(paths); p++)
        check(spark_object_file(sc, paths[p], SPARK_TYPE(int64_t)), "!in/k=1 is a directory within");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_directories__are_their_files),
        file_test(test_directories__named_key_value_are_columns),
        file_test(test_directories__of_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
