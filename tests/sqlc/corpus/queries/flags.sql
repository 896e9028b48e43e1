-- name: SharedA :many
-- @row Person Summary
SELECT id, name, email FROM people;

-- name: SharedB :one
-- @row Person Summary
SELECT id, name, email FROM people WHERE id = @id;

-- name: SharedC :many
-- @row Person Summary
SELECT p.id, p.name, p.email FROM assets a LEFT JOIN people p ON p.id = a.owner;

-- name: SurelyThere :many
-- @nonnull name
SELECT p.name, a.title FROM assets a JOIN people p ON p.id = a.owner AND p.email IS NOT NULL;

-- name: Unsure :many
-- @nullable id name
SELECT id, name FROM people;

-- name: NotPrepared :many
-- @unnamed
SELECT id FROM people;

-- name: ReadOnly :one
-- @read_only
SELECT count(*) FROM people;

-- name: BothFlags :many
-- @unnamed
-- @read_only
SELECT name FROM people;
