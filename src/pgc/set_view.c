/* Views: a set with a memory of what was written, and with settings for each call. Any thread; the
 * token is under a lock of its own. */
#include "base/prelude.h"

#include "base/alloc.h"
#include "base/options.h"
#include "pgc/set_state.h"

struct pgc_view {
    pgc_db db;
    pgc_set *set;
    pthread_mutex_t lock;
    pgc_token token;
    tx_start *start; /* the settings, encoded once; NULL: none */
};

static set_call view_call(pgc_view *view, const pgc_query *query, const pgc_args *args)
{
    return (set_call) { .set = view->set,
                        .session = view->start == NULL ? NULL : &view->start->settings,
                        .token = pgc_view_token(view),
                        .query = query,
                        .args = args };
}

static pgc_status view_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                           pgc_result **out, pgc_error *err)
{
    pgc_view *view = CONTAINER_OF(db, pgc_view, db);
    pgc_token written = { 0, 0, 0 };
    set_call call = view_call(view, query, args);
    call.written = &written;
    if ((query->flags & PGC_QUERY_READ_ONLY) != 0) {
        return set_read(&call, out, err);
    }
    pgc_status status = set_write(&call, out, err);
    pgc_view_advance(view, written); /* also when only the rows could not be delivered */
    return status;
}

/* Rows of a write that come one by one do not move the token: their transaction ends later. */
static pgc_status view_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                            const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    pgc_view *view = CONTAINER_OF(db, pgc_view, db);
    const set_call call = view_call(view, query, args);
    return set_open_rows(&call, true, options, out, err);
}

static pgc_status view_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    pgc_view *view = CONTAINER_OF(db, pgc_view, db);
    return set_lend(view->set, view->start == NULL ? NULL : &view->start->settings, out, err);
}

static const pgc_db_ops VIEW_OPS = { sizeof(pgc_db_ops), view_run, view_rows, view_lend,
                                     set_give_back };

pgc_status pgc_view_open(pgc_set *set, const pgc_view_options *options, pgc_view **out,
                         pgc_error *err)
{
    pgc_view_options full;
    if (set == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "view: no set or no place for the result");
    }
    TRY(options_take_any("view options", options, &full, sizeof full, err));
    TRY(session_check(full.settings, full.setting_count, err));
    const pgc_tx_options as_tx = { .struct_size = sizeof as_tx,
                                   .settings = full.settings,
                                   .setting_count = full.setting_count };
    pgc_view *view = MEM_NEW(set->alloc, pgc_view);
    if (view == NULL || !tx_start_make(&as_tx, set->alloc, &view->start)) {
        mem_free(set->alloc, view, sizeof *view);
        return pgc_error_set(err, PGC_NOMEM, "view");
    }
    view->db.ops = &VIEW_OPS;
    view->set = set;
    view->token = full.token;
    (void) pthread_mutex_init(&view->lock, NULL);
    *out = view;
    return PGC_OK;
}

void pgc_view_close(pgc_view *view)
{
    if (view != NULL) {
        tx_start_free(view->start, view->set->alloc);
        (void) pthread_mutex_destroy(&view->lock);
        mem_free(view->set->alloc, view, sizeof *view);
    }
}

pgc_db *pgc_view_db(pgc_view *view)
{
    return &view->db;
}

pgc_token pgc_view_token(pgc_view *view)
{
    (void) pthread_mutex_lock(&view->lock);
    pgc_token token = view->token;
    (void) pthread_mutex_unlock(&view->lock);
    return token;
}

void pgc_view_advance(pgc_view *view, pgc_token token)
{
    (void) pthread_mutex_lock(&view->lock);
    view->token = pgc_token_max(view->token, token);
    (void) pthread_mutex_unlock(&view->lock);
}
