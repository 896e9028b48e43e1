/* Embedders: batches, tries, and the checks that every answer must pass whatever the API is. No
 * state between calls but idle connections; any thread. */
#include "base/prelude.h"

#include "base/alloc.h"
#include "ml/client.h"

#define TIMEOUT_US         (30 * INT64_C(1000000))
#define CONNECT_TIMEOUT_US (3 * INT64_C(1000000))
#define PAUSE_US           INT64_C(200000)
#define PAUSE_MAX_US       (10 * INT64_C(1000000))
#define TRIES              3
#define TRIES_MAX          20
#define BATCH              16
#define ANSWER_BASE        ((size_t) 64 << 10) /* bytes */
#define ANSWER_EACH        ((size_t) 32 << 10) /* of each vector: 512 long numbers and a margin */
#define SAID_MAX           120                 /* bytes of what a server says that we repeat */

typedef struct http_embedder {
    ml_embedder base; /* first */
    const env *env;
    const ml_protocol *protocol;
    http_client *http;
    int64_t pause_us;
    uint32_t tries;
} http_embedder;

void ml_add_string(buf *out, slice text)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            buf_printf(out, "\\u%04x", (unsigned) c);
        } else {
            buf_add_char(out, (char) c);
        }
    }
    buf_add_char(out, '"');
}

pgc_status ml_take_array(const json_t *array, float out[ML_DIM], pgc_error *err)
{
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count != ML_DIM) {
        return pgc_error_set(err, json_is_array(array) ? PGC_UNSUPPORTED : PGC_PROTOCOL,
                             "an embedding has %zu dimensions, not %d", count, ML_DIM);
    }
    for (size_t i = 0; i < ML_DIM; i++) {
        const json_t *number = json_array_get(array, i);
        if (!json_is_number(number)) {
            return pgc_error_set(err, PGC_PROTOCOL, "component %zu of an embedding is no number",
                                 i + 1);
        }
        out[i] = (float) json_number_value(number);
    }
    return PGC_OK;
}

/* A vector that has a direction, whoever made it. */
static pgc_status vector_check(const float v[ML_DIM], pgc_error *err)
{
    double sum = 0;
    for (size_t i = 0; i < ML_DIM; i++) {
        if (!isfinite(v[i])) {
            return pgc_error_set(err, PGC_PROTOCOL, "component %zu of an embedding is not finite",
                                 i + 1);
        }
        sum += (double) v[i] * (double) v[i];
    }
    return sum > 1e-12 ? PGC_OK
                       : pgc_error_set(err, PGC_PROTOCOL, "an embedding is zero everywhere");
}

/* The beginning of what the server says, without anything that a terminal would obey. */
static void said(const buf *answer, char out[static SAID_MAX + 1])
{
    slice text = slice_sub(buf_view(answer), 0, SAID_MAX);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        out[i] = (char) (c >= ' ' && c < 0x7f ? c : '?');
    }
    out[text.len] = '\0';
}

static pgc_status code_check(long code, const buf *answer, pgc_error *err)
{
    char text[SAID_MAX + 1];
    if (code == 200) {
        return PGC_OK;
    }
    said(answer, text);
    /* 404 and 405: who answers there does not speak the API. */
    bool away = code == 404 || code == 405 || code == 408 || code == 429 || code >= 500;
    pgc_status status = code == 401 || code == 403 ? PGC_DENIED
                        : away                     ? PGC_CONNECTION
                        : code >= 400              ? PGC_INVALID
                                                   : PGC_PROTOCOL;
    return pgc_error_set(err, status, "the server answers %ld: %s", code, text);
}

static pgc_status answer_take(const http_embedder *h, const ml_request *request, const buf *answer,
                              float (*out)[ML_DIM], pgc_error *err)
{
    json_error_t why;
    slice text = buf_view(answer);
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL) {
        return pgc_error_set(err, PGC_PROTOCOL, "the answer is no JSON: %.100s", why.text);
    }
    pgc_status status = h->protocol->take(request, json, out, err);
    for (size_t i = 0; status == PGC_OK && i < request->count; i++) {
        status = vector_check(out[i], err);
    }
    json_decref(json);
    return status;
}

/* Nobody answered, or somebody who is busy or ill: another time it may go well. */
static bool may_go_well(pgc_status status)
{
    return status == PGC_CONNECTION || status == PGC_TIMEOUT;
}

static pgc_status request_run(http_embedder *h, ml_request *request, float (*out)[ML_DIM],
                              pgc_error *err)
{
    AUTO(buf_auto) buf answer;
    buf_init(&answer, h->env->alloc, ANSWER_BASE + request->count * ANSWER_EACH);
    int64_t pause_us = h->pause_us;
    pgc_status status = PGC_OK;
    for (uint32_t i = 0; i < h->tries; i++) {
        long code = 0;
        if (i > 0) {
            h->env->clock->sleep_us(h->env->clock->ctx, clock_jitter(h->env->clock, pause_us));
            pause_us = pause_us < PAUSE_MAX_US / 2 ? pause_us * 2 : PAUSE_MAX_US;
        }
        status = http_post(h->http, &request->http, &answer, &code, err);
        if (status == PGC_OK) {
            status = code_check(code, &answer, err);
        }
        if (!may_go_well(status)) {
            break;
        }
    }
    if (status == PGC_OK) {
        pgc_error_clear(err);
        status = answer_take(h, request, &answer, out, err);
    }
    return status;
}

static size_t body_limit(const ml_input *inputs, size_t count)
{
    size_t size = ANSWER_BASE;
    for (size_t i = 0; i < count; i++) {
        size += inputs[i].bytes.len * 6 + 256; /* \u00xx of every byte */
    }
    return size;
}

static pgc_status batch_embed(http_embedder *h, const char *model, const ml_input *inputs,
                              size_t count, float (*out)[ML_DIM], pgc_error *err)
{
    ml_request request = { .model = model, .inputs = inputs, .count = count };
    buf_init(&request.json, h->env->alloc, body_limit(inputs, count));
    pgc_status status = h->protocol->make(&request, err);
    if (status == PGC_OK) {
        status = request_run(h, &request, out, err);
    }
    buf_done(&request.json);
    return status;
}

static pgc_status http_embed(ml_embedder *e, const char *model, const ml_input *inputs,
                             size_t count, float (*out)[ML_DIM], pgc_error *err)
{
    http_embedder *h = (http_embedder *) e;
    for (size_t at = 0; at < count; at += e->batch) {
        size_t piece = count - at < e->batch ? count - at : e->batch;
        TRY(batch_embed(h, model, inputs + at, piece, out + at, err));
    }
    return PGC_OK;
}

static void http_embedder_close(ml_embedder *e)
{
    http_embedder *h = (http_embedder *) e;
    http_close(h->http);
    mem_free(h->env->alloc, h, sizeof *h);
}

static const ml_ops HTTP_OPS = { http_embed, http_embedder_close };

pgc_status ml_open(const env *e, const ml_options *options, ml_embedder **out, pgc_error *err)
{
    e = e != NULL ? e : env_default();
    if (options->tries > TRIES_MAX || options->timeout_us < 0 || options->connect_timeout_us < 0 ||
        options->pause_us < 0) {
        return pgc_error_set(err, PGC_INVALID, "embedder: at most %d tries, no negative times",
                             TRIES_MAX);
    }
    http_embedder *h = MEM_NEW(e->alloc, http_embedder);
    if (h == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open embedder");
    }
    uint32_t batch = options->batch > 0 ? options->batch : BATCH;
    h->base.ops = &HTTP_OPS;
    h->env = e;
    h->protocol = options->api == ML_API_IMMICH ? &ML_IMMICH : &ML_OPENAI;
    h->base.batch = batch < h->protocol->batch_max ? batch : h->protocol->batch_max;
    h->tries = options->tries > 0 ? options->tries : TRIES;
    h->pause_us = options->pause_us > 0 ? options->pause_us : PAUSE_US;
    const http_options http = {
        .url = options->url,
        .key = options->key,
        .ca_file = options->ca_file,
        .timeout_us = options->timeout_us > 0 ? options->timeout_us : TIMEOUT_US,
        .connect_timeout_us =
            options->connect_timeout_us > 0 ? options->connect_timeout_us : CONNECT_TIMEOUT_US,
    };
    pgc_status status = http_open(e, &http, &h->http, err);
    if (status != PGC_OK) {
        mem_free(e->alloc, h, sizeof *h);
        return pgc_error_wrap(err, status, "open embedder");
    }
    *out = &h->base;
    return PGC_OK;
}

void ml_close(ml_embedder *e)
{
    if (e != NULL) {
        e->ops->close(e);
    }
}

static pgc_status input_check(const ml_input *input, ml_kind kind, pgc_error *err)
{
    size_t most = kind == ML_IMAGE ? ML_IMAGE_MAX : ML_TEXT_MAX;
    if (input->kind != kind || input->bytes.len == 0 || input->bytes.len > most ||
        (kind == ML_IMAGE && input->mime == NULL)) {
        return pgc_error_set(err, PGC_INVALID, "an input of %zu bytes: 1 to %zu, all of one kind",
                             input->bytes.len, most);
    }
    if (kind == ML_TEXT && !slice_is_utf8(input->bytes)) {
        return pgc_error_set(err, PGC_INVALID, "a text is not valid UTF-8");
    }
    return PGC_OK;
}

pgc_status ml_embed(ml_embedder *e, const char *model, const ml_input *inputs, size_t count,
                    float (*out)[ML_DIM], pgc_error *err)
{
    pgc_status status = PGC_OK;
    for (size_t i = 0; status == PGC_OK && i < count; i++) {
        status = input_check(&inputs[i], inputs[0].kind, err);
    }
    if (status == PGC_OK && count > 0) {
        status = e->ops->embed(e, model, inputs, count, out, err);
    }
    return pgc_error_wrap(err, status, "embed by model %.60s", model);
}

bool ml_is_away(pgc_status status)
{
    return may_go_well(status) || status == PGC_DENIED;
}

/* All of one fate. */
static void items_end(ml_item *const *items, size_t count, pgc_status status, const pgc_error *err)
{
    for (size_t i = 0; i < count; i++) {
        items[i]->status = status;
        items[i]->err = *err;
    }
}

static pgc_status items_ask(ml_embedder *e, const char *model, ml_item *const *items, size_t count,
                            pgc_error *err)
{
    ml_input inputs[ML_ITEMS_MAX];
    float vectors[ML_ITEMS_MAX][ML_DIM];
    for (size_t i = 0; i < count; i++) {
        inputs[i] = items[i]->input;
    }
    TRY(ml_embed(e, model, inputs, count, vectors, err));
    for (size_t i = 0; i < count; i++) {
        memcpy(items[i]->out, vectors[i], sizeof vectors[i]);
    }
    return PGC_OK;
}

/* A piece of a request; `rest` of the items are not asked for when the server is away: false. */
static bool piece_ask(ml_embedder *e, const char *model, ml_item *const *items, size_t piece,
                      size_t rest)
{
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status status = items_ask(e, model, items, piece, &err);
    bool away = ml_is_away(status);
    items_end(items, away ? rest : piece, status, &err);
    return !away;
}

size_t ml_batch(const ml_embedder *e)
{
    return e->batch < 1 ? 1 : e->batch < ML_ITEMS_MAX ? e->batch : ML_ITEMS_MAX;
}

void ml_embed_items(ml_embedder *e, const char *model, ml_item *const *items, size_t count)
{
    assert(count > 0 && count <= ML_ITEMS_MAX);
    size_t most = ml_batch(e);
    bool here = true;
    for (size_t at = 0; here && at < count; at += most) {
        size_t piece = count - at < most ? count - at : most;
        here = piece_ask(e, model, items + at, piece, count - at);
        bool refused = here && items[at]->status != PGC_OK && piece > 1;
        for (size_t i = at; here && refused && i < at + piece; i++) { /* whose fault is it? */
            here = piece_ask(e, model, items + i, 1, count - i);
        }
    }
}
