/* Computes, writes and checks atlas.sum. The hash of a file is taken from one running state over
 * all names and contents before it, so every entry depends on all earlier files. Any thread. */
#include "base/prelude.h"

#include "migrate/sum.h"

#include "base/sha256.h"
#include "migrate/directive.h"
#include "migrate/text.h"

#define LINE_MARK       SLICE("h1:")
#define MARKED_HASH_LEN 47u /* "h1:" and the base64 text */

/* A line of a sum file as it was read. */
typedef struct sum_entry {
    slice name; /* trimmed */
    slice hash; /* without "h1:" */
} sum_entry;

static pgc_status hash_failed(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "compute SHA-256");
}

/* The name of a file that asks to be left out is hashed all the same, its content is not. */
pgc_status migrate_sum_fill(migrate_file *files, size_t count, arena *mem, pgc_error *err)
{
    AUTO(sha256_auto) sha256 *state = sha256_new();
    if (state == NULL) {
        return hash_failed(err);
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t digest[SHA256_SIZE];
        files[i].hash = NULL;
        if (!sha256_add(state, files[i].name, strlen(files[i].name))) {
            return hash_failed(err);
        }
        if (migrate_directive_sum_ignored(files[i].content)) {
            continue; /* its name counts all the same */
        }
        char *text = arena_alloc(mem, MIGRATE_HASH_SIZE);
        if (text == NULL || !sha256_add(state, files[i].content.ptr, files[i].content.len) ||
            !sha256_peek(state, digest)) {
            return hash_failed(err);
        }
        sha256_base64(digest, text);
        files[i].hash = text;
    }
    return PGC_OK;
}

/* Hash of the directory as a whole, from its entries. */
static pgc_status total_of(const sum_entry *entries, size_t count,
                           char text[static MIGRATE_HASH_SIZE], pgc_error *err)
{
    AUTO(sha256_auto) sha256 *state = sha256_new();
    uint8_t digest[SHA256_SIZE];
    bool ok = state != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        ok = sha256_add(state, entries[i].name.ptr, entries[i].name.len) &&
             sha256_add(state, entries[i].hash.ptr, entries[i].hash.len);
    }
    if (!ok || !sha256_peek(state, digest)) {
        return hash_failed(err);
    }
    sha256_base64(digest, text);
    return PGC_OK;
}

/* What the sum file of the directory should hold. */
static pgc_status expected_entries(const migrate_dir *dir, arena *mem, sum_entry **out,
                                   size_t *out_count, pgc_error *err)
{
    sum_entry *entries = ARENA_ARRAY(mem, dir->file_count + 1, sum_entry);
    size_t count = 0;
    if (entries == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "compute checksums");
    }
    for (size_t i = 0; i < dir->file_count; i++) {
        if (dir->files[i].hash != NULL) {
            entries[count].name = pgc_text_from(dir->files[i].name);
            entries[count++].hash = pgc_text_from(dir->files[i].hash);
        }
    }
    *out = entries;
    *out_count = count;
    return PGC_OK;
}

/* Line 1 is the hash of all lines below it, so a swapped or lost line is noticed. */
pgc_status migrate_sum_write(const migrate_dir *dir, buf *out, pgc_error *err)
{
    AUTO(arena_auto) arena *mem = arena_new(out->alloc, 0, 0);
    sum_entry *entries = NULL;
    size_t count = 0;
    char total[MIGRATE_HASH_SIZE];
    if (mem == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "write checksums");
    }
    TRY(expected_entries(dir, mem, &entries, &count, err));
    TRY(total_of(entries, count, total, err));
    buf_printf(out, "h1:%s\n", total);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%" SLICE_FMT " h1:%" SLICE_FMT "\n", SLICE_ARG(entries[i].name),
                   SLICE_ARG(entries[i].hash));
    }
    return buf_finish(out, err);
}

/* Next line without its LF or CRLF; false at the end. A last empty line does not count. */
static bool next_line(slice *rest, slice *line)
{
    if (rest->ptr == NULL || rest->len == 0) {
        return false;
    }
    *line = slice_next(rest, '\n');
    if (slice_ends(*line, SLICE("\r"))) {
        line->len--;
    }
    return true;
}

/* Atlas' words; programs compare them. */
static pgc_status mismatch(pgc_error *err)
{
    return pgc_error_set(err, PGC_CONFLICT, "checksum mismatch");
}

/* Tolerant as Atlas: CRLF, blanks around names and a missing last line end do not matter. A line
 * without a hash is a broken file; everything else that is wrong shows in the total. */
static pgc_status parse(slice text, arena *mem, sum_entry **out, size_t *out_count,
                        char total[static MIGRATE_HASH_SIZE], pgc_error *err)
{
    size_t lines = 1; /* an upper bound for the number of entries */
    for (size_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n' ? 1 : 0;
    }
    sum_entry *entries = ARENA_ARRAY(mem, lines, sum_entry);
    if (entries == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read %s", MIGRATE_SUM_NAME);
    }
    slice rest = text;
    slice line;
    slice first = SLICE("");
    size_t count = 0;
    if (next_line(&rest, &line)) {
        first = slice_starts(line, LINE_MARK) ? slice_sub(line, 3, line.len) : line;
    }
    while (next_line(&rest, &line)) {
        size_t cut = migrate_find(line, LINE_MARK);
        if (cut == SIZE_MAX) {
            return pgc_error_set(err, PGC_INVALID, "checksum file format invalid");
        }
        entries[count].name = migrate_trim(slice_sub(line, 0, cut));
        entries[count++].hash = slice_sub(line, cut + LINE_MARK.len, line.len);
    }
    TRY(total_of(entries, count, total, err));
    if (!slice_eq_str(first, total)) {
        return mismatch(err);
    }
    *out = entries;
    *out_count = count;
    return PGC_OK;
}

/* Index of the entry of that name, SIZE_MAX when there is none. */
static size_t find_name(const sum_entry *entries, size_t count, slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_eq(entries[i].name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

typedef struct entry_list {
    const sum_entry *items;
    size_t count;
} entry_list;

/* The first difference between the sum file and the directory. */
static pgc_status locate(entry_list actual, entry_list expected, arena *mem,
                         migrate_sum_problem *problem, pgc_error *err)
{
    size_t i = 0;
    size_t position = MARKED_HASH_LEN + 1;
    while (i < actual.count && i < expected.count &&
           slice_eq(actual.items[i].name, expected.items[i].name) &&
           slice_eq(actual.items[i].hash, expected.items[i].hash)) {
        position += actual.items[i].name.len + 1 + MARKED_HASH_LEN + 1;
        i++;
    }
    slice file;
    if (i == actual.count) {
        if (i == expected.count) {
            return mismatch(err);
        }
        file = expected.items[i].name;
        problem->reason = MIGRATE_SUM_ADDED;
    } else {
        file = actual.items[i].name;
        size_t at = find_name(expected.items, expected.count, file);
        /* In its place but with another hash; or pushed away by a newcomer; or gone. */
        if (at == i) {
            problem->reason = MIGRATE_SUM_EDITED;
        } else if (at == SIZE_MAX || i >= expected.count) {
            problem->reason = MIGRATE_SUM_REMOVED;
        } else {
            file = expected.items[i].name;
            problem->reason = MIGRATE_SUM_ADDED;
        }
    }
    assert(problem->reason != MIGRATE_SUM_UNLOCATED);
    problem->line = i + 2; /* line 1 is the directory's sum */
    problem->position = position;
    problem->file = arena_copy(mem, file);
    if (problem->file == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "compare checksums");
    }
    (void) mismatch(err);
    pgc_error_hint(err, "line %zu of %s: %s was %s", problem->line, MIGRATE_SUM_NAME, problem->file,
                   migrate_sum_reason_text(problem->reason));
    return PGC_CONFLICT;
}

/* The totals decide; the entries only say where to look. */
pgc_status migrate_sum_validate(const migrate_dir *dir, arena *mem, migrate_sum_problem *problem,
                                pgc_error *err)
{
    migrate_sum_problem found = { MIGRATE_SUM_UNLOCATED, 0, 0, NULL };
    entry_list actual, expected;
    sum_entry *entries = NULL;
    char actual_total[MIGRATE_HASH_SIZE];
    char expected_total[MIGRATE_HASH_SIZE];
    if (problem != NULL) {
        *problem = found;
    }
    if (dir->sum_text.ptr == NULL) {
        return dir->file_count == 0 ? PGC_OK
                                    : pgc_error_set(err, PGC_NOT_FOUND, "checksum file not found");
    }
    TRY(parse(dir->sum_text, mem, &entries, &actual.count, actual_total, err));
    actual.items = entries;
    TRY(expected_entries(dir, mem, &entries, &expected.count, err));
    expected.items = entries;
    TRY(total_of(expected.items, expected.count, expected_total, err));
    if (strcmp(actual_total, expected_total) == 0) {
        return PGC_OK;
    }
    pgc_status status = locate(actual, expected, mem, &found, err);
    if (problem != NULL) {
        *problem = found;
    }
    return status;
}

const char *migrate_sum_reason_text(migrate_sum_reason reason)
{
    static const char *const TEXT[] = {
        [MIGRATE_SUM_UNLOCATED] = "changed",
        [MIGRATE_SUM_ADDED] = "added",
        [MIGRATE_SUM_EDITED] = "edited",
        [MIGRATE_SUM_REMOVED] = "removed",
    };
    assert((size_t) reason < ARRAY_LEN(TEXT));
    return TEXT[reason];
}
