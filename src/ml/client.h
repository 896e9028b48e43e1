/* What an API of embedding servers is to the client: how inputs become a request and the answer
 * becomes vectors. */
#ifndef ML_CLIENT_H
#define ML_CLIENT_H

#include <jansson.h>

#include "base/buf.h"
#include "ml/embedder.h"
#include "ml/http.h"

/* A request under way: what it is made of lives here until it is answered. */
typedef struct ml_request {
    const char *model;
    const ml_input *inputs;
    size_t count;
    buf json;             /* body, or the field `entries` */
    http_field fields[2]; /* Immich */
    http_request http;
} ml_request;

typedef struct ml_protocol {
    const char *name;
    uint32_t batch_max; /* inputs of one request */
    /* Fill request->http; request->json is ready to be added to. */
    pgc_status (*make)(ml_request *request, pgc_error *err);
    /* Vectors of all inputs out of an answer of status 200. Need not check the numbers. */
    pgc_status (*take)(const ml_request *request, const json_t *answer, float (*out)[ML_DIM],
                       pgc_error *err);
} ml_protocol;

extern const ml_protocol ML_IMMICH;
extern const ml_protocol ML_OPENAI;

/* A JSON array of ML_DIM numbers; PGC_PROTOCOL says what it is instead. */
pgc_status ml_take_array(const json_t *array, float out[ML_DIM], pgc_error *err) PGC_MUST_CHECK;
/* Text as a JSON string, quotes and all. */
void ml_add_string(buf *out, slice text);

#endif
