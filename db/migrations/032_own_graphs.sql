-- A graph of their own for owners of many vectors.
--
-- The graph of a model holds the vectors of all. Whoever has a tenth of them walks past nine foreign
-- ones for each own one: at a million vectors that took 75 ms and found 94.5 % of the nearest ten,
-- where a graph of the owner's 109,000 takes 15 ms and finds 98 %. It also answers by nobody
-- else's vectors. Who has few is answered exactly and needs none; who has half of all or more is
-- served as well by the model's graph.

-- Past the policies, because the vectors of all owners count. Graphs to make (index_name does not
-- exist), and graphs whose owner has gone or has few vectors left.
CREATE FUNCTION embedding_graphs(at_least bigint)
    RETURNS TABLE (index_name text, owner_id integer, model text, is_wanted boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    BEGIN ATOMIC
        WITH owned AS (
            SELECT 'idx_embeddings_vector_' || m.model_id || '_' || e.owner_id AS index_name,
                   e.owner_id, m.name::text AS model, count(*) AS vectors,
                   sum(count(*)) OVER (PARTITION BY m.model_id) AS of_all
            FROM public.embeddings e
            JOIN public.embedding_models m ON m.name = e.model_version
            GROUP BY m.model_id, m.name, e.owner_id
        )
        SELECT o.index_name, o.owner_id, o.model, true
        FROM owned o
        WHERE o.vectors >= at_least AND o.vectors * 2 < o.of_all
          AND to_regclass('public.' || o.index_name) IS NULL
        UNION ALL
        SELECT c.relname, NULL, NULL, false
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = 'public.embeddings'::regclass
          AND c.relname ~ '^idx_embeddings_vector_[0-9]+_[0-9]+$'
          AND NOT EXISTS (SELECT FROM owned o
                          WHERE o.index_name = c.relname AND o.vectors * 2 >= at_least);
    END;
COMMENT ON FUNCTION embedding_graphs(bigint) IS
    'Graphs of single owners that are to be made, or to be dropped';
ALTER FUNCTION embedding_graphs(bigint) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION embedding_graphs(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION embedding_graphs(bigint) TO lumilio_owner;

-- One graph per call, so that what is made stays made; its name, NULL when all is as it should be.
-- Vectors cannot be written meanwhile. Who waits five seconds for its lock tries another time.
CREATE FUNCTION embedding_graph_make(at_least bigint) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public SET max_parallel_maintenance_workers = 0
    SET lock_timeout = '5s'
    AS $$
    DECLARE
        graph record;
    BEGIN
        PERFORM pg_advisory_xact_lock(7813577109);
        SELECT g.* INTO graph FROM public.embedding_graphs(at_least) g
        ORDER BY g.is_wanted, g.index_name LIMIT 1;
        IF graph.is_wanted THEN
            EXECUTE format('CREATE INDEX %I ON public.embeddings USING hnsw '
                           '(embedding public.halfvec_cosine_ops) '
                           'WITH (m = 16, ef_construction = 200) '
                           'WHERE owner_id = %s AND model_version = %L',
                           graph.index_name, graph.owner_id, graph.model);
        ELSIF NOT graph.is_wanted THEN
            EXECUTE format('DROP INDEX public.%I', graph.index_name);
        END IF;
        RETURN graph.index_name;
    END
    $$;
COMMENT ON FUNCTION embedding_graph_make(bigint) IS
    'Makes or drops one graph of a single owner; its name, NULL when there is nothing to do';
ALTER FUNCTION embedding_graph_make(bigint) OWNER TO lumilio_owner;
REVOKE ALL ON FUNCTION embedding_graph_make(bigint) FROM PUBLIC;

-- Nearest first, by one of three ways. Few rows in question: all distances are computed, which is
-- complete. Many: the owner's graph is walked, else the model's, further and further until enough
-- rows passed the filter, and looked through for more than are wanted, because its order is not exact. Too few from
-- the graph: all distances after all. ids: the only assets in question, NULL when there are more
-- than exact_most of them. The planner alone would walk the graph for one row in a hundred.
-- Of assets that are equally far the lower id is the nearer one: without that rule the limit cut off
-- what the plan happened to give last, and plans know how many rows other owners have.
CREATE OR REPLACE FUNCTION search_near(of_owner integer, model text, v halfvec(512), f search_filter,
                            ids uuid[], take integer, exact_most integer,
                            OUT near_ids uuid[], OUT distances double precision[], OUT route text)
    LANGUAGE plpgsql STABLE
    AS $$
    DECLARE
        known bigint;
        width text; -- how many are looked at together; NULL: no graph (yet, or its build failed)
    BEGIN
        IF ids IS NOT NULL THEN
            SELECT array_agg(c.asset_id ORDER BY c.d, c.asset_id),
                   array_agg(c.d ORDER BY c.d, c.asset_id)
            INTO near_ids, distances
            FROM (SELECT e.asset_id, (e.embedding OPERATOR(public.<=>) v) + 0 AS d
                  FROM unnest(ids) wanted(asset_id)
                  JOIN public.embeddings e ON e.asset_id = wanted.asset_id
                  WHERE e.owner_id = of_owner AND e.model_version = model
                  ORDER BY 2, 1 LIMIT take) c;
            route := 'exact';
            RETURN;
        END IF;
        SELECT count(*) INTO known
        FROM (SELECT FROM public.embeddings e
              WHERE e.owner_id = of_owner AND e.model_version = model
              LIMIT exact_most::bigint + 1) one;
        -- The planner takes the owner's graph where there is one: it has fewer rows.
        SELECT CASE WHEN own.indisvalid THEN '600'
                    WHEN c.reltuples >= 500000 THEN '500'
                    ELSE '320' END INTO width
        FROM public.embedding_models m
        JOIN pg_catalog.pg_index i
            ON i.indexrelid = to_regclass('public.idx_embeddings_vector_' || m.model_id)
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        LEFT JOIN pg_catalog.pg_index own
            ON own.indexrelid = to_regclass('public.idx_embeddings_vector_' || m.model_id || '_'
                                            || of_owner)
        WHERE m.name = model AND i.indisvalid;
        IF known > exact_most AND width IS NOT NULL THEN
            PERFORM set_config('hnsw.ef_search', width, true),
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
              ORDER BY 2, 1 LIMIT take) c;
        route := CASE route WHEN 'index' THEN 'index, then exact' ELSE 'exact' END;
    END
    $$;
