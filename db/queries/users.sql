-- name: FindUserID :one
-- user_id of a name; NULL when there is none. Needs no identity.
SELECT find_user_id(@username) AS user_id;

-- name: RegisterLocalUser :one
-- New account that nobody can log in to, answered with its user_id. Needs no identity.
-- @nonnull user_id
SELECT register_local_user(@username, @email) AS user_id;

-- name: GetUserByID :one
-- The account without its password hash.
-- @row PublicUser
SELECT user_id, username, email, full_name, avatar_url, created_at, updated_at, last_login
FROM users WHERE user_id = @user_id;

-- name: ListAuditLog :many
-- @read_only
-- What was done to the current user's account and things, newest first, below an id.
SELECT audit_id, at, actor_id, event, table_name, row_key, changed FROM audit_log
WHERE audit_id < @below_id
ORDER BY audit_id DESC
LIMIT @row_limit;
