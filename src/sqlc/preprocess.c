/* The macro preprocessor: a walk over tokens that copies what it does not know. Every copied or
 * made piece is noted as a span, so that a position in the result can be led back to the file. One
 * thread per arena. */
#include "base/prelude.h"

#include "sqlc/preprocess.h"

#include "base/buf.h"
#include "sqlc/lex.h"

/* As the limit of the later steps. */
#define PREPROCESS_SQL_MAX ((size_t) 16 << 20)

/* The last two tokens that matter, to see "IN (" in front of a slice. */
typedef struct recent {
    lex_token token;
    size_t out; /* where it starts in the result */
} recent;

typedef struct rewriter {
    arena *arena;
    const query_source *query; /* for positions and the range of the statement */
    diag_list *diags;
    query_text *text; /* the result being built */
    slice src;        /* the file up to the statement's end */
    buf sql;
    recent last[3];       /* newest first */
    uint32_t free_number; /* those below are given */
    bool nomem;
} rewriter;

/* Says where the text that follows comes from. Spans are in the order of the result: positions
 * only grow. */
static void add_span(rewriter *rw, size_t src, bool fixed)
{
    offset_span *span = VEC_ADD(rw->arena, &rw->text->spans, offset_span);
    if (span == NULL) {
        rw->nomem = true;
        return;
    }
    *span = (offset_span) { .out = rw->sql.len, .src = src, .fixed = fixed };
}

/* Token by token: positions inside it stay exact. Also tokens that are broken: the server
 * explains them better. */
static void copy_token(rewriter *rw, lex_token token)
{
    add_span(rw, token.start, false);
    buf_add(&rw->sql, lex_text(rw->src, token));
}

/* All of it stands for the one place in the file. */
static void made_text(rewriter *rw, size_t src, const char *text)
{
    add_span(rw, src, true);
    buf_add_str(&rw->sql, text);
}

static bool is_given(const vec *params, uint32_t number)
{
    bool given = false;
    for (size_t i = 0; i < params->count && !given; i++) {
        given = VEC_AT(params, query_param, i)->number == number;
    }
    return given;
}

/* Parameter of that name, made with the lowest free number when new; NULL: no memory. Source:
 * sqlc.md §2: one name is one parameter, however often it stands in the query. */
static query_param *named_param(rewriter *rw, const char *name, size_t at)
{
    vec *params = &rw->text->params;
    for (size_t i = 0; i < params->count; i++) {
        query_param *p = VEC_AT(params, query_param, i);
        if (p->name != NULL && strcmp(p->name, name) == 0) {
            return p;
        }
    }
    while (is_given(params, rw->free_number)) {
        rw->free_number++;
    }
    query_param *p = VEC_ADD(rw->arena, params, query_param);
    if (p == NULL) {
        rw->nomem = true;
        return NULL;
    }
    *p = (query_param) { .number = rw->free_number, .name = name, .at = at };
    return p;
}

/* Numbers written by hand keep their meaning, so they are reserved before names get theirs.
 * Walks strings and comments as tokens, so "$1" inside them is no parameter.
 *
 *     SELECT $2, @a, @b   ->   SELECT $2, $1, $3 */
static void reserve_numbers(rewriter *rw)
{
    size_t pos = rw->query->start;
    for (lex_token t = lex_next(rw->src, &pos); t.kind != LEX_END; t = lex_next(rw->src, &pos)) {
        int64_t number = 0;
        if (t.kind != LEX_PARAM) {
            continue;
        }
        if (!slice_to_i64(slice_sub(rw->src, t.start + 1, t.end), &number) || number < 1 ||
            number > 65535) {
            (void) diag_error(rw->diags, rw->query->file, t.start,
                              "parameter number out of range (1 to 65535)");
            continue;
        }
        bool known = is_given(&rw->text->params, (uint32_t) number);
        query_param *p = known ? NULL : VEC_ADD(rw->arena, &rw->text->params, query_param);
        if (p != NULL) {
            *p = (query_param) { .number = (uint32_t) number, .at = t.start };
        }
        rw->nomem = rw->nomem || (!known && p == NULL);
    }
}

/* Names whose numbers are given: they come first. */
static void order_names(rewriter *rw)
{
    const vec *order = rw->query->param_order;
    for (size_t i = 0; order != NULL && i < order->count; i++) {
        if (named_param(rw, *VEC_AT(order, const char *, i), rw->query->start) == NULL) {
            return;
        }
    }
}

/* The server knows numbers only. */
static void emit_param(rewriter *rw, const query_param *param, size_t at)
{
    char text[16];
    assert(param->number > 0);
    (void) snprintf(text, sizeof text, "$%" PRIu32, param->number);
    made_text(rw, at, text);
}

/* "IN (" in front of a slice becomes "= ANY(", "NOT IN (" becomes "<> ALL(". Source: sqlc.md
 * §8.2, step 1. Spans of the removed text go with it.
 *
 *     x IN (sqlc.slice(ids))       ->  x = ANY($1)
 *     x NOT IN (sqlc.slice(ids))   ->  x <> ALL($1)
 *     x IN (sqlc.slice(ids), 2)    ->  x IN ($1, 2)     (more than the slice: left alone) */
static void rewrite_in_list(rewriter *rw, size_t pos)
{
    lex_token next = lex_skip(rw->src, &pos);
    if (!lex_is_char(rw->src, next, ')') || !lex_is_char(rw->src, rw->last[0].token, '(') ||
        !lex_is_word(rw->src, rw->last[1].token, "in")) {
        return;
    }
    bool negated = lex_is_word(rw->src, rw->last[2].token, "not");
    const recent *from = negated ? &rw->last[2] : &rw->last[1];
    vec *spans = &rw->text->spans;
    while (spans->count > 0 && VEC_AT(spans, offset_span, spans->count - 1)->out >= from->out) {
        spans->count--;
    }
    if (!rw->sql.failed) {
        rw->sql.len = from->out;
        rw->sql.ptr[rw->sql.len] = '\0';
    }
    made_text(rw, from->token.start, negated ? "<> ALL(" : "= ANY(");
}

/* The one argument of a macro. */
typedef struct macro_arg {
    lex_token token;   /* first token of it */
    size_t count;      /* arguments */
    bool simple;       /* one word, string or quoted identifier */
    const char *name;  /* folded or as quoted */
    const char *alias; /* as written for SQL */
    bool dotted;
    size_t end; /* behind the ')' */
} macro_arg;

/* Copy without quotes, doubled quotes made single. The caller's token has both quotes, so the
 * length is at least 2. */
static char *unquote(arena *mem, slice text)
{
    char quote = text.ptr[0];
    char *out = arena_copy(mem, slice_sub(text, 1, text.len - 1));
    size_t n = 0;
    assert(text.len >= 2);
    for (size_t i = 0; out != NULL && out[i] != '\0'; i++) {
        out[n++] = out[i];
        i += out[i] == quote ? 1 : 0;
    }
    if (out != NULL) {
        out[n] = '\0';
    }
    return out;
}

/* Like the server: letters fold to small ones; sqlc drops the dots. ASCII only, as the server
 * does for UTF-8 databases. */
static char *fold(arena *mem, slice text)
{
    char *out = arena_copy(mem, text);
    size_t n = 0;
    for (size_t i = 0; out != NULL && out[i] != '\0'; i++) {
        if (out[i] != '.') {
            out[n++] = (char) (out[i] >= 'A' && out[i] <= 'Z' ? out[i] + ('a' - 'A') : out[i]);
        }
    }
    if (out != NULL) {
        out[n] = '\0';
    }
    return out;
}

/* As SQL sees the name, and as it must be written again. E'…' and U&"…" are not taken: their
 * escapes would have to be undone. */
static void arg_name(rewriter *rw, macro_arg *arg, slice whole)
{
    slice first = lex_text(rw->src, arg->token);
    if (arg->token.kind == LEX_WORD) {
        arg->name = fold(rw->arena, whole);
        arg->alias = arg->name;
        rw->nomem = rw->nomem || arg->name == NULL;
    } else if (first.ptr[0] == '\'' || first.ptr[0] == '"') {
        arg->name = unquote(rw->arena, first);
        arg->alias = arena_copy(rw->arena, first);
        rw->nomem = rw->nomem || arg->name == NULL || arg->alias == NULL;
    }
}

/* Read "( … )" from pos, which stands behind the '('. False: no ')' came. Commas inside
 * parentheses belong to the argument. */
static bool read_args(rewriter *rw, size_t pos, macro_arg *out)
{
    size_t depth = 0;
    size_t tokens = 0;
    bool words_only = true;
    *out = (macro_arg) { 0 };
    size_t last_end = pos;
    for (;;) {
        lex_token t = lex_skip(rw->src, &pos);
        if (t.kind == LEX_END) {
            return false;
        }
        if (lex_is_char(rw->src, t, ')') && depth == 0) {
            break;
        }
        if (tokens == 0) {
            out->token = t;
            out->count = 1;
        }
        tokens++;
        last_end = t.end;
        depth += lex_is_char(rw->src, t, '(') ? 1 : 0;
        depth -= lex_is_char(rw->src, t, ')') ? 1 : 0;
        out->count += depth == 0 && lex_is_char(rw->src, t, ',') ? 1 : 0;
        out->dotted = out->dotted || lex_is_char(rw->src, t, '.');
        words_only = words_only && (t.kind == LEX_WORD || lex_is_char(rw->src, t, '.'));
    }
    out->end = pos;
    bool quoted = tokens == 1 && (out->token.kind == LEX_STRING || out->token.kind == LEX_QUOTED);
    out->simple = out->count == 1 && (quoted || (words_only && tokens > 0));
    if (out->simple) {
        arg_name(rw, out, slice_sub(rw->src, out->token.start, last_end));
    }
    return true;
}

/* The columns are filled in when the catalog is known. Only recorded here: which columns it
 * stands for is decided in describe_query.c.
 *
 *     SELECT sqlc.embed(a), …   ->   SELECT a.*, … */
static void emit_embed(rewriter *rw, const macro_arg *arg, size_t at)
{
    if (arg->dotted || arg->token.kind == LEX_STRING) {
        diag *d = diag_error(rw->diags, rw->query->file, at,
                             "sqlc.embed takes the name or alias of one table");
        diag_hint(rw->diags, d, "give the table an alias in FROM and embed the alias");
        return;
    }
    query_embed *embed = VEC_ADD(rw->arena, &rw->text->embeds, query_embed);
    if (embed == NULL) {
        rw->nomem = true;
        return;
    }
    size_t start = rw->sql.len;
    made_text(rw, at, arg->alias);
    buf_add_str(&rw->sql, ".*");
    *embed = (query_embed) {
        .alias = arg->alias, .name = arg->name, .sql_start = start, .sql_end = rw->sql.len, .at = at
    };
}

/* One macro call: sqlc.<fn>( arg ). Messages are those of upstream, so that people find them in
 * its documentation. */
static void emit_macro(rewriter *rw, slice fn, const macro_arg *arg, size_t at)
{
    bool embed = slice_eq_nocase(fn, SLICE("embed"));
    bool is_slice = slice_eq_nocase(fn, SLICE("slice"));
    bool narg = slice_eq_nocase(fn, SLICE("narg"));
    if (!embed && !is_slice && !narg && !slice_eq_nocase(fn, SLICE("arg"))) {
        diag *d = diag_error(rw->diags, rw->query->file, at,
                             "function \"sqlc.%" SLICE_FMT "\" does not exist", SLICE_ARG(fn));
        diag_hint(rw->diags, d, "one of sqlc.arg, sqlc.narg, sqlc.slice, sqlc.embed");
        return;
    }
    if (arg->count != 1) {
        diag *d = diag_error(rw->diags, rw->query->file, at,
                             "expected 1 parameter to sqlc.%" SLICE_FMT "; got %zu", SLICE_ARG(fn),
                             arg->count);
        diag_hint(rw->diags, d, "write sqlc.%" SLICE_FMT "(name)", SLICE_ARG(fn));
        return;
    }
    if (!arg->simple || arg->name == NULL) {
        diag *d = diag_error(rw->diags, rw->query->file, arg->token.start,
                             "expected parameter to sqlc.%" SLICE_FMT
                             " to be string or reference; got \"%" SLICE_FMT "\"",
                             SLICE_ARG(fn), SLICE_ARG(lex_text(rw->src, arg->token)));
        diag_hint(rw->diags, d, "write sqlc.%" SLICE_FMT "(name)", SLICE_ARG(fn));
        return;
    }
    if (embed) {
        emit_embed(rw, arg, at);
        return;
    }
    query_param *param = named_param(rw, arg->name, at);
    if (param != NULL) {
        param->narg = param->narg || narg;
        param->slice = param->slice || is_slice;
        if (is_slice) {
            rewrite_in_list(rw, arg->end);
        }
        emit_param(rw, param, at);
    }
}

/* At the word "sqlc": true when a macro call was read, *pos then stands behind it. A column
 * called sqlc with a field is no macro: only "sqlc.name(" is.
 *
 *     sqlc.arg(name), sqlc.narg('name'), SQLC . slice ( "Name" ) */
static bool try_macro(rewriter *rw, lex_token word, size_t *pos)
{
    size_t at = *pos;
    if (!lex_is_word(rw->src, word, "sqlc") || !lex_is_char(rw->src, lex_skip(rw->src, &at), '.')) {
        return false;
    }
    lex_token fn = lex_skip(rw->src, &at);
    if (fn.kind != LEX_WORD || !lex_is_char(rw->src, lex_skip(rw->src, &at), '(')) {
        return false;
    }
    macro_arg arg;
    if (!read_args(rw, at, &arg)) {
        (void) diag_error(rw->diags, rw->query->file, word.start,
                          "\"sqlc.%" SLICE_FMT "(\" is not closed",
                          SLICE_ARG(lex_text(rw->src, fn)));
        *pos = rw->src.len;
        return true;
    }
    emit_macro(rw, lex_text(rw->src, fn), &arg, word.start);
    *pos = arg.end;
    return true;
}

/* "-- @patch a b" names the column, and "a =" stands in front. */
static bool is_patch(const rewriter *rw, const char *name)
{
    bool listed = false;
    for (size_t i = 0; i < rw->query->flags.count; i++) {
        const query_flag *flag = VEC_AT(&rw->query->flags, query_flag, i);
        slice rest = { flag->rest, strlen(flag->rest) };
        while (strcmp(flag->word, "patch") == 0 && rest.ptr != NULL) {
            listed = slice_eq_str(slice_trim(slice_next(&rest, ' ')), name) || listed;
        }
    }
    return listed && lex_is_char(rw->src, rw->last[0].token, '=') &&
           lex_is_word(rw->src, rw->last[1].token, name);
}

/* The column keeps its value unless a parameter of its own says so.
 *
 *     SET title = @title   ->   SET title = CASE WHEN $2 THEN $1 ELSE title END */
static void emit_patch(rewriter *rw, const char *name, size_t at)
{
    const char *flag = arena_printf(rw->arena, "set_%s", name);
    query_param *set = flag == NULL ? NULL : named_param(rw, flag, at);
    if (set == NULL) {
        rw->nomem = true;
        return;
    }
    made_text(rw, at, "CASE WHEN ");
    emit_param(rw, set, at);
    made_text(rw, at, " THEN ");
    query_param *value = named_param(rw, name, at);
    value->patch = true;
    emit_param(rw, value, at);
    made_text(rw, at, " ELSE ");
    made_text(rw, at, name);
    made_text(rw, at, " END");
}

/* At '@': true when it starts a parameter; *pos then stands behind the name. Operators that
 * contain '@' must stay what they are: a doubtful one is an error, not a guess.
 *
 *     @name     parameter
 *     a @> b    operator: '@' with anything but a letter behind it
 *     a <@b     an error with a hint: may be either */
static bool try_at_param(rewriter *rw, lex_token sign, size_t *pos)
{
    size_t at = *pos;
    if (!lex_is_char(rw->src, sign, '@') || at >= rw->src.len || !lex_word_start(rw->src.ptr[at])) {
        return false;
    }
    /* Not lex_next(): @e'…' is no string here. '$' is part of SQL names but not of these. */
    while (at < rw->src.len && lex_word_part(rw->src.ptr[at]) && rw->src.ptr[at] != '$') {
        at++;
    }
    if (sign.start > 0 && strchr("<@~#!&|?", rw->src.ptr[sign.start - 1]) != NULL &&
        sign.start > rw->query->start) {
        diag *d =
            diag_error(rw->diags, rw->query->file, sign.start,
                       "'@' behind '%c': operator or parameter?", rw->src.ptr[sign.start - 1]);
        diag_hint(rw->diags, d,
                  "put a blank before the '@' of a parameter, behind the '@' of an "
                  "operator");
        *pos = at;
        return true;
    }
    char *name = arena_copy(rw->arena, slice_sub(rw->src, sign.end, at));
    query_param *param = name == NULL ? NULL : named_param(rw, name, sign.start);
    rw->nomem = rw->nomem || name == NULL;
    if (param != NULL && is_patch(rw, name)) {
        emit_patch(rw, name, sign.start);
    } else if (param != NULL) {
        emit_param(rw, param, sign.start);
    }
    *pos = at;
    return true;
}

/* A comment that has its line for itself (optimizer hints stay). *pos moves over the line's end.
 * Flags and documentation would otherwise travel to the server with every call, and a changed
 * comment would change the statement's hash.
 *
 *     SELECT a, -- stays: code stands before it
 *       -- goes, with its line
 *       a block comment that starts with a plus sign stays: a hint for the planner */
static bool drop_comment(rewriter *rw, lex_token t, size_t *pos)
{
    slice text = lex_text(rw->src, t);
    if ((t.kind != LEX_LINE_COMMENT && t.kind != LEX_BLOCK_COMMENT) ||
        slice_starts(text, SLICE("/*+")) || slice_find(text, '\n', 0) != SIZE_MAX) {
        return false;
    }
    size_t before = rw->sql.len;
    while (before > 0 && (rw->sql.ptr[before - 1] == ' ' || rw->sql.ptr[before - 1] == '\t')) {
        before--;
    }
    size_t after = t.end;
    while (after < rw->src.len && strchr(" \t\r", rw->src.ptr[after]) != NULL) {
        after++;
    }
    bool starts = before == 0 || rw->sql.ptr[before - 1] == '\n';
    bool ends = after == rw->src.len || rw->src.ptr[after] == '\n';
    if (!starts || !ends || rw->sql.failed) {
        return false;
    }
    rw->sql.len = before;
    *pos = after < rw->src.len ? after + 1 : after;
    return true;
}

/* Newest first. Three are enough for NOT IN (. */
static void remember(rewriter *rw, lex_token t, size_t out)
{
    rw->last[2] = rw->last[1];
    rw->last[1] = rw->last[0];
    rw->last[0] = (recent) { .token = t, .out = out };
}

/* The one pass over the statement. Every byte of the statement is copied, replaced or dropped
 * exactly once. */
static void rewrite(rewriter *rw)
{
    size_t pos = rw->query->start;
    assert(rw->query->start <= rw->query->end);
    for (lex_token t = lex_next(rw->src, &pos); t.kind != LEX_END && !rw->nomem;
         t = lex_next(rw->src, &pos)) {
        if (drop_comment(rw, t, &pos)) {
            continue;
        }
        size_t out = rw->sql.len;
        if (!try_macro(rw, t, &pos) && !try_at_param(rw, t, &pos)) {
            copy_token(rw, t);
        }
        if (t.kind != LEX_SPACE && t.kind != LEX_LINE_COMMENT && t.kind != LEX_BLOCK_COMMENT) {
            remember(rw, t, out);
        }
    }
}

/* For qsort(): by number. */
static int compare_params(const void *a, const void *b)
{
    const query_param *x = a;
    const query_param *y = b;
    return x->number < y->number ? -1 : x->number > y->number ? 1 : 0;
}

/* A column in a @patch that no assignment has would be ignored without a word. */
static void check_patches(const query_source *query, const query_text *text, diag_list *diags)
{
    for (size_t i = 0; i < query->flags.count; i++) {
        const query_flag *flag = VEC_AT(&query->flags, query_flag, i);
        slice rest = { flag->rest, strlen(flag->rest) };
        while (strcmp(flag->word, "patch") == 0 && rest.ptr != NULL) {
            slice name = slice_trim(slice_next(&rest, ' '));
            bool found = name.len == 0;
            for (size_t k = 0; k < text->params.count; k++) {
                const query_param *p = VEC_AT(&text->params, query_param, k);
                found = found || (p->patch && slice_eq_str(name, p->name));
            }
            if (!found) {
                diag *d = diag_error(diags, query->file, flag->at,
                                     "@patch %" SLICE_FMT ": no assignment of that name",
                                     SLICE_ARG(name));
                diag_hint(diags, d, "write SET %" SLICE_FMT " = @%" SLICE_FMT, SLICE_ARG(name),
                          SLICE_ARG(name));
            }
        }
    }
}

/* Parameters come out sorted by number, without gaps only if the user's numbers have none: the
 * server is asked about gaps. */
pgc_status query_preprocess(arena *mem, const query_source *query, diag_list *diags,
                            query_text *out, bool *ok, pgc_error *err)
{
    size_t errors_before = diags->error_count;
    query_text text = { 0 };
    rewriter rw = { .arena = mem,
                    .query = query,
                    .diags = diags,
                    .text = &text,
                    .free_number = 1,
                    .src = slice_sub(query->file->text, 0, query->end) };
    assert(query->end <= query->file->text.len);
    buf_init(&rw.sql, NULL, PREPROCESS_SQL_MAX);
    reserve_numbers(&rw);
    order_names(&rw);
    rewrite(&rw);
    slice sql = buf_view(&rw.sql);
    while (sql.len > 0 && strchr(" \t\r\n\f\v", sql.ptr[sql.len - 1]) != NULL) {
        sql.len--;
    }
    char *copy = rw.nomem || rw.sql.failed ? NULL : arena_copy(mem, sql);
    buf_done(&rw.sql);
    if (copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "preprocess query \"%s\"", query->name);
    }
    text.sql = (slice) { copy, sql.len };
    if (text.params.count > 1) {
        qsort(text.params.items, text.params.count, sizeof(query_param), compare_params);
    }
    check_patches(query, &text, diags);
    *ok = diags->error_count == errors_before;
    *out = text;
    return PGC_OK;
}

/* The spans are sorted, and there are few of them. */
size_t query_source_offset(const query_text *text, size_t sql_offset)
{
    const offset_span *found = NULL;
    assert(sql_offset <= text->sql.len + 1);
    for (size_t i = 0; i < text->spans.count; i++) {
        const offset_span *span = VEC_AT(&text->spans, offset_span, i);
        if (span->out > sql_offset) {
            break;
        }
        found = span;
    }
    if (found == NULL) {
        return 0;
    }
    return found->fixed ? found->src : found->src + (sql_offset - found->out);
}

/* The server counts characters of the encoding, which is UTF-8 here. */
size_t query_char_offset(slice sql, int32_t position)
{
    int32_t seen = 0;
    for (size_t i = 0; i < sql.len; i++) {
        if (((unsigned char) sql.ptr[i] & 0xC0) != 0x80 && ++seen >= position) {
            return i;
        }
    }
    return sql.len;
}
