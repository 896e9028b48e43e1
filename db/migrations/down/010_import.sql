DROP TABLE file_deletions;
DROP TABLE import_intents;
ALTER TABLE assets DROP COLUMN filename_bytes;
