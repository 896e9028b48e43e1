-- Search. File names are cut into words by our own rule: the server's parser takes
-- beach-paris-2019.jpg for one host name. Texts get a stored tsvector. Embeddings become halfvec
-- with a graph good enough for text queries.

CREATE FUNCTION filename_tokens(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN btrim(lower(regexp_replace(regexp_replace(regexp_replace(regexp_replace(name,
        '([[:lower:]])([[:upper:]])', '\1 \2', 'g'),
        '([[:alpha:]])([[:digit:]])', '\1 \2', 'g'),
        '([[:digit:]])([[:alpha:]])', '\1 \2', 'g'),
        '[^[:alnum:]]+', ' ', 'g')));
COMMENT ON FUNCTION filename_tokens(text) IS
    'Words of a file name: cut at punctuation, at aB and between letters and digits; lower case';
ALTER FUNCTION filename_tokens(text) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION filename_tokens(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION filename_tokens(text) TO lumilio_policy, lumilio_app, lumilio_worker;

-- The searchable words of an asset beside it, so that lists of assets stay narrow. Kept by the
-- triggers below; nobody else writes it.
CREATE TABLE asset_search (
    asset_id uuid PRIMARY KEY,
    owner_id integer NOT NULL,
    filename_words tsvector NOT NULL,
    text_words tsvector NOT NULL,
    CONSTRAINT asset_search_asset_owner_fkey FOREIGN KEY (asset_id, owner_id)
        REFERENCES assets (asset_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE
);
ALTER TABLE asset_search OWNER TO lumilio_owner;
GRANT SELECT ON asset_search TO lumilio_app, lumilio_worker, lumilio_backup;
GRANT SELECT, INSERT, UPDATE ON asset_search TO lumilio_policy;
ALTER TABLE asset_search ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY asset_search_select ON asset_search FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY asset_search_insert ON asset_search FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (false);
CREATE POLICY asset_search_update ON asset_search FOR UPDATE TO lumilio_app, lumilio_worker
    USING (false) WITH CHECK (false);
CREATE POLICY asset_search_delete ON asset_search FOR DELETE TO lumilio_app, lumilio_worker
    USING (false);

CREATE FUNCTION asset_search_refresh() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        INSERT INTO public.asset_search (asset_id, owner_id, filename_words, text_words)
        SELECT c.asset_id, c.owner_id,
               to_tsvector('simple', public.filename_tokens(c.original_filename)),
               to_tsvector('simple', concat_ws(' ', c.description, c.camera_make, c.camera_model,
                                               c.lens_model))
        FROM changed c
        ON CONFLICT (asset_id) DO UPDATE
            SET filename_words = excluded.filename_words, text_words = excluded.text_words
            WHERE (asset_search.filename_words, asset_search.text_words)
                IS DISTINCT FROM (excluded.filename_words, excluded.text_words);
        RETURN NULL;
    END
    $$;
ALTER FUNCTION asset_search_refresh() OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION asset_search_refresh() FROM PUBLIC;
CREATE TRIGGER asset_search_insert AFTER INSERT ON assets
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_refresh();
CREATE TRIGGER asset_search_update AFTER UPDATE ON assets
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION asset_search_refresh();

INSERT INTO asset_search (asset_id, owner_id, filename_words, text_words)
SELECT a.asset_id, a.owner_id, to_tsvector('simple', filename_tokens(a.original_filename)),
       to_tsvector('simple', concat_ws(' ', a.description, a.camera_make, a.camera_model,
                                       a.lens_model))
FROM assets a;
CREATE INDEX idx_asset_search_owner ON asset_search (owner_id);
CREATE INDEX idx_asset_search_filename ON asset_search USING gin (filename_words);
CREATE INDEX idx_asset_search_text ON asset_search USING gin (text_words);

DROP INDEX idx_assets_filename_gin;
CREATE INDEX idx_assets_filename_trgm ON assets USING gin (original_filename gin_trgm_ops);

-- Text operators are not leakproof, so their indexes are of no use below a policy: the search runs
-- as lumilio_policy and holds the owner's predicate itself. All words must match, the last one by
-- its beginning; from three characters on the file name is also searched for the text as it stands.
CREATE FUNCTION search_assets(query text, kind text, row_limit integer, row_offset integer)
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
COMMENT ON FUNCTION search_assets(text, text, integer, integer) IS
    'Live assets of the current user by file name, description, camera and lens; exact name first';
ALTER FUNCTION search_assets(text, text, integer, integer) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION search_assets(text, text, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_assets(text, text, integer, integer)
    TO lumilio_app, lumilio_worker;

-- Several models may describe one asset. The parallel build of pgvector before 0.8.4 is faulty.
DROP INDEX idx_embeddings_vector;
ALTER TABLE embeddings
    ALTER COLUMN embedding TYPE halfvec(512) USING embedding::halfvec(512),
    DROP CONSTRAINT embeddings_asset_id_key,
    ADD CONSTRAINT embeddings_asset_model_key UNIQUE (asset_id, model_version);
SET LOCAL max_parallel_maintenance_workers = 0;
CREATE INDEX idx_embeddings_vector ON embeddings
    USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 200);
