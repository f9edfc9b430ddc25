/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that a test starts: a command that prints its port, and ends with its standard input. */
#ifndef SERVER_H
#define SERVER_H

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct server {
    pid_t pid;
    int in; /* its standard input */
    int port;
    char url[64]; /* http://127.0.0.1:port */
} server;

/* server_start: python3 SERVER_PY and up to six words; false: it does not start. */
static inline bool server_start(server *s, const char *const words[], size_t n)
{
    char *argv[16] = { (char[]) { "python3" }, (char[]) { SERVER_PY } };
    int in[2], out[2];
    char line[32] = "";
    posix_spawn_file_actions_t actions;
    for (size_t i = 0; i < n; i++)
        memcpy(&argv[i + 2], &words[i], sizeof argv[0]);
    if (pipe(in) != 0 || pipe(out) != 0)
        return false;
    fcntl(in[1], F_SETFD, FD_CLOEXEC);
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    const bool started = posix_spawnp(&s->pid, argv[0], &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    size_t have = 0;
    while (started && have < sizeof line - 1 && read(out[0], line + have, 1) == 1 && line[have] != '\n')
        have++;
    close(out[0]);
    s->in = in[1];
    s->port = atoi(line);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
    return started && s->port > 0;
}

static inline void server_stop(server *s)
{
    int status;
    close(s->in);
    waitpid(s->pid, &status, 0);
}

#define SERVER_START(s, ...)                                                                       \
    server_start(s, (const char *const[]) { __VA_ARGS__ },                                         \
        sizeof(const char *const[]) { __VA_ARGS__ } / sizeof(char *))

#endif
