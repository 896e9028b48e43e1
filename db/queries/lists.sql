-- name: FilterAssets :many
-- @unnamed
-- @read_only
-- A page of live assets by any combination of filters; NULL asks nothing. A condition that is not
-- asked is folded away when the statement is planned, at each call, with the values at hand.
-- Candidates are a small set that holds all matches, where the service knows one; where it knows
-- that there are many, tags to be without and words are looked up row by row: a join would read all.
SELECT a.* FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL
  AND (sqlc.narg(candidates)::uuid[] IS NULL OR a.asset_id = ANY (sqlc.narg(candidates)::uuid[]))
  AND asset_fits(a, sqlc.narg(wanted_type)::text, sqlc.narg(wanted_repository)::uuid, sqlc.narg(make)::text,
                 sqlc.narg(model)::text, sqlc.narg(lens)::text, sqlc.narg(iso_min)::integer,
                 sqlc.narg(iso_max)::integer, sqlc.narg(aperture_min)::float8,
                 sqlc.narg(aperture_max)::float8, sqlc.narg(focal_min)::float8,
                 sqlc.narg(focal_max)::float8, sqlc.narg(local_from)::timestamp,
                 sqlc.narg(local_before)::timestamp, sqlc.narg(instant_from)::timestamptz,
                 sqlc.narg(instant_before)::timestamptz, sqlc.narg(south)::integer,
                 sqlc.narg(north)::integer, sqlc.narg(west)::integer,
                 sqlc.narg(east)::integer, sqlc.narg(near_south)::integer,
                 sqlc.narg(near_north)::integer, sqlc.narg(near_latitude)::integer,
                 sqlc.narg(near_longitude)::integer, sqlc.narg(near_metres)::float8,
                 sqlc.narg(has_place)::boolean, sqlc.narg(stars_min)::smallint,
                 sqlc.narg(stars_max)::smallint, sqlc.narg(wanted_liked)::boolean,
                 sqlc.narg(wanted_raw)::boolean, sqlc.narg(name_prefix)::text,
                 sqlc.narg(name_part)::text)
  AND (sqlc.narg(album_id)::integer IS NULL
       OR EXISTS (SELECT FROM album_assets x
                  WHERE x.album_id = sqlc.narg(album_id)::integer AND x.asset_id = a.asset_id))
  AND (sqlc.narg(tags_any)::integer[] IS NULL
       OR EXISTS (SELECT FROM asset_tags x
                  WHERE x.asset_id = a.asset_id
                    AND x.tag_id = ANY (sqlc.narg(tags_any)::integer[])))
  AND (sqlc.narg(tags_all)::integer[] IS NULL
       OR (SELECT count(DISTINCT w.number) FROM asset_tags x
           JOIN unnest(sqlc.narg(tags_all)::integer[], sqlc.narg(tags_all_numbers)::integer[])
                    w(tag_id, number) ON w.tag_id = x.tag_id
           WHERE x.asset_id = a.asset_id) = @tags_all_names::bigint)
  AND (sqlc.narg(tags_none)::integer[] IS NULL
       OR coalesce((SELECT false FROM asset_tags x
                    WHERE x.asset_id = a.asset_id
                      AND x.tag_id = ANY (sqlc.narg(tags_none)::integer[]) LIMIT 1), true))
  AND (sqlc.narg(words)::text IS NULL
       OR coalesce((SELECT x.text_words @@ word_query(sqlc.narg(words)::text)
                    FROM asset_search x WHERE x.asset_id = a.asset_id), false))
  /*@switch sort taken_desc*/
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.captured_local, a.asset_id) <
            (sqlc.narg(after_local)::timestamp, sqlc.narg(after_id)::uuid))
    ORDER BY a.captured_local DESC, a.asset_id DESC
  /*@case taken_asc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.captured_local, a.asset_id) >
            (sqlc.narg(after_local)::timestamp, sqlc.narg(after_id)::uuid))
    ORDER BY a.captured_local ASC, a.asset_id ASC*/
  /*@case uploaded_desc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.uploaded_at, a.asset_id) <
            (sqlc.narg(after_instant)::timestamptz, sqlc.narg(after_id)::uuid))
    ORDER BY a.uploaded_at DESC, a.asset_id DESC*/
  /*@case uploaded_asc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.uploaded_at, a.asset_id) >
            (sqlc.narg(after_instant)::timestamptz, sqlc.narg(after_id)::uuid))
    ORDER BY a.uploaded_at ASC, a.asset_id ASC*/
  /*@case name_desc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.name_key, a.asset_id) <
            (sqlc.narg(after_name)::text, sqlc.narg(after_id)::uuid))
    ORDER BY a.name_key DESC, a.asset_id DESC*/
  /*@case name_asc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.name_key, a.asset_id) >
            (sqlc.narg(after_name)::text, sqlc.narg(after_id)::uuid))
    ORDER BY a.name_key ASC, a.asset_id ASC*/
  /*@case size_desc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.file_size, a.asset_id) <
            (sqlc.narg(after_number)::bigint, sqlc.narg(after_id)::uuid))
    ORDER BY a.file_size DESC, a.asset_id DESC*/
  /*@case size_asc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.file_size, a.asset_id) >
            (sqlc.narg(after_number)::bigint, sqlc.narg(after_id)::uuid))
    ORDER BY a.file_size ASC, a.asset_id ASC*/
  /*@case rating_desc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.stars, a.captured_local, a.asset_id) <
            (sqlc.narg(after_stars)::smallint, sqlc.narg(after_local)::timestamp, sqlc.narg(after_id)::uuid))
    ORDER BY a.stars DESC, a.captured_local DESC, a.asset_id DESC*/
  /*@case rating_asc:
    AND (sqlc.narg(after_id)::uuid IS NULL
         OR (a.stars, a.captured_local, a.asset_id) >
            (sqlc.narg(after_stars)::smallint, sqlc.narg(after_local)::timestamp, sqlc.narg(after_id)::uuid))
    ORDER BY a.stars ASC, a.captured_local ASC, a.asset_id ASC*/
  /*@end*/
LIMIT @row_limit;

-- name: CountFilteredAssets :one
-- @unnamed
-- @read_only
-- The conditions of FilterAssets.
SELECT count(*) FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL
  AND (sqlc.narg(candidates)::uuid[] IS NULL OR a.asset_id = ANY (sqlc.narg(candidates)::uuid[]))
  AND asset_fits(a, sqlc.narg(wanted_type)::text, sqlc.narg(wanted_repository)::uuid, sqlc.narg(make)::text,
                 sqlc.narg(model)::text, sqlc.narg(lens)::text, sqlc.narg(iso_min)::integer,
                 sqlc.narg(iso_max)::integer, sqlc.narg(aperture_min)::float8,
                 sqlc.narg(aperture_max)::float8, sqlc.narg(focal_min)::float8,
                 sqlc.narg(focal_max)::float8, sqlc.narg(local_from)::timestamp,
                 sqlc.narg(local_before)::timestamp, sqlc.narg(instant_from)::timestamptz,
                 sqlc.narg(instant_before)::timestamptz, sqlc.narg(south)::integer,
                 sqlc.narg(north)::integer, sqlc.narg(west)::integer,
                 sqlc.narg(east)::integer, sqlc.narg(near_south)::integer,
                 sqlc.narg(near_north)::integer, sqlc.narg(near_latitude)::integer,
                 sqlc.narg(near_longitude)::integer, sqlc.narg(near_metres)::float8,
                 sqlc.narg(has_place)::boolean, sqlc.narg(stars_min)::smallint,
                 sqlc.narg(stars_max)::smallint, sqlc.narg(wanted_liked)::boolean,
                 sqlc.narg(wanted_raw)::boolean, sqlc.narg(name_prefix)::text,
                 sqlc.narg(name_part)::text)
  AND (sqlc.narg(album_id)::integer IS NULL
       OR EXISTS (SELECT FROM album_assets x
                  WHERE x.album_id = sqlc.narg(album_id)::integer AND x.asset_id = a.asset_id))
  AND (sqlc.narg(tags_any)::integer[] IS NULL
       OR EXISTS (SELECT FROM asset_tags x
                  WHERE x.asset_id = a.asset_id
                    AND x.tag_id = ANY (sqlc.narg(tags_any)::integer[])))
  AND (sqlc.narg(tags_all)::integer[] IS NULL
       OR (SELECT count(DISTINCT w.number) FROM asset_tags x
           JOIN unnest(sqlc.narg(tags_all)::integer[], sqlc.narg(tags_all_numbers)::integer[])
                    w(tag_id, number) ON w.tag_id = x.tag_id
           WHERE x.asset_id = a.asset_id) = @tags_all_names::bigint)
  AND (sqlc.narg(tags_none)::integer[] IS NULL
       OR coalesce((SELECT false FROM asset_tags x
                    WHERE x.asset_id = a.asset_id
                      AND x.tag_id = ANY (sqlc.narg(tags_none)::integer[]) LIMIT 1), true))
  AND (sqlc.narg(words)::text IS NULL
       OR coalesce((SELECT x.text_words @@ word_query(sqlc.narg(words)::text)
                    FROM asset_search x WHERE x.asset_id = a.asset_id), false));

-- name: FindTags :many
-- @read_only
-- The tags that go by these names, and how many of the owner's assets have each (at most
-- count_limit).
SELECT t.tag_id, t.name,
       (SELECT count(*) FROM (SELECT FROM asset_tags x
                              WHERE x.owner_id = @owner_id AND x.tag_id = t.tag_id
                              LIMIT @count_limit) c) AS uses
FROM tags t
WHERE t.name = ANY (@names::text[])
ORDER BY t.tag_id;

-- name: AlbumCandidates :one
-- @read_only
-- @nonnull candidates
SELECT ARRAY(SELECT x.asset_id FROM album_assets x WHERE x.album_id = @album_id
             LIMIT @row_limit)::uuid[] AS candidates;

-- name: TagCandidates :one
-- @read_only
-- @nonnull candidates
SELECT ARRAY(SELECT x.asset_id FROM asset_tags x
             WHERE x.owner_id = @owner_id AND x.tag_id = ANY (@tag_ids::integer[])
             LIMIT @row_limit)::uuid[] AS candidates;

-- name: AllTagsCandidates :one
-- @read_only
-- Assets with as many of these tags as there are names, and perhaps some more: of a name that two
-- tags have, one is enough.
-- @nonnull candidates
SELECT ARRAY(SELECT x.asset_id FROM asset_tags x
             WHERE x.owner_id = @owner_id AND x.tag_id = ANY (@tag_ids::integer[])
             GROUP BY x.asset_id HAVING count(*) >= @name_count::bigint
             LIMIT @row_limit)::uuid[] AS candidates;

-- name: PlaceCandidates :one
-- @read_only
-- @nonnull candidates
SELECT ARRAY(SELECT a.asset_id FROM assets a
             WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL
               AND a.latitude_e7 >= @south::integer AND a.latitude_e7 <= @north::integer
               AND a.longitude_e7 >= @west::integer AND a.longitude_e7 <= @east::integer
             LIMIT @row_limit)::uuid[] AS candidates;

-- name: NameCandidates :one
-- @read_only
-- @nonnull candidates
SELECT ARRAY(SELECT named_assets(@name_part::text, @row_limit::integer))::uuid[] AS candidates;

-- name: WordCandidates :one
-- @read_only
-- @nonnull candidates
SELECT ARRAY(SELECT matching_assets(@words::text, @row_limit::integer))::uuid[] AS candidates;

-- name: PageAssets :many
-- @read_only
-- A page of live assets with no other condition than the kind; each order has a first page and a
-- next one. These frequent lists are prepared once, while FilterAssets is planned at each call.
SELECT a.* FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL
  /*@if wanted_type*/ AND a.asset_type = @wanted_type /*@end*/
  /*@switch sort taken_desc*/
    ORDER BY a.captured_local DESC, a.asset_id DESC
  /*@case taken_desc_next:
    AND (a.captured_local, a.asset_id) < (@after_local::timestamp, @after_id::uuid)
    ORDER BY a.captured_local DESC, a.asset_id DESC*/
  /*@case taken_asc:
    ORDER BY a.captured_local ASC, a.asset_id ASC*/
  /*@case taken_asc_next:
    AND (a.captured_local, a.asset_id) > (@after_local::timestamp, @after_id::uuid)
    ORDER BY a.captured_local ASC, a.asset_id ASC*/
  /*@case uploaded_desc:
    ORDER BY a.uploaded_at DESC, a.asset_id DESC*/
  /*@case uploaded_desc_next:
    AND (a.uploaded_at, a.asset_id) < (@after_instant::timestamptz, @after_id::uuid)
    ORDER BY a.uploaded_at DESC, a.asset_id DESC*/
  /*@case uploaded_asc:
    ORDER BY a.uploaded_at ASC, a.asset_id ASC*/
  /*@case uploaded_asc_next:
    AND (a.uploaded_at, a.asset_id) > (@after_instant::timestamptz, @after_id::uuid)
    ORDER BY a.uploaded_at ASC, a.asset_id ASC*/
  /*@case name_desc:
    ORDER BY a.name_key DESC, a.asset_id DESC*/
  /*@case name_desc_next:
    AND (a.name_key, a.asset_id) < (@after_name::text, @after_id::uuid)
    ORDER BY a.name_key DESC, a.asset_id DESC*/
  /*@case name_asc:
    ORDER BY a.name_key ASC, a.asset_id ASC*/
  /*@case name_asc_next:
    AND (a.name_key, a.asset_id) > (@after_name::text, @after_id::uuid)
    ORDER BY a.name_key ASC, a.asset_id ASC*/
  /*@case size_desc:
    ORDER BY a.file_size DESC, a.asset_id DESC*/
  /*@case size_desc_next:
    AND (a.file_size, a.asset_id) < (@after_number::bigint, @after_id::uuid)
    ORDER BY a.file_size DESC, a.asset_id DESC*/
  /*@case size_asc:
    ORDER BY a.file_size ASC, a.asset_id ASC*/
  /*@case size_asc_next:
    AND (a.file_size, a.asset_id) > (@after_number::bigint, @after_id::uuid)
    ORDER BY a.file_size ASC, a.asset_id ASC*/
  /*@case rating_desc:
    ORDER BY a.stars DESC, a.captured_local DESC, a.asset_id DESC*/
  /*@case rating_desc_next:
    AND (a.stars, a.captured_local, a.asset_id) <
        (@after_stars::smallint, @after_local::timestamp, @after_id::uuid)
    ORDER BY a.stars DESC, a.captured_local DESC, a.asset_id DESC*/
  /*@case rating_asc:
    ORDER BY a.stars ASC, a.captured_local ASC, a.asset_id ASC*/
  /*@case rating_asc_next:
    AND (a.stars, a.captured_local, a.asset_id) >
        (@after_stars::smallint, @after_local::timestamp, @after_id::uuid)
    ORDER BY a.stars ASC, a.captured_local ASC, a.asset_id ASC*/
  /*@end*/
LIMIT @row_limit;

-- name: PagePeriod :many
-- @read_only
-- A page of the assets of a time, the last taken first.
SELECT a.* FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL
  AND a.captured_local >= @local_from AND a.captured_local < @local_before
  /*@if after_id*/
  AND (a.captured_local, a.asset_id) < (@after_local::timestamp, @after_id::uuid)
  /*@end*/
ORDER BY a.captured_local DESC, a.asset_id DESC
LIMIT @row_limit;
