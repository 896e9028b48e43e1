/* Comparing and writing outputs. A file is replaced by rename, so a reader sees the old or the new
 * one. One thread. */
#include "base/prelude.h"

#include "sqlc/output.h"

#include <fcntl.h>

#include "base/file.h"

/* What a file on disk may hold to be compared. */
#define OUTPUT_FILE_MAX ((size_t) 256 << 20)
#define DIFF_CONTEXT    3u

/* Keeps the old text only when it differs: diff wants it. A file that cannot be read ends the
 * run: it might be one that must not be replaced. */
static pgc_status compare_file(const env *sys, arena *mem, output_change *change, pgc_error *err)
{
    AUTO(buf_auto) buf old;
    buf_init(&old, sys->alloc, OUTPUT_FILE_MAX);
    pgc_error local = PGC_ZERO;
    pgc_status status = file_read(sys, AT_FDCWD, change->full, &old, &local);
    if (status == PGC_NOT_FOUND) {
        change->state = OUTPUT_MISSING;
        return PGC_OK;
    }
    if (status != PGC_OK) {
        if (err != NULL) {
            *err = local;
        }
        return pgc_error_wrap(err, status, "compare \"%s\"", change->path);
    }
    slice view = buf_view(&old);
    change->state = slice_eq(view, change->content) ? OUTPUT_SAME : OUTPUT_DIFFERENT;
    if (change->state == OUTPUT_DIFFERENT) {
        char *copy = arena_copy(mem, view);
        if (copy == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "compare \"%s\"", change->path);
        }
        change->old = (slice) { copy, view.len };
    }
    return PGC_OK;
}

/* Nothing is written; the result says what output_write() would do. */
pgc_status output_compare(const env *sys, arena *mem, const char *dir, const char *shown,
                          const vec *files, vec *out, pgc_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const emit_file *file = VEC_AT(files, emit_file, i);
        output_change change = { .content = file->content };
        change.path = arena_printf(mem, "%s/%s", shown, file->name);
        change.full = arena_printf(mem, "%s/%s", dir, file->name);
        output_change *added = VEC_ADD(mem, out, output_change);
        if (change.path == NULL || change.full == NULL || added == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "compare \"%s\"", file->name);
        }
        TRY(compare_file(sys, mem, &change, err));
        *added = change;
    }
    return PGC_OK;
}

/* Unchanged files keep their time stamps, which keeps make and ninja quiet. */
pgc_status output_write(const env *sys, const char *dir, const vec *changes, pgc_error *err)
{
    TRY(file_mkdirs(sys, AT_FDCWD, dir, 0755, false, err));
    for (size_t i = 0; i < changes->count; i++) {
        const output_change *change = VEC_AT(changes, output_change, i);
        if (change->state == OUTPUT_SAME) {
            continue;
        }
        pgc_status status =
            file_write_atomic(sys, AT_FDCWD, change->full, change->content, 0644, err);
        if (status != PGC_OK) {
            return pgc_error_wrap(err, status, "write \"%s\"", change->path);
        }
    }
    return PGC_OK;
}

/* Number of lines of [0, end), and where line `index` starts. The last line counts only when a
 * line break ends it. */
static size_t count_lines(slice text, size_t end)
{
    size_t lines = 0;
    for (size_t i = 0; i < end; i++) {
        lines += text.ptr[i] == '\n' ? 1 : 0;
    }
    return lines;
}

/* Each line with its sign, as in a unified diff. A last line without line break gets one, as
 * diff tools show it. */
static void add_lines(buf *out, char sign, slice lines)
{
    slice rest = lines;
    while (rest.ptr != NULL && rest.len > 0) {
        slice line = slice_next(&rest, '\n');
        buf_printf(out, "%c%" SLICE_FMT "\n", sign, SLICE_ARG(line));
    }
}

/* Start of the line that lies `lines` lines before `at`, which is a line start. */
static size_t lines_back(slice text, size_t at, size_t lines)
{
    assert(at <= text.len);
    while (at > 0 && lines > 0) {
        at--;
        while (at > 0 && text.ptr[at - 1] != '\n') {
            at--;
        }
        lines--;
    }
    return at;
}

/* One hunk from the first to the last difference: enough to see what changed, and always a valid
 * patch.
 *
 *     --- a/src/db/a.c
 *     +++ b/src/db/a.c
 *     @@ -5,7 +5,7 @@ */
void output_diff(const output_change *change, buf *out)
{
    slice a = change->old;
    slice b = change->content;
    size_t head = 0; /* common bytes at the start, whole lines */
    size_t same = 0;
    assert(change->state == OUTPUT_DIFFERENT || change->old.len == 0);
    while (same < a.len && same < b.len && a.ptr[same] == b.ptr[same]) {
        same++;
        head = a.ptr[same - 1] == '\n' ? same : head;
    }
    size_t tail = 0; /* common bytes at the end, whole lines */
    same = 0;
    while (same < a.len - head && same < b.len - head &&
           a.ptr[a.len - 1 - same] == b.ptr[b.len - 1 - same]) {
        same++;
        bool line_start = a.len - same == head || a.ptr[a.len - same - 1] == '\n';
        tail =
            line_start && (b.len - same == head || b.ptr[b.len - same - 1] == '\n') ? same : tail;
    }
    size_t from = lines_back(a, head, DIFF_CONTEXT);
    size_t a_end = a.len - tail;
    size_t b_end = b.len - tail;
    size_t before = count_lines(slice_sub(a, from, head), head - from);
    size_t after = a_end; /* end of the context behind the change */
    for (size_t n = 0; n < DIFF_CONTEXT && after < a.len; n++) {
        size_t next = slice_find(a, '\n', after);
        after = next == SIZE_MAX ? a.len : next + 1;
    }
    slice context = slice_sub(a, a_end, after);
    size_t context_lines = count_lines(context, context.len);
    size_t start = count_lines(a, from) + 1;
    buf_printf(out, "--- a/%s\n+++ b/%s\n@@ -%zu,%zu +%zu,%zu @@\n", change->path, change->path,
               start, before + context_lines + count_lines(slice_sub(a, head, a_end), a_end - head),
               start,
               before + context_lines + count_lines(slice_sub(b, head, b_end), b_end - head));
    add_lines(out, ' ', slice_sub(a, from, head));
    add_lines(out, '-', slice_sub(a, head, a_end));
    add_lines(out, '+', slice_sub(b, head, b_end));
    add_lines(out, ' ', context);
}
