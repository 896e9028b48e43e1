-- name: GetThing :one
SELECT t_bool, o_bool, t_int2, o_int2, t_int8, o_int8, t_oid, o_oid, t_float4, o_float4, t_uuid,
    o_uuid, t_timestamptz, o_timestamptz, t_date, o_date, t_interval, o_interval
FROM every_type WHERE id = @id;

-- name: ListTexts :many
--/ A comment that tries to end the comment.
SELECT t_text, o_text, t_char, o_citext, t_bytea, o_bytea, t_json, o_jsonb, t_numeric, o_numeric,
    t_vector, o_halfvec, t_enum, o_enum, t_domain, o_domain, t_texts, o_uuids
FROM every_type;

-- name: GetOwner :one
SELECT * FROM owners WHERE id = $1;

-- name: ListOwners :many
SELECT * FROM owners ORDER BY id;

-- name: CountOwners :one
SELECT count(*) FROM owners;

-- name: LastThing :one
SELECT max(thing) FROM owners;

-- name: FirstWord :one
SELECT class FROM owners LIMIT 1;

-- name: ListMoods :many
SELECT o_enum FROM every_type;

-- name: OneMood :one
SELECT t_enum FROM every_type WHERE t_enum = @mood;

-- name: ListPairs :many
SELECT sqlc.embed(o), sqlc.embed(p) FROM owners o LEFT JOIN owners p ON p.id = o.thing;

-- name: DeleteOwner :exec
DELETE FROM owners WHERE id = @id;

-- name: DeleteOwners :execrows
-- @unnamed
DELETE FROM owners;

-- name: SetThing :execrows
UPDATE every_type SET o_bool = @o_bool, t_text = @t_text, o_text = @o_text, t_enum = @t_enum,
    o_enum = @o_enum, t_numeric = @t_numeric, o_numeric = @o_numeric, t_vector = @t_vector,
    t_texts = @t_texts, o_int4s = @o_int4s, t_bytea = @t_bytea, t_date = @t_date
WHERE id = @id;

-- name: FindOwners :many
-- @row Summary
-- @read_only
SELECT id, class FROM owners WHERE class = ANY(@words::text[]) AND id > sqlc.narg(after)::int;

-- name: FindOwner :one
-- @row Summary
SELECT id, class FROM owners WHERE class = sqlc.arg('value');
