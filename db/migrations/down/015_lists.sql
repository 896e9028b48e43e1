DROP TRIGGER asset_days_delete ON assets;
DROP TRIGGER asset_days_update ON assets;
DROP TRIGGER asset_days_insert ON assets;
DROP FUNCTION count_asset_days();
DROP FUNCTION asset_days_move();
DROP FUNCTION asset_days_remove();
DROP FUNCTION asset_days_add();
DROP TABLE asset_days;
DROP FUNCTION asset_fits;
DROP FUNCTION metres_between(integer, integer, integer, integer);
DROP FUNCTION matching_assets(text, integer);
DROP FUNCTION like_pattern(text);
DROP FUNCTION word_query(text);
DROP STATISTICS assets_camera_statistics;

CREATE INDEX idx_assets_type ON assets (asset_type);
CREATE INDEX idx_assets_repository ON assets (repository_id);
CREATE INDEX idx_assets_owner ON assets (owner_id);
CREATE INDEX idx_assets_uploaded ON assets (uploaded_at DESC);
CREATE INDEX idx_assets_taken ON assets (taken_at DESC);
CREATE INDEX idx_assets_rating ON assets (rating DESC);
CREATE INDEX idx_assets_liked ON assets (liked) WHERE liked = true;
CREATE INDEX idx_assets_camera ON assets (camera_make, camera_model);
CREATE INDEX idx_assets_owner_type_uploaded ON assets (owner_id, asset_type, uploaded_at DESC);
CREATE INDEX idx_asset_tags_owner ON asset_tags (owner_id);

DROP INDEX idx_asset_tags_owner_tag;
DROP INDEX idx_assets_owner_repository;
DROP INDEX idx_assets_trash;
DROP INDEX idx_assets_live_liked;
DROP INDEX idx_assets_live_place;
DROP INDEX idx_assets_live_lens;
DROP INDEX idx_assets_live_camera;
DROP INDEX idx_assets_live_type;
DROP INDEX idx_assets_live_stars;
DROP INDEX idx_assets_live_size;
DROP INDEX idx_assets_live_name;
DROP INDEX idx_assets_live_uploaded;
DROP INDEX idx_assets_live_captured;
ALTER TABLE assets
    DROP COLUMN longitude_e7,
    DROP COLUMN latitude_e7,
    DROP COLUMN stars,
    DROP COLUMN name_key,
    DROP COLUMN captured_local;
