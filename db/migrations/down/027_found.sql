ALTER TABLE albums
    DROP CONSTRAINT albums_found_check,
    DROP COLUMN found_at,
    DROP COLUMN found_count;
