-- name: GetDuplicatesEnd :one
-- @read_only
-- The last asset of the next piece to look at; no row: it goes to the end.
SELECT e.asset_id
FROM embeddings e JOIN embedding_models m ON m.name = e.model_version AND m.is_active
WHERE e.owner_id = @owner_id AND e.asset_id > @after_id
ORDER BY e.asset_id
OFFSET @piece::integer - 1 LIMIT 1;

-- name: FindDuplicates :many
-- @read_only
-- @nonnull leader_id distance is_sure
-- Groups whose leader is in a piece of the current user's assets, the leader first in each.
SELECT s.leader_id, s.distance, s.is_sure, sqlc.embed(a)
FROM duplicate_stars(@after_id::uuid, sqlc.narg('last_id')::uuid, @distance_most::float8,
                     @sure_only::boolean, @exact_most::integer) s
JOIN assets a ON a.asset_id = s.asset_id
ORDER BY s.leader_id, (s.asset_id = s.leader_id) DESC, s.distance, s.asset_id;

-- name: TrashDuplicates :many
-- Into the trash, each only while the one that is kept instead of it is there.
UPDATE assets a SET deleted_at = now(), updated_at = now()
FROM unnest(@asset_ids::uuid[], @kept_ids::uuid[]) d (asset_id, kept_id)
WHERE a.asset_id = d.asset_id AND a.deleted_at IS NULL AND d.kept_id <> d.asset_id
  AND EXISTS (SELECT FROM assets k WHERE k.asset_id = d.kept_id AND k.deleted_at IS NULL)
RETURNING a.asset_id;
