/* Where the embedder is: a file in the library's folder, then the environment. Keys come from a
 * file or a variable, never from a command line. No state. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"
#include "ml/embedder.h"

#define FILE_MAX    65536 /* bytes */
#define TIMEOUT_MAX 600   /* seconds */

/* One setting: its name in the file and the variable's, and what it is stored in. */
typedef struct setting {
    const char *name, *variable;
    pgc_status (*store)(const env *e, ml_config *config, slice value, pgc_error *err);
} setting;

/* A copy with its NUL; false when it does not fit or is no text. */
static bool copy(slice value, char *out, size_t size)
{
    if (value.len >= size || !slice_is_utf8(value)) {
        return false;
    }
    (void) snprintf(out, size, "%" SLICE_FMT, SLICE_ARG(value));
    return true;
}

static pgc_status store_url(const env *e, ml_config *config, slice value, pgc_error *err)
{
    (void) e;
    while (slice_ends(value, SLICE("/"))) {
        value.len--;
    }
    return copy(value, config->url, sizeof config->url)
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "the URL is too long");
}

static pgc_status store_api(const env *e, ml_config *config, slice value, pgc_error *err)
{
    (void) e;
    if (slice_eq_str(value, "immich")) {
        config->api = ML_API_IMMICH;
    } else if (slice_eq_str(value, "openai")) {
        config->api = ML_API_OPENAI;
    } else {
        return pgc_error_set(err, PGC_INVALID, "API \"%" SLICE_FMT "\": use immich or openai",
                             SLICE_ARG(value));
    }
    return PGC_OK;
}

static pgc_status store_model(const env *e, ml_config *config, slice value, pgc_error *err)
{
    (void) e;
    return value.len > 0 && copy(value, config->model, sizeof config->model)
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "a model's name has 1 to %d bytes", ML_MODEL_MAX);
}

static pgc_status store_key(const env *e, ml_config *config, slice value, pgc_error *err)
{
    (void) e;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] <= ' ' || value.ptr[i] > '~') { /* it becomes a line of a header */
            return pgc_error_set(err, PGC_INVALID, "the key holds a blank or a control character");
        }
    }
    return copy(value, config->key, sizeof config->key)
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "the key is too long");
}

static pgc_status store_key_file(const env *e, ml_config *config, slice value, pgc_error *err)
{
    char path[PATH_MAX];
    AUTO(buf_auto) buf text;
    buf_init(&text, e->alloc, FILE_MAX);
    if (!copy(value, path, sizeof path)) {
        return pgc_error_set(err, PGC_INVALID, "the path is too long");
    }
    TRY(file_read(e, AT_FDCWD, path, &text, err));
    return store_key(e, config, slice_trim(buf_view(&text)), err);
}

static pgc_status store_ca_file(const env *e, ml_config *config, slice value, pgc_error *err)
{
    (void) e;
    return copy(value, config->ca_file, sizeof config->ca_file)
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "the path is too long");
}

static pgc_status store_timeout(const env *e, ml_config *config, slice value, pgc_error *err)
{
    (void) e;
    int64_t seconds = 0;
    if (!slice_to_i64(value, &seconds) || seconds < 1 || seconds > TIMEOUT_MAX) {
        return pgc_error_set(err, PGC_INVALID, "a time-out of 1 to %d seconds", TIMEOUT_MAX);
    }
    config->timeout_us = seconds * 1000000;
    return PGC_OK;
}

static const setting SETTINGS[] = {
    { "url", "LUMILIO_ML_URL", store_url },
    { "api", "LUMILIO_ML_API", store_api },
    { "model", "LUMILIO_ML_MODEL", store_model },
    { "key_file", "LUMILIO_ML_KEY_FILE", store_key_file },
    { NULL, "LUMILIO_ML_KEY", store_key },
    { "ca_file", "LUMILIO_ML_CA_FILE", store_ca_file },
    { "timeout", "LUMILIO_ML_TIMEOUT", store_timeout },
};

static pgc_status line_take(const env *e, slice line, ml_config *config, pgc_error *err)
{
    line = slice_trim(line);
    if (line.len == 0 || line.ptr[0] == '#') {
        return PGC_OK;
    }
    slice value = line;
    slice name = slice_trim(slice_next(&value, '='));
    for (size_t i = 0; i < ARRAY_LEN(SETTINGS) && value.ptr != NULL; i++) {
        if (SETTINGS[i].name != NULL && slice_eq_str(name, SETTINGS[i].name)) {
            return SETTINGS[i].store(e, config, slice_trim(value), err);
        }
    }
    return pgc_error_set(err, PGC_INVALID,
                         "\"%" SLICE_FMT "\": use url, api, model, key_file, ca_file and "
                         "timeout, each with \" = value\"",
                         SLICE_ARG(name));
}

static pgc_status file_take(const env *e, const char *home, ml_config *config, pgc_error *err)
{
    char path[PATH_MAX];
    unsigned number = 0;
    AUTO(buf_auto) buf text;
    buf_init(&text, e->alloc, FILE_MAX);
    int length = snprintf(path, sizeof path, "%s/ml.conf", home);
    if (length < 0 || (size_t) length >= sizeof path) {
        return pgc_error_set(err, PGC_INVALID, "folder of the library: path is too long");
    }
    pgc_status status = file_read(e, AT_FDCWD, path, &text, err);
    if (status == PGC_NOT_FOUND) {
        pgc_error_clear(err);
        return PGC_OK;
    }
    slice rest = buf_view(&text);
    while (status == PGC_OK && rest.ptr != NULL) {
        number++;
        status = line_take(e, slice_next(&rest, '\n'), config, err);
    }
    return pgc_error_wrap(err, status, "%s, line %u", path, number);
}

pgc_status ml_config_read(const env *e, const char *home, ml_config *out, pgc_error *err)
{
    e = e != NULL ? e : env_default();
    ml_config config = { .api = ML_API_IMMICH };
    TRY(file_take(e, home, &config, err));
    for (size_t i = 0; i < ARRAY_LEN(SETTINGS); i++) {
        const char *value = getenv(SETTINGS[i].variable);
        if (value != NULL && value[0] != '\0') {
            TRY(pgc_error_wrap(err,
                               SETTINGS[i].store(e, &config, slice_trim(pgc_text_from(value)), err),
                               "%s", SETTINGS[i].variable));
        }
    }
    if (config.url[0] != '\0' && config.model[0] == '\0') {
        if (config.api != ML_API_IMMICH) {
            return pgc_error_set(err, PGC_INVALID,
                                 "embedding server %.200s: no model is named (LUMILIO_ML_MODEL)",
                                 config.url);
        }
        (void) snprintf(config.model, sizeof config.model, "%s", ML_IMMICH_MODEL);
    }
    *out = config;
    return PGC_OK;
}

pgc_status ml_open_configured(const env *e, const ml_config *config, uint32_t tries,
                              int64_t timeout_us, ml_embedder **out, pgc_error *err)
{
    if (config->url[0] == '\0') {
        *out = NULL;
        return PGC_OK;
    }
    const ml_options options = { .api = config->api,
                                 .url = config->url,
                                 .key = config->key[0] != '\0' ? config->key : NULL,
                                 .ca_file = config->ca_file[0] != '\0' ? config->ca_file : NULL,
                                 .timeout_us = timeout_us > 0 ? timeout_us : config->timeout_us,
                                 .tries = tries };
    return ml_open(e, &options, out, err);
}
