/* Unnamed mode behind a pooler in transaction mode: two server sessions for everybody, another one
 * for each transaction. Starts a pgbouncer of its own on a UNIX socket; skips where there is none.
 */
#include "base/prelude.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <pgc/pipeline.h>
#include <pgc/pool.h>
#include <pgc/rows.h>
#include <pgc/tx.h>

#include "pgc/auto.h"

#include "live.h"
#include "tap.h"

#define PROGRAM "/usr/sbin/pgbouncer"
#define THREADS 8
#define ROUNDS  60

static const pgc_type_ref P_INT4[] = { { "n", "integer", 23 } };
static const pgc_type_ref C_INT4[] = { { "x", "integer", 23 } };
static const pgc_type_ref C_TEXT[] = { { "t", "text", 25 } };
static const pgc_type_ref C_MOOD[] = { { "m", "mood", 0 } };

static const pgc_query DOUBLE = { .name = "Double",
                                  .sql = "SELECT 2 * $1 AS x",
                                  .param_count = 1,
                                  .column_count = 1,
                                  .params = P_INT4,
                                  .columns = C_INT4 };
static const pgc_query COUNT_TO = { .name = "CountTo",
                                    .sql = "SELECT generate_series(1, $1) AS x",
                                    .flags = PGC_QUERY_READ_ONLY,
                                    .param_count = 1,
                                    .column_count = 1,
                                    .params = P_INT4,
                                    .columns = C_INT4 };
static const pgc_query WHO = { .name = "Who",
                               .sql = "SELECT coalesce(current_setting('app.user_id', true), '')"
                                      " AS t",
                               .column_count = 1,
                               .columns = C_TEXT };
static const pgc_query BACKEND = {
    .name = "Backend", .sql = "SELECT pg_backend_pid() AS x", .column_count = 1, .columns = C_INT4
};
static const pgc_query PREPARED = { .name = "Prepared",
                                    .sql = "SELECT count(*)::int4 AS x FROM pg_prepared_statements",
                                    .column_count = 1,
                                    .columns = C_INT4 };
static const pgc_query MOOD = { .name = "Mood",
                                .sql = "SELECT $1::mood AS m",
                                .param_count = 1,
                                .column_count = 1,
                                .params = C_MOOD,
                                .columns = C_MOOD };

static struct bouncer {
    char dir[64];
    char url[200];
    pid_t pid;
    const char *missing; /* why there is none */
} bouncer;

static void stop_bouncer(void)
{
    if (bouncer.pid > 0) {
        (void) kill(bouncer.pid, SIGTERM);
        (void) waitpid(bouncer.pid, NULL, 0);
    }
    char path[100];
    (void) snprintf(path, sizeof path, "%s/conf.ini", bouncer.dir);
    (void) unlink(path);
    (void) snprintf(path, sizeof path, "%s/.s.PGSQL.6432", bouncer.dir);
    (void) unlink(path);
    (void) rmdir(bouncer.dir);
}

/* A value of the test server's connection string. */
static void server_value(const char *key, char *out, size_t size)
{
    PQconninfoOption *all = PQconninfoParse(test_server(), NULL);
    (void) snprintf(out, size, "%s", "");
    for (const PQconninfoOption *one = all; one != NULL && one->keyword != NULL; one++) {
        if (strcmp(one->keyword, key) == 0 && one->val != NULL) {
            (void) snprintf(out, size, "%s", one->val);
        }
    }
    PQconninfoFree(all);
}

/* Round robin: each transaction gets the server session that waited longest. */
static bool write_conf(void)
{
    char path[100], host[128], port[16], user[64];
    server_value("host", host, sizeof host);
    server_value("port", port, sizeof port);
    server_value("user", user, sizeof user);
    (void) snprintf(path, sizeof path, "%s/conf.ini", bouncer.dir);
    FILE *conf = fopen(path, "w");
    if (conf == NULL) {
        return false;
    }
    (void) fprintf(conf,
                   "[databases]\n* = host=%s port=%s user=%s\n[pgbouncer]\nlisten_addr =\n"
                   "listen_port = 6432\nunix_socket_dir = %s\nauth_type = any\n"
                   "pool_mode = transaction\ndefault_pool_size = 2\nserver_round_robin = 1\n"
                   "log_connections = 0\nlog_disconnections = 0\nlog_stats = 0\n",
                   host, port[0] == '\0' ? "5432" : port, user[0] == '\0' ? "postgres" : user,
                   bouncer.dir);
    return fclose(conf) == 0 && chmod(path, 0644) == 0;
}

/* It refuses to run as root. */
static void exec_bouncer(const int *pipe_fds, bool as_postgres)
{
    char path[100];
    (void) snprintf(path, sizeof path, "%s/conf.ini", bouncer.dir);
    (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void) dup2(pipe_fds[1], STDERR_FILENO);
    (void) dup2(pipe_fds[1], STDOUT_FILENO);
    (void) close(pipe_fds[0]);
    if (as_postgres) {
        (void) execl(PROGRAM, PROGRAM, "-u", "postgres", path, (char *) NULL);
    } else {
        (void) execl(PROGRAM, PROGRAM, path, (char *) NULL);
    }
    _exit(127);
}

/* Its log says when the socket is there. The pipe stays open: its last words need a reader. */
static bool wait_until_up(int fd)
{
    char log[4000];
    size_t len = 0;
    while (len + 1 < sizeof log) {
        ssize_t got = read(fd, log + len, sizeof log - 1 - len);
        if (got <= 0) {
            break;
        }
        len += (size_t) got;
        log[len] = '\0';
        if (strstr(log, "process up") != NULL) {
            return true;
        }
    }
    printf("# pgbouncer: %.*s\n", (int) len, log);
    return false;
}

static bool start_bouncer(void)
{
    struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
    int fds[2];
    (void) snprintf(bouncer.dir, sizeof bouncer.dir, "/tmp/lum-pgb-XXXXXX");
    if (mkdtemp(bouncer.dir) == NULL || !write_conf() || pipe(fds) != 0) {
        return false;
    }
    if (user != NULL && chown(bouncer.dir, user->pw_uid, user->pw_gid) != 0) {
        return false;
    }
    (void) chmod(bouncer.dir, 0755);
    (void) atexit(stop_bouncer);
    bouncer.pid = fork();
    if (bouncer.pid == 0) {
        exec_bouncer(fds, user != NULL);
    }
    (void) close(fds[1]);
    return bouncer.pid > 0 && wait_until_up(fds[0]);
}

/* Connection string by way of the pooler; NULL: see bouncer.missing. */
static const char *bouncer_url(void)
{
    if (bouncer.url[0] != '\0' || bouncer.missing != NULL) {
        return bouncer.missing == NULL ? bouncer.url : NULL;
    }
    char host[128];
    server_value("host", host, sizeof host);
    if (access(PROGRAM, X_OK) != 0) {
        bouncer.missing = "pgbouncer is not installed";
    } else if (host[0] != '/') {
        bouncer.missing = "the test server has no UNIX socket";
    } else if (getuid() == 0 && getpwnam("postgres") == NULL) {
        bouncer.missing = "there is no user postgres to run pgbouncer as";
    } else if (start_bouncer()) {
        (void) snprintf(bouncer.url, sizeof bouncer.url,
                        "host=%s port=6432 dbname=postgres user=postgres", bouncer.dir);
        return bouncer.url;
    } else {
        bouncer.missing = "";
    }
    return NULL;
}

/* Skips where there can be none; fails where one does not start. */
#define BEHIND_BOUNCER(pool, conns)                            \
    REQUIRE(test_server() != NULL);                            \
    if (bouncer_url() == NULL && bouncer.missing[0] != '\0') { \
        TAP_SKIP(bouncer.missing);                             \
    }                                                          \
    REQUIRE(bouncer_url() != NULL);                            \
    AUTO(pool_auto) pgc_pool *pool = open_pool(conns);         \
    REQUIRE(pool != NULL)

static pgc_pool *open_pool(uint32_t conns)
{
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = bouncer_url(),
                                                 .unnamed_statements = true },
                                       .max_conns = conns,
                                       .min_conns = 1 };
    pgc_error err;
    pgc_pool *pool = NULL;
    if (pgc_pool_open(&options, &pool, &err) != PGC_OK) {
        printf("# %s\n", err.message);
    }
    return pool;
}

static pgc_status run_int(pgc_db *db, const pgc_query *query, int32_t n, int32_t *out,
                          pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    if (query->param_count > 0) {
        pgc_add_i32(&args, n);
    }
    AUTO(rows_auto) pgc_result *result = NULL;
    pgc_status status = pgc_db_run(db, query, &args, &result, err);
    pgc_args_done(&args);
    if (status != PGC_OK) {
        return status;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, query);
    *out = pgc_read_i32(&reader, 0, 0);
    return pgc_reader_finish(&reader, err);
}

/* True when the server sees the identity `want`. */
static bool is_who(pgc_db *db, const char *want, pgc_error *err)
{
    AUTO(rows_auto) pgc_result *result = NULL;
    if (pgc_db_run(db, &WHO, NULL, &result, err) != PGC_OK) {
        return false;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, &WHO);
    pgc_text who = pgc_read_text(&reader, 0, 0);
    return who.len == strlen(want) && memcmp(who.ptr, want, who.len) == 0;
}

static void every_transaction_has_another_backend(void)
{
    BEHIND_BOUNCER(pool, 1);
    pgc_error err;
    int32_t backends[4] = { 0 };
    /* Two sessions exist once two transactions overlap. */
    AUTO(pool_auto) pgc_pool *other = open_pool(1);
    REQUIRE(other != NULL);
    AUTO(tx_auto) pgc_tx *tx = NULL;
    int32_t x = 0;
    REQUIRE_OK(pgc_tx_begin(other, NULL, &tx, &err), &err);
    REQUIRE_OK(run_int(pgc_tx_db(tx), &BACKEND, 0, &x, &err), &err);
    REQUIRE_OK(run_int(pgc_pool_db(pool), &BACKEND, 0, &x, &err), &err);
    REQUIRE_OK(pgc_tx_commit(&tx, &err), &err);
    for (int i = 0; i < 4; i++) {
        REQUIRE_OK(run_int(pgc_pool_db(pool), &BACKEND, 0, &backends[i], &err), &err);
    }
    CHECK(backends[0] != backends[1]);
    CHECK_INT(backends[0], backends[2]);
    CHECK_INT(backends[1], backends[3]);
}

/* What one thread does, over and over; the number of wrong answers. */
typedef struct worker {
    pgc_pool *pool;
    int32_t number;
    int wrong;
    pgc_error err;
} worker;

static bool transaction_is_one_session(worker *me)
{
    int32_t first = 0, second = 1;
    pgc_tx *tx = NULL;
    bool good = pgc_tx_begin(me->pool, NULL, &tx, &me->err) == PGC_OK &&
                run_int(pgc_tx_db(tx), &BACKEND, 0, &first, &me->err) == PGC_OK &&
                run_int(pgc_tx_db(tx), &BACKEND, 0, &second, &me->err) == PGC_OK && first == second;
    good = good && pgc_tx_commit(&tx, &me->err) == PGC_OK;
    pgc_tx_rollback(tx);
    return good;
}

static bool rows_come_in_order(worker *me, pgc_db *db)
{
    pgc_args args;
    pgc_rows *rows = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, 300);
    bool good = pgc_rows_open(db, &COUNT_TO, &args, NULL, &rows, &me->err) == PGC_OK;
    pgc_args_done(&args);
    for (int32_t i = 1; i <= 300 && good; i++) {
        bool more = false;
        good = pgc_rows_next(rows, &more, &me->err) == PGC_OK && more &&
               pgc_read_i32(pgc_rows_reader(rows), pgc_rows_index(rows), 0) == i;
    }
    pgc_rows_close(rows);
    return good;
}

static void *work(void *arg)
{
    worker *me = arg;
    char number[16];
    (void) snprintf(number, sizeof number, "%" PRId32, me->number);
    const pgc_setting identity = { "app.user_id", number };
    pgc_scope *scope = NULL;
    if (pgc_scope_open(me->pool, &identity, 1, &scope, &me->err) != PGC_OK) {
        me->wrong = ROUNDS;
        return NULL;
    }
    for (int32_t i = 0; i < ROUNDS && me->wrong == 0; i++) {
        int32_t x = 0;
        int32_t n = me->number * 1000 + i;
        bool good =
            run_int(pgc_pool_db(me->pool), &DOUBLE, n, &x, &me->err) == PGC_OK && x == 2 * n;
        good = good && is_who(pgc_scope_db(scope), number, &me->err);
        good = good && is_who(pgc_pool_db(me->pool), "", &me->err);
        good = good && transaction_is_one_session(me);
        good = good && (i % 10 != 0 || rows_come_in_order(me, pgc_scope_db(scope)));
        me->wrong += good ? 0 : 1;
    }
    pgc_scope_close(scope);
    return NULL;
}

static void eight_threads_on_two_backends_get_their_own_answers(void)
{
    BEHIND_BOUNCER(pool, THREADS);
    worker workers[THREADS];
    pthread_t threads[THREADS];
    for (int32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker) { .pool = pool, .number = i + 1 };
        REQUIRE(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void) pthread_join(threads[i], NULL);
        CHECK_INT(workers[i].wrong, 0);
        if (workers[i].wrong > 0) {
            printf("# %s\n", workers[i].err.message);
        }
    }
    pgc_error err;
    for (int i = 0; i < 4; i++) {
        int32_t prepared = 1;
        REQUIRE_OK(run_int(pgc_pool_db(pool), &PREPARED, 0, &prepared, &err), &err);
        CHECK_INT(prepared, 0);
    }
    pgc_pool_stats stats;
    pgc_pool_get_stats(pool, &stats);
    CHECK_INT(stats.broken_close_count + stats.dirty_release_count, 0);
}

static void an_error_in_the_group_leaves_no_identity(void)
{
    BEHIND_BOUNCER(pool, 1);
    static const pgc_query bad = { .name = "Bad", .sql = "SELECT 1 / 0" };
    pgc_error err;
    const pgc_setting identity = { "app.user_id", "7" };
    AUTO(scope_auto) pgc_scope *scope = NULL;
    REQUIRE_OK(pgc_scope_open(pool, &identity, 1, &scope, &err), &err);
    for (int i = 0; i < 4; i++) {
        CHECK_STATUS(pgc_db_run(pgc_scope_db(scope), &bad, NULL, NULL, &err), PGC_INVALID, &err);
        CHECK(is_who(pgc_pool_db(pool), "", &err));
        CHECK(is_who(pgc_scope_db(scope), "7", &err));
    }
}

static void types_of_the_database_are_known_on_every_backend(void)
{
    BEHIND_BOUNCER(pool, 2);
    AUTO(live_close) pgc_conn *direct = live_open();
    REQUIRE(direct != NULL);
    REQUIRE(live_do(direct, "DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('good')"));
    pgc_error err;
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from("good"));
    for (int i = 0; i < 4; i++) {
        CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), &MOOD, &args, NULL, &err), PGC_OK, &err);
    }
    pgc_args_done(&args);
    REQUIRE(live_do(direct, "DROP TYPE mood"));
}

static void refused_startup_parameters_name_the_way_out(void)
{
    BEHIND_BOUNCER(pool, 1);
    const pgc_setting setting = { "work_mem", "1MB" };
    pgc_conn_options options = { .struct_size = sizeof options,
                                 .conninfo = bouncer_url(),
                                 .unnamed_statements = true,
                                 .settings = &setting,
                                 .setting_count = 1 };
    pgc_error err;
    pgc_conn *conn = NULL;
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_CONNECTION, &err);
    CHECK(strstr(err.hint, "ignore_startup_parameters") != NULL);
    CHECK(!err.retry);
    /* What would reach other clients of the pooler is refused here. */
    options.settings_late = true;
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_INVALID, &err);
    CHECK(err.hint[0] != '\0');
    options.settings = NULL;
    options.setting_count = 0;
    options.role = "somebody";
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_INVALID, &err);
    CHECK(conn == NULL);
}

TAP_MAIN(TAP("pgbouncer: every transaction has another backend",
             every_transaction_has_another_backend),
         TAP("pgbouncer: eight threads on two backends get their own answers",
             eight_threads_on_two_backends_get_their_own_answers),
         TAP("pgbouncer: an error in the group leaves no identity",
             an_error_in_the_group_leaves_no_identity),
         TAP("pgbouncer: types of the database are known on every backend",
             types_of_the_database_are_known_on_every_backend),
         TAP("pgbouncer: refused startup parameters name the way out",
             refused_startup_parameters_name_the_way_out))
