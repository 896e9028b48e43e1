DROP FUNCTION measured_assets(search_filter, integer);
DROP INDEX idx_assets_live_focal;
DROP INDEX idx_assets_live_aperture;
DROP INDEX idx_assets_live_iso;
-- Groups of the current user whose leader is behind after_id and not behind last_id (NULL: the end),
-- the leader in the first row of each. is_sure: taken at the same instant in the same shape, and
-- both raw or both not, so that the two halves of RAW and JPEG are no duplicates. Up to exact_most
-- vectors all are compared; beyond, the graph gives the nearest 64 of all users' photos.
CREATE OR REPLACE FUNCTION duplicate_stars(after_id uuid, last_id uuid, distance_most double precision,
                                sure_only boolean, exact_most integer)
    RETURNS TABLE (leader_id uuid, asset_id uuid, distance double precision, is_sure boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
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
        near_ids uuid[];
        near_distances double precision[];
        star record;
    BEGIN
        SELECT count(*) INTO known
        FROM (SELECT FROM public.embeddings e
              WHERE e.owner_id = me AND e.model_version = model LIMIT exact_most::bigint + 1) c;
        FOR one IN SELECT e.asset_id, e.embedding, a.asset_type, a.taken_at, a.width, a.height,
                          a.is_raw
                   FROM public.embeddings e
                   JOIN public.assets a ON a.asset_id = e.asset_id AND a.deleted_at IS NULL
                   WHERE e.owner_id = me AND e.model_version = model AND e.asset_id > after_id
                     AND (last_id IS NULL OR e.asset_id <= last_id)
                   ORDER BY e.asset_id LOOP
            IF known <= exact_most THEN
                SELECT array_agg(n.asset_id), array_agg(n.d) INTO near_ids, near_distances
                FROM (SELECT e.asset_id,
                             (e.embedding OPERATOR(public.<=>) one.embedding) + 0 AS d
                      FROM public.embeddings e
                      WHERE e.owner_id = me AND e.model_version = model) n
                WHERE n.d <= distance_most AND n.asset_id <> one.asset_id;
            ELSE
                PERFORM set_config('enable_sort', 'off', true); -- nothing but the graph is in order
                SELECT array_agg(n.asset_id), array_agg(n.d) INTO near_ids, near_distances
                FROM (SELECT e.asset_id, e.owner_id,
                             e.embedding OPERATOR(public.<=>) one.embedding AS d
                      FROM public.embeddings e
                      WHERE e.model_version = model
                      ORDER BY e.embedding OPERATOR(public.<=>) one.embedding LIMIT 64) n
                WHERE n.owner_id = me AND n.d <= distance_most AND n.asset_id <> one.asset_id;
                PERFORM set_config('enable_sort', 'on', true);
            END IF;
            CONTINUE WHEN near_ids IS NULL;
            SELECT array_agg(s.asset_id ORDER BY s.d, s.asset_id) AS ids,
                   array_agg(s.d ORDER BY s.d, s.asset_id) AS distances,
                   array_agg(s.sure ORDER BY s.d, s.asset_id) AS sure,
                   bool_or(s.asset_id < one.asset_id) AS has_older
            INTO star
            FROM (SELECT n.asset_id, n.d,
                         coalesce(a.taken_at = one.taken_at
                                  AND abs(a.width::float8 * one.height
                                          - a.height::float8 * one.width)
                                      <= 0.02 * a.width * one.height
                                  AND a.is_raw = one.is_raw, false) AS sure
                  FROM unnest(near_ids, near_distances) n (asset_id, d)
                  JOIN public.assets a ON a.asset_id = n.asset_id AND a.owner_id = me
                      AND a.deleted_at IS NULL AND a.asset_type = one.asset_type) s
            WHERE s.sure OR NOT sure_only;
            CONTINUE WHEN star.ids IS NULL OR star.has_older;
            RETURN QUERY SELECT one.asset_id, one.asset_id, 0::double precision, true;
            RETURN QUERY SELECT one.asset_id, u.asset_id, u.d, u.sure
                         FROM unnest(star.ids, star.distances, star.sure) u (asset_id, d, sure);
        END LOOP;
    END
    $$;
