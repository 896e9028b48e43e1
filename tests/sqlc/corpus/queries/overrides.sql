-- What the config says about columns and types, and what an alias says about one column.

-- name: GetOverridden :one
SELECT * FROM overridden WHERE id = @id;

-- name: PutOverridden :exec
INSERT INTO overridden (id, at, note, tag, price_now, price_then, way, ways, two)
VALUES (@id, @at, @note, @tag, @price_now, @price_then, @way, @ways, @two);

-- name: OverriddenPrice :one
SELECT price_now FROM overridden WHERE id = @id;

-- name: OverriddenSince :many
SELECT id, at FROM overridden WHERE at >= @at ORDER BY id;

-- name: OverriddenInJoin :many
SELECT a.id, o.note, o.price_now FROM albums a LEFT JOIN overridden o ON o.id = a.id ORDER BY a.id;

-- name: OverriddenList :many
SELECT * FROM over_list ORDER BY id;

-- name: OverriddenSum :one
SELECT sum(price_now) AS total FROM overridden;

-- name: OverriddenWay :many
SELECT way FROM overridden WHERE way <@ @above ORDER BY id;

-- name: OverriddenCopy :copyfrom
INSERT INTO overridden (id, at, tag, price_now, price_then, way) VALUES (@id, @at, @tag, @price_now, @price_then, @way);

-- name: OverriddenBulk :exec
-- @bulk
INSERT INTO overridden (id, at, tag, price_now) VALUES (@id, @at, @tag, @price_now);

-- name: AliasNever :many
SELECT nick AS "nick!", upper(email) AS "mail?", 1 AS "one" FROM people WHERE nick IS NOT NULL ORDER BY id;

-- name: AliasOver :many
-- @nullable name
SELECT name AS "name!" FROM people ORDER BY id;
