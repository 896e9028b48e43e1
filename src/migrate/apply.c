/* The run as a whole: directory, locks, plan, files in order. Nothing is written before the plan
 * stands. The connection that holds Atlas' lock does nothing else. One thread per call. */
#include "base/prelude.h"

#include "migrate/execute.h"
#include "migrate/lock.h"
#include "migrate/state.h"

#define LOCK_WAIT_US INT64_C(10000000)

typedef struct apply {
    const migrate_options *options;
    migrate_apply_report *report;
    migrate_session session; /* runs the statements */
    pgc_conn *lock_conn;     /* holds the lock and does nothing else */
    migrate_state state;     /* as last read */
    migrate_plan plan;       /* made from it */
    pgc_error *err;
} apply;

/* Cut the pending files to what was asked for. */
static pgc_status limit_pending(apply *a)
{
    const migrate_options *options = a->options;
    migrate_apply_report *report = a->report;
    assert(a->plan.pending_count <= report->dir.file_count);
    report->pending = a->plan.pending;
    report->pending_count = a->plan.pending_count;
    if (options->to_version != NULL) {
        size_t keep = 0; /* stays 0 when the version is applied already: nothing to do */
        if (migrate_dir_find(&report->dir, options->to_version) == NULL) {
            return pgc_error_set(a->err, PGC_NOT_FOUND, "migration with version \"%s\" not found",
                                 options->to_version);
        }
        for (size_t i = 0; i < report->pending_count; i++) {
            keep = strcmp(report->pending[i]->version, options->to_version) == 0 ? i + 1 : keep;
        }
        report->pending_count = keep;
    }
    if (options->amount > 0 && report->pending_count > options->amount) {
        report->pending_count = options->amount;
    }
    report->target =
        report->pending_count > 0 ? report->pending[report->pending_count - 1]->version : NULL;
    return PGC_OK;
}

/* Compare directory and database. Called once before the lock when a start-up only wants to know
 * whether there is anything to do, and again under it: another process may have been faster. */
static pgc_status look(apply *a, bool repair)
{
    TRY(migrate_read_state(&a->session, &a->report->dir, repair, &a->state, a->err));
    const migrate_plan_input input = {
        .dir = &a->report->dir,
        .rows = a->state.rows,
        .row_count = a->state.row_count,
        .order = a->options->order,
        .baseline = a->options->baseline,
        .allow_dirty = a->options->allow_dirty,
        .not_clean = a->state.not_clean,
    };
    TRY(migrate_plan_make(&input, a->report->mem, &a->plan, a->err));
    if (a->state.row_count > 0) {
        a->report->current = a->state.rows[a->state.row_count - 1].version;
    }
    return limit_pending(a);
}

/* The baseline row says "everything up to here was there before us"; it has no hash, because no
 * file was run. It is written outside any transaction, as Atlas does: it is true whatever follows.
 */
static pgc_status write_baseline(apply *a)
{
    const migrate_file *file = a->plan.baseline;
    assert(file != NULL);
    const clock_ops *now = a->options->env->clock;
    const migrate_revision row = {
        .version = file->version,
        .description = file->description,
        .type = MIGRATE_TYPE_BASELINE,
        .executed_us = now->unix_us(now->ctx),
        .error = "",
        .error_stmt = "",
        .hash = "",
        .operator_version = MIGRATE_OPERATOR,
    };
    if (!a->options->dry_run) {
        TRY(migrate_store_write(a->session.store, &row, a->err));
    }
    a->report->baseline = a->report->current = file->version;
    return PGC_OK;
}

/* Split and check every pending file before the first one runs: a typo in the third file must not
 * leave the first two applied. */
static pgc_status prepare_all(apply *a, migrate_job **out)
{
    size_t count = a->report->pending_count;
    migrate_job *jobs = ARENA_ARRAY(a->report->mem, count + 1, migrate_job);
    a->report->runs = ARENA_ARRAY(a->report->mem, count + 1, migrate_file_run);
    if (jobs == NULL || a->report->runs == NULL) {
        return pgc_error_set(a->err, PGC_NOMEM, "prepare migrations");
    }
    for (size_t i = 0; i < count; i++) {
        TRY(migrate_prepare(a->options, a->report->pending[i], a->report->mem, &jobs[i], a->err));
    }
    *out = jobs;
    return PGC_OK;
}

/* Run the files in order; in mode "all" inside one transaction. The report grows with each file, so
 * that it is right when the run stops. */
static pgc_status run_jobs(apply *a, const migrate_job *jobs)
{
    migrate_runner runner = { a->options, &a->session, a->lock_conn };
    assert(a->lock_conn != NULL);
    bool one_tx = a->options->tx_mode == MIGRATE_TX_ALL && !a->options->dry_run;
    if (one_tx) {
        TRY(migrate_begin(&a->session, a->err));
    }
    pgc_status status = PGC_OK;
    for (size_t i = 0; status == PGC_OK && i < a->report->pending_count; i++) {
        const migrate_revision *row = migrate_revision_find(a->state.rows, a->state.row_count,
                                                            a->report->pending[i]->version);
        status = migrate_run_file(&runner, &jobs[i], row, &a->report->runs[i], a->err);
        a->report->run_count = i + 1;
    }
    if (one_tx && status == PGC_OK) {
        status = migrate_commit(&a->session, a->err);
    }
    if (one_tx && status != PGC_OK) {
        migrate_rollback(&a->session);
    }
    return status;
}

/* Everything that happens under the lock. */
static pgc_status apply_locked(apply *a)
{
    const migrate_events *events = &a->options->events;
    migrate_job *jobs = NULL;
    /* Another process may have migrated while we waited: what was seen before does not count. */
    TRY(look(a, !a->options->dry_run));
    TRY(prepare_all(a, &jobs));
    if (a->report->pending_count == 0 && a->plan.baseline == NULL) {
        return PGC_OK;
    }
    /* The table is made only now: a refused run leaves no trace. */
    if (!a->options->dry_run) {
        TRY(migrate_store_create(a->session.store, a->err));
    }
    if (a->plan.baseline != NULL) {
        TRY(write_baseline(a));
    }
    if (a->report->pending_count == 0) {
        return PGC_OK;
    }
    if (events->begin != NULL) {
        events->begin(events->arg, a->report);
    }
    return run_jobs(a, jobs);
}

/* The lock has a connection of its own: statements of the files may not disturb it, and its loss is
 * noticed before the next file begins. */
static pgc_status with_lock(apply *a)
{
    int64_t wait_us = a->options->lock_timeout_us;
    /* Zero means the default in option structs, so "do not wait" is a negative number. */
    wait_us = wait_us == 0 ? LOCK_WAIT_US : wait_us < 0 ? 0 : wait_us;
    TRY(migrate_connect(a->options, "lumilio migrate lock", &a->lock_conn, a->err));
    const migrate_lock_conns conns = { .lock = a->lock_conn, .work = a->session.conn };
    pgc_status status = migrate_lock_acquire(a->options->env, &conns, wait_us, a->err);
    if (status == PGC_OK) {
        status = apply_locked(a);
        migrate_lock_release(&conns);
    }
    pgc_conn_close(a->lock_conn);
    a->lock_conn = NULL;
    return status;
}

/* The directory is checked before any connection is opened: a damaged one must not touch the
 * server. */
static pgc_status apply_dir(apply *a)
{
    TRY(migrate_open_dir(a->options, a->report->mem, &a->report->dir, a->err));
    TRY(migrate_session_open(a->options, a->report->mem, &a->session, a->err));
    pgc_status status = PGC_OK;
    bool needed = true;
    if (a->options->check_first) {
        status = look(a, false);
        needed = a->report->pending_count > 0 || a->plan.baseline != NULL;
    }
    if (status == PGC_OK && needed) {
        status = with_lock(a);
    }
    migrate_session_close(&a->session);
    return status;
}

/* Every way out leaves a report that migrate_apply_report_done() can take. */
pgc_status migrate_apply(const migrate_options *options, migrate_apply_report *report,
                         pgc_error *err)
{
    const clock_ops *now = options->env->clock;
    pgc_error local;
    apply a = { .options = options, .report = report, .err = err != NULL ? err : &local };
    memset(report, 0, sizeof *report);
    report->start_us = report->end_us = now->unix_us(now->ctx);
    if (options->baseline != NULL && options->allow_dirty) {
        return pgc_error_set(err, PGC_INVALID, "baseline and allow-dirty are mutually exclusive");
    }
    report->mem = arena_new(options->env->alloc, 0, 0);
    if (report->mem == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "apply migrations");
    }
    pgc_status status = apply_dir(&a);
    report->end_us = now->unix_us(now->ctx);
    return status;
}

void migrate_apply_report_done(migrate_apply_report *report)
{
    arena_free(report->mem);
    report->mem = NULL;
}
