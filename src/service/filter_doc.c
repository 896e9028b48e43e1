/* Filters from texts and JSON: each value is checked for its type here and for its range by
 * lum_filter_check(). Everything a doc points to lies in its arena. One thread per doc. */
#include "base/prelude.h"

#include <jansson.h>

#include "base/arena.h"
#include "service/check.h"
#include "service/filter.h"
#include "service/json.h"
#include "service/when.h"

#define DOC_MAX ((size_t) 4 << 20) /* bytes that a doc may take */

struct lum_filter_doc {
    arena *mem;
    lum_filter filter;
};

pgc_status lum_filter_doc_new(lum_filter_doc **out, pgc_error *err)
{
    arena *mem = arena_new(NULL, 0, DOC_MAX);
    lum_filter_doc *doc = mem == NULL ? NULL : ARENA_NEW(mem, lum_filter_doc);
    if (doc == NULL) {
        arena_free(mem);
        return pgc_error_set(err, PGC_NOMEM, "make a filter");
    }
    doc->mem = mem;
    *out = doc;
    return PGC_OK;
}

void lum_filter_doc_free(lum_filter_doc *doc)
{
    if (doc != NULL) {
        arena_free(doc->mem);
    }
}

const lum_filter *lum_filter_doc_get(const lum_filter_doc *doc)
{
    return &doc->filter;
}

static const lum_filter_field *field_find(const char *name)
{
    for (size_t i = 0; i < LUM_FILTER_FIELD_COUNT; i++) {
        if (strcmp(name, LUM_FILTER_FIELDS[i].name) == 0) {
            return &LUM_FILTER_FIELDS[i];
        }
    }
    return NULL;
}

static pgc_status unknown(const char *name, pgc_error *err)
{
    pgc_status status = pgc_error_set(err, PGC_INVALID, "filter: there is no \"%" SLICE_FMT "\"",
                                      SLICE_ARG(check_quote(pgc_text_from(name))));
    pgc_error_hint(err, "`lumilio help list` names what can be asked for");
    return status;
}

static pgc_status unfit(const lum_filter_field *field, slice text, pgc_error *err)
{
    return pgc_error_set(err, PGC_INVALID, "filter %s: \"%" SLICE_FMT "\" is not what it takes: %s",
                         field->name, SLICE_ARG(check_quote(text)), field->value);
}

/* A copy in the doc; texts that are too long are refused before they are copied. */
static pgc_status keep_text(lum_filter_doc *doc, const lum_filter_field *field, slice text,
                            pgc_text *out, pgc_error *err)
{
    if (text.len > LUM_FILTER_TEXT_MAX) {
        return pgc_error_set(err, PGC_INVALID,
                             "filter %s: a text of %zu bytes; 1 to %d are allowed", field->name,
                             text.len, LUM_FILTER_TEXT_MAX);
    }
    char *copy = arena_copy(doc->mem, text);
    if (copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "filter %s", field->name);
    }
    *out = (pgc_text) { copy, text.len };
    return PGC_OK;
}

static pgc_status keep_moment(const lum_filter_field *field, slice text, lum_moment *out,
                              pgc_error *err)
{
    lum_when when;
    if (!lum_when_parse(text, &when)) {
        pgc_status status = unfit(field, text, err);
        pgc_error_hint(err, "2024, 2024-05, 2024-05-31, 2024-05-31T18:00 or with an offset: "
                            "2024-05-31T18:00:00+02:00");
        return status;
    }
    const pgc_timestamp wall = field->kind == LUM_FILTER_FROM ? when.first : when.next;
    *out = (lum_moment) { .has = true,
                          .is_instant = when.has_offset,
                          .us = when.has_offset ? lum_when_instant(&when).us : wall.us };
    return PGC_OK;
}

/* "beach, paris": names without the blanks around them. */
static pgc_status keep_list(lum_filter_doc *doc, const lum_filter_field *field, slice text,
                            lum_texts *out, pgc_error *err)
{
    pgc_text *items = ARENA_ARRAY(doc->mem, LUM_FILTER_TAGS_MAX, pgc_text);
    size_t count = 0;
    if (items == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "filter %s", field->name);
    }
    for (slice rest = text; rest.ptr != NULL; count++) {
        slice name = slice_trim(slice_next(&rest, ','));
        if (count == LUM_FILTER_TAGS_MAX) {
            return pgc_error_set(err, PGC_INVALID, "filter %s: more than %d names", field->name,
                                 LUM_FILTER_TAGS_MAX);
        }
        TRY(keep_text(doc, field, name, &items[count], err));
    }
    *out = (lum_texts) { items, count };
    return PGC_OK;
}

static pgc_status keep_integer(const lum_filter_field *field, int64_t value, pgc_opt_i32 *out,
                               pgc_error *err)
{
    if ((double) value < field->min || (double) value > field->max) {
        return pgc_error_set(err, PGC_INVALID, "filter %s: %" PRId64 "; it goes from %g to %.10g",
                             field->name, value, field->min, field->max);
    }
    *out = (pgc_opt_i32) { true, (int32_t) value };
    return PGC_OK;
}

pgc_status lum_filter_doc_set(lum_filter_doc *doc, const char *name, slice text, pgc_error *err)
{
    const lum_filter_field *field = field_find(name);
    if (field == NULL) {
        return unknown(name, err);
    }
    void *at = (char *) &doc->filter + field->offset;
    int64_t integer = 0;
    pgc_opt_f64 number = { .has = true };
    pgc_opt_uuid id = { .has = true };
    switch (field->kind) {
    case LUM_FILTER_TEXT:
        return keep_text(doc, field, text, at, err);
    case LUM_FILTER_TEXTS:
        return keep_list(doc, field, text, at, err);
    case LUM_FILTER_INTEGER:
        return slice_to_i64(text, &integer) ? keep_integer(field, integer, at, err)
                                            : unfit(field, text, err);
    case LUM_FILTER_NUMBER:
        if (!slice_to_f64(text, &number.v)) {
            return unfit(field, text, err);
        }
        *(pgc_opt_f64 *) at = number;
        return PGC_OK;
    case LUM_FILTER_FLAG:
        if (!slice_eq_str(text, "yes") && !slice_eq_str(text, "no")) {
            return unfit(field, text, err);
        }
        *(pgc_opt_bool *) at = (pgc_opt_bool) { true, slice_eq_str(text, "yes") };
        return PGC_OK;
    case LUM_FILTER_UUID:
        if (!pgc_uuid_parse(text, &id.v)) {
            return unfit(field, text, err);
        }
        *(pgc_opt_uuid *) at = id;
        return PGC_OK;
    case LUM_FILTER_FROM:
    case LUM_FILTER_BEFORE:
        return keep_moment(field, text, at, err);
    }
    return unfit(field, text, err);
}

static pgc_status wrong_type(const lum_filter_field *field, const char *wanted, pgc_error *err)
{
    return pgc_error_set(err, PGC_INVALID, "filter %s: the value must be %s", field->name, wanted);
}

static pgc_status json_list(lum_filter_doc *doc, const lum_filter_field *field, const json_t *value,
                            pgc_error *err)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count == 0 || count > LUM_FILTER_TAGS_MAX) {
        return wrong_type(field, "a list of 1 to 100 texts", err);
    }
    pgc_text *items = ARENA_ARRAY(doc->mem, count, pgc_text);
    if (items == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "filter %s", field->name);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item)) {
            return wrong_type(field, "a list of 1 to 100 texts", err);
        }
        TRY(keep_text(doc, field, json_text(item), &items[i], err));
    }
    lum_texts *at = (lum_texts *) ((char *) &doc->filter + field->offset);
    *at = (lum_texts) { items, count };
    return PGC_OK;
}

/* Numbers and truth have types of their own in JSON; all else is text. */
static pgc_status json_field(lum_filter_doc *doc, const lum_filter_field *field,
                             const json_t *value, pgc_error *err)
{
    void *at = (char *) &doc->filter + field->offset;
    switch (field->kind) {
    case LUM_FILTER_TEXTS:
        return json_list(doc, field, value, err);
    case LUM_FILTER_INTEGER:
        return json_is_integer(value) ? keep_integer(field, json_integer_value(value), at, err)
                                      : wrong_type(field, "a whole number", err);
    case LUM_FILTER_NUMBER:
        if (!json_is_number(value)) {
            return wrong_type(field, "a number", err);
        }
        *(pgc_opt_f64 *) at = (pgc_opt_f64) { true, json_number_value(value) };
        return PGC_OK;
    case LUM_FILTER_FLAG:
        if (!json_is_boolean(value)) {
            return wrong_type(field, "true or false", err);
        }
        *(pgc_opt_bool *) at = (pgc_opt_bool) { true, json_is_true(value) };
        return PGC_OK;
    case LUM_FILTER_TEXT:
    case LUM_FILTER_UUID:
    case LUM_FILTER_FROM:
    case LUM_FILTER_BEFORE:
        break;
    }
    if (!json_is_string(value)) {
        return wrong_type(field, "a text", err);
    }
    return lum_filter_doc_set(doc, field->name, json_text(value), err);
}

pgc_status lum_filter_parse(slice json, lum_filter_doc **out, pgc_error *err)
{
    AUTO(json_auto) json_t *root = NULL;
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    TRY(json_read_object("filter", json, LUM_FILTER_JSON_MAX, &root, err));
    TRY(lum_filter_doc_new(&doc, err));
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(root, name, value)
    {
        const lum_filter_field *field = field_find(name);
        if (field == NULL) {
            return unknown(name, err);
        }
        if (!json_is_null(value)) {
            TRY(json_field(doc, field, value, err));
        }
    }
    TRY(lum_filter_check(&doc->filter, err));
    *out = TAKE(doc);
    return PGC_OK;
}
