/* Two databases that differ in one thing only: in the second there is no Bob and nothing of his.
 * Whatever Ann asks, she must be told the same in both. */
#ifndef TEST_TWO_WORLDS_H
#define TEST_TWO_WORLDS_H

#include "queries.h"
#include "security.h"

/* More than one row of each, so that orders, pages and counts mean something. */
static const char MORE_SQL[] =
    "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, owner_id, "
    "repository_id, uploaded_at, taken_at, taken_local, taken_source, camera_model, description, "
    "rating, liked) "
    "SELECT 'beach-' || i || '-of-' || r.owner_id || '.jpg', 'inbox/' || i || '/' || r.owner_id, "
    "100 + i, 'hash-' || i || '-' || r.owner_id, (ARRAY['photo','video','audio'])[1 + i % 3], "
    "r.owner_id, r.repo_id, '2021-01-01'::timestamptz + i * interval '1 day', "
    "'2020-01-01'::timestamptz + i * interval '1 day', '2020-01-01'::timestamp + i * interval '1 "
    "day', 'exif', 'camera ' || r.owner_id, "
    "'words of ' || r.owner_id, 1 + i % 5, i % 2 = 0 FROM repositories r, generate_series(1, 8) i;"
    "UPDATE assets SET deleted_at = '2010-01-01' WHERE file_size = 108;"
    "INSERT INTO repositories (name, path, owner_id) SELECT 'empty', '/empty-' || user_id, user_id "
    "FROM users;"
    "INSERT INTO tags (name, category, owner_id) SELECT 'tag-' || i || '-' || user_id, 'kind', "
    "user_id "
    "FROM users, generate_series(1, 3) i;"
    "INSERT INTO asset_tags (asset_id, owner_id, tag_id) SELECT a.asset_id, a.owner_id, t.tag_id "
    "FROM assets a JOIN tags t USING (owner_id) ON CONFLICT DO NOTHING;"
    "INSERT INTO albums (name, owner_id) SELECT 'album-' || i || '-' || user_id, user_id "
    "FROM users, generate_series(1, 3) i;"
    /* What is public Bob shows to everybody; only Ann's is probed. */
    "UPDATE albums SET is_public = true WHERE name = 'album-1-1';"
    "INSERT INTO albums (name, owner_id, filter) SELECT 'smart-' || user_id, user_id, '{\"liked\": "
    "true}' FROM users;"
    "INSERT INTO import_intents (intent_id, owner_id, repository_id, file_path, file_size, "
    "file_hash, "
    "original_filename, state, updated_at) SELECT gen_random_uuid(), owner_id, repository_id, "
    "'old', "
    "1, 'old', 'old', 'failed', '2020-01-01' FROM import_intents;"
    "INSERT INTO album_assets (album_id, asset_id, owner_id, position) SELECT b.album_id, "
    "a.asset_id, a.owner_id, a.file_size * 65536 FROM albums b JOIN assets a USING (owner_id) "
    "WHERE b.filter IS NULL ON CONFLICT DO NOTHING;"
    "INSERT INTO thumbnails (asset_id, owner_id, size, file_path) SELECT asset_id, owner_id, "
    "'medium', 'thumb/' || file_path FROM assets;"
    "INSERT INTO embeddings (asset_id, owner_id, embedding) SELECT asset_id, owner_id, "
    "array_fill((file_size % 7 + 1)::real, ARRAY[512])::halfvec FROM assets "
    "ON CONFLICT DO NOTHING;";

/* Bob with all that is his: without triggers and keys, which would leave traces of the removal. */
static const char WITHOUT_BOB_SQL[] =
    "SET session_replication_role = replica; "
    "DO $$ DECLARE t record; BEGIN FOR t IN SELECT name, key FROM checks.tables "
    "WHERE key IS NOT NULL LOOP EXECUTE format('DELETE FROM public.%I WHERE %I = 2', t.name, "
    "t.key); "
    "END LOOP; DELETE FROM auth_sessions WHERE user_id = 2; "
    "DELETE FROM auth_limits WHERE key = 'bob'; END $$; "
    "RESET session_replication_role";

/* All of Bob's rows, as one number. Shared tags are nobody's: Ann may add some. */
static const char DIGEST_SQL[] =
    "CREATE FUNCTION checks.digest() RETURNS text LANGUAGE plpgsql AS $$ "
    "DECLARE t record; part text; whole text := ''; BEGIN FOR t IN SELECT name, key FROM "
    "checks.tables WHERE key IS NOT NULL AND name <> 'audit_log' ORDER BY name LOOP "
    "EXECUTE format('SELECT md5(string_agg(x::text, '','' ORDER BY x::text)) FROM public.%I x "
    "WHERE %I = 2', t.name, t.key) INTO part; whole := whole || t.name || '=' || "
    "coalesce(part, '-') || ' '; END LOOP; RETURN whole; END $$";

static const char SEQUENCES_SQL[] =
    "SELECT setval(schemaname || '.' || sequencename, 1000000) FROM pg_sequences "
    "WHERE schemaname = 'public'";

/* Names and addresses of accounts are not secret: registering tells that one is taken. */
static const char POOL_SQL[] =
    "SELECT column_name, value, is_foreign FROM checks.pool() ORDER BY 1, 2, 3";
static const char POOL_FUNCTION_SQL[] =
    "CREATE FUNCTION checks.pool() RETURNS TABLE (column_name text, value text, is_foreign "
    "boolean) LANGUAGE plpgsql AS $$ DECLARE c record; BEGIN "
    "FOR c IN SELECT t.name AS table_name, t.key, a.attname FROM checks.tables t JOIN pg_attribute "
    "a "
    "ON a.attrelid = t.oid WHERE t.key IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped "
    "AND a.atttypid IN (23, 20, 25, 1043, 2950) AND t.name NOT IN ('users', 'audit_log') LOOP "
    "RETURN QUERY EXECUTE format('SELECT DISTINCT %L, left(%I::text, 150), %I = 2 FROM public.%I "
    "WHERE %I IS NOT NULL AND %I IS NOT NULL', c.attname, c.attname, c.key, c.table_name, "
    "c.attname, c.key); END LOOP; END $$";

/* A copy of a database, so that sequences go on alike, without Bob; `conn`, to the first one, is
 * closed. NULL after a failed check. */
static inline const char *world_without_bob(pgc_conn *conn)
{
    char name[64];
    char got[8];
    char state[6];
    schema_ask(conn, "SELECT current_database()", name, sizeof name, state);
    pgc_conn_close(conn);
    const char *url = test_db_create_from(name);
    pgc_conn *copy = url != NULL ? schema_connect(url) : NULL;
    if (!CHECK(copy != NULL)) {
        return NULL;
    }
    schema_ask(copy, WITHOUT_BOB_SQL, got, sizeof got, state);
    pgc_conn_close(copy);
    return CHECK_STR(state, "") ? url : NULL;
}

#endif
