/* Point reads, one after the other on one connection: the generated query of the product beside
 * libpq by hand (prepared, binary, all 37 columns into the same struct), and batches beside single
 * reads. Wall time: the round trip is most of it on both sides; client
 * and backends share one core. One thread. */
#include "parts.h"

#include <pgc/pipeline.h>

#include "repo/assets.h"

enum { READS = 500, ROUNDS = 101 };

const char ASSET_BY_HAND[] =
    "SELECT asset_id, original_filename, file_path, file_size, file_hash, mime_type, asset_type,"
    " repository_id, owner_id, uploaded_at, taken_at, created_at, updated_at, camera_make,"
    " camera_model, lens_model, iso, aperture, shutter_speed, focal_length, latitude, longitude,"
    " altitude, width, height, duration, description, rating, liked, is_raw, is_transcoded,"
    " transcoded_path, taken_local, taken_offset_minutes, taken_source, deleted_at, filename_bytes"
    " FROM assets WHERE asset_id = $1 AND deleted_at IS NULL";

static double point_ours(void *ctx)
{
    bench_site *site = ctx;
    pgc_db *db = pgc_conn_db(site->conn);
    int64_t sum = 0;
    site_join_core(true);
    double start = bench_now();
    for (int i = 0; i < READS; i++) {
        repo_asset_set set;
        if (repo_get_asset(db, site->ids[i], &set, &site->err) != PGC_OK) {
            return site_failed(site, "point read");
        }
        sum += set.rows[0].file_size;
        repo_asset_set_free(&set);
    }
    double seconds = bench_now() - start;
    site_join_core(false);
    return sum > 0 ? seconds * 1e6 / READS : BENCH_NONE;
}

static double point_other(void *ctx)
{
    const bench_site *site = ctx;
    int64_t sum = 0;
    site_join_core(true);
    double start = bench_now();
    for (int i = 0; i < READS; i++) {
        const char *values[1] = { (const char *) site->ids[i].bytes };
        const int lengths[1] = { 16 }, formats[1] = { 1 };
        PGresult *res = PQexecPrepared(site->raw, "get_asset", 1, values, lengths, formats, 1);
        repo_asset asset;
        asset_digits digits;
        bool ok = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1 &&
                  asset_read_by_hand(res, 0, &asset, &digits);
        sum += ok ? asset.file_size : 0;
        PQclear(res);
        if (!ok) {
            return site_failed(site, "point read by hand");
        }
    }
    double seconds = bench_now() - start;
    site_join_core(false);
    return sum > 0 ? seconds * 1e6 / READS : BENCH_NONE;
}

void point_rows(bench_site *site, bench_rows *rows)
{
    PQclear(PQprepare(site->raw, "get_asset", ASSET_BY_HAND, 0, NULL));
    rows_add(rows, (bench_case) { .name = "point read, generated query",
                                  .unit = "us",
                                  .other_is = "libpq by hand, prepared, binary",
                                  .ours = point_ours,
                                  .other = point_other,
                                  .ctx = site,
                                  .goal = BENCH_AT_MOST,
                                  .bound = 1.05,
                                  .rounds = ROUNDS });
}

/* Batches. */

typedef struct brief_row {
    pgc_uuid id;
    pgc_text name;
    int64_t size;
    pgc_opt_timestamptz taken_at;
} brief_row;

static const pgc_type_ref BRIEF_PARAMS[] = { { "asset_id", "uuid", 2950 } };
static const pgc_type_ref BRIEF_COLUMNS[] = {
    { "asset_id", "uuid", 2950 },
    { "original_filename", "character varying", 1043 },
    { "file_size", "bigint", 20 },
    { "taken_at", "timestamp with time zone", 1184 },
};
static const pgc_query BRIEF = {
    .name = "GetBrief",
    .sql = "SELECT asset_id, original_filename, file_size, taken_at FROM assets"
           " WHERE asset_id = $1 AND deleted_at IS NULL",
    .hash = 2,
    .param_count = 1,
    .column_count = 4,
    .params = BRIEF_PARAMS,
    .columns = BRIEF_COLUMNS,
    .row_size = sizeof(brief_row),
};

enum { BATCH = 100, BATCHES = 20 };

static bool brief_read(pgc_result *result, int64_t *sum)
{
    pgc_reader r;
    pgc_reader_init(&r, result, &BRIEF);
    const brief_row row = { pgc_read_uuid(&r, 0, 0), pgc_read_text(&r, 0, 1),
                            pgc_read_i64(&r, 0, 2), pgc_read_opt_timestamptz(&r, 0, 3) };
    bool ok = pgc_reader_finish(&r, NULL) == PGC_OK && row.name.len > 0;
    *sum += row.size;
    pgc_result_free(result);
    return ok;
}

static bool batch_once(bench_site *site, const pgc_uuid *ids, int64_t *sum)
{
    pgc_pipeline *batch = NULL;
    bool ok = pgc_pipeline_open(site->conn, PGC_PIPELINE_ATOMIC, &batch, &site->err) == PGC_OK;
    for (size_t i = 0; ok && i < BATCH; i++) {
        pgc_args args;
        pgc_args_init(&args, NULL);
        pgc_add_uuid(&args, ids[i]);
        ok = pgc_pipeline_add(batch, &BRIEF, &args, NULL, &site->err) == PGC_OK;
        pgc_args_done(&args);
    }
    ok = ok && pgc_pipeline_run(batch, &site->err) == PGC_OK;
    for (size_t i = 0; ok && i < BATCH; i++) {
        pgc_result *result = NULL;
        ok = pgc_pipeline_take(batch, i, &result, &site->err) == PGC_OK && brief_read(result, sum);
    }
    pgc_pipeline_close(batch);
    return ok;
}

static double batch_ours(void *ctx)
{
    bench_site *site = ctx;
    int64_t sum = 0;
    site_join_core(true);
    double start = bench_now();
    for (size_t i = 0; i < BATCHES; i++) {
        if (!batch_once(site, site->ids + i * BATCH, &sum)) {
            return site_failed(site, "batch");
        }
    }
    double seconds = bench_now() - start;
    site_join_core(false);
    return sum > 0 ? seconds * 1e6 / BATCHES : BENCH_NONE;
}

static double batch_other(void *ctx)
{
    bench_site *site = ctx;
    pgc_db *db = pgc_conn_db(site->conn);
    int64_t sum = 0;
    site_join_core(true);
    double start = bench_now();
    for (size_t i = 0; i < (size_t) BATCHES * BATCH; i++) {
        pgc_args args;
        pgc_result *result = NULL;
        pgc_args_init(&args, NULL);
        pgc_add_uuid(&args, site->ids[i]);
        pgc_status status = pgc_db_run(db, &BRIEF, &args, &result, &site->err);
        pgc_args_done(&args);
        if (status != PGC_OK || !brief_read(result, &sum)) {
            return site_failed(site, "single read");
        }
    }
    double seconds = bench_now() - start;
    site_join_core(false);
    return sum > 0 ? seconds * 1e6 / BATCHES : BENCH_NONE;
}

void batch_rows(bench_site *site, bench_rows *rows)
{
    rows_add(rows, (bench_case) { .name = "batch of 100 point reads",
                                  .unit = "us",
                                  .other_is = "100 single reads, ours",
                                  .ours = batch_ours,
                                  .other = batch_other,
                                  .ctx = site,
                                  .goal = BENCH_AT_MOST,
                                  .bound = 0.40,
                                  .rounds = 31 });
}
