-- name: LibTimelineDays :many
SELECT taken::date AS day, count(*) AS n, min(size) AS least, max(size) AS most FROM assets WHERE taken IS NOT NULL GROUP BY 1 ORDER BY 1;

-- name: LibTimelineMonths :many
SELECT date_trunc('month', added) AS month, count(*) FILTER (WHERE kind = 'photo') AS photos, count(*) FILTER (WHERE kind = 'video') AS videos FROM assets GROUP BY 1;

-- name: LibLargest :many
SELECT id, title, size FROM assets ORDER BY size DESC NULLS LAST, id LIMIT @n;

-- name: LibPageAfter :many
SELECT id, added, title FROM assets WHERE (added, id) < (@added, @id) ORDER BY added DESC, id DESC LIMIT 20;

-- name: LibPageAsc :many
SELECT id, title FROM assets WHERE title > @after ORDER BY title LIMIT @n OFFSET @skip;

-- name: LibUntagged :many
SELECT id FROM assets WHERE cardinality(tags) = 0;

-- name: LibTagCounts :many
SELECT tag, count(*) AS n FROM assets CROSS JOIN LATERAL unnest(tags) AS tag WHERE tag IS NOT NULL GROUP BY tag ORDER BY n DESC, tag;

-- name: LibTaggedWith :many
SELECT id FROM assets WHERE @tag::text = ANY (tags);

-- name: LibAllTags :many
SELECT id FROM assets WHERE tags @> @tags;

-- name: LibAddTag :execrows
UPDATE assets SET tags = array_append(tags, @tag::text) WHERE id = ANY (@ids::uuid[]) AND NOT tags @> ARRAY[@tag::text];

-- name: LibDropTag :execrows
UPDATE assets SET tags = array_remove(tags, @tag::text) WHERE @tag = ANY (tags);

-- name: LibDuplicates :many
SELECT hash, array_agg(id ORDER BY added) AS ids FROM assets WHERE hash IS NOT NULL GROUP BY hash HAVING count(*) > 1;

-- name: LibByHash :one
SELECT id FROM assets WHERE hash = @hash LIMIT 1;

-- name: LibAlbumSizes :many
SELECT al.id, al.name, count(aa.asset) AS n, coalesce(sum(a.size), 0) AS bytes FROM albums al LEFT JOIN album_assets aa ON aa.album = al.id LEFT JOIN assets a ON a.id = aa.asset GROUP BY al.id ORDER BY al.id;

-- name: LibAlbumCover :many
SELECT DISTINCT ON (aa.album) aa.album, aa.asset, t.path FROM album_assets aa LEFT JOIN thumbs t ON t.asset = aa.asset AND t.kind = 'small' ORDER BY aa.album, aa.pos;

-- name: LibAlbumTree :many
WITH RECURSIVE tree AS (SELECT id, name, parent, 0 AS depth, ARRAY[id] AS path FROM albums WHERE parent IS NULL UNION ALL SELECT c.id, c.name, c.parent, t.depth + 1, t.path || c.id FROM albums c JOIN tree t ON c.parent = t.id) SELECT id, name, parent, depth, path FROM tree ORDER BY path;

-- name: LibAncestors :many
WITH RECURSIVE up AS (SELECT id, parent FROM albums WHERE id = @id UNION ALL SELECT a.id, a.parent FROM albums a JOIN up ON a.id = up.parent) SELECT id FROM up;

-- name: LibMoveInAlbum :execrows
UPDATE album_assets SET pos = pos + @by WHERE album = @album AND pos >= @from;

-- name: LibPutInAlbum :execrows
INSERT INTO album_assets (album, asset, pos) SELECT al.id, a.id, coalesce((SELECT max(pos) FROM album_assets x WHERE x.album = al.id), 0) + row_number() OVER (ORDER BY a.added)::int FROM assets a, albums al WHERE al.id = @album AND a.id = ANY (@ids::uuid[]) ON CONFLICT DO NOTHING;

-- name: LibTakeFromAlbum :many
DELETE FROM album_assets WHERE album = @album AND asset = ANY (@ids::uuid[]) RETURNING asset, pos;

-- name: LibOwnerStats :many
SELECT p.id, p.name, s.n, s.bytes, s.latest FROM people p LEFT JOIN owners s ON s.owner = p.id ORDER BY p.id;

-- name: LibOwnerRank :many
SELECT owner, sum(size) AS bytes, dense_rank() OVER (ORDER BY sum(size) DESC) AS place FROM assets WHERE owner IS NOT NULL GROUP BY owner;

-- name: LibShare :many
SELECT kind, count(*) AS n, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent FROM assets GROUP BY kind;

-- name: LibGaps :many
SELECT id, added - lag(added) OVER (ORDER BY added) AS gap FROM assets;

-- name: LibNearest :many
SELECT asset, v <-> @q AS distance FROM embeddings ORDER BY v <-> @q LIMIT @n;

-- name: LibCosine :many
SELECT e.asset, a.title, 1 - (e.v <=> @q) AS likeness FROM embeddings e JOIN assets a ON a.id = e.asset ORDER BY e.v <=> @q LIMIT 5;

-- name: LibWithoutVector :many
SELECT a.id FROM assets a LEFT JOIN embeddings e ON e.asset = a.id WHERE e.asset IS NULL;

-- name: LibPutVector :exec
INSERT INTO embeddings (asset, v) VALUES ('00000000-0000-0000-0000-000000000003', @v) ON CONFLICT (asset) DO UPDATE SET v = excluded.v;

-- name: LibWords :many
SELECT id, ts_rank(to_tsvector('simple', title), q) AS rank FROM assets, to_tsquery('simple', @words) AS q WHERE to_tsvector('simple', title) @@ q ORDER BY rank DESC;

-- name: LibHeadline :many
SELECT ts_headline('simple', title, plainto_tsquery('simple', @words)) AS text FROM assets;

-- name: LibLikeTitle :many
SELECT id, title FROM assets WHERE title ILIKE '%' || @part::text || '%' ESCAPE '\';

-- name: LibRegexTitle :many
SELECT id FROM assets WHERE title ~* @pattern;

-- name: LibStarsAtLeast :many
SELECT id, stars FROM assets WHERE stars >= @least ORDER BY stars DESC;

-- name: LibRate :one
UPDATE assets SET stars = @stars WHERE id = @id RETURNING id, stars;

-- name: LibRateMany :execrows
UPDATE assets a SET stars = r.stars FROM unnest(@ids::uuid[], @stars::smallint[]) AS r (id, stars) WHERE a.id = r.id;

-- name: LibDataKey :many
SELECT id, data ->> @key::text AS value FROM assets WHERE data ? @key::text;

-- name: LibDataPath :many
SELECT id, data #>> @path::text[] AS value FROM assets;

-- name: LibDataSet :execrows
UPDATE assets SET data = jsonb_set(data, ARRAY[@key::text], to_jsonb(@value::text)) WHERE id = @id;

-- name: LibDataMerge :one
UPDATE assets SET data = data || @more WHERE id = '00000000-0000-0000-0000-000000000001' RETURNING data;

-- name: LibDataKeys :many
SELECT DISTINCT jsonb_object_keys(data) AS key FROM assets WHERE jsonb_typeof(data) = 'object';

-- name: LibDataContains :many
SELECT id FROM assets WHERE data @> @want;

-- name: LibAsJson :many
SELECT jsonb_build_object('id', id, 'title', title, 'tags', tags) AS doc FROM assets;

-- name: LibRowJson :many
SELECT row_to_json(a) AS doc FROM assets a;

-- name: LibNested :many
SELECT al.id, (SELECT coalesce(json_agg(json_build_object('id', aa.asset, 'pos', aa.pos) ORDER BY aa.pos), '[]') FROM album_assets aa WHERE aa.album = al.id) AS items FROM albums al;

-- name: LibThumbKinds :many
SELECT a.id, array_agg(t.kind ORDER BY t.kind) FILTER (WHERE t.id IS NOT NULL) AS kinds FROM assets a LEFT JOIN thumbs t ON t.asset = a.id GROUP BY a.id;

-- name: LibMissingThumbs :many
SELECT a.id, k.kind FROM assets a CROSS JOIN (VALUES ('small'), ('large')) AS k (kind) WHERE NOT EXISTS (SELECT FROM thumbs t WHERE t.asset = a.id AND t.kind = k.kind);

-- name: LibThumbPaths :many
SELECT path FROM thumbs WHERE path IS NOT NULL ORDER BY path;

-- name: LibDimensions :many
SELECT id, width, height, width * height AS area FROM assets WHERE width > 0 AND height > 0;

-- name: LibAspect :many
SELECT id, CASE WHEN width IS NULL OR height IS NULL THEN 'unknown' WHEN width > height THEN 'wide' WHEN width < height THEN 'tall' ELSE 'square' END AS shape FROM assets;

-- name: LibKindNames :many
SELECT unnest(enum_range(NULL::kind)) AS kind;

-- name: LibKindBetween :many
SELECT id FROM assets WHERE kind BETWEEN @low AND @high;

-- name: LibChangedKind :many
SELECT id, kind, was, kind IS DISTINCT FROM was AS changed FROM assets;

-- name: LibCoalesced :many
SELECT id, coalesce(taken, added) AS at, coalesce(width, height, 0) AS side FROM assets;

-- name: LibGreatest :many
SELECT id, greatest(taken, added) AS late, least(width, height) AS side FROM assets;

-- name: LibNullIf :many
SELECT id, nullif(size, 0) AS size FROM assets;

-- name: LibBetweenDates :many
SELECT id FROM assets WHERE taken >= @since AND taken < @until;

-- name: LibRecent :many
SELECT id FROM assets WHERE added > now() - @span::interval;

-- name: LibYears :many
SELECT extract(year FROM taken)::int AS year, count(*) AS n FROM assets WHERE isfinite(taken) GROUP BY 1;

-- name: LibAges :many
SELECT name, age(now(), born::timestamptz) AS age FROM people WHERE isfinite(born);

-- name: LibOnThisDay :many
SELECT id, taken FROM assets WHERE to_char(taken, 'MMDD') = to_char(@day::date, 'MMDD') AND isfinite(taken);

-- name: LibCalendar :many
SELECT d::date AS day, count(a.id) AS n FROM generate_series(@first::date, @last::date, '1 day') AS d LEFT JOIN assets a ON a.taken::date = d::date GROUP BY d ORDER BY d;

-- name: LibBuckets :many
SELECT width_bucket(size, 0, 1000, 10) AS bucket, count(*) AS n FROM assets GROUP BY 1 ORDER BY 1;

-- name: LibMedian :one
SELECT percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY size) AS quarters FROM assets;

-- name: LibTotals :one
SELECT (SELECT count(*) FROM assets) AS assets, (SELECT count(*) FROM albums) AS albums, (SELECT count(*) FROM people) AS people;

-- name: LibHasAny :one
SELECT EXISTS (SELECT FROM assets WHERE owner = @owner);

-- name: LibRename :one
UPDATE assets SET title = @title WHERE id = '00000000-0000-0000-0000-000000000002' RETURNING title;

-- name: LibSwap :execrows
UPDATE assets SET width = height, height = width WHERE id = @id;

-- name: LibGive :execrows
UPDATE assets SET owner = sqlc.narg(owner) WHERE owner = @from;

-- name: LibArchive :many
WITH gone AS (DELETE FROM thumbs WHERE asset = @asset RETURNING id, path) SELECT id, path FROM gone ORDER BY id;

-- name: LibCopyAlbum :one
WITH made AS (INSERT INTO albums (id, name) VALUES (@id, @name) RETURNING id), items AS (INSERT INTO album_assets (album, asset, pos) SELECT made.id, aa.asset, aa.pos FROM album_assets aa, made WHERE aa.album = 10 RETURNING 1) SELECT made.id, (SELECT count(*) FROM items) AS n FROM made;

-- name: LibClaimJob :one
UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE id = (SELECT id FROM jobs WHERE state = 'ready' AND run_at <= now() ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *;

-- name: LibClaimJobs :many
WITH picked AS (SELECT id FROM jobs WHERE state = ANY ('{ready,done}'::state[]) AND attempts >= @least ORDER BY id LIMIT @n FOR UPDATE SKIP LOCKED) UPDATE jobs SET attempts = attempts + 1 FROM picked WHERE jobs.id = picked.id RETURNING jobs.id, jobs.state, jobs.args;

-- name: LibFinishJob :execrows
UPDATE jobs SET state = 'done' WHERE id = @id AND state = 'running';

-- name: LibFailJob :one
UPDATE jobs SET state = 'ready', errors = array_append(errors, @error::text), run_at = now() + @wait::interval WHERE id = 1 RETURNING errors, run_at;

-- name: LibJobStates :many
SELECT state, count(*) AS n, min(run_at) AS next FROM jobs GROUP BY state ORDER BY state;

-- name: LibJobArgs :many
SELECT id, args::jsonb ->> 'k' AS k FROM jobs;

-- name: LibLock :one
SELECT pg_try_advisory_xact_lock(@key) AS locked;

-- name: LibSetting :one
SELECT current_setting(@name, true) AS value;

-- name: LibNow :one
SELECT now() AS now, current_date AS today, localtimestamp AS here;

-- name: LibVersion :one
SELECT version() AS version, current_database() AS db, current_user AS who;

-- name: LibSizes :one
SELECT pg_table_size('assets'::regclass) AS bytes, pg_size_pretty(@n::bigint) AS pretty;

-- name: LibMerge :exec
MERGE INTO albums t USING (SELECT @id::int AS id, @name::text AS name) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name);

-- name: LibUnionAll :many
SELECT id::text AS key, title::text AS label FROM assets UNION ALL SELECT id::text, name FROM people ORDER BY label;

-- name: LibExcept :many
SELECT id FROM assets EXCEPT SELECT asset FROM thumbs;

-- name: LibIntersect :many
SELECT asset FROM thumbs INTERSECT SELECT asset FROM album_assets;

-- name: LibValues :many
SELECT * FROM (VALUES (1, 'one'), (2, NULL)) AS v (n, word);

-- name: LibSeries :many
SELECT n, n * n AS square FROM generate_series(1, @last::int) AS n;

-- name: LibOrdinality :many
SELECT word, place FROM unnest(@words::text[]) WITH ORDINALITY AS w (word, place);

-- name: LibZip :many
SELECT a, b FROM unnest(@a::int[], @b::text[]) AS z (a, b);

-- name: LibSplit :many
SELECT regexp_split_to_table(@text::text, ',') AS part;

-- name: LibJoined :one
SELECT array_to_string(@parts::text[], '-') AS text, cardinality(@parts::text[]) AS n;

-- name: LibHex :one
SELECT encode(sha256(@data::bytea), 'hex') AS digest, length(@data::bytea) AS n;

-- name: LibUuid :one
SELECT gen_random_uuid() AS id;

-- name: LibRound :one
SELECT round(@x::numeric, 2) AS r, trunc(@x::numeric) AS t, @x::numeric % 3 AS m;

-- name: LibTrim :one
SELECT trim(@s::text) AS t, upper(@s) AS u, left(@s, 3) AS l, length(@s) AS n;
