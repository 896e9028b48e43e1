/* Decoding full-text search types and hstore. Words are lent from a binary cell, and copied without
 * their quotes from text. One thread per result. */
#include "base/prelude.h"

#include "pgc/value.h"

#include "pgc/types_parse.h"

/* A C string of a binary value; false when no NUL ends it. */
static bool take_string(value_rest *b, pgc_text *out)
{
    const uint8_t *nul = memchr(b->pos, 0, value_left(b));
    if (nul == NULL) {
        return false;
    }
    *out = (pgc_text) { (const char *) b->pos, (size_t) (nul - b->pos) };
    b->pos = nul + 1;
    return true;
}

/* A word in quotes; `quote` within is doubled or has a backslash in front, as has a backslash. The
 * copy goes to *to, which is moved on. */
static bool scan_quoted(scan *s, char quote, char **to, pgc_text *out)
{
    char *word = *to;
    if (!scan_char(s, quote)) {
        return false;
    }
    while (!scan_done(s)) {
        char c = *s->pos++;
        if (c == quote && !scan_char(s, quote)) {
            *out = (pgc_text) { word, (size_t) (*to - word) };
            *(*to)++ = '\0';
            return true;
        }
        if (c == '\\') {
            if (scan_done(s)) {
                return false;
            }
            c = *s->pos++;
        }
        *(*to)++ = c;
    }
    return false;
}

/* "1A,3" behind a word; the positions go to *to. */
static bool scan_positions(scan *s, uint16_t **to, pgc_lexeme *out)
{
    out->positions = *to;
    do {
        uint64_t position;
        if (!scan_u64(s, 5, &position) || position < 1 || position > 16383) {
            return false;
        }
        char letter = scan_peek(s);
        unsigned weight = 0;
        if (letter >= 'A' && letter <= 'D') {
            weight = (unsigned) ('D' - letter);
            s->pos++;
        }
        *(*to)++ = (uint16_t) (weight << 14 | position);
        out->count++;
    } while (out->count < UINT16_MAX && scan_char(s, ','));
    return true;
}

static bool tsvector_from_text(const value_at *at, cell c, pgc_tsvector *out)
{
    size_t room = c.len / 3 + 1; /* a word has two quotes, and a blank lies between two */
    pgc_lexeme *v = value_alloc(at, room, sizeof *v);
    char *to = v == NULL ? NULL : value_alloc(at, c.len + 1, 1);
    uint16_t *positions = to == NULL ? NULL : value_alloc(at, c.len + 1, sizeof *positions);
    if (positions == NULL) {
        return false;
    }
    scan s = scan_of(value_text_of(c));
    size_t count = 0;
    while (!scan_done(&s)) {
        pgc_lexeme *lexeme = &v[count];
        *lexeme = (pgc_lexeme) { .count = 0 };
        if (count == room || (count > 0 && !scan_char(&s, ' ')) ||
            !scan_quoted(&s, '\'', &to, &lexeme->word) ||
            (scan_char(&s, ':') && !scan_positions(&s, &positions, lexeme))) {
            return value_bad_text(at);
        }
        count++;
    }
    *out = (pgc_tsvector) { true, (uint32_t) count, v };
    return true;
}

/* Each word is a C string, the number of its positions, and these. */
static bool tsvector_from_binary(const value_at *at, cell c, pgc_tsvector *out)
{
    value_rest b = value_rest_of(c);
    const uint8_t *word = value_take(&b, 4);
    if (word == NULL || wire_u32(word) > value_left(&b) / 3) {
        return value_fail(at, "has fewer bytes than its words need");
    }
    uint32_t count = wire_u32(word);
    pgc_lexeme *v = value_alloc(at, count, sizeof *v);
    uint16_t *positions = v == NULL ? NULL : value_alloc(at, value_left(&b) / 2, sizeof *positions);
    if (positions == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        v[i] = (pgc_lexeme) { .positions = positions };
        const uint8_t *number = take_string(&b, &v[i].word) ? value_take(&b, 2) : NULL;
        v[i].count = number == NULL ? 0 : wire_u16(number);
        const uint8_t *list = number == NULL ? NULL : value_take(&b, (size_t) v[i].count * 2);
        if (list == NULL) {
            return value_fail(at, "is cut inside a word");
        }
        wire_swap_u16(positions, list, v[i].count);
        positions += v[i].count;
    }
    if (value_left(&b) != 0) {
        return value_fail(at, "has bytes behind the last word");
    }
    *out = (pgc_tsvector) { true, count, v };
    return true;
}

bool value_tsvector(const value_at *at, cell c, void *out)
{
    pgc_tsvector value;
    if (value_is_text(at) ? !tsvector_from_text(at, c, &value)
                          : !tsvector_from_binary(at, c, &value)) {
        return false;
    }
    memcpy(out, &value, sizeof value);
    return true;
}

/* The operand or operator that comes next; false when it is cut or unknown. */
static bool take_item(value_rest *b, pgc_tsquery_item *out)
{
    const uint8_t *kind = value_take(b, 1);
    *out = (pgc_tsquery_item) { .kind = PGC_TSQUERY_WORD };
    if (kind != NULL && kind[0] == 1) {
        const uint8_t *flags = value_take(b, 2);
        if (flags == NULL || flags[0] > 15 || flags[1] > 1) {
            return false;
        }
        out->weights = flags[0];
        out->prefix = flags[1] == 1;
        return take_string(b, &out->word);
    }
    const uint8_t *op = kind == NULL || kind[0] != 2 ? NULL : value_take(b, 1);
    if (op == NULL || op[0] < PGC_TSQUERY_NOT || op[0] > PGC_TSQUERY_PHRASE) {
        return false;
    }
    out->kind = op[0];
    const uint8_t *distance = out->kind == PGC_TSQUERY_PHRASE ? value_take(b, 2) : NULL;
    out->distance = distance == NULL ? 0 : wire_u16(distance);
    return out->kind != PGC_TSQUERY_PHRASE || distance != NULL;
}

/* In prefix order, each operator must find its operands, and nothing may be left over. */
static bool query_is_whole(const pgc_tsquery_item *v, uint32_t count)
{
    uint32_t missing = 1;
    for (uint32_t i = 0; i < count; i++) {
        if (missing == 0) {
            return false;
        }
        if (v[i].kind == PGC_TSQUERY_WORD) {
            missing--;
        } else if (v[i].kind != PGC_TSQUERY_NOT) {
            missing++;
        }
    }
    return count == 0 || missing == 0;
}

static bool tsquery_from_binary(const value_at *at, cell c, pgc_tsquery *out)
{
    value_rest b = value_rest_of(c);
    const uint8_t *word = value_take(&b, 4);
    if (word == NULL || wire_u32(word) > value_left(&b) / 2) {
        return value_fail(at, "has fewer bytes than its items need");
    }
    uint32_t count = wire_u32(word);
    pgc_tsquery_item *v = value_alloc(at, count, sizeof *v);
    if (v == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!take_item(&b, &v[i])) {
            return value_fail(at, "has an item that is cut or unknown");
        }
    }
    if (value_left(&b) != 0 || !query_is_whole(v, count)) {
        return value_fail(at, "has operators without operands, or bytes behind the last one");
    }
    *out = (pgc_tsquery) { true, count, v };
    return true;
}

/* A query in text is read into postfix order by the usual two stacks; from behind that is the
 * prefix order of the binary form, right operand first. */
typedef struct query_text {
    scan s;
    char *to; /* words without quotes */
    pgc_tsquery_item *out, *stack;
    size_t out_count, depth, room;
} query_text;

#define QUERY_PAREN 255 /* on the stack only */

static int precedence(const pgc_tsquery_item *item)
{
    switch (item->kind) {
    case PGC_TSQUERY_OR:
        return 1;
    case PGC_TSQUERY_AND:
        return 2;
    case PGC_TSQUERY_PHRASE:
        return 3;
    case PGC_TSQUERY_NOT:
        return 4;
    default:
        return 0;
    }
}

static void pop(query_text *q)
{
    q->out[q->out_count++] = q->stack[--q->depth];
}

/* "'word':*AB" */
static bool scan_operand(query_text *q)
{
    pgc_tsquery_item item = { .kind = PGC_TSQUERY_WORD };
    if (!scan_quoted(&q->s, '\'', &q->to, &item.word)) {
        return false;
    }
    if (scan_char(&q->s, ':')) {
        item.prefix = scan_char(&q->s, '*');
        for (char c = scan_peek(&q->s); c >= 'A' && c <= 'D'; c = scan_peek(&q->s)) {
            item.weights = (uint8_t) (item.weights | 1u << ('D' - c));
            q->s.pos++;
        }
    }
    q->out[q->out_count++] = item;
    return true;
}

/* "&", "|", "<->", "<2>"; false when none comes. */
static bool scan_operator(scan *s, pgc_tsquery_item *out)
{
    uint64_t distance = 1;
    *out = (pgc_tsquery_item) { .kind = PGC_TSQUERY_PHRASE };
    if (scan_char(s, '&')) {
        out->kind = PGC_TSQUERY_AND;
    } else if (scan_char(s, '|')) {
        out->kind = PGC_TSQUERY_OR;
    } else if (!scan_word(s, "<->") && (!scan_char(s, '<') || !scan_u64(s, 5, &distance) ||
                                        distance > UINT16_MAX || !scan_char(s, '>'))) {
        return false;
    }
    out->distance = out->kind == PGC_TSQUERY_PHRASE ? (uint16_t) distance : 0;
    return true;
}

/* In front of an operand: "!" and "(" as often as they come. */
static bool scan_openers(query_text *q)
{
    for (;;) {
        uint8_t kind = PGC_TSQUERY_NOT;
        if (scan_char(&q->s, '(')) {
            kind = QUERY_PAREN;
        } else if (!scan_char(&q->s, '!')) {
            return scan_operand(q);
        }
        (void) scan_char(&q->s, ' ');
        q->stack[q->depth++] = (pgc_tsquery_item) { .kind = kind };
    }
}

/* Behind an operand: " )" as often as it comes. */
static bool scan_closers(query_text *q)
{
    while (scan_word(&q->s, " )")) {
        while (q->depth > 0 && q->stack[q->depth - 1].kind != QUERY_PAREN) {
            pop(q);
        }
        if (q->depth == 0) {
            return false;
        }
        q->depth--;
    }
    return true;
}

static bool scan_query(query_text *q)
{
    for (;;) {
        pgc_tsquery_item item;
        if (!scan_openers(q) || !scan_closers(q)) {
            return false;
        }
        if (scan_done(&q->s)) {
            break;
        }
        if (!scan_char(&q->s, ' ') || !scan_operator(&q->s, &item) || !scan_char(&q->s, ' ')) {
            return false;
        }
        while (q->depth > 0 && precedence(&q->stack[q->depth - 1]) >= precedence(&item)) {
            pop(q);
        }
        q->stack[q->depth++] = item;
    }
    while (q->depth > 0) {
        if (q->stack[q->depth - 1].kind == QUERY_PAREN) {
            return false;
        }
        pop(q);
    }
    return true;
}

static bool tsquery_from_text(const value_at *at, cell c, pgc_tsquery *out)
{
    query_text q = { .s = scan_of(value_text_of(c)) };
    /* Each item has a character of its own. */
    q.out = value_alloc(at, c.len + 1, sizeof *q.out);
    q.stack = q.out == NULL ? NULL : value_alloc(at, c.len + 1, sizeof *q.stack);
    q.to = q.stack == NULL ? NULL : value_alloc(at, c.len + 1, 1);
    if (q.to == NULL) {
        return false;
    }
    if (c.len > 0 && !scan_query(&q)) {
        return value_bad_text(at);
    }
    for (size_t i = 0; i < q.out_count / 2; i++) {
        pgc_tsquery_item item = q.out[i];
        q.out[i] = q.out[q.out_count - 1 - i];
        q.out[q.out_count - 1 - i] = item;
    }
    assert(query_is_whole(q.out, (uint32_t) q.out_count));
    *out = (pgc_tsquery) { true, (uint32_t) q.out_count, q.out };
    return true;
}

bool value_tsquery(const value_at *at, cell c, void *out)
{
    pgc_tsquery value;
    if (value_is_text(at) ? !tsquery_from_text(at, c, &value)
                          : !tsquery_from_binary(at, c, &value)) {
        return false;
    }
    memcpy(out, &value, sizeof value);
    return true;
}

static bool hstore_from_text(const value_at *at, cell c, pgc_text *keys, pgc_text *values,
                             size_t *count_out)
{
    scan s = scan_of(value_text_of(c));
    char *to = value_alloc(at, c.len + 1, 1);
    if (to == NULL) {
        return false;
    }
    while (!scan_done(&s)) {
        pgc_text *value = &values[*count_out];
        *value = (pgc_text) { NULL, 0 };
        if ((*count_out > 0 && !scan_word(&s, ", ")) ||
            !scan_quoted(&s, '"', &to, &keys[*count_out]) || !scan_word(&s, "=>") ||
            (!scan_word(&s, "NULL") && !scan_quoted(&s, '"', &to, value))) {
            return value_bad_text(at);
        }
        (*count_out)++;
    }
    return true;
}

static bool hstore_from_binary(const value_at *at, cell c, pgc_text *keys, pgc_text *values,
                               size_t *count_out)
{
    value_rest b = value_rest_of((cell) { c.ptr + 4, c.len - 4 });
    uint32_t count = wire_u32(c.ptr); /* the caller has looked */
    for (uint32_t i = 0; i < count; i++) {
        cell key;
        cell value;
        if (!value_take_cell(&b, &key) || key.ptr == NULL || !value_take_cell(&b, &value)) {
            return value_fail(at, "is cut inside a pair");
        }
        keys[i] = value_text_of(key);
        values[i] = value_text_of(value);
    }
    *count_out = count;
    return value_left(&b) == 0 || value_fail(at, "has bytes behind the last pair");
}

bool value_hstore(const value_at *at, cell c, void *out)
{
    bool text = value_is_text(at);
    /* A pair is at least two lengths, or "a"=>"b". */
    if (!text && (c.len < 4 || wire_u32(c.ptr) > (c.len - 4) / 8)) {
        return value_fail(at, "has fewer bytes than its pairs need");
    }
    size_t room = text ? c.len / 6 + 1 : wire_u32(c.ptr);
    pgc_text *keys = value_alloc(at, room, sizeof *keys);
    pgc_text *values = keys == NULL ? NULL : value_alloc(at, room, sizeof *values);
    size_t count = 0;
    if (values == NULL || !(text ? hstore_from_text(at, c, keys, values, &count)
                                 : hstore_from_binary(at, c, keys, values, &count))) {
        return false;
    }
    const pgc_hstore value = { true, (uint32_t) count, keys, values };
    memcpy(out, &value, sizeof value);
    return true;
}
