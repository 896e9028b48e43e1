-- Candidates for filters by ISO, aperture and focal length, which no index knew; and near duplicates
-- that photos of others cannot hide.

CREATE INDEX idx_assets_live_iso
    ON assets (owner_id, iso) WHERE deleted_at IS NULL AND iso IS NOT NULL;
CREATE INDEX idx_assets_live_aperture
    ON assets (owner_id, aperture) WHERE deleted_at IS NULL AND aperture IS NOT NULL;
CREATE INDEX idx_assets_live_focal
    ON assets (owner_id, focal_length) WHERE deleted_at IS NULL AND focal_length IS NOT NULL;

-- Ids of the current user's live assets within the filter's ranges of ISO, aperture and focal length;
-- NULL when there are `most` or more, which a walk along the list's order finds sooner. Each range is
-- counted along its own index as far as that. Ranges that are wide alone but narrow together are looked
-- up together unless they are frequent among the newest. Numbers are compared here, below no policy,
-- because their operators are not leakproof.
CREATE FUNCTION measured_assets(f search_filter, most integer) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    AS $$
    DECLARE
        me integer := public.current_user_id();
        sample CONSTANT integer := 1000;
        iso_low integer := coalesce(f.iso_min, -2147483648);
        iso_high integer := coalesce(f.iso_max, 2147483647);
        aperture_low numeric := coalesce(f.aperture_min::numeric, '-Infinity');
        aperture_high numeric := coalesce(f.aperture_max::numeric, 'Infinity');
        focal_low numeric := coalesce(f.focal_min::numeric, '-Infinity');
        focal_high numeric := coalesce(f.focal_max::numeric, 'Infinity');
        ranges integer := 0;
        found_ids uuid[];
    BEGIN
        IF f.iso_min IS NOT NULL OR f.iso_max IS NOT NULL THEN
            PERFORM FROM public.assets a
            WHERE a.owner_id = me AND a.deleted_at IS NULL
              AND a.iso >= iso_low AND a.iso <= iso_high
            ORDER BY a.iso OFFSET most - 1 LIMIT 1;
            IF NOT FOUND THEN
                RETURN ARRAY(SELECT a.asset_id FROM public.assets a
                             WHERE a.owner_id = me AND a.deleted_at IS NULL
                               AND a.iso >= iso_low AND a.iso <= iso_high);
            END IF;
            ranges := ranges + 1;
        END IF;
        IF f.aperture_min IS NOT NULL OR f.aperture_max IS NOT NULL THEN
            PERFORM FROM public.assets a
            WHERE a.owner_id = me AND a.deleted_at IS NULL
              AND a.aperture >= aperture_low AND a.aperture <= aperture_high
            ORDER BY a.aperture OFFSET most - 1 LIMIT 1;
            IF NOT FOUND THEN
                RETURN ARRAY(SELECT a.asset_id FROM public.assets a
                             WHERE a.owner_id = me AND a.deleted_at IS NULL
                               AND a.aperture >= aperture_low AND a.aperture <= aperture_high);
            END IF;
            ranges := ranges + 1;
        END IF;
        IF f.focal_min IS NOT NULL OR f.focal_max IS NOT NULL THEN
            PERFORM FROM public.assets a
            WHERE a.owner_id = me AND a.deleted_at IS NULL
              AND a.focal_length >= focal_low AND a.focal_length <= focal_high
            ORDER BY a.focal_length OFFSET most - 1 LIMIT 1;
            IF NOT FOUND THEN
                RETURN ARRAY(SELECT a.asset_id FROM public.assets a
                             WHERE a.owner_id = me AND a.deleted_at IS NULL
                               AND a.focal_length >= focal_low AND a.focal_length <= focal_high);
            END IF;
            ranges := ranges + 1;
        END IF;
        IF ranges < 2 THEN
            RETURN NULL;
        END IF;
        PERFORM FROM (SELECT a AS asset FROM public.assets a
                      WHERE a.owner_id = me AND a.deleted_at IS NULL
                      ORDER BY a.captured_local DESC, a.asset_id DESC LIMIT sample) newest
        WHERE public.asset_fits(newest.asset, f) OFFSET sample / 100 - 1 LIMIT 1;
        IF NOT FOUND THEN
            found_ids := ARRAY(SELECT a.asset_id FROM public.assets a
                               WHERE a.owner_id = me AND a.deleted_at IS NULL
                                 AND public.asset_fits(a, f)
                               LIMIT most);
        END IF;
        RETURN CASE WHEN cardinality(found_ids) < most THEN found_ids END;
    END
    $$;
COMMENT ON FUNCTION measured_assets(search_filter, integer) IS
    'The current user''s assets within ranges of ISO, aperture, focal length; NULL when they are many';
ALTER FUNCTION measured_assets(search_filter, integer) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION measured_assets(search_filter, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION measured_assets(search_filter, integer) TO lumilio_app, lumilio_worker;

-- Groups of the current user whose leader is behind after_id and not behind last_id (NULL: the end),
-- the leader in the first row of each. is_sure: taken at the same instant in the same shape, and
-- both raw or both not, so that the two halves of RAW and JPEG are no duplicates. Up to exact_most
-- vectors all are compared. Beyond, the graph gives the nearest of all users' photos until they are too
-- far, or 64 of the own are found; when very many of others lie as near, the own are compared one by one
-- after all: others can neither hide a duplicate nor cost more than those few thousand looks.
CREATE OR REPLACE FUNCTION duplicate_stars(after_id uuid, last_id uuid, distance_most double precision,
                                sure_only boolean, exact_most integer)
    RETURNS TABLE (leader_id uuid, asset_id uuid, distance double precision, is_sure boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
    SET search_path = pg_catalog, public
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    SET hnsw.iterative_scan = relaxed_order
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
        looks CONSTANT integer := 2000;
        near record;
        is_whole boolean;
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
            is_whole := false;
            IF known > exact_most THEN
                near_ids := '{}';
                near_distances := '{}';
                PERFORM set_config('enable_sort', 'off', true); -- nothing but the graph is in order
                FOR near IN SELECT e.asset_id, e.owner_id,
                                   e.embedding OPERATOR(public.<=>) one.embedding AS d
                            FROM public.embeddings e
                            WHERE e.model_version = model
                            ORDER BY e.embedding OPERATOR(public.<=>) one.embedding LIMIT looks LOOP
                    is_whole := near.d > distance_most OR cardinality(near_ids) = 64;
                    EXIT WHEN is_whole;
                    IF near.owner_id = me AND near.asset_id <> one.asset_id THEN
                        near_ids := near_ids || near.asset_id;
                        near_distances := near_distances || near.d;
                    END IF;
                END LOOP;
                PERFORM set_config('enable_sort', 'on', true);
            END IF;
            IF NOT is_whole THEN
                SELECT array_agg(n.asset_id), array_agg(n.d) INTO near_ids, near_distances
                FROM (SELECT e.asset_id,
                             (e.embedding OPERATOR(public.<=>) one.embedding) + 0 AS d
                      FROM public.embeddings e
                      WHERE e.owner_id = me AND e.model_version = model) n
                WHERE n.d <= distance_most AND n.asset_id <> one.asset_id;
            END IF;
            CONTINUE WHEN coalesce(cardinality(near_ids), 0) = 0;
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
