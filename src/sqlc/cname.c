/* Identifier rules: boundaries of camel case, reserved words, English plurals. Pure functions. */
#include "base/prelude.h"

#include "sqlc/cname.h"

#include <strings.h>

#include "base/buf.h"

/* More than any compiler promises to tell apart; longer names are an error, not a cut. */
#define NAME_MAX_BYTES 4096

/* ASCII only: the locale must not change generated code. */
static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A capital starts a word after a small letter or digit, or as the last of a run before a small
 * one. "ListURLs" gives list_urls, "HTTPServer" http_server. Source: sqlc.md §8.8. */
static bool word_begins(slice raw, size_t i)
{
    assert(i < raw.len);
    if (i == 0 || !is_upper(raw.ptr[i])) {
        return false;
    }
    char before = raw.ptr[i - 1];
    return is_lower(before) || is_digit(before) ||
           (is_upper(before) && i + 1 < raw.len && is_lower(raw.ptr[i + 1]));
}

/* A leading digit gets an "n" before it; leading and trailing underscores vanish, because such C
 * names are reserved.
 *
 *     ListAssetsByURL -> list_assets_by_url
 *     GetV2Item       -> get_v2_item
 *     "Weird-Name!"   -> weird_name
 *     2fa             -> n2fa */
pgc_status cname_snake(arena *mem, slice raw, char **out, pgc_error *err)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, NAME_MAX_BYTES);
    bool gap = false;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (!is_upper(c) && !is_lower(c) && !is_digit(c)) {
            gap = true;
            continue;
        }
        if ((gap || word_begins(raw, i)) && b.len > 0) {
            buf_add_char(&b, '_');
        }
        if (b.len == 0 && is_digit(c)) {
            buf_add_str(&b, "n");
        }
        gap = false;
        buf_add_char(&b, (char) (is_upper(c) ? c + ('a' - 'A') : c));
    }
    TRY(buf_finish(&b, err));
    char *copy = b.len == 0 ? NULL : arena_copy(mem, buf_view(&b));
    if (copy == NULL && b.len > 0) {
        return pgc_error_set(err, PGC_NOMEM, "make a C name");
    }
    *out = copy;
    return PGC_OK;
}

/* ASCII only, whatever the locale says. */
char *cname_upper(arena *mem, const char *name)
{
    char *out = arena_strdup(mem, name);
    for (char *p = out; p != NULL && *p != '\0'; p++) {
        *p = (char) (is_lower(*p) ? *p - ('a' - 'A') : *p);
    }
    return out;
}

/* Sorted by strcmp: keywords of C11, C23 and C++20, alternative tokens, and macros or names of
 * common headers. Upper-case entries cannot come out of cname_snake() but out of options.rename. */
static const char *const RESERVED[] = {
    "EOF",           "FALSE",        "I",
    "NULL",          "TRUE",         "alignas",
    "alignof",       "and",          "and_eq",
    "asm",           "assert",       "auto",
    "bitand",        "bitor",        "bool",
    "break",         "case",         "catch",
    "char",          "char16_t",     "char32_t",
    "char8_t",       "class",        "co_await",
    "co_return",     "co_yield",     "compl",
    "complex",       "concept",      "const",
    "const_cast",    "consteval",    "constexpr",
    "constinit",     "continue",     "decltype",
    "default",       "delete",       "do",
    "double",        "dynamic_cast", "else",
    "enum",          "errno",        "explicit",
    "export",        "extern",       "false",
    "float",         "for",          "friend",
    "goto",          "if",           "inline",
    "int",           "linux",        "long",
    "major",         "max",          "min",
    "minor",         "mutable",      "namespace",
    "new",           "noexcept",     "noreturn",
    "not",           "not_eq",       "nullptr",
    "offsetof",      "operator",     "or",
    "or_eq",         "private",      "protected",
    "public",        "register",     "reinterpret_cast",
    "requires",      "restrict",     "return",
    "short",         "signals",      "signed",
    "sizeof",        "slots",        "static",
    "static_assert", "static_cast",  "stderr",
    "stdin",         "stdout",       "struct",
    "switch",        "template",     "this",
    "thread_local",  "throw",        "true",
    "try",           "typedef",      "typeid",
    "typename",      "typeof",       "typeof_unqual",
    "union",         "unix",         "unsigned",
    "using",         "virtual",      "void",
    "volatile",      "wchar_t",      "while",
    "xor",           "xor_eq",
};

/* For bsearch(): RESERVED is sorted by strcmp(). */
static int compare_word(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *) item);
}

bool cname_is_reserved(const char *name)
{
    return bsearch(name, RESERVED, ARRAY_LEN(RESERVED), sizeof RESERVED[0], compare_word) != NULL;
}

/* The underscore behind keeps the names sorted together and makes no reserved name, because none
 * is in snake_case with a tail. */
const char *cname_safe(arena *mem, const char *name)
{
    return cname_is_reserved(name) ? arena_printf(mem, "%s_", name) : name;
}

/* Words whose singular follows no suffix rule, or that must not be touched. */
static const struct {
    const char *plural, *singular;
} IRREGULAR[] = {
    { "people", "person" },     { "men", "man" },
    { "women", "woman" },       { "children", "child" },
    { "mice", "mouse" },        { "feet", "foot" },
    { "teeth", "tooth" },       { "geese", "goose" },
    { "oxen", "ox" },           { "indices", "index" },
    { "vertices", "vertex" },   { "matrices", "matrix" },
    { "movies", "movie" },      { "shoes", "shoe" },
    { "aliases", "alias" },     { "statuses", "status" },
    { "buses", "bus" },         { "quizzes", "quiz" },
    { "caches", "cache" },      { "databases", "database" },
    { "waves", "wave" },        { "calories", "calorie" },
    { "moves", "move" },        { "caves", "cave" },
    { "ties", "tie" },          { "series", "series" },
    { "species", "species" },   { "news", "news" },
    { "metadata", "metadata" }, { "meta", "meta" },
    { "campus", "campus" },     { "media", "media" },
    { "data", "data" },         { "fish", "fish" },
    { "sheep", "sheep" },       { "lens", "lens" },
    { "gps", "gps" },           { "analytics", "analytics" },
};

/* Suffixes, first match wins. */
static const struct {
    const char *plural, *singular;
} SUFFIXES[] = {
    { "ss", "ss" },      { "us", "us" },         { "is", "is" },
    { "sses", "ss" },    { "shes", "sh" },       { "ches", "ch" },
    { "xes", "x" },      { "zes", "ze" },        { "analyses", "analysis" },
    { "bases", "base" }, { "crises", "crisis" }, { "theses", "thesis" },
    { "oes", "o" },      { "lves", "lf" },       { "rves", "rve" },
    { "ives", "ive" },   { "ves", "ve" },        { "ies", "y" },
    { "s", "" },
};

/* Words that end like a plural and are none stay as they are: a wrong singular is worse than a
 * plural model name. */
char *cname_singular(arena *mem, const char *table, const vec *excluded)
{
    assert(table != NULL);
    for (size_t i = 0; excluded != NULL && i < excluded->count; i++) {
        if (strcasecmp(*VEC_AT(excluded, const char *, i), table) == 0) {
            return arena_strdup(mem, table);
        }
    }
    const char *last = strrchr(table, '_');
    last = last == NULL ? table : last + 1;
    for (size_t i = 0; i < ARRAY_LEN(IRREGULAR); i++) {
        if (strcasecmp(last, IRREGULAR[i].plural) == 0) {
            return arena_printf(mem, "%.*s%s", (int) (last - table), table, IRREGULAR[i].singular);
        }
    }
    size_t len = strlen(last);
    for (size_t i = 0; i < ARRAY_LEN(SUFFIXES); i++) {
        size_t tail = strlen(SUFFIXES[i].plural);
        bool fits = len > tail || (len == tail && SUFFIXES[i].singular[0] != '\0');
        if (fits && strcasecmp(last + len - tail, SUFFIXES[i].plural) == 0) {
            return arena_printf(mem, "%.*s%s", (int) ((size_t) (last - table) + len - tail), table,
                                SUFFIXES[i].singular);
        }
    }
    return arena_strdup(mem, table);
}
