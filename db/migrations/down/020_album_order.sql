DROP STATISTICS album_assets_owner_statistics;
CREATE INDEX idx_album_assets_owner ON album_assets (owner_id);
CREATE INDEX idx_album_assets_order ON album_assets (album_id, position, asset_id)
    INCLUDE (owner_id);
DROP INDEX idx_album_assets_owner_order;
