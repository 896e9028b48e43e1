DROP FUNCTION search_scope(integer, search_filter);
DROP FUNCTION asset_fits(assets, search_filter);
ALTER TYPE search_filter
    DROP ATTRIBUTE stars_max,
    DROP ATTRIBUTE candidates,
    DROP ATTRIBUTE camera_make,
    DROP ATTRIBUTE lens_model,
    DROP ATTRIBUTE iso_min,
    DROP ATTRIBUTE iso_max,
    DROP ATTRIBUTE aperture_min,
    DROP ATTRIBUTE aperture_max,
    DROP ATTRIBUTE focal_min,
    DROP ATTRIBUTE focal_max,
    DROP ATTRIBUTE local_from,
    DROP ATTRIBUTE local_before,
    DROP ATTRIBUTE south,
    DROP ATTRIBUTE north,
    DROP ATTRIBUTE west,
    DROP ATTRIBUTE east,
    DROP ATTRIBUTE near_south,
    DROP ATTRIBUTE near_north,
    DROP ATTRIBUTE near_latitude,
    DROP ATTRIBUTE near_longitude,
    DROP ATTRIBUTE near_metres,
    DROP ATTRIBUTE name_prefix,
    DROP ATTRIBUTE name_part,
    DROP ATTRIBUTE tags_any,
    DROP ATTRIBUTE tags_all_numbers,
    DROP ATTRIBUTE tags_all_names,
    DROP ATTRIBUTE tags_none,
    DROP ATTRIBUTE words;
ALTER TYPE search_filter RENAME ATTRIBUTE stars_min TO rating_least;
ALTER TYPE search_filter RENAME ATTRIBUTE instant_before TO taken_before;
ALTER TYPE search_filter RENAME ATTRIBUTE instant_from TO taken_from;
ALTER TYPE search_filter RENAME ATTRIBUTE tags_all TO tag_ids;
-- Live assets behind a filter; ratings by the column that an index has.
CREATE FUNCTION search_scope(of_owner integer, f search_filter) RETURNS TABLE (asset_id uuid)
    LANGUAGE sql STABLE
    AS $$
        SELECT a.asset_id
        FROM public.assets a
        WHERE a.owner_id = of_owner AND a.deleted_at IS NULL
          AND ((f).asset_type IS NULL OR a.asset_type = (f).asset_type)
          AND ((f).repository_id IS NULL OR a.repository_id = (f).repository_id)
          AND ((f).album_id IS NULL OR EXISTS (
                  SELECT FROM public.album_assets x
                  WHERE x.asset_id = a.asset_id AND x.album_id = (f).album_id))
          AND ((f).tag_ids IS NULL OR NOT EXISTS (
                  SELECT FROM unnest((f).tag_ids) wanted(tag_id)
                  WHERE NOT EXISTS (SELECT FROM public.asset_tags x
                                    WHERE x.asset_id = a.asset_id
                                      AND x.tag_id = wanted.tag_id)))
          AND ((f).taken_from IS NULL OR coalesce(a.taken_at, a.uploaded_at) >= (f).taken_from)
          AND ((f).taken_before IS NULL OR coalesce(a.taken_at, a.uploaded_at) < (f).taken_before)
          AND ((f).rating_least IS NULL OR a.stars >= (f).rating_least)
          AND ((f).liked IS NULL OR a.liked = (f).liked)
          AND ((f).is_raw IS NULL OR a.is_raw = (f).is_raw)
          AND ((f).camera_model IS NULL OR a.camera_model = (f).camera_model)
          AND ((f).has_place IS NULL OR (a.latitude_e7 IS NOT NULL) = (f).has_place)
    $$;

ALTER FUNCTION search_scope(integer, search_filter) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION search_scope(integer, search_filter) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_scope(integer, search_filter) TO lumilio_policy;

-- Whether an asset passes the simple filters; what is NULL is not asked. The planner puts the body in
-- the function's place and folds away what is not asked, so each condition can use its index: true
-- for statements that are planned with their values (-- @unnamed).
CREATE FUNCTION asset_fits(
    a assets, wanted_type text, wanted_repository uuid, make text, model text, lens text,
    iso_min integer, iso_max integer, aperture_min float8, aperture_max float8, focal_min
    float8, focal_max float8, local_from timestamp, local_before timestamp, instant_from
    timestamptz, instant_before timestamptz, south integer, north integer, west integer,
    east integer, near_south integer, near_north integer, near_latitude integer,
    near_longitude integer, near_metres float8, has_place boolean, stars_min smallint,
    stars_max smallint, wanted_liked boolean, wanted_raw boolean, name_prefix text,
    name_part text)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (wanted_type IS NULL OR a.asset_type = wanted_type)
        AND (wanted_repository IS NULL OR a.repository_id = wanted_repository)
        AND (make IS NULL OR a.camera_make = make)
        AND (model IS NULL OR a.camera_model = model)
        AND (lens IS NULL OR a.lens_model = lens)
        AND (iso_min IS NULL OR a.iso >= iso_min)
        AND (iso_max IS NULL OR a.iso <= iso_max)
        AND (aperture_min IS NULL OR a.aperture >= aperture_min::numeric)
        AND (aperture_max IS NULL OR a.aperture <= aperture_max::numeric)
        AND (focal_min IS NULL OR a.focal_length >= focal_min::numeric)
        AND (focal_max IS NULL OR a.focal_length <= focal_max::numeric)
        AND (local_from IS NULL OR a.captured_local >= local_from)
        AND (local_before IS NULL OR a.captured_local < local_before)
        AND (instant_from IS NULL OR coalesce(a.taken_at, a.uploaded_at) >= instant_from)
        AND (instant_before IS NULL OR coalesce(a.taken_at, a.uploaded_at) < instant_before)
        AND (south IS NULL OR a.latitude_e7 >= south)
        AND (north IS NULL OR a.latitude_e7 <= north)
        AND (west IS NULL
             OR CASE WHEN west <= east THEN a.longitude_e7 >= west AND a.longitude_e7 <= east
                     ELSE a.longitude_e7 >= west OR a.longitude_e7 <= east END)
        AND (near_south IS NULL OR a.latitude_e7 >= near_south)
        AND (near_north IS NULL OR a.latitude_e7 <= near_north)
        AND (near_metres IS NULL OR metres_between(a.latitude_e7, a.longitude_e7, near_latitude,
                                     near_longitude) <= near_metres)
        AND (has_place IS NULL OR (a.latitude_e7 IS NOT NULL) = has_place)
        AND (stars_min IS NULL OR a.stars >= stars_min)
        AND (stars_max IS NULL OR a.stars <= stars_max)
        AND (wanted_liked IS NULL OR a.liked = wanted_liked)
        AND (wanted_raw IS NULL OR a.is_raw = wanted_raw)
        AND (name_prefix IS NULL
             OR (a.name_key >= lower(name_prefix)
                 AND a.name_key < lower(name_prefix) || chr(1114111)))
        AND (name_part IS NULL OR a.name_key LIKE like_pattern(name_part));
DO $$
DECLARE
    made regprocedure := (SELECT p.oid::regprocedure FROM pg_proc p
                          WHERE p.proname = 'asset_fits'
                            AND p.pronamespace = 'public'::regnamespace);
BEGIN
    EXECUTE format('ALTER FUNCTION %s OWNER TO lumilio_owner', made);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO lumilio_policy, lumilio_app, lumilio_worker',
                   made);
END
$$;
