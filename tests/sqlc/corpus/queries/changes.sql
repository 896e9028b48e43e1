-- name: InsertPerson :one
INSERT INTO people (name, email) VALUES (@name, @email) RETURNING *;

-- name: InsertPersonId :one
INSERT INTO people (name) VALUES (@name) RETURNING id;

-- name: InsertPersonExec :exec
INSERT INTO people (name, email, born, score) VALUES ($1, $2, $3, $4);

-- name: InsertAlbum :execrows
INSERT INTO albums VALUES (@id, @name, @parent);

-- name: InsertDefault :exec
INSERT INTO jobs (args) VALUES (@args);

-- name: InsertDefaults :one
INSERT INTO people (name, nick) VALUES ('someone', DEFAULT) RETURNING id, nick;

-- name: InsertManyRows :execrows
INSERT INTO albums (id, name) VALUES (@a, 'a1'), (@b + 1, 'b1');

-- name: InsertSelect :execrows
INSERT INTO albums (id, name) SELECT id::int + 50, name FROM people WHERE name <> @name;

-- name: InsertUnnest :execrows
INSERT INTO albums (id, name) SELECT n + 500, 'n' || n FROM unnest(@ids::int[]) AS n WHERE n IS NOT NULL;

-- name: InsertEnum :one
INSERT INTO assets (title, kind, was) VALUES (@title, @kind, @was) RETURNING id, kind, was;

-- name: InsertArray :one
INSERT INTO assets (title, kind, tags) VALUES ('t', 'photo', @tags) RETURNING tags;

-- name: InsertNumeric :one
INSERT INTO assets (title, kind, price, stars) VALUES ('t', 'photo', @price, @stars) RETURNING
    price, stars;

-- name: InsertBytes :one
INSERT INTO assets (title, kind, hash) VALUES ('t', 'photo', @hash) RETURNING hash;

-- name: InsertJson :one
INSERT INTO assets (title, kind, data) VALUES ('t', 'photo', @data) RETURNING data;

-- name: InsertVector :execrows
INSERT INTO embeddings (asset, v, h) VALUES ('00000000-0000-0000-0000-000000000003', @v, @h);

-- name: UpsertAlbum :one
INSERT INTO albums (id, name) VALUES (@id, @name) ON CONFLICT (id) DO UPDATE SET name =
    excluded.name RETURNING *;

-- name: UpsertNothing :execrows
INSERT INTO albums (id, name) VALUES (@id, @name) ON CONFLICT DO NOTHING;

-- name: UpsertWhere :exec
INSERT INTO people AS p (name, email) VALUES (@name, @email) ON CONFLICT (email) DO UPDATE SET
    name = @other WHERE p.name <> excluded.name;

-- name: UpdateName :exec
UPDATE people SET name = @name WHERE id = @id;

-- name: UpdateNullable :execrows
UPDATE people SET email = @email, nick = @nick WHERE id = @id;

-- name: UpdateNarg :execrows
UPDATE people SET name = coalesce(sqlc.narg(name), name), nick = sqlc.narg(nick) WHERE id = @id;

-- name: UpdateReturning :one
UPDATE people SET score = @score WHERE id = 1 RETURNING id, score;

-- name: UpdateStar :many
UPDATE albums SET name = name || '+' RETURNING *;

-- name: UpdateFrom :many
UPDATE thumbs t SET path = a.title FROM assets a WHERE a.id = t.asset RETURNING t.id, a.title,
    t.path;

-- name: UpdateSubSelect :exec
UPDATE people SET score = (SELECT avg(size) FROM assets WHERE owner = people.id);

-- name: UpdateTuple :exec
UPDATE people SET (name, nick) = (@name, @nick) WHERE id = @id;

-- name: UpdateArray :exec
UPDATE assets SET tags = array_append(tags, @tag) WHERE id = @id;

-- name: UpdateJson :exec
UPDATE assets SET data = data || @patch WHERE id = @id;

-- name: UpdateEnum :execrows
UPDATE jobs SET state = @state WHERE state = @old;

-- name: UpdateAll :execrows
UPDATE jobs SET attempts = attempts + 1;

-- name: DeleteThumb :exec
DELETE FROM thumbs WHERE id = @id;

-- name: DeleteThumbs :execrows
DELETE FROM thumbs;

-- name: DeleteReturning :many
DELETE FROM thumbs WHERE path IS NULL RETURNING *;

-- name: DeleteOne :one
DELETE FROM thumbs WHERE id = @id RETURNING path;

-- name: DeleteUsing :execrows
DELETE FROM thumbs t USING assets a WHERE a.id = t.asset AND a.kind = @kind;

-- name: MergeAlbums :exec
MERGE INTO albums a USING (SELECT @id::int AS id, @name::text AS name) s ON a.id = s.id WHEN
    MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id,
    s.name);

-- name: TakeJob :one
UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE id = (SELECT id FROM jobs WHERE
    state = 'ready' ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *;

-- name: CallTidy :exec
CALL tidy(@n);

-- name: LockTable :exec
LOCK TABLE jobs IN SHARE MODE;

-- name: SetTimeout :exec
SET LOCAL statement_timeout = '10s';

-- name: Notify :exec
SELECT pg_notify(@channel::text, @payload::text);

-- name: Truncate :exec
TRUNCATE arrays;

-- name: RefreshTitles :exec
REFRESH MATERIALIZED VIEW titles;
