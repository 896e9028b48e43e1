/* Users of a test library and assets of theirs, named after the case, so that no case sees
 * another's rows. The file that includes this has one `static test_library lib`. */
#ifndef TEST_PEOPLE_H
#define TEST_PEOPLE_H

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

static inline bool person_make(const test_library *lib, person *p, const char *name)
{
    pgc_error err;
    pgc_error_clear(&err);
    p->session = NULL;
    bool good =
        CHECK_STATUS(lum_user_ensure(lum_library_pool(lib->library), name, &p->id, &err), PGC_OK,
                     &err) &&
        CHECK_STATUS(lum_session_open(lum_library_pool(lib->library), p->id, &p->session, &err),
                     PGC_OK, &err);
    if (good) {
        p->actor = lum_session_actor(p->session);
    }
    return good;
}

#define PERSON(name)               \
    AUTO(person_done) person name; \
    pgc_error err;                 \
    pgc_error_clear(&err);         \
    REQUIRE(person_make(&lib, &name, __func__))

/* A photo's row, without repository; later calls are newer. */
static inline repo_create_asset_params person_photo(const person *owner, const char *name,
                                                    const char *hash)
{
    static int64_t seconds = 1700000000;
    repo_create_asset_params row = { .original_filename = pgc_text_from(name),
                                     .file_path = pgc_text_from(name),
                                     .file_size = 1000,
                                     .file_hash = pgc_text_from(hash),
                                     .asset_type = pgc_text_from("photo"),
                                     .owner_id = owner->id,
                                     .uploaded_at =
                                         pgc_timestamptz_from_unix_us(seconds++ * 1000000) };
    CHECK(uuid_v7(env_default()->clock, &row.asset_id));
    return row;
}

/* Create and forget the row; gives its id. */
static inline pgc_uuid person_store(const person *owner, const repo_create_asset_params *row)
{
    pgc_error err;
    pgc_error_clear(&err);
    bool duplicate = true;
    repo_asset_set set = PGC_ZERO;
    pgc_uuid id = { { 0 } };
    if (CHECK_STATUS(lum_asset_create(owner->actor, row, &set, &duplicate, &err), PGC_OK, &err)) {
        CHECK(!duplicate);
        id = set.rows[0].asset_id;
        repo_asset_set_free(&set);
    }
    return id;
}

static inline pgc_uuid person_add(const person *owner, const char *name)
{
    const repo_create_asset_params row = person_photo(owner, name, name);
    return person_store(owner, &row);
}

static inline bool person_said(const pgc_error *err, const char *part)
{
    bool has = strstr(err->message, part) != NULL;
    if (!has) {
        (void) printf("# \"%s\" lacks \"%s\"\n", err->message, part);
    }
    return CHECK(has);
}

#endif
