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
CREATE OR REPLACE FUNCTION tag_rename(wanted_tag integer, new_name text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        old record;
    BEGIN
        SELECT * INTO old FROM public.tag_kind(wanted_tag);
        IF old.kind = 'shared' THEN
            RAISE insufficient_privilege
                USING MESSAGE = format('tag %s is shared and has its name from AI', wanted_tag),
                      HINT = 'make a tag of your own and merge this one into it';
        END IF;
        PERFORM public.tag_lock(ARRAY[old.tag_name, new_name]);
        UPDATE public.tags t SET name = new_name WHERE t.tag_id = wanted_tag;
        PERFORM public.tag_adopt(wanted_tag, new_name);
    END
    $$;
CREATE OR REPLACE FUNCTION tag_merge(source_tags integer[], target_tag integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        target record;
        target_id integer := target_tag;
        merged bigint;
        names text[];
    BEGIN
        IF target_tag = ANY (source_tags) THEN
            RAISE invalid_parameter_value
                USING MESSAGE = format('tag %s cannot be merged into itself', target_tag);
        END IF;
        SELECT * INTO target FROM public.tag_kind(target_tag);
        SELECT array_agg(k.tag_name) INTO names
        FROM unnest(source_tags) u (tag_id), LATERAL public.tag_kind(u.tag_id) k;
        PERFORM public.tag_lock(names || target.tag_name);
        IF target.kind = 'shared' THEN
            target_id := public.tag_own(target.tag_name, NULL);
        END IF;
        PERFORM FROM public.tags t
        WHERE t.tag_id = ANY (source_tags || target_id)
          AND t.owner_id = public.current_user_id()
        ORDER BY t.tag_id FOR UPDATE;
        SELECT count(DISTINCT l.asset_id) INTO merged FROM public.asset_tags l
        WHERE l.tag_id = ANY (source_tags);
        INSERT INTO public.asset_tags AS l
            (asset_id, tag_id, owner_id, confidence, source, created_at)
        SELECT DISTINCT ON (s.asset_id)
               s.asset_id, target_id, s.owner_id, s.confidence, s.source, s.created_at
        FROM public.asset_tags s
        WHERE s.tag_id = ANY (source_tags)
        ORDER BY s.asset_id, (s.source = 'user') DESC, s.confidence DESC
        ON CONFLICT (asset_id, tag_id) DO UPDATE
            SET confidence = excluded.confidence, source = excluded.source
            WHERE (excluded.source = 'user', excluded.confidence)
                > (l.source = 'user', l.confidence);
        DELETE FROM public.asset_tags l WHERE l.tag_id = ANY (source_tags);
        DELETE FROM public.tags t
        WHERE t.tag_id = ANY (source_tags) AND t.owner_id = public.current_user_id();
        RETURN merged;
    END
    $$;
DROP FUNCTION tag_hold(uuid[], integer[], text[]);
