/* Rows into a table: 20,000 rows of assets, 37 columns, encoded by us from structs and sent by
 * binary COPY, beside psql's \copy of a file that holds the same rows in binary already. Into a
 * table of the same columns without indexes and triggers, so that the client's share shows. One
 * thread. */
#include "parts.h"

#include <pgc/copy.h>

#include "base/buf.h"
#include "base/proc.h"

#include "repo/assets.h"

static const pgc_type_ref COLUMNS[] = {
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
static const pgc_copy COPY = { .name = "CopyAssets",
                               .table = "bench_copy",
                               .columns = COLUMNS,
                               .column_count = ARRAY_LEN(COLUMNS) };

typedef struct copy_state {
    bench_site *site;
    repo_asset_set assets; /* what is sent */
    char file[320];        /* the same rows, ready for psql */
} copy_state;

static void add_first_half(pgc_args *args, const repo_asset *asset)
{
    pgc_add_uuid(args, asset->asset_id);
    pgc_add_text(args, asset->original_filename);
    pgc_add_text(args, asset->file_path);
    pgc_add_i64(args, asset->file_size);
    pgc_add_text(args, asset->file_hash);
    pgc_add_text(args, asset->mime_type);
    pgc_add_text(args, asset->asset_type);
    pgc_add_opt_uuid(args, asset->repository_id);
    pgc_add_i32(args, asset->owner_id);
    pgc_add_timestamptz(args, asset->uploaded_at);
    pgc_add_opt_timestamptz(args, asset->taken_at);
    pgc_add_timestamptz(args, asset->created_at);
    pgc_add_timestamptz(args, asset->updated_at);
    pgc_add_text(args, asset->camera_make);
    pgc_add_text(args, asset->camera_model);
    pgc_add_text(args, asset->lens_model);
    pgc_add_opt_i32(args, asset->iso);
    pgc_add_numeric(args, asset->aperture);
    pgc_add_text(args, asset->shutter_speed);
    pgc_add_numeric(args, asset->focal_length);
}

static void add_second_half(pgc_args *args, const repo_asset *asset)
{
    pgc_add_numeric(args, asset->latitude);
    pgc_add_numeric(args, asset->longitude);
    pgc_add_numeric(args, asset->altitude);
    pgc_add_opt_i32(args, asset->width);
    pgc_add_opt_i32(args, asset->height);
    pgc_add_numeric(args, asset->duration);
    pgc_add_text(args, asset->description);
    pgc_add_opt_i32(args, asset->rating);
    pgc_add_bool(args, asset->liked);
    pgc_add_bool(args, asset->is_raw);
    pgc_add_bool(args, asset->is_transcoded);
    pgc_add_text(args, asset->transcoded_path);
    pgc_add_opt_timestamp(args, asset->taken_local);
    pgc_add_opt_i16(args, asset->taken_offset_minutes);
    pgc_add_text(args, asset->taken_source);
    pgc_add_opt_timestamptz(args, asset->deleted_at);
    pgc_add_bytes(args, asset->filename_bytes);
}

static pgc_status send_all(pgc_copy_in *in, const repo_asset_set *assets, pgc_error *err)
{
    pgc_args args;
    pgc_status status = PGC_OK;
    pgc_args_init(&args, NULL);
    for (size_t i = 0; i < assets->count && status == PGC_OK; i++) {
        pgc_args_reset(&args);
        add_first_half(&args, &assets->rows[i]);
        add_second_half(&args, &assets->rows[i]);
        status = pgc_copy_in_row(in, &args, err);
    }
    pgc_args_done(&args);
    return status;
}

static bool empty_table(const bench_site *site)
{
    PGresult *res = PQexec(site->raw, "TRUNCATE bench_copy");
    bool ok = PQresultStatus(res) == PGRES_COMMAND_OK;
    PQclear(res);
    return ok;
}

static double copy_ours(void *ctx)
{
    const copy_state *state = ctx;
    pgc_error *err = &state->site->err;
    pgc_copy_in *in = NULL;
    int64_t rows = 0;
    if (!empty_table(state->site)) {
        return BENCH_NONE;
    }
    double start = bench_now();
    pgc_status status = pgc_copy_in_open(pgc_conn_db(state->site->conn), &COPY, NULL, &in, err);
    if (status == PGC_OK) {
        status = send_all(in, &state->assets, err);
    }
    if (status == PGC_OK) {
        status = pgc_copy_in_finish(&in, &rows, err);
    } else {
        pgc_copy_in_abort(in, NULL);
    }
    double seconds = bench_now() - start;
    return status == PGC_OK ? (double) rows / seconds : site_failed(state->site, "copy");
}

/* What psql prints with \timing: its start and its login are not counted. */
static double psql_ms(const bench_site *site, const char *what, const char *file)
{
    AUTO(buf_auto) buf out;
    char command[512];
    double ms = BENCH_NONE;
    int code = -1;
    pgc_error err;
    buf_init(&out, NULL, 1 << 16);
    (void) snprintf(command, sizeof command, "\\%s '%s' with (format binary)", what, file);
    const char *const argv[] = { "psql", "-X",          "-q", "-d",    site->url,
                                 "-c",   "\\timing on", "-c", command, NULL };
    const proc_options options = { .argv = argv, .output = &out };
    if (proc_run(env_default(), &options, &code, &err) != PGC_OK || code != 0) {
        (void) fprintf(stderr, "bench pgc: psql: %s\n", code < 0 ? err.message : out.ptr);
        return BENCH_NONE;
    }
    const char *time = out.ptr != NULL ? strstr(out.ptr, "Time: ") : NULL;
    return time != NULL && sscanf(time, "Time: %lf ms", &ms) == 1 ? ms : BENCH_NONE;
}

static double copy_psql(void *ctx)
{
    const copy_state *state = ctx;
    if (!empty_table(state->site)) {
        return BENCH_NONE;
    }
    double ms = psql_ms(state->site, "copy bench_copy from", state->file);
    return ms > 0 ? (double) state->assets.count * 1e3 / ms : BENCH_NONE;
}

void copy_rows(bench_site *site, bench_rows *rows)
{
    static copy_state state;
    state = (copy_state) { .site = site };
    const repo_list_assets_params all = { .row_limit = BENCH_ASSETS };
    /* Without the columns that the server computes from others: nobody sends those. */
    PQclear(PQexec(site->raw, "CREATE UNLOGGED TABLE bench_copy (LIKE assets);"
                              " ALTER TABLE bench_copy DROP captured_local, DROP name_key,"
                              " DROP stars, DROP latitude_e7, DROP longitude_e7"));
    (void) snprintf(state.file, sizeof state.file, "%s/assets.bin", site->dir);
    bool ok =
        repo_list_assets(pgc_conn_db(site->conn), &all, &state.assets, &site->err) == PGC_OK &&
        psql_ms(site, "copy assets to", state.file) > 0;
    rows_add(rows, (bench_case) { .name = "binary COPY of assets rows",
                                  .unit = "rows/s",
                                  .other_is = "psql \\copy, binary, ready file",
                                  .ours = copy_ours,
                                  .other = copy_psql,
                                  .ctx = &state,
                                  .goal = BENCH_AT_LEAST,
                                  .bound = 0.9,
                                  .rounds = 9,
                                  .skip = ok ? NULL : "no psql" });
}
