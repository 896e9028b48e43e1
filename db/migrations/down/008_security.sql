-- The roles stay: they belong to the server, and other databases may use them.
DROP FUNCTION register_user(text, text, text);
DROP FUNCTION find_user_id(text);

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT tablename, policyname FROM pg_policies
        WHERE schemaname = 'public'
          AND tablename IN ('users', 'repositories', 'assets', 'thumbnails', 'embeddings', 'tags',
                            'asset_tags', 'albums', 'album_assets', 'species_predictions',
                            'file_records', 'sync_operations')
    LOOP
        EXECUTE format('DROP POLICY %I ON public.%I', found.policyname, found.tablename);
        EXECUTE format('ALTER TABLE public.%I DISABLE ROW LEVEL SECURITY, '
                       'NO FORCE ROW LEVEL SECURITY', found.tablename);
        EXECUTE format('ALTER TABLE public.%I OWNER TO CURRENT_USER', found.tablename);
        EXECUTE format('REVOKE ALL ON public.%I FROM lumilio_app, lumilio_worker, '
                       'lumilio_backup, lumilio_policy', found.tablename);
    END LOOP;
END
$$;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public
    FROM lumilio_app, lumilio_worker, lumilio_backup, lumilio_policy;

DROP FUNCTION current_user_id();
REVOKE ALL ON SCHEMA public FROM lumilio_owner, lumilio_policy, lumilio_app, lumilio_worker,
    lumilio_backup, lumilio_monitor;
GRANT USAGE ON SCHEMA public TO PUBLIC;
