-- name: CreateAlbum :one
-- A filter makes it a smart album.
INSERT INTO albums (name, description, owner_id, is_public, filter)
VALUES (@name, sqlc.narg('description'), @owner_id, @is_public, sqlc.narg('filter'))
RETURNING *;

-- name: GetAlbum :one
-- @read_only
-- An album that is not in the trash.
SELECT * FROM albums
WHERE album_id = @album_id AND deleted_at IS NULL;

-- name: ListAlbums :many
-- @read_only
-- Keyset page, newest first, with what a list of albums shows. The cover is the chosen one as long
-- as it is not in the trash, else the first member; a smart album has no members of its own, and the
-- count that was taken last, if any.
SELECT sqlc.embed(b),
       CASE WHEN b.filter IS NULL
            THEN coalesce((SELECT sum(c.assets) FROM album_counts c
                           WHERE c.owner_id = @owner_id AND c.album_id = b.album_id), 0)::bigint
            ELSE b.found_count END AS asset_count,
       coalesce((SELECT a.asset_id FROM assets a
                 WHERE a.asset_id = b.cover_asset_id AND a.deleted_at IS NULL),
                (SELECT a.asset_id
                 FROM album_assets m JOIN assets a ON a.asset_id = m.asset_id
                 WHERE m.album_id = b.album_id AND a.deleted_at IS NULL
                 ORDER BY m.position, m.asset_id LIMIT 1)) AS shown_cover_id
FROM albums b
WHERE b.owner_id = @owner_id AND b.album_id < @before_album_id
  AND /*@switch which kept*/ b.deleted_at IS NULL /*@case trash: b.deleted_at IS NOT NULL*/ /*@end*/
ORDER BY b.album_id DESC
LIMIT @row_limit;

-- name: ListAlbumsOfAsset :many
-- @read_only
SELECT b.* FROM album_assets m JOIN albums b ON b.album_id = m.album_id
WHERE m.asset_id = @asset_id AND b.deleted_at IS NULL
ORDER BY b.album_id DESC;

-- name: UpdateAlbum :one
-- Only what is set is changed.
-- @patch name description is_public cover_asset_id
UPDATE albums
SET name = @name, description = @description, is_public = @is_public,
    cover_asset_id = @cover_asset_id, updated_at = now()
WHERE album_id = @album_id AND deleted_at IS NULL
RETURNING *;

-- name: UpdateAlbumFilter :execrows
-- Of a smart album; one with members of its own stays what it is.
UPDATE albums SET filter = @filter::jsonb, found_count = NULL, found_at = NULL, updated_at = now()
WHERE album_id = @album_id AND deleted_at IS NULL AND filter IS NOT NULL;

-- name: KeepFoundCount :execrows
-- What a filter just found, as long as it is the album's one.
UPDATE albums SET found_count = @found_count::bigint, found_at = now()
WHERE album_id = @album_id AND deleted_at IS NULL AND filter = @filter::jsonb;

-- name: DeleteAlbum :execrows
-- Into the trash.
UPDATE albums SET deleted_at = now(), updated_at = now()
WHERE album_id = @album_id AND deleted_at IS NULL;

-- name: RestoreAlbum :execrows
UPDATE albums SET deleted_at = NULL, updated_at = now()
WHERE album_id = @album_id AND deleted_at IS NOT NULL;

-- name: PurgeAlbum :execrows
-- Out of the trash for good. Its photos stay.
DELETE FROM albums WHERE album_id = @album_id AND deleted_at IS NOT NULL;

-- name: AddAlbumAssets :one
-- How many were added: members stay where they are.
-- @nonnull added
SELECT album_place(@album_id, @asset_ids::uuid[], sqlc.narg('place_index')::bigint,
                   sqlc.narg('behind_asset_id')::uuid, true) AS added;

-- name: MoveAlbumAssets :one
-- @nonnull moved
SELECT album_place(@album_id, @asset_ids::uuid[], sqlc.narg('place_index')::bigint,
                   sqlc.narg('behind_asset_id')::uuid, false) AS moved;

-- name: ReorderAlbumAssets :one
-- @nonnull changed
SELECT album_reorder(@album_id, @asset_ids::uuid[]) AS changed;

-- name: RemoveAlbumAssets :one
-- @nonnull removed
SELECT album_remove(@album_id, @asset_ids::uuid[]) AS removed;

-- name: IsCoverFit :one
-- @read_only
-- A member of the album; of a smart one any asset.
SELECT EXISTS (SELECT FROM assets a
               WHERE a.asset_id = @asset_id AND a.deleted_at IS NULL
                 AND (EXISTS (SELECT FROM album_assets m
                              WHERE m.album_id = @album_id AND m.asset_id = a.asset_id)
                      OR EXISTS (SELECT FROM albums b
                                 WHERE b.album_id = @album_id AND b.filter IS NOT NULL))) AS fit;

-- name: ListAlbumAssets :many
-- @read_only
-- @generic
-- Keyset page in the album's order.
SELECT m.position, m.added_at, sqlc.embed(a)
FROM album_assets m
JOIN assets a ON a.asset_id = m.asset_id
JOIN albums b ON b.album_id = m.album_id
WHERE m.album_id = @album_id AND b.deleted_at IS NULL AND a.deleted_at IS NULL
  AND (m.position, m.asset_id) > (@after_position::bigint, @after_asset_id::uuid)
ORDER BY m.position, m.asset_id
LIMIT @row_limit;

-- name: ListPublicAlbums :many
-- @read_only
-- Of all users of this server.
-- @nonnull album_id name owner_name is_own asset_count created_at
SELECT * FROM public_albums(@before_album_id, @row_limit);

-- name: ListPublicAlbumAssets :many
-- @read_only
-- @nonnull position asset_id original_filename asset_type
SELECT * FROM public_album_assets(@album_id, @after_position, @after_asset_id, @row_limit);

-- name: CountAlbumAssets :one
-- Counts the members of all albums again; answers how many numbers were wrong and are mended.
-- @nonnull mended
SELECT count_album_assets() AS mended;
