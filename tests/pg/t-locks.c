/* Two sessions that meet: each is made to stop in the midst of its call behind a row that a third
 * one holds, so that both have taken a part of their locks when they go on. None may end as a
 * victim of a deadlock, and what goes into the trash meanwhile is not there. */
#include "base/prelude.h"

#include <pthread.h>

#include <pgc/error.h>

#include "person.h"
#include "schema.h"
#include "service/species.h"
#include "service/tag.h"
#include "tap.h"

#define ASKED_MOST 20000 /* looks at the server's locks until they are as wanted */

static test_library lib;
static pgc_conn *root; /* superuser: looks at locks, and goes past the services */

static void run(pgc_conn *conn, const char *sql)
{
    char got[64];
    char state[6];
    schema_ask(conn, sql, got, sizeof got, state);
    CHECK_STR(state, "");
}

/* Until so many sessions of this database wait for a lock. */
static bool sessions_wait(const char *count)
{
    char got[64] = "";
    char state[6] = "";
    for (int i = 0; i < ASKED_MOST && strcmp(got, count) != 0 && state[0] == '\0'; i++) {
        schema_ask(root,
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "wait_event_type = 'Lock'",
                   got, sizeof got, state);
    }
    return CHECK_STR(got, count);
}

/* SQL on a session of its own. */
typedef struct side {
    pthread_t thread;
    const char *sql;
    char got[64], state[6];
} side;

static void *side_main(void *arg)
{
    side *one = arg;
    pgc_conn *conn = schema_connect(lib.url);
    if (conn == NULL) {
        (void) snprintf(one->state, sizeof one->state, "none");
        return NULL;
    }
    schema_ask(conn, one->sql, one->got, sizeof one->got, one->state);
    pgc_conn_close(conn);
    return NULL;
}

/* `gate` is held open by a transaction until both sides wait; then it is rolled back, and both end
 * well, whoever was first. */
static void meet(const char *gate, const char *first, const char *second)
{
    side sides[] = { { .sql = first }, { .sql = second } };
    pgc_conn *keeper = schema_connect(lib.url);
    REQUIRE(CHECK(keeper != NULL));
    run(keeper, "BEGIN");
    run(keeper, gate);
    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        REQUIRE(pthread_create(&sides[i].thread, NULL, side_main, &sides[i]) == 0);
        (void) sessions_wait(i == 0 ? "1" : "2");
    }
    run(keeper, "ROLLBACK");
    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        (void) pthread_join(sides[i].thread, NULL);
        CHECK_STR(sides[i].state, "");
    }
    pgc_conn_close(keeper);
}

/* As the program's role for this user. */
static void as_user(char *out, size_t size, const person *who, const char *sql)
{
    (void) snprintf(out, size,
                    "SET ROLE lumilio_app; SELECT set_config('app.user_id', '%d', false); %s",
                    (int) who->id, sql);
}

static void give(const person *who, pgc_uuid asset, const char *name, lum_tag_source source)
{
    pgc_error err;
    pgc_error_clear(&err);
    repo_tag_asset_row_set set = PGC_ZERO;
    const lum_tag_gift gift = { pgc_text_from(name), 1 };
    const lum_tag_gifts gifts = { .gifts = &gift, .count = 1, .source = source };
    CHECK_STATUS(lum_asset_add_tags(who->actor, asset, &gifts, &set, &err), PGC_OK, &err);
    repo_tag_asset_row_set_free(&set);
}

/* Each gives its photo a word, waits at a name that is being made, and then takes over a shared tag
 * that the other one's photo has. */
static void taking_over_shared_tags_makes_no_deadlock(void)
{
    PERSON(&lib, owner);
    char sql[2][512];
    char gate[256];
    char call[256];
    char id[PGC_UUID_TEXT_SIZE];
    const pgc_uuid ids[] = { person_add(&owner, "a"), person_add(&owner, "b") };
    static const char *const SHARED[] = { "of a", "of b" };
    for (size_t i = 0; i < 2; i++) {
        give(&owner, ids[i], SHARED[i], LUM_TAG_CLIP);
        pgc_uuid_format(&ids[i], id);
        (void) snprintf(call, sizeof call,
                        "SELECT count(*) FROM tag_asset('%s', ARRAY['word %zu', 'gate %zu', '%s'], "
                        "ARRAY[1, 1, 1], 'user', false)",
                        id, i, i, SHARED[1 - i]);
        as_user(sql[i], sizeof sql[i], &owner, call);
    }
    (void) snprintf(gate, sizeof gate,
                    "INSERT INTO tags (name, owner_id) VALUES ('gate 0', %d), ('gate 1', %d)",
                    (int) owner.id, (int) owner.id);
    meet(gate, sql[0], sql[1]);
    (void) snprintf(gate, sizeof gate,
                    "SELECT count(*) || ' ' || count(DISTINCT tag_id) || ' ' || count(*) FILTER "
                    "(WHERE tag_id < 0) FROM asset_tags WHERE owner_id = %d",
                    (int) owner.id);
    CHECK_SQL(root, gate, "8 6 0"); /* each a word, a gate, and both names; all own */
}

/* A merge first writes for the photos that lack its target, another one in each of these, and then
 * takes the source away from both. Between these two it waits. */
static void merging_makes_no_deadlock(void)
{
    PERSON(&lib, owner);
    char sql[2][256];
    char gate[256];
    char call[128];
    pgc_uuid low = person_add(&owner, "low");
    pgc_uuid high = person_add(&owner, "high");
    static const char *const NAMES[] = { "one", "two" };
    for (size_t i = 0; i < 2; i++) {
        give(&owner, low, NAMES[i], LUM_TAG_USER);
        give(&owner, high, NAMES[i], LUM_TAG_USER);
        give(&owner, i == 0 ? low : high, i == 0 ? "target 0" : "target 1", LUM_TAG_USER);
        (void) snprintf(
            call, sizeof call,
            "SELECT tag_merge(ARRAY(SELECT tag_id FROM tags WHERE name = '%s'), (SELECT "
            "tag_id FROM tags WHERE name = 'target %zu'))",
            NAMES[i], i);
        as_user(sql[i], sizeof sql[i], &owner, call);
    }
    (void) snprintf(gate, sizeof gate,
                    "SELECT count(*) FROM (SELECT FROM asset_tags l JOIN tags t USING (tag_id) "
                    "WHERE l.owner_id = %d AND t.name IN ('one', 'two') FOR UPDATE OF l) s",
                    (int) owner.id);
    meet(gate, sql[0], sql[1]);
    (void) snprintf(gate, sizeof gate,
                    "SELECT string_agg(DISTINCT name, ', ' ORDER BY name) || ' ' || count(*) FROM "
                    "asset_tags JOIN tags USING (tag_id) WHERE asset_tags.owner_id = %d",
                    (int) owner.id);
    CHECK_SQL(root, gate, "target 0, target 1 4");
}

#define SIDE  "current_setting('t.side')::integer"
#define OWNER "current_setting('t.owner')::integer"

/* Three days in one order and in the other: whoever waits in the middle holds an end. */
static void days_are_locked_in_one_order(void)
{
    PERSON(&lib, owner);
    char sql[2][768];
    char gate[256];
    static const char *const CHANGES[] = {
        "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, "
        "owner_id, uploaded_at) SELECT " SIDE ", 'x', 1, 'side ' || " SIDE " || n, 'photo', " OWNER
        ", timestamptz '2021-05-04 12:00Z' + n * " SIDE " * interval '1 day' "
        "FROM generate_series(-1, 1) n",
        "UPDATE assets SET deleted_at = now() "
        "WHERE original_filename = current_setting('t.side') AND owner_id = " OWNER,
        "UPDATE assets SET deleted_at = NULL, asset_type = 'video' "
        "WHERE original_filename = current_setting('t.side') AND owner_id = " OWNER,
        "DELETE FROM assets "
        "WHERE original_filename = current_setting('t.side') AND owner_id = " OWNER,
    };
    (void) snprintf(
        gate, sizeof gate,
        "INSERT INTO asset_days (owner_id, day, photos, videos, recordings) VALUES (%d, "
        "'2021-05-04', 0, 0, 0) ON CONFLICT (owner_id, day) DO UPDATE SET photos = "
        "asset_days.photos",
        (int) owner.id);
    for (size_t i = 0; i < ARRAY_LEN(CHANGES); i++) {
        for (int k = 0; k < 2; k++) {
            (void) snprintf(sql[k], sizeof sql[k], "SET t.owner = '%d'; SET t.side = '%d'; %s",
                            (int) owner.id, 2 * k - 1, CHANGES[i]);
        }
        meet(gate, sql[0], sql[1]);
    }
    (void) snprintf(gate, sizeof gate,
                    "SELECT sum(photos + videos) FROM asset_days WHERE owner_id = %d",
                    (int) owner.id);
    CHECK_SQL(root, gate, "0");
}

typedef struct late {
    const person *who;
    pgc_uuid asset;
    lum_tag_source source;
    bool species;
    pgc_status status;
    pgc_error err;
} late;

static void *late_main(void *arg)
{
    late *one = arg;
    static const lum_tag_gift GIFT = { SLICE("seen by AI"), 0.5 };
    static const lum_species BIRD = { .name = SLICE("Parus major"), .confidence = 0.5 };
    static const lum_species_run RUN = { .species = &BIRD, .count = 1 };
    const lum_tag_gifts gifts = { .gifts = &GIFT, .count = 1, .source = one->source };
    repo_tag_asset_row_set set = PGC_ZERO;
    pgc_error_clear(&one->err);
    one->status = one->species
                      ? lum_species_save(one->who->actor, one->asset, &RUN, &one->err)
                      : lum_asset_add_tags(one->who->actor, one->asset, &gifts, &set, &one->err);
    repo_tag_asset_row_set_free(&set);
    return NULL;
}

/* The trash has the photo, but has not committed, when somebody comes with tags or species. */
static void what_is_trashed_meanwhile_is_not_there(void)
{
    PERSON(&lib, owner);
    char sql[256];
    char id[PGC_UUID_TEXT_SIZE];
    const struct {
        lum_tag_source source;
        bool species;
    } comers[] = { { LUM_TAG_CLIP, false },
                   { LUM_TAG_SMART_CLASSIFY, false },
                   { LUM_TAG_USER, false },
                   { LUM_TAG_CLIP, true } };
    for (size_t i = 0; i < ARRAY_LEN(comers); i++) {
        pthread_t thread;
        late one = { .who = &owner,
                     .asset = person_add(&owner, "a"),
                     .source = comers[i].source,
                     .species = comers[i].species };
        pgc_conn *trash = schema_connect(lib.url);
        REQUIRE(CHECK(trash != NULL));
        pgc_uuid_format(&one.asset, id);
        (void) snprintf(sql, sizeof sql,
                        "UPDATE assets SET deleted_at = now() WHERE asset_id = '%s'", id);
        run(trash, "BEGIN");
        run(trash, sql);
        REQUIRE(pthread_create(&thread, NULL, late_main, &one) == 0);
        (void) sessions_wait("1");
        run(trash, "COMMIT");
        (void) pthread_join(thread, NULL);
        pgc_conn_close(trash);
        CHECK_STATUS(one.status, PGC_NOT_FOUND, &one.err);
        CHECK(person_says(&one.err, "there is no asset"));
        CHECK(!one.err.retry);
    }
    (void) snprintf(sql, sizeof sql,
                    "SELECT (SELECT count(*) FROM asset_tags WHERE owner_id = %d) + (SELECT "
                    "count(*) FROM species_predictions WHERE owner_id = %d)",
                    (int) owner.id, (int) owner.id);
    CHECK_SQL(root, sql, "0");
}

static const tap_case CASES[] = {
    TAP("locks: two who take over shared tags end both", taking_over_shared_tags_makes_no_deadlock),
    TAP("locks: two who merge tags end both", merging_makes_no_deadlock),
    TAP("locks: two who touch the same days end both", days_are_locked_in_one_order),
    TAP("locks: what is trashed meanwhile is not there", what_is_trashed_meanwhile_is_not_there),
};

LIBRARY_MAIN(lib, root, CASES)
