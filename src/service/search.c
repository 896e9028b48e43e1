/* Search: checks what the database cannot say clearly, makes one call of search_hits(), and turns
 * the last row into a cursor. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/search.h"

#include "base/slice.h"
#include "service/asset.h"
#include "service/check.h"
#include "service/conditions.h"
#include "service/embedding.h"

#define CHANNEL_NAME    1
#define CHANNEL_TEXT    2
#define CHANNEL_MEANING 4

/* Where a page ended. Bytes of the token, in hexadecimal: a version, then these in order. */
typedef struct cursor {
    uint32_t request; /* of which search it is */
    uint32_t pool;
    double score;
    int64_t sort_at_us;
    pgc_uuid asset_id;
} cursor;

#define CURSOR_VERSION '1'
#define CURSOR_BYTES   (4 + 4 + 8 + 8 + 16)

static const char *const BY_TEXT[] = {
    [LUM_SEARCH_ALL] = "all",
    [LUM_SEARCH_NAME] = "name",
    [LUM_SEARCH_TEXT] = "text",
    [LUM_SEARCH_MEANING] = "meaning",
};

pgc_status lum_search_by_parse(const char *text, lum_search_by *out, pgc_error *err)
{
    static const check_words WORDS = { "search by", BY_TEXT, ARRAY_LEN(BY_TEXT) };
    size_t index = 0;
    TRY(check_word(&WORDS, pgc_text_from(text), &index, err));
    *out = (lum_search_by) index;
    return PGC_OK;
}

/* FNV-1a: a cursor of another search is a mistake, not an attack; rows are under the policies. */
static void hash_add(uint32_t *hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++) {
        *hash = (*hash ^ at[i]) * 16777619u;
    }
}

static void hash_text(uint32_t *hash, const char *text)
{
    hash_add(hash, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 0);
}

/* Of everything that decides which list it is. */
static pgc_status request_hash(const lum_search_request *request, uint32_t *out, pgc_error *err)
{
    static const lum_filter EVERYTHING;
    const lum_filter *filter = request->filter != NULL ? request->filter : &EVERYTHING;
    uint8_t digest[SHA256_SIZE];
    uint32_t hash = 2166136261u;
    TRY(lum_filter_check(filter, err)); /* what is no text cannot be read */
    TRY(lum_filter_digest(filter, digest, err));
    hash_add(&hash, digest, sizeof digest);
    hash_add(&hash, &request->by, sizeof request->by);
    hash_text(&hash, request->like_asset_id.has ? NULL : request->query);
    hash_add(&hash, &request->like_asset_id.has, sizeof request->like_asset_id.has);
    if (request->like_asset_id.has) {
        hash_add(&hash, &request->like_asset_id.v, sizeof request->like_asset_id.v);
    }
    *out = hash;
    return PGC_OK;
}

/* Big-endian, so that tokens do not depend on the machine. */
static unsigned char *put(unsigned char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (unsigned char) (value >> (8 * (bytes - 1 - i)));
    }
    return to + bytes;
}

static const unsigned char *take(const unsigned char *from, size_t bytes, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < bytes; i++) {
        *value = *value << 8 | from[i];
    }
    return from + bytes;
}

static void cursor_format(const cursor *c, char out[static LUM_SEARCH_CURSOR_SIZE])
{
    unsigned char bytes[CURSOR_BYTES];
    uint64_t score = 0;
    memcpy(&score, &c->score, sizeof score);
    unsigned char *at = put(put(bytes, c->request, 4), c->pool, 4);
    at = put(put(at, score, 8), (uint64_t) c->sort_at_us, 8);
    memcpy(at, c->asset_id.bytes, sizeof c->asset_id.bytes);
    out[0] = CURSOR_VERSION;
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void) snprintf(out + 1 + 2 * i, 3, "%02x", bytes[i]);
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool cursor_parse(const char *text, cursor *out)
{
    unsigned char bytes[CURSOR_BYTES];
    uint64_t request = 0;
    uint64_t pool = 0;
    uint64_t score = 0;
    uint64_t sort_at = 0;
    if (text[0] != CURSOR_VERSION || strlen(text) != 1 + 2 * sizeof bytes) {
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        int high = hex_digit(text[1 + 2 * i]);
        int low = hex_digit(text[2 + 2 * i]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (unsigned char) (high << 4 | low);
    }
    const unsigned char *at = take(take(bytes, 4, &request), 4, &pool);
    at = take(take(at, 8, &score), 8, &sort_at);
    *out = (cursor) { .request = (uint32_t) request, .pool = (uint32_t) pool };
    memcpy(&out->score, &score, sizeof score);
    memcpy(&out->sort_at_us, &sort_at, sizeof sort_at);
    memcpy(out->asset_id.bytes, at, sizeof out->asset_id.bytes);
    return isfinite(out->score) && pool >= 1 && pool <= 5 * LUM_SEARCH_DEPTH;
}

static pgc_status query_check(const lum_search_request *request, slice *out, pgc_error *err)
{
    slice text = slice_trim(pgc_text_from(request->query));
    bool needed = !request->like_asset_id.has &&
                  (request->vector == NULL || request->by != LUM_SEARCH_MEANING);
    if (text.len == 0 && needed) {
        return pgc_error_set(err, PGC_INVALID, "search: the text is empty");
    }
    if (text.len > LUM_QUERY_MAX) {
        return pgc_error_set(err, PGC_INVALID, "search: the text has %zu bytes, at most %d",
                             text.len, LUM_QUERY_MAX);
    }
    if (!slice_is_utf8(text)) {
        return pgc_error_set(err, PGC_INVALID, "search: the text is not valid UTF-8");
    }
    *out = text;
    return PGC_OK;
}

static pgc_status channels_choose(const lum_search_request *request, int32_t *out, pgc_error *err)
{
    if ((size_t) request->by >= ARRAY_LEN(BY_TEXT)) {
        return pgc_error_set(err, PGC_INVALID, "search by way %d: there is none",
                             (int) request->by);
    }
    switch (request->by) {
    case LUM_SEARCH_NAME:
        *out = CHANNEL_NAME;
        break;
    case LUM_SEARCH_TEXT:
        *out = CHANNEL_TEXT;
        break;
    case LUM_SEARCH_MEANING:
        *out = CHANNEL_MEANING;
        break;
    case LUM_SEARCH_ALL:
        *out = CHANNEL_NAME | CHANNEL_TEXT | (request->vector != NULL ? CHANNEL_MEANING : 0);
        break;
    }
    if (request->like_asset_id.has) {
        *out = CHANNEL_MEANING;
    }
    if (*out == CHANNEL_MEANING && request->vector == NULL && !request->like_asset_id.has) {
        return pgc_error_set(err, PGC_INVALID, "search by meaning: the text has no vector");
    }
    return PGC_OK;
}

/* The first page decides how deep the list of a fused search is; later pages keep to it, or the
 * scores of one list would differ. */
static uint32_t pool_of(const lum_search_request *request)
{
    int64_t wanted = 4 * (int64_t) request->limit;
    int64_t most = 5 * LUM_SEARCH_DEPTH;
    return (uint32_t) (wanted < LUM_SEARCH_DEPTH ? LUM_SEARCH_DEPTH
                       : wanted > most           ? most
                                                 : wanted);
}

/* Everything of the request but the vector and the filter. *at is where the page before ended. */
static pgc_status params_fill(const lum_search_request *request, cursor *at,
                              repo_search_hits_params *params, pgc_error *err)
{
    if (request->limit < 1 || request->limit > LUM_PAGE_MAX) {
        return pgc_error_set(err, PGC_INVALID, "page of %" PRId32 " hits: 1 to %d", request->limit,
                             LUM_PAGE_MAX);
    }
    TRY(query_check(request, &params->query, err));
    TRY(channels_choose(request, &params->channels, err));
    *at = (cursor) { .pool = pool_of(request) };
    TRY(request_hash(request, &at->request, err));
    if (request->after != NULL) {
        uint32_t own = at->request;
        if (!cursor_parse(request->after, at) || at->request != own) {
            return pgc_error_set(err, PGC_INVALID, "search: the cursor is not one of this search");
        }
        params->after_score = (pgc_opt_f64) { true, at->score };
        params->after_at = (pgc_opt_timestamptz) { true, { at->sort_at_us } };
        params->after_id = (pgc_opt_uuid) { true, at->asset_id };
    }
    params->like_asset_id = request->like_asset_id;
    params->pool = (int32_t) at->pool;
    params->row_limit = request->limit + 1; /* one more says whether there is a next page */
    params->exact_most = request->exact_most > 0 ? request->exact_most : LUM_SEARCH_EXACT;
    return PGC_OK;
}

static void page_end(const lum_search_request *request, cursor at, lum_search_page *page)
{
    page->next[0] = '\0';
    if (page->hits.count > (size_t) request->limit) {
        page->hits.count = (size_t) request->limit;
        const repo_search_hits_row *last = &page->hits.rows[page->hits.count - 1];
        at.score = last->score;
        at.sort_at_us = last->sort_at.has ? last->sort_at.v.us : 0;
        at.asset_id = last->a.asset_id;
        cursor_format(&at, page->next);
    }
}

/* No hits may mean that there is nothing to compare with: that is worth a second question. */
static pgc_status like_check(lum_actor actor, pgc_uuid asset_id, pgc_error *err)
{
    float vector[LUM_EMBEDDING_DIM];
    char model[LUM_MODEL_NAME_MAX + 1];
    TRY(lum_model_active(actor, model, err));
    return lum_embedding_get(actor, asset_id, model, vector, err);
}

/* The vector of the text by the active model, which need not be the one that new assets get. */
static pgc_status query_embed(lum_actor actor, const lum_search_request *request,
                              float out[1][LUM_EMBEDDING_DIM], pgc_error *err)
{
    char model[LUM_MODEL_NAME_MAX + 1];
    const ml_input input = { .kind = ML_TEXT, .bytes = slice_trim(pgc_text_from(request->query)) };
    _Static_assert(ML_DIM == LUM_EMBEDDING_DIM, "one dimension from server to column");
    TRY(lum_model_active(actor, model, err));
    return ml_embed(request->embedder, model, &input, 1, out, err);
}

/* Gives *request a vector when it wants one and somebody can make it. */
static pgc_status vector_get(lum_actor actor, lum_search_request *request,
                             float out[1][LUM_EMBEDDING_DIM], lum_search_page *page, pgc_error *err)
{
    slice text;
    bool wanted = request->by == LUM_SEARCH_ALL || request->by == LUM_SEARCH_MEANING;
    if (!wanted || request->vector != NULL || request->embedder == NULL ||
        request->like_asset_id.has) {
        return PGC_OK;
    }
    pgc_error own;
    pgc_error_clear(&own);
    TRY(query_check(request, &text, err));
    pgc_status status = query_embed(actor, request, out, &own);
    if (status == PGC_OK) {
        request->vector = out[0];
    } else if (request->by == LUM_SEARCH_MEANING) {
        return pgc_error_set(err, status, "search by meaning: %s", own.message);
    } else {
        (void) snprintf(page->without_meaning, sizeof page->without_meaning, "%s", own.message);
    }
    return PGC_OK;
}

/* The rows of one page; *params has everything but the filter. */
static pgc_status hits_ask(lum_actor actor, const lum_search_request *request,
                           repo_search_hits_params *params, lum_search_page *page, pgc_error *err)
{
    AUTO(conditions_done) conditions c = { .filter = NULL };
    TRY(conditions_make(actor, request->filter, &c, err));
    if (c.owner_id != actor.user_id) {
        return PGC_OK; /* what belongs to others is not found */
    }
    params->filter = c.sql;
    TRY(repo_search_hits(actor.db, params, &page->hits, err));
    return page->hits.count == 0 && request->like_asset_id.has
               ? like_check(actor, request->like_asset_id.v, err)
               : PGC_OK;
}

static pgc_status hits_get(lum_actor actor, const lum_search_request *request,
                           lum_search_page *page, pgc_error *err)
{
    cursor at;
    uint16_t half[LUM_EMBEDDING_DIM];
    repo_search_hits_params params = PGC_ZERO;
    TRY(params_fill(request, &at, &params, err));
    if (request->vector != NULL) {
        TRY(lum_embedding_prepare(request->vector, LUM_EMBEDDING_DIM, half, err));
        params.vector = (pgc_halfvec) { half, LUM_EMBEDDING_DIM };
    }
    pgc_status status = hits_ask(actor, request, &params, page, err);
    if (status != PGC_OK) {
        repo_search_hits_row_set_free(&page->hits);
        return pgc_error_wrap(err, status, "search \"%" SLICE_FMT "\"", SLICE_ARG(params.query));
    }
    page_end(request, at, page);
    return PGC_OK;
}

pgc_status lum_search(lum_actor actor, const lum_search_request *request, lum_search_page *out,
                      pgc_error *err)
{
    float made[1][LUM_EMBEDDING_DIM];
    lum_search_request filled = *request;
    lum_search_page page = PGC_ZERO;
    TRY(vector_get(actor, &filled, made, &page, err));
    TRY(hits_get(actor, &filled, &page, err));
    *out = page;
    return PGC_OK;
}

void lum_search_page_free(lum_search_page *page)
{
    repo_search_hits_row_set_free(&page->hits);
    page->next[0] = '\0';
}
