-- Search in the time that the owner's own photos need. Words and trigrams of all owners stood in one
-- list each, so that a word of everybody was read for everybody; now the keys of the index begin with
-- the owner. What is frequent is found by walking the newest, what is rare by the index: which of the
-- two is tried out in bounded steps, not guessed by the planner.

-- The branch for scripts without blanks is a function of its own: the plain way costs a tenth.
CREATE FUNCTION search_pairs_of(original text, is_query boolean) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT string_agg(CASE
                WHEN word !~ '^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]' THEN word
                ELSE (SELECT string_agg(substr(word, i, 2), ' ' ORDER BY i)
                      FROM generate_series(1, CASE WHEN is_query AND char_length(word) > 1
                                                   THEN char_length(word) - 1
                                                   ELSE char_length(word) END) i) END,
                ' ' ORDER BY place)
            FROM regexp_split_to_table(btrim(regexp_replace(
                     public.filename_tokens(normalize(public.search_plain(original), NFC)),
                     '([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)', ' \1 ', 'g')), ' +')
                 WITH ORDINALITY parts(word, place));
ALTER FUNCTION search_pairs_of(text, boolean) OWNER TO lumilio_owner;
CREATE OR REPLACE FUNCTION search_words(original text, is_query boolean) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    BEGIN
        IF original ~ '[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]' THEN
            RETURN public.search_pairs_of(original, is_query);
        END IF;
        RETURN public.filename_tokens(public.search_plain(original));
    END
    $$;

-- What the index holds: each word, and each three characters in a row of the name, behind the owner.
CREATE FUNCTION search_keys(of_owner integer, words tsvector) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS $$
    BEGIN
        RETURN replace(' ' || strip(words)::text, ' ''', ' ''' || of_owner || ':')::tsvector;
    END
    $$;
COMMENT ON FUNCTION search_keys(integer, tsvector) IS
    'The words, each with its owner in front: keys of an index that no other owner makes longer';
CREATE FUNCTION search_grams(of_owner integer, name text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS $$
    DECLARE
        grams text[] := '{}';
    BEGIN
        FOR i IN 1 .. char_length(name) - 2 LOOP
            grams[i] := of_owner || ':' || substr(name, i, 3);
        END LOOP;
        RETURN grams;
    END
    $$;
COMMENT ON FUNCTION search_grams(integer, text) IS
    'Every three characters in a row, each with the owner in front';
-- A superset of what the words find: exclusions and the order of a phrase are left to the row.
CREATE FUNCTION search_keys_query(of_owner integer, words tsquery) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(regexp_replace(querytree(words), '<(-|[0-9]+)>', '&', 'g'),
                          '''((?:[^'']|'''')*)''', '''' || of_owner || ':\1''', 'g')::tsquery;
-- Of each word of three characters and more; NULL when there is none.
CREATE FUNCTION search_word_grams(of_owner integer, words text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT array_agg(g.gram)
            FROM regexp_split_to_table(words, ' ') w(word),
                 unnest(public.search_grams(of_owner, w.word)) g(gram));
ALTER FUNCTION search_keys(integer, tsvector) OWNER TO lumilio_owner;
ALTER FUNCTION search_grams(integer, text) OWNER TO lumilio_owner;
ALTER FUNCTION search_keys_query(integer, tsquery) OWNER TO lumilio_owner;
ALTER FUNCTION search_word_grams(integer, text) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION search_pairs_of(text, boolean), search_keys(integer, tsvector),
    search_grams(integer, text), search_keys_query(integer, tsquery),
    search_word_grams(integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_keys(integer, tsvector), search_grams(integer, text),
    search_keys_query(integer, tsquery), search_word_grams(integer, text) TO lumilio_policy;
GRANT EXECUTE ON FUNCTION search_pairs_of(text, boolean), search_plain(text),
    search_words(text, boolean), search_prefix_query(text)
    TO lumilio_policy, lumilio_app, lumilio_worker;

-- Words of a list's filter are those that are stored: without accents, and in pairs of characters.
CREATE OR REPLACE FUNCTION word_query(words text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN public.search_prefix_query(public.search_words(words, true));

CREATE INDEX idx_asset_search_keys ON asset_search
    USING gin (search_keys(owner_id, text_words), search_grams(owner_id, name))
    WITH (gin_pending_list_limit = 1024);
DROP INDEX idx_asset_search_filename;
DROP INDEX idx_asset_search_text;
DROP INDEX idx_asset_search_name;
-- By its hash, because a name may be longer than an entry of an index.
CREATE INDEX idx_asset_search_name ON asset_search
    (owner_id, hashtextextended(name, 0), sort_at DESC, asset_id DESC);
ALTER TABLE asset_search ALTER COLUMN filename_words SET STATISTICS -1;
ALTER TABLE asset_search ALTER COLUMN text_words SET STATISTICS -1;

-- Live assets behind a filter; ratings by the column that an index has.
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
          AND ((f).rating_least IS NULL OR a.stars >= (f).rating_least)
          AND ((f).liked IS NULL OR a.liked = (f).liked)
          AND ((f).is_raw IS NULL OR a.is_raw = (f).is_raw)
          AND ((f).camera_model IS NULL OR a.camera_model = (f).camera_model)
          AND ((f).has_place IS NULL OR (a.latitude_e7 IS NOT NULL) = (f).has_place)
    $$;

-- Which of these assets are live and pass the filter, in the order given. The one statement here that
-- is planned with its values: what the filter does not ask falls away.
CREATE FUNCTION search_fitting(of_owner integer, f search_filter, ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan
    AS $$
    BEGIN
        RETURN QUERY SELECT a.asset_id FROM public.search_scope(of_owner, f) a
                     WHERE a.asset_id = ANY (ids);
    END
    $$;
-- Of assets, those behind the filter: the newest `take` older than a given one.
CREATE FUNCTION search_pick(of_owner integer, f search_filter, take integer, from_at timestamptz,
                            from_id uuid, INOUT hit_ids uuid[], INOUT times timestamptz[],
                            INOUT scores real[])
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
    AS $$
    BEGIN
        IF f IS NULL THEN
            SELECT array_agg(p.asset_id), array_agg(p.sort_at), array_agg(p.score)
            INTO hit_ids, times, scores
            FROM (SELECT h.*
                  FROM (SELECT * FROM unnest(hit_ids, times, scores) u(asset_id, sort_at, score)
                        WHERE (u.sort_at, u.asset_id) < (from_at, from_id)
                        ORDER BY u.sort_at DESC, u.asset_id DESC) h
                  JOIN public.assets a ON a.asset_id = h.asset_id
                  WHERE a.owner_id = of_owner AND a.deleted_at IS NULL
                  ORDER BY h.sort_at DESC, h.asset_id DESC LIMIT take) p;
        ELSE
            SELECT array_agg(p.asset_id), array_agg(p.sort_at), array_agg(p.score)
            INTO hit_ids, times, scores
            FROM (SELECT h.*
                  FROM unnest(hit_ids, times, scores) h(asset_id, sort_at, score)
                  JOIN public.search_fitting(of_owner, f, hit_ids) fit(id) ON fit.id = h.asset_id
                  WHERE (h.sort_at, h.asset_id) < (from_at, from_id)
                  ORDER BY h.sort_at DESC, h.asset_id DESC LIMIT take) p;
        END IF;
    END
    $$;

-- Whether a row is what was asked for: by name (plain: the text as typed) or, plain NULL, by texts.
-- The exact name is looked for elsewhere.
CREATE FUNCTION search_matches(s asset_search, plain text, pattern text, words tsquery)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN plain IS NULL THEN s.text_words @@ words
                ELSE (s.filename_words @@ words OR s.name LIKE pattern) AND s.name <> plain END;
CREATE FUNCTION search_pattern(plain text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN char_length(plain) >= 3
           THEN '%' || regexp_replace(plain, '([\\%_])', '\\\1', 'g') || '%' END;

-- Rows by the index, in no order: of names (plain: the text as typed) or, plain NULL, of texts. A
-- single word found by its beginning is found as a part as well, so one look is enough.
CREATE FUNCTION search_indexed(of_owner integer, plain text, words tsquery, most integer)
    RETURNS TABLE (asset_id uuid, sort_at timestamptz, score real)
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan ROWS 1000
    AS $$
    #variable_conflict use_column
    DECLARE
        keys tsquery := public.search_keys_query(of_owner, words);
        tokens text := public.filename_tokens(plain);
        pattern text := public.search_pattern(plain);
        grams text[];
    BEGIN
        IF plain IS NULL THEN
            RETURN QUERY
                SELECT s.asset_id, s.sort_at, ts_rank(s.text_words, words)
                FROM public.asset_search s
                WHERE public.search_keys(s.owner_id, s.text_words) @@ keys
                  AND s.text_words @@ words
                LIMIT most;
            RETURN;
        END IF;
        IF pattern IS NOT NULL THEN
            grams := public.search_grams(of_owner, plain);
            RETURN QUERY
                SELECT s.asset_id, s.sort_at, NULL::real
                FROM public.asset_search s
                WHERE public.search_grams(s.owner_id, s.name) @> grams
                  AND s.name LIKE pattern AND s.name <> plain
                LIMIT most;
        END IF;
        IF pattern IS NULL OR tokens <> plain OR strpos(tokens, ' ') > 0 THEN
            grams := coalesce(public.search_word_grams(of_owner, tokens), '{}');
            RETURN QUERY
                SELECT s.asset_id, s.sort_at, NULL::real
                FROM public.asset_search s
                WHERE public.search_keys(s.owner_id, s.text_words) @@ keys
                  AND public.search_grams(s.owner_id, s.name) @> grams
                  AND s.filename_words @@ words AND s.name <> plain
                  AND (pattern IS NULL OR s.name NOT LIKE pattern)
                LIMIT most;
        END IF;
    END
    $$;

-- The next `span` of the owner's assets, newest first, and which of them match.
CREATE FUNCTION search_walked(of_owner integer, plain text, words tsquery, span integer,
                              INOUT at timestamptz, INOUT id uuid, OUT hit_ids uuid[],
                              OUT times timestamptz[], OUT scores real[], OUT walked bigint)
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
    AS $$
    DECLARE
        pattern text := public.search_pattern(plain);
    BEGIN
        SELECT array_agg(n.asset_id) FILTER (WHERE n.fits),
               array_agg(n.sort_at) FILTER (WHERE n.fits),
               array_agg(n.score) FILTER (WHERE n.fits), count(*),
               (array_agg(n.sort_at))[count(*)], (array_agg(n.asset_id))[count(*)]
        INTO hit_ids, times, scores, walked, at, id
        FROM (SELECT s.asset_id, s.sort_at,
                     public.search_matches(s, plain, pattern, words) AS fits,
                     CASE WHEN plain IS NULL AND s.text_words @@ words
                          THEN ts_rank(s.text_words, words) END AS score
              FROM public.asset_search s
              WHERE s.owner_id = of_owner AND (s.sort_at, s.asset_id) < (at, id)
              ORDER BY s.sort_at DESC, s.asset_id DESC
              LIMIT span) n;
    END
    $$;

-- Those of the given assets that match.
CREATE FUNCTION search_among(of_owner integer, plain text, words tsquery, ids uuid[])
    RETURNS TABLE (asset_id uuid, sort_at timestamptz, score real)
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan ROWS 1000
    AS $$
    #variable_conflict use_column
    DECLARE
        pattern text := public.search_pattern(plain);
    BEGIN
        RETURN QUERY
            SELECT s.asset_id, s.sort_at,
                   CASE WHEN plain IS NULL THEN ts_rank(s.text_words, words) END
            FROM unnest(ids) w(id) JOIN public.asset_search s ON s.asset_id = w.id
            WHERE s.owner_id = of_owner AND public.search_matches(s, plain, pattern, words);
    END
    $$;

-- The newest of an owner's assets by name or by what is written about them. When the index gives a
-- few, these are all. When it gives more, what is asked for is frequent: the newest are walked, in
-- growing steps, until there are enough. What is frequent only among the old is read as a whole, or
-- looked for among the ids, the only assets in question where they are known.
CREATE FUNCTION search_found(of_owner integer, plain text, words tsquery, f search_filter,
                             ids uuid[], take integer, after_at timestamptz, after_id uuid,
                             OUT hit_ids uuid[], OUT times timestamptz[], OUT scores real[])
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
    AS $$
    DECLARE
        few CONSTANT integer := 2000;
        from_at timestamptz := coalesce(after_at, 'infinity');
        from_id uuid := coalesce(after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
        span integer := 500;
        step record;
        part record;
        found_ids uuid[] := '{}';
        found_times timestamptz[] := '{}';
        found_scores real[] := '{}';
    BEGIN
        SELECT array_agg(x.asset_id) AS hit_ids, array_agg(x.sort_at) AS times,
               array_agg(x.score) AS scores
        INTO step FROM public.search_indexed(of_owner, plain, words, few + 1) x;
        IF coalesce(cardinality(step.hit_ids), 0) <= few THEN
            SELECT p.* INTO hit_ids, times, scores
            FROM public.search_pick(of_owner, f, take, from_at, from_id, step.hit_ids, step.times,
                                    step.scores) p;
            RETURN;
        END IF;
        WHILE span <= 8000 LOOP
            SELECT w.* INTO step
            FROM public.search_walked(of_owner, plain, words, span, from_at, from_id) w;
            SELECT p.* INTO part
            FROM public.search_pick(of_owner, f, take - cardinality(found_ids), from_at, from_id,
                                    step.hit_ids, step.times, step.scores) p;
            found_ids := found_ids || part.hit_ids;
            found_times := found_times || part.times;
            found_scores := found_scores || part.scores;
            IF cardinality(found_ids) >= take OR step.walked < span THEN
                hit_ids := found_ids;
                times := found_times;
                scores := found_scores;
                RETURN;
            END IF;
            from_at := step.at;
            from_id := step.id;
            span := span * 2;
        END LOOP;
        IF ids IS NULL THEN
            SELECT array_agg(x.asset_id) AS hit_ids, array_agg(x.sort_at) AS times,
                   array_agg(x.score) AS scores
            INTO step FROM public.search_indexed(of_owner, plain, words, NULL) x;
        ELSE
            SELECT array_agg(x.asset_id) AS hit_ids, array_agg(x.sort_at) AS times,
                   array_agg(x.score) AS scores
            INTO step FROM public.search_among(of_owner, plain, words, ids) x;
        END IF;
        SELECT p.* INTO part
        FROM public.search_pick(of_owner, f, take - cardinality(found_ids), from_at, from_id,
                                step.hit_ids, step.times, step.scores) p;
        hit_ids := found_ids || part.hit_ids;
        times := found_times || part.times;
        scores := found_scores || part.scores;
    END
    $$;
DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN SELECT p.oid::regprocedure FROM pg_proc p
                WHERE p.pronamespace = 'public'::regnamespace
                  AND p.proname IN ('search_fitting', 'search_pick', 'search_matches',
                                    'search_pattern', 'search_indexed', 'search_walked',
                                    'search_among', 'search_found') LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO lumilio_policy', made);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
    END LOOP;
END
$$;

-- By file name: the exact name, then all words (the last by its beginning) or, from three characters
-- on, the text as it stands anywhere in it; newest first. after_...: the last row of the page before.
CREATE OR REPLACE FUNCTION search_names(of_owner integer, query text, f search_filter, ids uuid[],
                             take integer, after_exact boolean, after_at timestamptz,
                             after_id uuid, OUT name_ids uuid[], OUT exact boolean[],
                             OUT times timestamptz[])
    LANGUAGE plpgsql STABLE
    AS $$
    DECLARE
        plain text := lower(public.search_plain(query));
        words tsquery := public.search_prefix_query(public.search_words(query, true));
        rest record;
    BEGIN
        IF coalesce(after_exact, true) THEN
            SELECT array_agg(n.asset_id), array_agg(n.sort_at)
            INTO name_ids, times
            FROM (SELECT s.asset_id, s.sort_at
                  FROM public.asset_search s
                  WHERE s.owner_id = of_owner AND s.name = plain
                    AND hashtextextended(s.name, 0) = hashtextextended(plain, 0)
                    AND (after_id IS NULL OR (s.sort_at, s.asset_id) < (after_at, after_id))
                    AND EXISTS (SELECT FROM public.search_scope(of_owner, f) a
                                WHERE a.asset_id = s.asset_id)
                  ORDER BY s.sort_at DESC, s.asset_id DESC LIMIT take) n;
        END IF;
        exact := array_fill(true, ARRAY[coalesce(cardinality(name_ids), 0)]);
        IF cardinality(exact) < take THEN
            SELECT * INTO rest FROM public.search_found(of_owner, plain, words, f, ids,
                take - cardinality(exact), CASE WHEN NOT after_exact THEN after_at END,
                CASE WHEN NOT after_exact THEN after_id END);
            exact := exact || array_fill(false, ARRAY[coalesce(cardinality(rest.hit_ids), 0)]);
            name_ids := name_ids || rest.hit_ids;
            times := times || rest.times;
        END IF;
    END
    $$;

-- By words of name, description, tags, albums and camera. The newest that match; by_rank orders them
-- by how well they match, which a page after this one could not go on from.
CREATE OR REPLACE FUNCTION search_texts(of_owner integer, query text, f search_filter, ids uuid[],
                             take integer, by_rank boolean, after_at timestamptz, after_id uuid,
                             OUT text_ids uuid[], OUT scores real[], OUT times timestamptz[])
    LANGUAGE plpgsql STABLE
    AS $$
    DECLARE
        newest record;
    BEGIN
        SELECT * INTO newest FROM public.search_found(of_owner, NULL, public.search_web_query(query),
            f, ids, CASE WHEN by_rank THEN greatest(take, 500) ELSE take END, after_at, after_id);
        SELECT array_agg(c.asset_id ORDER BY c.place), array_agg(c.score ORDER BY c.place),
               array_agg(c.sort_at ORDER BY c.place)
        INTO text_ids, scores, times
        FROM (SELECT m.asset_id, m.sort_at, m.score,
                     row_number() OVER (ORDER BY CASE WHEN by_rank THEN m.score END DESC, m.n)
                         AS place
              FROM unnest(newest.hit_ids, newest.times, newest.scores)
                  WITH ORDINALITY m(asset_id, sort_at, score, n)) c
        WHERE c.place <= take;
    END
    $$;

-- What the seed's search asks for: name or texts, the exact name first, by pages of numbers.
CREATE OR REPLACE FUNCTION search_assets(query text, kind text, row_limit integer,
                                         row_offset integer)
    RETURNS TABLE (asset_id uuid, rank bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    #variable_conflict use_column
    DECLARE
        me integer := public.current_user_id();
        f public.search_filter;
        names record;
        texts record;
    BEGIN
        IF me IS NULL THEN
            RETURN;
        END IF;
        f.asset_type := kind;
        SELECT * INTO names FROM public.search_names(me, query, f, NULL, row_limit + row_offset, NULL,
                                                     NULL, NULL);
        SELECT * INTO texts FROM public.search_found(me, NULL, public.word_query(query), f, NULL,
                                                     row_limit + row_offset, NULL, NULL);
        RETURN QUERY
            SELECT h.asset_id,
                   row_number() OVER (ORDER BY bool_or(h.exact) DESC, h.sort_at DESC,
                                               h.asset_id DESC)
            FROM (SELECT * FROM unnest(names.name_ids, names.times, names.exact)
                                n(asset_id, sort_at, exact)
                  UNION ALL
                  SELECT t.*, false FROM unnest(texts.hit_ids, texts.times) t) h
            GROUP BY h.asset_id, h.sort_at
            ORDER BY 2
            LIMIT row_limit OFFSET row_offset;
    END
    $$;
DROP INDEX idx_assets_filename_trgm;

-- Candidates of a list's filter: assets by words, or by a part of the name; of more than row_limit any.
CREATE OR REPLACE FUNCTION matching_assets(words text, row_limit integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT s.asset_id
        FROM public.search_indexed(public.current_user_id(), NULL, public.word_query(words),
                                   row_limit) s
    $$;
CREATE FUNCTION named_assets(part text, row_limit integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    SET plan_cache_mode = force_generic_plan
    AS $$
    DECLARE
        me integer := public.current_user_id();
        plain text := lower(public.search_plain(part));
        grams text[] := public.search_grams(me, plain);
        pattern text := public.search_pattern(plain);
    BEGIN
        IF pattern IS NULL THEN
            RETURN QUERY SELECT a.asset_id FROM public.assets a
                         WHERE a.owner_id = me AND a.deleted_at IS NULL
                           AND a.name_key LIKE public.like_pattern(part)
                         LIMIT row_limit;
        ELSE
            RETURN QUERY SELECT s.asset_id FROM public.asset_search s
                         WHERE public.search_grams(s.owner_id, s.name) @> grams
                           AND s.name LIKE pattern
                         LIMIT row_limit;
        END IF;
    END
    $$;
COMMENT ON FUNCTION named_assets(text, integer) IS
    'Ids of the current user''s assets with this in the name, and perhaps some more';
ALTER FUNCTION named_assets(text, integer) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION named_assets(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION named_assets(text, integer) TO lumilio_app, lumilio_worker;
