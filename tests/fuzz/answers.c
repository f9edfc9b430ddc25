/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what servers answer, heads and bodies, to whoever looks, lists, reads or writes by S3, WebHDFS or
 * HTTP: nothing crashes; names are those of one directory; a file that is read to its end has as many bytes as
 * it had when it was listed. What runs curl is replaced (the linker's --wrap): a request gets the next answer of
 * the input. The input: what is done, then for each answer a byte (how it begins, how curl ends), its length in
 * two bytes, and itself. */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <time.h>

#include "io/child.h"
#include "remote/s3.h"
#include "replay.h"

enum { BYTES = 50, MOST_REQUESTS = 12, FAKE = 100 };

/* ---- instead of curl ---- */

/* script: the answers; those of one request. */
static struct {
    const uint8_t *next, *end;
    char head[200];
    size_t head_n, head_at, piece;
    const uint8_t *at, *stop;
    int status, requests;
} script;

/* begin_answer: the next one of the input. */
static void begin_answer(void)
{
    static const int ends[] = { 0, 0, 18, 56 };
    const size_t left = (size_t)(script.end - script.next);
    const unsigned how = left >= 3 ? script.next[0] : 0;
    size_t n = left >= 3 ? script.next[1] + 256u * script.next[2] : 0;
    n = left < 3 ? 0 : n < left - 3 ? n : left - 3;
    script.at = script.next + (left >= 3 ? 3 : left);
    script.stop = script.next = script.at + n;
    script.status = ends[how >> 2 & 3];
    script.piece = 1 + (how >> 4) * 23u;
    script.head_at = 0;
    script.head_n = 0;
    if ((how & 3) == 1)
        script.head_n = (size_t)sprintf(script.head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nETag: \"a\"\r\n\r\n", n);
    else if ((how & 3) == 2)
        script.head_n = (size_t)sprintf(script.head,
            "HTTP/1.1 206 Part\nContent-Length: %zu\nContent-Range: bytes %d-%zu/%d\n\n", n,
            how & 64 ? 7 : 0, n, BYTES);
    else if ((how & 3) == 3)
        script.head_n = (size_t)sprintf(script.head, "HTTP/1.1 %d No\r\n\r\n", how & 64 ? 404 : 503);
    script.requests++;
}

int __wrap_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
int __wrap_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    (void)file, (void)actions, (void)attributes, (void)argv, (void)envp;
    *pid = 1;
    if (script.requests == MOST_REQUESTS)
        return ENOENT;
    begin_answer();
    return 0;
}

int __wrap_nanosleep(const struct timespec *wait, struct timespec *left);
int __wrap_nanosleep(const struct timespec *wait, struct timespec *left)
{
    (void)wait, (void)left;
    return 0;
}

int __wrap_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags)
{
    (void)name, (void)flags;
    return FAKE;
}

int __wrap_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...)
{
    (void)what;
    return fd;
}

int __wrap_close(int fd);
int __wrap_close(int fd)
{
    (void)fd;
    return 0;
}

int __wrap_spk_pipe2(int fds[2], int flags);
int __wrap_spk_pipe2(int fds[2], int flags)
{
    (void)flags;
    fds[0] = fds[1] = FAKE;
    return 0;
}

ssize_t __wrap_spk_pwrite(int fd, const void *from, size_t n, off_t at);
ssize_t __wrap_spk_pwrite(int fd, const void *from, size_t n, off_t at)
{
    (void)fd, (void)from, (void)at;
    return (ssize_t)n;
}

ssize_t __wrap_spk_pread(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_spk_pread(int fd, void *to, size_t n, off_t at)
{
    (void)fd, (void)to, (void)n, (void)at;
    return 0;
}

bool __wrap_spk_child_read(spk_child *child, char *to, size_t room, size_t *n, spk_failure *failure);
bool __wrap_spk_child_read(spk_child *child, char *to, size_t room, size_t *n, spk_failure *failure)
{
    (void)child, (void)failure;
    const char *from = script.head + script.head_at;
    *n = script.head_n - script.head_at;
    if (*n == 0) {
        from = (const char *)script.at;
        *n = (size_t)(script.stop - script.at);
        *n = *n < script.piece ? *n : script.piece;
    }
    *n = *n < room ? *n : room;
    memcpy(to, from, *n);
    if (script.head_at < script.head_n)
        script.head_at += *n;
    else
        script.at += *n;
    return true;
}

bool __wrap_spk_child_ended(spk_child *child, bool wait, int *status);
bool __wrap_spk_child_ended(spk_child *child, bool wait, int *status)
{
    (void)wait;
    child->pid = 0;
    *status = script.status;
    return true;
}

void __wrap_spk_child_kill(spk_child *child);
void __wrap_spk_child_kill(spk_child *child)
{
    child->pid = 0;
}

int __wrap_spk_thread_start(struct spk_place *place, pthread_t *thread, const pthread_attr_t *attributes,
    void *(*run)(void *), void *argument);
int __wrap_spk_thread_start(struct spk_place *place, pthread_t *thread, const pthread_attr_t *attributes,
    void *(*run)(void *), void *argument)
{
    (void)place, (void)thread, (void)attributes, (void)run, (void)argument;
    return EAGAIN;
}

/* ---- what is asked ---- */

/* kept: the file systems, as they were registered. */
static struct {
    const char *scheme;
    spark_fs fs;
    void *env;
} kept[8];
static size_t n_kept;

spark_status __wrap_spark_register_fs(spark_context *sc, const char *scheme, const spark_fs *fs, void *env);
spark_status __wrap_spark_register_fs(spark_context *sc, const char *scheme, const spark_fs *fs, void *env)
{
    (void)sc;
    insist(n_kept < 8);
    kept[n_kept].scheme = scheme;
    kept[n_kept].fs = *fs;
    kept[n_kept++].env = env;
    return SPARK_OK;
}

static void release(void)
{
    while (n_kept-- > 0)
        kept[n_kept].fs.free(kept[n_kept].env);
}

static void set_up(void)
{
    const spark_http_options http = { .retries = 2, .retry_wait_ms = 1 };
    const spark_s3_options s3 = { .anonymous = true, .endpoint = "http://h", .region = "r", .http = http };
    const spark_webhdfs_options hdfs = { .user = "u", .namenode = "http://n:1", .http = http };
    insist(spark_use_s3(NULL, &s3) == SPARK_OK && spark_use_webhdfs(NULL, &hdfs) == SPARK_OK
        && spark_use_http(NULL, &http) == SPARK_OK);
    for (int i = 0; i < 2; i++)
        ((spk_s3 *)kept[i].env)->part_bytes = 16;
    atexit(release);
}

static void look(const spark_fs *fs, void *env, const char *path, spark_fs_call *call)
{
    spark_fs_info info;
    if (fs->stat(env, path, &info, call) && info.version)
        insist(strlen(info.version) < sizeof call->version);
}

static void list(const spark_fs *fs, void *env, const char *path, spark_fs_call *call)
{
    spk_found all;
    if (!fs->list || !spk_fs_list(fs, env, path, &all, call))
        return;
    for (const spk_item *i = all.first; i; i = i->next)
        insist(*i->info.name && !strchr(i->info.name, '/'));
    spk_fs_forget(&all);
}

static void read_all(const spark_fs *fs, void *env, const char *path, bool sized, spark_fs_call *call)
{
    const spark_fs_info info = { .bytes = sized ? BYTES : SPARK_FS_NO_SIZE };
    uint64_t at = 0;
    int64_t got = 1;
    char to[40];
    void *stream = fs->open(env, path, 0, sized ? 30 : SPARK_FS_NO_SIZE, &info, call);
    if (!stream)
        return;
    while (got > 0 && (got = fs->read(stream, to, sizeof to, call)) > 0)
        at += (uint64_t)got;
    insist(!sized || got < 0 || at == BYTES);
    fs->close(stream);
}

static void write_all(const spark_fs *fs, void *env, const char *path, bool empty, spark_fs_call *call)
{
    static const char text[40] = "as many bytes as two parts and a half";
    void *file = fs->create(env, path, call);
    if (!file)
        return;
    if ((empty || fs->write(file, text, sizeof text, call)) && fs->prepare(file, call))
        fs->publish(file, call);
    else
        fs->discard(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        int of;
        const char *path;
    } places[] = { { 0, "s3://bucket/a dir" }, { 2, "webhdfs://host:1/a dir" }, { 5, "http://host/a" } };
    if (size < 2)
        return 0;
    if (n_kept == 0)
        set_up();
    spk_failure failure = { .code = SPARK_OK };
    spark_fs_call call = { .failure = &failure };
    const unsigned where = data[0] % 3u, what = data[0] / 3u;
    const spark_fs *fs = &kept[places[where].of].fs;
    void *env = kept[places[where].of].env;
    const char *path = places[where].path;
    script.next = data + 1;
    script.end = data + size;
    script.requests = 0;
    switch (what % 6) {
    case 0: look(fs, env, path, &call); break;
    case 1: list(fs, env, path, &call); break;
    case 2: read_all(fs, env, path, true, &call); break;
    case 3: read_all(fs, env, path, false, &call); break;
    case 4:
        if (where == 0) /* another one keeps what is written in a file first */
            write_all(fs, env, path, what & 8, &call);
        break;
    default:
        if (fs->remove)
            fs->remove(env, path, &call);
    }
    return 0;
}
