-- name: CopyItems :copyfrom
INSERT INTO items (id, name, words, mood) VALUES (@id, @name, @words, @mood);

-- name: CopyGuarded :copyfrom
INSERT INTO guarded (id, name) VALUES (@id, @name);

-- name: BulkItems :many
-- @bulk
INSERT INTO items (id, name, mood) VALUES (@id, @name, @mood) RETURNING id, name;

-- name: RenameItem :batchexec
UPDATE items SET name = @name WHERE id = @id;

-- name: NameOf :batchone
SELECT name FROM items WHERE id = @id;

-- name: ItemsLike :batchmany
SELECT id, name, words FROM items WHERE name LIKE @pattern ORDER BY id;

-- name: CountItems :one
SELECT count(*) FROM items;
