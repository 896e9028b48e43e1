DROP FUNCTION duplicate_stars(uuid, uuid, double precision, boolean, integer);
-- Pairs of the current user's assets that look the same, for some assets after a given one. A row
-- without other_id says how far the look has come. The graph gives the nearest of all owners, so
-- that of a copy which very many have the own ones may be missed; small libraries are exact.
CREATE FUNCTION search_pairs(after_id uuid, batch integer, distance_most double precision,
                             exact_most integer)
    RETURNS TABLE (asset_id uuid, other_id uuid, distance double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, public
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    SET hnsw.iterative_scan = off
    SET hnsw.ef_search = 100
    SET enable_sort = on
    AS $$
    #variable_conflict use_column
    DECLARE
        me integer := public.current_user_id();
        model text := (SELECT m.name FROM public.embedding_models m WHERE m.is_active);
        known bigint;
        one record;
        is_exact boolean;
    BEGIN
        SELECT count(*) INTO known
        FROM (SELECT FROM public.embeddings e
              WHERE e.owner_id = me AND e.model_version = model LIMIT exact_most::bigint + 1) c;
        is_exact := known <= exact_most;
        FOR one IN SELECT e.asset_id, e.embedding
                   FROM public.embeddings e
                   JOIN public.assets a ON a.asset_id = e.asset_id AND a.deleted_at IS NULL
                   WHERE e.owner_id = me AND e.model_version = model AND e.asset_id > after_id
                   ORDER BY e.asset_id LIMIT batch LOOP
            IF is_exact THEN
                RETURN QUERY
                    SELECT one.asset_id, n.asset_id, n.d
                    FROM (SELECT e.asset_id,
                                 (e.embedding OPERATOR(public.<=>) one.embedding) + 0 AS d
                          FROM public.embeddings e
                          WHERE e.owner_id = me AND e.model_version = model
                            AND e.asset_id > one.asset_id) n
                    JOIN public.assets a ON a.asset_id = n.asset_id AND a.deleted_at IS NULL
                    WHERE n.d <= distance_most;
            ELSE
                PERFORM set_config('enable_sort', 'off', true);
                RETURN QUERY
                    SELECT one.asset_id, n.asset_id, n.d
                    FROM (SELECT e.asset_id, e.owner_id,
                                 e.embedding OPERATOR(public.<=>) one.embedding AS d
                          FROM public.embeddings e
                          WHERE e.model_version = model
                          ORDER BY e.embedding OPERATOR(public.<=>) one.embedding LIMIT 64) n
                    JOIN public.assets a ON a.asset_id = n.asset_id AND a.deleted_at IS NULL
                    WHERE n.d <= distance_most AND n.owner_id = me AND n.asset_id > one.asset_id;
                PERFORM set_config('enable_sort', 'on', true);
            END IF;
            asset_id := one.asset_id;
            other_id := NULL;
            distance := NULL;
            RETURN NEXT;
        END LOOP;
    END
    $$;
COMMENT ON FUNCTION search_pairs(uuid, integer, double precision, integer) IS
    'Pairs of the current user''s assets that are nearly the same to the active model';
ALTER FUNCTION search_pairs(uuid, integer, double precision, integer) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION search_pairs(uuid, integer, double precision, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_pairs(uuid, integer, double precision, integer)
    TO lumilio_app, lumilio_worker;
