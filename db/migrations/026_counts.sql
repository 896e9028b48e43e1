-- How many live assets a tag and an album have is kept, not counted at each read: a page of them was
-- as long as what stands in them. A row of counts is part of a number: whoever changes it takes a part
-- that nobody else holds, else adds one, and who finds two free parts makes them one. So nobody ever
-- waits for a count, counts make no deadlock, and a number has about as many parts as writers have
-- met in it. (One row for each number would be locked until its writer commits, by several writers in
-- any order; rows of differences would want a job that adds them up, and libraries run without jobs.)
--
-- What a link counts depends on its asset, whose trash is another transaction's. Who makes or takes
-- away links holds the assets' keys (FOR KEY SHARE), who moves assets into the trash or out of it has
-- them alone (FOR UPDATE) before it looks at their links: one of the two sees what the other did.
-- Both take assets by their ids, in order, so that calls make no deadlock (but for those in which a
-- shared tag becomes an own one while an asset already has its words: they are told). All holds where
-- each statement sees what was committed before it (READ COMMITTED, as everywhere here). Nobody may
-- change a link's keys.

CREATE TABLE tag_counts (
    owner_id integer NOT NULL REFERENCES users(user_id),
    tag_id integer NOT NULL REFERENCES tags(tag_id) ON DELETE CASCADE,
    part bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    assets bigint NOT NULL,
    PRIMARY KEY (owner_id, tag_id, part)
) WITH (fillfactor = 50);
COMMENT ON TABLE tag_counts IS
    'Live assets of an owner that have a tag: the sum of its parts, of which one may be below zero';
CREATE INDEX idx_tag_counts_tag ON tag_counts (tag_id); -- for the foreign key
CREATE TABLE album_counts (
    owner_id integer NOT NULL,
    album_id integer NOT NULL,
    part bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    assets bigint NOT NULL,
    PRIMARY KEY (owner_id, album_id, part),
    CONSTRAINT album_counts_album_owner_fkey FOREIGN KEY (album_id, owner_id)
        REFERENCES albums (album_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE
) WITH (fillfactor = 50);
COMMENT ON TABLE album_counts IS 'Live members of an album: the sum of its parts';
ALTER TABLE tag_counts OWNER TO lumilio_owner;
ALTER TABLE album_counts OWNER TO lumilio_owner;
GRANT SELECT ON tag_counts, album_counts TO lumilio_app, lumilio_worker, lumilio_backup;
GRANT SELECT ON SEQUENCE tag_counts_part_seq, album_counts_part_seq TO lumilio_backup;
GRANT SELECT, INSERT, UPDATE, DELETE ON tag_counts, album_counts TO lumilio_policy;
-- Whoever locks a row must be one who may change something of it.
GRANT UPDATE (updated_at) ON assets, albums TO lumilio_policy;
GRANT UPDATE (category) ON tags TO lumilio_policy;
ALTER TABLE tag_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tag_counts_select ON tag_counts FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY tag_counts_insert ON tag_counts FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (false);
CREATE POLICY tag_counts_update ON tag_counts FOR UPDATE TO lumilio_app, lumilio_worker
    USING (false) WITH CHECK (false);
CREATE POLICY tag_counts_delete ON tag_counts FOR DELETE TO lumilio_app, lumilio_worker
    USING (false);
ALTER TABLE album_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY album_counts_select ON album_counts FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY album_counts_insert ON album_counts FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (false);
CREATE POLICY album_counts_update ON album_counts FOR UPDATE TO lumilio_app, lumilio_worker
    USING (false) WITH CHECK (false);
CREATE POLICY album_counts_delete ON album_counts FOR DELETE TO lumilio_app, lumilio_worker
    USING (false);

-- A tag that is gone, or goes just now, takes its counts with it and gets none. Called by the triggers
-- below, whose rights and search path hold.
CREATE FUNCTION tag_count_add(of_owner integer, of_tag integer, difference bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
    DECLARE
        free bigint[];
        total bigint;
    BEGIN
        SELECT array_agg(f.part), sum(f.assets) INTO free, total
        FROM (SELECT c.part, c.assets FROM public.tag_counts c
              WHERE c.owner_id = of_owner AND c.tag_id = of_tag
              LIMIT 2 FOR UPDATE SKIP LOCKED) f;
        IF free IS NULL THEN
            PERFORM FROM public.tags t WHERE t.tag_id = of_tag FOR KEY SHARE;
            IF FOUND THEN
                INSERT INTO public.tag_counts (owner_id, tag_id, assets)
                VALUES (of_owner, of_tag, difference);
            END IF;
            RETURN;
        END IF;
        UPDATE public.tag_counts c SET assets = total + difference
        WHERE c.owner_id = of_owner AND c.tag_id = of_tag AND c.part = free[1];
        IF cardinality(free) > 1 THEN
            DELETE FROM public.tag_counts c
            WHERE c.owner_id = of_owner AND c.tag_id = of_tag AND c.part = free[2];
        END IF;
    END
    $$;
CREATE FUNCTION album_count_add(of_owner integer, of_album integer, difference bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
    DECLARE
        free bigint[];
        total bigint;
    BEGIN
        SELECT array_agg(f.part), sum(f.assets) INTO free, total
        FROM (SELECT c.part, c.assets FROM public.album_counts c
              WHERE c.owner_id = of_owner AND c.album_id = of_album
              LIMIT 2 FOR UPDATE SKIP LOCKED) f;
        IF free IS NULL THEN
            PERFORM FROM public.albums b
            WHERE b.album_id = of_album AND b.owner_id = of_owner FOR KEY SHARE;
            IF FOUND THEN
                INSERT INTO public.album_counts (owner_id, album_id, assets)
                VALUES (of_owner, of_album, difference);
            END IF;
            RETURN;
        END IF;
        UPDATE public.album_counts c SET assets = total + difference
        WHERE c.owner_id = of_owner AND c.album_id = of_album AND c.part = free[1];
        IF cardinality(free) > 1 THEN
            DELETE FROM public.album_counts c
            WHERE c.owner_id = of_owner AND c.album_id = of_album AND c.part = free[2];
        END IF;
    END
    $$;

-- Links of a statement, both ways: TG_ARGV[0] is what one of them counts. Those of assets that are in
-- the trash, or are purged by this very statement, do not; the former are held all the same, because
-- they may come back. Two statements: who has waited for a key is still shown the row as it was. OFFSET
-- and LATERAL look assets up one by one: a plan made for one row may have to serve a million.
CREATE FUNCTION tag_counts_follow() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM FROM (SELECT x.asset_id FROM changed x ORDER BY x.asset_id) l
        CROSS JOIN LATERAL (SELECT FROM public.assets a
                            WHERE a.asset_id = l.asset_id FOR KEY SHARE) a;
        PERFORM public.tag_count_add(c.owner_id, c.tag_id, c.links * TG_ARGV[0]::integer)
        FROM (SELECT l.owner_id, l.tag_id, count(*) AS links
              FROM changed l
              CROSS JOIN LATERAL (SELECT FROM public.assets a
                                  WHERE a.asset_id = l.asset_id AND a.deleted_at IS NULL
                                  OFFSET 0) a
              GROUP BY l.owner_id, l.tag_id
              ORDER BY l.owner_id, l.tag_id) c;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION album_counts_follow() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM FROM (SELECT x.asset_id FROM changed x ORDER BY x.asset_id) m
        CROSS JOIN LATERAL (SELECT FROM public.assets a
                            WHERE a.asset_id = m.asset_id FOR KEY SHARE) a;
        PERFORM public.album_count_add(c.owner_id, c.album_id, c.members * TG_ARGV[0]::integer)
        FROM (SELECT m.owner_id, m.album_id, count(*) AS members
              FROM changed m
              CROSS JOIN LATERAL (SELECT FROM public.assets a
                                  WHERE a.asset_id = m.asset_id AND a.deleted_at IS NULL
                                  OFFSET 0) a
              GROUP BY m.owner_id, m.album_id
              ORDER BY m.owner_id, m.album_id) c;
        RETURN NULL;
    END
    $$;

-- All links of assets that come (sign 1) or go (-1); the caller has the assets' rows alone.
CREATE FUNCTION asset_links_count(ids uuid[], signs integer[]) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
    BEGIN
        PERFORM public.tag_count_add(c.owner_id, c.tag_id, c.links)
        FROM (SELECT l.owner_id, l.tag_id, sum(u.sign) AS links
              FROM unnest(ids, signs) u (id, sign)
              CROSS JOIN LATERAL (SELECT x.owner_id, x.tag_id FROM public.asset_tags x
                                  WHERE x.asset_id = u.id OFFSET 0) l
              GROUP BY l.owner_id, l.tag_id HAVING sum(u.sign) <> 0
              ORDER BY l.owner_id, l.tag_id) c;
        PERFORM public.album_count_add(c.owner_id, c.album_id, c.members)
        FROM (SELECT m.owner_id, m.album_id, sum(u.sign) AS members
              FROM unnest(ids, signs) u (id, sign)
              CROSS JOIN LATERAL (SELECT x.owner_id, x.album_id FROM public.album_assets x
                                  WHERE x.asset_id = u.id OFFSET 0) m
              GROUP BY m.owner_id, m.album_id HAVING sum(u.sign) <> 0
              ORDER BY m.owner_id, m.album_id) c;
    END
    $$;
-- Into the trash and out of it.
CREATE FUNCTION asset_counts_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        ids uuid[];
        signs integer[];
    BEGIN
        SELECT array_agg(c.asset_id ORDER BY c.asset_id), array_agg(c.sign ORDER BY c.asset_id)
        INTO ids, signs
        FROM (SELECT x.asset_id, sum(x.n) AS sign
              FROM (SELECT asset_id, 1 AS n FROM added WHERE deleted_at IS NULL
                    UNION ALL
                    SELECT asset_id, -1 FROM removed WHERE deleted_at IS NULL) x
              GROUP BY x.asset_id HAVING sum(x.n) <> 0) c;
        IF ids IS NOT NULL THEN
            PERFORM FROM unnest(ids) WITH ORDINALITY u (id, number)
            CROSS JOIN LATERAL (SELECT FROM public.assets a WHERE a.asset_id = u.id FOR UPDATE) a;
            PERFORM public.asset_links_count(ids, signs);
        END IF;
        RETURN NULL;
    END
    $$;
-- An asset that goes without having been in the trash. Behind it its links would go unseen.
CREATE FUNCTION asset_counts_go() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.asset_links_count(ARRAY[OLD.asset_id], ARRAY[-1]);
        RETURN OLD;
    END
    $$;

-- As before, but members come in the order of their ids: see above.
CREATE OR REPLACE FUNCTION album_place(wanted_album integer, wanted_assets uuid[],
                                       place_index bigint, anchor uuid, add_new boolean)
    RETURNS integer
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
            FROM unnest(items) WITH ORDINALITY u (asset_id, number)
            ORDER BY u.asset_id;
        ELSE
            UPDATE public.album_assets m SET position = place.low + u.number * place.distance
            FROM unnest(items) WITH ORDINALITY u (asset_id, number)
            WHERE m.album_id = wanted_album AND m.asset_id = u.asset_id;
        END IF;
        RETURN cardinality(items);
    END
    $$;
-- As before, but assets in the order of their ids here, too.
CREATE OR REPLACE FUNCTION tag_adopt(own_id integer, wanted_name text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        shared integer := (SELECT t.tag_id FROM public.tags t
                           WHERE t.owner_id IS NULL AND t.name = wanted_name);
    BEGIN
        IF shared IS NOT NULL THEN
            INSERT INTO public.asset_tags
                (asset_id, tag_id, owner_id, confidence, source, created_at)
            SELECT l.asset_id, own_id, l.owner_id, l.confidence, l.source, l.created_at
            FROM public.asset_tags l WHERE l.tag_id = shared
            ORDER BY l.asset_id
            ON CONFLICT (asset_id, tag_id) DO NOTHING;
            DELETE FROM public.asset_tags l WHERE l.tag_id = shared;
        END IF;
    END
    $$;

-- As before, but names before assets, as in tag_remove() and the others.
CREATE OR REPLACE FUNCTION tag_asset(wanted_asset uuid, names text[], confidences float8[],
                          new_source text, only_these boolean)
    RETURNS TABLE (given_id integer, given_name text, written boolean)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        wish record;
    BEGIN
        PERFORM public.tag_lock(names);
        PERFORM FROM public.assets a
        WHERE a.asset_id = wanted_asset AND a.deleted_at IS NULL FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE no_data_found USING MESSAGE = format('there is no asset %s', wanted_asset);
        END IF;
        IF only_these THEN
            DELETE FROM public.asset_tags l USING public.tags t
            WHERE l.asset_id = wanted_asset AND l.source = new_source AND t.tag_id = l.tag_id
              AND t.name <> ALL (names);
        END IF;
        FOR wish IN
            SELECT u.name, round(u.confidence::numeric, 4) AS confidence
            FROM unnest(names, confidences) WITH ORDINALITY u (name, confidence, number)
            ORDER BY u.number
        LOOP
            given_name := wish.name;
            IF new_source = 'user' THEN
                DELETE FROM public.asset_tag_refusals r
                WHERE r.asset_id = wanted_asset AND r.name = wish.name;
            ELSIF EXISTS (SELECT FROM public.asset_tag_refusals r
                          WHERE r.asset_id = wanted_asset AND r.name = wish.name) THEN
                given_id := 0;
                written := false;
                RETURN NEXT;
                CONTINUE;
            END IF;
            IF new_source = 'user' THEN
                given_id := public.tag_own(wish.name, NULL);
            ELSE
                SELECT t.tag_id INTO given_id FROM public.tags t
                WHERE t.owner_id = public.current_user_id() AND t.name = wish.name;
            END IF;
            IF given_id IS NULL THEN
                SELECT s.shared_id, s.written INTO given_id, written
                FROM public.tag_share(wanted_asset, wish.name, wish.confidence, new_source) s;
            ELSE
                INSERT INTO public.asset_tags AS l (asset_id, tag_id, owner_id, confidence, source)
                VALUES (wanted_asset, given_id, public.current_user_id(), wish.confidence,
                        new_source)
                ON CONFLICT (asset_id, tag_id) DO UPDATE
                    SET confidence = excluded.confidence, source = excluded.source
                    WHERE excluded.source = 'user' OR l.source <> 'user';
                written := FOUND;
            END IF;
            RETURN NEXT;
        END LOOP;
    END
    $$;

-- Triggers of one event fire in the order of their names, and that is the order of locks: days, own
-- tags' names, albums, assets, words.
CREATE TRIGGER asset_counts_tag_insert AFTER INSERT ON asset_tags
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tag_counts_follow('1');
CREATE TRIGGER asset_counts_tag_delete AFTER DELETE ON asset_tags
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tag_counts_follow('-1');
CREATE TRIGGER asset_counts_album_insert AFTER INSERT ON album_assets
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION album_counts_follow('1');
CREATE TRIGGER asset_counts_album_delete AFTER DELETE ON album_assets
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION album_counts_follow('-1');
CREATE TRIGGER asset_links_update AFTER UPDATE ON assets
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION asset_counts_move();
CREATE TRIGGER asset_counts_delete BEFORE DELETE ON assets
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL) EXECUTE FUNCTION asset_counts_go();

-- Count again and mend what is wrong; give how many numbers were. Whoever changes links waits before
-- his counts, and what he changed before is seen: nothing is lost or counted twice.
CREATE FUNCTION count_tag_assets() RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        me integer := public.current_user_id();
        mended integer;
    BEGIN
        LOCK TABLE public.tag_counts IN EXCLUSIVE MODE; -- readers go on, who locks a row does not
        SELECT count(public.tag_count_add(me, w.tag_id, w.difference)) INTO mended
        FROM (SELECT tag_id, coalesce(r.links, 0) - coalesce(o.assets, 0) AS difference
              FROM (SELECT l.tag_id, count(*) AS links
                    FROM public.asset_tags l JOIN public.assets a ON a.asset_id = l.asset_id
                    WHERE l.owner_id = me AND a.deleted_at IS NULL
                    GROUP BY l.tag_id) r
              FULL JOIN (SELECT c.tag_id, sum(c.assets)::bigint AS assets
                         FROM public.tag_counts c WHERE c.owner_id = me GROUP BY c.tag_id) o
                  USING (tag_id)) w
        WHERE w.difference <> 0;
        RETURN mended;
    END
    $$;
COMMENT ON FUNCTION count_tag_assets() IS
    'Counts the tags of the current user again; how many were wrong and are mended';
CREATE FUNCTION count_album_assets() RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        me integer := public.current_user_id();
        mended integer;
    BEGIN
        LOCK TABLE public.album_counts IN EXCLUSIVE MODE;
        SELECT count(public.album_count_add(me, w.album_id, w.difference)) INTO mended
        FROM (SELECT album_id, coalesce(r.members, 0) - coalesce(o.assets, 0) AS difference
              FROM (SELECT m.album_id, count(*) AS members
                    FROM public.album_assets m JOIN public.assets a ON a.asset_id = m.asset_id
                    WHERE m.owner_id = me AND a.deleted_at IS NULL
                    GROUP BY m.album_id) r
              FULL JOIN (SELECT c.album_id, sum(c.assets)::bigint AS assets
                         FROM public.album_counts c WHERE c.owner_id = me GROUP BY c.album_id) o
                  USING (album_id)) w
        WHERE w.difference <> 0;
        RETURN mended;
    END
    $$;
COMMENT ON FUNCTION count_album_assets() IS
    'Counts the albums of the current user again; how many were wrong and are mended';

DO $$
DECLARE
    made text;
BEGIN
    FOREACH made IN ARRAY ARRAY['tag_count_add(integer, integer, bigint)',
        'album_count_add(integer, integer, bigint)', 'tag_counts_follow()',
        'album_counts_follow()', 'asset_links_count(uuid[], integer[])', 'asset_counts_move()',
        'asset_counts_go()', 'count_tag_assets()', 'count_album_assets()']
    LOOP
        EXECUTE format('ALTER FUNCTION public.%s OWNER TO lumilio_policy', made);
        EXECUTE format('REVOKE ALL ON FUNCTION public.%s FROM PUBLIC', made);
        IF made LIKE 'count%' THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION public.%s TO lumilio_app, lumilio_worker',
                           made);
        END IF;
    END LOOP;
END
$$;

-- The triggers' locks keep everybody else from changing links until all is counted.
INSERT INTO tag_counts (owner_id, tag_id, assets)
SELECT l.owner_id, l.tag_id, count(*)
FROM asset_tags l JOIN assets a ON a.asset_id = l.asset_id
WHERE a.deleted_at IS NULL
GROUP BY l.owner_id, l.tag_id ORDER BY l.owner_id, l.tag_id;
INSERT INTO album_counts (owner_id, album_id, assets)
SELECT m.owner_id, m.album_id, count(*)
FROM album_assets m JOIN assets a ON a.asset_id = m.asset_id
WHERE a.deleted_at IS NULL
GROUP BY m.owner_id, m.album_id ORDER BY m.owner_id, m.album_id;

CREATE OR REPLACE FUNCTION public_albums(before_album integer, row_limit integer)
    RETURNS TABLE (album_id integer, name text, description text, owner_name text,
                   is_own boolean, asset_count bigint, cover_asset_id uuid,
                   created_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT b.album_id, b.name, b.description, coalesce(nullif(u.full_name, ''), u.username),
               b.owner_id = public.current_user_id(),
               coalesce((SELECT sum(c.assets) FROM public.album_counts c
                         WHERE c.owner_id = b.owner_id AND c.album_id = b.album_id), 0)::bigint,
               coalesce((SELECT m.asset_id FROM public.album_assets m
                         JOIN public.assets a ON a.asset_id = m.asset_id AND a.deleted_at IS NULL
                         WHERE m.owner_id = b.owner_id AND m.album_id = b.album_id
                           AND m.asset_id = b.cover_asset_id),
                        (SELECT m.asset_id FROM public.album_assets m
                         JOIN public.assets a ON a.asset_id = m.asset_id AND a.deleted_at IS NULL
                         WHERE m.owner_id = b.owner_id AND m.album_id = b.album_id
                         ORDER BY m.position, m.asset_id LIMIT 1)),
               b.created_at
        FROM public.albums b JOIN public.users u ON u.user_id = b.owner_id
        WHERE b.is_public AND b.deleted_at IS NULL AND b.album_id < before_album
          AND public.current_user_id() IS NOT NULL
        ORDER BY b.album_id DESC
        LIMIT row_limit
    $$;
