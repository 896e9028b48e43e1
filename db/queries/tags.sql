-- name: CreateTag :one
-- The current user's tag of a name; made when there is none.
-- @nonnull tag_id
SELECT tag_create(@name, sqlc.narg('category')) AS tag_id;

-- name: GetTag :one
-- @read_only
-- With the number of assets outside the trash that have it.
SELECT t.tag_id, t.name, t.category, (t.owner_id IS NULL)::boolean AS shared,
       coalesce((SELECT sum(c.assets) FROM tag_counts c
                 WHERE c.owner_id = @owner_id AND c.tag_id = t.tag_id), 0)::bigint AS asset_count
FROM tags t WHERE t.tag_id = @tag_id;

-- name: FindTag :one
-- @read_only
-- The own tag of a name, else the shared one.
SELECT t.tag_id FROM tags t WHERE t.name = @name ORDER BY t.owner_id NULLS LAST LIMIT 1;

-- name: ListTags :many
-- @read_only
-- Keyset page by name, each with the number of assets outside the trash that have it.
-- @nonnull tag_id name shared asset_count
SELECT * FROM tags_page(@after_name, @after_tag_id, sqlc.narg('category'), sqlc.narg('part'),
                        @row_limit);

-- name: ListTagsOfAssets :many
-- @read_only
-- Of many assets at once, in the order of their ids, then by name.
SELECT l.asset_id, t.tag_id, t.name, t.category, (t.owner_id IS NULL)::boolean AS shared,
       l.confidence::float8 AS confidence, l.source
FROM asset_tags l JOIN tags t ON t.tag_id = l.tag_id
WHERE l.asset_id = ANY (@asset_ids::uuid[])
ORDER BY l.asset_id, t.name, t.tag_id;

-- name: UpdateTag :execrows
-- Of an own tag; renaming is a matter of its own.
UPDATE tags SET category = sqlc.narg('category') WHERE tag_id = @tag_id AND owner_id = @owner_id;

-- name: RenameTag :exec
SELECT tag_rename(@tag_id, @name);

-- name: MergeTags :one
-- @nonnull merged
SELECT tag_merge(@source_tag_ids::integer[], @target_tag_id) AS merged;

-- name: CountTagUses :one
-- @read_only
-- What MergeTags or DeleteTag would touch: tags that are there, and assets that have one of them.
SELECT (SELECT count(*) FROM tags t WHERE t.tag_id = ANY (@tag_ids::integer[])) AS tag_count,
       (SELECT count(DISTINCT l.asset_id) FROM asset_tags l
        WHERE l.tag_id = ANY (@tag_ids::integer[])) AS asset_count;

-- name: DeleteTag :one
-- @nonnull removed
SELECT tag_delete(@tag_id) AS removed;

-- name: TagAsset :many
-- @nonnull given_id given_name written
SELECT * FROM tag_asset(@asset_id, @names::text[], @confidences::float8[], @source, @only_these);

-- name: TagAssetByID :one
-- No row: there is no such tag.
-- @nonnull given_id given_name written
SELECT g.* FROM tags t,
       LATERAL tag_asset(@asset_id, ARRAY[t.name::text], ARRAY[@confidence::float8], @source,
                         false) g
WHERE t.tag_id = @tag_id;

-- name: UntagAsset :one
-- False: it had no such tag.
-- @nonnull removed
SELECT tag_remove(@asset_id, @tag_id) AS removed;

-- name: CountTagAssets :one
-- Counts all tags again; answers how many were wrong and are mended.
-- @nonnull mended
SELECT count_tag_assets() AS mended;
