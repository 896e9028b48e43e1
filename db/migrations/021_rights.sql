-- Nobody but those who migrate makes temporary tables: what a function looks up could be hidden
-- behind one. Where the database belongs to somebody else, that is left to him.
DO $$
BEGIN
    IF pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
END
$$;

-- Of several repositories that are in the way the same one is named each time. Without an order it
-- was the first of the table's rows, whose places depend on what all users did.
CREATE OR REPLACE FUNCTION repository_check_path(new_path text, itself uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        near record;
    BEGIN
        SELECT r.name, r.path INTO near FROM public.repositories r
        WHERE r.repo_id <> itself
          AND (starts_with(new_path || '/', r.path || '/')
               OR starts_with(r.path || '/', new_path || '/'))
        ORDER BY r.path, r.repo_id
        LIMIT 1;
        IF FOUND THEN
            RAISE unique_violation USING MESSAGE = format(
                'repository "%s" (%s) is that folder, around it or inside of it',
                near.name, near.path);
        END IF;
    END
    $$;
