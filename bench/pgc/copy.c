/* Binary COPY of assets into an empty table with all columns, checks and indexes of the real one:
 * structs in memory through typed rows beside psql and a ready file. Both connect within the time;
 * psql starts in it, too, which is some hundredths of a second of it. */
#include "parts.h"

#include <pgc/copy.h>

#include "repo/assets.h"

#define COLUMN_COUNT 37

static const pgc_type_ref COLUMNS[COLUMN_COUNT] = {
    { "asset_id", "uuid", 2950 },
    { "original_filename", "character varying", 1043 },
    { "file_path", "text", 25 },
    { "file_size", "bigint", 20 },
    { "file_hash", "text", 25 },
    { "mime_type", "character varying", 1043 },
    { "asset_type", "character varying", 1043 },
    { "repository_id", "uuid", 2950 },
    { "owner_id", "integer", 23 },
    { "uploaded_at", "timestamp with time zone", 1184 },
    { "taken_at", "timestamp with time zone", 1184 },
    { "created_at", "timestamp with time zone", 1184 },
    { "updated_at", "timestamp with time zone", 1184 },
    { "camera_make", "character varying", 1043 },
    { "camera_model", "character varying", 1043 },
    { "lens_model", "character varying", 1043 },
    { "iso", "integer", 23 },
    { "aperture", "numeric", 1700 },
    { "shutter_speed", "character varying", 1043 },
    { "focal_length", "numeric", 1700 },
    { "latitude", "numeric", 1700 },
    { "longitude", "numeric", 1700 },
    { "altitude", "numeric", 1700 },
    { "width", "integer", 23 },
    { "height", "integer", 23 },
    { "duration", "numeric", 1700 },
    { "description", "text", 25 },
    { "rating", "integer", 23 },
    { "liked", "boolean", 16 },
    { "is_raw", "boolean", 16 },
    { "is_transcoded", "boolean", 16 },
    { "transcoded_path", "text", 25 },
    { "taken_local", "timestamp without time zone", 1114 },
    { "taken_offset_minutes", "smallint", 21 },
    { "taken_source", "character varying", 1043 },
    { "deleted_at", "timestamp with time zone", 1184 },
    { "filename_bytes", "bytea", 17 },
};

static const pgc_copy ASSETS = {
    .name = "CopyAssets", .table = "assets_copy", .columns = COLUMNS, .column_count = COLUMN_COUNT
};

typedef struct copy_state {
    bench_site *site;
    PGresult *rows; /* what the structs point into */
    repo_asset *assets;
    asset_digits *digits;
    size_t count;
    char to_file[512], from_file[512];
} copy_state;

static void add_asset(pgc_args *row, const repo_asset *a)
{
    pgc_args_reset(row);
    pgc_add_uuid(row, a->asset_id);
    pgc_add_text(row, a->original_filename);
    pgc_add_text(row, a->file_path);
    pgc_add_i64(row, a->file_size);
    pgc_add_text(row, a->file_hash);
    pgc_add_text(row, a->mime_type);
    pgc_add_text(row, a->asset_type);
    pgc_add_opt_uuid(row, a->repository_id);
    pgc_add_i32(row, a->owner_id);
    pgc_add_timestamptz(row, a->uploaded_at);
    pgc_add_opt_timestamptz(row, a->taken_at);
    pgc_add_timestamptz(row, a->created_at);
    pgc_add_timestamptz(row, a->updated_at);
    pgc_add_text(row, a->camera_make);
    pgc_add_text(row, a->camera_model);
    pgc_add_text(row, a->lens_model);
    pgc_add_opt_i32(row, a->iso);
    pgc_add_numeric(row, a->aperture);
    pgc_add_text(row, a->shutter_speed);
    pgc_add_numeric(row, a->focal_length);
    pgc_add_numeric(row, a->latitude);
    pgc_add_numeric(row, a->longitude);
    pgc_add_numeric(row, a->altitude);
    pgc_add_opt_i32(row, a->width);
    pgc_add_opt_i32(row, a->height);
    pgc_add_numeric(row, a->duration);
    pgc_add_text(row, a->description);
    pgc_add_opt_i32(row, a->rating);
    pgc_add_bool(row, a->liked);
    pgc_add_bool(row, a->is_raw);
    pgc_add_bool(row, a->is_transcoded);
    pgc_add_text(row, a->transcoded_path);
    pgc_add_opt_timestamp(row, a->taken_local);
    pgc_add_opt_i16(row, a->taken_offset_minutes);
    pgc_add_text(row, a->taken_source);
    pgc_add_opt_timestamptz(row, a->deleted_at);
    pgc_add_bytes(row, a->filename_bytes);
}

static bool do_raw(const copy_state *state, const char *sql)
{
    PGresult *res = PQexec(state->site->raw, sql);
    bool ok = PQresultStatus(res) == PGRES_COMMAND_OK;
    PQclear(res);
    return ok;
}

static pgc_status copy_all(copy_state *state, pgc_conn *conn, int64_t *rows, pgc_error *err)
{
    pgc_copy_in *in = NULL;
    TRY(pgc_copy_in_open(pgc_conn_db(conn), &ASSETS, NULL, &in, err));
    pgc_args row;
    pgc_args_init(&row, NULL);
    pgc_status status = PGC_OK;
    for (size_t i = 0; i < state->count && status == PGC_OK; i++) {
        add_asset(&row, &state->assets[i]);
        status = pgc_copy_in_row(in, &row, err);
    }
    pgc_args_done(&row);
    if (status != PGC_OK) {
        pgc_copy_in_abort(in, NULL);
        return status;
    }
    return pgc_copy_in_finish(&in, rows, err);
}

static double copy_ours(void *ctx)
{
    copy_state *state = ctx;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = state->site->url };
    pgc_conn *conn = NULL;
    int64_t rows = 0;
    if (state->assets == NULL || !do_raw(state, "TRUNCATE assets_copy")) {
        return BENCH_NONE;
    }
    double start = bench_now();
    pgc_status status = pgc_conn_open(&options, &conn, &state->site->err);
    if (status == PGC_OK) {
        status = copy_all(state, conn, &rows, &state->site->err);
    }
    double seconds = bench_now() - start;
    pgc_conn_close(conn);
    if (status != PGC_OK) {
        return site_failed(state->site, "copy in");
    }
    return rows == (int64_t) state->count ? (double) rows / seconds : BENCH_NONE;
}

static double copy_psql(void *ctx)
{
    const copy_state *state = ctx;
    const char *const argv[] = {
        "psql", "-qX", "-d", state->site->url, "-c", state->from_file, NULL
    };
    if (state->assets == NULL || !do_raw(state, "TRUNCATE assets_copy")) {
        return BENCH_NONE;
    }
    double seconds = bench_command(argv);
    return (double) state->count / seconds;
}

/* The rows as structs, and as a file made by psql. */
static bool prepare(copy_state *state)
{
    if (!do_raw(state, "CREATE TABLE assets_copy (LIKE assets INCLUDING ALL)")) {
        return false;
    }
    const char *const argv[] = {
        "psql", "-qX", "-d", state->site->url, "-c", state->to_file, NULL
    };
    state->rows = PQexecParams(state->site->raw, "TABLE assets", 0, NULL, NULL, NULL, NULL, 1);
    state->count = (size_t) PQntuples(state->rows);
    repo_asset *assets = calloc(state->count + 1, sizeof *assets);
    state->digits = calloc(state->count + 1, sizeof *state->digits);
    bool ok = assets != NULL && state->digits != NULL && state->count > 0 &&
              PQnfields(state->rows) == COLUMN_COUNT && !isnan(bench_command(argv));
    for (size_t i = 0; ok && i < state->count; i++) {
        ok = asset_read_by_hand(state->rows, (int) i, &assets[i], &state->digits[i]);
    }
    for (int i = 0; ok && i < COLUMN_COUNT; i++) {
        ok = strcmp(PQfname(state->rows, i), COLUMNS[i].name) == 0;
    }
    if (!ok) {
        free(assets);
        return false;
    }
    state->assets = assets;
    return true;
}

void copy_rows(bench_site *site, bench_rows *rows)
{
    static copy_state state;
    state.site = site;
    (void) snprintf(state.to_file, sizeof state.to_file,
                    "\\copy assets to '%s/assets.copy' with (format binary)", site->dir);
    (void) snprintf(state.from_file, sizeof state.from_file,
                    "\\copy assets_copy from '%s/assets.copy' with (format binary)", site->dir);
    if (!prepare(&state)) {
        (void) fprintf(stderr, "bench pgc: copy: the rows could not be prepared\n");
    }
    rows_add(rows, (bench_case) { .name = "binary COPY of assets, structs to table",
                                  .unit = "rows/s",
                                  .other_is = "psql \\copy of a ready binary file",
                                  .ours = copy_ours,
                                  .other = copy_psql,
                                  .ctx = &state,
                                  .goal = BENCH_AT_LEAST,
                                  .bound = 0.9,
                                  .rounds = 7 });
}
