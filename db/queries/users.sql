-- name: FindUserID :one
-- user_id of a name; NULL when there is none. Needs no identity.
SELECT find_user_id(@username) AS user_id;

-- name: RegisterUser :one
-- New account, answered with its user_id. Needs no identity.
-- @nonnull user_id
SELECT register_user(@username, @email, @password_hash) AS user_id;

-- name: GetUserByID :one
SELECT * FROM users WHERE user_id = @user_id;

-- name: UpdateUserProfile :execrows
UPDATE users
SET full_name = coalesce(sqlc.narg('full_name'), full_name),
    avatar_url = coalesce(sqlc.narg('avatar_url'), avatar_url),
    updated_at = now()
WHERE user_id = @user_id;
