-- name: InnerJoin :many
SELECT a.title, p.name FROM assets a JOIN people p ON p.id = a.owner;

-- name: LeftJoin :many
SELECT a.title, p.name, p.id FROM assets a LEFT JOIN people p ON p.id = a.owner;

-- name: RightJoin :many
SELECT a.title, p.name FROM assets a RIGHT JOIN people p ON p.id = a.owner;

-- name: FullJoin :many
SELECT a.title, p.name FROM assets a FULL JOIN people p ON p.id = a.owner;

-- name: CrossJoin :many
SELECT a.title, p.name FROM assets a CROSS JOIN people p;

-- name: SelfJoin :many
SELECT p.name, b.name AS boss_name FROM people p LEFT JOIN people b ON b.id = p.boss;

-- name: JoinUsing :many
SELECT asset, t.kind FROM thumbs t JOIN album_assets aa USING (asset);

-- name: NaturalJoin :many
SELECT asset, pos FROM thumbs NATURAL JOIN album_assets;

-- name: FullUsing :many
SELECT asset FROM thumbs FULL JOIN album_assets USING (asset);

-- name: StarJoin :many
SELECT * FROM thumbs t JOIN album_assets aa ON aa.asset = t.asset;

-- name: StarLeftJoin :many
SELECT t.*, e.v FROM thumbs t LEFT JOIN embeddings e ON e.asset = t.asset;

-- name: ReducedJoin :many
SELECT p.name FROM assets a LEFT JOIN people p ON p.id = a.owner WHERE p.id = @id;

-- name: ThreeTables :many
SELECT a.title, al.name, aa.pos FROM assets a JOIN album_assets aa ON aa.asset = a.id JOIN
    albums al ON al.id = aa.album;

-- name: NestedJoin :many
SELECT a.title, t.path FROM albums al LEFT JOIN (album_assets aa JOIN assets a ON a.id =
    aa.asset) ON aa.album = al.id LEFT JOIN thumbs t ON t.asset = a.id;

-- name: LateralJoin :many
SELECT a.title, l.path FROM assets a LEFT JOIN LATERAL (SELECT t.path FROM thumbs t WHERE
    t.asset = a.id LIMIT 1) l ON true;

-- name: LateralCross :many
SELECT p.name, n FROM people p, LATERAL (SELECT count(*) AS n FROM assets a WHERE a.owner =
    p.id) c;

-- name: SubSelectJoin :many
SELECT p.name, s.n FROM people p LEFT JOIN (SELECT owner, count(*) AS n FROM assets GROUP BY
    owner) s ON s.owner = p.id;

-- name: SemiJoin :many
SELECT name FROM people p WHERE EXISTS (SELECT 1 FROM assets a WHERE a.owner = p.id AND a.kind =
    @kind);

-- name: AntiJoin :many
SELECT name FROM people p WHERE NOT EXISTS (SELECT 1 FROM assets a WHERE a.owner = p.id);

-- name: JoinParam :many
SELECT a.title FROM assets a JOIN people p ON p.id = a.owner AND p.name = @name;

-- name: SameNames :many
SELECT a.id, p.id, t.id FROM assets a JOIN people p ON p.id = a.owner JOIN thumbs t ON t.asset =
    a.id;

-- name: EmbedOne :many
SELECT sqlc.embed(people) FROM people;

-- name: EmbedTwo :many
SELECT sqlc.embed(a), sqlc.embed(p) FROM assets a JOIN people p ON p.id = a.owner;

-- name: EmbedOptional :many
SELECT sqlc.embed(a), sqlc.embed(p) FROM assets a LEFT JOIN people p ON p.id = a.owner;

-- name: EmbedAndColumns :many
SELECT a.title, sqlc.embed(t), t.path AS again FROM assets a JOIN thumbs t ON t.asset = a.id;

-- name: EmbedSingle :one
SELECT sqlc.embed(p), count(*) OVER () AS n FROM people p WHERE p.id = @id;

-- name: EmbedView :many
SELECT sqlc.embed(asset_list) FROM asset_list;

-- name: EmbedUnusable :many
SELECT sqlc.embed(u), u.id FROM unusable u;

-- name: EmbedTwice :many
SELECT sqlc.embed(p), sqlc.embed(b) FROM people p LEFT JOIN people b ON b.id = p.boss;

-- name: EmbedOdd :many
SELECT sqlc.embed("Odd Table"), 1 AS one FROM "Odd Table";
