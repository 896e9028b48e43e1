/* lumilio db …: the database as an operator sees it. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/commands.h"

#include <pgc/cluster.h>
#include <sys/wait.h>

#include "work/import.h"

#define PSQL_ARGS_MAX 64

/* Options of a command without own options; true when the command should go on. */
static bool plain_parse(const char *name, int argc, char **argv, int *code)
{
    bool done = false;
    *code = cli_parse(name, NULL, 0, &argc, argv, &done);
    if (*code == CLI_OK && !done && argc != 0) {
        *code = cli_usage(name, "takes no operands");
    }
    return *code == CLI_OK && !done;
}

/* Folder of the private server; CLI_OK, or reported. */
static int cluster_dir(char *out, size_t size)
{
    pgc_error err;
    char home[PATH_MAX];
    pgc_error_clear(&err);
    if (lum_home_resolve(cli_common_options.home, home, sizeof home, &err) != PGC_OK ||
        lum_cluster_dir(home, out, size, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    return CLI_OK;
}

/* DATABASE_URL or --database-url in use: there is no private server then. */
static bool database_is_given(void)
{
    const char *url = cli_common_options.database_url;
    url = url != NULL ? url : getenv("DATABASE_URL");
    return url != NULL && url[0] != '\0';
}

/* For a private server the string is good only while some program keeps it running. */
int cmd_db_url(int argc, char **argv)
{
    int code = CLI_OK;
    if (!plain_parse("db url", argc, argv, &code)) {
        return code;
    }
    pgc_error err;
    lum_library *library = NULL;
    if (cli_open(&library, NULL, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    (void) printf("%s\n", lum_library_url(library));
    lum_library_close(library);
    return CLI_OK;
}

int cmd_db_start(int argc, char **argv)
{
    int code = CLI_OK;
    if (!plain_parse("db start", argc, argv, &code)) {
        return code;
    }
    if (database_is_given()) {
        return cli_usage("db start", "the database is given by a URL; there is nothing to start");
    }
    pgc_error err;
    lum_library *library = NULL;
    lum_library_options options = { .home = cli_common_options.home, .keep_running = true };
    if (lum_library_open(NULL, &options, &library, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    (void) printf("running: %s\n", lum_library_url(library));
    lum_library_close(library);
    return CLI_OK;
}

/* Without --force a server in use stays: the other program would lose its connections. */
int cmd_db_stop(int argc, char **argv)
{
    bool force = false;
    bool done = false;
    const cli_option options[] = {
        { "force", NULL, "also when other programs use it", &force, CLI_FLAG },
    };
    int code = cli_parse("db stop", options, ARRAY_LEN(options), &argc, argv, &done);
    char dir[PATH_MAX];
    if (code != CLI_OK || done || (code = cluster_dir(dir, sizeof dir)) != CLI_OK) {
        return code;
    }
    pgc_error err;
    pgc_error_clear(&err);
    if (pgc_cluster_stop(dir, force, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    (void) printf("stopped\n");
    return CLI_OK;
}

/* Looks at files only; asking must not start a server. */
int cmd_db_status(int argc, char **argv)
{
    int code = CLI_OK;
    char dir[PATH_MAX];
    if (!plain_parse("db status", argc, argv, &code) ||
        (code = cluster_dir(dir, sizeof dir)) != CLI_OK) {
        return code;
    }
    pgc_error err;
    pgc_cluster_info info = PGC_ZERO;
    pgc_error_clear(&err);
    if (pgc_cluster_inspect(dir, &info, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    if (cli_common_options.json) {
        json_t *object = json_pack("{s:s, s:b, s:b, s:i, s:i, s:b}", "dir", dir, "exists",
                                   info.exists, "running", info.running, "pid", (int) info.pid,
                                   "major", (int) info.major, "in_use", info.users > 0);
        cli_print_json(object);
    } else if (!info.exists) {
        (void) printf("no database yet in %s\n", dir);
    } else if (!info.running) {
        (void) printf("stopped (PostgreSQL %" PRId32 " in %s)\n", info.major, dir);
    } else {
        (void) printf("running (PostgreSQL %" PRId32 ", process %" PRId32 "%s, in %s)\n",
                      info.major, info.pid, info.users > 0 ? ", in use" : "", dir);
    }
    return CLI_OK;
}

/* Runs psql in our place of the process group and gives its exit code. */
int cmd_db_psql(int argc, char **argv)
{
    bool done = false;
    int code = cli_parse("db psql", NULL, 0, &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > PSQL_ARGS_MAX) {
        return cli_usage("db psql", "takes up to %d arguments for psql", PSQL_ARGS_MAX);
    }
    pgc_error err;
    lum_library *library = NULL;
    if (cli_open(&library, NULL, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    /* The environment, not the argument list: a URL may hold a password. Before the fork: the
     * pool's threads may hold locks of libpq at that moment, and the child would wait for ever. */
    if (lum_library_set_psql_env(library, &err) != PGC_OK) {
        lum_library_close(library);
        return cli_fail(&err);
    }
    pid_t pid = fork();
    if (pid == 0) {
        char *arguments[PSQL_ARGS_MAX + 2] = { (char[]) { "psql" } };
        for (int i = 0; i < argc && i < PSQL_ARGS_MAX; i++) {
            arguments[i + 1] = argv[i];
        }
        (void) execvp("psql", arguments);
        (void) fprintf(stderr, "lumilio: psql: %s\nhint: install postgresql-client\n",
                       strerror(errno));
        _exit(127);
    }
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    lum_library_close(library);
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : CLI_FAILED;
}

/* The same counts in both forms. */
static void verify_print(const import_fsck *found)
{
    if (cli_common_options.json) {
        json_t *object = json_pack(
            "{s:I, s:I, s:I, s:I, s:I, s:I}", "assets", (json_int_t) found->assets, "files",
            (json_int_t) found->files, "rows_without_file", (json_int_t) found->rows_without_file,
            "files_without_row", (json_int_t) found->files_without_row, "size_mismatch",
            (json_int_t) found->size_mismatch, "hash_mismatch", (json_int_t) found->hash_mismatch);
        cli_print_json(object);
        return;
    }
    (void) printf("%" PRIu64 " assets, %" PRIu64 " files: %" PRIu64 " rows without file, %" PRIu64
                  " files without row, %" PRIu64 " of wrong size, %" PRIu64 " of wrong content\n",
                  found->assets, found->files, found->rows_without_file, found->files_without_row,
                  found->size_mismatch, found->hash_mismatch);
}

typedef struct verify_call {
    bool quick;
    import_fsck found;
} verify_call;

static pgc_status verify(lum_library *library, lum_session *session, void *arg, pgc_error *err)
{
    verify_call *call = arg;
    return import_check(library, session, !call->quick, &call->found, err);
}

/* Any difference is a failure, so that a script can tell from the exit code. */
int cmd_db_verify(int argc, char **argv)
{
    verify_call call = { .quick = false };
    bool done = false;
    const cli_option options[] = {
        { "quick", NULL, "compare sizes only, not the content", &call.quick, CLI_FLAG },
    };
    int code = cli_parse("db verify", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    pgc_error err;
    pgc_error_clear(&err);
    if (cli_with_library(verify, &call, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    const import_fsck *found = &call.found;
    verify_print(found);
    return found->rows_without_file + found->files_without_row + found->size_mismatch +
                       found->hash_mismatch ==
                   0
               ? CLI_OK
               : CLI_FAILED;
}
