-- A library of many users for measuring the services: the same rows for the same numbers, always.
--
--   psql URL -v assets=1000000 -v owners=100 -f bench/services-data.sql
--
-- With -v phase=begin, rows, indexes, words, end, more in this order only that part; rows and words may run
-- in several sessions at once, each with -v parts=N and another -v part=0..N-1.
--
-- Needs an empty, migrated database and a superuser (triggers are passed over; what they keep is
-- filled in at the end). One owner has a tenth of all assets, the others share the rest evenly.
-- Every value is a hash of the row's number, never random().
\set ON_ERROR_STOP on
\if :{?assets} \else \set assets 1000000 \endif
\if :{?owners} \else \set owners 100 \endif
\if :{?phase} \else \set phase all \endif
\if :{?parts} \else \set parts 1 \set part 0 \endif
SELECT :'phase' IN ('all', 'begin') AS begin, :'phase' IN ('all', 'rows') AS rows,
       :'phase' IN ('all', 'indexes') AS indexes, :'phase' IN ('all', 'words') AS words,
       :'phase' IN ('all', 'end') AS end, :'phase' IN ('all', 'more') AS more,
       1 + :assets::bigint * :part / :parts AS low, :assets::bigint * (:part + 1) / :parts AS high
\gset
\timing on
SET session_replication_role = replica;
SET synchronous_commit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '512MB';
BEGIN;

-- 0 <= roll < 1, from a number and which of its dice is meant.
CREATE FUNCTION pg_temp.roll(i bigint, die bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (hashint8extended(i, die) & 9007199254740991) / 9007199254740992.0;
-- A number 0..n-1 of which the small ones come far more often.
CREATE FUNCTION pg_temp.pick(i bigint, die bigint, n integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN floor(n * power(pg_temp.roll(i, die), 3))::integer;
-- About a normal distribution, mean 0 and deviation 1.
CREATE FUNCTION pg_temp.bell(i bigint, die bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (pg_temp.roll(i, die) + pg_temp.roll(i, die + 1) + pg_temp.roll(i, die + 2)
            + pg_temp.roll(i, die + 3) - 2) * 1.732;
CREATE FUNCTION pg_temp.id(kind integer, i bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (lpad(to_hex(i + 1700000000000), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8'
            || lpad(to_hex(hashint8extended(i, kind) & 1152921504606846975), 15, '0'))::uuid;

\if :begin
-- Indexes that only find rows are made behind the rows: one entry at a time they cost more than all
-- the rest.
CREATE TABLE bench_index AS
SELECT i.indrelid::regclass AS on_table, i.indexrelid::regclass::text AS name,
       pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i
WHERE i.indrelid IN ('assets'::regclass, 'asset_search'::regclass, 'asset_tags'::regclass,
                     'thumbnails'::regclass, 'album_assets'::regclass)
    AND NOT i.indisunique;
SELECT format('DROP INDEX %s', name) FROM bench_index \gexec

INSERT INTO users (user_id, username, email, password_hash)
SELECT o, 'bench' || o, 'bench' || o || '@localhost', '!'
FROM generate_series(1, :owners) o;
SELECT setval('users_user_id_seq', :owners);

INSERT INTO repositories (repo_id, name, path, owner_id, storage_strategy, is_default)
SELECT pg_temp.id(2, o * 2 + n), CASE n WHEN 0 THEN 'library' ELSE 'archive' END,
       '/srv/bench/' || o || '/' || n, o, 'date', n = 0
FROM generate_series(1, :owners) o, generate_series(0, 1) n;

-- 200 tags of the system, 20 of each owner; two or three on an asset.
INSERT INTO tags (tag_id, name, category, is_ai_generated, owner_id)
SELECT n, 'thing ' || n, 'thing', true, NULL FROM generate_series(1, 200) n
UNION ALL
SELECT 200 + (o - 1) * 20 + n, 'mine ' || n, NULL, false, o
FROM generate_series(1, :owners) o, generate_series(1, 20) n;
SELECT setval('tags_tag_id_seq', 200 + :owners * 20);
-- 30 albums of each owner, a large one and many small ones.
INSERT INTO albums (album_id, name, owner_id)
SELECT (o - 1) * 30 + n, 'Album ' || n, o
FROM generate_series(1, :owners) o, generate_series(1, 30) n;
SELECT setval('albums_album_id_seq', :owners * 30);
\endif

\if :rows
CREATE TEMP TABLE word (n integer PRIMARY KEY, w text);
INSERT INTO word SELECT (row_number() OVER ())::integer - 1, w
FROM unnest(ARRAY['beach', 'wedding', 'paris', 'garden', 'birthday', 'mountain', 'oslo', 'dinner',
    'graduation', 'sunset', 'lake', 'snow', 'cat', 'dog', 'bird', 'harbour', 'castle', 'concert',
    'market', 'bridge', 'forest', 'island', 'train', 'museum', 'picnic', 'river', 'storm', 'tulip',
    'village', 'winter', 'zebra', 'yacht']) w;
CREATE TEMP TABLE camera (n integer PRIMARY KEY, make text, model text);
INSERT INTO camera SELECT (row_number() OVER ())::integer - 1, make, make || ' ' || model
FROM unnest(ARRAY['Apple', 'Canon', 'Google', 'Nikon', 'Sony', 'Fujifilm', 'Panasonic', 'Leica'])
         WITH ORDINALITY m(make, a),
     unnest(ARRAY['One', 'Two', 'Pro', 'X100', 'R5']) WITH ORDINALITY v(model, b)
ORDER BY b, a;

CREATE TEMP TABLE draft AS
SELECT i, CASE WHEN pg_temp.roll(i, 1) < 0.1 THEN 1
               ELSE 1 + floor(pg_temp.roll(i, 2) * :owners)::integer END AS owner_id,
       CASE WHEN pg_temp.roll(i, 3) < 0.88 THEN 'photo' WHEN pg_temp.roll(i, 3) < 0.98 THEN 'video'
            ELSE 'audio' END AS asset_type,
       timestamp '2009-01-01' + interval '1 second' * floor(sqrt(pg_temp.roll(i / 7, 4))
           * 500000000 + pg_temp.roll(i, 5) * 20000) AS taken_local,
       pg_temp.roll(i, 6) < 0.95 AS has_taken,
       (ARRAY[NULL, 0, 60, 120, -300, 540])[1 + pg_temp.pick(i / 50, 7, 6)] AS offset_minutes,
       pg_temp.pick(i / 40, 8, 40) AS camera, pg_temp.pick(i / 40, 9, 200) AS city,
       pg_temp.roll(i, 10) < 0.6 AS has_place, pg_temp.roll(i, 11) AS rated
FROM generate_series(:low, :high) i;
ANALYZE draft;
INSERT INTO assets (asset_id, original_filename, file_path, file_size, file_hash, mime_type,
    asset_type, repository_id, owner_id, uploaded_at, taken_at, taken_local, taken_offset_minutes,
    taken_source, created_at, updated_at, camera_make, camera_model, lens_model, iso, aperture,
    shutter_speed, focal_length, latitude, longitude, altitude, width, height, duration,
    description, rating, liked, is_raw, deleted_at)
SELECT pg_temp.id(1, d.i),
       CASE d.i % 4
            WHEN 0 THEN 'IMG_' || lpad((d.i % 10000)::text, 4, '0') || '.JPG'
            WHEN 1 THEN 'PXL_' || to_char(d.taken_local, 'YYYYMMDD_HH24MISS') || '.jpg'
            WHEN 2 THEN 'DSC' || lpad((d.i % 100000)::text, 5, '0') || '.jpg'
            ELSE w.w || '-' || v.w || '-' || to_char(d.taken_local, 'YYYY') || '-'
                 || d.i % 1000 || '.jpg' END,
       to_char(d.taken_local, 'YYYY/MM/') || d.i || '.jpg',
       floor(exp(14.5 + 0.9 * pg_temp.bell(d.i, 20)))::bigint,
       'sha256:' || md5(d.i::text) || md5((-d.i)::text),
       CASE d.asset_type WHEN 'photo' THEN 'image/jpeg' WHEN 'video' THEN 'video/mp4'
            ELSE 'audio/mpeg' END,
       d.asset_type, pg_temp.id(2, d.owner_id * 2 + (pg_temp.roll(d.i / 40, 12) < 0.2)::integer),
       d.owner_id, timestamptz '2020-01-01 00:00Z' + interval '1 second' * (d.i / 5) * 60,
       CASE WHEN d.has_taken THEN (d.taken_local - interval '1 minute'
            * coalesce(d.offset_minutes, 0)) AT TIME ZONE 'UTC' END,
       CASE WHEN d.has_taken THEN d.taken_local END,
       CASE WHEN d.has_taken THEN d.offset_minutes END,
       CASE WHEN d.has_taken THEN 'exif' END,
       timestamptz '2020-01-01 00:00Z' + interval '1 second' * (d.i / 5) * 60,
       timestamptz '2020-01-01 00:00Z' + interval '1 second' * (d.i / 5) * 60,
       c.make, c.model,
       CASE WHEN d.asset_type = 'photo' AND d.camera % 3 > 0
            THEN c.make || ' ' || 8 + pg_temp.pick(d.i / 20, 13, 60) || 'mm' END,
       (ARRAY[100, 200, 400, 800, 1600, 3200, 64, 50, 6400, 25600])[1 + pg_temp.pick(d.i, 14, 10)],
       round((1.4 * power(1.4142, pg_temp.pick(d.i, 15, 8)))::numeric, 1), '1/'
       || 30 + pg_temp.pick(d.i, 16, 4000), 8 + pg_temp.pick(d.i, 17, 392),
       CASE WHEN d.has_place THEN round((-50 + 110 * pg_temp.roll(d.city, 18)
            + 0.05 * pg_temp.bell(d.i, 30))::numeric, 8) END,
       CASE WHEN d.has_place THEN round((-179 + 358 * pg_temp.roll(d.city, 19)
            + 0.05 * pg_temp.bell(d.i, 34))::numeric, 8) END,
       CASE WHEN d.has_place THEN round((1500 * pg_temp.roll(d.city, 40))::numeric, 2) END,
       4000, 3000, CASE WHEN d.asset_type <> 'photo'
                        THEN round((600 * pg_temp.roll(d.i, 41))::numeric, 2) END,
       CASE WHEN pg_temp.roll(d.i, 42) < 0.1 THEN w.w || ' and ' || v.w || ' with friends' END,
       CASE WHEN d.rated < 0.2 THEN floor(d.rated * 30)::integer END,
       pg_temp.roll(d.i, 43) < 0.05, d.asset_type = 'photo' AND pg_temp.roll(d.i, 44) < 0.08,
       CASE WHEN pg_temp.roll(d.i, 45) < 0.015 THEN timestamptz '2024-01-01 00:00Z' END
FROM draft d
JOIN word w ON w.n = pg_temp.pick(d.i, 46, 32)
JOIN word v ON v.n = pg_temp.pick(d.i, 47, 32)
LEFT JOIN camera c ON c.n = d.camera AND pg_temp.roll(d.i, 48) < 0.9;

INSERT INTO thumbnails (asset_id, owner_id, size, file_path, file_size, width, height, mime_type)
SELECT pg_temp.id(1, d.i), d.owner_id, s.size,
       'thumbnails/' || d.i || '-' || s.size || '.webp', s.width * 50, s.width, s.width * 3 / 4,
       'image/webp'
FROM draft d, (VALUES ('small', 256), ('medium', 800), ('large', 1920)) s(size, width)
WHERE d.asset_type <> 'audio';

INSERT INTO asset_tags (asset_id, tag_id, confidence, source, owner_id)
SELECT pg_temp.id(1, d.i), 1 + pg_temp.pick(d.i, 50 + n, 200),
       round(pg_temp.roll(d.i, 60 + n)::numeric, 4), 'clip', d.owner_id
FROM draft d, generate_series(0, 1) n
ON CONFLICT DO NOTHING;
INSERT INTO asset_tags (asset_id, tag_id, confidence, source, owner_id)
SELECT pg_temp.id(1, d.i), 201 + (d.owner_id - 1) * 20 + pg_temp.pick(d.i, 70, 20), 1, 'user',
       d.owner_id
FROM draft d WHERE pg_temp.roll(d.i, 71) < 0.3;

INSERT INTO album_assets (album_id, asset_id, position, owner_id)
SELECT (d.owner_id - 1) * 30 + 1 + pg_temp.pick(d.i / 15, 80, 30), pg_temp.id(1, d.i),
       d.i::integer, d.owner_id
FROM draft d WHERE pg_temp.roll(d.i / 15, 81) < 0.3;

\endif

-- Without indexes and statistics the tags and albums of each asset would be looked for in whole tables.
\if :indexes
SELECT definition FROM bench_index WHERE on_table <> 'asset_search'::regclass ORDER BY name \gexec
ANALYZE assets, asset_tags, tags, album_assets, albums;
\endif
\if :words
SELECT count(asset_search_write(part.ids))
FROM (SELECT array_agg(pg_temp.id(1, i)) AS ids FROM generate_series(:low, :high) i
      GROUP BY i / 1000) part;
\endif

\if :end
SELECT definition FROM bench_index WHERE on_table = 'asset_search'::regclass ORDER BY name \gexec
DROP TABLE bench_index;
INSERT INTO asset_days (owner_id, day, photos, videos, recordings)
SELECT a.owner_id, a.captured_local::date, count(*) FILTER (WHERE a.asset_type = 'photo'),
       count(*) FILTER (WHERE a.asset_type = 'video'),
       count(*) FILTER (WHERE a.asset_type = 'audio')
FROM assets a
WHERE a.deleted_at IS NULL
GROUP BY 1, 2
ORDER BY 1, 2;
INSERT INTO tag_counts (owner_id, tag_id, assets)
SELECT l.owner_id, l.tag_id, count(*)
FROM asset_tags l JOIN assets a ON a.asset_id = l.asset_id
WHERE a.deleted_at IS NULL
GROUP BY l.owner_id, l.tag_id ORDER BY l.owner_id, l.tag_id;
INSERT INTO album_counts (owner_id, album_id, assets)
SELECT m.owner_id, m.album_id, count(*)
FROM album_assets m JOIN assets a ON a.asset_id = m.asset_id
WHERE a.deleted_at IS NULL
GROUP BY m.owner_id, m.album_id ORDER BY m.owner_id, m.album_id;
INSERT INTO library_counts (owner_id, kind, name, detail, assets, bytes)
SELECT c.owner_id, c.kind, c.name, c.detail, c.assets, c.bytes
FROM library_counted(NULL) c
ORDER BY c.owner_id, c.kind, c.name, c.detail;
\endif

-- What lists of their own show: species of every fifth picture, many tags that few assets have (2,000
-- shared ones, 2,000 of the large owner), a smart album and public ones of each owner, logins, files
-- to be removed. Behind the rest, because libraries may have been kept from before there was any.
\if :more
CREATE TEMP TABLE picture AS
SELECT a.asset_id, a.owner_id, a.repository_id, a.file_path,
       row_number() OVER (ORDER BY a.asset_id) AS i
FROM assets a WHERE a.asset_type = 'photo';
ANALYZE picture;
INSERT INTO species_predictions (asset_id, owner_id, species_name, common_name, confidence,
                                 model_version)
SELECT p.asset_id, p.owner_id, 'Species ' || n.n, 'Common ' || n.n,
       round(least(1, 0.1 + pg_temp.roll(p.i, 91))::numeric, 4), 'bench'
FROM picture p CROSS JOIN LATERAL (SELECT 1 + pg_temp.pick(p.i, 90, 300) AS n) n
WHERE pg_temp.roll(p.i, 92) < 0.2;
DELETE FROM library_counts WHERE kind = 'species';
INSERT INTO library_counts (owner_id, kind, name, detail, assets, bytes)
SELECT c.owner_id, c.kind, c.name, c.detail, c.assets, c.bytes
FROM library_counted(NULL) c WHERE c.kind = 'species'
ORDER BY c.owner_id, c.kind, c.name, c.detail;

-- The picture of the number that the tag has among its kind has it; a shared one somebody else's.
CREATE TEMP TABLE label AS
SELECT nextval('tags_tag_id_seq')::integer AS tag_id, k.name, k.owner_id, n
FROM (VALUES ('rare ', NULL), ('own ', 1)) k (name, owner_id), generate_series(1, 2000) n;
INSERT INTO tags (tag_id, name, is_ai_generated, owner_id)
SELECT l.tag_id, l.name || l.n, l.owner_id IS NULL, l.owner_id FROM label l;
INSERT INTO asset_tags (asset_id, tag_id, confidence, source, owner_id)
SELECT p.asset_id, l.tag_id, 1, 'user', p.owner_id
FROM (SELECT x.*, row_number() OVER (PARTITION BY x.owner_id = 1 ORDER BY x.i) AS n
      FROM picture x) p
JOIN label l ON l.n = p.n AND (l.owner_id IS NOT NULL) = (p.owner_id = 1);
INSERT INTO tag_counts (owner_id, tag_id, assets)
SELECT x.owner_id, x.tag_id, count(*)
FROM label l JOIN asset_tags x ON x.tag_id = l.tag_id JOIN assets a ON a.asset_id = x.asset_id
WHERE a.deleted_at IS NULL
GROUP BY 1, 2 ORDER BY 1, 2;

UPDATE albums SET is_public = true WHERE album_id % 3 = 0;
INSERT INTO albums (album_id, name, owner_id, filter)
SELECT :owners * 30 + o, 'Smart', o, '{"rating_min": 3}' FROM generate_series(1, :owners) o;
SELECT setval('albums_album_id_seq', :owners * 31);
INSERT INTO auth_sessions (session_id, user_id, created_at, last_used_at, expires_at, rotated_at,
                           salt, key_id, refresh_hash)
SELECT pg_temp.id(3, o * 100 + n), o, now() - interval '1 hour' * n, now(),
       now() + interval '10 years', now(), decode(repeat('00', 32), 'hex'), 'bench',
       decode(repeat('00', 32), 'hex')
FROM generate_series(1, :owners) o, generate_series(1, 20) n;
INSERT INTO file_deletions (owner_id, repository_id, file_path, not_before)
SELECT p.owner_id, p.repository_id, 'gone/' || p.i, now() - interval '1 second' * p.i
FROM picture p WHERE p.i % 20 = 0;
INSERT INTO audit_log (db_role, event, subject_id)
SELECT 'bench', 'bench', 1 + i % :owners FROM generate_series(1, :assets / 10) i;
\endif
COMMIT;
\if :more
SET session_replication_role = origin;
VACUUM (ANALYZE) species_predictions, library_counts, tags, asset_tags, tag_counts, albums,
    auth_sessions, file_deletions, audit_log;
\endif
\if :end
SET session_replication_role = origin;
VACUUM (ANALYZE) users, repositories, assets, thumbnails, tags, asset_tags, albums, album_assets,
    asset_search, asset_days, tag_counts, album_counts, library_counts, species_predictions;
\endif
