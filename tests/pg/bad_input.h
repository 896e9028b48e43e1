/* Bad values for every parameter of every service call. A row of the table names a call, what kind
 * of value it is asked with, and what the error must say; the kind brings the values. Ann asks;
 * Bob's ids are among them: what is said of those must not differ from what is said of ids that
 * nobody has. */
#ifndef TEST_BAD_INPUT_H
#define TEST_BAD_INPUT_H

#include <regex.h>

#include <pgc/pool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "pgc/result.h"
#include "security.h"
#include "service/session.h"
#include "tap.h"

#define BAD_LONG    (10 * 1024 * 1024)
#define BAD_DIM_MAX 513
#define BAD_VALUES  16
#define BAD_MESSAGE 500 /* bytes; more is not read by anybody */

/* One value, in whichever member the kind uses. */
typedef struct bad_value {
    const char *what;
    slice text;
    pgc_uuid uuid;
    int32_t number;
    double real;
    const float *vector;
    size_t dim;
} bad_value;

typedef enum bad_kind {
    BAD_NAME,       /* text: must be there, must be short */
    BAD_TEXT,       /* text: may be absent or empty */
    BAD_FILE,       /* text: not empty, but for the rest anything that a file may be called */
    BAD_WORD,       /* text: one of a few words */
    BAD_ASSET,      /* uuid */
    BAD_REPOSITORY, /* uuid */
    BAD_SESSION,    /* uuid */
    BAD_ALBUM,      /* number */
    BAD_TAG,        /* number */
    BAD_USER,       /* number */
    BAD_LIMIT,      /* number: rows of a page */
    BAD_OFFSET,     /* number: from 0 on */
    BAD_COUNT,      /* number: of things in a list, none or too many */
    BAD_MANY,       /* number: too many of them */
    BAD_ENUM,       /* number */
    BAD_PART,       /* real: from 0 to 1 */
    BAD_VECTOR,     /* vector and dim */
    BAD_DOCUMENT,   /* text: JSON */
    BAD_CURSOR,     /* text */
} bad_kind;

typedef pgc_status (*bad_call)(const bad_value *value, pgc_error *err);

typedef struct bad_row {
    const char *function;
    bad_kind kind;
    const char *says; /* in each message */
    bad_call call;
    pgc_status want; /* 0: PGC_NOT_FOUND for ids, else PGC_INVALID */
    unsigned flags;
} bad_row;

#define BAD_EMPTY  1U /* ids: an empty answer instead */
#define BAD_STRING 2U /* texts: the call takes C strings, which have no NUL inside */

/* The world that all share. */
static struct {
    const char *url;
    pgc_conn *owner; /* superuser */
    pgc_pool *pool;
    lum_session *session;
    lum_actor ann;
    pgc_uuid own_asset, foreign_asset, own_repository, foreign_repository, foreign_session;
    int32_t own_album, foreign_album, smart_album, own_tag, foreign_tag;
    char *long_text;
    size_t rows;   /* that the last call gave */
    uint64_t seen; /* hash of all cells that they have */
} bad;

/* What a call gave, as one number: two worlds that answer alike give the same. */
static inline void bad_keep(size_t rows, const pgc_result *result)
{
    bad.rows = rows;
    bad.seen = UINT64_C(14695981039346656037) + rows;
    for (size_t i = 0; result != NULL && i < rows * result->columns; i++) {
        int row = (int) (i / result->columns);
        int column = (int) (i % result->columns);
        const char *cell = result->pq->getvalue(result->res, row, column);
        int length = result->pq->getlength(result->res, row, column);
        bad.seen = (bad.seen ^ (uint64_t) length) * UINT64_C(1099511628211);
        for (int j = 0; j < length; j++) {
            bad.seen = (bad.seen ^ (unsigned char) cell[j]) * UINT64_C(1099511628211);
        }
    }
}

/* A call that gives a set of rows; `value` and `err` are in its reach. */
#define BAD_SET(name, set_type, expression)                        \
    static pgc_status name(const bad_value *value, pgc_error *err) \
    {                                                              \
        (void) value;                                              \
        set_type out = PGC_ZERO;                                   \
        pgc_status status = (expression);                          \
        bad_keep(out.count, out.result);                           \
        set_type##_free(&out);                                     \
        return status;                                             \
    }

/* A call that gives something else, which `expression` has to forget. */
#define BAD_PLAIN(name, expression)                                \
    static pgc_status name(const bad_value *value, pgc_error *err) \
    {                                                              \
        (void) value;                                              \
        return (expression);                                       \
    }

/* All rows of all tables as one number, but for what attempts leave behind on purpose. */
static const char BAD_DIGEST_SQL[] =
    "CREATE FUNCTION checks.everything() RETURNS text LANGUAGE plpgsql AS $$ "
    "DECLARE t record; part text; whole text := ''; BEGIN FOR t IN SELECT name FROM checks.tables "
    "WHERE name <> 'auth_limits' ORDER BY name LOOP EXECUTE format('SELECT md5(string_agg(x::text, "
    "'','' ORDER BY x::text)) FROM public.%I x', t.name) INTO part; "
    "whole := whole || t.name || '=' || coalesce(part, '-') || ' '; END LOOP; RETURN whole; END $$";

static inline pgc_uuid bad_ask_uuid(const char *sql)
{
    char text[64];
    char state[6];
    pgc_uuid id = { { 0 } };
    schema_ask(bad.owner, sql, text, sizeof text, state);
    CHECK(pgc_uuid_parse(pgc_text_from(text), &id));
    return id;
}

static inline int32_t bad_ask_number(const char *sql)
{
    char text[64];
    char state[6];
    schema_ask(bad.owner, sql, text, sizeof text, state);
    CHECK(text[0] != '\0');
    return (int32_t) strtol(text, NULL, 10);
}

/* Ann's session, and one to look behind the policies. */
static inline bool bad_connect(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    bad.owner = bad.owner != NULL ? bad.owner : schema_connect(bad.url);
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .struct_size = sizeof options.conn, .conninfo = bad.url, .role = "lumilio_app" },
        .max_conns = 2,
        .min_conns = 1
    };
    if (bad.owner == NULL ||
        !CHECK_STATUS(pgc_pool_open(&options, &bad.pool, &err), PGC_OK, &err) ||
        !CHECK_STATUS(lum_session_open(bad.pool, 1, &bad.session, &err), PGC_OK, &err)) {
        return false;
    }
    bad.ann = lum_session_actor(bad.session);
    return true;
}

/* A database with rows of both, and what has which id in it. */
static inline bool bad_make(void)
{
    char got[8];
    char state[6];
    bad.owner = security_open(&bad.url);
    if (bad.owner == NULL) {
        return false;
    }
    schema_ask(bad.owner, BAD_DIGEST_SQL, got, sizeof got, state);
    (void) bad_ask_number("SELECT setval('users_user_id_seq', 1000)");
    bad.own_asset = bad_ask_uuid("SELECT asset_id FROM assets WHERE owner_id = 1");
    bad.foreign_asset = bad_ask_uuid("SELECT asset_id FROM assets WHERE owner_id = 2");
    bad.own_repository = bad_ask_uuid("SELECT repo_id FROM repositories WHERE owner_id = 1");
    bad.foreign_repository = bad_ask_uuid("SELECT repo_id FROM repositories WHERE owner_id = 2");
    bad.foreign_session = bad_ask_uuid("SELECT session_id FROM auth_sessions WHERE user_id = 2");
    bad.own_album = bad_ask_number("SELECT album_id FROM albums WHERE owner_id = 1");
    bad.foreign_album = bad_ask_number("SELECT album_id FROM albums WHERE owner_id = 2");
    bad.smart_album = bad_ask_number("INSERT INTO albums (name, owner_id, filter) VALUES ('smart', "
                                     "1, '{\"liked\": true}') RETURNING album_id");
    bad.own_tag = bad_ask_number("SELECT tag_id FROM tags WHERE owner_id = 1");
    bad.foreign_tag = bad_ask_number("SELECT tag_id FROM tags WHERE owner_id = 2");
    bad.long_text = malloc(BAD_LONG);
    if (bad.long_text != NULL) {
        memset(bad.long_text, 'x', BAD_LONG);
    }
    return state[0] == '\0' && bad.long_text != NULL;
}

static inline bool bad_open(void)
{
    return bad_make() && bad_connect();
}

static inline void bad_close(void)
{
    lum_session_close(bad.session);
    if (bad.pool != NULL) {
        pgc_pool_close(bad.pool);
    }
    pgc_conn_close(bad.owner);
    test_db_drop(bad.url);
    free(bad.long_text);
}

#define BAD_TEXT_OF(name, literal) ((bad_value) { .what = (name), .text = SLICE(literal) })
#define BAD_NUMBER(value)          ((bad_value) { .what = #value, .number = (value) })
#define BAD_REAL(value)            ((bad_value) { .what = #value, .real = (value) })

static inline size_t bad_texts(bad_kind kind, bad_value *out)
{
    size_t n = 0;
    out[n++] = (bad_value) { .what = "10 MB", .text = { bad.long_text, BAD_LONG } };
    out[n++] = BAD_TEXT_OF("invalid UTF-8", "a\xff\xfe");
    out[n++] = BAD_TEXT_OF("half a character", "a\xe2\x82");
    out[n++] = BAD_TEXT_OF("a surrogate", "\xed\xa0\x80");
    out[n++] = BAD_TEXT_OF("a NUL", "a\0b");
    if (kind != BAD_TEXT) {
        out[n++] = BAD_TEXT_OF("empty", "");
    }
    if (kind == BAD_NAME || kind == BAD_WORD) {
        out[n++] = BAD_TEXT_OF("blank", " \t ");
    }
    if (kind == BAD_WORD) {
        out[n++] = BAD_TEXT_OF("another word", "elephant");
        out[n++] = BAD_TEXT_OF("with quotes", "photo'; DROP TABLE assets; --");
        out[n++] = BAD_TEXT_OF("with an escape sequence", "\x1b[2Jphoto");
    }
    return n;
}

static inline size_t bad_documents(bad_value *out)
{
    size_t n = bad_texts(BAD_NAME, out);
    out[n++] = BAD_TEXT_OF("cut off", "{\"rating\": ");
    out[n++] = BAD_TEXT_OF("a list", "[1, 2]");
    out[n++] = BAD_TEXT_OF("unknown name", "{\"elephant\": 1}");
    out[n++] = BAD_TEXT_OF("a name twice", "{\"rating\": 1, \"rating\": 2}");
    out[n++] = BAD_TEXT_OF("rating 6", "{\"rating\": 6}");
    out[n++] = BAD_TEXT_OF("wrong type", "{\"liked\": \"maybe\"}");
    out[n++] = BAD_TEXT_OF("something behind", "{\"rating\": 1} x");
    out[n++] = BAD_TEXT_OF("NaN", "{\"rating\": NaN}");
    return n;
}

static inline size_t bad_vectors(bad_value *out)
{
    static float all[7][BAD_DIM_MAX];
    static const char *const NAMES[] = { "NaN",      "infinity",       "-infinity",     "zero",
                                         "too many", "one is lacking", "one of nothing" };
    static const size_t DIMS[] = { 512, 512, 512, 512, 513, 511, 0 };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        for (size_t j = 0; j < BAD_DIM_MAX; j++) {
            all[i][j] = i == 3 ? 0 : 1;
        }
        out[i] = (bad_value) { .what = NAMES[i], .vector = all[i], .dim = DIMS[i] };
    }
    all[0][7] = NAN;
    all[1][8] = INFINITY;
    all[2][511] = -INFINITY;
    return ARRAY_LEN(NAMES);
}

/* First the foreign one, then those that nobody has. */
static inline size_t bad_ids(pgc_uuid foreign, bad_value *out)
{
    out[0] = (bad_value) { .what = "foreign", .uuid = foreign };
    out[1] = (bad_value) { .what = "unknown", .uuid = { "0123456789abcde" } };
    out[2] = (bad_value) { .what = "all zero", .uuid = { { 0 } } };
    return 3;
}

static inline size_t bad_numbers(int32_t foreign, bad_value *out)
{
    out[0] = (bad_value) { .what = "foreign", .number = foreign };
    out[1] = BAD_NUMBER(2000000000);
    out[2] = BAD_NUMBER(0);
    out[3] = BAD_NUMBER(-1);
    out[4] = BAD_NUMBER(INT32_MIN);
    out[5] = BAD_NUMBER(INT32_MAX);
    return 6;
}

static inline size_t bad_scalars(bad_kind kind, bad_value *out)
{
    static const int32_t LIMITS[] = { 0, -1, 1001, INT32_MIN, INT32_MAX };
    static const int32_t OFFSETS[] = { -1, INT32_MIN };
    static const int32_t COUNTS[] = { 0, 1001 };
    static const int32_t ENUMS[] = { 77, -1, INT32_MAX };
    static const double PARTS[] = { -0.1, 1.5, (double) NAN, (double) INFINITY, -1e300 };
    size_t n = 0;
    const int32_t *numbers = kind == BAD_LIMIT    ? LIMITS
                             : kind == BAD_OFFSET ? OFFSETS
                             : kind == BAD_COUNT  ? COUNTS
                             : kind == BAD_MANY   ? COUNTS + 1
                                                  : ENUMS;
    size_t count = kind == BAD_LIMIT    ? ARRAY_LEN(LIMITS)
                   : kind == BAD_OFFSET ? ARRAY_LEN(OFFSETS)
                   : kind == BAD_COUNT  ? ARRAY_LEN(COUNTS)
                   : kind == BAD_MANY   ? 1
                   : kind == BAD_ENUM   ? ARRAY_LEN(ENUMS)
                                        : 0;
    for (; n < count; n++) {
        out[n] = (bad_value) { .what = "number", .number = numbers[n] };
    }
    for (size_t i = 0; kind == BAD_PART && i < ARRAY_LEN(PARTS); i++) {
        out[n++] = (bad_value) { .what = "number", .real = PARTS[i] };
    }
    return n;
}

static inline size_t bad_values(bad_kind kind, bad_value out[static BAD_VALUES])
{
    switch (kind) {
    case BAD_NAME:
    case BAD_TEXT:
    case BAD_FILE:
    case BAD_WORD:
        return bad_texts(kind, out);
    case BAD_CURSOR:
        return bad_texts(BAD_WORD, out);
    case BAD_DOCUMENT:
        return bad_documents(out);
    case BAD_ASSET:
        return bad_ids(bad.foreign_asset, out);
    case BAD_REPOSITORY:
        return bad_ids(bad.foreign_repository, out);
    case BAD_SESSION:
        return bad_ids(bad.foreign_session, out);
    case BAD_ALBUM:
        return bad_numbers(bad.foreign_album, out);
    case BAD_TAG:
        return bad_numbers(bad.foreign_tag, out);
    case BAD_USER:
        return bad_numbers(2000000000, out);
    case BAD_VECTOR:
        return bad_vectors(out);
    case BAD_LIMIT:
    case BAD_OFFSET:
    case BAD_COUNT:
    case BAD_MANY:
    case BAD_ENUM:
    case BAD_PART:
        break;
    }
    return bad_scalars(kind, out);
}

static inline bool bad_is_id(bad_kind kind)
{
    return kind >= BAD_ASSET && kind <= BAD_USER;
}

/* A message for people: short, printable, about the thing, and not in the server's words. */
static inline bool bad_readable(const pgc_error *err, const char *says)
{
    static const char *const MACHINE[] = { "violates",       "syntax",       "relation ",
                                           "null value",     "pg_",          "column \"",
                                           "parameter ",     "invalid byte", "constraint",
                                           "type character", "policy",       "permission" };
    slice message = pgc_text_from(err->message);
    bool good = message.len > 0 && message.len <= BAD_MESSAGE && slice_is_utf8(message) &&
                strstr(err->message, says) != NULL;
    for (size_t i = 0; i < message.len; i++) {
        good = good && (unsigned char) message.ptr[i] >= ' ' && message.ptr[i] != 0x7f;
    }
    for (size_t i = 0; i < ARRAY_LEN(MACHINE); i++) {
        good = good && strstr(err->message, MACHINE[i]) == NULL;
    }
    return good;
}

/* What an error tells besides the id: digits and hex are taken out. */
static inline void bad_tell(const pgc_error *err, char out[static 2048])
{
    size_t used = 0;
    int length = snprintf(out, 2048, "%d|%s|%s|%s|%s|%s", (int) err->status, err->sqlstate,
                          err->constraint, err->message, err->detail, err->hint);
    for (int i = 0; i < length && i < 2047; i++) {
        if (strchr("0123456789abcdef-", out[i]) == NULL) {
            out[used++] = out[i];
        }
    }
    out[used] = '\0';
}

static inline void bad_try(const bad_row *row, const bad_value *value, char told[static 2048])
{
    pgc_error err;
    pgc_error_clear(&err);
    bad.rows = 0;
    pgc_status want = (row->flags & BAD_EMPTY) != 0 ? PGC_OK
                      : row->want != PGC_OK         ? row->want
                      : bad_is_id(row->kind)        ? PGC_NOT_FOUND
                                                    : PGC_INVALID;
    bool good = CHECK_STATUS(row->call(value, &err), want, &err) && CHECK_INT(bad.rows, 0);
    if (good && want != PGC_OK) {
        good = CHECK(bad_readable(&err, row->says));
    }
    if (!good) {
        (void) printf("#   %s, %s (%" PRId32 ", %g): \"%s\" [%s]\n", row->function, value->what,
                      value->number, value->real, err.message, err.sqlstate);
    }
    bad_tell(&err, told);
}

static inline void bad_run(const bad_row *rows, size_t count)
{
    bad_value values[BAD_VALUES];
    char before[4096];
    char now[4096];
    char first[2048];
    char told[2048];
    char state[6];
    size_t tried = 0;
    schema_ask(bad.owner, "SELECT checks.everything()", before, sizeof before, state);
    CHECK_STR(state, "");
    for (size_t i = 0; i < count; i++) {
        size_t n = bad_values(rows[i].kind, values);
        for (size_t j = 0; j < n; j++, tried++) {
            if ((rows[i].flags & BAD_STRING) != 0 && strcmp(values[j].what, "a NUL") == 0) {
                continue;
            }
            bad_try(&rows[i], &values[j], j == 0 ? first : told);
            if (bad_is_id(rows[i].kind) && j > 0 && !CHECK_STR(told, first)) {
                (void) printf("#   %s tells foreign from unknown\n", rows[i].function);
            }
        }
        schema_ask(bad.owner, "SELECT checks.everything()", now, sizeof now, state);
        if (!CHECK_STR(now, before)) {
            (void) printf("#   %s has changed something\n", rows[i].function);
            memcpy(before, now, sizeof before);
        }
    }
    (void) printf("# %zu calls with %zu bad values\n", count, tried);
}

#endif
