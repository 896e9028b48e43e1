/* The scanner behind migrate_split(). It follows Atlas' scanner case by case, odd ones included,
 * because both tools must count the same statements. The input of a scanner is always a tail of the
 * whole file; a BEGIN block is found by scanning its body with a nested scanner, and what a nested
 * scan finds depends on where it starts only, so it is remembered: without that, n unmatched BEGINs
 * would cost 2^n steps. One thread per call, no state between calls. */
#include "base/prelude.h"

#include "migrate/split.h"

#include "migrate/directive.h"
#include "migrate/text.h"

#define DEPTH_MAX   1000u               /* nested BEGIN blocks */
#define STEPS_MAX   (UINT64_C(1) << 31) /* characters looked at in all */
#define BLOCK_FAILS SIZE_MAX            /* memo: not a block */
#define ENDLESS     "too many nested BEGIN words: put the bodies of functions in dollar quotes"

/* What a nested scan from a place gave. */
typedef struct block_memo {
    size_t key;   /* place * 2 + kind + 1; 0 marks an empty slot */
    size_t total; /* bytes of the block's body, or BLOCK_FAILS */
} block_memo;

/* Shared by the scanners of one call. */
typedef struct split_ctx {
    slice src; /* the whole file */
    arena *mem;
    pgc_error *err;
    pgc_status fatal; /* ends the whole call: no memory, over a limit */
    unsigned depth;   /* of nested scanners; errors count at 0 only */
    uint64_t steps;   /* characters looked at */
    block_memo *memo; /* hash table, half empty at least */
    size_t memo_size; /* power of two, or 0 */
    size_t memo_used;
} split_ctx;

typedef struct scanner {
    split_ctx *ctx;
    slice input;     /* from the current statement to the end of the file */
    size_t pos;      /* bytes of the current statement read so far */
    size_t total;    /* bytes read since the start, spaces included */
    size_t width;    /* of the last character */
    slice delim;     /* of this scanner; nested ones start with ";" */
    slice *comments; /* waiting for the statement that follows them */
    size_t comment_count, comment_cap;
} scanner;

typedef enum scan_result { SCAN_STMT, SCAN_END, SCAN_FAILED } scan_result;

static scan_result scan_stmt(scanner *s, migrate_stmt *out);

/* Ends the whole call, nested scanners included. */
static bool out_of_memory(split_ctx *ctx)
{
    ctx->fatal = pgc_error_set(ctx->err, PGC_NOMEM, "split into statements");
    return false;
}

/* False, with what is wrong at byte pos of the current statement recorded. Nested scanners'
 * complaints only mean "not a block" and are dropped. */
static bool fail_at(scanner *s, size_t pos, const char *what)
{
    split_ctx *ctx = s->ctx;
    if (ctx->depth > 0 || ctx->fatal != PGC_OK) {
        return false;
    }
    size_t end = ctx->src.len - s->input.len + pos;
    size_t line = 1;
    size_t column = end;
    for (size_t i = 0; i < end; i++) {
        if (ctx->src.ptr[i] == '\n') {
            line++;
            column = end - i - 1;
        }
    }
    (void) pgc_error_set(ctx->err, PGC_INVALID, "%zu:%zu: %s", line, column, what);
    return false;
}

/* pos counts within the statement, total since the scanner's start. */
static void add_pos(scanner *s, size_t count)
{
    s->pos += count;
    s->total += count;
}

/* Next character; 0 with width 0 at the end. Characters outside ASCII give 0x80. */
static unsigned char next_char(scanner *s)
{
    slice tail = slice_sub(s->input, s->pos, s->input.len);
    s->width = migrate_char_width(tail);
    add_pos(s, s->width);
    if (++s->ctx->steps > STEPS_MAX && s->ctx->fatal == PGC_OK) {
        s->ctx->fatal = pgc_error_set(s->ctx->err, PGC_LIMIT, ENDLESS);
    }
    if (s->width == 0) {
        return 0;
    }
    return s->width == 1 ? (unsigned char) tail.ptr[0] : 0x80;
}

/* The next byte without reading it; 0 at the end. */
static char peek_char(const scanner *s)
{
    return s->pos < s->input.len ? s->input.ptr[s->pos] : '\0';
}

/* Before a statement only: spaces inside belong to its text. */
static void skip_spaces(scanner *s)
{
    slice rest = migrate_trim_left(s->input);
    s->total += s->input.len - rest.len;
    s->input = rest;
}

/* The statement ends: cut it off the input. */
static void emit(scanner *s, slice text, migrate_stmt *out)
{
    assert(text.len <= s->total);
    assert(s->pos <= s->input.len);
    out->position = s->total - text.len;
    out->comments = s->comments;
    out->comment_count = s->comment_count;
    s->input = slice_sub(s->input, s->pos, s->input.len);
    s->pos = 0;
    s->comments = NULL;
    s->comment_count = s->comment_cap = 0;
    if (!slice_eq(s->delim, SLICE(";")) && slice_ends(text, s->delim)) {
        text.len -= s->delim.len;
    }
    out->text = migrate_trim(text);
}

/* Replace the delimiter; \n, \r and \t in it are unescaped. */
static bool set_delim(scanner *s, slice text)
{
    char *copy = arena_copy(s->ctx->mem, text);
    if (copy == NULL) {
        return out_of_memory(s->ctx);
    }
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        bool escape = text.ptr[i] == '\\' && (next == 'n' || next == 'r' || next == 't');
        if (escape) {
            copy[used++] = next == 'n' ? '\n' : next == 'r' ? '\r' : '\t';
            i++;
        } else {
            copy[used++] = text.ptr[i];
        }
    }
    s->delim = (slice) { copy, used };
    return true;
}

/* Start on the tail of the file that begins at byte `at`. */
static bool scanner_init(scanner *s, split_ctx *ctx, size_t at)
{
    *s = (scanner) { .ctx = ctx, .input = slice_sub(ctx->src, at, ctx->src.len) };
    s->delim = SLICE(";");
    migrate_directive directive;
    if (!migrate_directive_parse(s->input, &directive) ||
        !slice_eq(directive.name, SLICE("delimiter")) ||
        !slice_eq(directive.prefix, SLICE("-- "))) {
        return true;
    }
    if (directive.argument.len == 0) {
        return fail_at(s, 0, "empty delimiter");
    }
    if (!set_delim(s, directive.argument)) {
        return false;
    }
    size_t line_end = slice_find(s->input, '\n', 0);
    if (line_end == SIZE_MAX) {
        return fail_at(s, 0, "no statements after the delimiter line");
    }
    s->input = slice_sub(s->input, line_end + 1, s->input.len);
    return true;
}

/* The mysql client's DELIMITER command, which Atlas honours everywhere. True unless it failed. */
static bool delimiter_command(scanner *s)
{
    add_pos(s, strlen("delimiter") - 1);
    if (peek_char(s) != ' ') {
        return true; /* an ordinary word after all */
    }
    unsigned char c;
    do {
        c = next_char(s);
    } while (s->width > 0 && c != '\n');
    slice text = migrate_trim(slice_sub(s->input, strlen("delimiter"), s->pos));
    if (slice_starts(text, SLICE("'")) && slice_ends(text, SLICE("'"))) {
        if (text.len == 1) { /* Atlas crashes here */
            return fail_at(s, strlen("delimiter "), "a lone quote cannot be a delimiter");
        }
        char *copy = arena_copy(s->ctx->mem, slice_sub(text, 1, text.len - 1));
        if (copy == NULL) {
            return out_of_memory(s->ctx);
        }
        size_t used = 0;
        for (size_t i = 1; i + 1 < text.len; i++) {
            copy[used++] = text.ptr[i];
            if (text.ptr[i] == '\'' && i + 2 < text.len && text.ptr[i + 1] == '\'') {
                i++;
            }
        }
        text = (slice) { copy, used };
    }
    if (text.len == 0) {
        return fail_at(s, strlen("delimiter "), "empty delimiter");
    }
    if (!set_delim(s, text)) {
        return false;
    }
    migrate_stmt dropped;
    emit(s, slice_sub(s->input, 0, s->pos), &dropped);
    skip_spaces(s);
    return true;
}

/* Remember a comment that stands before a statement. */
static bool keep_comment(scanner *s, slice text)
{
    if (s->comment_count == s->comment_cap) {
        size_t cap = s->comment_cap == 0 ? 4 : s->comment_cap * 2;
        slice *grown = ARENA_ARRAY(s->ctx->mem, cap, slice);
        if (grown == NULL) {
            return out_of_memory(s->ctx);
        }
        if (s->comment_count > 0) {
            memcpy(grown, s->comments, s->comment_count * sizeof *grown);
        }
        s->comments = grown;
        s->comment_cap = cap;
    }
    s->comments[s->comment_count++] = text;
    return true;
}

/* Behind the opening of a comment: skip it; without an end it is none. */
static bool skip_comment(scanner *s, slice open, slice close)
{
    size_t at = migrate_find(slice_sub(s->input, s->pos, s->input.len), close);
    if (at == SIZE_MAX) {
        return true;
    }
    bool leading = s->pos == open.len;
    add_pos(s, at + close.len);
    if (!leading) {
        return true;
    }
    if (!keep_comment(s, slice_sub(s->input, 0, s->pos))) {
        return false;
    }
    s->input = slice_sub(s->input, s->pos, s->input.len);
    s->pos = 0;
    /* A blank line takes comments off the statement that follows. */
    if (slice_starts(s->input, SLICE("\n\n")) ||
        (slice_eq(close, SLICE("\n")) && slice_starts(s->input, SLICE("\n")))) {
        s->comments = NULL;
        s->comment_count = s->comment_cap = 0;
    }
    skip_spaces(s);
    return true;
}

/* To the same quote again. A doubled one closes and opens, and backslashes mean nothing: that is
 * how Atlas reads E'…' too, whatever the server thinks. */
static bool skip_quote(scanner *s, unsigned char quote)
{
    size_t open = s->pos;
    for (;;) {
        unsigned char c = next_char(s);
        if (s->width == 0) {
            char what[32];
            (void) snprintf(what, sizeof what, "unclosed quote %c", quote);
            return fail_at(s, open, what);
        }
        if (c == quote) {
            return true;
        }
    }
}

/* Letters, "_" and U+00C8 to U+00FF, digits after the first: bytes of the name part at text. */
static size_t tag_char(slice text, bool first)
{
    unsigned char c = text.len > 0 ? (unsigned char) text.ptr[0] : 0;
    if (c < 0x80) {
        return migrate_is_word((char) c) && !(first && isdigit(c)) ? 1 : 0;
    }
    /* U+00C8 to U+00FF are C3 88 to C3 BF. */
    return c == 0xC3 && text.len > 1 && (unsigned char) text.ptr[1] >= 0x88 &&
                   migrate_char_width(text) == 2
               ? 2
               : 0;
}

/* Length of the dollar tag at text, both dollar signs included; 0 when there is none. */
static size_t dollar_tag(slice text)
{
    assert(text.len > 0);
    size_t end = 1;
    for (;;) {
        size_t width = tag_char(slice_sub(text, end, text.len), end == 1);
        if (width == 0) {
            break;
        }
        end += width;
    }
    return end < text.len && text.ptr[end] == '$' ? end + 1 : 0;
}

/* Behind the first dollar sign: skip to the same tag; an open one swallows the rest. */
static void skip_dollar(scanner *s, size_t tag_len)
{
    assert(tag_len >= 2);
    slice tag = slice_sub(s->input, s->pos - 1, s->pos - 1 + tag_len);
    add_pos(s, tag_len - 1);
    slice body = slice_sub(s->input, s->pos, s->input.len);
    size_t at = migrate_find(body, tag);
    add_pos(s, at == SIZE_MAX ? body.len : at + tag_len);
}

/* White space as the patterns of Atlas' scanner know it: no vertical tab, nothing outside ASCII. */
static bool go_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/* Bytes of `word` in any case and the white space behind it; 0 when text starts otherwise. */
static size_t word_and_space(slice text, slice word)
{
    if (!slice_eq_nocase(slice_sub(text, 0, word.len), word)) {
        return 0;
    }
    size_t end = word.len;
    while (end < text.len && go_space(text.ptr[end])) {
        end++;
    }
    return end > word.len ? end : 0;
}

/* Bytes of "END" in any case with white space around it; 0 when text starts otherwise. */
static size_t end_word(slice text)
{
    size_t at = 0;
    while (at < text.len && go_space(text.ptr[at])) {
        at++;
    }
    if (!slice_eq_nocase(slice_sub(text, at, at + 3), SLICE("END"))) {
        return 0;
    }
    at += 3;
    while (at < text.len && go_space(text.ptr[at])) {
        at++;
    }
    return at;
}

/* The slot of the key, or the free one where it belongs. The table is never more than half full. */
static block_memo *memo_slot(const split_ctx *ctx, size_t key)
{
    assert(key != 0);
    assert(ctx->memo_size > 0);
    size_t i = (key * (size_t) UINT64_C(0x9E3779B97F4A7C15)) & (ctx->memo_size - 1);
    while (ctx->memo[i].key != 0 && ctx->memo[i].key != key) {
        i = (i + 1) & (ctx->memo_size - 1);
    }
    return &ctx->memo[i];
}

/* Remember what a nested scan gave. */
static bool memo_put(split_ctx *ctx, size_t key, size_t total)
{
    if (ctx->memo_used * 2 >= ctx->memo_size) {
        split_ctx old = *ctx;
        ctx->memo_size = old.memo_size == 0 ? 64 : old.memo_size * 2;
        ctx->memo = ARENA_ARRAY(ctx->mem, ctx->memo_size, block_memo);
        if (ctx->memo == NULL) {
            ctx->memo_size = ctx->memo_used = 0;
            return out_of_memory(ctx);
        }
        for (size_t i = 0; i < old.memo_size; i++) {
            if (old.memo[i].key != 0) {
                *memo_slot(ctx, old.memo[i].key) = old.memo[i];
            }
        }
    }
    *memo_slot(ctx, key) = (block_memo) { key, total };
    ctx->memo_used++;
    return true;
}

/* Scan statements from byte `at` until the one that ends a block; its length or BLOCK_FAILS. */
static size_t scan_block(split_ctx *ctx, size_t at, bool atomic)
{
    scanner body;
    migrate_stmt stmt;
    if (!scanner_init(&body, ctx, at)) {
        return BLOCK_FAILS;
    }
    while (scan_stmt(&body, &stmt) == SCAN_STMT) {
        size_t end = end_word(stmt.text);
        slice rest = slice_sub(stmt.text, end, stmt.text.len);
        if (end > 0 && (atomic || rest.len == 0 || slice_eq(rest, SLICE(";")))) {
            return body.total;
        }
    }
    return BLOCK_FAILS;
}

/* At a word BEGIN (`lead` bytes with what belongs to it): true when a whole block was skipped. */
static bool skip_block(scanner *s, size_t lead, bool atomic)
{
    split_ctx *ctx = s->ctx;
    assert(s->pos > 0);
    assert(lead > 0);
    size_t from = s->pos - 1 + lead;
    size_t at = ctx->src.len - s->input.len + from;
    size_t key = at * 2 + (atomic ? 1 : 0) + 1;
    size_t total;
    if (ctx->memo_size > 0 && memo_slot(ctx, key)->key == key) {
        total = memo_slot(ctx, key)->total;
    } else {
        if (ctx->depth == DEPTH_MAX) {
            ctx->fatal = pgc_error_set(ctx->err, PGC_LIMIT, ENDLESS);
            return false;
        }
        ctx->depth++;
        total = scan_block(ctx, at, atomic);
        ctx->depth--;
        if (ctx->fatal != PGC_OK || !memo_put(ctx, key, total)) {
            return false;
        }
    }
    add_pos(s, lead - 1);
    if (total == BLOCK_FAILS) {
        return false;
    }
    add_pos(s, total);
    return true;
}

/* At a letter B: skip a BEGIN block if one starts here. */
static bool try_block(scanner *s)
{
    slice tail = slice_sub(s->input, s->pos - 1, s->input.len);
    size_t begin = word_and_space(tail, SLICE("BEGIN"));
    if (begin == 0) {
        return false;
    }
    size_t atomic = word_and_space(slice_sub(tail, begin, tail.len), SLICE("ATOMIC"));
    if (atomic > 0) {
        return skip_block(s, begin + atomic, true);
    }
    bool own_word = s->pos == 1 || go_space(s->input.ptr[s->pos - 2]);
    return own_word && skip_block(s, begin, false);
}

typedef enum step { STEP_ON, STEP_CUT, STEP_FAILED } step;

/* Helpers say whether they went well; a step goes on then. */
static step on(bool ok)
{
    return ok ? STEP_ON : STEP_FAILED;
}

/* One character outside parentheses' business: the cases of the scanner in their order. */
static step scan_char(scanner *s, unsigned char c, bool top)
{
    slice tail = slice_sub(s->input, s->pos - s->width, s->input.len);
    if (c == '\'' || c == '"' || c == '`') {
        return on(skip_quote(s, c));
    }
    if (s->pos == 1 && slice_eq_nocase(slice_sub(tail, 0, 9), SLICE("delimiter")) && tail.len > 9) {
        return on(delimiter_command(s));
    }
    if (top && slice_starts(tail, s->delim)) {
        add_pos(s, s->delim.len - s->width);
        return STEP_CUT;
    }
    size_t tag = c == '$' ? dollar_tag(tail) : 0;
    if (tag > 0) {
        skip_dollar(s, tag);
        return STEP_ON;
    }
    if (c == '-' && peek_char(s) == '-') {
        add_pos(s, 1);
        return on(skip_comment(s, SLICE("--"), SLICE("\n")));
    }
    if (c == '/' && peek_char(s) == '*') {
        add_pos(s, 1);
        return on(skip_comment(s, SLICE("/*"), SLICE("*/")));
    }
    if ((c == 'B' || c == 'b') && slice_eq(s->delim, SLICE(";")) && try_block(s)) {
        return STEP_CUT;
    }
    return STEP_ON;
}

/* Parentheses are counted here, everything else is scan_char()'s business. A delimiter inside
 * parentheses ends nothing. */
static scan_result scan_stmt(scanner *s, migrate_stmt *out)
{
    size_t depth = 0;
    size_t open = 0;
    skip_spaces(s);
    for (;;) {
        unsigned char c = next_char(s);
        step went = STEP_ON;
        if (s->width == 0) {
            if (depth > 0) {
                (void) fail_at(s, open, "unclosed '('");
                return SCAN_FAILED;
            }
            if (s->pos == 0) {
                return SCAN_END;
            }
            emit(s, s->input, out);
            return SCAN_STMT;
        }
        if (c == '(') {
            open = depth++ == 0 ? s->pos : open;
        } else if (c == ')') {
            if (depth-- == 0) {
                (void) fail_at(s, s->pos, "unexpected ')'");
                return SCAN_FAILED;
            }
        } else {
            went = scan_char(s, c, depth == 0);
        }
        if (went == STEP_FAILED || s->ctx->fatal != PGC_OK) {
            return SCAN_FAILED;
        }
        if (went == STEP_CUT) {
            emit(s, slice_sub(s->input, 0, s->pos), out);
            return SCAN_STMT;
        }
    }
}

/* Positions and texts point into content; only the list itself and odd delimiters take memory. */
pgc_status migrate_split(slice content, arena *mem, migrate_stmts *out, pgc_error *err)
{
    pgc_error local;
    pgc_error_clear(&local);
    split_ctx ctx = { .src = content, .mem = mem, .err = err != NULL ? err : &local };
    scanner s;
    migrate_stmts stmts = { NULL, 0 };
    size_t cap = 0;
    pgc_error_clear(ctx.err);
    scan_result result = scanner_init(&s, &ctx, 0) ? SCAN_STMT : SCAN_FAILED;
    while (result == SCAN_STMT) {
        migrate_stmt stmt;
        result = scan_stmt(&s, &stmt);
        if (result != SCAN_STMT) {
            break;
        }
        if (stmts.count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            migrate_stmt *grown = ARENA_ARRAY(mem, cap, migrate_stmt);
            if (grown == NULL) {
                return pgc_error_set(err, PGC_NOMEM, "split into statements");
            }
            if (stmts.count > 0) {
                memcpy(grown, stmts.items, stmts.count * sizeof *grown);
            }
            stmts.items = grown;
        }
        stmts.items[stmts.count++] = stmt;
    }
    assert(result != SCAN_FAILED || ctx.fatal != PGC_OK || ctx.err->status != PGC_OK);
    if (result == SCAN_FAILED) {
        return ctx.fatal != PGC_OK ? ctx.fatal : ctx.err->status;
    }
    *out = stmts;
    return PGC_OK;
}
