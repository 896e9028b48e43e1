-- More queries for rows of features.txt: what one query alone would show too weakly.

-- name: ShowViewJoined :many
SELECT p.name, v.title, v.owner_name FROM people p LEFT JOIN asset_list v ON v.owner_name = p.name ORDER BY p.id;

-- name: ShowViewRefined :many
SELECT title, owner_name FROM asset_list WHERE owner_name IS NOT NULL ORDER BY id;

-- name: ShowOuterGroup :many
SELECT p.name, t.path, aa.pos FROM (album_assets aa JOIN thumbs t ON t.asset = aa.asset) RIGHT JOIN (people p LEFT JOIN assets a ON a.owner = p.id) ON a.id = aa.asset ORDER BY p.id;

-- name: ShowDomains :one
SELECT @mood::mood AS mood, sqlc.narg(stop)::stop AS stop, @stars::stars AS stars;

-- name: ShowEnumArray :many
SELECT id, ARRAY[kind, was] AS kinds, CASE WHEN was IS NULL THEN kind ELSE was END AS first FROM assets ORDER BY id;

-- name: ShowMaybe :one
SELECT b.name FROM people p LEFT JOIN people b ON b.id = p.boss WHERE p.id = @id;

-- name: ShowJsonTree :many
SELECT p.id, json_build_object('name', p.name, 'assets', (SELECT json_agg(json_build_object('id', a.id, 'tags', a.tags) ORDER BY a.id) FROM assets a WHERE a.owner = p.id)) AS doc FROM people p ORDER BY p.id;

-- name: ShowJsonRows :many
SELECT to_jsonb(p) AS person, row_to_json(p) AS again FROM people p ORDER BY p.id;

-- name: ShowNestedChildren :many
SELECT p.id, (SELECT array_agg(a ORDER BY a.id) FROM assets a WHERE a.owner = p.id) AS assets FROM people p ORDER BY p.id;

-- name: ShowOrderTwice :many
SELECT id, title, size FROM assets WHERE size >= @least ORDER BY /*@switch sort title*/ title /*@case size: size*/ /*@case newest: added DESC*/ /*@end*/, /*@switch then_by id*/ id /*@case back: id DESC*/ /*@end*/ LIMIT @most;

-- name: ShowPrepared :one
-- @unnamed
SELECT count(*) AS statements, coalesce(sum(generic_plans + custom_plans), 0)::bigint AS runs FROM pg_prepared_statements WHERE strpos(statement, @words::text) > 0;

-- name: ShowCopyAll :copyfrom
INSERT INTO people (name, email, nick, born, active, score, meta) VALUES (@name, @email, @nick, @born, @active, @score, @meta);

-- name: ShowTypes :one
SELECT @a::int4[] || 1 AS list, now() - @at::timestamptz AS age, to_tsvector('simple', @words::text) AS words, @source::inet AS address, int4multirange(int4range(@low, @high)) AS spans;
