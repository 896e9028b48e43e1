/* Row-level security: denied by default, own rows only, for every command on every tenant table. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "schema.h"
#include "tap.h"

static const char *db_url;
static pgc_conn *owner; /* superuser: sets up and looks behind the policies */
static pgc_conn *app;   /* the role that serves users */

static const char *const TABLES[] = {
    "users",        "repositories",    "assets",       "thumbnails",     "embeddings",
    "tags",         "asset_tags",      "albums",       "album_assets",   "species_predictions",
    "file_records", "sync_operations", "asset_search", "import_intents", "file_deletions",
};

/* Two users with a row each in every table. */
static const char SETUP_SQL[] =
    "INSERT INTO users (user_id, username, email, password_hash) VALUES (1, 'ann', 'a@x', '!'), "
    "(2, 'bob', 'b@x', '!');"
    "INSERT INTO repositories (repo_id, name, path, owner_id) SELECT gen_random_uuid(), 'r', "
    "'/' || user_id, user_id FROM users;"
    "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, owner_id, "
    "repository_id, uploaded_at) SELECT 'secret-' || owner_id || '.jpg', 'p', 1, 'h', 'photo', "
    "owner_id, repo_id, now() FROM repositories;"
    "INSERT INTO thumbnails (asset_id, owner_id, size, file_path) SELECT asset_id, owner_id, "
    "'small', 't' FROM assets;"
    "INSERT INTO embeddings (asset_id, owner_id, embedding) SELECT asset_id, owner_id, "
    "array_fill(1::real, ARRAY[512])::halfvec FROM assets;"
    "INSERT INTO tags (name, owner_id) SELECT 'own', user_id FROM users;"
    "INSERT INTO tags (name, owner_id) VALUES ('system', NULL);"
    "INSERT INTO asset_tags (asset_id, owner_id, tag_id) SELECT a.asset_id, a.owner_id, t.tag_id "
    "FROM assets a JOIN tags t ON t.owner_id = a.owner_id;"
    "INSERT INTO albums (name, owner_id) SELECT 'al', user_id FROM users;"
    "INSERT INTO album_assets (album_id, asset_id, owner_id) SELECT album_id, asset_id, b.owner_id "
    "FROM albums b JOIN assets a USING (owner_id);"
    "INSERT INTO species_predictions (asset_id, owner_id, species_name, confidence) "
    "SELECT asset_id, owner_id, 's', 0.5 FROM assets;"
    "INSERT INTO file_records (repository_id, owner_id, file_path, file_size, mod_time, "
    "last_scanned) SELECT repo_id, owner_id, 'f', 1, now(), now() FROM repositories;"
    "INSERT INTO sync_operations (repository_id, owner_id, operation_type, start_time, status) "
    "SELECT repo_id, owner_id, 'startup', now(), 'running' FROM repositories;"
    "INSERT INTO import_intents (intent_id, owner_id, repository_id, file_path, file_size, "
    "file_hash, original_filename) SELECT gen_random_uuid(), owner_id, repo_id, 'p', 1, 'h', 'n' "
    "FROM repositories;"
    "INSERT INTO file_deletions (owner_id, repository_id, file_path) SELECT owner_id, repo_id, 'p' "
    "FROM repositories";

static bool set_up(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    db_url = test_db_create();
    if (db_url == NULL || !schema_apply(db_url, NULL)) {
        return false;
    }
    owner = schema_connect(db_url);
    app = schema_connect(db_url);
    bool good = owner != NULL && app != NULL &&
                pgc_conn_script(owner, SETUP_SQL, 0, NULL, &err) == PGC_OK &&
                pgc_conn_script(app, "SET ROLE lumilio_app", 0, NULL, &err) == PGC_OK;
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

static void every_tenant_table_is_forced_and_has_all_policies(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_SQL(owner,
              "SELECT coalesce(string_agg(relname, ', '), 'none') FROM pg_class "
              "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
              "AND relname <> 'atlas_schema_revisions' AND relname NOT LIKE 'river%' "
              "AND NOT (relrowsecurity AND relforcerowsecurity)",
              "none");
    for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
        char sql[256];
        (void) snprintf(sql, sizeof sql,
                        "SELECT string_agg(cmd, ' ' ORDER BY cmd) FROM pg_policies "
                        "WHERE tablename = '%s' AND 'lumilio_app' = ANY(roles)",
                        TABLES[i]);
        CHECK_SQL(owner, sql, "DELETE INSERT SELECT UPDATE");
    }
    tear_down();
}

static void roles_that_serve_cannot_pass_the_policies(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_SQL(owner,
              "SELECT count(*) FROM pg_roles WHERE rolname IN ('lumilio_app', 'lumilio_worker') "
              "AND NOT rolsuper AND NOT rolbypassrls AND NOT rolcreaterole",
              "2");
    CHECK_SQL(owner,
              "SELECT coalesce(string_agg(p.proname, ', '), 'none') FROM pg_proc p "
              "WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace "
              "AND (p.proconfig IS NULL OR has_function_privilege('public', p.oid, 'EXECUTE'))",
              "none");
    CHECK_SQL(owner,
              "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r "
              "ON r.oid = a.grantee WHERE r.rolname IN ('lumilio_app', 'lumilio_worker') "
              "AND a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')",
              "0");
    tear_down();
}

static void without_identity_nothing_is_seen(void)
{
    REQUIRE(CHECK(set_up()));
    for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
        char sql[128];
        (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", TABLES[i]);
        CHECK_SQL(app, sql, "0");
    }
    CHECK_SQL_FAILS(app, "INSERT INTO albums (name, owner_id) VALUES ('x', 1)", "42501");
    tear_down();
}

static void only_own_rows_are_seen(void)
{
    REQUIRE(CHECK(set_up()));
    for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
        char sql[256];
        (void) snprintf(sql, sizeof sql,
                        "BEGIN; SELECT set_config('app.user_id', '1', true); "
                        "SELECT count(*) FROM %s",
                        TABLES[i]);
        CHECK_SQL(app, sql, strcmp(TABLES[i], "tags") == 0 ? "2" : "1");
        CHECK_SQL(app, "ROLLBACK", "");
    }
    tear_down();
}

static void foreign_rows_cannot_be_changed(void)
{
    REQUIRE(CHECK(set_up()));
    for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
        char sql[256];
        char got[16];
        char state[6];
        const char *key = strcmp(TABLES[i], "users") == 0 ? "user_id" : "owner_id";
        (void) snprintf(sql, sizeof sql,
                        "BEGIN; SELECT set_config('app.user_id', '1', true); "
                        "DELETE FROM %s WHERE %s = 2",
                        TABLES[i], key);
        schema_ask(app, sql, got, sizeof got, state);
        CHECK(state[0] == '\0' || strcmp(state, "42501") == 0);
        schema_ask(app, "COMMIT", got, sizeof got, state);
        (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE %s = 2", TABLES[i], key);
        CHECK_SQL(owner, sql, "1");
    }
    tear_down();
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

TAP_MAIN(TAP("security: every tenant table has forced row security and four policies",
             every_tenant_table_is_forced_and_has_all_policies),
         TAP("security: roles and functions cannot pass the policies",
             roles_that_serve_cannot_pass_the_policies),
         TAP("security: without identity nothing is seen or written",
             without_identity_nothing_is_seen),
         TAP("security: only own rows are seen", only_own_rows_are_seen),
         TAP("security: foreign rows cannot be deleted", foreign_rows_cannot_be_changed),
         TAP("security: rows cannot be given away, hashes not changed",
             rows_cannot_be_given_away_or_taken),
         TAP("security: a child row cannot hang on a foreign parent",
             a_child_cannot_hang_on_a_foreign_parent),
         TAP("security: search finds own rows only", search_finds_own_rows_only))
