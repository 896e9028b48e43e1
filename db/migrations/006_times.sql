-- Every time becomes an instant (timestamptz); what the seed stored without zone was UTC.
-- The time of capture is three values: the instant, the offset that the camera stated (NULL: not
-- known, the instant then treats the wall clock as UTC) and the wall clock itself, by which the
-- timeline groups. taken_source says where they came from.

ALTER TABLE users
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamptz USING updated_at AT TIME ZONE 'UTC',
    ALTER COLUMN last_login TYPE timestamptz USING last_login AT TIME ZONE 'UTC';
UPDATE users SET created_at = now() WHERE created_at IS NULL;
UPDATE users SET updated_at = created_at WHERE updated_at IS NULL;
ALTER TABLE users
    ALTER COLUMN created_at SET NOT NULL,
    ALTER COLUMN updated_at SET NOT NULL;

ALTER TABLE repositories
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamptz USING updated_at AT TIME ZONE 'UTC';
UPDATE repositories SET created_at = now() WHERE created_at IS NULL;
UPDATE repositories SET updated_at = created_at WHERE updated_at IS NULL;
UPDATE repositories SET storage_strategy = 'date' WHERE storage_strategy IS NULL;
UPDATE repositories SET is_default = false WHERE is_default IS NULL;
ALTER TABLE repositories
    ALTER COLUMN created_at SET NOT NULL,
    ALTER COLUMN updated_at SET NOT NULL,
    ALTER COLUMN storage_strategy SET NOT NULL,
    ALTER COLUMN is_default SET NOT NULL,
    ADD CONSTRAINT repositories_storage_strategy_check
        CHECK (storage_strategy IN ('date', 'flat', 'cas'));

ALTER TABLE assets
    ALTER COLUMN uploaded_at TYPE timestamptz USING uploaded_at AT TIME ZONE 'UTC',
    ALTER COLUMN taken_at TYPE timestamptz USING taken_at AT TIME ZONE 'UTC',
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamptz USING updated_at AT TIME ZONE 'UTC',
    ADD COLUMN taken_local timestamp,
    ADD COLUMN taken_offset_minutes smallint,
    ADD COLUMN taken_source varchar(20);
UPDATE assets SET taken_local = taken_at AT TIME ZONE 'UTC', taken_source = 'unknown'
    WHERE taken_at IS NOT NULL;
UPDATE assets SET created_at = uploaded_at WHERE created_at IS NULL;
UPDATE assets SET updated_at = created_at WHERE updated_at IS NULL;
UPDATE assets SET liked = false WHERE liked IS NULL;
UPDATE assets SET is_raw = false WHERE is_raw IS NULL;
UPDATE assets SET is_transcoded = false WHERE is_transcoded IS NULL;
ALTER TABLE assets
    ALTER COLUMN created_at SET NOT NULL,
    ALTER COLUMN updated_at SET NOT NULL,
    ALTER COLUMN liked SET NOT NULL,
    ALTER COLUMN is_raw SET NOT NULL,
    ALTER COLUMN is_transcoded SET NOT NULL,
    ADD CONSTRAINT assets_asset_type_check CHECK (asset_type IN ('photo', 'video', 'audio')),
    ADD CONSTRAINT assets_taken_check CHECK
        ((taken_at IS NULL) = (taken_local IS NULL) AND (taken_at IS NULL) = (taken_source IS NULL)),
    ADD CONSTRAINT assets_taken_offset_check
        CHECK (taken_offset_minutes BETWEEN -840 AND 840
               AND (taken_offset_minutes IS NULL OR taken_at IS NOT NULL)),
    ADD CONSTRAINT assets_taken_source_check CHECK (taken_source IN
        ('exif', 'xmp', 'iptc', 'container', 'gps', 'mtime', 'user', 'unknown')),
    ADD CONSTRAINT assets_position_check CHECK
        ((latitude IS NULL) = (longitude IS NULL)
         AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180);

ALTER TABLE thumbnails
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
UPDATE thumbnails SET created_at = now() WHERE created_at IS NULL;
ALTER TABLE thumbnails
    ALTER COLUMN created_at SET NOT NULL,
    ADD CONSTRAINT thumbnails_size_check CHECK (size IN ('small', 'medium', 'large'));

ALTER TABLE embeddings
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
UPDATE embeddings SET created_at = now() WHERE created_at IS NULL;
UPDATE embeddings SET model_version = 'clip-vit-base' WHERE model_version IS NULL;
ALTER TABLE embeddings
    ALTER COLUMN created_at SET NOT NULL,
    ALTER COLUMN model_version SET NOT NULL;

ALTER TABLE species_predictions
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
UPDATE species_predictions SET created_at = now() WHERE created_at IS NULL;
ALTER TABLE species_predictions
    ALTER COLUMN created_at SET NOT NULL;

ALTER TABLE tags
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
UPDATE tags SET created_at = now() WHERE created_at IS NULL;
UPDATE tags SET is_ai_generated = false WHERE is_ai_generated IS NULL;
ALTER TABLE tags
    ALTER COLUMN created_at SET NOT NULL,
    ALTER COLUMN is_ai_generated SET NOT NULL;

ALTER TABLE asset_tags
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
UPDATE asset_tags SET created_at = now() WHERE created_at IS NULL;
ALTER TABLE asset_tags
    ALTER COLUMN created_at SET NOT NULL,
    ADD CONSTRAINT asset_tags_confidence_check CHECK (confidence BETWEEN 0 AND 1);

ALTER TABLE albums
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamptz USING updated_at AT TIME ZONE 'UTC';
UPDATE albums SET created_at = now() WHERE created_at IS NULL;
UPDATE albums SET updated_at = created_at WHERE updated_at IS NULL;
UPDATE albums SET is_public = false WHERE is_public IS NULL;
ALTER TABLE albums
    ALTER COLUMN created_at SET NOT NULL,
    ALTER COLUMN updated_at SET NOT NULL,
    ALTER COLUMN is_public SET NOT NULL;

ALTER TABLE album_assets
    ALTER COLUMN added_at TYPE timestamptz USING added_at AT TIME ZONE 'UTC';
UPDATE album_assets SET added_at = now() WHERE added_at IS NULL;
ALTER TABLE album_assets
    ALTER COLUMN added_at SET NOT NULL;

ALTER TABLE file_records
    ALTER COLUMN mod_time TYPE timestamptz USING mod_time AT TIME ZONE 'UTC',
    ALTER COLUMN last_scanned TYPE timestamptz USING last_scanned AT TIME ZONE 'UTC',
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamptz USING updated_at AT TIME ZONE 'UTC';

ALTER TABLE sync_operations
    ALTER COLUMN start_time TYPE timestamptz USING start_time AT TIME ZONE 'UTC',
    ALTER COLUMN end_time TYPE timestamptz USING end_time AT TIME ZONE 'UTC',
    ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
