-- Tags. A name is one tag for its user: his own one, or else the shared one that AI gave. A shared
-- tag is seen by those whose photos have it, so that a vocabulary that grew from somebody's photos
-- tells nothing to others; its id is made from its name, its time and category are nobody's, so that
-- they do not tell when or for whom it was first used.

UPDATE asset_tags SET source = CASE WHEN source IS NULL THEN 'user' ELSE 'smart_classify' END
    WHERE source IS NULL OR source NOT IN ('user', 'clip', 'smart_classify');
UPDATE asset_tags SET confidence = 1 WHERE confidence IS NULL;
ALTER TABLE asset_tags
    ALTER COLUMN source SET DEFAULT 'user',
    ALTER COLUMN source SET NOT NULL,
    ALTER COLUMN confidence SET DEFAULT 1,
    ALTER COLUMN confidence SET NOT NULL,
    ADD CONSTRAINT asset_tags_source_check CHECK (source IN ('user', 'clip', 'smart_classify'));

-- What people tagged in the seed's database had no owner: each user of such a tag gets one.
INSERT INTO tags (name, category, is_ai_generated, owner_id)
SELECT DISTINCT t.name, t.category, false, l.owner_id
FROM tags t JOIN asset_tags l ON l.tag_id = t.tag_id
WHERE t.owner_id IS NULL AND NOT t.is_ai_generated
ON CONFLICT DO NOTHING;
INSERT INTO asset_tags (asset_id, tag_id, owner_id, confidence, source, created_at)
SELECT l.asset_id, o.tag_id, l.owner_id, l.confidence, l.source, l.created_at
FROM tags t JOIN asset_tags l ON l.tag_id = t.tag_id
JOIN tags o ON o.owner_id = l.owner_id AND o.name = t.name
WHERE t.owner_id IS NULL AND NOT t.is_ai_generated
ON CONFLICT DO NOTHING;
DELETE FROM tags WHERE owner_id IS NULL AND NOT is_ai_generated;

CREATE FUNCTION sees_tag(wanted_tag integer) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        RETURN EXISTS (SELECT FROM public.tags t WHERE t.tag_id = wanted_tag);
    END
    $$;
COMMENT ON FUNCTION sees_tag(integer) IS
    'Whether the current user sees a tag; for policies, which may not ask each other''s tables';

DROP POLICY tags_select ON tags;
CREATE POLICY tags_select ON tags FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()
           OR (owner_id IS NULL
               AND EXISTS (SELECT FROM asset_tags l
                           WHERE l.tag_id = tags.tag_id AND l.owner_id = current_user_id())));
DROP POLICY asset_tags_insert ON asset_tags;
CREATE POLICY asset_tags_insert ON asset_tags FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id() AND sees_tag(tag_id));
DROP POLICY asset_tags_update ON asset_tags;
CREATE POLICY asset_tags_update ON asset_tags FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id())
    WITH CHECK (owner_id = current_user_id() AND sees_tag(tag_id));

-- Whoever makes, names or gives tags of one name for one user waits here. The number in front keeps
-- these locks apart from all others.
CREATE FUNCTION tag_lock(names text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(
            (19540::bigint << 48)
            | (hashtextextended(n.name, public.current_user_id()) & 281474976710655))
        FROM (SELECT DISTINCT u.name FROM unnest(names) u (name) ORDER BY u.name) n;
    END
    $$;

-- The current user's links of the shared tag of a name become links of his own one.
CREATE FUNCTION tag_adopt(own_id integer, wanted_name text) RETURNS void
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

-- The current user's own tag of a name, made when there is none; under tag_lock().
CREATE FUNCTION tag_own(wanted_name text, wanted_category text) RETURNS integer
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        found_id integer;
    BEGIN
        INSERT INTO public.tags (name, category, owner_id)
        VALUES (wanted_name, wanted_category, public.current_user_id())
        ON CONFLICT (owner_id, name) WHERE owner_id IS NOT NULL DO NOTHING
        RETURNING tag_id INTO found_id;
        IF found_id IS NOT NULL THEN
            PERFORM public.tag_adopt(found_id, wanted_name);
        ELSE
            SELECT t.tag_id INTO STRICT found_id FROM public.tags t
            WHERE t.owner_id = public.current_user_id() AND t.name = wanted_name;
        END IF;
        RETURN found_id;
    END
    $$;

CREATE FUNCTION tag_create(wanted_name text, wanted_category text) RETURNS integer
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.tag_lock(ARRAY[wanted_name]);
        RETURN public.tag_own(wanted_name, wanted_category);
    END
    $$;
COMMENT ON FUNCTION tag_create(text, text) IS
    'The current user''s tag of a name, made when there is none';

-- Gives the shared tag of a name to a photo of the current user, as lumilio_policy, because nobody
-- else may make shared tags. Only by name: an id would let in who does not know what it stands for.
CREATE FUNCTION tag_share(wanted_asset uuid, wanted_name text, new_confidence numeric,
                          new_source text, OUT shared_id integer, OUT written boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        candidate integer := -(1 + (hashtextextended(wanted_name, 0) & 1073741823)::integer);
        tries integer := 0;
        owner integer := (SELECT a.owner_id FROM public.assets a
                          WHERE a.asset_id = wanted_asset AND a.deleted_at IS NULL
                            AND a.owner_id = public.current_user_id());
    BEGIN
        IF owner IS NULL OR new_source = 'user' OR coalesce(wanted_name, '') = '' THEN
            RAISE insufficient_privilege
                USING MESSAGE = 'a shared tag needs a name, an own asset and a source of AI';
        END IF;
        LOOP
            SELECT t.tag_id INTO shared_id FROM public.tags t
            WHERE t.owner_id IS NULL AND t.name = wanted_name;
            EXIT WHEN shared_id IS NOT NULL;
            INSERT INTO public.tags (tag_id, name, is_ai_generated, created_at)
            VALUES (candidate, wanted_name, true, '2000-01-01Z')
            ON CONFLICT DO NOTHING;
            candidate := candidate - 1; -- taken by another name, or somebody was faster
            tries := tries + 1;
            IF tries > 100 THEN -- what others committed is hidden from this transaction
                RAISE serialization_failure
                    USING MESSAGE = format('tag "%s" is being made elsewhere', wanted_name);
            END IF;
        END LOOP;
        INSERT INTO public.asset_tags AS l (asset_id, tag_id, owner_id, confidence, source)
        VALUES (wanted_asset, shared_id, owner, new_confidence, new_source)
        ON CONFLICT (asset_id, tag_id) DO UPDATE
            SET confidence = excluded.confidence, source = excluded.source
            WHERE l.source <> 'user';
        written := FOUND;
    END
    $$;

-- Gives tags to a photo, by name; a user's go before AI's: written says whether it took. only_these:
-- what the same source gave before and is not among the names goes.
CREATE FUNCTION tag_asset(wanted_asset uuid, names text[], confidences float8[],
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
COMMENT ON FUNCTION tag_asset(uuid, text[], float8[], text, boolean) IS
    'Give tags to an asset of the current user; AI never changes what a user gave';

-- 'own' or 'shared'; raises when the current user has no such tag.
CREATE FUNCTION tag_kind(wanted_tag integer, OUT kind text, OUT tag_name text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        SELECT CASE WHEN t.owner_id IS NULL THEN 'shared' ELSE 'own' END, t.name
        INTO kind, tag_name FROM public.tags t WHERE t.tag_id = wanted_tag;
        IF kind IS NULL THEN
            RAISE no_data_found USING MESSAGE = format('there is no tag %s', wanted_tag);
        END IF;
    END
    $$;

CREATE FUNCTION tag_rename(wanted_tag integer, new_name text) RETURNS void
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
COMMENT ON FUNCTION tag_rename(integer, text) IS 'Another name for an own tag';

-- Photos of the sources get the target, for which a user's word goes before AI's and the greater
-- confidence before the smaller; the sources go. Gives how many photos had one of them.
CREATE FUNCTION tag_merge(source_tags integer[], target_tag integer) RETURNS bigint
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
COMMENT ON FUNCTION tag_merge(integer[], integer) IS 'Several tags become one';

-- An own tag goes; a shared one only from the current user's photos. Gives how many had it.
CREATE FUNCTION tag_delete(wanted_tag integer) RETURNS bigint
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
COMMENT ON FUNCTION tag_delete(integer) IS 'Take a tag away from all photos of the current user';

GRANT INSERT ON tags, asset_tags TO lumilio_policy;
GRANT UPDATE (confidence, source) ON asset_tags TO lumilio_policy;
DO $$
DECLARE
    made text;
BEGIN
    FOREACH made IN ARRAY ARRAY['sees_tag(integer)', 'tag_lock(text[])',
        'tag_adopt(integer, text)', 'tag_own(text, text)', 'tag_create(text, text)',
        'tag_share(uuid, text, numeric, text)',
        'tag_asset(uuid, text[], float8[], text, boolean)', 'tag_kind(integer)',
        'tag_rename(integer, text)', 'tag_merge(integer[], integer)', 'tag_delete(integer)']
    LOOP
        EXECUTE format('ALTER FUNCTION public.%s OWNER TO %I', made,
                       CASE WHEN made LIKE 'tag_share%' THEN 'lumilio_policy'
                            ELSE 'lumilio_owner' END);
        EXECUTE format('REVOKE ALL ON FUNCTION public.%s FROM PUBLIC', made);
        EXECUTE format('GRANT EXECUTE ON FUNCTION public.%s TO lumilio_app, lumilio_worker', made);
    END LOOP;
END
$$;
