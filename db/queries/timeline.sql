-- name: ListTimelineMonths :many
-- @read_only
-- Months that have live assets, the newest first, from the counts that triggers keep.
-- @nonnull month
SELECT date_trunc('month', day)::date AS month, sum(photos)::bigint AS photos,
       sum(videos)::bigint AS videos, sum(recordings)::bigint AS recordings
FROM asset_days
WHERE owner_id = @owner_id AND photos + videos + recordings > 0
GROUP BY 1
ORDER BY 1 DESC;

-- name: ListTimelineDays :many
-- @read_only
SELECT day, photos, videos, recordings
FROM asset_days
WHERE owner_id = @owner_id AND photos + videos + recordings > 0
  AND day >= @from_day AND day < @before_day
ORDER BY day DESC;

-- name: CountTimelineDays :one
-- Counts all days again; answers how many were wrong and are mended.
-- @nonnull mended
SELECT count_asset_days() AS mended;
