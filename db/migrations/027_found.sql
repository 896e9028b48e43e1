-- A smart album in a list said 0. How many its filter finds is counted when somebody asks for it, and
-- that number is kept with its time; what nobody has counted, or not by this filter, is unknown.
ALTER TABLE albums
    ADD COLUMN found_count bigint,
    ADD COLUMN found_at timestamptz,
    ADD CONSTRAINT albums_found_check
        CHECK (found_count >= 0 AND filter IS NOT NULL AND found_at IS NOT NULL
               OR found_count IS NULL AND found_at IS NULL);
COMMENT ON COLUMN albums.found_count IS
    'What the filter of a smart album found at found_at; NULL: not counted';
GRANT UPDATE (found_count, found_at) ON albums TO lumilio_app, lumilio_worker;
