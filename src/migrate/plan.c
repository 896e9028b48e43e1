/* Chooses the pending files. Follows Atlas' rules to the letter (docs: atlas-migrations, "Choosing
 * what is pending"); versions are compared byte by byte. Pure: no database, no clock. */
#include "base/prelude.h"

#include "migrate/plan.h"

#include "base/buf.h"

/* A list of files with room for all of the directory, files out of order put in front included. */
typedef struct file_list {
    const migrate_file **items;
    size_t count;
} file_list;

typedef struct planner {
    const migrate_plan_input *in; /* what is known */
    arena *mem;
    pgc_error *err;
    file_list plain;   /* all files but checkpoints */
    file_list pending; /* result */
    file_list skipped; /* older than the newest row, without a row */
} planner;

/* Each list can hold the whole directory, so adding never fails. */
static pgc_status list_new(planner *p, file_list *list)
{
    list->count = 0;
    list->items = ARENA_ARRAY(p->mem, p->in->dir->file_count + 1, const migrate_file *);
    return list->items != NULL ? PGC_OK : pgc_error_set(p->err, PGC_NOMEM, "plan migrations");
}

static void list_add(file_list *list, const migrate_file *file)
{
    assert(file != NULL);
    list->items[list->count++] = file;
}

/* The tail of another list, from an index on. */
static void list_add_from(file_list *list, const file_list *from, size_t index)
{
    for (size_t i = index; i < from->count; i++) {
        list_add(list, from->items[i]);
    }
}

/* Whether any row has that version, complete or not. */
static bool has_row(const migrate_plan_input *in, const char *version)
{
    for (size_t i = 0; i < in->row_count; i++) {
        if (strcmp(in->rows[i].version, version) == 0) {
            return true;
        }
    }
    return false;
}

/* Checkpoints are no baseline: they stand for files that were never run here. */
static pgc_status plan_baseline(planner *p, const migrate_file **baseline)
{
    for (size_t i = p->plain.count; i-- > 0;) {
        if (strcmp(p->plain.items[i]->version, p->in->baseline) == 0) {
            *baseline = p->plain.items[i];
            list_add_from(&p->pending, &p->plain, i + 1);
            return PGC_OK;
        }
    }
    return pgc_error_set(p->err, PGC_NOT_FOUND, "baseline version \"%s\" not found",
                         p->in->baseline);
}

/* No rows yet. */
static pgc_status plan_fresh(planner *p, const migrate_file **baseline)
{
    const migrate_plan_input *in = p->in;
    if (in->not_clean != NULL && !in->allow_dirty && in->baseline == NULL) {
        return pgc_error_set(p->err, PGC_CONFLICT,
                             "connected database is not clean: %s. baseline version or "
                             "allow-dirty is required",
                             in->not_clean);
    }
    if (in->baseline != NULL) {
        return plan_baseline(p, baseline);
    }
    /* The last checkpoint holds the whole schema as of its version: nothing before it is needed. */
    size_t from = 0;
    for (size_t i = 0; i < in->dir->file_count; i++) {
        from = in->dir->files[i].is_checkpoint ? i : from;
    }
    for (size_t i = from; i < in->dir->file_count; i++) {
        list_add(&p->pending, &in->dir->files[i]);
    }
    return PGC_OK;
}

/* The newest row is an unfinished checkpoint: that one, then the ordinary files behind it. */
static bool plan_checkpoint(planner *p, const char *version)
{
    const migrate_file *file = migrate_dir_find(p->in->dir, version);
    if (file == NULL || !file->is_checkpoint) {
        return false;
    }
    list_add(&p->pending, file);
    const migrate_file *end = p->in->dir->files + p->in->dir->file_count;
    for (const migrate_file *next = file + 1; next < end; next++) {
        if (!next->is_checkpoint) {
            list_add(&p->pending, next);
        }
    }
    return true;
}

/* Index in plain of the first file to run; SIZE_MAX with PGC_OK: all of them, no order check. */
static pgc_status first_pending(planner *p, const migrate_revision *last, size_t *out)
{
    /* A half applied file must be found itself; a complete one only has to sort before the rest. */
    bool partial = migrate_revision_partial(last);
    for (size_t i = p->plain.count; i-- > 0;) {
        int order = strcmp(p->plain.items[i]->version, last->version);
        if (partial ? order == 0 : order <= 0) {
            *out = partial ? i : i + 1;
            return PGC_OK;
        }
    }
    if (partial) {
        return pgc_error_set(p->err, PGC_SCHEMA,
                             "missing migration: revision \"%s_%s.sql\" is partially applied but "
                             "migration file was not found",
                             last->version, last->description);
    }
    *out = SIZE_MAX;
    return PGC_OK;
}

/* Files before `end`, from the lowest row on, that have no row. */
static void find_skipped(planner *p, size_t end)
{
    size_t first = 0;
    assert(end <= p->plain.count);
    assert(p->in->row_count > 0);
    while (first < end && strcmp(p->plain.items[first]->version, p->in->rows[0].version) < 0) {
        first++;
    }
    for (size_t i = first; i < end; i++) {
        if (!has_row(p->in, p->plain.items[i]->version)) {
            list_add(&p->skipped, p->plain.items[i]);
        }
    }
}

/* The message names as many files as fit; the plan holds all of them. */
static pgc_status refuse_order(planner *p)
{
    AUTO(buf_auto) buf names;
    buf_init(&names, NULL, 300);
    for (size_t i = 0; i < p->skipped.count; i++) {
        size_t room = 300 - names.len;
        if (strlen(p->skipped.items[i]->name) + 8 > room) {
            buf_add_str(&names, ", …");
            break;
        }
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", p->skipped.items[i]->name);
    }
    bool one = p->skipped.count == 1;
    (void) pgc_error_set(p->err, PGC_CONFLICT,
                         "migration file%s %" SLICE_FMT " %s added out of order", one ? "" : "s",
                         SLICE_ARG(buf_view(&names)), one ? "was" : "were");
    pgc_error_hint(p->err, "give the file a version above the newest applied one and hash the "
                           "directory anew, or run with --exec-order non-linear");
    return PGC_CONFLICT;
}

/* There are rows: go on behind the newest one. Files older than the oldest row are never looked at,
 * which is how baselines and checkpoints hide what came before them. */
static pgc_status plan_next(planner *p)
{
    const migrate_plan_input *in = p->in;
    assert(in->row_count > 0);
    const migrate_revision *last = &in->rows[in->row_count - 1];
    if (migrate_revision_partial(last) && plan_checkpoint(p, last->version)) {
        return PGC_OK;
    }
    if (p->plain.count == 0) {
        return PGC_OK;
    }
    size_t first = 0;
    TRY(first_pending(p, last, &first));
    if (first == SIZE_MAX) {
        list_add_from(&p->pending, &p->plain, 0);
        return PGC_OK;
    }
    if (in->order != MIGRATE_LINEAR_SKIP) {
        find_skipped(p, first);
    }
    if (in->order == MIGRATE_NON_LINEAR) {
        list_add_from(&p->pending, &p->skipped, 0);
        p->skipped.count = 0;
    }
    list_add_from(&p->pending, &p->plain, first);
    return p->skipped.count > 0 ? refuse_order(p) : PGC_OK;
}

/* Files out of order are reported together with what would be pending without them, so that status
 * can show both; every other failure leaves *out alone. */
pgc_status migrate_plan_make(const migrate_plan_input *input, arena *mem, migrate_plan *out,
                             pgc_error *err)
{
    planner p = { .in = input, .mem = mem, .err = err };
    const migrate_file *baseline = NULL;
    TRY(list_new(&p, &p.plain));
    TRY(list_new(&p, &p.pending));
    TRY(list_new(&p, &p.skipped));
    for (size_t i = 0; i < input->dir->file_count; i++) {
        if (!input->dir->files[i].is_checkpoint) {
            list_add(&p.plain, &input->dir->files[i]);
        }
    }
    pgc_status status = input->row_count == 0 ? plan_fresh(&p, &baseline) : plan_next(&p);
    if (status != PGC_OK && p.skipped.count == 0) {
        return status;
    }
    assert(p.pending.count <= input->dir->file_count);
    *out = (migrate_plan) {
        .pending = p.pending.items,
        .pending_count = p.pending.count,
        .out_of_order = p.skipped.items,
        .out_of_order_count = p.skipped.count,
        .baseline = baseline,
    };
    return status;
}
