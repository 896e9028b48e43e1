-- An asset keeps the newest of its embeddings: the seed's table holds one.
DROP INDEX idx_embeddings_vector;
DELETE FROM embeddings e USING embeddings newer
    WHERE newer.asset_id = e.asset_id
      AND (newer.created_at, newer.embedding_id) > (e.created_at, e.embedding_id);
ALTER TABLE embeddings
    DROP CONSTRAINT embeddings_asset_model_key,
    ADD CONSTRAINT embeddings_asset_id_key UNIQUE (asset_id),
    ALTER COLUMN embedding TYPE vector(512) USING embedding::vector(512);
SET LOCAL max_parallel_maintenance_workers = 0;
CREATE INDEX idx_embeddings_vector ON embeddings
    USING hnsw (embedding vector_cosine_ops)
    WITH (m = 16, ef_construction = 64);

DROP FUNCTION search_assets(text, text, integer, integer);
DROP INDEX idx_assets_filename_trgm;
DROP TRIGGER asset_search_update ON assets;
DROP TRIGGER asset_search_insert ON assets;
DROP FUNCTION asset_search_refresh();
DROP TABLE asset_search;
DROP FUNCTION filename_tokens(text);
CREATE INDEX idx_assets_filename_gin ON assets USING gin(to_tsvector('english', original_filename));
