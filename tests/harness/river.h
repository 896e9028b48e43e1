/* A database with the job queue's tables, a pool and a client, for tests of the queue. */
#ifndef TEST_RIVER_H
#define TEST_RIVER_H

#include <stdatomic.h>

#include <river/insert.h>
#include <river/manage.h>
#include <river/migrate.h>

#include "base/buf.h"
#include "base/clock.h"

#include "scratch.h"
#include "tap.h"

#define SECOND_US INT64_C(1000000)

typedef struct scene {
    scratch db;
    arena *mem;
    pgc_pool *pool;
    river_client *client;
    river_jobs *jobs;
    atomic_int calls;
    buf out; /* for what a program prints */
    pgc_error err;
} scene;

static inline void scene_done(scene *s)
{
    buf_done(&s->out);
    river_jobs_free(s->jobs);
    river_client_close(s->client);
    pgc_pool_close(s->pool);
    arena_free(s->mem);
    scratch_drop(&s->db);
}

/* River's tables in the first schema of the search path. */
static inline bool river_tables(pgc_conn *conn, pgc_error *err)
{
    const river_migrate_options options = { .struct_size = sizeof options };
    return river_migrate(conn, RIVER_UP, &options, NULL, err) == PGC_OK;
}

static inline bool scene_begin(scene *s)
{
    memset(s, 0, sizeof(*s));
    buf_init(&s->out, NULL, 1 << 20);
    if (!scratch_make(&s->db)) {
        return false;
    }
    s->mem = arena_new(NULL, 0, 0);
    pgc_pool_options pool = { .struct_size = sizeof(pool),
                              .max_conns = 4,
                              .conn = { .struct_size = sizeof(pool.conn), .conninfo = s->db.url } };
    return s->mem != NULL && river_tables(s->db.conn, &s->err) &&
           pgc_pool_open(&pool, &s->pool, &s->err) == PGC_OK;
}

#define SCENE(name)                                    \
    if (test_server() == NULL) {                       \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    AUTO(scene_done) scene name;                       \
    REQUIRE(scene_begin(&name))

/* Rows of river_job by id, one text per line. */
static inline const char *scene_row(scene *s, const char *columns)
{
    const char *sql = arena_printf(s->mem, "SELECT %s FROM river_job ORDER BY id", columns);
    return sql == NULL ? NULL : scratch_text(&s->db, s->mem, sql);
}

/* Until the query says "t"; false after ten seconds. */
static inline bool scene_comes_true(scene *s, const char *sql)
{
    const clock_ops *clock = clock_os();
    int64_t until = clock->mono_us(clock->ctx) + 10 * SECOND_US;
    while (clock->mono_us(clock->ctx) < until) {
        const char *text = scratch_text(&s->db, s->mem, sql);
        if (text != NULL && strcmp(text, "t") == 0) {
            return true;
        }
        clock->sleep_us(clock->ctx, 5000);
    }
    return false;
}

#endif
