/* The server of the measurements: private, thrown away at the end, with the product's schema and
 * assets. Everything is made before the first row is measured. One thread. */
#include "parts.h"

#include <sched.h>
#include <sys/stat.h>

#include "migrate/migrate.h"

/* The product's own table, filled as an import of a mixed library fills it. */
static const char FILL[] =
    "INSERT INTO assets (asset_id, original_filename, file_path, file_size, file_hash, mime_type,"
    " asset_type, owner_id, uploaded_at, taken_at, taken_local, taken_offset_minutes, taken_source,"
    " camera_make, camera_model, lens_model, iso, aperture, shutter_speed, focal_length, latitude,"
    " longitude, altitude, width, height, description, rating, is_raw)"
    " SELECT gen_random_uuid(), 'IMG_' || n || '.jpg', '2024/06/IMG_' || n || '.jpg', n * 1000,"
    " encode(sha256(n::text::bytea), 'hex'), 'image/jpeg', 'photo', user_id,"
    " timestamptz '2024-06-01' + n * interval '1 minute',"
    " timestamptz '2024-06-01 10:00+02' + n * interval '1 minute',"
    " timestamp '2024-06-01 10:00' + n * interval '1 minute', 120, 'exif',"
    " 'NIKON', 'NIKON Z 6_2', CASE WHEN n % 3 > 0 THEN 'NIKKOR Z 24-70mm f/4 S' END,"
    " 100, 2.80, '1/250', 35.00, CASE WHEN n % 4 > 0 THEN 38.71234567 END,"
    " CASE WHEN n % 4 > 0 THEN -9.13876543 END, CASE WHEN n % 4 > 0 THEN 112.50 END, 6048, 4024,"
    " CASE WHEN n % 10 = 0 THEN 'a view over the old town' END,"
    " CASE WHEN n % 5 = 0 THEN 4 END, n % 7 = 0"
    " FROM users, generate_series(1, 20000) AS n";

static cpu_set_t all_cores, one_core;

void site_join_core(bool join)
{
    (void) sched_setaffinity(0, sizeof all_cores, join ? &one_core : &all_cores);
}

double cpu_seconds(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

double site_failed(const bench_site *site, const char *doing)
{
    site_join_core(false);
    (void) fprintf(stderr, "bench pgc: %s: %s\n", doing, site->err.message);
    return BENCH_NONE;
}

void rows_add(bench_rows *rows, bench_case one)
{
    assert(rows->count < BENCH_ROWS_MAX);
    rows->cases[rows->count++] = one;
}

static bool start_server(bench_site *site)
{
    const char *tmp = getenv("TMPDIR");
    (void) snprintf(site->dir, sizeof site->dir, "%s/bench-pgc.XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(site->dir) == NULL || chmod(site->dir, 0711) != 0) {
        (void) fprintf(stderr, "bench pgc: no folder %s\n", site->dir);
        site->dir[0] = '\0';
        return false;
    }
    const pgc_cluster_options options = {
        .struct_size = sizeof options, .dir = site->dir, .database = "bench", .throw_away = true
    };
    if (pgc_cluster_open(&options, &site->cluster, &site->err) != PGC_OK) {
        (void) site_failed(site, "start a server");
        return false;
    }
    site->url = pgc_cluster_conninfo(site->cluster);
    return true;
}

static bool make_schema(bench_site *site)
{
    migrate_apply_report report;
    const migrate_options options = { .env = env_default(),
                                      .source = migrate_builtin(),
                                      .url = site->url,
                                      .revisions_schema = "public" };
    pgc_status status = migrate_apply(&options, &report, &site->err);
    migrate_apply_report_done(&report);
    if (status != PGC_OK) {
        (void) site_failed(site, "make the schema");
    }
    return status == PGC_OK;
}

/* Where that is not allowed the rows are only noisier. */
static void pin_backends(const bench_site *site)
{
    size_t core = 0;
    (void) sched_getaffinity(0, sizeof all_cores, &all_cores);
    while (core < CPU_SETSIZE - 1 && !CPU_ISSET(core, &all_cores)) {
        core++;
    }
    CPU_ZERO(&one_core);
    CPU_SET(core, &one_core);
    (void) sched_setaffinity(pgc_conn_backend_pid(site->conn), sizeof one_core, &one_core);
    (void) sched_setaffinity(PQbackendPID(site->raw), sizeof one_core, &one_core);
}

static bool connect_both(bench_site *site)
{
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = site->url };
    if (pgc_conn_open(&options, &site->conn, &site->err) != PGC_OK) {
        (void) site_failed(site, "connect");
        return false;
    }
    site->raw = PQconnectdb(site->url);
    if (PQstatus(site->raw) != CONNECTION_OK) {
        (void) fprintf(stderr, "bench pgc: %s\n", PQerrorMessage(site->raw));
        return false;
    }
    pin_backends(site);
    return true;
}

static bool read_ids(bench_site *site)
{
    PGresult *res = PQexecParams(site->raw,
                                 "SELECT asset_id FROM assets ORDER BY md5(file_path)"
                                 " LIMIT 4096",
                                 0, NULL, NULL, NULL, NULL, 1);
    site->ids = calloc(BENCH_IDS, sizeof *site->ids);
    bool ok = PQntuples(res) == BENCH_IDS && site->ids != NULL;
    for (int i = 0; ok && i < BENCH_IDS; i++) {
        memcpy(site->ids[i].bytes, PQgetvalue(res, i, 0), sizeof site->ids[i].bytes);
    }
    PQclear(res);
    return ok;
}

static bool fill(bench_site *site)
{
    static const char *const STEPS[] = {
        "INSERT INTO users (username, email, password_hash) VALUES ('bench', 'b@example.org', '!')",
        FILL,
        "VACUUM ANALYZE",
        "CHECKPOINT",
    };
    for (size_t i = 0; i < ARRAY_LEN(STEPS); i++) {
        PGresult *res = PQexec(site->raw, STEPS[i]);
        bool ok = PQresultStatus(res) == PGRES_COMMAND_OK;
        PQclear(res);
        if (!ok) {
            (void) fprintf(stderr, "bench pgc: fill: %s\n", PQerrorMessage(site->raw));
            return false;
        }
    }
    return true;
}

bool site_open(bench_site *site)
{
    *site = (bench_site) { .url = NULL };
    if (!start_server(site) || !make_schema(site) || !connect_both(site) || !fill(site) ||
        !read_ids(site)) {
        return false;
    }
    site->pgx = peer_open("peer-pgx", site->url);
    if (site->pgx == NULL) {
        const char *const go[] = { "go", "version", NULL };
        site->no_pgx = isnan(bench_command(go)) ? "no Go" : "peer-pgx is not built";
    }
    return true;
}

void site_close(bench_site *site)
{
    peer_close(site->pgx);
    pgc_conn_close(site->conn);
    PQfinish(site->raw);
    pgc_cluster_close(site->cluster);
    if (site->dir[0] != '\0') {
        char file[320];
        (void) snprintf(file, sizeof file, "%s/assets.bin", site->dir); /* of copy.c */
        (void) unlink(file);
        (void) rmdir(site->dir);
    }
    free(site->ids);
}
