-- name: SearchHits :many
-- @read_only
-- @unnamed
-- @nonnull place score
-- Assets by name, text and meaning (channels: sum of 1, 2 and 4), with the rank and score that each
-- channel gave, best first. See search_hits().
SELECT sqlc.embed(a), h.place, h.score, h.sort_at, h.name_rank, h.text_rank, h.text_score,
       h.meaning_rank, h.distance, h.route
FROM search_hits(
    sqlc.narg('query')::text, sqlc.narg('vector')::halfvec, sqlc.narg('like_asset_id')::uuid,
    @filter::search_filter,
    @channels::integer, @pool::integer, @row_limit::integer,
    sqlc.narg('after_score')::float8, sqlc.narg('after_at')::timestamptz,
    sqlc.narg('after_id')::uuid, @exact_most::integer) h
JOIN assets a ON a.asset_id = h.asset_id
ORDER BY h.place;
