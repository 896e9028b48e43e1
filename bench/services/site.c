/* A library for measuring: the product opens it as for anybody, psql and one COPY fill it once.
 * With LUMILIO_BENCH_DATA=DIR it stays in DIR for the next run, else it is thrown away. One thread.
 */
#include "parts.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>

#include <pgc/copy.h>

#include "vectors.h"

#define FILL_SCRIPT "bench/services-data.sql"
#define MODEL       "clip-vit-base"
#define VECTOR_SEED 20261123

double site_failed(const services_site *site, const char *doing)
{
    (void) fprintf(stderr, "bench services: %s assets: %s: %s\n", site->name, doing,
                   site->err.message);
    return BENCH_NONE;
}

lum_actor site_actor(const services_site *site, uint32_t turn)
{
    uint32_t owner = turn % 10 == 0 ? 0 : turn * 37 % SITE_OWNERS;
    return lum_session_actor(site->sessions[owner]);
}

static bool failed(const services_site *site, const char *doing)
{
    (void) site_failed(site, doing);
    return false;
}

/* One statement of ours as the tables' owner; false after a line on stderr. */
static bool run_sql(const services_site *site, PGconn *conn, const char *sql)
{
    PGresult *res = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(res);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!ok) {
        (void) fprintf(stderr, "bench services: %s assets: %s", site->name, PQerrorMessage(conn));
    }
    PQclear(res);
    return ok;
}

/* -1 after a line on stderr. */
static int64_t ask_number(PGconn *conn, const char *sql)
{
    PGresult *res = PQexec(conn, sql);
    int64_t number = -1;
    if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1) {
        number = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    } else {
        (void) fprintf(stderr, "bench services: %s", PQerrorMessage(conn));
    }
    PQclear(res);
    return number;
}

static bool fill_assets(const services_site *site)
{
    char assets[48];
    (void) snprintf(assets, sizeof assets, "assets=%" PRId64, site->asset_count);
    const char *const argv[] = { "psql", lum_library_url(site->library),
                                 "-X",   "-q",
                                 "-v",   assets,
                                 "-v",   "owners=100",
                                 "-f",   FILL_SCRIPT,
                                 NULL };
    (void) fprintf(stderr, "bench services: make %s assets\n", site->name);
    return !isnan(bench_command(argv));
}

static uint32_t read_be32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

/* A vector of each asset of the answer (id, owner), as its owner takes pictures. */
static pgc_status copy_vectors(services_site *site, const PGresult *assets)
{
    static const pgc_type_ref COLUMNS[] = { { "asset_id", "uuid", 2950 },
                                            { "owner_id", "integer", 23 },
                                            { "embedding", "halfvec", 0 },
                                            { "model_version", "character varying", 1043 } };
    static const pgc_copy EMBEDDINGS = {
        .name = "CopyEmbeddings", .table = "embeddings", .columns = COLUMNS, .column_count = 4
    };
    static vectors g;
    pgc_copy_in *in = NULL;
    pgc_args args;
    pgc_status status =
        pgc_copy_in_open(pgc_pool_db(site->owner_pool), &EMBEDDINGS, NULL, &in, &site->err);
    if (status != PGC_OK || !vectors_open(&g, VECTOR_SEED)) {
        return status != PGC_OK ? status : PGC_NOMEM;
    }
    pgc_args_init(&args, NULL);
    for (int row = 0; row < PQntuples(assets) && status == PGC_OK; row++) {
        pgc_uuid id;
        float v[VECTORS_DIM];
        uint16_t half[VECTORS_DIM];
        int32_t owner = (int32_t) read_be32(PQgetvalue(assets, row, 1));
        memcpy(id.bytes, PQgetvalue(assets, row, 0), sizeof id.bytes);
        vectors_image(&g, owner, v);
        for (int i = 0; i < VECTORS_DIM; i++) {
            half[i] = pgc_half_from_float(v[i]);
        }
        pgc_args_reset(&args);
        pgc_add_uuid(&args, id);
        pgc_add_i32(&args, owner);
        pgc_add_halfvec(&args, (pgc_halfvec) { half, VECTORS_DIM });
        pgc_add_text(&args, pgc_text_from(MODEL));
        status = pgc_copy_in_row(in, &args, &site->err);
    }
    pgc_args_done(&args);
    vectors_close(&g);
    if (status != PGC_OK) {
        pgc_copy_in_abort(in, NULL);
        return status;
    }
    return pgc_copy_in_finish(&in, NULL, &site->err);
}

/* The graph is built behind the rows, as after any load of this size. */
static bool fill_vectors(services_site *site, PGconn *conn)
{
    char sql[160];
    (void) fprintf(stderr, "bench services: make %" PRId64 " vectors and their graph\n",
                   site->vector_count);
    if (!run_sql(site, conn,
                 "DO $$ BEGIN EXECUTE 'DROP INDEX idx_embeddings_vector_' || (SELECT model_id"
                 " FROM embedding_models WHERE name = '" MODEL "'); END $$")) {
        return false;
    }
    (void) snprintf(sql, sizeof sql,
                    "SELECT asset_id, owner_id FROM assets WHERE asset_type <> 'audio'"
                    " ORDER BY asset_id LIMIT %" PRId64,
                    site->vector_count);
    PGresult *assets = PQexecParams(conn, sql, 0, NULL, NULL, NULL, NULL, 1);
    bool ok = PQresultStatus(assets) == PGRES_TUPLES_OK;
    if (ok && copy_vectors(site, assets) != PGC_OK) {
        ok = failed(site, "copy the vectors");
    }
    PQclear(assets);
    return ok && run_sql(site, conn, "SET maintenance_work_mem = '4GB'") &&
           run_sql(site, conn, "SELECT embedding_model_index('" MODEL "')") &&
           run_sql(site, conn, "VACUUM (ANALYZE) embeddings");
}

/* The mark of a complete filling is the last thing that is written. */
static bool fill(services_site *site, PGconn *conn)
{
    if (ask_number(conn, "SELECT count(*) FROM pg_class WHERE relname = 'bench_filled'") == 1) {
        return true;
    }
    return fill_assets(site) && fill_vectors(site, conn) && run_sql(site, conn, "VACUUM ANALYZE") &&
           run_sql(site, conn, "CHECKPOINT") && run_sql(site, conn, "CREATE TABLE bench_filled ()");
}

static bool read_ids(services_site *site, PGconn *conn)
{
    for (int owner = 0; owner < SITE_OWNERS; owner++) {
        char sql[200];
        (void) snprintf(sql, sizeof sql,
                        "SELECT asset_id FROM assets WHERE owner_id = %d AND deleted_at IS NULL"
                        " ORDER BY file_hash LIMIT %d",
                        owner + 1, SITE_IDS / SITE_OWNERS);
        PGresult *res = PQexecParams(conn, sql, 0, NULL, NULL, NULL, NULL, 1);
        bool ok = PQntuples(res) == SITE_IDS / SITE_OWNERS;
        for (int i = 0; ok && i < PQntuples(res); i++) {
            memcpy(site->ids[i * SITE_OWNERS + owner].bytes, PQgetvalue(res, i, 0), 16);
        }
        PQclear(res);
        if (!ok) {
            (void) fprintf(stderr, "bench services: owner %d has too few assets\n", owner + 1);
            return false;
        }
    }
    return true;
}

static bool open_actors(services_site *site)
{
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = lum_library_url(site->library) },
                                       .max_conns = 2 };
    if (pgc_pool_open(&options, &site->owner_pool, &site->err) != PGC_OK) {
        return failed(site, "open a pool");
    }
    for (int32_t i = 0; i < SITE_OWNERS; i++) {
        if (lum_session_open(lum_library_pool(site->library), i + 1, &site->sessions[i],
                             &site->err) != PGC_OK) {
            return failed(site, "open a session");
        }
    }
    return true;
}

/* Where the library lives: a folder of LUMILIO_BENCH_DATA, or one for this run. */
static bool make_home(services_site *site)
{
    const char *kept = getenv("LUMILIO_BENCH_DATA");
    const char *tmp = getenv("TMPDIR");
    site->keep = kept != NULL;
    if (site->keep) {
        (void) snprintf(site->home, sizeof site->home, "%s/services-%" PRId64 "-%" PRId64, kept,
                        site->asset_count, site->vector_count);
        return true;
    }
    (void) snprintf(site->home, sizeof site->home, "%s/bench-services.XXXXXX",
                    tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(site->home) == NULL || chmod(site->home, 0711) != 0) {
        (void) fprintf(stderr, "bench services: no folder %s\n", site->home);
        site->home[0] = '\0';
    }
    return site->home[0] != '\0';
}

bool site_open(services_site *site, const char *name, int64_t asset_count, int64_t vector_count)
{
    *site =
        (services_site) { .name = name, .asset_count = asset_count, .vector_count = vector_count };
    if (!make_home(site)) {
        return false;
    }
    const lum_library_options options = { .home = site->home, .max_conns = 4 };
    if (lum_library_open(NULL, &options, &site->library, &site->err) != PGC_OK) {
        return failed(site, "open the library");
    }
    if (!open_actors(site)) {
        return false;
    }
    PGconn *conn = PQconnectdb(lum_library_url(site->library));
    bool ok = PQstatus(conn) == CONNECTION_OK && fill(site, conn) && read_ids(site, conn);
    PQfinish(conn);
    return ok;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void) st;
    (void) kind;
    (void) at;
    return remove(path);
}

void site_close(services_site *site)
{
    for (int i = 0; i < SITE_OWNERS; i++) {
        lum_session_close(site->sessions[i]);
    }
    if (site->owner_pool != NULL) {
        pgc_pool_close(site->owner_pool);
    }
    lum_library_close(site->library);
    if (!site->keep && site->home[0] != '\0') {
        (void) nftw(site->home, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
    }
}
