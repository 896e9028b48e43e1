-- Who stands for a file: asked for each file that is to be removed, and for each that a crash left.
-- Hash indexes, because a path may be longer than an ordered index takes.

CREATE INDEX idx_assets_file_path ON assets USING hash (file_path);
CREATE INDEX idx_thumbnails_file_path ON thumbnails USING hash (file_path);
