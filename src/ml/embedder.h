/* Embedders: servers that turn texts and images into vectors of one space. An embedder is a table
 * of functions; ml_open() makes one that speaks HTTP. What comes back is another program's word and
 * is checked: dimensions, finite numbers, sizes. */
#ifndef ML_EMBEDDER_H
#define ML_EMBEDDER_H

#include <pgc/error.h>

#include "base/env.h"
#include "base/slice.h"

#define ML_DIM          512
#define ML_MODEL_MAX    50                 /* bytes of a model's name */
#define ML_IMAGE_MAX    (32 << 20)         /* bytes of one image */
#define ML_TEXT_MAX     8192               /* bytes of one text */
#define ML_IMMICH_MODEL "ViT-B-32__openai" /* 512 dimensions; Immich's default */

typedef enum ml_kind { ML_TEXT, ML_IMAGE } ml_kind;

/* One thing to embed; borrowed during the call. */
typedef struct ml_input {
    ml_kind kind;
    slice bytes;      /* UTF-8, or the file */
    const char *mime; /* of an image, such as "image/webp" */
} ml_input;

typedef struct ml_embedder ml_embedder;

/* What stands behind an embedder. */
typedef struct ml_ops {
    pgc_status (*embed)(ml_embedder *e, const char *model, const ml_input *inputs, size_t count,
                        float (*out)[ML_DIM], pgc_error *err);
    void (*close)(ml_embedder *e);
} ml_ops;

struct ml_embedder {
    const ml_ops *ops;
    uint32_t batch; /* inputs that one request takes; 0 counts as 1 */
};

typedef enum ml_api {
    ML_API_IMMICH, /* POST URL/predict of Immich's machine-learning server */
    ML_API_OPENAI  /* POST URL/embeddings, as Infinity and its like serve it */
} ml_api;

/* Zero means the default. Texts are copied by ml_open(). */
typedef struct ml_options {
    ml_api api;
    const char *url;            /* http:// or https://, without a slash at the end */
    const char *key;            /* bearer token; NULL: none. Only over TLS, or to this machine */
    const char *ca_file;        /* certificates that are trusted; NULL: the system's */
    int64_t timeout_us;         /* of one try; default 30 s */
    int64_t connect_timeout_us; /* of its connection; default 3 s */
    int64_t pause_us;           /* before the second try, then twice as long each time, less a
                                   random part; default 200 ms */
    uint32_t tries;             /* default 3 */
    uint32_t batch;             /* inputs of one request where the API takes several; default 16 */
} ml_options;

/* PGC_INVALID: the options (the message says which); PGC_NOMEM. Connects to nobody yet. */
pgc_status ml_open(const env *env, const ml_options *options, ml_embedder **out, pgc_error *err)
    PGC_MUST_CHECK;
/* NULL is fine. No call may run. */
void ml_close(ml_embedder *e);

/* Vectors of all inputs, which are of one kind, by a model; out has room for count of them. All or
 * none. Blocks for tries, time-outs and pauses together. Thread-safe. PGC_INVALID: an input, or the
 * server refuses the request; PGC_CONNECTION, PGC_TIMEOUT: nobody answers; PGC_DENIED: the key;
 * PGC_PROTOCOL: the answer is not what the API promises; PGC_UNSUPPORTED: vectors of another
 * dimension; PGC_LIMIT: the answer is far too long. */
pgc_status ml_embed(ml_embedder *e, const char *model, const ml_input *inputs, size_t count,
                    float (*out)[ML_DIM], pgc_error *err) PGC_MUST_CHECK;

/* One input among others that have nothing to do with it. */
typedef struct ml_item {
    ml_input input;
    float *out; /* ML_DIM numbers */
    pgc_status status;
    pgc_error err;
} ml_item;

#define ML_ITEMS_MAX 32

/* How many items make the best use of a request: 1..ML_ITEMS_MAX. */
size_t ml_batch(const ml_embedder *e);

/* 1..ML_ITEMS_MAX inputs of one kind, each with an outcome of its own: together as long as the
 * server takes them, one by one when it will not. *items are filled in any case. */
void ml_embed_items(ml_embedder *e, const char *model, ml_item *const *items, size_t count);
/* Whether it is about the server, not the input: nobody answers, or the key is not the right one.
 */
bool ml_is_away(pgc_status status);

/* Where the embedder of a library is, as its configuration says. */
typedef struct ml_config {
    ml_api api;
    char url[512]; /* "": there is none */
    char model[ML_MODEL_MAX + 1];
    char key[512];
    char ca_file[PATH_MAX];
    int64_t timeout_us; /* 0: the default */
} ml_config;

/* HOME/ml.conf (lines `url = …`, `api = immich|openai`, `model`, `key_file`, `ca_file`, `timeout`
 * in seconds; # begins a comment), then the variables LUMILIO_ML_URL, …_API, …_MODEL, …_KEY,
 * …_KEY_FILE, …_CA_FILE, …_TIMEOUT, which win. PGC_INVALID names line or variable. */
pgc_status ml_config_read(const env *env, const char *home, ml_config *out, pgc_error *err)
    PGC_MUST_CHECK;
/* ml_open() with what the configuration says; *out is NULL when it names no server. tries and
 * timeout_us 0: as configured, else the defaults. */
pgc_status ml_open_configured(const env *env, const ml_config *config, uint32_t tries,
                              int64_t timeout_us, ml_embedder **out, pgc_error *err) PGC_MUST_CHECK;

#endif
