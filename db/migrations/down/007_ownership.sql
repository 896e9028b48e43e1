-- Refuses when the seed's wider uniqueness does not hold: a path or tag name used by two owners.
ALTER TABLE sync_operations
    DROP CONSTRAINT sync_operations_repository_owner_fkey,
    DROP COLUMN owner_id,
    ADD CONSTRAINT sync_operations_repository_id_fkey FOREIGN KEY (repository_id)
        REFERENCES repositories(repo_id) ON DELETE CASCADE;
ALTER TABLE file_records
    DROP CONSTRAINT file_records_repository_owner_fkey,
    DROP COLUMN owner_id,
    ADD CONSTRAINT file_records_repository_id_fkey FOREIGN KEY (repository_id)
        REFERENCES repositories(repo_id) ON DELETE CASCADE;

ALTER TABLE album_assets
    DROP CONSTRAINT album_assets_album_owner_fkey,
    DROP CONSTRAINT album_assets_asset_owner_fkey,
    DROP COLUMN owner_id,
    ADD CONSTRAINT album_assets_album_id_fkey FOREIGN KEY (album_id)
        REFERENCES albums(album_id) ON DELETE CASCADE,
    ADD CONSTRAINT album_assets_asset_id_fkey FOREIGN KEY (asset_id)
        REFERENCES assets(asset_id) ON DELETE CASCADE;
ALTER TABLE albums
    DROP CONSTRAINT albums_cover_asset_owner_fkey,
    ADD CONSTRAINT albums_cover_asset_id_fkey FOREIGN KEY (cover_asset_id)
        REFERENCES assets(asset_id) ON DELETE SET NULL,
    DROP CONSTRAINT albums_album_owner_key,
    DROP CONSTRAINT albums_owner_id_fkey,
    ADD CONSTRAINT albums_owner_id_fkey FOREIGN KEY (owner_id)
        REFERENCES users(user_id) ON DELETE CASCADE,
    ALTER COLUMN owner_id DROP NOT NULL;

ALTER TABLE asset_tags
    DROP CONSTRAINT asset_tags_asset_owner_fkey,
    DROP COLUMN owner_id,
    ADD CONSTRAINT asset_tags_asset_id_fkey FOREIGN KEY (asset_id)
        REFERENCES assets(asset_id) ON DELETE CASCADE;
CREATE INDEX idx_asset_tags_asset ON asset_tags(asset_id);
DROP INDEX tags_owner_name_key;
DROP INDEX tags_system_name_key;
ALTER TABLE tags
    DROP COLUMN owner_id,
    ADD CONSTRAINT tags_name_key UNIQUE (name);

ALTER TABLE species_predictions
    DROP CONSTRAINT species_predictions_asset_owner_fkey,
    DROP COLUMN owner_id,
    ALTER COLUMN asset_id DROP NOT NULL,
    ADD CONSTRAINT species_predictions_asset_id_fkey FOREIGN KEY (asset_id)
        REFERENCES assets(asset_id) ON DELETE CASCADE;
ALTER TABLE embeddings
    DROP CONSTRAINT embeddings_asset_owner_fkey,
    DROP COLUMN owner_id,
    ALTER COLUMN asset_id DROP NOT NULL,
    ALTER COLUMN embedding DROP NOT NULL,
    ADD CONSTRAINT embeddings_asset_id_fkey FOREIGN KEY (asset_id)
        REFERENCES assets(asset_id) ON DELETE CASCADE;
ALTER TABLE thumbnails
    DROP CONSTRAINT thumbnails_asset_owner_fkey,
    DROP COLUMN owner_id,
    ALTER COLUMN asset_id DROP NOT NULL,
    ADD CONSTRAINT thumbnails_asset_id_fkey FOREIGN KEY (asset_id)
        REFERENCES assets(asset_id) ON DELETE CASCADE;
CREATE INDEX idx_thumbnails_asset ON thumbnails(asset_id);

DROP INDEX assets_owner_content_key;
DELETE FROM assets WHERE deleted_at IS NOT NULL;
ALTER TABLE assets
    DROP CONSTRAINT assets_repository_owner_fkey,
    ADD CONSTRAINT assets_repository_id_fkey FOREIGN KEY (repository_id)
        REFERENCES repositories(repo_id) ON DELETE CASCADE,
    DROP CONSTRAINT assets_asset_owner_key,
    DROP CONSTRAINT assets_owner_id_fkey,
    ADD CONSTRAINT assets_owner_id_fkey FOREIGN KEY (owner_id)
        REFERENCES users(user_id) ON DELETE SET NULL,
    DROP COLUMN deleted_at,
    ALTER COLUMN owner_id DROP NOT NULL;
CREATE INDEX idx_assets_hash ON assets(file_hash);

DROP INDEX repositories_owner_default_key;
ALTER TABLE repositories
    DROP CONSTRAINT repositories_repo_owner_key,
    DROP CONSTRAINT repositories_owner_path_key,
    ADD CONSTRAINT repositories_path_key UNIQUE (path),
    DROP CONSTRAINT repositories_owner_id_fkey,
    ADD CONSTRAINT repositories_owner_id_fkey FOREIGN KEY (owner_id)
        REFERENCES users(user_id) ON DELETE SET NULL,
    ALTER COLUMN owner_id DROP NOT NULL;
CREATE INDEX idx_repositories_default ON repositories(is_default);
