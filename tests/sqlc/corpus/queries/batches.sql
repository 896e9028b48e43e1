-- name: BatchInsertAlbum :batchexec
INSERT INTO albums (id, name) VALUES (@id, @name) ON CONFLICT DO NOTHING;

-- name: BatchRename :batchexec
UPDATE people SET name = @name, nick = @nick WHERE id = @id;

-- name: BatchDeleteThumb :batchexec
DELETE FROM thumbs WHERE id = @id;

-- name: BatchGetPerson :batchone
SELECT * FROM people WHERE id = @id;

-- name: BatchPersonName :batchone
SELECT name FROM people WHERE id = @id;

-- name: BatchCountOwned :batchone
SELECT count(*) FROM assets WHERE owner = @owner;

-- name: BatchKindOf :batchone
SELECT kind FROM assets WHERE size >= @least ORDER BY size LIMIT 1;

-- name: BatchAssetsOf :batchmany
SELECT * FROM assets WHERE owner = @owner;

-- name: BatchTitlesOf :batchmany
SELECT title, was FROM assets WHERE kind = @kind;

-- name: BatchPathsOf :batchmany
SELECT path FROM thumbs WHERE asset = @asset;

-- name: BatchUpsertReturning :batchone
INSERT INTO albums (id, name) VALUES (@id, @name) ON CONFLICT (id) DO UPDATE SET name = excluded.name
RETURNING id, name;

-- name: ResultOfInsert :execresult
INSERT INTO albums (id, name) VALUES (@id, @name);

-- name: ResultOfUpdate :execresult
UPDATE people SET score = coalesce(score, 0) + @more WHERE active;

-- name: ResultOfDelete :execresult
DELETE FROM jobs WHERE state = @state;

-- name: ResultOfSelect :execresult
SELECT id FROM people;
