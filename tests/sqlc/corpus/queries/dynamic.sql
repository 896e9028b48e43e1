-- name: FilterAssets :many
SELECT id, title, kind FROM assets
WHERE size >= 0
    /*@if owner*/ AND owner = @owner /*@end*/
    /*@if kind*/ AND kind = @kind /*@end*/
ORDER BY /*@switch sort newest*/ added DESC /*@case oldest: added ASC*/ /*@case title: title*/ /*@end*/, id;

-- name: FilterWithFlag :many
SELECT a.id, a.title FROM assets a
/*@if people*/ JOIN people p ON p.id = a.owner AND p.active /*@end*/
WHERE a.size >= @least;

-- name: OptionalConditions :many
-- @optional owner kind
SELECT * FROM assets WHERE owner = @owner AND kind = @kind AND size BETWEEN @low AND @high;

-- name: OptionalInside :many
-- @optional word
SELECT p.name, (SELECT count(*) FROM assets a WHERE a.owner = p.id AND (a.title::text LIKE @word OR a.data ? 'k')) AS n
FROM people p;

-- name: OptionalOnly :one
-- @optional tags
SELECT count(*) FROM assets WHERE tags && @tags;

-- name: SwitchDirection :many
SELECT name FROM people ORDER BY name /*@switch direction up*/ ASC /*@case down: DESC*/ /*@end*/;

-- name: SwitchTable :one
SELECT count(*) FROM /*@switch source people*/ people /*@case albums: albums*/ /*@end*/;

-- name: SwitchWithParams :many
SELECT id FROM people WHERE /*@switch by name*/ name = @name /*@case mail: email = @mail*/ /*@case score: score > @score::float8*/ /*@end*/;

-- name: OptionalArray :many
SELECT id FROM people WHERE active /*@if ids*/ AND id = ANY(@ids::bigint[]) /*@end*/;

-- name: OptionalUpdate :execrows
UPDATE people SET score = 1 /*@if nick*/, nick = @nick /*@end*/ WHERE id = @id;

-- name: OptionalDelete :exec
-- @optional kind
DELETE FROM thumbs WHERE asset = @asset AND kind = @kind;

-- name: TwiceTheSame :many
SELECT p.name FROM people p /*@if kind*/ JOIN assets a ON a.owner = p.id /*@end*/
WHERE p.active /*@if kind*/ AND a.kind = @kind /*@end*/;

-- name: OneOptional :one
SELECT * FROM people WHERE id = @id /*@if active*/ AND active = @active /*@end*/;

-- name: PatchPerson :execrows
-- @patch name nick born score
UPDATE people SET name = @name, nick = @nick, born = @born, score = @score WHERE id = @id;

-- name: PatchAsset :one
-- @patch kind price stars title
UPDATE assets SET kind = @kind, price = @price, stars = @stars, title = @title WHERE id = @id RETURNING *;

-- name: PatchScalars :execrows
-- @patch c_jsonb c_varchar c_uuid
UPDATE scalars SET c_jsonb = @c_jsonb, c_varchar = @c_varchar, c_uuid = @c_uuid WHERE id = 1;
