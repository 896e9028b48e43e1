/* What the library does, seen from outside: one line per connect, query and message of the server,
 * and the sum of them. The names of the fields' meanings are those of OpenTelemetry.
 *
 *     cc hooks.c $(pkg-config --cflags --libs pgc) -o hooks */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

/* Several threads may call when a pool has the hooks; here there is one. */
typedef struct counters {
    int queries, failures;
    int64_t busy_us;
} counters;

static void on_connect(void *ctx, const pgc_connect_event *event)
{
    (void) ctx;
    printf("connect: %s\n", pgc_status_text(event->status));
}

/* The query's text never holds values: it may go to a log. */
static void on_query_end(void *ctx, const pgc_query_event *event, void *span)
{
    counters *all = ctx;
    (void) span; /* what on_query_start() stored; there is none here */
    all->queries++;
    all->failures += event->status != PGC_OK;
    all->busy_us += event->duration_us;
    printf("query %s: %s%s%s, %lld rows\n", event->name, pgc_status_text(event->status),
           event->sqlstate[0] == '\0' ? "" : " ", event->sqlstate, (long long) event->rows);
}

static void on_notice(void *ctx, const pgc_notice_event *event)
{
    (void) ctx;
    printf("%s: %s\n", event->severity, event->message);
}

static const pgc_type_ref INT4[] = { { "n", "integer", 23 } };
static const pgc_query DIVIDE = {
    .name = "Divide",
    .sql = "SELECT 84 / $1::integer AS n",
    .hash = 0xd1,
    .param_count = 1,
    .column_count = 1,
    .params = INT4,
    .columns = INT4,
};

static pgc_status divide(pgc_db *db, int32_t by, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, by);
    pgc_status status = pgc_db_run(db, &DIVIDE, &args, NULL, err);
    pgc_args_done(&args);
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    counters all = { 0, 0, 0 };
    const pgc_hooks hooks = {
        .struct_size = sizeof hooks,
        .ctx = &all,
        .on_connect = on_connect, /* whatever stays NULL costs nothing */
        .on_query_end = on_query_end,
        .on_notice = on_notice,
    };
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = url,
                                       .hooks = &hooks };
    pgc_error err;
    pgc_conn *conn = NULL;
    if (pgc_conn_open(&options, &conn, &err) != PGC_OK ||
        divide(pgc_conn_db(conn), 2, &err) != PGC_OK ||
        divide(pgc_conn_db(conn), 0, &err) == PGC_OK || /* fails, and is told twice: here, there */
        pgc_conn_script(conn, "DO $$ BEGIN RAISE WARNING 'mind the gap'; END $$", 0, NULL, &err) !=
            PGC_OK) {
        fprintf(stderr, "hooks: %s\n", err.message);
        pgc_conn_close(conn);
        return 1;
    }
    pgc_conn_close(conn);
    printf("%d queries, %d failed, %s\n", all.queries, all.failures,
           all.busy_us > 0 ? "some time spent" : "no time at all");
    return 0;
}
