DROP INDEX idx_thumbnails_file_path;
DROP INDEX idx_assets_file_path;
