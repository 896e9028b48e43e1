/* One connection, one typed query, its rows as a C struct.
 *
 *     cc query.c $(pkg-config --cflags --libs pgc) -o query
 *     ./query postgresql:///postgres
 *
 * sqlc-gen-c writes the descriptors below from SQL; by hand they look like this. This file is also
 * C++17. */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

/* What we want of each table. text points into the result and lives as long as that. */
typedef struct table_row {
    pgc_text name;
    int64_t bytes;
    pgc_opt_i32 columns; /* NULL has its own bit: 0 columns and "unknown" are two things */
} table_row;

/* The server checks parameter types, the library checks the columns once per connection: a schema
 * that changed is an error with a name, not garbage. 23, 25 and 20 are PostgreSQL's type OIDs. */
static const pgc_type_ref LARGEST_PARAMS[] = {
    { "row_limit", "integer", 23 },
};
static const pgc_type_ref LARGEST_COLUMNS[] = {
    { "name", "text", 25 },
    { "bytes", "bigint", 20 },
    { "columns", "integer", 23 },
};
static const pgc_query LARGEST = {
    "LargestTables",
    "SELECT c.oid::regclass::text, pg_total_relation_size(c.oid), nullif(relnatts, 0)::integer"
    " FROM pg_class c WHERE relkind = 'r'"
    " ORDER BY 2 DESC, 1 LIMIT $1",
    UINT64_C(0x7a1e57ab1e5), /* names the prepared statement: any number, one per query */
    PGC_QUERY_READ_ONLY,
    1,
    3,
    LARGEST_PARAMS,
    LARGEST_COLUMNS,
    sizeof(table_row),
};

static pgc_status print_largest(pgc_db *db, int32_t row_limit, pgc_error *err)
{
    pgc_args args;
    pgc_result *result = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, row_limit);
    pgc_status status = pgc_db_run(db, &LARGEST, &args, &result, err);
    pgc_args_done(&args);
    if (status != PGC_OK) {
        return status;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, &LARGEST);
    for (size_t i = 0; i < pgc_result_rows(result); i++) {
        table_row row;
        row.name = pgc_read_text(&reader, i, 0);
        row.bytes = pgc_read_i64(&reader, i, 1);
        row.columns = pgc_read_opt_i32(&reader, i, 2);
        printf("%-30.*s %8lld bytes, %d columns\n", (int) row.name.len, row.name.ptr,
               (long long) row.bytes, row.columns.has ? (int) row.columns.v : -1);
    }
    /* One question for all cells: did every one hold what we took it for? */
    status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_conn_options options = PGC_ZERO; /* zero is the default of every option */
    options.struct_size = sizeof options;
    options.conninfo = url != NULL ? url : "";
    options.call_timeout_us = 5000000; /* five seconds; then cancelled, and the connection lives */
    pgc_status status = pgc_conn_open(&options, &conn, &err);
    if (status == PGC_OK) {
        printf("libpgc %s, server %d\n", pgc_version(), pgc_conn_server_version(conn) / 10000);
        status = print_largest(pgc_conn_db(conn), 3, &err);
    }
    pgc_conn_close(conn);
    if (status != PGC_OK) {
        fprintf(stderr, "query: %s\n", err.message); /* what we did, what the server said */
        return 1;
    }
    return 0;
}
