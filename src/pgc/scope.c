/* A pool with an identity: settings and query travel as one group, whose implicit transaction ends
 * with it, so that nothing of the identity stays on the connection. Constant after opening; any
 * thread. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/session.h"
#include "pgc/stream.h"

struct pgc_scope {
    pgc_db db;
    pgc_pool *pool;
    const pgc_alloc *alloc;
    pgc_setting settings[PGC_SCOPE_SETTINGS_MAX]; /* ours */
    char *texts[2 * PGC_SCOPE_SETTINGS_MAX];
    size_t count;
    session_args session; /* borrows the texts */
};

/* Settings first: the query behind them never runs without its identity, because an error stops
 * the whole group. */
static pgc_status scope_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                               pgc_result **out, pgc_error *err)
{
    pgc_scope *scope = CONTAINER_OF(db, pgc_scope, db);
    run_item items[2];
    size_t count = session_front(&scope->session, query, items);
    items[count++] = (run_item) { query, args };
    return pool_run(scope->pool, items, count, out, err);
}

/* As above: nothing is read without the identity. */
static pgc_status scope_db_open_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                                     const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    pgc_scope *scope = CONTAINER_OF(db, pgc_scope, db);
    run_item items[2];
    size_t count = session_front(&scope->session, query, items);
    items[count++] = (run_item) { query, args };
    return pool_open_rows(scope->pool, items, count, options, out, err);
}

/* A connection of the pool; the borrower puts the settings in front of each transaction. */
static pgc_status scope_db_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    const pgc_scope *scope = CONTAINER_OF(db, pgc_scope, db);
    pgc_conn *conn = NULL;
    TRY(pgc_pool_acquire(scope->pool, &conn, err));
    *out = (pgc_loan) { .conn = conn };
    if (scope->count > 0) {
        const run_item item = session_item(&scope->session);
        out->first = item.query;
        out->first_args = item.args;
    }
    return PGC_OK;
}

static void scope_db_give_back(pgc_db *db, pgc_loan *loan)
{
    pgc_pool_release(CONTAINER_OF(db, pgc_scope, db)->pool, loan->conn);
}

static const pgc_db_ops SCOPE_DB_OPS = { .struct_size = sizeof(pgc_db_ops),
                                         .run = scope_db_run,
                                         .open_rows = scope_db_open_rows,
                                         .lend = scope_db_lend,
                                         .give_back = scope_db_give_back };

/* On failure pgc_scope_close() frees what was copied. */
static bool copy_settings(pgc_scope *scope, const pgc_setting *settings)
{
    for (size_t i = 0; i < scope->count; i++) {
        scope->texts[2 * i] = mem_strdup(scope->alloc, settings[i].name);
        scope->texts[2 * i + 1] = mem_strdup(scope->alloc, settings[i].value);
        if (scope->texts[2 * i] == NULL || scope->texts[2 * i + 1] == NULL) {
            return false;
        }
        scope->settings[i] = (pgc_setting) { scope->texts[2 * i], scope->texts[2 * i + 1] };
    }
    return true;
}

/* The settings are encoded once, here; every call sends the same bytes again. */
pgc_status pgc_scope_open(pgc_pool *pool, const pgc_setting *settings, size_t setting_count,
                          pgc_scope **out, pgc_error *err)
{
    if (pool == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "scope: no pool or no place for the result");
    }
    TRY(session_check(settings, setting_count, err));
    const pgc_alloc *alloc = pool->options.conn.alloc;
    pgc_scope *scope = MEM_NEW(alloc, pgc_scope);
    if (scope == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "scope");
    }
    scope->db.ops = &SCOPE_DB_OPS;
    scope->pool = pool;
    scope->alloc = alloc;
    scope->count = setting_count;
    if (!copy_settings(scope, settings)) {
        pgc_scope_close(scope);
        return pgc_error_set(err, PGC_NOMEM, "scope");
    }
    session_args_init(&scope->session, scope->settings, scope->count, alloc);
    *out = scope;
    return PGC_OK;
}

/* Nothing is left on any connection: settings end with the transaction of their call. */
void pgc_scope_close(pgc_scope *scope)
{
    if (scope == NULL) {
        return;
    }
    session_args_done(&scope->session);
    for (size_t i = 0; i < ARRAY_LEN(scope->texts); i++) {
        mem_free_str(scope->alloc, scope->texts[i]);
    }
    mem_free(scope->alloc, scope, sizeof *scope);
}

pgc_db *pgc_scope_db(pgc_scope *scope)
{
    return &scope->db;
}
