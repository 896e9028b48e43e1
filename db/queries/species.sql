-- name: SaveSpecies :exec
-- Replaces what was predicted of an asset; common names may be ''.
SELECT species_save(@asset_id, @names::text[], @common_names::text[], @confidences::float8[],
                    sqlc.narg('model_version'));

-- name: ListSpeciesOfAsset :many
-- @read_only
-- The surest first.
SELECT species_name, common_name, confidence::float8 AS confidence, model_version, created_at
FROM species_predictions
WHERE asset_id = @asset_id
ORDER BY species_predictions.confidence DESC, species_name;

-- name: CountSpecies :many
-- @read_only
-- Assets per species, predictions below a confidence left out; the most frequent first.
SELECT p.species_name, max(p.common_name)::text AS common_name, count(*) AS asset_count,
       max(p.confidence)::float8 AS best
FROM species_predictions p JOIN assets a ON a.asset_id = p.asset_id
WHERE p.owner_id = @owner_id AND p.confidence >= @min_confidence::numeric
  AND a.deleted_at IS NULL
GROUP BY p.species_name
ORDER BY count(*) DESC, p.species_name
LIMIT @row_limit;

-- name: ListAssetsOfSpecies :many
-- @read_only
-- The surest first.
SELECT p.confidence::float8 AS confidence, sqlc.embed(a)
FROM species_predictions p JOIN assets a ON a.asset_id = p.asset_id
WHERE p.owner_id = @owner_id AND p.species_name = @species_name
  AND p.confidence >= @min_confidence::numeric AND a.deleted_at IS NULL
ORDER BY p.confidence DESC, a.asset_id
LIMIT @row_limit;
