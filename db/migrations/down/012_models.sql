DROP FUNCTION embedding_model_use(text, boolean);
DROP FUNCTION embedding_model_add(text);
DROP FUNCTION embedding_model_take_over(text);
DROP FUNCTION embedding_model_index(text);
DO $$
DECLARE
    index_name text;
BEGIN
    FOR index_name IN SELECT i.indexname FROM pg_indexes i
                      WHERE i.schemaname = 'public' AND i.tablename = 'embeddings'
                        AND i.indexname LIKE 'idx\_embeddings\_vector\_%' LOOP
        EXECUTE format('DROP INDEX public.%I', index_name);
    END LOOP;
END
$$;
ALTER TABLE embeddings RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor,
                              autovacuum_analyze_scale_factor);
DROP INDEX idx_embeddings_owner_model;
CREATE INDEX idx_embeddings_owner ON embeddings (owner_id);
SET LOCAL max_parallel_maintenance_workers = 0;
CREATE INDEX idx_embeddings_vector ON embeddings
    USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 200);
ALTER TABLE embeddings DROP CONSTRAINT embeddings_model_fkey;
DROP TABLE embedding_models;
