-- name: CreateImportIntent :exec
-- Running it again with the same id changes nothing: the answer to the first try may be lost.
INSERT INTO import_intents (
    intent_id, owner_id, repository_id, file_path, file_size, file_hash, original_filename,
    filename_bytes, source_mtime
) VALUES (
    @intent_id, @owner_id, @repository_id, @file_path, @file_size, @file_hash,
    @original_filename, sqlc.narg('filename_bytes'), sqlc.narg('source_mtime')
)
ON CONFLICT (intent_id) DO NOTHING;

-- name: MoveImportIntent :execrows
-- Another final path, because the first one is taken by a file of other content.
UPDATE import_intents SET file_path = @file_path, updated_at = now()
WHERE intent_id = @intent_id AND state = 'received';

-- name: CommitImportIntent :execrows
UPDATE import_intents
SET state = 'committed', asset_id = @asset_id, error_message = NULL, updated_at = now()
WHERE intent_id = @intent_id AND state = 'received';

-- name: FailImportIntent :execrows
UPDATE import_intents
SET state = 'failed', error_message = @error_message, updated_at = now()
WHERE intent_id = @intent_id AND state = 'received';

-- name: LockImportIntent :one
-- Serialises two processes that work on one intent; the lock ends with the transaction.
SELECT state, asset_id FROM import_intents WHERE intent_id = @intent_id FOR UPDATE;

-- name: ListOpenImportIntents :many
-- Oldest first; row_offset passes over those that could not be finished in this run.
SELECT * FROM import_intents
WHERE state = 'received' AND owner_id = @owner_id
ORDER BY created_at, intent_id
LIMIT @row_limit OFFSET @row_offset;

-- name: PurgeImportIntents :execrows
DELETE FROM import_intents
WHERE state <> 'received' AND updated_at < now() - @age::interval;

-- name: IsPathUsed :one
-- Whether a live or trashed asset, its thumbnail or an open intent stands for a file of the
-- repository.
SELECT EXISTS (SELECT FROM assets a
               WHERE a.repository_id = @repository_id AND a.file_path = @file_path)
    OR EXISTS (SELECT FROM import_intents i
               WHERE i.repository_id = @repository_id AND i.file_path = @file_path
                 AND i.state = 'received')
    OR EXISTS (SELECT FROM thumbnails t JOIN assets a ON a.asset_id = t.asset_id
               WHERE a.repository_id = @repository_id AND t.file_path = @file_path) AS used;

-- name: IsFileDeletionWaiting :one
-- Whether a file is to be removed and only waits for its day.
SELECT EXISTS (SELECT FROM file_deletions d
               WHERE d.repository_id = @repository_id AND d.file_path = @file_path) AS waiting;

-- name: CreateFileDeletion :exec
INSERT INTO file_deletions (owner_id, repository_id, file_path, not_before)
VALUES (@owner_id, @repository_id, @file_path, @not_before);

-- name: ListDueFileDeletions :many
-- Of one repository: paths are relative to its folder; the longest due first. row_offset passes over
-- those that could not be carried out in this run.
SELECT * FROM file_deletions
WHERE owner_id = @owner_id AND repository_id = @repository_id AND not_before <= now()
ORDER BY not_before, deletion_id
LIMIT @row_limit OFFSET @row_offset;

-- name: DeleteFileDeletion :exec
DELETE FROM file_deletions WHERE deletion_id = @deletion_id;

-- name: ListAssetFiles :many
-- Files that assets of a repository stand for, trash included, by key; for comparing with the disk.
SELECT asset_id, file_path, file_size, file_hash FROM assets
WHERE repository_id = @repository_id AND asset_id > @after_asset_id
ORDER BY asset_id
LIMIT @row_limit;

-- name: ListThumbnailFiles :many
-- The same for their thumbnails, by key of the asset and of the thumbnail.
SELECT t.asset_id, t.thumbnail_id, t.file_path, t.file_size
FROM assets a JOIN thumbnails t ON t.asset_id = a.asset_id
WHERE a.repository_id = @repository_id AND a.asset_id >= @after_asset_id
  AND (t.asset_id > @after_asset_id OR t.thumbnail_id > @after_thumbnail_id)
ORDER BY a.asset_id, t.thumbnail_id
LIMIT @row_limit;
