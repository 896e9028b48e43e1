/* Runs the statements of one file. The row says at any time how far the file got: inside a
 * transaction both vanish together; without one the row is written after every statement, so that a
 * later run goes on behind the last success. Invariant of a partial row: as many hashes as
 * statements done. One thread at a time. */
#include "base/prelude.h"

#include "migrate/execute.h"

#include "base/crash.h"
#include "migrate/lock.h"

#define STMT_SHOWN_MAX 160u /* bytes of a statement in an error message */

typedef struct file_runner {
    migrate_runner *runner;
    const migrate_job *job;
    migrate_revision row;  /* as it is, or soon will be, in the table */
    migrate_file_run *run; /* for the report */
    int64_t safe;          /* statements that no rollback can undo any more */
    int64_t started_us;    /* monotonic */
    pgc_error *err;
} file_runner;

/* Transaction control goes through the simple protocol like the statements themselves. */
static pgc_status tx_script(migrate_session *s, const char *sql, pgc_error *err)
{
    pgc_status status = pgc_conn_script(s->conn, sql, 0, NULL, err);
    return pgc_error_wrap(err, status, "migration transaction");
}

/* The default isolation: migrations see what others committed. */
pgc_status migrate_begin(migrate_session *session, pgc_error *err)
{
    return tx_script(session, "BEGIN", err);
}

/* A COMMIT of a failed transaction would roll back and report success: look first. */
pgc_status migrate_commit(migrate_session *session, pgc_error *err)
{
    CRASH_POINT("migrate.before_commit");
    if (pgc_conn_tx_state(session->conn) != PGC_TX_OPEN) {
        return pgc_error_set(err, PGC_CONFLICT, "migration transaction: nothing to commit");
    }
    return tx_script(session, "COMMIT", err);
}

/* Never fails visibly: a lost connection has rolled back already. */
void migrate_rollback(migrate_session *session)
{
    if (pgc_conn_alive(session->conn) && pgc_conn_tx_state(session->conn) != PGC_TX_IDLE) {
        pgc_error ignored;
        pgc_status status = tx_script(session, "ROLLBACK", &ignored);
        (void) status; /* the failure that led here is the one to report */
    }
}

/* All writes of the row pass here, so that a dry run has one place to hold them back. */
static pgc_status write_row(file_runner *f)
{
    if (f->runner->options->dry_run) {
        return PGC_OK;
    }
    return migrate_store_write(f->runner->session->store, &f->row, f->err);
}

/* The hash without its optional mark. */
static const char *bare_hash(const char *hash)
{
    return strncmp(hash, "h1:", 3) == 0 ? hash + 3 : hash;
}

/* What the row counts as done must still stand in the file, unchanged. */
static pgc_status check_history(const file_runner *f)
{
    const migrate_revision *row = &f->row;
    if (row->applied < 0 || (row->applied > 0 && (size_t) row->applied > row->partial_count)) {
        (void) pgc_error_set(f->err, PGC_SCHEMA,
                             "revision \"%s\" says that %" PRId64
                             " statements are done, but holds no hashes of them",
                             row->version, row->applied);
        pgc_error_hint(f->err,
                       "compare the database with the file by hand, finish it, then run: "
                       "lumilio migrate set %s",
                       row->version);
        return PGC_SCHEMA;
    }
    for (size_t i = 0; i < (size_t) row->applied; i++) {
        if (i >= f->job->stmts.count ||
            strcmp(bare_hash(row->partial[i]), bare_hash(f->job->hashes[i])) != 0) {
            (void) pgc_error_set(f->err, PGC_SCHEMA,
                                 "history changed: statement %zu from file \"%s\" changed", i + 1,
                                 f->job->file->name);
            pgc_error_hint(f->err, "put the statements that are applied already back as they were; "
                                   "those behind them may change");
            return PGC_SCHEMA;
        }
    }
    return PGC_OK;
}

/* Continue the row of an earlier run, or begin one. Version, description and first time stay as
 * they are stored; total is always that of the file as it is now. */
static void init_row(file_runner *f, const migrate_revision *row)
{
    const migrate_file *file = f->job->file;
    const clock_ops *now = f->runner->options->env->clock;
    if (row != NULL) {
        f->row = *row;
    } else {
        f->row = (migrate_revision) { .version = file->version,
                                      .description = file->description,
                                      .type = MIGRATE_TYPE_EXECUTED,
                                      .executed_us = now->unix_us(now->ctx),
                                      .error = "",
                                      .error_stmt = "",
                                      .hash = file->hash };
    }
    f->row.total = (int64_t) f->job->stmts.count; /* a repaired file may have more or fewer */
    f->row.operator_version = MIGRATE_OPERATOR;
}

/* A statement may not leave the transaction that it was put in. */
static pgc_status check_tx_state(const file_runner *f, size_t index)
{
    pgc_tx_state state = pgc_conn_tx_state(f->runner->session->conn);
    if (f->job->tx == MIGRATE_TX_NONE || state == PGC_TX_OPEN) {
        return PGC_OK;
    }
    return pgc_error_set(f->err, PGC_CONFLICT,
                         "statement %zu of file \"%s\" ended the migration's transaction: what ran "
                         "up to there cannot be rolled back",
                         index + 1, f->job->file->name);
}

/* Run one statement; the server's own words are left in the run on failure. */
static pgc_status run_stmt(file_runner *f, size_t index)
{
    arena *mem = f->runner->session->mem;
    pgc_conn *conn = f->runner->session->conn;
    slice text = f->job->stmts.items[index].text;
    const char *sql = arena_copy(mem, text);
    if (sql == NULL) {
        return pgc_error_set(f->err, PGC_NOMEM, "run statement");
    }
    pgc_error local;
    pgc_error_clear(&local);
    pgc_status status = pgc_conn_script(conn, sql, 0, NULL, &local);
    if (status == PGC_OK) {
        status = check_tx_state(f, index);
        if (status == PGC_OK) {
            return PGC_OK;
        }
        local = f->err != NULL ? *f->err : local;
    }
    /* The row and the report get the server's own words; only the error says where we were. */
    const char *words = local.message;
    if (strncmp(words, "script: ", 8) == 0) {
        words += 8;
    }
    f->run->failed = text;
    f->run->error = arena_strdup(mem, words);
    if (f->err != NULL) {
        char shown[STMT_SHOWN_MAX + 4];
        bool cut = text.len > STMT_SHOWN_MAX;
        int len = (int) (cut ? STMT_SHOWN_MAX : text.len);
        (void) snprintf(shown, sizeof shown, "%.*s%s", len, text.ptr, cut ? "…" : "");
        *f->err = local;
        (void) snprintf(f->err->message, sizeof f->err->message,
                        "executing statement \"%s\" from version \"%s\": %s", shown, f->row.version,
                        f->run->error != NULL ? f->run->error : "");
    }
    return status;
}

/* True time since the file began, not since the last write of its row. */
static int64_t elapsed_ns(const file_runner *f)
{
    const clock_ops *now = f->runner->options->env->clock;
    return (now->mono_us(now->ctx) - f->started_us) * 1000;
}

/* All statements are done: the form that a finished row has. */
static void finish_row(file_runner *f)
{
    assert(f->row.applied == f->row.total);
    f->row.partial_count = 0;
    f->row.hash = f->job->file->hash;
    f->row.execution_time_ns = elapsed_ns(f);
}

/* Statement index went through: count it. With the last one the row is finished by the same write,
 * so that a crash never leaves hashes in a row that counts as complete. */
static pgc_status note_done(file_runner *f, size_t index)
{
    assert(index < f->job->stmts.count);
    assert((size_t) f->row.applied == f->row.partial_count);
    f->row.applied++;
    f->row.partial[f->row.partial_count++] = f->job->hashes[index];
    f->row.error = "";
    f->row.error_stmt = "";
    f->row.execution_time_ns = 0;
    f->run->applied[f->run->applied_count++] = f->job->stmts.items[index].text;
    if (index + 1 == f->job->stmts.count) {
        finish_row(f);
    }
    if (f->runner->options->dry_run) {
        return PGC_OK;
    }
    TRY(write_row(f));
    /* A file without transaction may open one of its own: its statements count when it ends. */
    if (pgc_conn_tx_state(f->runner->session->conn) == PGC_TX_IDLE) {
        f->safe = f->row.applied;
    }
    CRASH_POINT("migrate.statement_done");
    return PGC_OK;
}

/* The file failed: without a transaction the row keeps what is done and why it stopped. */
static void record_failure(file_runner *f)
{
    migrate_session *s = f->runner->session;
    if (f->job->tx == MIGRATE_TX_ALL || f->runner->options->dry_run) {
        return; /* the caller rolls everything back */
    }
    migrate_rollback(s);
    if (f->job->tx != MIGRATE_TX_NONE || !pgc_conn_alive(s->conn)) {
        return;
    }
    /* What the rollback undid is not done any more. */
    assert(f->safe <= f->row.applied);
    f->row.applied = f->safe;
    f->row.partial_count = (size_t) f->safe;
    f->row.error = f->run->error != NULL ? f->run->error : "";
    f->row.error_stmt = f->run->failed.ptr != NULL ? arena_copy(s->mem, f->run->failed) : "";
    f->row.execution_time_ns = elapsed_ns(f);
    if (f->row.error_stmt != NULL) {
        pgc_error ignored;
        pgc_status status = migrate_store_write(s->store, &f->row, &ignored);
        (void) status; /* only the real error counts */
    }
}

/* The row is written before the first statement, after each one, and in its final form with the
 * last. */
static pgc_status run_all(file_runner *f)
{
    const migrate_events *events = &f->runner->options->events;
    bool dry = f->runner->options->dry_run;
    TRY(write_row(f));
    for (size_t i = (size_t) f->row.applied; i < f->job->stmts.count; i++) {
        if (events->statement != NULL) {
            events->statement(events->arg, f->job->stmts.items[i].text);
        }
        if (!dry) {
            TRY(run_stmt(f, i));
        }
        TRY(note_done(f, i));
    }
    if (!dry && f->job->tx == MIGRATE_TX_NONE &&
        pgc_conn_tx_state(f->runner->session->conn) != PGC_TX_IDLE) {
        return pgc_error_set(f->err, PGC_CONFLICT,
                             "file \"%s\" leaves a transaction open: end it with COMMIT",
                             f->job->file->name);
    }
    if (f->run->applied_count > 0) {
        return PGC_OK;
    }
    /* Nothing was left to run: an empty file, or one whose tail was cut off in the repair. */
    f->row.error = "";
    f->row.error_stmt = "";
    finish_row(f);
    return write_row(f);
}

/* Put the file's own transaction around it if it has one. */
static pgc_status run_in_mode(file_runner *f)
{
    migrate_session *s = f->runner->session;
    bool own_tx = f->job->tx == MIGRATE_TX_FILE && !f->runner->options->dry_run;
    if (own_tx) {
        TRY(migrate_begin(s, f->err));
    }
    pgc_status status = run_all(f);
    if (status == PGC_OK && own_tx) {
        status = migrate_commit(s, f->err);
    }
    if (status != PGC_OK) {
        if (f->run->error == NULL && f->err != NULL) {
            f->run->error = arena_strdup(s->mem, f->err->message);
        }
        record_failure(f);
    }
    return status;
}

/* The lock is looked at before the file begins: without it another migrator may be at work already.
 */
pgc_status migrate_run_file(migrate_runner *runner, const migrate_job *job,
                            const migrate_revision *row, migrate_file_run *run, pgc_error *err)
{
    const clock_ops *now = runner->options->env->clock;
    const migrate_events *events = &runner->options->events;
    arena *mem = runner->session->mem;
    file_runner f = { .runner = runner, .job = job, .run = run, .err = err };
    *run = (migrate_file_run) { .file = job->file, .start_us = now->unix_us(now->ctx) };
    run->end_us = run->start_us;
    f.started_us = now->mono_us(now->ctx);
    init_row(&f, row);
    TRY(check_history(&f));
    run->skipped = (size_t) f.row.applied;
    f.safe = f.row.applied;
    const char **hashes = ARENA_ARRAY(mem, job->stmts.count + 1, const char *);
    run->applied = ARENA_ARRAY(mem, job->stmts.count + 1, slice);
    if (hashes == NULL || run->applied == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "run \"%s\"", job->file->name);
    }
    /* Hashes are carried on from the file, which was just compared with the row. */
    for (size_t i = 0; i < run->skipped; i++) {
        hashes[i] = job->hashes[i];
    }
    f.row.partial = hashes;
    f.row.partial_count = run->skipped;
    TRY(migrate_lock_check(runner->lock_conn, err));
    if (events->file_begin != NULL) {
        events->file_begin(events->arg, job->file, run->skipped);
    }
    pgc_status status = run_in_mode(&f);
    run->end_us = now->unix_us(now->ctx);
    if (events->file_end != NULL) {
        events->file_end(events->arg, run);
    }
    return status;
}
