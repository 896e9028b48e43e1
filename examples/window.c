/* A thousand rows by key on one connection, with at most sixteen reads in flight.
 *
 *     cc window.c $(pkg-config --cflags --libs pgc) -o window */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

enum { KEYS = 1000, DEPTH = 16 };

static const pgc_type_ref PARAMS[] = { { "key", "integer", 23 } };
static const pgc_type_ref COLUMNS[] = { { "square", "bigint", 20 } };
static const pgc_query SQUARE = {
    .name = "Square",
    .sql = "SELECT $1::bigint * $1 AS square",
    .hash = 0x5c0a,
    .flags = PGC_QUERY_READ_ONLY,
    .param_count = 1,
    .column_count = 1,
    .params = PARAMS,
    .columns = COLUMNS,
};

/* The arguments are copied; the tag comes back with the answer. */
static pgc_status ask(pgc_window *window, int32_t *key, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, *key);
    pgc_status status = pgc_window_send(window, &SQUARE, &args, key, err);
    pgc_args_done(&args);
    return status;
}

static pgc_status hear(pgc_window *window, int64_t *wrong, pgc_error *err)
{
    void *tag = NULL;
    pgc_result *result = NULL;
    pgc_status status = pgc_window_take(window, &tag, &result, err);
    if (status == PGC_OK) {
        const int64_t key = *(const int32_t *) tag;
        pgc_reader reader;
        pgc_reader_init(&reader, result, &SQUARE);
        *wrong += pgc_read_i64(&reader, 0, 0) != key * key;
        status = pgc_reader_finish(&reader, err);
        pgc_result_free(result);
    }
    return status;
}

/* Full as long as there is something to ask. */
static pgc_status ask_all(pgc_window *window, pgc_error *err)
{
    static int32_t keys[KEYS];
    int32_t sent = 0;
    int64_t wrong = 0;
    pgc_status status = PGC_OK;
    while (status == PGC_OK && (sent < KEYS || pgc_window_count(window) > 0)) {
        if (sent < KEYS && pgc_window_count(window) < DEPTH) {
            keys[sent] = sent;
            status = ask(window, &keys[sent++], err);
        } else {
            status = hear(window, &wrong, err);
        }
    }
    if (status == PGC_OK) {
        printf("%d squares, %d wrong\n", KEYS, (int) wrong);
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    const pgc_window_options how = { .struct_size = sizeof how, .depth = DEPTH };
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_window *window = NULL;
    pgc_status status = pgc_conn_open(&options, &conn, &err);
    if (status == PGC_OK) {
        status = pgc_window_open(pgc_conn_db(conn), &how, &window, &err);
    }
    if (status == PGC_OK) {
        status = ask_all(window, &err);
    }
    pgc_window_close(window); /* before its connection */
    pgc_conn_close(conn);
    if (status != PGC_OK) {
        fprintf(stderr, "window: %s\n", err.message);
        return 1;
    }
    return 0;
}
