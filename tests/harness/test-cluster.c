/* test-cluster DIR -- COMMAND ARGUMENTS...
 *
 * Starts one throw-away PostgreSQL server in DIR, runs COMMAND with TEST_DATABASE_URL naming it,
 * stops and removes the server, and ends as COMMAND did (128 + signal when one killed it). Signals
 * that ask to end are passed on to COMMAND, so that the server is always taken down. */
#include "base/prelude.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <pgc/cluster.h>

#include "base/proc.h"

static volatile pid_t child;

static void pass_on(int number)
{
    if (child > 0) {
        (void) kill(child, number);
    }
}

/* Runs the command with our descriptors; its exit code, -1 when it could not be started. */
static int run(const char *const *command, pgc_error *err)
{
    static const int SIGNALS[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = pass_on };
    proc_options options = {
        .argv = command,
        .in_fd = fcntl(0, F_DUPFD_CLOEXEC, 3),
        .out_fd = 1,
        .err_fd = 2,
    };
    pid_t pid = 0;
    for (size_t i = 0; i < ARRAY_LEN(SIGNALS); i++) {
        (void) sigaction(SIGNALS[i], &action, NULL);
    }
    options.in_fd = options.in_fd < 0 ? 0 : options.in_fd;
    if (proc_spawn(env_default(), &options, &pid, err) != PGC_OK) {
        return -1;
    }
    child = pid;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    child = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    if (argc < 4 || strcmp(argv[2], "--") != 0) {
        (void) fprintf(stderr, "usage: test-cluster DIR -- COMMAND ARGUMENTS...\n");
        return 2;
    }
    pgc_error err;
    pgc_cluster *cluster = NULL;
    pgc_cluster_options options = { .struct_size = sizeof options,
                                    .dir = argv[1],
                                    .throw_away = true };
    if (pgc_cluster_open(&options, &cluster, &err) != PGC_OK) {
        (void) fprintf(stderr, "test-cluster: %s\n", err.message);
        return 1;
    }
    int code = -1;
    if (setenv("TEST_DATABASE_URL", pgc_cluster_conninfo(cluster), 1) == 0) {
        code = run((const char *const *) argv + 3, &err);
    }
    if (code < 0) {
        (void) fprintf(stderr, "test-cluster: %s\n", err.message);
        code = 1;
    }
    pgc_cluster_close(cluster);
    return code;
}
