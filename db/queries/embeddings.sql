-- name: SaveNewEmbedding :execrows
-- 0 rows: the same vector is there already, and nothing is touched.
INSERT INTO embeddings (asset_id, owner_id, embedding, model_version)
VALUES (@asset_id, @owner_id, @embedding, @model_version)
ON CONFLICT (asset_id, owner_id, model_version) DO UPDATE
    SET embedding = excluded.embedding, created_at = now()
    WHERE embeddings.embedding IS DISTINCT FROM excluded.embedding;

-- name: GetEmbedding :one
-- @read_only
SELECT embedding FROM embeddings
WHERE asset_id = @asset_id AND model_version = @model_version;

-- name: IsEmbeddedSince :one
-- @read_only
-- Whether a model described an asset at a time or later.
SELECT EXISTS (SELECT FROM embeddings e
               WHERE e.asset_id = @asset_id AND e.model_version = @model_version
                 AND e.created_at >= @since) AS embedded;

-- name: ListAssetsToEmbed :many
-- @read_only
-- Live photos and videos of the current user that a model does not describe yet, in the order of
-- their ids.
SELECT a.asset_id FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL AND a.asset_type IN ('photo', 'video')
  AND a.asset_id > @after_asset_id
  AND NOT EXISTS (SELECT FROM embeddings e
                  WHERE e.asset_id = a.asset_id AND e.model_version = @model_version)
ORDER BY a.asset_id
LIMIT @row_limit;

-- name: ListEmbeddingModels :many
-- @read_only
-- With how many assets of the current user each describes.
SELECT m.name, m.is_active, m.created_at,
       (SELECT count(*) FROM embeddings e
        WHERE e.owner_id = @owner_id AND e.model_version = m.name) AS embedding_count
FROM embedding_models m
ORDER BY m.model_id;

-- name: GetActiveEmbeddingModel :one
-- @read_only
SELECT name FROM embedding_models WHERE is_active;

-- name: AddEmbeddingModel :one
-- By the tables' owner only; true when the model is new.
-- @nonnull added
SELECT embedding_model_add(@model_version::text) AS added;

-- name: UseEmbeddingModel :one
-- By the tables' owner only; how many assets the model lacks, -1 when there is no such model.
-- @nonnull missing
SELECT embedding_model_use(@model_version::text, @although_incomplete::boolean) AS missing;

-- name: MakeEmbeddingGraph :one
-- By the tables' owner only; the name of the graph that was made or dropped, "" when there was
-- nothing to do.
SELECT coalesce(embedding_graph_make(@at_least::bigint), '') AS graph;
