-- Nearest first, by one of three ways. Few rows in question: all distances are computed, which is
-- complete. Many: the model's graph is walked, further and further until enough rows passed the
-- filter, and looked through for more than are wanted, because its order is not exact. Too few from
-- the graph: all distances after all. ids: the only assets in question, NULL when there are more
-- than exact_most of them. The planner alone would walk the graph for one row in a hundred.
CREATE OR REPLACE FUNCTION search_near(of_owner integer, model text, v halfvec(512), f search_filter,
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
