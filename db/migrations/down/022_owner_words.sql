DROP FUNCTION named_assets(text, integer);
CREATE OR REPLACE FUNCTION matching_assets(words text, row_limit integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT s.asset_id FROM public.asset_search s
        WHERE s.owner_id = public.current_user_id()
          AND (s.filename_words @@ public.word_query(words)
               OR s.text_words @@ public.word_query(words))
        LIMIT row_limit
    $$;
CREATE INDEX idx_assets_filename_trgm ON assets USING gin (original_filename gin_trgm_ops);
CREATE OR REPLACE FUNCTION search_assets(query text, kind text, row_limit integer, row_offset integer)
    RETURNS TABLE (asset_id uuid, rank bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        WITH wanted AS MATERIALIZED (
            SELECT to_tsquery('simple',
                       regexp_replace(public.filename_tokens(query), ' ', ' & ', 'g') || ':*')
                       AS words
            WHERE public.filename_tokens(query) <> ''
        ), hits AS (
            SELECT s.asset_id
            FROM public.asset_search s, wanted w
            WHERE s.owner_id = public.current_user_id() AND s.filename_words @@ w.words
            UNION
            SELECT s.asset_id
            FROM public.asset_search s, wanted w
            WHERE s.owner_id = public.current_user_id() AND s.text_words @@ w.words
            UNION
            SELECT a.asset_id
            FROM public.assets a
            WHERE a.owner_id = public.current_user_id() AND char_length(query) >= 3
              AND a.original_filename ILIKE
                  '%' || regexp_replace(query, '([\\%_])', '\\\1', 'g') || '%'
        )
        SELECT a.asset_id,
               row_number() OVER (ORDER BY (lower(a.original_filename) = lower(query)) DESC,
                                           coalesce(a.taken_at, a.uploaded_at) DESC,
                                           a.asset_id DESC)
        FROM hits JOIN public.assets a USING (asset_id)
        WHERE a.deleted_at IS NULL AND (kind IS NULL OR a.asset_type = kind)
        ORDER BY 2
        LIMIT row_limit OFFSET row_offset
    $$;
CREATE OR REPLACE FUNCTION search_texts(of_owner integer, query text, f search_filter, ids uuid[],
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
CREATE OR REPLACE FUNCTION search_names(of_owner integer, query text, f search_filter, ids uuid[],
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
DROP FUNCTION search_found(integer, text, tsquery, search_filter, uuid[], integer, timestamptz, uuid);
DROP FUNCTION search_among(integer, text, tsquery, uuid[]);
DROP FUNCTION search_walked(integer, text, tsquery, integer, timestamptz, uuid);
DROP FUNCTION search_indexed(integer, text, tsquery, integer);
DROP FUNCTION search_pattern(text);
DROP FUNCTION search_matches(asset_search, text, text, tsquery);
DROP FUNCTION search_pick(integer, search_filter, integer, timestamptz, uuid, uuid[], timestamptz[],
    real[]);
DROP FUNCTION search_fitting(integer, search_filter, uuid[]);
CREATE OR REPLACE FUNCTION search_scope(of_owner integer, f search_filter) RETURNS TABLE (asset_id uuid)
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

ALTER TABLE asset_search ALTER COLUMN text_words SET STATISTICS 500;
ALTER TABLE asset_search ALTER COLUMN filename_words SET STATISTICS 500;
DROP INDEX idx_asset_search_name;
CREATE INDEX idx_asset_search_name ON asset_search USING gin (name gin_trgm_ops)
    WITH (gin_pending_list_limit = 1024);
CREATE INDEX idx_asset_search_text ON asset_search USING gin (text_words)
    WITH (gin_pending_list_limit = 1024);
CREATE INDEX idx_asset_search_filename ON asset_search USING gin (filename_words)
    WITH (gin_pending_list_limit = 1024);
DROP INDEX idx_asset_search_keys;
CREATE OR REPLACE FUNCTION word_query(words text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_tsquery('simple',
        regexp_replace(nullif(filename_tokens(words), ''), ' ', ' & ', 'g') || ':*');
REVOKE ALL ON FUNCTION search_plain(text), search_words(text, boolean), search_prefix_query(text)
    FROM lumilio_app, lumilio_worker;
DROP FUNCTION search_word_grams(integer, text);
DROP FUNCTION search_keys_query(integer, tsquery);
DROP FUNCTION search_grams(integer, text);
DROP FUNCTION search_keys(integer, tsvector);
CREATE OR REPLACE FUNCTION search_words(original text, is_query boolean) RETURNS text
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
DROP FUNCTION search_pairs_of(text, boolean);
