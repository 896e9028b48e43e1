/* Collecting diagnostics. Positions are worked out when an error is added, so a diag stays valid
 * when its file's text goes. A list belongs to one thread. */
#include "base/prelude.h"

#include "sqlc/diag.h"

/* An offset behind the end gives the place behind the last character. */
void source_position(slice text, size_t offset, uint32_t *line, uint32_t *column)
{
    uint32_t lines = 1;
    uint32_t columns = 1;
    size_t end = offset < text.len ? offset : text.len;
    assert(line != NULL);
    assert(column != NULL);
    for (size_t i = 0; i < end; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        if (c == '\n') {
            lines++;
            columns = 1;
        } else if ((c & 0xC0) != 0x80) {
            columns++; /* continuation bytes belong to the character before them */
        }
    }
    *line = lines;
    *column = columns;
}

static diag *diag_add(diag_list *list, const char *path, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

/* The text is made before the list grows, so that an item is never half made. Messages longer
 * than the buffer are cut; they are for people. */
static diag *diag_add(diag_list *list, const char *path, const char *fmt, va_list args)
{
    char text[1024];
    assert(fmt != NULL);
    assert(list->arena != NULL);
    (void) vsnprintf(text, sizeof text, fmt, args);
    char *message = arena_strdup(list->arena, text);
    diag *added = message == NULL ? NULL : VEC_ADD(list->arena, &list->items, diag);
    if (added == NULL) {
        list->failed = true;
        return NULL;
    }
    added->path = path;
    added->message = message;
    return added;
}

#define EXCERPT_BEFORE ((size_t) 100) /* bytes of a long line that are shown */
#define EXCERPT_MAX    ((size_t) 160)

static bool is_inside(char c)
{
    return ((unsigned char) c & 0xC0) == 0x80;
}

/* The place, and a copy of the line around it. What a terminal would obey becomes a blank, so that
 * the caret stands below its character. */
static void diag_place(diag_list *list, diag *d, slice text, size_t offset)
{
    size_t at = offset < text.len ? offset : text.len;
    size_t from = at;
    source_position(text, offset, &d->line, &d->column);
    while (from > 0 && text.ptr[from - 1] != '\n' &&
           (at - from < EXCERPT_BEFORE || is_inside(text.ptr[from]))) {
        from--;
    }
    size_t to = slice_find(text, '\n', at);
    to = to == SIZE_MAX ? text.len : to;
    if (to - from > EXCERPT_MAX) {
        const size_t least = from + EXCERPT_MAX - 3; /* further inside is no character of UTF-8 */
        for (to = from + EXCERPT_MAX; to > least && is_inside(text.ptr[to]); to--) {
        }
    }
    slice line = slice_sub(text, from, to);
    char *copy = slice_is_utf8(line) ? arena_copy(list->arena, line) : NULL;
    for (size_t i = 0; copy != NULL && i < line.len; i++) {
        copy[i] = (unsigned char) copy[i] < ' ' || copy[i] == 127 ? ' ' : copy[i];
    }
    d->excerpt = copy;
    for (size_t i = from; i < at; i++) {
        d->caret += is_inside(text.ptr[i]) ? 0 : 1;
    }
}

/* Counts as an error even when memory ran out, so a run with errors never looks clean. */
diag *diag_error_at(diag_list *list, const char *path, uint32_t line, uint32_t column,
                    const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    diag *added = diag_add(list, path, fmt, args);
    va_end(args);
    list->error_count++;
    if (added != NULL) {
        added->line = line;
        added->column = column;
    }
    return added;
}

diag *diag_warning_at(diag_list *list, const char *path, uint32_t line, uint32_t column,
                      const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    diag *added = diag_add(list, path, fmt, args);
    va_end(args);
    if (added != NULL) {
        added->warning = true;
        added->line = line;
        added->column = column;
    }
    return added;
}

diag *diag_error(diag_list *list, const source_file *file, size_t offset, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    diag *added = diag_add(list, file->path, fmt, args);
    va_end(args);
    list->error_count++;
    if (added != NULL) {
        diag_place(list, added, file->text, offset);
    }
    return added;
}

/* Warnings do not count: they never change the exit status. */
diag *diag_warning(diag_list *list, const source_file *file, size_t offset, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    diag *added = diag_add(list, file->path, fmt, args);
    va_end(args);
    if (added != NULL) {
        added->warning = true;
        diag_place(list, added, file->text, offset);
    }
    return added;
}

/* The server's own words: the runtime puts the step it was in before them.
 *
 *     "prepare: column \"x\" does not exist"  ->  "column \"x\" does not exist" */
static const char *server_words(const char *message)
{
    static const char *const STEPS[] = { "prepare: ", "describe: ", "script: ", "run: " };
    for (size_t i = 0; i < ARRAY_LEN(STEPS); i++) {
        size_t len = strlen(STEPS[i]);
        if (strncmp(message, STEPS[i], len) == 0) {
            return message + len;
        }
    }
    return message;
}

/* The hint wins over the detail: one line is shown. */
diag *diag_server(diag_list *list, const source_file *file, size_t offset, const pgc_error *err)
{
    diag *added = diag_error(list, file, offset, "%s", server_words(err->message));
    if (added != NULL) {
        memcpy(added->sqlstate, err->sqlstate, sizeof added->sqlstate);
        if (err->hint[0] != '\0') {
            diag_hint(list, added, "%s", err->hint);
        } else if (err->detail[0] != '\0') {
            diag_hint(list, added, "%s", err->detail);
        }
    }
    return added;
}

/* Also for a diagnostic that could not be made: then nothing happens. */
void diag_hint(diag_list *list, diag *d, const char *fmt, ...)
{
    char text[1024];
    if (d == NULL) {
        return;
    }
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    d->hint = arena_strdup(list->arena, text);
    list->failed = list->failed || d->hint == NULL;
}

pgc_status diag_append(diag_list *list, const diag_list *from, pgc_error *err)
{
    assert(list->arena == from->arena);
    for (size_t i = 0; i < from->items.count; i++) {
        diag *added = VEC_ADD(list->arena, &list->items, diag);
        if (added == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "collect error messages");
        }
        *added = *VEC_AT(&from->items, diag, i);
    }
    list->error_count += from->error_count;
    list->failed = list->failed || from->failed;
    return PGC_OK;
}

/* For qsort(): by place, then by text, so that the order never depends on the sort.
 *
 *     q/a.sql:2:8 before q/a.sql:10:1 before q/b.sql:1:1 */
static int compare_diags(const void *a, const void *b)
{
    const diag *x = a;
    const diag *y = b;
    int order = strcmp(x->path, y->path);
    if (order == 0 && x->line != y->line) {
        order = x->line < y->line ? -1 : 1;
    }
    if (order == 0 && x->column != y->column) {
        order = x->column < y->column ? -1 : 1;
    }
    return order != 0 ? order : strcmp(x->message, y->message);
}

void diag_sort(diag_list *list)
{
    if (list->items.count > 1) {
        qsort(list->items.items, list->items.count, sizeof(diag), compare_diags);
    }
}

/* Called at the end of each phase; phases before it go on after an error to find the next one. */
pgc_status diag_status(const diag_list *list, pgc_error *err)
{
    if (list->failed) {
        return pgc_error_set(err, PGC_NOMEM, "collect error messages");
    }
    if (list->error_count > 0) {
        return pgc_error_set(err, PGC_INVALID, "%zu error%s", list->error_count,
                             list->error_count == 1 ? "" : "s");
    }
    return PGC_OK;
}
