/* Where a library lies and which database it has: a given URL, else a private server below the
 * library's folder. One thread opens and closes. */
#include "base/prelude.h"

#include <pgc/cluster.h>

#include "base/alloc.h"
#include "service/library.h"

#define DATABASE_NAME "lumilio"

struct lum_database {
    const env *env;
    pgc_cluster *cluster; /* NULL: a URL was given */
    char *url;
};

/* Roles that programs of our system user may log in as; 008_security.sql makes them. */
static const char *const LOGIN_ROLES[] = { "lumilio_app",    "lumilio_auth",    "lumilio_worker",
                                           "lumilio_backup", "lumilio_monitor", NULL };

/* The option wins over LUMILIO_HOME, that over the XDG folder. The path becomes absolute here,
 * because the server's own folder is another. */
pgc_status lum_home_resolve(const char *home, char *out, size_t out_size, pgc_error *err)
{
    char cwd[PATH_MAX] = "";
    const char *data = getenv("XDG_DATA_HOME");
    const char *user = getenv("HOME");
    const char *tail = "";
    home = home != NULL ? home : getenv("LUMILIO_HOME");
    if (home == NULL && data != NULL && data[0] == '/') {
        home = data;
        tail = "/lumilio";
    } else if (home == NULL && user != NULL && user[0] == '/') {
        home = user;
        tail = "/.local/share/lumilio";
    }
    if (home == NULL || home[0] == '\0') {
        return pgc_error_set(err, PGC_INVALID,
                             "no folder for the library: set LUMILIO_HOME or give --home DIR");
    }
    if (home[0] != '/' && getcwd(cwd, sizeof cwd) == NULL) {
        return pgc_error_errno(err, errno, "find the working directory");
    }
    int length = snprintf(out, out_size, "%s%s%s%s", cwd, home[0] != '/' ? "/" : "", home, tail);
    if (length < 0 || (size_t) length >= out_size) {
        return pgc_error_set(err, PGC_INVALID, "folder of the library: path is too long");
    }
    return PGC_OK;
}

pgc_status lum_cluster_dir(const char *home, char *out, size_t out_size, pgc_error *err)
{
    int length = snprintf(out, out_size, "%s/postgres", home);
    if (length < 0 || (size_t) length >= out_size) {
        return pgc_error_set(err, PGC_INVALID, "folder of the library: path is too long");
    }
    return PGC_OK;
}

/* The library's folder need not exist yet: opening the cluster makes it. */
static pgc_status cluster_open(lum_database *database, const char *home, bool keep_running,
                               pgc_error *err)
{
    char path[PATH_MAX];
    char dir[PATH_MAX];
    TRY(lum_home_resolve(home, path, sizeof path, err));
    TRY(lum_cluster_dir(path, dir, sizeof dir, err));
    const pgc_cluster_options cluster = {
        .struct_size = sizeof cluster,
        .dir = dir,
        .database = DATABASE_NAME,
        .login_roles = LOGIN_ROLES,
        .keep_running = keep_running,
        .alloc = database->env->alloc,
    };
    return pgc_cluster_open(&cluster, &database->cluster, err);
}

/* A given URL wins: then no server of ours is started, nor stopped. */
static pgc_status open_parts(lum_database *database, const lum_library_options *options,
                             pgc_error *err)
{
    const char *url =
        options->database_url != NULL ? options->database_url : getenv("DATABASE_URL");
    if (url == NULL || url[0] == '\0') {
        TRY(cluster_open(database, options->home, options->keep_running, err));
        url = pgc_cluster_conninfo(database->cluster);
    }
    database->url = mem_strdup(database->env->alloc, url);
    return database->url != NULL ? PGC_OK : pgc_error_set(err, PGC_NOMEM, "open database");
}

pgc_status lum_database_open(const env *e, const lum_library_options *options, lum_database **out,
                             pgc_error *err)
{
    e = e != NULL ? e : env_default();
    lum_database *database = MEM_NEW(e->alloc, lum_database);
    if (database == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open database");
    }
    database->env = e;
    pgc_status status = open_parts(database, options, err);
    if (status != PGC_OK) {
        lum_database_close(database);
        return status;
    }
    assert(database->url != NULL);
    *out = database;
    return PGC_OK;
}

/* The last user's close stops the private server. */
void lum_database_close(lum_database *database)
{
    if (database != NULL) {
        pgc_cluster_close(database->cluster);
        mem_free_str(database->env->alloc, database->url);
        mem_free(database->env->alloc, database, sizeof *database);
    }
}

const char *lum_database_url(const lum_database *database)
{
    return database->url;
}

bool lum_database_is_private(const lum_database *database)
{
    return database->cluster != NULL;
}
