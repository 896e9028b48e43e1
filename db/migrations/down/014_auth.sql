-- Sessions, limits and the audit log go with all that they hold. The role stays: it belongs to the
-- server, and other databases may use it.
DROP FUNCTION audit_event(text, integer);
DROP TRIGGER assets_audit_delete ON assets;
DROP TRIGGER assets_audit_update ON assets;
DROP TRIGGER repositories_audit ON repositories;
DROP TRIGGER albums_audit_update ON albums;
DROP TRIGGER albums_audit_insert ON albums;
DROP TRIGGER users_audit_update ON users;
DROP TRIGGER users_audit_insert ON users;
DROP TABLE auth_sessions;
DROP TABLE auth_limits;
DROP TABLE audit_log;
DROP FUNCTION audit_row();
DROP FUNCTION audit_log_keep();

DROP FUNCTION register_local_user(text, text);
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

DROP POLICY users_auth_update ON users;
DROP POLICY users_auth_insert ON users;
DROP POLICY users_auth_select ON users;
REVOKE ALL ON users FROM lumilio_auth;
REVOKE ALL (email, password_hash, last_login, updated_at) ON users FROM lumilio_auth;
REVOKE ALL ON SEQUENCE users_user_id_seq FROM lumilio_auth;
REVOKE SELECT (user_id, username, email, full_name, avatar_url, created_at, updated_at, last_login)
    ON users FROM lumilio_app, lumilio_worker, lumilio_policy;
GRANT SELECT ON users TO lumilio_app, lumilio_worker, lumilio_policy;
ALTER TABLE users DROP CONSTRAINT users_password_hash_check;
REVOKE ALL ON FUNCTION current_user_id() FROM lumilio_auth;
REVOKE ALL ON SCHEMA public FROM lumilio_auth;
