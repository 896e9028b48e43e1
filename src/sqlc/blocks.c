/* Marks of dynamic parts and the forms of a query that they allow. A form is made by putting blanks
 * over what is not there, never by moving text: all offsets of the file stay true. One thread per
 * arena. */
#include "base/prelude.h"

#include "sqlc/blocks.h"

#include "base/word_guess.h"
#include "sqlc/ir.h"
#include "sqlc/lex.h"

typedef struct reader {
    arena *arena;
    const query_source *query;
    diag_list *diags;
    query_blocks *blocks;
    slice src;        /* the file up to the statement's end */
    bool open;        /* behind @if or @switch, before @end */
    bool in_switch;   /* the open one is a switch */
    size_t choice;    /* the open one */
    bool again;       /* it has the name of one above: one decision, the same texts */
    uint64_t seen;    /* … of which these were here, a bit each */
    size_t texts;     /* of the open switch up to now */
    size_t from;      /* where the open text began */
    size_t opened_at; /* its mark, for messages */
    bool nomem;
} reader;

/* A mistake at a mark, with the form that is right. */
static void complain(reader *r, size_t at, const char *what)
{
    diag *d = diag_error(r->diags, r->query->file, at, "%s", what);
    diag_hint(r->diags, d,
              "write /*@if name*/ … /*@end*/, or /*@switch name first*/ … /*@case second: …*/ "
              "/*@end*/");
}

static void add_mark(reader *r, size_t start, size_t end)
{
    block_mark *mark = VEC_ADD(r->arena, &r->blocks->marks, block_mark);
    r->nomem = r->nomem || mark == NULL;
    if (mark != NULL) {
        *mark = (block_mark) { start, end };
    }
}

static void add_region(reader *r, size_t choice, size_t option, size_t start, size_t end)
{
    block_region *region = VEC_ADD(r->arena, &r->blocks->regions, block_region);
    r->nomem = r->nomem || region == NULL;
    if (region != NULL) {
        *region = (block_region) { .choice = choice, .option = option, .start = start, .end = end };
    }
}

/* The choice of that name; blocks of the same name are one decision. */
static size_t choice_of(reader *r, slice name, bool is_switch, size_t at)
{
    vec *choices = &r->blocks->choices;
    for (size_t i = 0; i < choices->count; i++) {
        const block_choice *known = VEC_AT(choices, block_choice, i);
        if (slice_eq_str(name, known->name)) {
            if (is_switch != known->is_switch) {
                complain(r, at, "this name is taken by a switch or block above");
            }
            return i;
        }
    }
    block_choice *added = VEC_ADD(r->arena, choices, block_choice);
    char *copy = arena_copy(r->arena, name);
    if (added == NULL || copy == NULL) {
        r->nomem = true;
        choices->count -= added == NULL ? 0 : 1;
        return 0;
    }
    *added = (block_choice) {
        .name = copy, .is_switch = is_switch, .option_count = is_switch ? 0 : 2, .at = at
    };
    return choices->count - 1;
}

/* ASCII letters, digits and underscores: it becomes a C name. */
static bool is_name(slice text)
{
    bool good = text.len > 0 && text.len < 60 && lex_word_start(text.ptr[0]);
    for (size_t i = 0; good && i < text.len; i++) {
        good =
            lex_word_part(text.ptr[i]) && text.ptr[i] != '$' && (unsigned char) text.ptr[i] < 0x80;
    }
    return good;
}

/* A text of a switch that has the name of one above: its number there. */
static size_t known_option(reader *r, slice name, size_t found, size_t at)
{
    const block_choice *choice = VEC_AT(&r->blocks->choices, block_choice, r->choice);
    uint64_t bit = found < 64 ? (uint64_t) 1 << found : 0;
    if (found == choice->options.count) {
        diag *d = diag_error(r->diags, r->query->file, at,
                             "the @switch %s above has no text \"%" SLICE_FMT "\"", choice->name,
                             SLICE_ARG(name));
        diag_hint(r->diags, d, "switches of one name are one decision and have the same texts");
        return 0;
    }
    if ((r->seen & bit) != 0) {
        complain(r, at, "two texts of this @switch have the same name");
    }
    r->seen |= bit;
    return found;
}

/* The number of a text of the open switch. */
static size_t option_of(reader *r, slice name, size_t at)
{
    block_choice *choice = VEC_AT(&r->blocks->choices, block_choice, r->choice);
    size_t found = 0;
    r->texts++;
    if (!is_name(name)) {
        complain(r, at, "a text of @switch needs a name");
        return 0;
    }
    while (found < choice->options.count &&
           !slice_eq_str(name, *VEC_AT(&choice->options, const char *, found))) {
        found++;
    }
    if (r->again) {
        return known_option(r, name, found, at);
    }
    if (found < choice->options.count) {
        complain(r, at, "two texts of this @switch have the same name");
    }
    const char **slot = VEC_ADD(r->arena, &choice->options, const char *);
    char *copy = arena_copy(r->arena, name);
    r->nomem = r->nomem || slot == NULL || copy == NULL;
    if (slot != NULL) {
        *slot = copy == NULL ? "" : copy;
    }
    choice->option_count = choice->options.count;
    return r->texts - 1;
}

/* The text up to here belongs to the first option of what is open. */
static void close_text(reader *r, size_t end)
{
    if (r->from != SIZE_MAX) {
        add_region(r, r->choice, 0, r->from, end);
    }
    r->from = SIZE_MAX;
}

/* "if name" and "switch name first", behind the word. */
static void open_block(reader *r, lex_token t, slice rest, bool is_switch)
{
    slice name = slice_trim(slice_next(&rest, ' '));
    if (r->open) {
        complain(r, t.start, "blocks cannot stand inside each other");
        return;
    }
    if (!is_name(name)) {
        complain(r, t.start, "a block needs a name");
        return;
    }
    if (r->blocks->choices.count >= 16) {
        complain(r, t.start, "more than 16 blocks with names of their own");
        return;
    }
    size_t known = r->blocks->choices.count;
    r->choice = choice_of(r, name, is_switch, t.start);
    r->open = true;
    r->in_switch = is_switch;
    r->opened_at = t.start;
    r->from = t.end;
    r->again = r->choice < known && VEC_AT(&r->blocks->choices, block_choice, r->choice)->is_switch;
    r->seen = 0;
    r->texts = 0;
    if (is_switch && !r->nomem &&
        option_of(r, rest.ptr == NULL ? rest : slice_trim(rest), t.start) != 0) {
        complain(r, t.start, "the @switch of this name above begins with another text");
    }
}

/* "case name: text": the text is inside of the comment, so that only we see it. */
static void read_case(reader *r, lex_token t)
{
    slice whole = lex_text(r->src, t);
    size_t colon = slice_find(whole, ':', 0);
    if (!r->open || !r->in_switch) {
        complain(r, t.start, "@case without @switch");
        return;
    }
    close_text(r, t.start);
    if (colon == SIZE_MAX) {
        complain(r, t.start, "@case needs a name and a colon in front of its text");
        return;
    }
    slice head = slice_sub(whole, 0, colon);
    size_t word = 2;
    while (word < head.len && !slice_starts(slice_sub(head, word, head.len), SLICE("case"))) {
        word++;
    }
    size_t option = option_of(r, slice_trim(slice_sub(head, word + 4, head.len)), t.start);
    add_mark(r, t.start, t.start + colon + 1);
    add_region(r, r->choice, option, t.start + colon + 1, t.end - 2);
    add_mark(r, t.end - 2, t.end);
}

static void close_block(reader *r, lex_token t)
{
    if (!r->open) {
        complain(r, t.start, "@end without @if or @switch");
        return;
    }
    close_text(r, t.start);
    const block_choice *choice = VEC_AT(&r->blocks->choices, block_choice, r->choice);
    if (r->in_switch && r->texts == 1) {
        complain(r, r->opened_at, "@switch without @case");
    } else if (r->in_switch && r->again && r->texts < choice->options.count) {
        complain(r, r->opened_at, "this @switch lacks a text of the one above of the same name");
    }
    r->open = false;
}

/* Nearly one of our words, or with a blank behind @: as a comment its text would always be there.
 */
static bool is_slip(slice word, slice rest)
{
    static const char *const WORDS[] = { "if", "switch", "case", "end" };
    word_guess guess = { .typed = word.len > 0 ? word : slice_next(&rest, ' ') };
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        word_guess_try(&guess, (slice) { WORDS[i], strlen(WORDS[i]) });
    }
    return guess.best.ptr != NULL;
}

/* A block comment that begins with one of our words. Others are left alone: they may be flags. */
static void read_mark(reader *r, lex_token t)
{
    slice body = lex_text(r->src, t);
    body = slice_trim(slice_sub(body, 2, body.len - 2));
    if (!slice_starts(body, SLICE("@"))) {
        return;
    }
    slice rest = slice_sub(body, 1, body.len);
    slice word = slice_next(&rest, ' ');
    rest = rest.ptr == NULL ? (slice) { "", 0 } : slice_trim(rest);
    if (slice_eq_str(word, "case")) {
        read_case(r, t);
        return;
    }
    if (slice_eq_str(word, "if") || slice_eq_str(word, "switch")) {
        open_block(r, t, rest, slice_eq_str(word, "switch"));
    } else if (slice_eq_str(word, "end")) {
        close_block(r, t);
    } else {
        if (is_slip(word, rest)) {
            complain(r, t.start, "unknown block: neither @if, @switch, @case nor @end");
        }
        return;
    }
    add_mark(r, t.start, t.end);
}

/* One text that holds another is well defined: what is left out takes all inside with it. */
static bool contains(const block_region *outer, const block_region *inner)
{
    return outer->start <= inner->start && inner->end <= outer->end;
}

/* Conditions of @optional may stand inside of blocks and hold blocks, but cut none in two. Texts of
 * @case are comments, where no condition is looked for: it would always be there. */
static void check_conditions(reader *r, size_t first)
{
    for (size_t i = first; i < r->blocks->regions.count; i++) {
        const block_region *condition = VEC_AT(&r->blocks->regions, block_region, i);
        for (size_t k = 0; k < i; k++) {
            const block_region *other = VEC_AT(&r->blocks->regions, block_region, k);
            bool apart = other->end <= condition->start || condition->end <= other->start;
            if (!apart && !contains(other, condition) && !contains(condition, other)) {
                complain(r, condition->start,
                         "a block begins or ends inside of this condition of @optional");
            }
        }
    }
}

static void check_cases(reader *r, const query_flag *flag, const char *name)
{
    for (size_t k = 0; k < r->blocks->regions.count; k++) {
        const block_region *region = VEC_AT(&r->blocks->regions, block_region, k);
        if (!region->condition && region->option > 0 &&
            blocks_hold_param(slice_sub(r->src, 0, region->end), region->start, name)) {
            diag *d = diag_error(r->diags, r->query->file, region->start,
                                 "blocks cannot stand inside each other: @%s is @optional and "
                                 "stands in a text of @case",
                                 name);
            diag_hint(r->diags, d, "write (@%s IS NULL OR …) there, without -- %s %s", name,
                      flag->word, name);
        }
    }
}

/* "-- @optional a b": each conjunct that holds @a is a block of that name. */
static void read_optional(reader *r, const query_flag *flag)
{
    slice rest = { flag->rest, strlen(flag->rest) };
    while (rest.ptr != NULL && rest.len > 0) {
        slice name = slice_trim(slice_next(&rest, ' '));
        const char *why = NULL;
        size_t first = r->blocks->regions.count;
        if (name.len == 0) {
            continue;
        }
        size_t choice = choice_of(r, name, false, flag->at);
        if (r->nomem) {
            return;
        }
        const char *copy = VEC_AT(&r->blocks->choices, block_choice, choice)->name;
        if (!blocks_find_conjuncts(r->arena, r->query, copy, &r->blocks->regions, &why)) {
            diag *d = diag_error(r->diags, r->query->file, flag->at, "@optional %s: %s", copy, why);
            diag_hint(r->diags, d, "mark the text itself: /*@if %s*/ AND … /*@end*/", copy);
        }
        for (size_t i = first; i < r->blocks->regions.count; i++) {
            VEC_AT(&r->blocks->regions, block_region, i)->choice = choice;
        }
        check_conditions(r, first);
        check_cases(r, flag, copy);
    }
}

/* Strides and the number of forms. Each form is prepared when the code is generated. */
static void count_variants(reader *r)
{
    query_blocks *blocks = r->blocks;
    blocks->variant_count = 1;
    for (size_t i = 0; i < blocks->choices.count; i++) {
        block_choice *choice = VEC_AT(&blocks->choices, block_choice, i);
        choice->stride = blocks->variant_count;
        blocks->variant_count *= choice->option_count == 0 ? 1 : choice->option_count;
        if (blocks->variant_count > IR_VARIANTS_MAX) {
            diag *d = diag_error(r->diags, r->query->file, choice->at,
                                 "query \"%s\" has more than %u texts with this block",
                                 r->query->name, IR_VARIANTS_MAX);
            diag_hint(r->diags, d,
                      "each block doubles their number: give blocks that come together the same "
                      "name, or make two queries");
            return;
        }
    }
}

pgc_status blocks_read(arena *mem, const query_source *query, diag_list *diags, query_blocks *out,
                       bool *ok, pgc_error *err)
{
    size_t errors_before = diags->error_count;
    reader r = { .arena = mem,
                 .query = query,
                 .diags = diags,
                 .blocks = out,
                 .src = slice_sub(query->file->text, 0, query->end),
                 .from = SIZE_MAX };
    size_t pos = query->start;
    *out = (query_blocks) { .variant_count = 1 };
    for (lex_token t = lex_next(r.src, &pos); t.kind != LEX_END; t = lex_next(r.src, &pos)) {
        if (t.kind == LEX_BLOCK_COMMENT) {
            read_mark(&r, t);
        }
    }
    if (r.open) {
        complain(&r, r.opened_at, "this block has no @end");
    }
    for (size_t i = 0; i < query->flags.count; i++) {
        const query_flag *flag = VEC_AT(&query->flags, query_flag, i);
        if (strcmp(flag->word, "optional") == 0) {
            read_optional(&r, flag);
        }
    }
    if (r.nomem) {
        return pgc_error_set(err, PGC_NOMEM, "read the blocks of query \"%s\"", query->name);
    }
    count_variants(&r);
    *ok = diags->error_count == errors_before;
    return PGC_OK;
}

/* Line breaks stay, so lines are those of the file. */
static void blank(char *text, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        text[i] = text[i] == '\n' ? '\n' : ' ';
    }
}

static bool is_there(const query_blocks *blocks, const block_region *region, size_t variant)
{
    const block_choice *choice = VEC_AT(&blocks->choices, block_choice, region->choice);
    return variant / choice->stride % choice->option_count == region->option;
}

/* Something around it is left out. */
static bool is_swallowed(const query_blocks *blocks, const block_region *region, size_t variant)
{
    bool found = false;
    for (size_t i = 0; i < blocks->regions.count; i++) {
        const block_region *other = VEC_AT(&blocks->regions, block_region, i);
        bool around = contains(other, region) && !contains(region, other);
        found = found || (around && !is_there(blocks, other, variant));
    }
    return found;
}

pgc_status blocks_variant(arena *mem, const query_source *query, const query_blocks *blocks,
                          size_t variant, query_source *out, pgc_error *err)
{
    source_file *file = ARENA_NEW(mem, source_file);
    char *text = arena_copy(mem, query->file->text);
    assert(variant < blocks->variant_count);
    if (file == NULL || text == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "make the forms of query \"%s\"", query->name);
    }
    for (size_t i = 0; i < blocks->marks.count; i++) {
        const block_mark *mark = VEC_AT(&blocks->marks, block_mark, i);
        blank(text, mark->start, mark->end);
    }
    for (size_t i = 0; i < blocks->regions.count; i++) {
        const block_region *region = VEC_AT(&blocks->regions, block_region, i);
        if (!is_there(blocks, region, variant)) {
            blank(text, region->start, region->end);
        }
    }
    for (size_t i = 0; i < blocks->regions.count; i++) {
        const block_region *region = VEC_AT(&blocks->regions, block_region, i);
        if (region->condition && !is_there(blocks, region, variant) &&
            !is_swallowed(blocks, region, variant)) {
            memcpy(text + region->start, "true", 4);
        }
    }
    *file = (source_file) { .path = query->file->path, .text = { text, query->file->text.len } };
    *out = *query;
    out->file = file;
    return PGC_OK;
}
