-- name: CopyAlbums :copyfrom
INSERT INTO albums (id, name, parent) VALUES (@id, @name, @parent);

-- name: CopyPeople :copyfrom
INSERT INTO people (name, email, nick, born, score, meta) VALUES (@name, @email, @nick, @born, @score, @meta);

-- name: CopyAssets :copyfrom
INSERT INTO assets (title, kind, was, tags, price, stars, hash) VALUES (@title, @kind, @was, @tags, @price, @stars, @hash);

-- name: CopyVectors :copyfrom
INSERT INTO loose (asset, v, h) VALUES ($1, $2, $3);

-- name: CopyArrays :copyfrom
INSERT INTO loose (id, a_int4, a_varchar, a_uuid) VALUES (@id, @ints, @words, @uuids);

-- name: CopyGuarded :copyfrom
INSERT INTO guarded (id, kind, note, at) VALUES (@id, @kind, @note, @at);

-- name: BulkAlbums :execrows
-- @bulk
INSERT INTO albums (id, name, parent) VALUES (@id, @name, @parent);

-- name: BulkUpsert :many
-- @bulk
INSERT INTO albums (id, name) VALUES (@id, @name)
ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name;

-- name: BulkPeople :many
-- @bulk
INSERT INTO people (name, email, score) VALUES (lower(@name), @email, @score * 2::float8) RETURNING *;

-- name: BulkIds :many
-- @bulk
INSERT INTO people (name, nick) VALUES (@name, @nick) RETURNING id;

-- name: BulkAssets :exec
-- @bulk
INSERT INTO assets (title, kind, was, price, stars, data) VALUES (@title, @kind, @was, @price, @stars, @data);

-- name: BulkResult :execresult
-- @bulk
INSERT INTO guarded (id, kind, note, at) VALUES (@id, @kind, @note, @at);

-- name: ListGuarded :many
SELECT id, kind, note, at FROM guarded ORDER BY id;
