-- name: GetTotals :one
-- @read_only
-- The library at one glance. Numbers of assets come from the counted days, sizes from an index that
-- holds them.
SELECT coalesce(d.photos, 0)::bigint AS photos, coalesce(d.videos, 0)::bigint AS videos,
       coalesce(d.recordings, 0)::bigint AS recordings,
       (SELECT coalesce(sum(a.file_size), 0)::bigint FROM assets a
        WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL) AS bytes,
       (SELECT count(*) FROM assets a
        WHERE a.owner_id = @owner_id AND a.deleted_at IS NOT NULL) AS trashed,
       (SELECT coalesce(sum(a.file_size), 0)::bigint FROM assets a
        WHERE a.owner_id = @owner_id AND a.deleted_at IS NOT NULL) AS trashed_bytes,
       (SELECT count(*) FROM albums b
        WHERE b.owner_id = @owner_id AND b.deleted_at IS NULL) AS albums,
       (SELECT count(*) FROM tags t) AS tags,
       (SELECT count(*) FROM repositories r WHERE r.owner_id = @owner_id) AS repositories
FROM (SELECT sum(d.photos) AS photos, sum(d.videos) AS videos, sum(d.recordings) AS recordings
      FROM asset_days d WHERE d.owner_id = @owner_id) d;

-- name: CountByCamera :many
-- @read_only
SELECT a.camera_make, a.camera_model, count(*) AS asset_count
FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL
GROUP BY a.camera_make, a.camera_model
ORDER BY count(*) DESC, a.camera_make, a.camera_model
LIMIT @row_limit;

-- name: CountByLens :many
-- @read_only
-- Assets with a lens.
-- @nonnull lens_model
SELECT a.lens_model, count(*) AS asset_count
FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL AND a.lens_model IS NOT NULL
GROUP BY a.lens_model
ORDER BY count(*) DESC, a.lens_model
LIMIT @row_limit;

-- name: CountByYear :many
-- @read_only
-- By the wall clock of the capture, newest first.
-- @nonnull year photos videos recordings
SELECT extract(year FROM d.day)::integer AS year, sum(d.photos)::bigint AS photos,
       sum(d.videos)::bigint AS videos, sum(d.recordings)::bigint AS recordings
FROM asset_days d
WHERE d.owner_id = @owner_id
GROUP BY 1
HAVING sum(d.photos) + sum(d.videos) + sum(d.recordings) > 0
ORDER BY 1 DESC;

-- name: CountByRepository :many
-- @read_only
-- What is on the disk: originals, those in the trash included, and thumbnails.
SELECT r.repo_id, r.name, r.path, r.is_default, coalesce(s.assets, 0)::bigint AS asset_count,
       coalesce(s.bytes, 0)::bigint AS bytes, coalesce(t.bytes, 0)::bigint AS thumbnail_bytes
FROM repositories r
LEFT JOIN (SELECT a.repository_id, count(*) AS assets, sum(a.file_size) AS bytes
           FROM assets a WHERE a.owner_id = @owner_id GROUP BY a.repository_id) s
       ON s.repository_id = r.repo_id
LEFT JOIN (SELECT a.repository_id, sum(h.file_size) AS bytes
           FROM thumbnails h JOIN assets a ON a.asset_id = h.asset_id
           WHERE h.owner_id = @owner_id AND a.owner_id = @owner_id GROUP BY a.repository_id) t
       ON t.repository_id = r.repo_id
WHERE r.owner_id = @owner_id
ORDER BY r.is_default DESC, r.name, r.repo_id;

-- name: CountByTag :many
-- @read_only
-- Those that an asset outside the trash has, the most used first.
-- @nonnull asset_count
SELECT t.tag_id, t.name, u.assets AS asset_count
FROM (SELECT c.tag_id, sum(c.assets)::bigint AS assets FROM tag_counts c
      WHERE c.owner_id = @owner_id GROUP BY c.tag_id HAVING sum(c.assets) > 0) u
JOIN tags t ON t.tag_id = u.tag_id
ORDER BY u.assets DESC, t.name, t.tag_id
LIMIT @row_limit;
