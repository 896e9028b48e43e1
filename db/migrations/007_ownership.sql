-- Every row has an owner, child rows repeat it, and composite foreign keys keep the two equal: a
-- row of one user can never hang on a row of another, whatever a policy overlooks.

-- Rows that the seed left without owner go to one user who cannot log in.
INSERT INTO users (username, email, password_hash)
SELECT 'unowned', 'unowned@localhost', '!'
WHERE EXISTS (SELECT FROM assets WHERE owner_id IS NULL)
   OR EXISTS (SELECT FROM repositories WHERE owner_id IS NULL)
   OR EXISTS (SELECT FROM albums WHERE owner_id IS NULL);
UPDATE assets SET owner_id = u.user_id FROM users u
    WHERE assets.owner_id IS NULL AND u.username = 'unowned';
UPDATE repositories SET owner_id = u.user_id FROM users u
    WHERE repositories.owner_id IS NULL AND u.username = 'unowned';
UPDATE albums SET owner_id = u.user_id FROM users u
    WHERE albums.owner_id IS NULL AND u.username = 'unowned';

-- Deleting a user is a job of its own, never a side effect of a foreign key.
ALTER TABLE repositories
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT repositories_owner_id_fkey,
    ADD CONSTRAINT repositories_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(user_id),
    DROP CONSTRAINT repositories_path_key,
    ADD CONSTRAINT repositories_owner_path_key UNIQUE (owner_id, path),
    ADD CONSTRAINT repositories_repo_owner_key UNIQUE (repo_id, owner_id);
CREATE UNIQUE INDEX repositories_owner_default_key ON repositories (owner_id) WHERE is_default;
DROP INDEX idx_repositories_default;

ALTER TABLE assets
    ALTER COLUMN owner_id SET NOT NULL,
    ADD COLUMN deleted_at timestamptz,
    DROP CONSTRAINT assets_owner_id_fkey,
    ADD CONSTRAINT assets_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(user_id),
    ADD CONSTRAINT assets_asset_owner_key UNIQUE (asset_id, owner_id),
    DROP CONSTRAINT assets_repository_id_fkey,
    ADD CONSTRAINT assets_repository_owner_fkey FOREIGN KEY (repository_id, owner_id)
        REFERENCES repositories (repo_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE;
-- One live asset per owner and content (hash and size).
CREATE UNIQUE INDEX assets_owner_content_key ON assets (owner_id, file_hash, file_size)
    WHERE deleted_at IS NULL;
DROP INDEX idx_assets_hash;

DELETE FROM thumbnails WHERE asset_id IS NULL;
ALTER TABLE thumbnails ADD COLUMN owner_id integer;
UPDATE thumbnails t SET owner_id = a.owner_id FROM assets a WHERE a.asset_id = t.asset_id;
ALTER TABLE thumbnails
    ALTER COLUMN asset_id SET NOT NULL,
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT thumbnails_asset_id_fkey,
    ADD CONSTRAINT thumbnails_asset_owner_fkey FOREIGN KEY (asset_id, owner_id)
        REFERENCES assets (asset_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX idx_thumbnails_owner ON thumbnails (owner_id);
DROP INDEX idx_thumbnails_asset;

DELETE FROM embeddings WHERE asset_id IS NULL OR embedding IS NULL;
ALTER TABLE embeddings ADD COLUMN owner_id integer;
UPDATE embeddings e SET owner_id = a.owner_id FROM assets a WHERE a.asset_id = e.asset_id;
ALTER TABLE embeddings
    ALTER COLUMN asset_id SET NOT NULL,
    ALTER COLUMN embedding SET NOT NULL,
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT embeddings_asset_id_fkey,
    ADD CONSTRAINT embeddings_asset_owner_fkey FOREIGN KEY (asset_id, owner_id)
        REFERENCES assets (asset_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX idx_embeddings_owner ON embeddings (owner_id);

DELETE FROM species_predictions WHERE asset_id IS NULL;
ALTER TABLE species_predictions ADD COLUMN owner_id integer;
UPDATE species_predictions p SET owner_id = a.owner_id FROM assets a WHERE a.asset_id = p.asset_id;
ALTER TABLE species_predictions
    ALTER COLUMN asset_id SET NOT NULL,
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT species_predictions_asset_id_fkey,
    ADD CONSTRAINT species_predictions_asset_owner_fkey FOREIGN KEY (asset_id, owner_id)
        REFERENCES assets (asset_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX idx_species_predictions_owner ON species_predictions (owner_id);

-- A tag without owner is the system's: AI tags are shared, everybody's own tags are not.
ALTER TABLE tags
    ADD COLUMN owner_id integer,
    ADD CONSTRAINT tags_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(user_id),
    DROP CONSTRAINT tags_name_key;
CREATE UNIQUE INDEX tags_owner_name_key ON tags (owner_id, name) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX tags_system_name_key ON tags (name) WHERE owner_id IS NULL;

ALTER TABLE asset_tags ADD COLUMN owner_id integer;
UPDATE asset_tags t SET owner_id = a.owner_id FROM assets a WHERE a.asset_id = t.asset_id;
ALTER TABLE asset_tags
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT asset_tags_asset_id_fkey,
    ADD CONSTRAINT asset_tags_asset_owner_fkey FOREIGN KEY (asset_id, owner_id)
        REFERENCES assets (asset_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX idx_asset_tags_owner ON asset_tags (owner_id);
DROP INDEX idx_asset_tags_asset;

ALTER TABLE albums
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT albums_owner_id_fkey,
    ADD CONSTRAINT albums_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(user_id),
    ADD CONSTRAINT albums_album_owner_key UNIQUE (album_id, owner_id),
    DROP CONSTRAINT albums_cover_asset_id_fkey,
    ADD CONSTRAINT albums_cover_asset_owner_fkey FOREIGN KEY (cover_asset_id, owner_id)
        REFERENCES assets (asset_id, owner_id) ON DELETE SET NULL (cover_asset_id);

ALTER TABLE album_assets ADD COLUMN owner_id integer;
DELETE FROM album_assets aa USING assets a, albums b
    WHERE a.asset_id = aa.asset_id AND b.album_id = aa.album_id AND a.owner_id <> b.owner_id;
UPDATE album_assets aa SET owner_id = b.owner_id FROM albums b WHERE b.album_id = aa.album_id;
ALTER TABLE album_assets
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT album_assets_album_id_fkey,
    DROP CONSTRAINT album_assets_asset_id_fkey,
    ADD CONSTRAINT album_assets_album_owner_fkey FOREIGN KEY (album_id, owner_id)
        REFERENCES albums (album_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE,
    ADD CONSTRAINT album_assets_asset_owner_fkey FOREIGN KEY (asset_id, owner_id)
        REFERENCES assets (asset_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX idx_album_assets_owner ON album_assets (owner_id);

ALTER TABLE file_records ADD COLUMN owner_id integer;
UPDATE file_records f SET owner_id = r.owner_id FROM repositories r
    WHERE r.repo_id = f.repository_id;
ALTER TABLE file_records
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT file_records_repository_id_fkey,
    ADD CONSTRAINT file_records_repository_owner_fkey FOREIGN KEY (repository_id, owner_id)
        REFERENCES repositories (repo_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX idx_file_records_owner ON file_records (owner_id);

ALTER TABLE sync_operations ADD COLUMN owner_id integer;
UPDATE sync_operations s SET owner_id = r.owner_id FROM repositories r
    WHERE r.repo_id = s.repository_id;
ALTER TABLE sync_operations
    ALTER COLUMN owner_id SET NOT NULL,
    DROP CONSTRAINT sync_operations_repository_id_fkey,
    ADD CONSTRAINT sync_operations_repository_owner_fkey FOREIGN KEY (repository_id, owner_id)
        REFERENCES repositories (repo_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX idx_sync_operations_owner ON sync_operations (owner_id);
