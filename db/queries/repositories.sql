-- name: CreateRepository :one
INSERT INTO repositories (repo_id, name, path, owner_id, storage_strategy, is_default)
VALUES (@repo_id, @name, @path, @owner_id, @storage_strategy, @is_default)
RETURNING *;

-- name: GetRepository :one
SELECT * FROM repositories WHERE repo_id = @repo_id;

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

-- name: CheckRepositoryPath :exec
-- @read_only
-- Whether AddRepository would take it.
SELECT repository_check_path(@path, @itself);

-- name: AddRepository :one
-- Not inside another one; the first one is the default.
INSERT INTO repositories (repo_id, name, path, owner_id, storage_strategy, is_default)
SELECT @repo_id, @name, @path, current_user_id(), @storage_strategy,
       repository_prepare(@repo_id, @path, @make_default)
RETURNING *;

-- name: MakeRepositoryDefault :exec
SELECT repository_make_default(@repo_id);

-- name: MoveRepository :exec
SELECT repository_move(@repo_id, @path);

-- name: DeleteRepository :exec
-- Refused while assets are in it, and for the default one while there are others.
SELECT repository_delete(@repo_id);
