-- Roles, grants and row-level security. Identity is the transaction-local setting app.user_id: a
-- transaction that did not set it sees no row and may write none.

DO $$
DECLARE
    wanted text[] := ARRAY['lumilio_owner', 'lumilio_policy', 'lumilio_app', 'lumilio_worker',
                           'lumilio_backup', 'lumilio_monitor'];
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY wanted LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of this server has made it
        END;
    END LOOP;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT lumilio_owner, lumilio_policy TO %I', current_user);
    END IF;
    IF EXISTS (SELECT FROM pg_roles
               WHERE rolname IN ('lumilio_policy', 'lumilio_backup') AND NOT rolbypassrls) THEN
        ALTER ROLE lumilio_policy NOLOGIN BYPASSRLS;
        ALTER ROLE lumilio_backup LOGIN BYPASSRLS;
        ALTER ROLE lumilio_backup SET default_transaction_read_only = on;
        ALTER ROLE lumilio_app LOGIN;
        ALTER ROLE lumilio_worker LOGIN;
        ALTER ROLE lumilio_monitor LOGIN;
        GRANT pg_monitor TO lumilio_monitor;
    END IF;
END
$$;

-- Own the schema's objects as a role that nobody logs in as.
DO $$
DECLARE
    object record;
BEGIN
    FOR object IN
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
          AND c.relname IN ('users', 'repositories', 'assets', 'thumbnails', 'embeddings', 'tags',
                            'asset_tags', 'albums', 'album_assets', 'species_predictions',
                            'file_records', 'sync_operations')
    LOOP
        EXECUTE format('ALTER TABLE public.%I OWNER TO lumilio_owner', object.relname);
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO lumilio_owner, lumilio_policy, lumilio_app, lumilio_worker,
    lumilio_backup, lumilio_monitor;

CREATE FUNCTION current_user_id() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.user_id', true), '')::integer;
COMMENT ON FUNCTION current_user_id() IS
    'Who the transaction acts for; NULL, and so no rows, when nobody was named';
ALTER FUNCTION current_user_id() OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION current_user_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION current_user_id() TO lumilio_policy, lumilio_app, lumilio_worker;

GRANT SELECT ON users, repositories, assets, thumbnails, embeddings, tags, asset_tags, albums,
    album_assets, species_predictions, file_records, sync_operations
    TO lumilio_app, lumilio_worker, lumilio_backup, lumilio_policy;
GRANT INSERT, DELETE ON repositories, assets, thumbnails, embeddings, tags, asset_tags, albums,
    album_assets, species_predictions, file_records, sync_operations
    TO lumilio_app, lumilio_worker;

-- What an owner may change. Ids, owners, hashes and times of creation are not among it.
GRANT UPDATE (full_name, avatar_url, updated_at) ON users TO lumilio_app;
GRANT UPDATE (name, path, storage_strategy, is_default, updated_at) ON repositories
    TO lumilio_app, lumilio_worker;
GRANT UPDATE (original_filename, file_path, mime_type, repository_id, taken_at, taken_local,
              taken_offset_minutes, taken_source, updated_at, camera_make, camera_model,
              lens_model, iso, aperture, shutter_speed, focal_length, latitude, longitude,
              altitude, width, height, duration, description, rating, liked, is_raw,
              is_transcoded, transcoded_path, deleted_at)
    ON assets TO lumilio_app, lumilio_worker;
GRANT UPDATE (file_path, file_size, width, height, mime_type) ON thumbnails
    TO lumilio_app, lumilio_worker;
GRANT UPDATE (embedding, model_version, created_at) ON embeddings TO lumilio_app, lumilio_worker;
GRANT UPDATE (name, category) ON tags TO lumilio_app, lumilio_worker;
GRANT UPDATE (confidence, source) ON asset_tags TO lumilio_app, lumilio_worker;
GRANT UPDATE (name, description, cover_asset_id, is_public, updated_at) ON albums
    TO lumilio_app, lumilio_worker;
GRANT UPDATE (position) ON album_assets TO lumilio_app, lumilio_worker;
GRANT UPDATE (species_name, common_name, confidence, model_version) ON species_predictions
    TO lumilio_app, lumilio_worker;
GRANT UPDATE (file_size, mod_time, content_hash, last_scanned, scan_generation, updated_at)
    ON file_records TO lumilio_app, lumilio_worker;
GRANT UPDATE (files_scanned, files_added, files_updated, files_removed, end_time, duration_ms,
              status, error_message)
    ON sync_operations TO lumilio_app, lumilio_worker;
GRANT USAGE ON SEQUENCE thumbnails_thumbnail_id_seq, embeddings_embedding_id_seq,
    species_predictions_prediction_id_seq, tags_tag_id_seq, albums_album_id_seq,
    file_records_id_seq, sync_operations_id_seq
    TO lumilio_app, lumilio_worker;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO lumilio_backup;

-- Own rows, for every command. INSERT and UPDATE check the row that would be written.
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY users_select ON users FOR SELECT TO lumilio_app, lumilio_worker
    USING (user_id = current_user_id());
CREATE POLICY users_insert ON users FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (false);
CREATE POLICY users_update ON users FOR UPDATE TO lumilio_app, lumilio_worker
    USING (user_id = current_user_id()) WITH CHECK (user_id = current_user_id());
CREATE POLICY users_delete ON users FOR DELETE TO lumilio_app, lumilio_worker
    USING (false);

ALTER TABLE repositories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY repositories_select ON repositories FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY repositories_insert ON repositories FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY repositories_update ON repositories FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY repositories_delete ON repositories FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

ALTER TABLE assets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY assets_select ON assets FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY assets_insert ON assets FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY assets_update ON assets FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY assets_delete ON assets FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

ALTER TABLE thumbnails ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY thumbnails_select ON thumbnails FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY thumbnails_insert ON thumbnails FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY thumbnails_update ON thumbnails FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY thumbnails_delete ON thumbnails FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

ALTER TABLE embeddings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY embeddings_select ON embeddings FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY embeddings_insert ON embeddings FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY embeddings_update ON embeddings FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY embeddings_delete ON embeddings FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

ALTER TABLE species_predictions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY species_predictions_select ON species_predictions
    FOR SELECT TO lumilio_app, lumilio_worker USING (owner_id = current_user_id());
CREATE POLICY species_predictions_insert ON species_predictions
    FOR INSERT TO lumilio_app, lumilio_worker WITH CHECK (owner_id = current_user_id());
CREATE POLICY species_predictions_update ON species_predictions
    FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY species_predictions_delete ON species_predictions
    FOR DELETE TO lumilio_app, lumilio_worker USING (owner_id = current_user_id());

-- The system's tags (no owner) are seen by all and written by nobody here.
ALTER TABLE tags ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tags_select ON tags FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()
           OR (owner_id IS NULL AND current_user_id() IS NOT NULL));
CREATE POLICY tags_insert ON tags FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY tags_update ON tags FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY tags_delete ON tags FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

-- The tag must be one that the owner sees: the sub-select is under the policy of tags.
ALTER TABLE asset_tags ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY asset_tags_select ON asset_tags FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY asset_tags_insert ON asset_tags FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id()
                AND EXISTS (SELECT FROM tags t WHERE t.tag_id = asset_tags.tag_id));
CREATE POLICY asset_tags_update ON asset_tags FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id())
    WITH CHECK (owner_id = current_user_id()
                AND EXISTS (SELECT FROM tags t WHERE t.tag_id = asset_tags.tag_id));
CREATE POLICY asset_tags_delete ON asset_tags FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

ALTER TABLE albums ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY albums_select ON albums FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY albums_insert ON albums FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY albums_update ON albums FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY albums_delete ON albums FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

-- Album and asset both belong to owner_id by the composite foreign keys.
ALTER TABLE album_assets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY album_assets_select ON album_assets FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY album_assets_insert ON album_assets FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY album_assets_update ON album_assets FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY album_assets_delete ON album_assets FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

ALTER TABLE file_records ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY file_records_select ON file_records FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY file_records_insert ON file_records FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY file_records_update ON file_records FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY file_records_delete ON file_records FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

ALTER TABLE sync_operations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sync_operations_select ON sync_operations FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY sync_operations_insert ON sync_operations FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY sync_operations_update ON sync_operations FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY sync_operations_delete ON sync_operations FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

-- Before there is an identity: who is this user, and a new account. Both run as lumilio_policy,
-- which row-level security does not bind, with a pinned search path.
GRANT INSERT ON users TO lumilio_policy;
GRANT USAGE ON SEQUENCE users_user_id_seq TO lumilio_policy;

CREATE FUNCTION find_user_id(wanted_username text) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$ SELECT u.user_id FROM public.users u WHERE u.username = wanted_username $$;
COMMENT ON FUNCTION find_user_id(text) IS 'user_id of a user name, NULL when there is none';
ALTER FUNCTION find_user_id(text) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION find_user_id(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_user_id(text) TO lumilio_app;

CREATE FUNCTION register_user(new_username text, new_email text, new_password_hash text)
    RETURNS integer
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        INSERT INTO public.users (username, email, password_hash)
        VALUES (new_username, new_email, new_password_hash)
        RETURNING user_id
    $$;
COMMENT ON FUNCTION register_user(text, text, text) IS
    'New account; a name or address that is taken raises unique_violation';
ALTER FUNCTION register_user(text, text, text) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION register_user(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register_user(text, text, text) TO lumilio_app;
