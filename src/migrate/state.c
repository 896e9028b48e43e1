/* Reads what directory and revision table say. One thread at a time. */
#include "base/prelude.h"

#include "migrate/state.h"

#include "migrate/split.h"
#include "migrate/sum.h"

/* What stands between any command and the database. */
pgc_status migrate_open_dir(const migrate_options *options, arena *mem, migrate_dir *out,
                            pgc_error *err)
{
    TRY(migrate_dir_load(options->env, &options->source, mem, out, err));
    TRY(migrate_dir_check(out, err));
    return migrate_sum_validate(out, mem, NULL, err);
}

/* A tool that does not refresh `total` leaves a repaired and finished file as "5 of 4", which it
 * cannot read again itself. Such a row has no hashes and no error, and counts all statements. */
static pgc_status is_finished(const migrate_session *s, const migrate_dir *dir,
                              const migrate_revision *row, bool *out, pgc_error *err)
{
    const migrate_file *file = migrate_dir_find(dir, row->version);
    *out = false;
    if (!migrate_revision_partial(row) || row->partial_count > 0 || row->error[0] != '\0' ||
        file == NULL) {
        return PGC_OK;
    }
    migrate_stmts stmts = { NULL, 0 };
    pgc_status status = migrate_split(file->content, s->mem, &stmts, NULL);
    if (status == PGC_NOMEM) {
        return pgc_error_set(err, status, "read revisions");
    }
    *out = status == PGC_OK && row->applied > 0 && (size_t) row->applied == stmts.count;
    return PGC_OK;
}

/* Whether the database is clean is only of interest while there is no row. */
pgc_status migrate_read_state(migrate_session *session, const migrate_dir *dir, bool repair,
                              migrate_state *out, pgc_error *err)
{
    migrate_state state = { .rows = NULL };
    TRY(migrate_store_exists(session->store, &state.table_exists, err));
    TRY(migrate_store_read(session->store, session->mem, &state.rows, &state.row_count, err));
    for (size_t i = 0; i < state.row_count; i++) {
        bool finished = false;
        TRY(is_finished(session, dir, &state.rows[i], &finished, err));
        if (finished) {
            state.rows[i].total = state.rows[i].applied;
            TRY(repair ? migrate_store_write(session->store, &state.rows[i], err) : PGC_OK);
        }
    }
    if (state.row_count == 0) {
        TRY(migrate_check_clean(session, &state.not_clean, err));
    }
    *out = state;
    return PGC_OK;
}
