/* The server and the databases of one test process. All memory is static: a test process makes few
 * databases. One thread at a time. */
#include "base/prelude.h"

#include <libpq-fe.h>

#include <pgc/cluster.h>

#include "base/clock.h"

#include "pg.h"

#define DATABASES_MAX 512
#define URL_MAX       1024
#define NAME_MAX_LEN  64

typedef struct test_db {
    char name[NAME_MAX_LEN]; /* "" when dropped */
    char *url;
} test_db;

static struct {
    bool asked;
    pid_t owner;
    const char *url; /* NULL: no server */
    pgc_cluster *cluster;
    char dir[64];
    test_db databases[DATABASES_MAX];
    size_t count;
} state;

/* Runs one command on the server; prints the reason of a failure. */
static bool run(const char *sql)
{
    PGconn *conn = PQconnectdb(state.url);
    PGresult *result = NULL;
    bool ok = PQstatus(conn) == CONNECTION_OK;
    if (ok) {
        result = PQexec(conn, sql);
        ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    }
    if (!ok) {
        printf("# %s: %s\n", sql, PQerrorMessage(conn));
    }
    PQclear(result);
    PQfinish(conn);
    return ok;
}

static void drop(test_db *db)
{
    char sql[128];
    if (db->name[0] != '\0') {
        (void) snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS \"%s\" WITH (FORCE)", db->name);
        (void) run(sql);
    }
    free(db->url);
    *db = (test_db) { .url = NULL };
}

static void clean_up(void)
{
    if (getpid() != state.owner) {
        return; /* a forked child: everything belongs to the parent */
    }
    for (size_t i = 0; i < state.count && state.cluster == NULL; i++) {
        drop(&state.databases[i]);
    }
    pgc_cluster_close(state.cluster);
    state.cluster = NULL;
}

static void open_cluster(void)
{
    pgc_error err;
    (void) snprintf(state.dir, sizeof state.dir, "/tmp/lum-pg-XXXXXX");
    if (mkdtemp(state.dir) == NULL) {
        printf("# no folder for a server: %s\n", strerrordesc_np(errno));
        return;
    }
    pgc_cluster_options options = { .struct_size = sizeof options,
                                    .dir = state.dir,
                                    .throw_away = true };
    if (pgc_cluster_open(&options, &state.cluster, &err) != PGC_OK) {
        printf("# no server: %s\n", err.message);
        return;
    }
    state.url = pgc_cluster_conninfo(state.cluster);
}

const char *test_server(void)
{
    if (state.asked) {
        return state.url;
    }
    state.asked = true;
    state.owner = getpid();
    const char *given = getenv("TEST_DATABASE_URL");
    if (given != NULL && given[0] != '\0') {
        state.url = given;
    } else {
        open_cluster();
    }
    (void) atexit(clean_up);
    return state.url;
}

/* One parameter of a URI, percent-encoded. */
static size_t add_setting(char *out, size_t size, size_t at, const char *key, const char *value)
{
    at += (size_t) snprintf(out + at, size - at, "%s=", key);
    for (; *value != '\0' && at + 4 < size; value++) {
        unsigned char c = (unsigned char) *value;
        bool plain = isalnum(c) || strchr("-._/", c) != NULL;
        at += (size_t) snprintf(out + at, size - at, plain ? "%c" : "%%%02X", c);
    }
    return at;
}

/* The server's connection string, as a URI, with another database; NULL when it cannot be read. */
static char *url_of(const char *name)
{
    char url[URL_MAX];
    PQconninfoOption *options = PQconninfoParse(state.url, NULL);
    if (options == NULL) {
        return NULL;
    }
    size_t at = (size_t) snprintf(url, sizeof url, "postgresql:///%s", name);
    char separator = '?';
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        bool wanted = o->val != NULL && strcmp(o->keyword, "dbname") != 0;
        size_t need = wanted ? strlen(o->keyword) + 3 * strlen(o->val) + 8 : 0;
        if (wanted && at + need < sizeof url) {
            url[at++] = separator;
            at = add_setting(url, sizeof url, at, o->keyword, o->val);
            separator = '&';
        }
    }
    PQconninfoFree(options);
    return strdup(url);
}

const char *test_db_create_from(const char *name)
{
    const char *source = name != NULL ? name : getenv("TEST_TEMPLATE");
    char sql[256];
    uint32_t number = 0;
    const clock_ops *clock = clock_os();
    if (test_server() == NULL || state.count == DATABASES_MAX ||
        !clock->random(clock->ctx, &number, sizeof number)) {
        return NULL;
    }
    test_db *db = &state.databases[state.count];
    (void) snprintf(db->name, sizeof db->name, "t_%d_%zu_%08" PRIx32, (int) getpid(), state.count,
                    number);
    bool given = source != NULL && source[0] != '\0';
    (void) snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\" TEMPLATE \"%.63s\"", db->name,
                    given ? source : "template0");
    if (!run(sql)) {
        *db = (test_db) { .url = NULL };
        return NULL;
    }
    state.count++;
    db->url = url_of(db->name);
    return db->url;
}

const char *test_db_create(void)
{
    return test_db_create_from("template0");
}

void test_db_drop(const char *url)
{
    for (size_t i = 0; url != NULL && i < state.count; i++) {
        if (state.databases[i].url == url) {
            drop(&state.databases[i]);
            return;
        }
    }
}
