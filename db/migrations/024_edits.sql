-- What people said of an asset stays when its file is read again, and tags that they took away do not
-- come back from AI.

-- NULL: nothing. A default is not to be had: functions take rows of this table.
ALTER TABLE assets ADD COLUMN edited text[];
COMMENT ON COLUMN assets.edited IS
    'Names of the columns that a person set or emptied; reading the file again leaves them alone';
GRANT UPDATE (edited) ON assets TO lumilio_app, lumilio_worker;

-- By name: what AI gives as a shared tag the user may call an own one meanwhile.
CREATE TABLE asset_tag_refusals (
    owner_id integer NOT NULL,
    asset_id uuid NOT NULL,
    name varchar(100) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, asset_id, name),
    CONSTRAINT asset_tag_refusals_asset_owner_fkey FOREIGN KEY (asset_id, owner_id)
        REFERENCES assets (asset_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE
);
ALTER TABLE asset_tag_refusals OWNER TO lumilio_owner;
GRANT SELECT, INSERT, DELETE ON asset_tag_refusals TO lumilio_app, lumilio_worker;
GRANT UPDATE (created_at) ON asset_tag_refusals TO lumilio_app, lumilio_worker;
GRANT SELECT ON asset_tag_refusals TO lumilio_backup;
ALTER TABLE asset_tag_refusals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY asset_tag_refusals_select ON asset_tag_refusals
    FOR SELECT TO lumilio_app, lumilio_worker USING (owner_id = current_user_id());
CREATE POLICY asset_tag_refusals_insert ON asset_tag_refusals
    FOR INSERT TO lumilio_app, lumilio_worker WITH CHECK (owner_id = current_user_id());
CREATE POLICY asset_tag_refusals_update ON asset_tag_refusals
    FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY asset_tag_refusals_delete ON asset_tag_refusals
    FOR DELETE TO lumilio_app, lumilio_worker USING (owner_id = current_user_id());

-- Takes a tag away from a photo of the current user; false when it had none. AI may not give it
-- again; a person may.
CREATE FUNCTION tag_remove(wanted_asset uuid, wanted_tag integer) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        tag_name text := (SELECT t.name FROM public.tags t WHERE t.tag_id = wanted_tag);
    BEGIN
        IF tag_name IS NULL THEN
            RETURN false;
        END IF;
        PERFORM public.tag_lock(ARRAY[tag_name]);
        DELETE FROM public.asset_tags l
        WHERE l.asset_id = wanted_asset AND l.tag_id = wanted_tag;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
        INSERT INTO public.asset_tag_refusals (owner_id, asset_id, name)
        VALUES (public.current_user_id(), wanted_asset, tag_name)
        ON CONFLICT DO NOTHING;
        RETURN true;
    END
    $$;
COMMENT ON FUNCTION tag_remove(uuid, integer) IS
    'Take a tag away from an asset of the current user, for AI for ever';
ALTER FUNCTION tag_remove(uuid, integer) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION tag_remove(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tag_remove(uuid, integer) TO lumilio_app, lumilio_worker;

-- As before, but for what the user took away: AI is told so by given_id 0.
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

-- As before, and AI may not give the tag to those photos again.
CREATE OR REPLACE FUNCTION tag_delete(wanted_tag integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        removed bigint;
    BEGIN
        PERFORM public.tag_lock(ARRAY[k.tag_name]) FROM public.tag_kind(wanted_tag) k;
        INSERT INTO public.asset_tag_refusals (owner_id, asset_id, name)
        SELECT l.owner_id, l.asset_id, k.tag_name
        FROM public.asset_tags l, public.tag_kind(wanted_tag) k
        WHERE l.tag_id = wanted_tag AND l.source <> 'user'
        ON CONFLICT DO NOTHING;
        DELETE FROM public.asset_tags l WHERE l.tag_id = wanted_tag;
        GET DIAGNOSTICS removed = ROW_COUNT;
        DELETE FROM public.tags t
        WHERE t.tag_id = wanted_tag AND t.owner_id = public.current_user_id();
        RETURN removed;
    END
    $$;
