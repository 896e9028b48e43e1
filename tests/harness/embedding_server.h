/* An embedding server of a test that speaks both APIs, and a library configured to ask it. Knobs
 * make it ill; they may be turned while it runs. */
#ifndef TEST_EMBEDDING_SERVER_H
#define TEST_EMBEDDING_SERVER_H

#include "base/file.h"
#include "http_server.h"
#include "library.h"
#include "tap.h"

#define EMBEDDING_BODY_MAX (1 << 18)

static http_server embedding_server;
static int embedding_dim = 512;    /* of the vectors that it answers */
static int embedding_most = 64;    /* inputs of a request that it takes; more are refused (400) */
static int embedding_inputs;       /* that it was asked for, of requests that it took */
static int embedding_code = 200;   /* else this, and nothing more */
static http_fault embedding_fault; /* of every answer */
static const char *embedding_garbage; /* NULL, or the body */

static inline size_t embedding_vector(char *to, size_t size)
{
    size_t used = (size_t) snprintf(to, size, "[1");
    for (int i = 1; i < embedding_dim && used + 16 < size; i++) {
        used += (size_t) snprintf(to + used, size - used, ",0.01");
    }
    return used + (size_t) snprintf(to + used, size - used, "]");
}

/* Inputs of a request to /embeddings; 0: it is one to /predict. */
static inline int embedding_count(const char *request)
{
    int count = 0;
    for (const char *at = strstr(request, "data:image"); at != NULL;
         at = strstr(at + 1, "data:image")) {
        count++;
    }
    return strncmp(request, "POST /embeddings", 16) == 0 ? count : 0;
}

static inline http_answer embedding_answer(const char *request)
{
    static _Thread_local char body[EMBEDDING_BODY_MAX];
    int count = embedding_count(request);
    size_t used = 0;
    if (embedding_code != 200 || embedding_garbage != NULL || embedding_fault != HTTP_FINE) {
        return (http_answer) { embedding_code, embedding_garbage != NULL ? embedding_garbage : "{}",
                               embedding_fault };
    }
    if (count > embedding_most) {
        return (http_answer) { 400, "too many inputs", HTTP_FINE };
    }
    (void) __atomic_add_fetch(&embedding_inputs, count > 0 ? count : 1, __ATOMIC_RELAXED);
    used = (size_t) snprintf(body, sizeof body, count > 0 ? "{\"data\": [" : "{\"clip\": \"");
    for (int i = 0; i < count; i++) {
        used += (size_t) snprintf(body + used, sizeof body - used,
                                  "%s{\"index\": %d, \"embedding\": ", i > 0 ? "," : "", i);
        used += embedding_vector(body + used, sizeof body - used);
        used += (size_t) snprintf(body + used, sizeof body - used, "}");
    }
    if (count == 0) {
        used += embedding_vector(body + used, sizeof body - used);
    }
    (void) snprintf(body + used, sizeof body - used, count > 0 ? "]}" : "\"}");
    return (http_answer) { 200, body, HTTP_FINE };
}

static inline bool embedding_server_open(void)
{
    bool good = http_server_open(&embedding_server);
    embedding_server.make = embedding_answer;
    return good;
}

/* Well again. */
static inline void embedding_server_cure(void)
{
    embedding_dim = 512;
    embedding_most = 64;
    embedding_code = 200;
    embedding_fault = HTTP_FINE;
    embedding_garbage = NULL;
}

/* HOME/ml.conf; url NULL: the server's. */
static inline bool embedding_configure(const test_library *lib, const char *url, const char *api)
{
    pgc_error err;
    char path[PATH_MAX];
    char text[256];
    pgc_error_clear(&err);
    (void) snprintf(path, sizeof path, "%s/ml.conf", lib->home);
    int length =
        snprintf(text, sizeof text, "url = %s\napi = %s\nmodel = test/model\ntimeout = 1\n",
                 url != NULL ? url : embedding_server.url, api);
    return CHECK_STATUS(file_mkdirs(env_default(), AT_FDCWD, lib->home, 0711, false, &err), PGC_OK,
                        &err) &&
           CHECK_STATUS(file_write_atomic(env_default(), AT_FDCWD, path,
                                          (slice) { text, (size_t) length }, 0600, &err),
                        PGC_OK, &err);
}

#endif
