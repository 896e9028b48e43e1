/* Statements and annotations of a file. A statement's text starts right behind the previous
 * semicolon, so the comments above it belong to it. Offsets are bytes of the file. Pure but for
 * the arena; one thread per arena. */
#include "base/prelude.h"

#include "sqlc/source.h"

#include "base/word_guess.h"
#include "sqlc/lex.h"

static const struct {
    const char *word;
    query_cmd cmd;
} COMMANDS[] = {
    { "one", QUERY_ONE },
    { "many", QUERY_MANY },
    { "exec", QUERY_EXEC },
    { "execrows", QUERY_EXECROWS },
    { "execresult", QUERY_EXECRESULT },
    { "copyfrom", QUERY_COPYFROM },
    { "batchexec", QUERY_BATCHEXEC },
    { "batchone", QUERY_BATCHONE },
    { "batchmany", QUERY_BATCHMANY },
};

const char *query_cmd_text(query_cmd cmd)
{
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        if (COMMANDS[i].cmd == cmd) {
            return COMMANDS[i].word;
        }
    }
    return "exec";
}

/* A statement while it is read. */
typedef struct statement {
    size_t begin;         /* behind the previous semicolon */
    size_t start, end;    /* first token, semicolon or end of text; start SIZE_MAX: empty */
    size_t annotation_at; /* SIZE_MAX: none */
    /* Kept as text until the statement turns out to be complete. */
    slice annotation; /* the whole comment */
    bool terminated;  /* by a semicolon */
    const source_file *file;
} statement;

/* Annotations count only at column 1, as upstream has it. */
static bool at_line_start(slice text, size_t at)
{
    return at == 0 || text.ptr[at - 1] == '\n';
}

/* What stands between the comment markers. A carriage return before the line break is no part of
 * it. */
static slice comment_body(slice comment)
{
    assert(comment.len >= 2);
    if (slice_starts(comment, SLICE("--"))) {
        slice body = slice_sub(comment, 2, comment.len);
        return slice_ends(body, SLICE("\r")) ? slice_sub(body, 0, body.len - 1) : body;
    }
    return slice_sub(comment, 2, comment.len - 2);
}

/* True for "name", blanks, ':' at the start of a trimmed comment. Wider than the strict form, so
 * that a near miss is an error and not a silently skipped query. */
static bool looks_like_annotation(slice body)
{
    slice rest = slice_trim(body);
    if (!slice_starts(rest, SLICE("name"))) {
        return false;
    }
    rest = slice_trim(slice_sub(rest, 4, rest.len));
    return slice_starts(rest, SLICE(":"));
}

/* Nothing but blanks between the comment and both ends of its line, and no line break inside.
 * Comments behind code on the same line explain that line, not the query. */
static bool is_full_line(slice text, lex_token token)
{
    size_t before = token.start;
    size_t after = token.end;
    while (before > 0 && (text.ptr[before - 1] == ' ' || text.ptr[before - 1] == '\t')) {
        before--;
    }
    while (after < text.len &&
           (text.ptr[after] == ' ' || text.ptr[after] == '\t' || text.ptr[after] == '\r')) {
        after++;
    }
    return (before == 0 || text.ptr[before - 1] == '\n') &&
           (after == text.len || text.ptr[after] == '\n') &&
           slice_find(lex_text(text, token), '\n', 0) == SIZE_MAX;
}

/* Tracks BEGIN ATOMIC … END bodies, whose semicolons do not end the statement. */
typedef struct body_depth {
    int depth; /* nested blocks and CASEs inside a body; 0 outside */
    bool after_begin;
} body_depth;

/* Sees one token at a time; CASE … END nests like a block. Source: PostgreSQL manual, "CREATE
 * FUNCTION", sql_body.
 *
 *     CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;
 *
 * is one statement with two semicolons inside. */
static void body_track(body_depth *body, slice text, lex_token token)
{
    bool after_begin = body->after_begin;
    body->after_begin = lex_is_word(text, token, "begin");
    if (body->depth == 0) {
        body->depth = after_begin && lex_is_word(text, token, "atomic") ? 1 : 0;
    } else if (lex_is_word(text, token, "case")) {
        body->depth++;
    } else if (lex_is_word(text, token, "end")) {
        body->depth--;
    }
}

/* Read one statement from *pos. False: text is malformed, the error is in diags. Comments and
 * blanks before a statement belong to it; those behind the last semicolon of a file are a
 * statement without a token. */
static bool next_statement(const source_file *file, size_t *pos, diag_list *diags, statement *out)
{
    slice text = file->text;
    body_depth body = { 0 };
    *out = (statement) { .begin = *pos,
                         .start = SIZE_MAX,
                         .annotation_at = SIZE_MAX,
                         .annotation = { 0 },
                         .file = file };
    for (;;) {
        lex_token token = lex_next(text, pos);
        bool comment = token.kind == LEX_LINE_COMMENT || token.kind == LEX_BLOCK_COMMENT;
        if (token.kind == LEX_BAD) {
            diag *d = diag_error(diags, file, token.start, "%s", token.why);
            diag_hint(diags, d, "close it; what follows was not looked at");
            return false;
        }
        if (token.kind == LEX_END || (token.kind == LEX_SEMICOLON && body.depth == 0)) {
            out->end = token.start;
            out->terminated = token.kind == LEX_SEMICOLON;
            return true;
        }
        if (comment && out->annotation_at == SIZE_MAX && at_line_start(text, token.start) &&
            looks_like_annotation(comment_body(lex_text(text, token)))) {
            out->annotation_at = token.start;
            out->annotation = lex_text(text, token);
        }
        if (!comment && token.kind != LEX_SPACE) {
            out->start = out->start == SIZE_MAX ? token.start : out->start;
            body_track(&body, text, token);
        }
    }
}

/* ASCII only: it becomes a C name. A leading capital is custom, not a rule. */
bool source_is_query_name(slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || !lex_digit(c))) {
            return false;
        }
    }
    return name.len > 0;
}

bool query_cmd_find(slice word, query_cmd *out)
{
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        if (slice_eq_str(word, COMMANDS[i].word)) {
            *out = COMMANDS[i].cmd;
            return true;
        }
    }
    return false;
}

/* The one command of upstream that PostgreSQL cannot have gets advice instead of "invalid". */
static bool find_command(const statement *st, slice word, size_t at, diag_list *diags,
                         query_cmd *out)
{
    slice name = slice_sub(word, 1, word.len);
    if (query_cmd_find(name, out)) {
        return true;
    }
    if (slice_eq_str(name, "execlastid")) {
        diag *d = diag_error(diags, st->file, at, ":execlastid is not supported for PostgreSQL");
        diag_hint(diags, d, "PostgreSQL has no last insert id: use RETURNING and :one");
        return false;
    }
    diag *d = diag_error(diags, st->file, at, "invalid query type: %" SLICE_FMT, SLICE_ARG(word));
    diag_hint(diags, d,
              "one of :one :many :exec :execrows :execresult :copyfrom :batchexec :batchone "
              ":batchmany");
    return false;
}

/* "-- name: X :cmd" is strict: single blanks, exactly four parts (five with the closing mark).
 * Source: sqlc.md §2.1.
 *
 *     -- name: GetAuthor :one
 *     the same between the marks of a block comment */
static bool parse_annotation(arena *mem, const statement *st, diag_list *diags, query_source *query)
{
    slice parts[6];
    size_t count = 0;
    bool block = slice_starts(st->annotation, SLICE("/*"));
    slice rest = st->annotation;
    assert(st->annotation_at != SIZE_MAX);
    if (slice_ends(rest, SLICE("\r"))) {
        rest.len--;
    }
    while (rest.ptr != NULL && count < ARRAY_LEN(parts)) {
        parts[count++] = slice_next(&rest, ' ');
    }
    const char *form = block ? "/* name: Name :one */" : "-- name: Name :one";
    size_t at = st->annotation_at;
    diag *d = NULL;
    if (count < 2 || parts[0].len != 2 || !slice_eq_str(parts[1], "name:")) {
        d = diag_error(diags, st->file, at, "invalid metadata: %" SLICE_FMT,
                       SLICE_ARG(st->annotation));
    } else if (count == (block ? 4u : 3u)) {
        d = diag_error(diags, st->file, at,
                       "missing query type [':one', ':many', ':exec', ':execrows', ':execresult', "
                       "':copyfrom', ':batchexec', ':batchone', ':batchmany']");
    } else if (count != (block ? 5u : 4u)) {
        d = diag_error(diags, st->file, at, "invalid query comment: %" SLICE_FMT,
                       SLICE_ARG(st->annotation));
    } else if (!source_is_query_name(parts[2])) {
        d = diag_error(diags, st->file, at, "invalid query name: \"%" SLICE_FMT "\"",
                       SLICE_ARG(parts[2]));
    } else {
        size_t cmd_at = at + (size_t) (parts[3].ptr - st->annotation.ptr);
        query->name = arena_copy(mem, parts[2]);
        return find_command(st, parts[3], cmd_at, diags, &query->cmd);
    }
    diag_hint(diags, d, "write exactly: %s", form);
    return false;
}

/*     -- Newest first.                  documentation
 *     -- @row AssetSummary              a flag: word "row", rest "AssetSummary" */
pgc_status source_comment(arena *mem, slice body, size_t at, query_source *query, pgc_error *err)
{
    slice trimmed = slice_trim(body);
    bool is_flag = trimmed.len > 1 && trimmed.ptr[0] == '@' && lex_word_start(trimmed.ptr[1]);
    if (!is_flag) {
        const char **line = VEC_ADD(mem, &query->comments, const char *);
        char *copy = arena_copy(mem, body);
        if (line == NULL || copy == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "read comments");
        }
        *line = copy;
        return PGC_OK;
    }
    query_flag *flag = VEC_ADD(mem, &query->flags, query_flag);
    size_t end = 1;
    while (end < trimmed.len && (lex_word_part(trimmed.ptr[end]) || trimmed.ptr[end] == '-')) {
        end++;
    }
    char *word = arena_copy(mem, slice_sub(trimmed, 1, end));
    char *rest = arena_copy(mem, slice_trim(slice_sub(trimmed, end, trimmed.len)));
    if (flag == NULL || word == NULL || rest == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read comments");
    }
    *flag = (query_flag) { .word = word, .rest = rest, .at = at };
    return PGC_OK;
}

/* Words behind @ that mean nothing are documentation, as upstream has it. One that is nearly ours
 * is a slip, and without it the query would do something else than its author thinks. */
static void check_flag(const statement *st, const query_flag *flag, diag_list *diags)
{
    static const char *const WORDS[] = { "row",   "nonnull",   "nullable", "nonnull_elems",
                                         "bulk",  "patch",     "optional", "unnamed",
                                         "param", "read_only", "generic",  "sqlc-vet-disable" };
    word_guess guess = { .typed = { flag->word, strlen(flag->word) } };
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        word_guess_try(&guess, (slice) { WORDS[i], strlen(WORDS[i]) });
    }
    if (guess.best.ptr != NULL && guess.distance > 0) {
        diag *d = diag_error(diags, st->file, flag->at, "unknown annotation: @%s", flag->word);
        diag_hint(diags, d, "did you mean @%" SLICE_FMT "? A comment may have a word before the @",
                  SLICE_ARG(guess.best));
    }
}

/* Documentation lines and @flags of the statement's comments. Comments inside the statement
 * count too, as upstream has it. */
static pgc_status collect_comments(arena *mem, const statement *st, query_source *query,
                                   pgc_error *err)
{
    slice text = slice_sub(st->file->text, 0, st->end);
    size_t pos = st->begin;
    for (lex_token t = lex_next(text, &pos); t.kind != LEX_END; t = lex_next(text, &pos)) {
        bool comment = t.kind == LEX_LINE_COMMENT || t.kind == LEX_BLOCK_COMMENT;
        if (!comment || t.start == st->annotation_at || !is_full_line(st->file->text, t)) {
            continue;
        }
        TRY(source_comment(mem, comment_body(lex_text(text, t)), t.start, query, err));
    }
    return PGC_OK;
}

/* A faulty query is reported and left out; the file is read on. A statement without semicolon at
 * the end of a file is most often one that was cut off. */
static pgc_status take_query(arena *mem, const statement *st, diag_list *diags, vec *out,
                             pgc_error *err)
{
    query_source query = {
        .file = st->file, .start = st->start, .end = st->end, .name_at = st->annotation_at
    };
    assert(st->annotation_at != SIZE_MAX);
    if (!parse_annotation(mem, st, diags, &query)) {
        return PGC_OK;
    }
    if (st->start == SIZE_MAX) {
        (void) diag_error(diags, st->file, st->annotation_at, "query \"%s\" has no statement",
                          query.name);
        return PGC_OK;
    }
    if (!st->terminated) {
        diag *d =
            diag_error(diags, st->file, st->file->text.len, "missing semicolon at end of file");
        diag_hint(diags, d, "end each query with one");
        return PGC_OK;
    }
    TRY(collect_comments(mem, st, &query, err));
    for (size_t i = 0; i < query.flags.count; i++) {
        check_flag(st, VEC_AT(&query.flags, query_flag, i), diags);
    }
    query_source *added = VEC_ADD(mem, out, query_source);
    if (added == NULL || query.name == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read query");
    }
    *added = query;
    return PGC_OK;
}

/* Schema and query lists may name the same file (sqlc.md §1.2), so statements without annotation
 * are no error. */
pgc_status source_queries(arena *mem, const source_file *file, diag_list *diags, vec *out,
                          pgc_error *err)
{
    size_t pos = 0;
    size_t count_before = out->count;
    size_t errors_before = diags->error_count;
    assert(out != NULL);
    while (pos < file->text.len) {
        statement st;
        if (!next_statement(file, &pos, diags, &st)) {
            return PGC_OK;
        }
        if (st.annotation_at != SIZE_MAX) {
            TRY(take_query(mem, &st, diags, out, err));
        } else if (st.start != SIZE_MAX) {
            diag *d =
                diag_warning(diags, file, st.start, "statement without annotation is skipped");
            diag_hint(diags, d, "write a line above it: -- name: Name :one");
        }
    }
    if (out->count == count_before && diags->error_count == errors_before) {
        diag *d = diag_error(diags, file, 0, "no queries in this file");
        diag_hint(diags, d, "a query starts with a line like: -- name: GetAuthor :one");
    }
    return PGC_OK;
}

/* Byte offset from which migration tools keep their down part; text.len when there is none.
 * Source: sqlc.md §1.2. */
static size_t down_part(slice text)
{
    static const char *const MARKS[] = { "-- +goose down", "-- +migrate down",
                                         "---- create above / drop below ----", "-- migrate:down" };
    size_t at = 0;
    while (at < text.len) {
        size_t end = slice_find(text, '\n', at);
        end = end == SIZE_MAX ? text.len : end;
        slice line = slice_sub(text, at, end);
        for (size_t i = 0; i < ARRAY_LEN(MARKS); i++) {
            slice head = slice_sub(line, 0, strlen(MARKS[i]));
            if (slice_eq_nocase(head, (slice) { MARKS[i], strlen(MARKS[i]) })) {
                return at;
            }
        }
        at = end + 1;
    }
    return text.len;
}

/* Copy in which psql commands (lines that start with a backslash) are blanks: same offsets.
 * pg_dump writes them; the server does not know them. */
static char *blank_psql_commands(arena *mem, slice text)
{
    char *copy = arena_copy(mem, text);
    for (size_t i = 0; copy != NULL && i < text.len; i++) {
        if (copy[i] == '\\' && (i == 0 || copy[i - 1] == '\n')) {
            for (; i < text.len && copy[i] != '\n'; i++) {
                copy[i] = ' ';
            }
        }
    }
    return copy;
}

/* Annotated statements are queries that share the file; data statements of a schema file are
 * run, since enums and lookup tables may be filled by them. */
pgc_status source_schema(arena *mem, const source_file *file, diag_list *diags, vec *out,
                         pgc_error *err)
{
    source_file *up = ARENA_NEW(mem, source_file);
    char *copy = blank_psql_commands(mem, slice_sub(file->text, 0, down_part(file->text)));
    if (up == NULL || copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read schema file \"%s\"", file->path);
    }
    *up = (source_file) { .path = file->path, .text = { copy, down_part(file->text) } };
    size_t pos = 0;
    while (pos < up->text.len) {
        statement st;
        if (!next_statement(up, &pos, diags, &st)) {
            return PGC_OK;
        }
        if (st.start == SIZE_MAX || st.annotation_at != SIZE_MAX) {
            continue;
        }
        schema_statement *added = VEC_ADD(mem, out, schema_statement);
        if (added == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "read schema file \"%s\"", file->path);
        }
        *added = (schema_statement) { .file = up, .start = st.start, .end = st.end };
    }
    return PGC_OK;
}
