-- Queries of the role lumilio_auth. Times come from the caller, so that one call has one clock.

-- name: AuthFindUser :one
-- The account of a user name or address, and whether somebody has logged in to it from `address`.
-- @nonnull known_address
SELECT u.user_id, u.username, u.password_hash,
       EXISTS (SELECT FROM auth_sessions s
               WHERE s.user_id = u.user_id AND s.address = sqlc.narg('address')::text
                 AND coalesce(s.end_reason, '') <> 'reuse') AS known_address
FROM users u
WHERE u.username = @login::text OR u.email = @login::text;

-- name: AuthGetUser :one
-- @row PublicUser
SELECT user_id, username, email, full_name, avatar_url, created_at, updated_at, last_login
FROM users WHERE user_id = @user_id;

-- name: AuthGetPassword :one
SELECT username, password_hash FROM users WHERE user_id = @user_id;

-- name: AuthListUsers :many
-- By name, behind `after`; has_password tells accounts that can log in.
SELECT user_id, username, email, full_name, created_at, last_login,
       password_hash NOT LIKE '!%' AS has_password
FROM users
WHERE username > @after
ORDER BY username
LIMIT @row_limit;

-- name: AuthRegisterUser :one
INSERT INTO users (username, email, full_name, password_hash)
VALUES (@username, @email, sqlc.narg('full_name'), @password_hash)
RETURNING user_id;

-- name: AuthReplacePassword :execrows
-- Nothing happens when another process has changed the hash since it was read.
UPDATE users SET password_hash = @new_hash, updated_at = now()
WHERE user_id = @user_id AND password_hash = @old_hash;

-- name: AuthOpenSession :one
-- No row when the password was changed since it was verified.
WITH login AS (
    UPDATE users SET last_login = @now::timestamptz
    WHERE user_id = @user_id AND password_hash = @password_hash
    RETURNING user_id
)
INSERT INTO auth_sessions (session_id, user_id, created_at, last_used_at, rotated_at, expires_at,
                           salt, key_id, refresh_hash, address, user_agent)
SELECT @session_id, login.user_id, @now, @now, @now, @expires_at, @salt, @key_id, @refresh_hash,
       sqlc.narg('address'), sqlc.narg('user_agent')
FROM login
RETURNING session_id;

-- name: AuthLockSession :one
-- The lock ends with the transaction: of two who refresh at once the second sees what the first did.
SELECT * FROM auth_sessions WHERE session_id = @session_id FOR UPDATE;

-- name: AuthRotateSession :exec
UPDATE auth_sessions
SET generation = @generation, key_id = @key_id, refresh_hash = @refresh_hash, rotated_at = @now,
    last_used_at = @now, expires_at = @expires_at,
    address = coalesce(sqlc.narg('address'), address)
WHERE session_id = @session_id;

-- name: AuthCheckSession :one
-- @read_only
-- Who a session is of; no row when it has ended.
SELECT u.user_id, u.username, s.created_at, s.last_used_at
FROM auth_sessions s JOIN users u ON u.user_id = s.user_id
WHERE s.session_id = @session_id AND s.user_id = @user_id AND s.ended_at IS NULL
  AND s.expires_at > @now;

-- name: AuthEndSession :execrows
UPDATE auth_sessions SET ended_at = @now::timestamptz, end_reason = @reason::text
WHERE session_id = @session_id AND user_id = @user_id AND ended_at IS NULL;

-- name: AuthEndSessions :execrows
-- All of a user, but for one when it is named.
UPDATE auth_sessions SET ended_at = @now::timestamptz, end_reason = @reason::text
WHERE user_id = @user_id AND ended_at IS NULL
  AND session_id IS DISTINCT FROM sqlc.narg('keep')::uuid;

-- name: AuthListSessions :many
-- Those that are still good, newest first.
SELECT session_id, created_at, last_used_at, expires_at, address, user_agent
FROM auth_sessions
WHERE user_id = @user_id AND ended_at IS NULL AND expires_at > @now
ORDER BY created_at DESC, session_id
LIMIT 1000;

-- name: AuthTakeAttempt :one
-- One attempt at a key: each costs `cost` of time, at most `burst` of it may be owed. No row comes
-- back when there is none to be had.
INSERT INTO auth_limits AS l (key, free_at)
VALUES (@key, @now::timestamptz + @cost::interval)
ON CONFLICT (key) DO UPDATE SET free_at = greatest(l.free_at, @now) + @cost::interval
WHERE greatest(l.free_at, @now) + @cost::interval <= @now + @burst::interval
RETURNING free_at;

-- name: AuthAttemptAt :one
-- When all that is owed for a key is paid.
SELECT free_at FROM auth_limits WHERE key = @key;

-- name: AuthForgetAttempts :exec
DELETE FROM auth_limits WHERE key = @key;

-- name: AuthPurge :exec
-- Limits that no longer hold anybody back, and sessions over for longer than anybody asks.
WITH gone AS (
    DELETE FROM auth_limits WHERE free_at < @now
)
DELETE FROM auth_sessions WHERE expires_at < @now::timestamptz - interval '90 days';

-- name: AuthAddEvent :exec
SELECT audit_event(@event, sqlc.narg('subject'));
