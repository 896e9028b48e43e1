DROP FUNCTION repository_prepare(uuid, text, boolean);
-- The first repository of a user is his default one, asked for or not.
CREATE FUNCTION repository_add(new_id uuid, new_name text, new_path text, new_strategy text,
                               make_default boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.repository_lock();
        PERFORM public.repository_check_path(new_path, new_id);
        IF make_default THEN
            UPDATE public.repositories r SET is_default = false, updated_at = now()
            WHERE r.is_default;
        END IF;
        INSERT INTO public.repositories
            (repo_id, name, path, owner_id, storage_strategy, is_default)
        SELECT new_id, new_name, new_path, public.current_user_id(), new_strategy,
               NOT EXISTS (SELECT FROM public.repositories r WHERE r.is_default);
    END
    $$;
COMMENT ON FUNCTION repository_add(uuid, text, text, text, boolean) IS
    'A new repository of the current user';
ALTER FUNCTION repository_add(uuid, text, text, text, boolean) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION repository_add(uuid, text, text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION repository_add(uuid, text, text, text, boolean)
    TO lumilio_app, lumilio_worker;
