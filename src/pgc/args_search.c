/* Argument encoders of full-text search types and hstore: checked and summed first, then written
 * into one block. One thread per list. */
#include "base/prelude.h"

#include <pgc/query.h>

#include "base/alloc.h"
#include "base/slice.h"
#include "pgc/args.h"
#include "pgc/wire.h"

/* A word that the server takes, whose bytes are added to *size. */
static bool count_word(pgc_args *args, pgc_text word, size_t more, size_t *size)
{
    if (word.ptr == NULL || !slice_is_utf8(word)) {
        args_fail(args, PGC_INVALID, "has a word that is not UTF-8 text or holds a NUL");
        return false;
    }
    if (!size_add(*size, word.len, size) || !size_add(*size, more, size) ||
        *size > WIRE_VALUE_MAX) {
        args_fail(args, PGC_INVALID, "is over 1 GiB");
        return false;
    }
    return true;
}

/* The word and a NUL. */
static uint8_t *put_string(uint8_t *to, pgc_text word)
{
    memcpy(to, word.ptr, word.len);
    to[word.len] = 0;
    return to + word.len + 1;
}

static bool count_lexemes(pgc_args *args, const pgc_tsvector *value, size_t *size)
{
    *size = 4;
    for (uint32_t i = 0; i < value->count; i++) {
        const pgc_lexeme *lexeme = &value->v[i];
        if (!count_word(args, lexeme->word, 3 + (size_t) lexeme->count * 2, size)) {
            return false;
        }
        for (uint16_t j = 0; j < lexeme->count; j++) {
            unsigned before = j == 0 ? 0 : PGC_LEXEME_POSITION(lexeme->positions[j - 1]);
            if (PGC_LEXEME_POSITION(lexeme->positions[j]) <= before) {
                args_fail(args, PGC_INVALID, "has positions of a word that do not ascend");
                return false;
            }
        }
    }
    return true;
}

/* False: nothing is left to be done. */
static bool is_worth_counting(pgc_args *args, bool present)
{
    if (args->status == PGC_OK && !present) {
        pgc_add_null(args);
        return false;
    }
    return args->status == PGC_OK;
}

/* Room for `size` bytes that begin with the count; the place behind it, NULL after a failure. */
static uint8_t *counted_room(pgc_args *args, size_t size, uint32_t count)
{
    uint8_t *to = args_room(args, size);
    if (to == NULL) {
        return NULL;
    }
    wire_put_u32(to, count);
    return to + 4;
}

/* The server sorts the words; positions must ascend already. */
void pgc_add_tsvector(pgc_args *args, pgc_tsvector value)
{
    size_t size;
    if (!is_worth_counting(args, value.present) || !count_lexemes(args, &value, &size)) {
        return;
    }
    uint8_t *to = counted_room(args, size, value.count);
    for (uint32_t i = 0; to != NULL && i < value.count; i++) {
        to = put_string(to, value.v[i].word);
        wire_put_u16(to, value.v[i].count);
        wire_swap_u16(to + 2, value.v[i].positions, value.v[i].count);
        to += 2 + (size_t) value.v[i].count * 2;
    }
}

/* Sums the items and follows the operands: in prefix order each operator needs its own. */
static bool count_items(pgc_args *args, const pgc_tsquery *value, size_t *size)
{
    uint64_t missing = 1;
    *size = 4;
    for (uint32_t i = 0; i < value->count; i++) {
        const pgc_tsquery_item *item = &value->v[i];
        if (item->kind > PGC_TSQUERY_PHRASE || missing == 0 || item->weights > 15) {
            args_fail(args, PGC_INVALID, "is a tsquery with an unknown item or one too many");
            return false;
        }
        if (item->kind == PGC_TSQUERY_WORD) {
            missing--;
            if (!count_word(args, item->word, 4, size)) {
                return false;
            }
        } else {
            missing += item->kind == PGC_TSQUERY_NOT ? 0 : 1;
            *size += item->kind == PGC_TSQUERY_PHRASE ? 4 : 2;
        }
    }
    if (value->count > 0 && missing != 0) {
        args_fail(args, PGC_INVALID, "is a tsquery with operators without operands");
        return false;
    }
    return true;
}

static uint8_t *put_item(uint8_t *to, const pgc_tsquery_item *item)
{
    if (item->kind == PGC_TSQUERY_WORD) {
        to[0] = 1;
        to[1] = item->weights;
        to[2] = item->prefix ? 1 : 0;
        return put_string(to + 3, item->word);
    }
    to[0] = 2;
    to[1] = item->kind;
    if (item->kind != PGC_TSQUERY_PHRASE) {
        return to + 2;
    }
    wire_put_u16(to + 2, item->distance);
    return to + 4;
}

void pgc_add_tsquery(pgc_args *args, pgc_tsquery value)
{
    size_t size;
    if (!is_worth_counting(args, value.present) || !count_items(args, &value, &size)) {
        return;
    }
    uint8_t *to = counted_room(args, size, value.count);
    for (uint32_t i = 0; to != NULL && i < value.count; i++) {
        to = put_item(to, &value.v[i]);
    }
}

/* A length and the bytes; length -1 for NULL. */
static uint8_t *put_counted(uint8_t *to, pgc_text text)
{
    wire_put_u32(to, text.ptr == NULL ? UINT32_MAX : (uint32_t) text.len);
    if (text.ptr != NULL) {
        memcpy(to + 4, text.ptr, text.len);
    }
    return to + 4 + (text.ptr == NULL ? 0 : text.len);
}

/* Of keys that come twice the server keeps one. */
void pgc_add_hstore(pgc_args *args, pgc_hstore value)
{
    size_t size = 4;
    if (!is_worth_counting(args, value.present)) {
        return;
    }
    for (uint32_t i = 0; i < value.count; i++) {
        const pgc_text none = { "", 0 };
        if (!count_word(args, value.keys[i], 4, &size) ||
            !count_word(args, value.values[i].ptr == NULL ? none : value.values[i], 4, &size)) {
            return;
        }
    }
    uint8_t *to = counted_room(args, size, value.count);
    for (uint32_t i = 0; to != NULL && i < value.count; i++) {
        to = put_counted(put_counted(to, value.keys[i]), value.values[i]);
    }
}
