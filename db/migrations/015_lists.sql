-- Lists, filters and the timeline. Below row-level security only leakproof operators reach an index,
-- so what lists sort and filter by stands in columns of its own, compared as plain integers, texts
-- and timestamps; every index begins with the owner.

ALTER TABLE assets
    ADD COLUMN captured_local timestamp NOT NULL
        GENERATED ALWAYS AS (coalesce(taken_local, uploaded_at AT TIME ZONE 'UTC')) STORED,
    ADD COLUMN name_key text COLLATE "C" NOT NULL
        GENERATED ALWAYS AS (lower(original_filename)) STORED,
    ADD COLUMN stars smallint NOT NULL
        GENERATED ALWAYS AS (coalesce(rating, 0)) STORED,
    ADD COLUMN latitude_e7 integer
        GENERATED ALWAYS AS (round(latitude * 10000000)::integer) STORED,
    ADD COLUMN longitude_e7 integer
        GENERATED ALWAYS AS (round(longitude * 10000000)::integer) STORED;
COMMENT ON COLUMN assets.captured_local IS
    'Wall clock of the capture, of the upload (UTC) when that is not known: the timeline''s order';
COMMENT ON COLUMN assets.name_key IS 'File name as lists sort and compare it: lower case, by bytes';
COMMENT ON COLUMN assets.stars IS 'Rating, 0 when there is none';
COMMENT ON COLUMN assets.latitude_e7 IS 'Latitude in ten millionths of a degree (a centimetre)';
COMMENT ON COLUMN assets.longitude_e7 IS 'Longitude in ten millionths of a degree';

-- One index for each order of a list; each serves both directions.
CREATE INDEX idx_assets_live_captured
    ON assets (owner_id, captured_local DESC, asset_id DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_assets_live_uploaded
    ON assets (owner_id, uploaded_at DESC, asset_id DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_assets_live_name
    ON assets (owner_id, name_key, asset_id) WHERE deleted_at IS NULL;
CREATE INDEX idx_assets_live_size
    ON assets (owner_id, file_size, asset_id) WHERE deleted_at IS NULL;
CREATE INDEX idx_assets_live_stars
    ON assets (owner_id, stars DESC, captured_local DESC, asset_id DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_assets_live_type
    ON assets (owner_id, asset_type, uploaded_at DESC, asset_id DESC) WHERE deleted_at IS NULL;
-- Filters that choose few rows.
CREATE INDEX idx_assets_live_camera
    ON assets (owner_id, camera_model, camera_make) WHERE deleted_at IS NULL;
CREATE INDEX idx_assets_live_lens
    ON assets (owner_id, lens_model) WHERE deleted_at IS NULL AND lens_model IS NOT NULL;
CREATE INDEX idx_assets_live_place
    ON assets (owner_id, latitude_e7, longitude_e7)
    WHERE deleted_at IS NULL AND latitude_e7 IS NOT NULL;
CREATE INDEX idx_assets_live_liked
    ON assets (owner_id, captured_local DESC, asset_id DESC) WHERE deleted_at IS NULL AND liked;
CREATE INDEX idx_assets_trash
    ON assets (owner_id, deleted_at DESC, asset_id DESC) WHERE deleted_at IS NOT NULL;
-- Serves the foreign keys too, which ask for trashed rows as well.
CREATE INDEX idx_assets_owner_repository ON assets (owner_id, repository_id, asset_id);
CREATE INDEX idx_asset_tags_owner_tag ON asset_tags (owner_id, tag_id, asset_id);

-- What the seed indexed without the owner finds everybody's rows first.
DROP INDEX idx_assets_type;
DROP INDEX idx_assets_repository;
DROP INDEX idx_assets_owner;
DROP INDEX idx_assets_uploaded;
DROP INDEX idx_assets_taken;
DROP INDEX idx_assets_rating;
DROP INDEX idx_assets_liked;
DROP INDEX idx_assets_camera;
DROP INDEX idx_assets_owner_type_uploaded;
DROP INDEX idx_asset_tags_owner;

-- Which conditions come together decides a plan; single columns mislead it.
CREATE STATISTICS assets_camera_statistics (dependencies, mcv)
    ON camera_make, camera_model, lens_model FROM assets;
ALTER STATISTICS assets_camera_statistics OWNER TO lumilio_owner;

-- A query of words: all of them must be there, the last one by its beginning. NULL when none is left
-- of the text.
CREATE FUNCTION word_query(words text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_tsquery('simple',
        regexp_replace(nullif(filename_tokens(words), ''), ' ', ' & ', 'g') || ':*');
COMMENT ON FUNCTION word_query(text) IS
    'Text search for all words, the last one by its beginning; NULL when there is no word';
ALTER FUNCTION word_query(text) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION word_query(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION word_query(text) TO lumilio_policy, lumilio_app, lumilio_worker;

CREATE FUNCTION like_pattern(part text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '%' || regexp_replace(lower(part), '([\\%_])', '\\\1', 'g') || '%';
COMMENT ON FUNCTION like_pattern(text) IS 'LIKE pattern that finds a text anywhere in a name_key';
ALTER FUNCTION like_pattern(text) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION like_pattern(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION like_pattern(text) TO lumilio_policy, lumilio_app, lumilio_worker;

-- Assets by words of name, description, camera and lens; of more than row_limit any. It runs as
-- lumilio_policy, because text operators are not leakproof, and holds the owner's predicate itself.
CREATE FUNCTION matching_assets(words text, row_limit integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT s.asset_id FROM public.asset_search s
        WHERE s.owner_id = public.current_user_id()
          AND (s.filename_words @@ public.word_query(words)
               OR s.text_words @@ public.word_query(words))
        LIMIT row_limit
    $$;
COMMENT ON FUNCTION matching_assets(text, integer) IS
    'Ids of the current user''s assets with all words, the last one by its beginning';
ALTER FUNCTION matching_assets(text, integer) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION matching_assets(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION matching_assets(text, integer) TO lumilio_app, lumilio_worker;

-- How many live assets each local day has, kept by the triggers below; nobody else writes it. Rows
-- may stand at zero.
CREATE TABLE asset_days (
    owner_id integer NOT NULL REFERENCES users(user_id),
    day date NOT NULL,
    photos integer NOT NULL,
    videos integer NOT NULL,
    recordings integer NOT NULL,
    PRIMARY KEY (owner_id, day)
);
ALTER TABLE asset_days OWNER TO lumilio_owner;
GRANT SELECT ON asset_days TO lumilio_app, lumilio_worker, lumilio_backup;
GRANT SELECT, INSERT, UPDATE, DELETE ON asset_days TO lumilio_policy;
ALTER TABLE asset_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY asset_days_select ON asset_days FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY asset_days_insert ON asset_days FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (false);
CREATE POLICY asset_days_update ON asset_days FOR UPDATE TO lumilio_app, lumilio_worker
    USING (false) WITH CHECK (false);
CREATE POLICY asset_days_delete ON asset_days FOR DELETE TO lumilio_app, lumilio_worker
    USING (false);

-- One row per day that a statement changed, in the order of the key: two statements that lock the
-- same days lock them in the same order.
CREATE FUNCTION asset_days_add() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        INSERT INTO public.asset_days AS d (owner_id, day, photos, videos, recordings)
        SELECT c.owner_id, c.captured_local::date,
               count(*) FILTER (WHERE c.asset_type = 'photo'),
               count(*) FILTER (WHERE c.asset_type = 'video'),
               count(*) FILTER (WHERE c.asset_type = 'audio')
        FROM added c
        WHERE c.deleted_at IS NULL
        GROUP BY 1, 2
        ORDER BY 1, 2
        ON CONFLICT (owner_id, day) DO UPDATE
            SET photos = d.photos + excluded.photos, videos = d.videos + excluded.videos,
                recordings = d.recordings + excluded.recordings;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION asset_days_remove() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        INSERT INTO public.asset_days AS d (owner_id, day, photos, videos, recordings)
        SELECT c.owner_id, c.captured_local::date,
               -count(*) FILTER (WHERE c.asset_type = 'photo'),
               -count(*) FILTER (WHERE c.asset_type = 'video'),
               -count(*) FILTER (WHERE c.asset_type = 'audio')
        FROM removed c
        WHERE c.deleted_at IS NULL
        GROUP BY 1, 2
        ORDER BY 1, 2
        ON CONFLICT (owner_id, day) DO UPDATE
            SET photos = d.photos + excluded.photos, videos = d.videos + excluded.videos,
                recordings = d.recordings + excluded.recordings;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION asset_days_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        INSERT INTO public.asset_days AS d (owner_id, day, photos, videos, recordings)
        SELECT c.owner_id, c.captured_local::date,
               coalesce(sum(c.n) FILTER (WHERE c.asset_type = 'photo'), 0),
               coalesce(sum(c.n) FILTER (WHERE c.asset_type = 'video'), 0),
               coalesce(sum(c.n) FILTER (WHERE c.asset_type = 'audio'), 0)
        FROM (SELECT owner_id, captured_local, asset_type, 1 AS n FROM added
              WHERE deleted_at IS NULL
              UNION ALL
              SELECT owner_id, captured_local, asset_type, -1 FROM removed
              WHERE deleted_at IS NULL) c
        GROUP BY 1, 2
        HAVING sum(c.n) <> 0 OR count(DISTINCT c.asset_type) > 1
        ORDER BY 1, 2
        ON CONFLICT (owner_id, day) DO UPDATE
            SET photos = d.photos + excluded.photos, videos = d.videos + excluded.videos,
                recordings = d.recordings + excluded.recordings;
        RETURN NULL;
    END
    $$;
ALTER FUNCTION asset_days_add() OWNER TO lumilio_policy;
ALTER FUNCTION asset_days_remove() OWNER TO lumilio_policy;
ALTER FUNCTION asset_days_move() OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION asset_days_add(), asset_days_remove(), asset_days_move() FROM PUBLIC;
CREATE TRIGGER asset_days_insert AFTER INSERT ON assets
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION asset_days_add();
CREATE TRIGGER asset_days_update AFTER UPDATE ON assets
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION asset_days_move();
CREATE TRIGGER asset_days_delete AFTER DELETE ON assets
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_days_remove();

-- Counts again and mends what is wrong; answers how many days were. Whoever changes assets waits at
-- the lock with its counts, and what it changed before is seen: nothing is lost or counted twice.
CREATE FUNCTION count_asset_days() RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        me integer := public.current_user_id();
        mended integer;
    BEGIN
        LOCK TABLE public.asset_days IN SHARE ROW EXCLUSIVE MODE;
        WITH right_counts AS (
            SELECT a.captured_local::date AS day,
                   count(*) FILTER (WHERE a.asset_type = 'photo') AS photos,
                   count(*) FILTER (WHERE a.asset_type = 'video') AS videos,
                   count(*) FILTER (WHERE a.asset_type = 'audio') AS recordings
            FROM public.assets a
            WHERE a.owner_id = me AND a.deleted_at IS NULL
            GROUP BY 1
        ), mending AS (
            INSERT INTO public.asset_days AS d (owner_id, day, photos, videos, recordings)
            SELECT me, coalesce(r.day, o.day), coalesce(r.photos, 0), coalesce(r.videos, 0),
                   coalesce(r.recordings, 0)
            FROM right_counts r
            FULL JOIN (SELECT * FROM public.asset_days WHERE owner_id = me) o ON o.day = r.day
            WHERE (coalesce(r.photos, 0), coalesce(r.videos, 0), coalesce(r.recordings, 0))
                IS DISTINCT FROM
                (coalesce(o.photos, 0), coalesce(o.videos, 0), coalesce(o.recordings, 0))
            ON CONFLICT (owner_id, day) DO UPDATE
                SET photos = excluded.photos, videos = excluded.videos,
                    recordings = excluded.recordings
            RETURNING 1
        )
        SELECT count(*) INTO mended FROM mending;
        RETURN mended;
    END
    $$;
COMMENT ON FUNCTION count_asset_days() IS
    'Counts the days of the current user again; how many were wrong and are mended';
ALTER FUNCTION count_asset_days() OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION count_asset_days() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_asset_days() TO lumilio_app, lumilio_worker;

INSERT INTO asset_days (owner_id, day, photos, videos, recordings)
SELECT a.owner_id, a.captured_local::date, count(*) FILTER (WHERE a.asset_type = 'photo'),
       count(*) FILTER (WHERE a.asset_type = 'video'),
       count(*) FILTER (WHERE a.asset_type = 'audio')
FROM assets a
WHERE a.deleted_at IS NULL
GROUP BY 1, 2;

-- Great-circle distance on a sphere of the earth's mean radius; coordinates as in assets.
CREATE FUNCTION metres_between(latitude_a integer, longitude_a integer, latitude_b integer,
                               longitude_b integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 12742017.6 * asin(least(1, sqrt(
        power(sind((latitude_a - latitude_b) / 2e7), 2)
        + cosd(latitude_a / 1e7) * cosd(latitude_b / 1e7)
          * power(sind((longitude_a / 1e7 - longitude_b / 1e7) / 2), 2))));
COMMENT ON FUNCTION metres_between(integer, integer, integer, integer) IS
    'Distance of two places in metres; coordinates in ten millionths of a degree';
ALTER FUNCTION metres_between(integer, integer, integer, integer) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION metres_between(integer, integer, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION metres_between(integer, integer, integer, integer)
    TO lumilio_policy, lumilio_app, lumilio_worker;

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
