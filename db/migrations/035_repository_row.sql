-- A new repository is made and read in one statement. Read by a second one, the row could be there
-- while its maker was told that memory or the connection had failed.

-- What comes before the row: nobody else changes the user's repositories meanwhile, the path is
-- free, and no other one is the default if this one is to be. Whether it is: the first one of a
-- user is, asked for or not.
CREATE FUNCTION repository_prepare(new_id uuid, new_path text, make_default boolean)
    RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.repository_lock();
        PERFORM public.repository_check_path(new_path, new_id);
        IF make_default THEN
            UPDATE public.repositories r SET is_default = false, updated_at = now()
            WHERE r.is_default;
        END IF;
        RETURN NOT EXISTS (SELECT FROM public.repositories r WHERE r.is_default);
    END
    $$;
COMMENT ON FUNCTION repository_prepare(uuid, text, boolean) IS
    'To be called by the INSERT of a repository; whether that is the default one';
ALTER FUNCTION repository_prepare(uuid, text, boolean) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION repository_prepare(uuid, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION repository_prepare(uuid, text, boolean) TO lumilio_app, lumilio_worker;

DROP FUNCTION repository_add(uuid, text, text, text, boolean);
