/* Every tenant table × command × own or foreign row, as the serving role; and the proof that the
 * matrix notices: each policy, each FORCE, each composite foreign key is removed once, and at least
 * one cell must change (reliability RLS-T1, RLS-T4). All of it in transactions that are undone. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "schema.h"
#include "tap.h"

#define OWN     1
#define FOREIGN 2

static const char *db_url;
static pgc_conn *conn; /* superuser; becomes the serving role inside transactions */

/* What may be done with own rows of a table. NULL: the command is refused for everybody. */
static const struct tenant_table {
    const char *name;
    const char *key;    /* column that says whose a row is */
    const char *set;    /* an allowed UPDATE */
    const char *insert; /* a new row of owner @o, hung on rows of owner @p */
    bool deletable;
} TABLES[] = {
    { "users", "user_id", "full_name = 'x'", NULL, false },
    { "repositories", "owner_id", "name = 'x'",
      "INSERT INTO repositories (name, path, owner_id) VALUES ('n', '/n', @o)", true },
    { "assets", "owner_id", "description = 'x'",
      "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, "
      "owner_id, uploaded_at) VALUES ('n.jpg', 'n', 2, 'n', 'photo', @o, now())",
      true },
    { "thumbnails", "owner_id", "file_size = 9",
      "INSERT INTO thumbnails (asset_id, owner_id, size, file_path) SELECT asset_id, @o, "
      "'large', "
      "'n' FROM everything.assets WHERE owner_id = @p",
      true },
    { "embeddings", "owner_id", "model_version = 'x'",
      "INSERT INTO embeddings (asset_id, owner_id, model_version, embedding) SELECT asset_id, "
      "@o, "
      "'n', array_fill(1::real, ARRAY[512])::halfvec FROM everything.assets WHERE owner_id = @p",
      true },
    { "species_predictions", "owner_id", "common_name = 'x'",
      "INSERT INTO species_predictions (asset_id, owner_id, species_name, confidence) SELECT "
      "asset_id, @o, 'n', 0.1 FROM everything.assets WHERE owner_id = @p",
      true },
    { "tags", "owner_id", "category = 'x'", "INSERT INTO tags (name, owner_id) VALUES ('new', @o)",
      true },
    { "asset_tags", "owner_id", "source = 'user'",
      "INSERT INTO asset_tags (asset_id, owner_id, tag_id) SELECT a.asset_id, @o, t.tag_id FROM "
      "everything.assets a, everything.tags t WHERE a.owner_id = @p AND t.name = 'system'",
      true },
    { "albums", "owner_id", "description = 'x'",
      "INSERT INTO albums (name, owner_id) VALUES ('n', @o)", true },
    { "album_assets", "owner_id", "position = 9",
      "INSERT INTO album_assets (album_id, asset_id, owner_id) SELECT b.album_id, a.asset_id, @o "
      "FROM everything.albums b, everything.assets a WHERE b.owner_id = @o AND b.name = 'empty' "
      "AND a.owner_id = @p",
      true },
    { "file_records", "owner_id", "file_size = 9",
      "INSERT INTO file_records (repository_id, owner_id, file_path, file_size, mod_time, "
      "last_scanned) SELECT repo_id, @o, 'n', 1, now(), now() FROM everything.repositories "
      "WHERE owner_id = @p",
      true },
    { "sync_operations", "owner_id", "files_added = 9",
      "INSERT INTO sync_operations (repository_id, owner_id, operation_type, start_time, status) "
      "SELECT repo_id, @o, 'startup', now(), 'running' FROM everything.repositories "
      "WHERE owner_id = @p",
      true },
    { "import_intents", "owner_id", "error_message = 'x'",
      "INSERT INTO import_intents (intent_id, owner_id, repository_id, file_path, file_size, "
      "file_hash, original_filename) SELECT gen_random_uuid(), @o, repo_id, 'n', 1, 'h', 'n' "
      "FROM "
      "everything.repositories WHERE owner_id = @p",
      true },
    { "file_deletions", "owner_id", "not_before = now()",
      "INSERT INTO file_deletions (owner_id, repository_id, file_path) SELECT @o, repo_id, 'n' "
      "FROM everything.repositories WHERE owner_id = @p",
      true },
    { "asset_search", "owner_id", NULL, NULL, false },
    { "asset_days", "owner_id", NULL, NULL, false },
};

/* Two users with a row in every table. The schema "everything" shows all rows to the attacker, so
 * that he can name foreign rows: secrecy of ids is not what protects them. */
static const char SETUP_SQL[] =
    "INSERT INTO users (user_id, username, email, password_hash) VALUES (1, 'ann', 'a@x', '!'), "
    "(2, 'bob', 'b@x', '!');"
    "INSERT INTO repositories (name, path, owner_id) SELECT 'r', '/r', user_id FROM users;"
    "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, owner_id, "
    "repository_id, uploaded_at) SELECT 'a.jpg', 'p', 1, 'h', 'photo', owner_id, repo_id, now() "
    "FROM repositories;"
    "INSERT INTO thumbnails (asset_id, owner_id, size, file_path) SELECT asset_id, owner_id, "
    "'small', 't' FROM assets;"
    "INSERT INTO embedding_models (name) VALUES ('n'), ('x');"
    "INSERT INTO embeddings (asset_id, owner_id, embedding) SELECT asset_id, owner_id, "
    "array_fill(1::real, ARRAY[512])::halfvec FROM assets;"
    "INSERT INTO tags (name, owner_id) SELECT 'own', user_id FROM users;"
    "INSERT INTO tags (name, owner_id) VALUES ('system', NULL);"
    "INSERT INTO asset_tags (asset_id, owner_id, tag_id) SELECT a.asset_id, a.owner_id, t.tag_id "
    "FROM assets a JOIN tags t ON t.owner_id = a.owner_id;"
    "INSERT INTO albums (name, owner_id) SELECT 'full', user_id FROM users;"
    "INSERT INTO album_assets (album_id, asset_id, owner_id) SELECT album_id, asset_id, b.owner_id "
    "FROM albums b JOIN assets a USING (owner_id);"
    "INSERT INTO albums (name, owner_id) SELECT 'empty', user_id FROM users;"
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
    "FROM repositories;"
    "CREATE SCHEMA everything;"
    "CREATE TABLE everything.assets AS SELECT asset_id, owner_id FROM assets;"
    "CREATE TABLE everything.tags AS SELECT tag_id, owner_id, name FROM tags;"
    "CREATE TABLE everything.albums AS SELECT album_id, owner_id, name FROM albums;"
    "CREATE TABLE everything.repositories AS SELECT repo_id, owner_id FROM repositories;"
    "GRANT USAGE ON SCHEMA everything TO lumilio_app;"
    "GRANT SELECT ON ALL TABLES IN SCHEMA everything TO lumilio_app";

/* The insert of a table with its owners filled in. */
static void insert_make(const char *pattern, int owner, int parent, char *out, size_t size)
{
    size_t used = 0;
    for (const char *at = pattern; *at != '\0' && used + 2 < size; at++) {
        bool mark = at[0] == '@' && (at[1] == 'o' || at[1] == 'p');
        out[used++] = mark ? (char) ('0' + (at[1] == 'o' ? owner : parent)) : at[0];
        at += mark ? 1 : 0;
    }
    out[used] = '\0';
}

static bool set_up(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    db_url = test_db_create();
    if (db_url == NULL || !schema_apply(db_url, NULL)) {
        return false;
    }
    conn = schema_connect(db_url);
    bool good = conn != NULL && pgc_conn_script(conn, SETUP_SQL, 0, NULL, &err) == PGC_OK;
    if (!good) {
        (void) printf("# set up: %s\n", err.message);
    }
    return good;
}

static void tear_down(void)
{
    pgc_conn_close(conn);
    test_db_drop(db_url);
}

/* Inside the open transaction: rows that a statement touches, -1 when it is refused. What it did is
 * undone. The statement must be one that "WITH touched AS (…)" accepts, or a SELECT of a count. */
static long touched(const char *sql)
{
    char got[32];
    char state[6];
    schema_ask(conn, "SAVEPOINT cell", got, sizeof got, state);
    schema_ask(conn, sql, got, sizeof got, state);
    long rows = state[0] != '\0' ? -1 : strtol(got, NULL, 10);
    char ignored[32];
    char ignored_state[6];
    schema_ask(conn, "ROLLBACK TO cell", ignored, sizeof ignored, ignored_state);
    return rows;
}

/* One cell: prints and counts it when it is not as wanted. */
static int cell(const char *table, const char *what, long got, bool allowed, bool quiet)
{
    bool good = allowed ? got > 0 : got <= 0;
    if (!good && !quiet) {
        (void) printf("# %s: %s gave %ld rows\n", table, what, got);
    }
    return good ? 0 : 1;
}

/* All cells of one table for the user OWN; the number that are wrong. */
static int table_violations(const struct tenant_table *t, bool quiet)
{
    char sql[1024];
    char insert[768];
    int wrong = 0;
    for (int whose = OWN; whose <= FOREIGN; whose++) {
        bool own = whose == OWN;
        (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE %s = %d", t->name, t->key,
                        whose);
        wrong += cell(t->name, own ? "own SELECT" : "foreign SELECT", touched(sql), own, quiet);
        (void) snprintf(sql, sizeof sql,
                        "WITH touched AS (UPDATE %s SET %s WHERE %s = %d RETURNING 1) "
                        "SELECT count(*) FROM touched",
                        t->name, t->set != NULL ? t->set : "owner_id = owner_id", t->key, whose);
        wrong += cell(t->name, own ? "own UPDATE" : "foreign UPDATE", touched(sql),
                      own && t->set != NULL, quiet);
        (void) snprintf(sql, sizeof sql,
                        "WITH touched AS (DELETE FROM %s WHERE %s = %d RETURNING 1) "
                        "SELECT count(*) FROM touched",
                        t->name, t->key, whose);
        wrong += cell(t->name, own ? "own DELETE" : "foreign DELETE", touched(sql),
                      own && t->deletable, quiet);
        if (t->insert != NULL) {
            insert_make(t->insert, whose, whose, insert, sizeof insert);
            (void) snprintf(sql, sizeof sql,
                            "WITH touched AS (%s RETURNING 1) SELECT count(*) FROM touched",
                            insert);
            wrong +=
                cell(t->name, own ? "own INSERT" : "INSERT for another", touched(sql), own, quiet);
            insert_make(t->insert, OWN, FOREIGN, insert, sizeof insert);
            (void) snprintf(sql, sizeof sql,
                            "WITH touched AS (%s RETURNING 1) SELECT count(*) FROM touched",
                            insert);
            bool hangs = strstr(t->insert, "@p") != NULL;
            wrong += hangs
                         ? cell(t->name, "own row on a foreign parent", touched(sql), false, quiet)
                         : 0;
        }
    }
    return wrong;
}

/* The whole matrix after `mutation` (NULL: none), in a transaction that is undone. -1: the mutation
 * itself failed. */
static int violations(const char *mutation, const char *only_table, bool quiet)
{
    char got[32];
    char state[6];
    int wrong = 0;
    schema_ask(conn, "BEGIN", got, sizeof got, state);
    if (mutation != NULL) {
        schema_ask(conn, mutation, got, sizeof got, state);
        if (state[0] != '\0') {
            (void) printf("# %s: %s\n", mutation, state);
            wrong = -1;
        }
    }
    schema_ask(conn, "SET LOCAL ROLE lumilio_app; SELECT set_config('app.user_id', '1', true)", got,
               sizeof got, state);
    for (size_t i = 0; wrong >= 0 && i < ARRAY_LEN(TABLES); i++) {
        if (only_table == NULL || strcmp(only_table, TABLES[i].name) == 0) {
            wrong += table_violations(&TABLES[i], quiet);
        }
    }
    schema_ask(conn, "ROLLBACK", got, sizeof got, state);
    return wrong;
}

static void own_rows_yes_foreign_rows_no(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_INT(violations(NULL, NULL, false), 0);
    tear_down();
}

static void without_identity_nothing_at_all(void)
{
    REQUIRE(CHECK(set_up()));
    for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
        char got[32];
        char state[6];
        char sql[512];
        schema_ask(conn, "BEGIN; SET LOCAL ROLE lumilio_app", got, sizeof got, state);
        (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", TABLES[i].name);
        CHECK_INT(touched(sql), 0);
        (void) snprintf(sql, sizeof sql,
                        "WITH touched AS (DELETE FROM %s RETURNING 1) SELECT count(*) FROM touched",
                        TABLES[i].name);
        CHECK(touched(sql) <= 0);
        schema_ask(conn, "ROLLBACK", got, sizeof got, state);
    }
    tear_down();
}

/* Rows of a one-column question, each given to `each`. */
static void for_each_row(const char *sql, void (*each)(const char *a, const char *b))
{
    pgc_error err;
    pgc_result *result = NULL;
    pgc_reader reader;
    REQUIRE_OK(pgc_conn_script(conn, sql, 0, &result, &err), &err);
    pgc_reader_init(&reader, result, NULL);
    CHECK(pgc_result_rows(result) > 0);
    for (size_t i = 0; i < pgc_result_rows(result); i++) {
        char a[128];
        char b[128];
        (void) snprintf(a, sizeof a, "%s", pgc_read_text(&reader, i, 0).ptr);
        (void) snprintf(b, sizeof b, "%s", pgc_read_text(&reader, i, 1).ptr);
        each(a, b);
    }
    pgc_result_free(result);
}

/* Tables that only triggers write. */
static bool is_derived(const char *table)
{
    return strcmp(table, "asset_search") == 0 || strcmp(table, "asset_days") == 0;
}

static void policy_is_missed(const char *table, const char *policy)
{
    char sql[320];
    /* Denied for everybody: without the policy it stays denied, by default. */
    bool refuses = strcmp(policy, "users_insert") == 0 || strcmp(policy, "users_delete") == 0 ||
                   (is_derived(table) && strstr(policy, "_select") == NULL);
    (void) snprintf(sql, sizeof sql, "DROP POLICY %s ON %s", policy, table);
    int wrong = violations(sql, table, true);
    if (!CHECK(refuses ? wrong == 0 : wrong > 0)) {
        (void) printf("# nobody misses policy %s of %s\n", policy, table);
    }
}

static void every_policy_is_missed(void)
{
    REQUIRE(CHECK(set_up()));
    for_each_row("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' "
                 "AND 'lumilio_app' = ANY(roles) AND tablename NOT IN ('audit_log', "
                 "'embedding_models') ORDER BY 1, 2",
                 policy_is_missed);
    tear_down();
}

static void policy_is_noticed_when_it_lets_all_in(const char *table, const char *policy)
{
    char sql[512];
    REQUIRE(policy != NULL); /* gcc under UBSan believes that it may be */
    bool read = strstr(policy, "_select") != NULL || strstr(policy, "_delete") != NULL;
    bool insert = strstr(policy, "_insert") != NULL;
    (void) snprintf(sql, sizeof sql, "ALTER POLICY %s ON %s %s", policy, table,
                    read     ? "USING (true)"
                    : insert ? "WITH CHECK (true)"
                             : "USING (true) WITH CHECK (true)");
    int wrong = violations(sql, table, true);
    /* A foreign row that cannot be seen cannot be changed or deleted either, and users
     * and tables of triggers are guarded by missing grants as well. */
    bool guarded_twice = strstr(policy, "_update") != NULL || strstr(policy, "_delete") != NULL ||
                         (insert && (strcmp(table, "users") == 0 || is_derived(table)));
    if (!CHECK(guarded_twice ? wrong == 0 : wrong > 0)) {
        (void) printf("# nobody notices an open policy %s of %s (%d)\n", policy, table, wrong);
    }
}

static void every_open_policy_is_noticed(void)
{
    REQUIRE(CHECK(set_up()));
    for_each_row("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' "
                 "AND 'lumilio_app' = ANY(roles) AND tablename NOT IN ('audit_log', "
                 "'embedding_models') ORDER BY 1, 2",
                 policy_is_noticed_when_it_lets_all_in);
    tear_down();
}

static void row_security_is_missed(const char *table, const char *unused)
{
    char sql[320];
    (void) unused;
    (void) snprintf(sql, sizeof sql, "ALTER TABLE %s DISABLE ROW LEVEL SECURITY", table);
    CHECK(violations(sql, table, true) > 0);
    /* FORCE binds the owner, whom the matrix does not play: he must see nothing either. */
    (void) snprintf(sql, sizeof sql, "BEGIN; SET LOCAL ROLE lumilio_owner; SELECT count(*) FROM %s",
                    table);
    CHECK_SQL(conn, sql, "0");
    CHECK_SQL(conn, "ROLLBACK", "");
    (void) snprintf(sql, sizeof sql,
                    "BEGIN; ALTER TABLE %s NO FORCE ROW LEVEL SECURITY; SET LOCAL ROLE "
                    "lumilio_owner; SELECT count(*) > 0 FROM %s",
                    table, table);
    CHECK_SQL(conn, sql, "t");
    CHECK_SQL(conn, "ROLLBACK", "");
}

static void row_security_and_force_are_missed(void)
{
    REQUIRE(CHECK(set_up()));
    for_each_row(
        "SELECT relname, '' FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind = 'r' AND relrowsecurity AND relname !~ '^(auth|audit|embedding)_' ORDER BY 1",
        row_security_is_missed);
    tear_down();
}

static void owner_key_is_missed(const char *table, const char *constraint)
{
    char sql[320];
    (void) snprintf(sql, sizeof sql, "ALTER TABLE %s DROP CONSTRAINT %s", table, constraint);
    if (!CHECK(violations(sql, table, true) > 0)) {
        (void) printf("# nobody misses %s of %s\n", constraint, table);
    }
}

static void every_owner_key_is_missed(void)
{
    REQUIRE(CHECK(set_up()));
    /* Composite keys of child tables; those of assets, albums and asset_search have their own rows
     * below, because a plain INSERT does not use them. */
    for_each_row("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' "
                 "AND connamespace = 'public'::regnamespace AND array_length(conkey, 1) = 2 "
                 "AND conname NOT IN ('assets_repository_owner_fkey', "
                 "'albums_cover_asset_owner_fkey', 'asset_search_asset_owner_fkey', "
                 "'album_assets_album_owner_fkey') ORDER BY 1, 2",
                 owner_key_is_missed);
    tear_down();
}

/* "BEGIN … as Ann …": what must fail with the key and work without it. */
static void check_key(const char *table, const char *constraint, const char *attack)
{
    char sql[1024];
    (void) snprintf(sql, sizeof sql,
                    "BEGIN; SET LOCAL ROLE lumilio_app; SELECT set_config('app.user_id', '1', "
                    "true); %s",
                    attack);
    CHECK_SQL_FAILS(conn, sql, "23503");
    (void) snprintf(sql, sizeof sql,
                    "BEGIN; ALTER TABLE %s DROP CONSTRAINT %s; SET LOCAL ROLE lumilio_app; SELECT "
                    "set_config('app.user_id', '1', true); %s; RESET ROLE; SELECT 'works'",
                    table, constraint, attack);
    CHECK_SQL(conn, sql, "works");
    CHECK_SQL(conn, "ROLLBACK", "");
}

static void keys_that_an_update_uses_are_missed(void)
{
    REQUIRE(CHECK(set_up()));
    check_key("assets", "assets_repository_owner_fkey",
              "UPDATE assets SET repository_id = (SELECT repo_id FROM everything.repositories "
              "WHERE owner_id = 2)");
    check_key("albums", "albums_cover_asset_owner_fkey",
              "UPDATE albums SET cover_asset_id = (SELECT asset_id FROM everything.assets "
              "WHERE owner_id = 2)");
    check_key("album_assets", "album_assets_album_owner_fkey",
              "INSERT INTO album_assets (album_id, asset_id, owner_id) SELECT b.album_id, "
              "a.asset_id, 1 FROM everything.albums b, everything.assets a WHERE b.owner_id = 2 "
              "AND b.name = 'empty' AND a.owner_id = 1");
    tear_down();
}

TAP_MAIN(TAP("matrix: own rows yes, foreign rows no, on every table and command",
             own_rows_yes_foreign_rows_no),
         TAP("matrix: without identity nothing at all", without_identity_nothing_at_all),
         TAP("matrix: a policy that is dropped is missed", every_policy_is_missed),
         TAP("matrix: a policy that lets all in is noticed, or guarded twice",
             every_open_policy_is_noticed),
         TAP("matrix: row security and its FORCE are missed", row_security_and_force_are_missed),
         TAP("matrix: an owner's foreign key that is dropped is missed", every_owner_key_is_missed),
         TAP("matrix: keys that only an UPDATE uses are missed",
             keys_that_an_update_uses_are_missed))
