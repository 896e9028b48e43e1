/* Makes a file ready to run. Everything that can be refused is refused here, before the first
 * statement of the run has touched the database. Pure but for the warnings. */
#include "base/prelude.h"

#include "migrate/prepare.h"

#include "base/sha256.h"
#include "migrate/directive.h"
#include "migrate/sum.h"
#include "migrate/text.h"

/* A directive may contradict the run only when each file has its own transaction anyway. */
pgc_status migrate_file_tx_mode(const migrate_file *file, migrate_tx_mode run_mode,
                                migrate_tx_mode *out, pgc_error *err)
{
    slice value = SLICE("");
    size_t count = migrate_header_find(file->content, SLICE("txmode"), &value);
    migrate_tx_mode mode = run_mode;
    if (count > 1) {
        return pgc_error_set(err, PGC_INVALID, "multiple txmode values found in file \"%s\"",
                             file->name);
    }
    if (count == 0) {
        *out = run_mode;
        return PGC_OK;
    }
    if (slice_eq(value, SLICE("none"))) {
        mode = MIGRATE_TX_NONE;
    } else if (slice_eq(value, SLICE("file"))) {
        mode = MIGRATE_TX_FILE;
    } else if (slice_eq(value, SLICE("all"))) {
        return pgc_error_set(err, PGC_INVALID,
                             "txmode \"all\" is not allowed in file directive \"%s\"", file->name);
    } else {
        return pgc_error_set(err, PGC_INVALID,
                             "unknown txmode \"%" SLICE_FMT "\" found in file directive \"%s\"",
                             SLICE_ARG(value), file->name);
    }
    if (run_mode == MIGRATE_TX_ALL) {
        return pgc_error_set(err, PGC_INVALID,
                             "cannot set txmode directive to \"%" SLICE_FMT
                             "\" in \"%s\" when txmode \"all\" is set globally",
                             SLICE_ARG(value), file->name);
    }
    *out = mode;
    return PGC_OK;
}

/* One running hash over the statements' texts, looked at after each: the same trick as in the sum
 * file, without separators. */
const char **migrate_partial_hashes(const migrate_stmts *stmts, arena *mem)
{
    AUTO(sha256_auto) sha256 *state = sha256_new();
    const char **hashes = ARENA_ARRAY(mem, stmts->count + 1, const char *);
    for (size_t i = 0; state != NULL && hashes != NULL && i < stmts->count; i++) {
        uint8_t digest[SHA256_SIZE];
        char *text = arena_alloc(mem, MIGRATE_HASH_SIZE + 3);
        if (text == NULL ||
            !sha256_add(state, stmts->items[i].text.ptr, stmts->items[i].text.len) ||
            !sha256_peek(state, digest)) {
            return NULL;
        }
        memcpy(text, "h1:", 3);
        sha256_base64(digest, text + 3);
        hashes[i] = text;
    }
    return state == NULL ? NULL : hashes;
}

/* Cut the next word off *rest: letters, digits, "_" and "\"; comments, quoted texts and all other
 * characters stand between words. Empty at the end. */
static slice next_word(slice *rest)
{
    size_t i = 0;
    while (i < rest->len) {
        slice tail = slice_sub(*rest, i, rest->len);
        slice close = { NULL, 0 };
        if (migrate_is_word(tail.ptr[0]) || tail.ptr[0] == '\\') {
            break;
        }
        if (tail.ptr[0] == '\'' || tail.ptr[0] == '"') {
            close = slice_sub(tail, 0, 1);
        } else if (slice_starts(tail, SLICE("--"))) {
            close = SLICE("\n");
        } else if (slice_starts(tail, SLICE("/*"))) {
            close = SLICE("*/");
        }
        size_t end = close.len == 0 ? 0 : migrate_find(slice_sub(tail, 1, tail.len), close);
        i += end == SIZE_MAX ? tail.len : 1 + end + close.len;
        i -= close.len == 0 ? end : 0;
    }
    size_t start = i;
    while (i < rest->len && (migrate_is_word(rest->ptr[i]) || rest->ptr[i] == '\\')) {
        i++;
    }
    slice word = slice_sub(*rest, start, i);
    *rest = slice_sub(*rest, i, rest->len);
    return word;
}

/* Keywords in any case. */
static bool word_is(slice word, const char *text)
{
    return slice_eq_nocase(word, pgc_text_from(text));
}

/* COPY … FROM STDIN: its data would have to follow in the file. */
static bool is_copy_data(slice text)
{
    if (!word_is(next_word(&text), "copy")) {
        return false;
    }
    for (slice word = next_word(&text); word.len > 0; word = next_word(&text)) {
        if (word_is(word, "from")) {
            return word_is(next_word(&text), "stdin");
        }
    }
    return false;
}

/* Statements that begin or end a transaction. ROLLBACK TO and SAVEPOINT stay inside one. */
static bool is_tx_control(slice text)
{
    static const char *const ALONE[] = { "begin", "commit", "end", "abort" };
    slice first = next_word(&text);
    slice second = next_word(&text);
    slice third = next_word(&text);
    for (size_t i = 0; i < ARRAY_LEN(ALONE); i++) {
        if (word_is(first, ALONE[i])) {
            return true;
        }
    }
    /* ROLLBACK [WORK | TRANSACTION] [AND CHAIN], but not ROLLBACK [WORK] TO [SAVEPOINT] name. */
    if (word_is(first, "rollback")) {
        return !word_is(second, "to") && !word_is(third, "to");
    }
    return (word_is(first, "start") || word_is(first, "prepare")) && word_is(second, "transaction");
}

/* Refuse what would fail late, or succeed and defeat rollback, with words that say what to do. */
static pgc_status check_stmt(const migrate_job *job, size_t index, pgc_error *err)
{
    assert(index < job->stmts.count);
    slice text = job->stmts.items[index].text;
    const char *name = job->file->name;
    if (text.len > 0 && text.ptr[0] == '\\') {
        (void) pgc_error_set(err, PGC_INVALID,
                             "file \"%s\", statement %zu: psql commands such as \\set cannot be "
                             "run",
                             name, index + 1);
        pgc_error_hint(err, "remove the line: migrations are sent to the server as plain SQL");
        return PGC_INVALID;
    }
    if (is_copy_data(text)) {
        (void) pgc_error_set(err, PGC_INVALID,
                             "file \"%s\", statement %zu: COPY data in migrations is not supported",
                             name, index + 1);
        pgc_error_hint(err, "use INSERT, or load the data with psql");
        return PGC_INVALID;
    }
    if (job->tx != MIGRATE_TX_NONE && is_tx_control(text)) {
        (void) pgc_error_set(err, PGC_INVALID,
                             "file \"%s\", statement %zu: transaction control inside a "
                             "transaction defeats rollback",
                             name, index + 1);
        pgc_error_hint(err, "remove the statement, or begin the file with the line "
                            "\"-- atlas:txmode none\" and a blank line");
        return PGC_INVALID;
    }
    return PGC_OK;
}

/* A directive that the author thinks works, but does not. */
static void warn_lost(const migrate_options *options, const migrate_file *file)
{
    static const char *const NAMES[] = { "txmode", "checkpoint" };
    for (size_t i = 0; options->events.warning != NULL && i < ARRAY_LEN(NAMES); i++) {
        size_t line = migrate_directive_lost(file->content, pgc_text_from(NAMES[i]));
        if (line > 0) {
            char text[512];
            (void) snprintf(text, sizeof text,
                            "%s:%zu: the directive atlas:%s has no effect here: it must stand in "
                            "the first lines of the file, with a blank line (ended by LF) after it",
                            file->name, line, NAMES[i]);
            options->events.warning(options->events.arg, text);
        }
    }
}

/* The order of checks is that of Atlas: sum, transaction mode, then the text itself. */
pgc_status migrate_prepare(const migrate_options *options, const migrate_file *file, arena *mem,
                           migrate_job *out, pgc_error *err)
{
    migrate_job job = { .file = file };
    if (file->hash == NULL) {
        return pgc_error_set(err, PGC_INVALID,
                             "scanning checksum from \"%s\": checksum not found: a file with "
                             "\"atlas:sum ignore\" cannot be applied",
                             file->name);
    }
    /* The simple protocol ends a query at the first NUL: the rest would silently not run. */
    if (file->content.len > 0 && memchr(file->content.ptr, '\0', file->content.len) != NULL) {
        return pgc_error_set(err, PGC_INVALID, "file \"%s\" holds a NUL byte", file->name);
    }
    TRY(migrate_file_tx_mode(file, options->tx_mode, &job.tx, err));
    warn_lost(options, file);
    pgc_status status = migrate_split(file->content, mem, &job.stmts, err);
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "scanning statements from \"%s\"", file->name);
    }
    for (size_t i = 0; i < job.stmts.count; i++) {
        TRY(check_stmt(&job, i, err));
    }
    job.hashes = migrate_partial_hashes(&job.stmts, mem);
    if (job.hashes == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "prepare \"%s\"", file->name);
    }
    assert(job.tx != MIGRATE_TX_ALL || options->tx_mode == MIGRATE_TX_ALL);
    *out = job;
    return PGC_OK;
}
