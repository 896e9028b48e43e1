/* Two sessions of which one must wait for the other, and scripts of migrations. */
#ifndef TEST_TURNS_H
#define TEST_TURNS_H

#include <fcntl.h>
#include <pthread.h>

#include <pgc/error.h>

#include "base/env.h"
#include "base/file.h"
#include "schema.h"
#include "tap.h"

typedef struct turns_aside {
    pgc_conn *conn;
    const char *sql;
    char state[6];
} turns_aside;

static inline void *turns_main(void *arg)
{
    turns_aside *one = (turns_aside *) arg;
    char got[64];
    schema_ask(one->conn, one->sql, got, sizeof got, one->state);
    return NULL;
}

/* The server knows what waits for what; it is asked until it says so. */
static inline bool turns_wait(pgc_conn *root, const char *pid)
{
    char what[256];
    char got[64] = "0";
    char state[6] = "";
    (void) snprintf(what, sizeof what,
                    "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = "
                    "'Lock'",
                    pid);
    for (int i = 0; i < 20000 && strcmp(got, "0") == 0 && state[0] == '\0'; i++) {
        schema_ask(root, what, got, sizeof got, state);
    }
    return strcmp(got, "1") == 0;
}

/* `first` does its part and stays, `second` must wait for it; then both go on. */
static inline void turns_run(pgc_conn *root, const char *url, const char *first, const char *second)
{
    pthread_t thread;
    char got[64];
    char state[6];
    char pid[64];
    pgc_conn *one = schema_connect(url);
    turns_aside two = { .conn = schema_connect(url), .sql = second };
    if (!CHECK(one != NULL && two.conn != NULL)) {
        pgc_conn_close(one);
        pgc_conn_close(two.conn);
        return;
    }
    schema_ask(two.conn, "SELECT pg_backend_pid()", pid, sizeof pid, state);
    schema_ask(one, "BEGIN", got, sizeof got, state);
    schema_ask(one, first, got, sizeof got, state);
    CHECK_STR(state, "");
    bool started = CHECK_INT(pthread_create(&thread, NULL, turns_main, &two), 0);
    CHECK(started && turns_wait(root, pid));
    schema_ask(one, "COMMIT", got, sizeof got, state);
    CHECK_STR(state, "");
    if (started) {
        (void) pthread_join(thread, NULL);
    }
    CHECK_STR(two.state, "");
    pgc_conn_close(one);
    pgc_conn_close(two.conn);
}

/* db/migrations/NAME, which may be down/…, as it is. */
static inline bool turns_script(pgc_conn *root, const char *name)
{
    pgc_error err;
    char path[512];
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 1 << 20);
    pgc_error_clear(&err);
    (void) snprintf(path, sizeof path, TEST_SOURCE_ROOT "/db/migrations/%s", name);
    return CHECK_STATUS(file_read(env_default(), AT_FDCWD, path, &text, &err), PGC_OK, &err) &&
           CHECK_STATUS(pgc_conn_script(root, buf_view(&text).ptr, 0, NULL, &err), PGC_OK, &err);
}

#endif
