/* Row-level security: attacks written out one by one. The whole of tables, roles and commands is
 * t-security-matrix.c. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "security.h"
#include "tap.h"

static const char *db_url;
static pgc_conn *owner; /* superuser: sets up and looks behind the policies */
static pgc_conn *app;   /* the role that serves users */

static bool set_up(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    owner = security_open(&db_url);
    app = owner != NULL ? schema_connect(db_url) : NULL;
    bool good =
        app != NULL && pgc_conn_script(app, "SET ROLE lumilio_app", 0, NULL, &err) == PGC_OK;
    if (!good) {
        (void) printf("# set up: %s\n", err.message);
    }
    return good;
}

static void tear_down(void)
{
    pgc_conn_close(app);
    pgc_conn_close(owner);
    test_db_drop(db_url);
}

#define AS_ANN "BEGIN; SELECT set_config('app.user_id', '1', true); "

static void rows_cannot_be_given_away_or_taken(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_SQL_FAILS(app, AS_ANN "INSERT INTO albums (name, owner_id) VALUES ('x', 2)", "42501");
    CHECK_SQL_FAILS(app, AS_ANN "UPDATE albums SET owner_id = 2", "42501");
    CHECK_SQL_FAILS(app, AS_ANN "UPDATE assets SET file_hash = 'z'", "42501");
    CHECK_SQL_FAILS(app, AS_ANN "TRUNCATE assets", "42501");
    CHECK_SQL_FAILS(app, AS_ANN "INSERT INTO tags (name, owner_id) VALUES ('sys', NULL)", "42501");
    tear_down();
}

static void a_child_cannot_hang_on_a_foreign_parent(void)
{
    char sql[512];
    char bobs[64];
    char state[6];
    REQUIRE(CHECK(set_up()));
    schema_ask(owner, "SELECT asset_id FROM assets WHERE owner_id = 2", bobs, sizeof bobs, state);
    (void) snprintf(sql, sizeof sql,
                    AS_ANN "INSERT INTO album_assets (album_id, asset_id, owner_id) "
                           "SELECT album_id, '%s', 1 FROM albums",
                    bobs);
    CHECK_SQL_FAILS(app, sql, "23503");
    (void) snprintf(sql, sizeof sql,
                    AS_ANN "INSERT INTO thumbnails (asset_id, owner_id, size, file_path) "
                           "VALUES ('%s', 1, 'large', 'x')",
                    bobs);
    CHECK_SQL_FAILS(app, sql, "23503");
    CHECK_SQL_FAILS(app,
                    AS_ANN
                    "INSERT INTO asset_tags (asset_id, owner_id, tag_id) SELECT asset_id, 1, "
                    "(SELECT max(tag_id) + 1000 FROM tags) FROM assets",
                    "42501");
    tear_down();
}

static void search_finds_own_rows_only(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_SQL(app, AS_ANN "SELECT count(*) FROM search_assets('secret', NULL, 10, 0)", "1");
    CHECK_SQL(app, "SELECT count(*) FROM search_assets('secret-2', NULL, 10, 0)", "0");
    CHECK_SQL(app, "COMMIT; SELECT count(*) FROM search_assets('secret', NULL, 10, 0)", "0");
    tear_down();
}

TAP_MAIN(TAP("security: rows cannot be given away, hashes not changed",
             rows_cannot_be_given_away_or_taken),
         TAP("security: a child row cannot hang on a foreign parent",
             a_child_cannot_hang_on_a_foreign_parent),
         TAP("security: search finds own rows only", search_finds_own_rows_only))
