/* Makes the revision table say what a person knows to be true, in one transaction. A row that is
 * resolved this way counts all it has as done: otherwise its file would be pending again. One
 * thread per call. */
#include "base/prelude.h"

#include "migrate/execute.h"
#include "migrate/lock.h"
#include "migrate/state.h"

typedef struct set_run {
    const migrate_options *options;
    migrate_set_report *report;
    migrate_session session;
    migrate_state state; /* rows before the change */
    const char *target;  /* NULL: the directory is empty, remove everything */
    pgc_error *err;
} set_run;

/* Without a version the newest file is meant, but only where a history exists: on an empty table
 * that would silently skip everything. */
static pgc_status choose_target(set_run *s, const char *version)
{
    const migrate_dir *dir = &s->report->dir;
    if (version != NULL) {
        s->target = version;
        return migrate_dir_find(dir, version) != NULL
                   ? PGC_OK
                   : pgc_error_set(s->err, PGC_NOT_FOUND, "migration with version \"%s\" not found",
                                   version);
    }
    if (s->state.row_count == 0) {
        return pgc_error_set(s->err, PGC_INVALID,
                             "no revision exists yet: name the version to set");
    }
    s->target = dir->file_count > 0 ? dir->files[dir->file_count - 1].version : NULL;
    return PGC_OK;
}

/* Delete rows above the target. */
static pgc_status remove_above(set_run *s)
{
    for (size_t i = 0; i < s->state.row_count; i++) {
        const migrate_revision *row = &s->state.rows[i];
        if (s->target == NULL || strcmp(row->version, s->target) > 0) {
            TRY(migrate_store_delete(s->session.store, row->version, s->err));
            s->report->removed[s->report->removed_count++] = *row;
        }
    }
    return PGC_OK;
}

/* The error stays in the row for the record; the resolved bit tells readers to ignore it. */
static pgc_status resolve_row(set_run *s, const migrate_revision *row)
{
    if (row->error[0] == '\0' && !migrate_revision_partial(row)) {
        return PGC_OK;
    }
    migrate_revision fixed = *row;
    fixed.type |= MIGRATE_TYPE_RESOLVED;
    fixed.total = fixed.applied; /* Atlas looks at these two numbers only */
    fixed.partial_count = 0;
    TRY(migrate_store_write(s->session.store, &fixed, s->err));
    s->report->set[s->report->set_count++] = fixed;
    return PGC_OK;
}

/* A file that counts as applied without having run here: no statements, but the hash it has now. */
static pgc_status mark_file(set_run *s, const migrate_file *file)
{
    const clock_ops *now = s->options->env->clock;
    const migrate_revision row = {
        .version = file->version,
        .description = file->description,
        .type = MIGRATE_TYPE_RESOLVED,
        .executed_us = now->unix_us(now->ctx),
        .error = "",
        .error_stmt = "",
        .hash = file->hash != NULL ? file->hash : "",
        .operator_version = MIGRATE_OPERATOR,
    };
    TRY(migrate_store_write(s->session.store, &row, s->err));
    s->report->set[s->report->set_count++] = row;
    return PGC_OK;
}

/* Runs inside the transaction. Files below the highest row that stays are left as they are. */
static pgc_status change(set_run *s)
{
    const migrate_dir *dir = &s->report->dir;
    const char *highest = NULL; /* row that stays */
    assert(s->report->set_count == 0);
    TRY(remove_above(s));
    for (size_t i = 0; s->target != NULL && i < s->state.row_count; i++) {
        int order = strcmp(s->state.rows[i].version, s->target);
        if (order == 0) {
            TRY(resolve_row(s, &s->state.rows[i]));
        }
        highest = order <= 0 ? s->state.rows[i].version : highest;
    }
    for (size_t i = 0; s->target != NULL && i < dir->file_count; i++) {
        const char *version = dir->files[i].version;
        if (strcmp(version, s->target) <= 0 && (highest == NULL || strcmp(version, highest) > 0)) {
            TRY(mark_file(s, &dir->files[i]));
        }
    }
    s->report->current = s->target;
    return PGC_OK;
}

/* For the report: rows were changed in two passes. */
static int by_version(const void *a, const void *b)
{
    const migrate_revision *x = a;
    const migrate_revision *y = b;
    return strcmp(x->version, y->version);
}

/* The table is made first, outside the transaction that changes rows. */
static pgc_status set_locked(set_run *s, const char *version)
{
    migrate_set_report *report = s->report;
    TRY(migrate_read_state(&s->session, &report->dir, true, &s->state, s->err));
    TRY(choose_target(s, version));
    /* Each file is set at most once, each row removed at most once. */
    size_t room = report->dir.file_count + s->state.row_count + 1;
    report->set = ARENA_ARRAY(report->mem, room, migrate_revision);
    report->removed = ARENA_ARRAY(report->mem, room, migrate_revision);
    if (report->set == NULL || report->removed == NULL) {
        return pgc_error_set(s->err, PGC_NOMEM, "set revisions");
    }
    TRY(migrate_store_create(s->session.store, s->err));
    TRY(migrate_begin(&s->session, s->err));
    pgc_status status = change(s);
    if (status == PGC_OK) {
        status = migrate_commit(&s->session, s->err);
    }
    if (status != PGC_OK) {
        migrate_rollback(&s->session);
        report->set_count = report->removed_count = 0;
        return status;
    }
    if (report->set_count > 1) {
        qsort(report->set, report->set_count, sizeof *report->set, by_version);
    }
    return PGC_OK;
}

/* One try by default: a person who sets rows by hand should not queue behind a running migration.
 */
static pgc_status with_lock(set_run *s, const char *version)
{
    pgc_conn *lock_conn = NULL;
    int64_t wait_us = s->options->lock_timeout_us;
    TRY(migrate_connect(s->options, "lumilio migrate lock", &lock_conn, s->err));
    const migrate_lock_conns conns = { .lock = lock_conn, .work = s->session.conn };
    pgc_status status =
        migrate_lock_acquire(s->options->env, &conns, wait_us < 0 ? 0 : wait_us, s->err);
    if (status == PGC_OK) {
        status = set_locked(s, version);
        migrate_lock_release(&conns);
    }
    pgc_conn_close(lock_conn);
    return status;
}

pgc_status migrate_set(const migrate_options *options, const char *version,
                       migrate_set_report *report, pgc_error *err)
{
    pgc_error local;
    set_run s = { .options = options, .report = report, .err = err != NULL ? err : &local };
    memset(report, 0, sizeof *report);
    report->mem = arena_new(options->env->alloc, 0, 0);
    if (report->mem == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "set revisions");
    }
    TRY(migrate_open_dir(options, report->mem, &report->dir, s.err));
    TRY(migrate_session_open(options, report->mem, &s.session, s.err));
    pgc_status status = with_lock(&s, version);
    migrate_session_close(&s.session);
    return status;
}

void migrate_set_report_done(migrate_set_report *report)
{
    arena_free(report->mem);
    report->mem = NULL;
}
