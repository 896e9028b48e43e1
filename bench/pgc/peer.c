/* A peer program: started once, asked by lines, answers each with one number. It measures itself,
 * so that neither its start nor the pipe counts. One thread. */
#include "parts.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

struct bench_peer {
    pid_t pid;
    FILE *to, *from;
};

/* The program lies beside this one. */
static bool peer_path(const char *program, char *out, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", out, size - 1);
    if (length <= 0) {
        return false;
    }
    out[length] = '\0';
    char *slash = strrchr(out, '/');
    size_t room = size - (size_t) (slash + 1 - out);
    return snprintf(slash + 1, room, "%s", program) < (int) room && access(out, X_OK) == 0;
}

static bool peer_spawn(bench_peer *peer, const char *path, const char *url, const int pipes[4])
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return false;
    }
    (void) posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO);
    (void) posix_spawn_file_actions_adddup2(&actions, pipes[3], STDOUT_FILENO);
    char *const argv[] = { (char *) (uintptr_t) path, (char *) (uintptr_t) url, NULL };
    int failed = posix_spawn(&peer->pid, path, &actions, NULL, argv, environ);
    (void) posix_spawn_file_actions_destroy(&actions);
    return failed == 0;
}

bench_peer *peer_open(const char *program, const char *url)
{
    char path[4096];
    int pipes[4] = { -1, -1, -1, -1 }; /* to: read, write; from: read, write */
    bench_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL || !peer_path(program, path, sizeof path) || pipe2(pipes, O_CLOEXEC) != 0 ||
        pipe2(pipes + 2, O_CLOEXEC) != 0 || !peer_spawn(peer, path, url, pipes)) {
        for (size_t i = 0; i < ARRAY_LEN(pipes); i++) {
            (void) (pipes[i] < 0 ? 0 : close(pipes[i]));
        }
        free(peer);
        return NULL;
    }
    (void) close(pipes[0]);
    (void) close(pipes[3]);
    peer->to = fdopen(pipes[1], "w");
    peer->from = fdopen(pipes[2], "r");
    return peer;
}

void peer_close(bench_peer *peer)
{
    if (peer == NULL) {
        return;
    }
    (void) fclose(peer->to); /* the end of its input ends it */
    (void) fclose(peer->from);
    (void) waitpid(peer->pid, NULL, 0);
    free(peer);
}

double peer_ask(bench_peer *peer, const char *line)
{
    char answer[128];
    if (peer == NULL || fprintf(peer->to, "%s\n", line) < 0 || fflush(peer->to) != 0 ||
        fgets(answer, sizeof answer, peer->from) == NULL) {
        return BENCH_NONE;
    }
    char *end = NULL;
    double value = strtod(answer, &end);
    if (end == answer || *end != '\n') {
        (void) fprintf(stderr, "bench pgc: peer, %s: %s", line, answer);
        return BENCH_NONE;
    }
    return value;
}
