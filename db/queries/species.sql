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
-- Assets per species, predictions below a confidence (in ten thousandths) left out; the most frequent
-- first, each with the surest prediction's common name. Whole tenths of confidence are kept by
-- triggers; what lies between two of them is counted for those that may be among the first.
-- @nonnull species_name asset_count best
WITH kept AS MATERIALIZED (
    SELECT c.name,
           coalesce(sum(c.assets) FILTER (WHERE c.detail::integer * 1000 >= @least_e4::integer), 0)
               AS assets,
           coalesce(sum(c.assets) FILTER (WHERE c.detail::integer * 1000 < @least_e4), 0)
               AS between
    FROM library_counts c
    WHERE c.owner_id = @owner_id AND c.kind = 'species'
      AND c.detail::integer >= @least_e4 / 1000
    GROUP BY c.name),
least AS (SELECT k.assets FROM kept k ORDER BY k.assets DESC OFFSET @row_limit - 1 LIMIT 1)
SELECT s.name AS species_name, b.common_name, s.assets::bigint AS asset_count,
       b.confidence::float8 AS best
FROM (SELECT k.name, k.assets + coalesce(r.assets, 0) AS assets
      FROM kept k
      LEFT JOIN LATERAL (SELECT count(*) AS assets
                         FROM species_predictions p JOIN assets a ON a.asset_id = p.asset_id
                         WHERE k.between > 0
                           AND k.assets + k.between >= coalesce((SELECT l.assets FROM least l), 0)
                           AND p.owner_id = @owner_id AND p.species_name = k.name
                           AND p.confidence_e4 >= @least_e4
                           AND p.confidence_e4 < (@least_e4 / 1000 + 1) * 1000
                           AND a.deleted_at IS NULL) r ON true
      WHERE k.assets + coalesce(r.assets, 0) > 0
      ORDER BY k.assets + coalesce(r.assets, 0) DESC, k.name
      LIMIT @row_limit) s
CROSS JOIN LATERAL (SELECT p.confidence, p.common_name
                    FROM species_predictions p JOIN assets a ON a.asset_id = p.asset_id
                    WHERE p.owner_id = @owner_id AND p.species_name = s.name
                      AND a.deleted_at IS NULL
                    ORDER BY p.confidence_e4 DESC LIMIT 1) b
ORDER BY s.assets DESC, s.name;

-- name: ListAssetsOfSpecies :many
-- @read_only
-- Keyset page, the surest first; confidences in ten thousandths.
SELECT p.confidence::float8 AS confidence, sqlc.embed(a)
FROM species_predictions p JOIN assets a ON a.asset_id = p.asset_id
WHERE p.owner_id = @owner_id AND p.species_name = @species_name
  AND p.confidence_e4 >= @least_e4::integer AND a.deleted_at IS NULL
  /*@if after_id*/ AND (p.confidence_e4, p.asset_id)
                       < (sqlc.narg(after_e4)::integer, @after_id::uuid) /*@end*/
ORDER BY p.confidence_e4 DESC, p.asset_id DESC
LIMIT @row_limit;
