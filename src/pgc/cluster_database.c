/* What a private cluster asks its server: that the database exists, and that it has read the list
 * of logins again. Connects as the superuser. One thread per cluster handle. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "pgc/cluster_parts.h"

#define CONNECT_TIMEOUT_US INT64_C(30000000)

/* No password and no TLS are involved: the socket's folder is private and the server asks the
 * kernel who we are. */
static pgc_status connect_to(const pgc_cluster *c, const char *database, pgc_conn **out,
                             pgc_error *err)
{
    char conninfo[512];
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=%s port=" CLUSTER_PORT " user=" CLUSTER_SUPERUSER " dbname=%s", c->socket,
                    database);
    pgc_conn_options options = {
        .struct_size = sizeof options,
        .conninfo = conninfo,
        .app_name = "cluster",
        .connect_timeout_us = CONNECT_TIMEOUT_US,
        .alloc = c->e.alloc,
    };
    return pgc_conn_open(&options, out, err);
}

static void close_auto(pgc_conn **conn)
{
    pgc_conn_close(*conn);
}

/* Lower-case letters, digits and underscores: safe between double quotes and in a conninfo. */
static bool database_name_is_plain(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return len > 0 && len < 64 && name[len] == '\0';
}

/* From template1, with the collation that initdb chose. Two processes may come here at once when
 * they open different databases of one cluster; the loser finds its wish fulfilled. */
static pgc_status create_database(const pgc_cluster *c, const char *database, pgc_error *err)
{
    AUTO(close_auto) pgc_conn *conn = NULL;
    char sql[128];
    (void) snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\"", database);
    TRY(connect_to(c, CLUSTER_SUPERUSER, &conn, err));
    pgc_error mine;
    pgc_status status = pgc_conn_script(conn, sql, 0, NULL, &mine);
    if (status != PGC_OK && strcmp(mine.sqlstate, "42P04") == 0) {
        return PGC_OK; /* somebody else made it meanwhile */
    }
    if (status != PGC_OK && err != NULL) {
        *err = mine;
    }
    return pgc_error_wrap(err, status, "create database %s", database);
}

/* When the server last read its settings, as text. */
static pgc_status load_time(pgc_conn *conn, char *out, size_t size, pgc_error *err)
{
    pgc_result *result = NULL;
    TRY(pgc_conn_script(conn, "SELECT pg_conf_load_time()::text", 0, &result, err));
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    pgc_text text = pgc_read_text(&reader, 0, 0);
    (void) snprintf(out, size, "%" SLICE_FMT, SLICE_ARG(text));
    pgc_status status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    return status;
}

/* New connections are forked from the server's first process, so the load time that they see tells
 * when that one has reloaded. */
static pgc_status reload(const pgc_cluster *c, pgc_error *err)
{
    char before[64];
    char now[64];
    AUTO(close_auto) pgc_conn *first = NULL;
    TRY(connect_to(c, CLUSTER_SUPERUSER, &first, err));
    TRY(load_time(first, before, sizeof before, err));
    TRY(pgc_conn_script(first, "SELECT pg_reload_conf()", 0, NULL, err));
    for (;;) {
        AUTO(close_auto) pgc_conn *conn = NULL;
        TRY(connect_to(c, CLUSTER_SUPERUSER, &conn, err));
        TRY(load_time(conn, now, sizeof now, err));
        if (strcmp(before, now) != 0) {
            return PGC_OK;
        }
        if (!cluster_pause(c)) {
            return pgc_error_set(err, PGC_TIMEOUT, "server of %s does not reload its logins",
                                 c->data);
        }
    }
}

/* Connecting to the database is the test whether it exists, and that the server answers. */
pgc_status cluster_prepare_database(pgc_cluster *c, const char *database, bool must_reload,
                                    pgc_error *err)
{
    if (!database_name_is_plain(database)) {
        return pgc_error_set(err, PGC_INVALID,
                             "database name \"%s\": use lower-case letters, digits, underscores",
                             database);
    }
    if (must_reload) {
        TRY(reload(c, err));
    }
    AUTO(close_auto) pgc_conn *conn = NULL;
    pgc_error mine;
    pgc_status status = connect_to(c, database, &conn, &mine);
    if (status != PGC_OK && strcmp(mine.sqlstate, "3D000") == 0) {
        return create_database(c, database, err);
    }
    if (status != PGC_OK && err != NULL) {
        *err = mine;
    }
    return status;
}
