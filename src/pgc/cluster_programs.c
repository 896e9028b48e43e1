/* Finding the programs of PostgreSQL. A data directory only works with its own major version; a new
 * one gets the newest that is installed. Thread-safe. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/proc.h"
#include "pgc/cluster_parts.h"

#define VERSION_TIMEOUT_US INT64_C(10000000)

/* Where distributions keep one major version. */
static const struct {
    const char *prefix, *suffix;
} PLACES[] = { { "/usr/lib/postgresql/", "/bin" }, { "/usr/pgsql-", "/bin" } };

/* Packages with client programs only have the folder, but neither of these two. */
static bool has_programs(const pgc_cluster *c, const char *folder)
{
    char path[PATH_MAX];
    (void) snprintf(path, sizeof path, "%s/initdb", folder);
    bool initdb = file_exists(&c->e, AT_FDCWD, path);
    (void) snprintf(path, sizeof path, "%s/postgres", folder);
    return initdb && file_exists(&c->e, AT_FDCWD, path);
}

/* Major version that the programs in a folder name; 0 when they do not. */
static int32_t ask_major(const pgc_cluster *c, const char *folder)
{
    char path[PATH_MAX];
    (void) snprintf(path, sizeof path, "%s/postgres", folder);
    const char *const argv[] = { path, "--version", NULL };
    AUTO(buf_auto) buf output;
    buf_init(&output, c->e.alloc, 1024);
    const char *const vars[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
    proc_options options = {
        .argv = argv, .env_vars = vars, .output = &output, .timeout_us = VERSION_TIMEOUT_US
    };
    int code = 1;
    if (proc_run(&c->e, &options, &code, NULL) != PGC_OK || code != 0) {
        return 0;
    }
    /* "postgres (PostgreSQL) 15.4 (Debian …)", "… 18beta1" */
    slice rest = buf_view(&output);
    (void) slice_next(&rest, ')');
    slice version = slice_trim(rest);
    int64_t major = 0;
    size_t digits = 0;
    while (digits < version.len && version.ptr[digits] >= '0' && version.ptr[digits] <= '9') {
        digits++;
    }
    bool ok = digits < 4 && slice_to_i64(slice_sub(version, 0, digits), &major);
    return ok ? (int32_t) major : 0;
}

/* Remembers the choice for this handle. */
static pgc_status take(pgc_cluster *c, slice folder, int32_t major, pgc_error *err)
{
    assert(folder.len > 0);
    assert(major > 0);
    c->bin = arena_copy(c->arena, folder);
    c->major = major;
    return c->bin == NULL ? pgc_error_set(err, PGC_NOMEM, "open cluster") : PGC_OK;
}

/* A data directory admits one version; without one, any that we are tested with will do. */
static bool serves(int32_t major, int32_t data_major)
{
    return data_major != 0 ? major == data_major
                           : major >= CLUSTER_MAJOR_MIN && major <= CLUSTER_MAJOR_MAX;
}

/* Programs that PATH leads to; *found tells whether there are fitting ones. */
static pgc_status search_path(pgc_cluster *c, int32_t data_major, bool *found, pgc_error *err)
{
    const char *path = getenv("PATH");
    slice rest = path == NULL ? (slice) { NULL, 0 } : (slice) { path, strlen(path) };
    while (rest.ptr != NULL) {
        slice entry = slice_next(&rest, ':');
        char folder[PATH_MAX];
        if (entry.len == 0 || entry.ptr[0] != '/' || entry.len >= sizeof folder - 16) {
            continue;
        }
        memcpy(folder, entry.ptr, entry.len);
        folder[entry.len] = '\0';
        int32_t major = has_programs(c, folder) ? ask_major(c, folder) : 0;
        if (serves(major, data_major)) {
            *found = true;
            return take(c, entry, major, err);
        }
    }
    return PGC_OK;
}

/* Newest first. Folders of distributions name the version, so nothing has to be run to learn it. */
static pgc_status search(pgc_cluster *c, int32_t data_major, bool *found, pgc_error *err)
{
    int32_t from = data_major != 0 ? data_major : CLUSTER_MAJOR_MAX;
    int32_t to = data_major != 0 ? data_major : CLUSTER_MAJOR_MIN;
    for (int32_t major = from; major >= to; major--) {
        for (size_t i = 0; i < ARRAY_LEN(PLACES); i++) {
            char folder[64];
            (void) snprintf(folder, sizeof folder, "%s%" PRId32 "%s", PLACES[i].prefix, major,
                            PLACES[i].suffix);
            if (has_programs(c, folder)) {
                *found = true;
                return take(c, (slice) { folder, strlen(folder) }, major, err);
            }
        }
    }
    return search_path(c, data_major, found, err);
}

/* Every failure says which package would help. */
pgc_status cluster_find_programs(pgc_cluster *c, const char *wanted, int32_t data_major,
                                 pgc_error *err)
{
    if (wanted != NULL) {
        int32_t major = has_programs(c, wanted) ? ask_major(c, wanted) : 0;
        if (major == 0) {
            return pgc_error_set(err, PGC_NOT_FOUND, "no initdb and postgres in %s", wanted);
        }
        if (!serves(major, data_major)) {
            return pgc_error_set(err, PGC_UNSUPPORTED,
                                 "%s holds PostgreSQL %" PRId32 ", the cluster needs %" PRId32
                                 " to %" PRId32,
                                 wanted, major, data_major != 0 ? data_major : CLUSTER_MAJOR_MIN,
                                 data_major != 0 ? data_major : CLUSTER_MAJOR_MAX);
        }
        return take(c, (slice) { wanted, strlen(wanted) }, major, err);
    }
    bool found = false;
    TRY(search(c, data_major, &found, err));
    if (found) {
        return PGC_OK;
    }
    if (data_major != 0) {
        return pgc_error_set(err, PGC_NOT_FOUND,
                             "%s was made by PostgreSQL %" PRId32
                             ", which is not installed: install the package postgresql-%" PRId32,
                             c->data, data_major, data_major);
    }
    return pgc_error_set(err, PGC_NOT_FOUND,
                         "no PostgreSQL %d to %d is installed: install the package postgresql",
                         CLUSTER_MAJOR_MIN, CLUSTER_MAJOR_MAX);
}
