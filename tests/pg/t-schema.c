/* The schema: the seed's tables exactly as its document lists them, and our migrations up, down and
 * up again. */
#include "base/prelude.h"

#include <fcntl.h>
#include <glob.h>

#include <pgc/error.h>

#include "base/file.h"
#include "schema.h"
#include "tap.h"

/* Everything that a migration may change, as one text. */
#define CATALOG_SQL                                                                              \
    "SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM ("                                  \
    "SELECT format('%s.%s %s %s %s', c.relname, a.attname, "                                     \
    "  format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS " \
    "line "                                                                                      \
    "  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "              \
    "    AND NOT a.attisdropped "                                                                \
    "  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum "                      \
    "  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i') "               \
    "UNION ALL SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) "               \
    "  FROM pg_constraint WHERE connamespace = 'public'::regnamespace "                          \
    "UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' "                     \
    "UNION ALL SELECT tablename || policyname || cmd || coalesce(qual, '') "                     \
    "  || coalesce(with_check, '') FROM pg_policies "                                            \
    "UNION ALL SELECT relname || relrowsecurity || relforcerowsecurity FROM pg_class "           \
    "  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "                           \
    "UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p "                                 \
    "  LEFT JOIN pg_depend e ON e.objid = p.oid AND e.deptype = 'e' "                            \
    "  WHERE p.pronamespace = 'public'::regnamespace AND e.objid IS NULL "                       \
    "UNION ALL SELECT tgrelid::regclass || tgname FROM pg_trigger WHERE NOT tgisinternal) lines"

/* Columns of one table: name, type, NOT NULL and default, in order. */
#define COLUMNS_SQL(table)                                                                \
    "SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) "         \
    "|| CASE WHEN a.attnotnull THEN ' not null' ELSE '' END "                             \
    "|| coalesce(' = ' || pg_get_expr(d.adbin, d.adrelid), ''), '; ' ORDER BY a.attnum) " \
    "FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid "               \
    "AND d.adnum = a.attnum WHERE a.attrelid = '" table "'::regclass AND a.attnum > 0 "   \
    "AND NOT a.attisdropped"

#define TS    "timestamp without time zone"
#define TSNOW TS " = now()"
#define VC(n) "character varying(" #n ")"

static const struct {
    const char *sql;
    const char *want;
} SEED_COLUMNS[] = {
    { COLUMNS_SQL("users"),
      "user_id integer not null = nextval('users_user_id_seq'::regclass); "
      "username " VC(50) " not null; email " VC(
          255) " not null; "
               "password_hash " VC(255) " not null; full_name " VC(255) "; avatar_url "
                                                                        "text; "
                                                                        "created_"
                                                                        "at " TSNOW "; "
                                                                        "updated_"
                                                                        "at " TSNOW "; "
                                                                        "last_"
                                                                        "login " TS },
    { COLUMNS_SQL("repositories"),
      "repo_id uuid not null = gen_random_uuid(); name " VC(
          255) " not null; path text not null; "
               "owner_id integer; storage_strategy " VC(
                   20) " = 'date'::character varying; is_default "
                       "boolean = false; created_at " TSNOW "; updated_at " TSNOW },
    { COLUMNS_SQL("assets"),
      "asset_id uuid not null = gen_random_uuid(); original_filename " VC(
          255) " not null; "
               "file_path text not null; file_size bigint not null; "
               "file_hash text; mime_type " VC(100) "; asset_type " VC(
                   20) " not null; repository_id uuid; owner_id integer; "
                       "uploaded_at " TS " not null; taken_at " TS "; created_at " TSNOW
                       "; updated_at " TSNOW "; camera_make " VC(100) "; camera_model " VC(
                           100) "; lens_model " VC(100) "; iso integer; "
                                                        "aperture "
                                                        "numeric(5,2); "
                                                        "shutter_speed " VC(50) "; "
                                                                                "focal_"
                                                                                "length "
                                                                                "numeric(6,"
                                                                                "2); "
                                                                                "latitude "
                                                                                "numeric(10,"
                                                                                "8); "
                                                                                "longitude "
                                                                                "numeric(11,"
                                                                                "8); "
                                                                                "altitude "
                                                                                "numeric(10,"
                                                                                "2); width "
                                                                                "integer; "
                                                                                "height "
                                                                                "integer; "
                                                                                "duration "
                                                                                "numeric(10,"
                                                                                "2); "
                                                                                "description"
                                                                                " text; "
                                                                                "rating "
                                                                                "integer; "
                                                                                "liked "
                                                                                "boolean = "
                                                                                "false; "
                                                                                "is_raw "
                                                                                "boolean = "
                                                                                "false; "
                                                                                "is_"
                                                                                "transcoded "
                                                                                "boolean = "
                                                                                "false; "
                                                                                "transcoded_"
                                                                                "path "
                                                                                "text" },
    { COLUMNS_SQL("thumbnails"),
      "thumbnail_id integer not null = nextval('thumbnails_thumbnail_id_seq'::regclass); asset_id "
      "uuid; size " VC(20) " not null; file_path text not null; file_size bigint; width integer; "
                           "height integer; mime_type " VC(100) "; created_at " TSNOW },
    { COLUMNS_SQL("embeddings"),
      "embedding_id integer not null = nextval('embeddings_embedding_id_seq'::regclass); asset_id "
      "uuid; embedding vector(512); model_version " VC(50) " = 'clip-vit-base'::character varying; "
                                                           "created_at " TSNOW },
    { COLUMNS_SQL("species_predictions"),
      "prediction_id integer not null = "
      "nextval('species_predictions_prediction_id_seq'::regclass); asset_id uuid; species_name " VC(
          255) " not null; common_name " VC(255) "; confidence numeric(5,4) not null; "
                                                 "model_version " VC(50) "; created_at " TSNOW },
    { COLUMNS_SQL("tags"),
      "tag_id integer not null = nextval('tags_tag_id_seq'::regclass); name " VC(
          100) " not null; "
               "category " VC(50) "; is_ai_generated boolean = false; created_at " TSNOW },
    { COLUMNS_SQL("asset_tags"),
      "asset_id uuid not null; tag_id integer not null; confidence numeric(5,4); source " VC(
          50) "; created_at " TSNOW },
    { COLUMNS_SQL("albums"),
      "album_id integer not null = nextval('albums_album_id_seq'::regclass); name " VC(
          255) " not null; description text; cover_asset_id uuid; owner_id integer; is_public "
               "boolean = "
               "false; created_at " TSNOW "; updated_at " TSNOW },
    { COLUMNS_SQL("album_assets"),
      "album_id integer not null; asset_id uuid not null; position integer; added_at " TSNOW },
    { COLUMNS_SQL("file_records"),
      "id bigint not null = nextval('file_records_id_seq'::regclass); repository_id uuid not null; "
      "file_path text not null; file_size bigint not null; mod_time " TS " not null; content_hash "
      "text; last_scanned " TS " not null; scan_generation integer = 0; created_at " TSNOW
      "; updated_at " TSNOW },
    { COLUMNS_SQL("sync_operations"),
      "id bigint not null = nextval('sync_operations_id_seq'::regclass); repository_id uuid not "
      "null; operation_type text not null; files_scanned integer = 0; files_added integer = 0; "
      "files_updated integer = 0; files_removed integer = 0; start_time " TS
      " not null; end_time " TS
      "; duration_ms bigint; status text not null; error_message text; created_at " TSNOW },
};

/* Indexes of the seed, primary keys and unique constraints apart. */
static const char SEED_INDEXES[] =
    "idx_album_assets_album (album_id, \"position\"); idx_album_assets_asset (asset_id); "
    "idx_albums_owner (owner_id); idx_asset_tags_asset (asset_id); "
    "idx_asset_tags_confidence (confidence DESC); idx_asset_tags_tag (tag_id); "
    "idx_assets_camera (camera_make, camera_model); "
    "idx_assets_filename_gin (to_tsvector('english'::regconfig, (original_filename)::text)); "
    "idx_assets_hash (file_hash); idx_assets_liked (liked) WHERE (liked = true); "
    "idx_assets_owner (owner_id); "
    "idx_assets_owner_type_uploaded (owner_id, asset_type, uploaded_at DESC); "
    "idx_assets_rating (rating DESC); idx_assets_repository (repository_id); "
    "idx_assets_taken (taken_at DESC); idx_assets_type (asset_type); "
    "idx_assets_uploaded (uploaded_at DESC); "
    "idx_embeddings_vector (embedding vector_cosine_ops) WITH (m='16', ef_construction='64'); "
    "idx_file_records_hash (content_hash); idx_file_records_repo (repository_id); "
    "idx_file_records_scanned (last_scanned); idx_repositories_default (is_default); "
    "idx_repositories_owner (owner_id); idx_species_predictions_asset (asset_id); "
    "idx_species_predictions_confidence (confidence DESC); idx_sync_ops_repo (repository_id); "
    "idx_sync_ops_time (start_time DESC); idx_tags_category (category); idx_tags_name (name); "
    "idx_thumbnails_asset (asset_id); idx_users_email (email); idx_users_username (username)";

static void seed_columns_are_those_of_the_document(void)
{
    const char *url = test_db_create();
    REQUIRE(CHECK(url != NULL && schema_apply(url, "005")));
    pgc_conn *conn = schema_connect(url);
    REQUIRE(conn != NULL);
    for (size_t i = 0; i < ARRAY_LEN(SEED_COLUMNS); i++) {
        CHECK_SQL(conn, SEED_COLUMNS[i].sql, SEED_COLUMNS[i].want);
    }
    CHECK_SQL(conn,
              "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace "
              "AND relkind = 'r' AND relname <> 'atlas_schema_revisions'",
              "12");
    pgc_conn_close(conn);
}

static void seed_indexes_and_checks_are_those_of_the_document(void)
{
    const char *url = test_db_create();
    REQUIRE(CHECK(url != NULL && schema_apply(url, "005")));
    pgc_conn *conn = schema_connect(url);
    REQUIRE(conn != NULL);
    CHECK_SQL(conn,
              "SELECT string_agg(indexname || ' ' || "
              "regexp_replace(indexdef, '^.* USING [a-z]+ ', ''), '; ' ORDER BY indexname) "
              "FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx%'",
              SEED_INDEXES);
    CHECK_SQL(conn,
              "SELECT string_agg(pg_get_constraintdef(oid), '; ') FROM pg_constraint "
              "WHERE contype = 'c' AND connamespace = 'public'::regnamespace",
              "CHECK (((rating >= 0) AND (rating <= 5)))");
    CHECK_SQL(conn,
              "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
              "WHERE conname = 'assets_repository_id_fkey'",
              "FOREIGN KEY (repository_id) REFERENCES repositories(repo_id) ON DELETE CASCADE");
    CHECK_SQL(conn,
              "SELECT count(*) FROM pg_constraint WHERE contype = 'f' "
              "AND connamespace = 'public'::regnamespace",
              "14");
    pgc_conn_close(conn);
}

/* Run one down script. */
static bool down(pgc_conn *conn, const char *path)
{
    pgc_error err;
    pgc_error_clear(&err);
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 1 << 20);
    pgc_status status = file_read(env_default(), AT_FDCWD, path, &text, &err);
    if (status == PGC_OK) {
        status = pgc_conn_script(conn, text.ptr, 0, NULL, &err);
    }
    if (status != PGC_OK) {
        (void) printf("# down %s: %s\n", path, err.message);
    }
    return status == PGC_OK;
}

static void every_migration_of_ours_can_be_taken_back(void)
{
    glob_t scripts;
    char after_seed[64];
    char after_all[64];
    char state[6];
    const char *url = test_db_create();
    REQUIRE(CHECK(url != NULL && schema_apply(url, "005")));
    pgc_conn *conn = schema_connect(url);
    REQUIRE(conn != NULL);
    schema_ask(conn, CATALOG_SQL, after_seed, sizeof after_seed, state);
    REQUIRE(CHECK(schema_apply(url, NULL)));
    schema_ask(conn, CATALOG_SQL, after_all, sizeof after_all, state);
    CHECK(strcmp(after_seed, after_all) != 0);
    REQUIRE(CHECK_INT(glob(TEST_SOURCE_ROOT "/db/migrations/down/*.sql", 0, NULL, &scripts), 0));
    CHECK(scripts.gl_pathc >= 6);
    for (size_t i = scripts.gl_pathc; i > 0; i--) {
        CHECK(down(conn, scripts.gl_pathv[i - 1])); /* the newest first */
    }
    globfree(&scripts);
    CHECK_SQL(conn, CATALOG_SQL, after_seed);
    CHECK_SQL(conn, "DELETE FROM atlas_schema_revisions WHERE version > '005'", "");
    REQUIRE(CHECK(schema_apply(url, NULL)));
    CHECK_SQL(conn, CATALOG_SQL, after_all);
    pgc_conn_close(conn);
}

/* Asked for each file that is to be removed: its time must not grow with the library. */
static void a_path_is_found_by_an_index(void)
{
    const char *url = test_db_create();
    REQUIRE(CHECK(url != NULL && schema_apply(url, NULL)));
    pgc_conn *conn = schema_connect(url);
    REQUIRE(conn != NULL);
    CHECK_SQL(
        conn,
        "INSERT INTO users (username, email, password_hash) VALUES ('ann', 'a@x', '!');"
        "INSERT INTO repositories (name, path, owner_id) SELECT 'r', '/r', user_id FROM users;"
        "INSERT INTO assets (original_filename, file_path, file_size, asset_type, owner_id,"
        " repository_id, file_hash, mime_type, uploaded_at)"
        " SELECT i, 'inbox/' || i, 1, 'photo', owner_id, repo_id, i, 'image/png', now()"
        " FROM repositories, generate_series(1, 3000) i;"
        "INSERT INTO thumbnails (asset_id, owner_id, size, file_path, mime_type)"
        " SELECT asset_id, owner_id, 'small', 't/' || file_hash, 'image/webp' FROM assets;"
        "ANALYZE assets; ANALYZE thumbnails;"
        "CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$"
        " DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;"
        " RETURN plan; END $$",
        "");
    CHECK_SQL(conn,
              "SELECT pg_temp.plan_of($$SELECT FROM assets WHERE repository_id ="
              " gen_random_uuid() AND file_path = 'inbox/1'$$) LIKE '%idx_assets_file_path%'",
              "t");
    CHECK_SQL(conn,
              "SELECT pg_temp.plan_of($$SELECT FROM thumbnails t JOIN assets a USING (asset_id)"
              " WHERE a.repository_id = gen_random_uuid() AND t.file_path = 't/1'$$)"
              " LIKE '%idx_thumbnails_file_path%'",
              "t");
    /* Longer than an ordered index takes. */
    CHECK_SQL(conn,
              "UPDATE assets SET file_path = (SELECT string_agg(md5(i::text), '')"
              " FROM generate_series(1, 128) i) WHERE file_path = 'inbox/1'",
              "");
    pgc_conn_close(conn);
}

/* A database that the original program filled is adopted: rows survive with owners and times. */
static void rows_of_the_seed_are_adopted(void)
{
    const char *url = test_db_create();
    REQUIRE(CHECK(url != NULL && schema_apply(url, "005")));
    pgc_conn *conn = schema_connect(url);
    REQUIRE(conn != NULL);
    CHECK_SQL(conn,
              "INSERT INTO users (username, email, password_hash) VALUES ('ann', 'a@x', 'h');"
              "INSERT INTO repositories (name, path) VALUES ('r', '/r');"
              "INSERT INTO assets (original_filename, file_path, file_size, asset_type, owner_id, "
              "repository_id, uploaded_at, taken_at) SELECT 'a.jpg', 'p', 1, 'photo', NULL, "
              "repo_id, '2020-01-02 03:04:05', '2019-05-06 07:08:09' FROM repositories;"
              "INSERT INTO thumbnails (asset_id, size, file_path) SELECT asset_id, 'small', 't' "
              "FROM assets",
              "");
    REQUIRE(CHECK(schema_apply(url, NULL)));
    CHECK_SQL(conn, "SELECT username FROM assets JOIN users ON user_id = owner_id", "unowned");
    CHECK_SQL(conn, "SET timezone = 'UTC'; SELECT taken_at || ' ' || taken_local FROM assets",
              "2019-05-06 07:08:09+00 2019-05-06 07:08:09");
    CHECK_SQL(conn, "SELECT count(*) FROM thumbnails t JOIN assets a USING (asset_id, owner_id)",
              "1");
    CHECK_SQL(conn, "SELECT filename_words::text FROM asset_search", "'a':1 'jpg':2");
    pgc_conn_close(conn);
}

TAP_MAIN(TAP("schema: the seed's columns are those of the document",
             seed_columns_are_those_of_the_document),
         TAP("schema: the seed's indexes, checks and keys are those of the document",
             seed_indexes_and_checks_are_those_of_the_document),
         TAP("schema: our migrations can be taken back and applied again",
             every_migration_of_ours_can_be_taken_back),
         TAP("schema: a path is found by an index", a_path_is_found_by_an_index),
         TAP("schema: rows that the original program wrote are adopted",
             rows_of_the_seed_are_adopted))
