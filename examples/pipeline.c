/* A thousand rows in one round trip, and what becomes of a mistake among them.
 *
 *     cc pipeline.c $(pkg-config --cflags --libs pgc) -o pipeline */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

enum { READINGS = 1000 };

static const pgc_type_ref ADD_PARAMS[] = { { "at", "integer", 23 },
                                           { "celsius", "double precision", 701 } };
static const pgc_query ADD = {
    .name = "AddReading",
    .sql = "INSERT INTO reading (at, celsius) VALUES ($1, $2)",
    .hash = 0xadd1,
    .param_count = 2,
    .params = ADD_PARAMS,
};

/* Queues only: nothing is sent before the run. The arguments are copied. */
static pgc_status add(pgc_pipeline *pipeline, int32_t at, double celsius, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, at);
    pgc_add_f64(&args, celsius);
    pgc_status status = pgc_pipeline_add(pipeline, &ADD, &args, NULL, err);
    pgc_args_done(&args);
    return status;
}

/* Atomic: one implicit transaction, all or nothing. */
static pgc_status all_at_once(pgc_conn *conn, pgc_error *err)
{
    pgc_pipeline *pipeline = NULL;
    pgc_status status = pgc_pipeline_open(conn, PGC_PIPELINE_ATOMIC, &pipeline, err);
    for (int32_t at = 0; at < READINGS && status == PGC_OK; at++) {
        status = add(pipeline, at, 20.0 + at % 7, err);
    }
    if (status == PGC_OK) {
        status = pgc_pipeline_run(pipeline, err);
    }
    if (status == PGC_OK) {
        printf("atomic: %d rows\n", READINGS);
    }
    pgc_pipeline_close(pipeline);
    return status;
}

/* Isolated: every query commits alone, and the error says which one failed. */
static pgc_status each_alone(pgc_conn *conn, pgc_error *err)
{
    static const double CELSIUS[] = { 21.5, -500.0, 22.5 };
    pgc_pipeline *pipeline = NULL;
    pgc_status status = pgc_pipeline_open(conn, PGC_PIPELINE_ISOLATED, &pipeline, err);
    for (int32_t i = 0; i < 3 && status == PGC_OK; i++) {
        status = add(pipeline, READINGS + i, CELSIUS[i], err);
    }
    if (status == PGC_OK && pgc_pipeline_run(pipeline, err) != PGC_OK) {
        printf("isolated: %s\n", err->constraint); /* of the first failure; the others went on */
    }
    for (size_t i = 0; i < 3 && status == PGC_OK; i++) {
        pgc_error own;
        printf("row %zu: %s\n", i, pgc_status_text(pgc_pipeline_take(pipeline, i, NULL, &own)));
    }
    pgc_pipeline_close(pipeline);
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_status status = pgc_conn_open(&options, &conn, &err);
    if (status == PGC_OK) {
        status = pgc_conn_script(conn,
                                 "CREATE TABLE reading (at int PRIMARY KEY, celsius float8 NOT NULL"
                                 " CONSTRAINT reading_possible CHECK (celsius > -273.15))",
                                 0, NULL, &err);
    }
    if (status == PGC_OK && (status = all_at_once(conn, &err)) == PGC_OK) {
        status = each_alone(conn, &err);
    }
    pgc_conn_close(conn);
    if (status != PGC_OK) {
        fprintf(stderr, "pipeline: %s\n", err.message);
        return 1;
    }
    return 0;
}
