-- What must hold of every table, policy, right and function of the schema (reliability §8.3), and
-- the matrix of roles, tables, commands and rows (§8.4), both read from the catalogs: a new table is
-- under them from its first migration on. Deviations are listed here, each with its reason.
CREATE SCHEMA checks;

-- Tables without an owner of their rows. kind auth: lumilio_auth's alone; library: read by all.
CREATE TABLE checks.special (table_name text, kind text, reason text);
INSERT INTO checks.special VALUES
    ('users', 'users', 'the row is the owner'),
    ('auth_sessions', 'auth', 'logins'),
    ('auth_limits', 'auth', 'attempts at logins'),
    ('audit_log', 'log', 'rows outlive their users; written by triggers alone'),
    ('embedding_models', 'library', 'the models that the library knows');

-- Policies that say something else than "own rows" or "nobody".
CREATE TABLE checks.other_policy (table_name text, cmd text, expression text, reason text);
INSERT INTO checks.other_policy VALUES
    ('users', '*', '(user_id = current_user_id())', 'the row is the owner'),
    ('audit_log', 'SELECT', '(subject_id = current_user_id())', 'events about oneself'),
    ('tags', 'SELECT', '((owner_id = current_user_id()) OR ((owner_id IS NULL) AND ( '
     'SELECT true FROM asset_tags l WHERE ((l.tag_id = tags.tag_id) AND (l.owner_id = '
     'current_user_id())) LIMIT 1)))', 'shared tags are seen by those whose photos have them'),
    ('asset_tags', '*', '((owner_id = current_user_id()) AND sees_tag(tag_id))',
     'only a tag that one sees'),
    ('embedding_models', 'SELECT', 'true', 'the models that the library knows');

-- Foreign keys that no rule below would miss, because another one guards the same column.
CREATE TABLE checks.foreign_key (name text);
INSERT INTO checks.foreign_key VALUES ('import_intents_owner_id_fkey'),
    ('file_deletions_owner_id_fkey');

-- Own rows that may not be written, and by whom: commands that are left, as letters of SIUD.
CREATE TABLE checks.narrow (table_name text, role_name text, allowed text, reason text);
INSERT INTO checks.narrow VALUES
    ('users', 'lumilio_app', 'SU', 'accounts are made and ended by the auth service'),
    ('users', 'lumilio_worker', 'S', 'jobs change no account'),
    ('asset_search', 'lumilio_app', 'S', 'kept by triggers'),
    ('asset_search', 'lumilio_worker', 'S', 'kept by triggers'),
    ('asset_days', 'lumilio_app', 'S', 'kept by triggers'),
    ('asset_days', 'lumilio_worker', 'S', 'kept by triggers'),
    ('tag_counts', 'lumilio_app', 'S', 'kept by triggers'),
    ('tag_counts', 'lumilio_worker', 'S', 'kept by triggers'),
    ('album_counts', 'lumilio_app', 'S', 'kept by triggers'),
    ('album_counts', 'lumilio_worker', 'S', 'kept by triggers'),
    ('library_counts', 'lumilio_app', 'S', 'kept by triggers'),
    ('library_counts', 'lumilio_worker', 'S', 'kept by triggers'),
    ('audit_log', 'lumilio_app', 'S', 'kept by triggers'),
    ('audit_log', 'lumilio_worker', '', 'no business of jobs');

-- Functions that run past the policies and take no owner from current_user_id().
CREATE TABLE checks.open_function (name text, reason text);
INSERT INTO checks.open_function VALUES
    ('find_user_id', 'gives the id of a name, before there is an identity'),
    ('register_local_user', 'makes an account that nobody can log in to'),
    ('public_album_assets', 'shows what its owner made public, to anybody who is somebody'),
    ('public_albums', 'shows what its owner made public, to anybody who is somebody'),
    ('audit_event', 'adds to the audit log');

CREATE VIEW checks.tables AS
SELECT c.oid, c.relname::text AS name, c.relrowsecurity, c.relforcerowsecurity, c.relowner,
       coalesce(s.kind, 'tenant') AS kind,
       CASE coalesce(s.kind, 'tenant')
           WHEN 'tenant' THEN 'owner_id' WHEN 'log' THEN 'subject_id' WHEN 'users' THEN 'user_id'
       END AS key
FROM pg_class c LEFT JOIN checks.special s ON s.table_name = c.relname
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND c.relname <> 'atlas_schema_revisions' AND c.relname !~ '^river_';

CREATE VIEW checks.policies AS
SELECT p.policyname::text AS name, p.tablename::text AS table_name, p.permissive, r AS role_name,
       p.cmd, regexp_replace(p.qual, '\s+', ' ', 'g') AS qual,
       regexp_replace(p.with_check, '\s+', ' ', 'g') AS with_check
FROM pg_policies p, unnest(p.roles::text[]) r
WHERE p.schemaname = 'public';

CREATE VIEW checks.grants AS
SELECT c.relname::text AS table_name, NULL::text AS column_name,
       coalesce(r.rolname::text, 'PUBLIC') AS role_name, a.privilege_type AS privilege
FROM pg_class c CROSS JOIN aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner
  AND c.relname <> 'atlas_schema_revisions' AND c.relname !~ '^river_' AND c.relkind <> 'S'
UNION ALL
SELECT c.relname, t.attname, coalesce(r.rolname, 'PUBLIC'), a.privilege_type
FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid CROSS JOIN aclexplode(t.attacl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = 'public'::regnamespace AND c.relname !~ '^river_';

CREATE VIEW checks.functions AS
SELECT p.oid, p.proname::text AS name, p.prosecdef, p.proconfig, p.proowner,
       pg_get_functiondef(p.oid) AS body,
       has_function_privilege('public', p.oid, 'EXECUTE') AS anybody,
       has_function_privilege('lumilio_app', p.oid, 'EXECUTE')
           OR has_function_privilege('lumilio_worker', p.oid, 'EXECUTE') AS serves
FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  AND p.proname !~ '^river_';

-- One line for each thing that is wrong; none when all is well.
CREATE FUNCTION checks.violations() RETURNS SETOF text LANGUAGE sql AS $$
    WITH policies AS MATERIALIZED (SELECT * FROM checks.policies),
         tables AS MATERIALIZED (SELECT * FROM checks.tables),
         grants AS MATERIALIZED (SELECT * FROM checks.grants),
         functions AS MATERIALIZED (SELECT * FROM checks.functions)
    SELECT 'table ' || t.name || ': no forced row security' FROM tables t
    WHERE NOT (t.relrowsecurity AND t.relforcerowsecurity)
UNION ALL
    SELECT 'table ' || t.name || ': belongs to another role than lumilio_owner'
    FROM tables t WHERE t.relowner <> 'lumilio_owner'::regrole
UNION ALL
    SELECT 'table ' || t.name || ': has no owner_id NOT NULL (or list it in checks.special)'
    FROM tables t
    WHERE t.kind = 'tenant' AND t.name <> 'tags' AND NOT EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = t.oid AND a.attname = 'owner_id' AND a.attnotnull)
UNION ALL
    SELECT 'table ' || t.name || ': not one policy of ' || r || ' for ' || c
    FROM tables t
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) c
        CROSS JOIN LATERAL unnest(CASE t.kind WHEN 'auth' THEN ARRAY['lumilio_auth']
                                              WHEN 'library' THEN ARRAY['lumilio_owner']
                                              ELSE ARRAY['lumilio_app', 'lumilio_worker'] END) r
    WHERE (SELECT count(*) FROM policies p
           WHERE p.table_name = t.name AND p.role_name = r AND p.cmd = c
             AND p.permissive = 'PERMISSIVE') <> 1
UNION ALL
    SELECT 'users: not one policy of lumilio_auth for ' || c
    FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) c
    WHERE (SELECT count(*) FROM policies p
           WHERE p.table_name = 'users' AND p.role_name = 'lumilio_auth' AND p.cmd = c) <> 1
UNION ALL
    SELECT 'embedding_models: not one policy of ' || r || ' for SELECT'
    FROM unnest(ARRAY['lumilio_app', 'lumilio_worker']) r
    WHERE (SELECT count(*) FROM policies p
           WHERE p.table_name = 'embedding_models' AND p.role_name = r AND p.cmd = 'SELECT') <> 1
UNION ALL
    SELECT 'policy ' || p.name || ' of ' || p.table_name || ': says ' || coalesce(e, 'nothing')
    FROM policies p
        JOIN tables t ON t.name = p.table_name
        CROSS JOIN LATERAL unnest(CASE p.cmd WHEN 'INSERT' THEN ARRAY[p.with_check]
                                             WHEN 'UPDATE' THEN ARRAY[p.qual, p.with_check]
                                             ELSE ARRAY[p.qual] END) e
    WHERE NOT coalesce(e = 'false' OR (t.kind = 'tenant' AND e = '(owner_id = current_user_id())')
        OR (e = 'true' AND p.role_name = CASE t.kind WHEN 'auth' THEN 'lumilio_auth'
                                                     WHEN 'users' THEN 'lumilio_auth'
                                                     WHEN 'library' THEN 'lumilio_owner' END)
        OR EXISTS (SELECT FROM checks.other_policy o
                   WHERE o.table_name = p.table_name AND o.cmd IN ('*', p.cmd)
                     AND o.expression = e AND p.role_name <> 'lumilio_auth'), false)
UNION ALL
    SELECT 'policy ' || p.name || ' of ' || p.table_name || ': for ' || p.role_name
    FROM policies p
    WHERE p.role_name NOT IN ('lumilio_app', 'lumilio_worker', 'lumilio_auth', 'lumilio_owner')
UNION ALL
    SELECT 'role ' || r.rolname || ': may do more than its work'
    FROM pg_roles r
    WHERE r.rolname IN ('lumilio_app', 'lumilio_worker', 'lumilio_auth', 'lumilio_monitor',
                        'lumilio_owner')
      AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication)
UNION ALL
    SELECT 'role ' || r.rolname || ': logs in, or can write' FROM pg_roles r
    WHERE (r.rolname IN ('lumilio_owner', 'lumilio_policy') AND r.rolcanlogin)
       OR (r.rolname = 'lumilio_backup' AND (r.rolsuper OR r.rolcreaterole))
UNION ALL
    SELECT 'role ' || m.member::regrole || ': is a member of ' || m.roleid::regrole
    FROM pg_auth_members m
    WHERE m.member IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'lumilio\_%')
      AND NOT (m.member = 'lumilio_monitor'::regrole AND m.roleid = 'pg_monitor'::regrole)
UNION ALL
    SELECT 'grant of ' || g.privilege || ' on ' || g.table_name || ' to ' || g.role_name
    FROM grants g
    WHERE g.role_name = 'PUBLIC' OR g.privilege NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
       OR (g.role_name IN ('lumilio_backup', 'lumilio_monitor') AND g.privilege <> 'SELECT')
UNION ALL
    SELECT 'grant of ' || g.privilege || ' on ' || t.name || ' (' || t.kind || ') to ' ||
           g.role_name
    FROM grants g JOIN tables t ON t.name = g.table_name
    WHERE (t.kind = 'auth' AND g.role_name NOT IN ('lumilio_auth', 'lumilio_backup'))
       OR (t.kind NOT IN ('auth', 'users') AND g.role_name = 'lumilio_auth')
UNION ALL
    SELECT 'grant of UPDATE on ' || g.table_name || ' (' || coalesce(g.column_name, 'all') ||
           ') to ' || g.role_name
    FROM grants g
    WHERE g.privilege = 'UPDATE' AND g.role_name IN ('lumilio_app', 'lumilio_worker')
      AND (g.column_name IS NULL
           OR g.column_name IN ('owner_id', 'user_id', 'file_hash', 'password_hash'))
UNION ALL
    SELECT 'grant: password hashes to ' || g.role_name
    FROM grants g
    WHERE g.table_name = 'users' AND g.privilege IN ('SELECT', 'UPDATE')
      AND coalesce(g.column_name, 'password_hash') = 'password_hash'
      AND g.role_name NOT IN ('lumilio_auth', 'lumilio_backup')
UNION ALL
    SELECT 'schema public: ' || r || ' may create in it'
    FROM unnest(ARRAY['public', 'lumilio_app', 'lumilio_worker', 'lumilio_auth', 'lumilio_backup',
                      'lumilio_monitor']) r
    WHERE has_schema_privilege(r, 'public', 'CREATE')
UNION ALL
    SELECT 'database: ' || r || ' may make temporary tables'
    FROM unnest(ARRAY['public', 'lumilio_app', 'lumilio_worker', 'lumilio_auth', 'lumilio_backup',
                      'lumilio_monitor']) r
    WHERE has_database_privilege(r, current_database(), 'TEMPORARY')
UNION ALL
    SELECT 'schema ' || n.nspname || ': ' || r || ' may create in it'
    FROM pg_namespace n, unnest(ARRAY['lumilio_app', 'lumilio_worker', 'lumilio_auth']) r
    WHERE n.nspname NOT IN ('public', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast_temp)_'
      AND has_schema_privilege(r, n.oid, 'CREATE')
UNION ALL
    SELECT 'view ' || c.relname || ': is not security_invoker' FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
      AND NOT coalesce(c.reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on']
UNION ALL
    SELECT 'relation ' || c.relname || ': holds rows past the policies' FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('m', 'f')
UNION ALL
    SELECT 'function ' || f.name || ': anybody may call it' FROM functions f WHERE f.anybody
UNION ALL
    SELECT 'function ' || f.name || ': belongs to a role that logs in' FROM functions f
    WHERE f.proowner NOT IN ('lumilio_owner'::regrole, 'lumilio_policy'::regrole)
UNION ALL
    SELECT 'function ' || f.name || ': runs past the policies without a fixed search path'
    FROM functions f
    WHERE f.prosecdef AND NOT EXISTS (SELECT FROM unnest(f.proconfig) c
                                      WHERE c LIKE 'search_path=pg_catalog%')
UNION ALL
    SELECT 'function ' || f.name || ': runs past the policies and asks for no owner'
    FROM functions f
    WHERE f.prosecdef AND f.serves AND f.body !~ 'current_user_id\(\)'
      AND f.name NOT IN (SELECT o.name FROM checks.open_function o)
UNION ALL
    SELECT 'index ' || i.indexrelid::regclass || ': is unique over all owners'
    FROM pg_index i JOIN tables t ON t.oid = i.indrelid
    WHERE i.indisunique AND t.kind IN ('tenant', 'users')
      AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
                        AND (a.attname IN ('owner_id', 'user_id') OR a.atttypid = 'uuid'::regtype
                             OR (i.indisprimary AND i.indnatts = 1
                                 AND (a.atthasdef OR a.attidentity <> ''))))
      AND i.indexrelid::regclass::text NOT IN ('users_username_key', 'users_email_key',
                                               'tags_system_name_key')
UNION ALL
    SELECT 'foreign key ' || k.conname || ' of ' || t.name || ': says nothing of the owner'
    FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
        JOIN tables p ON p.oid = k.confrelid
    WHERE k.contype = 'f' AND p.kind = 'tenant' AND k.conname NOT IN
          ('asset_tags_tag_id_fkey', 'tag_counts_tag_id_fkey') -- tags are shared
      AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = t.oid AND a.attnum = ANY(k.conkey)
                        AND a.attname = 'owner_id')
UNION ALL
    SELECT 'table ' || t.name || ': owner_id is no part of a foreign key' FROM tables t
    WHERE t.kind IN ('tenant') AND NOT EXISTS (
        SELECT FROM pg_constraint k
        WHERE k.conrelid = t.oid AND k.contype = 'f'
          AND EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = t.oid AND a.attnum = ANY(k.conkey)
                        AND a.attname = 'owner_id')
          -- A key with a NULL in it is not looked at.
          AND NOT EXISTS (SELECT FROM pg_attribute a
                          WHERE a.attrelid = t.oid AND a.attnum = ANY(k.conkey)
                            AND NOT a.attnotnull AND t.name <> 'tags'))
UNION ALL
    SELECT 'table ' || t.name || ': ' || a.attname || ' has no foreign key'
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
    WHERE (a.attname ~ '(^|_)(asset_id|album_id|tag_id|repo_id|repository_id)$'
           OR (a.attname = 'user_id' AND t.kind = 'auth')
           OR (t.name, a.attname) = ('embeddings', 'model_version'))
      AND (t.name, a.attname) <> ('import_intents', 'asset_id') -- known before there is an asset
      AND NOT EXISTS (SELECT FROM pg_constraint k
                      WHERE k.conrelid = t.oid AND k.contype = 'f' AND a.attnum = ANY(k.conkey))
      AND NOT EXISTS (SELECT FROM pg_index i
                      WHERE i.indrelid = t.oid AND i.indisprimary AND i.indnatts = 1
                        AND a.attnum = i.indkey[0]
                        AND t.name IN ('assets', 'albums', 'tags', 'repositories'))
UNION ALL
    SELECT 'foreign key ' || f.name || ': is missing' FROM checks.foreign_key f
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conname = f.name)
UNION ALL
    SELECT 'table ' || t.name || ': no index begins with ' || t.key FROM tables t
    WHERE t.kind IN ('tenant', 'log') AND NOT EXISTS (
        SELECT FROM pg_index i JOIN pg_attribute a
            ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = t.oid AND a.attname = t.key)
$$;

-- The matrix. A copy of all rows is in the schema "everything", which everybody may read: an
-- attacker who knows all ids.
CREATE FUNCTION checks.copy_rows() RETURNS void LANGUAGE plpgsql AS $$
DECLARE t record;
BEGIN
    CREATE SCHEMA everything;
    GRANT USAGE ON SCHEMA everything TO PUBLIC;
    FOR t IN SELECT name FROM checks.tables LOOP
        EXECUTE format('CREATE TABLE everything.%I AS SELECT * FROM public.%I', t.name, t.name);
        EXECUTE format('GRANT SELECT ON everything.%I TO PUBLIC', t.name);
    END LOOP;
END $$;

-- Rows that a statement of a role touches for user 1 (no identity: 0); -1 when it is refused. Undone.
CREATE FUNCTION checks.touched(role_name text, identity integer, prepare text, statement text)
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    BEGIN
        IF prepare IS NOT NULL THEN
            SET LOCAL session_replication_role = replica; -- nothing cascades
            EXECUTE prepare;
            SET LOCAL session_replication_role = origin;
        END IF;
        PERFORM set_config('app.user_id', CASE WHEN identity > 0 THEN identity::text ELSE '' END,
                           true);
        PERFORM set_config('role', role_name, true);
        EXECUTE statement;
        GET DIAGNOSTICS n = ROW_COUNT;
        SET CONSTRAINTS ALL IMMEDIATE;
        RAISE EXCEPTION USING ERRCODE = 'ZZ001';
    EXCEPTION
        WHEN SQLSTATE 'ZZ001' THEN RETURN n;
        WHEN OTHERS THEN RETURN -1;
    END;
END $$;

CREATE FUNCTION checks.allowed(t checks.tables, role_name text, cmd text, own boolean)
    RETURNS boolean LANGUAGE sql AS $$
    SELECT CASE
        WHEN role_name = 'lumilio_backup' THEN cmd = 'S'
        WHEN role_name IN ('lumilio_app', 'lumilio_worker') THEN
            CASE WHEN t.kind = 'library' THEN cmd = 'S' WHEN t.kind = 'auth' THEN false
                 ELSE own AND strpos(coalesce((SELECT n.allowed FROM checks.narrow n
                                               WHERE n.table_name = t.name
                                                 AND n.role_name = allowed.role_name),
                                              'SIUD'), cmd) > 0 END
        WHEN role_name = 'lumilio_auth' THEN
            t.kind = 'auth' OR (t.kind = 'users' AND cmd <> 'D')
        WHEN role_name = 'lumilio_owner' THEN t.kind = 'library'
        ELSE false
    END
$$;

-- The statement of a command on rows that `condition` picks.
CREATE FUNCTION checks.statement(t checks.tables, role_name text, cmd text, condition text,
                                 swap_column text)
    RETURNS text LANGUAGE sql AS $$
    SELECT CASE cmd
        WHEN 'S' THEN format('SELECT %s FROM public.%I WHERE %s', (
            SELECT string_agg(format('%I', a.attname), ', ') FROM pg_attribute a
            WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
              AND (t.kind <> 'users' OR has_column_privilege(role_name, t.oid, a.attnum, 'SELECT')
                   OR NOT has_any_column_privilege(role_name, t.oid, 'SELECT'))), t.name, condition)
        WHEN 'D' THEN format('DELETE FROM public.%I WHERE %s', t.name, condition)
        WHEN 'U' THEN format('UPDATE public.%I SET %I = %I WHERE %s', t.name, c.name, c.name,
                             condition)
        WHEN 'I' THEN format('INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s '
                             'FROM everything.%I e WHERE %s', t.name, i.names, i.values, t.name,
                             condition)
    END
    FROM (SELECT a.attname AS name FROM pg_attribute a
          WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
          ORDER BY has_column_privilege(role_name, t.oid, a.attnum, 'UPDATE') DESC, a.attnum
          LIMIT 1) c,
         (SELECT string_agg(format('%I', a.attname), ', ') AS names,
                 string_agg(CASE WHEN a.attname = swap_column
                                 THEN format('(SELECT o.%I FROM everything.%I o WHERE o.owner_id = '
                                             '2 AND o.%I IS NOT NULL LIMIT 1)', a.attname, t.name,
                                             a.attname)
                                 ELSE format('%I', a.attname) END, ', ') AS values
          FROM pg_attribute a
          WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attgenerated = '') i
$$;

-- All cells of a table (NULL: of all), one line for each that is not as it should be.
CREATE FUNCTION checks.matrix(only_table text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    t checks.tables;
    k record;
    r text;
    c text;
    whose integer;
    condition text;
    n bigint;
BEGIN
    FOR t IN SELECT * FROM checks.tables WHERE name = coalesce(only_table, name) ORDER BY name LOOP
        FOR whose IN 1..2 LOOP
            condition := CASE WHEN t.key IS NULL THEN 'true' ELSE format('%I = %s', t.key, whose) END;
            EXECUTE format('SELECT count(*) FROM everything.%I WHERE %s', t.name, condition) INTO n;
            IF n = 0 THEN
                RETURN NEXT t.name || ': no rows of user ' || whose || ' in security_rows.sql';
            END IF;
            FOREACH r IN ARRAY ARRAY['lumilio_app', 'lumilio_worker', 'lumilio_auth',
                                     'lumilio_backup', 'lumilio_monitor', 'lumilio_owner'] LOOP
                FOREACH c IN ARRAY ARRAY['S', 'I', 'U', 'D'] LOOP
                    -- The owner changes the library's tables by migrations.
                    CONTINUE WHEN r = 'lumilio_owner' AND t.kind = 'library' AND c IN ('U', 'D');
                    n := checks.touched(r, 1, CASE WHEN c = 'I' THEN
                             format('DELETE FROM public.%I WHERE %s', t.name, condition) END,
                             checks.statement(t, r, c, condition, NULL));
                    IF (n > 0) IS DISTINCT FROM checks.allowed(t, r, c, whose = 1) THEN
                        RETURN NEXT format('%s: %s of %s on rows of user %s touches %s', t.name, c,
                                           r, whose, n);
                    END IF;
                    IF whose = 1 AND r IN ('lumilio_app', 'lumilio_worker')
                       AND t.kind <> 'library' THEN
                        n := checks.touched(r, 0, CASE WHEN c = 'I' THEN
                                 format('DELETE FROM public.%I WHERE %s', t.name, condition) END,
                                 checks.statement(t, r, c, condition, NULL));
                        IF n > 0 THEN
                            RETURN NEXT format('%s: %s of %s without identity touches %s', t.name,
                                               c, r, n);
                        END IF;
                    END IF;
                END LOOP;
            END LOOP;
        END LOOP;
        -- An own row, hung on a foreign parent: by INSERT, and by UPDATE where it may be moved.
        CONTINUE WHEN t.kind <> 'tenant';
        FOR k IN SELECT DISTINCT a.attname AS name FROM pg_constraint f
                     JOIN checks.tables p ON p.oid = f.confrelid AND p.kind = 'tenant'
                     JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = ANY(f.conkey)
                 WHERE f.conrelid = t.oid AND f.contype = 'f' AND a.attname <> 'owner_id'
                 UNION
                 SELECT a.attname FROM pg_attribute a
                 WHERE a.attrelid = t.oid AND a.attnum > 0 AND a.attname ~
                     '(^|_)(asset_id|album_id|tag_id|repository_id)$'
                   AND NOT EXISTS (SELECT FROM pg_index i
                                   WHERE i.indrelid = t.oid AND i.indisprimary
                                     AND i.indnatts = 1 AND a.attnum = i.indkey[0])
                   AND (t.name, a.attname) <> ('import_intents', 'asset_id')
        LOOP
            EXECUTE format('SELECT count(*) FROM everything.%I WHERE owner_id = 2 AND %I IS NOT '
                           'NULL', t.name, k.name) INTO n;
            CONTINUE WHEN n = 0;
            FOREACH r IN ARRAY ARRAY['lumilio_app', 'lumilio_worker'] LOOP
                n := checks.touched(r, 1, format('DELETE FROM public.%I WHERE owner_id = 1 OR '
                         '%I = (SELECT o.%I FROM everything.%I o WHERE o.owner_id = 2 AND o.%I IS '
                         'NOT NULL LIMIT 1)', t.name, k.name, k.name, t.name, k.name),
                         checks.statement(t, r, 'I', 'owner_id = 1', k.name));
                IF n > 0 THEN
                    RETURN NEXT format('%s: %s hangs an own row on a foreign %s', t.name, r,
                                       k.name);
                END IF;
                n := checks.touched(r, 1, format('DELETE FROM public.%I WHERE owner_id = 2', t.name),
                         format('UPDATE public.%I SET %I = (SELECT o.%I FROM everything.%I o '
                                'WHERE o.owner_id = 2 AND o.%I IS NOT NULL LIMIT 1) '
                                'WHERE owner_id = 1', t.name, k.name, k.name, t.name, k.name));
                IF n > 0 THEN
                    RETURN NEXT format('%s: %s moves an own row to a foreign %s', t.name, r, k.name);
                END IF;
            END LOOP;
        END LOOP;
        -- Nor is a row given away.
        n := checks.touched('lumilio_app', 1, NULL,
                            format('UPDATE public.%I SET owner_id = 2 WHERE owner_id = 1', t.name));
        IF n > 0 THEN
            RETURN NEXT t.name || ': a row is given away';
        END IF;
    END LOOP;
END $$;

-- Each single thing that guards the rows, taken away or opened: `seen` tells whether the matrix must
-- notice too. Where it need not, another guard still holds; violations() must name it all the same.
CREATE VIEW checks.mutations AS
SELECT format('DROP POLICY %I ON public.%I', p.name, p.table_name) AS statement, p.table_name,
       bool_or(coalesce(p.qual, p.with_check) <> 'false' AND t.kind <> 'library') AS seen
FROM checks.policies p JOIN checks.tables t ON t.name = p.table_name
GROUP BY p.name, p.table_name
UNION ALL
SELECT format('ALTER POLICY %I ON public.%I %s', p.name, p.table_name,
              CASE p.cmd WHEN 'INSERT' THEN 'WITH CHECK (true)'
                         WHEN 'UPDATE' THEN 'USING (true) WITH CHECK (true)'
                         ELSE 'USING (true)' END),
       p.table_name,
       bool_or(t.kind = 'tenant' AND p.cmd IN ('SELECT', 'INSERT')
               AND coalesce(p.qual, p.with_check) <> 'false')
FROM checks.policies p JOIN checks.tables t ON t.name = p.table_name
GROUP BY p.name, p.table_name, p.cmd
HAVING NOT bool_or(coalesce(p.qual, p.with_check) = 'true')
UNION ALL
SELECT format('CREATE POLICY second ON public.%I TO lumilio_app USING (owner_id < 0)', t.name),
       t.name, false
FROM checks.tables t WHERE t.kind = 'tenant'
UNION ALL
SELECT format('ALTER TABLE public.%I %s ROW LEVEL SECURITY', t.name, what), t.name,
       t.kind <> 'library' AND (t.kind <> 'auth' OR what <> 'DISABLE')
FROM checks.tables t, unnest(ARRAY['DISABLE', 'NO FORCE']) what
UNION ALL
SELECT format('ALTER TABLE public.%I DROP CONSTRAINT %I', t.name, k.conname), t.name,
       array_length(k.conkey, 1) = 2 AND t.name <> 'asset_search'
       AND NOT EXISTS (SELECT FROM checks.narrow n WHERE n.table_name = t.name)
FROM pg_constraint k JOIN checks.tables t ON t.oid = k.conrelid WHERE k.contype = 'f'
UNION ALL
SELECT format('ALTER TABLE public.%I ALTER owner_id DROP NOT NULL', t.name), t.name, false
FROM checks.tables t
WHERE t.kind = 'tenant' AND t.name <> 'tags' AND NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_attribute a
        ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE i.indrelid = t.oid AND i.indisprimary AND a.attname = 'owner_id')
UNION ALL
SELECT format('GRANT %s ON public.%I TO lumilio_app', what, t.name), t.name, false
FROM checks.tables t, unnest(ARRAY['TRUNCATE', 'UPDATE']) what
WHERE t.kind = 'tenant'
UNION ALL
SELECT format('GRANT SELECT ON public.%I TO %s', t.name, r), t.name, false
FROM checks.tables t, unnest(ARRAY['lumilio_app', 'PUBLIC']) r WHERE t.kind IN ('auth', 'users')
UNION ALL
SELECT format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', f.oid::regprocedure), NULL, false
FROM checks.functions f
UNION ALL
SELECT format('ALTER FUNCTION %s RESET search_path', f.oid::regprocedure), NULL, false
FROM checks.functions f WHERE f.prosecdef
UNION ALL
SELECT format('ALTER ROLE %s %s', r, what), NULL, false
FROM unnest(ARRAY['lumilio_app', 'lumilio_worker', 'lumilio_auth']) r,
     unnest(ARRAY['BYPASSRLS', 'SUPERUSER', 'CREATEROLE']) what
UNION ALL
SELECT statement, NULL, false FROM (VALUES
    ('GRANT lumilio_policy TO lumilio_app'),
    ('GRANT CREATE ON SCHEMA public TO lumilio_app'),
    ('DO $do$ BEGIN EXECUTE format(''GRANT TEMPORARY ON DATABASE %I TO PUBLIC'', '
     'current_database()); END $do$'),
    ('CREATE SCHEMA mistake; GRANT CREATE ON SCHEMA mistake TO lumilio_worker'),
    ('CREATE TABLE public.mistake (id integer); ALTER TABLE public.mistake OWNER TO lumilio_owner'),
    ('CREATE VIEW public.mistake AS SELECT * FROM public.assets'),
    ('CREATE MATERIALIZED VIEW public.mistake AS SELECT * FROM public.assets'),
    ('CREATE UNIQUE INDEX mistake ON public.albums (name, description)'),
    ('ALTER TABLE public.albums ADD COLUMN other_asset_id uuid'),
    ('ALTER TABLE public.thumbnails ADD CONSTRAINT mistake FOREIGN KEY (asset_id) '
     'REFERENCES public.assets (asset_id)')) v (statement);
