-- Search by file name, by words and by meaning, alone or together. Text operators are not leakproof
-- and a graph is walked before a policy is asked, so all of it runs as lumilio_policy and holds the
-- owner's predicate itself; whoever calls reads the rows of the answer under the policies.

-- Latin letters without their marks, as far as Unicode takes them apart, and the usual ones that it
-- does not. Case stays: words are cut at aB.
CREATE FUNCTION search_plain(original text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN octet_length(original) = char_length(original) THEN original
           ELSE replace(replace(replace(replace(replace(translate(
                    regexp_replace(normalize(original, NFKD), '[\u0300-\u036f]', '', 'g'),
                    'øØłŁđĐðħıŧŋ', 'oOlLdDdhitn'),
                    'ß', 'ss'), 'æ', 'ae'), 'Æ', 'AE'), 'œ', 'oe'), 'þ', 'th') END;
COMMENT ON FUNCTION search_plain(text) IS 'Text without accents and the like; ASCII stays as it is';

-- Words of a name or a text. Scripts without blanks between words are cut into pairs of characters
-- that overlap; in what is stored the last character stands alone as well, so that each of them is
-- the beginning of a word.
CREATE FUNCTION search_words(original text, is_query boolean) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN original !~ '[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]'
           THEN public.filename_tokens(public.search_plain(original))
           ELSE (SELECT string_agg(CASE
                     WHEN word !~ '^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]' THEN word
                     ELSE (SELECT string_agg(substr(word, i, 2), ' ' ORDER BY i)
                           FROM generate_series(1, CASE WHEN is_query AND char_length(word) > 1
                                                        THEN char_length(word) - 1
                                                        ELSE char_length(word) END) i) END,
                     ' ' ORDER BY place)
                 FROM regexp_split_to_table(btrim(regexp_replace(
                          public.filename_tokens(normalize(public.search_plain(original), NFC)),
                          '([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)', ' \1 ', 'g')), ' +')
                      WITH ORDINALITY parts(word, place)) END;
COMMENT ON FUNCTION search_words(text, boolean) IS
    'Words to search by: no accents, lower case, pairs of characters where there are no blanks';

-- All words, the last one by its beginning. NULL when there is none.
CREATE FUNCTION search_prefix_query(words text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN words <> ''
           THEN to_tsquery('simple', regexp_replace(words, ' ', ' & ', 'g') || ':*') END;

-- As people know it from search engines: "exact words", or, -without. A text without any of these
-- is taken as above.
CREATE FUNCTION search_web_query(original text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN original !~* '"|(^|\s)-\S|\sor\s'
           THEN public.search_prefix_query(public.search_words(original, true))
           ELSE (SELECT CASE WHEN querytree(q.words) NOT IN ('', 'T') THEN q.words END
                 FROM (SELECT websearch_to_tsquery('simple', regexp_replace(
                           public.search_plain(original), '([^\s"-])[-_.:/]+(?=[^\s"])', '\1 ',
                           'g')) AS words OFFSET 0) q) END;
COMMENT ON FUNCTION search_web_query(text) IS
    'What a text asks for; NULL when it has no word, or only words that must not be there';

ALTER FUNCTION search_plain(text) OWNER TO lumilio_owner;
ALTER FUNCTION search_words(text, boolean) OWNER TO lumilio_owner;
ALTER FUNCTION search_prefix_query(text) OWNER TO lumilio_owner;
ALTER FUNCTION search_web_query(text) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION search_plain(text), search_words(text, boolean), search_prefix_query(text),
    search_web_query(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_plain(text), search_words(text, boolean),
    search_prefix_query(text), search_web_query(text) TO lumilio_policy;

-- What is searched stands beside the asset in one row: the plain name, the words of the name, and
-- those of everything that is written about it. The time of capture orders names and words: walking
-- it ends early where a word is everywhere.
ALTER TABLE asset_search
    ADD COLUMN name text NOT NULL DEFAULT '',
    ADD COLUMN sort_at timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE asset_search
    ALTER COLUMN name DROP DEFAULT,
    ALTER COLUMN sort_at DROP DEFAULT;

-- Rows of the given assets, as they ought to be. Weights: what people named, what they described,
-- what the camera says, what the file is called.
CREATE FUNCTION asset_search_write(wanted uuid[]) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, public
    AS $$
        INSERT INTO public.asset_search (asset_id, owner_id, name, sort_at, filename_words,
                                         text_words)
        SELECT a.asset_id, a.owner_id, lower(public.search_plain(a.original_filename)),
               coalesce(a.taken_at, a.uploaded_at),
               to_tsvector('simple', n.words),
               setweight(to_tsvector('simple', public.search_words(concat_ws(' ',
                   (SELECT string_agg(t.name, ' ' ORDER BY t.tag_id)
                    FROM public.asset_tags x JOIN public.tags t USING (tag_id)
                    WHERE x.asset_id = a.asset_id),
                   (SELECT string_agg(b.name, ' ' ORDER BY b.album_id)
                    FROM public.album_assets x JOIN public.albums b USING (album_id)
                    WHERE x.asset_id = a.asset_id AND b.deleted_at IS NULL)), false)), 'A')
               || setweight(to_tsvector('simple', public.search_words(
                      coalesce(a.description, ''), false)), 'B')
               || setweight(to_tsvector('simple', public.search_words(
                      concat_ws(' ', a.camera_make, a.camera_model, a.lens_model), false)), 'C')
               || setweight(to_tsvector('simple', n.words), 'D')
        FROM public.assets a
        CROSS JOIN LATERAL (SELECT public.search_words(a.original_filename, false) AS words
                            OFFSET 0) n
        WHERE a.asset_id = ANY (wanted)
        ORDER BY a.asset_id
        ON CONFLICT (asset_id) DO UPDATE
            SET name = excluded.name, sort_at = excluded.sort_at,
                filename_words = excluded.filename_words, text_words = excluded.text_words
            WHERE (asset_search.name, asset_search.sort_at, asset_search.filename_words,
                   asset_search.text_words)
                IS DISTINCT FROM (excluded.name, excluded.sort_at, excluded.filename_words,
                                  excluded.text_words)
    $$;
ALTER FUNCTION asset_search_write(uuid[]) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION asset_search_write(uuid[]) FROM PUBLIC;

DROP TRIGGER asset_search_update ON assets;
DROP TRIGGER asset_search_insert ON assets;
DROP FUNCTION asset_search_refresh();
CREATE FUNCTION asset_search_added() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.asset_search_write(array_agg(c.asset_id)) FROM changed c;
        RETURN NULL;
    END
    $$;
-- A like or a rating changes no word.
CREATE FUNCTION asset_search_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.asset_search_write(array_agg(c.asset_id))
        FROM changed c JOIN before b USING (asset_id)
        WHERE (c.original_filename, c.description, c.camera_make, c.camera_model, c.lens_model,
               c.taken_at, c.uploaded_at)
            IS DISTINCT FROM (b.original_filename, b.description, b.camera_make, b.camera_model,
                              b.lens_model, b.taken_at, b.uploaded_at)
        HAVING count(*) > 0;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION asset_search_tag_renamed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.asset_search_write(array_agg(DISTINCT x.asset_id))
        FROM changed c JOIN before b USING (tag_id) JOIN public.asset_tags x USING (tag_id)
        WHERE c.name <> b.name
        HAVING count(*) > 0;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION asset_search_album_renamed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.asset_search_write(array_agg(DISTINCT x.asset_id))
        FROM changed c JOIN before b USING (album_id) JOIN public.album_assets x USING (album_id)
        WHERE c.name <> b.name OR (c.deleted_at IS NULL) <> (b.deleted_at IS NULL)
        HAVING count(*) > 0;
        RETURN NULL;
    END
    $$;
ALTER FUNCTION asset_search_added() OWNER TO lumilio_policy;
ALTER FUNCTION asset_search_changed() OWNER TO lumilio_policy;
ALTER FUNCTION asset_search_tag_renamed() OWNER TO lumilio_policy;
ALTER FUNCTION asset_search_album_renamed() OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION asset_search_added(), asset_search_changed(), asset_search_tag_renamed(),
    asset_search_album_renamed() FROM PUBLIC;
CREATE TRIGGER asset_search_insert AFTER INSERT ON assets
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_added();
CREATE TRIGGER asset_search_update AFTER UPDATE ON assets
    REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_changed();
CREATE TRIGGER asset_search_tag_insert AFTER INSERT ON asset_tags
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_added();
CREATE TRIGGER asset_search_tag_delete AFTER DELETE ON asset_tags
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_added();
CREATE TRIGGER asset_search_tag_update AFTER UPDATE ON tags
    REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_tag_renamed();
CREATE TRIGGER asset_search_album_insert AFTER INSERT ON album_assets
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_added();
CREATE TRIGGER asset_search_album_delete AFTER DELETE ON album_assets
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_added();
CREATE TRIGGER asset_search_album_update AFTER UPDATE ON albums
    REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_album_renamed();

SELECT asset_search_write(array_agg(a.asset_id)) FROM assets a HAVING count(*) > 0;
DROP INDEX idx_asset_search_owner;
CREATE INDEX idx_asset_search_owner_sort ON asset_search (owner_id, sort_at DESC, asset_id DESC);
CREATE INDEX idx_asset_search_name ON asset_search USING gin (name gin_trgm_ops);
-- The planner must know frequent words from rare ones: it decides between index and walk.
ALTER TABLE asset_search ALTER COLUMN filename_words SET STATISTICS 500;
ALTER TABLE asset_search ALTER COLUMN text_words SET STATISTICS 500;
-- A long list of entries that wait would be read by every search.
ALTER INDEX idx_asset_search_filename SET (gin_pending_list_limit = 1024);
ALTER INDEX idx_asset_search_text SET (gin_pending_list_limit = 1024);
ALTER INDEX idx_asset_search_name SET (gin_pending_list_limit = 1024);

-- What a search is limited to; members that are NULL limit nothing.
CREATE TYPE search_filter AS (
    asset_type text,
    repository_id uuid,
    album_id integer,
    tag_ids integer[],          -- all of them
    taken_from timestamptz,     -- of capture, else of upload
    taken_before timestamptz,
    rating_least integer,
    liked boolean,
    is_raw boolean,
    camera_model text,
    has_place boolean
);
ALTER TYPE search_filter OWNER TO lumilio_owner;
REVOKE ALL ON TYPE search_filter FROM PUBLIC;
GRANT USAGE ON TYPE search_filter TO lumilio_policy, lumilio_app, lumilio_worker;

-- Live assets of an owner behind a filter. Not STRICT, without settings and not SECURITY DEFINER, so
-- that it becomes part of the query that asks, where members that are NULL fall away.
CREATE FUNCTION search_scope(of_owner integer, f search_filter) RETURNS TABLE (asset_id uuid)
    LANGUAGE sql STABLE
    AS $$
        SELECT a.asset_id
        FROM public.assets a
        WHERE a.owner_id = of_owner AND a.deleted_at IS NULL
          AND ((f).asset_type IS NULL OR a.asset_type = (f).asset_type)
          AND ((f).repository_id IS NULL OR a.repository_id = (f).repository_id)
          AND ((f).album_id IS NULL OR EXISTS (
                  SELECT FROM public.album_assets x
                  WHERE x.asset_id = a.asset_id AND x.album_id = (f).album_id))
          AND ((f).tag_ids IS NULL OR NOT EXISTS (
                  SELECT FROM unnest((f).tag_ids) wanted(tag_id)
                  WHERE NOT EXISTS (SELECT FROM public.asset_tags x
                                    WHERE x.asset_id = a.asset_id
                                      AND x.tag_id = wanted.tag_id)))
          AND ((f).taken_from IS NULL OR coalesce(a.taken_at, a.uploaded_at) >= (f).taken_from)
          AND ((f).taken_before IS NULL OR coalesce(a.taken_at, a.uploaded_at) < (f).taken_before)
          AND ((f).rating_least IS NULL OR a.rating >= (f).rating_least)
          AND ((f).liked IS NULL OR a.liked = (f).liked)
          AND ((f).is_raw IS NULL OR a.is_raw = (f).is_raw)
          AND ((f).camera_model IS NULL OR a.camera_model = (f).camera_model)
          AND ((f).has_place IS NULL OR (a.latitude IS NOT NULL) = (f).has_place)
    $$;
ALTER FUNCTION search_scope(integer, search_filter) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION search_scope(integer, search_filter) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_scope(integer, search_filter) TO lumilio_policy;

-- Nearest first, by one of three ways. Few rows in question: all distances are computed, which is
-- complete. Many: the model's graph is walked, further and further until enough rows passed the
-- filter, and looked through for more than are wanted, because its order is not exact. Too few from
-- the graph: all distances after all. ids: the only assets in question, NULL when there are more
-- than exact_most of them. The planner alone would walk the graph for one row in a hundred.
CREATE FUNCTION search_near(of_owner integer, model text, v halfvec(512), f search_filter,
                            ids uuid[], take integer, exact_most integer,
                            OUT near_ids uuid[], OUT distances double precision[], OUT route text)
    LANGUAGE plpgsql STABLE
    AS $$
    DECLARE
        known bigint;
        large boolean; -- NULL: the model has no graph (yet, or its build failed)
    BEGIN
        IF ids IS NOT NULL THEN
            SELECT array_agg(c.asset_id ORDER BY c.d, c.asset_id),
                   array_agg(c.d ORDER BY c.d, c.asset_id)
            INTO near_ids, distances
            FROM (SELECT e.asset_id, (e.embedding OPERATOR(public.<=>) v) + 0 AS d
                  FROM unnest(ids) wanted(asset_id)
                  JOIN public.embeddings e ON e.asset_id = wanted.asset_id
                  WHERE e.owner_id = of_owner AND e.model_version = model
                  ORDER BY 2 LIMIT take) c;
            route := 'exact';
            RETURN;
        END IF;
        SELECT count(*) INTO known
        FROM (SELECT FROM public.embeddings e
              WHERE e.owner_id = of_owner AND e.model_version = model
              LIMIT exact_most::bigint + 1) one;
        SELECT c.reltuples >= 500000 INTO large
        FROM public.embedding_models m
        JOIN pg_catalog.pg_index i
            ON i.indexrelid = to_regclass('public.idx_embeddings_vector_' || m.model_id)
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        WHERE m.name = model AND i.indisvalid;
        IF known > exact_most AND large IS NOT NULL THEN
            PERFORM set_config('hnsw.ef_search', CASE WHEN large THEN '500' ELSE '320' END, true),
                    set_config('enable_sort', 'off', true),
                    set_config('enable_seqscan', 'off', true),
                    set_config('enable_bitmapscan', 'off', true);
            WITH walked AS MATERIALIZED (
                SELECT e.asset_id, e.embedding OPERATOR(public.<=>) v AS d
                FROM public.embeddings e
                WHERE e.owner_id = of_owner AND e.model_version = model
                  AND EXISTS (SELECT FROM public.search_scope(of_owner, f) a
                              WHERE a.asset_id = e.asset_id)
                ORDER BY e.embedding OPERATOR(public.<=>) v
                LIMIT greatest(take, 200))
            SELECT array_agg(c.asset_id ORDER BY c.d, c.asset_id),
                   array_agg(c.d ORDER BY c.d, c.asset_id)
            INTO near_ids, distances
            FROM (SELECT w.asset_id, w.d FROM walked w ORDER BY w.d + 0, w.asset_id LIMIT take) c;
            PERFORM set_config('enable_sort', 'on', true),
                    set_config('enable_seqscan', 'on', true),
                    set_config('enable_bitmapscan', 'on', true);
            route := 'index';
            IF cardinality(near_ids) >= take THEN
                RETURN;
            END IF;
        END IF;
        SELECT array_agg(c.asset_id ORDER BY c.d, c.asset_id),
               array_agg(c.d ORDER BY c.d, c.asset_id)
        INTO near_ids, distances
        FROM (SELECT e.asset_id, (e.embedding OPERATOR(public.<=>) v) + 0 AS d
              FROM public.embeddings e
              JOIN public.search_scope(of_owner, f) a ON a.asset_id = e.asset_id
              WHERE e.owner_id = of_owner AND e.model_version = model
              ORDER BY 2 LIMIT take) c;
        route := CASE route WHEN 'index' THEN 'index, then exact' ELSE 'exact' END;
    END
    $$;
ALTER FUNCTION search_near(integer, text, halfvec, search_filter, uuid[], integer, integer)
    OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION search_near(integer, text, halfvec, search_filter, uuid[], integer, integer)
    FROM PUBLIC;

-- By file name: the exact name, then all words (the last by its beginning) or, from three characters
-- on, the text as it stands anywhere in it; newest first. after_…: the last row of the page before.
CREATE FUNCTION search_names(of_owner integer, query text, f search_filter, ids uuid[],
                             take integer, after_exact boolean, after_at timestamptz,
                             after_id uuid, OUT name_ids uuid[], OUT exact boolean[],
                             OUT times timestamptz[])
    LANGUAGE plpgsql STABLE
    AS $$
    DECLARE
        plain text := lower(public.search_plain(query));
        words tsquery := public.search_prefix_query(public.search_words(query, true));
        pattern text := CASE WHEN char_length(plain) >= 3 THEN
            '%' || regexp_replace(plain, '([\\%_])', '\\\1', 'g') || '%' END;
    BEGIN
        WITH by_name AS (
            SELECT s.asset_id, s.sort_at
            FROM public.asset_search s
            WHERE s.owner_id = of_owner AND s.name = plain
              AND coalesce(after_exact, true)
              AND (after_id IS NULL OR (s.sort_at, s.asset_id) < (after_at, after_id))
              AND (ids IS NULL OR s.asset_id = ANY (ids))
              AND (ids IS NOT NULL OR EXISTS (SELECT FROM public.search_scope(of_owner, f) a
                                              WHERE a.asset_id = s.asset_id))
            ORDER BY s.sort_at DESC, s.asset_id DESC LIMIT take
        ), by_words AS (
            SELECT s.asset_id, s.sort_at
            FROM public.asset_search s
            WHERE s.owner_id = of_owner AND s.filename_words @@ words AND s.name <> plain
              AND (after_id IS NULL OR after_exact
                   OR (s.sort_at, s.asset_id) < (after_at, after_id))
              AND (ids IS NULL OR s.asset_id = ANY (ids))
              AND (ids IS NOT NULL OR EXISTS (SELECT FROM public.search_scope(of_owner, f) a
                                              WHERE a.asset_id = s.asset_id))
            ORDER BY s.sort_at DESC, s.asset_id DESC LIMIT take
        ), by_part AS (
            SELECT s.asset_id, s.sort_at
            FROM public.asset_search s
            WHERE s.owner_id = of_owner AND s.name LIKE pattern AND s.name <> plain
              AND (after_id IS NULL OR after_exact
                   OR (s.sort_at, s.asset_id) < (after_at, after_id))
              AND (ids IS NULL OR s.asset_id = ANY (ids))
              AND (ids IS NOT NULL OR EXISTS (SELECT FROM public.search_scope(of_owner, f) a
                                              WHERE a.asset_id = s.asset_id))
            ORDER BY s.sort_at DESC, s.asset_id DESC LIMIT take
        )
        SELECT array_agg(c.asset_id ORDER BY c.exact DESC, c.sort_at DESC, c.asset_id DESC),
               array_agg(c.exact ORDER BY c.exact DESC, c.sort_at DESC, c.asset_id DESC),
               array_agg(c.sort_at ORDER BY c.exact DESC, c.sort_at DESC, c.asset_id DESC)
        INTO name_ids, exact, times
        FROM (SELECT b.asset_id, b.sort_at, true AS exact FROM by_name b
              UNION SELECT b.asset_id, b.sort_at, false FROM by_words b
              UNION SELECT b.asset_id, b.sort_at, false FROM by_part b
              ORDER BY 3 DESC, 2 DESC, 1 DESC LIMIT take) c;
    END
    $$;
ALTER FUNCTION search_names(integer, text, search_filter, uuid[], integer, boolean, timestamptz, uuid)
    OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION search_names(integer, text, search_filter, uuid[], integer, boolean,
    timestamptz, uuid) FROM PUBLIC;

-- By words of name, description, tags, albums and camera. The newest that match; by_rank orders them
-- by how well they match, which a page after this one could not go on from.
CREATE FUNCTION search_texts(of_owner integer, query text, f search_filter, ids uuid[],
                             take integer, by_rank boolean, after_at timestamptz, after_id uuid,
                             OUT text_ids uuid[], OUT scores real[], OUT times timestamptz[])
    LANGUAGE plpgsql STABLE
    AS $$
    DECLARE
        words tsquery := public.search_web_query(query);
    BEGIN
        SELECT array_agg(c.asset_id ORDER BY c.place), array_agg(c.score ORDER BY c.place),
               array_agg(c.sort_at ORDER BY c.place)
        INTO text_ids, scores, times
        FROM (SELECT m.asset_id, m.sort_at, ts_rank(m.text_words, words) AS score,
                     row_number() OVER (ORDER BY
                         CASE WHEN by_rank THEN ts_rank(m.text_words, words) END DESC,
                         m.sort_at DESC, m.asset_id DESC) AS place
              FROM (SELECT s.asset_id, s.sort_at, s.text_words
                    FROM public.asset_search s
                    WHERE s.owner_id = of_owner AND s.text_words @@ words
                      AND (after_id IS NULL OR (s.sort_at, s.asset_id) < (after_at, after_id))
                      AND (ids IS NULL OR s.asset_id = ANY (ids))
                      AND (ids IS NOT NULL OR EXISTS (
                              SELECT FROM public.search_scope(of_owner, f) a
                              WHERE a.asset_id = s.asset_id))
                    ORDER BY s.sort_at DESC, s.asset_id DESC
                    LIMIT CASE WHEN by_rank THEN greatest(take, 1000) ELSE take END) m) c
        WHERE c.place <= take;
    END
    $$;
ALTER FUNCTION search_texts(integer, text, search_filter, uuid[], integer, boolean, timestamptz, uuid)
    OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION search_texts(integer, text, search_filter, uuid[], integer, boolean,
    timestamptz, uuid) FROM PUBLIC;

-- One search in one statement. channels: 1 names, 2 texts, 4 meaning; several are fused by reciprocal
-- rank (weight / (60 + rank)). pool: how many hits of each channel are fused; the list ends with
-- them. One of names and texts alone is a keyset list without end. The vector is given, or taken
-- from like_asset, which is left out of its own answer. Statements are planned with their values:
-- the graph of a model is a partial index, and what a filter leaves decides the way.
CREATE FUNCTION search_hits(query text, given halfvec(512), like_asset uuid, f search_filter,
                            channels integer, pool integer, row_limit integer,
                            after_score double precision, after_at timestamptz, after_id uuid,
                            exact_most integer)
    RETURNS TABLE (asset_id uuid, place integer, score double precision, sort_at timestamptz,
                   name_rank integer, text_rank integer, text_score real, meaning_rank integer,
                   distance double precision, route text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, public
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    SET work_mem = '32MB'
    SET hnsw.iterative_scan = relaxed_order
    SET hnsw.max_scan_tuples = 100000
    SET hnsw.scan_mem_multiplier = 4
    SET hnsw.ef_search = 320
    SET enable_sort = on
    SET enable_seqscan = on
    SET enable_bitmapscan = on
    AS $$
    #variable_conflict use_column
    DECLARE
        me integer := public.current_user_id();
        model text := (SELECT m.name FROM public.embedding_models m WHERE m.is_active);
        alone boolean := channels IN (1, 2);
        v halfvec(512) := given;
        ids uuid[];
        names record;
        texts record;
        near record;
        way text;
    BEGIN
        IF me IS NULL THEN
            RETURN;
        END IF;
        IF like_asset IS NOT NULL THEN
            v := (SELECT e.embedding FROM public.embeddings e
                  WHERE e.asset_id = like_asset AND e.owner_id = me AND e.model_version = model);
        END IF;
        IF NOT (f IS NULL) THEN
            ids := ARRAY(SELECT s.asset_id FROM public.search_scope(me, f) s LIMIT exact_most::bigint + 1);
            IF cardinality(ids) > exact_most THEN
                ids := NULL;
            END IF;
        END IF;
        SELECT NULL::uuid[] AS name_ids, NULL::boolean[] AS exact, NULL::timestamptz[] AS times
            INTO names;
        SELECT NULL::uuid[] AS text_ids, NULL::real[] AS scores, NULL::timestamptz[] AS times
            INTO texts;
        SELECT NULL::uuid[] AS near_ids, NULL::float8[] AS distances INTO near;
        IF channels & 1 <> 0 THEN
            SELECT * INTO names FROM public.search_names(me, query, f, ids,
                CASE WHEN alone THEN row_limit ELSE pool END,
                CASE WHEN alone THEN after_score > 0 END, CASE WHEN alone THEN after_at END,
                CASE WHEN alone THEN after_id END);
        END IF;
        IF channels & 2 <> 0 THEN
            SELECT * INTO texts FROM public.search_texts(me, query, f, ids,
                CASE WHEN alone THEN row_limit ELSE pool END, NOT alone,
                CASE WHEN alone THEN after_at END, CASE WHEN alone THEN after_id END);
        END IF;
        IF channels & 4 <> 0 AND v IS NOT NULL THEN
            SELECT * INTO near FROM public.search_near(me, model, v, f, ids,
                pool + (like_asset IS NOT NULL)::integer, exact_most);
            way := near.route;
        END IF;
        IF alone THEN
            RETURN QUERY
                SELECT h.asset_id, h.n::integer, coalesce(h.exact, false)::integer::float8,
                       h.sort_at, CASE WHEN channels = 1 THEN h.n::integer END,
                       CASE WHEN channels = 2 THEN h.n::integer END, h.score,
                       NULL::integer, NULL::float8, way
                FROM unnest(coalesce(names.name_ids, texts.text_ids),
                            coalesce(names.times, texts.times), names.exact, texts.scores)
                    WITH ORDINALITY h(asset_id, sort_at, exact, score, n)
                ORDER BY h.n;
            RETURN;
        END IF;
        RETURN QUERY
            WITH ranked AS (
                SELECT h.asset_id, 0.6 / (60 + h.n) AS part, h.n::integer AS name_rank,
                       NULL::integer AS text_rank, NULL::real AS text_score,
                       NULL::integer AS meaning_rank, NULL::float8 AS distance
                FROM unnest(names.name_ids) WITH ORDINALITY h(asset_id, n)
                UNION ALL
                SELECT h.asset_id, 0.8 / (60 + h.n), NULL, h.n::integer, h.score, NULL, NULL
                FROM unnest(texts.text_ids, texts.scores) WITH ORDINALITY h(asset_id, score, n)
                UNION ALL
                SELECT h.asset_id, 1.0 / (60 + h.n), NULL, NULL, NULL, h.n::integer, h.d
                FROM (SELECT u.asset_id, u.d, row_number() OVER (ORDER BY u.n) AS n
                      FROM unnest(near.near_ids, near.distances)
                          WITH ORDINALITY u(asset_id, d, n)
                      WHERE u.asset_id IS DISTINCT FROM like_asset) h
                WHERE h.n <= pool
            ), fused AS (
                SELECT r.asset_id, sum(r.part)::float8 AS score, max(r.name_rank) AS name_rank,
                       max(r.text_rank) AS text_rank, max(r.text_score) AS text_score,
                       max(r.meaning_rank) AS meaning_rank, max(r.distance) AS distance
                FROM ranked r
                GROUP BY r.asset_id
            ), placed AS (
                SELECT f.*, row_number() OVER (ORDER BY f.score DESC, f.asset_id)::integer AS place
                FROM fused f
            )
            SELECT p.asset_id, p.place, p.score, NULL::timestamptz, p.name_rank, p.text_rank,
                   p.text_score, p.meaning_rank, p.distance, way
            FROM placed p
            WHERE after_id IS NULL OR p.score < after_score
               OR (p.score = after_score AND p.asset_id > after_id)
            ORDER BY p.place
            LIMIT row_limit;
    END
    $$;
COMMENT ON FUNCTION search_hits(text, halfvec, uuid, search_filter, integer, integer, integer,
    double precision, timestamptz, uuid, integer) IS
    'Hits of the current user''s assets by name, text and meaning, with their ranks and scores';
ALTER FUNCTION search_hits(text, halfvec, uuid, search_filter, integer, integer, integer,
    double precision, timestamptz, uuid, integer) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION search_hits(text, halfvec, uuid, search_filter, integer, integer, integer,
    double precision, timestamptz, uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_hits(text, halfvec, uuid, search_filter, integer, integer, integer,
    double precision, timestamptz, uuid, integer) TO lumilio_app, lumilio_worker;

-- Pairs of the current user's assets that look the same, for some assets after a given one. A row
-- without other_id says how far the look has come. The graph gives the nearest of all owners, so
-- that of a copy which very many have the own ones may be missed; small libraries are exact.
CREATE FUNCTION search_pairs(after_id uuid, batch integer, distance_most double precision,
                             exact_most integer)
    RETURNS TABLE (asset_id uuid, other_id uuid, distance double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, public
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    SET hnsw.iterative_scan = off
    SET hnsw.ef_search = 100
    SET enable_sort = on
    AS $$
    #variable_conflict use_column
    DECLARE
        me integer := public.current_user_id();
        model text := (SELECT m.name FROM public.embedding_models m WHERE m.is_active);
        known bigint;
        one record;
        is_exact boolean;
    BEGIN
        SELECT count(*) INTO known
        FROM (SELECT FROM public.embeddings e
              WHERE e.owner_id = me AND e.model_version = model LIMIT exact_most::bigint + 1) c;
        is_exact := known <= exact_most;
        FOR one IN SELECT e.asset_id, e.embedding
                   FROM public.embeddings e
                   JOIN public.assets a ON a.asset_id = e.asset_id AND a.deleted_at IS NULL
                   WHERE e.owner_id = me AND e.model_version = model AND e.asset_id > after_id
                   ORDER BY e.asset_id LIMIT batch LOOP
            IF is_exact THEN
                RETURN QUERY
                    SELECT one.asset_id, n.asset_id, n.d
                    FROM (SELECT e.asset_id,
                                 (e.embedding OPERATOR(public.<=>) one.embedding) + 0 AS d
                          FROM public.embeddings e
                          WHERE e.owner_id = me AND e.model_version = model
                            AND e.asset_id > one.asset_id) n
                    JOIN public.assets a ON a.asset_id = n.asset_id AND a.deleted_at IS NULL
                    WHERE n.d <= distance_most;
            ELSE
                PERFORM set_config('enable_sort', 'off', true);
                RETURN QUERY
                    SELECT one.asset_id, n.asset_id, n.d
                    FROM (SELECT e.asset_id, e.owner_id,
                                 e.embedding OPERATOR(public.<=>) one.embedding AS d
                          FROM public.embeddings e
                          WHERE e.model_version = model
                          ORDER BY e.embedding OPERATOR(public.<=>) one.embedding LIMIT 64) n
                    JOIN public.assets a ON a.asset_id = n.asset_id AND a.deleted_at IS NULL
                    WHERE n.d <= distance_most AND n.owner_id = me AND n.asset_id > one.asset_id;
                PERFORM set_config('enable_sort', 'on', true);
            END IF;
            asset_id := one.asset_id;
            other_id := NULL;
            distance := NULL;
            RETURN NEXT;
        END LOOP;
    END
    $$;
COMMENT ON FUNCTION search_pairs(uuid, integer, double precision, integer) IS
    'Pairs of the current user''s assets that are nearly the same to the active model';
ALTER FUNCTION search_pairs(uuid, integer, double precision, integer) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION search_pairs(uuid, integer, double precision, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_pairs(uuid, integer, double precision, integer)
    TO lumilio_app, lumilio_worker;
