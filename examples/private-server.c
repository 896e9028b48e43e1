/* A PostgreSQL of one's own: made, started, used and stopped by the program. Programs that name the
 * same folder share it; the first one starts it and the last one stops it.
 *
 *     cc private-server.c $(pkg-config --cflags --libs pgc) -o private-server
 *     ./private-server ./data */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

/* Counts the starts of this program: the data stays between them. */
static pgc_status count_start(pgc_conn *conn, pgc_error *err)
{
    pgc_result *result = NULL;
    pgc_status status =
        pgc_conn_script(conn,
                        "CREATE TABLE IF NOT EXISTS start (at timestamptz NOT NULL DEFAULT now());"
                        "INSERT INTO start DEFAULT VALUES;"
                        "SELECT count(*) FROM start",
                        0, &result, err);
    if (status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, NULL); /* a script's rows are text of any shape */
        pgc_text count = pgc_read_text(&reader, 0, 0);
        status = pgc_reader_finish(&reader, err);
        printf("start number %.*s\n", (int) count.len, count.ptr);
    }
    pgc_result_free(result);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: private-server FOLDER\n");
        return 2;
    }
    const pgc_cluster_options options = {
        .struct_size = sizeof options,
        .dir = argv[1],      /* data, socket and locks; nobody else may enter */
        .database = "diary", /* created when it is missing */
    };
    pgc_error err;
    pgc_cluster *cluster = NULL;
    pgc_conn *conn = NULL;
    pgc_status status = pgc_cluster_open(&options, &cluster, &err);
    if (status == PGC_OK) {
        const pgc_conn_options to = { .struct_size = sizeof to,
                                      .conninfo = pgc_cluster_conninfo(cluster) };
        status = pgc_conn_open(&to, &conn, &err);
    }
    if (status == PGC_OK) {
        status = count_start(conn, &err);
    }
    pgc_conn_close(conn);
    pgc_cluster_close(cluster);
    if (status != PGC_OK) {
        fprintf(stderr, "private-server: %s\n", err.message);
        if (err.hint[0] != '\0') {
            fprintf(stderr, "hint: %s\n", err.hint); /* e.g. which package to install */
        }
        return 1;
    }
    return 0;
}
