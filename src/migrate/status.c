/* How a database stands to a directory. Reads only; a table that does not exist counts as empty.
 * Oddities that no file will ever run into (rows without file, unfinished rows below the newest,
 * files edited after they ran) become notes: they never make the command fail. */
#include "base/prelude.h"

#include "migrate/migrate.h"

#include "migrate/split.h"
#include "migrate/state.h"
#include "migrate/sum.h"

typedef struct status_run {
    const migrate_options *options;
    migrate_status_report *report;
    migrate_session session;
    migrate_state state;
    migrate_plan plan; /* also filled when files are out of order */
    pgc_error *err;
} status_run;

static pgc_status out_of_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "migration status");
}

/* Notes are whole sentences; there is room for one per row and one more. */
static pgc_status add_note(status_run *s, const char *text)
{
    if (text == NULL) {
        return out_of_memory(s->err);
    }
    assert(s->report->note_count <= s->state.row_count);
    s->report->notes[s->report->note_count++] = text;
    return PGC_OK;
}

/* All files; on a database without rows those from the last checkpoint on. */
static pgc_status list_available(status_run *s)
{
    migrate_status_report *report = s->report;
    size_t from = 0;
    report->available = ARENA_ARRAY(report->mem, report->dir.file_count + 1, const migrate_file *);
    if (report->available == NULL) {
        return out_of_memory(s->err);
    }
    for (size_t i = 0; s->state.row_count == 0 && i < report->dir.file_count; i++) {
        from = report->dir.files[i].is_checkpoint ? i : from;
    }
    for (size_t i = from; i < report->dir.file_count; i++) {
        report->available[report->available_count++] = &report->dir.files[i];
    }
    return PGC_OK;
}

/* Newlines become spaces: for one line of output. */
static const char *one_line(const char *text, arena *mem)
{
    char *copy = arena_strdup(mem, text);
    for (char *c = copy; c != NULL && *c != '\0'; c++) {
        *c = *c == '\n' ? ' ' : *c;
    }
    return copy;
}

/* Statements left are counted in the file as it is now: it may have been repaired since. A row that
 * was resolved by hand keeps its error for the record, but is not shown as failed. */
static pgc_status describe_partial(status_run *s, const migrate_revision *last)
{
    migrate_status_report *report = s->report;
    bool resolved = (last->type & MIGRATE_TYPE_RESOLVED) != 0;
    if (resolved || last->applied >= last->total) {
        return PGC_OK;
    }
    const migrate_file *file = migrate_dir_find(&report->dir, last->version);
    migrate_stmts stmts = { NULL, 0 };
    if (file != NULL) {
        pgc_status status = migrate_split(file->content, report->mem, &stmts, s->err);
        if (status != PGC_OK) {
            return pgc_error_wrap(s->err, status, "scanning statements from \"%s\"", file->name);
        }
    }
    report->partial = true;
    report->count = (size_t) last->applied;
    report->total = stmts.count;
    report->error = one_line(last->error, report->mem);
    report->sql = one_line(last->error_stmt, report->mem);
    return report->error != NULL && report->sql != NULL ? PGC_OK : out_of_memory(s->err);
}

/* Current and next version in Atlas' words. */
static pgc_status describe(status_run *s)
{
    migrate_status_report *report = s->report;
    const migrate_revision *last =
        s->state.row_count > 0 ? &s->state.rows[s->state.row_count - 1] : NULL;
    report->pending = s->plan.pending;
    report->pending_count = s->plan.pending_count;
    report->out_of_order = s->plan.out_of_order;
    report->out_of_order_count = s->plan.out_of_order_count;
    report->applied = s->state.rows;
    report->applied_count = s->state.row_count;
    report->up_to_date = report->pending_count == 0 && report->out_of_order_count == 0;
    report->current = last == NULL ? "No migration applied yet" : last->version;
    if (report->out_of_order_count > 0) {
        report->next = "UNKNOWN";
    } else if (report->pending_count == 0) {
        report->next = "Already at latest version";
    } else {
        report->next = report->pending[0]->version;
        report->next_is_checkpoint = report->pending[0]->is_checkpoint;
    }
    return last == NULL ? PGC_OK : describe_partial(s, last);
}

/* The entry the file would have in a sum over the files that had run by then: an older file that
 * was inserted later changes the entries behind it, which is no edit. */
static pgc_status hash_back_then(status_run *s, const migrate_revision *row, const char **out)
{
    const migrate_dir *dir = &s->report->dir;
    migrate_file *files = ARENA_ARRAY(s->report->mem, dir->file_count + 1, migrate_file);
    size_t count = 0;
    if (files == NULL) {
        return out_of_memory(s->err);
    }
    for (size_t i = 0; i < dir->file_count; i++) {
        const migrate_revision *other =
            migrate_revision_find(s->state.rows, s->state.row_count, dir->files[i].version);
        if (other != NULL && other->executed_us <= row->executed_us) {
            files[count++] = dir->files[i];
        }
    }
    TRY(migrate_sum_fill(files, count, s->report->mem, s->err));
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].version, row->version) == 0) {
            *out = files[i].hash;
        }
    }
    return PGC_OK;
}

/* Odd rows, one sentence each; rows in good order give none. */
static pgc_status note_row(status_run *s, size_t index)
{
    arena *mem = s->report->mem;
    const migrate_revision *row = &s->state.rows[index];
    const migrate_file *file = migrate_dir_find(&s->report->dir, row->version);
    if (file == NULL) {
        return add_note(s, arena_printf(mem, "revision %s has no file in the directory any more",
                                        row->version));
    }
    if (migrate_revision_partial(row)) {
        return index + 1 == s->state.row_count
                   ? PGC_OK
                   : add_note(s, arena_printf(mem,
                                              "revision %s is unfinished (%" PRId64 " of %" PRId64
                                              " statements) and will not be continued, because "
                                              "newer ones are applied",
                                              row->version, row->applied, row->total));
    }
    if (row->hash[0] == '\0' || file->hash == NULL || strcmp(row->hash, file->hash) == 0) {
        return PGC_OK;
    }
    const char *then = NULL;
    TRY(hash_back_then(s, row, &then));
    if (then != NULL && strcmp(row->hash, then) == 0) {
        return PGC_OK;
    }
    return add_note(s,
                    arena_printf(mem, "file %s was changed after it had been applied", file->name));
}

/* In the order of versions, the state of the database first. */
static pgc_status write_notes(status_run *s)
{
    s->report->notes = ARENA_ARRAY(s->report->mem, s->state.row_count + 1, const char *);
    if (s->report->notes == NULL) {
        return out_of_memory(s->err);
    }
    if (s->state.not_clean != NULL && s->state.table_exists) {
        TRY(add_note(s, arena_printf(s->report->mem,
                                     "database is not clean: %s; apply will need a baseline or "
                                     "allow-dirty",
                                     s->state.not_clean)));
    }
    for (size_t i = 0; i < s->state.row_count; i++) {
        TRY(note_row(s, i));
    }
    return PGC_OK;
}

/* Only a missing file of a half applied row stops status: without it nothing can be said. */
static pgc_status compare(status_run *s)
{
    TRY(migrate_read_state(&s->session, &s->report->dir, false, &s->state, s->err));
    const migrate_plan_input input = {
        .dir = &s->report->dir,
        .rows = s->state.rows,
        .row_count = s->state.row_count,
        .order = s->options->order,
        .allow_dirty = true, /* a database in use is worth a note, never an error */
    };
    pgc_status status = migrate_plan_make(&input, s->report->mem, &s->plan, s->err);
    if (status != PGC_OK && s->plan.out_of_order_count == 0) {
        return status;
    }
    TRY(list_available(s));
    TRY(describe(s));
    return write_notes(s);
}

pgc_status migrate_status(const migrate_options *options, migrate_status_report *report,
                          pgc_error *err)
{
    pgc_error local;
    status_run s = { .options = options, .report = report, .err = err != NULL ? err : &local };
    memset(report, 0, sizeof *report);
    report->mem = arena_new(options->env->alloc, 0, 0);
    if (report->mem == NULL) {
        return out_of_memory(err);
    }
    TRY(migrate_open_dir(options, report->mem, &report->dir, s.err));
    TRY(migrate_session_open(options, report->mem, &s.session, s.err));
    pgc_status status = compare(&s);
    migrate_session_close(&s.session);
    return status;
}

void migrate_status_report_done(migrate_status_report *report)
{
    arena_free(report->mem);
    report->mem = NULL;
}
