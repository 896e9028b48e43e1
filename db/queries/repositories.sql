-- name: CreateRepository :one
INSERT INTO repositories (repo_id, name, path, owner_id, storage_strategy, is_default)
VALUES (@repo_id, @name, @path, @owner_id, @storage_strategy, @is_default)
RETURNING *;

-- name: GetRepository :one
SELECT * FROM repositories WHERE repo_id = @repo_id;

-- name: GetRepositoryByPath :one
SELECT * FROM repositories WHERE owner_id = @owner_id AND path = @path;

-- name: GetDefaultRepository :one
SELECT * FROM repositories WHERE owner_id = @owner_id AND is_default;

-- name: ListRepositories :many
SELECT * FROM repositories ORDER BY is_default DESC, name, repo_id;

-- name: UpdateRepository :execrows
UPDATE repositories
SET name = coalesce(sqlc.narg('name'), name),
    storage_strategy = coalesce(sqlc.narg('storage_strategy'), storage_strategy),
    updated_at = now()
WHERE repo_id = @repo_id;

-- name: DeleteRepository :execrows
DELETE FROM repositories WHERE repo_id = @repo_id;
