/* Reading many rows: 100,000 of 12 columns, binary. Ours beside a loop over libpq as a careful
 * person writes it (NULL checks where the column may be NULL, lengths of texts, no others), and
 * beside pgx. Client CPU, not wall time: the server's share is the same on all sides. The first
 * case decodes a result that lies in memory; the others also receive it. One thread. */
#include "parts.h"

#include <endian.h>

#include <pgc/rows.h>

#include "pgc/result.h"
#include "pgc/wire.h"

#define ROWS    100000
#define COLUMNS 12

typedef struct asset_row {
    int64_t id;
    int32_t owner_id;
    pgc_text name, path;
    pgc_uuid hash;
    int64_t size;
    pgc_opt_i32 width, height;
    pgc_opt_timestamptz taken_at;
    pgc_opt_f64 rating;
    pgc_text note;
    bool hidden;
} asset_row;

static const pgc_type_ref ASSET_COLUMNS[COLUMNS] = {
    { "id", "bigint", 20 },
    { "owner_id", "integer", 23 },
    { "name", "text", 25 },
    { "path", "text", 25 },
    { "hash", "uuid", 2950 },
    { "size", "bigint", 20 },
    { "width", "integer", 23 },
    { "height", "integer", 23 },
    { "taken_at", "timestamp with time zone", 1184 },
    { "rating", "double precision", 701 },
    { "note", "text", 25 },
    { "hidden", "boolean", 16 },
};

static const pgc_query ASSETS = {
    .name = "Assets",
    .sql = "SELECT n AS id, (n % 7)::int AS owner_id, 'IMG_' || n || '.jpg' AS name,"
           " '2024/06/IMG_' || n || '.jpg' AS path,"
           " '0190163d-8694-739b-aea5-966c26f8ad91'::uuid AS hash, n * 1000 AS size,"
           " CASE WHEN n % 10 > 0 THEN 4000 END AS width,"
           " CASE WHEN n % 10 > 0 THEN 3000 END AS height,"
           " CASE WHEN n % 5 > 0 THEN timestamptz '2024-06-01' END AS taken_at,"
           " CASE WHEN n % 2 > 0 THEN 2.5::float8 END AS rating,"
           " CASE WHEN n % 4 = 0 THEN 'a note' END AS note, n % 3 = 0 AS hidden"
           " FROM generate_series(1::bigint, 100000) AS n",
    .hash = 1,
    .column_count = COLUMNS,
    .columns = ASSET_COLUMNS,
    .row_size = sizeof(asset_row),
};

static void read_row(pgc_reader *r, size_t i, asset_row *row)
{
    row->id = pgc_read_i64(r, i, 0);
    row->owner_id = pgc_read_i32(r, i, 1);
    row->name = pgc_read_text(r, i, 2);
    row->path = pgc_read_text(r, i, 3);
    row->hash = pgc_read_uuid(r, i, 4);
    row->size = pgc_read_i64(r, i, 5);
    row->width = pgc_read_opt_i32(r, i, 6);
    row->height = pgc_read_opt_i32(r, i, 7);
    row->taken_at = pgc_read_opt_timestamptz(r, i, 8);
    row->rating = pgc_read_opt_f64(r, i, 9);
    row->note = pgc_read_opt_text(r, i, 10);
    row->hidden = pgc_read_bool(r, i, 11);
}

static bool decode_ours(pgc_result *result)
{
    pgc_reader r;
    size_t count = pgc_result_rows(result);
    asset_row *rows = pgc_result_array(result, count, sizeof *rows);
    if (rows == NULL) {
        return false;
    }
    pgc_reader_init(&r, result, &ASSETS);
    for (size_t i = 0; i < count; i++) {
        read_row(&r, i, &rows[i]);
    }
    return pgc_reader_finish(&r, NULL) == PGC_OK;
}

static uint32_t get_u32(const PGresult *res, int row, int column)
{
    uint32_t value;
    memcpy(&value, PQgetvalue(res, row, column), sizeof value);
    return be32toh(value);
}

static uint64_t get_u64(const PGresult *res, int row, int column)
{
    uint64_t value;
    memcpy(&value, PQgetvalue(res, row, column), sizeof value);
    return be64toh(value);
}

static pgc_text get_text(const PGresult *res, int row, int column)
{
    return (pgc_text) { PQgetvalue(res, row, column), (size_t) PQgetlength(res, row, column) };
}

static void decode_other_row(const PGresult *res, int i, asset_row *row)
{
    row->id = (int64_t) get_u64(res, i, 0);
    row->owner_id = (int32_t) get_u32(res, i, 1);
    row->name = get_text(res, i, 2);
    row->path = get_text(res, i, 3);
    memcpy(row->hash.bytes, PQgetvalue(res, i, 4), sizeof row->hash.bytes);
    row->size = (int64_t) get_u64(res, i, 5);
    row->width.has = !PQgetisnull(res, i, 6);
    row->width.v = row->width.has ? (int32_t) get_u32(res, i, 6) : 0;
    row->height.has = !PQgetisnull(res, i, 7);
    row->height.v = row->height.has ? (int32_t) get_u32(res, i, 7) : 0;
    row->taken_at.has = !PQgetisnull(res, i, 8);
    row->taken_at.v.us = row->taken_at.has ? (int64_t) get_u64(res, i, 8) : 0;
    row->rating.has = !PQgetisnull(res, i, 9);
    row->rating.v = row->rating.has ? wire_double(get_u64(res, i, 9)) : 0;
    row->note = PQgetisnull(res, i, 10) ? (pgc_text) { NULL, 0 } : get_text(res, i, 10);
    row->hidden = PQgetvalue(res, i, 11)[0] != 0;
}

static bool decode_other(const PGresult *res)
{
    int count = PQntuples(res);
    asset_row *rows = malloc((size_t) count * sizeof *rows);
    if (rows == NULL) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        decode_other_row(res, i, &rows[i]);
    }
    /* The rows must really be written. */
    __asm__ volatile("" : : "r"(rows) : "memory");
    free(rows);
    return true;
}

/* What the cases share. */
typedef struct decode_state {
    bench_site *site;
    PGresult *memory;
} decode_state;

static void keep(PGresult *res)
{
    (void) res;
}

/* The result stays alive behind each round: libpq, but with a clear that does nothing. */
static double memory_ours(void *ctx)
{
    decode_state *state = ctx;
    pq_ops ops = *pq_libpq();
    ops.clear = keep;
    double start = cpu_seconds();
    pgc_result *result = NULL;
    bool ok = result_new(&ops, state->memory, NULL, &ASSETS, &result, NULL) == PGC_OK &&
              decode_ours(result);
    pgc_result_free(result);
    return ok ? cpu_seconds() - start : BENCH_NONE;
}

static double memory_other(void *ctx)
{
    const decode_state *state = ctx;
    double start = cpu_seconds();
    bool ok = decode_other(state->memory);
    return ok ? cpu_seconds() - start : BENCH_NONE;
}

static double server_ours(void *ctx)
{
    decode_state *state = ctx;
    double start = cpu_seconds();
    pgc_result *result = NULL;
    bool ok = pgc_db_run(pgc_conn_db(state->site->conn), &ASSETS, NULL, &result, NULL) == PGC_OK &&
              decode_ours(result);
    pgc_result_free(result);
    return ok ? cpu_seconds() - start : BENCH_NONE;
}

/* Rows one after another, each decoded and gone: nothing is held, as a program reads that writes
 * them on. pgx also reads row by row, but keeps its structs. */
static double rows_ours(void *ctx)
{
    decode_state *state = ctx;
    double start = cpu_seconds();
    pgc_rows *rows = NULL;
    asset_row row;
    bool more = true;
    pgc_status status =
        pgc_rows_open(pgc_conn_db(state->site->conn), &ASSETS, NULL, NULL, &rows, NULL);
    while (status == PGC_OK && (status = pgc_rows_next(rows, &more, NULL)) == PGC_OK && more) {
        read_row(pgc_rows_reader(rows), pgc_rows_index(rows), &row);
        /* The row must really be written. */
        __asm__ volatile("" : : "r"(&row) : "memory");
    }
    bool ok = status == PGC_OK && pgc_rows_count(rows) == ROWS;
    pgc_rows_close(rows);
    return ok ? cpu_seconds() - start : BENCH_NONE;
}

/* The same by hand. */
static double rows_other(void *ctx)
{
    const decode_state *state = ctx;
    PGconn *raw = state->site->raw;
    double start = cpu_seconds();
    int count = 0;
    bool ok = PQsendQueryPrepared(raw, "assets", 0, NULL, NULL, NULL, 1) == 1 &&
              PQsetSingleRowMode(raw) == 1;
    for (PGresult *res = PQgetResult(raw); res != NULL; res = PQgetResult(raw)) {
        asset_row row;
        if (PQresultStatus(res) == PGRES_SINGLE_TUPLE) {
            decode_other_row(res, 0, &row);
            __asm__ volatile("" : : "r"(&row) : "memory");
            count++;
        }
        PQclear(res);
    }
    return ok && count == ROWS ? cpu_seconds() - start : BENCH_NONE;
}

static double server_other(void *ctx)
{
    const decode_state *state = ctx;
    double start = cpu_seconds();
    PGresult *res = PQexecPrepared(state->site->raw, "assets", 0, NULL, NULL, NULL, 1);
    bool ok = PQresultStatus(res) == PGRES_TUPLES_OK && decode_other(res);
    PQclear(res);
    return ok ? cpu_seconds() - start : BENCH_NONE;
}

/* A result as the server would send it, without one. */
static PGresult *make_memory(void)
{
    static const char text[] = "2024/06/IMG_100000.jpg";
    static const int lengths[COLUMNS] = { 8, 4, 14, 22, 16, 8, 4, 4, 8, 8, 6, 1 };
    PGresAttDesc attrs[COLUMNS];
    memset(attrs, 0, sizeof attrs);
    for (size_t i = 0; i < COLUMNS; i++) {
        attrs[i].name = (char *) (uintptr_t) ASSET_COLUMNS[i].name;
        attrs[i].typid = ASSET_COLUMNS[i].oid;
        attrs[i].format = 1;
    }
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    bool ok = res != NULL && PQsetResultAttrs(res, COLUMNS, attrs);
    for (int row = 0; ok && row < ROWS; row++) {
        for (int i = 0; ok && i < COLUMNS; i++) {
            bool null = (i >= 6 && i <= 7 && row % 10 == 0) || (i == 8 && row % 5 == 0) ||
                        (i == 9 && row % 2 == 0) || (i == 10 && row % 4 != 0);
            ok = PQsetvalue(res, row, i, (char *) (uintptr_t) text, null ? -1 : lengths[i]) != 0;
        }
    }
    return ok ? res : NULL;
}

static double server_pgx(void *ctx)
{
    const decode_state *state = ctx;
    return peer_ask(state->site->pgx, "decode");
}

static bench_case decode_case(const char *name, decode_state *state)
{
    return (bench_case) {
        .name = name, .unit = "s CPU", .ctx = state, .goal = BENCH_AT_MOST, .rounds = 9
    };
}

void decode_rows(bench_site *site, bench_rows *rows)
{
    static decode_state state;
    state = (decode_state) { site, make_memory() };
    PQclear(PQprepare(site->raw, "assets", ASSETS.sql, 0, NULL));
    bench_case one = decode_case("decode 100,000 x 12, in memory", &state);
    one.other_is = "libpq loop by hand";
    one.ours = memory_ours;
    one.other = memory_other;
    one.bound = 1.1;
    rows_add(rows, one);
    one = decode_case("receive and decode 100,000 x 12", &state);
    one.other_is = "libpq loop by hand";
    one.ours = server_ours;
    one.other = server_other;
    one.bound = 1.1;
    rows_add(rows, one);
    one.other_is = "pgx v5, Scan into structs";
    one.other = server_pgx;
    one.bound = 0.5;
    one.skip = site->no_pgx;
    rows_add(rows, one);
    /* What is left is shown: row by row libpq before 17 makes a result of each. */
    one.goal = BENCH_SHOWN;
    one.name = "rows one by one 100,000 x 12";
    one.ours = rows_ours;
    rows_add(rows, one);
    one.name = "libpq by hand: receive, decode";
    one.ours = server_other;
    rows_add(rows, one);
    one.name = "libpq by hand: rows one by one";
    one.ours = rows_other;
    rows_add(rows, one);
}
