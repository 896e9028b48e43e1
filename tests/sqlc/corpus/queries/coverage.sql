-- One query or more for each row of the table of features; features.txt says which queries show what.

-- name: FeatureOuterJoin :many
SELECT al.name, a.title FROM albums al LEFT JOIN album_assets aa ON aa.album = al.id
    LEFT JOIN assets a ON a.id = aa.asset ORDER BY al.id;

-- name: FeatureFullJoin :many
SELECT p.name, a.title FROM people p FULL JOIN assets a ON a.owner = p.id;

-- name: FeatureView :many
SELECT title, owner_name, width FROM asset_list ORDER BY id;

-- name: FeatureMatView :many
SELECT title FROM titles ORDER BY title;

-- name: FeatureRefined :many
SELECT email, nick FROM people WHERE email IS NOT NULL AND nick = @nick;

-- name: FeatureRefinedJoin :many
SELECT p.name, a.title FROM people p LEFT JOIN assets a ON a.owner = p.id WHERE a.size > @size;

-- name: FeatureOverride :many
SELECT max(size) AS "largest!" FROM assets GROUP BY kind;

-- name: FeatureNonnull :many
-- @nonnull name
SELECT nullif(name, @no_name) AS name FROM people WHERE name <> @no_name;

-- name: FeatureNamed :one
SELECT @left::int - @right::int AS difference, sqlc.arg(left) + 1 AS next;

-- name: FeatureOptional :many
-- @optional least kind
SELECT id, title FROM assets WHERE size >= @least AND kind = @kind ORDER BY id;

-- name: FeatureIf :many
SELECT id FROM assets WHERE true /*@if width*/ AND width > @width /*@end*/ ORDER BY id;

-- name: FeatureOrder :many
SELECT id, title FROM assets ORDER BY /*@switch by title*/ title /*@case size: size DESC, title*/ /*@case added: added*/ /*@end*/;

-- name: FeatureShared :many
-- @row Named
SELECT id, name FROM people ORDER BY id;

-- name: FeatureSharedToo :one
-- @row Named
SELECT id, name FROM people WHERE id = @id;

-- name: FeatureEmbed :many
SELECT sqlc.embed(p), sqlc.embed(b) FROM people p LEFT JOIN people b ON b.id = p.boss ORDER BY p.id;

-- name: FeatureChildren :many
SELECT p.id, (SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'title', a.title)), '[]') FROM assets a WHERE a.owner = p.id) AS assets FROM people p ORDER BY p.id;

-- name: FeatureChildRecords :many
SELECT p.id, ARRAY(SELECT ROW (a.width, a.title)::pair FROM assets a WHERE a.owner = p.id) AS pairs FROM people p ORDER BY p.id;

-- name: FeatureComposite :one
SELECT ARRAY[@one::pair, @two::pair] AS pairs;

-- name: FeatureDomain :many
SELECT title, stars FROM assets WHERE stars >= @stars ORDER BY id;

-- name: FeatureEnum :many
SELECT DISTINCT kind FROM assets WHERE kind <> @kind ORDER BY kind;

-- name: FeatureEnumRange :one
SELECT enum_range(NULL::kind) AS kinds;

-- name: FeatureOpt :one
SELECT id FROM people WHERE id = @id AND false;

-- name: FeatureStream :many
SELECT generate_series(1, 2000) AS n, repeat('x', 100) AS filler;

-- name: FeatureBatch :batchmany
SELECT id FROM assets WHERE owner = @owner ORDER BY id;

-- name: FeatureCopy :copyfrom
INSERT INTO loose (id, v, asset) VALUES (@id, @v, @asset);

-- name: FeatureMultiRow :many
-- @bulk
INSERT INTO people (id, name) VALUES (@id, @name) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name;

-- name: FeatureUnnamed :many
-- @unnamed
SELECT id FROM assets WHERE size > @size ORDER BY id;

-- name: FeaturePrepared :many
SELECT id FROM assets WHERE size < @size ORDER BY id;

-- name: FeatureJson :many
SELECT jsonb_build_object('id', id, 'tags', to_jsonb(tags)) AS doc FROM assets ORDER BY id;

-- name: FeatureTypes :one
SELECT @a::int2 + @b::int8 AS sum, @c::numeric * 2 AS twice, @d::date + @e::interval AS later, @f::float4 / 2 AS half;

-- name: ExtraWindow :many
SELECT id, row_number() OVER (ORDER BY id) AS n, lag(name) OVER (ORDER BY id) AS before, ntile(2) OVER (ORDER BY id) AS half FROM people ORDER BY id;

-- name: ExtraWindowFrame :many
SELECT id, count(*) OVER w AS seen, first_value(name) OVER w AS first FROM people WINDOW w AS (ORDER BY id ROWS UNBOUNDED PRECEDING);

-- name: ExtraRecursive :many
WITH RECURSIVE up(id, boss, depth) AS (SELECT id, boss, 0 FROM people WHERE id = @id UNION ALL SELECT p.id, p.boss, up.depth + 1 FROM people p JOIN up ON p.id = up.boss) SELECT id, boss, depth FROM up;

-- name: ExtraCteUpdate :many
WITH changed AS (UPDATE people SET score = @score WHERE id = @id RETURNING id, name, score) SELECT id, name, score FROM changed;

-- name: ExtraCteMove :execrows
WITH gone AS (DELETE FROM jobs WHERE state = @state RETURNING args) INSERT INTO jobs (args) SELECT args FROM gone;

-- name: ExtraUnion :many
SELECT id::text AS id, name AS label FROM people UNION ALL SELECT id::text, title::text FROM assets ORDER BY label;

-- name: ExtraExcept :many
SELECT owner FROM assets EXCEPT SELECT id FROM people WHERE active;

-- name: ExtraIntersect :many
SELECT id FROM people INTERSECT SELECT owner FROM assets;

-- name: ExtraGroupingSets :many
SELECT kind, owner, count(*) AS n, grouping(kind, owner) AS level FROM assets GROUP BY GROUPING SETS ((kind, owner), (kind), ());

-- name: ExtraRollup :many
SELECT kind, sum(size) AS bytes FROM assets GROUP BY ROLLUP (kind);

-- name: ExtraCube :many
SELECT kind, stars, count(*) AS n FROM assets GROUP BY CUBE (kind, stars);

-- name: ExtraHaving :many
SELECT owner, count(*) AS n FROM assets WHERE owner IS NOT NULL GROUP BY owner HAVING count(*) >= @least;

-- name: ExtraFilter :one
SELECT count(*) FILTER (WHERE active) AS active, sum(score) FILTER (WHERE score > 0) AS score FROM people;

-- name: ExtraLateral :many
SELECT p.name, l.title, l.size FROM people p CROSS JOIN LATERAL (SELECT a.title, a.size FROM assets a WHERE a.owner = p.id ORDER BY a.size DESC LIMIT @per_person) l;

-- name: ExtraLateralLeft :many
SELECT p.name, l.n FROM people p LEFT JOIN LATERAL (SELECT count(*) AS n FROM assets a WHERE a.owner = p.id) l ON true ORDER BY p.id;

-- name: ExtraDistinctOn :many
SELECT DISTINCT ON (kind) kind, title FROM assets ORDER BY kind, added DESC;

-- name: ExtraFetchTies :many
SELECT title, size FROM assets ORDER BY size DESC FETCH FIRST 2 ROWS WITH TIES;

-- name: ExtraForUpdate :many
SELECT id, state FROM jobs WHERE state = @state ORDER BY run_at LIMIT @max FOR UPDATE SKIP LOCKED;

-- name: ExtraTuple :many
SELECT id, added FROM assets WHERE (added, id) < (@added, @id) ORDER BY added DESC, id DESC LIMIT @max;

-- name: ExtraAnyText :many
SELECT id FROM people WHERE name = ANY (@names::text[]) ORDER BY id;

-- name: ExtraAllNumbers :many
SELECT id FROM people WHERE id <> ALL (@ids::bigint[]) ORDER BY id;

-- name: ExtraUnnestTwo :many
SELECT u.id, u.word FROM unnest(@ids::int[], @words::text[]) AS u (id, word);

-- name: ExtraOrdinality :many
SELECT t.word, t.n FROM unnest(@words::text[]) WITH ORDINALITY AS t (word, n);

-- name: ExtraSeries :many
SELECT d::date AS day FROM generate_series(@first::date, @last::date, interval '1 day') AS d LIMIT 10;

-- name: ExtraMerge :execrows
MERGE INTO people t USING (SELECT @id::bigint AS id, @name::text AS name) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name);

-- name: ExtraUpsert :one
INSERT INTO albums (id, name) VALUES (@id, @name) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name, (xmax = 0) AS inserted;

-- name: ExtraDoNothing :execrows
INSERT INTO albums (id, name) VALUES (@id, @name) ON CONFLICT DO NOTHING;

-- name: ExtraUpdateFrom :many
UPDATE assets a SET title = p.name || '!' FROM people p WHERE p.id = a.owner AND p.id = @id RETURNING a.id, a.title, p.name;

-- name: ExtraDeleteUsing :many
DELETE FROM thumbs t USING assets a WHERE a.id = t.asset AND a.kind = @kind RETURNING t.id, a.title;

-- name: ExtraUsingJoin :many
SELECT id, x.n, y.m FROM (VALUES (1, 'a'), (2, 'b')) AS x (id, n) FULL JOIN (VALUES (2, 'c'), (3, 'd')) AS y (id, m) USING (id) ORDER BY id;

-- name: ExtraNatural :many
SELECT * FROM (SELECT 1 AS a, 2 AS b) x NATURAL JOIN (SELECT 1 AS a, 3 AS c) y;

-- name: ExtraExists :many
SELECT name, EXISTS (SELECT FROM assets a WHERE a.owner = p.id) AS owns FROM people p ORDER BY id;

-- name: ExtraInSelect :many
SELECT name, id IN (SELECT owner FROM assets) AS owns FROM people ORDER BY id;

-- name: ExtraNearest :many
SELECT asset, v <-> @v AS distance FROM embeddings ORDER BY v <-> @v LIMIT @max;

-- name: ExtraRanges :one
SELECT int4range(@low, @high) AS span, @day::date <@ daterange('2020-01-01', '2030-01-01') AS inside;

-- name: ExtraPatch :exec
-- @patch name parent
UPDATE albums SET name = @name, parent = @parent WHERE id = @id;

-- name: ExtraSlice :many
SELECT title FROM assets WHERE id IN (sqlc.slice(ids)) ORDER BY title;

-- name: ExtraNotSlice :many
SELECT name FROM people WHERE id NOT IN (sqlc.slice(ids)) ORDER BY id;

-- name: ExtraNarg :many
SELECT id FROM people WHERE email IS NOT DISTINCT FROM sqlc.narg(email) ORDER BY id;

-- name: ExtraPercentile :many
SELECT kind, percentile_cont(0.5) WITHIN GROUP (ORDER BY size) AS middle, mode() WITHIN GROUP (ORDER BY stars) AS usual FROM assets GROUP BY kind;
