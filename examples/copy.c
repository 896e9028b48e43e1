/* Ten thousand rows into a table by binary COPY, and out of it again.
 *
 *     cc copy.c $(pkg-config --cflags --libs pgc) -o copy */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

enum { POINTS = 10000 };

static const pgc_type_ref COLUMNS[] = {
    { "id", "integer", 23 },
    { "at", "timestamp with time zone", 1184 },
    { "label", "text", 25 },
};
static const pgc_copy POINT = {
    .name = "CopyPoints",
    .table = "point_in_time",
    .columns = COLUMNS,
    .column_count = 3,
};

/* Rows go out in pieces of 64 KiB; a slow server slows this loop down, memory stays small. */
static pgc_status send_rows(pgc_copy_in *in, pgc_error *err)
{
    pgc_args args;
    pgc_status status = PGC_OK;
    pgc_args_init(&args, NULL);
    for (int32_t id = 0; id < POINTS && status == PGC_OK; id++) {
        const pgc_timestamptz at = { (int64_t) id * 1000000 }; /* microseconds */
        pgc_args_reset(&args);
        pgc_add_i32(&args, id);
        pgc_add_timestamptz(&args, at);
        pgc_add_text(&args, id % 2 == 0 ? (pgc_text) { "even", 4 } : (pgc_text) { NULL, 0 });
        status = pgc_copy_in_row(in, &args, err);
    }
    pgc_args_done(&args);
    return status;
}

static pgc_status copy_in(pgc_db *db, pgc_error *err)
{
    pgc_copy_in *in = NULL;
    int64_t rows = 0;
    pgc_status status = pgc_copy_in_open(db, &POINT, NULL, &in, err);
    if (status != PGC_OK) {
        return status;
    }
    status = send_rows(in, err);
    if (status != PGC_OK) {
        pgc_copy_in_abort(in, "the program gave up"); /* the table stays as it was */
        return status;
    }
    status = pgc_copy_in_finish(&in, &rows, err);
    if (status == PGC_OK) {
        printf("in: %lld rows\n", (long long) rows);
    }
    return status;
}

/* One row at a time is in memory, however many there are. */
static pgc_status copy_out(pgc_db *db, pgc_error *err)
{
    pgc_copy_out *out = NULL;
    pgc_reader *row = NULL;
    int64_t rows = 0, labels = 0;
    pgc_status status = pgc_copy_out_open(db, &POINT, NULL, &out, err);
    while (status == PGC_OK && (status = pgc_copy_out_next(out, &row, err)) == PGC_OK) {
        if (row == NULL) {
            printf("out: %lld rows, %lld with a label\n", (long long) rows, (long long) labels);
            break;
        }
        pgc_text label = pgc_read_opt_text(row, 0, 2);
        status = pgc_reader_finish(row, err);
        labels += label.ptr != NULL;
        rows++;
    }
    pgc_copy_out_close(out);
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
        status = pgc_conn_script(
            conn,
            "CREATE TABLE point_in_time (id int NOT NULL, at timestamptz NOT NULL, label text)", 0,
            NULL, &err);
    }
    if (status == PGC_OK && (status = copy_in(pgc_conn_db(conn), &err)) == PGC_OK) {
        status = copy_out(pgc_conn_db(conn), &err);
    }
    pgc_conn_close(conn);
    if (status != PGC_OK) {
        fprintf(stderr, "copy: %s\n", err.message);
        return 1;
    }
    return 0;
}
