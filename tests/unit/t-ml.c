/* Embedders against a server of the test: what is asked, what is taken from an answer, and what an
 * answer may not be. Times pass on a clock of the test; only the sockets are real. */
#include "base/prelude.h"

#include <openssl/evp.h>
#include <pgc/error.h>

#include "http_server.h"
#include "ml/embedder.h"
#include "tap.h"
#include "tmpdir.h"

#define TEXT_SIZE 65536

static http_server server;
static char text[TEXT_SIZE];

/* The environment of the program with a clock whose sleeps take no time. */
static const env *quick_env(void)
{
    static env quick;
    static clock_fake fake;
    quick = *env_default();
    clock_fake_init(&fake, 0, 7);
    quick.clock = &fake.ops;
    return &quick;
}

static ml_embedder *embedder(ml_api api, uint32_t tries, pgc_error *err)
{
    ml_embedder *e = NULL;
    const ml_options options = {
        .api = api, .url = server.url, .timeout_us = 20 * 1000000, .tries = tries, .batch = 2
    };
    pgc_error_clear(err);
    CHECK_STATUS(ml_open(quick_env(), &options, &e, err), PGC_OK, err);
    return e;
}

/* "[v,v,…]" of so many dimensions, the first one as given. */
static const char *numbers(size_t dim, const char *first)
{
    static char out[TEXT_SIZE / 2];
    size_t used = (size_t) snprintf(out, sizeof out, "[%s", first);
    for (size_t i = 1; i < dim; i++) {
        used += (size_t) snprintf(out + used, sizeof out - used, ",0.25");
    }
    (void) snprintf(out + used, sizeof out - used, "]");
    return out;
}

static const char *immich(const char *array)
{
    (void) snprintf(text, sizeof text, "{\"clip\": \"%s\"}", array);
    return text;
}

/* One text; the status. */
static pgc_status ask_text(ml_embedder *e, float (*out)[ML_DIM], pgc_error *err)
{
    const ml_input input = { .kind = ML_TEXT, .bytes = SLICE("a \"dog\"\n") };
    pgc_error_clear(err);
    return ml_embed(e, "model-x", &input, 1, out, err);
}

static bool says(const pgc_error *err, const char *part)
{
    bool has = strstr(err->message, part) != NULL;
    if (!has) {
        (void) printf("# \"%s\" lacks \"%s\"\n", err->message, part);
    }
    return has;
}

static void say(const char *body)
{
    const http_answer answer = { .code = 200, .body = body };
    http_server_say(&server, &answer, 1);
}

static void begins(void)
{
    (void) unsetenv("http_proxy");
    REQUIRE(CHECK(http_server_open(&server)));
}

static void ends(void)
{
    http_server_close(&server);
    CHECK(server.answer_count > 0);
}

static void immich_is_asked_as_it_wants(void)
{
    pgc_error err;
    float v[1][ML_DIM];
    ml_embedder *e = embedder(ML_API_IMMICH, 1, &err);
    REQUIRE(e != NULL);
    say(immich(numbers(ML_DIM, "-0.5")));
    CHECK_STATUS(ask_text(e, v, &err), PGC_OK, &err);
    CHECK(fabsf(v[0][0] + 0.5f) < 1e-6f && fabsf(v[0][511] - 0.25f) < 1e-6f);
    CHECK(http_server_got(&server, "POST /predict HTTP/1.1"));
    CHECK(http_server_got(&server, "multipart/form-data"));
    CHECK(http_server_got(&server, "{\"clip\":{\"textual\":{\"modelName\":\"model-x\"}}}"));
    CHECK(http_server_got(&server, "name=\"text\"\r\n\r\na \"dog\"\n"));
    const ml_input image = { ML_IMAGE, SLICE("RIFF\0binary"), "image/webp" };
    CHECK_STATUS(ml_embed(e, "model-x", &image, 1, v, &err), PGC_OK, &err);
    CHECK(http_server_got(&server, "\"visual\""));
    CHECK(http_server_got(&server, "Content-Type: image/webp"));
    CHECK(http_server_got(&server, "name=\"image\"; filename="));
    ml_close(e);
}

/* {"object": "embedding", "index": …, "embedding": base64} for each, last first. */
static const char *openai(size_t count)
{
    static unsigned char bytes[ML_DIM * 4];
    static unsigned char base64[ML_DIM * 8];
    size_t used = (size_t) snprintf(text, sizeof text, "{\"data\": [");
    for (size_t i = count; i-- > 0;) {
        float v[ML_DIM] = { (float) (i + 1), 0.5f };
        memcpy(bytes, v, sizeof v); /* tests run on little-endian machines */
        (void) EVP_EncodeBlock(base64, bytes, sizeof bytes);
        used += (size_t) snprintf(text + used, sizeof text - used,
                                  "%s{\"index\": %zu, \"embedding\": \"%s\"}",
                                  i + 1 < count ? "," : "", i, base64);
    }
    (void) snprintf(text + used, sizeof text - used, "]}");
    return text;
}

static void openai_is_asked_in_batches(void)
{
    pgc_error err;
    float v[4][ML_DIM];
    const ml_input inputs[] = { { ML_TEXT, SLICE("a"), NULL },
                                { ML_TEXT, SLICE("b\x01"), NULL },
                                { ML_TEXT, SLICE("c"), NULL },
                                { ML_TEXT, SLICE("d"), NULL } };
    ml_embedder *e = embedder(ML_API_OPENAI, 1, &err);
    REQUIRE(e != NULL);
    say(openai(2));
    CHECK_STATUS(ml_embed(e, "m", inputs, 2, v, &err), PGC_OK, &err);
    CHECK(http_server_got(&server, "POST /embeddings HTTP/1.1"));
    CHECK(http_server_got(&server, "\"input\":[\"a\",\"b\\u0001\"]"));
    CHECK(http_server_got(&server, "\"encoding_format\":\"base64\",\"modality\":\"text\""));
    CHECK(fabsf(v[0][0] - 1) < 1e-6f && fabsf(v[1][0] - 2) < 1e-6f); /* by index, not by place */
    say(openai(2));
    CHECK_STATUS(ml_embed(e, "m", inputs, 4, v, &err), PGC_OK, &err);
    CHECK_INT(http_server_asked(&server), 2);
    CHECK(fabsf(v[3][0] - 2) < 1e-6f);
    const ml_input image = { ML_IMAGE, SLICE("abcd"), "image/webp" };
    say(openai(1));
    CHECK_STATUS(ml_embed(e, "m", &image, 1, v, &err), PGC_OK, &err);
    CHECK(http_server_got(&server, "\"data:image/webp;base64,YWJjZA==\""));
    ml_close(e);
}

static void hostile_answers_are_refused(void)
{
    static const char *const WRONG[] = {
        "",
        "no json",
        "{",
        "[]",
        "{}",
        "{\"clip\": 1}",
        "{\"clip\": \"\"}",
        "{\"clip\": \"[1, 2]\"}",
        "{\"clip\": \"{}\"}",
        "{\"clip\": [NaN]}",
        "{\"data\": []}",
        "{\"data\": 1}",
        "{\"data\": [1]}",
        "{\"data\": [{\"index\": 0}]}",
        "{\"data\": [{\"index\": 1, \"embedding\": []}]}",
        "{\"data\": [{\"index\": 0, \"embedding\": \"AAAA\"}]}",
        "{\"data\": [{\"index\": 0, \"embedding\": [1]}]}",
    };
    pgc_error err;
    float v[1][ML_DIM] = { { 42 } };
    for (int api = ML_API_IMMICH; api <= ML_API_OPENAI; api++) {
        ml_embedder *e = embedder((ml_api) api, 3, &err);
        REQUIRE(e != NULL);
        for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
            say(WRONG[i]);
            pgc_status status = ask_text(e, v, &err);
            CHECK(status == PGC_PROTOCOL ||
                  (status == PGC_UNSUPPORTED && says(&err, "dimensions, not 512")));
            CHECK_INT(http_server_asked(&server), 1); /* asking again would not help */
        }
        ml_close(e);
    }
}

static void wrong_numbers_are_refused(void)
{
    pgc_error err;
    float v[1][ML_DIM];
    ml_embedder *e = embedder(ML_API_IMMICH, 1, &err);
    REQUIRE(e != NULL);
    static const size_t DIMS[] = { 511, 513, 768 };
    for (size_t i = 0; i < ARRAY_LEN(DIMS); i++) {
        say(immich(numbers(DIMS[i], "1")));
        CHECK_STATUS(ask_text(e, v, &err), PGC_UNSUPPORTED, &err);
        CHECK(says(&err, "dimensions, not 512"));
    }
    static const char *const NUMBERS[] = {
        "NaN", "Infinity", "1e999", "null", "true", "\\\"1\\\""
    };
    for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++) {
        say(immich(numbers(ML_DIM, NUMBERS[i])));
        CHECK_STATUS(ask_text(e, v, &err), PGC_PROTOCOL, &err);
    }
    say(immich(numbers(ML_DIM, "1e60"))); /* a double, but no float */
    CHECK_STATUS(ask_text(e, v, &err), PGC_PROTOCOL, &err);
    CHECK(says(&err, "not finite"));
    ml_close(e);
}

static void nan_and_zero_in_base64_are_refused(void)
{
    static unsigned char base64[ML_DIM * 8];
    static const float FIRST[] = { NAN, INFINITY, 0 };
    pgc_error err;
    float out[1][ML_DIM];
    ml_embedder *e = embedder(ML_API_OPENAI, 1, &err);
    REQUIRE(e != NULL);
    for (size_t i = 0; i < ARRAY_LEN(FIRST); i++) {
        float v[ML_DIM] = { FIRST[i] };
        unsigned char bytes[sizeof v];
        memcpy(bytes, v, sizeof v);
        (void) EVP_EncodeBlock(base64, bytes, sizeof bytes);
        (void) snprintf(text, sizeof text, "{\"data\": [{\"index\": 0, \"embedding\": \"%s\"}]}",
                        base64);
        say(text);
        CHECK_STATUS(ask_text(e, out, &err), PGC_PROTOCOL, &err);
        CHECK(says(&err, i < 2 ? "not finite" : "zero"));
    }
    base64[5] = '!';
    (void) snprintf(text, sizeof text, "{\"data\": [{\"index\": 0, \"embedding\": \"%s\"}]}",
                    base64);
    say(text);
    CHECK_STATUS(ask_text(e, out, &err), PGC_PROTOCOL, &err);
    ml_close(e);
}

static void trouble_is_tried_again(void)
{
    pgc_error err;
    float v[1][ML_DIM];
    const char *good = immich(numbers(ML_DIM, "1"));
    static const http_answer BAD[] = {
        { 503, "busy", HTTP_FINE },   { 429, "slowly", HTTP_FINE }, { 500, "", HTTP_FINE },
        { 200, "", HTTP_CLOSE },      { 200, "half", HTTP_CUT },    { 200, "", HTTP_NOISE },
        { 404, "no api", HTTP_FINE },
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        ml_embedder *e = embedder(ML_API_IMMICH, 3, &err);
        REQUIRE(e != NULL);
        const http_answer answers[] = { BAD[i], BAD[i], { 200, good, HTTP_FINE } };
        http_server_say(&server, answers, 3);
        CHECK_STATUS(ask_text(e, v, &err), PGC_OK, &err);
        CHECK(http_server_asked(&server) >= 3);
        http_server_say(&server, &BAD[i], 1);
        CHECK_STATUS(ask_text(e, v, &err), PGC_CONNECTION, &err);
        ml_close(e);
    }
}

static void refusals_are_not_tried_again(void)
{
    static const struct {
        int code;
        pgc_status want;
    } CODES[] = { { 400, PGC_INVALID }, { 422, PGC_INVALID },  { 401, PGC_DENIED },
                  { 403, PGC_DENIED },  { 302, PGC_PROTOCOL }, { 204, PGC_PROTOCOL } };
    pgc_error err;
    float v[1][ML_DIM];
    ml_embedder *e = embedder(ML_API_OPENAI, 3, &err);
    REQUIRE(e != NULL);
    for (size_t i = 0; i < ARRAY_LEN(CODES); i++) {
        const http_answer answer = { CODES[i].code, "why \x1b[2J not", HTTP_FINE };
        http_server_say(&server, &answer, 1);
        CHECK_STATUS(ask_text(e, v, &err), CODES[i].want, &err);
        CHECK_INT(http_server_asked(&server), 1);
        CHECK(strchr(err.message, '\x1b') == NULL);
    }
    ml_close(e);
}

/* Servers and proxies that quote the request: the key must not get into messages and job errors. */
static void a_key_that_comes_back_is_not_told_on(void)
{
    static const char *const KEYS[] = { "s3cret", "a-much-longer-secret" };
    pgc_error err;
    float v[1][ML_DIM];
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        const ml_options options = { .url = server.url, .key = KEYS[i], .tries = 1 };
        ml_embedder *e = NULL;
        REQUIRE_OK(ml_open(quick_env(), &options, &e, &err), &err);
        for (size_t j = 0; j <= i; j++) { /* a short one is hidden in refusals only */
            char body[200];
            (void) snprintf(body, sizeof body, "{\"clip\": \"%s, %s\"}", KEYS[i], KEYS[i]);
            const http_answer answer = { j == 0 ? 401 : 200, body, HTTP_FINE };
            http_server_say(&server, &answer, 1);
            CHECK_STATUS(ask_text(e, v, &err), j == 0 ? PGC_DENIED : PGC_PROTOCOL, &err);
            CHECK(strstr(err.message, KEYS[i]) == NULL);
            CHECK(j > 0 || says(&err, "******"));
        }
        ml_close(e);
    }
}

static void endless_answers_are_cut_off(void)
{
    pgc_error err;
    float v[1][ML_DIM];
    ml_embedder *e = embedder(ML_API_IMMICH, 3, &err);
    REQUIRE(e != NULL);
    const http_answer answer = { 200, "{\"clip\": \"[1, 2, 3, 4, 5, 6, 7, 8, 9]\"}   ", HTTP_HUGE };
    http_server_say(&server, &answer, 1);
    CHECK_STATUS(ask_text(e, v, &err), PGC_LIMIT, &err);
    CHECK_INT(http_server_asked(&server), 1);
    ml_close(e);
}

static void silence_ends_at_the_time_out(void)
{
    pgc_error err;
    float v[1][ML_DIM];
    ml_embedder *e = NULL;
    const ml_options options = {
        .api = ML_API_IMMICH, .url = server.url, .timeout_us = 50000, .tries = 2
    };
    REQUIRE_OK(ml_open(quick_env(), &options, &e, &err), &err);
    const http_answer answer = { 200, "", HTTP_HANG };
    http_server_say(&server, &answer, 1);
    CHECK_STATUS(ask_text(e, v, &err), PGC_TIMEOUT, &err);
    ml_close(e);
}

static void nobody_there_is_a_lost_connection(void)
{
    pgc_error err;
    float v[1][ML_DIM];
    ml_embedder *e = NULL;
    const ml_options options = { .api = ML_API_OPENAI, .url = "http://127.0.0.1:1", .tries = 2 };
    REQUIRE_OK(ml_open(quick_env(), &options, &e, &err), &err);
    CHECK_STATUS(ask_text(e, v, &err), PGC_CONNECTION, &err);
    CHECK(says(&err, "embed by model model-x"));
    ml_close(e);
}

static void urls_and_keys_are_checked(void)
{
    static const struct {
        const char *url, *key;
        bool good;
    } CASES[] = {
        { "http://127.0.0.1:3003", "key", true }, { "http://localhost", "key", true },
        { "https://ml.example", "key", true },    { "http://ml.example", NULL, true },
        { "http://ml.example", "key", false },    { "http://localhost.evil.example", "key", false },
        { "ftp://ml.example", NULL, false },      { "ml.example", NULL, false },
        { "http://u:p@ml.example", NULL, false }, { "http://ml.example/\r\nX: y", NULL, false },
    };
    pgc_error err;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        ml_embedder *e = NULL;
        const ml_options options = { .url = CASES[i].url, .key = CASES[i].key };
        pgc_status status = ml_open(NULL, &options, &e, &err);
        if (!CHECK(status == (CASES[i].good ? PGC_OK : PGC_INVALID))) {
            (void) printf("# %s: %s\n", CASES[i].url, err.message);
        }
        ml_close(e);
    }
    pgc_error_clear(&err);
    float v[1][ML_DIM];
    ml_embedder *e = NULL;
    const ml_options options = { .url = server.url, .key = "s3cret", .tries = 1 };
    REQUIRE_OK(ml_open(NULL, &options, &e, &err), &err);
    say(immich(numbers(ML_DIM, "1")));
    CHECK_STATUS(ask_text(e, v, &err), PGC_OK, &err);
    CHECK(http_server_got(&server, "Authorization: Bearer s3cret\r\n"));
    ml_close(e);
}

static void wrong_inputs_reach_nobody(void)
{
    pgc_error err;
    float v[2][ML_DIM];
    ml_embedder *e = embedder(ML_API_OPENAI, 1, &err);
    REQUIRE(e != NULL);
    const ml_input wrong[][2] = {
        { { ML_TEXT, SLICE(""), NULL }, { ML_TEXT, SLICE("x"), NULL } },
        { { ML_TEXT, SLICE("x"), NULL }, { ML_IMAGE, SLICE("x"), "image/webp" } },
        { { ML_TEXT, SLICE("\xff"), NULL }, { ML_TEXT, SLICE("x"), NULL } },
        { { ML_IMAGE, SLICE("x"), NULL }, { ML_IMAGE, SLICE("x"), "image/webp" } },
        { { ML_TEXT, { text, ML_TEXT_MAX + 1 }, NULL }, { ML_TEXT, SLICE("x"), NULL } },
    };
    say("{}");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        CHECK_STATUS(ml_embed(e, "m", wrong[i], 2, v, &err), PGC_INVALID, &err);
    }
    CHECK_INT(http_server_asked(&server), 0);
    ml_close(e);
}

/* One file's content; what reading it gives. */
static pgc_status configure(const tmpdir *home, const char *content, ml_config *out, pgc_error *err)
{
    pgc_error_clear(err);
    CHECK_STATUS(
        file_write_atomic(env_default(), home->fd, "ml.conf", pgc_text_from(content), 0600, err),
        PGC_OK, err);
    return ml_config_read(NULL, home->path, out, err);
}

static void file_and_environment_configure(void)
{
    pgc_error err;
    ml_config c;
    char content[256];
    tmpdir home = tmpdir_make();
    REQUIRE(home.fd >= 0);
    REQUIRE_OK(ml_config_read(NULL, home.path, &c, &err), &err);
    CHECK_STR(c.url, "");
    CHECK_STATUS(file_write_atomic(env_default(), home.fd, "key", SLICE(" abc \n"), 0600, &err),
                 PGC_OK, &err);
    (void) snprintf(content, sizeof content,
                    "# ours\n\n url = http://ml:3003/ \napi=openai\nmodel = m\ntimeout = 7\n"
                    "key_file = %s/key",
                    home.path);
    REQUIRE_OK(configure(&home, content, &c, &err), &err);
    CHECK_STR(c.url, "http://ml:3003");
    CHECK_STR(c.model, "m");
    CHECK_STR(c.key, "abc");
    CHECK_INT(c.api, ML_API_OPENAI);
    CHECK_INT(c.timeout_us, 7000000);
    (void) setenv("LUMILIO_ML_URL", "https://other", 1);
    REQUIRE_OK(ml_config_read(NULL, home.path, &c, &err), &err);
    CHECK_STR(c.url, "https://other");
    (void) setenv("LUMILIO_ML_TIMEOUT", "soon", 1);
    CHECK_STATUS(ml_config_read(NULL, home.path, &c, &err), PGC_INVALID, &err);
    CHECK(says(&err, "LUMILIO_ML_TIMEOUT"));
    (void) unsetenv("LUMILIO_ML_URL");
    (void) unsetenv("LUMILIO_ML_TIMEOUT");
    REQUIRE_OK(configure(&home, "url = http://ml", &c, &err), &err);
    CHECK_STR(c.model, ML_IMMICH_MODEL);
    static const char *const WRONG[] = { "url",      "speed = 3",   "api = grpc",
                                         "model =",  "timeout = 0", "api = openai\nurl = http://x",
                                         "key = abc" };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        CHECK_STATUS(configure(&home, WRONG[i], &c, &err), PGC_INVALID, &err);
    }
    CHECK_STATUS(configure(&home, "key_file = /nowhere/at/all", &c, &err), PGC_NOT_FOUND, &err);
    ml_embedder *e = (ml_embedder *) &home; /* must be set */
    c.url[0] = '\0';
    REQUIRE_OK(ml_open_configured(NULL, &c, 1, 0, &e, &err), &err);
    CHECK(e == NULL);
    tmpdir_remove(&home);
}

TAP_MAIN(TAP("ml: a server of the test listens", begins),
         TAP("ml: Immich is asked as it wants", immich_is_asked_as_it_wants),
         TAP("ml: OpenAI's API is asked in batches, answers go by index",
             openai_is_asked_in_batches),
         TAP("ml: answers that are none are refused", hostile_answers_are_refused),
         TAP("ml: other dimensions and wrong numbers are refused", wrong_numbers_are_refused),
         TAP("ml: NaN and zero in base64 are refused", nan_and_zero_in_base64_are_refused),
         TAP("ml: trouble is tried again", trouble_is_tried_again),
         TAP("ml: refusals are not tried again, and cannot paint", refusals_are_not_tried_again),
         TAP("ml: endless answers are cut off", endless_answers_are_cut_off),
         TAP("ml: silence ends at the time-out", silence_ends_at_the_time_out),
         TAP("ml: nobody there is a lost connection", nobody_there_is_a_lost_connection),
         TAP("ml: a key that comes back is not told on", a_key_that_comes_back_is_not_told_on),
         TAP("ml: URLs and keys are checked", urls_and_keys_are_checked),
         TAP("ml: wrong inputs reach nobody", wrong_inputs_reach_nobody),
         TAP("ml: file and environment configure", file_and_environment_configure),
         TAP("ml: the server ends", ends))
