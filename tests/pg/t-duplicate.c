/* Near duplicates on a real server: which group an asset is in, whose assets are compared, which
 * one is kept, and that nothing is trashed for one that has gone. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "oom.h"
#include "person.h"
#include "schema.h"
#include "service/duplicate.h"
#include "service/embedding.h"
#include "tap.h"

#define DIM LUM_EMBEDDING_DIM

static test_library lib;

/* Turned by an angle from one axis to the next: two of them are apart by 1 - cos of the
 * difference. */
static const float *turned(size_t axis, double angle)
{
    static float v[DIM];
    memset(v, 0, sizeof v);
    v[axis] = (float) cos(angle);
    v[axis + 1] = (float) sin(angle);
    return v;
}

/* 1 - cos(0.1) = 0.005, 1 - cos(0.2) = 0.02: one step is near, two are not. */
#define STEP 0.1

typedef struct look {
    const char *name;
    double angle;
    int32_t width, height;
    int64_t taken_us;
    bool raw, liked;
    int32_t rating;
} look;

static pgc_uuid picture_add(const person *owner, size_t axis, const look *l)
{
    pgc_error err;
    pgc_error_clear(&err);
    repo_create_asset_params row = person_photo(owner, l->name);
    row.width = (pgc_opt_i32) { true, l->width };
    row.height = (pgc_opt_i32) { true, l->height };
    row.is_raw = l->raw;
    row.rating = (pgc_opt_i32) { l->rating > 0, l->rating };
    row.taken_at = (pgc_opt_timestamptz) { true, pgc_timestamptz_from_unix_us(1600000000000000 +
                                                                              l->taken_us) };
    row.taken_local = (pgc_opt_timestamp) { true, { row.taken_at.v.us } };
    row.taken_source = SLICE("exif");
    pgc_uuid id = person_add_row(owner, &row);
    CHECK_STATUS(
        lum_embedding_save(owner->actor, id, turned(axis, l->angle), DIM, NULL, NULL, &err), PGC_OK,
        &err);
    return id;
}

static pgc_uuid plain_add(const person *owner, size_t axis, const char *name, double angle)
{
    return picture_add(owner, axis, &(look) { name, angle, 400, 300, 0, false, false, 0 });
}

/* All groups as "a b|c d": names, the oldest first; by pieces of so many assets. */
static const char *groups(const person *owner, lum_duplicate_search search)
{
    static char text[1024];
    pgc_error err;
    pgc_error_clear(&err);
    bool more = true;
    size_t used = 0;
    text[0] = '\0';
    while (more) {
        lum_duplicate_page page;
        if (!CHECK_STATUS(lum_duplicate_find(owner->actor, &search, &page, &err), PGC_OK, &err)) {
            return "failed";
        }
        size_t count = 0;
        for (size_t at = 0; at < page.rows.count; at += count) {
            count = lum_duplicate_group(&page.rows, at);
            for (size_t i = at; i < at + count; i++) {
                used += (size_t) snprintf(text + used, sizeof text - used, "%s%" SLICE_FMT,
                                          i > at     ? " "
                                          : used > 0 ? "|"
                                                     : "",
                                          SLICE_ARG(page.rows.rows[i].a.original_filename));
            }
        }
        more = page.more;
        search.after = page.next;
        lum_duplicate_page_free(&page);
    }
    return text;
}

static const lum_duplicate_search SURE = { .distance_most = 0 };
static const lum_duplicate_search SIMILAR = { .similar = true };

static void begins(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE(CHECK(test_library_make(&lib)));
    REQUIRE(CHECK_STATUS(test_library_open(&lib, &err) ? PGC_OK : err.status, PGC_OK, &err));
}

static void ends(void)
{
    test_library_remove(&lib);
    CHECK(lib.library == NULL);
}

static void what_is_near_is_a_group(void)
{
    PERSON(&lib, owner);
    CHECK_STR(groups(&owner, SURE), "");
    (void) plain_add(&owner, 0, "a", 0);
    CHECK_STR(groups(&owner, SURE), "");
    (void) plain_add(&owner, 100, "far", 0);
    (void) plain_add(&owner, 0, "c", 0.09);
    (void) plain_add(&owner, 0, "b", 0.02);
    (void) plain_add(&owner, 200, "x", 0);
    (void) plain_add(&owner, 200, "y", STEP);
    CHECK_STR(groups(&owner, SURE), "a b c|x y");
    CHECK_STR(groups(&owner, (lum_duplicate_search) { .distance_most = 0.001 }), "a b");
    CHECK_STR(groups(&owner, (lum_duplicate_search) { .distance_most = 0.5 }), "a b c|x y");
}

/* a is near b, b near c, a not near c: c is no duplicate while the group is a's. */
static void a_chain_is_no_group(void)
{
    PERSON(&lib, owner);
    pgc_uuid a = plain_add(&owner, 0, "a", 0);
    (void) plain_add(&owner, 0, "b", STEP);
    (void) plain_add(&owner, 0, "c", 2 * STEP);
    (void) plain_add(&owner, 0, "d", 3 * STEP);
    CHECK_STR(groups(&owner, SURE), "a b");
    REQUIRE_OK(lum_asset_delete(owner.actor, a, &err), &err);
    CHECK_STR(groups(&owner, SURE), "b c");
    REQUIRE_OK(lum_asset_restore(owner.actor, a, &err), &err);
    CHECK_STR(groups(&owner, SURE), "a b");
}

static void pieces_and_the_graph_give_the_same_groups(void)
{
    PERSON(&lib, owner);
    char want[1024];
    for (size_t i = 0; i < 12; i++) {
        char name[3] = { (char) ('a' + i), '\0' };
        (void) plain_add(&owner, (i % 5) * 20, name, 0.01 * (double) i);
    }
    (void) snprintf(want, sizeof want, "%s", groups(&owner, SURE));
    CHECK_STR(want, "a f k|b g l|c h|d i|e j");
    for (int32_t piece = 1; piece <= 13; piece++) {
        CHECK_STR(groups(&owner, (lum_duplicate_search) { .piece = piece }), want);
    }
    CHECK_STR(groups(&owner, (lum_duplicate_search) { .exact_most = 1 }), want);
    CHECK_STR(groups(&owner, (lum_duplicate_search) { .exact_most = 1, .piece = 3 }), want);
}

/* As the superuser: photos of a user between angles 0.001 and 0.08, and a new graph, as adding them
 * one by one to the old one takes long. */
static void crowd_add(const person *owner, int count)
{
    char sql[1024];
    char got[64];
    char state[6];
    pgc_conn *conn = schema_connect(lib.url);
    REQUIRE(conn != NULL);
    (void) snprintf(
        sql, sizeof sql,
        "DROP INDEX idx_embeddings_vector_1;"
        "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, "
        "owner_id, uploaded_at) SELECT i || '.jpg', 'crowd' || i, i, 'crowd' || i, 'photo', "
        "%" PRId32 ", now() FROM generate_series(1, %d) i;"
        "INSERT INTO embeddings (asset_id, owner_id, embedding) SELECT asset_id, owner_id, "
        "(ARRAY[cos(t), sin(t)] || array_fill(0::float8, ARRAY[510]))::real[]::halfvec FROM "
        "(SELECT *, 0.001 + 0.079 * file_size / %d AS t FROM assets) a WHERE owner_id = %" PRId32
        ";SELECT embedding_model_index('clip-vit-base')",
        owner->id, count, count, owner->id);
    schema_ask(conn, sql, got, sizeof got, state);
    CHECK_STR(state, "");
    pgc_conn_close(conn);
}

/* Of other users: a few nearer than the own duplicate, more than the graph gives at once, and more
 * than are looked through at all. */
static void others_cannot_hide_a_duplicate(void)
{
    static const int CROWDS[] = { 10, 300, 2600 };
    PERSON(&lib, owner);
    (void) plain_add(&owner, 0, "a", 0);
    (void) plain_add(&owner, 100, "far", 0);
    (void) plain_add(&owner, 0, "b", 0.09);
    for (size_t i = 0; i < ARRAY_LEN(CROWDS); i++) {
        AUTO(person_done) person crowd;
        char name[32];
        (void) snprintf(name, sizeof name, "crowd_of_%d", CROWDS[i]);
        REQUIRE(person_make(&lib, &crowd, name));
        crowd_add(&crowd, CROWDS[i]);
        CHECK_STR(groups(&owner, (lum_duplicate_search) { .exact_most = 1 }), "a b");
        CHECK_STR(
            groups(&owner, (lum_duplicate_search) { .exact_most = 1, .distance_most = 0.001 }), "");
    }
}

/* Another instant, another shape, raw beside JPEG, another kind: look-alikes at most. */
static void look_alikes_are_told_from_duplicates(void)
{
    PERSON(&lib, owner);
    const look looks[] = {
        { "a", 0, 4000, 3000, 0, false, false, 0 },
        { "small", 0.01, 400, 300, 0, false, false, 0 }, /* the same, scaled */
        { "burst", 0.02, 4000, 3000, 200000, false, false, 0 },
        { "crop", 0.03, 3000, 3000, 0, false, false, 0 },
        { "raw", 0.04, 4000, 3000, 0, true, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        (void) picture_add(&owner, 0, &looks[i]);
    }
    CHECK_STR(groups(&owner, SURE), "a small");
    CHECK_STR(groups(&owner, SIMILAR), "a small burst crop raw");
    lum_duplicate_page page;
    REQUIRE_OK(lum_duplicate_find(owner.actor, &SIMILAR, &page, &err), &err);
    for (size_t i = 0; i < page.rows.count; i++) {
        CHECK_INT(page.rows.rows[i].is_sure, i < 2);
        CHECK(page.rows.rows[i].distance < 0.001);
    }
    lum_duplicate_page_free(&page);
}

static void others_are_not_compared(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "has_the_same_pictures"));
    (void) plain_add(&other, 0, "theirs", 0);
    (void) plain_add(&owner, 0, "mine", 0.01);
    CHECK_STR(groups(&owner, SURE), "");
    CHECK_STR(groups(&other, SIMILAR), "");
    CHECK_STR(groups(&owner, (lum_duplicate_search) { .exact_most = 1, .similar = true }), "");
    (void) plain_add(&owner, 0, "mine too", 0.02);
    CHECK_STR(groups(&owner, (lum_duplicate_search) { .exact_most = 1 }), "mine mine too");
    CHECK_STR(groups(&other, SIMILAR), "");
    /* Nobody's: the function asks who it is. */
    char got[64] = "";
    char state[6];
    pgc_conn *conn = schema_connect(lib.url);
    REQUIRE(CHECK(conn != NULL));
    schema_ask(conn,
               "SET ROLE lumilio_app; SELECT count(*) FROM duplicate_stars("
               "'00000000-0000-0000-0000-000000000000', NULL, 0.5, false, 5000)",
               got, sizeof got, state);
    CHECK_STR(got, "0");
    pgc_conn_close(conn);
}

static void the_best_one_is_kept_and_the_rest_can_come_back(void)
{
    PERSON(&lib, owner);
    const look looks[] = {
        { "old", 0, 4000, 3000, 0, false, false, 0 },
        { "rated", 0.01, 400, 300, 0, false, false, 4 },
        { "large", 0.02, 8000, 6000, 0, false, false, 0 },
        { "x", 0.5, 400, 300, 7, false, false, 0 },
        { "x large", 0.51, 800, 600, 7, false, false, 0 },
    };
    pgc_uuid ids[ARRAY_LEN(looks)];
    lum_duplicate_page page;
    repo_trash_duplicates_set gone = PGC_ZERO;
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        ids[i] = picture_add(&owner, 0, &looks[i]);
    }
    REQUIRE_OK(lum_duplicate_find(owner.actor, &SURE, &page, &err), &err);
    REQUIRE(CHECK_INT(page.rows.count, 5));
    CHECK_INT(lum_duplicate_group(&page.rows, 0), 3);
    CHECK(person_same(page.rows.rows[lum_duplicate_best(&page.rows, 0, 3)].a.asset_id, ids[1]));
    CHECK(person_same(page.rows.rows[lum_duplicate_best(&page.rows, 3, 2)].a.asset_id, ids[4]));
    /* The one to be kept goes before: then nothing of its group is trashed. */
    REQUIRE_OK(lum_asset_delete(owner.actor, ids[4], &err), &err);
    REQUIRE_OK(lum_duplicate_trash(owner.actor, &page.rows, env_default(), &gone, &err), &err);
    CHECK_INT(gone.count, 2);
    repo_trash_duplicates_set_free(&gone);
    lum_duplicate_page_free(&page);
    CHECK_STR(groups(&owner, SIMILAR), "");
    REQUIRE_OK(lum_asset_restore(owner.actor, ids[0], &err), &err);
    REQUIRE_OK(lum_asset_restore(owner.actor, ids[2], &err), &err);
    REQUIRE_OK(lum_asset_restore(owner.actor, ids[4], &err), &err);
    CHECK_STR(groups(&owner, SURE), "old rated large|x x large");
}

static void bad_arguments_are_refused(void)
{
    PERSON(&lib, owner);
    static const lum_duplicate_search WRONG[] = {
        { .distance_most = -0.1 },
        { .distance_most = 0.51 },
        { .distance_most = (double) NAN },
        { .piece = -1 },
        { .piece = 101 },
        { .exact_most = -1 },
        { .piece = INT32_MIN },
        { .distance_most = (double) INFINITY },
    };
    lum_duplicate_page page = { .more = true };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        CHECK_STATUS(lum_duplicate_find(owner.actor, &WRONG[i], &page, &err), PGC_INVALID, &err);
        CHECK(person_says(&err, "find duplicates: "));
    }
    CHECK(page.more);
    repo_trash_duplicates_set gone = PGC_ZERO;
    const repo_find_duplicates_row_set none = PGC_ZERO;
    CHECK_STATUS(lum_duplicate_trash(owner.actor, &none, env_default(), &gone, &err), PGC_OK, &err);
    CHECK_INT(gone.count, 0);
}

static void without_memory_nothing_is_trashed(void)
{
    PERSON(&lib, owner);
    lum_duplicate_page page;
    repo_trash_duplicates_set gone = PGC_ZERO;
    (void) plain_add(&owner, 0, "a", 0);
    (void) plain_add(&owner, 0, "b", 0.01);
    REQUIRE_OK(lum_duplicate_find(owner.actor, &SURE, &page, &err), &err);
    oom_plan plan = { .fail_at = 1 };
    const pgc_alloc alloc = oom_alloc(&plan);
    env e = *env_default();
    e.alloc = &alloc;
    CHECK_STATUS(lum_duplicate_trash(owner.actor, &page.rows, &e, &gone, &err), PGC_NOMEM, &err);
    CHECK_INT(plan.live + plan.bad_sizes, 0);
    CHECK_STR(groups(&owner, SURE), "a b");
    plan = (oom_plan) { .fail_at = 0 };
    CHECK_STATUS(lum_duplicate_trash(owner.actor, &page.rows, &e, &gone, &err), PGC_OK, &err);
    CHECK_INT(plan.live + plan.bad_sizes, 0);
    CHECK_INT(gone.count, 1);
    repo_trash_duplicates_set_free(&gone);
    lum_duplicate_page_free(&page);
}

TAP_MAIN(TAP("duplicate: a library of the test", begins),
         TAP("duplicate: what is near is a group, the oldest first", what_is_near_is_a_group),
         TAP("duplicate: a chain of look-alikes is no group", a_chain_is_no_group),
         TAP("duplicate: pieces and the graph give the same groups",
             pieces_and_the_graph_give_the_same_groups),
         TAP("duplicates: others cannot hide one", others_cannot_hide_a_duplicate),
         TAP("duplicate: look-alikes are told from duplicates",
             look_alikes_are_told_from_duplicates),
         TAP("duplicate: others' assets are not compared", others_are_not_compared),
         TAP("duplicate: the best one is kept, the rest can come back",
             the_best_one_is_kept_and_the_rest_can_come_back),
         TAP("duplicate: bad arguments are refused", bad_arguments_are_refused),
         TAP("duplicate: without memory nothing is trashed", without_memory_nothing_is_trashed),
         TAP("duplicate: the library is removed", ends))
