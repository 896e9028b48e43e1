/* OpenAI-compatible embedding servers that take images, such as Infinity: POST /embeddings, JSON,
 * several inputs per request, images as data URIs, vectors as base64 of little-endian floats.
 * Source: michaelfeil/infinity, fastapi_schemas/pymodels.py and errors.py. */
#include "base/prelude.h"

#include <openssl/evp.h>

#include "base/base64.h"
#include "ml/client.h"

#define VECTOR_BYTES  (ML_DIM * 4)
#define BASE64_LENGTH ((VECTOR_BYTES + 2) / 3 * 4)

static pgc_status openai_make(ml_request *request, pgc_error *err)
{
    buf *json = &request->json;
    bool image = request->inputs[0].kind == ML_IMAGE;
    buf_add_str(json, "{\"model\":");
    ml_add_string(json, pgc_text_from(request->model));
    buf_printf(json, ",\"encoding_format\":\"base64\",\"modality\":\"%s\",\"input\":[",
               image ? "image" : "text");
    for (size_t i = 0; i < request->count; i++) {
        const ml_input *input = &request->inputs[i];
        buf_add_str(json, i > 0 ? "," : "");
        if (image) {
            buf_printf(json, "\"data:%s;base64,", input->mime);
            base64_add(json, input->bytes);
            buf_add_char(json, '"');
        } else {
            ml_add_string(json, input->bytes);
        }
    }
    buf_add_str(json, "]}");
    TRY(buf_finish(json, err));
    request->http = (http_request) { .path = "/embeddings", .json = buf_view(json) };
    return PGC_OK;
}

/* base64 is exact and short; servers that do not know encoding_format send numbers. */
static pgc_status vector_take(const json_t *value, float out[ML_DIM], pgc_error *err)
{
    unsigned char bytes[VECTOR_BYTES + 3];
    if (json_is_array(value)) {
        return ml_take_array(value, out, err);
    }
    if (!json_is_string(value)) {
        return pgc_error_set(err, PGC_PROTOCOL, "an embedding is neither text nor array");
    }
    size_t length = json_string_length(value);
    const char *text = json_string_value(value);
    if (length != BASE64_LENGTH) {
        return pgc_error_set(err, PGC_UNSUPPORTED, "an embedding has %zu dimensions, not %d",
                             length / 4 * 3 / 4, ML_DIM);
    }
    /* It counts the padding as bytes, of which 2,048 leave one. */
    if (EVP_DecodeBlock(bytes, (const unsigned char *) text, (int) length) != VECTOR_BYTES + 1 ||
        text[length - 1] != '=') {
        return pgc_error_set(err, PGC_PROTOCOL, "an embedding is no base64");
    }
    for (size_t i = 0; i < ML_DIM; i++) {
        uint32_t bits = (uint32_t) bytes[4 * i] | (uint32_t) bytes[4 * i + 1] << 8 |
                        (uint32_t) bytes[4 * i + 2] << 16 | (uint32_t) bytes[4 * i + 3] << 24;
        memcpy(&out[i], &bits, sizeof out[i]);
    }
    return PGC_OK;
}

/* Items say by index which input they are of; each must come once. */
static pgc_status openai_take(const ml_request *request, const json_t *answer, float (*out)[ML_DIM],
                              pgc_error *err)
{
    uint64_t seen = 0;
    const json_t *data = json_object_get(answer, "data");
    assert(request->count <= 64);
    if (!json_is_array(data) || json_array_size(data) != request->count) {
        return pgc_error_set(err, PGC_PROTOCOL, "the answer has %zu embeddings for %zu inputs",
                             json_array_size(data), request->count);
    }
    for (size_t i = 0; i < request->count; i++) {
        const json_t *item = json_array_get(data, i);
        const json_t *at = json_object_get(item, "index");
        json_int_t index = json_is_integer(at) ? json_integer_value(at) : -1;
        if (index < 0 || (size_t) index >= request->count || (seen >> index & 1) != 0) {
            return pgc_error_set(err, PGC_PROTOCOL, "an embedding's index is missing or wrong");
        }
        seen |= UINT64_C(1) << index;
        TRY(vector_take(json_object_get(item, "embedding"), out[index], err));
    }
    return PGC_OK;
}

const ml_protocol ML_OPENAI = {
    .name = "embedding server", .batch_max = 32, .make = openai_make, .take = openai_take
};
