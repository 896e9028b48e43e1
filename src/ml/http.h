/* One HTTP request after another to one server, over libcurl. TLS is verified, redirects are not
 * followed, answers have a limit. */
#ifndef ML_HTTP_H
#define ML_HTTP_H

#include <pgc/error.h>

#include "base/buf.h"
#include "base/env.h"

typedef struct http_client http_client;

typedef struct http_options {
    const char *url; /* http:// or https:// */
    const char *key; /* NULL: no Authorization */
    const char *ca_file;
    int64_t timeout_us, connect_timeout_us;
} http_options;

/* A field of multipart/form-data; file_name NULL: a plain field. */
typedef struct http_field {
    const char *name;
    slice value;
    const char *file_name, *mime;
} http_field;

typedef struct http_request {
    const char *path;         /* behind the URL: "/predict" */
    const http_field *fields; /* multipart, when there are any */
    size_t field_count;
    slice json; /* else this */
} http_request;

/* PGC_INVALID: no such URL, or a key over plain HTTP to another machine. */
pgc_status http_open(const env *env, const http_options *options, http_client **out, pgc_error *err)
    PGC_MUST_CHECK;
void http_close(http_client *client);
/* POST; the body of whatever answer comes goes into answer (reset first; its max is the limit), its
 * status code into *code. PGC_CONNECTION, PGC_TIMEOUT, PGC_LIMIT, PGC_NOMEM; PGC_DENIED: the
 * certificate. Thread-safe. */
pgc_status http_post(http_client *client, const http_request *request, buf *answer, long *code,
                     pgc_error *err) PGC_MUST_CHECK;

#endif
