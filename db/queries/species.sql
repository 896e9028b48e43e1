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
-- Assets per species, predictions below a confidence left out; the most frequent first, each with the
-- surest prediction's common name. Whole tenths of confidence are kept by triggers, what lies between
-- two of them is counted.
-- @nonnull species_name asset_count best
SELECT s.name AS species_name, b.common_name, s.assets::bigint AS asset_count,
       b.confidence::float8 AS best
FROM (SELECT w.name, w.assets + coalesce(r.assets, 0) AS assets
      FROM (SELECT c.name,
                   coalesce(sum(c.assets)
                            FILTER (WHERE c.detail::integer >= @min_confidence::numeric * 10), 0)
                       AS assets,
                   sum(c.assets) FILTER (WHERE c.detail::integer < @min_confidence * 10) AS between
            FROM library_counts c
            WHERE c.owner_id = @owner_id AND c.kind = 'species'
              AND c.detail::integer >= floor(@min_confidence * 10)
            GROUP BY c.name) w
      LEFT JOIN LATERAL (SELECT count(*) AS assets
                         FROM species_predictions p JOIN assets a ON a.asset_id = p.asset_id
                         WHERE p.owner_id = @owner_id AND p.species_name = w.name
                           AND p.confidence >= @min_confidence
                           AND p.confidence < ceil(@min_confidence * 10) / 10
                           AND a.deleted_at IS NULL) r ON w.between > 0
      WHERE w.assets + coalesce(r.assets, 0) > 0
      ORDER BY w.assets + coalesce(r.assets, 0) DESC, w.name
      LIMIT @row_limit) s
CROSS JOIN LATERAL (SELECT p.confidence, p.common_name
                    FROM species_predictions p JOIN assets a ON a.asset_id = p.asset_id
                    WHERE p.owner_id = @owner_id AND p.species_name = s.name
                      AND a.deleted_at IS NULL
                    ORDER BY p.confidence DESC LIMIT 1) b
ORDER BY s.assets DESC, s.name;

-- name: ListAssetsOfSpecies :many
-- @read_only
-- The surest first.
SELECT p.confidence::float8 AS confidence, sqlc.embed(a)
FROM species_predictions p JOIN assets a ON a.asset_id = p.asset_id
WHERE p.owner_id = @owner_id AND p.species_name = @species_name
  AND p.confidence >= @min_confidence::numeric AND a.deleted_at IS NULL
ORDER BY p.confidence DESC, a.asset_id
LIMIT @row_limit;
