-- Albums: an order that changes where a photo is moved and nowhere else, a trash, a filter instead
-- of members, and what others see of public ones.

ALTER TABLE albums
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN filter jsonb,
    ADD CONSTRAINT albums_filter_check
        CHECK (filter IS NULL OR (jsonb_typeof(filter) = 'object' AND NOT is_public));
COMMENT ON COLUMN albums.filter IS
    'A smart album: the members are what this filter finds; never public';
GRANT UPDATE (deleted_at, filter) ON albums TO lumilio_app, lumilio_worker;
CREATE INDEX idx_albums_owner_page ON albums (owner_id, album_id);
DROP INDEX idx_albums_owner;
CREATE INDEX idx_albums_public ON albums (album_id) WHERE is_public AND deleted_at IS NULL;

-- Positions leave room between two neighbours. Rows of equal position are ordered by asset_id.
ALTER TABLE album_assets
    ALTER COLUMN position TYPE bigint;
UPDATE album_assets m SET position = o.rank * 4294967296
FROM (SELECT album_id, asset_id,
             row_number() OVER (PARTITION BY album_id
                                ORDER BY coalesce(position, 0), added_at, asset_id) AS rank
      FROM album_assets) o
WHERE o.album_id = m.album_id AND o.asset_id = m.asset_id;
ALTER TABLE album_assets
    ALTER COLUMN position SET DEFAULT 0,
    ALTER COLUMN position SET NOT NULL;
DROP INDEX idx_album_assets_album;
CREATE INDEX idx_album_assets_order ON album_assets (album_id, position, asset_id)
    INCLUDE (owner_id);

-- All changes of one album's order wait for each other here; each function below begins with it.
CREATE FUNCTION album_lock(wanted_album integer) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        smart boolean;
    BEGIN
        SELECT b.filter IS NOT NULL INTO smart FROM public.albums b
        WHERE b.album_id = wanted_album AND b.deleted_at IS NULL FOR NO KEY UPDATE;
        IF smart IS NULL THEN
            RAISE no_data_found USING MESSAGE = format('there is no album %s', wanted_album);
        ELSIF smart THEN
            RAISE invalid_parameter_value
                USING MESSAGE = format('album %s is a smart album', wanted_album),
                      HINT = 'its filter decides what is in it';
        END IF;
    END
    $$;

-- Gives members room around the place behind (low, low_asset): of the nearest ones as many as it
-- takes, ever more of them; of the whole album only when nothing less has room.
CREATE FUNCTION album_spread(wanted_album integer, low bigint, low_asset uuid, room integer)
    RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        gap CONSTANT bigint := 4294967296;
        nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
        last_one CONSTANT uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
        reach bigint := 32;
        first record;
        last record;
        inside bigint;
        step numeric;
        start numeric;
    BEGIN
        LOOP
            SELECT m.position, m.asset_id INTO first FROM public.album_assets m
            WHERE m.album_id = wanted_album AND (m.position, m.asset_id) <= (low, low_asset)
            ORDER BY m.position DESC, m.asset_id DESC OFFSET reach LIMIT 1;
            SELECT m.position, m.asset_id INTO last FROM public.album_assets m
            WHERE m.album_id = wanted_album AND (m.position, m.asset_id) > (low, low_asset)
            ORDER BY m.position, m.asset_id OFFSET reach LIMIT 1;
            SELECT count(*) INTO inside FROM public.album_assets m
            WHERE m.album_id = wanted_album
              AND (m.position, m.asset_id) >
                  (coalesce(first.position, -9223372036854775808), coalesce(first.asset_id, nobody))
              AND (m.position, m.asset_id) <
                  (coalesce(last.position, 9223372036854775807), coalesce(last.asset_id, last_one));
            IF first.position IS NULL OR last.position IS NULL THEN
                step := gap; -- beyond the first and the last there is room
            ELSE
                step := div(last.position::numeric - first.position, inside + 1);
            END IF;
            start := CASE WHEN first.position IS NOT NULL THEN first.position
                          WHEN last.position IS NOT NULL
                              THEN last.position - (inside + 1)::numeric * gap
                          ELSE 0 END;
            EXIT WHEN step >= least(65536 * (room + 1)::bigint, gap)
                  AND start >= -9000000000000000000
                  AND start + (inside + 1) * step <= 9000000000000000000;
            reach := reach * 4;
        END LOOP;
        UPDATE public.album_assets m SET position = (start + o.rank * step)::bigint
        FROM (SELECT i.asset_id, row_number() OVER (ORDER BY i.position, i.asset_id) AS rank
              FROM public.album_assets i
              WHERE i.album_id = wanted_album
                AND (i.position, i.asset_id) >
                    (coalesce(first.position, -9223372036854775808),
                     coalesce(first.asset_id, nobody))
                AND (i.position, i.asset_id) <
                    (coalesce(last.position, 9223372036854775807),
                     coalesce(last.asset_id, last_one))) o
        WHERE m.album_id = wanted_album AND m.asset_id = o.asset_id;
    END
    $$;

-- First position and distance of `room` new ones behind the member (low_asset; NULL: in front of
-- all). Members among `leaving` are about to be moved and do not count. distance 0: no room.
CREATE FUNCTION album_gap(wanted_album integer, low_asset uuid, leaving uuid[], room integer,
                          OUT low bigint, OUT distance bigint)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        high bigint;
        gap CONSTANT bigint := 4294967296;
    BEGIN
        IF low_asset IS NOT NULL THEN
            SELECT m.position INTO low FROM public.album_assets m
            WHERE m.album_id = wanted_album AND m.asset_id = low_asset;
            SELECT m.position INTO high FROM public.album_assets m
            WHERE m.album_id = wanted_album AND (m.position, m.asset_id) > (low, low_asset)
              AND m.asset_id <> ALL (leaving)
            ORDER BY m.position, m.asset_id LIMIT 1;
        ELSE
            SELECT m.position INTO high FROM public.album_assets m
            WHERE m.album_id = wanted_album AND m.asset_id <> ALL (leaving)
            ORDER BY m.position, m.asset_id LIMIT 1;
        END IF;
        distance := gap;
        IF low IS NULL AND high IS NULL THEN
            low := 0;
        ELSIF low IS NULL THEN
            IF high < -9223372036854775807 + gap * (room + 1) THEN
                distance := 0;
            ELSE
                low := high - gap * (room + 1);
            END IF;
        ELSIF high IS NULL THEN
            IF low > 9223372036854775807 - gap * (room + 1) THEN
                distance := 0;
            END IF;
        ELSE
            distance := least(div(high::numeric - low, room + 1), gap)::bigint;
        END IF;
    END
    $$;

-- Puts assets, in the order given, behind a member (anchor) or, without one, at place_index (0 is
-- the front, anything from the number of members on is the end; NULL is the end). add_new: those
-- that are members already stay where they are; else all must be members. Gives the number put.
CREATE FUNCTION album_place(wanted_album integer, wanted_assets uuid[], place_index bigint,
                            anchor uuid, add_new boolean) RETURNS integer
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        items uuid[];
        hidden uuid[]; -- in the trash: whoever counts places does not see them
        missing uuid;
        low_asset uuid := anchor;
        place record;
    BEGIN
        PERFORM public.album_lock(wanted_album);
        SELECT array_agg(w.asset_id ORDER BY w.number), min(w.asset_id::text)
                   FILTER (WHERE CASE WHEN add_new THEN a.asset_id IS NULL
                                      ELSE m.asset_id IS NULL END)
        INTO items, missing
        FROM (SELECT u.asset_id, min(u.number) AS number
              FROM unnest(wanted_assets) WITH ORDINALITY u (asset_id, number)
              GROUP BY u.asset_id) w
        LEFT JOIN public.assets a ON a.asset_id = w.asset_id AND a.deleted_at IS NULL
        LEFT JOIN public.album_assets m
               ON m.album_id = wanted_album AND m.asset_id = w.asset_id
        WHERE NOT add_new OR m.asset_id IS NULL;
        IF missing IS NOT NULL THEN
            RAISE no_data_found USING MESSAGE =
                CASE WHEN add_new THEN format('there is no asset %s', missing)
                     ELSE format('asset %s is not in album %s', missing, wanted_album) END;
        END IF;
        IF items IS NULL THEN
            RETURN 0;
        END IF;
        IF anchor = ANY (items) THEN
            RAISE invalid_parameter_value
                USING MESSAGE = format('asset %s cannot go behind itself', anchor);
        ELSIF anchor IS NOT NULL AND NOT EXISTS (SELECT FROM public.album_assets m
                                                 WHERE m.album_id = wanted_album
                                                   AND m.asset_id = anchor) THEN
            RAISE no_data_found
                USING MESSAGE = format('asset %s is not in album %s', anchor, wanted_album);
        END IF;
        IF anchor IS NULL AND place_index IS NULL THEN
            SELECT m.asset_id INTO low_asset FROM public.album_assets m
            WHERE m.album_id = wanted_album AND m.asset_id <> ALL (items)
            ORDER BY m.position DESC, m.asset_id DESC LIMIT 1;
        ELSIF anchor IS NULL AND place_index > 0 THEN
            hidden := ARRAY(SELECT a.asset_id FROM public.assets a
                            JOIN public.album_assets m ON m.asset_id = a.asset_id
                            WHERE a.owner_id = public.current_user_id()
                              AND a.deleted_at IS NOT NULL AND m.album_id = wanted_album);
            SELECT f.asset_id INTO low_asset
            FROM (SELECT m.asset_id, m.position FROM public.album_assets m
                  WHERE m.album_id = wanted_album AND m.asset_id <> ALL (items || hidden)
                  ORDER BY m.position, m.asset_id LIMIT place_index) f
            ORDER BY f.position DESC, f.asset_id DESC LIMIT 1;
        END IF;
        SELECT * INTO place
        FROM public.album_gap(wanted_album, low_asset, items, cardinality(items));
        IF place.distance = 0 THEN
            PERFORM public.album_spread(
                wanted_album,
                coalesce((SELECT m.position FROM public.album_assets m
                          WHERE m.album_id = wanted_album AND m.asset_id = low_asset),
                         -9223372036854775808),
                coalesce(low_asset, '00000000-0000-0000-0000-000000000000'),
                cardinality(items));
            SELECT * INTO STRICT place
            FROM public.album_gap(wanted_album, low_asset, items, cardinality(items));
        END IF;
        IF add_new THEN
            INSERT INTO public.album_assets (album_id, asset_id, owner_id, position)
            SELECT wanted_album, u.asset_id, public.current_user_id(),
                   place.low + u.number * place.distance
            FROM unnest(items) WITH ORDINALITY u (asset_id, number);
        ELSE
            UPDATE public.album_assets m SET position = place.low + u.number * place.distance
            FROM unnest(items) WITH ORDINALITY u (asset_id, number)
            WHERE m.album_id = wanted_album AND m.asset_id = u.asset_id;
        END IF;
        RETURN cardinality(items);
    END
    $$;
COMMENT ON FUNCTION album_place(integer, uuid[], bigint, uuid, boolean) IS
    'Add assets to an album, or move members of it, at one place';

-- The given members take each other's places, so that they stand in the order given; nobody else
-- moves. Gives how many rows changed.
CREATE FUNCTION album_reorder(wanted_album integer, wanted_assets uuid[]) RETURNS integer
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        missing uuid;
        twice uuid;
        changed integer;
    BEGIN
        PERFORM public.album_lock(wanted_album);
        SELECT min(u.asset_id::text) FILTER (WHERE m.asset_id IS NULL),
               min(u.asset_id::text) FILTER (WHERE u.times > 1)
        INTO missing, twice
        FROM (SELECT w.asset_id, count(*) AS times FROM unnest(wanted_assets) w (asset_id)
              GROUP BY w.asset_id) u
        LEFT JOIN public.album_assets m
               ON m.album_id = wanted_album AND m.asset_id = u.asset_id;
        IF missing IS NOT NULL THEN
            RAISE no_data_found
                USING MESSAGE = format('asset %s is not in album %s', missing, wanted_album);
        ELSIF twice IS NOT NULL THEN
            RAISE invalid_parameter_value
                USING MESSAGE = format('asset %s stands twice in the order', twice);
        END IF;
        IF EXISTS (SELECT FROM public.album_assets m
                   WHERE m.album_id = wanted_album AND m.asset_id = ANY (wanted_assets)
                   GROUP BY m.position HAVING count(*) > 1) THEN
            UPDATE public.album_assets m SET position = o.rank * 4294967296
            FROM (SELECT i.asset_id, row_number() OVER (ORDER BY i.position, i.asset_id) AS rank
                  FROM public.album_assets i WHERE i.album_id = wanted_album) o
            WHERE m.album_id = wanted_album AND m.asset_id = o.asset_id;
        END IF;
        WITH places AS (
            SELECT m.position, row_number() OVER (ORDER BY m.position) AS number
            FROM public.album_assets m
            WHERE m.album_id = wanted_album AND m.asset_id = ANY (wanted_assets)
        )
        UPDATE public.album_assets m SET position = p.position
        FROM unnest(wanted_assets) WITH ORDINALITY u (asset_id, number)
        JOIN places p USING (number)
        WHERE m.album_id = wanted_album AND m.asset_id = u.asset_id
          AND m.position <> p.position;
        GET DIAGNOSTICS changed = ROW_COUNT;
        RETURN changed;
    END
    $$;
COMMENT ON FUNCTION album_reorder(integer, uuid[]) IS
    'Let members of an album take each other''s places in the order given';

-- All or none; a cover that goes is no cover any more.
CREATE FUNCTION album_remove(wanted_album integer, wanted_assets uuid[]) RETURNS integer
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        missing uuid;
        changed integer;
    BEGIN
        PERFORM public.album_lock(wanted_album);
        SELECT min(u.asset_id::text) INTO missing
        FROM unnest(wanted_assets) u (asset_id)
        WHERE NOT EXISTS (SELECT FROM public.album_assets m
                          WHERE m.album_id = wanted_album AND m.asset_id = u.asset_id);
        IF missing IS NOT NULL THEN
            RAISE no_data_found
                USING MESSAGE = format('asset %s is not in album %s', missing, wanted_album);
        END IF;
        DELETE FROM public.album_assets m
        WHERE m.album_id = wanted_album AND m.asset_id = ANY (wanted_assets);
        GET DIAGNOSTICS changed = ROW_COUNT;
        UPDATE public.albums b SET cover_asset_id = NULL, updated_at = now()
        WHERE b.album_id = wanted_album AND b.cover_asset_id = ANY (wanted_assets);
        RETURN changed;
    END
    $$;
COMMENT ON FUNCTION album_remove(integer, uuid[]) IS 'Take assets out of an album';

-- What a public album shows to other users of this server: its name, its owner's name, and of its
-- photos what a picture on a wall shows. No place, path, hash, tag or rating; nothing in the trash.
CREATE FUNCTION public_albums(before_album integer, row_limit integer)
    RETURNS TABLE (album_id integer, name text, description text, owner_name text,
                   is_own boolean, asset_count bigint, cover_asset_id uuid,
                   created_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT b.album_id, b.name, b.description, coalesce(nullif(u.full_name, ''), u.username),
               b.owner_id = public.current_user_id(),
               (SELECT count(*) FROM public.album_assets m
                JOIN public.assets a ON a.asset_id = m.asset_id AND a.deleted_at IS NULL
                WHERE m.album_id = b.album_id),
               coalesce((SELECT m.asset_id FROM public.album_assets m
                         JOIN public.assets a ON a.asset_id = m.asset_id AND a.deleted_at IS NULL
                         WHERE m.album_id = b.album_id AND m.asset_id = b.cover_asset_id),
                        (SELECT m.asset_id FROM public.album_assets m
                         JOIN public.assets a ON a.asset_id = m.asset_id AND a.deleted_at IS NULL
                         WHERE m.album_id = b.album_id
                         ORDER BY m.position, m.asset_id LIMIT 1)),
               b.created_at
        FROM public.albums b JOIN public.users u ON u.user_id = b.owner_id
        WHERE b.is_public AND b.deleted_at IS NULL AND b.album_id < before_album
          AND public.current_user_id() IS NOT NULL
        ORDER BY b.album_id DESC
        LIMIT row_limit
    $$;
COMMENT ON FUNCTION public_albums(integer, integer) IS
    'Public albums of all users, newest first, for any user of this server';

CREATE FUNCTION public_album_assets(wanted_album integer, after_position bigint,
                                    after_asset uuid, row_limit integer)
    RETURNS TABLE ("position" bigint, asset_id uuid, original_filename text, asset_type text,
                   mime_type text, width integer, height integer, duration numeric,
                   taken_local timestamp, description text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT m.position, a.asset_id, a.original_filename, a.asset_type, a.mime_type, a.width,
               a.height, a.duration, a.taken_local, a.description
        FROM public.albums b
        JOIN public.album_assets m ON m.album_id = b.album_id
        JOIN public.assets a ON a.asset_id = m.asset_id
        WHERE b.album_id = wanted_album AND b.is_public AND b.deleted_at IS NULL
          AND a.deleted_at IS NULL AND public.current_user_id() IS NOT NULL
          AND (m.position, m.asset_id) > (after_position, after_asset)
        ORDER BY m.position, m.asset_id
        LIMIT row_limit
    $$;
COMMENT ON FUNCTION public_album_assets(integer, bigint, uuid, integer) IS
    'What others see of the photos in a public album';

DO $$
DECLARE
    made text;
BEGIN
    FOREACH made IN ARRAY ARRAY['album_lock(integer)', 'album_spread(integer, bigint, uuid, integer)',
        'album_gap(integer, uuid, uuid[], integer)',
        'album_place(integer, uuid[], bigint, uuid, boolean)', 'album_reorder(integer, uuid[])',
        'album_remove(integer, uuid[])', 'public_albums(integer, integer)',
        'public_album_assets(integer, bigint, uuid, integer)']
    LOOP
        EXECUTE format('ALTER FUNCTION public.%s OWNER TO %I', made,
                       CASE WHEN made LIKE 'public%' THEN 'lumilio_policy'
                            ELSE 'lumilio_owner' END);
        EXECUTE format('REVOKE ALL ON FUNCTION public.%s FROM PUBLIC', made);
        EXECUTE format('GRANT EXECUTE ON FUNCTION public.%s TO lumilio_app, lumilio_worker', made);
    END LOOP;
END
$$;
