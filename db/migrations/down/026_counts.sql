CREATE OR REPLACE FUNCTION public_albums(before_album integer, row_limit integer)
    RETURNS TABLE (album_id integer, name text, description text, owner_name text,
                   is_own boolean, asset_count bigint, cover_asset_id uuid,
                   created_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT b.album_id, b.name, b.description, coalesce(nullif(u.full_name, ''), u.username),
               b.owner_id = public.current_user_id(),
               (SELECT count(*) FROM public.album_assets m
                JOIN public.assets a ON a.asset_id = m.asset_id AND a.deleted_at IS NULL
                WHERE m.owner_id = b.owner_id AND m.album_id = b.album_id),
               coalesce((SELECT m.asset_id FROM public.album_assets m
                         JOIN public.assets a ON a.asset_id = m.asset_id AND a.deleted_at IS NULL
                         WHERE m.owner_id = b.owner_id AND m.album_id = b.album_id AND m.asset_id = b.cover_asset_id),
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

DROP TRIGGER asset_counts_delete ON assets;
DROP TRIGGER asset_links_update ON assets;
DROP TRIGGER asset_counts_album_delete ON album_assets;
DROP TRIGGER asset_counts_album_insert ON album_assets;
DROP TRIGGER asset_counts_tag_delete ON asset_tags;
DROP TRIGGER asset_counts_tag_insert ON asset_tags;
DROP FUNCTION count_album_assets();
DROP FUNCTION count_tag_assets();
DROP FUNCTION asset_counts_go();
DROP FUNCTION asset_counts_move();
DROP FUNCTION asset_links_count(uuid[], integer[]);
DROP FUNCTION album_counts_follow();
DROP FUNCTION tag_counts_follow();
DROP FUNCTION album_count_add(integer, integer, bigint);
DROP FUNCTION tag_count_add(integer, integer, bigint);
DROP TABLE album_counts;
DROP TABLE tag_counts;
REVOKE UPDATE (category) ON tags FROM lumilio_policy;
REVOKE UPDATE (updated_at) ON assets, albums FROM lumilio_policy;

CREATE OR REPLACE FUNCTION album_place(wanted_album integer, wanted_assets uuid[], place_index bigint,
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
            ON CONFLICT (asset_id, tag_id) DO NOTHING;
            DELETE FROM public.asset_tags l WHERE l.tag_id = shared;
        END IF;
    END
    $$;
CREATE OR REPLACE FUNCTION tag_asset(wanted_asset uuid, names text[], confidences float8[],
                          new_source text, only_these boolean)
    RETURNS TABLE (given_id integer, given_name text, written boolean)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        wish record;
    BEGIN
        PERFORM FROM public.assets a
        WHERE a.asset_id = wanted_asset AND a.deleted_at IS NULL FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE no_data_found USING MESSAGE = format('there is no asset %s', wanted_asset);
        END IF;
        PERFORM public.tag_lock(names);
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
