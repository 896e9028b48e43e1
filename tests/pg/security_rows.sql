-- Two users, 1 and 2, each with a row in every table. A new table needs its rows here; what a row
-- may be named after is free, but both users must have one.
INSERT INTO users (user_id, username, email, password_hash)
VALUES (1, 'ann', 'a@x', '!'), (2, 'bob', 'b@x', '!');
INSERT INTO repositories (name, path, owner_id) SELECT 'r', '/r', user_id FROM users;
INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, owner_id,
                    repository_id, uploaded_at)
SELECT 'secret-' || owner_id || '.jpg', 'p', 1, 'h', 'photo', owner_id, repo_id, now()
FROM repositories;
INSERT INTO thumbnails (asset_id, owner_id, size, file_path)
SELECT asset_id, owner_id, 'small', 't' FROM assets;
INSERT INTO embeddings (asset_id, owner_id, embedding)
SELECT asset_id, owner_id, array_fill(1::real, ARRAY[512])::halfvec FROM assets;
INSERT INTO tags (name, owner_id) SELECT 'own', user_id FROM users;
INSERT INTO tags (name, owner_id) VALUES ('system', NULL);
INSERT INTO asset_tags (asset_id, owner_id, tag_id)
SELECT a.asset_id, a.owner_id, t.tag_id FROM assets a JOIN tags t ON t.owner_id = a.owner_id;
INSERT INTO asset_tag_refusals (owner_id, asset_id, name) SELECT owner_id, asset_id, 'no' FROM assets;
INSERT INTO albums (name, owner_id, cover_asset_id)
SELECT 'full', owner_id, asset_id FROM assets;
INSERT INTO album_assets (album_id, asset_id, owner_id)
SELECT album_id, asset_id, b.owner_id FROM albums b JOIN assets a USING (owner_id);
INSERT INTO species_predictions (asset_id, owner_id, species_name, confidence)
SELECT asset_id, owner_id, 's', 0.5 FROM assets;
INSERT INTO file_records (repository_id, owner_id, file_path, file_size, mod_time, last_scanned)
SELECT repo_id, owner_id, 'f', 1, now(), now() FROM repositories;
INSERT INTO sync_operations (repository_id, owner_id, operation_type, start_time, status)
SELECT repo_id, owner_id, 'startup', now(), 'running' FROM repositories;
INSERT INTO import_intents (intent_id, owner_id, repository_id, file_path, file_size, file_hash,
                            original_filename)
SELECT gen_random_uuid(), owner_id, repo_id, 'p', 1, 'h', 'n' FROM repositories;
INSERT INTO file_deletions (owner_id, repository_id, file_path)
SELECT owner_id, repo_id, 'p' FROM repositories;
INSERT INTO auth_sessions (session_id, user_id, created_at, last_used_at, expires_at, rotated_at,
                           salt, key_id, refresh_hash)
SELECT gen_random_uuid(), user_id, now(), now(), now(), now(), decode(repeat('00', 32), 'hex'),
       'k', decode(repeat('01', 32), 'hex')
FROM users;
INSERT INTO auth_limits (key, free_at) SELECT username::bytea, now() FROM users;
