/* HTTP over libcurl. Easy handles are kept for the connections in them; each belongs to one call at
 * a time, the list of idle ones is under a lock. */
#include "base/prelude.h"

#include "ml/http.h"

#include <curl/curl.h>

#include "base/alloc.h"

#define IDLE_MAX    8
#define CODE_FINE   200
#define KEY_CERTAIN 8 /* characters of a key that no answer holds by chance */

struct http_client {
    const env *env;
    char *url, *key, *ca_file;
    int64_t timeout_us, connect_timeout_us;
    pthread_mutex_t lock; /* guards what follows */
    CURL *idle[IDLE_MAX];
    size_t idle_count;
};

/* What one call gives to libcurl and frees behind it. */
typedef struct call {
    http_client *client;
    CURL *curl;
    curl_mime *mime;
    struct curl_slist *headers;
    char *url;
    buf *answer;
} call;

/* libcurl's global state is made once and kept: other parts of a program may use it as well. */
static void curl_begin(void)
{
    (void) curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Whose traffic nobody else can read. */
static bool is_this_machine(const char *url)
{
    static const char *const HOSTS[] = { "http://localhost", "http://127.0.0.1", "http://[::1]" };
    for (size_t i = 0; i < ARRAY_LEN(HOSTS); i++) {
        size_t length = strlen(HOSTS[i]);
        if (strncmp(url, HOSTS[i], length) == 0 && strchr(":/", url[length]) != NULL) {
            return true; /* strchr() finds the NUL, too */
        }
    }
    return false;
}

static pgc_status options_check(const http_options *options, pgc_error *err)
{
    const char *url = options->url;
    bool tls = strncmp(url, "https://", 8) == 0;
    if (!tls && strncmp(url, "http://", 7) != 0) {
        return pgc_error_set(err, PGC_INVALID, "URL \"%.200s\": use http:// or https://", url);
    }
    if (strchr(url, '@') != NULL) {
        return pgc_error_set(err, PGC_INVALID, "the URL holds a password: use a key instead");
    }
    for (const char *at = url; *at != '\0'; at++) {
        if ((unsigned char) *at <= ' ' || *at == 0x7f) {
            return pgc_error_set(err, PGC_INVALID, "the URL holds a blank or a control character");
        }
    }
    if (options->key != NULL && !tls && !is_this_machine(url)) {
        return pgc_error_set(err, PGC_INVALID,
                             "URL \"%.200s\": a key goes over https:// or stays on this machine",
                             url);
    }
    return PGC_OK;
}

pgc_status http_open(const env *e, const http_options *options, http_client **out, pgc_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    TRY(options_check(options, err));
    (void) pthread_once(&once, curl_begin);
    http_client *client = MEM_NEW(e->alloc, http_client);
    if (client == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open HTTP client");
    }
    client->env = e;
    client->timeout_us = options->timeout_us;
    client->connect_timeout_us = options->connect_timeout_us;
    (void) pthread_mutex_init(&client->lock, NULL);
    client->url = mem_strdup(e->alloc, options->url);
    client->key = options->key != NULL ? mem_strdup(e->alloc, options->key) : NULL;
    client->ca_file = options->ca_file != NULL ? mem_strdup(e->alloc, options->ca_file) : NULL;
    if (client->url == NULL || (options->key != NULL && client->key == NULL) ||
        (options->ca_file != NULL && client->ca_file == NULL)) {
        http_close(client);
        return pgc_error_set(err, PGC_NOMEM, "open HTTP client");
    }
    *out = client;
    return PGC_OK;
}

void http_close(http_client *client)
{
    if (client == NULL) {
        return;
    }
    for (size_t i = 0; i < client->idle_count; i++) {
        curl_easy_cleanup(client->idle[i]);
    }
    (void) pthread_mutex_destroy(&client->lock);
    mem_free_str(client->env->alloc, client->url);
    mem_free_str(client->env->alloc, client->key);
    mem_free_str(client->env->alloc, client->ca_file);
    mem_free(client->env->alloc, client, sizeof *client);
}

/* An idle handle with its open connections, else a new one. */
static CURL *handle_take(http_client *client)
{
    (void) pthread_mutex_lock(&client->lock);
    CURL *curl = client->idle_count > 0 ? client->idle[--client->idle_count] : NULL;
    (void) pthread_mutex_unlock(&client->lock);
    if (curl != NULL) {
        curl_easy_reset(curl); /* keeps connections */
        return curl;
    }
    return curl_easy_init();
}

static void handle_give(http_client *client, CURL *curl)
{
    (void) pthread_mutex_lock(&client->lock);
    bool kept = client->idle_count < IDLE_MAX;
    if (kept) {
        client->idle[client->idle_count++] = curl;
    }
    (void) pthread_mutex_unlock(&client->lock);
    if (!kept) {
        curl_easy_cleanup(curl);
    }
}

static void call_done(call *c)
{
    curl_mime_free(c->mime);
    curl_slist_free_all(c->headers);
    mem_free_str(c->client->env->alloc, c->url);
    if (c->curl != NULL) {
        handle_give(c->client, c->curl);
    }
}

/* Less than was offered makes libcurl end the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    buf *answer = arg;
    buf_add(answer, (slice) { bytes, size * count });
    return answer->failed ? 0 : size * count;
}

static bool header_add(call *c, const char *line)
{
    struct curl_slist *more = curl_slist_append(c->headers, line);
    c->headers = more != NULL ? more : c->headers;
    return more != NULL;
}

static bool headers_make(call *c, const http_request *request)
{
    char line[600];
    bool good = header_add(c, "Expect:"); /* a round trip for nothing */
    if (request->field_count == 0) {
        good = good && header_add(c, "Content-Type: application/json");
    }
    if (c->client->key != NULL) {
        int length = snprintf(line, sizeof line, "Authorization: Bearer %s", c->client->key);
        good = good && length > 0 && (size_t) length < sizeof line && header_add(c, line);
    }
    return good && curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers) == CURLE_OK;
}

/* Copies the values: a second try sends them again. */
static bool body_make(call *c, const http_request *request)
{
    if (request->field_count == 0) {
        return curl_easy_setopt(c->curl, CURLOPT_POST, 1L) == CURLE_OK &&
               curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                (curl_off_t) request->json.len) == CURLE_OK &&
               curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, request->json.ptr) == CURLE_OK;
    }
    c->mime = curl_mime_init(c->curl);
    bool good = c->mime != NULL;
    for (size_t i = 0; good && i < request->field_count; i++) {
        const http_field *field = &request->fields[i];
        curl_mimepart *part = curl_mime_addpart(c->mime);
        good = part != NULL && curl_mime_name(part, field->name) == CURLE_OK &&
               curl_mime_data(part, field->value.ptr, field->value.len) == CURLE_OK;
        if (good && field->file_name != NULL) {
            good = curl_mime_filename(part, field->file_name) == CURLE_OK &&
                   curl_mime_type(part, field->mime) == CURLE_OK;
        }
    }
    return good && curl_easy_setopt(c->curl, CURLOPT_MIMEPOST, c->mime) == CURLE_OK;
}

static bool options_set(call *c)
{
    const http_client *client = c->client;
    CURL *curl = c->curl;
    return curl_easy_setopt(curl, CURLOPT_URL, c->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) (client->timeout_us / 1000)) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                            (long) (client->connect_timeout_us / 1000)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, c->answer) == CURLE_OK &&
           (client->ca_file == NULL ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file) == CURLE_OK);
}

static pgc_status call_make(call *c, const http_request *request, pgc_error *err)
{
    const pgc_alloc *alloc = c->client->env->alloc;
    AUTO(buf_auto) buf url;
    buf_init(&url, alloc, 4096);
    buf_add_str(&url, c->client->url);
    buf_add_str(&url, request->path);
    TRY(buf_finish(&url, err));
    c->url = mem_strdup(alloc, buf_view(&url).ptr);
    c->curl = handle_take(c->client);
    if (c->url == NULL || c->curl == NULL || !options_set(c) || !headers_make(c, request) ||
        !body_make(c, request)) {
        return pgc_error_set(err, PGC_NOMEM, "make an HTTP request");
    }
    return PGC_OK;
}

/* What libcurl says, as those who decide about another try need it. */
static pgc_status failure(CURLcode code, const call *c, pgc_error *err)
{
    const char *why = curl_easy_strerror(code);
    switch ((int) code) {
    case CURLE_OPERATION_TIMEDOUT:
        return pgc_error_set(err, PGC_TIMEOUT, "%.200s: %s", c->client->url, why);
    case CURLE_OUT_OF_MEMORY:
        return pgc_error_set(err, PGC_NOMEM, "HTTP request");
    case CURLE_WRITE_ERROR:
        return pgc_error_set(err, PGC_LIMIT, "%.200s: the answer is longer than %zu bytes",
                             c->client->url, c->answer->max);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return pgc_error_set(err, PGC_DENIED, "%.200s: %s", c->client->url, why);
    default:
        return pgc_error_set(err, PGC_CONNECTION, "%.200s: %s", c->client->url, why);
    }
}

/* A server may say the key again in what it answers, which is told on in messages and kept with
 * jobs. A short key may be part of an embedding by chance: answers that are none are searched. */
static void key_hide(const http_client *client, buf *answer, long code)
{
    size_t length = client->key != NULL ? strlen(client->key) : 0;
    if (length == 0 || answer->len == 0 || (code == CODE_FINE && length < KEY_CERTAIN)) {
        return;
    }
    char *end = answer->ptr + answer->len;
    for (char *at = answer->ptr;
         (at = memmem(at, (size_t) (end - at), client->key, length)) != NULL; at += length) {
        memset(at, '*', length);
    }
}

pgc_status http_post(http_client *client, const http_request *request, buf *answer, long *code,
                     pgc_error *err)
{
    call c = { .client = client, .answer = answer };
    buf_reset(answer);
    pgc_status status = call_make(&c, request, err);
    if (status == PGC_OK) {
        CURLcode result = curl_easy_perform(c.curl);
        status = result == CURLE_OK ? PGC_OK : failure(result, &c, err);
    }
    if (status == PGC_OK) {
        (void) curl_easy_getinfo(c.curl, CURLINFO_RESPONSE_CODE, code);
        key_hide(client, answer, *code);
    }
    call_done(&c);
    return status;
}
