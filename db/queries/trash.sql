-- name: ListTrash :many
-- @read_only
-- @generic
-- The last deleted first.
SELECT * FROM assets
WHERE owner_id = @owner_id AND deleted_at IS NOT NULL
  /*@if after_id*/ AND (deleted_at, asset_id)
                       < (sqlc.narg(after_deleted_at)::timestamptz, @after_id::uuid) /*@end*/
ORDER BY deleted_at DESC, asset_id DESC
LIMIT @row_limit;

-- name: PurgeAssets :one
-- Removes assets that were deleted an age ago, or one of them, for good, and writes down their
-- files for removal. Rows that somebody else just works on are passed over.
WITH victims AS MATERIALIZED (
    SELECT asset_id, repository_id, file_path, transcoded_path, file_size
    FROM assets
    WHERE owner_id = @owner_id AND deleted_at <= now() - @age::interval
      /*@if asset_id*/ AND asset_id = @asset_id::uuid /*@end*/
    ORDER BY deleted_at, asset_id
    LIMIT @row_limit
    FOR UPDATE SKIP LOCKED
), files AS (
    INSERT INTO file_deletions (owner_id, repository_id, file_path, not_before)
    SELECT @owner_id, v.repository_id, f.path, now() + @keep_files::interval
    FROM victims v
    CROSS JOIN LATERAL (SELECT v.file_path
                        UNION SELECT v.transcoded_path
                        UNION SELECT t.file_path FROM thumbnails t
                              WHERE t.asset_id = v.asset_id) f(path)
    WHERE v.repository_id IS NOT NULL AND f.path IS NOT NULL
    RETURNING 1
), gone AS (
    DELETE FROM assets a USING victims v WHERE a.asset_id = v.asset_id RETURNING v.file_size
)
SELECT (SELECT count(*) FROM gone) AS assets, (SELECT count(*) FROM files) AS files,
       (SELECT coalesce(sum(file_size), 0)::bigint FROM gone) AS bytes;
