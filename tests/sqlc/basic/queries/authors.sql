-- name: CreateAuthor :one
-- Every column but the generated ones.
INSERT INTO authors (name, bio, feels, felt, age, tags, class)
VALUES (@name, @bio, @feels, @felt, @age, @tags, @class)
RETURNING *;

-- name: GetAuthor :one
SELECT * FROM authors WHERE author_id = $1;

-- name: ListAuthors :many
SELECT * FROM authors ORDER BY author_id;

-- name: ListAuthorNames :many
SELECT name FROM authors ORDER BY author_id;

-- name: ListFeelings :many
SELECT felt FROM authors ORDER BY author_id;

-- name: GetBio :one
SELECT bio FROM authors WHERE author_id = @author_id;

-- name: GetFeeling :one
SELECT feels FROM authors WHERE author_id = @author_id;

-- name: GetFelt :one
SELECT felt FROM authors WHERE author_id = @author_id;

-- name: CountAuthors :one
SELECT count(*) FROM authors;

-- name: MaxAge :one
SELECT max(age) FROM authors;

-- name: SetFeeling :execrows
UPDATE authors SET feels = coalesce(sqlc.narg(feels), feels), felt = @felt
WHERE author_id = @author_id;

-- name: DeleteAuthor :exec
DELETE FROM authors WHERE author_id = @err;

-- name: ListAuthorsByID :many
SELECT * FROM authors WHERE author_id IN (sqlc.slice(ids)) ORDER BY author_id;

-- name: ListTagged :many
SELECT author_id, name FROM authors WHERE tags && @tags::text[] ORDER BY author_id;

-- name: SummariseAuthor :one
-- @row AuthorSummary
SELECT author_id, name, coalesce(bio, '') AS bio FROM authors WHERE author_id = @author_id;

-- name: SummariseAuthors :many
-- @row AuthorSummary
SELECT author_id, name, bio FROM authors ORDER BY author_id;

-- name: OddTexts :one
-- Ends a comment */ here, and starts one /* there.
SELECT '??/ "quoted" \ back'::text AS quoted, 'öä€' || chr(10) AS "größe", 1 AS "class", 2 AS "2nd";
