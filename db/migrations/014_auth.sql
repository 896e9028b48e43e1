-- Logging in: password hashes, sessions, limits on guessing, and a record of what was done. A role
-- of its own, lumilio_auth, works on these; the role that serves users sees no hash and no session,
-- and lumilio_auth sees no photo.

DO $$
BEGIN
    BEGIN
        CREATE ROLE lumilio_auth LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this server has made it
    END;
END
$$;
GRANT USAGE ON SCHEMA public TO lumilio_auth;
GRANT EXECUTE ON FUNCTION current_user_id() TO lumilio_auth;

-- Only bcrypt of a bearable cost verifies. Another text in the column would be taken for a DES hash
-- by the server's crypt(). What we cannot verify is locked by an exclamation mark in front, which
-- can be taken away again.
UPDATE users SET password_hash = left('!' || password_hash, 255)
WHERE password_hash !~ '^(!.*|\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53})$';
ALTER TABLE users ADD CONSTRAINT users_password_hash_check
    CHECK (password_hash ~ '^(!.*|\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53})$');

-- The hash is read by lumilio_auth alone.
REVOKE SELECT ON users FROM lumilio_app, lumilio_worker, lumilio_policy;
GRANT SELECT (user_id, username, email, full_name, avatar_url, created_at, updated_at, last_login)
    ON users TO lumilio_app, lumilio_worker, lumilio_policy;
GRANT SELECT, INSERT ON users TO lumilio_auth;
GRANT UPDATE (email, password_hash, last_login, updated_at) ON users TO lumilio_auth;
GRANT USAGE ON SEQUENCE users_user_id_seq TO lumilio_auth;
CREATE POLICY users_auth_select ON users FOR SELECT TO lumilio_auth USING (true);
CREATE POLICY users_auth_insert ON users FOR INSERT TO lumilio_auth WITH CHECK (true);
CREATE POLICY users_auth_update ON users FOR UPDATE TO lumilio_auth
    USING (true) WITH CHECK (true);

-- The account of a person at the machine itself, who needs no password: nobody can log in to it.
DROP FUNCTION register_user(text, text, text);
CREATE FUNCTION register_local_user(new_username text, new_email text) RETURNS integer
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        INSERT INTO public.users (username, email, password_hash)
        VALUES (new_username, new_email, '!')
        RETURNING user_id
    $$;
COMMENT ON FUNCTION register_local_user(text, text) IS
    'New account without password; a name or address that is taken raises unique_violation';
ALTER FUNCTION register_local_user(text, text) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION register_local_user(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register_local_user(text, text) TO lumilio_app;

-- One row for each login. The refresh token itself is nowhere in the database: token number
-- `generation` is made from the salt and a key outside of it, and is known here by its hash.
CREATE TABLE auth_sessions (
    session_id uuid PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users(user_id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason varchar(20),
    generation integer NOT NULL DEFAULT 0,
    rotated_at timestamptz NOT NULL,
    salt bytea NOT NULL,
    key_id varchar(64) NOT NULL,
    refresh_hash bytea NOT NULL,
    address text,
    user_agent text,
    CONSTRAINT auth_sessions_end_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT auth_sessions_reason_check
        CHECK (end_reason IN ('logout', 'reuse', 'password', 'expired')),
    CONSTRAINT auth_sessions_sizes_check
        CHECK (octet_length(salt) = 32 AND octet_length(refresh_hash) = 32 AND generation >= 0)
);
CREATE INDEX idx_auth_sessions_user ON auth_sessions (user_id, created_at);

-- Who tried too often. The key is a keyed hash of an address or a name: neither stands here.
CREATE TABLE auth_limits (
    key bytea PRIMARY KEY,
    free_at timestamptz NOT NULL
);
CREATE INDEX idx_auth_limits_free ON auth_limits (free_at);

-- What was done to accounts, sessions, albums, repositories and whole assets, and by whom. Rows are
-- added only, and stay when the user goes.
CREATE TABLE audit_log (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    actor_id integer,
    db_role text NOT NULL,
    event text NOT NULL,
    subject_id integer,
    table_name text,
    row_key text,
    changed jsonb
);
COMMENT ON COLUMN audit_log.actor_id IS 'Who did it; NULL: nobody was named, as at a login';
COMMENT ON COLUMN audit_log.subject_id IS 'Whose row or account it is';
CREATE INDEX idx_audit_log_subject ON audit_log (subject_id, audit_id);

ALTER TABLE auth_sessions OWNER TO lumilio_owner;
ALTER TABLE auth_limits OWNER TO lumilio_owner;
ALTER TABLE audit_log OWNER TO lumilio_owner;
GRANT SELECT, INSERT, DELETE ON auth_sessions, auth_limits TO lumilio_auth;
GRANT UPDATE (last_used_at, expires_at, ended_at, end_reason, generation, rotated_at, key_id,
              refresh_hash, address, user_agent)
    ON auth_sessions TO lumilio_auth;
GRANT UPDATE (free_at) ON auth_limits TO lumilio_auth;
GRANT SELECT ON auth_sessions, auth_limits, audit_log TO lumilio_backup;
GRANT SELECT ON audit_log TO lumilio_app;
GRANT INSERT ON audit_log TO lumilio_policy;

ALTER TABLE auth_sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth_sessions_select ON auth_sessions FOR SELECT TO lumilio_auth USING (true);
CREATE POLICY auth_sessions_insert ON auth_sessions FOR INSERT TO lumilio_auth WITH CHECK (true);
CREATE POLICY auth_sessions_update ON auth_sessions FOR UPDATE TO lumilio_auth
    USING (true) WITH CHECK (true);
CREATE POLICY auth_sessions_delete ON auth_sessions FOR DELETE TO lumilio_auth USING (true);

ALTER TABLE auth_limits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth_limits_select ON auth_limits FOR SELECT TO lumilio_auth USING (true);
CREATE POLICY auth_limits_insert ON auth_limits FOR INSERT TO lumilio_auth WITH CHECK (true);
CREATE POLICY auth_limits_update ON auth_limits FOR UPDATE TO lumilio_auth
    USING (true) WITH CHECK (true);
CREATE POLICY auth_limits_delete ON auth_limits FOR DELETE TO lumilio_auth USING (true);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_log_select ON audit_log FOR SELECT TO lumilio_app, lumilio_worker
    USING (subject_id = current_user_id());
CREATE POLICY audit_log_insert ON audit_log FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (false);
CREATE POLICY audit_log_update ON audit_log FOR UPDATE TO lumilio_app, lumilio_worker
    USING (false) WITH CHECK (false);
CREATE POLICY audit_log_delete ON audit_log FOR DELETE TO lumilio_app, lumilio_worker
    USING (false);

-- Nobody changes what was recorded, not even by mistake as the owner.
CREATE FUNCTION audit_log_keep() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
    AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log is only ever added to'
            USING ERRCODE = 'insufficient_privilege';
    END
    $$;
ALTER FUNCTION audit_log_keep() OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION audit_log_keep() FROM PUBLIC;
CREATE TRIGGER audit_log_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_keep();

-- Arguments: column of the row's key, column of its owner, columns whose values are recorded, and
-- columns of which only the fact of a change is.
CREATE FUNCTION audit_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) ELSE '{}' END;
        after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) ELSE '{}' END;
        whole jsonb := before || after;
        db_role text := coalesce(nullif(current_setting('role'), 'none'), session_user);
    BEGIN
        INSERT INTO public.audit_log (actor_id, db_role, event, subject_id, table_name, row_key,
                                      changed)
        SELECT public.current_user_id(), db_role, lower(TG_OP), (whole ->> TG_ARGV[1])::integer,
               TG_TABLE_NAME, whole ->> TG_ARGV[0],
               (SELECT jsonb_object_agg(c.name, c.value)
                FROM (SELECT shown.name,
                             jsonb_build_array(before -> shown.name, after -> shown.name) AS value
                      FROM unnest(TG_ARGV[2]::text[]) AS shown(name)
                      UNION ALL
                      SELECT hidden.name, '"changed"'::jsonb
                      FROM unnest(TG_ARGV[3]::text[]) AS hidden(name)) c
                WHERE coalesce(before -> c.name, 'null') <> coalesce(after -> c.name, 'null'));
        RETURN NULL;
    END
    $$;
ALTER FUNCTION audit_row() OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION audit_row() FROM PUBLIC;

CREATE TRIGGER users_audit_insert AFTER INSERT OR DELETE ON users FOR EACH ROW
    EXECUTE FUNCTION audit_row('user_id', 'user_id', '{username,email}', '{}');
CREATE TRIGGER users_audit_update AFTER UPDATE OF username, email, password_hash ON users
    FOR EACH ROW
    EXECUTE FUNCTION audit_row('user_id', 'user_id', '{username,email}', '{password_hash}');
CREATE TRIGGER auth_sessions_audit AFTER INSERT OR UPDATE OF ended_at OR DELETE ON auth_sessions
    FOR EACH ROW
    EXECUTE FUNCTION audit_row('session_id', 'user_id', '{address,end_reason}', '{}');
CREATE TRIGGER albums_audit_insert AFTER INSERT OR DELETE ON albums FOR EACH ROW
    EXECUTE FUNCTION audit_row('album_id', 'owner_id', '{is_public}', '{}');
CREATE TRIGGER albums_audit_update AFTER UPDATE OF is_public, owner_id ON albums FOR EACH ROW
    WHEN ((OLD.is_public, OLD.owner_id) IS DISTINCT FROM (NEW.is_public, NEW.owner_id))
    EXECUTE FUNCTION audit_row('album_id', 'owner_id', '{is_public,owner_id}', '{}');
CREATE TRIGGER repositories_audit AFTER INSERT OR DELETE OR UPDATE OF path, owner_id
    ON repositories FOR EACH ROW
    EXECUTE FUNCTION audit_row('repo_id', 'owner_id', '{path,owner_id}', '{}');
CREATE TRIGGER assets_audit_update AFTER UPDATE OF deleted_at, owner_id ON assets FOR EACH ROW
    WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at OR OLD.owner_id <> NEW.owner_id)
    EXECUTE FUNCTION audit_row('asset_id', 'owner_id', '{deleted_at,owner_id}', '{}');
CREATE TRIGGER assets_audit_delete AFTER DELETE ON assets FOR EACH ROW
    EXECUTE FUNCTION audit_row('asset_id', 'owner_id', '{file_hash}', '{}');

-- What no row shows: a login that failed or was not even looked at, a token used twice.
CREATE FUNCTION audit_event(event text, subject integer) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        INSERT INTO public.audit_log (actor_id, db_role, event, subject_id)
        VALUES (public.current_user_id(),
                coalesce(nullif(current_setting('role'), 'none'), session_user), event, subject)
    $$;
COMMENT ON FUNCTION audit_event(text, integer) IS 'Record an event about a user (NULL: of nobody)';
ALTER FUNCTION audit_event(text, integer) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION audit_event(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_event(text, integer) TO lumilio_auth;
