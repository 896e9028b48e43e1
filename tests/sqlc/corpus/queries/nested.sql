-- Composites, and arrays and ranges that only this database has, both ways.

-- name: GetNested :one
SELECT * FROM nested WHERE id = @id;

-- name: ListNested :many
SELECT * FROM nested ORDER BY id;

-- name: PutNested :exec
INSERT INTO nested (id, n_pair, n_place, n_stop, n_trip, n_price, n_person, n_f8r, n_f8m, n_dayr,
    n_textr, n_textm, n_kindr, a_pair, a_place, a_kind, a_mood, a_f8r, a_textr, a_textm, a_i4m,
    a_ints, a_person, pairs, one, span)
VALUES (@id, @n_pair, @n_place, @n_stop, @n_trip, @n_price, @n_person, @n_f8r, @n_f8m, @n_dayr,
    @n_textr, @n_textm, @n_kindr, @a_pair, @a_place, @a_kind, @a_mood, @a_f8r, @a_textr, @a_textm,
    @a_i4m, @a_ints, @a_person, @pairs, @one, @span);

-- name: PlaceOf :one
SELECT n_place FROM nested WHERE id = @id;

-- name: PairsOf :one
SELECT pairs FROM nested WHERE id = @id;

-- name: OnePair :one
SELECT one FROM nested WHERE id = @id;

-- name: ListOnes :many
SELECT one FROM nested ORDER BY id;

-- name: ListTrips :many
SELECT n_trip FROM nested ORDER BY id;

-- name: WholePeople :many
SELECT p FROM people p ORDER BY p.id;

-- name: WholePeopleArray :one
SELECT array_agg(p ORDER BY p.id) AS people FROM people p;

-- name: KindsOfAll :one
SELECT array_agg(kind) AS kinds FROM assets;

-- name: MakePair :one
SELECT ROW (@x::int, @y::text)::pair AS made;

-- name: FieldOfPair :one
SELECT (@p::pair).x AS x, (@p::pair).y AS y;

-- name: FieldsOfPlaces :many
SELECT id, (n_place).name, (n_place).at, ((n_place).was).x FROM nested ORDER BY id;

-- name: FieldsOfPair :many
SELECT id, (n_pair).x, (n_pair).y FROM nested ORDER BY id;

-- name: StarOfPair :many
SELECT id, (n_pair).*, (n_pair).x AS again FROM nested WHERE id >= 11 ORDER BY id DESC;

-- name: StarOfWas :many
SELECT (n_place).was.*, (n_trip).stops[1].name, a_pair[3].* FROM nested WHERE id >= 11
ORDER BY id DESC;

-- name: StarOfParam :one
SELECT (@p::pair).*, (sqlc.narg(q)::pair).*;

-- name: StarOfRow :many
SELECT (b).*, a.id AS first FROM people a LEFT JOIN people b ON b.boss = a.id ORDER BY a.id, b.id;

-- name: UnnestPairs :many
SELECT u.x, u.y FROM unnest(@pairs::pair[]) AS u;

-- name: UnnestKinds :many
SELECT unnest(@kinds::kind[]) AS kind;

-- name: AssetsOfKinds :many
SELECT title FROM assets WHERE kind = ANY (@kinds::kind[]) ORDER BY title;

-- name: AssetsInKinds :many
SELECT title FROM assets WHERE kind IN (sqlc.slice(kinds)) ORDER BY title;

-- name: FindPair :many
SELECT id FROM nested WHERE one = @one::pair ORDER BY id;

-- name: FindMaybePair :many
SELECT id FROM nested WHERE one = sqlc.narg(one)::pair OR sqlc.narg(one)::pair IS NULL ORDER BY id;

-- name: TextRangeHas :many
SELECT id FROM nested WHERE span @> @word::text ORDER BY id;

-- name: TextRangeOverlaps :many
SELECT id FROM nested WHERE span && @span ORDER BY id;

-- name: TextRangesOf :one
SELECT range_agg(span) AS spans FROM nested;

-- name: FloatRangeBounds :many
SELECT id, lower(n_f8r), upper(n_f8r) FROM nested ORDER BY id;

-- name: MultirangeArray :one
SELECT a_i4m FROM nested WHERE id = @id;

-- name: SetPlace :execrows
UPDATE nested SET n_place = @place WHERE id = @id;

-- name: SetFieldOfPlace :exec
UPDATE nested SET n_place.name = @name WHERE id = @id;

-- name: PatchPlace :exec
-- @patch n_place one
UPDATE nested SET n_place = @n_place, one = @one WHERE id = @id;

-- name: EmbedNested :many
SELECT sqlc.embed(n), n.id AS again FROM nested n ORDER BY n.id;

-- name: CopyNested :copyfrom
INSERT INTO nested (id, n_place, a_kind, a_pair, span) VALUES (@id, @n_place, @a_kind, @a_pair, @span);

-- name: BatchNested :batchexec
UPDATE nested SET one = @one, pairs = @pairs WHERE id = @id;

-- name: PricesOf :many
-- @row Priced
SELECT id, n_price FROM nested ORDER BY id;

-- name: PriceAbove :many
-- @row Priced
SELECT id, n_price FROM nested WHERE (n_price).amount > @amount ORDER BY id;

-- name: OptionalKinds :many
-- @optional kinds
SELECT title FROM assets WHERE true AND kind = ANY (@kinds::kind[]) ORDER BY title;

-- name: SameNested :one
SELECT count(*) FROM nested a JOIN nested b ON to_jsonb(a) - 'id' = to_jsonb(b) - 'id'
WHERE a.id = @a AND b.id = @b AND a.a_i4m::text IS NOT DISTINCT FROM b.a_i4m::text
    AND a.n_person::text IS NOT DISTINCT FROM b.n_person::text;

-- name: FullArrays :many
-- @nonnull_elems tags kinds pairs
SELECT @tags::text[] AS tags, @kinds::kind[] AS kinds, sqlc.narg(pairs)::pair[] AS pairs;

-- name: FullOrNot :one
-- @nonnull_elems back
SELECT string_to_array(@sent::text, ',', 'null') AS back;

-- name: FullTagsOf :one
-- @nonnull_elems tags
SELECT * FROM assets WHERE title = 'tree' AND tags && @tags;
