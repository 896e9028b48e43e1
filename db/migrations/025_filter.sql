-- One filter for lists, counts and every way to search: a type of one's own for what is asked, and its
-- conditions in two functions. What an asset's row tells by itself stands in asset_fits(), what other
-- tables tell (albums, tags, words) in search_scope(), because only a function without sub-selects is
-- put in its place within a condition. Both are read with the values at hand: what is NULL falls away,
-- the rest meets the indexes that begin with the owner.

ALTER TYPE search_filter RENAME ATTRIBUTE tag_ids TO tags_all;
ALTER TYPE search_filter RENAME ATTRIBUTE taken_from TO instant_from;
ALTER TYPE search_filter RENAME ATTRIBUTE taken_before TO instant_before;
ALTER TYPE search_filter RENAME ATTRIBUTE rating_least TO stars_min;
ALTER TYPE search_filter
    ADD ATTRIBUTE stars_max integer,
    ADD ATTRIBUTE candidates uuid[],         -- holds all that can match, where few are known to
    ADD ATTRIBUTE camera_make text,
    ADD ATTRIBUTE lens_model text,
    ADD ATTRIBUTE iso_min integer,
    ADD ATTRIBUTE iso_max integer,
    ADD ATTRIBUTE aperture_min float8,
    ADD ATTRIBUTE aperture_max float8,
    ADD ATTRIBUTE focal_min float8,
    ADD ATTRIBUTE focal_max float8,
    ADD ATTRIBUTE local_from timestamp,      -- by the wall clock; the instants bound it, too
    ADD ATTRIBUTE local_before timestamp,
    ADD ATTRIBUTE south integer,             -- a box, in ten millionths of a degree
    ADD ATTRIBUTE north integer,
    ADD ATTRIBUTE west integer,
    ADD ATTRIBUTE east integer,
    ADD ATTRIBUTE near_south integer,        -- the latitudes of a circle
    ADD ATTRIBUTE near_north integer,
    ADD ATTRIBUTE near_latitude integer,
    ADD ATTRIBUTE near_longitude integer,
    ADD ATTRIBUTE near_metres float8,
    ADD ATTRIBUTE name_prefix text,
    ADD ATTRIBUTE name_part text,
    ADD ATTRIBUTE tags_any integer[],
    ADD ATTRIBUTE tags_all_numbers integer[], -- of each of tags_all: which name it goes by
    ADD ATTRIBUTE tags_all_names integer,    -- how many names that are
    ADD ATTRIBUTE tags_none integer[],
    ADD ATTRIBUTE words text;

DROP FUNCTION asset_fits;
CREATE FUNCTION asset_fits(a assets, f search_filter) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((f).candidates IS NULL OR a.asset_id = ANY ((f).candidates))
        AND ((f).asset_type IS NULL OR a.asset_type = (f).asset_type)
        AND ((f).repository_id IS NULL OR a.repository_id = (f).repository_id)
        AND ((f).camera_make IS NULL OR a.camera_make = (f).camera_make)
        AND ((f).camera_model IS NULL OR a.camera_model = (f).camera_model)
        AND ((f).lens_model IS NULL OR a.lens_model = (f).lens_model)
        AND ((f).iso_min IS NULL OR a.iso >= (f).iso_min)
        AND ((f).iso_max IS NULL OR a.iso <= (f).iso_max)
        AND ((f).aperture_min IS NULL OR a.aperture >= (f).aperture_min::numeric)
        AND ((f).aperture_max IS NULL OR a.aperture <= (f).aperture_max::numeric)
        AND ((f).focal_min IS NULL OR a.focal_length >= (f).focal_min::numeric)
        AND ((f).focal_max IS NULL OR a.focal_length <= (f).focal_max::numeric)
        AND ((f).local_from IS NULL OR a.captured_local >= (f).local_from)
        AND ((f).local_before IS NULL OR a.captured_local < (f).local_before)
        AND ((f).instant_from IS NULL
             OR coalesce(a.taken_at, a.uploaded_at) >= (f).instant_from)
        AND ((f).instant_before IS NULL
             OR coalesce(a.taken_at, a.uploaded_at) < (f).instant_before)
        AND ((f).south IS NULL OR a.latitude_e7 >= (f).south)
        AND ((f).north IS NULL OR a.latitude_e7 <= (f).north)
        AND ((f).west IS NULL
             OR CASE WHEN (f).west <= (f).east
                     THEN a.longitude_e7 >= (f).west AND a.longitude_e7 <= (f).east
                     ELSE a.longitude_e7 >= (f).west OR a.longitude_e7 <= (f).east END)
        AND ((f).near_south IS NULL OR a.latitude_e7 >= (f).near_south)
        AND ((f).near_north IS NULL OR a.latitude_e7 <= (f).near_north)
        AND ((f).near_metres IS NULL
             OR metres_between(a.latitude_e7, a.longitude_e7, (f).near_latitude,
                               (f).near_longitude) <= (f).near_metres)
        AND ((f).has_place IS NULL OR (a.latitude_e7 IS NOT NULL) = (f).has_place)
        AND ((f).stars_min IS NULL OR a.stars >= (f).stars_min)
        AND ((f).stars_max IS NULL OR a.stars <= (f).stars_max)
        AND ((f).liked IS NULL OR a.liked = (f).liked)
        AND ((f).is_raw IS NULL OR a.is_raw = (f).is_raw)
        AND ((f).name_prefix IS NULL
             OR (a.name_key >= lower((f).name_prefix)
                 AND a.name_key < lower((f).name_prefix) || chr(1114111)))
        AND ((f).name_part IS NULL OR a.name_key LIKE like_pattern((f).name_part));
COMMENT ON FUNCTION asset_fits(assets, search_filter) IS
    'Whether an asset passes all of a filter but albums, tags and words';

-- Live assets of an owner behind a filter. Not STRICT, without settings and not SECURITY DEFINER, so
-- that it becomes part of the query that asks. Tags to be without and words are looked up row by row,
-- because a join would read all of them.
DROP FUNCTION search_scope(integer, search_filter);
CREATE FUNCTION search_scope(of_owner integer, f search_filter) RETURNS TABLE (asset_id uuid)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT a.asset_id
        FROM public.assets a
        WHERE a.owner_id = of_owner AND a.deleted_at IS NULL AND public.asset_fits(a, f)
          AND ((f).album_id IS NULL
               OR EXISTS (SELECT FROM public.album_assets x
                          WHERE x.album_id = (f).album_id AND x.asset_id = a.asset_id))
          AND ((f).tags_any IS NULL
               OR EXISTS (SELECT FROM public.asset_tags x
                          WHERE x.asset_id = a.asset_id AND x.tag_id = ANY ((f).tags_any)))
          AND ((f).tags_all IS NULL
               OR (SELECT count(DISTINCT w.number)
                   FROM public.asset_tags x
                   JOIN unnest((f).tags_all, (f).tags_all_numbers) w(tag_id, number)
                       ON w.tag_id = x.tag_id
                   WHERE x.asset_id = a.asset_id) = (f).tags_all_names)
          AND ((f).tags_none IS NULL
               OR coalesce((SELECT false FROM public.asset_tags x
                            WHERE x.asset_id = a.asset_id AND x.tag_id = ANY ((f).tags_none)
                            LIMIT 1), true))
          AND ((f).words IS NULL
               OR coalesce((SELECT x.text_words @@ public.word_query((f).words)
                            FROM public.asset_search x WHERE x.asset_id = a.asset_id), false));
    END;
COMMENT ON FUNCTION search_scope(integer, search_filter) IS 'Live assets that pass a filter';
ALTER FUNCTION asset_fits(assets, search_filter) OWNER TO lumilio_owner;
ALTER FUNCTION search_scope(integer, search_filter) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION asset_fits(assets, search_filter), search_scope(integer, search_filter)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION asset_fits(assets, search_filter), search_scope(integer, search_filter)
    TO lumilio_policy, lumilio_app, lumilio_worker;
