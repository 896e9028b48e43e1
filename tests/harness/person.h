/* People in a test's library, and rows of theirs. */
#ifndef TEST_PERSON_H
#define TEST_PERSON_H

#include "base/slice.h"
#include "base/uuid.h"
#include "library.h"
#include "service/asset.h"
#include "tap.h"

typedef struct person {
    int32_t id;
    lum_session *session;
    lum_actor actor;
} person;

static inline void person_done(person *p)
{
    lum_session_close(p->session);
}

static inline bool person_make(test_library *lib, person *p, const char *name)
{
    pgc_error err;
    pgc_error_clear(&err);
    pgc_pool *pool = lum_library_pool(lib->library);
    p->session = NULL;
    bool good = CHECK_STATUS(lum_user_ensure(pool, name, &p->id, &err), PGC_OK, &err) &&
                CHECK_STATUS(lum_session_open(pool, p->id, &p->session, &err), PGC_OK, &err);
    if (good) {
        p->actor = lum_session_actor(p->session);
    }
    return good;
}

/* A photo's row, to be changed before it is added; later ones are newer. */
static inline repo_create_asset_params person_photo_of(const person *owner, const char *name,
                                                       const char *hash)
{
    static int64_t seconds = 1700000000;
    repo_create_asset_params row = { .original_filename = pgc_text_from(name),
                                     .file_path = pgc_text_from("inbox/2024/05/x.jpg"),
                                     .file_size = 1000,
                                     .file_hash = pgc_text_from(hash),
                                     .asset_type = pgc_text_from("photo"),
                                     .owner_id = owner->id,
                                     .uploaded_at =
                                         pgc_timestamptz_from_unix_us(seconds++ * 1000000) };
    CHECK(uuid_v7(env_default()->clock, &row.asset_id));
    return row;
}

/* The same, with a content that nothing else has. */
static inline repo_create_asset_params person_photo(const person *owner, const char *name)
{
    static unsigned number;
    static char hash[32];
    (void) snprintf(hash, sizeof hash, "sha256:%u", number++);
    return person_photo_of(owner, name, hash);
}

static inline pgc_uuid person_add_row(const person *owner, const repo_create_asset_params *row)
{
    pgc_error err;
    pgc_error_clear(&err);
    bool duplicate = true;
    repo_asset_set set = PGC_ZERO;
    CHECK_STATUS(lum_asset_create(owner->actor, row, &set, &duplicate, &err), PGC_OK, &err);
    CHECK(!duplicate);
    repo_asset_set_free(&set);
    return row->asset_id;
}

static inline pgc_uuid person_add(const person *owner, const char *name)
{
    const repo_create_asset_params row = person_photo(owner, name);
    return person_add_row(owner, &row);
}

static inline bool person_same(pgc_uuid a, pgc_uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static inline bool person_says(const pgc_error *err, const char *part)
{
    bool has = strstr(err->message, part) != NULL;
    if (!has) {
        (void) printf("# \"%s\" lacks \"%s\"\n", err->message, part);
    }
    return has;
}

/* main() of a program whose cases share a library and a superuser's connection to its database. */
#define LIBRARY_MAIN(library, root, cases)                                            \
    int main(void)                                                                    \
    {                                                                                 \
        pgc_error err;                                                                \
        pgc_error_clear(&err);                                                        \
        if (!test_library_make(&(library)) || !test_library_open(&(library), &err)) { \
            (void) printf("Bail out! %s\n", err.message);                             \
            return 1;                                                                 \
        }                                                                             \
        (root) = schema_connect((library).url);                                       \
        int code = (root) == NULL ? 1 : tap_run((cases), ARRAY_LEN(cases));           \
        pgc_conn_close(root);                                                         \
        test_library_remove(&(library));                                              \
        return code;                                                                  \
    }

#define PERSON(lib, name)          \
    AUTO(person_done) person name; \
    pgc_error err;                 \
    pgc_error_clear(&err);         \
    REQUIRE(person_make((lib), &name, __func__))

#endif
