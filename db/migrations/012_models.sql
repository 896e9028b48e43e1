-- Embedding models side by side. Vectors of two models are never comparable, so each model has a
-- graph of its own: a partial index, for which a statement must be planned with the model's name at
-- hand. One model is the active one: texts are embedded by it and searched in its vectors, until
-- another one is complete.

CREATE TABLE embedding_models (
    model_id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name varchar(50) NOT NULL UNIQUE CHECK (name <> ''),
    is_active boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE embedding_models OWNER TO lumilio_owner;
CREATE UNIQUE INDEX embedding_models_active_key ON embedding_models (is_active) WHERE is_active;
GRANT SELECT ON embedding_models TO lumilio_app, lumilio_worker, lumilio_backup, lumilio_policy;
GRANT UPDATE (is_active) ON embedding_models TO lumilio_policy;
ALTER TABLE embedding_models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- The models belong to the library: everybody sees them, its owner alone adds some.
CREATE POLICY embedding_models_select ON embedding_models FOR SELECT
    TO lumilio_owner, lumilio_app, lumilio_worker USING (true);
CREATE POLICY embedding_models_insert ON embedding_models FOR INSERT
    TO lumilio_owner WITH CHECK (true);
CREATE POLICY embedding_models_update ON embedding_models FOR UPDATE
    TO lumilio_owner USING (true) WITH CHECK (true);
CREATE POLICY embedding_models_delete ON embedding_models FOR DELETE
    TO lumilio_owner USING (true);

INSERT INTO embedding_models (name)
SELECT 'clip-vit-base' UNION SELECT e.model_version FROM embeddings e;
UPDATE embedding_models SET is_active = true
WHERE name = (SELECT m.name FROM embedding_models m
              ORDER BY (SELECT count(*) FROM embeddings e WHERE e.model_version = m.name) DESC,
                       m.name
              LIMIT 1);
ALTER TABLE embeddings
    ADD CONSTRAINT embeddings_model_fkey FOREIGN KEY (model_version)
        REFERENCES embedding_models (name);
DROP INDEX idx_embeddings_vector;
DROP INDEX idx_embeddings_owner;
CREATE INDEX idx_embeddings_owner_model ON embeddings (owner_id, model_version);
-- Index-only counts want a fresh visibility map, and dead rows lengthen every walk of a graph.
ALTER TABLE embeddings SET (autovacuum_vacuum_scale_factor = 0.05,
                            autovacuum_vacuum_insert_scale_factor = 0.05,
                            autovacuum_analyze_scale_factor = 0.05);

-- The graph of one model. Built by one process: the parallel build of pgvector before 0.8.4 is
-- faulty. For a new model it is empty, and rows come into it one by one.
CREATE FUNCTION embedding_model_index(model text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public SET max_parallel_maintenance_workers = 0
    AS $$
    BEGIN
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON public.embeddings USING hnsw '
                       '(embedding public.halfvec_cosine_ops) WITH (m = 16, ef_construction = 200) '
                       'WHERE model_version = %L',
                       (SELECT 'idx_embeddings_vector_' || m.model_id
                        FROM public.embedding_models m WHERE m.name = model), model);
    END
    $$;
COMMENT ON FUNCTION embedding_model_index(text) IS 'Makes the index of a model''s vectors';
ALTER FUNCTION embedding_model_index(text) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION embedding_model_index(text) FROM PUBLIC;
SELECT embedding_model_index(name) FROM embedding_models;

-- Known and indexed from here on; true when it is new. It becomes the active model when that has no
-- vectors at all. Sixteen are enough for anybody, and each costs every insert a look.
CREATE FUNCTION embedding_model_add(model text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(7813577109);
        IF EXISTS (SELECT FROM public.embedding_models m WHERE m.name = model) THEN
            RETURN false;
        END IF;
        IF (SELECT count(*) FROM public.embedding_models) >= 16 THEN
            RAISE program_limit_exceeded
                USING MESSAGE = 'there are 16 embedding models already';
        END IF;
        INSERT INTO public.embedding_models (name) VALUES (model);
        PERFORM public.embedding_model_index(model);
        PERFORM public.embedding_model_take_over(model);
        RETURN true;
    END
    $$;
COMMENT ON FUNCTION embedding_model_add(text) IS
    'Makes a model known and its index; false when it was known';
ALTER FUNCTION embedding_model_add(text) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION embedding_model_add(text) FROM PUBLIC;

-- Past the policies, because the vectors of all owners count.
CREATE FUNCTION embedding_model_take_over(model text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM public.embeddings e JOIN public.embedding_models m
                       ON m.name = e.model_version WHERE m.is_active) THEN
            UPDATE public.embedding_models SET is_active = false WHERE is_active;
            UPDATE public.embedding_models SET is_active = true WHERE name = model;
        END IF;
    END
    $$;
ALTER FUNCTION embedding_model_take_over(text) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION embedding_model_take_over(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION embedding_model_take_over(text) TO lumilio_owner;

-- The switch. Answers how many live assets the old model describes and the new one does not; it is
-- made when there are none, or when that is all the same. -1: there is no such model.
CREATE FUNCTION embedding_model_use(model text, although_incomplete boolean) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
    DECLARE
        missing bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock(7813577109);
        IF NOT EXISTS (SELECT FROM public.embedding_models m WHERE m.name = model) THEN
            RETURN -1;
        END IF;
        SELECT count(*) INTO missing
        FROM public.embeddings e
        JOIN public.embedding_models m ON m.name = e.model_version AND m.is_active
        JOIN public.assets a ON a.asset_id = e.asset_id AND a.deleted_at IS NULL
        WHERE NOT EXISTS (SELECT FROM public.embeddings n
                          WHERE n.asset_id = e.asset_id AND n.model_version = model);
        IF missing = 0 OR although_incomplete THEN
            UPDATE public.embedding_models SET is_active = false WHERE is_active AND name <> model;
            UPDATE public.embedding_models SET is_active = true WHERE NOT is_active AND name = model;
        END IF;
        RETURN missing;
    END
    $$;
COMMENT ON FUNCTION embedding_model_use(text, boolean) IS
    'Makes a complete model the active one; how many assets it lacks';
ALTER FUNCTION embedding_model_use(text, boolean) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION embedding_model_use(text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION embedding_model_use(text, boolean) TO lumilio_owner;
