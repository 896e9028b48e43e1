/* A library for measuring: the product opens it as for anybody, psql and one COPY fill it once.
 * With LUMILIO_BENCH_DATA=DIR it stays in DIR for the next run, else it is thrown away. One thread.
 */
#include "parts.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include <pgc/copy.h>

#include "base/proc.h"
#include "service/embedding.h"
#include "vectors.h"

#define FILL_SCRIPT "bench/services-data.sql"
#define MODEL       "clip-vit-base"
#define VECTOR_SEED 20261123
/* Memory of a graph of halfvec(512) with m = 16: for each vector, and at least. */
#define GRAPH_KB      5
#define GRAPH_KB_MIN  (512 * 1024)
#define FILL_SESSIONS 3

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

/* What the filling does now, and when it began: it takes long. */
static void say(const services_site *site, const char *doing)
{
    static double began;
    began = began > 0 ? began : bench_now();
    (void) fprintf(stderr, "bench services: %s assets, %" PRId64 " vectors: %.0f s: %s\n",
                   site->name, site->vector_count, bench_now() - began, doing);
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

/* One phase of the script in as many sessions at once, each with its part of the rows. */
static bool fill_phase(const services_site *site, const char *phase, int parts)
{
    pid_t children[FILL_SESSIONS] = { 0 };
    char texts[3][48];
    bool ok = true;
    assert(parts <= FILL_SESSIONS);
    say(site, phase);
    (void) snprintf(texts[0], sizeof texts[0], "assets=%" PRId64, site->asset_count);
    (void) snprintf(texts[1], sizeof texts[1], "phase=%s", phase);
    for (int part = 0; part < parts; part++) {
        pgc_error err = { 0 };
        char parts_text[24];
        (void) snprintf(parts_text, sizeof parts_text, "parts=%d", parts);
        (void) snprintf(texts[2], sizeof texts[2], "part=%d", part);
        const char *const argv[] = { "psql", lum_library_url(site->library),
                                     "-X",   "-q",
                                     "-v",   texts[0],
                                     "-v",   texts[1],
                                     "-v",   parts_text,
                                     "-v",   texts[2],
                                     "-f",   FILL_SCRIPT,
                                     NULL };
        const proc_options options = { .argv = argv, .err_fd = STDERR_FILENO };
        if (proc_spawn(env_default(), &options, &children[part], &err) != PGC_OK) {
            (void) fprintf(stderr, "bench services: psql: %s\n", err.message);
            ok = false;
        }
    }
    for (int part = 0; part < parts; part++) {
        int status = 0;
        bool ended = children[part] > 0 && waitpid(children[part], &status, 0) == children[part];
        ok = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0 && ok;
    }
    return ok || failed(site, phase);
}

/* Rows and words go in several sessions: they take by far the longest. */
static bool fill_assets(const services_site *site)
{
    return fill_phase(site, "begin", 1) && fill_phase(site, "rows", FILL_SESSIONS) &&
           fill_phase(site, "indexes", 1) && fill_phase(site, "words", FILL_SESSIONS) &&
           fill_phase(site, "end", 1);
}

static uint32_t read_be32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

/* A vector of each asset of the answer (id, owner), as its owner takes pictures. */
static pgc_status copy_vectors(services_site *site, pgc_pool *pool, const PGresult *assets)
{
    static const pgc_type_ref COLUMNS[] = { { "asset_id", "uuid", 2950 },
                                            { "owner_id", "integer", 23 },
                                            { "embedding", "halfvec", 0 },
                                            { "model_version", "character varying", 1043 } };
    static const pgc_copy EMBEDDINGS = {
        .name = "CopyEmbeddings", .table = "embeddings", .columns = COLUMNS, .column_count = 4
    };
    static vectors g;
    /* The server's last word on so many rows takes its time. */
    const pgc_copy_options options = { .struct_size = sizeof options, .timeout_us = -1 };
    pgc_copy_in *in = NULL;
    pgc_args args;
    pgc_status status = pgc_copy_in_open(pgc_pool_db(pool), &EMBEDDINGS, &options, &in, &site->err);
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

/* Past the foreign keys, which cost more than the rows and hold as they are made. */
static bool load_vectors(services_site *site, const PGresult *assets)
{
    char url[512];
    pgc_pool *pool = NULL;
    (void) snprintf(url, sizeof url, "%s&options=-csession_replication_role%%3Dreplica",
                    lum_library_url(site->library));
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = url },
                                       .max_conns = 1 };
    pgc_status status = pgc_pool_open(&options, &pool, &site->err);
    if (status == PGC_OK) {
        status = copy_vectors(site, pool, assets);
        pgc_pool_close(pool);
    }
    return status == PGC_OK || failed(site, "copy the vectors");
}

/* Of the same make as the product's, by its own function, which builds with one process because of
 * what a stranger's vectors may do to pgvector 0.8.0; ours are known. A graph that outgrows its
 * memory is finished on disk, ten times slower, with a notice. */
static bool build_graph(services_site *site, PGconn *conn)
{
    char sql[80];
    int64_t kilobytes = site->vector_count * GRAPH_KB;
    (void) snprintf(sql, sizeof sql, "SET maintenance_work_mem = '%" PRId64 "kB'",
                    kilobytes > GRAPH_KB_MIN ? kilobytes : GRAPH_KB_MIN);
    return run_sql(site, conn, sql) &&
           run_sql(site, conn,
                   "ALTER FUNCTION embedding_model_index(text)"
                   " SET max_parallel_maintenance_workers = 2") &&
           run_sql(site, conn, "SELECT embedding_model_index('" MODEL "')") &&
           run_sql(site, conn,
                   "ALTER FUNCTION embedding_model_index(text)"
                   " SET max_parallel_maintenance_workers = 0");
}

/* The graph is built behind the rows, as after any load of this size. Recordings get a vector only
 * when there are too few pictures. */
static bool fill_vectors(services_site *site, PGconn *conn)
{
    char sql[160];
    say(site, "make the vectors");
    if (!run_sql(site, conn,
                 "TRUNCATE embeddings; DO $$ BEGIN EXECUTE 'DROP INDEX IF EXISTS "
                 "idx_embeddings_vector_' || (SELECT model_id"
                 " FROM embedding_models WHERE name = '" MODEL "'); END $$")) {
        return false;
    }
    (void) snprintf(sql, sizeof sql,
                    "SELECT asset_id, owner_id FROM assets"
                    " ORDER BY asset_type = 'audio', asset_id LIMIT %" PRId64,
                    site->vector_count);
    PGresult *assets = PQexecParams(conn, sql, 0, NULL, NULL, NULL, NULL, 1);
    bool ok = PQresultStatus(assets) == PGRES_TUPLES_OK && load_vectors(site, assets);
    PQclear(assets);
    if (ok) {
        say(site, "make their graph");
    }
    return ok && build_graph(site, conn) && run_sql(site, conn, "VACUUM (ANALYZE) embeddings");
}

static bool has_mark(PGconn *conn, const char *name)
{
    char sql[96];
    (void) snprintf(sql, sizeof sql, "SELECT to_regclass('public.%s') IS NOT NULL", name);
    PGresult *res = PQexec(conn, sql);
    bool has = PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] == 't';
    PQclear(res);
    return has;
}

/* A mark is the last thing that a step writes; what ended in between begins again behind it. */
static bool fill(services_site *site, PGconn *conn)
{
    if (has_mark(conn, "bench_filled")) {
        return true;
    }
    if (!has_mark(conn, "bench_assets") &&
        (!fill_assets(site) || !run_sql(site, conn, "CREATE TABLE bench_assets ()"))) {
        return false;
    }
    return fill_vectors(site, conn) && run_sql(site, conn, "VACUUM ANALYZE") &&
           run_sql(site, conn, "CHECKPOINT") && run_sql(site, conn, "CREATE TABLE bench_filled ()");
}

/* What some lists show; also in a library that was kept from before they were measured. */
static bool fill_more(const services_site *site, PGconn *conn)
{
    return has_mark(conn, "bench_more") ||
           (fill_phase(site, "more", 1) && run_sql(site, conn, "CHECKPOINT") &&
            run_sql(site, conn, "CREATE TABLE bench_more ()"));
}

/* As the worker does once a day; also in a library that was kept from before there were any. */
static bool make_graphs(PGconn *conn)
{
    char name[LUM_GRAPH_NAME_MAX + 1] = "";
    char sql[80];
    (void) snprintf(sql, sizeof sql, "SELECT coalesce(embedding_graph_make(%d), '')",
                    LUM_GRAPH_LEAST);
    do {
        PGresult *res = PQexec(conn, sql);
        bool ok = PQntuples(res) == 1;
        (void) snprintf(name, sizeof name, "%s", ok ? PQgetvalue(res, 0, 0) : "");
        PQclear(res);
        if (!ok) {
            (void) fprintf(stderr, "bench services: make a graph: %s", PQerrorMessage(conn));
            return false;
        }
    } while (name[0] != '\0');
    return true;
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
    bool ok = PQstatus(conn) == CONNECTION_OK && fill(site, conn) && fill_more(site, conn) &&
              make_graphs(conn) && read_ids(site, conn);
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
