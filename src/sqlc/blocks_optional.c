/* Which conjunct of WHERE a parameter stands in, found by words and parentheses alone: the text is
 * the user's, with our marks in it. One thread per arena. */
#include "base/prelude.h"

#include "sqlc/blocks.h"
#include "sqlc/lex.h"

#define LEVELS_MAX 64

/* One nesting of parentheses. */
typedef struct level {
    size_t start;  /* of the conjunct; behind WHERE or AND */
    bool in_where; /* conditions are read here */
    bool has_or;   /* since WHERE */
    bool found;    /* the parameter stands in this conjunct */
    bool any;      /* … or in one before it, since WHERE */
    int between;   /* BETWEENs whose AND is to come */
    int cases;     /* CASEs that are open */
} level;

typedef struct finder {
    arena *arena;
    slice src;
    const char *name;
    vec *regions;
    const char *why;
    level levels[LEVELS_MAX];
    size_t depth;
    lex_token last[4]; /* significant ones, newest first */
    size_t made;
} finder;

static bool is_any(slice src, lex_token t, const char *const *words, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        found = found || lex_is_word(src, t, words[i]);
    }
    return found;
}

/* Words that end a list of conditions. LEFT and RIGHT may be functions too. */
static bool ends_where(const finder *f, lex_token t, size_t pos)
{
    static const char *const WORDS[] = { "group",     "order",  "limit",     "offset", "fetch",
                                         "for",       "union",  "intersect", "except", "window",
                                         "returning", "join",   "inner",     "full",   "cross",
                                         "natural",   "having", "when",      "set",    "where" };
    static const char *const SIDES[] = { "left", "right" };
    if (is_any(f->src, t, SIDES, ARRAY_LEN(SIDES))) {
        return !lex_is_char(f->src, lex_skip(f->src, &pos), '(');
    }
    return is_any(f->src, t, WORDS, ARRAY_LEN(WORDS)) || lex_is_char(f->src, t, ',');
}

/* The conjunct ends at `end`, blanks and comments behind it included. */
static void close_conjunct(finder *f, level *l, size_t end)
{
    if (!l->in_where || !l->found) {
        l->found = false;
        return;
    }
    l->found = false;
    l->any = true;
    size_t start = l->start;
    while (start < end && strchr(" \t\r\n", f->src.ptr[start]) != NULL) {
        start++;
    }
    while (end > start && strchr(" \t\r\n", f->src.ptr[end - 1]) != NULL) {
        end--;
    }
    if (end - start < 4) {
        f->why = "its condition is too short to be replaced by \"true\"";
        return;
    }
    block_region *region = VEC_ADD(f->arena, f->regions, block_region);
    if (region == NULL) {
        f->why = "no memory";
        return;
    }
    *region = (block_region) { .start = start, .end = end, .condition = true };
    f->made++;
}

/* All conditions of this level are read: an OR beside the parameter makes a conjunct of nothing. */
static void close_where(finder *f, level *l, size_t end)
{
    close_conjunct(f, l, end);
    if (l->has_or && l->any) {
        f->why = "an OR stands beside its condition";
    }
    l->in_where = false;
    l->has_or = false;
    l->any = false;
}

/* @name, or the name as argument of sqlc.arg, narg or slice. */
static bool is_param(const finder *f, lex_token t)
{
    static const char *const MACROS[] = { "arg", "narg", "slice" };
    slice text = lex_text(f->src, t);
    if (t.kind == LEX_STRING && text.len > 2) {
        text = slice_sub(text, 1, text.len - 1);
    }
    if ((t.kind != LEX_WORD && t.kind != LEX_STRING) || !slice_eq_str(text, f->name)) {
        return false;
    }
    bool at = lex_is_char(f->src, f->last[0], '@') && f->last[0].end == t.start;
    bool macro = lex_is_char(f->src, f->last[0], '(') &&
                 is_any(f->src, f->last[1], MACROS, ARRAY_LEN(MACROS)) &&
                 lex_is_char(f->src, f->last[2], '.') && lex_is_word(f->src, f->last[3], "sqlc");
    return at || macro;
}

static void remember(finder *f, lex_token t)
{
    memmove(&f->last[1], &f->last[0], 3 * sizeof f->last[0]);
    f->last[0] = t;
}

static bool is_blank(lex_token t)
{
    return t.kind == LEX_SPACE || t.kind == LEX_LINE_COMMENT || t.kind == LEX_BLOCK_COMMENT;
}

bool blocks_hold_param(slice src, size_t from, const char *name)
{
    finder f = { .src = src, .name = name };
    bool found = false;
    for (lex_token t = lex_next(src, &from); t.kind != LEX_END; t = lex_next(src, &from)) {
        if (!is_blank(t)) {
            found = found || is_param(&f, t);
            remember(&f, t);
        }
    }
    return found;
}

/* Parentheses, then the words of one level. */
static void see(finder *f, lex_token t, size_t pos)
{
    level *l = &f->levels[f->depth];
    if (lex_is_char(f->src, t, '(')) {
        if (f->depth + 1 < LEVELS_MAX) {
            f->levels[++f->depth] = (level) { 0 };
        } else {
            f->why = "the parentheses are too deep";
        }
    } else if (lex_is_char(f->src, t, ')') && f->depth > 0) {
        bool inner = l->found && !l->in_where;
        close_where(f, l, t.start);
        f->depth--;
        f->levels[f->depth].found = f->levels[f->depth].found || inner;
    } else if (lex_is_word(f->src, t, "case")) {
        l->cases++;
    } else if (l->cases > 0) {
        l->cases -= lex_is_word(f->src, t, "end") ? 1 : 0;
    } else if (lex_is_word(f->src, t, "where") || lex_is_word(f->src, t, "having") ||
               lex_is_word(f->src, t, "on")) {
        close_where(f, l, t.start);
        l->in_where = true;
        l->start = t.end;
    } else if (lex_is_word(f->src, t, "between")) {
        l->between++;
    } else if (lex_is_word(f->src, t, "and") && l->between > 0) {
        l->between--;
    } else if (l->in_where && lex_is_word(f->src, t, "and")) {
        close_conjunct(f, l, t.start);
        l->start = t.end;
    } else if (l->in_where && lex_is_word(f->src, t, "or")) {
        l->has_or = true;
    } else if (l->in_where && ends_where(f, t, pos)) {
        close_where(f, l, t.start);
    }
    f->levels[f->depth].found = f->levels[f->depth].found || is_param(f, t);
}

bool blocks_find_conjuncts(arena *mem, const query_source *query, const char *name, vec *regions,
                           const char **why)
{
    finder f = { .arena = mem,
                 .src = slice_sub(query->file->text, 0, query->end),
                 .name = name,
                 .regions = regions };
    size_t pos = query->start;
    size_t end = query->start;
    for (lex_token t = lex_next(f.src, &pos); t.kind != LEX_END; t = lex_next(f.src, &pos)) {
        if (is_blank(t)) {
            continue;
        }
        see(&f, t, pos);
        remember(&f, t);
        end = t.end;
    }
    close_where(&f, &f.levels[0], end);
    *why = f.why != NULL ? f.why : "no condition of WHERE holds this parameter";
    return f.why == NULL && f.made > 0;
}
