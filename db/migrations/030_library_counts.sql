-- What statistics show is kept as the counts of 026_counts.sql are, in parts that nobody waits for:
-- pages of cameras, of lenses, of species and of what lies on the disk were as long as the library.
--
-- The numbers of an asset's own row follow from what a statement removes and adds: nobody else can
-- change that row meanwhile. Those of its species and thumbnails depend on two rows; who changes the
-- one holds the other's key, as in 026.

CREATE TABLE library_counts (
    owner_id integer NOT NULL REFERENCES users(user_id),
    kind text NOT NULL CHECK (kind IN ('repository', 'trash', 'camera', 'lens', 'species',
                                       'thumbnails', 'leaving')),
    name text NOT NULL,
    detail text NOT NULL,
    part bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    assets bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (owner_id, kind, name, detail, part)
) WITH (fillfactor = 50);
COMMENT ON TABLE library_counts IS
    'Assets and bytes of an owner by kind and name: the sum of its parts, of which one may be below
zero. repository: all assets, by id; trash: those in it; camera (make and model) and lens: live ones;
species: live ones, by tenths of confidence; thumbnails: bytes alone, by repository; leaving: what
the same transaction removes, with its repository. Empty names stand for unknown';
CREATE INDEX idx_library_counts_leaving ON library_counts (name) WHERE kind = 'leaving';
ALTER TABLE library_counts OWNER TO lumilio_owner;
GRANT SELECT ON library_counts TO lumilio_app, lumilio_worker, lumilio_backup;
GRANT SELECT ON SEQUENCE library_counts_part_seq TO lumilio_backup;
GRANT SELECT, INSERT, UPDATE, DELETE ON library_counts TO lumilio_policy;
ALTER TABLE library_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY library_counts_select ON library_counts FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY library_counts_insert ON library_counts FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (false);
CREATE POLICY library_counts_update ON library_counts FOR UPDATE TO lumilio_app, lumilio_worker
    USING (false) WITH CHECK (false);
CREATE POLICY library_counts_delete ON library_counts FOR DELETE TO lumilio_app, lumilio_worker
    USING (false);

-- A part that comes to nothing goes: names change, and nobody would look for the old ones. Another free
-- part is looked for now and then only, because this runs several times for each photo that comes.
CREATE FUNCTION library_count_add(of_owner integer, of_kind text, of_name text, of_detail text,
                                  more_assets bigint, more_bytes bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
    DECLARE
        mine bigint;
        is_nothing boolean;
    BEGIN
        UPDATE public.library_counts c
        SET assets = c.assets + more_assets, bytes = c.bytes + more_bytes
        WHERE c.owner_id = of_owner AND c.kind = of_kind AND c.name = of_name
          AND c.detail = of_detail
          AND c.part = (SELECT p.part FROM public.library_counts p
                        WHERE p.owner_id = of_owner AND p.kind = of_kind AND p.name = of_name
                          AND p.detail = of_detail
                        LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING c.part, c.assets = 0 AND c.bytes = 0 INTO mine, is_nothing;
        IF mine IS NULL THEN
            INSERT INTO public.library_counts (owner_id, kind, name, detail, assets, bytes)
            VALUES (of_owner, of_kind, of_name, of_detail, more_assets, more_bytes);
        ELSIF is_nothing THEN
            DELETE FROM public.library_counts c
            WHERE c.owner_id = of_owner AND c.kind = of_kind AND c.name = of_name
              AND c.detail = of_detail AND c.part = mine;
        ELSIF random() < 0.05 THEN
            WITH other AS (
                DELETE FROM public.library_counts c
                WHERE c.owner_id = of_owner AND c.kind = of_kind AND c.name = of_name
                  AND c.detail = of_detail
                  AND c.part = (SELECT p.part FROM public.library_counts p
                                WHERE p.owner_id = of_owner AND p.kind = of_kind
                                  AND p.name = of_name AND p.detail = of_detail AND p.part <> mine
                                LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING c.assets, c.bytes)
            UPDATE public.library_counts c
            SET assets = c.assets + o.assets, bytes = c.bytes + o.bytes
            FROM other o
            WHERE c.owner_id = of_owner AND c.kind = of_kind AND c.name = of_name
              AND c.detail = of_detail AND c.part = mine;
        END IF;
    END
    $$;

-- What an asset is counted as, by its own row alone.
CREATE FUNCTION asset_facets(trashed boolean, repository uuid, make text, model text, lens text)
    RETURNS TABLE (kind text, name text, detail text)
    LANGUAGE sql IMMUTABLE
    AS $$
        SELECT f.kind, f.name, f.detail
        FROM (VALUES ('repository', coalesce(repository::text, ''), '', true),
                     ('trash', '', '', trashed),
                     ('camera', coalesce(make, ''), coalesce(model, ''), NOT trashed),
                     ('lens', lens, '', NOT trashed AND lens IS NOT NULL))
             f (kind, name, detail, holds)
        WHERE f.holds
    $$;
CREATE FUNCTION species_tenth(confidence numeric) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT
    RETURN lpad(floor(confidence * 10)::integer::text, 2, '0');

-- Assets that come or go: TG_ARGV[0] is what one of them counts. The thumbnails of those that go are
-- taken along, and told of when this is done; then nobody else knows any more which repository it was.
CREATE FUNCTION library_assets_follow() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.library_count_add(c.owner_id, c.kind, c.name, c.detail,
                                         c.assets * TG_ARGV[0]::integer,
                                         c.bytes * TG_ARGV[0]::integer)
        FROM (SELECT x.owner_id, f.kind, f.name, f.detail, count(*) AS assets,
                     sum(x.file_size)::bigint AS bytes
              FROM changed x
              CROSS JOIN LATERAL public.asset_facets(x.deleted_at IS NOT NULL, x.repository_id,
                                                     x.camera_make, x.camera_model, x.lens_model) f
              GROUP BY x.owner_id, f.kind, f.name, f.detail
              ORDER BY x.owner_id, f.kind, f.name, f.detail) c;
        IF TG_OP = 'DELETE' THEN
            INSERT INTO public.library_counts (owner_id, kind, name, detail, assets, bytes)
            SELECT x.owner_id, 'leaving', x.asset_id::text, coalesce(x.repository_id::text, ''), 1, 0
            FROM changed x;
        END IF;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION library_assets_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.library_count_add(c.owner_id, c.kind, c.name, c.detail, c.assets, c.bytes)
        FROM (SELECT x.owner_id, f.kind, f.name, f.detail, sum(x.n) AS assets,
                     sum(x.n * x.file_size)::bigint AS bytes
              FROM (SELECT owner_id, deleted_at, repository_id, camera_make, camera_model,
                           lens_model, file_size, 1 AS n FROM added
                    UNION ALL
                    SELECT owner_id, deleted_at, repository_id, camera_make, camera_model,
                           lens_model, file_size, -1 FROM removed) x
              CROSS JOIN LATERAL public.asset_facets(x.deleted_at IS NOT NULL, x.repository_id,
                                                     x.camera_make, x.camera_model, x.lens_model) f
              GROUP BY x.owner_id, f.kind, f.name, f.detail
              HAVING sum(x.n) <> 0 OR sum(x.n * x.file_size) <> 0
              ORDER BY x.owner_id, f.kind, f.name, f.detail) c;
        RETURN NULL;
    END
    $$;
-- To another repository: its thumbnails come along. Nobody adds one meanwhile.
CREATE FUNCTION library_thumbnails_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        moved bigint;
    BEGIN
        PERFORM FROM public.assets a WHERE a.asset_id = NEW.asset_id FOR UPDATE;
        SELECT sum(t.file_size) INTO moved FROM public.thumbnails t
        WHERE t.asset_id = NEW.asset_id AND t.owner_id = NEW.owner_id;
        IF moved <> 0 THEN
            PERFORM public.library_count_add(OLD.owner_id, 'thumbnails',
                                             coalesce(OLD.repository_id::text, ''), '', 0, -moved),
                    public.library_count_add(NEW.owner_id, 'thumbnails',
                                             coalesce(NEW.repository_id::text, ''), '', 0, moved);
        END IF;
        RETURN NULL;
    END
    $$;

-- New thumbnails; their foreign key holds the assets.
CREATE FUNCTION library_thumbnails_add() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.library_count_add(c.owner_id, 'thumbnails', c.name, '', 0, c.bytes)
        FROM (SELECT t.owner_id, a.name, sum(t.file_size)::bigint AS bytes
              FROM changed t
              CROSS JOIN LATERAL (SELECT coalesce(x.repository_id::text, '') AS name
                                  FROM public.assets x WHERE x.asset_id = t.asset_id OFFSET 0) a
              GROUP BY 1, 2 HAVING sum(t.file_size) <> 0 ORDER BY 1, 2) c;
        RETURN NULL;
    END
    $$;
-- Thumbnails that a statement replaces or takes away. For all that go with their assets this is called
-- once, and also when those had none.
CREATE FUNCTION library_thumbnails_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        ids uuid[];
        amounts bigint[];
        counted bigint;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            SELECT array_agg(c.asset_id ORDER BY c.asset_id), array_agg(c.bytes ORDER BY c.asset_id)
            INTO ids, amounts
            FROM (SELECT x.asset_id, sum(x.bytes)::bigint AS bytes
                  FROM (SELECT asset_id, file_size AS bytes FROM added
                        UNION ALL
                        SELECT asset_id, -file_size FROM removed) x
                  GROUP BY x.asset_id HAVING sum(x.bytes) <> 0) c;
        ELSE
            SELECT array_agg(c.asset_id ORDER BY c.asset_id), array_agg(c.bytes ORDER BY c.asset_id)
            INTO ids, amounts
            FROM (SELECT x.asset_id, -sum(x.file_size)::bigint AS bytes
                  FROM removed x GROUP BY x.asset_id HAVING sum(x.file_size) <> 0) c;
            WITH gone AS (
                DELETE FROM public.library_counts l WHERE l.kind = 'leaving'
                RETURNING l.owner_id, l.name, l.detail)
            SELECT count(public.library_count_add(b.owner_id, 'thumbnails', b.detail, '', 0, b.bytes))
            INTO counted
            FROM (SELECT g.owner_id, g.detail, sum(u.bytes)::bigint AS bytes
                  FROM gone g JOIN unnest(ids, amounts) u (id, bytes) ON u.id::text = g.name
                  GROUP BY 1, 2 ORDER BY 1, 2) b;
        END IF;
        IF ids IS NULL THEN
            RETURN NULL;
        END IF;
        PERFORM FROM unnest(ids) WITH ORDINALITY u (id, number)
        CROSS JOIN LATERAL (SELECT FROM public.assets a WHERE a.asset_id = u.id FOR KEY SHARE) a;
        PERFORM public.library_count_add(c.owner_id, 'thumbnails', c.name, '', 0, c.bytes)
        FROM (SELECT a.owner_id, a.name, sum(u.bytes)::bigint AS bytes
              FROM unnest(ids, amounts) u (id, bytes)
              CROSS JOIN LATERAL (SELECT x.owner_id, coalesce(x.repository_id::text, '') AS name
                                  FROM public.assets x WHERE x.asset_id = u.id OFFSET 0) a
              GROUP BY 1, 2 HAVING sum(u.bytes) <> 0 ORDER BY 1, 2) c;
        RETURN NULL;
    END
    $$;

-- Species of live assets, as tag_counts_follow() does it; those of an asset that comes and goes count
-- with its links.
CREATE FUNCTION library_species_follow() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM FROM (SELECT x.asset_id FROM changed x ORDER BY x.asset_id) p
        CROSS JOIN LATERAL (SELECT FROM public.assets a
                            WHERE a.asset_id = p.asset_id FOR KEY SHARE) a;
        PERFORM public.library_count_add(c.owner_id, 'species', c.species_name, c.tenth,
                                         c.assets * TG_ARGV[0]::integer, 0)
        FROM (SELECT p.owner_id, p.species_name, public.species_tenth(p.confidence) AS tenth,
                     count(*) AS assets
              FROM changed p
              CROSS JOIN LATERAL (SELECT FROM public.assets a
                                  WHERE a.asset_id = p.asset_id AND a.deleted_at IS NULL
                                  OFFSET 0) a
              GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) c;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION library_species_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM FROM (SELECT x.asset_id FROM added x ORDER BY x.asset_id) p
        CROSS JOIN LATERAL (SELECT FROM public.assets a
                            WHERE a.asset_id = p.asset_id FOR KEY SHARE) a;
        PERFORM public.library_count_add(c.owner_id, 'species', c.species_name, c.tenth, c.assets, 0)
        FROM (SELECT p.owner_id, p.species_name, public.species_tenth(p.confidence) AS tenth,
                     sum(p.n) AS assets
              FROM (SELECT asset_id, owner_id, species_name, confidence, 1 AS n FROM added
                    UNION ALL
                    SELECT asset_id, owner_id, species_name, confidence, -1 FROM removed) p
              CROSS JOIN LATERAL (SELECT FROM public.assets a
                                  WHERE a.asset_id = p.asset_id AND a.deleted_at IS NULL
                                  OFFSET 0) a
              GROUP BY 1, 2, 3 HAVING sum(p.n) <> 0 ORDER BY 1, 2, 3) c;
        RETURN NULL;
    END
    $$;
-- As before, and species.
CREATE OR REPLACE FUNCTION asset_links_count(ids uuid[], signs integer[]) RETURNS void
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
        PERFORM public.library_count_add(c.owner_id, 'species', c.species_name, c.tenth, c.assets, 0)
        FROM (SELECT p.owner_id, p.species_name, public.species_tenth(p.confidence) AS tenth,
                     sum(u.sign) AS assets
              FROM unnest(ids, signs) u (id, sign)
              CROSS JOIN LATERAL (SELECT x.owner_id, x.species_name, x.confidence
                                  FROM public.species_predictions x
                                  WHERE x.asset_id = u.id OFFSET 0) p
              GROUP BY 1, 2, 3 HAVING sum(u.sign) <> 0 ORDER BY 1, 2, 3) c;
    END
    $$;

-- Behind the days and before the links: the order of locks of 026.
CREATE TRIGGER asset_library_insert AFTER INSERT ON assets
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION library_assets_follow('1');
CREATE TRIGGER asset_library_update AFTER UPDATE ON assets
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION library_assets_move();
CREATE TRIGGER asset_library_delete AFTER DELETE ON assets
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION library_assets_follow('-1');
CREATE TRIGGER asset_library_repository AFTER UPDATE OF repository_id ON assets
    FOR EACH ROW WHEN (OLD.repository_id IS DISTINCT FROM NEW.repository_id)
    EXECUTE FUNCTION library_thumbnails_move();
CREATE TRIGGER asset_library_insert AFTER INSERT ON thumbnails
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION library_thumbnails_add();
CREATE TRIGGER asset_library_update AFTER UPDATE ON thumbnails
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION library_thumbnails_change();
CREATE TRIGGER asset_library_delete AFTER DELETE ON thumbnails
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION library_thumbnails_change();
CREATE TRIGGER asset_library_insert AFTER INSERT ON species_predictions
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION library_species_follow('1');
CREATE TRIGGER asset_library_update AFTER UPDATE ON species_predictions
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION library_species_change();
CREATE TRIGGER asset_library_delete AFTER DELETE ON species_predictions
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION library_species_follow('-1');

-- All of it counted, of one owner or (NULL) of everybody.
CREATE FUNCTION library_counted(of_owner integer)
    RETURNS TABLE (owner_id integer, kind text, name text, detail text, assets bigint, bytes bigint)
    LANGUAGE sql STABLE
    AS $$
        SELECT a.owner_id, f.kind, f.name, f.detail, count(*), sum(a.file_size)::bigint
        FROM public.assets a
        CROSS JOIN LATERAL public.asset_facets(a.deleted_at IS NOT NULL, a.repository_id,
                                               a.camera_make, a.camera_model, a.lens_model) f
        WHERE of_owner IS NULL OR a.owner_id = of_owner
        GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT a.owner_id, 'thumbnails', coalesce(a.repository_id::text, ''), '', 0,
               sum(t.file_size)::bigint
        FROM public.thumbnails t
        JOIN public.assets a ON a.asset_id = t.asset_id AND a.owner_id = t.owner_id
        WHERE of_owner IS NULL OR t.owner_id = of_owner
        GROUP BY 1, 3 HAVING sum(t.file_size) <> 0
        UNION ALL
        SELECT p.owner_id, 'species', p.species_name, public.species_tenth(p.confidence), count(*), 0
        FROM public.species_predictions p
        JOIN public.assets a ON a.asset_id = p.asset_id AND a.owner_id = p.owner_id
        WHERE a.deleted_at IS NULL AND (of_owner IS NULL OR p.owner_id = of_owner)
        GROUP BY 1, 3, 4
    $$;
-- As count_tag_assets() does it.
CREATE FUNCTION count_library() RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        me integer := public.current_user_id();
        mended integer;
    BEGIN
        LOCK TABLE public.library_counts IN EXCLUSIVE MODE;
        SELECT count(public.library_count_add(me, w.kind, w.name, w.detail, w.assets, w.bytes))
        INTO mended
        FROM (SELECT kind, name, detail, coalesce(r.assets, 0) - coalesce(o.assets, 0) AS assets,
                     coalesce(r.bytes, 0) - coalesce(o.bytes, 0) AS bytes
              FROM (SELECT * FROM public.library_counted(me) c WHERE me IS NOT NULL) r
              FULL JOIN (SELECT c.kind, c.name, c.detail, sum(c.assets)::bigint AS assets,
                                sum(c.bytes)::bigint AS bytes
                         FROM public.library_counts c WHERE c.owner_id = me GROUP BY 1, 2, 3) o
                  USING (kind, name, detail)) w
        WHERE w.assets <> 0 OR w.bytes <> 0;
        RETURN mended;
    END
    $$;
COMMENT ON FUNCTION count_library() IS
    'Counts what statistics show of the current user again; how many were wrong and are mended';

DO $$
DECLARE
    made text;
BEGIN
    FOREACH made IN ARRAY ARRAY[
        'library_count_add(integer, text, text, text, bigint, bigint)',
        'asset_facets(boolean, uuid, text, text, text)', 'species_tenth(numeric)',
        'library_assets_follow()', 'library_assets_move()', 'library_thumbnails_move()',
        'library_thumbnails_add()', 'library_thumbnails_change()', 'library_species_follow()',
        'library_species_change()',
        'library_counted(integer)', 'count_library()']
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

-- The triggers' locks keep everybody else from changing assets until all is counted.
INSERT INTO library_counts (owner_id, kind, name, detail, assets, bytes)
SELECT c.owner_id, c.kind, c.name, c.detail, c.assets, c.bytes
FROM library_counted(NULL) c
ORDER BY c.owner_id, c.kind, c.name, c.detail;
