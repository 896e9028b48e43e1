CREATE OR REPLACE FUNCTION tag_delete(wanted_tag integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        removed bigint;
    BEGIN
        PERFORM public.tag_lock(ARRAY[k.tag_name]) FROM public.tag_kind(wanted_tag) k;
        DELETE FROM public.asset_tags l WHERE l.tag_id = wanted_tag;
        GET DIAGNOSTICS removed = ROW_COUNT;
        DELETE FROM public.tags t
        WHERE t.tag_id = wanted_tag AND t.owner_id = public.current_user_id();
        RETURN removed;
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

DROP FUNCTION tag_remove(uuid, integer);
DROP TABLE asset_tag_refusals;
ALTER TABLE assets DROP COLUMN edited;
