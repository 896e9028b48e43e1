-- name: GetTotals :one
-- @read_only
-- The library at one glance, from numbers that triggers keep. Tags: own ones, and shared ones that an
-- asset outside the trash has.
-- @nonnull tags
SELECT coalesce(d.photos, 0)::bigint AS photos, coalesce(d.videos, 0)::bigint AS videos,
       coalesce(d.recordings, 0)::bigint AS recordings,
       (coalesce(c.bytes, 0) - coalesce(c.trashed_bytes, 0))::bigint AS bytes,
       coalesce(c.trashed, 0)::bigint AS trashed,
       coalesce(c.trashed_bytes, 0)::bigint AS trashed_bytes,
       (SELECT count(*) FROM albums b
        WHERE b.owner_id = @owner_id AND b.deleted_at IS NULL) AS albums,
       (SELECT count(*) FROM tags t WHERE t.owner_id = @owner_id)
       + (SELECT count(*) FROM (SELECT c.tag_id FROM tag_counts c WHERE c.owner_id = @owner_id
                                GROUP BY c.tag_id HAVING sum(c.assets) > 0) u
          WHERE NOT EXISTS (SELECT FROM tags o
                            WHERE o.owner_id = @owner_id AND o.tag_id = u.tag_id)) AS tags,
       (SELECT count(*) FROM repositories r WHERE r.owner_id = @owner_id) AS repositories
FROM (SELECT sum(d.photos) AS photos, sum(d.videos) AS videos, sum(d.recordings) AS recordings
      FROM asset_days d WHERE d.owner_id = @owner_id) d,
     (SELECT sum(c.bytes) FILTER (WHERE c.kind = 'repository') AS bytes,
             sum(c.assets) FILTER (WHERE c.kind = 'trash') AS trashed,
             sum(c.bytes) FILTER (WHERE c.kind = 'trash') AS trashed_bytes
      FROM library_counts c
      WHERE c.owner_id = @owner_id AND c.kind IN ('repository', 'trash')) c;

-- name: CountByCamera :many
-- @read_only
-- @nonnull asset_count
SELECT nullif(c.name, '')::text AS camera_make, nullif(c.detail, '')::text AS camera_model,
       sum(c.assets)::bigint AS asset_count
FROM library_counts c
WHERE c.owner_id = @owner_id AND c.kind = 'camera'
GROUP BY c.name, c.detail
HAVING sum(c.assets) > 0
ORDER BY sum(c.assets) DESC, nullif(c.name, ''), nullif(c.detail, '')
LIMIT @row_limit;

-- name: CountByLens :many
-- @read_only
-- Assets with a lens.
-- @nonnull asset_count
SELECT c.name AS lens_model, sum(c.assets)::bigint AS asset_count
FROM library_counts c
WHERE c.owner_id = @owner_id AND c.kind = 'lens'
GROUP BY c.name
HAVING sum(c.assets) > 0
ORDER BY sum(c.assets) DESC, c.name
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
       coalesce(s.bytes, 0)::bigint AS bytes, coalesce(s.thumbnails, 0)::bigint AS thumbnail_bytes
FROM repositories r
LEFT JOIN (SELECT c.name, sum(c.assets) FILTER (WHERE c.kind = 'repository') AS assets,
                  sum(c.bytes) FILTER (WHERE c.kind = 'repository') AS bytes,
                  sum(c.bytes) FILTER (WHERE c.kind = 'thumbnails') AS thumbnails
           FROM library_counts c
           WHERE c.owner_id = @owner_id AND c.kind IN ('repository', 'thumbnails')
           GROUP BY c.name) s
       ON s.name = r.repo_id::text
WHERE r.owner_id = @owner_id
ORDER BY r.is_default DESC, r.name, r.repo_id;

-- name: CountByTag :many
-- @read_only
-- Those that an asset outside the trash has, the most used first.
-- @nonnull asset_count
SELECT t.tag_id, t.name, u.assets AS asset_count
FROM (SELECT c.tag_id, sum(c.assets)::bigint AS assets FROM tag_counts c
      WHERE c.owner_id = @owner_id GROUP BY c.tag_id HAVING sum(c.assets) > 0
      ORDER BY sum(c.assets) DESC FETCH FIRST (@row_limit) ROWS WITH TIES) u
JOIN tags t ON t.tag_id = u.tag_id
ORDER BY u.assets DESC, t.name, t.tag_id
LIMIT @row_limit;

-- name: CountLibrary :one
-- Counts cameras, lenses, species and what lies on the disk again; answers how many numbers were
-- wrong and are mended.
-- @nonnull mended
SELECT count_library() AS mended;
