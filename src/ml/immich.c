/* Immich's machine-learning server: POST /predict, multipart, one text or image per request. The
 * vector comes as a JSON array inside of a JSON string. Source: immich-app/immich,
 * machine-learning/immich_ml/main.py and schemas.py. */
#include "base/prelude.h"

#include "ml/client.h"

static pgc_status immich_make(ml_request *request, pgc_error *err)
{
    const ml_input *input = &request->inputs[0];
    bool image = input->kind == ML_IMAGE;
    assert(request->count == 1);
    buf_add_str(&request->json, image ? "{\"clip\":{\"visual\":{\"modelName\":"
                                      : "{\"clip\":{\"textual\":{\"modelName\":");
    ml_add_string(&request->json, pgc_text_from(request->model));
    buf_add_str(&request->json, "}}}");
    TRY(buf_finish(&request->json, err));
    request->fields[0] = (http_field) { .name = "entries", .value = buf_view(&request->json) };
    request->fields[1] = (http_field) { .name = image ? "image" : "text",
                                        .value = input->bytes,
                                        .file_name = image ? "image" : NULL,
                                        .mime = input->mime };
    request->http =
        (http_request) { .path = "/predict", .fields = request->fields, .field_count = 2 };
    return PGC_OK;
}

static pgc_status immich_take(const ml_request *request, const json_t *answer, float (*out)[ML_DIM],
                              pgc_error *err)
{
    (void) request;
    json_t *clip = json_object_get(answer, "clip");
    if (json_is_array(clip)) { /* what its older versions sent */
        return ml_take_array(clip, out[0], err);
    }
    if (!json_is_string(clip)) {
        return pgc_error_set(err, PGC_PROTOCOL, "the answer has no member \"clip\"");
    }
    json_error_t why;
    json_t *array = json_loadb(json_string_value(clip), json_string_length(clip), 0, &why);
    pgc_status status =
        array != NULL ? ml_take_array(array, out[0], err)
                      : pgc_error_set(err, PGC_PROTOCOL, "\"clip\" is no array: %s", why.text);
    json_decref(array);
    return status;
}

const ml_protocol ML_IMMICH = {
    .name = "Immich's machine learning", .batch_max = 1, .make = immich_make, .take = immich_take
};
