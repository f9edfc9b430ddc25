/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a path names, in which order, what is said when there is none; and how they are
 * split. */
#include "scratch.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <spark/source.h>

#include "io/files.h"

/* found: the paths that spec names with commas between, or what went wrong. */
static const char *found(const char *spec)
{
    static char text[8192];
    spk_files files;
    spk_failure failure = { .code = SPARK_OK };
    size_t n = 0;
    text[0] = '\0';
    if (spk_files_list(spec, NULL, &files, &failure) != SPARK_OK) {
        assert_null(files.at);
        assert_int_equal(files.n, 0);
        snprintf(text, sizeof text, "%s: %s", spark_status_name(failure.code), failure.message);
        return text;
    }
    for (size_t i = 0; i < files.n; i++)
        n += (size_t)snprintf(
            text + n, sizeof text - n, "%s%s", i == 0 ? "" : ",", files.at[i].path);
    spk_files_free(&files);
    return text;
}

#define expect(spec, text) assert_string_equal(found(spec), text)

/* make: files, and directories for names that end in a slash. The list ends with NULL. */
static void make(const char *first, ...)
{
    va_list names;
    va_start(names, first);
    for (const char *name = first; name != NULL; name = va_arg(names, const char *))
        if (name[strlen(name) - 1] == '/')
            assert_int_equal(mkdir(name, 0777), 0);
        else
            scratch_write(name, "1\n", 2);
    va_end(names);
}

static void test_plain(void **state)
{
    (void)state;
    make("a", "_hidden", ".dot", "d/", "d/x", NULL);
    expect("a", "a");
    expect("./a", "./a");
    expect("d//x", "d/x");
    expect("d/../a", "d/../a");
    expect("_hidden", "_hidden");
    expect(".dot", ".dot");
    expect("file:a", "a");
    expect("file://a", "a");
    expect("a,file:d/x,a", "a,d/x,a");
    char url[128], path[128];
    snprintf(path, sizeof path, "%s/a", scratch_path);
    snprintf(url, sizeof url, "file://%s/a", scratch_path);
    expect(url, path);
    snprintf(url, sizeof url, "file:%s/a", scratch_path);
    expect(url, path);
}

static void test_hidden_names_in_the_middle(void **state)
{
    (void)state;
    make(".h/", ".h/x", ".h/.y", "_g/", "_g/x", "d/", "d/x", "d/_x", "d/e/", "d/e/x", "d/.e/",
        "d/.e/x", NULL);
    expect("*/x", ".h/x,_g/x,d/x"); /* as Hadoop: only the last name is filtered */
    expect("*/*/x", "d/.e/x,d/e/x");
    expect("[._]*/x", ".h/x,_g/x");
    expect("_*/[x]", "_g/x");
    expect("*/[._x]*", ".h/x,_g/x,d/x");
    expect("d/*e/x", "d/.e/x,d/e/x");
    assert_non_null(strstr(found("[._]*"), "SPARK_EIO"));
    assert_non_null(strstr(found("*/../a"), "SPARK_EIO"));
}

static void test_sizes(void **state)
{
    spk_files files;
    spk_failure failure = { .code = SPARK_OK };
    (void)state;
    scratch_write("a", "12345", 5);
    scratch_write("b", "", 0);
    assert_int_equal(spk_files_list("*", NULL, &files, &failure), SPARK_OK);
    assert_int_equal(files.n, 2);
    assert_int_equal(files.at[0].size, 5);
    assert_int_equal(files.at[1].size, 0);
    spk_files_free(&files);
    spk_files_free(&files);
}

static void test_directory(void **state)
{
    (void)state;
    make("d/", "d/b", "d/a", "d/_SUCCESS", "d/.a.crc", "d/B", "d/\xC3\xA4", "d/_temporary/",
        "d/_temporary/x", "e/", NULL);
    expect("d", "d/B,d/a,d/b,d/\xC3\xA4");
    expect("d/", "d/B,d/a,d/b,d/\xC3\xA4");
    expect("e", "");
    expect("e,d/a", "d/a");
    assert_int_equal(symlink("d", "link"), 0);
    expect("link", "link/B,link/a,link/b,link/\xC3\xA4");
    assert_int_equal(symlink("nowhere", "d/dangling"), 0);
    expect("d", "d/B,d/a,d/b,d/\xC3\xA4");
    make("d/c/", NULL);
    expect("d",
        "SPARK_EIO: Not a file: d/c is a directory within an input directory; name it, or use a "
        "glob");
}

static void test_globs(void **state)
{
    (void)state;
    make("a1", "a2", "a10", "b1", ".a", "_a", "x-y", "x^", "2024/", "2024/01/", "2024/02/",
        "2024/01/p0", "2024/01/p1", "2024/02/p0", "2024/_x/", "2024/_x/p0", "2024/readme", NULL);
    expect("a*", "a1,a10,a2");
    expect("*1", "a1,b1");
    expect("*a*1*0*", "a10");
    expect("a?", "a1,a2");
    expect("a??", "a10");
    expect("[ab]1", "a1,b1");
    expect("[^a]1", "b1");
    expect("[!a]1", "b1");
    expect("[a-b][0-1]", "a1,b1");
    expect("x[]x-]y", "x-y");
    expect("x[a^]", "x^");
    expect("x[!]-]", "x^");
    expect("2024/*/p0", "2024/01/p0,2024/02/p0,2024/_x/p0");
    expect("20*/0[12]/p?", "2024/01/p0,2024/01/p1,2024/02/p0");
    expect("*/02", "2024/02/p0");
    expect("2024/0*", "2024/01/p0,2024/01/p1,2024/02/p0");
    expect("./*/../a1", "./2024/../a1");
    expect("a*,a1", "a1,a10,a2,a1");
    expect("_*", "SPARK_EIO: Input Pattern _* matches 0 files");
    expect(".*", "SPARK_EIO: Input Pattern .* matches 0 files");
}

static void test_braces(void **state)
{
    (void)state;
    make("a1", "a2", "b1", "_c", "}", "d/", "d/a1", "d/e/", "d/e/f", NULL);
    expect("{a,b}1", "a1,b1");
    expect("{b,a}1,a2", "a1,b1,a2");
    expect("a{1,2,3}", "a1,a2");
    expect("{a1}", "a1");
    expect("a1{,x}", "a1");
    expect("a{}1", "a1");
    expect("{a,{b,_c}{,1}}{1,}", "_c,a1,b1");
    expect("{a1,d/{a1,e/f}}", "a1,d/a1,d/e/f");
    expect("{a1,a?,*1}", "a1,a2,b1");
    expect("}", "}");
    expect("{x,y}", "SPARK_EIO: Input Pattern {x,y} matches 0 files");
    expect("a{1", "SPARK_EINVAL: A { without its } in a{1 (write \\{ for the sign itself)");
    char deep[600] = "";
    for (int i = 0; i < 30; i++)
        strcat(deep, "{a,b}");
    assert_non_null(strstr(found(deep), "stand for too many paths"));
    memset(deep, '{', 100), memset(deep + 100, '}', 100), deep[200] = '\0';
    assert_non_null(strstr(found(deep), "stand for too many paths"));
}

static void test_escapes(void **state)
{
    (void)state;
    make("a,b", "a*", "ax", "[x]", "{p,q}", "back\\slash", "d*/", "d*/f", "d*/g\\", "q\\/", "q\\/f",
        NULL);
    expect("a\\,b", "a,b");
    expect("a\\*", "a*");
    expect("a*", "a*,a,b,ax");
    expect("a\\,*", "a,b");
    expect("\\[x]", "[x]");
    expect("[[]x[]]", "[x]");
    expect("\\{p\\,q\\}", "{p,q}");
    expect("{a\\,b,ax}", "a,b,ax");
    expect("back\\\\slash", "back\\slash");
    expect("back*", "back\\slash");
    expect("[\\b]ack?slash", "back\\slash");
    expect("d\\*/f", "d*/f");
    expect("q\\/f", "q\\/f");
    expect("*\\/f", "q\\/f");
    expect("[q]\\/[f]", "q\\/f");
    expect("d\\**", "d*/f,d*/g\\");
    expect("*/g*", "d*/g\\");
    expect("a\\", "SPARK_EINVAL: A backslash at the end of a\\ (write \\\\ for the sign itself)");
    expect("a[b", "SPARK_EINVAL: A [ without its ] in a[b (write \\[ for the sign itself)");
    expect("a[b/c]", "SPARK_EINVAL: A [ without its ] in a[b/c] (write \\[ for the sign itself)");
    expect("a[]", "SPARK_EINVAL: A [ without its ] in a[] (write \\[ for the sign itself)");
}

/* ? and [..] take characters, not bytes; a name need not be UTF-8. */
static void test_characters(void **state)
{
    (void)state;
    make("\xC3\xA4.txt", "\xE2\x82\xAC.txt", "\xFF.txt", "\xC3.txt", "z.txt", NULL);
    expect("?.txt", "z.txt,\xC3.txt,\xC3\xA4.txt,\xE2\x82\xAC.txt,\xFF.txt");
    expect("[\xC3\xA4z].txt", "z.txt,\xC3\xA4.txt");
    expect("[\xC3\xA0-\xC3\xBF].txt", "\xC3\xA4.txt");
    expect("\xFF*", "\xFF.txt");
    expect("??.txt", "SPARK_EIO: Input Pattern ?\?.txt matches 0 files");
}

static void test_nothing(void **state)
{
    (void)state;
    make("a", "d/", NULL);
    expect("none", "SPARK_EIO: Input path does not exist: none");
    expect("a,none", "SPARK_EIO: Input path does not exist: none");
    expect("a/b", "SPARK_EIO: Input path does not exist: a/b");
    expect("x*", "SPARK_EIO: Input Pattern x* matches 0 files");
    expect("no/x*", "SPARK_EIO: Input Pattern no/x* matches 0 files");
    expect("a/*", "SPARK_EIO: Input Pattern a/* matches 0 files");
    expect("*/b", "SPARK_EIO: Input Pattern */b matches 0 files");
    expect("hdfs://a", "SPARK_EIO: Input path does not exist: hdfs://a; "
        "no file system of its scheme is known: call spark_use_s3(sc, NULL), _http or _webhdfs first");
    expect("", "SPARK_EINVAL: An empty path in \"\"");
    expect("a,", "SPARK_EINVAL: An empty path in \"a,\"");
    expect("a,,a", "SPARK_EINVAL: An empty path in \"a,,a\"");
    expect("file:", "SPARK_EIO: Input path does not exist: ");
    expect(NULL, "SPARK_EINVAL: The input path is NULL");
}

static void test_unfit(void **state)
{
    char name[4200];
    (void)state;
    assert_int_equal(mkdir("p", 0777), 0);
    assert_int_equal(mkfifo("p/pipe", 0666), 0);
    expect("p", "SPARK_EIO: Not a file: p/pipe is a pipe; copy what it gives to a file first");
    expect("/dev/full", "SPARK_EIO: Not a file: /dev/full is a device; copy what it gives to a file "
                        "first");
    assert_int_equal(symlink("loop", "loop"), 0);
    expect("loop", "SPARK_EIO: cannot look at loop: Too many levels of symbolic links");
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_non_null(strstr(found(name), "SPARK_EIO: cannot look at nnnn"));
}

/* A directory that may not be listed; root may list all, so that for root the limit of descriptors
 * has to do. */
static void test_refused(void **state)
{
    struct rlimit before, none;
    (void)state;
    make("d/", "d/a", NULL);
    if (geteuid() != 0) {
        assert_int_equal(chmod("d", 0), 0);
        expect("d", "SPARK_EIO: cannot list d: Permission denied");
        expect("d/*", "SPARK_EIO: cannot list d: Permission denied");
        assert_int_equal(chmod("d", 0700), 0);
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const char *said = found("*");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_string_equal(said, "SPARK_EIO: cannot list .: Too many open files");
}

/* A limit of descriptors that is met when a file is asked for its last byte. */
static void test_no_descriptor_for_an_empty_file(void **state)
{
    struct rlimit before, none;
    (void)state;
    scratch_write("empty", "", 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const char *said = found("empty");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_string_equal(said, "SPARK_EIO: cannot read empty: Too many open files");
}

/* Files that claim a size: none, or a page. Sparse ones have what they say. */
static void test_claimed_sizes(void **state)
{
    static const struct {
        const char *path;
        bool to_end;
    } files[] = { { "/proc/self/status", true }, { "/proc/cpuinfo", true },
        { "/sys/kernel/mm/transparent_hugepage/enabled", true }, { "empty", false },
        { "hole", false }, { "text", false } };
    (void)state;
    scratch_write("empty", "", 0);
    scratch_write("hole", "", 0);
    scratch_write("text", "x", 1);
    assert_int_equal(truncate("hole", 5000), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        spk_files found_files;
        spk_failure failure = { .code = SPARK_OK };
        struct stat info;
        if (stat(files[i].path, &info) != 0)
            continue;
        assert_int_equal(spk_files_list(files[i].path, NULL, &found_files, &failure), SPARK_OK);
        assert_int_equal(found_files.at[0].size,
            files[i].to_end ? SPK_TO_END : (uint64_t)info.st_size);
        assert_false(found_files.at[0].stream);
        spk_files_free(&found_files);
    }
}

/* Every name is found by its literal, alone, whatever lies beside it. */
static void test_literals(void **state)
{
    static const char *const odd[] = { "a,b", "a", "b", "*", "?", "[a]", "{a,b}", "{", "}", "[", "]",
        "\\", "\\*", "a\nb", " ", "-", "file:a", "file:", "\377\376", "\303\251", "~", "$a", "!", "^",
        "_under", ".dot", "a\\,b", "a,", ",", "#", "%2C" };
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        scratch_write(odd[i], odd[i], strlen(odd[i]));
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char *literal = spark_path_literal(odd[i]);
        assert_non_null(literal);
        expect(literal, odd[i]);
        assert_int_equal(unlink(odd[i]), 0);
        char missing[256];
        snprintf(missing, sizeof missing, "SPARK_EIO: Input path does not exist: %s", odd[i]);
        for (char *c = missing; *c != '\0'; c++)
            *c = *c == '\n' ? ' ' : *c;
        expect(literal, missing);
        free(literal);
    }
    assert_null(spark_path_literal(NULL));
    expect("file:a\\,b", "SPARK_EIO: Input path does not exist: a,b");
}

/* streams */
static const char *listed_stream(spk_files *files)
{
    static char text[256];
    size_t n = 0;
    spk_failure failure;
    spk_reader reader;
    assert_int_equal(spk_reader_open(&reader, &files->at[0], SPK_TO_END, &failure), SPARK_OK);
    assert_int_equal(spk_reader_read(&reader, text, sizeof text - 1, 0, &n, &failure), SPARK_OK);
    text[n] = '\0';
    spk_reader_close(&reader);
    return text;
}

static void test_streams(void **state)
{
    spk_files files;
    spk_failure failure = { .code = SPARK_OK };
    int ends[2];
    char text[8] = "";
    (void)state;
    assert_int_equal(mkfifo("pipe", 0666), 0);
    /* The other end, so that opening does not wait. */
    const int both = open("pipe", O_RDWR | O_CLOEXEC);
    assert_true(both >= 0);
    assert_int_equal(spk_files_list("pipe,/dev/null", NULL, &files, &failure), SPARK_OK);
    assert_true(files.n == 2 && files.at[0].stream && !files.at[1].stream && !files.at[1].size);
    assert_int_equal(spk_files_spool(&files, NULL, &failure), SPARK_EIO);
    assert_null(files.at);
    assert_string_equal(
        failure.message, "Not a file: pipe is a stream; copy what it gives to a file first");
    close(both);
    /* A pipe that is read twice once it is kept; nothing is left where it is kept. */
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(write(ends[1], "one\n", 4), 4);
    close(ends[1]);
    assert_int_equal(mkdir("kept", 0777), 0);
    assert_int_equal(spk_files_of_fd(ends[0], "a pipe", &files, &failure), SPARK_OK);
    assert_int_equal(spk_files_spool(&files, "kept", &failure), SPARK_OK);
    assert_int_equal(files.at[0].size, 4);
    assert_string_equal(listed_stream(&files), "one\n");
    assert_string_equal(listed_stream(&files), "one\n");
    assert_int_equal(rmdir("kept"), 0);
    spk_files_free(&files);
    /* A file in place, unless something was read of it. */
    for (int i = 0; i < 2; i++) {
        scratch_write("f", "12345", 5);
        const int fd = open("f", O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(fd, text, (size_t)i), i);
        assert_int_equal(spk_files_of_fd(fd, "f", &files, &failure), SPARK_OK);
        assert_int_equal(files.at[0].stream, i);
        assert_int_equal(spk_files_spool(&files, ".", &failure), SPARK_OK);
        assert_string_equal(listed_stream(&files), i == 0 ? "12345" : "2345");
        spk_files_free(&files);
    }
    /* A directory that is not there: the stream is let go. */
    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    assert_int_equal(spk_files_of_fd(ends[0], "a pipe", &files, &failure), SPARK_OK);
    assert_int_equal(spk_files_spool(&files, "none", &failure), SPARK_EIO);
    assert_string_equal(failure.message, "cannot keep a stream in none: No such file or directory");
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
}

/* cut: the lengths of the splits of files of these sizes, -1 ends them. */
static const char *cut(int min, ...)
{
    static char text[512];
    spk_file at[4];
    spk_files files = { at, 0 };
    spk_splits splits;
    spk_failure failure = { .code = SPARK_OK };
    va_list sizes;
    va_start(sizes, min);
    for (long long size; (size = va_arg(sizes, long long)) >= 0;)
        at[files.n++] = (spk_file) { .size = (uint64_t)size, .fd = -1 };
    va_end(sizes);
    assert_int_equal(spk_splits_make(&files, min, &splits, &failure), SPARK_OK);
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < splits.n; i++) {
        const spk_split *s = &splits.at[i], *before = s - 1;
        const bool first = i == 0 || before->file != s->file;
        assert_int_equal(s->start, first ? 0 : before->end);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%llu",
            i == 0      ? ""
                : first ? "|"
                        : " ",
            (unsigned long long)(s->end - s->start));
    }
    spk_splits_free(&splits);
    return text;
}

static void test_splits(void **state)
{
    (void)state;
    assert_string_equal(cut(3, 10LL, -1LL), "3 3 3 1");
    assert_string_equal(cut(2, 11LL, -1LL), "5 5 1");
    assert_string_equal(cut(3, 100LL, -1LL), "33 33 34");
    assert_string_equal(cut(2, 1LL, -1LL), "1");
    assert_string_equal(cut(0, 10LL, -1LL), "10");
    assert_string_equal(cut(-5, 10LL, -1LL), "10");
    assert_string_equal(cut(100, 3LL, -1LL), "1 1 1");
    assert_string_equal(cut(2, 0LL, -1LL), "");
    assert_string_equal(cut(2, -1LL), "");
    assert_string_equal(cut(2, 4LL, 0LL, 6LL, -1LL), "4|5 1");
    assert_string_equal(cut(1, 10LL, 20LL, -1LL), "10|20");
    assert_string_equal(cut(10, 110LL, 10LL, -1LL), "12 12 12 12 12 12 12 12 12 2|10");
    assert_string_equal(cut(1, 34LL << 20, -1LL), "35651584");
    assert_string_equal(cut(1, 64LL << 20, -1LL), "33554432 33554432");
    assert_string_equal(cut(1, (64LL << 20) + 1, -1LL), "33554432 33554433");
    assert_string_equal(cut(1, 37LL << 20, -1LL), "33554432 5242880");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_plain),
        scratch_test(test_hidden_names_in_the_middle),
        scratch_test(test_sizes),
        scratch_test(test_directory),
        scratch_test(test_globs),
        scratch_test(test_braces),
        scratch_test(test_escapes),
        scratch_test(test_characters),
        scratch_test(test_nothing),
        scratch_test(test_unfit),
        scratch_test(test_refused),
        scratch_test(test_no_descriptor_for_an_empty_file),
        scratch_test(test_claimed_sizes),
        scratch_test(test_literals),
        scratch_test(test_streams),
        cmocka_unit_test(test_splits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
