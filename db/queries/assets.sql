-- name: GetAsset :one
-- @read_only
-- A live asset of the current user.
SELECT * FROM assets
WHERE asset_id = @asset_id AND deleted_at IS NULL;

-- name: ListAssets :many
-- @read_only
SELECT * FROM assets
WHERE deleted_at IS NULL
ORDER BY uploaded_at DESC, asset_id DESC
LIMIT @row_limit OFFSET @row_offset;

-- name: CreateAsset :one
-- No row comes back when the owner has a live asset of the same content: GetAssetByContent finds it.
INSERT INTO assets (
    asset_id, original_filename, filename_bytes, file_path, file_size, file_hash, mime_type,
    asset_type, repository_id, owner_id, uploaded_at, taken_at, taken_local,
    taken_offset_minutes, taken_source, camera_make, camera_model, lens_model, iso, aperture,
    shutter_speed, focal_length, latitude, longitude, altitude, width, height, duration,
    description, rating, is_raw
) VALUES (
    @asset_id, @original_filename, sqlc.narg('filename_bytes'), @file_path, @file_size,
    @file_hash, sqlc.narg('mime_type'), @asset_type, sqlc.narg('repository_id'), @owner_id,
    @uploaded_at, sqlc.narg('taken_at'), sqlc.narg('taken_local'),
    sqlc.narg('taken_offset_minutes'), sqlc.narg('taken_source'), sqlc.narg('camera_make'),
    sqlc.narg('camera_model'), sqlc.narg('lens_model'), sqlc.narg('iso'), sqlc.narg('aperture'),
    sqlc.narg('shutter_speed'), sqlc.narg('focal_length'), sqlc.narg('latitude'),
    sqlc.narg('longitude'), sqlc.narg('altitude'), sqlc.narg('width'), sqlc.narg('height'),
    sqlc.narg('duration'), sqlc.narg('description'), sqlc.narg('rating'), @is_raw
)
ON CONFLICT (owner_id, file_hash, file_size) WHERE deleted_at IS NULL DO NOTHING
RETURNING *;

-- name: GetAssetByContent :one
-- @read_only
-- The live asset of an owner with this content, if any.
SELECT * FROM assets
WHERE owner_id = @owner_id AND file_hash = @file_hash::text AND file_size = @file_size
  AND deleted_at IS NULL;

-- name: UpdateAssetMetadata :one
-- @patch taken_at taken_local taken_offset_minutes taken_source camera_make camera_model lens_model
-- @patch iso aperture shutter_speed focal_length latitude longitude altitude description rating liked
-- What a person says of an asset; only the columns whose set_… is true change, and their names are
-- kept, but for those that no file tells.
UPDATE assets
SET taken_at = @taken_at, taken_local = @taken_local,
    taken_offset_minutes = @taken_offset_minutes, taken_source = @taken_source,
    camera_make = @camera_make, camera_model = @camera_model, lens_model = @lens_model,
    iso = @iso, aperture = @aperture, shutter_speed = @shutter_speed,
    focal_length = @focal_length, latitude = @latitude, longitude = @longitude,
    altitude = @altitude, description = @description, rating = @rating, liked = @liked,
    edited = ARRAY(SELECT DISTINCT e.name FROM unnest(edited || @edited_names::text[]) e (name)
                   ORDER BY e.name),
    updated_at = now()
WHERE asset_id = @asset_id AND deleted_at IS NULL
RETURNING *;

-- name: SetAssetFacts :execrows
-- What the file says, read again. What a person set or emptied stays, unless reset: then all is as
-- the file says, but for a time of capture that it does not tell. Latitude and longitude were edited
-- together.
UPDATE assets
SET mime_type = sqlc.narg('mime_type'),
    taken_at = CASE
           WHEN @has_taken::boolean AND (@reset::boolean OR NOT coalesce(taken_source = 'user'
                                         OR 'taken_at' = ANY (edited), false))
           THEN sqlc.narg('taken_at')::timestamptz ELSE taken_at END,
    taken_local = CASE
           WHEN @has_taken::boolean AND (@reset OR NOT coalesce(taken_source = 'user'
                                         OR 'taken_at' = ANY (edited), false))
           THEN sqlc.narg('taken_local')::timestamp ELSE taken_local END,
    taken_offset_minutes = CASE
           WHEN @has_taken::boolean AND (@reset OR NOT coalesce(taken_source = 'user'
                                         OR 'taken_at' = ANY (edited), false))
           THEN sqlc.narg('taken_offset_minutes')::smallint ELSE taken_offset_minutes END,
    taken_source = CASE
           WHEN @has_taken::boolean AND (@reset OR NOT coalesce(taken_source = 'user'
                                         OR 'taken_at' = ANY (edited), false))
           THEN sqlc.narg('taken_source')::text ELSE taken_source END,
    camera_make = CASE WHEN NOT @reset::boolean AND 'camera_make' = ANY (edited)
           THEN camera_make ELSE sqlc.narg('camera_make')::text END,
    camera_model = CASE WHEN NOT @reset AND 'camera_model' = ANY (edited)
           THEN camera_model ELSE sqlc.narg('camera_model')::text END,
    lens_model = CASE WHEN NOT @reset AND 'lens_model' = ANY (edited)
           THEN lens_model ELSE sqlc.narg('lens_model')::text END,
    iso = CASE WHEN NOT @reset AND 'iso' = ANY (edited)
           THEN iso ELSE sqlc.narg('iso')::integer END,
    aperture = CASE WHEN NOT @reset AND 'aperture' = ANY (edited)
           THEN aperture ELSE sqlc.narg('aperture')::numeric END,
    shutter_speed = CASE WHEN NOT @reset AND 'shutter_speed' = ANY (edited)
           THEN shutter_speed ELSE sqlc.narg('shutter_speed')::text END,
    focal_length = CASE WHEN NOT @reset AND 'focal_length' = ANY (edited)
           THEN focal_length ELSE sqlc.narg('focal_length')::numeric END,
    latitude = CASE WHEN NOT @reset AND 'latitude' = ANY (edited)
           THEN latitude ELSE sqlc.narg('latitude')::numeric END,
    longitude = CASE WHEN NOT @reset AND 'latitude' = ANY (edited)
           THEN longitude ELSE sqlc.narg('longitude')::numeric END,
    altitude = CASE WHEN NOT @reset AND 'altitude' = ANY (edited)
           THEN altitude ELSE sqlc.narg('altitude')::numeric END,
    width = sqlc.narg('width'), height = sqlc.narg('height'), duration = sqlc.narg('duration'),
    description = CASE WHEN NOT @reset AND (description IS NOT NULL OR 'description' = ANY (edited))
           THEN description ELSE sqlc.narg('description')::text END,
    rating = CASE WHEN NOT @reset AND (rating IS NOT NULL OR 'rating' = ANY (edited))
           THEN rating ELSE sqlc.narg('rating')::integer END,
    edited = CASE WHEN @reset THEN NULL ELSE edited END,
    is_raw = @is_raw,
    updated_at = now()
WHERE asset_id = @asset_id AND deleted_at IS NULL;

-- name: DeleteAsset :execrows
-- Into the trash; purging is a job of its own.
UPDATE assets SET deleted_at = now(), updated_at = now()
WHERE asset_id = @asset_id AND deleted_at IS NULL;

-- name: RestoreAsset :execrows
UPDATE assets SET deleted_at = NULL, updated_at = now()
WHERE asset_id = @asset_id AND deleted_at IS NOT NULL;

-- name: GetAssetsByOwner :many
-- @read_only
SELECT * FROM assets
WHERE owner_id = @owner_id AND deleted_at IS NULL
  /*@if after_id*/ AND (uploaded_at, asset_id)
                       < (sqlc.narg(after_uploaded_at)::timestamptz, @after_id::uuid) /*@end*/
ORDER BY uploaded_at DESC, asset_id DESC
LIMIT @row_limit OFFSET @row_offset;

-- name: GetAssetsByOwnerAndType :many
-- @read_only
SELECT * FROM assets
WHERE owner_id = @owner_id AND asset_type = @asset_type AND deleted_at IS NULL
  /*@if after_id*/ AND (uploaded_at, asset_id)
                       < (sqlc.narg(after_uploaded_at)::timestamptz, @after_id::uuid) /*@end*/
ORDER BY uploaded_at DESC, asset_id DESC
LIMIT @row_limit OFFSET @row_offset;

-- name: SearchAssets :many
-- @read_only
-- By file name, description, camera and lens; exact file name first, then the newest.
SELECT a.*
FROM search_assets(@query, sqlc.narg('asset_type')::text, @row_limit::integer,
                   @row_offset::integer) s
JOIN assets a ON a.asset_id = s.asset_id
ORDER BY s.rank;

-- name: ListAssetsWithThumbnails :many
-- @read_only
-- One row per asset; thumbnails is a JSON array, smallest first, [] when there are none.
SELECT sqlc.embed(a),
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'thumbnail_id', t.thumbnail_id, 'size', t.size, 'file_path', t.file_path,
                   'width', t.width, 'height', t.height)
                   ORDER BY t.width, t.thumbnail_id), '[]'::jsonb)
        FROM thumbnails t WHERE t.asset_id = a.asset_id) AS thumbnails
FROM assets a
WHERE a.deleted_at IS NULL
  /*@if after_id*/ AND (a.uploaded_at, a.asset_id)
                       < (sqlc.narg(after_uploaded_at)::timestamptz, @after_id::uuid) /*@end*/
ORDER BY a.uploaded_at DESC, a.asset_id DESC
LIMIT @row_limit OFFSET @row_offset;
