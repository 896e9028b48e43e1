/* A PostgreSQL server with settings and certificates of a test's own, on TCP loopback; one that
 * test_server() is not. Certificates come from the openssl program: an authority, a server named
 * "db.test", a client named "certified", and an authority that nobody knows.
 *
 *     server s;
 *     REQUIRE(server_open(&s, "default_transaction_read_only = on\n"));
 *     ... s.port, s.dir.path/ca.crt …
 *     server_close(&s); */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <pgc/conn.h>

#include "base/buf.h"
#include "base/proc.h"

#include "tmpdir.h"

typedef struct server {
    tmpdir dir;
    char bin[200];
    int port;
    pid_t pid;
} server;

static const char SERVER_SETTINGS[] = "listen_addresses = '127.0.0.1'\n"
                                      "fsync = off\n"
                                      "ssl = on\n"
                                      "ssl_cert_file = '../server.crt'\n"
                                      "ssl_key_file = '../server.key'\n"
                                      "ssl_ca_file = '../ca.crt'\n";

static const char SERVER_LOGINS[] = "hostssl all certified 127.0.0.1/32 cert\n"
                                    "host all guarded 127.0.0.1/32 scram-sha-256\n"
                                    "host all all 127.0.0.1/32 trust\n";

/* The system user of the server: root may not run one. */
static inline const char *server_user(void)
{
    return geteuid() == 0 ? "postgres" : NULL;
}

/* Run a program in the server's folder; prints what it said when it failed. */
static inline bool server_run(server *s, const char *user, const char *const *argv, char *line,
                              size_t line_size)
{
    pgc_error err;
    buf output;
    int code = -1;
    buf_init(&output, NULL, 1 << 20);
    const proc_options options = {
        .argv = argv, .dir = s->dir.path, .user = user, .timeout_us = 60000000, .output = &output
    };
    bool ok = proc_run(env_default(), &options, &code, &err) == PGC_OK && code == 0;
    slice said = slice_trim(buf_view(&output));
    if (!ok) {
        printf("# %s: %.*s\n", argv[0], (int) said.len, said.ptr);
    } else if (line != NULL) {
        (void) snprintf(line, line_size, "%.*s", (int) said.len, said.ptr);
    }
    buf_done(&output);
    return ok;
}

static inline bool server_key(server *s, const char *file, const char *name)
{
    char key[40], request[40], subject[60];
    (void) snprintf(key, sizeof key, "%s.key", file);
    (void) snprintf(request, sizeof request, "%s.csr", file);
    (void) snprintf(subject, sizeof subject, "/CN=%s", name);
    const char *const argv[] = { "openssl", "req",      "-newkey",
                                 "ec",      "-pkeyopt", "ec_paramgen_curve:P-256",
                                 "-nodes",  "-keyout",  key,
                                 "-out",    request,    "-subj",
                                 subject,   NULL };
    return server_run(s, NULL, argv, NULL, 0);
}

static inline bool server_authority(server *s, const char *file)
{
    char key[40], cert[40];
    (void) snprintf(key, sizeof key, "%s.key", file);
    (void) snprintf(cert, sizeof cert, "%s.crt", file);
    const char *const argv[] = { "openssl",
                                 "req",
                                 "-x509",
                                 "-newkey",
                                 "ec",
                                 "-pkeyopt",
                                 "ec_paramgen_curve:P-256",
                                 "-nodes",
                                 "-days",
                                 "2",
                                 "-keyout",
                                 key,
                                 "-out",
                                 cert,
                                 "-subj",
                                 "/CN=authority of a test",
                                 NULL };
    return server_run(s, NULL, argv, NULL, 0);
}

static inline bool server_certificate(server *s, const char *file, const char *name)
{
    char request[40], cert[40];
    (void) snprintf(request, sizeof request, "%s.csr", file);
    (void) snprintf(cert, sizeof cert, "%s.crt", file);
    const char *const argv[] = { "openssl", "x509",   "-req",   "-in",    request,
                                 "-CA",     "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                                 "-days",   "2",      "-out",   cert,     NULL };
    return server_key(s, file, name) && server_run(s, NULL, argv, NULL, 0);
}

static inline bool server_write(const server *s, const char *name, const char *mode,
                                const char *text)
{
    char path[120];
    (void) snprintf(path, sizeof path, "%s/%s", s->dir.path, name);
    FILE *file = fopen(path, mode);
    bool ok = file != NULL && fputs(text, file) >= 0;
    return file != NULL && fclose(file) == 0 && ok;
}

/* The folder and the key belong to whoever runs the server. */
static inline bool server_hand_over(const server *s)
{
    char key[100];
    (void) snprintf(key, sizeof key, "%s/server.key", s->dir.path);
    if (server_user() == NULL) {
        return true;
    }
    const struct passwd *who = getpwnam(server_user());
    return who != NULL && chown(s->dir.path, who->pw_uid, who->pw_gid) == 0 &&
           chown(key, who->pw_uid, who->pw_gid) == 0;
}

/* A port that nobody listens on now. */
static inline int server_free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (const struct sockaddr *) &at, size) == 0 &&
              getsockname(fd, (struct sockaddr *) &at, &size) == 0;
    if (fd >= 0) {
        (void) close(fd);
    }
    return ok ? ntohs(at.sin_port) : 0;
}

/* Does it answer? Ends when the process does. */
static inline bool server_wait(const server *s)
{
    char conninfo[120];
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable",
                    s->port);
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = conninfo };
    for (int i = 0; i < 600 && waitpid(s->pid, NULL, WNOHANG) == 0; i++) {
        pgc_error err;
        pgc_conn *conn = NULL;
        if (pgc_conn_open(&options, &conn, &err) == PGC_OK) {
            pgc_conn_close(conn);
            return true;
        }
        env_default()->clock->sleep_us(NULL, 50000);
    }
    return false;
}

static inline bool server_start(server *s)
{
    char program[220], port[40], socket_dir[120];
    pgc_error err;
    s->port = server_free_port();
    (void) snprintf(program, sizeof program, "%s/postgres", s->bin);
    (void) snprintf(port, sizeof port, "port=%d", s->port);
    (void) snprintf(socket_dir, sizeof socket_dir, "unix_socket_directories=%s", s->dir.path);
    const char *const argv[] = { program, "-D", "data", "-c", port, "-c", socket_dir, NULL };
    const proc_options options = {
        .argv = argv, .dir = s->dir.path, .user = server_user(), .new_session = true
    };
    return s->port != 0 && proc_spawn(env_default(), &options, &s->pid, &err) == PGC_OK &&
           server_wait(s);
}

static inline void server_close(server *s)
{
    if (s->pid > 0) {
        (void) kill(s->pid, SIGQUIT);
        (void) waitpid(s->pid, NULL, 0);
        s->pid = 0;
    }
    tmpdir_remove(&s->dir);
}

/* With more settings. False after a diagnostic line. */
static inline bool server_open(server *s, const char *settings)
{
    char initdb[220];
    static const char *const ASK_BIN[] = { "pg_config", "--bindir", NULL };
    *s = (server) { .dir = tmpdir_make() };
    bool ok = s->dir.fd >= 0 && server_run(s, NULL, ASK_BIN, s->bin, sizeof s->bin);
    (void) snprintf(initdb, sizeof initdb, "%s/initdb", s->bin);
    const char *const argv[] = {
        initdb, "-D", "data", "-U", "postgres", "-A", "trust", "-N", NULL
    };
    ok = ok && server_authority(s, "ca") && server_authority(s, "stranger") &&
         server_certificate(s, "server", "db.test") &&
         server_certificate(s, "client", "certified") && server_hand_over(s) &&
         server_run(s, server_user(), argv, NULL, 0) &&
         server_write(s, "data/postgresql.conf", "a", SERVER_SETTINGS) &&
         server_write(s, "data/postgresql.conf", "a", settings) &&
         server_write(s, "data/pg_hba.conf", "w", SERVER_LOGINS) && server_start(s);
    if (!ok) {
        printf("# no server of our own\n");
        server_close(s);
    }
    return ok;
}

#endif
