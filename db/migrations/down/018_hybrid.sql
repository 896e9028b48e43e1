DROP FUNCTION search_pairs(uuid, integer, double precision, integer);
DROP FUNCTION search_hits(text, halfvec, uuid, search_filter, integer, integer, integer,
    double precision, timestamptz, uuid, integer);
DROP FUNCTION search_texts(integer, text, search_filter, uuid[], integer, boolean, timestamptz, uuid);
DROP FUNCTION search_names(integer, text, search_filter, uuid[], integer, boolean, timestamptz, uuid);
DROP FUNCTION search_near(integer, text, halfvec, search_filter, uuid[], integer, integer);
DROP FUNCTION search_scope(integer, search_filter);
DROP TYPE search_filter;

DROP TRIGGER asset_search_album_update ON albums;
DROP TRIGGER asset_search_album_delete ON album_assets;
DROP TRIGGER asset_search_album_insert ON album_assets;
DROP TRIGGER asset_search_tag_update ON tags;
DROP TRIGGER asset_search_tag_delete ON asset_tags;
DROP TRIGGER asset_search_tag_insert ON asset_tags;
DROP TRIGGER asset_search_update ON assets;
DROP TRIGGER asset_search_insert ON assets;
DROP FUNCTION asset_search_album_renamed();
DROP FUNCTION asset_search_tag_renamed();
DROP FUNCTION asset_search_changed();
DROP FUNCTION asset_search_added();
DROP FUNCTION asset_search_write(uuid[]);
DROP FUNCTION search_web_query(text);
DROP FUNCTION search_prefix_query(text);
DROP FUNCTION search_words(text, boolean);
DROP FUNCTION search_plain(text);

ALTER INDEX idx_asset_search_filename RESET (gin_pending_list_limit);
ALTER INDEX idx_asset_search_text RESET (gin_pending_list_limit);
ALTER TABLE asset_search ALTER COLUMN filename_words SET STATISTICS -1;
ALTER TABLE asset_search ALTER COLUMN text_words SET STATISTICS -1;
DROP INDEX idx_asset_search_name;
DROP INDEX idx_asset_search_owner_sort;
CREATE INDEX idx_asset_search_owner ON asset_search (owner_id);
ALTER TABLE asset_search DROP COLUMN name, DROP COLUMN sort_at;

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
UPDATE asset_search s
SET filename_words = to_tsvector('simple', filename_tokens(a.original_filename)),
    text_words = to_tsvector('simple', concat_ws(' ', a.description, a.camera_make, a.camera_model,
                                                 a.lens_model))
FROM assets a
WHERE a.asset_id = s.asset_id;
