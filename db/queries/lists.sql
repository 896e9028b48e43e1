-- name: FilterAssets :many
-- @unnamed
-- @read_only
-- A page of live assets by any combination of filters, planned at each call with the values at hand.
-- Filters that other tables have a say in go by search_scope(); to the others its conditions on the
-- asset alone are enough, and planning them takes half the time.
SELECT a.* FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL
  /*@switch way alone*/ AND asset_fits(a, @filter::search_filter)
  /*@case linked: AND EXISTS (SELECT FROM search_scope(@owner_id, @filter::search_filter) s
                              WHERE s.asset_id = a.asset_id)*/
  /*@end*/
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
-- What FilterAssets lists.
SELECT count(*) FROM search_scope(@owner_id, @filter::search_filter);

-- name: FindTags :many
-- @read_only
-- The tags that go by these names, and how many of the owner's live assets have each.
SELECT t.tag_id, t.name,
       coalesce((SELECT sum(c.assets) FROM tag_counts c
                 WHERE c.owner_id = @owner_id AND c.tag_id = t.tag_id), 0)::bigint AS uses
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

-- name: MeasuredCandidates :one
-- @read_only
-- NULL when they are many.
SELECT measured_assets(@filter::search_filter, @row_limit::integer) AS candidates;

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
-- @generic
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
-- @generic
-- A page of the assets of a time, the last taken first.
SELECT a.* FROM assets a
WHERE a.owner_id = @owner_id AND a.deleted_at IS NULL
  AND a.captured_local >= @local_from AND a.captured_local < @local_before
  /*@if after_id*/
  AND (a.captured_local, a.asset_id) < (@after_local::timestamp, @after_id::uuid)
  /*@end*/
ORDER BY a.captured_local DESC, a.asset_id DESC
LIMIT @row_limit;
