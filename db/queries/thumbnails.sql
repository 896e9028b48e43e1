-- name: CreateThumbnail :one
-- Replaces the one of the same size.
INSERT INTO thumbnails (asset_id, owner_id, size, file_path, file_size, width, height, mime_type)
VALUES (@asset_id, @owner_id, @size, @file_path, sqlc.narg('file_size'), sqlc.narg('width'),
        sqlc.narg('height'), sqlc.narg('mime_type'))
ON CONFLICT (asset_id, owner_id, size) DO UPDATE
    SET file_path = excluded.file_path, file_size = excluded.file_size, width = excluded.width,
        height = excluded.height, mime_type = excluded.mime_type
RETURNING *;

-- name: GetThumbnailByAssetAndSize :one
SELECT * FROM thumbnails
WHERE asset_id = @asset_id AND size = @size;

-- name: GetThumbnailsByAsset :many
SELECT * FROM thumbnails
WHERE asset_id = @asset_id
ORDER BY width, thumbnail_id;
