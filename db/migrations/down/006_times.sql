ALTER TABLE sync_operations
    ALTER COLUMN start_time TYPE timestamp USING start_time AT TIME ZONE 'UTC',
    ALTER COLUMN end_time TYPE timestamp USING end_time AT TIME ZONE 'UTC',
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC';
ALTER TABLE file_records
    ALTER COLUMN mod_time TYPE timestamp USING mod_time AT TIME ZONE 'UTC',
    ALTER COLUMN last_scanned TYPE timestamp USING last_scanned AT TIME ZONE 'UTC',
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC';
ALTER TABLE album_assets
    ALTER COLUMN added_at DROP NOT NULL,
    ALTER COLUMN added_at TYPE timestamp USING added_at AT TIME ZONE 'UTC';
ALTER TABLE albums
    ALTER COLUMN is_public DROP NOT NULL,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN updated_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC';
ALTER TABLE asset_tags
    DROP CONSTRAINT asset_tags_confidence_check,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC';
ALTER TABLE tags
    ALTER COLUMN is_ai_generated DROP NOT NULL,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC';
ALTER TABLE species_predictions
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC';
ALTER TABLE embeddings
    ALTER COLUMN model_version DROP NOT NULL,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC';
ALTER TABLE thumbnails
    DROP CONSTRAINT thumbnails_size_check,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC';
ALTER TABLE assets
    DROP CONSTRAINT assets_position_check,
    DROP CONSTRAINT assets_asset_type_check,
    DROP CONSTRAINT assets_taken_check,
    DROP CONSTRAINT assets_taken_offset_check,
    DROP CONSTRAINT assets_taken_source_check,
    DROP COLUMN taken_local,
    DROP COLUMN taken_offset_minutes,
    DROP COLUMN taken_source,
    ALTER COLUMN liked DROP NOT NULL,
    ALTER COLUMN is_raw DROP NOT NULL,
    ALTER COLUMN is_transcoded DROP NOT NULL,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN updated_at DROP NOT NULL,
    ALTER COLUMN uploaded_at TYPE timestamp USING uploaded_at AT TIME ZONE 'UTC',
    ALTER COLUMN taken_at TYPE timestamp USING taken_at AT TIME ZONE 'UTC',
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC';
ALTER TABLE repositories
    DROP CONSTRAINT repositories_storage_strategy_check,
    ALTER COLUMN storage_strategy DROP NOT NULL,
    ALTER COLUMN is_default DROP NOT NULL,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN updated_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC';
ALTER TABLE users
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN updated_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC',
    ALTER COLUMN updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC',
    ALTER COLUMN last_login TYPE timestamp USING last_login AT TIME ZONE 'UTC';
